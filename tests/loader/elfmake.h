/* SPDX-License-Identifier: MIT */
/* elfmake.h - builds small ELF files for the tests of this folder */
#ifndef TESTS_ELFMAKE_H
#define TESTS_ELFMAKE_H

#include <elf.h>
#include <string.h>
#include "base/word.h"

/* Text at file offset 0 (with headers), data at 0x1000 with 0x234 bytes in the file and a bss
 * reaching into two more pages, an interpreter, a stack note and a GNU property.  Returns size. */
static inline size_t
elf_make(u8 *f, size_t cap, u16 type, u16 machine, u64 base, const char *interp)
{
	Elf64_Ehdr *h = (Elf64_Ehdr *)f;
	Elf64_Phdr *p = (Elf64_Phdr *)(f + 64);
	static const u8 note[] = { 4, 0, 0, 0, 16, 0, 0, 0, 5, 0, 0, 0, 'G', 'N', 'U', 0,
				   0, 0, 0, 0xc0, 4, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0 };
	size_t size = 0x1234;
	int n = 0;

	memset(f, 0, cap);
	memcpy(f + 0x800, note, sizeof note);
	if (interp)
		strcpy((char *)f + 0x700, interp);
	memset(f + 0x1000, 0x5a, 0x234);
	*h = (Elf64_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = type, .e_machine = machine, .e_version = EV_CURRENT,
		.e_entry = base + 0x900, .e_phoff = 64, .e_ehsize = 64, .e_phentsize = 56 };
	if (interp)
		p[n++] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_offset = 0x700, .p_vaddr = base + 0x700,
			.p_filesz = strlen(interp) + 1, .p_memsz = strlen(interp) + 1 };
	p[n++] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = base,
		.p_filesz = 0x1000, .p_memsz = 0x1000, .p_align = 0x10000 };
	p[n++] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 0x1000,
		.p_vaddr = base + 0x11000, .p_filesz = 0x234, .p_memsz = 0x2500, .p_align = 0x10000 };
	p[n++] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
	p[n++] = (Elf64_Phdr){ .p_type = PT_GNU_PROPERTY, .p_offset = 0x800, .p_vaddr = base + 0x800,
		.p_filesz = sizeof note, .p_memsz = sizeof note, .p_align = 8 };
	h->e_phnum = (u16)n;
	return size;
}

#endif
