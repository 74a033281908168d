/* SPDX-License-Identifier: MIT */
/* form.h - a region of one block, from guest code at hand */
#ifndef TESTS_FORM_H
#define TESTS_FORM_H

#include "base/guest.h"
#include "frontend/tr.h"

/* Fills r with the n bytes at p as if they lay at pc; ends in a jump to what follows, unless they end the block
 * themselves: then returns 0. */
static int
form(struct region *r, const struct guest *g, gaddr pc, const void *p, u64 n)
{
	struct tr t = {.r = r};
	int going = 1;

	region_init(r, g, pc, 0);
	ir_block(r, pc);
	r->block[0].entry = 1;
	for (t.pc = pc; going && t.pc - pc < n;) {
		t.p = (const u8 *)p + (t.pc - pc);
		t.n = (int)(n - (t.pc - pc));
		going = g->translate(&t);
	}
	if (going)
		tr_jmp(&t, t.pc);
	return going;
}

/* ir_dead's question: nobody looks at anything after the region */
static int dead(void *arg, gaddr pc, int call) { (void)arg, (void)pc, (void)call; return 0; }

#endif
