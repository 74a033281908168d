// Faults at every load and store: small kernels run with the end, or the beginning, of what they read or write in a page that
// may not be touched, a byte further each time.  The handler opens the page and prints where the fault was, what was touched
// and a sum of the registers; the kernel goes on and its result is what it is without faults.  What is printed must be what
// qemu-user prints.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { N = 96, PAGE = 4096 };
#define KERNEL __attribute__((noinline, optimize("no-tree-loop-distribute-patterns"))) static long
typedef short half __attribute__((may_alias));
typedef uint64_t word __attribute__((may_alias));
typedef int int1 __attribute__((may_alias));
typedef float float1 __attribute__((may_alias));
typedef double double1 __attribute__((may_alias));
typedef long kernel(char *s, char *d, long n);
long clean(kernel *f, char *s, char *d, long n);       // f(s, d, n) with all other registers zero

KERNEL bytes(char *s, char *d, long n) { long i; for (i = 0; i < n; i++) d[i] = s[i]; return i; }
KERNEL halves(char *s, char *d, long n)
{
	for (long i = 0; i < n; i += 2) *(half *)(d + i) = *(half *)(s + i) + 3;
	return n;
}
KERNEL words(char *s, char *d, long n)
{
	uint64_t sum = 0;
	for (long i = 0; i < n; i += 8) sum = sum * 3 + *(word *)(s + i), *(word *)(d + i) = sum;
	return (long)sum;
}
KERNEL backwards(char *s, char *d, long n) { while (n-- > 0) d[n] = s[n] ^ 0x55; return n; }
KERNEL text(char *s, char *d, long n)
{
	long len = 0, a = 0;
	(void)n;
	while (s[len]) len++;
	while ((d[a] = s[a])) a++;
	return len + a;
}
KERNEL sort(char *s, char *d, long n)
{
	unsigned char *p = (unsigned char *)d, x;
	long moved = 0, k;
	for (long i = 0; i < n; i++) {
		x = (unsigned char)s[i];
		for (k = i; k > 0 && p[k - 1] > x; k--) p[k] = p[k - 1], moved++;
		p[k] = x;
	}
	return moved;
}
KERNEL doubles(char *s, char *d, long n)
{
	double sum = 0;
	for (long i = 0; i < n; i += 8) {
		sum = sum * s[i] + *(int1 *)(s + i + 4);
		*(double1 *)(d + i) = sum;
	}
	return (long)(sum / (double)n);
}
KERNEL floats(char *s, char *d, long n)
{
	for (long i = 0; i < n; i += 4)
		*(float1 *)(d + i) = (*(float1 *)(s + i) > *(float1 *)(d + i) ? 3 : 5) + (float)i;
	return n;
}
// numbers put together from bytes, and stored so
typedef unsigned char byte;
KERNEL pieces(char *s, char *d, long n)
{
	uint64_t sum = 0;
	for (byte *p = (byte *)s, *q = (byte *)d; n > 0; n -= 16, p += 16, q += 16) {
		uint32_t le = p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24, half = p[13] << 8 | p[14];
		uint64_t be = (uint64_t)p[4] << 56 | (uint64_t)p[5] << 48 | (uint64_t)p[6] << 40 | (uint64_t)p[7] << 32 |
		    (uint64_t)p[8] << 24 | p[9] << 16 | p[10] << 8 | p[11];
		sum = sum * 3 + be + half;
		memcpy(q, &sum, 8);
		q[8] = (byte)(le >> 24), q[9] = (byte)(le >> 16), q[10] = (byte)(le >> 8), q[11] = (byte)le;
		memcpy(q + 12, p + 12, 4);
	}
	return (long)sum;
}
// numbers put together in turns, of which some share bytes
#define LE32(p) ((p)[0] | (p)[1] << 8 | (p)[2] << 16 | (uint32_t)(p)[3] << 24)
#define LE64(p) (LE32(p) | (uint64_t)LE32(p + 4) << 32)
KERNEL turns(char *s, char *d, long n)
{
	uint64_t sum = 0;
	for (byte *p = (byte *)s, *q = (byte *)d; n > 0; n -= 16, p += 16, q += 16) {
		if (LE32(p) == LE32(q)) sum++;
		if (LE64((p + 1)) * 3 < LE64((q + 3)) * 5 + LE64((q + 4))) sum += 7;
		sum = sum * 3 + LE32((p + 12)) + LE32((q + 12));
	}
	return (long)sum;
}
// one word again and again
#define SET(at, x) *(word *)(d + i + 8 * at) = x; __asm__("" ::: "memory");
KERNEL same(char *s, char *d, long n)
{
	uint64_t x = *(word *)s;
	for (long i = 0; i < n; i += 48) {
		SET(1, x) SET(0, x) SET(2, x) SET(3, x)
		x = x * 3 + 1;
		SET(4, 0) SET(5, 0)
	}
	return (long)x;
}
kernel copies, pairs, carries, vectors, atomics;

#ifdef __aarch64__
__asm__(".text\n	.arch armv8.1-a\n"
"clean:	mov x16, x0\n mov x0, x1\n mov x1, x2\n mov x2, x3\n"
"	.irp r,3,4,5,6,7,8,9,10,11,12,13,14,15,17\n mov x\\r, 0\n .endr\n"
"	.irp r,0,1,2,3,4,5,6,7,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n movi v\\r\\().2d, 0\n .endr\n"
"	br x16\n"
// 16 bytes a turn: registers that are loaded again and again, with stores between
"copies: ldr x13, [x0]\n ldr x14, [x0, 8]\n str x13, [x1]\n ldr w13, [x0, 4]\n str w13, [x1, 4]\n eor x15, x13, x14\n"
"	ldrsb x13, [x0, 9]\n strh w15, [x1, 8]\n add x15, x13, x14\n strb w13, [x1, 10]\n ldrh w13, [x0, 11]\n"
"	ldr x14, [x0, 3]\n str w15, [x1, 11]\n ldp x13, x14, [x0], 16\n strb w14, [x1, 15]\n add x1, x1, 16\n"
"	subs x2, x2, 16\n b.gt copies\n mov x0, x14\n ret\n"
// 16 bytes a turn: pairs, writeback before and after, narrow loads, a base that is loaded itself
"pairs:	sub x0, x0, 8\n"
"1:	ldp x3, x4, [x0, 8]!\n stp w3, w4, [x1], 8\n ldr x5, [x0, 8]!\n str x5, [x1], 8\n"
"	ldursb x6, [x0, -3]\n ldursh w7, [x0, -7]\n mov x8, x0\n ldr x8, [x8]\n add x9, x9, x6, lsl 3\n eor x9, x9, x8\n"
"	ldpsw x10, x11, [x0]\n add x9, x9, x11\n strb w9, [x1, -1]\n prfm pldl1keep, [x0, 64]\n"
"	subs x2, x2, 16\n b.gt 1b\n mov x0, x9\n ret\n"
// 16 bytes a turn: long numbers, with accesses while a carry is on its way
"carries: ldp x3, x4, [x0]\n mul x8, x3, x4\n mul x9, x4, x4\n adds x5, x3, x8\n ldr x6, [x0, 8]\n umulh x8, x3, x4\n"
"	adcs x5, x5, x9\n str x5, [x1]\n adcs x6, x6, x8\n strh w6, [x1, 9]\n adc x7, x7, xzr\n"
"	subs x10, x6, x5\n ldr x11, [x0]\n sbcs x10, x10, x11\n strb w10, [x1, 3]\n sbc x12, x12, x10\n"
"	add x0, x0, 16\n add x1, x1, 16\n subs x2, x2, 16\n b.gt carries\n add x0, x7, x12\n ret\n"
// 48 bytes a turn
"vectors: ld1 {v0.16b}, [x0], 16\n ld2 {v1.8h, v2.8h}, [x0]\n ld1 {v3.s}[1], [x0], 4\n ld3 {v4.b, v5.b, v6.b}[9], [x0]\n"
"	ld4r {v16.8b, v17.8b, v18.8b, v19.8b}, [x0]\n add x0, x0, 28\n ldur q20, [x0, -17]\n ldp d21, d22, [x0, -16]\n"
"	add v0.16b, v0.16b, v20.16b\n st1 {v0.16b}, [x1], 16\n st2 {v1.8b, v2.8b}, [x1]\n st4 {v3.h, v4.h, v5.h, v6.h}[1], [x1], 8\n"
"	stp s21, s22, [x1], 8\n str h16, [x1, 2]!\n st1 {v0.d}[1], [x1]\n add x1, x1, 14\n"
"	subs x2, x2, 48\n b.gt vectors\n mov x0, 1\n ret\n"
// 16 bytes a turn
"atomics: ldr x3, [x0]\n ldar w4, [x0]\n add x0, x0, 16\n ldadd x3, x5, [x1]\n swpal x4, x6, [x1]\n mov x7, x4\n cas x7, x5, [x1]\n"
"2:	ldxr x8, [x1]\n eor x8, x8, x3\n stlxr w9, x8, [x1]\n cbnz w9, 2b\n ldaxp x10, x11, [x1]\n add x10, x10, 1\n"
"	stxp w9, x10, x11, [x1]\n stlr x6, [x1]\n ldsmaxh w3, w12, [x1]\n steorb w4, [x1]\n add x1, x1, 16\n"
"	subs x2, x2, 16\n b.gt atomics\n mov x0, 1\n ret\n"
"	.size clean, . - clean\n");
static uint64_t pcof(ucontext_t *uc) { return uc->uc_mcontext.pc; }
static unsigned flagsof(ucontext_t *uc) { return (unsigned)uc->uc_mcontext.pstate >> 28; }
static uint64_t registers(ucontext_t *uc)
{
	struct fpsimd_context *f = (void *)uc->uc_mcontext.__reserved;
	uint32_t insn = *(uint32_t *)uc->uc_mcontext.pc, rt = insn & 31;
	uint64_t sum = 0;

	// what LD1 to LD4 were to load is unknown when they fault
	for (uint32_t i = 0; i < 4 && (insn & 0xbe400000) == 0x0c400000; i++)
		f->vregs[(rt + i) % 32] = 0;

	for (int i = 0; i < 16; i++)
		sum = (sum << 9 | sum >> 55) ^ uc->uc_mcontext.regs[i];
	for (int i = 0; i < 32; i = i == 7 ? 16 : i + 1)
		sum = (sum << 9 | sum >> 55) ^ (uint64_t)f->vregs[i] ^ (uint64_t)(f->vregs[i] >> 64) * 5;
	return sum;
}
#else
__asm__(".text\n"
"clean:	mv t1, a0\n mv a0, a1\n mv a1, a2\n mv a2, a3\n"
"	.irp r,a3,a4,a5,a6,a7,t0,t2,t3,t4,t5,t6\n li \\r, 0\n .endr\n"
"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11\n fmv.d.x ft\\r, zero\n .endr\n"
"	.irp r,0,1,2,3,4,5,6,7\n fmv.d.x fa\\r, zero\n .endr\n"
"	jr t1\n"
// 16 bytes a turn: registers that are loaded again and again, with stores between
"copies: ld t3, 0(a0)\n ld t4, 8(a0)\n sd t3, 0(a1)\n lw t3, 4(a0)\n sw t3, 4(a1)\n xor t5, t3, t4\n"
"	lb t3, 9(a0)\n sh t5, 8(a1)\n add t5, t3, t4\n sb t3, 10(a1)\n lhu t3, 11(a0)\n lwu t4, 3(a0)\n sw t5, 11(a1)\n"
"	ld t3, 0(a0)\n mul t5, t3, t4\n ld t4, 8(a0)\n mulhu t3, t5, t4\n sb t4, 15(a1)\n mv t5, a0\n lbu t5, 3(t5)\n"
"	addi a0, a0, 16\n addi a1, a1, 16\n addi a2, a2, -16\n bgtz a2, copies\n mv a0, t4\n ret\n"
// 16 bytes a turn: compressed and wide, a base that is loaded itself
"pairs:	ld a3, 0(a0)\n lw a4, 8(a0)\n lwu t2, 12(a0)\n lb t3, 7(a0)\n lhu t4, 9(a0)\n mv a5, a0\n ld a5, 8(a5)\n"
"	sd a3, 0(a1)\n sw a4, 8(a1)\n sh t2, 12(a1)\n sb t3, 14(a1)\n add t5, t5, t4\n xor t5, t5, a5\n"
"	addi a0, a0, 16\n addi a1, a1, 16\n addi a2, a2, -16\n bgtz a2, pairs\n mv a0, t5\n ret\n"
// 16 bytes a turn: long numbers
"carries: ld t3, 0(a0)\n ld t4, 8(a0)\n mul t5, t3, t4\n ld t0, 0(a1)\n mulhu t6, t3, t4\n add t0, t0, t5\n sltu t5, t0, t5\n"
"	sd t0, 0(a1)\n add t6, t6, t5\n mul t5, t4, t4\n add t6, t6, t5\n sltu t5, t6, t5\n sb t6, 9(a1)\n add t2, t2, t5\n"
"	addi a0, a0, 16\n addi a1, a1, 16\n addi a2, a2, -16\n bgtz a2, carries\n mv a0, t2\n ret\n"
"vectors: fld ft0, 0(a0)\n flw ft1, 8(a0)\n fmv.x.w t0, ft1\n fld fa5, 8(a0)\n fsgnjx.d ft2, ft0, fa5\n"
"	fsd ft2, 0(a1)\n fsw ft1, 8(a1)\n fsw ft0, 12(a1)\n"
"	addi a0, a0, 16\n addi a1, a1, 16\n addi a2, a2, -16\n bgtz a2, vectors\n mv a0, t0\n ret\n"
"atomics: ld t0, 0(a0)\n lw t2, 8(a0)\n amoadd.d t3, t0, (a1)\n amoswap.w.aqrl t4, t2, (a1)\n amomaxu.d t5, t0, (a1)\n"
"2:	lr.d a3, (a1)\n xor a3, a3, t3\n sc.d a4, a3, (a1)\n bnez a4, 2b\n addi a5, a1, 8\n"
"3:	lr.w.aqrl a3, (a5)\n addi a3, a3, 5\n sc.w a4, a3, (a5)\n bnez a4, 3b\n amoand.w t6, t0, (a5)\n"
"	addi a0, a0, 16\n addi a1, a1, 16\n addi a2, a2, -16\n bgtz a2, atomics\n li a0, 1\n ret\n"
"	.size clean, . - clean\n");
static uint64_t pcof(ucontext_t *uc) { return uc->uc_mcontext.__gregs[0]; }
static unsigned flagsof(ucontext_t *uc) { (void)uc; return 0; }
static uint64_t registers(ucontext_t *uc)
{
	uint64_t sum = 0;

	for (int i = 5; i < 32; i++)           // t1 is the kernel's address; s0 to s11 are the caller's
		if (i != 6 && i != 8 && i != 9 && (i < 18 || i > 27))
			sum = (sum << 9 | sum >> 55) ^ uc->uc_mcontext.__gregs[i];
	for (int i = 0; i < 32; i++)
		if (i != 8 && i != 9 && (i < 18 || i > 27))
			sum = (sum << 9 | sum >> 55) ^ uc->uc_mcontext.__fpregs.__d.__f[i];
	return sum;
}
#endif

static const struct { const char *name; kernel *f; int step; } list[] = {
	{"bytes", bytes, 1}, {"halves", halves, 1}, {"words", words, 1}, {"backwards", backwards, 1}, {"text", text, 1}, {"sort", sort, 1},
	{"doubles", doubles, 1}, {"floats", floats, 1}, {"pieces", pieces, 1}, {"turns", turns, 1},
	{"same", same, 1}, {"copies", copies, 1}, {"pairs", pairs, 1}, {"carries", carries, 1}, {"vectors", vectors, 1}, {"atomics", atomics, 16},
};
static char *const area[2] = {(char *)0x20000000, (char *)0x30000000};
static kernel *now;
static int closed;                     // which area has a closed page

static uint64_t
written(void)
{
	uint64_t sum = 0;

	for (char *p = area[1] + 2 * PAGE - 2 * N; p < area[1] + 2 * PAGE + 2 * N; p++)
		sum = sum * 31 + (unsigned char)*p;
	return sum;
}

static void
on(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;
	char *a = si->si_addr;

	printf(" %d:%lx:%lx:%d:%016lx", sig, (long)(pcof(uc) - (uint64_t)now), (long)(a - area[closed]), si->si_code, (long)registers(uc));
	mprotect(area[0], 4 * PAGE, PROT_READ | PROT_WRITE);
	mprotect(area[1], 4 * PAGE, PROT_READ | PROT_WRITE);
	if (now == carries && pcof(uc) != (uint64_t)now)
		printf(":%x", flagsof(uc));
	if (now == pieces || now == same)             // what is written at once is written or not; here it is several stores
		printf(":%016lx", (long)written());
}

// The kernel's sum of result and bytes written; the page at the area's middle is closed behind k bytes (high), or those before it.
static uint64_t
run(int which, int a, int k, int high)
{
	char *p[2];
	uint64_t sum;

	for (int i = 0; i < 2; i++) {
		p[i] = area[i] + 2 * PAGE - (i == a ? k : N / 2);
		memset(area[i] + PAGE, 0, 2 * PAGE);
		for (int b = 0; b < N; b++)
			p[i][b] = (char)(b == N - 1 ? 0 : (b * 37 + i * 11) % 113 + 1);
	}
	closed = a;
	if (k >= 0 && high >= 0)
		mprotect(area[a] + (high ? 2 : 1) * PAGE, PAGE, PROT_NONE);
	now = list[which].f;
	sum = (uint64_t)clean(now, p[0], p[1], N);
	mprotect(area[a], 4 * PAGE, PROT_READ | PROT_WRITE);
	for (int b = 0; b < N; b++)
		sum = sum * 31 + (unsigned char)p[1][b];
	return sum;
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO};

	setvbuf(stdout, 0, _IOFBF, 1 << 16);
	sigaction(SIGSEGV, &sa, 0);
	sigaction(SIGBUS, &sa, 0);
	for (int i = 0; i < 2; i++)
		mmap(area[i], 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	for (unsigned w = 0; w < sizeof list / sizeof *list; w++)
		for (int a = 0; a < 2; a++)
			for (int high = 0; high < 2; high++)
				for (int k = 0; k <= N; k += list[w].step) {
					uint64_t want = run(w, a, k, -1), got;

					printf("%s %d %d %d:", list[w].name, a, high, k);
					got = run(w, a, k, high);
					printf(" %016lx%s\n", (long)got, got == want ? "" : " differs");
				}
	return 0;
}
