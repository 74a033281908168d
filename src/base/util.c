/* SPDX-License-Identifier: MIT */
/* util.c - arena, growing array, allocation that does not fail visibly, CRC-32C */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif
#include <sys/syscall.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/util.h"

enum {
	ARENA_ALIGN = 16,
	ARENA_CHUNK = 64 << 10,        /* usual size of a chunk, its head included */
	GROW_FIRST = 16,
	CRC32C_POLY = 0x82f63b78,      /* Castagnoli 0x1edc6f41, bits reversed */
};

static _Noreturn void
nomemory(size_t n)
{
	char text[32];

	snprintf(text, sizeof text, "%zu bytes wanted", n);
	diag(D_NOMEM, text);
}

void *
xmalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		nomemory(n);
	return p;
}

void *
xrealloc(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		nomemory(n);
	return q;
}

char *
xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}

char *
xasprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		nomemory(strlen(fmt));
	va_end(ap);
	return s;
}

void
grow_more(void *array, int *cap, size_t elem)
{
	void **p = array, *old = *p, *new;
	int want = *cap ? *cap * 2 : GROW_FIRST;

	if (want <= *cap)
		nomemory((size_t)*cap * elem * 2);
	new = xmalloc((size_t)want * elem);
	if (*cap)
		memcpy(new, old, (size_t)*cap * elem);
	__atomic_store_n(p, new, __ATOMIC_RELEASE);
	__atomic_store_n(cap, want, __ATOMIC_RELEASE);
	free(old);
}

void
norseq(void)
{
#if __has_include(<sys/rseq.h>)
	enum { REGISTERED = 32 /* bytes; other sizes the kernel refuses to forget, no harm done */ };

	if (__rseq_size)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, REGISTERED, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
#endif
}

void
pagein(void *p, size_t n)
{
	enum { POPULATE_WRITE = 23, PAGE = 4096 };     /* Linux 5.14; an older one refuses, and pages come one by one */
	u64 a = alignup((u64)p, PAGE), end = aligndown((u64)p + n, PAGE);

	if (a < end)
		madvise((void *)a, end - a, POPULATE_WRITE);
}

/* -- arena -- */

static size_t
headsize(void)
{
	return alignup(sizeof(struct chunk), ARENA_ALIGN);
}

/* Room for n bytes. */
static void
add_chunk(struct arena *a, size_t n)
{
	size_t size = n + headsize() > ARENA_CHUNK ? n + headsize() : ARENA_CHUNK;
	struct chunk *c = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (c == MAP_FAILED)
		nomemory(size);
	c->size = size;
	c->next = a->chunk;
	__atomic_store_n(&a->chunk, c, __ATOMIC_RELEASE);
	a->at = (u8 *)c + headsize();
	a->end = (u8 *)c + size;
}

void *
arena_get(struct arena *a, size_t n)
{
	void *p;

	n = alignup(n ? n : 1, ARENA_ALIGN);
	if (n > (size_t)(a->end - a->at))
		add_chunk(a, n);
	p = a->at;
	a->at += n;
	return p;                      /* zero as the kernel made it */
}

void
arena_free(struct arena *a)
{
	for (struct chunk *c = a->chunk, *next; c; c = next) {
		next = c->next;
		munmap(c, c->size);
	}
	memset(a, 0, sizeof *a);
}

/* -- checksum: neither the initial value nor the result is inverted, as in the guests' CRC
 * instructions -- */

u32
crc32c(u32 crc, const void *p, size_t n)
{
	static const u32 nibble[16] = {
#define STEP(x) ((x) >> 1 ^ ((x) & 1 ? (u32)CRC32C_POLY : 0))
#define ENTRY(x) STEP(STEP(STEP(STEP((u32)(x)))))
		ENTRY(0), ENTRY(1), ENTRY(2), ENTRY(3), ENTRY(4), ENTRY(5), ENTRY(6), ENTRY(7),
		ENTRY(8), ENTRY(9), ENTRY(10), ENTRY(11), ENTRY(12), ENTRY(13), ENTRY(14), ENTRY(15),
#undef ENTRY
#undef STEP
	};

	for (const u8 *b = p, *end = b + n; b < end; b++) {
		crc ^= *b;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return crc;
}
