/* SPDX-License-Identifier: MIT */
/* dso.h - what cache.c and persist.c share */
#ifndef CORE_DSO_H
#define CORE_DSO_H

#include <sys/stat.h>
#include "core/cache.h"
#include "core/image.h"

enum { NDSO = 1024, PAGE = 4096 };

/* Of a page: it still is as it was mapped.  Of a grain (image.h), in the byte of its page: it had a say in a
 * translation that was made here or found in an image. */
enum { PAGE_CLEAN = 1 };
static inline u8 page_used(gaddr grain) { return (u8)(2 << grain / GRAIN % (PAGE / GRAIN)); }

/* A guest file in one state, mapped at one delta.  Records are never freed: handlers read them. */
struct dso {
	struct store_key key;
	struct stat st;                /* the file when it was identified */
	gaddr lo, hi;                  /* pages that were mapped lie in [lo, hi); */
	u8 *page;                      /* of each, the bits above */
	struct cimage image;
	/* Guest addresses of the image's code lie in [code0, code1).  With open set these and the image hold still until
	 * nobody runs generated code. */
	gaddr code0, code1;
	_Atomic int open;
	struct { struct trans **v; u32 n, cap; } made; /* records of its regions that were needed: a hash table by code */
	u8 broken;
	u8 begun;                      /* its code is translated in full and kept: one who ran it before has said so */
	u8 met;                        /* this one has, */
	u8 told;                       /* and it is written down */
	u8 vdso, late;                 /* no file; not attached yet */
	char *name;                    /* for -d cache only */
	u32 nnew; u64 newbytes;        /* to be persisted; of these some may have died */
	u32 nmissed;                   /* times code was asked for that its image has not */
};

extern struct dso *dso[NDSO];
extern _Atomic int ndso;
extern int cache_on;

/* cache.c: the hashes of grains of the guest's memory; 0: one cannot be read. */
int cache_grainsums(const gaddr *grain, u32 n, struct store_id *sum);
/* The guest's file has what the image was made from, as the guest sees it. */
int cache_hasgrains(const struct cimage *);
/* persist.c: what was made of it here is about to go; it becomes part of its image if that is worth it. */
void cache_keep(struct dso *);
int dso_samefile(const struct stat *, const struct stat *);    /* in the same state */

#endif
