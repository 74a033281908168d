/* SPDX-License-Identifier: MIT */
/* model.c - the processors a RISC-V guest may see */
#include "frontend/riscv/riscv.h"

const char *const rv_features[RVF_COUNT] = {
#define FEATURE(name, bit, kind, needs) #name,
#include "frontend/riscv/feature.def"
#undef FEATURE
};

const u8 rv_needs[RVF_COUNT] = {
#define FEATURE(name, bit, kind, needs) RVF_##needs,
#include "frontend/riscv/feature.def"
#undef FEATURE
};

/* As QEMU names them. */
const struct cpusetting rv_settings[] = {
	{ "g", "true" }, { "vlen", "128" }, { "elen", "64" }, { "vext_spec", "v1.0" },
	{ "cbom_blocksize", "64" }, { "cbop_blocksize", "64" }, { "cboz_blocksize", "64" },
	{ 0, 0 },
};

#define F(name) ((u64)1 << RVF_##name)
#define RVA22 (F(zba) | F(zbb) | F(zbs) | F(zicbom) | F(zicbop) | F(zicboz) | F(zihintpause) | F(zfhmin))

#define RVA23 (RVA22 | F(zicond) | F(zihintntl) | F(zawrs) | F(zimop) | F(zcmop) | F(zcb) | F(zfa) \
	| F(v) | F(zvfhmin) | F(zvbb))

/* The profiles are those of "RISC-V Profiles": what their user mode makes mandatory, less what a translator does not
 * promise (Zkt, Zvkt: how long something takes) or have (Supm: addresses whose upper bits are ignored). */
const struct cpumodel rv_models[] = {
	{ "max",        ((u64)1 << RVF_COUNT) - 1, 0 },
	{ "rv64",       ((u64)1 << RVF_COUNT) - 1, 0 },
	{ "rva20u64",   RV_NEEDED, 0 },
	{ "rva22u64",   RV_NEEDED | RVA22, 0 },
	{ "rva23u64",   RV_NEEDED | RVA23, 0 },
	{ "sifive-u54", RV_NEEDED, 0 },
	{ 0, 0, 0 },
};
