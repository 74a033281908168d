/* SPDX-License-Identifier: MIT */
/* wide.h - what the parts of ir_wide share: wide.c, wide_ahead.c, wide_bytes.c, wide_store.c */
#ifndef IR_WIDE_H
#define IR_WIDE_H

#include "ir/ir.h"

enum { NODES = 64, MORE = 512, GROUPS = 24 };

/* Where the bytes of a value come from: byte at[n] of the value from[n]; it is zero where that is 0. */
struct bytes { ref from[8]; u8 at[8]; };

struct loads {
	ref load[8]; int n;            /* each once */
	ref base; s64 disp;            /* what they read, */
	int bytes;                     /* so many, */
	int down;                      /* the lowest address highest */
	ref first, last;
};

/* A value that may become one load. */
struct group {
	ref root; int sign;
	struct loads l;
	ref node[NODES]; int nnode;    /* ors that it consists of */
	ref whole;
};

struct pass {
	struct region *r;
	const struct block *b;
	struct { struct ins i; u16 next; } more[MORE]; /* to come between: number n is the value nins + n until it is */
	int nmore;                                     /* put in place; next: 1 + the number of the one after it */
	ref node[NODES]; int nnode;    /* ors that the last value looked at consists of */
	struct group group[GROUPS]; int ngroup;
};

/* Finds out where the bytes of value t come from, and adds the ors on the way to p->node. */
void wide_look(struct pass *, ref t, struct bytes *);
/* Whether the n low bytes of b are those of one value, in this order or in the opposite one. */
int wide_isone(const struct bytes *b, int n, int down);
/* Puts i before instruction t, behind what was put there. */
ref wide_before(struct pass *, ref t, struct ins i);
/* Adds a mark in its place. */
void wide_mark(struct region *, ref t);
void wide_ahead(struct pass *, const struct block *);
void wide_pairs(struct pass *, const struct block *);
int wide_stores(struct pass *, const struct block *);  /* whether there are fewer now */

/* base + disp with constants taken out of base */
static inline ref
wide_origin(const struct region *r, ref base, s64 *disp)
{
	const struct ins *i = &r->ins[base & ~REF_K];

	if (isk(base) || i->op != O_add || i->ty != I64 || !isk(i->b))
		return base;
	*disp += (s64)kval(r, i->b);
	return i->a;
}

/* The bytes that a plain access to memory reads or writes; 0 if it is none. */
static inline int
wide_plain(const struct ins *i)
{
	if (i->b || i->aux || (i->op != O_lds && (i->ty > I64 || i->v)))
		return 0;
	return i->op == O_lds ? i->v / 8 : i->op == O_ld || i->op == O_st ? ty_bits(i->ty) / 8 : 0;
}

static inline int
wide_passes(const struct ins *i)
{
	return i->op == O_insn || i->op == O_nop || !(opinfo[i->op].traits & (READ | WRITE | EFF | LEAVE | END));
}


#endif
