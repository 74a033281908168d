/* SPDX-License-Identifier: MIT */
/* clone.c - new threads and processes, and their end
 *
 * Three ways, by the flags:
 *   CLONE_THREAD            a host thread of the C library's, so that it has thread-local storage
 *   CLONE_VM | CLONE_VFORK  the host's clone with the same flags: the child runs the guest on a C stack
 *                           of its own, in the caller's cpu record, while the caller is suspended;
 *                           the caller then takes its record's contents back
 *   no CLONE_VM             fork(), or the host's clone where flags ask for more
 * CLONE_VM alone (a process that runs beside us in the same memory) is the second, done by a
 * helper thread that is suspended in the caller's place. */
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/gmem.h"
#include "core/engine.h"
#include "threads/thread.h"
#include "syscall/path.h"
#include "syscall/thread_calls.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

enum { SIGMASK_EXIT = 0xff, VSTACK = 512 << 10 };

/* What clone and clone3 ask for. */
struct request {
	u64 flags;                     /* CLONE_*, without the exit signal */
	int exitsig;                   /* host number */
	gaddr sp, tls, ptid, ctid, pidfd;      /* sp 0: the caller's */
	gaddr set_tid; u64 nset_tid, cgroup;
};

static int
puttid(gaddr a, int tid)
{
	return gmem_write(a, &tid, sizeof tid);
}

static int
gettid_host(void)
{
	return (int)host_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* The child's registers: the caller's, with what the request changes. */
static void
child_registers(struct cpu *cpu, const struct request *q)
{
	if (q->sp)
		guest_put(cpu, cpu->guest->sp, q->sp);
	if (q->flags & CLONE_SETTLS)
		guest_put(cpu, cpu->guest->tls, q->tls);
	syscall_result(cpu, 0);
	cpu->excl_addr = ~(u64)0;
}

/* In the child, by the child: ids in guest memory. */
static void
child_tids(const struct request *q, int tid)
{
	if (q->flags & CLONE_CHILD_SETTID)
		puttid(q->ctid, tid);
	if (q->flags & CLONE_CHILD_CLEARTID)
		host_call(SYS_set_tid_address, (u64)g2h(q->ctid), 0, 0, 0, 0, 0);
}

/* Dispositions of a child that does not share them. */
static void
clear_handlers(struct sighand *h)
{
	for (int s = 1; s <= 64; s++) {
		if (h->act[s].handler == (u64)SIG_IGN || h->act[s].handler == (u64)SIG_DFL)
			continue;
		h->act[s] = (struct ksigaction){ 0 };
		signal_mirror(h, s);
	}
}

/* -- threads -- */

struct newthread { struct thread *t; const struct request *q; sem_t ready; int err, first; };

static void *
thread_start(void *arg)
{
	struct newthread *s = arg;
	struct thread *t = s->t;
	u64 apart = ~s->q->flags & (CLONE_FS | CLONE_FILES | CLONE_SYSVSEM);

	cpu_self = t->cpu;
	norseq();
	t->tid = gettid_host();
	/* what the C library shares and the guest does not want shared */
	if (apart && unshare((int)apart)) {
		s->err = -errno;
		cpu_self = 0;
		sem_post(&s->ready);
		return 0;
	}
	signal_stack(t);
	child_tids(s->q, t->tid);
	if (s->q->flags & CLONE_PARENT_SETTID)
		puttid(s->q->ptid, t->tid);
	if (s->first)
		signal_reclaim(t);
	thread_add(t);
	s->err = t->tid;
	sem_post(&s->ready);           /* *s is the parent's again */
	signal_deliver(t->cpu, 0);     /* the mask */
	engine_run(t->cpu);
	cpu_self = 0;
	sighand_put(t->sighand);
	thread_remove(t);
	return 0;
}

static void
copy_cpu(struct cpu *to, const struct cpu *from)
{
	memcpy(to->state, from->state, sizeof to->state);
	to->pc = from->pc;
	to->fpmode = from->fpmode;
	to->fpflags = from->fpflags;
	to->fpwatch = from->fpwatch;
}

/* A record for a child of the calling thread, which will be beside it. */
static struct thread *
child_record(struct cpu *cpu)
{
	struct thread *t = cpu->thread, *c = thread_new(cpu->guest);

	if (!c)
		return 0;
	cpu_share(cpu);
	cpu_share(c->cpu);
	copy_cpu(c->cpu, cpu);
	c->mask = t->mask;
	c->hostmask = t->hostmask;
	c->alt.flags = SS_DISABLE;
	c->filter = t->filter;
	c->ispthread = 1;
	return c;
}

static int
start_pthread(struct thread *c, void *(*fn)(void *), void *arg)
{
	pthread_attr_t at;
	int r;

	pthread_attr_init(&at);
	pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
	r = pthread_attr_setstack(&at, c->stack, c->stacksize);
	if (!r)
		r = pthread_create(&c->pthread, &at, fn, arg);
	pthread_attr_destroy(&at);
	return -r;
}

static s64
clone_thread(struct cpu *cpu, const struct request *q)
{
	struct newthread s = { .q = q, .first = __libc_single_threaded };
	s64 r;

	if (!(q->flags & CLONE_SIGHAND) || !(q->flags & CLONE_VM))
		return -EINVAL;
	s.t = child_record(cpu);
	if (!s.t)
		return -EAGAIN;
	child_registers(s.t->cpu, q);
	s.t->sighand = cpu->thread->sighand;
	atomic_fetch_add(&s.t->sighand->refs, 1);
	sem_init(&s.ready, 0, 0);
	r = start_pthread(s.t, thread_start, &s);
	if (!r) {
		while (sem_wait(&s.ready))
			;
		r = s.err;
		if (s.first)
			signal_reclaim(cpu->thread);
	}
	if (r < 0) {
		sighand_put(s.t->sighand);
		if (r == -EAGAIN)
			thread_free(s.t);
	}
	sem_destroy(&s.ready);
	return r;
}

/* As engine_fork, for all locks a child may find taken; phase 3 leaves the handlers, of which it had its own.  The
 * pages they lie in would be copied, so a process that has always had one thread takes none. */
static void
locks(int phase, struct thread *t)
{
	if (__libc_single_threaded && phase < 3) {
		if (phase == 2)
			engine_fork(2);
		return;
	}
	if (phase == 0) {
		engine_fork(0);
		gmem_fork(0);
		thread_lock(0);
		pthread_mutex_lock(&t->sighand->lock);
		heap_fork(0);
		return;
	}
	heap_fork(phase);
	if (phase == 1)
		pthread_mutex_unlock(&t->sighand->lock);
	else if (phase == 2)
		pthread_mutex_init(&t->sighand->lock, 0);
	thread_lock(phase);
	gmem_fork(phase);
	engine_fork(phase);
}

/* -- a process in the same memory -- */

struct vchild {
	struct cpu *cpu;
	struct thread t;               /* the child's record; shares the parent's memory and stacks */
	const struct request *q;
	u8 *stack;
	int parentpid;                 /* as the child should see it */
	sem_t *started; int *pid;      /* for the helper thread's caller */
};

static int
vfork_child(void *arg)
{
	struct vchild *v = arg;
	struct cpu *cpu = v->cpu;

	v->t.tid = lock_newname(getppid() != v->parentpid);
	cpu->thread = &v->t;
	if (v->q->flags & CLONE_CLEAR_SIGHAND)
		clear_handlers(v->t.sighand);
	child_registers(cpu, v->q);
	child_tids(v->q, v->t.tid);
	if (v->started) {
		*v->pid = v->t.tid;
		sem_post(v->started);
	}
	signal_deliver(cpu, 0);
	engine_run(cpu);
	_exit(127);
}

/* The host's clone; returns the pid when the child has called execve or ended. */
static s64
vfork_run(struct vchild *v, struct cpu *cpu, const struct request *q)
{
	u64 pass = q->flags & ~(u64)(CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
				     CLONE_CLEAR_SIGHAND | CLONE_SIGHAND);
	size_t keep = offsetof(struct cpu, jc);
	u8 *saved = xmalloc(keep);
	struct thread *t = cpu->thread;
	struct path_root root = path_root();
	u32 name = lock_name();
	u8 shared;
	s64 r;

	v->cpu = cpu;
	v->q = q;
	v->t = *t;
	v->t.parent = t;
	v->t.exec = 0;
	v->t.held = 0;
	v->t.sighand = sighand_copy(t->sighand);
	v->stack = mmap(0, VSTACK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (v->stack == MAP_FAILED) {
		sighand_put(v->t.sighand);
		free(saved);
		return -ENOMEM;
	}
	mprotect(v->stack, 4096, PROT_NONE);
	memcpy(saved, (void *)cpu, keep);
	v->parentpid = q->flags & CLONE_PARENT ? getppid() : getpid();
	r = clone(vfork_child, v->stack + VSTACK, (int)(pass | (u64)q->exitsig | CLONE_VFORK), v,
		  g2h(q->flags & CLONE_PIDFD ? q->pidfd : q->ptid), 0, 0);
	if (r < 0)
		r = -errno;
	lock_again(name);
	if (!(q->flags & CLONE_FS))
		path_return(root, !!(q->flags & CLONE_FILES));
	shared = cpu->shared;                  /* the memory is the same */
	memcpy((void *)cpu, saved, keep);
	cpu->shared = shared;
	cpu->njcset = NELEM(cpu->jcset) + 1;   /* the child has filled others */
	cpu->kept = 0;                         /* the child's calls are on the shadow stack */
	atomic_store(&cpu->running, 0);
	cpu_poll(cpu);
	locks(3, t);
	exec_release(v->t.exec, 0);
	sighand_put(v->t.sighand);
	munmap(v->stack, VSTACK);
	free(saved);
	return r;
}

static s64
clone_vfork(struct cpu *cpu, const struct request *q)
{
	struct vchild *v = xmalloc(sizeof *v);
	s64 r = vfork_run(v, cpu, q);

	free(v);
	if (r > 0 && q->flags & CLONE_PARENT_SETTID && q->flags & CLONE_PIDFD && q->ptid != q->pidfd)
		puttid(q->ptid, (int)r);
	return r;
}

struct beside { struct thread *t; struct request q; int invfork; sem_t started; int pid; s64 r; };

/* The end of a thread takes locks of the C library.  A vfork child may end at that moment, and the thread with it; its
 * parent would find them taken.  So there the thread goes without, and its stack stays. */
static void *
helper_start(void *arg)
{
	struct beside *b = arg;
	struct thread *t = b->t;
	struct vchild *v = xmalloc(sizeof *v);
	struct request q = b->q;
	int invfork = b->invfork;
	s64 r;

	cpu_self = t->cpu;
	t->tid = gettid_host();
	signal_stack(t);
	engine_join(t->cpu);
	v->started = &b->started;
	v->pid = &b->pid;
	r = vfork_run(v, t->cpu, &q);
	if (r < 0) {
		b->r = r;
		sem_post(&b->started);
	}
	free(v);
	sighand_put(t->sighand);
	if (invfork) {
		engine_leave(t->cpu);
		host_call(SYS_exit, 0, 0, 0, 0, 0, 0);
	}
	cpu_self = 0;
	t->prev = &t->next;
	t->next = 0;
	thread_remove(t);
	return 0;
}

static s64
clone_beside(struct cpu *cpu, const struct request *q)
{
	struct beside b = { .q = *q, .invfork = !!cpu->thread->parent };
	s64 r;

	b.t = child_record(cpu);
	if (!b.t)
		return -EAGAIN;
	b.t->sighand = cpu->thread->sighand;
	atomic_fetch_add(&b.t->sighand->refs, 1);
	sem_init(&b.started, 0, 0);
	r = start_pthread(b.t, helper_start, &b);
	if (r < 0)
		return r;
	while (sem_wait(&b.started))
		;
	return b.r < 0 ? b.r : b.pid;
}

/* -- a process with a copy of the memory -- */

/* The kernel's call for q; flags, ctid: of the C library. */
static s64
fork_call(void *arg, u64 flags, u64 ctid)
{
	const struct request *q = arg;
	u64 ours = CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_CLEAR_SIGHAND;
	u64 f = (q->flags & ~ours) | (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID));
	u64 args[11] = { f, (u64)g2h(q->pidfd), ctid, (u64)g2h(q->ptid),
			 (u64)q->exitsig, 0, 0, 0, (u64)g2h(q->set_tid), q->nset_tid, q->cgroup };

	if (q->nset_tid || q->flags & CLONE_INTO_CGROUP)
		return host_call(SYS_clone3, (u64)args, sizeof args, 0, 0, 0, 0);
	return host_call(SYS_clone, f | (u64)q->exitsig, 0, (u64)g2h(q->flags & CLONE_PIDFD ? q->pidfd : q->ptid), ctid,
			 0, 0);
}

/* The C library's own locks (streams, its threads) are safe only by its fork.  Where that cannot be had with these
 * flags, the child of a process with other threads may find one taken for ever.  A process with one thread has none
 * taken, and needs nothing of what else fork does, but that the library learns the child's tid. */
static s64
fork_host(struct thread *t, struct request *q)
{
	u64 simple = CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID;
	s64 r;

	if (__libc_single_threaded && threads.libctid)
		return fork_call(q, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, threads.libctid);
	if (!(q->flags & ~simple) && q->exitsig == SIGCHLD) {
		r = fork();
		return r < 0 ? -errno : r;
	}
	r = atomic_load(&threads.n) > 1 ? signal_fork(t, fork_call, q) : -ENOSYS;
	return r == -ENOSYS ? fork_call(q, 0, 0) : r;
}

static s64
clone_fork(struct cpu *cpu, const struct request *q)
{
	struct thread *t = cpu->thread;
	struct request asked = *q;
	s64 r;

	syscall_forking(cpu->guest->abi);
	engine_tell();
	thread_forking(cpu);
	locks(0, t);
	r = fork_host(t, &asked);
	if (r) {
		locks(1, t);
		if (r > 0 && q->flags & CLONE_PARENT_SETTID && q->ptid)
			puttid(q->ptid, (int)r);
		return r;
	}
	t->tid = lock_forked();
	locks(2, t);
	thread_forked(t);
	t->parent = 0;
	t->isqueued = 0;
	t->held = 0;
	child_registers(cpu, q);
	child_tids(q, t->tid);
	if (q->flags & CLONE_CLEAR_SIGHAND)
		clear_handlers(t->sighand);
	return 0;
}

/* -- the calls -- */

/* Combinations Linux refuses and that would not reach it. */
static int
check(const struct request *q)
{
	u64 f = q->flags;

	if ((f & CLONE_THREAD && !(f & CLONE_SIGHAND)) || (f & CLONE_SIGHAND && !(f & CLONE_VM)) ||
	    (f & CLONE_THREAD && f & (CLONE_NEWUSER | CLONE_NEWPID)) ||
	    (f & CLONE_SIGHAND && f & CLONE_CLEAR_SIGHAND) ||
	    (f & CLONE_FS && f & (CLONE_NEWNS | CLONE_NEWUSER)))
		return -EINVAL;
	return q->exitsig > 64 ? -EINVAL : 0;
}

static s64
doclone(struct cpu *cpu, const struct request *q)
{
	struct thread *t = cpu->thread;
	u64 f = q->flags;
	s64 r = check(q);

	if (r)
		return r;
	signal_block(t);
	if (t->isqueued)
		return -ERESTARTNOINTR;
	if (f & CLONE_THREAD)
		r = clone_thread(cpu, q);
	else if (f & CLONE_VM)
		r = f & CLONE_VFORK ? clone_vfork(cpu, q) : clone_beside(cpu, q);
	else
		r = clone_fork(cpu, q);
	signal_hostmask(cpu->thread, cpu->thread->mask);
	return r;
}

s64
sys_clone(struct cpu *cpu, const u64 *a)
{
	struct request q = { .flags = a[0] & 0xffffffff & ~(u64)SIGMASK_EXIT, .sp = a[1], .ptid = a[2],
		.tls = a[3], .ctid = a[4], .pidfd = a[2] };

	q.exitsig = abi_sig2host(cpu->guest->abi, (int)(a[0] & SIGMASK_EXIT));
	return doclone(cpu, &q);
}

s64
sys_clone3(struct cpu *cpu, const u64 *a)
{
	enum { V0 = 64, V2 = 88, PAGE = 4096 };
	u8 raw[PAGE] = { 0 };
	u64 v[V2 / 8];
	struct request q;

	if (a[1] < V0)
		return -EINVAL;
	if (a[1] > PAGE)
		return -E2BIG;
	if (gmem_read(raw, a[0], a[1]))
		return -EFAULT;
	for (u64 i = V2; i < a[1]; i++)
		if (raw[i])
			return -E2BIG;
	for (size_t i = 0; i < NELEM(v); i++)
		v[i] = ldn(raw + 8 * i, 8, cpu->guest->big);
	q = (struct request){ v[0], abi_sig2host(cpu->guest->abi, (int)v[4]), v[5] ? v[5] + v[6] : 0,
			      v[7], v[3], v[2], v[1], v[8], v[9], v[10] };
	if (q.flags & SIGMASK_EXIT || v[4] > 64 || !v[5] != !v[6])
		return -EINVAL;
	return doclone(cpu, &q);
}

s64
sys_fork(struct cpu *cpu, const u64 *a)
{
	struct request q = { .exitsig = SIGCHLD };

	(void)a;
	return doclone(cpu, &q);
}

s64
sys_vfork(struct cpu *cpu, const u64 *a)
{
	struct request q = { .exitsig = SIGCHLD, .flags = CLONE_VM | CLONE_VFORK };

	(void)a;
	return doclone(cpu, &q);
}

/* -- the end -- */

/* The process ends. */
static void
lastly(int status)
{
	engine_end();
	if (threads.atexit)
		threads.atexit(status);
}

_Noreturn void
thread_exit(struct cpu *cpu, int status)
{
	struct thread *t = cpu->thread;

	signal_block(t);
	if (t->parent)
		host_call(SYS_exit, (u64)status, 0, 0, 0, 0, 0);
	if (atomic_fetch_sub(&threads.n, 1) == 1) {
		lastly(status);
		host_call(SYS_exit, (u64)status, 0, 0, 0, 0, 0);
	}
	if (t->ispthread)
		engine_quit(cpu);
	cpu_self = 0;
	thread_remove(t);
	host_call(SYS_exit, (u64)status, 0, 0, 0, 0, 0);
	__builtin_unreachable();
}

s64
sys_exit(struct cpu *cpu, const u64 *a)
{
	thread_exit(cpu, (int)a[0]);
}

s64
sys_exit_group(struct cpu *cpu, const u64 *a)
{
	if (!cpu->thread->parent)
		lastly((int)a[0]);
	host_call(SYS_exit_group, a[0], 0, 0, 0, 0, 0);
	__builtin_unreachable();
}
