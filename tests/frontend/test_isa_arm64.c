/* SPDX-License-Identifier: MIT */
/* test_isa_arm64.c - the decoder made from base.isa, against itself and against capstone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "frontend/arm64/arm64.h"
#include "ir/simple.h"

#define ISA a64
#include "isa_check.h"

static int
mine(u32 w)
{
	return (w >> 26 & 3) != 3;
}

static int
text(u32 w, u64 pc, char *buf, size_t n)
{
	struct a64_insn a;
	u8 p[4];

	st32(p, w);
	a64_disasm(p, 4, pc, buf, n);
	return a64_decode(w, &a);
}

/* ldp and its kin with two equal targets, or with writeback to a target: constrained unpredictable;
 * we do what hardware does, capstone refuses them */
static int
samepair(u32 w)
{
	int rd = w & 31, rn = w >> 5 & 31, rt2 = w >> 10 & 31, wb = w >> 23 & 1;

	return rd == rt2 || (wb && rn != 31 && (rn == rd || rn == rt2));
}

static int sameexcl(u32 w) { return (w & 31) == (w >> 10 & 31); }
static int
samewb(u32 w)
{
	return (w & 31) == (w >> 5 & 31) && (w >> 5 & 31) != 31;
}
static int isbfc(u32 w) { return (w >> 5 & 31) == 31; }
static int op0is0(u32 w) { return !(w >> 20 & 1); }

static int isalways(u32 w) { return (w >> 13 & 7) == 7; }
static int
numbered(u32 w)
{
	char name[64];

	a64_textsysreg(name, sizeof name, w >> 5 & 0x7fff);
	return name[0] == 's' && name[2] == '_';
}
static int
negative(u32 w)
{
	return w >> 20 & 1;
}

#define NEW "later than capstone 4 knows (Armv8.1 and up)"
#define NEG "negative offsets shown as unsigned"
#define PAIR "constrained unpredictable register overlap"
static const struct isa_gap gap[] = {
	{"mov_m", 0, "capstone shows the instruction, the manual prefers the alias", 0},
	{"mov_z", 0, "capstone shows movz, the manual prefers mov", 0},
	{"mov_n", 0, "capstone shows movn, the manual prefers mov", 0},
	{"csinc", 0, "no cset for al in the manual", isalways},
	{"csneg", 0, "no cneg for al in the manual", isalways},
	{"sys", 0, "tlbi, at, dc, ic by their names", 0},
	{"csinv", 0, "no csetm for al in the manual", isalways},
	{"msr", 0, "more names, or op0 = 2 shown as 3", numbered},
	{"mrs", 0, "more names, or op0 = 2 shown as 3", numbered},
	{"bfm", 0, "bfc, an alias of Armv8.2", isbfc},
	{"ldp", 0, PAIR, samepair}, {"ldnp", 0, PAIR, samepair}, {"ldpsw", 0, PAIR, samepair},
	{"ldp_pre", 0, PAIR, samepair}, {"ldp_post", 0, PAIR, samepair},
	{"ldpsw_pre", 0, PAIR, samepair}, {"ldpsw_post", 0, PAIR, samepair},
	{"stp_pre", 0, PAIR, samepair}, {"stp_post", 0, PAIR, samepair},
	{"ldxp", 0, PAIR, sameexcl},
	{"ldr_pre", 0, PAIR, samewb}, {"ldr_post", 0, PAIR, samewb},
	{"lds_pre", 0, PAIR, samewb}, {"lds_post", 0, PAIR, samewb},
	{"ldsw_pre", 0, PAIR, samewb}, {"ldsw_post", 0, PAIR, samewb},
	{"ldr_t", 0, PAIR, samewb}, {"lds_t", 0, PAIR, samewb}, {"ldsw_t", 0, PAIR, samewb},
	{"str_t", 0, PAIR, samewb},
	{"str_pre", 0, PAIR, samewb}, {"str_post", 0, PAIR, samewb},
	{"str_post", 0, NEG, negative}, {"ldr_post", 0, NEG, negative},
	{"lds_post", 0, NEG, negative}, {"ldsw_post", 0, NEG, negative},
	{0, "msr", "op0 = 0 is not a register", op0is0}, {0, "mrs", "op0 = 0 is not a register", op0is0},
	{"udf", 0, NEW, 0}, {"esb", 0, NEW, 0}, {"bti", 0, NEW, 0}, {"cfinv", 0, NEW, 0},
	{"xaflag", 0, NEW, 0}, {"axflag", 0, NEW, 0}, {"msr_i", 0, NEW, 0}, {"dc_cvap", 0, NEW, 0},
	{"dc_cvadp", 0, NEW, 0}, {"rmif", 0, NEW, 0}, {"setf8", 0, NEW, 0}, {"setf16", 0, NEW, 0},
	{"sb", 0, NEW, 0}, {"stllr", 0, NEW, 0}, {"ldlar", 0, NEW, 0}, {"ldapr", 0, NEW, 0}, {"stlur", 0, NEW, 0},
	{"ldapur", 0, NEW, 0}, {"ldapurs", 0, NEW, 0}, {"ldapursw", 0, NEW, 0},
	{"cas", 0, NEW, 0}, {"casp", 0, NEW, 0}, {"swp", 0, NEW, 0},
	{"stadd", 0, NEW, 0}, {"stclr", 0, NEW, 0}, {"steor", 0, NEW, 0}, {"stset", 0, NEW, 0},
	{"stsmax", 0, NEW, 0}, {"stsmin", 0, NEW, 0}, {"stumax", 0, NEW, 0}, {"stumin", 0, NEW, 0},
	{"ldadd", 0, NEW, 0}, {"ldclr", 0, NEW, 0}, {"ldeor", 0, NEW, 0}, {"ldset", 0, NEW, 0},
	{"ldsmax", 0, NEW, 0}, {"ldsmin", 0, NEW, 0}, {"ldumax", 0, NEW, 0}, {"ldumin", 0, NEW, 0},
	{0, 0, 0, 0}
};

static void
test_every_line_round_trips(void **s)
{
	(void)s;
	isa_roundtrip(4000);
}

static void
test_random_words_round_trip(void **s)
{
	(void)s;
	isa_anyword(2000000);
}

static void
test_agrees_with_capstone(void **s)
{
	static const struct isa_capstone c = {
		CS_ARCH_ARM64, CS_MODE_ARM, 0x10000000, text, mine, gap, 0, 2,
	};

	(void)s;
	isa_capstone(&c, 400);
}

/* Short forms are made without the decoder: what has one is of the line that is sought, which does not exclude it. */
static void
test_simple_words_decode(void **s)
{
	int n = 0;

	(void)s;
	cpu_model.have = ~(u64)0;
	for (int i = 0; i < 4000000; i++) {
		struct simple simple;
		struct a64_insn a;
		u32 w;
		u8 p[4];

		w = a64_random(1 + (int)(isa_rnd() % (a64_COUNT - 1)), isa_rnd());
		st32(p, w);
		if (!a64_simple(p, 4, 0x10000, &simple))
			continue;
		assert_int_equal(a64_decode(w, &a), a64_seek(w));
		n++;
	}
	assert_true(n > 1000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line_round_trips),
		cmocka_unit_test(test_random_words_round_trip),
		cmocka_unit_test(test_agrees_with_capstone),
		cmocka_unit_test(test_simple_words_decode),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
