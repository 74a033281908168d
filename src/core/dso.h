/* SPDX-License-Identifier: MIT */
/* dso.h - what cache.c and persist.c share */
#ifndef CORE_DSO_H
#define CORE_DSO_H

#include <sys/stat.h>
#include "core/cache.h"
#include "core/image.h"

enum { NDSO = 1024 };

/* A guest file mapped at one delta.  Records are never freed: handlers read them. */
struct dso {
	struct store_key key;
	struct stat st;                /* the file when it was identified */
	gaddr lo, hi;                  /* pages that were mapped lie in [lo, hi); */
	u8 *clean;                     /* those that still are as they were: 1 */
	struct cimage image;
	struct { struct trans **v; u32 n, cap; } made; /* records of its regions that were needed: a hash table by code */
	u8 broken;
	u8 vdso, late;                 /* no file; not attached yet */
	char *name;                    /* for -d cache only */
	u32 nnew; u64 newbytes;        /* of the persisting in progress */
};

extern struct dso *dso[NDSO];
extern _Atomic int ndso;
extern int cache_on;

#endif
