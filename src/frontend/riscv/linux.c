/* SPDX-License-Identifier: MIT */
/* linux.c - the Linux ABI of 64-bit RISC-V
 *
 * The number is in a7, arguments in a0 to a5, the result in a0; ecall is four bytes long.  The only
 * file of this folder that looks up the stairs, at the record it fills. */
#include <errno.h>
#include <stdio.h>
#include "frontend/riscv/riscv.h"
#include "syscall/desc.h"

static const u16 lines[] INHERITED = {
#define CALL(nr, name) [nr] = L_##name,
#include "frontend/riscv/syscall.tbl"
#undef CALL
};

/* AT_HWCAP: a bit for each single-letter extension that the process may use. */
static u64
hwcap(int which)
{
	u64 v = 0;

	for (int i = 0; i < RVF_COUNT; i++)
		if (!rv_features[i][1] && model_has(i))
			v |= (u64)1 << (rv_features[i][0] - 'a');
	if ((rv_vctl & VCTL_CUR) == VCTL_OFF)
		v &= ~((u64)1 << ('v' - 'a'));
	return which == 1 ? v : 0;
}

static int
cpuinfo(char *buf, size_t size, int cpu, int n)
{
	char isa[RVF_COUNT * 16];
	size_t len = 0;

	(void)n;
	for (int i = 0; i < RVF_COUNT; i++)
		if (model_has(i))
			len += (size_t)snprintf(isa + len, sizeof isa - len, "%s%s", rv_features[i][1] ? "_" : "", rv_features[i]);
	return snprintf(buf, size, "processor\t: %d\nhart\t\t: %d\nisa\t\t: rv64%s\nmmu\t\t: sv39\n\n", cpu, cpu, isa);
}

enum { PROBE_EXT = 4, FAST = 3, UNSUPPORTED = 4, BLOCK = 64 };

/* Keys of riscv_hwprobe(2) (Documentation/arch/riscv/hwprobe.rst), their values with a feature and without it. */
static const struct { u8 kind, feature; u64 with, without; } probes[] = {
	[0] = { PROBE_NUMBER, RVF_i, 0, 0 },           /* mvendorid */
	[1] = { PROBE_NUMBER, RVF_i, 0, 0 },           /* marchid */
	[2] = { PROBE_NUMBER, RVF_i, 0, 0 },           /* mimpid */
	[3] = { PROBE_BITS, RVF_i, 1, 0 },             /* base behaviour: IMA */
	[PROBE_EXT] = { PROBE_BITS, RVF_i, 0, 0 },     /* see extensions() */
	[5] = { PROBE_BITS, RVF_i, FAST, 0 },          /* misaligned accesses to words */
	[6] = { PROBE_NUMBER, RVF_zicboz, BLOCK, 0 },  /* bytes */
	[7] = { PROBE_NUMBER, RVF_i, ((u64)1 << 38) - 1, 0 },  /* highest user address */
	[8] = { PROBE_NUMBER, RVF_i, RV_TIMEBASE, 0 },
	[9] = { PROBE_NUMBER, RVF_i, FAST, 0 },        /* as 5 */
	[10] = { PROBE_NUMBER, RVF_v, FAST, UNSUPPORTED },     /* misaligned accesses by vector registers */
	[11] = { PROBE_BITS, RVF_i, 0, 0 },            /* T-Head's extensions */
	[12] = { PROBE_NUMBER, RVF_zicbom, BLOCK, 0 },
	[13] = { PROBE_BITS, RVF_i, 0, 0 },            /* SiFive's */
	[14] = { PROBE_BITS, RVF_i, 0, 0 },            /* MIPS' */
	[15] = { PROBE_NUMBER, RVF_zicbop, BLOCK, 0 },
};

/* What the model has, as key 4 tells it. */
static u64
extensions(void)
{
	static const struct { s8 bit, feature; } ext[] = {
#define FEATURE(name, bit, kind, needs) { bit, RVF_##name },
#include "frontend/riscv/feature.def"
#undef FEATURE
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
	if (key < 0 || key >= (s64)NELEM(probes))
		return 0;
	*value = key == PROBE_EXT ? extensions() : model_has(probes[key].feature) ? probes[key].with : probes[key].without;
	return probes[key].kind;
}

/* -- PR_RISCV_V_SET_CONTROL -- */

static s64
setvctl(struct riscv_state *s, u64 v)
{
	u64 now = v & VCTL_CUR, next = v >> VCTL_NEXT & VCTL_CUR;

	if (!model_has(RVF_v) || v & ~(u64)VCTL_ALL || now > VCTL_ON || next > VCTL_ON)
		return -EINVAL;
	if (now == VCTL_OFF && (s->vctl & VCTL_CUR) != VCTL_OFF)
		return -EPERM;
	s->vctl = (v & ~(u64)VCTL_CUR) | (now == VCTL_DEFAULT ? s->vctl & VCTL_CUR : now);
	return 0;
}

static u64
bequeath(const struct cpu *cpu)
{
	u64 v = ((const struct riscv_state *)cpu->state)->vctl, next = v >> VCTL_NEXT & VCTL_CUR;

	return (next ? next : VCTL_ON) | (v & VCTL_INHERIT ? v & ~(u64)VCTL_CUR : 0);
}

static void inherit(u64 v) { rv_vctl = v; }

static s64
prctl(struct cpu *cpu, const u64 *a)
{
	enum { V_SET = 69, V_GET = 70, SET_ICACHE_FLUSH_CTX = 71 };

	switch (a[0]) {
	case V_SET:
		return setvctl(riscv_state(cpu), a[1]);
	case V_GET:
		return model_has(RVF_v) ? (s64)riscv_state(cpu)->vctl : -EINVAL;
	case SET_ICACHE_FLUSH_CTX:     /* a hint about fence.i, which is always honoured */
		return 0;
	}
	return -EINVAL;
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
	.bequeath = bequeath,
	.inherit = inherit,
	.hwprobe = hwprobe,
	.push = riscv64_push,
	.pop = riscv64_pop,
};
