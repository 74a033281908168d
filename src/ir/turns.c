/* SPDX-License-Identifier: MIT */
/* turns.c - small loops that only read: some turns one after another before anybody may look
 *
 * A loop of one block that stores nothing, and of whose turns it is known how many are left, is put before itself
 * with some of them in a row, whatever it computes.  What the first have put is what the others get: variables are put
 * once, pointers that step are displacements.  If an access faults none of the turns has happened, as for vectors
 * (loop.c), and sticky flags that earlier ones have raised are those that they will raise again. */
#include "ir/loop.h"

enum { ROW = 8, SMALL = 28 };          /* turns; instructions that are worth having so often */

struct row {
	struct make m;
	ref first[BODY], now[BODY];    /* values of the first turn, of this one */
	ref var[256];                  /* what variables have been put, or 0 */
	int lastload;
};

/* -- the loop -- */

/* Whether a get finds what was last put as it is. */
static int
serves(const struct loop *l, const struct ins *get, const struct ins *put)
{
	const struct ins *i = isk(put->a) ? 0 : &l->ins[loop_index(l, put->a)];
	int ty = i ? ir_type(i) : I64;

	return put->ty == get->ty && (ty == get->ty || (get->ty == I64 && ty < I64 && i->op != O_get));
}

/* Of a get, the last put of the variable in the turn or in the one before. */
static int
reads(const struct loop *l, const struct ins *get)
{
	const struct ins *put = loop_putbefore(l, get);

	return (!put || serves(l, get, put)) && (!l->put[get->v] || serves(l, get, &l->ins[l->put[get->v] - 1]));
}

static int
may(struct loop *l, int k)
{
	const struct ins *i = &l->ins[k];

	switch (i->op) {
	case O_ld: case O_lds:
		return !(i->aux & ((1 << AUX_BASE) - 1) & ~AUX_SCALE);
	case O_insn: case O_nop:
		return 1;
	case O_put:
		l->put[i->v] = (u8)(k + 1);
		return 1;
	case O_get:
		return 1;
	}
	return !(opinfo[i->op].traits & (READ | WRITE | EFF | LEAVE | END));
}

static int
understood(struct loop *l)
{
	struct ins last = l->ins[l->n - 1];

	l->lane = N;
	l->turns = ROW;
	for (int k = 0; k < l->n - 1; k++)
		if (!may(l, k))
			return 0;
	for (int k = 0; k < l->n - 1; k++) {
		if (l->ins[k].op == O_get && !reads(l, &l->ins[k]))
			return 0;
		if (!loop_isload(&l->ins[k]))
			loop_look(l, k);
	}
	return loop_relation(l, &last) && loop_trip(l, &last);
}

/* -- the turns -- */

static const struct ins *at(const struct row *w, ref t) { return &w->m.l->ins[loop_index(w->m.l, t)]; }

/* The value of an operand in a turn, as an operation on ty sees it: what is loaded is extended where that counts. */
static ref
value(const struct row *w, const ref *of, ref t, int ty)
{
	const struct ins *i;
	ref u;

	if (!t || isk(t))
		return t;
	i = at(w, t);
	u = of[loop_index(w->m.l, t)];
	if (i->op == O_lds)
		return ty == I32 && i->v == 32 ? u : ir_opx(w->m.r, O_sxt, i->ty, 0, 0, i->v, u, 0, 0);
	i = &w->m.r->ins[u & ~REF_K];
	return ty == I32 && !isk(u) && i->op == O_sxt && i->imm == 32 && ir_type(&w->m.r->ins[i->a]) == I32 ? i->a : u;
}

static ref now(const struct row *w, ref t, int ty) { return value(w, w->now, t, ty); }
static ref first(const struct row *w, ref t) { return value(w, w->first, t, N); }

/* Whether the value steps from turn to turn. */
static int
steps(const struct row *w, ref t)
{
	return loop_value(w->m.l, t).kind == SCALAR;
}

/* The load in turn n, from the addresses of the first if they step. */
static ref
load(struct row *w, const struct ins *i, int n)
{
	static const u8 type[] = {[8] = I8, [16] = I16, [32] = I32};
	const struct loop *l = w->m.l;
	struct place p = {now(w, i->a, N), now(w, i->b, N), i->aux & AUX_SCALE, i->imm};
	s64 step;

	if (steps(w, i->a) && steps(w, i->b)) {
		p = loop_place(l, i);
		step = (s64)((u64)loop_value(l, i->a).step + ((u64)loop_value(l, i->b).step << p.scale));
		p = (struct place){first(w, p.a), first(w, p.b), p.scale, p.disp + step * n};
	}
	if (p.disp != (s32)p.disp) {
		p.a = make_plus(&w->m, p.a, p.disp);
		p.disp = 0;
	}
	return ir_opx(w->m.r, O_ld, i->op == O_lds ? type[i->v] : i->ty, p.scale, 1, (s32)p.disp, p.a, p.b, 0);
}

static ref
compute(struct row *w, const struct ins *i, int n)
{
	const struct loop *l = w->m.l;
	ref t = (ref)(l->first + (i - l->ins));
	const struct ins *put;

	if (n && steps(w, t))
		return make_plus(&w->m, first(w, t), loop_value(l, t).step * n);
	if (loop_isload(i))
		return load(w, i, n);
	if (i->op != O_get)
		return ir_opx(l->r, i->op, i->ty, i->aux, i->v, i->imm, now(w, i->a, i->ty), now(w, i->b, i->ty),
		    now(w, i->c, N));
	put = loop_putbefore(l, i);
	return put ? now(w, put->a, N) : w->var[i->v] ? w->var[i->v] : ir_get(l->r, i->ty, i->v);
}

/* What instructions from `from` up to `until` have put in the turn. */
static void
put(struct row *w, int n, int from, int until)
{
	const struct loop *l = w->m.l;

	for (int k = from; k < until; k++) {
		const struct ins *i = &l->ins[k];

		if (i->op != O_put || l->put[i->v] != k + 1)
			continue;
		w->var[i->v] = now(w, i->a, N);
		if (n == l->turns - 1)
			ir_put(l->r, i->ty, i->v, w->var[i->v]);
	}
}

/* Variables are put as soon as nothing is loaded any more. */
static void
turn(struct row *w, int n)
{
	const struct loop *l = w->m.l;

	for (int k = 0; k < l->n - 1; k++) {
		const struct ins *i = &l->ins[k];

		if (i->op != O_put && i->op != O_insn && i->op != O_nop)
			w->now[k] = compute(w, i, n);
		if (!n)
			w->first[k] = w->now[k];
		if (k == w->lastload)
			put(w, n, 0, k + 1);
		else if (k > w->lastload)
			put(w, n, k, k + 1);
	}
}

int
loop_turns(struct loop *l)
{
	static struct row w;           /* compile is never entered twice at a time */
	ref lo, hi;

	if (l->n > SMALL || !understood(l))
		return 0;
	w.m.l = l;
	w.m.r = l->r;
	w.lastload = 0;
	for (int k = 0; k < l->n; k++)
		if (loop_isload(&l->ins[k]))
			w.lastload = k;
	memset(w.var, 0, sizeof w.var);
	make_before(&w.m);
	make_turns(&w.m);
	for (int n = 0; n < l->turns; n++)
		turn(&w, n);
	lo = now(&w, l->trip.lo, N);
	hi = now(&w, l->trip.hi, N);
	make_after(&w.m, lo, hi, ir_op(l->r, O_sub, I64, hi, lo, 0));
	return 1;
}
