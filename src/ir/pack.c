/* SPDX-License-Identifier: MIT */
/* pack.c - long straight code that computes words byte by byte
 *
 * A compiler for a machine without vectors takes an operation on vectors apart, into many for each byte, and spills
 * registers in between.  bits.c makes one of them again; what is left of the code for the bytes is the state that the
 * guest would see if one of the accesses in between faulted.
 *
 * Needs: all blocks of the region, each with its terminator; before ir_wide.
 * Leaves: such a block twice.  First a part that does at once what is up to the access after the last load:
 *
 *   - compares addresses, and goes on at the other block if they may overlap
 *   - all loads; those whose bytes make up words of eight bytes as these
 *   - all that is computed; what is loaded where it has been stored is what was stored
 *   - all stores, in order; to one page, so that none faults if the first does not
 *   - all puts
 *
 * Then the rest as it was.  Before the first store the guest has done nothing: all accesses of the part have v = 1 and
 * belong to the block's first instruction, as in wide.c.  The other is the block as it was, by a label of the region's
 * own.
 *
 * Loads come before stores to other bytes, and loads of different bytes in another order than in the program, as
 * RISC-V, Volume I, 17.1 lets them; each byte is loaded once. */
#include "ir/pack.h"

enum {
	BASES = 6, WORDS = 48, LOADS = 96, STORES = 12, WORD = 8,
	LABEL = 1,                     /* the block as it was, above the part */
	PAGE = 4096,
};

/* An access: of size bytes at base number `base` + at. */
struct access { ref t; int base; s64 at; int size; };

struct pack {
	struct region *r;
	int first, end;                /* the part */
	struct { ref of; s64 lo, hi; } base[BASES]; int nbase;
	struct access load[LOADS]; int nload;
	struct access store[STORES]; int nstore;
	struct access word[WORDS]; int nword;  /* what is loaded; t: in the new block */
	u8 put[256];                   /* variables that the part puts */
};

/* Per ref of the block.  Compile is never entered twice at a time. */
static ref is[REF_K] ROOMY;            /* what it is in the new block */
static ref was[REF_K] ROOMY;           /* a load: the value that was stored there in the part, or 0 */
static u8 of[REF_K] ROOMY;             /* a load: 1 + its word, or 0 */

/* -- what the block does -- */

static int
baseof(struct pack *p, ref of, s64 lo, s64 hi)
{
	int n = 0;

	while (n < p->nbase && p->base[n].of != of)
		n++;
	if (n == BASES)
		return -1;
	if (n == p->nbase) {
		p->base[n].of = of;
		p->base[n].lo = lo;
		p->base[n].hi = hi;
		p->nbase++;
	}
	p->base[n].lo = lo < p->base[n].lo ? lo : p->base[n].lo;
	p->base[n].hi = hi > p->base[n].hi ? hi : p->base[n].hi;
	return n;
}

static int
overlap(const struct access *x, const struct access *y)
{
	return x->base == y->base && x->at < y->at + y->size && y->at < x->at + x->size;
}

/* The access that t is; whether its address is known where the block begins. */
static int
place(struct pack *p, ref t, struct access *x)
{
	const struct ins *i = &p->r->ins[t];
	s64 at = i->imm;
	ref of = wide_origin(p->r, i->a, &at);

	if (isk(of)) {
		at += (s64)kval(p->r, of);
		of = 0;
	} else if (p->r->ins[of].op != O_get) {
		return 0;
	}
	*x = (struct access){t, 0, at, wide_plain(i)};
	if (at != (s32)at || (x->base = baseof(p, of, at, at + x->size)) < 0)
		return 0;
	return 1;
}

/* A load of what has been stored in the part is that; other loads are noted. */
static int
addload(struct pack *p, const struct access *x)
{
	const struct ins *i = &p->r->ins[x->t];

	was[x->t] = of[x->t] = 0;
	for (int k = p->nstore - 1; k >= 0; k--)
		if (overlap(x, &p->store[k])) {
			was[x->t] = p->r->ins[p->store[k].t].c;
			return x->at == p->store[k].at && x->size == WORD && p->store[k].size == WORD && i->op == O_ld;
		}
	if (p->nload == LOADS)
		return 0;
	p->load[p->nload++] = *x;
	return 1;
}

static int
addstore(struct pack *p, const struct access *x)
{
	if (p->nstore == STORES || !p->base[x->base].of || (p->nstore && p->store[0].base != x->base))
		return 0;
	p->store[p->nstore++] = *x;
	return 1;
}

/* Up to which of its instructions block b can be done at once. */
static int
extent(const struct region *r, const struct block *b)
{
	int end = 0;

	for (int k = b->first; k < b->first + b->n; k++) {
		const struct ins *i = &r->ins[k];

		if (wide_plain(i) && i->op != O_st)
			end = 0;
		else if (!wide_passes(i))
			end = end ? end : k;
		if (!wide_passes(i) && !wide_plain(i))
			break;
	}
	return end;
}

/* What the part accesses, gets and puts. */
static int
survey(struct pack *p)
{
	const struct region *r = p->r;
	struct access x;

	p->nbase = p->nload = p->nstore = p->nword = 0;
	memset(p->put, 0, sizeof p->put);
	for (int k = p->first; k < p->end; k++) {
		const struct ins *i = &r->ins[k];

		if ((i->op == O_put || i->op == O_get) && (i->v == r->guest->flags || (i->op == O_get && p->put[i->v])))
			return 0;
		if (i->op == O_put)
			p->put[i->v] = 1;
		if (wide_plain(i) && !(place(p, (ref)k, &x) && (i->op == O_st ? addstore(p, &x) : addload(p, &x))))
			return 0;
	}
	return 1;
}

/* -- words -- */

/* The loads not yet of a word that begin in the eight bytes from x on; returns whether they fill these. */
static int
gather(const struct pack *p, struct access x, int n)
{
	u32 have = 0;

	for (int k = 0; k < p->nload; k++) {
		const struct access *l = &p->load[k];

		if (l->base != x.base || of[l->t] || l->at < x.at || l->at >= x.at + x.size)
			continue;
		have |= ((1u << l->size) - 1) << (l->at - x.at);
		if (n && l->at + l->size <= x.at + x.size)
			of[l->t] = (u8)n;
	}
	return have == (1u << x.size) - 1;
}

/* Words of which each load is a part. */
static int
words(struct pack *p)
{
	for (int k = 0; k < p->nload; k++) {
		struct access x = p->load[k];

		if (of[x.t])
			continue;
		for (int m = k + 1; m < p->nload; m++)
			if (p->load[m].base == x.base && !of[p->load[m].t] &&
			    (p->load[m].at < x.at || (p->load[m].at == x.at && p->load[m].size > x.size)))
				x = p->load[m];
		x.size = gather(p, (struct access){0, x.base, x.at, WORD}, 0) ? WORD : x.size;
		for (int m = 0; m < p->nword; m++)
			if (overlap(&p->word[m], &x))
				return 0;
		if (p->nword == WORDS)
			return 0;
		p->word[p->nword++] = x;
		gather(p, x, p->nword);
		k = of[p->load[k].t] ? k : k - 1;
	}
	return 1;
}

/* -- the new block -- */

/* Leaves for the block as it was if the bytes of two bases may overlap. */
static void
apart(struct pack *p, int x, int y, const ref *base, ref label)
{
	struct region *r = p->r;
	u64 nx = (u64)(p->base[x].hi - p->base[x].lo), ny = (u64)(p->base[y].hi - p->base[y].lo);
	ref by = base[y] ? ir_op(r, O_sub, I64, base[x], base[y], 0) : base[x];

	by = ir_op(r, O_add, I64, by, ir_k(r, (u64)(p->base[x].lo - p->base[y].lo) - ny), 0);
	ir_append(r, ins_make(O_brc, I64, 0, R_GTU, 0, by, ir_k(r, -(nx + ny)), label));
}

/* ... or if the stores go to more than a page. */
static void
onepage(struct pack *p, const ref *base, ref label)
{
	s64 lo = p->store[0].at, hi = lo;
	ref at;

	for (int k = 0; k < p->nstore; k++) {
		lo = p->store[k].at < lo ? p->store[k].at : lo;
		hi = p->store[k].at + p->store[k].size > hi ? p->store[k].at + p->store[k].size : hi;
	}
	at = ir_op(p->r, O_add, I64, base[p->store[0].base], ir_k(p->r, (u64)lo), 0);
	at = ir_op(p->r, O_and, I64, at, ir_k(p->r, PAGE - 1), 0);
	ir_append(p->r, ins_make(O_brc, I64, 0, R_GTU, 0, at, ir_k(p->r, (u64)(PAGE - (hi - lo))), label));
}

static void
checks(struct pack *p, ref *base, ref label)
{
	for (int n = 0; n < p->nbase; n++)
		base[n] = p->base[n].of ? ir_get(p->r, I64, p->r->ins[p->base[n].of].v) : 0;
	for (int x = 0; x < p->nbase; x++)
		for (int y = x + 1; y < p->nbase; y++)
			apart(p, base[x] ? x : y, base[x] ? y : x, base, label);
	if (p->nstore > 1)
		onepage(p, base, label);
}

/* What load i is. */
static ref
field(struct pack *p, const struct access *l, const struct access *w)
{
	int v = (int)(l->at - w->at) * 8, sign = p->r->ins[l->t].op == O_lds;

	if (!v && !sign && l->size == w->size)
		return w->t;
	return ir_opx(p->r, sign ? v ? O_sbfx : O_sxt : v ? O_bfx : O_zxt, I64, 0, v, l->size * 8, w->t, 0, 0);
}

static void
loads(struct pack *p, const ref *base)
{
	static const u8 type[] = {[1] = I8, [2] = I16, [4] = I32, [8] = I64};
	struct region *r = p->r;

	for (int n = 0; n < p->nword; n++) {
		struct access *w = &p->word[n];
		ref at = base[w->base] ? base[w->base] : ir_k(r, (u64)w->at);

		w->t = ir_append(r, ins_make(O_ld, type[w->size], 0, 1, isk(at) ? 0 : (s32)w->at, at, 0, 0));
	}
	for (int n = 0; n < p->nload; n++)
		is[p->load[n].t] = field(p, &p->load[n], &p->word[of[p->load[n].t] - 1]);
}

static ref now(ref t) { return isk(t) ? t : is[t]; }

static ref
copy(struct region *r, struct ins i)
{
	return ir_opx(r, i.op, i.ty, i.aux, i.v, i.imm, now(i.a), now(i.b), now(i.c));
}

static int
laneof(const void *arg, ref t, struct lane *l)
{
	const struct pack *p = arg;
	const struct access *w;
	s64 at;

	while (!isk(t) && wide_plain(&p->r->ins[t]) && was[t])
		t = was[t];
	if (isk(t) || wide_plain(&p->r->ins[t]) != 1 || p->r->ins[t].op != O_ld)
		return 0;
	at = p->r->ins[t].imm;
	wide_origin(p->r, p->r->ins[t].a, &at);
	w = &p->word[of[t] - 1];
	*l = (struct lane){of[t], (int)(at - w->at)};
	return w->size == WORD;
}

static ref wordof(const void *arg, int n) { return ((const struct pack *)arg)->word[n - 1].t; }

/* What the part computes; returns how much of it at once. */
static int
compute(struct pack *p)
{
	struct region *r = p->r;
	struct chain c;
	int n = 0;

	for (int k = p->first; k < p->end; k++) {
		struct ins i = r->ins[k];

		if (i.op == O_get)
			is[k] = ir_get(r, i.ty, i.v);
		else if (i.op == O_or && chain_find(r, (ref)k, &c) && (is[k] = chain_make(r, &c, is, laneof, wordof, p)))
			n++;
		else if (opinfo[i.op].traits & PURE)
			is[k] = copy(r, i);
		else if (wide_plain(&i) && i.op != O_st && was[k])
			is[k] = now(was[k]);
	}
	return n;
}

/* The stores, the puts, and the rest. */
static void
end(struct pack *p, const struct block *b, const ref *base)
{
	struct region *r = p->r;
	ref put[256] = {0};
	struct ins i;
	int insn = p->first;

	for (int n = 0; n < p->nstore; n++) {
		i = r->ins[p->store[n].t];
		ir_append(r, ins_make(O_st, i.ty, 0, 1, (s32)p->store[n].at, base[p->store[n].base], 0, now(i.c)));
	}
	for (int k = p->first; k < p->end; k++) {
		insn = r->ins[k].op == O_insn ? k : insn;
		if (r->ins[k].op == O_put)
			put[r->ins[k].v] = (ref)k;
	}
	ir_append(r, r->ins[insn]);
	for (int v = 0; v < 256; v++)
		if (put[v]) {
			i = r->ins[put[v]];
			ir_put(r, i.ty, v, now(i.a));
		}
	for (int k = p->end; k < b->first + b->n; k++)
		if (r->ins[k].op != O_nop)
			is[k] = copy(r, r->ins[k]);
}

/* Appends the new block; whether it is of use. */
static int
make(struct pack *p, int n)
{
	struct region *r = p->r;
	ref base[BASES];

	ir_block(r, r->block[n].pc);
	ir_append(r, ins_make(O_insn, N, 0, 0, 0, 0, 0, 0));
	checks(p, base, ir_k(r, r->block[n].pc + LABEL));
	loads(p, base);
	if (!compute(p))
		return 0;
	end(p, &r->block[n], base);
	return 1;
}

/* -- its place -- */

static ref moved(ref t, int by) { return t && !isk(t) ? (ref)(t + by) : t; }

/* The last block comes before block n, which gets a label. */
static void
putbefore(struct region *r, int n)
{
	static struct ins ins[REF_K] ROOMY;
	struct block b = r->block[r->nblock - 1], *old;
	int at = r->block[n].first, marks = 0;

	memcpy(ins, &r->ins[b.first], (size_t)b.n * sizeof *ins);
	while (marks < r->nmark && r->mark[r->nmark - 1 - marks] >= b.first)
		marks++;
	u16 mark[marks + 1];
	memcpy(mark, &r->mark[r->nmark - marks], (size_t)marks * sizeof *mark);
	ir_unblock(r);
	ir_room(r, n, b.n);
	for (int k = 0; k < b.n; k++) {
		ins[k].a = moved(ins[k].a, at - b.first);
		ins[k].b = moved(ins[k].b, at - b.first);
		ins[k].c = moved(ins[k].c, at - b.first);
		if (ins[k].op == O_nop && ins[k].imm)
			ins[k].imm += at - b.first;
		r->ins[at + k] = ins[k];
	}
	for (int k = 0; k < marks; k++)
		wide_mark(r, moved(mark[k], at - b.first));
	old = &r->block[n + 1];
	b.first = at;
	b.entry = old->entry;
	b.turns = old->turns;
	r->block[n] = b;
	old->pc += LABEL;
	old->above = LABEL;
	old->entry = 0;
	for (int k = old->first; k < old->first + old->n; k++)
		r->ins[k].imm -= r->ins[k].op == O_insn ? LABEL : 0;
}

/* -- the pass -- */

static int
isworth(const struct pack *p)
{
	struct chain c;

	for (int k = p->end - 1; k > p->first; k--)
		if (p->r->ins[k].op == O_or && chain_find(p->r, (ref)k, &c))
			return 1;
	return 0;
}

void
ir_pack(struct region *r)
{
	static struct pack p ROOMY;

	p.r = r;
	for (int n = 0; n < r->nblock; n++) {
		const struct block *b = &r->block[n];

		p.first = b->first;
		p.end = extent(r, b);
		if (b->above || b->turns > 1 || r->nins + 2 * b->n > REF_K / 2 || r->nk + 2 * b->n > REF_K / 2 ||
		    ir_blockat(r, b->pc + LABEL) >= 0 || !isworth(&p) || !survey(&p) || !words(&p))
			continue;
		if (make(&p, n))
			putbefore(r, n++);
		else
			ir_unblock(r);
	}
}
