/* SPDX-License-Identifier: MIT */
/* cas128.c - compare and swap of 16 bytes, for each machine that has it */
#include "base/cas128.h"

#if defined __x86_64__
u128
cas128(u128 *p, u128 old, u128 new)
{
	u64 low = (u64)old, high = (u64)(old >> 64);

	__asm__ volatile("lock cmpxchg16b %0"
	                 : "+m"(*p), "+a"(low), "+d"(high)
	                 : "b"((u64)new), "c"((u64)(new >> 64)) : "cc", "memory");
	return (u128)high << 64 | low;
}
#elif defined __aarch64__
u128
cas128(u128 *p, u128 old, u128 new)
{
	u64 low, high;
	u32 failed;

	do {                           /* the store also when unequal: only then was the pair read as one */
		__asm__ volatile("ldaxp %0, %1, %2" : "=r"(low), "=r"(high) : "Q"(*p) : "memory");
		u128 was = (u128)high << 64 | low, put = was == old ? new : was;
		__asm__ volatile("stlxp %w0, %2, %3, %1"
		                 : "=&r"(failed), "=Q"(*p) : "r"((u64)put), "r"((u64)(put >> 64)) : "memory");
	} while (failed);
	return (u128)high << 64 | low;
}
#else
#include <stdatomic.h>

/* No such instruction: atomic among ourselves only. */
u128
cas128(u128 *p, u128 old, u128 new)
{
	static atomic_flag lock = ATOMIC_FLAG_INIT;

	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		;
	u128 was = *(volatile u128 *)p;
	if (was == old)
		*(volatile u128 *)p = new;
	atomic_flag_clear_explicit(&lock, memory_order_release);
	return was;
}
#endif
