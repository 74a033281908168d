/* SPDX-License-Identifier: MIT */
/* isaread.c - isagen's reader of .isa files (the format: isagen.c) */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "isagen.h"

struct pat pat[MAXPAT];
struct member member[MAXMEMBER];
int npat, nmember, width, line;
char isa[NAMELEN];
static struct field field[MAXFIELD];
static int nfield;

void
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s.isa:%d: ", *isa ? isa : "?", line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void
copy(char *to, const char *from, size_t n)
{
	if (strlen(from) >= n)
		die("too long: %s", from);
	strcpy(to, from);
}

static int
addmember(const char *name, int64_t lo, int64_t hi)
{
	int i;

	for (i = 0; i < nmember && strcmp(member[i].name, name); i++)
		;
	if (i == nmember) {
		if (nmember == MAXMEMBER)
			die("too many members");
		copy(member[nmember++].name, name, NAMELEN);
	}
	member[i].lo = lo < member[i].lo ? lo : member[i].lo;
	member[i].hi = hi > member[i].hi ? hi : member[i].hi;
	return i;
}

static void
addslice(struct field *f, int hi, int lo)
{
	if (f->nslice == MAXSLICE || hi < lo || lo < 0 || hi >= width)
		die("bad slice %d:%d of %s", hi, lo, f->name);
	f->s[f->nslice++] = (struct slice){hi, lo};
	f->width += hi - lo + 1;
}

static u32
fieldmask(const struct field *f)
{
	u32 m = 0;

	for (int i = 0; i < f->nslice; i++)
		m |= (u32)(((uint64_t)1 << (f->s[i].hi - f->s[i].lo + 1)) - 1) << f->s[i].lo;
	return m;
}

static void
adduse(struct pat *p, const char *name, const struct field *f)
{
	int64_t hi = ((int64_t)1 << (f->width - f->sign)) - 1, lo = f->sign ? -hi - 1 : 0;

	if (p->nuse == MAXUSE)
		die("%s: too many fields", p->name);
	p->use[p->nuse].member = addmember(name, lo * (1 << f->shift) + f->add,
	                                   hi * (1 << f->shift) + f->add);
	p->use[p->nuse++].f = *f;
}

static void
readfield(char *s)
{
	struct field *f = &field[nfield++];
	char *w = strtok(s, " \t\n");
	int hi, lo;

	if (nfield > MAXFIELD || !w)
		die("bad field");
	copy(f->name, w, NAMELEN);
	while ((w = strtok(0, " \t\n")))
		if (!strcmp(w, "s"))
			f->sign = 1;
		else if (sscanf(w, "<<%d", &f->shift) == 1 || sscanf(w, "+%d", &f->add) == 1)
			;
		else if (sscanf(w, "%d:%d", &hi, &lo) == 2)
			addslice(f, hi, lo);
		else if (sscanf(w, "%d", &hi) == 1)
			addslice(f, hi, hi);
		else
			die("bad slice %s", w);
}

/* one word of fixed, covered or ignored bits below bit *at; *dots collects the covered ones */
static void
readbits(struct pat *p, const char *w, int *at, u32 *dots)
{
	for (; *w; w++) {
		if (--*at < 0)
			die("%s: too many bits", p->name);
		u32 b = 1u << *at;
		if (*w == '.')
			*dots |= b;
		else if (*w == '-' || *w == '^')
			p->ignored |= b;
		else
			p->mask |= b;
		if (*w == '1')
			p->bits |= b;
		if (*w == '^')
			p->one |= b;
	}
}

/* name:n, name:ns, name:n<<k; 0 if w is none of them */
static int
readinline(struct pat *p, const char *w, int *at)
{
	struct field f = {0};
	int n, len = 0, len2 = 0;

	if (sscanf(w, "%31[A-Za-z0-9_]:%d%n", f.name, &n, &len) != 2)
		return 0;
	if (w[len] == 's')
		f.sign = 1, len++;
	if (sscanf(w + len, "<<%d%n", &f.shift, &len2) == 1)
		len += len2;
	if (w[len])
		die("%s: bad field %s", p->name, w);
	*at -= n;
	if (*at < 0 || n < 1)
		die("%s: too many bits", p->name);
	addslice(&f, *at + n - 1, *at);
	adduse(p, f.name, &f);
	return 1;
}

/* a field that covers dots: `imm_i` or `imm=imm_i` */
static u32
readuse(struct pat *p, char *w, u32 dots)
{
	char *name = strchr(w, '=');

	if (name)
		*name++ = 0;
	else
		name = w;
	for (int i = 0; i < nfield; i++) {
		if (strcmp(field[i].name, name))
			continue;
		if (fieldmask(&field[i]) & ~dots)
			die("%s: field %s lies outside the dots", p->name, name);
		adduse(p, w, &field[i]);
		return fieldmask(&field[i]);
	}
	die("%s: unknown field %s", p->name, name);
}

static void
readpat(char *s)
{
	struct pat *p = &pat[npat];
	char *w = strtok(s, " \t");
	int at = width, inbits = 1;
	u32 dots = 0, covered = 0;

	p->line = line;
	copy(p->name, w, NAMELEN);
	while ((w = strtok(0, " \t"))) {
		if (inbits && strspn(w, "01.-^") == strlen(w)) {
			readbits(p, w, &at, &dots);
		} else if (!inbits || !readinline(p, w, &at)) {
			inbits = 0;
			covered |= readuse(p, w, dots);
		}
	}
	if (at)
		die("%s: %d bits missing", p->name, at);
	if (dots & ~covered)
		die("%s: bits %08x belong to no field", p->name, dots & ~covered);
}

/* what follows the text: function, constants, exclusion */
static void
readtail(char *s)
{
	struct pat *p = &pat[npat];
	char *w, *e;

	if ((e = strstr(s, "unless"))) {
		e[strcspn(e, "\n")] = 0;
		copy(p->unless, e + 6, sizeof p->unless);
		*e = 0;
	}
	if (!(w = strtok(s, " \t\n")))
		die("%s: no translator", p->name);
	copy(p->function, w, NAMELEN);
	while ((w = strtok(0, " \t\n"))) {
		if (!strcmp(w, "alias")) {
			p->alias = 1;
			continue;
		}
		if (!(e = strchr(w, '=')) || p->nconst == MAXCONST)
			die("%s: bad constant %s", p->name, w);
		*e++ = 0;
		if (isdigit(*e) && !e[strspn(e, "0123456789")])
			p->k[p->nconst].member = addmember(w, 0, atoll(e));
		else
			p->k[p->nconst].member = addmember(w, INT16_MIN, INT16_MAX);
		copy(p->k[p->nconst++].value, e, EXPRLEN);
	}
}

static int
sets(const struct pat *p, int m)
{
	for (int i = 0; i < p->nuse; i++)
		if (p->use[i].member == m)
			return 1;
	for (int i = 0; i < p->nconst; i++)
		if (p->k[i].member == m)
			return 1;
	return 0;
}

/* every {name:c} of the text must be a member the line sets */
static void
checktext(const struct pat *p)
{
	for (const char *s = p->text; (s = strchr(s, '{')); s++) {
		int n = (int)strcspn(s + 1, ":}"), m;

		for (m = 0; m < nmember; m++)
			if (!strncmp(member[m].name, s + 1, n) && !member[m].name[n])
				break;
		if (m == nmember || !sets(p, m) || s[n + 1] != ':' || !isalnum(s[n + 2])
		    || s[n + 3] != '}')
			die("%s: bad operand %.*s in the text", p->name, n + 4, s);
	}
}

static void
readline(char *s)
{
	char *open = strchr(s, '"'), *close = strrchr(s, '"');

	if (npat + 1 >= MAXPAT)
		die("too many lines");
	if (!width)
		die("no isa line");
	if (!open || open == close)
		die("no operand text");
	npat++;
	*open = *close = 0;
	readpat(s);
	copy(pat[npat].text, open + 1, EXPRLEN);
	readtail(close + 1);
	checktext(&pat[npat]);
}

void
readall(void)
{
	char buf[1024], *s;

	while (fgets(buf, sizeof buf, stdin)) {
		line++;
		buf[strcspn(buf, "#\n")] = 0;
		s = buf + strspn(buf, " \t");
		if (!*s)
			continue;
		if (sscanf(s, "isa %31s %d", isa, &width) == 2) {
			if (width != 16 && width != 32)
				die("width must be 16 or 32");
		} else if (!strncmp(s, "field ", 6)) {
			readfield(s + 6);
		} else {
			readline(s);
		}
	}
	if (!npat)
		die("no lines");
}
