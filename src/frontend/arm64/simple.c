/* SPDX-License-Identifier: MIT */
/* simple.c - AArch64 instructions that do little (ir/simple.h): the other form of what translate.c and mem.c make */
#include "frontend/arm64/simd.h"
#include "ir/simple.h"

typedef int form(const struct a64_insn *, gaddr pc, struct simple *);
#define FORM(name, does) static int name(const struct a64_insn *a, gaddr pc, struct simple *s) \
	{ return (void)pc, does; }

static u8 reg(int n) { return n == 31 ? NONE : (u8)(A64_X0 + n); }
static u8 regsp(int n) { return (u8)(A64_X0 + n); }

static int
set(struct simple *s, int rd, u64 v)
{
	s->kind = SI_SET;
	s->d = reg(rd);
	s->imm = (s64)v;
	return 1;
}

FORM(adr, set(s, a->rd, pc + (u64)(s64)a->imm))
FORM(adrp, set(s, a->rd, (pc & ~(gaddr)0xfff) + ((u64)(s64)a->imm << 12)))
FORM(movz, set(s, a->rd, (u64)a->imm << 16 * a->hw))

static int
movn(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	u64 v = ~((u64)a->imm << 16 * a->hw);

	(void)pc;
	return set(s, a->rd, a->sf ? v : (u32)v);
}

static int
op(const struct a64_insn *a, struct simple *s, int flop)
{
	s->kind = SI_OP;
	s->op = (u8)a->op;
	s->flop = (u8)flop;
	s->ty = (u8)a64_ty(a->sf);
	return 1;
}

static int
addsub_i(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	(void)pc;
	s->d = a->flop ? reg(a->rd) : regsp(a->rd);
	s->a = regsp(a->rn);
	s->imm = (s64)a->imm << 12 * a->sh;
	return op(a, s, a->flop);
}

static int
logic_i(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	(void)pc;
	s->d = a->s ? reg(a->rd) : regsp(a->rd);
	s->a = reg(a->rn);
	s->imm = (s64)a64_bitmask(a->sf, a->n, a->immr, a->imms);
	return op(a, s, a->s ? O_fltst : 0);
}

/* Those that have no shift are shifted by 0. */
static int
shifted(const struct a64_insn *a, struct simple *s, int flop)
{
	static const u8 how[4] = {0, O_shr, O_sar, O_rotr};

	s->d = reg(a->rd);
	s->a = reg(a->rn);
	s->b = reg(a->rm);
	s->shift = a->sa;
	s->how = how[a->st];
	return a->inv ? 0 : op(a, s, flop);
}

/* uxtb ... sxtx, of an operand of so many bits */
static void
extended(struct simple *s, int ext, int bits)
{
	s->from = (u8)(8 << (ext & 3) < bits ? 8 << (ext & 3) : 0);
	s->fromsign = (u8)(ext >> 2);
}

static int
addsub_x(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	shifted(a, s, a->flop);
	(void)pc;
	s->d = a->flop ? reg(a->rd) : regsp(a->rd);
	s->a = regsp(a->rn);
	extended(s, a->ext, a->sf ? 64 : 32);
	return 1;
}

FORM(addsub, shifted(a, s, a->flop))
FORM(logic, shifted(a, s, a->s ? O_fltst : 0))

FORM(op2, shifted(a, s, 0))

static int
op1(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	(void)pc;
	s->d = reg(a->rd);
	s->a = reg(a->rn);
	return op(a, s, 0);
}

/* Of a double register, all bits to the right. */
static int
extr(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	op1(a, pc, s);
	s->op = O_rotr;
	s->imm = a->imms;
	return a->rn == a->rm;
}

static int
multiply(const struct a64_insn *a, struct simple *s, int from)
{
	shifted(a, s, 0);
	s->kind = SI_MUL;
	s->d2 = reg(a->ra);
	s->from = (u8)from;
	s->fromsign = a->sg;
	return 1;
}

FORM(madd, multiply(a, s, 0))

static int
maddl(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	(void)pc;
	multiply(a, s, 32);
	s->ty = I64;
	return 1;
}

static int
field(const struct a64_insn *a, struct simple *s, int sign)
{
	int size = a->sf ? 64 : 32, up = a->imms < a->immr;

	s->kind = SI_FIELD;
	s->ty = (u8)a64_ty(a->sf);
	s->d = reg(a->rd);
	s->a = reg(a->rn);
	s->sign = (u8)sign;
	s->lo = up ? 0 : a->immr;
	s->n = (u8)(up ? a->imms + 1 : a->imms - a->immr + 1);
	s->shift = (u8)(up ? size - a->immr : 0);
	return 1;
}

FORM(ubfm, field(a, s, 0))
FORM(sbfm, field(a, s, 1))

static int
insert(const struct a64_insn *a, struct simple *s, int lo, int n)
{
	s->kind = SI_INSERT;
	s->ty = (u8)a64_ty(a->sf);
	s->d = reg(a->rd);
	s->lo = (u8)lo;
	s->n = (u8)n;
	return 1;
}

static int
movk(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	(void)pc;
	s->imm = a->imm;
	return insert(a, s, 16 * a->hw, 16);
}

static int
bfm(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	int size = a->sf ? 64 : 32, up = a->imms < a->immr;

	(void)pc;
	s->a = reg(a->rn);
	s->shift = up ? 0 : a->immr;
	return insert(a, s, up ? size - a->immr : 0, up ? a->imms + 1 : a->imms - a->immr + 1);
}

/* -- conditions -- */
static int
csel(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	(void)pc;
	shifted(a, s, 0);
	s->kind = SI_SELECT;
	s->ty = (u8)a64_ty(a->sf);
	s->op = a->cond;
	s->inverted = a->inv;
	s->inc = a->inc;
	return a->cond < CC_AL;
}

static int
ccmp(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	(void)pc;
	s->kind = SI_CHECK;
	s->op = a->cond;
	s->flop = (u8)a->flop;
	s->ty = (u8)a64_ty(a->sf);
	s->a = reg(a->rn);
	s->b = reg(a->rm);
	s->imm2 = (s32)a64_nzcv2fl(a->imm);
	return a->cond < CC_AL;
}

static int
ccmp_i(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	int is = ccmp(a, pc, s);

	s->b = NONE;
	s->imm = a->rm;
	return is;
}

static int
mrs(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	int var = a64_sysvar(a->sysreg);

	(void)pc;
	s->kind = SI_OP;
	s->op = O_or;
	s->ty = I64;
	s->d = reg(a->rd);
	s->b = (u8)var;
	return var >= 0;
}

/* -- memory -- */
static const u8 types[4] = {I8, I16, I32, I64};

static int
access(const struct a64_insn *a, struct simple *s, int kind, s32 disp)
{
	s->kind = (u8)kind;
	s->ty = types[a->size];
	s->sign = a->sg;
	s->d = reg(a->rd);
	s->a = regsp(a->rn);
	s->imm = a->wb == 2 ? 0 : disp;
	s->step = a->wb ? disp : 0;
	return !a->aux;
}

FORM(load_u, access(a, s, SI_LOAD, a->imm << a->size))
FORM(store_u, access(a, s, SI_STORE, a->imm << a->size))
FORM(load_i, access(a, s, SI_LOAD, a->imm))
FORM(store_i, access(a, s, SI_STORE, a->imm))

static int
indexed(const struct a64_insn *a, struct simple *s, int kind)
{
	s->b = reg(a->rm);
	s->shift = a->sa ? a->size : 0;
	extended(s, a->ext, 64);
	return access(a, s, kind, 0);
}

FORM(load_r, indexed(a, s, SI_LOAD))
FORM(store_r, indexed(a, s, SI_STORE))

static int
pair(const struct a64_insn *a, struct simple *s, int kind)
{
	int wide = a->sf && !a->sg;

	access(a, s, kind, a->imm * (wide ? 8 : 4));
	s->ty = wide ? I64 : I32;
	s->sign = a->sg ? 64 : 0;
	s->d2 = reg(a->rt2);
	s->two = 1;
	return 1;
}

FORM(load_p, pair(a, s, SI_LOAD))
FORM(store_p, pair(a, s, SI_STORE))

/* -- branches -- */
static int
go(const struct a64_insn *a, gaddr pc, struct simple *s, int kind, int how)
{
	s->kind = (u8)kind;
	s->op = (u8)how;
	s->ty = (u8)a64_ty(a->sf);
	s->a = reg(a->rd);
	s->to = pc + (u64)(s64)a->imm;
	return 1;
}

FORM(b, go(a, pc, s, SI_JUMP, 0))
FORM(bl, go(a, pc, s, SI_CALL, 0))
FORM(cbz, go(a, pc, s, SI_BRANCH, a->rel))
FORM(b_cond, go(a, pc, s, SI_BRANCHF, a->cond) && a->cond < CC_AL)

static int
tbz(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	s->imm = a->bit;
	return go(a, pc, s, SI_TEST, a->rel);
}

static int
computed(const struct a64_insn *a, struct simple *s, int kind)
{
	s->kind = (u8)kind;
	s->a = reg(a->rn);
	return 1;
}

FORM(br, computed(a, s, SI_GO))
static int
blr(const struct a64_insn *a, gaddr pc, struct simple *s)
{
	(void)pc;
	s->d = A64_LR;
	return computed(a, s, SI_CALLR);
}

FORM(ret, computed(a, s, a->rn == A64_LR ? SI_RETURN : SI_GO))
FORM(nop, ((void)a, (void)s, 1))

static form *const forms[a64_COUNT] = {
	[a64_adr] = adr, [a64_adrp] = adrp, [a64_mov_sp ... a64_subs_i] = addsub_i, [a64_mov_m ... a64_ands_i] = logic_i,
	[a64_mov_n] = movn, [a64_movn] = movn, [a64_mov_z] = movz, [a64_movz] = movz, [a64_sbfm] = sbfm, [a64_ubfm] = ubfm,
	[a64_movk] = movk, [a64_bfm] = bfm, [a64_extr] = extr,
	[a64_mov_r ... a64_bics_r] = logic, [a64_cmn_r ... a64_subs_r] = addsub, [a64_cmn_x ... a64_subs_x] = addsub_x,
	[a64_madd ... a64_msub] = madd, [a64_smaddl ... a64_umsubl] = maddl,
	[a64_smulh ... a64_ror_v] = op2, [a64_rbit ... a64_cls] = op1,
	[a64_csel ... a64_csneg] = csel, [a64_ccmn_r ... a64_ccmp_r] = ccmp, [a64_ccmn_i ... a64_ccmp_i] = ccmp_i,
	[a64_mrs] = mrs,
	[a64_str_u] = store_u, [a64_ldr_u ... a64_ldsw_u] = load_u,
	[a64_str_i] = store_i, [a64_ldr_i ... a64_ldsw_i] = load_i,
	[a64_str_post] = store_i, [a64_ldr_post ... a64_ldsw_post] = load_i,
	[a64_str_pre] = store_i, [a64_ldr_pre ... a64_ldsw_pre] = load_i,
	[a64_str_r] = store_r, [a64_ldr_r ... a64_ldsw_r] = load_r,
	[a64_b] = b, [a64_bl] = bl, [a64_b_cond] = b_cond, [a64_cbz] = cbz, [a64_cbnz] = cbz,
	[a64_tbz] = tbz, [a64_tbnz] = tbz,
	[a64_br] = br, [a64_blr] = blr, [a64_ret_lr] = ret, [a64_ret] = ret, [a64_nop ... a64_hint] = nop,
	[a64_stnp] = store_p, [a64_stp_post] = store_p, [a64_stp] = store_p, [a64_stp_pre] = store_p,
	[a64_ldnp] = load_p, [a64_ldp_post] = load_p, [a64_ldp] = load_p, [a64_ldp_pre] = load_p,
	[a64_ldpsw_post ... a64_ldpsw_pre] = load_p,
};

/* Loads and stores of whole registers, DDI 0487 C4.1.4. */
static int
simd_simple(u32 w, struct simple *s)
{
	static const u8 type[] = {N, N, F32, F64, V128};
	struct a64v_insn a;
	int size;

	if (w >> 25 & 1 || !a64v_decode(w, &a) || a.id < a64v_str_u || a.id > a64v_ldp_pre)
		return 0;
	size = a.id >= a64v_stnp ? a.psz + 2 : a.lsz;
	s->kind = a.load ? SI_LOAD : SI_STORE;
	s->ty = type[size];
	s->d = (u8)simd_v(a.rt);
	s->a = regsp(a.rn);
	s->imm = a.imm * (a.scaled || a.id >= a64v_stnp ? 1 << size : 1);
	if (a.id >= a64v_stnp) {
		s->two = 1;
		s->d2 = (u8)simd_v(a.rt2);
	} else if (a.id >= a64v_str_r) {
		s->b = reg(a.rm);
		s->shift = a.sh ? (u8)size : 0;
		extended(s, a.ext, 64);
	}
	if (a.wback)
		s->step = (s32)s->imm;
	if (a.wback == 2)
		s->imm = 0;
	return s->ty != N && s->shift <= 3 ? 4 : 0;
}

int
a64_simple(const u8 *p, int n, gaddr pc, struct simple *s)
{
	u32 w = ld32(p);
	struct a64_insn a;

	(void)n;
	*s = (struct simple){.d = NONE, .d2 = NONE, .a = NONE, .b = NONE};
	if ((w >> 26 & 3) == 3)
		return pc & 3 ? 0 : simd_simple(w, s);
	if (pc & 3 || !a64_decode(w, &a) || !forms[a.id] || !model_has(a.need))
		return 0;
	return forms[a.id](&a, pc, s) ? 4 : 0;
}
