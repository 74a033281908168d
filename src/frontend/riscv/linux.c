/* SPDX-License-Identifier: MIT */
/* linux.c - the Linux ABI of 64-bit RISC-V
 *
 * The number is in a7, arguments in a0 to a5, the result in a0; ecall is four bytes long.  The only
 * file of this folder that looks up the stairs, at the record it fills. */
#include <errno.h>
#include <stdio.h>
#include "frontend/riscv/riscv.h"
#include "syscall/desc.h"

static const u16 lines[] = {
#define CALL(nr, name) [nr] = L_##name,
#include "frontend/riscv/syscall.tbl"
#undef CALL
};

/* AT_HWCAP: a bit for each single-letter extension. */
static u64
hwcap(int which)
{
	static const char letters[] = "acdfim";
	u64 v = 0;

	for (const char *p = letters; *p; p++)
		v |= (u64)1 << (*p - 'a');
	return which == 1 ? v : 0;
}

static int
cpuinfo(char *buf, size_t size, int cpu, int n)
{
	(void)n;
	return snprintf(buf, size,
	                "processor\t: %d\nhart\t\t: %d\n"
	                "isa\t\t: rv64imafdc_zicbom_zicbop_zicboz_zicntr_zicond_zicsr_zifencei_zihintpause_"
	                "zihpm_zawrs_zfh_zfhmin_zba_zbb_zbc_zbs\n"
	                "mmu\t\t: sv48\n\n", cpu, cpu);
}

/* Keys of riscv_hwprobe(2) and their values (Documentation/arch/riscv/hwprobe.rst). */
static const struct { s64 key; u64 value; } probes[] = {
	{ 0, 0 }, { 1, 0 }, { 2, 0 },  /* mvendorid, marchid, mimpid */
	{ 3, 1 },                      /* base behaviour: IMA */
	/* FD, C, Zba, Zbb, Zbs, Zicboz, Zbc, Zfh, Zfhmin, Zicond, Zihintpause, Zawrs */
	{ 4, 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | (u64)1 << 27 | (u64)1 << 28 |
	     (u64)1 << 35 | (u64)1 << 36 | (u64)1 << 48 },
	{ 5, 3 },                      /* misaligned scalar accesses are fast */
	{ 6, 64 },                     /* bytes of a Zicboz block */
	{ 7, ((u64)1 << 47) - 1 },     /* highest user address */
	{ 8, 1000000000 },             /* ticks of the time CSR a second */
	{ 9, 3 },                      /* misaligned scalar accesses are fast */
	{ 10, 4 },                     /* misaligned vector accesses: unsupported */
};

static int
hwprobe(s64 key, u64 *value)
{
	for (size_t i = 0; i < NELEM(probes); i++)
		if (probes[i].key == key) {
			*value = probes[i].value;
			return 1;
		}
	return 0;
}

static s64
prctl(struct cpu *cpu, const u64 *a)
{
	enum { PR_RISCV_SET_ICACHE_FLUSH_CTX_ = 71 };

	(void)cpu;
	/* a hint about fence.i, which is always honoured */
	return a[0] == PR_RISCV_SET_ICACHE_FLUSH_CTX_ ? 0 : -EINVAL;
}

int riscv64_push(struct cpu *, struct sigframe *);       /* signal.c */
int riscv64_pop(struct cpu *, struct sigframe *);

const struct linux_abi riscv64_linux = {
	.machine = "riscv64",
	.model = { .word = 8, .maxalign = 8 },
	.nr = RV_a7,
	.arg = { RV_a0, RV_a1, RV_a2, RV_a3, RV_a4, RV_a5 }, .nargs = 6,
	.ret = RV_a0,
	.errflag = 0xff,
	.insnlen = 4,
	.line = lines, .nline = NELEM(lines),
	.hwcap = hwcap,
	.cpuinfo = cpuinfo,
	.minsigstack = 0,              /* the kernel gives AT_MINSIGSTKSZ only with the vector extension */
	.tasksize = (u64)1 << 47,
	.prctl = prctl,
	.hwprobe = hwprobe,
	.push = riscv64_push,
	.pop = riscv64_pop,
};
