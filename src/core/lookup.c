/* SPDX-License-Identifier: MIT */
/* lookup.c - from guest pc to code, by way of the engine or by links, and from host address to translation */
#include "core/cache.h"

/* A table that is small at first: a short process touches few pages of it.  When it grows, nodes move to the
 * new one while readers walk; a reader may be led astray into another chain, and miss what is there: then it
 * asks again under the lock.  Tables of old stay, for readers.
 *
 * Beside the nodes hang ties that wait for nodes which do not exist: most never will. */
struct bucket { _Atomic rec node; rec wait; };
struct buckets {
	u32 n, used;                   /* used: nodes and ties */
	struct buckets *old;           /* that it replaces: somebody may still read there */
	struct bucket at[];
};
enum { FIRST = 1 << 10, SECOND = 1 << 15, GROWTH = 8 };

static u64 headbits[2][NHEAD] ROOMY __attribute__((aligned(4096)));
static struct heads head = {.bit = headbits[0]};       /* as core_any, of full code */
struct heads core_any = {.bit = headbits[1]};
static struct trans *lately;            /* what core_transat found; lock held */

static u32
hash(gaddr pc, u32 mode)
{
	/* neighbours stay near: a small program touches few pages of the table; those aligned to 64 spread, too */
	return (u32)(pc >> 4 ^ pc >> 10 ^ pc >> 19 ^ mode * 0x9e37u);
}

static struct bucket *
bucket(struct buckets *b, gaddr pc, u32 mode)
{
	return &b->at[hash(pc, mode) & (b->n - 1)];
}

/* acquire: pairs with the release in insert, so that a node is seen complete */
static struct node *
at(const _Atomic rec *p)
{
	rec r = atomic_load_explicit(p, memory_order_acquire);

	return r ? book_at(r) : 0;
}

static inline struct node *
among(const struct bucket *b, gaddr pc, u32 mode)
{
	struct node *n = at(&b->node);

	while (n && (n->pc != pc || n->mode != mode))
		n = at(&n->next);
	return n;
}

/* There is one node at most for (pc, mode). */
static inline struct node *
find(gaddr pc, u32 mode)
{
	struct buckets *b = atomic_load_explicit(&core.buckets, memory_order_acquire);

	return b ? among(bucket(b, pc, mode), pc, mode) : 0;
}

struct node *core_node(gaddr pc, u32 mode) { return core_maybe(&core_any, pc) ? find(pc, mode) : 0; }

struct node *
core_find(gaddr pc, u32 mode)
{
	struct node *n = find(pc, mode);

	return n && atomic_load(&n->code) ? n : 0;
}

struct node *
core_known(gaddr pc, u32 mode)
{
	struct node *n = core_maybe(&head, pc) ? core_find(pc, mode) : 0;

	return n && !n->quick ? n : 0;
}

static gaddr
next(const struct heads *h, gaddr pc, gaddr end)
{
	while (pc < end) {
		u64 m = core_headbits(h, pc);

		if (m) {
			pc += (u64)__builtin_ctzll(m) * 2;
			break;
		}
		pc = (pc | 127) + 1;
	}
	return pc < end ? pc : end;
}

gaddr core_nexthead(gaddr pc, gaddr end) { return next(&head, pc, end); }
gaddr core_nextseen(gaddr pc, gaddr end) { return next(&core_any, pc, end); }

static void
insert(struct bucket *to, struct node *n)
{
	atomic_store_explicit(&n->next, atomic_load_explicit(&to->node, memory_order_relaxed), memory_order_relaxed);
	atomic_store_explicit(&to->node, book_ref(n), memory_order_release);
}

/* In this order: a process that shares this memory may be killed in between. */
static void
lead(rec *to, struct tie *e)
{
	e->next = *to;
	__atomic_store_n(to, book_ref(e), __ATOMIC_RELEASE);
}

static int waits(const struct tie *e) { return e->stub >> TIE_NTH != 0; }

/* Of a tie that waits: whose it is, and what it waits for. */
static const struct trans *
owner(const struct tie *e)
{
	return (const void *)((const u8 *)(e + 1 - (e->stub >> TIE_NTH)) - offsetof(struct brief, tie));
}

static gaddr
target(const struct tie *e)
{
	gaddr pc = owner(e)->head.pc;

	return pc + (u64)(s64)(s32)(e->pc - (u32)pc);
}

static void
move(struct buckets *b, const struct bucket *old)
{
	struct node *n, *next;

	for (n = at(&old->node); n; n = next, b->used++) {
		next = at(&n->next);
		insert(bucket(b, n->pc, n->mode), n);
	}
	for (rec r = old->wait; r;) {
		struct tie *e = book_at(r);

		r = e->next;
		if (!e->site)
			continue;
		lead(&bucket(b, target(e), owner(e)->head.mode)->wait, e);
		b->used++;
	}
}

static struct buckets *
enlarge(struct buckets *old)
{
	u32 n = !old ? FIRST : old->n == FIRST ? SECOND : old->n * GROWTH;
	struct buckets *b = xmalloc(sizeof *b + n * sizeof *b->at);

	b->n = n;
	b->old = old;
	if (old)
		pagein(b, sizeof *b + n * sizeof *b->at);
	for (u32 i = 0; old && i < old->n; i++)
		move(b, &old->at[i]);
	atomic_store_explicit(&core.buckets, b, memory_order_release);
	return b;
}

/* The table, with room for one more. */
static struct buckets *
roomy(void)
{
	struct buckets *b = atomic_load_explicit(&core.buckets, memory_order_relaxed);

	return !b || b->used > 2 * b->n ? enlarge(b) : b;
}

void
core_expect(gaddr pc, u32 mode)
{
	struct buckets *b = atomic_load_explicit(&core.buckets, memory_order_relaxed);

	if (b)
		__builtin_prefetch(bucket(b, pc, mode));
}

/* Those that have waited for the node lead to it; the dead wait no longer. */
static void
gather(struct buckets *b, struct bucket *from, struct node *n)
{
	rec *to = &from->wait;

	while (*to) {
		struct tie *e = book_at(*to);
		int comes = e->pc == (u32)n->pc && target(e) == n->pc && owner(e)->head.mode == n->mode;

		if (!comes && e->site) {
			to = &e->next;
			continue;
		}
		__atomic_store_n(to, e->next, __ATOMIC_RELEASE);
		if (comes)
			lead(&n->in, e);
		b->used--;
	}
}

struct node *
core_place(gaddr pc, u32 mode, struct node *fresh)
{
	struct buckets *b = roomy();
	struct bucket *to = bucket(b, pc, mode);
	struct node *n = core_maybe(&core_any, pc) ? among(to, pc, mode) : 0;

	if (n)
		return n;
	n = fresh ? fresh : book_get(sizeof *n);
	n->pc = pc;
	n->mode = mode;
	gather(b, to, n);
	insert(to, n);
	b->used++;
	return n;
}

static void
mark(struct heads *h, gaddr pc)
{
	u32 w = core_heads(pc), page = (u32)1 << w / HEADPAGE;
	u64 was = h->pages & page ? h->bit[w] : 0;

	__atomic_store_n(&h->bit[w], was | (u64)1 << (pc >> 1 & 63), __ATOMIC_RELAXED);
	if (!(h->pages & page))
		__atomic_store_n(&h->pages, h->pages | page, __ATOMIC_RELAXED);
}

/* -- links: from code to nodes, or to nodes that are not there yet -- */

/* 0: it goes back to its stub, to leave there. */
static void
point(const struct tie *e, const u8 *code)
{
	u32 stub = e->site + (e->stub & (((u32)1 << TIE_NTH) - 1));

	core.host->link(core.images, &(struct link){.site = e->site, .stub = stub}, code);
	core.stat.links += code != 0;
}

static int
isdead(const struct tie *e)
{
	return waits(e) ? !e->site : ((const struct trans *)book_at(e->from))->dead;
}

/* What links to n goes to code from now on; 0: leaves.  Links that wait do so again then; others are forgotten, as
 * those of the dead are. */
static void
relink(struct node *n, const u8 *code)
{
	rec *to = &n->in;

	while (*to) {
		struct tie *e = book_at(*to);
		int dead = isdead(e);

		if (!dead)
			point(e, code);
		if (dead || (!code && !waits(e)))
			*to = e->next;
		else
			to = &e->next;
	}
}

/* No branch leads farther than 2 GiB: what does is never linked. */
static int
isnear(const struct trans *t, gaddr pc)
{
	s64 by = (s64)(pc - t->head.pc);

	return by == (s32)by;
}

void
core_await(struct trans *t, const struct link *l, int n)
{
	struct tie *e = brief_of(t)->tie;
	u32 mode = t->head.mode, code = t->code;
	struct buckets *b = roomy();

	for (int i = 1; i < n && !core.opt.nochain; i++, e++) {
		gaddr pc = l[i].pc;
		struct bucket *from = bucket(b, pc, mode);
		struct node *to = core_maybe(&core_any, pc) ? among(from, pc, mode) : 0;

		if (!isnear(t, pc))
			continue;
		e->pc = (u32)pc;
		e->stub = (l[i].stub - l[i].site) | (u32)i << TIE_NTH;
		e->site = code + l[i].site;
		lead(to ? &to->in : &from->wait, e);
		if (!to)
			b->used++;
		else if (atomic_load_explicit(&to->code, memory_order_relaxed))
			point(e, core_code(to));
	}
}

void
core_link(struct trans *from, const struct link *l, struct node *to)
{
	const u8 *code = core_code(to);
	struct tie *e;

	if (from->dead || !code || core.opt.nochain || from->head.mode & ALONE)
		return;
	e = book_get(sizeof *e);
	*e = (struct tie){.from = book_ref(from), .site = from->code + l->site,
	    .stub = l->stub - l->site};
	lead(&to->in, e);
	point(e, code);
}

/* Who is in the other code stays there; who has found it looks whether it is still there (fill in engine.c). */
void
core_arrive(struct node *n, struct trans *t, const u8 *code, int flagsin)
{
	u32 off = (u32)(code - core.images);

	n->t = book_ref(t);
	n->flagsin = (u8)flagsin;
	n->quick = t->left != 0;
	if (atomic_load_explicit(&n->code, memory_order_relaxed)) {
		atomic_store(&n->code, off);
		core_uncache(n->pc);
	} else {
		atomic_store_explicit(&n->code, off, memory_order_release);
	}
	mark(&core_any, n->pc);
	if (!n->quick)
		mark(&head, n->pc);
	relink(n, code);
}

void
core_lose(const struct trans *t, gaddr pc)
{
	struct node *n = core_node(pc, t->head.mode);

	if (!n || n->t != book_ref(t))
		return;
	atomic_store(&n->code, 0);
	n->quick = 0;
	core_uncache(n->pc);
	relink(n, 0);
}

/* -- all of it -- */

void
core_nonodes(void)
{
	struct buckets *b = atomic_load(&core.buckets);

	for (u32 i = 0; b && i < b->n; i++)
		for (struct node *n = at(&b->at[i].node); n; n = at(&n->next))
			relink(n, 0);          /* for images, which stay */
	if (b) {
		memset((void *)b->at, 0, b->n * sizeof *b->at);
		b->used = 0;
	}
	memset(headbits, 0, sizeof headbits);
	head.pages = core_any.pages = 0;
	lately = 0;
}

/* Translations are made at rising addresses, so the array is sorted as it grows. */
static struct trans *
search(const u8 *code)
{
	int lo = 0, hi = atomic_load_explicit(&core.ntrans, memory_order_acquire);
	u64 off = (u64)(code - core.area);
	struct trans *t;

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (off < core.start[mid])
			hi = mid;
		else
			lo = mid + 1;
	}
	if (!lo)
		return 0;
	t = core.trans[lo - 1];
	return off - core.start[lo - 1] < t->size ? t : 0;
}

static int holds(const struct trans *t, const u8 *code) { return (u64)(code - core_codeof(t)) < t->size; }

/* Most often it is the translation made last, which has been left for the first time, or the one asked about before. */
struct trans *
core_transat(const u8 *code)
{
	int n = atomic_load_explicit(&core.ntrans, memory_order_relaxed);
	struct trans *t;

	if (n && holds(core.trans[n - 1], code))
		return core.trans[n - 1];
	if (lately && holds(lately, code))
		return lately;
	if (!(t = search(code)))
		return cache_transat(code);
	return lately = t;
}

struct trans *
core_lastlink(const struct cpu *cpu, struct link *l)
{
	struct trans *t;
	u32 off;

	if ((uintptr_t)cpu->link <= LINK_KNOWN || cpu->epoch != atomic_load(&core.emptied))
		return 0;
	t = core_transat(cpu->link);
	if (!t || !core_nlink(t))
		return 0;
	off = (u32)(cpu->link - core_codeof(t));
	*l = t->left ? (struct link){brief_of(t)->site, brief_of(t)->stub, t->head.pc} :
	    full_of(t)->link[link_at(full_of(t)->link, full_of(t)->nlink, off)];
	return t;
}

int
core_pcat(const u8 *code, struct guestat *at)
{
	const struct trans *t = search(code);

	if (!t)
		return cache_pcat(code, at);
	core_where(t, code, at);
	return 1;
}

void
core_uncache(gaddr pc)
{
	for (int c = 0; c < core.ncpu; c++) {
		struct jc *j = &core.cpu[c]->jc[jc_index(core.cpu[c], pc)];

		if (__atomic_load_n(&j->pc, __ATOMIC_SEQ_CST) == pc)
			__atomic_store_n(&j->pc, ~(u64)0, __ATOMIC_SEQ_CST);
	}
}
