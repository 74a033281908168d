/* SPDX-License-Identifier: MIT */
/* eval.c - runs a block of IR: variables, values, memory, ways out */
#include <stdatomic.h>
#include "base/cas128.h"
#include "base/gmem.h"
#include "ir/eval.h"

static const struct opinfo *info(const struct ins *i) { return &opinfo[i->op]; }

int
eval_stride(const struct ins *ins, int n)
{
	int words = 2;

	for (int i = 0; i < n; i++)
		if (info(&ins[i])->res == 'X' && eval_words(ins[i].ty) > words)
			words = eval_words(ins[i].ty);
	return words;
}

static u64 arg(const struct eval *e, ref r) { return eval_arg(e, r)[0]; }

static enum evalend
leave(struct eval *e, enum why why, u64 pc)
{
	e->cpu->pc = pc;
	e->cpu->why = why;
	return EVAL_LEFT;
}

static enum evalend
go(struct eval *e, u64 pc)
{
	e->cpu->pc = e->guest->bits == 32 ? (u32)pc : pc;
	return EVAL_GO;
}

static enum evalend
trap(struct eval *e, enum trap kind, u32 detail)
{
	e->cpu->trap = kind;
	e->cpu->trapinfo = detail;
	return leave(e, WHY_TRAP, e->cpu->pc);
}

/* -- values -- */

/* An operation that op.def defines, lane by lane.  What works on bits works on lanes of 128. */
static enum evalend
do_value(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *v[3] = { eval_arg(e, i->a), eval_arg(e, i->b), eval_arg(e, i->c) };
	const char *kind = info(i)->arg;

	if (!ty_isvec(i->ty)) {
		out[0] = ir_value(i->op, i->ty, v[0][0], v[1][0], v[2][0], i->v, i->imm);
		return EVAL_ON;
	}
	int lane = ty_lane(i->ty) == I128 ? I64 : ty_lane(i->ty), bits = ty_lanebits(lane);
	for (int n = 0; n < ty_bits(i->ty) / bits; n++) {
		u64 x[3];
		for (int k = 0; k < 3; k++)
			x[k] = kind[k] == 'X' ? eval_lane(v[k], bits, n) : v[k][0];
		eval_setlane(out, bits, n, ir_value(i->op, lane, x[0], x[1], x[2], i->v, i->imm));
	}
	return EVAL_ON;
}

/* -- variables -- */

static enum evalend
do_get(struct eval *e, const struct ins *i, u64 *out)
{
	const struct reg *r = &e->guest->reg[i->v];

	memcpy(out, e->cpu->state + r->off, (size_t)(ty_bits(i->ty) <= 64 ? 8 : ty_bits(i->ty) / 8));
	if (ty_bits(i->ty) < 64)
		out[0] = zext(out[0], ty_bits(i->ty));
	return EVAL_ON;
}

static enum evalend
do_put(struct eval *e, const struct ins *i, u64 *out)
{
	const struct reg *r = &e->guest->reg[i->v];
	const u64 *v = eval_arg(e, i->a);
	u8 *at = e->cpu->state + r->off;
	int n = ty_bits(i->ty) / 8;

	(void)out;
	if (n <= 8)
		st64(at, zext(v[0], n * 8));
	else
		memcpy(at, v, (size_t)n);
	n = n < 8 ? 8 : n;
	if (r->kind == REG_VEC && n < r->bits / 8)
		memset(at + n, 0, (size_t)(r->bits / 8 - n));
	return EVAL_ON;
}

static enum evalend
do_nothing(struct eval *e, const struct ins *i, u64 *out)
{
	(void)e, (void)i, (void)out;
	return EVAL_ON;
}

static enum evalend
do_insn(struct eval *e, const struct ins *i, u64 *out)
{
	(void)out;
	e->at = i;
	e->cpu->pc = e->pc + (u64)(s64)i->imm;
	return EVAL_ON;
}

/* -- memory -- */

gaddr
eval_address(const struct eval *e, const struct ins *i)
{
	u64 index = 0;

	if (i->b && i->op != O_cas && i->op != O_rmw && i->op != O_stx) {
		index = arg(e, i->b);
		if (i->aux & AUX_IDX32U)
			index = (u32)index;
		if (i->aux & AUX_IDX32S)
			index = (u64)(s64)(s32)index;
		index <<= i->aux & AUX_SCALE;
	}
	gaddr a = arg(e, i->a) + index + (u64)(s64)i->imm;
	return e->guest->bits == 32 ? (u32)a : a;
}

static int
misaligned(const struct ins *i, gaddr a, int bytes)
{
	return i->aux & AUX_ALIGN && a & (u64)(bytes - 1);
}

/* The datum's bytes reversed lane by lane, if it is big-endian. */
static void
byteorder(const struct ins *i, int ty, u64 *v)
{
	int bits = ty_lanebits(ty);

	if (!(i->aux & AUX_BE))
		return;
	for (int n = 0; bits <= 64 && n < ty_nlanes(ty); n++)
		eval_setlane(v, bits, n, __builtin_bswap64(eval_lane(v, bits, n)) >> (64 - bits));
	if (bits == 128)
		for (int n = 0; n < ty_nlanes(ty); n++) {
			u64 low = __builtin_bswap64(v[2 * n]);
			v[2 * n] = __builtin_bswap64(v[2 * n + 1]);
			v[2 * n + 1] = low;
		}
}

/* A guest's address need not be aligned, nor is it C's business what lies there. */
typedef volatile u16 __attribute__((aligned(1), may_alias)) any16;
typedef volatile u32 __attribute__((aligned(1), may_alias)) any32;
typedef volatile u64 __attribute__((aligned(1), may_alias)) any64;
typedef u64 __attribute__((vector_size(16), aligned(1), may_alias)) any128;

/* Nor need it be other than 0. */
#define ANYWHERE __attribute__((no_sanitize("null")))

/* One access of 1 to 8 bytes, as single as the host makes it. */
ANYWHERE static u64
load(const void *p, int bytes)
{
	switch (bytes) {
	case 1: return *(const volatile u8 *)p;
	case 2: return *(const any16 *)p;
	case 4: return *(const any32 *)p;
	default: return *(const any64 *)p;
	}
}

ANYWHERE static void
store(void *p, int bytes, u64 v)
{
	switch (bytes) {
	case 1: *(volatile u8 *)p = (u8)v; break;
	case 2: *(any16 *)p = (u16)v; break;
	case 4: *(any32 *)p = (u32)v; break;
	default: *(any64 *)p = v;
	}
}

static void
fence_before(const struct ins *i)
{
	if (i->aux & AUX_SC)
		atomic_thread_fence(memory_order_seq_cst);
	else if (i->aux & AUX_REL)
		atomic_thread_fence(memory_order_release);
}

static void
fence_after(const struct ins *i)
{
	if (i->aux & AUX_SC)
		atomic_thread_fence(memory_order_seq_cst);
	else if (i->aux & AUX_ACQ)
		atomic_thread_fence(memory_order_acquire);
}

static enum evalend
do_ld(struct eval *e, const struct ins *i, u64 *out)
{
	int bytes = i->op == O_lds ? i->v / 8 : ty_bits(i->ty) / 8;
	gaddr a = eval_address(e, i);

	if (misaligned(i, a, bytes))
		return trap(e, TRAP_ALIGN, 0);
	if (i->aux >> AUX_BASE)
		do_put(e, &(struct ins){.op = O_put, .ty = I64, .v = i->aux >> AUX_BASE, .a = i->a}, out);
	fence_before(i);
	for (int n = 0; n < bytes; n += 8)
		out[n / 8] = load(g2h(a + (u64)n), bytes < 8 ? bytes : 8);
	fence_after(i);
	if (i->op == O_lds) {
		if (i->aux & AUX_BE)
			out[0] = __builtin_bswap64(out[0]) >> (64 - i->v);
		out[0] = (u64)sext(out[0], i->v);
		if (i->ty == I32 || i->aux & AUX_S32)
			out[0] = (u32)out[0];
	} else {
		byteorder(i, i->ty, out);
	}
	return EVAL_ON;
}

static enum evalend
do_ldor(struct eval *e, const struct ins *i, u64 *out)
{
	if (*eval_arg(e, i->b))
		out[0] = zext(*eval_arg(e, i->c), ty_bits(i->ty));
	else
		out[0] = load(g2h(eval_address(e, i)), ty_bits(i->ty) / 8);
	return EVAL_ON;
}

static enum evalend
do_st(struct eval *e, const struct ins *i, u64 *out)
{
	int bytes = ty_bits(i->ty) / 8;
	gaddr a = eval_address(e, i);
	u64 v[EVAL_MAXWORDS];

	if (misaligned(i, a, bytes))
		return trap(e, TRAP_ALIGN, 0);
	if (i->aux >> AUX_BASE)
		do_put(e, &(struct ins){.op = O_put, .ty = I64, .v = i->aux >> AUX_BASE, .a = i->a}, out);
	memcpy(v, eval_arg(e, i->c), (size_t)(bytes < 8 ? 8 : bytes));
	byteorder(i, i->ty, v);
	fence_before(i);
	if (bytes == 16)               /* all of it or nothing, if it faults: for several (loop.c) that counts */
		*(volatile any128 *)g2h(a) = *(any128 *)v;
	for (int n = 0; n < bytes && bytes != 16; n += 8)
		store(g2h(a + (u64)n), bytes < 8 ? bytes : 8, v[n / 8]);
	fence_after(i);
	return EVAL_ON;
}

static enum evalend
do_fill(struct eval *e, const struct ins *i, u64 *out)
{
	gaddr to = arg(e, i->a) + (u64)(s64)i->imm;

	(void)out;
	for (u64 n = 0; n < arg(e, i->c); n += 8)
		store(g2h(to + n), 8, arg(e, i->b));
	return EVAL_ON;
}

static enum evalend
do_copy(struct eval *e, const struct ins *i, u64 *out)
{
	gaddr to = arg(e, i->a) + (u64)(s64)i->imm, from = arg(e, i->b);

	(void)out;
	for (u64 n = 0; n < arg(e, i->c); n += 8)
		store(g2h(to + n), 8, load(g2h(from + n), 8));
	return EVAL_ON;
}

/* -- atomics.  A value of 16 bytes takes two words. -- */

static u64
cas64(void *p, int bytes, u64 old, u64 new)
{
	switch (bytes) {
#define CAS(n, type) case n: { \
		type was = (type)old; \
		__atomic_compare_exchange_n((type *)p, &was, (type)new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		return was; \
	}
	CAS(1, u8) CAS(2, u16) CAS(4, u32)
	default: CAS(8, u64)
#undef CAS
	}
}

/* Swaps if *p is old; was gets what it was. */
static void
swap_if(void *p, int bytes, const u64 *old, const u64 *new, u64 *was)
{
	if (bytes < 16) {
		was[0] = cas64(p, bytes, old[0], new[0]);
		return;
	}
	u128 v = cas128(p, (u128)old[1] << 64 | old[0], (u128)new[1] << 64 | new[0]);
	was[0] = (u64)v;
	was[1] = (u64)(v >> 64);
}

/* The operand as it lies in memory. */
static void
datum(const struct eval *e, const struct ins *i, ref r, u64 *v)
{
	const u64 *x = eval_arg(e, r);

	v[0] = ty_bits(i->ty) < 64 ? zext(x[0], ty_bits(i->ty)) : x[0];
	v[1] = ty_bits(i->ty) > 64 ? x[1] : 0;
	byteorder(i, i->ty, v);
}

static enum evalend
do_cas(struct eval *e, const struct ins *i, u64 *out)
{
	int bytes = ty_bits(i->ty) / 8;
	gaddr a = eval_address(e, i);
	u64 old[2], new[2];

	if (misaligned(i, a, bytes) || (bytes == 16 && a & 15))
		return trap(e, TRAP_ALIGN, 0);
	datum(e, i, i->b, old);
	datum(e, i, i->c, new);
	swap_if(g2h(a), bytes, old, new, out);
	byteorder(i, i->ty, out);
	return EVAL_ON;
}

static u64
modify(enum rmw how, int ty, u64 old, u64 x)
{
	static const u8 op[] = {
		[RMW_ADD] = O_add, [RMW_AND] = O_and, [RMW_ANDN] = O_andn, [RMW_OR] = O_or, [RMW_XOR] = O_xor,
		[RMW_SMIN] = O_smin, [RMW_SMAX] = O_smax, [RMW_UMIN] = O_umin, [RMW_UMAX] = O_umax,
	};

	return how == RMW_XCHG ? x : ir_value(op[how], ty, old, x, 0, 0, 0);
}

static enum evalend
do_rmw(struct eval *e, const struct ins *i, u64 *out)
{
	int bytes = ty_bits(i->ty) / 8;
	gaddr a = eval_address(e, i);
	u64 x = zext(arg(e, i->b), bytes * 8), seen, now, old[2] = {0};

	if (misaligned(i, a, bytes))
		return trap(e, TRAP_ALIGN, 0);
	now = load(g2h(a), bytes);
	do {
		seen = now;
		old[0] = seen;
		byteorder(i, i->ty, old);
		u64 new[2] = { modify(i->v, i->ty, old[0], x) };
		byteorder(i, i->ty, new);
		now = cas64(g2h(a), bytes, seen, new[0]);
	} while (now != seen);
	out[0] = old[0];
	return EVAL_ON;
}

/* The monitor keeps what memory held, in memory's byte order. */
static enum evalend
do_ldx(struct eval *e, const struct ins *i, u64 *out)
{
	int bytes = ty_bits(i->ty) / 8;
	struct cpu *cpu = e->cpu;
	gaddr a = eval_address(e, i);

	if (misaligned(i, a, bytes) || (bytes == 16 && a & 15))
		return trap(e, TRAP_ALIGN, 0);
	if (bytes == 16)
		swap_if(g2h(a), 16, (u64[2]){0}, (u64[2]){0}, out);
	else
		out[0] = load(g2h(a), bytes);
	fence_after(i);
	cpu->excl_addr = a;
	cpu->excl_size = (u32)bytes;
	cpu->excl_val[0] = out[0];
	cpu->excl_val[1] = bytes == 16 ? out[1] : 0;
	byteorder(i, i->ty, out);
	return EVAL_ON;
}

static enum evalend
do_stx(struct eval *e, const struct ins *i, u64 *out)
{
	int bytes = ty_bits(i->ty) / 8;
	struct cpu *cpu = e->cpu;
	gaddr a = eval_address(e, i);
	u64 new[2], was[2] = {0};

	if (misaligned(i, a, bytes) || (bytes == 16 && a & 15))
		return trap(e, TRAP_ALIGN, 0);
	int fits = cpu->excl_addr == a && cpu->excl_size == (u32)bytes;
	cpu->excl_addr = ~(u64)0;
	out[0] = 1;
	if (!fits)
		return EVAL_ON;
	datum(e, i, i->b, new);
	swap_if(g2h(a), bytes, cpu->excl_val, new, was);
	out[0] = was[0] != cpu->excl_val[0] || (bytes == 16 && was[1] != cpu->excl_val[1]);
	return EVAL_ON;
}

static enum evalend
do_clrex(struct eval *e, const struct ins *i, u64 *out)
{
	(void)i, (void)out;
	e->cpu->excl_addr = ~(u64)0;
	return EVAL_ON;
}

static enum evalend
do_fence(struct eval *e, const struct ins *i, u64 *out)
{
	(void)e, (void)i, (void)out;
	atomic_thread_fence(memory_order_seq_cst);
	return EVAL_ON;
}

/* -- ways out -- */

static enum evalend
do_jmp(struct eval *e, const struct ins *i, u64 *out)
{
	(void)out;
	return go(e, arg(e, i->a));
}

static enum evalend
do_call(struct eval *e, const struct ins *i, u64 *out)
{
	(void)out;
	go(e, arg(e, i->a));
	return EVAL_CALL;
}

static enum evalend
do_brc(struct eval *e, const struct ins *i, u64 *out)
{
	(void)out;
	return ir_value(O_set, i->ty, arg(e, i->a), arg(e, i->b), 0, i->v, 0) ? go(e, arg(e, i->c)) : EVAL_ON;
}

static enum evalend
do_brf(struct eval *e, const struct ins *i, u64 *out)
{
	if (!ir_cc(i->v, arg(e, i->a)))
		return EVAL_ON;
	if (i->aux & AUX_KEEP)
		do_put(e, &(struct ins){.op = O_put, .ty = FL, .v = e->guest->flags, .a = i->a}, out);
	return go(e, arg(e, i->c));
}

static enum evalend
do_sys(struct eval *e, const struct ins *i, u64 *out)
{
	(void)out;
	return leave(e, WHY_CALL, arg(e, i->a));
}

static enum evalend
do_look(struct eval *e, const struct ins *i, u64 *out)
{
	(void)out;
	return leave(e, WHY_FLUSH, arg(e, i->a));
}

static enum evalend
do_trap(struct eval *e, const struct ins *i, u64 *out)
{
	(void)out;
	return trap(e, i->v, (u32)i->imm);
}

static enum evalend
do_help(struct eval *e, const struct ins *i, u64 *out)
{
	helper_fn *f = (helper_fn *)e->guest->helper[i->v].fn;

	out[0] = f(e->cpu, arg(e, i->a), arg(e, i->b), arg(e, i->c));
	return EVAL_ON;
}

static enum evalend
do_vhelp(struct eval *e, const struct ins *i, u64 *out)
{
	const struct reg *r = e->guest->reg;
	u8 *s = e->cpu->state;
	vhelper_fn *f = (vhelper_fn *)e->guest->helper[i->v].fn;

	(void)out;
	f(e->cpu, s + r[i->aux & 0xff].off, s + r[i->aux >> 8].off, s + r[i->imm & 0xff].off,
	  (u64)(i->imm >> 8));
	return EVAL_ON;
}

/* -- all of them -- */

static eval_fn *const eval_own[O_COUNT] = {
	[O_nop] = do_nothing, [O_get] = do_get,     [O_put] = do_put,   [O_insn] = do_insn,
	[O_ld] = do_ld,       [O_lds] = do_ld,      [O_ldor] = do_ldor,   [O_st] = do_st,     [O_cas] = do_cas,
	[O_fill] = do_fill,   [O_copy] = do_copy,
	[O_rmw] = do_rmw,     [O_ldx] = do_ldx,     [O_stx] = do_stx,   [O_clrex] = do_clrex,
	[O_pref] = do_nothing,
	[O_fence] = do_fence, [O_jmp] = do_jmp,     [O_brc] = do_brc,   [O_brf] = do_brf,
	[O_br] = do_jmp,      [O_call] = do_call,   [O_callr] = do_call, [O_ret] = do_jmp,
	[O_sys] = do_sys,     [O_trap] = do_trap,   [O_look] = do_look, [O_help] = do_help,
	[O_vhelp] = do_vhelp,
};

static eval_fn *
function(int op)
{
	if (eval_own[op])
		return eval_own[op];
	if (ir_hasvalue(op))
		return do_value;
	return eval_fp[op] ? eval_fp[op] : eval_vec[op];
}

enum evalend
eval_block(struct eval *e, int n)
{
	u64 none[EVAL_MAXWORDS];

	for (int k = e->first; k < e->first + n; k++) {
		const struct ins *i = &e->ins[k];
		u64 *out = info(i)->res == 'N' ? none : &e->val[(k - e->first) * e->stride];
		if (info(i)->res == 'X' && ty_bits(i->ty) > 64)
			memset(out, 0, (size_t)eval_words(i->ty) * 8);
		e->now = i;
		enum evalend end = function(i->op)(e, i, out);
		if (end != EVAL_ON)
			return end;
	}
	return EVAL_GO;
}
