/* SPDX-License-Identifier: MIT */
/* loop.h - what loop.c finds out about a loop, with width.c, and lanes.c and turns.c make code of */
#ifndef IR_LOOP_H
#define IR_LOOP_H

#include "ir/ir.h"

enum {
	BODY = 160,                    /* instructions of a loop that is looked at */
	VECTOR = 16,                   /* bytes */
	PARTS = 8,                     /* vectors of one value: the lanes of 64 bits of 16 bytes */
};

/* What a value of the loop is from one turn to the next. */
enum kind {
	BAD,                           /* nothing that is understood */
	SCALAR,                        /* made of what the loop does not change, and more by `step` each turn */
	PERLANE,                       /* another one each turn, made lane by lane */
	BOX,                           /* fbox of one */
	FLAGS,                         /* of the difference of two SCALARs */
	SUM,                           /* a variable, and what it has been joined with so far in this turn */
};
struct span { s128 lo, hi; };
/* var: of a sum, joined by op: O_add (or O_sub), O_and, O_or, O_xor, O_smin...; 0: not yet; span: of integers */
struct value { u8 kind, var, used, op; s64 step; struct span span; };

struct loop {
	struct region *r;
	const struct ins *ins; int n;  /* the loop, the branch last */
	const struct ins *was;         /* as the guest has it (plain.c) */
	int first;                     /* the ref of ins[0] */
	gaddr head, exit;
	u8 put[256];                   /* by variable: 1 + its last put, or 0 */
	int store;                     /* which one is it, or -1 */
	int lane;                      /* type of all lanes; F32 and F64: of floats */
	int turns;                     /* that are done at once */
	int times;                     /* vectors they store */
	int uneven;                    /* what is loaded is not as wide as what is stored: pointers drift apart */
	/* It goes on if rel (R_NE, or less) holds of lo and hi, which come nearer by `step` each turn. */
	struct { int rel; ref lo, hi; s64 step; } trip;
	struct value val[BODY];        /* of ins; loop_clear knows that they come last */
};

/* Of n instructions nothing is known. */
static inline void
loop_clear(struct loop *l, int n)
{
	memset(l, 0, offsetof(struct loop, val) + (size_t)n * sizeof *l->val);
	l->n = n;
	l->store = -1;
	l->times = 1;
}

static inline int loop_index(const struct loop *l, ref t) { return t - l->first; }
static inline int loop_bytes(const struct ins *i) { return i->op == O_lds ? i->v / 8 : ty_bits(i->ty) / 8; }
static inline int loop_isload(const struct ins *i) { return i->op == O_ld || i->op == O_lds; }

static inline struct value
loop_value(const struct loop *l, ref t)
{
	return isk(t) || !t ? (struct value){.kind = SCALAR} : l->val[loop_index(l, t)];
}

/* An address: a + (b << scale) + disp, without the constants in a. */
struct place { ref a, b; int scale; s64 disp; };
struct place loop_place(const struct loop *, const struct ins *);
/* Whether two addresses differ by a number that is known: *by = y - x. */
int loop_apart(const struct place *x, const struct place *y, s64 *by);

/* The last put of the variable before the get, in this turn, or 0. */
const struct ins *loop_putbefore(const struct loop *, const struct ins *get);

/* Looks at one instruction, which is no branch; 0 if the loop must stay. */
int loop_look(struct loop *, int k);
/* A branch on flags as one on a relation; 0: not understood. */
int loop_relation(const struct loop *, struct ins *br);
int loop_ccrel(int cc);                        /* what a condition says of numbers that were subtracted, or -1 */
/* The branch back, which is one on a relation, as a distance that shrinks: sets trip. */
int loop_trip(struct loop *, const struct ins *brc);

/* Whether the sum is an extreme that is cut to 32 bits each turn: as long as it has no more, that changes nothing. */
int loop_cuts(const struct loop *, int var);
int loop_islanewise(int op);                   /* of floats: the same lane by lane */
static inline int loop_isextreme(int op) { return op == O_smin || op == O_smax || op == O_umin || op == O_umax; }

/* -- width.c -- */
/* `bits` bits of the operand from bit `at` up, extended. */
struct field { int at, bits, sign; };
int loop_field(const struct loop *, const struct ins *, struct field *);
/* How to get it in a lane: shifted left, then right (arithmetically if it has a sign). */
struct fieldcode { int can, left, right; };
struct fieldcode loop_fieldcode(const struct loop *, const struct ins *, struct field);
/* A difference that does not fit in the lanes of what differs; sign: which are signed numbers. */
struct difference { ref a, b; int sign; };
/* Whether i makes of one what the lanes of both tell: the number without its sign (O_abs), or nothing but the sign. */
int loop_difference(const struct loop *, const struct ins *i, struct difference *);
struct span loop_span(const struct loop *, const struct ins *);
struct span loop_datum(int bits, int sign);
int loop_width(struct loop *);                 /* sets lane; 0: there is none */
/* Whether t, that i compares with lanes, is the same each turn and taken to be a number as short as they are. */
int loop_taken(const struct loop *, const struct ins *i, ref t, struct field *);
int loop_order(const struct loop *, const struct ins *set);    /* the relation of the lanes, or -1 */

/* Whether lanes that have the low bits of what the instruction is made of can have those of what it makes. */
int loop_haslow(const struct loop *, const struct ins *);
/* Is the number in a lane to be sign-extended for a variable; what all lanes are joined to by i, which has the lanes in
 * t? */
int loop_putsign(const struct loop *, ref t);
int loop_sumsign(const struct loop *, const struct ins *i, ref t);
int loop_sumsbytes(const struct loop *, const struct ins *i, ref t);   /* are they unsigned bytes, to be added? */

/* -- what takes the place of the block that a loop was (lanes.c, turns.c, search.c) -- */
enum { HEAD, TURNS = 1, REST = 3 };            /* labels, above the head */
/* Begins the block of a label; turns as in struct block. */
void loop_begin(const struct loop *, int label, int turns);
/* A turn of the loop as it was, in the open block, which is that of the label; its last branch goes to `again`. */
void loop_turn(const struct loop *, int label, gaddr again);

/* Puts the loop on vectors before the loop. */
void loop_make(const struct loop *);

/* What is made of the loop's values in the open block (lanes.c). */
struct make {
	const struct loop *l;
	struct region *r;
	ref scalar[BODY];              /* by instruction: in the first of the turns that are not stored yet */
	ref loaded[BODY][PARTS];       /* vectors as they were loaded */
	ref part[BODY][PARTS];         /* vectors of lanes */
	int stored;                    /* how many of these are in memory */
};
void make_load(struct make *, const struct ins *, int store, ref *to); /* all that is loaded for that store */
ref make_part(struct make *, const struct ins *, int n);       /* vector n of what it makes */
ref make_lanes(struct make *, ref t, int n);   /* vector n of an operand */
ref make_scalar(struct make *, ref);            /* what it is in the first of the turns that are not stored yet */
ref make_address(struct make *, const struct place *);         /* but for its displacement */
ref make_plus(struct make *, ref, s64);         /* a number added */
void make_head(struct make *);                 /* begins the head, in place of the open block: are there enough? */
ref make_distance(struct make *, int *moved);  /* to where it ends; from where it was before it was moved on? */
void make_go(struct make *, int rel, ref a, u64 b);    /* to the rest, if the relation holds */
void make_fits(struct make *, ref, struct field);      /* or there, if the number has more bits */
void make_before(struct make *);               /* the head, in place of the open block */
void make_turns(struct make *);                /* begins the block of the turns */
/* Ends it, with what tells whether there are more, and how far it is from lo to hi; and the loop itself. */
void make_after(struct make *, ref lo, ref hi, ref left);

/* -- plain.c -- */
void loop_plain(struct loop *);                /* puts ins in other words */

/* -- seek.c -- */
/* The open block of the loop's region jumps back, to a loop that looks for something; next: the address after it, or 0
 * if it ends with the jump.  0: it is none, or not understood; else the block has its end. */
int loop_seek(struct region *, gaddr next);

/* -- tuple.c -- */
int loop_tuples(struct loop *);                /* the same, but floats are neighbours in each turn */

/* -- copy.c -- */
int loop_copy(struct region *, gaddr next);    /* as loop_seek, of one that copies words or fills memory with one */

/* -- turns.c -- */
int loop_turns(struct loop *);                 /* of a loop of which nothing is known; 0: it must stay */

/* -- search.c -- */
int loop_search(struct loop *);                /* 0: it is no search, or not understood */

#endif
