/* SPDX-License-Identifier: MIT */
/* quick.c - the quick tier: code for one instruction at a time (base/host.h)
 *
 * Between instructions all variables are in their homes, flags too, in the form `lahf; seto al` leaves (flags.c); the
 * next instruction may still find them in EFLAGS.
 * Within one, rax or its home holds what is computed, rcx and rdx operands.  What is not simple comes as IR and is left
 * to the emitters of the other tier, which are told that it is a block. */
#include <errno.h>
#include "backend/x86_64/int.h"
#include "ir/simple.h"

enum { ROOM = 16 << 10 };              /* bytes of code after which a block ends */

static const u8 *flagged;               /* code that ends here leaves the guest's flags in EFLAGS */

static struct mem home_of(int var) { return mem_at(RBP, x86_home[var].disp); }
static int width(const struct simple *s) { return s->ty == I64 ? 64 : 32; }

/* tmp = a variable that is in no register */
static int
fetched(struct code *a, int var, int w, int tmp)
{
	if (var == NONE)
		mov_ri(a, tmp, 0);
	else
		mov_rm(a, w, tmp, home_of(var));
	return tmp;
}

/* A register with the variable: its home, or tmp. */
static inline int
get(struct code *a, int var, int w, int tmp)
{
	int reg = x86_home[var].reg;

	return reg >= 0 ? reg : fetched(a, var, w, tmp);
}

/* The same always in tmp, zero-extended. */
static void
copy(struct code *a, int var, int w, int tmp)
{
	int reg = get(a, var, w, tmp);

	if (reg != tmp)
		mov_rr(a, w, tmp, reg);
}

static void
put(struct code *a, int var, int reg)
{
	if (var == NONE)
		return;
	if (x86_home[var].reg >= 0)
		mov_rr(a, 64, x86_home[var].reg, reg);
	else
		mov_mr(a, 64, home_of(var), reg);
}

static void
set(struct code *a, int var, u64 v, int tmp)
{
	if (var == NONE)
		return;
	if (x86_home[var].reg >= 0) {
		mov_ri(a, x86_home[var].reg, v);
	} else if (fits32((s64)v)) {
		mov_mi(a, 64, home_of(var), (s32)v);
	} else {
		mov_ri(a, tmp, v);
		mov_mr(a, 64, home_of(var), tmp);
	}
}

/* tmp = the variable, of `from` bits */
static void
widen(struct code *a, const struct simple *s, int var, int w, int tmp)
{
	int r = get(a, var, 32, tmp);

	if (s->fromsign)
		movsx_rr(a, s->from, w, tmp, r);
	else
		movzx_rr(a, s->from, tmp, r);
}

/* A register with b, shifted and extended: its home, or rcx. */
static int
operand(struct code *a, const struct simple *s, int w)
{
	enum shop how = s->how == O_shr ? S_SHR : s->how == O_sar ? S_SAR : s->how ? S_ROR : S_SHL;

	if (!s->from && !s->shift)
		return get(a, s->b, w, RCX);
	if (s->from)
		widen(a, s, s->b, w, RCX);
	else
		copy(a, s->b, w, RCX);
	if (s->shift)
		shift_ri(a, how, w, RCX, s->shift);
	return RCX;
}

/* op d, the second operand */
static void
alu(struct code *a, const struct simple *s, enum alu op, int w, int d)
{
	if (s->b == NONE && (w == 32 || fits32(s->imm))) {
		alu_ri(a, op, w, d, (s32)s->imm);
		return;
	}
	if (s->b != NONE && x86_home[s->b].reg < 0 && !s->from && !s->shift) {
		alu_rm(a, op, w, d, home_of(s->b));
		return;
	}
	if (s->b == NONE)
		mov_ri(a, RCX, (u64)s->imm);
	alu_rr(a, op, w, d, s->b == NONE ? RCX : operand(a, s, w));
}

static void
shift(struct code *a, const struct simple *s, enum shop op, int w, int d)
{
	if (s->b != NONE) {
		copy(a, s->b, 32, RCX);
		shift_cl(a, op, w, d);
	} else if (s->imm & (w - 1)) {
		shift_ri(a, op, w, d, (int)s->imm & (w - 1));
	}
}

static void
inverted(struct code *a, const struct simple *s, enum alu op, int w, int d)
{
	int r = operand(a, s, w);

	if (r != RCX)
		mov_rr(a, w, RCX, r);
	not_r(a, w, RCX);
	alu_rr(a, op, w, d, RCX);
}

/* rax = EFLAGS as a value. */
static void
saved(struct code *a, int borrow)
{
	if (borrow)
		put1(a, 0xf5);         /* cmc */
	put1(a, 0x9f);                 /* lahf */
	setcc_r(a, JO, RAX);
}

static void
flags(struct x86 *x, int borrow)
{
	saved(&x->a, borrow);
	mov_mr(&x->a, 64, home_of(x->r->guest->flags), RAX);
	flagged = x->a.p;
}

/* EFLAGS are the guest's flags; returns the host's condition for cc. */
static int
condition(struct x86 *x, int cc)
{
	struct code *a = &x->a;

	if (a->p != flagged) {
		mov_rm(a, 32, RAX, home_of(x->r->guest->flags));
		put2(a, 0x7f04);       /* add al, 127: overflows if al is 1 */
		put1(a, 0x9e);         /* sahf */
	}
	if (cc == CC_HI || cc == CC_LS)
		put1(a, 0xf5);         /* cmc */
	return cc == CC_CS ? JB : cc == CC_CC ? JAE : x_condition(cc);
}

/* The high half of a product. */
static void
high(struct code *a, const struct simple *s, int w)
{
	op_rr(a, 0xf7, w, s->op == O_mulhs ? 5 : 4, get(a, s->b, w, RCX));     /* mul, imul: rdx, rax = rax * r */
	mov_rr(a, w, RAX, RDX);
}

/* Where to compute d: in its home, if that is a register that b is not in; else in rax.  What a shift by 0 leaves in
 * the upper half of a register is not to be relied on. */
static int
place(const struct simple *s, int w)
{
	int d = s->d == NONE ? -1 : x86_home[s->d].reg;
	int shifts = s->op == O_shl || s->op == O_shr || s->op == O_sar || s->op == O_rotr;

	if (d < 0 || s->d == s->b || s->op == O_mulhu || s->op == O_mulhs || (shifts && w == 32 && s->d == s->a))
		return RAX;
	return d;
}

/* d = the result.  EFLAGS are those of add, sub, and the logic operations. */
static int
compute(struct code *a, const struct simple *s, int w, int d)
{
	copy(a, s->a, w, d);
	switch (s->op) {
	case O_add: alu(a, s, A_ADD, w, d); break;
	case O_sub: alu(a, s, A_SUB, w, d); break;
	case O_and: alu(a, s, A_AND, w, d); break;
	case O_or: alu(a, s, A_OR, w, d); break;
	case O_xor: alu(a, s, A_XOR, w, d); break;
	case O_andn: inverted(a, s, A_AND, w, d); break;
	case O_orn: inverted(a, s, A_OR, w, d); break;
	case O_shl: shift(a, s, S_SHL, w, d); break;
	case O_shr: shift(a, s, S_SHR, w, d); break;
	case O_sar: shift(a, s, S_SAR, w, d); break;
	case O_rotr: shift(a, s, S_ROR, w, d); break;
	case O_mul: imul_rr(a, w, d, get(a, s->b, w, RCX)); break;
	case O_mulhu: case O_mulhs: high(a, s, w); break;
	case O_bswap:
		rex_r(a, w, 0, d);
		put2(a, 0xc80f | (u32)(d & 7) << 8);   /* bswap d */
		break;
	default: return 0;
	}
	return 1;
}

/* The same of a variable in memory, with an immediate. */
static int
in_memory(struct code *a, const struct simple *s)
{
	static const s8 op[O_COUNT] = {[O_add] = A_ADD, [O_sub] = A_SUB, [O_and] = A_AND, [O_or] = A_OR, [O_xor] = A_XOR};

	if (s->d != s->a || s->d == NONE || x86_home[s->d].reg >= 0 || s->b != NONE || s->ty != I64 || !fits32(s->imm) ||
	    (!op[s->op] && s->op != O_add))
		return 0;
	alu_mi(a, (enum alu)op[s->op], 64, home_of(s->d), (s32)s->imm);
	return 1;
}

/* d = b */
static void
move(struct code *a, const struct simple *s)
{
	int d = x86_home[s->d].reg, b = x86_home[s->b].reg, w = width(s);

	if (d >= 0 && b >= 0) {
		mov_rr(a, w, d, b);
	} else if (d >= 0) {
		mov_rm(a, w, d, home_of(s->b));
	} else if (b >= 0 && w == 64) {
		mov_mr(a, 64, home_of(s->d), b);
	} else {
		copy(a, s->b, w, RAX);
		mov_mr(a, 64, home_of(s->d), RAX);
	}
}

/* d = imm, = b, or = a + imm, without computing where that can be. */
static int
short_op(struct code *a, const struct simple *s)
{
	int d = s->d == NONE ? -1 : x86_home[s->d].reg;

	if (s->d == NONE || s->sign || s->flop || s->shift || s->from || (s->op != O_add && (s->op != O_or || s->a != NONE)))
		return 0;
	if (s->a == NONE && s->b == NONE)
		set(a, s->d, s->ty == I64 ? (u64)s->imm : (u32)s->imm, RAX);
	else if (s->a == NONE)
		move(a, s);
	else if (d >= 0 && s->b == NONE && s->ty == I64 && fits32(s->imm))
		lea(a, 64, d, mem_at(get(a, s->a, 64, RDX), (s32)s->imm));
	else
		return 0;
	return 1;
}

static int
q_op(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = width(s), d = place(s, w);
	u8 *from = a->p;

	if (short_op(a, s))
		return 1;
	if (s->d == NONE && s->op == O_sub) {
		alu(a, s, A_CMP, w, get(a, s->a, w, RAX));
	} else if (!in_memory(a, s)) {
		if (!compute(a, s, w, d)) {
			a->p = from;
			return 0;
		}
		if (s->sign)
			movsx_rr(a, 32, 64, d, d);
		if (d == RAX)
			put(a, s->d, RAX);
	}
	if (s->flop)
		flags(x, s->flop == O_flsub);
	return 1;
}

static int
q_field(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = width(s);

	copy(a, s->a, w, RAX);
	if (w - s->lo - s->n)
		shift_ri(a, S_SHL, w, RAX, w - s->lo - s->n);
	if (w - s->n)
		shift_ri(a, s->sign ? S_SAR : S_SHR, w, RAX, w - s->n);
	if (s->shift)
		shift_ri(a, S_SHL, w, RAX, s->shift);
	put(a, s->d, RAX);
	return 1;
}

/* n bits at lo of d, which is in rdx, from rax. */
static int
q_insert(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = width(s);
	u64 mask = ~(u64)0 >> (64 - s->n) << s->lo;

	if (s->a == NONE) {
		mov_ri(a, RAX, (u64)s->imm << s->lo & mask);
	} else {
		copy(a, s->a, w, RAX);
		if (w - s->n - s->shift)
			shift_ri(a, S_SHL, w, RAX, w - s->n - s->shift);
		if (w - s->n)
			shift_ri(a, S_SHR, w, RAX, w - s->n);
		if (s->lo)
			shift_ri(a, S_SHL, w, RAX, s->lo);
	}
	copy(a, s->d, w, RDX);
	mov_ri(a, RCX, w == 64 ? ~mask : (u32)~mask);
	alu_rr(a, A_AND, w, RDX, RCX);
	alu_rr(a, A_OR, w, RAX, RDX);
	put(a, s->d, RAX);
	return 1;
}

static int
q_mul(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = width(s), r = RCX;

	if (s->from) {
		widen(a, s, s->a, w, RAX);
		widen(a, s, s->b, w, RCX);
	} else {
		copy(a, s->a, w, RAX);
		r = get(a, s->b, w, RCX);
	}
	imul_rr(a, w, RAX, r);
	if (s->op == O_sub)
		neg_r(a, w, RAX);
	if (s->d2 != NONE)
		alu_rr(a, A_ADD, w, RAX, get(a, s->d2, w, RCX));
	put(a, s->d, RAX);
	return 1;
}

static int
q_select(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int cc = condition(x, s->op), w = width(s);

	if (s->a == NONE && s->b == NONE && s->inc && !s->inverted) {
		setcc_r(a, cc ^ 1, RAX);
		movzx_rr(a, 8, RAX, RAX);
	} else {
		copy(a, s->b, w, RAX);         /* all this keeps EFLAGS */
		if (s->inverted)
			not_r(a, w, RAX);
		if (s->inc)
			lea(a, w, RAX, mem_at(RAX, 1));
		cmov_rr(a, cc, w, RAX, get(a, s->a, w, RCX));
	}
	put(a, s->d, RAX);
	return 1;
}

static int
q_check(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	u8 *other = jcc_8(a, condition(x, s->op) ^ 1), *end;
	int w = width(s);

	if (s->flop == O_flsub) {
		alu(a, s, A_CMP, w, get(a, s->a, w, RAX));
	} else {
		copy(a, s->a, w, RAX);
		alu(a, s, A_ADD, w, RAX);
	}
	saved(a, s->flop == O_flsub);
	end = jmp_8(a);
	rel8_here(a, other);
	mov_ri(a, RAX, (u32)s->imm2);
	rel8_here(a, end);
	mov_mr(a, 64, home_of(x->r->guest->flags), RAX);
	return 1;
}

static int
compare(struct code *a, const struct simple *s)
{
	int r = get(a, s->a, width(s), RAX);

	alu(a, s, A_CMP, width(s), r);
	return x_relation(s->op);
}

static int
q_rel(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int cc = compare(a, s);

	setcc_r(a, cc, RAX);
	movzx_rr(a, 8, RAX, RAX);
	put(a, s->d, RAX);
	return 1;
}

/* -- memory -- */
/* Code from here on is the instruction's, should it fault. */
static void
mapped(struct x86 *x)
{
	struct out *o = x->out;

	grow(&o->map, o->nmap, &o->capmap, sizeof *o->map);
	o->map[o->nmap++] = (struct mapent){.off = (u32)(x->a.p - o->code), .pcoff = (s32)x->pcoff};
}

static struct mem
address(struct x86 *x, const struct simple *s)
{
	struct mem m = {.base = (s8)get(&x->a, s->a, 64, RDX), .index = NOREG, .disp = (s32)s->imm};

	if (s->b != NONE && s->from) {
		widen(&x->a, s, s->b, 64, RCX);
		m.index = RCX;
	} else if (s->b != NONE) {
		m.index = (s8)get(&x->a, s->b, 64, RCX);
	}
	m.scale = s->shift;
	mapped(x);
	return m;
}

static void
step(struct code *a, const struct simple *s)
{
	if (!s->step)
		return;
	if (x86_home[s->a].reg >= 0)
		alu_ri(a, A_ADD, 64, x86_home[s->a].reg, s->step);
	else
		alu_mi(a, A_ADD, 64, home_of(s->a), s->step);
}

static void
load(struct code *a, const struct simple *s, int d, struct mem m)
{
	if (s->sign)
		movsx_rm(a, ty_bits(s->ty), s->sign, d, m);
	else
		movzx_rm(a, ty_bits(s->ty), d, m);
}

/* -- vectors and floats, in two temporary registers -- */
static int size(int var) { return x86_home[var].kind == REG_FP ? 8 : 16; }

static void
vput(struct x86 *x, int var, int tmp)
{
	if (x86_home[var].reg >= 0)
		xv_mov(x, x86_home[var].reg, tmp);
	else
		xv_store(x, size(var), tmp, home_of(var));
}

static int
vget(struct x86 *x, int var, int tmp)
{
	if (x86_home[var].reg >= 0)
		return x86_home[var].reg;
	xv_load(x, size(var), tmp, home_of(var));
	return tmp;
}

/* Between registers of the two kinds by way of memory: it is rare. */
static int
q_vset(struct x86 *x, const struct simple *s)
{
	struct mem low = m_cpu(offsetof(struct cpu, scratch[0])), high = m_cpu(offsetof(struct cpu, scratch[1]));

	if (s->imm) {
		mov_ri(&x->a, RAX, (u64)s->imm);
		mov_mr(&x->a, 64, low, RAX);
		mov_mr(&x->a, 64, high, RAX);
		xv_load(x, s->two ? 16 : 8, 0, low);
	} else {
		xv_zero(x, 0);
	}
	vput(x, s->d, 0);
	return 1;
}

static int
q_tov(struct x86 *x, const struct simple *s)
{
	struct mem m = m_cpu(offsetof(struct cpu, scratch[0]));

	mov_mr(&x->a, width(s), m, get(&x->a, s->a, width(s), RAX));
	xv_load(x, width(s) / 8, 0, m);
	vput(x, s->d, 0);
	return 1;
}

static int
q_fromv(struct x86 *x, const struct simple *s)
{
	struct mem m = m_cpu(offsetof(struct cpu, scratch[0]));

	xv_store(x, width(s) / 8, vget(x, s->a, 0), m);
	mov_rm(&x->a, width(s), RAX, m);
	put(&x->a, s->d, RAX);
	return 1;
}

static int
q_vload(struct x86 *x, const struct simple *s)
{
	struct mem m = address(x, s);
	int n = ty_bits(s->ty) / 8;

	if (!s->two && x86_home[s->d].reg >= 0) {
		xv_load(x, n, x86_home[s->d].reg, m);
		step(&x->a, s);
		return 1;
	}
	xv_load(x, n, 0, m);
	if (s->two) {
		m.disp += n;
		xv_load(x, n, 1, m);
	}
	step(&x->a, s);
	vput(x, s->d, 0);
	if (s->two)
		vput(x, s->d2, 1);
	return 1;
}

static int
q_vstore(struct x86 *x, const struct simple *s)
{
	struct mem m = address(x, s);
	int n = ty_bits(s->ty) / 8;

	xv_store(x, n, vget(x, s->d, 0), m);
	if (s->two) {
		m.disp += n;
		xv_store(x, n, vget(x, s->d2, 0), m);
	}
	step(&x->a, s);
	return 1;
}

/* All that may fault comes before a variable changes; data win over the step. */
static int
q_load(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	struct mem m = address(x, s);

	if (!s->two && !s->step && s->d != NONE && x86_home[s->d].reg >= 0) {
		load(a, s, x86_home[s->d].reg, m);
		return 1;
	}
	load(a, s, RAX, m);
	if (s->two) {
		m.disp += ty_bits(s->ty) / 8;
		load(a, s, RCX, m);
	}
	step(a, s);
	put(a, s->d, RAX);
	if (s->two)
		put(a, s->d2, RCX);
	return 1;
}

static int
q_store(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	struct mem m = address(x, s);
	int bits = ty_bits(s->ty), w = bits == 64 ? 64 : 32;

	mov_mr_n(a, bits, m, get(a, s->d, w, RAX));
	if (s->two) {
		m.disp += bits / 8;
		mov_mr_n(a, bits, m, get(a, s->d2, w, RAX));
	}
	step(a, s);
	return 1;
}

/* -- branches -- */
static int
q_test(struct x86 *x, const struct simple *s)
{
	copy(&x->a, s->a, 64, RAX);
	op0f_rr(&x->a, 0, 0xba, 64, 4, RAX);   /* bt rax, imm */
	put1(&x->a, (u32)s->imm);
	branch_cond(x, s->op == R_TST ? JB : JAE, s->to);
	return 1;
}

static int
q_branchf(struct x86 *x, const struct simple *s)
{
	branch_cond(x, condition(x, s->op), s->to);
	return 1;
}

static void
entry(struct out *o, gaddr pc, u32 off)
{
	grow(&o->entry, o->nentry, &o->capentry, sizeof *o->entry);
	o->entry[o->nentry++] = (struct entry){.pc = pc, .off = off};
}

/* What a call returns to is entered by address, too, by returns that have lost their way. */
static void
called(struct x86 *x, const struct simple *s)
{
	if (x->on)
		entry(x->out, s->next, (u32)(x->a.p - x->out->code));
	x->on = 0;
}

static int
q_computed(struct x86 *x, const struct simple *s)
{
	if (s->kind == SI_RETURN && s->a == x->r->guest->link && branch_ret(x))
		return 1;
	copy(&x->a, s->a, 64, RAX);
	if (s->imm)
		alu_ri(&x->a, A_ADD, 64, RAX, (s32)s->imm);
	set(&x->a, s->d, s->next, RCX);
	x->on = s->on;
	if (s->kind == SI_CALLR)
		branch_callr(x, s->next);
	else
		branch_lookup(x, 0);
	called(x, s);
	return 1;
}

static int
q_call(struct x86 *x, const struct simple *s)
{
	set(&x->a, x->r->guest->link, s->next, RAX);
	x->on = s->on;
	branch_call(x, s->to, s->next);
	called(x, s);
	return 1;
}

static int
q_jump(struct x86 *x, const struct simple *s)
{
	branch_jump(x, s->to);
	return 1;
}

static int
q_branch(struct x86 *x, const struct simple *s)
{
	branch_cond(x, compare(&x->a, s), s->to);
	return 1;
}

static int
q_set(struct x86 *x, const struct simple *s)
{
	set(&x->a, s->d, (u64)s->imm, RAX);
	return 1;
}

static int q_nothing(struct x86 *x, const struct simple *s) { return (void)x, (void)s, 1; }

static int
simple(const struct simple *s, u32 pcoff)
{
	static int (*const emit[])(struct x86 *, const struct simple *) = {
		[SI_NOTHING] = q_nothing, [SI_SET] = q_set, [SI_OP] = q_op, [SI_FIELD] = q_field, [SI_REL] = q_rel,
		[SI_INSERT] = q_insert, [SI_MUL] = q_mul, [SI_SELECT] = q_select, [SI_CHECK] = q_check,
		[SI_VSET] = q_vset, [SI_TOV] = q_tov, [SI_FROMV] = q_fromv, [SI_LOAD] = q_load, [SI_STORE] = q_store,
		[SI_VLOAD] = q_vload, [SI_VSTORE] = q_vstore,
		[SI_JUMP] = q_jump, [SI_BRANCH] = q_branch, [SI_TEST] = q_test, [SI_BRANCHF] = q_branchf,
		[SI_CALL] = q_call, [SI_GO] = q_computed, [SI_CALLR] = q_computed, [SI_RETURN] = q_computed,
	};

	x86.pcoff = pcoff;
	x86.mapped = 0;
	return emit[s->kind](&x86, s);
}

/* The head of a region's only block.  It jumps there without a safe point, for it leaves when it has done so some
 * times. */
static void
head(struct x86 *x)
{
	branch_room(x);
	x->label[0] = x->loop[0] = x->safe[0] = 0;
	x->door[0] = (struct door){0};
	entry(x->out, x->b->pc, 0);
}

static void
begin(struct region *r, struct out *o, s32 *left)
{
	struct x86 *x = &x86;
	struct mem m = mem_at(RIP, (s32)((u8 *)left - x86_area));

	x_begin(x, r, o);
	x->guess = 0;
	x->quick = 1;
	flagged = 0;
	x->b = r->block;
	head(x);
	op_rm(&x->a, 0x83, 32, A_SUB, m, 1);
	put1(&x->a, 1);
	x->pcoff = 0;
	branch_link(x, JS, r->pc);
}

static int
insn(int first)
{
	struct x86 *x = &x86;
	struct block b = *x->b;

	b.first = first;
	b.n = x->r->nins - first;
	x_part(x, &b);
	return x->a.p - x->out->code < ROOM;
}

static int
end(void)
{
	struct x86 *x = &x86;
	int err = branch_end(x);

	x->out->fixed = 1;
	x->out->size = (u32)(x->a.p - x->out->code);
	return err ? err : x->failed ? -E2BIG : 0;
}

const struct quick x86_quick = {begin, simple, insn, end};
