/* SPDX-License-Identifier: MIT */
/* test_loop.c - random loops, as they are and with the loop on vectors, or of several turns, before them: memory and
 * variables in the end; and loops that must stay alone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "fake.h"

enum { HEAD = 0x100, EXIT = 0x200, ARENA = 8192, LOADS = 3, VALUES = 16 };
static struct region r;

/* -- random loops -- */

struct body {
	int ty;                        /* of floats */
	int bytes[LOADS];              /* that pointers move on each turn */
	ref value[VALUES]; int nvalue; /* of type ty, or integers */
	ref fixed;                     /* the same each turn, or 0 */
	ref base[LOADS]; s64 moved[LOADS];     /* pointers, and how far they have been moved */
};

/* Of the next datum; of the pointer that is stored to, one near it that is loaded. */
static s32 disp(const struct body *b, int p) { return (s32)(-b->moved[p]); }

static s32
near(const struct body *b, int p)
{
	return disp(b, p) + (p || rnd() % 3 ? 0 : b->bytes[0] * ((int)(rnd() % 25) - 12));
}

static void
move(struct body *b, int p)
{
	if (b->moved[p])
		return;
	b->moved[p] = b->bytes[p];
	b->base[p] = ir_op(&r, O_add, I64, b->base[p], ir_k(&r, (u64)b->bytes[p]), 0);
	ir_put(&r, I64, X0 + p, b->base[p]);
}

static ref any(const struct body *b) { return b->value[rnd() % (u64)b->nvalue]; }

static void
compute(struct body *b)
{
	static const u8 two[] = {O_fadd, O_fsub, O_fmul, O_fdiv, O_fmin, O_fmax, O_fsgnj};
	static const u8 one[] = {O_fsqrt, O_fneg, O_fabs};
	int op = two[rnd() % NELEM(two)];
	ref t;

	switch (rnd() % 4) {
	case 0:
		t = ir_opx(&r, O_fma, b->ty, rnd() % 2 ? FP_NEGP : FP_NEGA, 0, 0, any(b), any(b), any(b));
		break;
	case 1:
		t = ir_op(&r, one[rnd() % NELEM(one)], b->ty, any(b), 0, 0);
		break;
	default:
		t = ir_opx(&r, op, b->ty, op == O_fmin || op == O_fmax ? FP_NUM : 0, op == O_fsgnj ? (int)(rnd() % 3) : 0, 0,
		    any(b), any(b), 0);
	}
	b->value[b->nvalue++] = t;
}

static void
keep(struct body *b)
{
	ref t = any(b);

	ir_put(&r, F64, F1 + (int)(rnd() % 3), b->ty == F64 ? t : ir_opx(&r, O_fbox, F64, 0, F32, 0, t, 0, 0));
}

static void
branch(const struct body *b)
{
	static const u8 rel[] = {R_NE, R_NE, R_LTU, R_LTS};
	static const u8 back[] = {R_NE, R_NE, R_GTU, R_GTS};
	int n = (int)(rnd() % NELEM(rel)), swap = (int)(rnd() % 2);
	ref end = ir_get(&r, I64, X3), p = b->base[0];

	ir_opx(&r, O_brc, I64, 0, swap ? back[n] : rel[n], 0, swap ? end : p, swap ? p : end, ir_k(&r, HEAD));
}

/* Pointers are X0 (stored to), X1, X2; X3 is where X0 ends; F0 stays the same. */
static void
floats(u64 from)
{
	struct body b = {.ty = from % 2 ? F32 : F64};
	int nload, nop;
	ref t;

	for (int n = 0; n < LOADS; n++)
		b.bytes[n] = ty_bits(b.ty) / 8;
	region_init(&r, &fake_guest, HEAD, 0);
	r.fpnan = FPNAN_RISCV;
	ir_block(&r, HEAD);
	r.open->entry = 1;
	ir_insn(&r, HEAD);
	nload = 1 + (int)(rnd() % LOADS);
	for (int n = 0; n < LOADS; n++)
		b.base[n] = ir_get(&r, I64, X0 + n);
	t = ir_get(&r, F64, F0);
	b.value[b.nvalue++] = b.ty == F64 ? t : ir_opx(&r, O_funbox, F32, 0, F64, 0, t, 0, 0);
	for (int n = 0; n < nload; n++) {
		int p = (int)(rnd() % LOADS);

		if (rnd() % 2)
			move(&b, p);
		b.value[b.nvalue++] = ir_opx(&r, O_ld, b.ty, 0, 0, near(&b, p), b.base[p], 0, 0);
	}
	ir_insn(&r, HEAD + 4);
	nop = (int)(rnd() % 6);
	for (int n = 0; n < nop; n++)
		compute(&b);
	t = b.value[b.nvalue - 1];
	for (int n = 0; n < 3; n++) {
		if (rnd() % 2)
			move(&b, (int)(rnd() % LOADS));
		if (rnd() % 2)
			keep(&b);
	}
	ir_opx(&r, O_st, b.ty, 0, 0, disp(&b, 0), b.base[0], 0, t);
	for (int n = 0; n < LOADS; n++)
		move(&b, n);
	ir_insn(&r, HEAD + 8);
	branch(&b);
}

/* -- integers: X0 is stored to or ends at X3, X1 is loaded from, X2 is put or summed up -- */

/* One of two by how they compare, or a number without its sign. */
static ref
choice(int ty, ref x, ref y)
{
	static const u8 sign[] = {CC_PL, CC_GE, CC_GT, CC_MI, CC_LT};
	int how = (int)(rnd() % 4), cc = how < 2 ? (int)(rnd() % CC_AL) : sign[rnd() % NELEM(sign)];
	ref yes = how == 3 ? ir_op(&r, O_sub, ty, x, y, 0) : x, no = how < 2 ? y : ir_op(&r, O_neg, ty, yes, 0, 0);
	ref fl = ir_op(&r, O_flsub, ty, x, how == 2 ? ir_k(&r, 0) : y, 0);

	fl = ir_opx(&r, O_fcc, I64, 0, cc, 0, fl, 0, 0);
	return how ? ir_op(&r, O_sel, ty, fl, yes, no) : ir_op(&r, O_sel, ty, fl, no, yes);
}

/* The same by its sign, which may have been found in a wider number. */
static ref
signless(int ty, ref x)
{
	int wide = rnd() % 2 ? I64 : ty, at = (rnd() % 4 ? ty_bits(ty) : ty_bits(wide)) - 1;
	ref s;

	if (rnd() % 4)
		x = ir_opx(&r, O_sxt, I64, 0, 0, rnd() % 8 ? 32 : 40, x, 0, 0);
	s = ir_op(&r, O_sar, wide, x, ir_k(&r, (u64)at), 0);
	return ir_op(&r, O_sub, ty, ir_op(&r, O_xor, wide, x, s, 0), s, 0);
}

/* What the first two differ by, or which is less. */
static ref
apart(struct body *b)
{
	ref d = ir_op(&r, O_sub, rnd() % 4 ? I32 : I64, b->value[0], b->value[1], 0);

	return rnd() % 4 ? signless(I32, d) :
	    ir_op(&r, O_sar, I64, ir_opx(&r, O_sxt, I64, 0, 0, 32, d, 0, 0), ir_k(&r, 6 + rnd() % 40), 0);
}

static ref
integer(struct body *b)
{
	static const u8 two[] = {O_add, O_sub, O_mul, O_and, O_or, O_xor, O_smin, O_smax, O_umin, O_umax};
	int ty = rnd() % 2 ? I32 : I64, w = ty_bits(ty), at = (int)(rnd() % (u64)w), bits = 1 + (int)(rnd() % (u64)(w - at));
	ref x = any(b), y = b->fixed && rnd() % 4 == 0 ? b->fixed : rnd() % 4 ? any(b) : ir_k(&r, rnd() >> rnd() % 64);

	switch (rnd() % 15) {
	case 9: return signless(ty, x);
	case 8: return choice(ty, x, y);
	case 7: return ir_opx(&r, O_set, ty, 0, (int)(rnd() % R_TST), 0, x, y, 0);
	case 0: return ir_op(&r, rnd() % 2 ? O_not : O_neg, ty, x, 0, 0);
	case 1: return ir_op(&r, O_shl, ty, x, ir_k(&r, rnd() % 2 ? (u64)at : rnd() % 5), 0);
	case 2: return ir_op(&r, O_shr, ty, x, ir_k(&r, rnd() % 2 ? (u64)at : rnd() % 9), 0);
	case 3: return ir_op(&r, O_sar, ty, x, ir_k(&r, rnd() % 2 ? (u64)at : 31), 0);
	case 4: return ir_opx(&r, rnd() % 2 ? O_sxt : O_zxt, ty, 0, 0, rnd() % 2 ? bits : ty == I64 ? 32 : 8 << rnd() % 2, x, 0, 0);
	case 5: return ir_opx(&r, rnd() % 2 ? O_bfx : O_sbfx, ty, 0, at, bits, x, 0, 0);
	case 6: return ir_op(&r, O_rotr, ty, x, ir_k(&r, (u64)at), 0);
	}
	return ir_op(&r, two[rnd() % NELEM(two)], ty, x, y, 0);
}

static ref
datum(struct body *b, int p)
{
	static const u8 type[] = {[1] = I8, [2] = I16, [4] = I32, [8] = I64};
	int bytes = b->bytes[p];

	if (bytes < 8 && rnd() % 2)
		return ir_opx(&r, O_lds, bytes < 4 && rnd() % 2 ? I32 : I64, 0, bytes * 8, near(b, p), b->base[p], 0, 0);
	return ir_opx(&r, O_ld, type[bytes], 0, 0, near(b, p), b->base[p], 0, 0);
}

static void
addup(ref t)
{
	static const u8 two[] = {O_add, O_add, O_sub, O_and, O_or, O_xor, O_smin, O_smax, O_umin, O_umax};
	ref s = ir_get(&r, I64, X2);
	int ty = rnd() % 2 ? I32 : I64;

	if (rnd() % 4 == 0) {
		ref more = ir_op(&r, O_add, ty, s, ir_k(&r, 1), 0), fl = ir_op(&r, O_flsub, ty, t, ir_k(&r, rnd() >> rnd() % 64), 0);

		fl = ir_opx(&r, O_fcc, I64, 0, (int)(rnd() % CC_AL), 0, fl, 0, 0);
		s = rnd() % 2 ? ir_op(&r, O_sel, ty, fl, more, s) : ir_op(&r, O_sel, ty, fl, s, more);
	} else {
		s = ir_op(&r, two[rnd() % NELEM(two)], ty, s, t, 0);
	}
	ir_put(&r, I64, X2, rnd() % 2 ? ir_opx(&r, O_sxt, I64, 0, 0, 32, s, 0, 0) : s);
}

static void
integers(void)
{
	static const u8 type[] = {[1] = I8, [2] = I16, [4] = I32, [8] = I64};
	struct body b = {.nvalue = 0};
	int bytes = rnd() % 8 == 0, nop = bytes ? 0 : (int)(rnd() % 6);
	int sum = bytes || rnd() % 3 == 0, store = !sum || rnd() % 4 == 0;

	region_init(&r, &fake_guest, HEAD, 0);
	ir_block(&r, HEAD);
	r.open->entry = 1;
	ir_insn(&r, HEAD);
	for (int n = 0; n < 2; n++) {
		b.bytes[n] = bytes ? 1 : 1 << rnd() % 4;
		b.base[n] = ir_get(&r, I64, X0 + n);
	}
	if (rnd() % 2)
		b.bytes[0] = b.bytes[1];
	for (int n = 0; n < 2; n++) {
		if (rnd() % 2)
			move(&b, n);
		if (n || bytes || rnd() % 2)
			b.value[b.nvalue++] = datum(&b, n);
	}
	b.fixed = !sum && rnd() % 2 ? ir_get(&r, I64, X2) : 0;
	for (int n = 0; n < nop; n++) {
		ref t = integer(&b);

		b.value[b.nvalue] = t;
		b.nvalue += !isk(t);
	}
	if (bytes)
		b.value[b.nvalue++] = apart(&b);
	if (sum)
		addup(b.value[b.nvalue - 1]);
	else if (!b.fixed)
		ir_put(&r, I64, X2, any(&b));
	if (store)
		ir_opx(&r, O_st, type[b.bytes[0]], 0, 0, disp(&b, 0), b.base[0], 0, b.value[b.nvalue - 1]);
	move(&b, 0);
	move(&b, 1);
	ir_insn(&r, HEAD + 8);
	branch(&b);
}

/* -- what only reads: X0 ends at X3, X1 moves on by anything, X2 and F0 to F3 are made of what is read -- */

/* From where pointers are, from where the end is by a number that was loaded, or with a pointer as index. */
static ref
somewhere(struct body *b)
{
	static const u8 type[] = {I8, I16, I32, I64, F64};
	int ty = type[rnd() % NELEM(type)], p = (int)(rnd() % 2);
	ref at = ir_op(&r, O_and, I64, any(b), ir_k(&r, 0x3f8), 0);

	switch (rnd() % 6) {
	case 0: return ir_opx(&r, O_ld, ty, 0, 0, (s32)(rnd() % 8), ir_get(&r, I64, X3), at, 0);
	case 1: return ir_opx(&r, O_ld, ty, 0, 0, 0, ir_op(&r, O_add, I64, ir_get(&r, I64, X3), at, 0), 0, 0);
	case 2: return ir_opx(&r, O_ld, ty, 0, 0, 0, ir_op(&r, O_sub, I64, b->base[0], ir_get(&r, I64, X3), 0),
	            ir_get(&r, I64, X3), 0);
	}
	return !p && rnd() % 3 ? datum(b, p) : ir_opx(&r, O_ld, ty, 0, 0, disp(b, p), b->base[p], 0, 0);
}

static void
gather(ref t)
{
	static const u8 two[] = {O_add, O_sub, O_mul, O_xor, O_or, O_fadd, O_fmul, O_flsub};
	int op = two[rnd() % NELEM(two)], ty = rnd() % 2 ? I32 : I64, f = F0 + (int)(rnd() % 3);
	ref s;

	if (ir_type(&r.ins[t]) == F64) {
		s = ir_get(&r, F64, f);
		ir_put(&r, F64, f, rnd() % 4 ? ir_op(&r, rnd() % 2 ? O_fadd : O_fmul, F64, s, t, 0) : t);
	} else if (op == O_flsub) {
		ir_put(&r, FL, NZ, ir_op(&r, O_flsub, ty, ir_get(&r, I64, X2), t, 0));
	} else if (op < O_fadd) {
		s = ir_op(&r, op, ty, ir_get(&r, ty, X2), t, 0);
		ir_put(&r, ty, X2, ty == I64 && rnd() % 2 ? ir_opx(&r, O_sxt, I64, 0, 0, 32, s, 0, 0) : s);
	} else {
		ir_put(&r, I64, X2, t);
	}
}

static void
reads(void)
{
	struct body b = {.bytes = {1 << rnd() % 4, (int)(rnd() % 49) - 24}};

	region_init(&r, &fake_guest, HEAD, 0);
	ir_block(&r, HEAD);
	r.open->entry = 1;
	ir_insn(&r, HEAD);
	for (int n = 0; n < 2; n++)
		b.base[n] = ir_get(&r, I64, X0 + n);
	b.value[b.nvalue++] = ir_get(&r, rnd() % 2 ? I64 : I32, X2);
	for (int n = (int)(rnd() % 4); n >= 0; n--) {
		ref t = somewhere(&b);

		if (rnd() % 2)
			move(&b, (int)(rnd() % 2));
		if (ir_type(&r.ins[t]) != F64)
			b.value[b.nvalue++] = t;
		else
			gather(t);
		if (rnd() % 2 && !isk(t = integer(&b)))
			b.value[b.nvalue++] = t;
		if (rnd() % 4 == 0)
			gather(any(&b));
	}
	if (rnd() % 2)
		gather(any(&b));
	else
		ir_put(&r, I64, X2, ir_op(&r, O_add, I64, ir_get(&r, I64, X2), ir_k(&r, 5), 0));
	move(&b, 0);
	move(&b, 1);
	ir_insn(&r, HEAD + 8);
	branch(&b);
}

/* -- neighbours: X0 is stored to and ends at X3, X1 is loaded from, X2 steps or is stored to as well -- */

struct row { ref of[4]; };

static struct row
rowloaded(const struct body *b, int per, int p, s32 from)
{
	int bytes = 16 / per, n = (int)(rnd() % 4);
	struct row w;

	for (int k = 0; k < per; k++, n++)
		w.of[n % per] = ir_opx(&r, O_ld, b->ty, 0, 0, from + n % per * bytes + disp(b, p), b->base[p], 0, 0);
	return w;
}

static ref
fixed(const struct body *b, int f)
{
	ref t = ir_get(&r, F64, F0 + f);

	return b->ty == F64 ? t : ir_opx(&r, O_funbox, F32, 0, F64, 0, t, 0, 0);
}

static struct row
rowfixed(const struct body *b, int per)
{
	struct row w;

	for (int k = 0; k < per; k++)
		w.of[k] = fixed(b, (int)(rnd() % 2));
	return w;
}

/* Now and then not alike. */
static struct row
rowdone(const struct body *b, int per, const struct row *x, const struct row *y, const struct row *z)
{
	static const u8 two[] = {O_fadd, O_fsub, O_fmul, O_fdiv, O_fmin, O_fmax, O_fsgnj};
	static const u8 one[] = {O_fsqrt, O_fneg, O_fabs};
	int how = (int)(rnd() % 4), op = how ? how == 1 ? one[rnd() % NELEM(one)] : two[rnd() % NELEM(two)] : O_fma;
	int aux = op == O_fma ? rnd() % 2 ? FP_NEGP : 0 : op == O_fmin || op == O_fmax ? FP_NUM : 0;
	int odd = rnd() % 16 == 0, v = op == O_fsgnj ? (int)(rnd() % 3) : 0;
	struct row w;

	for (int k = 0; k < per; k++)
		w.of[k] = ir_opx(&r, odd && k == 1 && op == O_fadd ? O_fsub : op, b->ty, aux, v, 0, x->of[k],
		    how == 1 ? 0 : y->of[k], how ? 0 : z->of[k]);
	return w;
}

static void
rowstored(const struct body *b, int per, int p, const struct row *w)
{
	int bytes = 16 / per, n = (int)(rnd() % 4);

	for (int k = 0; k < per; k++, n++) {
		int bits = b->ty == F64 && rnd() % 2;
		ref t = w->of[n % per];

		t = bits ? ir_opx(&r, O_movfi, I64, 0, F64, 0, t, 0, 0) : t;
		ir_opx(&r, O_st, bits ? I64 : b->ty, 0, 0, disp(b, p) + n % per * bytes, b->base[p], 0, t);
	}
}

/* What was stored by way of X2, copied to X0 by eight bytes. */
static void
rowcopied(const struct body *b)
{
	for (int n = 0; n < 16; n += 8) {
		int ty = rnd() % 2 ? I64 : F64;
		ref t = ir_opx(&r, O_ld, ty, 0, 0, disp(b, 2) + n, b->base[2], 0, 0);

		if (ty == F64 && rnd() % 2)
			ir_put(&r, F64, F2, t);
		ir_opx(&r, O_st, ty, 0, 0, disp(b, 0) + n, b->base[0], 0, t);
	}
}

static void
rows(u64 from)
{
	static const s8 step[] = {16, 16, 16, 16, 32, 24, 8, 0, -16};
	struct body b = {.ty = from % 4 < 2 ? F32 : F64};
	int per = b.ty == F32 ? 4 : 2, nrow = 0, by = (int)(rnd() % 4), nop = 1 + (int)(rnd() % 4);
	struct row w[8];

	region_init(&r, &fake_guest, HEAD, 0);
	r.fpnan = FPNAN_RISCV;
	ir_block(&r, HEAD);
	r.open->entry = 1;
	ir_insn(&r, HEAD);
	for (int n = 0; n < LOADS; n++) {
		b.bytes[n] = step[rnd() % (n ? NELEM(step) : 5)];
		b.base[n] = ir_get(&r, I64, X0 + n);
	}
	if (by == 1)                   /* X2 is no pointer that steps, but one that stays */
		b.bytes[2] = 0;
	w[nrow++] = rowloaded(&b, per, 1, 0);
	if (rnd() % 2)
		w[nrow++] = rowloaded(&b, per, 0, rnd() % 4 ? 0 : (s32)(rnd() % 65) - 32);
	if (rnd() % 2)
		w[nrow++] = rowfixed(&b, per);
	if (rnd() % 2) {
		ref t = w[0].of[rnd() % (u64)per];

		w[nrow++] = (struct row){{t, t, t, t}};
	}
	ir_insn(&r, HEAD + 4);
	for (int n = 0; n < nop; n++, nrow++) {
		w[nrow] = rowdone(&b, per, &w[nrow - 1], &w[rnd() % (u64)nrow], &w[rnd() % (u64)nrow]);
		if (rnd() % 2) {
			ref t = w[nrow].of[rnd() % (u64)per];

			ir_put(&r, F64, F2 + (int)(rnd() % 2), per == 2 ? t : ir_opx(&r, O_fbox, F64, 0, F32, 0, t, 0, 0));
		}
		if (rnd() % 4 == 0)
			move(&b, (int)(rnd() % LOADS));
	}
	if (by)
		rowstored(&b, per, 2, &w[nrow - 1 - (int)(rnd() % 2)]);
	if (by == 1)
		rowcopied(&b);
	else
		rowstored(&b, per, 0, &w[nrow - 1]);
	if (rnd() % 2)
		ir_put(&r, F64, F3, per == 2 ? w[nrow - 1].of[1] : ir_opx(&r, O_fbox, F64, 0, F32, 0, w[0].of[0], 0, 0));
	for (int n = 0; n < (by == 1 ? 2 : LOADS); n++)
		move(&b, n);
	ir_insn(&r, HEAD + 8);
	branch(&b);
}

/* Returns how far X0 moves on each turn. */
static int
loop(u64 from)
{
	seed = from;
	if (from % 6 == 5)
		rows(from);
	else if (from % 5 == 4)
		reads();
	else if (from % 5 < 2)
		integers();
	else
		floats(from);
	for (int k = r.nins - 1; k > 0; k--)
		if (r.ins[k].op == O_put && r.ins[k].v == X0)
			return (int)kval(&r, r.ins[r.ins[k].a].b);
	return 0;
}

static void
end(void)
{
	ir_op(&r, O_jmp, N, ir_k(&r, EXIT), 0, 0);
	assert_false(r.broken);
	assert_null(ir_verify(&r));
}

static void
run(struct cpu *cpu)
{
	for (int k = 0, n = 0; k >= 0; k = ir_blockat(&r, cpu->pc)) {
		assert_true(n++ < 1000);
		assert_int_equal(fake_run(cpu, &r, k), EVAL_GO);
	}
	assert_int_equal(cpu->pc, EXIT);
}

/* number: X2 is one. */
static void
begin(struct cpu *cpu, u64 at, const u8 *arena, int bytes, int number, int boxes)
{
	u64 *x = (u64 *)(void *)cpu->state;
	u64 base = (u64)(uintptr_t)arena;

	seed = at;
	for (int n = 0; n < ARENA; n += 4) {
		float f = (float)(int)(rnd() % 401 - 200) / 4;
		u32 word = rnd() % 16 ? 0 : (u32)rnd();

		if (!word)
			memcpy(&word, &f, 4);
		memcpy((u8 *)(uintptr_t)arena + n, &word, 4);
	}
	memset(cpu, 0, sizeof *cpu);
	cpu->guest = &fake_guest;
	x[0] = base + 1024 + rnd() % 8;
	x[1] = rnd() % 2 ? x[0] + rnd() % 160 - 80 : base + 2048;
	x[2] = rnd() % 2 ? x[0] + rnd() % 160 - 80 : base + 3072;
	x[3] = x[0] + (u64)bytes * (1 + rnd() % 40);
	if (number && rnd() % 2)
		x[2] = (u64)((s64)rnd() >> rnd() % 64);
	for (int n = 0; n < 4; n++)
		st64(cpu->state + fake_reg[F0 + n].off, boxes ? 0xffffffff00000000 | (u32)rnd() : rnd());
}

static void
test_at_once_is_one_by_one(void **state)
{
	enum { LOOPS = 5000, RUNS = 6 };
	static u8 before[ARENA], arena[ARENA];
	static struct cpu one, many;
	u64 first = fake_first();
	int made = 0, read = 0, tuples = 0;

	(void)state;
	for (u64 n = first; n < first + LOOPS; n++) {
		int is, bytes, boxes;

		for (u64 k = 0; k < RUNS; k++) {
			bytes = loop(n);
			boxes = n % 6 == 5 ? k % 4 != 0 : bytes != 8;
			end();
			begin(&one, n + k * 77, arena, bytes, n % 6 != 5 && n % 5 < 2, boxes);
			run(&one);
			memcpy(before, arena, ARENA);
			loop(n);
			is = ir_loop(&r, EXIT);
			end();
			begin(&many, n + k * 77, arena, bytes, n % 6 != 5 && n % 5 < 2, boxes);
			run(&many);
			if (memcmp(before, arena, ARENA) || memcmp(one.state, many.state, sizeof one.state) ||
			    one.fpflags != many.fpflags) {
				static char text[1 << 15];

				ir_print(&r, text, sizeof text);
				fprintf(stderr, "%sx2 %llx, not %llx\n", text, (unsigned long long)ld64(many.state + 16), (unsigned long long)ld64(one.state + 16));
				fail_msg("loop %llu, run %llu", (unsigned long long)n, (unsigned long long)k);
			}
		}
		*(n % 6 == 5 ? &tuples : n % 5 == 4 ? &read : &made) += is;
	}
	print_message("of %d loops %d on vectors, %d by neighbours, %d that only read\n", LOOPS, made, tuples, read);
	assert_true(made > LOOPS / 5 && read > LOOPS / 15 && tuples > LOOPS / 12);
}

/* -- loops that are what they were -- */

#define GETS "\tt1 = get i64 x1\n\tt2 = get i64 x2\n"
#define LD "\tt3 = ld f32 t1\n"
#define ST "\tst f32 t2, _, t3\n"
#define NEXT(n, m) "\tt8 = add i64 t1, " #n "\n\tput i64 x1, t8\n\tt9 = add i64 t2, " #m "\n\tput i64 x2, t9\n"
#define BACK "\tt10 = get i64 x3\n\tbrc.ne i64 t8, t10, 0x100\n"

static int
attempt(const char *code)
{
	static char text[1 << 12], err[200], before[1 << 12], after[1 << 12];

	sprintf(text, "block 0x100 entry\n\tinsn 0x100\n%s", code);
	region_init(&r, &fake_guest, HEAD, 0);
	if (ir_parse(&r, text, err, sizeof err))
		fail_msg("%s", err);
	ir_print(&r, before, sizeof before);
	if (ir_loop(&r, EXIT))
		return 1;
	ir_print(&r, after, sizeof after);
	assert_string_equal(after, before);
	return 0;
}

static void
test_what_is_not_alike_each_turn_stays(void **state)
{
	static const char *const same[] = {
		GETS LD ST NEXT(8, 4) BACK,                                            /* every other one */
		GETS LD ST NEXT(4, 0) BACK,                                            /* one place */
		GETS LD ST NEXT(0xfffffffffffffffc, 0xfffffffffffffffc) BACK,                                          /* downward */
		GETS "\tt3 = ld f32 t1 aux=0x8\n" ST NEXT(4, 4) BACK,                  /* acquire */
		GETS "\tt3 = ld f32 t1 aux=0x4\n" ST NEXT(4, 4) BACK,                  /* the other byte order */
		GETS LD ST "\tst f32 t1, _, t3\n" NEXT(4, 4) BACK,                     /* two stores */
		GETS LD ST "\tt4 = ld f32 t1 imm=4\n" NEXT(4, 4) BACK,                 /* reads what it wrote */
		GETS LD "\tfence.full n\n" ST NEXT(4, 4) BACK,
		GETS LD "\tt4 = help.0 i64\n" ST NEXT(4, 4) BACK,
		GETS LD "\tbrc.eq i64 t1, 0x5, 0x300\n" ST NEXT(4, 4) BACK,            /* left in the middle */
		GETS LD ST "\tst f32 t1, _, t3 imm=8\n" NEXT(4, 4) BACK,
		"\tt1 = get i64 x1\n\tt2 = mov i64 t1\n" LD "\tst f32 t1, _, t3 imm=4\n"
		"\tt8 = add i64 t1, 4\n\tput i64 x1, t8\n" BACK,                       /* each makes the next */
		"\tt1 = get i64 x1\n\tt2 = get f64 f0\n\tt3 = ld f64 t1\n\tt4 = fadd f64 t2, t3\n\tput f64 f0, t4\n"
		"\tst f64 t1, _, t4\n\tt8 = add i64 t1, 8\n\tput i64 x1, t8\n" BACK,   /* a sum, in order */
		GETS LD ST NEXT(4, 4) "\tt10 = get i64 x3\n\tbrc.eq i64 t8, t10, 0x100\n",
		GETS LD ST NEXT(4, 4) "\tt10 = get i64 x3\n\tbrc.ne i64 t8, t10, 0x104\n", /* elsewhere */
		GETS LD ST NEXT(4, 4) "\tput i64 x3, t9\n\tbrc.ne i64 t8, t9, 0x100\n",    /* the end moves along */
		GETS LD "\tfence.full n\n" NEXT(8, 4) BACK,                            /* what only reads, but not so */
		GETS "\tt3 = ld f32 t1 aux=0x8\n" NEXT(8, 4) BACK,
		GETS "\tt3 = ld i64 t1\n\tput i64 x1, t3\n\tt4 = get i64 x3\n\tbrc.ne i64 t3, t4, 0x100\n",
	};

	(void)state;
	for (size_t n = 0; n < NELEM(same); n++)
		if (attempt(same[n]))
			fail_msg("%zu became one on vectors", n);
	assert_true(attempt(GETS LD ST NEXT(4, 4) BACK));
	assert_true(attempt(GETS LD NEXT(8, 4) BACK));
}

#define PAIR "\tt1 = get i64 x1\n\tt2 = get i64 x2\n\tt3 = ld f64 t1\n\tt4 = ld f64 t1 imm=8\n" \
	"\tt5 = fadd f64 t3, t3\n\tt6 = fadd f64 t4, t4\n\tst f64 t2, _, t5\n\tst f64 t2, _, t6 imm=8\n"
#define AGAIN(n, m) "\tt7 = ld f64 t2 imm=" #n "\n\tt8 = ld f64 t2 imm=" #m "\n" \
	"\tst f64 t2, _, t7 imm=16\n\tst f64 t2, _, t8 imm=24\n"

#define ON "\tt9 = add i64 t1, 0x10\n\tput i64 x1, t9\n\tt10 = add i64 t2, 0x20\n\tput i64 x2, t10\n" \
	"\tt11 = get i64 x3\n\tbrc.ne i64 t9, t11, 0x100\n"

static void
test_what_is_loaded_where_the_turn_has_stored(void **state)
{
	(void)state;
	assert_true(attempt(PAIR AGAIN(0, 8) ON));
	/* something else is there by halves, above or below */
	assert_false(attempt(PAIR AGAIN(4, 8) ON));
	assert_false(attempt(PAIR AGAIN(0, 12) ON));
	assert_false(attempt(PAIR AGAIN(-4, 8) ON));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once_is_one_by_one),
		cmocka_unit_test(test_what_is_not_alike_each_turn_stays),
		cmocka_unit_test(test_what_is_loaded_where_the_turn_has_stored),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
