/* SPDX-License-Identifier: MIT */
/* vlight.c - vector cryptography that hosts have nothing for: Zvksed, Zvksh, Zvknhb; and Zvknha's general way
 *
 * (Volume I, "Cryptography Extensions: Vector".)  Both ways call the same functions here: the general one after it has
 * decoded the word, the quick one from generated code (HELP_GROUP), which knows how many groups there are.  They are
 * compiled for general registers only, so that calling them saves no vector registers. */
#include "frontend/riscv/vquick.h"

/* One group, as it lies in memory: d from vd, x from vs2, y from vs1; imm: the instruction's.  They may be equal: x
 * and y are read before d is written. */
typedef void light_fn(int imm, void *d, const void *x, const void *y);

static PLAIN u32 rol(u32 x, int n) { return x << n | x >> (32 - n); }

static PLAIN u32
word(const void *p, int n)
{
	u32 w;

	memcpy(&w, (const u8 *)p + 4 * n, sizeof w);
	return w;
}

static PLAIN void setword(void *p, int n, u32 w) { memcpy((u8 *)p + 4 * n, &w, sizeof w); }

/* -- SM4 (GM/T 0002-2012) -- */

#define SBOX(F) \
	F(0xd6) F(0x90) F(0xe9) F(0xfe) F(0xcc) F(0xe1) F(0x3d) F(0xb7) F(0x16) F(0xb6) F(0x14) F(0xc2) \
	F(0x28) F(0xfb) F(0x2c) F(0x05) F(0x2b) F(0x67) F(0x9a) F(0x76) F(0x2a) F(0xbe) F(0x04) F(0xc3) \
	F(0xaa) F(0x44) F(0x13) F(0x26) F(0x49) F(0x86) F(0x06) F(0x99) F(0x9c) F(0x42) F(0x50) F(0xf4) \
	F(0x91) F(0xef) F(0x98) F(0x7a) F(0x33) F(0x54) F(0x0b) F(0x43) F(0xed) F(0xcf) F(0xac) F(0x62) \
	F(0xe4) F(0xb3) F(0x1c) F(0xa9) F(0xc9) F(0x08) F(0xe8) F(0x95) F(0x80) F(0xdf) F(0x94) F(0xfa) \
	F(0x75) F(0x8f) F(0x3f) F(0xa6) F(0x47) F(0x07) F(0xa7) F(0xfc) F(0xf3) F(0x73) F(0x17) F(0xba) \
	F(0x83) F(0x59) F(0x3c) F(0x19) F(0xe6) F(0x85) F(0x4f) F(0xa8) F(0x68) F(0x6b) F(0x81) F(0xb2) \
	F(0x71) F(0x64) F(0xda) F(0x8b) F(0xf8) F(0xeb) F(0x0f) F(0x4b) F(0x70) F(0x56) F(0x9d) F(0x35) \
	F(0x1e) F(0x24) F(0x0e) F(0x5e) F(0x63) F(0x58) F(0xd1) F(0xa2) F(0x25) F(0x22) F(0x7c) F(0x3b) \
	F(0x01) F(0x21) F(0x78) F(0x87) F(0xd4) F(0x00) F(0x46) F(0x57) F(0x9f) F(0xd3) F(0x27) F(0x52) \
	F(0x4c) F(0x36) F(0x02) F(0xe7) F(0xa0) F(0xc4) F(0xc8) F(0x9e) F(0xea) F(0xbf) F(0x8a) F(0xd2) \
	F(0x40) F(0xc7) F(0x38) F(0xb5) F(0xa3) F(0xf7) F(0xf2) F(0xce) F(0xf9) F(0x61) F(0x15) F(0xa1) \
	F(0xe0) F(0xae) F(0x5d) F(0xa4) F(0x9b) F(0x34) F(0x1a) F(0x55) F(0xad) F(0x93) F(0x32) F(0x30) \
	F(0xf5) F(0x8c) F(0xb1) F(0xe3) F(0x1d) F(0xf6) F(0xe2) F(0x2e) F(0x82) F(0x66) F(0xca) F(0x60) \
	F(0xc0) F(0x29) F(0x23) F(0xab) F(0x0d) F(0x53) F(0x4e) F(0x6f) F(0xd5) F(0xdb) F(0x37) F(0x45) \
	F(0xde) F(0xfd) F(0x8e) F(0x2f) F(0x03) F(0xff) F(0x6a) F(0x72) F(0x6d) F(0x6c) F(0x5b) F(0x51) \
	F(0x8d) F(0x1b) F(0xaf) F(0x92) F(0xbb) F(0xdd) F(0xbc) F(0x7f) F(0x11) F(0xd9) F(0x5c) F(0x41) \
	F(0x1f) F(0x10) F(0x5a) F(0xd8) F(0x0a) F(0xc1) F(0x31) F(0x88) F(0xa5) F(0xcd) F(0x7b) F(0xbd) \
	F(0x2d) F(0x74) F(0xd0) F(0x12) F(0xb8) F(0xe5) F(0xb4) F(0xb0) F(0x89) F(0x69) F(0x97) F(0x4a) \
	F(0x0c) F(0x96) F(0x77) F(0x7e) F(0x65) F(0xb9) F(0xf1) F(0x09) F(0xc5) F(0x6e) F(0xc6) F(0x84) \
	F(0x18) F(0xf0) F(0x7d) F(0xec) F(0x3a) F(0xdc) F(0x4d) F(0x20) F(0x79) F(0xee) F(0x5f) F(0x3e) \
	F(0xd7) F(0xcb) F(0x39) F(0x48)

/* the S-box, and what of it the round's linear transformation makes: of the lowest byte, of others it is rotated */
#define ROL(x, n) ((u32)(x) << n | (u32)(x) >> (32 - n))
#define BYTE(x) x,
#define MIXED(x) (u32)(x) ^ ROL(x, 2) ^ ROL(x, 10) ^ ROL(x, 18) ^ ROL(x, 24),
static const u8 sbox[256] = {SBOX(BYTE)};
static const u32 mixed[256] = {SBOX(MIXED)};

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

static ALWAYS u32
sm4round(u32 x, u32 w)
{
	return x ^ mixed[w & 0xff] ^ rol(mixed[w >> 8 & 0xff], 8) ^ rol(mixed[w >> 16 & 0xff], 16) ^ rol(mixed[w >> 24], 24);
}

/* four rounds: d the state, x the keys */
static PLAIN void
sm4rounds(int imm, void *d, const void *x, const void *y)
{
	u32 A = word(d, 0), B = word(d, 1), C = word(d, 2), D = word(d, 3);
	u32 k[4] = {word(x, 0), word(x, 1), word(x, 2), word(x, 3)};

	(void)imm, (void)y;
	A = sm4round(A, B ^ C ^ D ^ k[0]);
	B = sm4round(B, C ^ D ^ A ^ k[1]);
	C = sm4round(C, D ^ A ^ B ^ k[2]);
	D = sm4round(D, A ^ B ^ C ^ k[3]);
	setword(d, 0, A), setword(d, 1, B), setword(d, 2, C), setword(d, 3, D);
}

/* -- SM3 (GM/T 0004-2012), whose words have their highest byte first -- */

static PLAIN u32 bigword(const void *p, int n) { return __builtin_bswap32(word(p, n)); }
static PLAIN void setbig(void *p, int n, u32 w) { setword(p, n, __builtin_bswap32(w)); }

/* y: words 0 to 7, x: 8 to 15; d: 16 to 23 */
static PLAIN void
sm3expand(int imm, void *d, const void *x, const void *y)
{
	u32 w[24];

	(void)imm;
	for (int i = 0; i < 16; i++)
		w[i] = i < 8 ? bigword(y, i) : bigword(x, i - 8);
	for (int i = 16; i < 24; i++) {
		u32 t = w[i - 16] ^ w[i - 9] ^ rol(w[i - 3], 15);
		w[i] = t ^ rol(t, 15) ^ rol(t, 23) ^ rol(w[i - 13], 7) ^ w[i - 6];
		setbig(d, i - 16, w[i]);
	}
}

/* Round j, the words of which are w and, four later, w4: the new A, by D's place, and E, by H's. */
static ALWAYS void
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
	u32 A = bigword(d, 0), B = bigword(d, 1), C = bigword(d, 2), D = bigword(d, 3);
	u32 E = bigword(d, 4), F = bigword(d, 5), G = bigword(d, 6), H = bigword(d, 7);

	(void)y;
	sm3round(2 * imm, bigword(x, 0), bigword(x, 4), A, B, C, &D, E, F, G, &H);
	B = rol(B, 9), F = rol(F, 19);
	sm3round(2 * imm + 1, bigword(x, 1), bigword(x, 5), D, A, B, &C, H, E, F, &G);
	setbig(d, 0, C), setbig(d, 1, D), setbig(d, 2, rol(A, 9)), setbig(d, 3, B);
	setbig(d, 4, G), setbig(d, 5, H), setbig(d, 6, rol(E, 19)), setbig(d, 7, F);
}

/* -- SHA-256 and SHA-512 (FIPS 180-4): each once for words of 32 and of 64 bits -- */

static ALWAYS u64
get(int bits, const void *p, int n)
{
	u64 w = 0;

	memcpy(&w, (const u8 *)p + n * bits / 8, (size_t)bits / 8);
	return w;
}

static ALWAYS void put(int bits, void *p, int n, u64 w) { memcpy((u8 *)p + n * bits / 8, &w, (size_t)bits / 8); }
static ALWAYS u64 cut(int bits, u64 x) { return bits == 32 ? (u32)x : x; }
static ALWAYS u64 ror(int bits, u64 x, int n) { return cut(bits, x) >> n | x << (bits - n); }

/* 4.1.2, 4.1.3: two rotations, and one more or a shift */
enum { SUM0, SUM1, SIGMA0, SIGMA1 };
static ALWAYS u64
sigma(int bits, int which, u64 x)
{
	static const u8 by[2][4][3] = {
		{{2, 13, 22}, {6, 11, 25}, {7, 18, 3}, {17, 19, 10}},
		{{28, 34, 39}, {14, 18, 41}, {1, 8, 7}, {19, 61, 6}},
	};
	const u8 *n = by[bits == 64][which];

	return ror(bits, x, n[0]) ^ ror(bits, x, n[1]) ^ (which < SIGMA0 ? ror(bits, x, n[2]) : cut(bits, x) >> n[2]);
}

/* A round with the word w: the new E, by D's place, and A, by H's. */
static ALWAYS void
sharound(int bits, u64 w, u64 a, u64 b, u64 c, u64 *d, u64 e, u64 f, u64 g, u64 *h)
{
	u64 t = *h + w + sigma(bits, SUM1, e) + (((f ^ g) & e) ^ g);

	*d += t;
	*h = t + sigma(bits, SUM0, a) + (((a | b) & c) | (a & b));
}

/* Two rounds: from element 3 down x is A B E F, d C D G H; the new A B E F go to d.  y: words plus constants, the
 * upper two or the lower. */
static ALWAYS void
sharounds(int bits, int upper, void *d, const void *x, const void *y)
{
	u64 A = get(bits, x, 3), B = get(bits, x, 2), C = get(bits, d, 3), D = get(bits, d, 2);
	u64 E = get(bits, x, 1), F = get(bits, x, 0), G = get(bits, d, 1), H = get(bits, d, 0);

	sharound(bits, get(bits, y, 2 * upper), A, B, C, &D, E, F, G, &H);
	sharound(bits, get(bits, y, 2 * upper + 1), H, A, B, &C, D, E, F, &G);
	put(bits, d, 0, D), put(bits, d, 1, C), put(bits, d, 2, H), put(bits, d, 3, G);
}

/* d: words 0 to 3, x: 4, 9 to 11, y: 12 to 15; d: 16 to 19 */
static ALWAYS void
shaexpand(int bits, void *d, const void *x, const void *y)
{
	u64 w[20];

	for (int i = 0; i < 4; i++) {
		w[i] = get(bits, d, i);
		w[i ? 8 + i : 4] = get(bits, x, i);
		w[12 + i] = get(bits, y, i);
	}
	for (int i = 16; i < 20; i++) {
		w[i] = sigma(bits, SIGMA1, w[i - 2]) + w[i - 7] + sigma(bits, SIGMA0, w[i - 15]) + w[i - 16];
		put(bits, d, i - 16, w[i]);
	}
}

static PLAIN void sha256rounds(int imm, void *d, const void *x, const void *y) { sharounds(32, imm, d, x, y); }
static PLAIN void sha512rounds(int imm, void *d, const void *x, const void *y) { sharounds(64, imm, d, x, y); }
static PLAIN void sha256expand(int imm, void *d, const void *x, const void *y) { (void)imm, shaexpand(32, d, x, y); }
static PLAIN void sha512expand(int imm, void *d, const void *x, const void *y) { (void)imm, shaexpand(64, d, x, y); }

/* -- both ways -- */

/* What the helper's last argument holds: which function, whether vs2 is one group for all, imm, or the line's `more`,
 * and the number of groups. */
enum { WHICH = 0, SCALAR = 3, IMM = 4, COUNT = 9 };

static u64
argument(const struct rvv_insn *a, int sew, u32 elements)
{
	return (u64)(a->light + (sew == 64)) << WHICH | (u64)a->scalar << SCALAR | (u64)((a->imm & 31) | a->more) << IMM |
	    (u64)(elements / (u32)a->egs) << COUNT;
}

PLAIN void
rv_light(struct cpu *cpu, void *d, const void *x, const void *y, u64 how)
{
	static const struct { light_fn *f; u32 size; } all[] = {
		[LIGHT_SM4K] = {sm4keys, 16}, [LIGHT_SM4R] = {sm4rounds, 16},
		[LIGHT_SM3ME] = {sm3expand, 32}, [LIGHT_SM3C] = {sm3rounds, 32},
		[LIGHT_SHA2C] = {sha256rounds, 16}, [LIGHT_SHA2C + 1] = {sha512rounds, 32},
		[LIGHT_SHA2MS] = {sha256expand, 16}, [LIGHT_SHA2MS + 1] = {sha512expand, 32},
	};
	int imm = how >> IMM & 31;
	light_fn *f = all[how >> WHICH & 7].f;
	u32 size = all[how >> WHICH & 7].size, end = size * (u32)(how >> COUNT), step = how >> SCALAR & 1 ? 0 : size;

	(void)cpu;
	for (u32 at = 0, from = 0; at < end; at += size, from += step)
		f(imm, (u8 *)d + at, (const u8 *)x + from, (const u8 *)y + at);
}

int
rvv_light(struct vec *v, const struct rvv_insn *a)
{
	u32 at = v->start * (u32)v->sew / 8;

	if (!vec_groups(v, a))
		return 0;
	if (v->start < v->vl)
		rv_light(v->cpu, v->s->v[a->vd] + at, v->s->v[a->vs2] + (a->scalar ? 0 : at), v->s->v[a->vs1] + at,
		    argument(a, v->sew, v->vl - v->start));
	return 1;
}

int
vq_light(struct tr *t, const struct rvv_insn *a)
{
	tr_vhelp(t, RVH_LIGHT, RV_v0 + a->vd, RV_v0 + a->vs2, RV_v0 + a->vs1,
	    (int)argument(a, vq_sew(t), vcfg_vl(t->vcfg)));
	return 1;
}
