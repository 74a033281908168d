/* SPDX-License-Identifier: MIT */
/* vector.c - the vector unit's configuration, and how one of its instructions is done the general way */
#include "frontend/riscv/vector.h"

static vec_fn *const function[rvv_COUNT] = {
#define F(name, function) [rvv_##name] = rvv_##function,
	rvv_TRANSLATORS(F)
#undef F
};

u64
vcfg_make(u64 avl, u64 vtype)
{
	u64 c = (vtype & 0xff) << VCFG_TYPE;
	u32 max = vcfg_vlmax(c);

	/* vlmul 4 is reserved, SEW is at most 64 and LMUL at least SEW/ELEN (section 3.4) */
	if (vtype >> 8 || vcfg_lmul(c) == -4 || vcfg_sew(c) > 64 || vcfg_sew(c) > 64 >> (vcfg_lmul(c) < 0 ? -vcfg_lmul(c) : 0))
		return (u64)1 << VCFG_ILL;
	return c | (avl < max ? avl : max);
}

/* Section 6.2: without rs1, rd tells whether vl shall be the largest or what it was. */
int
rvv_config(struct vec *v, const struct rvv_insn *a)
{
	u64 *x = v->s->x, avl;

	if (a->form == FORM_VI)
		avl = (u64)a->imm;
	else if (a->rs1)
		avl = x[a->rs1];
	else
		avl = a->rd ? ~(u64)0 : v->vl;
	v->cfg = vcfg_make(avl, a->form == FORM_VX ? x[a->rs2] : a->zimm);
	if (a->rd)
		x[a->rd] = vcfg_vl(v->cfg);
	return 1;
}

/* -- operands -- */

int
vec_over(int vd, int dlog, int d, int n, int nlog, int s)
{
	if (d == s || vec_apart(vd, dlog, n, nlog))
		return 1;
	if (d < s)
		return vd == n;        /* in the lowest part of the source */
	return nlog >= 0 && n + vec_size(nlog) == vd + vec_size(dlog);
}

/* a source or the destination as its line describes it */
struct operand { int n, eew, emul; };

/* 0: there is no such EEW or EMUL, or a group does not begin there */
static int
operand(const struct vec *v, int n, int w, struct operand *o)
{
	*o = (struct operand){n, 1, 0};
	if (w == W_MASK)
		return 1;
	o->eew = w < 0 ? v->sew >> -w : v->sew << w;
	o->emul = v->lmul + w;
	return o->eew >= 8 && o->eew <= 64 && o->emul >= -3 && o->emul <= 3 && vec_group(n, o->emul);
}

/* two sources may be in one register only if they are the same to it, or, with lax, one is a mask */
static int
together(const struct operand *a, const struct operand *b, int lax)
{
	return a->eew == b->eew || (lax && (a->eew == 1 || b->eew == 1)) || vec_apart(a->n, a->emul, b->n, b->emul);
}

int
vec_operands(const struct vec *v, const struct rvv_insn *a)
{
	struct operand d, s[3], mask = {0, 1, 0};
	int n = 0;

	if (!operand(v, a->vd, a->wd, &d) || !operand(v, a->vs2, a->w2, &s[n++]))
		return 0;
	if (a->form == FORM_VV && !operand(v, a->vs1, a->w1, &s[n++]))
		return 0;
	for (int i = 0; i < n; i++)
		if (!vec_over(d.n, d.emul, d.eew, s[i].n, s[i].emul, s[i].eew))
			return 0;
	if (a->acc)
		s[n++] = d;
	if (!a->vm && a->wd != W_MASK && d.n == 0)
		return 0;
	for (int i = 0; i < n; i++) {
		if (!a->vm && !together(&s[i], &mask, a->lax))
			return 0;
		for (int k = 0; k < i; k++)
			if (!together(&s[i], &s[k], a->lax))
				return 0;
	}
	return 1;
}

/* -- the helper -- */

u64
rv_dovector(struct cpu *cpu, u64 word, u64 b, u64 c)
{
	struct riscv_state *s = riscv_state(cpu);
	struct vec v = {.cpu = cpu, .s = s, .cfg = s->vcfg & ~((u64)0xff << VCFG_START)};
	struct rvv_insn a;

	(void)b, (void)c;
	rvv_decode((u32)word, &a);
	if (v.cfg >> VCFG_ILL & 1 && !a.anytype)
		cpu_trap(cpu, TRAP_UNDEF, (u32)word);
	v.vl = vcfg_vl(v.cfg);
	v.start = vcfg_start(s->vcfg);
	v.vlmax = vcfg_vlmax(v.cfg);
	v.sew = vcfg_sew(v.cfg);
	v.lmul = vcfg_lmul(v.cfg);
	v.eew = v.sew == 8 ? I8 : v.sew == 16 ? I16 : v.sew == 32 ? I32 : I64;
	if (!function[a.id](&v, &a))
		cpu_trap(cpu, TRAP_UNDEF, (u32)word);
	s->vcfg = v.cfg;
	return 0;
}
