/* SPDX-License-Identifier: MIT */
/* elf.c - reads and checks the headers of an ELF file
 *
 * The file may be anybody's: no number in it is believed before it has been compared with the
 * file's size and the limits here.  libelf turns headers of either class and byte order into the
 * host's; they become the wider of the two forms. */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/util.h"
#include "loader/elf.h"

/* put in place by the link editor: our own ELF header, which names the host */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

static const u64 TASK = (u64)1 << 47;
static const u64 ALIGN_MAX = 1 << 30;
enum { NOTE_MAX = 4096, PROPERTY_AARCH64_FEATURE = 0xc0000000 };

/* n bytes at off; 0 if the file has them */
static int
fetch(const struct elfsrc *s, u64 off, void *buf, size_t n)
{
	if (off > s->size || n > s->size - off)
		return -ENOEXEC;
	if (off <= s->n && n <= s->n - off) {
		memcpy(buf, s->mem + off, n);
		return 0;
	}
	if (s->fd < 0)
		return -ENOEXEC;
	for (size_t got = 0; got < n; ) {
		ssize_t r = pread(s->fd, (u8 *)buf + got, n - got, (off_t)(off + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -ENOEXEC;
		got += (size_t)r;
	}
	return 0;
}

int
elf_is(const struct elfsrc *s)
{
	return s->n >= EI_NIDENT && !memcmp(s->mem, ELFMAG, SELFMAG);
}

/* libelf's translation of one header from the file's form. */
static int
tohost(const struct elf *e, Elf_Type type, void *dst, size_t dn, void *src, size_t sn)
{
	Elf_Data d = { .d_buf = dst, .d_size = dn, .d_type = type, .d_version = EV_CURRENT };
	Elf_Data s = { .d_buf = src, .d_size = sn, .d_type = type, .d_version = EV_CURRENT };
	Elf_Data *r = e->class == ELFCLASS64 ? elf64_xlatetom(&d, &s, e->data)
					     : elf32_xlatetom(&d, &s, e->data);

	return r ? 0 : -ENOEXEC;
}

static int
readehdr(struct elf *e, const struct elfsrc *s, Elf64_Ehdr *h)
{
	union { Elf64_Ehdr w; Elf32_Ehdr n; } raw, out;
	size_t size;

	memset(e, 0, offsetof(struct elf, interp) + 1);
	if (!elf_is(s) || fetch(s, 0, &raw, EI_NIDENT))
		return -ENOEXEC;
	e->class = raw.w.e_ident[EI_CLASS];
	e->data = raw.w.e_ident[EI_DATA];
	if ((e->class != ELFCLASS32 && e->class != ELFCLASS64) ||
	    (e->data != ELFDATA2LSB && e->data != ELFDATA2MSB))
		return -ENOEXEC;
	size = e->class == ELFCLASS64 ? sizeof raw.w : sizeof raw.n;
	elf_version(EV_CURRENT);
	if (fetch(s, 0, &raw, size) || tohost(e, ELF_T_EHDR, &out, size, &raw, size))
		return -ENOEXEC;
	if (e->class == ELFCLASS64) {
		*h = out.w;
	} else {
		*h = (Elf64_Ehdr){ .e_type = out.n.e_type, .e_machine = out.n.e_machine,
			.e_version = out.n.e_version, .e_entry = out.n.e_entry,
			.e_phoff = out.n.e_phoff, .e_flags = out.n.e_flags,
			.e_phentsize = out.n.e_phentsize, .e_phnum = out.n.e_phnum };
	}
	e->type = h->e_type;
	e->machine = h->e_machine;
	e->flags = h->e_flags;
	e->entry = h->e_entry;
	e->phoff = h->e_phoff;
	e->phent = h->e_phentsize;
	e->nseg = h->e_phnum;
	return 0;
}

int
elf_ident(struct elf *e, const struct elfsrc *s)
{
	Elf64_Ehdr h;
	int r = readehdr(e, s, &h);

	e->nseg = 0;
	return r;
}

static int
readphdrs(struct elf *e, const struct elfsrc *s, const char **why)
{
	size_t size = e->class == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), n;
	int count = e->nseg, r = 0;
	void *raw, *out;

	e->nseg = 0;
	*why = "the program header table has an impossible size";
	if (e->phent != (int)size || count < 1 || count > ELF_MAXSEG)
		return -ENOEXEC;
	n = size * (size_t)count;
	raw = xmalloc(n);
	out = xmalloc(n);
	*why = "the program header table lies beyond the end of the file";
	r = fetch(s, e->phoff, raw, n);
	if (!r)
		r = tohost(e, ELF_T_PHDR, out, n, raw, n);
	if (!r) {
		e->seg = xmalloc((size_t)count * sizeof *e->seg);
		e->nseg = count;
	}
	for (int i = 0; !r && i < count; i++) {
		const Elf64_Phdr *w = (const Elf64_Phdr *)out + i;
		const Elf32_Phdr *h = (const Elf32_Phdr *)out + i;

		e->seg[i] = e->class == ELFCLASS64
			? (struct elfseg){ w->p_type, w->p_flags, w->p_offset, w->p_vaddr,
					   w->p_filesz, w->p_memsz, w->p_align }
			: (struct elfseg){ h->p_type, h->p_flags, h->p_offset, h->p_vaddr,
					   h->p_filesz, h->p_memsz, h->p_align };
	}
	free(raw);
	free(out);
	return r;
}

/* One PT_LOAD against the file, the address space and its predecessor. */
static const char *
checkload(struct elf *e, const struct elfseg *p, const struct elfsrc *s, u64 page)
{
	if (p->filesz > p->memsz)
		return "a segment is larger in the file than in memory";
	if (p->off > s->size || p->filesz > s->size - p->off)
		return "a segment lies beyond the end of the file (is the file complete?)";
	if (p->vaddr >= TASK || p->memsz >= TASK - p->vaddr)
		return "a segment lies outside the address space";
	if (p->align & (p->align - 1))
		return "a segment's alignment is no power of two";
	if (p->filesz && (p->vaddr - p->off) % page)
		return "a segment's address and file offset do not agree modulo the page size";
	if (e->high && p->vaddr < e->high)
		return "the segments overlap or are not in ascending order";
	return 0;
}

static int
checkloads(struct elf *e, const struct elfsrc *s, u64 page, const char **why)
{
	int found = 0;

	e->low = ~(u64)0;
	e->maxalign = page;
	for (int i = 0; i < e->nseg; i++) {
		const struct elfseg *p = &e->seg[i];
		u64 n = (u64)e->phent * (u64)e->nseg;

		if (p->type != PT_LOAD || !p->memsz)
			continue;
		if ((*why = checkload(e, p, s, page)))
			return -ENOEXEC;
		found = 1;
		if (p->vaddr < e->low)
			e->low = p->vaddr;
		e->high = p->vaddr + p->memsz;
		if (p->align > e->maxalign && p->align <= ALIGN_MAX)
			e->maxalign = p->align;
		if (e->phoff >= p->off && e->phoff - p->off <= p->filesz &&
		    n <= p->filesz - (e->phoff - p->off))
			e->phdr = p->vaddr + (e->phoff - p->off);
	}
	*why = "it has no segment to load";
	return found ? 0 : -ENOEXEC;
}

static int
readinterp(struct elf *e, const struct elfseg *p, const struct elfsrc *s, const char **why)
{
	*why = "the interpreter's name is damaged";
	if (*e->interp)
		return 0;              /* Linux takes the first */
	if (p->filesz < 2 || p->filesz > sizeof e->interp ||
	    fetch(s, p->off, e->interp, p->filesz) || e->interp[p->filesz - 1])
		return -ENOEXEC;
	if (!*e->interp)
		return -ENOEXEC;
	return 0;
}

/* A note of type NT_GNU_PROPERTY_TYPE_0: properties padded to the word size.  A damaged one is
 * ignored, as Linux does for machines that make no use of it. */
static void
readproperty(struct elf *e, const struct elfseg *p, const struct elfsrc *s)
{
	u8 note[NOTE_MAX];
	int big = e->data == ELFDATA2MSB, word = e->class == ELFCLASS64 ? 8 : 4;
	u64 n, end;

	if (p->filesz < 16 || p->filesz > sizeof note || fetch(s, p->off, note, p->filesz))
		return;
	n = ldn(note + 4, 4, big);
	if (ldn(note, 4, big) != 4 || ldn(note + 8, 4, big) != 5 || memcmp(note + 12, "GNU", 4) ||
	    n > p->filesz - 16)
		return;
	end = 16 + n;
	for (u64 i = 16; i + 8 <= end; ) {
		u64 type = ldn(note + i, 4, big), size = ldn(note + i + 4, 4, big);

		if (size > end - i - 8)
			return;
		if (type == PROPERTY_AARCH64_FEATURE && size >= 4)
			e->property = (u32)ldn(note + i + 8, 4, big);
		i += 8 + alignup(size, (u64)word);
	}
}

int
elf_read(struct elf *e, const struct elfsrc *s, u64 pagesize, const char **why)
{
	Elf64_Ehdr h;
	int r = readehdr(e, s, &h);

	e->stack = -1;
	*why = "the ELF header is damaged";
	if (r || h.e_version != EV_CURRENT) {
		e->nseg = 0;
		return -ENOEXEC;
	}
	*why = "it is an object file or core dump, not a program";
	if (e->type != ET_EXEC && e->type != ET_DYN) {
		e->nseg = 0;
		return -ENOEXEC;
	}
	r = readphdrs(e, s, why);
	if (!r)
		r = checkloads(e, s, pagesize, why);
	for (int i = 0; !r && i < e->nseg; i++) {
		const struct elfseg *p = &e->seg[i];

		if (p->type == PT_INTERP)
			r = readinterp(e, p, s, why);
		else if (p->type == PT_GNU_STACK)
			e->stack = (int)(p->flags & 7);
		else if (p->type == PT_GNU_PROPERTY)
			readproperty(e, p, s);
	}
	if (r)
		elf_free(e);
	return r;
}

void
elf_free(struct elf *e)
{
	free(e->seg);
	e->seg = 0;
	e->nseg = 0;
}

/* -- who runs it -- */

const struct guest *
elf_guest(const struct elf *e)
{
	for (const struct guest *const *g = guests; *g; g++)
		if ((*g)->elf.machine == e->machine && (*g)->elf.class == e->class &&
		    (*g)->elf.data == e->data && (e->flags & (*g)->elf.mask) == (*g)->elf.flags)
			return *g;
	return 0;
}

int
elf_ishost(const struct elf *e)
{
	return e->machine == __ehdr_start.e_machine && e->class == __ehdr_start.e_ident[EI_CLASS] &&
	       e->data == __ehdr_start.e_ident[EI_DATA];
}

const char *
elf_machine(int machine)
{
	static const struct { int number; const char *name; } names[] = {
		{ EM_386, "i386" }, { EM_X86_64, "x86-64" }, { EM_ARM, "ARM" }, { EM_AARCH64, "AArch64" },
		{ EM_RISCV, "RISC-V" }, { EM_MIPS, "MIPS" }, { EM_PPC, "PowerPC" },
		{ EM_PPC64, "64-bit PowerPC" }, { EM_SPARC, "SPARC" }, { EM_SPARC32PLUS, "SPARC v8+" },
		{ EM_SPARCV9, "SPARC v9" }, { EM_S390, "S/390" }, { EM_68K, "m68k" },
		{ EM_SH, "SuperH" }, { EM_ALPHA, "Alpha" }, { EM_PARISC, "PA-RISC" },
		{ EM_IA_64, "IA-64" }, { EM_XTENSA, "Xtensa" }, { EM_MICROBLAZE, "MicroBlaze" },
		{ EM_BPF, "BPF" }, { 258, "LoongArch" },
	};
	static _Thread_local char text[32];

	for (size_t i = 0; i < NELEM(names); i++)
		if (names[i].number == machine)
			return names[i].name;
	snprintf(text, sizeof text, "ELF machine %d", machine);
	return text;
}
