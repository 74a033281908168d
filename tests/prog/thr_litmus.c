// The guest's memory model: outcomes that it forbids, looked for.  LITMUS_ROUNDS: how often each test is tried.
// jit only: the interpreter is as slow as it is orderly
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 512, MAXTHREAD = 4 };
struct cell { _Alignas(64) atomic_int x; _Alignas(64) atomic_int y; };
static struct cell cell[N];
static int r[MAXTHREAD][2][N];
static atomic_int turn[MAXTHREAD], go;
static int nthread, quit;

#define RLX memory_order_relaxed
#define ACQ memory_order_acquire
#define REL memory_order_release
#define SC memory_order_seq_cst

// the guest's full barrier, and those of loads and of stores
#ifdef __aarch64__
#define FULL() __asm__ volatile("dmb ish" ::: "memory")
#define LD() __asm__ volatile("dmb ishld" ::: "memory")
#define ST() __asm__ volatile("dmb ishst" ::: "memory")
// one exclusive load alone, an exclusive pair that stores v (what was there comes back), one that adds 1, and the same by CAS
#define LL "ldaxr %w0, [%1]"
#define XCHG "1: ldaxr %w0, [%2]\n\tstlxr %w1, %w3, [%2]\n\tcbnz %w1, 1b"
#define INC "1: ldxr %w0, [%2]\n\tadd %w1, %w0, %w3\n\tstxr w17, %w1, [%2]\n\tcbnz w17, 1b"
#define CAS ".arch armv8.1-a\n1: ldr %w1, [%2]\n\tmov %w0, %w1\n\tcasal %w0, %w3, [%2]\n\tcmp %w0, %w1\n\tb.ne 1b"
#define CASINC ".arch armv8.1-a\n1: ldr %w0, [%2]\n\tmov w17, %w0\n\tadd %w1, %w0, %w3\n\tcas w17, %w1, [%2]\n\tcmp w17, %w0\n\tb.ne 1b"
#define CLOBBER "x17", "cc", "memory"
#else
#define FULL() __asm__ volatile("fence rw,rw" ::: "memory")
#define LD() __asm__ volatile("fence r,rw" ::: "memory")
#define ST() __asm__ volatile("fence w,w" ::: "memory")
#define LL "lr.w.aqrl %0, (%1)"
#define XCHG "1: lr.w.aqrl %0, (%2)\n\tsc.w.aqrl %1, %3, (%2)\n\tbnez %1, 1b"
#define INC "1: lr.w %0, (%2)\n\tadd %1, %0, %3\n\tsc.w %1, %1, (%2)\n\tbnez %1, 1b"
#define CAS "1: lw t0, 0(%2)\n2: lr.w.aqrl %0, (%2)\n\tbne %0, t0, 1b\n\tsc.w.aqrl %1, %3, (%2)\n\tbnez %1, 2b"
#define CASINC "1: lw t0, 0(%2)\n2: lr.w %0, (%2)\n\tbne %0, t0, 1b\n\tadd %1, %0, %3\n\tsc.w %1, %1, (%2)\n\tbnez %1, 2b"
#define CLOBBER "t0", "memory"
#endif
#define RMW(how, p, v) ({ int old_, new_; \
	__asm__ volatile(how : "=&r"(old_), "=&r"(new_) : "r"(p), "r"(v) : CLOBBER); old_; })
#define LINKED(p) ({ int old_; __asm__ volatile(LL : "=&r"(old_) : "r"(p) : CLOBBER); old_; })

typedef void body(int t, struct cell *c, int *a, int *b);
struct test { const char *name; int threads; body *body; int (*forbidden)(int i); };

static void sb_sc(int t, struct cell *c, int *a, int *b)
{
	atomic_store_explicit(t ? &c->y : &c->x, 1, SC);
	*a = atomic_load_explicit(t ? &c->x : &c->y, SC);
}
static void sb_fence(int t, struct cell *c, int *a, int *b)
{
	atomic_store_explicit(t ? &c->y : &c->x, 1, RLX);
	FULL();
	*a = atomic_load_explicit(t ? &c->x : &c->y, RLX);
}
static void sb_rmw(int t, struct cell *c, int *a, int *b)
{
	atomic_exchange_explicit(t ? &c->y : &c->x, 1, SC);
	*a = atomic_load_explicit(t ? &c->x : &c->y, SC);
}
static int sb_bad(int i) { return !r[0][0][i] && !r[1][0][i]; }

static void mp_acqrel(int t, struct cell *c, int *a, int *b)
{
	if (!t) {
		atomic_store_explicit(&c->x, 1, RLX);
		atomic_store_explicit(&c->y, 1, REL);
	} else {
		*a = atomic_load_explicit(&c->y, ACQ);
		*b = atomic_load_explicit(&c->x, RLX);
	}
}
static void mp_fence(int t, struct cell *c, int *a, int *b)
{
	if (!t) {
		atomic_store_explicit(&c->x, 1, RLX);
		ST();
		atomic_store_explicit(&c->y, 1, RLX);
	} else {
		*a = atomic_load_explicit(&c->y, RLX);
		LD();
		*b = atomic_load_explicit(&c->x, RLX);
	}
}
static int mp_bad(int i) { return r[1][0][i] && !r[1][1][i]; }

static void lb_fence(int t, struct cell *c, int *a, int *b)
{
	*a = atomic_load_explicit(t ? &c->y : &c->x, RLX);
	LD();
	atomic_store_explicit(t ? &c->x : &c->y, 1, RLX);
}
static int lb_bad(int i) { return r[0][0][i] && r[1][0][i]; }

static void iriw_sc(int t, struct cell *c, int *a, int *b)
{
	if (t < 2) {
		atomic_store_explicit(t ? &c->y : &c->x, 1, SC);
	} else {
		*a = atomic_load_explicit(t == 2 ? &c->x : &c->y, SC);
		*b = atomic_load_explicit(t == 2 ? &c->y : &c->x, SC);
	}
}
static int iriw_bad(int i) { return r[2][0][i] && !r[2][1][i] && r[3][0][i] && !r[3][1][i]; }

static void inc(int t, struct cell *c, int *a, int *b)
{
	int old = atomic_load_explicit(&c->x, RLX);

	while (!atomic_compare_exchange_weak_explicit(&c->x, &old, old + 1, RLX, RLX))
		;
	*a = old;
}
static void inc_ll(int t, struct cell *c, int *a, int *b) { *a = RMW(INC, &c->x, 1); }
static void inc_cas(int t, struct cell *c, int *a, int *b) { *a = RMW(CASINC, &c->x, 1); }
static int inc_bad(int i) { return r[0][0][i] == r[1][0][i]; }

// The four again by exclusives, and by compare and swap.
static void sb_ll(int t, struct cell *c, int *a, int *b) { RMW(XCHG, t ? &c->y : &c->x, 1); *a = LINKED(t ? &c->x : &c->y); }
static void sb_cas(int t, struct cell *c, int *a, int *b) { RMW(CAS, t ? &c->y : &c->x, 1); *a = LINKED(t ? &c->x : &c->y); }
static void mp_ll(int t, struct cell *c, int *a, int *b)
{
	if (!t) {
		atomic_store_explicit(&c->x, 1, RLX);
		RMW(XCHG, &c->y, 1);
	} else {
		*a = LINKED(&c->y);
		*b = atomic_load_explicit(&c->x, RLX);
	}
}
static void mp_cas(int t, struct cell *c, int *a, int *b)
{
	if (!t) {
		atomic_store_explicit(&c->x, 1, RLX);
		RMW(CAS, &c->y, 1);
	} else {
		*a = RMW(CAS, &c->y, 2);
		*b = atomic_load_explicit(&c->x, RLX);
	}
}
static void lb_ll(int t, struct cell *c, int *a, int *b) { *a = LINKED(t ? &c->y : &c->x); RMW(XCHG, t ? &c->x : &c->y, 1); }
static void lb_cas(int t, struct cell *c, int *a, int *b)
{
	*a = RMW(CAS, t ? &c->y : &c->x, 2) == 1;
	RMW(CAS, t ? &c->x : &c->y, 1);
}
static void iriw_ll(int t, struct cell *c, int *a, int *b)
{
	if (t < 2) {
		RMW(XCHG, t ? &c->y : &c->x, 1);
	} else {
		*a = LINKED(t == 2 ? &c->x : &c->y);
		*b = LINKED(t == 2 ? &c->y : &c->x);
	}
}
static void iriw_cas(int t, struct cell *c, int *a, int *b)
{
	if (t < 2) {
		RMW(CAS, t ? &c->y : &c->x, 1);
	} else {
		*a = LINKED(t == 2 ? &c->x : &c->y);
		*b = LINKED(t == 2 ? &c->y : &c->x);
	}
}

static const struct test test[] = {
	{"store buffering, seq_cst", 2, sb_sc, sb_bad},
	{"store buffering, full barriers", 2, sb_fence, sb_bad},
	{"store buffering, exchanges", 2, sb_rmw, sb_bad},
	{"message passing, release and acquire", 2, mp_acqrel, mp_bad},
	{"message passing, barriers", 2, mp_fence, mp_bad},
	{"load buffering, barriers", 2, lb_fence, lb_bad},
	{"compare and exchange", 2, inc, inc_bad},
	{"exclusive pair", 2, inc_ll, inc_bad},
	{"compare and swap", 2, inc_cas, inc_bad},
	{"store buffering, exclusives", 2, sb_ll, sb_bad},
	{"store buffering, compare and swap", 2, sb_cas, sb_bad},
	{"message passing, exclusives", 2, mp_ll, mp_bad},
	{"message passing, compare and swap", 2, mp_cas, mp_bad},
	{"load buffering, exclusives", 2, lb_ll, lb_bad},
	{"load buffering, compare and swap", 2, lb_cas, lb_bad},
	{"independent reads of independent writes, seq_cst", 4, iriw_sc, iriw_bad},
	{"independent reads of independent writes, exclusives", 4, iriw_ll, iriw_bad},
	{"independent reads of independent writes, compare and swap", 4, iriw_cas, iriw_bad},
};
static const struct test *now;

static void
share(int t)
{
	for (int i = 0; i < N; i++)
		now->body(t, &cell[i], &r[t][0][i], &r[t][1][i]);
}

// Spins, so that all start at once; not for long, for there may be fewer processors than threads.
static void
await(atomic_int *word, int round, int equal)
{
	for (int n = 0; (atomic_load(word) == round) != equal; n++)
		if (n > (equal || nthread == 2 ? 20000 : 200))
			sched_yield();
}

static void *
worker(void *arg)
{
	int t = (int)(long)arg, round = atomic_load(&turn[t]);

	for (;;) {
		await(&go, round, 0);
		round++;
		if (quit)
			return 0;
		if (t < nthread)
			share(t);
		atomic_store(&turn[t], round);
	}
}

int
main(void)
{
	long rounds = getenv("LITMUS_ROUNDS") ? atol(getenv("LITMUS_ROUNDS")) : 500000;
	pthread_t id[MAXTHREAD];
	int round = 0, made = 1;

	for (unsigned k = 0; k < sizeof test / sizeof *test; k++) {
		long bad = 0, batches = (test[k].threads > 2 ? rounds / 10 : rounds) / N + 1;

		now = &test[k];
		nthread = now->threads;
		for (; made < nthread; made++) {
			atomic_store(&turn[made], round);
			pthread_create(&id[made], 0, worker, (void *)(long)made);
		}
		while (batches--) {
			memset(cell, 0, sizeof cell);
			atomic_store(&go, ++round);
			share(0);
			for (int t = 1; t < made; t++)
				await(&turn[t], round, 1);
			for (int i = 0; i < N; i++)
				bad += now->forbidden(i);
		}
		printf("%s: %ld forbidden\n", now->name, bad);
	}
	quit = 1;
	atomic_store(&go, ++round);
	for (int t = 1; t < MAXTHREAD; t++)
		pthread_join(id[t], 0);
	return 0;
}
