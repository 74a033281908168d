/* SPDX-License-Identifier: MIT */
/* gmem.c - guest memory: mmap and its family on guest addresses
 *
 * Each call does the host's call first and then notes the result in the list, under the map lock.
 * Host protections never contain PROT_EXEC: guest code is data here. */
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/gmem_list.h"

struct gmem gmem;
const struct gmem_watch *gmem_watch;

static const u64 IMAGE_MAX = 256 << 20;        /* larger ones would crowd the image zone */
static const u64 FAR_MIN = (u64)64 << 30;
static const u64 HUGE = 2 << 20;

enum {                                         /* of mprotect and mmap; not in every libc header */
	PROT_DOWN = 0x01000000, PROT_UP = 0x02000000,
	REMAP_MAYMOVE = 1, REMAP_FIXED = 2, REMAP_DONTUNMAP = 4,
};

void
gmem_init(const struct gspace *space, u64 pagesize)
{
	u64 host = (u64)sysconf(_SC_PAGESIZE);

	gmem.base = space->base;
	gmem.pagesize = pagesize > host ? pagesize : host;
	gmem.lo = 0;
	gmem.hi = space->end;
	gmem.brk0 = gmem.brk = space->brk;
	place_init(space);
}

int
gmem_hostprot(u32 flags)
{
	int p = flags & (GM_READ | GM_WRITE);

	/* we read what the guest may only execute */
	return flags & GM_EXEC ? p | PROT_READ : p;
}

static int
inrange(gaddr a, u64 len)
{
	return len <= gmem.hi && a <= gmem.hi - len;
}

static u64
pageup(u64 n)
{
	return alignup(n, gmem.pagesize);
}

/* The code cache hears of changes to executable ranges without the map lock held (its own lock comes
 * first): before the change, and after it, because another thread may have translated the old
 * code meanwhile.  changing() tells whether changed() must be called. */
static int
changing(gaddr a, u64 len)
{
	int exec;

	if (!gmem_watch)
		return 0;
	list_lock();
	exec = list_hasexec(a, a + len);
	list_unlock();
	if (exec)
		gmem_watch->drop(a, len);
	return exec;
}

static void
changed(int exec, gaddr a, u64 len)
{
	if (exec)
		gmem_watch->drop(a, len);
}

/* -- map -- */

struct request {
	gaddr addr;
	u64 len, off;
	int prot, flags, fd;
	const char *path;
	u64 dev, ino, size;
};

static int
isanon(const struct request *q)
{
	return (q->flags & MAP_ANONYMOUS) != 0;
}

static u32
reqflags(const struct request *q)
{
	static const struct { const char *name; u32 flag; } named[] = {
		{ "[stack]", GM_STACK }, { "[heap]", GM_HEAP }, { "[vdso]", GM_VDSO },
	};
	u32 f = q->prot & (GM_READ | GM_WRITE | GM_EXEC);

	if ((q->flags & MAP_TYPE) != MAP_PRIVATE)
		f |= GM_SHARED;
	if (isanon(q))
		f |= GM_ANON;
	if (q->flags & MAP_GROWSDOWN)
		f |= GM_GROWSDOWN;
	for (size_t i = 0; q->path && i < NELEM(named); i++)
		if (!strcmp(q->path, named[i].name))
			f |= named[i].flag;
	return f;
}

static void
record(const struct request *q, gaddr a)
{
	struct mfile *f = 0;

	if (!isanon(q))
		f = file_get(q->dev, q->ino, q->path);
	else if (q->path && *q->path && !(reqflags(q) & (GM_STACK | GM_HEAP | GM_VDSO)))
		f = file_get(0, 0, q->path);
	list_insert(a, a + q->len, reqflags(q), f, q->off);
	file_put(f);
}

/* The file begins with the header of an ELF program or library. */
static int
iself(int fd)
{
	unsigned char h[EI_NIDENT + 2];

	if (pread(fd, h, sizeof h, 0) != (ssize_t)sizeof h || memcmp(h, ELFMAG, SELFMAG))
		return 0;
	u16 type = (u16)ldn(h + EI_NIDENT, 2, h[EI_DATA] == ELFDATA2MSB);
	return type == ET_DYN || type == ET_EXEC;
}

/* The file that the guest's thread opened last: see gmem_opened. */
static _Thread_local struct { int fd, real; char path[256]; } opened = { .fd = -1 };

void
gmem_opened(int fd, const char *path, int real)
{
	opened.fd = fd;
	opened.real = real;
	*opened.path = 0;
	if (*path == '/' && strlen(path) < sizeof opened.path)
		strcpy(opened.path, path);
}

static int
findreal(void)
{
	char real[PATH_MAX];

	if (!realpath(opened.path, real) || strlen(real) >= sizeof opened.path)
		return 0;
	strcpy(opened.path, real);
	return 1;
}

int
gmem_filename(int fd, char *buf, size_t n)
{
	struct stat a, b;
	char link[32];
	ssize_t len;

	if (fd == opened.fd && *opened.path && strlen(opened.path) < n && (opened.real || (opened.real = findreal())) &&
	    !stat(opened.path, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev) {
		strcpy(buf, opened.path);
		return 0;
	}
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, buf, n);
	if (len < 0 || (size_t)len >= n)
		return -1;
	buf[len] = 0;
	return 0;
}

/* A file's name without directories and its size: the same for a library in every process, in every container
 * that has it, and known without reading it. */
static u64
filekey(const char *path, u64 size)
{
	const char *name = path ? strrchr(path, '/') : 0;
	u64 h = size;

	for (name = name ? name + 1 : path; name && *name; name++)
		h = (h ^ (u8)*name) * 0x100000001b3u;
	return h;
}

/* An anonymous mapping that will hold an image: it belongs to the file opened just before. */
static u64
reservekey(const struct request *q)
{
	char name[256];
	struct stat st;

	if (opened.fd < 0 || fstat(opened.fd, &st) || !S_ISREG(st.st_mode) || !iself(opened.fd))
		return q->len;
	if (gmem_filename(opened.fd, name, sizeof name))
		*name = 0;
	return filekey(name, (u64)st.st_size);
}

/* An image, or what will hold one: ld.so maps a library as a whole first, readable only, and its
 * segments over that; where a segment's alignment exceeds the page size it reserves the span
 * with an inaccessible anonymous mapping first (glibc >= 2.35).  Thread stacks and malloc arenas
 * are reserved with MAP_STACK or MAP_NORESERVE besides. */
static int
isimage(const struct request *q)
{
	if ((q->flags & MAP_TYPE) != MAP_PRIVATE || q->len >= IMAGE_MAX || q->len < 4096)
		return 0;
	if (isanon(q))
		return !(q->prot & 7) && !(q->flags & ~(MAP_PRIVATE | MAP_ANONYMOUS | MAP_DENYWRITE));
	if (q->prot & PROT_EXEC)
		return 1;
	return q->off == 0 && !(q->prot & PROT_WRITE) && iself(q->fd);
}

static u64
reqalign(const struct request *q)
{
	int shift = q->flags >> MAP_HUGE_SHIFT & 63;

	if (q->flags & MAP_HUGETLB)
		return (u64)1 << (shift ? shift : 21);
	/* let the host use huge pages for big areas */
	return isanon(q) && q->len >= HUGE && q->len % HUGE == 0 ? HUGE : gmem.pagesize;
}

static s64
map_anywhere(const struct request *q)
{
	enum zone z = q->len >= FAR_MIN ? ZONE_FAR : ZONE_DATA;
	u64 key = 0;

	if (isimage(q)) {
		z = ZONE_IMAGE;
		key = isanon(q) ? reservekey(q) : filekey(q->path, q->size);
	}
	return place_map(z, key, q->len, reqalign(q), gmem_hostprot(q->prot), q->flags, q->fd,
			 q->off);
}

/* MAP_FIXED may replace what is the guest's, and nothing of ours: the gaps of the range are taken
 * by mappings that refuse to replace. */
static s64
map_fixed(const struct request *q)
{
	gaddr a = q->addr, end = q->addr + q->len;
	void *p;

	list_stretch(a);
	if (list_free(a, end)) {
		s64 r = place_exact(a, q->len, gmem_hostprot(q->prot), q->flags, q->fd, q->off);

		return r == -EEXIST ? -ENOMEM : r;
	}
	while (a < end) {
		const struct table *t = list_table();
		int i = list_at(a);
		gaddr next = i < t->n && t->e[i].start < end ? t->e[i].start : end;

		if (next > a && place_exact(a, next - a, PROT_NONE,
					    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) < 0)
			return -ENOMEM;
		if (next > a)
			list_insert(a, next, GM_ANON, 0, 0);
		a = next < end ? list_table()->e[list_at(next)].end : end;
	}
	p = mmap(g2h(q->addr), q->len, gmem_hostprot(q->prot),
		 (q->flags & ~MAP_FIXED_NOREPLACE) | MAP_FIXED, q->fd, q->off);
	return p == MAP_FAILED ? -errno : (s64)q->addr;
}

static s64
map_somewhere(struct request *q)
{
	if (q->flags & MAP_FIXED_NOREPLACE) {
		list_stretch(q->addr);
		if (!list_free(q->addr, q->addr + q->len))
			return -EEXIST;
		return place_exact(q->addr, q->len, gmem_hostprot(q->prot), q->flags, q->fd, q->off);
	}
	if (q->flags & MAP_FIXED)
		return map_fixed(q);
	if (q->addr) {
		q->addr = pageup(q->addr);
		if (inrange(q->addr, q->len) && list_free(q->addr, q->addr + q->len)) {
			s64 r = place_exact(q->addr, q->len, gmem_hostprot(q->prot), q->flags,
					    q->fd, q->off);
			if (r != -EEXIST && r != -EPERM)
				return r;
		}
	}
	return map_anywhere(q);
}

/* With guest pages larger than the host's, the rest of a file's last guest page reads as zero
 * on the guest's kernel, while the host would raise SIGBUS there. */
static void
pad_lastpage(const struct request *q, gaddr a)
{
	u64 host = (u64)sysconf(_SC_PAGESIZE), from;

	if (gmem.pagesize == host || isanon(q) || q->size <= q->off)
		return;
	from = alignup(q->size - q->off, host);
	if (from >= q->len)
		return;
	mmap(g2h(a + from), (pageup(from) < q->len ? pageup(from) : q->len) - from,
	     gmem_hostprot(q->prot), MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static int
checkmap(struct request *q)
{
	struct stat st;

	if (!q->len)
		return -EINVAL;
	if (pageup(q->len) < q->len)
		return -ENOMEM;
	q->len = pageup(q->len);
	if (q->off % gmem.pagesize)
		return -EINVAL;
	if (q->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (q->addr % gmem.pagesize)
			return -EINVAL;
		if (!inrange(q->addr, q->len))
			return -ENOMEM;
	}
	if (isanon(q)) {
		q->fd = -1;
		q->off = 0;
		return 0;
	}
	if (fstat(q->fd, &st))
		return -errno;
	q->dev = st.st_dev;
	q->ino = st.st_ino;
	q->size = S_ISREG(st.st_mode) ? (u64)st.st_size : ~(u64)0;
	return 0;
}

s64
gmem_map(gaddr addr, u64 len, int prot, int flags, int fd, u64 off, const char *path)
{
	struct request q = { addr, len, off, prot & 7, flags, fd, path, 0, 0, 0 };
	s64 r = checkmap(&q);
	int exec = 0;

	if (r < 0)
		return r;
	if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == MAP_FIXED)
		exec = changing(addr, q.len);
	list_lock();
	r = map_somewhere(&q);
	if (r >= 0) {
		pad_lastpage(&q, (gaddr)r);
		record(&q, (gaddr)r);
	}
	list_unlock();
	changed(exec, addr, q.len);
	if (r >= 0 && !isanon(&q) && (prot & (GM_EXEC | GM_WRITE)) == GM_EXEC && gmem_watch && gmem_watch->mapped &&
	    (flags & MAP_TYPE) == MAP_PRIVATE)
		gmem_watch->mapped((gaddr)r, q.len, off, fd);
	return r;
}

/* -- unmap -- */

/* Unmaps those parts of [a, end) that the guest owns. */
static s64
unmap_owned(gaddr a, gaddr end)
{
	gaddr top = a;

	while (a < end) {
		const struct table *t = list_table();
		int i = list_at(a);
		gaddr lo, hi;

		if (i == t->n || t->e[i].start >= end)
			break;
		lo = t->e[i].start > a ? t->e[i].start : a;
		for (hi = t->e[i].end; hi < end && i + 1 < t->n && t->e[i + 1].start == hi; i++)
			hi = t->e[i + 1].end;
		if (hi > end)
			hi = end;
		if (munmap(g2h(lo), hi - lo))
			return -errno;
		list_clear(lo, hi);
		a = top = hi;
	}
	place_freed(top);
	return 0;
}

s64
gmem_unmap(gaddr a, u64 len)
{
	int exec;
	s64 r;

	if (a % gmem.pagesize || !len || !inrange(a, len) || !inrange(a, pageup(len)))
		return -EINVAL;
	len = pageup(len);
	exec = changing(a, len);
	list_lock();
	list_stretch(a);
	r = unmap_owned(a, a + len);
	list_unlock();
	changed(exec, a, len);
	return r;
}

/* -- protect -- */

/* The end of the run of mappings without a hole that begins at a, at most end. */
static gaddr
run_end(gaddr a, gaddr end)
{
	const struct table *t = list_table();

	for (int i = list_at(a); i < t->n && t->e[i].start <= a && a < end; i++)
		a = t->e[i].end;
	return a < end ? a : end;
}

/* PROT_GROWSDOWN: the change reaches down to the start of a growing stack. */
static s64
growstart(gaddr a, int prot, gaddr *start)
{
	const struct table *t = list_table();
	int i = list_at(a);

	if (prot & PROT_UP)
		return -EINVAL;
	if (i == t->n || t->e[i].start > a)
		return -ENOMEM;
	if (!(t->e[i].flags & GM_GROWSDOWN))
		return -EINVAL;
	*start = t->e[i].start;
	return 0;
}

static s64
protect(gaddr a, gaddr end, int prot)
{
	gaddr upto;

	list_stretch(a);
	if (prot & (PROT_DOWN | PROT_UP)) {
		s64 r = growstart(a, prot, &a);

		if (r < 0)
			return r;
	}
	upto = run_end(a, end);
	if (upto > a) {
		if (mprotect(g2h(a), upto - a, gmem_hostprot(prot)))
			return -errno;
		list_setprot(a, upto, prot & 7);
	}
	return upto < end ? -ENOMEM : 0;
}

s64
gmem_protect(gaddr a, u64 len, int prot)
{
	int exec;
	s64 r;

	if (a % gmem.pagesize)
		return -EINVAL;
	if (!len)
		return 0;
	if (pageup(len) < len || !inrange(a, pageup(len)))
		return -ENOMEM;
	len = pageup(len);
	exec = changing(a, len);
	list_lock();
	r = protect(a, a + len, prot);
	list_unlock();
	changed(exec, a, len);
	return r;
}

/* -- remap -- */

/* The mapping may be moved: to the given place, or to one we find.  The place is taken first by a
 * mapping that refuses to replace, because MREMAP_FIXED replaces whatever it meets. */
static s64
remap_move(gaddr old, u64 oldlen, u64 newlen, int flags, gaddr want)
{
	int hold = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	u64 align = newlen >= HUGE && old % HUGE == 0 ? HUGE : gmem.pagesize;
	s64 to;

	if (flags & REMAP_FIXED) {
		struct request q = { want, newlen, 0, 0, hold, -1, 0, 0, 0, 0 };

		to = map_fixed(&q);
	} else {
		to = place_map(newlen >= FAR_MIN ? ZONE_FAR : ZONE_DATA, 0, newlen, align,
			       PROT_NONE, hold, -1, 0);
	}
	if (to < 0)
		return to;
	if (mremap(g2h(old), oldlen, newlen, flags | REMAP_MAYMOVE | REMAP_FIXED,
		   g2h((gaddr)to)) == MAP_FAILED) {
		s64 r = -errno;

		munmap(g2h((gaddr)to), newlen);
		list_clear((gaddr)to, (gaddr)to + newlen);
		return r;
	}
	list_clear((gaddr)to, (gaddr)to + newlen);
	list_move(old, old + oldlen, (gaddr)to, (gaddr)to + newlen, !!(flags & REMAP_DONTUNMAP));
	place_freed(old + oldlen);
	return to;
}

static s64
remap(gaddr old, u64 oldlen, u64 newlen, int flags, gaddr want)
{
	list_stretch(old);
	if (!list_covered(old, old + (oldlen ? oldlen : 1)))
		return -EFAULT;
	if (flags & (REMAP_FIXED | REMAP_DONTUNMAP))
		return remap_move(old, oldlen, newlen, flags, want);
	if (newlen <= oldlen && oldlen) {
		if (newlen < oldlen)
			return unmap_owned(old + newlen, old + oldlen) < 0 ? -EINVAL : (s64)old;
		return (s64)old;
	}
	if (oldlen && inrange(old, newlen) && list_free(old + oldlen, old + newlen) &&
	    mremap(g2h(old), oldlen, newlen, 0) != MAP_FAILED) {
		list_move(old, old + oldlen, old, old + newlen, 1);
		return (s64)old;
	}
	return flags & REMAP_MAYMOVE ? remap_move(old, oldlen, newlen, flags, 0) : -ENOMEM;
}

s64
gmem_remap(gaddr old, u64 oldlen, u64 newlen, int flags, gaddr want)
{
	int exec, over = 0;
	s64 r;

	if (flags & ~(REMAP_MAYMOVE | REMAP_FIXED | REMAP_DONTUNMAP) || old % gmem.pagesize ||
	    (flags & (REMAP_FIXED | REMAP_DONTUNMAP) && !(flags & REMAP_MAYMOVE)))
		return -EINVAL;
	oldlen = pageup(oldlen);
	newlen = pageup(newlen);
	if (!newlen || (flags & REMAP_DONTUNMAP && newlen != oldlen))
		return -EINVAL;
	if (!inrange(old, oldlen))
		return -EFAULT;
	if (flags & REMAP_FIXED && (want % gmem.pagesize || !inrange(want, newlen) ||
				    (want < old + oldlen && old < want + newlen)))
		return -EINVAL;
	if (!inrange(0, newlen))
		return -ENOMEM;
	exec = changing(old, oldlen);
	if (flags & REMAP_FIXED)
		over = changing(want, newlen);
	list_lock();
	r = remap(old, oldlen, newlen, flags, want);
	list_unlock();
	changed(exec, old, oldlen);
	changed(over, want, newlen);
	return r;
}

/* -- the rest -- */

s64
gmem_advise(gaddr a, u64 len, int advice)
{
	gaddr end, upto, from = a;
	int exec;
	s64 r = 0;

	if (a % gmem.pagesize || pageup(len) < len)
		return -EINVAL;
	if (!inrange(a, pageup(len)))
		return -ENOMEM;
	end = a + pageup(len);
	exec = changing(a, end - a);
	list_lock();
	list_stretch(a);
	/* holes are skipped, and reported at the end */
	while (a < end) {
		const struct table *t = list_table();
		int i = list_at(a);

		if (i == t->n || t->e[i].start >= end) {
			r = -ENOMEM;
			break;
		}
		if (t->e[i].start > a)
			r = -ENOMEM, a = t->e[i].start;
		upto = run_end(a, end);
		if (madvise(g2h(a), upto - a, advice)) {
			r = -errno;
			break;
		}
		a = upto;
	}
	list_unlock();
	changed(exec, from, end - from);
	return r;
}

s64
gmem_brk(gaddr want)
{
	gaddr old, new;
	int exec = 0;

	if (want >= gmem.brk0 && pageup(want) < gmem.brk)
		exec = changing(pageup(want), pageup(gmem.brk) - pageup(want));
	list_lock();
	old = pageup(gmem.brk);
	new = pageup(want);
	if (want < gmem.brk0 || new < want || new >= gmem.hi) {
		/* not a request we can meet: report the present end */
	} else if (new <= old) {
		if (new < old)
			unmap_owned(new, old);
		gmem.brk = want;
	} else if (list_free(old, new) &&
		   place_exact(old, new - old, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) >= 0) {
		list_insert(old, new, GM_READ | GM_WRITE | GM_ANON | GM_HEAP, 0, 0);
		gmem.brk = want;
	}
	want = gmem.brk;
	list_unlock();
	changed(exec, new, old > new ? old - new : 0);
	return (s64)want;
}

int
gmem_attach(gaddr a, u64 len, int prot, int shared, const char *path)
{
	u32 flags = (prot & 7) | (shared ? GM_SHARED : 0);
	struct mfile *f;

	if (a % gmem.pagesize || !inrange(a, pageup(len)))
		return -EINVAL;
	list_lock();
	f = file_get(0, 0, path);
	list_insert(a, a + pageup(len), flags, f, 0);
	file_put(f);
	list_unlock();
	return 0;
}

void
gmem_guard(gaddr page, u64 len, int on)
{
	for (u64 i = 0; i < len; ) {
		int prot = gmem_prot(page + i);
		u64 n = gmem.pagesize;

		while (i + n < len && gmem_prot(page + i + n) == prot)
			n += gmem.pagesize;
		if (prot)
			mprotect(g2h(page + i), n, gmem_hostprot(on ? prot & ~GM_WRITE : prot));
		i += n;
	}
}
