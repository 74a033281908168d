/* SPDX-License-Identifier: MIT */
/* mem.c - AArch64 integer loads and stores, exclusives and atomics to IR
 *
 * Order within an instruction: everything that may fault comes before the first register is
 * written, so that a fault finds the registers as they were.  Where writeback and datum name the same
 * register (constrained unpredictable) a load's datum wins, and a store stores the old value. */
#include "frontend/arm64/arm64.h"

static const u8 intty[4] = {I8, I16, I32, I64};

/* sg: 0 zero-extends, 32 or 64 sign-extends to so many bits */
static ref
load(struct tr *t, const struct a64_insn *a, int aux, ref base, ref index, s32 disp)
{
	int ty = intty[a->size];

	if (a->sg)
		return ir_opx(t->r, O_lds, a64_ty(a->sg == 64), aux, 8 << a->size, disp, base, index, 0);
	return ir_opx(t->r, O_ld, ty, aux, 0, disp, base, index, 0);
}

/* the type in which what load gave is put to its register */
static int
putty(const struct a64_insn *a)
{
	return a64_ty(a->sg ? a->sg == 64 : a->size == 3);
}

static void
store(struct tr *t, const struct a64_insn *a, int aux, ref base, ref index, s32 disp)
{
	ir_opx(t->r, O_st, intty[a->size], aux, 0, disp, base, index,
	    a64_get(t, a64_ty(a->size == 3), a->rd));
}

/* base + disp to the base register, as pre- and post-indexed forms do */
static void
writeback(struct tr *t, const struct a64_insn *a, ref base, s32 disp)
{
	if (a->wb)
		a64_putsp(t, I64, a->rn, tr_opk(t, O_add, I64, base, (u64)(s64)disp));
}

int
a64_tr_load_u(struct tr *t, const struct a64_insn *a)
{
	a64_put(t, putty(a), a->rd, load(t, a, 0, a64_getsp(t, I64, a->rn), 0, a->imm << a->size));
	return 1;
}

int
a64_tr_store_u(struct tr *t, const struct a64_insn *a)
{
	store(t, a, 0, a64_getsp(t, I64, a->rn), 0, a->imm << a->size);
	return 1;
}

/* wb: 0 none, 1 pre-indexed, 2 post-indexed */
int
a64_tr_load_i(struct tr *t, const struct a64_insn *a)
{
	ref base = a64_getsp(t, I64, a->rn), v = load(t, a, a->aux, base, 0, a->wb == 2 ? 0 : a->imm);

	writeback(t, a, base, a->imm);
	a64_put(t, putty(a), a->rd, v);
	return 1;
}

int
a64_tr_store_i(struct tr *t, const struct a64_insn *a)
{
	ref base = a64_getsp(t, I64, a->rn);

	store(t, a, a->aux, base, 0, a->wb == 2 ? 0 : a->imm);
	writeback(t, a, base, a->imm);
	return 1;
}

int
a64_index(struct tr *t, int rm, int ext, int shift, ref *index)
{
	*index = rm == 31 ? 0 : a64_extend(t, I64, rm, ext, shift > 3 ? shift : 0);
	return *index && shift <= 3 ? shift : 0;
}

int
a64_tr_load_r(struct tr *t, const struct a64_insn *a)
{
	ref base = a64_getsp(t, I64, a->rn), index;
	int aux = a64_index(t, a->rm, a->ext, a->sa ? a->size : 0, &index);

	a64_put(t, putty(a), a->rd, load(t, a, aux, base, index, 0));
	return 1;
}

int
a64_tr_store_r(struct tr *t, const struct a64_insn *a)
{
	ref base = a64_getsp(t, I64, a->rn), index;
	int aux = a64_index(t, a->rm, a->ext, a->sa ? a->size : 0, &index);

	store(t, a, aux, base, index, 0);
	return 1;
}

int
a64_tr_load_l(struct tr *t, const struct a64_insn *a)
{
	a64_put(t, putty(a), a->rd, load(t, a, 0, tr_k(t, t->pc + (s64)a->imm), 0, 0));
	return 1;
}

/* C6.2 "PRFM": bits 4:3 of the operand are 0 for loads, 1 for code, 2 for stores; 2:1 the cache, 0 streaming */
static int
pref(struct tr *t, const struct a64_insn *a, int aux, ref base, ref index, s32 disp)
{
	int level = a->rd >> 1 & 3, v = a->rd & 1 ? PREF_ONCE : PREF_L1 + level;

	if (level == 3 || a->rd >> 3 == 1 || a->rd >> 3 == 3)
		return 1;
	ir_opx(t->r, O_pref, N, aux, a->rd >> 3 == 2 ? PREF_WRITE : v, disp, base, index, 0);
	return 1;
}

int
a64_tr_pref_u(struct tr *t, const struct a64_insn *a)
{
	return pref(t, a, 0, a64_getsp(t, I64, a->rn), 0, a->imm << 3);
}

int
a64_tr_pref_i(struct tr *t, const struct a64_insn *a)
{
	return pref(t, a, 0, a64_getsp(t, I64, a->rn), 0, a->imm);
}

int
a64_tr_pref_r(struct tr *t, const struct a64_insn *a)
{
	ref base = a64_getsp(t, I64, a->rn), index;
	int aux = a64_index(t, a->rm, a->ext, a->sa ? 3 : 0, &index);

	return pref(t, a, aux, base, index, 0);
}

/* -- pairs -- */

static ref
loadone(struct tr *t, const struct a64_insn *a, ref base, s32 disp)
{
	if (a->sg)
		return tr_lds(t, I64, 32, 0, base, disp);
	return tr_ld(t, a64_ty(a->sf), 0, base, disp);
}

int
a64_tr_load_p(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf || a->sg), size = a->sf && !a->sg ? 8 : 4;
	s32 disp = a->imm * size, at = a->wb == 2 ? 0 : disp;
	ref base = a64_getsp(t, I64, a->rn);
	ref v = loadone(t, a, base, at), w = loadone(t, a, base, at + size);

	writeback(t, a, base, disp);
	a64_put(t, ty, a->rd, v);
	a64_put(t, ty, a->rt2, w);
	return 1;
}

int
a64_tr_store_p(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf), size = a->sf ? 8 : 4;
	s32 disp = a->imm * size, at = a->wb == 2 ? 0 : disp;
	ref base = a64_getsp(t, I64, a->rn);

	tr_st(t, ty, 0, base, at, a64_get(t, ty, a->rd));
	tr_st(t, ty, 0, base, at + size, a64_get(t, ty, a->rt2));
	writeback(t, a, base, disp);
	return 1;
}

/* -- ordered accesses.  ldar and stlr are sequentially consistent among themselves. -- */

int
a64_tr_ldar(struct tr *t, const struct a64_insn *a)
{
	a64_put(t, putty(a), a->rd,
	    load(t, a, AUX_ACQ | AUX_ALIGN | a->aux, a64_getsp(t, I64, a->rn), 0, 0));
	return 1;
}

int
a64_tr_stlr(struct tr *t, const struct a64_insn *a)
{
	store(t, a, AUX_REL | AUX_ALIGN | AUX_SC, a64_getsp(t, I64, a->rn), 0, 0);
	return 1;
}

/* -- exclusives -- */

static int
order(const struct a64_insn *a)
{
	return AUX_ALIGN | (a->acq ? AUX_ACQ : 0) | (a->rel ? AUX_REL : 0);
}

int
a64_tr_ldxr(struct tr *t, const struct a64_insn *a)
{
	if (tr_alone(t))
		return 0;
	a64_put(t, putty(a), a->rd, ir_opx(t->r, O_ldx, intty[a->size], order(a), 0, 0,
	    a64_getsp(t, I64, a->rn), 0, 0));
	return 1;
}

/* the register's value in the type of the datum */
static ref
datum(struct tr *t, int size, int reg)
{
	ref v = a64_get(t, a64_ty(size == 3), reg);

	return size < 2 ? ir_opx(t->r, O_zxt, intty[size], 0, 0, 8 << size, v, 0, 0) : v;
}

int
a64_tr_stxr(struct tr *t, const struct a64_insn *a)
{
	ref fail = ir_opx(t->r, O_stx, intty[a->size], order(a), 0, 0, a64_getsp(t, I64, a->rn),
	    datum(t, a->size, a->rd), 0);

	a64_put(t, I64, a->rs, fail);
	return 1;
}

/* A pair of registers as one datum: two words in an I64, two doublewords in a V128. */
static int pairty(const struct a64_insn *a) { return a->sf ? V128 : I64; }

static ref
pair(struct tr *t, const struct a64_insn *a, int lo, int hi)
{
	ref l = a64_get(t, a64_ty(a->sf), lo), h = a64_get(t, a64_ty(a->sf), hi);

	return a->sf ? tr_op2(t, O_vpair, V128, l, h) : tr_dep(t, I64, l, h, 32, 32);
}

static void
unpair(struct tr *t, const struct a64_insn *a, int lo, int hi, ref v)
{
	ref l, h;

	if (a->sf) {
		l = ir_opx(t->r, O_umov, I64, 0, V64, 0, v, 0, 0);
		h = ir_opx(t->r, O_umov, I64, 0, V64, 1, v, 0, 0);
	} else {
		l = tr_low32(t, v);
		h = tr_opk(t, O_shr, I64, v, 32);
	}
	a64_put(t, a64_ty(a->sf), lo, l);
	a64_put(t, I64, hi, h);
}

int
a64_tr_ldxp(struct tr *t, const struct a64_insn *a)
{
	ref v;

	if (tr_alone(t))
		return 0;
	v = ir_opx(t->r, O_ldx, pairty(a), order(a), 0, 0, a64_getsp(t, I64, a->rn), 0, 0);
	unpair(t, a, a->rd, a->rt2, v);
	return 1;
}

int
a64_tr_stxp(struct tr *t, const struct a64_insn *a)
{
	ref fail = ir_opx(t->r, O_stx, pairty(a), order(a), 0, 0, a64_getsp(t, I64, a->rn),
	    pair(t, a, a->rd, a->rt2), 0);

	a64_put(t, I64, a->rs, fail);
	return 1;
}

int
a64_tr_clrex(struct tr *t, const struct a64_insn *a)
{
	(void)a;
	ir_op(t->r, O_clrex, N, 0, 0, 0);
	return 1;
}

/* -- atomics -- */

int
a64_tr_cas(struct tr *t, const struct a64_insn *a)
{
	ref v = ir_opx(t->r, O_cas, intty[a->size], order(a), 0, 0, a64_getsp(t, I64, a->rn),
	    datum(t, a->size, a->rs), datum(t, a->size, a->rd));

	a64_put(t, putty(a), a->rs, v);
	return 1;
}

int
a64_tr_casp(struct tr *t, const struct a64_insn *a)
{
	ref v = ir_opx(t->r, O_cas, pairty(a), order(a), 0, 0, a64_getsp(t, I64, a->rn),
	    pair(t, a, a->rs, (a->rs + 1) & 31), pair(t, a, a->rd, (a->rd + 1) & 31));

	unpair(t, a, a->rs, (a->rs + 1) & 31, v);
	return 1;
}

int
a64_tr_rmw(struct tr *t, const struct a64_insn *a)
{
	ref v = ir_opx(t->r, O_rmw, intty[a->size], order(a), a->v, 0, a64_getsp(t, I64, a->rn),
	    datum(t, a->size, a->rs), 0);

	a64_put(t, putty(a), a->rd, v);
	return 1;
}
