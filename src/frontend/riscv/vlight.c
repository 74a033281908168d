/* SPDX-License-Identifier: MIT */
/* vlight.c - vector cryptography that hosts have nothing for: Zvksed, Zvksh
 *
 * (Volume I, "Cryptography Extensions: Vector".)  Both ways call the same functions here: the general one after it has
 * decoded the word, the quick one from generated code (HELP_GROUP), which knows how many groups there are.  They are
 * compiled for general registers only, so that calling them saves no vector registers. */
#include "frontend/riscv/vquick.h"

#define PLAIN __attribute__((target("general-regs-only")))

/* One group, as it lies in memory: d from vd, x from vs2, y from vs1; imm: the instruction's.  They may be equal: x
 * and y are read before d is written. */
typedef void light_fn(int imm, void *d, const void *x, const void *y);

static PLAIN u32 rol(u32 x, int n) { return x << n | x >> (32 - n); }

/* -- SM4 (GM/T 0002-2012) -- */

static const u8 sbox[256] = {
	0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
	0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
	0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
	0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
	0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
	0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
	0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
	0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
	0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
	0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
	0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
	0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
	0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
	0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
	0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
	0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};

static PLAIN u32
substitute(u32 w)
{
	return sbox[w & 0xff] | (u32)sbox[w >> 8 & 0xff] << 8 | (u32)sbox[w >> 16 & 0xff] << 16 | (u32)sbox[w >> 24] << 24;
}

/* Four rounds of the schedule: x has the last four keys, d gets the next.  Byte n of the constants is 7 * n. */
static PLAIN void
sm4keys(int imm, void *d, const void *x, const void *y)
{
	u32 k[8];

	(void)y;
	memcpy(k, x, 16);
	for (int i = 0; i < 4; i++) {
		u32 constant = 0, s;
		for (int n = 0; n < 4; n++)
			constant = constant << 8 | (u8)(7 * (((imm & 7) * 4 + i) * 4 + n));
		s = substitute(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ constant);
		k[i + 4] = k[i] ^ s ^ rol(s, 13) ^ rol(s, 23);
	}
	memcpy(d, k + 4, 16);
}

/* four rounds: d the state, x the keys */
static PLAIN void
sm4rounds(int imm, void *d, const void *x, const void *y)
{
	u32 s[8], k[4];

	(void)imm, (void)y;
	memcpy(s, d, 16);
	memcpy(k, x, 16);
	for (int i = 0; i < 4; i++) {
		u32 t = substitute(s[i + 1] ^ s[i + 2] ^ s[i + 3] ^ k[i]);
		s[i + 4] = s[i] ^ t ^ rol(t, 2) ^ rol(t, 10) ^ rol(t, 18) ^ rol(t, 24);
	}
	memcpy(d, s + 4, 16);
}

/* -- SM3 (GM/T 0004-2012), whose words have their highest byte first -- */

static PLAIN u32
word(const void *p, int n)
{
	u32 w;

	memcpy(&w, (const u8 *)p + 4 * n, sizeof w);
	return __builtin_bswap32(w);
}

static PLAIN void
setword(void *p, int n, u32 w)
{
	w = __builtin_bswap32(w);
	memcpy((u8 *)p + 4 * n, &w, sizeof w);
}

/* y: words 0 to 7, x: 8 to 15; d: 16 to 23 */
static PLAIN void
sm3expand(int imm, void *d, const void *x, const void *y)
{
	u32 w[24];

	(void)imm;
	for (int i = 0; i < 16; i++)
		w[i] = i < 8 ? word(y, i) : word(x, i - 8);
	for (int i = 16; i < 24; i++) {
		u32 t = w[i - 16] ^ w[i - 9] ^ rol(w[i - 3], 15);
		w[i] = t ^ rol(t, 15) ^ rol(t, 23) ^ rol(w[i - 13], 7) ^ w[i - 6];
		setword(d, i - 16, w[i]);
	}
}

/* Round j, the words of which are w and, four later, w4: the new A, by D's place, and E, by H's. */
static inline PLAIN __attribute__((always_inline)) void
sm3round(int j, u32 w, u32 w4, u32 a, u32 b, u32 c, u32 *d, u32 e, u32 f, u32 g, u32 *h)
{
	u32 k = j < 16 ? 0x79cc4519 : 0x7a879d8a, ss1, t;

	k = k << (j & 31) | k >> (-j & 31);
	ss1 = rol(rol(a, 12) + e + k, 7);
	t = (j < 16 ? f ^ g ^ e : ((f ^ g) & e) ^ g) + *h + ss1 + w;
	*d += (j < 16 ? a ^ b ^ c : (a & b) | ((a | b) & c)) + (ss1 ^ rol(a, 12)) + (w ^ w4);
	*h = t ^ rol(t, 9) ^ rol(t, 17);
}

/* Two rounds, 2 * imm and the next: d the state A to H from element 0 up, with every second one the older; x words
 * 0, 1, 4 and 5 of those from this round on. */
static PLAIN void
sm3rounds(int imm, void *d, const void *x, const void *y)
{
	u32 A = word(d, 0), B = word(d, 1), C = word(d, 2), D = word(d, 3);
	u32 E = word(d, 4), F = word(d, 5), G = word(d, 6), H = word(d, 7);

	(void)y;
	sm3round(2 * imm, word(x, 0), word(x, 4), A, B, C, &D, E, F, G, &H);
	B = rol(B, 9), F = rol(F, 19);
	sm3round(2 * imm + 1, word(x, 1), word(x, 5), D, A, B, &C, H, E, F, &G);
	setword(d, 0, C), setword(d, 1, D), setword(d, 2, rol(A, 9)), setword(d, 3, B);
	setword(d, 4, G), setword(d, 5, H), setword(d, 6, rol(E, 19)), setword(d, 7, F);
}

/* -- both ways -- */

/* What the helper's last argument holds: which function, whether vs2 is one group for all, imm, and the number of
 * groups. */
enum { WHICH = 0, SCALAR = 3, IMM = 4, COUNT = 9 };

static u64
argument(const struct rvv_insn *a, u32 count)
{
	return (u64)a->light << WHICH | (u64)a->scalar << SCALAR | (u64)(a->imm & 31) << IMM | (u64)count << COUNT;
}

PLAIN void
rv_light(struct cpu *cpu, void *d, const void *x, const void *y, u64 how)
{
	static light_fn *const function[] = {
		[LIGHT_SM4K] = sm4keys, [LIGHT_SM4R] = sm4rounds, [LIGHT_SM3ME] = sm3expand, [LIGHT_SM3C] = sm3rounds,
	};
	int which = how >> WHICH & 7, imm = how >> IMM & 31;
	u32 size = which < LIGHT_SM3ME ? 16 : 32, end = size * (u32)(how >> COUNT), step = how >> SCALAR & 1 ? 0 : size;

	(void)cpu;
	for (u32 at = 0, from = 0; at < end; at += size, from += step)
		function[which](imm, (u8 *)d + at, (const u8 *)x + from, (const u8 *)y + at);
}

int
rvv_light(struct vec *v, const struct rvv_insn *a)
{
	u32 at = v->start * 4;

	if (!vec_groups(v, a))
		return 0;
	if (v->start < v->vl)
		rv_light(v->cpu, v->s->v[a->vd] + at, v->s->v[a->vs2] + (a->scalar ? 0 : at), v->s->v[a->vs1] + at,
		    argument(a, (v->vl - v->start) / (u32)a->egs));
	return 1;
}

int
vq_light(struct tr *t, const struct rvv_insn *a)
{
	tr_vhelp(t, RVH_LIGHT, RV_v0 + a->vd, RV_v0 + a->vs2, RV_v0 + a->vs1,
	    (int)argument(a, vcfg_vl(t->vcfg) / (u32)a->egs));
	return 1;
}
