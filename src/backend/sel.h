/* SPDX-License-Identifier: MIT */
/* sel.h - the selection table of a host: op -> emitter
 *
 * A host's sel.def and vsel.def hold lines SEL( op, emitter, flags ).  An op without a line, or
 * whose emitter returns 0, goes to the evaluator (slow, correct). */
#ifndef BACKEND_SEL_H
#define BACKEND_SEL_H

#include "ir/ir.h"

struct x86;

enum {
	SEL_CLOB = 1,                  /* changes the host's flags: live ones are saved first */
	SEL_MAP = 2,                   /* may fault: the guest pc is recorded for it (READ, WRITE ops: always) */
	SEL_FPENV = 4,                 /* (FPENV ops: always) */
};

struct sel {
	/* Emits the instruction; returns 0, having done nothing yet, if it cannot. */
	int (*emit)(struct x86 *, const struct ins *);
	u8 flags;
};

#endif
