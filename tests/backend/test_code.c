/* SPDX-License-Identifier: MIT */
/* test_code.c - the host code of the commonest guest instructions and pairs, to the letter
 *
 * tests/backend/code/GUEST.txt holds a line "> WORDS" for each case, below it the guest's text and the host's.  What
 * is below is compared; `make bless` (CODE_BLESS=1) writes it anew, so that slower code shows in review.  The words
 * are what Debian's libraries hold most of.  Host features are fixed (x86-64-v3 and AES); flags are dead after a case;
 * addresses of the machine are replaced by what they mean; the jump to the next instruction and the cold code after it are left
 * out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "base/guest.h"
#include "base/host.h"
#include "base/util.h"
#include "form.h"

#define HIDE "avx512,vbmi,vbmi2,bitalg,vpopcnt,vnni,ifma,fp16,gfni,vaes,vpclmul,sha,erms"

enum { AREA = 1 << 20, PC = 0x10000, MAXWORDS = 32 };

static u8 *area, *code_at;
static struct out out;
static struct region region;

struct text { char *s; size_t n, cap; };

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->n + 512 > t->cap)
		t->s = realloc(t->s, t->cap = 2 * t->cap + 4096);
	va_start(ap, fmt);
	t->n += (size_t)vsnprintf(t->s + t->n, 512, fmt, ap);
	va_end(ap);
}

/* What an address in host code means: a block's head, a link, the engine. */
static void
meaning(u64 v, char *buf, size_t n)
{
	u64 at = (u64)(uintptr_t)out.code;

	if (v < (u64)(uintptr_t)area || v >= (u64)(uintptr_t)area + AREA) {
		snprintf(buf, n, "HOST");
		return;
	}
	snprintf(buf, n, v < at ? "STUB" : "+%llu", (unsigned long long)(v - at));
	for (int k = 0; k < out.nlink; k++)
		if (v == at + out.link[k].stub)
			snprintf(buf, n, "EXIT %#llx", (unsigned long long)out.link[k].pc);
}

/* A function of dragoman's is found by its distance from an anchor, which every build changes: two instructions, shown
 * as one.  1: s was one of them. */
static int
host_function(struct text *t, const char *s)
{
	static int begun;
	char anchor[32];

	snprintf(anchor, sizeof anchor, "[rbp + 0x%x]", (unsigned)(offsetof(struct cpu, anchor) - CPU_BIAS));
	if (begun)
		add(t, "\tlea %.3s, HOST\n", s + 4);
	else if (!strstr(s, anchor))
		return 0;
	begun ^= 1;
	return 1;
}

/* One instruction's text, host addresses and distances to constants replaced. */
static void
host_text(struct text *t, const char *s)
{
	const char *rip = strstr(s, "[rip "), *p = s;
	char what[32];

	add(t, "\t");
	while (*p) {
		char *end;
		u64 v = !strncmp(p, "0x", 2) ? strtoull(p, &end, 16) : 0, jc = offsetof(struct cpu, jc) - CPU_BIAS;

		if (p == rip) {
			add(t, "[CONST");
			p += strcspn(p, "]");
		} else if (v >= (u64)1 << 40 && v < (u64)1 << 47) {
			meaning(v, what, sizeof what);
			add(t, "%s", what);
			p = end;
		} else if (v == jc || v == jc + 8) {   /* where the jump cache lies in the record is no matter */
			add(t, v == jc ? "JC" : "JC + 8");
			p = end;
		} else {
			add(t, "%c", *p++);
		}
	}
	add(t, "\n");
}

static int
translate(const struct guest *g, const u8 *p, int n)
{
	int going = form(&region, g, PC, p, (u64)n);

	if (region.pieces > 1 || region.again)
		ir_wide(&region);
	ir_dead(&region, dead, 0);
	return going;
}

static void
render(struct text *t, const struct guest *g, const u8 *p, int n)
{
	u32 size, off = 0;
	char text[256];
	int len, going;

	for (int at = 0; at < n; at += len) {
		len = g->disasm(p + at, n - at, PC + (u64)at, text, sizeof text);
		add(t, "  %s\n", text);
	}
	going = translate(g, p, n);
	out.code = code_at;
	out.end = area + AREA;
	assert_int_equal(host_x86_64.compile(&region, &out), 0);
	size = out.nlink ? out.link[0].stub : out.size;
	for (int k = 0; going && k < out.nlink; k++)           /* the jump to what follows, after which cold code begins */
		if (out.link[k].pc == PC + (u64)n && out.code[out.link[k].site - 1] == 0xe9)
			for (size = out.link[k].site - 1; size && out.code[size - 1] == 0x2e;)
				size--;
	for (; off < size; off += (u32)len) {
		len = host_x86_64.disasm(out.code + off, size - off, (u64)(uintptr_t)out.code + off, text, sizeof text);
		assert_true(len > 0);
		if (strncmp(text, "nop", 3) && !host_function(t, text))        /* alignment of a link, which depends on where the code lies */
			host_text(t, text);
	}
}

/* The words of one line, by their digits of 16 or 32 bits; returns the number of bytes. */
static int
words(const char *s, const char *line_end, u8 *p)
{
	int n = 0;

	for (; s < line_end && n + 4 <= MAXWORDS * 4; s += strspn(s, " ")) {
		char *end;
		u64 v = strtoull(s, &end, 16);
		long digits = end - s;

		assert_true(digits == 4 || digits == 8);
		memcpy(p + n, &v, (size_t)digits / 2);
		n += (int)digits / 2;
		s = end;
	}
	return n;
}

static char *
slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *s;
	long n;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	s = calloc(1, (size_t)n + 1);
	assert_int_equal(fread(s, 1, (size_t)n, f), n);
	fclose(f);
	return s;
}

/* The first line that differs, for the report. */
static void
report(const char *path, const char *want, const char *got)
{
	int line = 1;

	for (; *want && *want == *got; want++, got++)
		line += *want == '\n';
	while (*want && want[-1] != '\n' && line > 1)
		want--, got--;
	fail_msg("%s:%d: expected '%.*s', generated '%.*s' (make bless, if it is meant)", path, line,
	    (int)strcspn(want, "\n"), want, (int)strcspn(got, "\n"), got);
}

static void
check(const struct guest *g, const char *path)
{
	char *want = slurp(path);
	struct text t = {0};
	u8 bytes[MAXWORDS * 4];

	code_at = area + host_x86_64.init(HIDE, area, area + AREA);
	code_at = (u8 *)(alignup((uintptr_t)code_at, 64));
	host_x86_64.guest(g);
	for (char *line = want; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		int n = (int)strcspn(line, "\n");

		if (*line == '#' || !n) {
			add(&t, "%.*s\n", n, line);
		} else if (*line == '>') {
			add(&t, "%.*s\n", n, line);
			render(&t, g, bytes, words(line + 2, line + n, bytes));
		}
	}
	if (getenv("CODE_BLESS")) {
		FILE *f = fopen(path, "w");

		fwrite(t.s, 1, t.n, f);
		fclose(f);
	} else if (strcmp(want, t.s)) {
		report(path, want, t.s);
	}
	free(want);
	free(t.s);
}

extern const struct guest guest_aarch64, guest_riscv64;
static void test_code_of_arm64(void **s) { (void)s; check(&guest_aarch64, "tests/backend/code/arm64.txt"); }
static void test_code_of_riscv(void **s) { (void)s; check(&guest_riscv64, "tests/backend/code/riscv.txt"); }

/* Whole instructions, though libcapstone may not know them: what follows is shown as what it is. */
static void
test_disassembly_of_evex(void **state)
{
	static const struct { u8 n, code[11]; } ins[] = {
		{7, {0x62, 0xe3, 0x7d, 0x08, 0x16, 0xc8, 1}},           /* vpextrd eax, xmm17, 1 */
		{10, {0x62, 0xe1, 0x74, 0x08, 0x56, 0x0d, 0x34, 0x12}}, /* vorps xmm17, xmm1, [rip + 0x1234] */
		{7, {0x62, 0xe1, 0x74, 0x08, 0x56, 0x4b, 1}},           /* [rbx + 16] */
		{8, {0x62, 0xe1, 0x74, 0x08, 0x56, 0x4c, 0x8b, 1}},     /* [rbx + rcx * 4 + 16] */
		{11, {0x62, 0xe1, 0x74, 0x08, 0x56, 0x8c, 0x8b, 0x45, 0x23, 1}},
		{11, {0x62, 0xe1, 0x74, 0x08, 0x56, 0x0c, 0x8d, 0x45, 0x23, 1}},        /* [rcx * 4 + 0x12345] */
		{7, {0x62, 0xe1, 0x74, 0x08, 0x56, 0x0c, 0x0b}},        /* [rbx + rcx] */
		{7, {0x62, 0xb1, 0x6d, 0x00, 0x72, 0xd1, 3}},           /* vpsrld xmm18, xmm17, 3 */
		{7, {0x62, 0xe1, 0x75, 0x00, 0xc4, 0xd0, 1}},           /* vpinsrw xmm18, xmm17, eax, 1 */
		{7, {0x62, 0xb1, 0x6c, 0x00, 0xc2, 0xc9, 1}},           /* vcmpltps k1, xmm18, xmm17 */
		{9, {0x62, 0xe1, 0x74, 0x00, 0xc6, 0x54, 0x24, 1, 1}},  /* vshufps xmm18, xmm17, [rsp + 16], 1 */
		{6, {0x62, 0xa2, 0x6d, 0x00, 0x8d, 0xd9}},              /* vpermb xmm19, xmm18, xmm17 */
	};
	char text[160];

	(void)state;
	for (size_t i = 0; i < NELEM(ins); i++)
		assert_int_equal(host_x86_64.disasm(ins[i].code, sizeof ins[i].code, 0, text, sizeof text), ins[i].n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_code_of_arm64), cmocka_unit_test(test_code_of_riscv),
		cmocka_unit_test(test_disassembly_of_evex)};

	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("fma") ||
	    !__builtin_cpu_supports("aes") || !__builtin_cpu_supports("pclmul")) {
		puts("SKIP test_code: needs a host with AVX2, BMI2, FMA, AES and PCLMUL");
		return 0;
	}
	area = mmap((void *)0x300000000000, AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (area == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, 0, 0);
}
