/* SPDX-License-Identifier: MIT */
/* test_pack.c - random words computed byte by byte, as they are and at once: memory and variables in the end; and code
 * that must stay as it is */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "fake.h"

enum { PC = 0x100, ARENA = 512, BYTES = 8, WORDS = 2, NMASK = 7, SPILLS = 2 };
static struct region r;

/* -- random blocks: X0, X1 point to words whose bytes compare, X2 to masks and spills -- */

struct word {
	int rel, at[2];                /* how bytes compare; displacements from X0 and X1 */
	ref byte[2][BYTES];            /* loaded so far */
	int fields, left, right;       /* or the fields of a value, shifted */
	ref value;
	u64 field;                     /* of each byte */
};

static void insn(void) { ir_insn(&r, r.insn_pc + 4); }

static ref load(int ty, int var, s64 at) { return ir_opx(&r, O_ld, ty, 0, 0, (s32)at, ir_get(&r, I64, var), 0, 0); }

/* t, stored to and loaded again, or only stored. */
static ref
spill(ref t, int filled)
{
	int slot = (int)(rnd() % SPILLS) * 8;

	insn();
	ir_opx(&r, O_st, I64, 0, 0, slot, ir_get(&r, I64, X2), 0, t);
	insn();
	return filled ? load(I64, X2, slot) : t;
}

/* A byte that is wanted later: kept in a variable, or in memory. */
static void
fetch(struct word *w, int side, int k)
{
	ref t;

	if (w->byte[side][k])
		return;
	insn();
	t = load(I8, X0 + side, w->at[side] + k);
	ir_put(&r, I64, X3, t);
	if (rnd() % 8 == 0)
		t = spill(t, rnd() % 2);
	w->byte[side][k] = t;
}

static ref
byte(struct word *w, int k)
{
	int other, sign;
	ref t;

	if (w->fields) {
		t = ir_op(&r, O_shr, I64, w->value, ir_k(&r, (u64)(8 * k + w->right)), 0);
		t = ir_op(&r, O_and, I64, t, ir_k(&r, w->field), 0);
		return ir_op(&r, O_shl, I64, t, ir_k(&r, (u64)(8 * k + w->left)), 0);
	}
	other = rnd() % 64 ? k : 7 - k;        /* not of this byte */
	fetch(w, 0, k);
	fetch(w, 1, other);
	t = ir_opx(&r, O_set, I64, 0, w->rel, 0, w->byte[0][k], w->byte[1][other], 0);
	t = ir_op(&r, O_neg, I32, t, 0, 0);
	sign = k == 7 || rnd() % 64 == 0;      /* what is above the byte is shifted out, or it is none */
	t = ir_opx(&r, sign ? O_sxt : O_zxt, I64, 0, 0, sign ? 32 : 8, t, 0, 0);
	return ir_op(&r, O_shl, I64, t, ir_k(&r, (u64)(8 * k)), 0);
}

static void
word(int n, const int *order)
{
	static const u8 rels[] = {R_EQ, R_NE, R_LTU, R_GEU, R_LEU, R_GTU};
	struct word w = {.rel = rels[rnd() % NELEM(rels)], .at = {8 * n, 16 - 8 * n}, .fields = (int)(rnd() % 2)};
	ref t = 0, m;

	w.left = (int)(rnd() % 3);
	w.right = (int)(rnd() % 3);
	w.field = 0xff >> w.left & 0xff >> w.right;
	if (w.fields)
		w.value = ir_op(&r, O_xor, I64, load(I64, X0, w.at[0]), load(I64, X1, w.at[1]), 0);
	for (int k = 0; k < BYTES; k++) {
		ref b = byte(&w, order[k]);

		t = t ? ir_op(&r, O_or, I64, t, b, 0) : b;
		insn();
		ir_put(&r, I64, X3, t);
		m = k < NMASK ? load(I64, X2, 8 * (SPILLS + k)) : 0;
		m = m && rnd() % 64 == 0 ? spill(m, 1) : m;
		t = m ? ir_op(&r, O_and, I64, t, m, 0) : t;
	}
	insn();
	ir_put(&r, I64, X3, ir_op(&r, O_add, I64, t, ir_get(&r, I64, X3), 0));
	ir_opx(&r, O_st, I64, 0, 0, 8 * (SPILLS + NMASK + n), ir_get(&r, I64, X2), 0, t);
}

static void
shuffle(int *order)
{
	for (int k = BYTES; k > 1; k--) {
		int n = (int)(rnd() % (u64)k), was = order[n];

		order[n] = order[k - 1];
		order[k - 1] = was;
	}
}

static void
block(void)
{
	int order[BYTES] = {0, 1, 2, 3, 4, 5, 6, 7};

	shuffle(order);
	region_init(&r, &fake_guest, PC, 0);
	ir_block(&r, PC);
	r.open->entry = 1;
	ir_insn(&r, PC);
	word(0, order);
	if (rnd() % 4 == 0)
		shuffle(order);
	if (rnd() % 2)
		word(1, order);
	insn();
	ir_put(&r, I64, X1, ir_op(&r, O_add, I64, ir_get(&r, I64, X1), ir_k(&r, 16), 0));
	ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
}

static u64 arena[ARENA / 8];

/* Runs from PC on, in blocks, until it leaves. */
static void
run(struct cpu *cpu)
{
	cpu->pc = PC;
	for (int n; (n = ir_blockat(&r, cpu->pc)) >= 0;)
		assert_int_equal(fake_run(cpu, &r, n), EVAL_GO);
}

static void
start(struct cpu *cpu, u64 seed, const int *at)
{
	static const u64 ones[] = {0, 0xff, 0xff00ff00ff00ff00, ~(u64)0};

	memset(cpu, 0, sizeof *cpu);
	for (u64 n = 0; n < NELEM(arena); n++) {
		seed = seed * 6364136223846793005 + 1442695040888963407;
		arena[n] = (seed ^ seed >> 31) | ones[seed >> 62];
	}
	for (int n = 0; n < 3; n++)
		*(u64 *)(void *)(cpu->state + fake_reg[X0 + n].off) = (u64)arena + (u64)at[n];
}

static void
test_words_computed_by_bytes_are_the_same_at_once(void **state)
{
	static struct cpu was, cpu;
	static u64 before[NELEM(arena)];
	int packed = 0;

	(void)state;
	for (u64 from = fake_first(), end = from + 2000; from < end; from++) {
		int at[3], near = from % 3 == 0;
		u64 fill;

		seed = from * 0x9e3779b97f4a7c15 | 1;
		fill = rnd();
		at[0] = (int)(rnd() % 64);
		at[1] = near ? at[0] + (int)(rnd() % 32) : 160 + (int)(rnd() % 64);
		at[2] = near ? at[0] + (int)(rnd() % 96) : 320 + (int)(rnd() % 64);
		block();
		start(&was, fill, at);
		run(&was);
		memcpy(before, arena, sizeof arena);
		ir_pack(&r);
		assert_null(ir_verify(&r));
		packed += r.nblock > 1;
		start(&cpu, fill, at);
		run(&cpu);
		assert_memory_equal(arena, before, sizeof arena);
		for (int n = 0; n < 4; n++)
			assert_memory_equal(cpu.state + fake_reg[X0 + n].off, was.state + fake_reg[X0 + n].off, 8);
	}
	assert_true(packed > 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_computed_by_bytes_are_the_same_at_once),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
