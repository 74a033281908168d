// guest: riscv64
/* Arithmetic that makes NaNs of NaNs with payloads, and a load or store that faults before anything looks at them: the
 * handler must find the canonical NaN, in every register that has it, and payloads where a load or move put them.  What
 * code before a jump, or on another way, would have computed is in no register then. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <ucontext.h>

static uint64_t seen[8];

static void
handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	for (int i = 0; i < 8; i++)
		seen[i] = uc->uc_mcontext.__fpregs.__d.__f[i];
	uc->uc_mcontext.__gregs[REG_PC] += 4;
}

/* ft0 to ft7 hold a NaN with a payload (of the given width), then code runs with t0 = 0 */
#define RUN(name, nan, code) do { \
	__asm__ volatile("fmv.d.x ft0, %0\n\tfmv.d ft1, ft0\n\tfmv.d ft2, ft0\n\tfmv.d ft3, ft0\n\tfmv.d ft4, ft0\n\t" \
	    "fmv.d ft5, ft0\n\tfmv.d ft6, ft0\n\tfmv.d ft7, ft0\n\tli t0, 0\n\tj 1f\n1:\t" code \
	    : : "r"(nan) : "ra", "t0", "t1", "t2", "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "memory"); \
	printf("%s:", name); \
	for (int i = 0; i < 8; i++) \
		printf(" %016lx", (unsigned long)seen[i]); \
	printf("\n"); } while (0)

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	uint64_t d = 0x7ff8000000000123, s = 0xffffffffffc00456;

	sigaction(SIGSEGV, &sa, 0);
	RUN("double", d, "fadd.d ft1, ft0, ft0\n\tfmul.d ft2, ft1, ft0\n\tfmadd.d ft3, ft2, ft0, ft1\n\tfsqrt.d ft4, ft0\n\t"
	    ".option push\n\t.option norvc\n\tld t1, 0(t0)\n\t.option pop");
	RUN("single", s, "fadd.s ft1, ft0, ft0\n\tfmul.s ft2, ft1, ft0\n\tfsub.s ft3, ft2, ft0\n\tfdiv.s ft4, ft0, ft3\n\t"
	    ".option push\n\t.option norvc\n\tlw t1, 8(t0)\n\t.option pop");
	RUN("store", d, "fsub.d ft1, ft0, ft0\n\tfadd.d ft1, ft1, ft1\n\tfmin.d ft2, ft0, ft0\n\t"
	    ".option push\n\t.option norvc\n\tsd ra, 0(t0)\n\t.option pop\n\tfadd.d ft3, ft1, ft2");
	RUN("moved", d, "fadd.d ft1, ft0, ft0\n\tfmv.d ft2, ft1\n\tfmv.d ft3, ft0\n\tfadd.d ft4, ft0, ft0\n\tfmv.d ft4, ft0\n\t"
	    ".option push\n\t.option norvc\n\tld t1, 0(t0)\n\t.option pop");
	RUN("narrowed", d, "fcvt.s.d ft1, ft0\n\tfadd.s ft2, ft1, ft1\n\tfcvt.d.s ft3, ft2\n\t"
	    ".option push\n\t.option norvc\n\tld t1, 0(t0)\n\t.option pop");
	RUN("compressed", d, "fadd.d ft1, ft0, ft0\n\tc.nop\n\tc.addi t2, 1\n\tfadd.d ft2, ft1, ft0\n\t"
	    ".option push\n\t.option norvc\n\tlbu t1, 0(t0)\n\t.option pop\n\tfadd.d ft5, ft2, ft2");
	/* a block that relies on ft2 being boxed is no entry of the region */
	RUN("skipped", d, "li t2, 1\n\tcall 1f\n\tj 4f\n1:\tli t1, 0x3f800000\n\tfmv.w.x ft1, t1\n\tfmv.w.x ft2, t1\n\t"
	    "bnez t2, 3f\n\tfadd.d ft1, ft0, ft0\n2:\tfadd.s ft3, ft2, ft2\n\tret\n3:\t"
	    ".option push\n\t.option norvc\n\tld t1, 0(zero)\n\t.option pop\n\tfadd.s ft3, ft2, ft2\n\tj 2b\n4:");
	return 0;
}
