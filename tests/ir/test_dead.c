/* SPDX-License-Identifier: MIT */
/* test_dead.c - text in, text after the builder's drops and both passes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "fake.h"

static struct region r;

/* Flags are live at even addresses; the unknown one is odd. */
static int
live(void *arg, gaddr pc, int call)
{
	(void)call;
	++*(int *)arg;
	return !(pc & 1);
}

static void
check(const char *before, const char *after)
{
	static char err[200], got[1 << 14], want[1 << 14];
	int asked = 0;

	region_init(&r, &fake_guest, 0, 0);
	if (ir_parse(&r, before, err, sizeof err))
		fail_msg("%s", err);
	ir_dead(&r, live, &asked);
	ir_unused(&r);
	ir_print(&r, got, sizeof got);
	snprintf(want, sizeof want, "region 0x0 mode 0 fpnan 0\n%s", after);
	assert_string_equal(got, want);
	assert_null(ir_verify(&r));
}

#define SAME(text) check(text, text)

static void
test_unused_values_go_and_loads_stay(void **state)
{
	(void)state;
	check("block 0x0\n\tt1 = get i64 x1\n\tt2 = add i64 t1, 0x1\n\tt3 = mul i64 t2, t2\n"
	      "\tt4 = get i64 x2\n\tt5 = ld i64 t4\n\tjmp n 0x11\n",
	      "block 0x0\n\tt1 = get i64 x2\n\tt2 = ld i64 t1\n\tjmp n 0x11\n");
}

static void
test_overwritten_put_goes(void **state)
{
	(void)state;
	check("block 0x0\n\tput i64 x1, 0x1\n\tput i64 x2, 0x2\n\tput i64 x1, 0x3\n\tjmp n 0x11\n",
	      "block 0x0\n\tput i64 x2, 0x2\n\tput i64 x1, 0x3\n\tjmp n 0x11\n");
	/* a get, a load that may fault, a side exit, a helper that looks */
	SAME("block 0x0\n\tput i64 x1, 0x1\n\tt1 = get i64 x1\n\tput i64 x1, 0x3\n\tput i64 x2, t1\n\tjmp n 0x11\n");
	SAME("block 0x0\n\tput i64 x1, 0x1\n\tt1 = ld i64 0x5\n\tput i64 x1, 0x3\n\tjmp n 0x11\n");
	SAME("block 0x0\n\tput i64 x1, 0x1\n\tbrc.eq i64 0x1, 0x2, 0x11\n\tput i64 x1, 0x3\n\tjmp n 0x11\n");
	SAME("block 0x0 flagsin\n\tput i64 x1, 0x1\n\tt1 = help.2 i64\n\tput i64 x1, 0x3\n\tjmp n 0x11\n");
	SAME("block 0x0\n\tput i64 x1, 0x1\n\tt1 = help.3 i64\n\tput i64 x1, 0x3\n\tjmp n 0x11\n");
	SAME("block 0x0\n\tt1 = get i8x16 v0\n\tput i8x16 v1, t1\n\tvhelp.1 n imm=6 aux=0x707\n\tput i8x16 v1, t1\n\tjmp n 0x11\n");
	check("block 0x0\n\tt1 = get i8x16 v0\n\tput i8x16 v1, t1\n\tvhelp.1 n imm=7 aux=0x707\n\tput i8x16 v1, t1\n\tjmp n 0x11\n",
	      "block 0x0\n\tt1 = get i8x16 v0\n\tvhelp.1 n imm=7 aux=0x707\n\tput i8x16 v1, t1\n\tjmp n 0x11\n");
	/* a helper that does not look */
	check("block 0x0\n\tput i64 x1, 0x1\n\tt1 = help.0 i64\n\tput i64 x1, 0x3\n\tjmp n 0x11\n",
	      "block 0x0\n\tt1 = help.0 i64\n\tput i64 x1, 0x3\n\tjmp n 0x11\n");
}

#define BASE "block 0x0\n\tt1 = get i64 x2\n\tt2 = get i64 x3\n\tt3 = add i64 t1, t2\n"

static void
test_a_put_is_left_to_the_load_that_overwrites_it(void **state)
{
	(void)state;
	check(BASE "\tput i64 x1, t3\n\tt4 = ld i32 t3\n\tput i64 x1, t4\n\tjmp n 0x11\n",
	      BASE "\tt4 = ld i32 t3 aux=0x800\n\tput i64 x1, t4\n\tjmp n 0x11\n");
	check(BASE "\tput i64 x1, t3\n\tt4 = lds i64 t3 v=16 imm=6\n\tput i64 x2, t4\n\tput i64 x1, 0x5\n\tjmp n 0x11\n",
	      BASE "\tt4 = lds i64 t3 v=16 imm=6 aux=0x800\n\tput i64 x2, t4\n\tput i64 x1, 0x5\n\tjmp n 0x11\n");
	/* variable 0 cannot be named: 0 is none */
	SAME(BASE "\tput i64 x0, t3\n\tt4 = ld i32 t3\n\tput i64 x0, t4\n\tjmp n 0x11\n");
	/* another variable, another address, who looks between, a constant apart, an attribute */
	SAME(BASE "\tput i64 x1, t3\n\tt4 = ld i32 t3\n\tput i64 x2, t4\n\tjmp n 0x11\n");
	SAME(BASE "\tput i64 x1, t3\n\tt4 = ld i32 t1\n\tput i64 x1, t4\n\tjmp n 0x11\n");
	SAME(BASE "\tput i64 x1, t3\n\tst i32 t1, _, t2\n\tt4 = ld i32 t3\n\tput i64 x1, t4\n\tjmp n 0x11\n");
	SAME(BASE "\tput i64 x1, t3\n\tt4 = ld i32 t3\n\tst i32 t1, _, t2\n\tput i64 x1, t4\n\tjmp n 0x11\n");
	SAME("block 0x0\n\tt1 = get i64 x2\n\tt2 = add i64 t1, 0x5\n\tput i64 x1, t2\n\tt3 = ld i32 t2\n\tput i64 x1, t3\n"
	     "\tjmp n 0x11\n");
	SAME(BASE "\tput i64 x1, t3\n\tt4 = ld i32 t3 aux=0x40\n\tput i64 x1, t4\n\tjmp n 0x11\n");
}

#define FLAGS "\tt1 = get i64 x1\n\tt2 = flsub i64 t1, 0x1\n\tput fl nz, t2\n"

static void
test_flags_in_a_block(void **state)
{
	(void)state;
	SAME("block 0x0\n" FLAGS "\tjmp n 0x10\n");
	check("block 0x0\n" FLAGS "\tjmp n 0x11\n", "block 0x0\n\tjmp n 0x11\n");
	/* used by the branch, but dead after it either way */
	check("block 0x0\n" FLAGS "\tbrf.eq fl t2, _, 0x11\n\tjmp n 0x13\n",
	      "block 0x0\n\tt1 = get i64 x1\n\tt2 = flsub i64 t1, 0x1\n\tbrf.eq fl t2, _, 0x11\n\tjmp n 0x13\n");
	/* wanted there: put on the way, if the branch has them and nobody else wants them */
	check("block 0x0\n" FLAGS "\tbrf.eq fl t2, _, 0x10\n\tbrf.mi fl t2, _, 0x12\n\tbrf.vs fl t2, _, 0x13\n\tjmp n 0x13\n",
	      "block 0x0\n\tt1 = get i64 x1\n\tt2 = flsub i64 t1, 0x1\n\tbrf.eq fl t2, _, 0x10 aux=0x1\n"
	      "\tbrf.mi fl t2, _, 0x12 aux=0x1\n\tbrf.vs fl t2, _, 0x13\n\tjmp n 0x13\n");
	SAME("block 0x0\n" FLAGS "\tt3 = fltst i64 t1\n\tbrf.eq fl t3, _, 0x10\n\tjmp n 0x13\n");
	SAME("block 0x0\n" FLAGS "\tbrc.eq i64 t1, 0x5, 0x10\n\tbrf.eq fl t2, _, 0x10\n\tjmp n 0x13\n");
	SAME("block 0x0\n" FLAGS "\tt3 = ld i64 t1\n\tput i64 x2, t3\n\tbrf.eq fl t2, _, 0x10\n\tjmp n 0x13\n");
	SAME("block 0x0\n" FLAGS "\tbrf.eq fl t2, _, 0x11\n\tjmp n 0x12\n");
	/* a load does not keep them */
	check("block 0x0\n" FLAGS "\tt3 = ld i64 t1\n\tt4 = fltst i64 t3\n\tput fl nz, t4\n\tjmp n 0x10\n",
	      "block 0x0\n\tt1 = get i64 x1\n\tt2 = ld i64 t1\n\tt3 = fltst i64 t2\n\tput fl nz, t3\n\tjmp n 0x10\n");
	/* ... unless flags from before it are taken after it: control may come back to there */
	SAME("block 0x0\n" FLAGS "\tt3 = ld i64 t1\n\tt4 = fcc.eq i64 t2\n\tput i64 x2, t4\n\tt5 = fltst i64 t3\n\tput fl nz, t5\n"
	     "\tjmp n 0x10\n");
	SAME("block 0x0\n" FLAGS "\tt3 = fcc.eq i64 t2\n\tput i64 x2, t3\n\tt4 = ld i64 t1\n\tput i64 x3, t3\n\tt5 = fltst i64 t4\n"
	     "\tput fl nz, t5\n\tjmp n 0x10\n");
	check("block 0x0\n" FLAGS "\tt3 = fcc.eq i64 t2\n\tput i64 x2, t3\n\tt4 = ld i64 t1\n\tt5 = fltst i64 t4\n\tput fl nz, t5\n"
	      "\tjmp n 0x10\n", "block 0x0\n\tt1 = get i64 x1\n\tt2 = flsub i64 t1, 0x1\n\tt3 = fcc.eq i64 t2\n\tput i64 x2, t3\n"
	      "\tt4 = ld i64 t1\n\tt5 = fltst i64 t4\n\tput fl nz, t5\n\tjmp n 0x10\n");
	/* a value made of one that was made of flags */
	SAME("block 0x0\n" FLAGS "\tt3 = flbits i64 t2\n\tt4 = and i64 t3, 0x100\n\tput i64 x2, t4\n\tt5 = ld i64 t1\n"
	     "\tt6 = shl i64 t4, 0x2\n\tput i64 x3, t6\n\tput i64 x2, t5\n\tjmp n 0x11\n");
	check("block 0x0\n" FLAGS "\tt3 = flbits i64 t2\n\tt4 = and i64 t3, 0x100\n\tput i64 x2, t4\n\tt5 = ld i64 t1\n"
	      "\tt6 = shl i64 t1, 0x2\n\tput i64 x3, t6\n\tput i64 x2, t5\n\tjmp n 0x11\n",
	      "block 0x0\n\tt1 = get i64 x1\n\tt2 = flsub i64 t1, 0x1\n\tt3 = flbits i64 t2\n\tt4 = and i64 t3, 0x100\n"
	      "\tput i64 x2, t4\n\tt5 = ld i64 t1\n\tt6 = shl i64 t1, 0x2\n\tput i64 x3, t6\n\tput i64 x2, t5\n\tjmp n 0x11\n");
	/* computed targets ask about FLAGS_UNKNOWN, traps keep */
	check("block 0x0\n" FLAGS "\tret i64 t1\n", "block 0x0\n\tt1 = get i64 x1\n\tret i64 t1\n");
	SAME("block 0x0\n" FLAGS "\ttrap.undef n\n");
	SAME("block 0x0\n" FLAGS "\tt3 = help.2 i64\n\tjmp n 0x11\n");
}

static void
test_flags_across_blocks(void **state)
{
	(void)state;
	/* 0 -> 8 -> 0 or out at 0x11: nobody reads; the loop must not keep them alive by itself */
	check("block 0x0\n" FLAGS "\tjmp n 0x8\nblock 0x8\n\tbrc.eq i64 0x1, 0x2, 0x0\n\tjmp n 0x11\n",
	      "block 0x0\n\tjmp n 0x8\nblock 0x8\n\tbrc.eq i64 0x1, 0x2, 0x0\n\tjmp n 0x11\n");
	/* the second block reads */
	check("block 0x0\n" FLAGS "\tjmp n 0x8\nblock 0x8\n\tt1 = get fl nz\n\tt2 = fcc.eq i64 t1\n\tput i64 x2, t2\n\tjmp n 0x11\n",
	      "block 0x0\n" FLAGS "\tjmp n 0x8\nblock 0x8 flagsin\n\tt1 = get fl nz\n\tt2 = fcc.eq i64 t1\n\tput i64 x2, t2\n"
	      "\tjmp n 0x11\n");
	/* the second block overwrites */
	check("block 0x0\n" FLAGS "\tjmp n 0x8\nblock 0x8\n\tt1 = flset fl 0x0\n\tput fl nz, t1\n\tjmp n 0x10\n",
	      "block 0x0\n\tjmp n 0x8\nblock 0x8\n\tt1 = flset fl 0x0\n\tput fl nz, t1\n\tjmp n 0x10\n");
	/* backward edge, blocks out of order */
	check("block 0x8\n\tjmp n 0x0\nblock 0x0\n" FLAGS "\tbrc.eq i64 0x1, 0x2, 0x8\n\tjmp n 0x11\n",
	      "block 0x8\n\tjmp n 0x0\nblock 0x0\n\tbrc.eq i64 0x1, 0x2, 0x8\n\tjmp n 0x11\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unused_values_go_and_loads_stay),
		cmocka_unit_test(test_overwritten_put_goes),
		cmocka_unit_test(test_a_put_is_left_to_the_load_that_overwrites_it),
		cmocka_unit_test(test_flags_in_a_block),
		cmocka_unit_test(test_flags_across_blocks),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
