/* SPDX-License-Identifier: MIT */
/* test_cpu.c - the jump cache: small for who needs little of it, large for who keeps losing entries */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "base/cpu.h"

static struct cpu *
fresh(void)
{
	struct cpu *cpu = aligned_alloc(64, sizeof *cpu);

	memset((void *)cpu, 0, sizeof *cpu);
	jc_init(cpu);
	return cpu;
}

static void
fill(struct cpu *cpu, u64 pc)
{
	*jc_place(cpu, pc) = (struct jc){pc, (const u8 *)1};
}

static int has(struct cpu *cpu, u64 pc) { return cpu->jc[jc_index(cpu, pc)].pc == pc; }

static void
nothing_is_found_in_an_empty_one(void **state)
{
	struct cpu *cpu = fresh();

	(void)state;
	for (u64 pc = 0; pc < 1 << 16; pc += 2)
		assert_false(has(cpu, pc));
	free(cpu);
}

static void
what_fits_stays(void **state)
{
	struct cpu *cpu = fresh();

	(void)state;
	for (int round = 0; round < 4; round++)
		for (u64 pc = 0x10000; pc < 0x10000 + 4096; pc += 4)
			fill(cpu, pc);
	for (u64 pc = 0x10000; pc < 0x10000 + 4096; pc += 4)
		assert_true(has(cpu, pc));
	assert_int_equal(cpu->jcsize, ((1 << JC_BITS) - 1) << 1);
	free(cpu);
}

/* twice what the small one holds, again and again */
static void
one_that_loses_entries_grows(void **state)
{
	struct cpu *cpu = fresh();
	u64 lo = 0x400000, hi = lo + (4 << JC_BITS);
	int lost = 0;

	(void)state;
	for (int round = 0; round < 2; round++)
		for (u64 pc = lo; pc < hi; pc += 2)
			fill(cpu, pc);
	for (u64 pc = lo; pc < hi; pc += 2)
		lost += !has(cpu, pc);
	assert_int_equal(cpu->jcsize, ((1 << JC_MOST) - 1) << 1);
	assert_int_equal(lost, 0);
	free(cpu);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_found_in_an_empty_one),
		cmocka_unit_test(what_fits_stays),
		cmocka_unit_test(one_that_loses_entries_grows),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
