/* SPDX-License-Identifier: MIT */
/* vcrypto.c - vector cryptography on element groups: Zvkg, Zvkned, Zvknha, Zvknhb, Zvksed, Zvksh
 *
 * (Volume I, "Cryptography Extensions: Vector".)  An instruction works on groups of four or eight elements, in memory
 * one after another; vl and vstart are multiples of that.  vd is both operand and result. */
#include "frontend/riscv/vector.h"

/* One group: d from vd, x from vs2, y from vs1, as they lie in memory.  May be equal: x and y are read before d
 * is written. */
typedef void group_fn(struct vec *, const struct rvv_insn *, void *d, const void *x, const void *y);

/* Lines say: egs, elements of a group; wide: SEW may be 64, not just 32; scalar: vs2 is one group, which serves all,
 * and apart from vd; apart: vs2 is apart from vd (1), and vs1 too (2). */
int
vec_groups(const struct vec *v, const struct rvv_insn *a)
{
	u32 size = a->egs;
	int log = v->lmul, slog = a->scalar ? 0 : log;

	if (v->sew != 32 && !(a->wide && v->sew == 64 && model_has(RVF_zvknhb)))
		return 0;
	if (v->vl % size || v->start % size || v->vlmax < size)
		return 0;
	if (!vec_group(a->vd, log) || !vec_group(a->vs1, log) || !vec_group(a->vs2, slog))
		return 0;
	return (!(a->scalar || a->apart) || vec_apart(a->vd, log, a->vs2, slog))
	    && (a->apart != 2 || vec_apart(a->vd, log, a->vs1, log));
}

static int
groups(struct vec *v, const struct rvv_insn *a, group_fn *f)
{
	u32 bytes = a->egs * (u32)v->sew / 8;

	if (!vec_groups(v, a))
		return 0;
	for (u32 i = v->start / a->egs; i < v->vl / a->egs; i++)
		f(v, a, v->s->v[a->vd] + i * bytes, v->s->v[a->vs2] + (a->scalar ? 0 : i * bytes), v->s->v[a->vs1] + i * bytes);
	return 1;
}

static u32 rol(u32 x, int n) { return (u32)ir_value(O_roli, I32, x, 0, 0, 0, n); }

/* -- Zvkg: Galois/Counter mode's hash (NIST SP 800-38D, 6.3) -- */

/* a polynomial, whose lowest coefficient is the highest bit of the first byte */
static u128
poly(const void *p)
{
	u64 w[2];

	memcpy(w, p, sizeof w);
	return (u128)__builtin_bswap64(ir_rbit(w[1])) << 64 | __builtin_bswap64(ir_rbit(w[0]));
}

/* vgmul: the product of d and x; vghsh (more): of d + y and x */
static void
hash(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	u128 sum = poly(d) ^ (a->more ? poly(y) : 0), h = poly(x), product = 0;

	(void)v;
	for (int i = 0; i < 128; i++) {
		product ^= sum >> i & 1 ? h : 0;
		h = h << 1 ^ (h >> 127 ? 0x87 : 0);
	}
	u64 w[2] = {ir_rbit(__builtin_bswap64((u64)product)), ir_rbit(__builtin_bswap64((u64)(product >> 64)))};
	memcpy(d, w, sizeof w);
}

int rvv_ghash(struct vec *v, const struct rvv_insn *a) { return groups(v, a, hash); }

/* -- Zvkned: AES (FIPS 197) -- */

/* op, on a state of four words */
static void
aes(struct vec *v, int op, u64 *state)
{
	vec_op(v, (struct ins){.op = (u8)op, .ty = V8}, (u64[6]){state[0], state[1]}, state);
}

/* A round: the line's op, the key, and for the inverse cipher what comes `after` it */
static void
cipher(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	u64 state[2], key[2];

	(void)y;
	memcpy(state, d, sizeof state);
	memcpy(key, x, sizeof key);
	if (a->op)
		aes(v, a->op, state);
	state[0] ^= key[0];
	state[1] ^= key[1];
	if (a->after)
		aes(v, a->after, state);
	memcpy(d, state, sizeof state);
}

int rvv_aes(struct vec *v, const struct rvv_insn *a) { return groups(v, a, cipher); }

/* ShiftRows does nothing to four equal columns. */
static u32
subword(struct vec *v, u32 w)
{
	u64 state[2];

	state[0] = state[1] = (u64)w << 32 | w;
	aes(v, O_aese, state);
	return (u32)state[0];
}

/* A round of the key's schedule, of one key of four words (vaeskf1) or two (more); the round's number is made one
 * that there is by inverting its bit 3. */
static void
schedule(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	static const u8 rcon[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
	int round = a->imm & 15, first = a->more ? 2 : 1, last = a->more ? 14 : 10;
	u32 w[4], last4[4], now;

	(void)y;
	memcpy(w, a->more ? d : x, sizeof w);
	memcpy(last4, x, sizeof last4);
	if (round < first || round > last)
		round ^= 8;
	if (a->more && round & 1)
		now = subword(v, last4[3]);
	else
		now = subword(v, rol(last4[3], 24)) ^ rcon[(a->more ? round / 2 : round) - 1];
	for (int i = 0; i < 4; i++)
		w[i] = now ^= w[i];
	memcpy(d, w, sizeof w);
}

int rvv_aeskey(struct vec *v, const struct rvv_insn *a) { return groups(v, a, schedule); }

/* -- Zvknha, Zvknhb: SHA-256 and SHA-512 (FIPS 180-4) by SEW -- */

/* 4.1.2, 4.1.3: two rotations, and one more or a shift */
enum { SUM0, SUM1, SIGMA0, SIGMA1 };
static u64
sigma(const struct vec *v, int which, u64 x)
{
	static const u8 by[2][4][3] = {
		{{2, 13, 22}, {6, 11, 25}, {7, 18, 3}, {17, 19, 10}},
		{{28, 34, 39}, {14, 18, 41}, {1, 8, 7}, {19, 61, 6}},
	};
	const u8 *n = by[v->sew == 64][which];
	u64 last = ir_value(which < SIGMA0 ? O_rotr : O_shr, v->eew, x, n[2], 0, 0, 0);

	return ir_value(O_rotr, v->eew, x, n[0], 0, 0, 0) ^ ir_value(O_rotr, v->eew, x, n[1], 0, 0, 0) ^ last;
}

static void
words(const struct vec *v, const void *p, u64 w[4])
{
	for (int i = 0; i < 4; i++)
		w[i] = ldn((const u8 *)p + i * v->sew / 8, v->sew / 8, 0);
}

static void
setwords(const struct vec *v, void *p, const u64 w[4])
{
	for (int i = 0; i < 4; i++)
		memcpy((u8 *)p + i * v->sew / 8, &w[i], (size_t)v->sew / 8);
}

/* d: words 0 to 3, x: 4, 9 to 11, y: 12 to 15; d: 16 to 19 */
static void
expand(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	u64 w[4], mid[4], late[4], new[4];

	(void)a;
	words(v, d, w);
	words(v, x, mid);
	words(v, y, late);
	for (int i = 0; i < 4; i++) {
		u64 two = i < 2 ? late[2 + i] : new[i - 2], seven = i < 3 ? mid[1 + i] : late[0];
		u64 fifteen = i < 3 ? w[1 + i] : mid[0];
		new[i] = sigma(v, SIGMA1, two) + seven + sigma(v, SIGMA0, fifteen) + w[i];
		new[i] = zext(new[i], v->sew);
	}
	setwords(v, d, new);
}

/* Two rounds: from element 3 down x is A B E F, d C D G H; the new A B E F go to d.  y: words plus constants, the
 * upper two (more) or the lower. */
static void
compress(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	enum { A, B, C, D, E, F, G, H };
	u64 abef[4], cdgh[4], w[4];

	words(v, x, abef);
	words(v, d, cdgh);
	words(v, y, w);
	u64 s[8] = {abef[3], abef[2], cdgh[3], cdgh[2], abef[1], abef[0], cdgh[1], cdgh[0]};
	for (int i = 0; i < 2; i++) {
		u64 choice = (s[E] & s[F]) ^ (~s[E] & s[G]), majority = (s[A] & s[B]) ^ (s[A] & s[C]) ^ (s[B] & s[C]);
		u64 t1 = s[H] + sigma(v, SUM1, s[E]) + choice + w[i + (a->more ? 2 : 0)];
		u64 t2 = sigma(v, SUM0, s[A]) + majority;
		memmove(s + 1, s, sizeof s - sizeof s[0]);
		s[E] += t1;
		s[A] = t1 + t2;
	}
	setwords(v, d, (u64[4]){s[F], s[E], s[B], s[A]});
}

int rvv_sha2ms(struct vec *v, const struct rvv_insn *a) { return groups(v, a, expand); }

int rvv_sha2c(struct vec *v, const struct rvv_insn *a) { return groups(v, a, compress); }

/* -- Zvksed: SM4 (GM/T 0002-2012) -- */

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

static u32
substitute(u32 w)
{
	u32 r = 0;

	for (int i = 0; i < 32; i += 8)
		r |= (u32)sbox[w >> i & 0xff] << i;
	return r;
}

/* Four rounds of the schedule: x has the last four keys, d gets the next.  Byte n of the constants is 7 * n. */
static void
sm4keys(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	u32 k[8];

	(void)v, (void)y;
	memcpy(k, x, 16);
	for (int i = 0; i < 4; i++) {
		u32 constant = 0, s;
		for (int n = 0; n < 4; n++)
			constant = constant << 8 | (u8)(7 * (((a->imm & 7) * 4 + i) * 4 + n));
		s = substitute(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ constant);
		k[i + 4] = k[i] ^ s ^ rol(s, 13) ^ rol(s, 23);
	}
	memcpy(d, k + 4, 16);
}

int rvv_sm4k(struct vec *v, const struct rvv_insn *a) { return groups(v, a, sm4keys); }

/* four rounds: d the state, x the keys */
static void
sm4rounds(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	u32 s[8], k[4];

	(void)v, (void)a, (void)y;
	memcpy(s, d, 16);
	memcpy(k, x, 16);
	for (int i = 0; i < 4; i++) {
		u32 t = substitute(s[i + 1] ^ s[i + 2] ^ s[i + 3] ^ k[i]);
		s[i + 4] = s[i] ^ t ^ rol(t, 2) ^ rol(t, 10) ^ rol(t, 18) ^ rol(t, 24);
	}
	memcpy(d, s + 4, 16);
}

int rvv_sm4r(struct vec *v, const struct rvv_insn *a) { return groups(v, a, sm4rounds); }

/* -- Zvksh: SM3 (GM/T 0004-2012), whose words have their highest byte first -- */

static void
bigwords(u32 *to, const void *from)
{
	memcpy(to, from, 32);
	for (int i = 0; i < 8; i++)
		to[i] = __builtin_bswap32(to[i]);
}

/* y: words 0 to 7, x: 8 to 15; d: 16 to 23 */
static void
sm3expand(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	u32 w[24];

	(void)v, (void)a;
	bigwords(w, y);
	bigwords(w + 8, x);
	for (int i = 16; i < 24; i++) {
		u32 t = w[i - 16] ^ w[i - 9] ^ rol(w[i - 3], 15);
		w[i] = t ^ rol(t, 15) ^ rol(t, 23) ^ rol(w[i - 13], 7) ^ w[i - 6];
	}
	bigwords(d, w + 16);
}

int rvv_sm3me(struct vec *v, const struct rvv_insn *a) { return groups(v, a, sm3expand); }

/* Two rounds, 2 * imm and the next: d the state A to H from element 0 up, with every second one the older; x words
 * 0, 1, 4 and 5 of those from this round on. */
static void
sm3rounds(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	enum { A, B, C, D, E, F, G, H };
	u32 s[8], w[8];

	(void)v, (void)y;
	bigwords(s, d);
	bigwords(w, x);
	for (int i = 0; i < 2; i++) {
		int j = 2 * a->imm + i, early = j < 16;
		u32 t = rol(early ? 0x79cc4519 : 0x7a879d8a, j % 32);
		u32 ss1 = rol(rol(s[A], 12) + s[E] + t, 7), ss2 = ss1 ^ rol(s[A], 12);
		u32 ff = early ? s[A] ^ s[B] ^ s[C] : (s[A] & s[B]) | (s[A] & s[C]) | (s[B] & s[C]);
		u32 gg = early ? s[E] ^ s[F] ^ s[G] : (s[E] & s[F]) | (~s[E] & s[G]);
		u32 tt1 = ff + s[D] + ss2 + (w[i] ^ w[i + 4]), tt2 = gg + s[H] + ss1 + w[i];
		u32 next[8] = {tt1, s[A], rol(s[B], 9), s[C], tt2 ^ rol(tt2, 9) ^ rol(tt2, 17), s[E], rol(s[F], 19), s[G]};
		memcpy(s, next, sizeof s);
	}
	bigwords(d, s);
}

int rvv_sm3c(struct vec *v, const struct rvv_insn *a) { return groups(v, a, sm3rounds); }
