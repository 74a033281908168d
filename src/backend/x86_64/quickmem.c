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

/* The register the address is in, if there is no index. */
static inline const struct arg *
base(struct x86 *x, u8 **p, const struct simple *s)
{
	const struct arg *a = &quick_home[s->a];

	if (a->reg < 0) {
		*p = op64_at(*p, 0x8b, field_of(RDX), a);
		a = &quick_reg[RDX];
	}
	mapped(x, *p);
	return a;
}

static inline void
step(struct code *a, const struct simple *s)
{
	int small = fits8(s->step);

	if (!s->step)
		return;
	a->p = op64_at(a->p, small ? 0x83 : 0x81, field_digit(A_ADD), &quick_home[s->a]);
	st32(a->p, (u32)s->step);
	a->p += small ? 1 : 4;
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
	struct mem m = home_of(s->a);

	if (x86_home[s->a].reg >= 0) {
		m = m_cpu(offsetof(struct cpu, scratch[0]));
		xv_store(x, size(s->a), x86_home[s->a].reg, m);
	}
	m.disp += s->lo;
	movzx_rm(&x->a, ty_bits(s->ty), RAX, m);
	quick_put(&x->a, s->d, RAX);
	return 1;
}

int
quick_intov(struct x86 *x, const struct simple *s)
{
	int v = x86_home[s->d].reg;
	struct mem m = v < 0 ? home_of(s->d) : m_cpu(offsetof(struct cpu, scratch[0])), to = m;

	if (v >= 0)
		xv_store(x, size(s->d), v, m);
	to.disp += s->lo;
	mov_mr_n(&x->a, ty_bits(s->ty), to, quick_get(&x->a, s->a, 64, RAX));
	if (v >= 0)
		xv_load(x, size(s->d), v, m);
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

static __attribute__((noinline)) int
loads(struct x86 *x, const struct simple *s)
{
	struct code *a = &x->a;
	struct mem m = address(x, s);

	if (s->sign)
		movsx_rm(a, ty_bits(s->ty), s->sign, RAX, m);
	else
		movzx_rm(a, ty_bits(s->ty), RAX, m);
	quick_put(a, s->d, RAX);
	return 1;
}

static inline u8 *
load_at(u8 *p, const struct simple *s, const struct arg *to, const struct arg *m)
{
	static const struct { u8 op, rex, is0f; } does[3][4] = {
		{[I8] = {0xb6, 0, 1}, [I16] = {0xb7, 0, 1}, [I32] = {0x8b, 0, 0}, [I64] = {0x8b, REXW, 0}},
		{[I8] = {0xbe, 0, 1}, [I16] = {0xbf, 0, 1}, [I32] = {0x8b, 0, 0}},     /* to 32 bits */
		{[I8] = {0xbe, REXW, 1}, [I16] = {0xbf, REXW, 1}, [I32] = {0x63, REXW, 0}, [I64] = {0x8b, REXW, 0}},
	};
	u32 k = s->sign / 32;

	return opn_at(p, does[k][s->ty].rex, does[k][s->ty].is0f, does[k][s->ty].op, to->field, m);
}

/* Two data, or with a step.  All that may fault comes before a variable changes, but for the last datum, which may be
 * loaded into its home; data win over the step. */
static __attribute__((noinline)) int
loadsmore(struct x86 *x, const struct simple *s)
{
	u8 *p = x->a.p;
	const struct arg *a = base(x, &p, s), *to = &quick_reg[RCX];
	struct arg m = arg_at(a, (s32)s->imm);

	p = load_at(p, s, &quick_reg[RAX], &m);
	if (s->two) {
		if (s->d2 != NONE && quick_home[s->d2].reg >= 0 && s->d2 != s->d && !(s->step && s->d2 == s->a))
			to = &quick_home[s->d2];
		m = arg_at(a, (s32)s->imm + ty_bits(s->ty) / 8);
		p = load_at(p, s, to, &m);
	}
	x->a.p = p;
	step(&x->a, s);
	quick_put(&x->a, s->d, RAX);
	if (s->two && to->reg == RCX)
		quick_put(&x->a, s->d2, RCX);
	return 1;
}

int
quick_load(struct x86 *x, const struct simple *s)
{
	const struct arg *d = &quick_home[s->d], *to = d;
	u8 *p = x->a.p;
	struct arg m;

	if (s->a == NONE || s->b != NONE)
		return loads(x, s);
	if (s->two || s->step || s->d == NONE)
		return loadsmore(x, s);
	if (d->reg < 0)
		to = &quick_reg[RAX];
	m = arg_at(base(x, &p, s), (s32)s->imm);
	p = load_at(p, s, to, &m);
	x->a.p = to == d ? p : op64_at(p, 0x89, field_of(RAX), d);
	return 1;
}

static __attribute__((noinline)) int
stores(struct x86 *x, const struct simple *s)
{
	struct mem m = address(x, s);

	mov_mr_n(&x->a, ty_bits(s->ty), m, quick_get(&x->a, s->d, 64, RAX));
	return 1;
}

/* Bytes of registers above bl need a REX prefix, or they would be ah to bh. */
static inline u8 *
store_at(u8 *p, const struct simple *s, int var, const struct arg *m)
{
	static const struct { u8 is16, isbyte, rex, size; } does[] = {
		[I8] = {0, 1, 0, 1}, [I16] = {1, 0, 0, 2}, [I32] = {0, 0, 0, 4}, [I64] = {0, 0, REXW, 4},
	};
	const struct arg *d = &quick_home[var];
	u32 ty = s->ty, op = 0x89, field = 0, rex = does[ty].rex, n = 0;

	if (var == NONE) {             /* mov m, 0 */
		op = 0xc7;
		n = does[ty].size;
	} else if (d->reg >= 0) {
		field = d->field;
		rex |= does[ty].isbyte && d->reg >= 4 ? REX : 0;
	} else {
		p = op64_at(p, 0x8b, field_of(RAX), d);
	}
	*p = 0x66;
	p = op_at(p + does[ty].is16, rex, op - does[ty].isbyte, field, m);
	st32(p, 0);
	return p + n;
}

static __attribute__((noinline)) u8 *
second(u8 *p, const struct simple *s, const struct arg *a)
{
	const struct arg m = arg_at(a, (s32)s->imm + ty_bits(s->ty) / 8);

	return store_at(p, s, s->d2, &m);
}

int
quick_store(struct x86 *x, const struct simple *s)
{
	u8 *p = x->a.p;
	const struct arg *a;
	struct arg m;

	if (s->a == NONE || s->b != NONE)
		return stores(x, s);
	a = base(x, &p, s);
	m = arg_at(a, (s32)s->imm);
	p = store_at(p, s, s->d, &m);
	x->a.p = s->two ? second(p, s, a) : p;
	step(&x->a, s);
	return 1;
}
