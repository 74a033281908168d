/* Starting a program, or failing to, closes none of the descriptors of the process that starts it, also when the child
 * shares its memory until then. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 200 };

static void
check(const char *what, char **argv, int want)
{
	char *envp[] = {0};
	int lost = 0, status = -1, r;
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	for (int fd = 50; fd < 60; fd++)       /* numbers that the child is given when it opens files */
		posix_spawn_file_actions_addclose(&actions, fd);
	r = posix_spawn(&pid, argv[0], &actions, 0, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	if (!r)
		waitpid(pid, &status, 0);
	for (int fd = 0; fd < N; fd++)
		lost += fcntl(fd, F_GETFD) < 0;
	printf("%s: %s, %d lost\n", what, (r ? r : WEXITSTATUS(status)) == want ? "as expected" : "wrong", lost);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return 7;
	for (int fd = 0; fd < N; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			fcntl(1, F_DUPFD, fd);
	check("a program", (char *[]){"/proc/self/exe", "child", 0}, 7);
	check("no program", (char *[]){"/nowhere", "child", 0}, 2);
	check("a file that is none", (char *[]){"/etc/passwd", "child", 0}, 13);
	check("a program again", (char *[]){"/proc/self/exe", "child", 0}, 7);
	return 0;
}
