/* SPDX-License-Identifier: MIT */
/* dead.c - drops values nobody uses and puts that nobody can see
 *
 * Needs: all blocks of the region, each with its terminator.  Leaves: dropped instructions as nop;
 * block.flagsin set.
 *
 * A put is dead if its variable is put again later in the block with nothing between that could
 * look: a get, an instruction that may fault or leave, a helper that sees the state.  For the
 * flags variable more is known and less is asked for: liveness is followed through the region's
 * blocks, and an instruction that faults does not keep flags alive (a guest's signal handler sees
 * stale flags then, and puts back what it saw).
 *
 * At an exit flagslive(arg, pc) says whether the guest code at pc may read flags before it writes
 * them; pc is FLAGS_UNKNOWN where the target is not known (callr, ret). */
#include "ir/ir.h"

enum { TO_DEAD = 0xfffe, TO_LIVE = 0xffff };

struct pass {
	struct region *r;
	int flags;                     /* number of the flags variable, or -1 */
	int sorted;                    /* blocks are in address order */
	u16 *to;                       /* per leaving instruction: TO_*, or the block it goes to */
	u8 *used;                      /* per instruction: its value is */
	u32 seen[256], now;            /* per variable: == now if put again below */
};

static int
block_at(const struct pass *p, gaddr pc)
{
	const struct region *r = p->r;
	int lo = 0, hi = r->nblock;

	if (!p->sorted) {
		for (int i = 0; i < r->nblock; i++)
			if (r->block[i].pc == pc)
				return i;
		return -1;
	}
	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (r->block[mid].pc < pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->nblock && r->block[lo].pc == pc ? lo : -1;
}

/* -- flags between blocks -- */

static int
leaves(const struct ins *i)
{
	return opinfo[i->op].traits & (END | LEAVE);
}

static u16
target(const struct pass *p, const struct ins *i, int (*live)(void *, gaddr), void *arg)
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
	int b = i->op == O_jmp || i->op == O_brc || i->op == O_brf ? block_at(p, pc) : -1;
	if (b >= 0)
		return (u16)b;
	return !live || live(arg, pc) ? TO_LIVE : TO_DEAD;
}

static int
live_at(const struct pass *p, int i)
{
	u16 to = p->to[i];

	return to == TO_LIVE || (to != TO_DEAD && p->r->block[to].flagsin);
}

/* The helper's flags, or 0 for other instructions. */
static u32
helper_flags(const struct region *r, const struct ins *i)
{
	return i->op == O_help || i->op == O_vhelp ? ir_helper(r, i->v)->flags : 0;
}

/* Whether flags are live at the block's start, given what is known of the others. */
static int
flags_in(const struct pass *p, const struct block *b)
{
	for (int i = b->first; i < b->first + b->n; i++) {
		const struct ins *x = &p->r->ins[i];
		if (x->op == O_get && x->v == p->flags)
			return 1;
		if (x->op == O_put && x->v == p->flags)
			return 0;
		if (helper_flags(p->r, x) & HELP_STATE)
			return 1;
		if (leaves(x) && live_at(p, i))
			return 1;
	}
	return 0;
}

static void
flags_between_blocks(struct pass *p, int (*live)(void *, gaddr), void *arg)
{
	struct region *r = p->r;
	int changed;

	for (int k = 0; k < r->nblock; k++) {
		struct block *b = &r->block[k];
		b->flagsin = 0;
		for (int i = b->first; i < b->first + b->n; i++)
			if (leaves(&r->ins[i]))
				p->to[i] = target(p, &r->ins[i], live, arg);
	}
	do {
		changed = 0;
		for (int k = r->nblock - 1; k >= 0; k--) {
			struct block *b = &r->block[k];
			if (!b->flagsin && flags_in(p, b))
				changed = b->flagsin = 1;
		}
	} while (changed);
}

/* -- within a block, backward -- */

/* Somebody may look at every variable here (but see above for flags). */
static int
islook(const struct region *r, const struct ins *i)
{
	switch (i->op) {
	case O_insn: case O_nop: case O_get: case O_put: case O_fence: case O_clrex:
		return 0;
	case O_help: case O_vhelp:
		return (helper_flags(r, i) & (HELP_FAULT | HELP_STATE)) != 0;
	default:
		return (opinfo[i->op].traits & (READ | WRITE | EFF | END | LEAVE)) != 0;
	}
}

static int
droppable(const struct region *r, const struct ins *i)
{
	return opinfo[i->op].traits & PURE || i->op == O_get
	    || (i->op == O_help && helper_flags(r, i) & HELP_PURE);
}

static void
use(struct pass *p, ref x)
{
	if (!isk(x))
		p->used[x] = 1;        /* used[0] is nobody's */
}

/* Whether the put is dead; remembers it. */
static int
dead_put(struct pass *p, int var, int *flagslive)
{
	int dead;

	if (var == p->flags) {
		dead = !*flagslive;
		*flagslive = 0;
	} else {
		dead = p->seen[var] == p->now;
		p->seen[var] = p->now;
	}
	return dead;
}

static void
read_var(struct pass *p, int var, int *flagslive)
{
	if (var == p->flags)
		*flagslive = 1;
	p->seen[var] = 0;
}

static void
scan(struct pass *p, const struct block *b)
{
	struct region *r = p->r;
	int flagslive = 1;

	p->now++;
	for (int k = b->first + b->n - 1; k >= b->first; k--) {
		struct ins *i = &r->ins[k];
		if (leaves(i) && p->flags >= 0)
			flagslive = live_at(p, k) | (i->op == O_brc || i->op == O_brf ? flagslive : 0);
		if ((!p->used[k] && droppable(r, i)) || (i->op == O_put && dead_put(p, i->v, &flagslive))) {
			*i = (struct ins){.op = O_nop, .ty = N};
			continue;
		}
		if (i->op == O_get)
			read_var(p, i->v, &flagslive);
		if (i->op == O_vhelp) {
			read_var(p, i->aux & 0xff, &flagslive);
			read_var(p, i->aux >> 8, &flagslive);
			read_var(p, i->imm & 0xff, &flagslive);
		}
		if (helper_flags(r, i) & HELP_STATE)
			flagslive = 1;
		if (islook(r, i))
			p->now++;
		use(p, i->a);
		use(p, i->b);
		use(p, i->c);
	}
}

void
ir_dead(struct region *r, int (*flagslive)(void *, gaddr), void *arg)
{
	u16 to[r->nins];
	u8 used[r->nins];
	struct pass p = {
		.r = r, .to = to, .used = used, .sorted = 1,
		.flags = r->guest->flags == 0xff ? -1 : r->guest->flags,
	};

	memset(used, 0, sizeof used);
	for (int k = 1; k < r->nblock; k++)
		p.sorted &= r->block[k - 1].pc < r->block[k].pc;
	if (p.flags >= 0)
		flags_between_blocks(&p, flagslive, arg);
	for (int k = r->nblock - 1; k >= 0; k--)
		scan(&p, &r->block[k]);
}
