/* SPDX-License-Identifier: MIT */
/* seccomp.c - filters of system calls
 *
 * A guest's filter knows the guest's numbers and registers, so the host's kernel cannot apply it:
 * the program (classic BPF over struct seccomp_data, as the kernel restricts it) is checked when it
 * is installed and interpreted before every call.  Filters form a chain, newest first; children
 * share their parent's.  They do not survive execve. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "base/gmem.h"
#include "threads/thread.h"
#include "syscall/thread_calls.h"

struct filter {
	struct filter *next;           /* never freed: threads share tails of the chain */
	int n;
	struct sock_filter prog[];
};

/* -- checking, as the kernel does -- */

static int
goodinsn(const struct sock_filter *f, int i, int n)
{
	u32 left = (u32)(n - i - 1);

	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return f->k < sizeof(struct seccomp_data) && f->k % 4 == 0;
	case BPF_LD | BPF_W | BPF_LEN: case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM: case BPF_LDX | BPF_IMM:
	case BPF_RET | BPF_K: case BPF_RET | BPF_A: case BPF_MISC | BPF_TAX: case BPF_MISC | BPF_TXA:
	case BPF_ALU | BPF_NEG:
		return 1;
	case BPF_LD | BPF_MEM: case BPF_LDX | BPF_MEM: case BPF_ST: case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_JMP | BPF_JA:
		return f->k < left;
	}
	if (BPF_CLASS(f->code) == BPF_JMP)
		return BPF_OP(f->code) <= BPF_JSET && f->jt < left && f->jf < left;
	if (BPF_CLASS(f->code) != BPF_ALU || f->code & ~(BPF_ALU | BPF_X | 0xf0))
		return 0;
	if (BPF_OP(f->code) == BPF_DIV && BPF_SRC(f->code) == BPF_K)
		return f->k != 0;
	if ((BPF_OP(f->code) == BPF_LSH || BPF_OP(f->code) == BPF_RSH) && BPF_SRC(f->code) == BPF_K)
		return f->k < 32;
	return BPF_OP(f->code) <= BPF_NEG || BPF_OP(f->code) == BPF_XOR;
}

static int
goodprogram(const struct sock_filter *f, int n)
{
	for (int i = 0; i < n; i++)
		if (!goodinsn(&f[i], i, n))
			return 0;
	return BPF_CLASS(f[n - 1].code) == BPF_RET;
}

/* -- running -- */

static u32
alu(int op, u32 a, u32 b)
{
	switch (op) {
	case BPF_ADD: return a + b;
	case BPF_SUB: return a - b;
	case BPF_MUL: return a * b;
	case BPF_DIV: return b ? a / b : 0;
	case BPF_OR: return a | b;
	case BPF_AND: return a & b;
	case BPF_LSH: return b < 32 ? a << b : 0;
	case BPF_RSH: return b < 32 ? a >> b : 0;
	case BPF_NEG: return -a;
	default: return a ^ b;
	}
}

static int
taken(int op, u32 a, u32 b)
{
	switch (op) {
	case BPF_JEQ: return a == b;
	case BPF_JGT: return a > b;
	case BPF_JGE: return a >= b;
	default: return (a & b) != 0;
	}
}

static u32
interpret(const struct filter *p, const struct seccomp_data *d)
{
	u32 a = 0, x = 0, mem[BPF_MEMWORDS] = { 0 };

	/* the check has made sure that every path ends in a return */
	for (const struct sock_filter *f = p->prog;; f++) {
		u32 b = BPF_SRC(f->code) == BPF_X ? x : f->k;

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			a = BPF_MODE(f->code) == BPF_ABS ? ld32((const u8 *)d + f->k)
			  : BPF_MODE(f->code) == BPF_MEM ? mem[f->k]
			  : BPF_MODE(f->code) == BPF_LEN ? (u32)sizeof *d : f->k;
			break;
		case BPF_LDX:
			x = BPF_MODE(f->code) == BPF_MEM ? mem[f->k]
			  : BPF_MODE(f->code) == BPF_LEN ? (u32)sizeof *d : f->k;
			break;
		case BPF_ST: mem[f->k] = a; break;
		case BPF_STX: mem[f->k] = x; break;
		case BPF_ALU: a = alu(BPF_OP(f->code), a, b); break;
		case BPF_RET: return BPF_RVAL(f->code) == BPF_A ? a : f->k;
		case BPF_MISC:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				x = a;
			else
				a = x;
			break;
		case BPF_JMP:
			f += BPF_OP(f->code) == BPF_JA ? f->k
			   : taken(BPF_OP(f->code), a, b) ? f->jt : f->jf;
			break;
		}
	}
}

/* All filters look; the most severe answer counts, the newest among equals. */
static u32
verdict(const struct filter *p, const struct seccomp_data *d)
{
	u32 worst = SECCOMP_RET_ALLOW;

	for (; p; p = p->next) {
		u32 r = interpret(p, d);

		if ((s32)(r & SECCOMP_RET_ACTION_FULL) < (s32)(worst & SECCOMP_RET_ACTION_FULL))
			worst = r;
	}
	return worst;
}

static void
getdata(const struct cpu *cpu, struct seccomp_data *d)
{
	const struct guest *g = cpu->guest;
	const struct linux_abi *abi = g->abi;

	d->nr = (int)guest_get(cpu, abi->nr);
	d->arch = g->elf.machine | (g->big ? 0 : __AUDIT_ARCH_LE) | (g->bits == 64 ? __AUDIT_ARCH_64BIT : 0);
	d->instruction_pointer = cpu->pc;
	for (int i = 0; i < 6; i++)
		d->args[i] = guest_get(cpu, abi->arg[i]);
}

static void
sigsys(struct cpu *cpu, const struct seccomp_data *d, u32 data)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = SIGSYS;
	info.si_errno = (int)data;
	info.si_code = 1;              /* SYS_SECCOMP */
	info.si_call_addr = (void *)cpu->pc;
	info.si_syscall = d->nr;
	info.si_arch = d->arch;
	signal_force_info(cpu, &info);
}

int
seccomp_stops(struct cpu *cpu)
{
	struct seccomp_data d;
	u32 v;

	getdata(cpu, &d);
	v = verdict(cpu->thread->filter, &d);
	switch (v & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW: case SECCOMP_RET_LOG:
		return 0;
	case SECCOMP_RET_ERRNO:
		v &= SECCOMP_RET_DATA;
		syscall_result(cpu, -(s64)(v < 4095 ? v : 4095));
		return 1;
	case SECCOMP_RET_TRACE: case SECCOMP_RET_USER_NOTIF:
		syscall_result(cpu, -ENOSYS);  /* nobody listens */
		return 1;
	case SECCOMP_RET_TRAP:
		sigsys(cpu, &d, v & SECCOMP_RET_DATA);
		return 1;
	default:
		signal_die(SIGSYS);
	}
}

/* -- installing -- */

static s64
install(struct cpu *cpu, u64 flags, gaddr args)
{
	struct { u16 len; u64 prog __attribute__((aligned(8))); } fprog;
	struct filter *f;
	int nnp = (int)host_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0);

	if (cpu->guest->big || gmem.base || flags & ~(u64)(SECCOMP_FILTER_FLAG_TSYNC |
	    SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW))
		return -EINVAL;
	if (gmem_read(&fprog, args, sizeof fprog))
		return -EFAULT;
	if (!fprog.len || fprog.len > BPF_MAXINSNS)
		return -EINVAL;
	if (nnp != 1 && host_call(SYS_geteuid, 0, 0, 0, 0, 0, 0))
		return -EACCES;
	f = xmalloc(sizeof *f + fprog.len * sizeof *f->prog);
	f->n = fprog.len;
	if (gmem_read(f->prog, fprog.prog, fprog.len * sizeof *f->prog)) {
		free(f);
		return -EFAULT;
	}
	if (!goodprogram(f->prog, f->n)) {
		free(f);
		return -EINVAL;
	}
	f->next = cpu->thread->filter;
	if (!(flags & SECCOMP_FILTER_FLAG_TSYNC)) {
		cpu->thread->filter = f;
		return 0;
	}
	lock_take(&threads.lock);
	for (struct thread *t = threads.list; t; t = t->next)
		t->filter = f;
	cpu->thread->filter = f;
	lock_give(&threads.lock);
	return 0;
}

static s64
available(gaddr a)
{
	static const u32 known[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
		SECCOMP_RET_ERRNO, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW };
	u32 v;

	if (gmem_read(&v, a, sizeof v))
		return -EFAULT;
	for (size_t i = 0; i < NELEM(known); i++)
		if (known[i] == v)
			return 0;
	return -EOPNOTSUPP;
}

s64
sys_seccomp(struct cpu *cpu, const u64 *a)
{
	switch (a[0]) {
	case SECCOMP_SET_MODE_FILTER:
		return install(cpu, a[1], a[2]);
	case SECCOMP_GET_ACTION_AVAIL:
		return a[1] ? -EINVAL : available(a[2]);
	default:
		return -EINVAL;        /* strict mode is configured out */
	}
}

s64
sys_prctl_thread(struct cpu *cpu, const u64 *a)
{
	switch ((int)a[0]) {
	case PR_GET_SECCOMP:
		return cpu->thread->filter ? SECCOMP_MODE_FILTER : 0;
	case PR_SET_SECCOMP:
		return a[1] == SECCOMP_MODE_FILTER ? install(cpu, 0, a[2]) : -EINVAL;
	default:                       /* PR_GET_TID_ADDRESS, as without CONFIG_CHECKPOINT_RESTORE */
		return -EINVAL;
	}
}
