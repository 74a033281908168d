// guest: riscv64
// Zfa (The RISC-V Instruction Set Manual, Volume I, "Zfa"): constants, minimum and maximum that propagate NaNs, rounding to integral
// values, quiet comparisons and the modular conversion, with their flags; in words, since compilers know them only since 2023.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int failed;

static void
check(const char *what, uint64_t x, uint64_t y, uint64_t got, int flags, uint64_t want, int wantflags)
{
	if ((got != want || flags != wantflags) && failed++ < 40)
		printf("%s of %llx %llx is %llx with flags %x, not %llx, %x\n", what, (unsigned long long)x, (unsigned long long)y,
		    (unsigned long long)got, flags, (unsigned long long)want, wantflags);
}

enum { NX = 1, NV = 16 };
static int flags(void) { int f; __asm__ volatile("frflags %0\n fsflags zero" : "=r"(f)); return f; }

#define DD(insn, x, y) ({ double a_, b_, r_; uint64_t x_ = x, y_ = y, z_; memcpy(&a_, &x_, 8); memcpy(&b_, &y_, 8); \
	__asm__ volatile(".insn r 0x53, " insn ", %0, %1, %2" : "=f"(r_) : "f"(a_), "f"(b_)); memcpy(&z_, &r_, 8); z_; })
#define D1(insn, x) ({ double a_, r_; uint64_t x_ = x, z_; memcpy(&a_, &x_, 8); \
	__asm__ volatile(".insn r 0x53, " insn : "=f"(r_) : "f"(a_)); memcpy(&z_, &r_, 8); z_; })
#define DI(insn, x, y) ({ double a_, b_; uint64_t x_ = x, y_ = y, z_; memcpy(&a_, &x_, 8); memcpy(&b_, &y_, 8); \
	__asm__ volatile(".insn r 0x53, " insn ", %0, %1, %2" : "=r"(z_) : "f"(a_), "f"(b_)); z_; })

static const double constant[32] = {-1, 0, 0x1p-16, 0x1p-15, 0x1p-8, 0x1p-7, 0.0625, 0.125, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625,
	0.75, 0.875, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 8, 16, 128, 256, 0x1p15, 0x1p16, INFINITY, 0};
static const uint16_t half[32] = {0xbc00, 0x400, 0x100, 0x200, 0x1c00, 0x2000, 0x2c00, 0x3000, 0x3400, 0x3500, 0x3600, 0x3700, 0x3800,
	0x3900, 0x3a00, 0x3b00, 0x3c00, 0x3d00, 0x3e00, 0x3f00, 0x4000, 0x4100, 0x4200, 0x4400, 0x4800, 0x4c00, 0x5800, 0x5c00, 0x7800,
	0x7c00, 0x7c00, 0x7e00};

#define FLI(n) { uint64_t h_, s_, d_, w_; float f_ = (float)constant[n]; uint32_t u_; \
	__asm__ volatile(".insn r 0x53, 0, 0x7a, ft0, x" #n ", x1\n fmv.x.d %0, ft0\n .insn r 0x53, 0, 0x78, ft0, x" #n ", x1\n" \
	    "fmv.x.d %1, ft0\n .insn r 0x53, 0, 0x79, ft0, x" #n ", x1\n fmv.x.d %2, ft0" : "=r"(h_), "=r"(s_), "=r"(d_) :: "ft0"); \
	check("fli.h", n, 0, h_, flags(), 0xffffffffffff0000 | half[n], 0); \
	memcpy(&u_, &f_, 4); check("fli.s", n, 0, s_, 0, 0xffffffff00000000 | (n == 1 ? 0x800000 : n == 31 ? 0x7fc00000 : u_), 0); \
	memcpy(&w_, &constant[n], 8); check("fli.d", n, 0, d_, 0, n == 1 ? (uint64_t)1 << 52 : n == 31 ? (uint64_t)0x7ff8 << 48 : w_, 0); }

static const uint64_t values[] = {0, (uint64_t)1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x3ff8000000000000, 0xbff8000000000000,
	0x4004000000000000, 0x400c000000000000, 0x3fe0000000000000, 0xbfe0000000000000, 0x3fd0000000000000, 0x1, 0x8000000000000001,
	0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000001234, 0x7ff0000000000001, 0xfff4000000000000,
	0x41dfffffffc00000, 0x41e0000000000000, 0xc1e0000000000000, 0xc1e0000000200000, 0x41efffffffe00000, 0x4330000000000001,
	0x43e0000000000000, 0x4340000000000001, 0xc340000000000001, 0x4450000000000001, 0x41d0000000300000, 0x4530000000000000};
enum { NVALUES = sizeof values / sizeof *values };

static int isnan64(uint64_t x) { return x << 1 > (uint64_t)0x7ff << 53; }
static int issignalling(uint64_t x) { return isnan64(x) && !(x >> 51 & 1); }
static double number(uint64_t x) { double d; memcpy(&d, &x, 8); return d; }
static uint64_t bits(double d) { uint64_t x; memcpy(&x, &d, 8); return x; }
static const uint64_t nan64 = (uint64_t)0x7ff8 << 48;

static void
pair(uint64_t x, uint64_t y)
{
	int nan = isnan64(x) || isnan64(y), nv = issignalling(x) || issignalling(y) ? NV : 0;
	int less = nan ? 0 : number(x) < number(y) || (number(x) == number(y) && x >> 63 > y >> 63);
	int lt = !nan && number(x) < number(y), le = !nan && number(x) <= number(y);
	uint64_t r;

	flags();
	r = DD("2, 0x15", x, y); check("fminm", x, y, r, flags(), nan ? nan64 : less ? x : y, nv);
	r = DD("3, 0x15", x, y); check("fmaxm", x, y, r, flags(), nan ? nan64 : less ? y : x, nv);
	r = DI("5, 0x51", x, y); check("fltq", x, y, r, flags(), lt, nv);
	r = DI("4, 0x51", x, y); check("fleq", x, y, r, flags(), le, nv);
}

// the integral value next to x in rounding mode m; by integer arithmetic
static uint64_t
integral(uint64_t x, int m)
{
	int e = (int)(x >> 52 & 0x7ff) - 1023, sign = (int)(x >> 63);
	uint64_t f = (x & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52, whole, rest, middle;

	if (e >= 52 || !(x << 1))
		return x;
	if (e < -1)
		e = -2, f = 1;         // as far as it matters
	whole = e < 0 ? 0 : f >> (52 - e);
	rest = e == -2 ? 1 : e == -1 ? f : f & (((uint64_t)1 << (52 - e)) - 1);
	middle = e == -2 ? 2 : e == -1 ? (uint64_t)1 << 52 : (uint64_t)1 << (51 - e);
	if (m == 0 ? rest > middle || (rest == middle && whole & 1) : m == 1 ? 0 : m == 2 ? sign && rest : m == 3 ? !sign && rest : rest >= middle)
		whole++;
	return bits((double)whole) | (uint64_t)sign << 63;
}

#define ROUND(m, mode) { uint64_t w_ = isnan64(x) ? nan64 : integral(x, mode); int nx_ = !isnan64(x) && w_ != x ? NX : 0, nv_ = issignalling(x) ? NV : 0; \
	r = D1(#m ", 0x21, %0, %1, f4", x); check("fround." #m, x, mode, r, flags(), w_, nv_); \
	r = D1(#m ", 0x21, %0, %1, f5", x); check("froundnx." #m, x, mode, r, flags(), w_, nv_ | nx_); }
#define DYNAMIC(mode) __asm__ volatile("fsrmi " #mode); ROUND(7, mode)

static void
one(uint64_t x)
{
	uint64_t r;
	int e = (int)(x >> 52 & 0x7ff) - 1023, out, nx;
	uint64_t f = (x & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52, m = 0;

	flags();
	ROUND(0, 0) ROUND(1, 1) ROUND(2, 2) ROUND(3, 3) ROUND(4, 4)
	DYNAMIC(0) DYNAMIC(1) DYNAMIC(2) DYNAMIC(3) DYNAMIC(4)
	__asm__ volatile("fsrmi 0");
	if (e < 1024 && e >= 0 && e < 84)
		m = e <= 52 ? f >> (52 - e) : f << (e - 52);
	out = e > 31 || (e == 31 && !(x >> 63 && m == (uint64_t)1 << 31));
	nx = !out && (e < 0 ? x << 1 != 0 : e < 52 && f << (12 + e) != 0);
	if (x >> 63)
		m = -m;
	__asm__ volatile("fsflags zero\n fmv.d.x ft0, %1\n .insn r 0x53, 1, 0x61, %0, ft0, f8" : "=r"(r) : "r"(x) : "ft0");
	check("fcvtmod", x, 0, r, flags(), (uint64_t)(int64_t)(int32_t)m, out ? NV : nx ? NX : 0);
}

int
main(void)
{
	uint64_t seed = 1;

	flags();
	FLI(0) FLI(1) FLI(2) FLI(3) FLI(4) FLI(5) FLI(6) FLI(7) FLI(8) FLI(9) FLI(10) FLI(11) FLI(12) FLI(13) FLI(14) FLI(15) FLI(16)
	FLI(17) FLI(18) FLI(19) FLI(20) FLI(21) FLI(22) FLI(23) FLI(24) FLI(25) FLI(26) FLI(27) FLI(28) FLI(29) FLI(30) FLI(31)
	for (int i = 0; i < NVALUES; i++) {
		one(values[i]);
		for (int k = 0; k < NVALUES; k++)
			pair(values[i], values[k]);
	}
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		one((seed & ~((uint64_t)0x7ff << 52)) | (uint64_t)(1000 + (seed >> 20) % 110) << 52);
	}
	puts(failed ? "failed" : "all is well");
	return failed != 0;
}
