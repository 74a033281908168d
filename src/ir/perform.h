/* SPDX-License-Identifier: MIT */
/* perform.h - does what a simple instruction does (simple.h), without making code
 *
 * All is inlined where the instruction's line is known (guest->perform, frontend/GUEST/simple.c), so that of the struct
 * simple, and of the questions asked of it, little is left. */
#ifndef IR_PERFORM_H
#define IR_PERFORM_H

#include <stddef.h>
#include "base/cpu.h"
#include "base/gmem.h"
#include "base/guest.h"
#include "ir/simple.h"

#define ALWAYS static inline __attribute__((always_inline))

/* Not done: it needs code, if only to fault, and nothing has changed but what the guest will store again; or done, and
 * the guest is at run->to.  Else the instruction's length: done, and the next one follows. */
enum { UNDONE = 0, BRANCHED = -1 };

struct run {
	struct cpu *cpu;
	const struct guest *g;
	gaddr to;
	int (*calls)(struct run *, gaddr next);        /* may a call that returns to next be done? */
};

/* Where variables are, from cpu->state on; NONE is a word of scratch, which is 0 but while it is written.  To ask each
 * time whether it is one costs more: the host guesses wrong. */
extern u16 perform_home[NONE + 1];
void perform_init(const struct guest *);               /* once, the guest being known */

/* v, extended and shifted, as the members of those names say.  They come one by one: of a struct that others see the
 * compiler knows nothing more. */
u64 perform_changed(u64 v, int ty, int shift, int how, int from, int fromsign);
int perform_any(struct run *, const struct simple *, int len);         /* as perform, not inlined */

ALWAYS u64 *place(const struct run *r, int var) { return (u64 *)(void *)(r->cpu->state + perform_home[var]); }

ALWAYS u64
get(const struct run *r, int var)
{
	return __builtin_constant_p(var) && var == NONE ? 0 : *place(r, var);
}

ALWAYS void
put(const struct run *r, int var, u64 v)
{
	*place(r, var) = v;
	r->cpu->scratch[0] = 0;
}

ALWAYS u64 do_widened(u64 v, int from, int sign) { return sign ? (u64)sext(v, from) : zext(v, from); }

ALWAYS u64
do_second(const struct run *r, const struct simple *s)
{
	u64 v = get(r, s->b);

	if (s->shift | s->how | s->from)
		v = perform_changed(v, s->ty, s->shift, s->how, s->from, s->fromsign);
	return v + (u64)s->imm;
}

ALWAYS u64 do_narrowed(const struct simple *s, u64 v) { return s->ty == I64 ? v : (u32)v; }

ALWAYS u64
do_extended(const struct simple *s, u64 v)
{
	return s->ty != I64 && s->sign ? (u64)(s64)(s32)v : do_narrowed(s, v);
}

ALWAYS u64
do_result(const struct simple *s, u64 a, u64 b)
{
	switch (s->op) {               /* the rest is rare */
	case O_add: return a + b;
	case O_sub: return a - b;
	case O_and: return a & b;
	case O_or: return a | b;
	case O_xor: return a ^ b;
	}
	if (s->inverted && !do_narrowed(s, b))
		return ~(u64)0;
	return ir_value(s->op, s->ty, a, b, 0, 0, 0);
}

/* What the instruction makes the flags; v: its result */
ALWAYS u64
do_flags(const struct simple *s, u64 a, u64 b, u64 v)
{
	int w = ty_bits(s->ty);

	switch (s->flop) {
	case O_flsub: return ir_flsub(do_narrowed(s, a), do_narrowed(s, b), 1, w);
	case O_fladd: return ir_fladd(do_narrowed(s, a), do_narrowed(s, b), 0, w);
	}
	return ir_value(s->flop, s->ty, s->flop == O_fltst ? v : a, b, 0, 0, 0);
}

ALWAYS void
do_operation(const struct run *r, const struct simple *s)
{
	u64 a = get(r, s->a), b = do_second(r, s), v = do_result(s, a, b);

	put(r, s->d, do_extended(s, v));
	if (s->flop)
		*place(r, r->g->flags) = do_flags(s, a, b, v);
}

ALWAYS void
do_field(const struct run *r, const struct simple *s)
{
	u64 v = get(r, s->a) << (64 - s->lo - s->n);

	v = s->sign ? (u64)((s64)v >> (64 - s->n)) : v >> (64 - s->n);
	put(r, s->d, do_narrowed(s, v << s->shift));
}

ALWAYS void
do_insert(const struct run *r, const struct simple *s)
{
	u64 v = s->a == NONE ? (u64)s->imm : do_narrowed(s, get(r, s->a)) >> s->shift;
	u64 ones = ~(u64)0 >> (64 - s->n) << s->lo;

	put(r, s->d, do_narrowed(s, (get(r, s->d) & ~ones) | (v << s->lo & ones)));
}

ALWAYS void
do_multiply(const struct run *r, const struct simple *s)
{
	u64 a = get(r, s->a), b = get(r, s->b), v;

	v = s->from ? do_widened(a, s->from, s->fromsign) * do_widened(b, s->from, s->fromsign) : a * b;
	put(r, s->d, do_narrowed(s, s->op == O_add ? get(r, s->d2) + v : get(r, s->d2) - v));
}

ALWAYS int do_holds(const struct run *r, const struct simple *s) { return ir_cc(s->op, *place(r, r->g->flags)); }

ALWAYS void
do_choose(const struct run *r, const struct simple *s)
{
	u64 b = get(r, s->b);

	put(r, s->d, do_narrowed(s, do_holds(r, s) ? get(r, s->a) : (s->inverted ? ~b : b) + s->inc));
}

ALWAYS void
do_check(const struct run *r, const struct simple *s)
{
	*place(r, r->g->flags) = do_holds(r, s) ? do_flags(s, get(r, s->a), do_second(r, s), 0) :
	    (u32)s->imm2;
}

ALWAYS int
do_relation(const struct run *r, const struct simple *s)
{
	u64 a = do_narrowed(s, get(r, s->a)), b = do_narrowed(s, do_second(r, s));

	switch (s->op) {
	case R_EQ: return a == b;
	case R_NE: return a != b;
	case R_LTU: return a < b;
	case R_GEU: return a >= b;
	}
	return ir_rel(s->op, a, b, ty_bits(s->ty));
}

/* -- memory -- */
ALWAYS gaddr
do_address(const struct run *r, const struct simple *s)
{
	return get(r, s->a) + do_second(r, s);
}

ALWAYS void
do_advance(const struct run *r, const struct simple *s)
{
	if (s->step)
		put(r, s->a, get(r, s->a) + (u64)(s64)s->step);
}

/* One or two data. */
ALWAYS int
do_load(const struct run *r, const struct simple *s)
{
	int log = s->ty - I8, n = 1 << log;
	gaddr at = do_address(r, s);
	u64 v, v2 = 0;

	if (gmem_load(&v, at, log) || (s->two && gmem_load(&v2, at + (u64)n, log)))
		return 0;
	do_advance(r, s);
	put(r, s->d, s->sign ? zext((u64)sext(v, n * 8), s->sign) : v);
	if (s->two)
		put(r, s->d2, s->sign ? zext((u64)sext(v2, n * 8), s->sign) : v2);
	return 1;
}

ALWAYS int
do_store(const struct run *r, const struct simple *s)
{
	int log = s->ty - I8;
	gaddr at = do_address(r, s);

	if (gmem_store(at, get(r, s->d), log) || (s->two && gmem_store(at + (1u << log), get(r, s->d2), log)))
		return 0;
	do_advance(r, s);
	return 1;
}

/* The same of vectors and floats. */
ALWAYS int
do_vload(const struct run *r, const struct simple *s)
{
	size_t n = (size_t)ty_bits(s->ty) / 8;
	u64 v[2][2] = {{0}};

	for (int k = 0; k <= s->two; k++)
		if (gmem_read(v[k], do_address(r, s) + (u64)k * n, n))
			return 0;
	do_advance(r, s);
	for (int k = 0; k <= s->two; k++) {
		int var = k ? s->d2 : s->d;

		memcpy(place(r, var), v[k], (size_t)r->g->reg[var].bits / 8);
	}
	return 1;
}

ALWAYS int
do_vstore(const struct run *r, const struct simple *s)
{
	size_t n = (size_t)ty_bits(s->ty) / 8;

	for (int k = 0; k <= s->two; k++)
		if (gmem_write(do_address(r, s) + (u64)k * n, place(r, k ? s->d2 : s->d), n))
			return 0;
	do_advance(r, s);
	return 1;
}

ALWAYS void
do_vset(const struct run *r, int var, u64 low, u64 high)
{
	const u64 v[2] = {low, high};

	memcpy(place(r, var), v, (size_t)r->g->reg[var].bits / 8);
}

/* What is at byte lo of a vector or float. */
ALWAYS u64
do_lane(const struct run *r, const struct simple *s)
{
	u64 v = 0;

	memcpy(&v, (const u8 *)place(r, s->a) + s->lo, (size_t)ty_bits(s->ty) / 8);
	return v;
}

ALWAYS void
do_setlane(const struct run *r, const struct simple *s)
{
	u64 v = get(r, s->a);

	memcpy((u8 *)place(r, s->d) + s->lo, &v, (size_t)ty_bits(s->ty) / 8);
}

/* -- jumps; what generated code has on its shadow stack does not fit calls and returns that it has not made -- */
ALWAYS int
do_jump(struct run *r, gaddr to)
{
	r->to = to;
	return BRANCHED;
}

/* Without a branch, which the host would guess wrong. */
ALWAYS int
do_branch(struct run *r, const struct simple *s, int taken)
{
	return do_jump(r, s->next + ((s->to - s->next) & -(u64)taken));
}

ALWAYS int
do_computed(struct run *r, const struct simple *s)
{
	gaddr to = get(r, s->a) + (u64)s->imm;

	if (s->kind == SI_CALLR && !r->calls(r, s->next))
		return UNDONE;
	put(r, s->d, s->next);
	if (s->kind != SI_GO)
		r->cpu->kept = 0;
	return do_jump(r, to);
}

ALWAYS int
do_call(struct run *r, const struct simple *s)
{
	if (!r->calls(r, s->next))
		return UNDONE;
	put(r, r->g->link, s->next);
	r->cpu->kept = 0;
	return do_jump(r, s->to);
}

ALWAYS int
perform(struct run *r, const struct simple *s, int len)
{
	switch (s->kind) {
	case SI_NOTHING: break;
	case SI_SET: put(r, s->d, (u64)s->imm); break;
	case SI_OP: do_operation(r, s); break;
	case SI_FIELD: do_field(r, s); break;
	case SI_REL: put(r, s->d, (u64)do_relation(r, s)); break;
	case SI_INSERT: do_insert(r, s); break;
	case SI_MUL: do_multiply(r, s); break;
	case SI_SELECT: do_choose(r, s); break;
	case SI_CHECK: do_check(r, s); break;
	case SI_VSET: do_vset(r, s->d, (u64)s->imm, s->two ? (u64)s->imm : 0); break;
	case SI_TOV: do_vset(r, s->d, do_narrowed(s, get(r, s->a)), 0); break;
	case SI_FROMV: put(r, s->d, do_lane(r, s)); break;
	case SI_INTOV: do_setlane(r, s); break;
	case SI_LOAD: if (!do_load(r, s)) return UNDONE; break;
	case SI_STORE: if (!do_store(r, s)) return UNDONE; break;
	case SI_VLOAD: if (!do_vload(r, s)) return UNDONE; break;
	case SI_VSTORE: if (!do_vstore(r, s)) return UNDONE; break;
	case SI_BRANCH: return do_branch(r, s, do_relation(r, s));
	case SI_TEST: return do_branch(r, s, (get(r, s->a) >> s->imm & 1) == (s->op == R_TST));
	case SI_BRANCHF: return do_branch(r, s, do_holds(r, s));
	case SI_JUMP: return do_jump(r, s->to);
	case SI_CALL: return do_call(r, s);
	default: return do_computed(r, s);
	}
	return len;
}

#endif
