/* SPDX-License-Identifier: MIT */
/* time.c - sleeping, and what becomes of a sleep that a signal interrupts */
#include <errno.h>
#include <time.h>
#include "base/gmem.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"
#include "syscall/linux/wait.h"

enum { SECOND = 1000000000 };

s64
wait_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (s64)SECOND + ts.tv_nsec;
}

/* Seconds beyond 290 years wait that long. */
s64
wait_left(s64 want)
{
	struct callstate *st = syscall_state();
	s64 now = wait_now(), left;

	if (st->resume && st->deadline) {
		left = st->deadline - now;
		return left > 0 ? left : 0;
	}
	st->deadline = want > INT64_MAX - now ? INT64_MAX : now + want;
	return want;
}

int
wait_nsec(const struct timespec *ts, s64 *ns)
{
	if (ts->tv_sec < 0 || (u64)ts->tv_nsec >= SECOND)
		return -EINVAL;
	*ns = ts->tv_sec > INT64_MAX / SECOND - 1 ? INT64_MAX : ts->tv_sec * (s64)SECOND + ts->tv_nsec;
	return 0;
}

static s64
sleep_for(struct cpu *cpu, int clock, gaddr req, gaddr rem)
{
	struct timespec ts, left;
	s64 ns, r;

	if (abi_in(cpu->guest->abi, S_timespec, &ts, req))
		return -EFAULT;
	r = wait_nsec(&ts, &ns);
	if (r < 0)
		return r;
	ns = wait_left(ns);
	left = ts = (struct timespec){ ns / SECOND, ns % SECOND };
	r = host_syscall(cpu, __NR_clock_nanosleep, (u64)(s64)clock, 0, (u64)&ts, (u64)&left, 0, 0);
	if (!iscut(r))
		return r;
	if (rem && abi_out(cpu->guest->abi, S_timespec, rem, &left))
		return -EFAULT;
	return -ERESTART_RESTARTBLOCK;
}

s64
sys_nanosleep(struct cpu *cpu, const u64 *a)
{
	return sleep_for(cpu, CLOCK_MONOTONIC, a[0], a[1]);
}

s64
sys_clock_nanosleep(struct cpu *cpu, const u64 *a)
{
	struct timespec ts;
	s64 r;

	if (!(a[1] & TIMER_ABSTIME))
		return sleep_for(cpu, (int)a[0], a[2], a[3]);
	if (abi_in(cpu->guest->abi, S_timespec, &ts, a[2]))
		return -EFAULT;
	r = host_syscall(cpu, __NR_clock_nanosleep, a[0], a[1], (u64)&ts, 0, 0, 0);
	return iscut(r) ? -ERESTARTNOHAND : r;
}

/* Only a kernel names this call, to continue an interrupted one; here that happens by calling the
 * same again (syscall_settle).  A program that calls it has nothing to continue. */
s64
sys_restart_syscall(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	(void)a;
	return -EINTR;
}
