// Code made, run and made anew by several threads: each for itself, one for the others, and beside fork.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s\n", __func__, __LINE__, #e); failed = 1; } } while (0)
enum { THREADS = 4, ROUNDS = 3000, SLOTS = 64 };
typedef int fn(void);

/* return k (0 <= k < 2048) */
static void make(uint32_t *p, int k)
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

static int call(uint32_t *p) { return ((fn *)(uintptr_t)p)(); }

static uint32_t *pages(int prot)
{
	void *p = mmap(0, 8192, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

/* Every thread its own page, written in place; neighbours in the page stay right. */
static void *alone(void *arg)
{
	uint32_t *p = pages(PROT_READ | PROT_WRITE | PROT_EXEC);
	int at[SLOTS] = {0}, seed = (int)(intptr_t)arg;

	for (int i = 0; i < SLOTS; i++)
		make(p + 4 * i, at[i] = (i * 7 + seed) & 2047);
	for (int r = 0; r < ROUNDS; r++) {
		int s = r % SLOTS;
		make(p + 4 * s, at[s] = (r + seed) & 2047);
		CHECK(call(p + 4 * s) == at[s]);
		s = (r * 31 + 5) % SLOTS;
		CHECK(call(p + 4 * s) == at[s]);
	}
	munmap(p, 8192);
	return 0;
}

/* W xor X by mprotect, and new code where other code was mapped before. */
static void *flip(void *arg)
{
	int seed = (int)(intptr_t)arg;

	for (int r = 0; r < ROUNDS / 10; r++) {
		uint32_t *p = pages(PROT_READ | PROT_WRITE);
		make(p, (r + seed) & 2047);
		mprotect(p, 8192, PROT_READ | PROT_EXEC);
		CHECK(call(p) == ((r + seed) & 2047));
		mprotect(p, 8192, PROT_READ | PROT_WRITE);
		make(p, (r * 3 + seed) & 2047);
		mprotect(p, 8192, PROT_READ | PROT_EXEC);
		CHECK(call(p) == ((r * 3 + seed) & 2047));
		munmap(p, 8192);
	}
	return 0;
}

/* One thread writes, the others run what is published: never anything else than what was written. */
static uint32_t *shared;
static atomic_int published = -1, done;

static void *runner(void *arg)
{
	int last = -1;

	(void)arg;
	while (!done) {
		int n = atomic_load_explicit(&published, memory_order_acquire);
		if (n == last) {
			sched_yield();
			continue;
		}
		last = n;
#ifdef __aarch64__
		__asm__ volatile("isb");
#else
		__asm__ volatile(".word 0x0000100f");
#endif
		CHECK(call(shared + 4 * (n % SLOTS)) >= 0);
		/* the slot is rewritten SLOTS rounds later at the earliest: its value is n, or a later one of the same slot */
		CHECK(call(shared + 4 * (n % SLOTS)) % SLOTS == n % SLOTS);
	}
	return 0;
}

static void *writer(void *arg)
{
	(void)arg;
	for (int n = 0; n < ROUNDS; n++) {
		make(shared + 4 * (n % SLOTS), n & 2047);
		atomic_store_explicit(&published, n, memory_order_release);
		if (n % 16 == 0)
			sched_yield();
	}
	done = 1;
	return 0;
}

/* Children translate while the parent's other threads do. */
static void *forker(void *arg)
{
	uint32_t *p = pages(PROT_READ | PROT_WRITE | PROT_EXEC);

	(void)arg;
	for (int r = 0; r < 12; r++) {
		int st = -1;
		pid_t pid = fork();
		if (!pid) {
			for (int i = 0; i < 50; i++) {
				make(p, i + r);
				if (call(p) != i + r)
					_exit(1);
			}
			_exit(0);
		}
		CHECK(pid > 0 && waitpid(pid, &st, 0) == pid && st == 0);
		make(p, r);
		CHECK(call(p) == r);
	}
	return 0;
}

static void together(void *(*const *f)(void *), int n)
{
	pthread_t t[8];
	for (int i = 0; i < n; i++)
		CHECK(!pthread_create(&t[i], 0, f[i], (void *)(intptr_t)(i * 100)));
	for (int i = 0; i < n; i++)
		pthread_join(t[i], 0);
}

int main(void)
{
	setvbuf(stdout, 0, _IOLBF, 0);
	shared = pages(PROT_READ | PROT_WRITE | PROT_EXEC);
	for (int i = 0; i < SLOTS; i++)
		make(shared + 4 * i, i);
	together((void *(*const[])(void *)){alone, alone, alone, alone}, THREADS);
	puts("alone");
	together((void *(*const[])(void *)){flip, alone, flip, alone}, THREADS);
	puts("flip");
	together((void *(*const[])(void *)){writer, runner, runner, runner}, THREADS);
	puts("shared");
	together((void *(*const[])(void *)){forker, alone, flip, forker}, THREADS);
	puts("fork");
	puts(failed ? "failed" : "ok");
	return failed;
}
