// flags: -fno-tree-vectorize -fno-tree-slp-vectorize -fno-tree-loop-distribute-patterns -ffp-contract=fast
// Loops that compute lane by lane, of every type: all lengths, alignments and distances between the arrays, each compared
// with the same loop over volatile data.
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 40, ROOM = 512, ZONE = 2048 };
static unsigned char a[ZONE], b[ZONE], start[ZONE];
static long tried, wrong;
static int sticky;                     // exception flags are compared too
static int raw;                        // singles get a double: RISC-V takes that for a NaN
static uint64_t seed = 88172645463325252;

static uint64_t
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

// z[i] = f(x[i], y[i], k): as it is, and volatile
#define KERNEL(name, D, X, Y, K, expr) \
	static __attribute__((noinline)) uint64_t name(void *zp, const void *xp, const void *yp, long n, K k) \
	{ \
		D *z = zp; \
		const X *x = xp; \
		const Y *y = yp; \
		for (long i = 0; i < n; i++) \
			z[i] = (D)(expr); \
		return 0; \
	} \
	static __attribute__((noinline)) uint64_t name##_slow(void *zp, const void *xp, const void *yp, long n, K k) \
	{ \
		volatile D *z = zp; \
		const volatile X *x = xp; \
		const volatile Y *y = yp; \
		for (volatile long i = 0; i < n; i++) \
			z[i] = (D)(expr); \
		return 0; \
	}

// what s becomes each turn
#define JOIN(name, S, X, Y, K, expr) \
	static __attribute__((noinline)) uint64_t name(void *zp, const void *xp, const void *yp, long n, K k) \
	{ \
		const X *x = xp; \
		const Y *y = yp; \
		S s = (S)k; \
		for (long i = 0; i < n; i++) \
			s = (S)(expr); \
		return (uint64_t)s; \
	} \
	static __attribute__((noinline)) uint64_t name##_slow(void *zp, const void *xp, const void *yp, long n, K k) \
	{ \
		const volatile X *x = xp; \
		const volatile Y *y = yp; \
		volatile S s = (S)k; \
		for (volatile long i = 0; i < n; i++) \
			s = (S)(expr); \
		return (uint64_t)s; \
	}
// N neighbours each turn: z[j] = f(x, y, k, j)
#define EACH _Pragma("GCC unroll 4") for (int j = 0; j < width; j++)
#define ROWS(name, T, N, K, expr) \
	static __attribute__((noinline)) uint64_t name(void *zp, const void *xp, const void *yp, long n, K k) \
	{ \
		enum { width = N }; \
		T *z = zp; \
		const T *x = xp, *y = yp; \
		for (n /= width; n > 0; n--, z += width, x += width, y += width) { \
			T t[width]; \
			EACH t[j] = (T)(expr); \
			EACH z[j] = t[j]; \
		} \
		return 0; \
	} \
	static __attribute__((noinline)) uint64_t name##_slow(void *zp, const void *xp, const void *yp, long n, K k) \
	{ \
		enum { width = N }; \
		volatile T *z = zp; \
		const volatile T *x = xp, *y = yp; \
		for (volatile long i = n / width; i > 0; i--, z += width, x += width, y += width) { \
			T t[width]; \
			EACH t[j] = (T)(expr); \
			EACH z[j] = t[j]; \
		} \
		return 0; \
	}
#define SUM(name, S, X, Y, K, expr) JOIN(name, S, X, Y, K, s + (expr))

// counted with 32 bits, beyond the largest number
#define WRAPS(name, qualifier) \
	static __attribute__((noinline)) uint64_t name(void *zp, const void *xp, const void *yp, long n, double k) \
	{ \
		qualifier double *z = zp; \
		const qualifier double *x = xp; \
		uint32_t i = 0x7ffffffc, end = i + (uint32_t)n / 2 + 1; \
		qualifier int more; \
		do { \
			double s = x[0] * k, t = x[1] * k; \
			z[0] = s; \
			z[1] = t; \
			z += 2, x += 2; \
			more = 1; \
			NEXT(i); \
		} while (i != end); \
		return i; \
	}
#ifdef __riscv                         // as it is, not counted in another way
#define NEXT(i) asm("addiw %0, %0, 1" : "+r"(i))
#else
#define NEXT(i) i++
#endif
WRAPS(wraps, )
WRAPS(wraps_slow, volatile)
#include "loops.def"
#undef KERNEL
#undef JOIN
#undef ROWS

typedef uint64_t kernel(void *, const void *, const void *, long, int);
typedef uint64_t fkernel(void *, const void *, const void *, long, float);
typedef uint64_t dkernel(void *, const void *, const void *, long, double);
struct test { const char *name; void *fast, *slow; int d, x, y; char k; };
static const struct test tests[] = {
#define KIND(K) _Generic((K)0, float: 'f', double: 'd', int: 'i')
#define KERNEL(name, D, X, Y, K, expr) {#name, (void *)name, (void *)name##_slow, sizeof(D), sizeof(X), sizeof(Y), KIND(K)},
#define JOIN(name, S, X, Y, K, expr) {#name, (void *)name, (void *)name##_slow, 0, sizeof(X), sizeof(Y), KIND(K)},
#define ROWS(name, T, N, K, expr) {#name, (void *)name, (void *)name##_slow, sizeof(T), sizeof(T), sizeof(T), KIND(K)},
#include "loops.def"
	{"wraps", wraps, wraps_slow, 8, 8, 8, 'd'},
};

static uint64_t
call(const struct test *t, void *f, unsigned char *z, const unsigned char *x, const unsigned char *y, long n)
{
	switch (t->k) {
	case 'f': return raw ? ((dkernel *)f)(z, x, y, n, 1.5) : ((fkernel *)f)(z, x, y, n, 1.5f);
	case 'd': return ((dkernel *)f)(z, x, y, n, -0.75);
	default: return ((kernel *)f)(z, x, y, n, 77);
	}
}

static void
both(const struct test *t, long z, long x, long y, long n)
{
	uint64_t got, want;
	int is = 0;

	memcpy(a, start, ZONE);
	memcpy(b, start, ZONE);
	if (sticky)
		feclearexcept(FE_ALL_EXCEPT);
	got = call(t, t->fast, a + z, a + x, a + y, n);
	if (sticky) {
		is = fetestexcept(FE_ALL_EXCEPT);
		feclearexcept(FE_ALL_EXCEPT);
	}
	want = call(t, t->slow, b + z, b + x, b + y, n);
	tried++;
	if (got == want && !memcmp(a, b, ZONE) && (!sticky || is == fetestexcept(FE_ALL_EXCEPT)))
		return;
	if (!wrong++)
		printf("%s: z %ld x %ld y %ld n %ld: %#llx, not %#llx\n", t->name, z, x, y, n, (unsigned long long)got,
		    (unsigned long long)want);
}

// numbers of every kind, among them NaNs that no arithmetic makes
static void
fill(int width)
{
	for (int i = 0; i < ZONE; i += 8) {
		uint64_t v = rnd();

		if (width == 4 && rnd() % 4)
			for (int k = 0; k < 2; k++) {
				float f = (float)(int)(rnd() % 2001 - 1000) / 8;

				memcpy((char *)&v + 4 * k, &f, 4);
			}
		if (width == 8 && rnd() % 4) {
			double d = (double)(int)(rnd() % 2001 - 1000) / 8;

			memcpy(&v, &d, 8);
		}
		memcpy(start + i, &v, 8);
	}
}

int
main(void)
{
	for (size_t k = 0; k < sizeof tests / sizeof *tests; k++) {
		const struct test *t = &tests[k];

		fill(t->k == 'i' ? 1 : t->x);
		for (long n = 0; n <= MOST; n++)
			both(t, 1024, 512, 0, n);
		for (long off = 0; off < 16; off++)
			both(t, 1024 + off, 512 + off * 3 % 16, off * 5 % 16, MOST - off);
		for (long by = -80; by <= 80; by++) {
			both(t, 1024, 1024 + by, 0, MOST - 7);
			both(t, 1024, 0, 1024 + by, MOST - 3);
		}
	}
	sticky = 1;
	for (size_t k = 0; k < sizeof tests / sizeof *tests; k++)
		for (long n = 0; n <= 4 * MOST && tests[k].k != 'i'; n++) {
			fill(tests[k].x);
			raw = n % 8 == 7 && tests[k].d;
			both(&tests[k], 1024, 512, 0, n % 56);
		}
	printf("%ld tried, %ld wrong\n", tried, wrong);
	return wrong != 0;
}
