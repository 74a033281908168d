// Handlers that jump out, nest, overflow their stack; a timer over a sum; ppoll and sigsuspend racing a sender.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s (errno %d)\n", __func__, __LINE__, #e, errno); failed = 1; } } while (0)
static sigjmp_buf out;
static volatile int depth, deepest, ticks, got;
static char alt[65536];

static void catch(int s, void (*f)(int), int flags)
{
	struct sigaction sa = {.sa_handler = f, .sa_flags = flags};
	sigemptyset(&sa.sa_mask);
	CHECK(!sigaction(s, &sa, 0));
}

static void away(int s) { siglongjmp(out, s); }

/* A jump out of the handler gives the mask back, from the alternate stack too, ever again. */
static void jumps(void)
{
	stack_t st = {.ss_sp = alt, .ss_size = sizeof alt}, now;
	sigset_t m;
	int n = 0;

	CHECK(!sigaltstack(&st, 0));
	catch(SIGSEGV, away, SA_ONSTACK);
	catch(SIGUSR1, away, SA_ONSTACK);
	for (volatile int i = 0; i < 2000; i++) {
		int s = sigsetjmp(out, 1);
		if (!s) {
			if (i & 1)
				raise(SIGUSR1);
			*(volatile int *)(intptr_t)(16 + i % 4) = 1;
		}
		n += s == (i & 1 ? SIGUSR1 : SIGSEGV);
	}
	sigprocmask(0, 0, &m);
	CHECK(n == 2000 && !sigismember(&m, SIGSEGV) && !sigismember(&m, SIGUSR1));
	CHECK(!sigaltstack(0, &now) && !(now.ss_flags & SS_ONSTACK));
}

static int recurse(int n) { volatile char fill[4096]; fill[n & 4095] = (char)n; return n < 0 ? 0 : recurse(n + 1) + fill[n & 4095]; }

/* The guest's stack overflows: caught on the alternate stack, by SIGSEGV without one it dies. */
static void overflow(void)
{
	struct rlimit l;
	int st;

	getrlimit(RLIMIT_STACK, &l);
	catch(SIGSEGV, away, SA_ONSTACK);
	for (volatile int i = 0; i < 3; i++)
		if (!sigsetjmp(out, 1)) {
			recurse(0);
			CHECK(!"came back");
		}
	fflush(stdout);
	if (!fork()) {
		catch(SIGSEGV, away, 0);
		recurse(0);
		_exit(1);
	}
	CHECK(wait(&st) > 0 && WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
}

static void eatstack(int s) { (void)s; recurse(0); }

/* A handler that runs off the alternate stack into a page it may not touch. */
static void altoverflow(void)
{
	int st;

	if (!fork()) {
		char *p = alt + 8192 - (uintptr_t)alt % 4096;
		stack_t small = {.ss_sp = p, .ss_size = 40960};
		sigaltstack(&small, 0);
		catch(SIGSEGV, eatstack, SA_ONSTACK);
		catch(SIGUSR1, eatstack, SA_ONSTACK);
		memset(alt, 0, 4096);
		raise(SIGUSR1);
		_exit(1);
	}
	CHECK(wait(&st) > 0 && WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
}

static void nest(int s)
{
	int e = errno;

	deepest = ++depth > deepest ? depth : deepest;
	got++;
	if (depth < 20 && got < 60)
		raise(s);
	if (s == SIGUSR2 && depth < 10)
		raise(SIGUSR1);
	depth--;
	errno = e;
}

static void nested(void)
{
	catch(SIGUSR1, nest, SA_NODEFER);
	catch(SIGUSR2, nest, 0);
	deepest = got = 0;
	raise(SIGUSR1);
	CHECK(deepest == 20 && got == 20 && depth == 0);
	got = deepest = 0;
	raise(SIGUSR2);                /* blocked in its own handler: comes again after it */
	CHECK(got > 1 && depth == 0);
}

static void tick(int s) { (void)s; ticks++; if (ticks == 20) setitimer(ITIMER_REAL, &(struct itimerval){0}, 0); }

static uint64_t checksum(void)
{
	uint64_t x = 1, sum = 0;
	double d = 0;

	for (int i = 0; i < 1000000; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		sum += (x >> 33) * (uint64_t)(i | 1);
		d += (double)(x >> 60);
	}
	return sum ^ (uint64_t)d;
}

static void timer(void)
{
	struct itimerval it = {{0, 1000}, {0, 1000}};
	uint64_t want = checksum();

	catch(SIGALRM, tick, 0);
	setitimer(ITIMER_REAL, &it, 0);
	for (int i = 0; ticks < 20; i++)
		CHECK(checksum() == want);
	CHECK(checksum() == want);
}

static void count(int s) { (void)s; got++; }

/* Every signal ends one wait: none is lost between the mask and the sleep. */
static void waits(void)
{
	sigset_t block, old;
	pid_t parent = getpid(), pid;
	int st;

	catch(SIGUSR1, count, 0);
	catch(SIGUSR2, count, 0);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, &old);
	got = 0;
	if (!(pid = fork())) {
		int sig;
		for (int i = 0; i < 300; i++) {        /* the parent answers each */
			kill(parent, SIGUSR1);
			sigwait(&block, &sig);
		}
		_exit(0);
	}
	for (int i = 0; i < 300; i++) {
		if (i & 1)
			CHECK(ppoll(0, 0, &(struct timespec){20, 0}, &old) == -1 && errno == EINTR);
		else
			CHECK(sigsuspend(&old) == -1 && errno == EINTR);
		CHECK(got == i + 1);
		kill(pid, SIGUSR1);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	sigprocmask(SIG_SETMASK, &old, 0);
}

int main(void)
{
	setrlimit(RLIMIT_STACK, &(struct rlimit){1 << 20, RLIM_INFINITY});
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	setvbuf(stdout, 0, _IOLBF, 0);
	jumps(), puts("jumps");
	overflow(), puts("overflow");
	altoverflow(), puts("altoverflow");
	nested(), puts("nested");
	timer(), puts("timer");
	waits(), puts("waits");
	puts(failed ? "failed" : "ok");
	return failed;
}
