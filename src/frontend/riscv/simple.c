/* SPDX-License-Identifier: MIT */
/* simple.c - RISC-V instructions that do little (ir/simple.h): the other form of what translate.c makes
 *
 * Asked of all code that runs for the first times, so no instruction is decoded in full: those of 16 bits have a
 * function each, of those of 32 the fields are taken where most have them (Volume I, 2.3). */
#include "frontend/riscv/riscv.h"
#define rvc_IMPLEMENT
#include "riscv/rvc.h"
#include "ir/simple.h"

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
	static int w_##name(struct simple *s, const struct riscv_insn *t, u32 w) \
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

static int (*const words[riscv_COUNT])(struct simple *, const struct riscv_insn *, u32 w) = {
	[riscv_lui] = w_lui, [riscv_auipc] = w_auipc, [riscv_jal] = w_jal, [riscv_jalr] = w_jalr,
	[riscv_beq ... riscv_bgeu] = w_branch, [riscv_lb ... riscv_lwu] = w_load, [riscv_sb ... riscv_sd] = w_store,
	[riscv_addi] = w_alui, [riscv_slti] = w_seti, [riscv_sltiu] = w_seti, [riscv_xori ... riscv_andi] = w_alui,
	[riscv_slli ... riscv_srai] = w_shifti, [riscv_addiw] = w_addiw, [riscv_slliw ... riscv_sraiw] = w_shiftiw,
	[riscv_add ... riscv_sll] = w_alu, [riscv_slt] = w_setr, [riscv_sltu] = w_setr,
	[riscv_xor ... riscv_mulhu] = w_alu, [riscv_addw ... riscv_mulw] = w_aluw,
	[riscv_fld] = w_fload, [riscv_fsd] = w_fstore, [riscv_fmv_x_d] = w_fmvx, [riscv_fmv_d_x] = w_fmvf,
	[riscv_prefetch_i ... riscv_prefetch_w] = w_nop,
};

static inline void
begin(struct simple *s, gaddr pc, int len)
{
	*s = (struct simple){.d = NONE, .d2 = NONE, .a = NONE, .b = NONE, .to = pc, .next = pc + (u64)len};
}

static int
whole(u32 w, gaddr pc, struct simple *s)
{
	int id = riscv_seek(w);
	const struct riscv_insn *t = &riscv_tmpl[id];

	if (!words[id] || !model_has(t->need))
		return 0;
	begin(s, pc, 4);
	return words[id](s, t, w) ? 4 : 0;
}

/* 16-bit instructions: a function for each line of rvc.isa, in which all is known but the fields */
#define none(s, t, rd, rs1, rs2, imm) 0
#define SHORT(line, form) \
	static int short_##line(u32 w, gaddr pc, struct simple *s) \
	{ \
		const struct rvc_line known = {.id = rvc_##line, .format = rvc_format[rvc_##line]}; \
		struct rvc_insn c; \
		\
		if (rvc_fill(w, &known, &c) || !model_has(c.need)) \
			return 0; \
		begin(s, pc, 2); \
		return form(s, &riscv_tmpl[c.as], c.rd, c.rs1, c.rs2, c.imm) ? 2 : 0; \
	}
rvc_TRANSLATORS(SHORT)

#define ENTRY(line, form) [rvc_##line] = short_##line,
static int (*const shorts[rvc_COUNT])(u32 w, gaddr pc, struct simple *) = {rvc_TRANSLATORS(ENTRY)};

static int
compressed(u32 w, gaddr pc, struct simple *s)
{
	int line = rvc_seek(w);

	return line ? shorts[line](w, pc, s) : 0;
}

int
rv_simple(const u8 *p, int n, gaddr pc, struct simple *s)
{
	if (pc & 1)
		return 0;
	if ((p[0] & 3) != 3)
		return compressed(ld16(p), pc, s);
	return n < 4 ? 0 : whole(ld32(p), pc, s);
}
