/* SPDX-License-Identifier: MIT */
/* test_x86_death.c - a vfork child is killed while it makes code, which it does with its parent's memory: what the
 * parent makes next is what it would be
 *
 * Death comes at a byte of the code, which cannot be written, or after a number of the host's instructions: SIGTRAP
 * comes after each. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "base/host.h"
#include "base/util.h"
#include "form.h"

enum { AREA = 1 << 20, PC = 0x10000 };

extern const struct guest guest_riscv64;

/* A loop in which puts are sunk and variables lodged: that of riscv.txt. */
static const u32 loop[] = {0x00054303, 0x00154383, 0x00254e03, 0x00354e83, 0x00839393, 0x010e1e13, 0x018e9e93,
	0x00736333, 0x01de6e33, 0x01c36333, 0x006c8cb3, 0x00450513, 0xfcb518e3};
/* Stores that are made one, and between them variables that are put. */
static const u32 stores[] = {0x00013823, 0x02000313, 0x00000793, 0x00610a23, 0x00000893, 0x01010313, 0x00000813,
	0x00013c23, 0x02013023, 0x00613423};

static u8 *area, *code_at, *want;
static u32 size;
static struct out out;
static struct region region;
static sigjmp_buf killed;
static volatile int left;

static void onwall(int sig) { siglongjmp(killed, sig); }

static void
onstep(int sig)
{
	if (!--left)
		siglongjmp(killed, sig);
}

/* The trap flag is turned over, below the red zone. */
static inline void
step(void)
{
	__asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; xorq $0x100, (%%rsp); popfq; lea 128(%%rsp), %%rsp"
	    ::: "memory", "cc");
}

static void
passes(void)
{
	ir_wide(&region);
	ir_dead(&region, dead, 0);
}

static void
emit(u8 *code)
{
	out.code = code;
	out.end = area + AREA;
	assert_int_equal(host_x86_64.compile(&region, &out), 0);
}

static void
make(const u32 *words, size_t n, u8 *code)
{
	form(&region, &guest_riscv64, PC, words, n);
	passes();
	emit(code);
}

static void
begin(const u32 *words, size_t n)
{
	make(words, n, code_at);
	size = out.size;
	want = realloc(want, size);
	memcpy(want, code_at, size);
}

/* After a death it comes out as ever. */
static void
again(const u32 *words, size_t n)
{
	make(words, n, code_at);
	assert_int_equal(out.size, size);
	assert_memory_equal(code_at, want, size);
}

static void
test_killed_at_a_byte(void **state)
{
	const struct sigaction dies = {.sa_handler = onwall, .sa_flags = SA_NODEFER};
	u8 *wall = area + AREA / 2;

	(void)state;
	begin(loop, sizeof loop);
	assert_int_equal(mprotect(wall, 4096, PROT_NONE), 0);
	sigaction(SIGSEGV, &dies, 0);
	for (volatile u32 n = 1; n < size; n++) {
		if (!sigsetjmp(killed, 1)) {
			make(loop, sizeof loop, wall - n);
			fail_msg("not killed at byte %u", n);
		}
		again(loop, sizeof loop);
	}
	signal(SIGSEGV, SIG_DFL);
	assert_int_equal(mprotect(wall, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
}

enum stage { FORM, PASSES, EMIT };

static void
stage(enum stage k, const u32 *words, size_t n)
{
	if (k == FORM)
		form(&region, &guest_riscv64, PC, words, n);
	else if (k == PASSES)
		passes();
	else
		emit(code_at);
}

/* Kills once in `some` instructions of this stage. */
static void
steps(const u32 *words, size_t n, int some, enum stage in)
{
	const struct sigaction dies = {.sa_handler = onstep, .sa_flags = SA_NODEFER};
	volatile int at, deaths = 0;

	begin(words, n);
	sigaction(SIGTRAP, &dies, 0);
	for (at = 1;; at += 1 + rand() % (2 * some)) {
		for (enum stage k = FORM; k < in; k++)
			stage(k, words, n);
		left = at;
		if (!sigsetjmp(killed, 1)) {
			step();
			stage(in, words, n);
			step();
			break;
		}
		deaths++;
		again(words, n);
	}
	signal(SIGTRAP, SIG_DFL);
	assert_true(deaths > 5);
}

static void test_killed_in_the_frontend(void **s) { (void)s; steps(stores, sizeof stores, 30, FORM); }
static void test_killed_in_the_frontend_at_a_loop(void **s) { (void)s; steps(loop, sizeof loop, 40, FORM); }
static void test_killed_in_a_pass(void **s) { (void)s; steps(stores, sizeof stores, 30, PASSES); }
static void test_killed_in_a_pass_over_a_loop(void **s) { (void)s; steps(loop, sizeof loop, 400, PASSES); }
static void test_killed_in_the_emitter(void **s) { (void)s; steps(stores, sizeof stores, 800, EMIT); }
static void test_killed_in_the_emitter_of_a_loop(void **s) { (void)s; steps(loop, sizeof loop, 3000, EMIT); }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_at_a_byte),
		cmocka_unit_test(test_killed_in_the_frontend),
		cmocka_unit_test(test_killed_in_the_frontend_at_a_loop),
		cmocka_unit_test(test_killed_in_a_pass),
		cmocka_unit_test(test_killed_in_a_pass_over_a_loop),
		cmocka_unit_test(test_killed_in_the_emitter),
		cmocka_unit_test(test_killed_in_the_emitter_of_a_loop),
	};
	const char *seed = getenv("CHECK_SEED");

	srand(seed ? (unsigned)strtoul(seed, 0, 0) : 1);
	area = mmap((void *)0x300000000000, AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (area == MAP_FAILED)
		return 1;
	code_at = area + host_x86_64.init("", area, area + AREA);
	code_at = (u8 *)alignup((uintptr_t)code_at, 64);
	host_x86_64.guest(&guest_riscv64);
	return cmocka_run_group_tests(tests, 0, 0);
}
