/* SPDX-License-Identifier: MIT */
/* simdint.c - integer instructions whose lanes keep their width: three same, two registers, by
 * element, pairwise, across lanes, logic (DDI 0487 C4.1.6) */
#include "frontend/arm64/simd.h"

int
simd_three(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref n = tr_get(t, ty, simd_v(a->rn)), m = simd_rm(t, a, ty);

	return simd_put(t, ty, a->rd, simd_op2(t, a->op, ty, a->rel, n, m), simd_keep(a, ty_lanebits(ty)));
}

/* rd +- op(rn, rm) */
int
simd_three_acc(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref n = tr_get(t, ty, simd_v(a->rn)), m = simd_rm(t, a, ty);
	ref v = tr_op2(t, a->acc, ty, tr_get(t, ty, simd_v(a->rd)), tr_op2(t, a->op, ty, n, m));

	return simd_put(t, ty, a->rd, v, simd_keep(a, 0));
}

/* A saturated sum or difference is never what it wraps around to, so they differ where it was. */
static int
sat(struct tr *t, const struct a64v_insn *a, int wrap, ref n, ref m)
{
	int ty = simd_ivec(a->size), keep = simd_keep(a, ty_lanebits(ty));
	ref v = tr_op2(t, a->op, ty, n, m);

	simd_setqc(t, tr_op2(t, O_xor, V64, v, tr_op2(t, wrap, ty, n, m)), keep);
	return simd_put(t, ty, a->rd, v, keep);
}

int
simd_three_sat(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);

	return sat(t, a, a->wrap, tr_get(t, ty, simd_v(a->rn)), tr_get(t, ty, simd_v(a->rm)));
}

/* suqadd, usqadd: rd and a number of the other signedness */
int
simd_accsat(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);

	return sat(t, a, O_add, tr_get(t, ty, simd_v(a->rd)), tr_get(t, ty, simd_v(a->rn)));
}

/* Saturating shift by register.  It saturated where the plain shift gives something else, or
 * where a left shift undone does not give the operand back: either alone misses a case (-63 << 7
 * is 0x80 in 8 bits, as is the saturated value; -1 << 100 undone is -1). */
int
simd_three_satshl(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size), lane = ty_lanebits(ty), keep = simd_keep(a, lane);
	ref n = tr_get(t, ty, simd_v(a->rn)), m = tr_get(t, ty, simd_v(a->rm));
	ref zero = simd_const(t, 0, 0);
	ref v = tr_op2(t, a->op, ty, n, m);
	/* the shift is the low byte alone */
	ref count = simd_opi(t, O_sari, ty, simd_opi(t, O_shli, ty, m, lane - 8), lane - 8);
	ref isleft = simd_op2(t, O_vset, ty, R_GTS, count, zero);
	ref undone = tr_op2(t, a->wrap, ty, v, tr_op2(t, O_sub, ty, zero, count));
	ref plain = tr_op2(t, O_xor, ty, v, tr_op2(t, a->wrap, ty, n, m));
	ref differ = tr_op2(t, O_or, ty, plain, tr_op2(t, O_xor, ty, undone, n));

	simd_setqc(t, tr_op2(t, O_and, ty, differ, isleft), keep);
	return simd_put(t, ty, a->rd, v, keep);
}

/* sqdmulh, sqrdmulh saturate at the product of two most negative numbers alone */
int
simd_three_dmulh(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size), lane = ty_lanebits(ty), keep = simd_keep(a, lane);
	ref n = tr_get(t, ty, simd_v(a->rn)), m = simd_rm(t, a, ty);
	ref least = simd_lanes(t, ty, (u64)1 << (lane - 1));
	ref both = tr_op2(t, O_and, ty, simd_op2(t, O_vset, ty, R_EQ, n, least),
	                  simd_op2(t, O_vset, ty, R_EQ, m, least));

	simd_setqc(t, both, keep);
	return simd_put(t, ty, a->rd, tr_op2(t, a->op, ty, n, m), keep);
}

/* sqrdmlah, sqrdmlsh: too rare for more than a helper */
int
simd_rdmla(struct tr *t, const struct a64v_insn *a)
{
	int lanes = a->sc ? 1 : (a->q ? 16 : 8) >> a->size;

	tr_vhelp(t, H_rdmla, simd_v(a->rd), simd_v(a->rn), simd_v(a->rm),
	         a->size | lanes << 2 | a->neg << 8 | a->el << 9 | a->idx << 10);
	return 1;
}

int
simd_dot(struct tr *t, const struct a64v_insn *a)
{
	ref n = tr_get(t, V32, simd_v(a->rn)), m = simd_rm(t, a, V32);
	ref v = tr_op3(t, a->op, V32, n, m, tr_get(t, V32, simd_v(a->rd)));

	return simd_put(t, V32, a->rd, v, simd_keep(a, 0));
}

int
simd_logic(struct tr *t, const struct a64v_insn *a)
{
	ref n = tr_get(t, V64, simd_v(a->rn)), m;

	if (a->rn == a->rm && (a->op == O_or || a->op == O_and))       /* mov */
		return simd_put(t, V64, a->rd, n, simd_keep(a, 0));
	if (a->rn == a->rm && a->op == O_xor)
		return simd_put(t, V64, a->rd, simd_const(t, 0, 0), 128);
	m = tr_get(t, V64, simd_v(a->rm));
	return simd_put(t, V64, a->rd, tr_op2(t, a->op, V64, n, m), simd_keep(a, 0));
}

/* bsl: rd chooses between rn and rm; bit, bif: rm chooses between rn and rd */
int
simd_bitsel(struct tr *t, const struct a64v_insn *a)
{
	ref d = tr_get(t, V64, simd_v(a->rd)), n = tr_get(t, V64, simd_v(a->rn));
	ref m = tr_get(t, V64, simd_v(a->rm)), v;

	if (a->mask == 0)
		v = tr_op3(t, O_bsl, V64, d, n, m);
	else if (a->mask == 1)
		v = tr_op3(t, O_bsl, V64, m, n, d);
	else
		v = tr_op3(t, O_bsl, V64, m, d, n);
	return simd_put(t, V64, a->rd, v, simd_keep(a, 0));
}

int
simd_pair(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref n = tr_get(t, ty, simd_v(a->rn)), m = tr_get(t, ty, simd_v(a->rm)), even, odd;

	if (n == m && a->q && a->size < 2) {   /* hosts move what is narrow in two steps: once, if possible */
		n = tr_op2(t, a->op, ty, n, simd_opi(t, O_shri, simd_ivec(a->size + 1), n, 8 << a->size));
		return simd_put(t, ty, a->rd, tr_op2(t, O_uzp1, ty, n, n), simd_keep(a, 0));
	}
	simd_pairs(t, a->q, ty, n, m, &even, &odd);
	return simd_put(t, ty, a->rd, tr_op2(t, a->op, ty, even, odd), simd_keep(a, 0));
}

int
simd_addp_scalar(struct tr *t, const struct a64v_insn *a)
{
	ref n = tr_get(t, V64, simd_v(a->rn));

	return simd_put(t, V64, a->rd, tr_op2(t, O_add, V64, n, simd_duplane(t, V64, n, 1)), 64);
}

/* -- two registers -- */

int
simd_two(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref v = tr_op1(t, a->op, ty, tr_get(t, ty, simd_v(a->rn)));

	return simd_put(t, ty, a->rd, v, simd_keep(a, ty_lanebits(ty)));
}

int
simd_two_zero(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref n = tr_get(t, ty, simd_v(a->rn)), zero = simd_const(t, 0, 0), v;

	switch (a->rel) {              /* hosts compare vectors for equal and greater */
	case R_LTS: v = simd_op2(t, O_vset, ty, R_GTS, zero, n); break;
	case R_LES: v = simd_op2(t, O_vset, ty, R_GES, zero, n); break;
	default: v = simd_op2(t, O_vset, ty, a->rel, n, zero);
	}
	return simd_put(t, ty, a->rd, v, simd_keep(a, ty_lanebits(ty)));
}

int
simd_rev(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref v = simd_opi(t, O_vrev, ty, tr_get(t, ty, simd_v(a->rn)), a->group);

	return simd_put(t, ty, a->rd, v, simd_keep(a, 0));
}

/* sqabs, sqneg saturate at the most negative number alone */
int
simd_satabs(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size), lane = ty_lanebits(ty), keep = simd_keep(a, lane);
	ref n = tr_get(t, ty, simd_v(a->rn)), least = simd_lanes(t, ty, (u64)1 << (lane - 1)), v;
	ref isleast = simd_op2(t, O_vset, ty, R_EQ, n, least);

	/* its absolute and its negative are itself; minus 1, it becomes the largest */
	v = tr_op2(t, O_add, ty, tr_op1(t, a->op, ty, n), isleast);
	simd_setqc(t, isleast, keep);
	return simd_put(t, ty, a->rd, v, keep);
}

int
simd_estimate(struct tr *t, const struct a64v_insn *a)
{
	tr_vhelp(t, a->fn, simd_v(a->rd), simd_v(a->rn), simd_v(a->rn), a->q);
	return 1;
}

/* sums of neighbours, twice as wide */
static ref
pairsums(struct tr *t, ref v, int size, int uns)
{
	int ty = simd_ivec(size + 1), half = 8 << size;
	int shift = uns ? O_shri : O_sari;
	ref even = simd_opi(t, shift, ty, simd_opi(t, O_shli, ty, v, half), half);

	return tr_op2(t, O_add, ty, even, simd_opi(t, shift, ty, v, half));
}

int
simd_addlp(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size + 1);
	ref v = pairsums(t, tr_get(t, ty, simd_v(a->rn)), a->size, a->uns);

	if (a->acc)
		v = tr_op2(t, O_add, ty, v, tr_get(t, ty, simd_v(a->rd)));
	return simd_put(t, ty, a->rd, v, simd_keep(a, 0));
}

/* -- across lanes -- */

int
simd_across(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref n = tr_get(t, ty, simd_v(a->rn));

	if (!a->q)                     /* an upper half that does not change the result */
		n = a->red == VRED_ADD ? simd_low(t, ty, n, 64) : simd_duplane(t, V64, n, 0);
	tr_put(t, ty, simd_v(a->rd), simd_opi(t, O_vred, ty, n, a->red));
	return 1;
}

int
simd_addlv(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size + 1);
	ref n = simd_low(t, ty, tr_get(t, ty, simd_v(a->rn)), a->q ? 128 : 64);

	tr_put(t, ty, simd_v(a->rd), simd_opi(t, O_vred, ty, pairsums(t, n, a->size, a->uns), VRED_ADD));
	return 1;
}
