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

static struct guest loose;

static void
pass(const char *text, u32 mode, char *to, size_t size)
{
	static char err[200];

	loose = fake_guest;
	loose.loose = 4;
	loose.loosen = FAKE_SUM;
	region_init(&r, &loose, 0, 0);
	if (ir_parse(&r, text, err, sizeof err))
		fail_msg("%s", err);
	r.mode = mode;
	ir_box(&r);
	ir_print(&r, to, size);
	assert_null(ir_verify(&r));
	for (int k = 1, m = 0; k < r.nins; k++)        /* what leaves is marked, in order */
		if (opinfo[r.ins[k].op].traits & (LEAVE | END) || r.ins[k].op == O_help)
			assert_int_equal(r.mark[m++], k);
}

static void
guarded(const char *text, const char *want)
{
	static char got[1 << 14], before[1 << 14];

	sprintf(before, "region 0x8 mode 0 fpnan 0\n%s", text);
	pass(before, 0, got, sizeof got);
	assert_string_equal(strchr(got, '\n') + 1, want);
	pass(before, 4, got, sizeof got);
	assert_null(strstr(got, "movfi"));
}

#define READ(get, use, var, how) "\tt" #get " = get f64 " var "\n\tt" #use " = funbox.f64 f32 t" #get how "\n"
#define BOXED " aux=0x10"
#define BACKTO(to) "\tbrc.eq i64 0x1, 0x2, " to "\n"
#define LEAVES(to) "= help.0 i64\n\tlook n " to "\n"

static void
test_a_loop_looks_once_at_what_it_leaves_boxed(void **state)
{
	(void)state;
	guarded("block 0x8 entry\n\tinsn 0x8\n" READ(1, 2, "f0", "") BACKTO("0x8") "\tinsn 0xc\n" READ(3, 4, "f0", "") "\tjmp n 0x20\n",
		"block 0x8 entry\n\tt1 = get f64 f0\n\tt2 = movfi.f64 i64 t1\n\tbrc.geu i64 t2, 0xffffffff00000000, 0x9\n\tt3 " LEAVES("0x8")
		"block 0x9\n\tinsn 0x8\n" READ(1, 2, "f0", BOXED) BACKTO("0x9") "\tinsn 0xc\n" READ(3, 4, "f0", BOXED) "\tjmp n 0x20\n");
	/* two variables, one of which the loop boxes; the loop in it knows by then; f2 is read too late */
	guarded("block 0x4 entry\n\tjmp n 0x8\nblock 0x8 entry\n" READ(1, 2, "f0", "") "\tjmp n 0xc\n"
		"block 0xc entry\n" READ(1, 2, "f1", "") "\tt3 = fbox.f32 f64 t2\n\tput f64 f1, t3\n" BACKTO("0xc") BACKTO("0x8")
		READ(4, 5, "f2", "") "\tjmp n 0x20\n",
		"block 0x4 entry\n\tjmp n 0x8\nblock 0x8 entry\n\tt1 = get f64 f0\n\tt2 = movfi.f64 i64 t1\n\tt3 = get f64 f1\n"
		"\tt4 = movfi.f64 i64 t3\n\tt5 = and i64 t2, t4\n\tbrc.geu i64 t5, 0xffffffff00000000, 0x9\n\tt6 " LEAVES("0x8")
		"block 0x9\n" READ(1, 2, "f0", BOXED) "\tjmp n 0xc\n"
		"block 0xc\n" READ(1, 2, "f1", BOXED) "\tt3 = fbox.f32 f64 t2\n\tput f64 f1, t3\n" BACKTO("0xc") BACKTO("0x9")
		READ(4, 5, "f2", "") "\tjmp n 0x20\n");
	/* the outer loop changes it: the inner one looks */
	guarded("block 0x8 entry\n\tjmp n 0xc\nblock 0xc entry\n" READ(1, 2, "f0", "") BACKTO("0xc")
		"\tt3 = ld f64 0x100\n\tput f64 f0, t3\n\tjmp n 0x8\n",
		"block 0x8 entry\n\tjmp n 0xc\nblock 0xc entry\n\tt1 = get f64 f0\n\tt2 = movfi.f64 i64 t1\n"
		"\tbrc.geu i64 t2, 0xffffffff00000000, 0xd\n\tt3 " LEAVES("0xc")
		"block 0xd\n" READ(1, 2, "f0", BOXED) BACKTO("0xd") "\tt3 = ld f64 0x100\n\tput f64 f0, t3\n\tjmp n 0x8\n");
}

static void
test_a_loop_that_gains_nothing_has_no_guard(void **state)
{
	(void)state;
#define SAME(text) guarded(text, text)
	/* it changes it itself; boxes it before it reads it; reads it after the loop alone */
	SAME("block 0x8 entry\n" READ(1, 2, "f0", "") "\tt3 = ld f64 0x100\n\tput f64 f0, t3\n" BACKTO("0x8") "\tjmp n 0x20\n");
	SAME("block 0x8 entry\n\tt1 = ld f32 0x100\n\tt2 = fbox.f32 f64 t1\n\tput f64 f0, t2\n" READ(3, 4, "f0", BOXED) BACKTO("0x8")
	     "\tjmp n 0x20\n");
	SAME("block 0x8 entry\n" BACKTO("0x8") READ(1, 2, "f0", "") "\tjmp n 0x20\n");
	/* no loop */
	SAME("block 0x8 entry\n" READ(1, 2, "f0", "") "\tjmp n 0x20\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_boxed_before_a_loop_is_boxed_in_it),
		cmocka_unit_test(test_what_may_come_from_elsewhere_is_not_known),
		cmocka_unit_test(test_a_loop_looks_once_at_what_it_leaves_boxed),
		cmocka_unit_test(test_a_loop_that_gains_nothing_has_no_guard),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
