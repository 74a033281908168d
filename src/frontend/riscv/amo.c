/* SPDX-License-Identifier: MIT */
/* amo.c - the A extension: load-reserved, store-conditional, atomic memory operations
 *
 * All of them must be aligned (Volume I, 14.2 and 14.4).  Both bits aq and rl together mean sequentially
 * consistent. */
#include "frontend/riscv/riscv.h"

static int
ordering(const struct riscv_insn *a)
{
	return AUX_ALIGN | (a->aq ? AUX_ACQ : 0) | (a->rl ? AUX_REL : 0) | (a->aq && a->rl ? AUX_SC : 0);
}

int
rv_lr(struct tr *t, const struct riscv_insn *a)
{
	ref v;

	if (tr_alone(t))
		return 0;
	v = ir_opx(t->r, O_ldx, a->ty, ordering(a), 0, 0, rv_get(t, a->rs1), 0, 0);
	rv_put(t, a->rd, tr_sxt(t, I64, v, ty_bits(a->ty)));
	return 1;
}

int
rv_sc(struct tr *t, const struct riscv_insn *a)
{
	ref p = rv_get(t, a->rs1), v = rv_get(t, a->rs2);

	rv_put(t, a->rd, ir_opx(t->r, O_stx, a->ty, ordering(a), 0, 0, p, v, 0));
	return 1;
}

/* A swap whose result is dropped is how compilers write an atomic store.  It is one, unless aq makes
 * what follows wait for it. */
int
rv_amo(struct tr *t, const struct riscv_insn *a)
{
	ref p = rv_get(t, a->rs1), v = rv_get(t, a->rs2);

	if (a->op == RMW_XCHG && a->rd == 0 && !a->aq) {
		tr_st(t, a->ty, ordering(a), p, 0, v);
		return 1;
	}
	v = ir_opx(t->r, O_rmw, a->ty, ordering(a), a->op, 0, p, v, 0);
	rv_put(t, a->rd, tr_sxt(t, I64, v, ty_bits(a->ty)));
	return 1;
}
