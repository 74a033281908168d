/* SPDX-License-Identifier: MIT */
/* bytes.c - words that were just stored byte by byte
 *
 * Compilers for RV64GC may not assume that misaligned accesses are fast, and copy an unaligned word to the
 * stack by bytes to load it from there.  Hosts cannot forward several stores to one load and wait until
 * they have left for the cache.  So a load of bytes that this block has stored takes them from their registers; the
 * stores stay.  It could not have faulted, and forwarding a thread's own stores is what the memory model allows
 * (Volume I, 17.1.2, "Load Value Axiom"), unless a fence or an atomic comes between.
 *
 * Outside the block somebody may have put the address of the stack slot in another register; then the code asks, when
 * it runs, whether the last stores went where the load looks. */
#include "frontend/riscv/riscv.h"

enum {
	BACK = 64,                     /* how many operations a store may lie back */
	ASKED = 4,                     /* bytes for which asking pays */
};

/* base + disp with constants taken out of base */
static ref
origin(const struct region *r, ref base, s64 *disp)
{
	const struct ins *i = &r->ins[base & ~REF_K];

	if (isk(base) || i->op != O_add || !isk(i->b))
		return base;
	*disp += (s64)kval(r, i->b);
	return i->a;
}

static int
matters(const struct ins *i)
{
	return i->op != O_insn && i->op != O_nop && i->op != O_brc && opinfo[i->op].traits & (WRITE | EFF);
}

static int
firstback(const struct region *r)
{
	return r->nins - BACK < r->bstart ? r->bstart : r->nins - BACK;
}

/* v[] gets the values of the last stores to the n bytes at base + disp, if each was one of a byte. */
static int
stored(const struct region *r, ref base, s64 disp, int n, ref *v)
{
	int missing = n, first = firstback(r);

	base = origin(r, base, &disp);
	for (int k = r->nins - 1; k >= first && missing; k--) {
		const struct ins *i = &r->ins[k];
		s64 at = i->imm;

		if (!matters(i))
			continue;
		if (i->op != O_st || i->b || origin(r, i->a, &at) != base)
			return 0;
		at -= disp;
		if (at >= n || at + ty_bits(i->ty) / 8 <= 0)
			continue;
		if (i->ty != I8)
			return 0;
		missing -= !v[at];
		if (!v[at])
			v[at] = i->c;
	}
	return !missing;
}

/* The same for the last n bytes that were stored, if they lie side by side, wherever: at *base + *disp. */
static int
storedlast(const struct region *r, int n, ref *v, ref *base, s64 *disp)
{
	enum { MID = 8 };
	ref seen[2 * MID] = {0};       /* MID is where the last one went */
	int missing = n, lo = MID, hi = MID, first = firstback(r);

	for (int k = r->nins - 1; k >= first && missing; k--) {
		const struct ins *i = &r->ins[k];
		s64 at = i->imm;

		if (!matters(i))
			continue;
		if (i->op != O_st || i->b || i->ty != I8)
			return 0;
		ref o = origin(r, i->a, &at);
		if (missing == n) {
			*base = o;
			*disp = at - MID;
		}
		at -= *disp;
		if (o != *base || at < 0 || at >= 2 * MID)
			return 0;
		missing -= !seen[at];
		if (!seen[at])
			seen[at] = i->c;
		lo = at < lo ? (int)at : lo;
		hi = at > hi ? (int)at : hi;
	}
	if (missing || hi - lo != n - 1)
		return 0;
	memcpy(v, seen + lo, (size_t)n * sizeof *v);
	*disp += lo;
	return 1;
}

/* The low byte of v; what `get` reads may be known to be one from what was put. */
static ref
byte(struct tr *t, ref v)
{
	const struct region *r = t->r;

	if (!isk(v) && r->ins[v].op == O_get)
		for (int k = v - 1; k >= r->bstart && v - k < BACK; k--)
			if (r->ins[k].op == O_put && r->ins[k].v == r->ins[v].v) {
				if (!isk(r->ins[k].a) && r->ins[r->ins[k].a].ty == I8)
					return v;
				break;
			}
	return tr_zxt(t, I64, v, 8);
}

/* n bytes from v[], as an unsigned number */
static ref
join(struct tr *t, const ref *v, int n)
{
	if (n == 1)
		return byte(t, v[0]);
	return tr_op2(t, O_or, I64, join(t, v, n / 2), tr_opk(t, O_shl, I64, join(t, v + n / 2, n / 2), (u64)n * 4));
}

static __attribute__((noinline)) ref
frombytes(struct tr *t, ref base, s32 disp, int n)
{
	ref v[8] = {0}, to = 0, known;
	s64 at = 0;

	if (stored(t->r, base, disp, n, v))
		return join(t, v, n);
	if (n < ASKED || !storedlast(t->r, n, v, &to, &at))
		return 0;
	known = join(t, v, n);
	to = tr_set(t, R_EQ, I64, to, tr_opk(t, O_add, I64, base, (u64)(disp - at)));
	return ir_opx(t->r, O_ldor, n == 4 ? I32 : I64, 0, 0, disp, base, to, known);
}

ref
rv_frombytes(struct tr *t, ref base, s32 disp, int n)
{
	return n == 1 || t->bytestored < firstback(t->r) ? 0 : frombytes(t, base, disp, n);
}
