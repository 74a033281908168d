/* The highest byte of a word that is not 0, looked for from above, as C libraries without an instruction do */
#include <stdio.h>

typedef unsigned long u64;

static u64 x = 88172645463325252;

static u64
rnd(void)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

/* the byte is tested before the step; the lowest is not looked at */
static __attribute__((noinline)) u64
before(u64 v, u64 *at)
{
	u64 i = 56;

	do {
		*at = v >> i;
		if (*at & 0xff)
			return i;
		i -= 8;
	} while (i);
	*at = v;
	return i;
}

/* after it */
static __attribute__((noinline)) u64
after(u64 v)
{
	u64 i = 56;

	for (; i && !(v >> i & 0xff); i -= 8)
		;
	return i;
}

static u64
want(u64 v)
{
	return v ? 63 - (u64)__builtin_clzl(v) & 56 : 0;
}

int
main(void)
{
	u64 sum = 0, at, v, bad = 0;

	for (int hi = -1; hi < 64; hi++)
		for (int n = 0; n < 100; n++) {
			v = hi < 0 ? 0 : rnd() >> 63 - hi | (n & 1 ? 1ul << hi : 0);
			if (n & 2)
				v &= -v;
			if (before(v, &at) != want(v) || at != v >> want(v))
				bad++;
			if (after(v) != want(v))
				bad++;
			sum = sum * 31 + at + want(v) + (u64)__builtin_ctzl(v | 1ul << 63);
		}
	printf("%lu wrong, %lx\n", bad, sum);
	return 0;
}
