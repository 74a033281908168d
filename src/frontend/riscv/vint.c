/* SPDX-License-Identifier: MIT */
/* vint.c - the vector unit's integer arithmetic (section 11)
 *
 * A line's op, an operation of the IR, is evaluated for one element after another.  Where sources are narrower than
 * the result (wd above w2 or w1) they are extended to its width, as sx says; where one is wider, the operation is done
 * at its width.  Elements are read and written in ascending order, which the overlaps that are allowed rely on. */
#include "frontend/riscv/vector.h"
#include "ir/ir.h"

static u64 extend(u64 x, int bits, int issigned) { return issigned ? (u64)sext(x, bits) : zext(x, bits); }

/* the sources of element i, extended to 64 bits */
static u64
second(const struct vec *v, const struct rvv_insn *a, u32 i)
{
	int bits = a->w2 < 0 ? v->sew >> -a->w2 : v->sew << a->w2;

	return extend(vec_get(v, a->vs2, i, bits), bits, a->sx & SX_2);
}

static u64
first(const struct vec *v, const struct rvv_insn *a, u32 i, u64 scalar)
{
	return a->form == FORM_VV ? extend(vec_get(v, a->vs1, i, v->sew), v->sew, a->sx & SX_1) : scalar;
}

static u64
scalar(const struct vec *v, const struct rvv_insn *a)
{
	return a->form == FORM_VV ? 0 : extend(vec_scalar(v, a), v->sew, a->sx & SX_1);
}

/* Section 11.11: a quotient by zero is all ones; the operation itself gives 0. */
static u64
value(int op, int ty, u64 x, u64 y)
{
	if ((op == O_divu || op == O_divs) && zext(y, ty_bits(ty)) == 0)
		return ~(u64)0;
	return ir_value(op, ty, x, y, 0, 0, 0);
}

/* -- what is most frequent, not masked and all of one width: a loop for each operation and width -- */

static inline __attribute__((always_inline)) u64
frequentvalue(int op, u64 x, u64 y)
{
	switch (op) {
	case O_add: return x + y;
	case O_sub: return x - y;
	case O_mul: return x * y;
	case O_and: return x & y;
	case O_or: return x | y;
	default: return x ^ y;
	}
}

static inline __attribute__((always_inline)) void
loop(const struct vec *v, const struct rvv_insn *a, u64 s, int op, int bits)
{
	struct vec w = *v;             /* what is stored to registers does not change it */
	int d = a->vd, n = a->vs2, m = a->vs1, vv = a->form == FORM_VV;

	for (u32 i = w.start; i < w.vl; i++)
		vec_put(&w, d, i, bits, frequentvalue(op, vec_get(&w, n, i, bits), vv ? vec_get(&w, m, i, bits) : s));
}

static inline __attribute__((always_inline)) void
bywidth(const struct vec *v, const struct rvv_insn *a, u64 s, int op)
{
	switch (v->sew) {
	case 8: loop(v, a, s, op, 8); break;
	case 16: loop(v, a, s, op, 16); break;
	case 32: loop(v, a, s, op, 32); break;
	default: loop(v, a, s, op, 64); break;
	}
}

/* 1: done */
static int
frequent(const struct vec *v, const struct rvv_insn *a, u64 s)
{
	if (!a->vm || a->wd || a->w2 || a->swap)
		return 0;
	switch (a->op) {
	case O_add: bywidth(v, a, s, O_add); return 1;
	case O_sub: bywidth(v, a, s, O_sub); return 1;
	case O_mul: bywidth(v, a, s, O_mul); return 1;
	case O_and: bywidth(v, a, s, O_and); return 1;
	case O_or: bywidth(v, a, s, O_or); return 1;
	case O_xor: bywidth(v, a, s, O_xor); return 1;
	}
	return 0;
}

/* swap: the operands are in the other order */
int
rvv_arith(struct vec *v, const struct rvv_insn *a)
{
	int k = a->w2 > a->wd ? a->w2 : a->wd, bits = v->sew << a->wd;
	u64 x, y, s = scalar(v, a);

	if (!vec_operands(v, a))
		return 0;
	if (frequent(v, a, s))
		return 1;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			x = second(v, a, i);
			y = first(v, a, i, s);
			vec_put(v, a->vd, i, bits, a->swap ? value(a->op, v->eew + k, y, x) : value(a->op, v->eew + k, x, y));
		}
	return 1;
}

int
rvv_extend(struct vec *v, const struct rvv_insn *a)
{
	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_put(v, a->vd, i, v->sew, second(v, a, i));
	return 1;
}

/* The product is of vs1 and vs2, and added to vd (or subtracted from it); or, with swap, of vs1 and vd, and added to
 * vs2. */
int
rvv_mulacc(struct vec *v, const struct rvv_insn *a)
{
	int bits = v->sew << a->wd;
	u64 x, y, d, s = scalar(v, a);

	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			x = second(v, a, i);
			y = first(v, a, i, s);
			d = vec_get(v, a->vd, i, bits);
			y *= a->swap ? d : x;
			x = a->swap ? x : d;
			vec_put(v, a->vd, i, bits, a->op == O_add ? x + y : x - y);
		}
	return 1;
}

/* -- with carry or borrow (section 11.4): v0 is no mask, but its bits are added or subtracted, unless vm -- */

int
rvv_carry(struct vec *v, const struct rvv_insn *a)
{
	u64 x, y, s = scalar(v, a);

	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++) {
		x = second(v, a, i);
		y = first(v, a, i, s) + (u64)vec_bit(v, 0, i);
		vec_put(v, a->vd, i, v->sew, a->op == O_add ? x + y : x - y);
	}
	return 1;
}

int
rvv_carryout(struct vec *v, const struct rvv_insn *a)
{
	u128 x, y;
	u64 s = scalar(v, a);

	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++) {
		x = second(v, a, i);
		y = (u128)first(v, a, i, s) + (u128)(!a->vm && vec_bit(v, 0, i));
		vec_setbit(v, a->vd, i, (int)((a->op == O_add ? x + y : x - y) >> v->sew & 1));
	}
	return 1;
}

/* -- comparisons, merges -- */

int
rvv_compare(struct vec *v, const struct rvv_insn *a)
{
	u64 s = scalar(v, a);

	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i))
			vec_setbit(v, a->vd, i, ir_rel(a->rel, second(v, a, i), first(v, a, i, s), v->sew));
	return 1;
}

/* the first source where v0 is set, or everywhere (vm), else the second */
int
rvv_merge(struct vec *v, const struct rvv_insn *a)
{
	u64 s = scalar(v, a);

	if (!vec_operands(v, a))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		vec_put(v, a->vd, i, v->sew, vec_active(v, a->vm, i) ? first(v, a, i, s) : second(v, a, i));
	return 1;
}
