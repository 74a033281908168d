/* SPDX-License-Identifier: MIT */
/* vector.h - the RISC-V vector unit: what its files share
 *
 * (Volume I, "V" Standard Extension, Version 1.0.)  Registers have VLEN bits.  Lines of riscv.isa hand a word of
 * the vector unit's opcodes to rv_vector (vtranslate.c), which decodes it by rvv.isa.  There are two ways to do one:
 *
 * The general one, for every instruction and every state: a line of rvv.isa names a function rvv_NAME, which
 * does the instruction on the registers in memory, when it is executed, element by element; generated code calls it
 * through the helper RVH_VECTOR, with the instruction's word.
 *
 * The quick one (vtranslate.c), IR on whole registers, for lines that have a constant `fast`: it holds while vl and
 * vtype are what the translator took them to be, which generated code asks once a block; if they are not, the
 * block's general form is executed.
 */
#ifndef FRONTEND_RISCV_VECTOR_H
#define FRONTEND_RISCV_VECTOR_H

#include "frontend/riscv/riscv.h"

enum { VLEN = 128, VLENB = VLEN / 8 };

/* The slot vcfg holds all that decides what a vector instruction does, so that one comparison tells whether it is as
 * expected: vl in bits 15:0, vtype's low 8 bits (vma, vta, vsew, vlmul) in 23:16, vill in bit 30, vstart in 39:32.
 * At reset, vill. */
enum { VCFG_VL = 0, VCFG_TYPE = 16, VCFG_ILL = 30, VCFG_START = 32, VCFG_RESET = 1 << VCFG_ILL };
static inline u32 vcfg_vl(u64 c) { return (u32)(c & 0xffff); }
static inline u32 vcfg_start(u64 c) { return (u32)bits(c, VCFG_START, 8); }
static inline u64 vcfg_vtype(u64 c) { return bits(c, VCFG_TYPE, 8) | bits(c, VCFG_ILL, 1) << 63; }     /* the CSR */
static inline int vcfg_sew(u64 c) { return 8 << bits(c, VCFG_TYPE + 3, 3); }           /* bits */
static inline int vcfg_lmul(u64 c) { return (int)(bits(c, VCFG_TYPE, 3) ^ 4) - 4; }     /* log2: -3 to 3 */
/* the vcfg that vsetvl makes of an application vector length (unsigned) and a vtype of 64 bits: vstart is 0; if the
 * vtype is not supported, vill is set and all else 0 */
u64 vcfg_make(u64 avl, u64 vtype);
static inline u32
vcfg_vlmax(u64 c)
{
	int k = vcfg_lmul(c);

	return (u32)(k < 0 ? VLEN / vcfg_sew(c) >> -k : VLEN / vcfg_sew(c) << k);
}

/* One instruction being done the general way. */
struct vec {
	struct cpu *cpu;
	struct riscv_state *s;
	u32 vl, start, vlmax;
	int sew, lmul;                 /* bits; log2 */
	int eew;                       /* the IR type of an element of SEW bits: I8 to I64 */
};

/* Functions that lines of rvv.isa name do the instruction from element v->start on, check its operands' numbers and
 * overlaps, and return 1; or 0 if it is reserved, having changed nothing: SIGILL.  The caller has refused vill and
 * clears vstart after 1.  Elements after vl, and those that the mask leaves out, keep their values (which "agnostic"
 * allows).  A memory access that faults does not return (HELP_FAULT): before each access vstart is set in
 * s->vcfg to the number of the element. */
typedef int vec_fn(struct vec *, const struct rvv_insn *);
#define DECLARE(name, function) int rvv_##function(struct vec *, const struct rvv_insn *);
rvv_TRANSLATORS(DECLARE)
#undef DECLARE

/* Register n and those after it as one array.  Element i, of `bits` bits, zero-extended. */
static inline u64
vec_get(const struct vec *v, int n, u32 i, int bits)
{
	const u8 *p = v->s->v[n] + i * (u32)bits / 8;

	return bits == 8 ? *p : bits == 16 ? ld16(p) : bits == 32 ? ld32(p) : ld64(p);
}

static inline void
vec_put(struct vec *v, int n, u32 i, int bits, u64 x)
{
	u8 *p = v->s->v[n] + i * (u32)bits / 8;

	if (bits == 8)
		*p = (u8)x;
	else if (bits == 16)
		st16(p, (u16)x);
	else if (bits == 32)
		st32(p, (u32)x);
	else
		st64(p, x);
}

static inline int vec_bit(const struct vec *v, int n, u32 i) { return v->s->v[n][i / 8] >> i % 8 & 1; }

static inline void
vec_setbit(struct vec *v, int n, u32 i, int x)
{
	v->s->v[n][i / 8] = (u8)((v->s->v[n][i / 8] & ~(1 << i % 8)) | x << i % 8);
}

/* Is element i one that an instruction with this vm field works on?  vm = 0: masked by v0. */
static inline int vec_active(const struct vec *v, int vm, u32 i) { return vm || vec_bit(v, 0, i); }

/* Operands (section 5.2): may register n begin a group of 2^log registers?  log below 0 counts as 0. */
static inline int vec_group(int n, int log) { return log <= 0 || (n & ((1 << log) - 1)) == 0; }

/* The helper: 1, or 0 if the instruction is reserved. */
u64 rv_dovector(struct cpu *, u64 word, u64 b, u64 c);

#endif
