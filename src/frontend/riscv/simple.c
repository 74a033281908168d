/* SPDX-License-Identifier: MIT */
/* simple.c - RISC-V instructions that do little (ir/simple.h): the other form of what translate.c makes
 *
 * Asked of all code that runs for the first times, so no instruction is decoded in full: each has a function in which
 * all is known but the fields. */
#define riscv_IMPLEMENT
#include "frontend/riscv/riscv.h"
#define rvc_IMPLEMENT
#include "riscv/rvc.h"
#include "ir/perform.h"

/* Immediates of 32-bit instructions (Volume I, 2.3) */
static s32 imm_i(u32 w) { return (s32)w >> 20; }
static s32 imm_u(u32 w) { return (s32)(w & 0xfffff000); }
static s32 imm_s(u32 w) { return ((s32)w >> 25) * 32 | (s32)(w >> 7 & 31); }

static s32
imm_b(u32 w)
{
	return ((s32)w >> 31) * 4096 | (s32)((w >> 7 & 1) << 11 | (w >> 25 & 63) << 5 | (w >> 8 & 15) << 1);
}

static s32
imm_j(u32 w)
{
	return ((s32)w >> 31) * (1 << 20) | (s32)((w & 0xff000) | (w >> 20 & 1) << 11 | (w >> 21 & 0x3ff) << 1);
}

/* What does it, and the same of a word of 32 bits with that immediate.  t: the constants of the line.  s->to is the
 * address of the instruction as yet. */
#define FORM(name, immediate, does) \
	static inline int name(struct simple *s, const struct riscv_insn *t, u32 rd, u32 rs1, u32 rs2, s32 imm) \
	{ \
		return (void)s, (void)t, (void)rd, (void)rs1, (void)rs2, (void)imm, does; \
	} \
	static inline int w_##name(struct simple *s, const struct riscv_insn *t, u32 w) \
	{ \
		return name(s, t, w >> 7 & 31, w >> 15 & 31, w >> 20 & 31, immediate(w)); \
	}

static u8 reg(u32 n) { return n ? (u8)n : NONE; }
static u8 freg(u32 n) { return (u8)(RV_F0 + n); }

FORM(lui, imm_u, simple_set(s, reg(rd), (u64)(s64)imm))
FORM(auipc, imm_u, simple_set(s, reg(rd), s->to + (u64)(s64)imm))

static inline int
fill(struct simple *s, int kind, int op, int ty, u8 d, u8 a, s32 imm)
{
	s->kind = (u8)kind;
	s->op = (u8)op;
	s->ty = (u8)ty;
	s->d = d;
	s->a = a;
	s->imm = imm;
	return 1;
}

/* -- arithmetic -- */
FORM(alui, imm_i, fill(s, SI_OP, t->op, I64, reg(rd), reg(rs1), imm))
FORM(seti, imm_i, fill(s, SI_REL, t->rel, I64, reg(rd), reg(rs1), imm))
FORM(shifti, imm_i, fill(s, SI_OP, t->op, I64, reg(rd), reg(rs1), imm & 63))
FORM(addiw, imm_i, (s->sign = 1, fill(s, SI_OP, O_add, I32, reg(rd), reg(rs1), imm)))
FORM(shiftiw, imm_i, (s->sign = 1, fill(s, SI_OP, t->op, I32, reg(rd), reg(rs1), imm & 31)))
FORM(alu, imm_i, (s->b = reg(rs2), fill(s, SI_OP, t->op, I64, reg(rd), reg(rs1), 0)))
FORM(setr, imm_i, (s->b = reg(rs2), fill(s, SI_REL, t->rel, I64, reg(rd), reg(rs1), 0)))
FORM(aluw, imm_i, (s->b = reg(rs2), s->sign = 1, fill(s, SI_OP, t->op, I32, reg(rd), reg(rs1), 0)))
FORM(rem, imm_i, (s->b = reg(rs2), s->sign = t->ty == I32, fill(s, SI_OP, t->op, t->ty, reg(rd), reg(rs1), 0)))
FORM(div, imm_i, (s->inverted = 1, rem(s, t, rd, rs1, rs2, 0)))
FORM(nop, imm_i, 1)

/* -- memory; moves of all 64 bits between registers -- */
FORM(load, imm_i, (s->sign = t->sx ? 64 : 0, fill(s, SI_LOAD, 0, t->ty, reg(rd), reg(rs1), imm)))
FORM(store, imm_s, fill(s, SI_STORE, 0, t->ty, reg(rs2), reg(rs1), imm))
FORM(fload, imm_i, fill(s, SI_VLOAD, 0, t->ty, freg(rd), reg(rs1), imm))
FORM(fstore, imm_s, fill(s, SI_VSTORE, 0, t->ty, freg(rs2), reg(rs1), imm))
FORM(fmvx, imm_i, fill(s, SI_FROMV, 0, I64, reg(rd), freg(rs1), 0))
FORM(fmvf, imm_i, fill(s, SI_TOV, 0, I64, freg(rd), reg(rs1), 0))

/* -- branches -- */
static inline int
jump(struct simple *s, u32 rd, s32 imm)
{
	s->kind = rd ? SI_CALL : SI_JUMP;
	s->to += (u64)(s64)imm;
	return !rd || (rd == RV_ra && s->to != s->next);
}

static inline int
computed(struct simple *s, u32 rd, u32 rs1, s32 imm)
{
	fill(s, rd == RV_ra ? SI_CALLR : !rd && rs1 == RV_ra && !imm ? SI_RETURN : SI_GO, 0, 0, reg(rd), reg(rs1), imm);
	return rs1 && !(imm & 1);
}

FORM(jal, imm_j, jump(s, rd, imm))
FORM(jalr, imm_i, computed(s, rd, rs1, imm))
FORM(branch, imm_b, (s->b = reg(rs2), s->to += (u64)(s64)imm, fill(s, SI_BRANCH, t->rel, I64, NONE, reg(rs1), 0),
    rs1 != rs2))

static inline void
begin(struct simple *s, gaddr pc, int len)
{
	*s = (struct simple){.d = NONE, .d2 = NONE, .a = NONE, .b = NONE, .to = pc, .next = pc + (u64)len};
}

/* The model has what the line needs. */
static inline int has(int need) { return !need || model_has(need); }

#define WORDS(T) \
	T(lui, lui) T(auipc, auipc) T(jal, jal) T(jalr, jalr) \
	T(beq, branch) T(bne, branch) T(blt, branch) T(bge, branch) T(bltu, branch) T(bgeu, branch) \
	T(lb, load) T(lh, load) T(lw, load) T(ld, load) T(lbu, load) T(lhu, load) T(lwu, load) \
	T(sb, store) T(sh, store) T(sw, store) T(sd, store) \
	T(addi, alui) T(slti, seti) T(sltiu, seti) T(xori, alui) T(ori, alui) T(andi, alui) \
	T(slli, shifti) T(srli, shifti) T(srai, shifti) \
	T(addiw, addiw) T(slliw, shiftiw) T(srliw, shiftiw) T(sraiw, shiftiw) \
	T(add, alu) T(sub, alu) T(sll, alu) T(slt, setr) T(sltu, setr) T(xor, alu) T(srl, alu) T(sra, alu) T(or, alu) \
	T(and, alu) T(mul, alu) T(mulh, alu) T(mulhsu, alu) T(mulhu, alu) \
	T(div, div) T(divu, div) T(rem, rem) T(remu, rem) T(divw, div) T(divuw, div) T(remw, rem) T(remuw, rem) \
	T(addw, aluw) T(subw, aluw) T(sllw, aluw) T(srlw, aluw) T(sraw, aluw) T(mulw, aluw) \
	T(fld, fload) T(fsd, fstore) T(fmv_x_d, fmvx) T(fmv_d_x, fmvf) \
	T(prefetch_i, nop) T(prefetch_r, nop) T(prefetch_w, nop)

typedef int made(u32 w, gaddr pc, struct simple *);
typedef int done(u32 w, gaddr pc, struct run *);

/* Done at once, all of the line being known */
#define NOW(name) \
	static __attribute__((flatten)) int do_##name(u32 w, gaddr pc, struct run *r) \
	{ \
		struct simple s; \
		int len = name(w, pc, &s); \
		\
		return len ? perform(r, &s, len) : UNDONE; \
	}

#define WORD(line, form) \
	static int word_##line(u32 w, gaddr pc, struct simple *s) \
	{ \
		const struct riscv_insn *t = &riscv_tmpl[riscv_##line]; \
		\
		if (!has(t->need)) \
			return 0; \
		begin(s, pc, 4); \
		return w_##form(s, t, w) ? 4 : 0; \
	} \
	NOW(word_##line)
WORDS(WORD)

/* 16-bit instructions */
#define none(s, t, rd, rs1, rs2, imm) 0
#define SHORT(line, form) \
	static int short_##line(u32 w, gaddr pc, struct simple *s) \
	{ \
		const struct rvc_line known = {.id = rvc_##line, .format = rvc_format[rvc_##line]}; \
		struct rvc_insn c; \
		\
		if (rvc_fill(w, &known, &c) || !has(c.need)) \
			return 0; \
		begin(s, pc, 2); \
		return form(s, &riscv_tmpl[c.as], c.rd, c.rs1, c.rs2, c.imm) ? 2 : 0; \
	} \
	NOW(short_##line)
rvc_TRANSLATORS(SHORT)

static int never(u32 w, gaddr pc, struct simple *s) { return (void)w, (void)pc, (void)s, 0; }
NOW(never)

#define WORDENTRY(line, form) [riscv_##line] = word_##line,
#define SHORTENTRY(line, form) [rvc_##line] = short_##line,
static made *const words[riscv_COUNT] = {WORDS(WORDENTRY)};
static made *const shorts[rvc_COUNT] = {never, rvc_TRANSLATORS(SHORTENTRY)};

#define WORDNOW(line, form) [riscv_##line] = do_word_##line,
#define SHORTNOW(line, form) [rvc_##line] = do_short_##line,
static done *const dowords[riscv_COUNT] = {WORDS(WORDNOW)};
static done *const doshorts[rvc_COUNT] = {do_never, rvc_TRANSLATORS(SHORTNOW)};

int
rv_perform(u32 w, int n, gaddr pc, struct run *r)
{
	int id;

	if (pc & 1)
		return UNDONE;
	if ((w & 3) != 3)
		return doshorts[rvc_seek(w & 0xffff)](w & 0xffff, pc, r);
	id = riscv_seek(w);
	return n >= 4 && dowords[id] ? dowords[id](w, pc, r) : UNDONE;
}

int
rv_simple(const u8 *p, int n, gaddr pc, struct simple *s)
{
	u32 w = ld16(p);
	int id;

	if (pc & 1)
		return 0;
	if ((w & 3) != 3)
		return shorts[rvc_seek(w)](w, pc, s);
	if (n < 4)
		return 0;
	w = ld32(p);
	id = riscv_seek(w);
	return words[id] ? words[id](w, pc, s) : 0;
}
