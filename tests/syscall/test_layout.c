/* SPDX-License-Identifier: MIT */
/* test_layout.c - structs, flags and ioctl numbers of the tables against the C headers
 *
 * Writes a C file of _Static_assert lines with what our tables say an ABI has, and lets the
 * compiler of that ABI judge it: the host's, and the cross compilers where they are installed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "syscall/layout.h"

extern const struct linux_abi aarch64_linux, riscv64_linux;

/* Layout, the headers' name of the struct, and how many first members have the header's names
 * (-1: all; 0: only the size is compared). */
static const struct { enum layout l; const char *name; int n; } kernel[] = {
	{ S_timespec, "struct timespec", -1 }, { S_timeval, "struct timeval", -1 },
	{ S_timespec64, "struct __kernel_timespec", -1 }, { S_rusage, "struct rusage", -1 },
	{ S_clone_args, "struct clone_args", -1 }, { S_sigaction, "struct sigaction", -1 },
	{ S_stack_t, "stack_t", -1 }, { S_siginfo, "siginfo_t", 3 },
	{ S_robust_list_head, "struct robust_list_head", -1 }, { S_futex_waitv, "struct futex_waitv", -1 },
	{ S_timezone, "struct timezone", -1 }, { S_itimerval, "struct itimerval", -1 },
	{ S_itimerspec, "struct itimerspec", -1 }, { S_timex, "struct __kernel_timex", 19 },
	{ S_tms, "struct tms", -1 }, { S_rtc_time, "struct rtc_time", -1 }, { S_stat, "struct stat", 7 },
	{ S_statfs, "struct statfs", -1 }, { S_flock, "struct flock", -1 }, { S_f_owner_ex, "struct f_owner_ex", -1 },
	{ S_open_how, "struct open_how", -1 }, { S_iovec, "struct iovec", -1 }, { S_pollfd, "struct pollfd", -1 },
	{ S_epoll_event, "struct epoll_event", -1 }, { S_io_event, "struct io_event", -1 },
	{ S_mount_attr, "struct mount_attr", -1 }, { S_rlimit, "struct rlimit", -1 },
	{ S_rlimit64, "struct rlimit64", -1 }, { S_sched_attr, "struct sched_attr", -1 },
	{ S_cap_header, "struct __user_cap_header_struct", -1 }, { S_utsname, "struct new_utsname", -1 },
	{ S_sysinfo, "struct sysinfo", -1 }, { S_sembuf, "struct sembuf", -1 }, { S_mq_attr, "struct mq_attr", 4 },
	{ S_ipc_perm, "struct ipc64_perm", 7 }, { S_msqid_ds, "struct msqid64_ds", 9 },
	{ S_semid_ds, "struct semid64_ds", 2 }, { S_shmid_ds, "struct shmid64_ds", 8 },
	{ S_msginfo, "struct msginfo", -1 }, { S_seminfo, "struct seminfo", -1 }, { S_shminfo, "struct shminfo64", 5 },
	{ S_shm_info, "struct shm_info", -1 }, { S_winsize, "struct winsize", -1 },
	{ S_termios, "struct termios", -1 }, { S_termios2, "struct termios2", -1 },
	{ S_serial_struct, "struct serial_struct", -1 }, { S_vt_mode, "struct vt_mode", -1 },
	{ S_vt_stat, "struct vt_stat", -1 }, { S_file_clone_range, "struct file_clone_range", -1 },
	{ S_fiemap, "struct fiemap", 5 }, { S_fsxattr, "struct fsxattr", 5 }, { S_fstrim_range, "struct fstrim_range", -1 },
	{ S_hd_geometry, "struct hd_geometry", -1 }, { S_loop_info64, "struct loop_info64", -1 },
	{ S_loop_config, "struct loop_config", 3 }, 
	{ S_mtop, "struct mtop", -1 }, { S_mtget, "struct mtget", -1 },
	{ S_kbentry, "struct kbentry", -1 }, { S_uffdio_api, "struct uffdio_api", -1 },
	{ S_uffdio_register, "struct uffdio_register", 0 }, { S_uffdio_copy, "struct uffdio_copy", -1 },
	{ S_uffdio_zeropage, "struct uffdio_zeropage", 0 }, 
	
}, libc[] = {
	{ S_msghdr, "struct msghdr", 6 }, { S_mmsghdr, "struct mmsghdr", -1 }, { S_cmsghdr, "struct cmsghdr", -1 },
	{ S_ucred, "struct ucred", -1 }, { S_linger, "struct linger", -1 }, { S_statx, "struct statx", 17 },
	{ S_input_id, "struct input_id", -1 }, { S_input_absinfo, "struct input_absinfo", -1 },
	{ S_ifconf, "struct ifconf", 1 }, { S_ifreq_name, "struct ifreq", 0 },
};
static const char *const kernelheaders[] = {
	"asm/stat.h", "asm/statfs.h", "asm/signal.h", "asm/siginfo.h", "asm/poll.h", "asm/termbits.h", "asm/termios.h",
	"linux/time.h", "linux/time_types.h", "linux/resource.h", "linux/sched.h", "linux/futex.h", "linux/timex.h",
	"linux/times.h", "linux/rtc.h", "linux/fcntl.h", "linux/openat2.h", "linux/uio.h", "linux/eventpoll.h",
	"linux/aio_abi.h", "linux/mount.h", "linux/sched/types.h", "linux/capability.h", "linux/utsname.h",
	"linux/sysinfo.h", "linux/sem.h", "linux/mqueue.h", "linux/ipc.h", "linux/msg.h", "linux/shm.h",
	"linux/serial.h", "linux/vt.h", "linux/fs.h", "linux/fiemap.h", "linux/hdreg.h", "linux/loop.h",
	"linux/mtio.h", "linux/kd.h", "linux/userfaultfd.h", "linux/prctl.h", "linux/wait.h",
	"linux/mman.h", "asm/mman.h", "linux/memfd.h", "linux/membarrier.h", "linux/ptrace.h", "linux/inotify.h",
	"linux/random.h", "linux/xattr.h", "linux/eventfd.h", "linux/timerfd.h", "linux/seccomp.h", "linux/falloc.h",
	"linux/if_tun.h", "linux/sockios.h", "asm/socket.h", "linux/net.h", "linux/stat.h", "linux/close_range.h",
	"linux/fuse.h", "linux/watchdog.h", "linux/nsfs.h", "linux/cdrom.h", "linux/fscrypt.h", "linux/fsverity.h",
	"linux/btrfs.h", "linux/soundcard.h", "asm/ioctls.h",
};
static const char *const libcheaders[] = { "sys/socket.h", "sys/stat.h", "fcntl.h", "netinet/in.h", "netinet/tcp.h",
	"linux/input.h", "net/if.h",
};

static void
asserts_struct(FILE *f, const struct linux_abi *abi, enum layout l, const char *name, int n)
{
	const struct shape *s = shape_of(abi, l);
	const char *m = layouts[s->as].names;

	fprintf(f, "_Static_assert(sizeof(%s) == %u, \"size of %s\");\n", name, s->size, name);
	for (int i = 0; i < s->n && (n < 0 || i < n); i++, m += strlen(m) + 1)
		fprintf(f, "_Static_assert(__builtin_offsetof(%s, %s) == %u && sizeof(((%s *)0)->%s) == %u, \"%s.%s\");\n",
		        name, m, s->at[i].off, name, m, s->at[i].size * layouts[s->as].m[i].count, name, m);
}

static void
asserts_flags(FILE *f, const struct linux_abi *abi)
{
	for (int x = 1; x < X_COUNT; x++) {
		int i, end;
		for (flags_range(x, &i, &end); i < end; i++) {
			u64 v = flag_value(abi, i).value;
			/* names that mean something else in a header, or another view of the same bits */
			if (x == X_sem || x == X_socktype || x == X_timer)
				continue;
			fprintf(f, "#ifdef %s\n_Static_assert((unsigned)(%s) == %#llxu, \"%s\");\n#endif\n",
			        flag_name(i), flag_name(i), (unsigned long long)(u32)v, flag_name(i));
		}
	}
}

static void
asserts_ioctls(FILE *f)
{
#define IOCTL(name, nr, kind, layout) \
	fprintf(f, "#ifdef %s\n_Static_assert((unsigned)%s == %#xu, \"%s\");\n#endif\n", #name, #name, nr, #name);
#include "syscall/linux/ioctl.sys"
#undef IOCTL
}

static void
compile(const char *cc, const struct linux_abi *abi, int uselibc)
{
	char path[] = "/tmp/test_layoutXXXXXX.c", cmd[256];
	int fd = mkstemps(path, 2);
	FILE *f = fdopen(fd, "w");
	const char *const *h = uselibc ? libcheaders : kernelheaders;
	size_t nh = uselibc ? NELEM(libcheaders) : NELEM(kernelheaders);

	assert_non_null(f);
	/* libraries' type names that the kernel's headers leave to them */
	fprintf(f, "%s", uselibc ? "#define _GNU_SOURCE\n" : "#define __user\ntypedef unsigned long size_t;\n#include <linux/types.h>\n");
	for (size_t i = 0; i < nh; i++)
		fprintf(f, "#if __has_include(<%s>)\n#include <%s>\n#endif\n", h[i], h[i]);
	for (size_t i = 0; !uselibc && i < NELEM(kernel); i++)
		asserts_struct(f, abi, kernel[i].l, kernel[i].name, kernel[i].n);
	for (size_t i = 0; uselibc && i < NELEM(libc); i++)
		asserts_struct(f, abi, libc[i].l, libc[i].name, libc[i].n);
	if (!uselibc) {
		asserts_flags(f, abi);
		asserts_ioctls(f);
	}
	fclose(f);
	snprintf(cmd, sizeof cmd, "%s -std=gnu11 -w -fsyntax-only -fmax-errors=20 %s 1>&2", cc, path);
	int status = system(cmd);
	if (status == 0)
		unlink(path);
	else
		fprintf(stderr, "see %s\n", path);
	assert_int_equal(status, 0);
}

static void
against(const char *cc, const struct linux_abi *abi)
{
	char cmd[128];

	snprintf(cmd, sizeof cmd, "command -v %s >/dev/null 2>&1", cc);
	if (system(cmd)) {
		printf("skipped: no %s\n", cc);
		skip();
	}
	compile(cc, abi, 0);
	compile(cc, abi, 1);
}

static void test_host_headers_agree(void **s) { (void)s; against("gcc", &abi_host); }
static void test_aarch64_headers_agree(void **s) { (void)s; against("aarch64-linux-gnu-gcc", &aarch64_linux); }
static void test_riscv64_headers_agree(void **s) { (void)s; against("riscv64-linux-gnu-gcc", &riscv64_linux); }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_headers_agree),
		cmocka_unit_test(test_aarch64_headers_agree),
		cmocka_unit_test(test_riscv64_headers_agree),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
