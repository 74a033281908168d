/* SPDX-License-Identifier: MIT */
/* symbol.c - names of guest code: the ELF symbols of mapped files
 *
 * A file is found by the host's own list of mappings, because the guest's names for files are not ours
 * (-L, chroot), and read with libelf, which believes no number in it.  What cannot be read has no
 * names; nobody is told. */
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/gmem.h"
#include "base/util.h"
#include "loader/symbol.h"

struct sym { u64 at, size; char *name; };
struct symfile {
	u64 dev, ino;
	struct sym *sym; int nsym, capsym;
	struct { u64 off, size, vaddr; } *seg; int nseg, capseg;
	struct symfile *next;
};
static struct symfile *files;

/* -- reading -- */
static int
isnamed(const GElf_Sym *s)
{
	int type = GELF_ST_TYPE(s->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC) && s->st_shndx != SHN_UNDEF;
}

static void
readsyms(struct symfile *f, Elf *e, Elf_Scn *scn)
{
	Elf_Data *d = elf_getdata(scn, 0);
	GElf_Shdr h;
	GElf_Sym s;
	const char *name;

	if (!d || !gelf_getshdr(scn, &h))
		return;
	for (int i = 1; gelf_getsym(d, i, &s); i++)
		if (isnamed(&s) && (name = elf_strptr(e, h.sh_link, s.st_name)) && *name) {
			grow(&f->sym, f->nsym, &f->capsym, sizeof *f->sym);
			f->sym[f->nsym++] = (struct sym){s.st_value, s.st_size, xstrdup(name)};
		}
}

static int
byaddress(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static void
readfile(struct symfile *f, int fd)
{
	Elf *e = elf_version(EV_CURRENT) == EV_NONE ? 0 : elf_begin(fd, ELF_C_READ, 0);
	size_t n = 0;
	GElf_Phdr p;
	GElf_Shdr h;

	if (!e || elf_getphdrnum(e, &n))
		n = 0;
	for (size_t i = 0; i < n && gelf_getphdr(e, (int)i, &p); i++)
		if (p.p_type == PT_LOAD) {
			grow(&f->seg, f->nseg, &f->capseg, sizeof *f->seg);
			f->seg[f->nseg].off = p.p_offset;
			f->seg[f->nseg].size = p.p_filesz;
			f->seg[f->nseg++].vaddr = p.p_vaddr;
		}
	for (Elf_Scn *scn = 0; e && (scn = elf_nextscn(e, scn));)
		if (gelf_getshdr(scn, &h) && (h.sh_type == SHT_SYMTAB || h.sh_type == SHT_DYNSYM))
			readsyms(f, e, scn);
	elf_end(e);
	qsort(f->sym, (size_t)f->nsym, sizeof *f->sym, byaddress);
}

/* The file that the host has mapped at this address of its own; -1 if there is none. */
static int
openmapped(u64 at)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char *line = 0, *path;
	size_t cap = 0;
	unsigned long long lo, hi;
	int fd = -1, skip;

	while (maps && fd < 0 && getline(&line, &cap, maps) > 0)
		if (sscanf(line, "%llx-%llx %*s %*s %*s %*s %n", &lo, &hi, &skip) == 2 && at >= lo && at < hi) {
			path = line + skip;
			path[strcspn(path, "\n")] = 0;
			fd = *path == '/' ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
			break;
		}
	free(line);
	if (maps)
		fclose(maps);
	return fd;
}

static const struct symfile *
need(const struct vma *v, gaddr pc)
{
	struct symfile *f = files;
	int fd;

	while (f && (f->dev != v->dev || f->ino != v->ino))
		f = f->next;
	if (f)
		return f;
	f = xmalloc(sizeof *f);
	f->dev = v->dev;
	f->ino = v->ino;
	f->next = files;
	files = f;
	if ((fd = openmapped(pc + gmem.base)) >= 0) {
		readfile(f, fd);
		close(fd);
	}
	return f;
}

/* -- looking up -- */
static const struct sym *
find(const struct symfile *f, u64 off, u64 *at)
{
	int lo = 0, hi = f->nsym, s;

	for (s = 0; s < f->nseg && off - f->seg[s].off >= f->seg[s].size; s++)
		;
	if (s == f->nseg)
		return 0;
	*at = off - f->seg[s].off + f->seg[s].vaddr;
	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (f->sym[mid].at <= *at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && *at - f->sym[lo - 1].at < f->sym[lo - 1].size ? &f->sym[lo - 1] : 0;
}

void
symbol_at(gaddr pc, char *buf, size_t n)
{
	const struct sym *s;
	const char *name;
	struct vma v;
	u64 off, at;

	if (gmem_find(pc, &v) || !v.ino) {
		snprintf(buf, n, "%#llx", (unsigned long long)pc);
		return;
	}
	off = pc - v.start + v.off;
	if ((s = find(need(&v, pc), off, &at))) {
		name = s->name;
		off = at - s->at;
	} else {
		name = v.path && strrchr(v.path, '/') ? strrchr(v.path, '/') + 1 : "?";
	}
	if (off)
		snprintf(buf, n, "%s+%#llx", name, (unsigned long long)off);
	else
		snprintf(buf, n, "%s", name);
}
