/* SPDX-License-Identifier: MIT */
/* sink.c - what the next turn of a loop puts again is computed on the ways out
 *
 * In a loop of one block, or of some that follow one another, many variables are put in every turn and never got: they
 * are wanted where the loop is left, by exits and safe points, and where an access faults.  Such a put, `put v, f(x)`,
 * is sunk: the home of a variable, its holder, holds x in the loop, and who leaves computes f of that.  f is made of
 * cheap operations on x and constants.
 *
 * Where guest state can be looked at are the *looks*: accesses, exits, and the safe point at the loop's head.  A put
 * reigns at those from it to the next put of its variable, round the loop's end.  It is sunk if
 *  - nothing but puts uses f(x), and nothing in the loop gets the variable; or else f extends a word, which is all that
 *    is looked at of what is got, and the home gets x instead;
 *  - wherever it reigns, the last put of the holder's variable is of the same turn's x.  The holder is another variable
 *    that is put x there, or that a sunk put made one; one that is got for x and not put in the loop; or, if no other
 *    serves, v itself, whose home then gets x: only what f costs more than that is saved.
 * It lies in the loop's last block: so whoever comes in, at any block, comes before it.
 *
 * So is `put v, f(x, y)`, one operation on two values that variables hold in any case; v's own may be one, if v was put
 * that before.  What is put may then have other uses, if these are served as well without its home: by the host's flags
 * (carries), or soon.
 *
 * So at each look it is known which variables are to be computed: those whose reigning put is sunk.  In the first turn
 * that holds only of puts before it in the block: what has not been put yet is in its home as ever.
 *
 * The region that hosts get is a copy.  Its loop has the puts changed; after the jump back, where control goes on, what
 * is sunk is computed in line.  Behind all blocks lies code for sets of sunk puts, without control flow: a way out is
 * told which of them it takes. */
#include "backend/alloc.h"

enum {
	MOST = 768,                    /* instructions of a loop that are looked at */
	CHAIN = 3,                     /* blocks */
	DEPTH = 4,                     /* operations that f may be made of */
	SOON = 12,                     /* instructions for which a value may need a register */
	WORTH = 4,                     /* operations to be saved in a turn: loops may have few turns */
	HEAD = 63,                     /* the bit of the look at the head */
	LONGEST = (2 + DEPTH) * SUNK,  /* code for a set */
	GOT = 1, WIDE = 2,             /* the loop gets the variable; and looks at more than its low 32 bits */
};

/* A put that may be sunk. */
struct cand {
	u16 at;
	u8 var, ty;                    /* of the put */
	ref leaf, other;               /* x; y, or 0 */
	ref chain[DEPTH];              /* f, the last operation first */
	u8 n, own, cut;                /* operations; those that are used for this alone; those that make f */
	u8 type, cost;                 /* of what the holder is put; that are saved */
	u8 holder, second;             /* variables; NOVAR: none.  second: y's */
	u64 now, old;                  /* looks at which it reigns: put in this turn, in the one before */
};

struct sinker {
	const struct region *r;
	const struct planhost *host;
	int head, tail;                /* the loop's blocks */
	int base, from, until;         /* the first block begins, the last one; after the jump back */
	u16 uses[MOST], spare[MOST];   /* of instructions, counted from base; those that need no home (isspare) */
	u8 wide[MOST];                 /* somebody looks at what is above its low 32 bits */
	u16 next[MOST];                /* of a put: the next of its variable, or 0 */
	u8 before[MOST];               /* looks before an instruction */
	u8 got[256];                   /* GOT or WIDE */
	u16 first[256], last[256];     /* puts of variables, or 0 */
	struct cand cand[SUNK]; int ncand;
	struct sinking *all, *s;       /* those of the region; the one that is made */
};

/* What f may be made of: 1 and about how many of the host's instructions that takes. */
static const u8 cheap[O_COUNT] = {
	[O_mov] = 2, [O_add] = 2, [O_sub] = 2, [O_and] = 3, [O_or] = 3, [O_xor] = 3, [O_not] = 3, [O_neg] = 3, [O_shl] = 3,
	[O_shr] = 3, [O_sar] = 3, [O_rotr] = 2, [O_sxt] = 2, [O_zxt] = 2, [O_bfx] = 3, [O_sbfx] = 3, [O_umov] = 2,
	[O_movif] = 1, [O_fbox] = 2,
};

/* The same of operations on two values. */
static const u8 cheappair[O_COUNT] = { [O_set] = 3, [O_add] = 2, [O_mulhu] = 2 };

/* -- the loop -- */

/* What a loop may hold.  Accesses are those whose faults leave variables alone. */
static int
allowed(const struct ins *i)
{
	switch (i->op) {
	case O_insn: case O_nop: case O_get: case O_put:
		return 1;
	case O_ld: case O_lds: case O_ldor: case O_st:
		return !(i->aux & ~AUX_SCALE);
	case O_brc:
		return !isk(i->a) || !isk(i->b);
	case O_brf:
		return !(i->aux & AUX_KEEP) && i->v < CC_AL;
	}
	return !(opinfo[i->op].traits & (READ | WRITE | EFF | LEAVE | END));
}

/* The number of the loop's block that i jumps to, or -1. */
static int
jumps(const struct sinker *k, const struct ins *i)
{
	ref to = ir_target(i);

	for (int b = k->head; to && b <= k->tail; b++)
		if (kval(k->r, to) == k->r->block[b].pc)
			return b;
	return -1;
}

/* Whether control goes round from block head to tail, and is nowhere else jumped back to within. */
static int
isround(struct sinker *k)
{
	const struct region *r = k->r;

	for (int m = 0, b = 0; m < r->nmark; m++) {
		const struct ins *i = &r->ins[r->mark[m]];
		int to;

		if (r->mark[m] >= k->base && r->mark[m] < k->from && !allowed(i) && i->op != O_jmp)
			return 0;
		to = jumps(k, i);

		while (r->mark[m] >= r->block[b].first + r->block[b].n)
			b++;
		if (b == k->tail && to == k->head && !k->until)
			k->until = r->mark[m] + 1;
		else if (b >= k->head && b < k->tail && to == b + 1 && i->op == O_jmp)
			continue;
		else if (to > k->head ? b >= to : to == k->head && b >= k->head && b <= k->tail)
			return 0;
		else if (to >= 0 && b >= k->head && b <= k->tail)
			return 0;
	}
	return 1;
}

static int
isloop(struct sinker *k)
{
	const struct region *r = k->r;

	k->base = r->block[k->head].first;
	k->from = r->block[k->tail].first;
	k->until = 0;
	if (k->from + r->block[k->tail].n - k->base > MOST || !isround(k))
		return 0;
	for (int i = k->base; i < k->until; i++)
		if (!allowed(&r->ins[i]) && (r->ins[i].op != O_jmp || jumps(k, &r->ins[i]) < 0))
			return 0;
	return 1;
}

static int
extendsword(const struct ins *i)
{
	return (i->op == O_sxt || i->op == O_zxt) && i->ty == I64 && i->imm == 32;
}

/* Nobody wants more of instruction n than is made of the low 32 bits of its operands. */
static int
islow(const struct sinker *k, int n)
{
	return !k->wide[n - k->base] && plan_narrows(k->r, &k->r->ins[n]);
}

/* Operand m of instruction n is the extension t of a word, which would do. */
static int
looksbelow(const struct sinker *k, int n, int m, ref t)
{
	return extendsword(&k->r->ins[t]) && (islow(k, n) || plan_looksat(k->r, &k->r->ins[n], m) <= 32);
}

/* Operand m of instruction n is t, but need not be what a home holds. */
static int
isspare(const struct sinker *k, int n, int m, ref t)
{
	if (k->r->ins[n].op == O_put || looksbelow(k, n, m, t))
		return 1;
	return k->r->ins[t].op == O_mulhu ? n - t <= SOON : k->host->told(k->r, t, n);
}

/* Uses of values, by what is used itself. */
static void
count_uses(struct sinker *k)
{
	int count = k->from + k->r->block[k->tail].n - k->base;

	memset(k->uses, 0, (size_t)count * sizeof *k->uses);
	memset(k->spare, 0, (size_t)count * sizeof *k->spare);
	memset(k->wide, 0, (size_t)count);
	for (int n = k->base + count - 1; n >= k->base; n--) {
		const struct ins *i = &k->r->ins[n];
		const ref o[3] = {i->a, i->b, i->c};

		if (!k->uses[n - k->base] && (opinfo[i->op].traits & PURE || i->op == O_get))
			continue;
		for (int m = 0; m < 3; m++)
			if (o[m] && !isk(o[m])) {
				k->uses[o[m] - k->base]++;
				k->spare[o[m] - k->base] += isspare(k, n, m, o[m]);
				k->wide[o[m] - k->base] |= !islow(k, n) && plan_looksat(k->r, i, m) > 32;
			}
	}
}

/* Puts and looks in their order; 0 if there are too many. */
static int
survey(struct sinker *k)
{
	struct sinking *s = k->s;

	memset(k->got, 0, sizeof k->got);
	memset(k->first, 0, sizeof k->first);
	memset(k->last, 0, sizeof k->last);
	s->nlook = 0;
	for (int n = k->base; n < k->until; n++) {
		const struct ins *i = &k->r->ins[n];

		k->before[n - k->base] = s->nlook;
		k->next[n - k->base] = 0;
		if (i->op == O_get && k->uses[n - k->base])
			k->got[i->v] |= k->wide[n - k->base] ? WIDE : GOT;
		if (i->op == O_put) {
			if (k->last[i->v])
				k->next[k->last[i->v] - k->base] = (u16)n;
			else
				k->first[i->v] = (u16)n;
			k->last[i->v] = (u16)n;
		}
		if (jumps(k, i) >= 0 || !(opinfo[i->op].traits & (READ | WRITE | LEAVE)))
			continue;
		if (s->nlook == LOOKS)
			return 0;
		s->look[s->nlook++] = (u16)n;
	}
	return 1;
}

static u64 range(int lo, int hi) { return lo < hi ? ~(u64)0 >> (64 - (hi - lo)) << lo : 0; }

/* The looks at which the put reigns. */
static void
reign(const struct sinker *k, int at, u64 *now, u64 *old)
{
	int next = k->next[at - k->base], from = k->before[at - k->base];

	*old = 0;
	*now = range(from, next ? k->before[next - k->base] : k->s->nlook);
	if (next)
		return;
	*now |= (u64)1 << HEAD;
	*old = range(0, k->before[k->first[k->r->ins[at].v] - k->base]);
}

/* -- what is sunk -- */

/* The one operand of i that is no constant, or 0. */
static ref
operand(const struct ins *i)
{
	const ref o[3] = {i->a, i->b, i->c};
	ref t = 0;

	for (int n = 0; n < 3; n++)
		if (o[n] && !isk(o[n])) {
			if (t)
				return 0;
			t = o[n];
		}
	return t;
}

static int looks(const struct cand *c) { return __builtin_popcountll(c->now) + __builtin_popcountll(c->old); }
static int isword(int ty) { return ty == I32 || ty == I64; }
static int isvector(int ty) { return ty_isvec(ty) && ty_bits(ty) == 128; }
static int kindof(const struct sinker *k, int var) { return k->r->guest->reg[var].kind; }

/* Whether the home of a variable that is put values of type ty may hold one of type x instead. */
static int
fits(const struct sinker *k, int var, int ty, int x)
{
	if (kindof(k, var) == REG_INT)
		return isword(ty) && isword(x) && k->r->guest->reg[var].bits == 64;
	return kindof(k, var) != REG_FLAGS && isvector(x) && k->host->inreg(k->r->guest, var);
}

/* Narrow integers may be left to C code. */
static int
ischeap(const struct ins *i)
{
	return cheap[i->op] && operand(i) && i->ty != I8 && i->ty != I16;
}

/* Takes the put's value apart; 0 if there is nothing to sink.  What has other uses is computed in the loop all the
 * same, but may be computed once more. */
static int
dissect(const struct sinker *k, struct cand *c)
{
	ref t = k->r->ins[c->at].a;
	int depth = k->got[c->var] ? 1 : DEPTH;

	if (isk(t) || k->got[c->var] & WIDE || k->uses[t - k->base] > k->spare[t - k->base])
		return 0;
	if (k->got[c->var] && !extendsword(&k->r->ins[t]))
		return 0;
	c->own = 0;
	for (c->n = 0; c->n < depth && ischeap(&k->r->ins[t]); t = operand(&k->r->ins[t])) {
		c->own += c->own == c->n && (!c->n || k->uses[t - k->base] == 1);
		c->chain[c->n++] = t;
	}
	return c->n;
}

/* f is to be the first n operations; 0 if v can not have what they leave instead. */
static int
cut(const struct sinker *k, struct cand *c, int n)
{
	int ty;

	c->leaf = operand(&k->r->ins[c->chain[n - 1]]);
	ty = ir_type(&k->r->ins[c->leaf]);
	c->type = isword(ty) ? I64 : (u8)ty;
	c->cut = (u8)n;
	c->cost = 0;
	for (int m = 0; m < n && m < c->own; m++)
		c->cost += cheap[k->r->ins[c->chain[m]].op] - 1;
	return fits(k, c->var, c->ty, ty);
}

/* Put n may be sunk itself. */
static int
iscand(const struct sinker *k, int n)
{
	for (int c = 0; c < k->ncand; c++)
		if (k->cand[c].at == n)
			return 1;
	return 0;
}

/* A variable that has t wherever c reigns, put in the same turn; or NOVAR. */
static int
find_put(const struct sinker *k, const struct cand *c, ref t)
{
	const struct ins *x = &k->r->ins[t];
	u64 now, old;

	if (x->op == O_get && !k->last[x->v] && x->ty == c->type)
		return x->v;
	for (int n = t + 1; n < k->until; n++) {
		const struct ins *i = &k->r->ins[n];

		if (i->op != O_put || i->a != t || i->ty != c->type || kindof(k, i->v) == REG_FP || iscand(k, n))
			continue;
		reign(k, n, &now, &old);
		if (!(c->now & ~now) && !(c->old & ~old))
			return i->v;
	}
	return NOVAR;
}

/* The same for x, or what another sunk put leaves. */
static int
find_holder(const struct sinker *k, const struct cand *c)
{
	int var = find_put(k, c, c->leaf);

	if (var != NOVAR)
		return var;
	for (const struct cand *h = k->cand; h < k->cand + k->ncand; h++)
		if (h->leaf == c->leaf && h->holder == h->var && !(c->now & ~h->now) && !(c->old & ~h->old))
			return h->holder;
	return NOVAR;
}

/* Instruction `at` as a candidate; 0 if it is no put. */
static int
start(const struct sinker *k, int at, struct cand *c)
{
	const struct ins *i = &k->r->ins[at];

	*c = (struct cand){.at = (u16)at, .var = (u8)i->v, .ty = i->ty, .holder = NOVAR, .second = NOVAR};
	if (i->op != O_put)
		return 0;
	reign(k, at, &c->now, &c->old);
	return 1;
}

/* Puts that may be sunk, those first that reign at most looks. */
static void
find_cands(struct sinker *k)
{
	k->ncand = 0;
	for (int at = k->from; at < k->until && k->ncand < SUNK; at++) {
		struct cand c, *p;

		if (!start(k, at, &c) || !dissect(k, &c))
			continue;
		for (p = &k->cand[k->ncand++]; p > k->cand && looks(p - 1) < looks(&c); p--)
			*p = p[-1];
		*p = c;
	}
}

/* Another variable holds what c can be made of. */
static int
isserved(const struct sinker *k, struct cand *c)
{
	for (int n = 1; n <= c->n && !k->got[c->var]; n++)
		if (cut(k, c, n) && (c->holder = (u8)find_holder(k, c)) != NOVAR)
			return 1;
	return 0;
}

/* c's own variable is to hold it: what is put is saved if it is not moved there for that. */
static void
holdsown(const struct sinker *k, struct cand *c)
{
	for (int n = c->own; n > 0; n--)
		if (cut(k, c, n)) {
			int moved = !k->got[c->var] && (k->uses[c->leaf - k->base] > 1 || k->r->ins[c->leaf].op == O_get);

			if (c->cost <= moved)
				return;
			c->cost -= moved;
			c->holder = c->var;
			return;
		}
}

/* Finds holders, drops what has none; returns what is saved. */
static int
choose(struct sinker *k)
{
	int saved = 0, n = 0;

	for (struct cand *c = k->cand; c < k->cand + k->ncand; c++)
		if (!isserved(k, c))
			holdsown(k, c);
	for (struct cand *c = k->cand; c < k->cand + k->ncand; c++)
		if (c->holder != NOVAR || isserved(k, c)) {
			saved += c->cost;
			k->cand[n++] = *c;
		}
	k->ncand = n;
	return saved;
}

/* -- values made of two -- */

/* Put n holds what a sunk one is made of. */
static int
holds(const struct sinker *k, int n)
{
	const struct ins *i = &k->r->ins[n];

	for (const struct cand *c = k->cand; c < k->cand + k->ncand; c++)
		if ((c->leaf == i->a && c->holder == i->v) || (c->other == i->a && c->second == i->v))
			return 1;
	return 0;
}

/* What c's variable was put last in this turn before c, or 0. */
static ref
putbefore(const struct sinker *k, const struct cand *c)
{
	int n = k->first[c->var];

	while (n < c->at && k->next[n - k->base] < c->at)
		n = k->next[n - k->base];
	return n < c->at && k->r->ins[n].ty == c->type && !iscand(k, n) ? k->r->ins[n].a : 0;
}

/* A variable that holds t at no cost, or NOVAR. */
static int
holder_of(const struct sinker *k, const struct cand *c, ref t)
{
	return putbefore(k, c) == t ? c->var : find_put(k, c, t);
}

/* Somebody gets what c puts. */
static int
isgot(const struct sinker *k, const struct cand *c)
{
	int next = k->next[c->at - k->base];

	if (!k->got[c->var])
		return 0;
	for (int n = c->at; n < next; n++)
		if (k->r->ins[n].op == O_get && k->r->ins[n].v == c->var)
			return 1;
	return !next;
}

/* The value is made of two whole numbers that variables hold anyway. */
static int
ispair(const struct sinker *k, struct cand *c)
{
	const struct ins *f = &k->r->ins[k->r->ins[c->at].a];
	ref t = k->r->ins[c->at].a;

	if (isk(t) || !cheappair[f->op] || isgot(k, c) || k->uses[t - k->base] > k->spare[t - k->base])
		return 0;
	if (f->ty != I64 || c->ty != I64 || isk(f->a) || isk(f->b) || f->c || ir_type(&k->r->ins[f->a]) != I64 ||
	    ir_type(&k->r->ins[f->b]) != I64 || !fits(k, c->var, I64, I64))
		return 0;
	c->type = I64;
	c->leaf = f->a;
	c->other = f->b;
	c->chain[0] = t;
	c->cut = 1;
	c->cost = cheappair[f->op] - 1;
	c->holder = (u8)holder_of(k, c, c->leaf);
	c->second = (u8)holder_of(k, c, c->other);
	return c->holder != NOVAR && c->second != NOVAR;
}

/* Adds puts of such values; returns what is saved. */
static int
find_pairs(struct sinker *k)
{
	int saved = 0;

	for (int at = k->from; at < k->until && k->ncand < SUNK; at++) {
		struct cand c;

		if (!start(k, at, &c) || iscand(k, at) || holds(k, at) || !ispair(k, &c))
			continue;
		saved += c.cost;
		k->cand[k->ncand++] = c;
	}
	return saved;
}

/* -- code -- */

/* Code that computes a sunk value from its holder and puts it. */
static int
compute_one(const struct sinker *k, const struct cand *c, int base, struct ins *to)
{
	ref t = (ref)base;
	int n = 0;

	to[n++] = ins_make(O_get, c->type, 0, c->holder, 0, 0, 0, 0);
	if (c->other)
		to[n++] = ins_make(O_get, c->type, 0, c->second, 0, 0, 0, 0);
	for (int m = c->cut - 1; m >= 0; m--) {
		struct ins i = k->r->ins[c->chain[m]];
		ref o = c->other ? i.a : operand(&i);

		*(i.a == o ? &i.a : i.b == o ? &i.b : &i.c) = t;
		if (c->other)
			i.b = (ref)(t + 1);
		t = (ref)(base + n);
		to[n++] = i;
	}
	to[n++] = ins_make(O_put, c->ty, 0, c->var, 0, t, 0, 0);
	return n;
}

static int isown(const struct cand *c) { return c->holder == c->var || c->second == c->var; }

/* The same for a set, from instruction `base` on: holders are put last.  Returns the length. */
static int
compute(const struct sinker *k, u32 set, int base, struct ins *to)
{
	int n = 0;

	for (int own = 0; own < 2; own++)
		for (int c = 0; c < k->ncand; c++)
			if (set >> c & 1 && isown(&k->cand[c]) == own)
				n += compute_one(k, &k->cand[c], base + n, to + n);
	return n;
}

/* The number of the set, which is made known; -1: there are too many. */
static int
number(struct sinking *s, u32 set)
{
	for (int n = 0; n < s->nset; n++)
		if (s->set[n].set == set)
			return n;
	if (s->nset == SINKSETS)
		return -1;
	s->set[s->nset].set = set;
	return s->nset++;
}

/* Which sets each look takes; 0 if they are too many. */
static int
find_sets(struct sinker *k)
{
	struct sinking *s = k->s;

	s->nset = s->carries = 0;
	for (int l = 0; l <= s->nlook; l++) {
		int bit = l == s->nlook ? HEAD : l, now, all;
		u32 set[2] = {0};

		for (int c = 0; c < k->ncand; c++) {
			set[0] |= (u32)(k->cand[c].now >> bit & 1) << c;
			set[1] |= (u32)((k->cand[c].now | k->cand[c].old) >> bit & 1) << c;
		}
		now = number(s, set[0]);
		all = number(s, set[1]);
		if (now < 0 || all < 0)
			return 0;
		s->now[l] = (u8)now;
		s->all[l] = (u8)all;
		s->carries |= now != all;
	}
	return 1;
}

/* -- the copy -- */

static void
room(void *array, int *cap, int n, size_t size)
{
	while (*cap < n)
		grow(array, *cap, cap, size);
}

/* What planning and making change is the copy's own, at all times: who makes it may be killed, and others go on. */
static void
copy_region(struct region *to, const struct region *from)
{
	struct region copy = *from;

	room(&to->ins, &to->capins, from->nins, sizeof *to->ins);
	room(&to->k, &to->capk, from->nk, sizeof *to->k);
	room(&to->block, &to->capblock, from->nblock, sizeof *to->block);
	room(&to->mark, &to->capmark, from->nmark, sizeof *to->mark);
	copy.ins = memcpy(to->ins, from->ins, (size_t)from->nins * sizeof *to->ins);
	copy.k = memcpy(to->k, from->k, (size_t)from->nk * sizeof *to->k);
	copy.block = memcpy(to->block, from->block, (size_t)from->nblock * sizeof *to->block);
	copy.mark = memcpy(to->mark, from->mark, (size_t)from->nmark * sizeof *to->mark);
	copy.capins = to->capins;
	copy.capk = to->capk;
	copy.capblock = to->capblock;
	copy.capmark = to->capmark;
	*to = copy;
}

static ref past(ref t, int at, int n) { return t && !isk(t) && t >= at ? (ref)(t + n) : t; }

/* Puts n instructions before number `at`, which lies in a block's midst. */
static void
insert(struct region *r, int at, const struct ins *new, int n)
{
	room(&r->ins, &r->capins, r->nins + n, sizeof *r->ins);
	memmove(r->ins + at + n, r->ins + at, (size_t)(r->nins - at) * sizeof *r->ins);
	memcpy(r->ins + at, new, (size_t)n * sizeof *new);
	r->nins += n;
	for (struct ins *i = r->ins + at + n; i < r->ins + r->nins; i++) {
		i->a = past(i->a, at, n);
		i->b = past(i->b, at, n);
		i->c = past(i->c, at, n);
		if (i->op == O_nop && i->imm >= at)
			i->imm += n;
	}
	for (struct block *b = r->block; b < r->block + r->nblock; b++) {
		if (b->first >= at)
			b->first += n;
		else if (b->first + b->n > at)
			b->n += n;
	}
	for (int m = 0; m < r->nmark; m++)
		if (r->mark[m] >= at)
			r->mark[m] = (u16)(r->mark[m] + n);
}

/* Who may looks below the extension t. */
static void
unextend(const struct sinker *k, struct region *r, ref t)
{
	for (int n = t + 1; n < k->until; n++) {
		ref *const o[3] = {&r->ins[n].a, &r->ins[n].b, &r->ins[n].c};

		for (int m = 0; m < 3; m++)
			if (*o[m] == t && looksbelow(k, n, m, t))
				*o[m] = r->ins[t].a;
	}
}

/* Changes the loop of k in r. */
static void
sink(const struct sinker *k, struct region *r)
{
	struct ins code[LONGEST];
	const struct sinking *s = k->s;
	int end = s->all[s->nlook], n;

	for (const struct cand *c = k->cand; c < k->cand + k->ncand; c++) {
		ref held = c->holder == c->var ? c->leaf : c->second == c->var ? c->other : 0;

		unextend(k, r, c->chain[0]);
		r->ins[c->at] = held ? ins_make(O_put, c->type, 0, c->var, 0, held, 0, 0) :
		    ins_make(O_nop, N, 0, 0, 0, 0, 0, 0);
	}
	if (k->until == r->block[k->tail].first + r->block[k->tail].n)
		return;
	n = compute(k, s->set[end].set, k->until, code);
	insert(r, k->until, code, n);
	for (struct sinking *t = k->s; t-- > k->all;)
		for (int m = 0; m < t->nset; m++)
			t->set[m].first = (u16)(t->set[m].first + n);
}

/* Code for the sets, behind all blocks. */
static void
append(const struct sinker *k, struct region *r)
{
	for (struct sinkset *s = k->s->set; s < k->s->set + k->s->nset; s++) {
		room(&r->ins, &r->capins, r->nins + LONGEST, sizeof *r->ins);
		s->first = (u16)r->nins;
		s->n = (u16)compute(k, s->set, r->nins, r->ins + r->nins);
		r->nins += s->n;
	}
}

/* The loop from block head to tail of k->r, if it is one and worth it. */
static int
look(struct sinker *k)
{
	int saved, n;

	if (!isloop(k))
		return 0;
	count_uses(k);
	if (!survey(k))
		return 0;
	find_cands(k);
	saved = choose(k);
	n = k->ncand;
	if (saved + find_pairs(k) >= WORTH && find_sets(k))
		return 1;
	k->ncand = n;
	return saved >= WORTH && find_sets(k);
}

/* The block not long before b that instruction i of that jumps to, or -1. */
static int
back(const struct region *r, const struct ins *i, int b)
{
	ref to = ir_target(i);

	if (!to || (r->sorted && kval(r, to) > r->block[b].pc))
		return -1;
	for (int n = b; n >= 0 && n > b - CHAIN; n--)
		if (r->block[n].pc == kval(r, to))
			return n;
	return -1;
}

int
plan_sinks(const struct region *r, const struct planhost *host, struct sinking *s, struct region *to)
{
	static struct sinker k;        /* compile is never entered twice at a time */
	int n = 0;

	k.r = r;
	k.host = host;
	k.all = s;
	for (int m = 0, b = 0; m < r->nmark && n < SINKS; m++) {
		while (r->mark[m] >= r->block[b].first + r->block[b].n)
			b++;
		k.head = back(r, &r->ins[r->mark[m]], b);
		k.tail = b;
		k.s = &s[n];
		if (k.head < 0 || (n && k.head <= s[n - 1].last) || k.r->nins + (1 + SINKSETS) * LONGEST >= REF_K || !look(&k))
			continue;
		if (!n++)
			copy_region(to, r);
		k.r = to;
		k.s->first = (u16)k.head;
		k.s->last = (u16)b;
		k.s->until = (u16)k.until;
		sink(&k, to);
		append(&k, to);
	}
	return n;
}
