/* SPDX-License-Identifier: MIT */
/* vasm.h - encoders of the vector and floating-point instructions
 *
 * One opcode constant stands for an instruction in all its forms.  The encoder takes EVEX when a
 * register above 15, a mask or an EVEX-only opcode asks for it, else VEX where the host has AVX2,
 * else the legacy form; v3 and its kin then make two operands out of three with a move.
 * The destination of v3 may be any of the sources in all forms. */
#ifndef BACKEND_X86_64_VASM_H
#define BACKEND_X86_64_VASM_H

#include "backend/x86_64/asm.h"

/* prefix, map, opcode byte */
#define XO(pp, map, op) ((op) | (map) << 8 | (pp) << 10)
enum { PN, P66, PF3, PF2 };
enum { M0F = 1, M38, M3A };
enum {
	OPW = 1 << 12,                 /* W = 1 in every form */
	OPEW = 1 << 13,                /* W = 1 under EVEX */
	OPE = 1 << 14,                 /* EVEX only */
	OPC = 1 << 15,                 /* operands may be exchanged */
	OPA = 1 << 19,                 /* the legacy form does not exist: VEX or EVEX */
	OPV = 1 << 20,                 /* there is no EVEX form */
#define OPM(log) ((4 - (log)) << 16)   /* memory operand of 1 << log bytes; 16 when not said */
};

enum vop {
	/* moves */
	V_MOVAPS = XO(PN, M0F, 0x28), V_MOVAPS_ST = XO(PN, M0F, 0x29),
	V_MOVUPS = XO(PN, M0F, 0x10), V_MOVUPS_ST = XO(PN, M0F, 0x11),
	V_MOVDQU64 = XO(PF3, M0F, 0x6f) | OPE | OPEW, V_MOVDQU64_ST = XO(PF3, M0F, 0x7f) | OPE | OPEW,
	V_MOVSS = XO(PF3, M0F, 0x10) | OPM(2), V_MOVSS_ST = XO(PF3, M0F, 0x11) | OPM(2),
	V_MOVSD = XO(PF2, M0F, 0x10) | OPEW | OPM(3), V_MOVSD_ST = XO(PF2, M0F, 0x11) | OPEW | OPM(3),
	V_MOVD = XO(P66, M0F, 0x6e) | OPM(2), V_MOVD_ST = XO(P66, M0F, 0x7e) | OPM(2),
	V_MOVQ = XO(P66, M0F, 0x6e) | OPW | OPM(3), V_MOVQ_ST = XO(P66, M0F, 0x7e) | OPW | OPM(3),
	V_MOVQX = XO(PF3, M0F, 0x7e) | OPEW | OPM(3),          /* xmm to xmm, upper half zero */
	V_PINSRB = XO(P66, M3A, 0x20) | OPM(0), V_PINSRW = XO(P66, M0F, 0xc4) | OPM(1),
	V_PINSRD = XO(P66, M3A, 0x22) | OPM(2), V_PINSRQ = XO(P66, M3A, 0x22) | OPW | OPM(3),
	V_PEXTRB = XO(P66, M3A, 0x14) | OPM(0), V_PEXTRW = XO(P66, M3A, 0x15) | OPM(1),
	V_PEXTRD = XO(P66, M3A, 0x16) | OPM(2), V_PEXTRQ = XO(P66, M3A, 0x16) | OPW | OPM(3),
	V_INSERTPS = XO(P66, M3A, 0x21) | OPM(2),
	V_MOVMSKPS = XO(PN, M0F, 0x50) | OPV, V_MOVMSKPD = XO(P66, M0F, 0x50) | OPV, V_PMOVMSKB = XO(P66, M0F, 0xd7) | OPV,
	V_PTEST = XO(P66, M38, 0x17) | OPV,

	/* logic */
	V_PAND = XO(P66, M0F, 0xdb) | OPC, V_PANDN = XO(P66, M0F, 0xdf),
	V_POR = XO(P66, M0F, 0xeb) | OPC, V_PXOR = XO(P66, M0F, 0xef) | OPC,
	V_TERNLOG = XO(P66, M3A, 0x25) | OPE,
	V_PBLENDW = XO(P66, M3A, 0x0e) | OPV, V_BLENDPS = XO(P66, M3A, 0x0c) | OPV, V_PBLENDD = XO(P66, M3A, 0x02) | OPV | OPA,
	V_PBLENDVB = XO(P66, M3A, 0x4c) | OPV | OPA, V_BLENDVPS = XO(P66, M3A, 0x4a) | OPV | OPA,
	V_BLENDVPD = XO(P66, M3A, 0x4b) | OPV | OPA,                  /* mask register in imm8[7:4] */

	/* integer arithmetic */
	V_PADDB = XO(P66, M0F, 0xfc) | OPC, V_PADDW = XO(P66, M0F, 0xfd) | OPC,
	V_PADDD = XO(P66, M0F, 0xfe) | OPC, V_PADDQ = XO(P66, M0F, 0xd4) | OPC | OPEW,
	V_PSUBB = XO(P66, M0F, 0xf8), V_PSUBW = XO(P66, M0F, 0xf9),
	V_PSUBD = XO(P66, M0F, 0xfa), V_PSUBQ = XO(P66, M0F, 0xfb) | OPEW,
	V_PADDUSB = XO(P66, M0F, 0xdc) | OPC, V_PADDUSW = XO(P66, M0F, 0xdd) | OPC,
	V_PADDSB = XO(P66, M0F, 0xec) | OPC, V_PADDSW = XO(P66, M0F, 0xed) | OPC,
	V_PSUBUSB = XO(P66, M0F, 0xd8), V_PSUBUSW = XO(P66, M0F, 0xd9),
	V_PSUBSB = XO(P66, M0F, 0xe8), V_PSUBSW = XO(P66, M0F, 0xe9),
	V_PAVGB = XO(P66, M0F, 0xe0) | OPC, V_PAVGW = XO(P66, M0F, 0xe3) | OPC,
	V_PMULLW = XO(P66, M0F, 0xd5) | OPC, V_PMULHW = XO(P66, M0F, 0xe5) | OPC,
	V_PMULHUW = XO(P66, M0F, 0xe4) | OPC, V_PMULHRSW = XO(P66, M38, 0x0b) | OPC,
	V_PMULLD = XO(P66, M38, 0x40) | OPC, V_PMULLQ = XO(P66, M38, 0x40) | OPC | OPEW | OPE,
	V_PMULUDQ = XO(P66, M0F, 0xf4) | OPC | OPEW, V_PMULDQ = XO(P66, M38, 0x28) | OPC | OPEW,
	V_PMADDWD = XO(P66, M0F, 0xf5) | OPC, V_PSADBW = XO(P66, M0F, 0xf6) | OPC,
	V_PHMINPOSUW = XO(P66, M38, 0x41) | OPV,
	V_PABSB = XO(P66, M38, 0x1c), V_PABSW = XO(P66, M38, 0x1d), V_PABSD = XO(P66, M38, 0x1e),
	V_PABSQ = XO(P66, M38, 0x1f) | OPEW | OPE,
	V_PMINSB = XO(P66, M38, 0x38) | OPC, V_PMINSW = XO(P66, M0F, 0xea) | OPC,
	V_PMINSD = XO(P66, M38, 0x39) | OPC, V_PMINSQ = XO(P66, M38, 0x39) | OPC | OPEW | OPE,
	V_PMINUB = XO(P66, M0F, 0xda) | OPC, V_PMINUW = XO(P66, M38, 0x3a) | OPC,
	V_PMINUD = XO(P66, M38, 0x3b) | OPC, V_PMINUQ = XO(P66, M38, 0x3b) | OPC | OPEW | OPE,
	V_PMAXSB = XO(P66, M38, 0x3c) | OPC, V_PMAXSW = XO(P66, M0F, 0xee) | OPC,
	V_PMAXSD = XO(P66, M38, 0x3d) | OPC, V_PMAXSQ = XO(P66, M38, 0x3d) | OPC | OPEW | OPE,
	V_PMAXUB = XO(P66, M0F, 0xde) | OPC, V_PMAXUW = XO(P66, M38, 0x3e) | OPC,
	V_PMAXUD = XO(P66, M38, 0x3f) | OPC, V_PMAXUQ = XO(P66, M38, 0x3f) | OPC | OPEW | OPE,

	/* integer comparison: to vector registers (not under EVEX), to mask registers */
	V_PCMPEQB = XO(P66, M0F, 0x74) | OPV | OPC, V_PCMPEQW = XO(P66, M0F, 0x75) | OPV | OPC,
	V_PCMPEQD = XO(P66, M0F, 0x76) | OPV | OPC, V_PCMPEQQ = XO(P66, M38, 0x29) | OPV | OPC,
	V_PCMPGTB = XO(P66, M0F, 0x64) | OPV, V_PCMPGTW = XO(P66, M0F, 0x65) | OPV,
	V_PCMPGTD = XO(P66, M0F, 0x66) | OPV, V_PCMPGTQ = XO(P66, M38, 0x37) | OPV,
	VK_CMPB = XO(P66, M3A, 0x3f) | OPE, VK_CMPUB = XO(P66, M3A, 0x3e) | OPE,
	VK_CMPW = XO(P66, M3A, 0x3f) | OPE | OPEW, VK_CMPUW = XO(P66, M3A, 0x3e) | OPE | OPEW,
	VK_CMPD = XO(P66, M3A, 0x1f) | OPE, VK_CMPUD = XO(P66, M3A, 0x1e) | OPE,
	VK_CMPQ = XO(P66, M3A, 0x1f) | OPE | OPEW, VK_CMPUQ = XO(P66, M3A, 0x1e) | OPE | OPEW,
	VK_TESTB = XO(P66, M38, 0x26) | OPE, VK_TESTW = XO(P66, M38, 0x26) | OPE | OPEW,
	VK_TESTD = XO(P66, M38, 0x27) | OPE, VK_TESTQ = XO(P66, M38, 0x27) | OPE | OPEW,
	VK_TESTNB = XO(PF3, M38, 0x26) | OPE, VK_TESTNW = XO(PF3, M38, 0x26) | OPE | OPEW,
	VK_TESTND = XO(PF3, M38, 0x27) | OPE, VK_TESTNQ = XO(PF3, M38, 0x27) | OPE | OPEW,
	V_PMOVM2B = XO(PF3, M38, 0x28) | OPE, V_PMOVM2W = XO(PF3, M38, 0x28) | OPE | OPEW,
	V_PMOVM2D = XO(PF3, M38, 0x38) | OPE, V_PMOVM2Q = XO(PF3, M38, 0x38) | OPE | OPEW,
	V_PMOVD2M = XO(PF3, M38, 0x39) | OPE, V_PMOVQ2M = XO(PF3, M38, 0x39) | OPE | OPEW,

	/* shifts by a register's lanes */
	V_PSLLVW = XO(P66, M38, 0x12) | OPE | OPEW, V_PSRLVW = XO(P66, M38, 0x10) | OPE | OPEW,
	V_PSRAVW = XO(P66, M38, 0x11) | OPE | OPEW,
	V_PSLLVD = XO(P66, M38, 0x47) | OPA, V_PSRLVD = XO(P66, M38, 0x45) | OPA, V_PSRAVD = XO(P66, M38, 0x46) | OPA,
	V_PSLLVQ = XO(P66, M38, 0x47) | OPA | OPW, V_PSRLVQ = XO(P66, M38, 0x45) | OPA | OPW,
	V_PSRAVQ = XO(P66, M38, 0x46) | OPE | OPEW,

	/* permutation */
	V_PSHUFB = XO(P66, M38, 0x00), V_PSHUFD = XO(P66, M0F, 0x70),
	V_PSHUFLW = XO(PF2, M0F, 0x70), V_PSHUFHW = XO(PF3, M0F, 0x70),
	V_PALIGNR = XO(P66, M3A, 0x0f), V_SHUFPS = XO(PN, M0F, 0xc6), V_SHUFPD = XO(P66, M0F, 0xc6) | OPEW,
	V_PUNPCKLBW = XO(P66, M0F, 0x60), V_PUNPCKLWD = XO(P66, M0F, 0x61),
	V_PUNPCKLDQ = XO(P66, M0F, 0x62), V_PUNPCKLQDQ = XO(P66, M0F, 0x6c) | OPEW,
	V_PUNPCKHBW = XO(P66, M0F, 0x68), V_PUNPCKHWD = XO(P66, M0F, 0x69),
	V_PUNPCKHDQ = XO(P66, M0F, 0x6a), V_PUNPCKHQDQ = XO(P66, M0F, 0x6d) | OPEW,
	V_PACKSSWB = XO(P66, M0F, 0x63), V_PACKSSDW = XO(P66, M0F, 0x6b),
	V_PACKUSWB = XO(P66, M0F, 0x67), V_PACKUSDW = XO(P66, M38, 0x2b),
	V_PMOVZXBW = XO(P66, M38, 0x30), V_PMOVZXWD = XO(P66, M38, 0x33), V_PMOVZXDQ = XO(P66, M38, 0x35),
	V_PMOVSXBW = XO(P66, M38, 0x20), V_PMOVSXBQ = XO(P66, M38, 0x22),
	V_PMOVSXWD = XO(P66, M38, 0x23), V_PMOVSXDQ = XO(P66, M38, 0x25),
	V_PBROADCASTB = XO(P66, M38, 0x78) | OPA | OPM(0), V_PBROADCASTW = XO(P66, M38, 0x79) | OPA | OPM(1),
	V_PBROADCASTD = XO(P66, M38, 0x58) | OPA | OPM(2), V_PBROADCASTQ = XO(P66, M38, 0x59) | OPA | OPEW | OPM(3),
	V_PBROADCASTB_R = XO(P66, M38, 0x7a) | OPE, V_PBROADCASTW_R = XO(P66, M38, 0x7b) | OPE,
	V_PBROADCASTD_R = XO(P66, M38, 0x7c) | OPE, V_PBROADCASTQ_R = XO(P66, M38, 0x7c) | OPE | OPEW,
	/* narrowing; the destination is the rm operand */
	V_PMOVWB = XO(PF3, M38, 0x30) | OPE, V_PMOVDW = XO(PF3, M38, 0x33) | OPE, V_PMOVQD = XO(PF3, M38, 0x35) | OPE,
	V_PMOVSWB = XO(PF3, M38, 0x20) | OPE, V_PMOVSDW = XO(PF3, M38, 0x23) | OPE, V_PMOVSQD = XO(PF3, M38, 0x25) | OPE,
	V_PMOVUSWB = XO(PF3, M38, 0x10) | OPE, V_PMOVUSDW = XO(PF3, M38, 0x13) | OPE, V_PMOVUSQD = XO(PF3, M38, 0x15) | OPE,

	/* counting, polynomials, AES, dot products */
	V_PLZCNTD = XO(P66, M38, 0x44) | OPE, V_PLZCNTQ = XO(P66, M38, 0x44) | OPE | OPEW,
	V_POPCNTB = XO(P66, M38, 0x54) | OPE,
	V_GF2P8AFFINE = XO(P66, M3A, 0xce) | OPW,
	V_PCLMULQDQ = XO(P66, M3A, 0x44),
	V_AESENC = XO(P66, M38, 0xdc), V_AESENCLAST = XO(P66, M38, 0xdd), V_AESDEC = XO(P66, M38, 0xde),
	V_AESDECLAST = XO(P66, M38, 0xdf), V_AESIMC = XO(P66, M38, 0xdb) | OPV,

	/* floating point: the packed-single form; vf_op() makes the others */
	V_ADDPS = XO(PN, M0F, 0x58), V_MULPS = XO(PN, M0F, 0x59), V_SUBPS = XO(PN, M0F, 0x5c),
	V_DIVPS = XO(PN, M0F, 0x5e), V_SQRTPS = XO(PN, M0F, 0x51), V_MINPS = XO(PN, M0F, 0x5d),
	V_MAXPS = XO(PN, M0F, 0x5f), V_CMPPS = XO(PN, M0F, 0xc2),
	V_ANDPS = XO(PN, M0F, 0x54) | OPC, V_ANDNPS = XO(PN, M0F, 0x55), V_ORPS = XO(PN, M0F, 0x56) | OPC,
	V_XORPS = XO(PN, M0F, 0x57) | OPC,
	V_RANGEPS = XO(P66, M3A, 0x50) | OPE,
	V_ROUNDPS = XO(P66, M3A, 0x08), V_ROUNDPD = XO(P66, M3A, 0x09) | OPEW,
	V_ROUNDSS = XO(P66, M3A, 0x0a) | OPM(2), V_ROUNDSD = XO(P66, M3A, 0x0b) | OPEW | OPM(3),
	V_UCOMISS = XO(PN, M0F, 0x2e) | OPM(2), V_COMISS = XO(PN, M0F, 0x2f) | OPM(2),
	V_FMADD132 = XO(P66, M38, 0x98) | OPA, V_FMSUB132 = XO(P66, M38, 0x9a) | OPA,
	V_FNMADD132 = XO(P66, M38, 0x9c) | OPA, V_FNMSUB132 = XO(P66, M38, 0x9e) | OPA,
	FMA_213 = 0x10, FMA_231 = 0x20, FMA_SCALAR = 1,
	VK_CMPPS = XO(PN, M0F, 0xc2) | OPE, VK_CMPPD = XO(P66, M0F, 0xc2) | OPE | OPEW,

	/* conversion */
	V_CVTSS2SD = XO(PF3, M0F, 0x5a) | OPM(2), V_CVTSD2SS = XO(PF2, M0F, 0x5a) | OPEW | OPM(3),
	V_CVTPS2PD = XO(PN, M0F, 0x5a) | OPM(3), V_CVTPD2PS = XO(P66, M0F, 0x5a) | OPEW,
	V_CVTDQ2PS = XO(PN, M0F, 0x5b), V_CVTTPS2DQ = XO(PF3, M0F, 0x5b), V_CVTPS2DQ = XO(P66, M0F, 0x5b),
	V_CVTUDQ2PS = XO(PF2, M0F, 0x7a) | OPE, V_CVTTPS2UDQ = XO(PN, M0F, 0x78) | OPE, V_CVTPS2UDQ = XO(PN, M0F, 0x79) | OPE,
	V_CVTQQ2PD = XO(PF3, M0F, 0xe6) | OPE | OPEW, V_CVTUQQ2PD = XO(PF3, M0F, 0x7a) | OPE | OPEW,
	V_CVTTPD2QQ = XO(P66, M0F, 0x7a) | OPE | OPEW, V_CVTPD2QQ = XO(P66, M0F, 0x7b) | OPE | OPEW,
	V_CVTTPD2UQQ = XO(P66, M0F, 0x78) | OPE | OPEW, V_CVTPD2UQQ = XO(P66, M0F, 0x79) | OPE | OPEW,
	V_CVTPH2PS = XO(P66, M38, 0x13) | OPA | OPM(3),
	V_CVTPS2PH = XO(P66, M3A, 0x1d) | OPA | OPM(3),        /* the destination is the rm operand */
	/* general register operands: | OPW for 64 bits */
	V_CVTSI2SS = XO(PF3, M0F, 0x2a), V_CVTSI2SD = XO(PF2, M0F, 0x2a),
	V_CVTTSS2SI = XO(PF3, M0F, 0x2c), V_CVTTSD2SI = XO(PF2, M0F, 0x2c),
	V_CVTSS2SI = XO(PF3, M0F, 0x2d), V_CVTSD2SI = XO(PF2, M0F, 0x2d),
	V_CVTUSI2SS = XO(PF3, M0F, 0x7b) | OPE, V_CVTUSI2SD = XO(PF2, M0F, 0x7b) | OPE,
	V_CVTTSS2USI = XO(PF3, M0F, 0x78) | OPE, V_CVTTSD2USI = XO(PF2, M0F, 0x78) | OPE,
	V_CVTSS2USI = XO(PF3, M0F, 0x79) | OPE, V_CVTSD2USI = XO(PF2, M0F, 0x79) | OPE,
};

/* The scalar or packed form of a packed-single opcode for float lanes of 32 or 64 bits. */
static inline u32
vf_op(u32 op, int bits, int packed)
{
	if (packed)
		return op | (bits == 64 ? XO(P66, 0, 0) | OPEW : 0);
	return op | (bits == 64 ? XO(PF2, 0, 0) | OPEW | OPM(3) : XO(PF3, 0, 0) | OPM(2));
}

/* ... of V_UCOMISS and V_COMISS, and of the logic of V_ANDPS, whose 64-bit form is prefix 66 only */
static inline u32 vf_cmp(u32 op, int bits) { return bits == 64 ? (op & ~OPM(2)) | XO(P66, 0, 0) | OPEW | OPM(3) : op; }
static inline u32 vf_logic(u32 op, int bits) { return op | (bits == 64 ? XO(P66, 0, 0) | OPEW : 0); }

/* ... of an FMA or RANGE opcode, whose scalar form is the next opcode and whose W means 64 bits */
static inline u32
vf_w(u32 op, int bits, int packed)
{
	return (op | (bits == 64 ? OPW : 0)) + (packed ? 0 : FMA_SCALAR | (bits == 64 ? OPM(3) : OPM(2)));
}

/* -- encoders.  v: the second source or, in shifts by immediate, the destination; 0 when unused -- */
void v_rr(struct code *, u32 op, int reg, int v, int rm);
void v_rm(struct code *, u32 op, int reg, int v, struct mem, int nimm);
void vk_rr(struct code *, u32 op, int reg, int v, int rm, int k, int zero);    /* under mask register k */
void vk_rm(struct code *, u32 op, int reg, int v, struct mem, int nimm, int k, int zero);
/* EVEX, of 1 << log bytes, no second source */
void vl_rr(struct code *, u32 op, int log, int reg, int rm);
void vl_rm(struct code *, u32 op, int log, int reg, struct mem);
void vlk_rm(struct code *, u32 op, int log, int reg, struct mem, int k, int zero);
void ver_rr(struct code *, u32 op, int reg, int v, int rm, int rc);            /* EVEX, rounding rc, no exceptions */

/* d = a op b in any form */
void v3(struct code *, u32 op, int d, int a, int b);
void v3i(struct code *, u32 op, int d, int a, int b, int imm);
void v3m(struct code *, u32 op, int d, int a, struct mem b);
void v3mi(struct code *, u32 op, int d, int a, struct mem b, int imm);
void v3g(struct code *, u32 op, int d, int a, int gpr);        /* general register source */
void v2(struct code *, u32 op, int d, int s);                  /* no second source in any form */
void v2i(struct code *, u32 op, int d, int s, int imm);
void v2m(struct code *, u32 op, int d, struct mem);            /* loads; stores with the _ST opcodes */
void vmov(struct code *, int d, int s);                        /* all of the register; nothing when equal */

/* shifts by immediate: lane bits 16, 32, 64 */
enum vsh { VSH_R, VSH_RA, VSH_L, VSH_ROL };
void vshi(struct code *, enum vsh, int bits, int d, int s, int n);
void vshdq(struct code *, int left, int d, int s, int bytes);

/* mask registers */
void k_ortest(struct code *, int a, int b);                    /* ZF: all 16 bits of both zero */
void k_mov_r(struct code *, int d, int k);                     /* low 16 bits to a general register */

#endif
