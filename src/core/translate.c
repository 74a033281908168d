/* SPDX-License-Identifier: MIT */
/* translate.c - makes translations, links them to each other, and lets them die
 *
 * All of this happens under the engine's lock, while other threads run generated code and look code
 * up.  Hence the order in which things become visible: code and its node complete before the node is
 * found; a dying node loses its code before jump-cache entries made from it are cleared (see
 * core_fill in engine.c for the other half of that bargain). */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include "base/diag.h"
#include "core/cache.h"

enum { SLACK = 1 << 16 };              /* free code bytes below which the area counts as full */

static void
logregion(const struct region *r, const char *what)
{
	static char buf[1 << 18] ROOMY;

	ir_print(r, buf, sizeof buf);
	log_print("%s\n%s\n", what, buf);
}

static void
logguest(const struct cpu *cpu, const struct region *r)
{
	char text[128];

	log_print("IN: %#llx\n", (unsigned long long)r->pc);
	for (int i = 0; i < r->nrange; i++)
		for (gaddr pc = r->range[i].lo; pc < r->range[i].hi;) {
			int got, n;
			const u8 *p = cpu->os->fetch(pc, core.guest->maxlen, &got);

			n = got ? core.guest->disasm(p, got, pc, text, sizeof text) : 0;
			if (n <= 0)
				break;
			log_print("%#14llx:  %s\n", (unsigned long long)pc, text);
			pc += (u64)n;
		}
}

static void
loghost(const struct trans *t)
{
	const u8 *code = core_codeof(t);
	char text[160];

	log_print("OUT: %#llx, %d guest instructions, %u bytes at %p\n", (unsigned long long)t->head.pc,
	    core.region.ninsn, t->size, (void *)code);
	for (u32 off = 0; off < t->size;) {
		int n = core.host->disasm(code + off, t->size - off, (u64)(code + off), text, sizeof text);

		for (int i = 0; i < core_nentry(t); i++) {
			struct entry e = core_entry(t, i);

			if (e.off == off)
				log_print("%s %#llx:\n", e.ret ? "  ret" : "block", (unsigned long long)e.pc);
		}
		if (n <= 0)
			break;
		log_print("%14p:  %s\n", (const void *)(code + off), text);
		off += (u32)n;
	}
}

/* The code of that entry is found from now on; but another region may already start there. */
static struct node *
found(struct trans *t, const struct entry *e)
{
	int begins = e->pc == t->head.pc;
	struct node *n = core_place(e->pc, t->head.mode, begins ? &t->head : 0);

	if (!begins && atomic_load_explicit(&n->code, memory_order_relaxed) && (t->left || !n->quick))
		return n;
	core.stat.promoted += n->quick;
	core_arrive(n, t, core_codeof(t) + e->off, e->flagsin);
	return n;
}

/* The node of its beginning, which has none if its first instruction cannot be fetched as a whole. */
static struct node *
publish(struct trans *t)
{
	int n = atomic_load(&core.ntrans);
	struct node *first = 0;

	/* before anybody comes there, who may fault */
	core.trans[n] = t;
	core.start[n] = (u32)(core_codeof(t) - core.area);
	atomic_store_explicit(&core.ntrans, n + 1, memory_order_release);
	for (int i = 0; i < core.out.nentry; i++) {
		const struct entry *e = &core.out.entry[i];
		struct node *d = e->ret ? 0 : found(t, e);

		if (d && e->pc == t->head.pc)
			first = d;
	}
	profile_region(t);
	return first;
}

/* Exits go to code at once that is there already, and those of quick code when it comes; but not from full code to
 * quick code, for a jump back there may close a loop (quick_isoutgrown).  The first link of quick code is its own. */
static void
linkout(struct trans *t)
{
	const struct link *l = core.out.link;
	struct node *n;

	if (t->left) {
		core_await(t, l, core.out.nlink);
		return;
	}
	for (int i = 0; i < core.out.nlink; i++)
		if ((n = core_known(l[i].pc, t->head.mode)))
			core_link(t, &l[i], n);
}

void
core_forgetjumps(void)
{
	for (int i = 0; i < core.ncpu; i++)
		jc_clear(core.cpu[i]);
}

/* Everything goes: called with the lock held and no other thread in generated code. */
static void
empty(void)
{
	core.at = core.stubsend;
	quick_emptied();
	atomic_store(&core.ntrans, 0);
	core_nonodes();
	core_forgetjumps();
	smc_forget();
	cache_emptied();
	if (core.host->emptied)
		core.host->emptied();
	book_empty();
	atomic_fetch_add(&core.emptied, 1);
	core.stat.flushes++;
}

/* No room for another translation, or for what is known of it: those of code that was written anew again and again
 * are small. */
static int
isfull(void)
{
	return (size_t)(core.areaend - core.at) < SLACK || atomic_load(&core.ntrans) >= core.captrans || book_isfull();
}

/* Emptying needs everybody out of generated code, and waiting for that needs the lock free. */
static void
makeroom(struct cpu *cpu)
{
	int stopped = atomic_load(&core.stop) == cpu;

	if (!core.trans)
		core_index();
	if (!isfull())
		return;
	lock_give(&core.lock);
	cache_persist();
	if (!stopped)
		engine_stop(cpu);
	lock_take(&core.lock);
	if (isfull())
		empty();
	if (!stopped)
		engine_go(cpu);
}

void
core_renew(struct cpu *cpu)
{
	engine_stop(cpu);
	lock_take(&core.lock);
	if (atomic_exchange(&core.stale, 0)) {
		cache_end();
		empty();
	}
	lock_give(&core.lock);
	engine_go(cpu);
}

static void
verify(void)
{
	const char *wrong = ir_verify(&core.region);

	if (wrong)
		bug("region %#llx: %s", (unsigned long long)core.region.pc, wrong);
}

static int
compile(struct cpu *cpu, gaddr pc, u32 mode)
{
	struct out *o = &core.out;
	int e, max = mode & ALONE ? 1 : core.opt.maxinsn;

	do {
		e = core_form(&core.region, cpu, pc, mode, max);
		if (DEBUG && !e)
			verify();
		if (!e) {
			if (logging(LOG_INASM))
				logguest(cpu, &core.region);
			if (logging(LOG_OP | LOG_OPOPT))
				logregion(&core.region, "IR:");
			o->code = core.at = (u8 *)alignup((u64)core.at, 16);
			o->end = core.areaend;
			o->count = profile_counts(&core.region);
			e = core.host->compile(&core.region, o);
		}
		max /= 2;
	} while (e == -E2BIG && max > 0);
	return e;
}

/* Of the clock on the wall, which is read without a system call: one at either end, and what that does to the host's
 * branch predictors and caches, made code dearer by a fifth. */
static u64
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* What two looks at the clock make of nothing: as much as a short translation takes. */
static u64
clockcost(void)
{
	enum { LOOKS = 64 };
	u64 least = ~(u64)0;

	for (int i = 0; i < LOOKS; i++) {
		u64 from = now(), took = now() - from;

		least = took < least ? took : least;
	}
	return least;
}

u64 core_begun(void) { return core.opt.count ? now() : 0; }

void
core_countsince(u64 *ns, u64 from)
{
	static _Atomic u64 cost;
	u64 took;

	if (!core.opt.count)
		return;
	took = now() - from;
	if (!atomic_load(&cost))
		atomic_store(&cost, clockcost());
	__atomic_fetch_add(ns, took > cost ? took - cost : 0, __ATOMIC_RELAXED);
}

/* Code was put at core.at.  Who fills this piece of the area will fill the next: one call instead of a fault a page.
 * Who has filled many will fill more: a huge page costs a quarter of what as many small ones do. */
static void
advance(u32 size)
{
	enum { PIECE = 64 << 10, HUGE = 2 << 20, MUCH = 3 << 18 };
	u64 was = (u64)core.at, at = was + size, end = alignup(at, PIECE);

	core.at = (u8 *)at;
	if (was / PIECE == at / PIECE || end + HUGE > (u64)core.areaend)
		return;
	pagein(core.at, end - at);
	if (end % HUGE == 0 && end - (u64)core.stubsend > MUCH)
		madvise((void *)end, HUGE, MADV_HUGEPAGE);
}

/* Quickly if *left says how often that may run, which becomes 0 if it is made in full after all.  -EFAULT: the code
 * cannot be fetched. */
static int
make(struct cpu *cpu, gaddr pc, u32 mode, s32 **left)
{
	struct out *o = &core.out;
	int e = -ENOSYS, got;

	o->code = core.at;
	o->end = core.areaend;
	if (*left && !(e = core_quick(&core.region, o, cpu, pc, mode, *left)) && !core_isbrief(o))
		e = -E2BIG;
	if (!e && logging(LOG_INASM))
		logguest(cpu, &core.region);
	if (!e || e == -EFAULT)
		return e;
	*left = 0;
	core.nsoon = 0;
	cpu->os->fetch(pc, core.guest->maxlen, &got);
	if (got < core.guest->minlen)
		return -EFAULT;
	if ((e = compile(cpu, pc, mode)))
		bug("cannot translate the code at %#llx: %d", (unsigned long long)pc, e);
	return 0;
}

/* Code for pc, found by its node from now on: that, or 0.  left: as make. */
static struct node *
add(struct cpu *cpu, gaddr pc, u32 mode, s32 *left)
{
	u64 from = core_begun();
	struct trans *t;
	struct node *n;

	for (;;) {
		if (make(cpu, pc, mode, &left))
			return 0;
		t = core_record(&core.out, &core.region, left);
		if (!smc_add(t))
			break;
		t->dead = 1;           /* another thread may have written between reading and guarding */
	}
	advance((u32)(core_codeof(t) + t->size - core.at));
	n = publish(t);
	linkout(t);
	if (!left && full_of(t)->home)
		cache_made(full_of(t)->home, t->size);
	core.stat.regions++;
	core.stat.quick += left != 0;
	core.stat.insns += (u64)core.region.ninsn;
	core.stat.irins += left ? 0 : (u64)core.region.nins;
	core.stat.hostbytes += t->size;
	core_countsince(&core.stat.translate, from);
	if (logging(LOG_OUTASM))
		loghost(t);
	return n;
}

/* Where quick code leads to is made at once if it has been run, like that itself: it will be again, and to leave for it
 * costs as much as to make it. */
static void
follow(struct cpu *cpu, u32 mode)
{
	enum { MOST = 6 };
	int n = 0;
	gaddr pc;

	while (core.nsoon && n++ < MOST && !isfull()) {
		s32 *left;

		pc = core.soon[--core.nsoon];
		if (!core_beento(pc) || core_seen(pc, mode) || cache_has(pc, mode))
			continue;
		if (!(left = quick_left(pc, mode)) || !add(cpu, pc, mode, left))
			break;
	}
}

struct node *
core_translate(struct cpu *cpu, gaddr pc, u32 mode)
{
	struct node *n;

	makeroom(cpu);
	n = core_seen(pc, mode);
	if (n && !(n->quick && quick_isoutgrown(cpu, n)))
		return n;
	if (!n && (n = cache_adopt(pc, mode)))
		return n;
	core.nsoon = 0;
	n = add(cpu, pc, mode, n ? 0 : quick_left(pc, mode));
	if (n && n->quick)
		follow(cpu, mode);
	return n;
}

void
core_kill(struct trans *t)
{
	if (t->dead)
		return;
	t->dead = 1;
	__atomic_store_n(&core.stat.drops, core.stat.drops + 1, __ATOMIC_RELAXED);
	for (int i = 1; t->left && i < core_nlink(t); i++)
		brief_of(t)->tie[i - 1].site = 0;
	for (int i = 0; i < core_nentry(t); i++) {
		struct entry e = core_entry(t, i);

		if (!e.ret)
			core_lose(t, e.pc);
		else if (!t->inimage)          /* an image goes as a whole, with nobody in it */
			core.host->kill(core_codeof(t), &e);
	}
	/* Loops inside the dead code are left at their next safe point.  Not by a thread that is in a system call, which
	 * is about to write where its own code lies: it would begin the call again and again. */
	for (int c = 0; c < core.ncpu; c++)
		if (core.cpu[c] != cpu_self || atomic_load(&cpu_self->running))
			cpu_poll(core.cpu[c]);
}
