/* SPDX-License-Identifier: MIT */
/* rvrun.h - runs RISC-V code in the test's own process: translated a block at a time, and
 * evaluated at once.  Guest addresses are host addresses. */
#ifndef TESTS_RVRUN_H
#define TESTS_RVRUN_H

#include <stdlib.h>
#include "base/gmem.h"
#include "frontend/riscv/riscv.h"
#include "ir/eval.h"

/* Where the block that was translated last has another form, and that form's number. */
struct rvform { gaddr again; int number; };

/* Translates from pc to the end of the block, or to `end`; or the other form, if pc is its label.  Returns 0, or what
 * ir_verify found. */
static const char *
rvrun_form(struct region *r, const struct cpu *cpu, gaddr pc, gaddr end, u32 mode, struct rvform *other)
{
	struct tr t = {.r = r, .mode = mode, .pc = pc, .cpu = cpu, .form = other->number - 1};
	int going = 1;

	if (other->again && pc == tr_again(&t, other->again))
		pc = other->again, t.form++;
	else
		t.form = 0;
	t.pc = pc;

	region_init(r, &guest_riscv64, pc, mode);
	ir_block(r, pc);
	while (going && t.pc != end) {
		t.p = g2h(t.pc);
		t.n = end - t.pc < 4 ? (int)(end - t.pc) : 4;
		going = rv_translate(&t);
	}
	if (going)
		tr_jmp(&t, t.pc);
	*other = (struct rvform){t.again, t.form + 1};
	ir_dead(r, 0, 0);
	return ir_verify(r);
}

/* ... for a thread that does not run it */
static struct cpu rvrun_cpu;
static const char *
rvrun_translate(struct region *r, gaddr pc, gaddr end, u32 mode)
{
	struct rvform other = {0};

	return rvrun_form(r, &rvrun_cpu, pc, end, mode, &other);
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
	struct rvform other = {0};

	cpu->why = WHY_NEXT;
	rv_fpenter(cpu);
	for (int n = 0; cpu->pc != end && n < 100000; n++) {
		if ((wrong = rvrun_form(&r, cpu, cpu->pc, end, rv_mode(cpu), &other)))
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
