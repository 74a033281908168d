/* SPDX-License-Identifier: MIT */
/* proccalls.c - system calls on threads and processes that need little of us */
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/gmem.h"
#include "threads/thread.h"
#include "syscall/thread_calls.h"

static s64
call(long nr, u64 a, u64 b, u64 c)
{
	return host_call(nr, a, b, c, 0, 0, 0);
}

/* -- ids -- */

s64
sys_gettid(struct cpu *cpu, const u64 *a)
{
	(void)a;
	return cpu->thread->tid;
}

s64
sys_getpid(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	(void)a;
	return call(SYS_getpid, 0, 0, 0);
}

s64
sys_set_tid_address(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	return call(SYS_set_tid_address, a[0] ? (u64)g2h(a[0]) : 0, 0, 0);
}

/* -- waiting -- */

s64
sys_wait4(struct cpu *cpu, const u64 *a)
{
	struct rusage ru;
	int status = 0;
	s64 r = host_syscall(cpu, SYS_wait4, a[0], (u64)&status, a[2], a[3] ? (u64)&ru : 0, 0, 0);

	if (r <= 0)
		return r;
	if (a[1] && gmem_write(a[1], &status, sizeof status))
		return -EFAULT;
	if (a[3] && abi_out(cpu->guest->abi, S_rusage, a[3], &ru))
		return -EFAULT;
	return r;
}

/* Linux fills six words: the union behind the first three is aligned as a pointer. */
static int
putinfo(const struct linux_abi *abi, gaddr a, const siginfo_t *i)
{
	u32 v[6] = { (u32)abi_sig2guest(abi, i->si_signo), (u32)i->si_errno, (u32)i->si_code,
		     (u32)i->si_pid, i->si_uid, (u32)i->si_status };
	u8 raw[32] = { 0 };
	int at = 0;

	for (int k = 0; k < 6; k++, at += 4) {
		if (k == 3)
			at = abi->model.word == 8 ? 16 : 12;
		stn(raw + at, 4, abi->model.big, v[k]);
	}
	return gmem_write(a, raw, (size_t)at);
}

s64
sys_waitid(struct cpu *cpu, const u64 *a)
{
	siginfo_t info;
	struct rusage ru;
	s64 r;

	memset(&info, 0, sizeof info);
	memset(&ru, 0, sizeof ru);
	r = host_syscall(cpu, SYS_waitid, a[0], a[1], (u64)&info, a[3], a[4] ? (u64)&ru : 0, 0);
	if (r < 0)
		return r;
	if (a[2] && putinfo(cpu->guest->abi, a[2], &info))
		return -EFAULT;
	if (a[4] && abi_out(cpu->guest->abi, S_rusage, a[4], &ru))
		return -EFAULT;
	return r;
}

/* -- restartable sequences: glibc and others go without when they are told so -- */

s64
sys_rseq(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	(void)a;
	return -ENOSYS;
}

/* Generated code keeps the host's order of memory accesses, so the host's barriers are the
 * guest's.  Restartable sequences do not exist. */
s64
sys_membarrier(struct cpu *cpu, const u64 *a)
{
	int rseq = MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ;
	s64 r;

	(void)cpu;
	if ((int)a[0] & rseq)
		return -EINVAL;
	r = call(SYS_membarrier, a[0], a[1], a[2]);
	return a[0] == MEMBARRIER_CMD_QUERY && r > 0 ? r & ~rseq : r;
}

/* The host's kernel would show and change dragoman's registers, not the guest's. */
s64
sys_ptrace(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	(void)a;
	return -ENOSYS;
}
