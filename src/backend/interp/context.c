/* SPDX-License-Identifier: MIT */
/* context.c - the program counter and stack of a host context, for each machine Linux runs on */
#include <ucontext.h>
#include "backend/interp/interp.h"

#if defined __x86_64__
enum { REDZONE = 128, PUSHED = 8 };    /* at a function's entry sp + 8 is a multiple of 16 */
static u64 pc_of(const ucontext_t *c) { return (u64)c->uc_mcontext.gregs[REG_RIP]; }
static void set_pc(ucontext_t *c, u64 pc) { c->uc_mcontext.gregs[REG_RIP] = (greg_t)pc; }
static u64 sp_of(const ucontext_t *c) { return (u64)c->uc_mcontext.gregs[REG_RSP]; }
static void set_sp(ucontext_t *c, u64 sp) { c->uc_mcontext.gregs[REG_RSP] = (greg_t)sp; }
static u64
fault_of(const ucontext_t *c, u64 at)
{
	return c->uc_mcontext.gregs[REG_TRAPNO] == 14 ? (u64)c->uc_mcontext.gregs[REG_CR2] : ~at;
}
#elif defined __aarch64__
enum { REDZONE = 0, PUSHED = 0 };
static u64 pc_of(const ucontext_t *c) { return c->uc_mcontext.pc; }
static void set_pc(ucontext_t *c, u64 pc) { c->uc_mcontext.pc = pc; }
static u64 sp_of(const ucontext_t *c) { return c->uc_mcontext.sp; }
static void set_sp(ucontext_t *c, u64 sp) { c->uc_mcontext.sp = sp; }
static u64 fault_of(const ucontext_t *c, u64 at) { (void)at; return c->uc_mcontext.fault_address; }
#elif defined __riscv
enum { REDZONE = 0, PUSHED = 0 };
static u64 pc_of(const ucontext_t *c) { return c->uc_mcontext.__gregs[REG_PC]; }
static void set_pc(ucontext_t *c, u64 pc) { c->uc_mcontext.__gregs[REG_PC] = pc; }
static u64 sp_of(const ucontext_t *c) { return c->uc_mcontext.__gregs[REG_SP]; }
static void set_sp(ucontext_t *c, u64 sp) { c->uc_mcontext.__gregs[REG_SP] = sp; }
static u64 fault_of(const ucontext_t *c, u64 at) { (void)c; return at; }        /* the context does not tell */
#else
#error "context.c: say where this machine keeps pc and sp"
#endif

u64
interp_pc(const void *uc)
{
	return pc_of(uc);
}

void
interp_setpc(void *uc, u64 pc)
{
	set_pc(uc, pc);
}

/* As host->raised: the interpreter raises faults of memory only. */
int
interp_raised(const void *uc, int sig, const siginfo_t *si)
{
	u64 at = (u64)(uintptr_t)si->si_addr;

	if (sig == SIGFPE || sig == SIGILL)
		return at == interp_pc(uc);
	return (sig == SIGSEGV || sig == SIGBUS) && (at == fault_of(uc, at) || si->si_code == SI_KERNEL);
}

void
interp_divert(void *uc, void (*f)(void))
{
	set_sp(uc, aligndown(sp_of(uc) - REDZONE, 16) - PUSHED);
	set_pc(uc, (u64)(uintptr_t)f);
}
