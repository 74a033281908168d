/* SPDX-License-Identifier: MIT */
/* cache.h - the engine's side of the translation cache; inside this room only
 *
 * A guest file mapped executable at one distance between addresses and offsets is a *dso*, and so is the vDSO.
 * It has an image (image.h) if the store has one, and the translations made of its bytes in this process may
 * become part of the next version of it.  A guest page counts as the file's (*clean*) from when it was mapped
 * executable and not writable until the first time anything is done to the mapping.
 *
 * An image whose translated pages stop being clean goes as a whole, while nobody runs generated code: whoever ran
 * in it has left it, and with that its return addresses are forgotten. */
#ifndef CORE_CACHE_H
#define CORE_CACHE_H

#include "core/core.h"

void cache_init(void);                 /* once, the code area being there */

/* -- lock not held -- */
void cache_mapped(gaddr a, u64 len, u64 off, int fd);
void cache_vdso(gaddr a, u64 len);
void cache_drop(gaddr a, u64 len);     /* waits until nobody runs generated code, if it must */
void cache_flush(gaddr a, u64 len);    /* may be called from a helper */
void cache_persist(void);              /* writes what is worth it */

/* -- lock held -- */
/* The node for (pc, mode) if an image has it. */
struct node *cache_adopt(gaddr pc, u32 mode);
int cache_has(gaddr pc, u32 mode);
struct trans *cache_transat(const u8 *code);
/* The dso to which all of [a, a+n) belongs, or 0. */
struct dso *cache_home(gaddr a, u64 n);
void cache_emptied(void);              /* before the code area's records go: nobody runs code */
void cache_end(void);                  /* no images and no persisting any more; likewise */
void cache_allnew(void);               /* the code area is empty */
void cache_forked(void);               /* in the child: what the parent translated is the parent's to persist */

/* 1: the address is in an image; async-signal-safe */
int cache_pcat(const u8 *code, struct guestat *);

#endif
