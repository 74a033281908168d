/* SPDX-License-Identifier: MIT */
/* test_exec.c - the argument list a new dragoman gets is taken apart as it was packed */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "threads/thread.h"

static int argc;
static char **argv, **envp;
static u64 legacy;

static int
unpack(char **v)
{
	for (argc = 0; v[argc]; argc++)
		;
	argv = v;
	envp = 0;
	return exec_unpack(&argc, &argv, &envp, &legacy);
}

static void
test_a_users_command_line_is_left_alone(void **state)
{
	char *v[] = { "dragoman", "-L", "/root", "prog", 0 };

	(void)state;
	assert_int_equal(unpack(v), 0);
	assert_int_equal(argc, 4);
	assert_ptr_equal(argv, v);
	assert_null(envp);
}

static void
test_options_program_arguments_and_environment(void **state)
{
	char *v[] = { "shown", "--dragoman-program", "2 3 18446744073709551614", "-L", "/root", "/bin/prog", "argv0", "-x", "--",
		      "A=1", "B=2", 0 };
	static const char *want[] = { "dragoman", "-L", "/root", "-0", "argv0", "--", "/bin/prog", "-x", "--" };

	(void)state;
	assert_int_equal(unpack(v), 1);
	assert_int_equal(argc, NELEM(want));
	for (size_t i = 0; i < NELEM(want); i++)
		assert_string_equal(argv[i], want[i]);
	assert_null(argv[argc]);
	assert_string_equal(envp[0], "A=1");
	assert_string_equal(envp[1], "B=2");
	assert_null(envp[2]);
	assert_true(legacy == (u64)-2);
	free(argv);
}

static void
test_no_arguments_and_no_environment(void **state)
{
	char *v[] = { "", "--dragoman-program", "0 1 0", "/bin/prog", "", 0 };

	(void)state;
	assert_int_equal(unpack(v), 1);
	assert_int_equal(argc, 5);
	assert_string_equal(argv[2], "");
	assert_null(envp[0]);
	free(argv);
}

static void
test_damaged_lists_are_refused(void **state)
{
	char *list[][8] = {
		{ "x", "--dragoman-program", "9 1", "/bin/prog", "a", 0 },
		{ "x", "--dragoman-program", "0 9", "/bin/prog", "a", 0 },
		{ "x", "--dragoman-program", "-1 1", "/bin/prog", "a", 0 },
		{ "x", "--dragoman-program", "0 -1", "/bin/prog", "a", 0 },
		{ "x", "--dragoman-program", "2147483647 2147483647", "/bin/prog", "a", 0 },
		{ "x", "--dragoman-program", "none", "/bin/prog", 0 },
		{ "x", "--dragoman-program", 0 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(list); i++)
		assert_int_equal(unpack(list[i]), 0);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(test_a_users_command_line_is_left_alone),
		cmocka_unit_test(test_options_program_arguments_and_environment),
		cmocka_unit_test(test_no_arguments_and_no_environment),
		cmocka_unit_test(test_damaged_lists_are_refused),
	};
	return cmocka_run_group_tests(t, 0, 0);
}
