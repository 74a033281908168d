// Signals: handlers, masks, alternate stack, information, queueing, restart of calls.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s (errno %d)\n", __func__, __LINE__, #e, errno); failed = 1; } } while (0)

static volatile int count, lastsig, lastval, order[64], norder;
static siginfo_t lastinfo;

static void onsig(int s, siginfo_t *si, void *uc) { (void)uc; count++; lastsig = s; lastinfo = *si; lastval = si->si_value.sival_int; if (norder < 64) order[norder++] = s * 1000 + si->si_value.sival_int; }

static void catch(int s, int flags)
{
	struct sigaction sa = {.sa_sigaction = onsig, .sa_flags = SA_SIGINFO | flags};
	sigemptyset(&sa.sa_mask);
	CHECK(!sigaction(s, &sa, 0));
}

static void raise_and_info(void)
{
	catch(SIGUSR1, 0);
	count = 0;
	raise(SIGUSR1);
	CHECK(count == 1 && lastsig == SIGUSR1);
	CHECK(lastinfo.si_code == SI_TKILL && lastinfo.si_pid == getpid());
	kill(getpid(), SIGUSR1);
	CHECK(count == 2 && lastinfo.si_code == SI_USER);
	union sigval v = {.sival_int = 77};
	sigqueue(getpid(), SIGUSR1, v);
	CHECK(count == 3 && lastinfo.si_code == SI_QUEUE && lastval == 77);
}

static void mask_and_pending(void)
{
	sigset_t s, old, p;
	catch(SIGUSR2, 0);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, &old);
	CHECK(!sigismember(&old, SIGUSR2));
	count = 0;
	raise(SIGUSR2);
	raise(SIGUSR2);
	CHECK(count == 0);
	sigpending(&p);
	CHECK(sigismember(&p, SIGUSR2) && !sigismember(&p, SIGUSR1));
	sigprocmask(SIG_SETMASK, &old, 0);
	CHECK(count == 1);
}

static void realtime_order(void)
{
	sigset_t s, old;
	for (int i = 0; i < 3; i++) catch(SIGRTMIN + i, 0);
	sigfillset(&s);
	sigprocmask(SIG_BLOCK, &s, &old);
	norder = 0;
	for (int i = 0; i < 3; i++)
		for (int k = 2; k >= 0; k--)
			sigqueue(getpid(), SIGRTMIN + k, (union sigval){.sival_int = i});
	CHECK(norder == 0);
	sigset_t some = old;
	for (int i = 0; i < 3; i++) {
		sigemptyset(&some);
		sigaddset(&some, SIGRTMIN + i);
		sigprocmask(SIG_UNBLOCK, &some, 0);
	}
	CHECK(norder == 9);
	for (int i = 0; i < 9; i++)
		CHECK(order[i] == (SIGRTMIN + i / 3) * 1000 + i % 3);
	sigprocmask(SIG_SETMASK, &old, 0);
}

static volatile int depth, maxdepth;
static void nested(int s) { if (++depth > maxdepth) maxdepth = depth; if (depth < 3) raise(s); depth--; }

static void flags(void)
{
	struct sigaction sa = {.sa_handler = nested, .sa_flags = SA_NODEFER}, old;
	sigaction(SIGUSR1, &sa, 0);
	maxdepth = 0;
	raise(SIGUSR1);
	CHECK(maxdepth == 3);
	catch(SIGUSR2, SA_RESETHAND);
	count = 0;
	raise(SIGUSR2);
	CHECK(count == 1);
	sigaction(SIGUSR2, 0, &old);
	CHECK(old.sa_handler == SIG_DFL);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR2);
	CHECK(signal(SIGUSR2, SIG_DFL) == SIG_IGN);
}

static char alt[65536] __attribute__((aligned(16)));
static volatile uintptr_t handlersp;
static void onalt(int s, siginfo_t *si, void *uc)
{
	int here;
	stack_t st;
	(void)s, (void)si;
	handlersp = (uintptr_t)&here;
	sigaltstack(0, &st);
	CHECK(st.ss_flags == SS_ONSTACK);
	CHECK(((ucontext_t *)uc)->uc_stack.ss_sp == alt);
	stack_t no = {.ss_flags = SS_DISABLE};
	CHECK(sigaltstack(&no, 0) == -1 && errno == EPERM);
}

static void altstack(void)
{
	stack_t st = {.ss_sp = alt, .ss_size = sizeof alt}, old;
	struct sigaction sa = {.sa_sigaction = onalt, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	CHECK(!sigaltstack(&st, &old) && old.ss_flags == SS_DISABLE);
	sigaction(SIGUSR1, &sa, 0);
	raise(SIGUSR1);
	CHECK(handlersp >= (uintptr_t)alt && handlersp < (uintptr_t)alt + sizeof alt);
	st.ss_size = 100;
	CHECK(sigaltstack(&st, 0) == -1 && errno == ENOMEM);
	st.ss_flags = SS_DISABLE;
	CHECK(!sigaltstack(&st, 0));
}

static sigjmp_buf env;
static volatile uintptr_t faultaddr;
static volatile int faultcode;
static void onfault(int s, siginfo_t *si, void *uc) { (void)s, (void)uc; faultaddr = (uintptr_t)si->si_addr; faultcode = si->si_code; siglongjmp(env, 1); }

static void faults(void)
{
	struct sigaction sa = {.sa_sigaction = onfault, .sa_flags = SA_SIGINFO};
	char *ro = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &sa, 0);
	sigaction(SIGILL, &sa, 0);
	for (volatile int i = 0; i < 100; i++) {
		if (!sigsetjmp(env, 1)) {
			*(volatile int *)(uintptr_t)(4096 + 8 * i) = 1;
			CHECK(0);
		}
		CHECK(faultaddr == (uintptr_t)(4096 + 8 * i) && faultcode == SEGV_MAPERR);
		if (!sigsetjmp(env, 1)) {
			ro[i] = 1;
			CHECK(0);
		}
		CHECK(faultaddr == (uintptr_t)ro + (uintptr_t)i && faultcode == SEGV_ACCERR);
	}
	if (!sigsetjmp(env, 1)) {
		((void (*)(void))0x1230)();
		CHECK(0);
	}
	CHECK(faultaddr == 0x1230);
	if (!sigsetjmp(env, 1)) {
		kill(getpid(), SIGSEGV);
		CHECK(0);
	}
	CHECK(faultcode == SI_USER);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGILL, SIG_DFL);
}

static char *page;
static void repair(int s, siginfo_t *si, void *uc)
{
	(void)s, (void)uc;
	if ((char *)si->si_addr < page || (char *)si->si_addr >= page + 4096) _exit(99);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	count++;
}

static void restartable_fault(void)
{
	struct sigaction sa = {.sa_sigaction = repair, .sa_flags = SA_SIGINFO};
	page = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &sa, 0);
	count = 0;
	for (int i = 0; i < 50; i++) {
		mprotect(page, 4096, PROT_NONE);
		page[i] = (char)i;
		CHECK(page[i] == i);
	}
	CHECK(count == 50);
	signal(SIGSEGV, SIG_DFL);
}

static void held_sync_signals(void)
{
	sigset_t s, old, p;
	siginfo_t si;
	catch(SIGSEGV, 0);
	sigemptyset(&s);
	sigaddset(&s, SIGSEGV);
	sigaddset(&s, SIGFPE);
	sigprocmask(SIG_BLOCK, &s, &old);
	count = 0;
	kill(getpid(), SIGSEGV);
	raise(SIGFPE);
	sigpending(&p);
	CHECK(count == 0 && sigismember(&p, SIGSEGV) && sigismember(&p, SIGFPE));
	struct timespec ts = {0, 0};
	sigdelset(&s, SIGSEGV);
	CHECK(sigtimedwait(&s, &si, &ts) == SIGFPE && si.si_pid == getpid());
	CHECK(sigtimedwait(&s, &si, &ts) == -1 && errno == EAGAIN);
	sigprocmask(SIG_SETMASK, &old, 0);
	CHECK(count == 1 && lastsig == SIGSEGV);
	signal(SIGSEGV, SIG_DFL);
}

static void alarm_in(int usec)
{
	struct itimerval it = {.it_value = {.tv_usec = usec}};
	setitimer(ITIMER_REAL, &it, 0);
}

static void interrupted_calls(void)
{
	int fd[2];
	char c;
	struct timespec ts = {5, 0}, rem = {0, 0};
	CHECK(!pipe(fd));
	catch(SIGALRM, 0);
	count = 0;
	alarm_in(20000);
	CHECK(read(fd[0], &c, 1) == -1 && errno == EINTR && count == 1);
	alarm_in(20000);
	CHECK(nanosleep(&ts, &rem) == -1 && errno == EINTR && rem.tv_sec == 4);
	catch(SIGALRM, SA_RESTART);
	alarm_in(20000);
	CHECK(nanosleep(&ts, &rem) == -1 && errno == EINTR);
	/* restarted: the byte arrives after the signal */
	pid_t me = getpid(), pid = fork();
	if (!pid) {
		usleep(30000);
		kill(me, SIGALRM);
		usleep(30000);
		if (write(fd[1], "x", 1) != 1) _exit(1);
		_exit(0);
	}
	count = 0;
	CHECK(read(fd[0], &c, 1) == 1 && c == 'x' && count == 1);
	int st;
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
	/* no handler at all: nothing is interrupted */
	signal(SIGALRM, SIG_IGN);
	alarm_in(10000);
	ts = (struct timespec){0, 40000000};
	CHECK(!nanosleep(&ts, 0));
	/* ignored by default */
	pid = fork();
	if (!pid) _exit(3);
	ts = (struct timespec){0, 40000000};
	CHECK(!nanosleep(&ts, 0));
	CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 3);
}

static void suspend(void)
{
	sigset_t s, old, empty;
	catch(SIGUSR1, 0);
	sigemptyset(&empty);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigprocmask(SIG_BLOCK, &s, &old);
	count = 0;
	raise(SIGUSR1);
	CHECK(count == 0);
	CHECK(sigsuspend(&empty) == -1 && errno == EINTR && count == 1);
	sigprocmask(SIG_BLOCK, 0, &s);
	CHECK(sigismember(&s, SIGUSR1));
	raise(SIGUSR1);
	struct timespec ts = {1, 0};
	CHECK(count == 1);
	CHECK(ppoll(0, 0, &ts, &empty) == -1 && errno == EINTR && count == 2);
	sigprocmask(SIG_SETMASK, &old, 0);
	siginfo_t si;
	sigprocmask(SIG_BLOCK, &s, &old);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 5});
	CHECK(sigwaitinfo(&s, &si) == SIGUSR1 && si.si_value.sival_int == 5);
	sigprocmask(SIG_SETMASK, &old, 0);
}

/* every number works, also those a C library keeps for itself */
struct ksa { void *h; unsigned long flags; 
#ifdef __aarch64__
	void *restorer;
#elif defined __x86_64__
	void *restorer;
#endif
	unsigned long mask; };
static void all_numbers(void)
{
#ifndef __x86_64__
	for (int s = 1; s <= 64; s++) {
		struct ksa k = {.h = (void *)onsig, .flags = SA_SIGINFO};
		if (s == SIGKILL || s == SIGSTOP) {
			CHECK(syscall(SYS_rt_sigaction, s, &k, 0, 8) == -1);
			continue;
		}
		CHECK(!syscall(SYS_rt_sigaction, s, &k, 0, 8));
		count = 0;
		CHECK(!syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), s));
		CHECK(count == 1 && lastsig == s);
		k.h = 0;
		CHECK(!syscall(SYS_rt_sigaction, s, &k, 0, 8));
	}
#endif
}

static volatile sig_atomic_t ticks;
static void ontick(int s) { (void)s; ticks++; }
static void busy_loop_is_interrupted(void)
{
	struct itimerval it = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
	volatile double d = 1;
	unsigned long sum = 0;
	struct sigaction sa = {.sa_handler = ontick, .sa_flags = SA_RESTART};
	sigaction(SIGALRM, &sa, 0);
	setitimer(ITIMER_REAL, &it, 0);
	while (ticks < 50) {
		sum += (unsigned long)ticks;
		d = d * 1.0000001;
	}
	setitimer(ITIMER_REAL, &off, 0);
	CHECK(ticks >= 50 && sum + 1 > 0 && d > 0);
}

static void context(int s, siginfo_t *si, void *vuc)
{
	ucontext_t *uc = vuc;
	(void)s, (void)si;
#ifdef __aarch64__
	uc->uc_mcontext.pc += 4;
	uc->uc_mcontext.regs[0] = 1234;
#elif defined __riscv
	uc->uc_mcontext.__gregs[0] += 4;
	uc->uc_mcontext.__gregs[10] = 1234;
#else
	(void)uc;
#endif
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

static void changed_context(void)
{
	struct sigaction sa = {.sa_sigaction = context, .sa_flags = SA_SIGINFO};
	long r = 1234;
	sigset_t now;
	sigaction(SIGILL, &sa, 0);
	sigaction(SIGTRAP, &sa, 0);
#ifdef __aarch64__
	__asm__ volatile("mov x0, #0\n\t.inst 0x00000001\n\tmov %0, x0" : "=r"(r) : : "x0", "memory");
	CHECK(r == 1234);
	__asm__ volatile("mov x0, #0\n\tbrk #5\n\tmov %0, x0" : "=r"(r) : : "x0", "memory");
#elif defined __riscv
	__asm__ volatile("li a0, 0\n\t.word 0xffffffff\n\tmv %0, a0" : "=r"(r) : : "a0", "memory");
	CHECK(r == 1234);
	__asm__ volatile(".option push\n\t.option norvc\n\tli a0, 0\n\tebreak\n\t.option pop\n\tmv %0, a0" : "=r"(r) : : "a0", "memory");
#else
	raise(SIGILL);
#endif
	CHECK(r == 1234);
	sigprocmask(SIG_BLOCK, 0, &now);
	CHECK(sigismember(&now, SIGUSR2));
	sigemptyset(&now);
	sigprocmask(SIG_SETMASK, &now, 0);
}

static void deaths(void)
{
	static const int sigs[] = {SIGTERM, SIGSEGV, SIGABRT, SIGFPE, SIGPIPE, SIGKILL, SIGUSR1};
	for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++) {
		int st;
		pid_t pid = fork();
		if (!pid) {
			signal(sigs[i], SIG_DFL);
			kill(getpid(), sigs[i]);
			_exit(1);
		}
		CHECK(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == sigs[i]);
	}
	int st;
	pid_t pid = fork();
	if (!pid) {
		for (;;)
			pause();
	}
	kill(pid, SIGSTOP);
	CHECK(waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
	kill(pid, SIGCONT);
	CHECK(waitpid(pid, &st, WCONTINUED) == pid && WIFCONTINUED(st));
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &st, 0) == pid && WTERMSIG(st) == SIGKILL);
}

int main(void)
{
	raise_and_info();
	mask_and_pending();
	realtime_order();
	flags();
	altstack();
	faults();
	restartable_fault();
	held_sync_signals();
	interrupted_calls();
	suspend();
	all_numbers();
	busy_loop_is_interrupted();
	changed_context();
	deaths();
	puts(failed ? "some failed" : "all good");
	return failed;
}
