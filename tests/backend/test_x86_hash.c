/* SPDX-License-Identifier: MIT */
/* test_x86_hash.c - eight hashes made at once are those made one by one */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/host.h"
#include "core/store.h"

enum { AREA = 1 << 16, MOST = 2048 };

static void
compare(const char *hide)
{
	static u8 area[AREA], text[8 * MOST];
	static const size_t sizes[] = {128, 256, 1024, MOST};
	u8 sum[8][32];
	struct store_id id;

	host_x86_64.init(hide, area, area + AREA);
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (u8)rand();
	for (size_t i = 0; i < NELEM(sizes); i++) {
		if (!host_x86_64.hash(text, sizes[i], sum)) {
			print_message("this machine lacks what it takes: skipped\n");
			return;
		}
		for (int k = 0; k < 8; k++) {
			store_hash(text + (size_t)k * sizes[i], sizes[i], &id);
			assert_memory_equal(sum[k], id.byte, sizeof id.byte);
		}
	}
}

static void
test_eight_hashes_at_once(void **state)
{
	(void)state;
	compare("");
	compare("avx512");
}

static void
test_without_vectors_the_host_declines(void **state)
{
	static u8 area[AREA], text[8 * 128];
	u8 sum[8][32];

	(void)state;
	host_x86_64.init("avx2", area, area + AREA);
	assert_int_equal(host_x86_64.hash(text, 128, sum), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_eight_hashes_at_once),
		cmocka_unit_test(test_without_vectors_the_host_declines),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
