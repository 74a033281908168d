/* SPDX-License-Identifier: MIT */
/* sigcalls.c - the system calls on signals
 *
 * Most are the host's, on the host's mask and pending signals, which are the guest's; what is
 * added is the five SYNC signals (thread.h). */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/gmem.h"
#include "threads/thread.h"
#include "syscall/thread_calls.h"

enum { KSIGSET = 8 };

static int
getset(struct cpu *cpu, gaddr a, u64 *set)
{
	int r = abi_in(cpu->guest->abi, S_sigset, set, a);

	if (!r)
		*set = abi_mask2host(cpu->guest->abi, *set);
	return r;
}

static int
putset(struct cpu *cpu, gaddr a, u64 set)
{
	set = abi_mask2guest(cpu->guest->abi, set);
	return abi_out(cpu->guest->abi, S_sigset, a, &set);
}

static s64
call(long nr, u64 a, u64 b, u64 c, u64 d)
{
	return host_call(nr, a, b, c, d, 0, 0);
}

/* -- dispositions -- */

s64
sys_rt_sigaction(struct cpu *cpu, const u64 *a)
{
	const struct linux_abi *abi = cpu->guest->abi;
	struct sighand *h = cpu->thread->sighand;
	struct ksigaction new = { 0 }, old;
	int sig = (int)a[0];

	if (a[3] != KSIGSET || sig < 1 || sig > 64)
		return -EINVAL;
	if (a[1] && abi_in(abi, S_sigaction, &new, a[1]))
		return -EFAULT;
	if (a[1] && sigbit(sig) & SIG_NEVER)
		return -EINVAL;
	new.mask = abi_mask2host(abi, new.mask) & ~SIG_NEVER;
	pthread_mutex_lock(&h->lock);
	signal_learn(h, sigbit(sig));
	old = h->act[sig];
	if (a[1]) {
		h->act[sig] = new;
		signal_mirror(h, sig);
		/* Linux: what becomes ignored is no longer pending */
		if (sigbit(sig) & SIG_SYNC && new.handler == (u64)SIG_IGN) {
			siginfo_t drop;

			signal_take_held(cpu->thread, sigbit(sig), &drop);
		}
	}
	pthread_mutex_unlock(&h->lock);
	old.mask = abi_mask2guest(abi, old.mask);
	return a[2] ? abi_out(abi, S_sigaction, a[2], &old) : 0;
}

/* -- masks -- */

s64
sys_rt_sigprocmask(struct cpu *cpu, const u64 *a)
{
	struct thread *t = cpu->thread;
	u64 set = 0, old = t->mask;

	if (a[3] != KSIGSET)
		return -EINVAL;
	/* a signal that came before the call is taken before the call */
	if (t->isqueued)
		return -ERESTARTNOINTR;
	if (a[1]) {
		if (getset(cpu, a[1], &set))
			return -EFAULT;
		switch ((int)a[0]) {
		case SIG_BLOCK: set |= old; break;
		case SIG_UNBLOCK: set = old & ~set; break;
		case SIG_SETMASK: break;
		default: return -EINVAL;
		}
		t->mask = set & ~SIG_NEVER;
		signal_hostmask(t, t->mask);
	}
	return a[2] ? putset(cpu, a[2], old) : 0;
}

s64
sys_rt_sigpending(struct cpu *cpu, const u64 *a)
{
	u64 set = 0;
	s64 r;

	if (a[1] > KSIGSET)
		return -EINVAL;
	r = call(SYS_rt_sigpending, (u64)&set, KSIGSET, 0, 0);
	if (r < 0)
		return r;
	/* what the kernel holds back only because a signal is on its way is not pending */
	set = (set & cpu->thread->mask) | signal_heldset(cpu->thread);
	return putset(cpu, a[0], set);
}

void
thread_mask_push(struct cpu *cpu, u64 set)
{
	struct thread *t = cpu->thread;

	t->saved = t->mask;
	t->usesaved = 1;
	t->mask = set & ~SIG_NEVER;
	signal_hostmask(t, t->mask);
	if (signal_heldset(t) & ~t->mask)
		cpu_poll(cpu);
}

void
thread_mask_pop(struct cpu *cpu, s64 result)
{
	struct thread *t = cpu->thread;

	if (result == -EINTR || (result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK))
		return;                /* signal_deliver puts it back */
	t->mask = t->saved;
	t->usesaved = 0;
	signal_hostmask(t, t->mask);
}

s64
sys_rt_sigsuspend(struct cpu *cpu, const u64 *a)
{
	u64 set;
	s64 r;

	if (a[1] != KSIGSET)
		return -EINVAL;
	if (getset(cpu, a[0], &set))
		return -EFAULT;
	if (cpu->thread->isqueued)
		return -ERESTARTNOINTR;
	thread_mask_push(cpu, set);
	set = cpu->thread->hostmask;
	r = host_syscall(cpu, SYS_rt_sigsuspend, (u64)&set, KSIGSET, 0, 0, 0, 0);
	return iscut(r) ? -ERESTARTNOHAND : r;
}

s64
sys_pause(struct cpu *cpu, const u64 *a)
{
	s64 r;

	(void)a;
	r = host_syscall(cpu, SYS_ppoll, 0, 0, 0, 0, 0, 0);
	return iscut(r) ? -ERESTARTNOHAND : r;
}

/* -- waiting -- */

static s64
timedwait(struct cpu *cpu, const u64 *a, enum layout timespec)
{
	const struct linux_abi *abi = cpu->guest->abi;
	struct timespec ts = { 0, 0 };
	siginfo_t info;
	u64 set;
	s64 r;

	if (a[3] != KSIGSET)
		return -EINVAL;
	if (getset(cpu, a[0], &set) || (a[2] && abi_in(abi, timespec, &ts, a[2])))
		return -EFAULT;
	if (a[2] && (ts.tv_sec < 0 || (u64)ts.tv_nsec > 999999999))
		return -EINVAL;
	r = signal_take_held(cpu->thread, set, &info);
	if (!r) {
		u64 host = set & ~SIG_SYNC;

		r = host_syscall(cpu, SYS_rt_sigtimedwait, (u64)&host, (u64)&info,
				 a[2] ? (u64)&ts : 0, KSIGSET, 0, 0);
	}
	/* interrupted by a SYNC signal that is waited for, or by nothing the guest will see */
	if (r == -EINTR && (signal_heldset(cpu->thread) & set))
		r = signal_take_held(cpu->thread, set, &info);
	if (r == -ERESTARTSYS)
		return -ERESTARTNOHAND;
	if (r > 0) {
		r = abi_sig2guest(abi, (int)r);
		info.si_signo = (int)r;
		if (a[1] && gmem_write(a[1], &info, sizeof info))
			return -EFAULT;
	}
	return r;
}

s64
sys_rt_sigtimedwait(struct cpu *cpu, const u64 *a)
{
	return timedwait(cpu, a, S_timespec);
}

s64
sys_rt_sigtimedwait_time64(struct cpu *cpu, const u64 *a)
{
	return timedwait(cpu, a, S_timespec64);
}

s64
sys_signalfd4(struct cpu *cpu, const u64 *a)
{
	u64 set;

	if (a[2] != KSIGSET)
		return -EINVAL;
	if (getset(cpu, a[1], &set))
		return -EFAULT;
	set &= ~SIG_NEVER;
	return call(SYS_signalfd4, a[0], (u64)&set, KSIGSET, a[3]);
}

/* -- sending -- */

s64
sys_kill(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	return call(SYS_kill, a[0], a[1], 0, 0);
}

s64
sys_tkill(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	return call(SYS_tkill, a[0], a[1], 0, 0);
}

s64
sys_tgkill(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	return call(SYS_tgkill, a[0], a[1], a[2], 0);
}

static int
getinfo(siginfo_t *info, gaddr a, int sig)
{
	if (gmem_read(info, a, sizeof *info))
		return -EFAULT;
	info->si_signo = sig;
	return 0;
}

s64
sys_rt_sigqueueinfo(struct cpu *cpu, const u64 *a)
{
	siginfo_t info;

	(void)cpu;
	if (getinfo(&info, a[2], (int)a[1]))
		return -EFAULT;
	return call(SYS_rt_sigqueueinfo, a[0], a[1], (u64)&info, 0);
}

s64
sys_rt_tgsigqueueinfo(struct cpu *cpu, const u64 *a)
{
	siginfo_t info;

	(void)cpu;
	if (getinfo(&info, a[3], (int)a[2]))
		return -EFAULT;
	return call(SYS_rt_tgsigqueueinfo, a[0], a[1], a[2], (u64)&info);
}

s64
sys_pidfd_send_signal(struct cpu *cpu, const u64 *a)
{
	siginfo_t info;

	(void)cpu;
	if (a[2] && getinfo(&info, a[2], (int)a[1]))
		return -EFAULT;
	return call(SYS_pidfd_send_signal, a[0], a[1], a[2] ? (u64)&info : 0, a[3]);
}

/* -- frames and stacks -- */

static s64
setalt(struct thread *t, gaddr sp, gaddr at, u64 size, s32 flags, u64 min)
{
	s32 mode = flags & ~ALT_AUTODISARM;

	if (signal_onalt(t, sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE)
		at = size = 0;
	else if (size < min)
		return -ENOMEM;
	t->alt.sp = at;
	t->alt.size = size;
	t->alt.flags = flags;
	return 0;
}

s64
sys_sigaltstack(struct cpu *cpu, const u64 *a)
{
	struct thread *t = cpu->thread;
	const struct linux_abi *abi = cpu->guest->abi;
	gaddr sp = guest_get(cpu, cpu->guest->sp);
	stack_t new = { 0 }, old = { 0 };
	s64 r = 0;

	if (a[0] && abi_in(abi, S_stack_t, &new, a[0]))
		return -EFAULT;
	old.ss_sp = (void *)t->alt.sp;
	old.ss_size = t->alt.size;
	old.ss_flags = (t->alt.flags & ALT_AUTODISARM) |
		       (!t->alt.size ? SS_DISABLE : signal_onalt(t, sp) ? SS_ONSTACK : 0);
	if (a[0])
		r = setalt(t, sp, (gaddr)new.ss_sp, new.ss_size, new.ss_flags, 2048);
	if (!r && a[1])
		r = abi_out(abi, S_stack_t, a[1], &old);
	return r;
}

s64
sys_rt_sigreturn(struct cpu *cpu, const u64 *a)
{
	struct thread *t = cpu->thread;
	struct sigframe f;

	(void)a;
	if (cpu->guest->abi->pop(cpu, &f)) {
		signal_force(cpu, SIGSEGV, SI_KERNEL, 0, 0);
		return SYS_NORESULT;
	}
	t->mask = abi_mask2host(cpu->guest->abi, f.mask) & ~SIG_NEVER;
	t->usesaved = 0;
	setalt(t, guest_get(cpu, cpu->guest->sp), f.stack.sp, f.stack.size, f.stack.flags, 2048);
	cpu->excl_addr = ~(u64)0;
	return SYS_NORESULT;
}
