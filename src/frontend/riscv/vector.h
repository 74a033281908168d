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
 * The quick one (vtranslate.c, vquick.c), IR on whole registers: it holds while vl and vtype are what the
 * translator took them to be, which generated code asks once a block; if they are not, the block's other form is
 * executed, all of it the general way.
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

/* Constants of lines.  form: what the operand that vv, vx, vi or vf instructions differ in is: register vs1, rs1, imm,
 * the floating-point register rs1, or nothing.  wd, w2, w1: log2 of the EEW of vd, vs2, vs1 over SEW (so they are for
 * the EMUL over LMUL), or W_MASK: a mask register.  sx: which narrower sources are sign-extended.  acc: vd is a source
 * too.  lax: a mask may be in a register that is another source as well: reserved, but QEMU does it. */
enum { FORM_VV, FORM_VX, FORM_VI, FORM_VF, FORM_V };
enum { W_MASK = 8 };
enum { SX_1 = 1, SX_2 = 2, SX_BOTH = 3 };
/* light: a function of vlight.c; there is another for words of 64 bits after those of SHA-2. */
enum { LIGHT_SM4K, LIGHT_SM4R, LIGHT_SM3ME, LIGHT_SM3C, LIGHT_SHA2C, LIGHT_SHA2MS = LIGHT_SHA2C + 2 };

/* One instruction being done the general way. */
struct vec {
	struct cpu *cpu;
	struct riscv_state *s;
	u64 cfg;                       /* the slot vcfg with vstart 0 */
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

/* An element of `bits` bits at p, accessed as one. */
static inline u64
elem_load(const void *p, int bits)
{
	return bits == 8 ? *(const u8 *)p : bits == 16 ? ld16(p) : bits == 32 ? ld32(p) : ld64(p);
}

static inline void
elem_store(void *p, int bits, u64 x)
{
	if (bits == 8)
		*(u8 *)p = (u8)x;
	else if (bits == 16)
		st16(p, (u16)x);
	else if (bits == 32)
		st32(p, (u32)x);
	else
		st64(p, x);
}

/* Register n and those after it as one array.  Element i, of `bits` bits, zero-extended. */
static inline u64
vec_get(const struct vec *v, int n, u32 i, int bits)
{
	return elem_load(v->s->v[n] + i * (u32)bits / 8, bits);
}

static inline void
vec_put(struct vec *v, int n, u32 i, int bits, u64 x)
{
	elem_store(v->s->v[n] + i * (u32)bits / 8, bits, x);
}

static inline int vec_bit(const struct vec *v, int n, u32 i) { return v->s->v[n][i / 8] >> i % 8 & 1; }

static inline void
vec_setbit(struct vec *v, int n, u32 i, int x)
{
	v->s->v[n][i / 8] = (u8)((v->s->v[n][i / 8] & ~(1 << i % 8)) | x << i % 8);
}

/* Is element i one that an instruction with this vm field works on?  vm = 0: masked by v0. */
static inline int vec_active(const struct vec *v, int vm, u32 i) { return vm || vec_bit(v, 0, i); }

/* The scalar operand of an instruction of form VX or VI, 64 bits. */
static inline u64
vec_scalar(const struct vec *v, const struct rvv_insn *a)
{
	return a->form == FORM_VX ? v->s->x[a->rs1] : (u64)(s64)a->imm;
}

/* Sections 5.2 and 5.3: may vd, vs2 and, if the form is VV, vs1 be what they are, given the line's wd, w2, w1 and acc,
 * and vm?  That is: their EEW and EMUL exist, groups begin where they may, vd overlaps a source only where that may be,
 * and v0 only if it is a mask or the instruction is not masked, and no register is a source with two EEW. */
int vec_operands(const struct vec *, const struct rvv_insn *);

/* Pieces of that, for those whose operands are of other kinds.  log: of the number of registers of a group, below 0
 * counts as 0; group: may register n begin such a group; apart: two have no register in common; over: vd with an
 * EEW of d bits (mask: 1) overlaps the source n of s bits in a way that is allowed, or not at all. */
static inline int vec_group(int n, int log) { return log <= 0 || (n & ((1 << log) - 1)) == 0; }
static inline int vec_size(int log) { return log <= 0 ? 1 : 1 << log; }
static inline int
vec_apart(int a, int alog, int b, int blog)
{
	return a + vec_size(alog) <= b || b + vec_size(blog) <= a;
}
int vec_over(int vd, int dlog, int d, int n, int nlog, int s);

/* -- vmem.c -- */
/* The same for the registers of a load or store that is not of whole registers or masks. */
int vec_access(const struct vec *, const struct rvv_insn *, int indexed);

/* Functions that generated code calls too, and that are compiled for general registers only, so that calling them
 * saves no vector registers (HELP_GROUP). */
#define PLAIN __attribute__((target("general-regs-only")))
#define ALWAYS PLAIN inline __attribute__((always_inline))
/* -- vlight.c -- */
vhelper_fn rv_light;                   /* RVH_LIGHT: groups of elements at d, from x and y */
/* -- vpack.c -- */
vhelper_fn rv_compress;                /* RVH_COMPRESS: to d the elements at x that the mask y has */
vhelper_fn rv_iota;                    /* RVH_IOTA: to d how many bits the mask x has below each element that y has */

/* -- vred.c, vcrypto.c -- */
/* The same for a reduction: a line with `sums`. */
int vec_sums(const struct vec *, const struct rvv_insn *);
/* The same for a line of vector cryptography, one with egs: operands, SEW, LMUL, vl and vstart are as it wants them. */
int vec_groups(const struct vec *, const struct rvv_insn *);
/* A round of the key's schedule, of one key of four words (vaeskf1) or two (more); the round's number is made one that
 * there is by inverting its bit 3.  Returns whether the substituted word is rotated and has *rcon added. */
int rv_aeskeyround(const struct rvv_insn *, u32 *rcon);

/* -- vfp.c -- */
/* An operation of the IR on up to 128 bits: op, ty, v, aux and imm are the instruction's; operands and result have two
 * words each.  Floating point follows RISC-V's rules and cpu->fpmode, and what it raises goes to cpu->fpflags. */
void vec_op(struct vec *, struct ins, const u64 operand[6], u64 out[2]);

/* The helper; an instruction that is reserved raises SIGILL. */
u64 rv_dovector(struct cpu *, u64 word, u64 b, u64 c);

/* -- vquick.c: t->vcfg is known, the rounding mode one that hosts have -- */
int rv_isquick(const struct rvv_insn *);       /* is there a quick way for some vl and vtype? */
int rv_quick(struct tr *, const struct rvv_insn *);    /* takes it, or returns 0 */

#endif
