/* SPDX-License-Identifier: MIT */
/* x86.h - the x86-64 host: registers, and the interface between its driver and its emitters
 *
 * Register use.  rbp = cpu + CPU_BIAS.  rsp = shadow stack.  rax, rcx, rdx (and xmm0-xmm4) hold
 * temporaries.  All other registers are homes of the guest's highest-ranked variables, the same
 * everywhere: 11 integer ones, and 27 vector registers with AVX-512VL or 11 without.  (A twelfth would serve 1 to 2
 * per cent of the registers that code names; the third temporary serves every operation on two operands in memory.)
 * The other variables' homes are in the state record.  k1 = 1 always with AVX-512 (see "Scalar floats").
 *
 * An emitter is `int f(struct x86 *x, const struct ins *i)`; its line in sel.def / vsel.def says
 * whether it changes EFLAGS.  It
 *   1. decides whether it can do the instruction; if not returns 0 before calling anything else;
 *   2. calls xr_use / xv_use ... for its operands, which may emit loads;
 *   3. calls xr_def / xv_def once for its result, xr_tmp / xv_tmp for scratch registers;
 *   4. emits code, and returns 1.
 * A register handed out stays locked until the emitter returns.  Values whose last use is this
 * instruction are freed by the driver afterwards.  There are three integer and five vector temporaries in all
 * (two operands, two scratch and a result that overlaps none of them); an emitter may hold them
 * all (operands in homes cost none), never more: when an emitter needs many, it
 * asks for scratch registers *before* the result, and lets the result be computed last.
 *
 * Overlap.  The register of xr_def/xv_def may be that of an operand (one that dies here, or one
 * whose home is the result's home): write it in the instruction that reads the operands last, or
 * use xr_defx/xv_defx, which differs from all operands locked so far.  Ask for the operands first.
 *
 * Values.  A temporary narrower than 64 bits is zero-extended, except straight after `get`:
 * xr_use(x, r, 32) gives a register whose low 32 bits are the value and whose upper half is anything,
 * xr_use(x, r, 64) one that is zero-extended.  A result must be written zero-extended to 64.
 *
 * Scalar floats.  The bits of the vector register above the scalar are unspecified, but a `put` of a
 * scalar float to a REG_VEC variable must clear them; the driver emits a movq for that unless the emitter
 * said xv_zx(x, t): "the register is zero above the scalar".  With AVX-512VL a zero-masked packed
 * instruction with {k1}{z} does this for nothing (vaddpd xmm{k1}{z}: lane 0 computed, the rest zero, no
 * exceptions from masked lanes); loads (movss, movsd, movd, movq) do it anyway.
 *
 * compile() runs under the engine's translation lock; there is one struct x86. */
#ifndef BACKEND_X86_64_X86_H
#define BACKEND_X86_64_X86_H

#include "backend/alloc.h"
#include "backend/sel.h"
#include "backend/x86_64/asm.h"
#include "base/host.h"
#include "ir/ir.h"

enum {
	NRTEMP = 3,                    /* rax rcx rdx */
	NVTEMP = 5, NVMORE = 12,       /* xmm0 to xmm4 at least, to xmm11 at most: x86_nvtemp */
	NRSLOT = 64, NVSLOT = 28,      /* spill slots; cpu->vspill[28..31] pass operands to the evaluator */
	NCOND = 8,                     /* conditional branches whose places matter */
	CODE_MARGIN = 1024,            /* bytes that must be free before an instruction is emitted */
};

/* Host features, as found by init() less those hidden. */
struct x86feat {
	u8 popcnt, sse42, movbe, bmi1, bmi2, lzcnt, clmul, aes, sha, cx16, lahf;
	u8 avx, avx2, fma, f16c, vaes, vpclmul, gfni;
	u8 avx512;                     /* F, VL, BW, DQ, all usable */
	u8 vbmi, vbmi2, bitalg, vpopcnt, vnni, ifma, fp16, erms;
	u8 sse4a;                      /* AMD's */
	u8 callret, jumpcache;         /* habits of ours, hidden likewise: guest calls and returns are the host's; jumps
	                                  look into cpu->jc themselves */
};
extern struct x86feat x86feat;
extern u8 host_lostreturns;            /* after a system call the host predicts no return (hostcall.c) */

/* Where variables live; filled once by host->guest(). */
struct home {
	s8 reg;                        /* GPR or vector register, -1: memory */
	u8 kind;                       /* enum regkind */
	u16 bits;
	s32 disp;                      /* from rbp, always valid */
};
extern struct home x86_home[256];
extern int x86_nvtemp;                 /* vector registers that are temporary; the others are homes */
extern int x86_nvhome;                 /* vector registers that are homes */
extern int x86_avx512regs;             /* 1: homes may be in xmm16-xmm31, only EVEX reaches them */

int x86_hash(const u8 *p, size_t n, u8 (*sum)[32]);    /* blake2b.c; host.hash */

/* What EFLAGS hold while they are a FL value. */
enum flkind {
	FLK_ADD,                       /* N Z C V = SF ZF CF OF */
	FLK_SUB,                       /* ... but C = !CF */
	FLK_FCMP,                      /* set by [v]ucomis a, b or comis a, b: fcmp's meaning */
};

/* Code placed after the region's hot code: reached by a jump at `from`, may return to `back`. */
struct cold {
	u8 *from;                      /* rel32 field to be pointed here, or 0 */
	u8 *back;                      /* where an emitter's slow path goes on */
	void (*emit)(struct x86 *, const struct cold *);
	const struct ins *ins;
	u32 pcoff;                     /* guest pc for faults: that of the hot code */
	u32 n;
	u64 k;
	s8 reg[6];                     /* the emitter's notes */
	u8 look;                       /* of a loop with sunk puts, where it is reached from */
	u8 pad;
	u32 at;                        /* ... and offset of that; 0: no such loop */
};

/* A loop in which variables without a register lodge in registers of others (lodge.c). */
enum { LODGERS = 8, SURFACED = 2, UNTOLD = 4 };
struct lodging {
	u16 first, last;               /* its blocks */
	int until;                     /* in the last one: the instruction after the loop's last jump */
	u8 n, guest[LODGERS], lender[LODGERS];
	u32 site, fault;               /* offsets: of a field to be pointed at the other, where faults leave */
	const struct sinking *sunk;    /* the puts that are sunk in it, or 0 */
	u8 looks;                      /* of these, the looks so far; and the offsets of their code, and of the loop's end */
	u32 look[LOOKS + 1];
};
/* Of a block: 1 + number of its loop, or 0; its struct entry, or -1; where it is entered from outside the loop. */
struct door { u8 loop; int entry; u32 at; };

struct x86 {
	struct code a;                 /* first: (struct code *)x encodes */
	u8 *lim;                       /* end of the buffer less CODE_MARGIN */
	struct region *r;
	struct out *out;
	const struct block *b;
	struct val *val;               /* by ref */
	int i;                         /* the instruction being emitted */
	u32 lock[2];                   /* registers this instruction uses, by class */
	ref in[2][NVMORE];                  /* value in each temporary register, 0: none; dead ones stay until reused */
	ref slot[2][NRSLOT];           /* value in each spill slot, likewise */
	ref fl;                        /* value that EFLAGS hold, 0: none */
	u8 flkind;
	u8 nested;                     /* emitting an instruction inside its consumer */
	u8 failed;                     /* E2BIG: ran out of something */
	u8 mapped;                     /* the guest pc of this instruction has been recorded */
	u8 a32;                        /* 32-bit guest addresses */
	u32 pcoff;                     /* of the guest instruction */
	ref owedflags;                 /* the same of the flags variable, whose value is in EFLAGS, or 0 (xf_put) */
	ref owed; u8 owedvar;          /* a value that a variable has whose home was not told, or 0 (val_put) */
	struct cold *cold; int ncold, capcold;
	ref homed[256][4];             /* values in each home; dead ones stay until their place is needed */
	struct { ref k; u8 var; } kept[4]; int nkept;  /* constants in homes, some */
	struct { ref t; int bits; const u8 *at; } zf;  /* the value that ZF tells to be 0, if nothing came after `at` */
	struct { ref t; int until; const u8 *at; } cf; /* the sum whose carry is CF, likewise (carry.c) */
	/* -- branches (branch.c) -- */
	u32 *label;                    /* offset of each block's head, or ~0 */
	u16 *loop;                     /* the last block that jumps back to this one, and 1; 0: none does */
	u8 on;                         /* quick code: what a call returns to comes next (simple.h) */
	u32 turn;                      /* short functions so far */
	struct fixup { u32 site; u16 block; u8 isshort, isdoor; } *fix; int nfix, capfix;
	int guess;                     /* what looks near is jumped to by a signed byte */
	u32 cond[NCOND]; int ncond;    /* where conditional branches of the guest's end */
	int recursive;                 /* a block of the region is called from within */
	u8 *safe;                      /* by block: a safe point is at its head */
	int capval, caplabel, caploop, capsafe;
	/* -- lodgers (lodge.c) -- */
	struct lodging lodging[8]; int nlodging;
	struct lodging *lodged;        /* that of the code being made, or 0 */
	struct door *door; int capdoor;        /* by block */
	u8 lodges, evicted;            /* there may be some; 1: something has come up that does not go with them */
	u8 trusts;                     /* CF is relied on; evicted has UNTOLD if it did not tell what it should (carry.c) */
	/* -- sunk puts (surface.c); evicted has SURFACED if something does not go with them -- */
	struct sinking sunk[SINKS]; int nsunk;
};
extern struct x86 x86;

static inline const struct val *xval(const struct x86 *x, ref t) { return &x->val[t]; }
static inline int xlive(const struct x86 *x, ref t) { return x->val[t].last > x->i; }      /* used again later */

/* -- integer operands -- */
static inline int xr_use(struct x86 *, ref, int bits); /* a register with the value; constants too.  bits: 32 or 64 */
int xr_usem(struct x86 *, ref, int bits, struct mem *);        /* a register, or -1 and a memory operand */
/* The value at m, where xr_usem found it, in a temporary register, which later uses find too; or -1 if none is free or
 * there is no hurry.  Hosts take a load that only moves from a store before it without delay; an operation on memory
 * waits for the store, some 7 cycles.  Asks for no more than is free, so it may be called after xr_def. */
int xr_hurry(struct x86 *, ref, struct mem m);
static inline int xr_waits(const struct x86 *, ref);   /* it was stored lately */
int xr_usein(struct x86 *, ref, int reg, int bits);    /* in this very temporary, which may then be changed */
int xr_isreg(struct x86 *, ref);               /* 1: xr_use(.., 32) would emit nothing */
int xr_def(struct x86 *, ref t);               /* register for the result t (t = x->i) */
int xr_defx(struct x86 *, ref t);
int xr_isfree(const struct x86 *);     /* the result has no home to go to, and xr_defx will spill nothing */
int xr_tmp(struct x86 *);                      /* scratch until the end of the instruction */
/* reg is not needed any more */
static inline void
xr_done(struct x86 *x, int reg)
{
	if (reg >= 0 && reg < NRTEMP)
		x->lock[0] &= ~(1u << reg);
}

/* this very temporary (RAX, RCX, RDX) as scratch, moving what is in it */
/* A home that holds the constant, or -1. */
static inline int
xr_kept(const struct x86 *x, ref k)
{
	for (int n = 0; n < x->nkept; n++)
		if (x->kept[n].k == k)
			return x86_home[x->kept[n].var].reg;
	return -1;
}

int xr_take(struct x86 *, int reg);

void xr_set(struct x86 *, ref t, int reg);     /* the result t is in this locked temporary */
static inline int x_isk(struct x86 *x, ref t, s64 *v) { return isk(t) ? *v = (s64)kval(x->r, t), 1 : 0; }

static inline int
xr_waits(const struct x86 *x, ref t)
{
	return x->val[t].slot || x->r->changes[x->val[t].var];
}

/* -- vector operands -- */
static inline int xv_use(struct x86 *, ref);   /* a register with the value; may be xmm16 and up */
int xv_low(struct x86 *, ref);                 /* ... in xmm0-15 (for VEX-only instructions); not to be changed */
int xv_copy(struct x86 *, ref);                /* ... in a temporary that may be changed */
int xv_usem(struct x86 *, ref, struct mem *);  /* register, or -1 and a 16-byte aligned memory operand */
int xv_def(struct x86 *, ref t);
int xv_defx(struct x86 *, ref t);
int xv_deflow(struct x86 *, ref t);            /* xmm0-15; may coincide with an operand as xv_def may */
int xv_tmp(struct x86 *);                      /* scratch, one of xmm0-xmm4 */
int xv_defisfree(struct x86 *, ref t);         /* 1: xv_def will not take another temporary */
void xv_set(struct x86 *, ref t, int reg);     /* the scratch register holds the result */
void xv_zx(struct x86 *, ref t);               /* result t is zero above the scalar */

/* moves, of 128 bits; any registers.  xv_load: 2, 4, 8, 16 bytes, zeroing above; xv_store likewise */
void xv_mov(struct x86 *, int d, int s);
void xv_load(struct x86 *, int bytes, int d, struct mem);
void xv_store(struct x86 *, int bytes, int s, struct mem);

void xv_zero(struct x86 *, int d);
void xv_clear(struct x86 *, int bits, int d, int s);   /* d = the low 16, 32 or 64 bits of s, 0 above */

/* A 16-byte constant, aligned, as a RIP-relative operand.  They are shared and live for ever: for
 * constants of emitters, and guest immediates of which there are few. */
struct mem xv_const(u64 lo, u64 hi);
/* The address of a function or table of this program. */
void x_cptr(struct x86 *, int reg, const void *);

/* The register that holds the low `bits` of a value as it is, or -1. */
static inline int
x_place(const struct x86 *x, ref t, int bits)
{
	const struct val *v = &x->val[t];
	int reg;

	if (v->reg >= 0)
		return v->reg;
	if (v->var == NOVAR || (v->flags & VAL_NARROW && bits > ty_bits(v->ty)))
		return -1;
	if ((reg = x86_home[v->var].reg) < 0 && v->var2 != NOVAR)
		reg = x86_home[v->var2].reg;
	return reg;
}

int xr_fetch(struct x86 *, ref, int bits);     /* xr_use, xv_use of what is not in a register */
int xv_fetch(struct x86 *, ref);

static inline int
xr_use(struct x86 *x, ref t, int bits)
{
	int reg;

	if (isk(t) || (reg = x_place(x, t, bits)) < 0)
		return xr_fetch(x, t, bits);
	x->lock[0] |= 1u << reg;
	return reg;
}

static inline int
xv_use(struct x86 *x, ref t)
{
	int reg;

	if (isk(t) || (reg = x_place(x, t, 64)) < 0)
		return xv_fetch(x, t);
	x->lock[1] |= 1u << reg;
	return reg;
}

/* -- flags -- */
void xf_def(struct x86 *, ref t, enum flkind); /* EFLAGS, set by the code just emitted, are the value of t */
void xf_save(struct x86 *);                    /* EFLAGS are about to change: keep a live value (SEL_CLOB does it) */
/* Brings FL value t to EFLAGS and returns the host condition that is true when cc holds; *cc2 gets -1 or a
 * second one: if (*and) both must hold, else either. */
int xf_cond(struct x86 *, ref t, int cc, int *cc2, int *and);

/* d = the condition as 0 or 1; temporaries needed: none but d */
int xf_setcc(struct x86 *, int cc, int cc2, int and, int d);
void xf_put(struct x86 *, const struct ins *);
void xf_save_cold(struct x86 *, enum flkind);   /* for cold code: EFLAGS, of that kind, to rax; rcx is lost */

/* -- memory -- */
struct mem x_addr(struct x86 *, const struct ins *);   /* address of an ld, st; locks its registers */

static inline struct mem m_cpu(size_t off) { return mem_at(RBP, (s32)off - CPU_BIAS); } /* a member of struct cpu */

/* -- cold code -- */
struct cold *x_cold(struct x86 *, u8 *from, void (*emit)(struct x86 *, const struct cold *));

/* -- values, for the driver (val.c) -- */
void val_begin(struct x86 *);                  /* a region starts: nothing is anywhere */
void val_get(struct x86 *, ref t);             /* t = get */
void val_put(struct x86 *, const struct ins *);
void val_under(struct x86 *, ref t, int var);  /* the home of var holds t, extended */
void val_leavehome(struct x86 *, int var);     /* the home of var is about to change: save values that live in it */
void val_inhome(struct x86 *, ref t, int var); /* t is now in the home of var */
void val_spillall(struct x86 *);               /* C code is about to run: nothing stays in temporaries */
int x_emit(struct x86 *, ref t);               /* emits instruction t now (driver, host.c) */
void x_map(struct x86 *);                      /* the next byte may fault: records the guest pc */

int x_plain(struct x86 *, const struct ins *, helper_fn *);    /* call.c */

/* -- the vector side -- */
extern const struct sel x86_vsel[O_COUNT];     /* vec*.c, fp*.c; built from vsel.def in vec.c */
int x86_disasm(const u8 *code, u32 n, u64 at, char *buf, size_t size);  /* disasm.c */
int x86_fpfault(void *ucontext, struct cpu *); /* fpfault.c: as host->fpfault */
void x86_vinit(struct code *);                 /* fpslow.c: its common stubs */
void fp_guest(int rule);                        /* fpmode.c: code for this rule is about to be run */
void fp_begin(const struct region *);          /* fpmode.c: code of this region is about to be made */
int fp_byhand(const struct region *);           /* fp.c: the evaluator does all that touches flags */
void fp_emptied(void);                         /* fpmode.c: as host->emptied */
extern int fp_npend, fp_looking;               /* fppend.c, fpslow.c: results wait for a look; if so, before each: */
void fp_before(struct x86 *, const struct ins *);
/* MXCSR: the guest's, or back to C's with flags gathered; changes rcx, rdx */
int fp_flags(struct x86 *, const struct ins *);        /* the call of a HELP_FLAGS helper */
void fp_gather(struct code *);                  /* MXCSR to rdx, its flags to rcx and into cpu->fpflags */
void fp_control(struct code *, int enter);

static inline int isvhi(int r) { return r > 15; }

#endif
