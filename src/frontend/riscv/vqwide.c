/* SPDX-License-Identifier: MIT */
/* vqwide.c - results that are wider than their sources, to IR */
#include "frontend/riscv/vquick.h"

/* Register k of the group of `bits` an element that the one at n is when it is extended: its elements have
 * bits >> steps. */
static ref
extended(struct tr *t, int n, int k, int bits, int steps, int issigned)
{
	if (!steps)
		return vq_get(t, vq_type(bits), n + k);
	return ir_opx(t->r, issigned ? O_vsxt : O_vzxt, vq_type(bits), 0, vq_lane(bits / 2), k & 1,
	    extended(t, n, k / 2, bits / 2, steps - 1, issigned), 0, 0);
}

int
vq_extend(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;
	ref v[MOST];

	if (!vq_extent(t, vq_sew(t), a->vd, &e))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = vq_masked(t, a, vq_type(vq_sew(t)), k, extended(t, a->vs2, k, vq_sew(t), -a->w2, a->sx != 0));
	vq_putall(t, &e, vq_type(vq_sew(t)), a->vd, v);
	return 1;
}

/* Hosts have products of 32 bits with all their 64, but hardly of 64 bits. */
static ref
product(struct tr *t, const struct rvv_insn *a, int bits, ref x, ref y)
{
	int op = bits < 64 || (a->sx && a->sx != SX_BOTH) ? O_mul : a->sx ? O_mulws : O_mulwu;

	return tr_op2(t, op, vq_type(bits), x, y);
}

/* sums, differences and products of twice SEW; and products (acc) that are added to vd */
int
vq_widen(struct tr *t, const struct rvv_insn *a)
{
	int bits = 2 * vq_sew(t), ty = vq_type(bits), half = vq_lane(bits / 2);
	ref s[MOST], v[MOST];
	struct extent e;

	if (bits > 64 || !vq_extent(t, bits, a->vd, &e) ||
	    !vq_second(t, a, bits / 2, &(struct extent){(e.n + 1) / 2, 0}, s))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref x = extended(t, a->vs2, k, bits, !a->w2, a->sx & SX_2);
		ref y = ir_opx(t->r, a->sx & SX_1 ? O_vsxt : O_vzxt, ty, 0, half, k & 1, s[k / 2], 0, 0);

		if (a->acc)
			v[k] = tr_op2(t, O_add, ty, vq_get(t, ty, a->vd + k), product(t, a, bits, x, y));
		else
			v[k] = a->op == O_mul ? product(t, a, bits, x, y) : tr_op2(t, a->op, ty, x, y);
		v[k] = vq_masked(t, a, ty, k, v[k]);
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}
