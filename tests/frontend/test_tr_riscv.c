/* SPDX-License-Identifier: MIT */
/* test_tr_riscv.c - RISC-V translators: whatever the words, the IR is well formed; and the cases of
 * tests/insn/riscv give the state they state
 *
 * The cases are assembled by reading the operand texts of riscv.isa, rvc.isa and rvv.isa backwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <ctype.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>
#include "rvrun.h"
#include "frontend/riscv/vector.h"
#include "riscv/rvc.h"
#include "excl.h"

enum { CODE = 0x400000, DATA = 0x500000, SIZE = 4096, SAME = 0xff /* as rs1: what rd is */ };

static u64 rng;

static u32
rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (u32)(rng >> 16);
}

static int
setup(void **unused)
{
	const char *s = getenv("DRAGOMAN_SEED");
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	(void)unused;
	rng = s ? strtoull(s, 0, 0) : (u64)time(0) * 0x9e3779b97f4a7c15;
	print_message("DRAGOMAN_SEED=%llu\n", (unsigned long long)rng);
	return mmap((void *)CODE, SIZE, PROT_READ | PROT_WRITE, flags, -1, 0) != (void *)CODE
	    || mmap((void *)DATA, SIZE, PROT_READ | PROT_WRITE, flags, -1, 0) != (void *)DATA;
}

/* -- well formed -- */

/* of a random line, or anything */
static u32
word(void)
{
	switch (rnd() % 4) {
	case 0: return rnd();
	case 1: return rvv_random(1 + (int)(rnd() % (rvv_COUNT - 1)), rnd());
	default: return riscv_random(1 + (int)(rnd() % (riscv_COUNT - 1)), rnd());
	}
}

/* in every rounding mode, with every vtype */
static void
test_random_words_translate_to_verified_ir(void **unused)
{
	static struct region r;
	u8 *code = (u8 *)CODE;
	const char *wrong;

	(void)unused;
	for (int n = 0; n < 20000; n++) {
		for (int i = 0; i < 32; i += 4)
			st32(code + i, word());
		riscv_state(&rvrun_cpu)->vcfg = vcfg_make(rnd() % 4 ? ~(u64)0 : rnd() % 128, rnd() % 256);
		wrong = rvrun_translate(&r, CODE, CODE + 30, rnd() % 8);
		if (wrong) {
			for (int i = 0; i < 32; i += 4)
				print_message("%08x ", ld32(code + i));
			fail_msg("%s", wrong);
		}
	}
	region_free(&r);
}

/* scan and translate must agree on lengths and on what ends a block */
static void
test_scan_agrees_with_translate(void **unused)
{
	static struct region r;
	struct scan s;
	u8 *code = (u8 *)CODE, mark[4];
	int bytes;

	(void)unused;
	for (int n = 0; n < 40000; n++) {
		struct tr t = {.r = &r, .pc = CODE, .p = code, .n = 4, .cpu = &rvrun_cpu};

		st32(code, word());
		rv_scan(code, 4, CODE, &s);
		region_init(&r, &guest_riscv64, CODE, 0);
		ir_block(&r, CODE);
		int going = rv_translate(&t), last = r.ins[r.nins - 1].op;
		assert_int_equal(t.pc, CODE + s.len);
		if (!excl_right(&r, rv_excl(code, 4)))
			fail_msg("%08x: excl %d", ld32(code), rv_excl(code, 4));
		mark[0] = 2;
		int skipped = rv_skip(code, 4, CODE, mark, &bytes);
		assert_int_equal(skipped, bytes ? bytes == s.len ? 1 : 2 : 0);
		assert_int_equal(mark[0], bytes ? 3 : 2);
		assert_true(!bytes || s.flow == FLOW_NEXT);
		if (going)
			assert_true(s.flow == FLOW_NEXT || s.flow == FLOW_COND);
		else if (s.flow == FLOW_NEXT)
			assert_int_equal(last, O_trap);
		else if (s.flow == FLOW_CALL || s.flow == FLOW_JUMP)
			assert_true(last == O_call || last == O_callr || last == O_jmp);
	}
	region_free(&r);
}

static void
test_half_an_instruction_faults_on_its_second_half(void **unused)
{
	static struct region r;
	struct tr t = {.r = &r, .pc = CODE, .p = (u8 *)CODE, .n = 2};

	(void)unused;
	st32((u8 *)CODE, 0x13);
	region_init(&r, &guest_riscv64, CODE, 0);
	ir_block(&r, CODE);
	assert_int_equal(rv_translate(&t), 0);
	const struct ins *i = &r.ins[r.nins - 2];
	assert_int_equal(i->op, O_ld);
	assert_int_equal(kval(&r, i->a) + (u64)i->imm, CODE + 2);
	region_free(&r);
}

/* -- assembler -- */

/* a register, or a number; -1 if s starts with none.  M: m of rvv.isa */
static int
parse(const char **s, char class, s64 *v)
{
	size_t n = strcspn(*s, ",() \n");
	char *end;

	if (class == 'M') {
		*v = strncmp(*s, ",v0.t", 5) != 0;
		*s += *v ? 0 : 5;
		return 0;
	}
	if (class == 'x' || class == 'f' || class == 'v') {
		int lo = class == 'x' ? 0 : class == 'f' ? RV_F0 : RV_v0;
		for (*v = 0; *v < 32; ++*v)
			if (strlen(guest_riscv64.reg[lo + *v].name) == n && !strncmp(guest_riscv64.reg[lo + *v].name, *s, n))
				return *s += n, 0;
		return -1;
	}
	if (class == 'c' || class == 'm' || class == 'F') {
		static const struct { const char *name; char class; u8 value; } word[] = {
			{"fflags", 'c', CSR_FFLAGS}, {"frm", 'c', CSR_FRM}, {"fcsr", 'c', CSR_FCSR}, {"iorw", 'F', 15},
			{",rne", 'm', 0}, {",rtz", 'm', 1}, {",rdn", 'm', 2}, {",rup", 'm', 3}, {",rmm", 'm', 4},
		};
		for (size_t i = 0; i < NELEM(word); i++)
			if (word[i].class == class && !strncmp(*s, word[i].name, strlen(word[i].name)))
				return *s += strlen(word[i].name), *v = word[i].value, 0;
		return *v = 7, class == 'm' ? 0 : -1;
	}
	*v = strtoll(*s, &end, 0);
	if (class == 'U')
		*v = sext((u64)*v << 12, 32);
	if (end == *s)
		return -1;
	*s = end;
	return 0;
}

static void setvector(void *, const char *, size_t, s64);

/* matches line s against a mnemonic and operand text; set() gets the members */
static int
match(const char *s, const char *name, const char *text, void (*set)(void *, const char *, size_t, s64), void *insn)
{
	char all[200];
	const char *t = all;
	s64 v;

	if (strchr(text, '\t'))
		snprintf(all, sizeof all, "%s", text);
	else
		snprintf(all, sizeof all, "%.*s\t%s", (int)strcspn(name, "_"), name, text);
	while (*t) {
		if (*t == '\t' && (*s == ' ' || !*s)) {
			s += strspn(s, " ");
			t++;
		} else if (*t != '{') {
			if (*t++ != *s++)
				return 0;
		} else {
			size_t n = strcspn(t + 1, ":");
			if (t[n + 2] == 'o') {
				v = !strncmp(s, ".aqrl", 5);
				s += v ? 5 : 0;
			} else if (parse(&s, set == setvector && t[n + 2] == 'm' ? 'M' : t[n + 2], &v)) {
				return 0;
			}
			set(insn, t + 1, n, v);
			t += n + 4;
		}
	}
	return !*s;
}

#define SET(insn, m) if (len == strlen(#m) && !memcmp(name, #m, len)) (insn)->m = (__typeof__((insn)->m))v

static void
set32(void *insn, const char *name, size_t len, s64 v)
{
	struct riscv_insn *a = insn;

	SET(a, rd);
	SET(a, rs1);
	SET(a, rs2);
	SET(a, rs3);
	SET(a, imm);
	SET(a, rm);
	SET(a, csr);
	SET(a, pred);
	SET(a, succ);
	if (len == 2 && !memcmp(name, "rl", 2))
		a->aq = a->rl = (u8)v;
}

/* where source and target are the same field, the text names only one */
static void
set16(void *insn, const char *name, size_t len, s64 v)
{
	struct rvc_insn *c = insn;

	SET(c, rd);
	SET(c, rs1);
	SET(c, rs2);
	SET(c, imm);
	if (len == 2 && !memcmp(name, "rd", 2) && c->rs1 == SAME)
		c->rs1 = (u8)v;
}

static void
setvector(void *insn, const char *name, size_t len, s64 v)
{
	struct rvv_insn *a = insn;

	SET(a, vd);
	SET(a, vs1);
	SET(a, vs2);
	SET(a, vm);
	SET(a, nf);
	SET(a, rd);
	SET(a, rs1);
	SET(a, rs2);
	SET(a, imm);
}
#undef SET

/* appends the instruction of line s at p; its length */
static int
assemble(u8 *p, const char *s)
{
	for (int id = 1; id < riscv_COUNT; id++) {
		struct riscv_insn a = riscv_tmpl[id];
		if (match(s, riscv_name[id], riscv_text[id], set32, &a)) {
			st32(p, riscv_encode(&a));
			return 4;
		}
	}
	for (int id = 1; id < rvc_COUNT; id++) {
		struct rvc_insn c = rvc_tmpl[id];
		if (!strstr(rvc_text[id], "{rs1"))
			c.rs1 = c.rs1 ? c.rs1 : SAME;
		if (match(s, rvc_name[id], rvc_text[id], set16, &c)) {
			st16(p, (u16)rvc_encode(&c));
			return 2;
		}
	}
	for (int id = 1; id < rvv_COUNT; id++) {
		struct rvv_insn a = rvv_tmpl[id];
		if (match(s, rvv_name[id], rvv_text[id], setvector, &a)) {
			st32(p, rvv_encode(&a));
			return 4;
		}
	}
	fail_msg("cannot assemble \"%s\"", s);
	return 0;
}

/* -- cases -- */

static int
regnumber(const char *s, size_t n)
{
	for (int i = 0; i < RV_COUNT; i++)
		if (strlen(guest_riscv64.reg[i].name) == n && !strncmp(guest_riscv64.reg[i].name, s, n))
			return i;
	fail_msg("no register %.*s", (int)n, s);
	return 0;
}

static u64 *slot(struct cpu *cpu, int n) { return (u64 *)(cpu->state + guest_riscv64.reg[n].off); }

/* vl,SEW,LMUL: "4,e32,m1", "2,e16,mf2" */
static u64
vset(const char *s, char **end)
{
	unsigned vl, sew, lmul;
	int n = 0, part = sscanf(s, "%u,e%u,mf%u%n", &vl, &sew, &lmul, &n) == 3;

	if (!part && sscanf(s, "%u,e%u,m%u%n", &vl, &sew, &lmul, &n) != 3)
		fail_msg("no vtype: %s", s);
	*end = (char *)s + n;
	lmul = (unsigned)__builtin_ctz(lmul);
	return vcfg_make(vl, (u64)__builtin_ctz(sew / 8) << 3 | ((part ? -lmul : lmul) & 7));
}

/* the 128 bits of a vector register, in hexadecimal */
static void
setwide(u64 *to, const char *s, char **end)
{
	to[0] = to[1] = 0;
	for (s += 2; isxdigit((unsigned char)*s); s++) {
		to[1] = to[1] << 4 | to[0] >> 60;
		to[0] = to[0] << 4 | (u64)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
	}
	*end = (char *)s;
}

static int iswide(int reg) { return reg >= RV_v0 && reg < RV_v0 + 32; }

/* "a0=1 fa0=0x3f... vset=4,e32,m1 v8=0x..." into the registers of cpu */
static void
assign(struct cpu *cpu, const char *s)
{
	while (*(s += strspn(s, " \n"))) {
		size_t n = strcspn(s, "=");
		const char *value = s + n + 1;
		char *end;
		if (n == 4 && !strncmp(s, "vset", n))
			riscv_state(cpu)->vcfg = vset(value, &end);
		else if (iswide(regnumber(s, n)))
			setwide(slot(cpu, regnumber(s, n)), value, &end);
		else
			*slot(cpu, regnumber(s, n)) = *value == '-' ? (u64)strtoll(value, &end, 0) : strtoull(value, &end, 0);
		s = end;
	}
}

static void
begin(struct cpu *cpu)
{
	memset((void *)DATA, 0, SIZE);
	guest_riscv64.reset(cpu);
	cpu->guest = &guest_riscv64;
	cpu->pc = CODE;
	cpu->excl_addr = ~(u64)0;
	riscv_state(cpu)->x[RV_sp] = DATA + 1024;
	riscv_state(cpu)->x[RV_gp] = DATA + 2048;
}

static void
judge(const char *file, const char *name, struct cpu *cpu, struct cpu *want, gaddr end)
{
	const char *wrong = rvrun(cpu, end);

	if (wrong)
		fail_msg("%s: %s: %s", file, name, wrong);
	if (cpu->pc != end)
		fail_msg("%s: %s: left at %llx", file, name, (unsigned long long)cpu->pc);
	for (int i = 0; i < RV_COUNT; i++)
		for (int k = 0; k <= iswide(i); k++)
			if (i != RV_pc && slot(cpu, i)[k] != slot(want, i)[k])
				fail_msg("%s: %s: %s is %llx, not %llx (word %d)", file, name, guest_riscv64.reg[i].name,
				         (unsigned long long)slot(cpu, i)[k], (unsigned long long)slot(want, i)[k], k);
}

static int
runfile(const char *path)
{
	static struct cpu cpu, want;
	char line[300], name[300] = "";
	gaddr end = CODE;
	int cases = 0;
	FILE *f = fopen(path, "r");

	if (!f)
		fail_msg("cannot read %s (run from the top of the tree)", path);
	while (fgets(line, sizeof line, f)) {
		char *s = line + strspn(line, " ");
		line[strcspn(line, "#\n")] = 0;
		if (!strncmp(line, "case ", 5)) {
			snprintf(name, sizeof name, "%s", line + 5);
			begin(&cpu);
			end = CODE;
		} else if (!strncmp(line, "in ", 3)) {
			assign(&cpu, line + 3);
		} else if (!strncmp(line, "out ", 4)) {
			want = cpu;
			assign(&want, line + 4);
			judge(path, name, &cpu, &want, end);
			cases++;
		} else if (*s) {
			end += (gaddr)assemble((u8 *)end, s);
		}
	}
	fclose(f);
	return cases;
}

static void
test_cases(void **unused)
{
	static const char *const file[] = {"int", "bits", "fp", "compressed", "vector", "vcrypto"};
	char path[100];

	(void)unused;
	for (size_t i = 0; i < NELEM(file); i++) {
		snprintf(path, sizeof path, "tests/insn/riscv/%s.txt", file[i]);
		assert_true(runfile(path) >= 5);
	}
}

/* -- what the cases cannot say -- */

static u32
trapof(u32 word, u64 fcsr)
{
	static struct cpu cpu;

	begin(&cpu);
	riscv_state(&cpu)->fcsr = fcsr;
	st32((u8 *)CODE, word);
	assert_null(rvrun(&cpu, CODE + 4));
	return cpu.why == WHY_TRAP ? cpu.trap : 0;
}

static void
test_undefined_instructions_trap(void **unused)
{
	enum { FADD_D = 0x02c5f553, FADD_D_RM5 = 0x02c5d553, CSRR_CYCLE = 0xc0002573, CSRW_CYCLE = 0xc0001073,
	       CSRR_MSTATUS = 0x30002573, CLOCK = 0x0000000b, CSRR_VLENB = 0xc2202573, CSRW_VL = 0xc2001073,
	       CSRW_VTYPE = 0xc2101073, CSRW_VLENB = 0xc2201073, CSRW_VCSR = 0x00f01073 };

	(void)unused;
	assert_int_equal(trapof(0, 0), TRAP_UNDEF);
	assert_int_equal(trapof(0xffffffff, 0), TRAP_UNDEF);
	assert_int_equal(trapof(FADD_D, 0), 0);
	assert_int_equal(trapof(FADD_D, 4 << FCSR_RM), 0);
	assert_int_equal(trapof(FADD_D, 5 << FCSR_RM), TRAP_UNDEF);
	assert_int_equal(trapof(FADD_D_RM5, 0), TRAP_UNDEF);
	assert_int_equal(trapof(CSRR_CYCLE, 0), 0);
	assert_int_equal(trapof(CSRW_CYCLE, 0), TRAP_UNDEF);
	assert_int_equal(trapof(CSRR_MSTATUS, 0), TRAP_UNDEF);
	assert_int_equal(trapof(CLOCK, 0), TRAP_UNDEF);
	assert_int_equal(trapof(CSRR_VLENB, 0), 0);
	assert_int_equal(trapof(CSRW_VL, 0), TRAP_UNDEF);
	assert_int_equal(trapof(CSRW_VTYPE, 0), TRAP_UNDEF);
	assert_int_equal(trapof(CSRW_VLENB, 0), TRAP_UNDEF);
	assert_int_equal(trapof(CSRW_VCSR, 0), 0);
	assert_int_equal(trapof(0x00100073, 0), TRAP_BREAK);
}

static void
test_returns_to_odd_addresses_drop_the_bit(void **unused)
{
	static struct cpu cpu;

	(void)unused;
	begin(&cpu);
	riscv_state(&cpu)->x[RV_ra] = CODE + 9;
	st32((u8 *)CODE, 0x00008067);          /* ret */
	st32((u8 *)CODE + 8, 0x00100513);      /* li a0,1 */
	assert_null(rvrun(&cpu, CODE + 12));
	assert_int_equal(cpu.pc, CODE + 12);
	assert_int_equal(riscv_state(&cpu)->x[RV_a0], 1);
}

/* auipc and jalr, as the assembler writes calls, are a direct call */
static void
test_far_calls_are_direct(void **unused)
{
	static struct region r;

	(void)unused;
	st32((u8 *)CODE, 0x00001097);          /* auipc ra,1 */
	st32((u8 *)CODE + 4, 0x010080e7);      /* jalr 16(ra) */
	assert_null(rvrun_translate(&r, CODE, CODE + 100, 0));
	const struct ins *i = &r.ins[r.nins - 1];
	assert_int_equal(i->op, O_call);
	assert_int_equal(kval(&r, i->a), CODE + 0x1010);
	assert_int_equal(kval(&r, i->b), CODE + 8);
	region_free(&r);
}

static int
countfences(int kind)
{
	static struct region r;
	int n = 0;

	assert_null(rvrun_translate(&r, CODE, CODE + 20, 0));
	for (int i = 1; i < r.nins; i++)
		n += r.ins[i].op == O_fence && r.ins[i].v == kind;
	return n;
}

static void
test_a_second_full_fence_without_a_store_is_not_full(void **unused)
{
	enum { FULL = 0x0ff0000f, LD = 0x00053503, SD = 0x00a53023 };
	static const u32 loads[] = {SD, FULL, LD, FULL, LD}, stores[] = {SD, FULL, SD, FULL, LD};

	(void)unused;
	memcpy((void *)CODE, loads, sizeof loads);
	assert_int_equal(countfences(FENCE_FULL), 1);
	assert_int_equal(countfences(FENCE_LD), 1);
	memcpy((void *)CODE, stores, sizeof stores);
	assert_int_equal(countfences(FENCE_FULL), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_words_translate_to_verified_ir),
		cmocka_unit_test(test_scan_agrees_with_translate),
		cmocka_unit_test(test_half_an_instruction_faults_on_its_second_half),
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_undefined_instructions_trap),
		cmocka_unit_test(test_returns_to_odd_addresses_drop_the_bit),
		cmocka_unit_test(test_far_calls_are_direct),
		cmocka_unit_test(test_a_second_full_fence_without_a_store_is_not_full),
	};

	return cmocka_run_group_tests(tests, setup, 0);
}
