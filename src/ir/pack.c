/* SPDX-License-Identifier: MIT */
/* pack.c - long straight code that computes words byte by byte, or by halves
 *
 * A compiler for a machine without vectors takes an operation on vectors apart, into many for each lane, and spills
 * registers in between.  bits.c makes one of them again; what is left of the code for the lanes is the state that the
 * guest would see if one of the accesses in between faulted.
 *
 * Needs: all blocks of the region, each with its terminator; before ir_wide.
 * Leaves: such a block twice.  First a part that does at once what is up to the access after the last load, or the
 * first store that is not from the same address on as those before:
 *
 *   - compares addresses, and goes on at the other block if they may overlap; or if a mask is not what it should be
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
	BASES = 6, WORDS = 48, LOADS = 96, STORES = 12, CHAINS = 16, WORD = 8,
	LABEL = 1,                     /* the block as it was, above the part */
	PAGE = 4096,
};

/* An access: of size bytes at base number `base` + at. */
struct access { ref t; int base; s64 at; int size; };

struct pack {
	struct region *r;
	int first, end;                /* the part */
	struct { ref of, is; s64 lo, hi; } base[BASES]; int nbase;     /* is: of, in the new block */
	struct access load[LOADS]; int nload;
	struct access store[STORES]; int nstore;
	struct access word[WORDS]; int nword;  /* what is loaded; t: in the new block */
	ref pair[WORDS];               /* a vector of it and the word after it, or 0 */
	u8 put[256];                   /* variables that the part puts */
	struct chain chain[CHAINS]; int nchain;
	struct state state;
};

/* Per ref of the block.  Compile is never entered twice at a time. */
static ref is[REF_K] ROOMY;            /* what it is in the new block */
static ref was[REF_K] ROOMY;           /* a load: the value that was stored there in the part, or 0 */
static u8 of[REF_K] ROOMY;             /* a load: 1 + its word; else 0 */
static u8 wanted[REF_K] ROOMY;

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

	was[x->t] = 0;
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
	if (p->nstore == STORES || !p->base[x->base].of)
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

/* Whether i stores elsewhere than the stores before it. */
static int
iselsewhere(const struct pack *p, const struct ins *i)
{
	s64 at = 0;

	return i->op == O_st && wide_plain(i) && p->nstore &&
	    wide_origin(p->r, i->a, &at) != p->base[p->store[0].base].of;
}

/* What the part accesses, gets and puts; it ends where that cannot be done at once any more. */
static int
survey(struct pack *p)
{
	const struct region *r = p->r;
	struct access x;

	p->nbase = p->nload = p->nstore = p->nword = 0;
	memset(p->put, 0, sizeof p->put);
	memset(p->pair, 0, sizeof p->pair);
	for (int k = p->first; k < p->end; k++) {
		const struct ins *i = &r->ins[k];

		of[k] = 0;
		if (iselsewhere(p, i)) {
			p->end = k;
			break;
		}
		if (opinfo[i->op].traits & FPENV)
			return 0;              /* whether its value is wanted or not */
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
		x.t = 0;
		p->word[p->nword++] = x;
		gather(p, x, p->nword);
		k = of[p->load[k].t] ? k : k - 1;
	}
	return 1;
}

/* -- the new block -- */

/* Leaves for the block as it was if the bytes of two bases may overlap. */
static void
apart(const struct pack *p, int x, int y, ref label)
{
	struct region *r = p->r;
	u64 nx = (u64)(p->base[x].hi - p->base[x].lo), ny = (u64)(p->base[y].hi - p->base[y].lo);
	ref by = p->base[x].is;

	by = ir_op(r, O_add, I64, by, ir_k(r, (u64)(p->base[x].lo - p->base[y].lo) - ny), 0);
	if (p->base[y].is)
		by = ir_op(r, O_sub, I64, by, p->base[y].is, 0);
	ir_append(r, ins_make(O_brc, I64, 0, R_GTU, 0, by, ir_k(r, -(nx + ny)), label));
}

/* ... or if the stores go to more than a page. */
static void
onepage(const struct pack *p, ref label)
{
	s64 lo = p->store[0].at, hi = lo;
	ref at;

	for (int k = 0; k < p->nstore; k++) {
		lo = p->store[k].at < lo ? p->store[k].at : lo;
		hi = p->store[k].at + p->store[k].size > hi ? p->store[k].at + p->store[k].size : hi;
	}
	at = ir_op(p->r, O_add, I64, p->base[p->store[0].base].is, ir_k(p->r, (u64)lo), 0);
	at = ir_op(p->r, O_and, I64, at, ir_k(p->r, PAGE - 1), 0);
	ir_append(p->r, ins_make(O_brc, I64, 0, R_GTU, 0, at, ir_k(p->r, (u64)(PAGE - (hi - lo))), label));
}

/* ... or if a mask has more than a lane. */
static void
narrow(const struct pack *p, int n, ref label)
{
	struct region *r = p->r;
	ref m = p->chain[n].narrow;

	for (int k = 0; k < n; k++)
		if (p->chain[k].narrow == m && p->chain[k].width == p->chain[n].width)
			return;
	if (m)
		ir_append(r, ins_make(O_brc, I64, 0, R_GTU, 0, ir_get(r, I64, r->ins[m].v),
		    ir_k(r, ((u64)1 << p->chain[n].width) - 1), label));
}

static void
checks(struct pack *p, ref label)
{
	for (int n = 0; n < p->nbase; n++)
		p->base[n].is = p->base[n].of ? ir_get(p->r, I64, p->r->ins[p->base[n].of].v) : 0;
	for (int x = 0; x < p->nbase; x++)
		for (int y = x + 1; y < p->nbase; y++)
			apart(p, p->base[x].is ? x : y, p->base[x].is ? y : x, label);
	if (p->nstore > 1)
		onepage(p, label);
	for (int n = 0; n < p->nchain; n++)
		narrow(p, n, label);
}

/* Word n, loaded when it is first wanted. */
static ref
wordof(void *arg, int n)
{
	static const u8 type[] = {[1] = I8, [2] = I16, [4] = I32, [8] = I64};
	struct pack *p = arg;
	struct access *w = &p->word[n];
	ref base = p->base[w->base].is;

	if (!w->t && base)
		w->t = ir_append(p->r, ins_make(O_ld, type[w->size], 0, 1, (s32)w->at, base, 0, 0));
	else if (!w->t)
		w->t = ir_append(p->r, ins_make(O_ld, type[w->size], 0, 1, 0, ir_k(p->r, (u64)w->at), 0, 0));
	return w->t;
}

/* Both in a vector: loaded at once if they can be. */
static ref
wordsof(void *arg, int a, int b)
{
	struct pack *p = arg;
	struct access *x = &p->word[a], *y = &p->word[b];
	ref base = p->base[x->base].is;
	int near = base && y->base == x->base && y->at == x->at + WORD;

	if (near && p->pair[a])
		return p->pair[a];
	if (x->t || y->t || !near)
		return a == b ? ir_op(p->r, O_dup, V64, wordof(p, a), 0, 0) :
		    ir_op(p->r, O_vpair, V64, wordof(p, a), wordof(p, b), 0);
	p->pair[a] = ir_append(p->r, ins_make(O_ld, V64, 0, 1, (s32)x->at, base, 0, 0));
	x->t = ir_opx(p->r, O_umov, I64, 0, I64, 0, p->pair[a], 0, 0);
	y->t = ir_opx(p->r, O_umov, I64, 0, I64, 1, p->pair[a], 0, 0);
	return p->pair[a];
}

/* Where in its word load t is. */
static int
within(const struct pack *p, ref t)
{
	const struct ins *i = &p->r->ins[t];
	s64 at = i->imm;

	if (isk(wide_origin(p->r, i->a, &at)))
		at += (s64)kval(p->r, i->a);
	return (int)(at - p->word[of[t] - 1].at);
}

/* What t is, if it was stored in the part. */
static ref
origin(void *arg, ref t)
{
	const struct pack *p = arg;

	while (!isk(t) && wide_plain(&p->r->ins[t]) && was[t])
		t = was[t];
	return t;
}

static int
laneof(void *arg, ref t, struct lane *l)
{
	const struct pack *p = arg;
	const struct ins *i;

	t = origin(arg, t);
	i = &p->r->ins[t & ~REF_K];
	if (isk(t) || !wide_plain(i) || i->op == O_st)
		return 0;
	*l = (struct lane){of[t] - 1, within(p, t), wide_plain(i), i->op == O_lds, p->word[of[t] - 1].base};
	return p->word[l->word].size == WORD;
}

/* What load t is. */
static ref
field(struct pack *p, ref t)
{
	const struct ins *i = &p->r->ins[t];
	int n = of[t] - 1, v = 8 * within(p, t), size = wide_plain(i), sign = i->op == O_lds;
	ref w = wordof(p, n);

	if (!v && !sign && size == p->word[n].size)
		return w;
	return ir_opx(p->r, sign ? v ? O_sbfx : O_sxt : v ? O_bfx : O_zxt, I64, 0, v, size * 8, w, 0, 0);
}

/* The old value t in the new block, where it has been made. */
static ref
now(void *arg, ref t)
{
	if (isk(t) || is[t] || !of[t])
		return isk(t) ? t : is[t];
	return is[t] = field(arg, t);
}

static struct ins
renamed(struct pack *p, struct ins i)
{
	i.a = now(p, i.a);
	i.b = now(p, i.b);
	i.c = now(p, i.c);
	return i;
}

static ref
copy(struct pack *p, struct ins i)
{
	i = renamed(p, i);
	return ir_opx(p->r, i.op, i.ty, i.aux, i.v, i.imm, i.a, i.b, i.c);
}

static const struct chain *
chainof(void *arg, ref t)
{
	const struct pack *p = arg;

	for (int n = 0; n < p->nchain; n++)
		if (p->chain[n].root == t)
			return &p->chain[n];
	return 0;
}

static void want(ref t) { wanted[isk(t) ? 0 : t] = 1; }

/* What those of the part that are wanted are made of is wanted, too. */
static void
spread(struct pack *p)
{
	for (int k = p->end - 1; k >= p->first; k--) {
		const struct ins *i = &p->r->ins[k];
		const struct chain *c;
		struct lane l;

		if (!wanted[k] || is[k])
			continue;
		if (abreast_lane(p->r, &p->state, (ref)k, &l)) {
			abreast_leaves(&p->state, l.word, want);
		} else if ((c = chainof(p, (ref)k))) {
			want(c->from);
			if (c->node)
				abreast_leaves(&p->state, c->node, want);
		} else if (wide_plain(i)) {
			want(was[k]);
		} else {
			want(i->a);
			want(i->b);
			want(i->c);
		}
	}
}

static void
make(struct pack *p, int k)
{
	const struct chain *c = chainof(p, (ref)k);
	struct lane l;

	if (!wanted[k] || is[k] || of[k])
		return;
	if (abreast_lane(p->r, &p->state, (ref)k, &l))
		is[k] = abreast_extract(p->r, &p->state, &l);
	else if (c)
		is[k] = chain_make(p->r, c, &p->state);
	else
		is[k] = wide_plain(&p->r->ins[k]) ? now(p, was[k]) : copy(p, p->r->ins[k]);
}

/* Variables as they are, masks, all that is loaded, then the stores: in this order few values have to wait. */
static void
accesses(struct pack *p)
{
	struct region *r = p->r;

	for (int k = p->first; k < p->end; k++) {
		is[k] = r->ins[k].op == O_get ? ir_get(r, r->ins[k].ty, r->ins[k].v) : 0;
		wanted[k] = 0;
	}
	for (int n = 0; n < p->nchain; n++)
		chain_masks(r, &p->chain[n], &p->state);
	for (int n = 0; n < p->nchain; n++)
		chain_early(r, &p->chain[n], &p->state);
	abreast_words(r, &p->state);
	for (int n = 0; n < p->nword; n++)
		wordof(p, n);
	for (int n = 0; n < p->nstore; n++)
		want(r->ins[p->store[n].t].c);
	spread(p);
	for (int k = p->first; k < p->end; k++)
		make(p, k);
	for (int n = 0; n < p->nstore; n++) {
		const struct access *s = &p->store[n];
		ref v = now(p, r->ins[s->t].c);

		ir_append(r, ins_make(O_st, r->ins[s->t].ty, 0, 1, (s32)s->at, p->base[s->base].is, 0, v));
	}
}

/* What is put, as it is made, and the rest. */
static void
finish(struct pack *p, const struct block *b)
{
	struct region *r = p->r;
	ref last[256] = {0};
	int insn = p->first;

	for (int k = p->first; k < b->first + b->n; k++) {
		const struct ins *i = &r->ins[k];

		if (k < p->end && i->op == O_put)
			last[i->v] = (ref)k;
		insn = k < p->end && i->op == O_insn ? k : insn;
		if (k >= p->end) {
			of[k] = 0;
			want(i->a);
			want(i->b);
			want(i->c);
		}
	}
	for (int v = 0; v < 256; v++)
		want(r->ins[last[v]].a);
	spread(p);
	ir_append(r, r->ins[insn]);
	for (int k = p->first; k < p->end; k++) {
		make(p, k);
		if (r->ins[k].op == O_put && last[r->ins[k].v] == k)
			ir_put(r, r->ins[k].ty, r->ins[k].v, now(p, r->ins[k].a));
	}
	for (int k = p->end; k < b->first + b->n; k++)
		if (r->ins[k].op != O_nop)
			is[k] = copy(p, r->ins[k]);
}

/* Appends the new block. */
static void
append(struct pack *p, int n)
{
	struct region *r = p->r;
	struct block b = r->block[n];

	p->state.last.n = 0;
	ir_block(r, b.pc);
	ir_append(r, ins_make(O_insn, N, 0, 0, 0, 0, 0, 0));
	checks(p, ir_k(r, b.pc + LABEL));
	accesses(p);
	finish(p, &b);
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

/* Whether there are chains. */
static int
chains(struct pack *p)
{
	struct chain *c = p->chain;

	for (int k = p->first; k < p->end && c < p->chain + CHAINS; k++)
		if (p->r->ins[k].op == O_or)
			c += chain_find(p->r, (ref)k, 8, c) || chain_find(p->r, (ref)k, 16, c) || chain_find(p->r, (ref)k, 32, c);
	p->nchain = (int)(c - p->chain);
	return p->nchain;
}

/* Whether its masks are known before anything is computed. */
static int
isready(const struct pack *p, const struct chain *c)
{
	for (int k = 0; k < c->n; k++) {
		ref t = c->link[k].mask;

		if (t && !isk(t) && wide_plain(&p->r->ins[t]) && was[t])
			return 0;
	}
	return 1;
}

/* Leaves those that can be made. */
static int
makeable(struct pack *p)
{
	int n = 0;

	p->state.nnode = 1;
	for (int k = 0; k < p->nchain; k++)
		if (p->chain[k].root < p->end && isready(p, &p->chain[k]) && chain_isdone(p->r, &p->chain[k], &p->state))
			p->chain[n++] = p->chain[k];
	return p->nchain = n;
}

/* Words that are stored side by side may be made at once. */
static void
pairs(struct pack *p, const struct block *b)
{
	struct { ref base, is; s64 at; } st[STORES], *x = st;

	for (int k = b->first; k < b->first + b->n && x < st + STORES; k++) {
		const struct ins *i = &p->r->ins[k];

		if (i->op != O_st || wide_plain(i) != WORD || isk(i->c) || i->c >= p->end)
			continue;
		x->at = i->imm;
		x->base = wide_origin(p->r, i->a, &x->at);
		x->is = i->c;
		for (int n = 0; n < x - st; n++)
			if (st[n].base == x->base && (st[n].at == x->at + WORD || st[n].at == x->at - WORD))
				abreast_plan(p->r, &p->state, st[n].at < x->at ? (ref[]){st[n].is, x->is} :
				    (ref[]){x->is, st[n].is}, 2, 64);
		x++;
	}
}

/* Nodes are written when they are made. */
static void
begin(struct pack *p, struct region *r)
{
	struct state *s = &p->state;

	p->r = r;
	s->now = now;
	s->origin = origin;
	s->laneof = laneof;
	s->wordof = wordof;
	s->wordsof = wordsof;
	s->chainof = chainof;
	s->arg = p;
	s->last = (struct masks){0};
}

void
ir_pack(struct region *r)
{
	static struct pack p ROOMY;

	begin(&p, r);
	for (int n = 0; n < r->nblock; n++) {
		const struct block *b = &r->block[n];

		p.first = b->first;
		p.end = extent(r, b);
		if (b->above || b->turns > 1 || r->nins + 2 * b->n > REF_K / 2 || r->nk + 2 * b->n > REF_K / 2 ||
		    ir_blockat(r, b->pc + LABEL) >= 0 || !chains(&p) || !survey(&p) || !words(&p) || !makeable(&p))
			continue;
		pairs(&p, b);
		append(&p, n);
		putbefore(r, n++);
	}
}
