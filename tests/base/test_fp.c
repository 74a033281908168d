/* SPDX-License-Identifier: MIT */
/* test_fp.c - software floating point against the host's, bit for bit and flag for flag
 *
 * Usage: test_fp [seed [cases]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "base/fp.h"

static u64 seed, cases = 60000;

static u64
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

/* A number of the format, often where the trouble is: near the limits, few fraction bits. */
static u64
number(enum fpfmt f)
{
	int w = fp_width(f), fb = f == FMT_F64 ? 52 : f == FMT_F32 ? 23 : 10, eb = w - 1 - fb;
	u64 emax = ((u64)1 << eb) - 1, fmask = ((u64)1 << fb) - 1, r = rnd(), exp, frac;

	switch (r & 15) {
	case 0: exp = 0; break;
	case 1: exp = emax; break;
	case 2: exp = rnd() % 3; break;
	case 3: exp = emax - rnd() % 3; break;
	case 4: exp = (rnd() % 70) % (emax + 1); break;
	case 5: case 6: case 7: case 8: exp = (emax / 2 + rnd() % 140 - 70) & emax; break;
	default: exp = rnd() & emax;
	}
	switch (r >> 4 & 7) {
	case 0: frac = 0; break;
	case 1: frac = 1; break;
	case 2: frac = fmask; break;
	case 3: frac = (fmask + 1) >> 1; break;
	case 4: frac = ((u64)1 << rnd() % fb) & fmask; break;
	case 5: frac = fmask & ~(((u64)1 << rnd() % fb) - 1); break;
	default: frac = rnd() & fmask;
	}
	return ((r >> 8 & 1) << (w - 1)) | exp << fb | frac;
}

#if defined __x86_64__

static const enum fprm mode[4] = { RM_NE, RM_DN, RM_UP, RM_Z };        /* by MXCSR.RC */

typedef u64 hw_fn(u32 *csr, u64 a, u64 b, u64 c);
typedef u64 sw_fn(struct fpenv *, u64 a, u64 b, u64 c);

/* ops of two operands */
#define HW2(name, insn, type) \
static u64 \
name(u32 *csr, u64 a, u64 b, u64 c) \
{ \
	type x, y; \
	u64 r = 0; \
	(void)c; \
	memcpy(&x, &a, sizeof x); \
	memcpy(&y, &b, sizeof y); \
	__asm__ volatile("ldmxcsr %1\n\t" insn "\n\tstmxcsr %1" : "+x"(x), "+m"(*csr) : "x"(y)); \
	memcpy(&r, &x, sizeof x); \
	return r; \
}
#define BOTH(name, insn) HW2(name##_f32, insn "ss %2, %0", float) HW2(name##_f64, insn "sd %2, %0", double)
BOTH(hw_add, "add") BOTH(hw_sub, "sub") BOTH(hw_mul, "mul") BOTH(hw_div, "div")
BOTH(hw_min, "min") BOTH(hw_max, "max") BOTH(hw_sqrt, "sqrt")
HW2(hw_rint_f32, "roundss $4, %2, %0", float) HW2(hw_rint_f64, "roundsd $4, %2, %0", double)

#define HW3(name, insn, type) \
static u64 \
name(u32 *csr, u64 a, u64 b, u64 c) \
{ \
	type x, y, z; \
	u64 r = 0; \
	memcpy(&x, &a, sizeof x); \
	memcpy(&y, &b, sizeof y); \
	memcpy(&z, &c, sizeof z); \
	__asm__ volatile("ldmxcsr %1\n\t" insn "\n\tstmxcsr %1" : "+x"(x), "+m"(*csr) : "x"(y), "x"(z)); \
	memcpy(&r, &x, sizeof x); \
	return r; \
}
HW3(hw_fma_f32, "vfmadd213ss %3, %2, %0", float) HW3(hw_fma_f64, "vfmadd213sd %3, %2, %0", double)
HW3(hw_fms_f32, "vfmsub213ss %3, %2, %0", float) HW3(hw_fms_f64, "vfmsub213sd %3, %2, %0", double)
HW3(hw_fnma_f32, "vfnmadd213ss %3, %2, %0", float) HW3(hw_fnma_f64, "vfnmadd213sd %3, %2, %0", double)

/* one operand, other type */
#define HWC(name, insn, from, fc, to, tc) \
static u64 \
name(u32 *csr, u64 a, u64 b, u64 c) \
{ \
	from x; \
	to y = 0; \
	u64 r = 0; \
	(void)b, (void)c; \
	memcpy(&x, &a, sizeof x); \
	__asm__ volatile("ldmxcsr %1\n\t" insn " %2, %0\n\tstmxcsr %1" : "+" tc(y), "+m"(*csr) : fc(x)); \
	memcpy(&r, &y, sizeof y); \
	return r; \
}
HWC(hw_widen, "cvtss2sd", float, "x", double, "x")
HWC(hw_narrow, "cvtsd2ss", double, "x", float, "x")
HWC(hw_toi32_f32, "cvtss2si", float, "x", u32, "r")
HWC(hw_toi64_f32, "cvtss2si", float, "x", u64, "r")
HWC(hw_toi32_f64, "cvtsd2si", double, "x", u32, "r")
HWC(hw_toi64_f64, "cvtsd2si", double, "x", u64, "r")
HWC(hw_fromi32_f32, "cvtsi2ssl", u32, "r", float, "x")
HWC(hw_fromi64_f32, "cvtsi2ssq", u64, "r", float, "x")
HWC(hw_fromi64_f64, "cvtsi2sdq", u64, "r", double, "x")
HWC(hw_half, "vcvtps2ph $4,", float, "x", float, "x")
HWC(hw_unhalf, "vcvtph2ps", float, "x", float, "x")

#define CMP(name, insn, type) \
static u64 \
name(u32 *csr, u64 a, u64 b, u64 c) \
{ \
	type x, y; \
	u8 p, z, l; \
	(void)c; \
	memcpy(&x, &a, sizeof x); \
	memcpy(&y, &b, sizeof y); \
	__asm__ volatile("ldmxcsr %3\n\t" insn " %5, %4\n\tsetp %0\n\tsetz %1\n\tsetc %2\n\tstmxcsr %3" \
	                 : "=&q"(p), "=&q"(z), "=&q"(l), "+m"(*csr) : "x"(x), "x"(y)); \
	return p ? FPC_UN : z ? FPC_EQ : l ? FPC_LT : FPC_GT; \
}
CMP(hw_ucmp_f32, "ucomiss", float) CMP(hw_cmp_f32, "comiss", float)
CMP(hw_ucmp_f64, "ucomisd", double) CMP(hw_cmp_f64, "comisd", double)

#define SW(name, expr) \
static u64 name(struct fpenv *e, u64 a, u64 b, u64 c) { (void)a, (void)b, (void)c; return expr; }
#define SWBOTH(name, f) \
SW(name##_f32, f(e, FMT_F32, a, b)) SW(name##_f64, f(e, FMT_F64, a, b))
SWBOTH(sw_add, fp_add) SWBOTH(sw_sub, fp_sub) SWBOTH(sw_mul, fp_mul) SWBOTH(sw_div, fp_div)
SW(sw_min_f32, fp_min(e, FMT_F32, a, b, 0)) SW(sw_min_f64, fp_min(e, FMT_F64, a, b, 0))
SW(sw_max_f32, fp_max(e, FMT_F32, a, b, 0)) SW(sw_max_f64, fp_max(e, FMT_F64, a, b, 0))
SW(sw_sqrt_f32, fp_sqrt(e, FMT_F32, b)) SW(sw_sqrt_f64, fp_sqrt(e, FMT_F64, b))
SW(sw_rint_f32, fp_rint(e, FMT_F32, b, RM_DYN, 1)) SW(sw_rint_f64, fp_rint(e, FMT_F64, b, RM_DYN, 1))
/* the 213 forms multiply their second operand by the first */
SW(sw_fma_f32, fp_fma(e, FMT_F32, b, a, c, 0, 0)) SW(sw_fma_f64, fp_fma(e, FMT_F64, b, a, c, 0, 0))
SW(sw_fms_f32, fp_fma(e, FMT_F32, b, a, c, 0, 1)) SW(sw_fms_f64, fp_fma(e, FMT_F64, b, a, c, 0, 1))
SW(sw_fnma_f32, fp_fma(e, FMT_F32, b, a, c, 1, 0)) SW(sw_fnma_f64, fp_fma(e, FMT_F64, b, a, c, 1, 0))
SW(sw_widen, fp_convert(e, FMT_F64, FMT_F32, a)) SW(sw_narrow, fp_convert(e, FMT_F32, FMT_F64, a))
SW(sw_half, fp_convert(e, FMT_F16, FMT_F32, a)) SW(sw_unhalf, fp_convert(e, FMT_F32, FMT_F16, a))
SW(sw_fromi32_f32, fp_fromint(e, FMT_F32, a, 32, 0, 0)) SW(sw_fromi64_f32, fp_fromint(e, FMT_F32, a, 64, 0, 0))
SW(sw_fromi64_f64, fp_fromint(e, FMT_F64, a, 64, 0, 0))
SW(sw_ucmp_f32, fp_cmp(e, FMT_F32, a, b, 0)) SW(sw_cmp_f32, fp_cmp(e, FMT_F32, a, b, 1))
SW(sw_ucmp_f64, fp_cmp(e, FMT_F64, a, b, 0)) SW(sw_cmp_f64, fp_cmp(e, FMT_F64, a, b, 1))

/* x86 gives one "integer indefinite" for whatever is invalid */
static u64
x86_toint(struct fpenv *e, enum fpfmt f, u64 a, int width)
{
	struct fpenv t = *e;
	u64 v;

	t.flags = 0;
	v = fp_toint(&t, f, a, RM_DYN, width, 0, 0, 0);
	e->flags |= t.flags;
	return t.flags & FPX_INVALID ? (u64)1 << (width - 1) : v;
}
SW(sw_toi32_f32, x86_toint(e, FMT_F32, a, 32)) SW(sw_toi64_f32, x86_toint(e, FMT_F32, a, 64))
SW(sw_toi32_f64, x86_toint(e, FMT_F64, a, 32)) SW(sw_toi64_f64, x86_toint(e, FMT_F64, a, 64))

static const struct pair {
	const char *name;
	hw_fn *hw;
	sw_fn *sw;
	int from;                      /* enum fpfmt, -1: integer */
	int nodaz;                     /* not with DAZ, FTZ set */
} pairs[] = {
#define P(name, from, nodaz) { #name, hw_##name, sw_##name, from, nodaz }
#define P2(name) P(name##_f32, FMT_F32, 0), P(name##_f64, FMT_F64, 0)
	P2(add), P2(sub), P2(mul), P2(div), P2(min), P2(max), P2(sqrt), P2(rint), P2(fma), P2(fms), P2(fnma),
	P2(ucmp), P2(cmp), P(widen, FMT_F32, 0), P(narrow, FMT_F64, 0),
	P(toi32_f32, FMT_F32, 0), P(toi64_f32, FMT_F32, 0), P(toi32_f64, FMT_F64, 0), P(toi64_f64, FMT_F64, 0),
	P(fromi32_f32, -1, 0), P(fromi64_f32, -1, 0), P(fromi64_f64, -1, 0),
	P(half, FMT_F32, 1), P(unhalf, FMT_F16, 1),
};

static void
check(const struct pair *p, int rc, int fz, u64 a, u64 b, u64 c)
{
	u32 csr = 0x1f80 | (u32)rc << 13 | (fz ? 0x8040 : 0), was = csr;
	struct fpenv e = fp_env(mode[rc] | (fz ? FPM_FZ : 0), FPNAN_X86);
	u64 want = p->hw(&csr, a, b, c), got = p->sw(&e, a, b, c);
	u32 flags = (csr ^ was) & 63;

	if (want != got || flags != e.flags)
		fail_msg("%s rc %d fz %d: %llx %llx %llx: host %llx flags %02x, ours %llx flags %02x", p->name, rc, fz,
		         (unsigned long long)a, (unsigned long long)b, (unsigned long long)c,
		         (unsigned long long)want, flags, (unsigned long long)got, e.flags);
}

static u64
opposite_product(enum fpfmt f, u64 a, u64 b)
{
	struct fpenv e = fp_env(mode[rnd() & 3], FPNAN_X86);

	return fp_neg(f, fp_mul(&e, f, a, b));
}

static void
test_equal_to_the_host(void **state)
{
	(void)state;
	for (size_t k = 0; k < NELEM(pairs); k++)
		for (int rc = 0; rc < 4; rc++)
			for (u64 n = 0; n < cases; n++) {
				const struct pair *p = &pairs[k];
				u64 v[3];
				for (int i = 0; i < 3; i++)
					v[i] = p->from < 0 ? rnd() >> (rnd() & 63) : number((enum fpfmt)p->from);
				if (n % 8 == 0 && p->from >= 0)        /* cancellation */
					v[2] = opposite_product((enum fpfmt)p->from, v[0], v[1]);
				check(p, rc, !p->nodaz && n % 4 == 3, v[0], v[1], v[2]);
			}
}

/* The operands of Berkeley TestFloat's first level: exponents around all that matters times significands of few
 * runs of ones. */
static size_t
level1(enum fpfmt f, u64 *v)
{
	int w = fp_width(f), m = f == FMT_F64 ? 52 : f == FMT_F32 ? 23 : 10;
	u64 ones = ((u64)1 << m) - 1, top = (u64)1 << (m - 1), emax = ((u64)1 << (w - 1 - m)) - 1, bias = emax / 2;
	u64 exps[] = {0, 1, bias - (u64)m, bias - 1, bias, bias + 1, bias + (u64)m, bias + 31, bias + 63, emax - 1, emax};
	u64 fracs[] = {0, 1, ones, ones - 1, top, top + 1, top - 1, ones ^ 15};
	size_t n = 0;

	for (u64 sign = 0; sign < 2; sign++)
		for (size_t i = 0; i < NELEM(exps); i++)
			for (size_t k = 0; k < NELEM(fracs); k++)
				if (exps[i] <= emax)
					v[n++] = sign << (w - 1) | exps[i] << m | fracs[k];
	return n;
}

static void
test_equal_to_the_host_on_all_pairs(void **state)
{
	static u64 v[200];
	u64 count = 0;

	(void)state;
	for (size_t k = 0; k < NELEM(pairs); k++) {
		const struct pair *p = &pairs[k];
		size_t n = level1(p->from < 0 ? FMT_F64 : (enum fpfmt)p->from, v);
		for (int rc = 0; rc < 4; rc++)
			for (size_t i = 0; i < n * n; i++, count++)
				check(p, rc, !p->nodaz && i % 4 == 3, v[i / n], v[i % n], v[(i * 7 + i / n) % n]);
	}
	printf("%llu vectors\n", (unsigned long long)count);
}

/* All halves, and half arithmetic through single precision: 24 bits are enough to make the second
 * rounding harmless (Figueroa: p >= 2q + 2). */
static void
test_half(void **state)
{
	static hw_fn *const hw[] = { hw_add_f32, hw_sub_f32, hw_mul_f32, hw_div_f32 };
	static u64 (*const sw[])(struct fpenv *, enum fpfmt, u64, u64) = { fp_add, fp_sub, fp_mul, fp_div };

	(void)state;
	for (u64 a = 0; a < 0x10000; a++)
		check(&pairs[NELEM(pairs) - 1], 0, 0, a, 0, 0);
	for (int rc = 0; rc < 4; rc++)
		for (u64 n = 0; n < cases; n++) {
			u64 a = number(FMT_F16), b = number(FMT_F16);
			u32 csr = 0x1f80 | (u32)rc << 13;
			struct fpenv e = fp_env(mode[rc], FPNAN_X86);
			u64 x = hw_unhalf(&csr, a, 0, 0), y = hw_unhalf(&csr, b, 0, 0);
			u64 want = hw_half(&csr, hw[n & 3](&csr, x, y, 0), 0, 0);
			assert_int_equal(sw[n & 3](&e, FMT_F16, a, b), want);
			assert_int_equal(e.flags & (FPX_INVALID | FPX_INEXACT | FPX_OVERFLOW), csr & 0x29);
		}
}

#else
static void test_equal_to_the_host(void **state) { (void)state; skip(); }
static void test_equal_to_the_host_on_all_pairs(void **state) { (void)state; skip(); }
static void test_half(void **state) { (void)state; skip(); }
#endif

/* fma in half and single precision through a wider fma rounded to odd */
static void
test_fma_through_a_wider_format(void **state)
{
	(void)state;
	for (int m = RM_NE; m <= RM_NA; m++)
		for (u64 n = 0; n < cases; n++) {
			u64 a = number(FMT_F16), b = number(FMT_F16), c = number(FMT_F16);
			struct fpenv e = fp_env((u32)m, FPNAN_ARM), wide = fp_env(RM_ODD, FPNAN_ARM), f = e;
			u64 x = fp_convert(&wide, FMT_F64, FMT_F16, a), y = fp_convert(&wide, FMT_F64, FMT_F16, b);
			u64 z = fp_convert(&wide, FMT_F64, FMT_F16, c);
			u64 w = fp_fma(&wide, FMT_F64, x, y, z, 0, 0);
			if ((w & ~((u64)1 << 63)) == 0)        /* the sign of an exact zero follows the mode */
				continue;
			u64 want = fp_convert(&f, FMT_F16, FMT_F64, w), got = fp_fma(&e, FMT_F16, a, b, c, 0, 0);
			if ((want & 0x7fff) > 0x7c00)          /* NaNs: order is tested elsewhere */
				want = got;
			assert_int_equal(got, want);
			assert_int_equal((e.flags ^ (f.flags | wide.flags)) & FPX_INEXACT, 0);
		}
}

/* -- directed: the guests' rules -- */

enum { Q1 = 0x7fc00001, Q2 = 0x7fc00002, Q3 = 0xffc00003, S1 = 0x7f800001, S2 = 0x7f800002, S3 = 0x7f800003,
       INF = 0x7f800000, ONE = 0x3f800000, TWO = 0x40000000, DEF = 0x7fc00000, TINY = 1 };
static const u32 MZERO = 0x80000000, MINF = 0xff800000;

#define CHECK(nan, mode, expr, want, raised) do { \
	struct fpenv env = fp_env(mode, nan), *e = &env; \
	assert_int_equal(expr, want); \
	assert_int_equal(env.flags, raised); \
} while (0)
#define ARM(expr, want, raised) CHECK(FPNAN_ARM, RM_NE, expr, want, raised)
#define ARMDN(expr, want, raised) CHECK(FPNAN_ARM, RM_NE | FPM_DN, expr, want, raised)
#define RISCV(expr, want, raised) CHECK(FPNAN_RISCV, RM_NE, expr, want, raised)
#define ADD(a, b) fp_add(e, FMT_F32, a, b)
#define FMA(a, b, c) fp_fma(e, FMT_F32, a, b, c, 0, 0)

static void
test_nan_rules(void **state)
{
	(void)state;
	ARM(ADD(Q1, Q2), Q1, 0);
	ARM(ADD(ONE, Q2), Q2, 0);
	ARM(ADD(Q1, S2), Q2, FPX_INVALID);
	ARM(ADD(S1, S2), Q1, FPX_INVALID);
	ARM(ADD(INF, MINF), DEF, FPX_INVALID);
	ARMDN(ADD(Q1, Q2), DEF, 0);
	ARMDN(ADD(Q1, S2), DEF, FPX_INVALID);
	RISCV(ADD(Q3, ONE), DEF, 0);
	RISCV(ADD(S1, ONE), DEF, FPX_INVALID);
	ARM(FMA(Q1, Q2, Q3), Q3, 0);
	ARM(FMA(Q1, Q2, ONE), Q1, 0);
	ARM(FMA(Q1, S2, Q3), Q2, FPX_INVALID);
	ARM(FMA(S1, S2, S3), 0x7fc00003, FPX_INVALID);
	ARM(FMA(INF, 0, Q3), DEF, FPX_INVALID);
	ARM(FMA(INF, 0, S3), 0x7fc00003, FPX_INVALID);
	ARM(FMA(INF, 0, ONE), DEF, FPX_INVALID);
	RISCV(FMA(INF, 0, Q3), DEF, FPX_INVALID);
	ARM(fp_fma(e, FMT_F32, Q1, ONE, ONE, 1, 0), Q1 | MZERO, 0);
	ARM(fp_fma(e, FMT_F32, ONE, ONE, Q1, 0, 1), Q1 | MZERO, 0);
	ARM(fp_sqrt(e, FMT_F32, ONE | MZERO), DEF, FPX_INVALID);
	CHECK(FPNAN_X86, RM_NE, ADD(INF, MINF), 0xffc00000, FPX_INVALID);
}

static void
test_min_max(void **state)
{
#define MIN(a, b, num) fp_min(e, FMT_F32, a, b, num)
#define MAX(a, b, num) fp_max(e, FMT_F32, a, b, num)
	(void)state;
	ARM(MIN(0, MZERO, 0), MZERO, 0);
	ARM(MAX(MZERO, 0, 0), 0, 0);
	ARM(MIN(ONE, Q1, 0), Q1, 0);
	ARM(MIN(ONE, Q1, 1), ONE, 0);
	ARM(MAX(Q1, TWO, 1), TWO, 0);
	ARM(MAX(S1, TWO, 1), Q1, FPX_INVALID);
	ARM(MAX(Q1, Q2, 1), Q1, 0);
	ARM(MIN(ONE, TWO, 0), ONE, 0);
	ARM(MIN(MINF, TWO, 0), MINF, 0);
	ARM(MAX(ONE | MZERO, TWO | MZERO, 0), ONE | MZERO, 0);
	RISCV(MAX(S1, TWO, 1), TWO, FPX_INVALID);
	RISCV(MIN(Q1, S1, 1), DEF, FPX_INVALID);
	RISCV(MIN(Q1, Q2, 1), DEF, 0);
}

static void
test_flush_to_zero(void **state)
{
	(void)state;
#define FZ(expr, want, raised) CHECK(FPNAN_ARM, RM_NE | FPM_FZ, expr, want, raised)
	FZ(ADD(TINY, 0), 0, FPX_DENORM);
	FZ(fp_mul(e, FMT_F32, 0x00800000, 0x3f000000), 0, FPX_UNDERFLOW);
	ARM(fp_mul(e, FMT_F32, 0x00800000, 0x3f000000), 0x00400000, 0);
	FZ(fp_add(e, FMT_F16, 1, 1), 2, 0);
	CHECK(FPNAN_ARM, RM_NE | FPM_FZ16, fp_add(e, FMT_F16, 1, 1), 0, 0);
	CHECK(FPNAN_ARM, RM_NE | FPM_FZ16, fp_convert(e, FMT_F32, FMT_F16, 1), 0x33800000, 0);
	FZ(fp_convert(e, FMT_F64, FMT_F32, MZERO | TINY), (u64)1 << 63, FPX_DENORM);
	FZ(fp_cmp(e, FMT_F32, TINY, 0, 0), FPC_EQ, FPX_DENORM);
	FZ(fp_toint(e, FMT_F32, TINY, RM_UP, 32, 0, 0, 0), 0, FPX_DENORM);
}

/* ARM looks for tininess before rounding, RISC-V and x86 after. */
static void
test_tininess(void **state)
{
	u64 a = 0x00ffffff, half = 0x3f000000;         /* (2 - 2^-23) * 2^-126 / 2 rounds up to 2^-126 */

	(void)state;
	ARM(fp_mul(e, FMT_F32, a, half), 0x00800000, FPX_UNDERFLOW | FPX_INEXACT);
	RISCV(fp_mul(e, FMT_F32, a, half), 0x00800000, FPX_UNDERFLOW | FPX_INEXACT);
	/* with one more bit the unbounded rounding reaches 2^-126 and is not tiny any more */
	ARM(fp_mul(e, FMT_F32, 0x3f7ffffe, 0x00800001), 0x00800000, FPX_UNDERFLOW | FPX_INEXACT);
	RISCV(fp_mul(e, FMT_F32, 0x3f7ffffe, 0x00800001), 0x00800000, FPX_INEXACT);
}

static void
test_integers(void **state)
{
#define TOI(a, width, uns, nanmax) fp_toint(e, FMT_F32, a, RM_Z, width, uns, 0, nanmax)
	(void)state;
	ARM(TOI(Q1, 32, 0, 0), 0, FPX_INVALID);
	RISCV(TOI(Q3, 32, 0, 1), 0x7fffffff, FPX_INVALID);
	RISCV(TOI(Q3, 64, 1, 1), ~(u64)0, FPX_INVALID);
	ARM(TOI(0x4f000000, 32, 0, 0), 0x7fffffff, FPX_INVALID);
	ARM(TOI(0xcf000000, 32, 0, 0), 0x80000000, 0);
	ARM(TOI(0xcf000001, 32, 0, 0), 0x80000000, FPX_INVALID);
	ARM(TOI(0x4f000000, 32, 1, 0), 0x80000000, 0);
	ARM(TOI(0xbf800000, 32, 1, 0), 0, FPX_INVALID);
	ARM(TOI(0xbf000000, 32, 1, 0), 0, FPX_INEXACT);
	ARM(TOI(INF, 64, 0, 0), INT64_MAX, FPX_INVALID);
	ARM(TOI(0x477fff00, 16, 1, 0), 0xffff, 0);
	ARM(fp_toint(e, FMT_F32, 0x3fc00000, RM_Z, 32, 0, 4, 0), 24, 0);
	ARM(fp_toint(e, FMT_F32, 0x3f000000, RM_NA, 32, 0, 0, 0), 1, FPX_INEXACT);
	ARM(fp_toint(e, FMT_F32, 0x3f000000, RM_NE, 32, 0, 0, 0), 0, FPX_INEXACT);
	ARM(fp_fromint(e, FMT_F32, 24, 32, 0, 4), 0x3fc00000, 0);
	ARM(fp_fromint(e, FMT_F64, ~(u64)0, 64, 1, 0), 0x43f0000000000000, FPX_INEXACT);
	ARM(fp_fromint(e, FMT_F64, ~(u64)0, 64, 0, 0), 0xbff0000000000000, 0);
	ARM(fp_fromint(e, FMT_F16, 70000, 32, 0, 0), 0x7c00, FPX_OVERFLOW | FPX_INEXACT);
	ARM(fp_fromint(e, FMT_F32, 0x80000000, 32, 0, 0), 0xcf000000, 0);
	ARM(fp_rint(e, FMT_F32, 0xbe800000, RM_NE, 1), MZERO, FPX_INEXACT);
	ARM(fp_rint(e, FMT_F32, 0x3fc00000, RM_NE, 0), TWO, 0);
	ARM(fp_rintn(e, FMT_F64, 0x41e0000000000000, RM_Z, 32), 0xc1e0000000000000, FPX_INVALID);
	ARM(fp_rintn(e, FMT_F64, 0xc1e0000000000000, RM_Z, 32), 0xc1e0000000000000, 0);
	ARM(fp_rintn(e, FMT_F32, Q1, RM_Z, 64), 0xdf000000, FPX_INVALID);
}

static void
test_jcvtzs(void **state)
{
	static const struct { u64 a; u32 v; int exact; u32 flags; } t[] = {
		{ 0x3ff0000000000000, 1, 1, 0 }, { 0, 0, 1, 0 }, { (u64)1 << 63, 0, 0, 0 },
		{ 0x3ff8000000000000, 1, 0, FPX_INEXACT }, { 0x41f0000000000000, 0, 0, FPX_INVALID },
		{ 0x41f0000000100000, 1, 0, FPX_INVALID }, { 0xc1e0000000000000, 0x80000000, 1, 0 },
		{ 0xc1f0000000100000, ~(u32)0, 0, FPX_INVALID }, { 0x7ff8000000000000, 0, 0, FPX_INVALID },
		{ 0x7fe0000000000000, 0, 0, FPX_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct fpenv e = fp_env(RM_NE, FPNAN_ARM);
		int exact;
		assert_int_equal(fp_jcvtzs(&e, t[i].a, &exact), t[i].v);
		assert_int_equal(exact, t[i].exact);
		assert_int_equal(e.flags, t[i].flags);
	}
}

static void
test_alternative_half(void **state)
{
	(void)state;
#define AHP(expr, want, raised) CHECK(FPNAN_ARM, RM_NE | FPM_AHP, expr, want, raised)
	AHP(fp_convert(e, FMT_F32, FMT_F16, 0x7c00), 0x47800000, 0);           /* 65536 */
	AHP(fp_convert(e, FMT_F16, FMT_F32, INF), 0x7fff, FPX_INVALID);
	AHP(fp_convert(e, FMT_F16, FMT_F32, Q3), 0x8000, FPX_INVALID);
	AHP(fp_convert(e, FMT_F16, FMT_F32, 0x48800000), 0x7fff, FPX_INVALID); /* 2^18 */
	AHP(fp_convert(e, FMT_F16, FMT_F32, 0x47800000), 0x7c00, 0);
	ARM(fp_convert(e, FMT_F16, FMT_F32, 0x47800000), 0x7c00, FPX_OVERFLOW | FPX_INEXACT);
}

static void
test_arm_estimates_and_steps(void **state)
{
	(void)state;
	ARM(fp_recpe(e, FMT_F32, ONE), 0x3f7f8000, 0);
	ARM(fp_recpe(e, FMT_F32, 0), INF, FPX_DIVZERO);
	ARM(fp_recpe(e, FMT_F32, MINF), MZERO, 0);
	ARM(fp_recpe(e, FMT_F32, TINY), INF, FPX_OVERFLOW | FPX_INEXACT);
	ARM(fp_recpe(e, FMT_F32, 0x7f7fffff), 0x00200000, 0);
	ARM(fp_rsqrte(e, FMT_F32, ONE), 0x3f7f8000, 0);
	ARM(fp_rsqrte(e, FMT_F32, 0x40800000), 0x3eff8000, 0);
	ARM(fp_rsqrte(e, FMT_F32, ONE | MZERO), DEF, FPX_INVALID);
	ARM(fp_rsqrte(e, FMT_F32, INF), 0, 0);
	ARM(fp_recps(e, FMT_F32, ONE, ONE), ONE, 0);
	ARM(fp_recps(e, FMT_F32, INF, 0), TWO, 0);
	ARM(fp_recps(e, FMT_F32, Q1, ONE), Q1 | MZERO, 0);
	ARM(fp_rsqrts(e, FMT_F32, ONE, ONE), ONE, 0);
	ARM(fp_rsqrts(e, FMT_F32, 0, INF), 0x3fc00000, 0);
	ARM(fp_mulx(e, FMT_F32, INF, MZERO), TWO | MZERO, 0);
	ARM(fp_mulx(e, FMT_F32, TWO, ONE), TWO, 0);
	ARM(fp_recpx(e, FMT_F32, ONE), 0x40000000, 0);
	ARM(fp_recpx(e, FMT_F32, 0), 0x7f000000, 0);
	assert_int_equal(fp_urecpe(0x80000000), 0xff800000);
	assert_int_equal(fp_urecpe(1), ~(u32)0);
	assert_int_equal(fp_ursqrte(0x40000000), 0xff800000);
	for (u32 a = 0x80000000; a; a += 0x00800000) {         /* within 1/256 of the truth */
		double x = a / 4294967296.0, r = fp_urecpe(a) / 2147483648.0;
		assert_true(x * r > 1 - 1 / 256.0 && x * r < 1 + 1 / 256.0);
	}
}

/* "V" Standard Extension, tables 16 and 17: the first and last entries of each; and what lies beyond normal numbers */
static void
test_riscv_estimates_of_seven_bits(void **state)
{
	static const struct { u32 a, rec, rsqrt; u32 recflags, rsqrtflags; u8 rm; } v[] = {
		{0x3f800000, 0x3f7f0000, 0x3f7f0000, 0, 0, RM_NE},
		{0x3f810000, 0x3f7d0000, 0x3f7f0000, 0, 0, RM_NE},
		{0x3fff0000, 0x3f000000, 0x3f350000, 0, 0, RM_NE},
		{0x40000000, 0x3eff0000, 0x3f340000, 0, 0, RM_NE},
		{0x407f0000, 0x3e800000, 0x3f000000, 0, 0, RM_NE},
		{0x7e800000, 0x007f8000, 0x1fff0000, 0, 0, RM_NE},      /* results that are denormal */
		{0x7f7fffff, 0x00200000, 0x1f800000, 0, 0, RM_NE},
		{0x00400000, 0x7eff0000, 0x5f340000, 0, 0, RM_NE},
		{0x00000001, 0x7f800000, 0x64b40000, FPX_OVERFLOW | FPX_INEXACT, 0, RM_NE},
		{0x00000001, 0x7f7fffff, 0x64b40000, FPX_OVERFLOW | FPX_INEXACT, 0, RM_DN},
		{0x80000001, 0xff800000, 0x7fc00000, FPX_OVERFLOW | FPX_INEXACT, FPX_INVALID, RM_DN},
		{0x80000000, 0xff800000, 0xff800000, FPX_DIVZERO, FPX_DIVZERO, RM_NE},
		{0x7f800000, 0, 0, 0, 0, RM_NE},
		{0xff800000, 0x80000000, 0x7fc00000, 0, FPX_INVALID, RM_NE},
		{0x7f800001, 0x7fc00000, 0x7fc00000, FPX_INVALID, FPX_INVALID, RM_NE},
		{0xffc00001, 0x7fc00000, 0x7fc00000, 0, 0, RM_NE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct fpenv e = fp_env(v[i].rm, FPNAN_RISCV);

		assert_int_equal(fp_rec7(&e, FMT_F32, v[i].a), v[i].rec);
		assert_int_equal(e.flags, v[i].recflags);
		e.flags = 0;
		assert_int_equal(fp_rsqrt7(&e, FMT_F32, v[i].a), v[i].rsqrt);
		assert_int_equal(e.flags, v[i].rsqrtflags);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_to_the_host),
		cmocka_unit_test(test_equal_to_the_host_on_all_pairs),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_fma_through_a_wider_format),
		cmocka_unit_test(test_nan_rules),
		cmocka_unit_test(test_min_max),
		cmocka_unit_test(test_flush_to_zero),
		cmocka_unit_test(test_tininess),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_jcvtzs),
		cmocka_unit_test(test_alternative_half),
		cmocka_unit_test(test_arm_estimates_and_steps),
		cmocka_unit_test(test_riscv_estimates_of_seven_bits),
	};

	seed = argc > 1 ? strtoull(argv[1], 0, 0) : (u64)time(0) * 0x9e3779b97f4a7c15 | 1;
	if (argc > 2)
		cases = strtoull(argv[2], 0, 0);
	printf("seed %#llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, 0, 0);
}
