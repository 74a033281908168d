/* SPDX-License-Identifier: MIT */
/* proc.c - the process: identity, limits, prctl, and calls of one machine alone */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/gmem.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"
#include "syscall/linux/limits.h"
#include "syscall/proc.h"
#include "syscall/thread_calls.h"

#define ABI(cpu) ((cpu)->guest->abi)

s64
sys_uname(struct cpu *cpu, const u64 *a)
{
	struct utsname u;
	s64 r = host_call(__NR_uname, (u64)&u, 0, 0, 0, 0, 0);

	if (r < 0)
		return r;
	snprintf(u.machine, sizeof u.machine, "%s", ABI(cpu)->machine);
	if (proc.release)
		snprintf(u.release, sizeof u.release, "%s", proc.release);
	return abi_out(ABI(cpu), S_utsname, a[0], &u) ? -EFAULT : 0;
}

/* -- limits --
 * The translator maps much more than the guest does, so a guest's limits on address space and data
 * are not given to the host's kernel but kept here; mem.c counts against them. */
static struct held { _Atomic int set; _Atomic u64 soft, hard; } held[2];

static struct held *
held_of(int resource)
{
	return resource == RLIMIT_AS ? &held[0] : resource == RLIMIT_DATA ? &held[1] : 0;
}

u64
limit_soft(int resource)
{
	struct held *h = held_of(resource);

	/* what the process was started with binds us as a whole, by the host's kernel */
	return h && atomic_load(&h->set) ? atomic_load(&h->soft) : RLIM_INFINITY;
}

static s64
limit_get(int pid, int resource, struct rlimit *l)
{
	struct held *h = held_of(resource);
	s64 r = host_call(__NR_prlimit64, (u64)(s64)pid, (u64)resource, 0, (u64)l, 0, 0);

	if (r == 0 && h && atomic_load(&h->set) && (pid == 0 || pid == getpid())) {
		l->rlim_cur = atomic_load(&h->soft);
		l->rlim_max = atomic_load(&h->hard);
	}
	return r;
}

static s64
limit_set(int pid, int resource, const struct rlimit *l)
{
	struct held *h = pid == 0 || pid == getpid() ? held_of(resource) : 0;
	struct rlimit now;
	s64 r;

	if (!h)
		return host_call(__NR_prlimit64, (u64)(s64)pid, (u64)resource, (u64)l, 0, 0, 0);
	r = limit_get(pid, resource, &now);
	if (r < 0)
		return r;
	if (l->rlim_cur > l->rlim_max)
		return -EINVAL;
	if (l->rlim_max > now.rlim_max && geteuid() != 0)
		return -EPERM;
	atomic_store(&h->soft, l->rlim_cur);
	atomic_store(&h->hard, l->rlim_max);
	atomic_store(&h->set, 1);
	return 0;
}

s64
sys_getrlimit(struct cpu *cpu, const u64 *a)
{
	struct rlimit l;
	s64 r = limit_get(0, (int)a[0], &l);

	if (r < 0)
		return r;
	return abi_out(ABI(cpu), S_rlimit, a[1], &l) ? -EFAULT : 0;
}

s64
sys_setrlimit(struct cpu *cpu, const u64 *a)
{
	struct rlimit l;

	if (abi_in(ABI(cpu), S_rlimit, &l, a[1]))
		return -EFAULT;
	return limit_set(0, (int)a[0], &l);
}

s64
sys_prlimit64(struct cpu *cpu, const u64 *a)
{
	struct rlimit new, old;
	s64 r;

	if (a[2] && abi_in(ABI(cpu), S_rlimit64, &new, a[2]))
		return -EFAULT;
	r = limit_get((int)a[0], (int)a[1], &old);
	if (r == 0 && a[2])
		r = limit_set((int)a[0], (int)a[1], &new);
	if (r == 0 && a[3] && abi_out(ABI(cpu), S_rlimit64, a[3], &old))
		return -EFAULT;
	return r;
}

/* -- capabilities, personality -- */
static s64
caps(struct cpu *cpu, long nr, const u64 *a)
{
	struct { u32 version; s32 pid; } h;
	u32 data[6];
	size_t n;
	s64 r;

	if (abi_in(ABI(cpu), S_cap_header, &h, a[0]))
		return -EFAULT;
	n = h.version == 0x19980330 ? 12 : 24;         /* _LINUX_CAPABILITY_VERSION_1 has one set */
	for (size_t i = 0; a[1] && nr == __NR_capset && i < n / 4; i++) {
		u8 b[4];
		if (gmem_read(b, a[1] + 4 * i, 4))
			return -EFAULT;
		data[i] = (u32)ldn(b, 4, ABI(cpu)->model.big);
	}
	r = host_call(nr, (u64)&h, a[1] ? (u64)data : 0, 0, 0, 0, 0);
	if (abi_out(ABI(cpu), S_cap_header, a[0], &h))         /* the version the kernel prefers */
		return -EFAULT;
	for (size_t i = 0; r == 0 && a[1] && nr == __NR_capget && i < n / 4; i++) {
		u8 b[4];
		stn(b, 4, ABI(cpu)->model.big, data[i]);
		if (gmem_write(a[1] + 4 * i, b, 4))
			return -EFAULT;
	}
	return r;
}

s64
sys_capget(struct cpu *cpu, const u64 *a)
{
	return caps(cpu, __NR_capget, a);
}

s64
sys_capset(struct cpu *cpu, const u64 *a)
{
	return caps(cpu, __NR_capset, a);
}

/* READ_IMPLIES_EXEC would make the host map our data executable. */
s64
sys_personality(struct cpu *cpu, const u64 *a)
{
	enum { READ_IMPLIES_EXEC_ = 0x0400000 };
	u64 p = (u32)a[0];

	(void)cpu;
	if (p != 0xffffffff)
		p &= ~(u64)READ_IMPLIES_EXEC_;
	return host_call(__NR_personality, p, 0, 0, 0, 0, 0);
}

/* -- prctl -- */
enum prkind {
	PRC_PASS,                      /* numbers only */
	PRC_OUTINT,                    /* an int behind arg2 */
	PRC_NAMEIN, PRC_NAMEOUT,       /* 16 bytes behind arg2 */
	PRC_SIGIN, PRC_SIGOUT,
	PRC_THREAD,                    /* src/threads */
	PRC_AUXV, PRC_VMA,
	PRC_DENY,                      /* would hurt the translator, or cannot be known here: -EINVAL */
};
static const struct { u32 option; u8 kind; } prctls[] = {
	{ 1, PRC_SIGIN }, { 2, PRC_SIGOUT },                   /* PDEATHSIG */
	{ 3, PRC_PASS }, { 4, PRC_PASS },                      /* DUMPABLE */
	{ 7, PRC_PASS }, { 8, PRC_PASS },                      /* KEEPCAPS */
	{ 13, PRC_PASS }, { 14, PRC_PASS },                    /* TIMING */
	{ PR_SET_NAME, PRC_NAMEIN }, { PR_GET_NAME, PRC_NAMEOUT },
	{ PR_GET_SECCOMP, PRC_THREAD }, { PR_SET_SECCOMP, PRC_THREAD },
	{ PR_CAPBSET_READ, PRC_PASS }, { PR_CAPBSET_DROP, PRC_PASS },
	{ PR_GET_SECUREBITS, PRC_PASS }, { PR_SET_SECUREBITS, PRC_PASS },
	{ PR_SET_TIMERSLACK, PRC_PASS }, { PR_GET_TIMERSLACK, PRC_PASS },
	{ 31, PRC_PASS }, { 32, PRC_PASS },                    /* perf events off and on */
	{ PR_MCE_KILL, PRC_PASS }, { PR_MCE_KILL_GET, PRC_PASS },
	{ PR_SET_MM, PRC_DENY },
	{ PR_SET_CHILD_SUBREAPER, PRC_PASS }, { PR_GET_CHILD_SUBREAPER, PRC_OUTINT },
	{ PR_SET_NO_NEW_PRIVS, PRC_PASS }, { PR_GET_NO_NEW_PRIVS, PRC_PASS },
	{ PR_GET_TID_ADDRESS, PRC_THREAD },
	{ PR_SET_THP_DISABLE, PRC_PASS }, { PR_GET_THP_DISABLE, PRC_PASS },
	{ PR_CAP_AMBIENT, PRC_PASS },
	{ PR_GET_SPECULATION_CTRL, PRC_PASS }, { PR_SET_SPECULATION_CTRL, PRC_PASS },
	{ 57, PRC_PASS }, { 58, PRC_PASS },                    /* IO_FLUSHER */
	{ 59, PRC_DENY },                                      /* SYSCALL_USER_DISPATCH: of host addresses */
	{ 65, PRC_DENY }, { 66, PRC_DENY },                    /* MDWE: our code cache needs what it forbids */
	{ 67, PRC_PASS }, { 68, PRC_PASS },                    /* MEMORY_MERGE */
	{ 0x53564d41, PRC_VMA }, { 0x59616d61, PRC_PASS },     /* PR_SET_VMA, PR_SET_PTRACER */
	{ 0x41555856, PRC_AUXV },                              /* PR_GET_AUXV */
};

static s64
prctl_int(struct cpu *cpu, const u64 *a, int sig)
{
	int v = 0;
	s64 r = host_call(__NR_prctl, a[0], (u64)&v, a[2], a[3], a[4], 0);

	if (sig)
		v = abi_sig2guest(ABI(cpu), v);
	return r < 0 ? r : abi_out(ABI(cpu), S_int1, a[1], &v) ? -EFAULT : r;
}

static s64
prctl_name(const u64 *a, int out)
{
	char name[16] = "";
	s64 n = out ? 0 : gmem_strlen(a[1], sizeof name - 1), r;

	if (n < 0 || (!out && gmem_read(name, a[1], (size_t)n)))
		return -EFAULT;
	r = host_call(__NR_prctl, a[0], (u64)name, 0, 0, 0, 0);
	return r == 0 && out && gmem_write(a[1], name, sizeof name) ? -EFAULT : r;
}

/* Returns the size of the whole vector, and as much of it as fits. */
static s64
prctl_auxv(struct cpu *cpu, const u64 *a)
{
	const struct model *m = &ABI(cpu)->model;
	u8 buf[PROC_NAUXV * 16];
	u64 n = (u64)proc.nauxv * 2 * m->word;

	if (a[3] || a[4])
		return -EINVAL;
	for (int i = 0; i < 2 * proc.nauxv; i++)
		stn(buf + i * m->word, m->word, m->big, proc.auxv[i / 2][i % 2]);
	return gmem_write(a[1], buf, a[2] < n ? a[2] : n) ? -EFAULT : (s64)n;
}

s64
sys_prctl(struct cpu *cpu, const u64 *a)
{
	u64 b[6] = { (u32)a[0], a[1], a[2], a[3], a[4], 0 };
	int kind = -1;

	for (size_t i = 0; i < NELEM(prctls); i++)
		if (prctls[i].option == (u32)a[0])
			kind = prctls[i].kind;
	switch (kind) {
	case PRC_OUTINT:  return prctl_int(cpu, b, 0);
	case PRC_SIGOUT:  return prctl_int(cpu, b, 1);
	case PRC_NAMEIN:  return prctl_name(b, 0);
	case PRC_NAMEOUT: return prctl_name(b, 1);
	case PRC_THREAD:  return sys_prctl_thread(cpu, b);
	case PRC_AUXV:    return prctl_auxv(cpu, b);
	case PRC_DENY:    return -EINVAL;
	case PRC_SIGIN:   b[1] = (u64)abi_sig2host(ABI(cpu), (int)b[1]); break;
	case PRC_VMA:     b[2] = (u64)g2h(b[2]); b[4] = b[4] ? (u64)g2h(b[4]) : 0; break;
	case PRC_PASS:    break;
	default:          return ABI(cpu)->prctl ? ABI(cpu)->prctl(cpu, b) : -EINVAL;
	}
	return host_call(__NR_prctl, b[0], b[1], b[2], b[3], b[4], 0);
}

/* -- of one machine -- */
struct cpuset { u64 n; u8 b[128]; };   /* n bytes */

static int
isempty(const struct cpuset *s)
{
	u8 any = 0;

	for (u64 i = 0; i < s->n; i++)
		any |= s->b[i];
	return !any;
}

/* The processors in the set of size bytes at address at that are there; if `all`, an empty set is every processor. */
static int
getcpus(struct cpuset *s, u64 size, gaddr at, int all)
{
	u64 count = (u64)sysconf(_SC_NPROCESSORS_ONLN);

	s->n = size < sizeof s->b ? size : sizeof s->b;
	if (gmem_read(s->b, at, s->n))
		return -EFAULT;
	if (all && isempty(s))
		memset(s->b, 0xff, s->n);
	for (u64 i = count; i < s->n * 8; i++)
		s->b[i / 8] &= (u8)~(1 << i % 8);
	return 0;
}

struct pair { s64 key; u64 value; };

/* Looks a key up, which becomes -1 if there is none.  Returns what abi->hwprobe does, or -EFAULT. */
static int
lookup(const struct linux_abi *abi, gaddr at, struct pair *p, u64 *value)
{
	int kind;

	if (abi_in(abi, S_riscv_hwprobe, p, at))
		return -EFAULT;
	if (!(kind = abi->hwprobe(p->key, value)))
		*p = (struct pair){-1, 0};
	return kind;
}

/* RISCV_HWPROBE_WHICH_CPUS: which processors of a set have the values given? */
static s64
whichcpus(const struct linux_abi *abi, const u64 *a)
{
	struct cpuset s;
	struct pair p;
	int fit = 1, kind, r;
	u64 value;

	if (!a[2] || !a[3])
		return -EINVAL;
	if ((r = getcpus(&s, a[2], a[3], 1)))
		return r;
	for (u64 i = 0; i < a[1]; i++) {
		gaddr at = a[0] + i * sizeof p;
		if ((kind = lookup(abi, at, &p, &value)) < 0 || (!kind && abi_out(abi, S_riscv_hwprobe, at, &p)))
			return -EFAULT;
		fit &= kind && (kind == PROBE_BITS ? value & p.value : value) == p.value;
	}
	if (!fit)              /* all our processors are alike */
		memset(s.b, 0, s.n);
	return gmem_write(a[3], s.b, s.n) ? -EFAULT : 0;
}

s64
sys_riscv_hwprobe(struct cpu *cpu, const u64 *a)
{
	const struct linux_abi *abi = ABI(cpu);
	struct cpuset s;
	struct pair p;
	u64 value;
	int r;

	if (a[4] & ~(u64)1 || !abi->hwprobe)
		return -EINVAL;
	if (a[4])
		return whichcpus(abi, a);
	if ((a[2] || a[3]) && (r = getcpus(&s, a[2], a[3], 0)))
		return r;
	if ((a[2] || a[3]) && isempty(&s))
		return -EINVAL;
	for (u64 i = 0; i < a[1]; i++) {
		gaddr at = a[0] + i * sizeof p;
		if ((r = lookup(abi, at, &p, &value)) < 0)
			return r;
		if (r)
			p.value = value;
		if (abi_out(abi, S_riscv_hwprobe, at, &p))
			return -EFAULT;
	}
	return 0;
}

/* Most stores to translated code are noticed anyway; this is for memory changed behind our back and for
 * pages that often change. */
s64
sys_riscv_flush_icache(struct cpu *cpu, const u64 *a)
{
	(void)cpu;
	if (a[2] & ~(u64)1)
		return -EINVAL;
	if (gmem_watch && a[1] > a[0] && a[1] - a[0] <= gmem.hi)
		gmem_watch->flush(a[0], a[1] - a[0]);
	return 0;
}
