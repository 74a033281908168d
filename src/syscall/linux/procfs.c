/* SPDX-License-Identifier: MIT */
/* procfs.c - the files of /proc that the host would fill with the translator
 *
 * The guest's memory lies at its own addresses, so most of /proc is right as it is (mem, pagemap,
 * fd, task, status).  The few that are not are written into an anonymous file when they are opened.
 * Of other guests the host's kernel shows what it was told of them (procfs_publish, show_guest of
 * vcpu.c: cmdline, environ, auxv), and what they run is found by that.
 * fstat(2) of that file answers with the identity of the real one, so that a program which compares
 * stat before and after opening (cp does) sees one file. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/gmem.h"
#include "base/util.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"
#include "syscall/path.h"
#include "syscall/proc.h"
#include "syscall/procfs.h"

struct buf { char *s; size_t n, cap; };

static void
add(struct buf *b, const void *p, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = 2 * (b->n + n);
		b->s = xrealloc(b->s, b->cap);
	}
	memcpy(b->s + b->n, p, n);
	b->n += n;
}

static void __attribute__((format(printf, 2, 3)))
addf(struct buf *b, const char *fmt, ...)
{
	char line[PATH_SIZE + 128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	add(b, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

/* The text of one of the host's files. */
static void
slurp(struct buf *b, const char *path)
{
	char part[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	while ((n = read(fd, part, sizeof part)) > 0)
		add(b, part, (size_t)n);
	close(fd);
}

/* -- memory -- */
static void
map_line(struct buf *b, gaddr start, gaddr end, const struct vma *v)
{
	char head[96];
	const char *name = v->flags & GM_STACK ? "[stack]" : v->flags & GM_HEAP ? "[heap]" :
	                   v->flags & GM_VDSO ? "[vdso]" : v->path;
	int n = snprintf(head, sizeof head, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ",
	                 (unsigned long long)start, (unsigned long long)end,
	                 v->flags & GM_READ ? 'r' : '-', v->flags & GM_WRITE ? 'w' : '-',
	                 v->flags & GM_EXEC ? 'x' : '-', v->flags & GM_SHARED ? 's' : 'p',
	                 (unsigned long long)(v->ino ? v->off + (start - v->start) : 0), major(v->dev),
	                 minor(v->dev), (unsigned long long)v->ino);

	/* the name begins at column 73, as the kernel has it */
	addf(b, "%-*s%s\n", name && *name ? (n > 73 ? n : 73) : 0, head, name ? name : "");
}

static void
each_map(void *arg, const struct vma *v)
{
	map_line(arg, v->start, v->end, v);
}

static void
text_maps(struct cpu *cpu, struct buf *b)
{
	(void)cpu;
	gmem_each(each_map, b);
}

/* The host's own account of our pages, without what is not the guest's. */
static void
text_smaps(struct cpu *cpu, struct buf *b)
{
	struct buf host = { 0, 0, 0 };
	int keep = 0;
	char *line, *next;

	(void)cpu;
	slurp(&host, "/proc/self/smaps");
	add(&host, "", 1);
	for (line = host.s; *line; line = next) {
		unsigned long long lo, hi;
		struct vma v;
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (sscanf(line, "%llx-%llx ", &lo, &hi) == 2) {
			keep = lo >= gmem.base && gmem_find(lo - gmem.base, &v) == 0;
			if (keep)
				map_line(b, lo - gmem.base, hi - gmem.base, &v);
		} else if (keep)
			add(b, line, (size_t)(next - line));
	}
	free(host.s);
}

/* -- the start of the process -- */
static void
text_auxv(struct cpu *cpu, struct buf *b)
{
	const struct model *m = &cpu->guest->abi->model;
	u8 word[8];

	for (int i = 0; i < 2 * proc.nauxv; i++) {
		stn(word, m->word, m->big, proc.auxv[i / 2][i % 2]);
		add(b, word, m->word);
	}
}

static void
guest_bytes(struct buf *b, gaddr from, gaddr to)
{
	char part[4096];

	while (from < to) {
		size_t n = to - from < sizeof part ? to - from : sizeof part;
		if (gmem_read(part, from, n))
			return;
		add(b, part, n);
		from += n;
	}
}

static void
text_cmdline(struct cpu *cpu, struct buf *b)
{
	(void)cpu;
	guest_bytes(b, proc.arg0, proc.arg1);
}

static void
text_environ(struct cpu *cpu, struct buf *b)
{
	(void)cpu;
	guest_bytes(b, proc.env0, proc.env1);
}

/* proc(5): fields counted from 1; the first two are skipped because the name may hold blanks. */
static void
text_stat(struct cpu *cpu, struct buf *b)
{
	const struct { int field; u64 value; } ours[] = {
		{ 26, proc.code0 }, { 27, proc.code1 }, { 28, proc.stack0 },
		{ 29, ld64(cpu->state + cpu->guest->reg[cpu->guest->sp].off) }, { 30, cpu->pc },
		{ 45, proc.data0 }, { 46, proc.data1 }, { 47, gmem.brk0 },
		{ 48, proc.arg0 }, { 49, proc.arg1 }, { 50, proc.env0 }, { 51, proc.env1 },
	};
	struct buf host = { 0, 0, 0 };
	char *at, *save = 0, *word;
	int field = 3;

	slurp(&host, "/proc/self/stat");
	add(&host, "", 1);
	at = strrchr(host.s, ')');
	at = at ? at + 1 : host.s;
	add(b, host.s, (size_t)(at - host.s));
	for (word = strtok_r(at, " \n", &save); word; word = strtok_r(0, " \n", &save), field++) {
		size_t i = 0;
		while (i < NELEM(ours) && ours[i].field != field)
			i++;
		if (i < NELEM(ours))
			addf(b, " %llu", (unsigned long long)ours[i].value);
		else
			addf(b, " %s", word);
	}
	addf(b, "\n");
	free(host.s);
}

static void
text_cpuinfo(struct cpu *cpu, struct buf *b)
{
	int n = (int)sysconf(_SC_NPROCESSORS_ONLN);
	char text[4096];

	for (int i = 0; i < n; i++) {
		int len = cpu->guest->abi->cpuinfo(text, sizeof text, i, n);
		add(b, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
	}
}

/* -- names -- */
static const struct {
	const char *name;              /* below /proc/PID, or below /proc */
	int ofproc, oftask;            /* in /proc itself; also right for /proc/PID/task/TID */
	const char *real;
	void (*text)(struct cpu *, struct buf *);
} files[PF_COUNT] = {
	[PF_EXE] =     { "exe",     0, 1, "/proc/self/exe",     0 },
	[PF_MAPS] =    { "maps",    0, 1, "/proc/self/maps",    text_maps },
	[PF_SMAPS] =   { "smaps",   0, 1, "/proc/self/smaps",   text_smaps },
	[PF_AUXV] =    { "auxv",    0, 1, "/proc/self/auxv",    text_auxv },
	[PF_CMDLINE] = { "cmdline", 0, 1, "/proc/self/cmdline", text_cmdline },
	[PF_ENVIRON] = { "environ", 0, 1, "/proc/self/environ", text_environ },
	[PF_STAT] =    { "stat",    0, 0, "/proc/self/stat",    text_stat },
	[PF_CPUINFO] = { "cpuinfo", 1, 0, "/proc/cpuinfo",      text_cpuinfo },
};

static enum procfile
by_name(const char *s, size_t n)
{
	for (int i = 1; i < PF_COUNT; i++)
		if (files[i].name && strlen(files[i].name) == n && !memcmp(files[i].name, s, n))
			return i;
	return PF_NONE;
}

/* The next component of a path: its start, and its length in *n (0 at the end). */
static const char *
component(const char *s, size_t *n)
{
	for (;;) {
		s += strspn(s, "/");
		*n = strcspn(s, "/");
		if (*n != 1 || *s != '.')
			return s;
		s++;
	}
}

static int
isnumber(const char *s, size_t n, long *v)
{
	char *end;

	*v = strtol(s, &end, 10);
	return n && end == s + n;
}

static enum procfile
which_absolute(const char *path, long *pid)
{
	enum procfile pf;
	int task = 0, other = 0;
	long tid;
	size_t n;
	const char *s = component(path, &n);

	if (n != 4 || memcmp(s, "proc", 4))
		return PF_NONE;
	s = component(s + n, &n);
	pf = by_name(s, n);
	if (pf && files[pf].ofproc && !*component(s + n, &(size_t){ 0 }))
		return pf;
	if (n == 11 && !memcmp(s, "thread-self", n))
		task = 1;
	else if (n != 4 || memcmp(s, "self", n)) {
		if (!isnumber(s, n, pid))
			return PF_NONE;
		other = *pid != getpid();
	}
	s = component(s + n, &n);
	if (n == 4 && !memcmp(s, "task", n)) {
		s = component(s + n, &n);
		if (!isnumber(s, n, &tid))
			return PF_NONE;
		task = 1;
		s = component(s + n, &n);
	}
	pf = by_name(s, n);
	if (!pf || files[pf].ofproc || (task && !files[pf].oftask) || *component(s + n, &(size_t){ 0 }))
		return PF_NONE;
	if (other)
		return pf == PF_EXE ? PF_OTHERS : PF_NONE;
	return pf;
}

/* pid: whose it is, if PF_OTHERS. */
static enum procfile
which(int dirfd, const char *name, long *pid)
{
	const char *last;
	char full[2 * PATH_SIZE], link[32] = "/proc/self/cwd";
	ssize_t n;

	if (!name || !*name)
		return PF_NONE;
	if (*name == '/')
		return name[1] == 'p' || name[1] == '/' || name[1] == '.' ? which_absolute(name, pid) : PF_NONE;
	last = strrchr(name, '/');
	last = last ? last + 1 : name;
	if (!by_name(last, strlen(last)))
		return PF_NONE;
	if (dirfd != AT_FDCWD)
		snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
	n = readlink(link, full, PATH_SIZE - 1);
	if (n < 5 || memcmp(full, "/proc", 5))
		return PF_NONE;
	snprintf(full + n, sizeof full - (size_t)n, "/%s", name);
	return which_absolute(full, pid);
}

enum procfile
procfs_which(int dirfd, const char *name)
{
	return which(dirfd, name, &(long){ 0 });
}

/* -- the programs of other processes --
 *
 * The kernel shows what it runs itself: dragoman.  But it was told the guest's auxiliary vector, and
 * AT_PHDR lies in the guest's program.  Where it could not be told, or not yet, AT_PHDR leads to
 * dragoman again.  The link of map_files is read as that of exe: for the same readers, with
 * "(deleted)"; to follow it takes a privilege. */
static u64
phdr_of(long pid)
{
	struct buf b = { 0, 0, 0 };
	char file[32];
	u64 at = 0;

	snprintf(file, sizeof file, "/proc/%ld/auxv", pid);
	slurp(&b, file);
	for (size_t i = 0; i + 16 <= b.n; i += 16)
		if (ld64(b.s + i) == AT_PHDR)
			at = ld64(b.s + i + 8);
	free(b.s);
	return at;
}

/* The link to the file of which the process has at mapped. */
static int
map_link(long pid, u64 at, char *link)
{
	unsigned long long lo, hi, ino;
	struct buf b = { 0, 0, 0 };
	int r = -1;
	char file[32];

	snprintf(file, sizeof file, "/proc/%ld/maps", pid);
	slurp(&b, file);
	add(&b, "", 1);
	for (const char *line = b.s; r && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (sscanf(line, "%llx-%llx %*s %*s %*s %llu", &lo, &hi, &ino) != 3 || at < lo || at >= hi || !ino)
			continue;
		snprintf(link, PROCFS_LINK, "/proc/%ld/map_files/%llx-%llx", pid, lo, hi);
		r = 0;
	}
	free(b.s);
	return r;
}

int
procfs_program(int dirfd, const char *name, char *link, char *shown)
{
	struct stat its, own;
	ssize_t n;
	long pid;

	if (which(dirfd, name, &pid) != PF_OTHERS || fstatat(dirfd, name, &its, 0) || stat("/proc/self/exe", &own))
		return -1;
	if (its.st_dev != own.st_dev || its.st_ino != own.st_ino || map_link(pid, phdr_of(pid), link))
		return -1;
	n = readlink(link, shown, PATH_SIZE - 1);
	if (n <= 0)
		return -1;
	shown[n] = 0;
	return 0;
}

/* -- open, and the identity of what was opened -- */
static _Atomic u64 ourdev;             /* st_dev of anonymous files, once there is one of ours */

/* A description of the same file that cannot write, under the same (lowest) number. */
static void
make_readonly(int fd, int flags)
{
	char link[32];
	int ro;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ro = open(link, O_RDONLY | (flags & (O_CLOEXEC | O_NONBLOCK)));
	if (ro < 0)
		return;
	dup3(ro, fd, flags & O_CLOEXEC);
	close(ro);
}

s64
procfs_open(struct cpu *cpu, enum procfile pf, int flags)
{
	struct buf b = { 0, 0, 0 };
	char name[32];
	struct stat st;
	int fd;

	if ((flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	snprintf(name, sizeof name, "proc:%s", files[pf].name);
	fd = memfd_create(name, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
	if (fd < 0)
		return -errno;
	files[pf].text(cpu, &b);
	for (size_t at = 0; at < b.n;) {
		ssize_t n = pwrite(fd, b.s + at, b.n - at, (off_t)at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	free(b.s);
	if (!fstat(fd, &st))
		atomic_store(&ourdev, st.st_dev);
	make_readonly(fd, flags);
	return fd;
}

/* PR_SET_MM_MAP asks for everything at once.  The heap's bounds must stay our own libc's: its start
 * may be given as its present end, which only keeps it from shrinking below. */
void
procfs_publish(void)
{
	enum { SET_MM_MAP = 14 };
	const u64 brk = (u64)sbrk(0);
	struct prctl_mm_map m = {
		.start_code = (u64)g2h(proc.code0), .end_code = (u64)g2h(proc.code1),
		.start_data = (u64)g2h(proc.data0), .end_data = (u64)g2h(proc.data1),
		.start_brk = brk, .brk = brk, .start_stack = (u64)g2h(proc.stack0),
		.arg_start = (u64)g2h(proc.arg0), .arg_end = (u64)g2h(proc.arg1),
		.env_start = (u64)g2h(proc.env0), .env_end = (u64)g2h(proc.env1),
		.exe_fd = (u32)-1,
	};

	host_call(__NR_prctl, PR_SET_MM, SET_MM_MAP, (u64)&m, sizeof m, 0, 0);
}

/* The file of ours that fd is, given its device. */
static enum procfile
which_fd(int fd, u64 dev)
{
	char link[32], name[64];
	ssize_t n;

	if (!atomic_load_explicit(&ourdev, memory_order_relaxed) || dev != atomic_load(&ourdev))
		return PF_NONE;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof name - 1);
	if (n < 12 || memcmp(name, "/memfd:proc:", 12))
		return PF_NONE;
	name[n] = 0;
	return by_name(name + 12, strcspn(name + 12, " "));
}

void
procfs_stat(int fd, struct stat *st)
{
	enum procfile pf = which_fd(fd, st->st_dev);
	struct stat real;

	if (pf && !stat(files[pf].real, &real))
		*st = real;
}

void
procfs_statx(int fd, struct statx *st)
{
	enum procfile pf = which_fd(fd, makedev(st->stx_dev_major, st->stx_dev_minor));
	struct statx real;

	if (pf && !statx(AT_FDCWD, files[pf].real, 0, STATX_BASIC_STATS | STATX_BTIME, &real))
		*st = real;
}
