// A signal that comes right before a system call that does not block is taken before it: no such call fails with EINTR.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t taken;

static void
count(int sig)
{
	(void)sig;
	taken++;
}

int
main(void)
{
	struct sigaction sa = {.sa_handler = count};           // without SA_RESTART
	struct itimerval every = {{0, 50}, {0, 50}}, off = {{0, 0}, {0, 0}}, now;
	struct stat st;
	int fd = open("/dev/null", O_WRONLY), bad = 0;

	sigaction(SIGALRM, &sa, 0);
	setitimer(ITIMER_REAL, &every, 0);
	for (int i = 0; i < 200000 && !bad; i++) {
		bad |= getitimer(ITIMER_VIRTUAL, &now) < 0;
		bad |= write(fd, "x", 1) != 1;
		bad |= fstat(fd, &st) < 0;
		bad |= lseek(fd, 0, SEEK_CUR) < 0;
	}
	if (bad)
		printf("failed: %s\n", strerror(errno));
	setitimer(ITIMER_REAL, &off, 0);
	puts(taken > 100 ? "taken" : "no signals");
	return 0;
}
