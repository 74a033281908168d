/* SPDX-License-Identifier: MIT */
/* feat.c - what the processor offers, less what the user hides */
#include <string.h>
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#else
#include <cpuid.h>
#endif
#include "backend/x86_64/int.h"

/* leaf, register (0 eax .. 3 edx), bit, member of x86feat, word in the user's list */
enum { EBX = 1, ECX, EDX };
#define FEATURES(F) \
	F(1, ECX, 23, popcnt, "popcnt")     F(1, ECX, 20, sse42, "sse42") \
	F(1, ECX, 22, movbe, "movbe")       F(7, EBX, 3, bmi1, "bmi") \
	F(7, EBX, 8, bmi2, "bmi")           F(0x80000001, ECX, 5, lzcnt, "lzcnt") \
	F(1, ECX, 1, clmul, "clmul")        F(1, ECX, 25, aes, "aes") \
	F(7, EBX, 29, sha, "sha") \
	F(1, ECX, 13, cx16, "cx16")         F(0x80000001, ECX, 0, lahf, "lahf") \
	F(1, ECX, 28, avx, "avx")           F(7, EBX, 5, avx2, "avx2") \
	F(1, ECX, 12, fma, "fma")           F(1, ECX, 29, f16c, "f16c") \
	F(7, ECX, 9, vaes, "vaes")          F(7, ECX, 10, vpclmul, "vpclmul") \
	F(7, ECX, 8, gfni, "gfni")          F(7, EBX, 16, avx512, "avx512") \
	F(7, ECX, 1, vbmi, "vbmi")          F(7, ECX, 6, vbmi2, "vbmi") \
	F(7, ECX, 12, bitalg, "bitalg")     F(7, ECX, 14, vpopcnt, "vpopcnt") \
	F(7, ECX, 11, vnni, "vnni")         F(7, EBX, 21, ifma, "ifma") \
	F(7, EDX, 23, fp16, "fp16")         F(7, EBX, 9, erms, "erms") \
	F(0x80000001, ECX, 6, sse4a, "sse4a")  /* none but AMD's have it */

/* Each leaf is read once: cpuid traps in a virtual machine, 4 us a time.  glibc (2.33) has done it already. */
static u32 leaf1[4], leaf7[4], leafx[4];

#if __has_include(<sys/platform/x86.h>)
static void
read_leaves(void)
{
	static const struct { u32 *to; u32 index; } leaf[] = {
		{ leaf1, CPUID_INDEX_1 }, { leaf7, CPUID_INDEX_7 }, { leafx, CPUID_INDEX_80000001 },
	};

	for (size_t i = 0; i < NELEM(leaf); i++)
		memcpy(leaf[i].to, __x86_get_cpuid_feature_leaf(leaf[i].index)->cpuid_array, sizeof leaf1);
}
#else
static void
read_leaves(void)
{
	u32 top, extop, r[3];

	__cpuid(0, top, r[0], r[1], r[2]);
	__cpuid(1, leaf1[0], leaf1[1], leaf1[2], leaf1[3]);
	if (top >= 7)
		__cpuid_count(7, 0, leaf7[0], leaf7[1], leaf7[2], leaf7[3]);
	__cpuid(0x80000000, extop, r[0], r[1], r[2]);
	if (extop >= 0x80000001)
		__cpuid(0x80000001, leafx[0], leafx[1], leafx[2], leafx[3]);
}
#endif

static int
hasbit(u32 leaf, int reg, int bit)
{
	return (leaf == 1 ? leaf1 : leaf == 7 ? leaf7 : leafx)[reg] >> bit & 1;
}

/* "avx2,bmi": is word one of the list's? */
static int
hidden(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',')
		if (!strncmp(p, word, n) && (!p[n] || p[n] == ','))
			return 1;
	return 0;
}

/* The state that the system saves for us: SDM 13.3, XCR0 bits 1-2 for AVX, 5-7 more for AVX-512. */
static u32
xcr0(void)
{
	u32 lo, hi;

	if (!hasbit(1, ECX, 27))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo;
}

void
x86_features(const char *hide)
{
	struct x86feat *f = &x86feat;
	u32 os;

	read_leaves();
	os = xcr0();

#define F(leaf, reg, bit, member, word) \
	f->member = !hidden(hide, word) && hasbit(leaf, reg, bit);
	FEATURES(F)
#undef F
	f->avx &= (os & 6) == 6;
	f->avx2 &= f->avx;
	f->fma &= f->avx;
	f->f16c &= f->avx;
	/* VL, BW, DQ belong to what we call AVX-512 */
	f->avx512 &= f->avx2 && (os & 0xe6) == 0xe6 && hasbit(7, EBX, 31) && hasbit(7, EBX, 30) &&
	    hasbit(7, EBX, 17);
	if (!f->avx512)
		f->vbmi = f->vbmi2 = f->bitalg = f->vpopcnt = f->vnni = f->ifma = f->fp16 = 0;
	f->vaes &= f->avx;
	f->vpclmul &= f->avx;
	f->callret = !hidden(hide, "callret");
	f->jumpcache = !hidden(hide, "jumpcache");
	host_lostreturns = f->sse4a;
}
