/* SPDX-License-Identifier: MIT */
/* abreast.c - values that are computed alike, and are the lanes of one vector (see bits.c)
 *
 * A node stands for such values, one for each lane of eight bytes; the low bits of each, as many as a lane has, are
 * what its lane of the vector will hold.  It is made of the nodes of their operands, down to
 *
 *   - a word in memory, of which each value loads its own part
 *   - a value that each extracts its own part from, or is
 *   - constants
 *
 * The low bits of a sum, a product, a mask are made of its operands' low bits.  Shifts to the right, comparisons and
 * what is the greater one look at whole operands: these must be numbers that a lane can hold, signed or not. */
#include "ir/pack.h"

enum { DEEP = 12 };

/* What a value is made of: op of vectors, with a relation or a number of bits.  O_nop: nothing that lanes have. */
struct shape { int op, how; ref a, b; };
struct field { ref of; int at; };

static inline u64 ones(int n) { return n >= 64 ? ~(u64)0 : ((u64)1 << n) - 1; }

/* The number of bits that i, a shift by a constant, shifts by; else -1. */
static int
amount(const struct region *r, const struct ins *i)
{
	return isk(i->b) ? (int)(kval(r, i->b) & (u64)(ty_bits(i->ty) - 1)) : -1;
}

/* A value with the same w low bits. */
static ref
low(const struct region *r, const struct state *s, ref t, int w)
{
	for (;;) {
		const struct ins *i;

		t = s->origin(s->arg, t);
		i = &r->ins[t & ~REF_K];
		if (isk(t) || (i->op != O_sxt && i->op != O_zxt) || i->imm < w)
			return t;
		t = i->a;
	}
}

static int
issigned(const struct region *r, const struct state *s, ref t, int w)
{
	const struct ins *i;
	struct lane l;

	t = s->origin(s->arg, t);
	i = &r->ins[t & ~REF_K];
	if (isk(t))
		return (kval(r, t) + ((u64)1 << (w - 1))) >> w == 0;
	if (s->laneof(s->arg, t, &l))
		return l.sign && 8 * l.size <= w;
	if (i->ty != I64)
		return 0;
	switch (i->op) {
	case O_sxt: case O_sbfx:
		return i->imm <= w;
	case O_sar:
		return amount(r, i) >= 64 - w || issigned(r, s, i->a, w);
	case O_smin: case O_smax:
		return issigned(r, s, i->a, w) && issigned(r, s, i->b, w);
	}
	return 0;
}

static int
isunsigned(const struct region *r, const struct state *s, ref t, int w)
{
	const struct ins *i;
	struct lane l;

	t = s->origin(s->arg, t);
	i = &r->ins[t & ~REF_K];
	if (isk(t))
		return kval(r, t) <= ones(w);
	if (s->laneof(s->arg, t, &l))
		return !l.sign && 8 * l.size <= w;
	switch (i->op) {
	case O_zxt: case O_bfx:
		return i->imm <= w;
	case O_shr:
		return amount(r, i) >= ty_bits(i->ty) - w;
	case O_umin: case O_umax:
		return isunsigned(r, s, i->a, w) && isunsigned(r, s, i->b, w);
	}
	return 0;
}

static int
aresigned(const struct region *r, const struct state *s, const struct ins *i, int w)
{
	return i->ty == I64 && issigned(r, s, i->a, w) && issigned(r, s, i->b, w);
}

static int
areunsigned(const struct region *r, const struct state *s, const struct ins *i, int w)
{
	return i->ty == I64 && isunsigned(r, s, i->a, w) && isunsigned(r, s, i->b, w);
}

/* Whether lanes of w bits compare as what `set` compares. */
static int
compares(const struct region *r, const struct state *s, const struct ins *set, int w)
{
	switch (set->v) {
	case R_EQ: case R_NE: case R_LTU: case R_GEU: case R_LEU: case R_GTU:
		return areunsigned(r, s, set, w) || aresigned(r, s, set, w);
	case R_LTS: case R_GES: case R_LES: case R_GTS:
		return aresigned(r, s, set, w);
	}
	return 0;
}

static struct shape
shape(const struct region *r, const struct state *s, ref t, int w)
{
	const struct ins *i = &r->ins[low(r, s, t, w) & ~REF_K], *set;
	int n = amount(r, i);

	switch (isk(low(r, s, t, w)) ? O_nop : i->op) {
	case O_mul:
		if (w < 16)
			break;
		/* fallthrough */
	case O_add: case O_sub: case O_and: case O_or: case O_xor: case O_not:
		return (struct shape){i->op, 0, i->a, i->b};
	case O_smin: case O_smax:
		if (aresigned(r, s, i, w))
			return (struct shape){i->op, 0, i->a, i->b};
		break;
	case O_umin: case O_umax:
		if (areunsigned(r, s, i, w))
			return (struct shape){i->op, 0, i->a, i->b};
		break;
	case O_neg:
		set = &r->ins[i->a & ~REF_K];
		if (!isk(i->a) && set->op == O_set && compares(r, s, set, w))
			return (struct shape){O_vset, set->v, set->a, set->b};
		break;
	case O_shl:
		if (n >= 0 && n < w)
			return (struct shape){O_shli, n, i->a, 0};
		break;
	case O_sar:
		if (n >= 0 && n < w && i->ty == I64 && issigned(r, s, i->a, w))
			return (struct shape){O_sari, n, i->a, 0};
		break;
	case O_sbfx:
		if (i->v < w && i->v + i->imm >= w && issigned(r, s, i->a, w))
			return (struct shape){O_sari, i->v, i->a, 0};
		break;
	case O_shr:
		if (n >= 0 && n < w && isunsigned(r, s, i->a, w))
			return (struct shape){O_shri, n, i->a, 0};
		break;
	case O_bfx:
		if (i->v < w && i->v + i->imm >= w && isunsigned(r, s, i->a, w))
			return (struct shape){O_shri, i->v, i->a, 0};
		break;
	}
	return (struct shape){O_nop, 0, 0, 0};
}

/* Where its low bits are extracted from; itself if they are not. */
static struct field
field(const struct region *r, const struct state *s, ref t, int w)
{
	const struct ins *i;
	int n;

	t = low(r, s, t, w);
	i = &r->ins[t & ~REF_K];
	n = isk(t) ? -1 : amount(r, i);
	if (!isk(t) && (i->op == O_bfx || i->op == O_sbfx) && i->imm >= w)
		return (struct field){i->a, i->v};
	if (!isk(t) && (i->op == O_shr || i->op == O_sar) && n >= 0)
		return (struct field){i->a, n};
	return (struct field){t, 0};
}

/* -- leaves -- */

static int
constants(const struct region *r, struct node *x)
{
	int w = 64 / x->n;

	for (int k = 0; k < x->n; k++) {
		if (!isk(x->lane[k]))
			return 0;
		x->k |= (kval(r, x->lane[k]) & ones(w)) << k * w;
	}
	x->kind = NODE_K;
	return 1;
}

static int
word(const struct region *r, const struct state *s, struct node *x)
{
	int w = 64 / x->n;
	struct lane l;

	for (int k = 0; k < x->n; k++) {
		if (!s->laneof(s->arg, low(r, s, x->lane[k], w), &l) || l.byte != k * w / 8 || 8 * l.size < w ||
		    (k && l.word != x->a))
			return 0;
		x->a = l.word;
	}
	x->kind = NODE_WORD;
	return 1;
}

static int
fields(const struct region *r, const struct state *s, struct node *x)
{
	int w = 64 / x->n;
	ref of = field(r, s, x->lane[1], w).of;

	for (int k = 1; k < x->n; k++) {
		struct field f = field(r, s, x->lane[k], w);

		if (f.of != of || f.at != k * w)
			return 0;
	}
	x->leaf = of;
	x->kind = NODE_LEAF;
	return !isk(of) && ir_type(&r->ins[of]) == I64 && low(r, s, x->lane[0], w) == low(r, s, of, w);
}

/* -- nodes -- */

/* Whether both may be in lanes of one node; a guess. */
static int
alike(const struct region *r, const struct state *s, ref x, ref y, int w)
{
	struct lane l, m;
	int lx, ly;

	x = low(r, s, x, w);
	y = low(r, s, y, w);
	if (isk(x) || isk(y))
		return isk(x) && isk(y);
	lx = s->laneof(s->arg, x, &l);
	ly = s->laneof(s->arg, y, &m);
	if (lx || ly)
		return lx && ly && l.word == m.word;
	return field(r, s, x, w).of == field(r, s, y, w).of || r->ins[x].op == r->ins[y].op;
}

static int
known(const struct state *s, const ref *lane, int n)
{
	for (int k = 1; k < s->nnode; k++)
		if (s->node[k].n == n && !memcmp(s->node[k].lane, lane, (size_t)n * sizeof *lane))
			return k;
	return 0;
}

static int plan(const struct region *, struct state *, const ref *lane, int n, int depth);

/* The node's operation, and its operands' nodes. */
static int
operation(const struct region *r, struct state *s, struct node *x, int depth)
{
	struct shape first = shape(r, s, x->lane[0], 64 / x->n);
	ref a[LANES], b[LANES];

	for (int k = 0; k < x->n; k++) {
		struct shape h = shape(r, s, x->lane[k], 64 / x->n);
		int swap = opinfo[h.op].traits & COMM && !alike(r, s, h.a, first.a, 64 / x->n);

		if (h.op == O_nop || h.op != first.op || h.how != first.how)
			return 0;
		a[k] = swap ? h.b : h.a;
		b[k] = swap ? h.a : h.b;
	}
	x->kind = NODE_OP;
	x->op = first.op;
	x->how = first.how;
	x->a = plan(r, s, a, x->n, depth);
	x->b = x->a && first.b ? plan(r, s, b, x->n, depth) : 0;
	return x->a && (x->b || !first.b);
}

static int
plan(const struct region *r, struct state *s, const ref *lane, int n, int depth)
{
	struct node x = {.n = n};
	int k = known(s, lane, n);

	if (k || depth == DEEP)
		return k;
	memcpy(x.lane, lane, (size_t)n * sizeof *lane);
	if (!constants(r, &x) && !word(r, s, &x) && !fields(r, s, &x) && !operation(r, s, &x, depth + 1))
		return 0;
	if (s->nnode == KNOTS)
		return 0;
	s->node[s->nnode] = x;
	return s->nnode++;
}

int
abreast_plan(const struct region *r, struct state *s, const ref *lane, int n)
{
	int was = s->nnode, x = plan(r, s, lane, n, 0);

	if (!x)
		s->nnode = was;
	return x;
}

/* What node x is made of, x included. */
static void
below(const struct state *s, int x, u8 *is)
{
	memset(is, 0, KNOTS);
	is[x] = 1;
	for (; x > 0; x--)
		if (is[x] && s->node[x].kind == NODE_OP)
			is[s->node[x].a] = is[s->node[x].b] = 1;
}

int
abreast_leaves(const struct state *s, int x, void (*want)(ref))
{
	u8 is[KNOTS];
	int n = 0;

	below(s, x, is);
	for (int k = 1; k <= x; k++)
		if (is[k] && s->node[k].kind == NODE_LEAF) {
			if (want)
				want(s->node[k].leaf);
			n++;
		}
	return n;
}

static int vector(int lanes) { return lanes == 8 ? V8 : lanes == 4 ? V16 : V32; }

ref
abreast_make(struct region *r, struct state *s, int at)
{
	struct node *x = &s->node[at];
	ref a, b;

	if (x->is)
		return x->is;
	if (x->kind != NODE_OP) {
		a = x->kind == NODE_K ? ir_k(r, x->k) : x->kind == NODE_WORD ? s->wordof(s->arg, x->a) : s->now(s->arg, x->leaf);
		return x->is = ir_op(r, O_vfromi, V64, a, 0, 0);
	}
	a = abreast_make(r, s, x->a);
	b = x->b ? abreast_make(r, s, x->b) : 0;
	return x->is = ir_opx(r, x->op, vector(x->n), 0, x->op == O_vset ? x->how : 0, x->op == O_vset ? 0 : x->how, a, b, 0);
}

/* Whether lanes hold value t as it is: 1 if without its sign. */
static int
holds(const struct region *r, const struct state *s, ref t, int w)
{
	if (isunsigned(r, s, t, w) || (w == 32 && ir_type(&r->ins[t]) == I32))
		return 1;
	return issigned(r, s, t, w) ? -1 : 0;
}

int
abreast_lane(const struct region *r, const struct state *s, ref t, struct lane *l)
{
	for (int k = 1; k < s->nnode; k++)
		for (int n = 0; n < s->node[k].n && s->node[k].kind == NODE_OP; n++)
			if (s->node[k].lane[n] == t && (l->sign = holds(r, s, t, 64 / s->node[k].n))) {
				l->word = k;
				l->byte = n;
				return 1;
			}
	return 0;
}

ref
abreast_extract(struct region *r, struct state *s, const struct lane *l)
{
	static const u8 type[] = {[8] = I8, [4] = I16, [2] = I32};
	ref v = abreast_make(r, s, l->word);

	return ir_opx(r, l->sign < 0 ? O_smov : O_umov, I64, 0, type[s->node[l->word].n], l->byte, v, 0, 0);
}
