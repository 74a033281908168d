/* SPDX-License-Identifier: MIT */
/* vectors.c - floating point: every instruction of every format in every mode, on operands chosen as Berkeley
 * TestFloat does, results and flags compared
 *
 * A program is many loops; each runs one instruction in one mode over operands of its own. */
#include <stdlib.h>
#include <string.h>
#include "stream.h"

enum { IN = 48, OUT = 32, MAXLOOP = 6000, MAXOUT = 32 << 20 };

struct loop { struct item item; int mode, format; };

static struct loop loop[MAXLOOP];
static int nloop;
static u64 each, total;                /* vectors of a loop; so far */

static void
show(const struct stream *s, u64 k, const u64 *in, const u8 *want, const u8 *got)
{
	const struct loop *l = &loop[k / each];
	const u64 *v = in + k * 6;
	char text[100];
	u8 p[4];

	st32(p, l->item.word);
	s->guest->disasm(p, 4, 0, text, sizeof text);
	printf("%08x\t%s\n\tmode %d", l->item.word, text, l->mode);
	for (int i = 0; i < 3; i++)
		printf(" %016llx_%016llx", (unsigned long long)v[2 * i + 1], (unsigned long long)v[2 * i]);
	for (int i = 0; i < OUT; i += 8)
		if (ld64(want + i) != ld64(got + i))
			printf("\n\tword %d: %016llx %016llx", i / 8, (unsigned long long)ld64(want + i),
			       (unsigned long long)ld64(got + i));
	printf("\n");
}

/* Runs the loops gathered; how many vectors differ. */
static u64
run(const struct stream *s, const char *oracle, int nengine, char **engine)
{
	u64 n = (u64)nloop * each, bad = 0, *in = malloc(n * IN);
	struct image m = {(u8 *)in, n * IN, n * (IN + OUT), n * IN, n * OUT};
	u8 *want = malloc(m.n), *got = malloc(m.n);

	for (u64 k = 0; k < n; k++)
		s->operands(loop[k / each].format, in + k * 6);
	program_begin();
	for (int i = 0; i < nloop; i++)
		s->loop(&loop[i].item, loop[i].mode, BASE + CODE + (u64)i * each * IN,
		        BASE + CODE + n * IN + (u64)i * each * OUT, each);
	s->finish(BASE + CODE + m.from, m.n);
	if (!program_exec(s, oracle, &m, want)) {
		printf("%s: failed\n", oracle);
		bad++;
	}
	for (int e = 0; e < nengine; e++) {
		int shown = 0;
		if (!program_exec(s, engine[e], &m, got)) {
			printf("%s: failed\n", engine[e]);
			bad++;
			continue;
		}
		for (u64 k = 0; k < n; k++)
			if (memcmp(want + k * OUT, got + k * OUT, OUT) && (bad++, shown++ < 4)) {
				printf("%s, %s:\n", oracle, engine[e]);
				show(s, k, in, want + k * OUT, got + k * OUT);
			}
	}
	free(in);
	free(want);
	free(got);
	total += n;
	nloop = 0;
	return bad;
}

/* Loops of all lines in all modes, of those that the oracle does right, or of the others. */
static u64
pass(const struct stream *s, const char *only, int wrong, int nengine, char **engine, int *lines)
{
	const char *oracle = wrong ? "eval" : s->oracle;
	u64 bad = 0;

	for (int line = 1; line < s->nline; line++) {
		int was = nloop;
		if (!s->isfloat(line) || (only && strncmp(s->name(line), only, strlen(only))))
			continue;
		for (int mode = 0; mode < s->nmode; mode++) {
			struct loop *l = &loop[nloop];
			for (int tries = 0; tries < 100; tries++)
				if ((l->format = s->vector(line, mode, &l->item)) && s->iswrong(&l->item) == wrong) {
					l->mode = mode;
					nloop++;
					break;
				}
		}
		*lines += nloop > was;
		if (nloop + s->nmode > MAXLOOP || (u64)nloop * each * OUT > MAXOUT)
			bad += run(s, oracle, nengine, engine);
	}
	return nloop ? bad + run(s, oracle, nengine, engine) : bad;
}

/* count: of vectors in all, about.  Returns whether any differ. */
int
vectors(const struct stream *s, u64 count, const char *only, int nengine, char **engine)
{
	int lines = 0, wrong = 0;
	u64 bad = 0, loops = 0;

	for (int line = 1; line < s->nline; line++)
		loops += s->isfloat(line) ? (u64)s->nmode : 0;
	each = count / loops + 1;
	bad = pass(s, only, 0, nengine, engine, &lines) + pass(s, only, 1, nengine, engine, &wrong);
	printf("summary %s fp-lines %d\n", s->guest->name, lines);
	printf("summary %s fp-vectors %llu\n", s->guest->name, (unsigned long long)total);
	return bad != 0;
}
