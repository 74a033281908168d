/* SPDX-License-Identifier: MIT */
/* pack.h - what the parts of ir_pack share: pack.c, bits.c */
#ifndef IR_PACK_H
#define IR_PACK_H

#include "ir/wide.h"

enum { BYTES = 8, LINKS = 4 * BYTES };

/* (from & mask) << up, or >> -up */
struct term { ref from; u64 mask; int up; };

/* The byte of a word, by number: of the load that there will be. */
struct lane { int word, byte; };

/* A value that is put together from its bytes, one after another, with masks in between. */
struct chain {
	ref root;
	struct { ref mask; int byte; } link[LINKS]; int n;    /* from the last on: an and with the mask, or if it is 0 */
	struct term byte[BYTES];                              /* an or with the byte */
	ref from;                      /* what all are fields of, or 0: they say how the bytes compare */
	int a, b;                      /* of these words */
	ref early;                     /* that, as a vector */
};

/* What the masks of the last chain were, and are together. */
struct masks { ref mask[LINKS], is; int byte[LINKS], n; };

/* What there is in the open block. */
struct state {
	ref (*now)(void *, ref t);     /* the old value t */
	int (*laneof)(void *, ref t, struct lane *);   /* the byte that the old t is; 0: none */
	ref (*wordof)(void *, int word);
	void *arg;
	struct masks last;
};

/* Whether or t is one. */
int chain_find(const struct region *, ref t, struct chain *);
/* Whether it can be made at once. */
int chain_isdone(const struct region *, struct chain *, const struct state *);
/* Its masks; what there is to do while words are in registers; the same at once.  Appended to the open block. */
ref chain_masks(struct region *, const struct chain *, struct state *);
void chain_early(struct region *, struct chain *, struct state *);
ref chain_make(struct region *, const struct chain *, struct state *);

#endif
