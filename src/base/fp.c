/* SPDX-License-Identifier: MIT */
/* fp.c - software floating point: taking apart, rounding, NaNs, arithmetic, comparison */
#include "base/fpnum.h"

_Atomic u8 fp_seen;

const struct fpform fpform[FMT_COUNT] = {
	[FMT_F16]  = { 16,  5, 10, 0 },
	[FMT_F32]  = { 32,  8, 23, 0 },
	[FMT_F64]  = { 64, 11, 52, 0 },
	[FMT_BF16] = { 16,  8,  7, 0 },
	[FMT_AHP]  = { 16,  5, 10, 1 },
};

struct fpenv
fp_env(u32 fpmode, enum fpnan nan)
{
	int isarm = nan == FPNAN_ARM || nan == FPNAN_ARM_DN;
	struct fpenv e = {
		.rm = fpmode & FPM_RM,
		.nan = isarm && fpmode & FPM_DN ? FPNAN_ARM_DN : nan,
		.tinyafter = !isarm,
		.fzin = (fpmode & FPM_FZ) != 0, .fzout = (fpmode & FPM_FZ) != 0,
		.fz16 = (fpmode & FPM_FZ16) != 0,
		.ahp = (fpmode & FPM_AHP) != 0,
	};
	if (e.rm == RM_DYN)
		e.rm = RM_NE;
	return e;
}

/* -- taking apart -- */

/* A denormal operand is flushed or not.  ARM tells about flushing (FPUnpack, InputDenorm) but not
 * for half precision; x86 tells about denormals it keeps (SDM 4.9.1.2), see denormal_seen(). */
static int
flush_operand(struct fpenv *e, const struct fpform *f)
{
	if (f->width == 16 && f->expbits == 5)
		return e->fz16 && !f->noinf;
	if (!e->fzin)
		return 0;
	if (e->nan != FPNAN_X86)
		e->flags |= FPX_DENORM;
	return 1;
}

struct num
num_take(struct fpenv *e, enum fpfmt fmt, u64 a)
{
	const struct fpform *f = &fpform[fmt];
	u64 exp = a >> f->fracbits & form_expmax(f), frac = a & form_fracmask(f);
	struct num n = { .sign = a >> (f->width - 1) & 1 };

	if (exp == form_expmax(f) && !f->noinf) {
		n.kind = !frac ? NUM_INF : frac & form_quiet(f) ? NUM_QNAN : NUM_SNAN;
	} else if (exp == 0) {
		if (frac == 0 || flush_operand(e, f))
			return n;
		n.exp = 1 - form_bias(f);
		n.frac = (u128)frac << (NUM_TOP - f->fracbits);
		num_normalise(&n);
		n.denorm = 1;
	} else {
		n.kind = NUM_FINITE;
		n.exp = (int)exp - form_bias(f);
		n.frac = (u128)(frac | (u64)1 << f->fracbits) << (NUM_TOP - f->fracbits);
	}
	return n;
}

void
num_normalise(struct num *n)
{
	if (n->frac == 0) {
		n->kind = NUM_ZERO;
		return;
	}
	int z = clz128(n->frac);
	n->kind = NUM_FINITE;
	if (z == 0)
		n->frac = jam(n->frac, 1);
	else
		n->frac <<= z - 1;
	n->exp -= z - 1;
}

/* SDM 4.9.1.2: x86 tells about a denormal operand that it uses, which it does not when another
 * operand makes the operation invalid or is a NaN. */
static void
denormal_seen(struct fpenv *e, int denorm)
{
	if (denorm && e->nan == FPNAN_X86)
		e->flags |= FPX_DENORM;
}

/* -- rounding -- */

int
num_increment(enum fprm rm, int sign, int odd, u128 rest, int n)
{
	u128 half = (u128)1 << (n - 1);

	switch (rm) {
	case RM_NE: return rest > half || (rest == half && odd);
	case RM_NA: return rest >= half;
	case RM_UP: return rest && !sign;
	case RM_DN: return rest && sign;
	case RM_ODD: return rest && !odd;
	default: return 0;
	}
}

static u64
overflow(struct fpenv *e, const struct fpform *f, int sign)
{
	int toinf = e->rm == RM_NE || e->rm == RM_NA || e->rm == (sign ? RM_DN : RM_UP);

	if (f->noinf) {                /* FPRoundBase: the alternative format saturates to all ones */
		e->flags |= FPX_INVALID;
		return form_pack(f, sign, form_expmax(f), form_fracmask(f));
	}
	e->flags |= FPX_OVERFLOW | FPX_INEXACT;
	return toinf ? form_inf(f, sign) : form_max(f, sign);
}

/* frac rounded to multiples of 2^n; a carry may make it 2^127. */
static u128
round_frac(struct fpenv *e, int sign, u128 frac, int n)
{
	u128 rest = frac & (((u128)1 << n) - 1);

	frac = frac >> n;
	frac += (u128)num_increment(e->rm, sign, frac & 1, rest, n);
	return frac << n;
}

static int
flush_result(const struct fpenv *e, const struct fpform *f)
{
	if (f->width == 16 && f->expbits == 5)
		return e->fz16 && !f->noinf;
	return e->fzout;
}

u64
num_round(struct fpenv *e, enum fpfmt fmt, const struct num *num)
{
	const struct fpform *f = &fpform[fmt];
	int drop = NUM_TOP - f->fracbits, minexp = 1 - form_bias(f), exp = num->exp;
	int maxexp = (int)form_expmax(f) - !f->noinf - form_bias(f);
	u128 frac = num->frac;

	if (num->kind == NUM_ZERO)
		return form_zero(f, num->sign);
	int tiny = exp < minexp;
	if (tiny && e->tinyafter)      /* as if the exponent had no limit */
		tiny = exp < minexp - 1 || round_frac(e, num->sign, frac, drop) >> (NUM_TOP + 1) == 0;
	if (tiny && flush_result(e, f)) {
		e->flags |= FPX_UNDERFLOW | (e->nan == FPNAN_X86 ? FPX_INEXACT : 0);
		return form_zero(f, num->sign);
	}
	if (exp < minexp) {
		frac = jam(frac, minexp - exp);
		exp = minexp;
	}
	int inexact = (frac & (((u128)1 << drop) - 1)) != 0;
	frac = round_frac(e, num->sign, frac, drop);
	if (frac >> (NUM_TOP + 1)) {
		frac >>= 1;
		exp++;
	}
	if (exp > maxexp)
		return overflow(e, f, num->sign);
	if (inexact)
		e->flags |= FPX_INEXACT | (tiny ? FPX_UNDERFLOW : 0);
	u64 biased = frac >> NUM_TOP ? (u64)(exp + form_bias(f)) : 0;
	return form_pack(f, num->sign, biased, (u64)(frac >> drop) & form_fracmask(f));
}

/* -- NaNs -- */

u64
num_default(const struct fpenv *e, enum fpfmt fmt)
{
	const struct fpform *f = &fpform[fmt];

	return form_pack(f, e->nan == FPNAN_X86, form_expmax(f), form_quiet(f));
}

u64
num_invalid(struct fpenv *e, enum fpfmt fmt)
{
	e->flags |= FPX_INVALID;
	return num_default(e, fmt);
}

static u64
quieted(const struct fpenv *e, enum fpfmt fmt, u64 a)
{
	if (e->nan == FPNAN_ARM_DN || e->nan == FPNAN_RISCV)
		return num_default(e, fmt);
	return a | form_quiet(&fpform[fmt]);
}

u64
num_nan1(struct fpenv *e, enum fpfmt fmt, u64 a)
{
	if (!(a & form_quiet(&fpform[fmt])))
		e->flags |= FPX_INVALID;
	return quieted(e, fmt, a);
}

/* The operands in the order of their claim.  ARM: any signalling NaN goes before any quiet one
 * (FPProcessNaNs); x86: order alone counts (SDM table 4-7, SSE column). */
static u64
choose_nan(struct fpenv *e, enum fpfmt fmt, int n, const u64 *a, const struct num *const *v)
{
	int pick = -1, signals = -1;

	for (int i = n - 1; i >= 0; i--) {
		if (isnan_kind(v[i]))
			pick = i;
		if (v[i]->kind == NUM_SNAN)
			signals = i;
	}
	if (signals >= 0) {
		e->flags |= FPX_INVALID;
		if (e->nan != FPNAN_X86)
			pick = signals;
	}
	return quieted(e, fmt, a[pick]);
}

u64
num_nan2(struct fpenv *e, enum fpfmt fmt, u64 a, const struct num *x, u64 b, const struct num *y)
{
	return choose_nan(e, fmt, 2, (u64[]){ a, b }, (const struct num *const[]){ x, y });
}

/* -- exact arithmetic on parts -- */

struct num
num_mul(const struct num *x, const struct num *y)
{
	struct num n = { .sign = x->sign ^ y->sign, .exp = x->exp + y->exp };

	if (x->kind == NUM_ZERO || y->kind == NUM_ZERO)
		return n;
	/* two numbers below 2^63, at bit 62: the product has its top at bit 124 or 125 */
	n.frac = (u128)(u64)(x->frac >> 64) * (u64)(y->frac >> 64) << 2;
	num_normalise(&n);
	return n;
}

struct num
num_add(enum fprm rm, const struct num *x, const struct num *y)
{
	if (y->kind == NUM_ZERO || x->kind == NUM_ZERO) {
		struct num n = y->kind == NUM_ZERO ? *x : *y;
		if (n.kind == NUM_ZERO && x->sign != y->sign)
			n.sign = rm == RM_DN;
		return n;
	}
	if (x->exp < y->exp || (x->exp == y->exp && x->frac < y->frac)) {
		const struct num *t = x;
		x = y;
		y = t;
	}
	struct num n = *x;
	u128 small = jam(y->frac, x->exp - y->exp);
	if (x->sign == y->sign)
		n.frac += small;
	else
		n.frac -= small;
	num_normalise(&n);
	if (n.kind == NUM_ZERO)
		n.sign = rm == RM_DN;
	return n;
}

/* -- arithmetic -- */

static u64
addsub(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b, int sub)
{
	struct num x = num_take(e, fmt, a), y = num_take(e, fmt, b);

	if (isnan_kind(&x) || isnan_kind(&y))
		return num_nan2(e, fmt, a, &x, b, &y);
	y.sign ^= sub;
	if (x.kind == NUM_INF && y.kind == NUM_INF && x.sign != y.sign)
		return num_invalid(e, fmt);
	denormal_seen(e, x.denorm | y.denorm);
	if (x.kind == NUM_INF || y.kind == NUM_INF)
		return form_inf(&fpform[fmt], x.kind == NUM_INF ? x.sign : y.sign);
	struct num n = num_add(e->rm, &x, &y);
	return num_round(e, fmt, &n);
}

u64 fp_add(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b) { return addsub(e, fmt, a, b, 0); }
u64 fp_sub(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b) { return addsub(e, fmt, a, b, 1); }

u64
fp_mul(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b)
{
	struct num x = num_take(e, fmt, a), y = num_take(e, fmt, b);

	if (isnan_kind(&x) || isnan_kind(&y))
		return num_nan2(e, fmt, a, &x, b, &y);
	if ((x.kind == NUM_INF && y.kind == NUM_ZERO) || (x.kind == NUM_ZERO && y.kind == NUM_INF))
		return num_invalid(e, fmt);
	denormal_seen(e, x.denorm | y.denorm);
	if (x.kind == NUM_INF || y.kind == NUM_INF)
		return form_inf(&fpform[fmt], x.sign ^ y.sign);
	struct num n = num_mul(&x, &y);
	return num_round(e, fmt, &n);
}

u64
fp_div(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b)
{
	const struct fpform *f = &fpform[fmt];
	struct num x = num_take(e, fmt, a), y = num_take(e, fmt, b);
	int sign = x.sign ^ y.sign;

	if (isnan_kind(&x) || isnan_kind(&y))
		return num_nan2(e, fmt, a, &x, b, &y);
	if (x.kind == y.kind && x.kind != NUM_FINITE)
		return num_invalid(e, fmt);
	if (x.kind == NUM_INF || y.kind == NUM_ZERO) {
		if (x.kind != NUM_INF)
			e->flags |= FPX_DIVZERO;
		else
			denormal_seen(e, y.denorm);
		return form_inf(f, sign);
	}
	denormal_seen(e, x.denorm | y.denorm);
	if (y.kind == NUM_INF || x.kind == NUM_ZERO)
		return form_zero(f, sign);
	u64 d = (u64)(y.frac >> 63);
	u128 q = x.frac / d, rest = x.frac % d;        /* 2^62 < q < 2^64 */
	struct num n = { .sign = sign, .exp = x.exp - y.exp, .frac = q << 63 | (rest != 0) };
	num_normalise(&n);
	return num_round(e, fmt, &n);
}

/* The integer square root of v, bit by bit; *exact says whether nothing was left. */
static u64
root(u128 v, int *exact)
{
	u128 r = 0;

	for (int i = 63; i >= 0; i--) {
		u128 t = r | (u128)1 << i;
		if (t * t <= v)
			r = t;
	}
	*exact = r * r == v;
	return (u64)r;
}

u64
fp_sqrt(struct fpenv *e, enum fpfmt fmt, u64 a)
{
	struct num x = num_take(e, fmt, a);
	int exact;

	if (isnan_kind(&x))
		return num_nan1(e, fmt, a);
	if (x.kind != NUM_ZERO && x.sign)
		return num_invalid(e, fmt);
	denormal_seen(e, x.denorm);
	if (x.kind == NUM_ZERO || x.kind == NUM_INF)
		return x.kind == NUM_INF ? form_inf(&fpform[fmt], 0) : form_zero(&fpform[fmt], x.sign);
	/* exp even: frac/2^126 has the root sqrt(frac)/2^63 */
	u128 v = x.exp & 1 ? x.frac << 1 : x.frac;
	struct num n = { .exp = (x.exp - (x.exp & 1)) / 2, .frac = (u128)root(v, &exact) << 63 };
	n.frac |= !exact;
	num_normalise(&n);
	return num_round(e, fmt, &n);
}

/* Any operand is a NaN, or the product is invalid (inf * 0). */
static u64
fma_nan(struct fpenv *e, enum fpfmt fmt, const u64 *a, const struct num *x, int badproduct)
{
	u64 bits[3] = { a[0], a[1], a[2] };
	const struct num *v[3] = { &x[0], &x[1], &x[2] };

	if (!isnan_kind(&x[0]) && !isnan_kind(&x[1]) && !isnan_kind(&x[2]))
		return num_invalid(e, fmt);
	if (e->nan == FPNAN_X86)
		return choose_nan(e, fmt, 3, bits, v);
	/* FPMulAdd: the addend claims first, but inf * 0 + quiet NaN is invalid and gives the default */
	if (badproduct && x[2].kind == NUM_QNAN)
		return num_invalid(e, fmt);
	bits[0] = a[2], bits[1] = a[0], bits[2] = a[1];
	v[0] = &x[2], v[1] = &x[0], v[2] = &x[1];
	return choose_nan(e, fmt, 3, bits, v);
}

u64
fp_fma(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b, u64 c, int negproduct, int negaddend)
{
	int keepnan = e->nan == FPNAN_X86;     /* ARM negates operands, NaNs and all; x86 the values */
	u64 op[3] = { a, b, c };
	struct num x[3];

	if (!keepnan) {
		op[0] ^= negproduct ? fp_sign(fmt) : 0;
		op[2] ^= negaddend ? fp_sign(fmt) : 0;
	}
	for (int i = 0; i < 3; i++)
		x[i] = num_take(e, fmt, op[i]);
	if (keepnan) {
		x[0].sign ^= negproduct != 0;
		x[2].sign ^= negaddend != 0;
	}
	int badproduct = (x[0].kind == NUM_INF && x[1].kind == NUM_ZERO)
	              || (x[0].kind == NUM_ZERO && x[1].kind == NUM_INF);
	if (badproduct || isnan_kind(&x[0]) || isnan_kind(&x[1]) || isnan_kind(&x[2]))
		return fma_nan(e, fmt, op, x, badproduct);
	int infproduct = x[0].kind == NUM_INF || x[1].kind == NUM_INF, sign = x[0].sign ^ x[1].sign;
	if (infproduct && x[2].kind == NUM_INF && x[2].sign != sign)
		return num_invalid(e, fmt);
	denormal_seen(e, x[0].denorm | x[1].denorm | x[2].denorm);
	if (infproduct || x[2].kind == NUM_INF)
		return form_inf(&fpform[fmt], infproduct ? sign : x[2].sign);
	struct num p = num_mul(&x[0], &x[1]), n = num_add(e->rm, &p, &x[2]);
	return num_round(e, fmt, &n);
}

/* -- comparison -- */

static enum fpcmp
order(const struct num *x, const struct num *y)
{
	if (x->kind == NUM_ZERO && y->kind == NUM_ZERO)
		return FPC_EQ;
	int xneg = x->sign && x->kind != NUM_ZERO, yneg = y->sign && y->kind != NUM_ZERO;
	if (xneg != yneg)
		return xneg ? FPC_LT : FPC_GT;
	int less;
	if (x->kind != y->kind)
		less = x->kind < y->kind;      /* zero < finite < inf */
	else if (x->kind == NUM_INF || (x->exp == y->exp && x->frac == y->frac))
		return FPC_EQ;
	else
		less = x->exp != y->exp ? x->exp < y->exp : x->frac < y->frac;
	return less != xneg ? FPC_LT : FPC_GT;
}

enum fpcmp
fp_cmp(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b, int signal)
{
	struct num x = num_take(e, fmt, a), y = num_take(e, fmt, b);

	if (isnan_kind(&x) || isnan_kind(&y)) {
		if (signal || x.kind == NUM_SNAN || y.kind == NUM_SNAN)
			e->flags |= FPX_INVALID;
		return FPC_UN;
	}
	denormal_seen(e, x.denorm | y.denorm);
	return order(&x, &y);
}

/* Which operand minnum and maxnum give when one is a NaN: 0 or 1; -1 if the result is a NaN. */
static int
lone_number(const struct fpenv *e, const struct num *x, const struct num *y)
{
	enum numkind least = e->nan == FPNAN_RISCV ? NUM_SNAN : NUM_QNAN;

	if (isnan_kind(x) && isnan_kind(y))
		return -1;
	if (isnan_kind(x))
		return x->kind <= least ? 1 : -1;
	return y->kind <= least ? 0 : -1;
}

static u64
minmax(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b, int num, int wantmax)
{
	const struct fpform *f = &fpform[fmt];
	struct num x = num_take(e, fmt, a), y = num_take(e, fmt, b);
	int hasnan = isnan_kind(&x) || isnan_kind(&y);

	if (e->nan == FPNAN_X86 && !num) {     /* SDM MINPS: the second operand unless strictly less */
		if (hasnan)
			e->flags |= FPX_INVALID;
		else
			denormal_seen(e, x.denorm | y.denorm);
		if (y.kind == NUM_ZERO)
			b = form_zero(f, y.sign);
		int first = !hasnan && order(&x, &y) == (wantmax ? FPC_GT : FPC_LT);
		return !first ? b : x.kind == NUM_ZERO ? form_zero(f, x.sign) : a;
	}
	int pick = -1;
	if (hasnan && num)
		pick = lone_number(e, &x, &y);
	if (hasnan && pick < 0)
		return num_nan2(e, fmt, a, &x, b, &y);
	if (x.kind == NUM_SNAN || y.kind == NUM_SNAN)
		e->flags |= FPX_INVALID;
	if (!hasnan) {
		enum fpcmp o = order(&x, &y);
		if (o == FPC_EQ)               /* zeros of different sign: -0 is less */
			pick = wantmax ? x.sign : !x.sign;
		else
			pick = (o == FPC_LT) == wantmax;
	}
	const struct num *n = pick ? &y : &x;
	return n->kind == NUM_ZERO ? form_zero(f, n->sign) : pick ? b : a;
}

u64 fp_min(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b, int num) { return minmax(e, fmt, a, b, num, 0); }
u64 fp_max(struct fpenv *e, enum fpfmt fmt, u64 a, u64 b, int num) { return minmax(e, fmt, a, b, num, 1); }
