/* SPDX-License-Identifier: MIT */
/* vqint.c - vectors of integers to IR */
#include "frontend/riscv/vquick.h"

/* -- integer arithmetic -- */

/* What one register of the result is, of those of the operands. */
typedef ref part(struct tr *, const struct rvv_insn *, int bits, ref x, ref y);

static int
each(struct tr *t, const struct rvv_insn *a, part *f)
{
	int bits = vq_sew(t), ty = vq_type(bits);
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!vq_operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = vq_masked(t, a, ty, k, f(t, a, bits, x[k], y[k]));
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

static ref
arith(struct tr *t, const struct rvv_insn *a, int bits, ref x, ref y)
{
	return tr_op2(t, a->op, vq_type(bits), x, y);
}

static ref
reversed(struct tr *t, const struct rvv_insn *a, int bits, ref x, ref y)
{
	(void)a;
	return tr_op2(t, O_sub, vq_type(bits), y, x);
}

/* by a constant */
static ref
shifti(struct tr *t, const struct rvv_insn *a, int bits, ref x, ref y)
{
	int by = (a->op == O_rotr ? -a->imm : a->imm) & (bits - 1);
	int op = a->op == O_shl ? O_shli : a->op == O_shr ? O_shri : a->op == O_sar ? O_sari : O_roli;

	(void)y;
	return by ? ir_opx(t->r, op, vq_type(bits), 0, 0, by, x, 0, 0) : x;
}

int vq_arith(struct tr *t, const struct rvv_insn *a) { return each(t, a, arith); }
int vq_reversed(struct tr *t, const struct rvv_insn *a) { return each(t, a, reversed); }
int vq_shifti(struct tr *t, const struct rvv_insn *a) { return each(t, a, shifti); }

/* by the low bits of each element */
int
vq_shiftv(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t), ty = vq_type(bits);
	ref x[MOST], y[MOST], v[MOST], low = tr_op1(t, O_dup, ty, tr_k(t, (u64)bits - 1));
	struct extent e;

	if (!vq_operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref by = tr_op2(t, O_and, ty, y[k], low);

		if (a->op != O_shl)
			by = tr_op1(t, O_neg, ty, by);
		v[k] = vq_masked(t, a, ty, k, tr_op2(t, a->op == O_sar ? O_sshl : O_ushl, ty, x[k], by));
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* x << by | x >> (bits - by): shifts by as much as there are bits, or more, leave none */
int
vq_rotatev(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t), ty = vq_type(bits);
	ref x[MOST], y[MOST], v[MOST], low = tr_op1(t, O_dup, ty, tr_k(t, (u64)bits - 1));
	ref all = tr_op1(t, O_dup, ty, tr_k(t, (u64)bits));
	struct extent e;

	if (!vq_operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref by = tr_op2(t, O_and, ty, a->op == O_rotr ? tr_op1(t, O_neg, ty, y[k]) : y[k], low);

		v[k] = vq_masked(t, a, ty, k, tr_op2(t, O_or, ty, tr_op2(t, O_ushl, ty, x[k], by),
		    tr_op2(t, O_ushl, ty, x[k], tr_op2(t, O_sub, ty, by, all))));
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* Hosts have no such products of 64 bits on vectors. */
static ref
mulhigh64(struct tr *t, int op, ref x, ref y)
{
	ref v[2];

	for (int i = 0; i < 2; i++)
		v[i] = tr_op2(t, op, I64, ir_opx(t->r, O_umov, I64, 0, I64, i, x, 0, 0),
		    ir_opx(t->r, O_umov, I64, 0, I64, i, y, 0, 0));
	return tr_op2(t, O_vpair, V64, v[0], v[1]);
}

/* One element after another.  A quotient by zero is all ones; the operation itself gives 0. */
static ref
divide(struct tr *t, const struct rvv_insn *a, int bits, ref x, ref y)
{
	int ty = vq_type(bits), l = vq_lane(bits), move = a->op == O_divs || a->op == O_rems ? O_smov : O_umov;
	ref v = x;

	for (int i = 0; i < VLEN / bits; i++) {
		ref by = ir_opx(t->r, move, I64, 0, l, i, y, 0, 0);
		ref q = tr_op2(t, a->op, I64, ir_opx(t->r, move, I64, 0, l, i, x, 0, 0), by);

		if (a->op == O_divs || a->op == O_divu)
			q = tr_sel(t, I64, tr_set(t, R_NE, I64, by, tr_k(t, 0)), q, tr_k(t, ~(u64)0));
		v = ir_opx(t->r, O_ins, ty, 0, i, 0, v, q, 0);
	}
	return v;
}

int
vq_divide(struct tr *t, const struct rvv_insn *a)
{
	enum { FEW = 16 };             /* elements */
	int bits = vq_sew(t), ty = vq_type(bits);
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!vq_operands(t, a, &e, x, y) || e.n * VLEN / bits > FEW)
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = vq_masked(t, a, ty, k, divide(t, a, bits, x[k], y[k]));
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* the upper half of products */
static ref
mulhigh(struct tr *t, const struct rvv_insn *a, int bits, ref x, ref y)
{
	int ty = vq_type(2 * bits), sx = a->op == O_mulhu ? O_vzxt : O_vsxt, sy = a->op == O_mulhs ? O_vsxt : O_vzxt;
	ref half[2];

	if (bits == 64)
		return mulhigh64(t, a->op, x, y);
	for (int i = 0; i < 2; i++)
		half[i] = tr_op2(t, bits < 32 || sx != sy ? O_mul : sx == O_vsxt ? O_mulws : O_mulwu, ty,
		    ir_opx(t->r, sx, ty, 0, vq_lane(bits), i, x, 0, 0), ir_opx(t->r, sy, ty, 0, vq_lane(bits), i, y, 0, 0));
	return tr_op2(t, O_uzp2, vq_type(bits), half[0], half[1]);
}

int vq_mulhigh(struct tr *t, const struct rvv_insn *a) { return each(t, a, mulhigh); }

/* one operand */
int
vq_unary(struct tr *t, const struct rvv_insn *a)
{
	int ty = vq_type(vq_sew(t));
	ref v[MOST];
	struct extent e, same;

	if (!vq_extent(t, vq_sew(t), a->vd, &e) || !vq_extent(t, vq_sew(t), a->vs2, &same))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref x = vq_get(t, ty, a->vs2 + k);

		if (a->id == rvv_vrev8_v)
			x = vq_sew(t) == 8 ? x : ir_opx(t->r, O_vrev, V8, 0, 0, vq_sew(t), x, 0, 0);
		else
			x = tr_op1(t, O_rbit, V8, x);  /* vbrev8 */
		v[k] = vq_masked(t, a, ty, k, x);
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* x * y + z, or z - x * y; of x, y, z two are vs1 and vs2 and one vd: which one is addend says the line's id */
int
vq_multiplyadd(struct tr *t, const struct rvv_insn *a)
{
	int ty = vq_type(vq_sew(t));
	int toaddend = a->id == rvv_vmacc_vv || a->id == rvv_vmacc_vx || a->id == rvv_vnmsac_vv || a->id == rvv_vnmsac_vx;
	int minus = a->id == rvv_vnmsac_vv || a->id == rvv_vnmsac_vx || a->id == rvv_vnmsub_vv || a->id == rvv_vnmsub_vx;
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!vq_operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref d = vq_get(t, ty, a->vd + k), p = tr_op2(t, O_mul, ty, y[k], toaddend ? x[k] : d);

		v[k] = vq_masked(t, a, ty, k, tr_op2(t, minus ? O_sub : O_add, ty, toaddend ? d : x[k], p));
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* -- narrower -- */

/* elements twice as wide, shifted right by less than their width, and cut: vnsrl, vnsra */
static ref
shifted(struct tr *t, const struct rvv_insn *a, int bits, ref x)
{
	int ty = vq_type(bits), sar = a->op == O_sar;
	ref by;

	if (a->form == FORM_VI || !a->rs1)
		return a->form == FORM_VI && (a->imm & (bits - 1)) ?
		    ir_opx(t->r, sar ? O_sari : O_shri, ty, 0, 0, a->imm & (bits - 1), x, 0, 0) : x;
	by = tr_op1(t, O_neg, I64, tr_opk(t, O_and, I64, rv_get(t, a->rs1), (u64)bits - 1));
	return tr_op2(t, sar ? O_sshl : O_ushl, ty, x, tr_op1(t, O_dup, ty, tr_zxt(t, I64, by, bits)));
}

int
vq_narrow(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t), ty = vq_type(bits), wide = vq_lane(2 * bits);
	struct extent e, src;
	ref v[MOST];

	if (!vq_extent(t, bits, a->vd, &e) || !vq_extent(t, 2 * bits, a->vs2, &src))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref part[2] = {0, 0};

		for (int i = 0; i < 2 && 2 * k + i < src.n; i++)
			part[i] = ir_opx(t->r, O_vnarrow, ty, 0, wide, 0,
			    shifted(t, a, 2 * bits, vq_get(t, VEC(wide, 7), a->vs2 + 2 * k + i)), 0, 0);
		v[k] = vq_masked(t, a, ty, k, part[1] ? tr_op2(t, O_vcat, V64, part[0], part[1]) : part[0]);
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* -- reductions -- */

/* all elements, and element 0 of vs1, into element 0 of vd */
int
vq_reduce(struct tr *t, const struct rvv_insn *a)
{
	static const u8 how[O_COUNT] = {[O_add] = VRED_ADD, [O_smin] = VRED_SMIN, [O_smax] = VRED_SMAX,
		[O_umin] = VRED_UMIN, [O_umax] = VRED_UMAX};
	int l = vq_lane(vq_sew(t)), ty = VEC(l, 7);
	struct extent e;
	ref v;

	if (!a->vm || !vq_extent(t, vq_sew(t), a->vs2, &e) || e.part)
		return 0;
	v = vq_get(t, ty, a->vs2);
	for (int k = 1; k < e.n; k++)
		v = tr_op2(t, a->op, ty, v, vq_get(t, ty, a->vs2 + k));
	v = ir_opx(t->r, O_vred, ty, 0, 0, how[a->op], v, 0, 0);
	v = tr_op2(t, a->op, ty, v, vq_get(t, ty, a->vs1));
	tr_put(t, ty, RV_v0 + a->vd, ir_opx(t->r, O_inslane, ty, 0, 0, 0, vq_get(t, ty, a->vd), v, 0));
	return 1;
}

