/* SPDX-License-Identifier: MIT */
/* gmem_list.c - the list of guest mappings: changes under the lock, look-up without it */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base/cpu.h"
#include "base/gmem_list.h"
#include "base/lock.h"
#include "base/util.h"

enum { FILE_BUCKETS = 256, FIRST_CAP = 64 };

static struct lock maplock FORKED;
static _Thread_local int lockdepth;            /* gmem_watch may call back with the lock held */
static struct table *_Atomic table;
static struct table *both[2];                  /* it, and the one before it */
static _Atomic u32 seq;                        /* changes begun */
static struct mfile *bucket[FILE_BUCKETS];
static _Thread_local struct mfile *pinned;     /* holds the path gmem_find gave out last */

/* The window: entries [lo, hi) of the table are about to be replaced by out[0..nout). */
static struct { int lo, hi; struct ent *out; int n, cap; } win;

void
list_lock(void)
{
	if (!lockdepth++)
		lock_take(&maplock);
}

void
list_unlock(void)
{
	if (!--lockdepth)
		lock_give(&maplock);
}

void
gmem_fork(int phase)
{
	if (phase == 0) {
		list_lock();
	} else if (phase == 1) {
		list_unlock();
	} else if (phase == 2) {
		lock_reset(&maplock);
		lockdepth = 0;
	} else {
		lockdepth = 0;
		if (lock_inherit(&maplock))
			lock_give(&maplock);
	}
}

/* -- files -- */

static struct mfile **
file_bucket(u64 dev, u64 ino)
{
	return &bucket[(ino * 0x9e3779b97f4a7c15u + dev) >> 32 & (FILE_BUCKETS - 1)];
}

struct mfile *
file_get(u64 dev, u64 ino, const char *path)
{
	struct mfile **b = file_bucket(dev, ino), *f;

	if (!path)
		path = "";
	for (f = *b; f; f = f->next) {
		if (f->dev == dev && f->ino == ino && !strcmp(f->path, path)) {
			f->refs++;
			return f;
		}
	}
	f = xmalloc(sizeof *f);
	*f = (struct mfile){ dev, ino, xstrdup(path), 1, *b };
	return *b = f;
}

void
file_put(struct mfile *f)
{
	struct mfile **p;

	if (!f || --f->refs)
		return;
	for (p = file_bucket(f->dev, f->ino); *p != f; p = &(*p)->next)
		;
	*p = f->next;
	free(f->path);
	free(f);
}

/* -- the table -- */

const struct table *
list_table(void)
{
	static const struct table none;
	const struct table *t = atomic_load_explicit(&table, memory_order_acquire);

	return t ? t : &none;
}

/* Index of the first entry with end > a.  The table may change underneath (then the caller, who
 * watches seq, tries again): the index stays inside the table in any case. */
static int
search(const struct table *t, gaddr a)
{
	int lo = 0, hi = __atomic_load_n(&t->n, __ATOMIC_RELAXED);

	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;

		if (__atomic_load_n(&t->e[mid].end, __ATOMIC_RELAXED) > a)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

int
list_at(gaddr a)
{
	return search(list_table(), a);
}

int
list_covered(gaddr a, gaddr end)
{
	const struct table *t = list_table();

	for (int i = search(t, a); a < end; a = t->e[i++].end)
		if (i == t->n || t->e[i].start > a)
			return 0;
	return 1;
}

int
list_free(gaddr a, gaddr end)
{
	const struct table *t = list_table();
	int i = search(t, a);

	return i == t->n || t->e[i].start >= end;
}

int
list_hasexec(gaddr a, gaddr end)
{
	const struct table *t = list_table();

	for (int i = search(t, a); i < t->n && t->e[i].start < end; i++)
		if (t->e[i].flags & GM_EXEC)
			return 1;
	return 0;
}

/* -- the window -- */

/* Linux merges neighbours with equal attributes; two anonymous shared mappings are two objects. */
static int
canmerge(const struct ent *a, const struct ent *b)
{
	if (a->end != b->start || a->flags != b->flags || a->file != b->file)
		return 0;
	if (a->file)
		return a->off + (a->end - a->start) == b->off;
	return !(a->flags & GM_SHARED);
}

/* From the call that makes a mapping shared and writable, or a shared one writable, before the guest goes on. */
static void
note_shared(u32 flags)
{
	if (flags & GM_SHARED && flags & GM_WRITE && cpu_self)
		cpu_share(cpu_self);
}

/* Adds e, cut to [lo, hi), to the window. */
static void
push(struct ent e, gaddr lo, gaddr hi)
{
	if (e.start < lo) {
		e.off += e.file ? lo - e.start : 0;
		e.start = lo;
	}
	if (e.end > hi)
		e.end = hi;
	if (e.start >= e.end)
		return;
	if (win.n && canmerge(&win.out[win.n - 1], &e)) {
		win.out[win.n - 1].end = e.end;
		return;
	}
	grow(&win.out, win.n, &win.cap, sizeof *win.out);
	if (e.file)
		e.file->refs++;
	win.out[win.n++] = e;
}

/* Opens the window over [a, end) and both neighbours, and keeps what lies below a. */
static void
win_open(gaddr a, gaddr end)
{
	const struct table *t = list_table();
	int i = search(t, a);

	win.n = 0;
	win.lo = i > 0 ? i - 1 : 0;
	for (win.hi = i; win.hi < t->n && t->e[win.hi].start < end; )
		win.hi++;
	if (win.hi < t->n)
		win.hi++;
	for (int k = win.lo; k < win.hi; k++)
		push(t->e[k], 0, a);
}

/* The table that is not in use, with room for n entries.  Who has found it while it was takes nothing that he reads
 * there from now on for true. */
static struct table *
other(const struct table *t, int n)
{
	struct table **u = &both[t == both[0]], *new;
	int cap = t->cap ? t->cap : FIRST_CAP;

	atomic_fetch_add(&seq, 1);
	if (*u && n <= (*u)->cap)
		return *u;
	while (cap < n)
		cap *= 2;
	new = xmalloc(sizeof *new + (size_t)cap * sizeof *new->e);
	new->cap = cap;
	return *u = new;
}

/* Keeps what lies above end and puts the window in place. */
static void
win_close(gaddr end)
{
	const struct table *t = list_table();
	struct table *u;
	int n;

	for (int k = win.lo; k < win.hi; k++)
		push(t->e[k], end, ~(gaddr)0);
	n = t->n - (win.hi - win.lo) + win.n;
	u = other(t, n);
	memcpy(u->e, t->e, (size_t)win.lo * sizeof *u->e);
	memcpy(u->e + win.lo, win.out, (size_t)win.n * sizeof *u->e);
	memcpy(u->e + win.lo + win.n, t->e + win.hi, (size_t)(t->n - win.hi) * sizeof *u->e);
	__atomic_store_n(&u->n, n, __ATOMIC_RELAXED);
	atomic_store_explicit(&table, u, memory_order_release);
	for (int k = win.lo; k < win.hi; k++)
		file_put(t->e[k].file);
}

void
list_clear(gaddr a, gaddr end)
{
	win_open(a, end);
	win_close(end);
}

void
list_insert(gaddr a, gaddr end, u32 flags, struct mfile *f, u64 off)
{
	note_shared(flags);
	win_open(a, end);
	push((struct ent){ a, end, f ? off : 0, f, flags }, a, end);
	win_close(end);
}

void
list_setprot(gaddr a, gaddr end, u32 prot)
{
	const struct table *t = list_table();

	win_open(a, end);
	for (int k = win.lo; k < win.hi; k++) {
		struct ent e = t->e[k];

		e.flags = (e.flags & ~7u) | prot;
		if (e.start < end && e.end > a)
			note_shared(e.flags);
		push(e, a, end);
	}
	win_close(end);
}

/* What lies at [old, oldend) goes to [to, toend), its last entry growing if there is room; keep:
 * the old range stays mapped too. */
void
list_move(gaddr old, gaddr oldend, gaddr to, gaddr toend, int keep)
{
	const struct table *t = list_table();
	gaddr a = old, end = oldend > old ? oldend : old + 1;
	int n = 0, cap = 0;
	struct ent *e = 0;

	for (int i = search(t, a); i < t->n && t->e[i].start < end; i++) {
		grow(&e, n, &cap, sizeof *e);
		e[n] = t->e[i];
		if (e[n].start < a) {
			e[n].off += e[n].file ? a - e[n].start : 0;
			e[n].start = a;
		}
		if (e[n].file)
			e[n].file->refs++;
		n++;
	}
	if (!keep && oldend > old)
		list_clear(old, oldend);
	for (int i = 0; i < n; i++) {
		gaddr from = to + (e[i].start - old);
		gaddr upto = i == n - 1 ? toend : to + (e[i].end - old);

		if (from < toend)
			list_insert(from, upto < toend ? upto : toend, e[i].flags, e[i].file,
				    e[i].off);
		file_put(e[i].file);
	}
	free(e);
}

/* A stack that grew by itself (MAP_GROWSDOWN) begins lower than the list says.  mincore fails with
 * ENOMEM where nothing is mapped; the grown part is without holes. */
static int
ismapped(gaddr a)
{
	unsigned char v;

	return !mincore(g2h(aligndown(a, gmem.pagesize)), 1, &v);
}

void
list_stretch(gaddr a)
{
	const struct table *t = list_table();
	int i = search(t, a);
	gaddr lo, hi, page = gmem.pagesize;
	struct ent e;

	if (i == t->n || !(t->e[i].flags & GM_GROWSDOWN) || t->e[i].start == 0)
		return;
	e = t->e[i];
	lo = i > 0 ? t->e[i - 1].end : page;
	hi = e.start;
	for (u64 step = page; hi > lo && hi - lo >= step && ismapped(hi - step); step *= 2)
		hi -= step;
	while (hi > lo && ismapped(hi - page))
		hi -= page;
	if (hi < e.start)
		list_insert(hi, e.end, e.flags, e.file, e.off);
}

/* -- look-up -- */

static int
prot_at(const struct table *t, gaddr a)
{
	int i = search(t, a);
	const struct ent *e = &t->e[i];

	if (i >= __atomic_load_n(&t->n, __ATOMIC_RELAXED))
		return 0;
	if (__atomic_load_n(&e->start, __ATOMIC_RELAXED) <= a)
		return __atomic_load_n(&e->flags, __ATOMIC_RELAXED) & 7;
	return __atomic_load_n(&e->flags, __ATOMIC_RELAXED) & GM_GROWSDOWN ? -1 : 0;
}

u32 gmem_changes(void) { return atomic_load_explicit(&seq, memory_order_acquire); }

int
gmem_prot(gaddr a)
{
	u32 s;
	int p;

	do {
		s = atomic_load_explicit(&seq, memory_order_acquire);
		p = prot_at(list_table(), a);
		atomic_thread_fence(memory_order_acquire);
	} while (atomic_load_explicit(&seq, memory_order_relaxed) != s);
	if (p >= 0)
		return p;
	return ismapped(a) ? GM_READ | GM_WRITE : 0;
}

static void
tovma(struct vma *v, const struct ent *e)
{
	struct mfile *f = e->file;

	*v = (struct vma){ e->start, e->end, e->flags, f ? f->dev : 0, f ? f->ino : 0, e->off,
			   f && *f->path ? f->path : 0 };
}

int
gmem_find(gaddr a, struct vma *v)
{
	const struct table *t;
	struct mfile *old;
	int i, found;

	list_lock();
	list_stretch(a);
	t = list_table();
	i = search(t, a);
	memset(v, 0, sizeof *v);
	old = pinned;
	pinned = 0;
	file_put(old);
	if (i < t->n) {
		tovma(v, &t->e[i]);
		if ((pinned = t->e[i].file))
			pinned->refs++;
	}
	found = i < t->n && t->e[i].start <= a;
	list_unlock();
	return found ? 0 : -ENOENT;
}

void
gmem_each(void (*f)(void *, const struct vma *), void *arg)
{
	const struct table *t;

	list_lock();
	for (int i = 0; i < list_table()->n; i++)
		list_stretch(i ? list_table()->e[i - 1].end : 0);
	t = list_table();
	for (int i = 0; i < t->n; i++) {
		struct vma v;

		tovma(&v, &t->e[i]);
		f(arg, &v);
	}
	list_unlock();
}

void
gmem_aliases(u64 dev, u64 ino, u64 off, u64 len, void (*f)(void *, gaddr, u64), void *arg)
{
	const struct table *t;

	list_lock();
	t = list_table();
	for (int i = 0; i < t->n; i++) {
		const struct ent *e = &t->e[i];
		u64 lo = off, hi = off + len, elen = e->end - e->start;

		if (!e->file || e->file->dev != dev || e->file->ino != ino ||
		    (e->flags & (GM_SHARED | GM_WRITE)) != (GM_SHARED | GM_WRITE))
			continue;
		if (lo < e->off)
			lo = e->off;
		if (hi > e->off + elen)
			hi = e->off + elen;
		if (lo < hi)
			f(arg, e->start + (lo - e->off), hi - lo);
	}
	list_unlock();
}
