/* SPDX-License-Identifier: MIT */
/* vqcrypto.c - the vector unit's cryptography to IR: element groups of 128 bits (Zvkned, Zvknha) */
#include "frontend/riscv/vquick.h"

/* -- cryptography: element groups of 128 bits -- */

static int
groups(struct tr *t, const struct rvv_insn *a, struct extent *e)
{
	return vq_sew(t) == 32 && vcfg_lmul(t->vcfg) >= 0 && vq_extent(t, 32, a->vd, e) && !e->part;
}

/* register k of vs2, or the first of it for all (.vs) */
static ref
key(struct tr *t, const struct rvv_insn *a, int k)
{
	return vq_get(t, V8, a->vs2 + (t->word >> 26 == 0x28 ? k : 0));
}

int
vq_aes(struct tr *t, const struct rvv_insn *a)
{
	int scalar = t->word >> 26 != 0x28, round = (int)(t->word >> 15 & 31);
	struct extent e, same;

	if (!groups(t, a, &e) || (scalar ? a->vs2 - a->vd < e.n && a->vs2 >= a->vd : !vq_extent(t, 32, a->vs2, &same)))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref v = vq_get(t, V8, a->vd + k), w = key(t, a, k);

		switch (round) {
		case 0: v = tr_op1(t, O_aesimc, V8, tr_op2(t, O_xor, V8, tr_op1(t, O_aesd, V8, v), w)); break;
		case 1: v = tr_op2(t, O_xor, V8, tr_op1(t, O_aesd, V8, v), w); break;
		case 2: v = tr_op2(t, O_xor, V8, tr_op1(t, O_aesenc, V8, v), w); break;
		case 3: v = tr_op2(t, O_xor, V8, tr_op1(t, O_aese, V8, v), w); break;
		default: v = tr_op2(t, O_xor, V8, v, w); break;        /* vaesz */
		}
		tr_put(t, V8, RV_v0 + a->vd + k, v);
	}
	return 1;
}

/* one element group: two rounds, or four words of the schedule */
int
vq_sha256(struct tr *t, const struct rvv_insn *a)
{
	ref d = vq_get(t, V32, a->vd), y = vq_get(t, V32, a->vs2), w = vq_get(t, V32, a->vs1), v;
	struct extent e;

	if (!groups(t, a, &e) || vcfg_lmul(t->vcfg) || a->vd == a->vs1 || a->vd == a->vs2)
		return 0;
	if (a->id == rvv_vsha2ms_vv) {
		v = tr_op2(t, O_sha256su0, V32, d, y);
		v = tr_op2(t, O_add, V32, v, ir_opx(t->r, O_vext, V8, 0, 0, 4, y, w, 0));
		v = tr_op2(t, O_sha256su1, V32, v, w);
	} else {
		v = ir_opx(t->r, O_sha256r2, V32, 0, a->id == rvv_vsha2ch_vv, 0, d, y, w);
	}
	tr_put(t, V32, RV_v0 + a->vd, v);
	return 1;
}

