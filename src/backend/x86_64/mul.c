/* SPDX-License-Identifier: MIT */
/* mul.c - multiplication, division, minimum and maximum */
#include "backend/x86_64/int.h"

/* hi, lo = rdx * (s or m); the flags stay */
static void
mulx(struct x86 *x, int w, int hi, int lo, int s, struct mem m)
{
	if (s < 0)
		vex_gprm(&x->a, 2, 3, 0xf6, w, hi, lo, m);
	else
		vex_gpr(&x->a, 2, 3, 0xf6, w, hi, lo, s);
}

/* The factor goes to rdx, where it stays for the next product if it lives on. */
static void
to_rdx(struct x86 *x, ref t, int w)
{
	if (!isk(t) && x->val[t].reg == RDX) {
		x->lock[0] |= 1u << RDX;
		return;
	}
	xr_usein(x, t, RDX, w);
	if (!isk(t) && w == 64 && x->val[t].reg < 0 && xlive(x, t))
		xr_set(x, t, RDX);
}

static int
inrdx(const struct x86 *x, ref t)
{
	return !isk(t) && x->val[t].reg == RDX;
}

/* One half of the product, and the other one if that is a value.  In rdx is the factor that lives longer: that of all
 * the products of a long number. */
static void
mul_x(struct x86 *x, const struct ins *i, ref other)
{
	ref a = i->a, b = i->b;
	struct mem m = {0};
	int w = opwidth(i), s, d, o;

	if (!isk(b) && !inrdx(x, a) && (isk(a) || inrdx(x, b) || x->val[b].last > x->val[a].last)) {
		a = i->b;
		b = i->a;
	}
	to_rdx(x, a, w);
	s = xr_usem(x, b, w, &m);
	d = o = xr_def(x, (ref)x->i);
	if (d != RDX)
		xr_done(x, RDX);       /* may be given up, if there is no other */
	if (other)
		o = xr_def(x, other);
	else if (i->op == O_mul)
		o = xr_tmp(x);
	x->lock[0] |= 1u << RDX;
	if (s < 0)
		s = xr_hurry(x, b, m);
	mulx(x, w, i->op == O_mul ? o : d, i->op == O_mul ? d : o, s, m);
}

int
x_mul(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), ra, rb, d;
	struct mem ma = {0}, mb = {0};
	ref last = i->b;
	s64 k;

	if (x->val[x->i].flags & VAL_MAKES || (keepflags(x) && x86feat.bmi2 && i->ty >= I32)) {
		mul_x(x, i, x->val[x->i].flags & VAL_MAKES ? x->val[x->i].pair : 0);
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
	int issigned = i->op == O_mulhs, rb;
	struct mem m;

	if (i->ty == I64 && !issigned && x86feat.bmi2) {
		mul_x(x, i, x->val[x->i].flags & VAL_MAKES ? x->val[x->i].pair : 0);
		return 1;
	}
	xf_save(x);
	if (i->ty != I64)
		return mulh_narrow(x, i, issigned, issigned);
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
