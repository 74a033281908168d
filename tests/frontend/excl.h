/* SPDX-License-Identifier: MIT */
/* excl.h - what guest->excl ought to say of an instruction, from its IR */
#ifndef TESTS_FRONTEND_EXCL_H
#define TESTS_FRONTEND_EXCL_H

#include "ir/ir.h"

/* of the instructions in the region, which has one guest instruction */
static inline enum excl
excl_of(const struct region *r)
{
	enum excl e = EXCL_NONE;

	for (int i = 1; i < r->nins; i++)
		switch (r->ins[i].op) {
		case O_ldx: return EXCL_LOAD;
		case O_stx: return EXCL_STORE;
		case O_clrex: return EXCL_CLEAR;
		default:
			if (opinfo[r->ins[i].op].traits & (READ | WRITE))
				e = EXCL_MEMORY;
		}
	return e;
}

/* Helpers access memory unseen, and what is undefined may look like anything. */
static inline int
excl_right(const struct region *r, enum excl said)
{
	int traps = r->ins[r->nins - 1].op == O_trap;

	return traps || said == excl_of(r) || (said == EXCL_MEMORY && excl_of(r) == EXCL_NONE);
}

#endif
