/* Signal 33, which C libraries keep for themselves: they tell all threads of a new user or group by it.  A C library below
 * this one has to keep its hands off, also when the first thread is made, once more in a forked child. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int stop;
static void *wait_for_stop(void *arg) { while (!stop) usleep(1000); return arg; }

static uint64_t
blocked(void)
{
	uint64_t mask = 0;

	syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, &mask, 8);
	return mask >> 32 & 1;
}

static int
threads(void)
{
	pthread_t t[3];
	int r;

	stop = 0;
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], 0, wait_for_stop, 0);
	r = setgid(getgid()) | setuid(getuid());
	r |= setresgid(-1, getegid(), -1);
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], 0);
	return r;
}

int
main(void)
{
	uint64_t one = (uint64_t)1 << 32;
	int status;

	printf("threads: %d\n", threads());
	if (!fork())
		_exit(threads() ? 1 : 42);
	wait(&status);
	printf("threads of a child: %d\n", WEXITSTATUS(status));
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &one, 0, 8);
	if (!fork()) {
		pthread_t t;

		stop = 1;
		pthread_create(&t, 0, wait_for_stop, 0);
		pthread_join(t, 0);
		_exit(blocked() ? 42 : 1);
	}
	wait(&status);
	printf("blocked: %d\n", WEXITSTATUS(status));
	return 0;
}
