/* SPDX-License-Identifier: MIT */
/* warm.c - translates whole programs ahead of time: dragoman cache warm
 *
 * The program, its interpreter and the libraries it needs are mapped as a run would have them (the
 * place of a file follows from its name and size).  Then every place where a function may begin is
 * translated with what it leads to: symbols, the ranges that unwind tables describe, the entry point,
 * functions to be called at start and end, and pointers to code that relocations fill in. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/gmem.h"
#include "base/model.h"
#include "base/util.h"
#include "core/engine.h"
#include "core/store.h"
#include "loader/elf.h"
#include "loader/image.h"
#include "options.h"
#include "syscall/proc.h"
#include "threads/thread.h"
#include "warm.h"

enum { MAXOBJECT = 512, MAXDIR = 256 };
static const u64 CODESIZE = (u64)1 << 30;

struct object { char *path; int fd; gaddr bias; Elf *elf; };
struct warm {
	const struct options *o;
	struct program prog;
	struct image img;
	struct cpu *cpu;
	struct object object[MAXOBJECT]; int n;
	char *dir[MAXDIR]; int ndir;   /* where libraries are, guest names */
	u64 made, starts;
};

/* -- where functions begin -- */

static void
start(struct warm *w, const struct object *x, u64 addr)
{
	gaddr pc = x->bias + addr;

	if (pc % w->img.guest->minlen || !(gmem_prot(pc) & GM_EXEC))
		return;
	w->starts++;
	w->made += engine_warm(w->cpu, pc);
}

static void
symbols(struct warm *w, const struct object *x, Elf_Data *d, u64 n)
{
	GElf_Sym s;

	for (u64 i = 0; i < n && gelf_getsym(d, (int)i, &s); i++)
		if (GELF_ST_TYPE(s.st_info) == STT_FUNC && s.st_shndx != SHN_UNDEF)
			start(w, x, s.st_value);
}

/* Relative relocations are pointers into the file; those into code that a symbol or an unwind entry does not name
 * are worth it only where data and code are apart: in a section of instructions. */
static int
iscode(const struct object *x, u64 addr)
{
	Elf_Scn *s = 0;
	GElf_Shdr h;

	while ((s = elf_nextscn(x->elf, s)))
		if (gelf_getshdr(s, &h) && h.sh_flags & SHF_EXECINSTR && addr >= h.sh_addr && addr - h.sh_addr < h.sh_size)
			return 1;
	return 0;
}

static void
relocations(struct warm *w, const struct object *x, Elf_Data *d, u64 n)
{
	GElf_Rela r;

	for (u64 i = 0; i < n && gelf_getrela(d, (int)i, &r); i++)
		if (GELF_R_TYPE(r.r_info) == w->img.guest->relative && iscode(x, (u64)r.r_addend))
			start(w, x, (u64)r.r_addend);
}

static void
sections(struct warm *w, const struct object *x)
{
	Elf_Scn *s = 0;
	GElf_Shdr h;

	while ((s = elf_nextscn(x->elf, s))) {
		Elf_Data *d;

		if (!gelf_getshdr(s, &h) || !h.sh_entsize || !(d = elf_getdata(s, 0)))
			continue;
		if (h.sh_type == SHT_SYMTAB || h.sh_type == SHT_DYNSYM)
			symbols(w, x, d, h.sh_size / h.sh_entsize);
		if (h.sh_type == SHT_RELA)
			relocations(w, x, d, h.sh_size / h.sh_entsize);
	}
}

/* The sorted table of .eh_frame_hdr (LSB 10.6.2), in the encoding all linkers use: offsets from the header, 4 bytes. */
static void
unwinding(struct warm *w, const struct object *x, const GElf_Phdr *p)
{
	int big = w->img.guest->big;
	u8 h[12], e[8];
	gaddr at = x->bias + p->p_vaddr;
	u64 n;

	if (p->p_memsz < sizeof h || gmem_read(h, at, sizeof h) || h[0] != 1 || h[2] != 3 || h[3] != 0x3b)
		return;
	n = ldn(h + 8, 4, big);
	for (u64 i = 0; i < n && 12 + 8 * (i + 1) <= p->p_memsz && !gmem_read(e, at + 12 + 8 * i, 8); i++)
		start(w, x, p->p_vaddr + (u64)sext(ldn(e, 4, big), 32));
}

static void
translate(struct warm *w, const struct object *x)
{
	GElf_Ehdr eh;
	GElf_Phdr p;
	size_t n;

	if (!gelf_getehdr(x->elf, &eh) || elf_getphdrnum(x->elf, &n))
		return;
	start(w, x, eh.e_entry);
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(x->elf, (int)i, &p) && p.p_type == PT_GNU_EH_FRAME)
			unwinding(w, x, &p);
	sections(w, x);
}

/* -- which files -- */

static struct object *
add(struct warm *w, const char *path, int fd, gaddr bias)
{
	struct object *x = &w->object[w->n];

	*x = (struct object){ xstrdup(path), fd, bias, elf_begin(fd, ELF_C_READ_MMAP, 0) };
	if (x->elf)
		w->n++;
	return x;
}

static void
adddir(struct warm *w, const char *dir)
{
	if (w->ndir < MAXDIR && *dir == '/')
		w->dir[w->ndir++] = xstrdup(dir);
}

/* /etc/ld.so.conf: a directory a line, or "include DIR/... .conf". */
static void
readconf(struct warm *w, const char *name, int depth)
{
	char path[IMAGE_PATH], line[1024], sub[1300];
	FILE *f = image_lookup(w->o->root, name, path) ? 0 : fopen(path, "re");

	while (f && fgets(line, sizeof line, f)) {
		char *s = line + strspn(line, " \t"), *slash;
		struct dirent *e;
		DIR *d;

		s[strcspn(s, "#\n")] = 0;
		adddir(w, s);
		if (strncmp(s, "include ", 8) || !(slash = strrchr(s, '/')) || depth)
			continue;
		*slash = 0;
		d = image_lookup(w->o->root, s + 8, path) ? 0 : opendir(path);
		while (d && (e = readdir(d))) {
			size_t n = strlen(e->d_name);

			snprintf(sub, sizeof sub, "%s/%s", s + 8, e->d_name);
			if (n > 5 && !strcmp(e->d_name + n - 5, ".conf"))
				readconf(w, sub, depth + 1);
		}
		if (d)
			closedir(d);
	}
	if (f)
		fclose(f);
}

static void
directories(struct warm *w)
{
	static const char *const usual[] = { "/lib", "/usr/lib", "/lib64", "/usr/lib64" };
	char dir[128];

	readconf(w, "/etc/ld.so.conf", 0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(dir, sizeof dir, "%s/%s-linux-gnu", usual[i], w->prog.guest->name);
		adddir(w, dir);
	}
	for (size_t i = 0; i < NELEM(usual); i++)
		adddir(w, usual[i]);
}

static int
tryopen(struct warm *w, const char *name)
{
	char path[IMAGE_PATH];
	struct stat st, have;
	gaddr bias;
	int fd = image_lookup(w->o->root, name, path) ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		return 0;
	for (int i = 0; i < w->n; i++)
		if (!fstat(w->object[i].fd, &have) && have.st_ino == st.st_ino && have.st_dev == st.st_dev) {
			close(fd);
			return 1;
		}
	gmem_opened(fd, path, 0);
	if (w->n == MAXOBJECT || image_maplibrary(&w->prog, fd, path, &bias)) {
		close(fd);
		return 0;
	}
	add(w, path, fd, bias);
	return 1;
}

/* A needed library: by its path, along DT_RUNPATH (list), or in the directories of the system. */
static void
need(struct warm *w, const struct object *x, const char *name, const char *list)
{
	char full[2 * IMAGE_PATH], dir[IMAGE_PATH];
	size_t root = w->o->root ? strlen(w->o->root) : 0;
	int found = strchr(name, '/') ? tryopen(w, name) : 0;

	for (const char *s = list; s && *s && !found; s += strcspn(s, ":"), s += *s == ':') {
		int n = (int)strcspn(s, ":"), origin = n >= 7 && !strncmp(s, "$ORIGIN", 7);

		snprintf(dir, sizeof dir, "%s", root && !strncmp(x->path, w->o->root, root) ? x->path + root : x->path);
		if (strrchr(dir, '/'))
			*strrchr(dir, '/') = 0;
		snprintf(full, sizeof full, "%s%.*s/%s", origin ? dir : "", n - 7 * origin, s + 7 * origin, name);
		found = tryopen(w, full);
	}
	for (int i = 0; i < w->ndir && !found; i++) {
		snprintf(full, sizeof full, "%s/%s", w->dir[i], name);
		found = tryopen(w, full);
	}
	if (!found)
		fprintf(stderr, "dragoman: %s: needs %s, which is not found\n", x->path, name);
}

static void
needs(struct warm *w, const struct object *x)
{
	const char *list = 0, *s;
	Elf_Scn *scn = 0;
	GElf_Shdr h;
	GElf_Dyn dyn;

	while ((scn = elf_nextscn(x->elf, scn))) {
		Elf_Data *d;

		if (!gelf_getshdr(scn, &h) || h.sh_type != SHT_DYNAMIC || !(d = elf_getdata(scn, 0)))
			continue;
		for (int i = 0; gelf_getdyn(d, i, &dyn) && dyn.d_tag; i++)
			if (dyn.d_tag == DT_RUNPATH || dyn.d_tag == DT_RPATH)
				list = elf_strptr(x->elf, h.sh_link, dyn.d_un.d_val);
		for (int i = 0; gelf_getdyn(d, i, &dyn) && dyn.d_tag; i++)
			if (dyn.d_tag == DT_NEEDED && (s = elf_strptr(x->elf, h.sh_link, dyn.d_un.d_val)))
				need(w, x, s, list);
	}
}

/* -- one program -- */

static int
load(struct warm *w, const char *path)
{
	char *argv[] = { (char *)path, 0 }, *wrong;
	struct program *p = &w->prog;
	int fd;

	if (image_find(p, path, path, argv, w->o->root)) {
		fprintf(stderr, "dragoman: %s\n", p->err.text);
		return 1;
	}
	if (p->kind != IMAGE_GUEST) {
		fprintf(stderr, "dragoman: %s: not a program of a guest\n", path);
		return 1;
	}
	if ((wrong = model_choose(p->guest, w->o->cpu)))
		diag(D_USAGE, wrong);
	engine_init(p->guest, &(struct engine_options){.host = w->o->host, .features = w->o->features,
	    .codesize = w->o->codesize ? w->o->codesize : CODESIZE, .maxinsn = w->o->single ? 1 : 0});
	gmem_init(p->guest->space, w->o->page ? w->o->page : 4096);
	proc.guest = p->guest;
	proc.abi = p->guest->abi;
	proc.prefix = w->o->root;
	if (image_load(&w->img, p)) {
		fprintf(stderr, "dragoman: %s\n", w->img.err.text);
		return 1;
	}
	w->cpu = thread_init(p->guest);
	add(w, p->path, dup(p->fd), w->img.bias);
	fd = *p->interp ? open(p->interp_path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0)
		add(w, p->interp_path, fd, w->img.interp_base);
	return 0;
}

static int
run(const struct options *o, const char *path)
{
	struct warm *w = xmalloc(sizeof *w);

	w->o = o;
	if (load(w, path))
		return 1;
	directories(w);
	for (int i = 0; i < w->n; i++)
		needs(w, &w->object[i]);
	for (int i = 0; i < w->n; i++)
		translate(w, &w->object[i]);
	engine_end();
	printf("%s: %d files, %llu functions, %llu regions translated\n", path, w->n, (unsigned long long)w->starts,
	    (unsigned long long)w->made);
	return 0;
}

/* The engine serves one program a process. */
int
warm_program(const struct options *o, const char *path)
{
	int status = 0;
	pid_t child;

	fflush(0);
	child = fork();
	if (!child) {
		int r = run(o, path);

		fflush(0);
		_exit(r);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
		fprintf(stderr, "dragoman: %s: cannot be translated ahead of time\n", path);
		return 1;
	}
	return WEXITSTATUS(status);
}
