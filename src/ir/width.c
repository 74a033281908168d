/* SPDX-License-Identifier: MIT */
/* width.c - loops of integers (loop.c): how wide their lanes must be
 *
 * Guests compute on 32 or 64 bits what is loaded from bytes.  The low bits of a sum, a product, a mask are those of
 * its operands' low bits, so a narrow lane does, unless somebody looks at what is above: a shift to the right, a put,
 * a wider datum in memory.  These ask for a lane that holds the number itself; but how far two numbers are
 * apart, and which is less, is told by lanes that hold both, and bytes are summed up in wider ones.
 *
 * A span is what a value can be as a signed number: of 32 bits where its type is I32 (whose upper half is zero, so as
 * one of 64 bits it may be another), else of 64 bits. */
#include "ir/loop.h"

static const struct span full32 = {-((s128)1 << 31), ((s128)1 << 31) - 1};
static const struct span full64 = {-((s128)1 << 63), ((s128)1 << 63) - 1};

static struct span full(int w) { return w == 32 ? full32 : full64; }
static int within(struct span s, s128 lo, s128 hi) { return s.lo >= lo && s.hi <= hi; }
static int insigned(struct span s, int w) { return within(s, -((s128)1 << (w - 1)), ((s128)1 << (w - 1)) - 1); }
static int inunsigned(struct span s, int w) { return within(s, 0, ((s128)1 << w) - 1); }
static struct span wrapped(struct span s, int w) { return insigned(s, w) ? s : full(w); }

/* The n low bits as a signed number. */
static struct span
low(struct span s, int n)
{
	return insigned(s, n) ? s : (struct span){-((s128)1 << (n - 1)), ((s128)1 << (n - 1)) - 1};
}

static const struct ins *at(const struct loop *l, ref t) { return &l->ins[loop_index(l, t)]; }

/* What an operation on w bits sees of an operand. */
static struct span
seen(const struct loop *l, ref t, int w)
{
	struct value v = loop_value(l, t);
	s64 k;

	if (isk(t)) {
		k = (s64)kval(l->r, t);
		return w == 32 ? (struct span){(s32)k, (s32)k} : (struct span){k, k};
	}
	if (v.kind != PERLANE)
		return full(w);
	if (w == 64 && v.span.lo < 0 && ir_type(at(l, t)) == I32)
		return (struct span){0, ((s128)1 << 32) - 1};
	return w == 32 ? wrapped(v.span, 32) : v.span;
}

/* -- fields: what shifts to the right and extensions have in common -- */

int
loop_field(const struct loop *l, const struct ins *i, struct field *f)
{
	int w = ty_bits(i->ty);

	*f = (struct field){.bits = i->imm, .sign = i->op == O_sxt || i->op == O_sbfx || i->op == O_sar};
	switch (i->op) {
	case O_bfx: case O_sbfx:
		f->at = i->v;
		return 1;
	case O_sxt: case O_zxt:
		return 1;
	case O_shr: case O_sar:
		if (!isk(i->b) || kval(l->r, i->b) >= (u64)w)
			return 0;
		f->at = (int)kval(l->r, i->b);
		f->bits = w - f->at;
		return 1;
	}
	return 0;
}

/* The operand of a field as the number whose bits from f->at on are all that is asked for; *exact: it is. */
static struct span
source(const struct loop *l, ref t, struct field f, int *exact)
{
	struct span s = seen(l, t, 64);

	if (!f.sign) {
		*exact = s.lo >= 0 && s.hi >> f.at < (s128)1 << f.bits;
		return s;
	}
	if (f.at + f.bits <= 32 && !isk(t) && loop_value(l, t).kind == PERLANE)
		s = loop_value(l, t).span;
	*exact = insigned(s, f.at + f.bits);
	return low(s, f.at + f.bits);
}

static struct span
field_span(const struct loop *l, const struct ins *i, struct field f)
{
	int exact;
	struct span s = source(l, i->a, f, &exact);

	if (!exact && !f.sign)
		s = (struct span){0, ((s128)1 << f.bits) - 1};
	else
		s = (struct span){s.lo >> f.at, s.hi >> f.at};
	return i->ty == I32 && f.bits == 32 ? wrapped(s, 32) : s;
}

struct fieldcode
loop_fieldcode(const struct loop *l, const struct ins *i, struct field f)
{
	int w = ty_bits(l->lane), exact, top = f.at + f.bits;
	struct span s = source(l, i->a, f, &exact);
	int whole = exact && (f.sign ? insigned(s, w) : inunsigned(s, w));     /* the lane holds it */
	int most = f.sign ? w - 1 : w;

	if (!f.at && (f.bits >= w || exact))
		return (struct fieldcode){.can = 1};
	if (whole)
		return (struct fieldcode){.can = 1, .right = f.at < most ? f.at : most};
	return (struct fieldcode){.can = top <= w, .left = w - top, .right = w - f.bits};
}

/* -- comparisons -- */

int
loop_taken(const struct loop *l, const struct ins *i, ref t, struct field *f)
{
	ref lanes = t == i->a ? i->b : i->a;
	struct span s = loop_value(l, lanes).span;

	if (isk(t) || loop_value(l, t).kind != SCALAR || loop_value(l, lanes).kind != PERLANE || i->ty != I64)
		return 0;
	for (f->bits = 8; f->bits < 64; f->bits *= 2)
		if ((f->sign = !inunsigned(s, f->bits)) == 0 || insigned(s, f->bits))
			return 1;
	return 0;
}

/* What a comparison sees of an operand. */
static struct span
compared(const struct loop *l, const struct ins *i, ref t)
{
	struct field f;

	return loop_taken(l, i, t, &f) ? loop_datum(f.bits, f.sign) : seen(l, t, ty_bits(i->ty));
}

int
loop_order(const struct loop *l, const struct ins *set)
{
	static const u8 positive[] = {[R_LTS] = R_LTU, [R_GES] = R_GEU, [R_LES] = R_LEU, [R_GTS] = R_GTU};
	int w = ty_bits(l->lane), bits = ty_bits(set->ty), rel = set->v;
	struct span a = compared(l, set, set->a), b = compared(l, set, set->b);

	if (w >= bits)
		return w == bits ? rel : -1;
	if (insigned(a, w) && insigned(b, w))
		return rel;
	if (!inunsigned(a, w) || !inunsigned(b, w))
		return -1;
	return rel < (int)NELEM(positive) && positive[rel] ? positive[rel] : rel;
}

/* -- differences -- */

/* Whether i asks for nothing of its operand but the number without its sign, or the sign alone; *s: that number. */
static int
asks(const struct loop *l, const struct ins *i, struct span *s)
{
	struct field f;
	int exact;

	if (loop_value(l, i->a).kind != PERLANE)
		return 0;
	if (i->op == O_abs) {
		*s = seen(l, i->a, ty_bits(i->ty));
		return 1;
	}
	if (!loop_field(l, i, &f) || !f.sign)
		return 0;
	*s = source(l, i->a, f, &exact);
	return exact && s->lo >> f.at >= -1 && s->hi >> f.at <= 0;
}

int
loop_difference(const struct loop *l, const struct ins *i, struct difference *d)
{
	const struct ins *sub;
	int w = ty_bits(l->lane);
	struct span s, a, b;

	if (!asks(l, i, &s) || insigned(s, w))
		return 0;
	for (sub = at(l, i->a); sub->op == O_sxt || sub->op == O_mov;)
		sub = at(l, sub->a);
	if (sub->op != O_sub || loop_value(l, sub->a).kind != PERLANE || loop_value(l, sub->b).kind != PERLANE)
		return 0;
	a = seen(l, sub->a, ty_bits(sub->ty));
	b = seen(l, sub->b, ty_bits(sub->ty));
	*d = (struct difference){sub->a, sub->b, !inunsigned(a, w) || !inunsigned(b, w)};
	return s.lo == a.lo - b.hi && s.hi == a.hi - b.lo && (!d->sign || (insigned(a, w) && insigned(b, w)));
}

/* -- spans -- */

static struct span
product(struct span a, struct span b)
{
	s128 p[4] = {a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi};
	struct span s = {p[0], p[0]};

	for (int n = 1; n < 4; n++) {
		s.lo = p[n] < s.lo ? p[n] : s.lo;
		s.hi = p[n] > s.hi ? p[n] : s.hi;
	}
	return s;
}

/* Of what is made bit by bit: as many bits as the wider operand has. */
static struct span
bitwise(struct span a, struct span b)
{
	for (int w = 1; w < 64; w++) {
		if (inunsigned(a, w) && inunsigned(b, w))
			return (struct span){0, ((s128)1 << w) - 1};
		if (insigned(a, w + 1) && insigned(b, w + 1))
			return (struct span){-((s128)1 << w), ((s128)1 << w) - 1};
	}
	return full64;
}

static struct span
masked(struct span a, struct span b)
{
	if (a.lo >= 0 && b.lo >= 0)
		return (struct span){0, a.hi < b.hi ? a.hi : b.hi};
	return a.lo >= 0 ? (struct span){0, a.hi} : b.lo >= 0 ? (struct span){0, b.hi} : bitwise(a, b);
}

static struct span
extreme(int op, struct span a, struct span b, int w)
{
	int positive = a.lo >= 0 && b.lo >= 0, least = op == O_smin || op == O_umin;

	if (op == O_umin && (a.lo >= 0) != (b.lo >= 0))
		return (struct span){0, a.lo >= 0 ? a.hi : b.hi};
	if (!positive && (op == O_umin || op == O_umax))
		return full(w);
	if (least)
		return (struct span){a.lo < b.lo ? a.lo : b.lo, a.hi < b.hi ? a.hi : b.hi};
	return (struct span){a.lo > b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

struct span
loop_span(const struct loop *l, const struct ins *i)
{
	int w = ty_bits(i->ty);
	struct span a = seen(l, i->a, w), b = i->b ? seen(l, i->b, w) : a;
	struct field f;

	if (loop_field(l, i, &f))
		return field_span(l, i, f);
	switch (i->op) {
	case O_set: return (struct span){0, 1};
	case O_add: return wrapped((struct span){a.lo + b.lo, a.hi + b.hi}, w);
	case O_sub: return wrapped((struct span){a.lo - b.hi, a.hi - b.lo}, w);
	case O_neg: return wrapped((struct span){-a.hi, -a.lo}, w);
	case O_not: return (struct span){-a.hi - 1, -a.lo - 1};
	case O_mul: return wrapped(product(a, b), w);
	case O_shl: return wrapped(product(a, (struct span){(s128)1 << kval(l->r, i->b), (s128)1 << kval(l->r, i->b)}), w);
	case O_and: return masked(a, b);
	case O_or: case O_xor: return bitwise(a, b);
	case O_abs: return wrapped((struct span){0, -a.lo > a.hi ? -a.lo : a.hi}, w);
	case O_smin: case O_smax: case O_umin: case O_umax:
		return extreme(i->op, compared(l, i, i->a), compared(l, i, i->b), w);
	case O_mov: return a;
	}
	return full(w);
}

struct span
loop_datum(int bits, int sign)
{
	return sign || bits == 64 ? (struct span){-((s128)1 << (bits - 1)), ((s128)1 << (bits - 1)) - 1} :
	    (struct span){0, ((s128)1 << bits) - 1};
}

/* -- which lanes do -- */

int
loop_putsign(const struct loop *l, ref t)
{
	return ir_type(at(l, t)) != I32 && insigned(loop_value(l, t).span, ty_bits(l->lane));
}

/* Whether the variable can be made of the lane. */
static int
canput(const struct loop *l, ref t)
{
	int w = ty_bits(l->lane), word = ir_type(at(l, t)) == I32;

	return w == 64 || (w == 32 && word) || loop_putsign(l, t) || inunsigned(loop_value(l, t).span, w);
}

int
loop_sumsbytes(const struct loop *l, const struct ins *i, ref t)
{
	return l->lane == I8 && (i->op == O_add || i->op == O_sub) && inunsigned(seen(l, t, ty_bits(i->ty)), 8);
}

/* What all lanes can be joined to. */
static struct span
total(const struct loop *l, const struct ins *i, ref t)
{
	struct span s = seen(l, t, ty_bits(i->ty));
	int times = i->op == O_add || i->op == O_sub ? l->turns : 1;

	return (struct span){s.lo * times, s.hi * times};
}

int
loop_sumsign(const struct loop *l, const struct ins *i, ref t)
{
	return i->op != O_umin && i->op != O_umax && insigned(total(l, i, t), ty_bits(l->lane));
}

/* Whether all lanes can be joined at their width. */
static int
cansum(const struct loop *l, const struct ins *i, ref t)
{
	int w = ty_bits(l->lane);
	struct span s = total(l, i, t);

	if (loop_sumsbytes(l, i, t))
		return 1;
	if (loop_isextreme(i->op) && (w > ty_bits(i->ty) ||
	    (loop_cuts(l, loop_value(l, t == i->a ? i->b : i->a).var) && !insigned(s, 32))))
		return 0;
	return w >= ty_bits(i->ty) || loop_sumsign(l, i, t) || (inunsigned(s, w) && i->op != O_smin && i->op != O_smax);
}

/* Whether lanes compare as the numbers do. */
static int
compares(const struct loop *l, const struct ins *i)
{
	int w = ty_bits(l->lane), bits = ty_bits(i->ty);
	struct span a = compared(l, i, i->a), b = compared(l, i, i->b);

	if (w >= bits)
		return w == bits;
	return i->op == O_umin || i->op == O_umax ? inunsigned(a, w) && inunsigned(b, w) : insigned(a, w) && insigned(b, w);
}

int
loop_haslow(const struct loop *l, const struct ins *i)
{
	int w = ty_bits(l->lane);
	struct difference d;
	struct field f;

	if (loop_difference(l, i, &d))
		return 1;
	if (i->op == O_abs && w != ty_bits(i->ty) && (w > ty_bits(i->ty) || !insigned(seen(l, i->a, ty_bits(i->ty)), w)))
		return 0;
	if (i->op == O_set ? loop_order(l, i) < 0 : loop_isextreme(i->op) && !compares(l, i))
		return 0;
	if (loop_field(l, i, &f))
		return loop_fieldcode(l, i, f).can;
	return i->op != O_rotr || w == 32;
}

/* Whether a lane of 64 bits has what others see of a number of 32: that, extended by 0. */
static int
isextended(const struct loop *l, int k)
{
	return l->lane != I64 || ir_type(&l->ins[k]) != I32 || l->val[k].span.lo >= 0;
}

static int
does(const struct loop *l, int k)
{
	const struct ins *i = &l->ins[k];
	int w = ty_bits(l->lane);

	if (i->op == O_put && l->put[i->v] == k + 1 && loop_value(l, i->a).kind == PERLANE)
		return canput(l, i->a);
	if (i->op == O_ld || i->op == O_lds || i->op == O_st)
		return w >= loop_bytes(i) * 8 && (i->op != O_lds || isextended(l, k));
	if (l->val[k].kind == SUM && i->op != O_get && i->op != O_sxt)
		return cansum(l, i, loop_value(l, i->a).kind == PERLANE ? i->a : i->b);
	if (l->val[k].kind != PERLANE)
		return 1;
	return loop_haslow(l, i) && isextended(l, k);
}

int
loop_width(struct loop *l)
{
	for (l->lane = I8; l->lane <= I64; l->lane++) {
		int k = 0;

		while (k < l->n && does(l, k))
			k++;
		if (k == l->n)
			return 1;
	}
	return 0;
}
