/* SPDX-License-Identifier: MIT */
/* evaluate.c - a program run in this process: translated a block or one instruction at a time, and evaluated
 *
 * Stepping counts what the instructions of each line did. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/gmem.h"
#include "base/host.h"
#include "frontend/tr.h"
#include "ir/eval.h"
#include "stream.h"

struct outcome *outcome;
u8 evaluated[O_COUNT];

/* A translation that is kept, as blocks are run again by loops, and what surrounds blocks by all. */
struct kept { gaddr pc, next; u32 mode; struct ins *ins; u64 *k; int n, stride; u8 fpnan; struct kept *more; };
enum { HASH = 1 << 12 };
static struct kept *hash[HASH];

static struct kept **
slot(gaddr pc) { return &hash[pc >> 1 & (HASH - 1)]; }

static void
forget(void)
{
	for (int i = 0; i < HASH; i++)
		for (struct kept *k = hash[i], *more; k; k = more) {
			more = k->more;
			free(k->ins);
			free(k->k);
			free(k);
		}
	memset(hash, 0, sizeof hash);
}

static struct kept *
translate(const struct stream *s, struct region *r, gaddr pc, gaddr end, u32 mode, int step)
{
	struct tr t = {.r = r, .mode = mode, .pc = pc, .alone = 1};
	struct kept *k;
	int going = 1;

	region_init(r, s->guest, pc, mode);
	ir_block(r, pc);
	do {
		t.p = g2h(t.pc);
		t.n = end - t.pc < s->guest->maxlen ? (int)(end - t.pc) : s->guest->maxlen;
		going = s->guest->translate(&t);
	} while (going && !step && t.pc != end);
	if (going)
		tr_jmp(&t, t.pc);
	ir_dead(r, 0, 0);
	const char *bad = ir_verify(r);
	if (bad) {
		fprintf(stderr, "stream: %llx: %s\n", (unsigned long long)pc, bad);
		exit(2);
	}
	k = malloc(sizeof *k);
	*k = (struct kept){.pc = pc, .next = t.pc, .mode = mode, .n = r->block[0].n, .fpnan = r->fpnan,
		.stride = eval_stride(r->ins, r->nins), .more = *slot(pc)};
	for (int i = 1; i < r->nins; i++)
		evaluated[r->ins[i].op] = 1;
	k->ins = malloc((size_t)r->nins * sizeof *k->ins);
	memcpy(k->ins, r->ins, (size_t)r->nins * sizeof *k->ins);
	k->k = malloc((size_t)(r->nk + 1) * sizeof *k->k);
	memcpy(k->k, r->k, (size_t)r->nk * sizeof *k->k);
	return *slot(pc) = k;
}

static struct kept *
find(gaddr pc, u32 mode)
{
	struct kept *k = *slot(pc);

	while (k && (k->pc != pc || k->mode != mode))
		k = k->more;
	return k;
}

/* -- counting -- */

static u8 before[CPU_STATE], memory[1 << 14];

static struct outcome *
begin(const struct stream *s, struct cpu *cpu, int *block)
{
	struct item i = {.to = -1};
	int item;
	struct outcome *o;

	*block = program_find(cpu->pc, &item);
	if (*block < 0)
		return 0;
	s->guest->fpleave(cpu);        /* the sticky flags so far to their register */
	i.word = ld32(g2h(cpu->pc));
	o = &outcome[s->lineof(&i)];
	memcpy(before, cpu->state, CPU_STATE);
	memcpy(memory, g2h(BASE + CODE + (u64)*block * s->size + s->mem), s->memsize);
	return o;
}

static void
count(const struct stream *s, struct cpu *cpu, struct outcome *o, int block, gaddr next)
{
	s->guest->fpleave(cpu);
	o->runs++;
	if (memcmp(before, cpu->state, CPU_STATE) ||
	    memcmp(memory, g2h(BASE + CODE + (u64)block * s->size + s->mem), s->memsize))
		o->changed++;
	if (cpu->pc != next)
		o->taken++;
	else
		o->fell++;
}

/* -- faults -- */

static sigjmp_buf fault;

/* A checked copy goes on after a fault. */
static void
onfault(int sig, siginfo_t *si, void *uc)
{
	const struct host *h = host_pick(0);
	u64 to = gmem_fixup(h->context_pc(uc));

	(void)si;
	if (!to)
		siglongjmp(fault, sig);
	h->context_setpc(uc, to);
}

/* As eval_block; a fault leaves with WHY_FAULT, and a helper that traps (cpu_trap) with WHY_TRAP, cpu->pc being the
 * instruction. */
static enum evalend
guarded(struct eval *e, int n)
{
	if (sigsetjmp(fault, 0)) {
		e->cpu->why = e->cpu->trapping ? WHY_TRAP : WHY_FAULT;
		e->cpu->trapping = 0;
		return EVAL_LEFT;
	}
	return eval_block(e, n);
}

int
evaluate(const struct stream *s, int step, u64 end, u64 *pc)
{
	static struct cpu cpu;
	static struct region r;
	static u64 *val;
	static size_t room;
	enum evalend done = EVAL_GO;
	long budget = 400000000;

	memset(&cpu, 0, sizeof cpu);
	sigaction(SIGSEGV, &(struct sigaction){.sa_sigaction = onfault, .sa_flags = SA_SIGINFO | SA_NODEFER}, 0);
	sigaction(SIGILL, &(struct sigaction){.sa_sigaction = onfault, .sa_flags = SA_SIGINFO | SA_NODEFER}, 0);
	gmem.lo = BASE;
	gmem.hi = ~(u64)0;
	cpu.guest = s->guest;
	s->guest->reset(&cpu);
	cpu.pc = BASE;
	s->guest->fpenter(&cpu);
	while (budget--) {
		u32 mode = s->guest->mode(&cpu);
		struct kept *k = find(cpu.pc, mode);
		struct outcome *o = 0;
		int block;

		if (!k)
			k = translate(s, &r, cpu.pc, end, mode, step);
		if (room < (size_t)(k->n * k->stride))
			val = realloc(val, (room = (size_t)(k->n * k->stride)) * sizeof *val);
		struct eval e = {.cpu = &cpu, .guest = s->guest, .ins = k->ins, .k = k->k, .val = val,
			.stride = k->stride, .first = 1, .pc = k->pc, .fpnan = k->fpnan};
		if (step && outcome)
			o = begin(s, &cpu, &block);
		done = guarded(&e, k->n);
		if (o)
			count(s, &cpu, o, block, k->next);
		if (o && done == EVAL_LEFT && cpu.why != WHY_FLUSH)
			o->traps++;
		if (done == EVAL_LEFT && cpu.why != WHY_FLUSH && !s->back(&cpu))
			break;
	}
	*pc = cpu.pc;
	forget();
	return done == EVAL_LEFT && cpu.why == WHY_CALL;
}
