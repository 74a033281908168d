// Atomic operations under contention, with exclusives and with single instructions, and the orders they promise.
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

static atomic_int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s\n", __func__, __LINE__, #e); failed = 1; } } while (0)
enum { THREADS = 4, N = 30000 };

static struct {
	_Alignas(64) atomic_uchar b; _Alignas(64) atomic_ushort h; _Alignas(64) atomic_uint w;
	_Alignas(64) atomic_ullong x, orr, eor, max, swapped;
} v;
static _Alignas(16) unsigned __int128 pair;

#ifdef __aarch64__
#define LSE __attribute__((target("arch=armv8.1-a")))
static void pair_add(unsigned k)
{
	uint64_t lo, hi; uint32_t bad;
	__asm__ volatile("1: ldaxp %0, %1, [%3]\n adds %0, %0, %4\n adc %1, %1, xzr\n stlxp %w2, %0, %1, [%3]\n cbnz %w2, 1b"
	    : "=&r"(lo), "=&r"(hi), "=&r"(bad) : "r"(&pair), "r"((uint64_t)k << 40) : "memory", "cc");
}
#else
#define LSE
static void pair_add(unsigned k)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	pair += (unsigned __int128)k << 40;
	pthread_mutex_unlock(&lock);
}
#endif

static void rounds(int id)
{
	for (int i = 0; i < N; i++) {
		uint64_t old = atomic_load(&v.x);
		while (!atomic_compare_exchange_weak(&v.x, &old, old * 5 + 1))
			;
		pair_add((unsigned)id + 1);
	}
}

#define OPS(id) do { for (int i = 0; i < N; i++) { \
	atomic_fetch_add(&v.b, 1); atomic_fetch_add(&v.h, 3); atomic_fetch_sub_explicit(&v.w, 7, memory_order_relaxed); \
	atomic_fetch_xor(&v.eor, (uint64_t)i << (id)); atomic_fetch_or(&v.orr, 1ull << (i + (id)) % 64); \
	sum[id] += atomic_exchange(&v.swapped, (uint64_t)i * THREADS + (id) + 1); } } while (0)
static uint64_t sum[THREADS];
static void ops_exclusive(int id) { OPS(id); }
LSE static void ops_single(int id) { OPS(id); }

static void *contend(void *arg)
{
	int id = (int)(intptr_t)arg;
	rounds(id);
	ops_exclusive(id);
	ops_single(id);
	return 0;
}

static void run(void *(*f)(void *))
{
	pthread_t t[THREADS];
	for (intptr_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], 0, f, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], 0);
}

static void contention(void)
{
	uint64_t x = 0, eor = 0, total = 0, want = 0;
	run(contend);
	for (int i = 0; i < THREADS * N; i++)
		x = x * 5 + 1;
	for (int id = 0; id < THREADS; id++)
		for (int i = 0; i < N; i++)
			want += 2 * ((uint64_t)i * THREADS + (uint64_t)id + 1);
	for (int id = 0; id < THREADS; id++)
		total += sum[id];
	CHECK(v.x == x && pair == ((unsigned __int128)(N * 10) << 40) && v.eor == eor && v.orr == ~0ull);
	CHECK(v.b == (unsigned char)(2 * THREADS * N) && v.h == (unsigned short)(2 * THREADS * N * 3) && v.w == (unsigned)(2 * THREADS * N) * -7u);
	CHECK(total + v.swapped == want);
}

/* Message passing: who sees the flag sees the data.  Store buffering: with full fences never 0 and 0. */
static struct { _Alignas(64) atomic_int flag; _Alignas(64) int data[4]; _Alignas(64) atomic_int a; _Alignas(64) atomic_int b; } m;
static pthread_barrier_t bar;
static int r0, r1;

static void *passing(void *arg)
{
	int id = (int)(intptr_t)arg;
	for (int i = 1; i <= N && id == 0; i++) {
		for (int k = 0; k < 4; k++)
			m.data[k] = i;
		atomic_store_explicit(&m.flag, i, memory_order_release);
		while (i % 4 == 0 && atomic_load_explicit(&m.a, memory_order_acquire) < i)
			;
	}
	for (int seen = 0; id == 1 && seen < N;) {
		seen = atomic_load_explicit(&m.flag, memory_order_acquire);
		for (int k = 0; k < 4; k++)
			if (__atomic_load_n(&m.data[k], __ATOMIC_RELAXED) < seen) { CHECK(!"message passing"); return 0; }
		atomic_store_explicit(&m.a, seen, memory_order_release);
	}
	return 0;
}

static void *buffering(void *arg)
{
	int id = (int)(intptr_t)arg;
	for (int i = 0; i < 300 && id < 2; i++) {
		pthread_barrier_wait(&bar);
		for (int k = 1; k <= 20; k++) {
			if (id) { atomic_store_explicit(&m.b, k, memory_order_relaxed); atomic_thread_fence(memory_order_seq_cst); r1 = atomic_load_explicit(&m.a, memory_order_relaxed); }
			else { atomic_store_explicit(&m.a, k, memory_order_relaxed); atomic_thread_fence(memory_order_seq_cst); r0 = atomic_load_explicit(&m.b, memory_order_relaxed); }
			if (k == 1) {
				pthread_barrier_wait(&bar);
				CHECK(r0 || r1);
				pthread_barrier_wait(&bar);
			}
		}
		pthread_barrier_wait(&bar);
		if (!id) m.a = m.b = 0;
	}
	return 0;
}

int main(void)
{
	contention();
	puts("contention");
	run(passing);
	puts("passing");
	m.a = 0;
	pthread_barrier_init(&bar, 0, 2);
	run(buffering);
	puts(failed ? "failed" : "ok");
	return failed;
}
