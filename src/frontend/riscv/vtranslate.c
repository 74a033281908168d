/* SPDX-License-Identifier: MIT */
/* vtranslate.c - instructions of the vector unit to IR: what is known of vl and vtype
 *
 * Code is made for the vl and vtype that the block has set, or that are found in vcfg at its first vector
 * instruction if they are what they were when the code was made.  Where that is not certain, the block asks, once,
 * and goes on in another form if it is mistaken (tr.h, again).  Where vquick.c has nothing for an instruction it is
 * done the general way. */
#include "frontend/riscv/vector.h"

/* Forms of a block: vl and vtype are what they are expected to be; vtype is; nothing is known. */
enum { NFORM = 3 };

static int
isthere(const struct rvv_insn *a)
{
	return a->id && (!a->need || model_has(a->need) || (a->also && model_has(a->also)));
}

/* -- what vcfg is -- */

static int isknown(const struct tr *t) { return t->vblock == t->r->nblock; }
static void forget(struct tr *t) { t->vblock = 0; }
static u64 typeof_(u64 c) { return c & ~(u64)0xffff; }

/* Loops work on as much as there is room for, but for the last turn, for which code may follow that does less. */
static void
expect(struct tr *t, u64 c)
{
	int rest = t->vguessed && typeof_(t->vguess) == typeof_(c) && vcfg_vl(c) < vcfg_vl(t->vguess);

	if (!rest)
		t->vguess = c;
	t->vguessed = 1;
}

/* It is c from here on; any: but for vl. */
static void
know(struct tr *t, u64 c, int any)
{
	t->vcfg = c;
	t->vany = any;
	t->vblock = t->r->nblock;
	expect(t, c);
}

/* From the instruction at t->pc on the block's next form is the right one if the relation holds. */
static void
unless(struct tr *t, int rel, ref a, ref b)
{
	t->again = t->pc;
	tr_brc(t, rel, I64, a, b, tr_again(t, t->pc));
}

/* Makes vcfg known, if that can be. */
static int
assume(struct tr *t)
{
	u64 guess = t->vguessed ? t->vguess : !t->cpu ? VCFG_RESET : riscv_state((struct cpu *)(uintptr_t)t->cpu)->vcfg;
	ref c;

	if (isknown(t))
		return 1;
	if (t->alone || t->form == NFORM - 1 || t->again || guess >> VCFG_ILL)
		return 0;
	c = tr_get(t, I64, RV_vcfg);
	if (t->form)
		unless(t, R_NE, tr_opk(t, O_and, I64, c, typeof_(~(u64)0)), tr_k(t, typeof_(guess)));
	else
		unless(t, R_NE, c, tr_k(t, guess));
	know(t, guess, t->form != 0);
	return 1;
}

/* -- configuration -- */

static void
set(struct tr *t, int rd, u64 c)
{
	tr_put(t, I64, RV_vcfg, tr_k(t, c));
	rv_put(t, rd, tr_k(t, vcfg_vl(c)));
	if (c >> VCFG_ILL & 1)
		forget(t);
	else
		know(t, c, 0);
}

/* ... with a vl that is computed */
static void
setany(struct tr *t, int rd, u64 c, ref vl)
{
	tr_put(t, I64, RV_vcfg, tr_opk(t, O_or, I64, vl, typeof_(c)));
	rv_put(t, rd, vl);
	know(t, c, 1);
}

/* vl is the length asked for, if that is at most VLMAX.  It mostly is more, or as much, in all turns of a loop but
 * the last. */
static int
ask(struct tr *t, const struct rvv_insn *a, u64 most)
{
	ref avl = rv_get(t, a->rs1), max = tr_k(t, vcfg_vl(most));

	if (isk(avl)) {
		set(t, a->rd, vcfg_make(kval(t->r, avl), most >> VCFG_TYPE & 0xff));
		return 1;
	}
	if (t->alone || t->form) {
		setany(t, a->rd, most, tr_op2(t, O_umin, I64, avl, max));
		return 1;
	}
	if (t->again) {                /* asked already: another block */
		t->next = t->pc;
		return tr_jmp(t, t->pc);
	}
	unless(t, R_LTU, avl, max);
	set(t, a->rd, most);
	return 1;
}

static void
general(struct tr *t)
{
	tr_help(t, RVH_VECTOR, tr_k(t, t->word), 0, 0);
}

/* vtype changes, vl stays: with the same VLMAX, or it is reserved */
static int
retype(struct tr *t, u64 most)
{
	if (!assume(t) || vcfg_vlmax(t->vcfg) != vcfg_vlmax(most)) {
		general(t);
		forget(t);
	} else if (t->vany) {
		setany(t, 0, most, tr_opk(t, O_and, I64, tr_get(t, I64, RV_vcfg), 0xffff));
	} else {
		set(t, 0, typeof_(most) | vcfg_vl(t->vcfg));
	}
	return 1;
}

static int
config(struct tr *t, const struct rvv_insn *a)
{
	u64 most;

	if (a->id == rvv_vsetvl) {
		general(t);
		forget(t);
		return 1;
	}
	most = vcfg_make(~(u64)0, (u64)a->zimm);
	if (a->id == rvv_vsetivli)
		set(t, a->rd, vcfg_make((u64)a->imm, (u64)a->zimm));
	else if (most >> VCFG_ILL || (!a->rs1 && a->rd))
		set(t, a->rd, most);
	else
		return a->rs1 ? ask(t, a, most) : retype(t, most);
	return 1;
}

/* A load that stops before a fault cuts vl. */
static int
cutsvl(u32 word)
{
	return (word & 0x7f) == 0x07 && bits(word, 26, 2) == 0 && bits(word, 20, 5) == 16;
}

int
rv_vector(struct tr *t, const struct riscv_insn *i)
{
	struct rvv_insn a;

	(void)i;
	rvv_decode(t->word, &a);
	if (!rv_hasv(t) || !isthere(&a))
		return tr_undef(t);
	if (a.id == rvv_vsetvli || a.id == rvv_vsetivli || a.id == rvv_vsetvl)
		return config(t, &a);
	if (!(t->mode & ~(u32)MODE_LOOSE) && rv_isquick(&a) && assume(t) && rv_quick(t, &a))
		return 1;
	general(t);
	if (cutsvl(t->word))
		forget(t);
	return 1;
}
