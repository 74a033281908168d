/* SPDX-License-Identifier: MIT */
/* decode.c - bytes to RISC-V instructions, and to their text */
#include <stdio.h>
#include "frontend/riscv/vector.h"
#include "riscv/rvc.h"
#define rvv_IMPLEMENT
#include "riscv/rvv.h"

/* a 16-bit instruction is short for one of 32 bits, whose constants it inherits */
static void
expand(const struct rvc_insn *c, struct riscv_insn *a)
{
	*a = riscv_tmpl[c->as];
	a->rd = (u8)c->rd;
	a->rs1 = (u8)c->rs1;
	a->rs2 = (u8)c->rs2;
	a->imm = c->imm;
}

int
rv_decode(const u8 *p, int n, struct riscv_insn *a, u32 *word)
{
	struct rvc_insn c;

	if (n < 2 || ((p[0] & 3) == 3 && n < 4))
		return 0;
	if ((p[0] & 3) == 3) {
		*word = ld32(p);
		riscv_decode(*word, a);
		return 4;
	}
	*word = ld16(p);
	if (rvc_decode(*word, &c) && model_has(c.need))
		expand(&c, a);
	else
		*a = (struct riscv_insn){.id = riscv_none};
	return 2;
}

static const char *const xname[32] = {
	"zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
	"a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};
static const char *const fname[32] = {
	"ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1", "fa2", "fa3",
	"fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9", "fs10", "fs11",
	"ft8", "ft9", "ft10", "ft11",
};
/* of fli, as assemblers write them */
static const char *const constant[32] = {
	"-1.0", "min", "1.52587890625e-05", "3.0517578125e-05", "0.00390625", "0.0078125", "0.0625", "0.125",
	"0.25", "0.3125", "0.375", "0.4375", "0.5", "0.625", "0.75", "0.875", "1.0", "1.25", "1.5", "1.75",
	"2.0", "2.5", "3.0", "4.0", "8.0", "16.0", "128.0", "256.0", "32768.0", "65536.0", "inf", "nan",
};
static const struct { u16 number; const char *name; } csrname[] = {
	{CSR_FFLAGS, "fflags"}, {CSR_FRM, "frm"}, {CSR_FCSR, "fcsr"},
	{CSR_CYCLE, "cycle"}, {CSR_TIME, "time"}, {CSR_INSTRET, "instret"},
	{CSR_VSTART, "vstart"}, {CSR_VXSAT, "vxsat"}, {CSR_VXRM, "vxrm"}, {CSR_VCSR, "vcsr"},
	{CSR_VL, "vl"}, {CSR_VTYPE, "vtype"}, {CSR_VLENB, "vlenb"},
};

static int
putcsr(char *buf, size_t n, s64 v)
{
	for (size_t i = 0; i < NELEM(csrname); i++)
		if (csrname[i].number == v)
			return snprintf(buf, n, "%s", csrname[i].name);
	return snprintf(buf, n, "0x%llx", (unsigned long long)v);
}

/* which kinds of access a fence orders: device input and output, memory reads and writes */
static int
putfence(char *buf, size_t n, s64 v)
{
	return v ? snprintf(buf, n, "%s%s%s%s", v & 8 ? "i" : "", v & 4 ? "o" : "", v & 2 ? "r" : "",
	                    v & 1 ? "w" : "") : snprintf(buf, n, "0");
}

static int
putoperand(char *buf, size_t n, char c, s64 v, const void *insn, gaddr pc)
{
	static const char *const rm[8] = {"rne", "rtz", "rdn", "rup", "rmm", "?", "?", "dyn"};
	static const char *const order[4] = {"", ".rl", ".aq", ".aqrl"};

	switch (c) {
	case 'x':
		return snprintf(buf, n, "%s", xname[v & 31]);
	case 'f':
		return snprintf(buf, n, "%s", fname[v & 31]);
	case 'd':
		return snprintf(buf, n, "%lld", (long long)v);
	case 'h':
		return snprintf(buf, n, "0x%llx", (unsigned long long)v);
	case 'l':
		return snprintf(buf, n, "%s", constant[v & 31]);
	case 'U':                      /* as assemblers want it: the 20 bits alone */
		return snprintf(buf, n, "0x%llx", (unsigned long long)(v >> 12 & 0xfffff));
	case 'b':
		return snprintf(buf, n, "0x%llx", (unsigned long long)(pc + (u64)v));
	case 'm':                      /* nothing if dynamic */
		return v == 7 ? snprintf(buf, n, "%s", "") : snprintf(buf, n, ",%s", rm[v & 7]);
	case 'o':
		return snprintf(buf, n, "%s", order[(((const struct riscv_insn *)insn)->aq << 1 | (int)v) & 3]);
	case 'F':
		return putfence(buf, n, v);
	case 'c':
		return putcsr(buf, n, v);
	}
	return 0;
}

static int
putvtype(char *buf, size_t n, s64 v)
{
	static const char *const lmul[8] = {"m1", "m2", "m4", "m8", "", "mf8", "mf4", "mf2"};

	if (v >> 8 || v >> 3 & 4 || (v & 7) == 4)
		return snprintf(buf, n, "%lld", (long long)v);
	return snprintf(buf, n, "e%d,%s,%s,%s", 8 << (v >> 3 & 3), lmul[v & 7], v & 0x40 ? "ta" : "tu",
	                v & 0x80 ? "ma" : "mu");
}

static int
putvector(char *buf, size_t n, char c, s64 v, const void *insn, gaddr pc)
{
	switch (c) {
	case 'v':
		return snprintf(buf, n, "v%lld", (long long)v);
	case 'm':                      /* nothing if not masked */
		return snprintf(buf, n, "%s", v ? "" : ",v0.t");
	case 'T':
		return putvtype(buf, n, v);
	}
	return putoperand(buf, n, c, v, insn, pc);
}

static const struct isa_printer printer = {riscv_member, putoperand};
static const struct isa_printer cprinter = {rvc_member, putoperand};
static const struct isa_printer vprinter = {rvv_member, putvector};

int
rv_disasm(const u8 *p, int n, gaddr pc, char *buf, size_t size)
{
	struct riscv_insn a;
	struct rvc_insn c;
	struct rvv_insn v;
	u32 w;
	int len = rv_decode(p, n, &a, &w);

	if (!len)
		snprintf(buf, size, "(truncated)");
	else if (len == 4 && rvv_decode(w, &v))
		isa_print(&vprinter, buf, size, rvv_name[v.id], rvv_text[v.id], &v, pc);
	else if (!a.id || a.id >= riscv_v_op)  /* those of the vector unit are the last */
		snprintf(buf, size, len == 2 ? ".2byte\t0x%x" : ".4byte\t0x%x", w);
	else if (len == 4)
		isa_print(&printer, buf, size, riscv_name[a.id], riscv_text[a.id], &a, pc);
	else if (rvc_decode(w, &c))
		isa_print(&cprinter, buf, size, rvc_name[c.id], rvc_text[c.id], &c, pc);
	return len ? len : n;
}

/* Whether a 16-bit instruction may leave the straight line. */
static int
cleaves(u32 w)
{
	return w == 0 || (w & 0xe003) == 0xa001 /* c.j */ || (w & 0xc003) == 0xc001 /* c.beqz c.bnez */
	    || (w & 0xe07f) == 0x8002 /* c.jr c.jalr c.ebreak */;
}

static int
leaves(u32 w)
{
	u32 op = w & 0x7f;

	return op == 0x63 || op == 0x67 || op == 0x6f || op == 0x73 || op == 0x0f;
}

/* An instruction that writes frm goes on through the engine, because the mode may change. */
static int
setsmode(const struct riscv_insn *a)
{
	return (a->csr == CSR_FRM || a->csr == CSR_FCSR) && (a->op == CSR_WRITE || a->rs1);
}

static enum flow
flow(const struct riscv_insn *a, gaddr pc, struct scan *s)
{
	switch (a->id) {
	case riscv_beq: case riscv_bne: case riscv_blt: case riscv_bge: case riscv_bltu: case riscv_bgeu:
		s->target = pc + (u64)(s64)a->imm;
		return FLOW_COND;
	case riscv_jal:
		s->target = pc + (u64)(s64)a->imm;
		return a->rd && a->imm != s->len ? FLOW_CALL : FLOW_JUMP;
	case riscv_jalr:
		return a->rd == RV_ra ? FLOW_CALL : FLOW_STOP;
	case riscv_ecall: case riscv_fence_i:
		return FLOW_SYS;
	case riscv_csrrw: case riscv_csrrs: case riscv_csrrc:
	case riscv_csrrwi: case riscv_csrrsi: case riscv_csrrci:
		return setsmode(a) ? FLOW_SYS : FLOW_NEXT;
	case riscv_none: case riscv_ebreak:
		return FLOW_STOP;
	}
	return FLOW_NEXT;
}

/* instructions that compute an integer register from others, and cannot fault */
static int
computes(const struct riscv_insn *a)
{
	switch (a->id) {
	case riscv_lui: case riscv_addi: case riscv_addiw: case riscv_slli: case riscv_srli: case riscv_srai:
	case riscv_slliw: case riscv_srliw: case riscv_sraiw: case riscv_add: case riscv_sub: case riscv_addw:
	case riscv_subw: case riscv_and: case riscv_or: case riscv_xor: case riscv_andi: case riscv_ori:
	case riscv_xori:
		return a->rd != 0;
	}
	return 0;
}

int
rv_skips(const struct riscv_insn *a, int len, const u8 *p, int n, struct riscv_insn *b, int *both)
{
	u32 w;
	int more;

	if (a->imm != len + 2 && a->imm != len + 4)
		return 0;
	more = rv_decode(p + len, n - len, b, &w);
	if (a->imm != len + more || a->rs1 == a->rs2 || !computes(b))
		return 0;
	*both = len + more;
	return 1;
}

void
rv_scan(const u8 *p, int n, gaddr pc, struct scan *s)
{
	struct riscv_insn a, b;
	u32 w;
	int both;

	*s = (struct scan){.len = (p[0] & 3) == 3 ? 4 : 2, .flow = FLOW_NEXT, .flags = PEEK_NONE};
	if (pc & 1) {                  /* see rv_translate */
		s->len = 2;
		s->flow = FLOW_JUMP;
		s->target = pc - 1;
	} else if (n < s->len) {
		s->len = 0;
	} else if (s->len == 2 ? cleaves(ld16(p)) : leaves(ld32(p))) {
		rv_decode(p, n, &a, &w);
		if (rv_isbranch(&a) && rv_skips(&a, s->len, p, n, &b, &both))
			s->len = (u8)both;
		else
			s->flow = (u8)flow(&a, pc, s);
	}
}

int
rv_skip(const u8 *p, int n, gaddr pc, u8 *mark, int *bytes)
{
	int at = 0, count = 0, len;

	for (; !(pc & 1) && at + 2 <= n; at += len, count++) {
		len = (p[at] & 3) == 3 ? 4 : 2;
		if (at + len > n || (len == 2 ? cleaves(ld16(p + at)) : leaves(ld32(p + at))))
			break;
		mark[at / 2] |= 1;
	}
	*bytes = at;
	return count;
}

/* Unprivileged ISA, tables of opcodes: LOAD, STORE and their FP forms, AMO with funct5; compressed quadrants 0 and 2,
 * where funct3 is 0, or 4 in the latter, for what stays in registers. */
enum excl
rv_excl(const u8 *p, int n)
{
	u32 quadrant = p[0] & 3, opcode = p[0] & 0x7f;

	(void)n;
	if (quadrant == 3 && opcode == 0x2f)
		return p[3] >> 3 == 2 ? EXCL_LOAD : p[3] >> 3 == 3 ? EXCL_STORE : EXCL_MEMORY;
	if (quadrant == 3 && opcode == 0x0f && p[1] >> 4 & 7)  /* cbo.zero; fence.i */
		return EXCL_MEMORY;
	if (quadrant == 3)
		return (opcode & 0x5b) == 0x03 ? EXCL_MEMORY : EXCL_NONE;
	return quadrant != 1 && p[1] >> 5 & (quadrant ? 3 : 7) ? EXCL_MEMORY : EXCL_NONE;
}
