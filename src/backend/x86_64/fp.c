/* SPDX-License-Identifier: MIT */
/* fp.c - floating-point arithmetic, scalar and packed */
#include "backend/x86_64/fpx.h"

enum nanrule
fp_rule(const struct x86 *x)
{
	switch (x->r->fpnan) {
	case FPNAN_ARM: return x86feat.avx && !fp_soft() ? NAN_TRAP : NAN_SLOW;
	case FPNAN_X86: return NAN_NONE;
	default: return x86feat.avx ? NAN_CANON : NAN_SLOW;
	}
}

int
fp_zeromask(struct x86 *x, int ty)
{
	int var = x->val[x->i].want;

	return x86feat.avx512 && ty_isfloat(ty) && var != NOVAR && x86_home[var].kind == REG_VEC;
}

int
fp_tmp(struct x86 *x, int ty)
{
	return ty_isvec(ty) && !x86feat.avx512 ? xv_tmp(x) : -1;
}

static int isarm(const struct region *r) { return r->fpnan == FPNAN_ARM || r->fpnan == FPNAN_ARM_DN; }
int fp_byhand(const struct region *r) { return r->fpflush && fp_exact(); }

/* ARM sees tininess before rounding, x86 after: they differ when a product or a narrowed number rounds up to
 * the least normal number, which it would be with the exponent unlimited too.  Others do not: a sum that is
 * tiny is exact; a quotient of numbers of n bits that is less than 1 is not more than 1 - 2^-n; a root is not tiny. */
int
fp_mayround(const struct x86 *x, const struct ins *i)
{
	int narrows = i->op == O_fcvt && ty_lanebits(i->ty) < ty_lanebits(i->v);

	return (x->r->fpflush || (isarm(x->r) && fp_exact())) && (i->op == O_fmul || i->op == O_fma || narrows);
}

void
fp_tinycheck(struct x86 *x, const struct ins *i, struct fpregs r)
{
	int bits = ty_lanebits(i->ty), packed = ty_isvec(i->ty);
	u64 magnitude = rep(~((u64)1 << (bits - 1)), bits), least = bits == 64 ? (u64)1 << 52 : (u64)1 << 23;
	struct code *c = &x->a;

	if (!fp_mayround(x, i))
		return;
	v3m(c, V_PAND, r.t, r.d, packed ? krep(magnitude, 64) : xv_const(bits == 64 ? magnitude : (u32)magnitude, 0));
	v3m(c, bits == 64 ? V_PCMPEQQ : V_PCMPEQD, r.t, r.t, krep(least, bits));
	v2(c, V_PTEST, r.t, r.t);
	fp_slow(x, jcc_32(c, JNE), i, r);
}

/* the scratch for looking at an instruction's result, or -1 */
int
fp_looktmp(struct x86 *x, const struct ins *i)
{
	if (fp_mayround(x, i))
		return xv_tmp(x);
	return fp_rule(x) != NAN_TRAP ? fp_tmp(x, i->ty) : -1;
}

u8 *
fp_unordered(struct x86 *x, int ty, int a, int b, int t)
{
	int bits = ty_lanebits(ty);
	struct code *c = &x->a;

	if (!ty_isvec(ty)) {
		v2(c, vf_cmp(V_UCOMISS, bits), a, b);
		return jcc_32(c, JP);
	}
	if (x86feat.avx512) {          /* to k2: the cold path may use it */
		v_rr(c, bits == 64 ? VK_CMPPD : VK_CMPPS, 2, a, b);
		put1(c, 3);
		k_ortest(c, 2, 2);
	} else {
		v3i(c, vf_op(V_CMPPS, bits, 1), t, a, b, 3);
		v2(c, V_PTEST, t, t);
	}
	return jcc_32(c, JNE);
}

/* -- canonical NaNs -- */

static struct mem
canonical(int bits)
{
	return krep(bits == 64 ? 0x7ff8000000000000 : bits == 32 ? 0x7fc00000 : 0x7e00, bits);
}

/* n: lane bits, | 1 packed; reg[1]: lanes that are NaN (without AVX-512) */
static void
canon_cold(struct x86 *x, const struct cold *cold)
{
	int bits = (int)cold->n & ~1, d = cold->reg[0];
	struct code *c = &x->a;

	if (!(cold->n & 1)) {
		xv_load(x, bits / 8, d, canonical(bits));
	} else if (x86feat.avx512) {
		vk_rm(c, V_MOVAPS | (bits == 64 ? XO(P66, 0, 0) | OPEW : 0), d, 0, canonical(bits), 0, 2, 0);
	} else {
		v_rm(c, V_PBLENDVB, d, d, canonical(bits), 1);
		put1(c, (u32)cold->reg[1] << 4);
	}
	jmp_to(c, cold->back);
}

/* Whether lanes are for operations alone whose results are NaNs where they are, and are looked at themselves. */
static int
passeson(const struct x86 *x, const struct ins *i)
{
	static const u8 passes[O_COUNT] = {[O_fadd] = 1, [O_fsub] = 1, [O_fmul] = 1, [O_fdiv] = 1, [O_fma] = 1};
	int last = x->val[x->i].last;

	for (int k = x->i + 1; k <= last; k++) {
		const struct ins *o = &x->r->ins[k];
		int uses = o->a == x->i || o->b == x->i || o->c == x->i;

		if (uses && !(passes[o->op] && o->ty == i->ty))
			return 0;
	}
	return ty_isvec(i->ty) && last > x->i;
}

void
fp_nancheck(struct x86 *x, const struct ins *i, struct fpregs r)
{
	enum nanrule rule = fp_rule(x);

	if (rule != NAN_CANON && rule != NAN_SLOW)
		return;
	if (rule == NAN_CANON && x->r->fpnan == FPNAN_RISCV && passeson(x, i))
		return;
	if (rule == NAN_CANON && x->r->fpnan == FPNAN_RISCV && !ty_isvec(i->ty)) {
		fp_pend(x, (ref)x->i, 0);
		return;
	}
	u8 *from = fp_unordered(x, i->ty, r.d, r.d, r.t);

	if (rule == NAN_SLOW) {
		fp_slow(x, from, i, r);
		return;
	}
	struct cold *cold = x_cold(x, from, canon_cold);

	cold->reg[0] = (s8)r.d;
	cold->reg[1] = (s8)r.t;
	cold->n = (u32)ty_lanebits(i->ty) | (ty_isvec(i->ty) != 0);
}

/* -- two operands -- */

static u32
arith_op(int op)
{
	switch (op) {
	case O_fadd: return V_ADDPS;
	case O_fsub: return V_SUBPS;
	case O_fmul: return V_MULPS;
	default: return V_DIVPS;
	}
}

/* d = a op b; scalar results that go to a vector register are made zero above by masking */
static void
arith(struct x86 *x, u32 op, int ty, int d, int a, int b, struct mem *m)
{
	int bits = ty_lanebits(ty), zero = fp_zeromask(x, ty);
	struct code *c = &x->a;

	if (zero) {
		if (b < 0)
			vk_rm(c, vf_op(op, bits, 1), d, a, *m, 0, 1, 1);
		else
			vk_rr(c, vf_op(op, bits, 1), d, a, b, 1, 1);
		xv_zx(x, (ref)x->i);
	} else if (b < 0) {
		v3m(c, vf_op(op, bits, ty_isvec(ty)), d, a, *m);
	} else {
		v3(c, vf_op(op, bits, ty_isvec(ty)), d, a, b);
	}
}

int
ef_arith(struct x86 *x, const struct ins *i)
{
	int keep = fp_keeps(x, i), cold0 = x->ncold, box = -1;
	ref a = i->a, b = i->b;
	struct fpregs r = noregs();
	struct mem m;

	if (ty_lane(i->ty) == F16)
		return ef_half(x, i);
	if (!isfp(i->ty))
		return 0;
	fp_saveflags(x, i);
	if (!keep && (i->op == O_fadd || i->op == O_fmul) && fp_boxedhome(x, a) < 0 && fp_boxedhome(x, b) >= 0) {
		a = i->b;
		b = i->a;
	}
	r.a = xv_use(x, a);
	if (!keep && (box = fp_boxedhome(x, a)) >= 0)
		x->lock[1] |= 1u << (r.a = box);
	r.b = keep ? xv_use(x, b) : xv_usem(x, b, &m);
	r.t = fp_looktmp(x, i);
	r.d = box >= 0 ? fp_boxes(x) : -1;
	box = r.d >= 0;
	if (!box)
		r.d = keep ? xv_defx(x, (ref)x->i) : xv_def(x, (ref)x->i);
	fp_rmguard(x, i, r);
	arith(x, arith_op(i->op), i->ty, r.d, r.a, r.b, &m);
	fp_tinycheck(x, i, r);
	fp_nancheck(x, i, r);
	if (box && fp_ispending((ref)x->i))
		fp_pend(x, (ref)(x->i + 1), 1);
	fp_back(x, cold0);
	return 1;
}

int
ef_sqrt(struct x86 *x, const struct ins *i)
{
	int keep = fp_keeps(x, i), cold0 = x->ncold;
	int bits = ty_lanebits(i->ty);
	struct fpregs r = noregs();

	if (ty_lane(i->ty) == F16)
		return ef_half(x, i);
	if (!isfp(i->ty))
		return 0;
	fp_saveflags(x, i);
	r.a = xv_use(x, i->a);
	r.t = fp_rule(x) != NAN_TRAP ? fp_tmp(x, i->ty) : -1;
	r.d = keep ? xv_defx(x, (ref)x->i) : xv_def(x, (ref)x->i);
	fp_rmguard(x, i, r);
	if (fp_zeromask(x, i->ty)) {
		vk_rr(&x->a, vf_op(V_SQRTPS, bits, 1), r.d, 0, r.a, 1, 1);
		xv_zx(x, (ref)x->i);
	} else if (ty_isvec(i->ty)) {
		v2(&x->a, vf_op(V_SQRTPS, bits, 1), r.d, r.a);
	} else {
		v3(&x->a, vf_op(V_SQRTPS, bits, 0), r.d, r.a, r.a);
	}
	fp_nancheck(x, i, r);
	fp_back(x, cold0);
	return 1;
}

/* -- fused multiply-add --
 *
 * x86 prefers the NaN of the multiplicands, the first one first, to that of the addend; all three
 * forms do, as their operands are named (SDM 14.5.2; checked on hardware).  ARM looks at the addend first, and
 * negates a NaN with the product; and infinity * 0 + quiet NaN is invalid for ARM and RISC-V but
 * not for x86.  So when the addend (or a multiplicand to be negated) is a NaN the evaluator does it. */

/* The first operand of a form is also the result. */
static void
fma_form(struct x86 *x, const struct ins *i, struct fpregs r)
{
	static const u32 op[] = {V_FMADD132, V_FNMADD132, V_FMSUB132, V_FNMSUB132};
	u32 o = op[(i->aux & FP_NEGP ? 1 : 0) | (i->aux & FP_NEGA ? 2 : 0)];
	int zero = fp_zeromask(x, i->ty), p, q;
	struct code *c = &x->a;

	o = vf_w(o, ty_lanebits(i->ty), zero || ty_isvec(i->ty));
	if (r.d == r.a) {              /* 132: d * q + p */
		p = r.c;
		q = r.b;
	} else if (r.d == r.b) {       /* 213: p * d + q */
		o += FMA_213;
		p = r.a;
		q = r.c;
	} else {                       /* 231: p * q + d */
		vmov(c, r.d, r.c);
		o += FMA_231;
		p = r.a;
		q = r.b;
	}
	if (zero) {
		vk_rr(c, o, r.d, p, q, 1, 1);
		xv_zx(x, (ref)x->i);
	} else {
		v_rr(c, o, r.d, p, q);
	}
}

/* Looking before saves a later look at the addend, if that is pending, and a copy of a multiplicand. */
static int
looksafter(const struct ins *i, struct fpregs r)
{
	return !fp_ispending(i->c) || (r.d != r.a && r.d != r.b);
}

/* The result in the register where its box is wanted: what is above the addend is above it, or what is above the
 * multiplicand that is there already. */
static int
fma_boxes(struct x86 *x, const struct ins *i, struct fpregs *r)
{
	int c = fp_boxedhome(x, i->c);

	if (fp_keeps(x, i) || c < 0 || (r->d = fp_boxes(x)) < 0)
		return 0;
	x->lock[1] |= 1u << (r->c = c);
	return 1;
}

/* RISC-V: a NaN as the addend makes the result one, so one look at the result is enough, if that leaves the
 * multiplicands; the other flags of a NaN are raised by then.  The evaluator's result is canonical. */
static int
fma_looked(struct x86 *x, const struct ins *i, struct fpregs r, int boxed)
{
	int cold0 = x->ncold, kept = r.d == r.a || r.d == r.b ? xv_tmp(x) : r.d;
	struct fpregs slow = {.d = r.d, .a = r.a == r.d ? kept : r.a, .b = r.b == r.d ? kept : r.b, .c = r.d, .t = -1};

	fp_rmguard(x, i, r);
	vmov(&x->a, kept, r.d);
	fma_form(x, i, r);
	fp_back(x, cold0);
	fp_looklater(x, i, slow, boxed);
	return 1;
}

/* The same of lanes, not all of which need be NaNs: the addends stay as well. */
static int
fma_lanes(struct x86 *x, const struct ins *i, struct fpregs r)
{
	int cold0 = x->ncold;

	r.d = xv_defx(x, (ref)x->i);
	fp_rmguard(x, i, r);
	fma_form(x, i, r);
	fp_back(x, cold0);
	fp_looklater(x, i, r, 0);
	return 1;
}

int
ef_fma(struct x86 *x, const struct ins *i)
{
	int cold0 = x->ncold, boxed;
	struct fpregs r = noregs();

	if (ty_lane(i->ty) == F16)
		return ef_halffma(x, i);
	if (!isfp(i->ty) || !x86feat.fma)
		return 0;
	r.a = xv_use(x, i->a);
	r.b = xv_use(x, i->b);
	r.c = xv_use(x, i->c);
	r.t = fp_mayround(x, i) ? xv_tmp(x) : fp_tmp(x, i->ty);
	if (fp_rule(x) == NAN_CANON && x->r->fpnan == FPNAN_RISCV && ty_isvec(i->ty))
		return fma_lanes(x, i, r);
	if (!(boxed = fma_boxes(x, i, &r)))
		r.d = fp_keeps(x, i) ? xv_defx(x, (ref)x->i) : xv_def(x, (ref)x->i);
	if (x->r->fpnan == FPNAN_RISCV && !ty_isvec(i->ty) && looksafter(i, r))
		return fma_looked(x, i, r, boxed);
	fp_rmguard(x, i, r);
	if (fp_rule(x) == NAN_TRAP || fp_rule(x) == NAN_CANON)
		fp_slow(x, fp_unordered(x, i->ty, r.c, i->aux & FP_NEGP ? r.a : r.c, r.t), i, r)->n = (u32)boxed;
	fma_form(x, i, r);
	fp_tinycheck(x, i, r);
	fp_nancheck(x, i, r);
	if (boxed && fp_ispending((ref)x->i))
		fp_pend(x, (ref)(x->i + 1), 1);
	fp_back(x, cold0);
	return 1;
}

/* -- ARM's Newton steps: 2 - a * b and (3 - a * b) / 2, rounded once --
 *
 * Infinity * 0 counts as 0.  Operands so large that they might be infinite, a NaN or make the product
 * overflow are the evaluator's; then halving is exact, and nothing is invalid. */
int
ef_step(struct x86 *x, const struct ins *i)
{
	int bits = ty_lanebits(i->ty), packed = ty_isvec(i->ty), cold0 = x->ncold;
	u32 gt = bits == 64 ? V_PCMPGTQ : V_PCMPGTD;
	u64 limit = bits == 64 ? 0x5f30000000000000 : 0x5d800000;      /* 2^500, 2^60 */
	u64 two = bits == 64 ? 0x4000000000000000 : 0x40000000;
	u64 three = bits == 64 ? 0x4008000000000000 : 0x40400000;
	u64 magnitude = rep(~((u64)1 << (bits - 1)), bits), half = bits == 64 ? 0x3fe0000000000000 : 0x3f000000;
	struct mem abs = xv_const(packed || bits == 64 ? magnitude : (u32)magnitude, packed ? magnitude : 0);
	u64 k = rep(i->op == O_frecps ? two : three, bits);
	struct fpregs r = noregs();
	struct code *c = &x->a;

	if (!isfp(i->ty) || !x86feat.fma || (i->aux & FP_RM))
		return 0;
	r.a = xv_use(x, i->a);
	r.b = xv_use(x, i->b);
	r.t = xv_tmp(x);
	int u = xv_tmp(x);

	r.d = xv_defx(x, (ref)x->i);
	v3m(c, V_PAND, r.t, r.a, abs);
	v3m(c, V_PAND, u, r.b, abs);
	v3m(c, gt, r.t, r.t, krep(limit, bits));
	v3m(c, gt, u, u, krep(limit, bits));
	v3(c, V_POR, r.t, r.t, u);
	v2(c, V_PTEST, r.t, r.t);
	fp_slow(x, jcc_32(c, JNE), i, r);
	v2m(c, V_MOVAPS, r.d, packed ? xv_const(k, k) : xv_const(bits == 64 ? k : (u32)k, 0));
	v_rr(c, vf_w(V_FNMADD132 + FMA_231, bits, packed), r.d, r.a, r.b);
	if (i->op == O_frsqrts)
		v3m(c, vf_op(V_MULPS, bits, packed), r.d, r.d, krep(half, bits));
	if (!packed)
		xv_zx(x, (ref)x->i);
	fp_back(x, cold0);
	return 1;
}

/* -- minimum and maximum --
 *
 * A NaN operand is the evaluator's.  minps gives its second operand when both are zero: the two
 * orders joined with or (max: and) put the signs right.  vrange has them right, and takes the sign from the
 * operand (imm 4 + 0 minimum, 1 maximum). */
static void
minmax(struct x86 *x, const struct ins *i, struct fpregs r)
{
	int bits = ty_lanebits(i->ty), ismax = i->op == O_fmax, packed = ty_isvec(i->ty);
	struct code *c = &x->a;

	if (x86feat.avx512) {
		int zero = fp_zeromask(x, i->ty);
		u32 op = vf_w(V_RANGEPS, bits, packed || zero);
		if (zero)
			vk_rr(c, op, r.d, r.a, r.b, 1, 1);
		else
			v_rr(c, op, r.d, r.a, r.b);
		put1(c, 4 | (u32)ismax);
		if (zero)
			xv_zx(x, (ref)x->i);
		return;
	}
	u32 op = vf_op(ismax ? V_MAXPS : V_MINPS, bits, packed);

	v3(c, op, r.t, r.a, r.b);
	v3(c, op, r.d, r.b, r.a);
	v3(c, ismax ? V_ANDPS : V_ORPS, r.d, r.d, r.t);
}

int
ef_minmax(struct x86 *x, const struct ins *i)
{
	int cold0 = x->ncold;
	struct fpregs r = noregs();

	if (ty_lane(i->ty) == F16)
		return ef_halfminmax(x, i);
	if (!isfp(i->ty) || x->r->fpnan == FPNAN_X86)
		return 0;
	r.a = xv_use(x, i->a);
	r.b = xv_use(x, i->b);
	r.t = x86feat.avx512 ? -1 : xv_tmp(x);
	r.d = xv_def(x, (ref)x->i);
	fp_slow(x, fp_unordered(x, i->ty, r.a, r.b, r.t), i, r);
	minmax(x, i, r);
	fp_back(x, cold0);
	return 1;
}

/* -- signs -- */

static struct mem signs(int bits) { return krep((u64)1 << (bits - 1), bits); }

int
ef_neg(struct x86 *x, const struct ins *i)
{
	int bits = ty_lanebits(i->ty), w = bits == 64 ? 64 : 32;
	u32 op = i->op == O_fneg ? V_XORPS : V_ANDPS;
	u64 k = (u64)1 << (bits - 1);
	struct mem m;

	if (!ty_vclass(i->ty) || bits > 64 || (ty_isvec(i->ty) && !isv128(i)))
		return 0;
	m = krep(i->op == O_fneg ? k : ~k, bits);
	struct regs3 r = use1(x, i);

	if (fp_zeromask(x, i->ty) && bits >= 32) {
		vk_rm(&x->a, vf_logic(op, w), r.d, r.a, m, 0, 1, 1);
		xv_zx(x, (ref)x->i);
	} else {
		v3m(&x->a, op, r.d, r.a, m);
	}
	return 1;
}

int
ef_sgnj(struct x86 *x, const struct ins *i)
{
	int bits = ty_lanebits(i->ty);
	struct code *c = &x->a;

	if (!ty_vclass(i->ty) || bits > 64 || (ty_isvec(i->ty) && !isv128(i)))
		return 0;
	int a = xv_use(x, i->a), b = xv_use(x, i->b), t = xv_tmp(x), d = xv_def(x, (ref)x->i);
	struct mem s = signs(bits);

	if (i->v == 2) {               /* a ^ (b & sign) */
		v3m(c, V_ANDPS, t, b, s);
		v3(c, V_XORPS, d, t, a);
		return 1;
	}
	v3(c, V_XORPS, t, a, b);       /* a ^ ((a ^ b) & sign); negated: ... ^ ~ */
	if (i->v == 1)
		v3m(c, V_XORPS, t, t, s);
	v3m(c, V_ANDPS, t, t, s);
	v3(c, V_XORPS, d, t, a);
	return 1;
}
