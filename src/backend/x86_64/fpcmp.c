/* SPDX-License-Identifier: MIT */
/* fpcmp.c - floating-point comparison to flags, to 0 or 1, to lane masks */
#include "backend/x86_64/fpx.h"

static u32
compare_op(const struct ins *i)
{
	return vf_cmp(i->aux & FP_SIGNAL ? V_COMISS : V_UCOMISS, ty_lanebits(i->ty));
}

/* [u]comis a, b; b may be in memory */
static void
compare(struct x86 *x, const struct ins *i, ref p, ref q)
{
	struct mem m;
	int a = xv_use(x, p), b = xv_usem(x, q, &m);

	if (b < 0)
		v2m(&x->a, compare_op(i), a, m);
	else
		v2(&x->a, compare_op(i), a, b);
}

static int isscalar(const struct ins *i) { return i->ty == F32 || i->ty == F64; }

int
ef_cmp(struct x86 *x, const struct ins *i)
{
	if (!isscalar(i))
		return 0;
	compare(x, i, i->a, i->b);
	xf_def(x, (ref)x->i, FLK_FCMP);
	return 1;
}

/* Above and not-below exclude unordered, which sets CF (SDM, UCOMISD); equality needs PF too. */
int
ef_set(struct x86 *x, const struct ins *i)
{
	struct code *c = &x->a;
	int swap = i->v == R_LTS || i->v == R_LES, cc, t = -1, d;

	switch (i->v) {
	case R_EQ: case R_NE: cc = JE; break;
	case R_LTS: case R_GTS: cc = JA; break;
	case R_LES: case R_GES: cc = JAE; break;
	case R_UN: cc = JP; break;
	default: return 0;
	}
	if (!isscalar(i))
		return 0;
	d = xr_def(x, (ref)x->i);
	if (cc == JE)
		t = xr_tmp(x);
	compare(x, i, swap ? i->b : i->a, swap ? i->a : i->b);
	if (cc == JE) {                /* d = ordered, or 0 if not equal; inverted: unordered, or 1 */
		setcc_r(c, i->v == R_EQ ? JNP : JP, d);
		mov_ri(c, t, i->v == R_NE);
		cmov_rr(c, JNE, 32, d, t);
	} else {
		setcc_r(c, cc, d);
	}
	movzx_rr(c, 8, d, d);
	return 1;
}

/* predicates of VCMPPS: quiet, signalling */
static int
predicate(int rel, int signal)
{
	static const u8 p[][2] = {
		[R_EQ] = {0x00, 0x10}, [R_NE] = {0x04, 0x14}, [R_LTS] = {0x11, 0x01}, [R_GES] = {0x1d, 0x0d},
		[R_LES] = {0x12, 0x02}, [R_GTS] = {0x1e, 0x0e}, [R_UN] = {0x03, 0x13},
	};

	if (rel >= (int)NELEM(p) || (rel != R_EQ && !p[rel][0]))
		return -1;
	return p[rel][signal];
}

int
ef_vset(struct x86 *x, const struct ins *i)
{
	int imm = predicate(i->v, (i->aux & FP_SIGNAL) != 0), packed = ty_isvec(i->ty), bits = ty_lanebits(i->ty);
	int swap = !x86feat.avx && (i->v == R_GTS || i->v == R_GES);
	struct code *c = &x->a;

	if (swap)
		imm = i->v == R_GTS ? 1 : 2;
	if (!isfp(i->ty) || imm < 0 || (!x86feat.avx && (imm > 7 || (swap && !(i->aux & FP_SIGNAL)))))
		return 0;
	struct regs3 r = use2(x, i);

	if (x86feat.avx512 && (isvhi(r.a) || isvhi(r.b) || isvhi(r.d))) {
		v_rr(c, vf_op(V_CMPPS, bits, packed) | OPE, 2, r.a, r.b);
		put1(c, (u32)imm);
		v2(c, bits == 64 ? V_PMOVM2Q : V_PMOVM2D, r.d, 2);
		if (!packed)           /* a scalar comparison leaves the other mask bits 0 */
			xv_zx(x, (ref)x->i);
	} else {
		v3i(c, vf_op(V_CMPPS, bits, packed), r.d, swap ? r.b : r.a, swap ? r.a : r.b, imm);
	}
	return 1;
}
