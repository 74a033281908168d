/* SPDX-License-Identifier: MIT */
/* lodge.c - in loops without calls, registers whose variables the loop does not name serve variables without one
 *
 * A variable whose home is in memory costs a load or store more at each use, and where the next round of a loop takes
 * it from there, the time from a store to its load (5 cycles).  So on the way into such a loop the lenders' registers
 * are stored in their places in the state and loaded with the lodgers' values, and on every way out the reverse is
 * done; in between x86_home says so, and all else goes on as ever.
 *
 * Ways in: from the block before, through the code at the loop's head; to any of its blocks from elsewhere, through
 * that block's door, out of line.  Ways out: exits and safe points through code out of line; where the last jump back
 * is passed, in line; faults, because cpu->scratch[6] says from where to leave instead.
 *
 * A block that goes straight on for long is taken for such a loop, up to its first branch or what else it may not hold.
 *
 * What the loop may hold is a short list: nothing that calls C, or has code out of line that would find homes
 * changed.  If an emitter does one of these after all, the region is made again without lodgers (x->evicted).
 *
 * A loop with sunk puts (surface.c) has the same ways in and out, with lodgers or without. */
#include "backend/x86_64/int.h"

enum {
	MOST = 512,                    /* instructions of a loop that are looked at */
	OFTEN = 2,                     /* uses that a lodger must have */
	DEEPER = 4,                    /* what a use in a loop within the loop counts */
	FAR = 4,                       /* ... and one of who is to lend a register all the same */
	LONG = 160,                    /* instructions of a stretch that goes straight on */
	PAYS = 8,                      /* ... and uses that a lodger there must have */
	PLAIN = 4,                     /* loops of a region, not counting those with sunk puts */
};

static const u8 mayhold[O_COUNT] = {
	[O_nop] = 1, [O_get] = 1, [O_put] = 1, [O_insn] = 1, [O_mov] = 1, [O_add] = 1, [O_sub] = 1, [O_mul] = 1,
	[O_mulhu] = 1, [O_mulhs] = 1, [O_divu] = 1, [O_divs] = 1, [O_remu] = 1, [O_rems] = 1, [O_and] = 1, [O_or] = 1,
	[O_xor] = 1, [O_andn] = 1, [O_orn] = 1, [O_not] = 1, [O_neg] = 1, [O_shl] = 1, [O_shr] = 1, [O_sar] = 1,
	[O_rotr] = 1, [O_clz] = 1, [O_ctz] = 1, [O_bswap] = 1, [O_bswap32] = 1, [O_sxt] = 1, [O_zxt] = 1, [O_bfx] = 1,
	[O_sbfx] = 1, [O_dep] = 1, [O_extr] = 1, [O_set] = 1, [O_sel] = 1, [O_flsub] = 1, [O_fladd] = 1, [O_fltst] = 1,
	[O_flsbc] = 1, [O_fladc] = 1, [O_adc] = 1, [O_sbc] = 1, [O_fcc] = 1, [O_ld] = 1, [O_lds] = 1, [O_st] = 1,
	[O_fill] = 1, [O_copy] = 1, [O_brc] = 1, [O_brf] = 1, [O_jmp] = 1, [O_umov] = 1, [O_smov] = 1,
};

/* The same of lanes of integers: what loops on vectors are made of (ir/lanes.c). */
static const u8 mayholdvec[O_COUNT] = {
	[O_ld] = 1, [O_st] = 1, [O_mov] = 1, [O_add] = 1, [O_sub] = 1, [O_and] = 1, [O_or] = 1, [O_xor] = 1, [O_andn] = 1,
	[O_orn] = 1, [O_not] = 1, [O_neg] = 1, [O_shli] = 1, [O_shri] = 1, [O_sari] = 1, [O_vset] = 1, [O_smin] = 1,
	[O_smax] = 1, [O_umin] = 1, [O_umax] = 1, [O_abs] = 1, [O_sabd] = 1, [O_uabd] = 1, [O_dup] = 1, [O_vfromi] = 1,
	[O_vzxt] = 1, [O_vsxt] = 1, [O_vnarrow] = 1, [O_vcat] = 1, [O_vext] = 1, [O_vred] = 1, [O_usad] = 1,
};

static int
isint(int var)
{
	return x86_home[var].kind == REG_INT;
}

static int isints(int ty) { return ty_isvec(ty) && ty_bits(ty) == 128 && ty_lane(ty) <= I64; }

static int
allowed(const struct ins *i)
{
	switch (i->op) {
	case O_insn: case O_nop: case O_jmp:
		return 1;
	case O_get: case O_put:
		return i->ty <= I64 ? isint(i->v) : x86_home[i->v].kind == REG_FLAGS;
	case O_brf:
		return !(i->aux & AUX_KEEP) && i->v < CC_AL;
	case O_ld: case O_lds: case O_ldor: case O_st:
		return (i->ty <= I64 || isints(i->ty)) && !(i->aux >> AUX_BASE) &&
		    !(i->aux & (AUX_BE | AUX_ACQ | AUX_REL | AUX_SC | AUX_ALIGN));
	}
	return isints(i->ty) ? mayholdvec[i->op] : mayhold[i->op] && (i->ty <= I64 || i->ty == FL);
}

/* Where instruction i of the region jumps to within [first, last], or -1. */
static int
jumps(const struct region *r, const struct ins *i, int first, int last)
{
	ref to = ir_target(i);
	int b = to ? ir_blockat(r, kval(r, to)) : -1;

	return b >= first && b <= last ? b : -1;
}

/* The first of the region's marks from instruction n on. */
static int
markfrom(const struct region *r, int n)
{
	int m = 0;

	while (m < r->nmark && r->mark[m] < n)
		m++;
	return m;
}

static int end_of(const struct region *r, int b) { return r->block[b].first + r->block[b].n; }

/* After the last jump of block `last` to within [first, last]. */
static int
lastback(const struct region *r, int first, int last)
{
	for (int m = markfrom(r, end_of(r, last)); m-- && r->mark[m] >= r->block[last].first;)
		if (jumps(r, &r->ins[r->mark[m]], first, last) >= 0)
			return r->mark[m] + 1;
	return 0;
}

/* The loop of these blocks: up to where, in the last, or 0 if it holds something else.  That is mostly a mark. */
static int
reaches(const struct region *r, int first, int last)
{
	int from = r->block[first].first, until;

	if (end_of(r, last) - from > MOST || !(until = lastback(r, first, last)))
		return 0;
	for (int m = markfrom(r, from); m < r->nmark && r->mark[m] < until; m++)
		if (!allowed(&r->ins[r->mark[m]]))
			return 0;
	for (int i = from; i < until; i++)
		if (!allowed(&r->ins[i]))
			return 0;
	return until;
}

/* There is a way from the first block back to it: a jump back is no loop where compilers moved code out of line. */
static int
isround(const struct region *r, int first, int last)
{
	u8 back[MOST] = {0};           /* by block: there is a way from it to the first */
	int changed;

	if (last - first >= MOST)
		return 0;
	do {
		changed = 0;
		for (int k = last, m = markfrom(r, end_of(r, last)); k >= first; k--)
			while (m && r->mark[m - 1] >= r->block[k].first) {
				int to = jumps(r, &r->ins[r->mark[--m]], first, last);

				if (!back[k - first] && (to == first || (to > first && back[to - first])))
					changed = back[k - first] = 1;
			}
	} while (changed && !back[0]);
	return back[0];
}

/* Up to where code of the block that goes straight on could have lodgers, if that is far enough; or 0. */
static int
stretch(const struct region *r, const struct block *b)
{
	int i = b->first;

	while (i < b->first + b->n && allowed(&r->ins[i]) && !(opinfo[r->ins[i].op].traits & (LEAVE | END)))
		i++;
	return i - b->first >= LONG ? i : 0;
}

/* Up to where in its last block what l names may have lodgers, or 0. */
static int
suits(const struct x86 *x, const struct lodging *l)
{
	const struct region *r = x->r;
	int until;

	if (!x->loop[l->first])
		return stretch(r, &r->block[l->first]);
	until = reaches(r, l->first, l->last);
	return until && isround(r, l->first, l->last) ? until : 0;
}

/* The first jump back to the loop's head: if it is not the last, what is before is a loop within the loop. */
static int
firstback(const struct region *r, const struct lodging *l)
{
	int m = markfrom(r, r->block[l->first].first);

	while (m < r->nmark && r->mark[m] + 1 < l->until && jumps(r, &r->ins[r->mark[m]], l->first, l->last) != l->first)
		m++;
	return m < r->nmark && r->mark[m] + 1 < l->until ? r->mark[m] + 1 : 0;
}

/* How often the loop names each variable. */
static void
weigh(const struct x86 *x, const struct lodging *l, u16 *uses)
{
	const struct region *r = x->r;
	int inner = firstback(r, l);   /* instructions before are in a loop within the loop */

	memset(uses, 0, 256 * sizeof *uses);
	for (int k = l->first; k <= l->last; k++) {
		if (k > l->first && x->loop[k] && x->loop[k] - 1 <= l->last)
			inner = reaches(r, k, x->loop[k] - 1);
		for (int i = r->block[k].first; i < (k == l->last ? l->until : r->block[k].first + r->block[k].n); i++)
			if (r->ins[i].op == O_get || r->ins[i].op == O_put || (r->ins[i].op == O_nop && r->ins[i].imm))
				uses[r->ins[i].v] += i < inner ? DEEPER : 1;
	}
}

/* Variables in memory that are named at least so often. */
struct needy { int n; u8 var[256]; };

static void
find_needy(const struct guest *g, const u16 *uses, int least, struct needy *d)
{
	d->n = 0;
	for (int v = 0; v < g->nreg; v++)
		if (uses[v] >= least && isint(v) && x86_home[v].reg < 0)
			d->var[d->n++] = (u8)v;
}

/* The one that is named most, at least so often; or -1. */
static int
neediest(const struct needy *d, const u16 *uses, int least)
{
	int best = -1;

	for (int k = 0; k < d->n; k++)
		if (uses[d->var[k]] >= least && (best < 0 || uses[d->var[k]] > uses[best]))
			best = d->var[k];
	return best;
}

/* Gives registers to those that are named most: first those of variables that are not named, then those of who is named
 * far less. */
static void
assign(const struct x86 *x, struct lodging *l)
{
	const struct guest *g = x->r->guest;
	int least = x->loop[l->first] ? OFTEN : PAYS;
	struct needy needy;
	u16 uses[256];

	weigh(x, l, uses);
	find_needy(g, uses, least, &needy);
	for (int named = 0; named < 2 && needy.n; named++)
		for (int lender = 0; lender < g->nreg && l->n < LODGERS; lender++) {
			int best;

			if (!isint(lender) || x86_home[lender].reg < 0 || (uses[lender] != 0) != named ||
			    (best = neediest(&needy, uses, least + FAR * uses[lender])) < 0)
				continue;
			uses[best] = 0;
			l->guest[l->n] = (u8)best;
			l->lender[l->n++] = (u8)lender;
		}
}

void
lodge_none(struct x86 *x)
{
	x->nlodging = 0;
	x->lodged = 0;
	x->evicted = 0;
	while (x->capdoor <= x->r->nblock)
		grow(&x->door, x->capdoor, &x->capdoor, sizeof *x->door);
}

/* A loop within this one has sunk puts. */
static int
holdssunk(const struct x86 *x, const struct lodging *l, int from)
{
	return from < x->nsunk && x->sunk[from].first <= l->last;
}

void
lodge_plan(struct x86 *x)
{
	const struct region *r = x->r;
	int sunk = 0, until;           /* loops with sunk puts so far */

	memset(x->door, 0, (size_t)r->nblock * sizeof *x->door);
	for (int b = 0; b < r->nblock && (x->lodges || x->nsunk) && x->nlodging < (int)NELEM(x->lodging); b++) {
		struct lodging *l = &x->lodging[x->nlodging];

		if (!x->loop[b] && r->block[b].n < LONG)
			continue;
		*l = (struct lodging){.first = (u16)b, .last = (u16)(x->loop[b] ? x->loop[b] - 1 : b)};
		if (sunk < x->nsunk && x->sunk[sunk].first == b) {
			l->sunk = &x->sunk[sunk++];
			l->last = l->sunk->last;
			l->until = l->sunk->until;
		}
		if (!l->sunk && (x->nlodging - sunk == PLAIN || holdssunk(x, l, sunk)))
			continue;
		if (x->lodges && (until = suits(x, l))) {
			l->until = until;
			assign(x, l);
		}
		if (!l->n && !l->sunk)
			continue;
		x->nlodging++;
		for (; b <= l->last; b++)
			x->door[b] = (struct door){.loop = (u8)x->nlodging, .entry = -1};
		b = l->last;
	}
}

/* -- x86_home -- */
static void
swap(const struct lodging *l)
{
	for (int k = 0; k < l->n; k++) {
		s8 *a = &x86_home[l->guest[k]].reg, *b = &x86_home[l->lender[k]].reg, reg = *a;

		*a = *b;
		*b = reg;
	}
}

void
lodge_begin(struct x86 *x, struct lodging *l)
{
	swap(l);
	x->lodged = l;
}

void
lodge_end(struct x86 *x)
{
	if (x->lodged)
		swap(x->lodged);
	x->lodged = 0;
}

int
lodge_until(const struct x86 *x, const struct block *b)
{
	return x->lodged && b == &x->r->block[x->lodged->last] ? x->lodged->until : -1;
}

/* -- code -- */
static struct mem leaveat(void) { return m_cpu(offsetof(struct cpu, scratch[6])); }

static int
regof(const struct x86 *x, const struct lodging *l, int k)
{
	return x86_home[x->lodged == l ? l->guest[k] : l->lender[k]].reg;
}

void
lodge_in(struct x86 *x, struct lodging *l)
{
	for (int k = 0; k < l->n; k++) {
		int reg = regof(x, l, k);

		mov_mr(&x->a, 64, mem_at(RBP, x86_home[l->lender[k]].disp), reg);
		mov_rm(&x->a, 64, reg, mem_at(RBP, x86_home[l->guest[k]].disp));
	}
	rex_r(&x->a, 64, RAX, 0);      /* lea rax, [rip + ...] */
	put2(&x->a, 0x058d);
	put4(&x->a, 0);
	if (l->fault)
		rel32_to(x->a.p - 4, x->out->code + l->fault);
	else
		l->site = (u32)(x->a.p - 4 - x->out->code);
	mov_mr(&x->a, 64, leaveat(), RAX);
}

void
lodge_out(struct x86 *x, const struct lodging *l)
{
	for (int k = 0; k < l->n; k++) {
		int reg = regof(x, l, k);

		mov_mr(&x->a, 64, mem_at(RBP, x86_home[l->guest[k]].disp), reg);
		mov_rm(&x->a, 64, reg, mem_at(RBP, x86_home[l->lender[k]].disp));
	}
	mov_mi(&x->a, 64, leaveat(), 0);
}

/* Doors, and where faults leave. */
void
lodge_doors(struct x86 *x)
{
	struct out *o = x->out;

	for (int n = 0; n < x->nlodging && x->a.p <= x->lim; n++) {
		struct lodging *l = &x->lodging[n];

		l->fault = (u32)(x->a.p - o->code);
		rel32_to(o->code + l->site, x->a.p);
		if (l->sunk)
			surface_fault(x, l);
		else
			lodge_out(x, l);
		x_gostub(x, &x86_stub.leave);
		for (int b = l->first + 1; b <= l->last && x->a.p <= x->lim; b++) {
			struct door *d = &x->door[b];

			d->at = (u32)(x->a.p - o->code);
			if (d->entry >= 0)
				o->entry[d->entry].off = d->at;
			lodge_in(x, l);
			jmp_to(&x->a, o->code + x->label[b]);
		}
	}
}
