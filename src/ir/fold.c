/* SPDX-License-Identifier: MIT */
/* fold.c - the simpler value of an instruction about to be appended
 *
 * Needs: operands already in the region (or constants).  Leaves: either a ref whose value equals
 * the instruction's, or the instruction, possibly with operands exchanged, for the builder to
 * append.  Runs on every pure instruction: nothing is searched, fold.def becomes one switch. */
#include "ir/ir.h"

/* What a rule may look at: the instruction and shorthands for it. */
struct fold {
	struct region *r;
	struct ins *i;
	u64 ones;                      /* all bits of a lane */
	u64 w;                         /* their number */
};

#ifndef FOLD_HIT
#define FOLD_HIT(line) ((void)0)
#endif
#ifndef FOLD_DEF
#define FOLD_DEF "ir/fold.def"
#endif

/* -- what is known about a value -- */

static inline int bitsof(u64 v) { return v ? 64 - __builtin_clzll(v) : 0; }
static inline u64 lowmask(int n) { return n >= 64 ? ~(u64)0 : ((u64)1 << n) - 1; }
static inline int ispow2(u64 v) { return v && !(v & (v - 1)); }
static inline int islowmask(u64 v) { return v && !(v & (v + 1)); }
static inline int isunit(u64 n) { return n == 8 || n == 16 || n == 32; }       /* bits that hosts extend at once */
static inline u64 log2of(u64 v) { return (u64)__builtin_ctzll(v); }
static inline u64 least(u64 a, u64 b) { return a < b ? a : b; }

static int width(const struct region *, ref);

/* The same of a sum, if its summands are none. */
static int
sumwidth(const struct region *r, const struct ins *i, int full)
{
	int a, b;

	if (ty_isvec(i->ty) || (!isk(i->a) && r->ins[i->a].op == O_add) || (!isk(i->b) && r->ins[i->b].op == O_add))
		return full;
	a = width(r, i->a);
	b = width(r, i->b);
	a = a > b ? a : b;
	return a < full ? a + 1 : full;
}

/* The number of low bits that may be other than zero, of an integer value. */
static int
width(const struct region *r, ref x)
{
	if (isk(x))
		return bitsof(kval(r, x));
	const struct ins *i = &r->ins[x];
	int full = ty_bits(i->ty);
	switch (i->op) {
	case O_zxt: case O_bfx:
		return i->imm < full ? i->imm : full;
	case O_and:
		return isk(i->b) && full <= 64 ? (int)least((u64)bitsof(kval(r, i->b)), (u64)full) : full;
	case O_shr:
		return isk(i->b) && full <= 64 && kval(r, i->b) < (u64)full ? full - (int)kval(r, i->b) : full;
	case O_add:
		return sumwidth(r, i, full);
	case O_clz: case O_ctz: case O_cls: case O_popcnt:
		return ty_isvec(i->ty) ? full : 7;
	case O_umov: case O_movfi:
		return ty_lanebits(i->v);
	}
	switch (opinfo[i->op].res) {
	case 'B': return 1;
	case 'X': return full;
	default: return 64;
	}
}

/* A sum with X(x) would need the variable's old value beside the new one. */
static inline int
follows(const struct region *r, ref x)
{
	const struct ins *old = &r->ins[r->ins[x].a & ~REF_K], *now;

	if (isk(r->ins[x].a) || old->op != O_get || r->last[old->v] < r->known)
		return 0;
	now = &r->ins[r->last[old->v]];
	return now->op == O_put && now->a == x;
}

static inline int
raised(const struct region *r, ref x)
{
	const struct ins *i = &r->ins[x & ~REF_K];

	return !isk(x) && i->op == O_shl && i->ty <= I64 && isk(i->b) && kval(r, i->b) < (u64)ty_bits(i->ty);
}

/* x as a value of the instruction's type: not if it has bits above. */
static ref
use(const struct fold *f, ref x)
{
	int ty = f->i->ty;

	if (isk(x))
		return ty < I128 ? ir_k(f->r, kval(f->r, x) & f->ones) : 0;
	if (ty < I128)
		return ty_bits(ir_type(&f->r->ins[x])) <= (int)f->w || width(f->r, x) <= (int)f->w ? x : 0;
	int have = ir_type(&f->r->ins[x]);
	return have == ty || (ty_isvec(have) && ty_isvec(ty) && ty_bits(have) == ty_bits(ty)) ? x : 0;
}

static inline int
isvalue(const struct fold *f, ref x, int op)
{
	return x && !isk(x) && f->r->ins[x].op == op && f->r->ins[x].ty == f->i->ty;
}

/* The vector whose high half is the low half of x, if x is or was moved from one, or 0. */
static ref
movedfrom(const struct region *r, ref x)
{
	const struct ins *i = &r->ins[x];

	if (i->op == O_vext && i->imm == 8)
		return i->a;
	return i->op == O_duplane && i->v == 1 && ty_lanebits(i->ty) == 64 ? i->a : 0;
}

/* The same if x may also be made lane by lane of two such. */
static inline ref
upper(struct region *r, ref x)
{
	const struct ins i = r->ins[x];
	ref t = movedfrom(r, x), a, b;

	if (t || (i.op != O_uabd && i.op != O_sabd))
		return t;
	a = movedfrom(r, i.a);
	b = movedfrom(r, i.b);
	return a && b ? ir_op(r, i.op, i.ty, a, b, 0) : 0;
}

/* A comparison whose opposite is one too (not between floats: NaNs). */
static inline int
opposable(const struct region *r, ref x)
{
	return !isk(x) && (r->ins[x].op == O_fcc || r->ins[x].op == O_set);
}

static inline ref
opposite(struct region *r, ref x)
{
	static const u8 rel[] = {
		[R_EQ] = R_NE, [R_NE] = R_EQ, [R_LTU] = R_GEU, [R_GEU] = R_LTU, [R_LTS] = R_GES,
		[R_GES] = R_LTS, [R_LEU] = R_GTU, [R_GTU] = R_LEU, [R_LES] = R_GTS, [R_GTS] = R_LES,
		[R_TST] = R_NTST, [R_NTST] = R_TST,
	};
	struct ins i = r->ins[x];

	return ir_opx(r, i.op, i.ty, i.aux, i.op == O_fcc ? i.v ^ 1 : rel[i.v], i.imm, i.a, i.b, i.c);
}

static inline int
swapped(int rel)
{
	static const u8 to[] = {
		[R_EQ] = R_EQ, [R_NE] = R_NE, [R_LTU] = R_GTU, [R_GEU] = R_LEU, [R_LTS] = R_GTS,
		[R_GES] = R_LES, [R_LEU] = R_GEU, [R_GTU] = R_LTU, [R_LES] = R_GES, [R_GTS] = R_LTS,
		[R_TST] = R_TST, [R_NTST] = R_NTST,
	};

	return to[rel];
}

/* What a choice is between the operands of the relation that it is made by: the lesser or the greater one; or 0. */
static inline int
extreme(const struct region *r, const struct ins *sel)
{
	const struct ins *set = &r->ins[sel->a & ~REF_K];

	if (isk(sel->a) || set->op != O_set || set->ty != sel->ty || set->ty < I32 || set->ty > I64)
		return 0;
	return ir_extreme(set, set->v, sel->b, sel->c);
}

/* x is the sign extension of its n low bits. */
static inline int
isshort(const struct region *r, ref x, int n)
{
	const struct ins *i = &r->ins[x & ~REF_K];
	s64 k = isk(x) ? (s64)kval(r, x) : 0;

	if (isk(x))
		return k << (64 - n) >> (64 - n) == k;
	if (i->ty != I64)
		return 0;
	switch (i->op) {
	case O_sxt: case O_sbfx:
		return i->imm <= n;
	case O_lds:
		return i->v <= n;
	}
	return 0;
}

/* The 0-or-1 value whose negative x is. */
static inline ref
negated(const struct region *r, ref x)
{
	const struct ins *i = &r->ins[x & ~REF_K];

	return !isk(x) && i->op == O_neg && i->ty <= I64 && !isk(i->a) && width(r, i->a) <= 1 ? i->a : 0;
}

/* The comparison, if x is -n where it holds, else 0. */
static inline ref
less(const struct fold *f, ref x, u64 n)
{
	const struct region *r = f->r;
	const struct ins *i = &r->ins[x & ~REF_K];
	ref set;

	if (isk(x) || i->op != O_and || i->ty > I64 || ty_bits(i->ty) < (int)f->w || !isk(i->b) ||
	    (kval(r, i->b) + n) & f->ones || !(set = negated(r, i->a)) || ty_bits(r->ins[i->a].ty) < (int)f->w)
		return 0;
	return opposable(r, set) ? set : 0;
}

static inline ref
zero(const struct fold *f)
{
	ref k = ir_k(f->r, 0);

	return ty_isvec(f->i->ty) ? ir_op(f->r, O_dup, I64 | (f->i->ty & ~LANE), k, 0, 0) : k;
}

static inline ref
zxt64(struct region *r, ref x, int n)
{
	return n >= 64 ? x : ir_opx(r, O_zxt, I64, 0, 0, n, x, 0, 0);
}

/* -- constants -- */

/* The value of an instruction on constants alone; 0 if it has none. */
static ref
constant(const struct fold *f)
{
	const struct ins *i = f->i;
	const struct opinfo *o = &opinfo[i->op];
	const ref arg[3] = { i->a, i->b, i->c };
	u64 v[3] = {0};

	if (i->ty >= I128 || o->res == 'F' || !ir_hasvalue(i->op))
		return 0;
	for (int n = 0; n < 3; n++) {
		if (o->arg[n] == 'N')
			continue;
		if (!isk(arg[n]) || o->arg[n] == 'F' || o->arg[n] == 'E')
			return 0;
		v[n] = kval(f->r, arg[n]);
	}
	return ir_k(f->r, ir_value(i->op, i->ty, v[0], v[1], v[2], i->v, i->imm));
}

/* -- the rules -- */

static ref
rules(const struct fold *f)
{
	struct region *r = f->r;
	struct ins *i = f->i;
	const ref a = i->a, b = i->b, c = i->c;
	const int ty = i->ty, imm = i->imm, isvec = ty_isvec(ty), rel = i->v;
	const u64 W = f->w, ONES = f->ones;
	const u64 ka = isk(a) ? kval(r, a) & ONES : 0, kb = isk(b) ? kval(r, b) & ONES : 0;
	const u64 kc = isk(c) ? kval(r, c) & ONES : 0;
	ref t;

	(void)imm, (void)isvec, (void)rel, (void)W, (void)ka, (void)kc;        /* as the rules may need */
#define ON(op) break; case O_##op:
#define ALSO(op) case O_##op:
#define FOLD(when, then) if ((when) && (t = (then))) { FOLD_HIT(__LINE__); return t; }
#define isa(n) (isk(a) && ka == ((u64)(n) & ONES))
#define isb(n) (isk(b) && kb == ((u64)(n) & ONES))
#define from(x, op) isvalue(f, x, O_##op)
#define X(x) (r->ins[x].a)
#define Y(x) (r->ins[x].b)
#define ky(x) (kval(r, Y(x)) & ONES)
#define IMM(x) (r->ins[x].imm)
#define rotates(x, y) (X(x) == X(y) && isk(Y(x)) && isk(Y(y)) && ky(x) + ky(y) == W)
#define raised(x) raised(r, x)
#define by(x) (int)kval(r, Y(x))
#define bits(x) ty_bits(r->ins[x].ty)
#define follows(x) follows(r, x)
#define upper(x) upper(r, x)
#define fits(x, n) (!isvec && width(r, x) <= (n))
#define opposable(x) opposable(r, x)
#define extreme() extreme(r, i)
#define isshort(x, n) isshort(r, x, n)
#define negated(x) negated(r, x)
#define less(x, n) less(f, x, n)
#define USE(x) use(f, x)
#define K(n) ir_k(r, (u64)(n) & ONES)
#define ZERO zero(f)
#define NEW(op, x, y) ir_op(r, O_##op, ty, x, y, 0)
#define NEWX(op, x, y) ir_op(r, op, ty, x, y, 0)
#define NEWI(op, v, imm, x) ir_opx(r, O_##op, ty, 0, (int)(v), (s32)(imm), x, 0, 0)
#define SET(rel, x, y) ir_opx(r, O_set, ty, 0, rel, 0, x, y, 0)
#define NOT(x) opposite(r, x)
#define ZXT64(x, n) zxt64(r, x, n)
	switch (i->op) {
	default:
#include FOLD_DEF
	}
#undef ON
#undef ALSO
#undef FOLD
#undef isa
#undef isb
#undef from
#undef X
#undef Y
#undef ky
#undef IMM
#undef rotates
#undef raised
#undef by
#undef bits
#undef follows
#undef upper
#undef fits
#undef opposable
#undef extreme
#undef isshort
#undef negated
#undef less
#undef USE
#undef K
#undef ZERO
#undef NEW
#undef NEWX
#undef NEWI
#undef SET
#undef NOT
#undef ZXT64
	return 0;
}

ref
ir_fold(struct region *r, struct ins *i)
{
	int w = ty_lanebits(i->ty);
	struct fold f = { .r = r, .i = i, .w = (u64)w, .ones = w >= 64 ? ~(u64)0 : lowmask(w) };

	if (opinfo[i->op].traits & COMM && isk(i->a) && !isk(i->b)) {
		ref t = i->a;
		i->a = i->b;
		i->b = t;
	}
	if (isk(i->a)) {
		ref t = constant(&f);
		if (t)
			return t;
	}
	return rules(&f);
}
