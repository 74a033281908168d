/* SPDX-License-Identifier: MIT */
/* test_translate_arm64.c - what the translator makes of AArch64 words: sound IR for any word, what
 * scan promises, and the instructions whose effect test_exec_arm64 does not see
 *
 * DRAGOMAN_SEED=n repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "frontend/arm64/arm64.h"
#include "ir/eval.h"
#include "excl.h"

static u64 rng;
static struct region region;

static u32
rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (u32)(rng >> 16);
}

static int
setup(void **unused)
{
	const char *s = getenv("DRAGOMAN_SEED");

	(void)unused;
	rng = s ? strtoull(s, 0, 0) : (u64)time(0) * 2654435761u | 1;
	printf("DRAGOMAN_SEED=%llu\n", (unsigned long long)rng);
	return 0;
}

enum { PC = 0x40000000 };

/* translates one word at PC into a block of its own; as translate returns */
static int
one(u32 w, struct tr *t)
{
	u8 p[4];

	st32(p, w);
	region_init(&region, &guest_aarch64, PC, 0);
	ir_block(&region, PC);
	*t = (struct tr){.r = &region, .pc = PC, .p = p, .n = 4};
	int more = a64_translate(t);

	assert_int_equal(t->pc, PC + 4);
	if (more)
		tr_jmp(t, t->pc);
	return more;
}

/* a word of a line, or any word */
static u32
word(void)
{
	if (rnd() % 8 == 0)
		return rnd();
	return a64_random(1 + rnd() % (a64_COUNT - 1), rnd());
}

/* flags as the IR shows them: the first access decides */
static int
irflags(void)
{
	for (int i = 1; i < region.nins; i++)
		if (region.ins[i].v == A64_NZCV && region.ins[i].op == O_get)
			return PEEK_READ;
		else if (region.ins[i].v == A64_NZCV && region.ins[i].op == O_put)
			return PEEK_WRITE;
	return PEEK_NONE;
}

static const struct ins *
last(void)
{
	return &region.ins[region.nins - 1];
}

static int
flagslive(void *arg, gaddr pc, int call)
{
	(void)arg, (void)pc, (void)call;
	return 1;
}

static void
test_any_word_gives_sound_ir(void **s)
{
	struct tr t;
	const char *wrong;

	(void)s;
	for (int i = 0; i < 200000; i++) {
		u32 w = word();

		one(w, &t);
		if ((wrong = ir_verify(&region)))
			fail_msg("%08x: %s", w, wrong);
		ir_dead(&region, flagslive, 0);
		if ((wrong = ir_verify(&region)))
			fail_msg("%08x after dead: %s", w, wrong);
	}
}

static void
test_scan_agrees_with_translate(void **s)
{
	struct scan sc;
	struct tr t;
	u8 p[4], mark[4];
	int bytes;

	(void)s;
	for (int i = 0; i < 200000; i++) {
		u32 w = word();
		int more = one(w, &t), flags = irflags(), op = last()->op;

		st32(p, w);
		a64_scan(p, 4, PC, &sc);
		int always = (w & 0xff00001e) == 0x5400000e;   /* b.al, b.nv: never on */

		assert_int_equal(sc.len, 4);
		mark[0] = 2;
		int skipped = a64_skip(p, 4, PC, mark, &bytes);
		assert_int_equal(skipped, bytes / 4);
		assert_int_equal(mark[0], bytes ? 3 : 2);
		if (bytes && sc.flow != FLOW_NEXT && op != O_trap)
			fail_msg("%08x: skipped, but flow %d", w, sc.flow);
		if (a64_quiet(p, 4, PC, 1) && !(bytes && sc.flags == PEEK_NONE))
			fail_msg("%08x: quiet, but flags %d", w, sc.flags);
		if (!excl_right(&region, a64_excl(p, 4)))
			fail_msg("%08x: excl %d", w, a64_excl(p, 4));
		if (op == O_trap)                      /* scan need not know what is undefined */
			continue;
		if (!always && more != (sc.flow == FLOW_NEXT || sc.flow == FLOW_COND))
			fail_msg("%08x: flow %d but translate returned %d", w, sc.flow, more);
		/* to say that flags are read where they are not (csel with al) is allowed */
		if (sc.flags != PEEK_END && sc.flags != PEEK_READ && sc.flags != flags)
			fail_msg("%08x: scan says flags %d, IR %d", w, sc.flags, flags);
		if (sc.flow == FLOW_JUMP && !(op == O_jmp && kval(&region, last()->a) == sc.target))
			fail_msg("%08x: jump elsewhere", w);
		if (sc.flow == FLOW_CALL && op == O_call && kval(&region, last()->a) != sc.target)
			fail_msg("%08x: call elsewhere", w);
		if (sc.flow == FLOW_COND && !always && kval(&region, last()[-1].c) != sc.target)
			fail_msg("%08x: branch elsewhere", w);
	}
}

static void
expecttrap(u32 w, enum trap trap, s32 info)
{
	struct tr t;

	assert_int_equal(one(w, &t), 0);
	assert_int_equal(last()->op, O_trap);
	assert_int_equal(last()->v, trap);
	assert_int_equal(last()->imm, info);
}

static void
test_undefined_words_trap(void **s)
{
	static const u32 word[] = {
		0x00000000,                            /* udf #0 */
		0xd69f03e0, 0xd4000002, 0xd4400000,    /* eret, hvc, hlt */
		0xd5380000 | 0x4100 << 3,              /* mrs of a register of EL1 */
		0xd5181000,                            /* msr sctlr_el1 */
		0x9ac03000,                            /* pacga */
		0x04000000,                            /* SVE */
	};

	(void)s;
	for (size_t i = 0; i < NELEM(word); i++)
		expecttrap(word[i], TRAP_UNDEF, (s32)word[i]);
}

static void
test_brk_tells_its_number(void **s)
{
	(void)s;
	expecttrap(0xd4200000 | 1234 << 5, TRAP_BREAK, 1234);
}

static void
test_svc_returns_after_itself(void **s)
{
	struct tr t;

	(void)s;
	assert_int_equal(one(0xd4000001, &t), 0);
	assert_int_equal(last()->op, O_sys);
	assert_int_equal(kval(&region, last()->a), PC + 4);
}

static void
test_bl_and_ret_pair(void **s)
{
	struct tr t;

	(void)s;
	one(0x94000004, &t);                           /* bl .+16 */
	assert_int_equal(last()->op, O_call);
	assert_int_equal(kval(&region, last()->a), PC + 16);
	assert_int_equal(kval(&region, last()->b), PC + 4);
	assert_int_equal(last()[-1].op, O_put);
	assert_int_equal(last()[-1].v, A64_LR);
	one(0xd65f03c0, &t);                           /* ret */
	assert_int_equal(last()->op, O_ret);
	one(0xd65f0120, &t);                           /* ret x9 */
	assert_int_equal(last()->op, O_br);
}

static struct cpu cpu;

/* evaluates one word; the end's kind */
static enum evalend
run(u32 w)
{
	static u64 val[4096];
	struct tr t;
	struct eval e = {.cpu = &cpu, .guest = &guest_aarch64, .val = val};

	one(w, &t);
	e.ins = region.ins;
	e.k = region.k;
	e.first = region.block[0].first;
	e.pc = PC;
	e.stride = eval_stride(region.ins + e.first, region.block[0].n);
	return eval_block(&e, region.block[0].n);
}

static u64 *x(int n) { return a64_state(&cpu, 8 * n); }

static void
test_dc_zva_clears_an_aligned_block(void **s)
{
	static u8 mem[256] __attribute__((aligned(64)));

	(void)s;
	run(0xd53b00e3);                               /* mrs x3, dczid_el0 */
	assert_int_equal(4 << *x(3), 64);
	memset(mem, 0xff, sizeof mem);
	*x(5) = (u64)mem + 64 + 37;
	run(0xd50b7425);                               /* dc zva, x5 */
	for (int i = 0; i < 256; i++)
		assert_int_equal(mem[i], i >= 64 && i < 128 ? 0 : 0xff);
}

static void
test_id_registers_match_hwcaps(void **s)
{
	(void)s;
	run(0xd5380600);                               /* mrs x0, id_aa64isar0_el1 */
	assert_int_equal(*x(0) >> 20 & 15, 2);         /* atomics */
	assert_true(a64_hwcap(1) & 1 << 8);
	assert_int_equal(*x(0) >> 16 & 15, 1);         /* crc32 */
	run(0xd5380660);                               /* id_aa64isar3, unknown: reads as 0 */
	assert_int_equal(*x(0), 0);
	run(0xd5380000);                               /* midr */
	assert_int_equal(*x(0), 0x413fd0c1);
	assert_true(a64_hwcap(1) & 1 << 11);           /* cpuid */
}

static void
test_fpcr_and_fpsr_keep_what_exists(void **s)
{
	(void)s;
	*x(1) = ~(u64)0;
	assert_int_equal(run(0xd51b4401), EVAL_LEFT);  /* msr fpcr, x1: code is looked up anew */
	assert_int_equal(cpu.why, WHY_FLUSH);
	run(0xd53b4402);                               /* mrs x2, fpcr */
	assert_int_equal(*x(2), FPCR_MASK);
	assert_int_equal(guest_aarch64.mode(&cpu), FPCR_MODE);
	run(0xd51b4421);                               /* msr fpsr, x1 */
	run(0xd53b4422);                               /* mrs x2, fpsr */
	assert_int_equal(*x(2), 0x0800009f);
	*x(1) = 0;
	run(0xd51b4421);
	run(0xd53b4422);
	assert_int_equal(*x(2), 0);
	run(0xd51b4401);
}

static void
test_counter_runs(void **s)
{
	u64 a;

	(void)s;
	run(0xd53be040);                               /* mrs x0, cntvct_el0 */
	a = *x(0);
	run(0xd53be040);
	assert_true(*x(0) > a && *x(0) - a < 1000000000);
	run(0xd53be000);                               /* cntfrq_el0 */
	assert_int_equal(*x(0), 1000000000);
}

static void
test_unaligned_pc_and_exclusives_trap(void **s)
{
	static u64 mem[2];

	(void)s;
	*x(1) = (u64)mem + 1;
	assert_int_equal(run(0xc85f7c20), EVAL_LEFT);  /* ldxr x0, [x1] */
	assert_int_equal(cpu.why, WHY_TRAP);
	assert_int_equal(cpu.trap, TRAP_ALIGN);
}

static void
test_store_exclusive_needs_the_monitor(void **s)
{
	static u64 mem = 5;

	(void)s;
	*x(1) = (u64)&mem;
	*x(2) = 6;
	run(0xd503335f);                               /* clrex */
	run(0xc8007c22);                               /* stxr w0, x2, [x1] */
	assert_int_equal(*x(0), 1);
	assert_int_equal(mem, 5);
	run(0xc85f7c23);                               /* ldxr x3, [x1] */
	run(0xc8007c22);
	assert_int_equal(*x(0), 0);
	assert_int_equal(mem, 6);
	run(0xc8007c22);
	assert_int_equal(*x(0), 1);
}

/* the sequence of a compare and swap, or of a pop from a list, of which only the first word is at hand with it, and much
 * to be looked at behind */
static u8 sequence[4 * 100];

static const u8 *
insequence(void *env, gaddr pc, int *n)
{
	(void)env;
	*n = pc >= PC && pc < PC + sizeof sequence ? 4 : 0;
	return sequence + (pc - PC) % sizeof sequence;
}

static void
test_who_relies_on_what_it_reads_runs_alone(void **s)
{
	static const u32 between[] = {0x8b000001 /* add x1, x0, x0 */, 0xf9400001 /* ldr x1, [x0] */};

	(void)s;
	for (int reads = 0; reads < 2; reads++) {
		struct tr t = {.r = &region, .pc = PC, .p = sequence, .n = 4, .code = insequence};

		for (size_t i = 0; i < sizeof sequence; i += 4)
			st32(sequence + i, between[0]);
		st32(sequence, 0xc85ffc60);            /* ldaxr x0, [x3] */
		st32(sequence + 4, 0xb4000060);        /* cbz x0, .+12 */
		st32(sequence + 8, between[reads]);
		st32(sequence + 12, 0xc802fc61);       /* stlxr w2, x1, [x3] */
		region_init(&region, &guest_aarch64, PC, 0);
		ir_block(&region, PC);
		assert_int_equal(a64_translate(&t), !reads);
		assert_int_equal(last()->op == O_trap && last()->v == TRAP_ALONE, reads);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_word_gives_sound_ir),
		cmocka_unit_test(test_scan_agrees_with_translate),
		cmocka_unit_test(test_undefined_words_trap),
		cmocka_unit_test(test_brk_tells_its_number),
		cmocka_unit_test(test_svc_returns_after_itself),
		cmocka_unit_test(test_bl_and_ret_pair),
		cmocka_unit_test(test_dc_zva_clears_an_aligned_block),
		cmocka_unit_test(test_id_registers_match_hwcaps),
		cmocka_unit_test(test_fpcr_and_fpsr_keep_what_exists),
		cmocka_unit_test(test_counter_runs),
		cmocka_unit_test(test_unaligned_pc_and_exclusives_trap),
		cmocka_unit_test(test_store_exclusive_needs_the_monitor),
		cmocka_unit_test(test_who_relies_on_what_it_reads_runs_alone),
	};

	return cmocka_run_group_tests(tests, setup, 0);
}
