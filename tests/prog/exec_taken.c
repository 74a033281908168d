/* SPDX-License-Identifier: MIT */
/* exec_taken.c - code that is run the first time, on pages the guest may no longer execute, or whose end is in the way */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

#ifdef __riscv
static const unsigned answer[] = {0x02a00513, 0x00008067};     /* li a0, 42; ret */
static const unsigned protect[] = {0x0e200893, 0x00000073};    /* li a7, 226; ecall: mprotect, and then the answer */
#else
static const unsigned answer[] = {0x52800540, 0xd65f03c0};     /* mov w0, #42; ret */
static const unsigned protect[] = {0xd2801c48, 0xd4000001};    /* mov x8, #226; svc #0 */
#endif

static sigjmp_buf back;

static void
handler(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	siglongjmp(back, info->si_code);
}

static char *p;

static void
go(const char *what, void *at)
{
	int code = sigsetjmp(back, 1);

	if (code)
		printf("%s: code %d\n", what, code);
	else
		printf("%s: %d\n", what, ((int (*)(void *, long, int))at)(p, PAGE, PROT_READ | PROT_WRITE));
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	p = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &sa, 0);
	for (int i = 0; i < 2 * PAGE; i += 64)
		memcpy(p + i, answer, sizeof answer);
	memcpy(p + PAGE - sizeof *answer, answer, sizeof *answer);
	memcpy(p + 256, protect, sizeof protect);
	memcpy(p + 256 + sizeof protect, answer, sizeof answer);
	__builtin___clear_cache(p, p + 2 * PAGE);
	go("first", p);
	go("second", p + 64);
	mprotect(p, PAGE, PROT_READ | PROT_WRITE);
	go("taken", p + 128);
	go("beside", p + PAGE);
	munmap(p + PAGE, PAGE);
	go("unmapped", p + PAGE + 64);
	mprotect(p, PAGE, PROT_READ | PROT_EXEC);
	go("taken by itself", p + 256);
	mprotect(p, PAGE, PROT_READ | PROT_EXEC);
	go("given back", p + 192);
	go("over the end", p + PAGE - sizeof *answer);
	return 0;
}
