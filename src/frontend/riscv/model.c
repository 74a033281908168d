/* SPDX-License-Identifier: MIT */
/* model.c - the processors a RISC-V guest may see */
#include "frontend/riscv/riscv.h"

#define F(name) ((u64)1 << RVF_##name)
#define RVA22 (F(zba) | F(zbb) | F(zbs) | F(zicbom) | F(zicbop) | F(zicboz) | F(zihintpause) | F(zfhmin))

/* The profiles are those of "RISC-V Profiles": what their user mode makes mandatory. */
const struct cpumodel rv_models[] = {
	{ "max",        ((u64)1 << RVF_COUNT) - 1, 0 },
	{ "rv64",       ((u64)1 << RVF_COUNT) - 1, 0 },
	{ "rva20u64",   RV_NEEDED, 0 },
	{ "rva22u64",   RV_NEEDED | RVA22, 0 },
	{ "sifive-u54", RV_NEEDED, 0 },
	{ 0, 0, 0 },
};

const char *const rv_features[RVF_COUNT] = {
#define FEATURE(name, bit, needed) #name,
#include "frontend/riscv/feature.def"
#undef FEATURE
};
