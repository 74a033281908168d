/* SPDX-License-Identifier: MIT */
/* region.c - which guest code is translated together
 *
 * A region is what can be reached from its entry by fall-through, direct branches and returning
 * calls, upward from the entry, up to a number of instructions.  A first walk (guest->scan) finds the
 * instructions that start a block, so that loops are known before their heads are translated; then
 * the blocks are translated in address order.  A block head that nothing in the region jumps to
 * and that follows a side exit stays part of the block before it. */
#include <errno.h>
#include "core/core.h"
#include "frontend/tr.h"

enum { MAXMARK = 1024, WINDOW = 4096, PEEKMAX = 32, NCHUNK = 32 };

/* Half of what is translated is never executed: error paths, the other cases of a switch.  Code that is
 * left out costs one exit when it is reached after all, and a jump from then on. */
enum {
	FAR = 512,                     /* bytes: how far ahead a conditional branch is followed */
	CALLS = 32,                    /* instructions, after which calls are not assumed to return */
};

struct walk {
	const struct cpu *cpu;
	const struct guest *g;
	gaddr pc;
	int max, n;
	u64 end;                       /* offset above the last instruction seen or head wanted */
	struct { gaddr at; int n; } have[NCHUNK];      /* bytes fetched for this region, */
	u8 bytes[NCHUNK][FETCH_MAX];                   /* by address */
	u16 todo[MAXMARK]; int ntodo;
	u8 seen[WINDOW / 2], head[WINDOW / 2];         /* by half-word from the entry */
};

/* As os->fetch for one instruction, but the environment is asked once for many. */
static const u8 *
fetch(struct walk *w, gaddr pc, int *got)
{
	gaddr at = aligndown(pc, FETCH_MAX);
	u32 k = (u32)(at / FETCH_MAX % NCHUNK), off = (u32)(pc - at);

	if (w->have[k].at != at) {
		const u8 *p = w->cpu->os->fetch(at, FETCH_MAX, &w->have[k].n);

		if (w->have[k].n)
			memcpy(w->bytes[k], p, (size_t)w->have[k].n);
		w->have[k].at = at;
	}
	*got = w->g->maxlen;
	if (w->have[k].n >= (int)off + *got)
		return w->bytes[k] + off;
	return w->cpu->os->fetch(pc, *got, got);       /* across an edge, or not at all */
}

static int
scanat(struct walk *w, gaddr pc, struct scan *s)
{
	int got;
	const u8 *p = fetch(w, pc, &got);

	if (got < w->g->minlen)
		return 0;
	w->g->scan(p, got, pc, s);
	return s->len != 0;
}

static void
want(struct walk *w, gaddr pc)
{
	u64 off = pc - w->pc;

	if (off >= WINDOW || off & 1)
		return;
	w->head[off / 2] = 1;
	if (off >= w->end)
		w->end = off + 2;
	if (!w->seen[off / 2] && w->ntodo < MAXMARK)
		w->todo[w->ntodo++] = (u16)off;
}

/* lowest address first, so that a limit cuts off the far end */
static u16
next(struct walk *w)
{
	int best = 0;
	u16 off;

	for (int i = 1; i < w->ntodo; i++)
		if (w->todo[i] < w->todo[best])
			best = i;
	off = w->todo[best];
	w->todo[best] = w->todo[--w->ntodo];
	return off;
}

/* Back is a loop; ahead is likely a rare case, unless near. */
static void
branch(struct walk *w, u64 off, const struct scan *s)
{
	u64 to = s->target - w->pc;

	if (s->flow == FLOW_JUMP || to <= off || to - off < FAR)
		want(w, s->target);
}

static void
walk(struct walk *w)
{
	struct scan s;

	want(w, w->pc);
	while (w->ntodo && w->n < w->max) {
		u64 off = next(w);

		while (w->n < w->max && off < WINDOW - 8 && !w->seen[off / 2]) {
			w->seen[off / 2] = 1;
			if (!scanat(w, w->pc + off, &s)) {
				w->seen[off / 2] = 0;  /* no block there: going there leaves, and faults */
				break;
			}
			w->n++;
			if (off >= w->end)
				w->end = off + 2;
			if (s.flow == FLOW_COND || s.flow == FLOW_JUMP)
				branch(w, off, &s);
			off += s.len;
			if ((s.flow == FLOW_CALL || s.flow == FLOW_SYS) && w->n < CALLS)
				want(w, w->pc + off);
			if (s.flow != FLOW_NEXT && s.flow != FLOW_COND)
				break;
		}
	}
}

/* Translates from off to the block's end; returns the offset after it. */
static u64
block(struct walk *w, struct tr *t, u64 off)
{
	struct region *r = t->r;
	int going = 1, got, n = ir_block(r, w->pc + off);

	r->block[n].entry = 1;
	t->pc = w->pc + off;
	while (going) {
		t->p = fetch(w, t->pc, &got);
		t->n = got;
		if (got < w->g->minlen) {              /* the fetch will fault when control comes here */
			tr_look(t);
			break;
		}
		going = w->g->translate(t);
		off = t->pc - w->pc;
		if (going && (off >= WINDOW || !w->seen[off / 2] || w->head[off / 2])) {
			tr_jmp(t, t->pc);
			break;
		}
	}
	return t->pc - w->pc;
}

static void
addrange(struct region *r, gaddr lo, gaddr hi)
{
	if (r->nrange && r->range[r->nrange - 1].hi == lo) {
		r->range[r->nrange - 1].hi = hi;
		return;
	}
	r->range = grow(r->range, r->nrange, &r->caprange, sizeof *r->range);
	r->range[r->nrange].lo = lo;
	r->range[r->nrange++].hi = hi;
}

/* Does code at pc read the guest's flags before it writes them?  Asked for a region's exits.
 *
 * Calls and returns are taken not to pass flags, as every procedure call standard says: the code after a call
 * and the callee are looked at (here, when their caller is translated), and if either did read
 * flags, the flags would be kept.  Only a return that is no return could be deceived. */
static int
peek(struct walk *w, gaddr pc, int *left)
{
	struct scan s;

	for (; (*left)-- > 0; pc = s.flow == FLOW_JUMP ? s.target : pc + s.len) {
		if (!scanat(w, pc, &s) || s.flags == PEEK_READ || s.flags == PEEK_END)
			return 1;
		if (s.flags == PEEK_WRITE || s.flow == FLOW_CALL || s.flow == FLOW_STOP)
			return 0;
		if (s.flow == FLOW_SYS || (s.flow == FLOW_COND && peek(w, s.target, left)))
			return 1;
	}
	return 1;
}

static int
flagslive(void *arg, gaddr pc)
{
	int left = PEEKMAX;

	return pc != FLAGS_UNKNOWN && peek(arg, pc, &left);
}

int
core_form(struct region *r, const struct cpu *cpu, gaddr pc, u32 mode, int max)
{
	static struct walk w;                          /* core.lock held */
	struct tr t = {.r = r, .mode = mode};
	u64 off = 0, from;

	w.cpu = cpu;
	w.g = core.guest;
	w.pc = pc;
	w.max = max;
	w.n = w.ntodo = 0;
	for (int i = 0; i < NCHUNK; i++)
		w.have[i].at = ~(gaddr)0;
	memset(w.seen, 0, w.end / 2);          /* what the last region set */
	memset(w.head, 0, w.end / 2);
	w.end = 0;
	walk(&w);
	region_init(r, w.g, pc, mode);
	while (off < w.end) {
		if (!w.seen[off / 2] || !w.head[off / 2]) {
			off += 2;
			continue;
		}
		from = off;
		off = block(&w, &t, off);
		addrange(r, pc + from, pc + off);
	}
	if (r->broken)
		return -E2BIG;
	ir_dead(r, flagslive, &w);
	return 0;
}
