/* SPDX-License-Identifier: MIT */
/* rvrun.h - runs RISC-V code in the test's own process: translated a block at a time, and
 * evaluated at once.  Guest addresses are host addresses. */
#ifndef TESTS_RVRUN_H
#define TESTS_RVRUN_H

#include <stdlib.h>
#include "base/gmem.h"
#include "frontend/riscv/riscv.h"
#include "ir/eval.h"

/* Translates from pc to the end of the block, or to `end`; *again is the block's other form, which is made if it is
 * pc.  Returns 0, or what ir_verify found. */
static const char *
rvrun_form(struct region *r, const struct cpu *cpu, gaddr pc, gaddr end, u32 mode, gaddr *again)
{
	struct tr t = {.r = r, .mode = mode, .pc = pc, .cpu = cpu};
	int going = 1;

	if (*again && *again + TR_OTHER == pc)
		t.pc = pc = *again, t.other = 1;

	region_init(r, &guest_riscv64, pc, mode);
	ir_block(r, pc);
	while (going && t.pc != end) {
		t.p = g2h(t.pc);
		t.n = end - t.pc < 4 ? (int)(end - t.pc) : 4;
		going = rv_translate(&t);
	}
	if (going)
		tr_jmp(&t, t.pc);
	*again = t.again;
	ir_dead(r, 0, 0);
	return ir_verify(r);
}

/* ... for a thread that does not run it */
static struct cpu rvrun_cpu;
static const char *
rvrun_translate(struct region *r, gaddr pc, gaddr end, u32 mode)
{
	gaddr again = 0;

	return rvrun_form(r, &rvrun_cpu, pc, end, mode, &again);
}

/* Runs from cpu->pc until it is `end`, or something other than a jump happens: then cpu->why tells
 * what.  Returns 0, or what ir_verify found. */
static const char *
rvrun(struct cpu *cpu, gaddr end)
{
	static struct region r;
	static u64 *val;
	static size_t room;
	enum evalend done = EVAL_GO;
	const char *wrong;
	gaddr again = 0;

	cpu->why = WHY_NEXT;
	rv_fpenter(cpu);
	for (int n = 0; cpu->pc != end && n < 100000; n++) {
		if ((wrong = rvrun_form(&r, cpu, cpu->pc, end, rv_mode(cpu), &again)))
			return wrong;
		int stride = eval_stride(r.ins, r.nins);
		if (room < (size_t)(r.nins * stride))
			val = realloc(val, (room = (size_t)(r.nins * stride)) * sizeof *val);
		struct eval e = {.cpu = cpu, .guest = &guest_riscv64, .ins = r.ins, .k = r.k, .val = val,
			.stride = stride, .first = r.block[0].first, .pc = r.block[0].pc, .fpnan = r.fpnan};
		done = eval_block(&e, r.block[0].n);
		if (done == EVAL_LEFT && cpu->why != WHY_FLUSH)
			break;
	}
	rv_fpleave(cpu);
	return 0;
}

#endif
