/* SPDX-License-Identifier: MIT */
/* vcrypto.c - vector cryptography on element groups: Zvkg, Zvkned, Zvknha, Zvknhb; vlight.c has Zvksed and Zvksh
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
