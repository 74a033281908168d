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
enum { ALIGN = 1, REST = 3, LAST = 4 };

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

/* The largest pieces, then small ones.  Before what is filled come small ones too, up to where the others do not cross
 * the host's lines: a copy would gain less, for then its loads do. */
static void
pieces(struct x86 *x, int most, int at, int t, struct mem to, const struct mem *from)
{
	u8 *few, *again, *back;

	if (!from) {
		lea(&x->a, 64, at, mem_at(to.base, to.disp));
		neg_r(&x->a, 64, at);
		mov_mr(&x->a, 64, slot(ALIGN), at);
	}
	mov_ri(&x->a, at, 0);
	for (int log = 3; !from && log < most; log++)
		some(x, log, ALIGN, at, t, to, from);
	if (!from)
		op_rm(&x->a, 0x29, 64, at, slot(REST), 0);     /* sub */
	alu_rm(&x->a, A_CMP, 64, at, slot(LAST));
	few = jcc_8(&x->a, JG);
	again = x->a.p;
	piece(x, most, t, to, from);
	alu_ri(&x->a, A_ADD, 64, at, 1 << most);
	alu_rm(&x->a, A_CMP, 64, at, slot(LAST));
	back = jcc_8(&x->a, JLE);
	*back = (u8)(again - x->a.p);
	rel8_here(&x->a, few);
	for (int log = most - 1; log >= 3; log--)
		some(x, log, REST, at, t, to, from);
}

int
x_slab(struct x86 *x, const struct ins *i)
{
	int most = x86feat.avx512 ? 6 : 4, r = xr_use(x, i->c, 64), t = xv_tmp(x), at;
	struct mem to, from;

	mov_mr(&x->a, 64, slot(REST), r);
	mov_mr(&x->a, 64, slot(LAST), r);
	alu_mi(&x->a, A_SUB, 64, slot(LAST), 1 << most);
	xr_done(x, r);
	r = xr_use(x, i->b, 64);
	if (i->op == O_fill) {
		if (x86feat.avx512) {
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
	pieces(x, most, at, t, to, i->op == O_copy ? &from : 0);
	if (most > 4) {                /* vzeroupper: SSE code waits for upper halves that are not 0 */
		put2(&x->a, 0xf8c5);
		put1(&x->a, 0x77);
	}
	return 1;
}
