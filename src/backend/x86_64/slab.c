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

/* Pieces of the largest size, then one of each smaller size, as the number of bytes has them. */
static void
pieces(struct x86 *x, struct mem left, int at, int t, struct mem to, const struct mem *from)
{
	int most = x86feat.avx512 ? 6 : 4;
	u8 *few, *again, *back;

	alu_mi(&x->a, A_SUB, 64, left, 1 << most);
	few = jcc_8(&x->a, JB);
	again = x->a.p;
	piece(x, most, t, to, from);
	alu_ri(&x->a, A_ADD, 64, at, 1 << most);
	alu_rm(&x->a, A_CMP, 64, at, left);
	back = jcc_8(&x->a, JBE);
	*back = (u8)(again - x->a.p);
	rel8_here(&x->a, few);
	for (int log = most - 1; log >= 3; log--) {
		op_rm(&x->a, 0xf6, 32, 0, left, 1);    /* test byte */
		put1(&x->a, 1u << log);
		few = jcc_8(&x->a, JE);
		piece(x, log, t, to, from);
		alu_ri(&x->a, A_ADD, 64, at, 1 << log);
		rel8_here(&x->a, few);
	}
}

int
x_slab(struct x86 *x, const struct ins *i)
{
	struct mem left = m_cpu(offsetof(struct cpu, scratch[4])), to, from;
	int r = xr_use(x, i->c, 64), t = xv_tmp(x), at;

	mov_mr(&x->a, 64, left, r);
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
	mov_ri(&x->a, at, 0);
	to.index = (s8)at;
	from = (struct mem){.base = (s8)r, .index = (s8)at};
	pieces(x, left, at, t, to, i->op == O_copy ? &from : 0);
	return 1;
}
