// Signals raining on busy threads: nothing is lost or damaged, no call fails that should restart.
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static atomic_int failed, hits, stop;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s (errno %d)\n", __func__, __LINE__, #e, errno); failed = 1; } } while (0)
static __thread volatile double fp;
static __thread char alt[32768];
static void on(int s, siginfo_t *si, void *uc)
{
	int e = errno;
	char buf[64];
	(void)uc;
	fp = sqrt((double)s) * 1.5;
	memset(buf, s, sizeof buf);
	if (si->si_signo != s || buf[63] != s) abort();
	hits++;
	errno = e;
}
static void onalt(void) { stack_t st = {.ss_sp = alt, .ss_size = sizeof alt}; sigaltstack(&st, 0); }

static void *compute(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg + 1, want = 0;
	double d = 0, dwant = 0;
	onalt();
	for (int round = 0; !stop; round++) {
		x = (uint64_t)(uintptr_t)arg + 1;
		d = 1;
		for (int i = 0; i < 20000; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			x ^= x >> 13;
			d = d * 1.0000001 + (double)(x & 7);
		}
		if (!round) want = x, dwant = d;
		CHECK(x == want && d == dwant);
	}
	return 0;
}
static void *memory(void *arg)
{
	onalt();
	while (!stop) {
		char *p[20];
		for (int i = 0; i < 20; i++) memset(p[i] = malloc((size_t)(i * 977 + 1)), i, (size_t)(i * 977 + 1));
		for (int i = 0; i < 20; i++) { CHECK(p[i][i * 977] == i); free(p[i]); }
	}
	return arg;
}
static int fd[2];
static void *reader(void *arg)
{
	unsigned char c, want = 0;
	onalt();
	for (int i = 0; i < 3000; i++) {
		CHECK(read(fd[0], &c, 1) == 1);
		CHECK(c == want);
		want++;
	}
	return arg;
}
static void *writer(void *arg)
{
	onalt();
	for (int i = 0; i < 3000; i++) {
		unsigned char c = (unsigned char)i;
		CHECK(write(fd[1], &c, 1) == 1);
		if (i % 64 == 0) {
			struct timespec ts = {0, 100000};
			while (nanosleep(&ts, &ts) == -1)
				CHECK(errno == EINTR);
		}
	}
	return arg;
}
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long guarded;
static void *locker(void *arg)
{
	onalt();
	for (int i = 0; i < 5000; i++) {
		CHECK(!pthread_mutex_lock(&m));
		guarded++;
		CHECK(!pthread_mutex_unlock(&m));
	}
	return arg;
}
int main(void)
{
	void *(*fn[])(void *) = {compute, memory, reader, writer, locker, locker};
	enum { N = sizeof fn / sizeof *fn };
	pthread_t t[N];
	struct sigaction sa = {.sa_sigaction = on, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
	struct itimerval it = {{0, 700}, {0, 700}}, off = {{0, 0}, {0, 0}};
	sigaction(SIGUSR1, &sa, 0);
	sigaction(SIGALRM, &sa, 0);
	sigaction(SIGRTMIN + 3, &sa, 0);
	CHECK(!pipe(fd));
	setitimer(ITIMER_REAL, &it, 0);
	for (int i = 0; i < N; i++) CHECK(!pthread_create(&t[i], 0, fn[i], (void *)(intptr_t)i));
	for (int i = 0; i < 1500; i++) {
		for (int k = 0; k < 2; k++) pthread_kill(t[k], i & 1 ? SIGUSR1 : SIGRTMIN + 3);
		if (i % 8 == 0) usleep(50);
	}
	for (int i = 2; i < N; i++) CHECK(!pthread_join(t[i], 0));
	stop = 1;
	for (int i = 0; i < 2; i++) CHECK(!pthread_join(t[i], 0));
	setitimer(ITIMER_REAL, &off, 0);
	CHECK(guarded == 10000);
	CHECK(hits > 100);
	puts(failed ? "some failed" : "all good");
	return failed;
}
