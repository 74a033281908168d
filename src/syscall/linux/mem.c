/* SPDX-License-Identifier: MIT */
/* mem.c - memory calls: checks and limits here, the mapping itself in base/gmem.c */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <unistd.h>
#include "base/gmem.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"
#include "syscall/linux/limits.h"
#include "syscall/path.h"
#include "syscall/proc.h"

/* -- limits -- : counted over the guest's mappings, and only when a limit is set */
struct usage { u64 total, data; };

static void
count(void *arg, const struct vma *v)
{
	struct usage *u = arg;

	u->total += v->end - v->start;
	if (v->flags & GM_WRITE && !(v->flags & (GM_SHARED | GM_STACK)))
		u->data += v->end - v->start;
}

/* -ENOMEM if more bytes would exceed RLIMIT_AS or, when they are data, RLIMIT_DATA. */
static s64
check_limits(u64 more, int isdata)
{
	struct usage u = { 0, 0 };
	u64 as = limit_soft(RLIMIT_AS), data = limit_soft(RLIMIT_DATA);

	if (as == RLIM_INFINITY && (data == RLIM_INFINITY || !isdata))
		return 0;
	gmem_each(count, &u);
	if (as - u.total < more || u.total > as)
		return -ENOMEM;
	if (isdata && (data - u.data < more || u.data > data))
		return -ENOMEM;
	return 0;
}

/* What /proc/self/maps shows for a descriptor: its name without the prefix; "" if there is no /proc
 * to ask, 0 if it is none. */
static const char *
fd_name(int fd, char *buf)
{
	if (gmem_filename(fd, buf, PATH_SIZE))
		return fcntl(fd, F_GETFD) < 0 ? 0 : "";
	path_strip(buf);
	return buf;
}

s64
sys_mmap(struct cpu *cpu, const u64 *a)
{
	char buf[PATH_SIZE];
	int prot = (int)a[2], flags = (int)a[3], fd = (int)a[4], anon = flags & MAP_ANONYMOUS;
	const char *name = 0;
	s64 r;

	(void)cpu;
	if (a[5] % gmem.pagesize || !(flags & MAP_TYPE))
		return -EINVAL;
	if (!a[1])
		return -EINVAL;
	r = check_limits(alignup(a[1], gmem.pagesize), prot & PROT_WRITE && !(flags & MAP_SHARED));
	if (r < 0)
		return r;
	if (!anon) {
		name = fd_name(fd, buf);
		if (!name)
			return -EBADF;
	}
	return gmem_map(a[0], a[1], prot, flags, anon ? -1 : fd, a[5], name);
}

s64
sys_munmap(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	return gmem_unmap(a[0], a[1]);
}

s64
sys_mprotect(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	return gmem_protect(a[0], a[1], (int)a[2]);
}

s64
sys_mremap(struct cpu *cpu, const u64 *a)
{
	s64 r;

	(void)cpu;
	if (a[2] > a[1]) {
		r = check_limits(a[2] - a[1], 1);
		if (r < 0)
			return r;
	}
	return gmem_remap(a[0], a[1], a[2], (int)a[3], a[4]);
}

s64
sys_brk(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	if (a[0] > gmem.brk && check_limits(a[0] - gmem.brk, 1) < 0)
		return (s64)gmem.brk;
	return gmem_brk(a[0]);
}

/* -- advice and the like -- : the host's call on the guest's pages */
static s64
outside(gaddr a, u64 len)
{
	return a % gmem.pagesize || len > gmem.hi || a > gmem.hi - len;
}

static s64
onpages(struct cpu *cpu, long nr, gaddr a, u64 len, u64 x)
{
	if (a % gmem.pagesize)
		return -EINVAL;
	if (outside(a, len))
		return -ENOMEM;
	return host_syscall(cpu, nr, (u64)g2h(a), len, x, 0, 0, 0);
}

s64
sys_madvise(struct cpu *cpu, const u64 *a)
{
	int advice = (int)a[2];

	(void)cpu;
	if (advice == 100 || advice == 101)    /* MADV_HWPOISON, MADV_SOFT_OFFLINE: the host's memory */
		return -EPERM;
	return gmem_advise(a[0], a[1], advice);
}

s64
sys_msync(struct cpu *cpu, const u64 *a)
{
	return onpages(cpu, __NR_msync, a[0], a[1], a[2]);
}

/* mlock rounds the address down itself. */
s64
sys_mlock(struct cpu *cpu, const u64 *a)
{
	u64 in = a[0] % gmem.pagesize;

	return onpages(cpu, __NR_mlock, a[0] - in, a[1] + in, 0);
}

s64
sys_mlock2(struct cpu *cpu, const u64 *a)
{
	u64 in = a[0] % gmem.pagesize;

	return onpages(cpu, __NR_mlock2, a[0] - in, a[1] + in, a[2]);
}

s64
sys_munlock(struct cpu *cpu, const u64 *a)
{
	u64 in = a[0] % gmem.pagesize;

	return onpages(cpu, __NR_munlock, a[0] - in, a[1] + in, 0);
}

struct lockall { int flags; s64 r; };

static void
lock_one(void *arg, const struct vma *v)
{
	struct lockall *l = arg;
	u64 at = (u64)g2h(v->start), n = v->end - v->start;

	if (!l->flags)
		host_call(__NR_munlock, at, n, 0, 0, 0, 0);
	else if (l->r == 0 && v->flags & (GM_READ | GM_WRITE))
		l->r = host_call(__NR_mlock2, at, n, l->flags & 4, 0, 0, 0);
}

/* The host's mlockall would pin our caches and reservations too: the guest's mappings are locked
 * one by one.  MCL_FUTURE is a wish that is not followed. */
s64
sys_mlockall(struct cpu *cpu, const u64 *a)
{
	struct lockall l = { (int)a[0], 0 };

	(void)cpu;
	if (!a[0] || a[0] & ~(u64)7 || a[0] == 4)
		return -EINVAL;
	if (a[0] & 1)
		gmem_each(lock_one, &l);
	return l.r;
}

s64
sys_munlockall(struct cpu *cpu, const u64 *a)
{
	struct lockall l = { 0, 0 };

	(void)cpu;
	(void)a;
	gmem_each(lock_one, &l);
	return 0;
}

s64
sys_mincore(struct cpu *cpu, const u64 *a)
{
	u64 host = (u64)sysconf(_SC_PAGESIZE);

	(void)cpu;
	if (a[0] % gmem.pagesize)
		return -EINVAL;
	if (outside(a[0], a[1]))
		return -ENOMEM;
	if (gmem.pagesize != host) {
		/* larger guest pages: the first host page speaks for all */
		for (u64 at = 0; at < a[1]; at += gmem.pagesize) {
			u8 in = 0;
			s64 r = host_call(__NR_mincore, (u64)g2h(a[0] + at), host, (u64)&in, 0, 0, 0);
			if (r < 0)
				return r;
			if (gmem_write(a[2] + at / gmem.pagesize, &in, 1))
				return -EFAULT;
		}
		return 0;
	}
	if (gmem_watch)
		gmem_watch->unprotect(a[2], a[1] / host + 1);
	return host_call(__NR_mincore, (u64)g2h(a[0]), a[1], (u64)g2h(a[2]), 0, 0, 0);
}

/* -- System V shared memory -- */
enum { SHM_RDONLY_ = 010000, SHM_RND_ = 020000, SHM_REMAP_ = 040000, SHM_EXEC_ = 0100000 };

s64
sys_shmat(struct cpu *cpu, const u64 *a)
{
	struct shmid_ds ds;
	gaddr at = a[1];
	int flags = (int)a[2], prot = flags & SHM_RDONLY_ ? GM_READ : GM_READ | GM_WRITE;
	char name[24];
	u64 len;
	s64 r = host_call(__NR_shmctl, a[0], IPC_STAT, (u64)&ds, 0, 0, 0);

	(void)cpu;
	if (r < 0)
		return r;
	len = alignup(ds.shm_segsz, gmem.pagesize);
	if (at && flags & SHM_RND_)
		at = aligndown(at, gmem.pagesize);
	if (at % gmem.pagesize || (!at && flags & SHM_REMAP_))
		return -EINVAL;
	/* hold the place with a mapping of ours, then put the segment over it */
	r = gmem_map(at, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
	             (!at ? 0 : flags & SHM_REMAP_ ? MAP_FIXED : MAP_FIXED_NOREPLACE), -1, 0, 0);
	if (r < 0)
		return r == -EEXIST ? -EINVAL : r;
	at = (gaddr)r;
	r = host_call(__NR_shmat, a[0], (u64)g2h(at), (u64)((flags & ~SHM_EXEC_) | SHM_REMAP_), 0, 0, 0);
	if (r < 0) {
		gmem_unmap(at, len);
		return r;
	}
	snprintf(name, sizeof name, "/SYSV%08x", (unsigned)ds.shm_perm.__key);
	gmem_attach(at, len, prot | (flags & SHM_EXEC_ ? GM_EXEC : 0), 1, name);
	return (s64)at;
}

s64
sys_shmdt(struct cpu *cpu, const u64 *a)
{
	struct vma v;

	(void)cpu;
	if (gmem_find(a[0], &v) || v.start != a[0] || !v.path || strncmp(v.path, "/SYSV", 5))
		return -EINVAL;
	return gmem_unmap(v.start, v.end - v.start);
}
