/* SPDX-License-Identifier: MIT */
/* vecmisc.c - vectors: sums and extremes across lanes, bit counting, polynomials, dot products, AES */
#include "backend/x86_64/vec.h"

/* -- across lanes: fold halves upon each other until one is left -- */

static struct mem lowlane(int w) { return xv_const(w == 64 ? ~(u64)0 : ((u64)1 << w) - 1, 0); }

static void
fold(struct code *c, u32 op, int w, int d, int t)
{
	v2i(c, V_PSHUFD, t, d, 0x4e);
	v3(c, op, d, d, t);
	if (w <= 32) {
		v2i(c, V_PSHUFD, t, d, 0xb1);
		v3(c, op, d, d, t);
	}
	if (w == 16) {
		v2i(c, V_PSHUFLW, t, d, 0xb1);
		v3(c, op, d, d, t);
	}
}

static void
sum8(struct code *c, int d, int t)
{
	vzero(c, t);
	v3(c, V_PSADBW, d, d, t);
	v2i(c, V_PSHUFD, t, d, 0x4e);
	v3(c, V_PADDQ, d, d, t);
}

/* Bytes and words: phminposuw finds the least unsigned word; the others by turning bits. */
static void
extreme(struct code *c, enum vred how, int w, int d, int t)
{
	u64 top = (u64)1 << (w - 1), all = top * 2 - 1;
	u64 turn = how == VRED_UMIN ? 0 : how == VRED_UMAX ? all : how == VRED_SMIN ? top : all ^ top;

	if (turn)
		v3m(c, V_PXOR, d, d, krep(turn, w));
	if (w == 8) {                  /* the lesser of two neighbours, as a word */
		vshi(c, VSH_R, 16, t, d, 8);
		v3(c, V_PMINUB, d, d, t);
	}
	v2(c, V_PHMINPOSUW, d, d);     /* the index is above the word */
	if (turn)
		v3m(c, V_PXOR, d, d, krep(turn, w));
}

/* Whether nothing but lane 0 of the result is looked at, by the next instruction. */
static int
onlylane(const struct x86 *x, int w)
{
	const struct ins *next = &x->r->ins[x->i + 1];

	return x->i + 1 < x->b->first + x->b->n && (next->op == O_umov || next->op == O_smov) && next->a == x->i &&
	    next->imm == 0 && ty_lanebits(next->v) <= w && x->val[x->i].last == x->i + 1;
}

int
ev_vred(struct x86 *x, const struct ins *i)
{
	static const u32 *const op[] = {[VRED_ADD] = v_add, [VRED_SMIN] = v_smin, [VRED_SMAX] = v_smax,
	    [VRED_UMIN] = v_umin, [VRED_UMAX] = v_umax};
	int w = ty_lanebits(i->ty), isadd = i->imm == VRED_ADD;
	struct code *c = &x->a;

	if (!isv128(i) || ty_lane(i->ty) > I64 || (w == 64 && !isadd && !x86feat.avx512))
		return 0;
	int t = xv_tmp(x), d = xv_copy(x, i->a);

	if (w == 8 && isadd)
		sum8(c, d, t);
	else if (w <= 16 && !isadd)
		extreme(c, (enum vred)i->imm, w, d, t);
	else
		fold(c, op[i->imm][lanelog(i->ty)], w, d, t);
	if (onlylane(x, w))
		xv_set(x, (ref)x->i, d);
	else
		v3m(c, V_PAND, xv_def(x, (ref)x->i), d, lowlane(w));
	return 1;
}

int
ev_usad(struct x86 *x, const struct ins *i)
{
	struct regs3 r;

	if (!isv128(i))
		return 0;
	r = use2(x, i);
	v3(&x->a, V_PSADBW, r.d, r.a, r.b);
	return 1;
}

/* -- counting bits: tables of 16 entries for pshufb, by low and high half byte -- */

struct nibbles { u64 low[2], high[2]; u32 join; };

static const struct nibbles popcnt8 = {
	{0x0302020102010100, 0x0403030203020201}, {0x0302020102010100, 0x0403030203020201}, V_PADDB,
};
static const struct nibbles clz8 = {   /* the lesser one: the low half counts where the high one is 0 */
	{0x0505050506060708, 0x0404040404040404}, {0x0101010102020308, 0}, V_PMINUB,
};
static const struct nibbles rbit8 = {
	{0xe060a020c0408000, 0xf070b030d0509010}, {0x0e060a020c040800, 0x0f070b030d050901}, V_POR,
};

/* d is not a */
static void
by_nibbles(struct code *c, const struct nibbles *n, int d, int a, int t, int u)
{
	v3m(c, V_PAND, t, a, krep(0x0f, 8));
	v2m(c, V_MOVAPS, u, xv_const(n->low[0], n->low[1]));
	v3(c, V_PSHUFB, u, u, t);
	vshi(c, VSH_R, 16, t, a, 4);
	v3m(c, V_PAND, t, t, krep(0x0f, 8));
	v2m(c, V_MOVAPS, d, xv_const(n->high[0], n->high[1]));
	v3(c, V_PSHUFB, d, d, t);
	v3(c, n->join, d, d, u);
}

int
ev_popcnt(struct x86 *x, const struct ins *i)
{
	if (!isv128(i) || ty_lane(i->ty) != I8)
		return 0;
	if (x86feat.avx512 && x86feat.bitalg) {
		struct regs3 r = use1(x, i);
		v2(&x->a, V_POPCNTB, r.d, r.a);
		return 1;
	}
	int a = xv_use(x, i->a), t = xv_tmp(x), u = xv_tmp(x);

	by_nibbles(&x->a, &popcnt8, xv_defx(x, (ref)x->i), a, t, u);
	return 1;
}

int
ev_rbit(struct x86 *x, const struct ins *i)
{
	if (!isv128(i) || ty_lane(i->ty) != I8)
		return 0;
	if (x86feat.gfni && x86feat.avx) {
		struct regs3 r = use1(x, i);
		v3mi(&x->a, V_GF2P8AFFINE, r.d, r.a, krep(0x8040201008040201, 64), 0);
		return 1;
	}
	int a = xv_use(x, i->a), t = xv_tmp(x), u = xv_tmp(x);

	by_nibbles(&x->a, &rbit8, xv_defx(x, (ref)x->i), a, t, u);
	return 1;
}

/* Leading zeros of the halves of each lane, joined: the upper one's, plus the lower one's where the
 * upper half is zero altogether. */
static void
join_clz(struct code *c, int w, int d, int t)
{
	int lane = w == 16 ? 0 : w == 32 ? 1 : 2;

	v2m(c, V_MOVAPS, t, krep((u64)w / 2, w / 2));
	vcompare(c, R_EQ, lane, t, t, d, 0, 0);
	vshi(c, VSH_R, w, t, t, w / 2);
	v3(c, V_PAND, t, t, d);
	vshi(c, VSH_R, w, d, d, w / 2);
	v3(c, v_add[lane + 1], d, d, t);
}

/* d is not a */
static void
count_leading(struct code *c, int w, int d, int a, int t, int u)
{
	if (w >= 32 && x86feat.avx512) {
		v2(c, w == 32 ? V_PLZCNTD : V_PLZCNTQ, d, a);
		return;
	}
	by_nibbles(c, &clz8, d, a, t, u);
	for (int k = 16; k <= w; k *= 2)
		join_clz(c, k, d, t);
}

int
ev_clz(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->ty), lane = lanelog(i->ty), v, d;
	struct code *c = &x->a;

	if (!isv128(i) || w > 64)
		return 0;
	int a = xv_use(x, i->a), t = xv_tmp(x), u = xv_tmp(x);

	if (i->op == O_clz) {
		count_leading(c, w, xv_defx(x, (ref)x->i), a, t, u);
		return 1;
	}
	v = xv_tmp(x);                 /* cls: of a ^ sign, and one less */
	d = xv_defx(x, (ref)x->i);
	if (w == 8 || (w == 64 && !x86feat.avx512)) {
		vzero(c, t);
		vcompare(c, R_GTS, lane, t, t, a, 0, 0);
	} else {
		vshi(c, VSH_RA, w, t, a, w - 1);
	}
	v3(c, V_PXOR, v, a, t);
	count_leading(c, w, d, v, t, u);
	vones(c, t);
	v3(c, v_add[lane], d, d, t);
	return 1;
}

/* -- polynomials -- */

int
ev_pmull(struct x86 *x, const struct ins *i)
{
	if (!isv128(i) || ty_lane(i->v) != I64 || !x86feat.clmul)
		return 0;
	int evex = x86feat.avx512 && x86feat.vpclmul;
	int a = evex ? xv_use(x, i->a) : xv_low(x, i->a), b = evex ? xv_use(x, i->b) : xv_low(x, i->b);
	int d = evex ? xv_def(x, (ref)x->i) : xv_deflow(x, (ref)x->i);

	v3i(&x->a, V_PCLMULQDQ, d, a, b, i->imm ? 0x11 : 0);
	return 1;
}

/* 64-bit integers, through vector registers */
int
ev_clmul(struct x86 *x, const struct ins *i)
{
	struct code *c = &x->a;

	if (i->ty != I64 || !x86feat.clmul)
		return 0;
	int a = xr_use(x, i->a, 64), b = xr_use(x, i->b, 64), t = xv_tmp(x), u = xv_tmp(x);
	int d = xr_def(x, (ref)x->i);

	v2(c, V_MOVQ, t, a);
	v2(c, V_MOVQ, u, b);
	v3i(c, V_PCLMULQDQ, t, t, u, 0);
	if (i->op == O_clmulh)
		v2i(c, V_PEXTRQ, t, d, 1);
	else
		v2(c, V_MOVQ_ST, t, d);
	return 1;
}

/* -- dot products: even bytes as words, then odd ones -- */

static void
bytes_as_words(struct code *c, int sign, int odd, int d, int a)
{
	if (sign && !odd) {
		vshi(c, VSH_L, 16, d, a, 8);
		a = d;
	}
	if (sign || odd)
		vshi(c, sign ? VSH_RA : VSH_R, 16, d, a, 8);
	else
		v3m(c, V_PAND, d, a, krep(0xff, 16));
}

int
ev_dot(struct x86 *x, const struct ins *i)
{
	struct mem even = vstash(1);
	int s = i->op == O_sdot;
	struct code *c = &x->a;

	if (!isv128(i))
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b), add = xv_use(x, i->c), t = xv_tmp(x);
	int d = xv_defx(x, (ref)x->i);

	bytes_as_words(c, s, 0, d, a);
	bytes_as_words(c, s, 0, t, b);
	v3(c, V_PMADDWD, d, d, t);
	v_rm(c, V_MOVAPS_ST, d, 0, even, 0);
	bytes_as_words(c, s, 1, d, a);
	bytes_as_words(c, s, 1, t, b);
	v3(c, V_PMADDWD, d, d, t);
	v3(c, V_PADDD, d, d, add);
	v3m(c, V_PADDD, d, d, even);
	return 1;
}

/* -- AES -- */

/* the key that x86 adds is 0 */
int
ev_aes(struct x86 *x, const struct ins *i)
{
	static const u32 op[] = {[O_aese] = V_AESENCLAST, [O_aesd] = V_AESDECLAST, [O_aesenc] = V_AESENC,
		[O_aesdec] = V_AESDEC};
	int evex = x86feat.avx512 && x86feat.vaes;
	struct code *c = &x->a;

	if (!isv128(i) || !x86feat.aes)
		return 0;
	int a = evex ? xv_use(x, i->a) : xv_low(x, i->a), t = xv_tmp(x);
	int d = evex ? xv_def(x, (ref)x->i) : xv_deflow(x, (ref)x->i);

	vzero(c, t);
	if (i->op == O_aesmc) {        /* MixColumns = a round without the others */
		v3(c, V_AESDECLAST, d, a, t);
		v3(c, V_AESENC, d, d, t);
	} else {
		v3(c, op[i->op], d, a, t);
	}
	return 1;
}

int
ev_aesimc(struct x86 *x, const struct ins *i)
{
	if (!isv128(i) || !x86feat.aes)
		return 0;
	int a = xv_low(x, i->a);       /* there is no EVEX form */

	v2(&x->a, V_AESIMC, xv_deflow(x, (ref)x->i), a);
	return 1;
}
