/* Loops that copy words or store one again and again: from and to anywhere, near each other or not; and what a handler
 * finds in registers and memory where one runs into a page that cannot be read or written, and what comes out if it mends
 * the page. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, ARENA = 8 * PAGE };
static unsigned char *const arena = (unsigned char *)0x20000000;

/* to, from, turns, word */
typedef void loop_fn(unsigned char *, const unsigned char *, long, uint64_t);

#ifdef __riscv
enum { WHOLE = 1, FIRST = 10, LAST = 31 };     /* bytes that fault as a whole; registers to look at */
#define REGS(m) ((const unsigned long *)(m)->__gregs)
#define PC(m) REGS(m)[0]
#define BEGIN(name) ".globl " #name "\n" #name ":\n" \
	"li a4, 0\nli a5, 0\nli a6, 0\nli a7, 0\nli t0, 0\nli t1, 0\nli t2, 0\nli t3, 0\nli t4, 0\nli t5, 0\nli t6, 0\n"
#define MOVE(r, n) "ld " r ", " #n "(a1)\nsd " r ", " #n "(a0)\n"
loop_fn carried, counted, eight, mixed, fill2, fill8;
__asm__(".text\n"
	BEGIN(carried)
	"ld a4, 0(a1)\nmv a5, a0\nmv a7, a0\n"
	"1: ld a6, 8(a1)\nsd a4, 0(a7)\nld a4, 16(a1)\naddi a0, a5, 8\nsd a6, 0(a0)\n"
	"addi a2, a2, -1\naddi a1, a1, 16\naddi a5, a5, 16\nmv a7, a5\nbeqz a2, 2f\nj 1b\n"
	"2: sd a4, 0(a7)\nret\n"
	BEGIN(counted)
	"1: " MOVE("t0", 0) "ld t1, 16(a1)\nld t2, 8(a1)\nsd t1, 16(a0)\nsd t2, 8(a0)\n" MOVE("t3", 24)
	"addi t4, t4, 1\naddi a0, a0, 32\naddi a1, a1, 32\nblt t4, a2, 1b\nret\n"
	BEGIN(eight)
	"slli a2, a2, 6\nadd a2, a2, a0\n"
	"1: " MOVE("t0", 0) MOVE("t1", 8) MOVE("t2", 16) MOVE("t3", 24) MOVE("t0", 32) MOVE("t1", 40) MOVE("t2", 48)
	MOVE("t3", 56) "addi a0, a0, 64\naddi a1, a1, 64\nbltu a0, a2, 1b\nret\n"
	BEGIN(mixed)
	"1: " MOVE("t0", 8) MOVE("t1", 24) MOVE("t2", 0) MOVE("t3", 16)
	"addi a2, a2, -1\naddi a0, a0, 32\naddi a1, a1, 32\nbnez a2, 1b\nret\n"
	BEGIN(fill2)
	"slli a2, a2, 4\nadd a2, a2, a0\n1: sd a3, 8(a0)\nsd a3, 0(a0)\naddi a0, a0, 16\nbne a0, a2, 1b\nret\n"
	BEGIN(fill8)
	"1: sd a3, 0(a0)\nsd a3, 8(a0)\nsd a3, 16(a0)\nsd a3, 24(a0)\nsd a3, 32(a0)\nsd a3, 40(a0)\nsd a3, 48(a0)\n"
	"sd a3, 56(a0)\naddi a0, a0, 64\naddi a2, a2, -1\nbnez a2, 1b\nret\n");
static const struct { const char *name; loop_fn *f; int bytes, copies; } loops[] = {
	{ "carried", carried, 16, 1 }, { "counted", counted, 32, 1 }, { "eight", eight, 64, 1 },
	{ "mixed", mixed, 32, 1 }, { "fill2", fill2, 16, 0 }, { "fill8", fill8, 64, 0 },
};
#else
enum { WHOLE = 32, FIRST = 0, LAST = 7 };
#define REGS(m) ((const unsigned long *)(m)->regs)
#define PC(m) (m)->pc
#define BEGIN(name) ".globl " #name "\n" #name ":\n" \
	"movi v0.16b, #0\nmovi v1.16b, #0\nmovi v2.16b, #0\nmovi v3.16b, #0\nmov x4, #0\nmov x5, #0\nmov x6, #0\nmov x7, #0\n"
#define MOVE(r, n) "ldr " r ", [x1, #" #n "]\nstr " r ", [x0, #" #n "]\n"
loop_fn pipelined, onequad, quads, pairs, mixed, fill;
__asm__(".text\n"
	BEGIN(pipelined)
	"ldp q0, q1, [x1]\nldp q2, q3, [x1, #32]\nlsl x2, x2, #6\nadd x0, x0, #16\n"
	"1: stp q0, q1, [x0, #-16]\nldp q0, q1, [x1, #64]\nstp q2, q3, [x0, #16]\nldp q2, q3, [x1, #96]\n"
	"add x1, x1, #64\nadd x0, x0, #64\nsubs x2, x2, #64\nb.hi 1b\n"
	"stp q0, q1, [x0, #-16]\nstp q2, q3, [x0, #16]\nret\n"
	BEGIN(onequad)
	"ldr q0, [x1]\n"
	"1: ldr q1, [x1, #16]\nstp q0, q1, [x0], #32\nldr q0, [x1, #32]!\nsubs x2, x2, #1\nb.ne 1b\nstr q0, [x0]\nret\n"
	BEGIN(quads)
	"1: ldp q1, q0, [x1], #32\nstp q1, q0, [x0], #32\nsub x2, x2, #1\ncmp x2, #0\nb.gt 1b\nret\n"
	BEGIN(pairs)
	"1: ldp x5, x6, [x1], #16\nstp x5, x6, [x0], #16\nsubs x2, x2, #1\nb.pl 1b\nret\n"
	BEGIN(mixed)
	"1: " MOVE("q0", 16) MOVE("q1", 48) MOVE("q2", 0) MOVE("q3", 32)
	"add x1, x1, #64\nadd x0, x0, #64\nsubs x2, x2, #1\nb.ne 1b\nret\n"
	BEGIN(fill)
	"1: stp x3, x3, [x0]\nstp x3, x3, [x0, #16]\nadd x0, x0, #32\nsubs x2, x2, #1\nb.ne 1b\nret\n");
static const struct { const char *name; loop_fn *f; int bytes, copies; } loops[] = {
	{ "pipelined", pipelined, 64, 1 }, { "onequad", onequad, 32, 1 }, { "quads", quads, 32, 1 },
	{ "pairs", pairs, 16, 1 }, { "mixed", mixed, 64, 1 }, { "fill", fill, 32, 0 },
};
#endif
enum { LOOPS = sizeof loops / sizeof *loops };

static uint64_t
hash(uint64_t h, const void *p, size_t n)
{
	uint64_t word;

	for (const unsigned char *s = p; n >= 8; s += 8, n -= 8) {
		memcpy(&word, s, 8);
		h = (h ^ word) * 0x100000001b3;
		h ^= h >> 29;
	}
	return h;
}

static void
begin(void)
{
	uint64_t x = 1;

	for (int n = 0; n < ARENA; n += 8) {
		x = x * 6364136223846793005 + 1442695040888963407;
		memcpy(arena + n, &x, 8);
	}
}

/* From each distance, up and down; the more of them the fewer turns. */
static void
distances(int k)
{
	static const int turns[] = {1, 2, 3, 7, 20, 64, 150};
	uint64_t h = 0;

	begin();
	for (int n = 0; n < 7; n++)
		for (int by = -140; by <= 140; by++) {
			unsigned char *to = arena + 2 * PAGE + (by * 37 & 0xfff);

			loops[k].f(to, to - by, turns[n], 0x0123456789abcdef * (uint64_t)by);
			h = hash(h, to - 256, 10240);
		}
	for (int by = PAGE - 80; by < PAGE + 160; by++) {
		loops[k].f(arena + by, arena, 300, (uint64_t)by);
		h = hash(h, arena, ARENA);
	}
	printf("%s: %016llx\n", loops[k].name, (unsigned long long)h);
}

static sigjmp_buf out;
static unsigned char *mend;
static uint64_t found, first;

static void
vectors(const mcontext_t *m)
{
#ifdef __aarch64__
	found = hash(found, ((const struct fpsimd_context *)m->__reserved)->vregs, 4 * 16);
#endif
}

static void
handler(int sig, siginfo_t *si, void *uc)
{
	const mcontext_t *m = &((ucontext_t *)uc)->uc_mcontext;
	uint64_t pc = PC(m) - first;

	found = hash(found, &si->si_addr, 8);
	found = hash(found, &pc, 8);
	found = hash(found, REGS(m) + FIRST, 8 * 8);
	found = hash(found, REGS(m) + LAST - 3, 4 * 8);
	vectors(m);
	found = hash(found, arena + PAGE, 2 * PAGE);
	if (!mend)
		siglongjmp(out, 1);
	mprotect(mend, PAGE, PROT_READ | PROT_WRITE);
}

/* The fourth page cannot be used in some way. */
static uint64_t
broken(int k, int stored, int offset, int length, int mends, int prot)
{
	unsigned char *near = arena + 3 * PAGE - length + offset, *far = arena + 5 * PAGE + 24;

	begin();
	found = 0;
	first = (uint64_t)(uintptr_t)loops[k].f;
	mend = mends ? arena + 3 * PAGE : 0;
	mprotect(arena + 3 * PAGE, PAGE, prot);
	if (!sigsetjmp(out, 1))
		loops[k].f(stored ? near : far, stored ? far : near, length * 2 / loops[k].bytes, 0xfedcba9876543210);
	mprotect(arena + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE);
	return hash(found, arena, ARENA);
}

static void
faults(int k)
{
	for (int stored = !loops[k].copies; stored < 2; stored++) {
		uint64_t h = 0;

		for (int offset = 0; offset < 130; offset += WHOLE)
			for (int length = 64; length < PAGE; length += length * 2)
				for (int mends = 0; mends < 2; mends++)
					h = h * 31 + broken(k, stored, offset, length, mends, stored && offset / WHOLE & 1 ? PROT_READ : PROT_NONE);
		printf("%s, %s: %016llx\n", loops[k].name, stored ? "stored" : "loaded", (unsigned long long)h);
	}
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &sa, 0);
	if (mmap(arena, ARENA + 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != arena)
		return 1;
	for (int k = 0; k < LOOPS; k++) {
		distances(k);
		faults(k);
	}
	return 0;
}
