// guest: riscv64
/* Words in floating-point registers, in loops: boxed before the loop, in it, on one way into it, by a load of a
 * double, behind a call; not boxed where earlier all were; NaNs among them, whose payloads must not live. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint32_t
bits(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	return u;
}

/* fa0 is boxed as the standard says; ft0 holds the double d in the first round, then sums */
static uint64_t
sums(float a, double d, int n)
{
	uint64_t out;

	__asm__ volatile("fmv.d ft0, %3\n\tfmv.s ft1, %2\n\tfmv.w.x ft2, zero\n"
	    "1:\tfadd.s ft2, ft2, ft1\n\tfadd.s ft2, ft0, ft2\n\tfmul.s ft3, ft2, ft1\n\tfsub.s ft1, ft3, ft2\n\t"
	    "fmv.s ft0, ft3\n\taddi %1, %1, -1\n\tbnez %1, 1b\n\tfsub.s ft2, ft2, ft1\n\tfmv.x.d %0, ft2"
	    : "=r"(out), "+r"(n) : "f"(a), "f"(d) : "ft0", "ft1", "ft2", "ft3");
	return out;
}

static __attribute__((noinline)) float scale(float x) { __asm__ volatile(""); return x * 1.5f; }

static float
mix(const float *v, int n, float start)
{
	float a = start, b = 2, c = v[0];

	for (int i = 0; i < n; i++) {
		a = a * v[i] + b;
		if (v[i] > 1)
			c = a - v[i];
		if (i % 5 == 4)
			b = scale(c) - a;
		c += b * v[i] - c;
	}
	return a - b * c;
}

int
main(void)
{
	static const uint32_t odd[] = {0x3f800000, 0x7f800001, 0x7fc12345, 0xffc00001, 0x7f800000, 0xff800000, 1, 0x80000000};
	static const uint64_t dbl[] = {0xffffffff3f800000, 0x3ff0000000000000, 0x7ff8000000000000, 0xffffffffffffffff,
		0xfffffffe40000000, 0};
	float v[24];

	for (int i = 0; i < 24; i++)
		v[i] = (float)(i * 7 % 11) / 3 - 1;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		float f;

		memcpy(&f, &odd[i], 4);
		printf("mix %08x", bits(mix(v, 24, f)));
		v[i * 3] = f;
		printf(" %08x\n", bits(mix(v, 24, 1)));
		v[i * 3] = 1;
		for (size_t k = 0; k < sizeof dbl / sizeof *dbl; k++) {
			double d;

			memcpy(&d, &dbl[k], 8);
			printf("sums %016llx %016llx %016llx\n", (unsigned long long)sums(f, d, 1),
			    (unsigned long long)sums(f, d, 4), (unsigned long long)sums(f, d, 300));
		}
	}
	return 0;
}
