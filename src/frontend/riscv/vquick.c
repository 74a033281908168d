/* SPDX-License-Identifier: MIT */
/* vquick.c - instructions of the vector unit on whole registers, vl and vtype being known
 *
 * A register group is so many V128 values.  If vl fills none, what is above vl keeps its value: one part of 32 or 64
 * bits is put into its register.  All sources are read before anything is put. */
#include "frontend/riscv/vector.h"

enum { MOST = 8 };                     /* registers of a group */
enum { OPIVV, OPFVV, OPMVV, OPIVI, OPIVX, OPFVF, OPMVX };      /* funct3: what the second operand is */

typedef int quick_fn(struct tr *, const struct rvv_insn *);    /* 0: not this way */

static int sew(const struct tr *t) { return vcfg_sew(t->vcfg); }
static int ilog(int bits) { return bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3; }
static int lane(int bits) { return I8 + ilog(bits); }
static int form(const struct tr *t) { return t->word >> 12 & 7; }

/* How much of a group of elements of `bits` vl covers: n registers, or `part` bits of one. */
struct extent { int n, part; };

/* 0 if the group cannot be that of register `first`, or vl ends inside of a register. */
static int
extent(const struct tr *t, int bits, int first, struct extent *e)
{
	int bytes = (int)vcfg_vl(t->vcfg) * bits / 8, log = vcfg_lmul(t->vcfg) + ilog(bits) - ilog(sew(t));

	*e = (struct extent){bytes / VLENB, 0};
	if (log > 3 || log < -3 || !vec_group(first, log) || !bytes)
		return 0;
	if (bytes == 4 || bytes == 8)
		*e = (struct extent){1, 8 * bytes};
	return e->part || bytes % VLENB == 0;
}

static ref get(struct tr *t, int ty, int n) { return tr_get(t, ty, RV_v0 + n); }

static void
put(struct tr *t, const struct extent *e, int ty, int n, ref v)
{
	int part = VEC(lane(e->part ? e->part : 64), 7);

	if (e->part)
		v = ir_opx(t->r, O_inslane, part, 0, 0, 0, get(t, part, n), v, 0);
	tr_put(t, e->part ? part : ty, RV_v0 + n, v);
}

static void
putall(struct tr *t, const struct extent *e, int ty, int n, const ref *v)
{
	for (int k = 0; k < e->n; k++)
		put(t, e, ty, n + k, v[k]);
}

static ref
constant(struct tr *t, u64 lo, u64 hi)
{
	return tr_op2(t, O_vpair, V64, tr_k(t, lo), tr_k(t, hi));
}

/* -- masks -- */

/* Register k of a group as lanes of ones where v0 has a bit set. */
static ref
mask(struct tr *t, int k)
{
	int bits = sew(t), lanes = VLEN / bits, first = k * lanes, ty = VEC(lane(bits), 7);
	ref v0 = get(t, V8, 0), v, one;

	if (bits == 8) {
		u64 lo = 0x0101010101010101 * (u64)(first / 8), bit = 0x8040201008040201;

		v = tr_op2(t, O_tbl, V8, v0, constant(t, lo, lo + 0x0101010101010101));
		one = constant(t, bit, bit);
	} else {
		u64 lo = 0, hi = 0;

		for (int i = 0; i < lanes / 2; i++) {
			lo |= (u64)1 << (first + i) % 8 << i * bits;
			hi |= (u64)1 << (first + lanes / 2 + i) % 8 << i * bits;
		}
		v = tr_op1(t, O_dup, ty, ir_opx(t->r, O_umov, I64, 0, I8, first / 8, v0, 0, 0));
		one = constant(t, lo, hi);
	}
	return ir_opx(t->r, O_vset, ty, 0, R_EQ, 0, tr_op2(t, O_and, ty, v, one), one, 0);
}

/* v, or what vd has, by v0 if the instruction is masked */
static ref
masked(struct tr *t, const struct rvv_insn *a, int ty, int k, ref v)
{
	return a->vm ? v : tr_op3(t, O_bsl, ty, mask(t, k), v, get(t, ty, a->vd + k));
}

/* -- the second operand -- */

static ref
scalarfp(struct tr *t, int n, int bits)
{
	ref v = tr_get(t, F64, RV_F0 + n);

	if (bits == 64)
		return ir_opx(t->r, O_movfi, I64, 0, F64, 0, v, 0, 0);
	t->r->unboxes = 1;
	return ir_opx(t->r, O_movfi, I64, 0, F32, 0, ir_opx(t->r, O_funbox, F32, 0, F64, 0, v, 0, 0), 0, 0);
}

static s64 imm5(const struct tr *t) { return (s64)((u64)t->word << 44) >> 59; }

static ref
splat(struct tr *t, const struct rvv_insn *a, int bits)
{
	int ty = VEC(lane(bits), 7), n = (int)(t->word >> 15 & 31);

	(void)a;
	switch (form(t)) {
	case OPIVI:
		return tr_op1(t, O_dup, ty, tr_k(t, zext((u64)imm5(t), bits)));
	case OPFVF:
		return tr_op1(t, O_dup, ty, scalarfp(t, n, bits));
	}
	return tr_op1(t, O_dup, ty, tr_zxt(t, I64, rv_get(t, n), bits));
}

static int isvector(const struct tr *t) { return form(t) <= OPMVV; }

/* y[k]: the operand for register k */
static int
second(struct tr *t, const struct rvv_insn *a, int bits, const struct extent *e, ref *y)
{
	struct extent same;

	if (isvector(t) && !extent(t, bits, a->vs1, &same))
		return 0;
	for (int k = 0; k < e->n; k++)
		y[k] = isvector(t) ? get(t, VEC(lane(bits), 7), a->vs1 + k) : k ? y[0] : splat(t, a, bits);
	return 1;
}

/* -- integer arithmetic -- */

/* Both operands and the destination are groups of SEW; vd is not v0 if masked. */
static int
operands(struct tr *t, const struct rvv_insn *a, struct extent *e, ref *x, ref *y)
{
	struct extent same;
	int bits = sew(t);

	if ((!a->vm && a->vd == 0) || !extent(t, bits, a->vd, e) || !extent(t, bits, a->vs2, &same) ||
	    !second(t, a, bits, e, y))
		return 0;
	for (int k = 0; k < e->n; k++)
		x[k] = get(t, VEC(lane(bits), 7), a->vs2 + k);
	return 1;
}

static int
arith(struct tr *t, const struct rvv_insn *a)
{
	int ty = VEC(lane(sew(t)), 7);
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = masked(t, a, ty, k, tr_op2(t, a->op, ty, x[k], y[k]));
	putall(t, &e, ty, a->vd, v);
	return 1;
}

static int
reversed(struct tr *t, const struct rvv_insn *a)
{
	int ty = VEC(lane(sew(t)), 7);
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = masked(t, a, ty, k, tr_op2(t, O_sub, ty, y[k], x[k]));
	putall(t, &e, ty, a->vd, v);
	return 1;
}

/* by a constant */
static int
shifti(struct tr *t, const struct rvv_insn *a)
{
	int bits = sew(t), ty = VEC(lane(bits), 7), by = (int)(t->word >> 15 & 31), op = a->op;
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (op == O_rotr)              /* six bits; to the left */
		by = -(by | (int)(t->word >> 26 & 1) << 5);
	op = op == O_shl ? O_shli : op == O_shr ? O_shri : op == O_sar ? O_sari : O_roli;
	by &= bits - 1;
	if (!operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = masked(t, a, ty, k, by ? ir_opx(t->r, op, ty, 0, 0, by, x[k], 0, 0) : x[k]);
	putall(t, &e, ty, a->vd, v);
	return 1;
}

/* by the low bits of each element */
static int
shiftv(struct tr *t, const struct rvv_insn *a)
{
	int bits = sew(t), ty = VEC(lane(bits), 7);
	ref x[MOST], y[MOST], v[MOST], low = tr_op1(t, O_dup, ty, tr_k(t, (u64)bits - 1));
	struct extent e;

	if (!operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref by = tr_op2(t, O_and, ty, y[k], low);

		if (a->op != O_shl)
			by = tr_op1(t, O_neg, ty, by);
		v[k] = masked(t, a, ty, k, tr_op2(t, a->op == O_sar ? O_sshl : O_ushl, ty, x[k], by));
	}
	putall(t, &e, ty, a->vd, v);
	return 1;
}

/* one operand */
static int
unary(struct tr *t, const struct rvv_insn *a)
{
	int ty = VEC(lane(sew(t)), 7);
	ref v[MOST];
	struct extent e, same;

	if ((!a->vm && a->vd == 0) || !extent(t, sew(t), a->vd, &e) || !extent(t, sew(t), a->vs2, &same))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref x = get(t, ty, a->vs2 + k);

		if (a->id == rvv_vrev8_v)
			x = sew(t) == 8 ? x : ir_opx(t->r, O_vrev, V8, 0, 0, sew(t), x, 0, 0);
		else
			x = tr_op1(t, O_rbit, V8, x);  /* vbrev8 */
		v[k] = masked(t, a, ty, k, x);
	}
	putall(t, &e, ty, a->vd, v);
	return 1;
}

/* x * y + z, or z - x * y; of x, y, z two are vs1 and vs2 and one vd: which one is addend says the line's id */
static int
multiplyadd(struct tr *t, const struct rvv_insn *a)
{
	int ty = VEC(lane(sew(t)), 7);
	int toaddend = a->id == rvv_vmacc_vv || a->id == rvv_vmacc_vx || a->id == rvv_vnmsac_vv || a->id == rvv_vnmsac_vx;
	int minus = a->id == rvv_vnmsac_vv || a->id == rvv_vnmsac_vx || a->id == rvv_vnmsub_vv || a->id == rvv_vnmsub_vx;
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref d = get(t, ty, a->vd + k), p = tr_op2(t, O_mul, ty, y[k], toaddend ? x[k] : d);

		v[k] = masked(t, a, ty, k, tr_op2(t, minus ? O_sub : O_add, ty, toaddend ? d : x[k], p));
	}
	putall(t, &e, ty, a->vd, v);
	return 1;
}

/* -- moves -- */

static int
move(struct tr *t, const struct rvv_insn *a)
{
	ref v[MOST];
	struct extent e;

	if (!extent(t, sew(t), a->vd, &e) || !second(t, a, sew(t), &e, v))
		return 0;
	putall(t, &e, VEC(lane(sew(t)), 7), a->vd, v);
	return 1;
}

static int
merge(struct tr *t, const struct rvv_insn *a)
{
	int ty = VEC(lane(sew(t)), 7);
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!operands(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = tr_op3(t, O_bsl, ty, mask(t, k), y[k], x[k]);
	putall(t, &e, ty, a->vd, v);
	return 1;
}

/* vmv<n>r.v: whole registers, whatever vl is */
static int
moveregs(struct tr *t, const struct rvv_insn *a)
{
	int n = (int)(t->word >> 15 & 7) + 1;
	struct extent e = {n, 0};
	ref v[MOST];

	if ((n & (n - 1)) || (a->vd & (n - 1)) || (a->vs2 & (n - 1)))
		return 0;
	for (int k = 0; k < n; k++)
		v[k] = get(t, V64, a->vs2 + k);
	putall(t, &e, V64, a->vd, v);
	return 1;
}

static int
tox(struct tr *t, const struct rvv_insn *a)
{
	int l = lane(sew(t));

	rv_put(t, a->rd, ir_opx(t->r, O_smov, I64, 0, l, 0, get(t, VEC(l, 7), a->vs2), 0, 0));
	return 1;
}

static int
fromx(struct tr *t, const struct rvv_insn *a)
{
	int ty = VEC(lane(sew(t)), 7);
	ref x = tr_zxt(t, I64, rv_get(t, a->rs1), sew(t));

	if (vcfg_vl(t->vcfg))
		tr_put(t, ty, RV_v0 + a->vd, ir_opx(t->r, O_ins, ty, 0, 0, 0, get(t, ty, a->vd), x, 0));
	return 1;
}

/* the numbers of the elements */
static int
indices(struct tr *t, const struct rvv_insn *a)
{
	int bits = sew(t), lanes = VLEN / bits;
	struct extent e;
	ref v[MOST];

	if (!a->vm || !extent(t, bits, a->vd, &e))
		return 0;
	for (int k = 0; k < e.n; k++) {
		u64 half[2] = {0, 0};

		for (int i = 0; i < lanes; i++)
			half[i * bits / 64] |= (u64)(k * lanes + i) << i * bits % 64;
		v[k] = constant(t, half[0], half[1]);
	}
	putall(t, &e, V64, a->vd, v);
	return 1;
}

/* -- wider, narrower -- */

static int
overlap(int x, int nx, int y, int ny)
{
	return x < y + ny && y < x + nx;
}

/* zero- or sign-extension of elements half as wide */
static int
extend(struct tr *t, const struct rvv_insn *a)
{
	int bits = sew(t), ty = VEC(lane(bits), 7), half = lane(bits / 2);
	int op = a->id == rvv_vsext_vf2 ? O_vsxt : O_vzxt;
	struct extent e, src;
	ref v[MOST];

	if (bits == 8 || !a->vm || !extent(t, bits, a->vd, &e) || !extent(t, bits / 2, a->vs2, &src) ||
	    overlap(a->vd, e.n, a->vs2, src.n))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = ir_opx(t->r, op, ty, 0, half, k & 1, get(t, VEC(half, 7), a->vs2 + k / 2), 0, 0);
	putall(t, &e, ty, a->vd, v);
	return 1;
}

/* vnsrl.wi: elements twice as wide, shifted right, and cut */
static int
narrow(struct tr *t, const struct rvv_insn *a)
{
	int bits = sew(t), ty = VEC(lane(bits), 7), wide = lane(2 * bits), by = (int)(t->word >> 15 & 31) & (2 * bits - 1);
	struct extent e, src;
	ref v[MOST];

	if (bits == 64 || !a->vm || !extent(t, bits, a->vd, &e) || !extent(t, 2 * bits, a->vs2, &src) ||
	    (overlap(a->vd, e.n, a->vs2, src.n) && a->vd != a->vs2))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref part[2] = {0, 0};

		for (int i = 0; i < 2 && 2 * k + i < src.n; i++) {
			ref x = get(t, VEC(wide, 7), a->vs2 + 2 * k + i);

			if (by)
				x = ir_opx(t->r, O_shri, VEC(wide, 7), 0, 0, by, x, 0, 0);
			part[i] = ir_opx(t->r, O_vnarrow, ty, 0, wide, 0, x, 0, 0);
		}
		v[k] = part[1] ? tr_op2(t, O_vcat, V64, part[0], part[1]) : part[0];
	}
	putall(t, &e, ty, a->vd, v);
	return 1;
}

/* -- permutations within one register that is full -- */

static int
alone(struct tr *t, const struct rvv_insn *a)
{
	struct extent e;

	return a->vm && vcfg_lmul(t->vcfg) == 0 && extent(t, sew(t), a->vd, &e) && !e.part;
}

static int
slidedown(struct tr *t, const struct rvv_insn *a)
{
	int by = (int)(t->word >> 15 & 31) * sew(t) / 8;
	ref x = get(t, V8, a->vs2);

	if (!alone(t, a) || by >= VLENB)
		return 0;
	tr_put(t, V8, RV_v0 + a->vd, by ? ir_opx(t->r, O_vext, V8, 0, 0, by, x, constant(t, 0, 0), 0) : x);
	return 1;
}

static int
slideup(struct tr *t, const struct rvv_insn *a)
{
	int by = (int)(t->word >> 15 & 31) * sew(t) / 8;
	u64 lo = by >= 8 ? 0 : ~(u64)0 << 8 * by, hi = by <= 8 ? ~(u64)0 : ~(u64)0 << 8 * (by - 8);
	ref x = get(t, V8, a->vs2), d = get(t, V8, a->vd);

	if (!alone(t, a) || !by || by >= VLENB || a->vd == a->vs2)
		return 0;
	x = ir_opx(t->r, O_vext, V8, 0, 0, VLENB - by, constant(t, 0, 0), x, 0);
	tr_put(t, V8, RV_v0 + a->vd, tr_op3(t, O_bsl, V8, constant(t, lo, hi), x, d));
	return 1;
}

static int
gather(struct tr *t, const struct rvv_insn *a)
{
	if (!alone(t, a) || sew(t) != 8 || a->vd == a->vs2 || a->vd == a->vs1)
		return 0;
	tr_put(t, V8, RV_v0 + a->vd, tr_op2(t, O_tbl, V8, get(t, V8, a->vs2), get(t, V8, a->vs1)));
	return 1;
}

/* -- reductions -- */

/* all elements, and element 0 of vs1, into element 0 of vd */
static int
reduce(struct tr *t, const struct rvv_insn *a)
{
	static const u8 how[O_COUNT] = {[O_add] = VRED_ADD, [O_smin] = VRED_SMIN, [O_smax] = VRED_SMAX,
		[O_umin] = VRED_UMIN, [O_umax] = VRED_UMAX};
	int l = lane(sew(t)), ty = VEC(l, 7);
	struct extent e;
	ref v;

	if (!a->vm || !extent(t, sew(t), a->vs2, &e) || e.part)
		return 0;
	v = get(t, ty, a->vs2);
	for (int k = 1; k < e.n; k++)
		v = tr_op2(t, a->op, ty, v, get(t, ty, a->vs2 + k));
	v = ir_opx(t->r, O_vred, ty, 0, 0, how[a->op], v, 0, 0);
	v = tr_op2(t, a->op, ty, v, get(t, ty, a->vs1));
	tr_put(t, ty, RV_v0 + a->vd, ir_opx(t->r, O_inslane, ty, 0, 0, 0, get(t, ty, a->vd), v, 0));
	return 1;
}

/* -- memory -- */

/* An access of its own is none of several; but it too is done again one element after another if it faults. */
static ref
ld(struct tr *t, int ty, ref base, int disp)
{
	return ir_opx(t->r, O_ld, ty, 0, 1, disp, base, 0, 0);
}

static void
st(struct tr *t, int ty, ref base, int disp, ref v)
{
	ir_opx(t->r, O_st, ty, 0, 1, disp, base, 0, v);
}

static int
width(const struct tr *t)
{
	int f = form(t);

	return f ? 8 << (f - 4) : 8;
}

/* What a unit-stride access covers; whole registers if lumop says so. */
static int
covers(struct tr *t, const struct rvv_insn *a, struct extent *e)
{
	int whole = (t->word >> 20 & 31) == 8, n = (int)(t->word >> 29) + 1;

	if (!a->vm)
		return 0;
	*e = (struct extent){n, 0};
	return whole ? !(n & (n - 1)) && !(a->vd & (n - 1)) : n == 1 && extent(t, width(t), a->vd, e);
}

static int
load(struct tr *t, const struct rvv_insn *a)
{
	ref base = rv_get(t, a->rs1), v[MOST];
	struct extent e;

	if (!covers(t, a, &e))
		return 0;
	if (e.part)
		v[0] = tr_op1(t, O_vfromi, V64, ld(t, lane(e.part), base, 0));
	for (int k = 0; k < e.n && !e.part; k++)
		v[k] = ld(t, V64, base, VLENB * k);
	putall(t, &e, V64, a->vd, v);
	return 1;
}

static int
store(struct tr *t, const struct rvv_insn *a)
{
	ref base = rv_get(t, a->rs1);
	struct extent e;

	if (!covers(t, a, &e))
		return 0;
	if (e.part)
		st(t, lane(e.part), base, 0, ir_opx(t->r, O_umov, I64, 0, lane(e.part), 0, get(t, VEC(lane(e.part), 7), a->vd), 0, 0));
	for (int k = 0; k < e.n && !e.part; k++)
		st(t, V64, base, VLENB * k, get(t, V64, a->vd + k));
	return 1;
}

/* -- floating point: whole registers, since what is above vl must raise nothing -- */

static int
floats(struct tr *t, const struct rvv_insn *a, struct extent *e, ref *x, ref *y)
{
	return a->vm && sew(t) >= 32 && operands(t, a, e, x, y) && !e->part;
}

static int floattype(const struct tr *t) { return sew(t) == 32 ? VF32 : VF64; }

static int
farith(struct tr *t, const struct rvv_insn *a)
{
	int swap = a->id == rvv_vfrsub_vf || a->id == rvv_vfrdiv_vf;
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!floats(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++)
		v[k] = ir_opx(t->r, a->op, floattype(t), RM_DYN, 0, 0, swap ? y[k] : x[k], swap ? x[k] : y[k], 0);
	putall(t, &e, floattype(t), a->vd, v);
	return 1;
}

/* By funct6: whether vd is the addend, or vs2; the signs of product and addend (section 13.6). */
static int
ffma(struct tr *t, const struct rvv_insn *a)
{
	static const u16 sign[4] = {0, FP_NEGP | FP_NEGA, FP_NEGA, FP_NEGP};   /* madd nmadd msub nmsub */
	int funct = (int)(t->word >> 26), toaddend = funct & 4;
	ref x[MOST], y[MOST], v[MOST];
	struct extent e;

	if (!floats(t, a, &e, x, y))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref d = get(t, floattype(t), a->vd + k);

		v[k] = ir_opx(t->r, O_fma, floattype(t), sign[funct & 3] | RM_DYN, 0, 0, y[k], toaddend ? x[k] : d,
		    toaddend ? d : x[k]);
	}
	putall(t, &e, floattype(t), a->vd, v);
	return 1;
}

/* -- cryptography: element groups of 128 bits -- */

static int
groups(struct tr *t, const struct rvv_insn *a, struct extent *e)
{
	return sew(t) == 32 && vcfg_lmul(t->vcfg) >= 0 && extent(t, 32, a->vd, e) && !e->part;
}

/* register k of vs2, or the first of it for all (.vs) */
static ref
key(struct tr *t, const struct rvv_insn *a, int k)
{
	return get(t, V8, a->vs2 + (t->word >> 26 == 0x28 ? k : 0));
}

static int
aes(struct tr *t, const struct rvv_insn *a)
{
	int scalar = t->word >> 26 != 0x28, round = (int)(t->word >> 15 & 31);
	struct extent e, same;

	if (!groups(t, a, &e) || (scalar ? overlap(a->vd, e.n, a->vs2, 1) : !extent(t, 32, a->vs2, &same)))
		return 0;
	for (int k = 0; k < e.n; k++) {
		ref v = get(t, V8, a->vd + k), w = key(t, a, k);

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
static int
sha256(struct tr *t, const struct rvv_insn *a)
{
	ref d = get(t, V32, a->vd), y = get(t, V32, a->vs2), w = get(t, V32, a->vs1), v;
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

#define VV(name, f) [rvv_##name##_vv] = f
#define VVX(name, f) [rvv_##name##_vv] = f, [rvv_##name##_vx] = f
#define VVXI(name, f) VVX(name, f), [rvv_##name##_vi] = f
#define VVF(name, f) [rvv_##name##_vv] = f, [rvv_##name##_vf] = f
#define VS(name, f) [rvv_##name##_vs] = f
static quick_fn *const quick[rvv_COUNT] = {
	VVXI(vadd, arith), VVX(vsub, arith), [rvv_vrsub_vx] = reversed, [rvv_vrsub_vi] = reversed,
	VVXI(vand, arith), VVXI(vor, arith), VVXI(vxor, arith), VVX(vandn, arith),
	VVX(vminu, arith), VVX(vmin, arith), VVX(vmaxu, arith), VVX(vmax, arith), VVX(vmul, arith),
	VVX(vsll, shiftv), VVX(vsrl, shiftv), VVX(vsra, shiftv),
	[rvv_vsll_vi] = shifti, [rvv_vsrl_vi] = shifti, [rvv_vsra_vi] = shifti, [rvv_vror_vi] = shifti,
	[rvv_vrev8_v] = unary, [rvv_vbrev8_v] = unary,
	VVX(vmacc, multiplyadd), VVX(vnmsac, multiplyadd), VVX(vmadd, multiplyadd), VVX(vnmsub, multiplyadd),

	[rvv_vmv_v_v] = move, [rvv_vmv_v_x] = move, [rvv_vmv_v_i] = move, [rvv_vfmv_v_f] = move,
	[rvv_vmerge_vvm] = merge, [rvv_vmerge_vxm] = merge, [rvv_vmerge_vim] = merge,
	[rvv_vmv1r_v] = moveregs, [rvv_vmv2r_v] = moveregs, [rvv_vmv4r_v] = moveregs, [rvv_vmv8r_v] = moveregs,
	[rvv_vmv_x_s] = tox, [rvv_vmv_s_x] = fromx, [rvv_vid_v] = indices,
	[rvv_vzext_vf2] = extend, [rvv_vsext_vf2] = extend, [rvv_vnsrl_wi] = narrow,
	[rvv_vslidedown_vi] = slidedown, [rvv_vslideup_vi] = slideup, [rvv_vrgather_vv] = gather,
	VS(vredsum, reduce), VS(vredminu, reduce), VS(vredmin, reduce), VS(vredmaxu, reduce), VS(vredmax, reduce),

	[rvv_vle8_v] = load, [rvv_vle16_v] = load, [rvv_vle32_v] = load, [rvv_vle64_v] = load,
	[rvv_vse8_v] = store, [rvv_vse16_v] = store, [rvv_vse32_v] = store, [rvv_vse64_v] = store,

	VVF(vfadd, farith), VVF(vfsub, farith), VVF(vfmul, farith), VVF(vfdiv, farith),
	[rvv_vfrsub_vf] = farith, [rvv_vfrdiv_vf] = farith,
	VVF(vfmadd, ffma), VVF(vfnmadd, ffma), VVF(vfmsub, ffma), VVF(vfnmsub, ffma),
	VVF(vfmacc, ffma), VVF(vfnmacc, ffma), VVF(vfmsac, ffma), VVF(vfnmsac, ffma),

	VV(vaesem, aes), VV(vaesef, aes), VV(vaesdm, aes), VV(vaesdf, aes),
	VS(vaesem, aes), VS(vaesef, aes), VS(vaesdm, aes), VS(vaesdf, aes), VS(vaesz, aes),
	VV(vsha2ms, sha256), VV(vsha2ch, sha256), VV(vsha2cl, sha256),
};

int rv_isquick(const struct rvv_insn *a) { return quick[a->id] != 0; }
int rv_quick(struct tr *t, const struct rvv_insn *a) { return quick[a->id](t, a); }
