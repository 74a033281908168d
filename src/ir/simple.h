/* SPDX-License-Identifier: MIT */
/* simple.h - what an instruction does, if that is little: for the quick tier, which builds no IR for it
 *
 * guest->simple says it of the instructions that most code is made of.  It must be what guest->translate would make;
 * operations, types and relations are those of ir.h.  Registers are variables; NONE is no register: it reads as 0, and
 * what is written to it is lost. */
#ifndef IR_SIMPLE_H
#define IR_SIMPLE_H

#include "ir/ir.h"

enum simplekind {
	SI_NOTHING,
	SI_SET,                        /* d = imm */
	SI_OP,                         /* d = a op b << shift, or a op imm where b is NONE; extended to 64 bits */
	SI_FIELD,                      /* d = bits lo to lo + n - 1 of a, extended, << shift */
	SI_REL,                        /* d = relation op of a and b, or imm: 0 or 1 */
	SI_LOAD,                       /* d and d2, if there are two, = what is at a + (b << shift) + imm; then a += step */
	SI_STORE,                      /* the same with d and d2 as what is stored */
	SI_JUMP,                       /* to `to` */
	SI_BRANCH,                     /* there if relation op of a and b, or imm, holds, else on */
	SI_TEST,                       /* there if bit imm of a is 1 (op R_TST) or 0 (R_NTST) */
	SI_BRANCHF,                    /* there if condition op of the flags holds */
	SI_CALL,                       /* there; the link variable = the address after the instruction */
	SI_GO, SI_CALLR, SI_RETURN,    /* to a + imm: br, callr and ret; d = the address after the instruction */
};
enum { NONE = 0xff };

struct simple {
	u8 kind, op, ty;               /* ty: of operands; of each datum */
	u8 d, d2, a, b;
	u8 shift;
	u8 flop;                       /* SI_OP: what makes flags of the operands, or (O_fltst) of the result; or 0 */
	u8 sign;                       /* extended by the sign, not by 0; a load, to so many bits */
	u8 two;                        /* there are two data */
	u8 lo, n;
	s32 step;
	s64 imm;
	gaddr to;
};

#endif
