/* SPDX-License-Identifier: MIT */
/* test_isa_simd.c - the decoder made from simd.isa, against itself and against capstone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "frontend/arm64/simd.h"

#define ISA a64v
#include "isa_check.h"

/* Instructions of Armv8.1 and later, which capstone 4 does not know: RDM, FP16, DotProd, FHM, FCMA,
 * JSCVT.  They are told by the line, so that one of ours that is too wide is still seen. */
static int
later(u32 w)
{
	static const char *const name[] = {"sqrdmla", "sqrdmls", "sdot", "udot", "fmlal", "fmlsl", "fcmla",
	    "fcadd", "fjcvtzs"};
	struct a64v_insn a;
	int id = a64v_decode(w, &a);

	for (size_t i = 0; i < NELEM(name); i++)
		if (!strncmp(a64v_name[id], name[i], strlen(name[i])))
			return 1;
	return a.ft == 3 && id != a64v_fcvt_s && id != a64v_fcvt_d;
}

/* of a line none of whose words is judged */
static const char *
unknown(int id)
{
	for (int i = 0; i < 200; i++) {
		u32 w = a64v_random(id, isa_rnd());
		struct a64v_insn a;

		if (a64v_decode(w, &a) == id && !later(w))
			return 0;
	}
	return "later than capstone 4 knows (Armv8.1 and up)";
}

static int
mine(u32 w)
{
	return (w >> 26 & 3) == 3 && !later(w);
}

static int
text(u32 w, u64 pc, char *buf, size_t n)
{
	return simd_disasm(w, pc, buf, n);
}

/* ldp and its kin with two equal targets: constrained unpredictable, capstone refuses them */
static int samepair(u32 w) { return (w & 31) == (w >> 10 & 31); }
static int half(u32 w) { return (w >> 19 & 15) < 4; }          /* immh */
static int samesource(u32 w) { return (w >> 5 & 31) == (w >> 16 & 31); }
static int spare(u32 w) { return (w >> 16 & 31) != (w >> 16 & 31 & -(w >> 16 & 31)); }
static int negative(u32 w) { return w >> 20 & 1; }

#define PAIR "constrained unpredictable register overlap"
#define MOV "capstone shows ins, the manual prefers mov"
#define FP16 "FP16 is later than capstone 4 knows"
#define NEG "negative offsets shown as unsigned"
#define SPARE "bits that the manual lets be anything"
static const struct isa_gap gap[] = {
	{"ldp", 0, PAIR, samepair}, {"ldp_pre", 0, PAIR, samepair}, {"ldp_post", 0, PAIR, samepair},
	{"ldnp", 0, PAIR, samepair},
	{"ins_gb", 0, MOV, 0}, {"ins_gh", 0, MOV, 0}, {"ins_gs", 0, MOV, 0}, {"ins_gd", 0, MOV, 0},
	{"ins_eb", 0, MOV, 0}, {"ins_eh", 0, MOV, 0}, {"ins_es", 0, MOV, 0}, {"ins_ed", 0, MOV, 0},
	{"orr_v", 0, "alias mov, which the table does not tell apart", samesource},
	{"scvtf_vi", 0, FP16, half}, {"scvtf_si", 0, FP16, half},
	{"ucvtf_vi", 0, FP16, half}, {"ucvtf_si", 0, FP16, half},
	{"fcvtzs_vi", 0, FP16, half}, {"fcvtzs_si", 0, FP16, half},
	{"fcvtzu_vi", 0, FP16, half}, {"fcvtzu_si", 0, FP16, half},
	{"dup_gb", 0, SPARE, spare}, {"dup_gh", 0, SPARE, spare}, {"dup_gs", 0, SPARE, spare},
	{"dup_gd", 0, SPARE, spare},
	{"str_post", 0, NEG, negative}, {"ldr_post", 0, NEG, negative},
	{0, 0, 0, 0}
};

static void
test_every_line_round_trips(void **s)
{
	(void)s;
	isa_roundtrip(2000);
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
		CS_ARCH_ARM64, CS_MODE_ARM, 0x10000000, text, mine, gap, unknown,
		20,            /* lane numbers above 9 and masks of bytes it shows in hex */
	};

	(void)s;
	isa_capstone(&c, 300);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line_round_trips),
		cmocka_unit_test(test_random_words_round_trip),
		cmocka_unit_test(test_agrees_with_capstone),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
