/* SPDX-License-Identifier: MIT */
/* translate.c - makes translations, links them to each other, and lets them die
 *
 * All of this happens under the engine's lock, while other threads run generated code and look code
 * up.  Hence the order in which things become visible: code and its node complete before the node is
 * found; a dying node loses its code before jump-cache entries made from it are cleared (see
 * core_fill in engine.c for the other half of that bargain). */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include "base/diag.h"
#include "core/cache.h"

enum { SLACK = 1 << 16 };              /* free code bytes below which the area counts as full */

/* A copy of the n elements at *at, which moves on. */
static void *
keep(u8 **at, const void *p, int n, size_t elem)
{
	void *q = *at;

	if (n)
		memcpy(q, p, (size_t)n * elem);
	*at += (size_t)n * elem;
	return q;
}

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
	char text[160];

	log_print("OUT: %#llx, %d guest instructions, %u bytes at %p\n", (unsigned long long)t->pc,
	    core.region.ninsn, t->size, (void *)t->code);
	for (u32 off = 0; off < t->size;) {
		int n = core.host->disasm(t->code + off, t->size - off, (u64)(t->code + off), text, sizeof text);

		for (int i = 0; i < t->nentry; i++)
			if (t->entry[i].off == off)
				log_print("%s %#llx:\n", t->entry[i].ret ? "  ret" : "block", (unsigned long long)t->entry[i].pc);
		if (n <= 0)
			break;
		log_print("%14p:  %s\n", (void *)(t->code + off), text);
		off += (u32)n;
	}
}

_Static_assert(sizeof(struct inlink) % 8 == 0 && sizeof(struct link) % 8 == 0 && sizeof(struct entry) % 8 == 0 &&
    sizeof(struct mapent) % 8 == 0 && sizeof(struct range) % 8 == 0, "they follow one another");

static struct trans *
record(struct out *o, const struct region *r, s32 *left)
{
	size_t nreloc = o->fixed || !core.home ? 0 : (size_t)o->nreloc;
	struct trans *t = arena_get(&core.arena, sizeof *t + (size_t)o->nlink * (sizeof *t->in + sizeof *o->link) +
	    (size_t)o->nentry * sizeof *o->entry + (size_t)o->nmap * sizeof *o->map +
	    (size_t)r->nrange * sizeof *r->range + nreloc * sizeof *o->reloc);
	u8 *at = (u8 *)(t + 1);

	for (int i = left != 0; i < o->nlink; i++)
		core_expectnode(o->link[i].pc, r->mode);
	t->pc = r->pc;
	t->mode = r->mode;
	t->code = o->code;
	t->size = o->size;
	t->line = (u8)o->line;
	t->in = (struct inlink *)(void *)at;
	at += (size_t)o->nlink * sizeof *t->in;
	t->link = keep(&at, o->link, t->nlink = o->nlink, sizeof *o->link);
	t->entry = keep(&at, o->entry, t->nentry = o->nentry, sizeof *o->entry);
	t->map = keep(&at, o->map, t->nmap = o->nmap, sizeof *o->map);
	t->range = keep(&at, r->range, t->nrange = r->nrange, sizeof *r->range);
	t->reloc = keep(&at, o->reloc, t->nreloc = (int)nreloc, sizeof *o->reloc);
	t->home = o->fixed ? 0 : core.home;
	t->count = o->count;
	t->ncount = o->count ? r->nblock : 0;
	t->left = left;
	return t;
}

/* The code of entry n is found from now on; but another region may already start there. */
static struct node *
found(struct trans *t, int n, int flagsin)
{
	struct node *d = core_place(t->entry[n].pc, t->mode);

	t->entry[n].flagsin = (u8)flagsin;
	if (n && atomic_load(&d->code) && (t->left || !d->quick))
		return d;
	core.stat.promoted += d->quick;
	core_arrive(d, t, t->code + t->entry[n].off, flagsin);
	return d;
}

/* The node of its beginning, which has none if its first instruction cannot be fetched as a whole. */
static struct node *
publish(struct trans *t)
{
	int n = atomic_load(&core.ntrans);
	const struct block *b = core.region.block;
	struct node *first = 0, *d;

	/* before anybody comes there, who may fault */
	core.trans[n] = t;
	core.start[n] = (u32)(t->code - core.area);
	atomic_store_explicit(&core.ntrans, n + 1, memory_order_release);
	for (int i = 0; i < t->nentry; i++) {
		if (t->entry[i].ret)
			continue;
		while (!t->left && b->pc != t->entry[i].pc)
			b++;
		d = found(t, i, !t->left && b->flagsin);
		if (t->entry[i].pc == t->pc)
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
	struct node *n;

	for (int i = t->left != 0; i < t->nlink; i++)
		if ((n = t->left ? core_place(t->link[i].pc, t->mode) : core_known(t->link[i].pc, t->mode)))
			core_link(t, (u32)i, n);
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
	for (int i = 0; i < atomic_load(&core.ntrans); i++)
		core_unlink(core.trans[i]);    /* images stay */
	core.at = core.stubsend;
	quick_emptied();
	atomic_store(&core.ntrans, 0);
	core_nonodes();
	core_forgetjumps();
	smc_forget();
	cache_emptied();
	if (core.host->emptied)
		core.host->emptied();
	arena_reset(&core.arena);
	atomic_fetch_add(&core.emptied, 1);
	core.stat.flushes++;
}

/* No room for another translation, or for what is known of it: those of code that was written anew again and again
 * are small. */
static int
isfull(void)
{
	return (size_t)(core.areaend - core.at) < SLACK || atomic_load(&core.ntrans) >= core.captrans;
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
			o->code = core.at;
			o->end = core.areaend;
			o->count = profile_counts(&core.region);
			e = core.host->compile(&core.region, o);
		}
		max /= 2;
	} while (e == -E2BIG && max > 0);
	return e;
}

static u64
cputime(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

/* What two looks at the clock make of nothing: as much as a short translation takes. */
static u64
clockcost(void)
{
	enum { LOOKS = 64 };
	u64 least = ~(u64)0;

	for (int i = 0; i < LOOKS; i++) {
		u64 from = cputime(), took = cputime() - from;

		least = took < least ? took : least;
	}
	return least;
}

static u64 begun(void) { return core.opt.count ? cputime() : 0; }

static void
countsince(u64 from)
{
	static u64 cost;
	u64 took;

	if (!core.opt.count)
		return;
	took = cputime() - from;
	cost = cost ? cost : clockcost();
	core.stat.translate += took > cost ? took - cost : 0;
}

/* Code was put at core.at.  Who fills this piece of the area will fill the next: one call instead of a fault a page. */
static void
advance(u32 size)
{
	enum { PIECE = 64 << 10 };
	u64 was = (u64)core.at, at = was + alignup(size, 16), end = alignup(at, PIECE);

	core.at = (u8 *)at;
	if (was / PIECE != at / PIECE && end <= (u64)core.areaend)
		pagein(core.at, end - at);
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
	if (*left && !(e = core_quick(&core.region, o, cpu, pc, mode, *left)) && logging(LOG_INASM))
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
	u64 from = begun();
	struct trans *t;
	struct node *n;

	for (;;) {
		if (make(cpu, pc, mode, &left))
			return 0;
		t = record(&core.out, &core.region, left);
		if (!smc_add(t))
			break;
		t->dead = 1;           /* another thread may have written between reading and guarding */
	}
	advance((u32)(t->code + t->size - core.at));
	n = publish(t);
	linkout(t);
	if (t->home)
		cache_made(t->home, t->size);
	core.stat.regions++;
	core.stat.quick += left != 0;
	core.stat.insns += (u64)core.region.ninsn;
	core.stat.irins += left ? 0 : (u64)core.region.nins;
	core.stat.hostbytes += t->size;
	countsince(from);
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
	struct node *n = core_seen(pc, mode);

	if (n && !(n->quick && quick_isoutgrown(cpu, n)))
		return n;
	if (!n && (n = cache_adopt(pc, mode)))
		return n;
	makeroom(cpu);
	core.nsoon = 0;
	n = add(cpu, pc, mode, n ? 0 : quick_left(pc, mode));
	if (n && n->quick)
		follow(cpu, mode);
	return n;
}

/* What links to n goes to code from now on; 0: leaves.  The links of quick code then wait for other code; those of the
 * dead are forgotten. */
static void
relink(struct node *n, const u8 *code)
{
	struct inlink **at = &n->in, *in;

	while ((in = *at)) {
		if (!in->from->dead) {
			core.host->link(in->from->code, &in->from->link[in->n], code);
			core.stat.links += code != 0;
		}
		if (in->from->dead || (!code && !in->from->left)) {
			*at = in->next;
			in->from = 0;
		} else {
			at = &in->next;
		}
	}
}

void
core_link(struct trans *from, u32 n, struct node *to)
{
	const u8 *code = atomic_load(&to->code);
	struct inlink *in;

	if (from->dead || core.opt.nochain || from->mode & ALONE)
		return;
	in = from->in ? &from->in[n] : arena_get(&core.arena, sizeof *in);
	if (!in->from) {
		*in = (struct inlink){to->in, from, n};
		to->in = in;
	}
	if (code)
		core.host->link(from->code, &from->link[n], code);
	core.stat.links += code != 0;
}

static void
leaves(struct node *n)
{
	struct node **at = &n->t->node;

	while (*at != n)
		at = &(*at)->more;
	*at = n->more;
}

/* Who is in the other code stays there; who has found it looks whether it is still there (fill in engine.c). */
void
core_arrive(struct node *n, struct trans *t, const u8 *code, int flagsin)
{
	int had = atomic_load(&n->code) != 0;

	if (had)
		leaves(n);
	n->t = t;
	n->flagsin = (u8)flagsin;
	n->quick = t->left != 0;
	n->more = t->node;
	t->node = n;
	if (had) {
		atomic_store(&n->code, code);
		core_uncache(n->pc);
	} else {
		atomic_store_explicit(&n->code, code, memory_order_release);
	}
	core_marknode(n);
	relink(n, code);
}

void
core_unlink(struct trans *t)
{
	for (struct node *n = t->node; n; n = n->more)
		relink(n, 0);
}

void
core_kill(struct trans *t)
{
	if (t->dead)
		return;
	t->dead = 1;
	__atomic_store_n(&core.stat.drops, core.stat.drops + 1, __ATOMIC_RELAXED);
	for (struct node *n = t->node; n; n = n->more) {
		atomic_store(&n->code, 0);
		n->quick = 0;
		core_uncache(n->pc);
	}
	core_unlink(t);
	t->node = 0;
	for (int i = 0; i < t->nentry && !t->inimage; i++)     /* an image goes as a whole, with nobody in it */
		if (t->entry[i].ret)
			core.host->kill(t->code, &t->entry[i]);
	/* Loops inside the dead code are left at their next safe point.  Not by a thread that is in a system call, which
	 * is about to write where its own code lies: it would begin the call again and again. */
	for (int c = 0; c < core.ncpu; c++)
		if (core.cpu[c] != cpu_self || atomic_load(&cpu_self->running))
			cpu_poll(core.cpu[c]);
}
