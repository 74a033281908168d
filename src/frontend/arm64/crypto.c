/* SPDX-License-Identifier: MIT */
/* crypto.c - AES, SHA1 and SHA256 instructions (DDI 0487 C4.1.6) */
#include "frontend/arm64/simd.h"

/* aese, aesd: the round key is added first */
int
simd_aes_round(struct tr *t, const struct a64v_insn *a)
{
	ref v = tr_op2(t, O_xor, V64, tr_get(t, V64, simd_v(a->rd)), tr_get(t, V64, simd_v(a->rn)));

	tr_put(t, V8, simd_v(a->rd), tr_op1(t, a->op, V8, v));
	return 1;
}

int
simd_aes_mix(struct tr *t, const struct a64v_insn *a)
{
	tr_put(t, V8, simd_v(a->rd), tr_op1(t, a->op, V8, tr_get(t, V8, simd_v(a->rn))));
	return 1;
}

static ref get32(struct tr *t, int reg) { return tr_get(t, V32, simd_v(reg)); }

static int
put32(struct tr *t, int reg, ref v)
{
	tr_put(t, V32, simd_v(reg), v);
	return 1;
}

int
simd_sha1(struct tr *t, const struct a64v_insn *a)
{
	return put32(t, a->rd, ir_opx(t->r, O_sha1, V32, 0, a->how, 0,
	                              get32(t, a->rd), get32(t, a->rn), get32(t, a->rm)));
}

/* sha256h has A to D in rd, E to H in rn; sha256h2 has them the other way round */
int
simd_sha256(struct tr *t, const struct a64v_insn *a)
{
	ref abcd = get32(t, a->how ? a->rn : a->rd), efgh = get32(t, a->how ? a->rd : a->rn);
	ref m = get32(t, a->rm);

	return put32(t, a->rd, ir_opx(t->r, O_sha256, V32, 0, a->how, 0, abcd, efgh, m));
}

int
simd_sha256su0(struct tr *t, const struct a64v_insn *a)
{
	return put32(t, a->rd, tr_op2(t, O_sha256su0, V32, get32(t, a->rd), get32(t, a->rn)));
}

int
simd_sha256su1(struct tr *t, const struct a64v_insn *a)
{
	ref n = get32(t, a->rn), m = get32(t, a->rm);
	ref v = tr_op2(t, O_add, V32, get32(t, a->rd), ir_opx(t->r, O_vext, V8, 0, 0, 4, n, m, 0));

	return put32(t, a->rd, tr_op2(t, O_sha256su1, V32, v, m));
}

static ref
rotl(struct tr *t, ref v, int n)
{
	return tr_op2(t, O_or, V32, simd_opi(t, O_shli, V32, v, n), simd_opi(t, O_shri, V32, v, 32 - n));
}

/* The words of rd xor those of rn one lane down, rotated by one; then the top lane depends on the
 * result's lowest, which is the same as that rotated by two before. */
int
simd_sha1su1(struct tr *t, const struct a64v_insn *a)
{
	ref zero = simd_const(t, 0, 0);
	ref down = ir_opx(t->r, O_vext, V8, 0, 0, 4, get32(t, a->rn), zero, 0);
	ref v = tr_op2(t, O_xor, V32, get32(t, a->rd), down);
	ref top = ir_opx(t->r, O_vext, V8, 0, 0, 4, zero, rotl(t, v, 2), 0);

	return put32(t, a->rd, tr_op2(t, O_xor, V32, rotl(t, v, 1), top));
}

int
simd_sha1h(struct tr *t, const struct a64v_insn *a)
{
	ref v = ir_opx(t->r, O_movfi, I64, 0, F32, 0, tr_get(t, F32, simd_v(a->rn)), 0, 0);

	v = tr_opk(t, O_rotr, I32, tr_zxt(t, I32, v, 32), 2);
	tr_put(t, F32, simd_v(a->rd), tr_op1(t, O_movif, F32, v));
	return 1;
}

/* rd's high half and rn's low half above it, xor rd, xor rm */
int
simd_sha1su0(struct tr *t, const struct a64v_insn *a)
{
	ref d = tr_get(t, V8, simd_v(a->rd)), n = tr_get(t, V8, simd_v(a->rn));
	ref v = ir_opx(t->r, O_vext, V8, 0, 0, 8, d, n, 0);

	v = tr_op2(t, O_xor, V8, tr_op2(t, O_xor, V8, v, d), tr_get(t, V8, simd_v(a->rm)));
	tr_put(t, V8, simd_v(a->rd), v);
	return 1;
}
