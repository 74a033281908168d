/* SPDX-License-Identifier: MIT */
/* seek.c - loops that look for something in memory (ir/seek.c), up to the end of a page after which there is none: where
 * they end, or what the handler of the fault finds; each compared with what the loop says, one turn after another */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, NEAR = 150 };
static unsigned char *const arena = (unsigned char *)0x20000000, *const end = (unsigned char *)0x20000000 + 2 * PAGE;
static sigjmp_buf out;
static uint64_t at;
static long tried, wrong;

/* p, q, n, c, k: what the loop is given; x, y, z: what it loads or makes; fault: ended by one */
struct state { uint64_t p, q, n, c, k, x, y, z, fault; };
static struct state now;

#ifdef __riscv
#define REG(n) u->uc_mcontext.__gregs[n]
#define REGS(s) {REG(10), REG(11), REG(12), REG(13), REG(14), REG(5), REG(6), REG(7), 1}
#define RUN(code) \
	register uint64_t p __asm__("a0") = s.p, q __asm__("a1") = s.q, n __asm__("a2") = s.n, c __asm__("a3") = s.c, \
	    k __asm__("a4") = s.k, x __asm__("t0") = s.x, y __asm__("t1") = s.y, z __asm__("t2") = s.z; \
	__asm__ volatile(code : "+r"(p), "+r"(q), "+r"(n), "+r"(c), "+r"(k), "+r"(x), "+r"(y), "+r"(z) : : "memory")
#define STRCMP "1: lbu t0, 0(a0)\n addi a1, a1, 1\n addi a0, a0, 1\n lbu t1, -1(a1)\n beqz t0, 2f\n beq t0, t1, 1b\n2:"
#define WORDS "1: ld t0, 0(a0)\n addi t2, a0, 8\n add t1, t0, a3\n not t0, t0\n and t1, t1, t0\n and t1, t1, a4\n" \
	"beqz t1, 3f\n j 2f\n3: mv a0, t2\n j 1b\n2:"
#define MEMCHR "j 2f\n1: addi a2, a2, -1\n addi a0, a0, 1\n beqz a2, 3f\n2: lbu t0, 0(a0)\n bne t0, a3, 1b\n3:"
#else
#define REG(n) u->uc_mcontext.regs[n]
#define REGS(s) {REG(0), REG(1), REG(2), REG(3), REG(4), REG(9), REG(10), REG(11), 1}
#define RUN(code) \
	register uint64_t p __asm__("x0") = s.p, q __asm__("x1") = s.q, n __asm__("x2") = s.n, c __asm__("x3") = s.c, \
	    k __asm__("x4") = s.k, x __asm__("x9") = s.x, y __asm__("x10") = s.y, z __asm__("x11") = s.z; \
	__asm__ volatile(code : "+r"(p), "+r"(q), "+r"(n), "+r"(c), "+r"(k), "+r"(x), "+r"(y), "+r"(z) : : "memory", "cc")
#define STRCMP "1: ldrb w9, [x0]\n add x1, x1, 1\n add x0, x0, 1\n ldrb w10, [x1, -1]\n cbz w9, 2f\n cmp w9, w10\n" \
	"b.eq 1b\n2:"
#define WORDS "1: ldr x9, [x0]\n add x11, x0, 8\n add x10, x9, x3\n mvn x9, x9\n and x10, x10, x9\n and x10, x10, x4\n" \
	"cbz x10, 3f\n b 2f\n3: mov x0, x11\n b 1b\n2:"
#define MEMCHR "b 2f\n1: sub x2, x2, 1\n add x0, x0, 1\n cbz x2, 3f\n2: ldrb w9, [x0]\n cmp w9, w3\n b.ne 1b\n3:"
#endif

static void
handler(int sig, siginfo_t *si, void *uc)
{
	const ucontext_t *u = uc;

	(void)sig;
	now = (struct state)REGS(s);
	at = (uint64_t)(uintptr_t)si->si_addr;
	siglongjmp(out, 1);
}

#define LOOP(name, code) \
	static __attribute__((noinline)) struct state name(struct state s) \
	{ \
		RUN(code); \
		return (struct state){p, q, n, c, k, x, y, z, 0}; \
	}
LOOP(compare, STRCMP)
LOOP(words, WORDS)
LOOP(find, MEMCHR)

/* Loads n bytes; 0 if they are not there, which *from tells. */
static int
load(struct state *s, uint64_t *to, uint64_t a, int n, uint64_t *from)
{
	s->fault = a + (uint64_t)n > (uint64_t)(uintptr_t)end;
	*from = a > (uint64_t)(uintptr_t)end ? a : (uint64_t)(uintptr_t)end;
	if (s->fault)
		return 0;
	*to = 0;
	memcpy(to, (void *)(uintptr_t)a, (size_t)n);
	return 1;
}

static void
compare_slow(struct state *s, uint64_t *from)
{
	do {
		if (!load(s, &s->x, s->p, 1, from))
			return;
		s->q++;
		s->p++;
		if (!load(s, &s->y, s->q - 1, 1, from))
			return;
	} while (s->x && s->x == s->y);
}

static void
words_slow(struct state *s, uint64_t *from)
{
	for (;; s->p = s->z) {
		if (!load(s, &s->x, s->p, 8, from))
			return;
		s->z = s->p + 8;
		s->y = (s->x + s->c) & ~s->x & s->k;
		s->x = ~s->x;
		if (s->y)
			return;
	}
}

static void
find_slow(struct state *s, uint64_t *from)
{
	for (;;) {
		if (!load(s, &s->x, s->p, 1, from) || s->x == s->c)
			return;
		s->n--;
		s->p++;
		if (!s->n)
			return;
	}
}

static void
both(const char *name, struct state (*f)(struct state), void (*slow)(struct state *, uint64_t *), struct state s)
{
	struct state want = s;
	uint64_t from = 0;

	at = 0;
	if (!sigsetjmp(out, 1))
		now = f(s);
	slow(&want, &from);
	tried++;
	if (memcmp(&now, &want, sizeof now) || (now.fault && at != from)) {
		if (!wrong++)
			printf("%s: p %lx, not %lx; x %lx, not %lx; fault %lx at %lx, not %lx\n", name, (long)now.p, (long)want.p,
			    (long)now.x, (long)want.x, (long)now.fault, (long)at, (long)from);
	}
}

/* Streams begin at p and q; a byte that ends them, if any, is that far before the end of the page. */
static void
all(int p, int q, int last)
{
	struct state s = {(uint64_t)(uintptr_t)end - (uint64_t)p, (uint64_t)(uintptr_t)end - (uint64_t)q, 0, 0, 0, 11, 12, 13, 0};

	memset(arena, 'a', 2 * PAGE);
	if (last)
		end[-last] = 0;
	both("compare", compare, compare_slow, s);
	if (last)
		end[-last] = 'b';
	both("compare", compare, compare_slow, s);
	s.c = 'b';
	s.n = (uint64_t)q;
	both("find", find, find_slow, s);
	if (last)
		end[-last] = 0;
	s.p &= ~(uint64_t)7;
	s.c = 0xfefefefefefefeff;
	s.k = 0x8080808080808080;
	both("words", words, words_slow, s);
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &sa, 0);
	if (mmap(arena, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != arena)
		return 1;
	mprotect(arena + 2 * PAGE, PAGE, PROT_NONE);
	for (int p = 1; p < NEAR; p += 1 + p / 20)
		for (int last = 0; last < NEAR; last += 1 + last / 12)
			all(p, NEAR - p, last);
	for (int p = PAGE - 80; p < PAGE + 80; p += 7)
		all(p, p + 13, 5);
	all(PAGE, 300, 0);
	printf("%ld tried, %ld wrong\n", tried, wrong);
	return wrong != 0;
}
