// Code written through one mapping and run through another by several threads, more of it than a small code area holds; beside
// each new function lies an old one that stays as it is.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 1500, PAGES = 8, WORDS = 1024, LENGTH = 60, OLD = WORDS - 2 * LENGTH };
typedef uint64_t fn(uint64_t);
static atomic_int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL line %d: %s\n", __LINE__, #e); failed = 1; } } while (0)

// A function of LENGTH steps chosen by seed, and what it does.
static void
make(uint32_t *p, uint32_t seed)
{
	for (int i = 0; i < LENGTH; i++) {
		seed = seed * 69069 + 1;
#ifdef __aarch64__
		// add x0, x0, k; eor x0, x0, x0, lsr k
		p[i] = i & 1 ? 0xca400000 | (seed >> 26 | 1) << 10 : 0x91000000 | seed >> 21 << 10;
#else
		// addi a0, a0, k; xori a0, a0, k
		p[i] = (i & 1 ? 0x00054513 : 0x00050513) | seed >> 21 << 20;
#endif
	}
#ifdef __aarch64__
	p[LENGTH] = 0xd65f03c0;
#else
	p[LENGTH] = 0x00008067;
#endif
}

static uint64_t
model(uint64_t x, uint32_t seed)
{
	for (int i = 0; i < LENGTH; i++) {
		seed = seed * 69069 + 1;
#ifdef __aarch64__
		x = i & 1 ? x ^ x >> (seed >> 26 | 1) : x + (seed >> 21);
#else
		x = i & 1 ? x ^ seed >> 21 : x + (seed >> 21);
#endif
	}
	return x;
}

static void *
dual(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	int fd = memfd_create("code", 0);
	uint32_t *w, *x;

	CHECK(fd >= 0 && !ftruncate(fd, PAGES * 4096));
	w = mmap(0, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	x = mmap(0, PAGES * 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	CHECK(w != MAP_FAILED && x != MAP_FAILED);
	for (int p = 0; p < PAGES; p++)
		make(w + p * WORDS + OLD, (uint32_t)p);
	for (uint32_t r = 0; r < ROUNDS; r++) {
		int at = (int)(r % PAGES) * WORDS, place = (int)(r / PAGES % 8) * 2 * LENGTH;

		make(w + at + place, r + seed);
		__builtin___clear_cache((char *)(x + at + place), (char *)(x + at + place + LENGTH + 1));
		CHECK(((fn *)(x + at + place))(r) == model(r, r + seed));
		CHECK(((fn *)(x + at + OLD))(r) == model(r, r % PAGES));
	}
	munmap(w, PAGES * 4096);
	munmap(x, PAGES * 4096);
	close(fd);
	return 0;
}

int
main(void)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], 0, dual, (void *)(intptr_t)(i * 100000)));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], 0);
	puts(failed ? "failed" : "ok");
	return failed;
}
