/* SPDX-License-Identifier: MIT */
/* gmem.h - guest memory
 *
 * A guest address is a host address less a constant (gmem.base, 0 for 64-bit guests).  Where
 * things go does not depend on the host's layout:
 *
 *   image zone   executables and shared objects.  Low on purpose: an address in it fits a
 *                sign-extended 32-bit immediate, which generated code is full of
 *   heap         upward from its start (brk)
 *   data zone    anonymous and data mappings, handed out downward from its top
 *   far zone     the same for what is large (64 GiB): reservations of a terabyte are common
 *   stack        below the end of the address space
 *
 * Each guest says where its own are (struct gspace): programs look at addresses and draw conclusions, as
 * sanitizers do from the stack's, so they are what the guest's machines have, as far as the host can.
 * The host's own mappings (dragoman, its libraries, code caches) lie at 0x5500_0000_0000 and
 * above, where the kernel puts them; the guest never sees an address there, unless it asks for
 * it with MAP_FIXED, which then fails with ENOMEM as beyond TASK_SIZE on Linux.
 *
 * This room keeps the list of the guest's mappings: what /proc/self/maps shows the guest, what
 * the code cache needs to know about a page, and what the host cannot tell (a page that is
 * executable for the guest is never executable for the host; a page with translated code may be
 * write-protected on the host while the guest owns it writable).
 *
 * Locks: every function takes the map lock itself, unless it says otherwise.  None may be called
 * from a host signal handler except those marked async-signal-safe.  Errors are -errno. */
#ifndef BASE_GMEM_H
#define BASE_GMEM_H

#include <errno.h>
#include <sys/types.h>
#include "base/word.h"

enum {
	GM_READ = 1, GM_WRITE = 2, GM_EXEC = 4,                /* = PROT_* of Linux */
	GM_SHARED = 8, GM_ANON = 16, GM_GROWSDOWN = 32,
	GM_STACK = 64, GM_HEAP = 128, GM_VDSO = 256,           /* name shown in maps */
};

struct vma {
	gaddr start, end;              /* page aligned, end exclusive */
	u32 flags;                     /* GM_* */
	u64 dev, ino, off;             /* backing file (0, 0 if none) and offset of start in it */
	const char *path;              /* as the guest sees it; owned by the list; 0 if anonymous */
};

struct gmem {
	u64 base;                      /* host address = guest address + base */
	u64 pagesize;                  /* the guest's: 4096 unless -p says else */
	u64 lo, hi;                    /* guest addresses in use lie in [lo, hi) */
	gaddr brk0, brk;               /* start and current end of the heap */
	gaddr vdso0, vdso1;            /* the vDSO (base/vdso.h), or 0, 0 */
};
extern struct gmem gmem;

static inline void *g2h(gaddr a) { return (void *)(a + gmem.base); }
static inline gaddr h2g(const void *p) { return (gaddr)p - gmem.base; }

enum zone { ZONE_IMAGE, ZONE_DATA, ZONE_FAR, NZONE };

/* Where things are in a guest's address space: guest addresses. */
struct gspace {
	u64 base;                      /* host address = guest address + base */
	gaddr end;                     /* of user addresses, page aligned (TASK_SIZE); the stack ends below */
	gaddr brk;                     /* the heap starts here */
	struct { gaddr lo, hi; } zone[NZONE];
};

/* The image zone of guests of 64 bits. */
#define ZONE_LOW {0x10000000, 0x7fff0000}

/* The space s made smaller: user addresses end at `end`, 16 GiB at least, as with another size of virtual addresses. */
struct gspace gmem_narrow(const struct gspace *s, gaddr end);
/* Called once before the loader; the space stays the caller's. */
void gmem_init(const struct gspace *, u64 pagesize);

/* As mmap(2), munmap, mprotect, mremap, madvise(DONTNEED...) of Linux on guest addresses, with guest PROT_*
 * and MAP_* values already turned into the host's.  path names the file for maps (copied; may be
 * 0).  A mapping with fd >= 0 and PROT_EXEC (or which a later MAP_FIXED makes so: ld.so) is placed in the image zone
 * unless the caller asked for an address.  Return the address or -errno.  All tell the code cache
 * (gmem_watch) about executable ranges that change before they change.  An anonymous mapping with the
 * path "[stack]", "[heap]" or "[vdso]" gets that name. */
s64 gmem_map(gaddr, u64 len, int prot, int flags, int fd, u64 off, const char *path);
/* The guest has opened fd on this thread by that name (real: it is absolute and without links).  If it reserves
 * space for an image next, that is for this file, whose name and size then decide the place (as they do for
 * one that is mapped at once). */
void gmem_opened(int fd, const char *path, int real);
/* The file's absolute name without links; -1 if it is longer than n - 1, or nobody knows it.  One that was just opened
 * is asked for its name without /proc: what is there is made when it is looked at, which takes long. */
int gmem_filename(int fd, char *buf, size_t n);
s64 gmem_unmap(gaddr, u64 len);
s64 gmem_protect(gaddr, u64 len, int prot);
s64 gmem_remap(gaddr old, u64 oldlen, u64 newlen, int flags, gaddr want);
s64 gmem_advise(gaddr, u64 len, int advice);           /* madvise(2) */
s64 gmem_brk(gaddr want);              /* Linux brk: returns the new or the unchanged end */
int gmem_attach(gaddr, u64 len, int prot, int shared, const char *path); /* records a mapping made by others (shmat) */

/* The mapping that holds a (copied to *v, its path pinned until the next gmem call of this
 * thread), or -ENOENT and in *v the next one above (start == end == 0 if none). */
int gmem_find(gaddr a, struct vma *v);
/* Guest access to a byte, as GM_READ|GM_WRITE|GM_EXEC bits; 0 if unmapped.  Lock-free,
 * async-signal-safe: for fault handlers. */
u32 gmem_changes(void);                        /* how often a mapping came, went or changed so far; no lock */
int gmem_prot(gaddr a);

/* Copies between guest memory and ours that return -EFAULT instead of faulting.
 * Async-signal-safe. */
int gmem_read(void *dst, gaddr src, size_t n);
int gmem_write(gaddr dst, const void *src, size_t n);
int gmem_put(gaddr dst, u64 v, size_t n);      /* n bytes of v in the host's byte order */
/* The same of 1 << log bytes in the host's byte order, log being known where it is called.  What is loaded is extended
 * by 0, and *v is any value if it cannot be. */
struct gmem_loaded { long bad; u64 v; };
struct gmem_loaded gmem_raw_load1(const void *), gmem_raw_load2(const void *), gmem_raw_load4(const void *),
    gmem_raw_load8(const void *);
long gmem_raw_store1(void *, u64), gmem_raw_store2(void *, u64), gmem_raw_store4(void *, u64),
    gmem_raw_store8(void *, u64);

static inline int
gmem_holds(gaddr a, size_t n)
{
	return a >= gmem.lo && a < gmem.hi && n <= gmem.hi - a;
}

static inline __attribute__((always_inline)) int
gmem_load(u64 *v, gaddr a, int log)
{
	const void *p = g2h(a);
	struct gmem_loaded l;

	if (!gmem_holds(a, (size_t)1 << log))
		return -EFAULT;
	l = log == 3 ? gmem_raw_load8(p) : log == 2 ? gmem_raw_load4(p) : log ? gmem_raw_load2(p) : gmem_raw_load1(p);
	*v = l.v;
	return (int)l.bad;
}

static inline __attribute__((always_inline)) int
gmem_store(gaddr a, u64 v, int log)
{
	void *p = g2h(a);

	if (!gmem_holds(a, (size_t)1 << log))
		return -EFAULT;
	if (!(log == 3 ? gmem_raw_store8(p, v) : log == 2 ? gmem_raw_store4(p, v) : log ? gmem_raw_store2(p, v) :
	    gmem_raw_store1(p, v)))
		return 0;
	return gmem_put(a, v, (size_t)1 << log);
}

int gmem_put2(gaddr dst, u64 x, u64 y);        /* the same of two words in the host's byte order */
/* Length of the NUL-terminated guest string at a, or -EFAULT; at most max. */
s64 gmem_strlen(gaddr a, size_t max);
/* For the host's SIGSEGV handler: if pc lies in one of the copy routines above, the pc to go on
 * at (which makes the routine return -EFAULT); else 0. */
u64 gmem_fixup(u64 host_pc);

/* -- the code cache's side (core/smc.c) -- */
struct gmem_watch {
	/* Guest code in [a, a+len) is about to change, vanish, or lose GM_EXEC; called again when it
	 * has.  The map lock is not held. */
	void (*drop)(gaddr a, u64 len);
	/* The kernel is about to write [a, a+len) for the guest (read(2) and the like): make the
	 * pages writable on the host if only their translations made them read-only. */
	void (*unprotect)(gaddr a, u64 len);
	/* The guest says that it has written code in [a, a+len), or anywhere (as on machines whose instruction
	 * cache is not coherent). */
	void (*flush)(gaddr a, u64 len);
	void (*flushall)(void);
	/* All code shall be made anew, in another way. */
	void (*renew)(void);
	/* A file has been mapped privately at a, from offset off, executable and not writable.  The map lock is not held. */
	void (*mapped)(gaddr a, u64 len, u64 off, int fd);
	/* The guest's vDSO has been built there. */
	void (*vdso)(gaddr a, u64 len);
};
extern const struct gmem_watch *gmem_watch;    /* set once by the engine; may be 0 in tests */
/* Makes guest pages read-only on the host because they hold translated code, and back to what the
 * guest owns.  Called with any lock; async-signal-safe. */
void gmem_guard(gaddr page, u64 len, int on);
/* Calls f for every mapping of the same file page range (dev, ino, off..off+len) that is shared and
 * writable: aliases through which translated code may be written. */
void gmem_aliases(u64 dev, u64 ino, u64 off, u64 len, void (*f)(void *arg, gaddr a, u64 n), void *arg);

/* Calls f for every mapping in address order (for /proc/self/maps).  Holds the lock. */
void gmem_each(void (*f)(void *arg, const struct vma *), void *arg);

void gmem_fork(int phase);             /* the map lock; phase as in engine_fork */

#endif
