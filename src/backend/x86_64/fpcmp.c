/* SPDX-License-Identifier: MIT */
/* fpcmp.c - floating-point comparison to flags, to 0 or 1, to lane masks
 *
 * A comparison that signals quiet NaNs would trap (fpx.h, NAN_TRAP) where programs have NaNs in their data.  The
 * quiet one is used then, and cold code raises invalid when the operands are unordered. */
#include "backend/x86_64/fpx.h"

static int softly(const struct x86 *x, const struct ins *i) { return i->aux & FP_SIGNAL && fp_rule(x) == NAN_TRAP; }

/* raises invalid; n: compares again for the flags, registers reg[0], reg[1], n lane bits */
static void
invalid_cold(struct x86 *x, const struct cold *cold)
{
	alu_mi(&x->a, A_OR, 32, m_cpu(offsetof(struct cpu, fpflags)), FPX_INVALID);
	if (cold->n)
		v2(&x->a, vf_cmp(V_UCOMISS, (int)cold->n), cold->reg[0], cold->reg[1]);
	jmp_to(&x->a, cold->back);
}

/* FP_SILENT: compares again, for the flags, and takes invalid back */
static void
silent_cold(struct x86 *x, const struct cold *cold)
{
	struct code *c = &x->a;

	fp_mxcsr(c, 0);
	alu_mi(c, A_AND, 32, fp_mxslot(), ~FPX_INVALID);
	v2(c, vf_cmp(V_UCOMISS, (int)cold->n), cold->reg[0], cold->reg[1]);
	fp_mxcsr(c, 1);
	jmp_to(c, cold->back);
}

/* [u]comis a, b; b may be in memory */
static void
compare(struct x86 *x, const struct ins *i, ref p, ref q)
{
	int silent = i->op == O_fset && i->aux & FP_SILENT, soft = softly(x, i) || silent, bits = ty_lanebits(i->ty);
	u32 op = vf_cmp(i->aux & FP_SIGNAL && !soft ? V_COMISS : V_UCOMISS, bits);
	struct mem m;
	int a = xv_use(x, p), b = soft ? xv_use(x, q) : xv_usem(x, q, &m);

	if (silent && x86feat.avx512) {
		ver_rr(&x->a, op, a, 0, b, 0);
		return;
	}
	if (b < 0)
		v2m(&x->a, op, a, m);
	else
		v2(&x->a, op, a, b);
	if (!soft)
		return;
	struct cold *cold = x_cold(x, jcc_32(&x->a, JP), silent ? silent_cold : invalid_cold);

	cold->n = (u32)bits;
	cold->reg[0] = (s8)a;
	cold->reg[1] = (s8)b;
	cold->back = x->a.p;
}

static int isscalar(const struct ins *i) { return i->ty == F32 || i->ty == F64; }

int
ef_cmp(struct x86 *x, const struct ins *i)
{
	if (i->ty == F16)
		return ef_halfcmp(x, i);
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
	alu_rr(c, A_XOR, 32, d, d);    /* sooner done with than extending the condition afterwards */
	compare(x, i, swap ? i->b : i->a, swap ? i->a : i->b);
	if (cc == JE) {                /* d = ordered, or 0 if not equal; inverted: unordered, or 1 */
		setcc_r(c, i->v == R_EQ ? JNP : JP, d);
		mov_ri(c, t, i->v == R_NE);
		cmov_rr(c, JNE, 32, d, t);
	} else {
		setcc_r(c, cc, d);
	}
	return 1;
}

/* predicates of VCMPPS: quiet, signalling */
int
fp_predicate(int rel, int signal)
{
	static const u8 p[][2] = {
		[R_EQ] = {0x00, 0x10}, [R_NE] = {0x04, 0x14}, [R_LTS] = {0x11, 0x01}, [R_GES] = {0x1d, 0x0d},
		[R_LES] = {0x12, 0x02}, [R_GTS] = {0x1e, 0x0e}, [R_UN] = {0x03, 0x13},
	};

	if (rel >= (int)NELEM(p) || (rel != R_EQ && !p[rel][0]))
		return -1;
	return p[rel][signal];
}

/* AVX-512 with a register above 15: through k3 */
static void
compare_mask(struct x86 *x, const struct ins *i, const struct fpregs *r, int imm)
{
	int packed = ty_isvec(i->ty), bits = ty_lanebits(i->ty);

	v_rr(&x->a, vf_op(V_CMPPS, bits, packed) | OPE, 3, r->a, r->b);
	put1(&x->a, (u32)imm);
	v2(&x->a, bits == 64 ? V_PMOVM2Q : V_PMOVM2D, r->d, 3);
	if (!packed)                   /* a scalar comparison leaves the other mask bits 0 */
		xv_zx(x, (ref)x->i);
}

int
ef_vset(struct x86 *x, const struct ins *i)
{
	int soft = softly(x, i), imm = fp_predicate(i->v, i->aux & FP_SIGNAL && !soft);
	int packed = ty_isvec(i->ty), swap = !x86feat.avx && (i->v == R_GTS || i->v == R_GES);
	struct fpregs r = noregs();

	if (ty_lane(i->ty) == F16)
		return ef_halfvset(x, i);
	if (swap)
		imm = i->v == R_GTS ? 1 : 2;
	if (!isfp(i->ty) || imm < 0 || (!x86feat.avx && (imm > 7 || (swap && !(i->aux & FP_SIGNAL)))))
		return 0;
	if (soft)
		xf_save(x);
	r.a = xv_use(x, i->a);
	r.b = xv_use(x, i->b);
	r.t = soft ? fp_tmp(x, i->ty) : -1;
	r.d = xv_def(x, (ref)x->i);
	if (soft) {
		u8 *from = fp_unordered(x, i->ty, r.a, r.b, r.t);
		x_cold(x, from, invalid_cold)->back = x->a.p;
	}
	if (x86feat.avx512 && (isvhi(r.a) || isvhi(r.b) || isvhi(r.d)))
		compare_mask(x, i, &r, imm);
	else
		v3i(&x->a, vf_op(V_CMPPS, ty_lanebits(i->ty), packed), r.d, swap ? r.b : r.a, swap ? r.a : r.b, imm);
	return 1;
}
