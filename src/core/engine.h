/* SPDX-License-Identifier: MIT */
/* engine.h - finds, makes and runs translated code
 *
 * The engine knows a guest, a host and an environment only through their contracts (base/guest.h,
 * host.h, os.h).  One code area serves all threads.  Looking code up takes no lock; making and
 * dropping it takes the engine's one lock.
 *
 * A thread that runs generated code has cpu->running set.  Two things must happen while nobody
 * does: emptying the code area, and what the environment asks for with engine_stop. */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include <signal.h>
#include "base/cpu.h"
#include "base/guest.h"
#include "base/host.h"
#include "base/os.h"

struct engine_options {
	const char *host;              /* name of a host, or 0: the best */
	const char *features;          /* host features to hide, "" for none (host.h) */
	u64 codesize;                  /* bytes of the code area; 0: default */
	int maxinsn;                   /* guest instructions in a region; 0: default, 1: one each */
	int nochain;                   /* never link regions */
	int quick;                     /* how often code runs in the quick tier; 0: there is none */
	int first;                     /* the first time it runs without any (first.c) */
	int count;                     /* keep all the statistics */
	int perfmap, jitdump, hot;     /* see profile.c */
	void (*symbol)(gaddr, char *buf, size_t);      /* the name of guest code: for those */
	int (*hide)(int fd);           /* moves a descriptor out of the guest's sight; 0: none */
};

/* Before the first thread.  Exits with a message if no code area can be had. */
void engine_init(const struct guest *, const struct engine_options *);

/* A thread's record joins (before it runs) and leaves (before its memory goes). */
void engine_join(struct cpu *);
void engine_leave(struct cpu *);

/* Runs the guest at cpu->pc on this thread (cpu_self == cpu) until engine_quit(cpu). */
void engine_run(struct cpu *);
/* Makes engine_run return; called on the thread, from one of os's functions. */
_Noreturn void engine_quit(struct cpu *);

/* Waits until no other thread runs generated code and keeps them from it until engine_go. */
void engine_stop(struct cpu *);
void engine_go(struct cpu *);

/* Is this a fault, not a signal that somebody sent? */
int engine_raised(const void *ucontext, int sig, const siginfo_t *);

/* A synchronous host signal (SEGV BUS FPE ILL TRAP) on a thread whose record is cpu (may be 0).  Returns 1 if
 * it was dealt with (the context may have been changed: return from the handler), 0 if it is not
 * the translation's affair.  Async-signal-safe for faults it can deal with. */
int engine_fault(struct cpu *, int sig, siginfo_t *, void *ucontext);

/* Guest pc of a host context interrupted in generated code, or of the last exit: for messages. */
gaddr engine_guestpc(const struct cpu *, const void *ucontext);
/* Where the host was: its pc less the address of our first byte if it lies in dragoman (*inside = 1: what
 * addr2line takes), else as it is (generated code, a library). */
u64 engine_hostpc(const void *ucontext, int *inside);

/* The process is about to end, or to become another: translations that are worth it are kept for other processes. */
void engine_end(void);

/* Translates the code at pc and everything that is reached from it by direct branches, unless it is known; the
 * number of regions made.  The thread runs nothing. */
u64 engine_warm(struct cpu *, gaddr pc);

/* Before fork: what a process leaves to others at its end besides translations is left now, lest each child do it. */
void engine_tell(void);
/* 0 before fork, 1 in the parent, 2 in the child; 3: a child that shared the thread's record and all memory (vfork) has
 * ended, perhaps killed while it held the engine's lock. */
void engine_fork(int phase);

/* Counted where it costs nothing; time and exits only if engine_options.count asks for it.  After the threads
 * have ended, or as a rough view before. */
struct engine_stats {
#define STAT(member, text) u64 member;
#include "core/stats.def"
#undef STAT
};
void engine_logstats(void);            /* -d stats */
void engine_loghot(void);              /* -d hot */

#endif
