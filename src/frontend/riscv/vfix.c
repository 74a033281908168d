/* SPDX-License-Identifier: MIT */
/* vfix.c - the vector unit's fixed-point arithmetic (section 12)
 *
 * vxrm says how to round, vxsat that a value did not fit. */
#include "frontend/riscv/vector.h"
#include "ir/ir.h"

enum { VXSAT = 1, VXRM = 1 };          /* of the slot vcsr: the flag, and where the mode is */
enum { RNU, RNE, RDN, ROD };           /* half up, half to even, down, to odd (table in section 3.8) */

/* x / 2^n, 0 <= n < 64 */
static s128
rounded(const struct vec *v, s128 x, int n)
{
	u64 low = n ? zext((u64)x, n) : 0, half = n ? (u64)1 << (n - 1) : 0;
	s128 q = x >> n;

	if (!low)
		return q;
	switch (bits(v->s->vcsr, VXRM, 2)) {
	case RNU: return q + (low >= half);
	case RNE: return q + (low > half || (low == half && (q & 1)));
	case RDN: return q;
	default: return q | 1;
	}
}

/* x if it is a number of that many bits, else the nearest */
static u64
clamped(struct vec *v, s128 x, int bits, int issigned)
{
	u64 fits = issigned ? ir_sats(x, bits) : ir_satu(x, bits);

	if ((issigned ? (s128)(s64)fits : (s128)fits) != x)
		v->s->vcsr |= VXSAT;
	return fits;
}

static s128 number(u64 x, int bits, int issigned) { return issigned ? (s128)sext(x, bits) : (s128)zext(x, bits); }

static s128
second(const struct vec *v, const struct rvv_insn *a, u32 i)
{
	int bits = v->sew << a->w2;

	return number(vec_get(v, a->vs2, i, bits), bits, a->sx & SX_2);
}

static s128
first(const struct vec *v, const struct rvv_insn *a, u32 i)
{
	return number(a->form == FORM_VV ? vec_get(v, a->vs1, i, v->sew) : vec_scalar(v, a), v->sew, a->sx & SX_1);
}

/* exact: O_add or O_sub, what op does but for saturation or halving */
static s128
sum(const struct vec *v, const struct rvv_insn *a, u32 i)
{
	return a->exact == O_add ? second(v, a, i) + first(v, a, i) : second(v, a, i) - first(v, a, i);
}

int
rvv_saturate(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_put(v, a->vd, i, v->sew, clamped(v, sum(v, a, i), v->sew, a->sx));
	return 1;
}

int
rvv_average(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_put(v, a->vd, i, v->sew, (u64)rounded(v, sum(v, a, i), 1));
	return 1;
}

/* the product of two fractions with one bit before the point */
int
rvv_fraction(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			s128 x = rounded(v, second(v, a, i) * first(v, a, i), v->sew - 1);
			vec_put(v, a->vd, i, v->sew, clamped(v, x, v->sew, 1));
		}
	return 1;
}

int
rvv_scale(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			int n = (int)first(v, a, i) & (v->sew - 1);
			vec_put(v, a->vd, i, v->sew, (u64)rounded(v, second(v, a, i), n));
		}
	return 1;
}

int
rvv_clip(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			int n = (int)first(v, a, i) & (2 * v->sew - 1);
			vec_put(v, a->vd, i, v->sew, clamped(v, rounded(v, second(v, a, i), n), v->sew, a->sx));
		}
	return 1;
}
