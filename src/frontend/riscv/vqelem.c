/* SPDX-License-Identifier: MIT */
/* vqelem.c - loads and stores of the vector unit to IR: one element at a time, and segments in whole registers */
#include "frontend/riscv/vquick.h"

/* -- any kind of access of few elements: vl may end anywhere -- */

enum { FEW = 16 };                     /* accesses that are taken for few */

/* What one instruction accesses: elements of so many bits, in groups of `size` registers. */
struct access { int bits, size, indexed; ref at; int disp; };

/* registers of a group of such elements */
static int
groupsize(const struct tr *t, int bits)
{
	return vec_size(vcfg_lmul(t->vcfg) + vq_log(bits) - vq_log(vq_sew(t)));
}

static int
access(struct tr *t, const struct rvv_insn *a, struct access *m)
{
	struct vec v = vq_state(t);

	*m = (struct access){.indexed = t->word >> 26 & 1, .at = rv_get(t, a->rs1)};
	if (!a->vm || (int)v.vl * a->nf > FEW || !vec_access(&v, a, m->indexed))
		return 0;
	m->bits = m->indexed ? v.sew : ty_bits(a->ty);
	m->size = groupsize(t, m->bits);
	return 1;
}

/* element n of the group at register `first`, zero-extended */
static ref
element(struct tr *t, int bits, int first, int n)
{
	int lanes = VLEN / bits;

	return ir_opx(t->r, O_umov, I64, 0, vq_lane(bits), n % lanes, vq_get(t, vq_type(bits), first + n / lanes), 0, 0);
}

/* Goes to element i, from the one before it. */
static void
step(struct tr *t, const struct rvv_insn *a, struct access *m, int i)
{
	if (m->indexed)
		m->at = tr_op2(t, O_add, I64, rv_get(t, a->rs1), element(t, ty_bits(a->ty), a->vs2, i));
	else if (a->form != FORM_VX)
		m->disp = i * a->nf * m->bits / 8;
	else if (i)
		m->at = tr_op2(t, O_add, I64, m->at, rv_get(t, a->rs2));
}

int
vq_loadfew(struct tr *t, const struct rvv_insn *a)
{
	int vl = (int)vcfg_vl(t->vcfg), ty, lanes;
	struct access m;
	ref v[MOST];

	if (!access(t, a, &m))
		return 0;
	ty = vq_type(m.bits);
	lanes = VLEN / m.bits;
	for (int i = 0; i < vl; i++) {
		step(t, a, &m, i);
		for (int f = 0; f < a->nf; f++) {
			int k = f * m.size + i / lanes;
			ref x = vq_ld(t, vq_lane(m.bits), m.at, m.disp + f * m.bits / 8);

			if (i % lanes == 0 && vl - i >= lanes)
				v[k] = tr_op1(t, O_vfromi, V64, x);
			else
				v[k] = ir_opx(t->r, O_ins, ty, 0, i % lanes, 0,
				    i % lanes ? v[k] : vq_get(t, ty, a->vd + k), x, 0);
		}
	}
	for (int f = 0; f < a->nf; f++)
		for (int k = f * m.size; k < f * m.size + (vl + lanes - 1) / lanes; k++)
			tr_put(t, ty, RV_v0 + a->vd + k, v[k]);
	return 1;
}

int
vq_storefew(struct tr *t, const struct rvv_insn *a)
{
	struct access m;

	if (!access(t, a, &m))
		return 0;
	for (int i = 0; i < (int)vcfg_vl(t->vcfg); i++) {
		step(t, a, &m, i);
		for (int f = 0; f < a->nf; f++)
			vq_st(t, vq_lane(m.bits), m.at, m.disp + f * m.bits / 8, element(t, m.bits, a->vd + f * m.size, i));
	}
	return 1;
}

/* -- segments of two or four fields, one after another, that fill registers -- */

static int
fills(struct tr *t, const struct rvv_insn *a, struct extent *e)
{
	struct vec v = vq_state(t);

	return a->vm && (a->nf == 2 || a->nf == 4) && a->form != FORM_VX && vec_access(&v, a, 0) &&
	    vq_extent(t, ty_bits(a->ty), a->vd, e) && !e->part;
}

/* Fields that lie side by side in the n registers at v: each register gets those of one. */
static void
part(struct tr *t, int ty, int n, ref *v)
{
	ref even[2], odd[2];

	for (int k = 0; k < n; k += 2) {
		even[k / 2] = tr_op2(t, O_uzp1, ty, v[k], v[k + 1]);
		odd[k / 2] = tr_op2(t, O_uzp2, ty, v[k], v[k + 1]);
	}
	if (n == 4) {
		part(t, ty, 2, even);
		part(t, ty, 2, odd);
		v[2] = even[1];
		v[3] = odd[1];
	}
	v[0] = even[0];
	v[1] = odd[0];
}

/* the other way round */
static void
join(struct tr *t, int ty, int n, ref *v)
{
	ref even[2] = {v[0], n == 4 ? v[2] : 0}, odd[2] = {v[1], n == 4 ? v[3] : 0};

	if (n == 4) {
		join(t, ty, 2, even);
		join(t, ty, 2, odd);
	}
	for (int k = 0; k < n; k += 2) {
		v[k] = tr_op2(t, O_zip1, ty, even[k / 2], odd[k / 2]);
		v[k + 1] = tr_op2(t, O_zip2, ty, even[k / 2], odd[k / 2]);
	}
}

int
vq_loadfields(struct tr *t, const struct rvv_insn *a)
{
	int nf = a->nf, ty = vq_type(ty_bits(a->ty)), size;
	ref base = rv_get(t, a->rs1), v[2 * MOST];
	struct extent e;

	if (!fills(t, a, &e))
		return vq_loadfew(t, a);
	size = groupsize(t, ty_bits(a->ty));
	for (int k = 0; k < e.n * nf; k++)
		v[k] = vq_ld(t, V64, base, VLENB * k);
	for (int k = 0; k < e.n; k++) {
		part(t, ty, nf, v + k * nf);
		for (int f = 0; f < nf; f++)
			tr_put(t, ty, RV_v0 + a->vd + f * size + k, v[k * nf + f]);
	}
	return 1;
}

int
vq_storefields(struct tr *t, const struct rvv_insn *a)
{
	int nf = a->nf, ty = vq_type(ty_bits(a->ty)), size;
	ref base = rv_get(t, a->rs1), v[4];
	struct extent e;

	if (!fills(t, a, &e))
		return vq_storefew(t, a);
	size = groupsize(t, ty_bits(a->ty));
	for (int k = 0; k < e.n; k++) {
		for (int f = 0; f < nf; f++)
			v[f] = vq_get(t, ty, a->vd + f * size + k);
		join(t, ty, nf, v);
		for (int f = 0; f < nf; f++)
			vq_st(t, V64, base, VLENB * (k * nf + f), v[f]);
	}
	return 1;
}
