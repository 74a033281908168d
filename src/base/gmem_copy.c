/* SPDX-License-Identifier: MIT */
/* gmem_copy.c - copies between guest memory and ours that survive a bad address
 *
 * The loads and stores themselves are the host's (backend/HOST/copy.S): code without a frame
 * between two labels, for which the SIGSEGV handler has a continuation. */
#include <errno.h>
#include "base/gmem.h"

extern const char gmem_raw_begin[], gmem_raw_end[], gmem_raw_fault[];
long gmem_raw_copy(void *, const void *, size_t);
long gmem_raw_put2(void *, u64, u64);
long gmem_raw_strlen(const void *, size_t);

int
gmem_read(void *dst, gaddr src, size_t n)
{
	if (!n)
		return 0;
	return gmem_holds(src, n) ? (int)gmem_raw_copy(dst, g2h(src), n) : -EFAULT;
}

/* The guest may write every page of [a, a+n). */
static int
writable(gaddr a, size_t n)
{
	for (gaddr p = aligndown(a, gmem.pagesize); p < a + n; p += gmem.pagesize)
		if (!(gmem_prot(p) & GM_WRITE))
			return 0;
	return 1;
}

/* Only our own write protection of translated code may have been in the way. */
static __attribute__((noinline)) int
again(gaddr dst, const void *src, size_t n)
{
	if (!gmem_watch || !writable(dst, n))
		return -EFAULT;
	gmem_watch->unprotect(dst, n);
	return (int)gmem_raw_copy(g2h(dst), src, n);
}

int
gmem_write(gaddr dst, const void *src, size_t n)
{
	if (!n)
		return 0;
	if (!gmem_holds(dst, n))
		return -EFAULT;
	return gmem_raw_copy(g2h(dst), src, n) ? again(dst, src, n) : 0;
}

int
gmem_put(gaddr dst, u64 v, size_t n)
{
	return gmem_write(dst, &v, n);
}

int
gmem_put2(gaddr dst, u64 x, u64 y)
{
	u64 v[2] = {x, y};

	if (gmem_holds(dst, sizeof v) && !gmem_raw_put2(g2h(dst), x, y))
		return 0;
	return gmem_write(dst, v, sizeof v);
}

s64
gmem_strlen(gaddr a, size_t max)
{
	if (a < gmem.lo || a >= gmem.hi)
		return -EFAULT;
	return gmem_raw_strlen(g2h(a), max < gmem.hi - a ? max : gmem.hi - a);
}

u64
gmem_fixup(u64 pc)
{
	if (pc >= (u64)gmem_raw_begin && pc < (u64)gmem_raw_end)
		return (u64)gmem_raw_fault;
	return 0;
}
