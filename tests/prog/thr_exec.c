// Processes: fork, vfork, clone, execve and its errors, posix_spawn, scripts, wait.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;
extern char **environ;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s (errno %d)\n", __func__, __LINE__, #e, errno); failed = 1; } } while (0)
static char self[4096], dir[64];

static int status(pid_t pid) { int st = -1; waitpid(pid, &st, 0); return st; }

static int shared_value = 1;

static void true_vfork(void)
{
	volatile int local = 1;
	pid_t pid = vfork();
	if (!pid) {
		shared_value = 2;
		local = 3;
		_exit(6);
	}
	CHECK(shared_value == 2 && local == 3);
	CHECK(WEXITSTATUS(status(pid)) == 6);
	for (int i = 0; i < 50; i++) {
		pid = vfork();
		if (!pid) {
			execl(self, "child", "exit", "9", (char *)0);
			_exit(1);
		}
		CHECK(pid > 0 && WEXITSTATUS(status(pid)) == 9);
	}
}

static void spawn(void)
{
	char *args[] = {"child", "exit", "11", 0};
	pid_t pid;
	CHECK(!posix_spawn(&pid, self, 0, 0, args, environ));
	CHECK(WEXITSTATUS(status(pid)) == 11);
	CHECK(posix_spawn(&pid, "/no/such/program", 0, 0, args, environ) == ENOENT);
	/* the child's handlers and mask do not disturb ours */
	posix_spawnattr_t a;
	sigset_t s, now;
	posix_spawnattr_init(&a);
	sigfillset(&s);
	posix_spawnattr_setsigmask(&a, &s);
	posix_spawnattr_setsigdefault(&a, &s);
	posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGSEGV, SIG_IGN);
	char *mask[] = {"child", "signals", "full", 0};
	CHECK(!posix_spawn(&pid, self, 0, &a, mask, environ));
	CHECK(WEXITSTATUS(status(pid)) == 0);
	CHECK(signal(SIGUSR1, SIG_IGN) == SIG_IGN);
	sigprocmask(SIG_BLOCK, 0, &now);
	CHECK(!sigismember(&now, SIGUSR2));
	char *ign[] = {"child", "signals", "ignored", 0};
	CHECK(!posix_spawn(&pid, self, 0, 0, ign, environ));
	CHECK(WEXITSTATUS(status(pid)) == 0);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
}

static char *put(const char *name, const char *text, int mode)
{
	static char path[8][256];
	static int k;
	char *p = path[k++ % 8];
	snprintf(p, 256, "%s/%s", dir, name);
	int fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	fchmod(fd, (mode_t)mode);
	close(fd);
	return p;
}

static int tryexec(const char *path, char **args)
{
	execve(path, args, environ);
	return errno;
}

static void exec_errors(void)
{
	char *args[] = {"x", 0}, *big = malloc(200000), *huge[200];
	struct sigaction sa = {.sa_handler = (void (*)(int))exec_errors}, old;
	sigaction(SIGUSR2, &sa, 0);
	CHECK(tryexec("/no/such/file", args) == ENOENT);
	CHECK(tryexec("/", args) == EACCES);
	CHECK(tryexec(put("noexec", "#!/bin/sh\n", 0600), args) == EACCES);
	CHECK(tryexec(put("empty", "", 0700), args) == ENOEXEC);
	CHECK(tryexec(put("text", "hello", 0700), args) == ENOEXEC);
	CHECK(tryexec(put("nointerp", "#!/no/such/interp\n", 0700), args) == ENOENT);
	CHECK(tryexec(put("elf", "\177ELF\2\1\1xxxxxxxxxxxxx", 0700), args) == ENOEXEC);
	CHECK(tryexec("", args) == ENOENT);
	memset(big, 'a', 199999);
	big[199999] = 0;
	char *one[] = {"x", big, 0};
	CHECK(tryexec(self, one) == E2BIG);
	big[100000] = 0;
	for (int i = 0; i < 199; i++) huge[i] = big;
	huge[199] = 0;
	CHECK(tryexec(self, huge) == E2BIG);
	CHECK(syscall(SYS_execve, self, (char **)8, environ) == -1 && errno == EFAULT);
	sigaction(SIGUSR2, 0, &old);
	CHECK(old.sa_handler == sa.sa_handler);
	signal(SIGUSR2, SIG_DFL);
	free(big);
}

static void scripts(void)
{
	char text[5000];
	snprintf(text, sizeof text, "#! %s script two words \nrest\n", self);
	char *s = put("script", text, 0700);
	pid_t pid = fork();
	if (!pid) {
		execl(s, "ignored", "last", (char *)0);
		_exit(1);
	}
	CHECK(WEXITSTATUS(status(pid)) == 0);
}

static void arguments(void)
{
	char *args[] = {"", "args", "", "with space", "\xff\x01", "-d", "--", 0};
	char *envp[] = {"A=b", "LD_LIBRARY_PATH=/nowhere", "QEMU_STRACE=1", 0};
	pid_t pid = fork();
	if (!pid) {
		execve(self, args, envp);
		_exit(1);
	}
	CHECK(WEXITSTATUS(status(pid)) == 0);
	int fd = open(self, O_RDONLY | O_CLOEXEC);
	pid = fork();
	if (!pid) {
		char *a[] = {"child", "exit", "12", 0};
		fexecve(fd, a, environ);
		_exit(1);
	}
	CHECK(WEXITSTATUS(status(pid)) == 12);
	close(fd);
}

static void *exec_thread(void *arg) { (void)arg; execl(self, "child", "exit", "14", (char *)0); _exit(1); }
static void *waits(void *arg) { (void)arg; for (;;) pause(); }

static void exec_among_threads(void)
{
	pid_t pid = fork();
	if (!pid) {
		pthread_t t;
		pthread_create(&t, 0, waits, 0);
		pthread_create(&t, 0, exec_thread, 0);
		pthread_join(t, 0);
		_exit(1);
	}
	CHECK(WEXITSTATUS(status(pid)) == 14);
}

static char stack[65536] __attribute__((aligned(16)));
static volatile int seen;
static int in_clone(void *arg) { seen = (int)(long)arg; return 21; }

static void clones(void)
{
	int pidfd = -1, st;
	pid_t tid = 0;
	pid_t pid = clone(in_clone, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)5);
	CHECK(pid > 0 && WEXITSTATUS(status(pid)) == 21 && seen == 5);
	pid = clone(in_clone, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)6);
	CHECK(pid > 0 && WEXITSTATUS(status(pid)) == 21 && seen == 6);
	pid = clone(in_clone, stack + sizeof stack, CLONE_PARENT_SETTID | SIGCHLD, (void *)7, &tid);
	CHECK(pid > 0 && pid == tid && WEXITSTATUS(status(pid)) == 21 && seen == 6);
	pid = clone(in_clone, stack + sizeof stack, CLONE_PIDFD | SIGCHLD, (void *)7, &pidfd);
	CHECK(pid > 0 && pidfd >= 0);
	siginfo_t si;
	CHECK(!waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED) && si.si_pid == pid && si.si_status == 21);
	close(pidfd);
	CHECK(clone(in_clone, stack + sizeof stack, CLONE_THREAD | SIGCHLD, 0) == -1 && errno == EINVAL);
	CHECK(clone(in_clone, stack + sizeof stack, CLONE_SIGHAND | SIGCHLD, 0) == -1 && errno == EINVAL);
	pid = clone(in_clone, stack + sizeof stack, CLONE_NEWUSER | SIGCHLD, (void *)1);
	if (pid > 0)
		CHECK(waitpid(pid, &st, 0) == pid && WEXITSTATUS(st) == 21);
	struct { unsigned long v[11]; } ca = {{0}};
	ca.v[4] = SIGCHLD;
	pid = (pid_t)syscall(435, &ca, 88);
	if (!pid)
		_exit(33);
	CHECK(pid > 0 && WEXITSTATUS(status(pid)) == 33);
	ca.v[0] = 1;
	CHECK(syscall(435, &ca, 88) == -1 && errno == EINVAL);
	CHECK(syscall(435, &ca, 10) == -1 && errno == EINVAL);
}

static int child(int argc, char **argv)
{
	if (!strcmp(argv[1], "exit"))
		return atoi(argv[2]);
	if (!strcmp(argv[1], "signals")) {
		sigset_t s;
		sigprocmask(SIG_BLOCK, 0, &s);
		if (!strcmp(argv[2], "full"))
			return !(sigismember(&s, SIGUSR1) && sigismember(&s, SIGSEGV) && sigismember(&s, SIGTRAP) &&
			         signal(SIGUSR1, SIG_DFL) == SIG_DFL && signal(SIGSEGV, SIG_DFL) == SIG_DFL);
		return !(signal(SIGUSR1, SIG_DFL) == SIG_IGN && signal(SIGSEGV, SIG_DFL) == SIG_IGN &&
		         signal(SIGBUS, SIG_DFL) == SIG_DFL && !sigismember(&s, SIGSEGV));
	}
	if (!strcmp(argv[1], "script two words"))
		return !(argc == 4 && strstr(argv[2], "/script") && !strcmp(argv[3], "last"));
	if (!strcmp(argv[1], "args"))
		return !(argc == 7 && !*argv[0] && !*argv[2] && !strcmp(argv[3], "with space") &&
		         !strcmp(argv[4], "\xff\x01") && !strcmp(argv[5], "-d") && !strcmp(argv[6], "--") &&
		         getenv("A") && !strcmp(getenv("LD_LIBRARY_PATH"), "/nowhere") && !environ[3]);
	return 99;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child(argc, argv);
	if (!realpath("/proc/self/exe", self))
		return 2;
	strcpy(dir, "/tmp/thr_exec.XXXXXX");
	if (!mkdtemp(dir))
		return 3;
	true_vfork();
	spawn();
	exec_errors();
	scripts();
	arguments();
	exec_among_threads();
	clones();
	char cmd[100];
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	if (system(cmd))
		failed = 1;
	puts(failed ? "some failed" : "all good");
	return failed;
}
