/* SPDX-License-Identifier: MIT */
/* abi.h - the system-call layer: what it is told about a guest's Linux ABI, and its entry points
 *
 * One line of linux/linux.sys per call names its arguments; the line converts them, performs the
 * host's call and prints it (-strace).  A line marked SYSF is performed by sys_NAME() instead.
 * struct layouts are member types (linux/linux.abi), flag words are names and values
 * (linux/linux.flags); a guest's Linux ABI is a `struct linux_abi` that gives the word size and
 * byte order, the call's registers, the numbers (syscall.tbl), and what differs from the generic
 * tables (linux.def).  The host is one more such ABI.
 *
 * Interrupted calls.  A call that may block goes through host_syscall (base/hostcall.h).  When a
 * signal interrupts it, or comes before it (-ERESTARTNOINTR: a call that does not block is never cut
 * short), syscall_do returns -ERESTART* and leaves the guest's registers and pc as
 * they were at the call instruction's end, arguments unharmed.  threads/signal.c then decides:
 *
 *   result               a handler runs, SA_RESTART   a handler runs, without   no handler runs
 *   -ERESTARTSYS         restart                      -EINTR                    restart
 *   -ERESTARTNOINTR      restart                      restart                   restart
 *   -ERESTARTNOHAND      -EINTR                       -EINTR                    restart
 *   -ERESTART_RESTARTBLOCK  -EINTR                    -EINTR                    restart, time gone by counts
 *
 * "restart" is syscall_restart(cpu), "-EINTR" is syscall_result(cpu, -EINTR), both before the
 * signal frame is built.  syscall_settle does the choice of this table. */
#ifndef SYSCALL_ABI_H
#define SYSCALL_ABI_H

#include <errno.h>
#include "base/cpu.h"
#include "base/guest.h"
#include "base/hostcall.h"
#include "base/word.h"

/* results that never reach the guest */
enum {
	ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516,
	/* sys_NAME() has set the guest's registers itself (rt_sigreturn, a fresh execve) */
	SYS_NORESULT = -0x40000000,
};

/* Did a signal cut host_syscall short?  (Of a call that waits nobody sees whether it had begun.) */
static inline int
iscut(s64 r)
{
	return r == -EINTR || r == -ERESTARTSYS || r == -ERESTARTNOINTR;
}

/* What the layout of structs and argument lists depends on. */
struct model {
	u8 word;                       /* bytes of long and pointers: 4 or 8 */
	u8 big;                        /* most significant byte first */
	u8 maxalign;                   /* alignment of 64-bit members: 8; i386 4; m68k 2 */
	u8 evenpairs;                  /* a 64-bit argument starts in an even register (arm, mips, ppc) */
};

enum layout {                          /* S_timespec ... */
	S_none,
#define STRUCT(name, members) S_##name,
#define PACKED(name, members) S_##name,
#include "syscall/linux/linux.abi"
#undef STRUCT
#undef PACKED
	S_COUNT
};

/* One flag or value that differs from linux.flags in this ABI (desc.h FI_*). */
struct flagover { u16 flag; u64 value, mask; };
/* A struct that is laid out as another line of linux.abi says. */
struct layoutover { u16 layout, as; };

/* What hwprobe says of a key. */
enum { PROBE_NUMBER = 1, PROBE_BITS };

struct sigframe;

struct linux_abi {
	const char *machine;           /* utsname.machine */
	const char *platform, *baseplatform;   /* AT_PLATFORM, AT_BASE_PLATFORM, or 0 */
	struct model model;

	/* -- the call -- : variable numbers (guest->reg[]) */
	u8 nr, arg[8], nargs;          /* number, arguments in order */
	u8 ret;                        /* result, -errno on failure */
	u8 errflag;                    /* variable set to 1 on failure (ret is then errno), or 0xff */
	u8 insnlen;                    /* bytes of the call instruction, to go back over it */
	const u16 *line;               /* number -> line of linux.sys (enum sysline), 0 unknown */
	int nline;

	/* -- what differs from the generic tables; all may be 0 -- */
	const struct layoutover *layouts; int nlayouts;
	const struct flagover *flags; int nflags;
	const u8 *signo;               /* host signal number by guest number, 65 entries */
	const u16 *errnum;             /* guest errno by host errno, 134 entries */

	/* -- facts of the machine -- */
	u64 (*hwcap)(int which);       /* AT_HWCAP (1), AT_HWCAP2 (2), 3, 4 */
	/* Text of /proc/cpuinfo for processor cpu of n into buf; returns its length. */
	int (*cpuinfo)(char *buf, size_t size, int cpu, int n);
	u64 (*minsigstack)(void);      /* AT_MINSIGSTKSZ: bytes of the largest signal frame */
	u64 tasksize;                  /* addresses from here up are never given to the guest */
	/* prctl options and calls of this machine alone; -EINVAL for an unknown option */
	s64 (*prctl)(struct cpu *, const u64 *a);
	/* What a thread that calls execve hands on to the new program besides what the host keeps (0: nothing), and its
	 * being taken up before that has a thread; both may be 0. */
	u64 (*bequeath)(const struct cpu *);
	void (*inherit)(u64);
	int (*hwprobe)(s64 key, u64 *value);   /* riscv_hwprobe: what the key's value is, 0 if there is none; may be 0 */

	/* -- signals (threads/signal.c) -- */
	/* Builds the frame below f->sp (aligned as the ABI says) and sets the guest's registers to
	 * enter the handler; 0 or -EFAULT.  The pop direction restores every register from the frame
	 * at the guest's sp and fills f->mask and f->stack; 0 or -EFAULT.  linux.c of each guest names
	 * them MACHINE_push and MACHINE_pop (aarch64_push). */
	int (*push)(struct cpu *, struct sigframe *f);
	int (*pop)(struct cpu *, struct sigframe *f);
};

/* A signal on its way to a handler. */
struct sigframe {
	int sig;                       /* guest number */
	u64 flags;                     /* sa_flags, guest values */
	gaddr handler, restorer;
	gaddr sp;                      /* top of the stack to use: the guest's sp or the alternate stack's */
	u64 mask;                      /* to be restored by sigreturn; guest numbering */
	struct { gaddr sp; u64 size; s32 flags; } stack;   /* uc_stack */
	u8 info[128];                  /* siginfo in the guest's layout */
	struct fault fault;            /* valid if the signal came from a memory access */
	gaddr trampoline;              /* guest code that calls rt_sigreturn (vdso), or 0 */
};

/* The last interrupted call of this thread, for signal.c. */
struct callstate {
	u64 nr, arg[6];                /* as the guest gave them */
	gaddr pc;                      /* behind the call instruction */
	u16 line;                      /* enum sysline; 0: unknown number */
	u8 resume;                     /* the next call, if it is this one, continues the interrupted wait */
	s64 deadline;                  /* CLOCK_MONOTONIC nanoseconds at which that wait ends */
};
struct callstate *syscall_state(void); /* the calling thread's */

/* Performs the call named by the guest's registers and stores its result in them; returns the
 * result (-errno), or -ERESTART* with nothing stored, or SYS_NORESULT. */
s64 syscall_do(struct cpu *);
/* Before a fork: works out what most children call, or each would have to, and write a page for it. */
void syscall_forking(const struct linux_abi *);
/* Stores a result (-errno on failure) in the guest's registers, in the ABI's error style. */
void syscall_result(struct cpu *, s64 r);
/* Puts cpu->pc back on the call instruction.  Arguments are unharmed: the call happens again. */
void syscall_restart(struct cpu *);
/* For signal.c, after syscall_do returned r = -ERESTART*: handler says whether a handler is about
 * to be entered, sarestart whether it has SA_RESTART.  Restarts or stores -EINTR as the table above
 * says. */
void syscall_settle(struct cpu *, s64 r, int handler, int sarestart);
/* = host_rewind: for the host signal handler. */
int syscall_rewind(ucontext_t *);

/* Signal numbers and errno across the ABIs (equal for most guests). */
int abi_sig2host(const struct linux_abi *, int sig);
int abi_sig2guest(const struct linux_abi *, int sig);
u64 abi_mask2host(const struct linux_abi *, u64 mask);
u64 abi_mask2guest(const struct linux_abi *, u64 mask);

/* One struct between guest memory and a host struct of the kernel's layout, member by member if
 * the layouts differ; 0 or -EFAULT. */
int abi_in(const struct linux_abi *, enum layout, void *host, gaddr);
int abi_out(const struct linux_abi *, enum layout, gaddr, const void *host);
/* The same between two buffers. */
void abi_tohost(const struct linux_abi *, enum layout, void *host, const void *guest);
void abi_toguest(const struct linux_abi *, enum layout, void *guest, const void *host);
size_t abi_size(const struct linux_abi *, enum layout);        /* bytes in the guest */
size_t abi_hostsize(enum layout);
/* A pointer-sized word of guest memory (argv, iovec). */
int abi_word(const struct linux_abi *, gaddr, u64 *);

#endif
