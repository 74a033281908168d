/* SPDX-License-Identifier: MIT */
/* wide.c - one access for several to neighbouring bytes, and one swap for the shifts that spell it
 *
 * Code that may not assume that misaligned accesses are fast reads numbers by bytes and puts them together with shifts
 * and ors, in either order, and writes them so.
 *
 * Needs: all blocks of the region, each with its terminator.  What is not used any more is dropped later.
 * Leaves: loads whose bytes make up one value as one load, where the first of them was, of which the others are
 * fields; stores of the bytes of one value, one right after another, as one store, where the first of them was; values
 * that are another's bytes in the opposite order as bswap; pairs of stores of the same eight bytes as vectors.  Such an
 * access has v = 1: if it faults, none of it has happened, and the engine does the guest's instructions again one by
 * one from that place on, until the one that faults (core/engine.c).
 *
 * Loads of different bytes need not happen in the order of the program, nor stores (RISC-V, Volume I, 17.1; who needs
 * an order puts a fence); loads of the same byte must, so none that may be one lies between those that are joined. */
#include "base/util.h"
#include "ir/ir.h"

enum { DEPTH = 12, NODES = 64, MORE = 512, RUN = 16 };

/* Where the bytes of a value come from: byte at[n] of the value from[n]; it is zero where that is 0. */
struct bytes { ref from[8]; u8 at[8]; };

struct pass {
	struct region *r;
	struct ins more[MORE]; int nmore;      /* to come between: number n is the value nins + n until it is put in place */
	ref node[NODES]; int nnode;    /* ors that the last value looked at consists of */
};

/* Per ref: an or that is part of one that is done, or nothing but another value, its operand.  Compile is never
 * entered twice at a time. */
enum { PART = 1, SAME };
static u8 done[REF_K] ROOMY;
static u16 extra[REF_K] ROOMY;         /* 1 + the number of what is to come before it */
static ref moved[REF_K] ROOMY;         /* where the value is in the end */

/* -- where bytes come from -- */

static void
own(const struct pass *p, ref t, struct bytes *b)
{
	int n = isk(t) || t >= p->r->nins ? 8 : ty_bits(ir_type(&p->r->ins[t])) / 8;

	*b = (struct bytes){0};
	for (int k = 0; k < n && k < 8; k++)
		if (!isk(t) || kval(p->r, t) >> 8 * k & 0xff) {
			b->from[k] = t;
			b->at[k] = (u8)k;
		}
}

/* up by n bytes, or down */
static void
shift(struct bytes *b, int n)
{
	struct bytes from = *b;

	*b = (struct bytes){0};
	for (int k = 0; k < 8; k++)
		if (k - n >= 0 && k - n < 8) {
			b->from[k] = from.from[k - n];
			b->at[k] = from.at[k - n];
		}
}

/* bytes from k on: as they are in t itself, or zero if t is 0 */
static void
above(struct bytes *b, int k, ref t)
{
	for (; k < 8; k++) {
		b->from[k] = t;
		b->at[k] = (u8)k;
	}
}

static void
mask(struct bytes *b, ref t, u64 m)
{
	for (int k = 0; k < 8; k++) {
		u64 byte = m >> 8 * k & 0xff;

		if (!byte || !b->from[k]) {
			b->from[k] = 0;
		} else if (byte != 0xff) {
			b->from[k] = t;
			b->at[k] = (u8)k;
		}
	}
}

static void
merge(struct bytes *b, const struct bytes *c, ref t)
{
	for (int k = 0; k < 8; k++) {
		if (!c->from[k])
			continue;
		b->at[k] = b->from[k] ? (u8)k : c->at[k];
		b->from[k] = b->from[k] ? t : c->from[k];
	}
}

static int
bytewise(const struct region *r, const struct ins *i)
{
	if (i->ty != I64 && i->ty != I32)
		return 0;
	switch (i->op) {
	case O_or:
		return 1;
	case O_and:
		return isk(i->b);
	case O_shl: case O_shr:
		return isk(i->b) && !isk(i->a) && kval(r, i->b) < (u64)ty_bits(i->ty) && kval(r, i->b) % 8 == 0;
	case O_zxt: case O_sxt:
		return i->imm % 8 == 0 && i->imm < ty_bits(i->ty);
	case O_bfx:
		return i->imm % 8 == 0 && i->v % 8 == 0 && i->v + i->imm <= ty_bits(i->ty);
	}
	return 0;
}

static void
look(struct pass *p, ref t, int depth, struct bytes *b)
{
	const struct region *r = p->r;
	const struct ins *i = &r->ins[t];
	struct bytes c;

	if (isk(t) || t >= r->nins || !depth || p->nnode == NODES || !bytewise(r, i)) {
		own(p, t, b);
		return;
	}
	look(p, i->a, depth - 1, b);
	switch (i->op) {
	case O_or:
		look(p, i->b, depth - 1, &c);
		merge(b, &c, t);
		p->node[p->nnode++] = t;
		break;
	case O_and:
		mask(b, t, kval(r, i->b));
		break;
	case O_shl:
		shift(b, (int)kval(r, i->b) / 8);
		break;
	case O_shr:
		above(b, ty_bits(i->ty) / 8, 0);
		shift(b, -(int)kval(r, i->b) / 8);
		break;
	case O_bfx:
		shift(b, -i->v / 8);
		above(b, i->imm / 8, 0);
		break;
	case O_zxt:
		above(b, i->imm / 8, 0);
		break;
	case O_sxt:
		above(b, i->imm / 8, t);
		break;
	}
	above(b, ty_bits(i->ty) / 8, 0);
}

/* -- accesses -- */

/* base + disp with constants taken out of base */
static ref
origin(const struct region *r, ref base, s64 *disp)
{
	const struct ins *i = &r->ins[base & ~REF_K];

	if (isk(base) || i->op != O_add || i->ty != I64 || !isk(i->b))
		return base;
	*disp += (s64)kval(r, i->b);
	return i->a;
}

/* The bytes that a plain access to memory reads or writes; 0 if it is none. */
static int
plain(const struct ins *i)
{
	if (i->b || i->aux || (i->op != O_lds && (i->ty > I64 || i->v)))
		return 0;
	return i->op == O_lds ? i->v / 8 : i->op == O_ld || i->op == O_st ? ty_bits(i->ty) / 8 : 0;
}

static int
passes(const struct ins *i)
{
	return i->op == O_insn || i->op == O_nop || !(opinfo[i->op].traits & (READ | WRITE | EFF | LEAVE | END));
}

/* -- loads -- */

struct loads {
	ref load[8]; int n;            /* each once */
	ref base; s64 disp;            /* what they read, */
	int bytes;                     /* so many, */
	int down;                      /* the lowest address highest */
};

static int
isload(const struct pass *p, ref t)
{
	return !isk(t) && t < p->r->nins && p->r->ins[t].op != O_st && plain(&p->r->ins[t]);
}

/* Where byte k of b is in memory, if a load has it from there. */
static ref
address(const struct pass *p, const struct bytes *b, int k, s64 *at)
{
	const struct ins *i = &p->r->ins[b->from[k]];

	if (!isload(p, b->from[k]) || b->at[k] >= plain(i))
		return 0;
	*at = i->imm + b->at[k];
	return origin(p->r, i->a, at);
}

static void
note(struct loads *l, ref t)
{
	for (int k = 0; k < l->n; k++)
		if (l->load[k] == t)
			return;
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

/* Whether they can be one, where the first of them is. */
static int
joinable(const struct pass *p, const struct loads *l, ref *first)
{
	ref last = 0;

	*first = REF_K;
	for (int k = 0; k < l->n; k++) {
		const struct ins *i = &p->r->ins[l->load[k]];
		s64 at = i->imm;

		origin(p->r, i->a, &at);
		if (at < l->disp || at + plain(i) > l->disp + l->bytes || (l->down && plain(i) > 1))
			return 0;
		*first = l->load[k] < *first ? l->load[k] : *first;
		last = l->load[k] > last ? l->load[k] : last;
	}
	for (ref k = *first; k <= last; k++) {
		const struct ins *i = &p->r->ins[k];
		s64 at = i->imm;
		int mine = 0;

		for (int n = 0; n < l->n; n++)
			mine |= l->load[n] == k;
		if (passes(i) || mine)
			continue;
		if (!isload(p, k) || origin(p->r, i->a, &at) != l->base ||
		    (at < l->disp + l->bytes && at + plain(i) > l->disp))
			return 0;
	}
	return 1;
}

/* What load i becomes: a field of the wide one. */
static struct ins
field(const struct pass *p, const struct ins *i, const struct loads *l, ref whole)
{
	int n = plain(i);
	s64 at = i->imm;

	origin(p->r, i->a, &at);
	at -= l->disp;
	at = l->down ? l->bytes - 1 - at : at;
	return (struct ins){.op = i->op == O_lds ? O_sbfx : at ? O_bfx : O_zxt, .ty = I64, .a = whole,
	    .v = (u16)(at * 8), .imm = n * 8};
}

static ref
before(struct pass *p, ref t, struct ins i)
{
	p->more[p->nmore] = i;
	extra[t] = (u16)(p->nmore + 1);
	return (ref)(p->r->nins + p->nmore++);
}

static ref
join(struct pass *p, const struct loads *l, ref first)
{
	static const u8 type[] = {[2] = I16, [4] = I32, [8] = I64};
	ref whole = before(p, first, (struct ins){.op = O_ld, .ty = type[l->bytes],
	    .aux = l->down ? AUX_BE : 0, .a = l->base, .v = 1, .imm = (s32)l->disp});

	for (int k = 0; k < l->n; k++)
		p->r->ins[l->load[k]] = field(p, &p->r->ins[l->load[k]], l, whole);
	return whole;
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
	look(p, b->from[7], DEPTH, &c);
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

/* Whether the n low bytes of b are those of one value, in this order or in the opposite one. */
static int
isone(const struct bytes *b, int n, int down)
{
	for (int k = 0; k < n; k++)
		if (b->from[k] != b->from[0] || b->at[k] != (down ? n - 1 - k : k))
			return 0;
	return !isk(b->from[0]);
}

/* The or t, if it only puts together what was apart. */
static void
value(struct pass *p, ref t)
{
	struct ins *i = &p->r->ins[t];
	struct loads l;
	struct bytes b;
	ref first, whole;
	int n, sign;

	p->nnode = 0;
	look(p, t, DEPTH, &b);
	sign = issigned(p, &b);
	if (sign)
		above(&b, 4, 0);
	if (!(n = extent(&b)) || p->nmore == MORE)
		return;
	if (n > 2 && isone(&b, n, 1))
		whole = before(p, t, (struct ins){.op = O_bswap, .ty = n == 8 ? I64 : I32, .a = b.from[0]});
	else if (neighbours(p, &b, n, &l) && joinable(p, &l, &first))
		whole = join(p, &l, first);
	else
		return;
	for (int k = 0; k < p->nnode; k++)
		done[p->node[k]] = PART;
	if (sign) {
		*i = (struct ins){.op = O_sxt, .ty = I64, .imm = 32, .a = whole};
	} else {
		*i = (struct ins){.op = O_nop, .ty = N, .a = whole};
		done[t] = SAME;
	}
}

static void
values(struct pass *p, const struct block *b)
{
	for (int k = b->first + b->n - 1; k >= b->first; k--)
		if (p->r->ins[k].op == O_or && !done[k])
			value(p, (ref)k);
}

/* -- pairs: a word of eight bytes that is stored again and again is stored as vectors -- */

/* Whether stores i and k write the same eight bytes side by side: from *base + *disp up. */
static int
ispair(const struct region *r, const struct ins *i, const struct ins *k, ref *base, s64 *disp)
{
	s64 at = i->imm, to = k->imm;
	ref other = origin(r, k->a, &to);

	*base = origin(r, i->a, &at);
	*disp = at < to ? at : to;
	return i->c == k->c && other == *base && (to - at == 8 || at - to == 8) && *disp == (s32)*disp;
}

static void
pair(struct pass *p, ref one, ref two, ref both)
{
	struct ins *i = &p->r->ins[one], *k = &p->r->ins[two];
	s64 disp;
	ref base;

	ispair(p->r, i, k, &base, &disp);
	*i = (struct ins){.op = O_st, .ty = V64, .a = base, .c = both, .v = 1, .imm = (s32)disp};
	*k = (struct ins){.op = O_nop, .ty = N};
}

/* One pair alone pays if it is of zeros. */
static void
pairs(struct pass *p, const struct block *b)
{
	struct region *r = p->r;
	ref last = 0, word = 0, both = 0, one = 0, two = 0, base;      /* one, two: the first pair of the word */
	s64 disp;

	for (int k = b->first; k < b->first + b->n; k++) {
		const struct ins *i = &r->ins[k];

		if (passes(i))
			continue;
		if (i->op != O_st || i->ty != I64 || !plain(i) || p->nmore == MORE) {
			last = 0;
		} else if (!last || !ispair(r, &r->ins[last], i, &base, &disp)) {
			last = (ref)k;
		} else {
			if (word != i->c)
				one = both = 0;
			word = i->c;
			if (!both && (one || (isk(word) && !kval(r, word))))
				both = before(p, one ? one : last, (struct ins){.op = O_dup, .ty = V64, .a = word});
			if (both && one)
				pair(p, one, two, both);
			if (both)
				pair(p, last, (ref)k, both);
			one = both ? 0 : last;
			two = (ref)k;
			last = 0;
		}
	}
}

/* -- putting in place what is to come between -- */

/* moved[]; what is the same as another value goes nowhere. */
static void
place(const struct pass *p)
{
	int nins = p->r->nins, m = 0;

	for (int k = 0; k < nins; k++) {
		if (extra[k])
			moved[nins + extra[k] - 1] = (ref)(k + m++);
		moved[k] = done[k] == SAME ? moved[p->r->ins[k].a] : (ref)(k + m);
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

static void
insert(struct pass *p)
{
	struct region *r = p->r;
	int to = r->nins + p->nmore;

	place(p);
	grow(&r->ins, to, &r->capins, sizeof *r->ins);
	for (int k = r->nins - 1; k > 0; k--) {
		r->ins[--to] = done[k] == SAME ? (struct ins){.op = O_nop, .ty = N} : renamed(r->ins[k]);
		if (extra[k])
			r->ins[--to] = renamed(p->more[extra[k] - 1]);
	}
	for (struct block *b = r->block; b < r->block + r->nblock; b++) {
		int end = moved[b->first + b->n - 1] + 1;

		b->first = moved[b->first];    /* an O_insn, before which nothing comes */
		b->n = end - b->first;
	}
	for (int k = 0; k < r->nmark; k++)
		r->mark[k] = moved[r->mark[k]];
	r->nins += p->nmore;
}

/* -- stores -- */

/* The n bytes that the stores at[0] and on write, if they lie side by side, each written once: *base + *disp, *count
 * stores, and where the bytes come from. */
static int
tile(struct pass *p, const ref *at, int left, int n, struct bytes *b, struct ins *st)
{
	s64 disp[RUN], lo = 0;
	int sum = 0, count = 0;
	ref base = 0;
	u32 seen = 0;

	for (; count < left && sum < n; count++) {
		const struct ins *i = &p->r->ins[at[count]];
		ref o;

		disp[count] = i->imm;
		o = origin(p->r, i->a, &disp[count]);
		if (count && o != base)
			return 0;
		base = o;
		lo = !count || disp[count] < lo ? disp[count] : lo;
		sum += plain(i);
	}
	if (sum != n || count < 2 || lo != (s32)lo)
		return 0;
	*b = (struct bytes){0};
	for (int k = 0; k < count; k++) {
		const struct ins *i = &p->r->ins[at[k]];
		struct bytes c;
		s64 to = disp[k] - lo;

		if (to + plain(i) > n)
			return 0;
		p->nnode = 0;
		look(p, i->c, DEPTH, &c);
		for (int j = 0; j < plain(i); j++, to++) {
			seen |= 1u << to;
			b->from[to] = c.from[j];
			b->at[to] = c.at[j];
		}
	}
	*st = (struct ins){.op = O_st, .a = base, .v = 1, .imm = (s32)lo};
	return seen == (1u << n) - 1 ? count : 0;
}

/* The value whose bytes they are, known before instruction t; 0 if there is none. */
static ref
whole(const struct pass *p, const struct bytes *b, int n, ref t, int *down)
{
	u64 number = 0;
	int k;

	for (k = 0; k < n && (!b->from[k] || isk(b->from[k])); k++)
		if (b->from[k])
			number |= (kval(p->r, b->from[k]) >> 8 * b->at[k] & 0xff) << 8 * k;
	*down = k < n && b->at[0];
	if (k == n)
		return ir_k(p->r, number);
	return b->from[0] && isone(b, n, *down) && b->from[0] < t ? b->from[0] : 0;
}

/* The stores at[0] to at[left - 1] follow one another.  Returns how many are one now. */
static int
store(struct pass *p, const ref *at, int left)
{
	static const u8 type[] = {[2] = I16, [4] = I32, [8] = I64};
	struct bytes b;
	struct ins st;
	int count, down;

	for (int n = 8; n >= 2; n /= 2) {
		if (!(count = tile(p, at, left, n, &b, &st)) || !(st.c = whole(p, &b, n, at[0], &down)))
			continue;
		st.ty = type[n];
		st.aux = down ? AUX_BE : 0;
		p->r->ins[at[0]] = st;
		for (int k = 1; k < count; k++)
			p->r->ins[at[k]] = (struct ins){.op = O_nop, .ty = N};
		return count;
	}
	return 1;
}

/* Whether there are fewer now. */
static int
stores(struct pass *p, const struct block *b)
{
	ref at[RUN];
	int n = 0, fewer = 0;

	for (int k = b->first; k < b->first + b->n; k++) {
		const struct ins *i = &p->r->ins[k];
		int mine = i->op == O_st && plain(i) && i->ty < I64;

		if (mine)
			at[n++] = (ref)k;
		if ((mine && n < RUN) || passes(i))
			continue;
		for (int m = 0, count; n - m > 1; m += count) {
			count = store(p, at + m, n - m);
			fewer |= count > 1;
		}
		n = 0;
	}
	return fewer;
}

/* -- puts -- */

/* The builder kept those that an access might have shown which is gone. */
static void
unseen(const struct region *r, const struct block *b)
{
	static u32 seen[256], now;     /* by variable: == now if it is put again below, with nobody looking between */

	now++;
	for (int k = b->first + b->n - 1; k >= b->first; k--) {
		struct ins *i = &r->ins[k];

		if (i->op == O_put && seen[i->v] == now && i->v != r->guest->flags)
			*i = (struct ins){.op = O_nop, .ty = N, .v = i->v, .imm = isk(i->a) ? 0 : i->a};
		else if (i->op == O_put)
			seen[i->v] = now;
		else if (i->op == O_get)
			seen[i->v] = 0;
		else if (!passes(i))
			now++;
	}
}

void
ir_wide(struct region *r)
{
	static struct pass p ROOMY;
	int fewer;

	p.r = r;
	p.nmore = 0;
	if (r->nins + MORE >= REF_K)
		return;
	memset(done, 0, (size_t)r->nins);
	memset(extra, 0, (size_t)r->nins * sizeof *extra);
	for (int k = 0; k < r->nblock && r->pieces > 1; k++)
		values(&p, &r->block[k]);
	for (int k = 0; k < r->nblock && r->again; k++)
		pairs(&p, &r->block[k]);
	if ((fewer = p.nmore))
		insert(&p);
	for (int k = 0; k < r->nblock && r->pieces > 1; k++)
		fewer |= stores(&p, &r->block[k]);
	for (int k = 0; fewer && k < r->nblock; k++)
		unseen(r, &r->block[k]);
}
