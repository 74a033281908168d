/* SPDX-License-Identifier: MIT */
/* alloc.h - the look ahead over a block that makes one forward pass of emission good enough
 *
 * plan_block() fills a struct val for every instruction of a block: who uses its value last, whether
 * the value may be computed straight into a variable's home, and whether it is left to its only
 * consumer.  The emitter of a host then keeps in the same record where the value is.
 *
 * put coalescing.  `put v, t` costs nothing when t was computed into the home of v.  That is
 * allowed when nothing between the definition of t and the put may fault, leave or have an effect,
 * puts v, or uses a value that still lives in the home of v. */
#ifndef BACKEND_ALLOC_H
#define BACKEND_ALLOC_H

#include "ir/ir.h"

_Static_assert(O_COUNT <= 256, "an operation is a byte");

enum { NOVAR = 0xff };

enum {
	VAL_DEAD = 1,                  /* pure and unused: not emitted */
	VAL_FOLD = 2,                  /* emitted as part of its only consumer */
	VAL_PAIRED = 4,                /* made by the instruction `pair`, which comes earlier or later */
	VAL_MAKES = 8,                 /* also makes the flags, or the other half of a product, `pair` */
	VAL_NARROW = 16,               /* emitter: bits above the type's width are unspecified */
	VAL_ZX = 32,                   /* emitter: scalar float whose vector register is 0 above it */
	VAL_GIVEN = 32,                /* emitter: integer given up before its last uses, relations that CF tells (carry.c) */
};

/* A temporary: what is known of its uses, and (emitter) its places; it can have several. */
struct val {
	u16 last;                      /* instruction that uses it last; 0: none.  Of a put that may be left out: the next */
	u16 uses;                      /* number of uses */
	u16 pair;                      /* the other half of a value and its flags, or of a product */
	u8 want;                       /* variable into whose home it is computed, or NOVAR */
	u8 flags;                      /* VAL_* */
	s8 reg;                        /* host register that is its own, or -1 */
	u8 var, var2;                  /* variables whose homes hold it, or NOVAR */
	u8 slot;                       /* 1 + spill slot, or 0 */
	u8 ty;                         /* its type (ir_type) */
	u8 pad;
	u16 user;                      /* an instruction that has it as operand: the one if uses is 1 */
};

struct planhost {
	/* may the producer p be left to its consumer c, as c's operand number n (0..2)? */
	int (*fold)(const struct region *, const struct ins *p, const struct ins *c, int n);
	/* does instruction n, which uses t, find all that it needs in the host's flags and elsewhere? */
	int (*told)(const struct region *, ref t, int n);
	/* does the variable live in a register? */
	int (*inreg)(const struct guest *, int var);
	/* is there an instruction for both halves of an unsigned product? */
	int (*bothhalves)(void);
	/* how many vector registers are temporary? */
	int (*nvtemp)(void);
};

/* How many low bits of its operand n the instruction looks at; 64: it may be all. */
int plan_looksat(const struct region *, const struct ins *, int n);
/* Its low 32 bits are those of the same operation on the low 32 of its operands. */
int plan_narrows(const struct region *, const struct ins *);

void plan_begin(void);                         /* before the first block of a region, or of another try */
/* val: one for each instruction of the region, zeroed for the block's by this call.  Returns the length of the block's
 * longest stretch without an instruction that may fault, leave or have another effect. */
int plan_block(struct region *, const struct block *, struct val *val, const struct planhost *);

/* Homes that serve as temporary registers for a while (borrow.c): saved before the instruction `first`, loaded
 * again before `end`, in that order in the list. */
enum {
	MAXHOME = 48, MAXLOAN = 96,
	BORROW_LONG = 40,              /* instructions in a stretch that is worth looking at */
};
struct loan { u16 first, end; u8 var; };
struct borrow { int n; struct loan loan[MAXLOAN]; };
/* until: before that instruction, homes become those of other variables, so none is lent across; or -1. */
void plan_borrow(const struct region *, const struct block *, struct val *, const struct planhost *, int until,
    struct borrow *);

/* Loops whose puts are sunk (sink.c). */
enum { SINKS = 4, SINKSETS = 24, SUNK = 32, LOOKS = 60 };
struct sinkset { u32 set; u16 first, n; };     /* code that computes these, of no block: n instructions */
struct sinking {
	u16 first, last, until;        /* blocks; the instruction after the jump back */
	u8 carries;                    /* some look depends on whether it is the first turn */
	u8 nset, nlook;
	struct sinkset set[SINKSETS];
	u16 look[LOOKS];               /* instructions that may leave the loop */
	u8 now[LOOKS + 1], all[LOOKS + 1];     /* the set a look takes in the first turn, and later; last, at the head */
};
/* Returns how many loops there are, in the order of their blocks; with one `to` becomes the region that is to be made
 * instead.  It keeps its arrays' memory. */
int plan_sinks(const struct region *, const struct planhost *, struct sinking *, struct region *to);

/* 1 if values of the type live in host vector registers */
static inline int ty_vclass(int ty) { return ty > LANE || (1 << F16 | 1 << F32 | 1 << F64) >> ty & 1; }

#endif
