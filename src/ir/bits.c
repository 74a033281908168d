/* SPDX-License-Identifier: MIT */
/* bits.c - a value whose lanes are computed one by one and put together (see pack.c)
 *
 * What compilers make of an operation on bytes of words, or on halves, for a machine that has none:
 *
 *   ((b0 & m0 | b1) & m1 | b2) & m2 ...          bn is 0 but for lane n, mn anything
 *
 * Each bit of that is a bit of one bn, and of all masks that come after it.  So it is (b0 | b1 | b2 ...) & m, where m
 * is the same chain of lanes that are all ones; chains with the same masks share it.  If nothing but m0 makes b0 a
 * lane, m0 must be no wider.
 *
 * The or of the lanes is made at once if they are fields of one value, all shifted alike, or if they are computed alike
 * (abreast.c). */
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

/* Of t only what is in the mask. */
static struct term
term(const struct region *r, ref t, u64 mask)
{
	struct term x = {t, mask, 0};

	while (down(r, &x))
		;
	return x;
}

static u64
extent(const struct term *t)
{
	return t->up >= 0 ? t->mask << t->up : t->mask >> -t->up;
}

/* The number of the lane that t is, if all others are 0; else -1. */
static int
laneof(const struct region *r, ref t, int width, struct term *x)
{
	u64 m;

	*x = term(r, t, ~(u64)0);
	if (!(m = extent(x)) || isk(x->from))
		return -1;
	return __builtin_ctzll(m) / width == (63 - __builtin_clzll(m)) / width ? __builtin_ctzll(m) / width : -1;
}

static int
ismask(const struct region *r, ref t)
{
	return isk(t) || r->ins[t].op == O_ld || r->ins[t].op == O_get;
}

static void
addlane(struct chain *c, int n, const struct term *x)
{
	c->lane[n] = *x;
	c->link[c->n].mask = 0;
	c->link[c->n++].lane = n;
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
		c->link[c->n].lane = -1;
		c->link[c->n++].mask = ismask(r, i->b) ? i->b : i->a;
		return ismask(r, on) || !ismask(r, c->link[c->n - 1].mask) ? 0 : on;
	}
	on = i->a;
	if ((n = laneof(r, i->b, c->width, &x)) < 0) {
		on = i->b;
		n = laneof(r, i->a, c->width, &x);
	}
	if (n < 0 || *seen >> n & 1)
		return 0;
	*seen |= 1u << n;
	addlane(c, n, &x);
	return on;
}

/* Whether t, of which only lane 0 is missing, is that if the mask that comes after it is narrow. */
static int
isnarrow(const struct region *r, ref t, u32 seen, struct chain *c)
{
	ref m = c->n ? c->link[c->n - 1].mask : 0;
	struct term x;

	if (seen != ones(chain_lanes(c)) - 1 || !m || isk(m) || r->ins[m].op != O_get || r->ins[m].ty != I64 || isk(t))
		return 0;
	x = term(r, t, ones(c->width));
	c->narrow = m;
	addlane(c, 0, &x);
	return !isk(x.from);
}

int
chain_find(const struct region *r, ref t, int width, struct chain *c)
{
	u32 seen = 0;
	struct term x;
	int n;

	c->root = t;
	c->width = width;
	c->narrow = 0;
	c->n = 0;
	while (c->n < LINKS - 1 && (n = laneof(r, t, width, &x)) < 0) {
		if (isnarrow(r, t, seen, c))
			return 1;
		if (!(t = link(r, t, c, &seen)))
			return 0;
	}
	if (c->n == LINKS - 1 || (seen | 1u << n) != ones(chain_lanes(c)) || seen >> n & 1)
		return 0;
	addlane(c, n, &x);
	return 1;
}

static int
islast(struct region *r, const struct chain *c, const struct state *s)
{
	const struct masks *m = &s->last;

	for (int k = 0; k < c->n; k++) {
		ref t = c->n == m->n && c->link[k].mask ? s->now(s->arg, c->link[k].mask) : 0;

		if (c->n != m->n || c->width != m->width || c->link[k].lane != m->lane[k] ||
		    (t != m->mask[k] && !(isk(t) && isk(m->mask[k]) && kval(r, t) == kval(r, m->mask[k]))))
			return 0;
	}
	return 1;
}

/* What a lane has that comes later does not count: then more constants are such as hosts take, and masks without
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
		later[k + 1] = later[k] | (c->link[k].mask ? 0 : ones(c->width) << c->width * c->link[k].lane);
	for (int k = c->n - 1; k >= 0; k--) {
		ref mask = c->link[k].mask ? s->now(s->arg, c->link[k].mask) : 0;

		m->mask[k] = mask;
		m->lane[k] = c->link[k].lane;
		if (!mask)
			t = t ? ir_op(r, O_or, I64, t, ir_k(r, later[k + 1]), 0) : ir_k(r, ~(u64)0);
		else if (!isk(mask) || ~(kval(r, mask) | later[k]))
			t = ir_op(r, O_and, I64, t, mask, 0);
	}
	m->n = c->n;
	m->width = c->width;
	return m->is = t;
}

/* Whether the lanes are fields of one value. */
static int
isfields(const struct chain *c)
{
	for (int k = 1; k < chain_lanes(c); k++)
		if (c->lane[k].from != c->lane[0].from || c->lane[k].up != c->lane[0].up)
			return 0;
	return 1;
}

/* The node whose lanes they are, but for what the masks take away. */
static int
node(const struct region *r, const struct chain *c, struct state *s)
{
	ref lane[BYTES];

	for (int k = 0; k < chain_lanes(c); k++) {
		if (c->lane[k].up != k * c->width)
			return 0;
		lane[k] = c->lane[k].from;
	}
	return abreast_plan(r, s, lane, chain_lanes(c), c->width);
}

int
chain_isdone(const struct region *r, struct chain *c, struct state *s)
{
	c->from = isfields(c) ? c->lane[0].from : 0;
	c->node = c->from ? 0 : node(r, c, s);
	return c->from || c->node;
}

u64
chain_extent(const struct chain *c)
{
	u64 m = 0;

	for (int k = 0; k < chain_lanes(c); k++)
		m |= extent(&c->lane[k]);
	return m;
}

static int
issame(const struct region *r, ref x, ref y, const struct state *s)
{
	struct lane l, m;

	if (!x || !y || x == y)
		return x == y;
	if (isk(x) || isk(y))
		return isk(x) && isk(y) && kval(r, x) == kval(r, y);
	return s->laneof(s->arg, x, &l) && s->laneof(s->arg, y, &m) && l.word == m.word && l.size == m.size && l.size == BYTES;
}

int
chain_alike(const struct region *r, const struct chain *x, const struct chain *y, const struct state *s)
{
	if (x->n != y->n || x->width != y->width)
		return 0;
	for (int k = 0; k < x->n; k++)
		if (x->link[k].lane != y->link[k].lane || !issame(r, x->link[k].mask, y->link[k].mask, s))
			return 0;
	return 1;
}

void
chain_early(struct region *r, const struct chain *c, struct state *s)
{
	struct lane l;
	int n = abreast_lane(r, s, c->root, &l) ? s->node[l.word].a : c->node;

	if (n && !abreast_leaves(s, n, 0))
		abreast_make(r, s, n);
}

/* The or of the lanes. */
static ref
whole(struct region *r, const struct chain *c, struct state *s)
{
	int up = c->from ? c->lane[0].up : 0;
	ref v = c->from ? s->now(s->arg, c->from) : ir_opx(r, O_umov, I64, 0, I64, 0, abreast_make(r, s, c->node), 0, 0);

	if (up)
		v = ir_op(r, up > 0 ? O_shl : O_shr, I64, v, ir_k(r, (u64)(up > 0 ? up : -up)), 0);
	return ir_op(r, O_and, I64, v, ir_k(r, chain_extent(c)), 0);
}

ref
chain_make(struct region *r, const struct chain *c, struct state *s)
{
	return ir_op(r, O_and, I64, whole(r, c, s), chain_masks(r, c, s), 0);
}
