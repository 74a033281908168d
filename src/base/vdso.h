/* SPDX-License-Identifier: MIT */
/* vdso.h - the code the guest's kernel maps into every process
 *
 * A guest's folder gives the instruction words and names of its functions (frontend/G/vdso.c, named by
 * guest->vdso); the loader makes a shared object of them (loader/vdso.c) and maps it at
 * [gmem.vdso0, gmem.vdso1).
 *
 * Time without a system call.  The clock functions consist of one instruction that is undefined
 * elsewhere, and a return.  A translator that meets it with its pc inside the vDSO (vdso_holds)
 * emits a call of the helper vdso_call(cpu, n, arg0, arg1), whose value is the function's result;
 * anywhere else the word is undefined as the architecture says.
 *	A64      udf #(0xd7a0 + n)                     word 0x0000d7a0 + n, arguments x0 x1, result x0
 *	RISC-V   custom-0, funct3 = n, all else zero   word 0x0000000b | n << 12, a0 a1, result a0 */
#ifndef BASE_VDSO_H
#define BASE_VDSO_H

#include "base/cpu.h"
#include "base/gmem.h"

enum vdsocall { VDSO_GETTIME, VDSO_GETTIMEOFDAY, VDSO_GETRES, VDSO_GETCPU, VDSO_NCALLS };
enum { VDSO_A64_WORD = 0xd7a0, VDSO_RISCV_WORD = 0x0b };

struct vdsosym { const char *name; u16 word, nwords; };        /* index of its first word, length */

struct vdso {
	const u32 *code; u16 ncode;
	const struct vdsosym *sym; u16 nsym;
	u16 sigreturn;                 /* index of the word a signal handler returns to */
	const char *soname, *version;
};

static inline int vdso_holds(gaddr pc) { return pc - gmem.vdso0 < gmem.vdso1 - gmem.vdso0; }

/* The helper (struct helper: flags 0; it reads no guest register, its copies cannot fault). */
u64 vdso_call(struct cpu *, u64 n, u64 arg0, u64 arg1);

#endif
