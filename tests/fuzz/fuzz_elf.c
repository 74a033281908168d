/* SPDX-License-Identifier: MIT */
/* fuzz_elf.c - hostile ELF files: whatever elf_read accepts keeps the promises the loader relies on */
#include <assert.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "loader/elf.h"

static void
check(const struct elf *e, const struct elfsrc *s)
{
	u64 end = 0;

	assert(e->low <= e->high && e->nseg <= ELF_MAXSEG);
	for (int i = 0; i < e->nseg; i++) {
		const struct elfseg *g = &e->seg[i];

		if (g->type != PT_LOAD || !g->memsz)
			continue;
		assert(g->filesz <= g->memsz);
		assert(g->off + g->filesz >= g->off && g->vaddr + g->memsz >= g->vaddr);
		assert(g->vaddr >= end);       /* ascending, apart */
		end = g->vaddr + g->memsz;
	}
	assert(memchr(e->interp, 0, sizeof e->interp));
	(void)s;
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct elfsrc s = {-1, size, data, size};
	const char *why = 0;
	struct elf e;
	int r = elf_read(&e, &s, 4096, &why);

	assert(r <= 0);
	if (r) {
		assert(why);
		return 0;
	}
	check(&e, &s);
	elf_guest(&e);
	elf_free(&e);
	return 0;
}
