/* SPDX-License-Identifier: MIT */
/* simple.c - AArch64 instructions that do little (ir/simple.h): the other form of what translate.c and mem.c make
 *
 * Asked of all code that runs for the first times, so it looks for the instruction's line in base.isa alone, whose
 * function takes fields from the word, where most instructions have the same ones (DDI 0487 C4.1).  Words that the line
 * excludes are left to the decoder: they are not simple. */
#include "frontend/arm64/simd.h"
#define a64_IMPLEMENT
#include "arm64/base.h"
#include "ir/perform.h"

/* t: the constants of the instruction's line */
#define FORM(name, does) static int name(u32 w, const struct a64_insn *t, gaddr pc, struct simple *s) \
	{ return (void)t, (void)pc, does; }

static void
begin(struct simple *s, gaddr pc)
{
	*s = (struct simple){.d = NONE, .d2 = NONE, .a = NONE, .b = NONE, .next = pc + 4};
}

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

#define LINES(T) \
	T(adr, adr) T(adrp, adrp) T(add_i, addsub_i) T(adds_i, addsub_i) T(sub_i, addsub_i) T(subs_i, addsub_i) \
	T(and_i, logic_i) T(orr_i, logic_i) T(eor_i, logic_i) T(ands_i, logic_i) T(movn, movn) T(movz, movz) \
	T(movk, movk) T(sbfm, field) T(bfm, bfm) T(ubfm, field) T(extr, extr) T(and_r, logic) T(bic_r, logic) \
	T(orr_r, logic) T(orn_r, logic) T(eor_r, logic) T(eon_r, logic) T(ands_r, logic) T(bics_r, logic) \
	T(add_r, addsub) T(adds_r, addsub) T(sub_r, addsub) T(subs_r, addsub) T(add_x, addsub_x) \
	T(adds_x, addsub_x) T(sub_x, addsub_x) T(subs_x, addsub_x) T(madd, madd) T(msub, madd) T(smaddl, maddl) \
	T(smsubl, maddl) T(umaddl, maddl) T(umsubl, maddl) T(smulh, op2) T(umulh, op2) T(udiv, op2) T(sdiv, op2) \
	T(lsl_v, op2) T(lsr_v, op2) T(asr_v, op2) T(ror_v, op2) T(rbit, op1) T(rev16, op1) T(rev_w, op1) \
	T(rev32, op1) T(rev_x, op1) T(clz, op1) T(cls, op1) T(csel, csel) T(csinc, csel) T(csinv, csel) \
	T(csneg, csel) T(ccmn_r, ccmp) T(ccmp_r, ccmp) T(ccmn_i, ccmp_i) T(ccmp_i, ccmp_i) T(mrs, mrs) \
	T(str_u, store_u) T(ldr_u, load_u) T(lds_u, load_u) T(ldsw_u, load_u) T(str_i, store_i) T(ldr_i, load_i) \
	T(lds_i, load_i) T(ldsw_i, load_i) T(str_post, store_i) T(ldr_post, load_i) T(lds_post, load_i) \
	T(ldsw_post, load_i) T(str_pre, store_i) T(ldr_pre, load_i) T(lds_pre, load_i) T(ldsw_pre, load_i) \
	T(str_r, store_r) T(ldr_r, load_r) T(lds_r, load_r) T(ldsw_r, load_r) T(b, b) T(bl, bl) T(b_cond, b_cond) \
	T(cbz, cbz) T(cbnz, cbz) T(tbz, tbz) T(tbnz, tbz) T(br, br) T(blr, blr) T(ret, ret) T(nop, nop) \
	T(yield, nop) T(wfe, nop) T(wfi, nop) T(sev, nop) T(sevl, nop) T(esb, nop) T(bti, nop) T(hint, nop) \
	T(stnp, store_p) T(stp_post, store_p) T(stp, store_p) T(stp_pre, store_p) T(ldnp, load_p) \
	T(ldp_post, load_p) T(ldp, load_p) T(ldp_pre, load_p) T(ldpsw_post, load_p) T(ldpsw, load_p) \
	T(ldpsw_pre, load_p)

/* A function for each line, in which its constants are known. */
#define LINE(name, form) \
	static __attribute__((flatten)) int line_##name(u32 w, gaddr pc, struct simple *s) \
	{ \
		const struct a64_insn *t = &a64_tmpl[a64_##name]; \
		\
		if (t->need && !model_has(t->need)) \
			return 0; \
		begin(s, pc); \
		return form(w, t, pc, s) ? 4 : 0; \
	} \
	static __attribute__((flatten)) int do_##name(u32 w, gaddr pc, struct run *r) \
	{ \
		struct simple s; \
		\
		return line_##name(w, pc, &s) ? perform(r, &s, 4) : UNDONE; \
	}
LINES(LINE)

static int never(u32 w, gaddr pc, struct simple *s) { return (void)w, (void)pc, (void)s, 0; }

#define ENTRY(name, form) [a64_##name] = line_##name,
static int (*const lines[a64_COUNT])(u32 w, gaddr pc, struct simple *) = {never, LINES(ENTRY)};

#define NOW(name, form) [a64_##name] = do_##name,
static int (*const now[a64_COUNT])(u32 w, gaddr pc, struct run *) = {0, LINES(NOW)};

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
	s->d = kind == SI_FROMV ? reg(a->rd) : (u8)simd_v(a->rd);
	s->a = kind == SI_FROMV ? (u8)simd_v(a->rn) : reg(a->rn);
	return a->ft == 3 ? 0 : 4;
}

/* ... and lanes of vectors */
static int
simd_lane(const struct a64v_insn *a, struct simple *s, int kind)
{
	static const u8 types[] = {I8, I16, I32, I64};

	simd_move(a, s, kind);
	s->ty = types[a->size];
	s->lo = (u8)(a->idx << a->size);
	return 4;
}

static __attribute__((noinline)) int
simd_simple(u32 w, gaddr pc, struct simple *s)
{
	struct a64v_insn a;

	begin(s, pc);
	if (!a64v_decode(w, &a))
		return 0;
	if (a.id >= a64v_str_u && a.id <= a64v_ldp_pre)
		return simd_access(w, &a, s);
	switch (a.id) {
	case a64v_ins_gb: case a64v_ins_gh: case a64v_ins_gs: case a64v_ins_gd: return simd_lane(&a, s, SI_INTOV);
	case a64v_umov_b: case a64v_umov_h: case a64v_umov_s: case a64v_umov_d: return simd_lane(&a, s, SI_FROMV);
	}
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
	int id;

	(void)n;
	if (pc & 3)
		return 0;
	if ((w >> 26 & 3) == 3)
		return simd_simple(w, pc, s);
	id = a64_seek(w);
	return lines[id] ? lines[id](w, pc, s) : 0;
}

/* Rare enough to be decoded in full */
static __attribute__((noinline)) int
simd_perform(u32 w, gaddr pc, struct run *r)
{
	struct simple s;

	return simd_simple(w, pc, &s) ? perform_any(r, &s, 4) : UNDONE;
}

int
a64_perform(u32 w, int n, gaddr pc, struct run *r)
{
	int id;

	if (pc & 3 || n < 4)
		return UNDONE;
	if ((w >> 26 & 3) == 3)
		return simd_perform(w, pc, r);
	id = a64_seek(w);
	return now[id] ? now[id](w, pc, r) : UNDONE;
}
