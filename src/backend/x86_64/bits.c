/* SPDX-License-Identifier: MIT */
/* bits.c - counting, swapping, extracting and depositing bits */
#include "backend/x86_64/int.h"
#include "backend/x86_64/vec.h"

/* F3 0F op: lzcnt, tzcnt, popcnt */
static void
count(struct x86 *x, u32 op, int w, int d, int s, struct mem m)
{
	if (s < 0)
		op0f_rm(&x->a, 0xf3, op, w, d, m, 0);
	else
		op0f_rr(&x->a, 0xf3, op, w, d, s);
}

/* Leading zeros of s at w bits without lzcnt; d != s. */
static void
clz_bsr(struct x86 *x, int w, int d, int s)
{
	mov_ri(&x->a, d, (u64)(2 * w - 1));    /* bsr leaves d alone for 0 (both vendors do) ... */
	op0f_rr(&x->a, 0, 0xbd, w, d, s);      /* ... so that the xor makes it w */
	u8 *skip = jcc_8(&x->a, JNE);

	mov_ri(&x->a, d, (u64)(2 * w - 1));
	rel8_here(&x->a, skip);
	alu_ri(&x->a, A_XOR, w, d, w - 1);
}

int
x_clz(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), s, d;
	struct mem m = {0};

	if (x86feat.lzcnt) {
		s = xr_usem(x, i->a, w, &m);
		d = xr_def(x, (ref)x->i);
		count(x, 0xbd, w, d, s, m);
	} else {
		s = xr_use(x, i->a, w);
		d = xr_tmp(x);
		clz_bsr(x, w, d, s);
		xr_set(x, (ref)x->i, d);
	}
	if (i->ty < I32)
		alu_ri(&x->a, A_SUB, 32, d, 32 - ty_bits(i->ty));
	return 1;
}

int
x_ctz(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), s, d;

	s = xr_use(x, i->a, w);
	d = xr_tmp(x);
	if (i->ty < I32) {                     /* a bit above the type stops the count */
		mov_rr(&x->a, 32, d, s);
		op0f_rr(&x->a, 0, 0xba, 32, 5, d), put1(&x->a, (u32)ty_bits(i->ty));   /* bts */
		s = d;
	}
	if (x86feat.bmi1) {
		count(x, 0xbc, w, d, s, (struct mem){0});
	} else {
		op0f_rr(&x->a, 0, 0xbc, w, d, s);
		u8 *skip = jcc_8(&x->a, JNE);

		mov_ri(&x->a, d, (u64)w);
		rel8_here(&x->a, skip);
	}
	xr_set(x, (ref)x->i, d);
	return 1;
}

/* sign bits below the top one: leading zeros of a ^ (a >> 1, arithmetic), less the one at the top */
int
x_cls(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), s, t, d;

	if (i->ty < I32)
		return 0;
	s = xr_use(x, i->a, w);
	t = xr_tmp(x);
	mov_rr(&x->a, w, t, s);
	shift_ri(&x->a, S_SAR, w, t, 1);
	alu_rr(&x->a, A_XOR, w, t, s);
	if (x86feat.lzcnt) {
		d = t;
		count(x, 0xbd, w, d, t, (struct mem){0});
	} else {
		d = xr_tmp(x);
		clz_bsr(x, w, d, t);
	}
	alu_ri(&x->a, A_SUB, w, d, 1);
	xr_set(x, (ref)x->i, d);
	return 1;
}

int
x_popcnt(struct x86 *x, const struct ins *i)
{
	struct mem m = {0};
	int s = xr_usem(x, i->a, opwidth(i), &m);

	count(x, 0xb8, opwidth(i), xr_def(x, (ref)x->i), s, m);
	return 1;
}

/* -- swaps -- */
static int
unary(struct x86 *x, const struct ins *i)
{
	struct mem m = {0};
	int s = xr_usem(x, i->a, opwidth(i), &m), d = xr_def(x, (ref)x->i);

	mov_any(x, opwidth(i), d, s, m);
	return d;
}

static void
bswap_r(struct code *a, int w, int d)
{
	rex_r(a, w, 0, d);
	put2(a, 0xc80f | (u32)(d & 7) << 8);
}

int
x_bswap(struct x86 *x, const struct ins *i)
{
	int d = unary(x, i);

	if (i->ty == I8)
		return 1;
	bswap_r(&x->a, opwidth(i), d);
	if (i->ty == I16)
		shift_ri(&x->a, S_SHR, 32, d, 16);
	return 1;
}

/* d = (d & mask) << n | d >> n & mask */
void
x_swapgroups(struct x86 *x, int w, int d, int t, u64 mask, int n)
{
	struct mem m = xv_const(mask, mask);

	mov_rr(&x->a, w, t, d);
	shift_ri(&x->a, S_SHR, w, t, n);
	alu_rm(&x->a, A_AND, w, t, m);
	alu_rm(&x->a, A_AND, w, d, m);
	shift_ri(&x->a, S_SHL, w, d, n);
	alu_rr(&x->a, A_OR, w, d, t);
}

int
x_bswap16(struct x86 *x, const struct ins *i)
{
	int s = xr_use(x, i->a, opwidth(i)), d = xr_tmp(x), t = xr_tmp(x);

	mov_rr(&x->a, opwidth(i), d, s);
	x_swapgroups(x, opwidth(i), d, t, 0x00ff00ff00ff00ff, 8);
	xr_set(x, (ref)x->i, d);
	return 1;
}

int
x_bswap32(struct x86 *x, const struct ins *i)
{
	int d;

	if (i->ty != I64)
		return 0;
	d = unary(x, i);
	bswap_r(&x->a, 64, d);
	shift_ri(&x->a, S_ROR, 64, d, 32);
	return 1;
}

int
x_rbit(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), s = xr_use(x, i->a, w), d = xr_tmp(x), t;

	if (x86feat.gfni && x86feat.avx) {     /* within bytes */
		t = xv_tmp(x);
		v2(&x->a, V_MOVQ, t, s);
		v3mi(&x->a, V_GF2P8AFFINE, t, t, krep(0x8040201008040201, 64), 0);
		v2(&x->a, V_MOVQ_ST, t, d);
		bswap_r(&x->a, w, d);
	} else {
		t = xr_tmp(x);
		mov_rr(&x->a, w, d, s);
		bswap_r(&x->a, w, d);
		x_swapgroups(x, w, d, t, 0x0f0f0f0f0f0f0f0f, 4);
		x_swapgroups(x, w, d, t, 0x3333333333333333, 2);
		x_swapgroups(x, w, d, t, 0x5555555555555555, 1);
	}
	if (i->ty < I32)
		shift_ri(&x->a, S_SHR, 32, d, 32 - ty_bits(i->ty));
	xr_set(x, (ref)x->i, d);
	return 1;
}

/* -- fields -- */

/* d = the low n bits of d at w bits; needs the flags */
static void
zero_above(struct x86 *x, int w, int d, int n)
{
	if (n == 8 || n == 16 || (n == 32 && w == 64))
		movzx_rr(&x->a, n, d, d);
	else if (n < 32)
		alu_ri(&x->a, A_AND, 32, d, (s32)((1u << n) - 1));
	else if (n < w) {
		shift_ri(&x->a, S_SHL, w, d, w - n);
		shift_ri(&x->a, S_SHR, w, d, w - n);
	}
}

/* A move from another register that clears all above 8 or 32 bits takes no time, within one a cycle (Golden Cove). */
int
x_zxt(struct x86 *x, const struct ins *i)
{
	struct mem m = {0};
	int n = i->imm, s, d;

	if (n != 8 && n != 16 && n != 32)
		xf_save(x);
	s = xr_usem(x, i->a, n > 32 ? 64 : 32, &m);
	d = (n == 8 || n == 32) && xr_isfree(x) ? xr_defx(x, (ref)x->i) : xr_def(x, (ref)x->i);
	if (n == 8 || n == 16 || n == 32) {
		if (s < 0 && n < 32 && xr_waits(x, i->a))
			mov_rm(&x->a, 64, s = d, m);
		if (s < 0)
			movzx_rm(&x->a, n, d, m);
		else
			movzx_rr(&x->a, n, d, s);
	} else {
		mov_any(x, n > 32 ? 64 : 32, d, s, m);
		zero_above(x, n > 32 ? 64 : 32, d, n);
	}
	return 1;
}

/* The word is in the home that is to hold it extended, and stays there as the low half of that. */
static int
sxt_in_place(struct x86 *x, const struct ins *i)
{
	int var = x->val[x->i].want, reg = var == NOVAR ? -1 : x86_home[var].reg;
	struct val *v = &x->val[i->a & ~REF_K];

	if (reg < 0 || isk(i->a) || i->ty != I64 || v->flags & (VAL_FOLD | VAL_NARROW) || v->ty != I32 || v->reg >= 0 ||
	    v->var != var || v->var2 != NOVAR)
		return 0;
	for (int n = 0; n < 4 && x->homed[var][n]; n++)
		if (x->homed[var][n] != i->a && xlive(x, x->homed[var][n]))
			return 0;
	movsx_rr(&x->a, 32, 64, reg, reg);
	v->flags |= VAL_NARROW;
	val_inhome(x, (ref)x->i, var);
	return 1;
}

int
x_sxt(struct x86 *x, const struct ins *i)
{
	struct mem m = {0};
	int n = i->imm, w = opwidth(i), s, d;

	if (n == 32 && sxt_in_place(x, i))
		return 1;
	if (n == 8 || n == 16 || n == 32) {
		s = xr_usem(x, i->a, 32, &m);
		d = xr_def(x, (ref)x->i);
		if (s < 0 && xr_waits(x, i->a))
			mov_rm(&x->a, 64, s = d, m);
		if (s < 0)
			movsx_rm(&x->a, n, w, d, m);
		else
			movsx_rr(&x->a, n, w, d, s);
	} else {
		xf_save(x);
		s = xr_usem(x, i->a, w, &m);
		d = xr_def(x, (ref)x->i);
		mov_any(x, w, d, s, m);
		shift_ri(&x->a, S_SHL, w, d, w - n);
		shift_ri(&x->a, S_SAR, w, d, w - n);
	}
	if (i->ty < I32)
		movzx_rr(&x->a, ty_bits(i->ty), d, d);
	return 1;
}

/* s, or m if it is -1, rotated right to another register, d; 0 if that takes more than one instruction. */
static int
turned(struct x86 *x, int w, int d, int s, struct mem m, int n)
{
	if (!x86feat.bmi2 || s == d)
		return 0;
	if (s >= 0)
		rorx(&x->a, w, d, s, n);
	else
		rorx_m(&x->a, 64, d, m, n);   /* all of it: see mov_whole */
	return 1;
}

int
x_bfx(struct x86 *x, const struct ins *i)
{
	int w = i->v + i->imm <= 32 ? 32 : 64, s, d;
	struct mem m = {0};

	s = xr_usem(x, i->a, i->ty == I64 ? w : 32, &m);
	d = xr_def(x, (ref)x->i);
	if (i->v && i->v + i->imm < w && i->imm <= 32 && turned(x, w, d, s, m, i->v)) {
		zero_above(x, w, d, i->imm);
		return 1;
	}
	if (i->v && i->ty == I64)
		mov_whole(x, w, d, s, m);
	else
		mov_any(x, w, d, s, m);
	if (i->v + i->imm < w && i->imm > 32) {
		shift_ri(&x->a, S_SHL, w, d, w - i->imm - i->v);
		shift_ri(&x->a, S_SHR, w, d, w - i->imm);
		return 1;
	}
	if (i->v)
		shift_ri(&x->a, S_SHR, w, d, i->v);
	if (i->v + i->imm < w)
		zero_above(x, w, d, i->imm);
	return 1;
}

/* Value t is shifted down, and the sign extension of its n low bits. */
static int
isshort(const struct x86 *x, ref t, int n)
{
	const struct ins *i = &x->r->ins[t & ~REF_K];

	return !isk(t) && i->op == O_sar && i->ty == I64 && isk(i->b) && 64 - (int)(kval(x->r, i->b) & 63) <= n;
}

/* A field below a bit that moves extend from is extended before it is shifted.  What was stored with 64 bits is not
 * loaded with less than 32: hosts do not forward that. */
int
x_sbfx(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), top = i->v + i->imm, s, d;
	int quick = top < w && (top == 8 || top == 16 || top == 32) && !isshort(x, i->a, top);
	struct mem m = {0};

	s = quick && top < 32 ? xr_use(x, i->a, top) : xr_usem(x, i->a, quick ? top : w, &m);
	d = xr_def(x, (ref)x->i);
	if (quick) {
		if (s < 0)
			movsx_rm(&x->a, top, w, d, m);
		else
			movsx_rr(&x->a, top, w, d, s);
		if (i->v)
			shift_ri(&x->a, S_SAR, w, d, i->v);
	} else if (isshort(x, i->a, top)) {
		mov_any(x, w, d, s, m);
		shift_ri(&x->a, S_SAR, w, d, i->v);
	} else if ((i->imm == 8 || i->imm == 16) && top < w && turned(x, w, d, s, m, i->v)) {
		movsx_rr(&x->a, i->imm, w, d, d);
	} else {
		mov_any(x, w, d, s, m);
		if (top < w)
			shift_ri(&x->a, S_SHL, w, d, w - top);
		if (w - i->imm)
			shift_ri(&x->a, S_SAR, w, d, w - i->imm);
	}
	if (i->ty < I32)
		movzx_rr(&x->a, ty_bits(i->ty), d, d);
	return 1;
}

/* d &= mask, any mask */
static void
and_mask(struct x86 *x, int w, int d, u64 mask)
{
	if (w == 32 || fits32((s64)mask))
		alu_ri(&x->a, A_AND, w, d, (s32)mask);
	else if (mask == (u32)mask)
		alu_ri(&x->a, A_AND, 32, d, (s32)(u32)mask);
	else
		alu_rm(&x->a, A_AND, 64, d, xv_const(mask, mask));
}

int
x_dep(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), n = i->imm, at = i->v, d, t, s;
	u64 field = (~(u64)0 >> (64 - n)) << at;
	struct mem m = {0};
	s64 k = 0;

	if (x_isk(x, i->b, &k)) {              /* a constant field: and, or */
		u64 set = ((u64)k << at) & field;

		s = xr_usem(x, i->a, w, &m);
		d = xr_def(x, (ref)x->i);
		mov_any(x, w, d, s, m);
		if (set != field)
			and_mask(x, w, d, ~field);
		if (set && (w == 32 || fits32((s64)set)))
			alu_ri(&x->a, A_OR, w, d, (s32)set);
		else if (set)
			alu_rm(&x->a, A_OR, 64, d, xv_const(set, set));
		return 1;
	}
	s = xr_usem(x, i->b, w, &m);
	t = xr_tmp(x);
	mov_any(x, w, t, s, m);
	xr_done(x, s);
	if (at + n < w)
		zero_above(x, w, t, n);
	if (at)
		shift_ri(&x->a, S_SHL, w, t, at);
	if (!isk(i->a)) {
		s = xr_usem(x, i->a, w, &m);
		d = xr_def(x, (ref)x->i);
		mov_any(x, w, d, s, m);
	} else {
		d = xr_def(x, (ref)x->i);
		mov_ri(&x->a, d, w == 32 ? (u32)kval(x->r, i->a) : kval(x->r, i->a));
	}
	and_mask(x, w, d, ~field);
	alu_rr(&x->a, A_OR, w, d, t);
	if (i->ty < I32)
		movzx_rr(&x->a, ty_bits(i->ty), d, d);
	return 1;
}

/* (a:b) >> imm with the flags left alone */
static void
extr_quietly(struct x86 *x, const struct ins *i)
{
	int w = ty_bits(i->ty), s = xr_use(x, i->b, w), t = xr_tmp(x), d;

	mov_ri(&x->a, t, (u64)i->imm);
	shiftx(&x->a, S_SHR, w, t, s, t);
	xr_done(x, s);
	s = xr_use(x, i->a, w);
	if (i->imm == w - 1) {
		lea(&x->a, w, xr_def(x, (ref)x->i), (struct mem){(s8)t, (s8)s, 1, 0, 0});
		return;
	}
	d = xr_defx(x, (ref)x->i);
	mov_ri(&x->a, d, (u64)(w - i->imm));
	shiftx(&x->a, S_SHL, w, d, s, d);
	lea(&x->a, w, d, (struct mem){(s8)t, (s8)d, 0, 0, 0});
}

/* (a:b) >> imm by shifts: shrd is slow on half of the hosts */
int
x_extr(struct x86 *x, const struct ins *i)
{
	int w = ty_bits(i->ty), s, d, t;
	struct mem m = {0};

	if (i->ty < I32 || !i->imm)
		return 0;
	if (keepflags(x) && x86feat.bmi2) {
		extr_quietly(x, i);
		return 1;
	}
	xf_save(x);
	s = xr_usem(x, i->a, w, &m);
	t = xr_tmp(x);
	mov_any(x, w, t, s, m);
	xr_done(x, s);
	shift_ri(&x->a, S_SHL, w, t, w - i->imm);
	s = xr_usem(x, i->b, w, &m);
	d = xr_def(x, (ref)x->i);
	mov_any(x, w, d, s, m);
	shift_ri(&x->a, S_SHR, w, d, i->imm);
	alu_rr(&x->a, A_OR, w, d, t);
	return 1;
}

int
x_crc32(struct x86 *x, const struct ins *i)
{
	int s, b, t;

	if (!i->v || !x86feat.sse42)
		return 0;
	s = xr_use(x, i->a, 32);
	b = xr_use(x, i->b, i->imm == 64 ? 64 : 32);
	t = xr_tmp(x);
	mov_rr(&x->a, 32, t, s);
	if (i->imm == 16)
		put1(&x->a, 0x66);
	put1(&x->a, 0xf2);
	put1(&x->a, 0x40 | (i->imm == 64 ? 8u : 0u) | (u32)(t >> 1 & 4) | (u32)(b >> 3));
	put1(&x->a, 0x0f);
	put2(&x->a, i->imm == 8 ? 0xf038 : 0xf138);
	modrm_r(&x->a, t, b);
	xr_set(x, (ref)x->i, t);
	return 1;
}
