/* SPDX-License-Identifier: MIT */
/* hostcall.h - raw system calls of the host, one of them interruptible without a race
 *
 * The bodies are the host's (backend/HOST/hostcall.c).  Both return what the kernel returned, a
 * negative errno on failure; errno is not touched. */
#ifndef BASE_HOSTCALL_H
#define BASE_HOSTCALL_H

#include <signal.h>
#include <ucontext.h>
#include "base/cpu.h"

/* For a call that may block on behalf of the guest: looks at cpu->poll right before the host's
 * system call instruction and returns -ERESTARTNOINTR (-513) instead of calling when it is set.
 * -ERESTARTSYS (-512): the kernel waited, was interrupted and would call again. */
s64 host_syscall_asm(long nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, _Atomic u8 *poll);

static inline s64
host_syscall(struct cpu *cpu, long nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	return host_syscall_asm(nr, a0, a1, a2, a3, a4, a5, &cpu->poll);
}

/* For our own calls and those that never wait for anybody. */
s64 host_call(long nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);

/* For a host signal handler that has set cpu->poll: if the signal arrived after host_syscall
 * looked at cpu->poll and before the kernel was entered, or the kernel backed out to restart,
 * makes the interrupted host_syscall return as above; 1 if it did.  Async-signal-safe. */
int host_rewind(ucontext_t *);

/* fork() of the C library, so that the child finds none of its locks taken, but with call(arg, flags, ctid) in place of
 * the kernel's clone, flags and ctid (CLONE_CHILD_SETTID and _CLEARTID) being what the C library asks for.
 * Returns in parent and child what call did; -ENOSYS, nothing having happened, where that cannot be had.  While it
 * runs SIGSYS must be unblocked and go to a handler that calls host_forking; restorer: what returns from
 * that handler. */
typedef s64 host_clone(void *arg, u64 flags, u64 ctid);
s64 host_fork(host_clone *call, void *arg, u64 restorer);

/* First thing in that handler: 1 if it was about this.  Async-signal-safe. */
int host_forking(ucontext_t *, const siginfo_t *);

#endif
