/* SPDX-License-Identifier: MIT */
/* lookup.c - from guest pc to code, and from host address to translation */
#include "core/cache.h"

/* A table that is small at first: a short process touches few pages of it.  When it grows, nodes move to the
 * new one while readers walk; a reader may be led astray into another chain, and miss what is there: then it
 * asks again under the lock.  Tables of old stay, for readers. */
struct buckets {
	u32 n, nnode;
	struct buckets *old;           /* that it replaces: somebody may still read there */
	_Atomic(struct node *) at[];
};
enum { FIRST = 1024, GROWTH = 8 };

/* Small programs touch few pages of these; large ones are misled now and then. */
enum { NHEAD = 1 << 14 };
/* A bit a half-word that a node was made for, by 128 bytes; they collide.  Of full code, and of any. */
static u64 head[NHEAD] ROOMY, any[NHEAD] ROOMY;
static struct trans *lately;            /* what core_transat found; lock held */

static u32
hash(gaddr pc, u32 mode)
{
	/* neighbours stay near: a small program touches few pages of the table; those aligned to 64 spread, too */
	return (u32)(pc >> 2 ^ pc >> 8 ^ (pc & 2) << 11 ^ pc >> 17 ^ mode * 0x9e37u);
}

static _Atomic(struct node *) *
bucket(struct buckets *b, const struct node *n)
{
	return &b->at[hash(n->pc, n->mode) & (b->n - 1)];
}

struct node *
core_find(gaddr pc, u32 mode)
{
	/* acquire: pairs with the release in insert, so that a node is seen complete */
	struct buckets *b = atomic_load_explicit(&core.buckets, memory_order_acquire);
	struct node *n = b ? atomic_load_explicit(&b->at[hash(pc, mode) & (b->n - 1)], memory_order_acquire) : 0;

	for (; n; n = atomic_load_explicit(&n->next, memory_order_acquire))
		if (n->pc == pc && n->mode == mode && atomic_load(&n->code))
			return n;
	return 0;
}

static u32 heads(gaddr pc) { return (u32)(pc >> 7 ^ pc >> 19) & (NHEAD - 1); }
static u64 bit_of(gaddr pc) { return (u64)1 << (pc >> 1 & 63); }

struct node *
core_known(gaddr pc, u32 mode)
{
	struct node *n = head[heads(pc)] & bit_of(pc) ? core_find(pc, mode) : 0;

	return n && !n->quick ? n : 0;
}

struct node *
core_seen(gaddr pc, u32 mode)
{
	return __atomic_load_n(&any[heads(pc)], __ATOMIC_RELAXED) & bit_of(pc) ? core_find(pc, mode) : 0;
}

static gaddr
next(const u64 *bits, gaddr pc, gaddr end)
{
	while (pc < end) {
		u64 m = bits[heads(pc)] >> (pc >> 1 & 63);

		if (m) {
			pc += (u64)__builtin_ctzll(m) * 2;
			break;
		}
		pc = (pc | 127) + 1;
	}
	return pc < end ? pc : end;
}

gaddr core_nexthead(gaddr pc, gaddr end) { return next(head, pc, end); }
gaddr core_nextseen(gaddr pc, gaddr end) { return next(any, pc, end); }

static void
insert(struct buckets *b, _Atomic(struct node *) *at, struct node *n)
{
	atomic_store_explicit(&n->next, atomic_load_explicit(at, memory_order_relaxed), memory_order_relaxed);
	atomic_store_explicit(at, n, memory_order_release);
	b->nnode++;
}

static struct buckets *
enlarge(struct buckets *old)
{
	u32 n = old ? old->n * GROWTH : FIRST;
	struct buckets *b = xmalloc(sizeof *b + n * sizeof *b->at);
	struct node *next;

	b->n = n;
	b->old = old;
	if (old)
		pagein(b, sizeof *b + n * sizeof *b->at);
	for (u32 i = 0; old && i < old->n; i++)
		for (struct node *d = atomic_load(&old->at[i]); d; d = next) {
			next = atomic_load(&d->next);
			insert(b, bucket(b, d), d);
		}
	atomic_store_explicit(&core.buckets, b, memory_order_release);
	return b;
}

void
core_expect(gaddr pc, u32 mode)
{
	struct buckets *b = atomic_load_explicit(&core.buckets, memory_order_relaxed);

	if (b)
		__builtin_prefetch((void *)&b->at[hash(pc, mode) & (b->n - 1)]);
}

void
core_expectnode(gaddr pc, u32 mode)
{
	struct buckets *b = atomic_load_explicit(&core.buckets, memory_order_relaxed);

	if (b)
		__builtin_prefetch(atomic_load_explicit(&b->at[hash(pc, mode) & (b->n - 1)], memory_order_relaxed));
}

struct node *
core_place(gaddr pc, u32 mode)
{
	struct buckets *b = atomic_load_explicit(&core.buckets, memory_order_relaxed);
	_Atomic(struct node *) *at = b ? &b->at[hash(pc, mode) & (b->n - 1)] : 0;
	struct node *n = b ? atomic_load_explicit(at, memory_order_relaxed) : 0;

	for (; n; n = atomic_load_explicit(&n->next, memory_order_relaxed))
		if (n->pc == pc && n->mode == mode)
			return n;
	n = arena_get(&core.arena, sizeof *n);
	n->pc = pc;
	n->mode = mode;
	if (!b || b->nnode > b->n) {
		b = enlarge(b);
		at = bucket(b, n);
	}
	insert(b, at, n);
	return n;
}

void
core_marknode(const struct node *n)
{
	u32 w = heads(n->pc);

	__atomic_store_n(&any[w], any[w] | bit_of(n->pc), __ATOMIC_RELAXED);
	if (!n->quick)
		head[w] |= bit_of(n->pc);
}

void
core_nonodes(void)
{
	struct buckets *b = atomic_load(&core.buckets);

	if (b) {
		memset((void *)b->at, 0, b->n * sizeof *b->at);
		b->nnode = 0;
	}
	memset(head, 0, sizeof head);
	memset(any, 0, sizeof any);
	lately = 0;
}

/* Translations are made at rising addresses, so the array is sorted as it grows. */
static struct trans *
find(const u8 *code)
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

static int holds(const struct trans *t, const u8 *code) { return code >= t->code && code < t->code + t->size; }

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
	if (!(t = find(code)))
		return cache_transat(code);
	return lately = t;
}

struct trans *
core_lastlink(const struct cpu *cpu, int *n)
{
	struct trans *t;

	if ((uintptr_t)cpu->link <= LINK_KNOWN || cpu->epoch != atomic_load(&core.emptied))
		return 0;
	t = core_transat(cpu->link);
	if (!t || !t->nlink)
		return 0;
	*n = link_at(t->link, t->nlink, (u32)(cpu->link - t->code));
	return t;
}

int
core_pcat(const u8 *code, struct guestat *at)
{
	const struct trans *t = find(code);

	if (!t)
		return cache_pcat(code, at);
	struct mapent m = mapent_find(t->map, t->nmap, (u32)(code - t->code));
	*at = (struct guestat){.pc = t->pc + (u64)(s64)m.pcoff, .several = m.several, .base = m.base,
	    .owed = m.owed, .reg = m.reg, .flags = m.flags};
	at->block = entry_block(t->entry, t->nentry, at->pc);
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
