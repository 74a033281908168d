/* SPDX-License-Identifier: MIT */
/* regalloc.c - plans a block: last uses, values computed into homes, values left to their consumer
 *
 * One pass forward counts uses, one backward does the rest.  Going backward, "pending" is a put
 * whose value may still be computed into the variable's home if nothing hostile comes before (that
 * is: earlier in the block but after) the definition.  An effect makes every pending put void at
 * once, by the epoch.  An instruction that is left to its consumer uses its operands there. */
#include "backend/alloc.h"

struct planner {
	const struct region *r;
	const struct block *b;
	struct val *val;
	const struct planhost *host;
	struct { ref t; u16 epoch; } pend[256];
	u8 live[256];                  /* values got from the variable that are used later on */
	u16 epoch;
};

enum { NEAR = 4 };                     /* how far apart a value and its flags are looked for */

static void use(struct planner *, ref *, int at, const struct ins *c, int n);

static void
uses_of(struct planner *p, struct ins *i, int at)
{
	if (i->a)
		use(p, &i->a, at, i, 0);
	if (i->b)
		use(p, &i->b, at, i, 1);
	if (i->c)
		use(p, &i->c, at, i, 2);
}

static void
unuse(struct planner *p, ref o)
{
	if (!isk(o))
		p->val[o].uses--;
}

/* the value under cuts to n bits or more */
static ref
bare(const struct region *r, ref o, int n)
{
	while (!isk(o) && r->ins[o].op == O_zxt && r->ins[o].imm >= n && !isk(r->ins[o].a) &&
	    !ty_isvec(r->ins[o].ty))
		o = r->ins[o].a;
	return o;
}

/* An operand that is only a 64-bit value cut to 32 bits: an operation of 32 bits or less takes the value
 * itself. */
static void
peel(struct planner *p, ref *o, const struct ins *c, int n)
{
	ref to;

	if (c->ty > I32 || opinfo[c->op].arg[n] != 'X' || c->op == O_put)
		return;
	to = bare(p->r, *o, ty_bits(c->ty));
	if (to == *o)
		return;
	unuse(p, *o);
	*o = to;
	p->val[to].uses++;
}

static void
use(struct planner *p, ref *o, int at, const struct ins *c, int n)
{
	struct val *v;
	struct ins *d;

	if (isk(*o))
		return;
	peel(p, o, c, n);
	v = &p->val[*o];
	d = &p->r->ins[*o];
	if (v->uses == 1 && opinfo[d->op].traits & PURE && p->host->fold(p->r, d, c, n)) {
		v->flags |= VAL_FOLD;
		v->last = (u16)at;
		uses_of(p, d, at);
		return;
	}
	if (!v->last) {
		v->last = (u16)at;
		p->live[d->v] += d->op == O_get;
	}
	if (d->op == O_get)
		p->pend[d->v].t = 0;
}

/* x makes the value whose flags f is */
static int
makes(const struct region *r, const struct ins *x, const struct ins *f)
{
	static const u8 maker[O_COUNT] = {
		[O_flsub] = O_sub, [O_fladd] = O_add, [O_flsbc] = O_sbc, [O_fladc] = O_adc,
	};

	int w = ty_bits(f->ty);

	if (x->ty != f->ty || (x->op != maker[f->op] && x->op != O_add) || bare(r, x->a, w) != bare(r, f->a, w))
		return 0;
	if (x->op == maker[f->op])
		return bare(r, x->b, w) == bare(r, f->b, w) && x->c == f->c;
	/* the builder turns x - K into x + -K */
	return f->op == O_flsub && isk(x->b) && isk(f->b) &&
	    !((kval(r, x->b) + kval(r, f->b)) << (64 - w)) && kval(r, f->b) << (64 - w);
}

static int
isflagop(const struct ins *i)
{
	return (i->op == O_flsub || i->op == O_fladd || i->op == O_flsbc || i->op == O_fladc) &&
	    (i->ty == I32 || i->ty == I64);
}

static int
used_between(const struct region *r, int t, int to)
{
	for (int i = t + 1; i <= to; i++)
		if (r->ins[i].a == t || r->ins[i].b == t || r->ins[i].c == t)
			return 1;
	return 0;
}

static int
bindpair(struct planner *p, int f, int x)
{
	struct val *vx = &p->val[x];

	if (vx->flags & (VAL_DEAD | VAL_FOLD | VAL_MAKES) || !vx->uses)
		return 0;
	vx->flags |= VAL_MAKES;
	vx->pair = (u16)f;
	p->val[f].flags |= VAL_PAIRED;
	p->val[f].pair = (u16)x;
	return 1;
}

/* Looks for the instruction that makes the flags f on its way. */
static int
findpair(struct planner *p, int f)
{
	const struct ins *i = &p->r->ins[f];
	int lo = f - NEAR < p->b->first ? p->b->first : f - NEAR;
	int hi = f + NEAR >= p->b->first + p->b->n ? p->b->first + p->b->n - 1 : f + NEAR;

	if (i->op == O_fltst) {
		const struct ins *d = &p->r->ins[i->a & ~REF_K];

		return !isk(i->a) && i->a >= lo && p->val[i->a].uses > 1 && d->ty == i->ty && (i->ty == I32 || i->ty == I64) &&
		    (d->op == O_and || d->op == O_or || d->op == O_xor) && bindpair(p, f, i->a);
	}
	if (!isflagop(i))
		return 0;
	for (int x = f - 1; x >= lo; x--)
		if (makes(p->r, &p->r->ins[x], i))
			return bindpair(p, f, x);
	for (int x = f + 1; x <= hi; x++)
		if (makes(p->r, &p->r->ins[x], i))
			return !used_between(p->r, f, x) && bindpair(p, f, x);
	return 0;
}

/* The maker uses the operands. */
static void
paired_uses(struct planner *p, const struct ins *i)
{
	unuse(p, i->a);
	unuse(p, i->b);
	unuse(p, i->c);
}

static void
planput(struct planner *p, struct ins *i, int at)
{
	ref t = i->a;
	const struct ins *d = &p->r->ins[t & ~REF_K];

	use(p, &i->a, at, i, 0);
	p->pend[i->v].t = 0;
	if (isk(t) || d->op == O_get || i->ty == FL || p->live[i->v])
		return;
	p->pend[i->v].t = t;
	p->pend[i->v].epoch = p->epoch;
	p->val[t].want = (u8)i->v;
}

/* A put that nobody sees (ir/dead.c): the home is free for the value all the same, if nothing better is known. */
static void
planhint(struct planner *p, const struct ins *i)
{
	struct val *v = &p->val[i->imm];
	int op = p->r->ins[i->imm].op;

	if (!i->imm || !v->last || v->want != NOVAR || op == O_get || op == O_nop || p->live[i->v] || v->flags & VAL_FOLD ||
	    (p->pend[i->v].t && p->pend[i->v].epoch == p->epoch))
		return;
	p->pend[i->v].t = (ref)i->imm;
	p->pend[i->v].epoch = p->epoch;
	v->want = (u8)i->v;
}

/* Nobody wants it. */
static void
drop(struct planner *p, const struct ins *i, struct val *v)
{
	v->flags |= VAL_DEAD;
	unuse(p, i->a);
	unuse(p, i->b);
	unuse(p, i->c);
}

static void
planins(struct planner *p, struct ins *i, int at)
{
	struct val *v = &p->val[at];
	int traits = opinfo[i->op].traits;

	if (i->op == O_put) {
		planput(p, i, at);
		return;
	}
	if (i->op == O_nop) {
		planhint(p, i);
		return;
	}
	if (i->op == O_get) {
		if (v->last)
			p->live[i->v]--;
		else
			v->flags |= VAL_DEAD;
		return;
	}
	if (traits & PURE) {
		if (v->flags & VAL_FOLD)
			return;
		if (!v->uses && !(v->flags & VAL_MAKES)) {
			drop(p, i, v);
			return;
		}
	}
	if (v->want != NOVAR) {
		if (p->pend[v->want].t != at || p->pend[v->want].epoch != p->epoch)
			v->want = NOVAR;
		else
			p->pend[v->want].t = 0;
	}
	if (traits & (READ | WRITE | EFF | LEAVE | END))
		p->epoch++;
	if (v->ty == FL && findpair(p, at))
		paired_uses(p, i);
	else
		uses_of(p, i, at);
}

static inline void
count(struct val *val, ref r)
{
	val[isk(r) ? 0 : r].uses++;
}

void
plan_block(const struct region *r, const struct block *b, struct val *val, const struct planhost *host)
{
	/* Not cleared for each block: a pend[] left over names a value of another block, and live[] has
	 * gone back to 0 at the block's beginning.  Compile is never entered twice at a time. */
	static struct planner p;
	int end = b->first + b->n;

	p.r = r;
	p.b = b;
	p.val = val;
	p.host = host;
	for (int i = b->first; i < end; i++) {
		const struct ins *s = &r->ins[i];
		char res;

		if (s->op == O_insn)
			continue;
		res = opinfo[s->op].res;
		val[i] = (struct val){.want = NOVAR, .var = NOVAR, .var2 = NOVAR, .reg = -1,
		    .ty = res == 'X' ? s->ty : res == 'F' ? FL : I64};
		count(val, s->a);
		if (s->b)
			count(val, s->b);
		if (s->c)
			count(val, s->c);
	}
	for (int i = end - 1; i >= b->first; i--)
		if (r->ins[i].op != O_insn)
			planins(&p, &r->ins[i], i);
}
