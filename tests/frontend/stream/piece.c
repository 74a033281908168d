/* SPDX-License-Identifier: MIT */
/* piece.c - blocks: at random, as text, and with less in them */
#include <stdlib.h>
#include <string.h>
#include "stream.h"

struct piece *
piece_new(const struct stream *s)
{
	struct piece *b = calloc(1, sizeof *b);

	b->exclusive = -1;
	b->state = calloc(1, s->size);
	return b;
}

struct piece *
piece_copy(const struct stream *s, const struct piece *from)
{
	struct piece *b = malloc(sizeof *b);

	*b = *from;
	b->state = malloc(s->size);
	memcpy(b->state, from->state, s->size);
	return b;
}

void
piece_free(struct piece *b)
{
	free(b->state);
	free(b);
}

/* Takes n items out.  What went to one of them goes to what follows. */
void
piece_drop(struct piece *b, int at, int n)
{
	for (int i = 0; i < b->n; i++)
		if (b->item[i].to > at)
			b->item[i].to = (s8)(b->item[i].to < at + n ? at : b->item[i].to - n);
	memmove(b->item + at, b->item + at + n, (size_t)(b->n - at - n) * sizeof *b->item);
	b->n -= n;
}

/* -- at random -- */

/* Lines by kind: uniform choice would bury the few branches and flag setters among vector lines. */
struct lines { int *line, n; };
static struct lines bykind[K_COUNT + 1], wronglines;
static u32 *used;                      /* how often, by line */
static const struct stream *sorted;

static void
addline(struct lines *l, int line, int max)
{
	if (!l->line)
		l->line = malloc((size_t)max * sizeof *l->line);
	l->line[l->n++] = line;
}

static void
sortlines(const struct stream *s, const char *only)
{
	if (sorted == s)
		return;
	sorted = s;
	used = calloc((size_t)s->nline, sizeof *used);
	for (int i = 1; i < s->nline; i++) {
		const char *name = s->name(i);
		if (!*name || excepted(s->absent, name) || (only && strncmp(name, only, strlen(only))))
			continue;
		if (excepted(s->wrong, name) || (s->lacks && s->lacks(i)))
			addline(&wronglines, i, s->nline);
		addline(&bykind[s->kind(i)], i, s->nline);
		addline(&bykind[K_COUNT], i, s->nline);
	}
}

/* Of four at random the one used least, so that a rare line is not forgotten. */
static int
pickline(const struct lines *l)
{
	int best = l->line[rnd() % (u32)l->n];

	for (int i = 0; i < 3; i++) {
		int other = l->line[rnd() % (u32)l->n];
		if (used[other] < used[best])
			best = other;
	}
	return best;
}

/* What a block is made of: of all lines alike, or mostly of one or two kinds; K_COUNT stands for all. */
static int
pickkind(int major, int minor)
{
	u32 n = rnd() % 20;

	if (n < 2)
		return K_BRANCH;
	if (major == K_COUNT || n < 5)
		return K_COUNT;
	return n < 14 ? major : minor;
}

static int
aimat(struct piece *b, int at, int n)
{
	if (b->loops && at && rnd() % 3 == 0)
		return at - (int)(rnd() % (u32)(at < 12 ? at + 1 : 12));
	return at + 1 + (int)(rnd() % (u32)(n - at < 8 ? n - at : 8));
}

struct piece *
piece_random(const struct stream *s, int max, const char *only, int own)
{
	struct piece *b = piece_new(s);
	int n = max < 3 ? max : 1 + (int)(rnd() % (u32)(rnd() & 1 ? max : max / 3)), tries = 0;
	int major = (int)(rnd() % (2 * K_COUNT)), minor = (int)(rnd() % (K_COUNT + 1));

	sortlines(s, only);
	if (major > K_COUNT)
		major = K_COUNT;
	b->own = own;
	b->loops = rnd() % 4 == 0;
	b->calls = rnd() % 4 == 0;
	b->memseed = rnd64() | 1;
	s->fill(b);
	while (b->n < n && tries++ < 100000) {
		struct item *i = &b->item[b->n];
		const struct lines *l = &bykind[pickkind(major, minor)];
		*i = (struct item){.len = 4, .to = -1};
		if (s->idiom && !only && rnd() % 32 == 0) {
			b->n += s->idiom(b, i, n - b->n);
			continue;
		}
		if (own && wronglines.n && rnd() & 1)
			l = &wronglines;
		int line = l->n ? pickline(l) : 0;
		if (!line || !s->make(line, b, i) || (!own && s->iswrong(i)))
			continue;
		used[line]++;
		if (i->to >= 0)
			i->to = (s8)aimat(b, b->n, n);
		b->n++;
	}
	for (int i = 0; i < b->n; i++) {
		s8 *to = &b->item[i].to;

		if (*to > b->n)                /* if lines ran out */
			*to = (s8)b->n;
		while (*to > 0 && *to < b->n && b->item[(int)*to].inner)
			--*to;
	}
	return b;
}

/* -- as text --
 *
 *	block aarch64
 *	x3=7f			fields that are not 0, but for those that place() computes
 *	mem=5eed		what its memory is filled from
 *		8b020020	add x0, x1, x2
 *		54000000 -> 3	b.eq ...
 *	end */

void
piece_print(const struct stream *s, const struct piece *b, FILE *f)
{
	char text[120];
	int n;
	const struct field *field = s->field(&n);

	fprintf(f, "block %s%s%s\n", s->guest->name, b->own ? " own" : "", b->calls ? " calls" : "");
	for (int i = 0; i < n; i++) {
		u64 lo = ld64(b->state + field[i].off), hi = field[i].size > 8 ? ld64(b->state + field[i].off + 8) : 0;
		if (hi)
			fprintf(f, "%s=%llx_%016llx\n", field[i].name, (unsigned long long)hi, (unsigned long long)lo);
		else if (lo)
			fprintf(f, "%s=%llx\n", field[i].name, (unsigned long long)lo);
	}
	if (b->memseed)
		fprintf(f, "mem=%llx\n", (unsigned long long)b->memseed);
	for (int i = 0; i < b->n; i++) {
		u8 p[4];
		st32(p, b->item[i].word);
		s->guest->disasm(p, 4, 0, text, sizeof text);
		for (char *t = text; *t; t++)
			if (*t == '\t')
				*t = ' ';
		fprintf(f, "\t%0*x", b->item[i].len * 2, b->item[i].word);
		if (b->item[i].to >= 0)
			fprintf(f, " -> %d", b->item[i].to);
		fprintf(f, "\t%s\n", text);
	}
	fprintf(f, "end\n");
}

static int
readfield(const struct stream *s, struct piece *b, const char *line)
{
	unsigned long long hi = 0, lo;
	char name[9];
	int n, at;
	const struct field *field = s->field(&n);

	if (sscanf(line, "%8[a-z0-9]=%n", name, &at) != 1)
		return 0;
	if (sscanf(line + at, "%llx_%llx", &hi, &lo) != 2 && (hi = 0, sscanf(line + at, "%llx", &lo)) != 1)
		return 0;
	if (!strcmp(name, "mem")) {
		b->memseed = lo;
		return 1;
	}
	for (int i = 0; i < n; i++)
		if (!strcmp(field[i].name, name)) {
			st64(b->state + field[i].off, lo);
			if (field[i].size > 8)
				st64(b->state + field[i].off + 8, hi);
			return 1;
		}
	return 0;
}

static int
readitem(struct piece *b, const char *line)
{
	struct item *i = &b->item[b->n];
	int from, to = -1, at;

	if (b->n == MAXITEM || sscanf(line, " %n%x%n", &from, &i->word, &at) != 1)
		return 0;
	sscanf(line + at, " -> %d", &to);
	i->len = (u8)((at - from) / 2);
	i->to = (s8)to;
	b->n++;
	return to < MAXITEM + 1 && (i->len == 2 || i->len == 4);
}

struct piece *
piece_read(const struct stream *s, FILE *f)
{
	char line[300], guest[20];
	int at;
	struct piece *b = 0;

	while (fgets(line, sizeof line, f)) {
		if (*line == '#' || *line == '\n')
			continue;
		if (!b && sscanf(line, "block %19s%n", guest, &at) == 1 && !strcmp(guest, s->guest->name)) {
			b = piece_new(s);
			b->own = strstr(line + at, " own") != 0;
			b->calls = strstr(line + at, " calls") != 0;
		} else if (b && !strcmp(line, "end\n")) {
			return b;
		} else if (!b || !(*line == '\t' ? readitem(b, line) : readfield(s, b, line))) {
			fprintf(stderr, "stream: bad line: %s", line);
			exit(2);
		}
	}
	return 0;
}
