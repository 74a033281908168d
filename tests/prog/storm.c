// Processes and threads by the thousand: MODE COUNT.  Before and after the second half of them the program says "mark" and waits
// for a line, so that who watches (tests/check.d/42-storm.sh) can see what it holds.
// args: forks 20
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self;
static int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL line %d: %s (errno %d)\n", __LINE__, #e, errno); failed = 1; } } while (0)

static void
await(pid_t pid, int want)
{
	int st = -1;

	CHECK(pid > 0 && waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == want);
}

// Children that compute, four at a time.
static void
forks(int n)
{
	pid_t pid[4];

	for (int i = 0; i < n; i += 4) {
		for (int k = 0; k < 4; k++)
			if (!(pid[k] = fork())) {
				volatile unsigned x = (unsigned)(i + k);
				for (int r = 0; r < 1000; r++)
					x = x * 69069 + 1;
				_exit((int)(x % 7 == 9) + 40 + k);
			}
		for (int k = 0; k < 4; k++)
			await(pid[k], 40 + k);
	}
}

// Programs started in every way there is, one after another.
static void
execs(int n)
{
	char num[16], *argv[] = {(char *)self, "exit", num, 0}, *envp[] = {0};

	for (int i = 0; i < n; i++) {
		pid_t pid = -1;

		snprintf(num, sizeof num, "%d", i % 100);
		if (i % 3 == 0)
			CHECK(!posix_spawn(&pid, self, 0, 0, argv, envp));
		else if (!(pid = i % 3 == 1 ? fork() : vfork()))
			_exit(execve(self, argv, envp) ? 127 : 0);
		await(pid, i % 100);
	}
}

static atomic_int alive, peak, leave;
static _Thread_local int mine;

static void *
counts(void *arg)
{
	mine = (int)(intptr_t)arg;
	alive++;
	return (void *)(intptr_t)(mine * 2);
}

// Created and joined, four at a time, every eighth detached instead.
static void
threads(int n)
{
	pthread_t t[4];

	for (int i = 0; i < n; i += 4) {
		for (int k = 0; k < 4; k++) {
			CHECK(!pthread_create(&t[k], 0, counts, (void *)(intptr_t)(i + k)));
			if (k == 3 && i % 8 == 0)
				CHECK(!pthread_detach(t[k]));
		}
		for (int k = 0; k < 4 - (i % 8 == 0); k++) {
			void *r = 0;
			CHECK(!pthread_join(t[k], &r) && (intptr_t)r == (i + k) * 2);
		}
	}
	while (alive % 4)
		usleep(100);
}

static void *
stays(void *arg)
{
	mine = (int)(intptr_t)arg;
	if (++alive > peak)
		peak = alive;
	while (!leave)
		usleep(20000);
	alive--;
	return (void *)(intptr_t)mine;
}

// All alive at once.
static void
crowd(int n)
{
	pthread_t *t = calloc((size_t)n, sizeof *t);
	pthread_attr_t a;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	leave = 0;
	for (int i = 0; i < n; i++)
		CHECK(!pthread_create(&t[i], &a, stays, (void *)(intptr_t)i));
	for (int ms = 0; alive < n && ms < 60000; ms += 10)
		usleep(10000);
	CHECK(alive == n);
	leave = 1;
	for (int i = 0; i < n; i++) {
		void *r = 0;
		CHECK(!pthread_join(t[i], &r) && (intptr_t)r == i);
	}
	free(t);
}

static void
mark(void)
{
	char line[8];

	puts("mark");
	if (!fgets(line, sizeof line, stdin))
		clearerr(stdin);
}

int
main(int argc, char **argv)
{
	static const struct { const char *name; void (*f)(int); } mode[] = {
		{"forks", forks}, {"execs", execs}, {"threads", threads}, {"crowd", crowd},
	};
	int n = argc > 2 ? atoi(argv[2]) : 0;

	setvbuf(stdout, 0, _IOLBF, 0);
	self = argv[0];
	if (argc > 2 && !strcmp(argv[1], "exit"))
		return n;
	for (unsigned i = 0; i < sizeof mode / sizeof *mode; i++)
		if (argc > 2 && !strcmp(argv[1], mode[i].name)) {
			mode[i].f(n / 2);
			mark();
			mode[i].f(n / 2);
			mark();
		}
	puts(failed ? "failed" : "ok");
	return failed;
}
