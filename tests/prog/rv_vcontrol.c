// guest: riscv64
// flags: -march=rv64gcv
// PR_RISCV_V_SET_CONTROL: what it takes and refuses, and where vectors are off after execve: hwcap, SIGILL of instructions and CSRs,
// in all threads until each turns them on.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SET = 69, GET = 70, OFF = 1, ON = 2, NEXT = 4, INHERIT = 16 };
static __thread sigjmp_buf env;
static int code;
static void ill(int s, siginfo_t *si, void *uc) { (void)s, (void)uc; code = si->si_code; siglongjmp(env, 1); }

static int set(unsigned long v) { return prctl(SET, v, 0, 0, 0) ? -errno : 0; }
static int get(void) { return prctl(GET, 0, 0, 0, 0); }
static int hwcap(void) { return getauxval(AT_HWCAP) >> ('v' - 'a') & 1; }

static int
instruction(void)
{
	if (sigsetjmp(env, 1))
		return 0;
	__asm__ volatile("vsetivli zero, 4, e32, m1, ta, ma\n vmv.v.i v1, 3");
	return 1;
}

static int
csr(void)
{
	long x;

	if (sigsetjmp(env, 1))
		return 0;
	__asm__ volatile("csrr %0, vlenb" : "=r"(x));
	return x == 16;
}

static void
show(const char *what)
{
	printf("%s: control %d hwcap %d instruction %d csr %d\n", what, get(), hwcap(), instruction(), csr());
	fflush(stdout);
}

static void *other(void *p) { show(p); return 0; }

static void
run(char *self, const char *what)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execl(self, self, what, NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
}

int
main(int argc, char **argv)
{
	struct sigaction sa = {.sa_sigaction = ill, .sa_flags = SA_SIGINFO};
	pthread_t t;

	setvbuf(stdout, 0, _IOLBF, 0);
	sigaction(SIGILL, &sa, 0);
	if (argc == 1) {
		show("at first");
		printf("refused: %d %d %d %d\n", set(OFF) == -EPERM, set(3) == -EINVAL, set(3 * NEXT) == -EINVAL, set(32) == -EINVAL);
		printf("taken: %d %d %d\n", set(0), set(ON), get());
		printf("for the next program: %d %d\n", set(OFF * NEXT), get());
		run(argv[0], "once");
		printf("for all that follow: %d %d\n", set(OFF * NEXT | INHERIT), get());
		run(argv[0], "inherited");
		printf("on again: %d %d\n", set(ON * NEXT), get());
		run(argv[0], "on");
		return 0;
	}
	show(argv[1]);
	if (get() % 4 == ON)
		return 0;
	pthread_create(&t, 0, other, "another thread");
	pthread_join(t, 0);
	printf("code %d\n", code == ILL_ILLOPC);
	printf("off where it is off: %d\n", set(OFF | (unsigned long)get()));
	if (!strcmp(argv[1], "once"))
		run(argv[0], "default");
	else if (strcmp(argv[1], "inherited twice"))
		run(argv[0], "inherited twice");
	printf("turned on: %d\n", set(ON));
	show("then");
	return 0;
}
