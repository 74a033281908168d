/* SPDX-License-Identifier: MIT */
/* quick.c - the quick tier: when code is made quickly, and how it goes when it is made in full
 *
 * The first times code is run are often the last: half of what a process runs it runs up to four times.  So new code
 * is made a block at a time, without IR (host->quick, region.c), counts how often it is entered, and is translated in
 * full when that pays.  The very first time it has no code at all (first.c).
 *
 * In a file that has run in a process before, all is translated in full, to be there the next time (cache_begun).
 *
 * Lock held in all of these. */
#include "core/cache.h"

/* Pages of counters that are not used cost nothing. */
void
quick_init(void)
{
	enum { PART = 32, PAGE = 4096 };
	u8 *p = (u8 *)alignup((uintptr_t)core.stubsend, PAGE);
	u64 n = (u64)(core.areaend - p) / PART;

	if (!core.opt.quick || !core.host->quick || n < PAGE)
		return;
	core.left0 = core.left = (s32 *)(void *)p;
	core.leftend = core.left + n / sizeof *core.left;
	core.stubsend = p + alignup(n, 64);
}

s32 *
quick_left(gaddr pc, u32 mode)
{
	if (!core.guest->simple || core.left == core.leftend || mode & ALONE || cache_begun(pc))
		return 0;
	*core.left = core.opt.quick;
	return core.left++;
}

/* Quick code that has been run often, or that a loop of full code leads back to. */
int
quick_isoutgrown(const struct cpu *cpu, const struct node *n)
{
	return *n->t->left < 0 || core_loop(cpu, n->pc, n->mode) > 2;
}

/* Whoever went to the quick code goes to n now; who is in it stays. */
void
quick_retire(struct trans *t, struct node *n)
{
	struct inlink *next;

	for (struct node *d = t->node; d; d = d->more) {
		atomic_store(&d->code, 0);
		core_dropnode(d);
		core_uncache(d->pc);
	}
	t->node = 0;
	for (struct inlink *in = t->in; in; in = next) {
		next = in->next;
		in->next = n->t->in;
		n->t->in = in;
		if (!in->from->dead)
			core.host->link(in->from->code, &in->from->link[in->n], atomic_load(&n->code));
	}
	t->in = 0;
	core.stat.promoted++;
}

/* Links of quick code that wait for code at their targets, by these; a small program fills few pages of a table. */
static struct { struct inlink **at; u32 n, nwait; } waits;

static struct inlink **
bucket(gaddr pc)
{
	return &waits.at[(pc >> 2 ^ pc >> 13) & (waits.n - 1)];
}

static void
insert(struct inlink *w)
{
	struct inlink **at = bucket(w->pc);

	w->next = *at;
	*at = w;
	waits.nwait++;
}

/* Links of code that was retired wait no more. */
static void
enlarge(void)
{
	enum { FIRST = 512 };
	struct inlink **old = waits.at, *w, *next;
	u32 n = waits.n;

	waits.n = n ? n * 4 : FIRST;
	waits.at = arena_get(&core.arena, waits.n * sizeof *waits.at);
	waits.nwait = 0;
	for (u32 i = 0; i < n; i++)
		for (w = old[i]; w; w = next) {
			next = w->next;
			if (w->from->node)
				insert(w);
		}
}

void
quick_await(struct trans *from, u32 k)
{
	struct inlink *w = arena_get(&core.arena, sizeof *w);

	if (waits.nwait >= waits.n)
		enlarge();
	*w = (struct inlink){0, from, from->link[k].pc, k};
	insert(w);
}

void
quick_arrive(struct node *n)
{
	struct inlink **at = waits.n ? bucket(n->pc) : 0, *w;

	while (at && (w = *at))
		if (w->pc == n->pc && w->from->mode == n->mode) {
			*at = w->next;
			waits.nwait--;
			core_lead(w, n);
		} else {
			at = &w->next;
		}
}

void
quick_emptied(void)
{
	core.left = core.left0;
	memset(&waits, 0, sizeof waits);
}
