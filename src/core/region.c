/* SPDX-License-Identifier: MIT */
/* region.c - which guest code is translated together
 *
 * A region is what can be reached from its entry by fall-through, direct branches and returning
 * calls, upward from the entry, up to a number of instructions.  A first walk (guest->scan) finds the
 * instructions that start a block, so that loops are known before their heads are translated; then
 * the blocks are translated in address order.  What another region has as a block already is left to it.  A
 * block head that nothing in the region jumps to
 * and that follows a side exit stays part of the block before it. */
#include <errno.h>
#include "core/cache.h"
#include "frontend/tr.h"
#include "ir/simple.h"

enum { MAXMARK = 1024, WINDOW = 4096, PEEKMAX = 64, RUN = 128, PIECE = FETCH_MAX, NPIECE = 16 };
_Static_assert(WINDOW + PIECE < 1 << 16, "struct mapent has room for it");

/* Half of what is translated is never executed: error paths, the other cases of a switch.  Code that is
 * left out costs one exit when it is reached after all, and a jump from then on.  So what has not run is left out;
 * where that is not known, FAR and CALLS guess. */
enum {
	FAR = 512,                     /* bytes: how far ahead a conditional branch is followed */
	LOOP = 384,                    /* bytes: longer ones hardly notice that they lie in several regions, */
	LINE = 1152,                   /* but those that are a single block */
	MANY = 14,                     /* pieces, of words of bytes that are computed one by one */
	CALLS = 32,                    /* instructions, after which calls are not assumed to return */
};

struct walk {
	const struct cpu *cpu;
	const struct guest *g;
	gaddr pc;
	u32 mode;
	int max, n;
	u64 whole;                     /* below this offset what others have is translated all the same */
	int (*hasrun)(gaddr);          /* 0: it is not known */
	u64 end;                       /* offset above the last instruction seen or head wanted */
	u64 ok;                        /* so many bytes from the entry upward have been fetched, */
	u8 code[WINDOW + PIECE];       /* these */
	struct { gaddr at; u64 of; int n; u8 code[PIECE]; } piece[NPIECE];     /* others, by address; of this walk, if */
	u64 number;                    /* they have its number */
	gaddr at;                      /* the quick tier: the next instruction; branches so far; there is no code from */
	int branches;                  /* there up to: */
	gaddr free;
	u16 todo[MAXMARK]; int ntodo;
	u8 mark[WINDOW / 2 + 8];                       /* by half-word from the entry: */
};
enum { SEEN = 1, HEAD = 2 };           /* an instruction begins here; a block does, if it is seen */

/* Bytes of [a, a+n) have a say in what the region becomes: if they are not its file's, it is not kept. */
static void
depend(gaddr a, int n)
{
	if (core.home && !cache_uses(core.home, a, (u64)n))
		core.home = 0;
}

/* Fetches on from where it stopped, until the instruction at off is there; 0 if that cannot be. */
static int
extend(struct walk *w, u64 off)
{
	while (w->ok < off + w->g->maxlen && w->ok < WINDOW) {
		gaddr at = w->pc + w->ok;
		int want = PIECE - (int)(at & (PIECE - 1)), got;
		const u8 *p = w->cpu->os->fetch(at, want, &got);

		depend(at, want);
		if (got < want)
			return 0;
		memcpy(w->code + w->ok, p, (size_t)want);
		w->ok += (u64)want;
	}
	return w->ok >= off + w->g->maxlen;
}

/* Code that is looked at but not translated, or lies at an edge. */
static const u8 *
fetchpiece(struct walk *w, gaddr pc, int *got)
{
	gaddr at = aligndown(pc, PIECE);
	u32 k = (u32)(at / PIECE % NPIECE), off = (u32)(pc - at);
	int n = w->g->maxlen;

	if (w->piece[k].at != at || w->piece[k].of != w->number) {
		const u8 *p = w->cpu->os->fetch(at, PIECE, &w->piece[k].n);

		depend(at, PIECE);
		if (w->piece[k].n)
			memcpy(w->piece[k].code, p, (size_t)w->piece[k].n);
		w->piece[k].at = at;
		w->piece[k].of = w->number;
	}
	if (w->piece[k].n >= (int)off + n) {
		*got = w->piece[k].n - (int)off;
		return w->piece[k].code + off;
	}
	depend(pc, n);
	return w->cpu->os->fetch(pc, n, got);          /* across an edge, or not at all */
}

/* As os->fetch for one instruction, but the environment is asked once for many; all that is at hand is given. */
static inline const u8 *
fetch(struct walk *w, gaddr pc, int *got)
{
	u64 off = pc - w->pc;

	if (off < WINDOW && off + w->g->maxlen <= w->ok) {
		*got = (int)(w->ok - off);
		return w->code + off;
	}
	return fetchpiece(w, pc, got);
}

static inline u64 least(u64 a, u64 b) { return a < b ? a : b; }

static inline int
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
	if (off >= w->end)
		w->end = off + 2;
	if (!(w->mark[off / 2] & SEEN) && w->ntodo < MAXMARK)
		w->todo[w->ntodo++] = (u16)off;
	w->mark[off / 2] |= HEAD;
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

/* Does control come here, as far as is known? */
static int runs(const struct walk *w, gaddr pc, int guess) { return w->hasrun ? w->hasrun(pc) : guess; }

/* Back is a loop; ahead is likely a rare case, unless near. */
static void
branch(struct walk *w, u64 off, const struct scan *s)
{
	u64 to = s->target - w->pc;

	if (s->flow == FLOW_JUMP || runs(w, s->target, to <= off || to - off < FAR))
		want(w, s->target);
}

/* No block begins beyond the limit; one that has begun is rather not cut in two. */
static int most(const struct walk *w) { return w->max + w->max / 2; }

/* Whether the region may go on with the instruction at off. */
static int
isopen(const struct walk *w, u64 off)
{
	return w->n < most(w) && off < WINDOW - 8 && !(w->mark[off / 2] & SEEN) &&
	    !(off >= w->whole && (core_known(w->pc + off, w->mode) || cache_has(w->pc + off, w->mode)));
}

/* Where a straight line from off may meet what is in this region or another already, if near. */
static u64
meets(const struct walk *w, u64 off)
{
	u64 lo = off + 2, hi = off + RUN, left = (u64)(most(w) - w->n) * w->g->minlen;

	if (hi > off + left)
		hi = off + left;
	if (hi > WINDOW - 8)
		hi = WINDOW - 8;
	for (u64 at = lo; at < hi; at += 16) {
		u64 m = ld64(w->mark + at / 2) & 0x0101010101010101;

		if (m)
			hi = least(hi, at + (u64)__builtin_ctzll(m) / 8 * 2);
	}
	if (lo < w->whole)
		lo = w->whole;
	return lo < hi ? core_nexthead(w->pc + lo, w->pc + hi) - w->pc : hi;
}

/* Passes over instructions that only lead on to the next; returns the offset after them. */
static u64
straight(struct walk *w, u64 off)
{
	u64 to = meets(w, off);
	int bytes;

	if (to > w->ok)
		extend(w, to);
	if (to > w->ok)
		to = w->ok;
	if (to <= off)
		return off;
	w->n += w->g->skip(w->code + off, (int)(to - off), w->pc + off, w->mark + off / 2, &bytes);
	return off + (u64)bytes;
}

static void
walk(struct walk *w)
{
	struct scan s;
	u64 off, from;
	gaddr after;

	want(w, w->pc);
	while (w->ntodo && w->n < w->max)
		for (off = next(w); isopen(w, off); off += s.len) {
			from = off;
			off = straight(w, off);
			if (off > w->end)
				w->end = off;
			if ((off != from && !isopen(w, off)) || !scanat(w, w->pc + off, &s))
				break;         /* no block there: going there leaves, and may fault */
			w->mark[off / 2] |= SEEN;
			w->n++;
			if (off >= w->end)
				w->end = off + 2;
			if (s.flow == FLOW_COND || s.flow == FLOW_JUMP)
				branch(w, off, &s);
			after = w->pc + off + s.len;
			if ((s.flow == FLOW_CALL || s.flow == FLOW_SYS) && runs(w, after, w->n < CALLS))
				want(w, after);
			if (s.flow != FLOW_NEXT && (s.flow != FLOW_COND || !runs(w, after, 1)))
				break;
		}
}

/* Whether the block has just got a conditional branch. */
static int
isbranch(const struct region *r)
{
	int op = r->ins[r->nins - 1].op;

	return op == O_brc || op == O_brf;
}

/* Whether the block has just got a jump to the instruction after it. */
static int
isjumpon(const struct region *r, gaddr pc)
{
	const struct ins *i = &r->ins[r->nins - 1];

	return i->op == O_jmp && kval(r, i->a) == pc;
}

/* Translates the instruction at t->pc into the open block; 0 if it is the last. */
static int
instruction(struct walk *w, struct tr *t)
{
	int got;

	t->p = fetch(w, t->pc, &got);
	t->n = got;
	if (got >= w->g->minlen)
		return w->g->translate(t);
	return tr_look(t);                     /* the fetch will fault when control comes here */
}

/* The next form of the block before, which ends at end. */
static void
other(struct walk *w, struct tr *t, gaddr end)
{
	struct region *r = t->r;
	int n = ir_block(r, tr_again(t, t->again)), going = 1;

	r->block[n].above = (u8)(tr_again(t, t->again) - t->again);
	t->form++;
	t->pc = t->again;
	t->again = 0;
	while (going && t->pc < end)
		going = instruction(w, t);
	if (going)
		tr_jmp(t, t->pc);
	t->pc = end;
}

/* Translates from off to the block's end; returns the offset after it. */
static u64
block(struct walk *w, struct tr *t, u64 off)
{
	struct region *r = t->r;
	int going = 1, made = 0, n = ir_block(r, w->pc + off);

	r->block[n].entry = 1;
	t->pc = w->pc + off;
	while (going) {
		going = instruction(w, t);
		off = t->pc - w->pc;
		if (going && isbranch(r) && (made = ir_loop(r, t->pc)) && off < WINDOW && w->mark[off / 2])
			w->mark[off / 2] |= HEAD;
		if (made == 2)
			break;
		if (going && (off >= WINDOW || w->mark[off / 2] != SEEN)) {
			tr_jmp(t, t->pc);
			break;
		}
	}
	if (!going && off < WINDOW && w->mark[off / 2] && isjumpon(r, t->pc))
		w->mark[off / 2] |= HEAD;
	if (!going)
		ir_rejoin(r);
	while (t->again)
		other(w, t, t->pc);
	t->form = 0;
	return t->pc - w->pc;
}

static u64
nexthead(const struct walk *w, u64 off)
{
	while (off < w->end && w->mark[off / 2] != (SEEN | HEAD))
		off += 2;
	return off;
}

static void
addrange(struct region *r, gaddr lo, gaddr hi)
{
	if (r->nrange && r->range[r->nrange - 1].hi == lo) {
		r->range[r->nrange - 1].hi = hi;
		return;
	}
	grow(&r->range, r->nrange, &r->caprange, sizeof *r->range);
	r->range[r->nrange].lo = lo;
	r->range[r->nrange++].hi = hi;
}

static int keeps(const struct walk *w) { return (w->mode & w->g->keeps) != 0; }

static const u8 *code(void *w, gaddr pc, int *got) { return fetch(w, pc, got); }

/* Scans the first instruction from *pc on that may do something else than lead on and leave flags alone, and goes
 * there; after *left instructions another.  0 if it cannot be fetched. */
static int
ahead(codefn *at, void *from, gaddr *pc, int *left, struct scan *s)
{
	enum { WORD = 4 };
	const struct guest *g = core.guest;
	int got, n;
	const u8 *p = at(from, *pc, &got);

	n = got < g->minlen ? 0 : g->quiet(p, got, *pc, *left);
	*pc += (u64)n;
	*left -= n / WORD + 1;
	p += n;
	got -= n;
	if (got < g->maxlen)
		p = at(from, *pc, &got);
	if (got < g->minlen)
		return 0;
	g->scan(p, got, *pc, s);
	return s->len != 0;
}

/* Does code at pc read the guest's flags before it writes them?  Asked for a region's exits.
 *
 * Calls and returns are taken not to pass flags, as every procedure call standard says.  The callee's beginning is
 * looked at here, and the code after a call by its translator (answered): if that reads flags, the call goes on in a
 * mode of the guest's in which returns keep them.  Only a return that is no return could be deceived.  A computed jump
 * may stay inside a procedure and passes flags on; but a call may lead to an entry of the linkage table (PLT) first. */
static int
peek(struct walk *w, gaddr pc, int call, int *left)
{
	struct scan s;

	for (; *left > 0; pc = s.flow == FLOW_JUMP ? s.target : pc + s.len) {
		if (!ahead(code, w, &pc, left, &s) || s.flags == PEEK_READ)
			return 1;
		if (s.flags == PEEK_END)
			return !call || s.flow != FLOW_STOP;
		if (s.flags == PEEK_WRITE)
			return 0;
		if (s.flow == FLOW_CALL || s.flow == FLOW_STOP)
			return keeps(w);
		if (s.flow == FLOW_SYS || (s.flow == FLOW_COND && peek(w, s.target, call, left)))
			return 1;
	}
	return !call;
}

static int
flagslive(void *arg, gaddr pc, int call)
{
	const struct walk *w = arg;
	const struct node *n;
	int left = PEEKMAX;

	if (pc == FLAGS_UNKNOWN)
		return keeps(w);
	if (!(n = core_known(pc, w->mode)))
		n = cache_adopt(pc, w->mode);
	if (n && full_of(book_at(n->t))->home != core.home)
		core.home = 0;
	return n ? n->flagsin : peek(arg, pc, call, &left);
}

int
core_answers(codefn *at, void *from, gaddr pc)
{
	const struct guest *g = core.guest;
	const u8 *p = 0;
	int got = 0, n;
	struct scan s;

	for (gaddr end = pc + PEEKMAX * (u64)g->maxlen; pc < end; pc += (u64)n, p += n, got -= n) {
		if (got < g->maxlen)
			p = at(from, pc, &got);
		if (got < g->minlen)
			return 0;
		n = g->quiet(p, got, pc, PEEKMAX);
		if (got - n < g->maxlen && n)
			continue;
		g->scan(p + n, got - n, pc + (u64)n, &s);
		if (!s.len || s.flags || (s.flow != FLOW_NEXT && s.flow != FLOW_COND))
			return s.len && s.flags == PEEK_READ;
		n += s.len;
	}
	return 0;
}

static int answered(struct tr *t, gaddr pc) { return core_answers(code, t->env, pc); }

/* The bytes of a loop from pc on that is a single block, up to its branch; 0 if it is none. */
static u64
line(const struct cpu *cpu, gaddr pc)
{
	u8 mark[FETCH_MAX / 2] = {0};
	gaddr at = pc;
	struct scan s;

	while (at - pc < LINE) {
		int got, bytes = 0;
		const u8 *p = cpu->os->fetch(at, FETCH_MAX, &got);

		if (got < FETCH_MAX)
			return 0;
		core.guest->skip(p, got, at, mark, &bytes);
		at += (u64)bytes;
		if (bytes > FETCH_MAX - core.guest->maxlen)
			continue;
		core.guest->scan(p + bytes, got - bytes, at, &s);
		if (s.flow != FLOW_NEXT || !s.len)
			return s.flow == FLOW_COND && s.target == pc ? at - pc : 0;
		at += s.len;
	}
	return 0;
}

/* A jump back out of a region closes a loop that lies in several.  The loop is then translated in one, up to the
 * region's end: once more, but it may be hot. */
u64
core_loop(const struct cpu *cpu, gaddr pc, u32 mode)
{
	struct link l;
	const struct trans *left = core_lastlink(cpu, &l);
	const struct full *from = full_of(left);
	gaddr at = 0, hi = 0;

	if (!left || left->head.mode != mode || left->left)
		return 2;
	for (int i = 0; i < from->nentry && from->entry[i].off <= l.site; i++)
		at = from->entry[i].pc;                /* of the block that jumps; of the last one, if out of line */
	for (int i = 0; i < from->nrange; i++)
		if (from->range[i].hi > hi)
			hi = from->range[i].hi;
	if (l.pc != pc || at < pc)
		return 2;
	if (hi - pc < LOOP)
		return hi - pc;
	return line(cpu, pc) + 2;
}

static struct walk walking ROOMY;              /* core.lock held */

static void
begin(struct walk *w, const struct cpu *cpu, gaddr pc, u32 mode)
{
	w->cpu = cpu;
	w->g = core.guest;
	w->pc = pc;
	w->mode = mode;
	w->ok = 0;
	w->number++;
}

static struct tr
translator(struct walk *w, struct region *r)
{
	return (struct tr){.r = r, .pc = w->pc, .mode = w->mode & ~ALONE, .alone = (w->mode & ALONE) != 0, .cpu = w->cpu,
	    .code = code, .answered = w->g->keeps ? answered : 0, .env = w};
}

int
core_form(struct region *r, const struct cpu *cpu, gaddr pc, u32 mode, int max)
{
	struct walk *w = &walking;
	const struct node *n = core_seen(pc, mode);
	struct tr t;
	u64 off, from;

	begin(w, cpu, pc, mode);
	t = translator(w, r);
	region_init(r, w->g, pc, mode);
	w->max = max;
	w->whole = core_loop(cpu, pc, mode);
	w->n = w->ntodo = 0;
	core.home = t.alone ? 0 : cache_home(pc);
	w->hasrun = n && n->quick ? core_beento : core.home && core_ran(pc) ? core_ran : 0;
	memset(w->mark, 0, sizeof w->mark);
	w->end = 0;
	walk(w);
	for (off = nexthead(w, 0); off < w->end; off = nexthead(w, off)) {
		from = off;
		off = block(w, &t, off);
		addrange(r, pc + from, pc + off);
	}
	if (r->broken)
		return -E2BIG;
	if (r->pieces > MANY)
		ir_pack(r);
	if (r->pieces > 1 || r->again)
		ir_wide(r);
	if (r->unboxes)
		ir_box(r);
	ir_dead(r, flagslive, w);
	return 0;
}

/* -- the quick tier -- */

/* What an instruction does: goes on, or perhaps, or never; the last needs what quick code cannot be. */
enum { ON, BRANCHED, LEFT, UNFIT };

static void
soon(gaddr pc)
{
	if (core.nsoon < (int)NELEM(core.soon))
		core.soon[core.nsoon++] = pc;
}

/* Code of the instruction at w->at, by way of IR.  t: its r is 0 before the first. */
static __attribute__((noinline)) int
viair(struct walk *w, struct tr *t, struct region *r)
{
	int first, going, got;

	fetch(w, w->at, &got);
	if (got < w->g->maxlen)        /* it may go on where nothing can be fetched */
		return UNFIT;
	if (!t->r) {
		*t = translator(w, r);
		region_next(r, w->g, w->pc, w->mode);
		ir_block(r, w->pc);
	}
	t->pc = w->at;
	first = ir_fresh(r);
	going = instruction(w, t);
	if (t->again)
		return UNFIT;
	w->at = t->pc;
	w->n++;
	if (!core.host->quick->insn(first) && going)
		return BRANCHED;
	return !going ? LEFT : isbranch(r) ? BRANCHED : ON;
}

/* As fetch, of a block's next instruction, when it has all been looked at but for the beginning of this one. */
static __attribute__((noinline)) const u8 *
follows(struct walk *w, gaddr pc, int *got)
{
	enum { STEP = 64, FEW = 16 };  /* bytes fetched at a time, or that are not worth to be fetched alone */
	gaddr at = w->pc + w->ok;
	int want = STEP - (int)(at & (STEP - 1));
	const u8 *p;

	want += want < FEW ? STEP : 0;
	p = w->cpu->os->fetch(at, want, got);
	if (*got < want)
		return fetch(w, pc, got);
	memcpy(w->code + w->ok, p, (size_t)want);
	w->ok += (u64)want;
	*got = (int)(w->pc + w->ok - pc);
	return w->code + (pc - w->pc);
}

enum { NEAR = 128, BRANCHES = 8 };     /* bytes in which code is looked for at a time; branches in a block */

/* There is code for pc; before w->free there is none. */
static __attribute__((noinline)) int
ismade(struct walk *w, gaddr pc)
{
	w->free = core_nextseen(pc, pc + NEAR);
	if (w->free != pc)
		return 0;
	if (core_seen(pc, w->mode))
		return 1;
	w->free = core_nextseen(pc + 2, pc + NEAR);
	return 0;
}

/* Does the block go on at pc?  After a branch if it has been seen not to be taken, after a call if it has returned. */
static inline int
goeson(struct walk *w, int branched, gaddr pc)
{
	return w->n < QUICK_MOST && (!branched || (++w->branches < BRANCHES && core_beento(pc))) &&
	    (pc < w->free || !ismade(w, pc));
}

/* The same after a jump or call; -1: it needs what quick code cannot be. */
static __attribute__((noinline)) int
leads(struct walk *w, struct simple *s)
{
	if (s->kind <= SI_CALL) {
		core_expect(s->to, w->mode);
		soon(s->to);
	}
	if (s->kind == SI_CALL || s->kind == SI_CALLR) {
		core_expect(s->next, w->mode);
		if (w->g->keeps && !keeps(w) && core_answers(code, w, s->next))
			return -1;
		s->on = goeson(w, 1, s->next);
		if (!s->on)
			soon(s->next);
	}
	return s->on;
}

/* Code of simple instructions from w->at on, one after another.  What the last one does; UNFIT if the next one needs
 * IR, or what quick code cannot be. */
static int
direct(struct walk *w, struct tr *t)
{
	const struct guest *g = w->g;
	const struct quick *q = core.host->quick;
	struct simple s;
	int does, on;

	do {
		u64 off = w->at - w->pc;
		const u8 *p = w->code + off;
		int got = (int)(w->ok - off);

		if (got < g->maxlen) {
			p = follows(w, w->at, &got);
			if (got < g->minlen)
				return UNFIT;
		}
		if (!g->simple(p, got, w->at, &s))
			return UNFIT;
		w->n++;
		if (s.kind < SI_BRANCH) {
			does = ON;
			on = goeson(w, 0, s.next);
		} else if (s.kind < SI_JUMP) {
			does = BRANCHED;
			core_expect(s.to, w->mode);
			soon(s.to);
			on = goeson(w, 1, s.next);
		} else {
			does = LEFT;
			on = leads(w, &s);
			t->vblock = 0; /* what is called sets vectors up anew, and others may come to where it returns */
		}
		if (on < 0 || !q->simple(&s, (u32)off)) {
			w->n--;
			return UNFIT;
		}
		w->at = s.next;
	} while (on);
	return does;
}

int
core_quick(struct region *r, struct out *o, const struct cpu *cpu, gaddr pc, u32 mode, s32 *left)
{
	struct walk *w = &walking;
	const struct quick *q = core.host->quick;
	struct tr t;
	int does;

	begin(w, cpu, pc, mode);
	core.home = 0;
	w->n = w->branches = 0;
	w->free = core_nextseen(pc + 2, pc + NEAR);
	w->at = pc;
	t.r = 0;
	region_bare(r, w->g, pc, mode);
	q->begin(r, o, left);
	do
		if ((does = direct(w, &t)) != UNFIT)
			break;
	while ((does = viair(w, &t, r)) < LEFT && goeson(w, does == BRANCHED, w->at));
	if (!w->n)
		return -ENOSYS;
	if (does == ON)
		soon(w->at);
	core_expect(w->at, mode);
	if (does != LEFT && o->entry[o->nentry - 1].pc == w->at && !o->entry[o->nentry - 1].ret)
		o->nentry--;           /* the jump there would lead to itself */
	if (does != LEFT)              /* the jump comes from before there */
		q->simple(&(struct simple){.kind = SI_JUMP, .to = w->at}, (u32)(w->at - pc - 1));
	addrange(r, pc, w->at);
	r->ninsn = w->n;
	return q->end();
}
