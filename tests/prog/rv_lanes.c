// guest: riscv64
/* Words that are put together lane by lane, from halfwords and bytes that are loaded one by one: at all alignments, into
 * what they are loaded from, with a store between that may be to one of them, at the end of a page, and with signals. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

typedef int16_t v8h __attribute__((vector_size(16)));
typedef uint8_t v16b __attribute__((vector_size(16)));

static unsigned bad;
static volatile unsigned ticks;

/* -- what a compiler makes of vectors -- */

static int16_t
lane(int16_t x, int16_t y)
{
	int16_t t = (int16_t)(x * 13 + y);

	return (int16_t)((t > x ? t : x) ^ t >> 3);
}

static __attribute__((noinline)) void
halfwords(v8h *to, const v8h *x, const v8h *y)
{
	v8h t = *x * (int16_t)13 + *y, m = t > *x;

	*to = ((t & m) | (*x & ~m)) ^ (t >> 3);
}

static __attribute__((noinline)) void
bytes(v16b *to, const v16b *x, const v16b *y)
{
	v16b mean = (*x & *y) + ((*x ^ *y) >> 1), m = (v16b)(*x > *y);

	*to = (mean & m) | ((*x + (uint8_t)3) & ~m);
}

static void
vectors(unsigned seed)
{
	union { v8h h[8]; v16b b[8]; int16_t s[64]; uint8_t u[128]; } all, was;

	for (int n = 0; n < 128; n++)
		all.u[n] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
	was = all;
	halfwords(&all.h[0], &all.h[1], &all.h[2]);
	halfwords(&all.h[1], &all.h[1], &all.h[1]);
	bytes(&all.b[3], &all.b[4], &all.b[5]);
	bytes(&all.b[6], &all.b[6], &all.b[7]);
	for (int n = 0; n < 8; n++) {
		bad += all.s[n] != lane(was.s[8 + n], was.s[16 + n]);
		bad += all.s[8 + n] != lane(was.s[8 + n], was.s[8 + n]);
	}
	for (int n = 0; n < 16; n++) {
		uint8_t x = was.u[64 + n], y = was.u[80 + n], z = was.u[96 + n], w = was.u[112 + n];

		bad += all.u[48 + n] != (uint8_t)(x > y ? (x + y) / 2 : x + 3);
		bad += all.u[96 + n] != (uint8_t)(z > w ? (z + w) / 2 : z + 3);
	}
}

/* -- four halfwords, each three times; masks let all of it through, or not -- */

#define LH(r, n) "lh " r ", " #n "(%1)\n\t"
#define THRICE(r) "slliw t4, " r ", 1\n\taddw " r ", " r ", t4\n\t"
#define CUT(r, up) "slli " r ", " r ", 48\n\tsrli " r ", " r ", " #up "\n\t"
#define ADD(r) "or t0, t0, " r "\n\t"
#define MASK(m) "and t0, t0, " m "\n\t"
#define TOGETHER THRICE("t0") THRICE("t1") THRICE("t2") THRICE("t3") CUT("t0", 48) CUT("t1", 32) CUT("t2", 16) \
	"slli t3, t3, 48\n\t" MASK("%2") ADD("t1") MASK("%3") ADD("t2") ADD("t3") "mv %0, t0\n\t"
#define USED "t0", "t1", "t2", "t3", "t4", "memory"

static __attribute__((noinline)) uint64_t
thrice(const void *p, uint64_t m, uint64_t n)
{
	uint64_t t;

	__asm__ volatile(LH("t1", 2) LH("t0", 0) LH("t3", 6) LH("t2", 4) TOGETHER : "=&r"(t) : "r"(p), "r"(m), "r"(n) : USED);
	return t;
}

/* With a store of a halfword, which may be one of them, after half of the loads. */
static __attribute__((noinline)) uint64_t
thricestored(const void *p, void *q, uint64_t m)
{
	uint64_t t;

	__asm__ volatile(LH("t0", 0) LH("t2", 4) "sh %2, 0(%4)\n\t" LH("t1", 2) LH("t3", 6) TOGETHER :
	    "=&r"(t) : "r"(p), "r"(m), "r"(m), "r"(q) : USED);
	return t;
}

static uint64_t
number(const int16_t *v, uint64_t m, uint64_t n)
{
	uint64_t t = 0;

	for (int k = 0; k < 4; k++) {
		t = k == 1 ? t & m : k == 2 ? t & n : t;
		t |= (uint64_t)(uint16_t)(v[k] * 3) << 16 * k;
	}
	return t;
}

static void
places(unsigned n)
{
	static unsigned char at[64];
	int16_t v[4];
	uint64_t m = n % 3 ? 0xffffffff0000ffff : n * 0x123456789abcdef1, got;
	unsigned char *p = at + n % 32, *q = at + 8 + n / 32 % 16;

	for (unsigned k = 0; k < sizeof at; k++)
		at[k] = (unsigned char)(n * 7 + k * 37);
	memcpy(v, p, sizeof v);
	bad += thrice(p, m, ~m) != number(v, m, ~m);
	got = thricestored(p, q, m);
	if (q >= p + 2 && q < p + 8 && (q - p) % 2 == 0 && q != p + 4)
		v[(q - p) / 2] = (int16_t)m;
	else if (q + 1 > p && q < p + 8 && (q - p) % 2 != 0) {
		unsigned char now[8];

		memcpy(now, p, 8);
		memcpy(&v[1], now + 2, 2);
		memcpy(&v[3], now + 6, 2);
	}
	bad += got != number(v, m, m);
}

/* -- the end of a page: loads before the one that faults have been done, the others have not -- */

static sigjmp_buf back;
static unsigned char *end;
static uint64_t seen[4];

static void
fault(int sig, siginfo_t *info, void *context)
{
	const unsigned long *x = ((ucontext_t *)context)->uc_mcontext.__gregs;

	(void)sig;
	bad += (unsigned char *)info->si_addr != end;
	memcpy(seen, (uint64_t[]){x[5], x[6], x[7], x[28]}, sizeof seen);
	siglongjmp(back, 1);
}

static __attribute__((noinline)) void
upto(const void *p)
{
	uint64_t t;

	__asm__ volatile("li t0, 100\n\tli t1, 101\n\tli t2, 102\n\tli t3, 103\n\t"
	    LH("t0", 0) LH("t1", 2) LH("t2", 4) LH("t3", 6) TOGETHER : "=&r"(t) : "r"(p), "r"(~0ul), "r"(~0ul) : USED);
	bad += t != number(p, ~0ul, ~0ul);
}

static void
edges(void)
{
	for (int k = 0; k <= 4; k++) {
		volatile int done = 0;

		if (!sigsetjmp(back, 1)) {
			upto(end - 2 * k);
			done = 1;
		}
		bad += done != (k == 4);
		for (int n = 0; n < 4 && !done; n++)
			bad += seen[n] != (n < k ? (uint64_t)(int64_t)((int16_t *)end)[n - k] : (uint64_t)(100 + n));
	}
}

static void tick(int sig) { (void)sig; ticks++; }

int
main(void)
{
	unsigned char *page = mmap(0, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct itimerval often = {{0, 500}, {0, 500}};

	end = page + 4096;
	memset(page, 0x85, 4096);
	mprotect(end, 4096, PROT_NONE);
	sigaction(SIGSEGV, &(struct sigaction){.sa_sigaction = fault, .sa_flags = SA_SIGINFO}, 0);
	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &often, 0);
	for (unsigned n = 0; n < 4000 || ticks < 20; n++) {
		vectors(n);
		places(n);
		if (n % 16 == 0)
			edges();
	}
	printf("%u wrong\n", bad);
	return 0;
}
