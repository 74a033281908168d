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
	struct { ref mask; int byte; } link[LINKS]; int n;    /* from the last on: an and with the mask, or if it is 0 */
	struct term byte[BYTES];                              /* an or with the byte */
};

/* Whether or t is one. */
int chain_find(const struct region *, ref t, struct chain *);
/* The same at once, appended to the open block; where is[] says what the old values are there.  0: it cannot. */
ref chain_make(struct region *, const struct chain *, const ref *is,
    int (*laneof)(const void *, ref t, struct lane *), ref (*wordof)(const void *, int word), const void *arg);

#endif
