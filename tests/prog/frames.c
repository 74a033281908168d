// What a deep chain of calls returns to after system calls, signals, forks, jumps and new code at its bottom.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
static long deep(int n, int what);
static volatile long handled;
static uint32_t *code;
static jmp_buf out;

static void
handler(int sig)
{
	handled += deep(5, 0) + sig * 0;
}

// A function that returns k, made anew.
static long
fresh(int k)
{
#ifdef __aarch64__
	code[0] = 0x52800000u | (uint32_t)k << 5;
	code[1] = 0xd65f03c0u;
#else
	code[0] = 0x513u | (uint32_t)k << 20;
	code[1] = 0x8067u;
#endif
	__builtin___clear_cache((char *)code, (char *)(code + 2));
	return ((int (*)(void))code)();
}

static NOINLINE long
status(pid_t pid)
{
	int st = -1;

	return waitpid(pid, &st, 0) == pid && WIFEXITED(st) ? WEXITSTATUS(st) : -1000;
}

// Each gives 1.
static NOINLINE long
bottom(int what)
{
	long was = handled, v;
	pid_t pid;

	switch (what) {
	case 0:
		return syscall(SYS_getppid) > 0;
	case 1:
		raise(SIGUSR1);
		return handled - was == 6;
	case 2:
		pid = fork();
		if (!pid)
			_exit(deep(30, 0) == 31 ? 1 : 9);
		return status(pid);
	case 3:
		pid = vfork();
		if (!pid)
			_exit(1);
		return status(pid);
	case 4:
		for (v = 0; v < 600; v++)
			if (fresh((int)v) != v)
				return -1;
		return 1;
	case 5:
		if (!setjmp(out))
			deep(20, 6);
		return deep(3, 0) == 4;
	default:
		raise(SIGUSR1);
		longjmp(out, 1);
	}
}

// n + 1: a frame each, and the bottom
static NOINLINE long
deep(int n, int what)
{
	long r = n ? deep(n - 1, what) : bottom(what);

	__asm__ volatile ("" : "+r"(r));
	return n ? r + 1 : r;
}

int
main(void)
{
	long sum[6] = {0};

	signal(SIGUSR1, handler);
	code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 60; i++)
		for (int what = 0; what < 6; what++)
			sum[what] += deep(i, what) - i;
	printf("%ld %ld %ld %ld %ld %ld\n", sum[0], sum[1], sum[2], sum[3], sum[4], sum[5]);
	return 0;
}
