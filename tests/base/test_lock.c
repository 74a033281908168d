/* SPDX-License-Identifier: MIT */
/* test_lock.c - a lock is one thread's at a time, and is inherited from who is gone */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/lock.h"

enum { STEPS = 100000, THREADS = 4, STACK = 1 << 16 };

static struct lock lock;
static u32 count, spoilt;
static volatile int started;

static void *
counting(void *arg)
{
	for (int i = 0; i < STEPS; i++) {
		lock_take(&lock);
		count++;
		lock_give(&lock);
	}
	return arg;
}

static void
test_a_lock_is_one_threads_at_a_time(void **unused)
{
	pthread_t t[THREADS];

	(void)unused;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], 0, counting, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], 0);
	assert_int_equal(count, STEPS * THREADS);
	assert_int_equal(lock_try(&lock), 1);
	assert_int_equal(lock_try(&lock), 0);
	lock_give(&lock);
}

static void inherited(void) { spoilt++; }

/* What a vfork child does: it uses its parent's thread-local storage, and ends with the lock. */
static int
vforked(void *arg)
{
	lock_newname(getppid() != *(int *)arg);
	lock_take(&lock);
	_exit(0);
}

static void
test_the_parent_inherits(void **unused)
{
	static u8 stack[STACK] __attribute__((aligned(16)));
	u32 name = lock_name();
	int me = getpid(), status;

	(void)unused;
	lock.inherited = inherited;
	spoilt = 0;
	assert_int_equal(lock_inherit(&lock), 0);      /* free */
	waitpid(clone(vforked, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, &me), &status, 0);
	lock_again(name);
	assert_int_equal(lock_inherit(&lock), 1);
	assert_int_equal(spoilt, 1);
	lock_give(&lock);
	assert_int_equal(lock_inherit(&lock), 0);
	assert_int_equal(lock_name(), name);
}

static int
holding(void *arg)
{
	(void)arg;
	lock_newname(0);
	lock_take(&lock);
	started = 1;
	while (started)
		pause();
	return 0;
}

static void *taking(void *arg) { lock_take(&lock); lock_give(&lock); return arg; }

/* A living owner is waited for, one that was killed is not, even while his parent has not waited for him. */
static void
test_who_waits_inherits(void **unused)
{
	static u8 stack[STACK] __attribute__((aligned(16)));
	u32 name = lock_name();
	pthread_t t;
	int pid, status;

	(void)unused;
	spoilt = started = 0;
	pid = clone(holding, stack + STACK, CLONE_VM | SIGCHLD, 0);
	assert_true(pid > 0);
	while (!started)
		sched_yield();
	lock_again(name);
	pthread_create(&t, 0, taking, 0);
	usleep(200000);
	assert_int_equal(spoilt, 0);
	assert_int_equal(lock_try(&lock), 0);
	kill(pid, SIGKILL);
	pthread_join(t, 0);
	assert_int_equal(spoilt, 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(lock_try(&lock), 1);
	lock_give(&lock);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_lock_is_one_threads_at_a_time),
		cmocka_unit_test(test_the_parent_inherits),
		cmocka_unit_test(test_who_waits_inherits),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
