/* SPDX-License-Identifier: MIT */
/* vec.h - what the emitters of vector and floating-point instructions share
 *
 * Three levels: SSE4.2, AVX2 (with FMA), AVX-512.  An emitter takes the shortest sequence its level has.
 * With AVX-512 an operand may lie in xmm16-31, which only EVEX instructions reach: sequences of
 * that level use no VEX-only instruction except on scratch registers (xmm0-4) or after looking.
 * The result's register may be an operand's: a sequence writes it in the instruction that reads the
 * operands last, or asks for one of its own (xv_defx). */
#ifndef BACKEND_X86_64_VEC_H
#define BACKEND_X86_64_VEC_H

#include "backend/x86_64/vasm.h"
#include "backend/x86_64/x86.h"

#define SEL(op, fn, flags) int fn(struct x86 *, const struct ins *);
#include "backend/x86_64/vsel.def"
#undef SEL

/* Scratch in memory, 16 bytes, aligned: what call.c passes values in; 0 is v3's own. */
static inline struct mem vstash(int n) { return m_cpu(offsetof(struct cpu, vspill) + 64 * (size_t)(NVSLOT + n)); }

struct regs3 { int d, a, b, c; };

/* 0..3 for lanes of 8..64 bits, 4 for whole vectors */
static inline int lanelog(int ty) { return __builtin_ctz((u32)ty_lanebits(ty)) - 3; }
static inline int isv128(const struct ins *i) { return ty_isvec(i->ty) && ty_bits(i->ty) == 128; }

/* operands of one- and two-operand instructions, then the result, which may be one of them */
static inline struct regs3
use1(struct x86 *x, const struct ins *i)
{
	struct regs3 r = {.a = xv_use(x, i->a)};

	r.d = xv_def(x, (ref)x->i);
	return r;
}

static inline struct regs3
use2(struct x86 *x, const struct ins *i)
{
	struct regs3 r = {.a = xv_use(x, i->a)};

	r.b = xv_use(x, i->b);
	r.d = xv_def(x, (ref)x->i);
	return r;
}

/* ... whose result is a register of its own, to work in */
static inline struct regs3
use1x(struct x86 *x, const struct ins *i)
{
	struct regs3 r = {.a = xv_use(x, i->a)};

	r.d = xv_defx(x, (ref)x->i);
	return r;
}

static inline struct regs3
use2x(struct x86 *x, const struct ins *i)
{
	struct regs3 r = {.a = xv_use(x, i->a)};

	r.b = xv_use(x, i->b);
	r.d = xv_defx(x, (ref)x->i);
	return r;
}

/* the n-bit pattern w in every lane of that width */
static inline u64
rep(u64 w, int bits)
{
	for (; bits < 64; bits *= 2)
		w = (w & ~(u64)0 >> (64 - bits)) | w << bits;
	return w;
}

static inline struct mem krep(u64 w, int bits) { return xv_const(rep(w, bits), rep(w, bits)); }

/* opcodes of an operation by lanelog */
extern const u32 v_add[4], v_sub[4], v_smin[4], v_smax[4], v_umin[4], v_umax[4];

void vzero(struct code *, int d);
void vones(struct code *, int d);              /* d is a scratch register or below 16 */
void vnot(struct code *, int d, int s);
/* mask ? t : f by lanes that are all ones or zero.  mask is scratch and lost; only with AVX may it be d. */
void vblend(struct code *, int d, int mask, int t, int f);
/* lanes where the integer relation holds become all ones; t, u: scratch, d may be a or b but not t, u */
void vcompare(struct code *, int rel, int lane, int d, int a, int b, int t, int u);
/* min, max of 64-bit lanes without AVX-512 (op: V_PMINSQ ...); t, u scratch, d not t, u */
void vminmax(struct code *, const u32 *op, int lane, int d, int a, int b, int t, int u);

#endif
