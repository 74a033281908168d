/* SPDX-License-Identifier: MIT */
/* test_util.c - arena, growing array, checksum */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/util.h"

static void
test_arena_memory_is_zero_aligned_and_disjoint(void **state)
{
	struct arena a = {0};
	u8 *p[100];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			size_t n = (size_t)i * 77;
			p[i] = arena_get(&a, n);
			assert_int_equal((uintptr_t)p[i] % 16, 0);
			for (size_t j = 0; j < n; j++)
				assert_int_equal(p[i][j], 0);
			memset(p[i], i + 1, n);
		}
		for (int i = 0; i < 100; i++)
			for (int j = 0; j < i * 77; j++)
				assert_int_equal(p[i][j], i + 1);
		arena_free(&a);
		assert_null(a.chunk);
	}
	memset(arena_get(&a, 1 << 20), 1, 1 << 20);
	arena_free(&a);
	assert_null(a.chunk);
}

static void
test_grow_keeps_the_elements(void **state)
{
	int *v = 0, n = 0, cap = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		grow(&v, n, &cap, sizeof *v);
		v[n++] = i;
		assert_true(n <= cap);
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(v[i], i);
	free(v);
}

static void
test_crc32c_of_the_check_string(void **state)
{
	(void)state;
	assert_int_equal(crc32c(~(u32)0, "123456789", 9) ^ ~(u32)0, 0xe3069283);
	assert_int_equal(crc32c(0, "", 0), 0);
}

static void
test_strings(void **state)
{
	char *a = xstrdup("abc"), *b = xasprintf("%s-%d", a, 7);

	(void)state;
	assert_string_equal(b, "abc-7");
	free(a);
	free(b);
}
int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_memory_is_zero_aligned_and_disjoint),
		cmocka_unit_test(test_grow_keeps_the_elements),
		cmocka_unit_test(test_crc32c_of_the_check_string),
		cmocka_unit_test(test_strings),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
