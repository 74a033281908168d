/* SPDX-License-Identifier: MIT */
/* int.h - the integer emitters, by the names sel.def uses, and what they share */
#ifndef BACKEND_X86_64_INT_H
#define BACKEND_X86_64_INT_H

#include "backend/x86_64/x86.h"

#define SEL(op, fn, flags) int fn(struct x86 *, const struct ins *);
#include "backend/x86_64/sel.def"
#undef SEL

/* Compares the operands of set, brc; returns the host condition of the relation. */
int x_compare(struct x86 *, const struct ins *);

/* branch.c */
void branch_begin(struct x86 *);
void branch_head(struct x86 *, int block);     /* a block starts here */
int branch_end(struct x86 *);                  /* resolves jumps, emits stubs and cold code; -E2BIG */

/* stub.c: addresses of the common stubs */
struct stubs {
	u8 *leave;                     /* cpu->why and cpu->pc are set */
	u8 *next;                      /* rax = pc: leave with WHY_NEXT, cpu->link = 0 */
	u8 *poll;                      /* rax = pc: WHY_POLL */
	u8 *trap;                      /* rax = pc, ecx = trap: WHY_TRAP */
	u8 *linkexit;                  /* rax = pc, ecx = link number, rdx = owner */
	u8 *dispatch;                  /* rax = pc: jump cache, or next; polls */
	u8 *fault;                     /* leave with why and pc set by unwind, registers to be stored */
	u8 *faultc;                    /* ... from C code: they are stored already */
	u8 *sentinel;                  /* bottom of the shadow stack */
	u8 *help, *helpv, *helpall;    /* rax = function: saves the integer homes that C loses; vectors too; everything */
	u8 *eval;                      /* rax = struct evalsite */
	u8 *enter;
};
extern struct stubs x86_stub;
u32 stub_init(u8 *code, u8 *end);              /* reserves; returns the size */
void stub_guest(void);                         /* writes them, homes being known */

/* what the evaluator needs of an instruction it does for us */
struct evalsite {
	struct ins ins;
	u8 fpnan;
	u64 k[3];
};

void xv_const_init(u8 *at);
u32 xv_const_size(void);

#endif
