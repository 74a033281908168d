/* SPDX-License-Identifier: MIT */
/* symbol.h - names of guest code, for people */
#ifndef LOADER_SYMBOL_H
#define LOADER_SYMBOL_H

#include "base/word.h"

/* The place of a guest address as text at buf, of n bytes: "memcpy+0x20", where no symbol covers it
 * "libc.so.6+0x1234", where no file is mapped the address.  Files are read when first asked for; one call at a
 * time. */
void symbol_at(gaddr pc, char *buf, size_t n);

#endif
