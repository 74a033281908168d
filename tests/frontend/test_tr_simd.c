/* SPDX-License-Identifier: MIT */
/* test_tr_simd.c - what the translator makes of FP and SIMD words: sound IR for any word, and the
 * effect of every line of simd.isa as tests/insn/arm64/simd.txt has it from another emulator
 *
 * DRAGOMAN_SEED=n repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>
#include "a64run.h"
#include "a64state.h"
#include "arm64/simd.h"

enum { LO = 0x100000, HI = 0x2000000, PC = LO };
static struct region region;

static int
setup(void **unused)
{
	const char *s = getenv("DRAGOMAN_SEED");
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE;

	(void)unused;
	rng = s ? strtoull(s, 0, 0) : (u64)time(0) * 2654435761u | 1;
	printf("DRAGOMAN_SEED=%llu\n", (unsigned long long)rng);
	return mmap((void *)LO, HI - LO, PROT_READ | PROT_WRITE, flags, -1, 0) != (void *)LO;
}

/* translates one word into a block of its own; as translate returns */
static int
one(u32 w)
{
	u8 p[4];
	struct tr t = {.r = &region, .pc = PC, .p = p, .n = 4};
	const char *wrong;

	st32(p, w);
	region_init(&region, &guest_aarch64, PC, 0);
	ir_block(&region, PC);
	int more = a64_translate(&t);
	if (more)
		tr_jmp(&t, t.pc);
	if ((wrong = ir_verify(&region)))
		fail_msg("%08x: %s", w, wrong);
	return more;
}

static void
test_every_line_gives_sound_ir(void **s)
{
	struct a64v_insn a;

	(void)s;
	for (int id = 1; id < a64v_COUNT; id++)
		for (int i = 0; i < 300; i++) {
			u32 w = a64v_random(id, rnd());

			if (one(w) != !!a64v_decode(w, &a))
				fail_msg("%08x (%s): defined, or undefined, but not translated so", w,
				         a64v_name[id]);
		}
}

static void
test_any_word_gives_sound_ir(void **s)
{
	(void)s;
	for (int i = 0; i < 200000; i++)
		one(rnd() | 3 << 26);
}

/* nothing that the table does not know to touch flags does */
static void
test_scan_knows_the_flags(void **s)
{
	(void)s;
	for (int id = 1; id < a64v_COUNT; id++) {
		u32 w = a64v_random(id, rnd());
		struct a64v_insn a;
		struct scan scan;
		int reads = 0, writes = 0;

		if (a64v_decode(w, &a) != id)
			continue;
		one(w);
		for (int k = 1; k < region.nins; k++) {
			reads |= region.ins[k].op == O_get && region.ins[k].v == A64_NZCV;
			writes |= region.ins[k].op == O_put && region.ins[k].v == A64_NZCV;
		}
		simd_scan(w, &scan);
		assert_int_equal(scan.flow, FLOW_NEXT);
		if (reads)
			assert_int_equal(scan.flags, PEEK_READ);
		else if (scan.flags == PEEK_READ)      /* condition "always" reads nothing */
			assert_true((w >> 12 & 15) >= 14);
		else
			assert_int_equal(scan.flags, writes ? PEEK_WRITE : PEEK_NONE);
	}
}

/* -- effects -- */

static void
tocpu(struct cpu *cpu, const struct state *s, gaddr at)
{
	u64 fl = s->nzcv;

	guest_aarch64.reset(cpu);
	cpu->guest = &guest_aarch64;
	for (int i = 0; i < 32; i++)
		memcpy(a64_vreg(cpu, i), s->v[i], 16);
	memcpy(a64_state(cpu, guest_aarch64.reg[A64_X0].off), s->x, sizeof s->x);
	*a64_state(cpu, guest_aarch64.reg[A64_X0 + 30].off) = at;
	*a64_state(cpu, A64_OFF_FPCR) = s->fpcr;
	*a64_state(cpu, guest_aarch64.reg[A64_SP].off) = s->x[ALIGNED];
	*a64_state(cpu, guest_aarch64.reg[A64_NZCV].off) = (fl >> 31 & 1 ? FL_N : 0) |
	    (fl >> 30 & 1 ? FL_Z : 0) | (fl >> 29 & 1 ? FL_C : 0) | (fl >> 28 & 1 ? FL_V : 0);
	cpu->pc = PC;
}

static void
fromcpu(struct state *s, struct cpu *cpu)
{
	u64 fl = *a64_state(cpu, guest_aarch64.reg[A64_NZCV].off);

	for (int i = 0; i < 32; i++)
		memcpy(s->v[i], a64_vreg(cpu, i), 16);
	memcpy(s->x, a64_state(cpu, guest_aarch64.reg[A64_X0].off), sizeof s->x);
	s->nzcv = (u64)((fl & FL_N ? 8 : 0) | (fl & FL_Z ? 4 : 0) | (fl & FL_C ? 2 : 0) |
	                (fl & FL_V ? 1 : 0)) << 28;
	s->fpsr = *a64_state(cpu, A64_OFF_FPSR);
}

/* one line of the file; whether our effect is the same */
static int
effect(const char *text)
{
	static struct cpu cpu;
	struct state old = {0}, new;
	unsigned long long seed, at;
	char ours[4000];
	unsigned w;
	int n = 0;

	if (sscanf(text, "%x %llx %llx%n", &w, &seed, &at, &n) != 3)
		fail_msg("bad line: %s", text);
	fill(&old, at, seed);
	assert_in_range(at, LO + 4096, HI - sizeof old);
	memcpy((void *)at, &old, sizeof old);
	st32((void *)PC, w);
	tocpu(&cpu, &old, at);
	const char *wrong = a64run(&cpu, PC + 4);
	if (wrong || cpu.why != WHY_NEXT)
		fail_msg("%s: %s", text, wrong ? wrong : "left");
	memcpy(&new, (void *)at, sizeof new);
	fromcpu(&new, &cpu);
	describe(&old, &new, ours, sizeof ours);
	size_t len = strlen(ours);
	if (!strncmp(text + n, ours, len) && text[n + (int)len] == ' ')
		return 1;
	printf("%sours:%s\n", text, ours);
	return 0;
}

static void
test_effects_are_those_recorded(void **s)
{
	FILE *f = fopen("tests/insn/arm64/simd.txt", "r");
	char text[4000];
	int n = 0, bad = 0;

	(void)s;
	if (!f)
		f = fopen("../tests/insn/arm64/simd.txt", "r");
	assert_non_null(f);
	while (fgets(text, sizeof text, f))
		if (*text != '#') {
			n++;
			bad += !effect(text);
		}
	fclose(f);
	assert_true(n > 1000);
	assert_int_equal(bad, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line_gives_sound_ir),
		cmocka_unit_test(test_any_word_gives_sound_ir),
		cmocka_unit_test(test_scan_knows_the_flags),
		cmocka_unit_test(test_effects_are_those_recorded),
	};

	return cmocka_run_group_tests(tests, setup, 0);
}
