/* SPDX-License-Identifier: MIT */
/* build.c - appends instructions to a region, folding and merging as they come
 *
 * Merging: a pure instruction equal to an earlier one of the same block yields the earlier value.
 * hash[] holds the last instruction of each hash; it is never cleared, an entry is valid when
 * it lies in the open block.  The same holds for khash[] over the whole region.
 *
 * A put is dead if its variable is put again later in the block with nothing between that could
 * look: a get, an instruction that may fault or leave, a helper that sees the state.  It becomes a nop that keeps the
 * variable in v and the value in imm: the variable's home is a free place for the value.  For the flags variable more
 * is known, after all blocks are there (dead.c).
 *
 * Code without indexed addresses makes them in a register that it does not need any more: put v, a + b;
 * t = ld [a + b]; put v, something else.  The first put is only for who sees the access fault.  It is left to that
 * (AUX_BASE), so that the host may add while it loads or stores. */
#include <stdatomic.h>
#include <stdlib.h>
#include "ir/ir.h"

const struct opinfo opinfo[O_COUNT] = {
#define KIND(k) #k[0]
#define OP(name, r, a, b, c, traits, value) [O_##name] = {#name, KIND(r), {KIND(a), KIND(b), KIND(c)}, traits, \
	KIND(r) == 'X' ? LANE : KIND(r) == 'F' ? FL : KIND(r) == 'N' ? N : I64},
#include "ir/op.def"
#undef OP
#undef KIND
};

/* Whoever does it may be killed, and others go on (vfork): the first instruction is there when all else is. */
void
region_init(struct region *r, const struct guest *g, gaddr pc, u32 mode)
{
	r->nins = 0;
	atomic_signal_fence(memory_order_seq_cst);
	r->guest = g;
	r->pc = r->insn_pc = pc;
	r->mode = mode;
	r->fpnan = r->fpflush = 0;
	r->nk = r->nblock = r->nrange = r->ninsn = r->nmark = r->broken = r->unboxes = r->pieces = r->again = 0;
	r->bstart = r->sorted = 1;
	if (!r->capins)
		grow(&r->ins, 1, &r->capins, sizeof *r->ins);
	r->ins[0] = (struct ins){.ty = N};
	memset(r->hash, 0, sizeof r->hash);
	memset(r->khash, 0, sizeof r->khash);
	memset(r->last, 0, sizeof r->last);
	memset(r->read, 0, sizeof r->read);
	r->look = r->lookbefore = 0;
	memset(r->changes, 0, sizeof r->changes);
	atomic_signal_fence(memory_order_seq_cst);
	r->nins = 1;
}

int
ir_fresh(struct region *r)
{
	r->bstart = r->known = (u16)r->nins;
	return r->nins;
}

void
region_next(struct region *r, const struct guest *g, gaddr pc, u32 mode)
{
	enum { ENOUGH = 2048 };        /* instructions: more memory is not needed */

	if (!r->nins || r->nins > ENOUGH || r->guest != g || r->broken) {
		region_init(r, g, pc, mode);
		return;
	}
	r->pc = r->insn_pc = pc;
	r->mode = mode;
	r->fpnan = r->fpflush = 0;
	r->nblock = r->nrange = r->ninsn = r->nmark = r->unboxes = r->pieces = r->again = 0;
	r->sorted = 1;
	r->look = r->lookbefore = 0;
	ir_fresh(r);
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

	grow(&r->block, r->nblock, &r->capblock, sizeof *r->block);
	b = &r->block[r->nblock];
	r->sorted &= !r->nblock || b[-1].pc < pc;
	*b = (struct block){.pc = pc, .first = r->nins, .turns = 1};
	r->open = b;
	r->bstart = r->known = (u16)r->nins;
	r->insn_pc = pc;
	return r->nblock++;
}

void
ir_unblock(struct region *r)
{
	r->nins = r->open->first;
	r->nblock--;
	while (r->nmark && r->mark[r->nmark - 1] >= r->nins)
		r->nmark--;
	memset(r->hash, 0, sizeof r->hash);
	memset(r->last, 0, sizeof r->last);
	memset(r->read, 0, sizeof r->read);
	r->look = r->lookbefore = 0;
}

int
ir_blockat(const struct region *r, gaddr pc)
{
	const struct block *b = r->block;
	int n = r->nblock;

	if (!r->sorted) {
		for (int i = 0; i < n; i++)
			if (b[i].pc == pc)
				return i;
		return -1;
	}
	if (!n || pc < b->pc || pc > b[n - 1].pc)
		return -1;
	for (int half; n > 1; n -= half) {
		half = n / 2;
		b = b[half].pc <= pc ? b + half : b;
	}
	return b->pc == pc ? (int)(b - r->block) : -1;
}

static ref appendmore(struct region *, struct ins);

static inline ref
append(struct region *r, struct ins i)
{
	int n = r->nins;

	if (n >= r->capins)
		return appendmore(r, i);
	r->ins[n] = i;
	r->open->n++;
	r->nins = n + 1;
	return (ref)n;
}

/* The same where there is no room, if the region is not full. */
static __attribute__((noinline)) ref
appendmore(struct region *r, struct ins i)
{
	if (r->nins >= REF_K - 1) {
		r->broken = 1;
		return (ref)(r->nins - 1);
	}
	grow(&r->ins, r->nins, &r->capins, sizeof *r->ins);
	return append(r, i);
}

/* The same for what passes over control flow want to find. */
static ref
appendmarked(struct region *r, struct ins i)
{
	grow(&r->mark, r->nmark, &r->capmark, sizeof *r->mark);
	r->mark[r->nmark++] = (u16)r->nins;
	return append(r, i);
}

/* What an operation asks of the builder. */
enum { MERGE = 1, MARK = 2, LOOK = 4, HELPER = 8, VAR = 16 };
static const u8 how[O_COUNT] = {
#define OP(name, r, a, b, c, traits, value) [O_##name] = \
	O_##name == O_help || O_##name == O_vhelp ? HELPER : O_##name == O_get || O_##name == O_put ? VAR : \
	O_##name == O_insn || O_##name == O_nop || O_##name == O_fence || O_##name == O_pref || O_##name == O_clrex ? 0 : \
	((traits) & PURE ? MERGE : 0) | ((traits) & (LEAVE | END) ? MARK : 0) | \
	((traits) & (READ | WRITE | EFF | LEAVE | END) ? LOOK : 0),
#include "ir/op.def"
#undef OP
};

static inline void
look(struct region *r)
{
	r->lookbefore = r->look;
	r->look = (u16)r->nins;
}

/* A vector helper reads the variables it names, and those after them in their groups, and writes the first ones. */
static void
group(struct region *r, const struct ins *i, u16 at)
{
	int size = ir_helper(r, i->v)->flags & HELP_GROUP ? HELP_MOST : 1;
	int d = i->aux & 0xff, a = i->aux >> 8, b = i->imm & 0xff;

	for (int n = 0; n < size; n++) {
		r->read[(d + n) & 0xff] = r->read[(a + n) & 0xff] = r->read[(b + n) & 0xff] = at;
		r->last[(d + n) & 0xff] = 0;
	}
}

/* A helper may look at all variables and change them: then nothing is known of them. */
static ref
appendhelp(struct region *r, struct ins i)
{
	u32 does = ir_helper(r, i.v)->flags;
	u16 at = (u16)r->nins;

	if (does & (HELP_STATE | HELP_FAULT))
		look(r);
	if (i.op == O_vhelp)
		group(r, &i, at);
	if (does & HELP_STATE)
		r->known = (u16)(at + 1);
	return appendmarked(r, i);
}

void
ir_insn(struct region *r, gaddr pc)
{
	r->insn_pc = pc;
	r->ninsn++;
	append(r, ins_make(O_insn, N, 0, 0, (s32)(pc - r->open->pc), 0, 0, 0));
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
	grow(&r->k, r->nk, &r->capk, sizeof *r->k);
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

/* The value of a variable, or 0 if the open block has not met it. */
static inline ref
current(const struct region *r, int var)
{
	u16 n = r->last[var];

	if (n < r->known)
		return 0;
	return r->ins[n].op == O_put ? r->ins[n].a : n;
}

/* The current value t as one of the type; 0 if a get must read it. */
static ref
asvalue(struct region *r, ref t, int ty, int var)
{
	const struct ins *i = &r->ins[t & ~REF_K];

	if (isk(t))
		return ty == I32 ? ir_k(r, (u32)kval(r, t)) : t;
	if (serves(ir_type(i), ty))
		return t;
	/* A narrower integer that was put is zero-extended, so it serves as the I64 it became. */
	if (r->last[var] != t && ty == I64 && ir_type(i) < I64 && i->op != O_get)
		return t;
	return ty == I32 && i->ty == I64 ? ir_opx(r, O_zxt, I32, 0, 0, 32, t, 0, 0) : 0;
}

static inline ref
addget(struct region *r, struct ins i)
{
	ref t = i.v == r->guest->flags ? appendmarked(r, i) : append(r, i);

	r->read[i.v] = t;
	return t;
}

/* t: the current value, of another type, or 0. */
static __attribute__((noinline)) ref
getother(struct region *r, int ty, int var, ref t)
{
	ref u;

	if (t && (u = asvalue(r, t, ty, var)))
		return u;
	u = addget(r, ins_make(O_get, ty, 0, var, 0, 0, 0, 0));
	if (!t)
		r->last[var] = u;
	return u;
}

ref
ir_get(struct region *r, int ty, int var)
{
	ref t = current(r, var);
	int n = r->nins;

	if (t && !isk(t) && ir_type(&r->ins[t]) == ty)
		return t;
	if (t || n >= r->capins || var == r->guest->flags)
		return getother(r, ty, var, t);
	r->ins[n] = ins_make(O_get, ty, 0, var, 0, 0, 0, 0);
	r->open->n++;
	r->nins = n + 1;
	return r->read[var] = r->last[var] = (ref)n;
}

/* Whether the put is left to the access after it, the last instruction that looks. */
static int
leaveput(struct region *r, const struct ins *put)
{
	struct ins *at = &r->ins[r->look];
	const struct ins *sum = &r->ins[put->a & ~REF_K];

	if ((at->op != O_ld && at->op != O_lds && at->op != O_st) || at->ty > I64 || at->b || at->aux ||
	    at->a != put->a || isk(put->a) || put->ty != I64 || sum->op != O_add || isk(sum->b) || !put->v ||
	    put->v >= 1 << (16 - AUX_BASE))
		return 0;
	at->aux = (u16)(put->v << AUX_BASE);
	return 1;
}

/* The variable is put: drops a put of it in the open block that nobody has seen. */
static inline void
overwrite(struct region *r, int var)
{
	u16 n = r->last[var];
	struct ins *put = &r->ins[n];

	if (n < r->known || put->op != O_put || r->read[var] > n || r->lookbefore > n ||
	    (r->look > n && !leaveput(r, put)))
		return;
	*put = isk(put->a) ? ins_make(O_nop, N, 0, 0, 0, 0, 0, 0) : ins_make(O_nop, N, 0, var, put->a, 0, 0, 0);
}

static inline void
addput(struct region *r, struct ins i)
{
	if (i.v == r->guest->flags) {
		r->last[i.v] = appendmarked(r, i);
	} else {
		overwrite(r, i.v);
		r->last[i.v] = append(r, i);
	}
	r->changes[i.v] = 1;
}

void
ir_put(struct region *r, int ty, int var, ref t)
{
	int bits = r->guest->reg[var].bits;

	/* The value it already has, unless putting back a part clears what lies above it. */
	if (r->last[var] == t && t >= r->known && ty_bits(ty) >= bits && ty_bits(r->ins[t].ty) >= bits)
		return;
	/* What is put is what a later get finds: cut a wider value now. */
	if (ty == I32)
		t = isk(t) ? ir_k(r, (u32)kval(r, t)) : ir_opx(r, O_zxt, I32, 0, 0, 32, t, 0, 0);
	addput(r, ins_make(O_put, ty, 0, var, 0, t, 0, 0));
}

/* A get or a put as it is. */
static ref
addvar(struct region *r, struct ins i)
{
	if (i.op == O_get)
		return addget(r, i);
	addput(r, i);
	return r->last[i.v];
}

static inline ref
add(struct region *r, struct ins i)
{
	u8 h = how[i.op];

	if (h & (HELPER | VAR))
		return h & VAR ? addvar(r, i) : appendhelp(r, i);
	if (h & LOOK)
		look(r);
	return h & MARK ? appendmarked(r, i) : append(r, i);
}

ref ir_append(struct region *r, struct ins i) { return add(r, i); }

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

/* A pure instruction: a value there is already, or it is appended. */
static inline ref
merge(struct region *r, struct ins i)
{
	ref t = ir_fold(r, &i);
	u32 h;

	if (t)
		return t;
	h = hashins(&i);
	t = r->hash[h];
	if (t >= r->bstart && same(&r->ins[t], &i))
		return t;
	return r->hash[h] = append(r, i);
}

ref
ir_add(struct region *r, struct ins i)
{
	return how[i.op] & MERGE ? merge(r, i) : add(r, i);
}
