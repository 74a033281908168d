/* SPDX-License-Identifier: MIT */
/* host.c - the interpreter as a host: runs anywhere, judges the others
 *
 * compile copies the region into the code area; enter evaluates it.  To the engine it looks like
 * any host: code addresses are addresses in the copy, so faults, self-modifying code and safe
 * points need nothing of their own.  There are no links: every direct exit goes through the jump
 * cache. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include "backend/interp/interp.h"
#include "base/gmem.h"

static u32
init(const char *features, u8 *code, u8 *end)
{
	(void)features, (void)code, (void)end;
	return 0;
}

static void
set_guest(const struct guest *g)
{
	(void)g;
}

/* -- compile -- */

static const struct iblock *blocks(const struct image *m) { return (const struct iblock *)(m + 1); }
static const struct ins *code_of(const struct image *m) { return (const struct ins *)(blocks(m) + m->nblock); }

static const u64 *
constants(const struct image *m)
{
	return (const u64 *)(const void *)((const u8 *)m + alignup(sizeof *m + m->nblock * sizeof(struct iblock)
	                                   + m->nins * sizeof(struct ins), 8));
}

static size_t
image_size(const struct image *m)
{
	return (size_t)((const u8 *)constants(m) - (const u8 *)m) + m->nk * sizeof(u64);
}

/* Entries and the map from the copy's instructions to guest pcs. */
static void
describe(const struct region *r, const struct image *m, struct out *out)
{
	const u8 *base = (const u8 *)m;

	out->nlink = out->nentry = out->nmap = 0;
	for (int k = 0; k < r->nblock; k++) {
		const struct block *b = &r->block[k];
		if (!b->above) {
			grow(&out->entry, out->nentry, &out->capentry, sizeof *out->entry);
			out->entry[out->nentry++] =
				(struct entry){.pc = b->pc, .off = (u32)((const u8 *)&blocks(m)[k] - base)};
		}
		for (int i = b->first; i < b->first + b->n; i++) {
			if (ir_isseveral(&r->ins[i]))
				out->map[out->nmap - 1].several = 1;
			if (r->ins[i].op != O_insn)
				continue;
			grow(&out->map, out->nmap, &out->capmap, sizeof *out->map);
			out->map[out->nmap++] = (struct mapent){
				.off = (u32)((const u8 *)&code_of(m)[i] - base),
				.pcoff = (s32)(b->pc + (u64)(s64)r->ins[i].imm - r->pc),
			};
		}
	}
}

static int
compile(struct region *r, struct out *out)
{
	struct image *m = (struct image *)out->code;

	ir_unused(r);
	struct image head = {
		.nblock = (u32)r->nblock, .nins = (u32)r->nins, .nk = (u32)r->nk, .fpnan = r->fpnan,
		.stride = (u16)eval_stride(r->ins, r->nins),
	};

	/* sizes follow from the head alone */
	size_t size = sizeof head + head.nblock * sizeof(struct iblock) + head.nins * sizeof(struct ins) + 8
	            + head.nk * sizeof(u64);
	if (size > (size_t)(out->end - out->code))
		return -ENOSPC;
	*m = head;
	for (int k = 0; k < r->nblock; k++) {
		const struct block *b = &r->block[k];
		struct iblock *to = (struct iblock *)&blocks(m)[k];
		*to = (struct iblock){ .pc = b->pc, .above = b->above, .image = (u32)((u8 *)to - (u8 *)m),
		                       .first = (u32)b->first, .n = (u32)b->n };
		if (to->n * m->stride > m->words)
			m->words = to->n * m->stride;
	}
	memcpy((void *)code_of(m), r->ins, (size_t)r->nins * sizeof *r->ins);
	memcpy((void *)constants(m), r->k, (size_t)r->nk * sizeof *r->k);
	describe(r, m, out);
	out->size = (u32)image_size(m);
	return 0;
}

/* -- run -- */

static const struct iblock *
block_at(const struct image *m, gaddr pc)
{
	for (u32 k = 0; k < m->nblock; k++)
		if (blocks(m)[k].pc == pc)
			return &blocks(m)[k];
	return 0;
}

/* Where to go on at cpu->pc without asking the engine; 0: ask. */
static const struct iblock *
next(struct cpu *cpu, const struct image *m)
{
	const struct iblock *b = block_at(m, cpu->pc);
	const struct jc *j = &cpu->jc[jc_index(cpu, cpu->pc)];

	/* other threads take entries back */
	if (!b && __atomic_load_n(&j->pc, __ATOMIC_RELAXED) == cpu->pc)
		b = (const struct iblock *)j->code;
	return b;
}

/* Runs from b on while in the same region; returns the block to go on with, or 0: has left. */
static const struct iblock *
run_region(struct run *run, const struct iblock *b)
{
	const struct image *m = (const struct image *)((const u8 *)b - b->image), *here = m;
	struct cpu *cpu = run->e.cpu;
	u64 val[m->words + 1];

	run->e.ins = code_of(m);
	run->e.k = constants(m);
	run->e.fpnan = m->fpnan;
	run->e.stride = m->stride;
	run->e.val = val;
	while (b && here == m) {
		cpu->pc = b->pc - b->above;
		cpu->why = WHY_FLUSH;
		if (atomic_load_explicit(&b->dead, memory_order_relaxed))
			return 0;
		run->e.pc = b->pc;
		run->e.first = (int)b->first;
		run->e.at = run->e.now = &run->e.ins[b->first];
		if (eval_block(&run->e, (int)b->n) == EVAL_LEFT)
			return 0;
		b = next(cpu, m);
		if (b)
			cpu->pc = b->pc - b->above;
		cpu->why = WHY_POLL;
		if (atomic_load_explicit(&cpu->poll, memory_order_relaxed))
			return 0;
		cpu->why = WHY_NEXT;
		here = b ? (const struct image *)((const u8 *)b - b->image) : 0;
	}
	return b;
}

static void
enter(struct cpu *cpu, const u8 *code)
{
	struct run run = { .e = { .cpu = cpu, .guest = cpu->guest } };
	const struct iblock *volatile b = (const struct iblock *)code;
	void *outer = cpu->host_sp;

	cpu->host_sp = &run;
	cpu->link = 0;
	if (!_setjmp(run.out))
		while (b)
			b = run_region(&run, b);
	cpu->host_sp = outer;
}

/* -- code that changes -- */

static void
link_nothing(u8 *code, const struct link *l, const u8 *to)
{
	(void)code, (void)l, (void)to;
}

static void
kill_entry(u8 *code, const struct entry *e)
{
	atomic_store(&((struct iblock *)(code + e->off))->dead, 1);
}

/* -- faults.  The handler runs on the thread that faulted, inside eval_block. -- */

static const struct run *
running(void)
{
	return cpu_self && cpu_self->running ? cpu_self->host_sp : 0;
}

static void
land(void)
{
	struct run *run = cpu_self->host_sp;

	_longjmp(run->out, 1);
}

static void
unwind(void *uc, struct cpu *cpu, enum why why, gaddr pc)
{
	cpu->why = why;
	cpu->pc = pc;
	interp_divert(uc, land);
}

/* In a checked copy of guest memory the host's own; else the instruction being evaluated. */
static u64
context_pc(const void *uc)
{
	const struct run *run = running();
	u64 pc = interp_pc(uc);

	return !run || gmem_fixup(pc) ? pc : (u64)(uintptr_t)run->e.at;
}

static int
context_write(const void *uc)
{
	const struct run *run = running();

	(void)uc;
	return run && opinfo[run->e.now->op].traits & WRITE;
}

static u64
context_addr(const void *uc)
{
	const struct run *run = running();

	(void)uc;
	if (!run || !(opinfo[run->e.now->op].traits & (READ | WRITE)))
		return 0;
	return eval_address(&run->e, run->e.now);
}

static int
fpfault(void *uc, struct cpu *cpu, int sig, const siginfo_t *si)
{
	(void)uc, (void)cpu, (void)sig, (void)si;
	return 0;
}

static u64
helper_pc(const struct cpu *cpu)
{
	const struct run *run = cpu->host_sp;

	return run ? (u64)(uintptr_t)(run->e.at + 1) : 0;
}

/* The copy is not code; -d op_opt prints what it holds. */
static int
disasm(const u8 *code, u32 n, u64 at, char *buf, size_t size)
{
	(void)code, (void)n, (void)at, (void)buf, (void)size;
	return 0;
}

const struct host host_interp = {
	.name = "interp",
	.init = init,
	.guest = set_guest,
	.compile = compile,
	.enter = enter,
	.link = link_nothing,
	.kill = kill_entry,
	.unwind = unwind,
	.context_pc = context_pc,
	.context_setpc = interp_setpc,
	.context_write = context_write,
	.context_addr = context_addr,
	.raised = interp_raised,
	.fpfault = fpfault,
	.helper_pc = helper_pc,
	.disasm = disasm,
};
