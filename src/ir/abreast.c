/* SPDX-License-Identifier: MIT */
/* abreast.c - values that are computed alike, and are the lanes of one vector (see bits.c)
 *
 * A node stands for such values, one for each lane; the low bits of each, as many as a lane has, are what its lane of
 * the vector will hold.  It is made of the nodes of their operands, down to
 *
 *   - a word in memory, of which each value loads its own part
 *   - a value that each extracts its own part from, or is
 *   - variables and constants
 *
 * The low bits of a sum, a product, a mask are made of its operands' low bits.  Shifts to the right, comparisons and
 * what is the greater one look at whole operands: these must be numbers that a lane can hold, signed or not.
 *
 * Words that are computed alike are lanes, too; two that are put together from lanes (bits.c) are made at once. */
#include "ir/pack.h"

enum { DEEP = 24, ALIKE = 4 };

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
islesser(const struct ins *i, int sign)
{
	return sign ? i->op == O_smin || i->op == O_smax : i->op == O_umin || i->op == O_umax;
}

/* Whether t is a number that w bits hold, with a sign or without. */
static int
fits(const struct region *r, const struct state *s, ref t, int w, int sign, int depth)
{
	const struct ins *i;
	struct lane l;

	t = s->origin(s->arg, t);
	i = &r->ins[t & ~REF_K];
	if (w == 64)
		return 1;
	if (isk(t))
		return (sign ? kval(r, t) + ((u64)1 << (w - 1)) : kval(r, t)) >> w == 0;
	if (s->laneof(s->arg, t, &l))
		return l.sign == sign && 8 * l.size <= w;
	if (i->ty != I64 || depth == ALIKE)
		return 0;
	if (islesser(i, sign))
		return fits(r, s, i->a, w, sign, depth + 1) && fits(r, s, i->b, w, sign, depth + 1);
	switch (i->op) {
	case O_sxt: case O_sbfx:
		return sign && i->imm <= w;
	case O_zxt: case O_bfx:
		return !sign && i->imm <= w;
	case O_sar:
		return sign && (amount(r, i) >= 64 - w || fits(r, s, i->a, w, sign, depth + 1));
	case O_shr:
		return !sign && amount(r, i) >= 64 - w;
	case O_neg:
		return sign && !isk(i->a) && r->ins[i->a].op == O_set;
	}
	return 0;
}

static int
isnumber(const struct region *r, const struct state *s, ref t, int w, int sign)
{
	return fits(r, s, t, w, sign, 0);
}

static int
arenumbers(const struct region *r, const struct state *s, const struct ins *i, int w, int sign)
{
	return i->ty == I64 && isnumber(r, s, i->a, w, sign) && isnumber(r, s, i->b, w, sign);
}

/* Whether lanes of w bits compare as what `set` compares. */
static int
compares(const struct region *r, const struct state *s, const struct ins *set, int w)
{
	switch (set->v) {
	case R_EQ: case R_NE: case R_LTU: case R_GEU: case R_LEU: case R_GTU:
		return arenumbers(r, s, set, w, 0) || arenumbers(r, s, set, w, 1);
	case R_LTS: case R_GES: case R_LES: case R_GTS:
		return arenumbers(r, s, set, w, 1);
	}
	return 0;
}

/* What is done with words. */
static const u8 few[O_COUNT] = {
	[O_add] = 1, [O_sub] = 1, [O_and] = 1, [O_or] = 1, [O_xor] = 1, [O_not] = 1, [O_shl] = 1, [O_shr] = 1,
};

static struct shape
shape(const struct region *r, const struct state *s, ref t, int w)
{
	const struct ins *i = &r->ins[low(r, s, t, w) & ~REF_K], *set;
	int n = amount(r, i), no = isk(low(r, s, t, w)) || (w == 64 && (i->ty != I64 || !few[i->op])), sign;

	switch (no ? O_nop : i->op) {
	case O_mul:
		if (w < 16)
			break;
		/* fallthrough */
	case O_add: case O_sub: case O_and: case O_or: case O_xor: case O_not:
		return (struct shape){i->op, 0, i->a, i->b};
	case O_smin: case O_smax: case O_umin: case O_umax:
		if (arenumbers(r, s, i, w, i->op == O_smin || i->op == O_smax))
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
	case O_sbfx: case O_bfx:
		n = i->v + i->imm >= w ? i->v : -1;
		/* fallthrough */
	case O_sar: case O_shr:
		sign = i->op == O_sar || i->op == O_sbfx;
		if (n >= 0 && n < w && (i->ty == I64 || !sign) && isnumber(r, s, i->a, w, sign))
			return (struct shape){sign ? O_sari : O_shri, n, i->a, 0};
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

static int plan(const struct region *, struct state *, const ref *lane, int n, int width, int depth);

static int
constants(const struct region *r, struct node *x)
{
	for (int k = 0; k < x->n; k++) {
		if (!isk(x->lane[k]))
			return 0;
		x->k[k * x->width / 64] |= (kval(r, x->lane[k]) & ones(x->width)) << k * x->width % 64;
	}
	x->kind = NODE_K;
	return 1;
}

static int
words(const struct region *r, const struct state *s, struct node *x)
{
	struct lane l;

	for (int k = 0; k < x->n; k++) {
		int at = k * x->width, *word = at < 64 ? &x->a : &x->b;

		if (!s->laneof(s->arg, low(r, s, x->lane[k], x->width), &l) || l.byte != at % 64 / 8 ||
		    8 * l.size < x->width || (at % 64 && l.word != *word))
			return 0;
		*word = l.word;
	}
	x->kind = NODE_WORD;
	return 1;
}

/* The value that the lanes of word h extract from, or 0. */
static ref
extracted(const struct region *r, const struct state *s, const struct node *x, int h)
{
	int n = 64 / x->width;
	const ref *lane = x->lane + h * n;
	ref of = field(r, s, lane[1], x->width).of;

	for (int k = 1; k < n; k++) {
		struct field f = field(r, s, lane[k], x->width);

		if (f.of != of || f.at != k * x->width)
			return 0;
	}
	return !isk(of) && ir_type(&r->ins[of]) == I64 && low(r, s, lane[0], x->width) == low(r, s, of, x->width) ? of : 0;
}

static int
fields(const struct region *r, struct state *s, struct node *x, int depth)
{
	ref of[2];

	for (int h = 0; h < x->n * x->width / 64; h++)
		if (x->width == 64 || !(of[h] = extracted(r, s, x, h)))
			return 0;
	x->kind = x->n * x->width == 64 ? NODE_LEAF : NODE_VIEW;
	x->leaf[0] = of[0];
	x->a = x->kind == NODE_VIEW ? plan(r, s, of, 2, 64, depth) : 0;
	return x->a || x->kind == NODE_LEAF;
}

static int
variables(const struct region *r, struct node *x)
{
	for (int k = 0; k < x->n; k++) {
		if (x->width < 64 || !(isk(x->lane[k]) || r->ins[x->lane[k]].op == O_get))
			return 0;
		x->leaf[k] = x->lane[k];
	}
	x->kind = NODE_LEAF;
	return 1;
}

/* -- nodes -- */

static int alike(const struct region *, const struct state *, ref x, ref y, int w, int depth);

static int
operands(const struct region *r, const struct state *s, const struct ins *x, const struct ins *y, int w, int depth)
{
	if (x->op != y->op || !depth || !x->a)
		return x->op == y->op;
	if (alike(r, s, x->a, y->a, w, depth) && (!x->b || alike(r, s, x->b, y->b, w, depth)))
		return 1;
	return opinfo[x->op].traits & COMM && alike(r, s, x->a, y->b, w, depth) && alike(r, s, x->b, y->a, w, depth);
}

/* Whether both may be in lanes of one node; a guess. */
static int
alike(const struct region *r, const struct state *s, ref x, ref y, int w, int depth)
{
	struct lane l, m;
	int lx, ly;

	x = low(r, s, x, w);
	y = low(r, s, y, w);
	if (isk(x) || isk(y))
		return isk(x) && isk(y);
	if (field(r, s, x, w).of == field(r, s, y, w).of)
		return 1;
	lx = s->laneof(s->arg, x, &l);
	ly = s->laneof(s->arg, y, &m);
	if (lx || ly)
		return lx && ly && l.base == m.base;
	return operands(r, s, &r->ins[x], &r->ins[y], w, depth - 1);
}

static int
known(const struct state *s, const ref *lane, int n, int width)
{
	for (int k = 1; k < s->nnode; k++)
		if (s->node[k].n == n && s->node[k].width == width && !memcmp(s->node[k].lane, lane, (size_t)n * sizeof *lane))
			return k;
	return 0;
}

/* The node's operation, and its operands' nodes. */
static int
operation(const struct region *r, struct state *s, struct node *x, int depth)
{
	struct shape first = shape(r, s, x->lane[0], x->width);
	ref a[LANES], b[LANES];

	for (int k = 0; k < x->n; k++) {
		struct shape h = shape(r, s, x->lane[k], x->width);
		int swap = opinfo[h.op].traits & COMM && !alike(r, s, h.a, first.a, x->width, ALIKE);

		if (h.op == O_nop || h.op != first.op || h.how != first.how)
			return 0;
		a[k] = swap ? h.b : h.a;
		b[k] = swap ? h.a : h.b;
	}
	x->kind = NODE_OP;
	x->op = first.op;
	x->how = first.how;
	x->a = plan(r, s, a, x->n, x->width, depth);
	x->b = x->a && first.b ? plan(r, s, b, x->n, x->width, depth) : 0;
	return x->a && (x->b || !first.b);
}

/* Two words that are put together from lanes. */
static int
chains(const struct region *r, struct state *s, struct node *x, int depth)
{
	const struct chain *c[2] = {0};
	ref lane[LANES];
	int n;

	for (int h = 0; h < x->n; h++)
		if (x->width < 64 || !(c[h] = s->chainof(s->arg, low(r, s, x->lane[h], 64))))
			return 0;
	n = chain_lanes(c[0]);
	if (!chain_alike(r, c[0], c[1], s) || !c[0]->from != !c[1]->from ||
	    (c[0]->from && c[0]->lane->up != c[1]->lane->up))
		return 0;
	for (int k = 0; k < 2 * n; k++)
		lane[k] = c[k / n]->lane[k % n].from;
	x->kind = NODE_CHAIN;
	x->chain = c[0];
	x->k[0] = chain_extent(c[0]);
	x->k[1] = chain_extent(c[1]);
	x->how = c[0]->from ? c[0]->lane->up : 0;
	x->a = c[0]->from ? plan(r, s, (ref[]){c[0]->from, c[1]->from}, 2, 64, depth) :
	    plan(r, s, lane, 2 * n, c[0]->width, depth);
	return x->a != 0;
}

static int
plan(const struct region *r, struct state *s, const ref *lane, int n, int width, int depth)
{
	struct node x = {.n = n, .width = width};
	int k = known(s, lane, n, width);

	if (k || depth++ == DEEP)
		return k;
	memcpy(x.lane, lane, (size_t)n * sizeof *lane);
	if (!constants(r, &x) && !words(r, s, &x) && !variables(r, &x) && !fields(r, s, &x, depth) &&
	    !chains(r, s, &x, depth) && !operation(r, s, &x, depth))
		return 0;
	if (s->nnode == KNOTS)
		return 0;
	s->node[s->nnode] = x;
	return s->nnode++;
}

int
abreast_plan(const struct region *r, struct state *s, const ref *lane, int n, int width)
{
	int was = s->nnode, x = plan(r, s, lane, n, width, 0);

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
		if (is[x] && (s->node[x].kind == NODE_OP || s->node[x].kind >= NODE_VIEW))
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
				want(s->node[k].leaf[0]);
			if (want)
				want(s->node[k].leaf[1]);
			n++;
		}
	return n;
}

/* -- making -- */

/* A vector of one word or two. */
static ref
vector(struct region *r, const struct node *x, ref a, ref b)
{
	if (x->n * x->width == 64)
		return ir_op(r, O_vfromi, V64, a, 0, 0);
	return a == b ? ir_op(r, O_dup, V64, a, 0, 0) : ir_op(r, O_vpair, V64, a, b, 0);
}

/* What its lanes may have of chains v, and their masks leave. */
static ref
masked(struct region *r, struct state *s, const struct node *x, ref v)
{
	ref m;

	if (x->how)
		v = ir_opx(r, x->how > 0 ? O_shli : O_shri, V64, 0, 0, x->how > 0 ? x->how : -x->how, v, 0, 0);
	if (~(x->k[0] & x->k[1]))
		v = ir_op(r, O_and, V64, v, vector(r, x, ir_k(r, x->k[0]), ir_k(r, x->k[1])), 0);
	m = chain_masks(r, x->chain, s);
	return isk(m) && !~kval(r, m) ? v : ir_op(r, O_and, V64, v, vector(r, x, m, m), 0);
}

ref
abreast_make(struct region *r, struct state *s, int at)
{
	static const u8 type[] = {[8] = V8, [16] = V16, [32] = V32, [64] = V64};
	struct node *x = &s->node[at];
	int set = x->op == O_vset;
	ref a, b;

	if (x->is)
		return x->is;
	switch (x->kind) {
	case NODE_K:
		return x->is = vector(r, x, ir_k(r, x->k[0]), ir_k(r, x->k[1]));
	case NODE_WORD:
		return x->is = x->n * x->width == 64 ? vector(r, x, s->wordof(s->arg, x->a), 0) : s->wordsof(s->arg, x->a, x->b);
	case NODE_LEAF:
		return x->is = vector(r, x, s->now(s->arg, x->leaf[0]), s->now(s->arg, x->leaf[1]));
	case NODE_VIEW:
		return x->is = abreast_make(r, s, x->a);
	case NODE_CHAIN:
		return x->is = masked(r, s, x, abreast_make(r, s, x->a));
	case NODE_OP:
		break;
	}
	a = abreast_make(r, s, x->a);
	b = x->b ? abreast_make(r, s, x->b) : 0;
	return x->is = ir_opx(r, x->op, type[x->width], 0, set ? x->how : 0, set ? 0 : x->how, a, b, 0);
}

void
abreast_words(struct region *r, struct state *s)
{
	for (int k = 1; k < s->nnode; k++)
		if (s->node[k].kind == NODE_WORD && s->node[k].n * s->node[k].width > 64)
			abreast_make(r, s, k);
}

/* Whether lanes hold value t as it is: 1 if without its sign, -1 with it. */
static int
holds(const struct region *r, const struct state *s, ref t, int w)
{
	if (isnumber(r, s, t, w, 0) || (w == 32 && ir_type(&r->ins[t]) == I32))
		return 1;
	return isnumber(r, s, t, w, 1) ? -1 : 0;
}

int
abreast_lane(const struct region *r, const struct state *s, ref t, struct lane *l)
{
	for (int k = s->nnode - 1; k > 0; k--)
		for (int n = 0; n < s->node[k].n && (s->node[k].kind == NODE_OP || s->node[k].kind == NODE_CHAIN); n++)
			if (s->node[k].lane[n] == t && (l->sign = holds(r, s, t, s->node[k].width))) {
				l->word = k;
				l->byte = n;
				return 1;
			}
	return 0;
}

ref
abreast_extract(struct region *r, struct state *s, const struct lane *l)
{
	static const u8 type[] = {[8] = I8, [16] = I16, [32] = I32, [64] = I64};
	ref v = abreast_make(r, s, l->word);

	return ir_opx(r, l->sign < 0 ? O_smov : O_umov, I64, 0, type[s->node[l->word].width], l->byte, v, 0, 0);
}
