/* SPDX-License-Identifier: MIT */
/* record.c - what is known of each translation, and the book in which that is written
 *
 * Records are small and there are many; most are looked at once more, when code that leads there is made, or never.
 * So they refer to each other by 32 bits, and quick code has shorter ones.  They are written one after another, and all
 * go when the code area is emptied. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "base/diag.h"
#include "core/cache.h"

enum {
	EACH = 64,                     /* bytes of the code area for which there is one translation, and as many here */
	GUESTROOM = 2 << 20, LEAST = 1 << 20,
	SLACK = 1 << 18,               /* bytes below which the book counts as full */
	PAGE = 4096, PIECE = 64 << 10, HUGE = 2 << 20, MANY = 16,
	WHOLE = 32,                    /* records from that size on lie at multiples of it: a node is in one cache line */
};

/* -- the book -- */

static void *
mapspace(u64 n)
{
	return mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* Is there some address space left for the guest? */
static int
hasroom(void)
{
	void *p;

	if (!core_islimited())
		return 1;
	p = mapspace(GUESTROOM);
	return p != MAP_FAILED && !munmap(p, GUESTROOM);
}

static u8 *paged;                      /* pages of the book are there up to this one; its first come by and by */

static void
firstpage(void)
{
	core.bookat = core.book + WHOLE;
	paged = (u8 *)alignup((u64)core.bookat, PIECE);
}

/* Only pages that are used cost anything; a huge one would take longer to clear than a small program runs. */
void
core_index(void)
{
	size_t each = sizeof *core.trans + sizeof *core.start + EACH;
	size_t n = (size_t)(core.areaend - core.area) / EACH * each;
	struct trans **v;

	while ((v = mapspace(n)) == MAP_FAILED || !hasroom())
		if (v != MAP_FAILED && munmap(v, n))
			bug("munmap: %s", strerror(errno));
		else if ((n /= 2) < LEAST)
			diag(D_NOSPACE, "translation index and the guest", "2 MiB", strerror(ENOMEM));
	madvise(v, n, MADV_NOHUGEPAGE);
	core.captrans = (int)(n / each);
	core.start = (u32 *)(v + core.captrans);
	/* huge pages fill it where there is much space */
	core.book = (u8 *)alignup((u64)(core.start + core.captrans), n > MANY * HUGE ? HUGE : PAGE);
	core.bookend = (u8 *)aligndown((u64)v + n, PAGE);
	firstpage();
	core.trans = v;
}

/* One call instead of a fault a page.  Who has used much will use more: a huge page costs a third of what as many small
 * ones do. */
static void
page(u8 *to)
{
	u64 step = paged - core.book < HUGE ? PIECE : HUGE, end = alignup((u64)to, step), most = (u64)core.bookend;
	size_t n = (end < most ? end : most) - (u64)paged;

	if (step == HUGE)
		madvise(paged, n, MADV_HUGEPAGE);
	pagein(paged, n);
	paged += n;
}

/* Not inline: a process that shares this memory may be killed anywhere, and must not have written behind bookat. */
__attribute__((noinline)) void *
book_get(size_t n)
{
	u8 *p = (u8 *)alignup((u64)core.bookat, n < WHOLE ? 8 : WHOLE);

	if (n > (size_t)(core.bookend - p))
		diag(D_NOSPACE, "translation index", "more", strerror(ENOMEM));
	core.bookat = p + n;
	if (core.bookat > paged)
		page(core.bookat);
	return p;
}

int book_isfull(void) { return core.bookend - core.bookat < SLACK; }

void
book_empty(void)
{
	u8 *first = (u8 *)alignup((u64)core.book + WHOLE, PIECE);

	if (core.bookat > first)
		madvise(first, (size_t)(core.bookend - first), MADV_DONTNEED);
	memset(core.book, 0, (size_t)((core.bookat < first ? core.bookat : first) - core.book));
	firstpage();
}

/* -- making records -- */

/* A copy of the n elements at *at, which moves on. */
static void *
keep(u8 **at, const void *p, int n, size_t elem)
{
	void *q = *at;

	if (n)
		memcpy(q, p, (size_t)n * elem);
	*at += (size_t)n * elem;
	return q;
}

_Static_assert(sizeof(struct full) % 8 == 0 && sizeof(struct link) % 8 == 0 && sizeof(struct entry) % 8 == 0 &&
    sizeof(struct mapent) % 8 == 0 && sizeof(struct range) % 8 == 0 && sizeof(struct tie) % 8 == 0 &&
    sizeof(struct brief) % 8 == 0, "they follow one another");

static void
flagsin(const struct out *o, const struct region *r)
{
	const struct block *b = r->block;

	for (struct entry *e = o->entry; e < o->entry + o->nentry; e++) {
		if (e->ret)
			continue;
		while (b->pc != e->pc)
			b++;
		e->flagsin = b->flagsin;
	}
}

static struct trans *
full(const struct out *o, const struct region *r)
{
	size_t nreloc = o->fixed || !core.home ? 0 : (size_t)o->nreloc;
	struct full *f = book_get(sizeof *f + (size_t)o->nlink * sizeof *o->link + (size_t)o->nentry * sizeof *o->entry +
	    (size_t)o->nmap * sizeof *o->map + (size_t)r->nrange * sizeof *r->range + nreloc * sizeof *o->reloc);
	u8 *at = (u8 *)(f + 1);

	flagsin(o, r);
	f->line = (u8)o->line;
	f->link = keep(&at, o->link, f->nlink = o->nlink, sizeof *o->link);
	f->entry = keep(&at, o->entry, f->nentry = o->nentry, sizeof *o->entry);
	f->map = keep(&at, o->map, f->nmap = o->nmap, sizeof *o->map);
	f->range = keep(&at, r->range, f->nrange = r->nrange, sizeof *r->range);
	f->reloc = keep(&at, o->reloc, f->nreloc = (int)nreloc, sizeof *o->reloc);
	f->home = o->fixed ? 0 : core.home;
	f->count = o->count;
	f->ncount = o->count ? r->nblock : 0;
	return &f->t;
}

static struct entry *entries(const struct brief *b) { return (struct entry *)(void *)&b->tie[b->nlink - 1]; }
static struct mapent *map(const struct brief *b) { return (struct mapent *)(void *)&entries(b)[b->nentry - 1]; }

static void
ties(struct tie *e, const struct out *o, u32 mode)
{
	u32 code = (u32)(o->code - core.images);

	for (const struct link *l = o->link + 1; l < o->link + o->nlink; l++, e++) {
		e->pc = l->pc;
		e->mode = mode;
		e->site = code + l->site;
		e->stub = l->stub - l->site;
		e->waits = 1;
	}
}

static struct trans *
brief(const struct out *o, const struct region *r)
{
	struct brief *b = book_get(sizeof *b + (size_t)(o->nlink - 1) * sizeof *b->tie +
	    (size_t)(o->nentry - 1) * sizeof *o->entry + (size_t)o->nmap * sizeof *o->map);
	struct entry *e;
	struct mapent *m;

	b->site = (u16)o->link[0].site;
	b->stub = o->link[0].stub;
	b->bytes = (u32)(r->range[0].hi - r->pc);
	b->nlink = (u16)o->nlink;
	b->nentry = (u16)o->nentry;
	b->nmap = (u16)o->nmap;
	ties(b->tie, o, r->mode);
	e = entries(b);
	for (int i = 1; i < o->nentry; i++)
		*e++ = o->entry[i];
	m = (struct mapent *)(void *)e;
	for (int i = 0; i < o->nmap; i++)
		*m++ = o->map[i];
	return &b->t;
}

struct trans *
core_record(const struct out *o, const struct region *r, s32 *left)
{
	struct trans *t = left ? brief(o, r) : full(o, r);

	t->head.pc = r->pc;
	t->head.mode = r->mode;
	t->code = o->code;
	t->size = o->size;
	t->left = left ? (u32)(left - core.left0) + 1 : 0;
	return t;
}

/* -- reading them -- */

int core_nlink(const struct trans *t) { return t->left ? brief_of(t)->nlink : full_of(t)->nlink; }
int core_nentry(const struct trans *t) { return t->left ? brief_of(t)->nentry : full_of(t)->nentry; }

struct entry
core_entry(const struct trans *t, int n)
{
	if (!t->left)
		return full_of(t)->entry[n];
	return n ? entries(brief_of(t))[n - 1] : (struct entry){.pc = t->head.pc};
}

/* The start of the block that holds guest pc: as entry_block. */
static gaddr
blockof(const struct brief *b, gaddr pc)
{
	const struct entry *e = entries(b);
	gaddr at = b->t.head.pc;

	for (int i = 0; i < b->nentry - 1; i++)
		if (e[i].pc <= pc && e[i].pc > at)
			at = e[i].pc;
	return at;
}

void
core_where(const struct trans *t, const u8 *code, struct guestat *at)
{
	const struct full *f = full_of(t);
	const struct brief *b = brief_of(t);
	u32 off = (u32)(code - t->code);
	struct mapent m = t->left ? mapent_find(map(b), b->nmap, off) : mapent_find(f->map, f->nmap, off);

	*at = (struct guestat){.pc = t->head.pc + (u64)(s64)m.pcoff, .several = m.several, .base = m.base,
	    .owed = m.owed, .reg = m.reg, .flags = m.flags};
	at->block = t->left ? blockof(b, at->pc) : entry_block(f->entry, f->nentry, at->pc);
}
