/* SPDX-License-Identifier: MIT */
/* mul.c - multiplication, division, minimum and maximum */
#include "backend/x86_64/int.h"

/* mulx hi, lo, rdx * b leaves the flags alone.  hi is where lo is not. */
static void
mul_quietly(struct x86 *x, const struct ins *i)
{
	int swap = !isk(i->b) && x->val[i->b].reg == RDX, w = opwidth(i), b, d;

	xr_usein(x, swap ? i->b : i->a, RDX, w);
	b = xr_use(x, swap ? i->a : i->b, w);
	d = xr_def(x, (ref)x->i);
	vex_gpr(&x->a, 2, 3, 0xf6, w, d == RDX ? xr_tmp(x) : RDX, d, b);
}

/* Both halves of the product: the other one stays in rdx. */
static void
mul_both(struct x86 *x, const struct ins *i)
{
	int swap = x->val[i->b].reg == RDX, b, d;
	ref a = swap ? i->b : i->a;

	xr_usein(x, a, RDX, 64);
	b = xr_use(x, swap ? i->a : i->b, 64);
	if (x->in[0][RDX] == a)
		x->val[a].reg = -1;    /* its last use */
	x->in[0][RDX] = 0;
	d = xr_def(x, (ref)x->i);
	vex_gpr(&x->a, 2, 3, 0xf6, 64, i->op == O_mul ? RDX : d, i->op == O_mul ? d : RDX, b);
	xr_set(x, x->val[x->i].pair, RDX);
}

int
x_mul(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), ra, rb, d;
	struct mem ma = {0}, mb = {0};
	ref last = i->b;
	s64 k;

	if (x->val[x->i].flags & VAL_MAKES) {
		mul_both(x, i);
		return 1;
	}
	if (keepflags(x) && x86feat.bmi2 && i->ty >= I32) {
		mul_quietly(x, i);
		return 1;
	}
	xf_save(x);
	ra = xr_usem(x, i->a, w, &ma);
	if (x_isk(x, i->b, &k) && (w == 32 || fits32(k))) {
		d = xr_def(x, (ref)x->i);
		if (ra < 0 && xr_waits(x, i->a))
			mov_rm(&x->a, 64, ra = d, ma);
		if (ra < 0)
			op_rm(&x->a, 0x69, w, d, ma, 4), put4(&x->a, (u32)k);
		else
			imul_rri(&x->a, w, d, ra, (s32)k);
	} else {
		rb = xr_usem(x, i->b, w, &mb);
		d = xr_def(x, (ref)x->i);
		if (rb >= 0 && d == rb && d != ra) {
			last = i->a;
			rb = ra;
			mb = ma;
		} else if (ra >= 0 && ra != d && rb < 0 && !isk(i->b) && xr_waits(x, i->b)) {
			mov_rm(&x->a, 64, d, mb);
			rb = ra;
		} else {
			mov_whole(x, w, d, ra, ma);
		}
		if (rb < 0)
			rb = xr_hurry(x, last, mb);
		if (rb < 0)
			imul_rm(&x->a, w, d, mb);
		else
			imul_rr(&x->a, w, d, rb);
	}
	if (i->ty < I32)
		movzx_rr(&x->a, ty_bits(i->ty), d, d);
	return 1;
}

/* A value of 32 bits or less in a scratch register, extended to 64. */
static int
extended(struct x86 *x, ref t, int ty, int issigned)
{
	int s = xr_use(x, t, 32), d = xr_tmp(x);

	if (issigned)
		movsx_rr(&x->a, ty_bits(ty), 64, d, s);
	else
		movzx_rr(&x->a, ty_bits(ty), d, s);
	return d;
}

/* The high half of a narrow product is part of the 64-bit product. */
static int
mulh_narrow(struct x86 *x, const struct ins *i, int asigned, int bsigned)
{
	int n = ty_bits(i->ty), d, rb;

	struct mem m = m_cpu(offsetof(struct cpu, scratch[4]));        /* few temporaries: one factor waits here */

	d = extended(x, i->a, i->ty, asigned);
	mov_mr(&x->a, 64, m, d);
	rb = xr_use(x, i->b, 32);
	if (bsigned)
		movsx_rr(&x->a, n, 64, d, rb);
	else
		movzx_rr(&x->a, n, d, rb);
	imul_rm(&x->a, 64, d, m);
	shift_ri(&x->a, S_SHR, 64, d, n);
	if (n == 32)
		mov_rr(&x->a, 32, d, d);
	else
		movzx_rr(&x->a, n, d, d);
	xr_set(x, (ref)x->i, d);
	return 1;
}

int
x_mulh(struct x86 *x, const struct ins *i)
{
	int issigned = i->op == O_mulhs, rb, d;
	struct mem m;

	if (x->val[x->i].flags & VAL_MAKES) {
		mul_both(x, i);
		return 1;
	}
	if (i->ty != I64 || issigned || !x86feat.bmi2)
		xf_save(x);
	if (i->ty != I64)
		return mulh_narrow(x, i, issigned, issigned);
	if (!issigned && x86feat.bmi2) {
		xr_usein(x, i->a, RDX, 64);
		rb = xr_use(x, i->b, 64);
		d = xr_def(x, (ref)x->i);
		vex_gpr(&x->a, 2, 3, 0xf6, 64, d, d, rb);      /* mulx d, d, rb */
		return 1;
	}
	xr_take(x, RDX);
	xr_usein(x, i->a, RAX, 64);
	rb = xr_usem(x, i->b, 64, &m);
	if (rb >= 0)
		op_rr(&x->a, 0xf7, 64, issigned ? 5 : 4, rb);
	else
		op_rm(&x->a, 0xf7, 64, issigned ? 5 : 4, m, 0);
	xr_set(x, (ref)x->i, RDX);
	return 1;
}

int
x_mulhsu(struct x86 *x, const struct ins *i)
{
	struct mem m = m_cpu(offsetof(struct cpu, scratch[4]));
	int rb;

	if (i->ty != I64)
		return mulh_narrow(x, i, 1, 0);
	xr_take(x, RDX);
	xr_usein(x, i->a, RAX, 64);
	rb = xr_use(x, i->b, 64);
	mov_mr(&x->a, 64, m, RAX);
	op_rr(&x->a, 0xf7, 64, 4, rb);         /* unsigned product, less b * 2^64 if a is negative */
	mov_rm(&x->a, 64, RAX, m);
	shift_ri(&x->a, S_SAR, 64, RAX, 63);
	alu_rr(&x->a, A_AND, 64, RAX, rb);
	alu_rr(&x->a, A_SUB, 64, RDX, RAX);
	xr_set(x, (ref)x->i, RDX);
	return 1;
}

/* -- division: the cases on which the host traps are sorted out before -- */
static void
divide(struct x86 *x, int w, int issigned, int rb)
{
	if (issigned)
		rex_r(&x->a, w, 0, 0), put1(&x->a, 0x99);      /* cdq, cqo */
	else
		alu_rr(&x->a, A_XOR, 32, RDX, RDX);
	op_rr(&x->a, 0xf7, w, issigned ? 7 : 6, rb);
}

int
x_divu(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), rb, rem = i->op == O_remu;
	u8 *go, *end;

	if (i->ty < I32)
		return 0;
	xr_take(x, RDX);
	xr_usein(x, i->a, RAX, w);
	rb = xr_use(x, i->b, w);
	if (isk(i->b)) {
		if (!(kval(x->r, i->b) << (64 - w))) {         /* x / 0 = 0, x % 0 = x */
			if (rem)
				mov_rr(&x->a, w, RDX, RAX);
			else
				mov_ri(&x->a, RAX, 0);
		} else {
			divide(x, w, 0, rb);
		}
	} else {
		test_rr(&x->a, w, rb, rb);
		go = jcc_8(&x->a, JNE);
		if (rem)
			mov_rr(&x->a, w, RDX, RAX);
		else
			mov_ri(&x->a, RAX, 0);
		end = jmp_8(&x->a);
		rel8_here(&x->a, go);
		divide(x, w, 0, rb);
		rel8_here(&x->a, end);
	}
	xr_set(x, (ref)x->i, rem ? RDX : RAX);
	return 1;
}

/* For b = 0 the quotient is 0 and the remainder a, for b = -1 they are -a and 0: a * b and a & ~b. */
int
x_divs(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), rb, rem = i->op == O_rems;
	u8 *go, *end;

	if (i->ty < I32)
		return 0;
	xr_take(x, RDX);
	xr_usein(x, i->a, RAX, w);
	rb = xr_use(x, i->b, w);
	lea(&x->a, w, RDX, mem_at(rb, 1));
	alu_ri(&x->a, A_CMP, w, RDX, 1);
	go = jcc_8(&x->a, JA);
	if (rem) {
		mov_rr(&x->a, w, RDX, rb);
		not_r(&x->a, w, RDX);
		alu_rr(&x->a, A_AND, w, RDX, RAX);
	} else {
		imul_rr(&x->a, w, RAX, rb);
	}
	end = jmp_8(&x->a);
	rel8_here(&x->a, go);
	divide(x, w, 1, rb);
	rel8_here(&x->a, end);
	xr_set(x, (ref)x->i, rem ? RDX : RAX);
	return 1;
}

int
x_minmax(struct x86 *x, const struct ins *i)
{
	static const s8 cc[O_COUNT] = { [O_smin] = JG, [O_smax] = JL, [O_umin] = JA, [O_umax] = JB };
	int w = opwidth(i), ra, rb, d;

	if (i->ty < I32)
		return 0;
	ra = xr_use(x, i->a, w);
	rb = xr_use(x, i->b, w);
	d = xr_def(x, (ref)x->i);
	alu_rr(&x->a, A_CMP, w, ra, rb);
	if (d == rb) {                         /* b stays unless a is the one */
		cmov_rr(&x->a, cc[i->op] ^ 1, w, d, ra);
		return 1;
	}
	mov_any(x, w, d, ra, (struct mem){0});
	cmov_rr(&x->a, cc[i->op], w, d, rb);
	return 1;
}

int
x_abs(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), ra, d;

	if (i->ty < I32)
		return 0;
	ra = xr_use(x, i->a, w);
	d = xr_tmp(x);
	mov_rr(&x->a, w, d, ra);
	neg_r(&x->a, w, d);
	cmov_rr(&x->a, JS, w, d, ra);          /* the negation is negative: a was not (or is the least) */
	xr_set(x, (ref)x->i, d);
	return 1;
}
