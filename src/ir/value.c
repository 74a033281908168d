/* SPDX-License-Identifier: MIT */
/* value.c - the value of every operation that has one, from op.def
 *
 * ir_value is what constant folding, the interpreter and the tests of the hosts agree on. */
#include "ir/ir.h"

/* -- the functions that op.def names; operands are unsigned numbers of w bits -- */

static inline s64 sgn(u64 a, int w) { return (s64)(a << (64 - w)) >> (64 - w); }
static inline u64 ones(int w) { return ~(u64)0 >> (64 - w); }

u64
ir_rbit(u64 a)
{
	a = (a & 0x5555555555555555) << 1 | (a >> 1 & 0x5555555555555555);
	a = (a & 0x3333333333333333) << 2 | (a >> 2 & 0x3333333333333333);
	a = (a & 0x0f0f0f0f0f0f0f0f) << 4 | (a >> 4 & 0x0f0f0f0f0f0f0f0f);
	return __builtin_bswap64(a);
}

u64
ir_orcb(u64 a)
{
	u64 low = 0x0101010101010101, any = a;

	any |= any >> 4 & 0x0f0f0f0f0f0f0f0f;
	any |= any >> 2 & 0x3333333333333333;
	any |= any >> 1;
	return (any & low) * 0xff;
}

u64
ir_cls(u64 a, int w)
{
	u64 differ = (u64)(sgn(a, w) ^ sgn(a, w) >> 63);       /* ones below the copies of the sign */

	return (u64)(differ ? __builtin_clzll(differ) - (64 - w) : w) - 1;
}

u64
ir_clmul(u64 a, u64 b, int high)
{
	u128 product = 0;

	for (int i = 0; i < 64; i++)
		if (b >> i & 1)
			product ^= (u128)a << i;
	return (u64)(high ? product >> 64 : product);
}

u64
ir_crc32(u64 crc, u64 data, int castagnoli, int bits)
{
	u32 poly = castagnoli ? 0x82f63b78 : 0xedb88320;
	u32 c = (u32)crc;

	for (int i = 0; i < bits; i++) {
		u32 bit = (c ^ (u32)(data >> i)) & 1;
		c = c >> 1 ^ (bit ? poly : 0);
	}
	return c;
}

int
ir_rel(int rel, u64 a, u64 b, int w)
{
	s64 x = sgn(a, w), y = sgn(b, w);

	switch (rel) {
	case R_EQ: return a == b;
	case R_NE: return a != b;
	case R_LTU: return a < b;
	case R_GEU: return a >= b;
	case R_LTS: return x < y;
	case R_GES: return x >= y;
	case R_LEU: return a <= b;
	case R_GTU: return a > b;
	case R_LES: return x <= y;
	case R_GTS: return x > y;
	case R_TST: return (a & b) != 0;
	case R_NTST: return (a & b) == 0;
	default: return 0;
	}
}

u64
ir_fladd(u64 a, u64 b, int carry, int w)
{
	u128 wide = (u128)a + b + (u128)carry;
	u64 sum = (u64)wide & ones(w);

	return (sum == 0 ? FL_Z : 0) | (sum >> (w - 1) & 1 ? FL_N : 0) | (wide >> w & 1 ? FL_C : 0)
	     | (((a ^ sum) & (b ^ sum)) >> (w - 1) & 1 ? FL_V : 0);
}

u64
ir_flsub(u64 a, u64 b, int carry, int w)
{
	return ir_fladd(a, ~b & ones(w), carry, w);
}

int
ir_extreme(const struct ins *cmp, int rel, ref yes, ref no)
{
	static const u8 op[] = {[R_LTU] = O_umin, [R_LEU] = O_umin, [R_GEU] = O_umax, [R_GTU] = O_umax,
		[R_LTS] = O_smin, [R_LES] = O_smin, [R_GES] = O_smax, [R_GTS] = O_smax};
	static const u8 other[] = {[O_umin] = O_umax, [O_umax] = O_umin, [O_smin] = O_smax, [O_smax] = O_smin};

	if (rel >= (int)NELEM(op))
		return 0;
	if (yes == cmp->a && no == cmp->b)
		return op[rel];
	return yes == cmp->b && no == cmp->a ? other[op[rel]] : 0;
}

int
ir_cc(int cc, u64 fl)
{
	int n = (fl & FL_N) != 0, z = (fl & FL_Z) != 0, c = (fl & FL_C) != 0, v = (fl & FL_V) != 0;
	int holds;

	switch (cc >> 1) {
	case CC_EQ >> 1: holds = z; break;
	case CC_CS >> 1: holds = c; break;
	case CC_MI >> 1: holds = n; break;
	case CC_VS >> 1: holds = v; break;
	case CC_HI >> 1: holds = c && !z; break;
	case CC_GE >> 1: holds = n == v; break;
	case CC_GT >> 1: holds = n == v && !z; break;
	default: return 1;             /* AL, and NV behaves as AL */
	}
	return holds != (cc & 1);
}

u64
ir_satu(s128 v, int w)
{
	s128 max = (s128)ones(w);

	return v < 0 ? 0 : (u64)(v > max ? max : v);
}

u64
ir_sats(s128 v, int w)
{
	s128 max = (s128)(ones(w) >> 1);

	return (u64)(v < -max - 1 ? -max - 1 : v > max ? max : v);
}

/* v / 2^n for n > 0, rounded down or to nearest with ties up */
static s128
shift_right(s128 v, int n, int nearest)
{
	if (n > 126)
		n = 126;               /* |v| < 2^64: the same result */
	if (nearest)
		v += (s128)1 << (n - 1);
	return v >> n;
}

u64
ir_vshl(u64 a, u64 b, int w, int how)
{
	enum { SIGNED = 1, ROUND = 2, SATURATE = 4, TOUNSIGNED = 8 };
	int n = (s8)b;
	s128 v = how & SIGNED ? (s128)sgn(a, w) : (s128)a;

	if (n < 0)
		v = shift_right(v, -n, how & ROUND);
	else if (how & SATURATE && n >= w)
		v = v > 0 ? (s128)1 << 100 : v < 0 ? -((s128)1 << 100) : 0;
	else if (n >= w)
		return 0;
	else
		v = (s128)((u128)v << n);
	if (how & SATURATE)
		return how & SIGNED && !(how & TOUNSIGNED) ? ir_sats(v, w) : ir_satu(v, w);
	return (u64)v;
}

/* -- the table -- */

typedef u64 value_fn(u64 A, u64 B, u64 C, int V, u64 IMM, u64 W);

#define EFFECT 0
#define LANES 0
#define S(x) sgn(x, W)
#define OP(name, r, a, b, c, traits, value) \
static u64 \
value_##name(u64 A, u64 B, u64 C, int V, u64 IMM, u64 W) \
{ \
	(void)A, (void)B, (void)C, (void)V, (void)IMM, (void)W; \
	return (u64)(value); \
}
#include "ir/op.def"
#undef OP
#undef S
#undef EFFECT
#undef LANES

static value_fn *const value[O_COUNT] = {
#define OP(name, ...) [O_##name] = value_##name,
#include "ir/op.def"
#undef OP
};

/* By the spelling of the value column: EFFECT and LANES stand for no value. */
static const char novalue[O_COUNT] = {
#define OP(name, r, a, b, c, traits, value) [O_##name] = #value[0] == 'E' || #value[0] == 'L',
#include "ir/op.def"
#undef OP
};

int
ir_hasvalue(int op)
{
	return !novalue[op];
}

u64
ir_value(int op, int ty, u64 a, u64 b, u64 c, int v, s32 imm)
{
	int w = ty_lanebits(ty);
	u64 mask = ones(w);
	const struct opinfo *o = &opinfo[op];

	/* operands that are not of the instruction's type keep their width: a condition, an index,
	 * flags, the bits of a float of another type */
	a &= o->arg[0] == 'X' ? mask : o->arg[0] == 'E' ? ones(ty_lanebits(v)) : ~(u64)0;
	b &= o->arg[1] == 'X' ? mask : ~(u64)0;
	c &= o->arg[2] == 'X' ? mask : ~(u64)0;
	u64 result = value[op](a, b, c, v, (u32)imm, (u64)w);
	return o->res == 'X' ? result & mask : result;
}
