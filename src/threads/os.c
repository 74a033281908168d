/* SPDX-License-Identifier: MIT */
/* os.c - Linux as the environment of guest code */
#include <assert.h>
#include <errno.h>
#include "base/gmem.h"
#include "base/os.h"
#include "threads/thread.h"

static int
isrestart(s64 r)
{
	return r <= -ERESTARTSYS && r >= -ERESTART_RESTARTBLOCK;
}

static void
linux_call(struct cpu *cpu)
{
	struct thread *t;
	s64 r = cpu->thread->filter && seccomp_stops(cpu) ? 0 : syscall_do(cpu);

	/* a vfork that has returned, or a fork, may have changed the record */
	t = cpu->thread;
	if (isrestart(r) || t->isqueued || t->held || t->usesaved ||
	    t->hostmask != (t->mask & ~(SIG_SYNC | SIG_NEVER)))
		signal_deliver(cpu, isrestart(r) ? r : 0);
}

static void
linux_poll(struct cpu *cpu)
{
	signal_deliver(cpu, 0);
}

static void
linux_trap(struct cpu *cpu)
{
	static const struct { int sig, code; } table[] = {
		[TRAP_UNDEF] = { SIGILL, ILL_ILLOPC },
		[TRAP_PRIV] = { SIGILL, ILL_PRVOPC },
		[TRAP_BREAK] = { SIGTRAP, TRAP_BRKPT },
		[TRAP_DIV] = { SIGFPE, FPE_INTDIV },
		[TRAP_FP] = { SIGFPE, FPE_FLTINV },
		[TRAP_ALIGN] = { SIGBUS, BUS_ADRALN },
	};
	u32 n = cpu->trap < NELEM(table) ? cpu->trap : TRAP_UNDEF;

	signal_force(cpu, table[n].sig, table[n].code, cpu->pc, 0);
}

static void
linux_fault(struct cpu *cpu)
{
	struct fault f = cpu->fault;

	signal_force(cpu, f.sig, f.code, f.addr, &f);
}

static _Thread_local struct { gaddr page; u64 changes; } executable[16];

static __attribute__((noinline)) int
isnowexec(gaddr page, u64 changes, int k)
{
	if (!(gmem_prot(page) & GM_EXEC))
		return 0;
	executable[k].page = page;
	executable[k].changes = changes;
	return 1;
}

/* The guest may execute what is on the page.  Asked again and again of the same few. */
static inline int
isexec(gaddr pc)
{
	gaddr page = aligndown(pc, gmem.pagesize);
	u64 changes = 1 + (u64)gmem_changes();
	int k = (int)(pc >> 12 & 15);

	return (executable[k].page == page && executable[k].changes == changes) || isnowexec(page, changes, k);
}

/* Bytes of the next page, behind those that are in copy, up to n: how many there are then. */
static __attribute__((noinline)) int
further(u8 *copy, gaddr pc, int first, int n)
{
	gaddr next = pc + (u64)first;

	return next < gmem.hi && isexec(next) && !gmem_read(copy + first, next, (size_t)(n - first)) ? n : first;
}

/* Bytes for the translator: a copy, because another thread may unmap the page at any moment, or a file
 * become shorter than its mapping. */
static const u8 *
linux_fetch(gaddr pc, int n, int *got)
{
	static _Thread_local u8 copy[FETCH_MAX];
	u64 here = gmem.pagesize - (pc & (gmem.pagesize - 1));
	int first = here < (u64)n ? (int)here : n;

	assert(n <= (int)sizeof copy);
	*got = 0;
	if (pc >= gmem.hi || !isexec(pc) || gmem_read(copy, pc, (size_t)first))
		return 0;
	*got = first < n ? further(copy, pc, first, n) : n;
	return copy;
}

const struct os linux_os = {
	.name = "linux",
	.call = linux_call,
	.trap = linux_trap,
	.fault = linux_fault,
	.poll = linux_poll,
	.fetch = linux_fetch,
};
