/* SPDX-License-Identifier: MIT */
/* word.h - fixed-width integers, bit fields, and memory access by byte order */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned __int128 u128;
typedef __int128 s128;

/* A guest address.  A host pointer never has this type; see gmem.h. */
typedef u64 gaddr;

#define NELEM(a) (sizeof(a) / sizeof *(a))

/* the n bits of w from bit lo upward, 1 <= n <= 64 */
static inline u64
bits(u64 w, int lo, int n)
{
	return w >> lo & (~(u64)0 >> (64 - n));
}

/* w with its low n bits taken as a signed number, 1 <= n <= 64 */
static inline s64
sext(u64 w, int n)
{
	return (s64)(w << (64 - n)) >> (64 - n);
}

static inline u64
zext(u64 w, int n)
{
	return w & (~(u64)0 >> (64 - n));
}

static inline u64
alignup(u64 w, u64 to)
{
	return (w + to - 1) & ~(to - 1);
}

static inline u64
aligndown(u64 w, u64 to)
{
	return w & ~(to - 1);
}

/* loads and stores of host-order values at any alignment */
static inline u16 ld16(const void *p) { u16 v; memcpy(&v, p, 2); return v; }
static inline u32 ld32(const void *p) { u32 v; memcpy(&v, p, 4); return v; }
static inline u64 ld64(const void *p) { u64 v; memcpy(&v, p, 8); return v; }
static inline void st16(void *p, u16 v) { memcpy(p, &v, 2); }
static inline void st32(void *p, u32 v) { memcpy(p, &v, 4); }
static inline void st64(void *p, u64 v) { memcpy(p, &v, 8); }

/* n bytes at p (1, 2, 4 or 8) as an unsigned number; big: most significant byte first */
static inline u64
ldn(const void *p, int n, int big)
{
	const u8 *b = p;
	u64 v = 0;

	for (int i = 0; i < n; i++)
		v |= (u64)b[i] << 8 * (big ? n - 1 - i : i);
	return v;
}

static inline void
stn(void *p, int n, int big, u64 v)
{
	u8 *b = p;

	for (int i = 0; i < n; i++)
		b[i] = (u8)(v >> 8 * (big ? n - 1 - i : i));
}

#endif
