/* SPDX-License-Identifier: MIT */
/* smc.c - translated code whose guest bytes change
 *
 * Every guest page that holds translated code is listed here.  Where the guest may write it, the host
 * page is made read-only (gmem_guard), so that the first write faults: the page's translations
 * die, the page is opened again, and the write is done anew.  Shared file mappings are guarded
 * under all the addresses at which the guest has them (a JIT's writable alias).
 *
 * A page written again and again would cost two mprotects and a fault each time.  Architectures whose caches
 * are not coherent make the guest say what it has written (ic ivau, fence.i, a system call): a page
 * whose guest did so for its first LOOSE writes becomes *loose*, is no longer guarded, and the
 * guest's word is all we go by, as it is on the real machine.  -d page shows the faults. */
#include "base/diag.h"
#include "core/cache.h"

enum { PAGE = 4096, NPAGE = 1 << 12, LOOSE = 16 };

/* Half a line of cache, for there are as many as the program has pages of code. */
struct page {
	gaddr at;
	rec next;
	rec ref;                       /* translations with code in the page */
	rec alias;                     /* this page is another view of that one's bytes */
	u32 checked;                   /* look() when it was last seen to need no guard, or to have one */
	u32 flushes;
	u16 writes;
	u8 guarded, loose;
};
_Static_assert(sizeof(struct page) == 32, "book_get puts it into one line");

static rec pagetab[NPAGE] ROOMY;
static _Atomic int npage;              /* pages listed: 0 means nothing to do */
static struct page *lately;             /* what was needed last */
static u32 fences;                     /* times the guest flushed everything */

static rec *
slot(gaddr at)
{
	return &pagetab[(at / PAGE ^ at / PAGE / NPAGE) & (NPAGE - 1)];
}

static struct page *page(rec r) { return r ? book_at(r) : 0; }

static struct page *
find(gaddr at)
{
	struct page *p = page(*slot(at));

	while (p && p->at != at)
		p = page(p->next);
	return p;
}

/* Most often it is the one that was needed before. */
static struct page *
need(gaddr at)
{
	struct page *p = lately;
	rec *s;

	if (p && p->at == at)
		return p;
	if (!(p = find(at))) {
		p = book_get(sizeof *p);
		p->at = at;
		p->next = *(s = slot(at));
		__atomic_store_n(s, book_ref(p), __ATOMIC_RELEASE);
		atomic_fetch_add(&npage, 1);
	}
	return lately = p;
}

static int fresh;                      /* guard() closed a page since smc_add began */

static void
guard(struct page *p)
{
	if (p->guarded || !(gmem_prot(p->at) & GM_WRITE))
		return;
	p->guarded = 1;
	fresh = 1;
	gmem_guard(p->at, PAGE, 1);
}

static void
addalias(void *arg, gaddr a, u64 n)
{
	struct page *code = arg, *p;

	for (u64 i = 0; i < n; i += PAGE) {
		if (a + i == code->at)
			continue;
		p = need(a + i);
		p->alias = book_ref(code);
		guard(p);
	}
}

static void
guardaliases(struct page *p)
{
	struct vma v;

	if (gmem_find(p->at, &v) || !(v.flags & GM_SHARED) || !v.ino)
		return;
	gmem_aliases(v.dev, v.ino, v.off + (p->at - v.start), PAGE, addalias, p);
}

/* Tells one state of the guest's memory from those before. */
static u32 look(void) { return (u32)gmem_changes() << 1 | 1; }

static void
watch(struct page *p, struct trans *t)
{
	u32 now = look();
	struct pageref *r = t->page.t ? book_get(sizeof *r) : &t->page;

	*r = (struct pageref){book_ref(t), p->ref};
	__atomic_store_n(&p->ref, book_ref(r), __ATOMIC_RELEASE);
	if (p->loose || p->checked == now)
		return;
	guard(p);
	guardaliases(p);
	p->checked = now;
}

/* The translation added last is in that list. */
static int
has(const struct page *p, const struct trans *t)
{
	const struct pageref *r = book_at(p->ref);

	return p->ref && r->t == book_ref(t);
}

int
smc_add(struct trans *t)
{
	fresh = 0;
	for (int i = 0; i < core_nrange(t); i++) {
		struct range at = core_range(t, i);

		for (gaddr a = aligndown(at.lo, PAGE); a < at.hi; a += PAGE) {
			struct page *p = need(a);

			if (!i || !has(p, t))
				watch(p, t);
		}
	}
	return fresh;
}

static void
countwrite(struct page *p)
{
	p->writes += p->writes < 0xffff;
	if (p->writes >= LOOSE && p->flushes + fences >= LOOSE)
		p->loose = 1;
}

/* The page's translations die and the guest may write it again. */
static void
openpage(struct page *p)
{
	const struct pageref *r;

	for (rec at = p->ref; at; at = r->next) {
		r = book_at(at);
		core_kill(book_at(r->t));
	}
	p->ref = 0;
	p->checked = 0;
	/* in this order: a vfork child may be killed in between */
	if (p->guarded) {
		gmem_guard(p->at, PAGE, 0);
		p->guarded = 0;
	}
	if (p->alias) {
		struct page *q = page(p->alias);

		p->alias = 0;
		openpage(q);
	}
}

int
smc_write(gaddr a)
{
	struct page *p;
	int hit;

	lock_take(&core.lock);
	p = find(aligndown(a, PAGE));
	/* Another thread may have opened it since the fault: then the write simply goes through. */
	hit = p != 0 && (gmem_prot(a) & GM_WRITE);
	if (hit) {
		countwrite(p);
		if (p->alias)
			countwrite(page(p->alias));
		if (logging(LOG_PAGE))
			log_print("page %#llx written (%u)\n", (unsigned long long)p->at, p->writes);
		openpage(p);
	}
	lock_give(&core.lock);
	return hit;
}

/* What was known of the page's habits belongs to the mapping that goes. */
static void
droppage(struct page *p)
{
	p->loose = 0;
	p->writes = p->flushes = 0;
	openpage(p);
}

static void
drop(gaddr a, u64 len)
{
	cache_drop(a, len);
	if (!atomic_load(&npage))
		return;
	lock_take(&core.lock);
	if (len / PAGE > NPAGE) {
		for (int i = 0; i < NPAGE; i++)
			for (struct page *p = page(pagetab[i]); p; p = page(p->next))
				if (p->at >= aligndown(a, PAGE) && p->at - a < len)
					droppage(p);
	} else {
		for (gaddr x = aligndown(a, PAGE); x < a + len; x += PAGE) {
			struct page *p = find(x);

			if (p)
				droppage(p);
		}
	}
	lock_give(&core.lock);
}

static int
touches(const struct trans *t, gaddr a, gaddr end)
{
	for (int i = 0; i < core_nrange(t); i++) {
		struct range at = core_range(t, i);

		if (at.lo < end && at.hi > a)
			return 1;
	}
	return 0;
}

/* Translations of bytes in [a, end) die; the list loses the dead. */
static void
flushpage(struct page *p, gaddr a, gaddr end)
{
	rec *at = &p->ref;

	p->flushes++;
	while (*at) {
		struct pageref *r = book_at(*at);
		struct trans *t = book_at(r->t);

		if (!t->dead && touches(t, a, end))
			core_kill(t);
		if (t->dead)
			*at = r->next;
		else
			at = &r->next;
	}
}

static void
flush(gaddr a, u64 len)
{
	cache_flush(a, len);
	if (!atomic_load(&npage) || !len)
		return;
	lock_take(&core.lock);
	for (gaddr x = aligndown(a, PAGE); x - aligndown(a, PAGE) < len + a % PAGE; x += PAGE) {
		struct page *p = find(x);

		if (p)
			flushpage(p, a, a + len);
	}
	lock_give(&core.lock);
}

/* The bytes may be anywhere: only those of loose pages have not been seen to change. */
static void
flushall(void)
{
	lock_take(&core.lock);
	fences++;
	for (int i = 0; i < NPAGE && atomic_load(&npage); i++)
		for (struct page *p = page(pagetab[i]); p; p = page(p->next))
			if (p->loose)
				flushpage(p, 0, ~(gaddr)0);
	lock_give(&core.lock);
}

static void
renew(void)
{
	lock_take(&core.lock);
	atomic_store(&core.stale, 1);
	for (int i = 0; i < core.ncpu; i++)
		cpu_poll(core.cpu[i]);
	lock_give(&core.lock);
}

/* Is there a list where these pages would be found?  Asked without the lock before most system calls that write. */
static int
maybelisted(gaddr a, u64 len)
{
	if (len / PAGE > NPAGE)
		return 1;
	for (gaddr x = aligndown(a, PAGE); x < a + len && x >= aligndown(a, PAGE); x += PAGE)
		if (__atomic_load_n(slot(x), __ATOMIC_ACQUIRE))
			return 1;
	return 0;
}

static void
unprotect(gaddr a, u64 len)
{
	if (!atomic_load(&npage) || !maybelisted(a, len))
		return;
	lock_take(&core.lock);
	for (gaddr x = aligndown(a, PAGE); x < a + len && x >= aligndown(a, PAGE); x += PAGE) {
		struct page *p = find(x);

		if (p && p->guarded)
			openpage(p);
	}
	lock_give(&core.lock);
}

void
smc_forget(void)
{
	for (int i = 0; i < NPAGE; i++)
		for (struct page *p = page(pagetab[i]); p; p = page(p->next))
			if (p->guarded)
				gmem_guard(p->at, PAGE, 0);
	memset(pagetab, 0, sizeof pagetab);
	lately = 0;
	atomic_store(&npage, 0);
}

const struct gmem_watch smc_watch = {drop, unprotect, flush, flushall, renew, cache_mapped, cache_vdso};
