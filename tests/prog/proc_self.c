// What a program sees of itself in /proc, and what it passes on by execve.
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;
extern char **environ;
#define CHECK(e) do { if (!(e)) { printf("FAIL %s:%d: %s (errno %d)\n", __func__, __LINE__, #e, errno); failed = 1; } } while (0)
static char buf[1 << 18];
static char exe[4096];

static long slurp(const char *name)
{
	int fd = open(name, O_RDONLY);
	long n = 0, r;
	if (fd < 0)
		return -1;
	while ((r = read(fd, buf + n, sizeof buf - 1 - (size_t)n)) > 0)
		n += r;
	close(fd);
	buf[n] = 0;
	return n;
}

static void maps(void)
{
	char *line, *save;
	uintptr_t here = (uintptr_t)&maps, stack = (uintptr_t)&line, heap = (uintptr_t)malloc(10), last = 0;
	void *p = mmap(0, 4096 * 3, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int code = 0, onstack = 0, onheap = 0, hole = 0;

	mprotect((char *)p + 4096, 4096, PROT_NONE);
	CHECK(slurp("/proc/self/maps") > 0);
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(0, "\n", &save)) {
		unsigned long lo, hi, off, ino;
		char prot[8], name[4096] = "";
		unsigned a, b;
		int n = sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %4095s", &lo, &hi, prot, &off, &a, &b, &ino, name);
		CHECK(n >= 7 && lo < hi && lo >= last);
		last = hi;
		if (here >= lo && here < hi)
			code += prot[2] == 'x' && !strcmp(name, exe) && ino;
		if (stack >= lo && stack < hi)
			onstack += !strcmp(name, "[stack]");
		if (heap >= lo && heap < hi)
			onheap += !strcmp(prot, "rw-p");
		if ((uintptr_t)p + 4096 == lo)
			hole += hi == lo + 4096 && !strcmp(prot, "---p");
	}
	CHECK(code == 1 && onstack == 1 && onheap == 1 && hole == 1);
	munmap(p, 4096 * 3);
}

static void *other(void *arg) { read(*(int *)arg, buf, 1); return 0; }

static void tasks(void)
{
	pthread_t t;
	int fd[2], n = 0;
	struct dirent *e;
	char name[300];

	pipe(fd);
	pthread_create(&t, 0, other, &fd[0]);
	DIR *d = opendir("/proc/self/task");
	CHECK(d != 0);
	while (d && (e = readdir(d)))
		if (*e->d_name != '.') {
			snprintf(name, sizeof name, "/proc/self/task/%s/comm", e->d_name);
			CHECK(slurp(name) > 0);
			n++;
		}
	CHECK(n == 2);
	closedir(d);
	write(fd[1], "x", 1);
	pthread_join(t, 0);
	CHECK(slurp("/proc/self/status") > 0 && strstr(buf, "Name:\t") && strstr(buf, "Threads:\t"));
	close(fd[0]), close(fd[1]);
}

/* Every name is that of a descriptor the program has, also where few entries fit at a time. */
static void descriptors(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY), found = 0;
	char some[64];
	long n;

	CHECK(fd >= 0);
	while ((n = syscall(SYS_getdents64, fd, some, sizeof some)) > 0)
		for (char *p = some; p < some + n; p += ((struct dirent *)p)->d_reclen) {
			const char *name = ((struct dirent *)p)->d_name;

			CHECK(*name == '.' || fcntl(atoi(name), F_GETFD) >= 0);
			found += *name != '.' && atoi(name) == fd;
		}
	CHECK(n == 0 && found == 1);
	close(fd);
}

static void self(int argc, char **argv)
{
	long n;
	char *p = buf, want[32];
	struct stat a, b;

	CHECK(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
	CHECK(!stat("/proc/self/exe", &a) && !stat(exe, &b) && a.st_ino == b.st_ino);
	n = slurp("/proc/self/exe");
	CHECK(n > 64 && ((Elf64_Ehdr *)(void *)buf)->e_machine != EM_X86_64);
	n = slurp("/proc/self/cmdline");
	for (int i = 0; i < argc; p += strlen(p) + 1, i++)
		CHECK(p - buf < n && !strcmp(p, argv[i]));
	CHECK(p - buf == n);
	snprintf(want, 16, "%s", strrchr(exe, '/') + 1);
	CHECK(slurp("/proc/self/comm") > 0 && !strncmp(buf, want, strlen(want)) && buf[strlen(want)] == '\n');
	n = slurp("/proc/self/stat");
	CHECK(n > 0 && atoi(buf) == getpid() && strchr(buf, '(') && !strncmp(strchr(buf, '(') + 1, want, strlen(want)));
	int fields = 0;
	for (p = strrchr(buf, ')'); p && *p; p++)
		fields += *p == ' ';
	CHECK(fields == 50);
	n = slurp("/proc/self/auxv");
	Elf64_auxv_t *v = (void *)buf;
	CHECK(n > 0 && n % 16 == 0);
	for (; v->a_type; v++)
		CHECK(v->a_un.a_val == getauxval(v->a_type));
	slurp("/proc/self/environ");
	CHECK(!environ[0] || !strcmp(buf, environ[0]));
}

/* The child prints what it was given. */
static void child(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("[%s]", argv[i]);
	printf("%s %d\n", getenv("KEPT") ? getenv("KEPT") : "-", getenv("HOME") != 0);
}

static void start(const char *path, char **args)
{
	char *env[] = {"KEPT=a b=c", 0};
	pid_t pid;
	int st;

	fflush(stdout);
	if (!(pid = fork())) {
		execve(path, args, env);
		printf("execve %s: %s\n", path, strerror(errno));
		_exit(errno);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
}

static void executes(void)
{
	char dir[] = "/tmp/proc_selfXXXXXX", name[100];

	CHECK(mkdtemp(dir) != 0);
	start(exe, (char *[]){"any name", "child", "", "two words", "-x", "--", 0});
	snprintf(name, sizeof name, "%s/script", dir);
	FILE *f = fopen(name, "w");
	fprintf(f, "#!%s child\n", exe);
	fclose(f);
	chmod(name, 0755);
	chdir(dir);
	start("./script", (char *[]){"ignored", "y", "z", 0});
	chdir("/");
	unlink(name);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, 0, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "child")) {
		child(argc, argv);
		return 0;
	}
	self(argc, argv);
	maps();
	tasks();
	descriptors("/proc/self/fd");
	descriptors("/proc/self/fdinfo");
	executes();
	puts(failed ? "failed" : "ok");
	return failed;
}
