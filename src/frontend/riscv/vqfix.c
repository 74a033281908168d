/* SPDX-License-Identifier: MIT */
/* vqfix.c - fixed point to IR (section 12): shifts that round as vxrm says, and cut with saturation */
#include "frontend/riscv/vquick.h"

/* What a shift by so many bits adds to those it drops before it drops them, and to all: if what is left is odd; if
 * anything was dropped (and what is left is even). */
struct rounding { ref base, odd, any; };

static void
rounding(struct tr *t, int ty, int by, struct rounding *r)
{
	enum { UP, EVEN, DOWN, ODD };          /* vxrm */
	u64 half = (u64)1 << (by - 1);
	ref mode = tr_opk(t, O_and, I64, tr_opk(t, O_shr, I64, tr_get(t, I64, RV_vcsr), 1), 3), is[4], base;

	for (int m = UP; m <= ODD; m++)
		is[m] = ir_opx(t->r, O_set, I64, 0, R_EQ, 0, mode, tr_k(t, (u64)m), 0);
	base = tr_op3(t, O_sel, I64, is[EVEN], tr_k(t, half - 1), tr_k(t, 0));
	r->base = tr_op1(t, O_dup, ty, tr_op3(t, O_sel, I64, is[UP], tr_k(t, half), base));
	r->odd = tr_op1(t, O_dup, ty, is[EVEN]);
	r->any = tr_op1(t, O_dup, ty, is[ODD]);
}

static ref
shifted(struct tr *t, int ty, ref x, int by, int issigned, const struct rounding *r)
{
	ref rest = tr_op2(t, O_and, ty, x, tr_op1(t, O_dup, ty, tr_k(t, ((u64)1 << by) - 1))), sum, any;

	x = ir_opx(t->r, issigned ? O_sari : O_shri, ty, 0, 0, by, x, 0, 0);
	sum = tr_op2(t, O_add, ty, tr_op2(t, O_add, ty, rest, r->base), tr_op2(t, O_and, ty, x, r->odd));
	any = ir_opx(t->r, O_vset, ty, 0, R_NE, 0, rest, vq_constant(t, 0, 0), 0);
	x = tr_op2(t, O_or, ty, x, tr_op2(t, O_and, ty, any, r->any));
	return tr_op2(t, O_add, ty, x, ir_opx(t->r, O_shri, ty, 0, 0, by, sum, 0, 0));
}

/* Bit vxsat is set if anything of v is, of which so many bits count (0: all). */
static void
saturated(struct tr *t, ref v, int part)
{
	ref any = ir_opx(t->r, O_umov, I64, 0, I64, 0, v, 0, 0), vcsr = tr_get(t, I64, RV_vcsr);

	if (part == 32)
		any = tr_zxt(t, I64, any, 32);
	else if (!part)
		any = tr_op2(t, O_or, I64, any, ir_opx(t->r, O_umov, I64, 0, I64, 1, v, 0, 0));
	any = ir_opx(t->r, O_set, I64, 0, R_NE, 0, any, tr_k(t, 0), 0);
	tr_put(t, I64, RV_vcsr, tr_op2(t, O_or, I64, vcsr, any));
}

/* vnclip.wi, vnclipu.wi.  The last shift there is would leave no room for the sum. */
int
vq_clip(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t), ty = vq_type(bits), wide = vq_type(2 * bits);
	int by = a->imm & (2 * bits - 1), issigned = a->sx != 0;
	struct extent e, src;
	struct rounding r;
	ref v[MOST], lost = vq_constant(t, 0, 0);

	if (!a->vm || bits > 32 || by == 2 * bits - 1 || !vq_extent(t, bits, a->vd, &e) ||
	    !vq_extent(t, 2 * bits, a->vs2, &src))
		return 0;
	if (by)
		rounding(t, wide, by, &r);
	for (int k = 0; k < e.n; k++) {
		ref part[2] = {0, 0};

		for (int i = 0; i < 2 && 2 * k + i < src.n; i++) {
			ref x = vq_get(t, wide, a->vs2 + 2 * k + i), back;

			if (by)
				x = shifted(t, wide, x, by, issigned, &r);
			part[i] = ir_opx(t->r, O_vqnarrow, ty, 0, vq_lane(2 * bits), !issigned, x, 0, 0);
			back = ir_opx(t->r, issigned ? O_vsxt : O_vzxt, wide, 0, vq_lane(bits), 0, part[i], 0, 0);
			lost = tr_op2(t, O_or, V64, lost, tr_op2(t, O_xor, V64, back, x));
		}
		v[k] = part[1] ? tr_op2(t, O_vcat, V64, part[0], part[1]) : part[0];
	}
	saturated(t, lost, src.part);
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* vssrl.vi, vssra.vi */
int
vq_scale(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t), ty = vq_type(bits), by = a->imm & (bits - 1);
	struct rounding r;
	struct extent e;
	ref v[MOST];

	if (by == bits - 1 || !vq_extent(t, bits, a->vd, &e))
		return 0;
	if (by)
		rounding(t, ty, by, &r);
	for (int k = 0; k < e.n; k++) {
		v[k] = vq_get(t, ty, a->vs2 + k);
		if (by)
			v[k] = shifted(t, ty, v[k], by, a->sx != 0, &r);
		v[k] = vq_masked(t, a, ty, k, v[k]);
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* sums and differences that saturate: where they do, they are not what they would be otherwise */
int
vq_saturate(struct tr *t, const struct rvv_insn *a)
{
	int ty = vq_type(vq_sew(t));
	ref x[MOST], y[MOST], v[MOST], lost = vq_constant(t, 0, 0);
	struct extent e;

	if (!a->vm || !vq_operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++) {
		v[k] = tr_op2(t, a->op, ty, x[k], y[k]);
		lost = tr_op2(t, O_or, V64, lost, tr_op2(t, O_xor, V64, v[k], tr_op2(t, a->exact, ty, x[k], y[k])));
	}
	saturated(t, lost, e.part);
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* Averages: the operation rounds down, and what it drops is where the operands differ in bit 0. */
int
vq_average(struct tr *t, const struct rvv_insn *a)
{
	int ty = vq_type(vq_sew(t));
	ref x[MOST], y[MOST], v[MOST];
	struct rounding r;
	struct extent e;

	if (!vq_operands(t, a, &e, x, y))
		return 0;
	rounding(t, ty, 1, &r);
	for (int k = 0; k < e.n; k++) {
		ref half = tr_op2(t, a->op, ty, x[k], y[k]);
		ref up = tr_op2(t, O_or, ty, tr_op2(t, O_and, ty, half, r.odd), tr_op2(t, O_andn, ty, r.any, half));

		up = tr_op2(t, O_and, ty, tr_op2(t, O_or, ty, up, r.base), tr_op2(t, O_xor, ty, x[k], y[k]));
		v[k] = vq_masked(t, a, ty, k, tr_op2(t, O_add, ty, half, up));
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}
