/* SPDX-License-Identifier: MIT */
/* vqmem.c - loads and stores of the vector unit to IR */
#include "frontend/riscv/vquick.h"

ref
vq_ld(struct tr *t, int ty, ref base, int disp)
{
	return ir_opx(t->r, O_ld, ty, 0, 1, disp, base, 0, 0);
}

void
vq_st(struct tr *t, int ty, ref base, int disp, ref v)
{
	ir_opx(t->r, O_st, ty, 0, 1, disp, base, 0, v);
}

/* What a unit-stride access covers; whole registers if it is one for any vtype. */
static int
covers(struct tr *t, const struct rvv_insn *a, struct extent *e)
{
	*e = (struct extent){a->nf, 0};
	return a->anytype ? !(a->vd & (a->nf - 1)) : vq_extent(t, ty_bits(a->ty), a->vd, e);
}

/* Of a masked load all is read: if what is masked out faults, the general way, which leaves it alone, comes after
 * it. */
static int
loadable(struct tr *t, const struct rvv_insn *a)
{
	return a->anytype || a->vm || (a->vd && ty_bits(a->ty) == vq_sew(t));
}

int
vq_load(struct tr *t, const struct rvv_insn *a)
{
	ref base = rv_get(t, a->rs1), v[MOST];
	struct extent e;

	if (!loadable(t, a) || !covers(t, a, &e))
		return !a->anytype && vq_loadfew(t, a);
	if (e.part)
		v[0] = tr_op1(t, O_vfromi, V64, vq_ld(t, vq_lane(e.part), base, 0));
	for (int k = 0; k < e.n && !e.part; k++)
		v[k] = vq_ld(t, V64, base, VLENB * k);
	for (int k = 0; k < e.n && !a->anytype; k++)
		v[k] = vq_masked(t, a, vq_type(ty_bits(a->ty)), k, v[k]);
	vq_putall(t, &e, V64, a->vd, v);
	return 1;
}

int
vq_store(struct tr *t, const struct rvv_insn *a)
{
	ref base = rv_get(t, a->rs1);
	struct extent e;

	if (!(a->anytype || a->vm) || !covers(t, a, &e))
		return !a->anytype && vq_storefew(t, a);
	if (e.part)
		vq_st(t, vq_lane(e.part), base, 0, ir_opx(t->r, O_umov, I64, 0, vq_lane(e.part), 0,
		    vq_get(t, vq_type(e.part), a->vd), 0, 0));
	for (int k = 0; k < e.n && !e.part; k++)
		vq_st(t, V64, base, VLENB * k, vq_get(t, V64, a->vd + k));
	return 1;
}

/* -- segments: four elements of 32 bits, each with fields in neighbouring words -- */

/* t: four rows of four words, or columns; the other way round */
static void
transpose(struct tr *t, ref *v)
{
	ref lo = tr_op2(t, O_zip1, V32, v[0], v[1]), hi = tr_op2(t, O_zip1, V32, v[2], v[3]);
	ref lo2 = tr_op2(t, O_zip2, V32, v[0], v[1]), hi2 = tr_op2(t, O_zip2, V32, v[2], v[3]);

	v[0] = tr_op2(t, O_zip1, V64, lo, hi);
	v[1] = tr_op2(t, O_zip2, V64, lo, hi);
	v[2] = tr_op2(t, O_zip1, V64, lo2, hi2);
	v[3] = tr_op2(t, O_zip2, V64, lo2, hi2);
}

static int
aresegments(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;

	return a->vm && a->ty == I32 && a->nf % 4 == 0 && a->vd + a->nf <= 32 &&
	    vcfg_lmul(t->vcfg) + vq_log(32) == vq_log(vq_sew(t)) && vq_extent(t, 32, a->vd, &e) && e.n == 1 && !e.part;
}

/* where element i begins: they follow one another, or lie rs2 apart */
static ref
element(struct tr *t, const struct rvv_insn *a, int i)
{
	ref at = rv_get(t, a->rs1), by = a->form == FORM_VX ? rv_get(t, a->rs2) : tr_k(t, (u64)a->nf * 4);

	while (i--)
		at = tr_op2(t, O_add, I64, at, by);
	return at;
}

int
vq_loadseg(struct tr *t, const struct rvv_insn *a)
{
	ref v[MOST];

	if (!aresegments(t, a))
		return vq_loadfields(t, a);
	for (int n = 0; n < a->nf; n += 4)
		for (int i = 0; i < 4; i++)
			v[n + i] = vq_ld(t, V64, element(t, a, i), 4 * n);
	for (int n = 0; n < a->nf; n += 4) {
		transpose(t, v + n);
		for (int i = 0; i < 4; i++)
			tr_put(t, V64, RV_v0 + a->vd + n + i, v[n + i]);
	}
	return 1;
}

int
vq_storeseg(struct tr *t, const struct rvv_insn *a)
{
	ref v[4];

	if (!aresegments(t, a))
		return vq_storefields(t, a);
	for (int n = 0; n < a->nf; n += 4) {
		for (int i = 0; i < 4; i++)
			v[i] = vq_get(t, V64, a->vd + n + i);
		transpose(t, v);
		for (int i = 0; i < 4; i++)
			vq_st(t, V64, element(t, a, i), 4 * n, v[i]);
	}
	return 1;
}
