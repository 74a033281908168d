/* SPDX-License-Identifier: MIT */
/* lanes.c - the loop on vectors that comes before a loop (loop.c)
 *
 * Three blocks take the place of one:
 *
 *   head      tests whether there are `turns` turns at least, and whether loads and store keep apart
 *   head + 1  those turns, and again as long as there are so many
 *   head + 3  the loop as it was, which does the rest
 *
 * Who comes to the loop comes to its head.  The others have no guest address but that: nobody finds them from outside,
 * and their labels are odd, as no instruction's address is. */
#include "ir/loop.h"

enum { HEAD, TURNS = 1, REST = 3 };    /* labels, above the head */

struct make {
	const struct loop *l;
	struct region *r;
	ref scalar[BODY];              /* by instruction: in the first of the turns */
	ref part[BODY][4];             /* vectors of lanes */
};

static int parts(const struct loop *l) { return l->turns * l->bytes / VECTOR; }

/* -- values -- */

static ref
scalar(struct make *m, ref t)
{
	const struct ins *i;
	ref *to;

	if (!t || isk(t))
		return t;
	to = &m->scalar[loop_index(m->l, t)];
	i = &m->l->ins[loop_index(m->l, t)];
	if (!*to && i->op == O_get)
		*to = ir_get(m->r, i->ty, i->v);
	else if (!*to)
		*to = ir_opx(m->r, i->op, i->ty, i->aux, i->v, i->imm, scalar(m, i->a), scalar(m, i->b), scalar(m, i->c));
	return *to;
}

static ref
plus(struct make *m, ref t, s64 k)
{
	return k ? ir_op(m->r, O_add, I64, t, ir_k(m->r, (u64)k), 0) : t;
}

/* In the last of the turns. */
static ref
last(struct make *m, ref t)
{
	return plus(m, scalar(m, t), loop_value(m->l, t).step * (m->l->turns - 1));
}

/* Vector n of lanes of type ty. */
static ref
lanes(struct make *m, ref t, int ty, int n)
{
	ref s;

	if (!t || loop_value(m->l, t).kind == PERLANE)
		return t ? m->part[loop_index(m->l, t)][n] : 0;
	s = scalar(m, t);
	if (!isk(s) && ty_isfloat(m->r->ins[s].ty))
		s = ir_opx(m->r, O_movfi, I64, 0, ty_lane(ty), 0, s, 0, 0);
	return ir_op(m->r, O_dup, ty, s, 0, 0);
}

/* -- the turns -- */

static void
access(struct make *m, int op, const struct ins *i, int ty, int n, ref datum, ref *to)
{
	*to = ir_opx(m->r, op, ty, i->aux & AUX_SCALE, 1, i->imm + n * VECTOR, scalar(m, i->a), scalar(m, i->b), datum);
}

static int
loaded(const struct loop *l)
{
	struct place s = loop_place(l, &l->ins[l->store]), p;
	s64 by;

	for (int k = 0; k < l->store; k++)
		if (l->ins[k].op == O_ld && (p = loop_place(l, &l->ins[k]), loop_apart(&p, &s, &by)) && !by)
			return 1;
	return 0;
}

/* Whether something in the loop raises sticky flags. */
static int
raises(const struct loop *l)
{
	for (int k = 0; k < l->n; k++)
		if (opinfo[l->ins[k].op].traits & FPENV)
			return 1;
	return 0;
}

static void
body(struct make *m)
{
	const struct loop *l = m->l;
	const struct ins *st = &l->ins[l->store];
	int np = parts(l);
	ref none;

	for (int k = 0; k < l->n; k++)
		for (int n = 0; n < np && l->ins[k].op == O_ld; n++)
			access(m, O_ld, &l->ins[k], VEC(l->ins[k].ty, 7), n, 0, &m->part[k][n]);
	if (raises(l) && !loaded(l))
		for (int n = 0; n < np; n++)
			access(m, O_ld, st, VEC(st->ty, 7), n, 0, &none);
	for (int k = 0; k < l->n; k++) {
		const struct ins *i = &l->ins[k];
		int ty = VEC(i->ty, 7);

		for (int n = 0; n < np && l->val[k].kind == PERLANE && i->op != O_ld; n++)
			m->part[k][n] = ir_opx(m->r, i->op, ty, i->aux, i->v, i->imm, lanes(m, i->a, ty, n),
			    lanes(m, i->b, ty, n), lanes(m, i->c, ty, n));
	}
	for (int n = 0; n < np; n++)
		access(m, O_st, st, VEC(st->ty, 7), n, lanes(m, st->c, VEC(st->ty, 7), n), &none);
}

/* What the last turn puts. */
static ref
lastput(struct make *m, ref t)
{
	const struct loop *l = m->l;
	const struct ins *i = &l->ins[loop_index(l, t)];
	struct value v = loop_value(l, t);
	int ty;
	ref u;

	if (v.kind == SCALAR)
		return last(m, t);
	if (v.kind == BOX)
		return ir_opx(m->r, O_fbox, i->ty, 0, i->v, 0, lastput(m, i->a), 0, 0);
	ty = i->ty;
	u = m->part[loop_index(l, t)][parts(l) - 1];
	u = ir_opx(m->r, O_umov, I64, 0, ty, ty_nlanes(VEC(ty, 7)) - 1, u, 0, 0);
	return ty_isfloat(ty) ? ir_op(m->r, O_movif, ty, u, 0, 0) : u;
}

static void
puts_(struct make *m)
{
	const struct loop *l = m->l;
	ref to[BODY];

	for (int k = 0; k < l->n; k++)
		if (l->ins[k].op == O_put && l->put[l->ins[k].v] == k + 1)
			to[k] = lastput(m, l->ins[k].a);
	for (int k = 0; k < l->n; k++)
		if (l->ins[k].op == O_put && l->put[l->ins[k].v] == k + 1)
			ir_put(m->r, l->ins[k].ty, l->ins[k].v, to[k]);
}

/* -- blocks -- */

static void
go(struct make *m, int rel, ref a, u64 b, gaddr to)
{
	ir_opx(m->r, O_brc, I64, 0, rel, 0, a, ir_k(m->r, b), ir_k(m->r, to));
}

static int
begin(struct make *m, int label)
{
	int b = ir_block(m->r, m->l->head + (gaddr)label);

	m->r->block[b].above = (u8)label;
	m->r->block[b].entry = !label;
	memset(m->scalar, 0, sizeof m->scalar);
	return b;
}

static ref
address(struct make *m, const struct place *p)
{
	ref t = scalar(m, p->a), b = scalar(m, p->b);

	if (b)
		t = ir_op(m->r, O_add, I64, t, p->scale ? ir_op(m->r, O_shl, I64, b, ir_k(m->r, (u64)p->scale), 0) : b, 0);
	return t;
}

/* The store must not be where a later one of the turns loads: store - load, less one, is below `size` then. */
static void
keepapart(struct make *m)
{
	const struct loop *l = m->l;
	struct place s = loop_place(l, &l->ins[l->store]), p;
	s64 by, size = l->turns * l->bytes - 1;
	ref d;

	for (int k = 0; k < l->store; k++) {
		if (l->ins[k].op != O_ld)
			continue;
		p = loop_place(l, &l->ins[k]);
		if (loop_apart(&p, &s, &by))
			continue;
		d = ir_op(m->r, O_sub, I64, address(m, &s), address(m, &p), 0);
		go(m, R_LTU, plus(m, d, by - 1), (u64)size, l->head + REST);
	}
}

static void
before(struct make *m)
{
	const struct loop *l = m->l;
	ref lo, hi;

	begin(m, HEAD);
	m->r->block[m->r->nblock - 1].turns = 0;
	lo = scalar(m, l->trip.lo);
	hi = scalar(m, l->trip.hi);
	if (l->trip.rel != R_NE)
		ir_opx(m->r, O_brc, I64, 0, l->trip.rel ^ 1, 0, lo, hi, ir_k(m->r, l->head + REST));
	go(m, R_LTU, ir_op(m->r, O_sub, I64, hi, lo, 0), (u64)(l->trip.step * (l->turns - 1)), l->head + REST);
	keepapart(m);
	ir_op(m->r, O_jmp, N, ir_k(m->r, l->head + TURNS), 0, 0);
}

static void
atonce(struct make *m)
{
	const struct loop *l = m->l;
	ref lo, hi;

	m->r->block[begin(m, TURNS)].turns = (u8)l->turns;
	for (int k = 0; k < l->n; k++)
		if (l->ins[k].op == O_insn)
			ir_append(m->r, ins_make(O_insn, N, 0, 0, -TURNS, 0, 0, 0));
	body(m);
	lo = last(m, l->trip.lo);
	hi = last(m, l->trip.hi);
	ref left = ir_op(m->r, O_sub, I64, hi, lo, 0);

	puts_(m);
	ir_opx(m->r, O_brc, I64, 0, l->trip.rel ^ 1, 0, lo, hi, ir_k(m->r, l->exit));
	go(m, R_GEU, left, (u64)(l->trip.step * l->turns), l->head + TURNS);
	ir_op(m->r, O_jmp, N, ir_k(m->r, l->head + REST), 0, 0);
}

static ref moved(ref t, int by) { return t && !isk(t) ? (ref)(t + by) : t; }

/* The loop itself, its own head under another label. */
static void
asitwas(struct make *m)
{
	const struct loop *l = m->l;
	int b = begin(m, REST), by = m->r->block[b].first - l->first;

	for (int k = 0; k < l->n; k++) {
		struct ins i = l->ins[k];

		i.a = moved(i.a, by);
		i.b = moved(i.b, by);
		i.c = k == l->n - 1 ? ir_k(m->r, l->head + REST) : moved(i.c, by);
		if (i.op == O_insn)
			i.imm -= REST;
		if (i.op == O_nop && i.imm)
			i.imm += by;
		ir_append(m->r, i);
	}
}

void
loop_make(const struct loop *l)
{
	static struct make m;

	m.l = l;
	m.r = l->r;
	ir_unblock(l->r);
	before(&m);
	atonce(&m);
	asitwas(&m);
}
