/* SPDX-License-Identifier: MIT */
/* dispatch.c - one system call: from the guest's registers to its result
 *
 * Also decides what an interrupted call means.  The host answers -EINTR for every interrupted
 * call, because our handlers are installed without SA_RESTART; the line says which of Linux's
 * restart rules the guest would have seen (signal(7), "Interruption of system calls"). */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "base/diag.h"
#include "syscall/desc.h"
#include "syscall/proc.h"

struct proc proc = { .exe_fd = -1 };

static _Thread_local struct callstate state;

struct callstate *
syscall_state(void)
{
	return &state;
}

static u64
reg_get(const struct cpu *cpu, int var)
{
	return ld64(cpu->state + cpu->guest->reg[var].off);
}

static void
reg_put(struct cpu *cpu, int var, u64 v)
{
	st64(cpu->state + cpu->guest->reg[var].off, cpu->guest->bits == 32 ? (u32)v : v);
}

static inline void
result(struct cpu *cpu, s64 r)
{
	const struct linux_abi *abi = cpu->guest->abi;
	int failed = r < 0 && r > -4096;

	if (failed && abi->errnum && -r < 134)
		r = -(s64)abi->errnum[-r];
	if (abi->errflag != 0xff) {
		reg_put(cpu, abi->errflag, (u64)failed);
		r = failed ? -r : r;
	}
	reg_put(cpu, abi->ret, (u64)r);
}

void
syscall_result(struct cpu *cpu, s64 r)
{
	result(cpu, r);
}

void
syscall_restart(struct cpu *cpu)
{
	cpu->pc -= cpu->guest->abi->insnlen;
}

void
syscall_settle(struct cpu *cpu, s64 r, int handler, int sarestart)
{
	int again = !handler || r == -ERESTARTNOINTR || (r == -ERESTARTSYS && sarestart);

	if (!again) {
		state.resume = 0;
		syscall_result(cpu, -EINTR);
		return;
	}
	state.resume = r == -ERESTART_RESTARTBLOCK || (r == -ERESTARTNOHAND && state.deadline);
	syscall_restart(cpu);
}

int
syscall_rewind(ucontext_t *uc)
{
	return host_rewind(uc);
}

static int
has_timeout(int fd, int option)
{
	struct timeval tv;
	socklen_t n = sizeof tv;

	return getsockopt(fd, SOL_SOCKET, option, &tv, &n) == 0 && (tv.tv_sec || tv.tv_usec);
}

/* What -EINTR of the host means for the guest. */
static s64
interrupted(const struct call *c)
{
	u16 how = systab[c->line].ret;

	if (how & (RAW | EINTRS))
		return -EINTR;
	if (how & NOHAND)
		return -ERESTARTNOHAND;
	if (how & RCVTO && has_timeout((int)c->v[0], SO_RCVTIMEO))
		return -EINTR;
	if (how & SNDTO && has_timeout((int)c->v[0], SO_SNDTIMEO))
		return -EINTR;
	return -ERESTARTSYS;
}

static s64
unperformed(const struct call *c)
{
	const char *why = sys_reason(c->line);

	if (logging(LOG_UNIMP))
		log_print("unsupported system call %s: %s\n", systab[c->line].name,
		          why ? why : "unknown to the host");
	return -ENOSYS;
}

static s64
perform(struct call *c)
{
	sysfn *fn = sysfns[c->line];
	const u64 *v = c->v;
	u64 a[6];
	s64 r;

	if (c->plan->plain)
		r = host_syscall(c->cpu, systab[c->line].host, v[0], v[1], v[2], v[3], v[4], v[5]);
	else if (fn && !c->plan->conv)
		r = fn(c->cpu, c->v);
	else if (fn) {
		call_args(c, a);
		r = fn(c->cpu, a);
	} else
		r = systab[c->line].host < 0 ? unperformed(c) : call_host(c);
	return r == -EINTR ? interrupted(c) : r;
}

/* A deadline noted by an earlier, interrupted call is good for the same call at the same place. */
static int
sameagain(const struct cpu *cpu, const struct call *c, u64 nr)
{
	if (state.pc != cpu->pc || state.nr != nr || state.line != c->line)
		return 0;
	return !memcmp(state.arg, c->v, sizeof state.arg);
}

static void
remember(const struct cpu *cpu, const struct call *c, u64 nr)
{
	state.nr = nr;
	memcpy(state.arg, c->v, sizeof state.arg);
	state.pc = cpu->pc;
	state.line = (u16)c->line;
}

void
syscall_forking(const struct linux_abi *abi)
{
	static const u16 line[] = { L_set_robust_list, L_exit_group, L_execve, L_rt_sigaction, L_rt_sigprocmask, L_close,
		L_dup3, L_openat, L_getpid, L_wait4 };

	for (size_t i = 0; i < NELEM(line); i++)
		plan_of(abi, line[i]);
}

static s64
unknown(struct cpu *cpu, u64 nr)
{
	if (logging(LOG_UNIMP))
		log_print("unknown system call %llu\n", (unsigned long long)nr);
	if (proc.strace)
		strace_unknown(cpu, nr);
	syscall_result(cpu, -ENOSYS);
	return -ENOSYS;
}

s64
syscall_do(struct cpu *cpu)
{
	const struct linux_abi *abi = cpu->guest->abi;
	struct call c = { .cpu = cpu, .abi = abi };
	u64 nr = reg_get(cpu, abi->nr);
	gaddr pc = cpu->pc;
	s64 r;

	nr = (u32)nr;                  /* Linux looks at 32 bits */
	c.line = nr < (u64)abi->nline ? abi->line[nr] : L_none;
	if (c.line == L_none)
		return unknown(cpu, nr);
	c.plan = plan_of(abi, c.line);
	call_fetch(&c);
	if (state.resume && !sameagain(cpu, &c, nr))
		state.resume = 0;
	if (!state.resume && state.deadline)
		state.deadline = 0;
	if (proc.strace)
		strace_enter(&c);
	r = perform(&c);
	if (proc.strace)
		strace_leave(&c, r);
	if (r <= -ERESTARTSYS && r >= -ERESTART_RESTARTBLOCK && cpu->pc == pc) {
		remember(cpu, &c, nr);
		return r;
	}
	if (state.resume)              /* else nothing is written: after a fork that would cost a page */
		state.resume = 0;
	if (r != SYS_NORESULT)
		result(cpu, r);
	return r;
}
