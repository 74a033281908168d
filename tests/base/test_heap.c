/* SPDX-License-Identifier: MIT */
/* test_heap.c - a process that shares the memory is killed at each instruction of an allocation; the heap stays sound */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/lock.h"
#include "base/util.h"

enum { LIVE = 60, AFTER = 60, STACK = 64 << 10, STEPS = 5000, BIGGEST = 300 << 10 };

static struct piece { u8 *p; u32 n; } live[LIVE + AFTER];
static int nlive;
static u32 seed = 1;

static u32
chance(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
take(u32 n)
{
	struct piece *l = &live[nlive++];

	*l = (struct piece){ malloc(n), n };
	assert_non_null(l->p);
	memset(l->p, nlive, n);
}

/* Nobody has written to what somebody else has. */
static void
check(void)
{
	for (int i = 0; i < nlive; i++)
		for (u32 k = 0; k < live[i].n; k++)
			if (live[i].p[k] != (u8)(i + 1))
				fail_msg("piece %d of %u bytes has changed at %u", i, live[i].n, k);
}

static void
drop(int upto)
{
	while (nlive > upto)
		free(live[--nlive].p);
}

/* -- what is done while being killed -- */

static struct { u32 *v; int n, cap; } list;
static void *spare[2];
static void *volatile got;             /* or the compiler leaves the call out */
static struct arena arena;

static void do_small(void) { got = malloc(40); }
static void do_zeroed(void) { got = calloc(3, 100); }
static void do_big(void) { free(got = malloc(BIGGEST)); }
static void do_free(void) { free(spare[0]); free(spare[1]); }
static void do_larger(void) { spare[0] = realloc(spare[0], 600); }
static void do_grow(void) { grow(&list.v, list.n, &list.cap, sizeof *list.v); }
static void do_chunk(void) { for (int i = 0; i < 5; i++) got = malloc(200 << 10); }
static void do_arena(void) { got = arena_get(&arena, 60000); got = arena_get(&arena, 60000); }
static void do_aligned(void) { free(got = aligned_alloc(256, 1000)); }

static void (*const work[])(void) = { do_small, do_zeroed, do_big, do_free, do_larger, do_grow, do_chunk, do_arena, do_aligned };

/* -- the killed -- */

static int steps, last;

static void
on_step(int sig)
{
	(void)sig;
	if (++steps == last)
		kill(getpid(), SIGKILL);
}

/* The trap flag: a SIGTRAP after each instruction (SDM 18.3.1.4). */
static void
stepping(int on)
{
#ifdef __x86_64__
	if (on)
		__asm__ volatile("pushfq\n\torq $256, (%%rsp)\n\tpopfq" : : : "memory", "cc");
	else
		__asm__ volatile("pushfq\n\tandq $~256, (%%rsp)\n\tpopfq" : : : "memory", "cc");
#endif
}

static int
child(void *f)
{
	lock_newname(0);
	steps = 0;
	stepping(1);
	((void (*)(void))f)();
	stepping(0);
	_exit(0);
}

static void
prepare(void)
{
	nlive = 0;
	for (int i = 0; i < LIVE; i++)
		take(1 + chance(chance(8) ? 300 : 20000));
	for (int i = 0; i < 2; i++)
		spare[i] = malloc(100 + 100 * (u32)i);
	list.n = list.cap = 0;
	for (u32 i = 0; i < 16; i++) {
		grow(&list.v, list.n, &list.cap, sizeof *list.v);
		list.v[list.n++] = i;
	}
}

static void
inspect(void)
{
	check();
	for (int i = 0; i < AFTER; i++)
		take(i % 3 ? 1 + chance(400) : 40);
	assert_true(list.cap >= list.n);
	for (u32 i = 0; i < (u32)list.cap - (u32)list.n; i++)
		list.v[(u32)list.n + i] = i;
	for (u32 i = 0; i < 16; i++)
		assert_int_equal(list.v[i], i);
	check();
	free(list.v);
	list.v = 0;
	memset(arena_get(&arena, 60000), 0xff, 60000);
	memset(&arena, 0, sizeof arena);
	drop(0);
}

/* 1 if it came to its end. */
static int
run(void (*f)(void), u8 *stack)
{
	u32 name = lock_name();
	int status;
	pid_t pid;

	prepare();
	pid = clone(child, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)f);
	assert_true(pid > 0);
	lock_again(name);
	heap_fork(3);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	inspect();
	return WIFEXITED(status);
}

static void
test_heap_survives_a_kill_at_any_instruction(void **state)
{
	u8 *stack = mmap(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	signal(SIGTRAP, on_step);
	last = -1;
	for (size_t i = 0; i < NELEM(work); i++)       /* what they call is found once */
		run(work[i], stack);
	for (size_t i = 0; i < NELEM(work); i++)
		for (last = 1; last < STEPS; last++)
			if (run(work[i], stack)) {
				assert_true(last > 20);
				break;
			}
	munmap(stack, STACK);
}

/* -- what else a heap must do -- */

static void
test_alignment_and_sizes(void **state)
{
	(void)state;
	for (size_t n = 0; n < 3000; n++) {
		u8 *p = malloc(n), *q = calloc(n, 1), *r;

		assert_true(((uintptr_t)p | (uintptr_t)q) % 16 == 0);
		memset(p, 0xff, n);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(q[k], 0);
		r = realloc(p, 2 * n + 1);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(r[k], 0xff);
		free(q);
		free(r);
	}
	for (size_t a = 8; a <= 65536; a *= 2) {
		u8 *p = aligned_alloc(a, 100);

		assert_true((uintptr_t)p % a == 0);
		memset(p, 1, 100);
		p = realloc(p, 1000);
		assert_int_equal(p[99], 1);
		free(p);
	}
}

static void
test_impossible_sizes_are_refused(void **state)
{
	volatile size_t most = SIZE_MAX;

	(void)state;
	assert_null(malloc(most));
	assert_null(malloc(most / 2));
	assert_null(calloc(most / 2, 3));
	assert_null(aligned_alloc(4096, most / 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heap_survives_a_kill_at_any_instruction),
		cmocka_unit_test(test_alignment_and_sizes),
		cmocka_unit_test(test_impossible_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
