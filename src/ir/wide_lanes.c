/* SPDX-License-Identifier: MIT */
/* wide_lanes.c - words put together from equal computations (see wide.c)
 *
 * What is written with vectors of eight bytes is compiled for machines without them lane by lane: each lane is taken
 * out of a word or loaded, computed in a register of its own, and put in its place by shifts and ors.  Such a word is
 * computed at once here, on a vector of which the upper half is not looked at.
 *
 * Bytes and halfwords only, four lanes or eight.  A lane is the low bits of a number; of what is computed on numbers
 * mostly only the low bits of the operands matter (LOW), else the operands must be numbers that the lanes hold.
 *
 * Before it puts a lane in its place, a compiler masks what is there with a number that it keeps in a register.  What
 * it is, is not known; but (lanes & m0 | lane) & m1 | lane ... is lanes & (m0 | ones) & m1 | ones ..., and one such
 * mask does for all words that are made so. */
#include "ir/wide.h"

enum { DEEP = 8, LANES = 8 };

/* What an operand must be: its low bits do; it is a number that a lane holds, with a sign or without. */
enum how { LOW, SIGNED, UNSIGNED };

/* Bits at.. of src, extended. */
struct field { ref src; int at, bits, sign; };

/* What a lane is made of; as is its operation's vector form, with rel in v. */
struct node { int op, v, imm, how; ref a, b; };

struct lanes {
	struct pass *p;
	ref root, first;               /* first: of what puts the lanes together */
	int bits, n;                   /* of a lane; lanes */
	int trial;                     /* nothing is made */
	int made, saved;               /* instructions */
	struct loads *want; int nwant; /* if not 0: for loads that would be lanes if they were one */
};

static const struct ins *
at(const struct pass *p, ref t)
{
	return t < p->r->nins ? &p->r->ins[t] : &p->more[t - p->r->nins].i;
}

/* -- fields -- */

/* `bits` bits of *f from bit v up, extended; 0: that is no field. */
static int
extract(struct field *f, int v, int bits, int sign)
{
	if (v >= f->bits)
		return 0;
	f->at += v;
	f->bits -= v;
	if (bits <= f->bits) {
		f->bits = bits;
		f->sign = sign;
		return 1;
	}
	return sign || !f->sign;
}

/* What number t is; itself, if nothing else. */
static struct field
look(const struct pass *p, ref t, int depth)
{
	const struct ins *i = at(p, t);
	struct field self = {.src = t, .bits = 64}, f;
	int fine = 0;
	u64 m;

	if (isk(t))
		return self;
	if (i->op == O_lds && i->ty == I64)
		return (struct field){.src = t, .bits = i->v, .sign = 1};
	self.bits = ir_type(i) <= I64 ? ty_bits(ir_type(i)) : 0;
	if (!depth || !i->a || isk(i->a) || (i->ty != I64 && i->ty != I32))
		return self;
	f = look(p, i->a, depth - 1);
	m = isk(i->b) ? kval(p->r, i->b) : 0;
	switch (i->op) {
	case O_zxt: case O_bfx:
		self.bits = i->imm;
		fine = extract(&f, i->op == O_bfx ? i->v : 0, i->imm, 0);
		break;
	case O_sxt: case O_sbfx:
		fine = i->ty == I64 && extract(&f, i->op == O_sbfx ? i->v : 0, i->imm, 1);
		break;
	case O_shr: case O_sar:
		if (isk(i->b) && i->ty == I64 && m < 64)
			fine = extract(&f, (int)m, 64 - (int)m, i->op == O_sar);
		break;
	case O_and:
		if (m)
			self.bits = 64 - __builtin_clzll(m);
		fine = m && !(m & (m + 1)) && extract(&f, 0, self.bits, 0);
		break;
	}
	return fine ? f : self;
}

/* The number, or another of the same low bits. */
static ref
stripped(const struct lanes *l, ref t)
{
	const struct ins *i;

	while (!isk(t) && (i = at(l->p, t), i->op == O_zxt || i->op == O_sxt) && i->imm >= l->bits)
		t = i->a;
	return t;
}

/* Whether the lanes are fields of one value, each as far from the one before as they are wide: *f the lowest.  None is
 * wider then, for the highest ends with the value. */
static int
arefields(const struct lanes *l, const ref *v, int how, struct field *f)
{
	for (int k = 0; k < l->n; k++) {
		struct field g = look(l->p, how == LOW ? stripped(l, v[k]) : v[k], DEEP);

		if (how == LOW && g.bits > l->bits)
			g.bits = l->bits;
		if (!g.bits || (how == UNSIGNED && g.sign) || (how == SIGNED && !g.sign && g.bits == l->bits))
			return 0;
		g.sign &= g.bits < l->bits;
		g.at -= k * l->bits;
		*f = k ? *f : g;
		if (isk(g.src) || g.src != f->src || g.at != f->at || g.bits != f->bits || g.sign != f->sign)
			return 0;
	}
	return 1;
}

/* -- making -- */

static int vector(const struct lanes *l) { return l->bits == 8 ? V8 : V16; }

/* The value of i, before the root; what was made before need not be made again. */
static ref
emit(struct lanes *l, struct ins i)
{
	struct pass *p = l->p;

	if (isk(i.a) && isk(i.b))
		return ir_k(p->r, ir_value(i.op, I64, kval(p->r, i.a), kval(p->r, i.b), 0, 0, 0));
	for (int n = p->mine; n < p->nmore; n++)
		if (!memcmp(&p->more[n].i, &i, sizeof i))
			return (ref)(p->r->nins + n);
	l->made++;
	return l->trial ? l->root : wide_before(p, l->root, i);
}

static ref
word(struct lanes *l, int op, ref a, ref b)
{
	return emit(l, ins_make(op, I64, 0, 0, 0, a, b, 0));
}

/* The low k bits of each lane. */
static ref
ones(const struct lanes *l, int k)
{
	u64 m = ~(u64)0 >> (64 - k);

	for (int n = l->bits; n < 64; n *= 2)
		m |= m << n;
	return ir_k(l->p->r, m);
}

static ref
lanewise(struct lanes *l, int op, int v, int imm, ref a, ref b)
{
	return emit(l, ins_make(op, vector(l), 0, v, imm, a, b, 0));
}

static ref
fromword(struct lanes *l, ref t)
{
	return emit(l, ins_make(O_vfromi, V64, 0, 0, 0, t, 0, 0));
}

/* Fields without a sign, as a word. */
static ref
fieldword(struct lanes *l, struct field f)
{
	ref t = f.at ? word(l, O_shr, f.src, ir_k(l->p->r, (u64)f.at)) : f.src;

	return f.bits < l->bits ? word(l, O_and, t, ones(l, f.bits)) : t;
}

static ref
fields(struct lanes *l, struct field f)
{
	int up = l->bits - f.at - f.bits;
	ref t;

	if (!f.sign)
		return fromword(l, fieldword(l, f));
	t = fromword(l, f.src);
	t = up ? lanewise(l, O_shli, 0, up, t, 0) : t;
	return lanewise(l, O_sari, 0, l->bits - f.bits, t, 0);
}

/* The low bits of constants. */
static ref
constants(struct lanes *l, const ref *v)
{
	u64 m = 0;

	for (int k = 0; k < l->n; k++) {
		if (!isk(v[k]))
			return 0;
		m |= (kval(l->p->r, v[k]) & ~(u64)0 >> (64 - l->bits)) << k * l->bits;
	}
	return fromword(l, ir_k(l->p->r, m));
}

/* -- operations -- */

/* The low bits of its value are made of those of its operands. */
static int
islow(int op)
{
	switch (op) {
	case O_add: case O_sub: case O_mul: case O_and: case O_or: case O_xor: case O_andn: case O_orn: case O_not: case O_neg:
		return 1;
	}
	return 0;
}

/* How the operands of a comparison must be. */
static int
compared(const struct lanes *l, const struct ins *set)
{
	switch (set->v) {
	case R_LTS: case R_GES: case R_LES: case R_GTS:
		return SIGNED;
	case R_LTU: case R_GEU: case R_LEU: case R_GTU:
		return UNSIGNED;
	case R_EQ: case R_NE:
		return look(l->p, set->a, DEEP).sign ? SIGNED : UNSIGNED;
	}
	return LOW;
}

/* Whether t is the lesser or the greater of two. */
static int
chosen(const struct lanes *l, const struct ins *sel, const struct ins *set, struct node *x)
{
	int how = compared(l, set), more = set->v == R_GES || set->v == R_GTS || set->v == R_GEU || set->v == R_GTU;

	if (set->op != O_set || how == LOW || set->v == R_EQ || set->v == R_NE)
		return 0;
	if (sel->b == set->b && sel->c == set->a)
		more = !more;
	else if (sel->b != set->a || sel->c != set->b)
		return 0;
	*x = (struct node){.op = how == SIGNED ? more ? O_smax : O_smin : more ? O_umax : O_umin, .how = how, .a = set->a,
	    .b = set->b};
	return 1;
}

static int
operation(const struct lanes *l, ref t, struct node *x)
{
	const struct ins *i = at(l->p, t), *set;
	u64 by;

	if (isk(t) || (i->ty != I32 && i->ty != I64))
		return 0;
	set = at(l->p, isk(i->a) ? t : i->a);
	*x = (struct node){.op = i->op, .a = i->a, .b = i->b};
	switch (i->op) {
	case O_sel:
		return chosen(l, i, set, x);
	case O_shl:
		by = isk(i->b) ? kval(l->p->r, i->b) : 64;
		*x = (struct node){.op = O_shli, .imm = (int)by, .a = i->a};
		return by < (u64)l->bits;
	case O_neg:
		if (set->op == O_set && (x->how = compared(l, set)) != LOW)
			*x = (struct node){.op = O_vset, .v = set->v, .how = x->how, .a = set->a, .b = set->b};
		return 1;
	}
	return islow(i->op);
}

static int
alike(const struct lanes *l, ref s, ref t)
{
	ref x = look(l->p, s, DEEP).src, y = look(l->p, t, DEEP).src;

	return isk(x) || isk(y) ? isk(x) && isk(y) : x == y || at(l->p, x)->op == at(l->p, y)->op;
}

/* -- lanes -- */

/* Loads of neighbours would be fields if they were one. */
static ref
loads(struct lanes *l, const ref *v)
{
	struct bytes b;

	for (int k = 0; k < 8; k++) {
		ref t = look(l->p, v[k * 8 / l->bits], DEEP).src;

		if (isk(t) || t >= l->p->r->nins || wide_plain(at(l->p, t)) * 8 != l->bits)
			return 0;
		b.from[k] = t;
		b.at[k] = (u8)(k % (l->bits / 8));
	}
	return l->want && l->nwant < WANTED && wide_neighbours(l->p, &b, 8, &l->want[l->nwant++]) ? l->root : 0;
}

/* The operations of the lanes, if they are one; their operands. */
static int
isone(const struct lanes *l, const ref *v, struct node *x, ref *a, ref *b)
{
	struct node y;

	for (int k = 0; k < l->n; k++) {
		if (!operation(l, stripped(l, v[k]), &y))
			return 0;
		if (!k)
			*x = y;
		if (y.op != x->op || y.v != x->v || y.imm != x->imm)
			return 0;
		if ((opinfo[y.op].traits & COMM) && !alike(l, x->a, y.a) && alike(l, x->a, y.b))
			y = (struct node){.a = y.b, .b = y.a};
		a[k] = y.a;
		b[k] = y.b;
	}
	return 1;
}

/* The vector of these lanes, or 0. */
static ref
make(struct lanes *l, const ref *v, int how, int depth)
{
	ref a[LANES] = {0}, b[LANES] = {0}, s, t;
	struct field f;
	struct node x = {0};

	l->saved += l->n;
	if (arefields(l, v, how, &f))
		return fields(l, f);
	if ((t = loads(l, v)) || (how == LOW && (t = constants(l, v))))
		return t;
	if (how != LOW || !depth || !isone(l, v, &x, a, b) || !(s = make(l, a, x.how, depth - 1)))
		return 0;
	t = x.b ? make(l, b, x.how, depth - 1) : 0;
	return t || !x.b ? lanewise(l, x.op, x.v, x.imm, s, t) : 0;
}

/* -- words -- */

/* t is lane k; returns what a mask lets through. */
static ref
lane(struct lanes *l, ref t, u64 k, ref *v)
{
	struct field f = look(l->p, t, DEEP);
	u64 m = ~(u64)0 >> (64 - l->bits);

	if (v[k] || (k < (u64)l->n - 1 && (f.sign || f.bits > l->bits)))
		return 0;
	v[k] = t;
	return ir_k(l->p->r, m << k * (u64)l->bits);
}

static int
isunknown(const struct pass *p, ref t)
{
	return !isk(t) && at(p, t)->ty == I64 && (at(p, t)->op == O_get || at(p, t)->op == O_ld);
}

/* The operand of i that is a mask upon the other, or 0. */
static ref
mask(const struct pass *p, const struct ins *i)
{
	if (i->op != O_and || i->ty != I64 || isk(i->a))
		return 0;
	if (isunknown(p, i->b) || (isk(i->b) && at(p, i->a)->op == O_or))
		return i->b;
	return isunknown(p, i->a) ? i->a : 0;
}

/* Takes t apart into lanes; returns the mask that is upon them, or 0. */
static ref
apart(struct lanes *l, ref whole, int depth, ref *v)
{
	const struct ins *i = at(l->p, whole);
	ref m, t;
	u64 by;

	if (isk(whole) || !depth)
		return 0;
	l->first = whole < l->first ? whole : l->first;
	l->saved++;
	if (i->op == O_or && i->ty == I64)
		return (m = apart(l, i->a, depth - 1, v)) && (t = apart(l, i->b, depth - 1, v)) ? word(l, O_or, m, t) : 0;
	if ((t = mask(l->p, i)))
		return (m = apart(l, t == i->b ? i->a : i->b, depth - 1, v)) ? word(l, O_and, t, m) : 0;
	if (i->op == O_shl && i->ty == I64 && isk(i->b) && (by = kval(l->p->r, i->b) & 63) % (u64)l->bits == 0)
		return lane(l, i->a, by / (u64)l->bits, v);
	return lane(l, whole, 0, v);
}

/* The lanes together, without their mask. */
static ref
together(struct lanes *l, const ref *v)
{
	struct field f;
	ref t;

	if (arefields(l, v, LOW, &f) && !f.sign)
		return fieldword(l, f);
	t = make(l, v, LOW, DEEP);
	return t ? emit(l, ins_make(O_umov, I64, 0, I64, 0, t, 0, 0)) : 0;
}

/* Whether an access may show parts of it before it is whole; those must be made then in any case.  Loads are brought
 * up to those that are wanted. */
static int
isshown(const struct lanes *l)
{
	for (ref t = l->first; t < l->root; t++) {
		const struct ins *i = at(l->p, t);

		if (!wide_passes(i) && !(l->want && i->op != O_st && wide_plain(i)))
			return 1;
	}
	return 0;
}

/* The root's value; 0: it is no such word. */
static ref
rebuilt(struct lanes *l)
{
	ref v[LANES] = {0}, m, t;

	l->made = l->saved = 0;
	if (!(m = apart(l, l->root, 3 * LANES, v)))
		return 0;
	for (int k = 0; k < l->n; k++)
		if (!v[k])
			return 0;
	if (isshown(l))
		return 0;
	t = together(l, v);
	return t && !(isk(m) && kval(l->p->r, m) == ~(u64)0) ? word(l, O_and, t, m) : t;
}

/* Whether t may be one: the highest lane is put in its place. */
static int
begin(struct lanes *l, struct pass *p, ref t)
{
	const struct ins *i = &p->r->ins[t], *up;
	u64 by;

	if (i->op != O_or || i->ty != I64 || isk(i->a) || isk(i->b))
		return 0;
	up = at(p, at(p, i->b)->op == O_shl ? i->b : i->a);
	by = up->op == O_shl && up->ty == I64 && isk(up->b) ? kval(p->r, up->b) : 0;
	*l = (struct lanes){.p = p, .root = t, .first = t, .bits = 64 - (int)by, .n = by == 48 ? 4 : 8, .trial = 1};
	return by == 48 || by == 56;
}

int
wide_wanted(struct pass *p, ref t, struct loads *want)
{
	struct lanes l;

	if (!begin(&l, p, t))
		return -1;
	l.want = want;
	return rebuilt(&l) ? l.nwant : -1;
}

ref
wide_lanes(struct pass *p, ref t)
{
	struct lanes l;

	if (!begin(&l, p, t) || !rebuilt(&l) || l.made >= l.saved || p->nmore + l.made > MORE)
		return 0;
	l.trial = 0;
	return rebuilt(&l);
}
