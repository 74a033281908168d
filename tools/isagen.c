/* SPDX-License-Identifier: MIT */
/* isagen.c - reads one .isa file on stdin, writes its decoder, encoder and printer as a C header
 *
 * A line of an .isa file is one of
 *
 *   isa NAME WIDTH                           first; WIDTH is 16 or 32
 *   field NAME [s] SLICE... [<<K] [+K]       SLICE is HI:LO or BIT, most significant first;
 *                                            value = (slices, signed if s) << K + K
 *   NAME BITS... USE... "TEXT" FUNCTION CONST... [alias] [unless (EXPR)]
 *
 * and # starts a comment.  BITS, from the top bit down: 0 and 1 must match; name:n is a field of n
 * bits (name:ns a signed one, name:n<<k a shifted one); `.` is covered by a USE; `-` is ignored
 * and encoded as 0, `^` ignored and encoded as 1.  USE is FIELD or MEMBER=FIELD.  TEXT is for the
 * printer: {member:c} with c a class letter the printer knows; a \t in it separates a mnemonic
 * that is not the line's name up to its first underscore.  CONST is member=EXPR, any constant C
 * expression without blanks.  `unless` excludes words that would match (its EXPR may name
 * a->member), which are then offered to a wider line.  `alias` lines are for the printer alone: other names for
 * words that another line, which must contain them, decodes.
 *
 * Refused: a bit that nothing accounts for, a text that names a member its line does not set, and
 * two lines that overlap without one containing the other (if one does, the narrower wins) or
 * having an exclusion to tell them apart (it is tried first).
 *
 * The header gives, for an ISA called X:  enum { X_none, X_NAME..., X_COUNT }; struct X_insn
 * { id and all members; those a line does not set are 0 }; X_TRANSLATORS(T), which expands
 * T(NAME, FUNCTION) for every line; and, with bodies in the one file that defines X_IMPLEMENT and
 * includes it (again, if the exclusions call functions that want the struct declared):
 *
 *   int X_decode(u32 w, struct X_insn *);    the id, X_none if nothing matches
 *   int X_decodetext(u32 w, struct X_insn *);        the same, with aliases
 *   int X_seek(u32 w);           the id of the line tried first, which may exclude w; bits that all have count as right
 *   u32 X_encode(const struct X_insn *);
 *   u32 X_random(int id, u32 random);        a word of that line (unless its exclusion holds)
 *   s64 X_member(const void *insn, const char *name, size_t len);
 *   X_name[], X_text[], X_pat[] (mask, bits, ignored, one) and X_tmpl[] (the constants) by id
 *
 * Decoding takes an index from the bits that tell the lines apart best, which leads to a short
 * list of candidates, narrowest first; then copies the line's constants and extracts its fields.
 * What costs time there is jumps that the host mispredicts.  So the fields that many lines share
 * are extracted without any, masked by line, and the others together with the exclusion in one
 * switch over formats, that is sets of them, of which there are much fewer than lines. */
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAXFIELD = 256, MAXPAT = 4096, MAXSLICE = 8, MAXUSE = 12, MAXCONST = 16, MAXMEMBER = 128,
	MAXINDEX = 12,                 /* bits of the decoder's first table */
	NAMELEN = 32, EXPRLEN = 160,
};

typedef uint32_t u32;

struct slice { int hi, lo; };
struct field {
	char name[NAMELEN];
	int nslice, sign, shift, add, width;
	struct slice s[MAXSLICE];
};
struct konst { int member; char value[EXPRLEN]; };
struct pat {
	char name[NAMELEN], text[EXPRLEN], function[NAMELEN], unless[2 * EXPRLEN];
	u32 mask, bits, ignored, one;
	int line, nuse, nconst, format, alias;
	struct { int member; struct field f; } use[MAXUSE];
	struct konst k[MAXCONST];
};
struct member { char name[NAMELEN]; int64_t lo, hi; };

static struct field field[MAXFIELD];
static struct pat pat[MAXPAT];                 /* from 1: 0 is "none" */
static struct member member[MAXMEMBER];
static int nfield, npat, nmember, nformat, width, line;
static char isa[NAMELEN];
static int indexbit[MAXINDEX], nindex;         /* most significant first */
static u32 common = ~0u;                       /* bits that all lines fix in the same way */

static _Noreturn void __attribute__((format(printf, 1, 2)))
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

/* -- reading ------------------------------------------------------------------------------- */
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

static void
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

/* -- checking and arranging ---------------------------------------------------------------- */
/* no word can match both */
static int
disjoint(const struct pat *a, const struct pat *b, u32 m)
{
	m &= a->mask & b->mask;
	return (a->bits & m) != (b->bits & m);
}

static void
checkoverlap(void)
{
	for (int i = 1; i <= npat; i++)
		for (int j = 1; j < i; j++) {
			const struct pat *a = &pat[i], *b = &pat[j];
			u32 m = a->mask & b->mask;

			line = a->line;
			if (!strcmp(a->name, b->name))
				die("%s is also on line %d", a->name, b->line);
			if (disjoint(a, b, ~0u) || (m == a->mask && a->mask != b->mask) ||
			    (m == b->mask && a->mask != b->mask))
				continue;
			if (!*a->unless && !*b->unless)
				die("%s and %s (line %d) overlap", a->name, b->name, b->line);
		}
}

static void
checkalias(const struct pat *a)
{
	line = a->line;
	for (int i = 1; i <= npat; i++)
		if (!pat[i].alias && !(pat[i].mask & ~a->mask) && !disjoint(&pat[i], a, ~0u))
			return;
	die("no line contains the alias %s", a->name);
}

static int
sameformat(const struct pat *a, const struct pat *b)
{
	if (a->nuse != b->nuse || strcmp(a->unless, b->unless))
		return 0;
	for (int i = 0; i < a->nuse; i++) {
		struct field f = a->use[i].f, g = b->use[i].f;

		if (a->use[i].member != b->use[i].member || f.nslice != g.nslice || f.sign != g.sign
		    || f.shift != g.shift || f.add != g.add || memcmp(f.s, g.s, sizeof f.s))
			return 0;
	}
	return 1;
}

/* numbers the distinct formats */
static void
number(void)
{
	for (int i = 1; i <= npat; i++) {
		int j;

		for (j = 1; j < i && !sameformat(&pat[i], &pat[j]); j++)
			;
		pat[i].format = j < i ? pat[j].format : nformat++;
	}
}

/* How often a line is met, about: what is common was given many words. */
static double
weight(const struct pat *p)
{
	return (__builtin_popcount(p->mask) & 1 ? 0.7 : 1) / (1 << __builtin_popcount(p->mask) / 2);
}

/* mean length of the candidate list that a word meets, if the bits of m index */
static double
listcost(u32 m)
{
	double sum = 0, all = 0;

	for (int i = 1; i <= npat; i++) {
		all += weight(&pat[i]);
		for (int j = 1; j <= npat; j++)
			if (!pat[i].alias && !pat[j].alias && !disjoint(&pat[i], &pat[j], m))
				sum += weight(&pat[i]) / (1 << __builtin_popcount(pat[j].mask & ~pat[i].mask & m));
	}
	return sum / all;
}

static void
chooseindex(void)
{
	u32 m = 0, all = 0;
	double cost = npat;

	for (int i = 1; i <= npat; i++) {
		all |= pat[i].mask;
		common &= pat[i].mask & ~(pat[i].bits ^ pat[1].bits);
	}
	for (int n = 0; n < MAXINDEX; n++) {
		double best = cost - cost / 100, c;
		int bit = -1;

		for (int b = 0; b < width; b++)
			if ((c = all & ~m & 1u << b ? listcost(m | 1u << b) : cost) < best)
				best = c, bit = b;
		if (bit < 0)
			break;
		m |= 1u << bit;
		cost = best;
	}
	for (int b = width; b--;)
		if (m & 1u << b)
			indexbit[nindex++] = b;
}

/* -- writing ------------------------------------------------------------------------------- */
static const char *
membertype(const struct member *m)
{
	static const struct { int64_t lo, hi; const char *name; } type[] = {
		{0, UINT8_MAX, "u8"}, {INT8_MIN, INT8_MAX, "s8"}, {0, UINT16_MAX, "u16"},
		{INT16_MIN, INT16_MAX, "s16"}, {INT32_MIN, INT32_MAX, "s32"},
	};

	for (size_t i = 0; i < sizeof type / sizeof *type; i++)
		if (m->lo >= type[i].lo && m->hi <= type[i].hi)
			return type[i].name;
	return "s64";
}

static void
putstruct(void)
{
	static const char *const order[] = {"s64", "s32", "u16", "s16", "u8", "s8"};

	printf("struct %s_insn {\n\tu16 id;\n", isa);
	for (int k = 0; k < 6; k++)
		for (int i = 0; i < nmember; i++)
			if (!strcmp(membertype(&member[i]), order[k]))
				printf("\t%s %s;\n", order[k], member[i].name);
	printf("};\n\n");
}

/* Bytes of the longest name or text.  Arrays of characters, not of pointers: those would have to be relocated each
 * time the program starts. */
static int
longest(int text)
{
	size_t n = 1;

	for (int i = 1; i <= npat; i++) {
		const char *s = text ? pat[i].text : pat[i].name;

		n = strlen(s) > n ? strlen(s) : n;
	}
	return (int)n + 1;
}

static void
putseek(void)
{
	printf("struct %s_line { u32 mask, bits; u16 id, format; };\n"
	       "extern const struct %s_line %s_list[];\nextern const u16 %s_first[];\nextern const %s %s_sure[];\n\n"
	       "static inline u32\n%s_row(u32 w)\n{\n\treturn 0",
	       isa, isa, isa, isa, npat < 256 ? "u8" : "u16", isa, isa);
	for (int i = 0, n; i < nindex; i += n) {
		for (n = 1; i + n < nindex && indexbit[i + n] == indexbit[i] - n; n++)
			;
		int lo = indexbit[i + n - 1], at = nindex - i - n;
		printf("\n\t\t| (w >> %d & 0x%x) << %d", lo, (1 << n) - 1, at);
	}
	printf(";\n}\n\n/* the candidates for w */\n"
	       "static inline const struct %s_line *\n%s_lines(u32 w)\n{\n\treturn &%s_list[%s_first[%s_row(w)]];\n}\n\n"
	       "static inline int\n%s_seek(u32 w)\n{\n\tint id = %s_sure[%s_row(w)];\n\tconst struct %s_line *p = %s_lines(w);"
	       "\n\n\tif (id)\n\t\treturn id;\n\twhile ((w & p->mask) != p->bits)\n\t\tp++;\n\treturn p->id;\n}\n\n",
	       isa, isa, isa, isa, isa, isa, isa, isa, isa, isa);
}

static void
putdecls(void)
{
	printf("/* generated from an .isa file by isagen; do not edit */\n#ifndef ISA_%s_H\n#define ISA_%s_H\n"
	       "#include \"base/word.h\"\n\nenum {\n\t%s_none,\n", isa, isa, isa);
	for (int i = 1; i <= npat; i++)
		printf("\t%s_%s,\n", isa, pat[i].name);
	printf("\t%s_COUNT\n};\n\n", isa);
	putstruct();
	printf("struct %s_pat { u32 mask, bits, ignored, one; };\n"
	       "extern const struct %s_pat %s_pat[%s_COUNT];\n"
	       "extern const struct %s_insn %s_tmpl[%s_COUNT];\n", isa, isa, isa, isa, isa, isa, isa);
	printf("extern const char %s_name[%s_COUNT][%d], %s_text[%s_COUNT][%d];\n",
	       isa, isa, longest(0), isa, isa, longest(1));
	printf("int %s_decode(u32 w, struct %s_insn *a);\nint %s_decodetext(u32 w, struct %s_insn *a);\n"
	       "u32 %s_encode(const struct %s_insn *a);\nu32 %s_random(int id, u32 random);\n"
	       "s64 %s_member(const void *insn, const char *name, size_t len);\n\n", isa, isa, isa, isa, isa, isa, isa, isa);
	putseek();
	printf("#define %s_TRANSLATORS(T) \\\n", isa);
	for (int i = 1; i <= npat; i++)
		printf("\tT(%s, %s)%s\n", pat[i].name, pat[i].function, i < npat ? " \\" : "");
	printf("\n#endif\n\n");
}

static void
puttables(void)
{
	printf("const struct %s_pat %s_pat[%s_COUNT] = {\n", isa, isa, isa);
	for (int i = 1; i <= npat; i++)
		printf("\t[%s_%s] = {0x%08x, 0x%08x, 0x%08x, 0x%08x},\n", isa, pat[i].name,
		       pat[i].mask, pat[i].bits, pat[i].ignored, pat[i].one);
	printf("};\n\nconst struct %s_insn %s_tmpl[%s_COUNT] = {\n", isa, isa, isa);
	for (int i = 1; i <= npat; i++) {
		printf("\t[%s_%s] = {.id = %s_%s", isa, pat[i].name, isa, pat[i].name);
		for (int j = 0; j < pat[i].nconst; j++)
			printf(", .%s = %s", member[pat[i].k[j].member].name, pat[i].k[j].value);
		printf("},\n");
	}
	printf("};\n\nconst char %s_name[%s_COUNT][%d] = {\n\t\"?\",\n", isa, isa, longest(0));
	for (int i = 1; i <= npat; i++)
		printf("\t\"%s\",\n", pat[i].name);
	printf("};\n\nconst char %s_text[%s_COUNT][%d] = {\n\t\"\",\n", isa, isa, longest(1));
	for (int i = 1; i <= npat; i++)
		printf("\t\"%s\",\n", pat[i].text);
	printf("};\n\nstatic const u16 %s_format[%s_COUNT] = {\n", isa, isa);
	for (int i = 1; i <= npat; i++)
		printf("\t[%s_%s] = %d,\n", isa, pat[i].name, pat[i].format);
	printf("};\n\n");
}

/* the bits of word w under the index, gathered; or the word that has these bits, if spread */
static u32
indexof(u32 w, int spread)
{
	u32 v = 0;

	for (int i = 0; i < nindex; i++)
		v |= spread ? (w >> (nindex - 1 - i) & 1) << indexbit[i] : (w >> indexbit[i] & 1) << (nindex - 1 - i);
	return v;
}

/* narrower lines before wider, those with an exclusion before those without */
static int rank(const struct pat *p) { return __builtin_popcount(p->mask) * 2 + !!*p->unless; }

/* the lines, or the aliases, that words with the bits of v under the mask m may match, best rank
 * first; 0 ends the list.  Returns its length. */
static int
candidates(u32 v, u32 m, int alias, int *list)
{
	int n = 0;

	for (int i = 1; i <= npat; i++) {
		if (((pat[i].bits ^ v) & pat[i].mask & m) || pat[i].alias != alias)
			continue;
		int at = n++;

		for (; at > 0 && rank(&pat[list[at - 1]]) < rank(&pat[i]); at--)
			list[at] = list[at - 1];
		list[at] = i;
	}
	list[n++] = 0;
	return n;
}

static void
putcandidates(const int *list, int n)
{
	for (int i = 0; i < n; i++)
		printf("\t{0x%08x, 0x%08x, %d, %d},\n", pat[list[i]].mask, pat[list[i]].bits, list[i], pat[list[i]].format);
	printf("};\n\n");
}

static void
putnumbers(const int *v)
{
	for (u32 i = 0; i < 1u << nindex; i++)
		printf("%s%d,", i % 16 ? " " : "\n\t", v[i]);
	printf("\n};\n\n");
}

/* X_list holds the distinct candidate lists one after the other, X_first where each starts; X_sure the line that a word
 * matches whatever its other bits are, or 0 */
static void
putlists(void)
{
	static int lists[1 << 16], start[1 << MAXINDEX], sure[1 << MAXINDEX];
	u32 known = indexof(~0u, 1) | common;
	int one[MAXPAT + 1], nlists = 0, at;

	for (u32 v = 0; v < 1u << nindex; v++) {
		int n = candidates(indexof(v, 1), indexof(~0u, 1), 0, one);

		for (at = 0; at + n <= nlists; at++)
			if (!memcmp(&lists[at], one, n * sizeof *one))
				break;
		if (at + n > nlists) {
			at = nlists;
			if (at + n > 1 << 16)
				die("candidate lists too long");
			memcpy(&lists[at], one, n * sizeof *one);
			nlists += n;
		}
		start[v] = at;
		sure[v] = pat[one[0]].mask & ~known ? 0 : one[0];
	}
	printf("const struct %s_line %s_list[] = {\n", isa, isa);
	putcandidates(lists, nlists);
	printf("const u16 %s_first[] = {", isa);
	putnumbers(start);
	printf("const %s %s_sure[] = {", npat < 256 ? "u8" : "u16", isa);
	putnumbers(sure);
	printf("static const struct %s_line %s_alias[] = {\n", isa, isa);
	putcandidates(one, candidates(0, 0, 1, one));
}

static void
putgetfield(const struct field *f)
{
	int left = f->width;

	printf("(");
	if (f->sign)
		printf("sext(");
	for (int i = 0; i < f->nslice; i++) {
		int n = f->s[i].hi - f->s[i].lo + 1;

		left -= n;
		printf("%s(w >> %d & 0x%x)", i ? " | " : "", f->s[i].lo, (u32)(((uint64_t)1 << n) - 1));
		if (left)
			printf(" << %d", left);
	}
	if (f->sign)
		printf(", %d)", f->width);
	printf(")");
	if (f->shift)
		printf(" * %d", 1 << f->shift);
	if (f->add)
		printf(" + %d", f->add);
}

static void
putsetfield(const char *name, const struct field *f)
{
	int left = f->width;

	for (int k = 0; k < f->nslice; k++) {
		int n = f->s[k].hi - f->s[k].lo + 1;

		left -= n;
		printf("\t\tw |= (u32)(((s64)a->%s - %d) >> %d & 0x%x) << %d;\n", name, f->add,
		       left + f->shift, (u32)(((uint64_t)1 << n) - 1), f->s[k].lo);
	}
}

/* a switch over the formats: extraction, then whether the word is excluded; or insertion */
static void
putformats(int encode)
{
	printf(encode ? "\tswitch (%s_format[a->id]) {\n" : "\tswitch (p->format) {\n", isa);
	for (int i = 1, seen = 0; i <= npat; i++) {
		if (pat[i].format != seen)
			continue;
		printf("\tcase %d:\n", seen++);
		for (int j = 0; j < pat[i].nuse; j++) {
			const char *name = member[pat[i].use[j].member].name;

			if (encode) {
				putsetfield(name, &pat[i].use[j].f);
			} else {
				printf("\t\ta->%s = ", name);
				putgetfield(&pat[i].use[j].f);
				printf(";\n");
			}
		}
		if (!encode && *pat[i].unless)
			printf("\t\treturn %s;\n", pat[i].unless);
		else
			printf("\t\tbreak;\n");
	}
	printf("\t}\n");
}

static void
putdecoder(void)
{
	putlists();
	printf("/* fills a; whether the line excludes w after all */\n"
	       "static inline __attribute__((always_inline)) int\n%s_fill(u32 w, const struct %s_line *p, "
	       "struct %s_insn *a)\n{\n\t*a = %s_tmpl[p->id];\n", isa, isa, isa, isa);
	putformats(0);
	printf("\treturn 0;\n}\n\n"
	       "/* the candidates from p on */\n"
	       "static int\n%s_try(u32 w, const struct %s_line *p, struct %s_insn *a)\n{\n\tfor (; p->id; p++)\n"
	       "\t\tif ((w & p->mask) == p->bits && !%s_fill(w, p, a))\n"
	       "\t\t\treturn p->id;\n"
	       "\ta->id = %s_none;\n\treturn %s_none;\n}\n\n", isa, isa, isa, isa, isa, isa);
	printf("int\n%s_decode(u32 w, struct %s_insn *a)\n{\n\treturn %s_try(w, %s_lines(w), a);\n}\n\n"
	       "int\n%s_decodetext(u32 w, struct %s_insn *a)\n{\n"
	       "\treturn %s_try(w, %s_alias, a) || %s_decode(w, a) ? a->id : %s_none;\n}\n\n",
	       isa, isa, isa, isa, isa, isa, isa, isa, isa, isa);
}

static void
putrest(void)
{
	printf("u32\n%s_encode(const struct %s_insn *a)\n{\n"
	       "\tu32 w = %s_pat[a->id].bits | %s_pat[a->id].one;\n\n", isa, isa, isa, isa);
	putformats(1);
	printf("\treturn w;\n}\n\nu32\n%s_random(int id, u32 random)\n{\n"
	       "\tconst struct %s_pat *p = &%s_pat[id];\n\n"
	       "\treturn (random & 0x%xu & ~(p->mask | p->ignored)) | p->bits | p->one;\n}\n\n"
	       "s64\n%s_member(const void *insn, const char *name, size_t len)\n{\n\tconst struct %s_insn *a = insn;\n\n",
	       isa, isa, isa, width == 16 ? 0xffffu : 0xffffffffu, isa, isa);
	for (int i = 0; i < nmember; i++)
		printf("\tif (len == %zu && !memcmp(name, \"%s\", len))\n\t\treturn a->%s;\n",
		       strlen(member[i].name), member[i].name, member[i].name);
	printf("\treturn 0;\n}\n");
}

int
main(void)
{
	readall();
	checkoverlap();
	for (int i = 1; i <= npat; i++)
		if (pat[i].alias)
			checkalias(&pat[i]);
	number();
	chooseindex();
	putdecls();
	printf("#ifdef %s_IMPLEMENT\n", isa);
	puttables();
	putdecoder();
	putrest();
	printf("#endif\n");
	return fflush(stdout) || ferror(stdout);
}
