/* SPDX-License-Identifier: MIT */
/* vcpu.c - a thread's record, stacks and start */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/gmem.h"
#include "core/engine.h"
#include "syscall/proc.h"
#include "threads/thread.h"

enum {
	GUARD = 4096,
	CSTACK = 512 << 10,            /* the translator and the system calls run here */
	USED = 16 << 10,               /* so much of that by most */
	ALTSTACK = 64 << 10,           /* host signal handlers; a frame alone may take 12 KiB (AVX-512, AMX) */
	SHADOW = 256 << 10,            /* the host's return stack for guest calls */
	SHADOW_TOP = 1024,             /* so much of it is in the page of struct thread */
};

struct threads threads FORKED;

/* -- one mapping a thread: guard, C stack, alternate stack, guard, shadow stack, struct thread, struct cpu --
 * What each fork writes lies side by side, in one page: it is copied by the page. */

static struct thread *freelist FORKED;      /* records of ended threads, stacks and all; under the lock */

static int
isgone(const struct thread *t)
{
	return host_call(SYS_tgkill, (u64)getpid(), (u64)t->tid, 0, 0, 0, 0) == -ESRCH;
}

/* A record whose thread the kernel has finished with: its stack may be used again. */
static struct thread *
recycle(void)
{
	struct thread *t, **p;

	lock_take(&threads.lock);
	for (p = &freelist; (t = *p); p = &t->next)
		if (isgone(t)) {
			*p = t->next;
			break;
		}
	lock_give(&threads.lock);
	return t;
}

static void
cpu_setup(struct thread *t, u8 *shadow, struct cpu *cpu, const struct guest *g)
{
	t->cpu = cpu;
	cpu->guest = g;
	cpu->os = &linux_os;
	cpu->thread = t;
	cpu->excl_addr = ~(u64)0;
	cpu->shadow_lo = shadow;
	cpu->shadow_base = t;
	jc_init(cpu);
}

/* As if it were new.  Its pages stay: one that is given back is read first, written then, and that is two faults and an
 * interrupt for each processor that another thread is on. */
static void
clean(struct cpu *cpu)
{
	u8 *jc = (u8 *)cpu->jc, *page = (u8 *)alignup((uintptr_t)jc, 4096);

	if (cpu->njcset > NELEM(cpu->jcset)) {
		memset(jc, 0, (size_t)(page - jc));
		madvise(page, (size_t)((u8 *)(cpu + 1) - page), MADV_DONTNEED);
	} else {
		for (u32 i = 0; i < cpu->njcset; i++)
			cpu->jc[cpu->jcset[i]] = (struct jc){0};
	}
	memset((void *)cpu, 0, offsetof(struct cpu, jc));
}

/* The page can be neither read nor written.  Linux 6.13 has it without splitting the mapping, which all later forks
 * would pay for. */
static void
guard(u8 *page)
{
	enum { GUARD_INSTALL = 102 };

	if (madvise(page, GUARD, GUARD_INSTALL))
		mprotect(page, GUARD, PROT_NONE);
}

enum {
	AT = GUARD + CSTACK + ALTSTACK + GUARD + SHADOW + SHADOW_TOP,
	CPU_AT = AT + (sizeof(struct thread) + 63) / 64 * 64,
	SIZE = (CPU_AT + sizeof(struct cpu) + 4095) / 4096 * 4096,
};

/* The first thread's is among the program's data: another mapping, and the tables of its pages, would be copied by each
 * fork. */
static _Alignas(4096) u8 firstmem[SIZE] ROOMY;

static struct thread *
setup(u8 *mem, const struct guest *g)
{
	struct cpu *cpu = (struct cpu *)(mem + CPU_AT);
	struct thread *t = (struct thread *)(mem + AT);

	memset(t, 0, sizeof *t);
	t->mem = mem;
	t->memsize = SIZE;
	t->stack = mem + GUARD;
	t->stacksize = CSTACK;
	cpu_setup(t, mem + GUARD + CSTACK + ALTSTACK + GUARD, cpu, g);
	return t;
}

static void
guards(u8 *mem)
{
	guard(mem);
	guard(mem + GUARD + CSTACK + ALTSTACK);
}

struct thread *
thread_new(const struct guest *g)
{
	struct thread *t = recycle();
	u8 *mem;

	if (t) {
		mem = t->mem;
		clean(t->cpu);
	} else {
		mem = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (mem == MAP_FAILED)
			return 0;
		guards(mem);
	}
	return setup(mem, g);
}

void
thread_free(struct thread *t)
{
	munmap(t->mem, t->memsize);
}

void
signal_stack(struct thread *t)
{
	stack_t ss = { .ss_sp = t->stack + CSTACK, .ss_size = ALTSTACK };

	host_call(SYS_sigaltstack, (u64)&ss, 0, 0, 0, 0, 0);
}

/* -- the list -- */

void
thread_add(struct thread *t)
{
	lock_take(&threads.lock);
	t->next = threads.list;
	t->prev = &threads.list;
	if (t->next)
		t->next->prev = &t->next;
	threads.list = t;
	atomic_fetch_add(&threads.n, 1);
	lock_give(&threads.lock);
	engine_join(t->cpu);
}

/* The thread is about to end (thread_exit has counted it out); its record goes to the free list. */
void
thread_remove(struct thread *t)
{
	engine_leave(t->cpu);
	lock_take(&threads.lock);
	*t->prev = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->next = freelist;
	freelist = t;
	lock_give(&threads.lock);
}

void
thread_lock(int phase)
{
	if (phase == 0)
		lock_take(&threads.lock);
	else if (phase == 1)
		lock_give(&threads.lock);
	else if (phase == 2)
		lock_reset(&threads.lock);
	else if (lock_inherit(&threads.lock))
		lock_give(&threads.lock);
}

static void
freeall(struct thread *t, const struct thread *but)
{
	struct thread *next;

	for (; t; t = next) {
		next = t->next;
		/* a vfork child's record shares its parent's memory */
		if (t->mem != but->mem)
			thread_free(t);
	}
}

void
thread_forked(struct thread *t)
{
	freeall(threads.list, t);
	freeall(freelist, t);
	CHANGE(freelist, 0);
	t->next = 0;
	t->prev = &threads.list;
	CHANGE(threads.list, t);
	CHANGE(threads.n, 1);
}

/* -- guest registers by number -- */

u64
guest_get(const struct cpu *cpu, int var)
{
	return ld64(cpu->state + cpu->guest->reg[var].off);
}

void
guest_put(struct cpu *cpu, int var, u64 v)
{
	st64(cpu->state + cpu->guest->reg[var].off, v);
}

/* -- start -- */

struct cpu *
thread_init(const struct guest *g)
{
	struct thread *t = setup(firstmem, g);
	u8 *first;

	guards(firstmem);
	/* the first page of the shadow stack, and the record behind it up to the end of a small jump cache */
	first = (u8 *)aligndown((uintptr_t)t, 4096);
	pagein(first, alignup((uintptr_t)&t->cpu->jc[1 << JC_BITS], 4096) - (uintptr_t)first);
	pagein(t->stack + CSTACK - USED, USED);
	norseq();
	t->tid = (int)host_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
	t->alt.flags = SS_DISABLE;
	cpu_self = t->cpu;
	prctl(PR_GET_TID_ADDRESS, &threads.libctid, 0, 0, 0);
	signal_stack(t);
	signal_init(t);
	thread_add(t);
	g->reset(t->cpu);
	return t->cpu;
}

/* ps, top and /proc/PID/cmdline show what the kernel has noted about a process: let it note the
 * guest's.  Needs CONFIG_CHECKPOINT_RESTORE; without it dragoman stays visible, no harm done.  brk
 * is the host C library's and must stay; the kernel wants it above the data. */
static void
show_guest(const struct image *img)
{
	u64 brk = (u64)sbrk(0);
	struct prctl_mm_map m = {
		.start_code = img->code0, .end_code = img->code1,
		.start_data = img->data0 ? img->data0 : img->code0,
		.end_data = img->data0 ? img->data1 : img->code1,
		.start_brk = brk, .brk = brk, .start_stack = img->sp,
		.arg_start = img->arg0, .arg_end = img->arg1,
		.env_start = img->env0, .env_end = img->env1,
		.auxv = (void *)img->auxv, .auxv_size = (u32)img->nauxv * 16, .exe_fd = (u32)-1,
	};

	prctl(PR_SET_NAME, proc.comm, 0, 0, 0);
	if (!gmem.base)
		prctl(PR_SET_MM, PR_SET_MM_MAP, &m, sizeof m, 0);
}

/* -- the kernel's stack --
 * The first thread leaves it for one in its record.  Arguments, environment and what the kernel says lie there still,
 * and are used; but its pages, and three tables for them alone, would be copied by each fork. */

static u8 *oldstack FORKED;            /* 0: there is none any more */

static void
enter(void)
{
	engine_run(cpu_self);
	bug("the first thread left the engine");
}

/* What is left on it becomes a mapping of which fork copies nothing, as nobody writes it; what lies below that, which
 * the kernel keeps clear of others, is given back. */
static void
shed(u8 *from)
{
	enum { BELOW = 1 << 20, END = 8 };
	const char *last = (const char *)getauxval(AT_EXECFN);
	u8 *copy;
	size_t n;

	if ((u8 *)last < from)
		return;
	n = alignup((uintptr_t)last + strlen(last) + 1 + END, 4096) - (uintptr_t)from;
	copy = mmap(0, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return;
	memcpy(copy, from, n);
	if (mremap(copy, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, from) == MAP_FAILED)
		munmap(copy, n);
	else
		munmap(from - BELOW, BELOW);
}

void
thread_forking(struct cpu *cpu)
{
	enum { PAYS = 8 };             /* it costs as much as so many forks save */
	u8 *from = oldstack;

	if (++cpu->nfork >= PAYS && from &&
	    __atomic_compare_exchange_n(&oldstack, &from, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		shed(from);
}

_Noreturn void
thread_run(struct cpu *cpu, const struct image *img)
{
	ucontext_t c;

	threads.sigreturn = img->sigreturn;
	show_guest(img);
	guest_put(cpu, cpu->guest->sp, img->sp);
	cpu->pc = img->entry;
	oldstack = (u8 *)aligndown((uintptr_t)__builtin_frame_address(0), 4096);
	getcontext(&c);
	c.uc_stack = (stack_t){ .ss_sp = cpu->thread->stack, .ss_size = CSTACK };
	makecontext(&c, enter, 0);
	setcontext(&c);
	bug("the first thread has no stack");
}
