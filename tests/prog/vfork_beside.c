// A vfork child starts a process in the same memory, and ends: the parent goes on beside that process.  Both write code
// and run it all the time, and change mappings.  Then the same with one that does so until it is killed: the parent
// still gets what that process may have held.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int fn(void);

#include "return.h"

enum { ROUNDS = 20, KILLS = 20, STEPS = 300, SPACE = 1 << 16, STACK = 1 << 16 };

static uint32_t *code[2];
static char stack[STACK] __attribute__((aligned(16)));
static volatile int finished, wrong[2];
static volatile pid_t beside;

// Load-exclusive, another access, store-exclusive: for that the others are stopped.
static void
apart(uint64_t *p)
{
	uint64_t old, other;

#ifdef __aarch64__
	__asm__ volatile("1: ldxr %0, [%2]\n\tldr %1, [%2, 64]\n\tadd %0, %0, 1\n\tstxr w17, %0, [%2]\n\tcbnz w17, 1b"
	    : "=&r"(old), "=&r"(other) : "r"(p) : "x17", "memory");
#else
	__asm__ volatile("1: lr.d %0, (%2)\n\tld %1, 64(%2)\n\taddi %0, %0, 1\n\tsc.d %0, %0, (%2)\n\tbnez %0, 1b"
	    : "=&r"(old), "=&r"(other) : "r"(p) : "memory");
#endif
}

static void
work(int who)
{
	static uint64_t word[2][16];

	for (int k = 0; k < STEPS; k++) {
		uint32_t *p = code[who] + k % (SPACE / 4 / 64) * 64;

		put(p, k);
		__builtin___clear_cache((char *)p, (char *)(p + 2));
		wrong[who] += ((fn *)p)() != k;
		if (k % 64 == 0)
			apart(word[who]);
		if (k % 16 == 0)
			syscall(SYS_mprotect, code[who], SPACE, PROT_READ | PROT_WRITE | PROT_EXEC);
	}
}

static int
grandchild(void *arg)
{
	do
		work(1);
	while (arg);
	finished = 1;
	syscall(SYS_exit, 0);
	return 0;
}

static void
start(void *forever)
{
	int status;
	pid_t child = vfork();

	if (!child) {
		beside = clone(grandchild, stack + STACK, CLONE_VM | SIGCHLD, forever);
		_exit(7);
	}
	work(0);
	if (waitpid(child, &status, 0) != child || status != 7 << 8)
		printf("child: %x\n", status);
}

int
main(void)
{
	for (int who = 0; who < 2; who++)
		code[who] = mmap(0, SPACE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	alarm(50);
	for (int i = 0; i < ROUNDS; i++) {
		finished = 0;
		start(0);
		while (!finished)
			sched_yield();
	}
	for (int i = 0; i < KILLS; i++) {
		start("forever");
		usleep((unsigned)(i * 37 % 400));
		kill(beside, SIGKILL);
		work(0);
	}
	printf("%d of the parent's and %d of the grandchild's results are wrong\n", wrong[0], wrong[1]);
	return 0;
}
