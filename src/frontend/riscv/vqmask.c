/* SPDX-License-Identifier: MIT */
/* vqmask.c - comparisons to IR: lanes of ones become bits of a mask register */
#include "frontend/riscv/vquick.h"

/* Bytes that are 0 or 0xff, as bits */
static ref
pack(struct tr *t, ref bytes)
{
	ref x = tr_opk(t, O_and, I64, bytes, 0x8040201008040201);

	return tr_opk(t, O_shr, I64, tr_opk(t, O_mul, I64, x, 0x0101010101010101), 56);
}

/* A register's lanes of so many bits, as bits */
static ref
lanes(struct tr *t, ref v, int bits)
{
	ref lo, hi;

	for (; bits > 8; bits /= 2)
		v = ir_opx(t->r, O_vnarrow, vq_type(bits / 2), 0, vq_type(bits), 0, v, 0, 0);
	lo = pack(t, ir_opx(t->r, O_umov, I64, 0, I64, 0, v, 0, 0));
	if (vq_sew(t) > 8)
		return lo;
	hi = pack(t, ir_opx(t->r, O_umov, I64, 0, I64, 1, v, 0, 0));
	return tr_op2(t, O_or, I64, lo, tr_opk(t, O_shl, I64, hi, 8));
}

/* n registers of lanes of ones to the mask vd, of which vl bits change, and of these only those that v0 has if the
 * instruction is masked */
static void
putmask(struct tr *t, const struct rvv_insn *a, const ref *v, int n)
{
	int vl = (int)vcfg_vl(t->vcfg), each = VLEN / vq_sew(t);
	ref all = vq_get(t, V64, a->vd), active = a->vm ? 0 : vq_get(t, V64, 0), new = all;

	for (int word = 0; word * 64 < vl; word++) {
		ref bits = tr_k(t, 0), old = ir_opx(t->r, O_umov, I64, 0, I64, word, all, 0, 0);
		ref change = tr_k(t, vl - word * 64 >= 64 ? ~(u64)0 : ((u64)1 << (vl - word * 64)) - 1);

		for (int k = word * 64 / each; k < n && k * each < word * 64 + 64; k++)
			bits = tr_op2(t, O_or, I64, bits, tr_opk(t, O_shl, I64, lanes(t, v[k], vq_sew(t)), (u64)(k * each % 64)));
		if (active)
			change = tr_op2(t, O_and, I64, change, ir_opx(t->r, O_umov, I64, 0, I64, word, active, 0, 0));
		bits = tr_op2(t, O_and, I64, bits, change);
		new = ir_opx(t->r, O_ins, V64, 0, word, 0, new, tr_op2(t, O_or, I64, tr_op2(t, O_andn, I64, old, change), bits), 0);
	}
	tr_put(t, V64, RV_v0 + a->vd, new);
}

/* the operands, x being vs2 */
static int
operands(struct tr *t, const struct rvv_insn *a, struct extent *e, ref *x, ref *y)
{
	if (!vq_extent(t, vq_sew(t), a->vs2, e) || !vq_second(t, a, vq_sew(t), e, y))
		return 0;
	for (int k = 0; k < e->n; k++)
		x[k] = vq_get(t, vq_type(vq_sew(t)), a->vs2 + k);
	return 1;
}

int
vq_compare(struct tr *t, const struct rvv_insn *a)
{
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = ir_opx(t->r, O_vset, vq_type(vq_sew(t)), 0, a->rel, 0, x[k], y[k], 0);
	putmask(t, a, v, e.n);
	return 1;
}

/* Less is greater of the operands in the other order; what is masked out or above vl must raise nothing. */
int
vq_fcompare(struct tr *t, const struct rvv_insn *a)
{
	static const u8 relation[] = {[R_EQ] = R_EQ, [R_NE] = R_EQ, [R_LTS] = R_GTS, [R_LES] = R_GES};
	int less = a->rel == R_LTS || a->rel == R_LES, swap = less != a->swap;
	int ty = vq_sew(t) == 32 ? VF32 : VF64;
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (vq_sew(t) < 32 || !operands(t, a, &e, x, y) || e.part)
		return 0;
	for (int k = 0; k < e.n; k++) {
		x[k] = vq_active(t, a, ty, k, x[k]);
		y[k] = vq_active(t, a, ty, k, y[k]);
		v[k] = ir_opx(t->r, O_fvset, ty, a->aux, relation[a->rel], 0, swap ? y[k] : x[k], swap ? x[k] : y[k], 0);
		if (a->rel == R_NE)
			v[k] = tr_op1(t, O_not, V64, v[k]);
	}
	putmask(t, a, v, e.n);
	return 1;
}

/* -- masks alone -- */

static u64 ones(int n) { return n >= 64 ? ~(u64)0 : n <= 0 ? 0 : ((u64)1 << n) - 1; }

int
vq_masklogic(struct tr *t, const struct rvv_insn *a)
{
	int vl = (int)vcfg_vl(t->vcfg);
	ref v = tr_op2(t, a->op, V64, vq_get(t, V64, a->vs2), vq_get(t, V64, a->vs1));

	if (a->invert)
		v = tr_op1(t, O_not, V64, v);
	if (vl < VLEN)
		v = tr_op3(t, O_bsl, V64, vq_constant(t, ones(vl), ones(vl - 64)), v, vq_get(t, V64, a->vd));
	tr_put(t, V64, RV_v0 + a->vd, v);
	return 1;
}

/* 64 bits of vs2 that are within vl and active */
static ref
maskword(struct tr *t, const struct rvv_insn *a, int word)
{
	int vl = (int)vcfg_vl(t->vcfg);
	ref v = vq_get(t, V64, a->vs2);

	if (!a->vm)
		v = tr_op2(t, O_and, V64, v, vq_get(t, V64, 0));
	return tr_opk(t, O_and, I64, ir_opx(t->r, O_umov, I64, 0, I64, word, v, 0, 0), ones(vl - 64 * word));
}

int
vq_countmask(struct tr *t, const struct rvv_insn *a)
{
	ref n = tr_op1(t, O_popcnt, I64, maskword(t, a, 0));

	if (vcfg_vl(t->vcfg) > 64)
		n = tr_op2(t, O_add, I64, n, tr_op1(t, O_popcnt, I64, maskword(t, a, 1)));
	rv_put(t, a->rd, n);
	return 1;
}

int
vq_findmask(struct tr *t, const struct rvv_insn *a)
{
	ref found = tr_k(t, ~(u64)0);

	for (int word = vcfg_vl(t->vcfg) > 64; word >= 0; word--) {
		ref x = maskword(t, a, word), n = tr_op1(t, O_ctz, I64, x);

		if (word)
			n = tr_opk(t, O_add, I64, n, 64);
		found = tr_op3(t, O_sel, I64, ir_opx(t->r, O_set, I64, 0, R_NE, 0, x, tr_k(t, 0), 0), n, found);
	}
	rv_put(t, a->rd, found);
	return 1;
}

/* What is to be set is found by subtracting 1, which changes the lowest bit set and what is below, or all if none
 * is. */
int
vq_setmask(struct tr *t, const struct rvv_insn *a)
{
	int vl = (int)vcfg_vl(t->vcfg);
	ref x, less, old, new, all = vq_get(t, V64, a->vd), change = tr_k(t, ones(vl));

	if (vl > 64 || a->vd == a->vs2 || (!a->vm && a->vd == 0))
		return 0;
	x = maskword(t, a, 0);
	less = tr_opk(t, O_sub, I64, x, 1);
	if (a->before)
		new = tr_op2(t, a->at ? O_xor : O_andn, I64, less, x);
	else
		new = tr_op2(t, O_andn, I64, x, less);
	if (!a->vm)
		change = tr_op2(t, O_and, I64, change, ir_opx(t->r, O_umov, I64, 0, I64, 0, vq_get(t, V64, 0), 0, 0));
	old = ir_opx(t->r, O_umov, I64, 0, I64, 0, all, 0, 0);
	new = tr_op2(t, O_or, I64, tr_op2(t, O_andn, I64, old, change), tr_op2(t, O_and, I64, new, change));
	tr_put(t, V64, RV_v0 + a->vd, ir_opx(t->r, O_ins, V64, 0, 0, 0, all, new, 0));
	return 1;
}
