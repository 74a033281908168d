/* SPDX-License-Identifier: MIT */
/* simdhelp.c - C helpers for the instructions that are too rare or too long for IR
 *
 * The pointers of a vector helper may be equal: each reads all of its operands before it writes. */
#include "base/fp.h"
#include "frontend/arm64/arm64.h"

helper_fn arm64_fixed64, arm64_jcvtzs;
vhelper_fn arm64_sha1c, arm64_sha1p, arm64_sha1m, arm64_sha1su1, arm64_sha256h, arm64_sha256h2,
    arm64_sha256su0, arm64_sha256su1, arm64_urecpe, arm64_ursqrte, arm64_rdmla, arm64_fmlal;

static u32 ror(u32 v, int n) { return v >> n | v << (32 - n); }
static u32 choose(u32 x, u32 y, u32 z) { return ((y ^ z) & x) ^ z; }
static u32 majority(u32 x, u32 y, u32 z) { return (x & y) | ((x | y) & z); }
static u32 parity(u32 x, u32 y, u32 z) { return x ^ y ^ z; }

/* -- SHA1 -- */

/* four rounds: d holds A to D, a's lane 0 E, b the message words plus constants */
static inline void
sha1(u32 *d, const u32 *a, const u32 *b, u32 (*f)(u32, u32, u32))
{
	u32 A = d[0], B = d[1], C = d[2], D = d[3], E = a[0], w[4];

	memcpy(w, b, sizeof w);
	for (int i = 0; i < 4; i++) {
		u32 next = E + ror(A, 27) + f(B, C, D) + w[i];
		E = D, D = C, C = ror(B, 2), B = A, A = next;
	}
	d[0] = A, d[1] = B, d[2] = C, d[3] = D;
}

#define SHA1(name, f) \
void \
arm64_##name(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm) \
{ \
	(void)cpu, (void)imm; \
	sha1(d, a, b, f); \
}
SHA1(sha1c, choose)
SHA1(sha1p, parity)
SHA1(sha1m, majority)
#undef SHA1

void
arm64_sha1su1(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm)
{
	u32 *x = d, y[4];

	(void)cpu, (void)b, (void)imm;
	memcpy(y, a, sizeof y);
	for (int i = 0; i < 4; i++)
		x[i] = ror(x[i] ^ (i < 3 ? y[i + 1] : 0), 31);
	x[3] ^= ror(x[0], 31);
}

/* -- SHA256 -- */

/* four rounds on A to D in x, E to H in y */
static void
sha256(u32 x[4], u32 y[4], const u32 w[4])
{
	for (int i = 0; i < 4; i++) {
		u32 e = y[0], a = x[0];
		u32 t1 = y[3] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + choose(e, y[1], y[2]) + w[i];
		u32 t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + majority(a, x[1], x[2]);

		y[3] = y[2], y[2] = y[1], y[1] = e, y[0] = x[3] + t1;
		x[3] = x[2], x[2] = x[1], x[1] = a, x[0] = t1 + t2;
	}
}

void
arm64_sha256h(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm)
{
	u32 x[4], y[4], w[4];

	(void)cpu, (void)imm;
	memcpy(x, d, sizeof x);
	memcpy(y, a, sizeof y);
	memcpy(w, b, sizeof w);
	sha256(x, y, w);
	memcpy(d, x, sizeof x);
}

void
arm64_sha256h2(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm)
{
	u32 x[4], y[4], w[4];

	(void)cpu, (void)imm;
	memcpy(x, a, sizeof x);
	memcpy(y, d, sizeof y);
	memcpy(w, b, sizeof w);
	sha256(x, y, w);
	memcpy(d, y, sizeof y);
}

void
arm64_sha256su0(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm)
{
	u32 *x = d, next = ld32(a);

	(void)cpu, (void)b, (void)imm;
	for (int i = 0; i < 4; i++) {
		u32 w = i < 3 ? x[i + 1] : next;
		x[i] += ror(w, 7) ^ ror(w, 18) ^ w >> 3;
	}
}

void
arm64_sha256su1(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm)
{
	u32 *x = d, n[4], m[4];

	(void)cpu, (void)imm;
	memcpy(n, a, sizeof n);
	memcpy(m, b, sizeof m);
	for (int i = 0; i < 4; i++) {
		u32 w = i < 2 ? m[i + 2] : x[i - 2];
		x[i] += (i < 3 ? n[i + 1] : m[0]) + (ror(w, 17) ^ ror(w, 19) ^ w >> 10);
	}
}

/* -- integers -- */

static void
estimate(void *d, const void *a, u64 q, u32 (*f)(u32))
{
	u32 *x = d, y[4];

	memcpy(y, a, sizeof y);
	for (int i = 0; i < 4; i++)
		x[i] = q || i < 2 ? f(y[i]) : 0;
}

void
arm64_urecpe(struct cpu *cpu, void *d, const void *a, const void *b, u64 q)
{
	(void)cpu, (void)b;
	estimate(d, a, q, fp_urecpe);
}

void
arm64_ursqrte(struct cpu *cpu, void *d, const void *a, const void *b, u64 q)
{
	(void)cpu, (void)b;
	estimate(d, a, q, fp_ursqrte);
}

static s64
lane(const void *p, int bytes, int i)
{
	return sext(ldn((const u8 *)p + i * bytes, bytes, 0), 8 * bytes);
}

/* sqrdmlah, sqrdmlsh; imm: log2 of the lane's bytes, lanes << 2, subtract << 8, by element << 9,
 * element << 10 */
void
arm64_rdmla(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm)
{
	int bytes = 1 << (imm & 3), lanes = imm >> 2 & 63, el = imm >> 9 & 1, idx = (int)(imm >> 10);
	int w = 8 * bytes;
	s128 max = ((s128)1 << (w - 1)) - 1;
	u8 out[16] = {0};

	for (int i = 0; i < lanes; i++) {
		s128 product = (s128)lane(a, bytes, i) * lane(b, bytes, el ? idx : i) * 2;
		s128 v = (s128)lane(d, bytes, i) * ((s128)1 << w) + (imm >> 8 & 1 ? -product : product);

		v = (v + ((s128)1 << (w - 1))) >> w;
		if (v > max || v < -max - 1) {
			v = v > max ? max : -max - 1;
			*a64_state(cpu, A64_OFF_QC) = 1;
		}
		stn(out + i * bytes, bytes, 0, (u64)v);
	}
	memcpy(d, out, sizeof out);
}

/* -- floating point -- */

static struct fpenv
begin(const struct cpu *cpu)
{
	return fp_env(cpu->fpmode, cpu->fpmode & FPM_DN ? FPNAN_ARM_DN : FPNAN_ARM);
}

/* A half as a single: exact but for FZ16, and a signalling NaN stays one, unlike in fcvt. */
static u64
half2single(u64 h, u32 fpmode)
{
	u32 sign = (u32)(h & 0x8000) << 16, exp = h >> 10 & 31, frac = h & 0x3ff;

	if (exp == 31)
		return sign | 0x7f800000 | frac << 13;
	if (exp)
		return sign | (exp + 112) << 23 | frac << 13;
	if (!frac || fpmode & FPM_FZ16)
		return sign;
	int shift = __builtin_clz(frac) - 21;          /* to get the top bit to bit 10 */
	return sign | (u32)(113 - shift) << 23 | (frac << shift & 0x3ff) << 13;
}

/* fmlal and kin; imm: q, negate << 1, upper part << 2, by element << 3, element << 4 */
void
arm64_fmlal(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm)
{
	struct fpenv env = begin(cpu);
	int lanes = imm & 1 ? 4 : 2, part = imm >> 2 & 1 ? lanes : 0;
	u32 out[4] = {0};

	for (int i = 0; i < lanes; i++) {
		int m = imm >> 3 & 1 ? (int)(imm >> 4) : part + i;
		u64 x = half2single(ld16((const u8 *)a + 2 * (part + i)), cpu->fpmode);
		u64 y = half2single(ld16((const u8 *)b + 2 * m), cpu->fpmode);

		out[i] = (u32)fp_fma(&env, FMT_F32, x, y, ld32((u8 *)d + 4 * i), imm >> 1 & 1, 0);
	}
	memcpy(d, out, sizeof out);
	cpu->fpflags |= env.flags;
}

/* conversions with 64 fraction bits; how: to integer, unsigned << 1, ft << 2 */
u64
arm64_fixed64(struct cpu *cpu, u64 v, u64 how, u64 unused)
{
	struct fpenv env = begin(cpu);
	int ft = (int)(how >> 2), uns = how >> 1 & 1;
	enum fpfmt fmt = ft == 3 ? FMT_F16 : ft ? FMT_F64 : FMT_F32;

	(void)unused;
	v = how & 1 ? fp_toint(&env, fmt, v, RM_Z, 64, uns, 64, 0) : fp_fromint(&env, fmt, v, 64, uns, 64);
	cpu->fpflags |= env.flags;
	return v;
}

/* the integer, and Z << 32 */
u64
arm64_jcvtzs(struct cpu *cpu, u64 v, u64 b, u64 c)
{
	struct fpenv env = begin(cpu);
	int exact;
	u64 r = fp_jcvtzs(&env, v, &exact);

	(void)b, (void)c;
	cpu->fpflags |= env.flags;
	return r | (u64)exact << 32;
}
