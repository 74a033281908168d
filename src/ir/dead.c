/* SPDX-License-Identifier: MIT */
/* dead.c - drops values nobody uses and puts that nobody can see
 *
 * Needs: all blocks of the region, each with its terminator.  Leaves: dropped instructions as nop;
 * block.flagsin set.
 *
 * A put is dead if its variable is put again later in the block with nothing between that could
 * look: a get, an instruction that may fault or leave, a helper that sees the state.  Its nop keeps the
 * variable in v and the value in imm: the variable's home is a free place for the value.  For the
 * flags variable more is known and less is asked for: liveness is followed through the region's
 * blocks, and an instruction that faults keeps flags alive only if code after it takes them, where control comes
 * back to (else a guest's signal handler sees stale flags, and puts back what it saw).
 *
 * Code without indexed addresses makes them in a register that it does not need any more: put v, a + b;
 * t = ld [a + b]; put v, something else.  The first put is only for who sees the access fault.  It is left to that
 * (AUX_BASE), so that the host may add while it loads or stores.
 *
 * At an exit flagslive(arg, pc, call) says whether the guest code at pc, which is called or gone on to, may read
 * flags before it writes them; pc is FLAGS_UNKNOWN where the target is not known (callr, ret). */
#include "ir/ir.h"

enum { TO_DEAD = 0xfffe, TO_LIVE = 0xffff, MANY = 255 };

/* What the pass has to know of an operation: which sort it is, and more about one of OTHER. */
enum sort { SKIP, GET, PUT, VALUE, OTHER };
enum { SORT = 7, LEAVES = 8, LOOKS = 16, HELPER = 32, FAULTS = 64, TAKES = 128 };
static const u8 kind[O_COUNT] = {
#define FLAGGED(a, b, c) (#a[0] == 'F' || #b[0] == 'F' || #c[0] == 'F' ? TAKES : 0)
#define OP(name, r, a, b, c, traits, value) [O_##name] = \
	O_##name == O_insn || O_##name == O_nop ? SKIP : O_##name == O_get ? GET : O_##name == O_put ? PUT : \
	O_##name == O_fence || O_##name == O_pref || O_##name == O_clrex ? OTHER : \
	O_##name == O_help || O_##name == O_vhelp ? OTHER | HELPER : \
	(traits) & PURE ? VALUE | FLAGGED(a, b, c) : OTHER | FLAGGED(a, b, c) | \
	((traits) & (END | LEAVE) ? LEAVES : 0) | ((traits) & (READ | WRITE) ? FAULTS : 0) | \
	((traits) & (READ | WRITE | EFF | END | LEAVE) ? LOOKS : 0),
#include "ir/op.def"
#undef OP
#undef FLAGGED
};

struct pass {
	struct region *r;
	int flags;                     /* number of the flags variable, or -1 */
	u16 *to;                       /* per mark of the region that leaves: TO_*, or the block it goes to */
	int m;                         /* mark that the walk upward met last */
	struct edge { u16 from, to; } *edge;   /* between blocks, flags untouched before it */
	int nedge;
	u32 seen[256], now;            /* per variable: == now if put again below */
	int live;                      /* the flags variable is, here */
	int taken;                     /* an operation below takes the flags put last above it */
	u8 faults, putfaults;          /* 1 + accesses below that may fault; the same at the put of flags below; no more
	                                * than MANY */
	int ld;                        /* an access met lately, and `now` below it */
	u32 ldnow;
};

/* Per ref: the value is used: p->faults at its last use.  Constants, too, so that nobody needs to look what a ref is.
 * Compile is never entered twice at a time. */
static u8 used[1 << 16];

/* -- flags between blocks -- */

static u16
target(const struct pass *p, const struct ins *i, int (*live)(void *, gaddr, int), void *arg)
{
	gaddr pc;

	switch (i->op) {
	case O_jmp: case O_call: case O_sys: case O_look:
		pc = kval(p->r, i->a);
		break;
	case O_brc: case O_brf:
		pc = kval(p->r, i->c);
		break;
	case O_trap: case O_br:                        /* a computed jump may stay inside a procedure */
		return TO_LIVE;
	default:
		pc = FLAGS_UNKNOWN;
	}
	int b = i->op == O_jmp || i->op == O_brc || i->op == O_brf ? ir_blockat(p->r, pc) : -1;
	if (b >= 0)
		return (u16)b;
	return !live || live(arg, pc, i->op == O_call) ? TO_LIVE : TO_DEAD;
}

/* Whether flags are live where mark m leaves to. */
static int
live_at(const struct pass *p, int m)
{
	u16 to = p->to[m];

	return to == TO_LIVE || (to != TO_DEAD && p->r->block[to].flagsin);
}

/* The helper's flags, or 0 for other instructions. */
static u32
helper_flags(const struct region *r, const struct ins *i)
{
	return i->op == O_help || i->op == O_vhelp ? ir_helper(r, i->v)->flags : 0;
}

/* Looks at a block from its top: what the first thing that touches flags says of flagsin, edges
 * passed before it, and where every exit goes.  From mark m on; returns the one after the block's. */
static int
survey(struct pass *p, int k, int m, int (*live)(void *, gaddr, int), void *arg)
{
	struct region *r = p->r;
	struct block *b = &r->block[k];
	int decided = 0;

	b->flagsin = 0;
	for (; m < r->nmark && r->mark[m] < b->first + b->n; m++) {
		const struct ins *x = &r->ins[r->mark[m]];
		u8 is = kind[x->op];
		if (is & LEAVES) {
			p->to[m] = target(p, x, live, arg);
			if (!decided && p->to[m] < TO_DEAD)
				p->edge[p->nedge++] = (struct edge){ (u16)k, p->to[m] };
		}
		if (decided)
			continue;
		if ((is & LEAVES && p->to[m] == TO_LIVE) || (x->op == O_get && x->v == p->flags)
		    || (is & HELPER && helper_flags(r, x) & HELP_STATE))
			decided = b->flagsin = 1;
		else if (x->op == O_put && x->v == p->flags)
			decided = 1;
	}
	return m;
}

static void
flags_between_blocks(struct pass *p, int (*live)(void *, gaddr, int), void *arg)
{
	struct block *block = p->r->block;
	int changed;

	for (int k = 0, m = 0; k < p->r->nblock; k++)
		m = survey(p, k, m, live, arg);
	do {
		changed = 0;
		for (int k = p->nedge - 1; k >= 0; k--)
			if (!block[p->edge[k].from].flagsin && block[p->edge[k].to].flagsin)
				changed = block[p->edge[k].from].flagsin = 1;
	} while (changed);
}

/* -- within a block, backward -- */

/* The put is left to the access below it. */
static int
leave_put(struct pass *p, const struct ins *put)
{
	struct ins *ld = &p->r->ins[p->ld];
	const struct ins *d = &p->r->ins[put->a & ~REF_K];

	if (p->seen[put->v] != p->ldnow || put->a != ld->a || isk(put->a) || put->ty != I64 || d->op != O_add ||
	    isk(d->b) || !put->v || put->v >= 1 << (16 - AUX_BASE) || ld->aux >> AUX_BASE)
		return 0;
	ld->aux |= (u16)(put->v << AUX_BASE);
	p->seen[put->v] = p->now;
	return 1;
}

/* Whether the put is dead; remembers it. */
static inline int
dead_put(struct pass *p, const struct ins *put)
{
	int dead;

	if (p->now == p->ldnow + 1 && leave_put(p, put))
		return 1;
	if (put->v == p->flags) {
		dead = !p->live;
		p->live = p->taken = 0;
		p->putfaults = p->faults;
	} else {
		dead = p->seen[put->v] == p->now;
		p->seen[put->v] = p->now;
	}
	return dead;
}

/* An access that takes a put which is only for its fault. */
static int
takes(const struct ins *i)
{
	return (i->op == O_ld || i->op == O_lds || i->op == O_st) && i->ty <= I64 && !i->b && !i->aux;
}

static inline void
read_var(struct pass *p, int var)
{
	p->live |= var == p->flags;
	p->seen[var] = 0;
}

/* Flags that are taken below must be there for who comes back from the fault; so must those that a value was made
 * of above which is used below: the code to come back to makes it anew (take). */
static void
may_fault(struct pass *p)
{
	p->live |= p->taken;
	p->faults += p->faults < MANY;
}

static void
take(struct pass *p, int k)
{
	p->taken = 1;
	p->live |= used[k] && p->faults > p->putfaults && (used[k] < p->faults || p->faults == MANY);
}

/* A helper reads the vectors it names, and may look at all. */
static void
scan_helper(struct pass *p, const struct ins *i)
{
	u32 does = helper_flags(p->r, i);

	if (i->op == O_vhelp) {
		read_var(p, i->aux & 0xff);
		read_var(p, i->aux >> 8);
		read_var(p, i->imm & 0xff);
	}
	if (does & HELP_STATE)
		p->live = 1;
	if (does & HELP_FAULT)
		may_fault(p);
	if (does & (HELP_STATE | HELP_FAULT))
		p->now++;
}

/* Notes what an instruction that is neither a get, a put nor pure does to variables. */
static void
scan_other(struct pass *p, int k, u8 is)
{
	const struct ins *i = &p->r->ins[k];

	if (is & HELPER)
		scan_helper(p, i);
	if (is & LEAVES && p->flags >= 0) {
		while (p->r->mark[p->m] != k)
			p->m--;
		p->live = live_at(p, p->m) | (i->op == O_brc || i->op == O_brf ? p->live : 0);
	}
	if (is & FAULTS)
		may_fault(p);
	if (is & TAKES)
		take(p, k);
	if (is & LOOKS) {
		if (takes(i)) {
			p->ld = k;
			p->ldnow = p->now;
		}
		p->now++;
	}
}

/* What is left of a dead put.  Where only the sign extension under it has no other use either (consumers of words
 * look below it), the home is free for what was extended. */
static struct ins
hint(const struct pass *p, const struct ins *put)
{
	const struct ins *d = &p->r->ins[put->a & ~REF_K];
	ref t = !isk(put->a) && d->op == O_sxt && !used[put->a] ? d->a : put->a;
	int any = !isk(t) && put->v != p->flags;

	return ins_make(O_nop, N, 0, any ? put->v : 0, any ? t : 0, 0, 0, 0);
}

static inline void use(const struct pass *p, ref t) { used[t] = used[t] ? used[t] : p->faults; }

static void
scan(struct pass *p, const struct block *b)
{
	const struct ins nop = ins_make(O_nop, N, 0, 0, 0, 0, 0, 0);

	p->live = 1;
	p->taken = 0;
	p->faults = p->putfaults = 1;
	p->now++;
	for (int k = b->first + b->n - 1; k >= b->first; k--) {
		struct ins *i = &p->r->ins[k];
		u8 is = kind[i->op];

		switch (is & SORT) {
		case SKIP:
			continue;
		case GET:
			if (used[k])
				read_var(p, i->v);
			else
				*i = nop;
			continue;
		case PUT:
			if (dead_put(p, i))
				*i = hint(p, i);
			else
				use(p, i->a);
			continue;
		case VALUE:
			if (!used[k]) {
				*i = nop;
				continue;
			}
			if (is & TAKES)
				take(p, k);
			break;
		default:
			if (is & HELPER && !used[k] && helper_flags(p->r, i) & HELP_PURE) {
				*i = nop;
				continue;
			}
			scan_other(p, k, is);
		}
		use(p, i->a);
		use(p, i->b);
		use(p, i->c);
	}
}

void
ir_dead(struct region *r, int (*flagslive)(void *, gaddr, int), void *arg)
{
	u16 to[r->nmark + 1];
	struct edge edge[r->nmark + 1];
	struct pass p;

	p.r = r;
	p.flags = r->guest->flags == 0xff ? -1 : r->guest->flags;
	p.to = to;
	p.edge = edge;
	p.m = r->nmark - 1;
	p.nedge = 0;
	p.now = p.ldnow = 0;
	memset(p.seen, 0, (size_t)r->guest->nreg * sizeof *p.seen);
	memset(used, 0, (size_t)r->nins);
	if (p.flags >= 0)
		flags_between_blocks(&p, flagslive, arg);
	for (int k = r->nblock - 1; k >= 0; k--)
		scan(&p, &r->block[k]);
}
