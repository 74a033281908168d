/* SPDX-License-Identifier: MIT */
/* util.h - arena and growing array
 *
 * Allocation does not fail visibly: when the host has no memory left these print one line and
 * exit (diag D_NOMEM).  None of them is safe to call in a host signal handler. */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include "base/word.h"

/* An arena: memory handed out in order and freed as a whole.  Zero-initialise it to use it.  It does without malloc:
 * a vfork child killed in the middle of a use spoils the arena alone. */
struct arena {
	struct chunk { struct chunk *next; size_t size; } *chunk;
	u8 *at, *end;
};
void *arena_get(struct arena *, size_t n);     /* n zeroed bytes, aligned to 16 */
void arena_free(struct arena *);

void *xmalloc(size_t n);                       /* zeroed */
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Room for one more element in the array of n elements and *cap slots whose address is at `array`.  Whenever a vfork
 * child is killed in it, its parent has the old array or the new one, and *cap is no more than that holds. */
void grow_more(void *array, int *cap, size_t elem);

static inline void
grow(void *array, int n, int *cap, size_t elem)
{
	if (n >= *cap)
		grow_more(array, cap, elem);
}

/* heap.c: the lock of malloc; phase as in engine_fork */
void heap_fork(int phase);

/* The C library gives the kernel a place in each thread where it notes the processor (rseq(2)).  That is written after
 * each fork, which costs parent and child a page, and looked at for each signal; nobody here needs it. */
void norseq(void);

/* The pages of a table that will be written here and there, all at once: that costs a quarter of as many faults. */
void pagein(void *p, size_t n);

/* For tables of which a process writes little or nothing: they lie behind all other data, so that what each process
 * writes at its start is in few pages.  The page costs it more than the data. */
#define ROOMY __attribute__((section(".lbss")))

/* What every fork writes, likewise: parent and child get a copy of each page that one of them writes after it. */
#define FORKED __attribute__((section("forked")))

/* x = v, written only where it is something else: a child that writes nothing of a page goes on with its parent's. */
#define CHANGE(x, v) ((x) == (v) ? (void)0 : (void)((x) = (v)))

/* Constants that every forked child looks at: their place is among those that hold addresses.  Pages of that mapping
 * were written when the program was loaded, so Linux gives a child what its parent has of it; of what is as in the file
 * it has nothing at first. */
#define INHERITED __attribute__((section(".data.rel.ro.local")))

u32 crc32c(u32 crc, const void *p, size_t n);  /* Castagnoli, reflected, initial value as given */

#endif
