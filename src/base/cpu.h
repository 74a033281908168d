/* SPDX-License-Identifier: MIT */
/* cpu.h - the per-thread record
 *
 * One for every guest thread.  Generated code reaches it from the state register, which holds the record's address +
 * CPU_BIAS: what is at most 128 bytes away, with one signed byte.  That is what safe points and indirect branches look
 * at, and guest state behind it.  What the state holds is the guest's affair: its regs.def gives each register a
 * number, an offset and a width, and nothing else knows more.
 *
 * A slot is always written as 64 bits, whatever the register's width: a narrower store followed by
 * a wider load costs a store-forwarding stall on every host we know (see speed.md A). */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include <setjmp.h>
#include <stdatomic.h>
#include "base/word.h"

enum {
	CPU_BIAS = 56 + 128,           /* what a signed byte reaches begins at poll, and ends with the guest's 31st slot */
	CPU_STATE = 1088,              /* bytes of guest state, less vectors of more than 128 bits */
	CPU_WIDE = 32 * 256,           /* bytes for those: 32 of 2048 bits */
	CPU_ASKED = 0xff,              /* poll when the thread is to leave: some of the bits a host may test are set */
	JC_BITS = 12, JC_MOST = 14,    /* log2 of the entries of the jump cache: at first, at most */
};

/* Why generated code (or the interpreter) came back to the engine. */
enum why {
	WHY_NEXT,                      /* go on at cpu->pc: not translated or not linked yet */
	WHY_CALL,                      /* system call for the engine to perform; cpu->pc is the instruction after it */
	WHY_TRAP,                      /* cpu->trap says which; cpu->pc is the trapping instruction */
	WHY_FAULT,                     /* a memory access faulted; cpu->fault says how; cpu->pc the instruction */
	WHY_POLL,                      /* a safe point saw cpu->poll set */
	WHY_FLUSH,                     /* translated code changed under the running code: look up again */
};

/* Guest traps that are not memory faults. */
enum trap {
	TRAP_UNDEF = 1,                /* undefined or unimplemented instruction: SIGILL, ILL_ILLOPC */
	TRAP_PRIV,                     /* privileged instruction: SIGILL, ILL_PRVOPC */
	TRAP_BREAK,                    /* breakpoint: SIGTRAP, TRAP_BRKPT */
	TRAP_DIV,                      /* integer divide error: SIGFPE, FPE_INTDIV */
	TRAP_FP,                       /* unmasked floating-point exception: SIGFPE */
	TRAP_ALIGN,                    /* pc or data alignment: SIGBUS, BUS_ADRALN */
	TRAP_ALONE,                    /* no trap of the guest's: from here the engine runs this thread alone (tr_alone) */
};

struct fault {
	gaddr addr;                    /* the address that could not be accessed */
	gaddr block;                   /* where the straight line of code up to cpu->pc began that was translated as one */
	u8 write, exec;                /* kind of access */
	u8 several;                    /* it was one for those of several instructions, of which none has happened */
	u8 base;                       /* the variable that host->unwind has to give the address to, or 0 (struct mapent), */
	u8 owed, reg;                  /* and the one whose value is in a host register; */
	u8 flags;                      /* how the host's flags hold the guest's, or 0 */
	int sig, code;                 /* host signal and si_code as the kernel gave them */
};

struct jc { u64 pc; const u8 *code; };

struct thread;                         /* threads/thread.h: the thread's signals, ids, exit */
struct guest;
struct os;

/* Of cpu->link: of a link that is made when there is code for its target; of an indirect branch that found nothing, the
 * shadow stack being in order */
enum { LINK_KNOWN = 1, LINK_NONE = 2 };

struct cpu {
	/* -- read and written by generated code; offsets fixed by the host's emitter -- */
	_Alignas(64) void *host_sp;    /* C stack while generated code runs */
	void *shadow_base;             /* top of the shadow stack */
	void *shadow_lo;               /* lowest address of the shadow stack's usable part */
	void *shadow_sp;               /* its pointer when generated code was last left */
	const u8 *link;                /* in the stub of the link left by last, for the engine to make it; LINK_*; 0 */
	u64 excl_addr;                 /* load-exclusive monitor: address (-1: none) */
	u32 why;                       /* enum why */
	u32 trap;                      /* enum trap */
	_Atomic u8 poll;               /* CPU_ASKED, not 0: leave at the next safe point (any thread may set it: cpu_poll) */
	u8 shared;                     /* nonzero: others may look at guest memory (cpu_share) */
	_Atomic u32 jcmask;            /* jcsize; or 0: poll is set, all indirect branches find an empty entry */
	_Alignas(64) u8 state[CPU_STATE];
	u64 pc;                        /* where to go on; valid whenever generated code has been left */
	u64 scratch[8];                /* the host's, between two instructions at most, but [6] (lodge.c, surface.c) */
	u64 spill[64];                 /* temporaries that found no register */
	u64 excl_val[2];               /* ... value seen */
	u32 excl_size, fpmode;         /* bytes; the guest's FP mode (base/fp.h FPM_*) */
	u32 fpflags;                   /* sticky FP exceptions (FPX_*) that the guest has not taken yet */
	u32 fpwatch;                   /* those that have certainly not been raised: the first one traps (fpmode.c) */
	u32 fplooks;                   /* how often the guest's flags were asked for */
	u64 anchor;                    /* an address in this program, from which generated code counts others */
	const u8 *stub[24];            /* the host's common stubs, for code that lies anywhere */
	int (*call)(struct cpu *);     /* system call: engine_call */
	const u8 *(*next)(struct cpu *);       /* an exit that leads to no code: where to go on, or 0: leave */

	/* -- the engine's -- */
	u32 trapinfo;                  /* the guest's: brk immediate, undefined word */
	u32 trapping;                  /* cpu_trap has been called */
	struct fault fault;
	_Atomic u32 running;           /* 1 while inside generated code */
	const struct guest *guest;
	const struct os *os;
	struct thread *thread;
	u32 runner;                    /* who runs the guest in it (lock_name): its thread, or a process */
	u32 young;                     /* look-ups to come for which a process that fork made keeps no jump-cache entry */
	u32 nfork;                     /* forks by this thread in this process */
	u32 epoch;                     /* state of the code area when generated code was last entered */
	u32 kept;                      /* 1 + guest mode of the code that is on the shadow stack; 0: it is to be discarded */
	u32 keep;                      /* enter() goes on with the shadow stack as it was left */
	void *quit;                    /* engine_run's jmp_buf */
	u32 jcmode;                    /* 1 + guest mode under which jc was filled; 0: never used */
	u8 vspill[32][64] __attribute__((aligned(64)));  /* generated code's again: vector temporaries without a register */
	u32 njcset;                    /* entries filled since jc was last cleared, or more than jcset has: not known; */
	u16 jcset[64];                 /* and the first of them */
	u32 jclost;                    /* entries that another pc took while jc was small */
	u32 jcsize;                    /* entries of jc in use less one, times two */
	/* indirect-branch cache, this thread's alone; so many are in use as jcsize says */
	struct jc jc[1 << JC_MOST] __attribute__((aligned(64)));
	/* Guest state again: registers that have more than 128 bits are placed here by their guest's regs.def, behind what
	 * every thread touches. */
	u8 wide[CPU_WIDE] __attribute__((aligned(64)));
};

_Static_assert(offsetof(struct cpu, poll) == CPU_BIAS - 128 && offsetof(struct cpu, state) == 64, "places");

/* -- the jump cache -- */
static inline u32 jc_index(const struct cpu *cpu, u64 pc) { return (u32)((pc ^ pc >> JC_BITS) & cpu->jcsize) >> 1; }
void jc_init(struct cpu *);
void jc_clear(struct cpu *);           /* by its own thread, or while that is stopped */
/* The thread's place for pc.  A cache that loses entries to others again and again grows, once: most programs live
 * in the small one, of which they touch as many pages as they need. */
struct jc *jc_place(struct cpu *, u64 pc);

/* Others may look at guest memory from now on: a second thread, or another process at what is shared and writable.
 * Until then there is no such observer, and generated code leaves out the lock of its atomics, and its full fences:
 * they are for other processors (SDM volume 3, 9.1 and 9.2), while a thread sees its own accesses in program order on
 * whichever processor it runs.  What interrupts it does so between two host instructions if it is the kernel, at a safe
 * point if it is a handler of the guest's.  A vfork child runs, in its parent's record, while that does not.  What the
 * kernel reads and writes by itself (io_setup) asks for no more than the order of loads and that of stores.
 *
 * To be called by the only thread there is, before the others can be.  Their records get it from its own, forked
 * processes likewise.  It is never taken back: that nobody looks any more is hard to know. */
static inline void
cpu_share(struct cpu *cpu)
{
	cpu->shared = 1;
}

/* Makes the thread leave generated code at its next safe point; any thread, and handlers, may ask for it. */
static inline void
cpu_poll(struct cpu *cpu)
{
	atomic_store(&cpu->poll, CPU_ASKED);
	__atomic_store_n(&cpu->jc[0].pc, ~(u64)0, __ATOMIC_SEQ_CST);
	atomic_store(&cpu->jcmask, 0);
}

/* Indirect branches look into jc again; by its own thread, which has seen poll, before it enters generated code. */
static inline void
cpu_polled(struct cpu *cpu)
{
	if (atomic_load(&cpu->jcmask) == cpu->jcsize)
		return;
	atomic_store(&cpu->jcmask, cpu->jcsize);
	if (atomic_load(&cpu->poll))
		cpu_poll(cpu);
}

/* The guest instruction that called the helper (HELP_STATE, HELP_FAULT) traps: by that helper, as its last act. */
_Noreturn void cpu_trap(struct cpu *, enum trap, u32 info);

/* The thread's record; 0 in a thread that runs no guest code. */
extern _Thread_local struct cpu *cpu_self __attribute__((tls_model("local-exec")));

#endif
