/* SPDX-License-Identifier: MIT */
/* evalfp.c - floating point of the interpreter: op and lane to base/fp.h */
#include "ir/eval.h"

static enum fpfmt
format(int ty)
{
	static const u8 of[] = { [F16] = FMT_F16, [F32] = FMT_F32, [F64] = FMT_F64 };

	return of[ty_lane(ty)];
}

static struct fpenv
enter(const struct eval *e, const struct ins *i)
{
	struct fpenv env = fp_env(e->cpu->fpmode, e->fpnan);

	if (i->aux & FP_RM)
		env.rm = i->aux & FP_RM;
	return env;
}

/* One lane of the operations whose operands and result have the same format. */
static u64
compute(struct fpenv *v, const struct ins *i, u64 a, u64 b, u64 c)
{
	enum fpfmt f = format(i->ty);
	int num = (i->aux & FP_NUM) != 0;

	switch (i->op) {
	case O_fadd: return fp_add(v, f, a, b);
	case O_fsub: return fp_sub(v, f, a, b);
	case O_fmul: return fp_mul(v, f, a, b);
	case O_fdiv: return fp_div(v, f, a, b);
	case O_fsqrt: return fp_sqrt(v, f, a);
	case O_fma: return fp_fma(v, f, a, b, c, i->aux & FP_NEGP, i->aux & FP_NEGA);
	case O_fmin: return fp_min(v, f, a, b, num);
	case O_fmax: return fp_max(v, f, a, b, num);
	case O_fround: return fp_rint(v, f, a, RM_DYN, i->aux & FP_EXACT);
	case O_frecpe: return fp_recpe(v, f, a);
	case O_frsqrte: return fp_rsqrte(v, f, a);
	case O_frecps: return fp_recps(v, f, a, b);
	case O_frsqrts: return fp_rsqrts(v, f, a, b);
	case O_fmulx: return fp_mulx(v, f, a, b);
	default: return fp_recpx(v, f, a);
	}
}

/* Lanes of the instruction's type that exist: one for a scalar. */
static int lanes(int ty) { return ty_isvec(ty) ? ty_nlanes(ty) : 1; }

static enum evalend
do_same(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = eval_arg(e, i->a), *b = eval_arg(e, i->b), *c = eval_arg(e, i->c);
	struct fpenv v = enter(e, i);
	int w = ty_lanebits(i->ty);

	out[0] = 0;
	for (int n = 0; n < lanes(i->ty); n++)
		eval_setlane(out, w, n, compute(&v, i, eval_lane(a, w, n), eval_lane(b, w, n), eval_lane(c, w, n)));
	e->cpu->fpflags |= v.flags;
	return EVAL_ON;
}

/* -- conversions: from lanes v to lanes of ty, as many as both have -- */

static u64
convert(struct fpenv *v, const struct ins *i, u64 a)
{
	int uns = (i->aux & FP_UNS) != 0, fbits = i->aux >> FP_FBITS;

	switch (i->op) {
	case O_fcvt:
		return fp_convert(v, format(i->ty), format(i->v), a);
	case O_fcvti:
		return fp_toint(v, format(i->v), a, RM_DYN, ty_lanebits(i->ty), uns, fbits, i->aux & FP_NANMAX);
	default:
		return fp_fromint(v, format(i->ty), a, ty_lanebits(i->v), uns, fbits);
	}
}

static enum evalend
do_convert(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = eval_arg(e, i->a);
	struct fpenv v = enter(e, i);
	int from = ty_lanebits(i->v), to = ty_lanebits(i->ty);
	int n = ty_isvec(i->ty) ? ty_bits(i->ty) / (from > to ? from : to) : 1;

	out[0] = 0;
	for (int k = 0; k < n; k++)
		eval_setlane(out, to, k, convert(&v, i, eval_lane(a, from, k)));
	e->cpu->fpflags |= v.flags;
	return EVAL_ON;
}

/* -- comparisons -- */

static int
holds(enum rel rel, enum fpcmp c)
{
	switch (rel) {
	case R_EQ: return c == FPC_EQ;
	case R_NE: return c != FPC_EQ;
	case R_LTS: return c == FPC_LT;
	case R_LES: return c == FPC_LT || c == FPC_EQ;
	case R_GTS: return c == FPC_GT;
	case R_GES: return c == FPC_GT || c == FPC_EQ;
	default: return c == FPC_UN;
	}
}

static enum fpcmp
compare(struct fpenv *v, const struct ins *i, u64 a, u64 b)
{
	return fp_cmp(v, format(i->ty), a, b, i->aux & FP_SIGNAL);
}

static enum evalend
do_compare(struct eval *e, const struct ins *i, u64 *out)
{
	static const u64 flags[] = {
		[FPC_LT] = FL_N, [FPC_EQ] = FL_Z | FL_C, [FPC_GT] = FL_C, [FPC_UN] = FL_C | FL_V,
	};
	int w = ty_lanebits(i->ty);
	struct fpenv v = enter(e, i);
	enum fpcmp c = compare(&v, i, eval_lane(eval_arg(e, i->a), w, 0), eval_lane(eval_arg(e, i->b), w, 0));

	out[0] = i->op == O_fcmp ? flags[c] : (u64)holds(i->v, c);
	if (i->op != O_fset || !(i->aux & FP_SILENT))
		e->cpu->fpflags |= v.flags;
	return EVAL_ON;
}

static enum evalend
do_masks(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = eval_arg(e, i->a), *b = eval_arg(e, i->b);
	int w = ty_lanebits(i->ty);
	struct fpenv v = enter(e, i);

	out[0] = 0;
	for (int n = 0; n < lanes(i->ty); n++) {
		enum fpcmp c = compare(&v, i, eval_lane(a, w, n), eval_lane(b, w, n));
		eval_setlane(out, w, n, holds(i->v, c) ? ~(u64)0 : 0);
	}
	e->cpu->fpflags |= v.flags;
	return EVAL_ON;
}

/* -- RISC-V's boxes (unprivileged ISA 12.2) and classes (11.9) -- */

static enum evalend
do_fbox(struct eval *e, const struct ins *i, u64 *out)
{
	int w = ty_lanebits(i->v);

	out[0] = eval_lane(eval_arg(e, i->a), w, 0) | (w < 64 ? ~(u64)0 << w : 0);
	return EVAL_ON;
}

static enum evalend
do_funbox(struct eval *e, const struct ins *i, u64 *out)
{
	int w = ty_lanebits(i->ty);
	u64 a = eval_arg(e, i->a)[0];

	out[0] = ~a >> w ? (w == 32 ? 0x7fc00000 : 0x7e00) : zext(a, w);
	return EVAL_ON;
}

static enum evalend
do_fclass(struct eval *e, const struct ins *i, u64 *out)
{
	enum { NEGINF, NEGNORMAL, NEGDENORMAL, NEGZERO, ZERO, DENORMAL, NORMAL, POSINF, SNAN, QNAN };
	int w = ty_lanebits(i->v), frac = w == 64 ? 52 : w == 32 ? 23 : 10;
	u64 a = eval_lane(eval_arg(e, i->a), w, 0);
	u64 sign = a >> (w - 1), exp = a >> frac & (((u64)1 << (w - 1 - frac)) - 1);
	u64 low = a & (((u64)1 << frac) - 1);
	int class;

	if (exp == ((u64)1 << (w - 1 - frac)) - 1)
		class = !low ? (sign ? NEGINF : POSINF) : low >> (frac - 1) ? QNAN : SNAN;
	else if (exp)
		class = sign ? NEGNORMAL : NORMAL;
	else
		class = low ? (sign ? NEGDENORMAL : DENORMAL) : sign ? NEGZERO : ZERO;
	out[0] = (u64)1 << class;
	return EVAL_ON;
}

eval_fn *const eval_fp[O_COUNT] = {
	[O_fadd] = do_same, [O_fsub] = do_same, [O_fmul] = do_same, [O_fdiv] = do_same,
	[O_fsqrt] = do_same, [O_fma] = do_same, [O_fmin] = do_same, [O_fmax] = do_same,
	[O_fround] = do_same, [O_frecpe] = do_same, [O_frsqrte] = do_same, [O_frecps] = do_same,
	[O_frsqrts] = do_same, [O_fmulx] = do_same, [O_frecpx] = do_same,
	[O_fcvt] = do_convert, [O_fcvti] = do_convert, [O_icvtf] = do_convert,
	[O_fcmp] = do_compare, [O_fset] = do_compare, [O_fvset] = do_masks,
	[O_fbox] = do_fbox, [O_funbox] = do_funbox, [O_fclass] = do_fclass,
};
