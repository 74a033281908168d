/* SPDX-License-Identifier: MIT */
/* tuple.c - loops whose turns compute neighbours alike: those of a turn become one vector
 *
 * A loop of one block loads floats side by side, does the same with each, and stores them side by side: points, rows of
 * small matrices, what a compiler made of vectors for a guest without.  It is put before itself with some of its turns
 * one after another, the floats of each on vectors.
 *
 * All that those turns load is loaded first: if that faults none of them has happened (loop.c).  Then one after another
 * computes, stores and puts.  If one of its stores faults the engine does that turn once more, one instruction after
 * another from the loop's head on, and variables are what the turn before has left; but for those that the turn puts
 * before it stores, and did not get: nobody sees these.  What it has stored already it stores again, the same, because
 * it loads nothing from there.  A turn raises sticky flags after the last one has stored.  If it raises some after it
 * has stored itself, what it stores over is loaded first of all, as in loop.c.
 *
 * What is loaded where the turn has just stored is what it stored.  All other places are apart, as far as known, or the
 * head tests it. */
#include "ir/tuple.h"

enum { MANY = 8, SOME = 4 };           /* turns; if there is much to load */

static const struct ins *at(const struct tuples *p, ref t) { return &p->l->ins[loop_index(p->l, t)]; }

/* -- memory -- */

int
tuple_pieces(const struct tuples *p, ref t, ref to[2])
{
	const struct ins *i = at(p, t);
	int k = isk(t) ? 0 : loop_index(p->l, t);

	if (isk(t))
		return 0;
	if (p->passed[k].n) {
		memcpy(to, p->passed[k].of, sizeof p->passed[k].of);
		return p->passed[k].n;
	}
	if (i->op == O_movfi && i->v == p->lane)
		return tuple_pieces(p, i->a, to);
	to[0] = t;
	return ir_type(i) == p->lane || p->alone[k];
}

/* As one float. */
static ref
single(const struct tuples *p, ref t)
{
	ref of[2];

	return t && !isk(t) && tuple_pieces(p, t, of) == 1 ? of[0] : t;
}

/* A plain access, of one float or more, to what steps from turn to turn. */
static int
plain(const struct tuples *p, const struct ins *i)
{
	return !(i->aux & ~AUX_SCALE) && loop_value(p->l, i->a).kind == SCALAR && loop_value(p->l, i->b).kind == SCALAR &&
	    i->ty <= F64 && loop_bytes(i) % p->bytes == 0;
}

/* What the turn has stored there last, if it is known: 1, in *of; -1: not understood. */
static int
stored(const struct tuples *p, const struct place *at, ref *of)
{
	s64 by;

	for (int n = p->nslot; n-- > 0;) {
		if (!loop_apart(&p->slot[n].p, at, &by) || by >= p->bytes || by <= -p->bytes)
			continue;
		*of = p->slot[n].of;
		return by ? -1 : 1;
	}
	return 0;
}

static int
load(struct tuples *p, int k)
{
	const struct ins *i = &p->l->ins[k];
	struct place at = loop_place(p->l, i);
	int n = loop_bytes(i) / p->bytes, found = 0;

	if (!plain(p, i))
		return 0;
	for (int j = 0; j < n; j++, at.disp += p->bytes) {
		int is = stored(p, &at, &p->passed[k].of[j]);

		if (is < 0)
			return 0;
		found += is;
	}
	p->passed[k].n = (u8)found;
	p->alone[k] = !found;
	return found == n || (!found && n == 1);
}

static int
store(struct tuples *p, int k)
{
	const struct ins *i = &p->l->ins[k];
	struct place at = loop_place(p->l, i);
	ref of[2];
	int n;

	if (!plain(p, i))
		return 0;
	n = tuple_pieces(p, i->c, of);
	if (n * p->bytes != loop_bytes(i) || p->nslot + n > SLOTS)
		return 0;
	for (int j = 0; j < n; j++, at.disp += p->bytes)
		p->slot[p->nslot++] = (struct slot){at, of[j], k};
	return 1;
}

static struct run
run(const struct tuples *p, const struct place *at, int k)
{
	u64 a = (u64)loop_value(p->l, at->a).step, b = (u64)loop_value(p->l, at->b).step;

	return (struct run){.p = *at, .step = (s64)(a + (b << at->scale)), .first = k, .last = k};
}

/* The place of a float is one in the run. */
static int
within(const struct tuples *p, struct run *r, const struct place *at, ref of, int k)
{
	s64 by;

	if (!loop_apart(&r->p, at, &by) || by < 0 || by >= VECTOR || by % p->bytes)
		return -1;
	r->of[by / p->bytes] = of;
	r->first = k < r->first ? k : r->first;
	r->last = k > r->last ? k : r->last;
	return (int)(by / p->bytes);
}

static int
isfull(const struct tuples *p, const struct run *r)
{
	for (int n = 0; n < p->per; n++)
		if (!r->of[n])
			return 0;
	return r->p.disp == (s32)r->p.disp && r->step == (s16)r->step;
}

/* Stores follow one another run by run. */
static int
storeruns(struct tuples *p)
{
	for (int n = 0; n < p->nslot; n += p->per) {
		const struct slot *s = &p->slot[n];
		struct run *r = &p->store[p->nstore];
		s64 by;

		if (p->nslot - n < p->per || p->nstore == RUNS)
			return 0;
		*r = run(p, &s->p, s->at);
		for (int k = 1; k < p->per; k++)
			if (loop_apart(&r->p, &s[k].p, &by) && by < 0)
				r->p = s[k].p;
		for (int k = 0; k < p->per; k++)
			within(p, r, &s[k].p, s[k].of, s[k].at);
		if (!isfull(p, r))
			return 0;
		p->nstore++;
	}
	return p->nstore > 0;
}

static int
loadruns(struct tuples *p)
{
	const struct loop *l = p->l;
	s64 by;

	for (int k = 0; k < l->n; k++) {
		struct place at, low;
		struct run *r = &p->load[p->nload];

		if (!p->alone[k] || p->spot[k].known)
			continue;
		if (p->nload == RUNS)
			return 0;
		low = loop_place(l, &l->ins[k]);
		for (int j = k + 1; j < l->n; j++)
			if (p->alone[j] && !p->spot[j].known && (at = loop_place(l, &l->ins[j]), loop_apart(&low, &at, &by)) && by < 0)
				low = at;
		*r = run(p, &low, k);
		for (int j = k; j < l->n; j++) {
			int lane = p->alone[j] ? (at = loop_place(l, &l->ins[j]), within(p, r, &at, (ref)(l->first + j), j)) : -1;

			if (lane >= 0)
				p->spot[j] = (struct spot){1, 1, p->nload, (u8)lane};
		}
		if (!isfull(p, r))
			return 0;
		k = p->spot[k].known ? k : k - 1;      /* it is in a run above this one */
		p->nload++;
	}
	return 1;
}

static int isload(const struct tuples *p, const struct run *x) { return x >= p->load && x < p->load + RUNS; }

static int
meet(s64 by)
{
	return by < VECTOR && by > -VECTOR;
}

int
tuple_before(const struct tuples *p, const struct run *x, const struct run *y)
{
	return isload(p, x) && x->last < y->first && y == &p->store[p->nstore - 1];
}

int
tuple_apart(const struct tuples *p, const struct run *x, const struct run *y)
{
	s64 by;

	if (!loop_apart(&x->p, &y->p, &by))
		return -1;
	for (int n = 1; isload(p, x) && n < p->l->turns; n++)
		if (meet(by - n * x->step))
			return 0;
	return !meet(by) || tuple_before(p, x, y);
}

/* -- tuples -- */

/* All in one run that was loaded, in its order; or all the same one of it. */
static int
isloaded(const struct tuples *p, struct tuple *t)
{
	struct spot s = p->spot[loop_index(p->l, t->of[0])];
	int row = 1, same = 1;

	for (int n = 0; n < p->per; n++) {
		struct spot o = p->spot[loop_index(p->l, t->of[n])];

		row &= o.loaded && o.n == s.n && o.lane == n;
		same &= o.loaded && o.n == s.n && o.lane == s.lane;
	}
	t->kind = row ? WHOLE : SAME;
	t->run = s.n;
	t->lane = s.lane;
	return row || same;
}

static int
isfixed(const struct tuples *p, struct tuple *t)
{
	t->kind = FIXED;
	for (int n = 0; n < p->per; n++) {
		const struct value v = loop_value(p->l, t->of[n]);

		if (v.kind != SCALAR || v.step || ir_type(at(p, t->of[n])) != p->lane)
			return 0;
	}
	return 1;
}

static int build(struct tuples *p, const ref *of);

/* Operand o of lane n.  Factors and summands may change places if it does not matter whose NaN the result is: then what
 * stays the same in one lane, and what does not, stands where it does in the others. */
static ref
operand(const struct tuples *p, const struct tuple *t, int n, int o)
{
	const struct ins *i = at(p, t->of[n]), *first = at(p, t->of[0]);
	int may = p->l->r->fpnan == FPNAN_RISCV && (i->op == O_fadd || i->op == O_fmul || i->op == O_fma);
	int swap = may && (loop_value(p->l, i->a).kind == SCALAR) != (loop_value(p->l, first->a).kind == SCALAR);

	return single(p, o == 2 ? i->c : o == swap ? i->a : i->b);
}

static int
isdone(struct tuples *p, struct tuple *t)
{
	const struct ins *i = at(p, t->of[0]);

	t->kind = DONE;
	if (!loop_islanewise(i->op) || i->ty != p->lane)
		return 0;
	for (int n = 1; n < p->per; n++) {
		const struct ins *j = at(p, t->of[n]);

		if (j->op != i->op || j->ty != i->ty || j->aux != i->aux || j->v != i->v || j->imm != i->imm)
			return 0;
	}
	for (int o = 0; o < 3; o++) {
		ref of[PER];

		t->from[o] = -1;
		for (int n = 0; n < p->per; n++)
			of[n] = operand(p, t, n, o);
		if (of[0] && (t->from[o] = build(p, of)) < 0)
			return 0;
	}
	return 1;
}

/* The number of the tuple of these values, or -1. */
static int
build(struct tuples *p, const ref *of)
{
	struct tuple t = {0};

	for (int n = 0; n < p->per; n++)
		if (!of[n] || isk(of[n]))
			return -1;
	for (int n = 0; n < p->ntuple; n++)
		if (!memcmp(p->tuple[n].of, of, (size_t)p->per * sizeof *of))
			return n;
	memcpy(t.of, of, (size_t)p->per * sizeof *of);
	if (!isloaded(p, &t) && !isfixed(p, &t) && !isdone(p, &t))
		return -1;
	if (p->ntuple == TUPLES)
		return -1;
	for (int n = 0; n < p->per && t.kind == DONE; n++)
		p->spot[loop_index(p->l, of[n])] = (struct spot){1, 0, p->ntuple, (u8)n};
	p->tuple[p->ntuple] = t;
	return p->ntuple++;
}

/* -- the loop -- */

static int
isput(const struct tuples *p, const struct ins *put)
{
	const struct value v = loop_value(p->l, put->a);
	const struct ins *i;
	ref of[2];
	int n;

	if (v.kind == SCALAR)
		return !v.step || put->ty == I64;
	if (v.kind == FLAGS)
		return 1;
	i = at(p, put->a);
	n = tuple_pieces(p, i->op == O_fbox && i->v == p->lane ? i->a : put->a, of);
	for (int k = 0; k < n; k++) {
		struct spot s = p->spot[loop_index(p->l, of[k])], o = p->spot[loop_index(p->l, of[0])];

		if (isk(of[k]) || !s.known || s.loaded != o.loaded || s.n != o.n || s.lane != o.lane + k || o.lane % n)
			return 0;
	}
	return n > 0;
}

/* Counted with 32 bits: it is the same with 64 as long as the head finds that it may be. */
static void
widen(struct tuples *p, struct ins *ins, ref t)
{
	const struct loop *l = p->l;
	struct ins *i = &ins[loop_index(l, t)];
	const struct ins *sum;

	if (isk(t) || i->op != O_sxt || i->imm != 32 || i->ty != I64)
		return;
	sum = at(p, i->a);
	if (sum->op != O_add || !isk(sum->b) || isk(sum->a) || at(p, sum->a)->op != O_get || (s32)kval(l->r, sum->b) <= 0)
		return;
	p->word = 1 + (int)(i - ins);
	*i = ins_make(O_add, I64, 0, 0, 0, sum->a, ir_k(l->r, (u64)(s64)(s32)kval(l->r, sum->b)), 0);
}

static int
look(struct tuples *p, int k)
{
	const struct ins *i = &p->l->ins[k];
	int traits = opinfo[i->op].traits;

	switch (i->op) {
	case O_insn: case O_nop: case O_put: return 1;
	case O_ld: return load(p, k);
	case O_st: return store(p, k);
	}
	if (traits & (READ | WRITE | EFF | LEAVE | END))
		return 0;
	p->late |= traits & FPENV && p->nslot;
	loop_look(p->l, k);
	return 1;
}

/* Nothing raises flags but what is done on vectors, and all that is put is known. */
static int
iswhole(const struct tuples *p)
{
	const struct loop *l = p->l;
	int sums = 0;

	for (int k = 0; k < l->n; k++) {
		const struct ins *i = &l->ins[k];
		int raises = opinfo[i->op].traits & FPENV;

		sums += raises != 0;
		if ((raises && !p->spot[k].known) || (i->op == O_put && l->put[i->v] == k + 1 && !isput(p, i)))
			return 0;
	}
	return sums > 0;
}

static int
keepsapart(const struct tuples *p)
{
	for (const struct run *y = p->store; y < p->store + p->nstore; y++) {
		for (const struct run *x = p->load; x < p->load + p->nload; x++)
			if (!tuple_apart(p, x, y))
				return 0;
		for (const struct run *x = p->store; x < y; x++)
			if (!tuple_apart(p, x, y))
				return 0;
	}
	return 1;
}

/* The type of the floats that are computed. */
static int
floats(const struct loop *l)
{
	for (int k = 0; k < l->n; k++)
		if (loop_islanewise(l->ins[k].op))
			return l->ins[k].ty;
	return N;
}

static int
counts(struct tuples *p)
{
	struct loop *l = p->l;
	struct ins last = l->ins[l->n - 1];

	if (!loop_relation(l, &last) || !loop_trip(l, &last))
		return 0;
	if (!p->word)
		return 1;
	return l->trip.lo == (ref)(l->first + p->word - 1) && !loop_value(l, l->trip.hi).step &&
	    (l->trip.rel == R_NE || l->trip.rel == R_LTS);
}

static int
understood(struct tuples *p)
{
	struct loop *l = p->l;

	for (int k = 0; k < l->n; k++)
		if (l->ins[k].op == O_put)
			l->put[l->ins[k].v] = (u8)(k + 1);
	for (int k = 0; k < l->n - 1; k++)
		if (!look(p, k))
			return 0;
	if (!counts(p) || !storeruns(p) || !loadruns(p))
		return 0;
	for (struct run *r = p->store; r < p->store + p->nstore; r++)
		if ((r->tuple = build(p, r->of)) < 0)
			return 0;
	l->turns = p->nload > 1 ? SOME : MANY;
	return iswhole(p) && keepsapart(p);
}

int
loop_tuples(struct loop *l)
{
	static struct ins copy[BODY];  /* compile is never entered twice at a time */
	static struct tuples p;
	int lane = floats(l);

	if (lane != F32 && lane != F64)
		return 0;
	memset(&p, 0, sizeof p);
	memcpy(copy, l->ins, (size_t)l->n * sizeof *copy);
	l->ins = copy;
	l->lane = N;
	p.l = l;
	p.lane = lane;
	p.bytes = ty_bits(lane) / 8;
	p.per = VECTOR / p.bytes;
	widen(&p, copy, copy[l->n - 1].a);
	widen(&p, copy, copy[l->n - 1].b);
	if (!understood(&p))
		return 0;
	tuple_make(&p, copy);
	return 1;
}
