// Signals between any two instructions: a timer that fires at random times over a loop of integer, FP, vector and exclusive
// instructions.  The handler sees all registers; what it sees at one instruction of one turn is always the same, it spoils
// all registers, and the loop's result does not change.
// Arguments: DELIVERIES [FILE [w]]; FILE gets every state that was seen, to be compared with another translator's; w: the
// program writes its FP status first, so that the handler sees it exact.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { TURNS = 16, WORDS = 100, MAXSTEP = 64 };
struct state { uint64_t w[WORDS]; int n; };
uint64_t kernel(uint64_t *scratch);            // scratch[0] is stored to, scratch[1] counts turns
extern char kernel_loop[], kernel_end[], kernel_pair[], kernel_paired[];

#ifdef __aarch64__
enum { UNIT = 4 };
__asm__(".text\n"
"	.globl kernel, kernel_loop, kernel_end\n"
"	.type kernel, %function\n"
"kernel: stp x19, x20, [sp, -96]!\n"
"	stp x21, x22, [sp, 16]\n"
"	stp d8, d9, [sp, 32]\n"
"	stp d10, d11, [sp, 48]\n"
"	mov x21, x0\n"
"	add x22, x0, 8\n"
"	mov x19, 0x9e37\n"
"	movk x19, 0x79b9, lsl 16\n"
"	mov x20, 77\n"
"	mov x14, 16\n"
"	mov x9, 0\n"
"	mov x10, 1\n"
"	fmov d8, 1.25\n"
"	fmov d9, -3.5\n"
"	fmov d10, 0.75\n"
"	dup v16.2d, x19\n"
"	movi v17.16b, 5\n"
"	movi v18.4s, 3\n"
"	mov x0, 0\n mov x1, 0\n mov x2, 0\n mov x3, 0\n mov x4, 0\n mov x5, 0\n mov x6, 0\n mov x7, 0\n"
"	mov x8, 0\n mov x11, 0\n mov x12, 0\n mov x13, 0\n"
"	movi v0.2d, 0\n movi v1.2d, 0\n movi v2.2d, 0\n movi v3.2d, 0\n movi v4.2d, 0\n movi v5.2d, 0\n movi v6.2d, 0\n"
"kernel_loop:\n"
"	mul x0, x9, x19\n"                     // 0
"	eor x1, x0, x0, lsr 13\n"
"	adds x2, x0, x1\n"                     // 2: flags are read by 3
"	adc x3, x1, x20\n"
"	subs x4, x3, x2\n"                     // 4: read by 5, 6
"	csel x5, x4, x3, lo\n"
"	ccmp x4, x2, 5, hi\n"                  // 6: read by 7
"	cset x6, lt\n"
"	scvtf d0, x1\n"
"	fmul d1, d0, d8\n"
"	fmadd d2, d1, d9, d10\n"
"	fcmp d1, d2\n"                         // 11: read by 12
"	fcsel d3, d1, d2, mi\n"
"	dup v4.2d, x0\n"
"	add v5.4s, v4.4s, v16.4s\n"
"	tbl v6.16b, {v5.16b}, v17.16b\n"
"	sqadd v6.8h, v6.8h, v5.8h\n"
"	mov x7, v6.d[1]\n"
"	str x7, [x21]\n"
"	ldrsw x8, [x21]\n"
"1:	ldxr x11, [x22]\n"
"	add x12, x11, 1\n"
"	stxr w13, x12, [x22]\n"
"	cbnz w13, 1b\n"
"	fmov x11, d3\n"
"	eor x10, x11, x10, ror 7\n"
"	add x10, x10, x8\n"
"	ands x12, x10, 255\n"                  // 27: read by 28, 30
"	b.ne 2f\n"
"	add x10, x10, 1\n"
"2:	cinc x10, x10, eq\n"
"	add x9, x9, 1\n"
"	cmp x9, x14\n"                         // 32: read by 33
"	b.ne kernel_loop\n"
"kernel_end:\n"
"	mov x0, x10\n"
"	ldp x21, x22, [sp, 16]\n"
"	ldp d8, d9, [sp, 32]\n"
"	ldp d10, d11, [sp, 48]\n"
"	ldp x19, x20, [sp], 96\n"
"	ret\n");
static void clearfp(void) { __asm__ volatile("msr fpsr, xzr"); }
// Flags are the program's where it reads them later, and anything elsewhere.
static int flagslive(int j) { return j == 3 || (j >= 5 && j <= 7) || j == 12 || (j >= 28 && j <= 30) || j == 33; }
static uint64_t pcof(ucontext_t *uc) { return uc->uc_mcontext.pc; }
static int turn(ucontext_t *uc) { return (int)uc->uc_mcontext.regs[9]; }
// What the exclusive pair (20 to 23) has read counts all turns, and it may be tried again.
static int paired(int i, int j) { return j >= 20 && (i == 11 ? j <= 24 : i == 12 ? j <= 27 : i == 13 && j <= 23); }
static int seen(struct state *s, ucontext_t *uc, int j, int fpstatus)
{
	struct fpsimd_context *f = (void *)uc->uc_mcontext.__reserved;
	int n = 0;

	for (int i = 0; i < 14; i++)
		s->w[n++] = paired(i, j) ? 0 : uc->uc_mcontext.regs[i];
	s->w[n++] = uc->uc_mcontext.regs[19];
	s->w[n++] = uc->uc_mcontext.regs[20];
	s->w[n++] = uc->uc_mcontext.regs[14];
	s->w[n++] = flagslive(j) ? uc->uc_mcontext.pstate & 0xf0000000 : 0;
	s->w[n++] = f->fpcr;
	s->w[n++] = fpstatus ? f->fpsr & 0x1f : 0;
	for (int i = 0; i < 19; i++) {
		if (i >= 7 && (i < 8 || i > 10) && i < 16)
			continue;
		s->w[n++] = (uint64_t)f->vregs[i];
		s->w[n++] = (uint64_t)(f->vregs[i] >> 64);
	}
	return f->head.magic == FPSIMD_MAGIC ? n : 0;
}
static void spoil(void)
{
#define V(n) "movi v" #n ".16b, 0xa5\n\t"
	__asm__ volatile(V(0) V(1) V(2) V(3) V(4) V(5) V(6) V(7) V(8) V(9) V(10) V(11) V(16) V(17) V(18) V(30) V(31)
	    "mov x9, -1\n\tmov x10, -1\n\tcmp x9, 0" ::: "x9", "x10", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8",
	    "v9", "v10", "v11", "v16", "v17", "v18", "v30", "v31");
}
#else
enum { UNIT = 2 };
__asm__(".text\n"
"	.globl kernel, kernel_loop, kernel_end\n"
"	.type kernel, %function\n"
"kernel: li t1, 0x79b99e37\n"
"	li a1, 77\n"
"	li a2, 16\n"
"	li a3, 0\n"                            // turn
"	li a4, 1\n"                            // checksum
"	li a5, 5\n fcvt.d.w fa0, a5\n"
"	li a5, 4\n fcvt.d.w fa1, a5\n"
"	fdiv.d ft8, fa0, fa1\n"
"	li a5, -7\n fcvt.d.w ft9, a5\n"
"	addi a6, a0, 8\n"
"	li a5, 0\n li a7, 0\n li t0, 0\n li t2, 0\n li t3, 0\n li t4, 0\n li t5, 0\n li t6, 0\n"
"	fmv.d.x ft0, zero\n fmv.d.x ft1, zero\n fmv.d.x ft2, zero\n fmv.d.x ft3, zero\n fmv.d.x ft4, zero\n"
"kernel_loop:\n"
"	mul t0, a3, t1\n"
"	srli t2, t0, 13\n"
"	xor t2, t2, t0\n"
"	add t3, t0, t2\n"
"	sltu t4, t3, t0\n"
"	add t4, t4, t2\n"
"	mulhu t5, t4, t3\n"
"	addw t6, t5, a1\n"
"	divu t5, t3, t6\n"
"	fcvt.d.l ft0, t2\n"
"	fmul.d ft1, ft0, ft8\n"
"	fmadd.d ft2, ft1, ft9, ft8\n"
"	fcvt.s.d ft4, ft2\n"
"	flt.d a5, ft1, ft2\n"
"	beqz a5, 1f\n"
"	fmv.d ft1, ft2\n"
"1:	fsgnjn.d ft3, ft1, ft2\n"
"	sd t6, 0(a0)\n"
"	lh a7, 2(a0)\n"
"kernel_pair:\n"
"2:	lr.d t5, (a6)\n"
"	addi t6, t5, 1\n"
"	sc.d t5, t6, (a6)\n"
"	bnez t5, 2b\n"
"	li t6, 0\n"
"	amoxor.d t5, t6, (a0)\n"
"kernel_paired:\n"
"	fmv.x.d t6, ft3\n"
"	slli t5, a4, 57\n"
"	srli a4, a4, 7\n"
"	or a4, a4, t5\n"
"	add a4, a4, t6\n"
"	add a4, a4, a7\n"
"	addi a3, a3, 1\n"
"	bne a3, a2, kernel_loop\n"
"kernel_end:\n"
"	mv a0, a4\n"
"	ret\n");
static void clearfp(void) { __asm__ volatile("fsflags zero"); }
static uint64_t pcof(ucontext_t *uc) { return uc->uc_mcontext.__gregs[0]; }
static int turn(ucontext_t *uc) { return (int)uc->uc_mcontext.__gregs[13]; }
static int seen(struct state *s, ucontext_t *uc, int j, int fpstatus)
{
	static const uint8_t in[] = {5, 6, 7, 11, 12, 13, 14, 15, 17, 28, 29, 30, 31};
	struct __riscv_mc_d_ext_state *f = &uc->uc_mcontext.__fpregs.__d;
	const char *pc = kernel_loop + UNIT * j;
	int n = 0;

	// what the pair of lr and sc has read counts all turns, and it may be tried again
	for (unsigned i = 0; i < sizeof in; i++)
		s->w[n++] = in[i] >= 30 && pc >= kernel_pair && pc < kernel_paired ? 0 : uc->uc_mcontext.__gregs[in[i]];
	for (int i = 0; i < 5; i++)
		s->w[n++] = f->__f[i];
	s->w[n++] = f->__f[10], s->w[n++] = f->__f[11], s->w[n++] = f->__f[28], s->w[n++] = f->__f[29];
	s->w[n++] = fpstatus ? f->__fcsr : f->__fcsr & 0xe0;
	return n;
}
static void spoil(void)
{
#define F(n) "fmv.d.x " #n ", t0\n\t"
	__asm__ volatile("li t0, -1\n\tli t1, -1\n\tli t2, -1\n\tli t3, -1\n\tli t4, -1\n\tli t5, -1\n\tli t6, -1\n\t"
	    F(ft0) F(ft1) F(ft2) F(ft3) F(ft4) F(ft8) F(ft9) F(fa0) F(fa1) ::: "t0", "t1", "t2", "t3", "t4", "t5", "t6", "ft0",
	    "ft1", "ft2", "ft3", "ft4", "ft8", "ft9", "fa0", "fa1");
}
#endif

static struct state table[TURNS + 1][MAXSTEP * 4 / UNIT];
static volatile long left, wrong;
static long range = 2000, delivered;
static int fpstatus;
static timer_t timer;
static uint64_t rng = 1, before, pcbefore;
static volatile uint64_t turns;

static void
arm(void)
{
	struct itimerspec t = {{0, 0}, {0, 0}};

	rng = rng * 6364136223846793005u + 1442695040888963407u;
	t.it_value.tv_nsec = 1 + (long)((rng >> 33) % (uint64_t)range);
	timer_settime(timer, 0, &t, 0);
}

// What one instruction of one turn finds is what it found before.
static void
compare(const struct state *s, int i, int j)
{
	struct state *t = &table[i][j];

	if (!t->n)
		*t = *s;
	else if (memcmp(t, s, sizeof *t)) {
		if (!wrong++)
			for (int k = 0; k < s->n; k++)
				if (t->w[k] != s->w[k])
					printf("turn %d, step %d: word %d is %#lx, was %#lx\n", i, j, k, (long)s->w[k], (long)t->w[k]);
	}
}

static void
on(int sig, siginfo_t *si, void *p)
{
	static struct state s;
	ucontext_t *uc = p;
	uint64_t pc = pcof(uc), now;

	(void)si, (void)sig;
	if (pc >= (uint64_t)kernel_loop && pc < (uint64_t)kernel_end) {
		int i = turn(uc), j = (int)(pc - (uint64_t)kernel_loop) / UNIT;

		memset(&s, 0, sizeof s);
		s.n = seen(&s, uc, j, fpstatus);
		if (i < 0 || i > TURNS || !s.n)
			wrong++;
		else
			compare(&s, i, j);
		delivered++;
		left--;
	}
	// no step was made: the timer is too fast for this machine
	now = turns + (uint64_t)turn(uc);
	range = now == before && pc == pcbefore ? range * 2 : range > 500 ? range - range / 16 : range;
	before = now, pcbefore = pc;
	if (left > 0)
		arm();
	spoil();
}

static void
dump(const char *file)
{
	FILE *f = fopen(file, "w");
	long states = 0;

	for (int i = 0; i <= TURNS; i++)
		for (unsigned j = 0; j < sizeof *table / sizeof **table; j++) {
			if (!table[i][j].n)
				continue;
			states++;
			fprintf(f, "%d:%u", i, j);
			for (int k = 0; k < table[i][j].n; k++)
				fprintf(f, " %lx", (long)table[i][j].w[k]);
			fputc('\n', f);
		}
	fprintf(f, "# %ld deliveries, %ld states\n", delivered, states);
	fclose(f);
}

int
main(int argc, char **argv)
{
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	uint64_t scratch[2] = {0, 0}, want;

	left = argc > 1 ? atol(argv[1]) : 3000;
	fpstatus = argc > 3;
	if (fpstatus)
		clearfp();
	kernel(scratch);                       // sets the flags that stay set
	want = kernel(scratch);
	turns = 2 * TURNS;
	sigaction(SIGRTMIN, &sa, 0);
	timer_create(CLOCK_MONOTONIC, &ev, &timer);
	arm();
	while (left > 0 && wrong < 10) {
		uint64_t got = kernel(scratch);

		turns += TURNS;
		if (got != want || scratch[1] != turns) {
			printf("result %lx, should be %lx; %ld turns, should be %ld\n", (long)got, (long)want, (long)scratch[1], (long)turns);
			wrong++;
		}
	}
	if (argc > 2)
		dump(argv[2]);
	puts(wrong ? "wrong" : "all good");
	return wrong != 0;
}
