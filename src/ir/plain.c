/* SPDX-License-Identifier: MIT */
/* plain.c - loops as they would be without flags: choices by what a comparison sets become what lanes have too
 *
 *   x < y ? x : y          the lesser one, and so on
 *   x < y ? s + 1 : s      s and the comparison's 0 or 1 together
 *   x - y < 0 ? y - x : x - y, and with 0 for y    what is left without the sign
 *   (x ^ s) - s, s being x's sign everywhere       the same
 *
 * This is for who makes lanes of the loop; the loop itself stays as it was. */
#include "ir/loop.h"

struct plain {
	const struct region *r;
	struct ins *ins; int n, first;
};

static struct ins none;

static struct ins *at(const struct plain *p, ref t) { return isk(t) || !t ? &none : &p->ins[t - p->first]; }
static int is(const struct plain *p, ref t, u64 k) { return isk(t) && kval(p->r, t) == k; }

static int
uses(const struct plain *p, ref t)
{
	int n = 0;

	for (int k = 0; k < p->n; k++)
		n += (p->ins[k].a == t) + (p->ins[k].b == t) + (p->ins[k].c == t);
	return n;
}

/* more is 1 more than s, for this choice alone; and comes after the comparison, so that it can take its place. */
static int
counts(const struct plain *p, const struct ins *cmp, ref more, ref s)
{
	const struct ins *i = at(p, more);

	return i->op == O_add && i > cmp && i->a == s && is(p, i->b, 1) && uses(p, more) == 1;
}

/* What is chosen is x if the comparison finds it not negative, and its opposite otherwise. */
static int
strips(const struct plain *p, const struct ins *cmp, int cc, ref yes, ref no)
{
	const struct ins *i = at(p, yes), *other = at(p, no);
	int left = i->op == O_sub && i->a == cmp->a && i->b == cmp->b && i->ty == cmp->ty;
	int self = cmp->a == yes && is(p, cmp->b, 0);
	int neg = other->op == O_neg && other->a == yes;

	neg |= i->op == O_sub && other->op == O_sub && other->a == i->b && other->b == i->a && i->ty == other->ty;
	return neg && other->ty == cmp->ty && (cc == CC_PL ? self || left : self && (cc == CC_GE || cc == CC_GT));
}

static void
choice(const struct plain *p, struct ins *sel)
{
	const struct ins *fcc = at(p, sel->a), *cmp = at(p, fcc->a);
	int rel, op, more;

	if (fcc->op != O_fcc || cmp->op != O_flsub || cmp->ty != sel->ty || sel->ty < I32 || sel->ty > I64)
		return;
	if (strips(p, cmp, fcc->v, sel->b, sel->c)) {
		*sel = ins_make(O_abs, sel->ty, 0, 0, 0, sel->b, 0, 0);
		return;
	}
	if ((rel = loop_ccrel(fcc->v)) < 0)
		return;
	if ((op = ir_extreme(cmp, rel, sel->b, sel->c))) {
		*sel = ins_make(op, sel->ty, 0, 0, 0, sel->b, sel->c, 0);
	} else if ((more = counts(p, cmp, sel->b, sel->c)) || counts(p, cmp, sel->c, sel->b)) {
		ref s = more ? sel->c : sel->b, t = more ? sel->b : sel->c;

		*at(p, t) = ins_make(O_set, cmp->ty, 0, more ? rel : rel ^ 1, 0, cmp->a, cmp->b, 0);
		*sel = ins_make(O_add, sel->ty, 0, 0, 0, s, t, 0);
	}
}

/* A sign from above the word is as good, if the number is one that a word holds. */
static void
signless(const struct plain *p, struct ins *sub)
{
	const struct ins *x = at(p, sub->a), *s = at(p, sub->b), *d = at(p, x->a);
	int bits = ty_bits(sub->ty), word = (d->op == O_sxt && d->imm <= 32) || (d->op == O_lds && d->v <= 32);

	if (sub->ty >= I32 && sub->ty <= I64 && x->op == O_xor && x->b == sub->b && s->op == O_sar && s->a == x->a &&
	    (s->ty == sub->ty || (bits == 32 && word)) && x->ty >= sub->ty && is(p, s->b, (u64)bits - 1))
		*sub = ins_make(O_abs, sub->ty, 0, 0, 0, x->a, 0, 0);
}

void
loop_plain(struct loop *l)
{
	static struct ins plain[BODY]; /* compile is never entered twice at a time */
	struct plain p = {l->r, plain, l->n, l->first};

	memcpy(plain, l->ins, (size_t)l->n * sizeof *plain);
	l->ins = plain;
	for (int k = 0; k < l->n; k++)
		if (plain[k].op == O_sel)
			choice(&p, &plain[k]);
		else if (plain[k].op == O_sub)
			signless(&p, &plain[k]);
}
