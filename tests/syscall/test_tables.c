/* SPDX-License-Identifier: MIT */
/* test_tables.c - every line of the tables, under every ABI we have and two we do not have yet */
#include "call.h"
#include "fill.h"
#include <sys/mount.h>
#include <sys/wait.h>
#include <sched.h>

extern const struct guest guest_aarch64, guest_riscv64;

/* -- two ABIs that are as unlike the host's as can be -- */
#define R(n) { "r" #n, 8 * n, 32, REG_INT, 0, "int", "cpu" }
static const struct reg regs[] = { R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7), R(8), R(9) };
static u16 lines[L_COUNT];
/* The open flags of MIPS, and locks of SPARC. */
static const struct flagover bigflags[] = {
#define O(name, v) { FI_open_##name, v, v }
	O(O_CREAT, 0x100), O(O_EXCL, 0x400), O(O_NONBLOCK, 0x80), O(O_APPEND, 8), O(O_DSYNC, 0x10), O(O_TRUNC, 0x200),
	O(O_NOCTTY, 0x800), O(FASYNC, 0x1000), O(O_LARGEFILE, 0x2000), O(O_SYNC, 0x4010), O(O_DIRECT, 0x8000),
	{ FI_lock_F_RDLCK, 1, 1 }, { FI_lock_F_WRLCK, 2, 2 }, { FI_lock_F_UNLCK, 3, 3 },
};
static u8 bigsig[65];
static u16 bigerr[134];
static const struct linux_abi big32 = {
	.machine = "big32", .model = { 4, 1, 8, 1 }, .nr = 0, .arg = { 1, 2, 3, 4, 5, 6, 7, 8 }, .nargs = 8,
	.ret = 1, .errflag = 9, .insnlen = 4, .line = lines, .nline = L_COUNT,
	.flags = bigflags, .nflags = NELEM(bigflags), .signo = bigsig, .errnum = bigerr,
};
static const struct linux_abi little32 = {
	.machine = "little32", .model = { 4, 0, 4, 0 }, .nr = 0, .arg = { 1, 2, 3, 4, 5, 6, 7, 8 }, .nargs = 8,
	.ret = 1, .errflag = 0xff, .insnlen = 2, .line = lines, .nline = L_COUNT,
};
static const struct gspace space32 = {
	.base = 0x1000000000, .end = 0xffff0000, .brk = 0x20000000,
	.zone = {{0x10000000, 0x40000000}, {0x40000000, 0xe0000000}, {0x00100000, 0x40000000}},
};
static const struct guest guest_big32 = { .name = "big32", .bits = 32, .big = 1, .reg = regs, .nreg = 10, .space = &space32, .abi = &big32 };
static const struct guest guest_little32 = { .name = "little32", .bits = 32, .reg = regs, .nreg = 10, .space = &space32, .abi = &little32 };

static const struct linux_abi *abis[4];

static int
setup(void **s)
{
	(void)s;
	for (int i = 0; i < L_COUNT; i++)
		lines[i] = (u16)i;
	for (int i = 0; i < 65; i++)
		bigsig[i] = (u8)i;
	bigsig[10] = 7, bigsig[7] = 10, bigsig[16] = 17, bigsig[17] = 16;
	for (int i = 0; i < 134; i++)
		bigerr[i] = (u16)i;
	bigerr[EDEADLK] = 45;
	abis[0] = guest_aarch64.abi, abis[1] = guest_riscv64.abi, abis[2] = &big32, abis[3] = &little32;
	return 0;
}

/* -- numbers -- */
static void
test_every_call_has_a_number(void **s)
{
	(void)s;
	for (int l = 1; l < L_COUNT; l++) {
		int n = 0;
		for (int nr = 0; nr < guest_riscv64.abi->nline; nr++)
			n += guest_riscv64.abi->line[nr] == l;
		/* one, or none: the calls that only 32-bit and older ABIs have, and renameat */
		if (n == 0 && l < L_riscv_hwprobe && l != L_renameat)
			fail_msg("%s has no number", systab[l].name);
		assert_in_range(n, 0, 1);
	}
	assert_int_equal(guest_aarch64.abi->line[38], L_renameat);
	assert_int_equal(guest_aarch64.abi->line[258], L_none);
	assert_int_equal(guest_aarch64.abi->line[462], L_mseal);
}

static void
test_every_call_is_performed_or_says_why_not(void **s)
{
	(void)s;
	for (int l = 1; l < L_COUNT; l++) {
		int ways = (systab[l].host >= 0) + (sysfns[l] != 0) + (sys_reason(l) != 0);
		if (ways != 1 && !(l == L_lookup_dcookie && ways == 0))
			fail_msg("%s: %d ways to perform it", systab[l].name, ways);
		for (int i = 0; i < 6; i++)
			assert_in_range(systab[l].arg[i].len, 0, 6);
	}
}

/* -- flags -- */
static void
test_flag_sets_are_consistent(void **s)
{
	(void)s;
	for (int x = 1; x < X_COUNT; x++) {
		int first, end;
		enum setkind kind = flags_range(x, &first, &end);
		for (int i = first; i < end; i++)
			for (int j = first; j < i; j++) {
				struct flag a = flag_value(0, i), b = flag_value(0, j);
				if (a.mask == b.mask && a.value == b.value)
					fail_msg("%s: %s is %s", flagset_name(x), flag_name(i), flag_name(j));
				if (kind == K_BITS && !(a.mask & ~b.mask) && a.mask != b.mask && !(a.value & ~b.value) &&
				    (b.mask & a.mask) != a.mask)
					fail_msg("%s: %s is hidden by %s", flagset_name(x), flag_name(i), flag_name(j));
			}
	}
}

static void
test_flags_convert_there_and_back(void **s)
{
	(void)s;
	seed = (u64)getpid();
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t k = 0; k < NELEM(abis); k++)
		for (int x = 1; x < X_COUNT; x++)
			for (int i = 0; i < 20 && x != X_sigmask; i++) {
				u64 h = rnd_flags(x), g = flags_convert(abis[k], x, h, 0);
				assert_int_equal(flags_convert(abis[k], x, g, 1), h);
			}
	assert_int_equal(flags_convert(guest_aarch64.abi, X_open, 040000 | 0200000, 1), O_DIRECTORY | O_DIRECT);
	assert_int_equal(flags_convert(&big32, X_open, 0x100 | 0x400 | 0x80 | 8 | 1, 1), O_CREAT | O_EXCL | O_NONBLOCK | O_APPEND | O_WRONLY);
}

/* -- structs -- */
static void
test_structs_convert_there_and_back(void **s)
{
	u8 h[LAYOUT_MAX], g[LAYOUT_MAX], b[LAYOUT_MAX];

	(void)s;
	for (size_t k = 0; k < NELEM(abis); k++)
		for (int l = 1; l < S_COUNT; l++)
			for (int i = 0; i < 5; i++) {
				memset(h, 0, sizeof h);
				memset(b, 0, sizeof b);
				fill(abis[k], l, h);
				assert_true(abi_size(abis[k], l) <= LAYOUT_MAX && abi_hostsize(l) <= LAYOUT_MAX);
				abi_toguest(abis[k], l, g, h);
				abi_tohost(abis[k], l, b, g);
				if (memcmp(h, b, abi_hostsize(l)))
					fail_msg("struct %s under %s", layout_name(l), abis[k]->machine);
			}
	assert_int_equal(abi_size(&big32, S_timespec), 8);
	assert_int_equal(abi_size(&big32, S_flock64), 32);
	assert_int_equal(abi_size(&little32, S_flock64), 24);
	assert_int_equal(abi_size(guest_aarch64.abi, S_epoll_event), 16);
	assert_true(layout_same(guest_aarch64.abi, S_timespec));
	assert_false(layout_same(guest_aarch64.abi, S_stat));
	assert_false(layout_same(guest_riscv64.abi, S_sigaction));
	assert_false(layout_same(&big32, S_iovec));
}

/* -- the calls -- */
static const enum sysline unsafe[] = {
	L_vhangup, L_reboot, L_exit, L_exit_group, L_clone, L_clone3, L_fork, L_vfork, L_execve, L_execveat, L_kill,
	L_tkill, L_tgkill, L_pause, L_rt_sigsuspend, L_rt_sigreturn, L_rt_sigtimedwait, L_rt_sigtimedwait_time64,
	L_rt_sigqueueinfo, L_rt_tgsigqueueinfo, L_sync, L_ptrace, L_seccomp, L_mlockall, L_acct,
	L_swapoff, L_settimeofday, L_pidfd_send_signal, L_unshare, L_nanosleep,
	/* of src/threads, which needs a thread record */
	L_waitid, L_wait4, L_set_tid_address, L_set_robust_list, L_get_robust_list, L_rseq, L_membarrier, L_futex,
	L_futex_time64, L_futex_waitv, L_futex_wake, L_futex_wait, L_futex_requeue, L_rt_sigaction, L_rt_sigprocmask,
	L_rt_sigpending, L_sigaltstack, L_signalfd4, L_getpid, L_gettid, L_prctl, L_ppoll, L_pselect6, L_epoll_pwait,
	L_epoll_pwait2, L_io_pgetevents, L_clock_nanosleep, L_setsid,
};

static int
isunsafe(int l)
{
	for (size_t i = 0; i < NELEM(unsafe); i++)
		if ((int)unsafe[i] == l)
			return 1;
	return 0;
}

/* Each call with arguments that cannot do harm: it returns, and its text begins and ends right. */
static void
every_line(const struct guest *g)
{
	call_start(g);
	proc.strace = 1;
	call_skip();
	for (int l = 1; l < L_COUNT; l++) {
		if (isunsafe(l) || call_number(g->abi, l) < 0)
			continue;
		for (int k = 0; k < 3; k++) {
			u64 m = k == 0 ? 0 : k == 1 ? (u64)-1 : 0x10;
			callv(l, (u64[8]){ (u64)-1, m, m, m, m, m, m, m });
			const char *t = call_text();
			size_t n = strlen(systab[l].name);
			if (strncmp(t, systab[l].name, n) || t[n] != '(' || !strstr(t, ") = ") || t[strlen(t) - 1] != '\n')
				fail_msg("text of %s: %s", systab[l].name, t);
		}
	}
	proc.strace = 0;
}

static void
in_child(void (*f)(const struct guest *), const struct guest *g)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		f(g);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void
test_every_line_returns_and_prints(void **s)
{
	(void)s;
	in_child(every_line, &guest_aarch64);
	in_child(every_line, &guest_riscv64);
	in_child(every_line, &guest_big32);
	in_child(every_line, &guest_little32);
}

/* -- a 32-bit ABI at work -- */
static void put32(gaddr a, u32 v) { stn(g2h(a), 4, cpu->guest->big, v); }
static u32 get32(gaddr a) { return (u32)ldn(g2h(a), 4, cpu->guest->big); }

static void
narrow(const struct guest *g)
{
	int big = g->big;
	s64 fd;

	call_start(g);
	proc.strace = 1;
	call_skip();
	str(0, "/tmp");
	fd = CALL(openat, (u32)AT_FDCWD, mem, O_DIRECTORY | O_RDONLY);
	assert_true(fd >= 0);
	SHOWN("openat(AT_FDCWD, \"/tmp\", O_RDONLY|O_DIRECTORY, 0) = ");
	close((int)fd);
	FILE *f = tmpfile();
	fd = fileno(f);
	/* writev: the vector has pointers of four bytes */
	str(100, "hello "), str(120, "world");
	put32(mem + 200, (u32)mem + 100), put32(mem + 204, 6), put32(mem + 208, (u32)mem + 120), put32(mem + 212, 5);
	assert_int_equal(CALL(writev, (u64)fd, mem + 200, 2), 11);
	SHOWN("[{iov_base=\"hello \", iov_len=6}, {iov_base=\"world\", iov_len=5}], 2) = 11");
	/* pread64: the offset is a pair of registers, from an even one on where the ABI says so */
	if (big)
		assert_int_equal(CALL(pread64, (u64)fd, mem + 300, 4, 0xdead, 0, 6), 4);
	else
		assert_int_equal(CALL(pread64, (u64)fd, mem + 300, 4, 6, 0), 4);
	assert_memory_equal(g2h(mem + 300), "worl", 4);
	SHOWN(", \"worl\", 4, 6) = 4");
	assert_int_equal(CALL(ftruncate64, (u64)fd, big ? 0xdead : 1, big ? 2 : 1, big ? 1 : 0), 0);
	assert_int_equal(lseek((int)fd, 0, SEEK_END), big ? (2ll << 32) + 1 : (1ll << 32) + 1);
	call_text();
	assert_int_equal(CALL(lseek, (u64)fd, (u32)-1, 0), -EINVAL);
	SHOWN(", -1, SEEK_SET) = -1 EINVAL");
	/* an error sets the flag register and gives a positive errno, or a negative one */
	assert_int_equal(reg_at(1), big ? EINVAL : (u32)-EINVAL);
	if (big)
		assert_int_equal(reg_at(9), 1);
	assert_int_equal(CALL(clock_gettime, 1, mem + 400), 0);
	assert_true(get32(mem + 404) < 1000000000);
	assert_int_equal(CALL(clock_gettime64, 1, mem + 400), 0);
	assert_true(ldn(g2h(mem + 408), 8, big) < 1000000000);
	assert_int_equal(CALL(getrlimit, 7, mem + 400), 0);
	assert_int_equal(CALL(pipe2, mem + 500, 0), 0);
	int out = (int)get32(mem + 500), in = (int)get32(mem + 504);
	/* poll's descriptors, select's sets */
	put32(mem + 520, (u32)in), stn(g2h(mem + 524), 2, big, 4), put32(mem + 540, 0), put32(mem + 544, 0);
	assert_int_equal(CALL(ppoll, mem + 520, 1, mem + 540, 0, 0), 1);
	assert_int_equal(ldn(g2h(mem + 526), 2, big), 4);
	put32(mem + 600 + 4 * ((u32)in / 32), 1u << in % 32);
	assert_int_equal(CALL(pselect6, in + 1, 0, mem + 600, 0, mem + 540, 0), 1);
	assert_int_equal(get32(mem + 600 + 4 * ((u32)in / 32)), 1u << in % 32);
	/* a message with a descriptor */
	assert_int_equal(CALL(socketpair, 1, 1, 0, mem + 700), 0);
	put32(mem + 720 + 8, (u32)mem + 200), put32(mem + 720 + 12, 2);
	put32(mem + 720 + 16, (u32)mem + 800), put32(mem + 720 + 20, 16);
	put32(mem + 800, 16), put32(mem + 804, 1), put32(mem + 808, 1), put32(mem + 812, (u32)out);
	assert_int_equal(CALL(sendmsg, get32(mem + 700), mem + 720, 0), 11);
	memset(g2h(mem + 800), 0, 16);
	assert_int_equal(CALL(recvmsg, get32(mem + 704), mem + 720, 0), 11);
	assert_int_equal(get32(mem + 800), 16);
	assert_int_equal(get32(mem + 808), 1);
	assert_int_not_equal(get32(mem + 812), out);
	assert_true(fcntl((int)get32(mem + 812), F_GETFD) >= 0);
	assert_int_equal(CALL(bind, get32(mem + 700), mem + 900, 200), -EINVAL);
	fclose(f);
	proc.strace = 0;
}

static void
test_a_narrow_abi_of_either_order(void **s)
{
	(void)s;
	in_child(narrow, &guest_big32);
	in_child(narrow, &guest_little32);
}

static void
test_numbers_of_signals_and_errors(void **s)
{
	(void)s;
	assert_int_equal(abi_sig2host(&big32, 10), 7);
	assert_int_equal(abi_sig2guest(&big32, 7), 10);
	assert_int_equal(abi_mask2host(&big32, 1 << 9 | 1), 1 << 6 | 1);
	assert_int_equal(abi_mask2guest(&big32, 1 << 6), 1 << 9);
	assert_int_equal(abi_sig2host(guest_aarch64.abi, 10), 10);
	call_start(&guest_big32);
	syscall_result(cpu, -EDEADLK);
	assert_int_equal(reg_at(1), 45);
	assert_int_equal(reg_at(9), 1);
	syscall_result(cpu, 5);
	assert_int_equal(reg_at(1), 5);
	assert_int_equal(reg_at(9), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_call_has_a_number),
		cmocka_unit_test(test_every_call_is_performed_or_says_why_not),
		cmocka_unit_test(test_flag_sets_are_consistent),
		cmocka_unit_test(test_flags_convert_there_and_back),
		cmocka_unit_test(test_structs_convert_there_and_back),
		cmocka_unit_test(test_every_line_returns_and_prints),
		cmocka_unit_test(test_a_narrow_abi_of_either_order),
		cmocka_unit_test(test_numbers_of_signals_and_errors),
	};
	int r;

	call_log();
	r = cmocka_run_group_tests(tests, setup, 0);
	unlink(logname);
	return r;
}
