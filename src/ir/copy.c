/* SPDX-License-Identifier: MIT */
/* copy.c - loops that copy words, or store one again and again: many turns at once
 *
 * So C libraries move memory.  A turn loads a few words, of 8 bytes or of 16, and stores as many, side by side, and
 * steps on by what it has stored.  Compilers spread that over turns: what is stored first may be what the turn before
 * has loaded, even all of it.  The loop stays as it is, but jumps back to blocks of its own:
 *
 *   label      goes back to the loop if what is stored lies less than a page after what is loaded, or is in the way of
 *              what the same turn loads later: it stays so
 *   label + 2  does as many turns as are left and whose words are all on one page, those stored and those loaded, makes
 *              what the last of them leaves behind, and goes back to the loop
 *
 * So the first turn is never one of many: loops of few turns pay nothing.  If an access faults nothing has happened,
 * since all the others are on the pages of the first load and the first store; the engine does one turn after another
 * (as for wide.c).  Loads of different bytes need not happen in the order of the program, nor stores.
 *
 * A turn is a block that jumps back to itself, or two, as in seek.c. */
#include "ir/loop.h"

enum { LABEL = 1, RUN = 3, PAGE = 4096, MOST = 8 };
enum { LONGEST = 16, WORTH = 56 };     /* bytes: of a word, and of what is copied */

/* What a value is: k; variable var as it is at the turn's begin, plus k; what was loaded by load k; the flags of what
 * is tested; or another. */
enum { NUMBER, PLUS, LOADED, DIFFERENCE, OTHER };
struct term { u8 kind, var, ty; s64 k; };
enum { ANY = 0xff };                   /* the type of a variable of which nothing is known */

struct copy {
	struct region *r;
	gaddr head; int above;         /* of the labels */
	struct term val[BODY];         /* of the block's instructions */
	struct term begin[256], var[256];      /* of variables, at the turn's begin and so far */
	u8 put[256];
	int ty, word;                  /* of what is moved: its bytes */
	struct term load[MOST]; int nload;     /* addresses */
	struct { struct term to, what; int loads; } store[MOST]; int nstore;   /* loads: so many come before it in the turn */
	struct term test[2]; int ntest;        /* compared numbers */
	int rel;                       /* the turn goes on if it holds of them; -1: not known yet */
	int bytes;                     /* that a turn stores */
	struct term to, from;          /* where, in the first turn: what is stored; what is loaded, or would be */
	int fills;                     /* all of it becomes one word */
	int carried;                   /* or the first words do that were loaded by the turn before */
	struct loop l;                 /* its trip alone: values 1 and 2 are those tested */
};

/* -- the turn -- */

static const struct term other = {.kind = OTHER, .ty = N};

static struct term number(s64 k) { return (struct term){.kind = NUMBER, .ty = I64, .k = k}; }

static struct term
term(const struct copy *c, const struct block *b, ref t)
{
	return isk(t) ? number((s64)kval(c->r, t)) : t ? c->val[t - b->first] : other;
}

static struct term
plus(struct term t, s64 k)
{
	if (t.kind != NUMBER && t.kind != PLUS)
		return other;
	t.k = (s64)((u64)t.k + (u64)k);
	return t;
}

static struct term
got(const struct copy *c, const struct ins *get)
{
	struct term t = c->var[get->v];

	if (t.ty == ANY)
		t.ty = get->ty;
	return t.ty == get->ty ? t : other;
}

/* Whether i loads or stores a word, and all are alike. */
static int
moves(struct copy *c, const struct ins *i, struct term address)
{
	int whole = i->ty == I64 || (ty_isvec(i->ty) && ty_bits(i->ty) == 8 * LONGEST);

	if (!c->nload && !c->nstore)
		c->ty = i->ty;
	c->word = ty_bits(i->ty) / 8;
	return whole && i->ty == c->ty && !i->b && !i->aux && !i->v && address.kind == PLUS;
}

static int
compares(struct copy *c, const struct ins *i, struct term a, struct term b)
{
	c->test[0] = a;
	c->test[1] = b;
	return !c->ntest++ && i->ty == I64;
}

static int
look(struct copy *c, const struct block *b, const struct ins *i, struct term *to)
{
	struct term x = term(c, b, i->a), y = term(c, b, i->b);

	*to = other;
	switch (i->op) {
	case O_insn: case O_nop:
		return 1;
	case O_get:
		*to = got(c, i);
		return 1;
	case O_put:
		c->var[i->v] = x.ty == i->ty ? x : other;
		c->put[i->v] = 1;
		return 1;
	case O_add:
		if (i->ty == I64 && isk(i->b))
			*to = plus(x, y.k);
		return 1;
	case O_flsub:
		*to = (struct term){.kind = DIFFERENCE, .ty = FL};
		return compares(c, i, x, y);
	case O_ld:
		x = plus(x, i->imm);
		if (!moves(c, i, x) || c->nload == MOST)
			return 0;
		*to = (struct term){.kind = LOADED, .ty = i->ty, .k = c->nload};
		c->load[c->nload++] = x;
		return 1;
	case O_st:
		x = plus(x, i->imm);
		if (!moves(c, i, x) || c->nstore == MOST)
			return 0;
		c->store[c->nstore].to = x;
		c->store[c->nstore].loads = c->nload;
		c->store[c->nstore++].what = term(c, b, i->c);
		return 1;
	}
	return opinfo[i->op].traits & PURE;
}

/* The relation that makes the branch go, of what is compared; -1: it is not understood. */
static int
relation(struct copy *c, const struct block *b, const struct ins *br)
{
	struct term x = term(c, b, br->a);

	if (br->op == O_brf)
		return x.kind == DIFFERENCE ? loop_ccrel(br->v) : -1;
	return compares(c, br, x, term(c, b, br->b)) ? br->v : -1;
}

/* Goes through a block up to where it leads on; 0: it does not, or is not of the kind. */
static int
walk(struct copy *c, const struct block *b, gaddr on)
{
	for (int k = 0; k < b->n && k < BODY; k++) {
		const struct ins *i = &c->r->ins[b->first + k];
		int back, rel;

		if (i->op == O_jmp)
			return kval(c->r, i->a) == on;
		if (i->op != O_brc && i->op != O_brf) {
			if (!look(c, b, i, &c->val[k]))
				return 0;
			continue;
		}
		rel = relation(c, b, i);
		if (rel < 0 || c->rel >= 0)
			return 0;
		back = kval(c->r, i->c) == on;
		c->rel = back ? rel : rel ^ 1;
		if (back)
			return 1;
	}
	return 0;
}

/* What the variable is more by each turn, if that is known. */
static int
steps(const struct copy *c, int var, s64 *by)
{
	*by = c->var[var].k;
	return c->var[var].kind == PLUS && c->var[var].var == var;
}

static int
turn(struct copy *c, const struct block *first, const struct block *last)
{
	c->nload = c->nstore = c->ntest = 0;
	c->rel = -1;
	memcpy(c->var, c->begin, sizeof c->var);
	return (first == last || walk(c, first, last->pc)) && walk(c, last, c->head);
}

/* The turn after another: some variables are others by then, plus a number. */
static int
gather(struct copy *c, const struct block *first, const struct block *last)
{
	s64 by;

	memset(c->put, 0, sizeof c->put);
	for (int v = 0; v < 256; v++)
		c->begin[v] = (struct term){.kind = PLUS, .var = (u8)v, .ty = ANY};
	if (!turn(c, first, last))
		return 0;
	for (int v = 0; v < 256; v++)
		if (c->put[v] && c->var[v].kind == PLUS && c->var[v].var != v && steps(c, c->var[v].var, &by))
			c->begin[v] = plus(c->var[v], -by);
	return turn(c, first, last);
}

/* -- what it does -- */

/* The same in each turn. */
static int
isfixed(const struct copy *c, struct term t)
{
	s64 by;

	return t.kind == NUMBER || (t.kind == PLUS && steps(c, t.var, &by) && !by);
}

static int
same(struct term a, struct term b)
{
	return a.kind == b.kind && a.k == b.k && (a.kind == NUMBER || a.var == b.var);
}

/* Whether the stores lie side by side, and the next turn's after them: then they are put in order. */
static int
tiles(struct copy *c)
{
	struct term what[MOST];
	s64 lo = c->store[0].to.k, by;
	u32 seen = 0;

	for (int n = 1; n < c->nstore; n++)
		lo = c->store[n].to.k < lo ? c->store[n].to.k : lo;
	for (int n = 0; n < c->nstore; n++) {
		s64 at = c->store[n].to.k - lo;

		if (c->store[n].to.var != c->store[0].to.var || at % c->word || at / c->word >= c->nstore)
			return 0;
		seen |= 1u << at / c->word;
		what[at / c->word] = c->store[n].what;
	}
	for (int n = 0; n < c->nstore; n++)
		c->store[n].what = what[n];
	c->to = (struct term){.kind = PLUS, .var = c->store[0].to.var, .ty = I64, .k = lo};
	c->bytes = c->nstore * c->word;
	return seen == (1u << c->nstore) - 1 && steps(c, c->to.var, &by) && by == c->bytes;
}

static int
fills(const struct copy *c)
{
	for (int n = 1; n < c->nstore; n++)
		if (!same(c->store[n].what, c->store[0].what))
			return 0;
	return !c->nload && c->ty == I64 && isfixed(c, c->store[0].what);
}

/* Where store n has its word from, in this turn. */
static int
source(struct copy *c, int n, struct term *from)
{
	struct term what = c->store[n].what, last;

	if (what.kind == LOADED)
		return *from = c->load[what.k], 1;
	if (what.kind != PLUS || what.k)
		return 0;
	last = c->var[what.var];       /* the turn before has loaded it */
	if (last.kind != LOADED)
		return 0;
	c->carried++;
	*from = plus(c->load[last.k], -c->bytes);
	return 1;
}

/* Whether what is stored lies side by side where it is from; nothing else is loaded, but for as many of the next words
 * as are carried over: then those come first. */
static int
copies(struct copy *c)
{
	struct term from;
	s64 by, ahead;

	c->carried = 0;
	if (!source(c, 0, &c->from) || !steps(c, c->from.var, &by) || by != c->bytes)
		return 0;
	for (int n = 1; n < c->nstore; n++)
		if (!source(c, n, &from) || !same(from, plus(c->from, n * c->word)))
			return 0;
	for (int n = 0; n < c->nload; n++) {
		ahead = c->load[n].k - c->from.k;
		if (c->load[n].var != c->from.var || ahead < 0 || ahead >= c->bytes + c->carried * c->word)
			return 0;
	}
	return 1;
}

static int ispower(s64 by) { return !(by & (by - 1)); }

/* Whether it is known what the last turn leaves behind. */
static int
knowsputs(const struct copy *c)
{
	s64 by;

	for (int v = 0; v < 256; v++) {
		if (c->put[v] && c->var[v].kind == OTHER)
			return 0;
		if (c->put[v] && c->var[v].kind == PLUS && (!steps(c, c->var[v].var, &by) || !ispower(by < 0 ? -by : by)))
			return 0;
	}
	return 1;
}

static int
counts(struct copy *c)
{
	struct ins br = {.op = O_brc, .ty = I64, .v = (u16)c->rel, .a = 1, .b = 2};
	s64 by;

	loop_clear(&c->l, 2);
	c->l.first = 1;
	for (int n = 0; n < 2; n++) {
		by = 0;
		if (c->test[n].kind != NUMBER && (c->test[n].kind != PLUS || !steps(c, c->test[n].var, &by)))
			return 0;
		c->l.val[n] = (struct value){.kind = SCALAR, .step = by};
	}
	return loop_trip(&c->l, &br) && ispower(c->l.trip.step);
}

static int
understood(struct copy *c)
{
	if (c->nstore < 2 || MOST % c->nstore || c->rel < 0 || !tiles(c) || !knowsputs(c) || !counts(c))
		return 0;
	return (c->fills = fills(c)) || copies(c);
}

/* -- blocks -- */

static gaddr label(const struct copy *c, int n) { return c->head + (gaddr)(c->above + n); }

static void
begin(const struct copy *c, int n, int turns)
{
	struct block *b = &c->r->block[ir_block(c->r, label(c, n))];

	b->above = (u8)(c->above + n);
	b->turns = (u8)turns;
	ir_append(c->r, ins_make(O_insn, N, 0, 0, -(c->above + n), 0, 0, 0));
}

static void
go(const struct copy *c, int rel, ref a, u64 b, gaddr to)
{
	ir_opx(c->r, O_brc, I64, 0, rel, 0, a, ir_k(c->r, b), ir_k(c->r, to));
}

static ref
add(const struct copy *c, ref t, s64 k)
{
	return k ? ir_op(c->r, O_add, I64, t, ir_k(c->r, (u64)k), 0) : t;
}

/* n * to / from, powers of two. */
static ref
scaled(const struct copy *c, ref n, s64 from, s64 to)
{
	int by = __builtin_ctzll((u64)to) - __builtin_ctzll((u64)from);

	return by ? ir_op(c->r, by < 0 ? O_shr : O_shl, I64, n, ir_k(c->r, (u64)(by < 0 ? -by : by)), 0) : n;
}

/* The value in the turn that begins when n bytes have been stored, n = 0: none; plus k. */
static ref
value(const struct copy *c, struct term t, ref n, s64 k)
{
	s64 by = 0;
	ref v;

	if (t.kind == NUMBER)
		return ir_k(c->r, (u64)t.k);
	steps(c, t.var, &by);
	v = ir_get(c->r, t.ty, t.var);
	if (n && by)
		v = ir_op(c->r, by < 0 ? O_sub : O_add, I64, v, scaled(c, n, c->bytes, by < 0 ? -by : by), 0);
	return add(c, v, (s64)((u64)t.k + (u64)k));
}

/* In the last turn of those that store n bytes. */
static ref
last(const struct copy *c, struct term t, ref n)
{
	s64 by = 0;

	if (t.kind == PLUS)
		steps(c, t.var, &by);
	return value(c, t, n, -by);
}

static s64 carried(const struct copy *c) { return c->fills ? 0 : c->carried * c->word; }     /* bytes */

/* No word is loaded after one that lies behind it has been stored. */
static int
rises(const struct copy *c)
{
	for (int n = 0; n < c->nstore; n++)
		for (int k = c->store[n].loads; k < c->nload; k++)
			if (c->load[k].k - c->from.k <= c->store[n].to.k - c->to.k)
				return 0;
	return 1;
}

/* Copies go up: what is stored before is never loaded after, but perhaps in the same turn. */
static void
keepapart(const struct copy *c)
{
	s64 below = rises(c) ? 0 : c->bytes;
	ref d;

	begin(c, LABEL, 0);
	d = ir_op(c->r, O_sub, I64, value(c, c->to, 0, 0), value(c, c->from, 0, 0), 0);
	go(c, R_LTU, add(c, d, below - 1), (u64)below + PAGE + 2 * MOST * LONGEST, c->head);
	ir_op(c->r, O_jmp, N, ir_k(c->r, label(c, RUN)), 0, 0);
}

/* n, or as many bytes as are left on the page if they are fewer. */
static ref
onpage(const struct copy *c, ref n, ref address)
{
	ref at = ir_op(c->r, O_and, I64, address, ir_k(c->r, PAGE - 1), 0);

	return ir_op(c->r, O_umin, I64, n, ir_op(c->r, O_sub, I64, ir_k(c->r, PAGE), at, 0), 0);
}

/* How many bytes are stored at once; where that is not worth it, back to the loop. */
static ref
count(const struct copy *c)
{
	const struct loop *l = &c->l;
	struct region *r = c->r;
	ref lo = value(c, c->test[l->trip.lo - 1], 0, 0), hi = value(c, c->test[l->trip.hi - 1], 0, 0), n;

	if (l->trip.rel != R_NE)
		ir_opx(r, O_brc, I64, 0, l->trip.rel ^ 1, 0, lo, hi, ir_k(r, c->head));
	n = scaled(c, ir_op(r, O_sub, I64, hi, lo, 0), l->trip.step, c->bytes);
	n = onpage(c, n, value(c, c->to, 0, 0));
	if (!c->fills)
		n = onpage(c, n, value(c, c->from, 0, carried(c)));
	n = ir_op(r, O_and, I64, n, ir_k(r, -(u64)c->bytes), 0);
	go(c, R_LTU, n, (u64)carried(c) + WORTH, c->head);
	return n;
}

/* What is carried over is stored first, and what is loaded last is not stored. */
static void
store(const struct copy *c, ref n)
{
	struct region *r = c->r;
	ref to = ir_get(r, I64, c->to.var);
	s64 ready = carried(c);

	if (c->fills) {
		ir_opx(r, O_fill, I64, 0, 0, (s32)c->to.k, to, value(c, c->store[0].what, 0, 0), n);
		return;
	}
	ir_opx(r, O_copy, I64, 0, 0, (s32)(c->to.k + ready), to, value(c, c->from, 0, ready), add(c, n, -ready));
	for (int k = 0; k < c->carried; k++)
		ir_opx(r, O_st, c->ty, 0, 1, (s32)c->to.k + k * c->word, to, 0, value(c, c->store[k].what, 0, 0));
}

/* Variables as the last turn leaves them: those that are another and a number, before that one steps on.  Flags are
 * those of the next turn. */
static void
leave(const struct copy *c, ref n, const ref *loaded)
{
	for (int own = 0; own < 2; own++) {
		for (int v = 0; v < 256; v++) {
			struct term t = c->var[v];

			if (c->put[v] && t.kind != DIFFERENCE && own == (t.kind == PLUS && t.var == v))
				ir_put(c->r, t.ty, v, t.kind == LOADED ? loaded[t.k] : last(c, t, n));
		}
	}
}

static void
run(const struct copy *c)
{
	ref n, loaded[MOST];

	begin(c, RUN, MOST);
	n = count(c);
	for (int v = 0; v < 256; v++) {
		struct term t = c->var[v];

		if (c->put[v] && t.kind == LOADED)
			loaded[t.k] = ir_opx(c->r, O_ld, c->ty, 0, 1, 0, last(c, c->load[t.k], n), 0, 0);
	}
	store(c, n);
	leave(c, n, loaded);
	ir_op(c->r, O_jmp, N, ir_k(c->r, c->head), 0, 0);
}

/* -- the loop -- */

/* Most loops store a word at most once. */
static int
maycopy(const struct region *r, const struct block *b, gaddr head)
{
	int stores = 0;

	for (int k = (b->pc == head ? b : b - 1)->first; k < r->nins; k++)
		stores += r->ins[k].op == O_st;
	return stores > 1;
}

int
loop_copy(struct region *r, gaddr next)
{
	static struct copy c;          /* compile is never entered twice at a time */
	struct ins *back = &r->ins[r->nins - 1];
	ref *to = back->op == O_jmp ? &back->a : &back->c;
	gaddr head = kval(r, *to);
	const struct block *last = r->open, *first = last->pc == head ? last : last - 1;

	if (!maycopy(r, last, head))
		return 0;
	c.r = r;
	c.head = head;
	c.above = (int)(last->pc - head);
	if (c.above + RUN > 255 || !gather(&c, first, last) || !understood(&c))
		return 0;
	*to = ir_k(r, label(&c, c.fills ? RUN : LABEL));
	if (next)
		ir_op(r, O_jmp, N, ir_k(r, next), 0, 0);
	if (!c.fills)
		keepapart(&c);
	run(&c);
	return 1;
}
