/* SPDX-License-Identifier: MIT */
/* file.c - calls on files and descriptors that need more than their line */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/gmem.h"
#include "syscall/fd.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"
#include "syscall/path.h"
#include "syscall/proc.h"
#include "syscall/procfs.h"

#define ABI(cpu) ((cpu)->guest->abi)

/* -- descriptors of our own --
 *
 * As high as a table of 512 allows: its size goes by powers of two (Linux, fs/file.c), and each fork copies it. */
enum { NHIDDEN = 16, HIDDEN_MIN = 512 - NHIDDEN };
static _Atomic int hidden[NHIDDEN];    /* descriptor + 1, 0: free */
static _Atomic int lowest = INT_MAX;   /* there has been none below */

int
fd_hidden(int fd)
{
	if (fd < atomic_load_explicit(&lowest, memory_order_relaxed))
		return 0;
	for (int i = 0; i < NHIDDEN; i++)
		if (atomic_load_explicit(&hidden[i], memory_order_relaxed) == fd + 1)
			return 1;
	return 0;
}

int
fd_note(int fd)
{
	if (fd < atomic_load(&lowest))
		atomic_store(&lowest, fd);
	for (int i = 0; i < NHIDDEN; i++) {
		int none = 0;
		if (atomic_compare_exchange_strong(&hidden[i], &none, fd + 1))
			break;
	}
	return fd;
}

int
fd_hide(int fd)
{
	struct rlimit lim;
	int high, min = HIDDEN_MIN;

	/* with a low limit: as high as it allows */
	if (!getrlimit(RLIMIT_NOFILE, &lim) && lim.rlim_cur < HIDDEN_MIN + NHIDDEN && lim.rlim_cur > 2 * NHIDDEN)
		min = (int)lim.rlim_cur - NHIDDEN;
	high = fcntl(fd, F_DUPFD_CLOEXEC, min);
	if (high < 0)
		return fd_note(fd);
	close(fd);
	return fd_note(high);
}

void
fd_drop(int fd)
{
	for (int i = 0; i < NHIDDEN; i++) {
		int v = fd + 1;
		if (atomic_compare_exchange_strong(&hidden[i], &v, 0))
			close(fd);
	}
}

s64
sys_close(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	if (fd_hidden((int)a[0]))
		return -EBADF;
	return host_call(__NR_close, a[0], 0, 0, 0, 0, 0);
}

/* The range without our own descriptors, piece by piece. */
s64
sys_close_range(struct cpu *cpu, const u64 *a)
{
	u32 first = (u32)a[0], last = (u32)a[1];
	s64 r;

	(void)cpu;
	if (first > last)
		return -EINVAL;
	for (;;) {
		u32 end = last;
		for (int i = 0; i < NHIDDEN; i++) {
			u32 h = (u32)atomic_load(&hidden[i]);
			if (h && h - 1 >= first && h - 1 <= end)
				end = h - 1;
		}
		if (!fd_hidden((int)end))
			return host_call(__NR_close_range, first, end, a[2], 0, 0, 0);
		if (end > first) {
			r = host_call(__NR_close_range, first, end - 1, a[2], 0, 0, 0);
			if (r < 0)
				return r;
		}
		if (end == last)
			return 0;
		first = end + 1;
	}
}

s64
sys_dup(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	return fd_hidden((int)a[0]) ? -EBADF : host_call(__NR_dup, a[0], 0, 0, 0, 0, 0);
}

s64
sys_dup3(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	if (fd_hidden((int)a[0]) || fd_hidden((int)a[1]))
		return -EBADF;
	return host_call(__NR_dup3, a[0], a[1], a[2], 0, 0, 0);
}

/* -- directories -- */

static int
isours(const struct dirent64 *d)
{
	char *rest;
	long fd = strtol(d->d_name, &rest, 10);

	return rest != d->d_name && !*rest && fd_hidden((int)fd);
}

/* Moves the entries of the n bytes at p that do not name descriptors of ours together; their bytes. */
static size_t
withoutours(u8 *p, size_t n)
{
	u8 *to = p, *end = p + n, *next;

	for (; p < end; p = next) {
		const struct dirent64 *d = (const struct dirent64 *)p;

		next = p + d->d_reclen;
		if (isours(d))
			continue;
		memmove(to, p, (size_t)(next - p));
		to += next - p;
	}
	return (size_t)(to - (end - n));
}

/* fd is /proc/PID/fd or fdinfo of this process, by whatever name.  Asked of every directory: 0.5 us. */
static int
listsours(int fd)
{
	char link[64], name[64], want[64];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof name - 1);
	if (n <= 0)
		return 0;
	name[n] = 0;
	n = snprintf(want, sizeof want, "/proc/%d/", getpid());
	if (strncmp(name, want, (size_t)n))
		return 0;
	return !strcmp(strrchr(name, '/'), "/fd") || !strcmp(strrchr(name, '/'), "/fdinfo");
}

/* Our own descriptors are not seen in /proc/self/fd either. */
s64
sys_getdents64(struct cpu *cpu, const u64 *a)
{
	enum { MOST = 1 << 15 };
	size_t size = a[2] < MOST ? (size_t)a[2] : MOST, n;
	u8 buf[MOST] __attribute__((aligned(8)));
	s64 r;

	do {
		r = host_syscall(cpu, __NR_getdents64, a[0], (u64)buf, size, 0, 0, 0);
		if (r <= 0)
			return r;
		n = listsours((int)a[0]) ? withoutours(buf, (size_t)r) : (size_t)r;
	} while (!n);
	return gmem_write(a[1], buf, n) ? -EFAULT : (s64)n;
}

/* -- open -- */
static s64
open_at(struct cpu *cpu, int dirfd, gaddr name, const struct open_how *how, int plain)
{
	const u64 reading = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_DIRECTORY | O_LARGEFILE | O_NOFOLLOW | O_NOCTTY;
	struct path_open o = { .cpu = cpu, .flags = (int)how->flags };
	char buf[PATH_SIZE];
	const char *path;
	enum procfile pf;
	s64 r = path_opened(name, dirfd, how->flags & O_NOFOLLOW ? PATH_NOFOLLOW : 0, buf, &path,
	    plain && !(how->flags & ~reading) ? &o : 0);

	if (r)
		return r;
	pf = procfs_which(dirfd, path);
	if (pf > PF_EXE && !(how->flags & O_PATH))
		return procfs_open(cpu, pf, (int)how->flags);
	if (o.done)
		r = o.fd;
	else if (plain)
		r = host_syscall(cpu, __NR_openat, (u64)(s64)dirfd, (u64)path, how->flags, how->mode, 0, 0);
	else
		r = host_syscall(cpu, __NR_openat2, (u64)(s64)dirfd, (u64)path, (u64)how, sizeof *how, 0, 0);
	if (r >= 0)
		gmem_opened((int)r, path, path == buf && path_under(path));
	return r;
}

s64
sys_openat(struct cpu *cpu, const u64 *a)
{
	struct open_how how = { .flags = (u32)a[2], .mode = a[3] };

	return open_at(cpu, (int)a[0], a[1], &how, 1);
}

/* Nonzero bytes behind the part we know mean something we do not: E2BIG, as Linux. */
static int
check_tail(gaddr a, u64 known, u64 size)
{
	u8 b;

	for (; known < size; known++) {
		if (gmem_read(&b, a + known, 1))
			return -EFAULT;
		if (b)
			return -E2BIG;
	}
	return 0;
}

s64
sys_openat2(struct cpu *cpu, const u64 *a)
{
	struct open_how how;
	u64 size = a[3];
	int r;

	if (size < sizeof how)
		return -EINVAL;
	if (size > gmem.pagesize)
		return -E2BIG;
	if (abi_in(ABI(cpu), S_open_how, &how, a[2]))
		return -EFAULT;
	r = check_tail(a[2], sizeof how, size);
	if (r)
		return r;
	if (how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
		/* the name is relative to dirfd whatever it looks like */
		char name[PATH_SIZE];
		s64 n = gmem_strlen(a[1], sizeof name);
		if (n < 0 || n >= PATH_SIZE || gmem_read(name, a[1], (size_t)n + 1))
			return n >= PATH_SIZE ? -ENAMETOOLONG : -EFAULT;
		return host_syscall(cpu, __NR_openat2, a[0], (u64)name, (u64)&how, sizeof how, 0, 0);
	}
	return open_at(cpu, (int)a[0], a[1], &how, 0);
}

/* -- names with AT_SYMLINK_NOFOLLOW -- */
static int
nofollow(u64 flags)
{
	return flags & AT_SYMLINK_NOFOLLOW ? PATH_NOFOLLOW : 0;
}

/* host nr(dirfd, path, x, y, z) after the name is looked up */
static s64
with_path(struct cpu *cpu, long nr, const u64 *a, u64 flags, u64 x, u64 y, u64 z)
{
	char buf[PATH_SIZE];
	const char *path;
	int r = path_guest(a[1], (int)a[0], nofollow(flags), buf, &path);

	return r ? r : host_syscall(cpu, nr, a[0], (u64)path, x, y, z, 0);
}

s64
sys_faccessat2(struct cpu *cpu, const u64 *a)
{
	return with_path(cpu, __NR_faccessat2, a, a[3], a[2], a[3], 0);
}

s64
sys_fchownat(struct cpu *cpu, const u64 *a)
{
	return with_path(cpu, __NR_fchownat, a, a[4], a[2], a[3], a[4]);
}

s64
sys_utimensat(struct cpu *cpu, const u64 *a)
{
	struct timespec ts[2];

	if (a[2] && abi_in(ABI(cpu), S_timespec2, ts, a[2]))
		return -EFAULT;
	return with_path(cpu, __NR_utimensat, a, a[3], a[2] ? (u64)ts : 0, a[3], 0);
}

/* The prefix lies outside the new root: from now on the guest's names are what they say. */
s64
sys_chroot(struct cpu *cpu, const u64 *a)
{
	char buf[PATH_SIZE];
	const char *path;
	s64 r = path_guest(a[0], AT_FDCWD, 0, buf, &path);

	if (r == 0)
		r = host_syscall(cpu, __NR_chroot, (u64)path, 0, 0, 0, 0, 0);
	if (r == 0) {
		proc.prefix = 0;
		path_reset();
	}
	return r;
}

/* What readlink shows of a link of /proc to a guest program; 0: the host is right.  buf: PATH_SIZE bytes. */
static const char *
shown(int dirfd, const char *path, char *buf)
{
	enum procfile pf = procfs_which(dirfd, path);
	char link[PROCFS_LINK];

	if (pf == PF_EXE)
		return proc.shown;
	if (pf != PF_OTHERS || procfs_program(dirfd, path, link, buf))
		return 0;
	path_strip(buf);
	return buf;
}

s64
sys_readlinkat(struct cpu *cpu, const u64 *a)
{
	char buf[PATH_SIZE], other[PATH_SIZE];
	const char *path, *target;
	int r = path_guest(a[1], (int)a[0], PATH_NOFOLLOW, buf, &path);

	if (r)
		return r;
	target = shown((int)a[0], path, other);
	if (target) {
		u64 n = strlen(target);
		if ((s64)(s32)a[3] <= 0)
			return -EINVAL;
		n = n < a[3] ? n : a[3];
		return gmem_write(a[2], target, n) ? -EFAULT : (s64)n;
	}
	if (gmem_watch)
		gmem_watch->unprotect(a[2], a[3] < PATH_SIZE ? a[3] : PATH_SIZE);
	return host_syscall(cpu, __NR_readlinkat, a[0], (u64)path, (u64)g2h(a[2]), a[3], 0, 0);
}

/* -- stat -- */
static s64
put_stat(struct cpu *cpu, s64 r, gaddr a, struct stat *st, int fd)
{
	if (r < 0)
		return r;
	if (fd >= 0)
		procfs_stat(fd, st);
	return abi_out(ABI(cpu), S_stat, a, st) ? -EFAULT : 0;
}

/* Whether the call names its descriptor alone, and not a file in it. */
static int
isempty(const char *path, u64 flags)
{
	return flags & AT_EMPTY_PATH && (!path || !*path);
}

s64
sys_fstat(struct cpu *cpu, const u64 *a)
{
	struct stat st;
	s64 r = host_call(__NR_fstat, a[0], (u64)&st, 0, 0, 0, 0);

	return put_stat(cpu, r, a[1], &st, (int)a[0]);
}

s64
sys_newfstatat(struct cpu *cpu, const u64 *a)
{
	char buf[PATH_SIZE];
	const char *path;
	struct stat st;
	s64 r = path_guest(a[1], (int)a[0], nofollow(a[3]), buf, &path);

	if (r)
		return r;
	r = host_syscall(cpu, __NR_newfstatat, a[0], (u64)path, (u64)&st, a[3], 0, 0);
	return put_stat(cpu, r, a[2], &st, isempty(path, a[3]) ? (int)a[0] : -1);
}

s64
sys_statx(struct cpu *cpu, const u64 *a)
{
	char buf[PATH_SIZE];
	const char *path;
	struct statx st;
	s64 r = path_guest(a[1], (int)a[0], nofollow(a[2]), buf, &path);

	if (r)
		return r;
	memset(&st, 0, sizeof st);
	r = host_syscall(cpu, __NR_statx, a[0], (u64)path, a[2], a[3], (u64)&st, 0);
	if (r < 0)
		return r;
	if (isempty(path, a[2]) && (int)a[0] >= 0)
		procfs_statx((int)a[0], &st);
	return abi_out(ABI(cpu), S_statx, a[4], &st) ? -EFAULT : 0;
}

/* -- fcntl -- */
enum fckind { FC_INT, FC_FD, FC_FLOCK, FC_FLOCK64, FC_OWNER, FC_SIGSET, FC_SIGGET, FC_SETFL, FC_GETFL, FC_PTR };
static const struct { u16 cmd; u8 kind; } fcntls[] = {
	{ F_DUPFD, FC_INT }, { F_DUPFD_CLOEXEC, FC_INT }, { F_GETFD, FC_INT }, { F_SETFD, FC_INT },
	{ F_GETFL, FC_GETFL }, { F_SETFL, FC_SETFL },
	{ 5, FC_FLOCK }, { 6, FC_FLOCK }, { 7, FC_FLOCK },     /* F_GETLK, F_SETLK, F_SETLKW */
	{ F_OFD_GETLK, FC_FLOCK64 }, { F_OFD_SETLK, FC_FLOCK64 }, { F_OFD_SETLKW, FC_FLOCK64 },
	{ F_SETOWN, FC_INT }, { F_GETOWN, FC_INT }, { F_SETOWN_EX, FC_OWNER }, { F_GETOWN_EX, FC_OWNER },
	{ 17, FC_PTR },                                        /* F_GETOWNER_UIDS */
	{ F_SETSIG, FC_SIGSET }, { F_GETSIG, FC_SIGGET },
	{ F_SETLEASE, FC_INT }, { F_GETLEASE, FC_INT }, { F_NOTIFY, FC_INT },
	{ F_SETPIPE_SZ, FC_INT }, { F_GETPIPE_SZ, FC_INT }, { F_ADD_SEALS, FC_INT }, { F_GET_SEALS, FC_INT },
	{ 1027, FC_FD }, { 1028, FC_INT },                     /* F_DUPFD_QUERY, F_CREATED_QUERY */
	{ 1035, FC_PTR }, { 1036, FC_PTR }, { 1037, FC_PTR }, { 1038, FC_PTR },        /* hints */
	{ 1039, FC_PTR }, { 1040, FC_PTR },                    /* F_GETDELEG, F_SETDELEG */
};

/* The struct goes in and, if the call succeeds, comes back. */
static s64
fcntl_struct(struct cpu *cpu, const u64 *a, enum layout l)
{
	struct flock lock;             /* the largest of them */
	s64 r;

	if (abi_in(ABI(cpu), l, &lock, a[2]))
		return -EFAULT;
	r = host_syscall(cpu, __NR_fcntl, a[0], a[1], (u64)&lock, 0, 0, 0);
	if (r < 0 || a[1] == 6 || a[1] == 7 || a[1] == F_OFD_SETLK || a[1] == F_OFD_SETLKW || a[1] == F_SETOWN_EX)
		return r;
	return abi_out(ABI(cpu), l, a[2], &lock) ? -EFAULT : r;
}

s64
sys_fcntl(struct cpu *cpu, const u64 *a)
{
	const struct linux_abi *abi = ABI(cpu);
	u64 arg = a[2];
	int kind = -1;
	s64 r;

	for (size_t i = 0; i < NELEM(fcntls); i++)
		if (fcntls[i].cmd == (u32)a[1])
			kind = fcntls[i].kind;
	if (kind < 0)
		return -EINVAL;
	if (fd_hidden((int)a[0]))
		return -EBADF;
	switch (kind) {
	case FC_FLOCK:   return fcntl_struct(cpu, a, S_flock);
	case FC_FLOCK64: return fcntl_struct(cpu, a, S_flock64);
	case FC_OWNER:   return fcntl_struct(cpu, a, S_f_owner_ex);
	case FC_SETFL:   arg = flags_convert(abi, X_open, (u32)arg, 1); break;
	case FC_SIGSET:  arg = (u64)abi_sig2host(abi, (int)arg); break;
	case FC_PTR:
		arg = (u64)g2h(arg);
		if (gmem_watch)
			gmem_watch->unprotect(a[2], 16);
		break;
	}
	r = host_syscall(cpu, __NR_fcntl, a[0], a[1], arg, 0, 0, 0);
	if (r >= 0 && kind == FC_GETFL)
		return (s64)flags_convert(abi, X_open, (u64)r, 0);
	if (r >= 0 && kind == FC_SIGGET)
		return abi_sig2guest(abi, (int)r);
	return r;
}
