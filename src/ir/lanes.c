/* SPDX-License-Identifier: MIT */
/* lanes.c - the loop on vectors that comes before a loop (loop.c)
 *
 * Three blocks take the place of one:
 *
 *   head      tests whether there are turns enough, and whether loads and store keep apart
 *   head + 1  `turns` turns, with a store for each vector; and again as long as there are so many
 *   head + 3  the loop as it was, which does the rest
 *
 * Who comes to the loop comes to its head.  The others have no guest address but that: nobody finds them from outside,
 * and their labels are odd, as no instruction's address is. */
#include "ir/loop.h"

/* Vectors of a value; those that make one that is stored. */
static int parts(const struct loop *l) { return l->turns * ty_bits(l->lane) / 8 / VECTOR; }
static int group(const struct loop *l) { return parts(l) / l->times; }
static int vector(const struct loop *l) { return VEC(l->lane, 7); }

/* -- values -- */

ref
make_scalar(struct make *m, ref t)
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
		*to = ir_opx(m->r, i->op, i->ty, i->aux, i->v, i->imm, make_scalar(m, i->a), make_scalar(m, i->b),
		    make_scalar(m, i->c));
	return *to;
}

ref
make_plus(struct make *m, ref t, s64 k)
{
	return k ? ir_op(m->r, O_add, I64, t, ir_k(m->r, (u64)k), 0) : t;
}

/* In the last of the turns, or of those up to a store. */
static ref
last(struct make *m, ref t)
{
	return make_plus(m, make_scalar(m, t), loop_value(m->l, t).step * (m->l->turns / m->l->times - 1));
}

/* Its vector n. */
ref
make_lanes(struct make *m, ref t, int n)
{
	ref s;

	if (!t || loop_value(m->l, t).kind == PERLANE)
		return t ? m->part[loop_index(m->l, t)][n] : 0;
	s = make_scalar(m, t);
	if (!isk(s) && ty_isfloat(m->r->ins[s].ty))
		s = ir_opx(m->r, O_movfi, I64, 0, ty_lane(m->l->lane), 0, s, 0, 0);
	return ir_op(m->r, O_dup, vector(m->l), s, 0, 0);
}

/* -- memory -- */

static ref
access(struct make *m, int op, const struct ins *i, int ty, int n, ref datum)
{
	return ir_opx(m->r, op, ty, i->aux & AUX_SCALE, 1, i->imm + n * VECTOR, make_scalar(m, i->a), make_scalar(m, i->b),
	    datum);
}

/* All that the turns of a store load: whole vectors, or a part of one. */
void
make_load(struct make *m, const struct ins *i, int store, ref *to)
{
	static const u8 type[] = {[2] = I16, [4] = I32, [8] = I64};
	int bytes = m->l->turns / m->l->times * loop_bytes(i), lane = ty_isfloat(i->ty) ? i->ty : I64;
	int first = store * (bytes / VECTOR);

	for (int n = first; n < first + bytes / VECTOR; n++)
		to[n] = access(m, O_ld, i, VEC(lane, 7), n, 0);
	if (bytes < VECTOR)
		to[0] = ir_op(m->r, O_vfromi, V64, access(m, O_ld, i, type[bytes], 0, 0), 0, 0);
}

/* Vector n of the lanes of what was loaded. */
static ref
widened(struct make *m, const struct ins *i, const ref *loaded, int n)
{
	int bits = loop_bytes(i) * 8, ratio = ty_bits(m->l->lane) / bits, lane = bits == 8 ? I8 : bits == 16 ? I16 : I32;
	ref t = loaded[n / ratio];

	for (n %= ratio; ratio > 1; lane++) {
		ratio /= 2;
		t = ir_opx(m->r, i->op == O_lds ? O_vsxt : O_vzxt, VEC(lane + 1, 7), 0, lane, n / ratio, t, 0, 0);
		n %= ratio;
	}
	return t;
}

/* Lanes of t, from vector `first` on, cut to data of the type, in one vector. */
static ref
narrowed(struct make *m, ref t, int type, int first)
{
	ref v[PARTS] = {0};
	int count = group(m->l);

	for (int n = 0; n < count; n++)
		v[n] = make_lanes(m, t, first + n);
	if (ty_isfloat(m->l->lane))
		return v[0];
	for (int lane = m->l->lane; count > 1; lane--) {
		count /= 2;
		for (int n = 0; n < count; n++) {
			ref lo = ir_opx(m->r, O_vnarrow, VEC(lane - 1, 7), 0, lane, 0, v[2 * n], 0, 0);
			ref hi = ir_opx(m->r, O_vnarrow, VEC(lane - 1, 7), 0, lane, 0, v[2 * n + 1], 0, 0);

			v[n] = ir_op(m->r, O_vcat, VEC(type, 7), lo, hi, 0);
		}
	}
	return v[0];
}

/* -- the turns -- */

static int
isloaded(const struct loop *l)
{
	struct place s = loop_place(l, &l->ins[l->store]), p;
	s64 by;

	for (int k = 0; k < l->store; k++)
		if (loop_isload(&l->ins[k]) && (p = loop_place(l, &l->ins[k]), loop_apart(&p, &s, &by)) && !by)
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

static ref
field(struct make *m, const struct ins *i, struct field f, int n)
{
	struct fieldcode c = loop_fieldcode(m->l, i, f);
	ref t = make_lanes(m, i->a, n);

	if (c.left)
		t = ir_opx(m->r, O_shli, vector(m->l), 0, 0, c.left, t, 0, 0);
	if (c.right)
		t = ir_opx(m->r, f.sign ? O_sari : O_shri, vector(m->l), 0, 0, c.right, t, 0, 0);
	return t;
}

/* What the lanes of a difference's operands tell of it (loop_difference). */
static ref
apart(struct make *m, const struct ins *i, struct difference d, int n)
{
	int abs = i->op == O_abs, op = !abs ? O_vset : d.sign ? O_sabd : O_uabd, rel = d.sign ? R_LTS : R_LTU;

	return ir_opx(m->r, op, vector(m->l), 0, abs ? 0 : rel, 0, make_lanes(m, d.a, n), make_lanes(m, d.b, n), 0);
}

/* An operation on 32 bits takes constants as such. */
static ref
operand(struct make *m, const struct ins *i, ref t, int n)
{
	return make_lanes(m, isk(t) && i->ty == I32 ? ir_k(m->r, (u64)(s64)(s32)kval(m->r, t)) : t, n);
}

ref
make_part(struct make *m, const struct ins *i, int n)
{
	int ty = vector(m->l), w = ty_bits(m->l->lane), by;
	struct difference d;
	struct field f;

	if (loop_isload(i))
		return widened(m, i, m->loaded[i - m->l->ins], n);
	if (loop_difference(m->l, i, &d))
		return apart(m, i, d, n);
	if (loop_field(m->l, i, &f))
		return field(m, i, f, n);
	if (i->op == O_mov || i->op == O_get)
		return make_lanes(m, i->op == O_get ? loop_putbefore(m->l, i)->a : i->a, n);
	if (i->op == O_shl || i->op == O_rotr) {
		by = (int)kval(m->r, i->b);
		by = i->op == O_rotr ? -by & 31 : by < w ? by : w;
		return ir_opx(m->r, i->op == O_shl ? O_shli : O_roli, ty, 0, 0, by, make_lanes(m, i->a, n), 0, 0);
	}
	if (i->op == O_set) {
		ref mask = ir_opx(m->r, O_vset, ty, 0, loop_order(m->l, i), 0, operand(m, i, i->a, n), operand(m, i, i->b, n), 0);

		return ir_op(m->r, O_and, ty, mask, ir_op(m->r, O_dup, ty, ir_k(m->r, 1), 0, 0), 0);
	}
	return ir_opx(m->r, i->op, ty, i->aux, i->v, i->imm, operand(m, i, i->a, n), operand(m, i, i->b, n),
	    operand(m, i, i->c, n));
}

/* What is stored at once is loaded and computed. */
static void
compute(struct make *m, int store)
{
	const struct loop *l = m->l;

	for (int k = 0; k < l->n; k++)
		if (loop_isload(&l->ins[k]))
			make_load(m, &l->ins[k], store, m->loaded[k]);
	if (l->store >= 0 && raises(l) && !isloaded(l))
		access(m, O_ld, &l->ins[l->store], vector(l), store, 0);
	for (int n = store * group(l); n < (store + 1) * group(l); n++)
		for (int k = 0; k < l->n; k++)
			if (l->val[k].kind == PERLANE)
				m->part[k][n] = make_part(m, &l->ins[k], n);
}

/* The next vector is stored, if something is. */
static void
store(struct make *m)
{
	const struct loop *l = m->l;
	const struct ins *st = &l->ins[l->store];

	if (l->store >= 0)
		access(m, O_st, st, VEC(st->ty, 7), 0, narrowed(m, st->c, st->ty, m->stored));
	m->stored += group(l);
}

/* The lanes of v joined, in lane 0. */
static ref
across(struct make *m, int op, ref v)
{
	static const u8 how[O_COUNT] = {[O_add] = 1 + VRED_ADD, [O_smin] = 1 + VRED_SMIN, [O_smax] = 1 + VRED_SMAX,
		[O_umin] = 1 + VRED_UMIN, [O_umax] = 1 + VRED_UMAX};
	int ty = vector(m->l), bytes = ty_lanebits(ty) / 8;

	if (op == O_add || (how[op] && bytes < 8))
		return ir_opx(m->r, O_vred, ty, 0, 0, how[op] - 1, v, 0, 0);
	for (int half = VECTOR / 2; half >= bytes; half /= 2)
		v = ir_op(m->r, op, ty, v, ir_opx(m->r, O_vext, V8, 0, 0, half, v, 0, 0), 0);
	return v;
}

/* Its bytes, of which there is one vector, in two sums. */
static ref
bytes(struct make *m, ref t)
{
	const struct ins *i = &m->l->ins[loop_index(m->l, t)];
	struct difference d;

	if (i->op == O_abs && loop_difference(m->l, i, &d) && !d.sign)
		return ir_op(m->r, O_usad, V64, make_lanes(m, d.a, 0), make_lanes(m, d.b, 0), 0);
	return ir_op(m->r, O_usad, V64, make_lanes(m, t, 0), ir_op(m->r, O_dup, V64, ir_k(m->r, 0), 0, 0), 0);
}

/* All lanes of t that i joins, as a number. */
static ref
total(struct make *m, const struct ins *i, ref t)
{
	const struct loop *l = m->l;
	int ty = vector(l), sign = loop_sumsign(l, i, t), op = i->op == O_sub ? O_add : i->op;
	ref v = make_lanes(m, t, 0);

	if (loop_sumsbytes(l, i, t))
		return ir_opx(m->r, O_umov, I64, 0, I64, 0, ir_opx(m->r, O_vred, V64, 0, 0, VRED_ADD, bytes(m, t), 0, 0), 0, 0);
	for (int n = 1; n < parts(l); n++)
		v = ir_op(m->r, op, ty, v, make_lanes(m, t, n), 0);
	return ir_opx(m->r, sign ? O_smov : O_umov, I64, 0, l->lane, 0, across(m, op, v), 0, 0);
}

/* A sum after the turns. */
static ref
summed(struct make *m, ref t)
{
	const struct loop *l = m->l;
	const struct ins *i = &l->ins[loop_index(l, t)];
	int first = i->op != O_get && loop_value(l, i->a).kind == SUM;
	ref to;

	if (i->op == O_get)
		return make_scalar(m, t);
	to = summed(m, first ? i->a : i->b);
	if (i->op == O_sxt)
		return ir_opx(m->r, O_sxt, i->ty, 0, 0, i->imm, to, 0, 0);
	return ir_op(m->r, i->op, i->ty, to, total(m, i, first ? i->b : i->a), 0);
}

/* The last lane so far as the number it is. */
static ref
lastlane(struct make *m, ref t)
{
	const struct loop *l = m->l;
	int ty = vector(l), sign = !ty_isfloat(l->lane) && loop_putsign(l, t);
	ref u = m->part[loop_index(l, t)][m->stored - 1];

	u = ir_opx(m->r, sign ? O_smov : O_umov, I64, 0, l->lane, ty_nlanes(ty) - 1, u, 0, 0);
	return ty_isfloat(l->lane) ? ir_op(m->r, O_movif, l->lane, u, 0, 0) : u;
}

/* What the last turn puts. */
static ref
lastput(struct make *m, ref t)
{
	const struct ins *i = &m->l->ins[isk(t) ? 0 : loop_index(m->l, t)];

	switch (loop_value(m->l, t).kind) {
	case SCALAR:
		return last(m, t);
	case SUM:
		return summed(m, t);
	case FLAGS:
		return ir_op(m->r, i->op, i->ty, last(m, i->a), last(m, i->b), 0);
	case BOX:
		return ir_opx(m->r, O_fbox, i->ty, 0, i->v, 0, lastput(m, i->a), 0, 0);
	default:
		return lastlane(m, t);
	}
}

/* Whether nobody can see, where the next store faults, what the put has left in turns before: it comes before the
 * store in that one's turn as well. */
static int
isagain(const struct loop *l, int k)
{
	int got = 0;

	for (int g = 0; g < l->n; g++)
		got |= l->ins[g].op == O_get && l->ins[g].v == l->ins[k].v;
	return k < l->store && !got;
}

/* Variables are put once, as the last turn leaves them; those that count before the next store. */
static void
putlast(struct make *m)
{
	const struct loop *l = m->l;
	int end = m->stored == parts(l);
	ref to[BODY] = {0};

	for (int k = 0; k < l->n; k++)
		if (l->ins[k].op == O_put && l->put[l->ins[k].v] == k + 1 && (end || !isagain(l, k)))
			to[k] = lastput(m, l->ins[k].a);
	for (int k = 0; k < l->n; k++)
		if (to[k])
			ir_put(m->r, l->ins[k].ty, l->ins[k].v, to[k]);
}

/* -- blocks -- */

static void
go(struct make *m, int rel, ref a, u64 b, gaddr to)
{
	ir_opx(m->r, O_brc, I64, 0, rel, 0, a, ir_k(m->r, b), ir_k(m->r, to));
}

void make_go(struct make *m, int rel, ref a, u64 b) { go(m, rel, a, b, m->l->head + REST); }

static void
begin(struct make *m, int label, int turns)
{
	loop_begin(m->l, label, turns);
	memset(m->scalar, 0, sizeof m->scalar);
}

ref
make_address(struct make *m, const struct place *p)
{
	ref t = make_scalar(m, p->a), b = make_scalar(m, p->b);

	if (b)
		t = ir_op(m->r, O_add, I64, t, p->scale ? ir_op(m->r, O_shl, I64, b, ir_k(m->r, (u64)p->scale), 0) : b, 0);
	return t;
}

/* The store must not be where a later one of the turns loads: its distance from the load, less the lowest that is in
 * the way, is below `size` then.  If the pointers drift apart, all the turns must keep clear of each other. */
static void
keepapart(struct make *m)
{
	const struct loop *l = m->l;
	struct place s, p;
	s64 by, lowest, size;
	ref d;

	if (l->store >= 0)
		s = loop_place(l, &l->ins[l->store]);
	for (int k = 0; k < l->store; k++) {
		if (!loop_isload(&l->ins[k]))
			continue;
		p = loop_place(l, &l->ins[k]);
		if (loop_apart(&p, &s, &by))
			continue;
		lowest = loop_bytes(&l->ins[k]) == loop_bytes(&l->ins[l->store]) ? 1 : 1 - VECTOR;
		size = l->turns * loop_bytes(&l->ins[k]) - lowest;
		d = ir_op(m->r, O_sub, I64, make_address(m, &s), make_address(m, &p), 0);
		make_go(m, R_LTU, make_plus(m, d, by - lowest), (u64)size);
	}
}

/* What is tested has been moved on in its turn, as a rule: the distance from where it was is enough to ask for. */
ref
make_distance(struct make *m, int *moved)
{
	const struct loop *l = m->l;
	const struct ins *lo = &l->ins[isk(l->trip.lo) ? 0 : loop_index(l, l->trip.lo)];

	*moved = lo->op == O_add && isk(lo->b) && kval(m->r, lo->b) == (u64)l->trip.step;
	return ir_op(m->r, O_sub, I64, make_scalar(m, l->trip.hi), make_scalar(m, *moved ? lo->a : l->trip.lo), 0);
}

static void
enough(struct make *m)
{
	int moved;
	ref d = make_distance(m, &moved);

	make_go(m, R_LTU, d, (u64)(m->l->trip.step * (m->l->turns - !moved)));
}

void
make_fits(struct make *m, ref t, struct field f)
{
	ref s = make_scalar(m, t);

	ir_opx(m->r, O_brc, I64, 0, R_NE, 0, ir_opx(m->r, f.sign ? O_sxt : O_zxt, I64, 0, 0, f.bits, s, 0, 0), s,
	    ir_k(m->r, m->l->head + REST));
}

/* What is cut to 32 bits each turn (loop_cuts) has no more; what lanes are compared with is as short as they are. */
static void
narrow(struct make *m)
{
	const struct loop *l = m->l;
	struct field f;

	for (int k = 0; k < l->n && l->lane != N; k++) {
		const struct ins *i = &l->ins[k];

		if (i->op == O_get && l->val[k].kind == SUM && loop_cuts(l, i->v))
			make_fits(m, (ref)(l->first + k), (struct field){.bits = 32, .sign = 1});
		if (l->val[k].kind != PERLANE || (i->op != O_set && !loop_isextreme(i->op)))
			continue;
		if (loop_taken(l, i, i->a, &f))
			make_fits(m, i->a, f);
		if (loop_taken(l, i, i->b, &f))
			make_fits(m, i->b, f);
	}
}

void
make_head(struct make *m)
{
	const struct loop *l = m->l;

	ir_unblock(l->r);
	begin(m, HEAD, 0);
	if (l->trip.rel != R_NE)
		ir_opx(m->r, O_brc, I64, 0, l->trip.rel ^ 1, 0, make_scalar(m, l->trip.lo), make_scalar(m, l->trip.hi),
		    ir_k(m->r, l->head + REST));
	enough(m);
}

void
make_before(struct make *m)
{
	make_head(m);
	narrow(m);
	keepapart(m);
	ir_op(m->r, O_jmp, N, ir_k(m->r, m->l->head + TURNS), 0, 0);
}

void
make_turns(struct make *m)
{
	const struct loop *l = m->l;

	begin(m, TURNS, l->turns);
	for (int k = 0; k < l->n; k++)
		if (l->ins[k].op == O_insn)
			ir_append(m->r, ins_make(O_insn, N, 0, 0, -TURNS, 0, 0, 0));
}

/* A distance that has gone below 0, or is so large that it looks like that, is left to the tests after it. */
void
make_after(struct make *m, ref lo, ref hi, ref left)
{
	const struct loop *l = m->l;
	int ne = l->trip.rel == R_NE;

	if (ne)
		go(m, R_EQ, left, 0, l->exit);
	go(m, R_GES, left, (u64)(l->trip.step * l->turns), l->head + (l->uneven ? HEAD : TURNS));
	if (!ne)
		ir_opx(m->r, O_brc, I64, 0, l->trip.rel ^ 1, 0, lo, hi, ir_k(m->r, l->exit));
	ir_op(m->r, O_jmp, N, ir_k(m->r, l->head + REST), 0, 0);
	loop_begin(l, REST, 1);
	loop_turn(l, REST, l->head + REST);
}

static void
atonce(struct make *m)
{
	const struct loop *l = m->l;
	ref lo, hi, left;

	make_turns(m);
	for (int n = 0; n < l->times; n++)
		compute(m, n);
	for (m->stored = 0, store(m); m->stored < parts(l); store(m)) {
		putlast(m);
		memset(m->scalar, 0, sizeof m->scalar);
	}
	lo = last(m, l->trip.lo);
	hi = last(m, l->trip.hi);
	putlast(m);
	left = ir_op(m->r, O_sub, I64, hi, lo, 0);
	make_after(m, lo, hi, left);
}

void
loop_make(const struct loop *l)
{
	static struct make m;

	m.l = l;
	m.r = l->r;
	make_before(&m);
	atonce(&m);
}
