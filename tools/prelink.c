/* SPDX-License-Identifier: MIT */
/* prelink.c - prelink PROGRAM BASE: a static position-independent program gets a place of its own
 *
 * Such a program relocates itself when it starts: dragoman has tables of pointers all over twenty pages, and each
 * process would get copies of all of them, a tenth of its start.  So that is done here, once, in the file, for the
 * place BASE: an address above those of all guests and below where the kernel puts mappings.
 *
 * The kernel loads ET_EXEC where PT_LOAD says.  The C library's start code finds its load address from its own, and
 * adds it to what the other program headers and the dynamic section say: these stay as they are, and so do the few
 * relocations that ask for the processor (IRELATIVE).  The packed relative ones (DT_RELR) are applied, and there are
 * none left.  Sections and symbols move with the program, for debuggers and profilers; line numbers do not. */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t *file;
static Elf64_Ehdr *eh;
static Elf64_Phdr *ph;
static uint64_t base;

/* What address a (as linked) is in the file. */
static void *
place(uint64_t a)
{
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD && a - ph[i].p_vaddr < ph[i].p_filesz)
			return file + ph[i].p_offset + (a - ph[i].p_vaddr);
	errx(1, "address %#lx is not in the file", (unsigned long)a);
}

static Elf64_Dyn *
dynamic(int64_t tag)
{
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_DYNAMIC)
			for (Elf64_Dyn *d = place(ph[i].p_vaddr); d->d_tag != DT_NULL; d++)
				if (d->d_tag == tag)
					return d;
	errx(1, "no dynamic entry %ld: link with -static-pie -z pack-relative-relocs", (long)tag);
}

/* An even entry is the address of a word; an odd one says which of the 63 words after the last are meant (ELF gABI,
 * SHT_RELR). */
static void
relocate(const uint64_t *r, const uint64_t *end)
{
	enum { ATONCE = 63, WORD = 8 };
	uint64_t next = 0;

	for (; r < end; r++) {
		if (!(*r & 1)) {
			*(uint64_t *)place(*r) += base;
			next = *r + WORD;
			continue;
		}
		for (int i = 0; i < ATONCE; i++)
			if (*r >> (i + 1) & 1)
				*(uint64_t *)place(next + (uint64_t)i * WORD) += base;
		next += ATONCE * WORD;
	}
}

static void
move_symbols(const Elf64_Shdr *sh)
{
	Elf64_Sym *s = (Elf64_Sym *)(file + sh->sh_offset);

	for (uint64_t i = 0; i < sh->sh_size / sizeof *s; i++)
		if (s[i].st_shndx != SHN_UNDEF && s[i].st_shndx < SHN_LORESERVE && ELF64_ST_TYPE(s[i].st_info) != STT_TLS)
			s[i].st_value += base;
}

static void
move(void)
{
	Elf64_Shdr *sh = (Elf64_Shdr *)(file + eh->e_shoff);

	for (int i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type == SHT_SYMTAB)
			move_symbols(&sh[i]);
		if (sh[i].sh_flags & SHF_ALLOC)
			sh[i].sh_addr += base;
	}
	for (int i = 0; i < eh->e_phnum; i++)
		if (ph[i].p_type == PT_LOAD)
			ph[i].p_vaddr += base, ph[i].p_paddr += base;
	eh->e_entry += base;
	eh->e_type = ET_EXEC;
}

int
main(int argc, char **argv)
{
	struct stat st;
	Elf64_Dyn *size;
	uint64_t *r;
	int fd;

	if (argc != 3)
		errx(1, "usage: prelink PROGRAM BASE");
	base = strtoull(argv[2], 0, 0);
	if ((fd = open(argv[1], O_RDWR)) < 0 || fstat(fd, &st))
		err(1, "%s", argv[1]);
	file = mmap(0, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (file == MAP_FAILED)
		err(1, "%s", argv[1]);
	eh = (Elf64_Ehdr *)file;
	ph = (Elf64_Phdr *)(file + eh->e_phoff);
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_type != ET_DYN)
		errx(1, "%s is no position-independent program of 64 bits", argv[1]);
	size = dynamic(DT_RELRSZ);
	r = place(dynamic(DT_RELR)->d_un.d_ptr);
	relocate(r, r + size->d_un.d_val / sizeof *r);
	size->d_un.d_val = 0;
	move();
	return 0;
}
