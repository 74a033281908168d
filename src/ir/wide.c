/* SPDX-License-Identifier: MIT */
/* wide.c - one access for several to neighbouring bytes, and one swap for the shifts that spell it
 *
 * Code that may not assume that misaligned accesses are fast reads numbers by bytes and puts them together with shifts
 * and ors, in either order, and writes them so.
 *
 * Needs: all blocks of the region, each with its terminator.  What is not used any more is dropped later.
 * Leaves: loads whose bytes make up one value as one load, where the first of them was, of which the others are
 * fields; stores of the bytes of one value, one right after another, as one store, where the first of them was; values
 * that are another's bytes in the opposite order as bswap; pairs of stores of the same eight bytes as vectors;
 * prefetches for delay lines (wide_ahead.c).  An access that is one for several has v = 1: if it faults, none of it has
 * happened, and the engine does the guest's instructions again one by one from that place on, until the one that faults
 * (core/engine.c).
 *
 * Loads of different bytes need not happen in the order of the program, nor stores (RISC-V, Volume I, 17.1; who needs
 * an order puts a fence); loads of the same byte must ("Preserved Program Order", rule 2), so none that may be one lies
 * between those that are joined.
 *
 * Two numbers, or three, are often read in turns.  Then all are loaded where the first byte of them was, one after
 * another, a before b; and if they may share a byte, of which b's load comes first in the program, a is loaded once
 * more after b.  If that is what it was, each of its bytes may as well have been loaded the second time; else the guest
 * has done nothing yet, and begins again at that first byte.  Other accesses between are no obstacle if they are to
 * other bytes for sure. */
#include "base/util.h"
#include "ir/wide.h"

enum { EACH = 24 };                    /* more than a group needs of pass.more */

/* Per ref: an or that is part of one that is done, nothing but another value, or an or of which nothing can be made.
 * Compile is never entered twice at a time. */
enum { PART = 1, SAME, REFUSED };
static u8 done[REF_K] ROOMY;
static ref same[REF_K] ROOMY;          /* that other value */
static u8 owned[REF_K] ROOMY;          /* a load of a group's */
static u16 extra[REF_K] ROOMY;         /* 1 + the number of the first that is to come before it */
static ref moved[REF_K] ROOMY;         /* where the value is in the end */

/* -- loads -- */

static int
isload(const struct pass *p, ref t)
{
	return !isk(t) && t < p->r->nins && p->r->ins[t].op != O_st && wide_plain(&p->r->ins[t]);
}

/* Where byte k of b is in memory, if a load has it from there. */
static ref
address(const struct pass *p, const struct bytes *b, int k, s64 *at)
{
	const struct ins *i = &p->r->ins[b->from[k]];

	if (!isload(p, b->from[k]) || b->at[k] >= wide_plain(i))
		return 0;
	*at = i->imm + b->at[k];
	return wide_origin(p->r, i->a, at);
}

static void
note(struct loads *l, ref t)
{
	for (int k = 0; k < l->n; k++)
		if (l->load[k] == t)
			return;
	l->first = !l->n || t < l->first ? t : l->first;
	l->last = t > l->last ? t : l->last;
	l->load[l->n++] = t;
}

/* Whether the n low bytes of b are n neighbours in memory, from more than one load.  Two halves of eight bytes stay
 * two: what was stored as two words does not reach one load before it has left for the cache. */
static int
neighbours(const struct pass *p, const struct bytes *b, int n, struct loads *l)
{
	s64 first, last, at;

	*l = (struct loads){.bytes = n};
	if (!(l->base = address(p, b, 0, &first)) || address(p, b, n - 1, &last) != l->base)
		return 0;
	l->down = last < first;
	l->disp = l->down ? last : first;
	for (int k = 0; k < n; k++) {
		if (address(p, b, k, &at) != l->base || at != (l->down ? first - k : first + k))
			return 0;
		note(l, b->from[k]);
	}
	return l->n > 1 + (n == 8) && l->disp == (s32)l->disp;
}

/* Whether they read nothing else, and no other group has one of them. */
static int
isfree(const struct pass *p, const struct loads *l)
{
	for (int k = 0; k < l->n; k++) {
		const struct ins *i = &p->r->ins[l->load[k]];
		s64 at = i->imm;

		wide_origin(p->r, i->a, &at);
		if (owned[l->load[k]] || at < l->disp || at + wide_plain(i) > l->disp + l->bytes || (l->down && wide_plain(i) > 1))
			return 0;
	}
	return 1;
}

/* Whether access t cannot be to a byte that they read. */
static int
misses(const struct pass *p, const struct loads *l, ref t)
{
	const struct ins *i = &p->r->ins[t];
	s64 at = i->imm;

	return wide_origin(p->r, i->a, &at) == l->base && (at >= l->disp + l->bytes || at + wide_plain(i) <= l->disp);
}

static int
disjoint(const struct loads *l, const struct loads *m)
{
	return l->base == m->base && (l->disp >= m->disp + m->bytes || m->disp >= l->disp + l->bytes);
}

/* What load i becomes: a field of the wide one. */
static struct ins
field(const struct pass *p, const struct ins *i, const struct loads *l, ref whole)
{
	int n = wide_plain(i);
	s64 at = i->imm;

	wide_origin(p->r, i->a, &at);
	at -= l->disp;
	at = l->down ? l->bytes - 1 - at : at;
	return (struct ins){.op = i->op == O_lds ? O_sbfx : at ? O_bfx : O_zxt, .ty = I64, .a = whole,
	    .v = (u16)(at * 8), .imm = n * 8};
}

/* -- what is to come between -- */

ref
wide_before(struct pass *p, ref t, struct ins i)
{
	u16 *to = &extra[t];

	while (*to)
		to = &p->more[*to - 1].next;
	p->more[p->nmore].i = i;
	p->more[p->nmore].next = 0;
	*to = (u16)(p->nmore + 1);
	return (ref)(p->r->nins + p->nmore++);
}

/* Whether nothing from `first` to t puts what get t reads. */
static int
isunchanged(const struct region *r, ref first, ref t)
{
	for (ref k = first; k < t; k++)
		if (r->ins[k].op == O_put && r->ins[k].v == r->ins[t].v)
			return 0;
	return 1;
}

/* Whether address t is known before `first`, or can be: through so many operations. */
static int
isknown(const struct pass *p, ref t, ref first, int depth)
{
	const struct ins *i = &p->r->ins[t];

	if (isk(t) || t < first)
		return 1;
	if (t >= p->r->nins || !depth || done[t])
		return 0;
	switch (i->op) {
	case O_get:
		return isunchanged(p->r, first, t);
	case O_add: case O_sub: case O_shl: case O_shr: case O_zxt: case O_sxt:
		return isknown(p, i->a, first, depth - 1) && isknown(p, i->b, first, depth - 1);
	}
	return 0;
}

static void
be(ref t, ref other)
{
	done[t] = SAME;
	same[t] = other;
}

/* Makes it known there; it need not be made again. */
static ref
known(struct pass *p, ref t, ref first)
{
	struct ins copy;

	if (isk(t) || t < first)
		return t;
	if (done[t] != SAME) {
		copy = p->r->ins[t];
		copy.a = known(p, copy.a, first);
		copy.b = known(p, copy.b, first);
		be(t, wide_before(p, first, copy));
	}
	return same[t];
}

/* -- groups of loads: those that are read in turns stand next to each other, in the order of their first loads -- */

enum { HOPS = 4, TURNS = 2 };          /* operations of an address; groups that are not complete when another begins */

/* What was found for group g does not hold. */
static void
refuse(struct pass *p, int g)
{
	struct group *x = &p->group[g];

	for (int k = 0; k < x->l.n; k++)
		owned[x->l.load[k]] = 0;
	for (int k = 0; k < x->nnode; k++)
		done[x->node[k]] = 0;
	done[x->root] = REFUSED;
	memmove(x, x + 1, (size_t)(--p->ngroup - g) * sizeof *x);
}

static void
add(struct pass *p, ref t, int sign, const struct loads *l)
{
	int g = p->ngroup++;

	for (; g && p->group[g - 1].l.first > l->first; g--)
		p->group[g] = p->group[g - 1];
	p->group[g] = (struct group){.root = t, .sign = sign, .l = *l};
	for (int k = 0; k < l->n; k++)
		owned[l->load[k]] = 1;
	for (int k = 0; k < p->nnode; k++)
		if (!done[p->node[k]]) {
			done[p->node[k]] = PART;
			p->group[g].node[p->group[g].nnode++] = p->node[k];
		}
}

/* The groups from g on whose loads lie among each other end before this one; *last is the last of these loads. */
static int
turns(const struct pass *p, int g, ref *last)
{
	*last = p->group[g].l.last;
	while (++g < p->ngroup && p->group[g].l.first < *last)
		if (p->group[g].l.last > *last)
			*last = p->group[g].l.last;
	return g;
}

/* The groups among these that are not complete when g begins, and may share bytes with it. */
static int
rivals(const struct pass *p, int from, int g, int *v)
{
	int n = 0;

	for (int k = from; k < g; k++)
		if (p->group[k].l.last > p->group[g].l.first && !disjoint(&p->group[k].l, &p->group[g].l) && n++ < TURNS)
			v[n - 1] = k;
	return n;
}

/* Which of the groups from g to `end` is in the way of loading all of them where the first load is; -1: none. */
static int
obstacle(const struct pass *p, int g, int end, ref last)
{
	ref first = p->group[g].l.first;
	int v[TURNS], n;

	for (int k = g + 1; k < end; k++) {
		n = rivals(p, g, k, v);
		if (n > TURNS || (n && p->b->above) || !isknown(p, p->group[k].l.base, first, HOPS))
			return k;
	}
	for (ref t = first; t < last; t++)
		for (int k = g; k < end && !owned[t] && !wide_passes(&p->r->ins[t]); k++)
			if (p->group[k].l.last > t && !(wide_plain(&p->r->ins[t]) && misses(p, &p->group[k].l, t)))
				return k;
	return -1;
}

/* The guest instruction that t belongs to. */
static gaddr
pcof(const struct pass *p, ref t)
{
	while (p->r->ins[t].op != O_insn)
		t--;
	return p->b->pc + (u64)(s64)p->r->ins[t].imm;
}

static struct ins
wideload(const struct loads *l, ref base)
{
	static const u8 type[] = {[2] = I16, [4] = I32, [8] = I64};

	return (struct ins){.op = O_ld, .ty = type[l->bytes], .aux = l->down ? AUX_BE : 0, .a = base, .v = 1,
	    .imm = (s32)l->disp};
}

/* Goes back to `first` unless group g is still what it was. */
static void
again(struct pass *p, const struct group *x, ref base, ref first)
{
	ref t = wide_before(p, first, wideload(&x->l, base));

	wide_before(p, first, (struct ins){.op = O_brc, .ty = x->l.bytes == 8 ? I64 : I32, .v = R_NE, .a = x->whole, .b = t,
	    .c = ir_k(p->r, pcof(p, first))});
}

/* The value of group g is there. */
static void
finish(struct pass *p, const struct group *x)
{
	for (int k = 0; k < x->l.n; k++)
		p->r->ins[x->l.load[k]] = field(p, &p->r->ins[x->l.load[k]], &x->l, x->whole);
	if (x->sign)
		p->r->ins[x->root] = (struct ins){.op = O_sxt, .ty = I64, .imm = 32, .a = x->whole};
	else
		be(x->root, x->whole);
}

/* What value t becomes, if it is some neighbouring bytes of a wide one where they are there, and the rest is 0; else a
 * nop. */
static struct ins
part(struct pass *p, ref t)
{
	struct bytes b;
	int lo = 0, hi, n;
	u64 m;

	p->nnode = 0;
	wide_look(p, t, &b);
	while (lo < 8 && !b.from[lo])
		lo++;
	for (hi = lo; hi < 8 && b.from[hi] && b.from[hi] == b.from[lo] && b.at[hi] == hi; hi++)
		;
	for (n = hi; n < 8 && !b.from[n]; n++)
		;
	if (lo == hi || n < 8 || isk(b.from[lo]) || b.from[lo] < p->r->nins)
		return (struct ins){.op = O_nop};
	m = ~(u64)0 >> (64 - 8 * hi) & ~(u64)0 << 8 * lo;
	if (!lo)
		return (struct ins){.op = O_zxt, .ty = I64, .a = b.from[lo], .imm = 8 * hi};
	if (m != (u32)m)
		return (struct ins){.op = O_nop};
	return (struct ins){.op = O_and, .ty = I32, .a = b.from[lo], .b = ir_k(p->r, m)};
}

/* What the groups' values were put together from, from instruction t on, comes from the wide ones, if it is wanted. */
static void
parts(struct pass *p, ref t, ref end)
{
	for (; t < end; t++) {
		struct ins *i = &p->r->ins[t];

		if ((i->op == O_or || i->op == O_shl) && i->ty == I64 && done[t] != SAME) {
			struct ins n = part(p, t);

			if (n.op != O_nop)
				*i = n;
		}
	}
}

/* Loads the groups from g to `end`.  What is in the order of the bytes' loads, whatever it is, of those that share one
 * is in the order of these loads: after each one those that are not complete come in every order. */
static void
join(struct pass *p, int g, int end)
{
	ref first = p->group[g].l.first, last = 0, base[GROUPS];
	int v[TURNS];

	for (int k = g; k < end; k++) {
		struct group *x = &p->group[k];
		int n = rivals(p, g, k, v);

		base[k] = known(p, x->l.base, first);
		x->whole = wide_before(p, first, wideload(&x->l, base[k]));
		for (int m = 0; m < n; m++)
			again(p, &p->group[v[m]], base[v[m]], first);
		if (n == 2)
			again(p, &p->group[v[0]], base[v[0]], first);
	}
	for (int k = g; k < end; k++) {
		finish(p, &p->group[k]);
		last = p->group[k].root > last ? p->group[k].root : last;
	}
	parts(p, first, last);
}

/* Whether none was refused, of which parts may do. */
static int
groups(struct pass *p)
{
	int bad, end, fine = 1;
	ref last;

	for (int g = 0; g < p->ngroup; g = bad < 0 ? end : 0) {
		end = turns(p, g, &last);
		if ((bad = obstacle(p, g, end, last)) >= 0) {
			refuse(p, bad);
			fine = 0;
		}
	}
	for (int g = 0; g < p->ngroup; g = end) {
		end = turns(p, g, &last);
		if (p->nmore + (end - g) * EACH < MORE)
			join(p, g, end);
	}
	for (int g = 0; g < p->ngroup; g++)
		for (int k = 0; k < p->group[g].l.n; k++)
			owned[p->group[g].l.load[k]] = 0;
	p->ngroup = 0;
	return fine;
}

/* -- values -- */

/* Whether the upper half of b is the sign of the lower. */
static int
issigned(struct pass *p, const struct bytes *b)
{
	const struct ins *i = &p->r->ins[b->from[7] & ~REF_K];
	struct bytes c;

	if (isk(b->from[7]) || b->from[7] >= p->r->nins || i->op != O_sxt || i->imm != 32)
		return 0;
	for (int k = 4; k < 8; k++)
		if (b->from[k] != b->from[7] || b->at[k] != k)
			return 0;
	wide_look(p, b->from[7], &c);
	return c.from[3] == b->from[3] && c.at[3] == b->at[3];
}

/* The number of low bytes that are not zero, if the others are. */
static int
extent(const struct bytes *b)
{
	int n = 0;

	while (n < 8 && b->from[n])
		n++;
	for (int k = n; k < 8; k++)
		if (b->from[k])
			return 0;
	return n == 2 || n == 4 || n == 8 ? n : 0;
}

static int
isput(const struct pass *p, ref t)
{
	for (int k = t + 1; k < p->b->first + p->b->n; k++)
		if (p->r->ins[k].op == O_put && p->r->ins[k].a == t)
			return 1;
	return 0;
}

/* The bytes that value t has of b, as a mask; 0 if it has others. */
static u64
share(struct pass *p, ref t, const struct bytes *b)
{
	struct bytes c;
	u64 m = 0;

	p->nnode = 0;
	wide_look(p, t, &c);
	for (int k = 0; k < 8; k++) {
		if (c.from[k] && (c.from[k] != b->from[k] || c.at[k] != b->at[k]))
			return 0;
		m |= c.from[k] ? (u64)0xff << 8 * k : 0;
	}
	return m;
}

/* The or t is n bytes of one value in the opposite order, b, with their sign above them or zeros.  So are the ors that
 * it consists of, but for some bytes; those that are put come from the same swap. */
static void
swap(struct pass *p, ref t, const struct bytes *b, int n, int sign)
{
	ref node[NODES], first = t, whole;
	u64 m[NODES];
	int count = p->nnode;

	memcpy(node, p->node, sizeof node);
	for (int k = 0; k < count; k++) {
		done[node[k]] = done[node[k]] ? done[node[k]] : PART;
		m[k] = node[k] != t && isput(p, node[k]) ? share(p, node[k], b) : 0;
		first = m[k] && node[k] < first ? node[k] : first;
	}
	whole = wide_before(p, first, (struct ins){.op = O_bswap, .ty = n == 8 ? I64 : I32, .a = b->from[0]});
	if (sign)
		whole = wide_before(p, first, (struct ins){.op = O_sxt, .ty = I64, .imm = 32, .a = whole});
	for (int k = 0; k < count; k++)
		if (m[k])
			p->r->ins[node[k]] = (struct ins){.op = O_and, .ty = I64, .a = whole, .b = ir_k(p->r, m[k])};
	be(t, whole);
	for (int k = t + 1; k < p->b->first + p->b->n; k++)
		if (sign && p->r->ins[k].op == O_sxt && p->r->ins[k].imm == 32 && p->r->ins[k].a == t)
			be((ref)k, whole);
}

/* The or t, if it only puts together what was apart. */
static void
value(struct pass *p, ref t)
{
	struct loads l;
	struct bytes all, b;
	int n, sign;

	p->nnode = 0;
	wide_look(p, t, &all);
	b = all;
	sign = issigned(p, &b);
	for (int k = 4; k < 8 && sign; k++)
		b.from[k] = 0;
	if (!(n = extent(&b)))
		return;
	if (n > 2 && wide_isone(&b, n, 1) && p->nmore + 1 < MORE)
		swap(p, t, &all, n, sign);
	else if (p->ngroup < GROUPS && neighbours(p, &b, n, &l) && isfree(p, &l))
		add(p, t, sign, &l);
}

static void
values(struct pass *p, const struct block *b)
{
	enum { ROUNDS = 4 };

	p->b = b;
	for (int round = 0; round < ROUNDS; round++) {
		for (int k = b->first + b->n - 1; k >= b->first; k--)
			if (p->r->ins[k].op == O_or && !done[k])
				value(p, (ref)k);
		if (groups(p))
			break;
	}
}

/* -- putting in place what is to come between -- */

/* moved[]; what is the same as another value goes nowhere. */
static void
place(const struct pass *p)
{
	int nins = p->r->nins, m = 0;

	for (int k = 0; k < nins; k++) {
		for (u16 n = extra[k]; n; n = p->more[n - 1].next)
			moved[nins + n - 1] = (ref)(k + m++);
		moved[k] = done[k] == SAME ? moved[same[k]] : (ref)(k + m);
	}
}

static struct ins
renamed(struct ins i)
{
	i.a = isk(i.a) ? i.a : moved[i.a];
	i.b = isk(i.b) ? i.b : moved[i.b];
	i.c = isk(i.c) ? i.c : moved[i.c];
	if (i.op == O_nop)
		i.imm = moved[i.imm];  /* a put that was dropped (build.c) */
	return i;
}

void
wide_mark(struct region *r, ref t)
{
	int k = r->nmark;

	grow(&r->mark, r->nmark++, &r->capmark, sizeof *r->mark);
	for (; k && r->mark[k - 1] > t; k--)
		r->mark[k] = r->mark[k - 1];
	r->mark[k] = t;
}

static void
insert(struct pass *p)
{
	struct region *r = p->r;
	int to = r->nins + p->nmore;

	place(p);
	grow(&r->ins, to, &r->capins, sizeof *r->ins);
	for (int k = r->nins - 1; k > 0; k--) {
		r->ins[--to] = done[k] == SAME ? (struct ins){.op = O_nop, .ty = N} : renamed(r->ins[k]);
		for (u16 n = extra[k]; n; n = p->more[n - 1].next)
			to--;
		for (u16 n = extra[k]; n; n = p->more[n - 1].next)
			r->ins[moved[r->nins + n - 1]] = renamed(p->more[n - 1].i);
	}
	for (struct block *b = r->block; b < r->block + r->nblock; b++) {
		int end = moved[b->first + b->n - 1] + 1;

		b->first = moved[b->first];    /* an O_insn, before which nothing comes */
		b->n = end - b->first;
	}
	for (int k = 0; k < r->nmark; k++)
		r->mark[k] = moved[r->mark[k]];
	for (int n = 0; n < p->nmore; n++)
		if (p->more[n].i.op == O_brc)
			wide_mark(r, moved[r->nins + n]);
	r->nins += p->nmore;
}

/* -- puts -- */

/* The builder kept those that an access might have shown which is gone. */
static void
unseen(const struct region *r, const struct block *b)
{
	u32 seen[256] = {0}, now = 1;  /* by variable: == now if it is put again below, with nobody looking between */

	for (int k = b->first + b->n - 1; k >= b->first; k--) {
		struct ins *i = &r->ins[k];

		if (i->op == O_put && seen[i->v] == now && i->v != r->guest->flags)
			*i = (struct ins){.op = O_nop, .ty = N, .v = i->v, .imm = isk(i->a) ? 0 : i->a};
		else if (i->op == O_put)
			seen[i->v] = now;
		else if (i->op == O_get)
			seen[i->v] = 0;
		else if (!wide_passes(i))
			now++;
	}
}

/* -- what there is to look at -- */

enum { ORS = 1, SHIFTS = 2, LOADS = 4, STORES = 8, NARROW = 16 };      /* NARROW: stores of parts of words, some */
static u8 holds[REF_K] ROOMY;          /* by block */

static int
held(const struct region *r, const struct block *b)
{
	static const u8 kind[O_COUNT] = {
		[O_or] = ORS, [O_shl] = SHIFTS, [O_ld] = LOADS, [O_lds] = LOADS, [O_st] = STORES,
	};
	int all = 0, narrow = 0;

	for (const struct ins *i = &r->ins[b->first], *end = i + b->n; i < end; i++) {
		if (!kind[i->op])
			continue;
		all |= kind[i->op];
		narrow += i->op == O_st && i->ty < I64;
	}
	return all | (narrow > 1 ? NARROW : 0);
}

/* What all blocks hold. */
static int
survey(const struct region *r)
{
	int all = 0;

	for (int k = 0; k < r->nblock; k++)
		all |= holds[k] = (u8)held(r, &r->block[k]);
	return all;
}

/* Whether block k holds all of these. */
static int has(int k, int what) { return (holds[k] & what) == what; }

void
ir_wide(struct region *r)
{
	static struct pass p ROOMY;
	int fewer, all;

	p.r = r;
	p.nmore = p.ngroup = 0;
	if (r->nins + MORE >= REF_K || r->nk + MORE >= REF_K)
		return;
	memset(done, 0, (size_t)r->nins);
	memset(owned, 0, (size_t)r->nins);
	memset(extra, 0, (size_t)r->nins * sizeof *extra);
	all = survey(r);
	for (int k = 0; k < r->nblock && all & SHIFTS; k++)
		if (has(k, LOADS | STORES))
			wide_ahead(&p, &r->block[k]);
	for (int k = 0; k < r->nblock && r->pieces > 1; k++)
		if (has(k, ORS))
			values(&p, &r->block[k]);
	for (int k = 0; k < r->nblock && r->again; k++)
		if (has(k, STORES))
			wide_pairs(&p, &r->block[k]);
	if ((fewer = p.nmore))
		insert(&p);
	for (int k = 0; k < r->nblock && r->pieces > 1; k++)
		if (has(k, NARROW))
			fewer |= wide_stores(&p, &r->block[k]);
	for (int k = 0; fewer && k < r->nblock; k++)
		unseen(r, &r->block[k]);
}
