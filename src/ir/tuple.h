/* SPDX-License-Identifier: MIT */
/* tuple.h - what tuple.c finds out about a loop whose turns compute neighbours alike, and tuple_make.c makes code of */
#ifndef IR_TUPLE_H
#define IR_TUPLE_H

#include "ir/loop.h"

enum { PER = 4, SLOTS = 32, RUNS = 6, TUPLES = 32 };

/* A float in memory, as instruction `at` stores it. */
struct slot { struct place p; ref of; int at; };

/* Floats side by side, VECTOR bytes of them, that each turn loads or stores. */
struct run {
	struct place p;                /* of the lowest in the first turn */
	s64 step;                      /* from turn to turn */
	ref of[PER];
	int first, last;               /* instructions that do it */
	int tuple;                     /* of a store */
};

enum tuplekind {
	FIXED,                         /* the same each turn */
	WHOLE,                         /* what a run loads */
	SAME,                          /* one of it again and again */
	DONE,                          /* an operation on tuples */
};
struct tuple { u8 kind; ref of[PER]; int run, lane, from[3]; };

/* Where a float is: a run that was loaded, or else a tuple; 0: nowhere. */
struct spot { u8 known, loaded, n, lane; };

struct tuples {
	struct make m;
	struct loop *l;
	int lane, bytes, per;          /* type of all floats; of one; in a vector */
	struct slot slot[SLOTS]; int nslot;
	u8 nload, nstore, ntuple, alone[BODY]; /* alone: a load of a float, of no run so far */
	struct run load[RUNS], store[RUNS];
	struct tuple tuple[TUPLES];
	struct spot spot[BODY];        /* by instruction */
	struct { ref of[2]; u8 n; } passed[BODY];      /* by load: the floats that the turn stored there */
	int bounded;                   /* the head has found that there are fewer than 2^32 turns */
	int late;                      /* flags are raised after something is stored */
	int word;                      /* 1 + the sum of 32 bits that turns are counted with, or 0 */
};

/* The floats that a value is made of, lowest first: how many, or 0. */
int tuple_pieces(const struct tuples *, ref, ref to[2]);
/* Whether x is loaded before y, and y is the last that the turn stores: then they may meet in it. */
int tuple_before(const struct tuples *, const struct run *x, const struct run *y);
/* Whether the runs never meet otherwise, by what is known; -1: not known. */
int tuple_apart(const struct tuples *, const struct run *x, const struct run *y);
/* The turns of l on vectors before it; ins: those of l, which may be changed. */
void tuple_make(struct tuples *, struct ins *ins);

#endif
