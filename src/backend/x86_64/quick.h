/* SPDX-License-Identifier: MIT */
/* quick.h - what the files of the quick tier share (quick.c)
 *
 * What is made often is made at a local pointer, as words of 8 bytes of which only some count: what follows takes the
 * place of the rest. */
#ifndef BACKEND_X86_64_QUICK_H
#define BACKEND_X86_64_QUICK_H

#include "backend/x86_64/int.h"
#include "ir/simple.h"

/* An operand in a register or in memory alike.  word: an instruction that has nothing else, as it lies in memory:
 * bits of REX, 0 for an opcode of one byte, ModRM, SIB and displacement; n bytes.  field: what is in such a word of the
 * other operand, if that is this register.  reg: the register's number, or -1. */
struct arg { u64 word; u32 field; u8 n; s8 reg; };

extern struct arg quick_home[NONE];            /* of variables */
extern const struct arg quick_reg[NRTEMP];     /* rax, rcx, rdx */

static inline u32 field_of(int reg) { return (u32)(reg & 7) << 19 | (u32)(reg >> 1 & 4); }
static inline u32 field_digit(u32 digit) { return digit << 19; }

/* [base + disp], base a register.  There is a displacement in any case. */
static inline struct arg
arg_at(const struct arg *base, s32 disp)
{
	int small = fits8(disp);
	u64 d = (u32)disp;
	u32 b = (u32)base->word ^ (small ? 0x800000 : 0x400000);       /* ModRM had mod = 3 */
	struct arg m = {.word = b | d << 24, .n = small ? 4 : 7, .reg = -1};

	if ((base->reg & 7) == 4) {
		m.word = b | (u64)0x24 << 24 | d << 32;
		m.n++;
	}
	return m;
}

/* An instruction with a REX prefix like that, or 0: if its operands want one.  Its opcode has one byte, or that after
 * 0f. */
enum { REX = 0x40, REXW = 0x48 };

static inline u8 *
opn_at(u8 *p, u32 rex, int is0f, u32 opcode, u32 field, const struct arg *m)
{
	u64 v = m->word | field | rex | opcode << 8;

	*p = (u8)(v | REX);
	p += (u8)v != 0;
	*p = 0x0f;
	p += is0f;
	st64(p, v >> 8);
	return p + m->n - 1;
}

static inline u8 *
op_at(u8 *p, u32 rex, u32 opcode, u32 field, const struct arg *m)
{
	return opn_at(p, rex, 0, opcode, field, m);
}

/* The same of 64 bits, which is shorter to say. */
static inline u8 *
op64_at(u8 *p, u32 opcode, u32 field, const struct arg *m)
{
	st64(p, m->word | field | REXW | opcode << 8);
	return p + m->n;
}

static inline int quick_width(const struct simple *s) { return s->ty == I64 ? 64 : 32; }
static inline u32 quick_rex(const struct simple *s) { return s->ty == I64 ? REXW : 0; }

void quick_copy(struct code *, int var, int w, int tmp);       /* tmp = the variable, zero-extended */
/* tmp = the variable, of s->from bits */
void quick_widen(struct code *, const struct simple *, int var, int w, int tmp);

/* A register with the variable: its home, or tmp. */
static inline int
quick_get(struct code *a, int var, int w, int tmp)
{
	int reg = var == NONE ? -1 : quick_home[var].reg;

	if (reg >= 0)
		return reg;
	quick_copy(a, var, w, tmp);
	return tmp;
}

static inline void
quick_put(struct code *a, int var, int reg)
{
	if (var != NONE)
		a->p = op64_at(a->p, 0x89, field_of(reg), &quick_home[var]);
}

/* Room for what the simple instructions of a block leave in arrays, and for what is in them. */
void quick_room(struct out *);

/* Code for an instruction of that kind; 0 if it must come as IR. */
typedef int quickfn(struct x86 *, const struct simple *);
quickfn quick_load, quick_store, quick_vset, quick_tov, quick_fromv, quick_intov, quick_vload, quick_vstore;
quickfn quick_jump, quick_branch, quick_test, quick_branchf, quick_call, quick_indirect;

/* -- quick.c, for quickbr.c -- */
int quick_set(struct x86 *, int var, u64 v);
int quick_condition(struct x86 *, int cc);     /* EFLAGS are the guest's flags; the host's condition for cc */
int quick_compare(struct x86 *, const struct simple *);        /* a and B: the host's condition for relation op */

/* -- quickbr.c: of the block -- */
void quick_begin(struct x86 *, s32 *left);
int quick_insn(struct x86 *, int first);
int quick_end(struct x86 *);

#endif
