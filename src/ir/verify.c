/* SPDX-License-Identifier: MIT */
/* verify.c - whether a region is what ir.h and op.def say
 *
 * Checks blocks (each ends with its one terminator), operands (present, earlier in the same block,
 * of the right kind), types of operations, and the fields v, imm and aux.  An integer operand may
 * be of any width: a narrower one is zero-extended by nature, of a wider one the low bits count.
 * A vector is bits: operands may name other lanes, not another size. */
#include <stdio.h>
#include "ir/text.h"

struct check {
	const struct region *r;
	const struct block *b;
	int at;                        /* instruction */
	const char *wrong;
};

/* Which types an operation is for. */
enum { INT = 1, IVEC = 2, FLOAT = 4, FVEC = 8, FLAGS = 16, NONE = 32, ANY = 63 };

static int
class(int ty)
{
	int lane = ty_lane(ty);

	if (lane > N || (ty_isvec(ty) && lane >= FL))
		return 0;
	if (ty_isvec(ty))
		return lane >= F16 ? FVEC : IVEC;
	return lane < I128 ? INT : lane == I128 ? 0 : lane < FL ? FLOAT : lane == FL ? FLAGS : NONE;
}

/* Runs of op.def, in its order. */
static const struct { u8 first, last, allowed; } runs[] = {
	{ O_nop, O_insn, ANY },
	{ O_mov, O_mov, INT | IVEC | FVEC | FLOAT },
	{ O_add, O_mul, INT | IVEC },
	{ O_mulhu, O_rems, INT | IVEC },
	{ O_and, O_not, INT | IVEC | FVEC },
	{ O_neg, O_rbit, INT | IVEC },
	{ O_orcb, O_set, INT },
	{ O_sel, O_sel, INT | IVEC | FLOAT | FVEC },
	{ O_clmul, O_sbc, INT },
	{ O_fcc, O_flset, ANY },
	{ O_ld, O_ld, INT | IVEC | FLOAT | FVEC },
	{ O_lds, O_ldor, INT },
	{ O_st, O_st, INT | IVEC | FLOAT | FVEC },
	{ O_fill, O_copy, INT },
	{ O_cas, O_stx, INT | IVEC },
	{ O_clrex, O_jmp, ANY },
	{ O_brc, O_brc, INT },
	{ O_brf, O_vhelp, ANY },
	{ O_fadd, O_fcvt, FLOAT | FVEC },
	{ O_fcvti, O_fcvti, INT | IVEC },
	{ O_icvtf, O_icvtf, FLOAT | FVEC },
	{ O_fcmp, O_fset, FLOAT },
	{ O_fvset, O_frecpx, FLOAT | FVEC },
	{ O_movif, O_movif, FLOAT },
	{ O_movfi, O_movfi, ANY },
	{ O_fbox, O_funbox, FLOAT },
	{ O_fclass, O_fclass, ANY },
	{ O_vset, O_vset, IVEC },
	{ O_smin, O_umax, INT | IVEC },
	{ O_abs, O_abs, INT | IVEC },
	{ O_sabd, O_bsl, IVEC | FVEC },
	{ O_vlow, O_inslane, IVEC | FVEC },
	{ O_umov, O_vsigns, ANY },
	{ O_vcat, O_sha256su1, IVEC | FVEC },
};

static int
allowed(int op)
{
	for (size_t k = 0; k < NELEM(runs); k++)
		if (op >= runs[k].first && op <= runs[k].last)
			return runs[k].allowed;
	return 0;
}

/* -- operands -- */

/* Operands that may be left out. */
static int
optional(int op, int n)
{
	return op == O_help || (n == 1 && (op == O_ld || op == O_lds || op == O_st || op == O_pref || op == O_vext));
}

static int
isint(int ty)
{
	return class(ty) == INT;
}

static const char *
wrong_type(char kind, const struct ins *i, int have)
{
	switch (kind) {
	case 'J': case 'B':
		return isint(have) ? 0 : "integer operand expected";
	case 'F':
		return have == FL ? 0 : "flags operand expected";
	case 'K':
		return "constant operand expected";
	case 'E':
		if (ty_isvec(have) || (ty_isfloat(have) && ty_bits(have) == ty_lanebits(i->v)))
			return 0;
		return i->op == O_icvtf && isint(have) ? 0 : "vector or float operand expected";
	default:
		if (isint(i->ty))
			return isint(have) ? 0 : "integer operand expected";
		if (ty_isvec(i->ty) || ty_isvec(have))
			return ty_bits(have) == ty_bits(i->ty) ? 0 : "operand of another size";
		return have == i->ty ? 0 : "operand of another type";
	}
}

static const char *
operand(const struct check *c, const struct ins *i, int n, ref x)
{
	char kind = opinfo[i->op].arg[n];

	if (kind == 'N')
		return x ? "operand where none belongs" : 0;
	if (!x)
		return optional(i->op, n) ? 0 : "operand missing";
	if (isk(x)) {
		if ((x & ~REF_K) >= c->r->nk)
			return "no such constant";
		int fits = kind == 'X' ? isint(i->ty) : kind == 'E' ? i->op == O_icvtf : kind != 'F';
		return fits ? 0 : "constant where a temporary is needed";
	}
	if (x < c->b->first || x >= c->at)
		return "operand not defined before, in this block";
	if (opinfo[c->r->ins[x].op].res == 'N')
		return "operand has no value";
	return wrong_type(kind, i, ir_type(&c->r->ins[x]));
}

/* -- fields -- */

static const char *
variable(const struct check *c, const struct ins *i)
{
	const struct guest *g = c->r->guest;

	if (i->v >= g->nreg)
		return "no such variable";
	const struct reg *r = &g->reg[i->v];
	int have = class(i->ty), ok = 0;
	switch (r->kind) {
	case REG_INT: ok = have == INT; break;
	case REG_FLAGS: ok = have == FLAGS; break;
	case REG_FP: ok = i->ty == F64; break;
	default: ok = (have & (IVEC | FVEC) && ty_bits(i->ty) <= r->bits) || have == FLOAT;
	}
	return ok ? 0 : "type does not fit the variable";
}

static const char *
lane_field(const struct ins *i)
{
	int n = ty_isvec(i->ty) ? ty_nlanes(i->ty) : 1;

	switch (i->op) {
	case O_duplane: case O_ins:
		return i->v < n ? 0 : "no such lane";
	case O_inslane:
		return i->v < n && i->imm >= 0 && i->imm < n ? 0 : "no such lane";
	case O_vext:
		return i->imm >= 0 && i->imm < ty_bits(i->ty) / 8 ? 0 : "byte out of range";
	case O_vrev:
		return i->imm > 0 && i->imm <= 64 && i->imm % ty_lanebits(i->ty) == 0 ? 0 : "bad group";
	case O_vlow:
		return i->imm > 0 && i->imm % 8 == 0 ? 0 : "bad size";
	case O_vred:
		return i->imm >= 0 && i->imm <= VRED_UMAX ? 0 : "no such reduction";
	default:
		return 0;
	}
}

static const char *
bits_field(const struct ins *i)
{
	int w = ty_lanebits(i->ty), imm = i->imm;

	switch (i->op) {
	case O_sxt: case O_zxt:
		return imm >= 1 && imm <= w ? 0 : "width out of range";
	case O_bfx: case O_sbfx: case O_dep:
		return imm >= 1 && i->v + imm <= w ? 0 : "bit field out of range";
	case O_extr:
		return imm >= 0 && imm < w ? 0 : "amount out of range";
	case O_shli: case O_shri: case O_sari: case O_roli:
		return imm >= 0 && imm <= w ? 0 : "amount out of range";
	case O_urshri: case O_srshri:
		return imm >= 1 && imm <= w ? 0 : "amount out of range";
	case O_lds:
		return (i->v == 8 || i->v == 16 || i->v == 32) && i->v < w ? 0 : "bad size of datum";
	default:
		return lane_field(i);
	}
}

static const char *
meaning(const struct check *c, const struct ins *i)
{
	switch (text_vmeans(i->op)) {
	case V_VAR:
		return variable(c, i);
	case V_REL: case V_CC: case V_RMW: case V_FENCE: case V_TRAP:
		return text_name(text_vmeans(i->op), i->v) ? 0 : "v has no meaning";
	case V_TYPE:
		return class(i->v) && ty_lanebits(i->v) ? 0 : "v is no type";
	case V_HELPER:
		return i->v < c->r->guest->nhelper ? 0 : "no such helper";
	default:
		return 0;
	}
}

static const char *
instruction(const struct check *c, const struct ins *i)
{
	const ref arg[3] = { i->a, i->b, i->c };
	const char *e;

	if (i->op >= O_COUNT)
		return "no such operation";
	if (!(class(i->ty) & allowed(i->op)))
		return "no operation of this type";
	for (int n = 0; n < 3; n++)
		if ((e = operand(c, i, n, arg[n])))
			return e;
	if ((e = meaning(c, i)))
		return e;
	return bits_field(i);
}

/* -- blocks -- */

static const char *
block(struct check *c)
{
	const struct block *b = c->b;
	const struct ins *ins = c->r->ins;
	const char *e;
	int ended = 0;

	if (b->first < 1 || b->n < 1 || b->first + b->n > c->r->nins)
		return "block out of range";
	for (c->at = b->first; c->at < b->first + b->n; c->at++) {
		if (ended && ins[c->at].op != O_nop)
			return "instruction after the terminator";
		if ((e = instruction(c, &ins[c->at])))
			return e;
		ended |= opinfo[ins[c->at].op].traits & END;
	}
	c->at--;
	return ended ? 0 : "block without a terminator";
}

const char *
ir_verify(const struct region *r)
{
	static _Thread_local char text[160];
	struct check c = { .r = r };
	int end = 1;

	for (int k = 0; k < r->nblock; k++) {
		c.b = &r->block[k];
		const char *e = c.b->first < end ? "blocks overlap" : block(&c);
		if (e) {
			const struct ins *i = &r->ins[c.at];
			snprintf(text, sizeof text, "block 0x%llx, instruction %d (%s): %s",
			         (unsigned long long)c.b->pc, c.at - c.b->first,
			         c.at < r->nins && i->op < O_COUNT ? opinfo[i->op].name : "?", e);
			return text;
		}
		end = c.b->first + c.b->n;
	}
	return r->nblock ? 0 : "no blocks";
}
