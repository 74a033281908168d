/* SPDX-License-Identifier: MIT */
/* simd.h - what the translators of FP and SIMD instructions share
 *
 * A family of instructions is one function; what distinguishes its members are constants on their
 * lines in simd.isa.  The functions below read those: lanes, operands, results.
 *
 * Vector instructions with Q = 0, and scalar ones, work on 128 bits like the others and then clear
 * what lies above their result.  That is exact for integers.  Floating point must not raise
 * exceptions from stale upper lanes, so there operands have their low half doubled: the upper
 * lanes then raise what the lower ones raise anyway. */
#ifndef ARM64_SIMD_H
#define ARM64_SIMD_H

#include "frontend/arm64/arm64.h"
#include "arm64/simd.h"

typedef int simd_translator(struct tr *, const struct a64v_insn *);
#define T(name, function) simd_translator simd_##function;
a64v_TRANSLATORS(T)
#undef T

static inline int simd_v(int n) { return A64_V0 + n; }

/* 128-bit vector of integer lanes of 8 << size bits (I8 ... I64 are 0 ... 3) */
static inline int simd_ivec(int size) { return VEC(I8 + size, 7); }
/* float type of the ft field: 0 single, 1 double, 3 half */
static inline int simd_ft(int ft) { return ft == 3 ? F16 : ft ? F64 : F32; }
static inline int simd_fvec(int ft) { return VEC(simd_ft(ft), 7); }

/* bits of the result: a lane of a scalar form, else half or all of the register */
static inline int
simd_keep(const struct a64v_insn *a, int lanebits)
{
	return a->sc ? lanebits : a->q ? 128 : 64;
}

static inline ref
simd_low(struct tr *t, int ty, ref v, int bits)
{
	return bits == 128 ? v : ir_opx(t->r, O_vlow, ty, 0, 0, bits, v, 0, 0);
}

/* rd = the low bits of v, zeros above */
static inline int
simd_put(struct tr *t, int ty, int rd, ref v, int bits)
{
	tr_put(t, ty, simd_v(rd), simd_low(t, ty, v, bits));
	return 1;
}

static inline ref
simd_duplane(struct tr *t, int ty, ref v, int lane)
{
	return ir_opx(t->r, O_duplane, ty, 0, lane, 0, v, 0, 0);
}

/* the second operand: rm, or its element idx in every lane */
static inline ref
simd_rm(struct tr *t, const struct a64v_insn *a, int ty)
{
	ref m = tr_get(t, ty, simd_v(a->rm));

	return a->el ? simd_duplane(t, ty, m, a->idx) : m;
}

/* a binary vector operation */
static inline ref
simd_op2(struct tr *t, int op, int ty, int v, ref a, ref b)
{
	return ir_opx(t->r, op, ty, 0, v, 0, a, b, 0);
}

/* an operation with a small immediate */
static inline ref
simd_opi(struct tr *t, int op, int ty, ref a, int imm)
{
	return ir_opx(t->r, op, ty, 0, 0, imm, a, 0, 0);
}

/* two vectors as one of twice the length: even and odd lanes, for pairwise operations; with
 * Q = 0 the low halves count and the result is in the low half (twice) */
static inline void
simd_pairs(struct tr *t, int q, int ty, ref n, ref m, ref *even, ref *odd)
{
	if (!q)
		n = m = tr_op2(t, O_vcat, ty, n, m);
	*even = tr_op2(t, O_uzp1, ty, n, m);
	*odd = tr_op2(t, O_uzp2, ty, n, m);
}

/* lanes of `size` of v, from the low or high half, twice as wide */
static inline ref
simd_widen(struct tr *t, ref v, int size, int uns, int high)
{
	return ir_opx(t->r, uns ? O_vzxt : O_vsxt, simd_ivec(size + 1), 0, I8 + size, high, v, 0, 0);
}

ref simd_const(struct tr *t, u64 lo, u64 hi);  /* a constant V64 */
ref simd_lanes(struct tr *t, int ty, u64 lane);        /* the same constant in every lane */
void simd_setqc(struct tr *t, ref mask, int bits); /* sets QC if the low bits of mask are not 0 */
u64 simd_expandimm(int ft, int imm8);                  /* VFPExpandImm */
/* modimm's constant: imm << sh, or imm followed by sh ones, in every lane */
u64 simd_modvalue(const struct a64v_insn *);

#endif
