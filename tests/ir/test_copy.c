/* SPDX-License-Identifier: MIT */
/* test_copy.c - which loops are taken to copy words, or to fill memory with one */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "fake.h"

enum { HEAD = 0x100, EXIT = 0x200 };

/* What the loop does at once; 0: nothing, and it is what it was. */
static int
made(const char *code, const char *end)
{
	static struct region r;
	static char text[1 << 12], err[200], before[1 << 12], after[1 << 12];

	sprintf(text, "block 0x100 entry\n\tinsn 0x100\n\tt1 = get i64 x1\n\tt2 = get i64 x2\n%s%s", code, end);
	region_init(&r, &fake_guest, HEAD, 0);
	if (ir_parse(&r, text, err, sizeof err))
		fail_msg("%s", err);
	ir_print(&r, before, sizeof before);
	if (ir_loop(&r, EXIT) == 2) {
		assert_null(ir_verify(&r));
		for (int n = 1; n < r.nins; n++)
			if (r.ins[n].op == O_fill || r.ins[n].op == O_copy)
				return r.ins[n].op;
		fail_msg("neither filled nor copied");
	}
	ir_print(&r, after, sizeof after);
	assert_string_equal(after, before);
	return 0;
}

#define LD(to, n) "\tt" #to " = ld i64 t2 imm=" #n "\n"
#define ST(n, from) "\tst i64 t1, _, t" #from " imm=" #n "\n"
#define WORD "\tt4 = get i64 x0\n"
#define STEP(var, from, by) "\tt6 = add i64 t" #from ", " #by "\n\tput i64 x" #var ", t6\n"
#define STEP2(var, from, by) "\tt7 = add i64 t" #from ", " #by "\n\tput i64 x" #var ", t7\n"
#define COUNT "\tt8 = get i64 x3\n\tt9 = add i64 t8, 0xffffffffffffffff\n\tput i64 x3, t9\n\tbrc.ne i64 t9, 0x0, 0x100\n"
#define PUT(var, t) "\tput i64 x" #var ", t" #t "\n"

static void
test_fills(void **state)
{
	(void)state;
	assert_int_equal(made(WORD ST(0, 4) ST(8, 4) STEP(1, 1, 0x10), COUNT), O_fill);
	assert_int_equal(made(WORD ST(8, 4) ST(0, 4) STEP(1, 1, 0x10), COUNT), O_fill);
	/* another step, a gap, a word twice, words that differ, or change */
	assert_false(made(WORD ST(0, 4) ST(8, 4) STEP(1, 1, 0x18), COUNT));
	assert_false(made(WORD ST(0, 4) ST(16, 4) STEP(1, 1, 0x10), COUNT));
	assert_false(made(WORD ST(0, 4) ST(0, 4) STEP(1, 1, 0x10), COUNT));
	assert_false(made(WORD ST(0, 4) ST(8, 2) STEP(1, 1, 0x10), COUNT));
	assert_false(made(WORD ST(0, 4) ST(8, 4) STEP(1, 1, 0x10) STEP2(0, 4, 0x1), COUNT));
	/* a count that goes by threes */
	assert_false(made(WORD ST(0, 4) ST(8, 4) STEP(1, 1, 0x10), "\tt8 = get i64 x3\n"
	    "\tt9 = add i64 t8, 0xfffffffffffffffd\n\tput i64 x3, t9\n\tbrc.ne i64 t9, 0x0, 0x100\n"));
}

static void
test_copies(void **state)
{
	(void)state;
	assert_int_equal(made(LD(3, 0) LD(4, 8) ST(0, 3) ST(8, 4) STEP(1, 1, 0x10) STEP2(2, 2, 0x10), COUNT), O_copy);
	assert_int_equal(made(LD(3, 0) ST(0, 3) LD(4, 8) ST(8, 4) STEP(1, 1, 0x10) STEP2(2, 2, 0x10), COUNT), O_copy);
	/* the word of the turn before is stored first */
	assert_int_equal(made(WORD LD(3, 0) ST(0, 4) LD(5, 8) ST(8, 3) PUT(0, 5) STEP(1, 1, 0x10) STEP2(2, 2, 0x10), COUNT),
	    O_copy);
	/* or last */
	assert_false(made(WORD LD(3, 0) ST(8, 4) LD(5, 8) ST(0, 3) PUT(0, 5) STEP(1, 1, 0x10) STEP2(2, 2, 0x10), COUNT));
	/* words change places, or come from elsewhere; the source steps otherwise, or more is loaded than stored */
	assert_false(made(LD(3, 0) LD(4, 8) ST(0, 4) ST(8, 3) STEP(1, 1, 0x10) STEP2(2, 2, 0x10), COUNT));
	assert_false(made(LD(3, 0) LD(4, 24) ST(0, 3) ST(8, 4) STEP(1, 1, 0x10) STEP2(2, 2, 0x10), COUNT));
	assert_false(made(LD(3, 0) LD(4, 8) ST(0, 3) ST(8, 4) STEP(1, 1, 0x10) STEP2(2, 2, 0x18), COUNT));
	assert_false(made(LD(3, 0) LD(4, 8) LD(5, 32) ST(0, 3) ST(8, 4) STEP(1, 1, 0x10) STEP2(2, 2, 0x10), COUNT));
	/* something is made of what is loaded */
	assert_false(made(LD(3, 0) LD(4, 8) "\tt5 = add i64 t4, 0x1\n" PUT(0, 5) ST(0, 3) ST(8, 4) STEP(1, 1, 0x10)
	    STEP2(2, 2, 0x10), COUNT));
}

#define Q(to, n) "\tt" #to " = ld i128x1 t2 imm=" #n "\n"
#define STQ(n, from) "\tst i128x1 t1, _, t" #from " imm=" #n "\n"
#define V(t, var) "\tt" #t " = get i128x1 v" #var "\n"
#define PUTQ(var, t) "\tput i128x1 v" #var ", t" #t "\n"
#define STEPS "\tt12 = add i64 t1, 0x20\n\tput i64 x1, t12\n\tt13 = add i64 t2, 0x20\n\tput i64 x2, t13\n"
#define DOWN "\tt14 = get i64 x3\n\tt15 = add i64 t14, 0xffffffffffffffe0\n\tput i64 x3, t15\n"
#define FLAGS(ty, n) "\tt16 = flsub " #ty " t14, " #n "\n\tput fl nz, t16\n"
#define IF(cc) "\tbrf." #cc " fl t16, _, 0x100\n"

static void
test_quads(void **state)
{
	(void)state;
	assert_int_equal(made(Q(3, 0) Q(4, 16) STQ(0, 3) STQ(16, 4) STEPS DOWN FLAGS(i64, 0x20), IF(hi)), O_copy);
	assert_int_equal(made(V(3, 0) V(4, 1) STQ(0, 3) STQ(16, 4) Q(5, 32) Q(6, 48) PUTQ(0, 5) PUTQ(1, 6) STEPS DOWN
	    FLAGS(i64, 0x20), IF(ne)), O_copy);
	/* a word is carried beyond another, or is not the last that was loaded */
	assert_false(made(V(3, 0) V(4, 1) STQ(0, 4) STQ(16, 3) Q(5, 32) Q(6, 48) PUTQ(0, 5) PUTQ(1, 6) STEPS DOWN
	    FLAGS(i64, 0x20), IF(ne)));
	assert_false(made(V(3, 0) V(4, 1) STQ(0, 3) STQ(16, 4) Q(5, 32) PUTQ(0, 5) STEPS DOWN FLAGS(i64, 0x20), IF(ne)));
	/* more is loaded ahead than carried */
	assert_false(made(V(3, 0) STQ(0, 3) Q(4, 16) STQ(16, 4) Q(5, 32) PUTQ(0, 5) Q(6, 48) PUTQ(1, 6) STEPS DOWN
	    FLAGS(i64, 0x20), IF(ne)));
	/* words of two kinds, one that fills, flags of other numbers */
	assert_false(made(Q(3, 0) "\tt4 = ld i64 t2 imm=16\n" STQ(0, 3) "\tst i64 t1, _, t4 imm=16\n" STEPS DOWN
	    FLAGS(i64, 0x20), IF(ne)));
	assert_false(made(V(3, 0) STQ(0, 3) STQ(16, 3) STEPS DOWN FLAGS(i64, 0x20), IF(ne)));
	assert_false(made(Q(3, 0) Q(4, 16) STQ(0, 3) STQ(16, 4) STEPS DOWN FLAGS(i32, 0x20), IF(ne)));
	assert_false(made(Q(3, 0) Q(4, 16) STQ(0, 3) STQ(16, 4) STEPS DOWN FLAGS(i64, 0x20), IF(mi)));
	assert_false(made(Q(3, 0) Q(4, 16) STQ(0, 3) STQ(16, 4) STEPS DOWN "\tt16 = fladd i64 t14, 0x20\n", IF(ne)));
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(test_fills),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_quads),
	};

	return cmocka_run_group_tests(t, 0, 0);
}
