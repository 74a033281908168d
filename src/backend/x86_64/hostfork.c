/* SPDX-License-Identifier: MIT */
/* hostfork.c - the C library's fork, with another system call in it
 *
 * Only fork() takes the C library's locks (malloc's, those of streams and threads) and puts them right
 * in the child, and it knows one set of flags.  So its clone is caught on the way to the kernel: Syscall
 * User Dispatch (Documentation/admin-guide/syscall-user-dispatch.rst) turns the thread's system calls into
 * SIGSYS, but for those made by the code that returns from handlers.  A child is not born with it. */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/hostcall.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
enum { DISPATCH_OFF, DISPATCH_ON, USER_DISPATCH = 2, RESTORER = 16, KSIGSET = 8 };

static _Thread_local struct {
	char block;                    /* read by the kernel: 1 while system calls are caught */
	host_clone *call;
	void *arg;
	s64 result;                    /* of the clone that was called in place of fork's */
} fork_;

s64
host_fork(host_clone *call, void *arg, u64 restorer)
{
	fork_.block = 0;
	fork_.call = call;
	fork_.arg = arg;
	fork_.result = -ENOSYS;
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_ON, restorer, RESTORER, &fork_.block))
		return -ENOSYS;
	__atomic_store_n(&fork_.block, 1, __ATOMIC_SEQ_CST);
	fork();
	__atomic_store_n(&fork_.block, 0, __ATOMIC_SEQ_CST);
	prctl(PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_OFF, 0, 0, 0);
	return fork_.result;
}

/* fork may block signals around its call: they are the interrupted code's when the handler returns. */
static s64
setmask(ucontext_t *uc, const greg_t *g)
{
	u64 old, set = 0, keep = (u64)1 << (SIGSYS - 1);

	memcpy(&old, &uc->uc_sigmask, KSIGSET);
	if (g[REG_RSI])
		memcpy(&set, (const void *)g[REG_RSI], KSIGSET);
	if (g[REG_RDX])
		memcpy((void *)g[REG_RDX], &old, KSIGSET);
	if (!g[REG_RSI])
		return 0;
	set = g[REG_RDI] == SIG_BLOCK ? old | set : g[REG_RDI] == SIG_UNBLOCK ? old & ~set : set;
	set &= ~keep;
	memcpy(&uc->uc_sigmask, &set, KSIGSET);
	return 0;
}

int
host_forking(ucontext_t *uc, const siginfo_t *si)
{
	greg_t *g = uc->uc_mcontext.gregs;

	if (si->si_code != USER_DISPATCH || !fork_.block)
		return 0;
	__atomic_store_n(&fork_.block, 0, __ATOMIC_SEQ_CST);
	if (g[REG_RAX] == SYS_clone) {
		g[REG_RAX] = (greg_t)(fork_.result = fork_.call(fork_.arg, (u64)g[REG_RDI], (u64)g[REG_R10]));
		return 1;              /* nothing more is caught */
	}
	if (g[REG_RAX] == SYS_rt_sigprocmask)
		g[REG_RAX] = (greg_t)setmask(uc, g);
	else
		g[REG_RAX] = (greg_t)host_call((long)g[REG_RAX], (u64)g[REG_RDI], (u64)g[REG_RSI], (u64)g[REG_RDX],
		    (u64)g[REG_R10], (u64)g[REG_R8], (u64)g[REG_R9]);
	__atomic_store_n(&fork_.block, 1, __ATOMIC_SEQ_CST);
	return 1;
}
