/* SPDX-License-Identifier: MIT */
/* run.h - runs loops that gen.c made: of all lengths, over data of several kinds, which overlap or not.  What each has
 * come to is printed as a number. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ZONE = 4096, TIMES = 60 };

/* z is written to; n turns; what comes of it besides */
typedef uint64_t loop_fn(void *z, const void *x, const void *y, long n, uint64_t k);
struct loop { loop_fn *f; int d, x, y; };      /* bytes of a datum of z, x, y */

static unsigned char memory[3 * ZONE];
static uint64_t seed = 88172645463325252;

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static long below(long n) { return (long)(rnd() % (uint64_t)n); }

static inline uint64_t
double_bits(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	return bits;
}
#define bits_of(v) _Generic(v, float: double_bits((double)(v)), double: double_bits((double)(v)), default: (uint64_t)(v))

static void
fill(unsigned char *p, int size)
{
	static const unsigned char edge[] = {0, 0x7f, 0x80, 0xff};
	int kind = (int)below(6);
	uint64_t one = rnd();

	for (int n = 0; n < ZONE; n++)
		switch (kind) {
		case 0: p[n] = (unsigned char)rnd(); break;
		case 1: p[n] = (unsigned char)below(3); break;
		case 2: p[n] = 0; break;
		case 3: p[n] = (unsigned char)(32 + below(96)); break;
		case 4: p[n] = edge[below(4)]; break;
		default: p[n] = n % size ? 0 : (unsigned char)one; break;
		}
	for (long n = kind ? below(5) : 0; n > 0; n--)
		p[below(ZONE)] = (unsigned char)rnd();
}

static uint64_t
hash(uint64_t h)
{
	for (unsigned n = 0; n < sizeof memory; n++)
		h = (h ^ memory[n]) * 0x100000001b3;
	return h;
}

static uint64_t
once(const struct loop *l, int time)
{
	unsigned char *x = memory, *y = memory + ZONE, *z = memory + 2 * ZONE;
	long n = time < 20 ? time : below(150), ox = 64 + below(64), oy = 64 + below(64), oz = below(64);
	uint64_t k = rnd() & 1 ? rnd() : rnd() % 64;

	fill(x, l->x);
	fill(y, l->y);
	memset(z, 0, ZONE);
	if (rnd() & 1) {
		memcpy(y, x, ZONE);
		y[below(1500)] ^= (unsigned char)(1 << below(8));
		oy = ox;
	}
	if (rnd() & 1) {
		ox &= -(long)l->x;
		oy &= -(long)l->y;
		oz &= -(long)l->d;
	}
	if (below(3) == 0) {           /* it is stored near where it is loaded */
		z = rnd() & 1 ? x : y;
		oz = (z == x ? ox : oy) + below(65) - 32;
	}
	return hash(l->f(z + oz, x + ox, y + oy, n, k));
}

static int
run(const struct loop *l, int count)
{
	for (int i = 0; i < count; i++) {
		uint64_t h = 0;

		for (int time = 0; time < TIMES; time++)
			h = h * 31 + once(&l[i], time);
		printf("f%d %016llx\n", i, (unsigned long long)h);
	}
	return 0;
}
