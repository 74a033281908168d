// Processes by clone with flags that fork does not have, while other threads map memory, name files and run new code: the
// child finds no lock taken, the C library's of the translator neither.  CLONE_ROUNDS: how many.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, PAGE = 65536 };
static atomic_int quit;

// A function that returns v, written to p and run.
static int
fresh(uint32_t *p, uint32_t v)
{
#ifdef __aarch64__
	p[0] = 0x52800000 | v << 5;            // mov w0, #v
	p[1] = 0xd65f03c0;                     // ret
#else
	p[0] = 0x513 | v << 20;                // li a0, v
	p[1] = 0x8067;                         // ret
#endif
	__builtin___clear_cache((char *)p, (char *)(p + 2));
	return ((int (*)(void))p)();
}

static void *
code(void)
{
	return mmap(0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *
worker(void *arg)
{
	unsigned n = 0;

	while (!atomic_load(&quit)) {
		uint32_t *p = code();
		int fd = open("/dev/null", O_WRONLY);

		for (int k = 0; k < 8; k++)
			if (fresh(p + 16 * k, n++ & 1023) < 0)
				abort();
		write(fd, "", 1);
		close(fd);
		munmap(p, PAGE);
		usleep(100);
	}
	return arg;
}

// What a child does without the guest's C library, but not without the translator's.
static void
child(int k)
{
	uint32_t *p = code();
	int sum = 0;

	for (int i = 0; i < 16; i++)
		sum += fresh(p + 16 * i, (uint32_t)(i + k));
	syscall(SYS_exit_group, sum == 16 * k + 120 ? 7 : 8);
}

static long
start(int how, int *pidfd)
{
	struct { uint64_t flags, pidfd, ctid, ptid, sig, stack, size, tls; } c3 = {.flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd, .sig = SIGCHLD};

	switch (how) {
	case 0:
		return syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, pidfd, 0, 0);
	case 1:
		return syscall(SYS_clone, CLONE_FS | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	case 2:
		return syscall(SYS_clone, 0, 0, 0, 0, 0);
	default:
		return syscall(SYS_clone3, &c3, sizeof c3);
	}
}

int
main(void)
{
	pthread_t t[THREADS];
	int bad = 0, rounds = getenv("CLONE_ROUNDS") ? atoi(getenv("CLONE_ROUNDS")) : 100;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], 0, worker, 0);
	for (int i = 0; i < rounds; i++) {
		int pidfd = -1, st = -1;
		long pid = start(i % 4, &pidfd);

		if (!pid)
			child(i & 127);
		alarm(20);                     // a child that hangs
		bad += pid < 0 || waitpid((pid_t)pid, &st, __WALL) != pid || !WIFEXITED(st) || WEXITSTATUS(st) != 7;
		bad += (pidfd >= 0) != (i % 4 == 0 || i % 4 == 3);
		if (pidfd >= 0)
			bad += close(pidfd);
	}
	atomic_store(&quit, 1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], 0);
	printf("%d bad\n", bad);
	return 0;
}
