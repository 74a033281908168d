/* SPDX-License-Identifier: MIT */
/* fp.h - IEEE 754 arithmetic in software, with each guest's rules
 *
 * A number is its bit pattern in the low bits of a u64; the format says which.  Every operation
 * takes the environment: how to round, what a NaN becomes, what happens to denormals; and adds to
 * env.flags what it raised.  Results are exact to the bit for every rounding mode, which is why
 * the interpreter uses nothing else and the hosts are judged by it.
 *
 * Formats up to 64 bits of significand fit everywhere (a line in fp.c adds one); wider ones fit
 * all but multiply, divide and square root, which work on 64 bits. */
#ifndef BASE_FP_H
#define BASE_FP_H

#include "base/word.h"

enum fpfmt { FMT_F16, FMT_F32, FMT_F64, FMT_BF16, FMT_AHP /* ARM's half without infinity */, FMT_COUNT };

/* Rounding: the current mode; to nearest even; to zero, down, up; nearest, ties away; to odd. */
enum fprm { RM_DYN, RM_NE, RM_Z, RM_DN, RM_UP, RM_NA, RM_ODD };

/* What a NaN operand becomes.
 * ARM:     the first signalling operand, else the first quiet one; fma looks at the addend first
 * ARM_DN:  the default NaN, always
 * RISCV:   the canonical NaN, always (the same pattern); min and max ignore even a signalling NaN
 * X86:     the first operand that is a NaN; the default NaN is negative */
enum fpnan { FPNAN_ARM, FPNAN_ARM_DN, FPNAN_RISCV, FPNAN_X86 };

/* cpu->fpmode: the guest's dynamic mode in a form every host and the interpreter reads. */
enum {
	FPM_RM = 7,                    /* enum fprm, never RM_DYN */
	FPM_FZ = 1 << 3,               /* F32, F64: denormal operands and results become zero */
	FPM_FZ16 = 1 << 4,             /* F16: the same, without telling about operands */
	FPM_DN = 1 << 5,               /* ARM: default NaN */
	FPM_AHP = 1 << 6,              /* ARM: conversions from and to F16 use the alternative format */
};

/* env.flags and cpu->fpflags: sticky exceptions, in the order of x86's MXCSR. */
enum {
	FPX_INVALID = 1,
	FPX_DENORM = 2,                /* x86: an operand was denormal; ARM: it was flushed (IDC) */
	FPX_DIVZERO = 4, FPX_OVERFLOW = 8, FPX_UNDERFLOW = 16, FPX_INEXACT = 32,
	FPX_ALL = 63,
	FPX_HIDDEN = 64,               /* RISC-V, fpflags: the host's status word may know of more; while fpflags is 0
	                                * the guest's own register is up to date */
};

/* The guest has written its flags, as it does before it looks at what an operation raises: from then on code is
 * made (anew: gmem_watch->renew) that keeps them exactly where that costs something.  Reading them does not
 * count: compilers' long double arithmetic does it, to wait for a trap. */
extern _Atomic u8 fp_seen;

struct fpenv {
	u8 rm;                         /* enum fprm, not RM_DYN */
	u8 nan;                        /* enum fpnan */
	u8 tinyafter;                  /* tininess is seen after rounding (x86, RISC-V), not before (ARM) */
	u8 fzin, fzout;                /* denormal operands, results become zero; not in F16 and its kin */
	u8 fz16;                       /* F16 denormals do */
	u8 ahp;
	u32 flags;                     /* FPX_*, sticky */
};

/* From cpu->fpmode and the region's NaN rule; flags start at 0. */
struct fpenv fp_env(u32 fpmode, enum fpnan nan);

u64 fp_add(struct fpenv *, enum fpfmt, u64 a, u64 b);
u64 fp_sub(struct fpenv *, enum fpfmt, u64 a, u64 b);
u64 fp_mul(struct fpenv *, enum fpfmt, u64 a, u64 b);
u64 fp_div(struct fpenv *, enum fpfmt, u64 a, u64 b);
u64 fp_sqrt(struct fpenv *, enum fpfmt, u64 a);
/* +-(a * b) +- c with one rounding */
u64 fp_fma(struct fpenv *, enum fpfmt, u64 a, u64 b, u64 c, int negproduct, int negaddend);

enum fpcmp { FPC_LT, FPC_EQ, FPC_GT, FPC_UN };
enum fpcmp fp_cmp(struct fpenv *, enum fpfmt, u64 a, u64 b, int signal);  /* signal: at quiet NaNs too */
/* num: a number wins over a quiet NaN */
u64 fp_min(struct fpenv *, enum fpfmt, u64 a, u64 b, int num);
u64 fp_max(struct fpenv *, enum fpfmt, u64 a, u64 b, int num);

/* -- fpconv.c -- */
u64 fp_rint(struct fpenv *, enum fpfmt, u64 a, enum fprm, int exact);     /* exact: raises inexact */
/* to an integer of `width` bits in floating point; too big becomes -2^(width-1), invalid */
u64 fp_rintn(struct fpenv *, enum fpfmt, u64 a, enum fprm, int width);
u64 fp_convert(struct fpenv *, enum fpfmt to, enum fpfmt from, u64 a);
/* round(a * 2^fbits) to an integer of width 1 to 64 bits, saturated; the result is zero-extended
 * from width.  nanmax: a NaN gives the largest integer instead of 0. */
u64 fp_toint(struct fpenv *, enum fpfmt, u64 a, enum fprm, int width, int uns, int fbits, int nanmax);
/* v / 2^fbits, v being the low `width` bits */
u64 fp_fromint(struct fpenv *, enum fpfmt, u64 v, int width, int uns, int fbits);
/* FJCVTZS: F64 to a 32-bit integer modulo 2^32; *exact gets the Z flag */
u32 fp_jcvtzs(struct fpenv *, u64 a, int *exact);

/* -- fparm.c: ARM's estimates and steps -- */
u64 fp_mulx(struct fpenv *, enum fpfmt, u64 a, u64 b);         /* 0 * inf = +-2 */
u64 fp_recpe(struct fpenv *, enum fpfmt, u64 a);
u64 fp_rsqrte(struct fpenv *, enum fpfmt, u64 a);
u64 fp_recps(struct fpenv *, enum fpfmt, u64 a, u64 b);        /* 2 - a * b */
u64 fp_rsqrts(struct fpenv *, enum fpfmt, u64 a, u64 b);       /* (3 - a * b) / 2 */
u64 fp_recpx(struct fpenv *, enum fpfmt, u64 a);
u32 fp_urecpe(u32 a);
u32 fp_ursqrte(u32 a);

/* -- fprv.c: RISC-V's estimates -- */
u64 fp_rec7(struct fpenv *, enum fpfmt, u64 a);
u64 fp_rsqrt7(struct fpenv *, enum fpfmt, u64 a);

static inline int
fp_width(enum fpfmt f)
{
	return f == FMT_F64 ? 64 : f == FMT_F32 ? 32 : 16;
}

static inline u64 fp_sign(enum fpfmt f) { return (u64)1 << (fp_width(f) - 1); }
static inline u64 fp_neg(enum fpfmt f, u64 a) { return a ^ fp_sign(f); }
static inline u64 fp_abs(enum fpfmt f, u64 a) { return a & ~fp_sign(f); }

#endif
