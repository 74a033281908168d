/* SPDX-License-Identifier: MIT */
/* elf.h - the parts of an ELF file that matter for running it, checked */
#ifndef LOADER_ELF_H
#define LOADER_ELF_H

#include "base/guest.h"
#include "base/word.h"

enum { ELF_MAXSEG = 1024, ELF_PEEK = 1024 };

/* Where the bytes come from: a file, of which the first bytes are already here, or memory. */
struct elfsrc {
	int fd;                        /* -1: mem holds the whole file */
	u64 size;                      /* of the file */
	const u8 *mem; size_t n;       /* its first n bytes */
};

struct elfseg { u32 type, flags; u64 off, vaddr, filesz, memsz, align; };

struct elf {
	u8 class, data;                /* ELFCLASS*, ELFDATA* */
	u16 type, machine;
	u32 flags;
	u64 entry, phoff;
	int phent, nseg;
	struct elfseg *seg;            /* malloc'd; elf_free */
	u64 low, high;                 /* of all PT_LOAD, before rounding to pages */
	u64 maxalign;                  /* largest alignment of a PT_LOAD */
	u64 phdr;                      /* virtual address of the program headers, 0 if not loaded */
	int stack;                     /* PF_* of PT_GNU_STACK, -1 without one */
	u32 property;                  /* FEATURE_1_AND of PT_GNU_PROPERTY, 0 without */
	char interp[4096];             /* "" if none */
};

int elf_is(const struct elfsrc *);             /* begins with the magic number */
/* machine of the header alone: 0 if it is none, else *e's class, data, type, machine, flags */
int elf_ident(struct elf *e, const struct elfsrc *);
/* Everything; 0, or -ENOEXEC (not loadable at all) or -errno with a text in *why. */
int elf_read(struct elf *, const struct elfsrc *, u64 pagesize, const char **why);
void elf_free(struct elf *);

const struct guest *elf_guest(const struct elf *);     /* who translates it, or 0 */
int elf_ishost(const struct elf *);            /* built for the machine dragoman was built for */
const char *elf_machine(int machine);          /* its name, for messages */

#endif
