/* SPDX-License-Identifier: MIT */
/* fpint.c - conversions between floating point and integers
 *
 * To integers.  x86 gives the "integer indefinite" for whatever does not fit, raising invalid only;
 * finding that value in the result sends the instruction to the evaluator, which saturates.  Vectors are
 * looked at before.  A static rounding mode rounds first, keeping inexact down, and raises it
 * afterwards, when it is known that nothing is invalid.  With AVX-512 the conversion itself
 * suppresses exceptions, so that values out of range cost no trap, and an unsuppressed instruction
 * follows for inexact. */
#include "backend/x86_64/fpx.h"

/* 2^n as a number of 32 or 64 bits */
static u64
power(int bits, int n)
{
	return bits == 64 ? (u64)(1023 + n) << 52 : (u64)(127 + n) << 23;
}

/* -- scalar to integer -- */

struct toint {
	int from, to, uns, rm, fbits;
	int a;                         /* the number, in format `from` */
	int s, t, u;                   /* scratch: scaled, rounded, one more; -1 when not wanted */
	int d;                         /* general register */
};

static u32
cvt_op(const struct toint *q, int truncate, int to, int uns)
{
	u32 w = to == 64 ? (u32)OPW : 0;

	if (uns)
		return w | (q->from == 64 ? (truncate ? V_CVTTSD2USI : V_CVTSD2USI) : (truncate ? V_CVTTSS2USI : V_CVTSS2USI));
	return w | (q->from == 64 ? (truncate ? V_CVTTSD2SI : V_CVTSD2SI) : (truncate ? V_CVTTSS2SI : V_CVTSS2SI));
}

/* t = the number rounded as the instruction says; quiet: without raising inexact */
static void
round_scalar(struct code *c, const struct toint *q, int quiet)
{
	int imm = q->rm == RM_NA ? 3 : fp_roundimm(q->rm);

	if (q->rm == RM_NA && quiet)
		fp_away(c, q->from, 0, q->t, q->a, q->u, q->s);
	else
		v3i(c, q->from == 64 ? V_ROUNDSD : V_ROUNDSS, q->t, q->a, q->a, imm | (quiet ? 8 : 0));
}

/* Multiplies by 2^fbits as F64: exactly, once the number is known to be small. */
static void
scale(struct x86 *x, const struct ins *i, struct toint *q, struct fpregs r)
{
	struct code *c = &x->a;

	if (q->from == 32) {
		v3(c, V_CVTSS2SD, q->s, q->a, q->a);
	} else {
		v3m(c, V_PAND, q->s, q->a, xv_const(~((u64)1 << 63), 0));
		v2m(c, vf_cmp(V_UCOMISS, 64), q->s, krep(power(64, 100), 64));
		fp_slow(x, jcc_32(c, JAE), i, r);
		vmov(c, q->s, q->a);
	}
	v3m(c, vf_op(V_MULPS, 64, 0), q->s, q->s, krep(power(64, q->fbits), 64));
	q->from = 64;
	q->a = q->s;
}

/* Where invalid operations trap and the conversion cannot suppress that: only numbers below 2^(to - 1) in
 * magnitude go on.  s: scratch */
static void
precheck(struct x86 *x, const struct ins *i, const struct toint *q, struct fpregs r)
{
	u64 magnitude = ((u64)1 << (q->from - 1)) - 1;
	struct code *c = &x->a;

	v3m(c, V_PAND, q->s, q->a, xv_const(magnitude, 0));
	v2m(c, q->from == 64 ? V_MOVSD : V_MOVSS, q->u, krep(power(q->from, q->to - 1), q->from));
	v2(c, vf_cmp(V_UCOMISS, q->from), q->u, q->s);
	fp_slow(x, jcc_32(c, JBE), i, r);
}

/* signed, and unsigned with AVX-512: convert, then look for the indefinite value */
static void
convert_checked(struct x86 *x, const struct ins *i, const struct toint *q, struct fpregs r)
{
	static const s8 rc[] = {[RM_NE] = 0, [RM_DN] = 1, [RM_UP] = 2, [RM_Z] = 3};
	int sae = x86feat.avx512 && q->rm != RM_DYN && q->rm != RM_NA;
	struct code *c = &x->a;

	if (sae) {
		ver_rr(c, cvt_op(q, q->rm == RM_Z, q->to, q->uns), q->d, 0, q->a, rc[q->rm]);
	} else if (q->rm == RM_DYN || q->rm == RM_Z) {
		v2(c, cvt_op(q, q->rm == RM_Z, q->to, q->uns), q->d, q->a);
	} else {
		round_scalar(c, q, 1);
		v2(c, cvt_op(q, 1, q->to, q->uns), q->d, q->t);
	}
	alu_ri(c, A_CMP, q->to, q->d, q->uns ? -1 : 1);
	fp_slow(x, jcc_32(c, q->uns ? JE : JO), i, r);
	if (q->rm == RM_Z && sae)      /* for inexact */
		v2(c, cvt_op(q, 1, q->to, q->uns), q->d, q->a);
	else if (q->rm != RM_DYN && q->rm != RM_Z)
		round_scalar(c, q, 0);
}

/* unsigned without AVX-512: only -1 < number < 2^to (2^63) is converted, as a signed one of 64 bits */
static void
convert_ranged(struct x86 *x, const struct ins *i, const struct toint *q, struct fpregs r)
{
	u32 cmp = vf_cmp(V_UCOMISS, q->from);
	u64 minusone = (u64)1 << (q->from - 1) | power(q->from, 0);
	int s = q->rm == RM_Z ? q->a : q->t;
	struct code *c = &x->a;

	if (q->rm != RM_Z)
		round_scalar(c, q, 1);
	v2m(c, cmp, s, krep(minusone, q->from));
	fp_slow(x, jcc_32(c, JBE), i, r);
	v2m(c, cmp, s, krep(power(q->from, q->to == 64 ? 63 : 32), q->from));
	fp_slow(x, jcc_32(c, JAE), i, r);
	v2(c, cvt_op(q, 1, 64, 0), q->d, s);
	if (q->rm != RM_Z)
		round_scalar(c, q, 0);
}

static int
toint_scalar(struct x86 *x, const struct ins *i)
{
	struct toint q = {.from = ty_lanebits(i->v), .to = ty_bits(i->ty), .uns = (i->aux & FP_UNS) != 0,
	    .rm = i->aux & FP_RM, .fbits = i->aux >> FP_FBITS};
	struct fpregs r = noregs();
	int cold0 = x->ncold, check = fp_rule(x) == NAN_TRAP && !q.uns && (!x86feat.avx512 || q.rm == RM_DYN) && !q.fbits &&
	    q.rm != RM_NA;

	if ((i->ty != I32 && i->ty != I64) || (i->v != F32 && i->v != F64) || q.rm == RM_ODD || q.rm > RM_ODD ||
	    (q.rm == RM_NA && q.fbits))
		return 0;
	q.a = r.a = xv_use(x, i->a);
	q.s = q.fbits || q.rm == RM_NA || check ? xv_tmp(x) : -1;
	q.t = q.rm != RM_Z && q.rm != RM_DYN ? xv_tmp(x) : q.uns && q.rm == RM_DYN ? xv_tmp(x) : -1;
	q.u = q.rm == RM_NA || check ? xv_tmp(x) : -1;
	q.d = r.d = xr_def(x, (ref)x->i);
	if (q.fbits)
		scale(x, i, &q, r);
	if (check)
		precheck(x, i, &q, r);
	if (q.rm == RM_NA)
		fp_slow(x, fp_nofraction(&x->a, q.from, 0, q.a, q.t), i, r);
	if (q.uns && !x86feat.avx512)
		convert_ranged(x, i, &q, r);
	else
		convert_checked(x, i, &q, r);
	fp_back(x, cold0);
	return 1;
}

/* -- lanes to integers of their width -- */

static u32
lanes_op(int bits, int uns, int truncate)
{
	if (bits == 32)
		return uns ? (truncate ? V_CVTTPS2UDQ : V_CVTPS2UDQ) : (truncate ? V_CVTTPS2DQ : V_CVTPS2DQ);
	return uns ? (truncate ? V_CVTTPD2UQQ : V_CVTPD2UQQ) : (truncate ? V_CVTTPD2QQ : V_CVTPD2QQ);
}

/* Jump taken when a lane of s is not below 2^(bits - 1) in magnitude; unsigned: not in 0 .. 2^bits, without AVX-512
 * 0 .. 2^(bits - 1).  Seen from the numbers' bits, so that nothing is raised.  Such numbers are all the
 * invalid ones, and none that is left rounds up to one.  t: scratch */
static u8 *
outofrange(struct code *c, int bits, int uns, int s, int t)
{
	u64 top = (u64)1 << (bits - 1);
	struct mem limit = krep(power(bits, uns && x86feat.avx512 ? bits : bits - 1) - 1, bits);

	if (!uns) {
		v3m(c, V_PAND, t, s, krep(~top, bits));
		s = t;
	}
	if (x86feat.avx512) {          /* unsigned comparison, greater than */
		v_rm(c, bits == 64 ? VK_CMPUQ : VK_CMPUD, 2, s, limit, 1);
		put1(c, 6);
		k_ortest(c, 2, 2);
		return jcc_32(c, JNE);
	}
	v3m(c, bits == 64 ? V_PCMPGTQ : V_PCMPGTD, t, s, limit);
	if (uns)
		v3(c, V_POR, t, t, s);
	v2m(c, V_PTEST, t, krep(top, bits));
	return jcc_32(c, JNE);
}

/* d = s converted; t: scratch.  Without AVX-512 numbers are in range of the signed conversion, 64-bit
 * lanes go through the general register g. */
static void
convert_lanes(struct code *c, int bits, int uns, int truncate, int d, int s, int t, int g)
{
	if (bits == 32 || x86feat.avx512) {
		v2(c, lanes_op(bits, uns && x86feat.avx512, truncate), d, s);
		return;
	}
	u32 op = (truncate ? V_CVTTSD2SI : V_CVTSD2SI) | OPW;

	v2i(c, V_PSHUFD, t, s, 0xee);
	v2(c, op, g, s);
	v2(c, V_MOVQ, d, g);
	v2(c, op, g, t);
	v3g(c, V_PINSRQ, d, d, g);
	put1(c, 1);
}

static int
toint_lanes(struct x86 *x, const struct ins *i)
{
	int bits = ty_lanebits(i->ty), uns = (i->aux & FP_UNS) != 0, rm = i->aux & FP_RM, fbits = i->aux >> FP_FBITS;
	int imm = fp_roundimm(rm), cold0 = x->ncold, isround = rm != RM_DYN && rm != RM_Z, s, g;
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (ty_lanebits(i->v) != bits || bits < 32 || imm < 0)
		return 0;
	s = r.a = xv_use(x, i->a);
	r.t = xv_tmp(x);
	if (fbits)
		s = xv_tmp(x);
	int u = xv_tmp(x);

	g = xr_tmp(x);
	r.d = xv_defx(x, (ref)x->i);
	if (fbits) {                   /* so large that scaling might overflow: slow */
		fp_slow(x, outofrange(c, bits, 0, r.a, r.t), i, r);
		v3m(c, vf_op(V_MULPS, bits, 1), s, r.a, krep(power(bits, fbits), bits));
	}
	fp_slow(x, outofrange(c, bits, uns, s, r.t), i, r);
	if (isround)
		v2i(c, bits == 64 ? V_ROUNDPD : V_ROUNDPS, r.t, s, imm | 8);
	convert_lanes(c, bits, uns, rm != RM_DYN, r.d, isround ? r.t : s, u, g);
	if (isround)
		v2i(c, bits == 64 ? V_ROUNDPD : V_ROUNDPS, r.t, s, imm);
	fp_back(x, cold0);
	return 1;
}

int
ef_toint(struct x86 *x, const struct ins *i)
{
	if (!ty_isvec(i->ty))
		return toint_scalar(x, i);
	return isv128(i) ? toint_lanes(x, i) : 0;
}

/* -- integers to floating point -- */

static int
fromint_scalar(struct x86 *x, const struct ins *i)
{
	int bits = ty_bits(i->ty), w = ty_lanebits(i->v), uns = (i->aux & FP_UNS) != 0, fbits = i->aux >> FP_FBITS;
	int cold0 = x->ncold, g;
	u32 op = bits == 64 ? V_CVTSI2SD : V_CVTSI2SS;
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if ((i->v != I32 && i->v != I64) || (i->ty != F32 && i->ty != F64))
		return 0;
	if (i->aux & FP_RM || (uns && w == 64 && !x86feat.avx512))
		xf_save(x);
	g = r.a = xr_use(x, i->a, w);
	if (uns && w == 32) {          /* as a signed number of 64 bits */
		g = xr_tmp(x);
		mov_rr(c, 32, g, r.a);
		w = 64;
	} else if (uns && x86feat.avx512) {
		op = bits == 64 ? V_CVTUSI2SD : V_CVTUSI2SS;
	}
	r.d = xv_def(x, (ref)x->i);
	fp_rmguard(x, i, r);
	if (uns && w == 64 && g == r.a && !x86feat.avx512) {
		test_rr(c, 64, g, g);
		fp_slow(x, jcc_32(c, JS), i, r);
	}
	vzero(c, r.d);
	v3g(c, op | (w == 64 ? (u32)OPW : 0), r.d, r.d, g);
	if (fbits)
		v3m(c, vf_op(V_MULPS, bits, 0), r.d, r.d, krep(power(bits, -fbits), bits));
	xv_zx(x, (ref)x->i);
	fp_back(x, cold0);
	return 1;
}

/* 64-bit lanes without AVX-512, through general registers; the result is in d, which is not a */
static void
lanes64(struct code *c, int d, int a, int g, int t)
{
	v2(c, V_MOVQ_ST, a, g);
	vzero(c, d);
	v3g(c, V_CVTSI2SD | OPW, d, d, g);
	v2i(c, V_PEXTRQ, a, g, 1);
	vzero(c, t);
	v3g(c, V_CVTSI2SD | OPW, t, t, g);
	v3(c, V_PUNPCKLQDQ, d, d, t);
}

/* unsigned 32-bit lanes without AVX-512: halves, both exact, joined with one rounding */
static void
lanesu32(struct code *c, int d, int a, int t)
{
	vshi(c, VSH_R, 32, t, a, 16);
	v2(c, V_CVTDQ2PS, t, t);
	v3m(c, V_MULPS, t, t, krep(power(32, 16), 32));
	v3m(c, V_PAND, d, a, krep(0xffff, 32));
	v2(c, V_CVTDQ2PS, d, d);
	v3(c, V_ADDPS, d, d, t);
}

static int
fromint_lanes(struct x86 *x, const struct ins *i)
{
	int bits = ty_lanebits(i->ty), uns = (i->aux & FP_UNS) != 0, fbits = i->aux >> FP_FBITS;
	struct code *c = &x->a;

	if (ty_lanebits(i->v) != bits || bits < 32 || (i->aux & FP_RM) || (bits == 64 && uns && !x86feat.avx512))
		return 0;
	int a = xv_use(x, i->a), t = xv_tmp(x), g = bits == 64 && !x86feat.avx512 ? xr_tmp(x) : -1;
	int d = xv_defx(x, (ref)x->i);

	if (bits == 64 && x86feat.avx512)
		v2(c, uns ? V_CVTUQQ2PD : V_CVTQQ2PD, d, a);
	else if (bits == 64)
		lanes64(c, d, a, g, t);
	else if (!uns)
		v2(c, V_CVTDQ2PS, d, a);
	else if (x86feat.avx512)
		v2(c, V_CVTUDQ2PS, d, a);
	else
		lanesu32(c, d, a, t);
	if (fbits)
		v3m(c, vf_op(V_MULPS, bits, 1), d, d, krep(power(bits, -fbits), bits));
	return 1;
}

int
ef_fromint(struct x86 *x, const struct ins *i)
{
	if (!ty_isvec(i->ty))
		return fromint_scalar(x, i);
	return isv128(i) ? fromint_lanes(x, i) : 0;
}
