/* SPDX-License-Identifier: MIT */
/* int.c - integer arithmetic, logic, shifts
 *
 * Operands of 8 and 16 bits are computed in 32 and cut afterwards.  Where EFLAGS hold a value that is
 * used later, an emitter without SEL_CLOB looks for a form that keeps them (lea, BMI2). */
#include "backend/x86_64/int.h"

static int isfold(const struct x86 *x, ref t) { return !isk(t) && x->val[t].flags & VAL_FOLD; }
static int imm32(struct x86 *x, ref t, int w, s64 *k) { return x_isk(x, t, k) && (w == 32 || fits32(*k)); }

static void
cut(struct x86 *x, const struct ins *i, int d)
{
	if (i->ty < I32)
		movzx_rr(&x->a, ty_bits(i->ty), d, d);
}

/* A variable in memory is changed in place by a constant: add [home], k.  a must be its present value, and the new one
 * not be wanted again soon, but by a branch, which is predicted.  (Golden Cove: a chain of these takes a cycle each, of
 * add [home], reg eight; one of mov, add, mov again one.) */
static int
in_memory(struct x86 *x, const struct ins *i, enum alu op, ref a, ref b)
{
	struct val *v = &x->val[x->i];
	s64 k = 0;

	if (v->uses > 1 + (x->r->ins[v->last].op == O_brc) || v->want == NOVAR ||
	    x86_home[v->want].reg >= 0 || x86_home[v->want].kind != REG_INT || i->ty != I64 || isk(a) ||
	    x->val[a].var != v->want || x->val[a].reg >= 0 || x->val[a].flags & VAL_NARROW || !imm32(x, b, 64, &k))
		return 0;
	val_leavehome(x, v->want);
	alu_mi(&x->a, op, 64, mem_at(RBP, x86_home[v->want].disp), (s32)k);
	val_inhome(x, (ref)x->i, v->want);
	return 1;
}

/* d = d op the operand t, in register r or in memory */
static void
alu_any(struct x86 *x, enum alu op, int w, int d, ref t, int r, struct mem m)
{
	if (r < 0)
		r = xr_hurry(x, t, m);
	if (r >= 0)
		alu_rr(&x->a, op, w, d, r);
	else
		alu_rm(&x->a, op, w, d, m);
}

/* d = a op b, where d is b's register and not a's */
static void
alu_over_b(struct x86 *x, enum alu op, int w, int d, ref a, int ra, struct mem ma)
{
	int t;

	if (op != A_SUB) {
		alu_any(x, op, w, d, a, ra, ma);
		return;
	}
	t = xr_tmp(x);
	mov_whole(x, w, t, ra, ma);
	alu_rr(&x->a, op, w, t, d);
	mov_rr(&x->a, w, d, t);
}

static void
alu2(struct x86 *x, const struct ins *i, enum alu op, ref a, ref b)
{
	int w = opwidth(i), ra = -2, rb = -1, d, isimm;
	struct mem ma = {0}, mb = {0};
	s64 k;

	if (in_memory(x, i, op, a, b) || (op != A_SUB && in_memory(x, i, op, b, a)))
		return;
	isimm = imm32(x, b, w, &k);
	if (!isk(a))
		ra = xr_usem(x, a, w, &ma);
	if (!isimm)
		rb = xr_usem(x, b, w, &mb);
	d = xr_def(x, (ref)x->i);
	if (d == rb && op == A_SUB && !(x->val[x->i].flags & VAL_MAKES) && imm32(x, a, w, &k)) {
		neg_r(&x->a, w, d);
		alu_ri(&x->a, A_ADD, w, d, (s32)k);
		return;
	}
	if (isk(a) && d == rb)
		mov_ri(&x->a, ra = xr_tmp(x), kval(x->r, a));
	if (rb >= 0 && d == rb && d != ra) {
		alu_over_b(x, op, w, d, a, ra, ma);
		return;
	}
	if (!isimm && rb < 0 && ra >= 0 && d != ra && op != A_SUB && xr_waits(x, b)) {
		mov_rm(&x->a, 64, d, mb);
		alu_rr(&x->a, op, w, d, ra);
		return;
	}
	if (isk(a))
		mov_ri(&x->a, d, w == 32 ? (u32)kval(x->r, a) : kval(x->r, a));
	else
		mov_whole(x, w, d, ra, ma);
	if (isimm)
		alu_ri(&x->a, op, w, d, (s32)k);
	else
		alu_any(x, op, w, d, b, rb, mb);
}

/* The operation just emitted, on so many bits, has set ZF by its result. */
static void
zf_tells(struct x86 *x, int bits)
{
	x->zf.t = (ref)x->i;
	x->zf.bits = bits;
	x->zf.at = x->a.p;
}

/* -- add, sub -- */

/* a value whose flags are wanted too */
static void
add_making_flags(struct x86 *x, const struct ins *i)
{
	const struct val *v = &x->val[x->i];
	const struct ins *f = &x->r->ins[v->pair];
	int sub = f->op == O_flsub;

	xf_save(x);
	alu2(x, i, sub ? A_SUB : A_ADD, i->a, sub ? f->b : i->b);
	xf_def(x, v->pair, sub ? FLK_SUB : FLK_ADD);
}

/* d = other + (n << s): n is a shift left to us */
static void
add_shifted(struct x86 *x, const struct ins *i, ref n, ref other)
{
	const struct ins *sh = &x->r->ins[n];
	struct mem m = {.base = NOREG, .scale = (u8)kval(x->r, sh->b)};
	s64 k;

	m.index = (s8)xr_use(x, sh->a, opwidth(i));
	if (x_isk(x, other, &k) && fits32(k))
		m.disp = (s32)k;
	else
		m.base = (s8)xr_use(x, other, opwidth(i));
	lea(&x->a, opwidth(i), xr_def(x, (ref)x->i), m);
}

/* other + set, or other - set: a relation left to us, or told by CF, is the host's carry or its opposite */
static void
add_carry(struct x86 *x, const struct ins *i, ref set, ref other)
{
	struct mem m = {0};
	int w = opwidth(i), known = x->cf.at == x->a.p, s, d, not;
	u32 lock;

	xf_save(x);
	s = xr_usem(x, other, w, &m);
	if (known)                     /* operands come by moves, or lose cf.t */
		x->cf.at = x->a.p;
	lock = x->lock[0];
	not = x_carry(x, &x->r->ins[set]);
	x->lock[0] = lock;             /* what was compared is done with */
	d = xr_def(x, (ref)x->i);
	mov_whole(x, w, d, s, m);
	alu_ri(&x->a, (i->op == O_sub) != not ? A_SBB : A_ADC, w, d, -not);
}

/* add by lea: three operands, flags kept */
static void
add_lea(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), ra = xr_use(x, i->a, w), d;
	struct mem m = mem_at(ra, 0);
	s64 k;

	if (imm32(x, i->b, w, &k))
		m.disp = (s32)k;
	else
		m.index = (s8)xr_use(x, i->b, w);
	d = xr_def(x, (ref)x->i);
	if (keepflags(x) || (d != ra && d != m.index && !x_carrywanted(x))) {
		lea(&x->a, w, d, m);
	} else {
		if (d != ra && d != m.index)
			mov_rr(&x->a, w, d, ra);
		if (m.index == NOREG)
			alu_ri(&x->a, A_ADD, w, d, m.disp);
		else
			alu_rr(&x->a, A_ADD, w, d, d == m.index ? ra : m.index);
		x_carrymade(x, i);
	}
	cut(x, i, d);
}

/* The carry that `next` takes from CF is not wanted as a value any more. */
static void
carry_taken(struct x86 *x, ref next)
{
	const struct ins *n = &x->r->ins[next];
	ref set = n->a == x->i ? n->b : n->a;

	for (const struct ins *i = &x->r->ins[x->i]; i < n; i++)
		if (i->op == O_put && i->a == set)
			return;
	if (x->val[set].last == next)
		x->val[set].last = (u16)x->i;
}

/* a + b, if that is used otherwise, and `next`, which adds the carry to it, without waiting for it. */
static void
add_next(struct x86 *x, const struct ins *i, ref next)
{
	int w = opwidth(i), ra = xr_use(x, i->a, w), rb = -1, d;
	struct mem sum = mem_at(ra, 0);
	s64 k;

	if (imm32(x, i->b, w, &k))
		sum.disp = (s32)k;
	else
		sum.index = (s8)(rb = xr_use(x, i->b, w));
	carry_taken(x, next);
	d = x->val[x->i].uses > 1 ? xr_defx(x, next) : xr_def(x, next);
	if (d == rb) {
		rb = ra;
	} else if (d != ra) {
		mov_rr(&x->a, w, d, ra);
	}
	if (rb < 0)
		alu_ri(&x->a, A_ADC, w, d, sum.disp);
	else
		alu_rr(&x->a, A_ADC, w, d, rb);
	xr_done(x, d);                 /* may be given up, if there is no other */
	if (x->val[x->i].uses > 1)
		lea(&x->a, w, xr_def(x, (ref)x->i), sum);
	x->val[next].flags |= VAL_PAIRED;
	x->cf.t = 0;
	x->cf.until = 0;
}

/* The value t is a carry that CF says. */
static int
incf(const struct x86 *x, ref t, ref other)
{
	return !isk(t) && x->r->ins[t].op == O_set && x_carryknown(x, &x->r->ins[t]) && !isk(other) && !isfold(x, other);
}

/* n is left to us. */
static void
add_taken(struct x86 *x, const struct ins *i, ref n, ref other)
{
	if (x->r->ins[n].op == O_set)
		add_carry(x, i, n, other);
	else
		add_shifted(x, i, n, other);
}

static void
cut_result(struct x86 *x, const struct ins *i)
{
	if (i->ty < I32) {
		int d = x->val[x->i].reg;

		if (d < 0)
			d = x86_home[x->val[x->i].var].reg;
		cut(x, i, d);
	}
}

int
x_add(struct x86 *x, const struct ins *i)
{
	const struct ins *d = &x->r->ins[i->a & ~REF_K];
	struct ins sum = *i;
	int next;
	s64 k;

	if (isfold(x, i->a) && d->op == O_add && !(x->val[x->i].flags & VAL_MAKES)) {
		sum.a = d->a;
		sum.b = ir_k(x->r, zext(kval(x->r, d->b) + kval(x->r, i->b), ty_bits(i->ty)));
		i = &sum;
	}

	if (x->val[x->i].flags & VAL_MAKES) {
		add_making_flags(x, i);
		return 1;
	}
	if (i->ty >= I32 && isfold(x, i->b)) {
		add_taken(x, i, i->b, i->a);
	} else if (i->ty >= I32 && isfold(x, i->a)) {
		add_taken(x, i, i->a, i->b);
	} else if (i->ty >= I32 && i != &sum && (next = x_carrynext(x))) {
		add_next(x, i, (ref)next);
	} else if (i->ty >= I32 && incf(x, i->b, i->a)) {
		add_carry(x, i, i->b, i->a);
	} else if (i->ty >= I32 && incf(x, i->a, i->b)) {
		add_carry(x, i, i->a, i->b);
	} else if (keepflags(x) || (xr_isreg(x, i->a) && (imm32(x, i->b, opwidth(i), &k) || xr_isreg(x, i->b)))) {
		add_lea(x, i);
	} else {
		alu2(x, i, A_ADD, i->a, i->b);
		x_carrymade(x, i);
		cut_result(x, i);
	}
	return 1;
}

/* a - b = a + ~b + 1, which leaves the flags alone */
static void
sub_quietly(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), t = xr_tmp(x), b;
	struct mem m = {0};

	b = xr_usem(x, i->b, w, &m);
	mov_any(x, w, t, b, m);
	xr_done(x, b);
	not_r(&x->a, w, t);
	m = mem_at(xr_use(x, i->a, w), 1);
	m.index = (s8)t;
	lea(&x->a, w, xr_def(x, (ref)x->i), m);
}

int
x_sub(struct x86 *x, const struct ins *i)
{
	const struct val *v = &x->val[x->i];

	if (!(v->flags & VAL_MAKES) && (isfold(x, i->b) || (i->ty >= I32 && incf(x, i->b, i->a)))) {
		add_carry(x, i, i->b, i->a);
		return 1;
	}
	if (keepflags(x) && !(v->flags & VAL_MAKES) && i->ty >= I32) {
		sub_quietly(x, i);
		return 1;
	}
	xf_save(x);
	alu2(x, i, A_SUB, i->a, i->b);
	if (v->flags & VAL_MAKES) {
		xf_def(x, v->pair, FLK_SUB);
		return 1;
	}
	x_carrymade(x, i);
	cut_result(x, i);
	if (i->ty >= I32)
		zf_tells(x, opwidth(i));
	return 1;
}

/* -- logic -- */
int
x_logic(struct x86 *x, const struct ins *i)
{
	enum alu op = i->op == O_and ? A_AND : i->op == O_or ? A_OR : A_XOR;
	const struct val *v = &x->val[x->i];
	struct ins narrow;
	s64 k;

	if (op == A_AND && i->ty == I64 && x_isk(x, i->b, &k) && k == (u32)k && !(v->flags & VAL_MAKES)) {
		narrow = *i;           /* the upper half becomes zero by itself */
		narrow.ty = I32;
		i = &narrow;
	}
	alu2(x, i, op, i->a, i->b);
	if (v->flags & VAL_MAKES)
		xf_def(x, v->pair, FLK_ADD);   /* CF = OF = 0 */
	zf_tells(x, opwidth(i));
	return 1;
}

int
x_andn(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), ra, rb, d;
	struct mem m;

	if (x86feat.bmi1) {
		ra = xr_use(x, i->a, w);
		rb = xr_use(x, i->b, w);
		d = xr_def(x, (ref)x->i);
		vex_gpr(&x->a, 2, 0, 0xf2, w, d, rb, ra);
		return 1;
	}
	ra = xr_usem(x, i->a, w, &m);
	rb = xr_use(x, i->b, w);
	d = xr_tmp(x);
	mov_rr(&x->a, w, d, rb);
	not_r(&x->a, w, d);
	if (ra < 0)
		alu_rm(&x->a, A_AND, w, d, m);
	else
		alu_rr(&x->a, A_AND, w, d, ra);
	xr_set(x, (ref)x->i, d);
	return 1;
}

int
x_orn(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), ra, rb, d;
	struct mem ma, mb;

	ra = xr_usem(x, i->a, w, &ma);
	rb = xr_usem(x, i->b, w, &mb);
	d = xr_tmp(x);
	mov_any(x, w, d, rb, mb);
	not_r(&x->a, w, d);
	if (ra < 0)
		alu_rm(&x->a, A_OR, w, d, ma);
	else
		alu_rr(&x->a, A_OR, w, d, ra);
	cut(x, i, d);
	xr_set(x, (ref)x->i, d);
	return 1;
}

static int
unary(struct x86 *x, const struct ins *i)
{
	struct mem m;
	int s = xr_usem(x, i->a, opwidth(i), &m), d = xr_def(x, (ref)x->i);

	mov_whole(x, opwidth(i), d, s, m);
	return d;
}

int
x_not(struct x86 *x, const struct ins *i)
{
	int d = unary(x, i);

	not_r(&x->a, opwidth(i), d);
	cut(x, i, d);
	return 1;
}

int
x_neg(struct x86 *x, const struct ins *i)
{
	int d = unary(x, i);

	neg_r(&x->a, opwidth(i), d);
	cut(x, i, d);
	return 1;
}

int
x_mov(struct x86 *x, const struct ins *i)
{
	struct mem m;
	int w = opwidth(i), s = xr_usem(x, i->a, w, &m), d = xr_def(x, (ref)x->i);

	if (w == 32 && s >= 0)
		mov_rr(&x->a, 32, d, s);
	else
		mov_any(x, w, d, s, m);
	return 1;
}

/* -- shifts -- */
static enum shop shop_of(const struct ins *i) { return i->op == O_shl ? S_SHL : i->op == O_shr ? S_SHR : S_SAR; }

/* the operand of a shift in the result's register, extended as the shift needs it */
static int
shift_operand(struct x86 *x, const struct ins *i, int distinct)
{
	struct mem m;
	int s, d;

	s = xr_usem(x, i->a, opwidth(i), &m);
	d = distinct ? xr_defx(x, (ref)x->i) : xr_def(x, (ref)x->i);
	mov_whole(x, opwidth(i), d, s, m);
	if (i->ty < I32 && i->op == O_sar)
		movsx_rr(&x->a, ty_bits(i->ty), 32, d, d);
	return d;
}

static int
shift_k(struct x86 *x, const struct ins *i, int n)
{
	int keep = keepflags(x), w = opwidth(i), d, s, c;

	if (i->op == O_shl && i->ty >= I32 && xr_isreg(x, i->a) && (n == 1 || (keep && n <= 3))) {
		s = xr_use(x, i->a, w);
		d = xr_def(x, (ref)x->i);
		if (n == 1)
			lea(&x->a, w, d, (struct mem){(s8)s, (s8)s, 0, 0, 0});
		else
			lea(&x->a, w, d, (struct mem){NOREG, (s8)s, (u8)n, 0, 0});
		return 1;
	}
	if (keep && x86feat.bmi2 && i->ty >= I32) {
		s = xr_use(x, i->a, w);
		d = xr_def(x, (ref)x->i);
		c = d == s ? xr_tmp(x) : d;    /* two registers: who adds the result may have the third */
		mov_ri(&x->a, c, (u64)n);
		shiftx(&x->a, shop_of(i), w, d, s, c);
		return 1;
	}
	xf_save(x);
	d = shift_operand(x, i, 0);
	shift_ri(&x->a, shop_of(i), w, d, n);
	cut(x, i, d);
	if (n && i->ty >= I32)
		zf_tells(x, w);
	return 1;
}

int
x_shift(struct x86 *x, const struct ins *i)
{
	int w = opwidth(i), a, b, d;
	s64 k;

	if (x_isk(x, i->b, &k))
		return shift_k(x, i, (int)k & (ty_bits(i->ty) - 1));
	if (x86feat.bmi2 && i->ty >= I32) {
		a = isk(i->a) ? xr_kept(x, i->a) : -1;
		if (a < 0)
			a = xr_use(x, i->a, w);
		b = xr_use(x, i->b, 32);
		shiftx(&x->a, shop_of(i), w, xr_def(x, (ref)x->i), a, b);
		return 1;
	}
	xf_save(x);
	xr_usein(x, i->b, RCX, 32);
	if (i->ty < I32)
		alu_ri(&x->a, A_AND, 32, RCX, ty_bits(i->ty) - 1);
	d = shift_operand(x, i, 1);
	shift_cl(&x->a, shop_of(i), w, d);
	cut(x, i, d);
	return 1;
}

int
x_rotr(struct x86 *x, const struct ins *i)
{
	int w = ty_bits(i->ty), d, s;
	s64 k = 0;

	if (x_isk(x, i->b, &k) && w >= 32 && x86feat.bmi2) {
		s = xr_use(x, i->a, w);
		rorx(&x->a, w, xr_def(x, (ref)x->i), s, (int)k & (w - 1));
		return 1;
	}
	xf_save(x);
	if (!isk(i->b))
		xr_usein(x, i->b, RCX, 32);
	d = shift_operand(x, i, 1);
	if (w == 16)
		put1(&x->a, 0x66);
	if (w == 8 && d >= 4)
		put1(&x->a, 0x40 | (u32)(d >> 3));
	else
		rex_r(&x->a, w, 0, d);
	put1(&x->a, (isk(i->b) ? 0xc1u : 0xd3u) - (w == 8));
	modrm_r(&x->a, S_ROR, d);
	if (isk(i->b))
		put1(&x->a, (u32)k & (u32)(w - 1));
	return 1;
}
