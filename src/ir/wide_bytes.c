/* SPDX-License-Identifier: MIT */
/* wide_bytes.c - where the bytes of values come from */
#include "ir/wide.h"

enum { DEPTH = 12 };

static void
own(const struct pass *p, ref t, struct bytes *b)
{
	int nins = p->r->nins, n = isk(t) ? 8 : ty_bits(ir_type(t < nins ? &p->r->ins[t] : &p->more[t - nins].i)) / 8;

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
follow(struct pass *p, ref t, int depth, struct bytes *b)
{
	const struct region *r = p->r;
	const struct ins *i = &r->ins[t];
	struct bytes c;

	if (isk(t) || t >= r->nins || !depth || p->nnode == NODES || !bytewise(r, i)) {
		own(p, t, b);
		return;
	}
	follow(p, i->a, depth - 1, b);
	switch (i->op) {
	case O_or:
		follow(p, i->b, depth - 1, &c);
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

void
wide_look(struct pass *p, ref t, struct bytes *b)
{
	follow(p, t, DEPTH, b);
}

int
wide_isone(const struct bytes *b, int n, int down)
{
	for (int k = 0; k < n; k++)
		if (b->from[k] != b->from[0] || b->at[k] != (down ? n - 1 - k : k))
			return 0;
	return !isk(b->from[0]);
}
