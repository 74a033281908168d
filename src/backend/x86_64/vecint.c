/* SPDX-License-Identifier: MIT */
/* vecint.c - vectors of integers: addition and its relatives, minimum, halving, saturation */
#include "backend/x86_64/vec.h"

static int
intlanes(const struct ins *i)
{
	return isv128(i) && ty_lane(i->ty) <= I64;
}

static u64 topbit(int ty) { return (u64)1 << (ty_lanebits(ty) - 1); }

/* One instruction at every lane size there is an opcode for; b may be in memory. */
static int
one(struct x86 *x, const struct ins *i, u32 op)
{
	struct regs3 r = {.a = xv_use(x, i->a)};
	struct mem m;

	r.b = xv_usem(x, i->b, &m);
	r.d = xv_def(x, (ref)x->i);
	if (r.b < 0)
		v3m(&x->a, op, r.d, r.a, m);
	else
		v3(&x->a, op, r.d, r.a, r.b);
	return 1;
}

int
ev_add(struct x86 *x, const struct ins *i)
{
	return intlanes(i) ? one(x, i, (i->op == O_add ? v_add : v_sub)[lanelog(i->ty)]) : 0;
}

int
ev_neg(struct x86 *x, const struct ins *i)
{
	if (!intlanes(i))
		return 0;
	int a = xv_use(x, i->a), t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	vzero(&x->a, t);
	v3(&x->a, v_sub[lanelog(i->ty)], d, t, a);
	return 1;
}

int
ev_minmax(struct x86 *x, const struct ins *i)
{
	const u32 *op = i->op == O_smin ? v_smin : i->op == O_smax ? v_smax : i->op == O_umin ? v_umin : v_umax;
	int lane = lanelog(i->ty);

	if (!intlanes(i))
		return 0;
	if (lane < 3 || x86feat.avx512)
		return one(x, i, op[lane]);
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), u = xv_tmp(x);

	vminmax(&x->a, op, lane, xv_def(x, (ref)x->i), a, b, t, u);
	return 1;
}

/* |a|: an opcode up to 32 bits, and with AVX-512; else (a ^ s) - s with s = a < 0 */
int
ev_abs(struct x86 *x, const struct ins *i)
{
	static const u32 op[4] = {V_PABSB, V_PABSW, V_PABSD, V_PABSQ};
	int lane = lanelog(i->ty);

	if (!intlanes(i))
		return 0;
	if (lane < 3 || x86feat.avx512) {
		struct regs3 r = use1(x, i);
		v2(&x->a, op[lane], r.d, r.a);
		return 1;
	}
	int a = xv_use(x, i->a), t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	vzero(&x->a, t);
	v3(&x->a, V_PCMPGTQ, t, t, a);
	v3(&x->a, V_PXOR, d, a, t);
	v3(&x->a, V_PSUBQ, d, d, t);
	return 1;
}

/* max - min */
int
ev_abd(struct x86 *x, const struct ins *i)
{
	int lane = lanelog(i->ty), s = i->op == O_sabd;
	struct code *c = &x->a;

	if (!intlanes(i) || lane > 2)
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	v3(c, (s ? v_smax : v_umax)[lane], t, a, b);
	v3(c, (s ? v_smin : v_umin)[lane], d, a, b);
	v3(c, v_sub[lane], d, t, d);
	return 1;
}

/* -- multiplication -- */

/* bytes: even products in place, odd ones as (a >> 8) * (b & 0xff00) */
static void
mul8(struct code *c, int d, int a, int b, int t, int u)
{
	vshi(c, VSH_R, 16, t, a, 8);
	v3m(c, V_PAND, u, b, krep(0xff00, 16));
	v3(c, V_PMULLW, t, t, u);
	v3(c, V_PMULLW, u, a, b);
	v3m(c, V_PAND, u, u, krep(0xff, 16));
	v3(c, V_POR, d, t, u);
}

/* low * low + ((high * low + low * high) << 32) */
static void
mul64(struct code *c, int d, int a, int b, int t, int u)
{
	vshi(c, VSH_R, 64, t, a, 32);
	v3(c, V_PMULUDQ, t, t, b);
	vshi(c, VSH_R, 64, u, b, 32);
	v3(c, V_PMULUDQ, u, u, a);
	v3(c, V_PADDQ, t, t, u);
	vshi(c, VSH_L, 64, t, t, 32);
	v3(c, V_PMULUDQ, u, a, b);
	v3(c, V_PADDQ, d, t, u);
}

int
ev_mul(struct x86 *x, const struct ins *i)
{
	int lane = lanelog(i->ty);

	if (!intlanes(i))
		return 0;
	if (lane == 1 || lane == 2 || (lane == 3 && x86feat.avx512))
		return one(x, i, lane == 1 ? V_PMULLW : lane == 2 ? V_PMULLD : V_PMULLQ);
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), u = xv_tmp(x);

	(lane ? mul64 : mul8)(&x->a, xv_def(x, (ref)x->i), a, b, t, u);
	return 1;
}

/* Is the value already zero in the upper half of each lane (sign 0) or sign-extended (1)? */
static int
isextended(struct x86 *x, ref t, int ty, int sign)
{
	const struct ins *p = &x->r->ins[t];

	return !isk(t) && p->op == (sign ? O_vsxt : O_vzxt) && p->ty == ty;
}

/* products of the low halves of each lane */
static void
mulw16(struct code *c, int sign, int d, int a, int b, int t)
{
	if (sign) {
		vshi(c, VSH_L, 16, t, a, 8);
		vshi(c, VSH_RA, 16, t, t, 8);
		vshi(c, VSH_L, 16, d, b, 8);
		vshi(c, VSH_RA, 16, d, d, 8);
	} else {
		v3m(c, V_PAND, t, a, krep(0xff, 16));
		v3m(c, V_PAND, d, b, krep(0xff, 16));
	}
	v3(c, V_PMULLW, d, d, t);
}

/* Signed: pmaddwd with the odd halves of one operand zero.  Unsigned: both masked. */
static void
mulw32(struct code *c, int sign, int d, int a, int b, int t)
{
	v3m(c, V_PAND, t, a, krep(0xffff, 32));
	if (sign) {
		v3(c, V_PMADDWD, d, t, b);
	} else {
		v3m(c, V_PAND, d, b, krep(0xffff, 32));
		v3(c, V_PMULLD, d, d, t);
	}
}

int
ev_mulw(struct x86 *x, const struct ins *i)
{
	int lane = lanelog(i->ty), s = i->op == O_mulws;

	if (!intlanes(i) || lane == 0)
		return 0;
	if (lane == 3)
		return one(x, i, s ? V_PMULDQ : V_PMULUDQ);
	if (!(lane == 2 && s) && isextended(x, i->a, i->ty, s) && isextended(x, i->b, i->ty, s))
		return one(x, i, lane == 1 ? V_PMULLW : V_PMULLD);
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	(lane == 1 ? mulw16 : mulw32)(&x->a, s, d, a, b, t);
	return 1;
}

/* high half of the doubled product: -1 * -1 is the only product that does not fit; it comes out
 * as the top bit alone and is inverted */
static void
qdmulh_fix(struct code *c, int bits, int d, int r, int t)
{
	v2m(c, V_MOVAPS, t, krep((u64)1 << (bits - 1), bits));
	v3(c, bits == 16 ? V_PCMPEQW : V_PCMPEQD, t, t, r);
	v3(c, V_PXOR, d, r, t);
}

static void
qdmulh16(struct code *c, int round, int d, int a, int b, int t, int u)
{
	if (round) {
		v3(c, V_PMULHRSW, t, a, b);
	} else {
		v3(c, V_PMULHW, t, a, b);
		v3(c, V_PMULLW, u, a, b);
		vshi(c, VSH_L, 16, t, t, 1);
		vshi(c, VSH_R, 16, u, u, 15);
		v3(c, V_POR, t, t, u);
	}
	qdmulh_fix(c, 16, d, t, u);
}

/* d is a register of its own here */
static void
qdmulh32(struct code *c, int round, int d, int a, int b, int t, int u)
{
	v3(c, V_PMULDQ, t, a, b);
	vshi(c, VSH_R, 64, u, a, 32);
	vshi(c, VSH_R, 64, d, b, 32);
	v3(c, V_PMULDQ, u, u, d);
	if (round) {                   /* half of a unit, before the doubling */
		v3m(c, V_PADDQ, t, t, krep((u64)1 << 30, 64));
		v3m(c, V_PADDQ, u, u, krep((u64)1 << 30, 64));
	}
	vshi(c, VSH_R, 64, t, t, 31);
	vshi(c, VSH_L, 64, u, u, 1);
	v3i(c, V_PBLENDW, t, t, u, 0xcc);
	qdmulh_fix(c, 32, d, t, u);
}

int
ev_qdmulh(struct x86 *x, const struct ins *i)
{
	int lane = lanelog(i->ty), round = i->op == O_sqrdmulh;

	if (!isv128(i) || (lane != 1 && lane != 2))
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), u = xv_tmp(x);
	int d = xv_defx(x, (ref)x->i);

	(lane == 1 ? qdmulh16 : qdmulh32)(&x->a, round, d, a, b, t, u);
	return 1;
}

/* -- halving -- */

/* (a & b) + ((a ^ b) >> 1), rounding up: (a | b) - ((a ^ b) >> 1); a may be u, b may be d */
static void
halve(struct code *c, int ty, int round, int d, int a, int b, int t, int u)
{
	int bits = ty_lanebits(ty), lane = lanelog(ty);

	if (round && lane < 2) {
		v3(c, lane ? V_PAVGW : V_PAVGB, d, a, b);
		return;
	}
	v3(c, V_PXOR, t, a, b);
	v3(c, round ? V_POR : V_PAND, u, a, b);
	vshi(c, VSH_R, bits == 8 ? 16 : bits, t, t, 1);
	if (bits == 8)
		v3m(c, V_PAND, t, t, krep(0x7f, 8));
	v3(c, (round ? v_sub : v_add)[lane], d, u, t);
}

/* Signed is unsigned with the top bits turned.  A difference is an average with the complement:
 * (a - b) >> 1 = (a + ~b + 1) >> 1 with its top bit turned. */
int
ev_halving(struct x86 *x, const struct ins *i)
{
	int issub = i->op == O_uhsub || i->op == O_shsub, w = ty_lanebits(i->ty);
	int s = i->op == O_shadd || i->op == O_srhadd || i->op == O_shsub;
	int round = issub || i->op == O_urhadd || i->op == O_srhadd;
	u64 top = topbit(i->ty), turnb = (s ? top : 0) ^ (issub ? ~(u64)0 : 0);
	struct code *c = &x->a;

	if (!intlanes(i) || w > 32)
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), u = xv_tmp(x);
	int d = xv_defx(x, (ref)x->i);

	if (turnb)
		v3m(c, V_PXOR, d, b, krep(turnb, w));
	if (s)
		v3m(c, V_PXOR, u, a, krep(top, w));
	halve(c, i->ty, round, d, s ? u : a, turnb ? d : b, t, u);
	if (s || issub)
		v3m(c, V_PXOR, d, d, krep(top, w));
	return 1;
}

/* -- saturation -- */

/* the sign of 64-bit lanes, all over the lane, without AVX-512 */
static void
vsign64(struct code *c, int d, int s)
{
	vshi(c, VSH_RA, 32, d, s, 31);
	v2i(c, V_PSHUFD, d, d, 0xf5);
}

/* 32 and 64 bits, unsigned.  d is a register of its own. */
static void
usat(struct code *c, int issub, int lane, int d, int a, int b, int t, int u)
{
	if (issub && (lane == 2 || x86feat.avx512)) {
		v3(c, v_umin[lane], t, a, b);
		v3(c, v_sub[lane], d, a, t);
	} else if (issub) {            /* (a - b) & (a > b) */
		vcompare(c, R_GTU, lane, t, a, b, t, u);
		v3(c, v_sub[lane], u, a, b);
		v3(c, V_PAND, d, t, u);
	} else if (lane == 2 || x86feat.avx512) {
		vnot(c, t, b);         /* min(a, ~b) + b */
		v3(c, v_umin[lane], t, t, a);
		v3(c, v_add[lane], d, t, b);
	} else {                       /* carry: sign of (a & b) | ((a | b) & ~sum) */
		v3(c, v_add[lane], d, a, b);
		v3(c, V_POR, t, a, b);
		v3(c, V_PANDN, t, d, t);
		v3(c, V_PAND, u, a, b);
		v3(c, V_POR, t, t, u);
		vsign64(c, t, t);
		v3(c, V_POR, d, d, t);
	}
}

/* Signed: overflow shows in the sign of (a ^ s) & (b ^ s), for a difference (a ^ b) & (a ^ s); the
 * result is then the extreme of a's sign.  d is a register of its own. */
static void
ssat(struct code *c, int issub, int lane, int d, int a, int b, int t, int u)
{
	int w = 8 << lane;

	v3(c, (issub ? v_sub : v_add)[lane], d, a, b);
	v3(c, V_PXOR, t, a, d);
	v3(c, V_PXOR, u, b, issub ? a : d);
	v3(c, V_PAND, t, t, u);        /* sign: overflowed */
	if (lane == 2) {
		vshi(c, VSH_RA, 32, t, t, 31);
		vshi(c, VSH_RA, 32, u, a, 31);
	} else if (x86feat.avx512) {
		vshi(c, VSH_RA, 64, t, t, 63);
		vshi(c, VSH_RA, 64, u, a, 63);
	} else {
		vsign64(c, t, t);
		vsign64(c, u, a);
	}
	v3m(c, V_PXOR, u, u, krep(((u64)1 << (w - 1)) - 1, w));
	vblend(c, d, t, u, d);
}

int
ev_sat(struct x86 *x, const struct ins *i)
{
	static const u32 op[2][2][2] = {
		{{V_PADDUSB, V_PADDUSW}, {V_PADDSB, V_PADDSW}},
		{{V_PSUBUSB, V_PSUBUSW}, {V_PSUBSB, V_PSUBSW}},
	};
	int issub = i->op == O_uqsub || i->op == O_sqsub, s = i->op == O_sqadd || i->op == O_sqsub;
	int lane = lanelog(i->ty);

	if (!intlanes(i))
		return 0;
	if (lane < 2)
		return one(x, i, op[issub][s][lane]);
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), u = xv_tmp(x);

	(s ? ssat : usat)(&x->a, issub, lane, xv_defx(x, (ref)x->i), a, b, t, u);
	return 1;
}

/* Mixed signs.  suqadd: with a's top bit turned it is unsigned.  usqadd: what is positive in b is
 * added, what is negative subtracted. */
int
ev_mixsat(struct x86 *x, const struct ins *i)
{
	int lane = lanelog(i->ty), w = ty_lanebits(i->ty);
	struct code *c = &x->a;

	if (!intlanes(i) || lane > 1)
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), u = xv_tmp(x);
	int d = xv_defx(x, (ref)x->i);

	if (i->op == O_suqadd) {
		v3m(c, V_PXOR, t, a, krep(topbit(i->ty), w));
		v3(c, lane ? V_PADDUSW : V_PADDUSB, t, t, b);
		v3m(c, V_PXOR, d, t, krep(topbit(i->ty), w));
		return 1;
	}
	vzero(c, t);
	v3(c, v_smin[lane], d, b, t);
	v3(c, v_sub[lane], d, t, d);
	v3(c, v_smax[lane], u, b, t);
	v3(c, lane ? V_PADDUSW : V_PADDUSB, u, u, a);
	v3(c, lane ? V_PSUBUSW : V_PSUBUSB, d, u, d);
	return 1;
}
