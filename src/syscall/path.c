/* SPDX-License-Identifier: MIT */
/* path.c - a guest's file name becomes a host's
 *
 * Without -L a name is passed as it lies in guest memory, unless it may be one of the files of
 * /proc that must show the guest.  With -L an absolute name is resolved by the kernel below the
 * prefix (openat2, RESOLVE_IN_ROOT: links and ".." stay inside); what is not there, and what was
 * never there by its first component, is looked up in the host's tree.  /proc, /sys and /dev are
 * always the host's: a file tree to run programs from has them empty.  The dynamic loader's cache is
 * never the host's: it would lead the guest's loader to libraries of the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/gmem.h"
#include "base/hostcall.h"
#include "base/root.h"
#include "base/util.h"
#include "syscall/abi.h"
#include "syscall/fd.h"
#include "syscall/linux/hostnr.h"
#include "syscall/path.h"
#include "syscall/proc.h"
#include "syscall/procfs.h"

enum { NTOPS = 64 };

static _Atomic int prefixfd = -1;      /* the prefix, open; -2: it cannot be opened */
/* First components that the prefix does not have, and that need not be asked for again; only ever appended to. */
static struct tops { _Atomic(char *) name[NTOPS]; } absent, present;

void
path_reset(void)
{
	int fd = atomic_exchange(&prefixfd, -1);

	if (fd >= 0)
		fd_drop(fd);
	for (int i = 0; i < NTOPS; i++) {
		free(atomic_exchange(&absent.name[i], 0));
		free(atomic_exchange(&present.name[i], 0));
	}
}

static int
prefix_fd(void)
{
	int none = -1, fd = atomic_load(&prefixfd);

	if (fd != -1)
		return fd;
	fd = open(proc.prefix, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = fd < 0 ? -2 : fd_hide(fd);
	if (!atomic_compare_exchange_strong(&prefixfd, &none, fd)) {
		if (fd >= 0)
			fd_drop(fd);
		fd = none;
	}
	return fd;
}

struct path_root
path_root(void)
{
	return (struct path_root){proc.prefix, atomic_load(&prefixfd)};
}

void
path_return(struct path_root r, int samefds)
{
	if (!samefds && proc.prefix != r.prefix && r.fd >= 0)
		fd_note(r.fd);
	if (!samefds)
		atomic_store(&prefixfd, r.fd);
	proc.prefix = r.prefix;
}

static int
has(const struct tops *t, const char *first, size_t n)
{
	for (int i = 0; i < NTOPS; i++) {
		const char *s = atomic_load_explicit(&t->name[i], memory_order_acquire);
		if (!s)
			return 0;
		if (strlen(s) == n && !memcmp(s, first, n))
			return 1;
	}
	return 0;
}

static void
note(struct tops *t, const char *first, size_t n)
{
	char *s = xmalloc(n + 1), *none;

	memcpy(s, first, n);
	for (int i = 0; i < NTOPS; i++) {
		none = 0;
		if (atomic_compare_exchange_strong(&t->name[i], &none, s))
			return;
	}
	free(s);
}

static int
ishost(const char *first, size_t n)
{
	return (n == 4 && !memcmp(first, "proc", 4)) || (n == 3 && (!memcmp(first, "sys", 3) || !memcmp(first, "dev", 3)));
}

/* The name of an open descriptor into buf; 0 or -1. */
static int
fd_path(int fd, char *buf)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, buf, PATH_SIZE - 1);
	if (n <= 0 || n >= PATH_SIZE - 1)
		return -1;
	buf[n] = 0;
	return 0;
}

/* Without openat2 (old kernels, filters) or /proc (bare chroots): our own walk. */
static int
plain_lookup(const char *name, int flags, char *buf)
{
	return root_walk(proc.prefix, name, !(flags & PATH_NOFOLLOW), buf) == 0;
}

/* Where first components are links in most userlands (merged /usr). */
static int
islinked(const char *first, size_t n)
{
	return n >= 3 && (!memcmp(first, "lib", 3) || (n == 3 && !memcmp(first, "bin", 3)) ||
	    (n == 4 && !memcmp(first, "sbin", 4)));
}

static s64
resolve(int dir, const char *name, int flags, u64 how)
{
	struct open_how h = {.flags = O_PATH | O_CLOEXEC | (flags & PATH_NOFOLLOW ? O_NOFOLLOW : 0),
	    .resolve = RESOLVE_IN_ROOT | how};

	return host_call(__NR_openat2, (u64)dir, (u64)name, (u64)&h, sizeof h, 0, 0);
}

/* The same without links; with o as the guest opens it, which may block, and fail where a look-up does not. */
static s64
resolve_open(int dir, const char *name, int flags, struct path_open *o)
{
	struct open_how h = {.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS};
	s64 fd;

	if (!o)
		return resolve(dir, name, flags, RESOLVE_NO_SYMLINKS);
	h.flags = (u64)o->flags;
	fd = host_syscall(o->cpu, __NR_openat2, (u64)dir, (u64)name, (u64)&h, sizeof h, 0, 0);
	if (fd == -ELOOP || fd == -ENOENT)
		return fd;
	o->fd = fd;
	o->done = fd >= 0 || iscut(fd);
	return o->done ? fd : resolve(dir, name, flags, RESOLVE_NO_SYMLINKS);
}

/* Replaces the component at name + at, n bytes long, by what it links to; 0 if it is no link, or one that leads
 * elsewhere than down from where it is. */
static int
putlink(int dir, char *name, size_t at, size_t n)
{
	char link[256], c = name[at + n];
	size_t tail = strlen(name + at + n);
	ssize_t k;

	name[at + n] = 0;
	k = readlinkat(dir, name, link, sizeof link - 1);
	name[at + n] = c;
	if (k <= 0 || (size_t)k == sizeof link - 1 || at + (size_t)k + tail + strlen(proc.prefix) + 1 >= PATH_SIZE)
		return 0;
	link[k] = 0;
	if (*link == '/' || !root_tidy(link))
		return 0;
	memmove(name + at + k, name + at + n, tail + 1);
	memcpy(name + at, link, (size_t)k);
	return 1;
}

/* Opens the name as resolve does, if the only links in it are its first component and its last, which lead to their
 * neighbourhood, as in most userlands: name becomes one without links.  -ELOOP if it is not so simple. */
static s64
resolve_plain(int dir, char *name, int flags, struct path_open *o)
{
	size_t n = strcspn(name, "/");
	const char *last;
	s64 fd;

	if (!root_tidy(name))
		return -ELOOP;
	if (name[n] && islinked(name, n))
		putlink(dir, name, 0, n);
	fd = resolve_open(dir, name, flags, o);
	if (fd != -ELOOP || flags & PATH_NOFOLLOW)
		return fd;
	last = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	return putlink(dir, name, (size_t)(last - name), strlen(last)) ? resolve_open(dir, name, flags, o) : fd;
}

/* 1 and the host path in buf if the absolute name exists below the prefix: the kernel says whether, and a tidy
 * name without links is its own path.  For others we walk, and ask /proc last: see ownpath in main.c.
 * o: the name is to be opened. */
static int
under_prefix(const char *name, int flags, char *buf, struct path_open *o)
{
	const char *first = name + strspn(name, "/");
	size_t n = strcspn(first, "/"), root = strlen(proc.prefix);
	int dir, plain, ok;
	s64 fd;

	if (!n || ishost(first, n) || has(&absent, first, n))
		return 0;
	dir = prefix_fd();
	if (dir < 0)
		return 0;
	plain = snprintf(buf, PATH_SIZE, "%s/%s", proc.prefix, first) < PATH_SIZE;
	fd = plain ? resolve_plain(dir, buf + root + 1, flags, o) : -ELOOP;
	if (o && o->done)
		return 1;
	if (fd == -ELOOP) {
		plain = 0;
		fd = resolve(dir, first, flags, 0);
	}
	if (fd == -ENOSYS || fd == -EPERM)
		return plain_lookup(name, flags, buf);
	if (fd < 0) {
		char top[256];
		snprintf(top, sizeof top, "%.*s", (int)n, first);
		if (fd == -ENOENT && n < sizeof top && !has(&present, first, n))
			note(faccessat(dir, top, F_OK, AT_SYMLINK_NOFOLLOW) ? &absent : &present, first, n);
		return 0;
	}
	ok = plain || plain_lookup(name, flags, buf) || fd_path((int)fd, buf) == 0;
	host_call(__NR_close, (u64)fd, 0, 0, 0, 0, 0);
	if (ok && !plain && !buf[root + strspn(buf + root, "/")] && !strncmp(buf, proc.prefix, root))
		snprintf(buf, PATH_SIZE, "/");         /* "/.." is "/", which is the host's */
	return ok;
}

static int
isloaders(const char *name)
{
	return !strcmp(name, "/etc/ld.so.cache") || !strcmp(name, "/etc/ld.so.preload");
}

/* The guest program, even if its name is gone: then by the descriptor it was started from. */
static const char *
program(char *buf)
{
	if (proc.exe_fd >= 0 && faccessat(AT_FDCWD, proc.exe, F_OK, 0)) {
		snprintf(buf, PATH_SIZE, "/proc/self/fd/%d", proc.exe_fd);
		return buf;
	}
	return proc.exe;
}

/* The same of another process, if it runs a guest. */
static const char *
others_program(const char *name, int dirfd, char *buf)
{
	char link[PROCFS_LINK];

	if (procfs_program(dirfd, name, link, buf))
		return name;
	if (faccessat(AT_FDCWD, buf, F_OK, 0))
		snprintf(buf, PATH_SIZE, "%s", link);
	return buf;
}

static const char *
look(const char *name, int dirfd, int flags, char *buf, struct path_open *o)
{
	enum procfile pf = flags & PATH_NOFOLLOW ? PF_NONE : procfs_which(dirfd, name);

	if (pf == PF_EXE)
		return program(buf);
	if (pf == PF_OTHERS)
		return others_program(name, dirfd, buf);
	if (proc.prefix && *name == '/' && under_prefix(name, flags, buf, o))
		return buf;
	if (proc.prefix && isloaders(name) && snprintf(buf, PATH_SIZE, "%s%s", proc.prefix, name) < PATH_SIZE)
		return buf;
	return name;
}

int
path_host(const char *name, int dirfd, int flags, char *buf, const char **out)
{
	*out = look(name, dirfd, flags, buf, 0);
	return 0;
}

int
path_exec(const char *name, int dirfd, char *buf, const char **out)
{
	return path_host(name, dirfd, 0, buf, out);
}

int
path_opened(gaddr a, int dirfd, int flags, char *buf, const char **out, struct path_open *o)
{
	char name[PATH_SIZE];
	const char *res;
	s64 n;

	if (!a) {
		*out = 0;              /* some calls accept it; the others answer EFAULT */
		return 0;
	}
	n = gmem_strlen(a, PATH_SIZE);
	if (n < 0)
		return -EFAULT;
	if (n >= PATH_SIZE)
		return -ENAMETOOLONG;
	if (gmem_read(name, a, (size_t)n + 1))
		return -EFAULT;
	name[n] = 0;
	res = look(name, dirfd, flags, buf, o);
	if (res == buf || res == proc.exe)
		*out = res;
	else
		*out = g2h(a);
	return 0;
}

int
path_guest(gaddr a, int dirfd, int flags, char *buf, const char **out)
{
	return path_opened(a, dirfd, flags, buf, out, 0);
}

int
path_under(const char *path)
{
	size_t n = proc.prefix ? strlen(proc.prefix) : 0;

	return n && !strncmp(path, proc.prefix, n) && path[n] == '/';
}

void
path_strip(char *path)
{
	size_t n = proc.prefix ? strlen(proc.prefix) : 0;

	if (path_under(path))
		memmove(path, path + n, strlen(path + n) + 1);
}
