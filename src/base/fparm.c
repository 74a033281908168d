/* SPDX-License-Identifier: MIT */
/* fparm.c - what only ARM computes: estimates by table, steps of Newton's iteration, fmulx
 *
 * Names in comments are functions of the pseudocode in the Arm Architecture Reference Manual,
 * J1.3.  The estimates' tables are computed, as there. */
#include "base/fpnum.h"

/* RecipEstimate: 256 <= a < 512 stands for 0.5 .. 1; the result for 1 .. 2 likewise */
static u32
recip_estimate(u32 a)
{
	u32 b = (1u << 19) / (a * 2 + 1);

	return (b + 1) / 2;
}

/* RecipSqrtEstimate: 128 <= a < 512 stands for 0.25 .. 1 */
static u32
rsqrt_estimate(u32 a)
{
	u32 b = 512;

	a = a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2;
	while (a * (b + 1) * (b + 1) < 1u << 28)
		b++;
	return (b + 1) / 2;
}

u32
fp_urecpe(u32 a)
{
	return a >> 31 ? recip_estimate(a >> 23) << 23 : ~(u32)0;
}

u32
fp_ursqrte(u32 a)
{
	return a >> 30 ? rsqrt_estimate(a >> 23) << 23 : ~(u32)0;
}

/* The format's exponent and fraction, the latter moved to 52 bits as in the manual. */
static void
split(const struct fpform *f, u64 a, s32 *exp, u64 *frac)
{
	*exp = (s32)(a >> f->fracbits & form_expmax(f));
	*frac = (a & form_fracmask(f)) << (52 - f->fracbits);
}

static int
flushes_result(const struct fpenv *e, enum fpfmt fmt)
{
	return fmt == FMT_F16 ? e->fz16 : e->fzout;
}

/* FPRecipEstimate, the part for finite numbers that are not tiny */
static u64
recip_finite(const struct fpform *f, u64 a, int sign)
{
	s32 exp;
	u64 frac, mask52 = ((u64)1 << 52) - 1;

	split(f, a, &exp, &frac);
	if (exp == 0) {                /* denormal, but its reciprocal is not too large */
		int one = frac >> 51 & 1;
		frac = frac << (one ? 1 : 2) & mask52;
		exp = one ? 0 : -1;
	}
	u32 estimate = recip_estimate((u32)(1u << 8 | (frac >> 44)));
	s32 to = 2 * form_bias(f) - 1 - exp;
	frac = (u64)(estimate & 0xff) << 44;
	if (to == 0) {
		frac = (u64)1 << 51 | frac >> 1;
	} else if (to == -1) {
		frac = (u64)1 << 50 | frac >> 2;
		to = 0;
	}
	return form_pack(f, sign, (u64)to, frac >> (52 - f->fracbits));
}

u64
fp_recpe(struct fpenv *e, enum fpfmt fmt, u64 a)
{
	const struct fpform *f = &fpform[fmt];
	struct num n = num_take(e, fmt, a);

	if (isnan_kind(&n))
		return num_nan1(e, fmt, a);
	if (n.kind == NUM_INF)
		return form_zero(f, n.sign);
	if (n.kind == NUM_ZERO) {
		e->flags |= FPX_DIVZERO;
		return form_inf(f, n.sign);
	}
	if (n.exp < -form_bias(f) - 1) {       /* |a| < 2^-128 for F32: the reciprocal overflows */
		int toinf = e->rm == RM_NE || e->rm == RM_NA || e->rm == (n.sign ? RM_DN : RM_UP);
		e->flags |= FPX_OVERFLOW | FPX_INEXACT;
		return toinf ? form_inf(f, n.sign) : form_max(f, n.sign);
	}
	if (flushes_result(e, fmt) && n.exp >= form_bias(f) - 1) {     /* 2^126 for F32 */
		e->flags |= FPX_UNDERFLOW;
		return form_zero(f, n.sign);
	}
	return recip_finite(f, a, n.sign);
}

u64
fp_rsqrte(struct fpenv *e, enum fpfmt fmt, u64 a)
{
	const struct fpform *f = &fpform[fmt];
	struct num n = num_take(e, fmt, a);
	s32 exp;
	u64 frac;

	if (isnan_kind(&n))
		return num_nan1(e, fmt, a);
	if (n.kind == NUM_ZERO) {
		e->flags |= FPX_DIVZERO;
		return form_inf(f, n.sign);
	}
	if (n.sign)
		return num_invalid(e, fmt);
	if (n.kind == NUM_INF)
		return form_zero(f, 0);
	split(f, a, &exp, &frac);
	if (exp == 0) {
		for (; !(frac >> 51 & 1); exp--)
			frac <<= 1;
		frac <<= 1;
	}
	frac &= ((u64)1 << 52) - 1;
	/* an even exponent field (odd exponent) scales to 0.5 .. 1, an odd one to 0.25 .. 0.5 */
	u32 scaled = exp & 1 ? (u32)(1u << 7 | (frac >> 45)) : (u32)(1u << 8 | (frac >> 44));
	u32 estimate = rsqrt_estimate(scaled);
	s32 to = (3 * form_bias(f) - 1 - exp) / 2;
	return form_pack(f, 0, (u64)to, (u64)(estimate & 0xff) << 44 >> (52 - f->fracbits));
}

/* One or two in the format, or one and a half. */
static u64
constant(const struct fpform *f, int sign, int exp, int half)
{
	return form_pack(f, sign, (u64)(form_bias(f) + exp), half ? form_quiet(f) : 0);
}

u64
fp_mulx(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b)
{
	u32 flags = e->flags;
	struct num x = num_take(e, fmt, a), y = num_take(e, fmt, b);

	if ((x.kind == NUM_INF && y.kind == NUM_ZERO) || (x.kind == NUM_ZERO && y.kind == NUM_INF))
		return constant(&fpform[fmt], x.sign ^ y.sign, 1, 0);
	e->flags = flags;
	return fp_mul(e, fmt, a, b);
}

/* (k - a * b) / 2^down; for an infinity times zero the quotient's value at a * b = 0 */
static u64
step(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b, int k, int down)
{
	const struct fpform *f = &fpform[fmt];

	a = fp_neg(fmt, a);            /* FPRecipStepFused negates first: a NaN's sign changes too */
	struct num x = num_take(e, fmt, a), y = num_take(e, fmt, b);
	if (isnan_kind(&x) || isnan_kind(&y))
		return num_nan2(e, fmt, a, &x, b, &y);
	int inf = x.kind == NUM_INF || y.kind == NUM_INF;
	if (inf && (x.kind == NUM_ZERO || y.kind == NUM_ZERO))
		return k == 2 ? constant(f, 0, 1, 0) : constant(f, 0, 0, 1);
	if (inf)
		return form_inf(f, x.sign ^ y.sign);
	struct num addend = { .exp = NUM_TOP, .frac = (u128)k };
	num_normalise(&addend);
	struct num p = num_mul(&x, &y), n = num_add(e->rm, &addend, &p);
	n.exp -= down;
	return num_round(e, fmt, &n);
}

u64 fp_recps(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b) { return step(e, fmt, a, b, 2, 0); }
u64 fp_rsqrts(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b) { return step(e, fmt, a, b, 3, 1); }

/* FPRecpX */
u64
fp_recpx(struct fpenv *e, enum fpfmt fmt, u64 a)
{
	const struct fpform *f = &fpform[fmt];
	struct num n = num_take(e, fmt, a);
	u64 exp = a >> f->fracbits & form_expmax(f);

	if (isnan_kind(&n))
		return num_nan1(e, fmt, a);
	return form_pack(f, n.sign, exp ? ~exp & form_expmax(f) : form_expmax(f) - 1, 0);
}
