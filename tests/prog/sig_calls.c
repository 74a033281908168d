// Code that only calls and returns, without a jump back: signals are taken in it, and it ends when another thread exits.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICKS = 5, TICK = 2000 /* microseconds */, LATE = 20 /* seconds */ };

#ifdef __riscv
#define CALL "jal ra, "
#define CALLR(label) "la t0, " label "\n\tjalr ra, 0(t0)\n"
#define SKIP ".option norvc\n\tjr 4(ra)\n"    /* returns to the instruction after next */
#define NEXT "j "
#define LOST "ra", "t0", "memory"
#define PUSH "addi sp, sp, -16\n\tsd ra, 8(sp)\n"
#define POP "ld ra, 8(sp)\n\taddi sp, sp, 16\n\tret\n"
#define DOWN(label) "addi a0, a0, -1\n\tbltz a0, " label "\n"
#define UP "addi a0, a0, 1\n"
#else
#define CALL "bl "
#define CALLR(label) "adr x9, " label "\n\tblr x9\n"
#define SKIP "add x9, x30, #4\n\tbr x9\n"
#define NEXT "b "
#define LOST "x9", "x30", "memory"
#define PUSH "str x30, [sp, #-16]!\n"
#define POP "ldr x30, [sp], #16\n\tret\n"
#define DOWN(label) "subs x0, x0, #1\n\tb.mi " label "\n"
#define UP "add x0, x0, #1\n"
#endif

/* They lie apart, so that each is translated by itself. */
#define APART ".balign 4096\n"

static void self(void) { __asm__ volatile("1:\n\t" CALL "1b\n" : : : LOST); }
static void mutual(void) { __asm__ volatile(NEXT "1f\n" APART "1:\n\t" CALL "2f\n" APART "2:\n\t" CALL "1b\n" : : : LOST); }
static void computed(void) { __asm__ volatile("1:\n\t" CALLR("1b") : : : LOST); }

static void
three(void)
{
	__asm__ volatile(NEXT "2f\n" APART "1:\n\t" CALL "3f\n" APART "2:\n\t" CALL "1b\n" APART
	    "3:\n\t" CALL "2b\n" : : : LOST);
}

static void
returns(void)
{
	__asm__ volatile(NEXT "2f\n" APART "1:\n\t" SKIP APART "2:\n\t" CALL "1b\n\tnop\n\t" NEXT "2b\n" : : : LOST);
}

/* Two that call each other, each twice: 2^2000 calls, none of which is deep. */
__asm__(".text\n" APART "one:\n\t" DOWN("1f") "\t" PUSH "\t" CALL "two\n\t" CALL "two\n\t" UP "\t" POP
    "1:\n\t" UP "\tret\n" APART "two:\n\t" PUSH "\t" CALL "one\n\t" CALL "one\n\t" POP);
void one(long);

static void tree(void) { one(1000); }

/* The same by the compiler, and not in equal halves. */
__attribute__((noinline)) static long even(long n, long m);

__attribute__((noinline)) static long
odd(long n, long m)
{
	return n <= 0 ? m : even(n - 1, m + 1) + even(n - 2, m) * 3;
}

__attribute__((noinline)) static long
even(long n, long m)
{
	return n <= 0 ? m : odd(n - 1, m) * 5 + odd(n - 2, m + 1);
}

static volatile long sum;

static void deep(void) { sum = even(1000, 0); }

static const struct { const char *name; void (*run)(void); } cases[] = {
	{"self", self}, {"mutual", mutual}, {"three", three}, {"computed", computed}, {"returns", returns},
	{"tree", tree}, {"deep", deep},
};
enum { NCASE = sizeof cases / sizeof *cases };

static sigjmp_buf back;
static volatile int ticks;

static void
tick(int sig)
{
	if (++ticks == TICKS)
		siglongjmp(back, 1);
}

static void
timed(int n)
{
	struct itimerval every = {{0, TICK}, {0, TICK}}, none = {{0}};

	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &every, 0);
	if (!sigsetjmp(back, 1))
		cases[n].run();
	setitimer(ITIMER_REAL, &none, 0);
	_exit(ticks < TICKS ? ticks : TICKS);
}

static void *
thread(void *arg)
{
	cases[(long)arg].run();
	return 0;
}

static void
ended(int n)
{
	pthread_t t;

	pthread_create(&t, 0, thread, (void *)(long)n);
	usleep(10 * TICK);
	_exit(TICKS);
}

static void
inchild(const char *how, void (*f)(int), int n)
{
	time_t end = time(0) + LATE;
	pid_t child;
	int status;

	fflush(stdout);
	if (!(child = fork()))
		f(n);
	while (!waitpid(child, &status, WNOHANG)) {
		if (time(0) > end)
			kill(child, SIGKILL);
		usleep(1000);
	}
	printf("%s %s: %s %d\n", cases[n].name, how, WIFEXITED(status) ? "exit" : "signal",
	    WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int
main(void)
{
	for (int n = 0; n < NCASE; n++) {
		inchild("timed", timed, n);
		inchild("ended", ended, n);
	}
	return 0;
}
