/* SPDX-License-Identifier: MIT */
/* shrink.c - the shortest part of a block that two engines still disagree about
 *
 * All candidates of a round are one program, so a round costs one run of each engine. */
#include <stdlib.h>
#include <string.h>
#include "stream.h"

enum { MAXCAND = 200 };

/* Which of n blocks differ; how many do. */
static int
differ(const struct stream *s, const char *oracle, const char *engine, struct piece **b, int n, u8 *is)
{
	u8 *x = malloc((size_t)n * s->size), *y = malloc((size_t)n * s->size);
	int count = 0;

	program_run(s, oracle, b, n, x);
	program_run(s, engine, b, n, y);
	for (int i = 0; i < n; i++)
		count += is[i] = memcmp(x + (size_t)i * s->size, y + (size_t)i * s->size, s->size) != 0;
	free(x);
	free(y);
	return count;
}

static int
one(const struct stream *s, const char *oracle, const char *engine, struct piece *b)
{
	u8 is;

	return differ(s, oracle, engine, &b, 1, &is);
}

/* Takes `size` items out where that leaves a difference; whether it did. */
static int
cut(const struct stream *s, const char *oracle, const char *engine, struct piece **b, int size)
{
	struct piece *cand[MAXITEM];
	u8 is[MAXITEM];
	int n = 0, found = -1;

	for (int at = 0; at + size <= (*b)->n; at += size) {
		cand[n] = piece_copy(s, *b);
		piece_drop(cand[n++], at, size);
	}
	if (n && differ(s, oracle, engine, cand, n, is))
		for (found = 0; !is[found]; found++)
			;
	for (int i = 0; i < n; i++)
		if (i != found)
			piece_free(cand[i]);
	if (found < 0)
		return 0;
	piece_free(*b);
	*b = cand[found];
	return 1;
}

/* Field k of the state, or the memory's seed, becomes 0; whether it was not. */
static int
clear(const struct stream *s, struct piece *b, int k)
{
	static const u8 zero[16];
	int n;
	const struct field *f = s->field(&n);

	if (k == n) {
		int was = b->memseed != 0;
		b->memseed = 0;
		return was;
	}
	if (!memcmp(b->state + f[k].off, zero, f[k].size))
		return 0;
	memset(b->state + f[k].off, 0, f[k].size);
	return 1;
}

/* Clears what may be 0: all at once of what may alone, else one by one. */
static int
simplify(const struct stream *s, const char *oracle, const char *engine, struct piece **b)
{
	struct piece *cand[MAXCAND], *all = piece_copy(s, *b);
	u8 is[MAXCAND];
	int which[MAXCAND], n = 0, nfield, first = -1;

	s->field(&nfield);
	for (int k = 0; k <= nfield && n < MAXCAND; k++) {
		cand[n] = piece_copy(s, *b);
		if (clear(s, cand[n], k))
			which[n++] = k;
		else
			piece_free(cand[n]);
	}
	if (n && differ(s, oracle, engine, cand, n, is))
		for (int i = n - 1; i >= 0; i--)
			if (is[i]) {
				clear(s, all, which[i]);
				first = i;
			}
	if (first >= 0 && !one(s, oracle, engine, all)) {
		struct piece *t = all;
		all = cand[first];
		cand[first] = t;
	}
	for (int i = 0; i < n; i++)
		piece_free(cand[i]);
	if (first < 0) {
		piece_free(all);
		return 0;
	}
	piece_free(*b);
	*b = all;
	return 1;
}

struct piece *
shrink(const struct stream *s, const char *oracle, const char *engine, struct piece *from)
{
	struct piece *b = piece_copy(s, from);

	if (!one(s, oracle, engine, b))
		return b;              /* only in company */
	for (int size = b->n; size; size /= 2)
		while (size <= b->n && cut(s, oracle, engine, &b, size))
			;
	while (simplify(s, oracle, engine, &b))
		;
	while (cut(s, oracle, engine, &b, 1))
		;
	return b;
}

/* -- what differs -- */

static void
value(const u8 *p, int size, FILE *f)
{
	if (size > 8)
		fprintf(f, " %016llx_%016llx", (unsigned long long)ld64(p + 8), (unsigned long long)ld64(p));
	else
		fprintf(f, " %016llx", (unsigned long long)ld64(p));
}

/* The fields and bytes of memory in which two states differ */
static void
differences(const struct stream *s, const u8 *x, const u8 *y, FILE *out)
{
	int n;
	const struct field *f = s->field(&n);

	for (int i = 0; i < n; i++)
		if (memcmp(x + f[i].off, y + f[i].off, f[i].size)) {
			fprintf(out, "# %s:", f[i].name);
			value(x + f[i].off, f[i].size, out);
			value(y + f[i].off, f[i].size, out);
			fprintf(out, "\n");
		}
	for (size_t i = 0; i < s->memsize; i++)
		if (x[s->mem + i] != y[s->mem + i])
			fprintf(out, "# memory +%zu: %02x %02x\n", i, x[s->mem + i], y[s->mem + i]);
}

void
explain(const struct stream *s, const char *oracle, const char *engine, struct piece *b, const u8 *want, const u8 *got,
    FILE *out)
{
	u8 *x = malloc(s->size), *y = malloc(s->size);

	program_run(s, oracle, &b, 1, x);
	program_run(s, engine, &b, 1, y);
	fprintf(out, "# %s, %s:\n", oracle, engine);
	differences(s, x, y, out);
	if (!memcmp(x, y, s->size)) {
		fprintf(out, "# only after other blocks:\n");
		differences(s, want, got, out);
	}
	piece_print(s, b, out);
	free(x);
	free(y);
}
