/* SPDX-License-Identifier: MIT */
/* tr.h - a translation in progress, and what all translators share
 *
 * The engine opens a region and a block, then for each instruction sets pc, p and n, and calls
 * guest->translate(t).  The translator marks the instruction (ir_insn), appends its code, advances
 * pc past it, and returns 1 to go on or 0 if the instruction ended the block, which then has its
 * terminator.  When a block must end elsewhere the engine itself appends tr_jmp(t, t->pc).
 *
 * A translator is small functions of the family `int f(struct tr *, const struct X_insn *)`, called
 * through a table by the id that isagen gave each line of the .isa file; they return as translate
 * does.  For an instruction that is undefined they `return tr_undef(t)`.
 *
 * The helpers below are short names for ir_op and ir_opx, no more; T is always the value's type. */
#ifndef FRONTEND_TR_H
#define FRONTEND_TR_H

#include "base/cpu.h"
#include "base/guest.h"
#include "base/word.h"
#include "ir/ir.h"

struct tr {
	struct region *r;
	gaddr pc;                      /* of the instruction; translate advances it */
	const u8 *p;                   /* its bytes as host pointer, */
	int n;                         /* and how many are readable: at least guest->minlen */
	/* Those at any other address: so many are readable; they last until the next is asked for.  May be 0: none are. */
	const u8 *(*code)(void *env, gaddr pc, int *n);

	int alone;                     /* no other thread runs while this code does */
	const struct cpu *cpu;         /* the thread that has come to the region: a hint of what its code will find; or 0 */
	/* A block may have other forms, for when a guess does not hold that the translator made in it: the address of the
	 * instruction from which on the next one differs, or 0; the block jumps there by the label tr_again. */
	gaddr again;
	int form;                      /* 0, or the number of the other form that is being made */
	/* Does the code at pc, to which a call returns, read flags that it has not written?  0: never asked. */
	int (*answered)(struct tr *, gaddr pc);
	void *env;                     /* the engine's */

	/* the translator's own */
	u32 word;                      /* the instruction */
	u32 mode;                      /* = r->mode */
	gaddr next;                    /* address after the instruction */
	u64 ext;                       /* extensions this guest has, for need= */
	u64 vcfg;                      /* RISC-V: vector.h's, as block number vblock - 1 takes it to be; */
	int vblock, vany;              /* vany: but for vl, which may be anything */
	u64 vguess; int vguessed;      /* what was last expected of it, in this region */
	int bytestored;                /* RISC-V: number of the region's last store of a byte */
	void *own;
};

static inline gaddr tr_again(const struct tr *t, gaddr pc) { return pc + 2 * (gaddr)t->form + 1; }

/* Appends an undefined-instruction trap, logged under -d unimp once per pc.  Returns 0. */
int tr_undef(struct tr *);
/* Appends a trap; imm becomes cpu->trapinfo.  Returns 0. */
int tr_trap(struct tr *, enum trap, s32 imm);

/* Asked at a load-exclusive, next set.  A store-exclusive compares values, so it does not notice one that changed and
 * changed back.  If nothing but computing lies between the two, nobody can tell: it is as if the load had
 * happened right before the store.  That is the form manuals promise progress for (DDI 0487 B2.9.5, RISC-V
 * unprivileged 8.3) and all that compilers make.  But if memory is accessed in between, the store may rely
 * on what was read there: then this appends a trap to the engine, which runs the sequence with other threads
 * stopped, and returns 1. */
int tr_alone(struct tr *);

/* Expands the operand text of an .isa line: every {member:c} through put(), which appends the
 * text of value v in class c at buf and returns its length.  name up to '_' is the mnemonic unless
 * the text holds its own before a tab.  Returns the length. */
struct isa_printer {
	s64 (*member)(const void *insn, const char *name, size_t len);
	int (*put)(char *buf, size_t n, char c, s64 v, const void *insn, gaddr pc);
};
int isa_print(const struct isa_printer *, char *buf, size_t size, const char *name,
              const char *text, const void *insn, gaddr pc);

/* -- values -- */
static inline ref tr_k(struct tr *t, u64 v) { return ir_k(t->r, v); }
static inline ref tr_get(struct tr *t, int ty, int var) { return ir_get(t->r, ty, var); }
static inline void tr_put(struct tr *t, int ty, int var, ref v) { ir_put(t->r, ty, var, v); }

static inline ref
tr_op1(struct tr *t, int op, int ty, ref a)
{
	return ir_op(t->r, op, ty, a, 0, 0);
}

static inline ref
tr_op2(struct tr *t, int op, int ty, ref a, ref b)
{
	return ir_op(t->r, op, ty, a, b, 0);
}

static inline ref
tr_op3(struct tr *t, int op, int ty, ref a, ref b, ref c)
{
	return ir_op(t->r, op, ty, a, b, c);
}

/* op with a constant second operand */
static inline ref
tr_opk(struct tr *t, int op, int ty, ref a, u64 k)
{
	return ir_op(t->r, op, ty, a, ir_k(t->r, k), 0);
}

/* the low `bits` of a, sign- or zero-extended to ty */
static inline ref
tr_sxt(struct tr *t, int ty, ref a, int bits)
{
	return bits >= ty_bits(ty) ? a : ir_opx(t->r, O_sxt, ty, 0, 0, bits, a, 0, 0);
}

static inline ref
tr_zxt(struct tr *t, int ty, ref a, int bits)
{
	return bits >= ty_bits(ty) ? a : ir_opx(t->r, O_zxt, ty, 0, 0, bits, a, 0, 0);
}

/* the low 32 bits of an I64, as I32 */
static inline ref
tr_low32(struct tr *t, ref a)
{
	return ir_opx(t->r, O_zxt, I32, 0, 0, 32, a, 0, 0);
}

/* n bits of a from bit lo upward */
static inline ref
tr_bfx(struct tr *t, int ty, ref a, int lo, int n)
{
	return ir_opx(t->r, O_bfx, ty, 0, lo, n, a, 0, 0);
}

static inline ref
tr_sbfx(struct tr *t, int ty, ref a, int lo, int n)
{
	return ir_opx(t->r, O_sbfx, ty, 0, lo, n, a, 0, 0);
}

/* a with n bits from lo upward replaced by the low bits of b */
static inline ref
tr_dep(struct tr *t, int ty, ref a, ref b, int lo, int n)
{
	return ir_opx(t->r, O_dep, ty, 0, lo, n, a, b, 0);
}

/* relation of two integers of type ty: 0 or 1 */
static inline ref
tr_set(struct tr *t, enum rel rel, int ty, ref a, ref b)
{
	return ir_opx(t->r, O_set, ty, 0, rel, 0, a, b, 0);
}

/* b if the I64 a is nonzero, else c */
static inline ref
tr_sel(struct tr *t, int ty, ref a, ref b, ref c)
{
	return ir_op(t->r, O_sel, ty, a, b, c);
}

/* condition cc of flags fl: 0 or 1 */
static inline ref
tr_fcc(struct tr *t, enum cc cc, ref fl)
{
	return ir_opx(t->r, O_fcc, I64, 0, cc, 0, fl, 0, 0);
}

/* -- memory: address base + disp -- */
static inline ref
tr_ld(struct tr *t, int ty, int aux, ref base, s32 disp)
{
	return ir_opx(t->r, O_ld, ty, aux, 0, disp, base, 0, 0);
}

/* a datum of `bits`, sign-extended to ty */
static inline ref
tr_lds(struct tr *t, int ty, int bits, int aux, ref base, s32 disp)
{
	return ir_opx(t->r, O_lds, ty, aux, bits, disp, base, 0, 0);
}

static inline void
tr_st(struct tr *t, int ty, int aux, ref base, s32 disp, ref v)
{
	ir_opx(t->r, O_st, ty, aux, 0, disp, base, 0, v);
}

static inline void
tr_fence(struct tr *t, enum fence f)
{
	ir_opx(t->r, O_fence, N, 0, f, 0, 0, 0, 0);
}

/* -- leaving.  Those that end the block return 0, for `return tr_jmp(...)` -- */
static inline int
tr_jmp(struct tr *t, gaddr to)
{
	ir_op(t->r, O_jmp, N, tr_k(t, to), 0, 0);
	return 0;
}

/* goes to `to` if the relation of two integers of type ty holds, else on */
static inline void
tr_brc(struct tr *t, enum rel rel, int ty, ref a, ref b, gaddr to)
{
	ir_opx(t->r, O_brc, ty, 0, rel, 0, a, b, tr_k(t, to));
}

static inline void
tr_brf(struct tr *t, enum cc cc, ref fl, gaddr to)
{
	ir_opx(t->r, O_brf, FL, 0, cc, 0, fl, 0, tr_k(t, to));
}

static inline int
tr_br(struct tr *t, ref to)
{
	ir_op(t->r, O_br, I64, to, 0, 0);
	return 0;
}

static inline int
tr_call(struct tr *t, gaddr to)
{
	ir_op(t->r, O_call, N, tr_k(t, to), tr_k(t, t->next), 0);
	return 0;
}

static inline int
tr_callr(struct tr *t, ref to)
{
	ir_op(t->r, O_callr, I64, to, tr_k(t, t->next), 0);
	return 0;
}

static inline int
tr_ret(struct tr *t, ref to)
{
	ir_op(t->r, O_ret, I64, to, 0, 0);
	return 0;
}

static inline int
tr_sys(struct tr *t)
{
	ir_op(t->r, O_sys, N, tr_k(t, t->next), 0, 0);
	return 0;
}

/* leaves and looks the next instruction up anew: code or mode may have changed */
static inline int
tr_look(struct tr *t)
{
	ir_op(t->r, O_look, N, tr_k(t, t->next), 0, 0);
	return 0;
}

/* -- helpers: number n of guest->helper -- */
static inline ref
tr_help(struct tr *t, int n, ref a, ref b, ref c)
{
	return ir_opx(t->r, O_help, I64, 0, n, 0, a, b, c);
}

/* ... on vector variables d, a, b */
static inline void
tr_vhelp(struct tr *t, int n, int d, int a, int b, int imm)
{
	ir_opx(t->r, O_vhelp, N, d | a << 8, n, b | imm * 256, 0, 0, 0);
}

#endif
