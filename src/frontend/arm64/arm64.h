/* SPDX-License-Identifier: MIT */
/* arm64.h - the AArch64 guest: its registers, its decoders, and who translates what
 *
 * An instruction word whose bits 27 and 26 are both set is floating point or SIMD and belongs to
 * simd.isa (prefix a64v) and simd_translate; every other belongs to base.isa (prefix a64).
 *
 * Two conventions about register 31: the zero register, for which a64_get yields the constant 0
 * and a64_put does nothing, and sp, for which there are a64_getsp and a64_putsp.
 *
 * W-register operations work on I32 values; they are zero-extended by nature (ir.h), so putting
 * one to the 64-bit variable is what the architecture asks for. */
#ifndef ARM64_H
#define ARM64_H

#include "base/model.h"
#include "frontend/tr.h"

enum {
	A64_X0 = 0, A64_LR = 30, A64_SP, A64_PC, A64_NZCV, A64_V0,
	A64_FPSR = A64_V0 + 32, A64_FPCR, A64_TPIDR, A64_TPIDRRO,
	A64_QC,                        /* FPSR.QC, set if any of its 128 bits is (simd.c) */
	A64_NREG
};

/* Places in cpu->state, as in regs.def, for C code that looks at guest state in memory. */
enum {
	A64_OFF_NZCV = 256, A64_OFF_FPSR = 264, A64_OFF_FPCR = 272, A64_OFF_TPIDR = 280,
	A64_OFF_QC = 304, A64_OFF_KEEPS = 320, A64_OFF_V0 = 512, A64_VSTRIDE = 16,
};
extern const struct guest guest_aarch64;       /* guest.c */

static inline u64 *a64_state(struct cpu *cpu, int off) { return (u64 *)(void *)(cpu->state + off); }
static inline void *a64_vreg(struct cpu *cpu, int n) { return cpu->state + A64_OFF_V0 + n * A64_VSTRIDE; }

/* FPCR as an EL0 program sees it, and what of it selects other code (guest->mode): the rounding
 * mode does not, it lives in the host's control word. */
enum {
	FPCR_FZ16 = 1 << 19, FPCR_RMODE = 3 << 22, FPCR_FZ = 1 << 24, FPCR_DN = 1 << 25,
	FPCR_AHP = 1 << 26,
	FPCR_MASK = FPCR_FZ16 | FPCR_RMODE | FPCR_FZ | FPCR_DN | FPCR_AHP,
	FPCR_MODE = FPCR_FZ16 | FPCR_FZ | FPCR_DN | FPCR_AHP,
	A64_KEEPS = 1,                 /* not of FPCR: the program has procedures that answer in flags (guest->keeps) */
};

/* -- helpers: numbers into guest->helper -- */
enum a64_helper {
#define HELPER(name, flags) H_##name,
#include "frontend/arm64/helper.def"
#undef HELPER
	H_COUNT
};
extern const struct helper a64_helpers[H_COUNT];       /* helper.c */

/* Features, by bit of cpu_model.have (base/model.h). */
enum a64_feature {
#define FEATURE(name, word, bit, reg, lo, value) A64F_##name,
#include "frontend/arm64/feature.def"
#undef FEATURE
	A64F_COUNT
};

/* -- base.isa (decode.c, disasm.c) -- */
#include "arm64/base.h"

int a64_simple(const u8 *p, int n, gaddr pc, struct simple *);         /* simple.c: as guest->simple, */
int a64_perform(u32 w, int n, gaddr pc, struct run *);               /* as guest->perform */

/* Logical immediates, DDI 0487 DecodeBitMasks: the value of n:immr:imms for 32 or 64 bits; 0 if
 * reserved (no valid one is 0). */
u64 a64_bitmask(int sf, int n, int immr, int imms);
int a64_isbitmask(const struct a64_insn *);
int a64_ismovwide(const struct a64_insn *);    /* movz or movn can make it: no alias mov */

/* The text of a register, condition or number as the manual writes them, for both printers:
 * each returns the length. */
int a64_textreg(char *buf, size_t n, int x, int sp, int reg);  /* x: 64 bits; sp: 31 is sp */
int a64_textimm(char *buf, size_t n, s64 v);                   /* #10, #-0x20 */
int a64_textcond(char *buf, size_t n, int cond);
int a64_disasm(const u8 *p, int n, gaddr pc, char *buf, size_t size);

/* -- what the translators of all families share (translate.c) -- */
static inline int a64_ty(int sf) { return sf ? I64 : I32; }

static inline ref
a64_get(struct tr *t, int ty, int reg)
{
	return reg == 31 ? tr_k(t, 0) : tr_get(t, ty, A64_X0 + reg);
}

static inline void
a64_put(struct tr *t, int ty, int reg, ref v)
{
	if (reg != 31)
		tr_put(t, ty, A64_X0 + reg, v);
}

static inline ref
a64_getsp(struct tr *t, int ty, int reg)
{
	return tr_get(t, ty, A64_X0 + reg);
}

static inline void
a64_putsp(struct tr *t, int ty, int reg, ref v)
{
	tr_put(t, ty, A64_X0 + reg, v);
}

static inline ref a64_flags(struct tr *t) { return tr_get(t, FL, A64_NZCV); }
static inline void a64_setflags(struct tr *t, ref fl) { tr_put(t, FL, A64_NZCV, fl); }
/* nzcv: a number as in ccmp, N in bit 3; as flag bits of ir.h */
u32 a64_nzcv2fl(int nzcv);

/* register reg extended and shifted as ext (option field 0-7: uxtb ... sxtx) says, to ty */
ref a64_extend(struct tr *t, int ty, int reg, int ext, int shift);
/* base register plus extended or shifted index of register-offset loads and stores: sets *index
 * and the aux bits that name its extension and shift (0..3; 4: *index is already shifted) */
int a64_index(struct tr *t, int rm, int ext, int shift, ref *index);

/* one instruction of base.isa, decoded; by id */
typedef int a64_translator(struct tr *, const struct a64_insn *);
#define T(name, function) a64_translator a64_tr_##function;
a64_TRANSLATORS(T)
#undef T

int a64_translate(struct tr *);
enum excl a64_excl(const u8 *p, int n);
void a64_scan(const u8 *p, int n, gaddr pc, struct scan *);
int a64_quiet(const u8 *p, int n, gaddr pc, int max);
int a64_skip(const u8 *p, int n, gaddr pc, u8 *mark, int *bytes);

/* -- system registers and features (sys.c) -- */
void a64_scansys(const struct a64_insn *, struct scan *);
int a64_textsysreg(char *buf, size_t n, int sysreg);
int a64_sysvar(int sysreg);                     /* the variable that mrs reads, or -1 */
u64 a64_hwcap(int which);                      /* AT_HWCAP (1) and AT_HWCAP2 (2), from feature.def */

/* -- processor models (model.c) -- */
extern const struct cpumodel a64_models[];
extern const char *const a64_features[A64F_COUNT];
u32 a64_midr(void);                            /* MIDR_EL1 of the model in force */

/* -- floating point and SIMD (simd*.c, fp*.c) -- */
int simd_translate(struct tr *t, u32 w);       /* as guest->translate, for one word; t->next is set */
void simd_scan(u32 w, struct scan *);
int simd_disasm(u32 w, gaddr pc, char *buf, size_t size);      /* 0: not a valid word */
/* guest->fpenter and fpleave (sys.c): FPCR to cpu->fpmode; cpu->fpflags and QC to FPSR. */
void arm64_fpenter(struct cpu *), arm64_fpleave(struct cpu *);

#endif
