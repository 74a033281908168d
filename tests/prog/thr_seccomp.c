// Filters of system calls: errno, trap, kill, inheritance by threads.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s (errno %d)\n", __func__, __LINE__, #e, errno); failed = 1; } } while (0)
#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#elif defined __riscv
#define ARCH AUDIT_ARCH_RISCV64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif
static volatile int trapped, trapnr;
static void onsys(int s, siginfo_t *si, void *uc) { (void)s, (void)uc; trapped++; trapnr = si->si_syscall; }
static void *other(void *arg) { (void)arg; return (void *)(long)(syscall(SYS_getppid) == -1 && errno == 77); }
int main(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0100, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {sizeof f / sizeof *f, f};
	struct sock_filter bad[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3), BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog badp = {2, bad};
	struct sigaction sa = {.sa_sigaction = onsys, .sa_flags = SA_SIGINFO};
	pthread_t t;
	void *r;
	int st;
	unsigned act = SECCOMP_RET_ERRNO;
	CHECK(!syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &act));
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &badp) == -1 && errno == EINVAL);
	CHECK(prctl(PR_GET_SECCOMP) == 0);
	sigaction(SIGSYS, &sa, 0);
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p));
	CHECK(prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER);
	CHECK(syscall(SYS_getppid) == -1 && errno == 77);
	syscall(SYS_getuid);
	CHECK(trapped == 1 && trapnr == SYS_getuid);
	pthread_create(&t, 0, other, 0);
	pthread_join(t, &r);
	CHECK(r == (void *)1);
	umask(022);
	pid_t pid = fork();
	if (!pid) {
		umask(0100);
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == SIGSYS);
	puts(failed ? "some failed" : "all good");
	return failed;
}
