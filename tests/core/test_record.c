/* SPDX-License-Identifier: MIT */
/* test_record.c - what is known of translations, how code is found, and where links of quick code lead */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "core/cache.h"

enum { AREA = 4 << 20, SIZE = 256, MODE = 3, FIRST = 1, SECOND = 2 /* sites of links */ };

/* A host whose sites are bytes of code: 0, it has not been linked; else, what it leads to, in 256 bytes from area. */
static void
lead(u8 *code, const struct link *l, const u8 *to)
{
	code[l->site] = (u8)(((to ? to : code + l->stub) - core.area) >> 8);
}

static void nothing(u8 *code, const struct entry *e) { (void)code, (void)e; }

static const struct host host = {.name = "fake", .link = lead, .kill = nothing};
static s32 left[1];

static int
setup(void **state)
{
	(void)state;
	core.area = mmap(0, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	core.images = core.area;
	core.areaend = core.area + AREA;
	core.at = core.area + SIZE;
	core.host = &host;
	core.left0 = left;
	core_index();
	return core.area == MAP_FAILED;
}

static u32 base;                       /* of the map's second place */

/* Quick code for pc, of 32 bytes, in the next 256 bytes of the area, with links to two places; entered at 16, too. */
static struct trans *
make(gaddr pc, gaddr to, gaddr to2)
{
	struct link link[] = {{0, 200, pc}, {FIRST, 210, to}, {SECOND, 220, to2}};
	struct entry entry[] = {{.pc = pc}, {.pc = pc + 16, .off = 100}, {.pc = pc + 8, .off = 50, .ret = 1}};
	struct mapent map[] = {{.off = 10, .pcoff = 4}, {.off = 60, .pcoff = 12, .base = base}, {.off = 110, .pcoff = 20}};
	struct out o = {.code = core.at, .size = SIZE, .link = link, .nlink = 3, .entry = entry, .nentry = 3, .map = map,
	    .nmap = 3, .fixed = 1};
	struct region r = {.pc = pc, .mode = MODE, .nrange = 1};
	__typeof__(*r.range) range = {pc, pc + 32};
	struct trans *t;

	r.range = &range;
	t = core_record(&o, &r, left);
	core.at += SIZE;
	core_await(t, link, 3);
	return t;
}

static struct node *
publish(struct trans *t)
{
	struct node *n = core_place(t->head.pc, MODE, &t->head);

	core_arrive(n, t, core_codeof(t), 0);
	return n;
}

static u8 number(const struct trans *t) { return (u8)((core_codeof(t) - core.area) >> 8); }

static void
test_links_wait_for_code(void **state)
{
	struct trans *a = make(0x1000, 0x2000, 0x3000), *b = make(0x1100, 0x2000, 0x1000), *c, *d;
	struct node *n;

	(void)state;
	assert_int_equal(core_codeof(a)[FIRST] | core_codeof(a)[SECOND] | core_codeof(b)[FIRST] | core_codeof(b)[SECOND], 0);
	assert_null(core_node(0x2000, MODE));
	publish(a);
	assert_int_equal(core_codeof(b)[SECOND], number(a));
	n = publish(c = make(0x2000, 0x2000, 0x9000));
	assert_ptr_equal(n, &c->head);
	assert_ptr_equal(core_seen(0x2000, MODE), n);
	assert_null(core_seen(0x2000, MODE + 1));
	assert_int_equal(core_codeof(a)[FIRST], number(c));
	assert_int_equal(core_codeof(b)[FIRST], number(c));
	assert_int_equal(core_codeof(c)[FIRST], number(c));
	assert_int_equal(core_codeof(a)[SECOND], 0);

	core_kill(c);
	assert_null(core_seen(0x2000, MODE));
	assert_int_equal(core_codeof(a)[FIRST], number(a));          /* to its own stub */
	assert_int_equal(core_codeof(b)[FIRST], number(b));
	core_kill(b);
	d = make(0x2000, 0x3000, 0x3000);
	assert_ptr_equal(publish(d), n);
	assert_int_equal(core_codeof(a)[FIRST], number(d));
	assert_int_equal(core_codeof(b)[FIRST], number(b));          /* the dead lead nowhere else */
	core_kill(d);
	publish(make(0x3000, 0x9000, 0x9000));
	assert_int_equal(core_codeof(a)[SECOND], number(d) + 1);
	assert_int_equal(core_codeof(d)[FIRST], 0);
}

/* Half of the address is kept; the rest is that of whose link it is. */
static void
test_links_lead_far(void **state)
{
	const gaddr high = 0x7fff00000000;
	struct trans *a = make(high + 0x1000, high - 0x1000, high + 0x100001000);

	(void)state;
	publish(make(0xfffff000, 0x9000, 0x9000));
	assert_int_equal(core_codeof(a)[FIRST], 0);
	publish(make(high - 0x1000, 0x9000, 0x9000));
	assert_int_not_equal(core_codeof(a)[FIRST], 0);
	publish(make(high + 0x100001000, 0x9000, 0x9000));
	publish(a);
	assert_int_equal(core_codeof(a)[SECOND], 0);          /* farther than a branch can lead */
}

static void
check_known(void)
{
	static const struct { u32 off, pcoff, block; } want[] = {{0, 0, 0}, {10, 4, 0}, {99, 12, 8}, {110, 20, 16}, {255, 20, 16}};
	struct trans *t = make(0x7000, 0x9000, 0x9000);
	struct guestat at;

	assert_int_equal(core_nlink(t), 3);
	assert_int_equal(core_nentry(t), 3);
	assert_int_equal(core_entry(t, 0).pc, 0x7000);
	assert_int_equal(core_entry(t, 1).off, 100);
	assert_int_equal(core_entry(t, 2).ret, 1);
	assert_int_equal(core_nrange(t), 1);
	assert_int_equal(core_range(t, 0).lo, 0x7000);
	assert_int_equal(core_range(t, 0).hi, 0x7020);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		core_where(t, core_codeof(t) + want[i].off, &at);
		assert_int_equal(at.pc, 0x7000 + want[i].pcoff);
		assert_int_equal(at.block, 0x7000 + want[i].block);
		assert_int_equal(at.base, want[i].off == 99 ? base : 0);
	}
}

static void
test_what_is_known_of_quick_code(void **state)
{
	(void)state;
	check_known();
	base = 5;
	check_known();
	base = 0;
}

/* The table grows several times meanwhile.  All have the same code. */
static void
test_many_are_found_and_waited_for(void **state)
{
	enum { MANY = 12000, STEP = 0x40 };
	const gaddr from = 0x100000, end = from + MANY * STEP;
	u8 *code = core.at;

	(void)state;
	for (gaddr pc = from; pc < end; pc += STEP) {
		core.at = code;
		publish(make(pc, pc + STEP, end + pc));
		assert_true(pc == from || code[FIRST]);
		code[FIRST] = 0;
	}
	for (gaddr pc = from; pc < end; pc += STEP)
		assert_non_null(core_seen(pc, MODE));
	assert_null(core_seen(end, MODE));
	for (gaddr pc = from; pc < end; pc += STEP * 100) {
		assert_int_equal(code[SECOND], 0);
		publish(make(end + pc, 0x9000, 0x9000));
		assert_int_not_equal(code[SECOND], 0);
		code[SECOND] = 0;
	}
}

static void
test_the_book_is_empty_again(void **state)
{
	u8 *p;

	(void)state;
	core_nonodes();
	assert_null(core_node(0x1000, MODE));
	book_empty();
	for (int i = 0; i < 1000; i++) {
		p = book_get(1000);
		for (int k = 0; k < 1000; k++)
			assert_int_equal(p[k], 0);
	}
	for (int i = 0; !book_isfull(); i++)
		book_get(1000);
	assert_true(core.bookat < core.bookend);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links_wait_for_code),
		cmocka_unit_test(test_links_lead_far),
		cmocka_unit_test(test_what_is_known_of_quick_code),
		cmocka_unit_test(test_many_are_found_and_waited_for),
		cmocka_unit_test(test_the_book_is_empty_again),
	};

	return cmocka_run_group_tests(tests, setup, 0);
}
