/* SPDX-License-Identifier: MIT */
/* loop.c - loops that compute lane by lane: what may be done for many turns at once
 *
 * A loop of one block, left at its end alone, whose loads and store step through memory one datum a turn, and
 * whose values are made of the loaded ones by operations that vectors have too.  lanes.c puts a loop before it that
 * does `turns` turns at once, on vectors; what is left over, and whatever is in the way, the loop itself does.
 *
 * Between two turns of that loop guest state is what it is between two turns of the other.  So:
 *  - All is loaded and computed before something is stored, and variables are put last.  If an access faults none of
 *    it has happened, and the engine does the turns one instruction after another (as for wide.c): the one that
 *    faults there is the guest's.  Where two vectors are stored the first one's turns have happened when the second
 *    store faults; but what each turn puts anyway before it stores need not have been put by these.
 *  - A load sees what earlier turns stored: those done at once must not store where a later one of them loads.
 *  - Each lane must come out bit by bit as the scalar would.  Floating-point operations obey the same record of rules
 *    (fpnan) in both forms, and sticky flags have no order.  Sums of floats do: they stay as they are.
 *  - Guests order accesses by dependencies and barriers, of which a loop has none.  That each datum is read or written
 *    at once is true of the parts of a vector on all hosts: aligned pieces of 8 bytes are never torn.
 *
 * One thing can be seen: if the store faults, lanes after the one at fault have raised their sticky flags already.
 * Where the loop does not load what it stores over, that is loaded first, to fault before its lanes are computed; so
 * it takes a page that can be read but not written. */
#include "ir/loop.h"

enum { FEW = 40 };                     /* instructions that are worth having twice */

/* -- values -- */

const struct ins *
loop_putbefore(const struct loop *l, const struct ins *get)
{
	for (const struct ins *i = get; i-- > l->ins;)
		if (i->op == O_put && i->v == get->v)
			return i;
	return 0;
}

/* Operations that are the same lane by lane. */
static const u8 lanewise[O_COUNT] = {
	[O_fadd] = 1, [O_fsub] = 1, [O_fmul] = 1, [O_fdiv] = 1, [O_fsqrt] = 1, [O_fma] = 1, [O_fmin] = 1, [O_fmax] = 1,
	[O_fneg] = 1, [O_fabs] = 1, [O_fsgnj] = 1,
};

/* The same of integers, but for their width (width.c). */
static const u8 bitsalike[O_COUNT] = {
	[O_mov] = 1, [O_add] = 1, [O_sub] = 1, [O_mul] = 1, [O_and] = 1, [O_or] = 1, [O_xor] = 1, [O_andn] = 1, [O_orn] = 1,
	[O_not] = 1, [O_neg] = 1, [O_smin] = 1, [O_smax] = 1, [O_umin] = 1, [O_umax] = 1,
	[O_abs] = 1,
};

/* What joins a sum with a number, by what joins all numbers. */
static const u8 joins[O_COUNT] = {
	[O_add] = O_add, [O_sub] = O_add, [O_and] = O_and, [O_or] = O_or, [O_xor] = O_xor,
	[O_smin] = O_smin, [O_smax] = O_smax, [O_umin] = O_umin, [O_umax] = O_umax,
};

int loop_islanewise(int op) { return lanewise[op]; }

static const struct value bad = {.kind = BAD}, perlane = {.kind = PERLANE}, box = {.kind = BOX};

static struct value scalar(s64 step) { return (struct value){.kind = SCALAR, .step = step}; }
static int isfloats(const struct loop *l) { return ty_isfloat(l->lane); }

/* What the variable is at the head of each turn. */
static struct value
variable(const struct loop *l, const struct ins *get)
{
	int last = l->put[get->v];
	const struct ins *put, *sum;

	if (!last)
		return scalar(0);
	put = &l->ins[last - 1];
	if (isk(put->a) || put->ty != get->ty || (get->ty != I64 && get->ty != I32))
		return bad;
	sum = &l->ins[loop_index(l, put->a)];
	if (sum->op == O_add && sum->ty == I64 && isk(sum->b) && !isk(sum->a) &&
	    l->ins[loop_index(l, sum->a)].op == O_get && l->ins[loop_index(l, sum->a)].v == get->v)
		return scalar((s64)kval(l->r, sum->b));
	return (struct value){.kind = SUM, .var = (u8)get->v, .step = get->ty == I32};
}

/* What a get finds that comes after a put in the loop: lanes put as narrower numbers than it reads. */
static struct value
reread(const struct loop *l, const struct ins *get, const struct ins *put)
{
	struct value v = loop_value(l, put->a);

	return v.kind == PERLANE && v.span.lo >= 0 && ir_type(&l->ins[loop_index(l, put->a)]) < get->ty && get->ty <= I64 ?
	    v : bad;
}

/* Of an operation on what is no lane. */
static struct value
linear(const struct loop *l, const struct ins *i, struct value a, struct value b)
{
	if (!(opinfo[i->op].traits & PURE))
		return bad;
	if (!a.step && !b.step && loop_value(l, i->c).step == 0)
		return scalar(0);
	if (i->ty != I64)
		return bad;
	switch (i->op) {
	case O_add: return scalar((s64)((u64)a.step + (u64)b.step));
	case O_sub: return scalar((s64)((u64)a.step - (u64)b.step));
	case O_mov: return a;
	case O_shl: return isk(i->b) && kval(l->r, i->b) < 64 ? scalar((s64)((u64)a.step << kval(l->r, i->b))) :
	    bad;
	}
	return bad;
}

/* Lanes of integers of 32 or 64 bits. */
static struct value
integers(const struct loop *l, const struct ins *i)
{
	struct field f;
	int shift = (i->op == O_shl || (i->op == O_rotr && i->ty == I32)) && isk(i->b) &&
	    kval(l->r, i->b) < (u64)ty_bits(i->ty);
	int order = i->op == O_set && i->v < R_TST;

	if ((i->ty != I32 && i->ty != I64) || !(bitsalike[i->op] || shift || order || loop_field(l, i, &f)))
		return bad;
	return (struct value){.kind = PERLANE, .span = loop_span(l, i)};
}

/* Floats of the width of those in memory. */
static struct value
floats(const struct loop *l, const struct ins *i)
{
	const ref o[3] = {i->a, i->b, i->c};

	if (i->op == O_fbox && i->v == F32)
		return box;
	for (int n = 0; n < 3; n++)
		if (o[n] && isk(o[n]))
			return bad;
	return lanewise[i->op] && i->ty == l->lane ? perlane : bad;
}

/* What 32 bits were made of stays that. */
static struct value
more(struct loop *l, const struct ins *i, ref t, int op)
{
	struct value *v = &l->val[loop_index(l, t)];
	int word = i->ty == I32 || i->op == O_sxt;

	if ((v->step && !word) || (v->op && v->op != op))
		return bad;
	v->used = 1;
	return (struct value){.kind = SUM, .var = v->var, .step = word, .op = (u8)op};
}

/* A variable is joined with something, in such a way that it does not matter in which order. */
static struct value
sum(struct loop *l, const struct ins *i, struct value a, struct value b)
{
	int wide = i->ty == I64 || i->ty == I32, op = joins[i->op];

	if (isfloats(l) || a.used || b.used || !wide)
		return bad;
	if (a.kind == SUM && i->op == O_sxt && i->imm == 32)
		return more(l, i, i->a, a.op);
	if (a.kind == SUM && b.kind == PERLANE && op)
		return more(l, i, i->a, op);
	return a.kind == PERLANE && b.kind == SUM && op && i->op != O_sub ? more(l, i, i->b, op) : bad;
}

static struct value
computed(struct loop *l, const struct ins *i)
{
	const ref o[3] = {i->a, i->b, i->c};
	int kinds = 0, stepping = 0;
	struct value v[3];

	for (int n = 0; n < 3; n++) {
		v[n] = loop_value(l, o[n]);
		kinds |= 1 << v[n].kind;
		stepping |= v[n].kind == SCALAR && v[n].step;
	}
	if (kinds & (1 << BAD | 1 << BOX | 1 << FLAGS))
		return bad;
	if (kinds & 1 << SUM)
		return sum(l, i, v[0], v[1]);
	if (!(kinds & 1 << PERLANE))
		return linear(l, i, v[0], v[1]);
	if (stepping)
		return bad;
	return isfloats(l) ? floats(l, i) : integers(l, i);
}

/* -- memory -- */

struct place
loop_place(const struct loop *l, const struct ins *i)
{
	struct place p = {i->a, i->b, i->aux & AUX_SCALE, i->imm};
	const struct ins *sum;

	while (!isk(p.a) && (sum = &l->ins[loop_index(l, p.a)])->op == O_add && sum->ty == I64 && isk(sum->b)) {
		p.disp += (s64)kval(l->r, sum->b);
		p.a = sum->a;
	}
	return p;
}

int
loop_apart(const struct place *x, const struct place *y, s64 *by)
{
	*by = y->disp - x->disp;
	return x->a == y->a && x->b == y->b && x->scale == y->scale;
}

/* A load or store of the next datum each turn. */
static int
streams(const struct loop *l, const struct ins *i)
{
	struct value a = loop_value(l, i->a), b = loop_value(l, i->b);
	int plain = !(i->aux & ((1 << AUX_BASE) - 1) & ~AUX_SCALE);

	if (!plain || a.kind != SCALAR || b.kind != SCALAR || (isfloats(l) ? i->ty != l->lane : i->ty > I64))
		return 0;
	return (s64)((u64)a.step + ((u64)b.step << (i->aux & AUX_SCALE))) == loop_bytes(i);
}

/* The turns done at once: as many as one vector is stored for, or loaded for if nothing is stored; twice as many if
 * they are few. */
static void
count(struct loop *l)
{
	int least = VECTOR, sums = 0;

	for (int k = 0; k < l->n; k++) {
		sums |= l->val[k].kind == SUM;
		if (loop_isload(&l->ins[k])) {
			least = loop_bytes(&l->ins[k]) < least ? loop_bytes(&l->ins[k]) : least;
			l->uneven |= l->store >= 0 && loop_bytes(&l->ins[k]) != loop_bytes(&l->ins[l->store]);
		}
	}
	l->turns = VECTOR / (l->store >= 0 ? loop_bytes(&l->ins[l->store]) : least);
	l->times = 1;
	if (l->turns > 4 || l->uneven || l->n > FEW || (sums && l->store >= 0))
		return;
	l->turns *= 2;
	l->times = l->store >= 0 ? 2 : 1;
}

/* Whether one of the turns done at once stores where a later one loads, if that is known. */
static int
feeds(const struct loop *l)
{
	struct place s, p;
	s64 by;

	if (l->store < 0)
		return 0;
	s = loop_place(l, &l->ins[l->store]);
	for (int k = 0; k < l->store; k++) {
		if (!loop_isload(&l->ins[k]))
			continue;
		p = loop_place(l, &l->ins[k]);
		if (loop_apart(&p, &s, &by) && by > 0 && by < VECTOR * l->times)
			return 1;
	}
	return 0;
}

/* -- the loop -- */

int
loop_look(struct loop *l, int k)
{
	const struct ins *i = &l->ins[k], *put;
	struct value v;
	int flags;

	switch (i->op) {
	case O_insn: case O_nop: case O_put:
		return 1;
	case O_get:
		put = loop_putbefore(l, i);
		l->val[k] = put ? reread(l, i, put) : variable(l, i);
		return 1;
	case O_flsub:
		flags = loop_value(l, i->a).kind == SCALAR && loop_value(l, i->b).kind == SCALAR && i->ty == I64;
		l->val[k] = flags ? (struct value){.kind = FLAGS} : bad;
		return 1;
	case O_ld: case O_lds:
		l->val[k] = (struct value){.kind = PERLANE, .span = loop_datum(loop_bytes(i) * 8, i->op == O_lds)};
		return l->store < 0 && streams(l, i);
	case O_st:
		if (l->store >= 0 || !streams(l, i))
			return 0;
		l->store = k;
		v = loop_value(l, i->c);
		return v.kind == PERLANE || (v.kind == SCALAR && !v.step);
	}
	if (opinfo[i->op].traits & (READ | WRITE | EFF | LEAVE | END))
		return 0;
	l->val[k] = computed(l, i);
	return l->val[k].kind == PERLANE || !(opinfo[i->op].traits & FPENV);
}

/* What the turn leaves in a sum's variable. */
static ref left(const struct loop *l, int var) { return l->ins[l->put[var] - 1].a; }

int
loop_cuts(const struct loop *l, int var)
{
	const struct value v = loop_value(l, left(l, var));

	return l->ins[loop_index(l, left(l, var))].op == O_sxt && loop_isextreme(v.op);
}

/* Whether the sum is all that its variable becomes, but for being cut to 32 bits. */
static int
iswhole(const struct loop *l, ref t)
{
	ref u = left(l, loop_value(l, t).var);

	if (loop_value(l, u).kind != SUM || loop_value(l, u).var != loop_value(l, t).var || loop_value(l, u).used)
		return 0;
	while (u != t && l->ins[loop_index(l, u)].op == O_sxt)
		u = l->ins[loop_index(l, u)].a;
	return u == t;
}

/* Whether all that is put is understood. */
static int
knowsputs(const struct loop *l)
{
	struct value v;

	for (int k = 0; k < l->n; k++) {
		const struct ins *i = &l->ins[k];

		if (i->op != O_put || l->put[i->v] != k + 1)
			continue;
		v = loop_value(l, i->a);
		if (v.kind == BAD || (v.kind == SCALAR && v.step && i->ty != I64) || (v.kind == SUM && !iswhole(l, i->a)))
			return 0;
	}
	return 1;
}

int
loop_ccrel(int cc)
{
	static const s8 rel[] = {[CC_EQ] = R_EQ, [CC_NE] = R_NE, [CC_CS] = R_GEU, [CC_CC] = R_LTU, [CC_MI] = -1, [CC_PL] = -1,
		[CC_VS] = -1, [CC_VC] = -1, [CC_HI] = R_GTU, [CC_LS] = R_LEU, [CC_GE] = R_GES, [CC_LT] = R_LTS,
		[CC_GT] = R_GTS, [CC_LE] = R_LES};

	return cc < (int)NELEM(rel) ? rel[cc] : -1;
}

int
loop_relation(const struct loop *l, struct ins *br)
{
	const struct ins *i = &l->ins[loop_index(l, br->a)];

	if (br->op == O_brc)
		return 1;
	if (i->op != O_flsub || loop_ccrel(br->v) < 0)
		return 0;
	*br = (struct ins){.op = O_brc, .ty = i->ty, .v = (u16)loop_ccrel(br->v), .a = i->a, .b = i->b};
	return 1;
}

int
loop_trip(struct loop *l, const struct ins *brc)
{
	static const u8 swapped[] = {[R_GTU] = R_LTU, [R_GTS] = R_LTS, [R_GEU] = R_LEU, [R_GES] = R_LES};
	struct value a = loop_value(l, brc->a), b = loop_value(l, brc->b);
	int rel = brc->v, swap = rel < (int)NELEM(swapped) && swapped[rel];
	s64 nearer = (s64)((u64)a.step - (u64)b.step);

	if (a.kind != SCALAR || b.kind != SCALAR || brc->ty != I64 || rel == R_EQ || rel >= R_TST)
		return 0;
	if (rel == R_NE)
		swap = nearer < 0;
	else if (a.step && b.step)
		return 0;              /* might go round */
	l->trip.rel = swap && rel != R_NE ? swapped[rel] : rel;
	l->trip.lo = swap ? brc->b : brc->a;
	l->trip.hi = swap ? brc->a : brc->b;
	l->trip.step = swap ? -nearer : nearer;
	return l->trip.step > 0 && l->trip.step < 1 << 16;
}

/* The type of the first datum in memory: if it is a float, all are. */
static int
datum(const struct loop *l)
{
	for (int k = 0; k < l->n; k++)
		if (loop_isload(&l->ins[k]) || l->ins[k].op == O_st)
			return l->ins[k].ty;
	return N;
}

static int
understood(struct loop *l)
{
	struct ins last = l->ins[l->n - 1];
	int accesses = 0;

	l->lane = datum(l);
	if (l->lane > I64 && l->lane != F32 && l->lane != F64)
		return 0;
	for (int k = 0; k < l->n; k++)
		if (l->ins[k].op == O_put)
			l->put[l->ins[k].v] = (u8)(k + 1);
	for (int k = 0; k < l->n - 1; k++) {
		if (!loop_look(l, k))
			return 0;
		accesses += loop_isload(&l->ins[k]) || l->ins[k].op == O_st;
	}
	if (!accesses || !loop_relation(l, &last) || !loop_trip(l, &last) || !knowsputs(l))
		return 0;
	count(l);
	if (l->times > 1 && feeds(l)) {
		l->turns /= l->times;
		l->times = 1;
	}
	return !feeds(l) && (isfloats(l) || loop_width(l));
}

/* -- making blocks -- */

void
loop_begin(const struct loop *l, int label, int turns)
{
	struct block *b = &l->r->block[ir_block(l->r, l->head + (gaddr)label)];

	b->above = (u8)label;
	b->entry = !label;
	b->turns = (u8)turns;
}

static ref moved(ref t, int by) { return t && !isk(t) ? (ref)(t + by) : t; }

void
loop_turn(const struct loop *l, int label, gaddr again)
{
	int by = l->r->nins - l->first;

	for (int k = 0; k < l->n; k++) {
		struct ins i = l->was[k];

		i.a = moved(i.a, by);
		i.b = moved(i.b, by);
		i.c = k == l->n - 1 ? ir_k(l->r, again) : moved(i.c, by);
		if (i.op == O_insn)
			i.imm -= label;
		if (i.op == O_nop && i.imm)
			i.imm += by;
		ir_append(l->r, i);
	}
}

/* Whether the open block has come to a branch that may make it a loop, of a size that is looked at: back to itself,
 * or to the block before. */
static int
closes(const struct region *r)
{
	const struct ins *last = &r->ins[r->nins - 1];
	gaddr to = kval(r, last->c);

	return (last->op == O_brc || last->op == O_brf) && r->open->n <= BODY &&
	    (to == r->open->pc || (r->nblock > 1 && to == r->open[-1].pc)) &&
	    r->guest->bits == 64 && r->nins + 8 * BODY < REF_K;
}

/* The loop in the open block, of which nothing is known. */
static void
take(struct loop *l, struct region *r, gaddr next)
{
	static struct ins copy[BODY];  /* compile is never entered twice at a time */

	loop_clear(l, r->open->n);
	l->r = r;
	l->ins = l->was = copy;
	l->first = r->open->first;
	l->head = r->open->pc;
	l->exit = next;
	memcpy(copy, &r->ins[l->first], (size_t)l->n * sizeof *copy);
}

/* Apart from ir_loop, which most branches do not come beyond: the record is large. */
static __attribute__((noinline)) int
transform(struct region *r, gaddr next)
{
	static struct loop l;
	int own = kval(r, r->ins[r->nins - 1].c) == r->open->pc;

	take(&l, r, next);
	if (loop_search(&l))
		return 1;
	if (own) {
		loop_plain(&l);
		if (understood(&l)) {
			loop_make(&l);
			return 1;
		}
	}
	if (loop_seek(r, next) || loop_copy(r, next))
		return 2;
	if (!own)
		return 0;
	take(&l, r, next);
	if (loop_tuples(&l))
		return 1;
	take(&l, r, next);
	return loop_turns(&l);
}

int ir_loop(struct region *r, gaddr next) { return closes(r) ? transform(r, next) : 0; }

void
ir_rejoin(struct region *r)
{
	const struct ins *last = &r->ins[r->nins - 1];
	gaddr to = last->op == O_jmp ? kval(r, last->a) : 0;

	if (last->op == O_jmp && (to == r->open->pc || (r->nblock > 1 && to == r->open[-1].pc)) &&
	    r->guest->bits == 64 && r->nins + 8 * BODY < REF_K && !loop_seek(r, 0))
		loop_copy(r, 0);
}
