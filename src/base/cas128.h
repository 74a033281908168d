/* SPDX-License-Identifier: MIT */
/* cas128.h - compare and swap of 16 bytes, inline
 *
 * The one x86-64 machine instruction outside a host's folder: compilers call a library for it that
 * we do not want to need, unless told that every processor has it. */
#ifndef BASE_CAS128_H
#define BASE_CAS128_H

#include "base/word.h"

/* If *p == old then *p = new; returns what *p was.  p is aligned to 16. */
static inline u128
cas128(u128 *p, u128 old, u128 new)
{
#if defined __x86_64__
	u64 low = (u64)old, high = (u64)(old >> 64);

	__asm__ volatile("lock cmpxchg16b %0"
	                 : "+m"(*p), "+a"(low), "+d"(high)
	                 : "b"((u64)new), "c"((u64)(new >> 64)) : "cc", "memory");
	return (u128)high << 64 | low;
#else
	return __sync_val_compare_and_swap(p, old, new);
#endif
}

#endif
