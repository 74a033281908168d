/* SPDX-License-Identifier: MIT */
/* cas128.h - compare and swap of 16 bytes
 *
 * Compilers call a library for it that we do not want to need; so the body is with what depends on
 * the machine (backend/interp/cas128.c), as with hostcall.h. */
#ifndef BASE_CAS128_H
#define BASE_CAS128_H

#include "base/word.h"

/* If *p == old then *p = new; returns what *p was.  One access to the 16 bytes at p, aligned to 16. */
u128 cas128(u128 *p, u128 old, u128 new);

#endif
