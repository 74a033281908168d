/* SPDX-License-Identifier: MIT */
/* vtranslate.c - instructions of the vector unit to IR */
#include "frontend/riscv/vector.h"

static int
isthere(const struct rvv_insn *a)
{
	return a->id && model_has(RVF_v) && (!a->need || model_has(a->need) || (a->also && model_has(a->also)));
}

int
rv_vector(struct tr *t, const struct riscv_insn *i)
{
	struct rvv_insn a;

	(void)i;
	rvv_decode(t->word, &a);
	if (!isthere(&a))
		return tr_undef(t);
	tr_help(t, RVH_VECTOR, tr_k(t, t->word), 0, 0);
	return 1;
}
