// Every register through a signal frame and back: a trap with known values in all registers; the handler finds each of them in
// its frame and changes one; after it the program has all the others unchanged and that one changed.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#ifdef __aarch64__
enum { NI = 32, SP = 31, NF = 32, FWORDS = 2, TRAP = 4 };      // x0 to x30 and sp
// nzcv, fpsr, fpcr: what may be set in each
static const uint64_t control[] = {0xf0000000, 0x0800009f, 0x00c00000};
#else
enum { NI = 32, SP = 2, NF = 32, FWORDS = 1, TRAP = 4 };
static const uint64_t control[] = {0x7f};                       // fcsr: rounding modes 0 to 3
#endif
enum { NC = sizeof control / sizeof *control, N = NI + NF + NC + 1, PC = N - 1 };

struct registers { uint64_t i[NI], f[NF][FWORDS], c[4]; };
struct registers in, out;
uint64_t keep[64];                     // the caller's registers
extern char trap[];
void trip(void);                       // loads all of in, traps, stores all to out
void entry(int, siginfo_t *, void *);  // the handler, which calls handle()
static char stack[2][65536] __attribute__((aligned(16)));

#ifdef __aarch64__
__asm__(".text\n	.globl trip, trap, entry\n"
"trip:	adrp x9, keep\n add x9, x9, :lo12:keep\n"
"	stp x19, x20, [x9]\n stp x21, x22, [x9, 16]\n stp x23, x24, [x9, 32]\n stp x25, x26, [x9, 48]\n stp x27, x28, [x9, 64]\n"
"	stp x29, x30, [x9, 80]\n stp d8, d9, [x9, 96]\n stp d10, d11, [x9, 112]\n stp d12, d13, [x9, 128]\n stp d14, d15, [x9, 144]\n"
"	mov x10, sp\n mrs x11, fpcr\n stp x10, x11, [x9, 160]\n str x18, [x9, 176]\n"
"	adrp x30, in\n add x30, x30, :lo12:in\n"
"	ldr x0, [x30, 768]\n msr nzcv, x0\n ldr x0, [x30, 776]\n msr fpsr, x0\n ldr x0, [x30, 784]\n msr fpcr, x0\n"
"	ldr x0, [x30, 248]\n mov sp, x0\n add x0, x30, 256\n"
"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n ldr q\\r, [x0, 16 * \\r]\n .endr\n"
"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n ldr x\\r, [x30, 8 * \\r]\n .endr\n"
"trap:	brk 0\n	brk 1\n"
"	sub sp, sp, 1024\n"
"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n str x\\r, [sp, 8 * \\r]\n .endr\n"
"	mrs x0, nzcv\n str x0, [sp, 768]\n mrs x0, fpsr\n str x0, [sp, 776]\n mrs x0, fpcr\n str x0, [sp, 784]\n"
"	add x0, sp, 1024\n str x0, [sp, 248]\n add x0, sp, 256\n"
"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n str q\\r, [x0, 16 * \\r]\n .endr\n"
"	adrp x9, keep\n add x9, x9, :lo12:keep\n mov x1, sp\n"
"	ldp x10, x11, [x9, 160]\n mov sp, x10\n msr fpcr, x11\n ldr x18, [x9, 176]\n"
"	ldp x19, x20, [x9]\n ldp x21, x22, [x9, 16]\n ldp x23, x24, [x9, 32]\n ldp x25, x26, [x9, 48]\n ldp x27, x28, [x9, 64]\n"
"	ldp x29, x30, [x9, 80]\n ldp d8, d9, [x9, 96]\n ldp d10, d11, [x9, 112]\n ldp d12, d13, [x9, 128]\n ldp d14, d15, [x9, 144]\n"
"	adrp x0, out\n add x0, x0, :lo12:out\n mov x2, 800\n b memcpy\n"
"entry:	b handle\n");
static uint64_t *pc(ucontext_t *uc) { return (uint64_t *)&uc->uc_mcontext.pc; }
static struct fpsimd_context *fp(ucontext_t *uc) { return (void *)uc->uc_mcontext.__reserved; }
static void *place(ucontext_t *uc, int r)      // of a register in the frame
{
	if (r == PC) return pc(uc);
	if (r == SP) return &uc->uc_mcontext.sp;
	if (r < NI) return &uc->uc_mcontext.regs[r];
	if (r < NI + NF) return &fp(uc)->vregs[r - NI];
	return r == NI + NF ? (void *)&uc->uc_mcontext.pstate : r == NI + NF + 1 ? (void *)&fp(uc)->fpsr : (void *)&fp(uc)->fpcr;
}
#else
__asm__(".text\n	.globl trip, trap, entry\n	.option norelax\n"
"	.macro words op, base\n"
"	.irp r,1,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n \\op x\\r, 8 * \\r(\\base)\n .endr\n	.endm\n"
"	.macro floats op, base\n"
"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n \\op f\\r, 8 * \\r(\\base)\n .endr\n	.endm\n"
"trip:	lla t0, keep\n sd gp, 0(t0)\n sd tp, 8(t0)\n sd sp, 16(t0)\n sd ra, 24(t0)\n"
"	.irp r,8,9,18,19,20,21,22,23,24,25,26,27\n sd x\\r, 8 * \\r(t0)\n fsd f\\r, 8 * \\r + 160(t0)\n .endr\n"
"	frcsr t1\n sd t1, 400(t0)\n"
"	lla a0, in\n ld t0, 512(a0)\n fscsr t0\n addi t0, a0, 256\n floats fld, t0\n"
"	words ld, a0\n ld sp, 16(a0)\n ld gp, 24(a0)\n ld tp, 32(a0)\n ld a0, 80(a0)\n"
"	.option norvc\n"
"trap:	ebreak\n	ebreak\n	.option rvc\n"
"	addi sp, sp, -1024\n words sd, sp\n sd gp, 24(sp)\n sd tp, 32(sp)\n sd a0, 80(sp)\n sd zero, 0(sp)\n"
"	addi a0, sp, 1024\n sd a0, 16(sp)\n frcsr a0\n sd a0, 512(sp)\n addi a0, sp, 256\n floats fsd, a0\n"
"	mv a1, sp\n lla t0, keep\n ld gp, 0(t0)\n ld tp, 8(t0)\n ld sp, 16(t0)\n ld ra, 24(t0)\n"
"	.irp r,8,9,18,19,20,21,22,23,24,25,26,27\n ld x\\r, 8 * \\r(t0)\n fld f\\r, 8 * \\r + 160(t0)\n .endr\n"
"	ld t1, 400(t0)\n fscsr t1\n lla a0, out\n li a2, 544\n tail memcpy\n"
"entry:	lla t0, keep\n ld gp, 0(t0)\n ld tp, 8(t0)\n tail handle\n");
static uint64_t *pc(ucontext_t *uc) { return (uint64_t *)&uc->uc_mcontext.__gregs[0]; }
static void *place(ucontext_t *uc, int r)
{
	if (r == PC) return pc(uc);
	if (r < NI) return &uc->uc_mcontext.__gregs[r];
	if (r < NI + NF) return &uc->uc_mcontext.__fpregs.__d.__f[r - NI];
	return &uc->uc_mcontext.__fpregs.__d.__fcsr;
}
#endif

static int changed, failed, visits;

static uint64_t *
value(struct registers *s, int r)
{
	return r < NI ? &s->i[r] : r < NI + NF ? s->f[r - NI] : &s->c[r - NI - NF];
}

static int
skipped(int r)
{
	return r == PC || (SP == 2 && r == 0);         // RISC-V's x0 is no register
}

static size_t
width(int r)
{
	return r < NI ? 8 : r < NI + NF ? 8 * FWORDS : 4;
}

static uint64_t
maskof(int r)
{
	return r < NI + NF ? ~(uint64_t)0 : control[r - NI - NF];
}

static void
wrong(const char *where, int r)
{
	if (failed++ < 20)
		printf("register %d is wrong %s when %d is changed\n", r, where, changed);
}

void
handle(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;
	uint64_t got[2];

	(void)sig, (void)si;
	visits++;
	if (*pc(uc) != (uint64_t)trap + (visits > 1 ? TRAP : 0))
		wrong("in the handler", PC);
	if (visits == 1 && changed == PC) {
		*pc(uc) += TRAP;                       // to the second trap
		return;
	}
	for (int r = 0; r < N; r++) {
		if (skipped(r))
			continue;
		memset(got, 0, sizeof got);
		memcpy(got, place(uc, r), width(r));
		got[0] &= maskof(r);
		if (memcmp(got, value(&in, r), width(r)))
			wrong("in the handler", r);
	}
	*pc(uc) += visits == 1 ? 2 * TRAP : TRAP;
	if (changed == PC)
		return;
	if (changed == SP)
		in.i[SP] = (uint64_t)stack[1] + 60000 / 16 * 16;
	else
		for (size_t k = 0; k < (width(changed) + 7) / 8; k++)
			value(&in, changed)[k] ^= 0xf0f0f0f055aa33ccu & maskof(changed);
	memcpy(got, place(uc, changed), width(changed));
	got[0] = (got[0] & ~maskof(changed)) | value(&in, changed)[0];
	got[1] = value(&in, changed)[1];
	memcpy(place(uc, changed), got, width(changed));
}

static void
one(int r, uint64_t seed)
{
	for (int k = 0; k < N; k++)
		for (size_t w = 0; !skipped(k) && w < (width(k) + 7) / 8; w++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			value(&in, k)[w] = (seed ^ seed >> 29) & maskof(k);
		}
	in.i[SP] = (uint64_t)stack[0] + 60000 / 16 * 16;
	changed = r;
	visits = 0;
	trip();
	if (visits != 1 + (r == PC))
		wrong("in number", PC);
	for (int k = 0; k < N; k++) {
		if (skipped(k))
			continue;
		if (k >= NI + NF)
			*value(&out, k) &= maskof(k);
		if (memcmp(value(&in, k), value(&out, k), k < NI + NF ? width(k) : 8))
			wrong("afterwards", k);
	}
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = entry, .sa_flags = SA_SIGINFO};

	sigaction(SIGTRAP, &sa, 0);
	for (uint64_t round = 0; round < 20; round++)
		for (int r = 0; r < N; r++)
			if (r == PC || !skipped(r))
				one(r, round * 1000 + (uint64_t)r);
	puts(failed ? "failed" : "all registers");
	return failed != 0;
}
