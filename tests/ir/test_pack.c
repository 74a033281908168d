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
begin(void)
{
	region_init(&r, &fake_guest, PC, 0);
	ir_block(&r, PC);
	r.open->entry = 1;
	ir_insn(&r, PC);
}

static void
block(void)
{
	int order[BYTES] = {0, 1, 2, 3, 4, 5, 6, 7};

	shuffle(order);
	begin();
	word(0, order);
	if (rnd() % 4 == 0)
		shuffle(order);
	if (rnd() % 2)
		word(1, order);
	insn();
	ir_put(&r, I64, X1, ir_op(&r, O_add, I64, ir_get(&r, I64, X1), ir_k(&r, 16), 0));
	ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
}

/* -- random values of lanes that are computed alike: X3 is a mask -- */

enum { VALUES = 12, LANES = 8 };

struct along {
	int w, n, of;                  /* bits; lanes; word 0 or 1 */
	ref v[VALUES][LANES]; int nv;
	ref made[LANES], word;         /* the last word made, or 0 */
};

static ref part(int op, int at, int n, ref t) { return ir_opx(&r, op, I64, 0, at, n, t, 0, 0); }

/* Now and then the second word is made otherwise than the first. */
static int differs(const struct along *a) { return rnd() % 64 == 0 && a->of; }

/* A lane of a word, or n bits of it. */
static ref
own(const struct along *a, int sign, int ty, int k, ref word, int n)
{
	if (ty == I32 && k)            /* perhaps not all of it is there */
		return part(sign ? O_sxt : O_zxt, 0, n, ir_op(&r, O_shr, ty, word, ir_k(&r, (u64)(k * a->w % 32)), 0));
	return part(sign ? k ? O_sbfx : O_sxt : k ? O_bfx : O_zxt, k * a->w, n, word);
}

/* What is loaded lane by lane, or is in a word. */
static void
fresh(struct along *a)
{
	static const u8 type[] = {[8] = I8, [16] = I16, [32] = I32};
	int sign = (int)(rnd() % 2), var = X0 + (((int)rnd() ^ differs(a)) & 1), at = 16 * (int)(rnd() % 2) + 8 * a->of;
	int ty = rnd() % 8 ? I64 : I32, odd = rnd() % 8 == 0, n = a->w - (rnd() % 8 == 0);
	int from = (int)(rnd() % 64);  /* the lane that is loaded from elsewhere */
	ref word = rnd() % 2 ? load(I64, var, at) : 0;

	if (word)
		word = ir_op(&r, O_xor, I64, word, a->word && rnd() % 2 ? a->word : load(I64, X1 - var, at), 0);
	for (int k = 0; k < a->n; k++) {
		insn();
		if (word)
			a->made[k] = own(a, sign, ty, odd ? a->n - 1 - k : k, word, k ? n : a->w);
		else if (sign)
			a->made[k] = ir_opx(&r, O_lds, I64, 0, a->w, at + k * a->w / 8, ir_get(&r, I64, var), 0, 0);
		else
			a->made[k] = load(type[a->w], var, (at ^ (k == from ? 16 : 0)) + k * a->w / 8);
	}
}

static ref
one(const struct along *a, int op, int ty, int how, ref x, ref y)
{
	switch (op) {
	case O_shl: case O_shr: case O_sar:
		return ir_op(&r, op, ty, x, ir_k(&r, (u64)how), 0);
	case O_sxt: case O_zxt:
		return part(op, 0, a->w - how / 3, x);
	case O_sbfx: case O_bfx:
		return part(op, how, ty == I32 ? 32 - how : 1 + (a->w - how) / 2, x);
	case O_neg:
		return ir_op(&r, O_neg, ty, ir_opx(&r, O_set, I64, 0, how, 0, x, y, 0), 0, 0);
	}
	if ((rnd() + (u64)a->of) % 2 && opinfo[op].traits & COMM)
		return ir_op(&r, op, ty, y, x, 0);
	return ir_op(&r, op, ty, x, y, 0);
}

static void
make(struct along *a)
{
	static const u8 ops[] = {O_add, O_sub, O_mul, O_and, O_or, O_xor, O_shl, O_sxt, O_zxt, O_shr, O_sar, O_sbfx, O_bfx,
	    O_neg, O_smin, O_smax, O_umin, O_umax};
	static const u8 rels[] = {R_EQ, R_NE, R_LTU, R_GEU, R_LTS, R_GES, R_LEU, R_GTU, R_LES, R_GTS};
	int op = ops[rnd() % NELEM(ops)], ty = rnd() % 2 ? I32 : I64, x = (int)(rnd() % (u64)a->nv);
	int y = (int)(rnd() % (u64)a->nv), how = (int)(rnd() % (u64)a->w), k = rnd() % 4 == 0;
	int odd = rnd() % 32 ? LANES : (int)(rnd() % (u64)a->n), other = differs(a);
	u64 with = rnd() % 256 - 128;

	if (op == O_neg)
		how = rels[rnd() % NELEM(rels)];
	else if (op != O_add && op != O_sub && op != O_and && op != O_shl && op != O_sbfx && op != O_bfx)
		ty = I64;
	for (int n = 0; n < a->n; n++) {
		ref t = k ? ir_k(&r, with) : a->v[y][n];

		insn();
		a->made[n] = one(a, op, ty, (n == odd) != other ? how ^ 1 : how, a->v[n == odd ? y : x][n], t);
	}
}

/* The mask that comes after lane k. */
static ref
mask(const struct along *a, int k)
{
	int other = differs(a), constant = rnd() % 8 == 0;

	if (!k)
		return ir_get(&r, I64, X3);
	if (constant)
		return ir_k(&r, (u64)other - 0xff00ff00ff);
	return load(other ? I32 : I64, X2, 8 * (SPILLS + k + (differs(a) != 0)));
}

/* A word of the lanes made last, or of fields of the last word. */
static void
join(struct along *a)
{
	int narrow = rnd() % 2, fields = a->word && rnd() % 4 == 0, right = (int)(rnd() % 3);
	ref t = 0;

	for (int k = 0; k < a->n; k++) {
		ref b = fields ? ir_op(&r, O_shr, I64, a->word, ir_k(&r, (u64)(k * a->w + right)), 0) : a->made[k];

		insn();
		if (fields)
			b = ir_op(&r, O_and, I64, b, ir_k(&r, 0x7f >> right), 0);
		if (k || !narrow)
			b = ir_op(&r, O_shl, I64, part(O_zxt, 0, a->w, b), ir_k(&r, (u64)(k * a->w)), 0);
		t = t ? ir_op(&r, O_or, I64, t, b, 0) : b;
		if (k < a->n - 1)
			t = ir_op(&r, O_and, I64, t, mask(a, k), 0);
	}
	a->word = t;
}

/* Operations on the word. */
static void
whole(struct along *a)
{
	static const u8 ops[] = {O_add, O_sub, O_and, O_or, O_xor, O_shl, O_shr};

	for (int left = (int)(rnd() % 4); left; left--) {
		int op = ops[rnd() % NELEM(ops)], var = (int)(rnd() % 3), ty = rnd() % 16 ? I64 : I32;
		u64 k = rnd() % 32;
		ref t = var == 2 ? ir_get(&r, I64, differs(a) ? X1 : X3) : load(I64, X0 + var, 16 * (int)(rnd() % 2) + 8 * a->of);

		t = op == O_shl || op == O_shr || rnd() % 4 == 0 ? ir_k(&r, k + (u64)differs(a)) : t;
		insn();
		a->word = ir_op(&r, op, ty, a->word, t, 0);
	}
}

static void
along(int width, int n)
{
	struct along a = {.w = width, .n = 64 / width, .of = n};

	for (int round = (int)(rnd() % 2); round >= 0; round--) {
		for (a.nv = 0; a.nv < VALUES; a.nv++) {
			(a.nv < 3 || rnd() % 6 == 0 ? fresh : make)(&a);
			memcpy(a.v[a.nv], a.made, sizeof a.made);
		}
		join(&a);
		whole(&a);
	}
	insn();
	if (!n && rnd() % 4 == 0)      /* then the other word is stored elsewhere */
		ir_opx(&r, O_st, I64, 0, 0, 64, ir_get(&r, I64, X1), 0, a.word);
	else
		ir_opx(&r, O_st, I64, 0, 0, 8 * (SPILLS + NMASK + n), ir_get(&r, I64, X2), 0, a.word);
	if (rnd() % 4 == 0)
		spill(a.word, 0);
	for (int var = X0; var < X2; var++)
		if (n && rnd() % 2)
			ir_put(&r, I64, var, a.v[rnd() % VALUES][rnd() % (u64)a.n]);
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

static int at[3];
static u64 x3;

/* Where X0 to X2 point to: sometimes near one another. */
static void
place(int near)
{
	at[0] = (int)(rnd() % 64);
	at[1] = near ? at[0] + (int)(rnd() % 32) : 160 + (int)(rnd() % 64);
	at[2] = near ? at[0] + (int)(rnd() % 96) : 320 + (int)(rnd() % 64);
}

/* Whether two words are made in one vector. */
static int
ispair(void)
{
	for (int k = 1; k < r.nins; k++)
		if (r.ins[k].op == O_umov && r.ins[k].v == I64 && r.ins[k].imm)
			return 1;
	return 0;
}

/* Runs the region as it is and as it becomes; returns whether there is something that is done at once. */
static int
compare(u64 fill)
{
	static struct cpu was, cpu;
	static u64 before[NELEM(arena)];

	start(&was, fill, at);
	*(u64 *)(void *)(was.state + fake_reg[X3].off) = x3;
	run(&was);
	memcpy(before, arena, sizeof arena);
	ir_pack(&r);
	assert_null(ir_verify(&r));
	start(&cpu, fill, at);
	*(u64 *)(void *)(cpu.state + fake_reg[X3].off) = x3;
	run(&cpu);
	assert_memory_equal(arena, before, sizeof arena);
	for (int n = 0; n < 4; n++)
		assert_memory_equal(cpu.state + fake_reg[X0 + n].off, was.state + fake_reg[X0 + n].off, 8);
	return r.nblock > 1;
}

static void
test_words_computed_by_bytes_are_the_same_at_once(void **state)
{
	int packed = 0;

	(void)state;
	x3 = 0;
	for (u64 from = fake_first(), end = from + 2000; from < end; from++) {
		u64 fill;

		seed = from * 0x9e3779b97f4a7c15 | 1;
		fill = rnd();
		place(from % 3 == 0);
		block();
		packed += compare(fill);
	}
	assert_true(packed > 200);
}

/* Whether all stores of the part are from one address on. */
static int
isone(void)
{
	ref base = 0;

	for (const struct ins *i = &r.ins[r.block[0].first + 1]; i->op != O_insn; i++)
		if (i->op == O_st && base && i->a != base)
			return 0;
		else if (i->op == O_st)
			base = i->a;
	return 1;
}

static void
test_lanes_computed_alike_are_the_same_at_once(void **state)
{
	int packed[3] = {0}, pairs[3] = {0};

	(void)state;
	for (u64 from = fake_first(), end = from + 12000; from < end; from++) {
		int width = 8 << from % 3;
		u64 fill, alike;

		seed = from * 0x9e3779b97f4a7c15 | 1;
		fill = rnd();
		place(from % 5 == 0);
		x3 = rnd() % 8 ? ((u64)1 << width) - 1 : rnd() % 2 ? ~(u64)0 : rnd();
		begin();
		alike = rnd();
		seed = alike | 1;
		along(width, 0);
		if (from % 4)                  /* the other word as that one, but for X0 and X1; or another */
			seed = from % 16 > 1 ? alike | 1 : seed;
		if (from % 4)
			along(width, 1);
		insn();
		ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
		packed[from % 3] += compare(fill);
		pairs[from % 3] += ispair();
		assert_true(r.nblock == 1 || isone());
	}
	for (int k = 0; k < 3; k++) {
		printf("%d lanes: %d, pairs: %d\n", 8 >> k, packed[k], pairs[k]);
		assert_true(packed[k] > 400 && pairs[k] > 160);
	}
}

/* -- faults -- */

/* How many stores the part of block 0 has, which ends where the next instruction begins; *lo to *hi: their bytes.  Each
 * access must be one for several. */
static int
stores(s64 *lo, s64 *hi)
{
	const struct ins *i = &r.ins[r.block[0].first];
	int n = 0;

	*lo = ARENA;
	*hi = 0;
	for (i++; i->op != O_insn; i++) {
		if (i->op != O_ld && i->op != O_lds && i->op != O_st)
			continue;
		assert_true(ir_isseveral(i));
		if (i->op == O_st) {
			*lo = i->imm < *lo ? i->imm : *lo;
			*hi = i->imm + 8 > *hi ? i->imm + 8 : *hi;
			n++;
		}
	}
	return n;
}

static void
test_what_is_done_at_once_is_stored_to_one_page(void **state)
{
	static u8 pages[3 * 4096] __attribute__((aligned(4096)));
	int edges = 0;

	(void)state;
	x3 = 0;
	for (u64 from = fake_first(), end = from + 2000; from < end; from++) {
		static struct cpu cpu;
		u64 to = (u64)pages + 4096 - from % 96;
		s64 lo, hi;

		seed = from * 0x9e3779b97f4a7c15 | 1;
		block();
		ir_pack(&r);
		if (r.nblock == 1)
			continue;
		if (stores(&lo, &hi) < 2)
			continue;
		place(0);
		start(&cpu, 1, at);
		*(u64 *)(void *)(cpu.state + fake_reg[X2].off) = to;
		cpu.pc = PC;
		assert_int_equal(fake_run(&cpu, &r, 0), EVAL_GO);
		if ((to + (u64)lo) / 4096 != (to + (u64)hi - 1) / 4096) {
			assert_int_equal(cpu.pc, PC + 1);
			edges++;
		} else {
			assert_int_equal(cpu.pc, PC + 0x1000);
		}
	}
	assert_true(edges > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_computed_by_bytes_are_the_same_at_once),
		cmocka_unit_test(test_lanes_computed_alike_are_the_same_at_once),
		cmocka_unit_test(test_what_is_done_at_once_is_stored_to_one_page),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
