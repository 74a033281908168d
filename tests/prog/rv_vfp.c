// guest: riscv64
/* Floating point of the vector unit among that of the scalar one: flags that either raises are in fcsr, also when they
 * have been looked at often; rounding modes, of which some are invalid; boxes; sums in order; estimates. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define V(code, ...) __asm__ volatile(".option push\n.option arch, +v\n" code "\n.option pop" __VA_ARGS__)

static uint64_t a[4], b[4], d[4];

/* d = a op b, elements of 64 bits or of 32 */
#define OP64(op) V("vsetivli zero, 2, e64, m1, ta, ma\nvle64.v v8, (%0)\nvle64.v v9, (%1)\n" op "\nvse64.v v10, (%2)", \
	:: "r"(a), "r"(b), "r"(d) : "memory")
#define OP32(op) V("vsetivli zero, 4, e32, m1, ta, ma\nvle32.v v8, (%0)\nvle32.v v9, (%1)\n" op "\nvse32.v v10, (%2)", \
	:: "r"(a), "r"(b), "r"(d) : "memory")

static uint32_t flags(void) { uint32_t f; __asm__ volatile("frflags %0" : "=r"(f) :: "memory"); return f; }
static void clear(void) { __asm__ volatile("fsflags zero" ::: "memory"); }
static void mode(long m) { __asm__ volatile("fsrm %0" :: "r"(m) : "memory"); }
static uint64_t bits(double x) { uint64_t v; memcpy(&v, &x, 8); return v; }

static void
set(double x, double y)
{
	a[0] = a[1] = bits(x);
	b[0] = b[1] = bits(y);
}

static uint32_t
provoke(int what)
{
	volatile double zero = 0, one = 1, three = 3, scalar;

	switch (what) {
	case 0: set(1, 2); OP64("vfadd.vv v10, v8, v9"); break;
	case 1: set(1, 3); OP64("vfdiv.vv v10, v8, v9"); break;
	case 2: set(1, 0); OP64("vfdiv.vv v10, v8, v9"); break;
	case 3: set(1e300, 1e300); OP64("vfmul.vv v10, v8, v9"); break;
	case 4: set(1e-300, 1e-300); OP64("vfmul.vv v10, v8, v9"); break;
	case 5: set(-1, 0); OP64("vfsqrt.v v10, v8"); break;
	case 6: scalar = one / three; break;
	case 7: scalar = one / zero; break;
	case 8: set(0.5, 0); OP64("vfcvt.x.f.v v10, v8"); break;
	default: set(1e30, 0); OP64("vfcvt.rtz.x.f.v v10, v8"); break;
	}
	(void)scalar;
	return flags();
}

static void
looks(void)
{
	uint32_t hash = 0, x = 1;

	for (int i = 0; i < 1000; i++) {
		x = x * 1103515245 + 12345;
		if (i % 5 == 0 || i < 200)
			clear();
		hash = hash * 31 + provoke(i < 150 ? 0 : (int)(x >> 16) % 10);
	}
	printf("flags %08x\n", hash);
	for (int i = 0; i < 10; i++) {
		clear();
		printf("%d raises %02x\n", i, provoke(i));
	}
}

static void
rounding(void)
{
	for (int m = 0; m < 5; m++) {
		mode(m);
		set(1, 0x1p-53);
		a[1] |= 1ull << 63;
		OP64("vfadd.vv v10, v8, v9");
		printf("mode %d: %016lx %016lx", m, d[0], d[1]);
		set(2.5, -2.5);
		b[1] = a[0];
		OP64("vfcvt.x.f.v v10, v8\nvfcvt.x.f.v v9, v9\nvadd.vv v10, v10, v9");
		printf(" %ld %ld", (long)d[0], (long)d[1]);
		a[0] = 0x7f0000007f7fffff, a[1] = 0x7f000000ff7fffff;
		OP32("vfadd.vv v10, v8, v8");
		printf(" %016lx %016lx\n", d[0], d[1]);
	}
	mode(0);
}

static sigjmp_buf out;
static void ill(int sig) { (void)sig; siglongjmp(out, 1); }

static void
invalid(void)
{
	signal(SIGILL, ill);
	for (int m = 4; m < 8; m++) {
		mode(m);
		if (sigsetjmp(out, 1)) {
			printf("mode %d is invalid\n", m);
		} else {
			OP64("vfsgnj.vv v10, v8, v9");
			printf("mode %d is there\n", m);
		}
	}
	mode(0);
}

/* f registers to vectors and back */
static void
boxes(void)
{
	static const uint64_t v[] = {0xffffffff3fc00000, 0x000000003fc00000, 0xffffffffffff3e00, 0x3ff8000000000000};
	uint64_t back;

	for (int i = 0; i < 4; i++) {
		V("fld ft0, (%0)\nvsetivli zero, 4, e32, m1, ta, ma\nvfmv.v.f v8, ft0\nvfmv.f.s ft1, v8\nfsd ft1, (%1)\n"
		  "vse32.v v8, (%2)", :: "r"(&v[i]), "r"(&back), "r"(d) : "ft0", "ft1", "memory");
		printf("box %016lx: %016lx %016lx", v[i], d[1], back);
		V("fld ft0, (%0)\nvsetivli zero, 8, e16, m1, ta, ma\nvmv.v.i v8, 0\nvfslide1up.vf v9, v8, ft0\nvfmv.f.s ft1, v9\n"
		  "fsd ft1, (%1)\nvse16.v v9, (%2)", :: "r"(&v[i]), "r"(&back), "r"(d) : "ft0", "ft1", "memory");
		printf(" %016lx %016lx\n", d[0], back);
	}
}

static void
sums(void)
{
	float x[4] = {1e8f, 1.25f, -1e8f, 0.25f}, start = 1;

	memcpy(a, x, 16);
	memcpy(b, &start, 4);
	OP32("vmv.v.i v10, 0\nvfredosum.vs v10, v8, v9");
	printf("sum %08x", (uint32_t)d[0]);
	V("vsetivli zero, 4, e32, m1, ta, ma\nvle32.v v8, (%0)\nvmv.v.i v9, 0\nvfwredosum.vs v10, v8, v9\nvse32.v v10, (%1)",
	  :: "r"(a), "r"(d) : "memory");
	printf(" %016lx", d[0]);
	OP32("vmv.v.i v10, 0\nvfredmin.vs v10, v8, v9");
	printf(" %08x", (uint32_t)d[0]);
	V("vsetivli zero, 2, e32, m1, ta, ma\nvle64.v v8, (%0)\nvfncvt.rod.f.f.w v10, v8\nvse32.v v10, (%1)",
	  :: "r"((double[2]){1 + 0x1p-40, 0x1p-160}), "r"(d) : "memory");
	printf(" %016lx\n", d[0]);
}

/* each of the 128 entries, and what lies beyond normal numbers */
static void
estimates(void)
{
	uint32_t hash[2] = {0, 0};

	for (uint32_t i = 0; i < 128 * 256; i += 4) {
		for (uint32_t k = 0; k < 4; k++)
			((uint32_t *)a)[k] = (i + k) << 16;
		OP32("vfrec7.v v10, v8");
		hash[0] = hash[0] * 31 + (uint32_t)d[0] + (uint32_t)(d[0] >> 32) * 3 + (uint32_t)d[1] * 5 + (uint32_t)(d[1] >> 32) * 7;
		OP32("vfrsqrt7.v v10, v8");
		hash[1] = hash[1] * 31 + (uint32_t)d[0] + (uint32_t)(d[0] >> 32) * 3 + (uint32_t)d[1] * 5 + (uint32_t)(d[1] >> 32) * 7;
	}
	printf("estimates %08x %08x\n", hash[0], hash[1]);
}

int
main(void)
{
	looks();
	rounding();
	invalid();
	boxes();
	sums();
	estimates();
	return 0;
}
