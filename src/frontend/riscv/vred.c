/* SPDX-License-Identifier: MIT */
/* vred.c - reductions ("V" Standard Extension, chapter 14)
 *
 * Element 0 of vs1 and the active elements of the group vs2 become element 0 of vd.  vs1 and vd are single registers,
 * vd may be any, and vstart must be 0. */
#include "frontend/riscv/vfloat.h"

/* Section 5.2: a register that is the mask, or has elements of twice SEW, is not another source besides. */
int
vec_sums(const struct vec *v, const struct rvv_insn *a)
{
	return v->start == 0 && vec_group(a->vs2, v->lmul) && v->sew << a->wd <= 64
	    && (!a->wd || vec_apart(a->vs1, 0, a->vs2, v->lmul))
	    && (a->vm || (a->vs1 && vec_apart(0, 0, a->vs2, v->lmul)));
}

/* The sum of a widening one has elements of twice SEW, to which those of vs2 are extended (sx: with their sign). */
int
rvv_reduce(struct vec *v, const struct rvv_insn *a)
{
	int bits = v->sew << a->wd, ty = v->eew + a->wd;
	u64 sum = vec_get(v, a->vs1, 0, bits);

	if (!vec_sums(v, a))
		return 0;
	for (u32 n = 0; n < v->vl; n++)
		if (vec_active(v, a->vm, n)) {
			u64 x = vec_get(v, a->vs2, n, v->sew);
			sum = ir_value(a->op, ty, sum, a->sx & SX_2 ? (u64)sext(x, v->sew) : x, 0, 0, 0);
		}
	if (v->vl)
		vec_put(v, a->vd, 0, bits, sum);
	return 1;
}

/* Those that need no order have it too. */
int
rvv_freduce(struct vec *v, const struct rvv_insn *a)
{
	int bits = v->sew << a->wd;
	struct ins i = {.op = (u8)a->op, .ty = (u8)vfp_type(bits), .aux = (u16)(a->aux | vfp_rounding(v))};
	u64 sum = vec_get(v, a->vs1, 0, bits);

	if (!vec_sums(v, a) || !vfp_has(v, v->sew, RVF_zvfh))
		return 0;
	for (u32 n = 0; n < v->vl; n++)
		if (vec_active(v, a->vm, n))
			sum = vfp_value(v, i, sum, vfp_widen(v, vec_get(v, a->vs2, n, v->sew), v->sew, bits), 0);
	if (v->vl)
		vec_put(v, a->vd, 0, bits, sum);
	return 1;
}
