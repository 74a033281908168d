/* SPDX-License-Identifier: MIT */
/* translate.c - RISC-V integer instructions to IR, in the order of riscv.isa
 *
 * Operations on words are done at 32 bits.  They take their operands as they were before these were
 * extended (low), and logic on two extended values is extended after it, not before: so sign extensions
 * leave the chain of dependent operations, and most are found dead. */
#include "base/vdso.h"
#include "frontend/riscv/vector.h"

int (*const rv_translator[riscv_COUNT])(struct tr *, const struct riscv_insn *) = {
#define T(name, function) [riscv_##name] = rv_##function,
	riscv_TRANSLATORS(T)
#undef T
};

/* An instruction of which only the first half can be read faults on its second half: pc stays,
 * the address is that of the half that is missing (Linux reports stval). */
static int
truncated(struct tr *t)
{
	ir_insn(t->r, t->pc);
	tr_ld(t, I8, 0, tr_k(t, t->pc + 2), 0);
	tr_undef(t);
	t->pc += 2;
	return 0;
}

/* The constant x0, if any, goes to the right, where hosts have immediates. */
static int
relation(int rel, ref *x, ref *y)
{
	static const u8 swapped[] = {[R_EQ] = R_EQ, [R_NE] = R_NE, [R_LTS] = R_GTS, [R_GES] = R_LES,
		[R_LTU] = R_GTU, [R_GEU] = R_LEU};
	ref z = *x;

	if (!isk(z))
		return rel;
	*x = *y;
	*y = z;
	return swapped[rel];
}

/* What v is the extended word of, or 0. */
static ref
word(struct tr *t, ref v)
{
	const struct ins *i = &t->r->ins[v & ~REF_K];

	if (isk(v))
		return (s64)kval(t->r, v) == (s32)kval(t->r, v) ? tr_k(t, (u32)kval(t->r, v)) : 0;
	return i->op == O_sxt && i->imm == 32 && i->ty == I64 && !isk(i->a) ? i->a : 0;
}

/* The branch a over the instruction b at pc: b's result, or what its register held.  Of two words the one is extended
 * that is chosen. */
static void
skip(struct tr *t, const struct riscv_insn *a, const struct riscv_insn *b, gaddr pc)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2), old = rv_get(t, b->rd), new, v, w;
	int rel = relation(a->rel, &x, &y);
	ref taken = tr_set(t, rel, I64, x, y);

	ir_insn(t->r, pc);
	rv_translator[b->id](t, b);
	new = rv_get(t, b->rd);
	v = word(t, old);
	w = word(t, new);
	if (v && w)
		rv_putw(t, b->rd, tr_sel(t, I32, taken, v, w));
	else
		rv_put(t, b->rd, tr_sel(t, I64, taken, old, new));
}

static int
isthere(const struct riscv_insn *a)
{
	return a->id && (model_has(a->need) || (a->also && model_has(a->also))) && model_has(a->with);
}

int
rv_translate(struct tr *t)
{
	struct riscv_insn a, b;
	int len, going;

	t->r->fpnan = FPNAN_RISCV;
	/* Bit 0 of an indirect jump's target is dropped (Volume I, 2.5.1).  Nobody sets it, so the
	 * jumps do not clear it; who arrives at an odd address goes on below. */
	if (t->pc & 1) {
		ir_insn(t->r, t->pc);
		tr_jmp(t, t->pc - 1);
		t->pc += 2;
		return 0;
	}
	len = rv_decode(t->p, t->n, &a, &t->word);
	if (!len)
		return truncated(t);
	t->next = t->pc + (u64)len;
	ir_insn(t->r, t->pc);
	if (rv_isbranch(&a) && rv_skips(&a, len, t->p, t->n, &b, &len)) {
		skip(t, &a, &b, t->next);
		t->pc += (u64)len;
		return 1;
	}
	going = isthere(&a) ? rv_translator[a.id](t, &a) : tr_undef(t);
	t->pc = t->next;
	return going;
}

/* -- upper immediates, jumps, branches -- */

int
rv_lui(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, tr_k(t, (u64)(s64)a->imm));
	return 1;
}

int
rv_auipc(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, tr_k(t, t->pc + (u64)(s64)a->imm));
	return 1;
}

/* A jump that links in ra is a call, unless it only asks where it is.  Others (t0 of millicode)
 * are plain jumps. */
static int
goto_(struct tr *t, int rd, gaddr to)
{
	rv_put(t, rd, tr_k(t, t->next));
	return rd == RV_ra && to != t->next ? tr_call(t, to) : tr_jmp(t, to);
}

int
rv_jal(struct tr *t, const struct riscv_insn *a)
{
	return goto_(t, a->rd, t->pc + (u64)(s64)a->imm);
}

int
rv_jalr(struct tr *t, const struct riscv_insn *a)
{
	ref base = rv_get(t, a->rs1);
	ref to = tr_opk(t, O_add, I64, base, (u64)(s64)a->imm);

	if (isk(to))
		return goto_(t, a->rd, kval(t->r, to) & ~(u64)1);
	if (a->imm & 1)
		to = tr_opk(t, O_and, I64, to, ~(u64)1);
	rv_put(t, a->rd, tr_k(t, t->next));
	if (a->rd == RV_ra)
		return tr_callr(t, to);
	return a->rd == 0 && a->rs1 == RV_ra && a->imm == 0 ? tr_ret(t, to) : tr_br(t, to);
}

int
rv_branch(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);
	gaddr to = t->pc + (u64)(s64)a->imm;
	int rel;

	if (x == y || (isk(x) && isk(y)))
		return kval(t->r, tr_set(t, a->rel, I64, x, y)) ? tr_jmp(t, to) : 1;
	rel = relation(a->rel, &x, &y);
	tr_brc(t, rel, I64, x, y, to);
	return 1;
}

/* -- loads and stores -- */

int
rv_load(struct tr *t, const struct riscv_insn *a)
{
	ref base = rv_get(t, a->rs1), v = rv_frombytes(t, base, a->imm, ty_bits(a->ty) / 8);

	t->r->pieces += ty_bits(a->ty) < 32;
	if (v)
		rv_put(t, a->rd, a->sx ? tr_sxt(t, I64, v, ty_bits(a->ty)) : v);
	else
		rv_put(t, a->rd, a->sx ? tr_lds(t, I64, ty_bits(a->ty), 0, base, a->imm)
	                       : tr_ld(t, a->ty, 0, base, a->imm));
	return 1;
}

/* Whether what was just stored is what the instruction before stored. */
static int
storedagain(const struct region *r)
{
	const struct ins *st = &r->ins[r->nins - 1], *before = st - 2;

	return r->nins - 3 >= r->bstart && before->op == O_st && before->c == st->c;
}

int
rv_store(struct tr *t, const struct riscv_insn *a)
{
	ref base = rv_get(t, a->rs1);

	tr_st(t, a->ty, 0, base, a->imm, rv_get(t, a->rs2));
	t->r->pieces += ty_bits(a->ty) < 32;
	t->r->again |= a->ty == I64 && storedagain(t->r);
	if (a->ty == I8)
		t->bytestored = t->r->nins - 1;
	return 1;
}

/* -- arithmetic -- */

static int
issxt32(const struct tr *t, ref v)
{
	return !isk(v) && t->r->ins[v].op == O_sxt && t->r->ins[v].imm == 32;
}

/* v, or what it was cut from: for those who look at the low 32 bits alone */
static ref
low(const struct tr *t, ref v)
{
	const struct ins *i = &t->r->ins[v];

	return !isk(v) && (i->op == O_sxt || i->op == O_zxt) && i->imm >= 32 ? i->a : v;
}

/* Whether v is a sign-extended word that somebody may have made as such, and no field shifted up. */
static int
isword(const struct tr *t, ref v)
{
	const struct ins *i = &t->r->ins[v];
	ref x = low(t, v);

	if (isk(v) || isk(x) || t->r->ins[x].op == O_shl)
		return 0;
	return (i->op == O_lds && i->v <= 32) || ((i->op == O_sxt || i->op == O_sbfx) && i->imm <= 32);
}

/* v is x << n, whatever is above bit 31, and w is the unsigned word x >> (32 - n): the two halves
 * of a rotation, which RV64GC has no instruction for.  Gives it at 32 bits, or 0. */
static ref
rotation(struct tr *t, ref v, ref w)
{
	const struct ins *s, *b;

	if (isk(v) || isk(w))
		return 0;
	s = &t->r->ins[v];
	b = &t->r->ins[w];
	if (s->op != O_shl || b->op != O_bfx || s->a != b->a || !isk(s->b) || b->v + b->imm != 32
	    || kval(t->r, s->b) != (u64)b->imm)
		return 0;
	return tr_opk(t, O_rotr, I32, s->a, b->v);
}

/* and, or, xor and the like */
static ref
logic(struct tr *t, int op, ref x, ref y)
{
	ref v = 0;

	if (op == O_or && issxt32(t, x))
		v = rotation(t, low(t, x), y);
	if (op == O_or && !v && issxt32(t, y))
		v = rotation(t, low(t, y), x);
	if (!v && issxt32(t, x) && issxt32(t, y))
		v = tr_op2(t, op, I32, low(t, x), low(t, y));
	return v ? tr_sxt(t, I64, v, 32) : tr_op2(t, op, I64, x, y);
}

/* A mask over a cut word in its place: the cut is most likely found dead. */
int
rv_alui(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1);

	if (a->op == O_and && a->rd == a->rs1 && a->imm >= 0)
		x = low(t, x);
	rv_put(t, a->rd, tr_opk(t, a->op, I64, x, (u64)(s64)a->imm));
	return 1;
}

int
rv_seti(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, tr_set(t, a->rel, I64, rv_get(t, a->rs1), tr_k(t, (u64)(s64)a->imm)));
	return 1;
}

/* Whether v is a sign-extended word by itself, nothing having been extended for it. */
static int
isnarrow(const struct tr *t, ref v, int depth)
{
	const struct ins *i = &t->r->ins[v & ~REF_K];

	if (isk(v))
		return (s64)kval(t->r, v) == (s32)kval(t->r, v);
	if (i->ty != I64)
		return 0;
	switch (i->op) {
	case O_lds: return i->v <= 32;
	case O_bfx: case O_zxt: return i->imm < 32;
	case O_sbfx: return i->imm <= 32;
	case O_and: case O_or: case O_xor:
		return depth && isnarrow(t, i->a, depth - 1) && isnarrow(t, i->b, depth - 1);
	}
	return 0;
}

/* sext.w, which is addiw of 0, is often asked for what needs none. */
int
rv_addiw(struct tr *t, const struct riscv_insn *a)
{
	enum { DEEP = 3 };
	ref whole = rv_get(t, a->rs1), x = low(t, whole);

	if (!a->imm && isnarrow(t, whole, DEEP)) {
		rv_put(t, a->rd, whole);
		return 1;
	}
	rv_putw(t, a->rd, a->imm ? tr_opk(t, O_add, I32, x, (u32)a->imm) : x);
	return 1;
}

int
rv_shiftiw(struct tr *t, const struct riscv_insn *a)
{
	ref all = rv_get(t, a->rs1), x = low(t, all);

	if (a->imm == 0)
		rv_putw(t, a->rd, x);
	else if (a->op == O_sar && isword(t, all))
		rv_put(t, a->rd, tr_opk(t, O_sar, I64, all, (u64)a->imm));
	else if (a->op == O_shl)
		rv_putw(t, a->rd, tr_opk(t, O_shl, I32, x, (u64)a->imm));
	else if (a->op == O_shr)
		rv_put(t, a->rd, tr_bfx(t, I64, x, a->imm, 32 - a->imm));
	else if (a->op == O_sar)
		rv_put(t, a->rd, tr_sbfx(t, I64, x, a->imm, 32 - a->imm));
	else
		rv_putw(t, a->rd, tr_opk(t, a->op, I32, x, (u64)a->imm));
	return 1;
}

int
rv_alu(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);

	rv_put(t, a->rd, tr_op2(t, a->op, I64, x, y));
	return 1;
}

int
rv_logic(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);

	t->r->pieces += a->op == O_or;
	rv_put(t, a->rd, logic(t, a->op, x, y));
	return 1;
}

int
rv_set(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);

	rv_put(t, a->rd, tr_set(t, a->rel, I64, x, y));
	return 1;
}

int
rv_aluw(struct tr *t, const struct riscv_insn *a)
{
	ref x = low(t, rv_get(t, a->rs1)), y = low(t, rv_get(t, a->rs2));

	rv_putw(t, a->rd, tr_op2(t, a->op, I32, x, y));
	return 1;
}

int
rv_shiftw(struct tr *t, const struct riscv_insn *a)
{
	ref x = low(t, rv_get(t, a->rs1)), y = low(t, rv_get(t, a->rs2));

	rv_putw(t, a->rd, tr_op2(t, a->op, I32, x, y));
	return 1;
}

/* A quotient by zero is all ones; the operation itself gives 0 (Volume I, table 11). */
int
rv_div(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2), q, zero;

	q = tr_op2(t, a->op, a->ty, x, y);
	zero = tr_set(t, R_EQ, a->ty, y, tr_k(t, 0));
	q = tr_sel(t, a->ty, zero, tr_k(t, ~(u64)0 >> (64 - ty_bits(a->ty))), q);
	rv_put(t, a->rd, tr_sxt(t, I64, q, ty_bits(a->ty)));
	return 1;
}

/* x divided by y, if that has been done shortly before, or 0. */
static ref
quotient(const struct region *r, int op, int ty, ref x, ref y)
{
	enum { SHORTLY = 64 };

	for (int n = r->nins - 1; n >= r->bstart && n >= r->nins - SHORTLY; n--)
		if (r->ins[n].op == op && r->ins[n].ty == ty && r->ins[n].a == x && r->ins[n].b == y)
			return (ref)n;
	return 0;
}

/* Who wants the remainder too divides once more, which costs more than to multiply (Volume I, 12.2).  By zero the
 * operation's quotient is 0, so what is left is x, as it must be. */
int
rv_rem(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2), v;
	ref q = quotient(t->r, a->op == O_rems ? O_divs : O_divu, a->ty, x, y);

	if (q)
		v = tr_op2(t, O_sub, a->ty, x, tr_op2(t, O_mul, a->ty, q, y));
	else
		v = tr_op2(t, a->op, a->ty, x, y);
	rv_put(t, a->rd, tr_sxt(t, I64, v, ty_bits(a->ty)));
	return 1;
}

/* -- fences, system -- */

int
rv_nop(struct tr *t, const struct riscv_insn *a)
{
	(void)t, (void)a;
	return 1;
}

/* Whether a store may have happened in this block since a full fence, or before the block. */
static int
storedsince(const struct region *r)
{
	for (int k = r->nins - 1; k >= r->bstart; k--) {
		const struct ins *i = &r->ins[k];

		if (i->op == O_fence && i->v == FENCE_FULL)
			return 0;
		if ((opinfo[i->op].traits & WRITE) || i->op == O_help)
			return 1;
	}
	return 1;
}

/* Device input counts as a read, output as a write.  Compilers put full fences after loads; such a
 * one need not be full if the last one has seen all stores. */
int
rv_fence(struct tr *t, const struct riscv_insn *a)
{
	enum { O = 4, I = 8, R = 2 | I, W = 1 | O };

	if ((a->pred & W) && (a->succ & R) && storedsince(t->r)) {
		tr_fence(t, FENCE_FULL);
	} else {
		if (a->pred & R)
			tr_fence(t, FENCE_LD);
		if (a->pred & W)
			tr_fence(t, FENCE_ST);
	}
	return 1;
}

/* everything but later loads before earlier stores */
int
rv_fencetso(struct tr *t, const struct riscv_insn *a)
{
	(void)a;
	tr_fence(t, FENCE_LD);
	tr_fence(t, FENCE_ST);
	return 1;
}

int
rv_fencei(struct tr *t, const struct riscv_insn *a)
{
	(void)a;
	tr_help(t, RVH_FENCEI, 0, 0, 0);
	return tr_look(t);
}

int
rv_ecall(struct tr *t, const struct riscv_insn *a)
{
	(void)a;
	return tr_sys(t);
}

int
rv_ebreak(struct tr *t, const struct riscv_insn *a)
{
	(void)a;
	return tr_trap(t, TRAP_BREAK, 0);
}

int
rv_clock(struct tr *t, const struct riscv_insn *a)
{
	if (!vdso_holds(t->pc) || a->n >= VDSO_NCALLS)
		return tr_undef(t);
	rv_put(t, RV_a0, tr_help(t, RVH_VDSO, tr_k(t, a->n), rv_get(t, RV_a0), rv_get(t, RV_a1)));
	return 1;
}

/* A may-be-operation that no extension has taken (Zimop). */
int
rv_mop(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, tr_k(t, 0));
	return 1;
}

/* -- Zicsr -- */

/* After frm was written: goes on directly, which is usual, or leaves if the new one wants code of
 * another mode. */
static int
aftermode(struct tr *t)
{
	ref frm = tr_bfx(t, I64, tr_get(t, I64, RV_fcsr), FCSR_RM, 3);

	if (t->mode & MODE_FRM)
		tr_brc(t, R_EQ, I64, frm, tr_k(t, t->mode & MODE_FRM), t->next);
	else
		tr_brc(t, R_LTU, I64, frm, tr_k(t, FRM_RMM), t->next);
	return tr_look(t);
}

/* Compilers write a comparison that must not signal (isless(), the guard of an inline square root)
 * as frflags r; flt; fsflags r.  If v, about to be written to fflags, was read from it and only such
 * comparisons came between, they are made to raise nothing and there is nothing to write. */
static int
restored(struct tr *t, ref v)
{
	struct ins *i = &t->r->ins[v], *end = &t->r->ins[t->r->nins];

	if (isk(v) || i->op != O_help || i->v != RVH_GETFLAGS)
		return 0;
	for (struct ins *k = i + 1; k < end; k++)
		if (k->op != O_fset && k->op != O_insn && (opinfo[k->op].traits & (FPENV | LEAVE | EFF)))
			return 0;
	for (; i < end; i++)
		if (i->op == O_fset)
			i->aux = (u16)((i->aux & ~FP_SIGNAL) | FP_SILENT);
	return 1;
}

static int
fflags(struct tr *t, const struct riscv_insn *a, int op, ref v)
{
	ref old;

	if (op == CSR_WRITE && a->rd == 0) {
		if (!restored(t, v))
			tr_help(t, RVH_SETFLAGS, v, 0, 0);
		return 1;
	}
	if (op == CSR_READ)
		old = tr_help(t, RVH_GETFLAGS, 0, 0, 0);
	else
		old = tr_help(t, RVH_FCSR, tr_k(t, CSR_FFLAGS), tr_k(t, (u64)op), v);
	rv_put(t, a->rd, old);
	return 1;
}

/* fflags, frm or fcsr */
static int
fpcsr(struct tr *t, const struct riscv_insn *a, int op)
{
	ref v = a->uimm ? tr_k(t, a->rs1) : rv_get(t, a->rs1), old;

	if (a->csr == CSR_FFLAGS)
		return fflags(t, a, op, v);
	if (op == CSR_READ && a->csr == CSR_FRM) {
		rv_put(t, a->rd, tr_bfx(t, I64, tr_get(t, I64, RV_fcsr), FCSR_RM, 3));
		return 1;
	}
	old = tr_help(t, RVH_FCSR, tr_k(t, a->csr), tr_k(t, (u64)op), v);
	rv_put(t, a->rd, old);
	return op == CSR_READ ? 1 : aftermode(t);
}

/* a CSR of the vector unit: n bits of a slot, from bit lo up */
struct field { int csr, slot, lo, n; };

static int
field(struct tr *t, const struct riscv_insn *a, int op, const struct field *c)
{
	ref v = a->uimm ? tr_k(t, a->rs1) : rv_get(t, a->rs1), slot = tr_get(t, I64, c->slot);
	ref old = tr_bfx(t, I64, slot, c->lo, c->n);

	if (op == CSR_SET)
		v = tr_op2(t, O_or, I64, old, v);
	else if (op == CSR_CLEAR)
		v = tr_op2(t, O_andn, I64, old, v);
	if (op != CSR_READ)
		tr_put(t, I64, c->slot, tr_dep(t, I64, slot, v, c->lo, c->n));
	rv_put(t, a->rd, old);
	return 1;
}

/* vill is vtype's top bit. */
static int
vtype(struct tr *t, const struct riscv_insn *a)
{
	ref slot = tr_get(t, I64, RV_vcfg), ill = tr_bfx(t, I64, slot, VCFG_ILL, 1);

	rv_put(t, a->rd, tr_dep(t, I64, tr_bfx(t, I64, slot, VCFG_TYPE, 8), ill, 63, 1));
	return 1;
}

/* one of the vector unit's, which are read-only from vl on */
static int
vcsr(struct tr *t, const struct riscv_insn *a, int op)
{
	static const struct field place[] = {
		{CSR_VSTART, RV_vcfg, VCFG_START, 7}, {CSR_VXSAT, RV_vcsr, 0, 1}, {CSR_VXRM, RV_vcsr, 1, 2},
		{CSR_VCSR, RV_vcsr, 0, 3}, {CSR_VL, RV_vcfg, VCFG_VL, 16},
	};

	if (!rv_hasv(t) || (a->csr >= CSR_VL && op != CSR_READ))
		return tr_undef(t);
	if (op != CSR_READ && a->csr == CSR_VSTART)
		t->vblock = 0;         /* vcfg is not what it was taken to be */
	for (size_t i = 0; i < NELEM(place); i++)
		if (place[i].csr == a->csr)
			return field(t, a, op, &place[i]);
	if (a->csr == CSR_VTYPE)
		return vtype(t, a);
	rv_put(t, a->rd, tr_k(t, VLENB));
	return 1;
}

int
rv_csr(struct tr *t, const struct riscv_insn *a)
{
	int op = a->op != CSR_WRITE && a->rs1 == 0 ? CSR_READ : a->op;

	switch (a->csr) {
	case CSR_FFLAGS: case CSR_FRM: case CSR_FCSR:
		return fpcsr(t, a, op);
	case CSR_CYCLE: case CSR_TIME: case CSR_INSTRET:
		if (op != CSR_READ)
			return tr_undef(t);
		rv_put(t, a->rd, tr_help(t, RVH_TIME, tr_k(t, a->csr), 0, 0));
		return 1;
	case CSR_VSTART: case CSR_VXSAT: case CSR_VXRM: case CSR_VCSR: case CSR_VL: case CSR_VTYPE: case CSR_VLENB:
		return vcsr(t, a, op);
	}
	return tr_undef(t);
}

/* -- Zicbom, Zicboz: memory is coherent, so only zeroing does something -- */

int
rv_cbo(struct tr *t, const struct riscv_insn *a)
{
	(void)t, (void)a;
	return 1;
}

int
rv_cbozero(struct tr *t, const struct riscv_insn *a)
{
	enum { BLOCK = 64 };
	ref base = tr_opk(t, O_and, I64, rv_get(t, a->rs1), ~(u64)(BLOCK - 1));

	for (int i = 0; i < BLOCK; i += 8)
		tr_st(t, I64, 0, base, i, tr_k(t, 0));
	return 1;
}

/* -- Zba, Zbb, Zbc, Zbs, Zicond -- */

int
rv_shadd(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);

	if (a->uw)
		x = tr_zxt(t, I64, x, 32);
	if (a->sh)
		x = tr_opk(t, O_shl, I64, x, (u64)a->sh);
	rv_put(t, a->rd, tr_op2(t, O_add, I64, y, x));
	return 1;
}

int
rv_slliuw(struct tr *t, const struct riscv_insn *a)
{
	ref x = tr_zxt(t, I64, rv_get(t, a->rs1), 32);

	rv_put(t, a->rd, tr_opk(t, O_shl, I64, x, (u64)a->imm));
	return 1;
}

int
rv_xnor(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);

	rv_put(t, a->rd, tr_op1(t, O_not, I64, tr_op2(t, O_xor, I64, x, y)));
	return 1;
}

int
rv_rol(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), n = tr_op1(t, O_neg, a->ty, rv_get(t, a->rs2));

	rv_put(t, a->rd, tr_sxt(t, I64, tr_op2(t, O_rotr, a->ty, x, n), ty_bits(a->ty)));
	return 1;
}

int
rv_clmulr(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);
	ref hi = tr_op2(t, O_clmulh, I64, x, y), lo = tr_op2(t, O_clmul, I64, x, y);

	rv_put(t, a->rd, tr_op2(t, O_or, I64, tr_opk(t, O_shl, I64, hi, 1), tr_opk(t, O_shr, I64, lo, 63)));
	return 1;
}

/* counts, byte reversals: never negative at 32 bits */
int
rv_unary(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, tr_op1(t, a->op, a->ty, rv_get(t, a->rs1)));
	return 1;
}

int
rv_extend(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, ir_opx(t->r, a->op, I64, 0, 0, a->sh, rv_get(t, a->rs1), 0, 0));
	return 1;
}

int
rv_bit(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), n = rv_get(t, a->rs2);

	rv_put(t, a->rd, tr_op2(t, a->op, I64, x, tr_op2(t, O_shl, I64, tr_k(t, 1), n)));
	return 1;
}

int
rv_biti(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, tr_opk(t, a->op, I64, rv_get(t, a->rs1), (u64)1 << a->imm));
	return 1;
}

int
rv_bext(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), n = rv_get(t, a->rs2);

	rv_put(t, a->rd, tr_opk(t, O_and, I64, tr_op2(t, O_shr, I64, x, n), 1));
	return 1;
}

int
rv_bexti(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, tr_bfx(t, I64, rv_get(t, a->rs1), a->imm, 1));
	return 1;
}

int
rv_czero(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2), zero = tr_k(t, 0);

	rv_put(t, a->rd, tr_sel(t, I64, tr_set(t, a->rel, I64, y, zero), zero, x));
	return 1;
}
