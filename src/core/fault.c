/* SPDX-License-Identifier: MIT */
/* fault.c - synchronous host signals: whose fault is it?
 *
 * In the order of asking: a checked copy of guest memory (gmem_fixup); a write to a page that is
 * read-only only because it holds translated code (smc.c); the host's own arrangement (shadow
 * stack, unmasked floating-point exceptions); the guest.  What is left is our own mistake.
 *
 * The handler runs on the faulting thread, which holds no lock of ours when it is in generated code
 * or in a checked copy, so it may take them. */
#include "base/diag.h"
#include "core/core.h"

gaddr
engine_guestpc(const struct cpu *cpu, const void *uc)
{
	const u8 *code = uc ? (const u8 *)core.host->context_pc(uc) : 0;
	struct guestat at;

	return code && core_pcat(code, &at) ? at.pc : cpu ? cpu->pc : 0;
}

u64
engine_hostpc(const void *uc, int *inside)
{
	extern const char __executable_start[], etext[];
	u64 pc = core.host ? core.host->context_pc(uc) : 0, first = (u64)(uintptr_t)__executable_start;

	*inside = pc >= first && pc < (u64)(uintptr_t)etext;
	return *inside ? pc - first : pc;
}

static void
guestfault(struct cpu *cpu, int sig, const siginfo_t *si, void *uc, const struct guestat *at)
{
	gaddr a = h2g(si->si_addr);

	cpu->fault = (struct fault){.addr = a, .block = at->block, .several = at->several, .base = at->base,
	    .owed = at->owed, .reg = at->reg, .flags = at->flags,
	    .write = (u8)core.host->context_write(uc), .sig = sig,
	    .code = si->si_code};
	/* Non-canonical addresses arrive as SI_KERNEL with address 0. */
	if (sig == SIGSEGV && si->si_code != SEGV_MAPERR && si->si_code != SEGV_ACCERR) {
		cpu->fault.code = SEGV_MAPERR;
		cpu->fault.addr = core.host->context_addr(uc);
	}
	core.host->unwind(uc, cpu, WHY_FAULT, at->pc);
}

/* Where generated code is, or has called the helper that runs; 0: neither. */
static int
placeof(const struct cpu *cpu, u64 at, struct guestat *place)
{
	u64 caller;

	if (core_pcat((const u8 *)at, place))
		return 1;
	caller = core.host->helper_pc(cpu);
	if (!caller || !core_pcat((const u8 *)caller - 1, place))
		return 0;
	place->several = place->base = place->owed = place->flags = 0;
	return 1;
}

int
engine_raised(const void *uc, int sig, const siginfo_t *si)
{
	return core.host && si->si_code > 0 && core.host->raised(uc, sig, si);
}

int
engine_fault(struct cpu *cpu, int sig, siginfo_t *si, void *uc)
{
	u64 at = core.host->context_pc(uc), to;
	struct guestat place;
	int memory = sig == SIGSEGV || sig == SIGBUS, fixed;

	/* First, because the translator's copies are made with the lock held that smc_write wants. */
	if (memory && (to = gmem_fixup(at))) {
		core.host->context_setpc(uc, to);
		return 1;
	}
	if (sig == SIGSEGV && si->si_code == SEGV_ACCERR && smc_write(h2g(si->si_addr)))
		return 1;
	if (!cpu || !atomic_load(&cpu->running))
		return 0;
	if ((fixed = core.host->fpfault(uc, cpu, sig, si))) {
		if (fixed == 2) {
			atomic_store(&core.stale, 1);
			cpu_poll(cpu);
		}
		return 1;
	}
	if ((!memory && !cpu->trapping) || !placeof(cpu, at, &place))
		return 0;
	if (memory)
		guestfault(cpu, sig, si, uc, &place);
	else
		core.host->unwind(uc, cpu, WHY_TRAP, place.pc);
	cpu->trapping = 0;
	return 1;
}
