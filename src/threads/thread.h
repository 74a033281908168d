/* SPDX-License-Identifier: MIT */
/* thread.h - guest threads and processes, and their signals
 *
 * A guest thread is a host thread; its tid is the host's.  fork, vfork and clone are the host's,
 * so namespaces, pidfds, process groups and parents are real.
 *
 * Signals.  The host's state mirrors the guest's: a signal the guest ignores or leaves at its default
 * is ignored or at its default on the host, one it catches is caught by on_signal, and the host
 * thread's mask is the guest thread's.  So the kernel itself picks the thread, keeps what is
 * pending and in which order, and stops, continues and kills.  The handler stores the signal in the
 * thread's record, leaves every signal blocked until the guest can take it, sets cpu->poll and
 * makes a system call that is about to block return; at the next safe point signal_deliver builds
 * the guest's frame, and the mask that the guest's handler runs with becomes the host's.
 *
 * Five signals cannot be mirrored, because translated code and our copies raise them (SYNC): they
 * are always caught and never blocked on the host.  While the guest blocks one that somebody sent,
 * it waits in thread->held.
 *
 * glibc is bypassed (host_call) wherever it would hide signals 32 and 33. */
#ifndef THREADS_THREAD_H
#define THREADS_THREAD_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include "base/cpu.h"
#include "base/guest.h"
#include "base/hostcall.h"
#include "base/lock.h"
#include "base/util.h"
#include "loader/image.h"
#include "syscall/abi.h"

static inline u64 sigbit(int sig) { return (u64)1 << (sig - 1); }

#define SIG_SYNC (sigbit(SIGSEGV) | sigbit(SIGBUS) | sigbit(SIGFPE) | sigbit(SIGILL) | sigbit(SIGTRAP))
enum { ALT_AUTODISARM = (int)0x80000000 };             /* SS_AUTODISARM */
#define SIG_NEVER (sigbit(SIGKILL) | sigbit(SIGSTOP))          /* cannot be blocked or caught */

/* The kernel's struct sigaction, of the host. */
struct ksigaction { u64 handler, flags, restorer, mask; };

/* Guest dispositions, by host signal number; shared by the threads of a process. */
struct sighand {
	pthread_mutex_t lock;
	_Atomic int refs;
	struct ksigaction act[65];     /* handler: guest address, or SIG_DFL, SIG_IGN as numbers */
	u64 unread;                    /* signals whose disposition is as the process found it, and act does not say: */
};

struct sigitem { int sig; siginfo_t info; int isfault; };

struct thread {
	struct cpu *cpu;
	struct thread *next, **prev;   /* all threads of the process; under thread_lock */
	int tid;
	u8 ispthread;                  /* made by pthread_create (not the process's first) */
	struct sighand *sighand;

	u64 mask;                      /* the guest's, host numbering */
	u64 saved;                     /* usesaved: the mask that returns after the handler (sigsuspend, ppoll) */
	u8 usesaved;
	struct { gaddr sp; u64 size; s32 flags; } alt;         /* sigaltstack, flags as set */

	/* -- written by the host's signal handler -- */
	volatile u64 hostmask;         /* what the host thread blocks now */
	volatile sig_atomic_t isqueued;        /* `queued` holds a signal; every host signal is blocked */
	struct sigitem queued;
	volatile u32 held;             /* SYNC signals that wait, bit by index in sync list */
	siginfo_t heldinfo[5];

	/* -- memory -- */
	u8 *mem; size_t memsize;       /* stacks and cpu record, one mapping */
	u8 *stack; size_t stacksize;   /* C stack */
	pthread_t pthread;

	struct thread *parent;         /* in a vfork child: the suspended parent's record */
	struct execstate *exec;        /* what execve has allocated, for whoever survives it */
	struct filter *filter;         /* seccomp programs, newest first (seccomp.c) */
};

/* Of the process. */
struct threads {
	struct lock lock;              /* the list */
	struct thread *list;
	_Atomic int n;
	gaddr sigreturn;               /* guest code that calls rt_sigreturn, or 0 */
	char *const *pass;             /* options for programs started by the guest; NULL terminated */
	void (*atexit)(int status);    /* called before the process ends by exit; or 0 */
	u64 libctid;                   /* where the C library keeps the first thread's tid; 0: not known */
};
extern struct threads threads;
extern const struct os linux_os;

static inline struct thread *self(void) { return cpu_self ? cpu_self->thread : 0; }

/* -- vcpu.c -- */
/* The first thread: makes its record, installs the handlers, takes over mask and dispositions. */
struct cpu *thread_init(const struct guest *);
/* Enters the program; does not return. */
_Noreturn void thread_run(struct cpu *, const struct image *);
struct thread *thread_new(const struct guest *);       /* record with stacks, not yet listed */
void thread_free(struct thread *);
void thread_add(struct thread *);
void thread_remove(struct thread *);
void thread_forking(struct cpu *);                     /* before a fork: makes it and others cheaper */
void thread_forked(struct thread *);                   /* in the child of fork: the others are gone */
void thread_lock(int phase);                           /* as in engine_fork */
u64 guest_get(const struct cpu *, int var);
void guest_put(struct cpu *, int var, u64 v);

/* -- signal.c -- */
void signal_init(struct thread *);                     /* handlers, dispositions, mask of the process */
void signal_stack(struct thread *);                    /* the host's alternate stack of this thread */
void signal_deliver(struct cpu *, s64 r);              /* r: result of the interrupted call, or 0 */
void signal_force(struct cpu *, int sig, int code, gaddr addr, const struct fault *);
void signal_force_info(struct cpu *, const siginfo_t *);        /* the same with other contents */
_Noreturn void signal_die(int sig);
void signal_learn(struct sighand *, u64 set);          /* lock held: now it does, for these */
void signal_mirror(const struct sighand *, int sig);   /* one disposition to the host */
void signal_hostmask(struct thread *, u64 guestmask);  /* the host mask follows */
u64 signal_block(struct thread *);                     /* blocks everything on the host */
/* With a process's first thread the C library took a signal for itself (SIGSETXID): its disposition, and the mask of
 * this thread, are again the guest's. */
void signal_reclaim(struct thread *);
s64 signal_fork(struct thread *, host_clone *, void *arg);     /* host_fork; sighand's lock held, signals blocked */
int signal_onalt(const struct thread *, gaddr sp);     /* sp lies on the alternate stack */
struct sighand *sighand_copy(const struct sighand *);
void sighand_put(struct sighand *);
u64 signal_heldset(const struct thread *);             /* held signals as a set */
int signal_take_held(struct thread *, u64 set, siginfo_t *);   /* one of them; 0 if none */
int signal_before_exec(struct thread *);               /* real mask, real dispositions; 0 or -ERESTARTNOINTR */
void signal_after_exec(struct thread *);               /* it failed */

/* -- seccomp.c -- */
int seccomp_stops(struct cpu *);                       /* the call must not be performed; its effect has been */

/* -- exec.c -- */
void exec_release(struct execstate *, int ownfds);
/* main, first thing: if this process was started by a guest's execve, argv becomes the command line
 * (options, program, arguments), *envp the guest's environment and *legacy what abi->inherit is given; 1 if so. */
int exec_unpack(int *argc, char ***argv, char ***envp, u64 *legacy);

/* -- clone.c -- */
_Noreturn void thread_exit(struct cpu *, int status);

#endif
