/* SPDX-License-Identifier: MIT */
/* fuzz_image.c - hostile cache files: a file whose checksums are right, whatever else it holds, is refused or can be
 * searched without harm */
#include <stdlib.h>
#include <string.h>
#include "core/image_own.h"

/* Makes what a flipped bit would break right again, so that the checks behind the checksums are reached. */
static u8 *
repaired(const u8 *data, size_t size)
{
	struct cimage_header *h;
	u8 *p = aligned_alloc(64, size);

	memcpy(p, data, size);
	h = (struct cimage_header *)p;
	memcpy(h->magic, "dragoman", 8);
	h->version = IMAGE_VERSION;
	h->headersize = sizeof *h;
	h->size = size;
	h->sum = cimage_sum(p + sizeof *h, size - sizeof *h);
	h->headsum = cimage_sum(h, offsetof(struct cimage_header, headsum));
	return p;
}

static void
search(const struct cimage *m)
{
	for (u32 i = 0; i < m->nregion && i < 64; i++) {
		const struct cimage_region *r = &m->region[i];

		struct source s;

		cimage_find(m, r->pc, r->mode);
		cimage_at(m, m->code + r->code);
		cimage_pcat(m, i, m->code + r->code);
		cimage_source(m, i, &s);
	}
	cimage_find(m, 0x400000, 0);
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct cimage m;
	u8 *p;

	size -= size % 64;
	if (size < sizeof(struct cimage_header))
		return 0;
	p = repaired(data, size);
	if (!cimage_check(&m, p, size, 0))
		search(&m);
	free(p);
	return 0;
}
