/* SPDX-License-Identifier: MIT */
/* quick.h - what the files of the quick tier share (quick.c) */
#ifndef BACKEND_X86_64_QUICK_H
#define BACKEND_X86_64_QUICK_H

#include "backend/x86_64/int.h"
#include "ir/simple.h"

extern struct arg quick_home[NONE];            /* of variables, a register or not */

static inline int quick_width(const struct simple *s) { return s->ty == I64 ? 64 : 32; }

void quick_copy(struct code *, int var, int w, int tmp);       /* tmp = the variable, zero-extended */
/* tmp = the variable, of s->from bits */
void quick_widen(struct code *, const struct simple *, int var, int w, int tmp);

/* A register with the variable: its home, or tmp. */
static inline int
quick_get(struct code *a, int var, int w, int tmp)
{
	int reg = var == NONE ? -1 : quick_home[var].reg;

	if (reg >= 0)
		return reg;
	quick_copy(a, var, w, tmp);
	return tmp;
}

static inline void
quick_put(struct code *a, int var, int reg)
{
	if (var != NONE)
		op_arg(a, 0x89, 64, reg, &quick_home[var]);
}

/* Code for an instruction of that kind; 0 if it must come as IR. */
typedef int quickfn(struct x86 *, const struct simple *);
quickfn quick_load, quick_store, quick_vset, quick_tov, quick_fromv, quick_vload, quick_vstore;

#endif
