/* SPDX-License-Identifier: MIT */
/* eval.h - runs a block of IR directly on a struct cpu
 *
 * Every operation runs here, at every type; what op.def gives a value takes it from there, floating
 * point from base/fp.h.  This is the interpreter, and the judge of the hosts.
 *
 * Guest memory is accessed plainly: a fault is the host's, and reaches whoever handles SIGSEGV, with
 * cpu->pc the guest instruction.  Values of temporaries are kept in words, least significant
 * first; a temporary takes `stride` words. */
#ifndef IR_EVAL_H
#define IR_EVAL_H

#include "ir/ir.h"

enum { EVAL_MAXWORDS = 2048 / 64 };

struct eval {
	struct cpu *cpu;
	const struct guest *guest;
	const struct ins *ins;         /* ins[ref] */
	const u64 *k;                  /* constants */
	u64 *val;                      /* value of the block's temporary t at val[(t - first) * stride] */
	int stride, first;
	gaddr pc;                      /* of the block */
	const struct ins *at, *now;    /* last guest instruction marker passed; instruction running */
	u8 fpnan;
};

enum evalend {
	EVAL_ON,                       /* (inside: go on with the next instruction) */
	EVAL_GO,                       /* goes on at cpu->pc */
	EVAL_CALL,                     /* the same, as a call: a safe point */
	EVAL_LEFT,                     /* cpu->why says why */
};

/* Runs the n instructions from ins[first] on.  e->first and e->pc are set by the caller. */
enum evalend eval_block(struct eval *, int n);

/* The guest address of a memory access. */
gaddr eval_address(const struct eval *, const struct ins *);

/* Words a temporary of the region needs: the stride. */
int eval_stride(const struct ins *, int n);

/* -- between eval.c, evalfp.c and evalvec.c -- */
typedef enum evalend eval_fn(struct eval *, const struct ins *, u64 *out);
extern eval_fn *const eval_fp[O_COUNT], *const eval_vec[O_COUNT];
eval_fn eval_sha1, eval_sha256, eval_sha256r2, eval_sha256su0, eval_sha256su1;        /* evalsha.c */

static inline const u64 *
eval_arg(const struct eval *e, ref r)
{
	static const u64 nothing[EVAL_MAXWORDS];

	if (isk(r))
		return &e->k[r & ~REF_K];
	return r ? &e->val[(r - e->first) * e->stride] : nothing;
}

static inline u64
eval_lane(const u64 *v, int bits, int i)
{
	int at = bits * i;

	return bits == 64 ? v[i] : v[at / 64] >> at % 64 & (((u64)1 << bits) - 1);
}

static inline void
eval_setlane(u64 *v, int bits, int i, u64 x)
{
	int at = bits * i;
	u64 mask = bits == 64 ? ~(u64)0 : (((u64)1 << bits) - 1) << at % 64;

	v[at / 64] = (v[at / 64] & ~mask) | (x << at % 64 & mask);
}

/* Words of a value of this type. */
static inline int eval_words(int ty) { return (ty_bits(ty) + 63) / 64; }

#endif
