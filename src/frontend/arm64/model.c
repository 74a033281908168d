/* SPDX-License-Identifier: MIT */
/* model.c - the processors an AArch64 guest may see */
#include "frontend/arm64/arm64.h"

#define F(name) ((u64)1 << A64F_##name)
enum { MIDR_N1 = 0x413fd0c1 };         /* Neoverse N1 r3p1, whose features ours are closest to */

#define V80 (F(fp) | F(asimd) | F(cpuid) | F(aes) | F(pmull) | F(sha1) | F(sha2) | F(crc32))
#define V82 (V80 | F(atomics) | F(fphp) | F(asimdhp) | F(asimdrdm) | F(lrcpc) | F(dcpop) | F(asimddp))

/* Features and MIDR_EL1 as in the processors' technical reference manuals. */
const struct cpumodel a64_models[] = {
	{ "max",         ((u64)1 << A64F_COUNT) - 1, MIDR_N1 },
	{ "cortex-a35",  V80, 0x411fd040 },
	{ "cortex-a53",  V80, 0x410fd034 },
	{ "cortex-a57",  V80, 0x411fd070 },
	{ "cortex-a72",  V80, 0x410fd083 },
	{ "cortex-a55",  V82, 0x412fd050 },
	{ "cortex-a76",  V82, 0x414fd0b1 },
	{ "neoverse-n1", V82, 0x414fd0c1 },
	{ 0, 0, 0 },
};

const char *const a64_features[A64F_COUNT] = {
#define FEATURE(name, word, bit, reg, lo, value) #name,
#include "frontend/arm64/feature.def"
#undef FEATURE
};

u32
a64_midr(void)
{
	return cpu_model.id ? (u32)cpu_model.id : MIDR_N1;
}
