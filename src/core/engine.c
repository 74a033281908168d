/* SPDX-License-Identifier: MIT */
/* engine.c - look up, translate, run, handle why it came back */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include "base/diag.h"
#include "core/cache.h"
#include "ir/perform.h"

struct core core FORKED;

enum { MAXINSN = 192 };
enum { YOUNG = 16, TABLE = 2 << 20 /* what a host's table of pages covers */ };
static const u64 codesize = (u64)256 << 20, codemin = (u64)4 << 20, imagesize = (u64)1 << 30;

/* What is reserved counts as both. */
int
core_islimited(void)
{
	struct rlimit as, data;

	return !getrlimit(RLIMIT_AS, &as) && !getrlimit(RLIMIT_DATA, &data) &&
	    (as.rlim_cur != RLIM_INFINITY || data.rlim_cur != RLIM_INFINITY);
}

/* Room for cache files before the code area, within reach of it; none where address space is limited. */
static u64
imagespace(u64 code)
{
	const u64 reach = ((u64)1 << 31) - (1 << 24);

	if (!store_on() || code >= reach || core_islimited())
		return 0;
	return imagesize < reach - code ? imagesize : reach - code;
}

static void *
reserve(u64 n)
{
	return mmap(0, n, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* Reserves a code area of want bytes; where address space is limited, half of the most that can be
 * had: the guest needs as much.  Cache files fill the room before it from its end: what of both is used shares a
 * host's table of pages, in whose middle they meet. */
static void
makearea(u64 want)
{
	u64 images = imagespace(want);
	void *p = images ? reserve(want + images) : MAP_FAILED;
	u64 n = want;

	if (p == MAP_FAILED) {
		images = 0;
		while ((p = reserve(n)) == MAP_FAILED && n / 2 >= codemin)
			n /= 2;
	}
	if (p == MAP_FAILED)
		diag(D_NOSPACE, "code area", "4 MiB", strerror(errno));
	if (n < want && n > codemin) {
		n /= 2;
		munmap((u8 *)p + n, n);
	}
	core.images = core.area = p;
	if (images) {
		core.area = (u8 *)aligndown((u64)p + images, TABLE) - TABLE / 2;
		munmap(core.area + n, (u64)core.images + images - (u64)core.area);
	}
	core.at = core.area;
	core.areaend = core.area + n;
}

/* What a process that shared this memory was doing when it was killed is half done: all code goes. */
static void
spoilt(void)
{
	atomic_store(&core.stale, 1);
	for (int i = 0; i < core.ncpu; i++)
		cpu_poll(core.cpu[i]);
}

void
engine_init(const struct guest *g, const struct engine_options *o)
{
	core.lock.inherited = spoilt;
	core.guest = g;
	core.opt = *o;
	if (!core.opt.maxinsn)
		core.opt.maxinsn = MAXINSN;
	if (!(core.host = host_pick(o->host)))
		diag(D_USAGE, "no such host");
	makearea(o->codesize ? o->codesize : codesize);
	if (core_islimited())
		core_index();
	core.stubsend = core.area + alignup(core.host->init(o->features ? o->features : "", core.area, core.areaend), 64);
	quick_init();
	perform_init(core.guest);
	core.at = core.stubsend;
	core.host->guest(g);
	profile_init();
	cache_init();
	gmem_watch = &smc_watch;
}

static int call_inside(struct cpu *);
static const u8 *next_inside(struct cpu *);

void
engine_join(struct cpu *cpu)
{
	cpu->call = call_inside;
	cpu->next = next_inside;
	lock_take(&core.lock);
	grow(&core.cpu, core.ncpu, &core.capcpu, sizeof *core.cpu);
	core.cpu[core.ncpu++] = cpu;
	lock_give(&core.lock);
}

void
engine_leave(struct cpu *cpu)
{
	lock_take(&core.lock);
	for (int i = 0; i < core.ncpu; i++)
		if (core.cpu[i] == cpu)
			core.cpu[i] = core.cpu[--core.ncpu];
	lock_give(&core.lock);
}

/* -- nobody in generated code -- */

static int
anyrunning(const struct cpu *but)
{
	for (int i = 0; i < core.ncpu; i++)
		if (core.cpu[i] != but && atomic_load(&core.cpu[i]->running)) {
			cpu_poll(core.cpu[i]);
			return 1;
		}
	return 0;
}

/* Processes in our memory whose maker has ended may be killed, with nobody to clear up behind them. */
static void
bury(void)
{
	struct cpu *stop = atomic_load(&core.stop);

	if (stop && lock_isgone(stop->runner))
		atomic_compare_exchange_strong(&core.stop, &stop, 0);
	lock_take(&core.lock);
	for (int i = 0; i < core.ncpu; i++)
		if (atomic_load(&core.cpu[i]->running) && lock_isgone(core.cpu[i]->runner))
			atomic_store(&core.cpu[i]->running, 0);
	lock_give(&core.lock);
}

/* Waits a little for others; n counts. */
static void
yield(int *n)
{
	enum { LONG = 100 };

	if (++*n % LONG == 0)
		bury();
	sched_yield();
}

/* One stopper at a time: stop is the lock.  seq_cst against enter(): either the thread that enters
 * sees stop, or we see it running. */
void
engine_stop(struct cpu *cpu)
{
	struct cpu *free = 0;
	int busy, n = 0;

	while (!atomic_compare_exchange_weak(&core.stop, &free, cpu)) {
		free = 0;
		yield(&n);
	}
	do {
		lock_take(&core.lock);
		busy = anyrunning(cpu);
		lock_give(&core.lock);
		if (busy)
			yield(&n);
	} while (busy);
}

void
engine_go(struct cpu *cpu)
{
	(void)cpu;
	atomic_store(&core.stop, 0);
}

/* From here to leave() the thread may read nodes and run generated code: neither goes away, because
 * whoever empties the code area waits for it.  To order the two accesses costs time; an only thread need not. */
static int
enter(struct cpu *cpu)
{
	int n = 0;

	if (__libc_single_threaded)
		atomic_store_explicit(&cpu->running, 1, memory_order_relaxed);
	else
		atomic_store(&cpu->running, 1);
	if (!atomic_load(&core.stop))
		return 1;
	atomic_store(&cpu->running, 0);
	while (atomic_load(&core.stop))
		yield(&n);
	return 0;
}

/* Who sees that sees all we have done; what we do next may come before. */
static void
leave(struct cpu *cpu)
{
	atomic_store_explicit(&cpu->running, 0, memory_order_release);
}

/* -- the loop -- */

/* The cache is keyed by pc alone: it holds what was found under one guest mode.  A guest that goes back
 * and forth between modes fills few entries in between, so those are listed. */
static void
clearjc(struct cpu *cpu)
{
	if (cpu->njcset > NELEM(cpu->jcset))
		jc_clear(cpu);
	else
		for (u32 i = 0; i < cpu->njcset; i++)
			__atomic_store_n(&cpu->jc[cpu->jcset[i]].pc, ~(u64)0, __ATOMIC_SEQ_CST);
	cpu->njcset = 0;
}

/* Remembers where cpu->pc went: to code in an image, or to that of a node.  A node that dies, or gets other code, while
 * we write the entry changes its code first and clears entries after: so look again after writing, which an only thread
 * need not. */
static void
fill(struct cpu *cpu, const struct node *n, const u8 *code)
{
	struct jc *j = jc_place(cpu, cpu->pc);

	if (cpu->njcset < NELEM(cpu->jcset))
		cpu->jcset[cpu->njcset] = (u16)jc_index(cpu, cpu->pc);
	cpu->njcset += cpu->njcset <= NELEM(cpu->jcset);
	__atomic_store_n(&j->pc, ~(u64)0, __ATOMIC_RELEASE);
	__atomic_store_n(&j->code, code, __ATOMIC_RELEASE);
	if (__libc_single_threaded) {
		__atomic_store_n(&j->pc, cpu->pc, __ATOMIC_RELEASE);
		return;
	}
	__atomic_store_n(&j->pc, cpu->pc, __ATOMIC_SEQ_CST);
	if (n && core_code(n) != code)
		__atomic_store_n(&j->pc, ~(u64)0, __ATOMIC_SEQ_CST);
}

static void
fetchfault(struct cpu *cpu)
{
	struct vma v;
	gaddr at;
	int got;

	cpu->os->fetch(cpu->pc, core.guest->maxlen, &got);
	at = cpu->pc + (u64)got;               /* of an instruction whose first half is there, the second */
	cpu->fault = (struct fault){.addr = at, .block = cpu->pc, .exec = 1, .sig = SIGSEGV,
	    .code = gmem_find(at, &v) ? SEGV_MAPERR : SEGV_ACCERR};
	cpu->os->fault(cpu);
}

/* The exit that led here, if it was a direct one, now goes straight to n. */
static void
linklast(struct cpu *cpu, struct node *n)
{
	struct link l;
	struct trans *from = core_lastlink(cpu, &l);

	if (from && l.pc == n->pc && from->head.mode == n->mode)
		core_link(from, &l, n);
}

/* Is there on the shadow stack what the code at cpu->pc expects?  A call that left through the jump cache or at a safe
 * point has pushed nothing yet: all returns would find what belongs to the next. */
static int
intact(const struct cpu *cpu)
{
	return cpu->why == WHY_CALL || (cpu->why == WHY_NEXT && cpu->link);
}

/* Most processes that fork makes end, or become another program, soon; each page of the jump cache, and of code that
 * is linked, would be copied for them when they write there. */
static int
isyoung(struct cpu *cpu)
{
	u32 left = cpu->young;

	if (left)
		cpu->young = left - 1;
	return left != 0;
}

/* The code for cpu->pc, unless the engine's lock is needed first to find it, or to link to it.  The jump cache
 * is filled here and not when the code is made: the area may have been emptied since.  What is in an image needs no
 * records but that entry, unless another region is to be linked to it; so where the guest goes on after a system call
 * gets one, too, if it takes nobody's place. */
static const u8 *
look(struct cpu *cpu, u32 mode)
{
	const struct jc *j = &cpu->jc[jc_index(cpu, cpu->pc)];
	const u8 *code;
	struct node *n;
	u64 pc = 0;

	if (cpu->link && !cpu->young)
		return 0;
	cpu->link = 0;
	if (cpu->why != WHY_NEXT && (pc = __atomic_load_n(&j->pc, __ATOMIC_RELAXED)) == cpu->pc)
		return __atomic_load_n(&j->code, __ATOMIC_RELAXED);
	n = core_seen(cpu->pc, mode);
	code = n ? core_code(n) : cache_code(cpu->pc, mode);
	if (code && !n && core.opt.count)
		__atomic_fetch_add(&core.stat.found, 1, __ATOMIC_RELAXED);
	if (code && (cpu->why == WHY_NEXT || (!n && (!pc || pc == ~(u64)0))) && !isyoung(cpu))
		fill(cpu, n, code);
	return code;
}

/* Runs the code for cpu->pc if there is some that can be had without the engine's lock; else 0. */
static int
run(struct cpu *cpu)
{
	u32 mode = core.guest->mode(cpu);
	const u8 *code;

	if (cpu->jcmode != mode + 1) {
		clearjc(cpu);
		cpu->jcmode = mode + 1;
	}
	if (!(code = look(cpu, mode)))
		return 0;
	if (logging(LOG_EXEC))
		log_print("Trace: %#llx\n", (unsigned long long)cpu->pc);
	cpu->why = WHY_FLUSH;
	cpu->keep = cpu->kept == mode + 1 && cpu->epoch == atomic_load(&core.emptied);
	cpu->epoch = atomic_load(&core.emptied);
	cpu_polled(cpu);
	core.host->enter(cpu, code);
	cpu->kept = intact(cpu) ? mode + 1 : 0;
	return 1;
}

/* What brought the thread back here. */
static void
count(enum why why)
{
	static u64 *const at[] = {
		[WHY_NEXT] = &core.stat.next, [WHY_CALL] = &core.stat.call, [WHY_TRAP] = &core.stat.trap,
		[WHY_FAULT] = &core.stat.fault, [WHY_POLL] = &core.stat.poll, [WHY_FLUSH] = &core.stat.flush,
	};

	__atomic_fetch_add(at[why], 1, __ATOMIC_RELAXED);
}

/* Runs what has no code.  0: the thread is to leave, and has done so; else it is inside. */
static int
first(struct cpu *cpu, u32 mode, struct stretch s)
{
	u64 from;
	int n;

	if (!enter(cpu))
		return 0;
	from = core_begun();
	n = core_first(cpu, mode, s);
	if (core.opt.count)
		__atomic_fetch_add(&core.stat.first, (u64)n, __ATOMIC_RELAXED);
	core_countsince(&core.stat.firstrun, from);
	if (!atomic_load(&cpu->poll))
		return 1;
	leave(cpu);
	return 0;
}

/* After run(), which has found nothing: most of it leads to what has code, which then runs.  1 if none is there yet. */
static int
runfirst(struct cpu *cpu, u32 mode, struct stretch s)
{
	int ran;

	if (!first(cpu, mode, s))
		return 0;
	ran = run(cpu);
	leave(cpu);
	if (core.opt.count && ran)
		count(cpu->why);
	return !ran;
}

/* What is at cpu->pc: code, which look() finds from now on; what runs for the first time; or what cannot be fetched. */
enum place { CODE, FIRST, NOWHERE };

static enum place
arrive(struct cpu *cpu, u32 mode, struct stretch *s)
{
	struct node *n = 0;
	int ready, isfirst;

	lock_take(&core.lock);
	ready = !cpu->link && cache_ready(cpu->pc, mode);
	isfirst = !ready && core_isfirst(cpu->pc, mode, s);
	if (!ready && !isfirst)
		n = core_translate(cpu, cpu->pc, mode);
	if (n)
		linklast(cpu, n);
	lock_give(&core.lock);
	cpu->link = 0;
	return isfirst ? FIRST : n || ready ? CODE : NOWHERE;
}

/* 1: once more; there is still no code, but elsewhere. */
static int
translate(struct cpu *cpu)
{
	u32 mode = cpu->jcmode - 1;
	struct stretch s;
	enum place at = arrive(cpu, mode, &s);

	if (at == FIRST)
		return runfirst(cpu, mode, s);
	if (at == NOWHERE)
		fetchfault(cpu);
	return 0;
}

/* cpu->next: does what the loop would do after such an exit.  What is on the shadow stack stays: not if the area was
 * emptied.  Everything else that is to be done before the guest goes on the loop does. */
static const u8 *
next_inside(struct cpu *cpu)
{
	u32 mode = core.guest->mode(cpu);
	const u8 *code;
	struct stretch s;

	if ((uintptr_t)cpu->link == LINK_NONE)
		cpu->link = 0;
	if (atomic_load(&core.stop) == cpu || core.opt.nochain || cpu->jcmode != mode + 1 || logging(LOG_EXEC) ||
	    atomic_load(&cpu->poll))
		return 0;
	while (!(code = look(cpu, mode))) {
		enum place at;

		leave(cpu);
		at = arrive(cpu, mode, &s);
		if (at == NOWHERE || !(at == FIRST ? first(cpu, mode, s) : enter(cpu)) || atomic_load(&cpu->poll) ||
		    cpu->jcmode != core.guest->mode(cpu) + 1 || cpu->epoch != atomic_load(&core.emptied))
			return 0;
	}
	if (core.opt.count)
		count(WHY_NEXT);
	cpu->why = WHY_FLUSH;
	cpu_polled(cpu);
	return code;
}

/* What must be as it was when generated code called the system, if it is to go on there. */
struct before { gaddr pc; void *sp; u64 drops; };

/* Not if code was dropped or the area emptied, which that code may lie in, somebody polled the thread, the guest goes
 * on elsewhere or in another mode, or the engine ran inside (a vfork child). */
static int
goeson(struct cpu *cpu, const struct before *b)
{
	int same = cpu->host_sp == b->sp;

	cpu->host_sp = b->sp;
	return same && cpu->pc == b->pc && cpu->jcmode == core.guest->mode(cpu) + 1 && !core.opt.nochain && enter(cpu) &&
	    !atomic_load(&cpu->poll) && cpu->epoch == atomic_load(&core.emptied) &&
	    b->drops == __atomic_load_n(&core.stat.drops, __ATOMIC_RELAXED);
}

/* cpu->call: a system call of generated code; 0: leave.  Who holds all others up does it when they go on. */
static int
call_inside(struct cpu *cpu)
{
	struct before b = {cpu->pc, cpu->host_sp, __atomic_load_n(&core.stat.drops, __ATOMIC_RELAXED)};

	cpu->why = WHY_CALL;
	cpu->link = 0;
	if (atomic_load(&core.stop) == cpu)
		return 0;
	leave(cpu);
	if (core.opt.count)
		count(WHY_CALL);
	cpu->why = WHY_FLUSH;
	cpu->os->call(cpu);
	return goeson(cpu, &b);
}

static void
step(struct cpu *cpu)
{
	int ran;

	if (!enter(cpu))
		return;
	ran = run(cpu);
	leave(cpu);
	if (core.opt.count && ran)
		count(cpu->why);
	while (!ran && translate(cpu))
		;
}

/* -- one instruction at a time -- */

/* One instruction, nobody else running; 0 if it could not be fetched. */
static int
stepalone(struct cpu *cpu)
{
	struct node *n;

	lock_take(&core.lock);
	n = core_translate(cpu, cpu->pc, core.guest->mode(cpu) | ALONE);
	lock_give(&core.lock);
	if (!n)
		return 0;
	cpu->why = WHY_FLUSH;
	cpu->keep = cpu->kept = 0;
	cpu->epoch = atomic_load(&core.emptied);
	atomic_store(&cpu->running, 1);
	core.host->enter(cpu, core_code(n));
	leave(cpu);
	cpu->link = 0;
	return 1;
}

static int
isplain(const struct cpu *cpu)
{
	return cpu->why != WHY_CALL && cpu->why != WHY_TRAP && cpu->why != WHY_FAULT;
}

static void
settle(struct cpu *cpu)
{
	if (core.guest->settle)
		core.guest->settle(cpu, cpu->fault.block);
}

/* One access for those of several instructions faulted (ir/wide.c, ir/loop.c): now each does its own. */
static void
onebyone(struct cpu *cpu)
{
	enum { STEPS = 512 };

	settle(cpu);
	engine_stop(cpu);
	clearjc(cpu);
	cpu->why = WHY_NEXT;
	for (int i = 0; i < STEPS && stepalone(cpu) && isplain(cpu); i++)
		;
	engine_go(cpu);
}

/* Load-exclusive and store-exclusive with accesses in between (tr_alone).
 * From the load-exclusive at cpu->pc on, until its monitor is gone, a trap or call comes, or it has taken too
 * long: then the store will fail, as it may at any time.  The jump cache is emptied, so that no computed jump
 * leads into code that runs on. */
static void
alone(struct cpu *cpu)
{
	enum { STEPS = 4096 };

	engine_stop(cpu);
	clearjc(cpu);
	core.stat.alone++;
	cpu->why = WHY_NEXT;
	for (int i = 0; i < STEPS && stepalone(cpu) && cpu->excl_addr != ~(u64)0 && isplain(cpu); i++)
		;
	cpu->excl_addr = ~(u64)0;
	engine_go(cpu);
}

_Noreturn void
engine_quit(struct cpu *cpu)
{
	longjmp(*(jmp_buf *)cpu->quit, 1);
}

/* A handler that is entered, or left, has not been called by what is on the shadow stack: the return would take away
 * what belongs to another. */
static void
call(struct cpu *cpu)
{
	gaddr pc = cpu->pc;

	cpu->os->call(cpu);
	if (cpu->pc != pc)
		cpu->kept = 0;
}

void
engine_run(struct cpu *cpu)
{
	jmp_buf quit;

	cpu->quit = &quit;
	cpu->runner = lock_name();
	if (setjmp(quit))
		return;
	cpu->link = 0;
	cpu->why = WHY_FLUSH;
	for (;;) {
		if (atomic_load(&cpu->poll)) {
			atomic_store(&cpu->poll, 0);
			if (atomic_load(&core.stale))
				core_renew(cpu);
			cpu->os->poll(cpu);
		}
		step(cpu);
		if (cpu->why == WHY_TRAP && cpu->trap == TRAP_ALONE)
			alone(cpu);
		if (cpu->why == WHY_FAULT && cpu->fault.several)
			onebyone(cpu);
		switch (cpu->why) {
		case WHY_CALL:
			cpu->why = WHY_FLUSH;
			call(cpu);
			break;
		case WHY_TRAP:
			cpu->why = WHY_FLUSH;
			cpu->os->trap(cpu);
			break;
		case WHY_FAULT:
			cpu->why = WHY_FLUSH;
			settle(cpu);
			cpu->os->fault(cpu);
			break;
		}
	}
}

void
engine_logstats(void)
{
	struct engine_stats s;

	lock_take(&core.lock);
	s = core.stat;
	lock_give(&core.lock);
#define STAT(member, text) log_print("%12llu %s\n", (unsigned long long)s.member, text);
#include "core/stats.def"
#undef STAT
	if (s.insns)
		log_print("%12.1f bytes of code and %.1f ns a guest instruction\n",
		    (double)s.hostbytes / (double)s.insns, (double)s.translate / (double)s.insns);
}

void
engine_end(void)
{
	cache_persist();
}

void
engine_tell(void)
{
	cache_tell();
}

static void
forked(void)
{
	lock_reset(&core.lock);
	CHANGE(core.ncpu, cpu_self ? 1 : 0);
	if (cpu_self) {
		CHANGE(core.cpu[0], cpu_self);
		cpu_self->runner = lock_name();
		cpu_self->young = YOUNG;
		cpu_self->nfork = 0;
	}
	CHANGE(core.stop, 0);
	cache_forked();
}

static void
orphaned(void)
{
	if (atomic_load(&core.stop) == cpu_self)
		atomic_store(&core.stop, 0);
	if (lock_inherit(&core.lock))
		lock_give(&core.lock);
}

void
engine_fork(int phase)
{
	if (phase == 0)
		lock_take(&core.lock);
	else if (phase == 1)
		lock_give(&core.lock);
	else if (phase == 2)
		forked();
	else
		orphaned();
}
