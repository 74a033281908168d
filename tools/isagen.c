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
 * Decoding takes an index from the bits that tell the lines apart best, which leads to the line or to a short
 * list of candidates, commonest first but that narrower ones come before wider; then copies the line's constants and
 * extracts its fields.
 * What costs time there is jumps that the host mispredicts.  So the fields that many lines share
 * are extracted without any, masked by line, and the others together with the exclusion in one
 * switch over formats, that is sets of them, of which there are much fewer than lines. */
#include <stdio.h>
#include <string.h>
#include "isagen.h"

enum { MAXINDEX = 11 };                        /* bits of the decoder's first table */

static int nformat;
static int indexbit[MAXINDEX], nindex;         /* most significant first */
static u32 common = ~0u;                       /* bits that all lines fix in the same way */
static int lists[1 << 16], nlists, from[MAXPAT], row[1 << MAXINDEX];

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
static double weight(const struct pat *p) { return 1 / (double)((uint64_t)1 << __builtin_popcount(p->mask)); }

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
		double best = cost - cost / 50, c;
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

/* the bits of word w under the index, gathered; or the word that has these bits, if spread */
static u32
indexof(u32 w, int spread)
{
	u32 v = 0;

	for (int i = 0; i < nindex; i++)
		v |= spread ? (w >> (nindex - 1 - i) & 1) << indexbit[i] : (w >> indexbit[i] & 1) << (nindex - 1 - i);
	return v;
}

/* Both may match the same word, and a is tried first: it is narrower, or has an exclusion. */
static int
precedes(const struct pat *a, const struct pat *b)
{
	int n = __builtin_popcount(a->mask) * 2 + !!*a->unless, m = __builtin_popcount(b->mask) * 2 + !!*b->unless;

	return n > m && !disjoint(a, b, ~0u);
}

/* That of n lines which is tried first: the commonest before which none must be. */
static int
foremost(const int *list, int n)
{
	int best = -1;

	for (int i = 0, j; i < n; i++) {
		for (j = 0; j < n && !precedes(&pat[list[j]], &pat[list[i]]); j++)
			;
		if (j == n && (best < 0 || weight(&pat[list[i]]) > weight(&pat[list[best]])))
			best = i;
	}
	return best;
}

/* the lines, or the aliases, that words with the bits of v under the mask m may match, in the order in which they are
 * tried; 0 ends the list.  Returns its length. */
static int
candidates(u32 v, u32 m, int alias, int *list)
{
	int n = 0;

	for (int i = 1; i <= npat; i++)
		if (!((pat[i].bits ^ v) & pat[i].mask & m) && pat[i].alias == alias)
			list[n++] = i;
	for (int i = 0; i < n; i++) {
		int k = i + foremost(list + i, n - i), first = list[k];

		memmove(&list[i + 1], &list[i], (size_t)(k - i) * sizeof *list);
		list[i] = first;
	}
	list[n++] = 0;
	return n;
}

/* Where the list is among those so far, or becomes the last of them. */
static int
listed(const int *one, int n)
{
	int at;

	for (at = 0; at + n <= nlists; at++)
		if (!memcmp(&lists[at], one, n * sizeof *one))
			return at;
	if (nlists + n > (int)(sizeof lists / sizeof *lists))
		die("candidate lists too long");
	at = nlists;
	memcpy(&lists[at], one, n * sizeof *one);
	nlists += n;
	return at;
}

/* X_row has the line that a word matches whatever its other bits are, which may exclude it; or X_COUNT plus the place
 * where its list of candidates starts in X_list, which has the distinct ones one after the other.  X_from: where that
 * of a line starts. */
static void
arrange(void)
{
	u32 index = indexof(~0u, 1);
	int one[MAXPAT + 1];

	for (int i = 0; i <= npat; i++)
		from[i] = listed(one, i ? candidates(pat[i].bits, pat[i].mask, 0, one) : (*one = 0, 1));
	for (u32 v = 0; v < 1u << nindex; v++) {
		int n = candidates(indexof(v, 1), index, 0, one);

		row[v] = pat[*one].mask & ~(index | common) ? npat + 1 + listed(one, n) : *one;
	}
}

static const char *
rowtype(void)
{
	for (u32 v = 0; v < 1u << nindex; v++)
		if (row[v] > UINT8_MAX)
			return "u16";
	return "u8";
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
	       "extern const struct %s_line %s_list[];\nextern const u16 %s_from[];\nextern const %s %s_row[];\n\n"
	       "static inline u32\n%s_rowof(u32 w)\n{\n\treturn 0",
	       isa, isa, isa, isa, rowtype(), isa, isa);
	for (int i = 0, n; i < nindex; i += n) {
		for (n = 1; i + n < nindex && indexbit[i + n] == indexbit[i] - n; n++)
			;
		int lo = indexbit[i + n - 1], at = nindex - i - n;
		printf("\n\t\t| (w >> %d & 0x%x) << %d", lo, (1 << n) - 1, at);
	}
	printf(";\n}\n\n/* the candidates for w */\n"
	       "static inline const struct %s_line *\n%s_lines(u32 w)\n{\n\tu32 k = %s_row[%s_rowof(w)];\n\n"
	       "\treturn &%s_list[k < %s_COUNT ? %s_from[k] : k - %s_COUNT];\n}\n\n"
	       "static inline int\n%s_seek(u32 w)\n{\n"
	       "\tu32 k = %s_row[%s_rowof(w)];\n\tconst struct %s_line *p;\n\n"
	       "\tif (k < %s_COUNT)\n\t\treturn (int)k;\n\tp = &%s_list[k - %s_COUNT];\n"
	       "\twhile ((w & p->mask) != p->bits)\n\t\tp++;\n\treturn p->id;\n}\n\n",
	       isa, isa, isa, isa, isa, isa, isa, isa, isa, isa, isa, isa, isa, isa, isa);
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

static void
putcandidates(const int *list, int n)
{
	for (int i = 0; i < n; i++)
		printf("\t{0x%08x, 0x%08x, %d, %d},\n", pat[list[i]].mask, pat[list[i]].bits, list[i], pat[list[i]].format);
	printf("};\n\n");
}

static void
putnumbers(const char *type, const char *name, const int *v, int n)
{
	printf("const %s %s_%s[] = {", type, isa, name);
	for (int i = 0; i < n; i++)
		printf("%s%d,", i % 16 ? " " : "\n\t", v[i]);
	printf("\n};\n\n");
}

static void
putlists(void)
{
	int one[MAXPAT + 1];

	printf("const struct %s_line %s_list[] = {\n", isa, isa);
	putcandidates(lists, nlists);
	putnumbers("u16", "from", from, npat + 1);
	putnumbers(rowtype(), "row", row, 1 << nindex);
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
	arrange();
	putdecls();
	printf("#ifdef %s_IMPLEMENT\n", isa);
	puttables();
	putdecoder();
	putrest();
	printf("#endif\n");
	return fflush(stdout) || ferror(stdout);
}
