/* SPDX-License-Identifier: MIT */
/* call.h - makes guest system calls from a test: a cpu, some guest memory, the text of -strace */
#ifndef TESTS_SYSCALL_CALL_H
#define TESTS_SYSCALL_CALL_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/gmem.h"
#include "syscall/layout.h"
#include "syscall/proc.h"

enum { ARENA = 1 << 20 };

static struct cpu *cpu;
static gaddr mem;                      /* ARENA bytes of guest memory, zeroed by call_start */
static char logname[] = "/tmp/test_syscallXXXXXX";
static int logfd = -1;
static off_t logat;
static char text[65536];

/* Faults of the copy routines become -EFAULT; any other is ours. */
static inline void
on_fault(int sig, siginfo_t *info, void *uc)
{
	greg_t *pc = &((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
	u64 to = gmem_fixup((u64)*pc);

	(void)info;
	if (to)
		*pc = (greg_t)to;
	else
		signal(sig, SIG_DFL);
}

static inline void
call_start(const struct guest *g)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	static const struct gspace *space;

	sigaction(SIGSEGV, &sa, 0);
	sigaction(SIGBUS, &sa, 0);
	if (!space || space->base != g->space->base) {         /* one serves all guests of a word size */
		gmem_init(space = g->space, 4096);
		mem = (gaddr)gmem_map(0, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, 0);
		assert_true((s64)mem > 0);
	}
	if (!cpu)
		cpu = aligned_alloc(64, alignup(sizeof *cpu, 64));
	memset(cpu, 0, sizeof *cpu);
	cpu->guest = g;
	cpu->pc = 0x1004;
	cpu_self = cpu;
	memset(g2h(mem), 0, ARENA);
	proc.guest = g;
	proc.abi = g->abi;
	proc.exe = proc.shown = "/bin/true";
}

static inline void
call_log(void)
{
	int fd = mkstemp(logname);

	assert_true(fd >= 0);
	logfd = fd;
	assert_int_equal(log_open(logname), 0);
}

/* The strace text since the last time, without the pid. */
static inline const char *
call_text(void)
{
	ssize_t n = pread(logfd, text, sizeof text - 1, logat);
	char *s = text;

	logat += n > 0 ? n : 0;
	text[n > 0 ? n : 0] = 0;
	s += strspn(s, "0123456789");
	return s + (*s == ' ');
}

/* Forgets what was printed so far. */
static inline void
call_skip(void)
{
	logat = lseek(logfd, 0, SEEK_END);
}

static inline int
call_number(const struct linux_abi *abi, enum sysline l)
{
	for (int i = 0; i < abi->nline; i++)
		if (abi->line[i] == l)
			return i;
	return -1;
}

static inline void
reg_set(int var, u64 v)
{
	st64(cpu->state + cpu->guest->reg[var].off, v);
}

static inline u64
reg_at(int var)
{
	return ld64(cpu->state + cpu->guest->reg[var].off);
}

/* The call of a line with these register values, as the guest's instruction would make it. */
static inline s64
callv(enum sysline l, const u64 *a)
{
	const struct linux_abi *abi = cpu->guest->abi;
	int nr = call_number(abi, l);

	if (nr < 0)
		fail_msg("%s has no number", systab[l].name);
	for (int i = 0; i < abi->nargs; i++)
		reg_set(abi->arg[i], a[i]);
	reg_set(abi->nr, (u64)nr);
	return syscall_do(cpu);
}
/* Passes when the last call printed t. */
#define SHOWN(t) do { const char *shown_ = call_text(); \
	if (!strstr(shown_, t)) fail_msg("%s is not in %s", t, shown_); } while (0)
#define CALL(name, ...) callv(L_##name, (const u64[8]){ __VA_ARGS__ })

/* A string into guest memory at offset off. */
static inline gaddr
str(u64 off, const char *s)
{
	memcpy(g2h(mem + off), s, strlen(s) + 1);
	return mem + off;
}

#endif
