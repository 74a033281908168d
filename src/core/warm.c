/* SPDX-License-Identifier: MIT */
/* warm.c - translates code that nobody has asked for yet: a function and all that its exits lead to */
#include <stdlib.h>
#include "core/cache.h"
#include "core/core.h"

struct work { gaddr *pc; int n, cap; };

static void
push(struct work *w, gaddr pc)
{
	grow(&w->pc, w->n, &w->cap, sizeof *w->pc);
	w->pc[w->n++] = pc;
}

static void
follow(struct work *w, const struct trans *t)
{
	for (int i = 0; !t->left && i < full_of(t)->nlink; i++)
		push(w, full_of(t)->link[i].pc);
}

u64
engine_warm(struct cpu *cpu, gaddr pc)
{
	u32 mode = core.guest->mode(cpu);
	struct work w = { 0 };
	u64 made = 0;

	push(&w, pc);
	while (w.n) {
		lock_take(&core.lock);
		pc = w.pc[--w.n];
		/* what an image has was followed when the image was made */
		if (!core_seen(pc, mode) && !cache_has(pc, mode)) {
			struct node *n = core_translate(cpu, pc, mode);

			made += n != 0;
			if (n)
				follow(&w, book_at(n->t));
		}
		lock_give(&core.lock);
	}
	free(w.pc);
	return made;
}
