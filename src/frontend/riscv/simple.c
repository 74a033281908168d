/* SPDX-License-Identifier: MIT */
/* simple.c - RISC-V instructions that do little (ir/simple.h): the other form of what translate.c makes */
#include "frontend/riscv/riscv.h"
#include "riscv/rvc.h"
#include "ir/simple.h"

/* An instruction of 16 bits has been decoded; of one of 32 there is the word, whose fields are where most have them
 * (Volume I, 2.3), and the constants of its line in riscv.isa: all that is asked for. */
struct parts {
	const struct riscv_insn *t;
	u32 w;                         /* 0: 16 bits, and an immediate */
	s32 imm;
	u32 rd, rs1, rs2;
};

typedef int form(const struct parts *, gaddr pc, struct simple *);
#define FORM(name, does) static int name(const struct parts *a, gaddr pc, struct simple *s) \
	{ return (void)pc, does; }

static s32 imm_i(const struct parts *a) { return a->w ? (s32)a->w >> 20 : a->imm; }
static s32 imm_u(const struct parts *a) { return a->w ? (s32)(a->w & 0xfffff000) : a->imm; }
static s32 imm_s(const struct parts *a) { return a->w ? (s32)a->w >> 25 << 5 | (s32)(a->w >> 7 & 31) : a->imm; }
static s32 shamt(const struct parts *a) { return a->w ? (s32)(a->w >> 20 & 63) : a->imm; }

static s32
imm_b(const struct parts *a)
{
	u32 w = a->w;

	return w ? (s32)w >> 31 << 12 | (s32)((w >> 7 & 1) << 11 | (w >> 25 & 63) << 5 | (w >> 8 & 15) << 1) : a->imm;
}

static s32
imm_j(const struct parts *a)
{
	u32 w = a->w;

	return w ? (s32)w >> 31 << 20 | (s32)((w & 0xff000) | (w >> 20 & 1) << 11 | (w >> 21 & 0x3ff) << 1) : a->imm;
}

static u8 reg(u32 n) { return n ? (u8)n : NONE; }

FORM(lui, simple_set(s, reg(a->rd), (u64)(s64)imm_u(a)))
FORM(auipc, simple_set(s, reg(a->rd), pc + (u64)(s64)imm_u(a)))

/* -- arithmetic -- */
static int
opi(const struct parts *a, struct simple *s, int how, int ty, s32 imm)
{
	s->kind = SI_OP;
	s->op = (u8)how;
	s->ty = (u8)ty;
	s->sign = ty == I32;
	s->d = reg(a->rd);
	s->a = reg(a->rs1);
	s->imm = imm;
	return 1;
}

static int
op(const struct parts *a, struct simple *s, int how, int ty)
{
	s->b = reg(a->rs2);
	return opi(a, s, how, ty, 0);
}

FORM(alui, opi(a, s, a->t->op, I64, imm_i(a)))
FORM(shifti, opi(a, s, a->t->op, I64, shamt(a)))
FORM(addiw, opi(a, s, O_add, I32, imm_i(a)))
FORM(shiftiw, opi(a, s, a->t->op, I32, shamt(a)))
FORM(alu, op(a, s, a->t->op, I64))
FORM(aluw, op(a, s, a->t->op, I32))
FORM(seti, (opi(a, s, a->t->rel, I64, imm_i(a)), s->kind = SI_REL, 1))
FORM(setr, (op(a, s, a->t->rel, I64), s->kind = SI_REL, 1))
FORM(nop, ((void)a, (void)s, 1))

/* -- memory -- */
static int
access(const struct parts *a, struct simple *s, int kind, u8 data, s32 imm)
{
	s->kind = (u8)kind;
	s->ty = (u8)a->t->ty;
	s->sign = a->t->sx ? 64 : 0;
	s->d = data;
	s->a = reg(a->rs1);
	s->imm = imm;
	return 1;
}

static u8 freg(u32 n) { return (u8)(RV_F0 + n); }

FORM(load, access(a, s, SI_LOAD, reg(a->rd), imm_i(a)))
FORM(store, access(a, s, SI_STORE, reg(a->rs2), imm_s(a)))
FORM(fload, access(a, s, SI_VLOAD, freg(a->rd), imm_i(a)))
FORM(fstore, access(a, s, SI_VSTORE, freg(a->rs2), imm_s(a)))

/* Moves of all 64 bits between registers. */
static int
move(struct simple *s, int kind, u8 d, u8 a)
{
	s->kind = (u8)kind;
	s->ty = I64;
	s->d = d;
	s->a = a;
	return 1;
}

FORM(fmvx, move(s, SI_FROMV, reg(a->rd), freg(a->rs1)))
FORM(fmvf, move(s, SI_TOV, freg(a->rd), reg(a->rs1)))

/* -- branches -- */
static int
jal(const struct parts *a, gaddr pc, struct simple *s)
{
	s->kind = a->rd ? SI_CALL : SI_JUMP;
	s->to = pc + (u64)(s64)imm_j(a);
	return !a->rd || (a->rd == RV_ra && s->to != s->next);
}

static int
jalr(const struct parts *a, gaddr pc, struct simple *s)
{
	s32 imm = imm_i(a);

	(void)pc;
	s->kind = a->rd == RV_ra ? SI_CALLR : !a->rd && a->rs1 == RV_ra && !imm ? SI_RETURN : SI_GO;
	s->d = reg(a->rd);
	s->a = reg(a->rs1);
	s->imm = imm;
	return a->rs1 && !(imm & 1);
}

static int
branch(const struct parts *a, gaddr pc, struct simple *s)
{
	s->kind = SI_BRANCH;
	s->op = (u8)a->t->rel;
	s->ty = I64;
	s->a = reg(a->rs1);
	s->b = reg(a->rs2);
	s->to = pc + (u64)(s64)imm_b(a);
	return a->rs1 != a->rs2;
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

/* What it is made of; returns its length, or 0. */
static inline int
take(const u8 *p, int n, struct parts *a)
{
	struct rvc_insn c;
	u32 w;

	if ((p[0] & 3) == 3) {
		if (n < 4)
			return 0;
		w = ld32(p);
		*a = (struct parts){&riscv_tmpl[riscv_seek(w)], w, 0, w >> 7 & 31, w >> 15 & 31, w >> 20 & 31};
		return 4;
	}
	if (n < 2 || !rvc_decode(ld16(p), &c) || !model_has(c.need))
		return 0;
	*a = (struct parts){&riscv_tmpl[c.as], 0, c.imm, c.rd, c.rs1, c.rs2};
	return 2;
}

int
rv_simple(const u8 *p, int n, gaddr pc, struct simple *s)
{
	struct parts a;
	int len = take(p, n, &a);

	if (!len || pc & 1 || !forms[a.t->id] || !model_has(a.t->need))
		return 0;
	*s = (struct simple){.d = NONE, .d2 = NONE, .a = NONE, .b = NONE, .next = pc + (u64)len};
	return forms[a.t->id](&a, pc, s) ? len : 0;
}
