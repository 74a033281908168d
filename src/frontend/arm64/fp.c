/* SPDX-License-Identifier: MIT */
/* fp.c - scalar floating point (DDI 0487 C4.1.6, "Floating-point ..."); arithmetic with two
 * operands or one is in simdfp.c, as sc=1 */
#include "frontend/arm64/simd.h"

static ref
getf(struct tr *t, const struct a64v_insn *a, int n)
{
	return tr_get(t, simd_ft(a->ft), simd_v(n));
}

static int
putf(struct tr *t, const struct a64v_insn *a, ref v)
{
	tr_put(t, simd_ft(a->ft), simd_v(a->rd), v);
	return 1;
}

/* fmadd and kin: the signs in aux are those of the product's first operand and of the addend */
int
simd_fmadd(struct tr *t, const struct a64v_insn *a)
{
	return putf(t, a, ir_opx(t->r, O_fma, simd_ft(a->ft), a->aux, 0, 0,
	                         getf(t, a, a->rn), getf(t, a, a->rm), getf(t, a, a->ra)));
}

int simd_fmov(struct tr *t, const struct a64v_insn *a) { return putf(t, a, getf(t, a, a->rn)); }

int
simd_fmov_imm(struct tr *t, const struct a64v_insn *a)
{
	return putf(t, a, tr_op1(t, O_movif, simd_ft(a->ft), tr_k(t, simd_expandimm(a->ft, a->imm))));
}

int
simd_fcvt(struct tr *t, const struct a64v_insn *a)
{
	int to = simd_ft(a->to);
	ref n = getf(t, a, a->rn);

	tr_put(t, to, simd_v(a->rd), ir_opx(t->r, O_fcvt, to, 0, simd_ft(a->ft), 0, n, 0, 0));
	return 1;
}

/* -- compare and select -- */

static ref
zero(struct tr *t, const struct a64v_insn *a)
{
	return tr_op1(t, O_movif, simd_ft(a->ft), tr_k(t, 0));
}

int
simd_fcmp(struct tr *t, const struct a64v_insn *a)
{
	ref n = getf(t, a, a->rn), m = a->zero ? zero(t, a) : getf(t, a, a->rm);

	a64_setflags(t, ir_opx(t->r, O_fcmp, simd_ft(a->ft), a->aux, 0, 0, n, m, 0));
	return 1;
}

/* If the condition fails nothing is compared, so nothing may signal: then zeros are. */
int
simd_fccmp(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ft(a->ft);
	ref n = getf(t, a, a->rn), m = getf(t, a, a->rm), fl = a64_flags(t), cmp;

	if (a->cond < CC_AL) {
		ref c = tr_fcc(t, a->cond, fl), z = zero(t, a);
		n = tr_sel(t, ty, c, n, z);
		m = tr_sel(t, ty, c, m, z);
	}
	cmp = ir_opx(t->r, O_fcmp, ty, a->aux, 0, 0, n, m, 0);
	if (a->cond < CC_AL)
		cmp = ir_opx(t->r, O_flsel, FL, 0, a->cond, (s32)a64_nzcv2fl(a->nzcv), fl, cmp, 0);
	a64_setflags(t, cmp);
	return 1;
}

int
simd_fcsel(struct tr *t, const struct a64v_insn *a)
{
	ref n = getf(t, a, a->rn), m = getf(t, a, a->rm);

	if (a->cond >= CC_AL)
		return putf(t, a, n);
	return putf(t, a, tr_sel(t, simd_ft(a->ft), tr_fcc(t, a->cond, a64_flags(t)), n, m));
}

/* -- to and from general registers -- */

static ref
fixed64(struct tr *t, const struct a64v_insn *a, int toint, ref v)
{
	int uns = a->aux & FP_UNS ? 2 : 0;

	return tr_help(t, H_fixed64, v, tr_k(t, (u64)(toint | uns | a->ft << 2)), 0);
}

int
simd_cvt_togen(struct tr *t, const struct a64v_insn *a)
{
	int f = simd_ft(a->ft), ty = a64_ty(a->sf), fbits = a->fixed ? 64 - a->fb : 0;
	ref n = getf(t, a, a->rn);

	if (fbits == 64)
		a64_put(t, I64, a->rd, fixed64(t, a, 1, ir_opx(t->r, O_movfi, I64, 0, f, 0, n, 0, 0)));
	else
		a64_put(t, ty, a->rd,
		        ir_opx(t->r, O_fcvti, ty, a->aux | fbits << FP_FBITS, f, 0, n, 0, 0));
	return 1;
}

int
simd_cvt_fromgen(struct tr *t, const struct a64v_insn *a)
{
	int f = simd_ft(a->ft), ty = a64_ty(a->sf), fbits = a->fixed ? 64 - a->fb : 0;
	ref n = a64_get(t, ty, a->rn);

	if (fbits == 64)
		return putf(t, a, tr_op1(t, O_movif, f, fixed64(t, a, 0, n)));
	return putf(t, a, ir_opx(t->r, O_icvtf, f, a->aux | fbits << FP_FBITS, ty, 0, n, 0, 0));
}

int
simd_fmov_togen(struct tr *t, const struct a64v_insn *a)
{
	a64_put(t, I64, a->rd, ir_opx(t->r, O_movfi, I64, 0, simd_ft(a->ft), 0, getf(t, a, a->rn), 0, 0));
	return 1;
}

int
simd_fmov_fromgen(struct tr *t, const struct a64v_insn *a)
{
	return putf(t, a, tr_op1(t, O_movif, simd_ft(a->ft), a64_get(t, I64, a->rn)));
}

int
simd_fmov_xtop(struct tr *t, const struct a64v_insn *a)
{
	a64_put(t, I64, a->rd, ir_opx(t->r, O_umov, I64, 0, I64, 1, tr_get(t, V64, simd_v(a->rn)), 0, 0));
	return 1;
}

int
simd_fmov_topx(struct tr *t, const struct a64v_insn *a)
{
	ref d = tr_get(t, V64, simd_v(a->rd));

	tr_put(t, V64, simd_v(a->rd), simd_op2(t, O_ins, V64, 1, d, a64_get(t, I64, a->rn)));
	return 1;
}

/* the helper gives Z in bit 32; N, C and V become 0 */
int
simd_fjcvtzs(struct tr *t, const struct a64v_insn *a)
{
	ref bits = ir_opx(t->r, O_movfi, I64, 0, F64, 0, tr_get(t, F64, simd_v(a->rn)), 0, 0);
	ref v = tr_help(t, H_jcvtzs, bits, 0, 0);
	ref z = tr_opk(t, O_shl, I64, tr_opk(t, O_shr, I64, v, 32), (u64)__builtin_ctz(FL_Z));

	a64_put(t, I64, a->rd, tr_zxt(t, I64, v, 32));
	a64_setflags(t, tr_op1(t, O_flset, FL, z));
	return 1;
}
