// A vfork child that goes to another root goes there alone.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// below -L and nowhere else
#ifdef __aarch64__
static const char name[] = "/lib/ld-linux-aarch64.so.1";
#else
static const char name[] = "/lib/ld-linux-riscv64-lp64d.so.1";
#endif

int
main(void)
{
	int before = access(name, R_OK), status;
	volatile int failed = 0;
	pid_t child;

	for (int i = 0; i < 3; i++) {
		if (!(child = vfork())) {
			if (chroot("/"))
				failed = errno;
			_exit(access("/", X_OK) != 0);
		}
		waitpid(child, &status, 0);
		if (status || access(name, R_OK) != before)
			puts("the parent is elsewhere");
	}
	if (failed)            // not allowed: nothing has been tested
		fprintf(stderr, "chroot: %s\n", strerror(failed));
	puts("done");
	return 0;
}
