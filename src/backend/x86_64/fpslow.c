/* SPDX-License-Identifier: MIT */
/* fpslow.c - cold code that has the evaluator do an instruction
 *
 * The cold code is a call of a common stub, followed by a struct site as data: the instruction and the
 * registers of its operands.  The stub saves all registers on the C stack, calls x86_slow(), which
 * reads operands from and writes the result to what was saved, restores them and goes on after the
 * data.  The return address the call pushed leaves the shadow stack at once. */
#include "backend/x86_64/fpx.h"
#include "backend/x86_64/int.h"
#include "ir/eval.h"

struct site {
	struct ins ins;
	s8 d, a, b, c;
	u8 fpnan;
	u8 boxed;                      /* d has the result's box above it */
	u8 pad[2];
};

struct saved {                         /* what the stub stores; offsets are spelt there too */
	u64 v[32][2];
	u64 r[16];
	u64 flags;
};

/* -- the C side -- */

/* EFLAGS as [u]comis leaves them */
static u64
flags_of(u64 fl)
{
	enum { CF = 1, PF = 4, ZF = 64, ON = 0x202 };

	if ((fl & (FL_C | FL_V)) == (FL_C | FL_V))
		return ON | CF | PF | ZF;
	return ON | (fl & FL_N ? CF : 0) | (fl & FL_Z ? ZF : 0);
}

static void
operand(const struct saved *s, int reg, int isint, u64 *to)
{
	if (reg < 0)
		return;
	if (isint)
		to[0] = s->r[reg];
	else
		memcpy(to, s->v[reg], 16);
}

static void
x86_slow(struct saved *s, const struct site *data, struct cpu *cpu)
{
	enum { WORDS = 2 };
	u64 val[4 * WORDS] = {0}, out[WORDS] = {0};
	struct site site;
	struct eval e = {.cpu = cpu, .guest = cpu->guest, .val = val, .stride = WORDS};
	struct ins i;

	memcpy(&site, data, sizeof site);      /* it lies as code does, without alignment */
	e.fpnan = site.fpnan;
	i = site.ins;
	i.a = 1;
	i.b = site.b >= 0 ? 2 : 0;
	i.c = site.c >= 0 ? 3 : 0;
	operand(s, site.a, i.op == O_icvtf && !ty_isvec(i.ty), val + WORDS);
	operand(s, site.b, 0, val + 2 * WORDS);
	operand(s, site.c, 0, val + 3 * WORDS);
	eval_fp[i.op](&e, &i, out);
	cpu->scratch[2] = (u64)(uintptr_t)(data + 1);  /* goes on after the data */
	if (i.op == O_fcmp)
		s->flags = flags_of(out[0]);
	else if (ty_vclass(i.ty))
		memcpy(s->v[site.d], out, site.boxed ? 4 : 16);
	else
		s->r[site.d] = out[0];
}

/* -- the stub -- */

static void
save_all(struct code *a, int restore)
{
	int n = x86feat.avx512 ? 32 : 16;

	for (int r = 0; r < n; r++)
		v_rm(a, restore ? V_MOVAPS : V_MOVAPS_ST, r, 0, mem_at(RSP, r * 16), 0);
	for (int r = 0; r < 16; r++) {
		struct mem m = mem_at(RSP, (s32)offsetof(struct saved, r) + 8 * r);
		if (r == RSP)
			continue;
		if (restore)
			mov_rm(a, 64, r, m);
		else
			mov_mr(a, 64, m, r);
	}
}

void
x86_vinit(struct code *a)
{
	struct mem site = m_cpu(offsetof(struct cpu, scratch[2])), sp = m_cpu(offsetof(struct cpu, scratch[3]));
	s32 flags = (s32)offsetof(struct saved, flags);

	x86_stub.slow = a->p;
	op_rm(a, 0x8f, 32, 0, site, 0);                /* pop [site] */
	mov_mr(a, 64, sp, RSP);
	mov_rm(a, 64, RSP, m_cpu(offsetof(struct cpu, host_sp)));
	alu_ri(a, A_SUB, 64, RSP, (s32)alignup(sizeof(struct saved), 64));
	alu_ri(a, A_AND, 64, RSP, -64);
	save_all(a, 0);
	mov_mi(a, 64, mem_at(RSP, flags), 0x202);
	mov_rr(a, 64, RDI, RSP);
	mov_rm(a, 64, RSI, site);
	lea(a, 64, RDX, mem_at(RBP, -CPU_BIAS));
	mov_ri(a, RAX, (u64)(uintptr_t)x86_slow);
	op_rr(a, 0xff, 32, 2, RAX);                    /* call rax */
	if (x86feat.avx512) {                          /* k1 = 1, kmovw k1, eax */
		mov_ri(a, RAX, 1);
		put4(a, 0xc892f8c5);
	}
	save_all(a, 1);
	op_rm(a, 0xff, 32, 6, mem_at(RSP, flags), 0);  /* push */
	put1(a, 0x9d);                                 /* popf */
	mov_rm(a, 64, RSP, sp);
	op_rm(a, 0xff, 32, 4, site, 0);                /* jmp [site] */
}

/* -- cold code -- */

static void
call_slow(struct x86 *x, const struct ins *i, const struct fpregs *r, int boxed)
{
	struct site site = {.ins = *i, .d = (s8)r->d, .a = (s8)r->a, .b = (s8)r->b, .c = (s8)r->c, .fpnan = x->r->fpnan,
	    .boxed = (u8)boxed};
	struct code *c = &x->a;

	x_stub(x, call_32(c), &x86_stub.slow);
	memcpy(c->p, &site, sizeof site);
	c->p += sizeof site;
}

static void
slow_cold(struct x86 *x, const struct cold *cold)
{
	struct fpregs r = {.d = cold->reg[0], .a = cold->reg[1], .b = cold->reg[2], .c = cold->reg[3]};

	call_slow(x, cold->ins, &r, (int)cold->n);
	jmp_to(&x->a, cold->back);
}

struct cold *
fp_slow(struct x86 *x, u8 *from, const struct ins *i, struct fpregs r)
{
	struct cold *cold = x_cold(x, from, slow_cold);

	cold->ins = i;
	cold->reg[0] = (s8)r.d;
	cold->reg[1] = (s8)r.a;
	cold->reg[2] = (s8)r.b;
	cold->reg[3] = (s8)r.c;
	return cold;
}

void
fp_back(struct x86 *x, int first)
{
	for (int n = first; n < x->ncold; n++)
		x->cold[n].back = x->a.p;
}

void
fp_rmguard(struct x86 *x, const struct ins *i, struct fpregs r)
{
	int rm = i->aux & FP_RM, t;
	struct code *c = &x->a;

	if (rm == RM_DYN)
		return;
	t = xr_tmp(x);
	mov_rm(c, 32, t, m_cpu(offsetof(struct cpu, fpmode)));
	alu_ri(c, A_AND, 32, t, FPM_RM);
	alu_ri(c, A_CMP, 32, t, rm);
	fp_slow(x, jcc_32(c, JNE), i, r);
}

/* -- one look at two results --
 *
 * A look at a result that is the evaluator's if it is a NaN can wait for the next such result, if nobody uses the
 * first until then, and its operands stay. */

static struct look { const struct ins *ins; struct fpregs r; int boxed; } waiting, (*pairs)[2];
static int npair, cappair;
int fp_looking;

void
fp_lookbegin(void)
{
	fp_looking = npair = 0;
}

static void
pair_cold(struct x86 *x, const struct cold *cold)
{
	struct code *c = &x->a;

	for (int n = 0; n < 2; n++) {
		const struct look *l = &pairs[cold->n][n];

		if (ty_isvec(l->ins->ty)) {
			call_slow(x, l->ins, &l->r, 0);
			continue;
		}
		v2(c, vf_cmp(V_UCOMISS, ty_bits(l->ins->ty)), l->r.d, l->r.d);
		u8 *over = jcc_8(c, JNP);

		call_slow(x, l->ins, &l->r, l->boxed);
		rel8_here(c, over);
	}
	jmp_to(c, cold->back);
}

void
fp_looknow(struct x86 *x)
{
	fp_looking = 0;
	fp_slow(x, fp_unordered(x, waiting.ins->ty, waiting.r.d, waiting.r.d, waiting.r.t), waiting.ins, waiting.r)->n =
	    (u32)waiting.boxed;
}

void
fp_looklater(struct x86 *x, const struct ins *i, struct fpregs r, int boxed)
{
	const struct look l = {i, r, boxed};

	if (!fp_looking) {
		waiting = l;
		fp_looking = 1;
		if (x86_nvtemp < NVMORE)
			fp_looknow(x);
		return;
	}
	fp_looking = 0;
	grow(&pairs, npair, &cappair, sizeof *pairs);
	pairs[npair][0] = waiting;
	pairs[npair][1] = l;
	x_cold(x, fp_unordered(x, i->ty, waiting.r.d, r.d, -1), pair_cold)->n = (u32)npair++;
}

static int
iswaiting(int reg)
{
	return reg >= 0 && (reg == waiting.r.d || reg == waiting.r.a || reg == waiting.r.b || reg == waiting.r.c);
}

static int
homereg(const struct x86 *x, int t)
{
	int var = x->val[t].want;

	return var == NOVAR || x86_home[var].kind == REG_INT ? -1 : x86_home[var].reg;
}

/* The registers of the one that waits are not given up. */
static int
keep(struct x86 *x)
{
	x->lock[1] |= 1u << waiting.r.d | 1u << waiting.r.a | 1u << waiting.r.b | 1u << waiting.r.c;
	return 1;
}

/* Whether the next result leaves the registers of the one that waits; then it does not get them.  One of lanes is not
 * made where an operand is. */
static int
leaves(struct x86 *x, const struct ins *i)
{
	const ref o[3] = {i->a, i->b, i->c};

	if (i->ty != waiting.ins->ty || fp_keeps(x, i) || iswaiting(homereg(x, x->i)) || iswaiting(homereg(x, x->i + 1)))
		return 0;
	for (int n = 0; n < 3 && !ty_isvec(i->ty); n++)
		if (!isk(o[n]) && iswaiting(x->val[o[n]].reg) && x->val[o[n]].last <= x->i)
			return 0;
	return keep(x);
}

/* Whether the look can wait longer: the instruction emits no code but that of such a result, or loads for several
 * turns of a loop, which leaves no trace if it faults. */
int
fp_canwait(struct x86 *x, const struct ins *i)
{
	const struct val *v = &x->val[i->a & ~REF_K];

	switch (i->op) {
	case O_fma:
		return leaves(x, i);
	case O_ld:
		return ir_isseveral(i) && ty_isvec(i->ty) && ty_isvec(waiting.ins->ty) && keep(x);
	case O_get:
		return 1;
	case O_put:
		return !isk(i->a) && (v->var == i->v || v->var2 == i->v);
	case O_funbox:
		return !isk(i->a) && i->aux & FP_BOXED && v->var != NOVAR;
	}
	return 0;
}
