/* SPDX-License-Identifier: MIT */
/* vmask.c - the vector unit's mask instructions (section 15) */
#include "frontend/riscv/vector.h"
#include "ir/ir.h"

/* bits 64k and up of those from vstart to vl */
static u64
body(const struct vec *v, u32 k)
{
	u32 lo = v->start > 64 * k ? v->start - 64 * k : 0, hi = v->vl > 64 * k ? v->vl - 64 * k : 0;

	if (lo >= hi || lo >= 64)
		return 0;
	return ~(u64)0 << lo & (hi < 64 ? ~(~(u64)0 << hi) : ~(u64)0);
}

/* invert: the result is inverted */
int
rvv_masklogic(struct vec *v, const struct rvv_insn *a)
{
	for (u32 k = 0; k < VLEN / 64; k++) {
		u64 m = body(v, k), x = ir_value(a->op, I64, vec_get(v, a->vs2, k, 64), vec_get(v, a->vs1, k, 64), 0, 0, 0);

		vec_put(v, a->vd, k, 64, (vec_get(v, a->vd, k, 64) & ~m) | ((a->invert ? ~x : x) & m));
	}
	return 1;
}

/* -- those that look at all of a mask refuse to be continued in the middle: sections 15.2 to 15.8 -- */

/* bits 64k and up of vs2, of elements worked on */
static u64
source(const struct vec *v, const struct rvv_insn *a, u32 k)
{
	return vec_get(v, a->vs2, k, 64) & body(v, k) & (a->vm ? ~(u64)0 : vec_get(v, 0, k, 64));
}

static void
result(struct vec *v, const struct rvv_insn *a, u64 x)
{
	if (a->rd)
		v->s->x[a->rd] = x;
}

int
rvv_countmask(struct vec *v, const struct rvv_insn *a)
{
	u64 n = 0;

	if (v->start)
		return 0;
	for (u32 k = 0; k < VLEN / 64; k++)
		n += (u64)__builtin_popcountll(source(v, a, k));
	result(v, a, n);
	return 1;
}

/* number of the first element set, or -1 */
static s64
lowest(const struct vec *v, const struct rvv_insn *a)
{
	for (u32 k = 0; k < VLEN / 64; k++)
		if (source(v, a, k))
			return 64 * k + __builtin_ctzll(source(v, a, k));
	return -1;
}

int
rvv_findmask(struct vec *v, const struct rvv_insn *a)
{
	if (v->start)
		return 0;
	result(v, a, (u64)lowest(v, a));
	return 1;
}

/* Sets those before the first that is set, that one (at), or both. */
int
rvv_setmask(struct vec *v, const struct rvv_insn *a)
{
	s64 n;

	if (v->start || a->vd == a->vs2 || (!a->vm && a->vd == 0))
		return 0;
	n = lowest(v, a);
	for (u32 i = 0; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_setbit(v, a->vd, i, n < 0 || i < n ? a->before : i == n ? a->at : 0);
	return 1;
}

int
rvv_index(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_group(a->vd, v->lmul) || (!a->vm && a->vd == 0))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_put(v, a->vd, i, v->sew, i);
	return 1;
}
