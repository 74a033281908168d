/* SPDX-License-Identifier: MIT */
/* map.c - maps a program and its interpreter */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/util.h"
#include "loader/elf.h"
#include "loader/loader.h"

enum { FIXED = MAP_PRIVATE | MAP_FIXED };

/* A file being mapped. */
struct object {
	struct elf elf;
	int fd;
	const char *shown;             /* its name for the guest */
	gaddr bias;
	gaddr end;                     /* page-rounded end of what has been mapped */
	const struct elfseg *head;     /* the segment that was mapped with the whole, or 0 */
};

/* The name is that of the open file. */
static int
names(const char *path, int fd)
{
	struct stat a, b;

	return !stat(path, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* The open file's absolute name without links into buf (IMAGE_PATH bytes): from the path it was opened by if that
 * still leads to it, else by its descriptor where there is a /proc, which is asked last: see ownpath in main.c. */
static int
realname(int fd, const char *path, char *buf)
{
	char link[32];
	ssize_t n;

	if (realpath(path, buf) && names(buf, fd))
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, buf, IMAGE_PATH - 1);
	if (n > 0 && *buf == '/') {
		buf[n] = 0;
		return 0;
	}
	return realpath(path, buf) ? 0 : -errno;
}

/* What /proc/self/maps calls a file: absolute, without links and prefix.  buf: IMAGE_PATH bytes, which will hold the
 * name with the prefix. */
static const char *
shown(const struct program *p, int fd, const char *path, int isreal, char *buf)
{
	size_t n = p->prefix ? strlen(p->prefix) : 0;

	if (isreal || realname(fd, path, buf))
		snprintf(buf, IMAGE_PATH, "%s", path);
	while (n && p->prefix[n - 1] == '/')
		n--;
	return n && !strncmp(buf, p->prefix, n) && buf[n] == '/' ? buf + n : buf;
}

static int
protof(const struct elfseg *s)
{
	return (s->flags & PF_R ? PROT_READ : 0) | (s->flags & PF_W ? PROT_WRITE : 0) |
	       (s->flags & PF_X ? PROT_EXEC : 0);
}

/* The first segment begins the file, and the file holds all of it. */
static const struct elfseg *
head(const struct elf *e)
{
	for (int i = 0; i < e->nseg; i++) {
		const struct elfseg *s = &e->seg[i];

		if (s->type == PT_LOAD && s->memsz)
			return s->off < gmem.pagesize && s->filesz == s->memsz && !(s->flags & PF_W) ? s : 0;
	}
	return 0;
}

/* The address space for all segments: where the file asks for an ET_EXEC; for ET_DYN the
 * whole file is mapped first, as ld.so does, so that the file decides the place: as the first
 * segment wants it, which is mapped with it. */
static int
reserve(struct object *o)
{
	const struct elf *e = &o->elf;
	u64 page = gmem.pagesize, align = e->maxalign > page ? e->maxalign : page;
	gaddr low = aligndown(e->low, page), high = alignup(e->high, page);
	u64 len = high - low, slack = align > 0x10000 ? align : 0;
	gaddr at;
	s64 r;

	if (e->type == ET_EXEC) {
		r = gmem_map(low, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			     MAP_FIXED_NOREPLACE, -1, 0, 0);
		o->bias = 0;
		return r < 0 ? (int)r : 0;
	}
	o->head = head(e);
	r = gmem_map(0, len + slack, o->head ? protof(o->head) : PROT_READ, MAP_PRIVATE, o->fd, 0, o->shown);
	if (r < 0)
		return (int)r;
	/* p_vaddr and the address must agree modulo the alignment */
	at = (gaddr)r;
	if (slack) {
		at = alignup(at - low % align, align) + low % align;
		if (at < (gaddr)r)
			at += align;
		if (at > (gaddr)r)
			gmem_unmap((gaddr)r, at - (gaddr)r);
		if (at + len < (gaddr)r + len + slack)
			gmem_unmap(at + len, (gaddr)r + slack - at);
	}
	o->bias = at - low;
	if (o->head)
		o->end = alignup(o->bias + o->head->vaddr + o->head->memsz, page);
	return 0;
}

/* The part of a segment that the file does not hold. */
static int
mapbss(struct object *o, const struct elfseg *s)
{
	u64 page = gmem.pagesize;
	gaddr zero = o->bias + s->vaddr + s->filesz, end = o->bias + s->vaddr + s->memsz;
	gaddr from = alignup(zero, page);
	s64 r = 0;

	if (!s->filesz && aligndown(zero, page) >= o->end)
		from = aligndown(zero, page);
	/* The rest of the page too: ld.so takes what is behind its bss for fresh memory. */
	if (from > zero && s->flags & PF_W && gmem_prot(zero) & GM_WRITE)
		memset(g2h(zero), 0, from - zero);
	if (alignup(end, page) > from)
		r = gmem_map(from, alignup(end, page) - from, protof(s), FIXED | MAP_ANONYMOUS, -1,
			     0, 0);
	return r < 0 ? (int)r : 0;
}

static int
mapseg(struct object *o, const struct elfseg *s)
{
	u64 page = gmem.pagesize;
	gaddr start = aligndown(o->bias + s->vaddr, page);
	gaddr end = alignup(o->bias + s->vaddr + s->memsz, page);
	int r = 0;

	/* what lies between two segments belongs to neither */
	if (o->end && start > o->end)
		gmem_unmap(o->end, start - o->end);
	if (s->filesz) {
		u64 lead = o->bias + s->vaddr - start;
		s64 a = gmem_map(start, lead + s->filesz, protof(s), FIXED, o->fd, s->off - lead,
				 o->shown);
		r = a < 0 ? (int)a : 0;
	}
	if (!r && s->memsz > s->filesz)
		r = mapbss(o, s);
	o->end = end;
	return r;
}

static int
mapall(struct object *o)
{
	int r = reserve(o);

	for (int i = 0; !r && i < o->elf.nseg; i++) {
		const struct elfseg *s = &o->elf.seg[i];

		if (s->type == PT_LOAD && s->memsz && s != o->head)
			r = mapseg(o, s);
	}
	return r;
}

static int
readelf(struct object *o, const char **why)
{
	u8 head[ELF_PEEK];
	struct stat st;
	ssize_t n = pread(o->fd, head, sizeof head, 0);
	struct elfsrc s = { o->fd, 0, head, 0 };

	*why = "it cannot be read";
	if (n < 0 || fstat(o->fd, &st))
		return -errno;
	s.n = (size_t)n;
	s.size = (u64)st.st_size;
	return elf_read(&o->elf, &s, gmem.pagesize, why);
}

static void
note_ranges(struct image *img, const struct object *o)
{
	for (int i = 0; i < o->elf.nseg; i++) {
		const struct elfseg *s = &o->elf.seg[i];
		gaddr a = o->bias + s->vaddr;

		if (s->type != PT_LOAD)
			continue;
		if (s->flags & PF_X && !img->code1)
			img->code0 = a, img->code1 = a + s->filesz;
		else if (s->flags & PF_W && !img->data1)
			img->data0 = a, img->data1 = a + s->filesz;
	}
	img->low = o->bias + o->elf.low;
	img->high = o->bias + o->elf.high;
}

static int
load_interp(struct image *img, const struct program *p)
{
	char name[IMAGE_PATH];
	struct object o = { 0 };
	const char *why = 0;
	int r;

	o.fd = p->interp_fd;
	o.shown = shown(p, o.fd, p->interp_path, p->interp_isreal, name);
	r = readelf(&o, &why);
	if (!r && (r = mapall(&o)))
		why = strerror(-r);
	if (!r) {
		img->interp_base = o.bias;
		img->entry = o.bias + o.elf.entry;
		img->property = o.elf.property;
	}
	elf_free(&o.elf);
	return r ? FAIL(img, r, D_BADINTERP, p->name, p->interp, why) : 0;
}

int
image_maplibrary(const struct program *p, int fd, const char *path, gaddr *bias)
{
	char name[IMAGE_PATH];
	struct object o = { .fd = fd, .shown = shown(p, fd, path, 0, name) };
	const char *why;
	int r = readelf(&o, &why);

	if (!r && (o.elf.type != ET_DYN || elf_guest(&o.elf) != p->guest))
		r = -ENOEXEC;
	if (!r)
		r = mapall(&o);
	*bias = o.bias;
	elf_free(&o.elf);
	return r;
}

static int
load_program(struct image *img, const struct program *p)
{
	char name[IMAGE_PATH];
	struct object o = { .fd = p->fd, .shown = shown(p, p->fd, p->path, p->isreal, name) };
	const char *why;
	char size[32];
	int r = readelf(&o, &why);

	img->real = xstrdup(name);
	if (r)
		return FAIL(img, r, D_BADELF, p->name, why);
	r = mapall(&o);
	if (r) {
		snprintf(size, sizeof size, "%llu bytes",
			 (unsigned long long)(o.elf.high - o.elf.low));
		elf_free(&o.elf);
		return FAIL(img, r, D_NOSPACE, p->name, size, strerror(-r));
	}
	img->bias = o.bias;
	img->entry = img->prog_entry = o.bias + o.elf.entry;
	img->phdr = o.elf.phdr ? o.bias + o.elf.phdr : 0;
	img->phnum = o.elf.nseg;
	img->phent = o.elf.phent;
	img->property = o.elf.property;
	img->execstack = o.elf.stack > 0 && o.elf.stack & PF_X;
	img->is_static = !*o.elf.interp;
	note_ranges(img, &o);
	elf_free(&o.elf);
	return 0;
}

int
image_load(struct image *img, const struct program *p)
{
	int r;

	memset(img, 0, sizeof *img);
	img->guest = p->guest;
	r = load_program(img, p);
	if (!r && *p->interp)
		r = load_interp(img, p);
	if (!r)
		r = vdso_map(img);
	return r;
}
