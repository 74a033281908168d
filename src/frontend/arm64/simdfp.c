/* SPDX-License-Identifier: MIT */
/* simdfp.c - floating point in lanes, and the scalar forms of the same instructions
 *
 * Lanes that do not count may not raise exceptions (simd.h): with Q = 0 both halves hold the low
 * one; a scalar form that takes a lane other than 0 works on vectors of equal lanes. */
#include "frontend/arm64/simd.h"

static int isvec(const struct a64v_insn *a) { return !a->sc || (a->el && a->idx); }
static int type(const struct a64v_insn *a) { return isvec(a) ? simd_fvec(a->ft) : simd_ft(a->ft); }

/* operand in register n */
static ref
get(struct tr *t, const struct a64v_insn *a, int n)
{
	ref v = tr_get(t, type(a), simd_v(n));

	if (!isvec(a))
		return v;
	if (a->sc)
		return simd_duplane(t, type(a), v, 0);
	return a->q ? v : simd_duplane(t, V64, v, 0);
}

/* the second operand: register rm or its element */
static ref
getm(struct tr *t, const struct a64v_insn *a)
{
	if (!a->el || !isvec(a))
		return get(t, a, a->rm);
	return simd_duplane(t, type(a), tr_get(t, type(a), simd_v(a->rm)), a->idx);
}

static int
put(struct tr *t, const struct a64v_insn *a, ref v)
{
	if (isvec(a))
		return simd_put(t, type(a), a->rd, v, simd_keep(a, ty_lanebits(type(a))));
	tr_put(t, type(a), simd_v(a->rd), v);
	return 1;
}

static ref
fop(struct tr *t, const struct a64v_insn *a, int op, ref n, ref m)
{
	return ir_opx(t->r, op, type(a), a->aux, 0, 0, n, m, 0);
}

int
simd_fthree(struct tr *t, const struct a64v_insn *a)
{
	ref n = get(t, a, a->rn), v = fop(t, a, a->op, n, getm(t, a));

	if (a->abs)
		v = tr_op1(t, O_fabs, type(a), v);
	if (a->neg)
		v = tr_op1(t, O_fneg, type(a), v);
	return put(t, a, v);
}

int
simd_fmla(struct tr *t, const struct a64v_insn *a)
{
	ref d = get(t, a, a->rd), n = get(t, a, a->rn), m = getm(t, a);

	return put(t, a, ir_opx(t->r, O_fma, type(a), a->aux, 0, 0, n, m, d));
}

int
simd_fpair(struct tr *t, const struct a64v_insn *a)
{
	int ty = type(a);
	ref even, odd;

	simd_pairs(t, a->q, ty, tr_get(t, ty, simd_v(a->rn)), tr_get(t, ty, simd_v(a->rm)), &even, &odd);
	return put(t, a, fop(t, a, a->op, even, odd));
}

int
simd_fpair_scalar(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_fvec(a->ft);
	ref n = tr_get(t, ty, simd_v(a->rn));
	ref lo = simd_duplane(t, ty, n, 0), hi = simd_duplane(t, ty, n, 1);
	ref v = ir_opx(t->r, a->op, ty, a->aux, 0, 0, lo, hi, 0);

	return simd_put(t, ty, a->rd, v, ty_lanebits(ty));
}

/* Reduce() of the manual combines neighbours first. */
int
simd_facross(struct tr *t, const struct a64v_insn *a)
{
	int ty = type(a);
	ref v = get(t, a, a->rn);

	for (int n = (a->q ? 128 : 64) / ty_lanebits(ty); n > 1; n /= 2)
		v = fop(t, a, a->op, tr_op2(t, O_uzp1, ty, v, v), tr_op2(t, O_uzp2, ty, v, v));
	return simd_put(t, ty, a->rd, v, ty_lanebits(ty));
}

/* -- compare -- */

/* rel of n and m as masks; other than for equality a quiet NaN signals too */
static ref
masks(struct tr *t, const struct a64v_insn *a, ref n, ref m)
{
	return ir_opx(t->r, O_fvset, type(a), a->rel == R_EQ ? 0 : FP_SIGNAL, a->rel, 0, n, m, 0);
}

int
simd_fcmp_mask(struct tr *t, const struct a64v_insn *a)
{
	ref n = get(t, a, a->rn), m = getm(t, a);

	if (a->abs) {
		n = tr_op1(t, O_fabs, type(a), n);
		m = tr_op1(t, O_fabs, type(a), m);
	}
	return put(t, a, masks(t, a, n, m));
}

int
simd_fcmp_zero(struct tr *t, const struct a64v_insn *a)
{
	ref n = get(t, a, a->rn);
	ref zero = isvec(a) ? simd_const(t, 0, 0) : tr_op1(t, O_movif, type(a), tr_k(t, 0));

	return put(t, a, a->swap ? masks(t, a, zero, n) : masks(t, a, n, zero));
}

/* -- one operand -- */

int
simd_ftwo(struct tr *t, const struct a64v_insn *a)
{
	return put(t, a, fop(t, a, a->op, get(t, a, a->rn), 0));
}

/* float lanes to integer lanes of their width, or back; aux holds rounding, sign, fraction bits */
static int
toint(struct tr *t, const struct a64v_insn *a, int ft, int aux)
{
	int f = simd_ft(ft), size = f == F16 ? 1 : f == F32 ? 2 : 3, ty = simd_ivec(size);
	ref n = tr_get(t, a->sc ? f : simd_fvec(ft), simd_v(a->rn)), v;

	if (a->sc) {
		v = ir_opx(t->r, O_fcvti, I8 + size, aux, f, 0, n, 0, 0);
		tr_put(t, ty, simd_v(a->rd), tr_op1(t, O_vfromi, ty, v));
		return 1;
	}
	if (!a->q)
		n = simd_duplane(t, V64, n, 0);
	v = ir_opx(t->r, O_fcvti, ty, aux, f, 0, n, 0, 0);
	return simd_put(t, ty, a->rd, v, a->q ? 128 : 64);
}

static int
fromint(struct tr *t, const struct a64v_insn *a, int ft, int aux)
{
	int f = simd_ft(ft), size = f == F16 ? 1 : f == F32 ? 2 : 3;
	ref n = tr_get(t, simd_ivec(size), simd_v(a->rn)), v;

	if (a->sc) {
		v = ir_opx(t->r, O_umov, I64, 0, I8 + size, 0, n, 0, 0);
		tr_put(t, f, simd_v(a->rd), ir_opx(t->r, O_icvtf, f, aux, I8 + size, 0, v, 0, 0));
		return 1;
	}
	if (!a->q)
		n = simd_duplane(t, V64, n, 0);
	v = ir_opx(t->r, O_icvtf, simd_fvec(ft), aux, I8 + size, 0, n, 0, 0);
	return simd_put(t, simd_fvec(ft), a->rd, v, a->q ? 128 : 64);
}

int simd_ftoint(struct tr *t, const struct a64v_insn *a) { return toint(t, a, a->ft, a->aux); }
int simd_ffromint(struct tr *t, const struct a64v_insn *a) { return fromint(t, a, a->ft, a->aux); }

/* 64 fraction bits do not fit the IR's field and are not seen in practice */
static int
fix64(struct tr *t, const struct a64v_insn *a, int toint)
{
	ref v[2] = {0, 0}, n = tr_get(t, V64, simd_v(a->rn));
	ref how = tr_k(t, (u64)(toint | a->uns << 1 | 1 << 2));

	for (int i = 0; i < (a->sc ? 1 : 2); i++)
		v[i] = tr_help(t, H_fixed64, ir_opx(t->r, O_umov, I64, 0, I64, i, n, 0, 0), how, 0);
	if (a->sc)
		tr_put(t, V64, simd_v(a->rd), tr_op1(t, O_vfromi, V64, v[0]));
	else
		tr_put(t, V64, simd_v(a->rd), tr_op2(t, O_vpair, V64, v[0], v[1]));
	return 1;
}

/* fixed point: imm is immh:immb, as in simdshift.c */
static int
fixed(struct tr *t, const struct a64v_insn *a, int to)
{
	int lane = 8 << (28 - __builtin_clz((u32)a->imm)), fbits = 2 * lane - a->imm;
	int ft = lane == 16 ? 3 : lane == 64;
	int aux = (a->uns ? FP_UNS : 0) | (to ? RM_Z : RM_DYN) | fbits << FP_FBITS;

	if (fbits == 64)
		return fix64(t, a, to);
	return to ? toint(t, a, ft, aux) : fromint(t, a, ft, aux);
}

int simd_fix_toint(struct tr *t, const struct a64v_insn *a) { return fixed(t, a, 1); }
int simd_fix_fromint(struct tr *t, const struct a64v_insn *a) { return fixed(t, a, 0); }

/* fcvtn, fcvtxn: ft is the wide type */
int
simd_fcvtn(struct tr *t, const struct a64v_insn *a)
{
	int from = a->ft ? F64 : F32, ty = a->ft ? VF32 : VF16;
	ref v = ir_opx(t->r, O_fcvt, ty, a->aux, from, 0, tr_get(t, VEC(from, 7), simd_v(a->rn)), 0, 0);

	if (a->q)
		v = tr_op2(t, O_vcat, ty, tr_get(t, ty, simd_v(a->rd)), v);
	tr_put(t, ty, simd_v(a->rd), v);
	return 1;
}

int
simd_fcvtl(struct tr *t, const struct a64v_insn *a)
{
	int from = a->ft ? F32 : F16, ty = a->ft ? VF64 : VF32;
	ref n = tr_get(t, VEC(from, 7), simd_v(a->rn));

	if (a->q)
		n = simd_duplane(t, V64, n, 1);
	tr_put(t, ty, simd_v(a->rd), ir_opx(t->r, O_fcvt, ty, 0, from, 0, n, 0, 0));
	return 1;
}

int
simd_fcvtxn_scalar(struct tr *t, const struct a64v_insn *a)
{
	ref n = tr_get(t, F64, simd_v(a->rn));

	tr_put(t, F32, simd_v(a->rd), ir_opx(t->r, O_fcvt, F32, RM_ODD, F64, 0, n, 0, 0));
	return 1;
}

/* -- complex numbers: lanes are pairs of real and imaginary parts -- */

/* m turned by rot quarters: 1 is (-im, re), 2 (-re, -im), 3 (im, -re) */
static ref
turned(struct tr *t, int ty, ref m, int rot)
{
	int lane = ty_lanebits(ty);
	u64 sign = (u64)1 << (lane - 1), even = 0;

	for (int at = 0; at < 64; at += 2 * lane)
		even |= sign << at;
	if (rot & 1)
		m = lane == 64 ? ir_opx(t->r, O_vext, V8, 0, 0, 8, m, m, 0)
		               : simd_opi(t, O_vrev, simd_ivec(lane == 16 ? 1 : 2), m, 2 * lane);
	if (rot == 2)
		return tr_op1(t, O_fneg, ty, m);
	if (rot == 0)
		return m;
	u64 lo = rot == 1 ? even : even << (lane & 63), hi = lo;
	if (lane == 64)
		lo = rot == 1 ? sign : 0, hi = sign - lo;
	return tr_op2(t, O_xor, V64, m, simd_const(t, lo, hi));
}

static ref
complexarg(struct tr *t, const struct a64v_insn *a, int ty, int reg)
{
	ref v = tr_get(t, ty, simd_v(reg));

	return a->q ? v : simd_duplane(t, V64, v, 0);
}

static int complextype(const struct a64v_insn *a) { return VEC(F16 + a->size - 1, 7); }

int
simd_fcadd(struct tr *t, const struct a64v_insn *a)
{
	int ty = complextype(a);
	ref m = turned(t, ty, complexarg(t, a, ty, a->rm), a->rot ? 3 : 1);
	ref v = tr_op2(t, O_fadd, ty, complexarg(t, a, ty, a->rn), m);

	return simd_put(t, ty, a->rd, v, simd_keep(a, 0));
}

int
simd_fcmla(struct tr *t, const struct a64v_insn *a)
{
	int ty = complextype(a);
	int pair = simd_ivec(a->size + 1);             /* an element is both parts */
	ref d = complexarg(t, a, ty, a->rd), n = complexarg(t, a, ty, a->rn), m;

	m = a->el ? simd_duplane(t, pair, tr_get(t, pair, simd_v(a->rm)), a->idx)
	          : complexarg(t, a, ty, a->rm);
	n = tr_op2(t, a->rot & 1 ? O_trn2 : O_trn1, ty, n, n);
	m = turned(t, ty, m, a->rot);
	return simd_put(t, ty, a->rd, tr_op3(t, O_fma, ty, n, m, d), simd_keep(a, 0));
}

int
simd_fmlal(struct tr *t, const struct a64v_insn *a)
{
	tr_vhelp(t, H_fmlal, simd_v(a->rd), simd_v(a->rn), simd_v(a->rm),
	         a->q | a->neg << 1 | a->top << 2 | a->el << 3 | a->idx << 4);
	return 1;
}
