/* SPDX-License-Identifier: MIT */
/* ir.h - the language between guests and hosts
 *
 * A *region* is what is translated at once: some blocks of guest code in address order.  A *block*
 * is straight-line code with one entry at its top; it may be left in the middle (side exits), so
 * fall-through code that nothing jumps to continues the same block.  A block ends with a
 * terminator.
 *
 * An instruction has an operation (op.def), a type, up to three operands and yields at most one
 * value, a *temporary*, which lives until the end of its block and is assigned once.  An operand
 * is a *ref*: the index of an instruction of the same block, or K(n): entry n of the region's table
 * of constants.  0 is no operand.
 *
 * *Variables* are guest registers, by number (base/guest.h).  `get v` reads one, `put v, t` writes
 * one.  On a real host the highest-ranked variables live in fixed registers everywhere, the others
 * in the state record; so an edge between blocks, or regions, moves nothing, and there are no phis.
 * Guest state is precise: at any instruction that may fault or leave, exactly the puts before it
 * (in order) have happened.  The builder merges repeated gets, forwards puts to gets, folds
 * constants, and merges equal pure instructions within a block.
 *
 * Types.  Integers of 8 to 64 bits: a temporary narrower than 64 bits is zero-extended, always, so
 * widening to unsigned is free and an I32 can be put to a 64-bit variable as it is.  Floats F16 F32
 * F64.  FL, flags.  Vectors: VEC(lane, log) with lanes of any of those and 2^log bits (128 to 2048);
 * 64-bit AArch64 vector operations use V128 types and the translator clears the upper half (op
 * vlow).  An operand of a vector operation may have other lanes than the operation, as long as it is
 * as wide: lanes are the reader's view.  A scalar float temporary lives in a host vector register
 * whose bits above the scalar are unspecified; `put` of a scalar float to a vector variable clears
 * everything above the scalar (AArch64 scalar writes do); to a REG_FP variable an F64 is put as is,
 * an F32 must be boxed with op fbox (RISC-V NaN boxing) and unboxed with funbox.
 *
 * Flags.  A value of type FL holds N, Z, C, V (and for some guests P, A) at the bits below; the
 * other bits mean nothing and must be masked by who looks.  This is the layout that x86 `lahf; seto
 * al` leaves in ax, chosen because the first host then keeps a flags variable in two instructions.
 * C after a subtraction is "no borrow" (as on ARM); guests that see a borrow invert it in their
 * conditions.  The flags variable of a guest is read and written with get and put like any other,
 * with type FL; dead.c drops puts that no path reads; hosts keep flags in their own flags register
 * between producer and consumer.
 *
 * Memory.  ld and st have a base (ref), optional index (ref) shifted left by `scale`, and a signed
 * displacement `imm`.  Type of ld/st = type of the datum; ld of an integer zero-extends, `lds`
 * sign-extends to 64 (to 32 when aux has AUX_S32).  Byte order and ordering are attributes in aux.
 *
 * Floating point follows the guest's rules for NaNs through the region's `fp` record: enum fpnan.
 * Rounding is the host control word's, kept equal to the guest's dynamic mode, unless aux names
 * one.  Sticky exception flags gather in the host's status word (backend) or in cpu (interpreter).
 */
#ifndef IR_IR_H
#define IR_IR_H

#include "base/cpu.h"
#include "base/fp.h"
#include "base/guest.h"
#include "base/util.h"
#include "base/word.h"

/* -- types -- */
enum ty {
	I8, I16, I32, I64, I128, F16, F32, F64, FL, N,         /* N: no value */
	LANE = 15,
};
/* vector of lanes t, 2^log bits in all: log 7 = 128 ... 11 = 2048; 6 = 64 bits (in ld/st only) */
#define VEC(t, log) ((t) | ((log) - 5) << 4)
#define V8   VEC(I8, 7)
#define V16  VEC(I16, 7)
#define V32  VEC(I32, 7)
#define V64  VEC(I64, 7)
#define V128 VEC(I128, 7)
#define VF16 VEC(F16, 7)
#define VF32 VEC(F32, 7)
#define VF64 VEC(F64, 7)

static inline int ty_lane(int ty) { return ty & LANE; }
static inline int ty_isvec(int ty) { return ty >> 4 != 0; }
static inline int ty_isfloat(int ty) { return ty >= F16 && ty <= F64; }        /* scalar float */

static inline int
ty_lanebits(int ty)
{
	static const u8 b[] = {8, 16, 32, 64, 128, 16, 32, 64, 64, 0};

	return b[ty & LANE];
}

static inline int ty_bits(int ty) { return ty_isvec(ty) ? 1 << ((ty >> 4) + 5) : ty_lanebits(ty); }
static inline int ty_nlanes(int ty) { return ty_bits(ty) / ty_lanebits(ty); }

/* -- flags, as bits of an FL value -- */
enum { FL_V = 1 << 0, FL_C = 1 << 8, FL_P = 1 << 10, FL_A = 1 << 12, FL_Z = 1 << 14, FL_N = 1 << 15,
       FL_NZCV = FL_N | FL_Z | FL_C | FL_V };

/* -- conditions: of an FL value (fcc, flsel, brf), numbered as AArch64 and ARM number them -- */
enum cc {
	CC_EQ, CC_NE, CC_CS, CC_CC, CC_MI, CC_PL, CC_VS, CC_VC,
	CC_HI, CC_LS, CC_GE, CC_LT, CC_GT, CC_LE, CC_AL, CC_NV,
};
/* -- relations: of two integers (set, brc) or two floats (fset: EQ LT LE UN only) -- */
enum rel { R_EQ, R_NE, R_LTU, R_GEU, R_LTS, R_GES, R_LEU, R_GTU, R_LES, R_GTS, R_TST /* (a & b) != 0 */, R_NTST, R_UN };

/* -- aux of ld, st and atomics -- */
enum {
	AUX_SCALE = 3,                 /* index shift 0..3 */
	AUX_BE = 1 << 2,               /* big-endian datum */
	AUX_ACQ = 1 << 3, AUX_REL = 1 << 4, AUX_SC = 1 << 5,
	AUX_ALIGN = 1 << 6,            /* must be aligned to its size: TRAP_ALIGN otherwise */
	AUX_S32 = 1 << 7,              /* lds: sign-extend to 32 bits, then zero-extend */
	AUX_IDX32U = 1 << 8, AUX_IDX32S = 1 << 9,      /* index is its low 32 bits, zero/sign-extended */
	AUX_NOFAULT = 1 << 10,         /* cannot fault (state of our own) */
	AUX_BASE = 11,                 /* aux >> AUX_BASE: the variable that gets operand a if the access faults, or 0 */
};
enum { AUX_KEEP = 1 };                 /* aux of brf */
/* -- aux of floating-point ops; enum fprm and enum fpnan are in base/fp.h -- */
enum {
	FP_RM = 7,                     /* enum fprm */
	FP_SIGNAL = 1 << 3,            /* fcmp: quiet NaNs signal too */
	FP_UNS = 1 << 4,               /* integer side is unsigned */
	FP_SILENT = 1 << 4,            /* fset: raises nothing; a HELP_FLAGS helper before it in the block took the
	                                * flags so far, and invalid is clear afterwards when an operand is a NaN */
	FP_BOXED = 1 << 4,             /* funbox: it is boxed */
	FP_EXACT = 1 << 5,             /* fround: raises inexact */
	FP_NANMAX = 1 << 6,            /* fcvti: NaN converts to the largest value (RISC-V), else to 0 */
	FP_NUM = 1 << 7,               /* fmin/fmax: a quiet NaN loses (IEEE minNum, and RISC-V's minimumNumber by fpnan) */
	FP_NEGP = 1 << 8, FP_NEGA = 1 << 9,            /* fma: negate product, negate addend */
	FP_FBITS = 10,                 /* fcvti/icvtf: fraction bits (0..63) in aux >> 10 */
};

/* -- v of rmw, fence, pref, vred -- */
enum rmw { RMW_ADD, RMW_AND, RMW_ANDN, RMW_OR, RMW_XOR, RMW_SMIN, RMW_SMAX, RMW_UMIN, RMW_UMAX, RMW_XCHG };
enum fence { FENCE_LD, FENCE_ST, FENCE_FULL };         /* later accesses wait for earlier loads, stores, both */
enum pref { PREF_L1, PREF_L2, PREF_L3, PREF_ONCE, PREF_WRITE };  /* into which cache; read once; to be written */
enum vred { VRED_ADD, VRED_SMIN, VRED_SMAX, VRED_UMIN, VRED_UMAX };

/* -- operations -- */
enum trait {
	PURE = 1,                      /* no effect: may be folded, merged, dropped */
	COMM = 2,
	READ = 4, WRITE = 8,           /* guest memory: may fault */
	EFF = 16,                      /* another effect: never merged or dropped */
	END = 32,                      /* terminator */
	LEAVE = 64,                    /* may leave the region here and go on otherwise (side exit) */
	FPENV = 128,                   /* reads the rounding mode and may raise sticky flags: dropped when
	                                  dead is not allowed, merged is not either */
	DIV = 256,                     /* undefined for some operands: see its line */
};
enum op {
#define OP(name, ...) O_##name,
#include "ir/op.def"
#undef OP
	O_COUNT
};
struct opinfo {
	const char *name;
	char res, arg[3];
	u16 traits;
	u8 type;                       /* of the value; LANE: that of the instruction */
};
extern const struct opinfo opinfo[O_COUNT];

typedef u16 ref;
enum { REF_K = 0x8000 };
static inline int isk(ref r) { return (r & REF_K) != 0; }

struct ins {
	u8 op, ty;                     /* enum op; enum ty of the result (st: of the datum; set, fcmp and
	                                  flags: of the operands) */
	u16 aux;
	ref a, b, c;
	u16 v;                         /* variable of get/put; relation or condition; lane; helper number */
	s32 imm;                       /* displacement; small immediate */
};

/* One of the region's blocks. */
struct block {
	gaddr pc;                      /* guest address of its first instruction */
	int first, n;                  /* its instructions in region->ins */
	u8 entry;                      /* may be entered from outside (found by address); not if box.c says so */
	u8 target;                     /* jumped to from inside the region */
	u8 flagsin;                    /* reads the flags variable before writing it (dead.c) */
	u8 above;                      /* its pc is a label of the region's own, so far above the guest address (lanes.c) */
	u8 turns;                      /* of a loop that it does at once, or 0 before these; all other blocks 1 */
};

struct region {
	const struct guest *guest;
	gaddr pc;                      /* entry */
	u32 mode;                      /* guest->mode */
	u8 fpnan;                      /* enum fpnan */
	u8 fpflush;                    /* FPM_FZ is on: F32, F64 results that are tiny become zero */
	struct ins *ins; int nins, capins;             /* ins[0] is unused */
	u64 *k; int nk, capk;
	struct block *block; int nblock, capblock;
	struct { gaddr lo, hi; } *range; int nrange, caprange;  /* guest bytes translated */
	int ninsn;                     /* guest instructions */
	int sorted;                    /* the blocks are in the order of their addresses */
	int broken;                    /* too big: give up and retry smaller */
	int unboxes;                   /* the translator's: ir_box may be of use */
	int pieces;                    /* the translator's: ir_wide may be of use if there are some, */
	int again;                     /* or for words that are stored more than once */
	/* builder state of the open block */
	gaddr insn_pc;
	struct block *open;
	u16 known;                     /* variables are what has been got or put from here on: */
	u16 last[256];                 /* by variable, the get or put that tells its value, */
	u16 read[256];                 /* and the last that reads it */
	u16 look, lookbefore;          /* the last two instructions that may look at variables */
	u8 changes[256];               /* the region puts the variable */
	u16 hash[256];                 /* merging: last pure instruction by hash */
	u16 khash[64];
	int bstart;
	/* What passes over control flow need not search for: the instructions that leave, read or write the flags
	 * variable, or call a helper; in order. */
	u16 *mark; int nmark, capmark;
};

/* An instruction is made in registers, as two words: one that is stored member by member and then read whole
 * waits for the host's store buffer. */
static inline struct ins
ins_make(int op, int ty, int aux, int v, s32 imm, ref a, ref b, ref c)
{
	const u64 w[2] = {
		(u8)op | (u64)(u8)ty << 8 | (u64)(u16)aux << 16 | (u64)a << 32 | (u64)b << 48,
		c | (u64)(u16)v << 16 | (u64)(u32)imm << 32,
	};
	struct ins i;

	memcpy(&i, w, sizeof i);
	return i;
}

/* The type of its value: N, I64 (kinds J, B), FL, or ty. */
static inline int
ir_type(const struct ins *i)
{
	return opinfo[i->op].type == LANE ? i->ty : opinfo[i->op].type;
}

static inline u64 kval(const struct region *r, ref k) { return r->k[k & ~REF_K]; }

/* -- building (build.c); every function returns the ref of the value -- */
void region_init(struct region *, const struct guest *, gaddr pc, u32 mode); /* keeps its arrays' memory */
/* The same for a small one that is only read through its open block: what the last one holds stays, unseen. */
void region_next(struct region *, const struct guest *, gaddr pc, u32 mode);
/* The same as long as there is no IR. */
static inline void
region_bare(struct region *r, const struct guest *g, gaddr pc, u32 mode)
{
	r->guest = g;
	r->pc = pc;
	r->mode = mode;
	r->nblock = r->nrange = 0;
}

void region_free(struct region *);
int ir_block(struct region *, gaddr pc);       /* opens a block; returns its number */
void ir_unblock(struct region *);              /* the open block has never been; next, another is opened */
/* From here on nothing is known of what the open block did: no value of before will be used.  Returns the number of
 * the next instruction. */
int ir_fresh(struct region *);
void ir_insn(struct region *, gaddr pc);       /* following code belongs to the guest instruction at pc */
ref ir_k(struct region *, u64 v);
ref ir_get(struct region *, int ty, int var);
void ir_put(struct region *, int ty, int var, ref t);
ref ir_add(struct region *, struct ins);       /* folds and merges */
ref ir_append(struct region *, struct ins);    /* as it is: neither folded nor merged */
static inline ref
ir_opx(struct region *r, int op, int ty, int aux, int v, s32 imm, ref a, ref b, ref c)
{
	return ir_add(r, ins_make(op, ty, aux, v, imm, a, b, c));
}

static inline ref
ir_op(struct region *r, int op, int ty, ref a, ref b, ref c)
{
	return ir_opx(r, op, ty, 0, 0, 0, a, b, c);
}

/* Where the instruction jumps to, if it does: a constant; else 0. */
static inline ref
ir_target(const struct ins *i)
{
	return i->op == O_jmp ? i->a : i->op == O_brc || i->op == O_brf ? i->c : 0;
}
void ir_room(struct region *, int b, int n);   /* before block b for another, of n instructions */
int ir_blockat(const struct region *, gaddr);  /* number of the block that begins there, or -1 */

/* -- rewriting (fold.c, from fold.def) -- */
ref ir_fold(struct region *, struct ins *);    /* an existing or simpler value, or 0; may change *ins */
u64 ir_value(int op, int ty, u64 a, u64 b, u64 c, int v, s32 imm);  /* of one scalar or one lane; see ir_hasvalue */
int ir_hasvalue(int op);

/* -- values that op.def names (value.c) -- */
u64 ir_rbit(u64);
u64 ir_orcb(u64);
u64 ir_cls(u64 a, int w);
u64 ir_clmul(u64 a, u64 b, int high);
u64 ir_crc32(u64 crc, u64 data, int castagnoli, int bits);
int ir_rel(int rel, u64 a, u64 b, int w);      /* 0 or 1 */
u64 ir_flsub(u64 a, u64 b, int carry, int w);  /* flags of a + ~b + carry at w bits */
u64 ir_fladd(u64 a, u64 b, int carry, int w);
int ir_cc(int cc, u64 fl);
/* Of the two numbers that cmp compares one is chosen, yes if the relation holds: what operation that is, or 0. */
int ir_extreme(const struct ins *cmp, int rel, ref yes, ref no);
u64 ir_satu(s128 v, int w);                    /* clamped to 0 .. 2^w-1 */
u64 ir_sats(s128 v, int w);
u64 ir_vshl(u64 a, u64 b, int w, int how);

/* -- passes over a whole region -- */
#define FLAGS_UNKNOWN (~(gaddr)0)              /* asked of flagslive where the target is computed */
void ir_dead(struct region *, int (*flagslive)(void *, gaddr, int), void *);     /* needs all blocks; see dead.c */
/* Asked when the open block got a branch, next being the address after it: is it a loop now, and one that a loop on
 * vectors was put before?  Then the block ends here; 2: it has its end. */
int ir_loop(struct region *, gaddr next);
void ir_rejoin(struct region *);               /* the same of a block that has ended with a jump */
void ir_pack(struct region *);                 /* needs all blocks; before ir_wide; see pack.c */
void ir_wide(struct region *);                 /* needs all blocks; see wide.c */
void ir_unused(struct region *);               /* drops values nobody uses: for hosts that do not (dead.c) */
void ir_box(struct region *);                  /* needs all blocks; before ir_dead; see box.c */
/* An access for those of several guest instructions (wide.c, loop.c, copy.c). */
static inline int
ir_isseveral(const struct ins *i)
{
	return ((i->op == O_ld || i->op == O_st) && i->v) || i->op == O_fill || i->op == O_copy;
}
const char *ir_verify(const struct region *);  /* 0 or what is wrong (static text buffer) */

/* -- text (print.c, parse.c) -- */
void ir_print(const struct region *, char *buf, size_t n);
int ir_parse(struct region *, const char *text, char *err, size_t n);    /* 0 or -EINVAL with err */

/* -- helpers: C functions called from IR, by their number in guest->helper[] -- */
/* O_call:  result = f(cpu, a, b, c), integers;  O_vcall: f(cpu, d, a, b, imm) on vector variables in
 * memory: d, a, b point to the state's copy of the variables the instruction names (guest.h). */
static inline const struct helper *ir_helper(const struct region *r, int n) { return &r->guest->helper[n]; }

#endif
