/* SPDX-License-Identifier: MIT */
/* seek.c - loops that look for something in memory: turns that do not find it are done many at once
 *
 * So C libraries, and everybody else, look for the end of a string, for a byte, for the first difference.  A turn
 * loads the next datum of one stream or of several, and leaves if something of it is equal to something, or is not;
 * it may count besides.  It stores nothing, and no turn knows what another loaded: then those that do not leave can
 * be left out.  The loop stays as it is, but jumps back to two blocks of its own:
 *
 *   label      compares whole vectors; if a turn would leave, makes what the turn before it leaves behind, and does
 *              that one in the loop
 *   label + 2  else makes what the last of the turns leaves behind, and goes on
 *
 * So the first turn is never one of many, and the turn that leaves is always the loop's.  One that is taken for it and
 * is not does no harm.
 *
 * The guest may leave before it comes to the end of what is loaded at once; so that is never on a page where the first
 * of the turns is not.  If a load faults nevertheless, nothing has happened, and the engine does one turn after another
 * (as for wide.c).  Numbers that are left behind are made of what is loaded once more, one by one: it is the same, or
 * another thread has changed it since, and they are those of no turn; the next turn that needs one loads it itself.
 *
 * A turn is a block that jumps back to itself, or two, the first of which goes to the second from its end or its
 * middle.  The labels are odd and belong to the last of the blocks, so that blocks stay in order.
 *
 * Words are often looked through for a byte that is 0: a turn leaves if (w - ONES) & ~w & HIGHS is not 0.  Then bytes
 * are compared.  If the loop has these numbers in variables, another block comes first that asks whether it has. */
#include "ir/loop.h"

enum { LABEL = 1, ON = 3, EXITS = 8, PAGE = 4096, MANY = 4 * VECTOR };
#define ONES (~(u64)0 / 255)
#define HIGHS (128 * ONES)

struct seek {
	struct loop l;
	struct ins turn[BODY];
	struct ins branch[EXITS]; int nbranch; /* the turn leaves if one of them goes; */
	struct ins leave[EXITS]; int nleave;   /* the same as relations */
	ref zero[EXITS];               /* a word that has a byte of 0 if it goes, or 0; if */
	ref ones, highs;               /* these are the numbers for that */
	int bits;                      /* of what is compared, to a turn: 8 bytes of it, or its lane */
	u8 wanted[BODY];               /* is compared, or something is made of it that is */
	int above;                     /* of the label */
	int tests, counted;            /* of what is loaded; the trip is known */
	struct make m;
	ref at[BODY];                  /* values in a certain turn: */
	ref n; s64 more;               /* number n + more */
};

/* -- the turn as one block, in a region of its own -- */

static struct region alone;            /* compile is never entered twice at a time */

struct part { const struct region *r; int first, n; ref to[BODY]; };

static ref
renamed(const struct part *p, ref t)
{
	return !t ? 0 : isk(t) ? ir_k(&alone, kval(p->r, t)) : p->to[t - p->first];
}

/* The branch leaves unless it goes to `on`. */
static int
leaves(struct seek *s, struct ins br, gaddr to, gaddr on)
{
	if (s->nbranch == EXITS)
		return 0;
	if (to == on)
		br.v ^= 1;             /* of conditions and relations alike: the opposite */
	br.c = 0;                      /* where to is another region's constant */
	s->branch[s->nbranch++] = br;
	return 1;
}

static int
copied(struct seek *s, struct part *p, int k, gaddr on)
{
	struct ins i = p->r->ins[p->first + k];
	ref *to = &p->to[k];

	i.a = renamed(p, i.a);
	i.b = renamed(p, i.b);
	if (i.op == O_brc || i.op == O_brf)
		return leaves(s, i, kval(p->r, i.c), on);
	i.c = renamed(p, i.c);
	if (i.op == O_get)
		*to = ir_get(&alone, i.ty, i.v);
	else if (i.op == O_put)
		ir_put(&alone, i.ty, i.v, i.a);
	else if (i.op != O_insn && i.op != O_nop)
		*to = ir_opx(&alone, i.op, i.ty, i.op == O_ld || i.op == O_lds ? i.aux & ((1 << AUX_BASE) - 1) : i.aux, i.v, i.imm,
		    i.a, i.b, i.c);
	return 1;
}

/* What there is on the way of a turn: numbers that go up or down, branches on what is loaded, loads of words; values
 * that come from there, and variables: they are that, or have been read before.  (Two streams of words gain nothing:
 * there are few lanes, and much is done with each.) */
enum { LOADED = 1, READ_FIRST = 2 };
struct has { int steps, tests, words; u8 loaded[BODY], var[256]; };

static int
isloaded(const struct has *h, const struct block *b, ref t)
{
	return t && !isk(t) && h->loaded[t - b->first];
}

/* Whether instruction k of the block may be one of a turn; what it is, in `has`. */
static int
may(const struct region *r, const struct block *b, int k, struct has *h)
{
	const struct ins *i = &r->ins[b->first + k];
	int from = isloaded(h, b, i->a) || isloaded(h, b, i->b);

	h->loaded[k] = 0;
	switch (i->op) {
	case O_insn: case O_nop:
		return 1;
	case O_get:
		h->loaded[k] = h->var[i->v] & LOADED;
		h->var[i->v] |= h->loaded[k] ? LOADED : READ_FIRST;
		return 1;
	case O_put:
		if (from && h->var[i->v] & READ_FIRST)
			return 0;
		h->var[i->v] = from ? LOADED : h->var[i->v] & READ_FIRST;
		h->steps += !isk(i->a) && r->ins[i->a].op == O_add && isk(r->ins[i->a].b);
		return 1;
	case O_ld: case O_lds:
		h->loaded[k] = 1;
		h->words += loop_bytes(i) == 8;
		return !from && i->ty <= I64 && h->words < 2 && (loop_bytes(i) == 1 || loop_bytes(i) == 8);
	case O_brc: case O_brf:
		h->tests += from && i->v <= R_NE;
		return i->v <= R_NE || !from;
	}
	h->loaded[k] = (u8)(from || isloaded(h, b, i->c));
	return opinfo[i->op].traits & PURE;
}

/* How many instructions of the block lead to its branch to `on`, with that; 0: none does, or the turn is not of the
 * kind. */
static int
way(const struct region *r, const struct block *b, gaddr on, struct has *h)
{
	int n = b->n < BODY ? b->n : BODY;

	for (int k = 0; k < n; k++) {
		const struct ins *i = &r->ins[b->first + k];

		if (i->op == O_jmp)
			return kval(r, i->a) == on ? k + 1 : 0;
		if (!may(r, b, k, h))
			return 0;
		if ((i->op == O_brc || i->op == O_brf) && kval(r, i->c) == on)
			return k + 1;
	}
	return 0;
}

static int
take(struct seek *s, const struct region *r, const struct block *b, int n, gaddr on)
{
	static struct part p;

	p = (struct part){.r = r, .first = b->first};
	for (int k = 0; k < n; k++)
		if (r->ins[b->first + k].op != O_jmp && !copied(s, &p, k, on))
			return 0;
	return 1;
}

/* t less the constants in it, which are added to *by. */
static ref
origin(const struct region *r, ref t, s64 *by)
{
	while (!isk(t) && r->ins[t].op == O_add && r->ins[t].ty == I64 && isk(r->ins[t].b)) {
		*by += (s64)kval(r, r->ins[t].b);
		t = r->ins[t].a;
	}
	return t;
}

/* Whether the block before, which goes on to the loop, has just stored where the variable points: hosts hand on what
 * was stored to loads of the same size, or smaller, but not to larger ones, which wait. */
static int
isfresh(const struct region *r, const struct block *b, int var)
{
	const struct ins *put = 0, *i = &r->ins[b->first + b->n];
	s64 to = 0, at;
	ref base;

	while (i-- > &r->ins[b->first] && !put)
		put = i->op == O_put && i->v == var ? i : 0;
	if (!put)
		return 0;
	base = origin(r, put->a, &to);
	for (i = &r->ins[b->first + b->n]; i-- > &r->ins[b->first];) {
		at = i->imm - to;
		if (i->op == O_st && !i->b && origin(r, i->a, &at) == base && at > -VECTOR && at < VECTOR)
			return 1;
	}
	return 0;
}

static int
stored(const struct seek *s, const struct region *r, const struct block *first)
{
	const struct ins *on = &r->ins[first->first - 1], *base;

	if (first == r->block || on->op != O_jmp || kval(r, on->a) != first->pc)
		return 0;
	for (int k = 0; k < s->l.n; k++) {
		base = loop_isload(&s->turn[k]) && !isk(s->turn[k].a) ? &alone.ins[s->turn[k].a] : 0;
		if (base && base->op == O_get && isfresh(r, first - 1, base->v))
			return 1;
	}
	return 0;
}

/* The turn; 0: it is none. */
static int
gather(struct seek *s, const struct region *r, gaddr head)
{
	const struct block *last = r->open, *first = last->pc == head ? last : last - 1;
	struct has h;
	int m = 0;

	h.steps = h.tests = h.words = 0;
	memset(h.var, 0, sizeof h.var);
	if ((first != last && !(m = way(r, first, last->pc, &h))) || way(r, last, head, &h) != last->n || !h.steps || !h.tests)
		return 0;
	region_init(&alone, r->guest, head, r->mode);
	ir_block(&alone, head);
	s->nbranch = 0;
	if ((m && !take(s, r, first, m, last->pc)) || !take(s, r, last, last->n, head) || alone.open->n > BODY)
		return 0;
	loop_clear(&s->l, alone.open->n);
	s->l.r = &alone;
	s->l.ins = s->turn;
	s->l.first = alone.open->first;
	s->l.head = head;
	memcpy(s->turn, &alone.ins[s->l.first], (size_t)s->l.n * sizeof *s->turn);
	return !stored(s, r, first);
}

/* -- what is compared -- */

static const struct ins *at(const struct seek *s, ref t) { return &s->turn[loop_index(&s->l, t)]; }
static int islane(const struct seek *s, ref t) { return loop_value(&s->l, t).kind == PERLANE; }

/* Whether the value's lane is the number itself, signed or not. */
static int
isexact(const struct seek *s, ref t, int sign)
{
	int w = ty_bits(s->l.lane);
	struct span v = loop_value(&s->l, t).span, has = loop_datum(w, sign);
	s64 k;

	if (w == 64)
		return 1;
	if (isk(t)) {
		k = (s64)kval(s->l.r, t);
		v = (struct span){k, k};
	} else if (!islane(s, t)) {
		return 0;
	}
	return v.lo >= has.lo && v.hi <= has.hi;
}

/* Whether i compares with a number that the loop does not change, and nobody asks how long it is. */
static int
isblind(const struct loop *l, const struct ins *i)
{
	struct field f;

	return (i->op == O_set || loop_isextreme(i->op)) && (loop_taken(l, i, i->a, &f) || loop_taken(l, i, i->b, &f));
}

/* Whether the lane has the low bits of what the instruction makes. */
static int
haslow(const struct loop *l, const struct ins *i)
{
	int w = ty_bits(l->lane);

	if (loop_isload(i))
		return loop_bytes(i) * 8 == w;
	return w <= ty_bits(i->ty) && loop_haslow(l, i) && !isblind(l, i);
}

static int
want(struct seek *s, ref t)
{
	const struct ins *i;

	if (!t || isk(t) || loop_value(&s->l, t).kind == SCALAR)
		return !t || isk(t) || !loop_value(&s->l, t).step;
	i = at(s, t);
	if (!islane(s, t) || !haslow(&s->l, i))
		return 0;
	s->wanted[loop_index(&s->l, t)] = 1;
	if (i->op == O_get)
		return want(s, loop_putbefore(&s->l, i)->a);
	return loop_isload(i) || (want(s, i->a) && want(s, i->b) && want(s, i->c));
}

/* Finding an equal one where there is none does no harm; not finding a difference does. */
static int
compares(struct seek *s, const struct ins *br)
{
	if (br->v > R_NE || !want(s, br->a) || !want(s, br->b) || ty_bits(br->ty) < ty_bits(s->l.lane))
		return 0;
	return br->v == R_EQ || (isexact(s, br->a, 0) && isexact(s, br->b, 0)) ||
	    (br->ty == I64 && isexact(s, br->a, 1) && isexact(s, br->b, 1));
}

static int
isnumber(const struct seek *s, ref t, u64 k)
{
	return isk(t) ? kval(&alone, t) == k : loop_value(&s->l, t).kind == SCALAR && !loop_value(&s->l, t).step;
}

/* The word that has a byte of 0 if the branch goes, or 0. */
static ref
zerobyte(struct seek *s, const struct ins *br)
{
	const struct ins *and = at(s, br->a), *andn, *sum;
	ref highs = isnumber(s, and->b, HIGHS) ? and->b : and->a, ones;

	if (br->v != R_NE || !isk(br->b) || kval(&alone, br->b) || and->op != O_and || !isnumber(s, highs, HIGHS))
		return 0;
	andn = at(s, highs == and->b ? and->a : and->b);
	if (andn->op != O_andn || isk(andn->a) || (sum = at(s, andn->a))->op != O_add || sum->ty != I64)
		return 0;
	ones = sum->a == andn->b ? sum->b : sum->a;
	if ((sum->a != andn->b && sum->b != andn->b) || !isnumber(s, ones, -ONES))
		return 0;
	if (s->ones && (s->ones != ones || s->highs != highs))
		return 0;
	s->ones = ones;
	s->highs = highs;
	return andn->b;
}

static int
leaveif(struct seek *s, struct ins br)
{
	struct ins on = br;

	if (s->nleave == EXITS || br.v == R_UN)
		return 0;
	s->zero[s->nleave] = 0;
	if (islane(s, br.a) || islane(s, br.b)) {
		s->zero[s->nleave] = s->l.lane == I64 && islane(s, br.a) ? zerobyte(s, &br) : 0;
		s->tests++;
		s->leave[s->nleave++] = br;
		return 1;
	}
	s->leave[s->nleave++] = br;
	on.v ^= 1;
	return !s->counted++ && loop_trip(&s->l, &on);
}

/* The turn leaves if the condition of the flags holds. */
static int
leaveifflags(struct seek *s, ref fl, int cc)
{
	const struct ins *i = at(s, fl);
	struct ins br = {.op = O_brc, .ty = i->ty, .v = (u16)cc, .a = i->a, .b = i->b};

	if (i->op == O_flsel)          /* or another one of others */
		return ir_cc(cc, (u64)i->imm) && leaveifflags(s, i->a, i->v ^ 1) && leaveifflags(s, i->b, cc);
	if (i->op == O_fltst)
		br.b = ir_k(&alone, 0);
	if (cc <= CC_NE && (i->op == O_flsub || i->op == O_fltst)) {
		br.v = cc == CC_EQ ? R_EQ : R_NE;
		return leaveif(s, br);
	}
	br = (struct ins){.op = O_brf, .v = (u16)cc, .a = fl};
	return loop_relation(&s->l, &br) && leaveif(s, br);
}

static int istest(const struct seek *s, const struct ins *br) { return islane(s, br->a) || islane(s, br->b); }

/* How the tests are made, of bytes if all may be. */
static int
choose(struct seek *s)
{
	int bytes = 0, can = 1;

	for (int n = 0; n < s->nleave; n++)
		bytes += s->zero[n] != 0;
	s->bits = bytes == s->tests ? 8 : 1;
	for (int n = 0; n < s->nleave; n++) {
		struct ins *br = &s->leave[n];

		if (bytes == s->tests && s->zero[n])
			*br = (struct ins){.op = O_brc, .ty = I64, .v = R_EQ, .a = s->zero[n], .b = ir_k(&alone, 0)};
		can &= !istest(s, br) || compares(s, br);
	}
	return can;
}

static int
understands(struct seek *s)
{
	struct loop *l = &s->l;

	s->counted = s->tests = s->nleave = 0;
	s->ones = s->highs = 0;
	memset(s->wanted, 0, sizeof s->wanted);
	for (int k = 0; k < l->n; k++) {
		if (s->turn[k].op == O_put)
			l->put[s->turn[k].v] = (u8)(k + 1);
		if (!loop_isload(&s->turn[k]))
			continue;
		if (s->turn[k].op == O_ld && s->turn[k].ty > I64)
			return 0;
		l->lane = loop_bytes(&s->turn[k]) == 8 ? I64 : I8 + loop_bytes(&s->turn[k]) / 2;
	}
	l->turns = (l->lane == I64 ? MANY : MANY / 2) / (ty_bits(l->lane) / 8);
	for (int k = 0; k < l->n; k++)
		if (!loop_look(l, k) || (s->turn[k].op == O_get && l->val[k].kind != SCALAR && l->val[k].kind != PERLANE))
			return 0;
	for (int k = 0; k < s->nbranch; k++) {
		const struct ins *br = &s->branch[k];

		if (!(br->op == O_brf ? leaveifflags(s, br->a, br->v) : leaveif(s, *br)))
			return 0;
	}
	return s->tests > 0 && choose(s);
}

/* -- blocks -- */

static void
begin(struct seek *s, int label, int turns)
{
	struct region *r = s->m.r;
	struct block *b = &r->block[ir_block(r, s->l.head + (gaddr)(s->above + label))];

	b->above = (u8)(s->above + label);
	b->turns = (u8)turns;
	memset(s->m.scalar, 0, sizeof s->m.scalar);
	ir_append(r, ins_make(O_insn, N, 0, 0, -(s->above + label), 0, 0, 0));
}

static void
go(struct seek *s, int rel, ref a, u64 b, gaddr to)
{
	ir_opx(s->m.r, O_brc, I64, 0, rel, 0, a, ir_k(s->m.r, b), ir_k(s->m.r, to));
}

static ref add(struct seek *s, ref a, ref b) { return ir_op(s->m.r, O_add, I64, a, b, 0); }

/* n * k */
static ref
times(struct seek *s, ref n, s64 k)
{
	struct region *r = s->m.r;
	u64 by = k < 0 ? -(u64)k : (u64)k;
	ref t;

	t = by & (by - 1) ? ir_op(r, O_mul, I64, n, ir_k(r, by), 0) :
	    ir_op(r, O_shl, I64, n, ir_k(r, (u64)__builtin_ctzll(by)), 0);
	return k < 0 ? ir_op(r, O_neg, I64, t, 0, 0) : t;
}

/* The value in turn n + more. */
static ref
inturn(struct seek *s, ref t)
{
	static const u8 type[] = {[1] = I8, [2] = I16, [4] = I32, [8] = I64};
	struct region *r = s->m.r;
	const struct ins *i;
	s64 step;
	ref *to, a, b;

	if (!t || isk(t))
		return t;
	i = at(s, t);
	to = &s->at[loop_index(&s->l, t)];
	if (*to)
		return *to;
	if (i->op == O_get && islane(s, t))    /* narrower, and put in the turn */
		return *to = inturn(s, loop_putbefore(&s->l, i)->a);
	if (i->op == O_get) {
		step = loop_value(&s->l, t).step;
		*to = ir_get(r, i->ty, i->v);
		if (step && s->n)
			*to = add(s, *to, times(s, s->n, step));
		if (step && s->more)
			*to = add(s, *to, ir_k(r, (u64)(step * s->more)));
		return *to;
	}
	a = inturn(s, i->a);
	b = inturn(s, i->b);
	if (loop_isload(i)) {
		*to = ir_opx(r, O_ld, type[loop_bytes(i)], i->aux & AUX_SCALE, 1, i->imm, a, b, 0);
		if (i->op == O_lds)
			*to = ir_opx(r, O_sxt, i->aux & AUX_S32 ? I32 : i->ty, 0, 0, i->v, *to, 0, 0);
		return *to;
	}
	return *to = ir_opx(r, i->op, i->ty, i->aux, i->v, i->imm, a, b, inturn(s, i->c));
}

/* Variables are what turn n + more leaves. */
static void
leave(struct seek *s, ref n, s64 more)
{
	const struct loop *l = &s->l;
	ref to[BODY];

	memset(s->at, 0, sizeof s->at);
	s->n = n;
	s->more = more;
	for (int k = 0; k < l->n; k++)
		if (s->turn[k].op == O_put && l->put[s->turn[k].v] == k + 1)
			to[k] = inturn(s, s->turn[k].a);
	for (int k = 0; k < l->n; k++)
		if (s->turn[k].op == O_put && l->put[s->turn[k].v] == k + 1)
			ir_put(s->m.r, s->turn[k].ty, s->turn[k].v, to[k]);
}

/* To the loop if what is loaded at once crosses to another page. */
static void
keeppage(struct seek *s)
{
	struct loop *l = &s->l;
	struct region *r = s->m.r;
	s64 by;

	for (int k = 0; k < l->n; k++) {
		struct place p, q;
		int known = 0;
		ref t;

		if (!loop_isload(&s->turn[k]))
			continue;
		p = loop_place(l, &s->turn[k]);
		for (int j = 0; j < k && !known; j++)
			known = loop_isload(&s->turn[j]) && (q = loop_place(l, &s->turn[j]), loop_apart(&p, &q, &by)) && !by;
		if (known)
			continue;
		t = make_address(&s->m, &p);
		t = p.disp ? add(s, t, ir_k(r, (u64)p.disp)) : t;
		t = ir_op(r, O_and, I64, t, ir_k(r, PAGE - 1), 0);
		go(s, R_GTU, t, (u64)(PAGE - l->turns * loop_bytes(&s->turn[k])), l->head);
	}
}

static ref
scalar(struct seek *s, ref t)
{
	return make_address(&s->m, &(struct place){.a = t});
}

/* To the loop if the count might end it in one of the turns. */
static void
keepcount(struct seek *s)
{
	struct loop *l = &s->l;
	struct region *r = s->m.r;
	ref lo = scalar(s, l->trip.lo), hi = scalar(s, l->trip.hi);

	if (l->trip.rel != R_NE)
		ir_opx(r, O_brc, I64, 0, l->trip.rel ^ 1, 0, lo, hi, ir_k(r, l->head));
	go(s, R_LEU, ir_op(r, O_sub, I64, hi, lo, 0), (u64)(l->trip.step * (l->turns - 1)), l->head);
}

static int lanes(const struct seek *s) { return s->bits == 8 ? V8 : VEC(s->l.lane, 7); }

/* Vector n of the turns: lanes that stay (1) or leave (0), all bits; *stays says which. */
static ref
compared(struct seek *s, int n, int *stays)
{
	struct region *r = s->m.r;
	int ty = lanes(s);
	ref stay = 0, gone = 0;

	for (int k = 0; k < s->nleave; k++) {
		const struct ins *br = &s->leave[k];
		ref eq, *to = br->v == R_EQ ? &gone : &stay;

		if (!istest(s, br))
			continue;
		eq = ir_opx(r, O_vset, ty, 0, R_EQ, 0, make_lanes(&s->m, br->a, n), make_lanes(&s->m, br->b, n), 0);
		*to = *to ? ir_op(r, br->v == R_EQ ? O_or : O_and, ty, *to, eq, 0) : eq;
	}
	*stays = stay != 0;
	return !stay ? gone : gone ? ir_op(r, O_andn, ty, stay, gone, 0) : stay;
}

static ref signs(struct seek *s, ref v) { return ir_opx(s->m.r, O_vsigns, I64, 0, lanes(s), 0, v, 0, 0); }

/* Goes to `on` if no turn leaves.  Bit n: turn n leaves, or for byte n one does.  Of more than two vectors it is asked
 * first whether any lane of them all does: bits of each cost more than that once more. */
static ref
found(struct seek *s, gaddr on)
{
	struct loop *l = &s->l;
	struct region *r = s->m.r;
	int ty = lanes(s), each = ty_nlanes(ty), parts = l->turns * s->bits / each, stays = 0;
	ref part[MANY / VECTOR], all = 0, t = 0;

	for (int k = 0; k < l->n; k++)
		if (s->wanted[k] && loop_isload(&s->turn[k]))
			make_load(&s->m, &s->turn[k], 0, s->m.loaded[k]);
	for (int n = 0; n < parts; n++) {
		for (int k = 0; k < l->n; k++)
			if (s->wanted[k])
				s->m.part[k][n] = make_part(&s->m, &s->turn[k], n);
		part[n] = compared(s, n, &stays);
		all = n ? ir_op(r, stays ? O_and : O_or, ty, all, part[n], 0) : part[n];
	}
	if (parts > 2)
		go(s, R_EQ, signs(s, all), stays ? ((u64)1 << each) - 1 : 0, on);
	for (int n = 0; n < parts; n++) {
		ref u = ir_op(r, O_shl, I64, signs(s, part[n]), ir_k(r, (u64)(n * each)), 0);

		t = n ? ir_op(r, O_or, I64, t, u, 0) : u;
	}
	t = stays ? ir_op(r, O_xor, I64, t, ir_k(r, ((u64)1 << l->turns) - 1), 0) : t;
	if (parts <= 2)
		go(s, R_EQ, t, 0, on);
	return t;
}

/* To the loop if its numbers are others than those for bytes of 0; the other blocks come after this one. */
static void
keepnumbers(struct seek *s)
{
	gaddr head = s->l.head;

	begin(s, LABEL, 0);
	if (!isk(s->ones))
		go(s, R_NE, scalar(s, s->ones), -ONES, head);
	if (!isk(s->highs))
		go(s, R_NE, scalar(s, s->highs), HIGHS, head);
	s->above += ON - LABEL;
	ir_op(s->m.r, O_jmp, N, ir_k(s->m.r, head + (gaddr)(s->above + LABEL)), 0, 0);
}

static void
make(struct seek *s)
{
	struct region *r = s->m.r;
	gaddr head = s->l.head, label, on;
	ref t;

	if (s->bits == 8 && !(isk(s->ones) && isk(s->highs)))
		keepnumbers(s);
	label = head + (gaddr)(s->above + LABEL);
	on = head + (gaddr)(s->above + ON);
	begin(s, LABEL, 0);
	if (s->counted)
		keepcount(s);
	keeppage(s);
	t = found(s, on);
	go(s, R_TST, t, ((u64)1 << s->bits) - 1, head);
	t = ir_op(r, O_ctz, I64, t, 0, 0);
	leave(s, s->bits == 8 ? ir_op(r, O_shr, I64, t, ir_k(r, 3), 0) : t, -1);
	ir_op(r, O_jmp, N, ir_k(r, head), 0, 0);
	begin(s, ON, s->l.turns);
	leave(s, 0, s->l.turns - 1);
	ir_op(r, O_jmp, N, ir_k(r, label), 0, 0);
}

/* Constants of the turn as the region's. */
static void
settle(struct seek *s, struct region *r)
{
	for (int k = 0; k < s->l.n + s->nleave; k++) {
		struct ins *i = k < s->l.n ? &s->turn[k] : &s->leave[k - s->l.n];

		i->a = isk(i->a) ? ir_k(r, kval(&alone, i->a)) : i->a;
		i->b = isk(i->b) ? ir_k(r, kval(&alone, i->b)) : i->b;
		i->c = isk(i->c) ? ir_k(r, kval(&alone, i->c)) : i->c;
	}
	for (ref *t = s->counted ? &s->l.trip.lo : 0; t; t = t == &s->l.trip.lo ? &s->l.trip.hi : 0)
		*t = isk(*t) ? ir_k(r, kval(&alone, *t)) : *t;
	s->l.r = s->m.r = r;
	s->m.l = &s->l;
}

int
loop_seek(struct region *r, gaddr next)
{
	static struct seek s;
	struct ins *back = &r->ins[r->nins - 1];
	ref *to = back->op == O_jmp ? &back->a : &back->c;
	gaddr head = kval(r, *to);

	s.above = (int)(r->open->pc - head);
	if (s.above + 2 * ON > 255 || !gather(&s, r, head) || !understands(&s))
		return 0;
	settle(&s, r);
	*to = ir_k(r, head + (gaddr)(s.above + LABEL));
	if (next)
		ir_op(r, O_jmp, N, ir_k(r, next), 0, 0);
	make(&s);
	return 1;
}
