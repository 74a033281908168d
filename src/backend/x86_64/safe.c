/* SPDX-License-Identifier: MIT */
/* safe.c - which blocks are jumped back to (x->loop), and which of them begin with a safe point */
#include "backend/x86_64/int.h"

void
safe_loops(struct x86 *x)
{
	const struct region *r = x->r;

	for (int m = 0, b = 0; m < r->nmark; m++) {
		const struct ins *i = &r->ins[r->mark[m]];
		ref to = ir_target(i);
		int t;

		while (r->mark[m] >= r->block[b].first + r->block[b].n)
			b++;
		if (!to || (r->sorted && kval(r, to) > r->block[b].pc))
			continue;
		t = ir_blockat(r, kval(r, to));
		if (t >= 0 && t <= b)
			x->loop[t] = (u16)(b + 1);
	}
}

/* Where control goes without passing a safe point, but those at the heads of blocks; the region's number of blocks
 * stands for all that is outside, from where any block may be entered. */
struct way { u16 from, to; };
enum { WAYS = 256 };

static int
add_way(const struct region *r, struct way *w, int n, int from, ref to)
{
	gaddr pc = kval(r, to);
	int t = ir_blockat(r, pc);

	if (n == WAYS || (t < 0 && pc <= r->block[from].pc))
		return n;
	w[n] = (struct way){(u16)from, (u16)(t < 0 ? r->nblock : t)};
	return n + 1;
}

static int
find_ways(const struct region *r, struct way *w)
{
	int n = 0;

	for (int m = 0, b = 0; m < r->nmark; m++) {
		const struct ins *i = &r->ins[r->mark[m]];

		while (r->mark[m] >= r->block[b].first + r->block[b].n)
			b++;
		if (i->op == O_jmp || i->op == O_call)
			n = add_way(r, w, n, b, i->a);
		if (i->op == O_call || i->op == O_callr)
			n = add_way(r, w, n, b, i->b);
		if (i->op == O_brc || i->op == O_brf)
			n = add_way(r, w, n, b, i->c);
	}
	return n;
}

/* There is a way from block h to itself without another safe point. */
static int
needs_safe(const struct x86 *x, int h, const struct way *w, int n)
{
	static u8 reached[WAYS + 1];
	int changed, outside = x->r->nblock;

	memset(reached, 0, (size_t)outside + 1);
	do {
		changed = 0;
		for (int k = 0; k < n; k++) {
			int f = w[k].from, t = w[k].to;

			if (f != h && !reached[f])
				continue;
			if (t == h || t == outside)
				return 1;
			if (!x->safe[t] && !reached[t])
				changed = reached[t] = 1;
		}
	} while (changed);
	return 0;
}

/* Blocks that are jumped back to hold a safe point, but those whose loops all have another: code that a compiler moved
 * out of a loop jumps back into the midst of it. */
void
safe_place(struct x86 *x)
{
	static struct way way[WAYS];
	int heads = 0, wide = 0, n;    /* wide: loops of more than the block itself, whose heads always need one */

	for (int b = 0; b < x->r->nblock; b++) {
		heads += x->safe[b] = x->loop[b] > 0;
		wide += x->loop[b] > b + 1;
	}
	if (heads < 2 || !wide || x->r->nblock > WAYS || (n = find_ways(x->r, way)) == WAYS)
		return;
	for (int b = x->r->nblock - 1; b >= 0; b--)
		if (x->safe[b] && !needs_safe(x, b, way, n))
			x->safe[b] = 0;
}
