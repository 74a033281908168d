/* SPDX-License-Identifier: MIT */
/* regalloc.c - plans a block: last uses, values computed into homes, values left to their consumer
 *
 * One pass backward: a definition is met after all its uses.  "Pending" is a put whose value may
 * still be computed into the variable's home if nothing hostile comes before (that is: earlier in the
 * block but after) the definition.  An effect makes every pending put void at once, by the epoch.  An
 * instruction that is left to its consumer uses its operands there.  A value that lives in a home
 * which is overwritten early all the same is moved by the emitter; so this is advice, but for what
 * may fault.
 *
 * A definition of 64 bits of which only the low 32 are used is made one of 32, and who uses no more takes what an
 * operand was extended from: guests whose words are always extended (RISC-V) extend much that nobody looks at. */
#include "backend/alloc.h"

struct planner {
	struct region *r;
	const struct block *b;
	struct val *val;
	const struct planhost *host;
	struct { ref t; u32 epoch; } pend[256];
	u8 live[256];                  /* values got from the variable that are used later on */
	struct { u16 at; u32 calm, temps; } next[256]; /* the put of the variable below, if all between is `calm` */
	u32 epoch;
	u32 calm, temps;               /* temps: values so far that take a temporary register */
	int hostile, stretch;          /* where the epoch last changed; the longest way from there to the one before */
};

enum {
	NEAR = 4,                      /* how far apart a value and its flags are looked for */
	NEARHALF = 40,                 /* ... the halves of a product */
	FEWTEMPS = 3,                  /* values below which a put may be left out */
	SOON = 16,                     /* who comes so soon may have to wait for an extension */
	VAL_TESTED = 64,               /* the fltst `pair` would like it to make its flags */
	VAL_WIDE = 128,                /* somebody looks at what is above its low 32 bits */
};

/* What some host may leave to its consumer, and so is worth asking for. */
static const u8 leavable[O_COUNT] = {
	[O_add] = 1, [O_shl] = 1, [O_set] = 1, [O_fcc] = 1, [O_and] = 1, [O_flsub] = 1, [O_fladd] = 1,
	[O_umov] = 1, [O_movfi] = 1, [O_mul] = 1,
};

/* What the pass does with an operation. */
enum {
	OTHER, MARK, NOP, PUT, GET,
	NARROW,                        /* its low 32 bits are the operation's on the low 32 of its operands; shl: by less */
};
static const u8 kind[O_COUNT] = {
	[O_insn] = MARK, [O_nop] = NOP, [O_put] = PUT, [O_get] = GET,
	[O_mov] = NARROW, [O_add] = NARROW, [O_sub] = NARROW, [O_mul] = NARROW, [O_and] = NARROW, [O_or] = NARROW,
	[O_xor] = NARROW, [O_andn] = NARROW, [O_orn] = NARROW, [O_not] = NARROW, [O_neg] = NARROW, [O_shl] = NARROW,
	[O_sel] = NARROW,
};

int
plan_narrows(const struct region *r, const struct ins *i)
{
	return kind[i->op] == NARROW && i->ty == I64 && (i->op != O_shl || (isk(i->b) && kval(r, i->b) < 32));
}

/* an extension from n bits or more of a value */
static inline int
extends(const struct region *r, ref o, int n)
{
	const struct ins *i = &r->ins[o & ~REF_K];

	return !isk(o) && (i->op == O_zxt || i->op == O_sxt) && i->imm >= n && !isk(i->a) && !ty_isvec(i->ty);
}

/* the value under extensions from n bits or more */
static ref
bare(const struct region *r, ref o, int n)
{
	while (extends(r, o, n))
		o = r->ins[o].a;
	return o;
}

/* The same for a user at `at`.  What is extended by the sign it takes as it was only if that is soon after: later on
 * the extension is done, and what was extended may have lost its register; and the home of what is read from a variable
 * may have been put the extended value. */
static ref
unextended(const struct region *r, ref o, int n, int at)
{
	const struct ins *d;

	for (; extends(r, o, n); o = r->ins[o].a) {
		d = &r->ins[r->ins[o].a];      /* what is extended */
		if (r->ins[o].op == O_sxt && (at - r->ins[o].a > SOON || d->op == O_get ||
		    (ir_type(d) != I32 && !plan_narrows(r, d))))
			break;
	}
	return o;
}

/* Which do not look at all of an operand of theirs. */
static const u8 partial[O_COUNT] = {
	[O_sxt] = 1, [O_zxt] = 1, [O_bfx] = 1, [O_sbfx] = 1, [O_shl] = 1, [O_and] = 1, [O_set] = 1, [O_brc] = 1,
	[O_shr] = 1, [O_sar] = 1, [O_rotr] = 1,
};

int
plan_looksat(const struct region *r, const struct ins *c, int n)
{
	if (c->ty > I64 || opinfo[c->op].arg[n] != 'X')
		return 64;
	switch (c->op) {
	case O_sxt: case O_zxt:
		return c->imm;
	case O_bfx: case O_sbfx:
		return c->v + c->imm;
	case O_shl: case O_shr: case O_sar: case O_rotr:
		if (n == 1)                    /* the amount is modulo the width */
			return ty_bits(c->ty) == 64 ? 6 : 5;
		if (c->op == O_shl && c->ty == I64 && isk(c->b))
			return 64 - (int)(kval(r, c->b) & 63);
		break;
	case O_set: case O_brc:
		if (c->v != R_TST && c->v != R_NTST)
			break;
		/* fallthrough */
	case O_and:
		if (isk(c->b) && kval(r, c->b) <= 0xffffffff)
			return 32;
		break;
	}
	return ty_bits(c->ty);
}

/* The value t is used at `at` by instruction `who`. */
static inline void
note(struct planner *p, ref t, int at, int who)
{
	const struct ins *d = &p->r->ins[t];
	struct val *v = &p->val[t];

	v->uses++;
	v->user = (u16)who;
	if (d->op == O_get) {
		p->live[d->v] += !v->last;
		p->pend[d->v].t = 0;
	}
	if (v->last < at)
		v->last = (u16)at;
}

/* Operand n, o, of instruction c is used at `at`.  Who looks at 32 bits or less takes what was extended. */
static ref
usepart(struct planner *p, ref o, int at, const struct ins *c, int n)
{
	int bits = plan_looksat(p->r, c, n);

	if (bits <= 32)
		return unextended(p->r, o, bits, at);
	p->val[o].flags |= VAL_WIDE;
	return o;
}

/* The same of instruction c, number `who`. */
static inline void
use(struct planner *p, ref *o, int at, int who, const struct ins *c, int n)
{
	if (isk(*o))
		return;
	if (c->ty <= I32 || partial[c->op])
		*o = usepart(p, *o, at, c, n);
	else
		p->val[*o].flags |= VAL_WIDE;
	note(p, *o, at, who);
}

static inline __attribute__((always_inline)) void
uses(struct planner *p, int who, int at)
{
	struct ins *i = &p->r->ins[who];

	if (i->a)
		use(p, &i->a, at, who, i, 0);
	if (i->b)
		use(p, &i->b, at, who, i, 1);
	if (i->c)
		use(p, &i->c, at, who, i, 2);
}

static void uses_of(struct planner *p, int who, int at) { uses(p, who, at); }

/* x makes the value whose flags f is */
static int
makes(const struct region *r, const struct ins *x, const struct ins *f)
{
	static const u8 maker[O_COUNT] = {
		[O_flsub] = O_sub, [O_fladd] = O_add, [O_flsbc] = O_sbc, [O_fladc] = O_adc,
	};

	int w = ty_bits(f->ty);

	if (x->ty != f->ty || (x->op != maker[f->op] && x->op != O_add) || bare(r, x->a, w) != bare(r, f->a, w))
		return 0;
	if (x->op == maker[f->op])
		return bare(r, x->b, w) == bare(r, f->b, w) && x->c == f->c;
	/* the builder turns x - K into x + -K */
	return f->op == O_flsub && isk(x->b) && isk(f->b) &&
	    !((kval(r, x->b) + kval(r, f->b)) << (64 - w)) && kval(r, f->b) << (64 - w);
}

static int
isflagop(const struct ins *i)
{
	return (i->op == O_flsub || i->op == O_fladd || i->op == O_flsbc || i->op == O_fladc) &&
	    (i->ty == I32 || i->ty == I64);
}

static int
used_between(const struct region *r, int t, int to)
{
	for (int i = t + 1; i <= to; i++)
		if (r->ins[i].a == t || r->ins[i].b == t || r->ins[i].c == t)
			return 1;
	return 0;
}

static int
bindpair(struct planner *p, int f, int x)
{
	struct val *vx = &p->val[x];

	if (vx->flags & (VAL_DEAD | VAL_FOLD | VAL_MAKES))
		return 0;
	vx->flags |= VAL_MAKES;
	vx->pair = (u16)f;
	p->val[f].flags |= VAL_PAIRED;
	p->val[f].pair = (u16)x;
	return 1;
}

/* Looks for the instruction that makes the flags f on its way: then that one uses the operands. */
static int
findpair(struct planner *p, int f)
{
	const struct ins *i = &p->r->ins[f];
	int lo = f - NEAR < p->b->first ? p->b->first : f - NEAR;
	int hi = f + NEAR >= p->b->first + p->b->n ? p->b->first + p->b->n - 1 : f + NEAR;

	if (i->op == O_fltst && !isk(i->a) && i->a >= lo && (i->ty == I32 || i->ty == I64)) {
		const struct ins *d = &p->r->ins[i->a];

		if (d->ty == i->ty && (d->op == O_and || d->op == O_or || d->op == O_xor)) {
			p->val[i->a].flags |= VAL_TESTED;
			p->val[i->a].pair = (u16)f;
		}
	}
	if (!isflagop(i))
		return 0;
	for (int x = f - 1; x >= lo; x--)
		if (makes(p->r, &p->r->ins[x], i))
			return bindpair(p, f, x);
	for (int x = f + 1; x <= hi; x++)
		if (makes(p->r, &p->r->ins[x], i))
			return !used_between(p->r, f, x) && bindpair(p, f, x);
	return 0;
}

/* Looks for the instruction before that makes the other half of the product, and can make this one on its way. */
static int
findhalf(struct planner *p, int half)
{
	const struct ins *i = &p->r->ins[half], *x = i;
	int op = i->op == O_mul ? O_mulhu : O_mul, lo = half - NEARHALF < p->b->first ? p->b->first : half - NEARHALF;

	if (i->ty != I64 || isk(i->b) || !p->host->bothhalves())
		return 0;
	while (--x >= &p->r->ins[lo])
		if (x->op == op && x->ty == I64 && ((x->a == i->a && x->b == i->b) || (x->a == i->b && x->b == i->a)))
			return bindpair(p, half, (int)(x - p->r->ins));
	return 0;
}

/* The instruction is made with another one, which uses the operands. */
static int
withother(struct planner *p, int at)
{
	struct val *v = &p->val[at];
	int op = p->r->ins[at].op;

	if (v->ty == FL)
		return findpair(p, at);
	if ((op != O_mul && op != O_mulhu) || v->flags & VAL_MAKES || !findhalf(p, at))
		return 0;
	v->want = NOVAR;
	return 1;
}

/* Whether an instruction looks at variables only if it faults. */
static int
iscalm(const struct ins *i)
{
	return opinfo[i->op].traits & PURE || ((i->op == O_ld || i->op == O_lds || i->op == O_st) &&
	    !(i->aux & (AUX_ACQ | AUX_REL | AUX_SC | AUX_ALIGN)));
}

/* A put to memory that is overwritten before anybody looks may be left out, if the value stays where a fault finds
 * it.  Where many others want the few temporary registers, storing it costs less. */
static void
planowed(struct planner *p, const struct ins *i, int at)
{
	int calm = p->next[i->v].calm == p->calm ? p->next[i->v].at : 0;
	int next = p->temps - p->next[i->v].temps <= FEWTEMPS ? calm : 0;

	p->next[i->v].temps = p->temps;
	p->next[i->v].at = (u16)at;
	p->next[i->v].calm = p->calm;
	if (i->ty == FL && !isk(i->a) && calm)
		p->val[at].last = (u16)calm;
	if (!next || isk(i->a) || i->ty > I64 || p->r->ins[i->a].op == O_get || p->host->inreg(p->r->guest, i->v))
		return;
	p->val[at].last = (u16)next;
}

static void
planput(struct planner *p, struct ins *i, int at)
{
	planowed(p, i, at);
	ref t = i->a;

	p->pend[i->v].t = 0;
	if (isk(t))
		return;
	p->val[t].flags |= VAL_WIDE;
	note(p, t, at, at);
	if (p->r->ins[t].op == O_get || i->ty == FL || p->live[i->v])
		return;
	p->pend[i->v].t = t;
	p->pend[i->v].epoch = p->epoch;
	p->val[t].want = (u8)i->v;
}

/* Value t is only taken from another, and what is left comes to the home of var: better elsewhere than there. */
static int
isinway(const struct planner *p, ref t, int var)
{
	const struct val *v = &p->val[t];
	const struct ins *i = &p->r->ins[v->user];

	return v->uses == 1 && i->op == O_sub && i->b == t && p->val[v->user].want == var;
}

/* A put that nobody sees (ir/build.c): the home is free for the value all the same, if nothing better is known.  Where
 * only the sign extension under it has no other use either (consumers of words look below it), it is free for what was
 * extended. */
static void
planhint(struct planner *p, const struct ins *i)
{
	ref t = (ref)i->imm;
	struct val *v = &p->val[t];
	int op = p->r->ins[t].op;

	if (op == O_sxt && !v->last) {
		t = p->r->ins[t].a;
		if (isk(t))
			return;
		v = &p->val[t];
		op = p->r->ins[t].op;
	}
	if (!v->last || v->want != NOVAR || op == O_get || op == O_nop || p->live[i->v] || v->flags & VAL_FOLD ||
	    (p->pend[i->v].t && p->pend[i->v].epoch == p->epoch) || isinway(p, t, i->v))
		return;
	p->pend[i->v].t = t;
	p->pend[i->v].epoch = p->epoch;
	v->want = (u8)i->v;
}

/* Nobody uses the value itself; if flags were to come with it they are made alone. */
static void
drop(struct planner *p, struct val *v)
{
	v->flags |= VAL_DEAD;
	if (v->flags & VAL_MAKES) {
		p->val[v->pair].flags &= (u8)~VAL_PAIRED;
		uses_of(p, v->pair, v->pair);
	}
}

/* Nobody looks at the upper half of i. */
static void
tonarrow(struct planner *p, struct ins *i)
{
	i->ty = I32;
	if (i->b && isk(i->b))
		i->b = ir_k(p->r, (u32)kval(p->r, i->b));
	if (i->a && isk(i->a) && i->op != O_sel)
		i->a = ir_k(p->r, (u32)kval(p->r, i->a));
	if (i->c && isk(i->c))
		i->c = ir_k(p->r, (u32)kval(p->r, i->c));
}

/* The operand o of an instruction at `at` is to be had at `until` as well. */
static int
stays(const struct planner *p, ref o, int at, int until)
{
	const struct ins *i = &p->r->ins[o & ~REF_K];

	if (isk(o) || p->val[o].last >= until)
		return 1;
	if (i->op != O_get)
		return 0;
	for (int k = at + 1; k < until; k++)
		if (p->r->ins[k].op == O_put && p->r->ins[k].v == i->v)
			return 0;
	return 1;
}

/* A product that waits for its consumer needs no register till then, if its factors need none for that. */
static int
mayleave(const struct planner *p, const struct ins *i, int at)
{
	int until = p->val[at].last;

	return leavable[i->op] && !(p->val[at].flags & VAL_MAKES) &&
	    (i->op != O_mul || (stays(p, i->a, at, until) && stays(p, i->b, at, until)));
}

/* 1 if the pure instruction needs no code of its own */
static int
planpure(struct planner *p, struct ins *i, int at)
{
	struct val *v = &p->val[at];

	if (!v->uses) {
		drop(p, v);
		return 1;
	}
	if (v->uses == 1 && mayleave(p, i, at)) {
		const struct ins *c = &p->r->ins[v->user];

		if (p->host->fold(p->r, i, c, c->a == at ? 0 : c->b == at ? 1 : 2)) {
			v->flags |= VAL_FOLD;
			v->want = NOVAR;       /* whose home may not be free any more when it is made */
			uses_of(p, at, v->last);
			return 1;
		}
	}
	if (v->flags & VAL_TESTED && !(v->flags & VAL_MAKES))
		bindpair(p, v->pair, at);
	return 0;
}

/* Operations that hosts do in place. */
static const u8 inplace[O_COUNT] = {
	[O_and] = 1, [O_or] = 1, [O_xor] = 1, [O_neg] = 1, [O_not] = 1, [O_shl] = 1, [O_shr] = 1, [O_sar] = 1,
};

/* Whether i, computed into a home, finds its operand there with advantage: it is extended from a word, or made in
 * place.  Not if the operand is used later on as well: that need not wait for the extension. */
static int
isfromhome(const struct planner *p, const struct ins *i)
{
	const struct ins *d = &p->r->ins[i->a & ~REF_K];

	if (isk(i->a) || !i->a || p->val[i->a].uses > 1 || i->b == i->a)
		return 0;
	if (i->op == O_sxt)
		return i->imm == 32 && i->ty == I64 && d->ty == I32 && kind[d->op] == NARROW;
	return inplace[i->op] && (i->ty == I32 || i->ty == I64) && (!i->b || isk(i->b)) && opinfo[d->op].traits & PURE &&
	    d->op != O_get && (d->ty == I32 || d->ty == I64);
}

static void
planoperand(struct planner *p, const struct ins *i, int var)
{
	if (!isfromhome(p, i) || p->val[i->a].want != NOVAR || !p->host->inreg(p->r->guest, var))
		return;
	p->pend[var].t = i->a;
	p->pend[var].epoch = p->epoch;
	p->val[i->a].want = (u8)var;
}

static void
planins(struct planner *p, struct ins *i, int at, int traits)
{
	struct val *v = &p->val[at];

	if (traits & PURE && planpure(p, i, at))
		return;
	if (v->want != NOVAR) {
		if (p->pend[v->want].t != at || p->pend[v->want].epoch != p->epoch)
			v->want = NOVAR;
		else
			p->pend[v->want].t = 0;
	}
	p->calm += !iscalm(i);
	p->temps += v->uses && (v->want == NOVAR || !p->host->inreg(p->r->guest, v->want));
	if (traits & (READ | WRITE | EFF | LEAVE | END)) {
		p->epoch++;
		if (p->hostile - at > p->stretch)
			p->stretch = p->hostile - at;
		p->hostile = at;
	}
	if (!withother(p, at))
		uses(p, at, at);
	if (v->want != NOVAR)
		planoperand(p, i, v->want);
}

static void
planget(struct planner *p, const struct ins *i, struct val *v)
{
	p->next[i->v].at = 0;
	v->ty = i->ty;
	if (v->uses)
		p->live[i->v]--;
	else
		v->flags = VAL_DEAD;
}

/* The records as they are before anything is known, stored by words. */
static inline void
clear(struct val *v, const struct val *end)
{
	static const struct val unknown = {.want = NOVAR, .var = NOVAR, .var2 = NOVAR, .reg = -1};
	u64 lo = ld64(&unknown), hi = ld64((const u8 *)&unknown + 8);

	for (; v < end; v++) {
		st64(v, lo);
		st64((u8 *)v + 8, hi);
	}
}

_Static_assert(sizeof(struct val) == 16, "two words");

/* Not cleared for each block: a pend[] left over names a value of another block, or has another region's epoch; a
 * next[] is of another `calm`; and live[] has gone back to 0 at the block's beginning.  Compile is never entered twice
 * at a time; but who planned before may have been killed (vfork). */
static struct planner planner;

void
plan_begin(void)
{
	memset(planner.live, 0, sizeof planner.live);
	planner.epoch++;
}

int
plan_block(struct region *r, const struct block *b, struct val *val, const struct planhost *host)
{
	struct planner *p = &planner;
	int first = b->first, end = first + b->n;
	struct ins *i = &r->ins[end];

	p->r = r;
	p->b = b;
	p->val = val;
	p->host = host;
	p->hostile = end;
	p->stretch = 0;
	p->calm++;
	clear(val + first, val + end);
	for (int at = end - 1; at >= first; at--) {
		int what = kind[(--i)->op];

		if (what == MARK)
			continue;
		if (what == PUT) {
			planput(p, i, at);
		} else if (what == GET) {
			planget(p, i, &val[at]);
		} else if (what == NOP) {
			if (i->imm)
				planhint(p, i);
		} else {
			if (what == NARROW && !(val[at].flags & (VAL_WIDE | VAL_MAKES)) && plan_narrows(r, i))
				tonarrow(p, i);
			val[at].ty = (u8)ir_type(i);
			planins(p, i, at, opinfo[i->op].traits);
		}
	}
	return p->hostile - first > p->stretch ? p->hostile - first : p->stretch;
}
