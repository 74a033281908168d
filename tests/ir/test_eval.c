/* SPDX-License-Identifier: MIT */
/* test_eval.c - the value of operations against the host's own: C's integers of each width, the
 * flags the host sets, its vector instructions; memory, atomics, variables, AES by known answers
 *
 * Usage: test_eval [seed] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "fake.h"

static u64
operand(void)
{
	static const u64 some[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
	                            INT64_MAX, (u64)1 << 63, ~(u64)0 };

	return rnd() % 3 ? rnd() >> (rnd() & 63) : some[rnd() % NELEM(some)];
}

static struct region r;
static struct cpu cpu;

static void
run(const char *text)
{
	char err[200];

	region_init(&r, &fake_guest, 0, 0);
	if (ir_parse(&r, text, err, sizeof err))
		fail_msg("%s", err);
	const char *e = ir_verify(&r);
	if (e)
		fail_msg("%s", e);
	fake_run(&cpu, &r, 0);
}

static u64 x(int n) { return ld64(cpu.state + fake_reg[X0 + n].off); }
static void setx(int n, u64 v) { st64(cpu.state + fake_reg[X0 + n].off, v); }
static u8 *v(int n) { return cpu.state + fake_reg[V0 + n].off; }

/* -- scalars: the same computed by C at each width -- */

static int cases;

static void
equal(const char *what, int w, u64 a, u64 b, u64 got, u64 want)
{
	cases++;
	if (got != want)
		fail_msg("%s %d: %#llx %#llx: %#llx, host %#llx", what, w, (unsigned long long)a, (unsigned long long)b,
		         (unsigned long long)got, (unsigned long long)want);
}

#define AT(W, U, S, UU, SS) \
static void \
integers_##W(u64 p, u64 q) \
{ \
	U a = (U)p, b = (U)q; \
	S sa = (S)a, sb = (S)b; \
	u64 n = b % W; \
	int ty = W == 8 ? I8 : W == 16 ? I16 : W == 32 ? I32 : I64; \
	GIVES(add, (U)(a + b)); GIVES(sub, (U)(a - b)); GIVES(mul, (U)((UU)a * b)); \
	GIVES(mulhu, (U)((UU)a * b >> W)); GIVES(mulhs, (U)((SS)sa * sb >> W)); GIVES(mulhsu, (U)((SS)sa * (SS)b >> W)); \
	GIVES(divu, b ? (U)(a / b) : 0); GIVES(remu, b ? (U)(a % b) : a); \
	GIVES(divs, !sb ? 0 : sb == -1 ? (U)-a : (U)(sa / sb)); GIVES(rems, !sb ? a : sb == -1 ? 0 : (U)(sa % sb)); \
	GIVES(and, (U)(a & b)); GIVES(or, (U)(a | b)); GIVES(xor, (U)(a ^ b)); \
	GIVES(andn, (U)(a & ~b)); GIVES(orn, (U)(a | ~b)); GIVES(not, (U)~a); GIVES(neg, (U)-a); \
	GIVES(shl, (U)(a << n)); GIVES(shr, (U)(a >> n)); GIVES(sar, (U)(sa >> n)); \
	GIVES(rotr, n ? (U)(a >> n | (U)(a << (W - n))) : a); \
	GIVES(clz, leading(a, W)); GIVES(ctz, trailing(a, W)); GIVES(cls, leading((U)(sa < 0 ? ~a : a), W) - 1); \
	GIVES(popcnt, (u64)__builtin_popcountll(a)); \
	GIVES(smin, (U)(sa < sb ? sa : sb)); GIVES(smax, (U)(sa > sb ? sa : sb)); \
	GIVES(umin, a < b ? a : b); GIVES(umax, a > b ? a : b); GIVES(abs, (U)(sa < 0 ? -a : a)); \
	GIVES(uabd, (U)(a > b ? a - b : b - a)); GIVES(sabd, (U)(sa > sb ? a - b : b - a)); \
	GIVES(uhadd, (U)(((UU)a + b) >> 1)); GIVES(srhadd, (U)(((SS)sa + sb + 1) >> 1)); \
	RELATES(R_EQ, a == b); RELATES(R_NE, a != b); RELATES(R_LTU, a < b); RELATES(R_GEU, a >= b); \
	RELATES(R_LTS, sa < sb); RELATES(R_GES, sa >= sb); RELATES(R_LEU, a <= b); RELATES(R_GTU, a > b); \
	RELATES(R_LES, sa <= sb); RELATES(R_GTS, sa > sb); RELATES(R_TST, (a & b) != 0); RELATES(R_NTST, (a & b) == 0); \
}
#define GIVES(op, want) equal(#op, ty, a, b, ir_value(O_##op, ty, p, q, 0, 0, 0), want)
#define RELATES(rel, want) equal(#rel, ty, a, b, ir_value(O_set, ty, p, q, 0, rel, 0), (u64)(want))

static u64
leading(u64 a, int w)
{
	int n = 0;

	while (n < w && !(a >> (w - 1 - n) & 1))
		n++;
	return (u64)n;
}

static u64
trailing(u64 a, int w)
{
	int n = 0;

	while (n < w && !(a >> n & 1))
		n++;
	return (u64)n;
}

AT(8, u8, s8, u32, s32)
AT(16, u16, s16, u32, s32)
AT(32, u32, s32, u64, s64)
AT(64, u64, s64, u128, s128)

static void
test_integers_at_every_width(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		u64 a = operand(), b = operand();
		integers_8(a, b);
		integers_16(a, b);
		integers_32(a, b);
		integers_64(a, b);
	}
}

/* Bit fields against a bit-by-bit reading of op.def's comments. */
static void
test_bit_fields(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		u64 a = operand(), b = operand();
		int lo = (int)(rnd() % 64), n = 1 + (int)(rnd() % (u64)(64 - lo)), w = 64;
		u64 field = 0, dep = a, ext = 0, rev = 0;
		for (int k = 0; k < n; k++) {
			field |= (a >> (lo + k) & 1) << k;
			dep = (dep & ~((u64)1 << (lo + k))) | (b >> k & 1) << (lo + k);
		}
		for (int k = 0; k < 64; k++) {
			int from = k + lo;
			ext |= (from < 64 ? b >> from & 1 : a >> (from - 64) & 1) << k;
			rev |= (a >> k & 1) << (63 - k);
		}
		u64 sign = field >> (n - 1) & 1 && n < 64 ? ~(u64)0 << n : 0;
		equal("bfx", w, a, b, ir_value(O_bfx, I64, a, b, 0, lo, n), field);
		equal("sbfx", w, a, b, ir_value(O_sbfx, I64, a, b, 0, lo, n), field | sign);
		equal("dep", w, a, b, ir_value(O_dep, I64, a, b, 0, lo, n), dep);
		equal("extr", w, a, b, ir_value(O_extr, I64, a, b, 0, 0, lo), ext);
		equal("rbit", w, a, b, ir_value(O_rbit, I64, a, b, 0, 0, 0), rev);
		equal("rbit32", 32, a, b, ir_value(O_rbit, I32, a, b, 0, 0, 0), (u32)(rev >> 32));
		equal("bswap16", 16, a, b, ir_value(O_bswap, I16, a, b, 0, 0, 0), __builtin_bswap16((u16)a));
	}
}

#if defined __x86_64__
#include <immintrin.h>

/* -- flags and the host's: lahf; seto al is the layout -- */

#define HOSTFLAGS(name, type, insn, constraint) \
static u64 \
name(type a, type b, int carry) \
{ \
	u64 fl; \
	__asm__("bt $0, %k3\n\t" insn " %2, %1\n\tlahf\n\tseto %%al\n\tmovzwl %%ax, %%eax" \
	        : "=&a"(fl), "+" constraint(a) : constraint(b), "r"(carry) : "cc"); \
	return fl & FL_NZCV; \
}
HOSTFLAGS(host_add8, u8, "addb", "q") HOSTFLAGS(host_add16, u16, "addw", "r")
HOSTFLAGS(host_add32, u32, "addl", "r") HOSTFLAGS(host_add64, u64, "addq", "r")
HOSTFLAGS(host_adc8, u8, "adcb", "q") HOSTFLAGS(host_adc16, u16, "adcw", "r")
HOSTFLAGS(host_adc32, u32, "adcl", "r") HOSTFLAGS(host_adc64, u64, "adcq", "r")
HOSTFLAGS(host_sub8, u8, "subb", "q") HOSTFLAGS(host_sub16, u16, "subw", "r")
HOSTFLAGS(host_sub32, u32, "subl", "r") HOSTFLAGS(host_sub64, u64, "subq", "r")
HOSTFLAGS(host_sbb8, u8, "sbbb", "q") HOSTFLAGS(host_sbb16, u16, "sbbw", "r")
HOSTFLAGS(host_sbb32, u32, "sbbl", "r") HOSTFLAGS(host_sbb64, u64, "sbbq", "r")

static void
test_flags_are_the_hosts(void **state)
{
	(void)state;
	for (int i = 0; i < 50000; i++) {
		u64 a = operand(), b = operand(), fl = rnd() & 1 ? FL_C : 0;
		int c = fl != 0;
		/* the host's carry after a subtraction is a borrow */
#define FLAGS(W, ty) \
		equal("fladd", W, a, b, ir_value(O_fladd, ty, a, b, 0, 0, 0), host_add##W((u##W)a, (u##W)b, 0)); \
		equal("fladc", W, a, b, ir_value(O_fladc, ty, a, b, fl, 0, 0), host_adc##W((u##W)a, (u##W)b, c)); \
		equal("flsub", W, a, b, ir_value(O_flsub, ty, a, b, 0, 0, 0), host_sub##W((u##W)a, (u##W)b, 0) ^ FL_C); \
		equal("flsbc", W, a, b, ir_value(O_flsbc, ty, a, b, fl, 0, 0), host_sbb##W((u##W)a, (u##W)b, !c) ^ FL_C);
		FLAGS(8, I8) FLAGS(16, I16) FLAGS(32, I32) FLAGS(64, I64)
		equal("adc", 32, a, b, ir_value(O_adc, I32, a, b, fl, 0, 0), (u32)(a + b + (u64)c));
		equal("sbc", 64, a, b, ir_value(O_sbc, I64, a, b, fl, 0, 0), a - b - (u64)!c);
	}
}

static void
test_conditions_agree_with_relations(void **state)
{
	static const struct { int cc, rel; } same[] = {
		{ CC_EQ, R_EQ }, { CC_NE, R_NE }, { CC_CS, R_GEU }, { CC_CC, R_LTU }, { CC_HI, R_GTU }, { CC_LS, R_LEU },
		{ CC_GE, R_GES }, { CC_LT, R_LTS }, { CC_GT, R_GTS }, { CC_LE, R_LES },
	};

	(void)state;
	for (int i = 0; i < 20000; i++) {
		u64 a = operand(), b = operand();
		u64 fl = ir_value(O_flsub, I32, a, b, 0, 0, 0);
		for (size_t k = 0; k < NELEM(same); k++)
			assert_int_equal(ir_cc(same[k].cc, fl), ir_value(O_set, I32, a, b, 0, same[k].rel, 0));
	}
}

/* -- vectors against the host's instructions.  Registers v0, v1 -> v2. -- */

typedef __m128i vec_fn(__m128i, __m128i);
#define V(name, feature, expr) \
__attribute__((target(feature))) static __m128i vec_##name(__m128i a, __m128i b) { (void)a, (void)b; return expr; }
V(paddsb, "sse2", _mm_adds_epi8(a, b)) V(paddsw, "sse2", _mm_adds_epi16(a, b))
V(paddusb, "sse2", _mm_adds_epu8(a, b)) V(paddusw, "sse2", _mm_adds_epu16(a, b))
V(psubsb, "sse2", _mm_subs_epi8(a, b)) V(psubsw, "sse2", _mm_subs_epi16(a, b))
V(psubusb, "sse2", _mm_subs_epu8(a, b)) V(psubusw, "sse2", _mm_subs_epu16(a, b))
V(pavgb, "sse2", _mm_avg_epu8(a, b)) V(pavgw, "sse2", _mm_avg_epu16(a, b))
V(psadbw, "sse2", _mm_sad_epu8(a, b)) V(pmulhw, "sse2", _mm_mulhi_epi16(a, b)) V(pmulhuw, "sse2", _mm_mulhi_epu16(a, b)) V(pmullw, "sse2", _mm_mullo_epi16(a, b))
V(pmulld, "sse4.1", _mm_mullo_epi32(a, b)) V(pmuludq, "sse2", _mm_mul_epu32(a, b)) V(pmuldq, "sse4.1", _mm_mul_epi32(a, b))
V(paddb, "sse2", _mm_add_epi8(a, b)) V(paddq, "sse2", _mm_add_epi64(a, b)) V(psubd, "sse2", _mm_sub_epi32(a, b))
V(pcmpeqb, "sse2", _mm_cmpeq_epi8(a, b)) V(pcmpgtw, "sse2", _mm_cmpgt_epi16(a, b)) V(pcmpgtq, "sse4.2", _mm_cmpgt_epi64(a, b))
V(pminsb, "sse4.1", _mm_min_epi8(a, b)) V(pmaxuw, "sse4.1", _mm_max_epu16(a, b)) V(pminud, "sse4.1", _mm_min_epu32(a, b))
V(pabsd, "ssse3", _mm_abs_epi32(a)) V(punpcklbw, "sse2", _mm_unpacklo_epi8(a, b)) V(punpckhdq, "sse2", _mm_unpackhi_epi32(a, b))
V(punpcklqdq, "sse2", _mm_unpacklo_epi64(a, b)) V(packsswb, "sse2", _mm_packs_epi16(a, _mm_setzero_si128()))
V(packuswb, "sse2", _mm_packus_epi16(a, _mm_setzero_si128())) V(packssdw, "sse2", _mm_packs_epi32(a, _mm_setzero_si128()))
V(pmovzxbw, "sse4.1", _mm_cvtepu8_epi16(a)) V(pmovsxwd, "sse4.1", _mm_cvtepi16_epi32(a)) V(pmovsxdq, "sse4.1", _mm_cvtepi32_epi64(a))
V(palignr, "ssse3", _mm_alignr_epi8(b, a, 5)) V(psrlw, "sse2", _mm_srli_epi16(a, 3)) V(psrad, "sse2", _mm_srai_epi32(a, 7))
V(psllq, "sse2", _mm_slli_epi64(a, 9)) V(pandn, "sse2", _mm_andnot_si128(b, a)) V(shufd, "sse2", _mm_shuffle_epi32(a, 0x55))
V(clmul0, "pclmul", _mm_clmulepi64_si128(a, b, 0x00)) V(clmul1, "pclmul", _mm_clmulepi64_si128(a, b, 0x11))
V(aesenclast, "aes", _mm_aesenclast_si128(a, _mm_setzero_si128())) V(aesdeclast, "aes", _mm_aesdeclast_si128(a, _mm_setzero_si128()))
V(aesimc, "aes", _mm_aesimc_si128(a)) V(bswap32, "ssse3", _mm_shuffle_epi8(a, _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3)))
V(movq, "sse2", _mm_move_epi64(a)) V(pinsrd, "sse4.1", _mm_insert_epi32(a, 0x12345678, 2))
V(aesenc, "aes", _mm_aesenc_si128(a, _mm_setzero_si128())) V(aesdec, "aes", _mm_aesdec_si128(a, _mm_setzero_si128()))
V(aesmc, "aes", _mm_aesenc_si128(_mm_aesdeclast_si128(a, _mm_setzero_si128()), _mm_setzero_si128()))
V(addps, "sse2", _mm_castps_si128(_mm_add_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b))))
V(divpd, "sse2", _mm_castpd_si128(_mm_div_pd(_mm_castsi128_pd(a), _mm_castsi128_pd(b))))
V(cvtps2pd, "sse2", _mm_castpd_si128(_mm_cvtps_pd(_mm_castsi128_ps(a))))
V(cvtpd2ps, "sse2", _mm_castps_si128(_mm_cvtpd_ps(_mm_castsi128_pd(a))))
V(cvtdq2ps, "sse2", _mm_castps_si128(_mm_cvtepi32_ps(a)))
V(cmpltps, "sse2", _mm_castps_si128(_mm_cmplt_ps(_mm_castsi128_ps(b), _mm_castsi128_ps(a))))

static const struct { vec_fn *host; const char *op; } vecs[] = {
	{ vec_paddsb, "sqadd i8x16 t1, t2" },    { vec_paddsw, "sqadd i16x8 t1, t2" },
	{ vec_paddusb, "uqadd i8x16 t1, t2" },   { vec_paddusw, "uqadd i16x8 t1, t2" },
	{ vec_psubsb, "sqsub i8x16 t1, t2" },    { vec_psubsw, "sqsub i16x8 t1, t2" },
	{ vec_psubusb, "uqsub i8x16 t1, t2" },   { vec_psubusw, "uqsub i16x8 t1, t2" },
	{ vec_pavgb, "urhadd i8x16 t1, t2" },    { vec_pavgw, "urhadd i16x8 t1, t2" },
	{ vec_pmulhw, "mulhs i16x8 t1, t2" },    { vec_pmulhuw, "mulhu i16x8 t1, t2" },
	{ vec_pmullw, "mul i16x8 t1, t2" },      { vec_pmulld, "mul i32x4 t1, t2" },
	{ vec_pmuludq, "mulwu i64x2 t1, t2" },   { vec_pmuldq, "mulws i64x2 t1, t2" },
	{ vec_paddb, "add i8x16 t1, t2" },       { vec_paddq, "add i64x2 t1, t2" },
	{ vec_psubd, "sub i32x4 t1, t2" },       { vec_pcmpeqb, "vset.eq i8x16 t1, t2" },
	{ vec_pcmpgtw, "vset.gts i16x8 t1, t2" }, { vec_pcmpgtq, "vset.gts i64x2 t1, t2" },
	{ vec_pminsb, "smin i8x16 t1, t2" },     { vec_pmaxuw, "umax i16x8 t1, t2" },
	{ vec_pminud, "umin i32x4 t1, t2" },     { vec_pabsd, "abs i32x4 t1" },
	{ vec_punpcklbw, "zip1 i8x16 t1, t2" },  { vec_punpckhdq, "zip2 i32x4 t1, t2" },
	{ vec_punpcklqdq, "vcat i64x2 t1, t2" }, { vec_packsswb, "vqnarrow.i16 i8x16 t1" },
	{ vec_packuswb, "vqnarrow.i16 i8x16 t1 imm=2" }, { vec_packssdw, "vqnarrow.i32 i16x8 t1" },
	{ vec_pmovzxbw, "vzxt.i8 i16x8 t1" },    { vec_pmovsxwd, "vsxt.i16 i32x4 t1" },
	{ vec_pmovsxdq, "vsxt.i32 i64x2 t1" },   { vec_palignr, "vext i8x16 t1, t2 imm=5" },
	{ vec_psrlw, "shri i16x8 t1 imm=3" },    { vec_psrad, "sari i32x4 t1 imm=7" },
	{ vec_psllq, "shli i64x2 t1 imm=9" },    { vec_pandn, "andn i128x1 t1, t2" },
	{ vec_shufd, "duplane i32x4 t1 v=1" },   { vec_psadbw, "usad i64x2 t1, t2" },
	{ vec_clmul0, "pmull.i64 i128x1 t1, t2" },
	{ vec_clmul1, "pmull.i64 i128x1 t1, t2 imm=1" }, { vec_aesenclast, "aese i8x16 t1" },
	{ vec_aesdeclast, "aesd i8x16 t1" },     { vec_aesimc, "aesimc i8x16 t1" },
	{ vec_aesenc, "aesenc i8x16 t1" },       { vec_aesdec, "aesdec i8x16 t1" },
	{ vec_aesmc, "aesmc i8x16 t1" },         { vec_bswap32, "vrev i8x16 t1 imm=32" },
	{ vec_movq, "vlow i8x16 t1 imm=64" },    { vec_pinsrd, "ins i32x4 t1, 0x12345678 v=2" },
	{ vec_addps, "fadd f32x4 t1, t2" },      { vec_divpd, "fdiv f64x2 t1, t2" },
	{ vec_cvtps2pd, "fcvt.f32 f64x2 t1" },   { vec_cvtpd2ps, "fcvt.f64 f32x4 t1" },
	{ vec_cvtdq2ps, "icvtf.i32 f32x4 t1" },  { vec_cmpltps, "fvset.gts f32x4 t1, t2" },
};

static void
random_vector(u8 *p)
{
	for (int i = 0; i < 16; i += 8)
		st64(p + i, rnd() & 1 ? rnd() : operand() | operand() << 32);
}

static void
test_vectors_against_the_host(void **state)
{
	char text[200];

	(void)state;
	for (size_t k = 0; k < NELEM(vecs); k++) {
		snprintf(text, sizeof text, "region 0 mode 0 fpnan 3\nblock 0\n\tt1 = get i8x16 v0\n\tt2 = get i8x16 v1\n"
		         "\tt3 = %s\n\tput i8x16 v2, t3\n\tjmp n 0\n", vecs[k].op);
		run(text);
		for (int i = 0; i < 500; i++) {
			random_vector(v(0));
			random_vector(v(1));
			__m128i a, b, want;
			memcpy(&a, v(0), 16);
			memcpy(&b, v(1), 16);
			want = vecs[k].host(a, b);
			fake_run(&cpu, &r, 0);
			if (memcmp(v(2), &want, 16) != 0)
				fail_msg("%s: %016llx%016llx %016llx%016llx", vecs[k].op, (unsigned long long)ld64(v(0) + 8),
				         (unsigned long long)ld64(v(0)), (unsigned long long)ld64(v(1) + 8),
				         (unsigned long long)ld64(v(1)));
		}
	}
}

static void
test_crc32c_is_the_hosts(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		u64 c = (u32)rnd(), d = rnd(), want = c;
		__asm__("crc32q %1, %0" : "+r"(want) : "r"(d));
		assert_int_equal(ir_value(O_crc32, I64, c, d, 0, 1, 64), want);
	}
	assert_int_equal(ir_crc32(~(u32)0, '1', 0, 8), 0x7c231048);
}

#else
static void test_flags_are_the_hosts(void **state) { (void)state; skip(); }
static void test_conditions_agree_with_relations(void **state) { (void)state; skip(); }
static void test_vectors_against_the_host(void **state) { (void)state; skip(); }
static void test_crc32c_is_the_hosts(void **state) { (void)state; skip(); }
#endif

/* -- ARM's shifts by register, at the edges -- */

static void
test_variable_shifts(void **state)
{
	static const struct { int op, ty; u64 a, b, want; } t[] = {
		{ O_ushl, I8, 0x81, 1, 0x02 }, { O_ushl, I8, 0x81, 0xff, 0x40 }, { O_ushl, I8, 0x81, 8, 0 }, { O_ushl, I8, 0x81, 0x80, 0 },
		{ O_sshl, I8, 0x81, 0xff, 0xc0 }, { O_sshl, I8, 0x81, 0x80, 0xff }, { O_urshl, I8, 0x81, 0xff, 0x41 },
		{ O_urshl, I8, 0x81, 0xf8, 1 }, { O_urshl, I8, 0x81, 0xf7, 0 }, { O_srshl, I8, 0xff, 0xff, 0 }, { O_srshl, I8, 0x80, 0xf8, 0 },
		{ O_uqshl, I8, 0x81, 1, 0xff }, { O_uqshl, I8, 0, 100, 0 }, { O_uqshl, I8, 1, 100, 0xff },
		{ O_sqshl, I8, 0x40, 1, 0x7f }, { O_sqshl, I8, 0xbf, 1, 0x80 }, { O_sqshl, I8, 0xc0, 1, 0x80 }, { O_sqshl, I8, 0xff, 100, 0x80 },
		{ O_sqshlu, I8, 0xff, 1, 0 }, { O_sqshlu, I8, 0x7f, 1, 0xfe }, { O_sqshlu, I8, 0x7f, 2, 0xff },
		{ O_sqrshl, I8, 0x7f, 0xff, 0x40 }, { O_uqrshl, I64, ~(u64)0, 0xff, (u64)1 << 63 },
		{ O_ushl, I64, 3, 63, (u64)1 << 63 }, { O_sqshl, I64, 1, 63, INT64_MAX }, { O_uqshl, I64, 1, 63, (u64)1 << 63 },
		{ O_urshri, I8, 0x81, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i + 1 < NELEM(t); i++)
		equal(opinfo[t[i].op].name, 0, t[i].a, t[i].b, ir_value(t[i].op, t[i].ty, t[i].a, t[i].b, 0, 0, 0), t[i].want);
	equal("urshri", 8, 0x81, 1, ir_value(O_urshri, I8, 0x81, 0, 0, 0, 1), 0x41);
	equal("srshri", 8, 0x81, 8, ir_value(O_srshri, I8, 0x81, 0, 0, 0, 8), 0);
	equal("sqdmulh", 16, 0x8000, 0x8000, ir_value(O_sqdmulh, I16, 0x8000, 0x8000, 0, 0, 0), 0x7fff);
	equal("sqrdmulh", 32, 1, 0x40000000, ir_value(O_sqrdmulh, I32, 1, 0x40000000, 0, 0, 0), 1);
	equal("suqadd", 8, 0x80, 0xff, ir_value(O_suqadd, I8, 0x80, 0xff, 0, 0, 0), 0x7f);
	equal("usqadd", 8, 0x10, 0x80, ir_value(O_usqadd, I8, 0x10, 0x80, 0, 0, 0), 0);
}

/* -- variables and memory -- */

static void
test_variables(void **state)
{
	(void)state;
	memset(v(0), 0xff, 256);
	setx(0, ~(u64)0);
	run("block 0\n\tt1 = get i32 x0\n\tput i64 x1, t1\n\tt2 = add i32 t1, 0x2\n\tput i64 x2, t2\n"
	    "\tt3 = get f32 v0\n\tput f32 v0, t3\n\tjmp n 0\n");
	assert_int_equal(x(1), 0xffffffff);
	assert_int_equal(x(2), 1);
	assert_int_equal(ld64(v(0)), 0xffffffff);      /* all above a scalar is cleared */
	for (int i = 8; i < 256; i++)
		assert_int_equal(v(0)[i], 0);
}

static void
test_wide_vectors(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++)
		v(0)[i] = (u8)i;
	run("block 0\n\tt1 = get i16x128 v0\n\tt2 = add i16x128 t1, t1\n\tput i16x128 v1, t2\n\tjmp n 0\n");
	for (int i = 0; i < 256; i += 2)
		assert_int_equal(ld16(v(1) + i), (u16)(2 * ld16(v(0) + i)));
}

static void
test_memory(void **state)
{
	u8 m[64] __attribute__((aligned(16)));

	(void)state;
	for (int i = 0; i < 64; i++)
		m[i] = (u8)(0x80 + i);
	setx(0, (u64)(uintptr_t)m);
	setx(1, 0xffffffff00000002);
	run("block 0\n\tt1 = get i64 x0\n\tt2 = get i64 x1\n\tt3 = ld i32 t1, t2 imm=-4 aux=0x102\n\tput i64 x2, t3\n"
	    "\tt4 = lds i64 t1 v=16 imm=6 aux=0x4\n\tput i64 x3, t4\n\tst i16 t1, _, t3 imm=1 aux=0x4\n"
	    "\tt5 = ld i8x16 t1 imm=16\n\tput i8x16 v0, t5\n\tjmp n 0\n");
	assert_int_equal(x(2), 0x87868584);
	assert_int_equal(x(3), (u64)(s64)(s16)0x8687);
	assert_int_equal(m[1], 0x85);
	assert_int_equal(m[2], 0x84);
	assert_memory_equal(v(0), m + 16, 16);
	run("block 0\n\tinsn 0\n\tt1 = get i64 x0\n\tt2 = ld i32 t1 imm=2 aux=0x40\n\tput i64 x2, t2\n\tjmp n 0\n");
	assert_int_equal(cpu.why, WHY_TRAP);
	assert_int_equal(cpu.trap, TRAP_ALIGN);
	assert_int_equal(x(2), 0x87868584);
}

static void
test_atomics(void **state)
{
	u64 m[2] __attribute__((aligned(16))) = { 5, 6 };

	(void)state;
	setx(0, (u64)(uintptr_t)m);
	run("block 0\n\tt1 = get i64 x0\n\tt2 = rmw.add i32 t1, 0xfffffffe\n\tput i64 x1, t2\n\tt3 = rmw.smin i8 t1, 0x80\n"
	    "\tput i64 x2, t3\n\tt4 = cas i64 t1, 0x80, 0x1234\n\tput i64 x3, t4\n\tjmp n 0\n");
	assert_int_equal(x(1), 5);
	assert_int_equal(x(2), 3);
	assert_int_equal(x(3), 0x80);
	assert_int_equal(m[0], 0x1234);
	assert_int_equal(m[1], 6);
	run("block 0\n\tt1 = get i64 x0\n\tt2 = ldx i64 t1\n\tt3 = add i64 t2, 0x1\n\tt4 = stx i64 t1, t3\n"
	    "\tput i64 x1, t4\n\tt5 = stx i64 t1, t3\n\tput i64 x2, t5\n\tjmp n 0\n");
	assert_int_equal(m[0], 0x1235);
	assert_int_equal(x(1), 0);
	assert_int_equal(x(2), 1);
	/* somebody else wrote between: fails */
	run("block 0\n\tt1 = get i64 x0\n\tt2 = ldx i64 t1\n\tst i64 t1, _, 0x9\n\tt4 = stx i64 t1, 0x7\n\tput i64 x1, t4\n\tjmp n 0\n");
	assert_int_equal(x(1), 1);
	assert_int_equal(m[0], 9);
	run("block 0\n\tt1 = get i64 x0\n\tt2 = ldx i128x1 t1\n\tput i128x1 v0, t2\n\tt3 = vpair i64x2 0x1, 0x2\n"
	    "\tt4 = stx i128x1 t1, t3\n\tput i64 x1, t4\n\tt5 = cas i128x1 t1, t3, t2\n\tput i128x1 v1, t5\n\tjmp n 0\n");
	assert_int_equal(x(1), 0);
	assert_int_equal(ld64(v(0)), 9);
	assert_int_equal(ld64(v(1)), 1);
	assert_int_equal(ld64(v(1) + 8), 2);
	assert_int_equal(m[0], 9);
	assert_int_equal(m[1], 6);
	/* big-endian: added as the guest sees it */
	m[0] = 0xff000000;
	run("block 0\n\tt1 = get i64 x0\n\tt2 = rmw.add i32 t1, 0x1 aux=0x4\n\tput i64 x1, t2\n\tjmp n 0\n");
	assert_int_equal(x(1), 0xff);
	assert_int_equal(m[0], 0x00010000);
}

static void
test_helpers(void **state)
{
	(void)state;
	run("block 0\n\tt1 = help.0 i64 0x1, 0x2, 0x3\n\tput i64 x1, t1\n\tt2 = vpair i64x2 0x11, 0x22\n\tput i64x2 v1, t2\n"
	    "\tput i64x2 v2, t2\n\tvhelp.1 n imm=519 aux=0x605\n\tjmp n 0\n");
	assert_int_equal(x(1), 6);
	assert_int_equal(ld64(v(0)), 0x11 ^ 2);        /* d = v0, a = v1, b = v2, imm = 2 */
	assert_int_equal(ld64(v(0) + 8), 0x11);
}

static void
test_floating_point(void **state)
{
	(void)state;
	cpu.fpmode = RM_UP;
	cpu.fpflags = 0;
	run("region 0 mode 0 fpnan 2\nblock 0\n\tt1 = movif f32 0x3f800000\n\tt2 = movif f32 0x33000000\n"
	    "\tt3 = fadd f32 t1, t2\n\tt4 = movfi.f32 i64 t3\n\tput i64 x1, t4\n"
	    "\tt5 = fadd f32 t1, t2 aux=0x1\n\tt6 = movfi.f32 i64 t5\n\tput i64 x2, t6\n\tjmp n 0\n");
	assert_int_equal(x(1), 0x3f800001);            /* mode: up */
	assert_int_equal(x(2), 0x3f800000);            /* named: nearest */
	assert_int_equal(cpu.fpflags, FPX_INEXACT);
	run("region 0 mode 0 fpnan 2\nblock 0\n\tt1 = movif f64 0xffffffff3f800000\n\tt2 = funbox.f64 f32 t1\n\tt3 = movfi.f32 i64 t2\n"
	    "\tput i64 x1, t3\n\tt4 = movif f64 0x3f800000\n\tt5 = funbox.f64 f32 t4\n\tt6 = fclass.f32 i64 t5\n\tput i64 x2, t6\n"
	    "\tt7 = fcmp f64 t4, t1\n\tt8 = flbits i64 t7\n\tput i64 x3, t8\n\tjmp n 0\n");
	assert_int_equal(x(1), 0x3f800000);
	assert_int_equal(x(2), 1 << 9);
	assert_int_equal(x(3), FL_C | FL_V);
	cpu.fpmode = 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_at_every_width),
		cmocka_unit_test(test_bit_fields),
		cmocka_unit_test(test_flags_are_the_hosts),
		cmocka_unit_test(test_conditions_agree_with_relations),
		cmocka_unit_test(test_vectors_against_the_host),
		cmocka_unit_test(test_crc32c_is_the_hosts),
		cmocka_unit_test(test_variable_shifts),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_wide_vectors),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_atomics),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_floating_point),
	};

	seed = argc > 1 ? strtoull(argv[1], 0, 0) : (u64)time(0) * 0x9e3779b97f4a7c15 | 1;
	printf("seed %#llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, 0, 0);
}
