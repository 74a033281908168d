/* SPDX-License-Identifier: MIT */
/* box.c - which floating-point variables are known to hold a boxed value (RISC-V, Volume I, 21.2)
 *
 * Needs: all blocks of the region, each with its terminator.  Leaves: FP_BOXED set in funbox of what is known to
 * be boxed, so that hosts need not look.
 *
 * Known is what the region has boxed itself: a load before a loop, a sum in it.  That holds across its own jumps
 * alone, so a block that relies on it is no longer an entry: who comes from elsewhere finds no code there, and
 * gets a region of its own that begins so and looks for itself.
 *
 * What a loop reads and leaves boxed, but was boxed elsewhere, is looked at once, on the way into the loop, by a guard:
 * a block of its own before the loop's head, which keeps the address, while the head becomes a label of the region's.
 * It nearly always is boxed.  If it is not, the thread goes on in a mode of the guest's in which there are no
 * guards. */
#include "ir/ir.h"

enum { LABEL = 1 };                    /* the loop's head, above its guard */

/* What a stretch of code does to the set of variables that are boxed: (set & keep) | gen. */
struct effect { u32 keep, gen; };
struct edge { u16 from, to; struct effect e; u32 use; };       /* use: what was read on the way, as in struct pass */

struct pass {
	struct region *r;
	struct edge *edge;
	int nedge;
	u32 *in, *need;                /* by block: known at its head; of these, relied on there or later */
	u32 *use, *guard;              /* what it would like to know; what its guard looks at */
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
		p->edge[p->nedge++] = (struct edge){(u16)from, (u16)b, e, p->use[from]};
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
			p->use[n] |= u & p->now.keep;
		else if (u & ((p->in[n] & p->now.keep) | p->now.gen))
			p->r->ins[k].aux |= FP_BOXED;
	}
}

/* What is looked at where the edge leads into a loop. */
static u32 looked(const struct pass *p, const struct edge *e) { return e->from < e->to ? p->guard[e->to] : 0; }

static void
forward(struct pass *p)
{
	int changed;

	for (int n = 0; n < p->nedge; n++)
		p->in[p->edge[n].to] = ~(u32)0;
	p->in[0] = p->guard[0];
	do {
		changed = 0;
		for (const struct edge *e = p->edge; e < p->edge + p->nedge; e++) {
			u32 known = p->in[e->to] & ((p->in[e->from] & e->e.keep) | e->e.gen | looked(p, e));

			changed |= known != p->in[e->to];
			p->in[e->to] = known;
		}
	} while (changed);
}

static int
within(const struct edge *e, int first, int last)
{
	return e->from >= first && e->from <= last && e->to >= first && e->to <= last;
}

/* What the blocks would like to know at their heads for themselves or those they lead to, in a row of them. */
static void
backward(const struct pass *p, u32 *want, int first, int last)
{
	int changed;

	do {
		changed = 0;
		for (const struct edge *e = p->edge; e < p->edge + p->nedge; e++) {
			u32 more;

			if (!within(e, first, last))
				continue;
			more = want[e->to] & e->e.keep & ~looked(p, e) & ~want[e->from];
			changed |= more != 0;
			want[e->from] |= more;
		}
	} while (changed);
}

/* -- guards -- */

/* The last block that jumps back to block h, or -1. */
static int
latch(const struct pass *p, int h)
{
	int last = -1;

	for (const struct edge *e = p->edge; e < p->edge + p->nedge; e++)
		if (e->to == h && e->from >= h && e->from > last)
			last = e->from;
	return last;
}

static int
mayguard(const struct region *r, int h)
{
	return !r->block[h].above && ir_blockat(r, r->block[h].pc + LABEL) < 0 && r->nins < REF_K / 2;
}

/* A guard for a loop that would like to know more than is known at its head, if it does not change that itself. */
static void
guard(struct pass *p, int h)
{
	int last = latch(p, h);
	u32 want[p->r->nblock + 1], before = p->in[h];

	if (last < 0 || !mayguard(p->r, h))
		return;
	memset(want, 0, sizeof want);
	for (const struct edge *e = p->edge; e < p->edge + p->nedge; e++)
		want[e->from] |= within(e, h, last) ? e->use : 0;
	backward(p, want, h, last);
	if (!(want[h] & ~before))
		return;
	p->guard[h] = ~(u32)0;
	forward(p);
	want[h] &= p->in[h];
	p->guard[h] = want[h] & ~before ? want[h] : 0;
	forward(p);
}

void
ir_room(struct region *r, int b, int n)
{
	int at = r->block[b].first, end = r->nins + n;

	grow(&r->ins, end, &r->capins, sizeof *r->ins);
	grow(&r->block, r->nblock, &r->capblock, sizeof *r->block);
	memmove(&r->ins[at + n], &r->ins[at], (size_t)(r->nins - at) * sizeof *r->ins);
	memmove(&r->block[b + 1], &r->block[b], (size_t)(r->nblock++ - b) * sizeof *r->block);
	r->nins = end;
	for (struct ins *i = &r->ins[at + n]; i < &r->ins[end]; i++) {
		ref *o[] = {&i->a, &i->b, &i->c};

		for (int k = 0; k < 3; k++)
			*o[k] = (ref)(*o[k] + (*o[k] && !isk(*o[k]) ? n : 0));
		i->imm += i->op == O_nop && i->imm ? n : 0;
	}
	for (int k = 0; k < r->nmark; k++)
		r->mark[k] = (u16)(r->mark[k] + (r->mark[k] >= at ? n : 0));
	for (struct block *c = &r->block[b + 1]; c < r->block + r->nblock; c++)
		c->first += n;
}

/* Marks the last n instructions before `end`. */
static void
mark(struct region *r, int end, int n)
{
	int k = 0;

	while (k < r->nmark && r->mark[k] < end)
		k++;
	grow(&r->mark, r->nmark + n, &r->capmark, sizeof *r->mark);
	memmove(&r->mark[k + n], &r->mark[k], (size_t)(r->nmark - k) * sizeof *r->mark);
	r->nmark += n;
	while (n)
		r->mark[k++] = (u16)(end - n--);
}

/* The loop of blocks h to last begins at its label now: who jumps back does not pass the guard. */
static void
relabel(struct region *r, int h, int last)
{
	struct block *b = &r->block[h];
	ref to = ir_k(r, b->pc + LABEL);

	for (struct ins *i = &r->ins[b->first]; i < &r->ins[r->block[last].first + r->block[last].n]; i++) {
		ref *at = i->op == O_jmp ? &i->a : i->op == O_brc || i->op == O_brf ? &i->c : 0;

		if (at && kval(r, *at) == b->pc)
			*at = to;
		if (i->op == O_insn && i < &r->ins[b->first + b->n])
			i->imm -= LABEL;
	}
	b->pc += LABEL;
	b->above = LABEL;
	b->entry = 0;
}

/* The upper halves of the variables, all ones together, or the mode of no guards. */
static void
makeguard(struct pass *p, int h, int entry)
{
	struct region *r = p->r;
	int last = latch(p, h), n = 3 * __builtin_popcount(p->guard[h]) + 2, at = r->block[h].first, k = at;
	gaddr pc = r->block[h].pc;
	ref all = 0;

	ir_room(r, h, n);
	for (int v = 0; v < r->guest->nreg; v++) {
		if (!(bit(r, v) & p->guard[h]))
			continue;
		r->ins[k] = ins_make(O_get, F64, 0, v, 0, 0, 0, 0);
		r->ins[k + 1] = ins_make(O_movfi, I64, 0, F64, 0, (ref)k, 0, 0);
		k += 2;
		if (all) {
			r->ins[k] = ins_make(O_and, I64, 0, 0, 0, all, (ref)(k - 1), 0);
			k++;
		}
		all = (ref)(k - 1);
	}
	r->ins[k++] = ins_make(O_brc, I64, 0, R_GEU, 0, all, ir_k(r, ~(u64)0 << 32), ir_k(r, pc + LABEL));
	r->ins[k++] = ins_make(O_help, I64, 0, r->guest->loosen, 0, 0, 0, 0);
	r->ins[k++] = ins_make(O_look, N, 0, 0, 0, ir_k(r, pc), 0, 0);
	mark(r, k, 3);
	r->block[h] = (struct block){.pc = pc, .first = at, .n = n, .entry = (u8)entry};
	relabel(r, h + 1, last + 1);
}

/* -- the pass -- */

void
ir_box(struct region *r)
{
	struct edge edges[2 * r->nmark + 1];
	u32 by[4][r->nblock + 1];
	struct pass p = {.r = r, .edge = edges, .in = by[0], .need = by[1], .use = by[2], .guard = by[3]};
	int guards = r->guest->loose && !(r->mode & r->guest->loose);

	memset(by, 0, sizeof by);
	for (int n = 0; n < r->nblock; n++)
		block(&p, n, 1);
	forward(&p);
	for (int n = 0; guards && n < r->nblock; n++)
		guard(&p, n);
	for (int n = 0; n < r->nblock; n++)
		p.need[n] = p.use[n] & p.in[n];
	backward(&p, p.need, 0, r->nblock - 1);
	for (int n = r->nblock; n-- > 0;) {
		block(&p, n, 0);
		if (p.need[n] & ~p.guard[n])
			r->block[n].entry = 0;
		if (p.guard[n])
			makeguard(&p, n, r->block[n].entry);
	}
}
