/* SPDX-License-Identifier: MIT */
/* fphalf.c - arithmetic on half precision, by way of single precision (F16C)
 *
 * For one addition, multiplication, division or square root, rounding to 24 bits and then to 11 gives what
 * rounding once gives (24 >= 2 * 11 + 2), and the flags of the two steps together are those of
 * one.  Eight lanes are done four at a time.  A NaN in the single-precision result is the
 * evaluator's, and so are the modes that ARM has for F16 alone. */
#include "backend/x86_64/fpx.h"

static int
isready(const struct x86 *x, const struct ins *i)
{
	return !fp_mayround(x, i) && x86feat.f16c && x86feat.avx2 && x->r->fpnan == FPNAN_ARM && ty_lane(i->ty) == F16 &&
	    (!ty_isvec(i->ty) || isv128(i));
}

/* jump taken when cpu->fpmode & mask is not k */
static u8 *
unlessmode(struct x86 *x, int mask, int k, int g)
{
	struct code *c = &x->a;

	movzx_rm(c, 8, g, m_cpu(offsetof(struct cpu, fpmode)));
	alu_ri(c, A_AND, 32, g, mask);
	if (k)
		alu_ri(c, A_CMP, 32, g, k);
	return jcc_32(c, JNE);
}

/* t = the lanes 4h .. 4h + 3 of a, or its lowest alone */
static void
widen(struct code *c, int packed, int h, int t, int a)
{
	if (!packed)
		v3m(c, V_PAND, t, a, xv_const(0xffff, 0));
	else if (h)
		v2i(c, V_PSHUFD, t, a, 0xee);
	else
		vmov(c, t, a);
	v2(c, V_CVTPH2PS, t, t);
}

/* half h of d = t rounded; t is lost */
static void
narrow(struct code *c, int h, int d, int t)
{
	v2(c, V_CVTPS2PH, t, h ? t : d);
	put1(c, 4);                    /* by MXCSR */
	if (h)
		v3(c, V_PUNPCKLQDQ, d, d, t);
}

/* t = the operation on t (and u) in single precision */
static void
compute(struct code *c, const struct ins *i, int packed, int t, int u)
{
	switch (i->op) {
	case O_fadd: v3(c, vf_op(V_ADDPS, 32, packed), t, t, u); break;
	case O_fsub: v3(c, vf_op(V_SUBPS, 32, packed), t, t, u); break;
	case O_fmul: v3(c, vf_op(V_MULPS, 32, packed), t, t, u); break;
	case O_fdiv: v3(c, vf_op(V_DIVPS, 32, packed), t, t, u); break;
	case O_fsqrt: v2(c, V_SQRTPS, t, t); break;
	default: v2i(c, V_ROUNDPS, t, t, fp_roundimm(i->aux) | (i->aux & FP_EXACT ? 0 : 8));
	}
}

/* One or two operands: fadd fsub fmul fdiv fsqrt fround. */
int
ef_half(struct x86 *x, const struct ins *i)
{
	int packed = ty_isvec(i->ty), cold0 = x->ncold, g;
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (!isready(x, i) || (i->op == O_fround ? fp_roundimm(i->aux) < 0 : (i->aux & FP_RM) != RM_DYN))
		return 0;
	xf_save(x);
	r.a = xv_use(x, i->a);
	if (i->b)
		r.b = xv_use(x, i->b);
	r.t = xv_tmp(x);
	int u = xv_tmp(x);

	g = xr_tmp(x);
	r.d = xv_defx(x, (ref)x->i);
	fp_slow(x, unlessmode(x, FPM_FZ16 | FPM_AHP, 0, g), i, r);
	for (int h = 0; h <= packed; h++) {
		widen(c, packed, h, r.t, r.a);
		if (i->b)
			widen(c, packed, h, u, r.b);
		compute(c, i, packed, r.t, u);
		fp_slow(x, fp_unordered(x, VF32, r.t, r.t, u), i, r);
		narrow(c, h, r.d, r.t);
	}
	if (!packed)
		xv_zx(x, (ref)x->i);
	fp_back(x, cold0);
	return 1;
}

/* As in fp.c: NaNs are looked for first, and the two orders joined put the signs of zeros right. */
int
ef_halfminmax(struct x86 *x, const struct ins *i)
{
	int packed = ty_isvec(i->ty), cold0 = x->ncold, ismax = i->op == O_fmax;
	u32 op = ismax ? V_MAXPS : V_MINPS;
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (!isready(x, i))
		return 0;
	xf_save(x);
	r.a = xv_use(x, i->a);
	r.b = xv_use(x, i->b);
	r.t = xv_tmp(x);
	int u = xv_tmp(x), g = xr_tmp(x);
	struct mem kept = vstash(1);

	r.d = xv_defx(x, (ref)x->i);
	fp_slow(x, unlessmode(x, FPM_FZ16 | FPM_AHP, 0, g), i, r);
	for (int h = 0; h <= packed; h++) {
		widen(c, packed, h, r.t, r.a);
		widen(c, packed, h, u, r.b);
		v_rm(c, V_MOVAPS_ST, r.t, 0, kept, 0);
		v3i(c, V_CMPPS, r.t, r.t, u, 3);
		v2(c, V_PTEST, r.t, r.t);
		fp_slow(x, jcc_32(c, JNE), i, r);
		v3m(c, op, r.t, u, kept);
		v_rm(c, V_MOVAPS_ST, r.t, 0, vstash(2), 0);
		v2m(c, V_MOVAPS, r.t, kept);
		v3(c, op, r.t, r.t, u);
		v3m(c, ismax ? V_ANDPS : V_ORPS, r.t, r.t, vstash(2));
		narrow(c, h, r.d, r.t);
	}
	if (!packed)
		xv_zx(x, (ref)x->i);
	fp_back(x, cold0);
	return 1;
}

/* -- fused multiply-add --
 *
 * The product of two halves is exact in single precision, its sum with a third is not, and rounding it
 * to 24 bits first could go wrong.  It is rounded to odd instead (to zero, the last bit set if anything
 * was lost), which is as good as exact.  What was lost is found by Knuth's two-sum, which holds when rounding to
 * nearest: the other modes are the evaluator's, and so are infinities and NaNs.
 *   s = p + c; v = s - p; lost = (c - v) + (p - (s - v)) */

/* t = s rounded to odd, p in t and c in u on entry; jump taken when s is not finite */
static u8 *
sum_to_odd(struct code *c, int t, int u)
{
	struct mem p = vstash(1), add = vstash(2), s = vstash(3);
	u8 *outside;

	v_rm(c, V_MOVAPS_ST, t, 0, p, 0);
	v_rm(c, V_MOVAPS_ST, u, 0, add, 0);
	v3(c, V_ADDPS, t, t, u);
	v_rm(c, V_MOVAPS_ST, t, 0, s, 0);
	v3m(c, V_PAND, u, t, krep(0x7fffffff, 32));
	v3m(c, V_PCMPGTD, u, u, krep(0x7f7fffff, 32));
	v2(c, V_PTEST, u, u);
	outside = jcc_32(c, JNE);
	v3m(c, V_SUBPS, u, t, p);      /* v */
	v3(c, V_SUBPS, t, t, u);
	v3m(c, V_SUBPS, u, u, add);    /* -(c - v) */
	v3m(c, V_SUBPS, t, t, p);      /* -(p - (s - v)) */
	v3(c, V_ADDPS, u, u, t);       /* -lost */
	v3m(c, V_PXOR, t, u, s);       /* s and it of one sign: the sum lies between s and the number before */
	vshi(c, VSH_RA, 32, t, t, 31);
	v3m(c, V_PXOR, t, t, krep(~(u64)0, 64));
	v3m(c, V_PADDD, t, t, s);
	v3m(c, V_POR, t, t, krep(1, 32));
	v3mi(c, V_CMPPS, u, u, krep(0, 32), 4);        /* something was lost */
	v3m(c, V_PXOR, t, t, s);
	v3(c, V_PAND, t, t, u);
	v3m(c, V_PXOR, t, t, s);
	return outside;
}

int
ef_halffma(struct x86 *x, const struct ins *i)
{
	int packed = ty_isvec(i->ty), cold0 = x->ncold, g, u;
	struct mem sign = krep(0x80000000, 32), part = vstash(0);
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (!isready(x, i) || (i->aux & FP_RM) != RM_DYN)
		return 0;
	xf_save(x);
	g = xr_tmp(x);
	r.a = xv_use(x, i->a);
	r.b = xv_use(x, i->b);
	r.c = xv_use(x, i->c);
	r.t = xv_tmp(x);
	r.d = xv_defx(x, (ref)x->i);
	u = isvhi(r.d) ? xv_tmp(x) : r.d;      /* a high register is a home: a scratch register is left then */
	fp_slow(x, unlessmode(x, FPM_FZ16 | FPM_AHP | FPM_RM, RM_NE, g), i, r);
	for (int h = 0; h <= packed; h++) {
		widen(c, packed, h, r.t, r.a);
		widen(c, packed, h, u, r.b);
		v3(c, V_MULPS, r.t, r.t, u);
		if (i->aux & FP_NEGP)
			v3m(c, V_PXOR, r.t, r.t, sign);
		widen(c, packed, h, u, r.c);
		if (i->aux & FP_NEGA)
			v3m(c, V_PXOR, u, u, sign);
		fp_slow(x, sum_to_odd(c, r.t, u), i, r);
		v_rr(c, V_CVTPS2PH, r.t, 0, r.t);
		put1(c, 4);
		if (!h && packed)
			v_rm(c, V_MOVAPS_ST, r.t, 0, part, 0);
	}
	if (packed) {
		v2m(c, V_MOVAPS, u, part);
		v3(c, V_PUNPCKLQDQ, r.d, u, r.t);
	} else {
		vmov(c, r.d, r.t);
		if (!(i->aux & (FP_NEGP | FP_NEGA)))   /* else the other lanes are -0 */
			xv_zx(x, (ref)x->i);
	}
	fp_back(x, cold0);
	return 1;
}

/* -- comparison -- */

int
ef_halfcmp(struct x86 *x, const struct ins *i)
{
	int cold0 = x->ncold, signal = i->aux & FP_SIGNAL, g, u;
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (!isready(x, i))
		return 0;
	r.a = xv_use(x, i->a);
	r.b = xv_use(x, i->b);
	r.t = xv_tmp(x);
	u = xv_tmp(x);
	g = xr_tmp(x);
	fp_slow(x, unlessmode(x, FPM_FZ16 | FPM_AHP, 0, g), i, r);
	widen(c, 0, 0, r.t, r.a);
	widen(c, 0, 0, u, r.b);
	v2(c, V_UCOMISS, r.t, u);
	if (signal)
		fp_slow(x, jcc_32(c, JP), i, r);
	fp_back(x, cold0);
	xf_def(x, (ref)x->i, FLK_FCMP);
	return 1;
}

/* Signed saturation makes 16-bit masks of 32-bit ones. */
int
ef_halfvset(struct x86 *x, const struct ins *i)
{
	int packed = ty_isvec(i->ty), cold0 = x->ncold, imm = fp_predicate(i->v, 0), g, u;
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (!isready(x, i) || imm < 0)
		return 0;
	xf_save(x);
	r.a = xv_use(x, i->a);
	r.b = xv_use(x, i->b);
	r.t = xv_tmp(x);
	u = xv_tmp(x);
	g = xr_tmp(x);
	r.d = xv_defx(x, (ref)x->i);
	fp_slow(x, unlessmode(x, FPM_FZ16 | FPM_AHP, 0, g), i, r);
	for (int h = 0; h <= packed; h++) {
		widen(c, packed, h, r.t, r.a);
		widen(c, packed, h, u, r.b);
		if (i->aux & FP_SIGNAL) {
			v_rm(c, V_MOVAPS_ST, r.t, 0, vstash(1), 0);
			v3i(c, V_CMPPS, r.t, r.t, u, 3);
			v2(c, V_PTEST, r.t, r.t);
			fp_slow(x, jcc_32(c, JNE), i, r);
			v2m(c, V_MOVAPS, r.t, vstash(1));
		}
		v3i(c, V_CMPPS, r.t, r.t, u, imm);
		if (!h && packed)
			v_rm(c, V_MOVAPS_ST, r.t, 0, vstash(2), 0);
	}
	if (packed) {
		v2m(c, V_MOVAPS, u, vstash(2));
		v3(c, V_PACKSSDW, r.d, u, r.t);
	} else {
		v3m(c, V_PAND, r.d, r.t, xv_const(0xffff, 0));
		xv_zx(x, (ref)x->i);
	}
	fp_back(x, cold0);
	return 1;
}
