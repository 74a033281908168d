/* SPDX-License-Identifier: MIT */
/* exec.c - execve: a guest program starts another program
 *
 * Everything that can fail on Linux is tried before the point of no return: the file, its "#!"
 * lines, its interpreter, the size of the arguments.  A program for the host is executed as it is.
 * A guest program becomes a new dragoman, which gets our options, the program, its arguments and its
 * environment all in its argument list, so that the guest's environment (LD_LIBRARY_PATH,
 * LD_PRELOAD) does not act on dragoman, nor ours on the guest:
 *
 *	argv0  MARK  "<options> <arguments> <what abi->bequeath gives>"  options...  program  arguments...  environment... */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/gmem.h"
#include "core/engine.h"
#include "syscall/path.h"
#include "syscall/proc.h"
#include "threads/thread.h"
#include "syscall/thread_calls.h"

static const char MARK[] = "--dragoman-program";
enum { ARG_MAX_STR = 131072, ARG_FLOOR = 131072, ARG_CEIL = 6 << 20 };

struct execstate {
	struct arena a;
	struct program prog;
	char name[PATH_SIZE], buf[PATH_SIZE];
	char **argv, **envp;
	size_t argc, envc, bytes, limit;
};

void
exec_release(struct execstate *x, int ownfds)
{
	if (!x)
		return;
	if (!ownfds)
		x->prog.fd = x->prog.interp_fd = -1;    /* they were the vfork child's, gone with it */
	image_done(&x->prog);
	arena_free(&x->a);
	free(x);
}

/* -- arguments -- */

static s64
getstring(struct execstate *x, gaddr a, char **out)
{
	s64 n = gmem_strlen(a, ARG_MAX_STR);

	if (n < 0)
		return n;
	x->bytes += (size_t)n + 1 + sizeof(char *);
	if (n >= ARG_MAX_STR || x->bytes > x->limit)
		return -E2BIG;
	*out = arena_get(&x->a, (size_t)n + 1);
	return gmem_read(*out, a, (size_t)n);
}

static s64
getvector(struct cpu *cpu, struct execstate *x, gaddr a, char ***out, size_t *count)
{
	const struct linux_abi *abi = cpu->guest->abi;
	size_t n = 0;
	u64 p;

	/* count first: the array must not move */
	for (; a; n++) {
		if (abi_word(abi, a + n * abi->model.word, &p))
			return -EFAULT;
		if (!p)
			break;
		if (n * sizeof(char *) > x->limit)
			return -E2BIG;
	}
	*count = n;
	*out = arena_get(&x->a, (n + 1) * sizeof **out);
	for (size_t i = 0; i < n; i++) {
		s64 r = abi_word(abi, a + i * abi->model.word, &p);

		if (!r)
			r = getstring(x, p, &(*out)[i]);
		if (r)
			return r;
	}
	return 0;
}

static s64
getarguments(struct cpu *cpu, struct execstate *x, gaddr argv, gaddr envp)
{
	struct rlimit l;
	s64 r;

	x->limit = ARG_CEIL;
	if (!getrlimit(RLIMIT_STACK, &l) && l.rlim_cur / 4 < x->limit)
		x->limit = l.rlim_cur / 4;
	if (x->limit < ARG_FLOOR)
		x->limit = ARG_FLOOR;
	r = getvector(cpu, x, argv, &x->argv, &x->argc);
	if (!r)
		r = getvector(cpu, x, envp, &x->envp, &x->envc);
	if (!r && !x->argc) {          /* Linux 5.18: never an empty list */
		x->argv = arena_get(&x->a, 2 * sizeof *x->argv);
		x->argv[0] = arena_get(&x->a, 1);
		x->argc = 1;
	}
	return r;
}

/* -- the program's name -- */

/* fexecve: a name that is still good when close-on-exec has closed the descriptor. */
static s64
name_of_fd(struct execstate *x, int fd, const char **host)
{
	struct stat a, b;
	ssize_t n;
	int keep;

	if (fstat(fd, &a))
		return -errno;
	snprintf(x->name, sizeof x->name, "/proc/self/fd/%d", fd);
	n = readlink(x->name, x->buf, sizeof x->buf - 1);
	x->buf[n > 0 ? n : 0] = 0;
	if (n <= 0 || stat(x->buf, &b) || a.st_dev != b.st_dev || a.st_ino != b.st_ino) {
		keep = fcntl(fd, F_DUPFD, 900);        /* without a name: inherited */
		if (keep < 0)
			return -errno;
		snprintf(x->buf, sizeof x->buf, "/proc/self/fd/%d", keep);
	}
	snprintf(x->name, sizeof x->name, "/dev/fd/%d", fd);
	*host = x->buf;
	return 0;
}

static s64
getname(struct execstate *x, int dirfd, gaddr path, int flags, const char **host)
{
	s64 n = gmem_strlen(path, PATH_SIZE), r;
	struct stat st;

	if (n < 0)
		return n;
	if (n >= PATH_SIZE)
		return -ENAMETOOLONG;
	if (gmem_read(x->name, path, (size_t)n + 1))
		return -EFAULT;
	if (!n)
		return flags & AT_EMPTY_PATH ? name_of_fd(x, dirfd, host) : -ENOENT;
	r = path_exec(x->name, dirfd, x->buf, host);
	if (r)
		return r;
	/* a name relative to a descriptor would be relative to nothing in the new process */
	if (**host != '/' && dirfd != AT_FDCWD) {
		char *full = arena_get(&x->a, 2 * PATH_SIZE);

		snprintf(full, 2 * PATH_SIZE, "/proc/self/fd/%d/%s", dirfd, *host);
		char *real = realpath(full, 0);
		if (!real)
			return -errno;
		snprintf(x->buf, sizeof x->buf, "%s", real);
		free(real);
		*host = x->buf;
	}
	if (flags & AT_SYMLINK_NOFOLLOW && !lstat(*host, &st) && S_ISLNK(st.st_mode))
		return -ELOOP;
	return 0;
}

/* -- the last step -- */

static s64
run_native(struct execstate *x)
{
	struct program *p = &x->prog;

	if (p->nscript)
		p->argv[p->script_arg] = p->script_path;
	execve(p->path, p->argv, x->envp);
	return -errno;
}

/* The argument list of the new dragoman. */
static char **
pack(const struct cpu *cpu, struct execstate *x)
{
	const struct linux_abi *abi = cpu->guest->abi;
	struct program *p = &x->prog;
	size_t npass = 0, k = 0;
	char **v;

	while (threads.pass && threads.pass[npass])
		npass++;
	v = arena_get(&x->a, (npass + (size_t)p->argc + x->envc + 5) * sizeof *v);
	v[k++] = p->argc ? p->argv[0] : p->path;
	v[k++] = (char *)MARK;
	v[k] = arena_get(&x->a, 64);
	snprintf(v[k++], 64, "%zu %d %llu", npass, p->argc, (unsigned long long)(abi->bequeath ? abi->bequeath(cpu) : 0));
	for (size_t i = 0; i < npass; i++)
		v[k++] = threads.pass[i];
	v[k++] = p->path;
	for (int i = 0; i < p->argc; i++)
		v[k++] = p->argv[i];
	for (size_t i = 0; i < x->envc; i++)
		v[k++] = x->envp[i];
	v[k] = 0;
	return v;
}

static int
changes_ids(const struct program *p)
{
	return (p->mode & S_ISUID && p->uid != geteuid()) ||
	       ((p->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && p->gid != getegid());
}

static s64
run_guest(const struct cpu *cpu, struct execstate *x)
{
	static char *none[] = { 0 };
	char **v = pack(cpu, x);
	s64 r;

	/* only the kernel can give privileges, if binfmt_misc knows us (with its flag C) */
	if (changes_ids(&x->prog))
		execve(x->prog.path, x->prog.argv, x->envp);
	execve(proc.self, v, none);
	r = -errno;
	/* our own name means something else since chroot */
	if (r == -ENOENT || r == -EACCES || r == -ENOEXEC) {
		execve("/proc/self/exe", v, none);
		execve(x->prog.path, x->prog.argv, x->envp);
	}
	return r;
}

static s64
run(struct cpu *cpu, struct execstate *x)
{
	s64 r = signal_before_exec(cpu->thread);

	if (r)
		return r;
	if (!cpu->thread->parent)              /* the parent of a vfork child shares our memory, and goes on */
		engine_end();
	r = x->prog.kind == IMAGE_GUEST ? run_guest(cpu, x) : run_native(x);
	signal_after_exec(cpu->thread);
	return r;
}

static s64
doexec(struct cpu *cpu, int dirfd, gaddr path, gaddr argv, gaddr envp, int flags)
{
	struct thread *t = cpu->thread;
	struct execstate *x = xmalloc(sizeof *x);
	const char *host = 0;
	s64 r;

	x->prog.fd = x->prog.interp_fd = -1;
	t->exec = x;
	r = getname(x, dirfd, path, flags, &host);
	if (!r)
		r = getarguments(cpu, x, argv, envp);
	if (!r)
		r = image_find(&x->prog, host, x->name, x->argv, proc.prefix);
	if (!r)
		r = run(cpu, x);
	t->exec = 0;
	exec_release(x, 1);
	return r;
}

s64
sys_execve(struct cpu *cpu, const u64 *a)
{
	return doexec(cpu, AT_FDCWD, a[0], a[1], a[2], 0);
}

s64
sys_execveat(struct cpu *cpu, const u64 *a)
{
	if (a[4] & ~(u64)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return doexec(cpu, (int)a[0], a[1], a[2], a[3], (int)a[4]);
}

/* -- the other side -- */

int
exec_unpack(int *argc, char ***argv, char ***envp, u64 *legacy)
{
	static char dashdash[] = "--", zero[] = "-0", name[] = "dragoman", empty[] = "";
	char **in = *argv, **out;
	unsigned long long given = 0;
	int npass, n, k = 0, at = 3;

	if (*argc < 4 || strcmp(in[1], MARK) || sscanf(in[2], "%d %d %llu", &npass, &n, &given) < 2 ||
	    npass < 0 || n < 0 || npass > *argc || n > *argc || npass + n + 4 > *argc)
		return 0;
	out = xmalloc(sizeof *out * (size_t)(npass + n + 8));
	out[k++] = name;
	for (int i = 0; i < npass; i++)
		out[k++] = in[at++];
	out[k++] = zero;
	out[k++] = n ? in[at + 1] : empty;
	out[k++] = dashdash;
	out[k++] = in[at++];
	for (int i = 1; i < n; i++)
		out[k++] = in[at + i];
	out[k] = 0;
	*legacy = given;
	*envp = in + at + n;
	*argc = k;
	*argv = out;
	return 1;
}
