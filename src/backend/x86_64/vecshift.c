/* SPDX-License-Identifier: MIT */
/* vecshift.c - vectors: shifts by immediates and by lanes */
#include "backend/x86_64/vec.h"

static int
shiftable(const struct ins *i)
{
	return isv128(i) && ty_lane(i->ty) <= I64;
}

/* -- by immediate -- */

/* Matrix of gf2p8affineqb that shifts bytes: row r (result bit r, in byte 7 - r) selects input bit
 * r + n (SDM, GF2P8AFFINEQB). */
static u64
shift_matrix(enum vsh how, int n)
{
	u64 m = 0;

	for (int r = 0; r < 8; r++) {
		int from = how == VSH_L ? r - n : r + n;
		if (how == VSH_RA && from > 7)
			from = 7;
		if (from >= 0 && from < 8)
			m |= (u64)1 << from << 8 * (7 - r);
	}
	return m;
}

static void
shift8(struct code *c, enum vsh how, int d, int a, int n)
{
	u64 low = (u64)0xff >> n;

	if (x86feat.gfni && x86feat.avx) {
		v3mi(c, V_GF2P8AFFINE, d, a, krep(shift_matrix(how, n), 64), 0);
		return;
	}
	vshi(c, how == VSH_L ? VSH_L : VSH_R, 16, d, a, n);
	v3m(c, V_PAND, d, d, krep(how == VSH_L ? 0xff << n & 0xff : low, 8));
	if (how == VSH_RA) {           /* sign extension from bit 7 - n: (d ^ m) - m */
		struct mem m = krep((u64)0x80 >> n, 8);
		v3m(c, V_PXOR, d, d, m);
		v3m(c, V_PSUBB, d, d, m);
	}
}

/* t: scratch, used for 64-bit arithmetic shifts; t != d */
static void
shift_imm(struct code *c, enum vsh how, int w, int d, int a, int n, int t)
{
	if (how == VSH_RA && n >= w)
		n = w - 1;
	if (n >= w) {
		vzero(c, d);
	} else if (n == 0) {
		vmov(c, d, a);
	} else if (w == 8) {
		shift8(c, how, d, a, n);
	} else if (w < 64 || how != VSH_RA || x86feat.avx512) {
		vshi(c, how, w, d, a, n);
	} else {                       /* high words shifted with the sign, low ones take from them */
		vshi(c, VSH_RA, 32, t, a, n > 31 ? 31 : n);
		if (n >= 32) {
			v2i(c, V_PSHUFD, t, t, 0xf5);
			vshi(c, VSH_RA, 32, d, a, n - 32);
			v2i(c, V_PSHUFD, d, d, 0xf5);
		} else {
			vshi(c, VSH_R, 64, d, a, n);
		}
		v3i(c, V_PBLENDW, d, d, t, 0xcc);
	}
}

int
ev_shi(struct x86 *x, const struct ins *i)
{
	enum vsh how = i->op == O_shli ? VSH_L : i->op == O_shri ? VSH_R : VSH_RA;

	if (!shiftable(i) || i->imm < 0)
		return 0;
	int a = xv_use(x, i->a), t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	shift_imm(&x->a, how, ty_lanebits(i->ty), d, a, i->imm, t);
	return 1;
}

int
ev_roli(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->ty), n = i->imm & (w - 1);
	struct code *c = &x->a;

	if (!shiftable(i))
		return 0;
	int a = xv_use(x, i->a), t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	if (n == 0) {
		vmov(c, d, a);
	} else if (w >= 32 && x86feat.avx512) {
		vshi(c, VSH_ROL, w, d, a, n);
	} else {
		shift_imm(c, VSH_L, w, t, a, n, t);
		shift_imm(c, VSH_R, w, d, a, w - n, t);
		v3(c, V_POR, d, d, t);
	}
	return 1;
}

/* Rounding: (a >> n) + (a >> (n - 1) & 1), the bit brought down from the top. */
int
ev_rshi(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->ty), n = i->imm;
	struct code *c = &x->a;

	if (!shiftable(i) || n < 1 || n > w)
		return 0;
	int a = xv_use(x, i->a), t = xv_tmp(x), u = xv_tmp(x), d = xv_def(x, (ref)x->i);

	shift_imm(c, VSH_L, w, t, a, w - n, u);
	shift_imm(c, VSH_R, w, t, t, w - 1, u);
	shift_imm(c, i->op == O_srshri ? VSH_RA : VSH_R, w, d, a, n, u);
	v3(c, v_add[lanelog(i->ty)], d, d, t);
	return 1;
}

/* -- by the signed low byte of each lane of b -- */

/* the low byte of each lane of b, sign-extended */
static void
amounts(struct code *c, int w, int d, int b)
{
	if (w == 64 && !x86feat.avx512) {
		v3m(c, V_PSHUFB, d, b, xv_const(0x8080808080800800, rep(0x80, 8)));
		v2(c, V_PMOVSXBQ, d, d);
	} else {
		vshi(c, VSH_L, w, d, b, w - 8);
		vshi(c, VSH_RA, w, d, d, w - 8);
	}
}

/* How lanes are shifted.  Rounding adds the last bit that a right shift drops, at bit lsb; what lies
 * below the top bits of a lane that holds a narrower one is not to count. */
struct lanes { int sign, round, w; u64 lsb, top; };

static u32
right_op(const struct lanes *l)
{
	if (l->sign)
		return l->w == 16 ? V_PSRAVW : l->w == 32 ? V_PSRAVD : V_PSRAVQ;
	return l->w == 16 ? V_PSRLVW : l->w == 32 ? V_PSRLVD : V_PSRLVQ;
}

/* u = a shifted right by -n; a, n and u differ */
static void
shift_right(struct code *c, const struct lanes *l, int a, int n, int u)
{
	int lane = l->w == 16 ? 1 : l->w == 32 ? 2 : 3;
	struct mem ones = krep(~(u64)0, 64);

	vzero(c, u);
	v3(c, v_sub[lane], u, u, n);
	if (!l->round) {
		v3(c, right_op(l), u, a, u);
		return;
	}
	v3m(c, v_add[lane], u, u, ones);
	v_rm(c, V_MOVAPS_ST, u, 0, vstash(2), 0);      /* one less */
	v3m(c, v_sub[lane], u, u, ones);
	v3(c, right_op(l), u, a, u);
	v3m(c, V_PAND, u, u, krep(l->top, l->w));
	v_rm(c, V_MOVAPS_ST, u, 0, vstash(3), 0);
	v3m(c, right_op(l), u, a, vstash(2));
	v3m(c, V_PAND, u, u, krep(l->lsb, l->w));
	v3m(c, v_add[lane], u, u, vstash(3));
}

/* Lanes of 16 (AVX-512), 32 and 64 bits; d holds the amounts.  An amount that is negative counts as too
 * large, which gives 0 for the logical shifts: left and right are merged with or.  The arithmetic
 * right shift gives the sign then, and is chosen by the amount's sign.  a may be t. */
static void
shift_lanes(struct code *c, const struct lanes *l, int d, int a, int t, int u)
{
	shift_right(c, l, a, d, u);
	v3(c, l->w == 16 ? V_PSLLVW : l->w == 32 ? V_PSLLVD : V_PSLLVQ, t, a, d);
	if (!l->sign) {
		v3(c, V_POR, d, t, u);
		return;
	}
	vshi(c, VSH_RA, l->w == 16 ? 16 : 32, d, d, 15 + (l->w > 16) * 16);
	vblend(c, d, d, u, t);
}

/* sshl of 64-bit lanes without vpsravq: a logical shift whose sign bit, come down to m, is spread
 * by (r ^ m) - m.  d holds the amounts. */
static void
sshl64(struct code *c, int d, int a, int t, int u)
{
	vzero(c, u);
	v3(c, V_PSUBQ, u, u, d);
	v3m(c, V_PMINUD, u, u, krep(63, 32));
	v2m(c, V_MOVAPS, t, krep((u64)1 << 63, 64));
	v3(c, V_PSRLVQ, t, t, u);
	v3(c, V_PSRLVQ, u, a, u);
	v3(c, V_PXOR, u, u, t);
	v3(c, V_PSUBQ, u, u, t);
	v3(c, V_PSLLVQ, t, a, d);
	vshi(c, VSH_RA, 32, d, d, 31);
	vblend(c, d, d, u, t);
}

/* Lanes narrower than there are shifts for: each part of a wide lane in turn is brought to its top,
 * shifted there and brought back; the parts gather in memory. */
static void
shift_parts(struct code *c, struct lanes l, int d, int a, int b, int t, int u)
{
	int w = l.w, wide = x86feat.avx512 ? 16 : 32, parts = wide / w;

	l.w = wide;
	l.top = ~(u64)0 << (wide - w) & ~(u64)0 >> (64 - wide);
	l.lsb = (u64)1 << (wide - w);
	for (int p = 0; p < parts; p++) {
		int up = wide - w * (p + 1);

		shift_imm(c, VSH_L, wide, t, a, up, u);
		v3m(c, V_PAND, t, t, krep(l.top, wide));
		shift_imm(c, VSH_L, wide, d, b, wide - w * p - 8, u);
		shift_imm(c, VSH_RA, wide, d, d, wide - 8, u);
		shift_lanes(c, &l, d, t, t, u);
		v3m(c, V_PAND, d, d, krep(l.top, wide));
		shift_imm(c, VSH_R, wide, d, d, up, u);
		if (p > 0)
			v3m(c, V_POR, d, d, vstash(1));
		if (p < parts - 1)
			v_rm(c, V_MOVAPS_ST, d, 0, vstash(1), 0);
	}
}

int
ev_shl(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->ty);
	struct lanes l = {i->op == O_sshl || i->op == O_srshl, i->op == O_urshl || i->op == O_srshl, w, 1, ~(u64)0};
	struct code *c = &x->a;

	if (!shiftable(i) || !x86feat.avx2 || (l.round && l.sign && w == 64 && !x86feat.avx512))
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), u = xv_tmp(x);
	int d = xv_defx(x, (ref)x->i);

	if (w < (x86feat.avx512 ? 16 : 32)) {
		shift_parts(c, l, d, a, b, t, u);
		return 1;
	}
	amounts(c, w, d, b);
	if (l.sign && w == 64 && !x86feat.avx512)
		sshl64(c, d, a, t, u);
	else
		shift_lanes(c, &l, d, a, t, u);
	return 1;
}
