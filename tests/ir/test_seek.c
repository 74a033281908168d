/* SPDX-License-Identifier: MIT */
/* test_seek.c - random loops that look for something, as they are and with many turns at once: variables and the way out
 * in the end; and loops that must stay alone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "fake.h"

enum { HEAD = 0x100, SECOND = 0x140, EXIT = 0x200, ARENA = 4 * 4096, VALUES = 16, MOST = 600 };
static struct region r;
static u8 arena[ARENA] __attribute__((aligned(4096)));

/* -- random loops: X0, X1 point, X2 counts or is put, X3 stays the same -- */

struct body {
	int bytes, streams, counted;
	ref value[VALUES]; int nvalue;
	int moved[2], loaded;
	int leave;                     /* ways out so far */
};

static ref any(const struct body *b) { return b->value[rnd() % (u64)b->nvalue]; }
static ref k(u64 v) { return ir_k(&r, v); }

static void
move(struct body *b, int p)
{
	if (!b->moved[p])
		ir_put(&r, I64, X0 + p, ir_op(&r, O_add, I64, ir_get(&r, I64, X0 + p), k((u64)b->bytes), 0));
	b->moved[p] = 1;
}

static void
load(struct body *b, int p)
{
	ref base = ir_get(&r, I64, X0 + p);
	s32 disp = b->moved[p] ? -b->bytes : 0;

	if (b->bytes == 1 && rnd() % 4 == 0)
		b->value[b->nvalue++] = ir_opx(&r, O_lds, I64, 0, 8, disp, base, 0, 0);
	else
		b->value[b->nvalue++] = ir_opx(&r, O_ld, b->bytes == 1 ? I8 : I64, 0, 0, disp, base, 0, 0);
	if (!b->counted && rnd() % 2)
		ir_put(&r, I64, X2, any(b));
}

enum { ONES, HIGHS };
static const u64 number[] = {[ONES] = 0xfefefefefefefeff, [HIGHS] = 0x8080808080808080};

static ref
numbered(int n)
{
	return rnd() % 3 ? k(number[n] + !(rnd() % 9)) : ir_get(&r, I64, X3);
}

/* What tells, if all numbers are right, whether a byte of x is 0. */
static ref
zerobyte(ref x)
{
	ref sum = ir_op(&r, O_add, I64, x, numbered(ONES), 0);

	return ir_op(&r, O_and, I64, ir_op(&r, O_andn, I64, sum, x, 0), numbered(HIGHS), 0);
}

static void
compute(struct body *b)
{
	static const u8 two[] = {O_add, O_sub, O_and, O_or, O_xor, O_andn}, most[] = {O_smin, O_smax, O_umin, O_umax};
	int ty = rnd() % 3 ? I64 : I32;
	ref x = any(b), t, y = rnd() % 2 ? any(b) : rnd() % 2 ? ir_get(&r, I64, X3) : k(rnd() % 2 ? rnd() : rnd() % 3);

	switch (rnd() % 9) {
	case 0: t = ir_op(&r, O_shr, ty, x, k(rnd() % 9), 0); break;
	case 1: t = ir_opx(&r, O_zxt, ty, 0, 0, 8 << rnd() % 3, x, 0, 0); break;
	case 2: t = ir_op(&r, rnd() % 2 ? O_not : O_abs, ty, x, 0, 0); break;
	case 3: t = ir_op(&r, most[rnd() % NELEM(most)], ty, x, y, 0); break;
	case 4: case 5: t = ir_opx(&r, O_set, ty, 0, (int)(rnd() % R_TST), 0, x, y, 0); break;
	default: t = ir_op(&r, two[rnd() % NELEM(two)], ty, x, y, 0);
	}
	b->value[b->nvalue] = t;
	b->nvalue += !isk(t);
}

static ref
operand(struct body *b)
{
	switch (rnd() % 4) {
	case 0: return any(b);
	case 1: return ir_get(&r, I64, X3);
	case 2: return k(rnd() % 4);
	}
	return k(0);
}

static void
branch(struct body *b, int rel, gaddr to)
{
	if (b->bytes == 8 && rnd() % 2)
		ir_opx(&r, O_brc, I64, 0, rel, 0, zerobyte(any(b)), k(rnd() % 9 == 0), k(to));
	else
		ir_opx(&r, O_brc, I64, 0, rel, 0, any(b), operand(b), k(to));
}

static void
leave(struct body *b)
{
	branch(b, rnd() % 2 ? R_EQ : R_NE, EXIT + 16 * (gaddr)++b->leave);
}

static void
count(struct body *b)
{
	static const u8 rel[] = {R_EQ, R_LTU, R_LEU};
	int step = 1 + (int)(rnd() % 2) * 7;
	ref t = ir_op(&r, O_add, I64, ir_get(&r, I64, X2), k((u64)-step), 0);

	ir_put(&r, I64, X2, t);
	ir_opx(&r, O_brc, I64, 0, step == 1 ? rel[rnd() % 3] : R_LTU, 0, t, k(step == 1 ? 3 : 9),
	    k(EXIT + 16 * (gaddr)++b->leave));
}

static void
some(struct body *b)
{
	for (int n = (int)(rnd() % 3); n > 0; n--)
		switch (rnd() % 4) {
		case 0: leave(b); break;
		case 1: move(b, (int)(rnd() % 2)); break;
		default: compute(b);
		}
}

/* To the second block, or back, in the last branch. */
static void
build(u64 from)
{
	struct body b = {0};
	int two;

	seed = from * 0x9e3779b97f4a7c15 | 1;
	rnd();
	b.bytes = rnd() % 2 ? 1 : 8;
	b.streams = 1 + (int)(rnd() % 2);
	b.counted = rnd() % 3 == 0;
	two = (int)(rnd() % 3);
	region_init(&r, &fake_guest, HEAD, 0);
	ir_block(&r, HEAD);
	r.open->entry = 1;
	ir_insn(&r, HEAD);
	if (b.counted && rnd() % 2)
		count(&b), b.counted = 2;
	for (int p = 0; p < b.streams; p++) {
		if (rnd() % 2)
			move(&b, p);
		load(&b, p);
	}
	some(&b);
	if (two) {
		if (rnd() % 2)
			branch(&b, rnd() % 2 ? R_EQ : R_NE, SECOND);
		else
			leave(&b);
		ir_op(&r, O_jmp, N, k(r.ins[r.nins - 1].c && kval(&r, r.ins[r.nins - 1].c) == SECOND ? EXIT : SECOND), 0, 0);
		ir_block(&r, SECOND);
		r.open->entry = 1;
		ir_insn(&r, SECOND);
		b.nvalue = 0;
		if (rnd() % 2) {
			b.value[b.nvalue++] = ir_op(&r, O_add, I64, ir_get(&r, I64, X3), k(1), 0);
		} else if (rnd() % 2) {
			load(&b, 0);
			leave(&b);
		}
	}
	if (b.counted == 1)
		count(&b);
	move(&b, 0);
	move(&b, 1);
	if (two == 2) {
		ir_op(&r, O_jmp, N, k(HEAD), 0, 0);
		return;
	}
	if (!b.nvalue)
		b.value[b.nvalue++] = ir_get(&r, I64, X3);
	branch(&b, rnd() % 2 ? R_EQ : R_NE, HEAD);
}

/* Whether turns are done at once. */
static int
finish(int seek)
{
	int jumps = opinfo[r.ins[r.nins - 1].op].traits & END, was = r.nblock, is = 0;

	if (jumps && seek)
		ir_rejoin(&r), is = r.nblock > was;
	else if (seek)
		is = ir_loop(&r, EXIT) == 2;
	if (!jumps && !is)
		ir_op(&r, O_jmp, N, k(EXIT), 0, 0);
	assert_false(r.broken);
	assert_null(ir_verify(&r));
	return is;
}

/* 0: it takes too long */
static int
run(struct cpu *cpu, int most)
{
	for (int b = 0, n = 0; b >= 0; b = ir_blockat(&r, cpu->pc)) {
		if (n++ > most)
			return 0;
		assert_int_equal(fake_run(cpu, &r, b), EVAL_GO);
	}
	return 1;
}

static void
begin(struct cpu *cpu, u64 at, int bytes)
{
	u64 *x = (u64 *)(void *)cpu->state;
	int rare = 1 << rnd() % 8;

	seed = at * 0x9e3779b97f4a7c15 | 1;
	rnd();
	for (int n = 0; n < ARENA; n += bytes)
		for (int m = 0; m < bytes; m++)
			arena[n + m] = rnd() % (u64)(rare * bytes) ? bytes == 8 ? 0x71 : 1 : (u8)(rnd() % 4);
	memset(cpu, 0, sizeof *cpu);
	cpu->guest = &fake_guest;
	x[0] = (u64)(uintptr_t)arena + rnd() % 4096;
	x[1] = (u64)(uintptr_t)arena + rnd() % 8192;
	x[2] = rnd() % 200;
	x[3] = rnd() % 4 + (rnd() % 3 ? 0 : rnd() % 2 ? 0x100 : rnd() << 8);
	if (bytes == 8 && rnd() % 2)
		x[3] = number[rnd() % 2];
}

/* Whether words are compared byte by byte. */
static int
bybytes(void)
{
	int words = 0, bytes = 0;

	for (int n = 1; n < r.nins; n++) {
		words |= r.ins[n].op == O_ld && r.ins[n].ty == I64;
		bytes |= r.ins[n].op == O_vsigns && r.ins[n].v == V8;
	}
	return words && bytes;
}

static void
test_many_turns_are_one_by_one(void **state)
{
	enum { LOOPS = 20000, RUNS = 4 };
	static struct cpu one, many;
	u64 first = fake_first();
	int made = 0, done = 0, zeros = 0;

	(void)state;
	for (u64 n = first; n < first + LOOPS; n++) {
		int is = 0;

		for (u64 m = 0; m < RUNS; m++) {
			int ended, bytes = 1 + 7 * (int)(n & 1);

			build(n);
			finish(0);
			begin(&one, n + m * 77777, bytes);
			ended = run(&one, MOST);
			build(n);
			is = finish(1);
			begin(&many, n + m * 77777, bytes);
			if (!ended)
				continue;
			done += is;
			if (!run(&many, 3 * MOST) || one.pc != many.pc || memcmp(one.state, many.state, sizeof one.state)) {
				static char text[1 << 15];
				const u64 *x = (const u64 *)(const void *)one.state, *y = (const u64 *)(const void *)many.state;

				ir_print(&r, text, sizeof text);
				fprintf(stderr, "%spc %llx, not %llx\n", text, (unsigned long long)many.pc, (unsigned long long)one.pc);
				for (int v = 0; v < 4; v++)
					fprintf(stderr, "x%d %llx, not %llx\n", v, (unsigned long long)y[v], (unsigned long long)x[v]);
				fail_msg("loop %llu, run %llu", (unsigned long long)n, (unsigned long long)m);
			}
		}
		made += is;
		zeros += is && bybytes();
	}
	print_message("%d of %d loops do many turns at once, in %d runs; %d tell bytes of words\n", made, LOOPS, done, zeros);
	assert_true(made > LOOPS / 20 && done > LOOPS / 20 && zeros > LOOPS / 200);
}

/* -- loops that are what they were -- */

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
		return 1 + bybytes();
	ir_print(&r, after, sizeof after);
	assert_string_equal(after, before);
	return 0;
}

#define LD "\tt1 = get i64 x1\n\tt2 = ld i8 t1\n"
#define STEP(n) "\tt3 = add i64 t1, " #n "\n\tput i64 x1, t3\n"

static void
test_what_does_not_seek_stays(void **state)
{
	(void)state;
	assert_true(attempt(LD STEP(1) "\tbrc.ne i64 t2, 0x0, 0x100\n"));
	assert_true(attempt(LD STEP(1) "\tt4 = get i64 x2\n\tbrc.ne i64 t2, t4, 0x100\n"));
	/* a difference that the lanes might not show */
	assert_false(attempt(LD STEP(1) "\tt4 = get i64 x2\n\tbrc.eq i64 t2, t4, 0x100\n"));
	assert_false(attempt(LD STEP(1) "\tbrc.eq i64 t2, 0x171, 0x100\n"));
	/* a comparison of more than the lanes have */
	assert_false(attempt(LD STEP(1) "\tt4 = add i64 t2, 0xffffffffffffffe0\n\tt5 = set.eq i64 t4, 0x0\n"
	    "\tbrc.eq i64 t5, 0x0, 0x100\n"));
	assert_false(attempt(LD STEP(1) "\tt4 = get i64 x2\n\tt5 = set.ltu i64 t2, t4\n\tbrc.eq i64 t5, 0x0, 0x100\n"));
	assert_true(attempt(LD STEP(1) "\tt4 = set.ltu i64 t2, 0x9\n\tbrc.eq i64 t4, 0x0, 0x100\n"));
	/* another step, or none */
	assert_false(attempt(LD STEP(2) "\tbrc.ne i64 t2, 0x0, 0x100\n"));
	assert_false(attempt(LD "\tbrc.ne i64 t2, 0x0, 0x100\n"));
	/* where to load from, or what to compare with, has been loaded */
	assert_false(attempt("\tt1 = get i64 x1\n\tt2 = ld i64 t1\n\tt3 = add i64 t2, 0x8\n\tput i64 x1, t3\n"
	    "\tbrc.ne i64 t2, 0x0, 0x100\n"));
	assert_false(attempt(LD STEP(1) "\tt4 = get i64 x2\n\tput i64 x2, t2\n\tbrc.ne i64 t2, t4, 0x100\n"));
	/* stores, and other relations */
	assert_false(attempt(LD STEP(1) "\tst i8 t1, _, t2 imm=64\n\tbrc.ne i64 t2, 0x0, 0x100\n"));
	assert_false(attempt(LD STEP(1) "\tbrc.ltu i64 t2, 0x20, 0x100\n"));
	/* nothing but a count ends it */
	assert_false(attempt(LD STEP(1) "\tput i64 x2, t2\n\tt4 = get i64 x3\n\tt5 = get i64 x0\n\tt6 = add i64 t5, 0x1\n"
	    "\tput i64 x0, t6\n\tt7 = ld i8 t1 imm=1\n\tbrc.eq i64 t6, t4, 0x100\n"));
}

#define WORD "\tt1 = get i64 x1\n\tt2 = ld i64 t1\n\tt3 = add i64 t1, 0x8\n\tput i64 x1, t3\n"
#define TEXT(x) #x
#define S(x) TEXT(x)
#define ZERO(of, ones, minus, highs) "\tt4 = get i64 x2\n\tt5 = xor i64 t2, t4\n\tt6 = add i64 " #of ", " S(ones) "\n" \
	"\tt7 = andn i64 t6, " #minus "\n\tt8 = and i64 t7, " S(highs) "\n"
#define AGAIN(ones, highs) "\tbrc.ne i64 t8, 0x0, 0x200\n\tt9 = add i64 t5, " S(ones) "\n" \
	"\tt10 = andn i64 t9, t5\n\tt11 = and i64 t10, " S(highs) "\n"
#define ON(rel, t, k) "\tbrc." #rel " i64 " #t ", " #k ", 0x100\n"
#define MINUS 0xfefefefefefefeff
#define HIGH 0x8080808080808080

static void
test_bytes_of_words(void **state)
{
	(void)state;
	assert_int_equal(attempt(WORD ZERO(t2, MINUS, t2, HIGH) ON(eq, t8, 0x0)), 2);
	assert_int_equal(attempt(WORD ZERO(t2, t4, t2, HIGH) ON(eq, t8, 0x0)), 2);
	assert_int_equal(attempt(WORD ZERO(t2, MINUS, t2, t4) ON(eq, t8, 0x0)), 2);
	/* other numbers, another word, another word taken away, something else made of that, another relation */
	assert_int_equal(attempt(WORD ZERO(t2, 0xfefefefefefefefe, t2, HIGH) ON(eq, t8, 0x0)), 1);
	assert_int_equal(attempt(WORD ZERO(t2, MINUS, t2, 0x8080808080808081) ON(eq, t8, 0x0)), 1);
	assert_int_equal(attempt(WORD ZERO(t5, MINUS, t2, HIGH) ON(eq, t8, 0x0)), 1);
	assert_int_equal(attempt(WORD ZERO(t4, t5, t2, HIGH) ON(eq, t8, 0x0)), 1);
	assert_int_equal(attempt(WORD ZERO(t2, MINUS, t4, HIGH) ON(eq, t8, 0x0)), 1);
	assert_int_equal(attempt(WORD ZERO(t2, MINUS, t2, HIGH) ON(eq, t8, 0x1)), 1);
	assert_int_equal(attempt(WORD ZERO(t2, MINUS, t2, HIGH) ON(ne, t8, 0x0)), 1);
	/* twice, with the same numbers or others */
	assert_int_equal(attempt(WORD ZERO(t2, t4, t2, HIGH) AGAIN(t4, HIGH) ON(eq, t11, 0x0)), 2);
	assert_int_equal(attempt(WORD ZERO(t2, t4, t2, HIGH) AGAIN(MINUS, HIGH) ON(eq, t11, 0x0)), 1);
	assert_int_equal(attempt(WORD ZERO(t2, MINUS, t2, HIGH) AGAIN(MINUS, t4) ON(eq, t11, 0x0)), 1);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(test_many_turns_are_one_by_one),
		cmocka_unit_test(test_what_does_not_seek_stays),
		cmocka_unit_test(test_bytes_of_words),
	};

	return cmocka_run_group_tests(t, 0, 0);
}
