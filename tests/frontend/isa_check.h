/* SPDX-License-Identifier: MIT */
/* isa_check.h - what every decoder made by isagen must do, for the tests of one ISA
 *
 * Before including it: include cmocka and the decoder's header, and define ISA as the prefix.  Then
 *
 *   isa_roundtrip(n)      n random words of every line: each line is reached by some, and encoding
 *                         what was decoded gives the word back
 *   isa_anyword(n)        n random words: what decodes encodes to the same word (ignored bits aside)
 *   isa_capstone(c, n)    both kinds of words: valid here if and only if valid for capstone, and the
 *                         same mnemonic; operands are compared too, and all but c->operands per
 *                         mille of them must be equal.  A gap is something where the two may differ.
 *                         Every line must be seen to agree, or be a gap, which is printed.
 *
 * The seed is printed; ISA_SEED in the environment repeats a run. */
#ifndef ISA_CHECK_H
#define ISA_CHECK_H

#include <capstone/capstone.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/word.h"

#define ISA_CAT_(a, b) a##b
#define ISA_CAT(a, b) ISA_CAT_(a, b)
#define ISA_(name) ISA_CAT(ISA, name)

static u64 isa_state;

static u32
isa_rnd(void)
{
	if (!isa_state) {
		const char *s = getenv("ISA_SEED");

		isa_state = s ? strtoull(s, 0, 0) : (u64)time(0) * 2654435761u | 1;
		printf("ISA_SEED=%llu\n", (unsigned long long)isa_state);
	}
	isa_state = isa_state * 6364136223846793005u + 1442695040888963407u;
	return (u32)(isa_state >> 32);
}

static void __attribute__((unused))
isa_roundtrip(int n)
{
	struct ISA_(_insn) a;

	for (int id = 1; id < ISA_(_COUNT); id++) {
		int hits = 0;

		/* lines that need rare words get more tries */
		for (int i = 0; i < n || (!hits && i < 4000000); i++) {
			u32 w = ISA_(_random)(id, isa_rnd());

			if (ISA_(_decodetext)(w, &a) != id)
				continue;
			hits++;
			if (ISA_(_encode)(&a) != w)
				fail_msg("%s: %08x encodes to %08x", ISA_(_name)[id], w, ISA_(_encode)(&a));
		}
		if (!hits)
			fail_msg("%s: no word of this line decodes to it", ISA_(_name)[id]);
	}
}

static void __attribute__((unused))
isa_anyword(int n)
{
	struct ISA_(_insn) a, b;

	for (int i = 0; i < n; i++) {
		u32 w = isa_rnd(), v;
		int id = ISA_(_decodetext)(w, &a);

		if (!id)
			continue;
		v = ISA_(_encode)(&a);
		if (((v ^ w) & ~ISA_(_pat)[id].ignored) && sizeof w * 8 == 32)
			fail_msg("%s: %08x encodes to %08x", ISA_(_name)[id], w, v);
		if (ISA_(_decodetext)(v, &b) != id || ISA_(_encode)(&b) != v)
			fail_msg("%s: %08x does not decode as %08x does", ISA_(_name)[id], v, w);
	}
}

/* Where capstone may differ: `line`, a line of ours that it does not know or prints otherwise,
 * or `theirs`, the start of a mnemonic of its own for words that we refuse; for the words for which
 * when() holds, if there is one. */
struct isa_gap { const char *line, *theirs, *reason; int (*when)(u32 w); };

struct isa_capstone {
	cs_arch arch;
	cs_mode mode;
	u64 pc;
	int (*text)(u32 w, u64 pc, char *buf, size_t n);       /* our text; 0: invalid */
	int (*mine)(u32 w);                                    /* words of this ISA; 0: all */
	const struct isa_gap *gap;                             /* ends with an all-zero entry */
	const char *(*unknown)(int id);                        /* why its words are not `mine`, or 0; may be 0 */
	int operands;                                          /* tolerated differences, per mille */
};

struct isa_count { int words, differ, operands, valid; u8 shown[ISA_(_COUNT)]; u32 agree[ISA_(_COUNT)]; };

static int
isa_isgap(const struct isa_capstone *c, u32 w, const char *line, const char *theirs)
{
	for (const struct isa_gap *g = c->gap; g->reason; g++) {
		if (g->when && !g->when(w))
			continue;
		if ((line && g->line && !strcmp(line, g->line)) ||
		    (theirs && g->theirs && !strncmp(theirs, g->theirs, strlen(g->theirs))))
			return 1;
	}
	return 0;
}

/* blanks are a matter of taste, and so is 0x before one decimal digit */
static void
isa_squeeze(char *to, const char *from)
{
	for (; *from; from++) {
		if (!strncmp(from, "0x", 2) && from[2] <= '9' && !isxdigit((u8)from[3]))
			from += 2;
		if (*from != ' ')
			*to++ = *from;
	}
	*to = 0;
}

/* counts a difference; whether to print it: two a line are enough */
static int
isa_show(int *count, struct isa_count *k, int id)
{
	++*count;
	return k->shown[id] < 2 && ++k->shown[id];
}

static void
isa_compare(const struct isa_capstone *c, csh h, u32 w, struct isa_count *k)
{
	char ours[256] = "", a[256], b[256], *op;
	struct ISA_(_insn) insn;
	int valid = c->text(w, c->pc, ours, sizeof ours), id = ISA_(_decodetext)(w, &insn);
	cs_insn *ci = 0;
	size_t n = cs_disasm(h, (const u8 *)&w, 4, c->pc, 1, &ci);

	k->words++;
	if ((op = strchr(ours, '\t')))
		*op++ = 0;
	if (!valid != !n) {
		if (!isa_isgap(c, w, valid ? ISA_(_name)[id] : 0, n ? ci->mnemonic : 0) && isa_show(&k->differ, k, id))
			printf("%08x %-10s ours '%s' capstone '%s %s'\n", w, ISA_(_name)[id],
			       valid ? ours : "invalid", n ? ci->mnemonic : "invalid", n ? ci->op_str : "");
	} else if (valid && strcmp(ours, ci->mnemonic)) {
		if (!isa_isgap(c, w, ISA_(_name)[id], ci->mnemonic) && isa_show(&k->differ, k, id))
			printf("%08x %-10s ours '%s %s' capstone '%s %s'\n", w, ISA_(_name)[id], ours,
			       op ? op : "", ci->mnemonic, ci->op_str);
	} else if (valid) {
		k->valid++;
		k->agree[id]++;
		isa_squeeze(a, op ? op : "");
		isa_squeeze(b, ci->op_str);
		if (strcmp(a, b) && !isa_isgap(c, w, ISA_(_name)[id], 0) && isa_show(&k->operands, k, id))
			printf("%08x %-10s '%s %s' differs from '%s'\n", w, ISA_(_name)[id], ours, op ? op : "",
			       ci->op_str);
	}
	if (n)
		cs_free(ci, n);
}

/* Every line that capstone was never seen to know, by name; fails if none of the gaps says why. */
static void
isa_lines(const struct isa_capstone *c, const struct isa_count *k)
{
	int agree = 0, gaps = 0;

	for (int id = 1; id < ISA_(_COUNT); id++) {
		const char *why = c->unknown ? c->unknown(id) : 0;

		if (k->agree[id]) {
			agree++;
			continue;
		}
		for (const struct isa_gap *g = c->gap; !why && g->reason; g++)
			if (g->line && !strcmp(g->line, ISA_(_name)[id]) && !g->when)
				why = g->reason;
		if (!why)
			fail_msg("%s: never compared with capstone", ISA_(_name)[id]);
		printf("not compared: %s (%s)\n", ISA_(_name)[id], why);
		gaps++;
	}
	printf("%d lines agree with capstone, %d are not compared\n", agree, gaps);
}

static void __attribute__((unused))
isa_capstone(const struct isa_capstone *c, int n)
{
	static struct isa_count k;
	csh h;

	if (cs_open(c->arch, c->mode, &h) != CS_ERR_OK) {
		printf("capstone does not know this architecture: skipped\n");
		skip();
	}
	for (int id = 1; id < ISA_(_COUNT); id++) {
		struct ISA_(_insn) a;

		for (int i = 0; i < n; i++) {
			u32 w = ISA_(_random)(id, isa_rnd());

			if (!c->mine || c->mine(w))
				isa_compare(c, h, w, &k);
		}
		/* lines that need rare words */
		for (int i = 0; i < 4000000 && !k.agree[id] && ISA_(_decodetext)(ISA_(_pat)[id].bits, &a) != id; i++) {
			u32 w = ISA_(_random)(id, isa_rnd());

			if (ISA_(_decodetext)(w, &a) == id && (!c->mine || c->mine(w)))
				isa_compare(c, h, w, &k);
		}
	}
	for (int i = 0; i < n * ISA_(_COUNT); i++) {
		u32 w = isa_rnd();

		if (!c->mine || c->mine(w))
			isa_compare(c, h, w, &k);
	}
	cs_close(&h);
	printf("%d words, %d valid in both, %d differ, %d operand texts differ\n", k.words, k.valid,
	       k.differ, k.operands);
	if (k.differ || (s64)k.operands * 1000 > (s64)k.valid * c->operands)
		fail_msg("%d words differ from capstone", k.differ + k.operands);
	isa_lines(c, &k);
}

#endif
