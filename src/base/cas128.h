/* SPDX-License-Identifier: MIT */
/* cas128.h - compare and swap of 16 bytes, inline
 *
 * Compilers for x86-64 emit the instruction only if told that every processor has it. */
#ifndef BASE_CAS128_H
#define BASE_CAS128_H

#include "base/word.h"

#if defined __x86_64__ && !defined __GCC_HAVE_SYNC_COMPARE_AND_SWAP_16
#define CAS128_TARGET __attribute__((target("cx16")))
#else
#define CAS128_TARGET
#endif

/* If *p == old then *p = new; returns what *p was.  p is aligned to 16. */
CAS128_TARGET static inline u128
cas128(u128 *p, u128 old, u128 new)
{
	return __sync_val_compare_and_swap(p, old, new);
}

#endif
