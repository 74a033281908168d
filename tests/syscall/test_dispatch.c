/* SPDX-License-Identifier: MIT */
/* test_dispatch.c - calls made as a guest makes them: results, conversion, text */
#include "call.h"
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

extern const struct guest guest_aarch64, guest_riscv64;

static u64 guest64(gaddr a) { return ld64(g2h(a)); }
static u32 guest32(gaddr a) { return ld32(g2h(a)); }

static void
test_unknown_number_is_enosys(void **s)
{
	const struct linux_abi *abi = guest_aarch64.abi;

	(void)s;
	call_start(&guest_aarch64);
	reg_set(abi->nr, 9999);
	assert_int_equal(syscall_do(cpu), -ENOSYS);
	assert_int_equal((s64)reg_at(abi->ret), -ENOSYS);
	reg_set(abi->nr, 38 | (u64)1 << 40);           /* Linux takes 32 bits of it */
	reg_set(abi->arg[0], (u64)-1);
	assert_int_not_equal(syscall_do(cpu), -ENOSYS);
	assert_int_equal(CALL(io_uring_setup, 8, mem), -ENOSYS);
}

static void
test_files_are_opened_read_and_printed(void **s)
{
	s64 fd;

	(void)s;
	call_start(&guest_riscv64);
	proc.strace = 1;
	str(0, "/proc/sys/kernel/ostype");
	fd = CALL(openat, (u64)AT_FDCWD, mem, 02000000);
	assert_true(fd >= 0);
	SHOWN("openat(AT_FDCWD, \"/proc/sys/kernel/ostype\", O_RDONLY|O_CLOEXEC, 0) = ");
	assert_int_equal(CALL(read, (u64)fd, mem + 512, 100), 6);
	assert_memory_equal(g2h(mem + 512), "Linux\n", 6);
	SHOWN(", \"Linux\\n\", 100) = 6\n");
	assert_int_equal(CALL(close, (u64)fd), 0);
	assert_int_equal(CALL(close, (u64)fd), -EBADF);
	SHOWN(") = -1 EBADF (Bad file descriptor)\n");
	assert_int_equal(CALL(openat, (u64)AT_FDCWD, 0x100, 0), -EFAULT);
	SHOWN("openat(AT_FDCWD, 0x100, O_RDONLY, 0) = -1 EFAULT");
	proc.strace = 0;
}

/* O_DIRECTORY and its neighbours have other numbers on AArch64. */
static void
test_open_flags_are_the_guests(void **s)
{
	(void)s;
	call_start(&guest_aarch64);
	str(0, "/proc/version");
	str(100, "/tmp");
	assert_int_equal(CALL(openat, (u64)AT_FDCWD, mem, 040000), -ENOTDIR);
	s64 fd = CALL(openat, (u64)AT_FDCWD, mem + 100, 040000 | 04000);
	assert_true(fd >= 0);
	u64 fl = (u64)CALL(fcntl, (u64)fd, F_GETFL);
	assert_int_equal(fl & ~(u64)0400000, 040000 | 04000);
	assert_int_equal(fcntl((int)fd, F_GETFL) & O_DIRECTORY, O_DIRECTORY);
	proc.strace = 1;
	CALL(openat, (u64)AT_FDCWD, mem, 040000);
	SHOWN("O_RDONLY|O_DIRECTORY, 0) = -1 ENOTDIR");
	proc.strace = 0;
	close((int)fd);
}

static void
test_stat_has_the_generic_layout(void **s)
{
	struct stat st;

	(void)s;
	for (int i = 0; i < 2; i++) {
		call_start(i ? &guest_aarch64 : &guest_riscv64);
		str(0, "/etc/passwd");
		assert_int_equal(stat("/etc/passwd", &st), 0);
		assert_int_equal(CALL(newfstatat, (u64)AT_FDCWD, mem, mem + 256, 0), 0);
		assert_int_equal(guest64(mem + 256), st.st_dev);
		assert_int_equal(guest64(mem + 256 + 8), st.st_ino);
		assert_int_equal(guest32(mem + 256 + 16), st.st_mode);
		assert_int_equal(guest32(mem + 256 + 20), st.st_nlink);
		assert_int_equal(guest64(mem + 256 + 48), st.st_size);
		assert_int_equal(guest32(mem + 256 + 56), st.st_blksize);
		assert_int_equal(guest64(mem + 256 + 88), st.st_mtime);
		assert_int_equal(guest64(mem + 256 + 96), st.st_mtim.tv_nsec);
	}
}

static void
test_uname_names_the_guest(void **s)
{
	(void)s;
	call_start(&guest_aarch64);
	proc.release = "5.4.3";
	assert_int_equal(CALL(uname, mem), 0);
	assert_string_equal((char *)g2h(mem + 4 * 65), "aarch64");
	assert_string_equal((char *)g2h(mem + 2 * 65), "5.4.3");
	proc.release = 0;
	call_start(&guest_riscv64);
	assert_int_equal(CALL(uname, mem), 0);
	assert_string_equal((char *)g2h(mem + 4 * 65), "riscv64");
	assert_int_equal(CALL(uname, 0x100), -EFAULT);
}

/* struct epoll_event is packed on x86-64 only. */
static void
test_epoll_events_convert(void **s)
{
	int fds[2];

	(void)s;
	call_start(&guest_aarch64);
	s64 ep = CALL(epoll_create1, 0);
	assert_int_equal(pipe(fds), 0);
	st32(g2h(mem), EPOLLIN);
	st64(g2h(mem + 8), 0x1122334455667788);
	assert_int_equal(CALL(epoll_ctl, (u64)ep, EPOLL_CTL_ADD, (u64)fds[0], mem), 0);
	st32(g2h(mem), EPOLLOUT);
	st64(g2h(mem + 8), 77);
	assert_int_equal(CALL(epoll_ctl, (u64)ep, EPOLL_CTL_ADD, (u64)fds[1], mem), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	proc.strace = 1;
	assert_int_equal(CALL(epoll_pwait, (u64)ep, mem + 64, 8, (u64)-1, 0, 8), 2);
	SHOWN("], 8, -1, NULL, 8) = 2");
	int in = guest32(mem + 64) == EPOLLIN ? 0 : 16;        /* their order is not ours */
	assert_int_equal(guest32(mem + 64 + (u64)in), EPOLLIN);
	assert_int_equal(guest64(mem + 72 + (u64)in), 0x1122334455667788);
	assert_int_equal(guest64(mem + 88 - (u64)in), 77);
	assert_int_equal(CALL(epoll_ctl, (u64)ep, EPOLL_CTL_DEL, (u64)fds[0], 0), 0);
	call_text();
	assert_int_equal(CALL(epoll_pwait, (u64)ep, mem + 64, 8, (u64)-1, 0, 8), 1);
	SHOWN(", [{events=EPOLLOUT, data=0x4d}], 8, -1, NULL, 8) = 1");
	proc.strace = 0;
	st64(g2h(mem + 32), 0);
	st64(g2h(mem + 40), 2000000);
	assert_int_equal(CALL(epoll_ctl, (u64)ep, EPOLL_CTL_DEL, (u64)fds[1], 0), 0);
	assert_int_equal(CALL(epoll_pwait2, (u64)ep, mem + 64, 8, mem + 32, 0, 8), 0);
	close(fds[0]), close(fds[1]), close((int)ep);
}

static void
test_poll_counts_its_limit_down(void **s)
{
	(void)s;
	call_start(&guest_riscv64);
	st64(g2h(mem + 8), 3000000);
	assert_int_equal(CALL(ppoll, 0, 0, mem, 0, 0), 0);
	assert_int_equal(guest64(mem) | guest64(mem + 8), 0);
	st64(g2h(mem + 8), 1000000000);
	assert_int_equal(CALL(ppoll, 0, 0, mem, 0, 0), -EINVAL);
	st64(g2h(mem + 8), 3000000);
	st64(g2h(mem + 64), (u64)1 << 63);              /* descriptor 63 is not open */
	assert_int_equal(fcntl(63, F_GETFD), -1);
	assert_int_equal(CALL(pselect6, 64, mem + 64, 0, 0, mem, 0), -EBADF);
}

static void
test_memory_calls(void **s)
{
	(void)s;
	call_start(&guest_aarch64);
	proc.strace = 1;
	s64 a = CALL(mmap, 0, 8192, 3, 0x22, (u64)-1, 0);
	assert_true(a > 0);
	SHOWN("mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x");
	proc.strace = 0;
	assert_int_equal(CALL(mprotect, (u64)a, 4096, 1), 0);
	assert_int_equal(CALL(mmap, 0, 0, 3, 0x22, (u64)-1, 0), -EINVAL);
	assert_int_equal(CALL(mmap, 0, 4096, 3, 2, 999, 0), -EBADF);
	assert_int_equal(CALL(madvise, (u64)a, 4096, 4), 0);
	assert_int_equal(CALL(madvise, (u64)a + 1, 4096, 4), -EINVAL);
	assert_int_equal(CALL(mincore, (u64)a, 8192, mem), 0);
	assert_int_equal(CALL(mprotect, (u64)a, 4096, 3), 0);
	s64 b = CALL(mremap, (u64)a, 8192, 16384, 1, 0);
	assert_true(b > 0);
	assert_int_equal(CALL(munmap, (u64)b, 16384), 0);
	s64 brk = CALL(brk, 0);
	assert_int_equal(CALL(brk, (u64)brk + 100), brk + 100);
	assert_int_equal(CALL(mincore, (u64)1 << 50, 4096, mem), -ENOMEM);
}

static void
test_limits_on_memory_bind_the_guest(void **s)
{
	(void)s;
	call_start(&guest_aarch64);
	st64(g2h(mem), 64 << 20);
	st64(g2h(mem + 8), ~(u64)0);
	assert_int_equal(CALL(prlimit64, 0, RLIMIT_AS, mem, mem + 32), 0);
	assert_int_equal(CALL(mmap, 0, 256 << 20, 3, 0x22, (u64)-1, 0), -ENOMEM);
	s64 a = CALL(mmap, 0, 1 << 20, 3, 0x22, (u64)-1, 0);
	assert_true(a > 0);
	assert_int_equal(CALL(getrlimit, RLIMIT_AS, mem + 64), 0);
	assert_int_equal(guest64(mem + 64), 64 << 20);
	struct rlimit l;
	getrlimit(RLIMIT_AS, &l);
	assert_true(l.rlim_cur == RLIM_INFINITY || l.rlim_cur > 64 << 20);
	st64(g2h(mem), ~(u64)0);
	assert_int_equal(CALL(setrlimit, RLIMIT_AS, mem), 0);
}

static void
test_messages_carry_descriptors(void **s)
{
	int sv[2], p[2];
	gaddr h = mem, iov = mem + 128, ctl = mem + 256, buf = mem + 512;

	(void)s;
	call_start(&guest_riscv64);
	assert_int_equal(CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, mem + 1024), 0);
	sv[0] = (int)guest32(mem + 1024), sv[1] = (int)guest32(mem + 1028);
	assert_int_equal(pipe(p), 0);
	str(512, "hello");
	st64(g2h(iov), buf), st64(g2h(iov + 8), 5);
	st64(g2h(h + 16), iov), st64(g2h(h + 24), 1), st64(g2h(h + 32), ctl), st64(g2h(h + 40), 24);
	st64(g2h(ctl), 20), st32(g2h(ctl + 8), SOL_SOCKET), st32(g2h(ctl + 12), SCM_RIGHTS), st32(g2h(ctl + 16), (u32)p[1]);
	proc.strace = 1;
	assert_int_equal(CALL(sendmsg, (u64)sv[0], h, 0), 5);
	SHOWN("msg_iov=[{iov_base=\"hello\", iov_len=5}], msg_iovlen=1, msg_control=0x");
	proc.strace = 0;
	memset(g2h(mem + 128), 0, 800);
	st64(g2h(iov), buf), st64(g2h(iov + 8), 100);
	assert_int_equal(CALL(recvmsg, (u64)sv[1], h, 0x40000000), 5);
	assert_memory_equal(g2h(buf), "hello", 5);
	assert_int_equal(guest64(h + 40), 24);
	int fd = (int)guest32(ctl + 16);
	assert_int_equal(write(fd, "q", 1), 1);
	assert_int_equal(read(p[0], g2h(buf), 1), 1);
	close(fd), close(p[0]), close(p[1]), close(sv[0]), close(sv[1]);
}

static void
test_terminals(void **s)
{
	int m = posix_openpt(O_RDWR | O_NOCTTY);

	(void)s;
	call_start(&guest_aarch64);
	assert_true(m >= 0);
	proc.strace = 1;
	assert_int_equal(CALL(ioctl, (u64)m, 0x5401, mem), 0);
	SHOWN("TCGETS, {c_iflag=ICRNL|IXON, c_oflag=OPOST|ONLCR, c_cflag=B38400|CS8|CREAD, c_lflag=ISIG|ICANON|ECHO");
	memset(g2h(mem), 0, 8);
	st16(g2h(mem), 50), st16(g2h(mem + 2), 132);
	assert_int_equal(CALL(ioctl, (u64)m, 0x5414, mem), 0);
	SHOWN("TIOCSWINSZ, {ws_row=50, ws_col=132, ws_xpixel=0, ws_ypixel=0}) = 0");
	proc.strace = 0;
	assert_int_equal(CALL(ioctl, (u64)m, 0xdead, mem), -ENOTTY);
	assert_int_equal(CALL(ioctl, 999, 0xdead, mem), -EBADF);
	close(m);
}

static void
test_locks_and_owners(void **s)
{
	FILE *f = tmpfile();
	u64 fd = (u64)fileno(f);

	(void)s;
	call_start(&guest_riscv64);
	st16(g2h(mem), F_WRLCK);
	st64(g2h(mem + 16), 100);
	proc.strace = 1;
	assert_int_equal(CALL(fcntl, fd, F_OFD_SETLK, mem), 0);
	SHOWN("F_OFD_SETLK, {l_type=F_WRLCK, l_whence=SEEK_SET, l_start=0, l_len=100, l_pid=0}) = 0");
	proc.strace = 0;
	st16(g2h(mem), F_RDLCK);
	assert_int_equal(CALL(fcntl, fd, 5, mem), 0);  /* F_GETLK: the other kind of owner holds it */
	assert_int_equal(*(s16 *)g2h(mem), F_WRLCK);
	assert_int_equal(CALL(fcntl, fd, 4711, mem), -EINVAL);
	fclose(f);
}

static void
test_ipc(void **s)
{
	(void)s;
	call_start(&guest_aarch64);
	s64 sem = CALL(semget, 0, 3, 01600);
	if (sem < 0)
		skip();
	st16(g2h(mem), 5), st16(g2h(mem + 2), 6), st16(g2h(mem + 4), 7);
	assert_int_equal(CALL(semctl, (u64)sem, 0, 17, mem), 0);
	assert_int_equal(CALL(semctl, (u64)sem, 0, 13, mem + 64), 0);
	assert_memory_equal(g2h(mem), g2h(mem + 64), 6);
	assert_int_equal(CALL(semctl, (u64)sem, 1, 12, 0), 6);
	assert_int_equal(CALL(semctl, (u64)sem, 0, 2, mem + 128), 0);
	assert_int_equal(guest64(mem + 128 + 64), 3);          /* sem_nsems of the generic layout */
	assert_int_equal(CALL(semctl, (u64)sem, 0, 0, 0), 0);
	s64 shm = CALL(shmget, 0, 5000, 01600);
	s64 a = CALL(shmat, (u64)shm, 0, 0), b = CALL(shmat, (u64)shm, 0, 0);
	assert_true(a > 0 && b > 0 && a != b);
	st64(g2h((gaddr)a), 42);
	assert_int_equal(guest64((gaddr)b), 42);
	struct vma v;
	assert_int_equal(gmem_find((gaddr)a, &v), 0);
	assert_int_equal(v.end - v.start, 8192);
	assert_int_equal(CALL(shmdt, (u64)a), 0);
	assert_int_equal(CALL(shmdt, (u64)a), -EINVAL);
	assert_int_equal(CALL(shmdt, (u64)b), 0);
	assert_int_equal(CALL(shmctl, (u64)shm, 0, 0), 0);
	s64 q = CALL(msgget, 0, 01600);
	st64(g2h(mem), 9);
	str(8, "text");
	assert_int_equal(CALL(msgsnd, (u64)q, mem, 4, 0), 0);
	assert_int_equal(CALL(msgrcv, (u64)q, mem + 64, 100, 0, 0), 4);
	assert_int_equal(guest64(mem + 64), 9);
	assert_int_equal(CALL(msgctl, (u64)q, 0, 0), 0);
}

static void
test_prctl(void **s)
{
	(void)s;
	call_start(&guest_riscv64);
	str(0, "a name that is far too long");
	assert_int_equal(CALL(prctl, 15, mem), 0);
	assert_int_equal(CALL(prctl, 16, mem + 64), 0);
	assert_string_equal((char *)g2h(mem + 64), "a name that is ");
	assert_int_equal(CALL(prctl, 65, 1), -EINVAL);         /* PR_SET_MDWE */
	assert_int_equal(CALL(prctl, 71, 0, 0), 0);            /* PR_RISCV_SET_ICACHE_FLUSH_CTX */
	assert_int_equal(CALL(prctl, 123456), -EINVAL);
	proc.nauxv = 1;
	assert_int_equal(CALL(prctl, 0x41555856, mem, 100), 16);
	st64(g2h(mem), 3);
	st64(g2h(mem + 16), 4711);
	assert_int_equal(CALL(riscv_hwprobe, mem, 2, 0, 0, 0), 0);
	assert_int_equal(guest64(mem + 8), 1);
	assert_int_equal(guest64(mem + 16), ~(u64)0);
}

/* riscv_hwprobe about sets of processors, in both directions */
static void
test_hwprobe(void **s)
{
	enum { EXT = 4, WHICH = 1 };
	const u64 set = mem + 256;

	(void)s;
	call_start(&guest_riscv64);
	st64(g2h(mem), EXT);
	st64(g2h(set), 1);
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 8, set, 0), 0);
	assert_true(guest64(mem + 8) & 1);
	st64(g2h(set), 0);
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 8, set, 0), -EINVAL);
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 8, 8, 0), -EFAULT);
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 0, 0, 2), -EINVAL);
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 0, 0, WHICH), -EINVAL);
	st64(g2h(mem + 8), 1);                 /* FD, one bit of several */
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 8, set, WHICH), 0);
	assert_true(guest64(set) & 1);         /* empty means all */
	st64(g2h(set), ~(u64)0);
	st64(g2h(mem + 8), (u64)1 << 63);      /* a bit that nobody has */
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 8, set, WHICH), 0);
	assert_int_equal(guest64(set), 0);
	st64(g2h(mem), 6);                     /* a number must be equal */
	st64(g2h(mem + 8), 0);
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 8, set, WHICH), 0);
	assert_int_equal(guest64(set), 0);
	st64(g2h(mem + 8), 64);
	st64(g2h(set), 1);
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 8, set, WHICH), 0);
	assert_int_equal(guest64(set), 1);
	st64(g2h(mem), 4711);                  /* no key */
	assert_int_equal(CALL(riscv_hwprobe, mem, 1, 8, set, WHICH), 0);
	assert_int_equal(guest64(set), 0);
	assert_int_equal(guest64(mem), ~(u64)0);
}

static void
test_descriptors_of_ours_are_out_of_reach(void **s)
{
	extern int fd_hide(int);
	extern void fd_drop(int);
	int fd = fd_hide(open("/dev/null", O_RDWR));

	(void)s;
	call_start(&guest_aarch64);
	assert_true(fd >= 496);
	assert_int_equal(CALL(close, (u64)fd), -EBADF);
	assert_int_equal(CALL(dup3, 1, (u64)fd, 0), -EBADF);
	int other = fcntl(fd, F_DUPFD, 901);
	assert_int_equal(CALL(close_range, 496, 2000, 0), 0);
	assert_int_equal(fcntl(fd, F_GETFD) >= 0, 1);
	assert_int_equal(fcntl(other, F_GETFD), -1);
	fd_drop(fd);
}

/* -- interruption -- */
static void
on_alarm(int sig, siginfo_t *info, void *uc)
{
	(void)sig, (void)info;
	cpu->poll = CPU_ASKED;
	syscall_rewind(uc);
}

static void
alarm_in(long us)
{
	struct sigaction sa = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
	struct itimerval it = { .it_value = { 0, us } };

	sigaction(SIGALRM, &sa, 0);
	cpu->poll = 0;
	setitimer(ITIMER_REAL, &it, 0);
}

static void
test_an_interrupted_call_leaves_the_registers(void **s)
{
	const struct linux_abi *abi = guest_aarch64.abi;
	int p[2];

	(void)s;
	call_start(&guest_aarch64);
	assert_int_equal(pipe(p), 0);
	alarm_in(5000);
	assert_int_equal(CALL(read, (u64)p[0], mem, 10), -ERESTARTSYS);
	assert_int_equal(reg_at(abi->arg[0]), p[0]);
	assert_int_equal(syscall_state()->nr, 63);
	/* with the flag still up no call begins */
	assert_int_equal(CALL(read, (u64)p[0], mem, 10), -ERESTARTNOINTR);
	cpu->poll = 0;
	syscall_settle(cpu, -ERESTARTSYS, 1, 1);
	assert_int_equal(cpu->pc, 0x1000);
	cpu->pc = 0x1004;
	syscall_settle(cpu, -ERESTARTSYS, 1, 0);
	assert_int_equal((s64)reg_at(abi->ret), -EINTR);
	assert_int_equal(cpu->pc, 0x1004);
	alarm_in(5000);
	assert_int_equal(CALL(ppoll, 0, 0, 0, 0, 0), -ERESTARTNOHAND);
	syscall_settle(cpu, -ERESTARTNOHAND, 1, 1);
	assert_int_equal((s64)reg_at(abi->ret), -EINTR);
	close(p[0]), close(p[1]);
}

static s64
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A sleep that is interrupted, and no handler runs, ends when it would have ended. */
static void
test_a_sleep_goes_on_with_what_is_left(void **s)
{
	s64 t = now_ms();
	u64 a[8] = { 0 };

	(void)s;
	call_start(&guest_riscv64);
	a[0] = mem, a[1] = mem + 16;
	st64(g2h(mem + 8), 60000000);
	alarm_in(30000);
	assert_int_equal(callv(L_nanosleep, a), -ERESTART_RESTARTBLOCK);
	assert_in_range(guest64(mem + 24), 1, 40000000);
	cpu->poll = 0;
	syscall_settle(cpu, -ERESTART_RESTARTBLOCK, 0, 0);
	assert_int_equal(cpu->pc, 0x1000);
	cpu->pc = 0x1004;
	assert_int_equal(callv(L_nanosleep, a), 0);
	assert_in_range(now_ms() - t, 58, 85);
	/* the next sleep is its own */
	t = now_ms();
	st64(g2h(mem + 8), 20000000);
	assert_int_equal(callv(L_nanosleep, a), 0);
	assert_in_range(now_ms() - t, 19, 200);
}

/* A socket with a time limit never restarts (signal(7)). */
static void
test_a_socket_timeout_is_not_restarted(void **s)
{
	struct timeval tv = { 5, 0 };
	int sv[2];

	(void)s;
	call_start(&guest_aarch64);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	alarm_in(5000);
	assert_int_equal(CALL(recvfrom, (u64)sv[0], mem, 10, 0, 0, 0), -ERESTARTSYS);
	setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	alarm_in(5000);
	assert_int_equal(CALL(recvfrom, (u64)sv[0], mem, 10, 0, 0, 0), -EINTR);
	assert_int_equal((s64)reg_at(guest_aarch64.abi->ret), -EINTR);
	close(sv[0]), close(sv[1]);
}

/* Signals arrive as fast as they can while calls that would block for ever begin: none may get
 * stuck.  This is the window of base/hostcall.h. */
static _Atomic int stop;

static void *
shooter(void *arg)
{
	pthread_t to = *(pthread_t *)arg;

	while (!stop) {
		pthread_kill(to, SIGALRM);
		for (volatile int i = 0; i < 3000; i++)
			;
	}
	return 0;
}

static void
test_no_signal_is_lost_before_a_blocking_call(void **s)
{
	struct sigaction sa = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
	pthread_t self = pthread_self(), t;
	int p[2];

	(void)s;
	call_start(&guest_riscv64);
	assert_int_equal(pipe(p), 0);
	sigaction(SIGALRM, &sa, 0);
	stop = 0;
	pthread_create(&t, 0, shooter, &self);
	for (int i = 0; i < 20000; i++) {
		cpu->poll = 0;
		assert_true(iscut(CALL(read, (u64)p[0], mem, 1)));
	}
	stop = 1;
	pthread_join(t, 0);
	signal(SIGALRM, SIG_IGN);
	close(p[0]), close(p[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_number_is_enosys),
		cmocka_unit_test(test_files_are_opened_read_and_printed),
		cmocka_unit_test(test_open_flags_are_the_guests),
		cmocka_unit_test(test_stat_has_the_generic_layout),
		cmocka_unit_test(test_uname_names_the_guest),
		cmocka_unit_test(test_epoll_events_convert),
		cmocka_unit_test(test_poll_counts_its_limit_down),
		cmocka_unit_test(test_memory_calls),
		cmocka_unit_test(test_limits_on_memory_bind_the_guest),
		cmocka_unit_test(test_messages_carry_descriptors),
		cmocka_unit_test(test_terminals),
		cmocka_unit_test(test_locks_and_owners),
		cmocka_unit_test(test_ipc),
		cmocka_unit_test(test_prctl),
		cmocka_unit_test(test_hwprobe),
		cmocka_unit_test(test_descriptors_of_ours_are_out_of_reach),
		cmocka_unit_test(test_an_interrupted_call_leaves_the_registers),
		cmocka_unit_test(test_a_sleep_goes_on_with_what_is_left),
		cmocka_unit_test(test_a_socket_timeout_is_not_restarted),
		cmocka_unit_test(test_no_signal_is_lost_before_a_blocking_call),
	};
	int r;

	call_log();
	r = cmocka_run_group_tests(tests, 0, 0);
	unlink(logname);
	return r;
}
