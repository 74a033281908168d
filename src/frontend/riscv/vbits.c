/* SPDX-License-Identifier: MIT */
/* vbits.c - those of Zvbb and Zvbc that are more than one operation of the IR on an element */
#include "frontend/riscv/vector.h"

static u64
rol(int ty, u64 x, u64 n)
{
	return ir_value(O_rotr, ty, x, -n, 0, 0, 0);
}

int
rvv_rotateleft(struct vec *v, const struct rvv_insn *a)
{
	u64 n = a->form == FORM_VX ? v->s->x[a->rs1] : 0;

	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			n = a->form == FORM_VX ? n : vec_get(v, a->vs1, i, v->sew);
			vec_put(v, a->vd, i, v->sew, rol(v->eew, vec_get(v, a->vs2, i, v->sew), n));
		}
	return 1;
}

/* the bits of each byte in the opposite order */
int
rvv_brev8(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			u64 x = ir_value(O_rbit, v->eew, vec_get(v, a->vs2, i, v->sew), 0, 0, 0, 0);
			vec_put(v, a->vd, i, v->sew, ir_value(O_bswap, v->eew, x, 0, 0, 0, 0));
		}
	return 1;
}

int
rvv_clmul(struct vec *v, const struct rvv_insn *a)
{
	return v->sew == 64 && rvv_arith(v, a);
}
