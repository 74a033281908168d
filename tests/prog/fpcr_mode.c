// guest: aarch64
/* The same functions, called through a pointer, under FPCR.DN and FZ set and clear: code and the
 * caches that lead to it must follow the mode. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FZ = 1 << 24, DN = 1 << 25 };

static void
setmode(uint64_t m)
{
	__asm__ volatile("msr fpcr, %0" : : "r"(m) : "memory");
}

__attribute__((noinline)) static double add(double a, double b) { return a + b; }
__attribute__((noinline)) static double mul(double a, double b) { return a * b; }

static uint64_t
bits(double d)
{
	uint64_t u;

	memcpy(&u, &d, 8);
	return u;
}

static double
from(uint64_t u)
{
	double d;

	memcpy(&d, &u, 8);
	return d;
}

int
main(void)
{
	static const uint64_t mode[] = {0, DN, FZ, 0, DN | FZ, 0};
	double (*volatile f[2])(double, double) = {add, mul};
	uint64_t last[6] = {0};
	int wrong = 0;

	for (int i = 0; i < 3000; i++) {
		uint64_t m = mode[i % 6], nan, tiny;

		setmode(m);
		nan = bits(f[i & 1](from(0x7ff8000000001234), 1));
		tiny = bits(f[1](from(0x0000000000000003), 2));
		setmode(0);
		wrong += nan != (m & DN ? 0x7ff8000000000000 : 0x7ff8000000001234);
		wrong += tiny != (m & FZ ? 0 : 6);
		last[i % 6] = nan ^ tiny;
	}
	for (int i = 0; i < 6; i++)
		printf("%lx\n", (long)last[i]);
	printf("%d wrong\n", wrong);
	return wrong != 0;
}
