/* SPDX-License-Identifier: MIT */
/* box.c - which floating-point variables are known to hold a boxed value (RISC-V, Volume I, 21.2)
 *
 * Needs: all blocks of the region, each with its terminator.  Leaves: FP_BOXED set in funbox of what is known to
 * be boxed, so that hosts need not look.
 *
 * Known is what the region has boxed itself: a load before a loop, a sum in it.  That holds across its own jumps
 * alone, so a block that relies on it is no longer an entry: who comes from elsewhere finds no code there, and
 * gets a region of its own that begins so and looks for itself. */
#include "ir/ir.h"

/* What a stretch of code does to the set of variables that are boxed: (set & keep) | gen. */
struct effect { u32 keep, gen; };
struct edge { u16 from, to; struct effect e; };

struct pass {
	struct region *r;
	struct edge *edge;
	int nedge;
	u32 *in, *need;                /* by block: known at its head; of these, relied on there or later */
	struct effect now;             /* of the block so far */
	int put[32];                   /* by variable: the last instruction that may have changed it */
};

/* Guests have at most 32 such variables, in a row. */
static inline u32
bit(const struct region *r, int var)
{
	return r->guest->reg[var].kind == REG_FP ? (u32)1 << var % 32 : 0;
}

static int
isbox(const struct region *r, ref t)
{
	return !isk(t) && r->ins[t].op == O_fbox && ty_lanebits(r->ins[t].v) <= 32;
}

static void
put(struct pass *p, int k)
{
	const struct ins *i = &p->r->ins[k];
	u32 b = bit(p->r, i->v);

	p->now.keep &= ~b;
	p->now.gen &= ~b;
	if (b && isbox(p->r, i->a))
		p->now.gen |= b;
	if (b)
		p->put[i->v % 32] = k;
}

static void
edge(struct pass *p, int from, ref to, struct effect e)
{
	int b = ir_blockat(p->r, kval(p->r, to));

	if (b >= 0)
		p->edge[p->nedge++] = (struct edge){(u16)from, (u16)b, e};
}

/* Passes over instruction k of block b, which is no funbox. */
static void
step(struct pass *p, int b, int k, int collect)
{
	static const struct effect none;
	const struct ins *i = &p->r->ins[k];

	if (i->op == O_put) {
		put(p, k);
	} else if (i->op == O_help && ir_helper(p->r, i->v)->flags & HELP_STATE) {
		p->now = none;
		for (int n = 0; n < 32; n++)
			p->put[n] = k;
	} else if (collect) {
		if (i->op == O_jmp || i->op == O_call)
			edge(p, b, i->a, p->now);
		else if (i->op == O_brc || i->op == O_brf)
			edge(p, b, i->c, p->now);
		else if (i->op == O_sys)
			edge(p, b, i->a, none);
		if (i->op == O_call || i->op == O_callr)
			edge(p, b, i->b, none);
	}
}

/* The variable that instruction k of the open block unboxes, as a bit, if it still is what was read. */
static u32
unboxed(const struct pass *p, int k)
{
	const struct ins *i = &p->r->ins[k], *get = &p->r->ins[i->a & ~REF_K];

	if (i->ty != F32 || isk(i->a) || get->op != O_get)
		return 0;
	u32 b = bit(p->r, get->v);
	return b && p->put[get->v % 32] < i->a ? b : 0;
}

/* collect: notes edges, and what the block would like to know; else sets FP_BOXED. */
static void
block(struct pass *p, int n, int collect)
{
	const struct block *b = &p->r->block[n];

	p->now = (struct effect){~(u32)0, 0};
	for (int v = 0; v < 32; v++)
		p->put[v] = 0;
	for (int k = b->first; k < b->first + b->n; k++) {
		u32 u;

		if (p->r->ins[k].op != O_funbox) {
			step(p, n, k, collect);
			continue;
		}
		u = unboxed(p, k);
		if (collect)
			p->need[n] |= u & p->now.keep;
		else if (u & ((p->in[n] & p->now.keep) | p->now.gen))
			p->r->ins[k].aux |= FP_BOXED;
	}
}

static void
flow(struct pass *p)
{
	int changed;

	for (int n = 0; n < p->nedge; n++)
		p->in[p->edge[n].to] = ~(u32)0;
	p->in[0] = 0;
	do {
		changed = 0;
		for (const struct edge *e = p->edge; e < p->edge + p->nedge; e++) {
			u32 known = p->in[e->to] & ((p->in[e->from] & e->e.keep) | e->e.gen);

			changed |= known != p->in[e->to];
			p->in[e->to] = known;
		}
	} while (changed);
	for (int n = 0; n < p->r->nblock; n++)
		p->need[n] &= p->in[n];
	do {
		changed = 0;
		for (const struct edge *e = p->edge; e < p->edge + p->nedge; e++) {
			u32 need = p->need[e->from] | (p->need[e->to] & e->e.keep);

			changed |= need != p->need[e->from];
			p->need[e->from] = need;
		}
	} while (changed);
}

void
ir_box(struct region *r)
{
	struct edge edges[2 * r->nmark + 1];
	u32 in[r->nblock + 1], need[r->nblock + 1];
	struct pass p = {.r = r, .edge = edges, .in = in, .need = need};

	memset(in, 0, sizeof in);
	memset(need, 0, sizeof need);
	for (int n = 0; n < r->nblock; n++)
		block(&p, n, 1);
	flow(&p);
	for (int n = 0; n < r->nblock; n++) {
		block(&p, n, 0);
		if (need[n])
			r->block[n].entry = 0;
	}
}
