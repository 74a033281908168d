/* SPDX-License-Identifier: MIT */
/* wide_store.c - stores of bytes of one value, and of one word again and again (see wide.c) */
#include "ir/wide.h"

enum { RUN = 16 };

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
		o = wide_origin(p->r, i->a, &disp[count]);
		if (count && o != base)
			return 0;
		base = o;
		lo = !count || disp[count] < lo ? disp[count] : lo;
		sum += wide_plain(i);
	}
	if (sum != n || count < 2 || lo != (s32)lo)
		return 0;
	*b = (struct bytes){0};
	for (int k = 0; k < count; k++) {
		const struct ins *i = &p->r->ins[at[k]];
		struct bytes c;
		s64 to = disp[k] - lo;

		if (to + wide_plain(i) > n)
			return 0;
		p->nnode = 0;
		wide_look(p, i->c, &c);
		for (int j = 0; j < wide_plain(i); j++, to++) {
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
	return b->from[0] && wide_isone(b, n, *down) && b->from[0] < t ? b->from[0] : 0;
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

int
wide_stores(struct pass *p, const struct block *b)
{
	ref at[RUN];
	int n = 0, fewer = 0;

	for (int k = b->first; k < b->first + b->n; k++) {
		const struct ins *i = &p->r->ins[k];
		int mine = i->op == O_st && wide_plain(i) && i->ty < I64;

		if (mine)
			at[n++] = (ref)k;
		if ((mine && n < RUN) || wide_passes(i))
			continue;
		for (int m = 0, count; n - m > 1; m += count) {
			count = store(p, at + m, n - m);
			fewer |= count > 1;
		}
		n = 0;
	}
	return fewer;
}

/* -- pairs: a word of eight bytes that is stored again and again is stored as vectors -- */

/* Whether stores i and k write the same eight bytes side by side: from *base + *disp up. */
static int
ispair(const struct region *r, const struct ins *i, const struct ins *k, ref *base, s64 *disp)
{
	s64 at = i->imm, to = k->imm;
	ref other = wide_origin(r, k->a, &to);

	*base = wide_origin(r, i->a, &at);
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
void
wide_pairs(struct pass *p, const struct block *b)
{
	struct region *r = p->r;
	ref last = 0, word = 0, both = 0, one = 0, two = 0, base;      /* one, two: the first pair of the word */
	s64 disp;

	for (int k = b->first; k < b->first + b->n; k++) {
		const struct ins *i = &r->ins[k];

		if (wide_passes(i))
			continue;
		if (i->op != O_st || i->ty != I64 || !wide_plain(i) || p->nmore == MORE) {
			last = 0;
		} else if (!last || !ispair(r, &r->ins[last], i, &base, &disp)) {
			last = (ref)k;
		} else {
			if (word != i->c)
				one = both = 0;
			word = i->c;
			if (!both && (one || (isk(word) && !kval(r, word))))
				both = wide_before(p, one ? one : last, (struct ins){.op = O_dup, .ty = V64, .a = word});
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
