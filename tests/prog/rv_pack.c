// guest: riscv64
// Words that are computed byte by byte, with masks that are loaded and bytes that are spilled in between: wherever these lie
// among the bytes; and what a handler finds in registers and memory where one of the accesses faults, and afterwards.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, ARENA = 8 * PAGE, NREG = 31, TURNS = 40 };
static unsigned char *const arena = (unsigned char *)0x20000000;
static sigjmp_buf out;
static uint64_t reg[NREG], at;
static unsigned char *mend;
extern char begin[];

static uint64_t
hash(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;

	while (n--)
		h = (h ^ *s++) * 0x100000001b3;
	return h ^ h >> 29;
}

static void
handler(int sig, siginfo_t *si, void *uc)
{
	memcpy(reg, ((ucontext_t *)uc)->uc_mcontext.__gregs, sizeof reg);
	reg[0] -= (uint64_t)begin;
	at = (uint64_t)((unsigned char *)si->si_addr - arena);
	if (!mend)
		siglongjmp(out, 1);
	mprotect(mend, PAGE, PROT_READ | PROT_WRITE);
}

// a3: what has been put together; t0: byte K, which mask N of the frame follows
#define LESS(K) "lbu t0, " #K "(a0)\n lbu t1, " #K "(a1)\n sltu t0, t0, t1\n negw t0, t0\n zext.b t0, t0\n"
#define LAST(K) "lbu t0, " #K "(a0)\n lbu t1, " #K "(a1)\n sltu t0, t0, t1\n negw t0, t0\n"
#define HALF(S) "srli t0, a4, " #S "\n andi t0, t0, 127\n"
#define UP(N) "slli t0, t0, " #N "\n"
#define MASK(N) "ld t2, 8*(2+" #N ")(a2)\n and a3, a3, t2\n"
#define WITH "or a3, a3, t0\n"
#define SPILL(R, N) "sd " R ", 8*" #N "(a2)\n"
#define FILL(R, N) "ld " R ", 8*" #N "(a2)\n"

// turns in which x is replaced: x, y and the frame move on by so many bytes
static void __attribute__((noinline))
blend(unsigned char *x, unsigned char *y, unsigned char *frame, long turns, long dx, long dy, long df)
{
	register unsigned char *a0 asm("a0") = x, *a1 asm("a1") = y, *a2 asm("a2") = frame;
	register long s2 asm("s2") = turns, s3 asm("s3") = dx, s4 asm("s4") = dy, s5 asm("s5") = df;

	asm volatile(".option push\n .option arch, -c\n .globl begin\nbegin:\n"
	    "li t0, 0\n li t1, 0\n li t3, 0\n li t4, 0\n li t5, 0\n li t6, 0\n li a3, 0\n li a4, 0\n li a5, 0\n li a6, 0\n"
	    "1: ld a4, 0(a0)\n ld t2, 0(a1)\n lbu t3, 5(a0)\n" SPILL("t3", 0) "xor a4, a4, t2\n"
	    HALF(1) "mv a3, t0\n" MASK(0) HALF(9) UP(8) WITH MASK(1) HALF(17) UP(16) WITH MASK(2) "lbu t4, 6(a1)\n" SPILL("t4", 1)
	    HALF(25) UP(24) WITH MASK(3) HALF(33) UP(32) WITH MASK(4) HALF(41) UP(40) WITH MASK(5) HALF(49) UP(48) WITH MASK(6)
	    "srli t0, a4, 57\n" UP(56) WITH "mv a5, a3\n"
	    LESS(0) "mv a3, t0\n" MASK(0) LESS(1) UP(8) WITH MASK(1) LESS(2) UP(16) WITH MASK(2) LESS(3) UP(24) WITH
	    MASK(3) LESS(4) UP(32) WITH MASK(4) "lbu t1, 5(a1)\n" FILL("t0", 0) "sltu t0, t0, t1\n negw t0, t0\n zext.b t0, t0\n"
	    UP(40) WITH MASK(5) FILL("t1", 1) "lbu t0, 6(a0)\n sltu t0, t0, t1\n negw t0, t0\n zext.b t0, t0\n"
	    UP(48) WITH MASK(6) LAST(7) UP(56) WITH
	    "and a5, a5, a3\n not a3, a3\n and t5, a4, a3\n or a5, a5, t5\n sd a5, 0(a0)\n"
	    "add a6, a6, a5\n add a0, a0, s3\n add a1, a1, s4\n add a2, a2, s5\n addi s2, s2, -1\n bnez s2, 1b\n .option pop"
	    : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(s2) : "r"(s3), "r"(s4), "r"(s5)
	    : "memory", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a3", "a4", "a5", "a6");
}

static void
fill(uint64_t seed, int bytes)
{
	mprotect(arena, ARENA, PROT_READ | PROT_WRITE);
	for (int n = 0; n < bytes; n += 8) {
		uint64_t v;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		v = seed ^ seed >> 31;
		v |= n & 8 ? 0x00ff0000ff00ff00 : 0;
		memcpy(arena + n, &v, 8);
	}
}

// x, y and the frame within reach of each other
static uint64_t
aliases(void)
{
	enum { NEAR = 1024, FAR = NEAR / 2 };
	uint64_t h = 0;
	unsigned char *x = arena + 256;

	for (int d = -80; d <= 80; d += d >= 8 && d < 72 ? 8 : 1) {
		for (int seed = 0; seed < 16; seed++) {
			fill((uint64_t)seed, NEAR);
			blend(x + 3, x + FAR, x + 3 + d, 1, 0, 0, 0);
			h = hash(h, arena, NEAR);
		}
		blend(x + 3, x + FAR, x + 3 + d, 2, 8, 8, 0);
		blend(x + FAR, x + 3, x + 3 + d, 2, 8, 8, 0);
		blend(x, x + d, x + FAR, 2, 8, 8, 8);
		blend(x, x + d % 16, x + d, 2, 8, 8, 0);
		h = hash(h, arena, NEAR);
	}
	return h;
}

static uint64_t
apart(void)
{
	fill(1, ARENA);
	blend(arena + 5, arena + PAGE + 1, arena + 5 * PAGE, 400, 8, 8, 0);
	blend(arena, arena + 2 * PAGE, arena + 6 * PAGE - 100, 200, 8, 0, 1);
	return hash(0, arena, ARENA);
}

// which: x, y or the frame runs into a page that is not there, or cannot be written
static uint64_t
faults(int which, int prot, unsigned char *fix)
{
	uint64_t h = 0;

	for (int off = 0; off < 88; off += which == 2 || off < 8 ? 1 : 16) {
		unsigned char *p[3] = {arena + PAGE / 2, arena + 3 * PAGE, arena + 5 * PAGE};
		unsigned char *end = arena + 7 * PAGE;

		fill((uint64_t)off, ARENA);
		p[which] = end - (which == 2 ? off : off % 8 + 8 * TURNS);
		mprotect(end, PAGE, prot);
		mend = fix ? end : 0;
		at = 0;
		memset(reg, 0, sizeof reg);
		if (!sigsetjmp(out, 1))
			blend(p[0], p[1], p[2], TURNS + 3, 8, 8, which == 2 && off > 44);
		mprotect(arena, ARENA, PROT_READ | PROT_WRITE);
		h = hash(hash(h, arena, ARENA), &at, sizeof at);
		h = hash(h, reg, 8);                    // where; t0 to t2, a0 to a6, s2, t3 to t6
		h = hash(h, reg + 5, 24);
		h = hash(h, reg + 10, 56);
		h = hash(h, reg + 18, 8);
		h = hash(h, reg + 28, 24);
	}
	return h;
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	if (mmap(arena, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != arena)
		return 1;
	sigaction(SIGSEGV, &sa, 0);
	printf("apart %016llx\n", (unsigned long long)apart());
	printf("aliases %016llx\n", (unsigned long long)aliases());
	for (int which = 0; which < 3; which++) {
		printf("%c none %016llx\n", "xyf"[which], (unsigned long long)faults(which, PROT_NONE, 0));
		printf("%c read %016llx\n", "xyf"[which], (unsigned long long)faults(which, PROT_READ, 0));
		printf("%c mend %016llx\n", "xyf"[which], (unsigned long long)faults(which, PROT_NONE, arena));
	}
	return 0;
}
