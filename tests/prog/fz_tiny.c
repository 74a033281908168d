// guest: aarch64
/* Results that round up to the least normal number: tiny before rounding, which is when ARM looks.  FPCR.FZ
 * makes them zero, with FPSR.UFC and not IXC; without it UFC and IXC are set.  Denormal operands: IDC. */
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FZ = 1 << 24, DN = 1 << 25, UP = 1 << 22, DOWN = 2 << 22, FZ16 = 1 << 19 };

static double from(uint64_t u) { double d; memcpy(&d, &u, 8); return d; }
static float from32(uint32_t u) { float f; memcpy(&f, &u, 4); return f; }
static uint64_t bits(double d) { uint64_t u; memcpy(&u, &d, 8); return u; }
static uint32_t bits32(float f) { uint32_t u; memcpy(&u, &f, 4); return u; }

static void setmode(uint64_t m) { __asm__ volatile("msr fpcr, %0" : : "r"(m) : "memory"); }
static void clear(void) { __asm__ volatile("msr fpsr, xzr" : : : "memory"); }

static unsigned
flags(void)
{
	uint64_t f;

	__asm__ volatile("mrs %0, fpsr" : "=r"(f) : : "memory");
	return (unsigned)f;
}

#define OP2(name, insn) \
static double name(double a, double b) { double d; __asm__ volatile(insn " %d0, %d1, %d2" : "=w"(d) : "w"(a), "w"(b)); return d; } \
static float name##32(float a, float b) { float d; __asm__ volatile(insn " %s0, %s1, %s2" : "=w"(d) : "w"(a), "w"(b)); return d; }
OP2(add, "fadd") OP2(sub, "fsub") OP2(mul, "fmul") OP2(quot, "fdiv") OP2(least, "fmin") OP2(nmul, "fnmul") OP2(mulx, "fmulx")

static double
madd(double a, double b, double c)
{
	double d;

	__asm__ volatile("fmadd %d0, %d1, %d2, %d3" : "=w"(d) : "w"(a), "w"(b), "w"(c));
	return d;
}

static float narrow(double a) { float f; __asm__ volatile("fcvt %s0, %d1" : "=w"(f) : "w"(a)); return f; }
static double widen(float a) { double d; __asm__ volatile("fcvt %d0, %s1" : "=w"(d) : "w"(a)); return d; }
static unsigned half(float a) { unsigned h; float t; __asm__ volatile("fcvt %h1, %s2\n\tfmov %w0, %s1" : "=r"(h), "=w"(t) : "w"(a)); return h; }
static double root(double a) { double d; __asm__ volatile("fsqrt %d0, %d1" : "=w"(d) : "w"(a)); return d; }
static double rint_(double a) { double d; __asm__ volatile("frintx %d0, %d1" : "=w"(d) : "w"(a)); return d; }
static long toint(double a) { long n; __asm__ volatile("fcvtps %0, %d1" : "=r"(n) : "w"(a)); return n; }

static long
compare(double a, double b)
{
	long n;

	__asm__ volatile("fcmp %d1, %d2\n\tmrs %0, nzcv" : "=r"(n) : "w"(a), "w"(b) : "cc");
	return n;
}

static void
packed(const float *a, const float *b)
{
	float32x4_t d;
	float64x2_t e;
	uint32_t u[4];
	uint64_t v[2];

	clear();
	__asm__ volatile("fmul %0.4s, %1.4s, %2.4s" : "=w"(d) : "w"(vld1q_f32(a)), "w"(vld1q_f32(b)));
	unsigned f = flags();
	vst1q_u32(u, vreinterpretq_u32_f32(d));
	printf("packed %08x %08x %08x %08x %x\n", u[0], u[1], u[2], u[3], f);
	e = vdupq_n_f64(from(0x380fffffffffffff));
	clear();
	__asm__ volatile("fcvtn %0.2s, %1.2d" : "=w"(d) : "w"(e));
	f = flags();
	vst1q_u32(u, vreinterpretq_u32_f32(d));
	printf("fcvtn %08x %08x %08x %08x %x\n", u[0], u[1], u[2], u[3], f);
	e = vdupq_n_f64(1);
	clear();
	__asm__ volatile("fmla %0.2d, %1.2d, %1.2d" : "+w"(e) : "w"(vdupq_n_f64(from(0x0010000000000001))));
	f = flags();
	vst1q_u64(v, vreinterpretq_u64_f64(e));
	printf("fmla %016lx %x\n", (long)v[0], f);
}

#define SHOW(what, type, call, tobits) do { \
	clear(); \
	type r_ = call; \
	unsigned f_ = flags(); \
	printf(" " what " %lx/%x", (long)tobits(r_), f_); \
} while (0)

int
main(void)
{
	static const uint64_t mode[] = {0, FZ, FZ | UP, FZ | DOWN, UP, DOWN, DN, FZ | DN, FZ | FZ16, FZ16};
	static const uint64_t op[] = {0x0010000000000000, 0x0010000000000001, 0x8010000000000001, 0x3feffffffffffffe,
	    0x3ff0000000000000, 0x000fffffffffffff, 0x8000000000000001, 0, 0x7ff0000000000000, 0x7ff8000000000123,
	    0x7ff4000000000000, 0x380ffffffffffff0, 0x380fffffe0000000, 0xb80fffffffffffff, 0x3f0ffffffffffff0};
	static const uint32_t op32[] = {0x00800000, 0x00800001, 0x80800001, 0x3f7ffffe, 0x3f800000, 0x007fffff, 0x80000001,
	    0, 0x7f800000, 0x7fc00123, 0x7fa00000, 0x387fffff, 0x33800000, 0xb87fffff, 0x3f000001};
	enum { N = sizeof op / sizeof *op };

	for (unsigned m = 0; m < sizeof mode / sizeof *mode; m++) {
		setmode(mode[m]);
		for (int i = 0; i < N; i++) {
			double a = from(op[i]);
			float c = from32(op32[i]);
			printf("%x %d:", (unsigned)mode[m], i);
			SHOW("narrow", float, narrow(a), bits32);
			SHOW("widen", double, widen(c), bits);
			SHOW("half", unsigned, half(c), (long));
			SHOW("root", double, root(a), bits);
			SHOW("rint", double, rint_(a), bits);
			SHOW("toint", long, toint(a), (long));
			putchar('\n');
			for (int j = 0; j < N; j++) {
				double b = from(op[j]);
				float d = from32(op32[j]);
				printf("%x %d %d:", (unsigned)mode[m], i, j);
				SHOW("add", double, add(a, b), bits);
				SHOW("sub", float, sub32(c, d), bits32);
				SHOW("mul", double, mul(a, b), bits);
				SHOW("mul32", float, mul32(c, d), bits32);
				SHOW("nmul", double, nmul(a, b), bits);
				SHOW("mulx", float, mulx32(c, d), bits32);
				SHOW("div", double, quot(a, b), bits);
				SHOW("div32", float, quot32(c, d), bits32);
				SHOW("min", double, least(a, b), bits);
				SHOW("cmp", long, compare(a, b), (long));
				SHOW("madd", double, madd(a, b, from(0)), bits);
				SHOW("madd1", double, madd(a, b, from(0x8000000000000001)), bits);
				putchar('\n');
			}
		}
		packed((float[]){op32[0], from32(0x00800001), from32(0x80800001), 1}, (float[]){1, from32(0x3f7ffffe), from32(0x3f7ffffe), 1});
	}
	return 0;
}
