/* SPDX-License-Identifier: MIT */
/* test_box.c - text in, text after the pass; and what it leaves out of account */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "fake.h"

static struct region r;

/* As test_dead.c; `want` differs from the text only in the words given: the n-th "BOX" becomes aux=0x10 where
 * boxed[n] is '1', the n-th "ENTRY" goes where entry[n] is '0'. */
static void
expand(char *to, const char *s, const char *boxed, const char *entry)
{
	for (; *s; ) {
		if (!strncmp(s, "BOX", 3)) {
			s += 3;
			to += sprintf(to, "%s", *boxed++ == '1' ? " aux=0x10" : "");
		} else if (!strncmp(s, " ENTRY", 6)) {
			s += 6;
			to += sprintf(to, "%s", *entry++ == '1' ? " entry" : "");
		} else {
			*to++ = *s++;
		}
	}
	*to = 0;
}

static void
check(const char *text, const char *boxed, const char *entry)
{
	static char err[200], before[1 << 14], got[1 << 14], want[1 << 14];
	int n = sprintf(want, "region 0x0 mode 0 fpnan 0\n");

	expand(before, text, "0000000000", "1111111111");
	expand(want + n, text, boxed, entry);
	region_init(&r, &fake_guest, 0, 0);
	if (ir_parse(&r, before, err, sizeof err))
		fail_msg("%s", err);
	ir_box(&r);
	ir_print(&r, got, sizeof got);
	assert_string_equal(got, want);
	assert_null(ir_verify(&r));
}

#define LOAD "\tt1 = ld f32 0x100\n\tt2 = fbox.f32 f64 t1\n\tput f64 f0, t2\n"
#define USE(get, use) "\tt" #get " = get f64 f0\n\tt" #use " = funbox.f64 f32 t" #get "BOX\n"
#define BACK() "\tbrc.eq i64 0x1, 0x2, 0x8\n"

static void
test_a_value_boxed_before_a_loop_is_boxed_in_it(void **state)
{
	(void)state;
	check("block 0x0 ENTRY\n" LOAD "\tjmp n 0x8\nblock 0x8 ENTRY\n" USE(1, 2) BACK() "\tjmp n 0x11\n", "1", "10");
	/* and through a block that does not use it, which is no entry then either */
	check("block 0x0 ENTRY\n" LOAD "\tjmp n 0x4\nblock 0x4 ENTRY\n\tjmp n 0x8\nblock 0x8 ENTRY\n" USE(1, 2) BACK()
	      "\tjmp n 0x11\n", "1", "100");
	/* boxed in the loop and on the way to it */
	check("block 0x0 ENTRY\n" LOAD "\tjmp n 0x8\nblock 0x8 ENTRY\n" USE(1, 2) "\tt3 = fbox.f32 f64 t2\n\tput f64 f0, t3\n" BACK()
	      "\tjmp n 0x11\n", "1", "10");
	/* a get after the put in its own block needs nobody */
	check("block 0x0 ENTRY\n" LOAD "\tt3 = get f64 f0\n\tt4 = funbox.f64 f32 t3BOX\n\tjmp n 0x11\n", "1", "1");
}

static void
test_what_may_come_from_elsewhere_is_not_known(void **state)
{
	(void)state;
	/* never boxed; the region's own entry; boxed on one of two ways; boxed as a double; another variable */
	check("block 0x0 ENTRY\n\tjmp n 0x8\nblock 0x8 ENTRY\n" USE(1, 2) BACK() "\tjmp n 0x11\n", "0", "11");
	check("block 0x8 ENTRY\n" USE(1, 2) "\tt3 = fbox.f32 f64 t2\n\tput f64 f0, t3\n" BACK() "\tjmp n 0x11\n", "0", "1");
	check("block 0x0 ENTRY\n\tbrc.eq i64 0x1, 0x2, 0x8\n" LOAD "\tjmp n 0x8\nblock 0x8 ENTRY\n" USE(1, 2) "\tjmp n 0x11\n", "0", "11");
	check("block 0x0 ENTRY\n" LOAD "\tt3 = ld f64 0x100\n\tput f64 f0, t3\n\tjmp n 0x8\nblock 0x8 ENTRY\n" USE(1, 2) "\tjmp n 0x11\n",
	      "0", "11");
	check("block 0x0 ENTRY\n" LOAD "\tjmp n 0x8\nblock 0x8 ENTRY\n\tt1 = get f64 f1\n\tt2 = funbox.f64 f32 t1BOX\n\tjmp n 0x11\n",
	      "0", "11");
	/* who jumps in from no block of the region; what follows a call; a helper that may change it */
	check("block 0x0 ENTRY\n" LOAD "\tjmp n 0x11\nblock 0x8 ENTRY\n" USE(1, 2) "\tjmp n 0x11\n", "0", "11");
	check("block 0x0 ENTRY\n" LOAD "\tcall n 0x11, 0x8\nblock 0x8 ENTRY\n" USE(1, 2) "\tjmp n 0x11\n", "0", "11");
	check("block 0x0 ENTRY\n" LOAD "\tt3 = help.2 i64\n\tjmp n 0x8\nblock 0x8 ENTRY\n" USE(1, 2) "\tjmp n 0x11\n", "0", "11");
	/* read before it was overwritten by a double, unboxed after */
	check("block 0x0 ENTRY\n" LOAD "\tjmp n 0x8\nblock 0x8 ENTRY\n\tt1 = get f64 f0\n\tt2 = ld f64 0x100\n\tput f64 f0, t2\n"
	      "\tt3 = funbox.f64 f32 t1BOX\n\tjmp n 0x11\n", "0", "11");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_boxed_before_a_loop_is_boxed_in_it),
		cmocka_unit_test(test_what_may_come_from_elsewhere_is_not_known),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
