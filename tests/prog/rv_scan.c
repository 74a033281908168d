/* SPDX-License-Identifier: MIT */
// guest: riscv64
/* rv_scan.c - loops that look for the highest byte that is not 0 (ir/search.c), in the forms that compilers give to
 * libgcc's: every register they leave must be what it is when all turns are done */
#include <stdint.h>
#include <stdio.h>

struct state { uint64_t i, word, byte, before, turns; };

/* the test in the middle */
static __attribute__((noinline)) struct state
middle(uint64_t v, uint64_t i)
{
	struct state s = {i, 1, 2, 3, 0};

	__asm__ volatile("1: srl %1, %3, %0\n\tzext.b %2, %1\n\tbnez %2, 2f\n\taddi %0, %0, -8\n\tbnez %0, 1b\n2:"
	    : "+r"(s.i), "+&r"(s.word), "+&r"(s.byte) : "r"(v));
	return s;
}

/* in a block before, and another value of the turn */
static __attribute__((noinline)) struct state
first(uint64_t v, uint64_t i)
{
	struct state s = {i, 1, 2, 3, 0};

	__asm__ volatile("j 2f\n1: bnez %2, 3f\n2: mv %3, %0\n\taddi %0, %0, -8\n\tsrl %1, %4, %0\n\tzext.b %2, %1\n\t"
	    "bnez %0, 1b\n3:" : "+r"(s.i), "+&r"(s.word), "+&r"(s.byte), "+&r"(s.before) : "r"(v));
	return s;
}

/* turns are counted: none may be left out */
static __attribute__((noinline)) struct state
counted(uint64_t v, uint64_t i)
{
	struct state s = {i, 1, 2, 3, 0};

	__asm__ volatile("1: srl %1, %3, %0\n\taddi %4, %4, 1\n\tzext.b %2, %1\n\tbnez %2, 2f\n\taddi %0, %0, -8\n\t"
	    "bnez %0, 1b\n2:" : "+r"(s.i), "+&r"(s.word), "+&r"(s.byte) , "+r"(v), "+&r"(s.turns));
	return s;
}

static struct state
expect(uint64_t v, uint64_t i, int early, int count)
{
	struct state s = {i, 1, 2, 3, 0};

	for (;;) {
		if (!early) {
			s.before = s.i;
			s.i -= 8;
		}
		s.word = v >> (s.i & 63);
		s.byte = s.word & 255;
		s.turns += (uint64_t)count;
		if (early) {
			if (s.byte)
				return s;
			s.i -= 8;
		}
		if (!s.i || (!early && s.byte))
			return s;
	}
}

static int
same(const struct state *x, const struct state *y)
{
	return x->i == y->i && x->word == y->word && x->byte == y->byte && x->before == y->before && x->turns == y->turns;
}

int
main(void)
{
	static const uint64_t starts[] = {56, 48, 8, 16};
	uint64_t x = 88172645463325252;
	int bad = 0;

	for (int n = 0; n < 4000; n++) {
		uint64_t v, i = starts[n % 11 < 8 ? 0 : n % 3 + 1];
		struct state got[3], want[3];

		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		v = x >> (n & 63);
		if (n & 64)
			v &= ~(x >> 8) << 8;
		if (n % 97 == 0)
			v = 0;
		got[0] = middle(v, i), got[1] = first(v, i), got[2] = counted(v, i);
		want[0] = expect(v, i, 1, 0), want[1] = expect(v, i, 0, 0), want[2] = expect(v, i, 1, 1);
		for (int k = 0; k < 3; k++)
			if (!same(&got[k], &want[k]) && bad++ < 5)
				printf("form %d: %llx from %d: %d %llx %llx\n", k, (unsigned long long)v, (int)i, (int)got[k].i,
				    (unsigned long long)got[k].word, (unsigned long long)got[k].byte);
	}
	printf("%d bad\n", bad);
	return bad != 0;
}
