/* SPDX-License-Identifier: MIT */
/* wide_ahead.c - prefetches for delay lines (see wide.c)
 *
 * Who knows early which line of memory will be wanted fetches it, puts its number in a ring, and goes there when the
 * number comes out again.  Compilers leave the prefetch out for machines without such an instruction (RISC-V without
 * Zicbop), and the computation of its address.  The ring is still there: a number is loaded, another is stored in its
 * place, and an address is made of the first.  One day the other is what is loaded: the address it will make then is
 * prefetched when the first one's is made.
 *
 * The address may be made in the same block, or in one that is jumped to.  An address is taken to be a variable and
 * a scaled number; what is added to that from elsewhere says where in the line, and is left out. */
#include "ir/wide.h"

enum { BACK = 12, DEEP = 6, MOST = 16 };       /* from load to store; operations of an address, on any way and in all */

struct ring {
	struct pass *p;
	ref was; int var;              /* what was loaded: its value, or the variable that has it, or -1 */
	ref is;                        /* what was stored */
	ref at;                        /* where the prefetches come, or 0: as soon as they can */
};

static int
isthis(const struct ring *g, ref t)
{
	return t == g->was || (g->p->r->ins[t].op == O_get && g->p->r->ins[t].v == g->var);
}

/* What is the same for both numbers. */
static int
isbase(const struct ring *g, ref t)
{
	return !t || isk(t) || (g->p->r->ins[t].op == O_get && !isthis(g, t));
}

/* Whether t is made of what was loaded, and of nothing else that changes. */
static int
ismade(const struct ring *g, ref t, int depth)
{
	const struct ins *i = &g->p->r->ins[t & ~REF_K];
	int a, b;

	if (!t || isk(t))
		return 0;
	if (isthis(g, t))
		return 1;
	if (!depth || !(opinfo[i->op].traits & PURE) || i->ty > I64 || i->c)
		return 0;
	a = ismade(g, i->a, depth - 1);
	b = ismade(g, i->b, depth - 1);
	return a != b && (i->op == O_add || isbase(g, a ? i->b : i->a));
}

/* The same of what was stored, made before instruction `at`. */
static ref
again(const struct ring *g, ref t, ref at)
{
	struct ins i = g->p->r->ins[t & ~REF_K];
	int made;

	if (!t || isk(t) || (i.op == O_get && !g->at))
		return t;
	if (isthis(g, t))
		return g->is;
	if (i.op != O_get) {
		made = ismade(g, i.a, DEEP);
		if (!isbase(g, made ? i.b : i.a))
			return again(g, made ? i.a : i.b, at);
		i.a = again(g, i.a, at);
		i.b = again(g, i.b, at);
	}
	return wide_before(g->p, at, i);
}

/* Prefetches what the addresses made from instruction t on will be. */
static void
fetch(const struct ring *g, int t, int end)
{
	const struct region *r = g->p->r;

	for (; t < end && g->p->nmore + MOST < MORE; t++) {
		const struct ins *i = &r->ins[t];
		ref by, at = g->at ? g->at : (ref)(t + 1);

		if (i->op != O_add || i->ty != I64 || isk(i->a) || isk(i->b))
			continue;
		by = r->ins[i->a].op == O_shl ? i->a : i->b;
		if (r->ins[by].op == O_shl && r->ins[by == i->a ? i->b : i->a].op == O_get && ismade(g, (ref)t, DEEP)) {
			ref a = again(g, (ref)t, at);

			wide_before(g->p, at, (struct ins){.op = O_pref, .ty = N, .v = PREF_L1, .a = a});
		}
	}
}

/* The load whose place the store takes, or 0. */
static int
taken(const struct region *r, const struct block *b, int st)
{
	const struct ins *i = &r->ins[st];

	for (int k = st - 1; k >= b->first && k > st - BACK; k--)
		if (wide_plain(&r->ins[k]) == wide_plain(i) && r->ins[k].op != O_st && r->ins[k].a == i->a && r->ins[k].imm == i->imm)
			return k;
	return 0;
}

/* The variable that has the value where the block ends, or -1. */
static int
holder(const struct region *r, const struct block *b, ref t)
{
	int var = -1;

	for (int k = b->first; k < b->first + b->n; k++)
		if (r->ins[k].op == O_put)
			var = r->ins[k].a == t ? r->ins[k].v : r->ins[k].v == var ? -1 : var;
	return var;
}

void
wide_ahead(struct pass *p, const struct block *b)
{
	const struct region *r = p->r;
	int end = b->first + b->n, next;
	const struct ins *last = &r->ins[end - 1];

	for (int k = b->first; k < end; k++) {
		const struct ins *i = &r->ins[k];
		struct ring g = {.p = p, .is = i->c, .var = -1};

		if (i->op != O_st || wide_plain(i) < 4 || isk(i->c) || !(g.was = (ref)taken(r, b, k)) || ismade(&g, i->c, DEEP))
			continue;
		fetch(&g, k + 1, end);
		if (last->op == O_jmp && (next = ir_blockat(r, kval(r, last->a))) >= 0 && (g.var = holder(r, b, g.was)) >= 0) {
			g.was = 0;
			g.at = (ref)(end - 1);
			fetch(&g, r->block[next].first, r->block[next].first + r->block[next].n);
		}
	}
}
