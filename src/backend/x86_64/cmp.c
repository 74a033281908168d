/* SPDX-License-Identifier: MIT */
/* cmp.c - relations of integers: set, sel, ldor and the comparison of brc */
#include "backend/x86_64/int.h"

static const s8 rel_cc[] = {
	[R_EQ] = JE, [R_NE] = JNE, [R_LTU] = JB, [R_GEU] = JAE, [R_LTS] = JL, [R_GES] = JGE, [R_LEU] = JBE,
	[R_GTU] = JA, [R_LES] = JLE, [R_GTS] = JG, [R_TST] = JNE, [R_NTST] = JE,
};
static const u8 rel_swap[] = {
	[R_EQ] = R_EQ, [R_NE] = R_NE, [R_LTU] = R_GTU, [R_GEU] = R_LEU, [R_LTS] = R_GTS, [R_GES] = R_LES,
	[R_LEU] = R_GEU, [R_GTU] = R_LTU, [R_LES] = R_GES, [R_GTS] = R_LTS, [R_TST] = R_TST, [R_NTST] = R_NTST,
};

int x_relation(int rel) { return rel_cc[rel]; }

/* Operands of 8 or 16 bits, sign-extended for signed relations. */
static void
compare_narrow(struct x86 *x, const struct ins *i, ref a, ref b, int rel)
{
	int bits = ty_bits(i->ty), issigned = rel == R_LTS || rel == R_GES || rel == R_LES || rel == R_GTS;
	int ra = xr_use(x, a, 32), rb = isk(b) ? -1 : xr_use(x, b, 32);
	u64 k = isk(b) ? zext(kval(x->r, b), bits) : 0;

	if (issigned) {
		int t = xr_tmp(x);

		movsx_rr(&x->a, bits, 32, t, ra);
		ra = t;
		if (rb >= 0 && rb < NRTEMP) {
			struct mem m = m_cpu(offsetof(struct cpu, scratch[4]));

			mov_mr(&x->a, 64, m, rb);      /* in place would change a value used later */
			movsx_rm(&x->a, bits, 32, rb, m);
			alu_rr(&x->a, A_CMP, 32, ra, rb);
			mov_rm(&x->a, 64, rb, m);
			xr_done(x, t);         /* the result may need it */
			return;
		}
		if (rb >= 0) {
			int u = xr_tmp(x);

			movsx_rr(&x->a, bits, 32, u, rb);
			rb = u;
			xr_done(x, u);
		}
		k = (u64)sext(k, bits);
		xr_done(x, t);
	}
	if (rel == R_TST || rel == R_NTST) {
		if (rb >= 0)
			test_rr(&x->a, 32, ra, rb);
		else
			test_ri(&x->a, 32, ra, (s32)k);
	} else if (rb >= 0) {
		alu_rr(&x->a, A_CMP, 32, ra, rb);
	} else {
		alu_ri(&x->a, A_CMP, 32, ra, (s32)k);
	}
}

/* EFLAGS say already whether the value is 0. */
static int
iszf(const struct x86 *x, ref a, int w)
{
	return x->zf.t == a && x->zf.at == x->a.p && x->zf.bits <= w;
}

static int isgiven(const struct x86 *x, ref t) { return !isk(t) && x->val[t].flags & VAL_GIVEN; }

static int
compared(struct x86 *x, const struct ins *i)
{
	switch (i->v) {
	case R_EQ: case R_NE:
		return isk(i->b) && !kval(x->r, i->b) && iszf(x, i->a, opwidth(i));
	case R_LTU: case R_GEU:
		if (x_carryknown(x, i))
			return 1;
		if (isgiven(x, i->a) || isgiven(x, i->b))
			x->evicted |= UNTOLD;
	}
	return 0;
}

static void
compare_k(struct x86 *x, int w, int ra, struct mem m, int test, s32 k)
{
	if (test) {
		if (ra >= 0) {
			test_ri(&x->a, w, ra, k);
		} else {
			op_rm(&x->a, 0xf7, w, 0, m, 4);
			put4(&x->a, (u32)k);
		}
	} else if (ra < 0) {
		alu_mi(&x->a, A_CMP, w, m, k);
	} else if (!k) {
		test_rr(&x->a, w, ra, ra);     /* flags as of cmp ra, 0 */
	} else {
		alu_ri(&x->a, A_CMP, w, ra, k);
	}
}

int
x_compare(struct x86 *x, const struct ins *i)
{
	int rel = i->v, w = i->ty == I64 ? 64 : 32, ra, rb, test;
	ref a = i->a, b = i->b;
	struct mem m = {0};
	s64 k;

	if (isk(a) && !isk(b)) {
		ref t = a;

		a = b;
		b = t;
		rel = rel_swap[rel];
	}
	test = rel == R_TST || rel == R_NTST;
	if (i->ty < I32) {
		compare_narrow(x, i, a, b, rel);
		return rel_cc[rel];
	}
	if (compared(x, i))
		return rel_cc[rel];
	ra = xr_usem(x, a, w, &m);
	if (ra < 0 && i->op != O_brc)          /* a branch is predicted: it can wait */
		ra = xr_hurry(x, a, m);
	if (isk(b) && ra >= 0 && !fits8((s64)kval(x->r, b)) && (rb = xr_kept(x, b)) >= 0) {
		op_rr(&x->a, test ? 0x85 : 0x3b, w, ra, rb);
	} else if (x_isk(x, b, &k) && (w == 32 || fits32(k))) {
		compare_k(x, w, ra, m, test, (s32)k);
	} else if (ra < 0) {
		rb = xr_use(x, b, w);
		op_rm(&x->a, test ? 0x85 : 0x39, w, rb, m, 0);
	} else if ((rb = xr_usem(x, b, w, &m)) < 0 && (i->op == O_brc || (rb = xr_hurry(x, b, m)) < 0)) {
		op_rm(&x->a, test ? 0x85 : 0x3b, w, ra, m, 0);
	} else {
		op_rr(&x->a, test ? 0x85 : 0x3b, w, ra, rb);
	}
	return rel_cc[rel];
}

/* The result's register, if it is a home that holds no operand; made zero before the comparison, which is sooner
 * done with than extending the condition after it. */
static int
zeroed(struct x86 *x, const struct ins *i)
{
	int var = x->val[x->i].want, reg = var == NOVAR ? -1 : x86_home[var].reg;

	if (reg < 0 || i->ty < I32 || x->lock[0] >> reg & 1 || (!isk(i->a) && x_place(x, i->a, 8) == reg) ||
	    (!isk(i->b) && x_place(x, i->b, 8) == reg))
		return -1;
	xr_defx(x, (ref)x->i);
	alu_rr(&x->a, A_XOR, 32, reg, reg);
	return reg;
}

int
x_set(struct x86 *x, const struct ins *i)
{
	int d = compared(x, i) ? -1 : zeroed(x, i), cc;
	u32 lock = x->lock[0];

	cc = x_compare(x, i);
	x->lock[0] = lock;             /* its operands are done with */
	if (d < 0)
		mov_ri(&x->a, d = xr_def(x, (ref)x->i), 0);    /* sooner done with than extending the condition */
	setcc_r(&x->a, cc, d);
	return 1;
}

int
x_carry(struct x86 *x, const struct ins *i)
{
	struct ins c = *i;

	switch (i->v) {
	case R_GTU: case R_LEU:
		c.v = rel_swap[i->v];
		c.a = i->b;
		c.b = i->a;
		break;
	case R_EQ: case R_NE:          /* 0 alone is below 1 */
		c.v = i->v == R_EQ ? R_LTU : R_GEU;
		c.b = ir_k(x->r, 1);
		break;
	}
	return x_compare(x, &c) == JAE;
}

/* A condition that is a value: one left to us becomes host flags, another is tested.  The second
 * condition as xf_cond gives it. */
static int
condition(struct x86 *x, ref a, int *cc2, int *and)
{
	const struct ins *d = &x->r->ins[a & ~REF_K];
	struct mem m;
	int ra;

	*cc2 = -1;
	*and = 0;
	if (!isk(a) && x->val[a].flags & VAL_FOLD && d->op == O_fcc)
		return xf_cond(x, d->a, d->v, cc2, and);
	xf_save(x);
	if (!isk(a) && x->val[a].flags & VAL_FOLD && d->op == O_set)
		return x_compare(x, d);
	ra = xr_usem(x, a, 32, &m);
	if (ra >= 0)
		test_rr(&x->a, 32, ra, ra);
	else
		alu_mi(&x->a, A_CMP, 32, m, 0);
	return JNE;
}

int
x_sel(struct x86 *x, const struct ins *i)
{
	const struct ins *f = &x->r->ins[i->a & ~REF_K];
	int w = i->ty == I64 ? 64 : 32, cc, cc2, and, d, rb, rc = -1;
	struct { ref b, c; } v = {i->b, i->c};
	struct mem mb = {0}, mc = {0};
	u32 lock = x->lock[0];

	if (!isk(i->a) && x->val[i->a].flags & VAL_FOLD && f->op == O_fcc && f->v >= CC_AL)
		return 0;
	cc = condition(x, i->a, &cc2, &and);
	x->lock[0] = lock;             /* the condition's operands are done with */
	if ((cc2 >= 0 && and) || (cc2 < 0 && isk(v.b) && !isk(v.c))) {
		cc ^= 1;               /* a && b ? x : y  ==  !a || !b ? y : x; a constant is best moved first */
		cc2 ^= cc2 >= 0;
		v.b = i->c;
		v.c = i->b;
	}
	rb = xr_usem(x, v.b, w, &mb);
	if (!isk(v.c))
		rc = xr_usem(x, v.c, w, &mc);
	d = xr_def(x, (ref)x->i);
	if (d == rb && cc2 < 0) {      /* b is in place: move c over it instead */
		cc ^= 1;
		if (isk(v.c))
			mov_ri(&x->a, rc = xr_tmp(x), kval(x->r, v.c));
		else if (rc < 0)
			rc = xr_hurry(x, v.c, mc);
		if (rc >= 0)
			cmov_rr(&x->a, cc, w, d, rc);
		else
			cmov_rm(&x->a, cc, w, d, mc);
		return 1;
	}
	if (d == rb)
		mov_rr(&x->a, 64, rb = xr_tmp(x), d);
	if (isk(v.c))
		mov_ri(&x->a, d, w == 32 ? (u32)kval(x->r, v.c) : kval(x->r, v.c));
	else if (rc < 0)
		mov_rm(&x->a, w, d, mc);
	else if (rc != d)
		mov_rr(&x->a, w, d, rc);
	if (rb < 0)
		rb = xr_hurry(x, v.b, mb);
	for (int n = 0; n < 1 + (cc2 >= 0); n++, cc = cc2)
		if (rb >= 0)
			cmov_rr(&x->a, cc, w, d, rb);
		else
			cmov_rm(&x->a, cc, w, d, mb);
	return 1;
}

void
x_coldload(struct x86 *x, const struct cold *c)
{
	struct mem m = {.base = c->reg[1], .index = NOREG, .a32 = x->a32, .disp = c->ins->imm};

	movzx_rm(&x->a, (int)c->n, c->reg[0], m);
	jmp_to(&x->a, c->back);
}

/* The load is out of line. */
int
x_ldor(struct x86 *x, const struct ins *i)
{
	const struct val *v = &x->val[i->c & ~REF_K];
	int bits = ty_bits(i->ty), cc, cc2, and, base, c, d;
	u32 lock = x->lock[0];
	struct cold *cold;
	u8 *from;

	cc = condition(x, i->b, &cc2, &and);
	x->lock[0] = lock;
	base = xr_use(x, i->a, x->a32 ? 32 : 64);
	c = xr_use(x, i->c, bits);
	d = xr_def(x, (ref)x->i);
	from = jcc_32(&x->a, cc ^ 1);
	if (bits < 32)
		movzx_rr(&x->a, bits, d, c);
	else if (c != d || (bits == 32 && (isk(i->c) || v->ty != I32 || v->flags & VAL_NARROW)))
		mov_rr(&x->a, bits, d, c);
	cold = x_cold(x, from, x_coldload);
	cold->ins = i;
	cold->n = (u32)bits;
	cold->reg[0] = (s8)d;
	cold->reg[1] = (s8)base;
	return 1;
}
