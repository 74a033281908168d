/* SPDX-License-Identifier: MIT */
/* simdperm.c - instructions that move lanes about: copy, permute, extract, table lookup; and the
 * modified immediates */
#include "frontend/arm64/simd.h"

int
simd_dup_elem(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref n = tr_get(t, ty, simd_v(a->rn));

	if (!a->sc || a->idx)
		n = simd_duplane(t, ty, n, a->idx);
	return simd_put(t, ty, a->rd, n, simd_keep(a, ty_lanebits(ty)));
}

int
simd_dup_gen(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);

	return simd_put(t, ty, a->rd, tr_op1(t, O_dup, ty, a64_get(t, I64, a->rn)), simd_keep(a, 0));
}

int
simd_ins_gen(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref d = tr_get(t, ty, simd_v(a->rd));

	return simd_put(t, ty, a->rd, simd_op2(t, O_ins, ty, a->idx, d, a64_get(t, I64, a->rn)), 128);
}

int
simd_ins_elem(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size);
	ref d = tr_get(t, ty, simd_v(a->rd)), n = tr_get(t, ty, simd_v(a->rn));

	return simd_put(t, ty, a->rd, ir_opx(t->r, O_inslane, ty, 0, a->idx, a->idx2, d, n, 0), 128);
}

/* umov, smov: to a general register */
int
simd_umov(struct tr *t, const struct a64v_insn *a)
{
	ref n = tr_get(t, simd_ivec(a->size), simd_v(a->rn));
	ref v = ir_opx(t->r, a->op, I64, 0, I8 + a->size, a->idx, n, 0, 0);

	if (a->op == O_smov && !a->sf)
		v = tr_zxt(t, I64, v, 32);
	a64_put(t, I64, a->rd, v);
	return 1;
}

int
simd_perm(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size), op = a->op;
	ref n = tr_get(t, ty, simd_v(a->rn)), m = tr_get(t, ty, simd_v(a->rm)), v;

	/* with Q = 0 only the low halves count */
	if (!a->q && (op == O_uzp1 || op == O_uzp2))
		n = m = tr_op2(t, O_vcat, ty, n, m);
	if (!a->q && op == O_zip2) {   /* zip1's high half holds what was interleaved last */
		v = simd_duplane(t, V64, tr_op2(t, O_zip1, ty, n, m), 1);
		return simd_put(t, ty, a->rd, v, 64);
	}
	return simd_put(t, ty, a->rd, tr_op2(t, op, ty, n, m), simd_keep(a, 0));
}

int
simd_ext(struct tr *t, const struct a64v_insn *a)
{
	ref n = tr_get(t, V8, simd_v(a->rn)), m = tr_get(t, V8, simd_v(a->rm));

	if (!a->q)
		n = m = tr_op2(t, O_vcat, V8, n, m);
	if (a->imm)
		n = ir_opx(t->r, O_vext, V8, 0, 0, a->imm, n, m, 0);
	return simd_put(t, V8, a->rd, n, simd_keep(a, 0));
}

/* tbl, tbx.  Register i of the table answers indices 16i to 16i + 15; minus 16i others become
 * 16 or more, for which op tbl gives 0. */
int
simd_table(struct tr *t, const struct a64v_insn *a)
{
	ref m = tr_get(t, V8, simd_v(a->rm)), v = 0;

	for (int i = 0; i <= a->n; i++) {
		ref n = tr_get(t, V8, simd_v((a->rn + i) & 31));
		ref index = i ? tr_op2(t, O_sub, V8, m, simd_lanes(t, V8, (u64)(16 * i))) : m;
		ref found = tr_op2(t, O_tbl, V8, n, index);
		v = i ? tr_op2(t, O_or, V8, v, found) : found;
	}
	if (a->tbx) {
		ref limit = simd_lanes(t, V8, (u64)(16 * (a->n + 1)));
		ref beyond = simd_op2(t, O_vset, V8, R_GEU, m, limit);
		v = tr_op3(t, O_bsl, V8, beyond, tr_get(t, V8, simd_v(a->rd)), v);
	}
	return simd_put(t, V8, a->rd, v, simd_keep(a, 0));
}

/* -- modified immediates -- */

static int
putimm(struct tr *t, const struct a64v_insn *a, u64 imm)
{
	ref k = simd_const(t, imm, a->q || a->op ? imm : 0);

	if (a->op)
		k = simd_low(t, V64, tr_op2(t, a->op, V64, tr_get(t, V64, simd_v(a->rd)), k),
		             simd_keep(a, 0));
	tr_put(t, V64, simd_v(a->rd), k);
	return 1;
}

static u64
replicate(u64 v, int bits)
{
	for (; bits < 64; bits *= 2)
		v |= v << bits;
	return v;
}

u64
simd_modvalue(const struct a64v_insn *a)
{
	int lane = 8 << a->size;
	u64 v = (u64)a->imm << a->sh | (a->msl ? zext(~(u64)0, a->sh) : 0);

	return replicate(zext(a->inv ? ~v : v, lane), lane);
}

/* movi, mvni, orr, bic */
int
simd_modimm(struct tr *t, const struct a64v_insn *a)
{
	return putimm(t, a, simd_modvalue(a));
}

/* every bit of imm is a byte */
int
simd_modimm_bytes(struct tr *t, const struct a64v_insn *a)
{
	u64 v = 0;

	for (int i = 0; i < 8; i++)
		v |= a->imm >> i & 1 ? (u64)0xff << 8 * i : 0;
	return putimm(t, a, v);
}

int
simd_fmov_vimm(struct tr *t, const struct a64v_insn *a)
{
	return putimm(t, a, replicate(simd_expandimm(a->ft, a->imm), ty_bits(simd_ft(a->ft))));
}
