/* SPDX-License-Identifier: MIT */
/* test_op.c - every value that op.def states, at every width, scalar and in the lanes of vectors, against what is
 * written here: one line an operation, with 128-bit integers or bit by bit.  An operation without a line fails.
 *
 * Usage: test_op [seed] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "fake.h"

/* One evaluation: operands cut to w bits (but c, and what is no number of w bits), the same signed, the fields. */
struct in { u64 a, b, c; s128 sa, sb; int w, v, imm; };

static u64 low(u128 x, int w) { return w == 64 ? (u64)x : (u64)x & (((u64)1 << w) - 1); }
static s128 sign(u64 x, int w) { return (s128)(s64)(x << (64 - w)) >> (64 - w); }
static int bit(u64 x, int n) { return n >= 0 && n < 64 && x >> n & 1; }

/* -- what needs more than an expression -- */

static u64
leading(u64 a, int w, int b)
{
	int n = 0;

	while (n < w && bit(a, w - 1 - n) == b)
		n++;
	return (u64)n;
}

static u64
permuted(const struct in *i, int group, int unit)      /* units reversed within groups, both in bits */
{
	u64 r = 0;

	for (int k = 0; k < i->w; k++) {
		int base = k / group * group, at = k - base;
		if (bit(i->a, k))
			r |= (u64)1 << (base + group - unit - at / unit * unit + at % unit);
	}
	return r;
}

static u128
carryless(u64 a, u64 b)
{
	u128 r = 0;

	for (int k = 0; k < 64; k++)
		if (bit(b, k))
			r ^= (u128)a << k;
	return r;
}

static u64
crc(const struct in *i)
{
	u32 poly = i->v ? 0x82f63b78 : 0xedb88320, c = (u32)i->a;

	for (int k = 0; k < i->imm; k++)
		c = (c >> 1) ^ (((c ^ (u32)bit(i->b, k)) & 1) ? poly : 0);
	return c;
}

static u64
orc(u64 a)
{
	for (int k = 0; k < 64; k += 8)
		if (a >> k & 0xff)
			a |= (u64)0xff << k;
	return a;
}

static int
relation(int rel, const struct in *i)
{
	switch (rel) {
	case R_EQ: return i->a == i->b;
	case R_NE: return i->a != i->b;
	case R_LTU: return i->a < i->b;
	case R_GEU: return i->a >= i->b;
	case R_LTS: return i->sa < i->sb;
	case R_GES: return i->sa >= i->sb;
	case R_LEU: return i->a <= i->b;
	case R_GTU: return i->a > i->b;
	case R_LES: return i->sa <= i->sb;
	case R_GTS: return i->sa > i->sb;
	case R_TST: return (i->a & i->b) != 0;
	default: return (i->a & i->b) == 0;
	}
}

/* flags of x op y with signed sx, sy; all in 128 bits */
static u64
flags(u128 x, s128 sx, int w, int carry)
{
	u64 r = low(x, w);

	return (r ? 0 : FL_Z) | (bit(r, w - 1) ? FL_N : 0) | (carry ? FL_C : 0) | (sign(r, w) == sx ? 0 : FL_V);
}
static u64
added(const struct in *i, int c)
{
	u128 sum = (u128)i->a + i->b + (u128)c;

	return flags(sum, i->sa + i->sb + c, i->w, sum >> i->w != 0);
}

static u64
subtracted(const struct in *i, int c)
{
	return flags((u128)i->a - i->b - (u128)!c, i->sa - i->sb - !c, i->w, i->a >= (u128)i->b + (u128)!c);
}

static int
condition(int cc, u64 f)
{
	int n = (f & FL_N) != 0, z = (f & FL_Z) != 0, c = (f & FL_C) != 0, v = (f & FL_V) != 0;
	int base[] = {z, c, n, v, c && !z, n == v, !z && n == v, 1};

	return (cc & 1) && cc != 15 ? !base[cc >> 1] : base[cc >> 1];
}

static s128
clamp(s128 x, s128 lo, s128 hi)
{
	return x < lo ? lo : x > hi ? hi : x;
}
static u64 satu(s128 x, int w) { return low((u128)clamp(x, 0, ((s128)1 << w) - 1), w); }
static u64 sats(s128 x, int w) { return low((u128)clamp(x, -((s128)1 << (w - 1)), ((s128)1 << (w - 1)) - 1), w); }

/* x divided by 2^n, down, or to nearest with halves up */
static s128
right(s128 x, int n, int round)
{
	if (n > 100)
		n = 100;
	return n == 0 ? x : (x + (round ? (s128)1 << (n - 1) : 0)) >> n;
}

static u64
vshift(const struct in *i, int sg, int round, int sat, int outsigned)
{
	int n = (s8)i->b;
	s128 x = sg ? i->sa : (s128)i->a;

	if (n < 0)
		x = right(x, -n, round);
	else if (n < i->w || !x)
		x = n < i->w ? (s128)((u128)x << n) : 0;
	else
		x = sat ? x < 0 ? -((s128)1 << 100) : (s128)1 << 100 : 0;
	return !sat ? low((u128)x, i->w) : outsigned ? sats(x, i->w) : satu(x, i->w);
}

/* the sign that fsgnj gives: of b, its opposite, of both */
static int
newsign(const struct in *i)
{
	int a = bit(i->a, i->w - 1), b = bit(i->b, i->w - 1);

	return i->v == 2 ? a ^ b : i->v ? !b : b;
}

/* -- the lines: name, the widths (bytes) it exists at, fields, value -- */

enum fields { NONE, FROM, FIELD, AMOUNT0, AMOUNT, ROUNDED, REL, COND, THREE, CRC, EXTR };
#define LINES(L) \
L(mov, 15, NONE, i->a) L(add, 15, NONE, (u128)i->a + i->b) L(sub, 15, NONE, (u128)i->a - i->b) \
L(mul, 15, NONE, (u128)i->a * i->b) L(mulhu, 15, NONE, (u128)i->a * i->b >> i->w) \
L(mulhs, 15, NONE, (u128)(i->sa * i->sb >> i->w)) L(mulhsu, 15, NONE, (u128)(i->sa * (s128)i->b >> i->w)) \
L(divu, 15, NONE, i->b ? i->a / i->b : 0) L(remu, 15, NONE, i->b ? i->a % i->b : i->a) \
L(divs, 15, NONE, i->sb ? (u128)(i->sa / i->sb) : 0) L(rems, 15, NONE, i->sb ? (u128)(i->sa % i->sb) : i->a) \
L(and, 15, NONE, i->a & i->b) L(or, 15, NONE, i->a | i->b) L(xor, 15, NONE, i->a ^ i->b) \
L(andn, 15, NONE, i->a & ~i->b) L(orn, 15, NONE, i->a | ~i->b) L(not, 15, NONE, ~i->a) L(neg, 15, NONE, -(u128)i->a) \
L(shl, 15, NONE, (u128)i->a << i->b % (u64)i->w) L(shr, 15, NONE, i->a >> i->b % (u64)i->w) \
L(sar, 15, NONE, (u128)(i->sa >> i->b % (u64)i->w)) \
L(rotr, 15, NONE, ((u128)i->a << i->w | i->a) >> i->b % (u64)i->w) \
L(clz, 15, NONE, leading(i->a, i->w, 0)) L(cls, 15, NONE, leading(i->a, i->w, bit(i->a, i->w - 1)) - 1) \
L(ctz, 15, NONE, leading(permuted(i, i->w, 1), i->w, 0)) L(popcnt, 15, NONE, (u64)__builtin_popcountll(i->a)) \
L(bswap, 15, NONE, permuted(i, i->w, 8)) L(bswap16, 14, NONE, permuted(i, 16, 8)) \
L(bswap32, 8, NONE, permuted(i, 32, 8)) \
L(rbit, 15, NONE, permuted(i, i->w, 1)) L(orcb, 15, NONE, orc(i->a)) \
L(sxt, 15, FROM, (u128)sign(low(i->a, i->imm), i->imm)) L(zxt, 15, FROM, low(i->a, i->imm)) \
L(bfx, 15, FIELD, low(i->a >> i->v, i->imm)) L(sbfx, 15, FIELD, (u128)sign(low(i->a >> i->v, i->imm), i->imm)) \
L(dep, 15, FIELD, (i->a & ~(low(~(u128)0, i->imm) << i->v)) | low(i->b, i->imm) << i->v) \
L(extr, 15, EXTR, ((u128)i->a << i->w | i->b) >> i->imm) L(set, 15, REL, (u64)relation(i->v, i)) \
L(clmul, 15, NONE, carryless(i->a, i->b)) L(clmulh, 8, NONE, carryless(i->a, i->b) >> 64) L(crc32, 8, CRC, crc(i)) \
L(flsub, 15, NONE, subtracted(i, 1)) L(fladd, 15, NONE, added(i, 0)) \
L(flsbc, 15, NONE, subtracted(i, (i->c & FL_C) != 0)) L(fladc, 15, NONE, added(i, (i->c & FL_C) != 0)) \
L(fltst, 15, NONE, (i->a ? 0 : FL_Z) | (i->sa < 0 ? FL_N : 0)) \
L(adc, 15, NONE, (u128)i->a + i->b + ((i->c & FL_C) != 0)) L(sbc, 15, NONE, (u128)i->a - i->b - !(i->c & FL_C)) \
L(fneg, 14, NONE, i->a + (u128)((u64)1 << (i->w - 1))) L(fabs, 14, NONE, low(i->a, i->w - 1)) \
L(fsgnj, 14, THREE, low(i->a, i->w - 1) | (u64)newsign(i) << (i->w - 1)) \
L(vset, 15, REL, relation(i->v, i) ? ~(u128)0 : 0) \
L(smin, 15, NONE, i->sa < i->sb ? i->a : i->b) L(smax, 15, NONE, i->sa < i->sb ? i->b : i->a) \
L(umin, 15, NONE, i->a < i->b ? i->a : i->b) L(umax, 15, NONE, i->a < i->b ? i->b : i->a) \
L(abs, 15, NONE, (u128)(i->sa < 0 ? -i->sa : i->sa)) \
L(sabd, 15, NONE, (u128)(i->sa < i->sb ? i->sb - i->sa : i->sa - i->sb)) \
L(uabd, 15, NONE, i->a < i->b ? i->b - i->a : i->a - i->b) \
L(uhadd, 15, NONE, ((u128)i->a + i->b) / 2) L(urhadd, 15, NONE, ((u128)i->a + i->b + 1) / 2) \
L(shadd, 15, NONE, (u128)right(i->sa + i->sb, 1, 0)) L(srhadd, 15, NONE, (u128)right(i->sa + i->sb, 1, 1)) \
L(uhsub, 15, NONE, (u128)right((s128)i->a - (s128)i->b, 1, 0)) L(shsub, 15, NONE, (u128)right(i->sa - i->sb, 1, 0)) \
L(uqadd, 15, NONE, satu((s128)i->a + (s128)i->b, i->w)) L(sqadd, 15, NONE, sats(i->sa + i->sb, i->w)) \
L(uqsub, 15, NONE, satu((s128)i->a - (s128)i->b, i->w)) L(sqsub, 15, NONE, sats(i->sa - i->sb, i->w)) \
L(suqadd, 15, NONE, sats(i->sa + (s128)i->b, i->w)) L(usqadd, 15, NONE, satu((s128)i->a + i->sb, i->w)) \
L(sqdmulh, 15, NONE, sats(right(i->sa * i->sb, i->w - 1, 0), i->w)) \
L(sqrdmulh, 15, NONE, sats(right(i->sa * i->sb, i->w - 1, 1), i->w)) \
L(mulwu, 15, NONE, (u128)low(i->a, i->w / 2) * low(i->b, i->w / 2)) \
L(mulws, 15, NONE, (u128)(sign(low(i->a, i->w / 2), i->w / 2) * sign(low(i->b, i->w / 2), i->w / 2))) \
L(pmul, 15, NONE, carryless(i->a, i->b)) \
L(shli, 15, AMOUNT0, (u128)i->a << i->imm) L(shri, 15, AMOUNT0, (u128)i->a >> i->imm) \
L(sari, 15, AMOUNT0, (u128)(i->sa >> i->imm)) \
L(roli, 15, AMOUNT0, ((u128)i->a << i->w | i->a) >> (i->w - i->imm) % i->w) \
L(urshri, 15, ROUNDED, (u128)right((s128)i->a, i->imm, 1)) L(srshri, 15, ROUNDED, (u128)right(i->sa, i->imm, 1)) \
L(ushl, 15, NONE, vshift(i, 0, 0, 0, 0)) L(sshl, 15, NONE, vshift(i, 1, 0, 0, 1)) \
L(urshl, 15, NONE, vshift(i, 0, 1, 0, 0)) L(srshl, 15, NONE, vshift(i, 1, 1, 0, 1)) \
L(uqshl, 15, NONE, vshift(i, 0, 0, 1, 0)) L(sqshl, 15, NONE, vshift(i, 1, 0, 1, 1)) \
L(uqrshl, 15, NONE, vshift(i, 0, 1, 1, 0)) L(sqrshl, 15, NONE, vshift(i, 1, 1, 1, 1)) \
L(sqshlu, 15, NONE, vshift(i, 1, 0, 1, 0)) L(bsl, 15, NONE, i->a & i->b | (i->c & ~i->a)) \
/* operands that are no numbers of the type: a is 0 or 1, or flags, or bits of another type */ \
L(sel, 15, NONE, i->a & 1 ? i->b : i->c) L(fcc, 8, COND, (u64)condition(i->v, i->a & FL_NZCV)) \
L(flsel, 8, COND, condition(i->v, i->a & FL_NZCV) ? i->b : (u32)i->imm) L(flbits, 8, NONE, i->a & FL_NZCV) \
L(flset, 8, NONE, i->a & FL_NZCV) L(movif, 8, NONE, i->a) L(movfi, 8, NONE, i->a)

#define L(name, widths, fields, value) static u128 ref_##name(const struct in *i) { return (u128)(value); }
#pragma GCC diagnostic ignored "-Wparentheses"
LINES(L)
#undef L
static const struct line { u128 (*ref)(const struct in *); u8 widths, fields; } line[O_COUNT] = {
#define L(name, widths, fields, value) [O_##name] = {ref_##name, widths, fields},
LINES(L)
#undef L
};

static u64
wanted(int op, const struct in *i)
{
	return low(line[op].ref(i), opinfo[op].res == 'F' ? 64 : i->w);
}

/* -- trying -- */

static u64
operand(void)
{
	static const u64 some[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		INT64_MAX, (u64)1 << 63, ~(u64)0};
	u64 v = rnd() % 3 ? rnd() >> (rnd() & 63) : some[rnd() % NELEM(some)];

	return rnd() & 1 ? v : -v;
}

static void
choose(struct in *i, int op, int w)
{
	int fields = line[op].fields;

	*i = (struct in){.a = low(operand(), w), .b = low(operand(), w), .c = low(operand(), w), .w = w};
	if (op == O_sel || op == O_flsel || op == O_adc || op == O_sbc || op == O_fladc || op == O_flsbc)
		i->c = op == O_sel ? i->c : rnd() & FL_NZCV;
	if (op == O_sel)
		i->a &= 1;
	if (op == O_fcc || op == O_flsel)
		i->a = rnd() & FL_NZCV;
	i->sa = sign(i->a, w);
	i->sb = sign(i->b, w);
	i->imm = fields == FROM || fields == FIELD || fields == ROUNDED ? 1 + (int)(rnd() % (u64)w)
	       : fields == AMOUNT0 ? (int)(rnd() % (u64)(w + 1)) : fields == EXTR ? (int)(rnd() % (u64)w)
	       : fields == CRC ? 8 << rnd() % 4 : op == O_flsel ? FL_Z : 0;
	i->v = fields == FIELD ? (int)(rnd() % (u64)(w - i->imm + 1)) : fields == REL ? (int)(rnd() % R_UN)
	     : fields == COND ? (int)(rnd() & 15) : fields == THREE ? (int)(rnd() % 3)
	     : fields == CRC ? (int)(rnd() & 1) : op == O_movfi ? F64 : 0;
}

static void
test_every_value_at_every_width(void **state)
{
	int ops = 0;
	u64 n = 0;

	(void)state;
	for (int op = 0; op < O_COUNT; op++) {
		if (!ir_hasvalue(op)) {
			assert_null(line[op].ref);
			continue;
		}
		if (!line[op].ref)
			fail_msg("op.def's %s has no line here", opinfo[op].name);
		ops++;
		for (int ty = I8; ty <= I64; ty++)
			for (int k = 0; k < 20000 && line[op].widths >> ty & 1; k++, n++) {
				struct in i;
				choose(&i, op, 8 << ty);
				u64 want = wanted(op, &i), got = ir_value(op, ty, i.a, i.b, i.c, i.v, i.imm);
				if (got != want)
					fail_msg("%s %d v=%d imm=%d: %#llx %#llx %#llx: %#llx, should be %#llx", opinfo[op].name,
					         i.w, i.v, i.imm, (unsigned long long)i.a, (unsigned long long)i.b,
					         (unsigned long long)i.c, (unsigned long long)got, (unsigned long long)want);
			}
	}
	printf("%d operations, %llu values\n", ops, (unsigned long long)n);
}

/* The same through the evaluator, lane by lane, where the verifier allows the type. */
static int
lanes(int op, int ty)
{
	static struct cpu cpu;
	static struct region r;
	int bytes = 1 << ty, n = 16 / bytes;
	struct in i[16];
	ref arg[3] = {0};

	choose(&i[0], op, 8 * bytes);
	region_init(&r, &fake_guest, 0, 0);
	ir_block(&r, 0);
	for (int k = 0; k < 3; k++)
		if (opinfo[op].arg[k] == 'X')
			arg[k] = fake_append(&r, (struct ins){.op = O_get, .ty = (u8)VEC(ty, 7), .v = (u16)(V0 + k)});
		else if (opinfo[op].arg[k] != 'N')
			return 0;
	ref got = fake_append(&r, (struct ins){.op = (u8)op, .ty = (u8)VEC(ty, 7), .a = arg[0], .b = arg[1], .c = arg[2],
		.v = (u16)i[0].v, .imm = i[0].imm});
	fake_append(&r, (struct ins){.op = O_put, .ty = (u8)VEC(ty, 7), .a = got, .v = V3});
	fake_append(&r, (struct ins){.op = O_trap, .ty = N, .v = TRAP_UNDEF});
	if (ir_verify(&r))
		return 0;
	for (int k = 0; k < n; k++) {
		int v = i[0].v, imm = i[0].imm;
		choose(&i[k], op, 8 * bytes);
		i[k].v = v;
		i[k].imm = imm;
		stn(cpu.state + fake_reg[V0].off + k * bytes, bytes, 0, i[k].a);
		stn(cpu.state + fake_reg[V1].off + k * bytes, bytes, 0, i[k].b);
		stn(cpu.state + fake_reg[V2].off + k * bytes, bytes, 0, i[k].c);
	}
	fake_run(&cpu, &r, 0);
	for (int k = 0; k < n; k++) {
		u64 out = ldn(cpu.state + fake_reg[V3].off + k * bytes, bytes, 0);
		if (out != wanted(op, &i[k]))
			fail_msg("%s lanes of %d: lane %d is %#llx, should be %#llx", opinfo[op].name, 8 * bytes, k,
			         (unsigned long long)out, (unsigned long long)wanted(op, &i[k]));
	}
	return 1;
}

static void
test_every_lane_of_vectors(void **state)
{
	int types = 0;

	(void)state;
	for (int op = 0; op < O_COUNT; op++)
		for (int ty = I8; line[op].ref && ty <= I64; ty++) {
			int ok = 0;
			for (int k = 0; k < 300 && line[op].widths >> ty & 1; k++)
				ok += lanes(op, ty);
			types += ok > 0;
		}
	printf("%d vector operations\n", types);
	assert_true(types > 150);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_value_at_every_width),
		cmocka_unit_test(test_every_lane_of_vectors),
	};

	seed = argc > 1 ? strtoull(argv[1], 0, 0) : (u64)time(0) * 0x9e3779b97f4a7c15 | 1;
	printf("seed %#llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, 0, 0);
}
