/* SPDX-License-Identifier: MIT */
/* image_own.h - what the reader and the writer of cache files share */
#ifndef CORE_IMAGE_OWN_H
#define CORE_IMAGE_OWN_H

#include "core/image.h"

enum { IMAGE_VERSION = 5 };

extern const u32 cimage_elem[NTABLE];           /* bytes of a table's element */
extern const u8 cimage_magic[8];
const char *cimage_view(struct cimage *, const u8 *base, u64 size);        /* cimage_check, without sums */
u32 cimage_hash(gaddr pc, u32 mode);

#endif
