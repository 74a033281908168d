/* SPDX-License-Identifier: MIT */
/* fpcvt.c - conversions between formats, to and from integers, rounding, moves to general registers */
#include "backend/x86_64/fpx.h"

/* -- moves -- */

/* A lane of a vector, left to the float that is made of it. */
static int
lane_float(struct x86 *x, const struct ins *umov)
{
	int a = xv_use(x, umov->a), d = xv_def(x, (ref)x->i), n = umov->imm;

	v2i(&x->a, V_PSHUFD, d, a, ty_lanebits(umov->v) == 32 ? n * 0x55 : n ? 0xee : 0x44);
	return 1;
}

int
ef_movif(struct x86 *x, const struct ins *i)
{
	int w = ty_bits(i->ty), s, t;

	if (!ty_isfloat(i->ty))
		return 0;
	if (!isk(i->a) && x->val[i->a].flags & VAL_FOLD)
		return lane_float(x, &x->r->ins[i->a]);
	if (isk(i->a)) {
		u64 v = kval(x->r, i->a) & ~(u64)0 >> (64 - w);
		int d = xv_def(x, (ref)x->i);
		if (v)
			xv_load(x, w / 8, d, xv_const(v, 0));
		else
			vzero(&x->a, d);
		xv_zx(x, (ref)x->i);
		return 1;
	}
	s = xr_use(x, i->a, w == 64 ? 64 : 32);
	if (w == 16) {
		t = xr_tmp(x);
		movzx_rr(&x->a, 16, t, s);
		s = t;
	}
	v2(&x->a, w == 64 ? V_MOVQ : V_MOVD, xv_def(x, (ref)x->i), s);
	xv_zx(x, (ref)x->i);
	return 1;
}

int
ef_movfi(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->v), a = xv_use(x, i->a), d = xr_def(x, (ref)x->i);

	if (w == 16)
		v2i(&x->a, V_PEXTRW, a, d, 0);
	else
		v2(&x->a, w == 64 ? V_MOVQ_ST : V_MOVD_ST, a, d);
	return 1;
}

/* -- RISC-V's boxes --
 *
 * What was boxed in the home of a variable lives in that home from then on, box or no box: so a narrow value in
 * such a home has its box above it.  Host instructions on scalars hand on what is above their first operand. */

static void
boxed(struct x86 *x, ref t, int var)
{
	if (var != NOVAR && x86_home[var].reg >= 0 && x86_home[var].kind == REG_FP)
		val_inhome(x, t, var);
}

int
ef_fbox(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->v);

	if (i->ty != F64 || w > 32)
		return 0;
	struct regs3 r = use1(x, i);

	v3m(&x->a, V_ORPS, r.d, r.a, xv_const(~(u64)0 << w, 0));
	if (fp_ispending(i->a))
		fp_pend(x, (ref)x->i, 1);
	boxed(x, i->a, x->val[x->i].var);
	return 1;
}

/* Instructions of two operands hand on what is above the first only if it is the result's. */
int
fp_boxedhome(const struct x86 *x, ref t)
{
	const struct val *v = &x->val[t];

	return x86feat.avx && v->ty == F32 && v->var != NOVAR && x86_home[v->var].kind == REG_FP ? x86_home[v->var].reg : -1;
}

int
fp_boxes(struct x86 *x)
{
	ref box = (ref)(x->i + 1);
	const struct ins *i = &x->r->ins[box];
	int var = x->val[box].want, reg;

	if (box >= x->b->first + x->b->n || i->op != O_fbox || i->a != x->i || x->val[box].flags & VAL_DEAD ||
	    var == NOVAR || (reg = x86_home[var].reg) < 0 || x86_home[var].kind != REG_FP)
		return -1;
	x->lock[1] |= 1u << reg;
	val_leavehome(x, var);
	val_inhome(x, box, var);
	boxed(x, (ref)x->i, var);
	x->val[box].flags |= VAL_DEAD;
	return reg;
}

static void
unbox_cold(struct x86 *x, const struct cold *cold)
{
	xv_load(x, (int)cold->n / 8, cold->reg[0], xv_const(cold->n == 32 ? 0x7fc00000 : 0x7e00, 0));
	jmp_to(&x->a, cold->back);
}

/* The low bits of what is known to be boxed: where it is. */
static void
as_it_is(struct x86 *x, const struct ins *i)
{
	const struct val *v = &x->val[i->a];
	struct regs3 r;

	if (v->var != NOVAR) {
		val_inhome(x, (ref)x->i, v->var);
		return;
	}
	r = use1(x, i);
	vmov(&x->a, r.d, r.a);
}

int
ef_funbox(struct x86 *x, const struct ins *i)
{
	int w = ty_bits(i->ty), a, d, g, cold0 = x->ncold;
	struct code *c = &x->a;
	struct cold *cold;

	if (i->ty != F32 && i->ty != F16)
		return 0;
	if (i->aux & FP_BOXED) {
		as_it_is(x, i);
		return 1;
	}
	a = xv_use(x, i->a);
	g = xr_tmp(x);
	d = xv_def(x, (ref)x->i);
	if (w == 32) {
		v2i(c, V_PEXTRD, a, g, 1);
	} else {
		v2(c, V_MOVQ_ST, a, g);
		shift_ri(c, S_SAR, 64, g, 16);
	}
	alu_ri(c, A_CMP, w == 32 ? 32 : 64, g, -1);
	cold = x_cold(x, jcc_32(c, JNE), unbox_cold);
	cold->reg[0] = (s8)d;
	cold->n = (u32)w;
	vmov(c, d, a);
	fp_back(x, cold0);
	return 1;
}

/* -- between formats -- */

/* F16 to F32 or F64, F32 to F16 with F16C.  The modes that ARM has for F16 alone go to the slow path.
 * A scalar is isolated first: what lies above it must not raise anything. */
static int
cvt16(struct x86 *x, const struct ins *i)
{
	int cold0 = x->ncold, widen = ty_lane(i->v) == F16, packed = ty_isvec(i->ty);
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (!x86feat.f16c || (i->aux & FP_RM) || fp_mayround(x, i) || x->r->fpnan != FPNAN_ARM ||
	    ty_lane(widen ? i->ty : i->v) != F32 + (widen && !packed && i->ty == F64))
		return 0;
	xf_save(x);
	r.a = xv_use(x, i->a);
	r.t = packed ? r.a : xv_tmp(x);
	r.d = xv_def(x, (ref)x->i);
	op_rm(c, 0xf6, 32, 0, m_cpu(offsetof(struct cpu, fpmode)), 1);         /* test byte [fpmode], imm8 */
	put1(c, FPM_FZ16 | FPM_AHP);
	fp_slow(x, jcc_32(c, JNE), i, r);
	if (widen) {
		if (!packed)
			v3m(c, V_PAND, r.t, r.a, xv_const(0xffff, 0));
		v2(c, V_CVTPH2PS, r.d, r.t);
		if (i->ty == F64)
			v3(c, V_CVTSS2SD, r.d, r.d, r.d);
	} else {
		if (!packed)
			v3i(c, V_INSERTPS, r.t, r.a, r.a, 0x0e);
		v2(c, V_CVTPS2PH, r.t, r.d);
		put1(c, 4);            /* round by MXCSR */
	}
	if (!packed)
		xv_zx(x, (ref)x->i);
	fp_back(x, cold0);
	return 1;
}

int
ef_cvt(struct x86 *x, const struct ins *i)
{
	int from = ty_lane(i->v), to = ty_lane(i->ty), packed = ty_isvec(i->ty), cold0 = x->ncold;
	struct fpregs r = noregs();
	struct code *c = &x->a;
	u32 op;

	if (packed && ty_bits(i->ty) != 128)
		return 0;
	if (from == F16 || to == F16)
		return cvt16(x, i);
	if (!((from == F32 && to == F64) || (from == F64 && to == F32)))
		return 0;
	fp_saveflags(x, i);
	r.a = xv_use(x, i->a);
	r.t = fp_looktmp(x, i);
	/* ARM's NaN is x86's here: SNaN to QNaN, payload cut; RM_ODD must leave the operand alone */
	r.d = fp_keeps(x, i) ? xv_defx(x, (ref)x->i) : xv_def(x, (ref)x->i);
	fp_rmguard(x, i, r);
	if (packed) {
		v2(c, to == F64 ? V_CVTPS2PD : V_CVTPD2PS, r.d, r.a);
	} else {
		op = to == F64 ? V_CVTSS2SD : V_CVTSD2SS;
		v3(c, op, r.d, r.a, r.a);
	}
	fp_tinycheck(x, i, r);
	if (x->r->fpnan != FPNAN_ARM)
		fp_nancheck(x, i, r);
	fp_back(x, cold0);
	return 1;
}

/* -- to an integral value -- */

int
fp_roundimm(int aux)
{
	static const s8 imm[] = {
		[RM_DYN] = 4, [RM_NE] = 0, [RM_Z] = 3, [RM_DN] = 1, [RM_UP] = 2,
		[RM_NA] = -1, [RM_ODD] = -1, -1,
	};

	return imm[aux & FP_RM];
}

static void
round_to(struct code *c, int bits, int packed, int d, int a, int imm)
{
	if (packed)
		v2i(c, bits == 64 ? V_ROUNDPD : V_ROUNDPS, d, a, imm);
	else
		v3i(c, bits == 64 ? V_ROUNDSD : V_ROUNDSS, d, a, a, imm);
}

u8 *
fp_nofraction(struct code *c, int bits, int packed, int a, int t)
{
	u64 magnitude = rep(~((u64)1 << (bits - 1)), bits), big = bits == 64 ? 0x4330000000000000 : 0x4b000000;

	v3m(c, V_PAND, t, a, packed ? xv_const(magnitude, magnitude) : xv_const(bits == 64 ? magnitude : (u32)magnitude, 0));
	v3m(c, bits == 64 ? V_PCMPGTQ : V_PCMPGTD, t, t, krep(big - 1, bits));
	v2(c, V_PTEST, t, t);
	return jcc_32(c, JNE);
}

/* Truncated, plus one of the operand's sign if what was cut is a half or more: all steps are exact
 * and raise nothing. */
void
fp_away(struct code *c, int bits, int packed, int d, int a, int t, int u)
{
	u64 sign = (u64)1 << (bits - 1), one = bits == 64 ? 0x3ff0000000000000 : 0x3f800000;
	u64 half = bits == 64 ? 0x3fe0000000000000 : 0x3f000000;

	round_to(c, bits, packed, d, a, 3 | 8);
	v3(c, vf_op(V_SUBPS, bits, packed), t, a, d);
	v3m(c, V_PAND, t, t, krep(~sign, bits));
	v2m(c, V_MOVAPS, u, krep(half, bits));
	v3i(c, vf_op(V_CMPPS, bits, packed), u, u, t, 2);      /* half <= fraction */
	v3m(c, V_PAND, u, u, krep(one, bits));
	v3m(c, V_PAND, t, a, krep(sign, bits));
	v3(c, V_POR, u, u, t);
	v3(c, vf_op(V_ADDPS, bits, packed), d, d, u);
}

/* Ties away from zero.  Numbers without a fraction, infinities and NaNs take the slow path. */
static int
round_away(struct x86 *x, const struct ins *i)
{
	int bits = ty_lanebits(i->ty), packed = ty_isvec(i->ty), cold0 = x->ncold;
	struct fpregs r = noregs();

	if (i->aux & FP_EXACT)
		return 0;
	xf_save(x);
	r.a = xv_use(x, i->a);
	r.t = xv_tmp(x);
	int u = xv_tmp(x);

	r.d = xv_defx(x, (ref)x->i);
	fp_slow(x, fp_nofraction(&x->a, bits, packed, r.a, r.t), i, r);
	fp_away(&x->a, bits, packed, r.d, r.a, r.t, u);
	fp_back(x, cold0);
	return 1;
}

int
ef_round(struct x86 *x, const struct ins *i)
{
	int imm = fp_roundimm(i->aux), cold0 = x->ncold;
	struct fpregs r = noregs();

	if (ty_lane(i->ty) == F16)
		return ef_half(x, i);
	if (!isfp(i->ty))
		return 0;
	if ((i->aux & FP_RM) == RM_NA)
		return round_away(x, i);
	if (imm < 0)
		return 0;
	if (fp_rule(x) == NAN_CANON || fp_rule(x) == NAN_SLOW)
		xf_save(x);
	r.a = xv_use(x, i->a);
	r.t = fp_rule(x) != NAN_TRAP ? fp_tmp(x, i->ty) : -1;
	r.d = fp_rule(x) == NAN_SLOW ? xv_defx(x, (ref)x->i) : xv_def(x, (ref)x->i);
	round_to(&x->a, ty_lanebits(i->ty), ty_isvec(i->ty), r.d, r.a, imm | (i->aux & FP_EXACT ? 0 : 8));
	fp_nancheck(x, i, r);
	fp_back(x, cold0);
	return 1;
}
