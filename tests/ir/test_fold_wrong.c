/* SPDX-License-Identifier: MIT */
/* test_fold_wrong.c - the proof of fold.def refuses a rule that does not hold */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#define FOLD_DEF "../../tests/ir/wrong.def"
#include "proof.h"

static void
test_a_wrong_rule_is_refused(void **state)
{
	int refused = 0;

	(void)state;
	for (long n = 0; n < 1000000 && !refused; n++)
		refused = prove_one() != 0;
	assert_true(refused);
	assert_int_equal(NELEM(proof_lines), 2);
	assert_true(proof_hits[proof_lines[1]] > 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_wrong_rule_is_refused) };

	seed = argc > 1 ? strtoull(argv[1], 0, 0) : (u64)time(0) * 0x9e3779b97f4a7c15 | 1;
	printf("seed %#llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, 0, 0);
}
