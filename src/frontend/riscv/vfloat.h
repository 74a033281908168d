/* SPDX-License-Identifier: MIT */
/* vfloat.h - floating point of the vector unit: what vfp.c, vfcvt.c and vred.c share */
#ifndef FRONTEND_RISCV_VFLOAT_H
#define FRONTEND_RISCV_VFLOAT_H

#include "frontend/riscv/vector.h"

/* May numbers of `bits` bits be computed with now?  Not if frm is invalid (13.1).  needed: the feature that is asked
 * of half precision, RVF_zvfh, or RVF_zvfhmin, which is part of it. */
int vfp_has(const struct vec *, int bits, int needed);

static inline int vfp_type(int bits) { return bits == 16 ? F16 : bits == 32 ? F32 : F64; }

/* aux of operations that round: enum fprm, where frm is a mode that hosts do not have */
int vfp_rounding(const struct vec *);

/* The value of a scalar operation; vec_op with one word an operand. */
u64 vfp_value(struct vec *, struct ins, u64 a, u64 b, u64 c);

/* x of `from` bits as a number of `to` bits: as it is, or widened, which is exact */
u64 vfp_widen(struct vec *, u64 x, int from, int to);

/* f register n as a number of `bits` bits: the canonical NaN if it is not boxed (13.2) */
u64 vfp_scalar(struct vec *, int n, int bits);

#endif
