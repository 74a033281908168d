/* The program's own text is written to, mapped over and taken away while threads run in it.  Whoever calls after
 * he knows of the change must see it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, THREADS = 3, ROUNDS = 15, CHANGING = -1, PARK = -2 };

/* a page of its own, so that nothing else is patched */
__attribute__((aligned(4096), noinline)) int
answer(int x)
{
	__asm__ volatile("");
	return x + 1;
}
__attribute__((aligned(4096), noinline)) int
other(int x)
{
	int s = 0;

	for (int i = 0; i < x; i++)
		s += answer(i);
	return s;
}
__attribute__((aligned(4096), noinline)) void last(void) { __asm__ volatile(""); }

static int (*volatile call)(int) = answer;
static atomic_int now, seen[THREADS], failed, stop;

/* return k (0 <= k < 2048) */
static void
make(uint32_t *p, int k)
{
#ifdef __aarch64__
	p[0] = 0x52800000u | (uint32_t)k << 5;
	p[1] = 0xd65f03c0;
#else
	p[0] = 0x00000513u | (uint32_t)k << 20;
	p[1] = 0x00008067;
#endif
	__builtin___clear_cache((char *)p, (char *)(p + 2));
}

static void *
watch(void *arg)
{
	int n = (int)(intptr_t)arg;

	while (!stop) {
		int k = now, r;

		if (k == PARK) {       /* nobody fetches from what is not there for a moment */
			seen[n] = k;
			continue;
		}
#ifdef __aarch64__
		__asm__ volatile("isb" : : : "memory");
#else
		__asm__ volatile("fence.i" : : : "memory");
#endif
		r = call(100);
		if (k != CHANGING && r != k && now == k)
			failed = 1;
		seen[n] = k;
	}
	return 0;
}

static void
patch(uint32_t *text, int k)
{
	uint32_t *p;

	switch (k % 3) {
	case 0:                        /* in place */
		mprotect(text, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
		make(text, k);
		mprotect(text, PAGE, PROT_READ | PROT_EXEC);
		break;
	case 1:                        /* and left writable */
		mprotect(text, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
		make(text, k);
		break;
	case 2:                        /* another mapping over it */
		p = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		make(p, k);
		mprotect(p, PAGE, PROT_READ | PROT_EXEC);
		mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, text);
		break;
	}
}

int
main(int argc, char **argv)
{
	pthread_t t[THREADS];
	int status;

	failed |= other(10) != 55;     /* in the cache, and linked */
	if (argc > 1)                  /* for the cache: what is patched is not kept */
		return failed;
	if (fork() == 0) {             /* the child's text is the child's */
		mprotect((void *)answer, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
		make((void *)answer, 7);
		_exit(other(3) != 21);
	}
	wait(&status);
	failed |= status != 0;
	failed |= other(10) != 55;
	now = 101;
	for (int n = 0; n < THREADS; n++)
		pthread_create(&t[n], 0, watch, (void *)(intptr_t)n);
	for (int k = 200; k < 200 + ROUNDS; k++) {
		now = k % 3 == 2 ? PARK : CHANGING;
		for (int n = 0; n < THREADS && now == PARK; n++)
			while (seen[n] != PARK)
				;
		patch((void *)answer, k);
		now = k;
		for (int n = 0; n < THREADS; n++)
			while (seen[n] != k)
				;
		failed |= call(100) != k || other(2) != 2 * k;
	}
	stop = 1;
	for (int n = 0; n < THREADS; n++)
		pthread_join(t[n], 0);
	munmap((void *)last, PAGE);    /* and the rest goes on */
	failed |= other(2) != 2 * (200 + ROUNDS - 1);
	puts(failed ? "wrong" : "done");
	return failed;
}
