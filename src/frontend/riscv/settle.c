/* SPDX-License-Identifier: MIT */
/* settle.c - what a fault finds in floating-point registers
 *
 * Arithmetic makes no NaN but the canonical one (Volume I, 20.3).  Translated code may leave another in a register
 * as long as nobody looks, and a load or store that faults is no look, but the handler of its signal is one.  So the
 * code up to the fault is read once more: the results of arithmetic that are still in their registers, and are NaNs,
 * become the canonical one.
 *
 * What is read begins where the region was last entered, not with the block that ran: behind a jump other code may have
 * gone before, so what was computed in front of one is forgotten, and what may be a boxed single is never taken for a
 * double's NaN. */
#include "base/os.h"
#include "frontend/riscv/riscv.h"

typedef int translator(struct tr *, const struct riscv_insn *);
enum { ANY };                          /* a register may hold any NaN; else the type that arithmetic gave it */

static int
computes(translator *f)
{
	return f == rv_farith || f == rv_fmadd || f == rv_fsqrt || f == rv_fminmax || f == rv_fcvt || f == rv_fround;
}

static int
writes(translator *f)
{
	return computes(f) || f == rv_fsgnj || f == rv_fload || f == rv_finttof || f == rv_fmvf || f == rv_fli;
}

static int
moves(const struct riscv_insn *a)
{
	return rv_translator[a->id] == rv_fsgnj && a->rs1 == a->rs2 && !a->sh;
}

static int
jumps(translator *f)
{
	return f == rv_jal || f == rv_jalr || f == rv_branch;
}

static u64
canonical(u64 v, int ty)
{
	switch (ty) {
	case F16: return v >> 16 == 0xffffffffffff && (v & 0x7fff) > 0x7c00 ? 0xffffffffffff7e00 : v;
	case F32: return v >> 32 == 0xffffffff && (v & 0x7fffffff) > 0x7f800000 ? 0xffffffff7fc00000 : v;
	case F64: return v >> 32 != 0xffffffff && (v & ~((u64)1 << 63)) > 0x7ff0000000000000 ? 0x7ff8000000000000 : v;
	}
	return v;
}

void
rv_settle(struct cpu *cpu, gaddr from)
{
	u64 *f = riscv_state(cpu)->f;
	u8 form[32] = {ANY};
	struct riscv_insn a;
	struct rvv_insn v;
	gaddr pc = from;
	u32 word;

	while (pc < cpu->pc) {
		int got, len;
		const u8 *p = cpu->os->fetch(pc, 4, &got);

		len = rv_decode(p, got, &a, &word);
		if (!len || !a.id)
			return;
		if (rv_translator[a.id] == rv_vector && rvv_decode(word, &v) == rvv_vfmv_f_s)
			form[v.rd] = ANY;
		if (jumps(rv_translator[a.id]))
			memset(form, ANY, sizeof form);
		if (writes(rv_translator[a.id]))
			form[a.rd] = computes(rv_translator[a.id]) || (moves(&a) && form[a.rs1] == a.ty) ? (u8)a.ty : ANY;
		pc += (u64)len;
	}
	for (int n = 0; n < 32 && pc == cpu->pc; n++)
		f[n] = canonical(f[n], form[n]);
}
