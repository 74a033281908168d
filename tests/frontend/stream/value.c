/* SPDX-License-Identifier: MIT */
/* value.c - random values, many of them at the corners where instructions go wrong */
#include "stream.h"

u64 stream_seed = 1;

u32
rnd(void)
{
	stream_seed ^= stream_seed << 13;
	stream_seed ^= stream_seed >> 7;
	stream_seed ^= stream_seed << 17;
	return (u32)(stream_seed >> 16);
}

u64 rnd64(void) { return (u64)rnd() << 32 | rnd(); }

u64
stream_int(int bits)
{
	u64 v = rnd64();
	u32 n = rnd() % 64;

	switch (rnd() % 6) {
	case 0: v >>= n; break;
	case 1: v = rnd() % 70; break;
	case 2: v = ((u64)1 << (bits - 1)) - (v & 1); break;
	case 3: v = ((u64)1 << n % (u32)bits) - (v & 1); break;
	case 4: v = ((u64)1 << (n & 32 ? 31 : 32)) - (v & 1); break;
	}
	return zext(rnd() & 1 ? v : -v, bits);
}

u64
stream_real(int e, int m)
{
	u64 ones = zext(~(u64)0, e), frac = zext(rnd64(), m), bias = ones >> 1, exp;

	switch (rnd() % 9) {
	case 0: exp = ones; frac = rnd() & 1 ? 0 : frac; break;
	case 1: exp = 0; frac = rnd() & 1 ? 0 : frac; break;
	case 2: exp = zext(rnd(), e); break;
	case 3: exp = zext(bias + rnd() % 66, e); frac &= ~(u64)0 << rnd() % (u32)m; break;
	case 4: exp = rnd() & 1 ? ones - 1 : 1; break;
	case 5: exp = bias; frac = rnd() & 1 ? 0 : (u64)1 << rnd() % (u32)m; break;
	default: exp = bias + rnd() % 8 - 4; break;
	}
	return (u64)(rnd() & 1) << (e + m) | exp << m | frac;
}

void
stream_vector(u8 *v)
{
	int kind = (int)(rnd() % 8), size = (int)(rnd() % 4), bits = kind < 3 ? 16 << kind : 8 << size;

	for (int i = 0; i < 128 / bits; i++) {
		u64 x = kind == 0 ? stream_real(5, 10) : kind == 1 ? stream_real(8, 23)
		      : kind == 2 ? stream_real(11, 52) : kind == 7 ? 0 : stream_int(bits);
		stn(v + i * bits / 8, bits / 8, 0, x);
	}
}

/* Exponents around all that matters times significands of few runs of ones, as Berkeley TestFloat has them at its
 * first level; sometimes anything. */
u64
stream_float(int bits)
{
	int m = bits == 64 ? 52 : bits == 32 ? 23 : 10, e = bits - 1 - m;
	u64 ones = zext(~(u64)0, m), top = (u64)1 << (m - 1), emax = zext(~(u64)0, e), bias = emax >> 1;
	u64 exps[] = {0, 0, 1, 2, bias - (u64)m - 1, bias - (u64)m, bias - 2, bias - 1, bias, bias, bias + 1, bias + 2,
		bias + (u64)m - 1, bias + (u64)m, bias + (u64)m + 1, bias + 31, bias + 63, emax - 2, emax - 1, emax, emax};
	u64 r = zext(rnd64(), m), fracs[] = {0, 0, 1, ones, ones - 1, top, top + 1, top - 1, ones ^ top, r >> rnd() % (u32)m,
		ones << rnd() % (u32)m & ones, ones >> rnd() % (u32)m, r};
	u64 exp = rnd() % 5 ? exps[rnd() % NELEM(exps)] : rnd64(), frac = fracs[rnd() % NELEM(fracs)];

	return (u64)(rnd() & 1) << (bits - 1) | (exp & emax) << m | frac;
}
