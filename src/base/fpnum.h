/* SPDX-License-Identifier: MIT */
/* fpnum.h - numbers taken apart: what the files of fp share
 *
 * A finite nonzero number is (-1)^sign * frac / 2^126 * 2^exp with 2^126 <= frac < 2^127: the top
 * bit is room for a carry.  Bit 0 of an inexact frac is sticky: it is 1 when anything nonzero was
 * shifted out, which is all that rounding has to know about the rest. */
#ifndef BASE_FPNUM_H
#define BASE_FPNUM_H

#include "base/fp.h"

enum { NUM_TOP = 126 };
enum numkind { NUM_ZERO, NUM_FINITE, NUM_INF, NUM_QNAN, NUM_SNAN };

struct num {
	u8 kind, sign;
	u8 denorm;                     /* was denormal (and not flushed) */
	s32 exp;
	u128 frac;
};

struct fpform { u8 width, expbits, fracbits, noinf; };
extern const struct fpform fpform[FMT_COUNT];

static inline u64 form_fracmask(const struct fpform *f) { return ((u64)1 << f->fracbits) - 1; }
static inline u64 form_expmax(const struct fpform *f) { return ((u64)1 << f->expbits) - 1; }
static inline int form_bias(const struct fpform *f) { return (1 << (f->expbits - 1)) - 1; }
static inline u64 form_quiet(const struct fpform *f) { return (u64)1 << (f->fracbits - 1); }

static inline u64
form_pack(const struct fpform *f, int sign, u64 exp, u64 frac)
{
	return (u64)sign << (f->width - 1) | exp << f->fracbits | frac;
}

static inline u64 form_inf(const struct fpform *f, int sign) { return form_pack(f, sign, form_expmax(f), 0); }
static inline u64 form_zero(const struct fpform *f, int sign) { return form_pack(f, sign, 0, 0); }
static inline u64
form_max(const struct fpform *f, int sign)
{
	return form_pack(f, sign, form_expmax(f) - 1, form_fracmask(f));
}

static inline int
clz128(u128 v)
{
	return v >> 64 ? __builtin_clzll((u64)(v >> 64)) : 64 + __builtin_clzll((u64)v);
}

/* v >> n; bits lost stick to bit 0 */
static inline u128
jam(u128 v, int n)
{
	if (n == 0)
		return v;
	if (n > 127)
		return v != 0;
	return v >> n | ((v << (128 - n)) != 0);
}

static inline int isnan_kind(const struct num *n) { return n->kind >= NUM_QNAN; }

struct num num_take(struct fpenv *, enum fpfmt, u64 a);
/* Brings frac into its range; frac may be 0, the kind follows. */
void num_normalise(struct num *);
/* Rounds, raising what that raises.  A zero keeps its sign. */
u64 num_round(struct fpenv *, enum fpfmt, const struct num *);
/* Whether to add one to a magnitude whose discarded bits, as a fraction of 2^n, are rest. */
int num_increment(enum fprm, int sign, int odd, u128 rest, int n);

/* NaN results.  At least one operand of the first two is a NaN. */
u64 num_nan1(struct fpenv *, enum fpfmt, u64 a);
u64 num_nan2(struct fpenv *, enum fpfmt, u64 a, const struct num *, u64 b, const struct num *);
u64 num_invalid(struct fpenv *, enum fpfmt);   /* the default NaN, raising invalid */
u64 num_default(const struct fpenv *, enum fpfmt);

struct num num_mul(const struct num *, const struct num *);
/* The exact sum of two finite or zero numbers, sticky; an exact zero gets the sign the mode says. */
struct num num_add(enum fprm, const struct num *, const struct num *);

#endif
