/* SPDX-License-Identifier: MIT */
/* test_wide_lanes.c - random words put together from lanes, as they are and after the pass: memory and variables in the
 * end; and words that must stay */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "fake.h"

enum { ARENA = 256, NODES = 32, BLOCK = 0x100 };
static struct region r;

/* -- random words: what one lane is made of, for all of them -- */

enum { FIELD, LOAD, NUMBER, COMPARED, CHOSEN, TWO, ONE, SHIFTED };
struct node { int kind, op, ty, rel, word, sign, at, bits, over, disp, a, b; };

static struct { struct node node[NODES]; int n, bits, odd; } lane;     /* odd: the one that may be another, or -1 */

static int
leaf(int sign)
{
	struct node *x = &lane.node[lane.n];
	int at = rnd() % 3 ? 0 : (int)(rnd() % (u64)lane.bits);

	*x = (struct node){.kind = rnd() % 2 ? FIELD : LOAD, .rel = (int)(rnd() % 2), .sign = sign, .word = X1 + (int)(rnd() % 2), .at = at,
	    .bits = 1 + (int)(rnd() % (u64)(lane.bits + 4)), .disp = (int)(rnd() % 4) * 8};
	if (rnd() % 4)
		x->bits = lane.bits - at;
	if (rnd() % 4 == 0)
		x->over = 1 + (int)(rnd() % (u64)(lane.bits + 4));
	return lane.n++;
}

static int
tree(int depth)
{
	static const u8 two[] = {O_add, O_sub, O_mul, O_and, O_or, O_xor, O_andn, O_orn};
	struct node x = {.kind = (int)(rnd() % 8), .sign = (int)(rnd() % 2), .ty = rnd() % 2 ? I32 : I64};

	if (x.kind < NUMBER || !depth)
		return leaf(x.sign);
	switch (x.kind) {
	case COMPARED: case CHOSEN:
		x.rel = (int)(rnd() % (x.kind == CHOSEN ? R_TST : R_UN));
		x.ty = I64;
		x.a = leaf(x.sign);
		x.b = leaf(rnd() % 8 ? x.sign : !x.sign);
		break;
	case TWO:
		x.op = two[rnd() % NELEM(two)];
		x.a = tree(depth - 1);
		x.b = tree(depth - 1);
		break;
	case ONE: case SHIFTED:
		x.op = rnd() % 2 ? O_not : O_neg;
		x.at = (int)(rnd() % 5);
		x.a = tree(depth - 1);
		break;
	}
	lane.node[lane.n] = x;
	return lane.n++;
}

/* -- lane k of it -- */

static ref
field(const struct node *x, int k)
{
	int at = k * lane.bits + x->at, bits = x->bits < 64 - at ? x->bits : 64 - at;
	ref t = ir_get(&r, I64, x->word);

	if (rnd() % 2)
		return ir_opx(&r, x->sign ? O_sbfx : O_bfx, I64, 0, at, bits, t, 0, 0);
	t = ir_op(&r, O_shr, I64, t, ir_k(&r, (u64)at), 0);
	return ir_opx(&r, x->sign ? O_sxt : O_zxt, I64, 0, 0, bits, t, 0, 0);
}

static ref
load(const struct node *x, int k)
{
	int disp = x->disp + k * lane.bits / 8;
	ref base = ir_get(&r, I64, X0);

	if (x->sign)
		return ir_opx(&r, O_lds, I64, 0, lane.bits, disp, base, 0, 0);
	return ir_opx(&r, O_ld, lane.bits == 8 ? I8 : I16, 0, 0, disp, base, 0, 0);
}

static ref
operand(const struct node *x, int k)
{
	ref t;

	if (x->kind == NUMBER)
		return ir_k(&r, rnd() % 2 ? rnd() : rnd() % 100);
	t = x->kind == FIELD ? field(x, k) : load(x, k);
	return x->over ? ir_opx(&r, x->rel % 2 ? O_sxt : O_zxt, I64, 0, 0, x->over, t, 0, 0) : t;
}

/* Makes it another, slightly. */
static void
spoil(struct node *x)
{
	switch (rnd() % 8) {
	case 0: x->sign ^= 1; break;
	case 1: x->at ^= 1; break;
	case 2: x->bits += x->bits > 1 ? -1 : 1; break;
	case 3: x->rel = (int)(rnd() % (x->kind == CHOSEN ? R_TST : R_UN)); break;
	case 4: x->disp ^= 8; break;
	case 5: x->op = x->op == O_not ? O_neg : x->op == O_neg ? O_not : x->op == O_add ? O_sub : O_add; break;
	}
}

static ref
value(const struct node *node, int k)
{
	const struct node *all = lane.node;
	struct node other = *node, *x = &other;
	ref a, b, t;

	if (k == lane.odd && rnd() % 2)
		spoil(x);
	if (x->kind <= NUMBER)
		return operand(x, k);
	a = value(&all[x->a], k);
	b = x->kind == ONE || x->kind == SHIFTED ? 0 : value(&all[x->b], k);
	switch (x->kind) {
	case COMPARED:
		t = ir_opx(&r, O_set, I64, 0, x->rel, 0, a, b, 0);
		return ir_op(&r, O_neg, rnd() % 2 ? I32 : I64, t, 0, 0);
	case CHOSEN:
		t = ir_opx(&r, O_set, I64, 0, x->rel, 0, a, b, 0);
		return ir_op(&r, O_sel, I64, t, x->sign ? a : b, x->sign ? b : a);
	case SHIFTED:
		t = ir_op(&r, O_shl, x->ty, a, ir_k(&r, (u64)x->at), 0);
		break;
	default:
		if (b && (opinfo[x->op].traits & COMM) && rnd() % 2)
			t = a, a = b, b = t;
		t = ir_op(&r, x->op, x->ty, a, b, 0);
	}
	return x->ty == I32 && rnd() % 2 ? ir_opx(&r, O_sxt, I64, 0, 0, 32, t, 0, 0) : t;
}

/* Something between that must keep its place. */
static void
between(ref t)
{
	int var = rnd() % 4 ? X0 : X3;

	if (rnd() % 2)
		ir_put(&r, I64, X2, t);
	if (rnd() % 6 == 0)
		ir_opx(&r, O_st, I16, 0, 0, (int)(rnd() % 60), ir_get(&r, I64, var), 0, t);
}

static ref
masked(ref t)
{
	static const u64 some[] = {0xffffff00ffffffff, 0xffff0000ffffffff, 0xffffffffffff};

	if (rnd() % 3)
		return ir_op(&r, O_and, I64, t, ir_get(&r, I64, X3), 0);
	return rnd() % 2 ? ir_op(&r, O_and, I64, t, ir_k(&r, some[rnd() % NELEM(some)]), 0) : t;
}

/* A block of one, which goes on to the next. */
static void
block(gaddr pc, u64 from)
{
	int n, first, masks, root;
	ref v[8] = {0}, t;

	seed = from;
	lane.n = 0;
	lane.bits = rnd() % 2 ? 8 : 16;
	root = tree(3);
	n = 64 / lane.bits;
	lane.odd = rnd() % 3 ? -1 : (int)(rnd() % (u64)n);
	ir_block(&r, pc);
	r.open->entry = 1;
	ir_insn(&r, pc);
	first = (int)(rnd() % (u64)n);
	masks = rnd() % 2;
	for (int k = 0; k < n; k++) {
		int at = (first + k) % n;

		v[at] = value(&lane.node[root], at);
		if (rnd() % 8 == 0)
			between(v[at]);
		if (at < n - 1 ? at != lane.odd || rnd() % 4 : rnd() % 2)
			v[at] = ir_opx(&r, O_zxt, I64, 0, 0, lane.bits, v[at], 0, 0);
	}
	t = v[0];
	for (int k = 1; k < n; k++) {
		t = masks ? masked(t) : t;
		t = ir_op(&r, O_or, I64, t, ir_op(&r, O_shl, I64, v[k], ir_k(&r, (u64)(k * lane.bits)), 0), 0);
	}
	ir_put(&r, I64, X1, t);
	ir_op(&r, O_jmp, N, ir_k(&r, pc + BLOCK), 0, 0);
	assert_false(r.broken);
}

/* Returns whether there are vectors now. */
static int
pass(void)
{
	r.pieces = 2;
	ir_wide(&r);
	for (int k = 1; k < r.nins; k++)
		if (r.ins[k].op == O_umov)
			return 1;
	return 0;
}

/* Whether it stores by way of x3. */
static int
stores(void)
{
	for (int k = 1; k < r.nins; k++)
		if (r.ins[k].op == O_st && r.ins[r.ins[k].a].v == X3)
			return 1;
	return 0;
}

static void
run(struct cpu *cpu, u64 from, u8 *arena)
{
	static const u64 some[] = {~(u64)0, 0xffff0000ffffffff, 0xffffffffff00ffff, 0xffffffff00000000};
	u64 *x = (u64 *)(void *)cpu->state;

	seed = from;
	for (int n = 0; n < ARENA; n++)
		arena[n] = (u8)(rnd() % 4 ? rnd() : rnd() % 2 ? 0x80 : 0xff);
	memset(cpu, 0, sizeof *cpu);
	cpu->guest = &fake_guest;
	x[0] = (u64)(uintptr_t)arena + 64;
	x[1] = rnd();
	x[2] = rnd() % 2 ? rnd() : x[1] ^ (u64)1 << rnd() % 64;
	x[3] = stores() ? x[0] + rnd() % 32 : rnd() % 2 ? rnd() : some[rnd() % NELEM(some)];
	assert_null(ir_verify(&r));
	assert_int_equal(fake_run(cpu, &r, 0), EVAL_GO);
}

static void
test_at_once_is_lane_by_lane(void **state)
{
	enum { WORDS = 20000, RUNS = 4 };
	static u8 before[ARENA], arena[ARENA];
	static struct cpu one, many;
	u64 first = fake_first();
	int made = 0;

	(void)state;
	for (u64 n = first; n < first + WORDS; n++)
		for (u64 k = 0; k < RUNS; k++) {
			region_init(&r, &fake_guest, 0, 0);
			block(0, n);
			run(&one, n * 77 + k, arena);
			memcpy(before, arena, ARENA);
			made += pass();
			run(&many, n * 77 + k, arena);
			if (memcmp(before, arena, ARENA) || memcmp(one.state, many.state, sizeof one.state)) {
				static char text[1 << 16];

				ir_print(&r, text, sizeof text);
				fprintf(stderr, "%s", text);
				fail_msg("word %llu, run %llu", (unsigned long long)n, (unsigned long long)k);
			}
		}
	print_message("%d of %d words on vectors\n", made / RUNS, WORDS);
	assert_true(made / RUNS > WORDS / 8);
}

static void
test_each_block_makes_its_own(void **state)
{
	(void)state;
	for (u64 n = 1; n < 1000; n++) {
		region_init(&r, &fake_guest, 0, 0);
		block(0, n);
		block(BLOCK, n);
		pass();
		assert_null(ir_verify(&r));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once_is_lane_by_lane),
		cmocka_unit_test(test_each_block_makes_its_own),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
