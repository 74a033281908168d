/* SPDX-License-Identifier: MIT */
/* crypto.c - AES, SHA1 and SHA256 instructions; the hash rounds themselves are in simdhelp.c */
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

int
simd_sha_help(struct tr *t, const struct a64v_insn *a)
{
	tr_vhelp(t, a->fn, simd_v(a->rd), simd_v(a->rn), simd_v(a->rm), 0);
	return 1;
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
