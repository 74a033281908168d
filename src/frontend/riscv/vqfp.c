/* SPDX-License-Identifier: MIT */
/* vqfp.c - vectors of floats to IR: whole registers, since what is above vl must raise nothing */
#include "frontend/riscv/vquick.h"

/* -- floating point: whole registers, since what is above vl must raise nothing -- */

static int
floats(struct tr *t, const struct rvv_insn *a, struct extent *e, ref *x, ref *y)
{
	return a->vm && vq_sew(t) >= 32 && vq_operands(t, a, e, x, y) && !e->part;
}

static int floattype(const struct tr *t) { return vq_sew(t) == 32 ? VF32 : VF64; }

int
vq_farith(struct tr *t, const struct rvv_insn *a)
{
	int swap = a->id == rvv_vfrsub_vf || a->id == rvv_vfrdiv_vf;
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!floats(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = ir_opx(t->r, a->op, floattype(t), RM_DYN, 0, 0, swap ? y[k] : x[k], swap ? x[k] : y[k], 0);
	vq_putall(t, &e, floattype(t), a->vd, v);
	return 1;
}

/* By funct6: whether vd is the addend, or vs2; the signs of product and addend (section 13.6). */
int
vq_ffma(struct tr *t, const struct rvv_insn *a)
{
	static const u16 sign[4] = {0, FP_NEGP | FP_NEGA, FP_NEGA, FP_NEGP};   /* madd nmadd msub nmsub */
	int funct = (int)(t->word >> 26), toaddend = funct & 4;
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!floats(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref d = vq_get(t, floattype(t), a->vd + k);

		v[k] = ir_opx(t->r, O_fma, floattype(t), sign[funct & 3] | RM_DYN, 0, 0, y[k], toaddend ? x[k] : d,
		    toaddend ? d : x[k]);
	}
	vq_putall(t, &e, floattype(t), a->vd, v);
	return 1;
}

