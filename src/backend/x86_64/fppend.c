/* SPDX-License-Identifier: MIT */
/* fppend.c - RISC-V: one look for NaNs after many operations
 *
 * A NaN result must be the canonical NaN, x86 hands an operand's payload on.  But a NaN operand makes a
 * NaN result, so it is enough to look at the last results of a chain, before anyone can see them; the
 * cold code then puts the canonical NaN wherever a result of the group is one.  What may stand between
 * an operation and the look: operations that do not care which NaN they get, and integer code.
 *
 * A load or store that takes no pending value may stand there too.  Should it fault just when a pending
 * value is a NaN, the guest mends that before its signal handler can see it (settle in base/guest.h). */
#include "backend/x86_64/fpx.h"

enum { MAXPEND = 32 };

static struct pend {
	ref t;
	u8 isbox;                      /* a box: the F64 made from the pending F32 */
	u8 covered;                    /* a later value that is looked at is a NaN when this one is */
} pend[MAXPEND];
int fp_npend;                          /* results that wait for a look */

/* Where a pending value is when the group is looked at, for the cold code. */
struct fix {
	struct mem m;                  /* in memory, if reg < 0 */
	s8 reg;
	u8 bits, isbox;
};

struct group { u8 *site[MAXPEND]; int nsite, first, nfix; };
static struct group *group;
static struct fix *fixes;
static int ngroup, capgroup, nfix, capfix;

void
fp_pendbegin(void)
{
	fp_npend = ngroup = nfix = 0;
	fp_lookbegin();
}

static struct pend *
find(ref t)
{
	for (int n = fp_npend; n-- > 0;)
		if (pend[n].t == t)
			return &pend[n];
	return 0;
}

/* -- places -- */

static int
bits_of(const struct x86 *x, const struct pend *p)
{
	const struct ins *i = &x->r->ins[p->t];

	return ty_bits(p->isbox ? i->v : i->ty);
}

static int
intemp(const struct x86 *x, ref t)
{
	const struct val *v = &x->val[t];

	return v->reg >= 0 && x->in[1][v->reg] == t && v->last >= x->i;
}

static int
isalive(const struct x86 *x, ref t)
{
	const struct val *v = &x->val[t];

	return v->var != NOVAR || v->var2 != NOVAR || intemp(x, t) || (v->slot && v->last >= x->i);
}

static void
add_fix(const struct x86 *x, const struct pend *p, int reg, struct mem m)
{
	grow(&fixes, nfix, &capfix, sizeof *fixes);
	fixes[nfix++] = (struct fix){.m = m, .reg = (s8)reg, .bits = (u8)bits_of(x, p), .isbox = p->isbox};
}

static void
add_home(const struct x86 *x, const struct pend *p, int var)
{
	if (var != NOVAR)
		add_fix(x, p, x86_home[var].reg, mem_at(RBP, x86_home[var].disp));
}

static void
add_places(const struct x86 *x, const struct pend *p)
{
	const struct val *v = &x->val[p->t];

	if (intemp(x, p->t))
		add_fix(x, p, v->reg, vstash(0));
	if (v->slot && v->last >= x->i)
		add_fix(x, p, -1, m_cpu(offsetof(struct cpu, vspill) + 64 * (size_t)(v->slot - 1)));
	add_home(x, p, v->var);
	add_home(x, p, v->var2);
}

/* -- the cold code -- */

static void
fix_register(struct x86 *x, const struct fix *f, int reg)
{
	u64 nan = f->bits == 64 ? 0x7ff8000000000000 : f->isbox ? 0xffffffff7fc00000 : 0x7fc00000;
	struct code *c = &x->a;

	v2(c, vf_cmp(V_UCOMISS, f->bits), reg, reg);
	u8 *over = jcc_8(c, JNP);

	xv_load(x, f->isbox ? 8 : f->bits / 8, reg, xv_const(nan, 0));
	rel8_here(c, over);
}

static void
fix_cold(struct x86 *x, const struct cold *cold)
{
	const struct group *g = &group[cold->n];
	struct code *c = &x->a;

	for (int n = 1; n < g->nsite; n++)
		rel32_to(g->site[n], c->p);
	for (const struct fix *f = &fixes[g->first]; f < &fixes[g->first + g->nfix]; f++) {
		if (f->reg >= 0) {
			fix_register(x, f, f->reg);
			continue;
		}
		xv_store(x, 16, 0, vstash(0));
		xv_load(x, 8, 0, f->m);
		fix_register(x, f, 0);
		xv_store(x, 8, 0, f->m);
		xv_load(x, 16, 0, vstash(0));
	}
	jmp_to(c, cold->back);
}

/* -- the look -- */

/* Which values must be looked at: those alive that no later one covers.  Returns how many. */
static int
choose(struct x86 *x, u8 *look)
{
	int count = 0;

	for (int n = fp_npend; n-- > 0;) {
		const struct ins *i = &x->r->ins[pend[n].t];
		const ref o[3] = {i->a, i->b, i->c};

		look[n] = !pend[n].covered && isalive(x, pend[n].t);
		count += look[n];
		if (!look[n] && !pend[n].covered)
			continue;
		for (int k = 0; k < 3; k++) {
			struct pend *p = o[k] && !isk(o[k]) ? find(o[k]) : 0;
			if (p)
				p->covered = 1;
		}
	}
	return count;
}

/* The register that holds it, or -1: it is in memory at *m. */
static int
place(const struct x86 *x, const struct pend *p, struct mem *m)
{
	const struct val *v = &x->val[p->t];

	if (intemp(x, p->t))
		return v->reg;
	if (v->var != NOVAR && x86_home[v->var].reg >= 0)
		return x86_home[v->var].reg;
	if (v->var2 != NOVAR && x86_home[v->var2].reg >= 0)
		return x86_home[v->var2].reg;
	if (v->slot && v->last >= x->i)        /* else somebody else may have it by now */
		*m = m_cpu(offsetof(struct cpu, vspill) + 64 * (size_t)(v->slot - 1));
	else
		*m = mem_at(RBP, x86_home[v->var != NOVAR ? v->var : v->var2].disp);
	return -1;
}

static void
compare(struct x86 *x, struct group *g, int bits, int a, int b)
{
	v2(&x->a, vf_cmp(V_UCOMISS, bits), a, b);
	g->site[g->nsite++] = jcc_32(&x->a, JP);
}

/* Registers two at a time, what is in memory through the scratch register t.  Nothing but comparisons
 * may be emitted here: the cold code returns behind the last. */
static void
look_at(struct x86 *x, struct group *g, const u8 *look, int t)
{
	int waiting[2] = {-1, -1};

	for (int n = 0; n < fp_npend; n++) {
		struct mem m;
		int bits = bits_of(x, &pend[n]), *w = &waiting[bits == 64], reg;

		if (!look[n])
			continue;
		if ((reg = place(x, &pend[n], &m)) < 0) {
			xv_load(x, bits / 8, t, m);
			compare(x, g, bits, t, t);
		} else if (*w < 0) {
			*w = reg;
		} else {
			compare(x, g, bits, *w, reg);
			*w = -1;
		}
	}
	for (int k = 0; k < 2; k++)
		if (waiting[k] >= 0)
			compare(x, g, k ? 64 : 32, waiting[k], waiting[k]);
}

static void
flush(struct x86 *x)
{
	struct group g = {0};
	u8 look[MAXPEND];
	u16 lock = x->lock[1];

	if (choose(x, look)) {
		xf_save(x);
		int t = xv_tmp(x);     /* may move values: before their places are noted */
		x->lock[1] = lock;
		g.first = nfix;
		for (int n = 0; n < fp_npend; n++)
			if (isalive(x, pend[n].t))
				add_places(x, &pend[n]);
		g.nfix = nfix - g.first;
		look_at(x, &g, look, t);
		grow(&group, ngroup, &capgroup, sizeof *group);
		group[ngroup] = g;
		x_cold(x, g.site[0], fix_cold)->n = (u32)ngroup++;
	}
	fp_npend = 0;
}

/* -- what is pending, and for how long -- */

static int
carefree(int op)
{
	switch (op) {
	case O_fadd: case O_fsub: case O_fmul: case O_fdiv: case O_fsqrt: case O_fma: case O_fround: case O_fcvt:
	case O_fmin: case O_fmax: case O_fcmp: case O_fset: case O_fcvti: case O_fclass: case O_fbox: case O_put:
	case O_get: case O_insn: case O_nop:
		return 1;
	}
	return 0;
}

/* A value in a third variable's home: of two only is kept account. */
static int
outgrows(const struct x86 *x, const struct ins *i)
{
	return i->op == O_put && !isk(i->a) && x->val[i->a].var != NOVAR && x->val[i->a].var2 != NOVAR && find(i->a);
}

void
fp_before(struct x86 *x, const struct ins *i)
{
	const ref o[3] = {i->a, i->b, i->c};

	int room = fp_npend + 2 <= MAXPEND;            /* for a result and its box */

	if (fp_looking && !fp_canwait(x, i))
		fp_looknow(x);
	if (!fp_npend)
		return;
	if (carefree(i->op) && room && !outgrows(x, i))
		return;
	if (opinfo[i->op].traits & (EFF | LEAVE | END) || !room) {
		flush(x);
		return;
	}
	for (int n = 0; n < 3; n++)
		if (o[n] && !isk(o[n]) && find(o[n])) {
			flush(x);
			return;
		}
}

void
fp_pend(struct x86 *x, ref t, int isbox)
{
	(void)x;
	pend[fp_npend++] = (struct pend){.t = t, .isbox = (u8)isbox};
}

int fp_ispending(ref t) { return !isk(t) && find(t); }
