/* SPDX-License-Identifier: MIT */
/* build.c - appends instructions to a region, folding and merging as they come
 *
 * Merging: a pure instruction equal to an earlier one of the same block yields the earlier value.
 * hash[] holds the last instruction of each hash; it is never cleared, an entry is valid when
 * it lies in the open block.  The same holds for khash[] over the whole region. */
#include <stdlib.h>
#include "ir/ir.h"

const struct opinfo opinfo[O_COUNT] = {
#define KIND(k) #k[0]
#define OP(name, r, a, b, c, traits, value) [O_##name] = {#name, KIND(r), {KIND(a), KIND(b), KIND(c)}, traits},
#include "ir/op.def"
#undef OP
#undef KIND
};

void
region_init(struct region *r, const struct guest *g, gaddr pc, u32 mode)
{
	r->guest = g;
	r->pc = r->insn_pc = pc;
	r->mode = mode;
	r->fpnan = r->fpflush = 0;
	r->nins = 1;
	r->nk = r->nblock = r->nrange = r->ninsn = r->nmark = r->broken = r->unboxes = r->pieces = 0;
	r->bstart = r->sorted = 1;
	if (!r->capins)
		r->ins = grow(r->ins, 1, &r->capins, sizeof *r->ins);
	r->ins[0] = (struct ins){.ty = N};
	memset(r->hash, 0, sizeof r->hash);
	memset(r->khash, 0, sizeof r->khash);
	memset(r->cur, 0, sizeof r->cur);
	memset(r->changes, 0, sizeof r->changes);
}

void
region_free(struct region *r)
{
	free(r->ins);
	free(r->k);
	free(r->block);
	free(r->range);
	free(r->mark);
	*r = (struct region){0};
}

int
ir_block(struct region *r, gaddr pc)
{
	struct block *b;

	r->block = grow(r->block, r->nblock, &r->capblock, sizeof *r->block);
	b = &r->block[r->nblock];
	r->sorted &= !r->nblock || b[-1].pc < pc;
	*b = (struct block){.pc = pc, .first = r->nins};
	r->bstart = r->nins;
	r->insn_pc = pc;
	memset(r->cur, 0, (size_t)r->guest->nreg * sizeof *r->cur);
	return r->nblock++;
}

int
ir_blockat(const struct region *r, gaddr pc)
{
	int lo = 0, hi = r->nblock;

	if (!r->sorted) {
		for (int i = 0; i < r->nblock; i++)
			if (r->block[i].pc == pc)
				return i;
		return -1;
	}
	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (r->block[mid].pc < pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->nblock && r->block[lo].pc == pc ? lo : -1;
}

/* Room for one more; 0 if the region is full. */
static int
more(struct region *r)
{
	if (r->nins >= REF_K - 1) {
		r->broken = 1;
		return 0;
	}
	r->ins = grow(r->ins, r->nins, &r->capins, sizeof *r->ins);
	return 1;
}

static inline ref
append(struct region *r, struct ins i)
{
	int n = r->nins;

	if (n >= r->capins && !more(r))
		return (ref)(n - 1);
	r->ins[n] = i;
	r->block[r->nblock - 1].n++;
	r->nins = n + 1;
	return (ref)n;
}

/* The same for what passes over control flow want to find. */
static ref
appendmarked(struct region *r, struct ins i)
{
	r->mark = grow(r->mark, r->nmark, &r->capmark, sizeof *r->mark);
	r->mark[r->nmark++] = (u16)r->nins;
	return append(r, i);
}

static int
ismarked(const struct region *r, const struct ins *i)
{
	return i->op == O_get || i->op == O_put ? i->v == r->guest->flags :
	    i->op == O_help || i->op == O_vhelp || opinfo[i->op].traits & (LEAVE | END);
}

ref
ir_append(struct region *r, struct ins i)
{
	return ismarked(r, &i) ? appendmarked(r, i) : append(r, i);
}

void
ir_insn(struct region *r, gaddr pc)
{
	r->insn_pc = pc;
	r->ninsn++;
	append(r, (struct ins){.op = O_insn, .ty = N, .imm = (s32)(pc - r->block[r->nblock - 1].pc)});
}

ref
ir_k(struct region *r, u64 v)
{
	u32 h = (u32)(v * 0x9e3779b97f4a7c15 >> 58);
	u16 at = r->khash[h];

	if (at && r->k[at - 1] == v)
		return (ref)(REF_K | (at - 1));
	if (r->nk >= REF_K - 1) {
		r->broken = 1;
		return REF_K;
	}
	r->k = grow(r->k, r->nk, &r->capk, sizeof *r->k);
	r->k[r->nk] = v;
	r->khash[h] = (u16)(r->nk + 1);
	return (ref)(REF_K | r->nk++);
}

/* A value of type have is what a get of type want would read: a vector is bits whatever its lanes. */
static int
serves(int have, int want)
{
	return have == want || (ty_isvec(have) && ty_isvec(want) && ty_bits(have) == ty_bits(want));
}

ref
ir_get(struct region *r, int ty, int var)
{
	ref t = r->cur[var];
	struct ins i;

	if (t && isk(t))
		return ty == I32 ? ir_k(r, (u32)kval(r, t)) : t;
	if (t && serves(ir_type(&r->ins[t]), ty))
		return t;
	/* A narrower integer that was put is zero-extended, so it serves as the I64 it became. */
	if (t && r->curput[var] && ty == I64 && ir_type(&r->ins[t]) < I64 && r->ins[t].op != O_get)
		return t;
	if (t && ty == I32 && r->ins[t].ty == I64)
		return ir_opx(r, O_zxt, I32, 0, 0, 32, t, 0, 0);
	i = (struct ins){.op = O_get, .ty = (u8)ty, .v = (u16)var};
	t = var == r->guest->flags ? appendmarked(r, i) : append(r, i);
	if (!r->cur[var]) {
		r->cur[var] = t;
		r->curput[var] = 0;
	}
	return t;
}

void
ir_put(struct region *r, int ty, int var, ref t)
{
	struct ins i;

	/* The value it already has, unless putting back a part clears what lies above it. */
	if (r->cur[var] == t && !r->curput[var] && !isk(t) && ty_bits(ty) >= r->guest->reg[var].bits
	    && ty_bits(r->ins[t].ty) >= r->guest->reg[var].bits)
		return;
	/* What is put is what a later get finds: cut a wider value now. */
	if (ty == I32)
		t = isk(t) ? ir_k(r, (u32)kval(r, t)) : ir_opx(r, O_zxt, I32, 0, 0, 32, t, 0, 0);
	i = (struct ins){.op = O_put, .ty = (u8)ty, .v = (u16)var, .a = t};
	if (var == r->guest->flags)
		appendmarked(r, i);
	else
		append(r, i);
	r->cur[var] = t;
	r->curput[var] = r->changes[var] = 1;
}

_Static_assert(sizeof(struct ins) == 16, "no padding: instructions are compared as two words");

static inline u32
hashins(const struct ins *i)
{
	u64 lo = ld64(i), hi = ld64((const u8 *)i + 8);

	return (u32)((lo ^ hi << 23 ^ hi >> 41) * 0x9e3779b97f4a7c15 >> 56);
}

static inline int
same(const struct ins *x, const struct ins *y)
{
	return !memcmp(x, y, sizeof *x);
}

/* A helper may change any variable if it touches state: forget what is known. */
static void
forget(struct region *r, const struct ins *i)
{
	if (i->op == O_vhelp)
		r->cur[i->aux & 0xff] = 0;
	if ((i->op == O_help || i->op == O_vhelp) && ir_helper(r, i->v)->flags & HELP_STATE)
		memset(r->cur, 0, (size_t)r->guest->nreg * sizeof *r->cur);
}

ref
ir_opx(struct region *r, int op, int ty, int aux, int v, s32 imm, ref a, ref b, ref c)
{
	struct ins i = {.op = (u8)op, .ty = (u8)ty, .aux = (u16)aux, .v = (u16)v, .imm = imm,
	    .a = a, .b = b, .c = c};
	ref t;
	u32 h;

	if (!(opinfo[op].traits & PURE)) {
		forget(r, &i);
		return ir_append(r, i);
	}
	if ((t = ir_fold(r, &i)))
		return t;
	h = hashins(&i);
	t = r->hash[h];
	if (t >= r->bstart && same(&r->ins[t], &i))
		return t;
	return r->hash[h] = append(r, i);
}

ref
ir_op(struct region *r, int op, int ty, ref a, ref b, ref c)
{
	return ir_opx(r, op, ty, 0, 0, 0, a, b, c);
}
