/* SPDX-License-Identifier: MIT */
/* linux.c - the Linux ABI of AArch64
 *
 * The number is in x8, arguments in x0 to x5, the result in x0; svc is four bytes long.  The only
 * file of this folder that looks up the stairs, at the record it fills. */
#include <errno.h>
#include <stdio.h>
#include "frontend/arm64/arm64.h"
#include "syscall/desc.h"

static const u16 lines[] INHERITED = {
#define CALL(nr, name) [nr] = L_##name,
#include "frontend/arm64/syscall.tbl"
#undef CALL
};
static const struct flagover flags[] = {
#define OVERFLAG(set, name, value, mask) { FI_##set##_##name, value, mask },
#define OVERLAYOUT(layout, as)
#include "frontend/arm64/linux.def"
#undef OVERFLAG
#undef OVERLAYOUT
};
static const struct layoutover overlays[] = {
#define OVERFLAG(set, name, value, mask)
#define OVERLAYOUT(layout, as) { S_##layout, S_##as },
#include "frontend/arm64/linux.def"
#undef OVERFLAG
#undef OVERLAYOUT
};

/* One processor as the kernel describes it; the identity is that of MIDR_EL1. */
static int
cpuinfo(char *buf, size_t size, int cpu, int n)
{
	u32 midr = a64_midr();
	char features[512];
	size_t len = 0;

	(void)n;
	for (int i = 0; i < A64F_COUNT; i++)
		if (model_has(i))
			len += (size_t)snprintf(features + len, sizeof features - len, " %s", a64_features[i]);
	return snprintf(buf, size,
	                "processor\t: %d\nBogoMIPS\t: 2000.00\nFeatures\t:%s\n"
	                "CPU implementer\t: 0x%02x\nCPU architecture: 8\nCPU variant\t: 0x%x\n"
	                "CPU part\t: 0x%03x\nCPU revision\t: %u\n\n", cpu, features,
	                midr >> 24, midr >> 20 & 15, midr >> 4 & 0xfff, midr & 15);
}

/* Options of this machine whose feature we lack; PR_GET_TAGGED_ADDR_CTRL and the others then
 * answer as on a processor without them. */
static s64
prctl(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	(void)a;
	return -EINVAL;
}

/* sizeof(struct rt_sigframe) of a kernel that knows no SVE */
static u64 minsigstack(void) { return 4720; }

int aarch64_push(struct cpu *, struct sigframe *);       /* signal.c */
int aarch64_pop(struct cpu *, struct sigframe *);

const struct linux_abi aarch64_linux = {
	.machine = "aarch64",
	.platform = "aarch64",
	.model = { .word = 8, .maxalign = 8 },
	.nr = A64_X0 + 8,
	.arg = { 0, 1, 2, 3, 4, 5 }, .nargs = 6,
	.ret = A64_X0,
	.errflag = 0xff,
	.insnlen = 4,
	.line = lines, .nline = NELEM(lines),
	.layouts = overlays, .nlayouts = NELEM(overlays),
	.flags = flags, .nflags = NELEM(flags),
	.hwcap = a64_hwcap,
	.cpuinfo = cpuinfo,
	.minsigstack = minsigstack,
	.tasksize = (u64)1 << 48,
	.prctl = prctl,
	.push = aarch64_push,
	.pop = aarch64_pop,
};
