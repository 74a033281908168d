/* SPDX-License-Identifier: MIT */
/* vecperm.c - vectors: moving lanes about, to and from integers, widening and narrowing */
#include "backend/x86_64/vec.h"

static int lanes_ok(const struct ins *i) { return isv128(i) && ty_lanebits(i->ty) <= 64; }

/* -- from integers -- */

static void
broadcast_const(struct code *c, int d, u64 v, int bits)
{
	v = rep(v, bits);
	if (v == 0)
		vzero(c, d);
	else if (v == ~(u64)0)
		vones(c, d);
	else
		v2m(c, V_MOVAPS, d, xv_const(v, v));
}

/* lane n to all */
static void
broadcast(struct code *c, int lane, int d, int a, int n)
{
	static const u32 op[4] = {V_PBROADCASTB, V_PBROADCASTW, V_PBROADCASTD, V_PBROADCASTQ};

	if (n == 0 && x86feat.avx2)
		v2(c, op[lane], d, a);
	else if (lane >= 2)
		v2i(c, V_PSHUFD, d, a, lane == 3 ? (n ? 0xee : 0x44) : n * 0x55);
	else
		v3m(c, V_PSHUFB, d, a, krep(lane ? (u64)(0x0100 + n * 0x0202) : (u64)(n * 0x0101), 16));
}

int
ev_dup(struct x86 *x, const struct ins *i)
{
	static const u32 op[4] = {V_PBROADCASTB_R, V_PBROADCASTW_R, V_PBROADCASTD_R, V_PBROADCASTQ_R};
	int lane = lanelog(i->ty), s, d;
	struct code *c = &x->a;

	if (!lanes_ok(i))
		return 0;
	if (isk(i->a)) {
		broadcast_const(c, xv_def(x, (ref)x->i), kval(x->r, i->a), ty_lanebits(i->ty));
		return 1;
	}
	if (x->val[i->a].flags & VAL_FOLD) {   /* movfi */
		s = xv_use(x, x->r->ins[i->a].a);
		broadcast(c, lane, xv_def(x, (ref)x->i), s, 0);
		return 1;
	}
	s = xr_use(x, i->a, lane == 3 ? 64 : 32);
	d = xv_def(x, (ref)x->i);
	if (x86feat.avx512) {
		v2(c, op[lane], d, s);
		return 1;
	}
	v2(c, lane == 3 ? V_MOVQ : V_MOVD, d, s);
	broadcast(c, lane, d, d, 0);
	return 1;
}

int
ev_duplane(struct x86 *x, const struct ins *i)
{
	if (!lanes_ok(i))
		return 0;
	struct regs3 r = use1(x, i);

	broadcast(&x->a, lanelog(i->ty), r.d, r.a, i->v);
	return 1;
}

int
ev_vfromi(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->ty), s;

	if (!isv128(i))
		return 0;
	if (isk(i->a)) {
		u64 v = kval(x->r, i->a);
		if (w < 64)
			v &= ((u64)1 << w) - 1;
		int d = xv_def(x, (ref)x->i);
		if (v)
			v2m(&x->a, V_MOVAPS, d, xv_const(v, 0));
		else
			vzero(&x->a, d);
		return 1;
	}
	s = xr_use(x, i->a, w >= 64 ? 64 : 32);
	if (w < 32) {
		int t = xr_tmp(x);
		movzx_rr(&x->a, w, t, s);
		s = t;
	}
	v2(&x->a, w >= 64 ? V_MOVQ : V_MOVD, xv_def(x, (ref)x->i), s);
	return 1;
}

int
ev_vpair(struct x86 *x, const struct ins *i)
{
	if (!isv128(i))
		return 0;
	int a = xr_use(x, i->a, 64), b = xr_use(x, i->b, 64), d = xv_def(x, (ref)x->i);

	v2(&x->a, V_MOVQ, d, a);
	v3g(&x->a, V_PINSRQ, d, d, b);
	put1(&x->a, 1);
	return 1;
}

int
ev_ins(struct x86 *x, const struct ins *i)
{
	static const u32 op[4] = {V_PINSRB, V_PINSRW, V_PINSRD, V_PINSRQ};
	int lane = lanelog(i->ty);

	if (!lanes_ok(i))
		return 0;
	int a = xv_use(x, i->a), b = xr_use(x, i->b, lane == 3 ? 64 : 32), d = xv_def(x, (ref)x->i);

	v3g(&x->a, op[lane], d, a, b);
	put1(&x->a, i->v);
	return 1;
}

/* lane `to` of d = lane `from` of b, the rest of a */
static void
insert_lane(struct x86 *x, int lane, int d, int a, int b, int to, int from)
{
	static const u32 ext[3] = {V_PEXTRB, V_PEXTRW, V_PEXTRD}, ins[3] = {V_PINSRB, V_PINSRW, V_PINSRD};
	struct code *c = &x->a;

	if (lane == 3) {               /* shufpd takes the low half from its first operand */
		if (to == 1)
			v3i(c, V_SHUFPD, d, a, b, from << 1);
		else
			v3i(c, V_SHUFPD, d, b, a, from | 2);
	} else if (lane == 2 && (x86feat.avx || d != b)) {     /* from memory it takes no lane number */
		v3i(c, V_INSERTPS, d, a, b, from << 6 | to << 4);
	} else {
		int g = xr_tmp(x);
		v2i(c, ext[lane], b, g, from);
		v3g(c, ins[lane], d, a, g);
		put1(c, (u32)to);
	}
}

int
ev_inslane(struct x86 *x, const struct ins *i)
{
	if (!lanes_ok(i))
		return 0;
	struct regs3 r = use2(x, i);

	insert_lane(x, lanelog(i->ty), r.d, r.a, r.b, i->v, i->imm);
	return 1;
}

/* -- to integers -- */

int
ev_umov(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->v), n = i->imm;
	struct code *c = &x->a;

	if (w > 64 || n < 0 || n * w >= 128)
		return 0;
	int a = xv_use(x, i->a), d = xr_def(x, (ref)x->i);

	if ((w >= 32 || i->op == O_smov) && n == 0)
		v2(c, w == 64 ? V_MOVQ_ST : V_MOVD_ST, a, d);
	else
		v2i(c, w == 64 ? V_PEXTRQ : w == 32 ? V_PEXTRD : w == 16 ? V_PEXTRW : V_PEXTRB, a, d, n);
	if (i->op == O_smov && w < 64)
		movsx_rr(c, w, 64, d, d);
	return 1;
}

int
ev_signs(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->v);
	struct code *c = &x->a;

	if (w > 64 || ty_bits(i->v) != 128)
		return 0;
	int a = xv_use(x, i->a), s = w == 16 || isvhi(a) ? xv_tmp(x) : a, d = xr_def(x, (ref)x->i);

	if (w == 16)
		v3(c, V_PACKSSWB, s, a, a);
	else if (s != a)
		vmov(c, s, a);
	v2(c, w == 64 ? V_MOVMSKPD : w == 32 ? V_MOVMSKPS : V_PMOVMSKB, d, s);
	if (w == 16)
		movzx_rr(c, 8, d, d);
	return 1;
}

/* -- two vectors interleaved -- */

int
ev_zip(struct x86 *x, const struct ins *i)
{
	static const u32 op[2][4] = {
		{V_PUNPCKLBW, V_PUNPCKLWD, V_PUNPCKLDQ, V_PUNPCKLQDQ},
		{V_PUNPCKHBW, V_PUNPCKHWD, V_PUNPCKHDQ, V_PUNPCKHQDQ},
	};
	int lane = i->op == O_vcat ? 3 : lanelog(i->ty);

	if (!isv128(i) || lane > 3)
		return 0;
	struct regs3 r = use2(x, i);

	v3(&x->a, op[i->op == O_zip2][lane], r.d, r.a, r.b);
	return 1;
}

int
ev_uzp(struct x86 *x, const struct ins *i)
{
	int lane = lanelog(i->ty), odd = i->op == O_uzp2;
	struct code *c = &x->a;

	if (!lanes_ok(i))
		return 0;
	if (lane >= 2) {
		struct regs3 r = use2(x, i);
		if (lane == 2)
			v3i(c, V_SHUFPS, r.d, r.a, r.b, odd ? 0xdd : 0x88);
		else
			v3(c, odd ? V_PUNPCKHQDQ : V_PUNPCKLQDQ, r.d, r.a, r.b);
		return 1;
	}
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), u = a == b ? t : xv_tmp(x), d = xv_def(x, (ref)x->i);
	int w = lane ? 32 : 16;

	if (odd) {
		vshi(c, VSH_R, w, t, a, w / 2);
		if (u != t)
			vshi(c, VSH_R, w, u, b, w / 2);
	} else {
		struct mem low = krep(lane ? 0xffff : 0xff, w);
		v3m(c, V_PAND, t, a, low);
		if (u != t)
			v3m(c, V_PAND, u, b, low);
	}
	v3(c, lane ? V_PACKUSDW : V_PACKUSWB, d, t, u);
	return 1;
}

/* One of the two is shifted into place, the other masked, merged with or. */
int
ev_trn(struct x86 *x, const struct ins *i)
{
	int lane = lanelog(i->ty), odd = i->op == O_trn2, w = ty_lanebits(i->ty);
	struct code *c = &x->a;

	if (!lanes_ok(i))
		return 0;
	if (lane == 3) {
		struct regs3 r = use2(x, i);
		v3(c, odd ? V_PUNPCKHQDQ : V_PUNPCKLQDQ, r.d, r.a, r.b);
		return 1;
	}
	int a = xv_use(x, i->a), b = xv_use(x, i->b);
	int shifted = odd ? a : b, kept = odd ? b : a;
	u64 low = ((u64)1 << w) - 1;
	struct mem mask = krep(odd ? low << w : low, 2 * w);
	int t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	vshi(c, odd ? VSH_R : VSH_L, 2 * w, t, shifted, w);
	if (x86feat.avx512) {          /* t | (kept & mask) */
		v_rm(c, V_TERNLOG, t, kept, mask, 1);
		put1(c, 0xf8);
		vmov(c, d, t);
	} else if (lane > 0) {
		int high = lane == 2 ? 0xcc : 0xaa;
		v3i(c, V_PBLENDW, d, kept, t, odd ? high ^ 0xff : high);
	} else {
		v3m(c, V_PAND, d, kept, mask);
		v3(c, V_POR, d, d, t);
	}
	return 1;
}

/* -- bytes at large -- */

int
ev_vext(struct x86 *x, const struct ins *i)
{
	if (!isv128(i) || i->imm < 0 || i->imm > 16)
		return 0;
	struct regs3 r = i->b ? use2(x, i) : use1(x, i);

	if (i->b)
		v3i(&x->a, V_PALIGNR, r.d, r.b, r.a, i->imm);
	else
		vshdq(&x->a, 0, r.d, r.a, i->imm);
	return 1;
}

int
ev_vrev(struct x86 *x, const struct ins *i)
{
	int w = ty_lanebits(i->ty) / 8, group = i->imm / 8;
	u8 at[16];

	if (!lanes_ok(i) || group < w)
		return 0;
	struct regs3 r = use1(x, i);

	if (w == 4 && group == 8) {
		v2i(&x->a, V_PSHUFD, r.d, r.a, 0xb1);
		return 1;
	}
	for (int n = 0; n < 16; n++) {
		int base = n / group * group, in = n % group;
		at[n] = (u8)(base + (group / w - 1 - in / w) * w + in % w);
	}
	v3m(&x->a, V_PSHUFB, r.d, r.a, xv_const(ld64(at), ld64(at + 8)));
	return 1;
}

int
ev_tbl(struct x86 *x, const struct ins *i)
{
	if (!isv128(i))
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	v3m(&x->a, V_PADDUSB, t, b, krep(0x70, 8));    /* above 15: bit 7 set, which pshufb zeroes */
	v3(&x->a, V_PSHUFB, d, a, t);
	return 1;
}

int
ev_vlow(struct x86 *x, const struct ins *i)
{
	int n = i->imm;

	if (!isv128(i) || n <= 0 || n > 128 || n & 7)
		return 0;
	struct regs3 r = use1(x, i);

	if (n == 128)
		vmov(&x->a, r.d, r.a);
	else if (n == 64)
		v2(&x->a, V_MOVQX, r.d, r.a);
	else if (n == 32)
		v3i(&x->a, V_INSERTPS, r.d, r.a, r.a, 0x0e);
	else
		v3m(&x->a, V_PAND, r.d, r.a, n < 64 ? xv_const(((u64)1 << n) - 1, 0) :
		    xv_const(~(u64)0, ((u64)1 << (n - 64)) - 1));
	return 1;
}

/* -- widening and narrowing by a factor of two -- */

static int
widens(const struct ins *i, int wide, int narrow)
{
	return isv128(i) && ty_lanebits(wide) <= 64 && ty_lanebits(wide) == 2 * ty_lanebits(narrow);
}

int
ev_widen(struct x86 *x, const struct ins *i)
{
	static const u32 low[2][3] = {{V_PMOVZXBW, V_PMOVZXWD, V_PMOVZXDQ}, {V_PMOVSXBW, V_PMOVSXWD, V_PMOVSXDQ}};
	static const u32 high[3] = {V_PUNPCKHBW, V_PUNPCKHWD, V_PUNPCKHDQ};
	int lane = lanelog(i->v), s = i->op == O_vsxt;

	if (!widens(i, i->ty, i->v))
		return 0;
	if (!i->imm) {
		struct regs3 r = use1(x, i);
		v2(&x->a, low[s][lane], r.d, r.a);
		return 1;
	}
	int a = xv_use(x, i->a), t = xv_tmp(x), d = xv_def(x, (ref)x->i);

	if (s) {
		v2i(&x->a, V_PSHUFD, t, a, 0xee);
		v2(&x->a, low[1][lane], d, t);
	} else {
		vzero(&x->a, t);
		v3(&x->a, high[lane], d, a, t);
	}
	return 1;
}

/* pshufb pattern that gathers the low halves of the lanes in the low half */
static struct mem
even_bytes(int wide)
{
	int n = wide / 16;
	u8 at[16];

	memset(at, 0x80, sizeof at);
	for (int k = 0; k < 8; k++)
		at[k] = (u8)(k / n * 2 * n + k % n);
	return xv_const(ld64(at), ld64(at + 8));
}

int
ev_narrow(struct x86 *x, const struct ins *i)
{
	static const u32 op[3] = {V_PMOVWB, V_PMOVDW, V_PMOVQD};

	if (!widens(i, i->v, i->ty))
		return 0;
	struct regs3 r = use1(x, i);

	if (x86feat.avx512)
		v2(&x->a, op[lanelog(i->ty)], r.a, r.d);
	else
		v3m(&x->a, V_PSHUFB, r.d, r.a, even_bytes(ty_lanebits(i->v)));
	return 1;
}

/* 64 to 32 bits without AVX-512: how is that of vqnarrow.  d is a register of its own. */
static void
qnarrow64(struct code *c, int how, int d, int a, int t)
{
	vshi(c, VSH_RA, 32, t, a, 31);
	if (how == 0) {                /* fits: the high word is the low one's sign */
		v2i(c, V_PSHUFD, d, t, 0xa0);
		v3(c, V_PCMPEQD, d, d, a);
		v2i(c, V_PSHUFD, d, d, 0xf5);          /* mask: fits */
		v2i(c, V_PSHUFD, t, t, 0xf5);
		v3m(c, V_PXOR, t, t, krep(0x7fffffff, 32));
		v3(c, V_PXOR, t, t, a);                /* a if it fits, else the extreme */
		v3(c, V_PANDN, d, d, t);
		v3(c, V_PXOR, d, d, a);
	} else {                       /* fits: the high word is 0 */
		vzero(c, d);
		v3(c, V_PCMPEQD, d, d, a);
		vnot(c, d, d);
		v2i(c, V_PSHUFD, d, d, 0xf5);
		v3(c, V_POR, d, d, a);
		if (how == 2) {        /* negative: 0 */
			v2i(c, V_PSHUFD, t, t, 0xf5);
			v3(c, V_PANDN, d, t, d);
		}
	}
	v3m(c, V_PSHUFB, d, d, even_bytes(64));
}

int
ev_qnarrow(struct x86 *x, const struct ins *i)
{
	static const u32 packs[2] = {V_PACKSSWB, V_PACKSSDW}, packu[2] = {V_PACKUSWB, V_PACKUSDW};
	int lane = lanelog(i->ty), how = i->imm;
	struct code *c = &x->a;

	if (!widens(i, i->v, i->ty))
		return 0;
	int a = xv_use(x, i->a), t = xv_tmp(x), d = xv_defx(x, (ref)x->i);

	if (lane == 2 && !x86feat.avx512) {
		qnarrow64(c, how, d, a, t);
	} else if (lane == 2) {
		if (how == 2) {
			vzero(c, t);
			v3(c, V_PMAXSQ, t, t, a);
		}
		v2(c, how ? V_PMOVUSQD : V_PMOVSQD, how == 2 ? t : a, d);
	} else {
		if (how == 1)
			v3m(c, lane ? V_PMINUD : V_PMINUW, d, a, krep(lane ? 0xffff : 0xff, lane ? 32 : 16));
		vzero(c, t);
		v3(c, (how ? packu : packs)[lane], d, how == 1 ? d : a, t);
	}
	return 1;
}
