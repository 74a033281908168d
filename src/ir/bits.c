/* SPDX-License-Identifier: MIT */
/* bits.c - a value whose bytes are computed one by one and put together (see pack.c)
 *
 * What compilers make of an operation on bytes of words for a machine that has none:
 *
 *   ((b0 & m0 | b1) & m1 | b2) & m2 ...          bn is 0 but for byte n, mn anything
 *
 * Each bit of that is a bit of one bn, and of all masks that come after it.  So it is (b0 | b1 | b2 ...) & m, where m
 * is the same chain of bytes that are all ones; chains with the same masks share it.
 *
 * The or of the bytes is made at once if they are fields of one value, all shifted alike, or if each is 0 or all ones
 * as bytes of two words in memory compare. */
#include "ir/pack.h"

static inline u64 ones(int n) { return n >= 64 ? ~(u64)0 : ((u64)1 << n) - 1; }

/* One operation down; 0 if there is none. */
static int
down(const struct region *r, struct term *t)
{
	const struct ins *i = &r->ins[t->from & ~REF_K];
	int n = isk(i->b) ? (int)(kval(r, i->b) & 63) : 0;

	if (isk(t->from) || (i->ty != I64 && (i->ty != I32 || i->op == O_shl || i->op == O_shr)))
		return 0;
	switch (i->op) {
	case O_and:
		if (!isk(i->b))
			return 0;
		t->mask &= kval(r, i->b);
		break;
	case O_zxt:
		t->mask &= ones(i->imm);
		break;
	case O_sxt:
		if (t->mask & ~ones(i->imm))
			return 0;
		break;
	case O_shl:
		if (!isk(i->b))
			return 0;
		t->mask >>= n;
		t->up += n;
		break;
	case O_bfx:
		t->mask = (t->mask & ones(i->imm)) << i->v;
		t->up -= i->v;
		break;
	case O_shr:
		if (!isk(i->b))
			return 0;
		t->mask <<= n;
		t->up -= n;
		break;
	default:
		return 0;
	}
	if (i->ty == I32)
		t->mask &= ones(32);
	t->from = i->a;
	return 1;
}

static struct term
term(const struct region *r, ref t)
{
	struct term x = {t, ~(u64)0, 0};

	while (down(r, &x))
		;
	return x;
}

static u64
extent(const struct term *t)
{
	return t->up >= 0 ? t->mask << t->up : t->mask >> -t->up;
}

/* The number of the byte that t is, if all others are 0; else -1. */
static int
byteof(const struct region *r, ref t, struct term *x)
{
	u64 m;

	*x = term(r, t);
	if (!(m = extent(x)) || isk(x->from))
		return -1;
	return __builtin_ctzll(m) / 8 == (63 - __builtin_clzll(m)) / 8 ? __builtin_ctzll(m) / 8 : -1;
}

static int
ismask(const struct region *r, ref t)
{
	return isk(t) || r->ins[t].op == O_ld || r->ins[t].op == O_get;
}

/* The link that t is; returns what it goes on with, or 0. */
static ref
link(const struct region *r, ref t, struct chain *c, u32 *seen)
{
	const struct ins *i = &r->ins[t];
	struct term x;
	ref on;
	int n;

	if (isk(t) || i->ty != I64 || (i->op != O_or && i->op != O_and))
		return 0;
	if (i->op == O_and) {
		on = ismask(r, i->b) ? i->a : i->b;
		c->link[c->n].byte = -1;
		c->link[c->n++].mask = ismask(r, i->b) ? i->b : i->a;
		return ismask(r, on) || !ismask(r, c->link[c->n - 1].mask) ? 0 : on;
	}
	on = i->a;
	if ((n = byteof(r, i->b, &x)) < 0) {
		on = i->b;
		n = byteof(r, i->a, &x);
	}
	if (n < 0 || *seen >> n & 1)
		return 0;
	*seen |= 1u << n;
	c->byte[n] = x;
	c->link[c->n].mask = 0;
	c->link[c->n++].byte = n;
	return on;
}

int
chain_find(const struct region *r, ref t, struct chain *c)
{
	u32 seen = 0;
	struct term x;
	int n;

	c->root = t;
	c->n = 0;
	while (c->n < LINKS - 1 && (n = byteof(r, t, &x)) < 0)
		if (!(t = link(r, t, c, &seen)))
			return 0;
	if (c->n == LINKS - 1 || (seen | 1u << n) != ones(BYTES) || seen >> n & 1)
		return 0;
	c->byte[n] = x;
	c->link[c->n].mask = 0;
	c->link[c->n++].byte = n;
	return 1;
}

static int
islast(struct region *r, const struct chain *c, const struct state *s)
{
	const struct masks *m = &s->last;

	for (int k = 0; k < c->n; k++) {
		ref t = c->n == m->n && c->link[k].mask ? s->now(s->arg, c->link[k].mask) : 0;

		if (c->n != m->n || c->link[k].byte != m->byte[k] ||
		    (t != m->mask[k] && !(isk(t) && isk(m->mask[k]) && kval(r, t) == kval(r, m->mask[k]))))
			return 0;
	}
	return 1;
}

/* What a byte has that comes later does not count: then more constants are such as hosts take, and masks without
 * effect. */
ref
chain_masks(struct region *r, const struct chain *c, struct state *s)
{
	struct masks *m = &s->last;
	u64 later[LINKS + 1] = {0};
	ref t = 0;

	if (islast(r, c, s))
		return m->is;
	for (int k = 0; k < c->n; k++)
		later[k + 1] = later[k] | (c->link[k].mask ? 0 : (u64)0xff << 8 * c->link[k].byte);
	for (int k = c->n - 1; k >= 0; k--) {
		ref mask = c->link[k].mask ? s->now(s->arg, c->link[k].mask) : 0;

		m->mask[k] = mask;
		m->byte[k] = c->link[k].byte;
		if (!mask)
			t = t ? ir_op(r, O_or, I64, t, ir_k(r, later[k + 1]), 0) : ir_k(r, ~(u64)0);
		else if (!isk(mask) || ~(kval(r, mask) | later[k]))
			t = ir_op(r, O_and, I64, t, mask, 0);
	}
	m->n = c->n;
	return m->is = t;
}

static int
relation(const struct region *r, const struct chain *c, int k)
{
	return r->ins[r->ins[c->byte[k].from].a].v;
}

/* Whether the bytes are fields of one value. */
static int
isfields(const struct chain *c)
{
	for (int k = 1; k < BYTES; k++)
		if (c->byte[k].from != c->byte[0].from || c->byte[k].up != c->byte[0].up)
			return 0;
	return 1;
}

/* Whether byte k is all ones if the bytes a and b compare, else 0. */
static int
compared(const struct region *r, const struct term *t, int k, const struct state *s, struct lane *a, struct lane *b)
{
	const struct ins *neg = &r->ins[t->from], *set = &r->ins[neg->a & ~REF_K];
	u32 some = 1u << R_EQ | 1u << R_NE | 1u << R_LTU | 1u << R_GEU | 1u << R_LEU | 1u << R_GTU;

	return neg->op == O_neg && !isk(neg->a) && set->op == O_set && some >> set->v & 1 && t->up == 8 * k &&
	    t->mask == 0xff && s->laneof(s->arg, set->a, a) && s->laneof(s->arg, set->b, b) && a->byte == k && b->byte == k;
}

/* Whether they are, of the same two words. */
static int
iscompares(const struct region *r, struct chain *c, const struct state *s)
{
	struct lane a, b;

	for (int k = 0; k < BYTES; k++) {
		if (!compared(r, &c->byte[k], k, s, &a, &b))
			return 0;
		c->a = k ? c->a : a.word;
		c->b = k ? c->b : b.word;
		if (c->a != a.word || c->b != b.word || relation(r, c, k) != relation(r, c, 0))
			return 0;
	}
	return 1;
}

int
chain_isdone(const struct region *r, struct chain *c, const struct state *s)
{
	c->from = isfields(c) ? c->byte[0].from : 0;
	return c->from || iscompares(r, c, s);
}

static ref
fields(struct region *r, const struct chain *c, const struct state *s)
{
	int up = c->byte[0].up;
	ref v = s->now(s->arg, c->from);
	u64 m = 0;

	for (int k = 0; k < BYTES; k++)
		m |= extent(&c->byte[k]);
	if (up)
		v = ir_op(r, up > 0 ? O_shl : O_shr, I64, v, ir_k(r, (u64)(up > 0 ? up : -up)), 0);
	return ir_op(r, O_and, I64, v, ir_k(r, m), 0);
}

static ref
lanes(struct region *r, const struct state *s, int word)
{
	return ir_op(r, O_vfromi, V64, s->wordof(s->arg, word), 0, 0);
}

static ref
compares(struct region *r, const struct chain *c, const struct state *s)
{
	ref a = lanes(r, s, c->a), b = lanes(r, s, c->b);

	return ir_opx(r, O_vset, V8, 0, relation(r, c, 0), 0, a, b, 0);
}

void
chain_early(struct region *r, struct chain *c, struct state *s)
{
	if (!c->from)
		c->early = compares(r, c, s);
}

ref
chain_make(struct region *r, const struct chain *c, struct state *s)
{
	ref v = c->from ? fields(r, c, s) : ir_opx(r, O_umov, I64, 0, I64, 0, c->early, 0, 0);

	return ir_op(r, O_and, I64, v, chain_masks(r, c, s), 0);
}
