/* SPDX-License-Identifier: MIT */
/* test_fold.c - every line of fold.def holds, and fires
 *
 * Usage: test_fold [seed [rounds]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "proof.h"

static long rounds = 150000;

/* Rules that have not fired yet. */
static int
idle(int tell)
{
	int count = 0;

	for (size_t i = 0; i < NELEM(proof_lines); i++)
		if (!proof_hits[proof_lines[i]]) {
			count++;
			if (tell)
				printf("fold.def:%d never fired\n", proof_lines[i]);
		}
	return count;
}

static void
test_every_rule_holds_and_fires(void **state)
{
	(void)state;
	for (long n = 0; n < rounds; n++)
		assert_int_equal(prove_one(), 0);
	for (long n = 0; n < 20 * rounds && idle(0); n++)
		assert_int_equal(prove_one(), 0);
	assert_int_equal(idle(1), 0);
	printf("%zu rules fired\n", NELEM(proof_lines));
}

static struct region r;

static void
begin(void)
{
	region_init(&r, &fake_guest, 0, 0);
	ir_block(&r, 0);
}

static void
test_xor_of_equals_is_zero(void **state)
{
	(void)state;
	begin();
	ref x = ir_get(&r, I64, X0), z = ir_op(&r, O_xor, I64, x, x, 0);
	assert_true(isk(z));
	assert_int_equal(kval(&r, z), 0);
}

static void
test_equal_values_are_merged(void **state)
{
	(void)state;
	begin();
	ref x = ir_get(&r, I64, X0), y = ir_get(&r, I64, X1);
	assert_int_equal(ir_op(&r, O_mul, I64, x, y, 0), ir_op(&r, O_mul, I64, x, y, 0));
	assert_int_not_equal(ir_op(&r, O_sub, I64, x, y, 0), ir_op(&r, O_sub, I64, y, x, 0));
}

/* What was read narrow and is put wide has lost what lay above. */
static void
test_a_part_put_back_clears_the_rest(void **state)
{
	(void)state;
	begin();
	ir_put(&r, I64, X0, ir_get(&r, I32, X0));
	assert_int_equal(r.ins[r.nins - 1].op, O_put);
	ir_put(&r, I64, X1, ir_get(&r, I64, X1));
	assert_int_equal(r.ins[r.nins - 1].op, O_get);
}

static void
test_stack_adjustments_add_up(void **state)
{
	(void)state;
	begin();
	ref x = ir_get(&r, I64, X3), y = ir_op(&r, O_sub, I64, x, ir_k(&r, 32), 0);
	assert_int_equal(ir_op(&r, O_add, I64, y, ir_k(&r, 32), 0), x);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_rule_holds_and_fires),
		cmocka_unit_test(test_xor_of_equals_is_zero),
		cmocka_unit_test(test_equal_values_are_merged),
		cmocka_unit_test(test_stack_adjustments_add_up),
		cmocka_unit_test(test_a_part_put_back_clears_the_rest),
	};

	seed = argc > 1 ? strtoull(argv[1], 0, 0) : (u64)time(0) * 0x9e3779b97f4a7c15 | 1;
	if (argc > 2)
		rounds = atol(argv[2]);
	printf("seed %#llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, 0, 0);
}
