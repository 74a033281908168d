/* SPDX-License-Identifier: MIT */
/* test_isa_riscv.c - riscv.isa and rvc.isa: round trips, and agreement of our text with objdump's
 *
 * DRAGOMAN_SEED=n replays a run.  Capstone 4 knows no RISC-V, so the judge of the text is binutils: all
 * words go into one object file whose attributes name our extensions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "frontend/riscv/vector.h"
#include "ir/simple.h"
#include "riscv/rvc.h"

enum { PERLINE = 40, MAXWORD = (riscv_COUNT + rvv_COUNT) * PERLINE };

static u64 state;

static u32
rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (u32)(state >> 16);
}

static int
seed(void **unused)
{
	const char *s = getenv("DRAGOMAN_SEED");

	(void)unused;
	state = s ? strtoull(s, 0, 0) : (u64)time(0) * 0x9e3779b97f4a7c15;
	print_message("DRAGOMAN_SEED=%llu\n", (unsigned long long)state);
	return 0;
}

/* -- round trips -- */

static void
test_words_of_a_line_decode_to_it_and_encode_back(void **unused)
{
	struct riscv_insn a;

	(void)unused;
	for (int id = 1; id < riscv_COUNT; id++) {
		int own = 0;

		for (int i = 0; i < 300; i++) {
			u32 w = riscv_random(id, rnd());
			int got = riscv_decode(w, &a);

			own += got == id;
			if (!got || riscv_encode(&a) != (got == id ? w : (w & ~riscv_pat[got].ignored)))
				fail_msg("%s: %08x gives %s, back %08x", riscv_name[id], w, riscv_name[got],
				         got ? riscv_encode(&a) : 0);
		}
		if (own < 200)
			fail_msg("%s is hidden by other lines", riscv_name[id]);
	}
}

/* The vector unit's words are the same lines of riscv.isa for all; narrower lines hide words of wider ones. */
static void
test_words_of_a_vector_line_decode_to_it_and_encode_back(void **unused)
{
	struct rvv_insn a;
	struct riscv_insn b;

	(void)unused;
	for (int id = 1; id < rvv_COUNT; id++) {
		int own = 0;

		for (int i = 0; i < 300; i++) {
			u32 w = rvv_random(id, rnd());
			int got = rvv_decode(w, &a);

			own += got == id;
			if (!got || rvv_encode(&a) != w)
				fail_msg("%s: %08x gives %s, back %08x", rvv_name[id], w, rvv_name[got], got ? rvv_encode(&a) : 0);
			if (riscv_decode(w, &b) < riscv_v_op)
				fail_msg("%s: %08x is %s to riscv.isa", rvv_name[id], w, riscv_name[b.id]);
		}
		if (own < 200)
			fail_msg("%s is hidden by other lines", rvv_name[id]);
	}
}

/* All 65536 words: the two low bits of a 32-bit instruction match nothing. */
static void
test_compressed_words_decode_and_encode_back(void **unused)
{
	static int seen[rvc_COUNT];
	struct rvc_insn a;

	(void)unused;
	for (u32 w = 0; w < 0x10000; w++) {
		int id = rvc_decode(w, &a);

		assert_true(!id || (w & 3) != 3);
		if (id && rvc_encode(&a) != w)
			fail_msg("%s: %04x gives back %04x", rvc_name[id], w, rvc_encode(&a));
		seen[id]++;
	}
	for (int id = 1; id < rvc_COUNT; id++)
		if (!seen[id])
			fail_msg("%s is hidden", rvc_name[id]);
	assert_int_equal(rvc_decode(0, &a), rvc_none);
}

/* -- objdump -- */

/* Lines that binutils does not print, and why. */
#define ZFA "Zfa: later than binutils 2.40"
static const struct { int id; const char *why; } unknowns[] = {
	{riscv_czero_eqz, "later than binutils 2.40"}, {riscv_czero_nez, "later than binutils 2.40"},
	{riscv_fli_s, ZFA}, {riscv_fminm_s, ZFA}, {riscv_fmaxm_s, ZFA}, {riscv_fround_s, ZFA}, {riscv_froundnx_s, ZFA},
	{riscv_fltq_s, ZFA}, {riscv_fleq_s, ZFA}, {riscv_fli_d, ZFA}, {riscv_fminm_d, ZFA}, {riscv_fmaxm_d, ZFA},
	{riscv_fround_d, ZFA}, {riscv_froundnx_d, ZFA}, {riscv_fltq_d, ZFA}, {riscv_fleq_d, ZFA}, {riscv_fli_h, ZFA},
	{riscv_fminm_h, ZFA}, {riscv_fmaxm_h, ZFA}, {riscv_fround_h, ZFA}, {riscv_froundnx_h, ZFA}, {riscv_fltq_h, ZFA},
	{riscv_fleq_h, ZFA}, {riscv_fcvtmod_w_d, ZFA},
	{riscv_mop_r, "later than binutils 2.40"}, {riscv_mop_rr, "later than binutils 2.40"}, {riscv_clock, "our own"},
};
static int
unknown(int id)
{
	for (size_t i = 0; i < NELEM(unknowns); i++)
		if (unknowns[i].id == id)
			return 1;
	return 0;
}

/* of a line of rvv.isa: binutils 2.40 knows V, but nothing that came later */
static int
vunknown(u32 w)
{
	struct rvv_insn a;

	return rvv_decode(w, &a) && a.need;
}

static int
toolrun(const char *dir, const char *march)
{
	char cmd[800];

	snprintf(cmd, sizeof cmd,
	         "cd %s && echo nop >a.s && riscv64-linux-gnu-as -march=%s -o a.o a.s 2>/dev/null && "
	         "riscv64-linux-gnu-objcopy --update-section .text=words a.o b.o && "
	         "riscv64-linux-gnu-objdump -d -z -M no-aliases b.o >text", dir, march);
	return system(cmd);
}

/* out gets s without blanks, "0x", and what follows an address or a comment */
static void
normal(const char *s, char *out, size_t n)
{
	size_t k = 0;

	for (; *s && *s != '<' && *s != '#' && *s != '\n' && k + 1 < n; s++)
		if (s[0] == '0' && s[1] == 'x')
			s++;
		else if (*s != ' ' && *s != '\t')
			out[k++] = *s;
	out[k] = 0;
}

/* Whether the difference is one of taste: a CSR we have no name for, a reserved rounding mode or a
 * mode where it is without effect, hints, and fences without a set. */
static int
tolerated(const struct riscv_insn *a, const char *theirs)
{
	switch (a->id) {
	case riscv_csrrw: case riscv_csrrs: case riscv_csrrc:
	case riscv_csrrwi: case riscv_csrrsi: case riscv_csrrci:
		return a->csr > CSR_FCSR && !(a->csr >= CSR_CYCLE && a->csr <= CSR_INSTRET);
	case riscv_fence:
		return !a->pred || !a->succ;
	case riscv_fcvt_s_h: case riscv_fcvt_d_s: case riscv_fcvt_d_h: case riscv_fcvt_d_w: case riscv_fcvt_d_wu:
		return strstr(theirs, "byte") != 0;
	}
	return (a->rm == 5 || a->rm == 6) && (strstr(theirs, "byte") || strstr(theirs, "unknown"));
}

/* shifts by 0, which have a name of their own in RV128; the defined illegal word; adding 0 to sp,
 * which is reserved; Zcb and Zcmop, later than binutils 2.40 */
static int
ctolerated(u32 w, const char *theirs)
{
	struct rvc_insn c;

	return (rvc_decode(w, &c) && c.need && strstr(theirs, ".2byte")) || w == 0 || w == 0x6101 || (!(w & 0x107c) && strstr(theirs, "64"));
}

static int
compare(FILE *text, const u8 *words, size_t size)
{
	char line[400], ours[200], a[200], b[200];
	struct riscv_insn insn;
	int checked = 0, len;
	unsigned at;
	u32 w;

	while (fgets(line, sizeof line, text)) {
		char *theirs = strchr(line, '\t');

		if (!theirs || sscanf(line, " %x:", &at) != 1 || at >= size || !(theirs = strchr(theirs + 1, '\t')))
			continue;
		len = rv_disasm(words + at, 4, at, ours, sizeof ours);
		rv_decode(words + at, 4, &insn, &w);
		normal(theirs, a, sizeof a);
		normal(ours, b, sizeof b);
		if (strcmp(a, b) && !(len == 4 ? unknown(insn.id) || vunknown(w) || tolerated(&insn, a) : ctolerated(w, a)))
			fail_msg("%08x at %x: ours \"%s\", objdump \"%s\"", w, at, b, a);
		checked++;
	}
	return checked;
}

static void
judge(const u8 *words, size_t size, int atleast)
{
	char dir[] = "/tmp/dragoman-isa-XXXXXX", path[100];
	FILE *f;
	int n;

	if (system("riscv64-linux-gnu-objdump --version >/dev/null 2>&1")) {
		print_message("skipped: no riscv64-linux-gnu-objdump\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/words", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(words, 1, size, f), size);
	fclose(f);
	if (toolrun(dir, "rv64gcv_zba_zbb_zbc_zbs_zbkb_zbkc_zbkx_zknd_zkne_zknh_zfh_zicbom_zicboz_zicbop_zawrs_zihintpause")) {
		print_message("skipped: binutils too old for our extensions\n");
		skip();
	}
	snprintf(path, sizeof path, "%s/text", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	n = compare(f, words, size);
	fclose(f);
	snprintf(path, sizeof path, "rm -r %s", dir);
	assert_int_equal(system(path), 0);
	print_message("%d texts equal or tolerated\n", n);
	assert_true(n >= atleast);
}

static void
test_text_equals_objdump(void **unused)
{
	static u8 words[MAXWORD * 4 + 4];
	size_t n = 0;

	(void)unused;
	for (int id = 1; id < riscv_v_op; id++)
		for (int i = 0; i < PERLINE; i++, n += 4)
			st32(words + n, riscv_random(id, rnd()));
	for (int id = 1; id < rvv_COUNT; id++)
		for (int i = 0; i < PERLINE; i++, n += 4)
			st32(words + n, rvv_random(id, rnd()));
	judge(words, n, (int)n / 4);
	for (size_t i = 0; i < NELEM(unknowns); i++)
		print_message("not compared: %s (%s)\n", riscv_name[unknowns[i].id], unknowns[i].why);
	for (int id = 1; id < rvv_COUNT; id++)
		if (rvv_tmpl[id].need)
			print_message("not compared: %s (later than binutils 2.40)\n", rvv_name[id]);
}

/* with a 32-bit nop between, so that no word is taken for half of another */
static void
test_compressed_text_equals_objdump(void **unused)
{
	static u8 words[0x10000 * 2 + 4];
	size_t n = 0;

	(void)unused;
	for (u32 w = 0; w < 0x10000; w++)
		if ((w & 3) != 3) {
			st16(words + n, (u16)w);
			n += 2;
		}
	judge(words, n, (int)n / 2);
}

/* undefined for us is undefined for objdump too, or outside what we claim */
static void
test_random_words_print(void **unused)
{
	char buf[100];
	u8 p[4];

	(void)unused;
	for (int i = 0; i < 200000; i++) {
		st32(p, rnd());
		int len = rv_disasm(p, 4, 0x1000, buf, sizeof buf);
		assert_true((len == 2 || len == 4) && *buf);
	}
}

/* Short forms are made without the decoder: what has one is of the line that is sought, which does not exclude it. */
static void
test_simple_words_decode(void **unused)
{
	int n = 0;

	(void)unused;
	cpu_model.have = ~(u64)0;
	for (int i = 0; i < 2000000; i++) {
		u32 w = riscv_random(1 + (int)(rnd() % (riscv_COUNT - 1)), rnd());
		struct simple simple;
		struct riscv_insn a;
		u8 p[4];

		st32(p, w);
		if (rv_simple(p, 4, 0x10000, &simple) != 4)
			continue;
		assert_int_equal(riscv_decode(w, &a), riscv_seek(w));
		n++;
	}
	assert_true(n > 100000);
}

/* The short form of a 16-bit instruction is that of the one of 32 bits for which it stands. */
static void
test_simple_shorts_are_their_words(void **unused)
{
	int n = 0;

	(void)unused;
	cpu_model.have = ~(u64)0;
	for (u32 w = 0; w < 1 << 16; w++) {
		struct simple one, two;
		struct riscv_insn a;
		u32 word;
		u8 p[4];

		st32(p, w);
		if ((w & 3) == 3 || rv_simple(p, 2, 0x10000, &one) != 2)
			continue;
		assert_int_equal(rv_decode(p, 2, &a, &word), 2);
		assert_true(a.id);
		st32(p, riscv_encode(&a));
		assert_int_equal(rv_simple(p, 4, 0x10000, &two), 4);
		two.next = one.next;
		assert_memory_equal(&one, &two, sizeof one);
		n++;
	}
	assert_true(n > 40000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_a_line_decode_to_it_and_encode_back),
		cmocka_unit_test(test_words_of_a_vector_line_decode_to_it_and_encode_back),
		cmocka_unit_test(test_compressed_words_decode_and_encode_back),
		cmocka_unit_test(test_text_equals_objdump),
		cmocka_unit_test(test_compressed_text_equals_objdump),
		cmocka_unit_test(test_random_words_print),
		cmocka_unit_test(test_simple_words_decode),
		cmocka_unit_test(test_simple_shorts_are_their_words),
	};

	return cmocka_run_group_tests(tests, seed, 0);
}
