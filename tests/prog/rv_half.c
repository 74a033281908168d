// guest: riscv64
/* An instruction of four bytes whose second half lies in a page that cannot be executed, reached by a jump and by falling
 * into it: the fault is at the second half, the pc at the first. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096 };
static sigjmp_buf out;
static char *page;

static void
handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	printf("signal %d, code %d, address %+ld, pc %+ld, a0 %ld\n", sig, si->si_code, (long)((char *)si->si_addr - page - PAGE),
	    (long)(uc->uc_mcontext.__gregs[REG_PC] - (uintptr_t)page - PAGE), (long)uc->uc_mcontext.__gregs[REG_A0]);
	siglongjmp(out, 1);
}

static void
go(int back)
{
	__builtin___clear_cache(page, page + PAGE);
	if (!sigsetjmp(out, 1))
		((long (*)(long))(page + PAGE - back))(5);
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	uint16_t code[3] = {0x0505, 0x0509, 0x0513};   /* c.addi a0, 1; c.addi a0, 2; the first half of addi a0, a0, ... */

	sigaction(SIGSEGV, &sa, 0);
	page = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(page + PAGE - 6, code, 6);
	mprotect(page + PAGE, PAGE, PROT_READ);
	go(2);
	go(6);
	go(4);
	munmap(page + PAGE, PAGE);
	go(2);
	go(6);
	return 0;
}
