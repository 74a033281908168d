/* SPDX-License-Identifier: MIT */
/* test_text.c - print and parse are each other's inverse; verify says what is wrong */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "fake.h"
#include "ir/text.h"

static struct region r;
static char err[200], buf[1 << 16], again[1 << 16];

static int
parse(const char *text)
{
	region_init(&r, &fake_guest, 0, 0);
	err[0] = 0;
	return ir_parse(&r, text, err, sizeof err);
}

static const char sample[] =
	"region 0x1000 mode 3 fpnan 2\n"
	"block 0x1000 entry\n"
	"\tinsn 0x1000\n"
	"\tt1 = get i64 x1\n"
	"\tt2 = ld i32 t1, t1 imm=-8 aux=0x3\n"
	"\tt3 = set.ltu i64 t1, 0x10\n"
	"\tput i64 x1, t3\n"
	"\tput i64 x2, 0xffffffffffffffff\n"
	"\tst i32 t1, _, t2 aux=0x20\n"
	"\tinsn 0x1004\n"
	"\tt4 = flsub i32 t2, 0x5\n"
	"\tput fl nz, t4\n"
	"\tbrf.hi fl t4, _, 0x1010\n"
	"\tt5 = bfx i64 t1 v=3 imm=7\n"
	"\tt6 = get i8x16 v1\n"
	"\tt7 = vzxt.i8x16 i16x8 t6 imm=1\n"
	"\tt8 = umov.i16x8 i64 t7 imm=2\n"
	"\tt9 = get f64 f0\n"
	"\tt10 = fcvt.f64 f32 t9 aux=0x2\n"
	"\tt11 = fbox.f32 f64 t10\n"
	"\tput f64 f1, t11\n"
	"\tt12 = help.1 i64 t8, _, t5\n"
	"\tt13 = rmw.umax i64 t1, t12\n"
	"\tfence.full n\n"
	"\tjmp n 0x1020\n"
	"block 0x1010 target\n"
	"\tinsn 0x1010\n"
	"\ttrap.break n imm=9\n";

static void
test_round_trip(void **state)
{
	(void)state;
	assert_int_equal(parse(sample), 0);
	ir_print(&r, buf, sizeof buf);
	assert_string_equal(buf, sample);
	assert_int_equal(r.nblock, 2);
	assert_int_equal(r.mode, 3);
	assert_int_equal(r.fpnan, 2);
	assert_null(ir_verify(&r));
}

/* One instruction of every operation, with every operand it can have. */
static void
test_round_trip_of_every_operation(void **state)
{
	static const u8 types[] = { I64, V8, F64, FL, N };
	ref have[8];

	(void)state;
	region_init(&r, &fake_guest, 0x4000, 0);
	ir_block(&r, 0x4000);
	for (size_t t = 0; t < 4; t++)
		have[t] = fake_append(&r, (struct ins){ .op = O_get, .ty = types[t], .v = t == 3 ? NZ : t == 1 ? V0 : X0 });
	for (int op = 0; op < O_COUNT; op++) {
		struct ins i = { .op = (u8)op, .ty = types[op % 5], .v = 1 };
		ref *to[3] = { &i.a, &i.b, &i.c };
		if (op == O_nop)
			continue;
		if (op == O_insn)
			i = (struct ins){ .op = O_insn, .ty = N };
		for (int n = 0; n < 3; n++)
			switch (opinfo[op].arg[n]) {
			case 'X': case 'J': case 'B': *to[n] = have[0]; break;
			case 'E': *to[n] = have[1]; break;
			case 'F': *to[n] = have[3]; break;
			case 'K': *to[n] = ir_k(&r, 0x123456789); break;
			}
		fake_append(&r, i);
	}
	ir_print(&r, buf, sizeof buf);
	assert_int_equal(parse(buf), 0);
	ir_print(&r, again, sizeof again);
	assert_string_equal(buf, again);
}

static void
test_print_stops_at_the_end_of_the_buffer(void **state)
{
	char small[64];

	(void)state;
	assert_int_equal(parse(sample), 0);
	memset(small, 'x', sizeof small);
	ir_print(&r, small, 40);
	assert_true(strlen(small) < 40);
	assert_int_equal(small[40], 'x');
}

static void
test_parse_errors_name_the_line(void **state)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "\tt1 = get i64 x1\n", "outside a block" },
		{ "block 0\n\tt1 = frob i64 t1\n", "line 2: no such operation" },
		{ "block 0\n\tt1 = get i64 y1\n", "no such variable" },
		{ "block 0\n\tt1 = get i65 x1\n", "type expected" },
		{ "block 0\n\tt1 = add i64 t2, 0x1\n", "bad operand" },
		{ "block 0\n\tt1 = set i64 0x1, 0x1\n", "bad suffix" },
		{ "block 0\n\tadd i64 0x1, 0x1\n", "needs a name" },
		{ "block 0\n\tt1 = put i64 x1, 0x1\n", "has no value" },
		{ "block 0\n\tjmp n 0x10 foo\n", "unexpected text" },
		{ "block 0\n\tjmp n 0x1, 0x2, 0x3, 0x4\n", "too many" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		assert_int_equal(parse(bad[i].text), -EINVAL);
		if (!strstr(err, bad[i].says))
			fail_msg("%zu: '%s' does not say '%s'", i, err, bad[i].says);
	}
}

#define BLOCK "block 0x10\n\tt1 = get i64 x1\n\tt2 = get f64 f1\n\tt3 = get i8x16 v1\n\tt4 = get fl nz\n"
#define END "\tjmp n 0x20\n"

static void
test_verify_catches_planted_errors(void **state)
{
	static const struct { const char *text, *says; } bad[] = {
		{ BLOCK, "without a terminator" },
		{ BLOCK END END, "after the terminator" },
		{ BLOCK "\tt5 = add i64 t1\n" END, "operand missing" },
		{ BLOCK "\tt5 = not i64 t1, t1\n" END, "where none belongs" },
		{ BLOCK "\tt5 = add i64 t1, t2\n" END, "integer operand" },
		{ BLOCK "\tt5 = add f64 t2, t2\n" END, "of this type" },
		{ BLOCK "\tt5 = fadd i64 t1, t1\n" END, "of this type" },
		{ BLOCK "\tt5 = fadd f32 t2, t2\n" END, "another type" },
		{ BLOCK "\tt5 = fadd f64 t2, 0x1\n" END, "temporary is needed" },
		{ BLOCK "\tt5 = add i8x32 t3, t3\n" END, "another size" },
		{ BLOCK "\tt5 = fcc.eq i64 t1\n" END, "flags operand" },
		{ BLOCK "\tt5 = set.un i64 t1, t1\n\tt6 = zxt i32 t1 imm=33\n" END, "width out of range" },
		{ BLOCK "\tt5 = bfx i64 t1 v=60 imm=5\n" END, "bit field" },
		{ BLOCK "\tt5 = ins i32x4 t3, t1 v=4\n" END, "no such lane" },
		{ BLOCK "\tt5 = urshri i32x4 t3\n" END, "amount" },
		{ BLOCK "\tput f64 x1, t2\n" END, "fit the variable" },
		{ BLOCK "\tput i64 nz, t1\n" END, "fit the variable" },
		{ BLOCK "\tt5 = lds i32 t1 v=32\n" END, "bad size" },
		{ BLOCK "\tt5 = help.77 i64 t1\n" END, "no such helper" },
		{ BLOCK "\tjmp n t1\n", "constant operand" },
		{ BLOCK "\tt5 = rmw.99 i64 t1, t1\n" END, "no meaning" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		if (parse(bad[i].text))
			fail_msg("%zu: %s", i, err);
		const char *e = ir_verify(&r);
		if (!e || !strstr(e, bad[i].says))
			fail_msg("%zu: '%s' does not say '%s'", i, e ? e : "(nothing)", bad[i].says);
	}
	assert_int_equal(parse(BLOCK END BLOCK END), 0);
	assert_null(ir_verify(&r));
	r.ins[r.block[0].first + 4].op = O_add;        /* was jmp */
	assert_non_null(ir_verify(&r));
	assert_int_equal(parse(BLOCK "\tt5 = add i64 t1, t1\n" END), 0);
	r.ins[r.block[0].first + 4].b = (ref)(r.block[0].first + 4);   /* itself */
	assert_non_null(strstr(ir_verify(&r), "not defined before"));
	assert_int_equal(parse(BLOCK END BLOCK "\tt5 = add i64 t1, t1\n" END), 0);
	r.ins[r.block[1].first + 4].a = (ref)r.block[0].first;         /* another block's */
	assert_non_null(strstr(ir_verify(&r), "not defined before"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_of_every_operation),
		cmocka_unit_test(test_print_stops_at_the_end_of_the_buffer),
		cmocka_unit_test(test_parse_errors_name_the_line),
		cmocka_unit_test(test_verify_catches_planted_errors),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
