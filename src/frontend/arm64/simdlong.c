/* SPDX-License-Identifier: MIT */
/* simdlong.c - integer instructions that double or halve the width of lanes: three different, by
 * element, narrowing; the forms "2" (a->q) read or write the upper half of the narrow register */
#include "frontend/arm64/simd.h"

/* rm's half, or its element everywhere, widened */
static ref
widerm(struct tr *t, const struct a64v_insn *a)
{
	return simd_widen(t, simd_rm(t, a, simd_ivec(a->size)), a->size, a->uns, a->q && !a->el);
}

/* product of lanes that were widened to ty from half of it */
static ref
widemul(struct tr *t, int ty, int uns, ref n, ref m)
{
	/* only at 64 bits is a host's full multiplication dearer than one of the low halves */
	int op = ty != V64 ? O_mul : uns ? O_mulwu : O_mulws;

	return tr_op2(t, op, ty, n, m);
}

/* The difference of two numbers, without its sign, is no wider than they are. */
static ref
widediff(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref v = tr_op2(t, a->op, ty, tr_get(t, ty, simd_v(a->rn)), tr_get(t, ty, simd_v(a->rm)));

	return simd_widen(t, v, a->size, 1, a->q);
}

static ref
wide3(struct tr *t, const struct a64v_insn *a, int ty)
{
	ref n = simd_widen(t, tr_get(t, simd_ivec(a->size), simd_v(a->rn)), a->size, a->uns, a->q), m = widerm(t, a);

	return a->op == O_mul ? widemul(t, ty, a->uns, n, m) : tr_op2(t, a->op, ty, n, m);
}

int
simd_long3(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size + 1);
	ref v = a->op == O_sabd || a->op == O_uabd ? widediff(t, a) : wide3(t, a, ty);

	if (a->acc)
		v = tr_op2(t, a->acc, ty, tr_get(t, ty, simd_v(a->rd)), v);
	return simd_put(t, ty, a->rd, v, 128);
}

int
simd_wide3(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size + 1);
	ref n = tr_get(t, ty, simd_v(a->rn));

	return simd_put(t, ty, a->rd, tr_op2(t, a->op, ty, n, widerm(t, a)), 128);
}

/* Saturating doubling product: at most twice the square of the least number overflows. */
int
simd_dmull(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size + 1), keep = a->sc ? ty_lanebits(ty) : 128;
	int high = a->q && !a->sc;
	ref n = simd_widen(t, tr_get(t, simd_ivec(a->size), simd_v(a->rn)), a->size, 0, high);
	ref m = simd_widen(t, simd_rm(t, a, simd_ivec(a->size)), a->size, 0, high && !a->el);
	ref p = widemul(t, ty, 0, n, m), v = tr_op2(t, O_sqadd, ty, p, p);
	ref qc = tr_op2(t, O_xor, ty, v, tr_op2(t, O_add, ty, p, p));

	if (a->acc) {
		ref d = tr_get(t, ty, simd_v(a->rd)), plain = tr_op2(t, a->wrap, ty, d, v);
		v = tr_op2(t, a->acc, ty, d, v);
		qc = tr_op2(t, O_or, ty, qc, tr_op2(t, O_xor, ty, v, plain));
	}
	simd_setqc(t, qc, keep);
	return simd_put(t, ty, a->rd, v, keep);
}

int
simd_pmull(struct tr *t, const struct a64v_insn *a)
{
	int lane = I8 + a->size, ty = lane == I8 ? V16 : V128;
	ref n, m;

	if (a->size == 3 && !model_has(A64F_pmull))
		return tr_undef(t);
	n = tr_get(t, VEC(lane, 7), simd_v(a->rn));
	m = tr_get(t, VEC(lane, 7), simd_v(a->rm));

	return simd_put(t, ty, a->rd, ir_opx(t->r, O_pmull, ty, 0, lane, a->q, n, m, 0), 128);
}

/* -- narrowing -- */

/* rd's low half, or its high half leaving the low one, = v, which has the narrow lanes low */
static int
puthalf(struct tr *t, const struct a64v_insn *a, int ty, ref v)
{
	if (a->q)
		v = tr_op2(t, O_vcat, ty, tr_get(t, ty, simd_v(a->rd)), v);
	tr_put(t, ty, simd_v(a->rd), v);
	return 1;
}

/* Lanes of v cut to half their width; with a->sat saturated: where widening the result does not
 * give v back, QC is set. */
static int
narrow(struct tr *t, const struct a64v_insn *a, int size, ref v)
{
	int ty = simd_ivec(size), lane = 8 << size;
	ref r, back;

	if (a->sc)
		v = simd_low(t, simd_ivec(size + 1), v, 2 * lane);
	if (!a->sat) {
		r = ir_opx(t->r, O_vnarrow, ty, 0, I8 + size + 1, 0, v, 0, 0);
		return puthalf(t, a, ty, r);
	}
	r = ir_opx(t->r, O_vqnarrow, ty, 0, I8 + size + 1, a->sat - 1, v, 0, 0);
	back = simd_widen(t, r, size, a->sat != 1, 0);
	simd_setqc(t, tr_op2(t, O_xor, V64, back, v), 128);
	return puthalf(t, a, ty, r);
}

int
simd_narrow(struct tr *t, const struct a64v_insn *a)
{
	return narrow(t, a, a->size, tr_get(t, simd_ivec(a->size + 1), simd_v(a->rn)));
}

/* addhn and its kin: the high halves of sums */
int
simd_narrow3(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size + 1), half = 8 << a->size;
	ref v = tr_op2(t, a->op, ty, tr_get(t, ty, simd_v(a->rn)), tr_get(t, ty, simd_v(a->rm)));

	if (a->round)
		v = tr_op2(t, O_add, ty, v, simd_lanes(t, ty, (u64)1 << (half - 1)));
	return narrow(t, a, a->size, simd_opi(t, O_shri, ty, v, half));
}

int
simd_shrn(struct tr *t, const struct a64v_insn *a)
{
	int size = 28 - __builtin_clz((u32)a->imm), ty = simd_ivec(size + 1), n = (16 << size) - a->imm;

	return narrow(t, a, size, simd_opi(t, a->op, ty, tr_get(t, ty, simd_v(a->rn)), n));
}

/* -- widening -- */

int
simd_shll(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size + 1);
	ref v = simd_widen(t, tr_get(t, simd_ivec(a->size), simd_v(a->rn)), a->size, 1, a->q);

	return simd_put(t, ty, a->rd, simd_opi(t, O_shli, ty, v, 8 << a->size), 128);
}

int
simd_shll_imm(struct tr *t, const struct a64v_insn *a)
{
	int size = 28 - __builtin_clz((u32)a->imm), n = a->imm - (8 << size);
	ref v = simd_widen(t, tr_get(t, simd_ivec(size), simd_v(a->rn)), size, a->uns, a->q);

	if (n)
		v = simd_opi(t, O_shli, simd_ivec(size + 1), v, n);
	return simd_put(t, simd_ivec(size + 1), a->rd, v, 128);
}
