/* SPDX-License-Identifier: MIT */
/* a64state.h - random AArch64 states for tests: registers, modes and a piece of memory */
#ifndef TESTS_A64STATE_H
#define TESTS_A64STATE_H

#include <stdio.h>
#include "frontend/arm64/arm64.h"

enum {
	MEM = 2048, MEMAT = 1024,      /* bytes of memory; where its pointers point */
	INDEX = 27, ALIGNED = 26,      /* a small number; a pointer aligned to 16 */
};
static const u8 pointer[] = {26, 28, 29};

struct state { u64 v[32][2], x[30], nzcv, fpsr, fpcr, pad; u8 mem[MEM]; };

static u64 rng = 1;

static u32
rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (u32)(rng >> 16);
}

static u64 rnd64(void) { return (u64)rnd() << 32 | rnd(); }

/* -- values -- */

static u64
integer(int bits)
{
	u64 v;
	u32 n;

	switch (rnd() % 5) {
	case 0: v = rnd64(); n = rnd() % 64; v >>= n; break;   /* in this order: the recordings rely on it */
	case 1: v = rnd() % 70; break;
	case 2: v = (u64)1 << (bits - 1); v -= rnd() & 1; break;
	case 3: v = (u64)1 << rnd() % bits; v -= rnd() & 1; break;
	default: v = rnd64(); break;
	}
	return zext(rnd() & 1 ? v : -v, bits);
}

/* a number of e exponent and m significand bits: a corner, near one in size, or random */
static u64
real(int e, int m)
{
	u64 ones = zext(~(u64)0, e), frac = zext(rnd64(), m), bias = ones >> 1, exp;

	switch (rnd() % 9) {
	case 0: exp = ones; frac = rnd() & 1 ? 0 : frac; break;
	case 1: exp = 0; frac = rnd() & 1 ? 0 : frac; break;
	case 2: exp = zext(rnd(), e); break;
	case 3: exp = zext(bias + rnd() % 66, e); frac &= ~(u64)0 << rnd() % m; break;
	case 4: exp = rnd() & 1 ? ones - 1 : 1; break;
	case 5: exp = bias; frac = rnd() & 1 ? 0 : (u64)1 << rnd() % m; break;
	default: exp = bias + rnd() % 8 - 4; break;
	}
	return (u64)(rnd() & 1) << (e + m) | exp << m | frac;
}

static void
vector(u64 *v)
{
	int kind = (int)(rnd() % 8), size = (int)(rnd() % 4), bits = kind < 3 ? 16 << kind : 8 << size;

	for (int i = 0; i < 128 / bits; i++) {
		u64 x = kind == 0 ? real(5, 10) : kind == 1 ? real(8, 23) : kind == 2 ? real(11, 52)
		      : integer(bits);
		stn((u8 *)v + i * bits / 8, bits / 8, 0, x);
	}
	if (kind == 7)
		v[0] = v[1] = 0;
}

/* Everything follows from the seed and from where the state lies in guest memory. */
static void
fill(struct state *s, u64 at, u64 seed)
{
	static const u32 mode[] = {FPCR_DN, FPCR_FZ, FPCR_FZ16, FPCR_AHP};
	u64 outer = rng;

	rng = seed ? seed : 1;
	for (int i = 0; i < 32; i++)
		vector(s->v[i]);
	for (int i = 0; i < 30; i++)
		s->x[i] = integer(64);
	for (size_t i = 0; i < NELEM(pointer); i++)
		s->x[pointer[i]] = at + offsetof(struct state, mem) + MEMAT +
		    (pointer[i] == ALIGNED ? 0 : rnd() % 8);
	s->x[INDEX] = rnd() % 16;
	s->nzcv = (u64)(rnd() & 15) << 28;
	s->fpcr = rnd() & 1 ? 0 : (u64)(rnd() & 3) << 22 | (rnd() & 1 ? mode[rnd() % NELEM(mode)] : 0);
	for (int i = 0; i < MEM; i += 16)
		vector((u64 *)(void *)(s->mem + i));
	rng = outer;
}

/* what changed, as text: " v3=HIGH_LOW x5=... nzcv=... fpsr=... m+12=0011" (bytes in order) */
static void __attribute__((unused))
describe(const struct state *old, const struct state *new, char *buf, size_t size)
{
	size_t n = 0;

#define ADD(...) n += (size_t)snprintf(buf + n, n < size ? size - n : 0, __VA_ARGS__)
	*buf = 0;
	for (int r = 0; r < 32; r++)
		if (memcmp(old->v[r], new->v[r], 16))
			ADD(" v%d=%016llx_%016llx", r, (unsigned long long)new->v[r][1],
			    (unsigned long long)new->v[r][0]);
	for (int r = 0; r < 30; r++)
		if (old->x[r] != new->x[r])
			ADD(" x%d=%llx", r, (unsigned long long)new->x[r]);
	if (old->nzcv != new->nzcv)
		ADD(" nzcv=%x", (u32)new->nzcv);
	if (old->fpsr != new->fpsr)
		ADD(" fpsr=%x", (u32)new->fpsr);
	for (int i = 0, in = 0; i < MEM; i++) {
		int changed = old->mem[i] != new->mem[i];

		if (changed && !in)
			ADD(" m%+d=", i - MEMAT);
		if (changed)
			ADD("%02x", new->mem[i]);
		in = changed;
	}
#undef ADD
}

#endif
