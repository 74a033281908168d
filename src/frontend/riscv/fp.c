/* SPDX-License-Identifier: MIT */
/* fp.c - RISC-V floating-point instructions to IR: F, D, Zfh and Zfa
 *
 * Registers hold F64; an F32 or F16 is boxed (all bits above it are ones), and an operand that
 * is not is taken for the canonical NaN (Volume I, 21.2).  Loads, stores and moves carry bits and
 * do not look at boxes. */
#include "frontend/riscv/riscv.h"

static ref
fget(struct tr *t, int ty, int n)
{
	ref v = tr_get(t, F64, RV_F0 + n);

	t->r->unboxes |= ty != F64;
	return ty == F64 ? v : ir_opx(t->r, O_funbox, ty, 0, F64, 0, v, 0, 0);
}

static void
fput(struct tr *t, int ty, int n, ref v)
{
	tr_put(t, F64, RV_F0 + n, ty == F64 ? v : ir_opx(t->r, O_fbox, F64, 0, ty, 0, v, 0, 0));
}

/* The instruction's rounding as enum fprm, or -1 if it is invalid. */
static int
rounding(struct tr *t, const struct riscv_insn *a)
{
	u32 rm = a->rm;

	if (rm == FRM_DYN && !(t->mode & MODE_FRM))
		return RM_DYN;
	if (rm == FRM_DYN)
		rm = t->mode & MODE_FRM;
	return rm <= FRM_RMM ? (int)rm + RM_NE : -1;
}

int
rv_fload(struct tr *t, const struct riscv_insn *a)
{
	fput(t, a->ty, a->rd, tr_ld(t, a->ty, 0, rv_get(t, a->rs1), a->imm));
	return 1;
}

int
rv_fstore(struct tr *t, const struct riscv_insn *a)
{
	static const u8 bits[] = {[F16] = I16, [F32] = I32};
	ref base = rv_get(t, a->rs1), v = tr_get(t, F64, RV_F0 + a->rs2);
	const struct ins *box = &t->r->ins[v];

	if (a->ty == F64)
		tr_st(t, F64, 0, base, a->imm, v);
	else if (box->op == O_fbox && box->v == a->ty)
		tr_st(t, a->ty, 0, base, a->imm, box->a);
	else
		tr_st(t, bits[a->ty], 0, base, a->imm, ir_opx(t->r, O_movfi, I64, 0, F64, 0, v, 0, 0));
	return 1;
}

int
rv_fmadd(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->ty, a->rs1), y = fget(t, a->ty, a->rs2), z = fget(t, a->ty, a->rs3);
	int rm = rounding(t, a);

	if (rm < 0)
		return tr_undef(t);
	fput(t, a->ty, a->rd, ir_opx(t->r, O_fma, a->ty, a->aux | rm, 0, 0, x, y, z));
	return 1;
}

int
rv_farith(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->ty, a->rs1), y = fget(t, a->ty, a->rs2);
	int rm = rounding(t, a);

	if (rm < 0)
		return tr_undef(t);
	fput(t, a->ty, a->rd, ir_opx(t->r, a->op, a->ty, rm, 0, 0, x, y, 0));
	return 1;
}

int
rv_fsqrt(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->ty, a->rs1);
	int rm = rounding(t, a);

	if (rm < 0)
		return tr_undef(t);
	fput(t, a->ty, a->rd, ir_opx(t->r, O_fsqrt, a->ty, rm, 0, 0, x, 0, 0));
	return 1;
}

/* sh: 0 the sign of rs2, 1 its inverse, 2 their exclusive or; with equal operands these are move,
 * negation and absolute value */
int
rv_fsgnj(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->ty, a->rs1), y = fget(t, a->ty, a->rs2);

	if (a->rs1 == a->rs2)
		y = a->sh == 0 ? x : tr_op1(t, a->sh == 1 ? O_fneg : O_fabs, a->ty, x);
	else
		y = ir_opx(t->r, O_fsgnj, a->ty, 0, a->sh, 0, x, y, 0);
	fput(t, a->ty, a->rd, y);
	return 1;
}

int
rv_fminmax(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->ty, a->rs1), y = fget(t, a->ty, a->rs2);

	fput(t, a->ty, a->rd, ir_opx(t->r, a->op, a->ty, a->aux, 0, 0, x, y, 0));
	return 1;
}

int
rv_fcompare(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->ty, a->rs1), y = fget(t, a->ty, a->rs2);

	rv_put(t, a->rd, ir_opx(t->r, O_fset, a->ty, a->aux, a->rel, 0, x, y, 0));
	return 1;
}

/* Widening is exact; assemblers write it with a static mode, which would only be in the way. */
int
rv_fcvt(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->from, a->rs1);
	int rm = rounding(t, a);

	if (rm < 0)
		return tr_undef(t);
	if (ty_bits(a->ty) > ty_bits(a->from))
		rm = RM_DYN;
	fput(t, a->ty, a->rd, ir_opx(t->r, O_fcvt, a->ty, rm, a->from, 0, x, 0, 0));
	return 1;
}

/* even unsigned words are sign-extended */
int
rv_ftoint(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->from, a->rs1);
	int rm = rounding(t, a);

	if (rm < 0)
		return tr_undef(t);
	x = ir_opx(t->r, O_fcvti, a->ty, a->aux | FP_NANMAX | rm, a->from, 0, x, 0, 0);
	rv_put(t, a->rd, tr_sxt(t, I64, x, ty_bits(a->ty)));
	return 1;
}

/* Words fit an F64 exactly.  icvtf takes no constant: one is read back from its register; x0 is how
 * programs make 0.0. */
int
rv_finttof(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1);
	int rm = rounding(t, a);

	if (rm < 0)
		return tr_undef(t);
	if (a->ty == F64 && a->from == I32)
		rm = RM_DYN;
	if (a->rs1 && isk(x))
		x = ir_opx(t->r, O_get, I64, 0, a->rs1, 0, 0, 0, 0);
	x = a->rs1 ? ir_opx(t->r, O_icvtf, a->ty, a->aux | rm, a->from, 0, x, 0, 0)
	           : tr_op1(t, O_movif, a->ty, x);
	fput(t, a->ty, a->rd, x);
	return 1;
}

int
rv_fmvx(struct tr *t, const struct riscv_insn *a)
{
	ref x = ir_opx(t->r, O_movfi, I64, 0, F64, 0, tr_get(t, F64, RV_F0 + a->rs1), 0, 0);

	rv_put(t, a->rd, tr_sxt(t, I64, x, ty_bits(a->ty)));
	return 1;
}

int
rv_fmvf(struct tr *t, const struct riscv_insn *a)
{
	fput(t, a->ty, a->rd, tr_op1(t, O_movif, a->ty, rv_get(t, a->rs1)));
	return 1;
}

int
rv_fclass(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->ty, a->rs1);

	rv_put(t, a->rd, ir_opx(t->r, O_fclass, I64, 0, a->ty, 0, x, 0, 0));
	return 1;
}

/* -- Zfa -- */

/* All constants of fli are single-precision numbers but the second, the smallest normal number of the type.  What an
 * F16 cannot hold is infinity. */
int
rv_fli(struct tr *t, const struct riscv_insn *a)
{
	static const float single[32] = {
		-1, 0, 0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625, 0.75, 0.875,
		1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 8, 16, 128, 256, 0x1p15, 0x1p16, __builtin_inff(), __builtin_nanf(""),
	};
	static const u64 smallest[] = {[F16] = 0x400, [F32] = 0x800000, [F64] = 0x10000000000000};
	static const u8 format[] = {[F16] = FMT_F16, [F32] = FMT_F32, [F64] = FMT_F64};
	struct fpenv env = fp_env(RM_NE, FPNAN_RISCV);
	u64 v = a->rs1 == 1 ? smallest[a->ty] : fp_convert(&env, format[a->ty], FMT_F32, ld32(&single[a->rs1]));

	fput(t, a->ty, a->rd, tr_op1(t, O_movif, a->ty, tr_k(t, v)));
	return 1;
}

int
rv_fround(struct tr *t, const struct riscv_insn *a)
{
	ref x = fget(t, a->ty, a->rs1);
	int rm = rounding(t, a);

	if (rm < 0)
		return tr_undef(t);
	fput(t, a->ty, a->rd, ir_opx(t->r, O_fround, a->ty, a->aux | rm, 0, 0, x, 0, 0));
	return 1;
}

int
rv_fcvtmod(struct tr *t, const struct riscv_insn *a)
{
	ref x = ir_opx(t->r, O_movfi, I64, 0, F64, 0, tr_get(t, F64, RV_F0 + a->rs1), 0, 0);

	rv_putw(t, a->rd, tr_help(t, RVH_FCVTMOD, x, 0, 0));
	return 1;
}
