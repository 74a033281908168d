/* SPDX-License-Identifier: MIT */
/* flags.c - values of type FL: in EFLAGS as long as possible, else in the form `lahf; seto al` gives
 *
 * EFLAGS hold at most one FL value, x->fl.  Their carry is the borrow after a subtraction, the
 * opposite of the IR's C: x->flkind remembers.  In registers and memory C is always the IR's,
 * and bits 1-7 are zero. */
#include "backend/x86_64/int.h"

void
xf_def(struct x86 *x, ref t, enum flkind kind)
{
	x->fl = t;
	x->flkind = (u8)kind;
}

/* rax = the flags after ucomis, as IR flags: greater C, less N, equal Z C, unordered C V */
static void
save_fcmp(struct code *a, int t)
{
	mov_ri(a, RAX, FL_C);
	mov_ri(a, t, FL_N);
	cmov_rr(a, JB, 32, RAX, t);
	mov_ri(a, t, FL_Z | FL_C);
	cmov_rr(a, JE, 32, RAX, t);
	mov_ri(a, t, FL_C | FL_V);
	cmov_rr(a, JP, 32, RAX, t);
}

/* EFLAGS to rax; EFLAGS still hold the value afterwards.  t: scratch, for FLK_FCMP */
static void
to_rax(struct x86 *x, int t)
{
	if (x->flkind == FLK_FCMP) {
		save_fcmp(&x->a, t);
		return;
	}
	if (x->flkind == FLK_SUB) {
		put1(&x->a, 0xf5);     /* cmc */
		x->flkind = FLK_ADD;
	}
	put1(&x->a, 0x9f);             /* lahf */
	setcc_r(&x->a, JO, RAX);
}

static int
kept(const struct x86 *x, ref t)
{
	const struct val *v = &x->val[t];

	return v->reg >= 0 || v->slot || v->var != NOVAR;
}

/* The home is told the flags it is owed, which are in rax. */
static void
pay(struct x86 *x)
{
	int var = x->r->guest->flags;

	mov_mr(&x->a, 64, mem_at(RBP, x86_home[var].disp), RAX);
	val_inhome(x, x->owedflags, var);
	x->owedflags = 0;
	if (x->mapped)
		x_map(x);
}

/* Instruction k makes flags, by itself or with a value, or loses the host's. */
static int
makesflags(const struct x86 *x, int k)
{
	const struct val *v = &x->val[k];
	int op = x->r->ins[k].op;

	if (v->flags & VAL_MAKES)
		return x->val[v->pair].ty == FL;
	return op == O_adc || op == O_sbc || (v->ty == FL && !(v->flags & (VAL_DEAD | VAL_PAIRED)));
}

/* Whether the home need not be told the flags that i puts and EFLAGS hold: they stay there until others are made, and
 * from there to the next put nothing can fault. */
static int
owes(struct x86 *x, const struct ins *i)
{
	enum { NEAR = 24 };            /* instructions for whose sake EFLAGS are kept */
	struct val *v = &x->val[i->a];
	int next = x->val[x->i].last, make = v->last;

	if (!next || make <= x->i || x->flkind == FLK_FCMP)
		return 0;
	while (!makesflags(x, make) && make < next)
		if (make++ == v->last + NEAR)
			return 0;
	for (int k = make + 1; k < next; k++)
		if (opinfo[x->r->ins[k].op].traits & (READ | WRITE))
			return 0;
	v->last = (u16)make;
	return 1;
}

/* With rax locked by an operand the value goes to a slot, around it. */
static void
save_to_slot(struct x86 *x)
{
	struct mem s1 = m_cpu(offsetof(struct cpu, scratch[5])), s2 = m_cpu(offsetof(struct cpu, scratch[0]));
	struct val *v = &x->val[x->fl];
	int n;

	for (n = 0; n < NRSLOT - 1 && x->slot[0][n] && x->val[x->slot[0][n]].last >= x->i; n++)
		;
	x->slot[0][n] = x->fl;
	v->slot = (u8)(n + 1);
	mov_mr(&x->a, 64, s1, RAX);
	mov_mr(&x->a, 64, s2, RCX);
	to_rax(x, RCX);
	if (x->fl == x->owedflags)
		pay(x);
	mov_mr(&x->a, 64, m_cpu(offsetof(struct cpu, spill) + 8 * (size_t)n), RAX);
	mov_rm(&x->a, 64, RAX, s1);
	mov_rm(&x->a, 64, RCX, s2);
}

void
xf_save(struct x86 *x)
{
	ref t = x->fl;

	if (t && (x->val[t].last > x->i || (x->nested && x->val[t].last == x->i)) && !kept(x, t)) {
		if (x->lock[0]) {
			save_to_slot(x);
		} else {
			u32 lock = x->lock[0];

			xr_take(x, RAX);
			to_rax(x, x->flkind == FLK_FCMP ? xr_tmp(x) : 0);
			x->lock[0] = lock;
			x->in[0][RAX] = t;
			x->val[t].reg = RAX;
			if (t == x->owedflags)
				pay(x);
		}
	}
	/* An operand of this very instruction stays: nobody asks for it later. */
	if (x->nested || x->val[t].last != x->i)
		x->fl = 0;
}

/* ... though this instruction is the last to need it */
static void
force_save(struct x86 *x)
{
	u8 nested = x->nested;

	x->nested = 1;
	xf_save(x);
	x->nested = nested;
}

void
xf_save_cold(struct x86 *x, enum flkind kind)
{
	x->flkind = (u8)kind;
	to_rax(x, RCX);
}

void
xf_put(struct x86 *x, const struct ins *i)
{
	struct mem home = mem_at(RBP, x86_home[i->v].disp);
	ref t = i->a;

	x->owedflags = 0;
	if (isk(t)) {
		val_leavehome(x, i->v);
		mov_mi(&x->a, 64, home, (s32)(kval(x->r, t) & (FL_NZCV | FL_P | FL_A)));
		return;
	}
	if (x->val[t].var == i->v)
		return;
	if (x->fl == t && !kept(x, t) && owes(x, i)) {
		val_leavehome(x, i->v);
		x->owedflags = t;
		return;
	}
	if (x->fl == t && !kept(x, t)) {
		xr_take(x, RAX);
		to_rax(x, x->flkind == FLK_FCMP ? xr_tmp(x) : 0);
		val_leavehome(x, i->v);
		mov_mr(&x->a, 64, home, RAX);
	} else {
		int s = xr_use(x, t, 64);

		val_leavehome(x, i->v);
		mov_mr(&x->a, 64, home, s);
	}
	val_inhome(x, t, i->v);
}

/* EFLAGS = ax.  Adding 127 to al, which is 0 or 1, overflows (as a byte) if it is 1. */
static void
from_ax(struct code *a)
{
	put2(a, 0x7f04);               /* add al, 127 */
	put1(a, 0x9e);                 /* sahf */
}

/* Brings t to EFLAGS. */
static void
to_eflags(struct x86 *x, ref t)
{
	if (x->fl == t && t)
		return;
	xf_save(x);
	xr_usein(x, t, RAX, 64);
	from_ax(&x->a);
	x->fl = isk(t) ? 0 : t;
	x->flkind = FLK_ADD;
	x->in[0][RAX] = 0;
	x->lock[0] &= ~(1u << RAX);
	if (!isk(t) && x->val[t].reg == RAX)
		x->val[t].reg = -1;
}

/* -- conditions -- */
struct cond { s8 cc, cc2, and; };

static const struct cond after_sub[14] = {
	{JE, -1, 0}, {JNE, -1, 0}, {JAE, -1, 0}, {JB, -1, 0}, {JS, -1, 0}, {JNS, -1, 0}, {JO, -1, 0},
	{JNO, -1, 0}, {JA, -1, 0}, {JBE, -1, 0}, {JGE, -1, 0}, {JL, -1, 0}, {JG, -1, 0}, {JLE, -1, 0},
};
static const struct cond after_fcmp[14] = {
	[CC_EQ] = {JE, JNP, 1}, [CC_NE] = {JNE, JP, 0}, [CC_CS] = {JAE, JP, 0}, [CC_CC] = {JB, JNP, 1},
	[CC_MI] = {JB, JNP, 1}, [CC_PL] = {JAE, JP, 0}, [CC_VS] = {JP, -1, 0}, [CC_VC] = {JNP, -1, 0},
	[CC_HI] = {JA, JP, 0}, [CC_LS] = {JBE, JNP, 1}, [CC_GE] = {JAE, -1, 0}, [CC_LT] = {JB, -1, 0},
	[CC_GT] = {JA, -1, 0}, [CC_LE] = {JBE, -1, 0},
};

int x_condition(int cc) { return after_sub[cc].cc; }

/* One flag of a value that is not in EFLAGS is tested where it is. */
static int
test_bit(struct x86 *x, ref t, int cc)
{
	static const u16 bit[4] = {FL_Z, FL_C, FL_N, FL_V};
	u32 b = bit[cc >> 1];
	struct mem m;
	int s;

	xf_save(x);
	s = xr_usem(x, t, 64, &m);
	if (s >= 0) {
		test_ri(&x->a, 32, s, (s32)b);
	} else {
		op_rm(&x->a, 0xf7, 32, 0, m, 4);
		put4(&x->a, b);
	}
	return cc & 1 ? JE : JNE;
}

int
xf_cond(struct x86 *x, ref t, int cc, int *cc2, int *and)
{
	const struct cond *c;

	*cc2 = -1;
	*and = 0;
	if (x->fl != t && cc <= CC_VC && !isk(t) && kept(x, t))
		return test_bit(x, t, cc);
	to_eflags(x, t);
	if (x->flkind == FLK_FCMP) {
		c = &after_fcmp[cc];
		*cc2 = c->cc2;
		*and = c->and;
		return c->cc;
	}
	if (x->flkind == FLK_ADD) {
		if (cc == CC_CS || cc == CC_CC)
			return cc == CC_CS ? JB : JAE;
		if (cc == CC_HI || cc == CC_LS) {
			put1(&x->a, 0xf5);     /* cmc: then as after a subtraction */
			x->flkind = FLK_SUB;
		}
	}
	return after_sub[cc].cc;
}

/* Makes CF the IR's C (inverse = 0) or its opposite, for adc and sbb. */
static void
carry_of(struct x86 *x, ref t, int inverse)
{
	to_eflags(x, t);
	if (x->flkind == FLK_FCMP) {   /* never seen: through memory */
		force_save(x);
		to_eflags(x, t);
	}
	if ((x->flkind == FLK_SUB) != inverse) {
		put1(&x->a, 0xf5);
		x->flkind = inverse ? FLK_SUB : FLK_ADD;
	}
}

int
xf_setcc(struct x86 *x, int cc, int cc2, int and, int d)
{
	if (cc2 < 0) {
		setcc_r(&x->a, cc, d);
		movzx_rr(&x->a, 8, d, d);
		return d;
	}
	/* d = cc; if cc2 decides, d = that: mov keeps the flags */
	setcc_r(&x->a, cc, d);
	u8 *skip = jcc_8(&x->a, and ? cc2 : cc2 ^ 1);
	mov_ri(&x->a, d, and ? 0 : 1);
	rel8_here(&x->a, skip);
	movzx_rr(&x->a, 8, d, d);
	return d;
}

/* -- emitters -- */
int
x_fcc(struct x86 *x, const struct ins *i)
{
	int cc2, and, cc, d;

	if (i->v >= CC_AL) {
		mov_ri(&x->a, xr_def(x, (ref)x->i), 1);
		return 1;
	}
	cc = xf_cond(x, i->a, i->v, &cc2, &and);
	d = xr_defx(x, (ref)x->i);
	xf_setcc(x, cc, cc2, and, d);
	return 1;
}

/* Flags of narrow operands: the operands at the top of 32 bits give the same N Z C V. */
static void
narrow_flags(struct x86 *x, const struct ins *i, enum alu op)
{
	int n = 32 - ty_bits(i->ty);
	int a = xr_use(x, i->a, 32), b = i->b ? xr_use(x, i->b, 32) : -1;
	int t = xr_tmp(x), u;

	mov_rr(&x->a, 32, t, a);
	shift_ri(&x->a, S_SHL, 32, t, n);
	if (b < 0) {
		test_rr(&x->a, 32, t, t);
		return;
	}
	if (a < NRTEMP || b < NRTEMP) {        /* few temporaries: via memory */
		struct mem m = m_cpu(offsetof(struct cpu, scratch[4]));

		mov_mr(&x->a, 64, m, t);
		mov_rr(&x->a, 32, t, b);
		shift_ri(&x->a, S_SHL, 32, t, n);
		mov_mr(&x->a, 64, m_cpu(offsetof(struct cpu, scratch[3])), t);
		mov_rm(&x->a, 32, t, m);
		alu_rm(&x->a, op, 32, t, m_cpu(offsetof(struct cpu, scratch[3])));
		return;
	}
	u = xr_tmp(x);
	mov_rr(&x->a, 32, u, b);
	shift_ri(&x->a, S_SHL, 32, u, n);
	alu_rr(&x->a, op, 32, t, u);
}

/* flsub, fladd, flsbc, fladc that no value shares */
int
x_flarith(struct x86 *x, const struct ins *i)
{
	int w = i->ty == I64 ? 64 : 32, sub = i->op == O_flsub || i->op == O_flsbc, a, b;
	enum alu op = i->op == O_flsub ? A_CMP : i->op == O_fladd ? A_ADD : i->op == O_flsbc ? A_SBB : A_ADC;
	struct mem m;
	s64 k;
	int isimm = x_isk(x, i->b, &k) && (w == 32 || fits32(k));

	if (i->ty < I32) {
		if (i->c)
			return 0;
		narrow_flags(x, i, op);
		xf_def(x, (ref)x->i, sub ? FLK_SUB : FLK_ADD);
		return 1;
	}
	if (op == A_ADD && isimm && (s32)k && (s32)k != INT32_MIN) {   /* the same as subtracting the opposite */
		op = A_CMP;
		sub = 1;
		k = -(s64)(s32)k;
	}
	if (i->c)
		carry_of(x, i->c, sub);
	a = op == A_CMP ? xr_usem(x, i->a, w, &m) : xr_use(x, i->a, w);
	if (op != A_CMP) {
		int t = xr_tmp(x);

		mov_rr(&x->a, w, t, a);
		a = t;
	}
	if (isimm) {
		if (a < 0)
			alu_mi(&x->a, op, w, m, (s32)k);
		else if (op == A_CMP && !(w == 32 ? (s32)k : k))
			test_rr(&x->a, w, a, a);       /* CF = 0 = no borrow, OF = 0 */
		else
			alu_ri(&x->a, op, w, a, (s32)k);
	} else if (a < 0) {
		alu_mr(&x->a, op, w, m, xr_use(x, i->b, w));
	} else if ((b = xr_usem(x, i->b, w, &m)) >= 0) {
		alu_rr(&x->a, op, w, a, b);
	} else {
		alu_rm(&x->a, op, w, a, m);
	}
	xf_def(x, (ref)x->i, sub ? FLK_SUB : FLK_ADD);
	return 1;
}

int
x_fltst(struct x86 *x, const struct ins *i)
{
	const struct ins *d = &x->r->ins[i->a & ~REF_K];
	int w = i->ty == I64 ? 64 : 32, a, b;
	struct mem m;
	s64 k;

	if (i->ty < I32) {
		narrow_flags(x, i, A_AND);
	} else if (!isk(i->a) && x->val[i->a].flags & VAL_FOLD) {
		a = xr_usem(x, d->a, w, &m);
		if (x_isk(x, d->b, &k) && (w == 32 || fits32(k))) {
			if (a >= 0) {
				test_ri(&x->a, w, a, (s32)k);
			} else {
				op_rm(&x->a, 0xf7, w, 0, m, 4);
				put4(&x->a, (u32)k);
			}
		} else if (a < 0) {
			op_rm(&x->a, 0x85, w, xr_use(x, d->b, w), m, 0);
		} else {
			b = xr_use(x, d->b, w);
			test_rr(&x->a, w, a, b);
		}
	} else {
		a = xr_use(x, i->a, w);
		test_rr(&x->a, w, a, a);
	}
	xf_def(x, (ref)x->i, FLK_ADD);         /* CF = OF = 0 */
	return 1;
}

/* A product left to us is made before anything else has a register. */
static void
left_product(struct x86 *x, ref t)
{
	if (!isk(t) && x->val[t].flags & VAL_FOLD)
		xr_done(x, xr_use(x, t, 64));
}

/* A number that is nothing but the carry of flags that are in memory or a register. */
static int
carry_alone(struct x86 *x, const struct ins *i)
{
	struct mem m;
	int s, d;

	if (x->fl == i->c || isk(i->c) || x->val[x->i].flags & VAL_MAKES || i->op != O_adc || !isk(i->a) || !isk(i->b) ||
	    kval(x->r, i->a) || kval(x->r, i->b))
		return 0;
	s = xr_usem(x, i->c, 64, &m);
	d = xr_def(x, (ref)x->i);
	mov_any(x, 64, d, s, m);
	shift_ri(&x->a, S_SHR, 32, d, 8);
	alu_ri(&x->a, A_AND, 32, d, FL_C >> 8);
	return 1;
}

/* adc and sbc; with VAL_MAKES their flags too */
int
x_adc(struct x86 *x, const struct ins *i)
{
	struct val *v = &x->val[x->i];
	int w = i->ty == I64 ? 64 : 32, sub = i->op == O_sbc, a, b = -1, d, isimm;
	struct mem ma = {0}, mb = {0};
	ref rb = i->b;
	s64 k;

	if (i->ty < I32)
		return 0;
	if (carry_alone(x, i))
		return 1;
	left_product(x, i->a);
	left_product(x, i->b);
	carry_of(x, i->c, sub);
	isimm = x_isk(x, i->b, &k) && (w == 32 || fits32(k));
	a = isk(i->a) && isimm ? -1 : xr_usem(x, i->a, w, &ma);
	if (!isimm)
		b = xr_usem(x, i->b, w, &mb);
	d = xr_def(x, (ref)x->i);
	if (isk(i->a) && isimm) {
		mov_ri(&x->a, a = d, w == 32 ? (u32)kval(x->r, i->a) : kval(x->r, i->a));
	} else if (b >= 0 && b == d && a != d) {      /* b is in place */
		if (sub) {
			mov_rr(&x->a, w, b = xr_tmp(x), d);
		} else {
			b = a;
			mb = ma;
			rb = i->a;
			a = d;
		}
	}
	mov_any(x, w, d, a, ma);
	if (!isimm && b < 0)
		b = xr_hurry(x, rb, mb);
	if (isimm)
		alu_ri(&x->a, sub ? A_SBB : A_ADC, w, d, (s32)k);
	else if (b >= 0)
		alu_rr(&x->a, sub ? A_SBB : A_ADC, w, d, b);
	else
		alu_rm(&x->a, sub ? A_SBB : A_ADC, w, d, mb);
	x->fl = 0;
	if (v->flags & VAL_MAKES)
		xf_def(x, v->pair, sub ? FLK_SUB : FLK_ADD);
	return 1;
}

int
x_flbits(struct x86 *x, const struct ins *i)
{
	int s, d;

	force_save(x);
	s = xr_use(x, i->a, 64);
	d = xr_def(x, (ref)x->i);
	mov_rr(&x->a, 32, d, s);
	alu_ri(&x->a, A_AND, 32, d, FL_NZCV);
	return 1;
}

/* Both values exist: a conditional move between them in the form for general registers. */
static void
flsel_plain(struct x86 *x, const struct ins *i)
{
	int cc, cc2, and, b, t;

	force_save(x);
	t = xr_use(x, i->b, 64);
	b = xr_take(x, RDX);           /* a copy: a may be the same value, whose register xf_cond spoils */
	mov_rr(&x->a, 64, b, t);
	xr_done(x, t == b ? -1 : t);
	cc = xf_cond(x, i->a, i->v, &cc2, &and);
	t = xr_tmp(x);
	mov_ri(&x->a, t, (u32)i->imm & FL_NZCV);
	if (cc2 >= 0 && and) {
		u8 *skip = jcc_8(&x->a, cc ^ 1);

		cmov_rr(&x->a, cc2, 64, t, b);
		rel8_here(&x->a, skip);
	} else {
		cmov_rr(&x->a, cc, 64, t, b);
		if (cc2 >= 0)
			cmov_rr(&x->a, cc2, 64, t, b);
	}
	xr_set(x, (ref)x->i, t);
}

/* the comparison d, as operands a and b or k */
static void
compare_now(struct x86 *x, const struct ins *d, int a, int b, s32 k)
{
	int w = d->ty == I64 ? 64 : 32;

	if (d->op == O_fladd) {
		mov_rr(&x->a, w, RAX, a);
		a = RAX;
	}
	if (b >= 0)
		alu_rr(&x->a, d->op == O_fladd ? A_ADD : A_CMP, w, a, b);
	else
		alu_ri(&x->a, d->op == O_fladd ? A_ADD : A_CMP, w, a, k);
}

int
x_flset(struct x86 *x, const struct ins *i)
{
	int s, d;

	s = xr_use(x, i->a, 64);
	d = xr_tmp(x);
	mov_rr(&x->a, 32, d, s);
	alu_ri(&x->a, A_AND, 32, d, FL_NZCV);
	xr_set(x, (ref)x->i, d);
	return 1;
}

/* flsel: condition v of a holds: b, else imm.  b is usually a comparison left to us: it is made only
 * if the condition holds, as the guest's conditional compare does. */
int
x_flsel(struct x86 *x, const struct ins *i)
{
	const struct ins *d = &x->r->ins[i->b & ~REF_K];
	int cc, cc2, and, w = d->ty == I64 ? 64 : 32, a, b = -1;
	u8 *other, *other2 = 0, *both = 0, *end;
	s64 k = 0;

	if (isk(i->b) || !(x->val[i->b].flags & VAL_FOLD) || i->v >= CC_AL) {
		flsel_plain(x, i);
		return 1;
	}
	cc = xf_cond(x, i->a, i->v, &cc2, &and);
	x->lock[0] = 0;
	xr_take(x, RAX);
	a = xr_use(x, d->a, w);
	if (!x_isk(x, d->b, &k) || (w == 64 && !fits32(k)))
		b = xr_use(x, d->b, w);
	if (cc2 >= 0 && !and)
		both = jcc_8(&x->a, cc);
	other = jcc_8(&x->a, (cc2 >= 0 && !and ? cc2 : cc) ^ 1);
	if (cc2 >= 0 && and)
		other2 = jcc_8(&x->a, cc2 ^ 1);
	if (both)
		rel8_here(&x->a, both);
	compare_now(x, d, a, b, (s32)k);
	end = jmp_8(&x->a);
	rel8_here(&x->a, other);
	if (other2)
		rel8_here(&x->a, other2);
	mov_ri(&x->a, RAX, ((u32)i->imm & FL_NZCV) ^ (d->op == O_flsub ? FL_C : 0));
	from_ax(&x->a);
	rel8_here(&x->a, end);
	xf_def(x, (ref)x->i, d->op == O_flsub ? FLK_SUB : FLK_ADD);
	return 1;
}
