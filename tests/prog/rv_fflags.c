// guest: riscv64
/* A program that reads its floating-point flags often is told of each when it is raised, and not before: by every
 * kind of operation, after they were cleared, in a signal's frame, in new threads, and whatever rounding mode is
 * set meanwhile. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static unsigned inframe;

static void
handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	inframe = uc->uc_mcontext.__fpregs.__d.__fcsr;
	__asm__ volatile("fsflags x0");        /* forgotten at the return */
}

static inline unsigned
getflags(void)
{
	unsigned f;

	__asm__ volatile("frflags %0" : "=r"(f) : : "memory");
	return f;
}

__attribute__((noinline)) static void
look(int n)
{
	static volatile unsigned sum;

	while (n--)
		sum += getflags();
}

#define D(name, insn) static void name(double a, double b) \
	{ double d; __asm__ volatile(insn : "=f"(d) : "f"(a), "f"(b)); }
#define S(name, insn) static void name(double x, double y) \
	{ float a = (float)x, b = (float)y, d; __asm__ volatile(insn : "=f"(d) : "f"(a), "f"(b)); }
#define X(name, insn) static void name(double a, double b) \
	{ long d; __asm__ volatile(insn : "=r"(d) : "f"(a), "f"(b)); }

D(add, "fadd.d %0, %1, %2")
D(mul, "fmul.d %0, %1, %2")
D(divide, "fdiv.d %0, %1, %2")
D(squareroot, "fsqrt.d %0, %1")
D(fma_, "fmadd.d %0, %1, %2, %2")
D(least, "fmin.d %0, %1, %2")
D(narrow, "fcvt.s.d %0, %1")
S(divide32, "fdiv.s %0, %1, %2")
S(mul32, "fmul.s %0, %1, %2")
X(toint, "fcvt.w.d %0, %1, rtz")
X(tolong, "fcvt.l.d %0, %1")
X(equal, "feq.d %0, %1, %2")
X(less, "flt.d %0, %1, %2")

static const struct { const char *name; void (*f)(double, double); uint64_t a, b; } op[] = {
	{"exact", add, 0x3ff0000000000000, 0x4000000000000000},
	{"inexact", divide, 0x3ff0000000000000, 0x4008000000000000},
	{"inexact fma", fma_, 0x3fb999999999999a, 0x3ff0000000000001},
	{"tiny and exact", mul, 0x0010000000000000, 0x3fe0000000000000},
	{"tiny and inexact", mul, 0x0010000000000001, 0x3fe0000000000000},
	{"denormal operand", add, 0x0000000000000001, 0x0000000000000002},
	{"overflow", mul, 0x7fe0000000000000, 0x4010000000000000},
	{"division by zero", divide, 0x3ff0000000000000, 0},
	{"0/0", divide, 0, 0},
	{"sqrt(-1)", squareroot, 0xbff0000000000000, 0},
	{"sqrt(2)", squareroot, 0x4000000000000000, 0},
	{"signalling min", least, 0x7ff0000000000001, 0},
	{"narrow overflow", narrow, 0x7fe0000000000000, 0},
	{"narrow tiny", narrow, 0x37f0000000000001, 0},
	{"narrow exact tiny", narrow, 0x37f0000000000000, 0},
	{"single inexact", divide32, 0x3ff0000000000000, 0x4008000000000000},
	{"single tiny exact", mul32, 0x3810000000000000, 0x3fe0000000000000},
	{"to int", toint, 0x3ff8000000000000, 0},
	{"to int, too big", toint, 0x4ff8000000000000, 0},
	{"to long", tolong, 0x3ff8000000000000, 0},
	{"equal, quiet", equal, 0x7ff8000000000000, 0},
	{"equal, signalling", equal, 0x7ff4000000000000, 0},
	{"less, quiet", less, 0x7ff8000000000000, 0},
};

static void
perform(int i)
{
	double a, b;

	memcpy(&a, &op[i].a, 8);
	memcpy(&b, &op[i].b, 8);
	op[i].f(a, b);
}

static void *
thread(void *arg)
{
	unsigned before = getflags();

	look(300);
	perform(1);
	printf(" thread %u %u", before, getflags());
	return 0;
}

/* k: what is done first.  In a process of its own, where nothing has been raised yet. */
static void
try(int i, int k)
{
	pthread_t t;

	if (k == 1)
		perform(1);
	look(300);
	if (k == 2)
		__asm__ volatile("fsrm x0, %0" : : "r"(2));
	perform(i);
	raise(SIGUSR1);
	printf("%s %d: %u frame %u", op[i].name, k, getflags(), inframe);
	perform(i);
	printf(" again %u", getflags());
	__asm__ volatile("fsflags x0");
	printf(" cleared %u", getflags());
	pthread_create(&t, 0, thread, 0);
	pthread_join(t, 0);
	perform(i);
	look(300);
	printf(" last %u", getflags());
	perform(7);
	printf(" %u\n", getflags());
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &sa, 0);
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < (int)(sizeof op / sizeof *op); i++) {
			fflush(stdout);
			if (!fork()) {
				try(i, k);
				fflush(stdout);
				_exit(0);
			}
			wait(0);
		}
	return 0;
}
