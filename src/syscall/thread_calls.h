/* SPDX-License-Identifier: MIT */
/* thread_calls.h - the system calls performed by src/threads, as linux.sys names them
 *
 * Each is `s64 sys_NAME(struct cpu *, const u64 *a)` and returns the result or -errno (or a
 * -ERESTART* of abi.h).  a[] holds the arguments in the order of the line in linux.sys: integers
 * sign-extended to 64 bits, 64-bit pairs joined, flag words (FLAGS) in the host's values, signal
 * numbers (SIG) in the host's numbers; pointers are guest addresses, to be copied with abi_in,
 * abi_out (marshal.h), gmem_read and gmem_write.  The guest state is in memory; cpu->pc is behind
 * the system call instruction.  dispatch.c stores the result in the guest's registers, except
 * that of a call that returned SYS_NORESULT. */
#ifndef SYSCALL_THREAD_CALLS_H
#define SYSCALL_THREAD_CALLS_H

#include "base/cpu.h"

#define THREAD_CALL(name) s64 sys_##name(struct cpu *, const u64 *a)

/* -- threads and processes -- */
THREAD_CALL(clone);             /* flags, stack, parent_tid, tls, child_tid (asm-generic order; flags
                                   unconverted); the child's registers get their results from clone */
THREAD_CALL(clone3);            /* struct clone_args *, size */
THREAD_CALL(fork);              /* - */
THREAD_CALL(vfork);             /* - */
THREAD_CALL(execve);            /* path, argv, envp (all guest addresses; see path.h path_exec) */
THREAD_CALL(execveat);          /* dirfd, path, argv, envp, flags */
THREAD_CALL(exit);              /* status: this thread ends; does not return for the last one */
THREAD_CALL(exit_group);        /* status: the process ends; does not return */
THREAD_CALL(wait4);             /* pid, int *status, options, struct rusage * */
THREAD_CALL(waitid);            /* idtype, id, siginfo *, options, struct rusage * */
THREAD_CALL(gettid);            /* - */
THREAD_CALL(getpid);            /* - */
THREAD_CALL(set_tid_address);   /* int *: cleared and woken at exit; returns the tid */
THREAD_CALL(set_robust_list);   /* struct robust_list_head *, size */
THREAD_CALL(get_robust_list);   /* pid, head **, size * */
THREAD_CALL(rseq);              /* struct rseq *, size, flags, signature */
THREAD_CALL(membarrier);        /* cmd, flags, cpu */
THREAD_CALL(ptrace);            /* request, pid, addr, data */
THREAD_CALL(seccomp);           /* operation, flags, void *args */
THREAD_CALL(prctl_thread);      /* prctl(2) whose option is PR_GET_TID_ADDRESS, PR_SET_SECCOMP,
                                   PR_GET_SECCOMP: option, arg2..arg5 as given */

/* -- futexes; each blocks through host_syscall -- */
THREAD_CALL(futex);             /* u32 *, op, val, timespec * or val2, u32 *uaddr2, val3 */
THREAD_CALL(futex_time64);      /* the same; the timespec has 64-bit members in every ABI */
THREAD_CALL(futex_waitv);       /* struct futex_waitv *, n, flags, timespec64 *, clockid */
THREAD_CALL(futex_wake);        /* u32 *, mask, nr, flags */
THREAD_CALL(futex_wait);        /* u32 *, val, mask, flags, timespec64 *, clockid */
THREAD_CALL(futex_requeue);     /* struct futex_waitv[2], flags, nr_wake, nr_requeue */

/* -- signals -- */
THREAD_CALL(rt_sigaction);      /* sig, const sigaction *, sigaction *, sigsetsize */
THREAD_CALL(rt_sigprocmask);    /* how, const u64 *set, u64 *old, sigsetsize */
THREAD_CALL(rt_sigpending);     /* u64 *set, sigsetsize */
THREAD_CALL(rt_sigsuspend);     /* const u64 *set, sigsetsize */
THREAD_CALL(rt_sigtimedwait);   /* const u64 *set, siginfo *, timespec *, sigsetsize */
THREAD_CALL(rt_sigtimedwait_time64);  /* the same with 64-bit timespec members */
THREAD_CALL(rt_sigqueueinfo);   /* pid, sig, siginfo * */
THREAD_CALL(rt_tgsigqueueinfo); /* tgid, tid, sig, siginfo * */
THREAD_CALL(rt_sigreturn);      /* - : restores everything; returns SYS_NORESULT */
THREAD_CALL(sigaltstack);       /* const stack_t *, stack_t * */
THREAD_CALL(kill);              /* pid, sig */
THREAD_CALL(tkill);             /* tid, sig */
THREAD_CALL(tgkill);            /* tgid, tid, sig */
THREAD_CALL(pidfd_send_signal); /* pidfd, sig, siginfo *, flags */
THREAD_CALL(signalfd4);         /* fd or -1, const u64 *set, sigsetsize, flags */
THREAD_CALL(pause);             /* - */

#undef THREAD_CALL

/* -- for calls of src/syscall that take a signal set (ppoll, pselect6, epoll_pwait, io_pgetevents):
 * installs the guest's mask for the duration of one call.  set is in the host's numbering.
 * thread_mask_push saves the old mask and installs set, raising cpu->poll if that unblocks a
 * pending signal; thread_mask_pop puts the old one back unless the call was interrupted
 * (result -EINTR or -ERESTART*): then the old mask returns after the handler, as Linux does. */
void thread_mask_push(struct cpu *, u64 set);
void thread_mask_pop(struct cpu *, s64 result);

#endif
