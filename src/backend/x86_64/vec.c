/* SPDX-License-Identifier: MIT */
/* vec.c - vectors: the table of emitters, moves, loads and stores, logic, comparison */
#include "backend/x86_64/vec.h"

const struct sel x86_vsel[O_COUNT] = {
#define SEL(op, fn, fl) [O_##op] = {fn, fl},
#include "backend/x86_64/vsel.def"
#undef SEL
};

const u32 v_add[4] = {V_PADDB, V_PADDW, V_PADDD, V_PADDQ};
const u32 v_sub[4] = {V_PSUBB, V_PSUBW, V_PSUBD, V_PSUBQ};
const u32 v_smin[4] = {V_PMINSB, V_PMINSW, V_PMINSD, V_PMINSQ};
const u32 v_smax[4] = {V_PMAXSB, V_PMAXSW, V_PMAXSD, V_PMAXSQ};
const u32 v_umin[4] = {V_PMINUB, V_PMINUW, V_PMINUD, V_PMINUQ};
const u32 v_umax[4] = {V_PMAXUB, V_PMAXUW, V_PMAXUD, V_PMAXUQ};
static const u32 v_eq[4] = {V_PCMPEQB, V_PCMPEQW, V_PCMPEQD, V_PCMPEQQ};
static const u32 v_gt[4] = {V_PCMPGTB, V_PCMPGTW, V_PCMPGTD, V_PCMPGTQ};

void
vzero(struct code *a, int d)
{
	v3(a, V_PXOR, d, d, d);
}

void
vones(struct code *a, int d)
{
	if (isvhi(d)) {
		v_rr(a, V_TERNLOG, d, d, d);
		put1(a, 0xff);
	} else {
		v3(a, V_PCMPEQD, d, d, d);
	}
}

void
vnot(struct code *a, int d, int s)
{
	if (x86feat.avx512) {
		v_rr(a, V_TERNLOG, d, s, s);
		put1(a, 0x55);
	} else {
		v3m(a, V_PXOR, d, s, xv_const(~(u64)0, ~(u64)0));
	}
}

static void
blend_ternlog(struct code *a, int d, int mask, int t, int f)
{
	if (d == t) {
		v_rr(a, V_TERNLOG, d, mask, f);
		put1(a, 0xe2);         /* B ? A : C */
	} else if (d == f) {
		v_rr(a, V_TERNLOG, d, mask, t);
		put1(a, 0xb8);         /* B ? C : A */
	} else {
		vmov(a, d, mask);
		v_rr(a, V_TERNLOG, d, t, f);
		put1(a, 0xca);         /* A ? B : C */
	}
}

void
vblend(struct code *a, int d, int mask, int t, int f)
{
	if (x86feat.avx512) {
		blend_ternlog(a, d, mask, t, f);
	} else if (x86feat.avx) {
		v_rr(a, V_PBLENDVB, d, f, t);
		put1(a, (u32)mask << 4);
	} else if (d == f && d != t) {
		v3(a, V_PXOR, d, d, t);        /* ~m & (f ^ t) ^ t */
		v3(a, V_PANDN, mask, mask, d);
		v3(a, V_PXOR, d, mask, t);
	} else {
		vmov(a, d, t);
		v3(a, V_PXOR, d, d, f);
		v3(a, V_PAND, d, d, mask);
		v3(a, V_PXOR, d, d, f);
	}
}

/* -- comparison -- */

/* AVX-512: to k2, then to lanes */
static int
compare_mask(struct code *a, int rel, int lane, int d, int s, int b)
{
	static const u32 cmp[2][4] = {{VK_CMPUB, VK_CMPUW, VK_CMPUD, VK_CMPUQ}, {VK_CMPB, VK_CMPW, VK_CMPD, VK_CMPQ}};
	static const u32 test[2][4] = {{VK_TESTB, VK_TESTW, VK_TESTD, VK_TESTQ}, {VK_TESTNB, VK_TESTNW, VK_TESTND, VK_TESTNQ}};
	static const u32 expand[4] = {V_PMOVM2B, V_PMOVM2W, V_PMOVM2D, V_PMOVM2Q};
	static const u8 imm[] = {[R_EQ] = 0, [R_NE] = 4, [R_LTU] = 1, [R_GEU] = 5, [R_LTS] = 1, [R_GES] = 5,
	    [R_LEU] = 2, [R_GTU] = 6, [R_LES] = 2, [R_GTS] = 6};

	if (rel == R_TST || rel == R_NTST) {
		v_rr(a, test[rel == R_NTST][lane], 2, s, b);
	} else {
		v_rr(a, cmp[rel == R_LTS || rel == R_GES || rel == R_LES || rel == R_GTS][lane], 2, s, b);
		put1(a, imm[rel]);
	}
	v_rr(a, expand[lane], d, 0, 2);
	return 1;
}

/* The complement of rel is cheaper where this holds: then the result is inverted. */
static int
compare_base(struct code *a, int rel, int lane, int d, int s, int b, int t, int u)
{
	switch (rel) {
	case R_EQ: case R_NE:
		v3(a, v_eq[lane], d, s, b);
		return rel == R_NE;
	case R_GTS: case R_LES:
		v3(a, v_gt[lane], d, s, b);
		return rel == R_LES;
	case R_LTS: case R_GES:
		v3(a, v_gt[lane], d, b, s);
		return rel == R_GES;
	case R_TST: case R_NTST:
		v3(a, V_PAND, t, s, b);
		vzero(a, u);
		v3(a, v_eq[lane], d, t, u);
		return rel == R_TST;
	}
	int flip = rel == R_LTU || rel == R_GEU;       /* b > a */

	if (lane == 3) {
		v2m(a, V_MOVAPS, t, krep((u64)1 << 63, 64));
		v3(a, V_PXOR, u, t, b);
		v3(a, V_PXOR, t, t, s);
		v3(a, V_PCMPGTQ, d, flip ? u : t, flip ? t : u);
		return rel == R_GEU || rel == R_LEU;
	}
	v3(a, (flip ? v_umax : v_umin)[lane], t, s, b);
	v3(a, v_eq[lane], d, t, s);    /* a >= b, a <= b */
	return rel == R_LTU || rel == R_GTU;
}

void
vcompare(struct code *a, int rel, int lane, int d, int s, int b, int t, int u)
{
	int one = rel == R_EQ || rel == R_GTS || rel == R_LTS;

	if (x86feat.avx512 && (!one || isvhi(d) || isvhi(s) || isvhi(b)))
		compare_mask(a, rel, lane, d, s, b);
	else if (compare_base(a, rel, lane, d, s, b, t, u))
		vnot(a, d, d);
}

int
ev_vset(struct x86 *x, const struct ins *i)
{
	if (!isv128(i) || lanelog(i->ty) > 3 || i->v > R_NTST)
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b);
	int t = x86feat.avx512 ? 0 : xv_tmp(x), u = x86feat.avx512 ? 0 : xv_tmp(x);
	int d = xv_def(x, (ref)x->i);

	vcompare(&x->a, i->v, lanelog(i->ty), d, a, b, t, u);
	return 1;
}

void
vminmax(struct code *c, const u32 *op, int lane, int d, int a, int b, int t, int u)
{
	if (lane < 3 || x86feat.avx512) {
		v3(c, op[lane], d, a, b);
		return;
	}
	int rel = op == v_smin ? R_LTS : op == v_smax ? R_GTS : op == v_umin ? R_LTU : R_GTU;

	vcompare(c, rel, 3, t, a, b, t, u);
	vblend(c, d, t, a, b);
}

/* -- moves -- */

int
ev_mov(struct x86 *x, const struct ins *i)
{
	if (!ty_vclass(i->ty) || (ty_isvec(i->ty) && !isv128(i)))
		return 0;
	struct regs3 r = use1(x, i);

	vmov(&x->a, r.d, r.a);
	return 1;
}

static int
ldst_bytes(const struct ins *i)
{
	int n = ty_bits(i->ty) / 8;

	if (!ty_vclass(i->ty) || n > 16 || i->aux & (AUX_BE | AUX_ALIGN | AUX_SC))
		return 0;
	return n;
}

int
ev_ld(struct x86 *x, const struct ins *i)
{
	int n = ldst_bytes(i);

	if (!n)
		return 0;
	struct mem m = x_addr(x, i);

	if (n == 2) {                  /* a fault leaves what the register held: not zero first, as xv_load does */
		int t = xr_tmp(x);

		movzx_rm(&x->a, 16, t, m);
		v2(&x->a, V_MOVD, xv_def(x, (ref)x->i), t);
	} else {
		xv_load(x, n, xv_def(x, (ref)x->i), m);
	}
	if (ty_isfloat(i->ty))
		xv_zx(x, (ref)x->i);
	return 1;
}

int
ev_st(struct x86 *x, const struct ins *i)
{
	int n = ldst_bytes(i);

	if (!n || isk(i->c) || i->aux & AUX_REL)
		return 0;
	int s = xv_use(x, i->c);

	xv_store(x, n, s, x_addr(x, i));
	return 1;
}

/* -- logic -- */

int
ev_logic(struct x86 *x, const struct ins *i)
{
	u32 op = i->op == O_and ? V_PAND : i->op == O_or ? V_POR : V_PXOR;

	if (!isv128(i))
		return 0;
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
ev_andn(struct x86 *x, const struct ins *i)
{
	if (!isv128(i))
		return 0;
	struct regs3 r = use2(x, i);

	v3(&x->a, V_PANDN, r.d, r.b, r.a);
	return 1;
}

int
ev_orn(struct x86 *x, const struct ins *i)
{
	if (!isv128(i))
		return 0;
	struct regs3 r = {.a = xv_use(x, i->a), .b = xv_use(x, i->b)};
	int t = xv_tmp(x);

	r.d = xv_def(x, (ref)x->i);
	vnot(&x->a, t, r.b);
	v3(&x->a, V_POR, r.d, t, r.a);
	return 1;
}

int
ev_not(struct x86 *x, const struct ins *i)
{
	if (!isv128(i))
		return 0;
	struct regs3 r = use1(x, i);

	vnot(&x->a, r.d, r.a);
	return 1;
}

int
ev_bsl(struct x86 *x, const struct ins *i)
{
	if (!isv128(i))
		return 0;
	struct regs3 r = {.a = xv_use(x, i->a), .b = xv_use(x, i->b), .c = xv_use(x, i->c)};
	struct code *c = &x->a;

	if (x86feat.avx512) {
		r.d = xv_def(x, (ref)x->i);
		if (r.d == r.a) {
			v_rr(c, V_TERNLOG, r.d, r.b, r.c);
			put1(c, 0xca);
		} else {
			blend_ternlog(c, r.d, r.a, r.b, r.c);
		}
		return 1;
	}
	int t = xv_tmp(x);             /* c ^ ((b ^ c) & a) */

	r.d = xv_def(x, (ref)x->i);
	v3(c, V_PXOR, t, r.b, r.c);
	v3(c, V_PAND, t, t, r.a);
	v3(c, V_PXOR, r.d, t, r.c);
	return 1;
}

/* sel on vectors and scalar floats: a branch over a move, as cmov has no vector form */
int
ev_sel(struct x86 *x, const struct ins *i)
{
	if (!ty_vclass(i->ty) || (ty_isvec(i->ty) && !isv128(i)))
		return 0;
	int a = xr_use(x, i->a, 64), b = xv_use(x, i->b), c = xv_use(x, i->c);
	int d = xv_def(x, (ref)x->i);
	int want = d == b ? c : b;     /* moved to d when the test says so */

	test_rr(&x->a, 64, a, a);
	if (d != b && d != c)
		vmov(&x->a, d, c);
	u8 *over = jcc_8(&x->a, d == b ? JNE : JE);

	vmov(&x->a, d, want);
	rel8_here(&x->a, over);
	return 1;
}
