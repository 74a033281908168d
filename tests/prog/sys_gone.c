// A system call after which the code that made it is gone, or other code: it may not come back to its translation.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, AFTER = 8 };

// long f(a, b, c, number): mov nr, number; call; then k is the answer
static const uint32_t code[] = {
#ifdef __aarch64__
	0xaa0303e8, 0xd4000001, 0xd2800140, 0xd65f03c0,        // mov x8, x3; svc 0; mov x0, 10; ret
#else
	0x00068893, 0x00000073, 0x00a00513, 0x00008067,        // mv a7, a3; ecall; li a0, 10; ret
#endif
};
static sigjmp_buf back;
static uint8_t *page;
static long where;

static void
fault(int sig, siginfo_t *si, void *uc)
{
	(void)sig, (void)uc;
	where = (uint8_t *)si->si_addr - page;
	siglongjmp(back, 1);
}

static void
make(void)
{
	page = mmap(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | (page ? MAP_FIXED : 0), -1, 0);
	memcpy(page, code, sizeof code);
	__builtin___clear_cache((char *)page, (char *)page + sizeof code);
}

static long call(long a, long b, long c, long nr) { return ((long (*)(long, long, long, long))(uintptr_t)page)(a, b, c, nr); }

// The answer of f after calls that change nothing, then of one that does; -1 and `where`: it faulted.
static void
show(const char *what, long a, long b, long c, long nr)
{
	volatile long r = 0;

	for (int i = 0; i < 1000; i++)
		r += call(0, 0, 0, SYS_getppid);
	where = -1;
	if (!sigsetjmp(back, 1))
		r = call(a, b, c, nr);
	else
		r = -1;
	printf("%s: %ld, fault at %ld\n", what, r, where);
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
	uint32_t other = code[2] + (20 - 10) * (code[2] == 0xd2800140 ? 1u << 5 : 1u << 20);
	int pipes[2];

	sigaction(SIGSEGV, &sa, 0);
	for (int round = 0; round < 20; round++) {
		make();
		show("unmapped", (long)page, PAGE, 0, SYS_munmap);
		make();
		show("not executable", (long)page, PAGE, PROT_READ, SYS_mprotect);
		make();
		show("still there", (long)page, PAGE, PROT_READ | PROT_EXEC, SYS_mprotect);
		make();
		pipe(pipes);
		write(pipes[1], &other, sizeof other);
		show("read over itself", pipes[0], (long)page + AFTER, sizeof other, SYS_read);
		close(pipes[0]);
		close(pipes[1]);
	}
	return 0;
}
