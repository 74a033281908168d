/* SPDX-License-Identifier: MIT */
/* signal.c - from a host signal to a guest handler; see thread.h for the idea */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/gmem.h"
#include "core/engine.h"
#include "threads/thread.h"

static const u8 syncsig[5] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
enum { KSIGSET = 8 };                  /* bytes of the kernel's sigset_t */

/* -- the host's side of a mask and of a disposition -- */

static struct ksigaction hostact;      /* how the host's C library installs a handler: flags, restorer */

static int
isdefault(const struct ksigaction *a)
{
	return a->handler == (u64)SIG_DFL;
}

static int
isignored(const struct ksigaction *a)
{
	return a->handler == (u64)SIG_IGN;
}

static void
rawaction(int sig, const struct ksigaction *new, struct ksigaction *old)
{
	host_call(SYS_rt_sigaction, (u64)sig, (u64)new, (u64)old, KSIGSET, 0, 0);
}

/* What the process found is default or ignored; most programs never ask. */
void
signal_learn(struct sighand *h, u64 set)
{
	for (set &= h->unread; set; set &= set - 1) {
		int s = __builtin_ctzll(set) + 1;
		struct ksigaction k;

		rawaction(s, 0, &k);
		h->act[s].handler = isignored(&k) ? (u64)SIG_IGN : (u64)SIG_DFL;
		h->unread &= ~sigbit(s);
	}
}

void
signal_mirror(const struct sighand *h, int sig)
{
	const struct ksigaction *a = &h->act[sig];
	struct ksigaction k = hostact;
	u64 child = SA_NOCLDSTOP | SA_NOCLDWAIT;

	if (sigbit(sig) & (SIG_SYNC | SIG_NEVER))
		return;
	if (isdefault(a) || isignored(a))
		k.handler = a->handler;
	k.flags |= a->flags & child;
	rawaction(sig, &k, 0);
}

static void
rawmask(u64 mask)
{
	host_call(SYS_rt_sigprocmask, SIG_SETMASK, (u64)&mask, 0, KSIGSET, 0, 0);
}

/* hostmask is written first: a signal that comes in the moment it is unblocked sets it to "all". */
void
signal_hostmask(struct thread *t, u64 guestmask)
{
	u64 m = guestmask & ~(SIG_SYNC | SIG_NEVER);

	if (t->isqueued || t->hostmask == m)
		return;
	t->hostmask = m;
	atomic_signal_fence(memory_order_seq_cst);
	rawmask(m);
}

void
signal_reclaim(struct thread *t)
{
	enum { SIGSETXID = 33 };

	signal_mirror(t->sighand, SIGSETXID);
	rawmask(t->hostmask);
}

u64
signal_block(struct thread *t)
{
	u64 old = t->hostmask;

	t->hostmask = ~(SIG_SYNC | SIG_NEVER);
	rawmask(t->hostmask);
	return old;
}

s64
signal_fork(struct thread *t, host_clone *call, void *arg)
{
	s64 r;

	signal_learn(t->sighand, sigbit(SIGSYS));
	rawaction(SIGSYS, &hostact, 0);
	rawmask(t->hostmask & ~sigbit(SIGSYS));
	r = host_fork(call, arg, hostact.restorer);
	signal_mirror(t->sighand, SIGSYS);
	rawmask(t->hostmask);
	return r;
}

/* -- held signals -- */

static int
syncindex(int sig)
{
	for (int i = 0; i < (int)NELEM(syncsig); i++)
		if (syncsig[i] == sig)
			return i;
	return -1;
}

u64
signal_heldset(const struct thread *t)
{
	u64 set = 0;

	for (int i = 0; i < (int)NELEM(syncsig); i++)
		if (t->held >> i & 1)
			set |= sigbit(syncsig[i]);
	return set;
}

int
signal_take_held(struct thread *t, u64 set, siginfo_t *info)
{
	for (int i = 0; i < (int)NELEM(syncsig); i++) {
		if (!(t->held >> i & 1) || !(set & sigbit(syncsig[i])))
			continue;
		*info = t->heldinfo[i];
		__atomic_and_fetch(&t->held, ~(1u << i), __ATOMIC_SEQ_CST);
		return syncsig[i];
	}
	return 0;
}

/* -- the handler -- */

/* A fault of our own: nothing the guest did. */
static void
ownfault(int sig, const siginfo_t *si, void *uc)
{
	int inside;
	u64 host = engine_hostpc(uc, &inside);

	bug("signal %d (code %d, address %p) in dragoman itself, host pc %s%#llx, guest pc %#llx", sig, si->si_code,
	    si->si_addr, inside ? "dragoman+" : "", (unsigned long long)host,
	    (unsigned long long)engine_guestpc(cpu_self, uc));
}

static void
store(struct thread *t, int sig, const siginfo_t *si)
{
	int i = syncindex(sig);

	/* A SYNC signal is never blocked on the host: keep it back while the guest blocks it, or
	 * while another one waits. */
	if (i >= 0 && (t->isqueued || t->mask & sigbit(sig))) {
		if (!(t->held >> i & 1)) {
			t->heldinfo[i] = *si;
			__atomic_or_fetch(&t->held, 1u << i, __ATOMIC_SEQ_CST);
		}
		return;
	}
	t->queued.sig = sig;
	t->queued.info = *si;
	t->queued.isfault = 0;
	atomic_signal_fence(memory_order_seq_cst);
	t->isqueued = 1;
}

static void
on_signal(int sig, siginfo_t *si, void *vuc)
{
	ucontext_t *uc = vuc;
	struct cpu *cpu = cpu_self;
	int saved = errno;
	u64 all = ~(SIG_SYNC | SIG_NEVER);

	if (sig == SIGSYS && host_forking(uc, si))
		return;
	if (sigbit(sig) & SIG_SYNC && engine_raised(uc, sig, si)) {
		if (!engine_fault(cpu, sig, si, uc))
			ownfault(sig, si, uc);
		errno = saved;
		return;
	}
	if (cpu && cpu->thread) {
		store(cpu->thread, sig, si);
		if (cpu->thread->isqueued) {
			cpu->thread->hostmask = all;
			memcpy(&uc->uc_sigmask, &all, KSIGSET);
		}
		cpu_poll(cpu);
		host_rewind(uc);
	}
	errno = saved;
}

/* -- start of the process -- */

/* The C library knows what the kernel wants besides the handler (a restorer, on some machines):
 * let it install one, and read that back. */
static void
learn(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	sigfillset(&sa.sa_mask);
	sigaction(SIGSEGV, &sa, 0);
	rawaction(SIGSEGV, 0, &hostact);
	hostact.mask = ~(SIG_SYNC | SIG_NEVER);
}

void
signal_init(struct thread *t)
{
	struct sighand *h = xmalloc(sizeof *h);
	u64 mask = 0;

	pthread_mutex_init(&h->lock, 0);
	h->refs = 1;
	t->sighand = h;
	h->unread = ~(u64)0;
	signal_learn(h, SIG_SYNC);
	learn();
	for (size_t i = 0; i < NELEM(syncsig); i++)
		rawaction(syncsig[i], &hostact, 0);
	host_call(SYS_rt_sigprocmask, SIG_SETMASK, 0, (u64)&mask, KSIGSET, 0, 0);
	t->mask = mask & ~SIG_NEVER;
	t->hostmask = mask;
	signal_hostmask(t, t->mask);
}

struct sighand *
sighand_copy(const struct sighand *h)
{
	struct sighand *c = xmalloc(sizeof *c);

	memcpy(c->act, h->act, sizeof c->act);
	c->unread = h->unread;
	pthread_mutex_init(&c->lock, 0);
	c->refs = 1;
	return c;
}

void
sighand_put(struct sighand *h)
{
	if (h && atomic_fetch_sub(&h->refs, 1) == 1)
		free(h);
}

/* -- the end -- */

_Noreturn void
signal_die(int sig)
{
	struct ksigaction dfl = { 0 };
	u64 mask = ~sigbit(sig);

	if (cpu_self && !cpu_self->thread->parent)
		engine_end();
	rawaction(sig, &dfl, 0);
	host_call(SYS_tgkill, (u64)getpid(), (u64)host_call(SYS_gettid, 0, 0, 0, 0, 0, 0), (u64)sig, 0,
		  0, 0);
	rawmask(mask);
	/* only a signal that is ignored for an init process of a namespace comes here */
	_exit(128 + sig);
}

/* A signal whose default action is due.  Where the host's disposition is the default already it is
 * sent again; else it has to be restored to it, and kills. */
static void
default_action(struct thread *t, struct sigitem *q)
{
	if (sigbit(q->sig) & SIG_SYNC) {
		if (getpid() == 1)
			return;        /* pid_namespaces(7): nothing that init does not catch reaches it */
		signal_die(q->sig);
	}
	host_call(SYS_rt_tgsigqueueinfo, (u64)getpid(), (u64)t->tid, (u64)q->sig, (u64)&q->info, 0, 0);
}

/* -- frames -- */

/* As Linux sees it: the stack's top itself counts, its lowest byte does not. */
int
signal_onalt(const struct thread *t, gaddr sp)
{
	return !(t->alt.flags & (s32)ALT_AUTODISARM) && sp > t->alt.sp && sp - t->alt.sp <= t->alt.size;
}

/* The guest enters the handler of a: its registers and stack change.  0 or -EFAULT. */
static int
enter(struct cpu *cpu, const struct sigitem *q, const struct ksigaction *a)
{
	struct thread *t = cpu->thread;
	const struct linux_abi *abi = cpu->guest->abi;
	gaddr sp = guest_get(cpu, cpu->guest->sp);
	struct sigframe f;             /* set member by member: to clear it first would take longer */
	int onalt, r;

	f.sig = abi_sig2guest(abi, q->sig);
	f.flags = a->flags;
	f.handler = a->handler;
	f.restorer = a->flags & 0x04000000 ? a->restorer : 0;
	f.trampoline = threads.sigreturn;
	f.sp = sp;
	f.mask = abi_mask2guest(abi, t->usesaved ? t->saved : t->mask);
	f.stack.sp = t->alt.sp;
	f.stack.size = t->alt.size;
	f.stack.flags = t->alt.flags;
	if (a->flags & SA_ONSTACK && t->alt.size && !signal_onalt(t, sp))
		f.sp = t->alt.sp + t->alt.size;
	onalt = signal_onalt(t, f.sp);
	_Static_assert(sizeof q->info == sizeof f.info, "siginfo is 128 bytes everywhere");
	memcpy(f.info, &q->info, sizeof f.info);
	f.fault = q->isfault ? cpu->fault : (struct fault){0};
	r = abi->push(cpu, &f);
	/* a frame that runs off the alternate stack would destroy what lies below it */
	if (!r && onalt && !signal_onalt(t, guest_get(cpu, cpu->guest->sp)))
		r = -EFAULT;
	if (r)
		return r;
	if (t->alt.flags & (s32)ALT_AUTODISARM)
		t->alt.flags = SS_DISABLE, t->alt.sp = t->alt.size = 0;
	t->usesaved = 0;
	t->mask |= a->mask | (a->flags & SA_NODEFER ? 0 : sigbit(q->sig));
	t->mask &= ~SIG_NEVER;
	cpu->excl_addr = ~(u64)0;
	return 0;
}

/* -- delivery -- */

/* The next signal the guest can take. */
static int
take(struct thread *t, struct sigitem *q)
{
	if (t->isqueued) {
		*q = t->queued;
		atomic_signal_fence(memory_order_seq_cst);
		t->isqueued = 0;
		if (!q->isfault && t->mask & sigbit(q->sig)) {
			/* blocked after it came: back to the kernel it goes */
			host_call(SYS_rt_tgsigqueueinfo, (u64)getpid(), (u64)t->tid, (u64)q->sig,
				  (u64)&q->info, 0, 0);
			q->sig = 0;
		}
		return 1;
	}
	q->isfault = 0;
	q->sig = signal_take_held(t, ~t->mask, &q->info);
	return q->sig != 0;
}

/* The disposition, and SA_RESETHAND's work. */
static struct ksigaction
action_of(struct thread *t, int sig)
{
	struct sighand *h = t->sighand;
	struct ksigaction a;

	pthread_mutex_lock(&h->lock);
	signal_learn(h, sigbit(sig));
	a = h->act[sig];
	if (!isdefault(&a) && !isignored(&a) && a.flags & SA_RESETHAND) {
		h->act[sig].handler = (u64)SIG_DFL;
		signal_mirror(h, sig);
	}
	pthread_mutex_unlock(&h->lock);
	return a;
}

/* One signal; returns 1 if a guest handler was entered. */
static int
deliver(struct cpu *cpu, struct sigitem *q, s64 *r)
{
	struct thread *t = cpu->thread;
	struct ksigaction a = action_of(t, q->sig);

	if (logging(LOG_SIGNAL))
		log_print("signal %d code %d handler %#llx pc %#llx\n", q->sig, q->info.si_code,
			  (unsigned long long)a.handler, (unsigned long long)cpu->pc);
	if (q->isfault && (isignored(&a) || isdefault(&a)))
		signal_die(q->sig);
	if (isignored(&a))
		return 0;
	if (isdefault(&a)) {
		default_action(t, q);
		return 0;
	}
	if (*r) {
		syscall_settle(cpu, *r, 1, !!(a.flags & SA_RESTART));
		*r = 0;
	}
	if (enter(cpu, q, &a)) {
		/* no room for the frame: Linux turns that into a SIGSEGV that cannot be caught
		 * when it was one already */
		if (q->sig == SIGSEGV)
			signal_die(SIGSEGV);
		signal_force(cpu, SIGSEGV, SI_KERNEL, 0, 0);
	}
	return 1;
}

void
signal_deliver(struct cpu *cpu, s64 r)
{
	struct thread *t = cpu->thread;
	struct sigitem q;

	for (;;) {
		if (t->isqueued || t->held) {
			if (take(t, &q)) {
				if (q.sig)
					deliver(cpu, &q, &r);
				continue;
			}
		}
		if (t->usesaved) {
			t->mask = t->saved;
			t->usesaved = 0;
		}
		signal_hostmask(t, t->mask);
		if (!t->isqueued && !(signal_heldset(t) & ~t->mask))
			break;
	}
	if (r)
		syscall_settle(cpu, r, 0, 0);
}

/* A signal the thread itself has caused: delivered now, whatever is blocked. */
static void
force(struct cpu *cpu, const struct sigitem *q)
{
	struct thread *t = cpu->thread;
	struct ksigaction a = action_of(t, q->sig);

	if (logging(LOG_SIGNAL))
		log_print("forced signal %d code %d address %p pc %#llx\n", q->sig, q->info.si_code,
			  q->info.si_addr, (unsigned long long)cpu->pc);
	if (t->mask & sigbit(q->sig) || isdefault(&a) || isignored(&a))
		signal_die(q->sig);
	if (!enter(cpu, q, &a))
		return;
	if (q->sig == SIGSEGV)
		signal_die(SIGSEGV);
	signal_force(cpu, SIGSEGV, SI_KERNEL, 0, 0);
}

void
signal_force(struct cpu *cpu, int sig, int code, gaddr addr, const struct fault *fault)
{
	struct sigitem q = { .sig = sig, .isfault = 1 };

	if (!fault)
		memset(&cpu->fault, 0, sizeof cpu->fault);
	q.info.si_signo = sig;
	q.info.si_code = code;
	q.info.si_addr = (void *)addr;
	force(cpu, &q);
}

void
signal_force_info(struct cpu *cpu, const siginfo_t *info)
{
	struct sigitem q = { .sig = info->si_signo, .info = *info };

	force(cpu, &q);
}

/* -- execve -- */

/* The new program inherits the mask and what is ignored, including what we kept for ourselves.  What has not been
 * read (signal_learn) is right on the host.
 * What is caught becomes the default, as the kernel will make it: a signal that comes before the
 * kernel has done so then has the effect it would have just after. */
int
signal_before_exec(struct thread *t)
{
	struct ksigaction k = { 0 };

	signal_block(t);
	if (t->isqueued)
		return -ERESTARTNOINTR;
	for (int s = 1; s <= 64; s++) {
		const struct ksigaction *a = &t->sighand->act[s];

		k.handler = isignored(a) ? (u64)SIG_IGN : (u64)SIG_DFL;
		if (!(sigbit(s) & SIG_NEVER) &&
		    (sigbit(s) & SIG_SYNC ? t->mask & sigbit(s) || isignored(a)
					  : !isignored(a) && !isdefault(a)))
			rawaction(s, &k, 0);
	}
	rawmask(t->mask);
	t->hostmask = t->mask;
	for (size_t i = 0; i < NELEM(syncsig); i++)
		if (t->held >> i & 1)
			host_call(SYS_rt_tgsigqueueinfo, (u64)getpid(), (u64)t->tid, syncsig[i],
				  (u64)&t->heldinfo[i], 0, 0);
	return 0;
}

void
signal_after_exec(struct thread *t)
{
	signal_block(t);
	for (size_t i = 0; i < NELEM(syncsig); i++)
		rawaction(syncsig[i], &hostact, 0);
	for (int s = 1; s <= 64; s++)
		if (!isignored(&t->sighand->act[s]) && !isdefault(&t->sighand->act[s]))
			signal_mirror(t->sighand, s);
}
