/* SPDX-License-Identifier: MIT */
/* futex.c - futexes: guest addresses are host addresses, so the host's kernel does the work
 *
 * The list of robust futexes is the guest's own, handed to the kernel as it is; PI futexes hold
 * host tids, which are the guest's tids. */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include "base/gmem.h"
#include "threads/thread.h"
#include "syscall/thread_calls.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
enum { NR_futex_wake = 454, NR_futex_wait, NR_futex_requeue };

/* A wait with a timeout is not restarted after a handler; one that ended because of ourselves is. */
static s64
waited(s64 r, int timeout)
{
	if (r == -EINTR || (r == -ERESTARTSYS && timeout))
		return -ERESTARTNOHAND;
	return r;
}

static int
samelayout(const struct linux_abi *abi)
{
	return abi->model.word == 8 && !abi->model.big;
}

/* The kernel could not write a futex word: maybe only because its page holds translated code. */
static int
opened(gaddr a)
{
	if (!gmem_watch || !(gmem_prot(a) & GM_WRITE))
		return 0;
	gmem_watch->unprotect(a, 4);
	return 1;
}

static s64
futex(struct cpu *cpu, const u64 *a, enum layout timespec)
{
	int op = (int)a[1] & FUTEX_CMD_MASK;
	int hastime = op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI ||
		      op == FUTEX_LOCK_PI2 || op == FUTEX_WAIT_REQUEUE_PI;
	struct timespec ts;
	u64 fourth = a[3];
	s64 r;

	if (hastime && a[3]) {
		fourth = (u64)g2h(a[3]);
		if (!samelayout(cpu->guest->abi) || timespec != S_timespec) {
			if (abi_in(cpu->guest->abi, timespec, &ts, a[3]))
				return -EFAULT;
			fourth = (u64)&ts;
		}
	}
	r = host_syscall(cpu, SYS_futex, (u64)g2h(a[0]), a[1], a[2], fourth,
			 a[4] ? (u64)g2h(a[4]) : 0, a[5]);
	if (r == -EFAULT && (opened(a[0]) | opened(a[4])))
		r = host_syscall(cpu, SYS_futex, (u64)g2h(a[0]), a[1], a[2], fourth,
				 a[4] ? (u64)g2h(a[4]) : 0, a[5]);
	return waited(r, hastime && a[3]);
}

s64
sys_futex(struct cpu *cpu, const u64 *a)
{
	return futex(cpu, a, S_timespec);
}

s64
sys_futex_time64(struct cpu *cpu, const u64 *a)
{
	return futex(cpu, a, S_timespec64);
}

/* -- the newer calls: only for guests whose structs are the host's -- */

static s64
timeout64(struct cpu *cpu, gaddr a, struct timespec *ts, u64 *p)
{
	*p = 0;
	if (!a)
		return 0;
	*p = (u64)ts;
	return abi_in(cpu->guest->abi, S_timespec64, ts, a);
}

s64
sys_futex_waitv(struct cpu *cpu, const u64 *a)
{
	struct timespec ts;
	u64 t;

	if (cpu->guest->abi->model.big || gmem.base)
		return -ENOSYS;
	if (timeout64(cpu, a[3], &ts, &t))
		return -EFAULT;
	return waited(host_syscall(cpu, SYS_futex_waitv, (u64)g2h(a[0]), a[1], a[2], t, a[4], 0), !!t);
}

s64
sys_futex_wake(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	return host_call(NR_futex_wake, (u64)g2h(a[0]), a[1], a[2], a[3], 0, 0);
}

s64
sys_futex_wait(struct cpu *cpu, const u64 *a)
{
	struct timespec ts;
	u64 t;

	if (timeout64(cpu, a[4], &ts, &t))
		return -EFAULT;
	return waited(host_syscall(cpu, NR_futex_wait, (u64)g2h(a[0]), a[1], a[2], a[3], t, a[5]), !!t);
}

s64
sys_futex_requeue(struct cpu *cpu, const u64 *a)
{
	if (cpu->guest->abi->model.big || gmem.base)
		return -ENOSYS;
	return host_call(NR_futex_requeue, (u64)g2h(a[0]), a[1], a[2], a[3], 0, 0);
}

/* -- robust lists -- */

s64
sys_set_robust_list(struct cpu *cpu, const u64 *a)
{
	/* the kernel walks the list itself: pointers and byte order must be its own */
	if (!samelayout(cpu->guest->abi) || gmem.base)
		return -ENOSYS;
	return host_call(SYS_set_robust_list, (u64)g2h(a[0]), a[1], 0, 0, 0, 0);
}

s64
sys_get_robust_list(struct cpu *cpu, const u64 *a)
{
	u64 head, size;
	s64 r;

	if (!samelayout(cpu->guest->abi) || gmem.base)
		return -ENOSYS;
	r = host_call(SYS_get_robust_list, a[0], (u64)&head, (u64)&size, 0, 0, 0);
	if (!r && (gmem_write(a[1], &head, sizeof head) || gmem_write(a[2], &size, sizeof size)))
		r = -EFAULT;
	return r;
}
