/* SPDX-License-Identifier: MIT */
/* sysfuzz.c - a guest program that makes random system calls: SEED CHILDREN CALLS
 *
 * Every child makes so many calls with corner values and lives two seconds at most.  What they return
 * does not matter; what is tested is that the translator neither crashes, nor hangs, nor harms itself.  Runs as
 * init of a pid namespace in a small tmpfs (tests/check.d/61-sysfuzz.sh), so that nothing else can be harmed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t rng;
static char *page;                     /* two pages, the one after them unmapped */

static uint64_t
rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng * 0x9e3779b97f4a7c15u >> 11;
}

/* what calls choke on: lengths, descriptors, addresses of all kinds, host addresses among them */
static long
argument(void)
{
	static const uint64_t corner[] = {
		0, 1, 2, 3, 4, 7, 8, 16, 4095, 4096, 65536, 0x7fffffff, 0x80000000, 0xffffffff, ~0ul, ~0ul - 4095,
		1ul << 47, (1ul << 47) - 4096, 1ul << 63, 0x7ffff0000000, 0x550000000000, 0x7f0000000000, 0x10000, 0x400000,
		(uint64_t)-100, O_CREAT | O_RDWR, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};
	static const char *const name[] = {"/", "/proc/self/exe", "/proc/self/maps", "/proc/self/fd/1", "/proc/cpuinfo", "/f", "", "/d/../f"};

	switch (rnd() % 8) {
	case 0: return (long)(rnd() % 12);
	case 1: return (long)page + (long)(rnd() % 8192);
	case 2: return (long)page + 8192 - (long)(rnd() % 64);
	case 3: return (long)&rng;
	case 4: return (long)(rnd() << rnd() % 12);
	case 5: return (long)name[rnd() % 8];
	default: return (long)corner[rnd() % (sizeof corner / sizeof *corner)];
	}
}

static void
child(int calls)
{
	struct rlimit few = {64, 64}, small = {1 << 20, 1 << 20}, space = {1ul << 32, 1ul << 32};
	int p[2];

	setrlimit(RLIMIT_NOFILE, &few);
	setrlimit(RLIMIT_FSIZE, &small);
	if (rnd() % 4 == 0)
		setrlimit(RLIMIT_AS, &space);
	(void)!pipe(p);
	open("/f", O_CREAT | O_RDWR, 0600);
	socket(AF_UNIX, SOCK_STREAM, 0);
	alarm(2);
	for (int i = 0; i < calls; i++) {
		long nr = (long)(rnd() % 480);

		for (int k = 0; k < 8192; k += 8)
			if (rnd() % 16 == 0)
				*(uint64_t *)(page + k) = (uint64_t)argument();
		if (nr == SYS_reboot)
			continue;
		syscall(nr, argument(), argument(), argument(), argument(), argument(), argument());
	}
	_exit(0);
}

/* The child's end: -1 if it does not come. */
static int
await(pid_t pid)
{
	int status = 0;

	for (int ms = 0; ms < 6000; ms += 2) {
		pid_t got = waitpid(pid, &status, WNOHANG | __WALL);

		if (got == pid || (got < 0 && errno == ECHILD))
			return status;
		usleep(ms < 100 ? 200 : 2000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, __WALL);
	return -1;
}

int
main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], 0, 0) : 1;
	int children = argc > 2 ? atoi(argv[2]) : 100, calls = argc > 3 ? atoi(argv[3]) : 30, stuck = 0;

	page = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + 8192, 4096);
	for (int i = 0; i < children; i++) {
		pid_t pid = fork();
		int end;

		if (!pid) {
			rng = seed * 1000003 + (uint64_t)i + 1;
			child(calls);
		}
		end = await(pid);
		stuck += end == -1;
	}
	printf("%d children, %d killed after 6 s\n", children, stuck);
	return 0;
}
