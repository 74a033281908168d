// Threads: creation, joining, locks, thread-local data, signals to threads, fork among threads.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s (errno %d)\n", __func__, __LINE__, #e, errno); failed = 1; } } while (0)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static long counter;
static atomic_long acounter;
static __thread int mine = 7;

static void *count(void *arg)
{
	CHECK(mine == 7);
	mine = (int)(long)arg;
	for (int i = 0; i < 20000; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
		atomic_fetch_add(&acounter, 1);
	}
	CHECK(mine == (int)(long)arg);
	return (void *)((long)arg * 3);
}

static void locks(void)
{
	pthread_t t[4];
	void *r;
	for (long i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], 0, count, (void *)i));
	for (long i = 0; i < 4; i++) {
		CHECK(!pthread_join(t[i], &r));
		CHECK((long)r == i * 3);
	}
	CHECK(counter == 80000 && acounter == 80000);
}

static void *nothing(void *arg) { return arg; }

static void many(void)
{
	for (int i = 0; i < 300; i++) {
		pthread_t t;
		void *r;
		int e = pthread_create(&t, 0, nothing, &t);
		CHECK(!e);
		if (e) return;
		CHECK(!pthread_join(t, &r) && r == &t);
	}
}

static int turn;
static void *pingpong(void *arg)
{
	int me = (int)(long)arg;
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&lock);
		while (turn != me)
			pthread_cond_wait(&cond, &lock);
		turn = !me;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
	}
	return 0;
}

static void conditions(void)
{
	pthread_t a, b;
	struct timespec ts;
	pthread_create(&a, 0, pingpong, (void *)0);
	pthread_create(&b, 0, pingpong, (void *)1);
	pthread_join(a, 0);
	pthread_join(b, 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += 20000000;
	if (ts.tv_nsec >= 1000000000) ts.tv_nsec -= 1000000000, ts.tv_sec++;
	pthread_mutex_lock(&lock);
	CHECK(pthread_cond_timedwait(&cond, &lock, &ts) == ETIMEDOUT);
	pthread_mutex_unlock(&lock);
}

static pthread_t victim;
static atomic_int hits, ready, stop;
static pid_t hittid;
static void onhit(int s) { (void)s; hittid = (pid_t)syscall(SYS_gettid); hits++; }
static void *spin(void *arg)
{
	*(pid_t *)arg = (pid_t)syscall(SYS_gettid);
	ready = 1;
	while (!stop)
		;
	return 0;
}
static void *blocked(void *arg)
{
	char c;
	*(pid_t *)arg = (pid_t)syscall(SYS_gettid);
	ready = 1;
	return (void *)(long)(read(((int *)arg)[1], &c, 1) == -1 && errno == EINTR);
}

static void signals_to_threads(void)
{
	struct sigaction sa = {.sa_handler = onhit};
	pid_t tid[2];
	void *r;
	int fd[2];
	sigaction(SIGUSR1, &sa, 0);
	pthread_create(&victim, 0, spin, tid);
	while (!ready)
		sched_yield();
	for (int i = 0; i < 200; i++) {
		int h = hits;
		pthread_kill(victim, SIGUSR1);
		while (hits == h)
			sched_yield();
		CHECK(hittid == tid[0] && hittid != getpid());
	}
	stop = 1;
	pthread_join(victim, 0);
	CHECK(!pipe(fd));
	ready = 0;
	tid[1] = fd[0];
	pthread_create(&victim, 0, blocked, tid);
	while (!ready)
		sched_yield();
	usleep(20000);
	pthread_kill(victim, SIGUSR1);
	pthread_join(victim, &r);
	CHECK(r == (void *)1);
	/* to the process: the one thread that does not block it */
	sigset_t s, old;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	stop = ready = hits = 0;
	pthread_create(&victim, 0, spin, tid);
	while (!ready)
		sched_yield();
	pthread_sigmask(SIG_BLOCK, &s, &old);
	kill(getpid(), SIGUSR1);
	while (!hits)
		sched_yield();
	CHECK(hittid == tid[0]);
	stop = 1;
	pthread_join(victim, 0);
	pthread_sigmask(SIG_SETMASK, &old, 0);
}

static atomic_int go;
static void *alloc(void *arg)
{
	(void)arg;
	while (!go)
		free(malloc((size_t)(rand() % 5000)));
	return 0;
}

static void fork_among_threads(void)
{
	pthread_t t[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], 0, alloc, 0);
	for (int i = 0; i < 30; i++) {
		int st;
		pid_t pid = fork();
		if (!pid) {
			pthread_t u;
			free(malloc(100));
			if (getpid() != (pid_t)syscall(SYS_gettid)) _exit(1);
			if (pthread_create(&u, 0, nothing, 0) || pthread_join(u, 0)) _exit(2);
			_exit(42);
		}
		CHECK(pid > 0 && waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 42);
	}
	go = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], 0);
}

static pthread_mutex_t *robust;
static void *dies_with_lock(void *arg) { (void)arg; pthread_mutex_lock(robust); return 0; }

static void robust_mutexes(void)
{
	pthread_mutexattr_t a;
	pthread_t t;
	robust = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&a);
	pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&a, 1);
	pthread_mutex_init(robust, &a);
	pthread_create(&t, 0, dies_with_lock, 0);
	pthread_join(t, 0);
	CHECK(pthread_mutex_lock(robust) == EOWNERDEAD);
	pthread_mutex_consistent(robust);
	pthread_mutex_unlock(robust);
	pid_t pid = fork();
	if (!pid) {
		pthread_mutex_lock(robust);
		_exit(0);
	}
	waitpid(pid, 0, 0);
	CHECK(pthread_mutex_lock(robust) == EOWNERDEAD);
	pthread_mutex_consistent(robust);
	pthread_mutex_unlock(robust);
	CHECK(!pthread_mutex_lock(robust));
	pthread_mutex_unlock(robust);
}

static void *outlives(void *arg)
{
	usleep(50000);
	puts("last thread");
	fflush(stdout);
	_exit((int)(long)arg);
}

static void main_may_leave(void)
{
	int st;
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		pthread_t t;
		pthread_create(&t, 0, outlives, (void *)9);
		pthread_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 9);
	pid = fork();
	if (!pid) {
		pthread_t t;
		stop = 0;
		pid_t tid[2];
		pthread_create(&t, 0, spin, tid);
		pthread_create(&t, 0, spin, tid);
		_exit(5);
	}
	CHECK(waitpid(pid, &st, 0) == pid && WIFEXITED(st) && WEXITSTATUS(st) == 5);
}

static void *cancelled(void *arg) { (void)arg; for (;;) pause(); }
static void cancellation(void)
{
	pthread_t t;
	void *r;
	pthread_create(&t, 0, cancelled, 0);
	usleep(10000);
	pthread_cancel(t);
	pthread_join(t, &r);
	CHECK(r == PTHREAD_CANCELED);
}

int main(void)
{
	locks();
	many();
	conditions();
	signals_to_threads();
	fork_among_threads();
	robust_mutexes();
	main_may_leave();
	cancellation();
	puts(failed ? "some failed" : "all good");
	return failed;
}
