/* SPDX-License-Identifier: MIT */
/* quickmem.c - the quick tier: loads and stores, vectors and floats */
#include "backend/x86_64/quick.h"

static struct mem home_of(int var) { return mem_at(RBP, x86_home[var].disp); }

/* Code from here on is the instruction's, should it fault. */
static inline void
mapped(struct x86 *x)
{
	struct out *o = x->out;

	o->map[o->nmap++] = (struct mapent){.off = (u32)(x->a.p - o->code), .pcoff = (s32)x->pcoff};
}

static struct mem
address(struct x86 *x, const struct simple *s)
{
	struct mem m = {.base = (s8)quick_get(&x->a, s->a, 64, RDX), .index = NOREG, .disp = (s32)s->imm, .scale = s->shift};

	if (s->b != NONE && s->from) {
		quick_widen(&x->a, s, s->b, 64, RCX);
		m.index = RCX;
	} else if (s->b != NONE) {
		m.index = (s8)quick_get(&x->a, s->b, 64, RCX);
	}
	mapped(x);
	return m;
}

/* The same of most instructions, which have no index. */
static inline struct arg
at(struct x86 *x, const struct simple *s)
{
	int base = quick_get(&x->a, s->a, 64, RDX);

	mapped(x);
	return arg_at(base, NOREG, 0, (s32)s->imm);
}

static inline void
step(struct code *a, const struct simple *s)
{
	if (s->step)
		alu_arg(a, A_ADD, 64, &quick_home[s->a], s->step);
}

static inline void
load(struct code *a, const struct simple *s, int d, const struct arg *m)
{
	static const struct { u16 op; u8 n, rex; } does[3][4] = {
		{[I8] = {0xb60f, 2, 0}, [I16] = {0xb70f, 2, 0}, [I32] = {0x8b, 1, 0}, [I64] = {0x8b, 1, 8}},
		{[I8] = {0xbe0f, 2, 0}, [I16] = {0xbf0f, 2, 0}, [I32] = {0x8b, 1, 0}},         /* to 32 bits */
		{[I8] = {0xbe0f, 2, 8}, [I16] = {0xbf0f, 2, 8}, [I32] = {0x63, 1, 8}, [I64] = {0x8b, 1, 8}},
	};
	u32 k = s->sign / 32;

	opn_arg(a, does[k][s->ty].op, does[k][s->ty].n, does[k][s->ty].rex, d, m);
}

/* Bytes of registers above bl need a REX prefix, or they would be ah to bh. */
static inline void
store(struct code *a, const struct simple *s, int reg, const struct arg *m)
{
	if (s->ty == I16)
		put1(a, 0x66);
	opn_arg(a, s->ty == I8 ? 0x88 : 0x89, 1, s->ty == I64 ? 8 : s->ty == I8 && reg >= 4 ? 0x40 : 0, reg, m);
}

/* -- vectors and floats, in two temporary registers -- */
static int size(int var) { return x86_home[var].kind == REG_FP ? 8 : 16; }

static void
vput(struct x86 *x, int var, int tmp)
{
	if (x86_home[var].reg >= 0)
		xv_mov(x, x86_home[var].reg, tmp);
	else
		xv_store(x, size(var), tmp, home_of(var));
}

static int
vget(struct x86 *x, int var, int tmp)
{
	if (x86_home[var].reg >= 0)
		return x86_home[var].reg;
	xv_load(x, size(var), tmp, home_of(var));
	return tmp;
}

/* Between registers of the two kinds by way of memory: it is rare. */
int
quick_vset(struct x86 *x, const struct simple *s)
{
	struct mem low = m_cpu(offsetof(struct cpu, scratch[0])), high = m_cpu(offsetof(struct cpu, scratch[1]));

	if (s->imm) {
		mov_ri(&x->a, RAX, (u64)s->imm);
		mov_mr(&x->a, 64, low, RAX);
		mov_mr(&x->a, 64, high, RAX);
		xv_load(x, s->two ? 16 : 8, 0, low);
	} else {
		xv_zero(x, 0);
	}
	vput(x, s->d, 0);
	return 1;
}

int
quick_tov(struct x86 *x, const struct simple *s)
{
	struct mem m = m_cpu(offsetof(struct cpu, scratch[0]));

	mov_mr(&x->a, quick_width(s), m, quick_get(&x->a, s->a, quick_width(s), RAX));
	xv_load(x, quick_width(s) / 8, 0, m);
	vput(x, s->d, 0);
	return 1;
}

int
quick_fromv(struct x86 *x, const struct simple *s)
{
	struct mem m = m_cpu(offsetof(struct cpu, scratch[0]));

	xv_store(x, quick_width(s) / 8, vget(x, s->a, 0), m);
	mov_rm(&x->a, quick_width(s), RAX, m);
	quick_put(&x->a, s->d, RAX);
	return 1;
}

int
quick_vload(struct x86 *x, const struct simple *s)
{
	struct mem m = address(x, s);
	int n = ty_bits(s->ty) / 8;

	if (!s->two && x86_home[s->d].reg >= 0) {
		xv_load(x, n, x86_home[s->d].reg, m);
		step(&x->a, s);
		return 1;
	}
	xv_load(x, n, 0, m);
	if (s->two) {
		m.disp += n;
		xv_load(x, n, 1, m);
	}
	step(&x->a, s);
	vput(x, s->d, 0);
	if (s->two)
		vput(x, s->d2, 1);
	return 1;
}

int
quick_vstore(struct x86 *x, const struct simple *s)
{
	struct mem m = address(x, s);
	int n = ty_bits(s->ty) / 8;

	xv_store(x, n, vget(x, s->d, 0), m);
	if (s->two) {
		m.disp += n;
		xv_store(x, n, vget(x, s->d2, 0), m);
	}
	step(&x->a, s);
	return 1;
}

/* All that may fault comes before a variable changes; data win over the step. */
static __attribute__((noinline)) int
loads(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	struct mem m = address(x, s);

	for (int k = 0; k <= s->two; k++) {
		const struct arg from = arg_at(m.base, m.index, m.scale, m.disp + k * ty_bits(s->ty) / 8);

		load(a, s, k ? RCX : RAX, &from);
	}
	step(a, s);
	quick_put(a, s->d, RAX);
	if (s->two)
		quick_put(a, s->d2, RCX);
	return 1;
}

int
quick_load(struct x86 *x, const struct simple *s)
{
	struct arg m;

	if (s->b != NONE || s->two || s->step || s->d == NONE || quick_home[s->d].reg < 0)
		return loads(x, s);
	m = at(x, s);
	load(&x->a, s, quick_home[s->d].reg, &m);
	return 1;
}

static __attribute__((noinline)) int
stores(struct x86 *x, const struct simple *s)
{
	struct mem m = address(x, s);

	for (int k = 0; k <= s->two; k++) {
		const struct arg to = arg_at(m.base, m.index, m.scale, m.disp + k * ty_bits(s->ty) / 8);

		store(&x->a, s, quick_get(&x->a, k ? s->d2 : s->d, 64, RAX), &to);
	}
	step(&x->a, s);
	return 1;
}

int
quick_store(struct x86 *x, const struct simple *s)
{
	struct arg m;

	if (s->b != NONE || s->two || s->step)
		return stores(x, s);
	m = at(x, s);
	store(&x->a, s, quick_get(&x->a, s->d, 64, RAX), &m);
	return 1;
}
