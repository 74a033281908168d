/* SPDX-License-Identifier: MIT */
/* vqmove.c - moves and permutations of the vector unit to IR */
#include "frontend/riscv/vquick.h"

/* -- moves -- */

int
vq_move(struct tr *t, const struct rvv_insn *a)
{
	ref v[MOST];
	struct extent e;

	if ((a->form == FORM_VF && vq_sew(t) < 32) || !vq_extent(t, vq_sew(t), a->vd, &e) ||
	    !vq_second(t, a, vq_sew(t), &e, v))
		return 0;
	vq_putall(t, &e, vq_type(vq_sew(t)), a->vd, v);
	return 1;
}

int
vq_merge(struct tr *t, const struct rvv_insn *a)
{
	int ty = vq_type(vq_sew(t));
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if ((a->form == FORM_VF && vq_sew(t) < 32) || !vq_operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = tr_op3(t, O_bsl, ty, vq_mask(t, vq_sew(t), k), y[k], x[k]);
	vq_putall(t, &e, ty, a->vd, v);
	return 1;
}

/* vmv<n>r.v: whole registers, whatever vl is */
int
vq_moveregs(struct tr *t, const struct rvv_insn *a)
{
	int n = a->nf;
	struct extent e = {n, 0};
	ref v[MOST];

	if ((a->vd & (n - 1)) || (a->vs2 & (n - 1)))
		return 0;
	for (int k = 0; k < n; k++)
		v[k] = vq_get(t, V64, a->vs2 + k);
	vq_putall(t, &e, V64, a->vd, v);
	return 1;
}

int
vq_tox(struct tr *t, const struct rvv_insn *a)
{
	int l = vq_lane(vq_sew(t));

	rv_put(t, a->rd, ir_opx(t->r, O_smov, I64, 0, l, 0, vq_get(t, VEC(l, 7), a->vs2), 0, 0));
	return 1;
}

int
vq_fromx(struct tr *t, const struct rvv_insn *a)
{
	int ty = vq_type(vq_sew(t));
	ref x = tr_zxt(t, I64, rv_get(t, a->rs1), vq_sew(t));

	if (vcfg_vl(t->vcfg))
		tr_put(t, ty, RV_v0 + a->vd, ir_opx(t->r, O_ins, ty, 0, 0, 0, vq_get(t, ty, a->vd), x, 0));
	return 1;
}

int
vq_index(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;
	ref v[MOST];

	if ((!a->vm && !a->vd) || !vq_extent(t, vq_sew(t), a->vd, &e))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = vq_masked(t, a, vq_type(vq_sew(t)), k, vq_indices(t, vq_sew(t), k));
	vq_putall(t, &e, vq_type(vq_sew(t)), a->vd, v);
	return 1;
}

/* -- slides: of whole registers, by a number of bytes that is known -- */

/* The registers of the group at n, of which there are as many as LMUL says; 0 if it has less than one. */
static int
group(struct tr *t, int n, ref *x)
{
	int size = vec_size(vcfg_lmul(t->vcfg));

	if (vcfg_lmul(t->vcfg) < 0 || !vec_group(n, vcfg_lmul(t->vcfg)))
		return 0;
	for (int k = 0; k < size; k++)
		x[k] = vq_get(t, vq_type(vq_sew(t)), n + k);
	return size;
}

enum { FAR = VLENB * MOST };

/* 16 bytes of the n registers x from byte `at` on, -FAR or more; what is below and above them is 0 */
static ref
window(struct tr *t, const ref *x, int n, int at)
{
	int k = (at + FAR) / VLENB - MOST, by = at - k * VLENB;
	ref zero = vq_constant(t, 0, 0), lo = k >= 0 && k < n ? x[k] : zero, hi = k + 1 >= 0 && k + 1 < n ? x[k + 1] : zero;

	return by ? ir_opx(t->r, O_vext, V8, 0, 0, by, lo, hi, 0) : lo;
}

/* v[k]: register k of vs2's group slid by so many bytes, upward if positive */
static int
slide(struct tr *t, const struct rvv_insn *a, int by, struct extent *e, ref *v)
{
	ref x[MOST];
	int n;

	if (!vq_extent(t, vq_sew(t), a->vd, e) || (n = group(t, a->vs2, x)) == 0)
		return 0;
	by = by > FAR ? FAR : by < -FAR ? -FAR : by;
	for (int k = 0; k < e->n; k++)
		v[k] = window(t, x, n, k * VLENB - by);
	return 1;
}

static int
put(struct tr *t, const struct rvv_insn *a, const struct extent *e, ref *v)
{
	int ty = vq_type(vq_sew(t));

	for (int k = 0; k < e->n; k++)
		v[k] = vq_masked(t, a, ty, k, v[k]);
	vq_putall(t, e, ty, a->vd, v);
	return 1;
}

int
vq_slidedown(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;
	ref v[MOST];

	return slide(t, a, -a->imm * vq_sew(t) / 8, &e, v) && put(t, a, &e, v);
}

/* What lies below stays. */
int
vq_slideup(struct tr *t, const struct rvv_insn *a)
{
	int by = a->imm * vq_sew(t) / 8, n = by / VLENB, rest = by % VLENB;
	u64 lo = rest >= 8 ? 0 : ~(u64)0 << 8 * rest, hi = rest <= 8 ? ~(u64)0 : ~(u64)0 << 8 * (rest - 8);
	struct extent e;
	ref v[MOST];

	if (a->vd == a->vs2 || !slide(t, a, by, &e, v))
		return 0;
	for (int k = 0; k < e.n && k <= n; k++) {
		ref d = vq_get(t, V8, a->vd + k);

		v[k] = k < n ? d : rest ? tr_op3(t, O_bsl, V8, vq_constant(t, lo, hi), v[k], d) : v[k];
	}
	return put(t, a, &e, v);
}

/* by one element; the scalar takes the place of the first, or of the last within vl */
int
vq_slide1(struct tr *t, const struct rvv_insn *a)
{
	int bits = vq_sew(t), ty = vq_type(bits), up = a->id == rvv_vslide1up_vx || a->id == rvv_vfslide1up_vf;
	int at = up ? 0 : (int)vcfg_vl(t->vcfg) - 1, k = at * bits / VLEN;
	struct extent e;
	ref v[MOST], x;

	if ((up && a->vd == a->vs2) || (a->form == FORM_VF && bits < 32) || at < 0)
		return 0;
	if (!slide(t, a, up ? bits / 8 : -bits / 8, &e, v))
		return 0;
	x = a->form == FORM_VF ? vq_float(t, a->rs1, bits) : tr_zxt(t, I64, rv_get(t, a->rs1), bits);
	v[k] = ir_opx(t->r, O_ins, ty, 0, at % (VLEN / bits), 0, v[k], x, 0);
	return put(t, a, &e, v);
}

/* -- gathers -- */

/* Elements of register x whose numbers, from `first` on, y has; 0 where it has others.  Bytes are looked up: the number
 * of each is made of its element's. */
static ref
lookup(struct tr *t, int bits, ref x, ref y, int first)
{
	static const u64 times[] = {1, 0x0202, 0x04040404, 0x0808080808080808};
	static const u64 plus[] = {0, 0x0100, 0x03020100, 0x0706050403020100};
	int ty = vq_type(bits), log = vq_log(bits), lanes = VLEN / bits;
	ref within, at = first ? tr_op2(t, O_sub, ty, y, tr_op1(t, O_dup, ty, tr_k(t, (u64)first))) : y;

	if (bits == 8)
		return tr_op2(t, O_tbl, V8, x, at);
	within = ir_opx(t->r, O_vset, ty, 0, R_GTU, 0, tr_op1(t, O_dup, ty, tr_k(t, (u64)lanes)), at, 0);
	at = tr_op2(t, O_and, ty, at, tr_op1(t, O_dup, ty, tr_k(t, (u64)lanes - 1)));
	at = tr_op2(t, O_mul, ty, at, tr_op1(t, O_dup, ty, tr_k(t, times[log])));
	at = tr_op2(t, O_add, ty, at, tr_op1(t, O_dup, ty, tr_k(t, plus[log])));
	return tr_op2(t, O_and, ty, tr_op2(t, O_tbl, V8, x, at), within);
}

/* register k of the elements' numbers; those that are too large for one are for no element */
static ref
numbers(struct tr *t, const struct rvv_insn *a, int k)
{
	int bits = vq_sew(t), ty = vq_type(bits);

	if (a->form == FORM_VV)
		return vq_get(t, ty, a->vs1 + k);
	return tr_op1(t, O_dup, ty, a->form == FORM_VI ? tr_k(t, (u64)a->imm) :
	    tr_op2(t, O_umin, I64, rv_get(t, a->rs1), tr_k(t, zext(~(u64)0, bits))));
}

int
vq_gather(struct tr *t, const struct rvv_insn *a)
{
	enum { FEW = 2 };              /* registers of a group: the work is their number squared */
	int bits = vq_sew(t), n;
	struct extent e;
	ref x[MOST], v[MOST];

	if (a->vd == a->vs2 || (a->form == FORM_VV && a->vd == a->vs1))
		return 0;
	if (!vq_extent(t, bits, a->vd, &e) || (n = group(t, a->vs2, x)) == 0 || n > FEW)
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref y = numbers(t, a, k);

		v[k] = lookup(t, bits, x[0], y, 0);
		for (int j = 1; j < n; j++)
			v[k] = tr_op2(t, O_or, V64, v[k], lookup(t, bits, x[j], y, j * VLEN / bits));
	}
	return put(t, a, &e, v);
}
