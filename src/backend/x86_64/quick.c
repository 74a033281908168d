/* SPDX-License-Identifier: MIT */
/* quick.c - the quick tier: code for one instruction at a time (base/host.h)
 *
 * Between instructions all variables are in their homes, flags too, in the form `lahf; seto al` leaves (flags.c); the
 * next instruction may still find them in EFLAGS.
 * Within one, rax or its home holds what is computed, rcx and rdx operands.  What is not simple comes as IR and is left
 * to the emitters of the other tier, which are told that it is a block. */
#include <errno.h>
#include "backend/x86_64/quick.h"

static const u8 *flagged;               /* code that ends here leaves the guest's flags in EFLAGS */

#define REGISTER(r) {(u64)(0xc0 | (r & 7)) << 16 | r >> 3, (r & 7) << 19 | (r >> 1 & 4), 3, r}
const struct arg quick_reg[NRTEMP] = {REGISTER(RAX), REGISTER(RCX), REGISTER(RDX)};
struct arg quick_home[NONE];
static const struct guest *ofguest;     /* whose it is */

/* What most operations are: those of two operands, and shifts by an immediate; the others that must be done in rax */
enum { OTHER, ALU, SHIFT, INRAX };
static const struct { u8 form, digit; } forms[O_COUNT] = {
	[O_add] = {ALU, A_ADD}, [O_sub] = {ALU, A_SUB}, [O_and] = {ALU, A_AND}, [O_or] = {ALU, A_OR}, [O_xor] = {ALU, A_XOR},
	[O_shl] = {SHIFT, S_SHL}, [O_shr] = {SHIFT, S_SHR}, [O_sar] = {SHIFT, S_SAR}, [O_rotr] = {SHIFT, S_ROR},
	[O_mulhu] = {INRAX, 4}, [O_mulhs] = {INRAX, 5}, [O_divu] = {INRAX, 6}, [O_divs] = {INRAX, 7}, [O_remu] = {INRAX, 6},
	[O_rems] = {INRAX, 7},
};

static void
prepare(const struct guest *g)
{
	const struct arg base = REGISTER(RBP);

	for (int var = 0; var < g->nreg; var++) {
		const struct home *h = &x86_home[var];

		quick_home[var] = h->reg < 0 || h->kind != REG_INT ? arg_at(&base, h->disp) : (struct arg)REGISTER(h->reg);
	}
	ofguest = g;
}

void
quick_room(struct out *o)
{
	enum { LINKS = 3 };            /* of a call */

	while (o->capmap < o->nmap + QUICK_MOST)
		grow(&o->map, o->capmap, &o->capmap, sizeof *o->map);
	while (o->caplink < o->nlink + LINKS * (QUICK_MOST + 1))
		grow(&o->link, o->caplink, &o->caplink, sizeof *o->link);
}

void
quick_copy(struct code *a, int var, int w, int tmp)
{
	if (var == NONE)
		mov_ri(a, tmp, 0);
	else if (quick_home[var].reg != tmp)
		a->p = op_at(a->p, w == 64 ? REXW : 0, 0x8b, field_of(tmp), &quick_home[var]);
}

/* rcx and EFLAGS are lost. */
int
quick_set(struct x86 *x, int var, u64 v)
{
	const struct arg *d = &quick_home[var];

	if (var == NONE)
		return 1;
	if (d->reg >= 0 && !v) {
		x->a.p = op_at(x->a.p, 0, 0x33, d->field, d);  /* xor d, d */
	} else if (d->reg >= 0 && v == (u32)v) {
		u8 *p = x->a.p;

		*p = 0x41;
		p += d->reg >> 3;
		*p = (u8)(0xb8 | (d->reg & 7));
		st32(p + 1, (u32)v);
		x->a.p = p + 5;
	} else if (fits32((s64)v)) {
		x->a.p = op64_at(x->a.p, 0xc7, 0, d);
		put4(&x->a, (u32)v);
	} else {
		mov_ri(&x->a, d->reg >= 0 ? d->reg : RCX, v);
		if (d->reg < 0)
			quick_put(&x->a, var, RCX);
	}
	return 1;
}

void
quick_widen(struct code *a, const struct simple *s, int var, int w, int tmp)
{
	int r = quick_get(a, var, 32, tmp);

	if (s->fromsign)
		movsx_rr(a, s->from, w, tmp, r);
	else
		movzx_rr(a, s->from, tmp, r);
}

/* rcx = b, shifted and extended */
static void
changed(struct code *a, const struct simple *s, int w)
{
	enum shop how = s->how == O_shr ? S_SHR : s->how == O_sar ? S_SAR : s->how ? S_ROR : S_SHL;

	if (s->from)
		quick_widen(a, s, s->b, w, RCX);
	else
		quick_copy(a, s->b, w, RCX);
	if (s->shift)
		shift_ri(a, how, w, RCX, s->shift);
}

/* op d, the second operand */
static void
alu(struct code *a, const struct simple *s, enum alu op, int w, int d)
{
	if (s->b != NONE && !s->changed) {
		a->p = op_at(a->p, quick_rex(s), (u32)op << 3 | 3, field_of(d), &quick_home[s->b]);
	} else if (s->b == NONE && (w == 32 || fits32(s->imm))) {
		alu_ri(a, op, w, d, (s32)s->imm);
	} else {
		if (s->b == NONE)
			mov_ri(a, RCX, (u64)s->imm);
		else
			changed(a, s, w);
		alu_rr(a, op, w, d, RCX);
	}
}

static void
shift(struct code *a, const struct simple *s, enum shop op, int w, int d)
{
	if (s->b != NONE) {
		quick_copy(a, s->b, 32, RCX);
		shift_cl(a, op, w, d);
	} else if (s->imm & (w - 1)) {
		shift_ri(a, op, w, d, (int)s->imm & (w - 1));
	}
}

static void
inverted(struct code *a, const struct simple *s, enum alu op, int w, int d)
{
	changed(a, s, w);
	not_r(a, w, RCX);
	alu_rr(a, op, w, d, RCX);
}

/* rax = EFLAGS as a value: cmc; lahf; seto al */
static void
saved(struct code *a, int borrow)
{
	st64(a->p, borrow ? 0xc0900f9ff5 : 0xc0900f9f);
	a->p += borrow ? 5 : 4;
}

static void
flags(struct x86 *x, int borrow)
{
	saved(&x->a, borrow);
	quick_put(&x->a, x->r->guest->flags, RAX);
	flagged = x->a.p;
}

int
quick_condition(struct x86 *x, int cc)
{
	struct code *a = &x->a;

	if (a->p != flagged) {
		quick_copy(a, x->r->guest->flags, 32, RAX);
		st32(a->p, 0x9e7f04);          /* add al, 127: overflows if al is 1; sahf */
		a->p += 3;
	}
	if (cc == CC_HI || cc == CC_LS)
		put1(a, 0xf5);         /* cmc */
	return cc == CC_CS ? JB : cc == CC_CC ? JAE : x_condition(cc);
}

/* The high half of a product. */
static void
high(struct code *a, const struct simple *s, int w)
{
	op_rr(a, 0xf7, w, forms[s->op].digit, quick_get(a, s->b, w, RCX));    /* mul, imul: rdx, rax = rax * r */
	mov_rr(a, w, RAX, RDX);
}

/* For b = 0 the quotient is 0 and the remainder a, for b = -1, signed, they are -a and 0: a * b and a & ~b.  Inverted,
 * the quotient by 0 is -1. */
static void
divide(struct code *a, const struct simple *s, int w)
{
	int b = quick_get(a, s->b, w, RCX), issigned = s->op == O_divs || s->op == O_rems;
	int rem = s->op == O_remu || s->op == O_rems;
	u8 *go, *end;

	if (issigned)
		lea(a, w, RDX, mem_at(b, 1));
	else
		mov_rr(a, w, RDX, b);
	alu_ri(a, A_CMP, w, RDX, issigned);
	go = jcc_8(a, JA);
	if (rem) {
		mov_rr(a, w, RDX, b);
		not_r(a, w, RDX);
		alu_rr(a, A_AND, w, RDX, RAX);
	} else {
		imul_rr(a, w, RAX, b);
		if (s->inverted && issigned)
			alu_rr(a, A_SUB, w, RAX, RDX);
		else if (s->inverted)
			not_r(a, w, RAX);
	}
	end = jmp_8(a);
	rel8_here(a, go);
	if (issigned)
		rex_r(a, w, 0, 0), put1(a, 0x99);      /* cdq, cqo */
	else
		alu_rr(a, A_XOR, 32, RDX, RDX);
	op_rr(a, 0xf7, w, forms[s->op].digit, b);
	rel8_here(a, end);
	if (rem)
		mov_rr(a, w, RAX, RDX);
}

/* The bits of d the other way round. */
static void
reverse(struct x86 *x, int w, int d)
{
	rex_r(&x->a, w, 0, d);
	put2(&x->a, 0xc80f | (u32)(d & 7) << 8);       /* bswap d */
	x_swapgroups(x, w, d, RCX, 0x0f0f0f0f0f0f0f0f, 4);
	x_swapgroups(x, w, d, RCX, 0x3333333333333333, 2);
	x_swapgroups(x, w, d, RCX, 0x5555555555555555, 1);
}

/* Where to compute d: in its home, if that is a register that b is not in; else in rax.  What a shift by 0 leaves in
 * the upper half of a register is not to be relied on. */
static int
place(const struct simple *s, int w)
{
	int shifts = s->op == O_shl || s->op == O_shr || s->op == O_sar || s->op == O_rotr;

	if (s->d == NONE || quick_home[s->d].reg < 0 || s->d == s->b || forms[s->op].form == INRAX ||
	    (shifts && w == 32 && s->d == s->a))
		return RAX;
	return quick_home[s->d].reg;
}

/* d op= the second operand.  EFLAGS are those of add, sub, and the logic operations. */
static int
compute(struct x86 *x, const struct simple *s, int w, int d)
{
	struct code *a = &x->a;

	if (forms[s->op].form == ALU) {
		alu(a, s, (enum alu)forms[s->op].digit, w, d);
		return 1;
	}
	switch (s->op) {
	case O_andn: inverted(a, s, A_AND, w, d); break;
	case O_orn: inverted(a, s, A_OR, w, d); break;
	case O_shl: shift(a, s, S_SHL, w, d); break;
	case O_shr: shift(a, s, S_SHR, w, d); break;
	case O_sar: shift(a, s, S_SAR, w, d); break;
	case O_rotr: shift(a, s, S_ROR, w, d); break;
	case O_mul: imul_rr(a, w, d, quick_get(a, s->b, w, RCX)); break;
	case O_mulhu: case O_mulhs: high(a, s, w); break;
	case O_divu: case O_divs: case O_remu: case O_rems: divide(a, s, w); break;
	case O_rbit: reverse(x, w, d); break;
	case O_clz:
		if (!x86feat.lzcnt)
			return 0;
		op0f_rr(a, 0xf3, 0xbd, w, d, d);
		break;
	case O_bswap:
		rex_r(a, w, 0, d);
		put2(a, 0xc80f | (u32)(d & 7) << 8);   /* bswap d */
		break;
	default: return 0;
	}
	return 1;
}

/* What is not plain. */
static __attribute__((noinline)) int
others(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = quick_width(s), d;
	u8 *from = a->p;

	if (s->d == NONE && s->op == O_sub) {
		alu(a, s, A_CMP, w, quick_get(a, s->a, w, RAX));
	} else {
		d = place(s, w);
		quick_copy(a, s->a, w, d);
		if (!compute(x, s, w, d)) {
			a->p = from;
			return 0;
		}
		if (s->sign)
			movsx_rr(a, 32, 64, d, d);
		if (d == RAX)
			quick_put(a, s->d, RAX);
	}
	if (s->flop)
		flags(x, s->flop == O_flsub);
	return 1;
}

/* d = b */
static inline u8 *
move(u8 *p, const struct simple *s)
{
	const struct arg *d = &quick_home[s->d], *b = &quick_home[s->b];

	if (d->reg >= 0)
		return op_at(p, quick_rex(s), 0x8b, d->field, b);
	if (b->reg < 0 || s->ty != I64) {
		p = op_at(p, quick_rex(s), 0x8b, field_of(RAX), b);
		b = &quick_reg[RAX];
	}
	return op64_at(p, 0x89, b->field, d);
}

/* What is done to an operand, whose type is that of s: op m, and v after it, n bytes. */
struct does { u32 opcode, field; int n; s32 v; };

static inline u8 *
done(u8 *p, u32 rex, const struct does *o, const struct arg *m)
{
	p = op_at(p, rex, o->opcode, o->field, m);
	st32(p, (u32)o->v);
	return p + o->n;
}

static inline struct does
immediate(u32 form, u32 digit, s64 v)
{
	if (form == SHIFT)
		return (struct does){v == 1 ? 0xd1 : 0xc1, field_digit(digit), v != 1, (s32)v};
	return (struct does){fits8(v) ? 0x83 : 0x81, field_digit(digit), fits8(v) ? 1 : 4, (s32)v};
}

/* d = a op B, all of which there is: computed in its place or in rax, and as an address where that is shorter. */
static u8 *
plain(u8 *p, const struct simple *s, u32 rex)
{
	const struct arg *d = &quick_home[s->d], *a = &quick_home[s->a], *to = d, *m;
	struct does o = {0};
	int isimm = s->b == NONE, inplace = d == a && (d->reg >= 0 || (isimm && rex && !s->sign));

	if (!inplace && (d->reg < 0 || s->d == s->b))
		to = &quick_reg[RAX];
	if (!inplace && isimm && s->op == O_add && a->reg >= 0 && !s->flop) {
		const struct arg sum = arg_at(a, (s32)s->imm);

		p = op_at(p, rex, 0x8d, to->field, &sum);
	} else {
		if (!inplace)
			p = op_at(p, rex, 0x8b, to->field, a);
		m = to;
		if (isimm) {
			o = immediate(forms[s->op].form, forms[s->op].digit, s->imm);
		} else {
			o.opcode = (u32)forms[s->op].digit << 3 | 3;
			o.field = to->field;
			m = &quick_home[s->b];
		}
		p = done(p, rex, &o, m);
	}
	if (s->sign)
		p = op64_at(p, 0x63, to->field, to);
	return to == d ? p : op64_at(p, 0x89, field_of(RAX), d);
}

/* EFLAGS = those of a - B, if that is plain; else 0 */
static u8 *
compared(u8 *p, const struct simple *s)
{
	const struct arg *a = &quick_home[s->a], *b = &quick_home[s->b];
	struct does o = {0};

	if (s->a == NONE || s->changed || (s->b == NONE && s->ty == I64 && !fits32(s->imm)))
		return 0;
	if (s->b != NONE && a->reg < 0 && b->reg < 0) {
		p = op_at(p, quick_rex(s), 0x8b, field_of(RAX), a);
		a = &quick_reg[RAX];
	}
	if (s->b == NONE && (s->imm || a->reg < 0)) {
		o = immediate(ALU, A_CMP, s->imm);
	} else if (s->b == NONE) {
		o.opcode = 0x85;       /* test a, a */
		o.field = a->field;
	} else if (a->reg < 0) {
		o.opcode = 0x39;
		o.field = b->field;
	} else {
		o.opcode = 0x3b;
		o.field = a->field;
		a = b;
	}
	return done(p, quick_rex(s), &o, a);
}

/* Of 32 bits, with flags, or without result. */
static __attribute__((noinline)) int
wider(struct x86 *x, const struct simple *s)
{
	u8 *p;

	if (forms[s->op].form == SHIFT && !(s->imm & 31))
		return others(x, s);
	if (s->d != NONE)
		x->a.p = plain(x->a.p, s, quick_rex(s));
	else if (s->op == O_sub && (p = compared(x->a.p, s)))
		x->a.p = p;
	else
		return others(x, s);
	if (s->flop)
		flags(x, s->flop == O_flsub);
	return 1;
}

static int
q_op(struct x86 *x, const struct simple *s)
{
	u32 form = forms[s->op].form, special = s->sign | s->flop | s->changed | (s->d == NONE);

	if (s->a == NONE) {
		if (special || (s->op != O_add && s->op != O_or))
			return others(x, s);
		if (s->b == NONE)
			return quick_set(x, s->d, s->ty == I64 ? (u64)s->imm : (u32)s->imm);
		x->a.p = move(x->a.p, s);
		return 1;
	}
	if (form == OTHER || form == INRAX || s->changed || (s->b == NONE ? s->ty == I64 && !fits32(s->imm) : form == SHIFT))
		return others(x, s);
	if (special || s->ty != I64)
		return wider(x, s);
	x->a.p = plain(x->a.p, s, REXW);
	return 1;
}

static int
q_field(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = quick_width(s);

	quick_copy(a, s->a, w, RAX);
	if (w - s->lo - s->n)
		shift_ri(a, S_SHL, w, RAX, w - s->lo - s->n);
	if (w - s->n)
		shift_ri(a, s->sign ? S_SAR : S_SHR, w, RAX, w - s->n);
	if (s->shift)
		shift_ri(a, S_SHL, w, RAX, s->shift);
	quick_put(a, s->d, RAX);
	return 1;
}

/* n bits at lo of d, which is in rdx, from rax. */
static int
q_insert(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = quick_width(s);
	u64 mask = ~(u64)0 >> (64 - s->n) << s->lo;

	if (s->a == NONE) {
		mov_ri(a, RAX, (u64)s->imm << s->lo & mask);
	} else {
		quick_copy(a, s->a, w, RAX);
		if (w - s->n - s->shift)
			shift_ri(a, S_SHL, w, RAX, w - s->n - s->shift);
		if (w - s->n)
			shift_ri(a, S_SHR, w, RAX, w - s->n);
		if (s->lo)
			shift_ri(a, S_SHL, w, RAX, s->lo);
	}
	quick_copy(a, s->d, w, RDX);
	mov_ri(a, RCX, w == 64 ? ~mask : (u32)~mask);
	alu_rr(a, A_AND, w, RDX, RCX);
	alu_rr(a, A_OR, w, RAX, RDX);
	quick_put(a, s->d, RAX);
	return 1;
}

static int
q_mul(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = quick_width(s), r = RCX;

	if (s->from) {
		quick_widen(a, s, s->a, w, RAX);
		quick_widen(a, s, s->b, w, RCX);
	} else {
		quick_copy(a, s->a, w, RAX);
		r = quick_get(a, s->b, w, RCX);
	}
	imul_rr(a, w, RAX, r);
	if (s->op == O_sub)
		neg_r(a, w, RAX);
	if (s->d2 != NONE)
		alu_rr(a, A_ADD, w, RAX, quick_get(a, s->d2, w, RCX));
	quick_put(a, s->d, RAX);
	return 1;
}

static int
q_select(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int cc = quick_condition(x, s->op), w = quick_width(s);

	if (s->a == NONE && s->b == NONE && s->inc && !s->inverted) {
		setcc_r(a, cc ^ 1, RAX);
		movzx_rr(a, 8, RAX, RAX);
	} else {
		quick_copy(a, s->b, w, RAX);         /* all this keeps EFLAGS */
		if (s->inverted)
			not_r(a, w, RAX);
		if (s->inc)
			lea(a, w, RAX, mem_at(RAX, 1));
		cmov_rr(a, cc, w, RAX, quick_get(a, s->a, w, RCX));
	}
	quick_put(a, s->d, RAX);
	return 1;
}

static int
q_check(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	u8 *other = jcc_8(a, quick_condition(x, s->op) ^ 1), *end;
	int w = quick_width(s);

	if (s->flop == O_flsub) {
		alu(a, s, A_CMP, w, quick_get(a, s->a, w, RAX));
	} else {
		quick_copy(a, s->a, w, RAX);
		alu(a, s, A_ADD, w, RAX);
	}
	saved(a, s->flop == O_flsub);
	end = jmp_8(a);
	rel8_here(a, other);
	mov_ri(a, RAX, (u32)s->imm2);
	rel8_here(a, end);
	quick_put(a, x->r->guest->flags, RAX);
	return 1;
}

int
quick_compare(struct x86 *x, const struct simple *s)
{
	u8 *p = compared(x->a.p, s);

	if (p)
		x->a.p = p;
	else
		alu(&x->a, s, A_CMP, quick_width(s), quick_get(&x->a, s->a, quick_width(s), RAX));
	return x_relation(s->op);
}

static int
q_rel(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int cc = quick_compare(x, s);

	setcc_r(a, cc, RAX);
	movzx_rr(a, 8, RAX, RAX);
	quick_put(a, s->d, RAX);
	return 1;
}

static int q_set(struct x86 *x, const struct simple *s) { return quick_set(x, s->d, (u64)s->imm); }

static int q_nothing(struct x86 *x, const struct simple *s) { return (void)x, (void)s, 1; }

static int
simple(const struct simple *s, u32 pcoff)
{
	static quickfn *const emit[] = {
		[SI_NOTHING] = q_nothing, [SI_SET] = q_set, [SI_OP] = q_op, [SI_FIELD] = q_field, [SI_REL] = q_rel,
		[SI_INSERT] = q_insert, [SI_MUL] = q_mul, [SI_SELECT] = q_select, [SI_CHECK] = q_check,
		[SI_VSET] = quick_vset, [SI_TOV] = quick_tov, [SI_FROMV] = quick_fromv, [SI_INTOV] = quick_intov,
		[SI_LOAD] = quick_load, [SI_STORE] = quick_store, [SI_VLOAD] = quick_vload, [SI_VSTORE] = quick_vstore,
		[SI_JUMP] = quick_jump, [SI_BRANCH] = quick_branch, [SI_TEST] = quick_test, [SI_BRANCHF] = quick_branchf,
		[SI_CALL] = quick_call, [SI_GO] = quick_indirect, [SI_CALLR] = quick_indirect, [SI_RETURN] = quick_indirect,
	};

	x86.pcoff = pcoff;
	return emit[s->kind](&x86, s);
}

static void
begin(struct region *r, struct out *o, s32 *left)
{
	x_begin(&x86, r, o);
	if (r->guest != ofguest) {
		prepare(r->guest);
		branch_room(&x86);
	}
	quick_room(o);
	flagged = 0;
	quick_begin(&x86, left);
}

static int insn(int first) { return quick_insn(&x86, first); }
static int end(void) { return quick_end(&x86); }

const struct quick x86_quick = {begin, simple, insn, end};
