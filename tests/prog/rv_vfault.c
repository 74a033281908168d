// guest: riscv64
// flags: -march=rv64gcv
/* SPDX-License-Identifier: MIT */
/* rv_vfault.c - vector instructions that are reserved for the vtype there is, and accesses that fault in the middle of a
 * register group and go on when the handler has made the page accessible */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, LEN = 32, BEFORE = 20 };
static sigjmp_buf out;
static char *page, *reserved;
static int count;

static void
handler(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	count++;
	if (sig == SIGILL) {
		printf("SIGILL %s\n", si->si_addr == reserved ? "there" : "elsewhere");
		siglongjmp(out, 1);
	}
	printf("SIGSEGV at %ld\n", (long)((char *)si->si_addr - page));
	mprotect(page + PAGE, PAGE, PROT_READ | PROT_WRITE);
}

static __attribute__((noinline)) void
load(const void *from, void *to)
{
	__asm__ volatile("vsetvli t0, %2, e8, m2, ta, ma\n\tvmv.v.i v2, 1\n\tvle8.v v2, (%0)\n\tvse8.v v2, (%1)"
	    : : "r"(from), "r"(to), "r"(LEN) : "t0", "memory");
}

static __attribute__((noinline)) void
store(void *to)
{
	__asm__ volatile("vsetvli t0, %1, e8, m2, ta, ma\n\tvmv.v.i v2, 9\n\tvse8.v v2, (%0)"
	    : : "r"(to), "r"(LEN) : "t0", "memory");
}

/* elements 0 and `last` alone; others may lie where nothing is */
static __attribute__((noinline)) void
masked(const void *from, void *to, long last)
{
	uint8_t mask[LEN / 8] = {1};

	mask[last / 8] |= (uint8_t)(1 << last % 8);
	__asm__ volatile("vsetvli t0, %2, e8, m2, ta, mu\n\tvlm.v v0, (%3)\n\tvmv.v.i v2, 1\n\tvle8.v v2, (%0), v0.t\n\tvse8.v v2, (%1)"
	    : : "r"(from), "r"(to), "r"(LEN), "r"(mask) : "t0", "memory");
}

static int
total(const void *p)
{
	const uint8_t *q = p;
	int sum = 0;

	for (int i = 0; i < LEN; i++)
		sum += q[i];
	return sum;
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	extern char ill[], group[];
	uint8_t to[LEN];

	sigaction(SIGILL, &sa, 0);
	sigaction(SIGSEGV, &sa, 0);
	page = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(page, 7, 2 * PAGE);
	reserved = ill;
	if (!sigsetjmp(out, 1))
		__asm__ volatile("vsetvli t0, zero, e64, mf8, ta, ma\nill: vadd.vv v1, v2, v3" : : : "t0");
	reserved = group;
	if (!sigsetjmp(out, 1))
		__asm__ volatile("vsetvli t0, zero, e64, m8, ta, ma\ngroup: vadd.vv v1, v2, v3" : : : "t0");
	for (int n = 0; n < 3; n++) {
		mprotect(page + PAGE, PAGE, PROT_NONE);
		load(page + PAGE - BEFORE, to);
		printf("loaded %d, %d signals\n", total(to), count);
		mprotect(page + PAGE, PAGE, PROT_NONE);
		store(page + PAGE - BEFORE);
		printf("stored %d, %d signals\n", total(page + PAGE - BEFORE), count);
	}
	for (int n = 0; n < 3; n++) {
		mprotect(page + PAGE, PAGE, PROT_NONE);
		masked(page + PAGE - BEFORE, to, BEFORE - 1);
		printf("masked %d, %d signals\n", total(to), count);
		masked(page + PAGE - BEFORE, to, BEFORE + 1);
		printf("masked %d, %d signals\n", total(to), count);
	}
	return 0;
}
