/* SPDX-License-Identifier: MIT */
/* perform.c - where what instructions do finds variables, and what it seldom needs */
#include "ir/perform.h"

u16 perform_home[NONE + 1];

void
perform_init(const struct guest *g)
{
	for (int var = 0; var < g->nreg; var++)
		perform_home[var] = g->reg[var].off;
	perform_home[NONE] = offsetof(struct cpu, scratch[0]) - offsetof(struct cpu, state);
}

u64
perform_changed(u64 v, int ty, int shift, int how, int from, int fromsign)
{
	if (from)
		v = do_widened(v, from, fromsign);
	return how ? ir_value(how, ty, v, (u64)shift, 0, 0, 0) : v << shift;
}

int perform_any(struct run *r, const struct simple *s, int len) { return perform(r, s, len); }
