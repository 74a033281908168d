/* SPDX-License-Identifier: MIT */
/* find.c - which file is run, and by whom: names under the prefix, "#!" lines, the interpreter */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/gmem.h"
#include "base/root.h"
#include "base/util.h"
#include "loader/elf.h"
#include "loader/loader.h"

enum { SCRIPT_LINE = 256 };            /* as Linux */

/* -- names under the prefix -- */

int
image_lookup(const char *prefix, const char *name, char *out)
{
	if (strlen(name) >= IMAGE_PATH)
		return -ENAMETOOLONG;
	if (prefix && *prefix && strcmp(prefix, "/") && *name == '/') {
		int r = root_walk(prefix, name, 1, out);

		if (!r || r == -ELOOP || r == -ENAMETOOLONG)
			return r;
	}
	strcpy(out, name);
	return access(name, F_OK) ? -errno : 0;
}

/* -- one file -- */

/* Old sandboxes refuse system calls they do not know, as if the file were not ours (EPERM). */
static int
isexecutable(const char *path)
{
	return !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) || (errno == EPERM && !access(path, X_OK));
}

/* Opens path as execve would: a regular file with an execute bit.  -errno and a message. */
static int
openprog(struct program *p)
{
	struct stat st;
	int r;

	p->fd = root_open(p->path, &p->isreal);
	if (p->fd < 0) {
		r = -errno;
		if (r == -ENOENT || r == -ENOTDIR)
			return FAIL(p, r, D_NOFILE, p->name);
		/* an execute-only file: exists, cannot be read */
		return FAIL(p, r, D_OPENFAIL, p->name, strerror(-r));
	}
	if (fstat(p->fd, &st))
		return FAIL(p, -errno, D_OPENFAIL, p->name, strerror(errno));
	p->mode = st.st_mode;
	p->uid = st.st_uid;
	p->gid = st.st_gid;
	if (S_ISDIR(st.st_mode))
		return FAIL(p, -EACCES, D_ISDIR, p->name);
	if (!S_ISREG(st.st_mode))
		return FAIL(p, -EACCES, D_NOTFILE, p->name);
	if (!isexecutable(p->path))
		return FAIL(p, -EACCES, D_NOEXEC, p->name);
	return 0;
}

/* -- scripts -- */

static char *
keep(struct program *p, const char *s)
{
	return p->owned[p->nowned++] = xstrdup(s);
}

/* Splits "#! interp arg" as Linux does: one argument, surrounding blanks removed.  0 if the
 * line is a script's. */
static int
splitline(const u8 *head, size_t n, char *interp, char *arg)
{
	char line[SCRIPT_LINE], *s, *e;
	size_t len = n < sizeof line - 1 ? n : sizeof line - 1, i;

	memcpy(line, head, len);
	line[len] = 0;
	s = memchr(line, '\n', len);
	if (s)
		*s = 0;
	s = line + 2;
	s += strspn(s, " \t");
	i = strcspn(s, " \t");
	/* a name cut off by the limit must not run something else */
	if (!i || (len == sizeof line - 1 && s + i == line + len))
		return -ENOEXEC;
	memcpy(interp, s, i);
	interp[i] = 0;
	s += i;
	s += strspn(s, " \t");
	e = s + strlen(s);
	while (e > s && (e[-1] == ' ' || e[-1] == '\t'))
		e--;
	*e = 0;
	strcpy(arg, s);
	return 0;
}

/* The program becomes the script's interpreter: argv = interp [arg] script argv[1..]. */
static int
script(struct program *p, const u8 *head, size_t n, const char *prefix)
{
	char interp[SCRIPT_LINE], arg[SCRIPT_LINE], path[IMAGE_PATH], **v;
	int extra, r = splitline(head, n, interp, arg), k = 0;

	if (r)
		return FAIL(p, r, D_NOTELF, p->name);
	if (++p->nscript > IMAGE_SCRIPTS - 1)
		return FAIL(p, -ELOOP, D_NOTELF, p->name);
	extra = *arg ? 2 : 1;
	v = xmalloc(sizeof *v * (size_t)(p->argc + extra + 2));
	v[k++] = keep(p, interp);
	if (*arg)
		v[k++] = keep(p, arg);
	p->script_arg = k;
	p->script_path = p->path;
	v[k++] = keep(p, p->name);
	for (int i = 1; i < p->argc; i++)
		v[k++] = p->argv[i];
	free(__atomic_exchange_n(&p->argv, v, __ATOMIC_ACQ_REL));
	p->argc = k;
	r = image_lookup(prefix, interp, path);
	if (r)
		return FAIL(p, r, D_NOSCRIPT, p->name, interp);
	p->path = keep(p, path);
	p->name = p->argv[0];
	return 0;
}

/* -- programs -- */

/* The ELF interpreter must exist and be usable before anything irrevocable happens. */
static int
checkinterp(struct program *p, const struct elf *e, const char *prefix)
{
	union { u8 head[ELF_PEEK]; char path[IMAGE_PATH]; } u;
	struct elfsrc s = { -1, 0, u.head, 0 };
	struct stat st;
	struct elf ie;
	const char *why = 0;
	ssize_t n;
	int r;

	p->interp = keep(p, e->interp);
	r = image_lookup(prefix, e->interp, u.path);
	if (!r)
		p->interp_path = keep(p, u.path);
	if (!r && (p->interp_fd = root_open(p->interp_path, &p->interp_isreal)) < 0)
		r = -errno;
	if (r)
		return FAIL(p, r, D_NOINTERP, p->name, e->interp);
	s.fd = p->interp_fd;
	n = fstat(s.fd, &st) ? -1 : pread(s.fd, u.head, sizeof u.head, 0);
	s.n = n > 0 ? (size_t)n : 0;
	s.size = n > 0 ? (u64)st.st_size : 0;
	r = elf_read(&ie, &s, gmem.pagesize ? gmem.pagesize : 4096, &why);
	if (!r && elf_guest(&ie) != p->guest)
		r = -ELIBBAD, why = "it is built for another machine";
	elf_free(&ie);
	return r ? FAIL(p, -ELIBBAD, D_BADINTERP, p->name, e->interp, why) : 0;
}

static int
identify(struct program *p, const struct elfsrc *s, const char *prefix)
{
	struct elf e;
	const char *why;
	int r;

	if (!elf_is(s)) {
		p->kind = IMAGE_FOREIGN;
		return FAIL(p, 0, D_NOTELF, p->name);
	}
	if (elf_ident(&e, s))
		return FAIL(p, -ENOEXEC, D_BADELF, p->name, "the ELF header is damaged");
	p->guest = elf_guest(&e);
	if (!p->guest) {
		p->kind = elf_ishost(&e) ? IMAGE_NATIVE : IMAGE_FOREIGN;
		return FAIL(p, 0, D_NOGUEST, p->name, elf_machine(e.machine));
	}
	p->kind = IMAGE_GUEST;
	r = elf_read(&e, s, gmem.pagesize ? gmem.pagesize : 4096, &why);
	if (r)
		return FAIL(p, r, D_BADELF, p->name, why);
	if (*e.interp)
		r = checkinterp(p, &e, prefix);
	elf_free(&e);
	return r;
}

static int
find(struct program *p, const char *prefix)
{
	for (;;) {
		u8 head[ELF_PEEK];
		struct stat st;
		ssize_t n;
		int r = openprog(p);

		if (r)
			return r;
		n = pread(p->fd, head, sizeof head, 0);
		if (n < 0 || fstat(p->fd, &st))
			return FAIL(p, -errno, D_OPENFAIL, p->name, strerror(errno));
		if (n < 2 || head[0] != '#' || head[1] != '!') {
			struct elfsrc s = { p->fd, (u64)st.st_size, head, (size_t)n };

			return identify(p, &s, prefix);
		}
		close(p->fd);
		p->fd = -1;
		r = script(p, head, (size_t)n, prefix);
		if (r)
			return r;
	}
}

int
image_find(struct program *p, const char *path, const char *name, char *const argv[],
           const char *prefix)
{
	int r;

	*p = (struct program){.kind = IMAGE_FOREIGN, .fd = -1, .interp_fd = -1, .prefix = prefix,
	    .interp = "", .interp_path = ""};
	if (strlen(path) >= IMAGE_PATH || strlen(name) >= IMAGE_PATH)
		return FAIL(p, -ENAMETOOLONG, D_OPENFAIL, "program", strerror(ENAMETOOLONG));
	p->path = keep(p, path);
	p->name = keep(p, name);
	while (argv && argv[p->argc])
		p->argc++;
	p->argv = xmalloc(sizeof *p->argv * (size_t)(p->argc + 1));
	if (p->argc)
		memcpy(p->argv, argv, sizeof *argv * (size_t)p->argc);
	r = find(p, prefix);
	if (r)
		image_done(p);
	return r;
}

/* What is freed here has been forgotten before: a vfork child may be killed in between. */
void
image_done(struct program *p)
{
	int n = __atomic_exchange_n(&p->nowned, 0, __ATOMIC_ACQ_REL);

	if (p->fd >= 0)
		close(p->fd);
	if (p->interp_fd >= 0)
		close(p->interp_fd);
	p->fd = p->interp_fd = -1;
	for (int i = 0; i < n; i++)
		free(p->owned[i]);
	free(__atomic_exchange_n(&p->argv, 0, __ATOMIC_ACQ_REL));
	p->argc = 0;
}
