/* SPDX-License-Identifier: MIT */
/* simdhelp.c - C helpers for the instructions that are too rare or too long for IR
 *
 * The pointers of a vector helper may be equal: each reads all of its operands before it writes. */
#include "base/fp.h"
#include "frontend/arm64/arm64.h"

helper_fn arm64_fixed64, arm64_jcvtzs;
vhelper_fn arm64_urecpe, arm64_ursqrte, arm64_rdmla, arm64_fmlal;

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
