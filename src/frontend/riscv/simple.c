/* SPDX-License-Identifier: MIT */
/* simple.c - RISC-V instructions that do little (ir/simple.h): the other form of what translate.c makes
 *
 * Asked of all code that runs for the first times, so no instruction is decoded in full: an instruction of 16 bits gives
 * what rvc.isa fills, one of 32 the fields where most have them (Volume I, 2.3), and both the constants of a line in
 * riscv.isa. */
#include "frontend/riscv/riscv.h"
#define rvc_IMPLEMENT
#include "riscv/rvc.h"
#include "ir/simple.h"

/* t: the constants of the line.  s->to is the address of the instruction as yet. */
typedef int form(struct simple *s, const struct riscv_insn *t, u32 rd, u32 rs1, u32 rs2, s32 imm);
#define FORM(name, does) \
	static int name(struct simple *s, const struct riscv_insn *t, u32 rd, u32 rs1, u32 rs2, s32 imm) \
	{ return (void)t, (void)rd, (void)rs1, (void)rs2, (void)imm, does; }

static u8 reg(u32 n) { return n ? (u8)n : NONE; }
static u8 freg(u32 n) { return (u8)(RV_F0 + n); }

FORM(lui, simple_set(s, reg(rd), (u64)(s64)imm))
FORM(auipc, simple_set(s, reg(rd), s->to + (u64)(s64)imm))

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
FORM(alui, fill(s, SI_OP, t->op, I64, reg(rd), reg(rs1), imm))
FORM(seti, fill(s, SI_REL, t->rel, I64, reg(rd), reg(rs1), imm))
FORM(shifti, fill(s, SI_OP, t->op, I64, reg(rd), reg(rs1), imm & 63))
FORM(addiw, (s->sign = 1, fill(s, SI_OP, O_add, I32, reg(rd), reg(rs1), imm)))
FORM(shiftiw, (s->sign = 1, fill(s, SI_OP, t->op, I32, reg(rd), reg(rs1), imm & 31)))
FORM(alu, (s->b = reg(rs2), fill(s, SI_OP, t->op, I64, reg(rd), reg(rs1), 0)))
FORM(setr, (s->b = reg(rs2), fill(s, SI_REL, t->rel, I64, reg(rd), reg(rs1), 0)))
FORM(aluw, (s->b = reg(rs2), s->sign = 1, fill(s, SI_OP, t->op, I32, reg(rd), reg(rs1), 0)))
FORM(nop, ((void)s, 1))

/* -- memory; moves of all 64 bits between registers -- */
FORM(load, (s->sign = t->sx ? 64 : 0, fill(s, SI_LOAD, 0, t->ty, reg(rd), reg(rs1), imm)))
FORM(store, fill(s, SI_STORE, 0, t->ty, reg(rs2), reg(rs1), imm))
FORM(fload, fill(s, SI_VLOAD, 0, t->ty, freg(rd), reg(rs1), imm))
FORM(fstore, fill(s, SI_VSTORE, 0, t->ty, freg(rs2), reg(rs1), imm))
FORM(fmvx, fill(s, SI_FROMV, 0, I64, reg(rd), freg(rs1), 0))
FORM(fmvf, fill(s, SI_TOV, 0, I64, freg(rd), reg(rs1), 0))

/* -- branches -- */
static int
jal(struct simple *s, const struct riscv_insn *t, u32 rd, u32 rs1, u32 rs2, s32 imm)
{
	(void)t, (void)rs1, (void)rs2;
	s->kind = rd ? SI_CALL : SI_JUMP;
	s->to += (u64)(s64)imm;
	return !rd || (rd == RV_ra && s->to != s->next);
}

static int
jalr(struct simple *s, const struct riscv_insn *t, u32 rd, u32 rs1, u32 rs2, s32 imm)
{
	(void)t, (void)rs2;
	fill(s, rd == RV_ra ? SI_CALLR : !rd && rs1 == RV_ra && !imm ? SI_RETURN : SI_GO, 0, 0, reg(rd), reg(rs1), imm);
	return rs1 && !(imm & 1);
}

static int
branch(struct simple *s, const struct riscv_insn *t, u32 rd, u32 rs1, u32 rs2, s32 imm)
{
	(void)rd;
	s->b = reg(rs2);
	s->to += (u64)(s64)imm;
	fill(s, SI_BRANCH, t->rel, I64, NONE, reg(rs1), 0);
	return rs1 != rs2;
}

static form *const forms[riscv_COUNT] = {
	[riscv_lui] = lui, [riscv_auipc] = auipc, [riscv_jal] = jal, [riscv_jalr] = jalr, [riscv_beq ... riscv_bgeu] = branch,
	[riscv_lb ... riscv_lwu] = load, [riscv_sb ... riscv_sd] = store,
	[riscv_addi] = alui, [riscv_slti] = seti, [riscv_sltiu] = seti, [riscv_xori ... riscv_andi] = alui,
	[riscv_slli ... riscv_srai] = shifti,
	[riscv_addiw] = addiw, [riscv_slliw ... riscv_sraiw] = shiftiw,
	[riscv_add ... riscv_sll] = alu, [riscv_slt] = setr, [riscv_sltu] = setr, [riscv_xor ... riscv_mulhu] = alu,
	[riscv_fld] = fload, [riscv_fsd] = fstore, [riscv_fmv_x_d] = fmvx, [riscv_fmv_d_x] = fmvf,
	[riscv_addw ... riscv_mulw] = aluw, [riscv_prefetch_i ... riscv_prefetch_w] = nop,
};

/* Of a word of 32 bits, by its opcode (Volume I, 2.3 and the table of opcodes). */
static s32
immediate(u32 w)
{
	switch (w >> 2 & 31) {
	case 0x08: case 0x09:          /* STORE, STORE-FP */
		return (s32)w >> 25 << 5 | (s32)(w >> 7 & 31);
	case 0x18:                     /* BRANCH */
		return (s32)w >> 31 << 12 | (s32)((w >> 7 & 1) << 11 | (w >> 25 & 63) << 5 | (w >> 8 & 15) << 1);
	case 0x05: case 0x0d:          /* AUIPC, LUI */
		return (s32)(w & 0xfffff000);
	case 0x1b:                     /* JAL */
		return (s32)w >> 31 << 20 | (s32)((w & 0xff000) | (w >> 20 & 1) << 11 | (w >> 21 & 0x3ff) << 1);
	}
	return (s32)w >> 20;
}

static inline form *
begin(struct simple *s, const struct riscv_insn *t, gaddr pc, int len)
{
	*s = (struct simple){.d = NONE, .d2 = NONE, .a = NONE, .b = NONE, .to = pc, .next = pc + (u64)len};
	return model_has(t->need) ? forms[t->id] : 0;
}

static int
whole(u32 w, gaddr pc, struct simple *s)
{
	const struct riscv_insn *t = &riscv_tmpl[riscv_seek(w)];
	form *f = begin(s, t, pc, 4);

	return f && f(s, t, w >> 7 & 31, w >> 15 & 31, w >> 20 & 31, immediate(w)) ? 4 : 0;
}

static int
compressed(u32 w, gaddr pc, struct simple *s)
{
	const struct rvc_line *p = rvc_lines(w);
	const struct riscv_insn *t;
	struct rvc_insn c;
	form *f;

	while ((w & p->mask) != p->bits || rvc_fill(w, p, &c))
		p++;
	if (!p->id || !model_has(c.need))
		return 0;
	t = &riscv_tmpl[c.as];
	f = begin(s, t, pc, 2);
	return f && f(s, t, c.rd, c.rs1, c.rs2, c.imm) ? 2 : 0;
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
