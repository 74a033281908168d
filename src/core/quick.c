/* SPDX-License-Identifier: MIT */
/* quick.c - the quick tier: when code is made quickly, and how it goes when it is made in full
 *
 * The first times code is run are often the last: half of what a process runs it runs up to four times.  So new code
 * is made a block at a time, without IR (host->quick, region.c), counts how often it is entered, and is translated in
 * full when that pays.  The very first time it has no code at all (first.c).
 *
 * In a file that has run in a process before, and has no image yet, all is translated in full, to be there the next
 * time (cache_begun).  What its image has not is like new code again, until so much is missed that it is worth adding.
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
	const struct trans *t = book_at(n->t);

	return core.left0[t->left - 1] < 0 || core_loop(cpu, n->pc, n->mode) > 2;
}

void
quick_emptied(void)
{
	core.left = core.left0;
}
