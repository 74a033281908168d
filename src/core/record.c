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
	PAGE = 4096, PIECE = 64 << 10, HUGE = 2 << 20, MUCH = 1 << 20, MANY = 16,
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
	core.book = (u8 *)alignup((u64)(core.start + core.captrans), PAGE);
	if (n > MANY * HUGE)           /* so that huge pages come when the time is right */
		core.book = (u8 *)alignup((u64)core.book, HUGE) + MUCH;
	core.bookend = (u8 *)aligndown((u64)v + n, PAGE);
	firstpage();
	core.trans = v;
}

/* One call instead of a fault a page.  Who has used much will use more: a huge page costs a quarter of what as many
 * small ones do. */
static void
page(u8 *to)
{
	u64 end = alignup((u64)to, PIECE), most = (u64)core.bookend;
	size_t n = (end < most ? end : most) - (u64)paged;

	if ((u64)paged % HUGE == 0 && paged - core.book >= MUCH && most - (u64)paged >= HUGE)
		madvise(paged, HUGE, MADV_HUGEPAGE);
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
    sizeof(struct mapent) % 8 == 0 && sizeof(struct range) % 8 == 0, "they follow one another");
_Static_assert(offsetof(struct trans, page) % 8 == 0 && sizeof(struct brief) % 8 == 0 && sizeof(struct tie) % 8 == 0,
    "they are referred to");

/* There may be no entries, nor an array of them (publish, translate.c). */
static void
flagsin(const struct out *o, const struct region *r)
{
	const struct block *b = r->block;

	for (int i = 0; i < o->nentry; i++) {
		struct entry *e = &o->entry[i];

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

/* Code from off on belongs to the guest instruction so many bytes after the block's first.  RET: of entries. */
struct spot { u16 off, pcoff; };
enum { RET = 1 << 15 };
_Static_assert(sizeof(struct mapent) == 2 * sizeof(struct spot), "twice as wide");
_Static_assert(QUICK_MOST * 4 / 2 < 1 << 8, "half-words of a block fit into struct brief");

static struct spot *entries(const struct brief *b) { return (struct spot *)(void *)&b->tie[b->nlink - 1]; }
static struct spot *spots(const struct brief *b) { return &entries(b)[b->nentry - 1]; }
static struct mapent *map(const struct brief *b) { return (struct mapent *)(void *)spots(b); }

int
core_isbrief(const struct out *o)
{
	return o->size < 1 << 16 && o->nmap < 1 << 8 && o->nlink < 1 << 8;
}

/* The map says more of an access than where it is. */
static int
iswide(const struct out *o)
{
	int any = 0;

	for (const struct mapent *m = o->map, *end = m + o->nmap; m < end; m++)
		any |= m->several || m->base || m->owed || m->reg || m->flags;
	return any;
}

static struct trans *
brief(const struct out *o, const struct region *r)
{
	int nlink = o->nlink, nentry = o->nentry, nmap = o->nmap, wide = iswide(o);
	struct brief *b = book_get(sizeof *b + (size_t)(nlink - 1) * sizeof *b->tie +
	    (size_t)(nentry - 1 + (nmap << wide)) * sizeof(struct spot));
	struct spot *s = (struct spot *)(void *)&b->tie[nlink - 1];

	b->stub = (u16)o->link[0].stub;
	b->site = (u8)o->link[0].site;
	b->nlink = (u8)nlink;
	b->nentry = (u8)nentry;
	b->nmap = (u8)nmap;
	b->wide = (u8)wide;
	b->halves = (u8)((r->range[0].hi - r->pc) / 2);
	for (const struct entry *e = o->entry + 1, *end = o->entry + nentry; e < end; e++)
		*s++ = (struct spot){(u16)e->off, (u16)((e->pc - r->pc) | (e->ret ? RET : 0))};
	if (wide)
		memcpy(s, o->map, (size_t)nmap * sizeof *o->map);
	else
		for (const struct mapent *m = o->map, *end = m + nmap; m < end; m++)
			*s++ = (struct spot){(u16)m->off, (u16)m->pcoff};
	return &b->t;
}

struct trans *
core_record(const struct out *o, const struct region *r, s32 *left)
{
	struct trans *t = left ? brief(o, r) : full(o, r);

	t->head.pc = r->pc;
	t->head.mode = r->mode;
	t->code = (u32)(o->code - core.images);
	t->size = o->size;
	t->left = left ? (u32)(left - core.left0) + 1 : 0;
	return t;
}

/* -- reading them -- */

int core_nlink(const struct trans *t) { return t->left ? brief_of(t)->nlink : full_of(t)->nlink; }
int core_nentry(const struct trans *t) { return t->left ? brief_of(t)->nentry : full_of(t)->nentry; }

static struct entry
entry(const struct brief *b, int n)
{
	struct spot s = n ? entries(b)[n - 1] : (struct spot){0};

	return (struct entry){.pc = b->t.head.pc + (s.pcoff & ~RET), .off = s.off, .ret = (s.pcoff & RET) != 0};
}

struct entry
core_entry(const struct trans *t, int n)
{
	return t->left ? entry(brief_of(t), n) : full_of(t)->entry[n];
}

static struct mapent
mapped(const struct brief *b, u32 off)
{
	const struct spot *s = spots(b);
	int n = b->nmap;

	if (b->wide)
		return mapent_find(map(b), n, off);
	while (n > 0 && s[n - 1].off > off)
		n--;
	return n ? (struct mapent){.pcoff = s[n - 1].pcoff} : (struct mapent){0};
}

/* The start of the block that holds guest pc: as entry_block. */
static gaddr
blockof(const struct brief *b, gaddr pc)
{
	gaddr at = b->t.head.pc;

	for (int i = 1; i < b->nentry; i++) {
		gaddr e = entry(b, i).pc;

		if (e <= pc && e > at)
			at = e;
	}
	return at;
}

void
core_where(const struct trans *t, const u8 *code, struct guestat *at)
{
	const struct full *f = full_of(t);
	u32 off = (u32)(code - core_codeof(t));
	struct mapent m = t->left ? mapped(brief_of(t), off) : mapent_find(f->map, f->nmap, off);

	*at = (struct guestat){.pc = t->head.pc + (u64)(s64)m.pcoff, .several = m.several, .base = m.base,
	    .owed = m.owed, .reg = m.reg, .flags = m.flags};
	at->block = t->left ? blockof(brief_of(t), at->pc) : entry_block(f->entry, f->nentry, at->pc);
}
