/* SPDX-License-Identifier: MIT */
/* loop.h - what loop.c finds out about a loop and lanes.c makes code of */
#ifndef IR_LOOP_H
#define IR_LOOP_H

#include "ir/ir.h"

enum {
	BODY = 96,                     /* instructions of a loop that is looked at */
	VECTOR = 16,                   /* bytes */
};

/* What a value of the loop is from one turn to the next. */
enum kind {
	BAD,                           /* nothing that is understood */
	SCALAR,                        /* made of what the loop does not change, and more by `step` each turn */
	PERLANE,                          /* another one each turn, made lane by lane */
	BOX,                           /* fbox of one */
};
struct value { u8 kind; s64 step; };

struct loop {
	struct region *r;
	const struct ins *ins; int n;  /* the loop, the branch last */
	int first;                     /* the ref of ins[0] */
	gaddr head, exit;
	u16 put[256];                  /* by variable: 1 + its last put, or 0 */
	struct value val[BODY];
	int store;                     /* which one is it */
	int bytes;                     /* of each datum in memory */
	int turns;                     /* that are done at once */
	/* It goes on if rel (R_NE, or less) holds of lo and hi, which come nearer by `step` each turn. */
	struct { int rel; ref lo, hi; s64 step; } trip;
};

static inline int loop_index(const struct loop *l, ref t) { return t - l->first; }

static inline struct value
loop_value(const struct loop *l, ref t)
{
	return isk(t) || !t ? (struct value){SCALAR, 0} : l->val[loop_index(l, t)];
}

/* An address: a + (b << scale) + disp, without the constants in a. */
struct place { ref a, b; int scale; s64 disp; };
struct place loop_place(const struct loop *, const struct ins *);
/* Whether two addresses differ by a number that is known: *by = y - x. */
int loop_apart(const struct place *x, const struct place *y, s64 *by);

/* Puts the loop in front of which it comes, in the place of the block it was. */
void loop_make(const struct loop *);

#endif
