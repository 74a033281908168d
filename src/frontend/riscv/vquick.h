/* SPDX-License-Identifier: MIT */
/* vquick.h - the quick way: what its files share
 *
 * Each function here makes IR for one instruction, t->vcfg being known, or does nothing and returns 0: then the
 * instruction is done the general way.  A register group is so many V128 values.  If vl fills none, what is above vl
 * keeps its value: one part of 32 or 64 bits is put into its register.  All sources are read before anything is put,
 * so vd may be one of them. */
#ifndef FRONTEND_RISCV_VQUICK_H
#define FRONTEND_RISCV_VQUICK_H

#include "frontend/riscv/vector.h"

enum { MOST = 8 };                     /* registers of a group */

typedef int quick_fn(struct tr *, const struct rvv_insn *);

static inline int vq_sew(const struct tr *t) { return vcfg_sew(t->vcfg); }
static inline int vq_log(int bits) { return bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3; }
static inline int vq_lane(int bits) { return I8 + vq_log(bits); }
/* the type of a vector of integers of so many bits */
static inline int vq_type(int bits) { return VEC(vq_lane(bits), 7); }

/* vl and vtype as the general way wants them */
struct vec vq_state(const struct tr *);

/* How much of a group of elements of `bits` vl covers: n registers, or `part` bits of one. */
struct extent { int n, part; };
/* 0 if the group cannot be that of register `first`, or vl ends inside of a register at no such part */
int vq_extent(const struct tr *, int bits, int first, struct extent *);

static inline ref vq_get(struct tr *t, int ty, int n) { return tr_get(t, ty, RV_v0 + n); }
/* Puts the values of the registers from n on; what vl does not cover stays.  ty has the lanes of the elements, but may
 * have others where vl is known. */
void vq_putall(struct tr *, const struct extent *, int ty, int n, const ref *);
ref vq_constant(struct tr *, u64 lo, u64 hi);
ref vq_indices(struct tr *, int bits, int k);  /* the numbers of the elements in register k of a group */
/* register k of a group of elements of `bits` as lanes of ones where v0 has a bit set */
ref vq_mask(struct tr *, int bits, int k);
/* v, or where v0 says so what vd has in register k of its group, if the instruction is masked */
ref vq_masked(struct tr *, const struct rvv_insn *, int ty, int k, ref v);
/* v, an operand of floats of SEW bits; if the instruction is masked then with 1 where v0 says that nothing is done, of
 * which no operation raises anything */
ref vq_active(struct tr *, const struct rvv_insn *, int ty, int k, ref v);
ref vq_float(struct tr *, int n, int bits);    /* the bits of f register n as a number of 32 or 64 bits */
/* y[k]: register k of the operand that vs1, rs1 or imm gives, of elements of so many bits */
int vq_second(struct tr *, const struct rvv_insn *, int bits, const struct extent *, ref *y);
/* Both operands and the destination are groups of SEW: x is vs2. */
int vq_operands(struct tr *, const struct rvv_insn *, struct extent *, ref *x, ref *y);

/* -- vqint.c -- */
quick_fn vq_arith, vq_reversed, vq_shifti, vq_shiftv, vq_rotatev, vq_mulhigh, vq_divide, vq_unary;
quick_fn vq_multiplyadd, vq_narrow, vq_reduce;
/* -- vqmove.c -- */
quick_fn vq_move, vq_merge, vq_moveregs, vq_tox, vq_fromx, vq_index, vq_slidedown, vq_slideup, vq_slide1, vq_gather;
/* -- vqmem.c -- */
quick_fn vq_load, vq_store, vq_loadseg, vq_storeseg;
/* An access of its own is none of several; but it too is done again one element after another if it faults. */
ref vq_ld(struct tr *, int ty, ref base, int disp);
void vq_st(struct tr *, int ty, ref base, int disp, ref v);
/* -- vqelem.c: few elements; or two or four fields that fill registers -- */
quick_fn vq_loadfew, vq_storefew, vq_loadfields, vq_storefields;
/* -- vqwide.c -- */
quick_fn vq_extend, vq_widen;
/* -- vqfix.c -- */
quick_fn vq_clip, vq_scale, vq_saturate, vq_average;
/* -- vqmask.c -- */
quick_fn vq_compare, vq_fcompare, vq_masklogic, vq_countmask, vq_findmask, vq_setmask;
/* -- vqfp.c -- */
quick_fn vq_farith, vq_fsqrt, vq_fcvt, vq_tof, vq_fromf, vq_freduce;
/* -- vqcrypto.c -- */
quick_fn vq_aes, vq_aeskey, vq_sha2, vq_ghash, vq_clmul;
/* -- vpack.c -- */
quick_fn vq_compress, vq_iota;
/* -- vlight.c -- */
quick_fn vq_light;

#endif
