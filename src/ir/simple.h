/* SPDX-License-Identifier: MIT */
/* simple.h - what an instruction does, if that is little: for the quick tier, which builds no IR for it
 *
 * guest->simple says it of the instructions that most code is made of.  It must be what guest->translate would make;
 * operations, types and relations are those of ir.h.  Registers are variables; NONE is no register: it reads as 0, and
 * what is written to it is lost.  B, the second operand, is b as shift, how, from and fromsign say, and imm is 0; or
 * imm where b is NONE; an index is the same, or 0.  What is loaded and stored may be a vector, or a float where that
 * goes to a vector register, whose rest becomes 0, or an F64. */
#ifndef IR_SIMPLE_H
#define IR_SIMPLE_H

#include "ir/ir.h"

enum simplekind {
	SI_NOTHING,
	SI_SET,                        /* d = imm */
	SI_OP,                         /* d = a op B; extended to 64 bits; inverted: a division by 0 gives -1, not 0 */
	SI_FIELD,                      /* d = bits lo to lo + n - 1 of a, extended, << shift */
	SI_REL,                        /* d = relation op of a and B: 0 or 1 */
	SI_INSERT,                     /* n bits of d from lo on = a >> shift, or imm where a is NONE */
	SI_MUL,                        /* d = d2 op a * b; both are `from` bits, if not 0, extended by fromsign */
	SI_SELECT,                     /* d = condition op of the flags holds ? a : b, inverted, plus inc */
	SI_CHECK,                      /* flags = condition op of them holds ? flop of a and B : imm2 */
	SI_VSET,                       /* d, a vector, = imm in its low half; in both, if there are two */
	SI_TOV,                        /* vector or float d = a, 0 above */
	SI_FROMV, SI_INTOV,            /* d = what is at byte lo of vector or float a; that of vector d = a */
	SI_LOAD,                       /* d and d2, if there are two, = what is at a + index + imm; then a += step */
	SI_STORE,                      /* the same with d and d2 as what is stored */
	SI_VLOAD, SI_VSTORE,           /* the same of vectors and floats */
	SI_BRANCH,                     /* to `to` if relation op of a and B holds, else on */
	SI_TEST,                       /* there if bit imm of a is 1 (op R_TST) or 0 (R_NTST) */
	SI_BRANCHF,                    /* there if condition op of the flags holds */
	SI_JUMP,                       /* there in any case: this one and all below do not go on */
	SI_CALL,                       /* there; the link variable = next */
	SI_GO, SI_CALLR, SI_RETURN,    /* to a + imm: br, callr and ret; d = next */
};
enum { NONE = 0xff };

struct simple {
	u8 kind, op, ty;               /* ty: of operands; of each datum */
	u8 flop;                       /* SI_OP: what makes flags of the operands, or (O_fltst) of the result; or 0 */
	u8 sign;                       /* extended by the sign, not by 0; a load, to so many bits */
	u8 two;                        /* there are two data */
	u8 lo, n;
	u8 d, d2, a, b;
	union {
		struct {
			u8 shift, how;         /* of b: by so many, as O_shr, O_sar, O_rotr say, or (0) to the left */
			u8 from, fromsign;     /* before: b is so many bits, if not 0, extended by the sign or by 0 */
		};
		u32 changed;           /* 0: b as it is */
	};
	u8 inverted, inc;
	u8 on;                         /* the engine's: code for the instruction at next follows that of the call */
	union { s32 step, imm2; };
	s64 imm;
	gaddr to, next;                /* next: the address after the instruction */
};

static inline int
simple_set(struct simple *s, u8 d, u64 v)
{
	s->kind = SI_SET;
	s->d = d;
	s->imm = (s64)v;
	return 1;
}

#endif
