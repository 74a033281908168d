/* SPDX-License-Identifier: MIT */
/* vqfp.c - vectors of floats to IR: whole registers, since what is above vl must raise nothing */
#include "frontend/riscv/vquick.h"

/* Is it of singles or doubles, unmasked if there are two widths, and does vl end with a register of so many bits an
 * element at vd? */
static int
floats(struct tr *t, const struct rvv_insn *a, int bits, struct extent *e)
{
	return (a->vm || (!a->wd && !a->w2)) && vq_sew(t) >= 32 && bits <= 64 && vq_extent(t, bits, a->vd, e) && !e->part;
}

static int floattype(int bits) { return bits == 32 ? VF32 : VF64; }
static int scalartype(int bits) { return bits == 32 ? F32 : F64; }

/* Half of x, which is of singles, as doubles */
static ref
widen(struct tr *t, ref x, int upper)
{
	if (upper)
		x = ir_opx(t->r, O_vext, V8, 0, 0, 8, x, x, 0);
	return ir_opx(t->r, O_fcvt, VF64, RM_DYN, VF32, 0, x, 0, 0);
}

/* Register k of the group of `bits` an element that the group at n is, or is widened to (wide). */
static ref
widened(struct tr *t, int n, int k, int bits, int wide)
{
	return wide ? widen(t, vq_get(t, VF32, n + k / 2), k % 2) : vq_get(t, floattype(bits), n + k);
}

int
vq_farith(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t) << a->wd, ty = floattype(bits);
	ref s[MOST], v[MOST];
	struct extent e, same;

	if (!floats(t, a, bits, &e) || !vq_extent(t, vq_sew(t) << a->w2, a->vs2, &same))
		return 0;
	if (!vq_second(t, a, vq_sew(t), &(struct extent){a->wd ? (e.n + 1) / 2 : e.n, 0}, s))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref x = widened(t, a->vs2, k, bits, a->wd && !a->w2), y = a->wd ? widen(t, s[k / 2], k % 2) : s[k];

		x = vq_active(t, a, ty, k, x);
		y = vq_active(t, a, ty, k, y);
		if (a->acc) {
			ref d = vq_active(t, a, ty, k, vq_get(t, ty, a->vd + k));

			v[k] = ir_opx(t->r, O_fma, ty, a->aux, 0, 0, y, a->swap ? d : x, a->swap ? x : d);
		} else {
			v[k] = ir_opx(t->r, a->op, ty, a->aux, a->sh, 0, a->swap ? y : x, a->swap ? x : y, 0);
		}
		v[k] = vq_masked(t, a, ty, k, v[k]);
	}
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

int
vq_fsqrt(struct tr *t, const struct rvv_insn *a)
{
	int ty = floattype(vq_sew(t));
	struct extent e;
	ref v[MOST];

	if (!floats(t, a, vq_sew(t), &e))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = vq_masked(t, a, ty, k, tr_op1(t, O_fsqrt, ty, vq_active(t, a, ty, k, vq_get(t, ty, a->vs2 + k))));
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* Register k of the source, widened if it is to be; integers become floats of their own width without loss. */
static ref
source(struct tr *t, const struct rvv_insn *a, int k, int from, int bits)
{
	if (!a->wd || a->op != O_icvtf)
		return a->wd ? widened(t, a->vs2, k, bits, 1) : vq_get(t, from, a->vs2 + k);
	return ir_opx(t->r, a->aux & FP_UNS ? O_vzxt : O_vsxt, V64, 0, I32, k & 1, vq_get(t, V32, a->vs2 + k / 2), 0, 0);
}

/* singles and doubles to each other, or to and from integers, but for those that are half as wide */
int
vq_fcvt(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t) << a->wd, sources = a->w2 ? 2 * bits : bits;
	int ty = a->op == O_fcvti ? vq_type(bits) : floattype(bits);
	int from = a->op == O_icvtf ? vq_type(sources) : floattype(sources);
	struct extent e, same;
	ref v[MOST];

	if (!floats(t, a, bits, &e) || !vq_extent(t, vq_sew(t) << a->w2, a->vs2, &same))
		return 0;
	for (int k = 0; k < e.n; k++)
		if (a->w2)
			v[k] = tr_op2(t, O_vcat, V64, ir_opx(t->r, O_fcvt, ty, a->aux, from, 0, vq_get(t, from, a->vs2 + 2 * k), 0, 0),
			    ir_opx(t->r, O_fcvt, ty, a->aux, from, 0, vq_get(t, from, a->vs2 + 2 * k + 1), 0, 0));
		else if (a->op == O_fcvt)      /* not masked */
			v[k] = source(t, a, k, from, bits);
		else
			v[k] = vq_masked(t, a, ty, k, ir_opx(t->r, a->op, ty, a->aux, from, 0,
			    vq_active(t, a, from, k, source(t, a, k, from, bits)), 0, 0));
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* element i of register n, as a number */
static ref
element(struct tr *t, int bits, int n, int i)
{
	ref v = ir_opx(t->r, O_umov, I64, 0, vq_lane(bits), i, vq_get(t, vq_type(bits), n), 0, 0);

	return tr_op1(t, O_movif, scalartype(bits), v);
}

/* element 0 to an f register, and back */
int
vq_tof(struct tr *t, const struct rvv_insn *a)
{
	ref v;

	if (vq_sew(t) < 32)
		return 0;
	v = element(t, vq_sew(t), a->vs2, 0);
	tr_put(t, F64, RV_F0 + a->rd, vq_sew(t) == 64 ? v : ir_opx(t->r, O_fbox, F64, 0, F32, 0, v, 0, 0));
	return 1;
}

int
vq_fromf(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t), ty = vq_type(bits);

	if (bits < 32)
		return 0;
	if (vcfg_vl(t->vcfg))
		tr_put(t, ty, RV_v0 + a->vd, ir_opx(t->r, O_ins, ty, 0, 0, 0, vq_get(t, ty, a->vd), vq_float(t, a->rs1, bits), 0));
	return 1;
}

/* one after another, the sum being of twice their width if wd */
int
vq_freduce(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t), wide = bits << a->wd, lanes = VLEN / bits;
	struct extent e;
	ref sum, x;

	if (!a->vm || bits < 32 || !vq_extent(t, bits, a->vs2, &e) || e.part || e.n * lanes > 16)
		return 0;
	sum = element(t, wide, a->vs1, 0);
	for (int i = 0; i < e.n * lanes; i++) {
		x = element(t, bits, a->vs2 + i / lanes, i % lanes);
		if (a->wd)
			x = ir_opx(t->r, O_fcvt, F64, RM_DYN, F32, 0, x, 0, 0);
		sum = ir_opx(t->r, a->op, scalartype(wide), a->aux, 0, 0, sum, x, 0);
	}
	x = vq_get(t, vq_type(wide), a->vd);
	sum = ir_opx(t->r, O_movfi, I64, 0, scalartype(wide), 0, sum, 0, 0);
	tr_put(t, vq_type(wide), RV_v0 + a->vd, ir_opx(t->r, O_ins, vq_type(wide), 0, 0, 0, x, sum, 0));
	return 1;
}
