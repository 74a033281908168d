/* SPDX-License-Identifier: MIT */
/* simdshift.c - shifts by immediate whose lanes keep their width
 *
 * imm is immh:immb, a number from 8 to 127 whose top bit gives the lane: right shifts are by twice
 * the lane's bits minus imm, left shifts by imm minus them. */
#include "frontend/arm64/simd.h"

static int size(const struct a64v_insn *a) { return 28 - __builtin_clz((u32)a->imm); }

static int
amount(const struct a64v_insn *a)
{
	return a->left ? a->imm - (8 << size(a)) : (16 << size(a)) - a->imm;
}

int
simd_shift(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(size(a));
	ref v = tr_get(t, ty, simd_v(a->rn));

	if (amount(a))
		v = simd_opi(t, a->op, ty, v, amount(a));
	if (a->acc)
		v = tr_op2(t, O_add, ty, v, tr_get(t, ty, simd_v(a->rd)));
	return simd_put(t, ty, a->rd, v, simd_keep(a, ty_lanebits(ty)));
}

/* rd holds what rn loses in the shift: the two halves of a rotation.  Gives it, turned left, or 0. */
static ref
rotation(struct tr *t, const struct a64v_insn *a, int ty, int n)
{
	ref d = tr_get(t, ty, simd_v(a->rd)), s = tr_get(t, ty, simd_v(a->rn));
	const struct ins *i = &t->r->ins[d];
	int lane = ty_lanebits(ty);

	if (i->op != (a->left ? O_shri : O_shli) || i->ty != ty || i->a != s || i->imm != lane - n)
		return 0;
	return simd_opi(t, O_roli, ty, s, a->left ? n : lane - n);
}

/* sli, sri: what the shift leaves empty is kept from rd */
int
simd_shift_insert(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(size(a)), lane = ty_lanebits(ty), n = amount(a);
	u64 ones = zext(~(u64)0, lane), moved = n == lane ? 0 : a->left ? ones << n : ones >> n;
	ref whole = rotation(t, a, ty, n);

	if (whole)
		return simd_put(t, ty, a->rd, whole, simd_keep(a, lane));
	ref v = simd_opi(t, a->op, ty, tr_get(t, ty, simd_v(a->rn)), n);
	ref d = tr_op2(t, O_andn, ty, tr_get(t, ty, simd_v(a->rd)), simd_lanes(t, ty, moved));

	return simd_put(t, ty, a->rd, tr_op2(t, O_or, ty, v, d), simd_keep(a, lane));
}

/* Saturating left shift: it saturated where the shift undone does not give the operand back. */
int
simd_satshl(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(size(a)), lane = ty_lanebits(ty), keep = simd_keep(a, lane);
	int n = a->imm - lane;
	ref x = tr_get(t, ty, simd_v(a->rn));
	ref v = tr_op2(t, a->op, ty, x, simd_lanes(t, ty, (u64)n));

	simd_setqc(t, tr_op2(t, O_xor, ty, simd_opi(t, a->back, ty, v, n), x), keep);
	return simd_put(t, ty, a->rd, v, keep);
}
