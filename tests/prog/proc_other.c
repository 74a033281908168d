// What a program sees in /proc of another one: exe is what that runs, by readlink, stat and open.
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s (errno %d)\n", __func__, __LINE__, #e, errno); failed = 1; } } while (0)
static char exe[4096];
struct hello { unsigned long phdr; int tid; };

/* The child says where it is, from a second thread, and waits. */
static void *say(void *arg)
{
	struct hello h = {getauxval(AT_PHDR), (int)syscall(SYS_gettid)};
	(void)arg;
	write(1, &h, sizeof h);
	pause();
	return 0;
}

static pid_t start(const char *path, struct hello *h)
{
	int fd[2];
	pid_t pid;

	pipe(fd);
	if (!(pid = fork())) {
		dup2(fd[1], 1);
		execl(path, "any name", "child", (char *)0);
		_exit(1);
	}
	close(fd[1]);
	CHECK(read(fd[0], h, sizeof *h) == sizeof *h);
	close(fd[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, 0, 0) == pid);
}

/* A kernel that could not be told of the child shows what it runs itself. */
static int shows(pid_t pid, unsigned long phdr)
{
	Elf64_auxv_t v[64] = {0};
	char name[64];
	int found = 0;

	snprintf(name, sizeof name, "/proc/%d/auxv", pid);
	int fd = open(name, O_RDONLY);
	CHECK(read(fd, v, sizeof v - sizeof *v) > 0);
	for (int i = 0; v[i].a_type; i++)
		found |= v[i].a_type == AT_PHDR && v[i].a_un.a_val == phdr;
	close(fd);
	if (!found)
		fprintf(stderr, "skipped: the kernel could not be told what process %d runs (CONFIG_CHECKPOINT_RESTORE)\n", pid);
	return found;
}

static void looks(const char *name, int dir, const struct stat *want)
{
	char link[4096] = "";
	Elf64_Ehdr h = {0};
	struct stat st;
	int fd;

	CHECK(readlinkat(dir, name, link, sizeof link - 1) > 0 && !strcmp(link, exe));
	CHECK(!fstatat(dir, name, &st, 0) && st.st_dev == want->st_dev && st.st_ino == want->st_ino);
	CHECK(!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode));
	CHECK((fd = openat(dir, name, O_RDONLY)) >= 0);
	CHECK(!fstat(fd, &st) && st.st_dev == want->st_dev && st.st_ino == want->st_ino);
	CHECK(read(fd, &h, sizeof h) == sizeof h && h.e_machine != EM_X86_64);
	close(fd);
}

static void other(void)
{
	struct hello h;
	struct stat own;
	pid_t pid = start(exe, &h);
	char name[64], line[64] = "";
	int fd;

	CHECK(!stat("/proc/self/exe", &own));
	if (shows(pid, h.phdr)) {
		snprintf(name, sizeof name, "/proc/%d/exe", pid);
		looks(name, AT_FDCWD, &own);
		snprintf(name, sizeof name, "/proc/%d/task/%d/exe", pid, h.tid);
		looks(name, AT_FDCWD, &own);
		snprintf(name, sizeof name, "/proc/%d", h.tid);
		CHECK((fd = open(name, O_RDONLY | O_DIRECTORY)) >= 0);
		looks("exe", fd, &own);
		close(fd);
		snprintf(name, sizeof name, "/proc/%d/cmdline", pid);
		CHECK((fd = open(name, O_RDONLY)) >= 0);
		CHECK(read(fd, line, sizeof line) == 15 && !memcmp(line, "any name\0child", 15));
		close(fd);
	}
	end(pid);
}

/* One whose name is gone: it is still that file, for those who may open it so. */
static void deleted(void)
{
	char dir[] = "/tmp/proc_otherXXXXXX", file[64], name[64], link[4096] = "", want[80], cmd[8192];
	struct stat before, st;
	struct hello h;
	pid_t pid;

	CHECK(mkdtemp(dir) != 0);
	snprintf(file, sizeof file, "%s/program", dir);
	snprintf(cmd, sizeof cmd, "cp '%s' %s", exe, file);
	CHECK(system(cmd) == 0 && !stat(file, &before));
	pid = start(file, &h);
	unlink(file);
	rmdir(dir);
	if (shows(pid, h.phdr)) {
		snprintf(name, sizeof name, "/proc/%d/exe", pid);
		snprintf(want, sizeof want, "%s (deleted)", file);
		CHECK(readlink(name, link, sizeof link - 1) > 0 && !strcmp(link, want));
		if (stat(name, &st))
			CHECK(errno == EPERM && geteuid());
		else
			CHECK(st.st_dev == before.st_dev && st.st_ino == before.st_ino && st.st_nlink == 0);
	}
	end(pid);
}

/* Not a guest, and not there. */
static void others(void)
{
	char name[64], link[4096] = "";
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, 0, 0);
	snprintf(name, sizeof name, "/proc/%d/exe", pid);
	CHECK(readlink(name, link, sizeof link) < 0 && errno == ENOENT);
	CHECK(open(name, O_RDONLY) < 0 && errno == ENOENT);
	if (!(pid = fork()))
		for (;;)
			pause();
	snprintf(name, sizeof name, "/proc/%d/exe", pid);
	CHECK(readlink(name, link, sizeof link - 1) > 0);
	CHECK(!strcmp(link, exe));             /* what is not executed is the parent's */
	end(pid);
}

int main(int argc, char **argv)
{
	pthread_t t;

	setvbuf(stdout, 0, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "child")) {
		pthread_create(&t, 0, say, 0);
		pthread_join(t, 0);
	}
	CHECK(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
	other();
	deleted();
	others();
	puts(failed ? "failed" : "ok");
	return failed;
}
