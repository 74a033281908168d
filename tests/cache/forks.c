/* SPDX-License-Identifier: MIT */
/* forks.c - forks as often as its argument says; the loop is where only computed jumps lead */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	static void *const to[] = {&&end, &&again};
	int status, n = argc > 1 ? atoi(argv[1]) : 0;
	pid_t p;

	goto *to[n > 0];
again:
	if (!(p = fork()))
		_exit(3);
	if (waitpid(p, &status, 0) != p || WEXITSTATUS(status) != 3)
		return 1;
	goto *to[--n > 0];
end:
	return 0;
}
