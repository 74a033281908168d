/* SPDX-License-Identifier: MIT */
/* libm.c - a guest program: every function of the C library's mathematics in every rounding mode on corners and
 * random numbers; prints a hash of the results and flags of each
 *
 *	libm [values [seed]]
 *
 * Run under two emulators, the output must be the same (check.d/22-fp.sh). */
#define _GNU_SOURCE
#include <complex.h>
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 88172645463325252, hash;
static int values = 300;

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

static void
add(const void *p, size_t n)
{
	const unsigned char *s = p;

	while (n--)
		hash = (hash ^ *s++) * 0x100000001b3;
}

/* a long double has padding on some guests: take what it means */
static void
addlong(long double v)
{
	double hi = (double)v, lo = (double)(v - hi);

	add(&hi, sizeof hi);
	add(&lo, sizeof lo);
}

static double
value(int i)
{
	static const double some[] = {0.0, -0.0, 1, -1, 0.5, 2, 3, 10, 0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp1023,
		1e-300, 1e300, 709.78, -745.1, 88.7, 1.5707963267948966, 3.141592653589793, 1e15, 4503599627370497.5,
		INFINITY, -INFINITY, NAN, 0x1p31, 0x1p63, 1 + 0x1p-52, 1 - 0x1p-53, 0x1p-149, 0x1p-126, 0x1.fffffep127};
	uint64_t bits = rnd();
	double d;

	if (i < (int)(sizeof some / sizeof *some))
		return some[i];
	if (i % 3 == 0)
		return (double)(int64_t)bits * 0x1p-58;
	if (i % 3 == 1)
		return (double)(int32_t)bits * 0x1p-24;
	memcpy(&d, &bits, sizeof d);
	return d;
}

#define EACH(name, type, call) \
static void \
run_##name(void) \
{ \
	for (int i = 0; i < values; i++) { \
		type x = (type)value(i), y = (type)value(i * 7 % values), z = (type)value(i * 3 % values); \
		int n = 0; \
		(void)x, (void)y, (void)z, (void)n; \
		call; \
		add(&n, sizeof n); \
	} \
}
#define D1(f) EACH(f, double, double r = f(x); add(&r, sizeof r))
#define D2(f) EACH(f, double, double r = f(x, y); add(&r, sizeof r))
#define F1(f) EACH(f, float, float r = f(x); add(&r, sizeof r))
#define F2(f) EACH(f, float, float r = f(x, y); add(&r, sizeof r))
#define L1(f) EACH(f, long double, addlong(f(x)))
#define L2(f) EACH(f, long double, addlong(f(x, y)))
#define I1(f, type) EACH(f, type, long long r = (long long)f(x); add(&r, sizeof r))
#define C1(f) EACH(f, double, double complex r = f(CMPLX(x, y)); add(&r, sizeof r))

#define ONES(M, s) \
M(sin##s) M(cos##s) M(tan##s) M(asin##s) M(acos##s) M(atan##s) M(sinh##s) M(cosh##s) M(tanh##s) M(asinh##s) M(acosh##s) \
M(atanh##s) M(exp##s) M(exp2##s) M(exp10##s) M(expm1##s) M(log##s) M(log2##s) M(log10##s) M(log1p##s) M(logb##s) \
M(sqrt##s) M(cbrt##s) M(erf##s) M(erfc##s) M(lgamma##s) M(tgamma##s) M(j0##s) M(j1##s) M(y0##s) M(y1##s) \
M(ceil##s) M(floor##s) M(trunc##s) M(round##s) M(roundeven##s) M(rint##s) M(nearbyint##s) M(fabs##s) M(significand##s)
#define TWOS(M, s) \
M(pow##s) M(atan2##s) M(hypot##s) M(fmod##s) M(remainder##s) M(fdim##s) M(fmax##s) M(fmin##s) M(copysign##s) \
M(nextafter##s)
#define COMPLEX(M) \
M(cexp) M(clog) M(csqrt) M(csin) M(ccos) M(ctan) M(casin) M(cacos) M(catan) M(csinh) M(ccosh) M(ctanh) M(casinh) \
M(cacosh) M(catanh)
#define INTS(M) M(lrint, double) M(llrint, double) M(lround, double) M(llround, double) M(lrintf, float) M(lroundf, float) \
M(ilogb, double) M(ilogbf, float)
#define LONGS(M) M(sinl) M(expl) M(logl) M(sqrtl) M(cbrtl) M(atanl) M(rintl) M(tanhl)

ONES(D1, ) ONES(F1, f) TWOS(D2, ) TWOS(F2, f) COMPLEX(C1) INTS(I1) LONGS(L1) L2(powl) L2(fmodl)
EACH(fma, double, double r = fma(x, y, z); add(&r, sizeof r))
EACH(fmaf, float, float r = fmaf(x, y, z); add(&r, sizeof r))
EACH(ldexp, double, double r = ldexp(x, (int)(rnd() % 200) - 100); add(&r, sizeof r))
EACH(frexp, double, double r = frexp(x, &n); add(&r, sizeof r))
EACH(modf, double, double q; double r = modf(x, &q); add(&r, sizeof r); add(&q, sizeof q))
EACH(remquo, double, double r = remquo(x, y, &n); n &= 7; add(&r, sizeof r))
EACH(sincos, double, double r[2]; sincos(x, r, r + 1); add(r, sizeof r))
EACH(jn, double, double r = jn(3, x); add(&r, sizeof r))
EACH(strtod, double, char s[64]; snprintf(s, sizeof s, "%.17g", x); double r = strtod(s, 0); add(s, strlen(s)); add(&r, sizeof r))
EACH(printf, double, char s[400]; snprintf(s, sizeof s, "%a %.3e %Lg", x, y, (long double)z); add(s, strlen(s)))

static const struct { const char *name; void (*run)(void); } all[] = {
#define N(f) {#f, run_##f},
#define NI(f, type) {#f, run_##f},
	ONES(N, ) ONES(N, f) TWOS(N, ) TWOS(N, f) COMPLEX(N) INTS(NI) LONGS(N) N(powl) N(fmodl)
	N(fma) N(fmaf) N(ldexp) N(frexp) N(modf) N(remquo) N(sincos) N(jn) N(strtod) N(printf)
};

int
main(int argc, char **argv)
{
	static const int mode[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};

	if (argc > 1)
		values = atoi(argv[1]);
	if (argc > 2)
		seed ^= strtoull(argv[2], 0, 0);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (int m = 0; m < 4; m++) {
			int raised;
			hash = 0xcbf29ce484222325;
			fesetround(mode[m]);
			feclearexcept(FE_ALL_EXCEPT);
			all[i].run();
			raised = fetestexcept(FE_ALL_EXCEPT);
			add(&raised, sizeof raised);
			fesetround(FE_TONEAREST);
			printf("%s %d %016llx\n", all[i].name, m, (unsigned long long)hash);
		}
	return 0;
}
