/* SPDX-License-Identifier: MIT */
/* vfcvt.c - conversions of the vector unit ("V" Standard Extension, 13.17 to 13.19)
 *
 * One of source and destination may be twice as wide as SEW. */
#include "frontend/riscv/vfloat.h"

static int
integer(int bits)
{
	return bits == 8 ? I8 : bits == 16 ? I16 : bits == 32 ? I32 : I64;
}

/* Zvfhmin has conversions between formats alone, and not by rounding to odd. */
static int
exists(const struct vec *v, const struct rvv_insn *a, int from, int to)
{
	int needed = a->op == O_fcvt && !a->aux ? RVF_zvfhmin : RVF_zvfh;

	return (a->op == O_icvtf || vfp_has(v, from, needed)) && (a->op == O_fcvti || vfp_has(v, to, needed));
}

/* The mode is that of aux, if it names one. */
int
rvv_fcvt(struct vec *v, const struct rvv_insn *a)
{
	int from = v->sew << a->w2, to = v->sew << a->wd, rm = a->aux & FP_RM ? 0 : vfp_rounding(v);
	struct ins i = {
		.op = (u8)a->op, .aux = (u16)(a->aux | rm), .ty = (u8)(a->op == O_fcvti ? integer(to) : vfp_type(to)),
		.v = (u16)(a->op == O_icvtf ? integer(from) : vfp_type(from)),
	};

	if (!exists(v, a, from, to) || !vec_operands(v, a))
		return 0;
	for (u32 n = v->start; n < v->vl; n++)
		if (vec_active(v, a->vm, n))
			vec_put(v, a->vd, n, to, vfp_value(v, i, vec_get(v, a->vs2, n, from), 0, 0));
	return 1;
}
