/* SPDX-License-Identifier: MIT */
/* carry.c - carries of sums and borrows of differences, which CF says for a while
 *
 * Guests without flags compare a sum with what was added, or what a difference was taken from with the difference.
 * x->cf.t is the sum or difference that CF belongs to as long as code ends at x->cf.at, x->cf.until the last
 * instruction that asks and can be answered.  So long EFLAGS are kept as for a value (keepflags). */
#include "backend/x86_64/int.h"

enum {
	NEAR = 24,                     /* how far ahead who asks is looked for */
	NOTMADE = VAL_DEAD | VAL_FOLD | VAL_PAIRED,
};

static int ismark(const struct ins *i) { return i->op == O_insn || i->op == O_nop; }

/* The relation i is the carry of t. */
static int
asks(const struct region *r, const struct ins *i, ref t)
{
	const struct ins *d = &r->ins[t];

	if ((i->op != O_set && i->op != O_brc) || (i->v != R_LTU && i->v != R_GEU) || i->ty != d->ty)
		return 0;
	if (d->op == O_add)
		return i->a == t && (i->b == d->a || i->b == d->b);
	return i->a == d->a && (i->b == d->b || i->b == t);
}

/* The value u is the carry of t. */
static int
iscarry(const struct region *r, ref u, ref t)
{
	return !isk(u) && r->ins[u].op == O_set && asks(r, &r->ins[u], t);
}

static int
isleft(const struct x86 *x, ref t)
{
	return !isk(t) && x->val[t].flags & VAL_FOLD && x->r->ins[t].op == O_set;
}

/* Instruction i takes the carry u of t from CF: it is left to it, or a summand. */
static int
takes(const struct x86 *x, const struct ins *i, ref u, ref t)
{
	return iscarry(x->r, u, t) && (isleft(x, u) || i->op == O_add || (i->op == O_sub && u == i->b));
}

/* Instruction n changes no EFLAGS if they are to be kept, at no great cost. */
static int
keeps(const struct x86 *x, int n)
{
	const struct ins *i = &x->r->ins[n];

	if (i->ty > I64)
		return ismark(i);
	switch (i->op) {
	case O_get: case O_put:
		return 1;
	case O_ld: case O_lds: case O_st:
		return !(i->aux & ~AUX_SCALE);
	case O_mul: case O_mulhu:
		return x86feat.bmi2 && i->ty >= (i->op == O_mul ? I32 : I64);
	case O_sxt: case O_zxt:
		return i->ty >= I32 && (i->imm == 8 || i->imm == 16 || i->imm == 32);
	case O_add:
		return i->ty >= I32 && !(x->val[n].flags & VAL_MAKES) && !isleft(x, i->a) && !isleft(x, i->b);
	}
	return 0;
}

/* Some instruction not after the last one asks for the carry of instruction n. */
static int
isasked(const struct region *r, int n, int last)
{
	for (int k = n + 1; k <= last && k <= n + NEAR; k++)
		if (asks(r, &r->ins[k], (ref)n))
			return 1;
	return 0;
}

/* What keeps() is about, before it is planned. */
static int
isquiet(const struct region *r, int n)
{
	const struct ins *i = &r->ins[n];

	switch (i->op) {
	case O_get: case O_put: case O_set:
		return 1;
	case O_ld: case O_lds: case O_st:
		return !(i->aux & ~AUX_SCALE);
	case O_mul: case O_mulhu:
		return x86feat.bmi2 && i->ty == I64;
	case O_add:
		return i->ty >= I32 && !isasked(r, n, n + NEAR);
	}
	return ismark(i);
}

/* Instruction n finds the relation t in CF. */
static int
istold(const struct region *r, ref t, int n)
{
	int k;

	if (isk(t) || r->ins[t].op != O_set || isk(r->ins[t].a))
		return 0;
	k = r->ins[t].a;
	if (r->ins[k].op != O_add || !asks(r, &r->ins[t], (ref)k))
		return 0;
	do
		k++;
	while (k < n && isquiet(r, k));
	return k == n;
}

int
x_carrytold(const struct region *r, ref t, int n)
{
	const struct ins *i = &r->ins[n];

	if (i->op != O_add || i->ty < I32)
		return 0;
	return istold(r, t, n) || (r->ins[t].op == O_add && istold(r, i->a == t ? i->b : i->a, n));
}

/* The last instruction that finds the carry of t, being made, in CF. */
static int
lastasker(const struct x86 *x, ref t)
{
	const struct region *r = x->r;
	int end = x->b->first + x->b->n, until = 0;

	for (int k = t + 1; k < end && k <= t + NEAR; k++) {
		const struct ins *i = &r->ins[k];

		if (x->val[k].flags & NOTMADE)
			continue;
		if (takes(x, i, i->a, t) || takes(x, i, i->b, t) || (i->op == O_brc && asks(r, i, t)))
			return k;
		if (i->op == O_set && asks(r, i, t))
			until = k;
		else if (!keeps(x, k) || (i->op == O_add && isasked(r, k, x->val[k].last)))
			break;
	}
	return until;
}

int
x_carrywanted(const struct x86 *x)
{
	const struct ins *i = &x->r->ins[x->i];
	int last = x->val[x->i].last;

	if (i->op == O_sub && !isk(i->a) && x->val[i->a].last > last)
		last = x->val[i->a].last;
	return i->ty >= I32 && i->ty <= I64 && isasked(x->r, x->i, last);
}

/* Temporary registers that hold nothing of use. */
static int
nfree(const struct x86 *x)
{
	int n = 0;

	for (int r = 0; r < NRTEMP; r++)
		n += !x->in[0][r] || !xlive(x, x->in[0][r]);
	return n;
}

/* The relation that asks for the carry just made, when CF is lost, is made now. */
static void
lateasker(struct x86 *x)
{
	const struct region *r = x->r;
	int end = x->b->first + x->b->n, looks = 0, d;

	for (int k = x->i + 1; k < end && k <= x->i + NEAR; k++) {
		const struct ins *i = &r->ins[k];

		looks |= i->op == O_get || (opinfo[i->op].traits & (READ | WRITE | EFF | LEAVE) && !ismark(i));
		if (k <= x->cf.until || i->op != O_set || !asks(r, i, (ref)x->i) || x->val[k].flags & NOTMADE)
			continue;
		if (nfree(x) < 2)
			return;
		x->lock[0] = 0;        /* the sum is made */
		if (looks)             /* at homes, before it */
			x->val[k].want = NOVAR;
		mov_ri(&x->a, d = xr_defx(x, (ref)k), 0);
		setcc_r(&x->a, i->v == R_LTU ? JB : JAE, d);
		x->val[k].flags |= VAL_PAIRED;
		x->cf.at = x->a.p;
		return;
	}
}

/* The last uses of t may be relations that CF will tell: it need not be kept for these. */
static void
giveup(struct x86 *x, ref t)
{
	const struct region *r = x->r;
	int last = x->i;

	if (isk(t) || x->val[t].last <= x->i || x->val[t].last > x->cf.until)
		return;
	for (int k = t + 1; k <= x->val[t].last; k++) {
		const struct ins *i = &r->ins[k];

		if (i->a != t && i->b != t && i->c != t)
			continue;
		if (asks(r, i, x->cf.t))
			continue;
		if (x->val[k].flags & VAL_FOLD)        /* it is for the value's user to use t */
			return;
		last = k > last ? k : last;
	}
	x->val[t].last = (u16)last;
	x->val[t].flags |= VAL_GIVEN;
}

void
x_carrymade(struct x86 *x, const struct ins *i)
{
	if (i != &x->r->ins[x->i] || isk(i->a))
		return;
	x->cf.t = (ref)x->i;
	x->cf.at = x->a.p;
	if (!x_carrywanted(x))
		return;
	x->cf.until = lastasker(x, x->cf.t);
	if (x->trusts) {
		giveup(x, x->cf.t);
		giveup(x, i->a);
		giveup(x, i->b);
	}
	lateasker(x);
}

int
x_carryknown(const struct x86 *x, const struct ins *i)
{
	return x->cf.t && x->cf.at == x->a.p && asks(x->r, i, x->cf.t);
}

int
x_carrykept(const struct x86 *x)
{
	const struct ins *i = &x->r->ins[x->i];

	return x->i < x->cf.until && x->cf.at == x->a.p && (keeps(x, x->i) || (i->op == O_set && x_carryknown(x, i)));
}

/* The sum being made is added to the carry that CF says, next but for moves: the number of that sum, or 0. */
int
x_carrynext(const struct x86 *x)
{
	const struct region *r = x->r;
	const struct ins *i = &r->ins[x->i], *n = i;
	int k = x->i;
	ref set;

	if (k >= x->cf.until || x->cf.at != x->a.p)
		return 0;
	do
		n = &r->ins[++k];
	while (k < x->cf.until && (ismark(n) || n->op == O_put || x->val[k].flags & NOTMADE));
	set = n->a == x->i ? n->b : n->a;
	if (n->op != O_add || n->ty != i->ty || x->val[k].flags & VAL_MAKES || (n->a != x->i && n->b != x->i))
		return 0;
	return iscarry(r, set, x->cf.t) && r->ins[set].v == R_LTU ? k : 0;
}
