/* SPDX-License-Identifier: MIT */
/* cache.h - the engine's side of the translation cache; inside this room only
 *
 * A guest file mapped executable at one distance between addresses and offsets is a *dso*, and so is the vDSO.
 * It has an image (image.h) if the store has one, and the translations made of its bytes in this process may
 * become part of the next version of it.  A guest page counts as the file's (*clean*) from when it was mapped
 * executable and not writable until the first time anything is done to the mapping.
 *
 * What an image was made from is in it, grain by grain (image.h).  It is attached if the file mapped has the same:
 * they are hashed, through the guest's mapping, unless that is remembered (store.h).  What is translated beside it
 * may depend on other grains of the file; they join when it is persisted.  So a file that differs in a grain which
 * the image does not know uses the image, and its own translations of that grain go into a version which the
 * other file will not have: whoever comes next begins a new one.  What is hashed for that is what was
 * translated, if the file's state is still that in which it was mapped (persist.c), and all pages used are clean.
 *
 * Left open: a file that is changed in place while the guest runs from it, twice within a tick of the file
 * system's clock, shows neither change.  The kernel does not permit it for a program, and a linker, a package
 * manager or cp has written the last byte before anybody maps the file.
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
void cache_drop(gaddr a, u64 len);     /* keeps what is worth it; waits until nobody runs generated code, if it must */
void cache_flush(gaddr a, u64 len);    /* may be called from a helper */
void cache_persist(void);              /* writes what is worth it, and */
void cache_tell(void);                 /* that files which nobody had run before have been run */

/* -- lock not needed -- */
/* The code for (pc, mode) in an image; good while the caller keeps others from finding that nobody runs generated
 * code. */
const u8 *cache_code(gaddr pc, u32 mode);

/* -- lock held -- */
/* cache_code has it, perhaps only now: an image is looked for that was not until somebody asked for its code. */
int cache_ready(gaddr pc, u32 mode);
/* The node for (pc, mode) if an image has it. */
struct node *cache_adopt(gaddr pc, u32 mode);
int cache_has(gaddr pc, u32 mode);
struct trans *cache_transat(const u8 *code);
struct dso *cache_home(gaddr a);       /* the dso to which that byte belongs, or 0 */
/* Code there, which is about to run, is to be translated in full, and kept: a process before has run that dso without
 * an image, or missed much in its image. */
int cache_begun(gaddr a);
/* All of [a, a+n) is that dso's.  Its translations depend on these bytes from now on. */
int cache_uses(struct dso *, gaddr a, u64 n);
void cache_made(struct dso *, u32 size);       /* code that can be kept, of so many bytes */
void cache_emptied(void);              /* before the code area's records go: nobody runs code */
void cache_end(void);                  /* no images and no persisting any more; likewise */
void cache_allnew(void);               /* the code area is empty */
void cache_forked(void);               /* in the child: what the parent translated is the parent's to persist */

/* 1: the address is in an image; async-signal-safe */
int cache_pcat(const u8 *code, struct guestat *);

#endif
