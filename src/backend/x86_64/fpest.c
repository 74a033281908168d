/* SPDX-License-Identifier: MIT */
/* fpest.c - ARM's estimates of 1/x and 1/sqrt(x) in single precision
 *
 * The fraction of an estimate has 8 bits and comes from a table (DDI 0487, RecipEstimate and
 * RecipSqrtEstimate); here it is gathered from one made with base/fp.h, indexed by the top bits of the fraction
 * and, for the square root, the last of the exponent.  The exponent is a subtraction.  Nothing is raised.
 * Zeros, denormals, infinities, NaNs, what has no normal result or no square root: the evaluator. */
#include "backend/x86_64/fpx.h"
#include "base/util.h"

enum { ENTRIES = 512, SHIFT = 15, FRACTION = 0x7fffff, EXPONENT = 0x7f800000, BIAS = 127 };

static u32 table[2][ENTRIES] ROOMY;

static const u32 *
estimates(int isroot)
{
	struct fpenv env = fp_env(RM_NE, FPNAN_ARM);

	if (table[isroot][0])
		return table[isroot];
	for (u32 n = 0; n < ENTRIES; n++) {
		u32 one = (u32)BIAS << 23, x = isroot ? n << SHIFT | (u32)(BIAS & ~1) << 23 : one | (n << SHIFT & FRACTION);
		u64 y = isroot ? fp_rsqrte(&env, FMT_F32, x) : fp_recpe(&env, FMT_F32, x);
		table[isroot][n] = (u32)y & FRACTION;
	}
	return table[isroot];
}

/* t = table[u]; v is lost */
static void
gather(struct code *c, int t, int base, int u, int v)
{
	vones(c, v);
	put1(c, 0xc4);                 /* VEX.128.66.0F38.W0 90 /r, VSIB with scale 4; registers are xmm0-7 */
	put1(c, 0xc0 | (base & 8 ? 0 : 0x20u) | M38);
	put1(c, (u32)(~v & 15) << 3 | P66);
	put1(c, 0x90);
	put1(c, (u32)t << 3 | 4 | ((base & 7) == 5 ? 0x40u : 0));
	put1(c, 0x80 | (u32)u << 3 | (u32)(base & 7));
	if ((base & 7) == 5)
		put1(c, 0);
}

/* jump taken when x = a or |a| is not in lo .. hi; u: scratch */
static u8 *
outside(struct code *c, int packed, int u, int x, u32 lo, u32 hi)
{
	v3m(c, V_PSUBD, u, x, krep(lo, 32));
	v3m(c, V_PXOR, u, u, krep(0x80000000, 32));
	v3m(c, V_PCMPGTD, u, u, krep((hi - lo) ^ 0x80000000, 32));
	if (!packed)
		v3m(c, V_PAND, u, u, xv_const(0xffffffff, 0));
	v2(c, V_PTEST, u, u);
	return jcc_32(c, JNE);
}

/* fraction in t -> estimate in t: its exponent from a's, halved for the root */
static void
exponent(struct code *c, int isroot, int t, int a, int u, int v)
{
	v3m(c, V_PAND, u, a, krep(EXPONENT, 32));
	v2m(c, V_MOVAPS, v, krep((u64)(isroot ? 3 * BIAS - 1 : 2 * BIAS - 1) << 23, 32));
	v3(c, V_PSUBD, v, v, u);
	if (isroot) {
		vshi(c, VSH_R, 32, v, v, 1);
		v3m(c, V_PAND, v, v, krep(EXPONENT, 32));
	}
	v3(c, V_POR, t, t, v);
}

int
ef_estimate(struct x86 *x, const struct ins *i)
{
	int isroot = i->op == O_frsqrte, packed = ty_isvec(i->ty), cold0 = x->ncold;
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (!isfp(i->ty) || ty_lane(i->ty) != F32 || !x86feat.avx2)
		return 0;
	r.a = xv_use(x, i->a);
	r.t = xv_tmp(x);
	int u = xv_tmp(x), v = xv_tmp(x), g = xr_tmp(x);

	r.d = xv_defx(x, (ref)x->i);
	v3m(c, V_PAND, r.t, r.a, krep(isroot ? 0xffffffff : 0x7fffffff, 32));
	fp_slow(x, outside(c, packed, u, r.t, 1 << 23, isroot ? EXPONENT - 1 : (2 * BIAS - 1) * (1u << 23) - 1), i, r);
	vshi(c, VSH_R, 32, u, r.a, SHIFT);
	v3m(c, V_PAND, u, u, krep(ENTRIES - 1, 32));
	x->out->fixed = 1;             /* another process would have to make the table first */
	mov_ri(c, g, (u64)(uintptr_t)estimates(isroot));
	gather(c, r.t, g, u, v);
	exponent(c, isroot, r.t, r.a, u, v);
	v3m(c, V_PAND, u, r.a, krep(0x80000000, 32));
	v3(c, V_POR, r.d, r.t, u);
	fp_back(x, cold0);
	return 1;
}
