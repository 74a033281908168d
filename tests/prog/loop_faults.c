// flags: -fno-tree-vectorize -fno-tree-slp-vectorize -fno-tree-loop-distribute-patterns
// Loops that compute lane by lane, or some turns at once, and run into a page that is not there, or cannot be written: what the handler finds in
// registers and memory; and what comes out when it mends the page and the loop goes on.
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, ARENA = 6 * PAGE, NREG = 31, NFP = 32 };
static unsigned char *const arena = (unsigned char *)0x20000000;
static sigjmp_buf out;
static uint64_t reg[NREG], fp[NFP], pc, at, flags;
static unsigned char *mend;

static uint64_t
hash(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t word;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&word, s, 8);
		h = (h ^ word) * 0x100000001b3;
		h ^= h >> 29;
	}
	while (n--)
		h = (h ^ *s++) * 0x100000001b3;
	return h;
}

static void
look(const ucontext_t *u)
{
#ifdef __riscv
	memcpy(reg, u->uc_mcontext.__gregs, sizeof reg);
	pc = u->uc_mcontext.__gregs[0];
	memcpy(fp, u->uc_mcontext.__fpregs.__d.__f, sizeof fp);
	flags = u->uc_mcontext.__fpregs.__d.__fcsr;
#else
	const struct fpsimd_context *f = (const void *)u->uc_mcontext.__reserved;

	memcpy(reg, u->uc_mcontext.regs, sizeof reg);
	pc = u->uc_mcontext.pc;
	for (int n = 0; n < NFP; n++)
		fp[n] = (uint64_t)f->vregs[n] ^ (uint64_t)(f->vregs[n] >> 64) * 3;
#endif
}

static void
handler(int sig, siginfo_t *si, void *uc)
{
	look(uc);
	at = (uint64_t)((unsigned char *)si->si_addr - arena);
	if (!mend)
		siglongjmp(out, 1);
	mprotect(mend, PAGE, PROT_READ | PROT_WRITE);
}

// what the registers hold but for the loop's own
static void
clear(void)
{
#ifdef __riscv
#define ONE(n) "fmv.d.x f" #n ", zero\n"
#define CLOBBER(n) "f" #n
#define OTHERS(M, S) M(0) S M(1) S M(2) S M(3) S M(4) S M(5) S M(6)
#define ZERO(n) "li t" #n ", 0\n"
#define CHANGED(n) "t" #n
#else
#define ONE(n) "movi v" #n ".2d, #0\n"
#define CLOBBER(n) "v" #n
#define OTHERS(M, S) M(5) S M(6) S M(7) S M(8) S M(9) S M(10) S M(11) S M(12) S M(13) S M(14) S M(15) S M(16) S M(17) \
	S M(18)
#define ZERO(n) "mov x" #n ", 0\n"
#define CHANGED(n) "x" #n
#endif
#define ALL(M, S) M(0) S M(1) S M(2) S M(3) S M(4) S M(5) S M(6) S M(7) S M(8) S M(9) S M(10) S M(11) S M(12) S M(13) S M(14) \
	S M(15) S M(16) S M(17) S M(18) S M(19) S M(20) S M(21) S M(22) S M(23) S M(24) S M(25) S M(26) S M(27) S M(28) S M(29) \
	S M(30) S M(31)
#define NOTHING
#define COMMA ,
	feclearexcept(FE_ALL_EXCEPT);
	asm volatile(ALL(ONE, NOTHING) OTHERS(ZERO, NOTHING) ::: "memory", ALL(CLOBBER, COMMA), OTHERS(CHANGED, COMMA));
}

#define LOOP(name, D, X, Y, K, expr) \
	static __attribute__((noinline)) uint64_t name(D *z, const X *x, const Y *y, long n, K k) \
	{ \
		D last = 0; \
		for (long i = 0; i < n; i++) \
			z[i] = last = (D)(expr); \
		return (uint64_t)last; \
	}
#define TOTAL(name, D, X, Y, K, expr) \
	static __attribute__((noinline)) uint64_t name(D *z, const X *x, const Y *y, long n, K k) \
	{ \
		D s = (D)k; \
		for (long i = 0; i < n; i++) \
			s += (expr); \
		return (uint64_t)s; \
	}
#define MOST(name, D, X, Y, K, expr) \
	static __attribute__((noinline)) uint64_t name(D *z, const X *x, const Y *y, long n, K k) \
	{ \
		D s = (D)k; \
		for (long i = 0; i < n; i++) \
			s = (expr) > s ? (expr) : s; \
		return (uint64_t)s; \
	}
// N neighbours each turn, two of them by way of other memory
#define ROWS(name, T, N, K, expr) \
	static __attribute__((noinline)) uint64_t name(T *z, const T *x, const T *y, long n, K k) \
	{ \
		enum { width = N }; \
		for (n /= width; n > 0; n--, z += width, x += width, y += width) { \
			T t[width]; \
			_Pragma("GCC unroll 4") for (int j = 0; j < width; j++) t[j] = (T)(expr); \
			_Pragma("GCC unroll 4") for (int j = 0; j < width; j++) z[j] = t[j]; \
		} \
		return 0; \
	}
typedef uint64_t word __attribute__((may_alias));
#define PASSED(name, T, expr) \
	static __attribute__((noinline)) uint64_t name(T *z, const T *x, const T *y, long n, T k) \
	{ \
		union { T t[16 / sizeof(T)]; uint64_t bits[2]; } u; \
		for (int i = 0; i < (int)n / (16 / (int)sizeof(T)); i++) { \
			const T *at = x + i * (16 / sizeof(T)); \
			_Pragma("GCC unroll 4") for (int j = 0; j < 16 / sizeof(T); j++) u.t[j] = (T)(expr); \
			asm volatile("" : "+m"(u)); \
			((word *)(z + i * (16 / sizeof(T))))[0] = u.bits[0]; \
			((word *)(z + i * (16 / sizeof(T))))[1] = u.bits[1]; \
		} \
		return 0; \
	}
ROWS(pair_d, double, 2, double, x[j] * k + y[j])
ROWS(more_d, double, 2, double, z[j] + x[j] * k)
ROWS(quad_f, float, 4, float, x[j] / (x[j] - x[3]) + y[j] * k)

// what is loaded is stored over before the other is
static __attribute__((noinline)) uint64_t
both_d(double *z, const double *x, double *y, long n, double k)
{
	for (n /= 2; n > 0; n--, z += 2, x += 2, y += 2) {
		double s = z[0] + x[0] * k, t = z[1] + x[1] * k;

		z[0] = s;
		z[1] = t;
		y[0] = s;
		y[1] = t;
	}
	return 0;
}
PASSED(passed_d, double, at[j] * k)
PASSED(passed_f, float, at[j] / at[2] + k)
LOOP(axpy_f, float, float, float, float, y[i] + k * x[i])
LOOP(axpy_d, double, double, double, double, z[i] + k * x[i])
LOOP(copy_d, double, double, double, double, x[i])
LOOP(over_f, float, float, float, float, x[i] / y[i])
LOOP(set_f, float, float, float, float, k)
LOOP(add_8, uint8_t, uint8_t, uint8_t, int, x[i] + y[i] * 3)
LOOP(sub_16, int16_t, int16_t, int16_t, int, x[i] - y[i])
LOOP(shift_32, uint32_t, uint32_t, uint32_t, int, (x[i] >> 3) ^ y[i])
LOOP(or_64, uint64_t, uint64_t, uint64_t, int, x[i] | (y[i] + 5))
LOOP(wide, int32_t, uint8_t, int16_t, int, x[i] - y[i])
TOTAL(sad, int32_t, uint8_t, uint8_t, int, abs(x[i] - y[i]))
TOTAL(dot, int32_t, int16_t, int16_t, int, x[i] * y[i])
TOTAL(column, int32_t, int16_t, int32_t, int, x[i] * y[3 * i])
TOTAL(chain, int64_t, int32_t, int64_t, int, (s ^ x[2 * i]) * 31 + y[i])
MOST(peak, int32_t, int16_t, int16_t, int, x[i] - y[i])
TOTAL(column_d, double, double, double, double, x[i] / y[2 * i])

// a loop within a loop
static __attribute__((noinline)) uint64_t
square(int32_t *z, const uint8_t *x, const uint8_t *y, long n, int k)
{
	uint32_t s = 0;

	for (int i = 0; i < 4; i++, x += 16, y += 16)
		for (int j = 0; j < 16; j++)
			s += (uint32_t)abs(x[j] - y[j]);
	return s;
}

// a register that is changed after the store
static __attribute__((noinline)) uint64_t
late_f(float *z, const float *x, const float *y, long n, float k)
{
	const float *end = z + n;

#ifdef __riscv
	asm volatile("1: flw f0, (%1)\n flw f1, (%2)\n fadd.s f2, f0, f1\n fsw f2, (%0)\n fmv.s f3, f2\n addi %0, %0, 4\n"
	    "addi %1, %1, 4\n addi %2, %2, 4\n bne %0, %3, 1b\n"
#else
	asm volatile("1: ldr s0, [%1], #4\n ldr s1, [%2], #4\n fadd s2, s0, s1\n str s2, [%0], #4\n fmov s3, s2\n"
	    "cmp %0, %3\n b.ne 1b\n"
#endif
	    : "+r"(z), "+r"(x), "+r"(y) : "r"(end) : "memory", "cc", CLOBBER(0), CLOBBER(1), CLOBBER(2), CLOBBER(3));
	return 0;
}

typedef uint64_t kernel(void *, const void *, const void *, long, int);
typedef uint64_t fkernel(void *, const void *, const void *, long, float);
typedef uint64_t dkernel(void *, const void *, const void *, long, double);
static const struct test { const char *name; void *f; int d, x, y; char k; } tests[] = {
	{"axpy_f", axpy_f, 4, 4, 4, 'f'}, {"axpy_d", axpy_d, 8, 8, 8, 'd'}, {"copy_d", copy_d, 8, 8, 8, 'd'},
#ifdef __riscv                         // elsewhere they are pairs of registers, of which one may have been loaded
	{"pair_d", pair_d, 8, 8, 8, 'd'}, {"more_d", more_d, 8, 8, 8, 'd'}, {"quad_f", quad_f, 4, 4, 4, 'f'},
	{"both_d", both_d, 8, 8, 8, 'd'},
	{"passed_d", passed_d, 8, 8, 8, 'd'}, {"passed_f", passed_f, 4, 4, 4, 'f'},
#endif
	{"late_f", late_f, 4, 4, 4, 'f'}, {"over_f", over_f, 4, 4, 4, 'f'}, {"set_f", set_f, 4, 4, 4, 'f'}, {"add_8", add_8, 1, 1, 1, 'i'},
	{"sub_16", sub_16, 2, 2, 2, 'i'}, {"shift_32", shift_32, 4, 4, 4, 'i'}, {"or_64", or_64, 8, 8, 8, 'i'},
	{"wide", wide, 4, 1, 2, 'i'}, {"column", column, 4, 2, 4, 'i'}, {"chain", chain, 8, 4, 8, 'i'}, {"column_d", column_d, 8, 8, 8, 'd'},
	{"sad", sad, 4, 1, 1, 'i'}, {"square", square, 4, 1, 1, 'i'}, {"dot", dot, 4, 2, 2, 'i'}, {"peak", peak, 4, 2, 2, 'i'},
};

static uint64_t
call(const struct test *t, unsigned char *z, unsigned char *x, unsigned char *y, long n)
{
	clear();
	switch (t->k) {
	case 'f': return ((fkernel *)t->f)(z, x, y, n, 1.5f);
	case 'd': return ((dkernel *)t->f)(z, x, y, n, -0.75);
	default: return ((kernel *)t->f)(z, x, y, n, 77);
	}
}

static uint64_t
seen(const struct test *t, int withflags)
{
	uint64_t h = pc - (uint64_t)t->f;

	if (!pc)
		return 0;
	for (int n = 0; n < NREG; n++)         // addresses of code, of the stack: not the same everywhere
		if (n && (reg[n] - (uint64_t)arena < ARENA || reg[n] + 65536 < 131072))
			h = hash(h ^ (uint64_t)n, &reg[n], 8);
	h = hash(h, fp, sizeof fp);
	h = hash(h, &at, sizeof at);
	return withflags ? hash(h, &flags, sizeof flags) : h;
}

// which: z, x or y ends after `good` elements, misaligned by off
static uint64_t
once(const struct test *t, int which, int prot, int good, int off, unsigned char *fix)
{
	const int size[] = {t->d, t->x, t->y};
	unsigned char *p[3];
	uint64_t h = 0;

	mprotect(arena, ARENA, PROT_READ | PROT_WRITE);
	for (int n = 0; n < ARENA; n += 4) {
		float f = (float)(n * 7919 % 1000) / 16 - 20;

		memcpy(arena + n, &f, 4);
	}
	for (int n = 0; n < 3; n++)
		p[n] = arena + 2 * n * PAGE + PAGE - (n == which ? good * size[n] - off % size[n] : 2000);
	mprotect(arena + 2 * which * PAGE + PAGE, PAGE, prot);
	mend = fix ? arena + 2 * which * PAGE + PAGE : 0;
	pc = at = 0;
	if (!sigsetjmp(out, 1))
		h = call(t, p[0], p[1], p[2], good + 45);
	mprotect(arena, ARENA, PROT_READ | PROT_WRITE);
	return hash(hash(h, arena, ARENA) + seen(t, prot == PROT_NONE), &h, 8);
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	if (mmap(arena, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != arena)
		return 1;
	sigaction(SIGSEGV, &sa, 0);
	for (size_t k = 0; k < sizeof tests / sizeof *tests; k++)
		for (int which = 0; which < 3; which++) {
			uint64_t h = 0;

			for (int good = 1; good < 36; good += good < 3 || good > 14 && good < 18 ? 1 : 5)
				for (int off = 0; off < 2; off++) {
					h = h * 31 + once(&tests[k], which, PROT_NONE, good, off, 0);
					h = h * 31 + once(&tests[k], which, PROT_READ, good, off, 0);
					h = h * 31 + once(&tests[k], which, PROT_NONE, good, off, arena);
				}
			printf("%s %c %016llx\n", tests[k].name, "zxy"[which], (unsigned long long)h);
		}
	return 0;
}
