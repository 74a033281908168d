/* SPDX-License-Identifier: MIT */
/* test_frame.c - a signal frame of every guest: all registers come back, wherever it lies */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>
#include "base/gmem.h"
#include "threads/thread.h"

static struct cpu *cpu;
static gaddr top;
static u64 rng;

static u64
rnd(void)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return rng ^ rng >> 29;
}

/* Registers whose whole width is the program's to choose. */
static int
isplain(const struct guest *g, int v)
{
	const struct reg *r = &g->reg[v];

	return v != g->pc_reg && r->kind != REG_FLAGS &&
	       (r->kind == REG_INT ? !strcmp(r->group, "cpu") : !strcmp(r->group, "fpu") || !strcmp(r->group, "vector"));
}

static void
fill(const struct guest *g)
{
	for (int v = 0; v < g->nreg; v++)
		for (int i = 0; isplain(g, v) && i < g->reg[v].bits / 8; i += 8)
			if (g->reg[v].bits >= 64 && strcmp(g->reg[v].name, "zero") && v != g->tls)
				st64(cpu->state + g->reg[v].off + i, rnd());
	guest_put(cpu, g->sp, top - 4096 - (rnd() & 0xff0));
	cpu->pc = rnd() & 0xfffffff0;
}

static void
roundtrip(const struct guest *g)
{
	struct sigframe f = { .sig = 11, .flags = SA_SIGINFO, .handler = 0x1234560, .mask = rnd(),
		.trampoline = 0x9990, .stack = { 0x1000, 0x2000, 2 } };
	struct sigframe back;
	u8 before[CPU_STATE];
	u64 pc;

	memset(&back, 0, sizeof back);        /* padding is compared too */
	fill(g);
	memcpy(before, cpu->state, sizeof before);
	pc = cpu->pc;
	f.sp = guest_get(cpu, g->sp);
	for (size_t i = 0; i < sizeof f.info; i++)
		f.info[i] = (u8)rnd();
	assert_int_equal(g->abi->push(cpu, &f), 0);
	assert_int_equal(cpu->pc, 0x1234560);
	assert_int_equal(guest_get(cpu, g->sp) % 16, 0);
	assert_true(guest_get(cpu, g->sp) < f.sp);
	assert_int_equal(guest_get(cpu, g->abi->arg[0]), 11);
	assert_memory_equal(g2h(guest_get(cpu, g->abi->arg[1])), f.info, 128);
	if (g->link != 0xff)
		assert_int_equal(guest_get(cpu, g->link), 0x9990);
	for (int v = 0; v < g->nreg; v++)      /* the handler uses all registers */
		if (isplain(g, v) && v != g->sp && v != g->tls && strcmp(g->reg[v].name, "zero"))
			memset(cpu->state + g->reg[v].off, 0xa5, g->reg[v].bits / 8);
	assert_int_equal(g->abi->pop(cpu, &back), 0);
	assert_int_equal(cpu->pc, pc);
	assert_true(back.mask == f.mask);
	assert_memory_equal(&back.stack, &f.stack, sizeof f.stack);
	for (int v = 0; v < g->nreg; v++)
		if (isplain(g, v))
			assert_memory_equal(cpu->state + g->reg[v].off, before + g->reg[v].off,
					    g->reg[v].bits / 8);
}

static void
test_registers_come_back(void **state)
{
	(void)state;
	rng = getenv("SEED") ? strtoull(getenv("SEED"), 0, 0) : (u64)time(0);
	printf("SEED=%llu\n", (unsigned long long)rng);
	for (const struct guest *const *g = guests; *g; g++) {
		memset(cpu->state, 0, sizeof cpu->state);
		(*g)->reset(cpu);
		cpu->guest = *g;
		for (int i = 0; i < 200; i++)
			roundtrip(*g);
	}
}

static void
test_damaged_frames_do_no_harm(void **state)
{
	(void)state;
	for (const struct guest *const *g = guests; *g; g++) {
		struct sigframe f = { .sig = 10, .handler = 0x1000 }, back;

		memset(cpu->state, 0, sizeof cpu->state);
		(*g)->reset(cpu);
		cpu->guest = *g;
		for (int i = 0; i < 2000; i++) {
			gaddr sp;

			guest_put(cpu, (*g)->sp, top - 4096);
			f.sp = top - 4096;
			assert_int_equal((*g)->abi->push(cpu, &f), 0);
			sp = guest_get(cpu, (*g)->sp);
			for (int k = 0; k < 4; k++)
				*(u8 *)g2h(sp + rnd() % 1100) = (u8)rnd();
			(*g)->abi->pop(cpu, &back);
		}
		/* no stack at all */
		f.sp = 0x100;
		assert_int_equal((*g)->abi->push(cpu, &f), -EFAULT);
		guest_put(cpu, (*g)->sp, 0xffffffffffff0000);
		assert_int_equal((*g)->abi->pop(cpu, &back), -EFAULT);
	}
}

static int
setup(void **state)
{
	(void)state;
	gmem_init(guests[0]->space, 4096);
	cpu = mmap(0, sizeof *cpu, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	top = (gaddr)gmem_map(0, 1 << 16, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, 0) + (1 << 16);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(test_registers_come_back),
		cmocka_unit_test(test_damaged_frames_do_no_harm),
	};
	return cmocka_run_group_tests(t, setup, 0);
}
