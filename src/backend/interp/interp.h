/* SPDX-License-Identifier: MIT */
/* interp.h - what the interpreter's files share */
#ifndef BACKEND_INTERP_H
#define BACKEND_INTERP_H

#include <setjmp.h>
#include "base/host.h"
#include "ir/eval.h"

/* "Code" is a copy of the region, position independent, with its parts in this order:
 * struct image, struct iblock[nblock], struct ins[nins], u64[nk].  The address of a block's
 * struct iblock is its entry, that of an instruction stands for a host pc. */
struct image {
	_Alignas(8) u32 nblock, nins, nk;
	u32 words;                     /* most words the temporaries of a block need */
	u16 stride;
	u8 fpnan;
};
struct iblock {
	gaddr pc;
	u32 image;                     /* distance back to the image, in bytes */
	u32 first, n;
	u8 above;                      /* as in struct block */
	_Atomic u32 dead;              /* killed: leave instead of running */
};

/* One call of enter; cpu->host_sp points to it. */
struct run {
	struct eval e;
	jmp_buf out;                   /* goes there after a fault */
};

/* context.c: a host context, by host machine */
u64 interp_pc(const void *uc);
int interp_raised(const void *uc, int sig, const siginfo_t *);
void interp_setpc(void *uc, u64 pc);
/* Makes the context call f, which does not return. */
void interp_divert(void *uc, void (*f)(void));

#endif
