/* SPDX-License-Identifier: MIT */
/* asm.h - encoders of the integer instructions, and the parts that vasm.h shares
 *
 * Every encoder appends to a->p and checks nothing: the driver guarantees CODE_MARGIN bytes before it
 * starts an instruction.  W is the operand width in bits, 32 or 64 unless said. */
#ifndef BACKEND_X86_64_ASM_H
#define BACKEND_X86_64_ASM_H

#include "base/word.h"

enum {
	RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
	RIP = 16,                      /* base of a struct mem: disp counts from x86_area */
	NOREG,                         /* these two have bit 3 clear, for rex_m */
};

/* conditions as jcc, setcc and cmovcc number them */
enum { JO, JNO, JB, JAE, JE, JNE, JBE, JA, JS, JNS, JP, JNP, JL, JGE, JLE, JG };

/* the eight classic operations, as the /digit of opcode 81 */
enum alu { A_ADD, A_OR, A_ADC, A_SBB, A_AND, A_SUB, A_XOR, A_CMP };
/* shifts, as the /digit of opcode C1 */
enum shop { S_ROL, S_ROR, S_RCL, S_RCR, S_SHL, S_SHR, S_SAR = 7 };

struct mem {
	s8 base, index;                /* NOREG: none */
	u8 scale;                      /* index << scale */
	u8 a32;                        /* address is computed modulo 2^32 (prefix 67) */
	s32 disp;
};

struct code {
	u8 *p;                         /* next byte */
};

extern u8 *x86_area;                   /* start of the code area: common stubs and constants */
/* RIP-relative operands encoded since x86_nripref was last made 0: their fields, and the bytes of the
 * instruction after them. */
extern struct ripref { u8 *field; int after; } *x86_ripref;
extern int x86_nripref;

static inline struct mem
mem_at(int base, s32 disp)
{
	return (struct mem){.base = (s8)base, .index = NOREG, .disp = disp};
}

static inline void put1(struct code *a, u32 b) { *a->p++ = (u8)b; }
static inline void put2(struct code *a, u32 v) { st16(a->p, (u16)v); a->p += 2; }
static inline void put4(struct code *a, u32 v) { st32(a->p, v); a->p += 4; }
static inline void put8(struct code *a, u64 v) { st64(a->p, v); a->p += 8; }

static inline int fits8(s64 v) { return v == (s8)v; }
static inline int fits32(s64 v) { return v == (s32)v; }

/* ModRM for two registers */
static inline u32 modrm2(int reg, int rm) { return 0xc0 | (u32)(reg & 7) << 3 | (u32)(rm & 7); }
static inline void modrm_r(struct code *a, int reg, int rm) { put1(a, modrm2(reg, rm)); }

/* ModRM, SIB and displacement for memory.  nimm: bytes of immediate that follow (RIP-relative
 * addresses count from the instruction's end).  shift: EVEX compresses an 8-bit displacement by
 * the operand's size, 1 << shift bytes; 0 for everything else. */
void modrm_m(struct code *, int reg, struct mem, int nimm, int shift);
u8 *modrm_rare(u8 *p, int reg, struct mem, int nimm);  /* no base, or RIP */

/* The encoders below work on a local pointer: a byte stored through a->p might be a->p itself, for
 * all the compiler knows, and would make it reload the pointer each time. */
static inline u8 *
modrm_at(u8 *p, int reg, struct mem m, int nimm)
{
	u32 r = (u32)(reg & 7) << 3, b = (u32)m.base & 7, mod;

	if (m.base >= RIP)
		return modrm_rare(p, reg, m, nimm);
	mod = fits8(m.disp) ? m.disp == 0 && b != 5 ? 0 : 0x40 : 0x80;
	if (m.index == NOREG && b != 4) {
		*p++ = (u8)(mod | r | b);
	} else {
		*p++ = (u8)(mod | r | 4);
		*p++ = (u8)((u32)m.scale << 6 | (m.index == NOREG ? 4u : (u32)(m.index & 7)) << 3 | b);
	}
	st32(p, (u32)m.disp);
	return p + (mod == 0 ? 0 : mod == 0x40 ? 1 : 4);
}

/* REX bits of a memory operand and a register */
static inline u32
rex_m(int reg, struct mem m)
{
	return (u32)(reg >> 1 & 4) | (u32)(m.index >> 2 & 2) | (u32)(m.base >> 3 & 1);
}

static inline void
rex_r(struct code *a, int w, int reg, int rm)
{
	u32 x = (w == 64 ? 8u : 0u) | (u32)(reg >> 1 & 4) | (u32)(rm >> 3);

	if (x)
		put1(a, 0x40 | x);
}

/* -- one-byte opcodes -- */
static inline void
op_rr(struct code *a, u32 op, int w, int reg, int rm)
{
	u32 x = (w == 64 ? 8u : 0u) | (u32)(reg >> 1 & 4) | (u32)(rm >> 3);
	u32 v = 0x40 | x | op << 8 | modrm2(reg, rm) << 16;

	st32(a->p, x ? v : v >> 8);    /* a byte too many, overwritten by what follows */
	a->p += x ? 3 : 2;
}

static inline void
op_rm(struct code *a, u32 op, int w, int reg, struct mem m, int nimm)
{
	u32 x = (w == 64 ? 8u : 0u) | rex_m(reg, m);
	u8 *p = a->p;

	if (m.a32)
		*p++ = 0x67;
	if (x)
		*p++ = (u8)(0x40 | x);
	*p++ = (u8)op;
	a->p = modrm_at(p, reg, m, nimm);
}

/* -- two-byte opcodes 0F xx, with an optional mandatory prefix -- */
static inline void
op0f_rr(struct code *a, u32 prefix, u32 op, int w, int reg, int rm)
{
	u32 x = (w == 64 ? 8u : 0u) | (u32)(reg >> 1 & 4) | (u32)(rm >> 3);
	u8 *p = a->p;

	if (prefix)
		*p++ = (u8)prefix;
	if (x)
		*p++ = (u8)(0x40 | x);
	st32(p, 0x0f | op << 8 | modrm2(reg, rm) << 16);
	a->p = p + 3;
}

static inline void
op0f_rm(struct code *a, u32 prefix, u32 op, int w, int reg, struct mem m, int nimm)
{
	u32 x = (w == 64 ? 8u : 0u) | rex_m(reg, m);
	u8 *p = a->p;

	if (m.a32)
		*p++ = 0x67;
	if (prefix)
		*p++ = (u8)prefix;
	if (x)
		*p++ = (u8)(0x40 | x);
	st16(p, (u16)(0x0f | op << 8));
	a->p = modrm_at(p + 2, reg, m, nimm);
}

/* -- moves -- */
static inline void mov_rr(struct code *a, int w, int d, int s) { op_rr(a, 0x8b, w, d, s); }
static inline void mov_rm(struct code *a, int w, int d, struct mem m) { op_rm(a, 0x8b, w, d, m, 0); }
static inline void mov_mr(struct code *a, int w, struct mem m, int s) { op_rm(a, 0x89, w, s, m, 0); }
static inline void lea(struct code *a, int w, int d, struct mem m) { op_rm(a, 0x8d, w, d, m, 0); }

/* mov m, imm32 (sign-extended at 64 bits) */
static inline void
mov_mi(struct code *a, int w, struct mem m, s32 v)
{
	op_rm(a, 0xc7, w, 0, m, 4);
	put4(a, (u32)v);
}

void mov_ri(struct code *, int d, u64 v);      /* shortest form that keeps the flags */
void mov_mr_n(struct code *, int bits, struct mem, int s);            /* store of 8 to 64 bits */
void movzx_rm(struct code *, int bits, int d, struct mem);            /* load, zero-extended to 64 */
void movsx_rm(struct code *, int bits, int w, int d, struct mem);     /* load, sign-extended to w */
void movzx_rr(struct code *, int bits, int d, int s);
void movsx_rr(struct code *, int bits, int w, int d, int s);

/* -- arithmetic -- */
static inline void alu_rr(struct code *a, enum alu o, int w, int d, int s) { op_rr(a, (u32)o << 3 | 3, w, d, s); }
static inline void
alu_rm(struct code *a, enum alu o, int w, int d, struct mem m)
{
	op_rm(a, (u32)o << 3 | 3, w, d, m, 0);
}

static inline void
alu_mr(struct code *a, enum alu o, int w, struct mem m, int s)
{
	op_rm(a, (u32)o << 3 | 1, w, s, m, 0);
}

void alu_ri(struct code *, enum alu, int w, int d, s32 v);
void alu_mi(struct code *, enum alu, int w, struct mem, s32 v);
void test_ri(struct code *, int w, int d, s32 v);
void shift_ri(struct code *, enum shop, int w, int d, int n);

static inline void test_rr(struct code *a, int w, int d, int s) { op_rr(a, 0x85, w, s, d); }
static inline void shift_cl(struct code *a, enum shop o, int w, int d) { op_rr(a, 0xd3, w, (int)o, d); }
static inline void neg_r(struct code *a, int w, int d) { op_rr(a, 0xf7, w, 3, d); }
static inline void not_r(struct code *a, int w, int d) { op_rr(a, 0xf7, w, 2, d); }
static inline void imul_rr(struct code *a, int w, int d, int s) { op0f_rr(a, 0, 0xaf, w, d, s); }
static inline void imul_rm(struct code *a, int w, int d, struct mem m) { op0f_rm(a, 0, 0xaf, w, d, m, 0); }
static inline void cmov_rr(struct code *a, int cc, int w, int d, int s) { op0f_rr(a, 0, 0x40 | (u32)cc, w, d, s); }
static inline void
cmov_rm(struct code *a, int cc, int w, int d, struct mem m)
{
	op0f_rm(a, 0, 0x40 | (u32)cc, w, d, m, 0);
}

void imul_rri(struct code *, int w, int d, int s, s32 v);
void setcc_r(struct code *, int cc, int d);    /* the low byte of d */

/* three-operand VEX instructions on general registers (BMI1, BMI2), map 0F38 or 0F3A */
void vex_gpr(struct code *, u32 map, u32 pp, u32 op, int w, int reg, int vvvv, int rm);
void vex_gprm(struct code *, u32 map, u32 pp, u32 op, int w, int reg, int vvvv, struct mem);
void rorx(struct code *, int w, int d, int s, int n);
void rorx_m(struct code *, int w, int d, struct mem, int n);
/* d = s shifted by c: S_SHL, S_SHR, S_SAR; keeps the flags */
void shiftx(struct code *, enum shop, int w, int d, int s, int c);

/* -- branches; all return the address of their rel32 field -- */
static inline u8 *
field_32(struct code *a, u64 op, int n)
{
	u8 *field = a->p + n;

	st64(a->p, op);
	a->p = field + 4;
	return field;
}

static inline u8 *jcc_32(struct code *a, int cc) { return field_32(a, 0x800f | (u32)cc << 8, 2); }
static inline u8 *jmp_32(struct code *a) { return field_32(a, 0xe9, 1); }
static inline u8 *call_32(struct code *a) { return field_32(a, 0xe8, 1); }
static inline void rel32_to(u8 *field, const u8 *to) { st32(field, (u32)(to - (field + 4))); }
static inline u8 *jcc_8(struct code *a, int cc) { put1(a, 0x70 | (u32)cc); put1(a, 0); return a->p - 1; }
static inline u8 *jmp_8(struct code *a) { put1(a, 0xeb); put1(a, 0); return a->p - 1; }
static inline void rel8_here(struct code *a, u8 *field) { *field = (u8)(a->p - (field + 1)); }
void jmp_to(struct code *, const u8 *to);      /* short form where it reaches */
void jcc_to(struct code *, int cc, const u8 *to);
void nops(struct code *, int n);

#endif
