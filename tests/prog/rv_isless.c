// guest: riscv64
/* A comparison between frflags and fsflags leaves the flags as they were, for signalling NaNs too, and
 * whether invalid was set before or not. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static double
from(uint64_t u)
{
	double d;

	memcpy(&d, &u, 8);
	return d;
}

static float
from32(uint32_t u)
{
	float f;

	memcpy(&f, &u, 4);
	return f;
}

static unsigned
getflags(void)
{
	unsigned f;

	__asm__ volatile("frflags %0" : "=r"(f) : : "memory");
	return f;
}

#define QUIET(name, insn, type) \
__attribute__((noinline)) static int \
name(type a, type b) \
{ \
	unsigned saved, less; \
\
	__asm__ volatile("frflags %1\n\t" insn " %0, %2, %3\n\tfsflags %1" \
	    : "=&r"(less), "=&r"(saved) : "f"(a), "f"(b)); \
	return (int)less; \
}

QUIET(less, "flt.d", double)
QUIET(lesseq, "fle.d", double)
QUIET(less32, "flt.s", float)
QUIET(equal, "feq.d", double)

/* two comparisons, and one outside that raises */
__attribute__((noinline)) static int
twice(double a, double b)
{
	unsigned saved, p, q, r;

	__asm__ volatile("frflags %0\n\tflt.d %1, %4, %5\n\tflt.d %2, %5, %4\n\tfsflags %0\n\tfle.d %3, %4, %4"
	    : "=&r"(saved), "=&r"(p), "=&r"(q), "=&r"(r) : "f"(a), "f"(b));
	return (int)(p << 2 | q << 1 | r);
}

int
main(void)
{
	static const uint64_t op[] = {0x3ff0000000000000, 0x4000000000000000, 0x7ff8000000000000, 0x7ff0000000000001,
	    0xfff4000000000000};
	static const uint32_t op32[] = {0x3f800000, 0x40000000, 0x7fc00000, 0x7f800001, 0xffa00000};
	static const unsigned before[] = {0, 1, 16, 21};

	for (int k = 0; k < 4; k++)
		for (int i = 0; i < 5; i++)
			for (int j = 0; j < 5; j++) {
				double a = from(op[i]), b = from(op[j]);
				float c = from32(op32[i]), d = from32(op32[j]);
				unsigned f[5];
				int r[5];

				__asm__ volatile("fsflags %0" : : "r"(before[k]) : "memory");
				r[0] = less(a, b), f[0] = getflags();
				r[1] = lesseq(a, b), f[1] = getflags();
				r[2] = less32(c, d), f[2] = getflags();
				r[3] = equal(a, b), f[3] = getflags();
				r[4] = twice(a, b), f[4] = getflags();
				printf("%u %d %d:", before[k], i, j);
				for (int n = 0; n < 5; n++)
					printf(" %d/%u", r[n], f[n]);
				putchar('\n');
			}
	return 0;
}
