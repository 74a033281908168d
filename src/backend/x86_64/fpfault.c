/* SPDX-License-Identifier: MIT */
/* fpfault.c - an invalid operation in generated code: what the guest computes instead
 *
 * Regions with ARM's rules run with the invalid exception unmasked (fpx.h, NAN_TRAP).  The kernel's
 * SIGFPE finds the instruction not executed.  Here it is decoded (only the VEX and EVEX instructions that our emitters
 * use), computed by the evaluator on the register values of the context, its result written there,
 * and passed over.
 *
 * Instructions whose result the code looks at anyway get the answer that sends it to its slow path:
 * conversions to integers the integer indefinite, comparisons for NaNs "unordered". */
#include <cpuid.h>
#include <ucontext.h>
#include "backend/x86_64/fpx.h"
#include "ir/eval.h"

enum { XS_OPMASK = 5, XS_HI16 = 7, XS_HEADER = 512 };

struct insn {
	u8 map, pp, op, w, evex, masked;
	u8 reg, v, rm, imm;
	const void *mem;               /* operand rm when it is in memory */
	int len;
};

/* -- the context's registers -- */

/* Offset of an xsave component in the standard format (SDM 13.5), asked for once. */
static u32
component_offset(int n)
{
	static u32 known[8];
	u32 a, b = 0, c, d;

	if (!known[n]) {
		__cpuid_count(0xd, n, a, b, c, d);
		known[n] = b;
	}
	return known[n];
}

/* A component that is in its initial state is zero whatever the memory holds. */
static u8 *
component(u8 *fx, int n, size_t size)
{
	u8 *at = fx + component_offset(n);
	u64 present = ld64(fx + XS_HEADER);

	if (!(present >> n & 1)) {
		memset(at, 0, size);
		st64(fx + XS_HEADER, present | (u64)1 << n);
	}
	return at;
}

static u8 *
vreg(ucontext_t *uc, int n)
{
	u8 *fx = (u8 *)uc->uc_mcontext.fpregs;

	return n < 16 ? fx + 160 + 16 * n : component(fx, XS_HI16, 16 * 64) + 64 * (n - 16);
}

static u64
general(const ucontext_t *uc, int n)
{
	static const u8 at[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

	return (u64)uc->uc_mcontext.gregs[at[n]];
}

static void
set_general(ucontext_t *uc, int n, u64 v)
{
	static const u8 at[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

	uc->uc_mcontext.gregs[at[n]] = (greg_t)v;
}

/* -- decoding -- */

static int
hasimm(const struct insn *i)
{
	return i->map == M3A || (i->map == M0F && i->op == 0xc2);
}

/* bytes that a compressed displacement counts in: our memory operands are scalars or 16 bytes */
static int
disp_unit(const struct insn *i)
{
	if (!i->evex)
		return 1;
	if (i->op == 0x2e || i->op == 0x2f)
		return i->pp == P66 ? 8 : 4;
	return i->pp == PF2 ? 8 : i->pp == PF3 ? 4 : 16;
}

/* ModRM at p; x, b: the upper bits of index and base.  Returns what follows, or 0. */
static const u8 *
decode_modrm(struct insn *i, const ucontext_t *uc, const u8 *p, int r, int x, int b)
{
	int mod = *p >> 6, rm = *p & 7;
	u64 at;

	i->reg = (u8)((*p >> 3 & 7) | r << 3);
	p++;
	if (mod == 3) {
		i->rm = (u8)(rm | b << 3 | (i->evex ? x << 4 : 0));
		return p;
	}
	if (mod == 0 && rm == 5) {
		s32 disp = (s32)ld32(p);
		i->mem = p + 4 + hasimm(i) + disp;
		return p + 4;
	}
	if (rm == 4) {
		int sib = *p++, index = (sib >> 3 & 7) | x << 3, base = (sib & 7) | b << 3;
		if (mod == 0 && (base & 7) == 5)
			return 0;
		at = general(uc, base) + (index == 4 ? 0 : general(uc, index) << (sib >> 6));
	} else {
		at = general(uc, rm | b << 3);
	}
	if (mod == 1)
		at += (u64)((s64)(s8)*p * disp_unit(i));
	else if (mod == 2)
		at += (u64)(s64)(s32)ld32(p);
	i->mem = (const void *)(uintptr_t)at;
	return p + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

static int
decode(struct insn *i, const ucontext_t *uc, const u8 *start)
{
	const u8 *p = start;
	int r, x = 0, b = 0;

	*i = (struct insn){0};
	if (*p == 0xc5) {
		r = !(p[1] & 0x80);
		i->map = M0F;
		i->v = ~p[1] >> 3 & 15;
		i->pp = p[1] & 3;
		p += 2;
	} else if (*p == 0xc4 || *p == 0x62) {
		i->evex = *p == 0x62;
		r = !(p[1] & 0x80);
		x = !(p[1] & 0x40);
		b = !(p[1] & 0x20);
		i->map = p[1] & (i->evex ? 7 : 31);
		i->w = p[2] >> 7;
		i->v = ~p[2] >> 3 & 15;
		i->pp = p[2] & 3;
		if (i->evex) {
			r |= p[1] & 0x10 ? 0 : 2;
			i->v |= p[3] & 8 ? 0 : 16;
			i->masked = p[3] & 7;
			p++;
		}
		p += 3;
	} else {
		return 0;
	}
	i->op = *p++;
	if (!(p = decode_modrm(i, uc, p, r, x, b)))
		return 0;
	if (hasimm(i))
		i->imm = *p++;
	i->len = (int)(p - start);
	return 1;
}

/* -- computing -- */

struct value { u64 w[2]; };

static struct value
source(ucontext_t *uc, const struct insn *i, int isrm, int reg, int bytes)
{
	struct value v = {{0, 0}};

	memcpy(v.w, isrm && i->mem ? i->mem : vreg(uc, reg), (size_t)bytes);
	return v;
}

/* Runs one operation on registers; result lanes: all of them, or the lowest. */
static struct value
evaluate(struct cpu *cpu, const struct ins *ins, const struct value *a, const struct value *b, const struct value *c)
{
	u64 val[8] = {0}, out[2] = {0};
	struct eval e = {.cpu = cpu, .guest = cpu->guest, .val = val, .stride = 2, .fpnan = FPNAN_ARM};
	struct ins i = *ins;

	i.a = 1;
	i.b = b ? 2 : 0;
	i.c = c ? 3 : 0;
	memcpy(val + 2, a, 16);
	if (b)
		memcpy(val + 4, b, 16);
	if (c)
		memcpy(val + 6, c, 16);
	eval_fp[i.op](&e, &i, out);
	return (struct value){{out[0], out[1]}};
}

/* The result replaces the lowest lane, keeping what the instruction keeps above: the second
 * source's (vvvv), nothing when masked. */
static void
write_back(ucontext_t *uc, const struct insn *i, int scalar, int bits, struct value v, int above)
{
	if (scalar) {
		struct value u = {{0, 0}};
		if (!i->masked)
			memcpy(u.w, vreg(uc, above), 16);
		memcpy(u.w, v.w, (size_t)bits / 8);
		v = u;
	}
	memcpy(vreg(uc, i->reg), v.w, 16);
}

/* add, sub, mul, div, sqrt: prefix none, 66: packed; F3, F2: scalar.  Masked means lane 0 alone. */
static int
do_arith(ucontext_t *uc, struct cpu *cpu, const struct insn *i, int op)
{
	int bits = i->pp == P66 || i->pp == PF2 ? 64 : 32, scalar = i->pp >= PF3 || i->masked;
	int lane = bits == 64 ? F64 : F32;
	struct ins ins = {.op = (u8)op, .ty = (u8)(scalar ? lane : VEC(lane, 7))};
	int bytes = scalar ? bits / 8 : 16;
	struct value b = source(uc, i, 1, i->rm, bytes), a = source(uc, i, 0, i->v, 16);

	write_back(uc, i, scalar, bits, op == O_fsqrt ? evaluate(cpu, &ins, &b, 0, 0) : evaluate(cpu, &ins, &a, &b, 0), i->v);
	return 1;
}

static int
do_fma(ucontext_t *uc, struct cpu *cpu, const struct insn *i)
{
	int kind = i->op & 15, form = i->op >> 4, bits = i->w ? 64 : 32, scalar = (i->op & 1) || i->masked;
	int lane = bits == 64 ? F64 : F32;
	struct ins ins = {.op = O_fma, .ty = (u8)(scalar ? lane : VEC(lane, 7))};
	struct value d = source(uc, i, 0, i->reg, 16), v = source(uc, i, 0, i->v, 16);
	struct value m = source(uc, i, 1, i->rm, scalar ? bits / 8 : 16), r;

	ins.aux = (kind >= 12 ? FP_NEGP : 0) | (kind == 10 || kind == 11 || kind >= 14 ? FP_NEGA : 0);
	if (form == 9)
		r = evaluate(cpu, &ins, &d, &m, &v);
	else if (form == 10)
		r = evaluate(cpu, &ins, &v, &d, &m);
	else
		r = evaluate(cpu, &ins, &v, &m, &d);
	write_back(uc, i, scalar, bits, r, i->reg);
	return 1;
}

/* cvtps2pd, cvtpd2ps, cvtss2sd, cvtsd2ss, cvtph2ps, cvtps2ph */
static int
do_convert(ucontext_t *uc, struct cpu *cpu, const struct insn *i)
{
	static const u8 to[4] = {F64, F32, F64, F32}, from[4] = {F32, F64, F32, F64};
	int half = i->map != M0F, scalar = !half && i->pp >= PF3;
	int narrow = half && i->map == M3A;
	struct ins ins = {.op = O_fcvt, .ty = half ? (narrow ? F16 : F32) : to[i->pp],
	    .v = half ? (narrow ? F32 : F16) : from[i->pp]};
	struct value a = source(uc, i, !narrow, narrow ? i->reg : i->rm, 16), r;

	if (!scalar)
		ins.ty = (u8)VEC(ins.ty, 7);
	r = evaluate(cpu, &ins, &a, 0, 0);
	if (narrow)
		memcpy(vreg(uc, i->rm), r.w, 16);
	else
		write_back(uc, i, scalar, ty_lanebits(ins.ty), r, i->v);
	return 1;
}

static int
do_round(ucontext_t *uc, struct cpu *cpu, const struct insn *i)
{
	static const u8 mode[4] = {RM_NE, RM_DN, RM_UP, RM_Z};
	int bits = i->op & 1 ? 64 : 32, scalar = i->op >= 0x0a, lane = bits == 64 ? F64 : F32;
	struct ins ins = {.op = O_fround, .ty = (u8)(scalar ? lane : VEC(lane, 7))};
	struct value a = source(uc, i, 1, i->rm, 16);

	ins.aux = (u16)((i->imm & 4 ? RM_DYN : mode[i->imm & 3]) | (i->imm & 8 ? 0 : FP_EXACT));
	write_back(uc, i, scalar, bits, evaluate(cpu, &ins, &a, 0, 0), i->v);
	return 1;
}

/* vcmp to a vector or (EVEX) to a mask register.  A set bit of holds[]: true for that relation. */
static int
do_compare(ucontext_t *uc, struct cpu *cpu, const struct insn *i)
{
	enum { LT = 1 << FPC_LT, EQ = 1 << FPC_EQ, GT = 1 << FPC_GT, UN = 1 << FPC_UN };
	static const u8 holds[16] = {EQ, LT, LT | EQ, UN, LT | GT | UN, EQ | GT | UN, GT | UN, LT | EQ | GT,
	    EQ | UN, LT | UN, LT | EQ | UN, 0, LT | GT, EQ | GT, GT, LT | EQ | GT | UN};
	int bits = i->pp == P66 || i->pp == PF2 ? 64 : 32, scalar = i->pp >= PF3, n = scalar ? 1 : 128 / bits;
	enum fpfmt f = bits == 64 ? FMT_F64 : FMT_F32;
	struct value a = source(uc, i, 0, i->v, 16), b = source(uc, i, 1, i->rm, scalar ? bits / 8 : 16), r = a;
	struct fpenv env = fp_env(cpu->fpmode, FPNAN_ARM);
	u64 mask = 0;

	for (int k = 0; k < n; k++) {
		u64 x = eval_lane(a.w, bits, k), y = eval_lane(b.w, bits, k);
		int yes = holds[i->imm & 15] >> fp_cmp(&env, f, x, y, 0) & 1;
		mask |= (u64)yes << k;
		eval_setlane(r.w, bits, k, yes ? ~(u64)0 : 0);
	}
	cpu->fpflags |= FPX_INVALID;
	if (i->evex)
		st64(component((u8 *)uc->uc_mcontext.fpregs, XS_OPMASK, 64) + 8 * i->reg, mask);
	else
		memcpy(vreg(uc, i->reg), r.w, 16);
	return 1;
}

/* Only a NaN is invalid in a comparison: ZF, PF and CF say unordered. */
static int
do_ucomis(ucontext_t *uc, struct cpu *cpu)
{
	greg_t *fl = &uc->uc_mcontext.gregs[REG_EFL];

	*fl = (*fl & ~(greg_t)0x8d5) | 0x45;
	cpu->fpflags |= FPX_INVALID;
	return 1;
}

/* The integer indefinite: the code looks for it and calls the evaluator, which raises invalid. */
static int
do_toint(ucontext_t *uc, const struct insn *i, int isgeneral, int uns)
{
	u64 lanes = uns ? ~(u64)0 : (i->w || (i->evex && !isgeneral && i->op >= 0x7a)) ? (u64)1 << 63 : rep(0x80000000, 32);

	if (isgeneral) {
		set_general(uc, i->reg, uns ? (i->w ? ~(u64)0 : 0xffffffff) : i->w ? (u64)1 << 63 : 0x80000000);
		return 1;
	}
	memcpy(vreg(uc, i->reg), (u64[2]){lanes, lanes}, 16);
	return 1;
}

static int
emulate0f(ucontext_t *uc, struct cpu *cpu, const struct insn *i)
{
	switch (i->op) {
	case 0x51: return do_arith(uc, cpu, i, O_fsqrt);
	case 0x58: return do_arith(uc, cpu, i, O_fadd);
	case 0x59: return do_arith(uc, cpu, i, O_fmul);
	case 0x5c: return do_arith(uc, cpu, i, O_fsub);
	case 0x5e: return do_arith(uc, cpu, i, O_fdiv);
	case 0x5a: return do_convert(uc, cpu, i);
	case 0x2e: case 0x2f: return do_ucomis(uc, cpu);
	case 0xc2: return do_compare(uc, cpu, i);
	case 0x2c: case 0x2d: return do_toint(uc, i, 1, 0);
	case 0x5b: return do_toint(uc, i, 0, 0);
	case 0x78: case 0x79: return do_toint(uc, i, i->pp >= PF3, 1);
	case 0x7a: case 0x7b: return i->pp == P66 ? do_toint(uc, i, 0, 0) : 0;
	default: return 0;
	}
}

static int
emulate(ucontext_t *uc, struct cpu *cpu, const struct insn *i)
{
	if (i->map == M0F)
		return emulate0f(uc, cpu, i);
	if (i->map == M38 && (i->op & 15) >= 8 && i->op >= 0x98 && i->op <= 0xbf)
		return do_fma(uc, cpu, i);
	if ((i->map == M38 && i->op == 0x13) || (i->map == M3A && i->op == 0x1d))
		return do_convert(uc, cpu, i);
	if (i->map == M3A && i->op >= 0x08 && i->op <= 0x0b)
		return do_round(uc, cpu, i);
	return 0;
}

enum { MXCSR_IE = 1, MXCSR_MASKS = 7, MXCSR_AT = 24 };

/* An exception that was watched for: it may be raised from now on, by the same instruction first.  The flag is
 * not kept, since an unmasked underflow also comes from results that are tiny but exact (SDM 11.5.2.5). */
static int
watched(u8 *mxcsr, struct cpu *cpu)
{
	u32 v = ld32(mxcsr), hit = v & ~(v >> MXCSR_MASKS) & cpu->fpwatch;

	if (!hit)
		return 0;
	cpu->fpwatch &= ~hit;
	cpu->fpflags |= FPX_HIDDEN;
	st32(mxcsr, (v & ~hit) | hit << MXCSR_MASKS);
	return 1;
}

int
x86_fpfault(void *ucontext, struct cpu *cpu)
{
	ucontext_t *uc = ucontext;
	u8 *mxcsr = (u8 *)uc->uc_mcontext.fpregs + MXCSR_AT;
	struct insn i;

	if (watched(mxcsr, cpu))
		return 1;
	if (!decode(&i, uc, (const u8 *)uc->uc_mcontext.gregs[REG_RIP]) || !emulate(uc, cpu, &i))
		return 0;
	st32(mxcsr, ld32(mxcsr) & ~(u32)MXCSR_IE);
	uc->uc_mcontext.gregs[REG_RIP] += i.len;
	return fp_toomany() ? 2 : 1;
}
