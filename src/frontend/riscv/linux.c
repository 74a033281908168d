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
	char isa[256];
	size_t len = 0;

	(void)n;
	for (int i = RVF_gc + 1; i < RVF_COUNT; i++)
		if (model_has(i))
			len += (size_t)snprintf(isa + len, sizeof isa - len, "_%s", rv_features[i]);
	return snprintf(buf, size, "processor\t: %d\nhart\t\t: %d\nisa\t\t: rv64imafdc%s\nmmu\t\t: sv39\n\n",
	                cpu, cpu, isa);
}

enum { PROBE_EXT = 4, PROBE_ZICBOZ = 6 };

/* Keys of riscv_hwprobe(2) and their values (Documentation/arch/riscv/hwprobe.rst). */
static const struct { s64 key; u64 value; } probes[] = {
	{ 0, 0 }, { 1, 0 }, { 2, 0 },  /* mvendorid, marchid, mimpid */
	{ 3, 1 },                      /* base behaviour: IMA */
	{ PROBE_EXT, 1 << 0 | 1 << 1 },        /* FD and C; see extensions() */
	{ 5, 3 },                      /* misaligned scalar accesses are fast */
	{ PROBE_ZICBOZ, 64 },          /* bytes of its block */
	{ 7, ((u64)1 << 38) - 1 },     /* highest user address */
	{ 8, 1000000000 },             /* ticks of the time CSR a second */
	{ 9, 3 },                      /* misaligned scalar accesses are fast */
	{ 10, 4 },                     /* misaligned vector accesses: unsupported */
};

/* What the model has, as key 4 tells it. */
static u64
extensions(void)
{
	static const struct { s8 bit, feature; } ext[] = {
#define NEEDED 1
#define FEATURE(name, bit, needed) { bit, RVF_##name },
#include "frontend/riscv/feature.def"
#undef FEATURE
#undef NEEDED
	};
	u64 v = 0;

	for (size_t i = 0; i < NELEM(ext); i++)
		if (ext[i].bit != NOPROBE && model_has(ext[i].feature))
			v |= (u64)1 << ext[i].bit;
	return v;
}

static int
hwprobe(s64 key, u64 *value)
{
	for (size_t i = 0; i < NELEM(probes); i++)
		if (probes[i].key == key) {
			*value = probes[i].value;
			if (key == PROBE_EXT)
				*value |= extensions();
			if (key == PROBE_ZICBOZ && !model_has(RVF_zicboz))
				*value = 0;
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
u64 riscv64_minsigstack(void);

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
	.minsigstack = riscv64_minsigstack,
	.tasksize = (u64)1 << 47,
	.prctl = prctl,
	.hwprobe = hwprobe,
	.push = riscv64_push,
	.pop = riscv64_pop,
};
