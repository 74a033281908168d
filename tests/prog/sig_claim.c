// A process sends itself signals that claim to be faults: rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int sig, code;

static void
handler(int s, siginfo_t *si, void *uc)
{
	(void)uc;
	sig = s;
	code = si->si_code;
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGUSR1};
	int fd = (int)syscall(434, getpid(), 0);       // pidfd_open

	for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++) {
		siginfo_t si;
		sigset_t set, old;

		memset(&si, 0, sizeof si);
		si.si_signo = sigs[i];
		si.si_code = 2;
		sigaction(sigs[i], &sa, 0);
		syscall(SYS_rt_sigqueueinfo, getpid(), sigs[i], &si);
		printf("%d %d", sig, code);
		sigemptyset(&set);
		sigaddset(&set, sigs[i]);
		sigprocmask(SIG_BLOCK, &set, &old);
		sig = 0;
		si.si_code = 1;
		syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), sigs[i], &si);
		printf(" blocked %d", sig);
		sigprocmask(SIG_SETMASK, &old, 0);
		printf(" %d %d", sig, code);
		si.si_code = 3;
		syscall(424, fd, sigs[i], &si, 0);     // pidfd_send_signal
		si.si_code = -1;
		printf(" %d", code);
		syscall(SYS_rt_sigqueueinfo, getpid(), sigs[i], &si);
		printf(" %d\n", code);
	}
	return 0;
}
