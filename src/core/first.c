/* SPDX-License-Identifier: MIT */
/* first.c - code that is run for the first time
 *
 * Half of what a short program runs it runs once.  To make code of it, however quickly, costs more than twice what it
 * costs to run it in the way below: so it is run here, an instruction after the other, as long as they are simple
 * (ir/simple.h), and where the guest comes a second time gets code. */
#include "core/dso.h"
#include "ir/perform.h"

enum { ROW = 64, AHEAD = 2 * ROW };     /* bytes fetched at a time: always so many, which the host guesses better */
enum { MOST = 4096 };                  /* instructions before others are looked at */
enum { NPAGE = 128 };

/* A bit a half-word, by 128 bytes: a block that begins there has been come to, here or in a process before.  Collisions
 * only cost. */
static u64 been[NPAGE * STORE_RAN] ROOMY, ran[NPAGE * STORE_RAN] ROOMY;
static u8 touched[NPAGE], known[NPAGE];        /* been has more than is told of it; ran has been read */

struct first {
	struct run r;
	u32 mode;
	gaddr at;                      /* bytes from there on are in code, as the environment gave them, */
	int ok;                        /* so many: */
	u64 last;                      /* instructions may begin up to this offset */
	const u8 *code;
};

static u32 word_of(gaddr pc) { return (u32)(pc >> 7 ^ pc >> 18) & (NELEM(been) - 1); }
static int bit_of(gaddr pc) { return pc >> 1 & 63; }

static int
isfirst(gaddr pc)
{
	u32 w = word_of(pc);
	u64 bit = (u64)1 << bit_of(pc), was = __atomic_load_n(&been[w], __ATOMIC_RELAXED);

	if (was & bit)
		return 0;
	__atomic_store_n(&been[w], was | bit, __ATOMIC_RELAXED);
	__atomic_store_n(&touched[w / STORE_RAN], 1, __ATOMIC_RELAXED);
	return 1;
}

int
core_beento(gaddr pc)
{
	return !core.opt.first || been[word_of(pc)] >> bit_of(pc) & 1;
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
	for (u32 page = 0; page < NPAGE; page++)
		if (touched[page]) {
			touched[page] = 0;
			store_addran(page, &been[page * STORE_RAN]);
		}
}

int
core_isfirst(gaddr pc, u32 mode, struct stretch *s)
{
	enum { PAGE = 4096 };
	const struct dso *d;

	if (core_beento(pc) || !core.guest->simple || core.guest->big || core_seen(pc, mode) || cache_has(pc, mode) ||
	    cache_begun(pc) || !isfirst(pc))
		return 0;
	d = cache_home(pc);
	*s = d ? (struct stretch){d->lo, d->hi} : (struct stretch){aligndown(pc, PAGE), aligndown(pc, PAGE) + PAGE};
	return 1;
}

/* 0: no instruction can be there. */
static __attribute__((noinline)) int
refill(struct first *f, gaddr pc)
{
	gaddr at = aligndown(pc, ROW);
	int past = (int)(pc - at), most = f->r.g->maxlen;

	f->code = f->r.cpu->os->fetch(at, AHEAD, &f->ok);
	f->at = f->ok ? at : pc;
	f->last = f->ok < past + most ? (u64)past : (u64)(f->ok - most);
	return f->ok >= past + f->r.g->minlen;
}

static inline int
fetched(struct first *f, gaddr pc)
{
	return pc - f->at <= f->last || refill(f, pc);
}

static const u8 *
code(void *first, gaddr pc, int *got)
{
	struct first *f = first;

	fetched(f, pc);
	*got = f->ok - (int)(pc - f->at);
	return f->code + (pc - f->at);
}

static int
calls(struct run *run, gaddr next)
{
	struct first *f = (struct first *)(void *)run;

	return !f->r.g->keeps || f->mode & f->r.g->keeps || !core_answers(code, f, next);
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
	gaddr pc = cpu->pc;
	int n = 0, did;

	cpu->scratch[0] = 0;
	f.r.cpu = cpu;
	f.r.g = g;
	f.r.calls = calls;
	f.mode = mode;
	f.at = pc + 1;                 /* nothing has been fetched */
	f.last = 0;
	while (n < MOST && fetched(&f, pc)) {
		u64 off = pc - f.at;
		const u8 *p = f.code + off;

		if (!(did = g->perform(p, f.ok - (int)off, pc, &f.r)))
			break;
		n++;
		if (did != BRANCHED) {
			pc += (u64)did;
			continue;
		}
		pc = f.r.to;
		if (stops(&f, in))
			break;
	}
	cpu->pc = pc;
	return n;
}
