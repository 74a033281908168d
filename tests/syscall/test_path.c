/* SPDX-License-Identifier: MIT */
/* test_path.c - names under the prefix, and the files of /proc that show the guest */
#include "call.h"
#include <elf.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "syscall/path.h"
#include "syscall/procfs.h"

extern const struct guest guest_aarch64, guest_riscv64;

static char root[] = "/tmp/test_pathXXXXXX";

static void
file(const char *name, const char *content)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s%s", root, name);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static int
setup(void **s)
{
	char cmd[512];

	(void)s;
	assert_non_null(mkdtemp(root));
	snprintf(cmd, sizeof cmd, "cd %s && mkdir -p etc lib/real proc opt/deep && ln -s /lib/real lib64 && "
	         "ln -s ../../../etc/hosts lib/up && ln -s /etc/passwd lib/abs && ln -s ../../etc opt/deep/link && "
	         "ln -s /opt srv && ln -s opt/lib libx32 && mkdir -p opt/lib/sub && ln -s y.so.1 opt/lib/y.so && "
	         "ln -s y.so.1.2 opt/lib/y.so.1 && ln -s sub/z.so opt/lib/z.so && ln -s sub opt/lib/also", root);
	assert_int_equal(system(cmd), 0);
	file("/etc/hosts", "inside\n");
	file("/lib/real/x.so", "library\n");
	file("/opt/lib/y.so.1.2", "library\n");
	file("/opt/lib/sub/z.so", "library\n");
	return 0;
}

static int
teardown(void **s)
{
	char cmd[64];

	(void)s;
	snprintf(cmd, sizeof cmd, "rm -rf %s", root);
	return system(cmd);
}

static const char *
lookup(const char *name, int flags)
{
	static char buf[PATH_SIZE];
	const char *out;

	assert_int_equal(path_host(name, AT_FDCWD, flags, buf, &out), 0);
	if (proc.prefix && !strncmp(out, root, strlen(root)))
		return out + strlen(root);
	return out == name ? "host" : out;
}

static void
test_names_are_looked_up_under_the_prefix(void **s)
{
	(void)s;
	call_start(&guest_aarch64);
	proc.prefix = root;
	path_reset();
	assert_string_equal(lookup("/etc/hosts", 0), "/etc/hosts");
	assert_string_equal(lookup("/etc/passwd", 0), "host");
	assert_string_equal(lookup("/lib64/x.so", 0), "/lib/real/x.so");       /* an absolute link stays inside */
	assert_string_equal(lookup("/lib/up", 0), "/etc/hosts");               /* and one that climbs */
	assert_string_equal(lookup("/lib/up", PATH_NOFOLLOW), "/lib/up");
	assert_string_equal(lookup("/lib/abs", 0), "host");                    /* leads to nothing inside */
	assert_string_equal(lookup("/lib/../../etc/hosts", 0), "/etc/hosts");
	assert_string_equal(lookup("/opt/deep/link/hosts", 0), "/etc/hosts");  /* a link on the way, */
	assert_string_equal(lookup("/srv/deep/link", 0), "/etc");              /* the first component, the last, */
	assert_string_equal(lookup("/srv/deep/link", PATH_NOFOLLOW), "/opt/deep/link");
	assert_string_equal(lookup("/opt/deep/link", PATH_NOFOLLOW), "/opt/deep/link");
	assert_string_equal(lookup("/libx32/y.so.1.2", 0), "/opt/lib/y.so.1.2");       /* short ways: first component, */
	assert_string_equal(lookup("/libx32/y.so.1", 0), "/opt/lib/y.so.1.2"); /* and last, */
	assert_string_equal(lookup("/opt/lib/y.so.1", 0), "/opt/lib/y.so.1.2");
	assert_string_equal(lookup("/libx32/y.so.1", PATH_NOFOLLOW), "/opt/lib/y.so.1");
	assert_string_equal(lookup("/libx32/y.so", 0), "/opt/lib/y.so.1.2");   /* which leads to another */
	assert_string_equal(lookup("/libx32/z.so", 0), "/opt/lib/sub/z.so");
	assert_string_equal(lookup("/libx32/also/z.so", 0), "/opt/lib/sub/z.so");      /* in the middle */
	assert_string_equal(lookup("/libx32", 0), "/opt/lib");
	assert_string_equal(lookup("/libx32", PATH_NOFOLLOW), "/libx32");
	assert_string_equal(lookup("/libx32/nothing", 0), "host");
	assert_string_equal(lookup("/opt/deep/../../../etc/hosts", 0), "/etc/hosts");
	assert_string_equal(lookup("/opt/./deep//", 0), "/opt/deep");
	assert_string_equal(lookup("/opt/deep/", 0), "/opt/deep");
	assert_string_equal(lookup("/..", 0), "/");                            /* the root is the host's, however it is called */
	assert_string_equal(lookup("/opt/deep/../..", 0), "/");
	assert_string_equal(lookup("/etc/nothing", 0), "host");
	assert_string_equal(lookup("/etc/nothing", 0), "host");
	assert_string_equal(lookup("/etc/hosts", 0), "/etc/hosts");            /* its directory is still looked at */
	assert_string_equal(lookup("/usr/bin/env", 0), "host");
	assert_string_equal(lookup("/usr/bin/env", 0), "host");                /* known by now */
	assert_string_equal(lookup("/proc/version", 0), "host");
	assert_string_equal(lookup("etc/hosts", 0), "host");
	assert_string_equal(lookup("/etc/ld.so.cache", 0), "/etc/ld.so.cache");        /* though it is not there */
	proc.prefix = 0;
	assert_string_equal(lookup("/etc/hosts", 0), "host");
}

static void
test_calls_use_the_prefix(void **s)
{
	s64 fd;

	(void)s;
	call_start(&guest_riscv64);
	proc.prefix = root;
	path_reset();
	str(0, "/etc/hosts");
	fd = CALL(openat, (u64)AT_FDCWD, mem, 0);
	assert_int_equal(CALL(read, (u64)fd, mem + 512, 100), 7);
	assert_memory_equal(g2h(mem + 512), "inside\n", 7);
	close((int)fd);
	str(0, "/lib64");
	assert_int_equal(CALL(readlinkat, (u64)AT_FDCWD, mem, mem + 512, 100), 9);
	assert_memory_equal(g2h(mem + 512), "/lib/real", 9);
	str(0, "/lib64/x.so");
	str(100, "user.note");
	assert_int_equal(CALL(faccessat, (u64)AT_FDCWD, mem, 4), 0);
	assert_int_equal(CALL(faccessat2, (u64)AT_FDCWD, mem, 4, 0), 0);
	assert_int_equal(CALL(truncate, mem, 3), 0);
	assert_int_equal(CALL(unlinkat, (u64)AT_FDCWD, mem, 0), 0);
	assert_int_equal(CALL(faccessat, (u64)AT_FDCWD, mem, 4), -ENOENT);
	file("/lib/real/x.so", "library\n");
	proc.prefix = 0;
}

/* What a name leads to when it is opened with the flags: a look-up that is the opening, or one before it. */
static s64
opened(const char *name, int flags, int *once)
{
	struct path_open o = {.cpu = cpu, .flags = flags};
	char buf[PATH_SIZE];
	const char *out;
	s64 fd;

	str(0, name);
	assert_int_equal(path_opened(mem, AT_FDCWD, 0, buf, &out, &o), 0);
	*once = o.done;
	fd = CALL(openat, (u64)AT_FDCWD, mem, (u64)flags);
	if (o.done && o.fd >= 0) {
		struct stat a, b;

		assert_true(!fstat((int)o.fd, &a) && !stat(out, &b) && a.st_ino == b.st_ino);
		assert_true(!fstat((int)fd, &b) && a.st_ino == b.st_ino);
		close((int)o.fd);
	}
	if (fd >= 0)
		close((int)fd);
	return fd < 0 ? fd : 0;
}

static void
test_simple_names_are_opened_at_once(void **s)
{
	int once;

	(void)s;
	call_start(&guest_riscv64);
	proc.prefix = root;
	path_reset();
	assert_int_equal(opened("/etc/hosts", O_RDONLY, &once), 0);
	assert_true(once);
	assert_int_equal(opened("/libx32/y.so.1", O_RDONLY | O_CLOEXEC, &once), 0);    /* links first and last */
	assert_true(once);
	assert_int_equal(opened("/opt/lib", O_RDONLY | O_DIRECTORY, &once), 0);
	assert_true(once);
	assert_int_equal(opened("/opt/deep/link/hosts", O_RDONLY, &once), 0);  /* a link in the middle */
	assert_false(once);
	assert_int_equal(opened("/etc/passwd", O_RDONLY, &once), 0);           /* the host's */
	assert_false(once);
	assert_int_equal(opened("/etc/hosts", O_RDONLY | O_DIRECTORY, &once), -ENOTDIR);       /* not the host's */
	assert_false(once);
	cpu->poll = 1;
	assert_int_equal(opened("/etc/hosts", O_RDONLY, &once), -ERESTARTNOINTR);
	assert_true(once);
	cpu->poll = 0;
	proc.prefix = 0;
}

static void
test_names_that_are_too_long_or_not_there(void **s)
{
	(void)s;
	call_start(&guest_riscv64);
	memset(g2h(mem), 'a', 5000);
	assert_int_equal(CALL(chdir, mem), -ENAMETOOLONG);
	assert_int_equal(CALL(chdir, 0x100), -EFAULT);
	assert_int_equal(CALL(chdir, 0), -EFAULT);
}

/* -- /proc -- */
static void
test_proc_names_are_recognised(void **s)
{
	char pid[64];
	int dir = open("/proc/self", O_PATH);

	(void)s;
	snprintf(pid, sizeof pid, "/proc/%d/maps", getpid());
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/self/maps"), PF_MAPS);
	assert_int_equal(procfs_which(AT_FDCWD, "//proc/./self//exe"), PF_EXE);
	assert_int_equal(procfs_which(AT_FDCWD, pid), PF_MAPS);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/1/maps"), PF_NONE);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/1/exe"), PF_OTHERS);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/1/task/1/exe"), PF_OTHERS);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/1/fd/exe"), PF_NONE);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/x/exe"), PF_NONE);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/thread-self/auxv"), PF_AUXV);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/self/task/123/maps"), PF_MAPS);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/self/task/123/stat"), PF_NONE);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/cpuinfo"), PF_CPUINFO);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/stat"), PF_NONE);
	assert_int_equal(procfs_which(AT_FDCWD, "/proc/self/maps/x"), PF_NONE);
	assert_int_equal(procfs_which(AT_FDCWD, "/home/proc/self/maps"), PF_NONE);
	assert_int_equal(procfs_which(dir, "cmdline"), PF_CMDLINE);
	assert_int_equal(procfs_which(AT_FDCWD, "maps"), PF_NONE);
	close(dir);
}

static int
slurp(const char *name, char *buf, size_t size)
{
	s64 fd, n;
	size_t at = 0;

	str(0, name);
	fd = CALL(openat, (u64)AT_FDCWD, mem, 0);
	assert_true(fd >= 0);
	while ((n = CALL(read, (u64)fd, mem + 4096, 65536)) > 0 && at + (size_t)n < size) {
		memcpy(buf + at, g2h(mem + 4096), (size_t)n);
		at += (size_t)n;
	}
	assert_int_equal(CALL(close, (u64)fd), 0);
	buf[at] = 0;
	return (int)at;
}

static void
test_exe_is_the_program(void **s)
{
	struct stat st;

	(void)s;
	call_start(&guest_aarch64);
	proc.exe = "/etc/passwd";
	proc.shown = "/bin/guest";
	assert_int_equal(stat("/etc/passwd", &st), 0);
	str(0, "/proc/self/exe");
	assert_int_equal(CALL(readlinkat, (u64)AT_FDCWD, mem, mem + 512, 100), 10);
	assert_memory_equal(g2h(mem + 512), "/bin/guest", 10);
	assert_int_equal(CALL(readlinkat, (u64)AT_FDCWD, mem, mem + 512, 3), 3);
	assert_int_equal(CALL(readlinkat, (u64)AT_FDCWD, mem, mem + 512, 0), -EINVAL);
	assert_int_equal(CALL(newfstatat, (u64)AT_FDCWD, mem, mem + 512, 0), 0);
	assert_int_equal(ld64(g2h(mem + 520)), st.st_ino);
	assert_int_equal(CALL(newfstatat, (u64)AT_FDCWD, mem, mem + 512, 0x100), 0);
	assert_int_equal(ld32(g2h(mem + 528)) & S_IFMT, S_IFLNK);
	s64 fd = CALL(openat, (u64)AT_FDCWD, mem, 0);
	assert_int_equal(CALL(fstat, (u64)fd, mem + 512), 0);
	assert_int_equal(ld64(g2h(mem + 520)), st.st_ino);
	/* still there when its name is not */
	proc.exe = "/tmp/there is no such file";
	proc.exe_fd = (int)fd;
	assert_int_equal(CALL(newfstatat, (u64)AT_FDCWD, mem, mem + 512, 0), 0);
	assert_int_equal(ld64(g2h(mem + 520)), st.st_ino);
	proc.exe_fd = -1;
	close((int)fd);
}

static void
test_maps_show_the_guest_alone(void **s)
{
	static char maps[1 << 16], want[64];

	(void)s;
	call_start(&guest_aarch64);
	s64 a = CALL(mmap, 0, 4096, 5, 0x22, (u64)-1, 0);
	slurp("/proc/self/maps", maps, sizeof maps);
	snprintf(want, sizeof want, "%08llx-%08llx r-xp 00000000 00:00 0 \n", (long long)a, (long long)a + 4096);
	if (!strstr(maps, want))
		fail_msg("no %s in\n%s", want, maps);
	assert_null(strstr(maps, "test_path"));
	assert_null(strstr(maps, "libc"));
	slurp("/proc/self/smaps", maps, sizeof maps);
	assert_non_null(strstr(maps, "Rss:"));
	assert_non_null(strstr(maps, " r-xp 00000000 00:00 0 \n"));
	assert_null(strstr(maps, "libc"));
}

/* As cp does: the file opened must be the file named, every time. */
static void
test_synthetic_files_keep_their_identity(void **s)
{
	static const char *const names[] = { "/proc/cpuinfo", "/proc/self/maps", "/proc/self/auxv" };

	(void)s;
	call_start(&guest_riscv64);
	for (size_t i = 0; i < NELEM(names); i++)
		for (int k = 0; k < 2; k++) {
			str(0, names[i]);
			str(64, "");
			assert_int_equal(CALL(newfstatat, (u64)AT_FDCWD, mem, mem + 512, 0), 0);
			s64 fd = CALL(openat, (u64)AT_FDCWD, mem, 02000000);
			assert_int_equal(CALL(fstat, (u64)fd, mem + 1024), 0);
			assert_memory_equal(g2h(mem + 512), g2h(mem + 1024), 32);
			assert_int_equal(CALL(newfstatat, (u64)fd, mem + 64, mem + 1024, 0x1000), 0);
			assert_memory_equal(g2h(mem + 512), g2h(mem + 1024), 32);
			assert_int_equal(CALL(statx, (u64)fd, mem + 64, 0x1000, 0x7ff, mem + 2048), 0);
			assert_int_equal(ld64(g2h(mem + 2048 + 32)), ld64(g2h(mem + 512 + 8)));
			assert_int_equal(CALL(fcntl, (u64)fd, 1), 1);
			close((int)fd);
		}
	str(0, "/proc/cpuinfo");
	assert_int_equal(CALL(openat, (u64)AT_FDCWD, mem, 1), -EACCES);
}

static void
test_contents_are_the_guests(void **s)
{
	static char buf[1 << 16];

	(void)s;
	call_start(&guest_aarch64);
	slurp("/proc/cpuinfo", buf, sizeof buf);
	assert_non_null(strstr(buf, "processor\t: 0\n"));
	assert_non_null(strstr(buf, "Features\t: fp asimd"));
	proc.nauxv = 2;
	proc.auxv[0][0] = 6, proc.auxv[0][1] = 4096;
	assert_int_equal(slurp("/proc/self/auxv", buf, sizeof buf), 32);
	assert_int_equal(ld64(buf + 8), 4096);
	proc.arg0 = mem + 8000;
	memcpy(g2h(proc.arg0), "prog\0-x", 8);
	proc.arg1 = proc.arg0 + 8;
	assert_int_equal(slurp("/proc/self/cmdline", buf, sizeof buf), 8);
	assert_memory_equal(buf, "prog\0-x", 8);
	proc.env0 = proc.env1 = proc.arg1;
	assert_int_equal(slurp("/proc/self/environ", buf, sizeof buf), 0);
	proc.stack0 = 0x7777000;
	slurp("/proc/self/stat", buf, sizeof buf);
	assert_int_equal(atoi(buf), getpid());
	assert_non_null(strstr(buf, " 125267968 "));
	call_start(&guest_riscv64);
	slurp("/proc/cpuinfo", buf, sizeof buf);
	assert_non_null(strstr(buf, "isa\t\t: rv64imafdc"));
}

/* Other processes see the guest's arguments too. */
static void
test_the_host_knows_the_arguments(void **s)
{
	char buf[64];
	int fd;

	(void)s;
	call_start(&guest_aarch64);
	proc.arg0 = mem + 8000;
	memcpy(g2h(proc.arg0), "guest\0-y", 9);
	proc.arg1 = proc.env0 = proc.env1 = proc.arg0 + 9;
	proc.code0 = proc.data0 = proc.stack0 = mem;
	proc.code1 = proc.data1 = mem + 4096;
	procfs_publish();
	fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = read(fd, buf, sizeof buf);
	close(fd);
	if (n != 9 || memcmp(buf, "guest\0-y", 9)) {
		print_message("skipped: this kernel has no PR_SET_MM_MAP for us\n");
		skip();
	}
	free(malloc(1 << 20));
	void *p = sbrk(1 << 16);
	assert_true(p != (void *)-1);
}

/* Shows itself as a guest whose program is the file, says whether that is known, and waits. */
static _Noreturn void
be_guest(const char *path, int to)
{
	char *p = mmap(0, 4096, PROT_READ, MAP_PRIVATE, open(path, O_RDONLY), 0);
	u64 auxv[4] = { AT_PHDR, (u64)p + 64 }, at = (u64)p, brk = (u64)sbrk(0);
	struct prctl_mm_map m = { .start_code = at, .end_code = at + 4096, .start_data = at, .end_data = at + 4096,
		.start_brk = brk, .brk = brk, .start_stack = at, .arg_start = at, .arg_end = at, .env_start = at,
		.env_end = at, .auxv = (void *)auxv, .auxv_size = sizeof auxv, .exe_fd = (u32)-1 };
	char ok = p != MAP_FAILED && !prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0);

	if (write(to, &ok, 1) == 1)
		pause();
	_exit(0);
}

static void
test_exe_of_another_guest_is_its_program(void **s)
{
	char path[256], ok = 0;
	struct stat st;
	int fd[2];
	pid_t pid;

	(void)s;
	call_start(&guest_aarch64);
	proc.prefix = root;
	path_reset();
	file("/etc/program", "program\n");
	snprintf(path, sizeof path, "%s/etc/program", root);
	assert_true(!stat(path, &st) && !pipe(fd));
	if (!(pid = fork()))
		be_guest(path, fd[1]);
	assert_int_equal(read(fd[0], &ok, 1), 1);
	if (ok) {
		snprintf(path, sizeof path, "/proc/%d/exe", pid);
		str(0, path);
		assert_int_equal(CALL(readlinkat, (u64)AT_FDCWD, mem, mem + 512, 100), 12);
		assert_memory_equal(g2h(mem + 512), "/etc/program", 12);
		assert_int_equal(CALL(newfstatat, (u64)AT_FDCWD, mem, mem + 512, 0), 0);
		assert_int_equal(ld64(g2h(mem + 520)), st.st_ino);
		snprintf(path, sizeof path, "%s/etc/program", root);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(CALL(readlinkat, (u64)AT_FDCWD, mem, mem + 512, 100), 22);
		assert_memory_equal(g2h(mem + 512), "/etc/program (deleted)", 22);
	}
	kill(pid, SIGKILL);
	waitpid(pid, 0, 0);
	close(fd[0]);
	close(fd[1]);
	proc.prefix = 0;
	if (!ok) {
		print_message("skipped: this kernel has no PR_SET_MM_MAP for us\n");
		skip();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_looked_up_under_the_prefix),
		cmocka_unit_test(test_calls_use_the_prefix),
		cmocka_unit_test(test_simple_names_are_opened_at_once),
		cmocka_unit_test(test_names_that_are_too_long_or_not_there),
		cmocka_unit_test(test_proc_names_are_recognised),
		cmocka_unit_test(test_exe_is_the_program),
		cmocka_unit_test(test_maps_show_the_guest_alone),
		cmocka_unit_test(test_synthetic_files_keep_their_identity),
		cmocka_unit_test(test_contents_are_the_guests),
		cmocka_unit_test(test_the_host_knows_the_arguments),
		cmocka_unit_test(test_exe_of_another_guest_is_its_program),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
