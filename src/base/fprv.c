/* SPDX-License-Identifier: MIT */
/* fprv.c - RISC-V's estimates of seven bits (Volume I, "V" Standard Extension, 13.9 and 13.10)
 *
 * The manual's tables hold, for each interval of 1/128 or 1/64, the seven bits that come closest to the
 * function over all of it; which is its value in the middle, rounded. */
#include "base/fpnum.h"

/* 1 / x of x = 1.i, as 0.1o; i and o have seven bits */
static u64
reciprocal(u64 i)
{
	return (65536 * 2 + 257 + 2 * i) / (2 * (257 + 2 * i)) - 128;
}

/* 1 / sqrt(x) as 0.1o, of x = 1.i if i has bit 6, else 2 * 1.i; i's low six bits count */
static u64
rootreciprocal(u64 i)
{
	u64 twice = 2 * (64 + (i & 63)) + 1, x = i >> 6 ? twice : 2 * twice;   /* the middle, times 128 */
	u64 o = 255;

	while ((2 * o - 1) * (2 * o - 1) * x > (u64)512 * 512 * 128)
		o--;
	return o - 128;
}

/* The seven bits o below the implicit one, with the biased exponent exp, which may be 0 or -1: then it is denormal */
static u64
estimate(const struct fpform *f, int sign, int exp, u64 o)
{
	u64 frac = o << (f->fracbits - 7);

	if (exp <= 0) {
		frac = (frac | (u64)1 << f->fracbits) >> (1 - exp);
		exp = 0;
	}
	return form_pack(f, sign, (u64)exp, frac);
}

u64
fp_rec7(struct fpenv *e, enum fpfmt fmt, u64 a)
{
	const struct fpform *f = &fpform[fmt];
	struct num x = num_take(e, fmt, a);
	int exp = x.exp + form_bias(f), toinf;

	if (x.kind >= NUM_QNAN)
		return num_nan1(e, fmt, a);
	if (x.kind == NUM_INF)
		return form_zero(f, x.sign);
	if (x.kind == NUM_ZERO) {
		e->flags |= FPX_DIVZERO;
		return form_inf(f, x.sign);
	}
	if (exp < -1) {
		toinf = e->rm == RM_NE || e->rm == RM_NA || e->rm == (x.sign ? RM_DN : RM_UP);
		e->flags |= FPX_OVERFLOW | FPX_INEXACT;
		return toinf ? form_inf(f, x.sign) : form_max(f, x.sign);
	}
	return estimate(f, x.sign, 2 * form_bias(f) - 1 - exp, reciprocal((u64)(x.frac >> (NUM_TOP - 7)) & 127));
}

u64
fp_rsqrt7(struct fpenv *e, enum fpfmt fmt, u64 a)
{
	const struct fpform *f = &fpform[fmt];
	struct num x = num_take(e, fmt, a);
	int exp = x.exp + form_bias(f);

	if (x.kind >= NUM_QNAN)
		return num_nan1(e, fmt, a);
	if (x.kind == NUM_ZERO) {
		e->flags |= FPX_DIVZERO;
		return form_inf(f, x.sign);
	}
	if (x.sign)
		return num_invalid(e, fmt);
	if (x.kind == NUM_INF)
		return form_zero(f, 0);
	u64 i = (u64)(exp & 1) << 6 | ((u64)(x.frac >> (NUM_TOP - 6)) & 63);
	return estimate(f, 0, (3 * form_bias(f) - 1 - exp) >> 1, rootreciprocal(i));
}
