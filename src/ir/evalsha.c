/* SPDX-License-Identifier: MIT */
/* evalsha.c - rounds and schedules of SHA-1 and SHA-256 (FIPS 180-4) for the interpreter */
#include "ir/eval.h"

static u32 ror(u32 v, int n) { return v >> n | v << (32 - n); }
static u32 choose(u32 x, u32 y, u32 z) { return ((y ^ z) & x) ^ z; }
static u32 majority(u32 x, u32 y, u32 z) { return (x & y) | ((x | y) & z); }

/* operand r as four words */
static void
words(const struct eval *e, ref r, u32 w[4])
{
	const u64 *v = eval_arg(e, r);

	for (int n = 0; n < 4; n++)
		w[n] = (u32)eval_lane(v, 32, n);
}

static void
result(u64 *out, const u32 w[4])
{
	for (int n = 0; n < 4; n++)
		eval_setlane(out, 32, n, w[n]);
}

enum evalend
eval_sha1(struct eval *e, const struct ins *i, u64 *out)
{
	u32 x[4], y[4], w[4], E;

	words(e, i->a, x);
	words(e, i->b, y);
	words(e, i->c, w);
	E = y[0];
	for (int n = 0; n < 4; n++) {
		u32 f = i->v == 0 ? choose(x[1], x[2], x[3])
		      : i->v == 1 ? x[1] ^ x[2] ^ x[3] : majority(x[1], x[2], x[3]);
		u32 next = E + ror(x[0], 27) + f + w[n];

		E = x[3], x[3] = x[2], x[2] = ror(x[1], 2), x[1] = x[0], x[0] = next;
	}
	result(out, x);
	return EVAL_ON;
}

enum evalend
eval_sha256(struct eval *e, const struct ins *i, u64 *out)
{
	u32 x[4], y[4], w[4];

	words(e, i->a, x);
	words(e, i->b, y);
	words(e, i->c, w);
	for (int n = 0; n < 4; n++) {
		u32 t1 = y[3] + (ror(y[0], 6) ^ ror(y[0], 11) ^ ror(y[0], 25)) +
		    choose(y[0], y[1], y[2]) + w[n];
		u32 t2 = (ror(x[0], 2) ^ ror(x[0], 13) ^ ror(x[0], 22)) + majority(x[0], x[1], x[2]);

		y[3] = y[2], y[2] = y[1], y[1] = y[0], y[0] = x[3] + t1;
		x[3] = x[2], x[2] = x[1], x[1] = x[0], x[0] = t1 + t2;
	}
	result(out, i->v ? y : x);
	return EVAL_ON;
}

enum evalend
eval_sha256r2(struct eval *e, const struct ins *i, u64 *out)
{
	u32 x[4], y[4], w[4];

	words(e, i->a, y);
	words(e, i->b, x);
	words(e, i->c, w);
	for (int n = 0; n < 2; n++) {
		u32 E = x[1], F = x[0], G = y[1], H = y[0], A = x[3], B = x[2], C = y[3], D = y[2];
		u32 t1 = H + (ror(E, 6) ^ ror(E, 11) ^ ror(E, 25)) + choose(E, F, G) + w[2 * (i->v != 0) + n];
		u32 t2 = (ror(A, 2) ^ ror(A, 13) ^ ror(A, 22)) + majority(A, B, C);

		x[3] = t1 + t2, x[2] = A, y[3] = B, y[2] = C;
		x[1] = D + t1, x[0] = E, y[1] = F, y[0] = G;
	}
	result(out, x);
	return EVAL_ON;
}

enum evalend
eval_sha256su0(struct eval *e, const struct ins *i, u64 *out)
{
	u32 x[4], y[4];

	words(e, i->a, x);
	words(e, i->b, y);
	for (int n = 0; n < 4; n++) {
		u32 w = n < 3 ? x[n + 1] : y[0];
		x[n] += ror(w, 7) ^ ror(w, 18) ^ w >> 3;
	}
	result(out, x);
	return EVAL_ON;
}

enum evalend
eval_sha256su1(struct eval *e, const struct ins *i, u64 *out)
{
	u32 x[4], y[4];

	words(e, i->a, x);
	words(e, i->b, y);
	for (int n = 0; n < 4; n++) {
		u32 w = n < 2 ? y[n + 2] : x[n - 2];
		x[n] += ror(w, 17) ^ ror(w, 19) ^ w >> 10;
	}
	result(out, x);
	return EVAL_ON;
}
