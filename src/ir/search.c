/* SPDX-License-Identifier: MIT */
/* search.c - loops that look for the highest byte of a word that is not 0
 *
 * So C libraries count leading and trailing zeros on machines without an instruction for it, and compressors live
 * by that.  A turn shifts a word v right by i, which goes down by 8, and leaves if the lowest byte is not 0; else it
 * goes on until i is 0.  It computes nothing but from v and i, so turns that find 0 can be left out: who
 * comes with the i of the first turn does the one that finds something, or the last.
 *
 * There are two forms: the test of the byte in the middle of the loop's block, or in a block before it, which only
 * does that.  */
#include "ir/loop.h"

enum { STEP = 8, TOP = 56 };           /* what i goes down by, and begins with */

struct search {
	const struct loop *l;
	const struct ins *x, *next;    /* i before and after the turn's step */
	const struct ins *byte;
	int v, i;                      /* variables */
	int late;                      /* v is shifted by the new i; the byte is tested in the block before */
};

static const struct ins *
of(const struct search *s, ref t)
{
	return isk(t) || !t ? &s->l->r->ins[0] : &s->l->ins[loop_index(s->l, t)];
}

static int is(const struct search *s, ref t, u64 k) { return isk(t) && kval(s->l->r, t) == k; }

static int
isnonzero(const struct search *s, const struct ins *i)
{
	return i->op == O_brc && i->v == R_NE && i->ty == I64 && is(s, i->b, 0);
}

/* The lowest byte of a shifted word. */
static int
isbyte(struct search *s, const struct ins *i)
{
	const struct ins *w = of(s, i->a), *v, *by;

	if ((i->op != O_zxt || i->imm != 8) && (i->op != O_and || !is(s, i->b, 0xff)))
		return 0;
	if (w->op != O_shr || w->ty != I64 || isk(w->a) || isk(w->b))
		return 0;
	v = of(s, w->a);
	by = of(s, w->b);
	if (v->op != O_get || v->v == s->i || (by != s->x && by != s->next))
		return 0;
	s->v = v->v;
	s->late = by == s->next;
	s->byte = i;
	return 1;
}

/* The branch back, while i is not 0. */
static int
counts(struct search *s)
{
	const struct ins *last = &s->l->ins[s->l->n - 1];

	if (!isnonzero(s, last) || isk(last->a))
		return 0;
	s->next = of(s, last->a);
	if (s->next->op != O_add || s->next->ty != I64 || !is(s, s->next->b, (u64)-STEP) || isk(s->next->a))
		return 0;
	s->x = of(s, s->next->a);
	s->i = s->x->v;
	return s->x->op == O_get;
}

/* Puts of the turn change neither v nor, but by the step, i; and nothing else is read. */
static int
onlythat(const struct search *s)
{
	int steps = 0, tests = 0;

	for (int k = 0; k < s->l->n - 1; k++) {
		const struct ins *i = &s->l->ins[k];

		if (i->op == O_put && i->v == s->i)
			steps += of(s, i->a) == s->next ? 1 : 2;
		else if (i->op == O_put ? i->v == s->v : i->op == O_get ? i->v != s->i && i->v != s->v : 0)
			return 0;
		else if (i->op == O_brc)
			tests += isnonzero(s, i) && of(s, i->a) == s->byte && !steps ? 1 : 2;
		else if (i->op != O_put && i->op != O_get && i->op != O_insn && i->op != O_nop &&
		    !(opinfo[i->op].traits & PURE))
			return 0;
	}
	return steps == 1 && tests == !s->late;
}

/* Whether the block before tests the byte, and goes on to the loop. */
static int
tested(const struct search *s)
{
	const struct region *r = s->l->r;
	const struct block *b = r->open - 1;
	const struct ins *at = &r->ins[b->first], *end = at + b->n;
	int var = -1;

	for (int k = 0; k < s->l->n; k++)
		if (s->l->ins[k].op == O_put && of(s, s->l->ins[k].a) == s->byte)
			var = s->l->ins[k].v;
	while (at < end && at->op == O_insn)
		at++;
	if (end - at < 3 || at->op != O_get || at->v != var || !isnonzero(s, at + 1) || at[1].a != at - r->ins)
		return 0;
	for (at += 2; at < end - 1 && at->op == O_insn; at++)
		;
	return at == end - 1 && at->op == O_jmp && kval(r, at->a) == s->l->head;
}

/* The i of the turn that finds something, or the last, whose byte counts as one that is not 0. */
static ref
found(const struct search *s)
{
	struct region *r = s->l->r;
	ref v = ir_get(r, I64, s->v), j;

	if (s->late)                   /* the byte above has been looked at, and the lowest will be */
		v = ir_op(r, O_shl, I64, v, ir_k(r, STEP), 0);
	j = ir_op(r, O_clz, I64, ir_op(r, O_or, I64, v, ir_k(r, 1 << STEP), 0), 0, 0);
	return ir_op(r, O_and, I64, ir_op(r, O_xor, I64, j, ir_k(r, 63), 0), ir_k(r, TOP), 0);
}

static void
make(const struct search *s, gaddr again)
{
	const struct loop *l = s->l;
	struct region *r = l->r;

	ir_unblock(r);
	loop_begin(l, HEAD, 0);
	ir_opx(r, O_brc, I64, 0, R_NE, 0, ir_get(r, I64, s->i), ir_k(r, TOP), ir_k(r, l->head + REST));
	ir_op(r, O_jmp, N, ir_k(r, l->head + TURNS), 0, 0);
	loop_begin(l, TURNS, 1);
	ir_put(r, I64, s->i, found(s));
	loop_turn(l, TURNS, again);
	ir_op(r, O_jmp, N, ir_k(r, l->exit), 0, 0);
	loop_begin(l, REST, 1);
	loop_turn(l, REST, again);
}

int
loop_search(struct loop *l)
{
	gaddr to = kval(l->r, l->ins[l->n - 1].c);
	struct search s = {.l = l};

	if (!counts(&s))
		return 0;
	for (int k = 0; k < l->n && !s.byte; k++)
		isbyte(&s, &l->ins[k]);
	if (!s.byte || !onlythat(&s) || (s.late ? to == l->head || !tested(&s) : to != l->head))
		return 0;
	make(&s, s.late ? to : l->head + REST);
	return 1;
}
