#define _GNU_SOURCE
// A vfork child is killed while it makes calls that allocate, map and translate, and another thread does the same: both go on, and what
// is mapped is known.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int fn(void);

#include "return.h"

enum { PAGE = 4096, PAGES = 64, VECS = 200, CODES = 500 };

static volatile pid_t who;             // the child to kill
static volatile int done;
static int null, zero;
static unsigned delay;

static void *
killer(void *arg)
{
	for (unsigned i = 0; !done; i++) {
		pid_t pid = who;
		if (!pid) {
			usleep(20);
			continue;
		}
		usleep(delay);
		who = 0;
		kill(pid, (int[]){ SIGKILL, SIGTERM, SIGINT, SIGRTMIN + 3 }[i % 4]);
	}
	return arg;
}

struct work { char *pages; uint32_t *code; unsigned n; char path[4000]; };

// One of many things, all of which need memory of the emulator's or change what it knows of ours.
static void
once(struct work *w)
{
	struct iovec v[VECS];
	struct pollfd p[VECS];
	char *argv[] = { "x", "y", 0 }, *at = w->pages + w->n * 7 % PAGES * PAGE;
	uint32_t *code = w->code + w->n * 5 % CODES * 4;
	void *m;

	for (int i = 0; i < VECS; i++) {
		v[i] = (struct iovec){ w->pages + PAGES * PAGE, 1 };
		p[i] = (struct pollfd){ null, POLLOUT, 0 };
	}
	switch (w->n++ % 8) {
	case 0: writev(null, v, VECS); break;
	case 1: poll(p, VECS, 0); break;
	case 2: execve(w->path, argv, argv); break;
	case 3: mprotect(at, PAGE, w->n % 3 ? PROT_READ : PROT_READ | PROT_WRITE); break;
	case 4: mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, zero, 0); break;
	case 5: mmap(at, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0); break;
	case 6:
		m = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		m = mremap(m, 3 * PAGE, 9 * PAGE, MREMAP_MAYMOVE);
		munmap(m, 9 * PAGE);
		break;
	case 7:
		put(code, w->n % 1000);
		__builtin___clear_cache((char *)code, (char *)(code + 2));
		((fn *)code)();
		break;
	}
}

static struct work *
newwork(void)
{
	struct work *w = malloc(sizeof *w);

	w->n = 0;
	w->pages = mmap(0, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	w->code = mmap(0, CODES * 16, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(w->path, '/', sizeof w->path);
	strcpy(w->path + sizeof w->path - 10, "notthere");
	return w;
}

static void *
other(void *arg)
{
	struct work *w = newwork();

	while (!done)
		once(w);
	return arg;
}

// The emulator knows what it has mapped: system calls and accesses agree.
static void
verify(struct work *w)
{
	int fd[2];

	pipe2(fd, O_NONBLOCK);
	for (int i = 0; i < PAGES; i++) {
		char *at = w->pages + i * PAGE;
		int fixed = i & 1;

		if (fixed)
			at = mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		else if (mprotect(at, PAGE, PROT_READ | PROT_WRITE))
			at = MAP_FAILED;
		if (at == MAP_FAILED) {
			printf("page %d cannot be mapped: %s\n", i, strerror(errno));
			continue;
		}
		*at = 1;
		if (write(fd[1], at, 1) != 1 || read(fd[0], at, 1) != 1)
			printf("page %d: a call does not see what is mapped: %s\n", i, strerror(errno));
		mprotect(at, PAGE, PROT_READ);
		if (write(fd[1], at, 1) != 1 || read(fd[0], at, 1) != -1 || errno != EFAULT)
			printf("page %d: a call writes where it must not: %s\n", i, strerror(errno));
		read(fd[0], w->path + sizeof w->path - 1, 1);
		w->path[sizeof w->path - 1] = 0;
	}
	close(fd[0]);
	close(fd[1]);
}

int
main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 100, killed = 0, status;
	struct work *w = newwork();
	pthread_t t[2];

	null = open("/dev/null", O_WRONLY);
	zero = open("/proc/self/exe", O_RDONLY);
	pthread_create(&t[0], 0, killer, 0);
	pthread_create(&t[1], 0, other, 0);
	for (int i = 0; i < runs; i++) {
		pid_t child;

		delay = (unsigned)(i * 37 % 700);
		if (!(child = vfork())) {
			who = getpid();
			for (;;)
				once(w);
		}
		if (waitpid(child, &status, 0) == child && WIFSIGNALED(status))
			killed++;
		verify(w);
		for (int k = 0; k < 16; k++)
			once(w);
	}
	done = 1;
	pthread_join(t[0], 0);
	pthread_join(t[1], 0);
	printf("%d killed\n", killed);
	return 0;
}
