/* SPDX-License-Identifier: MIT */
/* vdso.c - the vDSO of 64-bit RISC-V guests: linux arch/riscv names and versions */
#include "base/vdso.h"

/* Unwinders and debuggers recognise the signal trampoline by li a7,139; ecall. */
enum { ECALL = 0x00000073, RET = 0x00008067, NOP = 0x00000013 };

#define LI_A7(n) ((u32)(n) << 20 | 0x893)
#define CALL(n) (VDSO_RISCV_WORD | (n) << 12)

static const u32 code[] = {
	[0] = NOP,                     /* a trampoline's address minus one must lie inside the image */
	[1] = LI_A7(139), ECALL,
	[3] = CALL(VDSO_GETTIME), RET,
	[5] = CALL(VDSO_GETTIMEOFDAY), RET,
	[7] = CALL(VDSO_GETRES), RET,
	[9] = CALL(VDSO_GETCPU), RET,
	[11] = LI_A7(259), ECALL, RET, /* riscv_flush_icache */
	[14] = LI_A7(258), ECALL, RET, /* riscv_hwprobe */
};

static const struct vdsosym sym[] = {
	{ "__vdso_rt_sigreturn", 1, 2 },
	{ "__vdso_clock_gettime", 3, 2 },
	{ "__vdso_gettimeofday", 5, 2 },
	{ "__vdso_clock_getres", 7, 2 },
	{ "__vdso_getcpu", 9, 2 },
	{ "__vdso_flush_icache", 11, 3 },
	{ "__vdso_riscv_hwprobe", 14, 3 },
};

const struct vdso riscv_vdso = {
	.code = code, .ncode = NELEM(code),
	.sym = sym, .nsym = NELEM(sym),
	.sigreturn = 1,
	.soname = "linux-vdso.so.1", .version = "LINUX_4.15",
};
