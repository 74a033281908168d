/* SPDX-License-Identifier: MIT */
/* borrow.c - homes that a stretch of code leaves idle serve as further temporary registers
 *
 * Ciphers and hashes have more values alive than a host has temporary registers, in long stretches without
 * an access to memory, while homes of variables they do not name lie idle.  Such a home is saved in the
 * state before the stretch and loaded again after it.  One whose variable the stretch puts is free before, after the
 * last use of what it was.  Nothing in a stretch can fault, leave, or look at the state, so nobody sees that the home
 * holds something else: hence the short list of operations.  Homes of vectors and floats are lent to vectors where no
 * operation on floats is near, which may wait for a look at its result.
 *
 * Needs the plan of the block (regalloc.c); goes forward, and hands a home to one value after another. */
#include "backend/alloc.h"

enum {
	SPARE = 4, MAXTEMP = 32,
	FEW = 3,                       /* values that a borrowed home must take */
	BRIEF = 3,                     /* values that die so soon get along with the temporaries */
};

static const u8 quiet[O_COUNT] = {
	[O_nop] = 1, [O_get] = 1, [O_put] = 1, [O_insn] = 1, [O_mov] = 1, [O_add] = 1, [O_sub] = 1, [O_mul] = 1,
	[O_and] = 1, [O_or] = 1, [O_xor] = 1, [O_andn] = 1, [O_orn] = 1, [O_not] = 1, [O_neg] = 1, [O_shl] = 1,
	[O_shr] = 1, [O_sar] = 1, [O_rotr] = 1, [O_sxt] = 1, [O_zxt] = 1, [O_bfx] = 1, [O_sbfx] = 1,
	[O_bswap32] = 1, [O_set] = 1, [O_sel] = 1, [O_smin] = 1, [O_smax] = 1, [O_umin] = 1, [O_umax] = 1,
	[O_umov] = 1,
};
static const u8 quietvec[O_COUNT] = {
	[O_get] = 1, [O_put] = 1, [O_mov] = 1, [O_add] = 1, [O_sub] = 1, [O_and] = 1, [O_or] = 1, [O_xor] = 1,
	[O_andn] = 1, [O_orn] = 1, [O_not] = 1, [O_dup] = 1, [O_roli] = 1, [O_shli] = 1, [O_shri] = 1,
};

static int isvector(int ty) { return ty_isvec(ty) && ty_bits(ty) == 128 && ty_lane(ty) <= I64; }

/* Narrow operations may be left to C code, around which homes are saved. */
static int
isquiet(const struct ins *i)
{
	if (isvector(i->ty))
		return quietvec[i->op];
	return quiet[i->op] && (i->op == O_insn || i->op == O_nop || i->ty == I32 || i->ty == I64);
}

/* isvec: for vectors; named, put: the stretch does that to the variable: then it is idle from `from`, where the old one
 * is used last, to `limit`; until: the last use of what it holds */
struct lender { u8 idle, isvec, named, put; u16 from, limit, until, taken; };

/* t, made at i, has no register of its own in sight. */
static int
homeless(const struct region *r, const struct val *v, const struct ins *i, int at, int end, const struct planhost *h)
{
	return !(opinfo[i->op].traits & (EFF | END)) && i->op != O_get && i->op != O_put &&
	    !(v->flags & (VAL_DEAD | VAL_FOLD | VAL_PAIRED | VAL_MAKES)) && v->last > at + BRIEF && v->last < end &&
	    (v->want == NOVAR || !h->inreg(r->guest, v->want));
}

/* One for a value that is made at `at` and used last at `last`.  Those that need not be saved come first. */
static int
free_lender(const struct lender *l, int n, int at, int last, int isvec)
{
	int any = -1;

	for (int v = 0; v < n; v++)
		if (l[v].idle && l[v].isvec == isvec && l[v].from <= at && l[v].until <= at && last <= l[v].limit &&
		    (any < 0 || l[v].put > l[any].put))
			any = v;
	return any;
}

/* The variable is to be in its home from i on. */
static void
due(struct lender *l, int i)
{
	l->named = 1;
	l->limit = l->limit < i ? l->limit : (u16)i;
}

/* Whose home the stretch names stays; if it puts the variable, up to the old one's last use and from the new one on. */
static void
name(const struct region *r, struct lender *l, const struct val *val, int first, int end)
{
	for (int i = first; i < end; i++) {
		const struct ins *s = &r->ins[i];

		if (s->op == O_put) {
			due(&l[s->v], !isk(s->a) && val[s->a].want == s->v && s->a < first ? first : i);
			l[s->v].put = 1;
		} else if (s->op == O_get && !l[s->v].put) {
			l[s->v].named = 1;
			l[s->v].from = l[s->v].from > val[i].last ? l[s->v].from : val[i].last;
		} else if (s->op == O_nop && s->imm) {
			l[s->v].named = 1;
		} else if (s->op != O_insn && s->op != O_nop && s->op != O_get && val[i].want != NOVAR) {
			due(&l[val[i].want], i);
		}
	}
	for (int v = 0; v < r->guest->nreg; v++)
		l[v].idle &= !l[v].named || l[v].put;
}

/* A vector fits in one of the temporary registers, of which some are left for what comes between. */
static int
fits(u16 *until, int n, int at, int last)
{
	for (int k = 0; k < n; k++)
		if (until[k] <= at) {
			until[k] = (u16)last;
			return 1;
		}
	return 0;
}

/* Gives values to lenders; for good or only to see who is worth it. */
static void
assign(const struct region *r, struct val *val, struct lender *l, int first, int end, const struct planhost *h,
    int good)
{
	u16 until[MAXTEMP] = {0};
	int v, ntemp = h->nvtemp() - SPARE;

	for (int i = first; i < end; i++)
		if (r->ins[i].op != O_insn && homeless(r, &val[i], &r->ins[i], i, end, h) &&
		    !(ty_vclass(val[i].ty) && fits(until, ntemp, i, val[i].last)) &&
		    (v = free_lender(l, r->guest->nreg, i, val[i].last, ty_vclass(val[i].ty))) >= 0) {
			l[v].until = val[i].last;
			l[v].taken++;
			if (good)
				val[i].want = (u8)v;
		}
}

/* The lenders that there are: all, or those of integers. */
static void
lenders(const struct region *r, struct lender *l, const struct planhost *h, int end, int all)
{
	for (int v = 0; v < r->guest->nreg; v++) {
		int kind = r->guest->reg[v].kind;

		l[v] = (struct lender){.isvec = kind == REG_VEC || kind == REG_FP, .limit = (u16)end};
		l[v].idle = (u8)((kind == REG_INT || (all && l[v].isvec)) && h->inreg(r->guest, v));
	}
}

static void
lend(const struct region *r, struct val *val, int first, int end, const struct planhost *h, int all, struct borrow *b)
{
	struct lender l[256];
	int nreg = r->guest->nreg;

	lenders(r, l, h, end, all);
	name(r, l, val, first, end);
	assign(r, val, l, first, end, h, 0);
	for (int v = 0; v < nreg; v++) {
		l[v].idle = l[v].taken >= (l[v].put ? 1 : FEW);
		l[v].until = l[v].taken = 0;
	}
	assign(r, val, l, first, end, h, 1);
	for (int v = 0; v < nreg; v++)
		if (l[v].taken && !l[v].put)
			b->loan[b->n++] = (struct loan){(u16)first, (u16)end, (u8)v};
}

static int
hasfloats(const struct region *r, const struct block *k)
{
	for (int i = k->first; i < k->first + k->n; i++)
		if (opinfo[r->ins[i].op].traits & FPENV)
			return 1;
	return 0;
}

void
plan_borrow(const struct region *r, const struct block *k, struct val *val, const struct planhost *h, int until,
    struct borrow *b)
{
	int end = k->first + k->n, all = !hasfloats(r, k);

	b->n = 0;
	for (int i = k->first, from = i; i < end; i++) {
		int goeson = isquiet(&r->ins[i]);

		if (goeson && i != until)
			continue;
		if (i - from >= BORROW_LONG && b->n + MAXHOME <= MAXLOAN)
			lend(r, val, from, i, h, all, b);
		from = goeson ? i : i + 1;
	}
}
