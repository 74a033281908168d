/* SPDX-License-Identifier: MIT */
/* fpx.h - what the emitters of floating point share
 *
 * NaNs.  x86 computes what the guests do except for what becomes of NaNs; how that is mended
 * depends on the region's rule (enum fpnan) and the host:
 *  - NAN_TRAP (ARM, host with AVX): all differences come with an invalid operation (the default NaN's
 *    sign; which of several NaNs wins when one is signalling), and MXCSR leaves IE unmasked, so the code is
 *    the bare instruction and x86_fpfault() computes what the guest wants.  fma is the exception, see there.
 *  - NAN_CANON (RISC-V, ARM with FPCR.DN): a NaN result is looked for after each operation and
 *    replaced by the canonical one in cold code.
 *  - NAN_SLOW (ARM without AVX, or when there have been many traps): a NaN result is looked for, and
 *    cold code has the evaluator do the operation again.  The operands must still be there: the
 *    result takes a register of its own.
 *  - NAN_NONE (x86 guests).
 * Cold code calls the evaluator through x86_slow(), which keeps every register but the result's.
 *
 * Sticky flags gather in MXCSR (and, from evaluator and traps, in cpu->fpflags); an operation that x86 would
 * raise other flags for must be kept from executing until the slow path has been decided on.
 *
 * ARM sees tininess before rounding, x86 after.  Under FZ results that round up to the least normal number are
 * looked for (fp_mayround).  Without it that is about the underflow flag alone, and done once the guest cares for
 * its flags (fp_exact).  Under FZ MXCSR raises underflow and inexact together and tells of no denormal that
 * it takes for zero: when the guest cares, the evaluator does everything (fp_byhand). */
#ifndef BACKEND_X86_64_FPX_H
#define BACKEND_X86_64_FPX_H

#include "backend/x86_64/vec.h"
#include "base/fp.h"

enum nanrule { NAN_TRAP, NAN_CANON, NAN_SLOW, NAN_NONE };
enum nanrule fp_rule(const struct x86 *);
int fp_soft(void);                     /* fpmode.c: traps have been too many, NAN_SLOW instead */
int fp_exact(void);                    /* the guest cares for its flags (fp_seen) */
int fp_toomany(void);                  /* one more trap: 1 when that is so from now on */

/* fpmode.c: stmxcsr and ldmxcsr of a slot in cpu */
struct mem fp_mxslot(void);
void fp_mxcsr(struct code *, int load);

/* 1: a float type of lanes of 32 or 64 bits, scalar or of 128 bits */
static inline int
isfp(int ty)
{
	int lane = ty_lane(ty);

	return (lane == F32 || lane == F64) && (!ty_isvec(ty) || ty_bits(ty) == 128);
}

/* Registers of an instruction for its slow path; -1 none.  d: vector register, or integer register
 * when the result is an integer; a result that is FL comes in EFLAGS.  t: scratch for comparing lanes.
 *
 * Registers are all asked for before the first jump to cold code: what asking emits (spills, moves) must not be
 * jumped over. */
struct fpregs { int d, a, b, c, t; };
static inline struct fpregs noregs(void) { return (struct fpregs){-1, -1, -1, -1, -1}; }
int fp_tmp(struct x86 *, int ty);      /* the scratch t, if lanes of the type need it, or -1 */

/* At a jump (the rel32 field `from`): cold code that has the evaluator do instruction i, then goes on at
 * the place x_back() names.  Operands must be in registers.  ->n = 1: r.d keeps what is above an F32. */
struct cold *fp_slow(struct x86 *, u8 *from, const struct ins *, struct fpregs);
/* The evaluator does the instruction again if its result r.d is a NaN: looked at here, or with the next one's.
 * boxed: as ->n above. */
void fp_looklater(struct x86 *, const struct ins *, struct fpregs, int boxed);
void fp_lookbegin(void);
void fp_looknow(struct x86 *);
int fp_canwait(struct x86 *, const struct ins *);
/* The hot code after the instruction starts here: all its cold paths return to it. */
void fp_back(struct x86 *, int firstcold);

/* unless the current rounding mode is the one the instruction names: slow path */
void fp_rmguard(struct x86 *, const struct ins *, struct fpregs);

/* after an operation: deals with a NaN in the result r.d as the rule says */
void fp_nancheck(struct x86 *, const struct ins *, struct fpregs);

/* fp.c: whether the result must be looked at for tininess; does so (before fp_nancheck); a scratch for both */
int fp_mayround(const struct x86 *, const struct ins *);
void fp_tinycheck(struct x86 *, const struct ins *, struct fpregs);
int fp_looktmp(struct x86 *, const struct ins *);

/* May the evaluator be asked after the operation?  Then operands stay, in registers. */
static inline int
fp_keeps(const struct x86 *x, const struct ins *i)
{
	return fp_rule(x) == NAN_SLOW || (i->aux & FP_RM) != RM_DYN || fp_mayround(x, i);
}

/* Before operands are asked for: saves live flags if the functions above will emit a test. */
static inline void
fp_saveflags(struct x86 *x, const struct ins *i)
{
	if (i->aux & FP_RM || fp_mayround(x, i) || fp_rule(x) == NAN_CANON || fp_rule(x) == NAN_SLOW)
		xf_save(x);
}

/* compares registers a and b for being unordered, in any lane; the jump to be taken then */
u8 *fp_unordered(struct x86 *, int ty, int a, int b, int t);

/* -- fppend.c: NAN_CANON of scalars for RISC-V: results whose NaNs have not been looked for yet -- */
void fp_pendbegin(void);
void fp_pend(struct x86 *, ref t, int isbox);
int fp_ispending(ref t);

/* -- fpcvt.c: boxes of F32, see there -- */
int fp_boxedhome(const struct x86 *, ref); /* the register where the value has its box above it, or -1 */
/* The register where the value being made wants to be boxed, or -1.  It is to be made there, with what is above a boxed
 * operand; then the box needs no code. */
int fp_boxes(struct x86 *);

/* immediate of roundsd for the mode in aux, or -1 */
int fp_roundimm(int aux);

/* Ties away from zero: d = a rounded (t, u scratch), after the jump taken for lanes without a fraction. */
u8 *fp_nofraction(struct code *, int bits, int packed, int a, int t);
void fp_away(struct code *, int bits, int packed, int d, int a, int t, int u);

int fp_predicate(int rel, int signal);         /* of VCMPPS, or -1 */

/* -- fphalf.c: the emitters of fp.c and fpcmp.c for F16 -- */
int ef_half(struct x86 *, const struct ins *), ef_halfminmax(struct x86 *, const struct ins *);
int ef_halffma(struct x86 *, const struct ins *), ef_halfcmp(struct x86 *, const struct ins *);
int ef_halfvset(struct x86 *, const struct ins *);

/* May the result be zeroed above the scalar for nothing, and is it any use? */
int fp_zeromask(struct x86 *, int ty);

#endif
