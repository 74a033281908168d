/* SPDX-License-Identifier: MIT */
/* val.c - where values are: homes, temporary registers, spill slots
 *
 * A value can be in several places at once.  What holds of them:
 *  - val.reg: a temporary register; the value is in it complete (zero-extended).  in[class][reg] names it.
 *  - val.var, val.var2: homes that hold it; homed[var] names it.  With VAL_NARROW (a get of a narrower
 *    type) the bits above the type's width are not those of the value.
 *  - val.slot: a spill slot, complete.
 *  - owed: a value put to owedvar that is in its register only, as the next put comes before anybody looks at the home
 *    but for faults, which find the register in the map.
 * Nothing is released when a value dies or its block ends: a place is free when its value's last use is past. */
#include "backend/x86_64/int.h"

enum { INT, VEC_ };                    /* classes */

/* The order in which they are taken: xmm0 last, which SHA's rounds want. */
static inline int nth(int c, int k) { return c == VEC_ ? k + 1 < x86_nvtemp ? k + 1 : 0 : k; }
static inline int ntemp(int c) { return c == VEC_ ? x86_nvtemp : NRTEMP; }

static int
class_of(const struct x86 *x, ref t)
{
	return ty_vclass(x->val[t].ty);
}

static struct mem
home_mem(int var)
{
	return mem_at(RBP, x86_home[var].disp);
}

static struct mem
slot_mem(int c, int slot)
{
	return c ? m_cpu(offsetof(struct cpu, vspill) + 64 * (size_t)(slot - 1)) :
	    m_cpu(offsetof(struct cpu, spill) + 8 * (size_t)(slot - 1));
}

static void
store(struct x86 *x, int c, struct mem m, int s)
{
	if (c)
		xv_store(x, 16, s, m);
	else
		mov_mr(&x->a, 64, m, s);
}

/* the bytes that matter of a vector-class value */
static int
vbytes(const struct x86 *x, ref t)
{
	return ty_bits(x->val[t].ty) / 8;
}

/* -- spilling -- */
static int
new_slot(struct x86 *x, int c, ref t)
{
	int n = c ? NVSLOT : NRSLOT;

	for (int s = 0; s < n; s++)
		if (!x->slot[c][s] || x->val[x->slot[c][s]].last < x->i) {
			x->slot[c][s] = t;
			return s + 1;
		}
	x->failed = 1;
	return 1;
}

/* it has another place than its register */
static int
elsewhere(const struct val *v)
{
	return v->slot || v->var != NOVAR;
}

/* ... where it is complete */
static int
inmemory(const struct val *v)
{
	return v->slot || (v->var != NOVAR && !(v->flags & VAL_NARROW));
}

/* it, or the low half of what was made of it, is in a register that is a home */
static int
inhome(const struct val *v)
{
	return v->var != NOVAR && x86_home[v->var].reg >= 0;
}

/* The value owed has another place from here on. */
static void
moved(struct x86 *x)
{
	if (x->mapped)
		x_map(x);
}

/* The home is told what it is owed. */
static void
pay(struct x86 *x)
{
	ref t = x->owed;

	x->owed = 0;
	mov_mr(&x->a, 64, home_mem(x->owedvar), x->val[t].reg);
	val_inhome(x, t, x->owedvar);
	moved(x);
}

/* Empties a temporary register whose value is used later. */
static void
spill(struct x86 *x, int c, int reg)
{
	ref t = x->in[c][reg];
	struct val *v = &x->val[t];

	if (t && t == x->owed)
		pay(x);
	if (!elsewhere(v)) {
		v->slot = (u8)new_slot(x, c, t);
		store(x, c, slot_mem(c, v->slot), reg);
	}
	v->reg = -1;
	x->in[c][reg] = 0;
}

static void
forget(struct x86 *x, int c, int reg)
{
	ref t = x->in[c][reg];

	if (t && t == x->owed)
		pay(x);
	if (t && x->val[t].reg == reg)
		x->val[t].reg = -1;
	x->in[c][reg] = 0;
}

/* A temporary register for the rest of the instruction; dying: one whose value dies here will do. */
static int
take_any(struct x86 *x, int c, int dying)
{
	int best = -1, score = 0;

	for (int n = ntemp(c), k = 0; k < n; k++) {
		int r = nth(c, k), s;
		ref t = x->in[c][r];

		if (x->lock[c] >> r & 1)
			continue;
		if (!t || x->val[t].last < x->i || (dying && x->val[t].last == x->i)) {
			score = 4;
			best = r;
			break;
		}
		s = inhome(&x->val[t]) ? 3 : inmemory(&x->val[t]) || t == x->owed ? 2 : 1;
		if (s > score) {
			score = s;
			best = r;
		}
	}
	if (best < 0) {
		x->failed = 1;         /* cannot happen: an emitter asked for a fourth */
		return 0;
	}
	if (score < 4)
		spill(x, c, best);
	forget(x, c, best);
	x->lock[c] |= 1u << best;
	return best;
}

static void
own(struct x86 *x, int c, ref t, int reg)
{
	x->in[c][reg] = t;
	x->val[t].reg = (s8)reg;
	x->lock[c] |= 1u << reg;
}

/* -- homes -- */

/* Copies a value that has no place but the home of var. */
static void
rescue(struct x86 *x, ref t, int var)
{
	const struct home *h = &x86_home[var];
	struct val *v = &x->val[t];
	int c = class_of(x, t), bits = x->val[t].ty, reg = -1;

	for (int n = ntemp(c), k = 0, r; k < n && reg < 0; k++)
		if (r = nth(c, k), !(x->lock[c] >> r & 1) && (!x->in[c][r] || x->val[x->in[c][r]].last < x->i))
			reg = r;
	if (reg < 0) {                 /* none is free: straight to a slot if the home is a register */
		if (h->reg >= 0) {
			v->slot = (u8)new_slot(x, c, t);
			if (v->flags & VAL_NARROW) {
				mov_mi(&x->a, 64, slot_mem(c, v->slot), 0);
				mov_mr_n(&x->a, ty_bits(bits), slot_mem(c, v->slot), h->reg);
				v->flags &= (u8)~VAL_NARROW;
			} else {
				store(x, c, slot_mem(c, v->slot), h->reg);
			}
			return;
		}
		reg = take_any(x, c, 0);
		x->lock[c] &= ~(1u << reg);
	}
	forget(x, c, reg);
	if (c && h->reg >= 0)
		xv_mov(x, reg, h->reg);
	else if (c)
		xv_load(x, vbytes(x, t), reg, home_mem(var));
	else if (h->reg >= 0)
		movzx_rr(&x->a, v->flags & VAL_NARROW ? ty_bits(bits) : 64, reg, h->reg);
	else
		movzx_rm(&x->a, v->flags & VAL_NARROW ? ty_bits(bits) : 64, reg, home_mem(var));
	x->in[c][reg] = t;
	v->reg = (s8)reg;
	v->flags &= (u8)~VAL_NARROW;
}

void
val_inhome(struct x86 *x, ref t, int var)
{
	ref *h = x->homed[var];
	struct val *v = &x->val[t];

	for (int n = 0; n < 4; n++)
		if (!h[n] || x->val[h[n]].last <= x->i) {
			h[n] = t;
			if (v->var == NOVAR)
				v->var = (u8)var;
			else
				v->var2 = (u8)var;
			return;
		}
	if (v->reg < 0 && !v->slot && v->var == NOVAR)
		rescue(x, t, var);     /* no room on the list */
}

void
val_leavehome(struct x86 *x, int var)
{
	ref *h = x->homed[var];

	for (int n = 0; n < x->nkept; n++)
		if (x->kept[n].var == var)
			x->kept[n] = x->kept[--x->nkept];
	for (int n = 0; n < 4 && h[n]; n++) {
		struct val *v = &x->val[h[n]];

		if (v->var == var || v->var2 == var) {
			if (v->last > x->i && v->reg < 0 && !v->slot && (v->var == NOVAR || v->var2 == NOVAR))
				rescue(x, h[n], var);
			if (v->var == var) {
				v->var = v->var2;
				v->var2 = NOVAR;
			} else {
				v->var2 = NOVAR;
			}
		}
		h[n] = 0;
	}
}

/* Whether the home of variable i->v, which is memory, need not be told the value, which is in register s. */
static int
owes(struct x86 *x, const struct ins *i, int s)
{
	u16 next = x->val[x->i].last;

	if (!next || x->owed || i->v >= 32 || !i->v || x->val[i->a].reg != s)
		return 0;
	if (x->val[i->a].last < next)
		x->val[i->a].last = next;
	x->owed = i->a;
	x->owedvar = (u8)i->v;
	return 1;
}

void
val_begin(struct x86 *x)
{
	memset(x->homed, 0, sizeof x->homed[0] * (size_t)x->r->guest->nreg);
	memset(x->in, 0, sizeof x->in);
	memset(x->slot, 0, sizeof x->slot);
}

void
val_get(struct x86 *x, ref t)
{
	const struct ins *i = &x->r->ins[t];
	const struct home *h = &x86_home[i->v];

	if (h->kind == REG_INT && ty_bits(i->ty) < 64)
		x->val[t].flags |= VAL_NARROW;
	val_inhome(x, t, i->v);
}

/* -- integer operands -- */

/* Emits a value that was left to this instruction but is wanted in a register after all. */
static void
make(struct x86 *x, ref t)
{
	u32 lock0 = x->lock[0], lock1 = x->lock[1];

	for (int r = 0; r < NRTEMP; r++)       /* what is dead by now was not where t stands */
		if (x->val[x->in[INT][r]].last < x->i)
			x->in[INT][r] = 0;
	x->val[t].flags &= (u8)~VAL_FOLD;
	x_emit(x, t);
	x->lock[0] = lock0;
	x->lock[1] = lock1;
}

static inline void
unfold(struct x86 *x, ref t)
{
	if (x->val[t].flags & VAL_FOLD)
		make(x, t);
}

/* A register that holds the word t with its sign above it, if the home that t was left in by val_under is none. */
static int
extended(const struct x86 *x, ref t)
{
	const struct val *v = &x->val[t];

	if (!(v->flags & VAL_NARROW) || v->ty != I32 || v->var == NOVAR || v->slot)
		return -1;
	for (int n = 0; n < 4 && x->homed[v->var][n]; n++) {
		ref e = x->homed[v->var][n];
		const struct ins *s = &x->r->ins[e];

		if (s->op == O_sxt && s->imm == 32 && s->a == t && xlive(x, e))
			return x_place(x, e, 64);
	}
	return -1;
}

static int
load_int(struct x86 *x, ref t)
{
	struct val *v = &x->val[t];
	int bits = v->flags & VAL_NARROW ? ty_bits(x->val[t].ty) : 64;
	int reg = take_any(x, INT, 0);

	if (v->slot)
		movzx_rm(&x->a, 64, reg, slot_mem(INT, v->slot));
	else if (v->var == NOVAR)
		x->failed = 1;         /* cannot happen: a value that is nowhere */
	else if (x86_home[v->var].reg >= 0)
		movzx_rr(&x->a, bits, reg, x86_home[v->var].reg);
	else
		movzx_rm(&x->a, bits, reg, home_mem(v->var));
	own(x, INT, t, reg);
	return reg;
}

int
xr_fetch(struct x86 *x, ref t, int bits)
{
	int reg;

	if (isk(t)) {
		reg = take_any(x, INT, 0);
		mov_ri(&x->a, reg, bits <= 32 ? (u32)kval(x->r, t) : kval(x->r, t));
		return reg;
	}
	unfold(x, t);
	if ((reg = x_place(x, t, bits)) < 0 && (bits > 32 || (reg = extended(x, t)) < 0))
		return load_int(x, t);
	x->lock[INT] |= 1u << reg;
	return reg;
}

int
xr_isreg(struct x86 *x, ref t)
{
	return !isk(t) && x_place(x, t, 32) >= 0;
}

int
xr_usem(struct x86 *x, ref t, int bits, struct mem *m)
{
	struct val *v;

	int reg;

	if (isk(t))
		return xr_fetch(x, t, bits);
	if ((reg = x_place(x, t, bits)) >= 0 || (bits <= 32 && (reg = extended(x, t)) >= 0)) {
		x->lock[INT] |= 1u << reg;
		return reg;
	}
	v = &x->val[t];
	if (v->flags & VAL_FOLD)
		return xr_fetch(x, t, bits);
	if (v->slot) {
		*m = slot_mem(INT, v->slot);
		return -1;
	}
	if (v->flags & VAL_NARROW && bits > ty_bits(x->val[t].ty))
		return xr_use(x, t, bits);
	*m = home_mem(v->var);
	return -1;
}

int
xr_hurry(struct x86 *x, ref t, struct mem m)
{
	for (int r = 0; r < NRTEMP && xr_waits(x, t); r++) {
		ref o = x->in[INT][r];

		if (x->lock[INT] >> r & 1 || (o && x->val[o].last >= x->i && x->val[o].reg == r && !inhome(&x->val[o])))
			continue;
		forget(x, INT, r);
		mov_rm(&x->a, 64, r, m);
		if (x->val[t].last > x->i && !(x->val[t].flags & VAL_NARROW))
			own(x, INT, t, r);
		x->lock[INT] |= 1u << r;
		return r;
	}
	return -1;
}

int
xr_take(struct x86 *x, int reg)
{
	ref t = x->in[INT][reg];
	struct val *v = &x->val[t];

	if (t && v->reg == reg && v->last >= x->i && !inmemory(v)) {
		int to = -1;

		for (int r = 0; r < NRTEMP && to < 0; r++) {
			ref o = x->in[INT][r];

			if (r != reg && !(x->lock[INT] >> r & 1) && (!o || x->val[o].last < x->i))
				to = r;
		}
		if (to >= 0) {
			forget(x, INT, to);
			mov_rr(&x->a, 64, to, reg);
			x->in[INT][to] = t;
			v->reg = (s8)to;
			x->in[INT][reg] = 0;
			if (t == x->owed)
				moved(x);
		} else {
			spill(x, INT, reg);
		}
	}
	forget(x, INT, reg);
	x->lock[INT] |= 1u << reg;
	return reg;
}

/* t is more than one operand of the instruction */
static int
used_twice(struct x86 *x, ref t)
{
	const struct ins *i = &x->r->ins[x->i];

	return (i->a == t) + (i->b == t) + (i->c == t) > 1;
}

int
xr_usein(struct x86 *x, ref t, int reg, int bits)
{
	struct mem m;
	int s;

	if (!isk(t)) {
		unfold(x, t);
		if (x->val[t].reg == reg && x->val[t].last <= x->i && !used_twice(x, t)) {
			x->lock[INT] |= 1u << reg;
			return reg;
		}
		if (x->val[t].reg == reg) {    /* used later: it moves away, we keep a copy */
			x->lock[INT] |= 1u << reg;
			s = take_any(x, INT, 0);
			mov_rr(&x->a, 64, s, reg);
			x->in[INT][reg] = 0;
			x->in[INT][s] = t;
			x->val[t].reg = (s8)s;
			if (t == x->owed)
				moved(x);
			x->lock[INT] &= ~(1u << s);
			return reg;
		}
	}
	xr_take(x, reg);
	u32 lock = x->lock[INT];       /* the copy is what we hold, not the original */
	if (isk(t))
		mov_ri(&x->a, reg, bits <= 32 ? (u32)kval(x->r, t) : kval(x->r, t));
	else if ((s = xr_usem(x, t, bits, &m)) >= 0)
		mov_rr(&x->a, bits <= 32 ? 32 : 64, reg, s);
	else
		mov_rm(&x->a, bits <= 32 ? 32 : 64, reg, m);
	x->lock[INT] = lock;
	return reg;
}

/* -- results -- */

/* The home the plan wants t computed into, if it is a register; its former value is rescued. */
static int
wanted(struct x86 *x, ref t, int distinct)
{
	int var = x->val[t].want, c = class_of(x, t), reg;

	if (var == NOVAR || (reg = x86_home[var].reg) < 0 || (x86_home[var].kind == REG_INT) == c)
		return -1;
	if (distinct && x->lock[c] >> reg & 1)
		return -1;
	x->lock[c] |= 1u << reg;
	val_leavehome(x, var);
	val_inhome(x, t, var);
	return reg;
}

static int
dying_operand(struct x86 *x, int c, ref t)
{
	const struct ins *i = &x->r->ins[t];
	const ref o[3] = {i->a, i->b, i->c};

	for (int n = 0; n < 3; n++)
		if (o[n] && !isk(o[n]) && x->val[o[n]].last <= x->i && x->val[o[n]].reg >= 0 &&
		    class_of(x, o[n]) == c && x->in[c][x->val[o[n]].reg] == o[n])
			return x->val[o[n]].reg;
	return -1;
}

static int
def(struct x86 *x, int c, ref t, int distinct)
{
	int reg = wanted(x, t, distinct);

	if (reg >= 0)
		return reg;
	if (!distinct && (reg = dying_operand(x, c, t)) >= 0)
		forget(x, c, reg);
	else
		reg = take_any(x, c, 1);
	own(x, c, t, reg);
	return reg;
}

int
xr_isfree(const struct x86 *x)
{
	if (x->val[x->i].want != NOVAR)
		return 0;
	for (int r = 0; r < NRTEMP; r++)
		if (!(x->lock[INT] >> r & 1) && (!x->in[INT][r] || x->val[x->in[INT][r]].last < x->i))
			return 1;
	return 0;
}

int xr_def(struct x86 *x, ref t) { return def(x, INT, t, 0); }
int xr_defx(struct x86 *x, ref t) { return def(x, INT, t, 1); }
int xr_tmp(struct x86 *x) { return take_any(x, INT, 0); }
int xv_def(struct x86 *x, ref t) { return def(x, VEC_, t, 0); }
int xv_defx(struct x86 *x, ref t) { return def(x, VEC_, t, 1); }
int xv_tmp(struct x86 *x) { return take_any(x, VEC_, 0); }
void xv_zx(struct x86 *x, ref t) { x->val[t].flags |= VAL_ZX; }

void
xr_set(struct x86 *x, ref t, int reg)
{
	own(x, INT, t, reg);
}

int
xv_defisfree(struct x86 *x, ref t)
{
	int var = x->val[t].want;

	return (var != NOVAR && x86_home[var].reg >= 0 && x86_home[var].kind != REG_INT) || dying_operand(x, VEC_, t) >= 0;
}

void
xv_set(struct x86 *x, ref t, int reg)
{
	own(x, VEC_, t, reg);
}

int
xv_deflow(struct x86 *x, ref t)
{
	int var = x->val[t].want;

	if (var != NOVAR && isvhi(x86_home[var].reg))
		x->val[t].want = NOVAR;
	return xv_def(x, t);
}

/* -- vector operands -- */
static int
load_vec(struct x86 *x, ref t)
{
	struct val *v = &x->val[t];
	int reg = take_any(x, VEC_, 0);

	if (v->slot)
		xv_load(x, 16, reg, slot_mem(VEC_, v->slot));
	else if (v->var == NOVAR)
		x->failed = 1;         /* cannot happen */
	else
		xv_load(x, vbytes(x, t), reg, home_mem(v->var));
	own(x, VEC_, t, reg);
	return reg;
}

int
xv_fetch(struct x86 *x, ref t)
{
	int reg;

	if (isk(t)) {
		reg = take_any(x, VEC_, 0);
		if (kval(x->r, t))
			xv_load(x, 16, reg, xv_const(kval(x->r, t), 0));
		else
			xv_zero(x, reg);
		return reg;
	}
	unfold(x, t);
	if ((reg = x_place(x, t, 64)) < 0)
		return load_vec(x, t);
	x->lock[VEC_] |= 1u << reg;
	return reg;
}

int
xv_usem(struct x86 *x, ref t, struct mem *m)
{
	struct val *v;

	if (isk(t)) {
		*m = xv_const(kval(x->r, t), 0);
		return -1;
	}
	unfold(x, t);
	v = &x->val[t];
	if (x_place(x, t, 64) >= 0)
		return xv_use(x, t);
	*m = v->slot ? slot_mem(VEC_, v->slot) : home_mem(v->var);
	return -1;
}

int
xv_low(struct x86 *x, ref t)
{
	int reg = xv_use(x, t), low;

	if (!isvhi(reg))
		return reg;
	low = take_any(x, VEC_, 0);
	xv_mov(x, low, reg);
	return low;
}

int
xv_copy(struct x86 *x, ref t)
{
	int reg = xv_use(x, t), to;

	if (!isk(t) && reg < x86_nvtemp && x->in[VEC_][reg] == t && x->val[t].last <= x->i) {
		forget(x, VEC_, reg);
		return reg;
	}
	if (isk(t))
		return reg;
	to = take_any(x, VEC_, 0);
	xv_mov(x, to, reg);
	return to;
}

/* -- put -- */
static void
put_vec(struct x86 *x, const struct ins *i, const struct home *h)
{
	struct val *v = &x->val[i->a & ~REF_K];
	int clear = h->kind == REG_VEC && (ty_isfloat(i->ty)) && (isk(i->a) || !(v->flags & VAL_ZX));
	int isin = !isk(i->a) && (v->var == i->v || v->var2 == i->v);
	int s = xv_use(x, i->a);

	if (isin && !clear)
		return;
	val_leavehome(x, i->v);        /* clearing changes it for wider values in it, too */
	if (clear) {
		int d = h->reg >= 0 ? h->reg : s < x86_nvtemp ? s : xv_tmp(x);

		xv_clear(x, ty_bits(i->ty), d, s);
		s = d;
	}
	if (h->reg < 0)
		xv_store(x, h->kind == REG_FP ? 8 : 16, s, home_mem(i->v));
	else if (!clear)
		xv_mov(x, h->reg, s);
	if (!isk(i->a))
		val_inhome(x, i->a, i->v);
}

static void
put_const(struct x86 *x, const struct ins *i, const struct home *h)
{
	u64 k = kval(x->r, i->a);

	val_leavehome(x, i->v);
	if (h->reg >= 0 && x->nkept < (int)NELEM(x->kept)) {
		x->kept[x->nkept].k = i->a;
		x->kept[x->nkept++].var = (u8)i->v;
	}
	if (h->reg >= 0 && !k && !keepflags(x))
		alu_rr(&x->a, A_XOR, 32, h->reg, h->reg);
	else if (h->reg >= 0)
		mov_ri(&x->a, h->reg, k);
	else if (fits32((s64)k))
		mov_mi(&x->a, 64, home_mem(i->v), (s32)k);
	else
		mov_mr(&x->a, 64, home_mem(i->v), xr_use(x, i->a, 64));
}

void
val_put(struct x86 *x, const struct ins *i)
{
	const struct home *h = &x86_home[i->v];
	struct val *v = &x->val[i->a & ~REF_K];
	struct mem m;
	int s;

	if (h->kind == REG_VEC || h->kind == REG_FP) {
		put_vec(x, i, h);
		return;
	}
	if (isk(i->a)) {
		put_const(x, i, h);
		return;
	}
	unfold(x, i->a);
	if (!(v->flags & VAL_NARROW) && (v->var == i->v || v->var2 == i->v))
		return;
	if (h->reg < 0) {
		s = xr_use(x, i->a, 64);
		val_leavehome(x, i->v);
		if (owes(x, i, s))
			return;
		mov_mr(&x->a, 64, home_mem(i->v), s);
	} else if (v->flags & VAL_NARROW && v->reg < 0 && !v->slot && (s = x_place(x, i->a, 8)) >= 0) {
		val_leavehome(x, i->v);
		movzx_rr(&x->a, ty_bits(x->val[i->a].ty), h->reg, s);
	} else {
		s = xr_usem(x, i->a, 64, &m);
		val_leavehome(x, i->v);
		if (s >= 0)
			mov_rr(&x->a, 64, h->reg, s);
		else
			mov_rm(&x->a, 64, h->reg, m);
	}
	if (v->flags & VAL_NARROW) {   /* the new home holds it zero-extended, the old ones do not */
		v->flags &= (u8)~VAL_NARROW;
		v->var = v->var2 = NOVAR;
	}
	val_inhome(x, i->a, i->v);
}

/* A value of 32 bits that is used again need not keep its register for that. */
void
val_under(struct x86 *x, ref t, int var)
{
	struct val *v = &x->val[t & ~REF_K];

	if (isk(t) || v->ty != I32 || v->last <= x->i || v->var != NOVAR || v->slot || v->reg < 0)
		return;
	val_inhome(x, t, var);
	if (v->var == var)
		v->flags |= VAL_NARROW;
}

void
val_spillall(struct x86 *x)
{
	for (int c = 0; c < 2; c++)
		for (int r = 0; r < ntemp(c); r++) {
			ref t = x->in[c][r];

			if (t && x->val[t].last > x->i && x->val[t].reg == r)
				spill(x, c, r);
			else
				forget(x, c, r);
		}
}
