/* SPDX-License-Identifier: MIT */
/* vqmove.c - moves and permutations of the vector unit to IR */
#include "frontend/riscv/vquick.h"

/* -- moves -- */

int
vq_move(struct tr *t, const struct rvv_insn *a)
{
	ref v[MOST];
	struct extent e;

	if ((a->form == FORM_VF && vq_sew(t) < 32) || !vq_extent(t, vq_sew(t), a->vd, &e) ||
	    !vq_second(t, a, vq_sew(t), &e, v))
		return 0;
	vq_putall(t, &e, vq_type(vq_sew(t)), a->vd, v);
	return 1;
}

int
vq_merge(struct tr *t, const struct rvv_insn *a)
{
	int ty = vq_type(vq_sew(t));
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if ((a->form == FORM_VF && vq_sew(t) < 32) || !vq_operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = tr_op3(t, O_bsl, ty, vq_mask(t, k), y[k], x[k]);
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* vmv<n>r.v: whole registers, whatever vl is */
int
vq_moveregs(struct tr *t, const struct rvv_insn *a)
{
	int n = a->nf;
	struct extent e = {n, 0};
	ref v[MOST];

	if ((a->vd & (n - 1)) || (a->vs2 & (n - 1)))
		return 0;
	for (int k = 0; k < n; k++)
		v[k] = vq_get(t, V64, a->vs2 + k);
	vq_putall(t, &e, V64, a->vd, v);
	return 1;
}

int
vq_tox(struct tr *t, const struct rvv_insn *a)
{
	int l = vq_lane(vq_sew(t));

	rv_put(t, a->rd, ir_opx(t->r, O_smov, I64, 0, l, 0, vq_get(t, VEC(l, 7), a->vs2), 0, 0));
	return 1;
}

int
vq_fromx(struct tr *t, const struct rvv_insn *a)
{
	int ty = vq_type(vq_sew(t));
	ref x = tr_zxt(t, I64, rv_get(t, a->rs1), vq_sew(t));

	if (vcfg_vl(t->vcfg))
		tr_put(t, ty, RV_v0 + a->vd, ir_opx(t->r, O_ins, ty, 0, 0, 0, vq_get(t, ty, a->vd), x, 0));
	return 1;
}

int
vq_index(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;
	ref v[MOST];

	if (!a->vm || !vq_extent(t, vq_sew(t), a->vd, &e))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = vq_indices(t, vq_sew(t), k);
	vq_putall(t, &e, vq_type(vq_sew(t)), a->vd, v);
	return 1;
}

/* -- permutations within one register that is full -- */

static int
alone(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;

	return a->vm && vcfg_lmul(t->vcfg) == 0 && vq_extent(t, vq_sew(t), a->vd, &e) && !e.part;
}

int
vq_slidedown(struct tr *t, const struct rvv_insn *a)
{
	int by = a->imm * vq_sew(t) / 8;
	ref x = vq_get(t, V8, a->vs2);

	if (!alone(t, a) || by >= VLENB)
		return 0;
	tr_put(t, V8, RV_v0 + a->vd, by ? ir_opx(t->r, O_vext, V8, 0, 0, by, x, vq_constant(t, 0, 0), 0) : x);
	return 1;
}

int
vq_slideup(struct tr *t, const struct rvv_insn *a)
{
	int by = a->imm * vq_sew(t) / 8;
	u64 lo = by >= 8 ? 0 : ~(u64)0 << 8 * by, hi = by <= 8 ? ~(u64)0 : ~(u64)0 << 8 * (by - 8);
	ref x = vq_get(t, V8, a->vs2), d = vq_get(t, V8, a->vd);

	if (!alone(t, a) || !by || by >= VLENB || a->vd == a->vs2)
		return 0;
	x = ir_opx(t->r, O_vext, V8, 0, 0, VLENB - by, vq_constant(t, 0, 0), x, 0);
	tr_put(t, V8, RV_v0 + a->vd, tr_op3(t, O_bsl, V8, vq_constant(t, lo, hi), x, d));
	return 1;
}

int
vq_gather(struct tr *t, const struct rvv_insn *a)
{
	if (!alone(t, a) || vq_sew(t) != 8 || a->vd == a->vs2 || a->vd == a->vs1)
		return 0;
	tr_put(t, V8, RV_v0 + a->vd, tr_op2(t, O_tbl, V8, vq_get(t, V8, a->vs2), vq_get(t, V8, a->vs1)));
	return 1;
}
