/* SPDX-License-Identifier: MIT */
/* main.c - the command
 *
 *	stream [-s seed] [-n instructions] [-k longest] [-o only] [-w file] [-c] GUEST ENGINE...
 *	stream -r file GUEST ENGINE...
 *	stream -v [-n vectors] ... GUEST ENGINE...
 *
 * compares random blocks, or (-r) those of a file, or (-v) vectors of floating-point operands, under the guest's
 * oracle and each ENGINE: "eval", "step" or a command.  -c: each line must have run, and done what it can do; -o:
 * only lines whose name begins so; -w: the shortest part of a block that differs is appended there.
 * Exit status 0: no difference. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "stream.h"

static const struct stream *const streams[] = {&stream_aarch64, &stream_riscv64};
static const char *only, *store;
static u64 ninsn = 20000, done;
static int longest = MAXITEM, differing;

static void
report(const struct stream *s, const char *oracle, const char *engine, struct piece *b, const u8 *want, const u8 *got)
{
	struct piece *small = shrink(s, oracle, engine, b);
	FILE *f = store ? fopen(store, "a") : 0;

	differing++;
	explain(s, oracle, engine, small, want, got, stdout);
	if (f) {
		explain(s, oracle, engine, small, want, got, f);
		fclose(f);
	}
	piece_free(small);
}

/* Runs blocks of one judge under all engines; the first difference of each engine is reported. */
static void
compare(const struct stream *s, struct piece **b, int n, int nengine, char **engine)
{
	const char *oracle = b[0]->own ? "eval" : s->oracle;
	size_t size = (size_t)n * s->size;
	u8 *want = malloc(size), *got = malloc(size);

	program_run(s, oracle, b, n, want);
	for (int e = 0; e < nengine; e++) {
		int k = 0;
		if (!strcmp(engine[e], oracle))
			continue;
		program_run(s, engine[e], b, n, got);
		while (k < n && !memcmp(want + (size_t)k * s->size, got + (size_t)k * s->size, s->size))
			k++;
		if (k < n)
			report(s, oracle, engine[e], b[k], want + (size_t)k * s->size, got + (size_t)k * s->size);
	}
	free(want);
	free(got);
}

static void
batch(const struct stream *s, struct piece **b, int n, int nengine, char **engine)
{
	for (int k, at = 0; at < n; at += k) {
		k = program_fits(s, b + at, n - at);
		compare(s, b + at, k, nengine, engine);
	}
	for (int i = 0; i < n; i++) {
		done += (u64)b[i]->n;
		piece_free(b[i]);
	}
}

static void
random_blocks(const struct stream *s, int nengine, char **engine)
{
	struct piece *b[MAXBLOCK];
	u64 made = 0;

	/* one program in five, a small one, holds what the oracle lacks */
	for (int round = 0; made < ninsn && differing < 8; round++) {
		int n = 0, own = round % 5 == 1, max = own || !round ? MAXBLOCK / 4 : MAXBLOCK;
		while (n < max && made < ninsn) {
			b[n] = piece_random(s, longest, only, own);
			if (!b[n]->n) {
				fprintf(stderr, "stream: no such instruction\n");
				exit(2);
			}
			made += (u64)b[n++]->n;
		}
		batch(s, b, n, nengine, engine);
	}
}

static void
stored_blocks(const struct stream *s, const char *path, int nengine, char **engine)
{
	struct piece *b;
	FILE *f = fopen(path, "r");

	if (!f) {
		perror(path);
		exit(2);
	}
	while ((b = piece_read(s, f)))
		batch(s, &b, 1, nengine, engine);
	fclose(f);
}

/* -- coverage -- */

/* Complaints about lines; each must have run and, if it can, changed something, or gone both ways. */
static int
coverage(const struct stream *s)
{
	int bad = 0, lines = 0, absent = 0;
	u64 least = ~(u64)0, traps = 0;

	for (int i = 1; i < s->nline; i++) {
		const struct outcome *o = &outcome[i];
		const char *name = s->name(i), *why = 0;

		if (!*name)
			continue;
		lines++;
		if (excepted(s->absent, name)) {
			absent++;
			continue;
		}
		if (!o->runs)
			why = "never ran";
		else if (s->conditional(i) && !(o->taken && o->fell))
			why = "did not go both ways";
		else if (!o->changed && !o->traps && s->kind(i) != K_BRANCH && !excepted(s->idle, name))
			why = "never changed anything";
		else if (excepted(s->idle, name) && o->changed)
			why = "is said to change nothing";
		traps += o->traps;
		if (o->runs < least)
			least = o->runs;
		if (why) {
			printf("%s %s: %llu runs, %llu changed, %llu taken\n", name, why, (unsigned long long)o->runs,
			       (unsigned long long)o->changed, (unsigned long long)o->taken);
			bad++;
		}
	}
	for (const struct except *e = s->absent; e->name; e++)
		printf("absent %s: %s\n", e->name, e->why);
	for (const struct except *e = s->wrong; e->name; e++)
		printf("without oracle %s: %s\n", e->name, e->why);
	for (int i = 1; i < s->nline && s->lacks; i++)
		if (s->lacks(i))
			printf("without oracle %s: %s\n", s->name(i), s->lacks(i));
	printf("summary %s isa-lines %d\n", s->guest->name, lines);
	printf("summary %s isa-lines-covered %d\n", s->guest->name, lines - absent - bad);
	printf("summary %s isa-lines-absent %d\n", s->guest->name, absent);
	printf("summary %s traps %llu\n", s->guest->name, (unsigned long long)traps);
	printf("summary %s fewest-runs-of-a-line %llu\n", s->guest->name, (unsigned long long)least);
	return bad;
}

static void
table(const struct stream *s)
{
	for (int i = 1; i < s->nline; i++)
		if (*s->name(i))
			printf("line %-12s %8llu runs %8llu changed %8llu taken\n", s->name(i),
			       (unsigned long long)outcome[i].runs, (unsigned long long)outcome[i].changed,
			       (unsigned long long)outcome[i].taken);
}

int
main(int argc, char **argv)
{
	const char *replay = 0;
	const struct stream *s = 0;
	int c, cover = 0, vector = 0, bad = 0;

	stream_seed = (u64)time(0) * 0x9e3779b97f4a7c15 | 1;
	while ((c = getopt(argc, argv, "s:n:k:o:w:r:cvt")) != -1)
		switch (c) {
		case 's': stream_seed = strtoull(optarg, 0, 0) * 0x9e3779b97f4a7c15 | 1; break;
		case 'n': ninsn = strtoull(optarg, 0, 0); break;
		case 'k': longest = atoi(optarg); break;
		case 'o': only = optarg; break;
		case 'w': store = optarg; break;
		case 'r': replay = optarg; break;
		case 'c': cover = 1; break;
		case 't': cover = 2; break;
		case 'v': vector = 1; break;
		default: return 2;
		}
	for (size_t i = 0; optind < argc && i < NELEM(streams); i++)
		if (!strcmp(streams[i]->guest->name, argv[optind]))
			s = streams[i];
	if (!s || longest < 1 || longest > MAXITEM) {
		fprintf(stderr, "usage: stream [-cv] [-s seed] [-n instructions] [-k longest] [-o only] [-w file] [-r file] "
		        "GUEST ENGINE...\n");
		return 2;
	}
	for (int i = ++optind; cover && i <= argc; i++)
		if (i == argc) {
			fprintf(stderr, "stream: coverage needs the engine step\n");
			return 2;
		} else if (!strcmp(argv[i], "step")) {
			break;
		}
	outcome = calloc((size_t)s->nline, sizeof *outcome);
	if (vector)
		return vectors(s, ninsn, only, argc - optind, argv + optind);
	if (replay)
		stored_blocks(s, replay, argc - optind, argv + optind);
	else
		random_blocks(s, argc - optind, argv + optind);
	if (cover == 2)
		table(s);
	if (cover)
		bad = coverage(s);
	for (int op = 0; op < O_COUNT; op++)
		if (evaluated[op])
			printf("evaluated %s\n", opinfo[op].name);
	printf("summary %s %s %llu\n", s->guest->name, replay ? "stored-instructions" : "random-instructions",
	       (unsigned long long)done);
	return differing || program_failures || bad;
}
