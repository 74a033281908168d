/* SPDX-License-Identifier: MIT */
/* slab.c - many bytes moved or filled by one instruction (ir/copy.c) */
#include "backend/x86_64/int.h"
#include "backend/x86_64/vec.h"

/* 1 << log bytes at once. */
static void
piece(struct x86 *x, int log, int t, struct mem to, const struct mem *from)
{
	if (from && log > 4)
		vl_rm(&x->a, V_MOVUPS, log, t, *from);
	else if (from)
		xv_load(x, 1 << log, t, *from);
	if (log > 4)
		vl_rm(&x->a, V_MOVUPS_ST, log, t, to);
	else
		xv_store(x, 1 << log, t, to);
}

/* Numbers of bytes, in memory: few registers are free. */
static struct mem slot(int n) { return m_cpu(offsetof(struct cpu, scratch) + 8 * (size_t)n); }
enum { AT = 1, ONES = 2, REST = 3, LAST = 4 };

/* A piece if the number has that bit. */
static void
some(struct x86 *x, int log, int number, int at, int t, struct mem to, const struct mem *from)
{
	u8 *none;

	op_rm(&x->a, 0xf6, 32, 0, slot(number), 1);    /* test byte */
	put1(&x->a, 1u << log);
	none = jcc_8(&x->a, JE);
	piece(x, log, t, to, from);
	alu_ri(&x->a, A_ADD, 64, at, 1 << log);
	rel8_here(&x->a, none);
}

/* at = the bytes up to where `to` is on a line, or a vector, but for those below a word. */
static void
align(struct x86 *x, int log, int at, struct mem to)
{
	lea(&x->a, 64, at, mem_at(to.base, to.disp));
	neg_r(&x->a, 64, at);
	alu_ri(&x->a, A_AND, 64, at, (1 << log) - 8);
	mov_mr(&x->a, 64, slot(AT), at);
}

/* The largest pieces, from `at` on. */
static void
most(struct x86 *x, int log, int at, int t, struct mem to, const struct mem *from)
{
	u8 *few, *again, *back;

	alu_rm(&x->a, A_CMP, 64, at, slot(LAST));
	few = jcc_8(&x->a, JG);
	again = x->a.p;
	piece(x, log, t, to, from);
	alu_ri(&x->a, A_ADD, 64, at, 1 << log);
	alu_rm(&x->a, A_CMP, 64, at, slot(LAST));
	back = jcc_8(&x->a, JLE);
	*back = (u8)(again - x->a.p);
	rel8_here(&x->a, few);
}

/* Then small ones.  Before what is filled come small ones too, up to where the others do not cross the host's lines. */
static void
pieces(struct x86 *x, int log, int at, int t, struct mem to, const struct mem *from)
{
	if (!from)
		align(x, log, at, to);
	mov_ri(&x->a, at, 0);
	for (int n = 3; !from && n < log; n++)
		some(x, n, AT, at, t, to, from);
	if (!from)
		op_rm(&x->a, 0x29, 64, at, slot(REST), 0);     /* sub */
	most(x, log, at, t, to, from);
	for (int n = log - 1; n >= 3; n--)
		some(x, n, REST, at, t, to, from);
}

/* As many words of a vector as there are in `at` bytes, from slot AT on. */
static void
part(struct x86 *x, int at, int t, struct mem to, struct mem from)
{
	enum { K = 2 };

	shift_ri(&x->a, S_SHR, 64, at, 3);
	vex_gprm(&x->a, 2, PN, 0xf5, 32, at, at, slot(ONES));  /* bzhi */
	vex_gpr(&x->a, 1, PN, 0x92, 32, K, 0, at);             /* kmovw */
	mov_rm(&x->a, 64, at, slot(AT));
	vlk_rm(&x->a, V_MOVDQU64, 6, t, from, K, 1);
	vlk_rm(&x->a, V_MOVDQU64_ST, 6, t, to, K, 0);
}

/* AVX-512: lines, and parts of them before and after.  (What is filled may be read at once, which waits for parts.) */
static void
lines(struct x86 *x, int at, int t, struct mem to, struct mem from)
{
	mov_mi(&x->a, 64, slot(ONES), -1);
	align(x, 6, at, to);
	part(x, at, t, mem_at(to.base, to.disp), mem_at(from.base, from.disp));
	most(x, 6, at, t, to, &from);
	mov_mr(&x->a, 64, slot(AT), at);
	neg_r(&x->a, 64, at);
	alu_rm(&x->a, A_ADD, 64, at, slot(REST));
	part(x, at, t, to, from);
}

int
x_slab(struct x86 *x, const struct ins *i)
{
	int log = x86feat.avx512 && x86feat.bmi2 ? 6 : 4, r = xr_use(x, i->c, 64), t = xv_tmp(x), at;
	struct mem to, from;

	mov_mr(&x->a, 64, slot(REST), r);
	mov_mr(&x->a, 64, slot(LAST), r);
	alu_mi(&x->a, A_SUB, 64, slot(LAST), 1 << log);
	xr_done(x, r);
	r = xr_use(x, i->b, 64);
	if (i->op == O_fill) {
		if (log > 4) {
			vl_rr(&x->a, V_PBROADCASTQ_R, 6, t, r);
		} else {
			v2(&x->a, V_MOVQ, t, r);
			v3(&x->a, V_PUNPCKLQDQ, t, t, t);
		}
		xr_done(x, r);
	}
	to = mem_at(xr_use(x, i->a, 64), i->imm);
	at = xr_tmp(x);
	to.index = (s8)at;
	from = (struct mem){.base = (s8)r, .index = (s8)at};
	if (i->op == O_copy && log > 4)
		lines(x, at, t, to, from);
	else
		pieces(x, log, at, t, to, i->op == O_copy ? &from : 0);
	if (log > 4) {                 /* vzeroupper: SSE code waits for upper halves that are not 0 */
		put2(&x->a, 0xf8c5);
		put1(&x->a, 0x77);
	}
	return 1;
}
