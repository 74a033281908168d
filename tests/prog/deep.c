// Deep recursion: calls that overflow any return-address stack of the translator, and a stack used up.
// exit: 0
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned seed = 1;

__attribute__((noinline)) static unsigned
down(unsigned n, unsigned x)
{
	unsigned r;

	if (!n)
		return x;
	seed = seed * 1664525 + 1013904223;
	r = down(n - 1, x ^ seed);
	__asm__ volatile("" : "+r"(r));
	return r * 31 + n;
}

/* calls up and down: 2^n leaves, depth n, from the bottom of a deep stack */
__attribute__((noinline)) static unsigned
tree(unsigned n)
{
	return n ? tree(n - 1) * 3 + tree(n - 1) + 1 : 1;
}

__attribute__((noinline)) static unsigned
downtree(unsigned n)
{
	unsigned r = n ? downtree(n - 1) : tree(12);

	__asm__ volatile("" : "+r"(r));
	return r + 1;
}

__attribute__((noinline)) static unsigned
blocks(unsigned n)
{
	char *p = alloca(n * 16 + 1);

	memset(p, n, n * 16 + 1);
	__asm__ volatile("" : : "r"(p) : "memory");
	return n ? blocks(n - 1) + (unsigned char)p[n] : 0;
}

__attribute__((noinline)) static unsigned
forever(unsigned n)
{
	volatile char fill[100];

	fill[n % 100] = n;
	return forever(n + 1) + fill[n % 100];
}

static jmp_buf back;
static char altstack[65536];

static void
handler(int sig, siginfo_t *info, void *uc)
{
	siglongjmp(back, 1);
}

static void
overflow(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t alt = { .ss_sp = altstack, .ss_size = sizeof altstack };

	sigaltstack(&alt, 0);
	sigaction(SIGSEGV, &a, 0);
	for (int i = 0; i < 3; i++)
		if (!sigsetjmp(back, 1))
			forever(0);
		else
			printf("caught %d, again %u\n", i, down(1000, i));
}

static void *
thread(void *arg)
{
	printf("thread %u\n", down(30000, 5));
	return 0;
}

static void
inchild(const char *what, void (*f)(void))
{
	int status;

	fflush(stdout);
	if (!fork()) {
		f();
		_exit(7);
	}
	wait(&status);
	printf("%s: %s %d\n", what, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void
die(void)
{
	forever(0);
}

int
main(int argc, char **argv)
{
	struct rlimit l;
	pthread_t t;

	getrlimit(RLIMIT_STACK, &l);
	if (argc == 1) {               /* room for a million frames */
		l.rlim_cur = 512 << 20;
		if (setrlimit(RLIMIT_STACK, &l))
			return perror("setrlimit"), 1;
		execv(argv[0], (char *[]){ argv[0], "big", 0 });
		return perror("exec"), 1;
	}
	if (!strcmp(argv[1], "big")) {
		printf("down %u\n", down(1000000, 7));
		printf("downtree %u\n", downtree(500000));
		printf("blocks %u\n", blocks(4000));
		fflush(stdout);
		l.rlim_cur = 8 << 20;
		setrlimit(RLIMIT_STACK, &l);
		execv(argv[0], (char *[]){ argv[0], "small", 0 });
		return 1;
	}
	printf("down %u\n", down(60000, 9));
	overflow();
	signal(SIGSEGV, SIG_DFL);
	inchild("default", die);
	pthread_create(&t, 0, thread, 0);
	pthread_join(t, 0);
	puts("done");
	return 0;
}
