/* SPDX-License-Identifier: MIT */
/* vperm.c - the vector unit's permutations (section 16) */
#include "frontend/riscv/vector.h"

int
rvv_toscalar(struct vec *v, const struct rvv_insn *a)
{
	if (a->rd)
		v->s->x[a->rd] = (u64)sext(vec_get(v, a->vs2, 0, v->sew), v->sew);
	return 1;
}

int
rvv_fromscalar(struct vec *v, const struct rvv_insn *a)
{
	if (v->start < v->vl)
		vec_put(v, a->vd, 0, v->sew, vec_scalar(v, a));
	return 1;
}

/* Whether vd is apart from its sources as well. */
static int
separate(const struct vec *v, const struct rvv_insn *a)
{
	return vec_operands(v, a) && a->vd != a->vs2 && (a->form != FORM_VV || a->vd != a->vs1);
}

/* -- slides -- */

int
rvv_slideup(struct vec *v, const struct rvv_insn *a)
{
	u64 n = vec_scalar(v, a);

	if (!separate(v, a))
		return 0;
	for (u64 i = n > v->start ? n : v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, (u32)i))
			vec_put(v, a->vd, (u32)i, v->sew, vec_get(v, a->vs2, (u32)(i - n), v->sew));
	return 1;
}

/* element i of vs2, or 0 where there is none */
static u64
element(const struct vec *v, const struct rvv_insn *a, u64 i)
{
	return i < v->vlmax ? vec_get(v, a->vs2, (u32)i, v->sew) : 0;
}

int
rvv_slidedown(struct vec *v, const struct rvv_insn *a)
{
	u64 n = vec_scalar(v, a);

	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_put(v, a->vd, i, v->sew, n < v->vlmax ? element(v, a, i + n) : 0);
	return 1;
}

int
rvv_slide1up(struct vec *v, const struct rvv_insn *a)
{
	if (!separate(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_put(v, a->vd, i, v->sew, i ? element(v, a, i - 1) : vec_scalar(v, a));
	return 1;
}

int
rvv_slide1down(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_put(v, a->vd, i, v->sew, i + 1 < v->vl ? element(v, a, i + 1) : vec_scalar(v, a));
	return 1;
}

/* -- gathers -- */

/* indices of `bits` bits, or a scalar */
static void
gather(struct vec *v, const struct rvv_insn *a, int bits)
{
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			u64 k = a->form == FORM_VV ? vec_get(v, a->vs1, i, bits) : vec_scalar(v, a);
			vec_put(v, a->vd, i, v->sew, element(v, a, k));
		}
}

int
rvv_gather(struct vec *v, const struct rvv_insn *a)
{
	if (!separate(v, a))
		return 0;
	gather(v, a, v->sew);
	return 1;
}

/* indices of 16 bits whatever SEW is */
int
rvv_gather16(struct vec *v, const struct rvv_insn *a)
{
	struct rvv_insn b = *a;

	b.w1 = (s16)(I16 - v->eew);
	if (!vec_operands(v, &b) || a->vd == a->vs2 || !vec_apart(a->vd, v->lmul, a->vs1, v->lmul + b.w1))
		return 0;
	gather(v, a, 16);
	return 1;
}

/* nf registers, whatever vl is; vstart counts elements of SEW bits */
int
rvv_wholemove(struct vec *v, const struct rvv_insn *a)
{
	u32 at = v->start * (u32)v->sew / 8, size = (u32)a->nf * VLENB;

	if ((a->vd | a->vs2) & (a->nf - 1))
		return 0;
	if (at < size)
		memmove(v->s->v[a->vd] + at, v->s->v[a->vs2] + at, size - at);
	return 1;
}
