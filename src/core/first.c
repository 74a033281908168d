/* SPDX-License-Identifier: MIT */
/* first.c - code that is run for the first time
 *
 * Half of what a short program runs it runs once.  To make code of it, however quickly, costs more than twice what it
 * costs to run it in the way below: so it is run here, an instruction after the other, as long as they are simple
 * (ir/simple.h), and where the guest comes a second time gets code. */
#include "core/dso.h"
#include "ir/perform.h"

enum { AHEAD = 64 };                   /* bytes looked at behind a call at a time */
enum { MOST = 4096 };                  /* instructions before others are looked at */
enum { NPAGE = 128 };

/* A bit a half-word, by 128 bytes: a block that begins there has been come to, here or in a process before.  Collisions
 * only cost. */
static u64 been[NPAGE * STORE_RAN] ROOMY __attribute__((aligned(4096))), ran[NPAGE * STORE_RAN] ROOMY;
/* What is known of been's pages: those without bits are left alone, as in core_any. */
enum { EMPTY, UNTOLD, TOLD };
static u8 touched[NPAGE], known[NPAGE];        /* that; ran's page has been read */

struct first {
	struct run r;
	u32 mode;
	int ok;                        /* so many bytes of what a call returns to are in code, from at on */
	gaddr at;
	const u8 *code;
};

static u32 word_of(gaddr pc) { return (u32)(pc >> 7 ^ pc >> 18) & (NELEM(been) - 1); }
static int bit_of(gaddr pc) { return pc >> 1 & 63; }

static int
isfirst(gaddr pc)
{
	u32 w = word_of(pc), page = w / STORE_RAN;
	u64 bit = (u64)1 << bit_of(pc), was = touched[page] ? __atomic_load_n(&been[w], __ATOMIC_RELAXED) : 0;

	if (was & bit)
		return 0;
	__atomic_store_n(&been[w], was | bit, __ATOMIC_RELAXED);
	__atomic_store_n(&touched[page], UNTOLD, __ATOMIC_RELAXED);
	return 1;
}

int
core_beento(gaddr pc)
{
	u32 w = word_of(pc);

	return !core.opt.first || (touched[w / STORE_RAN] && been[w] >> bit_of(pc) & 1);
}

int
core_ran(gaddr pc)
{
	u32 page = word_of(pc) / STORE_RAN;

	if (!known[page]) {
		store_ran(page, &ran[page * STORE_RAN]);
		known[page] = 1;
	}
	return ran[word_of(pc)] >> bit_of(pc) & 1;
}

void
core_tellran(void)
{
	for (u32 page = 0, n; page < NPAGE; page += n + 1) {
		for (n = 0; page + n < NPAGE && touched[page + n] == UNTOLD; n++)
			touched[page + n] = TOLD;
		if (n)
			store_addran(page, n, &been[page * STORE_RAN]);
	}
}

int
core_isfirst(gaddr pc, u32 mode, struct stretch *s)
{
	const struct dso *d;

	if (core_beento(pc) || !core.guest->simple || core.guest->big || core_seen(pc, mode) || cache_has(pc, mode) ||
	    cache_begun(pc) || !isfirst(pc))
		return 0;
	d = cache_home(pc);
	*s = !d ? (struct stretch){aligndown(pc, PAGE), aligndown(pc, PAGE) + PAGE} :
	    d->image.base ? (struct stretch){0} : (struct stretch){d->lo, d->hi};
	return 1;
}

/* The guest may execute what is on this page, as of so many changes of its memory. */
static _Thread_local struct { gaddr page; u32 changes; } runs;

/* How many bytes of *w, at pc, are the guest's to execute. */
static __attribute__((noinline)) int
look(struct cpu *cpu, gaddr pc, u32 *w)
{
	u32 changes = gmem_changes();
	int got;
	const u8 *p = cpu->os->fetch(pc, sizeof *w, &got);

	if (got < (int)sizeof *w) {
		*w = got < (int)sizeof(u16) ? 0 : ld16(p);
		return got;
	}
	*w = ld32(p);
	runs.page = aligndown(pc, PAGE);
	runs.changes = changes;
	return got;
}

/* The same, the page being known or not; 0, too, if others have taken it away since. */
static inline int
fetch(struct cpu *cpu, gaddr *page, gaddr pc, u32 *w)
{
	struct gmem_loaded l;

	if (pc - *page > PAGE - sizeof *w) {
		int got = look(cpu, pc, w);

		*page = runs.page;
		return got;
	}
	l = gmem_raw_load4(g2h(pc));
	*w = (u32)l.v;
	return l.bad ? 0 : sizeof *w;
}

/* Where it is known that the guest may execute what is there */
static inline gaddr
knownpage(gaddr pc)
{
	return runs.changes == gmem_changes() ? runs.page : pc + 1;
}

/* Code behind a call */
static const u8 *
code(void *first, gaddr pc, int *got)
{
	struct first *f = first;

	if (pc - f->at + f->r.g->maxlen > (u64)f->ok) {
		f->code = f->r.cpu->os->fetch(pc, AHEAD, &f->ok);
		f->at = pc;
	}
	*got = f->ok - (int)(pc - f->at);
	return f->code + (pc - f->at);
}

static int
calls(struct run *run, gaddr next)
{
	struct first *f = (struct first *)(void *)run;

	if (!f->r.g->keeps || f->mode & f->r.g->keeps)
		return 1;
	f->ok = 0;                     /* what was fetched before may be gone */
	return !core_answers(code, f, next);
}

static int
stops(const struct first *f, struct stretch in)
{
	gaddr pc = f->r.to;

	return atomic_load(&f->r.cpu->poll) || pc < in.lo || pc >= in.hi || core_seen(pc, f->mode) || !isfirst(pc);
}

int
core_first(struct cpu *cpu, u32 mode, struct stretch in)
{
	const struct guest *g = core.guest;
	struct first f;                /* most of it is left as it is */
	gaddr pc = cpu->pc, page = knownpage(pc);
	int n = 0, got, did;
	u32 w;

	cpu->scratch[0] = 0;
	f.r.cpu = cpu;
	f.r.g = g;
	f.r.calls = calls;
	f.mode = mode;
	while (n < MOST && (got = fetch(cpu, &page, pc, &w)) && (did = g->perform(w, got, pc, &f.r))) {
		n++;
		if (did != BRANCHED) {
			pc += (u64)did;
			continue;
		}
		pc = f.r.to;
		if (stops(&f, in))
			break;
		page = knownpage(pc);
	}
	cpu->pc = pc;
	return n;
}
