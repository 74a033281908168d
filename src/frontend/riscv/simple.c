/* SPDX-License-Identifier: MIT */
/* simple.c - RISC-V instructions that do little (ir/simple.h): the other form of what translate.c makes */
#include "frontend/riscv/riscv.h"
#include "ir/simple.h"

typedef int form(const struct riscv_insn *, gaddr pc, gaddr next, struct simple *);

static u8 reg(int n) { return n ? (u8)n : NONE; }

static int
set(struct simple *s, int rd, u64 v)
{
	s->kind = SI_SET;
	s->d = reg(rd);
	s->imm = (s64)v;
	return 1;
}

static int
lui(const struct riscv_insn *a, gaddr pc, gaddr next, struct simple *s)
{
	(void)pc, (void)next;
	return set(s, a->rd, (u64)(s64)a->imm);
}

static int
auipc(const struct riscv_insn *a, gaddr pc, gaddr next, struct simple *s)
{
	(void)next;
	return set(s, a->rd, pc + (u64)(s64)a->imm);
}

/* -- arithmetic -- */
static int
op(const struct riscv_insn *a, struct simple *s, int kind, int how, int ty)
{
	s->kind = (u8)kind;
	s->op = (u8)how;
	s->ty = (u8)ty;
	s->sign = ty == I32;
	s->d = reg(a->rd);
	s->a = reg(a->rs1);
	s->b = reg(a->rs2);
	s->imm = 0;
	return 1;
}

static int
opi(const struct riscv_insn *a, struct simple *s, int kind, int how, int ty)
{
	op(a, s, kind, how, ty);
	s->b = NONE;
	s->imm = a->imm;
	return 1;
}

#define FORM(name, does) static int name(const struct riscv_insn *a, gaddr pc, gaddr next, struct simple *s) \
	{ return (void)pc, (void)next, does; }
FORM(alui, opi(a, s, SI_OP, a->op, I64))
FORM(addiw, opi(a, s, SI_OP, O_add, I32))
FORM(shiftiw, opi(a, s, SI_OP, a->op, I32))
FORM(seti, opi(a, s, SI_REL, a->rel, I64))
FORM(alu, op(a, s, SI_OP, a->op, I64))
FORM(aluw, op(a, s, SI_OP, a->op, I32))
FORM(setr, op(a, s, SI_REL, a->rel, I64))
FORM(nop, ((void)a, (void)s, 1))

/* -- memory -- */
static int
access(const struct riscv_insn *a, struct simple *s, int kind, int data)
{
	s->kind = (u8)kind;
	s->ty = (u8)a->ty;
	s->sign = a->sx ? 64 : 0;
	s->d = reg(data);
	s->a = reg(a->rs1);
	s->imm = a->imm;
	return 1;
}

FORM(load, access(a, s, SI_LOAD, a->rd))
FORM(store, access(a, s, SI_STORE, a->rs2))

/* An F64: narrower ones are boxed. */
static int
faccess(const struct riscv_insn *a, struct simple *s, int kind, int data)
{
	access(a, s, kind, 0);
	s->d = (u8)(RV_F0 + data);
	return a->ty == F64;
}

FORM(fload, faccess(a, s, SI_LOAD, a->rd))
FORM(fstore, faccess(a, s, SI_STORE, a->rs2))

/* -- branches -- */
static int
jal(const struct riscv_insn *a, gaddr pc, gaddr next, struct simple *s)
{
	s->kind = a->rd ? SI_CALL : SI_JUMP;
	s->to = pc + (u64)(s64)a->imm;
	return !a->rd || (a->rd == RV_ra && s->to != next);
}

static int
jalr(const struct riscv_insn *a, gaddr pc, gaddr next, struct simple *s)
{
	(void)pc, (void)next;
	s->kind = a->rd == RV_ra ? SI_CALLR : !a->rd && a->rs1 == RV_ra && !a->imm ? SI_RETURN : SI_GO;
	s->d = reg(a->rd);
	s->a = reg(a->rs1);
	s->imm = a->imm;
	return a->rs1 && !(a->imm & 1);
}

static int
branch(const struct riscv_insn *a, gaddr pc, gaddr next, struct simple *s)
{
	(void)next;
	op(a, s, SI_BRANCH, a->rel, I64);
	s->to = pc + (u64)(s64)a->imm;
	return a->rs1 != a->rs2;
}

static form *const forms[riscv_COUNT] = {
	[riscv_lui] = lui, [riscv_auipc] = auipc, [riscv_jal] = jal, [riscv_jalr] = jalr, [riscv_beq ... riscv_bgeu] = branch,
	[riscv_lb ... riscv_lwu] = load, [riscv_sb ... riscv_sd] = store,
	[riscv_addi] = alui, [riscv_slti] = seti, [riscv_sltiu] = seti, [riscv_xori ... riscv_srai] = alui,
	[riscv_addiw] = addiw, [riscv_slliw ... riscv_sraiw] = shiftiw,
	[riscv_add ... riscv_sll] = alu, [riscv_slt] = setr, [riscv_sltu] = setr, [riscv_xor ... riscv_mulhu] = alu,
	[riscv_fld] = fload, [riscv_fsd] = fstore,
	[riscv_addw ... riscv_mulw] = aluw, [riscv_prefetch_i ... riscv_prefetch_w] = nop,
};

int
rv_simple(const u8 *p, int n, gaddr pc, struct simple *s)
{
	struct riscv_insn a;
	u32 word;
	int len = rv_decode(p, n, &a, &word);

	if (!len || pc & 1 || !forms[a.id] || !model_has(a.need))
		return 0;
	*s = (struct simple){.d = NONE, .d2 = NONE, .a = NONE, .b = NONE};
	return forms[a.id](&a, pc, pc + (u64)len, s) ? len : 0;
}
