/* SPDX-License-Identifier: MIT */
/* quickmem.c - the quick tier: loads and stores, vectors and floats */
#include "backend/x86_64/quick.h"

static struct mem home_of(int var) { return mem_at(RBP, x86_home[var].disp); }

/* Code from p on is the instruction's, should it fault. */
static inline void
mapped(struct x86 *x, const u8 *p)
{
	struct out *o = x->out;

	o->map[o->nmap++] = (struct mapent){.off = (u32)(p - o->code), .pcoff = (s32)x->pcoff};
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
	mapped(x, x->a.p);
	return m;
}

/* The same with neither index nor change of the base. */
static inline int
isplain(const struct simple *s)
{
	return s->a != NONE && s->b == NONE && !s->two && !s->step;
}

static inline u8 *
at(struct x86 *x, u8 *p, const struct simple *s, struct arg *m)
{
	const struct arg *a = &quick_home[s->a];

	if (a->reg < 0) {
		p = op_at(p, REXW, 0x8b, field_of(RDX), a);
		a = &quick_reg[RDX];
	}
	mapped(x, p);
	*m = arg_at(a, (s32)s->imm);
	return p;
}

static inline void
step(struct code *a, const struct simple *s)
{
	if (s->step)
		a->p = imm_at(a->p, REXW, A_ADD, &quick_home[s->a], s->step);
}

/* d = what is at m */
static inline u8 *
load(u8 *p, const struct simple *s, u32 d, const struct arg *m)
{
	static const struct { u8 op, rex, two; } does[3][3] = {
		{[I8] = {0xb6, 0, 1}, [I16] = {0xb7, 0, 1}, [I32] = {0x8b, 0, 0}},
		{[I8] = {0xbe, 0, 1}, [I16] = {0xbf, 0, 1}, [I32] = {0x8b, 0, 0}},     /* to 32 bits */
		{[I8] = {0xbe, REXW, 1}, [I16] = {0xbf, REXW, 1}, [I32] = {0x63, REXW, 0}},
	};
	u32 k = s->sign / 32, op = does[k][s->ty].op, rex = does[k][s->ty].rex;

	if (s->ty == I64)
		return op_at(p, REXW, 0x8b, d, m);
	return does[k][s->ty].two ? op0f_at(p, rex, op, d, m) : op_at(p, rex, op, d, m);
}

/* Bytes of registers above bl need a REX prefix, or they would be ah to bh. */
static inline u8 *
store(u8 *p, const struct simple *s, const struct arg *d, const struct arg *m)
{
	if (s->ty == I64)
		return op_at(p, REXW, 0x89, d->field, m);
	*p = 0x66;
	p += s->ty == I16;
	return op_at(p, s->ty == I8 && d->reg >= 4 ? REX : 0, s->ty == I8 ? 0x88 : 0x89, d->field, m);
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

	for (int k = 0; k <= s->two; k++, m.disp += ty_bits(s->ty) / 8)
		if (s->sign)
			movsx_rm(a, ty_bits(s->ty), s->sign, k ? RCX : RAX, m);
		else
			movzx_rm(a, ty_bits(s->ty), k ? RCX : RAX, m);
	step(a, s);
	quick_put(a, s->d, RAX);
	if (s->two)
		quick_put(a, s->d2, RCX);
	return 1;
}

int
quick_load(struct x86 *x, const struct simple *s)
{
	const struct arg *d = &quick_home[s->d];
	struct arg m;
	u8 *p;

	if (!isplain(s) || s->d == NONE)
		return loads(x, s);
	p = at(x, x->a.p, s, &m);
	if (d->reg >= 0) {
		x->a.p = load(p, s, d->field, &m);
	} else {
		p = load(p, s, field_of(RAX), &m);
		x->a.p = op_at(p, REXW, 0x89, field_of(RAX), d);
	}
	return 1;
}

static __attribute__((noinline)) int
stores(struct x86 *x, const struct simple *s)
{
	struct mem m = address(x, s);

	for (int k = 0; k <= s->two; k++, m.disp += ty_bits(s->ty) / 8)
		mov_mr_n(&x->a, ty_bits(s->ty), m, quick_get(&x->a, k ? s->d2 : s->d, 64, RAX));
	step(&x->a, s);
	return 1;
}

/* mov m, 0 */
static inline u8 *
store0(u8 *p, const struct simple *s, const struct arg *m)
{
	*p = 0x66;
	p += s->ty == I16;
	p = op_at(p, quick_rex(s), s->ty == I8 ? 0xc6 : 0xc7, 0, m);
	st32(p, 0);
	return p + (s->ty == I8 ? 1 : s->ty == I16 ? 2 : 4);
}

int
quick_store(struct x86 *x, const struct simple *s)
{
	const struct arg *d = &quick_home[s->d];
	struct arg m;
	u8 *p;

	if (!isplain(s))
		return stores(x, s);
	p = at(x, x->a.p, s, &m);
	if (s->d == NONE) {
		x->a.p = store0(p, s, &m);
		return 1;
	}
	if (d->reg < 0) {
		p = op_at(p, REXW, 0x8b, field_of(RAX), d);
		d = &quick_reg[RAX];
	}
	x->a.p = store(p, s, d, &m);
	return 1;
}
