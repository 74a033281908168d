/* SPDX-License-Identifier: MIT */
/* guest.c - the contract of the AArch64 guest: Armv8.2-A and the extensions in feature.def */
#include <elf.h>
#include "base/gmem.h"
#include "frontend/arm64/arm64.h"

#define REG(name, var, off, bits, kind, rank, gdbtype, group) \
	[var] = {#name, off, bits, kind, rank, #gdbtype, #group},
static const struct reg regs[] = {
#include "frontend/arm64/regs.def"
};
#undef REG
_Static_assert(NELEM(regs) == A64_NREG, "one row a register");
_Static_assert(A64_OFF_V0 + 32 * A64_VSTRIDE <= CPU_STATE, "the state fits");

/* What of FPCR other code is needed for, and A64_KEEPS. */
static u32
mode(const struct cpu *cpu)
{
	return (ld32(cpu->state + A64_OFF_FPCR) & FPCR_MODE) | ld32(cpu->state + A64_OFF_KEEPS);
}

static void
reset(struct cpu *cpu)
{
	memset(cpu->state, 0, sizeof cpu->state);
	cpu->fpflags = 0;
	arm64_fpenter(cpu);
}

extern const struct linux_abi aarch64_linux;
extern const struct vdso arm64_vdso;

/* Addresses of 48 bits are what most kernels are built for, and what AddressSanitizer expects: its allocator takes
 * the four terabytes from 0x5000_0000_0000 and some pages, its shadow of 47 bits all between
 * 0x10_0000_0000 and the data zone.  The host has fewer: the space ends where its own mappings begin.  Heap and data
 * share the tables of one entry of the topmost level. */
static const struct gspace space = {
	.end = 0x550000000000,
	.brk = 0x548000000000,
	.zone = {
		[ZONE_IMAGE] = ZONE_LOW,
		[ZONE_DATA] = {0x101000000000, 0x54f000000000},
		[ZONE_FAR] = {0x101000000000, 0x500000000000},
	},
};

const struct guest guest_aarch64 = {
	.name = "aarch64",
	.family = "arm64",
	.alias = (const char *const[]){"arm64", 0},
	.elf = {.machine = EM_AARCH64, .class = ELFCLASS64, .data = ELFDATA2LSB},
	.relative = R_AARCH64_RELATIVE,
	.bits = 64, .fpnan = FPNAN_ARM,
	.minlen = 4,
	.maxlen = 4,
	.reg = regs,
	.nreg = A64_NREG,
	.pc_reg = A64_PC,
	.sp = A64_SP,
	.link = A64_LR,
	.tls = A64_TPIDR,
	.flags = A64_NZCV,
	.keeps = A64_KEEPS,
	.helper = a64_helpers,
	.nhelper = H_COUNT,
	.translate = a64_translate,
	.mode = mode,
	.scan = a64_scan,
	.excl = a64_excl,
	.skip = a64_skip,
	.simple = a64_simple,
	.perform = a64_perform,
	.quiet = a64_quiet,
	.disasm = a64_disasm,
	.reset = reset,
	.fpenter = arm64_fpenter,
	.fpleave = arm64_fpleave,
	.model = a64_models,
	.feature = a64_features,
	.nfeature = A64F_COUNT,
	.needed = 1 << A64F_fp | 1 << A64F_asimd | 1 << A64F_cpuid,
	.space = &space,
	.abi = &aarch64_linux,
	.vdso = &arm64_vdso,
};
