/* SPDX-License-Identifier: MIT */
/* main.c - options; picks guest, host and environment; hands over */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/gmem.h"
#include "base/model.h"
#include "base/util.h"
#include "core/engine.h"
#include "core/store.h"
#include "loader/image.h"
#include "loader/symbol.h"
#include "cachecmd.h"
#include "options.h"
#include "syscall/fd.h"
#include "syscall/proc.h"
#include "syscall/procfs.h"
#include "threads/thread.h"

#define SPACE_MIN ((u64)16 << 30)      /* -R: bytes */

/* our own ELF header */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

/* For the static program, in place of glibc's, which asks /proc where the program lies: only dlopen, which it
 * does not have, would want to know.  -1: unknown. */
const char *__wrap__dl_get_origin(void);
const char *
__wrap__dl_get_origin(void)
{
	return (const char *)-1;
}

/* The same for the first thread's own data: glibc takes them from the heap that the kernel makes (brk), where they
 * would be all there is: three tables of pages in each process, and copied by each fork.  What a child writes of them,
 * its tid as the C library and as we know it, is in one page, the first. */
void *__real__dl_early_allocate(size_t size) __attribute__((weak));
void *__wrap__dl_early_allocate(size_t size);
void *
__wrap__dl_early_allocate(size_t size)
{
	static _Alignas(4096) char room[5120];
	static _Atomic int taken;      /* written without being read: a page is made once */

	return size <= sizeof room && !atomic_exchange(&taken, 1) ? room : __real__dl_early_allocate(size);
}

/* -- dragoman guests: what binfmt_misc needs to know -- */

static void
hexbytes(const char *what, const u8 *b, int n)
{
	printf("  %s ", what);
	for (int i = 0; i < n; i++)
		printf("\\x%02x", b[i]);
	putchar('\n');
}

static _Noreturn void
listguests(void)
{
	for (const struct guest *const *g = guests; *g; g++) {
		u8 magic[20] = {0x7f, 'E', 'L', 'F', (*g)->elf.class, (*g)->elf.data, 1};
		u8 mask[20] = {255, 255, 255, 255, 255, 255, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255,
		    254, 255, 255, 255};

		stn(magic + 16, 2, (*g)->big, 2);      /* ET_EXEC, and ET_DYN by the mask */
		stn(magic + 18, 2, (*g)->big, (*g)->elf.machine);
		if ((*g)->big) {
			mask[16] = 255;
			mask[17] = 254;
		}
		printf("%s\n", (*g)->name);
		hexbytes("magic", magic, 20);
		hexbytes("mask ", mask, 20);
	}
	exit(0);
}

/* -- the guest's environment -- */

static void
setvar(char ***env, int *n, int *cap, const char *set)
{
	size_t len = strcspn(set, "=");
	int keep = 0;

	for (int i = 0; i < *n; i++)
		if (strncmp((*env)[i], set, len) || (*env)[i][len] != '=')
			(*env)[keep++] = (*env)[i];
	*n = keep;
	if (set[len]) {
		grow(env, *n + 1, cap, sizeof **env);
		(*env)[(*n)++] = (char *)set;
	}
	(*env)[*n] = 0;
}

static char **
environment(const struct options *o, char **from)
{
	char **env = 0;
	int n = 0, cap = 0;

	for (; from[n]; n++) {
		grow(&env, n + 1, &cap, sizeof *env);
		env[n] = from[n];
	}
	grow(&env, n + 1, &cap, sizeof *env);
	env[n] = 0;
	for (int i = 0; i < o->nunset; i++) {
		o->unset[i][strcspn(o->unset[i], "=")] = 0;
		setvar(&env, &n, &cap, o->unset[i]);
	}
	for (int i = 0; i < o->nset; i++)
		setvar(&env, &n, &cap, o->set[i]);
	return env;
}

/* -- from program to process -- */

/* Is this file what we run from?  Started by binfmt_misc, our name is the guest program's or its script's. */
static int
isself(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr h;
	ssize_t n = fd < 0 ? -1 : pread(fd, &h, sizeof h, 0);

	if (fd >= 0)
		close(fd);
	return n == sizeof h && !memcmp(&h, &__ehdr_start, sizeof h);
}

/* Absolute, for the guest may change its directory before it starts another program.  /proc is asked last: a process
 * that never looks there spares the kernel 30 us. */
static const char *
ownpath(void)
{
	static char path[4096] ROOMY;
	const char *name = (const char *)getauxval(AT_EXECFN);

	if (*name == '/' && isself(name))
		return name;
	if (readlink("/proc/self/exe", path, sizeof path - 1) > 0)
		return path;
	return realpath(name, path) ? path : name;
}

static void
fillproc(const struct options *o, const struct program *p, const struct image *img)
{
	const char *real = img->real, *shown;
	size_t n = o->root ? strlen(o->root) : 0;

	shown = n && !strncmp(real, o->root, n) && real[n] == '/' ? real + n : real;
	proc.guest = p->guest;
	proc.abi = p->guest->abi;
	proc.exe = real;
	proc.shown = shown;
	proc.exe_fd = fd_hide(fcntl(p->fd, F_DUPFD_CLOEXEC, 0));
	proc.prefix = o->root;
	proc.self = ownpath();
	proc.release = o->uname;
	proc.strace = o->strace || logging(LOG_STRACE);
	snprintf(proc.comm, sizeof proc.comm, "%.15s", strrchr(p->name, '/') ? strrchr(p->name, '/') + 1 : p->name);
	proc.code0 = img->code0;
	proc.code1 = img->code1;
	proc.data0 = img->data0;
	proc.data1 = img->data1;
	proc.stack0 = img->stack0;
	proc.arg0 = img->arg0;
	proc.arg1 = img->arg1;
	proc.env0 = img->env0;
	proc.env1 = img->env1;
	memcpy(proc.auxv, img->auxv, sizeof img->auxv);
	proc.nauxv = img->nauxv;
}

/* -R does not make the space larger, nor smaller than what has to be in it. */
static void
memory(const struct gspace *space, const struct options *o)
{
	static struct gspace narrow;
	u64 end = o->space < SPACE_MIN ? SPACE_MIN : aligndown(o->space, 1 << 16);

	if (o->space && end < space->end) {
		narrow = gmem_narrow(space, end);
		space = &narrow;
	}
	gmem_init(space, o->page ? o->page : 4096);
}

static void
load(const struct options *o, const struct program *p, struct image *img, char **env)
{
	const struct linux_abi *abi = p->guest->abi;
	struct start start = {.argv = p->argv, .envp = env, .execfn = p->name, .platform = abi->platform,
	    .baseplatform = abi->baseplatform, .minsigstack = abi->minsigstack(), .stacksize = o->stack,
	    .secure = (u32)getauxval(AT_SECURE), .hasseed = o->hasseed, .seed = o->seed};

	for (int i = 0; i < 2; i++)
		start.hwcap[i] = abi->hwcap(i + 1);
	memory(p->guest->space, o);
	if (image_load(img, p) || image_stack(img, &start)) {
		fprintf(stderr, "dragoman: %s\n", img->err.text);
		exit(img->err.status);
	}
}

/* Programs of the host, and what its kernel may know how to run. */
static _Noreturn void
native(const struct program *p, char **env)
{
	execve(p->path, p->argv, env);
	if (errno == ENOEXEC && p->kind == IMAGE_FOREIGN) {
		fprintf(stderr, "dragoman: %s\n", p->err.text);
		exit(p->err.status);
	}
	diag(D_OPENFAIL, p->path, strerror(errno));
}

/* -d stats, -d hot */
static void
logatexit(int status)
{
	(void)status;
	if (logging(LOG_STATS))
		engine_logstats();
	if (logging(LOG_HOT))
		engine_loghot();
}

/* -L without what the lookup need not see twice: trailing slashes, relative names, / itself.  Children get
 * it so. */
static void
tidyroot(struct options *o, int again)
{
	char *r;

	if (!o->root)
		return;
	r = again ? 0 : realpath(o->root, 0);
	if (!r)
		r = xstrdup(o->root);          /* not there: lookups under it fail, as asked */
	o->root = strcmp(r, "/") ? r : 0;
	if (o->root)
		options_pass(o, "L", o->root);
}

/* What is kept between processes.  Who wants to see code being made gets none that is made already. */
static void
openstore(struct options *o, int again)
{
	int off = logging(LOG_INASM | LOG_OP | LOG_OPOPT | LOG_OUTASM | LOG_HOT);

	store_init(&(struct store_options){.dir = off ? "off" : o->cache, .readonly = off ? 0 : o->cachero,
	    .limit = o->cachelimit, .secure = getauxval(AT_SECURE) != 0, .found = again, .hide = fd_hide});
	options_pass(o, "cache", store_dir());
}

int
main(int argc, char **argv)
{
	static struct options o;
	static struct program p;
	static struct image img;
	char **env = environ;
	u64 legacy = 0;
	int again = exec_unpack(&argc, &argv, &env, &legacy), at = options_read(&o, argc, argv);
	struct cpu *cpu;
	char *wrong;

	if (at == argc)
		diag(D_USAGE, "no program named");
	if (!strcmp(argv[at], "guests") && at == 1 && argc == 2)
		listguests();
	if (o.logfile && log_open(o.logfile))
		diag(D_OPENFAIL, o.logfile, strerror(errno));
	tidyroot(&o, again);
	if (cachecmd_is(argv + at))
		return cachecmd(&o, argv + at + 1);
	if (image_find(&p, argv[at], argv[at], argv + at, o.root)) {
		fprintf(stderr, "dragoman: %s\n", p.err.text);
		return p.err.status;
	}
	if (!again)
		env = environment(&o, env);
	if (p.kind != IMAGE_GUEST)
		native(&p, env);
	if (o.argv0)
		p.argv[0] = (char *)o.argv0;
	if (logmask || o.strace)
		log_hide(fd_hide);
	if ((wrong = model_choose(p.guest, o.cpu)))
		diag(D_USAGE, wrong);
	if (legacy && p.guest->abi->inherit)
		p.guest->abi->inherit(legacy);
	openstore(&o, again);
	/* before the program is mapped: the engine looks at what is mapped */
	engine_init(p.guest, &(struct engine_options){.host = o.host, .features = o.features,
	    .codesize = o.codesize, .maxinsn = o.single ? 1 : 0, .nochain = logging(LOG_NOCHAIN),
	    .quick = o.single || logging(LOG_HOT) ? 0 : o.quick,
	    .first = o.quick && !o.single && !logging(LOG_HOT | LOG_EXEC | LOG_INASM | LOG_OP | LOG_OPOPT | LOG_OUTASM),
	    .count = logging(LOG_STATS), .perfmap = o.perfmap, .jitdump = o.jitdump, .hot = logging(LOG_HOT),
	    .symbol = symbol_at, .hide = fd_hide});
	load(&o, &p, &img, env);
	fillproc(&o, &p, &img);
	threads.pass = o.pass;
	if (logging(LOG_STATS | LOG_HOT))
		threads.atexit = logatexit;
	cpu = thread_init(p.guest);
	image_done(&p);
	thread_run(cpu, &img);
}
