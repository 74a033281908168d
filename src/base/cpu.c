/* SPDX-License-Identifier: MIT */
/* cpu.c - the thread's own record, and its jump cache */
#include <string.h>
#include "base/cpu.h"

enum { LOST = 2048 };                  /* after so many a small cache grows: about what growing costs, in time */

_Thread_local struct cpu *cpu_self;

static u32 mask(int bits) { return ((1u << bits) - 1) << 1; }

/* No guest pc is ~0; only the entry of pc 0 would match an empty one. */
void
jc_init(struct cpu *cpu)
{
	cpu->jcmask = cpu->jcsize = mask(JC_BITS);
	cpu->jc[0].pc = ~(u64)0;
}

void
jc_clear(struct cpu *cpu)
{
	memset(cpu->jc, 0xff, (cpu->jcsize / 2 + 1) * sizeof *cpu->jc);
}

struct jc *
jc_place(struct cpu *cpu, u64 pc)
{
	struct jc *j = &cpu->jc[jc_index(cpu, pc)];

	if (cpu->jcsize == mask(JC_MOST) || !j->code || j->pc == pc || j->pc == ~(u64)0 || ++cpu->jclost < LOST)
		return j;
	cpu->jcsize = mask(JC_MOST);
	jc_clear(cpu);
	return &cpu->jc[jc_index(cpu, pc)];
}

/* The way out is that of an access that faults (core/fault.c). */
_Noreturn void
cpu_trap(struct cpu *cpu, enum trap trap, u32 info)
{
	cpu->trap = trap;
	cpu->trapinfo = info;
	cpu->trapping = 1;
	__builtin_trap();
}
