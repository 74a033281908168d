/* SPDX-License-Identifier: MIT */
/* rvrun.h - runs RISC-V code in the test's own process: translated a block at a time, and
 * evaluated at once.  Guest addresses are host addresses. */
#ifndef TESTS_RVRUN_H
#define TESTS_RVRUN_H

#include <stdlib.h>
#include "base/gmem.h"
#include "frontend/riscv/riscv.h"
#include "ir/eval.h"

struct rvrun_form { gaddr again; int form; };  /* struct tr's, of the block before */

/* Translates from pc to the end of the block, or to `end`; if pc is the label of another form of the block before, that
 * form.  Returns 0, or what ir_verify found. */
static const char *
rvrun_block(struct region *r, const struct cpu *cpu, gaddr pc, gaddr end, u32 mode, struct rvrun_form *f)
{
	struct tr t = {.r = r, .mode = mode, .pc = pc, .cpu = cpu};
	int going = 1;

	t.form = f->form;
	if (f->again && tr_again(&t, f->again) == pc)
		t.pc = pc = f->again, t.form++;
	else
		t.form = 0;

	region_init(r, &guest_riscv64, pc, mode);
	ir_block(r, pc);
	while (going && t.pc != end) {
		t.p = g2h(t.pc);
		t.n = end - t.pc < 4 ? (int)(end - t.pc) : 4;
		going = rv_translate(&t);
	}
	if (going)
		tr_jmp(&t, t.pc);
	*f = (struct rvrun_form){t.again, t.form};
	ir_dead(r, 0, 0);
	return ir_verify(r);
}

/* ... for a thread that does not run it */
static struct cpu rvrun_cpu;
static const char *
rvrun_translate(struct region *r, gaddr pc, gaddr end, u32 mode)
{
	struct rvrun_form form = {0, 0};

	return rvrun_block(r, &rvrun_cpu, pc, end, mode, &form);
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
	struct rvrun_form form = {0, 0};

	cpu->why = WHY_NEXT;
	rv_fpenter(cpu);
	for (int n = 0; cpu->pc != end && n < 100000; n++) {
		if ((wrong = rvrun_block(&r, cpu, cpu->pc, end, rv_mode(cpu), &form)))
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
