/* SPDX-License-Identifier: MIT */
/* vdso.c - the vDSO of AArch64 guests: linux arch/arm64 names and versions */
#include "base/vdso.h"

/* Unwinders and debuggers recognise the signal trampoline by these two words, not by unwind tables. */
enum { MOV_X8_139 = 0xd2801168, SVC_0 = 0xd4000001, RET = 0xd65f03c0, NOP = 0xd503201f };

static const u32 code[] = {
	[0] = NOP,                     /* a trampoline's address minus one must lie inside the image */
	[1] = MOV_X8_139, SVC_0,
	[3] = VDSO_A64_WORD + VDSO_GETTIME, RET,
	[5] = VDSO_A64_WORD + VDSO_GETTIMEOFDAY, RET,
	[7] = VDSO_A64_WORD + VDSO_GETRES, RET,
};

static const struct vdsosym sym[] = {
	{ "__kernel_rt_sigreturn", 1, 2 },
	{ "__kernel_clock_gettime", 3, 2 },
	{ "__kernel_gettimeofday", 5, 2 },
	{ "__kernel_clock_getres", 7, 2 },
};

const struct vdso arm64_vdso = {
	.code = code, .ncode = NELEM(code),
	.sym = sym, .nsym = NELEM(sym),
	.sigreturn = 1,
	.soname = "linux-vdso.so.1", .version = "LINUX_2.6.39",
};
