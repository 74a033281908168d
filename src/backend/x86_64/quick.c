/* SPDX-License-Identifier: MIT */
/* quick.c - the quick tier: code for one instruction at a time (base/host.h)
 *
 * Between instructions all variables are in their homes, flags too, in the form `lahf; seto al` leaves (flags.c); the
 * next instruction may still find them in EFLAGS.
 * Within one, rax or its home holds what is computed, rcx and rdx operands.  What is not simple comes as IR and is left
 * to the emitters of the other tier, which are told that it is a block. */
#include <errno.h>
#include "backend/x86_64/quick.h"

enum { ROOM = 16 << 10 };              /* bytes of code after which a block ends */

static const u8 *flagged;               /* code that ends here leaves the guest's flags in EFLAGS */

struct arg quick_home[NONE];
static const struct guest *ofguest;     /* whose it is */

static void
prepare(const struct guest *g)
{
	for (int var = 0; var < g->nreg; var++) {
		const struct home *h = &x86_home[var];

		quick_home[var] = h->reg < 0 || h->kind != REG_INT ? arg_at(RBP, NOREG, 0, h->disp) : arg_reg(h->reg);
	}
	ofguest = g;
}

void
quick_copy(struct code *a, int var, int w, int tmp)
{
	if (var == NONE)
		mov_ri(a, tmp, 0);
	else if (quick_home[var].reg != tmp)
		op_arg(a, 0x8b, w, tmp, &quick_home[var]);
}

static void
set(struct code *a, int var, u64 v, int tmp)
{
	if (var == NONE)
		return;
	if (quick_home[var].reg >= 0) {
		mov_ri(a, quick_home[var].reg, v);
	} else if (fits32((s64)v)) {
		op_arg(a, 0xc7, 64, 0, &quick_home[var]);
		put4(a, (u32)v);
	} else {
		mov_ri(a, tmp, v);
		quick_put(a, var, tmp);
	}
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
		op_arg(a, (u32)op << 3 | 3, w, d, &quick_home[s->b]);
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
	quick_put(&x->a, x->r->guest->flags, RAX);
	flagged = x->a.p;
}

/* EFLAGS are the guest's flags; returns the host's condition for cc. */
static int
condition(struct x86 *x, int cc)
{
	struct code *a = &x->a;

	if (a->p != flagged) {
		quick_copy(a, x->r->guest->flags, 32, RAX);
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
	op_rr(a, 0xf7, w, s->op == O_mulhs ? 5 : 4, quick_get(a, s->b, w, RCX));     /* mul, imul: rdx, rax = rax * r */
	mov_rr(a, w, RAX, RDX);
}

/* Where to compute d: in its home, if that is a register that b is not in; else in rax.  What a shift by 0 leaves in
 * the upper half of a register is not to be relied on. */
static int
place(const struct simple *s, int w)
{
	int shifts = s->op == O_shl || s->op == O_shr || s->op == O_sar || s->op == O_rotr;

	if (s->d == NONE || quick_home[s->d].reg < 0 || s->d == s->b || s->op == O_mulhu || s->op == O_mulhs ||
	    (shifts && w == 32 && s->d == s->a))
		return RAX;
	return quick_home[s->d].reg;
}

/* What add, sub, and, or, xor are, plus 1 */
static const u8 alus[O_COUNT] = {
	[O_add] = A_ADD + 1, [O_sub] = A_SUB + 1, [O_and] = A_AND + 1, [O_or] = A_OR + 1, [O_xor] = A_XOR + 1,
};

/* d op= the second operand.  EFLAGS are those of add, sub, and the logic operations. */
static int
compute(struct code *a, const struct simple *s, int w, int d)
{
	if (alus[s->op]) {
		alu(a, s, (enum alu)(alus[s->op] - 1), w, d);
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
	case O_bswap:
		rex_r(a, w, 0, d);
		put2(a, 0xc80f | (u32)(d & 7) << 8);   /* bswap d */
		break;
	default: return 0;
	}
	return 1;
}

/* d = b */
static void
move(struct code *a, const struct simple *s)
{
	int b = quick_home[s->b].reg, w = quick_width(s);

	if (quick_home[s->d].reg >= 0) {
		op_arg(a, 0x8b, w, quick_home[s->d].reg, &quick_home[s->b]);
	} else if (b >= 0 && w == 64) {
		quick_put(a, s->d, b);
	} else {
		quick_copy(a, s->b, w, RAX);
		quick_put(a, s->d, RAX);
	}
}

static __attribute__((noinline)) int
computed(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int w = quick_width(s), d;
	u8 *from = a->p;

	if (s->d == NONE && s->op == O_sub) {
		alu(a, s, A_CMP, w, quick_get(a, s->a, w, RAX));
	} else {
		d = place(s, w);
		quick_copy(a, s->a, w, d);
		if (!compute(a, s, w, d)) {
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

/* d = a op imm, of 64 bits, in its place or as an address */
static int
immediate(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	struct arg m;

	if (s->d == s->a && alus[s->op]) {
		alu_arg(a, (enum alu)(alus[s->op] - 1), 64, &quick_home[s->d], (s32)s->imm);
		if (s->flop)
			flags(x, s->flop == O_flsub);
		return 1;
	}
	if (s->op != O_add || s->flop || quick_home[s->d].reg < 0)
		return computed(x, s);
	m = arg_at(quick_get(a, s->a, 64, RDX), NOREG, 0, (s32)s->imm);
	op_arg(a, 0x8d, 64, quick_home[s->d].reg, &m);
	return 1;
}

/* Not all is asked at once: what is stored byte by byte and loaded as a word makes the host wait. */
static int
q_op(struct x86 *x, const struct simple *s)
{
	if (s->d == NONE || s->sign | s->changed)
		return computed(x, s);
	if (s->a != NONE)
		return s->b == NONE && s->ty == I64 && fits32(s->imm) ? immediate(x, s) : computed(x, s);
	if (s->flop || (s->op != O_add && s->op != O_or))
		return computed(x, s);
	if (s->b == NONE)
		set(&x->a, s->d, s->ty == I64 ? (u64)s->imm : (u32)s->imm, RAX);
	else
		move(&x->a, s);
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
	int cc = condition(x, s->op), w = quick_width(s);

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
	u8 *other = jcc_8(a, condition(x, s->op) ^ 1), *end;
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

static int
compare(struct code *a, const struct simple *s)
{
	int r = quick_get(a, s->a, quick_width(s), RAX);

	alu(a, s, A_CMP, quick_width(s), r);
	return x_relation(s->op);
}

static int
q_rel(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	int cc = compare(a, s);

	setcc_r(a, cc, RAX);
	movzx_rr(a, 8, RAX, RAX);
	quick_put(a, s->d, RAX);
	return 1;
}

/* -- branches -- */
/* What lies ahead is not in this block, and needs no safe point. */
static void
branch(struct x86 *x, int cc, gaddr to)
{
	if (to > x->r->pc + x->pcoff)
		branch_link(x, cc, to);
	else
		branch_cond(x, cc, to);
}

static int
q_test(struct x86 *x, const struct simple *s)
{
	quick_copy(&x->a, s->a, 64, RAX);
	op0f_rr(&x->a, 0, 0xba, 64, 4, RAX);   /* bt rax, imm */
	put1(&x->a, (u32)s->imm);
	branch(x, s->op == R_TST ? JB : JAE, s->to);
	return 1;
}

static int
q_branchf(struct x86 *x, const struct simple *s)
{
	branch(x, condition(x, s->op), s->to);
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
q_indirect(struct x86 *x, const struct simple *s)
{
	if (s->kind == SI_RETURN && s->a == x->r->guest->link && branch_ret(x))
		return 1;
	quick_copy(&x->a, s->a, 64, RAX);
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
	branch(x, compare(&x->a, s), s->to);
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
	static quickfn *const emit[] = {
		[SI_NOTHING] = q_nothing, [SI_SET] = q_set, [SI_OP] = q_op, [SI_FIELD] = q_field, [SI_REL] = q_rel,
		[SI_INSERT] = q_insert, [SI_MUL] = q_mul, [SI_SELECT] = q_select, [SI_CHECK] = q_check,
		[SI_VSET] = quick_vset, [SI_TOV] = quick_tov, [SI_FROMV] = quick_fromv, [SI_LOAD] = quick_load,
		[SI_STORE] = quick_store, [SI_VLOAD] = quick_vload, [SI_VSTORE] = quick_vstore,
		[SI_JUMP] = q_jump, [SI_BRANCH] = q_branch, [SI_TEST] = q_test, [SI_BRANCHF] = q_branchf,
		[SI_CALL] = q_call, [SI_GO] = q_indirect, [SI_CALLR] = q_indirect, [SI_RETURN] = q_indirect,
	};

	x86.pcoff = pcoff;
	x86.mapped = 0;
	grow(&x86.out->map, x86.out->nmap, &x86.out->capmap, sizeof *x86.out->map);
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
	u8 *p;

	x_begin(x, r, o);
	if (r->guest != ofguest)
		prepare(r->guest);
	x->guess = 0;
	x->quick = 1;
	flagged = 0;
	x->b = r->block;
	head(x);
	p = x->a.p;                    /* sub dword [left], 1 */
	st16(p, 0x2d83);
	st32(p + 2, (u32)((u8 *)left - (p + 7)));
	p[6] = 1;
	x->a.p = p + 7;
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
