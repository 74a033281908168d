// Precise synchronous faults: handler sees address, code and pc, repairs and goes on.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

static volatile char *page;
static sigjmp_buf out;
static volatile int n, code, sig;
static void *volatile at;

static void
fix(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	n++;
	sig = s;
	code = si->si_code;
	at = si->si_addr;
	mprotect((void *)page, 4096, PROT_READ | PROT_WRITE);
}

static void
leave(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	sig = s;
	code = si->si_code;
	at = si->si_addr;
	siglongjmp(out, 1);
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = fix, .sa_flags = SA_SIGINFO};
	volatile int sum = 0;

	page = mmap(0, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &sa, 0);
	for (int i = 0; i < 10; i++)
		page[i * 8] = (char)i;
	for (int i = 0; i < 10; i++)
		sum += page[i * 8];
	printf("fixed %d times, sum %d, code %d, at page %d\n", n, sum, code, at == page);
	mprotect((void *)page, 4096, PROT_READ);
	page[100] = 1;
	printf("fixed %d times, code %d, offset %d\n", n, code, (int)((char *)at - (char *)page));
	sa.sa_sigaction = leave;
	sigaction(SIGSEGV, &sa, 0);
	sigaction(SIGILL, &sa, 0);
	sigaction(SIGBUS, &sa, 0);
	sigaction(SIGTRAP, &sa, 0);
	if (!sigsetjmp(out, 1))
		*(volatile int *)8 = 1;
	printf("signal %d code %d at %p\n", sig, code, at);
	if (!sigsetjmp(out, 1))
		((void (*)(void))(page + 4096))();
	printf("signal %d code %d at page %d\n", sig, code, at == page + 4096);
	if (!sigsetjmp(out, 1))
		*(volatile long *)0xdead000000000000ul = 1;
	printf("signal %d code %d\n", sig, code);
	if (!sigsetjmp(out, 1)) {
#ifdef __aarch64__
		__asm__ volatile(".inst 0x00000000");
#else
		__asm__ volatile(".word 0");
#endif
	}
	printf("signal %d code %d\n", sig, code);
	if (!sigsetjmp(out, 1)) {
#ifdef __aarch64__
		__asm__ volatile("brk #0");
#else
		__asm__ volatile("ebreak");
#endif
	}
	printf("signal %d code %d\n", sig, code);
	return 0;
}
