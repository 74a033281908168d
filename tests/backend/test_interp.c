/* SPDX-License-Identifier: MIT */
/* test_interp.c - the interpreter as the engine sees it: compile, enter, faults, kill, safe points */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "../ir/fake.h"
#include "base/host.h"

static struct region r;
static struct out out;
static u8 code[1 << 16] __attribute__((aligned(64)));
static struct cpu cpu;
static const struct host *const host = &host_interp;

static void
compile(const char *text)
{
	char err[200];

	region_init(&r, &fake_guest, 0, 0);
	if (ir_parse(&r, text, err, sizeof err))
		fail_msg("%s", err);
	const char *e = ir_verify(&r);
	if (e)
		fail_msg("%s", e);
	out.code = code;
	out.end = code + sizeof code;
	assert_int_equal(host->compile(&r, &out), 0);
	assert_true(out.size <= sizeof code);
	memset(&cpu, 0, sizeof cpu);
	memset(cpu.jc, 0xff, sizeof cpu.jc);
	cpu.guest = &fake_guest;
	cpu_self = &cpu;
}

static u64 x(int n) { return ld64(cpu.state + fake_reg[X0 + n].off); }
static void setx(int n, u64 v) { st64(cpu.state + fake_reg[X0 + n].off, v); }

static void
enter(int n)
{
	cpu.running = 1;
	host->enter(&cpu, code + out.entry[n].off);
	cpu.running = 0;
}

static const char loop[] =
	"block 0x100 entry target\n"
	"\tinsn 0x100\n\tt1 = get i64 x0\n\tt2 = get i64 x1\n\tt3 = add i64 t1, t2\n\tput i64 x0, t3\n"
	"\tinsn 0x104\n\tt4 = sub i64 t2, 0x1\n\tput i64 x1, t4\n\tbrc.ne i64 t4, 0x0, 0x100\n\tjmp n 0x108\n"
	"block 0x108 target\n"
	"\tinsn 0x108\n\tput i64 x2, 0x77\n\tsys n 0x10c\n";

static void
test_a_loop_runs_to_its_system_call(void **state)
{
	(void)state;
	compile(loop);
	assert_int_equal(out.nentry, 2);
	setx(1, 1000);
	enter(0);
	assert_int_equal(x(0), 500500);
	assert_int_equal(x(2), 0x77);
	assert_int_equal(cpu.why, WHY_CALL);
	assert_int_equal(cpu.pc, 0x10c);
}

static void
test_poll_stops_a_loop_at_a_block(void **state)
{
	(void)state;
	compile(loop);
	setx(1, 1000);
	cpu.poll = CPU_ASKED;
	enter(0);
	assert_int_equal(cpu.why, WHY_POLL);
	assert_int_equal(cpu.pc, 0x100);
	assert_int_equal(x(1), 999);
	cpu.poll = 0;
	enter(0);
	assert_int_equal(x(0), 500500);
}

static void
test_a_killed_block_leaves(void **state)
{
	(void)state;
	compile(loop);
	setx(1, 10);
	host->kill(code, &out.entry[1]);
	enter(0);
	assert_int_equal(cpu.why, WHY_FLUSH);
	assert_int_equal(cpu.pc, 0x108);
	assert_int_equal(x(0), 55);
	assert_int_equal(x(2), 0);
}

static void
test_exits_go_through_the_jump_cache(void **state)
{
	(void)state;
	compile("block 0x100\n\tinsn 0x100\n\tput i64 x0, 0x1\n\tjmp n 0x500\n");
	enter(0);
	assert_int_equal(cpu.why, WHY_NEXT);
	assert_int_equal(cpu.pc, 0x500);
	compile("block 0x100\n\tinsn 0x100\n\tt1 = get i64 x0\n\tret i64 t1\nblock 0x200\n\tinsn 0x200\n\ttrap.break n imm=5\n");
	setx(0, 0x900);
	jc_init(&cpu);
	cpu.jc[jc_index(&cpu, 0x900)].pc = 0x900;
	cpu.jc[jc_index(&cpu, 0x900)].code = code + out.entry[1].off;
	enter(0);
	assert_int_equal(cpu.why, WHY_TRAP);
	assert_int_equal(cpu.trap, TRAP_BREAK);
	assert_int_equal(cpu.trapinfo, 5);
	assert_int_equal(cpu.pc, 0x200);
}

/* -- faults, as core/fault.c treats them -- */

static struct { u64 at; int write; u64 addr; } seen;

static void
handler(int sig, siginfo_t *si, void *uc)
{
	u64 at = host->context_pc(uc);
	gaddr pc = 0;

	(void)sig;
	if (at < (u64)(uintptr_t)code || at >= (u64)(uintptr_t)code + out.size)
		abort();
	for (int i = 0; i < out.nmap && (u64)(uintptr_t)code + out.map[i].off <= at; i++)
		pc = r.pc + out.map[i].pcoff;
	seen.at = (u64)(uintptr_t)si->si_addr;
	seen.write = host->context_write(uc);
	seen.addr = host->context_addr(uc);
	host->unwind(uc, &cpu, WHY_FAULT, pc);
}

static void
test_a_fault_leaves_with_precise_state(void **state)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO }, old;
	u8 *page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	sigaction(SIGSEGV, &sa, &old);
	for (int round = 0; round < 3; round++) {
		compile("block 0x100\n\tinsn 0x100\n\tput i64 x1, 0x1\n\tt1 = get i64 x0\n"
		        "\tinsn 0x104\n\tput i64 x1, 0x2\n\tst i32 t1, _, 0x5 imm=8\n\tput i64 x1, 0x3\n"
		        "\tinsn 0x108\n\tput i64 x1, 0x4\n\tjmp n 0x200\n");
		setx(0, (u64)(uintptr_t)page);
		enter(0);
		assert_int_equal(cpu.why, WHY_FAULT);
		assert_int_equal(cpu.pc, 0x104);
		assert_int_equal(x(1), 2);
		assert_int_equal(seen.at, (u64)(uintptr_t)page + 8);
		assert_int_equal(seen.addr, (u64)(uintptr_t)page + 8);
		assert_int_equal(seen.write, 1);
	}
	compile("block 0x100\n\tinsn 0x100\n\tt1 = get i64 x0\n\tt2 = add i64 t1, t1\n\tt3 = ld i32 t2 imm=4 aux=0x800\n"
	        "\tput i64 x1, t3\n\tjmp n 0x200\n");
	setx(0, (u64)(uintptr_t)page / 2);
	enter(0);
	assert_int_equal(cpu.why, WHY_FAULT);
	assert_int_equal(x(1), (u64)(uintptr_t)page);
	compile("block 0x100\n\tinsn 0x100\n\tt1 = ld i64 0x8000000000000000\n\tput i64 x1, t1\n\tjmp n 0x200\n");
	enter(0);
	assert_int_equal(cpu.why, WHY_FAULT);
	assert_int_equal(seen.write, 0);
	assert_int_equal(seen.addr, (u64)1 << 63);
	sigaction(SIGSEGV, &old, 0);
	munmap(page, 4096);
}

static void
test_no_space_is_told(void **state)
{
	(void)state;
	compile(loop);
	out.end = code + out.size - 16;
	assert_true(host->compile(&r, &out) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_loop_runs_to_its_system_call),
		cmocka_unit_test(test_poll_stops_a_loop_at_a_block),
		cmocka_unit_test(test_a_killed_block_leaves),
		cmocka_unit_test(test_exits_go_through_the_jump_cache),
		cmocka_unit_test(test_a_fault_leaves_with_precise_state),
		cmocka_unit_test(test_no_space_is_told),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
