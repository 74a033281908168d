/* SPDX-License-Identifier: MIT */
/* pack.h - what the parts of ir_pack share: pack.c, bits.c, abreast.c */
#ifndef IR_PACK_H
#define IR_PACK_H

#include "ir/wide.h"

enum { BYTES = 8, LANES = 16, LINKS = 4 * BYTES, KNOTS = 256 };

/* (from & mask) << up, or >> -up */
struct term { ref from; u64 mask; int up; };

/* The part of a word, by number: of the load that there will be, somewhere from a base on.  Of a node: its lane. */
struct lane { int word, byte, size, sign, base; };

/* Values that are computed alike; lane[k]'s low bits are those of lane k of the vector `is`, once that is made.  The
 * lanes fill eight bytes, or two words of eight. */
struct node {
	enum { NODE_OP, NODE_K, NODE_WORD, NODE_LEAF, NODE_VIEW, NODE_CHAIN } kind;
	ref lane[LANES]; int n, width; /* of a lane */
	int op, how;                   /* an operation's; relation or number of bits */
	int a, b;                      /* nodes; NODE_WORD: words, by number; NODE_VIEW: a with other lanes */
	ref leaf[2];
	u64 k[2];                      /* a constant; of chains: what the lanes may have */
	const struct chain *chain;     /* the first of two, whose masks are the same */
	ref is;
};

/* A value that is put together from its lanes, one after another, with masks in between. */
struct chain {
	ref root;
	int width;                     /* of a lane */
	struct { ref mask; int lane; } link[LINKS]; int n;    /* from the last on: an and with the mask, or if it is 0 */
	struct term lane[BYTES];                              /* an or with the lane */
	ref narrow;                    /* a variable that must have nothing above the lowest lane, or 0 */
	ref from;                      /* what all are fields of; or 0: */
	int node;                      /* what they are lanes of */
};

/* What the masks of the last chain were, and are together. */
struct masks { ref mask[LINKS], is; int lane[LINKS], n, width; };

/* What there is in the open block. */
struct state {
	ref (*now)(void *, ref t);     /* the old value t */
	ref (*origin)(void *, ref t);  /* what t is that was stored and loaded again */
	int (*laneof)(void *, ref t, struct lane *);   /* the part of a word that the old t loads; 0: none */
	ref (*wordof)(void *, int word);
	ref (*wordsof)(void *, int a, int b);  /* both in a vector */
	const struct chain *(*chainof)(void *, ref t);
	void *arg;
	struct masks last;
	struct node node[KNOTS]; int nnode;    /* from 1 on; operands come first */
};

static inline int chain_lanes(const struct chain *c) { return 64 / c->width; }

/* Whether or t is one, of lanes of that width. */
int chain_find(const struct region *, ref t, int width, struct chain *);
/* What the lanes may have. */
u64 chain_extent(const struct chain *);
/* Whether their masks are the same. */
int chain_alike(const struct region *, const struct chain *, const struct chain *, const struct state *);
/* Whether it can be made at once. */
int chain_isdone(const struct region *, struct chain *, struct state *);
/* Its masks; what there is to do while words are in registers; the same at once.  Appended to the open block. */
ref chain_masks(struct region *, const struct chain *, struct state *);
void chain_early(struct region *, const struct chain *, struct state *);
ref chain_make(struct region *, const struct chain *, struct state *);

/* The node of which these are the n lanes; 0 if there cannot be one. */
int abreast_plan(const struct region *, struct state *, const ref *lane, int n, int width);
/* How many values there are that it is made of, apart from words; wants each. */
int abreast_leaves(const struct state *, int node, void (*want)(ref));
/* Loads all pairs of words. */
void abreast_words(struct region *, struct state *);
/* Its vector. */
ref abreast_make(struct region *, struct state *, int node);
/* The lane that is value t; 0 if there is none. */
int abreast_lane(const struct region *, const struct state *, ref t, struct lane *);
/* That value. */
ref abreast_extract(struct region *, struct state *, const struct lane *);

#endif
