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
