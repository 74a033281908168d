/* SPDX-License-Identifier: MIT */
/* heap.c - malloc, for all of the program and its C library
 *
 * A vfork child shares our memory and can be killed at any instruction, in the middle of an allocation, too; its
 * parent goes on with what is left.  The C library's heap does not survive that.  Here each change is one store: who
 * dies before it has changed nothing, and after it takes at most the piece in his hands along.  The lock is inherited
 * (lock.h).
 *
 * A piece has a head of 16 bytes and one of four sizes between two powers of two.  It is cut from a chunk, and when
 * it is free it waits in the list of its size; BIG ones are mappings of their own.  Memory that was never used is zero.
 * ("Replacing malloc" in the C library's manual says what there has to be.) */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base/lock.h"
#include "base/util.h"

#ifdef __has_feature
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#if SANITIZED

void heap_fork(int phase) { (void)phase; }     /* the sanitizer has a heap of its own */

#else

enum { ALIGN = 16, FIRST = 256 << 10, CHUNK = 1 << 20, BIG = 256 << 10, LISTS = 4 * 20 };

struct piece { u64 size; struct piece *next; };        /* size: head included; 0: the piece that holds it is `next` */

static _Alignas(ALIGN) u8 first[FIRST] ROOMY;

static struct {
	struct lock lock;
	u8 *at, *end;                  /* what is left of the chunk */
	struct piece *free[LISTS];
} heap = { .at = first, .end = first + FIRST };

/* The lowest size a piece can have for n bytes; its list. */
static u64
sizefor(u64 n, u32 *list)
{
	u64 last = alignup(n + sizeof(struct piece) + !n, ALIGN) - 1;
	u32 e = 63 - (u32)__builtin_clzll(last), step = e - 2;

	*list = 4 * e + (u32)(last >> step & 3);
	return ((last >> step) + 1) << step;
}

/* The end goes first: with a new beginning and an old end there would be room where there is none. */
static int
newchunk(void)
{
	u8 *p = mmap(0, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 0;
	__atomic_store_n(&heap.end, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&heap.at, p, __ATOMIC_RELEASE);
	__atomic_store_n(&heap.end, p + CHUNK, __ATOMIC_RELEASE);
	return 1;
}

static struct piece *
cut(u64 size)
{
	u8 *p = heap.at;

	if (heap.end - p < (s64)size) {
		if (!newchunk())
			return 0;
		p = heap.at;
	}
	__atomic_store_n(&heap.at, p + size, __ATOMIC_RELEASE);
	return (struct piece *)p;
}

static struct piece *
mapbig(u64 size)
{
	void *p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 0 : p;
}

/* n bytes, or 0; *isnew: they are zero. */
static void *
get(size_t n, int *isnew)
{
	struct piece *p = 0;
	u32 list;
	u64 size;

	*isnew = 1;
	if (n > PTRDIFF_MAX - BIG) {
		errno = ENOMEM;
		return 0;
	}
	size = sizefor(n, &list);
	if (size >= BIG) {
		p = mapbig(size);
	} else {
		lock_take(&heap.lock);
		if ((p = heap.free[list])) {
			__atomic_store_n(&heap.free[list], p->next, __ATOMIC_RELEASE);
			*isnew = 0;
		} else {
			p = cut(size);
		}
		lock_give(&heap.lock);
	}
	if (!p)
		return 0;
	p->size = size;
	p->next = 0;
	return p + 1;
}

static struct piece *
head(void *p)
{
	struct piece *h = (struct piece *)p - 1;

	return h->size ? h : h->next;
}

size_t
malloc_usable_size(void *p)
{
	struct piece *h = p ? head(p) : 0;

	return h ? (size_t)((u8 *)h + h->size - (u8 *)p) : 0;
}

void *
malloc(size_t n)
{
	int isnew;

	return get(n, &isnew);
}

void *
calloc(size_t n, size_t each)
{
	int isnew;
	void *p;

	if (__builtin_mul_overflow(n, each, &n))
		n = SIZE_MAX;
	p = get(n, &isnew);
	return p && !isnew ? memset(p, 0, n) : p;
}

void
free(void *p)
{
	int saved = errno;
	struct piece *h;
	u32 list;

	if (!p)
		return;
	h = head(p);
	if (h->size >= BIG) {
		munmap(h, h->size);
	} else {
		sizefor(h->size - sizeof *h, &list);
		lock_take(&heap.lock);
		h->next = heap.free[list];
		__atomic_store_n(&heap.free[list], h, __ATOMIC_RELEASE);
		lock_give(&heap.lock);
	}
	errno = saved;
}

void *
realloc(void *p, size_t n)
{
	size_t have = malloc_usable_size(p);
	void *q;

	if (p && n <= have)
		return p;
	if ((q = malloc(n)) && p) {
		memcpy(q, p, have);
		free(p);
	}
	return q;
}

void *
memalign(size_t align, size_t n)
{
	struct piece *p, *q;

	if (align <= ALIGN)
		return malloc(n);
	if (n > PTRDIFF_MAX - align || !(p = malloc(n + align)))
		return 0;
	q = (struct piece *)alignup((uintptr_t)p, align);
	if (q != p)
		q[-1] = (struct piece){.next = p - 1};
	return q;
}

void *
aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

int
posix_memalign(void **p, size_t align, size_t n)
{
	return (*p = memalign(align, n)) ? 0 : ENOMEM;
}

void
heap_fork(int phase)
{
	if (phase == 0) {
		lock_take(&heap.lock);
		return;
	}
	if (phase == 2)
		lock_reset(&heap.lock);
	else if (phase == 1 || lock_inherit(&heap.lock))
		lock_give(&heap.lock);
}

#endif
