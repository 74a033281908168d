/* SPDX-License-Identifier: MIT */
/* a64run.h - runs AArch64 code in the test's own process: translated a block at a time, and
 * evaluated at once.  Guest addresses are host addresses. */
#ifndef TESTS_A64RUN_H
#define TESTS_A64RUN_H

#include <stdlib.h>
#include "base/gmem.h"
#include "frontend/arm64/arm64.h"
#include "ir/eval.h"

/* Translates from pc to the end of the block, or to `end`.  Returns 0, or what ir_verify found. */
static const char *
a64run_translate(struct region *r, gaddr pc, gaddr end, u32 mode)
{
	struct tr t = {.r = r, .mode = mode, .pc = pc, .n = 4};
	int going = 1;

	region_init(r, &guest_aarch64, pc, mode);
	ir_block(r, pc);
	while (going && t.pc != end) {
		t.p = g2h(t.pc);
		going = a64_translate(&t);
	}
	if (going)
		tr_jmp(&t, t.pc);
	ir_dead(r, 0, 0);
	return ir_verify(r);
}

/* Runs from cpu->pc until it is `end`, or something other than a jump happens: then cpu->why tells
 * what.  Returns 0, or what ir_verify found. */
static const char *
a64run(struct cpu *cpu, gaddr end)
{
	static struct region r;
	static u64 *val;
	static size_t room;
	const char *wrong;

	cpu->why = WHY_NEXT;
	guest_aarch64.fpenter(cpu);
	for (int n = 0; cpu->pc != end && n < 100000; n++) {
		if ((wrong = a64run_translate(&r, cpu->pc, end, guest_aarch64.mode(cpu))))
			return wrong;
		int stride = eval_stride(r.ins, r.nins);
		if (room < (size_t)(r.nins * stride))
			val = realloc(val, (room = (size_t)(r.nins * stride)) * sizeof *val);
		struct eval e = {.cpu = cpu, .guest = &guest_aarch64, .ins = r.ins, .k = r.k, .val = val,
			.stride = stride, .first = r.block[0].first, .pc = r.block[0].pc, .fpnan = r.fpnan};
		if (eval_block(&e, r.block[0].n) == EVAL_LEFT && cpu->why != WHY_FLUSH)
			break;
	}
	guest_aarch64.fpleave(cpu);
	return 0;
}

#endif
