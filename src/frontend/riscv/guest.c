/* SPDX-License-Identifier: MIT */
/* guest.c - the contract of the RISC-V guest, RV64GC and what riscv.isa adds to it */
#include <elf.h>
#include "base/gmem.h"
#include "frontend/riscv/vector.h"

static const struct reg regs[] = {
#define REG(name, field, bits, kind, type, group, rank) \
	{#name, offsetof(struct riscv_state, field), bits, REG_##kind, \
	 rank, #type, #group},
#define CREG(name, field, bits, kind, type, group, rank) \
	{#name, offsetof(struct cpu, field) - offsetof(struct cpu, state), bits, REG_##kind, rank, #type, #group},
#include "frontend/riscv/regs.def"
#undef CREG
#undef REG
};
_Static_assert(NELEM(regs) == RV_COUNT, "one row a register");
_Static_assert(RV_t6 == 31 && RV_ft11 == RV_F0 + 31, "registers are numbered as in instructions");
_Static_assert(sizeof(struct riscv_state) <= CPU_STATE, "the state fits");

u64 rv_vctl = VCTL_ON;

u32
rv_mode(const struct cpu *cpu)
{
	const struct riscv_state *s = (const struct riscv_state *)cpu->state;

	return (rv_frm(cpu) < FRM_RMM ? 0 : rv_frm(cpu)) | ((s->vctl & VCTL_CUR) == VCTL_OFF ? MODE_NOVEC : 0) | s->loose;
}

static void
reset(struct cpu *cpu)
{
	memset(cpu->state, 0, sizeof(struct riscv_state));
	riscv_state(cpu)->vcfg = VCFG_RESET;
	riscv_state(cpu)->vctl = rv_vctl;
	cpu->fpflags = cpu->fpwatch = cpu->fplooks = 0;
	rv_fpenter(cpu);
}

extern const struct linux_abi riscv64_linux;
extern const struct vdso riscv_vdso;

/* Sv39 (Volume II, 12.4), as on nearly all boards: programs put numbers into the bits above.  AddressSanitizer's
 * shadow lies at 0xd_5555_0000 and takes an eighth of the space.  The heap is where Linux has that of programs that may
 * lie anywhere, at two thirds: half of the space fits below, and MariaDB asks for as much. */
static const struct gspace space = {
	.end = 0x4000000000,
	.brk = 0x2aaaaa0000,
	.zone = {
		[ZONE_IMAGE] = ZONE_LOW,
		[ZONE_DATA] = {0x1600000000, 0x3f00000000},
		[ZONE_FAR] = {0x80000000, 0x3f00000000},
	},
};

const struct guest guest_riscv64 = {
	.name = "riscv64",
	.family = "riscv",
	.elf = {.machine = EM_RISCV, .class = ELFCLASS64, .data = ELFDATA2LSB},
	.relative = R_RISCV_RELATIVE,
	.bits = 64, .fpnan = FPNAN_RISCV,
	.minlen = 2,
	.maxlen = 8,                   /* two that are translated together: rv_skips */
	.reg = regs,
	.nreg = RV_COUNT,
	.pc_reg = RV_pc,
	.sp = RV_sp,
	.link = RV_ra,
	.tls = RV_tp,
	.flags = 0xff,
	.loose = MODE_LOOSE, .loosen = RVH_LOOSEN,
	.helper = rv_helper,
	.nhelper = RVH_COUNT,
	.translate = rv_translate,
	.mode = rv_mode,
	.scan = rv_scan,
	.excl = rv_excl,
	.skip = rv_skip,
	.simple = rv_simple,
	.perform = rv_perform,
	.disasm = rv_disasm,
	.settle = rv_settle,
	.reset = reset,
	.fpenter = rv_fpenter,
	.fpleave = rv_fpleave,
	.model = rv_models,
	.feature = rv_features,
	.nfeature = RVF_COUNT,
	.needed = RV_NEEDED,
	.needs = rv_needs,
	.parts = RV_PARTS,
	.setting = rv_settings,
	.space = &space,
	.abi = &riscv64_linux,
	.vdso = &riscv_vdso,
};
