/* SPDX-License-Identifier: MIT */
/* poll.c - waiting for descriptors: time limits that go on, and signal masks for the wait
 *
 * The mask is the guest's, so it is installed by src/threads for the duration of the call and never
 * given to the host's kernel. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include "base/gmem.h"
#include "base/util.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"
#include "syscall/linux/wait.h"
#include "syscall/thread_calls.h"

enum { SECOND = 1000000000 };

/* Installs the guest's mask at a, if there is one: 1 if thread_mask_pop must follow. */
static int
mask_in(struct cpu *cpu, gaddr a, u64 size)
{
	u64 set;

	if (!a)
		return 0;
	if (size != 8)
		return -EINVAL;
	if (abi_in(cpu->guest->abi, S_sigset, &set, a))
		return -EFAULT;
	thread_mask_push(cpu, set);
	return 1;
}

static s64
mask_out(struct cpu *cpu, int pushed, s64 r)
{
	if (pushed)
		thread_mask_pop(cpu, r);
	return r == -ERESTARTSYS || (pushed && iscut(r)) ? -EINTR : r; /* NOHAND lines: dispatch turns it */
}

/* A relative limit the kernel counts down: what is left goes back to the guest, as Linux does. */
static int
limit_in(struct cpu *cpu, gaddr a, enum layout l, struct timespec *ts)
{
	s64 ns;

	return a && (abi_in(cpu->guest->abi, l, ts, a)) ? -EFAULT : a ? wait_nsec(ts, &ns) : 0;
}

static void
limit_out(struct cpu *cpu, gaddr a, enum layout l, const struct timespec *ts)
{
	if (a)
		(void)abi_out(cpu->guest->abi, l, a, ts);      /* Linux ignores the failure too */
}

/* -- poll -- */
static s64
poll_fds(struct cpu *cpu, const u64 *a, struct timespec *ts)
{
	const struct linux_abi *abi = cpu->guest->abi;
	u64 n = a[1], size = abi_size(abi, S_pollfd);
	struct pollfd *fds;
	s64 r;

	if (layout_same(abi, S_pollfd)) {
		if (gmem_watch && n)
			gmem_watch->unprotect(a[0], n * size);
		return host_syscall(cpu, __NR_ppoll, (u64)g2h(a[0]), n, (u64)ts, 0, 8, 0);
	}
	fds = xmalloc((n + 1) * sizeof *fds);
	r = 0;
	for (u64 i = 0; i < n && !r; i++)
		r = abi_in(abi, S_pollfd, &fds[i], a[0] + i * size);
	if (!r)
		r = host_syscall(cpu, __NR_ppoll, (u64)fds, n, (u64)ts, 0, 8, 0);
	for (u64 i = 0; i < n && r >= 0; i++)
		if (abi_out(abi, S_pollfd, a[0] + i * size, &fds[i]))
			r = -EFAULT;
	free(fds);
	return r;
}

s64
sys_ppoll(struct cpu *cpu, const u64 *a)
{
	struct timespec ts;
	struct rlimit lim = {.rlim_cur = 1 << 20 /* nr_open, where a sandbox refuses to tell */};
	int pushed;
	s64 r = limit_in(cpu, a[2], S_timespec, &ts);

	if (r < 0)
		return r;
	getrlimit(RLIMIT_NOFILE, &lim);
	if (a[1] > lim.rlim_cur)
		return -EINVAL;
	pushed = mask_in(cpu, a[3], a[4]);
	if (pushed < 0)
		return pushed;
	r = poll_fds(cpu, a, a[2] ? &ts : 0);
	limit_out(cpu, a[2], S_timespec, &ts);
	return mask_out(cpu, pushed, r);
}

/* -- select -- : sets are bit arrays in units of the guest's long */
static int
set_in(const struct linux_abi *abi, gaddr a, u64 n, u64 *set)
{
	u64 per = 8u * abi->model.word, w;

	memset(set, 0, alignup(n, 64) / 8);
	for (u64 i = 0; i < n; i += per) {
		if (abi_word(abi, a + i / 8, &w))
			return -EFAULT;
		set[i / 64] |= w << i % 64;
	}
	return 0;
}

static int
set_out(const struct linux_abi *abi, gaddr a, u64 n, const u64 *set)
{
	u64 per = 8u * abi->model.word;
	u8 buf[8];

	for (u64 i = 0; i < n; i += per) {
		stn(buf, abi->model.word, abi->model.big, set[i / 64] >> i % 64);
		if (gmem_write(a + i / 8, buf, abi->model.word))
			return -EFAULT;
	}
	return 0;
}

static s64
select_sets(struct cpu *cpu, const u64 *a, struct timespec *ts)
{
	const struct linux_abi *abi = cpu->guest->abi;
	u64 n = a[0], words = alignup(n, 64) / 64, small[3 * 16], *buf = small;
	u64 *set[3] = { 0, 0, 0 };
	s64 r = 0;

	if (words > 16)
		buf = xmalloc(3 * words * sizeof *buf);
	for (int i = 0; i < 3 && !r; i++)
		if (a[1 + i]) {
			set[i] = buf + (u64)i * words;
			r = set_in(abi, a[1 + i], n, set[i]);
		}
	if (!r)
		r = host_syscall(cpu, __NR_pselect6, n, (u64)set[0], (u64)set[1], (u64)set[2], (u64)ts, 0);
	for (int i = 0; i < 3 && r >= 0; i++)
		if (set[i] && set_out(abi, a[1 + i], n, set[i]))
			r = -EFAULT;
	if (buf != small)
		free(buf);
	return r;
}

s64
sys_pselect6(struct cpu *cpu, const u64 *a)
{
	const struct linux_abi *abi = cpu->guest->abi;
	u64 mask = 0, size = 8;
	struct timespec ts;
	int pushed;
	s64 r;

	if ((s32)a[0] < 0)
		return -EINVAL;
	if (a[0] > 1 << 20)
		return -EINVAL;
	r = limit_in(cpu, a[4], S_timespec, &ts);
	if (r < 0)
		return r;
	if (a[5] && (abi_word(abi, a[5], &mask) || abi_word(abi, a[5] + abi->model.word, &size)))
		return -EFAULT;
	pushed = mask_in(cpu, mask, size);
	if (pushed < 0)
		return pushed;
	r = select_sets(cpu, a, a[4] ? &ts : 0);
	limit_out(cpu, a[4], S_timespec, &ts);
	return mask_out(cpu, pushed, r);
}

/* -- epoll -- */
enum { EVENTS_ATONCE = 256 };          /* returning fewer than asked is always allowed */

static s64
epoll_events(struct cpu *cpu, const u64 *a, s64 ns)
{
	const struct linux_abi *abi = cpu->guest->abi;
	struct epoll_event ev[EVENTS_ATONCE];
	struct timespec ts = { ns / SECOND, ns % SECOND };
	s64 ms = ns < 0 ? -1 : ns / 1000000 + (ns % 1000000 != 0), r;
	u64 max = a[2] < EVENTS_ATONCE ? a[2] : EVENTS_ATONCE;

	if ((s32)a[2] <= 0)
		return -EINVAL;
	r = -ENOSYS;
	if (ns > 0 && ns % 1000000)
		r = host_syscall(cpu, __NR_epoll_pwait2, a[0], (u64)ev, max, (u64)&ts, 0, 8);
	if (r == -ENOSYS)
		r = host_syscall(cpu, __NR_epoll_pwait, a[0], (u64)ev, max, (u64)(ms > INT_MAX ? INT_MAX : ms), 0, 8);
	for (s64 i = 0; i < r; i++)
		if (abi_out(abi, S_epoll_event, a[1] + (u64)i * abi_size(abi, S_epoll_event), &ev[i]))
			return -EFAULT;
	return r;
}

static s64
epoll_wait_ns(struct cpu *cpu, const u64 *a, s64 ns)
{
	int pushed = mask_in(cpu, a[4], a[5]);

	if (pushed < 0)
		return pushed;
	return mask_out(cpu, pushed, epoll_events(cpu, a, ns > 0 ? wait_left(ns) : ns));
}

s64
sys_epoll_pwait(struct cpu *cpu, const u64 *a)
{
	s64 ms = (s32)a[3];

	return epoll_wait_ns(cpu, a, ms < 0 ? -1 : ms * 1000000);
}

s64
sys_epoll_pwait2(struct cpu *cpu, const u64 *a)
{
	struct timespec ts;
	s64 ns = -1;

	if (a[3] && abi_in(cpu->guest->abi, S_timespec64, &ts, a[3]))
		return -EFAULT;
	if (a[3] && wait_nsec(&ts, &ns))
		return -EINVAL;
	return epoll_wait_ns(cpu, a, ns);
}

/* -- asynchronous I/O -- */
s64
sys_io_pgetevents(struct cpu *cpu, const u64 *a)
{
	const struct linux_abi *abi = cpu->guest->abi;
	u64 mask = 0, size = 8;
	struct timespec ts;
	int pushed;
	s64 r;

	if (!layout_same(abi, S_io_event))
		return -ENOSYS;
	if (a[4] && abi_in(abi, S_timespec, &ts, a[4]))
		return -EFAULT;
	if (a[5] && (abi_word(abi, a[5], &mask) || abi_word(abi, a[5] + abi->model.word, &size)))
		return -EFAULT;
	pushed = mask_in(cpu, mask, size);
	if (pushed < 0)
		return pushed;
	if (gmem_watch && (s64)a[2] > 0 && a[2] < INT_MAX)
		gmem_watch->unprotect(a[3], a[2] * abi_size(abi, S_io_event));
	r = host_syscall(cpu, __NR_io_getevents, a[0], a[1], a[2], (u64)g2h(a[3]), a[4] ? (u64)&ts : 0, 0);
	return mask_out(cpu, pushed, r);
}
