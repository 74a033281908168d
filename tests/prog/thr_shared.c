// Atomics of processes that were alone until just now: their code has run, then somebody else sees the memory.  Each way to
// that is tried in a process of its own; two count, by every atomic that the guest has, and no step may be lost.
// jit only: the interpreter spins for too long
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 50000, WARM = 3000, CELLS = 512, ROUNDS = 200, SIZE = 1 << 18, SECONDS = 20 };

struct area {
	_Alignas(64) uint64_t count, field, guarded;
	_Alignas(64) int lock;
	_Alignas(64) int arrived[2];
	_Alignas(64) struct { _Alignas(64) int x; _Alignas(64) int y; } cell[CELLS];
	int seen[2][CELLS];
};
static struct area *area;

/* -- counting -- */
static uint64_t
exclusive(uint64_t *p)
{
#ifdef __aarch64__
	uint64_t old, new;

	__asm__ volatile("1: ldaxr %0, [%2]\n\tadd %1, %0, 1\n\tstlxr w17, %1, [%2]\n\tcbnz w17, 1b"
	    : "=&r"(old), "=&r"(new) : "r"(p) : "x17", "memory");
	return old;
#else
	uint64_t old, new;

	__asm__ volatile("1: lr.d.aq %0, (%2)\n\taddi %1, %0, 1\n\tsc.d.rl %1, %1, (%2)\n\tbnez %1, 1b"
	    : "=&r"(old), "=&r"(new) : "r"(p) : "memory");
	return old;
#endif
}

static void
count(struct area *a, int who, int steps)
{
	volatile uint64_t sum = 0;

	for (uint64_t n = 0; n < steps; n++) {
		uint64_t old = a->count, bits = (n ^ (n + 1)) << 32 * who;

		__atomic_fetch_add(&a->count, 1, __ATOMIC_RELAXED);
		sum += __atomic_fetch_add(&a->count, 1, __ATOMIC_SEQ_CST);
		sum += exclusive(&a->count);
		while (!__atomic_compare_exchange_n(&a->count, &old, old + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			;
		if (n & 1)
			__atomic_fetch_xor(&a->field, bits, __ATOMIC_RELAXED);
		else
			sum += __atomic_fetch_xor(&a->field, bits, __ATOMIC_SEQ_CST);
		while (__atomic_exchange_n(&a->lock, 1, __ATOMIC_ACQUIRE))
			;
		a->guarded++;
		if (n & 1)
			__atomic_store_n(&a->lock, 0, __ATOMIC_RELEASE);
		else
			sum += __atomic_exchange_n(&a->lock, 0, __ATOMIC_RELEASE);
	}
}

// A field has been flipped to how many steps there were, and back by the same again: there are rounds by twos.
static int
lost(const struct area *a, int parties)
{
	uint64_t n = (uint64_t)STEPS * parties;

	return a->count != 4 * n || a->guarded != n || a->field != (parties > 1 ? 0 : n);
}

/* -- store buffering -- */
static void
buffer(struct area *a, int who, int how, int n)
{
	int *mine = who ? &a->cell[n].y : &a->cell[n].x, *other = who ? &a->cell[n].x : &a->cell[n].y;

	switch (how) {
	case 0:
		__atomic_store_n(mine, 1, __ATOMIC_SEQ_CST);
		a->seen[who][n] = __atomic_load_n(other, __ATOMIC_SEQ_CST);
		break;
	case 1:
		__atomic_store_n(mine, 1, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		a->seen[who][n] = __atomic_load_n(other, __ATOMIC_RELAXED);
		break;
	default:
		__atomic_exchange_n(mine, 1, __ATOMIC_SEQ_CST);
		a->seen[who][n] = __atomic_load_n(other, __ATOMIC_SEQ_CST);
	}
}

static void
meet(struct area *a, int who, int times)
{
	__atomic_store_n(&a->arrived[who], times, __ATOMIC_RELEASE);
	for (int n = 0; __atomic_load_n(&a->arrived[!who], __ATOMIC_ACQUIRE) < times; n++)
		if (n > 20000)
			sched_yield();
}

// Both parties at the same time, as far as there are processors.
static void
apart(int who)
{
	cpu_set_t may, is;

	sched_getaffinity(0, sizeof may, &may);
	for (int n = 0; n < CPU_SETSIZE; n++) {
		if (!CPU_ISSET(n, &may) || (CPU_COUNT(&may) > 1 && who--))
			continue;
		CPU_ZERO(&is);
		CPU_SET(n, &is);
		sched_setaffinity(0, sizeof is, &is);
		return;
	}
}

static int
together(struct area *a, int who)
{
	int bad = 0, times = 0;

	for (int round = 0; round < ROUNDS; round++) {
		meet(a, who, ++times);
		for (int n = 0; n < CELLS; n++)
			buffer(a, who, round % 3, n);
		count(a, who, STEPS / ROUNDS);
		meet(a, who, ++times);
		if (!who) {
			for (int n = 0; n < CELLS; n++)
				bad += !a->seen[0][n] && !a->seen[1][n];
			memset(a->cell, 0, sizeof a->cell);
		}
	}
	return bad;
}

static int
party(int who)
{
	alarm(SECONDS);                        // a lock whose release was lost is waited for
	apart(who);
	return together(area, who);
}

/* -- ways to company -- */
static void *second(void *arg) { return (void *)(long)party(1); }
static int secondprocess(void *arg) { party(1); _exit(0); }

static void
byfork(void)
{
	if (!fork())
		secondprocess(0);
}

static void *
map(int fd, int prot)
{
	return mmap(0, SIZE, prot, fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
}

static int
file(void)
{
	int fd = memfd_create("area", 0);

	ftruncate(fd, SIZE);
	return fd;
}

static void anonymous(void) { area = map(-1, PROT_READ | PROT_WRITE); byfork(); }
static void mapfile(void) { int fd = file(); area = map(fd, PROT_READ | PROT_WRITE); byfork(); }
static void
eachmaps(void)
{
	int fd = file(), child = !fork();

	area = map(fd, PROT_READ | PROT_WRITE);
	if (child)
		secondprocess(0);
}
static void
protect(void)
{
	area = map(file(), PROT_READ);
	mprotect(area, SIZE, PROT_READ | PROT_WRITE);
	byfork();
}
static void
eachprotects(void)
{
	int child;

	area = map(-1, PROT_NONE);
	child = !fork();
	mprotect(area, SIZE, PROT_READ | PROT_WRITE);
	if (child)
		secondprocess(0);
}
static void
remapped(void)
{
	area = mremap(map(file(), PROT_READ), SIZE, 2 * SIZE, MREMAP_MAYMOVE);
	mprotect(area, SIZE, PROT_READ | PROT_WRITE);
	byfork();
}
static void
segment(void)
{
	int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);

	area = shmat(id, 0, 0);
	shmctl(id, IPC_RMID, 0);
	byfork();
}
static void
vforked(void)
{
	if (!vfork()) {
		area = map(-1, PROT_READ | PROT_WRITE);
		_exit(0);
	}
	byfork();
}
static void
thread(void)
{
	pthread_t id;

	area = calloc(1, SIZE);
	pthread_create(&id, 0, second, 0);
}
static void
beside(void)
{
	area = calloc(1, SIZE);
	clone(secondprocess, (char *)malloc(1 << 18) + (1 << 18), CLONE_VM | SIGCHLD, 0);
}

static const struct { const char *name; void (*way)(void); } ways[] = {
	{ "anonymous mapping", anonymous }, { "file", mapfile }, { "file, mapped by each", eachmaps },
	{ "mapping made writable", protect }, { "mapping made writable by each", eachprotects },
	{ "mapping moved and made writable", remapped }, { "segment", segment }, { "mapping of a vfork child", vforked },
	{ "thread", thread }, { "process in the same memory", beside },
};

static int
try(void (*way)(void))
{
	static struct area alone;
	int bad;

	count(&alone, 0, WARM);
	for (int n = 0; n < 3 * CELLS; n++)
		buffer(&alone, 0, n % 3, n % CELLS);
	way();
	bad = party(0);
	return (bad ? 2 : 0) | lost(area, 2);
}

int
main(void)
{
	static struct area alone;

	for (unsigned n = 0; n < sizeof ways / sizeof *ways; n++) {
		int status;

		if (!fork())
			_exit(try(ways[n].way));
		wait(&status);
		printf("%s: %s%s\n", ways[n].name, status & 0x17f ? "steps lost" : "no step lost",
		    status >> 9 & 1 ? ", orders seen that there are not" : "");
	}
	count(&alone, 0, STEPS);
	printf("alone: %s\n", lost(&alone, 1) ? "steps lost" : "no step lost");
	return 0;
}
