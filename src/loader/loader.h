/* SPDX-License-Identifier: MIT */
/* loader.h - what the files of this room share */
#ifndef LOADER_LOADER_H
#define LOADER_LOADER_H

#include "base/diag.h"
#include "base/vdso.h"
#include "loader/image.h"

/* Stores the message of the table in x->err and yields r. */
#define FAIL(x, r, ...) ((x)->err.status = diag_text((x)->err.text, IMAGE_ERR, __VA_ARGS__), (r))

/* Builds the shared object of v in buf; returns its size, 0 if it does not fit in n bytes. */
size_t vdso_build(const struct vdso *v, u16 machine, u8 *buf, size_t n);
/* Builds and maps it; sets img->vdso and sigreturn, gmem.vdso0 and vdso1.  0 or -errno. */
int vdso_map(struct image *);
enum { VDSO_TEXT = 0x800 };            /* offset of the code in the object */

#endif
