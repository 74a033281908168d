/* SPDX-License-Identifier: MIT */
/* vcrypto.c - vector cryptography on element groups: Zvkg, Zvkned; vlight.c has the others
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

int
rv_aeskeyround(const struct rvv_insn *a, u32 *rcon)
{
	static const u8 constant[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
	int round = a->imm & 15, first = a->more ? 2 : 1, last = a->more ? 14 : 10;

	if (round < first || round > last)
		round ^= 8;
	*rcon = constant[(a->more ? round / 2 : round) - 1];
	return !(a->more && round & 1);
}

static void
schedule(struct vec *v, const struct rvv_insn *a, void *d, const void *x, const void *y)
{
	u32 w[4], last4[4], now, rcon;

	(void)y;
	memcpy(w, a->more ? d : x, sizeof w);
	memcpy(last4, x, sizeof last4);
	now = subword(v, last4[3]);
	if (rv_aeskeyround(a, &rcon))
		now = rol(now, 24) ^ rcon;
	for (int i = 0; i < 4; i++)
		w[i] = now ^= w[i];
	memcpy(d, w, sizeof w);
}

int rvv_aeskey(struct vec *v, const struct rvv_insn *a) { return groups(v, a, schedule); }
