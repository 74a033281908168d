/* SPDX-License-Identifier: MIT */
/* fpconv.c - conversions between formats, to and from integers, rounding to integral values */
#include "base/fpnum.h"

/* -- to integers -- */

/* A magnitude rounded to an integer; huge if it does not fit 127 bits. */
struct whole { u128 value; int huge, inexact; };

/* |n| * 2^scale, rounded. */
static struct whole
round_whole(const struct num *n, int scale, enum fprm rm)
{
	struct whole w = {0};
	int exp = n->exp + scale, drop = NUM_TOP - exp;

	if (n->kind == NUM_ZERO)
		return w;
	if (drop < 0) {
		w.huge = 1;
		return w;
	}
	if (drop == 0) {
		w.value = n->frac;
		return w;
	}
	if (drop > 127) {              /* below a half: what is left is only sticky */
		w.inexact = 1;
		w.value = (u128)num_increment(rm, n->sign, 0, 1, 2);
		return w;
	}
	u128 rest = n->frac & (((u128)1 << drop) - 1);
	w.inexact = rest != 0;
	w.value = n->frac >> drop;
	w.value += (u128)num_increment(rm, n->sign, w.value & 1, rest, drop);
	return w;
}

static enum fprm
mode_of(const struct fpenv *e, enum fprm rm)
{
	return rm == RM_DYN ? e->rm : rm;
}

/* The integer nearest to what does not fit. */
static u64
saturated(int negative, int width, int uns)
{
	u64 max = ~(u64)0 >> (64 - width);

	if (uns)
		return negative ? 0 : max;
	return negative ? max / 2 + 1 : max / 2;
}

u64
fp_toint(struct fpenv *e, enum fpfmt fmt, u64 a, enum fprm rm, int width, int uns, int fbits, int nanmax)
{
	struct num n = num_take(e, fmt, a);
	u64 mask = ~(u64)0 >> (64 - width);

	if (isnan_kind(&n)) {
		e->flags |= FPX_INVALID;
		return nanmax ? saturated(0, width, uns) : 0;
	}
	struct whole w = { .huge = n.kind == NUM_INF };
	if (!w.huge)
		w = round_whole(&n, fbits, mode_of(e, rm));
	u128 limit = uns ? (n.sign ? 0 : (u128)mask) : (u128)(mask / 2) + n.sign;
	if (w.huge || w.value > limit) {
		e->flags |= FPX_INVALID;
		return saturated(n.sign, width, uns);
	}
	if (w.inexact)
		e->flags |= FPX_INEXACT;
	u64 v = (u64)w.value;
	return (n.sign ? -v : v) & mask;
}

/* FPToFixedJS: rounds to zero, wraps around */
u32
fp_jcvtzs(struct fpenv *e, u64 a, int *exact)
{
	struct num n = num_take(e, FMT_F64, a);

	*exact = 0;
	if (isnan_kind(&n) || n.kind == NUM_INF) {
		e->flags |= FPX_INVALID;
		return 0;
	}
	struct whole w = round_whole(&n, 0, RM_Z);
	if (w.huge) {                  /* a multiple of 2^32: 53 bits at exponent above 126 */
		e->flags |= FPX_INVALID;
		return 0;
	}
	u32 v = n.sign ? -(u32)w.value : (u32)w.value;
	if (w.value > (u128)0x7fffffff + n.sign)
		e->flags |= FPX_INVALID;
	else if (w.inexact)
		e->flags |= FPX_INEXACT;
	else
		*exact = !(n.kind == NUM_ZERO && n.sign);
	return v;
}

/* -- rounding to integral values -- */

/* The sign and whole magnitude as a number of the format; exact, for magnitudes the format had. */
static u64
pack_whole(struct fpenv *e, enum fpfmt fmt, int sign, u128 value)
{
	struct num n = { .sign = (u8)sign, .exp = NUM_TOP, .frac = value };

	num_normalise(&n);
	return num_round(e, fmt, &n);
}

u64
fp_rint(struct fpenv *e, enum fpfmt fmt, u64 a, enum fprm rm, int exact)
{
	struct num n = num_take(e, fmt, a);

	if (isnan_kind(&n))
		return num_nan1(e, fmt, a);
	if (n.kind == NUM_INF || (n.kind == NUM_FINITE && n.exp >= fpform[fmt].fracbits))
		return a;
	struct whole w = round_whole(&n, 0, mode_of(e, rm));
	if (w.inexact && exact)
		e->flags |= FPX_INEXACT;
	return pack_whole(e, fmt, n.sign, w.value);
}

u64
fp_rintn(struct fpenv *e, enum fpfmt fmt, u64 a, enum fprm rm, int width)
{
	struct num n = num_take(e, fmt, a);
	struct whole w = { .huge = n.kind == NUM_INF || isnan_kind(&n) };

	if (!w.huge)
		w = round_whole(&n, 0, mode_of(e, rm));
	if (w.huge || w.value > ((u128)1 << (width - 1)) - !n.sign) {
		e->flags |= FPX_INVALID;       /* FPRoundIntN: NaNs and what does not fit */
		return pack_whole(e, fmt, 1, (u128)1 << (width - 1));
	}
	if (w.inexact)
		e->flags |= FPX_INEXACT;
	return pack_whole(e, fmt, n.sign, w.value);
}

/* -- from integers -- */

u64
fp_fromint(struct fpenv *e, enum fpfmt fmt, u64 v, int width, int uns, int fbits)
{
	int sign = !uns && v >> (width - 1) & 1;
	struct num n = { .sign = (u8)sign, .exp = NUM_TOP - fbits };

	v &= ~(u64)0 >> (64 - width);
	n.frac = sign ? (~(u64)0 >> (64 - width)) - v + 1 : v;
	if (sign && v == 0)
		n.frac = 0;
	num_normalise(&n);
	return num_round(e, fmt, &n);
}

/* -- between formats -- */

/* The payload's top bits are kept (FPConvertNaN); the alternative half format has no NaN. */
static u64
convert_nan(struct fpenv *e, enum fpfmt to, enum fpfmt from, u64 a, const struct num *n)
{
	const struct fpform *f = &fpform[from], *t = &fpform[to];
	int up = t->fracbits - f->fracbits;
	u64 frac = a & form_fracmask(f);

	if (n->kind == NUM_SNAN)
		e->flags |= FPX_INVALID;
	if (t->noinf) {
		e->flags |= FPX_INVALID;
		return form_zero(t, n->sign);
	}
	if (e->nan == FPNAN_ARM_DN || e->nan == FPNAN_RISCV)
		return num_default(e, to);
	frac = up >= 0 ? frac << up : frac >> -up;
	return form_pack(t, n->sign, form_expmax(t), frac | form_quiet(t));
}

u64
fp_convert(struct fpenv *e, enum fpfmt to, enum fpfmt from, u64 a)
{
	u8 fz16 = e->fz16;

	if (e->ahp) {
		to = to == FMT_F16 ? FMT_AHP : to;
		from = from == FMT_F16 ? FMT_AHP : from;
	}
	e->fz16 = 0;                   /* FPUnpackCV, FPRoundCV: conversions ignore FZ16 */
	struct num n = num_take(e, from, a);
	u64 v;
	if (isnan_kind(&n)) {
		v = convert_nan(e, to, from, a, &n);
	} else if (n.kind == NUM_INF && fpform[to].noinf) {
		e->flags |= FPX_INVALID;
		v = form_pack(&fpform[to], n.sign, form_expmax(&fpform[to]), form_fracmask(&fpform[to]));
	} else if (n.kind == NUM_INF) {
		v = form_inf(&fpform[to], n.sign);
	} else {
		if (n.denorm && e->nan == FPNAN_X86 && from != FMT_F16)
			e->flags |= FPX_DENORM;
		v = num_round(e, to, &n);
	}
	e->fz16 = fz16;
	return v;
}
