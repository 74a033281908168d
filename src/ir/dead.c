/* SPDX-License-Identifier: MIT */
/* dead.c - drops puts of flags that nobody can see, and values nobody uses
 *
 * Needs: all blocks of the region, each with its terminator.  Leaves: dropped instructions as nop;
 * block.flagsin set.
 *
 * The builder drops dead puts within a block (build.c).  For the flags variable more is known and less is asked for:
 * liveness is followed through the region's blocks, and an instruction that faults keeps flags alive only if code
 * after it takes them, where control comes back to (else a guest's signal handler sees stale flags, and puts back
 * what it saw).  Flags that only the targets of branches want, branches on these very flags, are put on the way there.
 *
 * At an exit flagslive(arg, pc, call) says whether the guest code at pc, which is called or gone on to, may read
 * flags before it writes them; pc is FLAGS_UNKNOWN where the target is not known (callr, ret). */
#include "base/util.h"
#include "ir/ir.h"

enum { TO_DEAD = 0xfffe, TO_LIVE = 0xffff };

/* What the pass has to know of an operation, in one byte. */
enum { LEAVES = 1, HELPER = 2, FAULTS = 4, TAKES = 8, VALUE = 16, VAR = 32 };
static const u8 kind[O_COUNT] = {
#define OP(name, r, a, b, c, traits, value) [O_##name] = \
	O_##name == O_get || O_##name == O_put ? VAR : \
	O_##name == O_help || O_##name == O_vhelp ? HELPER : \
	((traits) & (END | LEAVE) ? LEAVES : 0) | ((traits) & (READ | WRITE) ? FAULTS : 0) | \
	(#a[0] == 'F' || #b[0] == 'F' || #c[0] == 'F' ? TAKES | ((traits) & PURE ? VALUE : 0) : 0),
#include "ir/op.def"
#undef OP
};

struct pass {
	struct region *r;
	int flags;                     /* number of the flags variable, or -1 */
	u16 *put;                      /* per block: its first put of flags, or 0 */
	u16 *to;                       /* per mark of the region that leaves: TO_*, or the block it goes to */
	struct edge { u16 from, to; } *edge;   /* between blocks, flags untouched before it */
	int nedge;
};

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
 * passed before it, and where every exit goes; the first put.  From mark m on; returns the one after the block's. */
static int
survey(struct pass *p, int k, int m, int (*live)(void *, gaddr, int), void *arg)
{
	struct region *r = p->r;
	struct block *b = &r->block[k];
	int decided = 0;

	b->flagsin = 0;
	p->put[k] = 0;
	for (; m < r->nmark && r->mark[m] < b->first + b->n; m++) {
		const struct ins *x = &r->ins[r->mark[m]];
		u8 is = kind[x->op];
		if (is & LEAVES) {
			p->to[m] = target(p, x, live, arg);
			if (!decided && p->to[m] < TO_DEAD)
				p->edge[p->nedge++] = (struct edge){ (u16)k, p->to[m] };
		}
		if (x->op == O_put && !p->put[k])
			p->put[k] = r->mark[m];
		if (decided)
			continue;
		if ((is & LEAVES && p->to[m] == TO_LIVE) || x->op == O_get
		    || (is & HELPER && helper_flags(r, x) & HELP_STATE))
			decided = b->flagsin = 1;
		else if (x->op == O_put)
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

static u8 of[1 << 16] ROOMY;           /* by ref: made of a value asked about; all 0 in between */

/* Whether the value k, or one made of it, is used after an access that may fault. */
static int
used_after_fault(const struct pass *p, int k, int end)
{
	int fault = 0, used = 0;

	of[k] = 1;
	for (int j = k + 1; j < end && !used; j++) {
		const struct ins *i = &p->r->ins[j];

		of[j] = of[i->a] | of[i->b] | of[i->c];
		used = fault & of[j];
		fault |= kind[i->op] & FAULTS || helper_flags(p->r, i) & HELP_FAULT;
	}
	memset(of + k, 0, (size_t)(end - k));
	return used;
}

/* Exits below a put of flags that want them and could put them themselves. */
struct leavers { int n; struct ins *at[8]; };

/* Notes that i leaves to where flags are live; returns whether they must be put before it. */
static int
leaver(struct leavers *l, struct ins *i)
{
	if (i->op != O_brf || isk(i->a) || i->v >= CC_AL || l->n == NELEM(l->at) || (l->n && l->at[0]->a != i->a))
		return 1;
	l->at[l->n++] = i;
	return 0;
}

/* Nothing but the exits noted wants the flags that put puts: leaves it to them, if they have these. */
static void
sink(struct leavers *l, struct ins *put)
{
	if (l->n && l->at[0]->a != put->a)
		return;
	for (int k = 0; k < l->n; k++)
		l->at[k]->aux = AUX_KEEP;
	*put = ins_make(O_nop, N, 0, 0, 0, 0, 0, 0);
}

/* Drops puts of the block, whose marks are m or less; returns what is left of these.  Flags that are
 * taken below a fault must be there for who comes back from it; so must those that a value was made of
 * above the fault which is used below: the code to come back to makes it anew. */
static int
scan(struct pass *p, const struct block *b, int m)
{
	int end = b->first + b->n, first = p->put[b - p->r->block], live = 1;
	int taken = 0, fault = 0;      /* above the next put */
	struct leavers leavers = {0};

	for (int k = end - 1; k >= first; k--) {
		struct ins *i = &p->r->ins[k];
		u8 is = kind[i->op];
		u32 does = is & HELPER ? helper_flags(p->r, i) : 0;

		if (!is || (is & VAR && i->v != p->flags))
			continue;
		while (p->r->mark[m] > k)
			m--;
		if (i->op == O_put) {
			if (!live)
				sink(&leavers, i);
			live = taken = fault = leavers.n = 0;
			continue;
		}
		if (is & LEAVES) {
			if (i->op != O_brc && i->op != O_brf)
				live = leavers.n = 0;
			live |= live_at(p, m) && leaver(&leavers, i);
		}
		if (is & FAULTS || does & HELP_FAULT) {
			live |= taken;
			fault = 1;
		}
		if (is & VAR || does & HELP_STATE)
			live = 1;
		if (is & TAKES) {
			taken = 1;
			live |= fault && is & VALUE && used_after_fault(p, k, end);
		}
	}
	return m;
}

void
ir_dead(struct region *r, int (*flagslive)(void *, gaddr, int), void *arg)
{
	u16 put[r->nblock + 1], to[r->nmark + 1];
	struct edge edge[r->nmark + 1];
	struct pass p = {.r = r, .put = put, .to = to, .edge = edge, .flags = r->guest->flags};

	if (r->guest->flags == 0xff)
		return;
	flags_between_blocks(&p, flagslive, arg);
	for (int k = r->nblock - 1, m = r->nmark - 1; k >= 0; k--)
		if (p.put[k])
			m = scan(&p, &r->block[k], m);
}

void
ir_unused(struct region *r)
{
	static u8 used[1 << 16] ROOMY; /* by ref; compile is never entered twice at a time */

	memset(used, 0, (size_t)r->nins);
	for (int k = r->nins - 1; k > 0; k--) {
		struct ins *i = &r->ins[k];

		if (!used[k] && (opinfo[i->op].traits & PURE || i->op == O_get))
			*i = ins_make(O_nop, N, 0, 0, 0, 0, 0, 0);
		used[i->a] = used[i->b] = used[i->c] = 1;
	}
}
