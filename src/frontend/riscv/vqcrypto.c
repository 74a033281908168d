/* SPDX-License-Identifier: MIT */
/* vqcrypto.c - the vector unit's cryptography to IR: element groups of 128 bits (Zvkned, Zvknha, Zvkg) */
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

/* w, whose words from the lowest on each have those below them added, and all of them `first` */
static ref
accumulate(struct tr *t, ref w, ref first)
{
	ref zero = vq_constant(t, 0, 0);

	for (int bytes = 4; bytes < VLENB; bytes *= 2)
		w = tr_op2(t, O_xor, V32, w, ir_opx(t->r, O_vext, V8, 0, 0, VLENB - bytes, zero, w, 0));
	return tr_op2(t, O_xor, V32, w, first);
}

int
vq_aeskey(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;
	u32 rcon;
	int rotates = rv_aeskeyround(a, &rcon);

	if (!groups(t, a, &e))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref x = vq_get(t, V32, a->vs2 + k), now = ir_opx(t->r, O_duplane, V32, 0, 3, 0, x, 0, 0);

		now = tr_op1(t, O_aese, V8, now);      /* ShiftRows does nothing to equal columns */
		if (rotates)
			now = tr_op2(t, O_xor, V32, ir_opx(t->r, O_roli, V32, 0, 0, 24, now, 0, 0),
			    tr_op1(t, O_dup, V32, tr_k(t, rcon)));
		tr_put(t, V32, RV_v0 + a->vd + k, accumulate(t, a->more ? vq_get(t, V32, a->vd + k) : x, now));
	}
	return 1;
}

/* -- Zvknha, Zvknhb: one element group; two rounds, or four words of the schedule -- */

static int
sha256(struct tr *t, const struct rvv_insn *a)
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

/* FIPS 180-4, 4.1.3: sigma of two words */
static ref
sigma(struct tr *t, ref x, int first, int second, int shift)
{
	ref v = tr_op2(t, O_xor, V64, ir_opx(t->r, O_roli, V64, 0, 0, 64 - first, x, 0, 0),
	    ir_opx(t->r, O_roli, V64, 0, 0, 64 - second, x, 0, 0));

	return tr_op2(t, O_xor, V64, v, ir_opx(t->r, O_shri, V64, 0, 0, shift, x, 0, 0));
}

/* 128 bits of (hi:lo), from bit 64 on */
static ref
middle(struct tr *t, ref lo, ref hi)
{
	return ir_opx(t->r, O_vext, V8, 0, 0, 8, lo, hi, 0);
}

static ref add(struct tr *t, int ty, ref x, ref y) { return tr_op2(t, O_add, ty, x, y); }

/* d: words 0 to 3, x: 4, 9 to 11, y: 12 to 15 */
static void
schedule512(struct tr *t, const ref *d, const ref *x, const ref *y, ref *v)
{
	ref a = add(t, V64, add(t, V64, d[0], sigma(t, middle(t, d[0], d[1]), 1, 8, 7)), middle(t, x[0], x[1]));
	ref b = add(t, V64, add(t, V64, d[1], sigma(t, middle(t, d[1], x[0]), 1, 8, 7)), middle(t, x[1], y[0]));

	v[0] = add(t, V64, a, sigma(t, y[1], 19, 61, 6));
	v[1] = add(t, V64, b, sigma(t, v[0], 19, 61, 6));
}

/* Rounds are long chains of scalars: those are for a compiler. */
static int
sha512(struct tr *t, const struct rvv_insn *a)
{
	ref d[2], x[2], y[2], v[2];

	if (a->id != rvv_vsha2ms_vv || vcfg_vl(t->vcfg) != 4)
		return vq_light(t, a);
	for (int k = 0; k < 2; k++) {
		d[k] = vq_get(t, V64, a->vd + k);
		x[k] = vq_get(t, V64, a->vs2 + k);
		y[k] = vq_get(t, V64, a->vs1 + k);
	}
	schedule512(t, d, x, y, v);
	tr_put(t, V64, RV_v0 + a->vd, v[0]);
	tr_put(t, V64, RV_v0 + a->vd + 1, v[1]);
	return 1;
}

int vq_sha2(struct tr *t, const struct rvv_insn *a) { return vq_sew(t) == 64 ? sha512(t, a) : sha256(t, a); }

/* -- Zvkg: products of polynomials modulo x^128 + x^7 + x^2 + x + 1 -- */

/* of one half of x, and y's: lower ones, or upper */
static ref
multiply(struct tr *t, ref x, ref y, int upper)
{
	return ir_opx(t->r, O_pmull, V128, 0, I64, upper, x, y, 0);
}

/* What the upper half of a product has above x^128 is folded in as 0x87 times that: first its upper 64 bits, whose
 * multiple may reach into the lower 64, then these. */
static ref
product(struct tr *t, ref x, ref y)
{
	ref zero = vq_constant(t, 0, 0), poly = vq_constant(t, 0x87, 0x87), crossed = middle(t, y, y);
	ref mid = tr_op2(t, O_xor, V64, multiply(t, x, crossed, 0), multiply(t, x, crossed, 1));
	ref lo = tr_op2(t, O_xor, V64, multiply(t, x, y, 0), middle(t, zero, mid));
	ref hi = tr_op2(t, O_xor, V64, multiply(t, x, y, 1), middle(t, mid, zero)), fold;

	fold = multiply(t, hi, poly, 1);
	lo = tr_op2(t, O_xor, V64, lo, middle(t, zero, fold));
	hi = tr_op2(t, O_xor, V64, hi, middle(t, fold, zero));
	return tr_op2(t, O_xor, V64, lo, multiply(t, hi, poly, 0));
}

/* The lowest coefficient is the highest bit of the first byte. */
int
vq_ghash(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;

	if (!groups(t, a, &e))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref x = vq_get(t, V8, a->vd + k), h = tr_op1(t, O_rbit, V8, vq_get(t, V8, a->vs2 + k));

		if (a->more)
			x = tr_op2(t, O_xor, V8, x, vq_get(t, V8, a->vs1 + k));
		tr_put(t, V8, RV_v0 + a->vd + k, tr_op1(t, O_rbit, V8, product(t, tr_op1(t, O_rbit, V8, x), h)));
	}
	return 1;
}

/* -- Zvbc: products of 64 bits -- */

int
vq_clmul(struct tr *t, const struct rvv_insn *a)
{
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (vq_sew(t) != 64 || !vq_operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = vq_masked(t, a, V64, k, tr_op2(t, a->op == O_clmulh ? O_zip2 : O_zip1, V64,
		    multiply(t, x[k], y[k], 0), multiply(t, x[k], y[k], 1)));
	vq_putall(t, &e, V64, a->vd, v);
	return 1;
}
