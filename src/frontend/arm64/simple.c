/* SPDX-License-Identifier: MIT */
/* simple.c - AArch64 instructions that do little (ir/simple.h): the other form of what translate.c and mem.c make
 *
 * Asked of all code that runs for the first times, so it looks for the instruction's line in base.isa alone and takes
 * fields from the word, where most instructions have the same ones (DDI 0487 C4.1).  Words that the line excludes are
 * left to the decoder: they are not simple. */
#include "frontend/arm64/simd.h"
#include "ir/simple.h"

/* t: the constants of the instruction's line */
typedef int form(u32 w, const struct a64_insn *t, gaddr pc, struct simple *);
#define FORM(name, does) static int name(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s) \
	{ return (void)t, (void)pc, does; }

static u32 part(u32 w, int hi, int lo) { return (u32)bits(w, lo, hi - lo + 1); }
static s32 spart(u32 w, int hi, int lo) { return (s32)sext(w >> lo, hi - lo + 1); }
static u32 sf(u32 w) { return w >> 31; }
static u8 type(u32 w) { return sf(w) ? I64 : I32; }
static int size_of(u32 w) { return sf(w) ? 64 : 32; }

/* Registers; of the two uses of number 31, reg is the zero register, and regsp sp. */
static u8 reg(u32 n) { return n == 31 ? NONE : (u8)(A64_X0 + n); }
static u8 regsp(u32 n) { return (u8)(A64_X0 + n); }
static u32 rd(u32 w) { return w & 31; }
static u32 rn(u32 w) { return part(w, 9, 5); }
static u32 rm(u32 w) { return part(w, 20, 16); }
static u32 ra(u32 w) { return part(w, 14, 10); }

static u64 imm21(u32 w) { return (u64)(s64)(spart(w, 23, 5) * 4 | (s32)part(w, 30, 29)); }

FORM(adr, simple_set(s, reg(rd(w)), pc + imm21(w)))
FORM(adrp, simple_set(s, reg(rd(w)), (pc & ~(gaddr)0xfff) + (imm21(w) << 12)))

/* A shift that is too large */
static int isnowide(u32 w) { return !sf(w) && part(w, 22, 22); }
static u64 wide(u32 w) { return (u64)part(w, 20, 5) << 16 * part(w, 22, 21); }

FORM(movz, !isnowide(w) && simple_set(s, reg(rd(w)), wide(w)))
FORM(movn, !isnowide(w) && simple_set(s, reg(rd(w)), sf(w) ? ~wide(w) : (u32)~wide(w)))

static int
op(u32 w, const struct a64_insn *t, struct simple *s, int flop)
{
	s->kind = SI_OP;
	s->op = (u8)t->op;
	s->flop = (u8)flop;
	s->ty = type(w);
	return 1;
}

static int
addsub_i(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	(void)pc;
	s->d = t->flop ? reg(rd(w)) : regsp(rd(w));
	s->a = regsp(rn(w));
	s->imm = part(w, 21, 10) << 12 * part(w, 22, 22);
	return op(w, t, s, t->flop);
}

static int
logic_i(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	(void)pc;
	s->d = t->s ? reg(rd(w)) : regsp(rd(w));
	s->a = reg(rn(w));
	s->imm = (s64)a64_bitmask((int)sf(w), (int)part(w, 22, 22), (int)part(w, 21, 16), (int)part(w, 15, 10));
	op(w, t, s, t->s ? O_fltst : 0);
	return s->imm != 0;
}

/* Three registers. */
static int
three(u32 w, const struct a64_insn *t, struct simple *s, int flop)
{
	s->d = reg(rd(w));
	s->a = reg(rn(w));
	s->b = reg(rm(w));
	return op(w, t, s, flop);
}

static int
shifted(u32 w, const struct a64_insn *t, struct simple *s, int flop)
{
	static const u8 how[4] = {0, O_shr, O_sar, O_rotr};

	three(w, t, s, flop);
	s->shift = (u8)part(w, 15, 10);
	s->how = how[part(w, 23, 22)];
	return s->shift < size_of(w) && !t->inv;
}

FORM(addsub, shifted(w, t, s, t->flop) && s->how != O_rotr)
FORM(logic, shifted(w, t, s, t->s ? O_fltst : 0))
FORM(op2, three(w, t, s, 0))

/* uxtb ... sxtx, of an operand of so many bits */
static void
extended(struct simple *s, u32 ext, int n)
{
	s->from = (u8)(8 << (ext & 3) < n ? 8 << (ext & 3) : 0);
	s->fromsign = (u8)(ext >> 2);
}

static int
addsub_x(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	(void)pc;
	s->d = t->flop ? reg(rd(w)) : regsp(rd(w));
	s->a = regsp(rn(w));
	s->b = reg(rm(w));
	s->shift = (u8)part(w, 12, 10);
	extended(s, part(w, 15, 13), size_of(w));
	op(w, t, s, t->flop);
	return s->shift <= 4;
}

static int
op1(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	(void)pc;
	s->d = reg(rd(w));
	s->a = reg(rn(w));
	return op(w, t, s, 0);
}

static int
multiply(u32 w, const struct a64_insn *t, struct simple *s, int from)
{
	three(w, t, s, 0);
	s->kind = SI_MUL;
	s->d2 = reg(ra(w));
	s->from = (u8)from;
	s->fromsign = t->sg;
	return 1;
}

FORM(madd, multiply(w, t, s, 0))
FORM(maddl, multiply(w, t, s, 32))

/* -- bit fields -- */
static u32 immr(u32 w) { return part(w, 21, 16); }
static u32 imms(u32 w) { return part(w, 15, 10); }
static int isnofield(u32 w) { return part(w, 22, 22) != sf(w) || (!sf(w) && (immr(w) | imms(w)) > 31); }

static int
field(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	int up = imms(w) < immr(w);

	(void)pc;
	s->kind = SI_FIELD;
	s->ty = type(w);
	s->d = reg(rd(w));
	s->a = reg(rn(w));
	s->sign = t->sg;
	s->lo = (u8)(up ? 0 : immr(w));
	s->n = (u8)(up ? imms(w) + 1 : imms(w) - immr(w) + 1);
	s->shift = (u8)(up ? (u32)size_of(w) - immr(w) : 0);
	return !isnofield(w);
}

static int
insert(u32 w, struct simple *s, u32 lo, u32 n)
{
	s->kind = SI_INSERT;
	s->ty = type(w);
	s->d = reg(rd(w));
	s->lo = (u8)lo;
	s->n = (u8)n;
	return 1;
}

static int
movk(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	(void)t, (void)pc;
	s->imm = part(w, 20, 5);
	return !isnowide(w) && insert(w, s, 16 * part(w, 22, 21), 16);
}

static int
bfm(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	int up = imms(w) < immr(w);

	(void)t, (void)pc;
	s->a = reg(rn(w));
	s->shift = (u8)(up ? 0 : immr(w));
	insert(w, s, up ? (u32)size_of(w) - immr(w) : 0, up ? imms(w) + 1 : imms(w) - immr(w) + 1);
	return !isnofield(w);
}

/* Of one register, not of two. */
static int
extr(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	op1(w, t, pc, s);
	s->op = O_rotr;
	s->imm = imms(w);
	return rn(w) == rm(w) && part(w, 22, 22) == sf(w) && imms(w) < (u32)size_of(w);
}

/* -- conditions -- */
static int
csel(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	(void)pc;
	three(w, t, s, 0);
	s->kind = SI_SELECT;
	s->op = (u8)part(w, 15, 12);
	s->inverted = t->inv;
	s->inc = t->inc;
	return s->op < CC_AL;
}

static int
check(u32 w, const struct a64_insn *t, struct simple *s)
{
	s->kind = SI_CHECK;
	s->op = (u8)part(w, 15, 12);
	s->flop = (u8)t->flop;
	s->ty = type(w);
	s->a = reg(rn(w));
	s->imm2 = (s32)a64_nzcv2fl(w & 15);
	return s->op < CC_AL;
}

FORM(ccmp, (s->b = reg(rm(w)), check(w, t, s)))
FORM(ccmp_i, (s->imm = rm(w), check(w, t, s)))

static int
mrs(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s)
{
	int var = a64_sysvar((int)part(w, 19, 5));

	(void)t, (void)pc;
	s->kind = SI_OP;
	s->op = O_or;
	s->ty = I64;
	s->d = reg(rd(w));
	s->b = (u8)var;
	return var >= 0;
}

/* -- memory -- */
static int
access(u32 w, const struct a64_insn *t, struct simple *s, s32 disp)
{
	static const u8 types[4] = {I8, I16, I32, I64};

	s->ty = types[w >> 30];
	s->sign = t->sg;
	s->d = reg(rd(w));
	s->a = regsp(rn(w));
	s->imm = t->wb == 2 ? 0 : disp;
	s->step = t->wb ? disp : 0;
	return !t->aux && !(t->sg && s->ty == I64);
}

static s32 imm12(u32 w) { return (s32)(part(w, 21, 10) << (w >> 30)); }
static s32 imm9(u32 w) { return spart(w, 20, 12); }

FORM(load_u, (s->kind = SI_LOAD, access(w, t, s, imm12(w))))
FORM(store_u, (s->kind = SI_STORE, access(w, t, s, imm12(w))))
FORM(load_i, (s->kind = SI_LOAD, access(w, t, s, imm9(w))))
FORM(store_i, (s->kind = SI_STORE, access(w, t, s, imm9(w))))

/* The index of an access of 1 << log bytes. */
static int
indexed(u32 w, struct simple *s, u32 log)
{
	s->b = reg(rm(w));
	s->shift = (u8)(part(w, 12, 12) ? log : 0);
	extended(s, part(w, 15, 13), 64);
	return part(w, 14, 14) && s->shift <= 3;
}

FORM(load_r, (s->kind = SI_LOAD, access(w, t, s, 0)) && indexed(w, s, w >> 30))
FORM(store_r, (s->kind = SI_STORE, access(w, t, s, 0)) && indexed(w, s, w >> 30))

static int
pair(u32 w, const struct a64_insn *t, struct simple *s)
{
	access(w, t, s, spart(w, 21, 15) * (sf(w) ? 8 : 4));
	s->ty = type(w);
	s->d2 = reg(ra(w));
	s->two = 1;
	return 1;
}

FORM(load_p, (s->kind = SI_LOAD, pair(w, t, s)))
FORM(store_p, (s->kind = SI_STORE, pair(w, t, s)))

/* -- branches -- */
static int
go(u32 w, struct simple *s, int kind, int how, gaddr to)
{
	s->kind = (u8)kind;
	s->op = (u8)how;
	s->ty = type(w);
	s->a = reg(rd(w));
	s->to = to;
	return 1;
}

static u64 imm26(u32 w) { return (u64)(s64)spart(w, 25, 0) * 4; }
static u64 imm19(u32 w) { return (u64)(s64)spart(w, 23, 5) * 4; }
static u64 imm14(u32 w) { return (u64)(s64)spart(w, 18, 5) * 4; }

FORM(b, go(w, s, SI_JUMP, 0, pc + imm26(w)))
FORM(bl, go(w, s, SI_CALL, 0, pc + imm26(w)))
FORM(cbz, go(w, s, SI_BRANCH, t->rel, pc + imm19(w)))
FORM(b_cond, (w & 15) < CC_AL && go(w, s, SI_BRANCHF, w & 15, pc + imm19(w)))
FORM(tbz, (s->imm = part(w, 31, 31) << 5 | part(w, 23, 19), go(w, s, SI_TEST, t->rel, pc + imm14(w))))

static int
computed(u32 w, struct simple *s, int kind)
{
	s->kind = (u8)kind;
	s->a = reg(rn(w));
	return 1;
}

FORM(br, computed(w, s, SI_GO))
FORM(blr, (s->d = A64_LR, computed(w, s, SI_CALLR)))
FORM(ret, computed(w, s, rn(w) == A64_LR ? SI_RETURN : SI_GO))
FORM(nop, ((void)w, (void)s, 1))

static form *const forms[a64_COUNT] = {
	[a64_adr] = adr, [a64_adrp] = adrp, [a64_add_i ... a64_subs_i] = addsub_i, [a64_and_i ... a64_ands_i] = logic_i,
	[a64_movn] = movn, [a64_movz] = movz, [a64_movk] = movk,
	[a64_sbfm] = field, [a64_bfm] = bfm, [a64_ubfm] = field, [a64_extr] = extr,
	[a64_and_r ... a64_bics_r] = logic, [a64_add_r ... a64_subs_r] = addsub, [a64_add_x ... a64_subs_x] = addsub_x,
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
	[a64_br] = br, [a64_blr] = blr, [a64_ret] = ret, [a64_nop ... a64_hint] = nop,
	[a64_stnp] = store_p, [a64_stp_post] = store_p, [a64_stp] = store_p, [a64_stp_pre] = store_p,
	[a64_ldnp] = load_p, [a64_ldp_post] = load_p, [a64_ldp] = load_p, [a64_ldp_pre] = load_p,
	[a64_ldpsw_post ... a64_ldpsw_pre] = load_p,
};

/* Loads and stores of whole vector registers, and of floats in them (C4.1.4). */
static int
simd_access(u32 w, const struct a64v_insn *a, struct simple *s)
{
	static const u8 types[] = {N, N, F32, F64, V128};
	int pairs = a->id >= a64v_stnp;
	u32 log = pairs ? a->psz + 2u : a->lsz;

	s->kind = a->load ? SI_VLOAD : SI_VSTORE;
	s->ty = types[log];
	s->d = (u8)simd_v(a->rt);
	s->a = regsp(a->rn);
	s->imm = a->imm * (a->scaled || pairs ? 1 << log : 1);
	if (pairs) {
		s->two = 1;
		s->d2 = (u8)simd_v(a->rt2);
	} else if (a->id >= a64v_str_r && !indexed(w, s, log)) {
		return 0;
	}
	s->step = a->wback ? (s32)s->imm : 0;
	if (a->wback == 2)
		s->imm = 0;
	return s->ty == N ? 0 : 4;
}

/* Moves between general registers and floats */
static int
simd_move(const struct a64v_insn *a, struct simple *s, int kind)
{
	s->kind = (u8)kind;
	s->ty = a->ft ? I64 : I32;
	s->d = kind == SI_TOV ? (u8)simd_v(a->rd) : reg(a->rd);
	s->a = kind == SI_TOV ? reg(a->rn) : (u8)simd_v(a->rn);
	return a->ft == 3 ? 0 : 4;
}

static __attribute__((noinline)) int
simd_simple(u32 w, struct simple *s)
{
	struct a64v_insn a;

	if (!a64v_decode(w, &a))
		return 0;
	if (a.id >= a64v_str_u && a.id <= a64v_ldp_pre)
		return simd_access(w, &a, s);
	if (a.id == a64v_fmov_fg || a.id == a64v_fmov_gf)
		return simd_move(&a, s, a.id == a64v_fmov_fg ? SI_TOV : SI_FROMV);
	if (a.id < a64v_movi_s0 || a.id > a64v_movi_b || a.op)
		return 0;
	s->kind = SI_VSET;
	s->d = (u8)simd_v(a.rd);
	s->imm = (s64)simd_modvalue(&a);
	s->two = a.q;
	return 4;
}

int
a64_simple(const u8 *p, int n, gaddr pc, struct simple *s)
{
	u32 w = ld32(p);
	const struct a64_insn *t;
	int id;

	(void)n;
	if (pc & 3)
		return 0;
	*s = (struct simple){.d = NONE, .d2 = NONE, .a = NONE, .b = NONE, .next = pc + 4};
	if ((w >> 26 & 3) == 3)
		return simd_simple(w, s);
	id = a64_seek(w);
	t = &a64_tmpl[id];
	return forms[id] && model_has(t->need) && forms[id](w, t, pc, s) ? 4 : 0;
}
