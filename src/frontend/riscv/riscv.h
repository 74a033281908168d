/* SPDX-License-Identifier: MIT */
/* riscv.h - the RISC-V guest: its state, its registers by number, and what its files share
 *
 * decode.c turns bytes into one struct riscv_insn, whether the instruction has 16 or 32 bits;
 * translate.c, amo.c and fp.c hold the translators that the lines of riscv.isa name (a line's
 * `alu` is rv_alu here); helper.c is what they call at run time; guest.c fills struct guest.
 *
 * Floating point.  The host's control word follows frm, so instructions with the dynamic mode need
 * not know it, as long as it is one that hosts have (0 to 3); code for the others (4, ties away,
 * and 5 to 7, invalid) is translated apart: rv_mode.  The sticky flags gather in the host's status
 * word or cpu->fpflags; the fflags part of the slot fcsr holds what was folded in so far, so the
 * true value is both together (rv_fold).  A look at the status word waits for all arithmetic before it.  So
 * when a program often reads its flags (gcc does around each inline square root and quiet comparison), those
 * that are clear trap the first time they are raised (cpu->fpwatch): until one has, the slot is all there is.
 */
#ifndef FRONTEND_RISCV_H
#define FRONTEND_RISCV_H

#include "base/cpu.h"
#include "base/guest.h"
#include "base/model.h"
#include "frontend/tr.h"

/* CSRs a program may name, and what an instruction does to one */
enum { CSR_FFLAGS = 1, CSR_FRM, CSR_FCSR, CSR_VSTART = 8, CSR_VXSAT, CSR_VXRM, CSR_VCSR = 15,
       CSR_CYCLE = 0xc00, CSR_TIME, CSR_INSTRET, CSR_VL = 0xc20, CSR_VTYPE, CSR_VLENB };
enum { CSR_READ, CSR_WRITE, CSR_SET, CSR_CLEAR };

/* Features, by bit of cpu_model.have (base/model.h), and their kinds; a line without need= needs the first. */
enum rv_feature {
#define FEATURE(name, bit, kind, needs) RVF_##name,
#include "frontend/riscv/feature.def"
#undef FEATURE
	RVF_COUNT
};
enum {
	NOPROBE = -1,
	NEEDED = 1, PART,
#define FEATURE(name, bit, kind, needs) | (u64)(kind == NEEDED) << RVF_##name
	RV_NEEDED = 0
#include "frontend/riscv/feature.def"
	,
#undef FEATURE
#define FEATURE(name, bit, kind, needs) | (u64)(kind == PART) << RVF_##name
	RV_PARTS = 0
#include "frontend/riscv/feature.def"
#undef FEATURE
};

#include "riscv/riscv.h"
#include "riscv/rvv.h"

/* at the start of cpu->state: the integer registers are reached with one byte of displacement */
struct riscv_state {
	u64 x[32];                     /* x[0] is never written */
	u64 f[32];                     /* narrower values are NaN-boxed */
	u64 fcsr;                      /* frm in bits 7:5, fflags in 4:0; bits above are 0 */
	u64 vcfg;                      /* vl, vtype and vstart: vector.h */
	u64 vcsr;                      /* vxrm in bits 2:1, vxsat in 0 */
	_Alignas(16) u8 v[32][16];
	u64 vctl;                      /* VCTL_*: whether this thread and the programs it executes may use vectors */
	u32 loose;                     /* MODE_LOOSE, or 0 */
};

/* PR_RISCV_V_SET_CONTROL's word (Documentation/arch/riscv/vector.rst): two bits for now, two for after execve, and
 * whether those stay */
enum { VCTL_DEFAULT, VCTL_OFF, VCTL_ON, VCTL_CUR = 3, VCTL_NEXT = 2, VCTL_INHERIT = 16, VCTL_ALL = 31 };
extern u64 rv_vctl;                    /* of a process's first thread */

/* guest->mode: frm if hosts do not have it as a mode, else 0; vectors are off; guest->loose */
enum { MODE_FRM = 7, MODE_NOVEC = 8, MODE_LOOSE = 16 };

enum {
#define REG(name, field, bits, kind, type, group, rank) RV_##name,
#define CREG REG
#include "frontend/riscv/regs.def"
#undef CREG
#undef REG
	RV_COUNT,
	RV_F0 = RV_ft0,
};

static inline struct riscv_state *
riscv_state(struct cpu *cpu)
{
	return (struct riscv_state *)cpu->state;
}

/* fcsr */
enum { FCSR_NX = 1, FCSR_UF = 2, FCSR_OF = 4, FCSR_DZ = 8, FCSR_NV = 16, FCSR_FLAGS = 31, FCSR_RM = 5 };
enum { FRM_RMM = 4, FRM_DYN = 7 };     /* ties away; in an instruction: dynamic */

/* -- decode.c -- */
/* The instruction in the n readable bytes at p: its length, 2 or 4, or 0 if it does not fit; *word
 * gets its bits, and a->id is riscv_none if it is undefined. */
int rv_decode(const u8 *p, int n, struct riscv_insn *a, u32 *word);
int rv_disasm(const u8 *p, int n, gaddr pc, char *buf, size_t size);
static inline int
rv_isbranch(const struct riscv_insn *a)
{
	switch (a->id) {
	case riscv_beq: case riscv_bne: case riscv_blt: case riscv_bge: case riscv_bltu: case riscv_bgeu:
		return 1;
	}
	return 0;
}

/* Whether a, a branch of len bytes at p, goes over the next instruction, *b, and that only computes: RISC-V has no
 * conditional moves, so compilers write them so, and whether they branch is often anybody's guess.  *both: the
 * length of the two. */
int rv_skips(const struct riscv_insn *a, int len, const u8 *p, int n, struct riscv_insn *b, int *both);
enum excl rv_excl(const u8 *p, int n);
void rv_scan(const u8 *p, int n, gaddr pc, struct scan *);
int rv_skip(const u8 *p, int n, gaddr pc, u8 *mark, int *bytes);

/* -- translators -- */
int rv_translate(struct tr *);
#define DECLARE(name, function) int rv_##function(struct tr *, const struct riscv_insn *);
riscv_TRANSLATORS(DECLARE)
#undef DECLARE
extern int (*const rv_translator[riscv_COUNT])(struct tr *, const struct riscv_insn *);

/* -- simple.c -- */
int rv_simple(const u8 *p, int n, gaddr pc, struct simple *);          /* as guest->simple, */
int rv_perform(u32 w, int n, gaddr pc, struct run *);                /* as guest->perform */

/* -- settle.c -- */
void rv_settle(struct cpu *, gaddr from);       /* base/guest.h */

/* -- bytes.c -- */
/* the n bytes at base + disp, if this block has just stored each of them alone; else 0 */
ref rv_frombytes(struct tr *, ref base, s32 disp, int n);

/* integer register n, x0 being a constant; operations of 32 bits look at its low half */
static inline ref
rv_get(struct tr *t, int n)
{
	return n ? tr_get(t, I64, n) : tr_k(t, 0);
}

static inline void
rv_put(struct tr *t, int n, ref v)
{
	if (n)
		tr_put(t, I64, n, v);
}

/* puts the low 32 bits of v, sign-extended, as all instructions on words do */
static inline void
rv_putw(struct tr *t, int n, ref v)
{
	rv_put(t, n, tr_sxt(t, I64, v, 32));
}

/* May the code use vectors? */
static inline int rv_hasv(const struct tr *t) { return model_has(RVF_v) && !(t->mode & MODE_NOVEC); }

extern const struct guest guest_riscv64;
u32 rv_mode(const struct cpu *);
static inline u32
rv_frm(const struct cpu *cpu)
{
	return (u32)bits(((const struct riscv_state *)cpu->state)->fcsr, FCSR_RM, 3);
}

/* -- model.c -- */
extern const struct cpumodel rv_models[];
extern const char *const rv_features[RVF_COUNT];
extern const u8 rv_needs[RVF_COUNT];
extern const struct cpusetting rv_settings[];

/* -- helper.c -- */
enum { RV_TIMEBASE = 10000000 };       /* ticks of the CSR time a second */
enum { RVH_FCSR, RVH_GETFLAGS, RVH_SETFLAGS, RVH_TIME, RVH_VDSO, RVH_FENCEI, RVH_FCVTMOD, RVH_VECTOR, RVH_LIGHT,
	RVH_COMPRESS, RVH_IOTA, RVH_LOOSEN, RVH_COUNT };
extern const struct helper rv_helper[RVH_COUNT];
void rv_fpenter(struct cpu *);
void rv_fpleave(struct cpu *);
void rv_fold(struct cpu *);             /* cpu->fpflags into the slot fcsr */

#endif
