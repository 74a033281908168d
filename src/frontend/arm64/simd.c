/* SPDX-License-Identifier: MIT */
/* simd.c - entry of the FP and SIMD translator, and the small things its families share */
#define a64v_IMPLEMENT
#include "frontend/arm64/simd.h"

static simd_translator *const translator[a64v_COUNT] = {
#define T(name, function) [a64v_##name] = simd_##function,
	a64v_TRANSLATORS(T)
#undef T
};

/* Has the processor a's feature?  Half precision (ft 3) is one feature for all families, but that conversions
 * of formats (half=1) always were. */
static int
has(const struct a64v_insn *a)
{
	return model_has(a->need) && (a->ft != 3 || a->half || model_has(A64F_fphp));
}

int
simd_translate(struct tr *t, u32 w)
{
	struct a64v_insn a;

	if (!a64v_decode(w, &a) || !has(&a))
		return tr_undef(t);
	return translator[a.id](t, &a);
}

/* where control goes from w (always on), and what it does to NZCV: fl= in the table */
void
simd_scan(u32 w, struct scan *s)
{
	struct a64v_insn a;

	s->len = 4;
	s->target = 0;
	s->flow = a64v_decode(w, &a) ? FLOW_NEXT : FLOW_STOP;
	s->flags = s->flow == FLOW_STOP ? PEEK_END : (u8)a.fl;
}

ref
simd_const(struct tr *t, u64 lo, u64 hi)
{
	if (lo == hi)
		return tr_op1(t, O_dup, V64, tr_k(t, lo));
	if (!hi)
		return tr_op1(t, O_vfromi, V64, tr_k(t, lo));
	return tr_op2(t, O_vpair, V64, tr_k(t, lo), tr_k(t, hi));
}

ref
simd_lanes(struct tr *t, int ty, u64 lane)
{
	int n = ty_lanebits(ty);
	u64 v = zext(lane, n);

	for (; n < 64; n *= 2)
		v |= v << n;
	return simd_const(t, v, v);
}

/* FPSR.QC is a variable of its own: set if any bit of it is. */
void
simd_setqc(struct tr *t, ref mask, int bits)
{
	ref qc = tr_get(t, V64, A64_QC);

	tr_put(t, V64, A64_QC, tr_op2(t, O_or, V64, qc, simd_low(t, V64, mask, bits)));
}

/* DDI 0487, VFPExpandImm: sign, exponent NOT(b):b...b:cd, fraction efgh */
u64
simd_expandimm(int ft, int imm8)
{
	int n = ty_bits(simd_ft(ft)), e = n == 16 ? 5 : n == 32 ? 8 : 11, f = n - e - 1;
	u64 b = imm8 >> 6 & 1;
	u64 exp = (b ^ 1) << (e - 1) | (b ? zext(~(u64)0, e - 3) << 2 : 0) | (imm8 >> 4 & 3);

	return (u64)(imm8 >> 7) << (n - 1) | exp << f | (u64)(imm8 & 15) << (f - 4);
}
