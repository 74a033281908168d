/* SPDX-License-Identifier: MIT */
/* test_wide.c - text in, text after the pass and ir_dead: what becomes one access, and what must not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "fake.h"

static struct region r;

static int nobody(void *arg, gaddr pc, int call) { (void)arg, (void)pc, (void)call; return 0; }

/* The code between the head and the end of a block becomes `after`; filler is left out. */
static void
check(const char *code, const char *after)
{
	static char err[200], text[1 << 13], got[1 << 13], want[1 << 13];
	char *to = got;

	sprintf(text, "block 0x0 entry\n\tinsn 0x0\n%s\tjmp n 0x11\n", code);
	sprintf(want, "region 0x0 mode 0 fpnan 0\nblock 0x0 entry\n\tinsn 0x0\n%s\tjmp n 0x11\n", after);
	region_init(&r, &fake_guest, 0, 0);
	if (ir_parse(&r, text, err, sizeof err))
		fail_msg("%s", err);
	r.pieces = r.again = 2;
	ir_wide(&r);
	assert_null(ir_verify(&r));
	ir_dead(&r, nobody, 0);
	ir_unused(&r);
	ir_print(&r, text, sizeof text);
	for (const char *s = text, *end; *s; s = end) {
		end = strchr(s, '\n') + 1;
		if (!strncmp(s, "\tnop", 4))
			continue;
		memcpy(to, s, (size_t)(end - s));
		to += end - s;
	}
	*to = 0;
	assert_string_equal(got, want);
}

#define LD(t, at) "\tt" #t " = ld i8 t1 imm=" #at "\n"
#define UP(t, a, n) "\tt" #t " = shl i64 t" #a ", " #n "\n"
#define OR(t, a, b) "\tt" #t " = or i64 t" #a ", t" #b "\n"
#define GET "\tt1 = get i64 x1\n"
#define TREE UP(6, 3, 8) UP(7, 4, 16) UP(8, 5, 24) OR(9, 2, 6) OR(10, 8, 7) OR(11, 10, 9)
#define PUT(t) "\tput i64 x0, t" #t "\n"

static void
test_bytes_of_a_number_are_loaded_at_once(void **state)
{
	(void)state;
	check(GET LD(2, 4) LD(3, 5) LD(4, 6) LD(5, 7) TREE PUT(11), GET "\tt2 = ld i32 t1 v=1 imm=4\n" PUT(2));
	/* the highest first; in any order */
	check(GET LD(2, 7) LD(3, 6) LD(4, 5) LD(5, 4) TREE PUT(11), GET "\tt2 = ld i32 t1 v=1 imm=4 aux=0x4\n" PUT(2));
	check(GET LD(5, 7) LD(3, 5) LD(2, 4) LD(4, 6) TREE PUT(11), GET "\tt2 = ld i32 t1 v=1 imm=4\n" PUT(2));
	/* through pointers a constant apart */
	check(GET LD(2, 4) "\tt12 = add i64 t1, 0x5\n" "\tt3 = ld i8 t12\n" UP(4, 3, 8) OR(5, 4, 2) PUT(5),
	      GET "\tt2 = ld i16 t1 v=1 imm=4\n" PUT(2));
	/* one of the bytes is wanted, too */
	check(GET LD(2, 4) LD(3, 5) UP(4, 3, 8) OR(5, 4, 2) PUT(5) "\tput i64 x2, t3\n",
	      GET "\tt2 = ld i16 t1 v=1 imm=4\n" "\tt3 = bfx i64 t2 v=8 imm=8\n" PUT(2) "\tput i64 x2, t3\n");
	/* a word of which the highest byte gives the sign */
	check(GET LD(2, 4) LD(3, 5) LD(4, 6) LD(5, 7) UP(6, 3, 8) UP(7, 4, 16) UP(8, 5, 24) "\tt12 = sxt i64 t8 imm=32\n"
	      OR(9, 2, 6) OR(10, 12, 7) OR(11, 10, 9) PUT(11),
	      GET "\tt2 = ld i32 t1 v=1 imm=4\n\tt3 = sxt i64 t2 imm=32\n" PUT(3));
}

#define LDX(t, x, at) "\tt" #t " = ld i8 t" #x " imm=" #at "\n"
#define WIDE(t, x, at) "\tt" #t " = ld i16 t" #x " v=1 imm=" #at "\n"
#define AGAIN(t, x, at, was) WIDE(t, x, at) "\tbrc.ne i32 t" #was ", t" #t ", 0x0\n"

static void
test_numbers_read_in_turns_are_loaded_at_once(void **state)
{
	(void)state;
	/* from two places: the first is looked at again */
	check(GET LD(2, 4) "\tt3 = get i64 x3\n" LDX(4, 3, 7) LD(5, 5) LDX(6, 3, 8)
	      UP(7, 5, 8) OR(8, 7, 2) PUT(8) UP(9, 6, 8) OR(10, 9, 4) "\tput i64 x2, t10\n",
	      GET WIDE(2, 1, 4) "\tt3 = get i64 x3\n" WIDE(4, 3, 7) AGAIN(5, 1, 4, 2) PUT(2) "\tput i64 x2, t4\n");
	/* the address of the second is made on the way, of a register that has not changed */
	check(GET LD(2, 4) "\tput i64 x2, t2\n\tt3 = get i64 x3\n\tt11 = add i64 t3, t1\n" LDX(4, 11, 7) LD(5, 5) LDX(6, 11, 8)
	      UP(7, 5, 8) OR(8, 7, 2) PUT(8) UP(9, 6, 8) OR(10, 9, 4) "\tput i64 x2, t10\n\tput i64 x1, t11\n",
	      GET WIDE(2, 1, 4) "\tt3 = get i64 x3\n\tt4 = add i64 t3, t1\n" WIDE(5, 4, 7) AGAIN(6, 1, 4, 2)
	      PUT(2) "\tput i64 x2, t5\n\tput i64 x1, t4\n");
	/* from one place, apart: nothing is looked at again */
	check(GET LD(2, 4) LD(4, 6) LD(5, 5) LD(6, 7) UP(7, 5, 8) OR(8, 7, 2) PUT(8) UP(9, 6, 8) OR(10, 9, 4)
	      "\tput i64 x2, t10\n",
	      GET WIDE(2, 1, 4) WIDE(3, 1, 6) PUT(2) "\tput i64 x2, t3\n");
	/* three */
	check(GET "\tt3 = get i64 x3\n\tt4 = get i64 x2\n" LD(5, 0) LDX(6, 3, 0) LDX(7, 4, 0) LD(8, 1) LDX(9, 3, 1) LDX(10, 4, 1)
	      UP(11, 8, 8) OR(12, 11, 5) UP(13, 9, 8) OR(14, 13, 6) UP(15, 10, 8) OR(16, 15, 7)
	      PUT(12) "\tput i64 x2, t14\n\tput i64 x1, t16\n",
	      GET "\tt2 = get i64 x3\n\tt3 = get i64 x2\n"
	      "\tt4 = ld i16 t1 v=1\n\tt5 = ld i16 t2 v=1\n\tt6 = ld i16 t1 v=1\n\tbrc.ne i32 t4, t6, 0x0\n"
	      "\tt7 = ld i16 t3 v=1\n\tt8 = ld i16 t1 v=1\n\tbrc.ne i32 t4, t8, 0x0\n"
	      "\tt9 = ld i16 t2 v=1\n\tbrc.ne i32 t5, t9, 0x0\n\tt10 = ld i16 t1 v=1\n\tbrc.ne i32 t4, t10, 0x0\n"
	      PUT(4) "\tput i64 x2, t5\n\tput i64 x1, t7\n");
	/* what they were put together from is a part of them */
	check(GET LD(2, 4) LD(3, 5) LD(4, 6) LD(5, 7) TREE PUT(11) "\tput i64 x2, t9\n\tput i64 x1, t8\n",
	      GET "\tt2 = ld i32 t1 v=1 imm=4\n\tt3 = and i32 t2, 0xff000000\n\tt4 = zxt i64 t2 imm=16\n"
	      PUT(2) "\tput i64 x2, t4\n\tput i64 x1, t3\n");
}

static void
test_a_store_of_other_bytes_may_come_between(void **state)
{
	(void)state;
	check(GET LD(2, 4) "\tst i32 t1, _, 0x1\n" LD(3, 5) LD(4, 6) LD(5, 7) TREE PUT(11),
	      GET "\tt2 = ld i32 t1 v=1 imm=4\n\tst i32 t1, _, 0x1\n" PUT(2));
}

static void
test_what_is_not_one_number_stays(void **state)
{
	static const char *const same[] = {
		GET LD(2, 4) LD(3, 6) UP(4, 3, 8) OR(5, 4, 2) PUT(5),                  /* not side by side */
		GET LD(2, 4) LD(3, 5) UP(4, 3, 7) OR(5, 4, 2) PUT(5),                  /* not by bytes */
		GET LD(2, 4) "\tst i8 t1, _, 0x1 imm=5\n" LD(3, 5) UP(4, 3, 8) OR(5, 4, 2) PUT(5),
		GET LD(2, 4) "\tfence.full n\n" LD(3, 5) UP(4, 3, 8) OR(5, 4, 2) PUT(5),
		GET LD(2, 4) "\tt6 = ld i64 t1 imm=5\n" LD(3, 5) UP(4, 3, 8) OR(5, 4, 2) PUT(5) "\tput i64 x2, t6\n",
		GET LD(2, 4) "\tbrc.eq i64 t1, 0x2, 0x11\n" LD(3, 5) UP(4, 3, 8) OR(5, 4, 2) PUT(5),
		/* in turns with one of which nothing is known, or whose address is not known before */
		GET LD(2, 4) "\tt3 = get i64 x3\n" LDX(4, 3, 7) LD(5, 5) UP(7, 5, 8) OR(8, 7, 2) PUT(8) "\tput i64 x2, t4\n",
		GET LD(2, 4) "\tt3 = ld i64 t1 imm=16\n" LDX(4, 3, 7) LD(5, 5) LDX(6, 3, 8) UP(7, 5, 8) OR(8, 7, 2) PUT(8)
		    UP(9, 6, 8) OR(10, 9, 4) "\tput i64 x2, t10\n",
		GET "\tt2 = ld i32 t1\n\tt3 = ld i32 t1 imm=4\n" UP(4, 3, 32) OR(5, 4, 2) PUT(5),  /* two words */
		GET "\tt2 = ld i8 t1 aux=0x8 imm=4\n" LD(3, 5) UP(4, 3, 8) OR(5, 4, 2) PUT(5),
	};

	(void)state;
	for (size_t n = 0; n < NELEM(same); n++) {
		static char text[1 << 13], err[200], before[1 << 13], after[1 << 13];

		sprintf(text, "block 0x0 entry\n\tinsn 0x0\n%s\tjmp n 0x11\n", same[n]);
		region_init(&r, &fake_guest, 0, 0);
		if (ir_parse(&r, text, err, sizeof err))
			fail_msg("%s", err);
		ir_print(&r, before, sizeof before);
		r.pieces = r.again = 2;
		ir_wide(&r);
		ir_print(&r, after, sizeof after);
		assert_string_equal(after, before);
	}
}

#define ST(at, t) "\tst i8 t1, _, t" #t " imm=" #at "\n"
#define SHR(t, a, n) "\tt" #t " = shr i64 t" #a ", " #n "\n"
#define PARTS "\tt2 = get i64 x2\n" SHR(3, 2, 8) SHR(4, 2, 16) SHR(5, 2, 24)

static void
test_bytes_of_a_number_are_stored_at_once(void **state)
{
	(void)state;
	check(GET PARTS ST(0, 2) ST(1, 3) ST(2, 4) ST(3, 5), GET "\tt2 = get i64 x2\n\tst i32 t1, _, t2 v=1\n");
	check(GET PARTS ST(2, 3) ST(0, 5) ST(3, 2) ST(1, 4), GET "\tt2 = get i64 x2\n\tst i32 t1, _, t2 v=1 aux=0x4\n");
	check(GET "\tst i8 t1, _, 0x1 imm=7\n\tst i8 t1, _, 0x5 imm=6\n", GET "\tst i16 t1, _, 0x105 v=1 imm=6\n");
	/* three and one more of another number */
	check(GET PARTS ST(0, 2) ST(1, 3) ST(2, 4) "\tst i8 t1, _, 0x0 imm=3\n",
	      GET "\tt2 = get i64 x2\n\tt3 = shr i64 t2, 0x10\n\tst i16 t1, _, t2 v=1\n" "\tst i8 t1, _, t3 imm=2\n"
	      "\tst i8 t1, _, 0x0 imm=3\n");
	/* not with a load between, nor twice the same byte */
	check(GET "\tt2 = get i64 x2\n\tt3 = shr i64 t2, 0x8\n" ST(0, 2) "\tt4 = ld i8 t1 imm=9\n" ST(1, 3) PUT(4),
	      GET "\tt2 = get i64 x2\n\tt3 = shr i64 t2, 0x8\n" "\tst i8 t1, _, t2\n" "\tt4 = ld i8 t1 imm=9\n" ST(1, 3) PUT(4));
	check(GET "\tt2 = get i64 x2\n\tt3 = shr i64 t2, 0x8\n" ST(1, 2) ST(1, 3),
	      GET "\tt2 = get i64 x2\n\tt3 = shr i64 t2, 0x8\n" ST(1, 2) ST(1, 3));
}

#define WORD(at, k) "\tst i64 t1, _, " #k " imm=" #at "\n"
#define PAIR(at, t) "\tst i64x2 t1, _, " #t " v=1 imm=" #at "\n"

static void
test_a_word_stored_again_and_again_is_a_vector(void **state)
{
	(void)state;
	check(GET WORD(16, 0x0) WORD(8, 0x0), GET "\tt2 = dup i64x2 0x0\n" PAIR(8, t2));
	check(GET "\tt2 = get i64 x2\n" WORD(8, t2) WORD(16, t2) WORD(24, t2) WORD(32, t2) WORD(40, t2),
	      GET "\tt2 = get i64 x2\n\tt3 = dup i64x2 t2\n" PAIR(8, t3) PAIR(24, t3) WORD(40, t2));
	/* through pointers a constant apart */
	check(GET "\tt2 = add i64 t1, 0x64\n" "\tst i64 t2, _, 0x0 imm=8\n" "\tst i64 t2, _, 0x0\n",
	      GET "\tt2 = dup i64x2 0x0\n" PAIR(100, t2));
	/* what a fault of the second would have shown comes after both */
	check(GET WORD(8, 0x0) "\tput i64 x2, 0x5\n" WORD(16, 0x0) "\tput i64 x2, 0x7\n",
	      GET "\tt2 = dup i64x2 0x0\n" PAIR(8, t2) "\tput i64 x2, 0x7\n");
	/* not one pair of a number, nor of two, nor with a load between, nor apart, nor where they overlap */
	check(GET WORD(8, 0x5) WORD(16, 0x5), GET WORD(8, 0x5) WORD(16, 0x5));
	check(GET WORD(8, 0x0) WORD(16, 0x5), GET WORD(8, 0x0) WORD(16, 0x5));
	check(GET WORD(8, 0x0) "\tt2 = ld i8 t1\n" WORD(16, 0x0) PUT(2), GET WORD(8, 0x0) "\tt2 = ld i8 t1\n" WORD(16, 0x0) PUT(2));
	check(GET WORD(8, 0x0) WORD(24, 0x0) WORD(25, 0x0), GET WORD(8, 0x0) WORD(24, 0x0) WORD(25, 0x0));
}

#define TURNED "\tt4 = bfx i64 t1 v=8 imm=8\n" UP(5, 4, 16) "\tt6 = shr i64 t1, 0x8\n\tt7 = and i64 t6, 0xff00\n" \
	"\tt8 = bfx i64 t1 v=24 imm=8\n"

static void
test_a_number_turned_round_is_swapped(void **state)
{
	(void)state;
	check(GET "\tt2 = zxt i64 t1 imm=8\n" UP(3, 2, 24) TURNED OR(9, 3, 5) OR(10, 7, 8) OR(11, 9, 10) PUT(11),
	      GET "\tt2 = bswap i32 t1\n" PUT(2));
	/* but for some bytes, which is put too; and with its sign above it */
	check(GET "\tt2 = zxt i64 t1 imm=8\n" UP(3, 2, 24) TURNED OR(9, 3, 5) OR(10, 9, 8) "\tput i64 x2, t10\n" OR(11, 10, 7)
	      PUT(11), GET "\tt2 = bswap i32 t1\n\tt3 = and i64 t2, 0xffff00ff\n\tput i64 x2, t3\n" PUT(2));
	check(GET "\tt2 = shl i32 t1, 0x18\n\tt3 = sxt i64 t2 imm=32\n" TURNED OR(9, 3, 5) OR(10, 9, 8) "\tput i64 x2, t10\n"
	      OR(11, 10, 7) "\tt12 = sxt i64 t11 imm=32\n" PUT(12), GET "\tt2 = bswap i32 t1\n\tt3 = sxt i64 t2 imm=32\n"
	      "\tt4 = and i64 t3, 0xffffffffffff00ff\n\tput i64 x2, t4\n" PUT(3));
}

#define RING GET "\tt2 = get i64 x2\n\tt3 = lds i64 t1 v=32 imm=8\n\tst i32 t1, _, t2 imm=8\n"
#define SCALED(t, a, n) "\tt" #t " = bfx i64 t" #a " v=8 imm=24\n\tt" #n " = shl i64 t" #t ", 0x4\n"
#define BASED(b, t, n) "\tt" #b " = get i64 x3\n\tt" #n " = add i64 t" #t ", t" #b "\n"
#define INNER "\tt4 = ld i64 t2\n\tt5 = add i64 t3, t4\n\tt6 = shl i64 t5, 0x2\n\tt7 = add i64 t1, t6\n"
#define ELSEWHERE(x) "\tjmp n 0x4\nblock 0x4 entry\n\tinsn 0x4\n\tt1 = get i64 x" #x "\n" SCALED(2, 1, 3) BASED(4, 3, 5) PUT(5)

static void
test_what_a_ring_will_lead_to_is_prefetched(void **state)
{
	(void)state;
	check(RING SCALED(4, 3, 5) BASED(6, 5, 7) PUT(7),
	      RING SCALED(4, 3, 5) BASED(6, 5, 7) SCALED(8, 2, 9) "\tt10 = add i64 t9, t6\n\tpref n t10\n" PUT(7));
	/* but for where in the line */
	check(RING INNER PUT(7), RING INNER "\tt8 = shl i64 t2, 0x2\n\tt9 = add i64 t1, t8\n\tpref n t9\n" PUT(7));
	/* the block that is jumped to makes the address */
	check(RING "\tput i64 x0, t3\n" ELSEWHERE(0),
	      RING "\tput i64 x0, t3\n" SCALED(4, 2, 5) BASED(6, 5, 7) "\tpref n t7\n" ELSEWHERE(0));
}

static void
test_what_is_no_ring_stays(void **state)
{
	static const char *const same[] = {
		/* a count; another place; a byte; a base that is loaded; no scaled number; what is in the line alone */
		GET "\tt2 = lds i64 t1 v=32\n\tt3 = add i64 t2, 0x1\n\tst i32 t1, _, t3\n" SCALED(4, 2, 5) BASED(6, 5, 7) PUT(7),
		GET "\tt2 = get i64 x2\n\tt3 = lds i64 t1 v=32 imm=8\n\tst i32 t1, _, t2 imm=4\n" SCALED(4, 3, 5) BASED(6, 5, 7) PUT(7),
		GET "\tt2 = get i64 x2\n\tt3 = ld i8 t1\n\tst i8 t1, _, t2\n\tt4 = shl i64 t3, 0x6\n" BASED(5, 4, 6) PUT(6),
		RING SCALED(4, 3, 5) "\tt6 = ld i64 t2\n\tt7 = add i64 t5, t6\n" PUT(7),
		RING BASED(4, 3, 5) PUT(5),
		RING "\tt4 = ld i64 t2\n\tt5 = shl i64 t4, 0x2\n\tt6 = add i64 t1, t5\n" PUT(6) "\tput i64 x2, t3\n",
		/* the variable has another number in the other block, or none */
		RING "\tput i64 x0, t3\n\tt4 = ld i8 t2\n\tput i64 x0, 0x1\n" ELSEWHERE(0),
		RING "\tput i64 x0, t3\n" ELSEWHERE(2),
	};

	(void)state;
	for (size_t n = 0; n < NELEM(same); n++)
		check(same[n], same[n]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_of_a_number_are_loaded_at_once),
		cmocka_unit_test(test_numbers_read_in_turns_are_loaded_at_once),
		cmocka_unit_test(test_a_store_of_other_bytes_may_come_between),
		cmocka_unit_test(test_what_is_not_one_number_stays),
		cmocka_unit_test(test_bytes_of_a_number_are_stored_at_once),
		cmocka_unit_test(test_a_word_stored_again_and_again_is_a_vector),
		cmocka_unit_test(test_a_number_turned_round_is_swapped),
		cmocka_unit_test(test_what_a_ring_will_lead_to_is_prefetched),
		cmocka_unit_test(test_what_is_no_ring_stays),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
