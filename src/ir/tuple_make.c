/* SPDX-License-Identifier: MIT */
/* tuple_make.c - the blocks that come before a loop whose turns compute neighbours alike (tuple.c)
 *
 * They are those of lanes.c: a head that tests, the turns, and the loop as it was. */
#include "ir/tuple.h"

/* What is made of values in the open block: by tuple, by run and turn. */
static struct { ref tuple[TUPLES], load[RUNS][PARTS]; } v;

static const struct ins *at(const struct tuples *p, ref t) { return &p->l->ins[loop_index(p->l, t)]; }
static int vector(const struct tuples *p) { return VEC(p->lane, 7); }

/* -- the head -- */

/* Singles that stay the same come boxed, as a rule: it is tested once for all. */
static void
boxed(struct tuples *p, struct ins *ins)
{
	struct region *r = p->m.r;
	ref all = 0;

	for (int k = 0; k < p->l->n; k++) {
		struct ins *i = &ins[k];
		ref t;

		if (i->op != O_funbox || i->ty != p->lane || loop_value(p->l, (ref)(p->l->first + k)).kind != SCALAR || isk(i->a))
			continue;
		i->aux |= FP_BOXED;
		t = ir_opx(r, O_movfi, I64, 0, F64, 0, make_scalar(&p->m, i->a), 0, 0);
		all = all ? ir_op(r, O_and, I64, all, t, 0) : t;
	}
	if (all)
		make_go(&p->m, R_LTU, all, ~(u64)0 << 32);
}

/* The sum of 32 bits stays one: it begins as one, and does not pass the end, which is one. */
static void
counted(struct tuples *p)
{
	struct make *m = &p->m;
	struct field word = {.bits = 32, .sign = 1};
	ref from;

	if (!p->word)
		return;
	from = p->l->ins[p->word - 1].a;
	make_fits(m, from, word);
	make_fits(m, p->l->trip.hi, word);
	make_go(m, R_GEU, ir_op(m->r, O_sub, I64, make_scalar(m, p->l->trip.hi), make_scalar(m, from), 0), (u64)1 << 32);
	p->bounded = 1;
}

/* From the lowest byte of all turns, so many. */
static s64
reach(const struct tuples *p, const struct run *r, s64 *lowest)
{
	s64 all = r->step * (p->l->turns - 1);

	*lowest = r->p.disp + (all < 0 ? all : 0);
	return (all < 0 ? -all : all) + VECTOR;
}

/* Whether all that there is to go can be told from the loop's own count. */
static int
ispaced(const struct tuples *p, const struct run *r)
{
	return r->step >= 0 && r->step % p->l->trip.step == 0;
}

/* The bytes of all the turns that there are. */
static ref
all(struct tuples *p, const struct run *r)
{
	int moved;
	ref d = make_distance(&p->m, &moved);

	if (r->step && !p->bounded)
		make_go(&p->m, R_GEU, d, (u64)1 << 32);
	p->bounded |= r->step != 0;
	d = ir_op(p->m.r, O_mul, I64, d, ir_k(p->m.r, (u64)(r->step / p->l->trip.step)), 0);
	return make_plus(&p->m, d, r->step + VECTOR);
}

/* Where x begins, from turn to turn, a store of y is in the way if it is no less than `lowest` above, and no more than
 * where x ends.  If the two drift apart it is asked for all turns there are, or else before those that are next. */
static void
keepapart(struct tuples *p, const struct run *x, const struct run *y)
{
	struct make *m = &p->m;
	s64 xlow, ylow, xsize = reach(p, x, &xlow), lowest = 1 - reach(p, y, &ylow);
	int drift = x->step != y->step;
	ref d, size;

	if (tuple_apart(p, x, y) > 0)
		return;
	if (tuple_before(p, x, y) && !drift && x->step > 0)
		lowest = x->step - VECTOR + 1; /* not behind a later one of x */
	d = ir_op(m->r, O_sub, I64, make_address(m, &y->p), make_address(m, &x->p), 0);
	if (drift && ispaced(p, x) && ispaced(p, y)) {
		size = make_plus(m, all(p, y), -1);
		d = ir_op(m->r, O_add, I64, make_plus(m, d, ylow - xlow), size, 0);
		ir_opx(m->r, O_brc, I64, 0, R_LTU, 0, d, ir_op(m->r, O_add, I64, size, all(p, x), 0),
		    ir_k(m->r, p->l->head + REST));
		return;
	}
	p->l->uneven |= drift;
	make_go(m, R_LTU, make_plus(m, d, ylow - xlow - lowest), (u64)(xsize - lowest));
}

static void
head(struct tuples *p, struct ins *ins)
{
	make_head(&p->m);
	counted(p);
	boxed(p, ins);
	for (const struct run *y = p->store; y < p->store + p->nstore; y++) {
		for (const struct run *x = p->load; x < p->load + p->nload; x++)
			keepapart(p, x, y);
		for (const struct run *x = p->store; x < y; x++)
			keepapart(p, x, y);
	}
	ir_op(p->m.r, O_jmp, N, ir_k(p->m.r, p->l->head + TURNS), 0, 0);
}

/* -- the turns -- */

static ref
access(struct tuples *p, int op, const struct run *r, s64 by, ref datum)
{
	struct make *m = &p->m;

	return ir_opx(m->r, op, vector(p), r->p.scale, 1, (s32)(r->p.disp + by), make_scalar(m, r->p.a),
	    make_scalar(m, r->p.b), datum);
}

static ref
fixed(struct tuples *p, const struct tuple *t)
{
	struct region *r = p->m.r;
	ref one[PER];

	for (int n = 0; n < p->per; n++) {
		one[n] = ir_opx(r, O_movfi, I64, 0, p->lane, 0, make_scalar(&p->m, t->of[n]), 0, 0);
		one[n] = ir_op(r, O_dup, vector(p), one[n], 0, 0);
	}
	for (int n = 0; n < p->per; n += 2)
		if (one[n] != one[n + 1])
			one[n] = ir_op(r, O_zip1, vector(p), one[n], one[n + 1], 0);
	return p->per == 2 || one[0] == one[2] ? one[0] : ir_op(r, O_vcat, vector(p), one[0], one[2], 0);
}

static ref
done(struct tuples *p, const struct tuple *t)
{
	const struct ins *i = at(p, t->of[0]);
	ref o[3];

	for (int n = 0; n < 3; n++)
		o[n] = t->from[n] < 0 ? 0 : v.tuple[t->from[n]];
	return ir_opx(p->m.r, i->op, vector(p), i->aux, i->v, i->imm, o[0], o[1], o[2]);
}

static void
compute(struct tuples *p, int turn)
{
	for (int n = 0; n < p->ntuple; n++) {
		const struct tuple *t = &p->tuple[n];

		switch (t->kind) {
		case FIXED:
			v.tuple[n] = turn ? v.tuple[n] : fixed(p, t);
			break;
		case WHOLE:
			v.tuple[n] = v.load[t->run][turn];
			break;
		case SAME:
			v.tuple[n] = ir_opx(p->m.r, O_duplane, vector(p), 0, t->lane, 0, v.load[t->run][turn], 0, 0);
			break;
		case DONE:
			v.tuple[n] = done(p, t);
		}
	}
}

/* What the turn puts: a lane, or two for an integer. */
static ref
lane(struct tuples *p, const struct ins *put, int turn)
{
	const struct ins *i = at(p, put->a);
	int isbox = i->op == O_fbox, n, type;
	struct spot s;
	ref of[2], u;

	n = tuple_pieces(p, isbox ? i->a : put->a, of);
	s = p->spot[loop_index(p->l, of[0])];
	type = p->bytes * n == 8 ? I64 : I32;
	u = ir_opx(p->m.r, O_umov, I64, 0, type, s.lane / n, s.loaded ? v.load[s.n][turn] : v.tuple[s.n], 0, 0);
	if (!ty_isfloat(put->ty))
		return u;
	u = ir_op(p->m.r, O_movif, isbox ? p->lane : put->ty, u, 0, 0);
	return isbox ? ir_opx(p->m.r, O_fbox, put->ty, 0, p->lane, 0, u, 0, 0) : u;
}

static ref
value(struct tuples *p, const struct ins *put, int turn)
{
	struct make *m = &p->m;
	const struct ins *i = isk(put->a) ? 0 : at(p, put->a);

	switch (loop_value(p->l, put->a).kind) {
	case SCALAR:
		return make_scalar(m, put->a);
	case FLAGS:
		return ir_op(m->r, i->op, i->ty, make_scalar(m, i->a), make_scalar(m, i->b), 0);
	}
	return lane(p, put, turn);
}

/* Whether the turn puts the variable before it stores, and has not got it. */
static int
isagain(const struct tuples *p, int var)
{
	for (int k = 0; k < p->store[0].first; k++) {
		const struct ins *i = &p->l->ins[k];

		if ((i->op == O_put || i->op == O_get) && i->v == var)
			return i->op == O_put;
	}
	return 0;
}

/* Whether it only steps on; then it does so last, in place. */
static int
issteps(const struct tuples *p, const struct ins *put)
{
	const struct ins *i = isk(put->a) ? 0 : at(p, put->a), *get = i && !isk(i->a) ? at(p, i->a) : 0;

	return get && i->op == O_add && i->ty == I64 && isk(i->b) && get->op == O_get && get->v == put->v;
}

static void
step(struct tuples *p, const struct ins *put)
{
	struct region *r = p->m.r;
	ref from = ir_get(r, I64, put->v);

	ir_put(r, I64, put->v, ir_append(r, ins_make(O_add, I64, 0, 0, 0, from, at(p, put->a)->b, 0)));
}

static void
put(struct tuples *p, int turn)
{
	const struct loop *l = p->l;
	u8 how[BODY] = {0};            /* 1 value, 2 step */
	ref to[BODY];

	for (int k = 0; k < l->n; k++) {
		const struct ins *i = &l->ins[k];

		if (i->op != O_put || l->put[i->v] != k + 1 || (turn < l->turns - 1 && isagain(p, i->v)))
			continue;
		how[k] = issteps(p, i) ? 2 : 1;
		to[k] = how[k] == 1 ? value(p, i, turn) : 0;
	}
	for (int k = 0; k < l->n; k++)
		if (how[k] == 1)
			ir_put(p->m.r, l->ins[k].ty, l->ins[k].v, to[k]);
	for (int k = 0; k < l->n; k++)
		if (how[k] == 2)
			step(p, &l->ins[k]);
	memset(p->m.scalar, 0, sizeof p->m.scalar);
}

static void
load(struct tuples *p)
{
	for (int n = 0; n < p->l->turns; n++) {
		for (int k = 0; k < p->nload; k++)
			v.load[k][n] = access(p, O_ld, &p->load[k], p->load[k].step * n, 0);
		for (int k = 0; k < p->nstore && p->late; k++)
			access(p, O_ld, &p->store[k], p->store[k].step * n, 0);
	}
}

static void
turn(struct tuples *p, int n)
{
	compute(p, n);
	for (const struct run *s = p->store; s < p->store + p->nstore; s++)
		access(p, O_st, s, 0, v.tuple[s->tuple]);
}

/* What is compared, after the last puts: of a variable that has stepped what it is now, or else what was found. */
static ref
compared(const struct tuples *p, ref t, ref before)
{
	const struct loop *l = p->l;

	for (int k = 0; k < l->n; k++)
		if (l->ins[k].op == O_put && l->put[l->ins[k].v] == k + 1 && l->ins[k].a == t && issteps(p, &l->ins[k]))
			return ir_get(l->r, I64, l->ins[k].v);
	return before;
}

void
tuple_make(struct tuples *p, struct ins *ins)
{
	struct make *m = &p->m;
	struct loop *l = p->l;
	ref lo, hi;

	m->l = l;
	m->r = l->r;
	head(p, ins);
	make_turns(m);
	load(p);
	for (int n = 0; n < l->turns - 1; n++) {
		turn(p, n);
		put(p, n);
	}
	turn(p, l->turns - 1);
	lo = make_scalar(m, l->trip.lo);
	hi = make_scalar(m, l->trip.hi);
	put(p, l->turns - 1);
	lo = compared(p, l->trip.lo, lo);
	hi = compared(p, l->trip.hi, hi);
	make_after(m, lo, hi, ir_op(l->r, O_sub, I64, hi, lo, 0));
}
