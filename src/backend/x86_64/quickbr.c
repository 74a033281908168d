/* SPDX-License-Identifier: MIT */
/* quickbr.c - the quick tier: branches, and the beginning and end of a block */
#include <errno.h>
#include "backend/x86_64/quick.h"

enum { ROOM = 16 << 10 };              /* bytes of code after which a block ends */

/* Where jumps that leave for cpu->poll are, and the number of the link they leave by. */
static struct { u8 *field; int link; } polls[QUICK_MOST + 1];
static int npoll;

/* What lies ahead needs no safe point.  Nor does what is only come to by the block's head: that leaves when it has been
 * entered some times.  After a call there is another entry. */
static inline int
issafe(const struct x86 *x, gaddr pc)
{
	return pc > x->r->pc + x->pcoff || x->out->nentry == 1;
}

/* A safe point before the link that is made next. */
static void
poll(struct x86 *x)
{
	polls[npoll].field = branch_ifpoll(x);
	polls[npoll++].link = x->out->nlink;
}

/* Back, out of the block */
static __attribute__((noinline)) void
back(struct x86 *x, int cc, gaddr to)
{
	u8 *over = jcc_8(&x->a, cc ^ 1);

	poll(x);
	x->a.p = x_link(x, x->a.p, 0xe9, 1, to);
	rel8_here(&x->a, over);
}

static __attribute__((noinline)) int
branch(struct x86 *x, int cc, gaddr to)
{
	if (!issafe(x, to))
		back(x, cc, to);
	else if (to == x->r->pc)
		jcc_to(&x->a, cc, x->out->code);
	else
		x->a.p = x_link(x, x->a.p, 0x800f | (u32)cc << 8, 2, to);
	return 1;
}

int
quick_jump(struct x86 *x, const struct simple *s)
{
	if (!issafe(x, s->to))
		poll(x);
	x->a.p = x_link(x, x->a.p, 0xe9, 1, s->to);
	return 1;
}

int quick_branch(struct x86 *x, const struct simple *s) { return branch(x, quick_compare(x, s), s->to); }
int quick_branchf(struct x86 *x, const struct simple *s) { return branch(x, quick_condition(x, s->op), s->to); }

int
quick_test(struct x86 *x, const struct simple *s)
{
	if (s->a == NONE || quick_home[s->a].reg < 0) {
		quick_copy(&x->a, s->a, 64, RAX);
		op0f_rr(&x->a, 0, 0xba, 64, 4, RAX);   /* bt */
	} else {
		x->a.p = opn_at(x->a.p, REXW, 1, 0xba, field_digit(4), &quick_home[s->a]);
	}
	put1(&x->a, (u32)s->imm);
	return branch(x, s->op == R_TST ? JB : JAE, s->to);
}

/* -- calls -- */
static void
entry(struct out *o, gaddr pc, u32 off)
{
	grow(&o->entry, o->nentry, &o->capentry, sizeof *o->entry);
	o->entry[o->nentry++] = (struct entry){.pc = pc, .off = off};
}

/* What a call returns to is entered by address, too, by returns that have lost their way. */
static int
called(struct x86 *x, const struct simple *s)
{
	if (x->on)
		entry(x->out, s->next, (u32)(x->a.p - x->out->code));
	x->on = 0;
	return 1;
}

int
quick_call(struct x86 *x, const struct simple *s)
{
	int returns = branch_returns(x);

	quick_set(x, x->r->guest->link, s->next);
	x->on = s->on;
	if (!issafe(x, s->to))
		poll(x);
	x->a.p = x_link(x, x->a.p, returns ? 0xe8 : 0xe9, 1, s->to);
	if (returns)
		branch_back(x, s->next);
	return called(x, s);
}

int
quick_indirect(struct x86 *x, const struct simple *s)
{
	int returns = s->kind == SI_CALLR && branch_returns(x);
	u8 *p;

	if (s->kind == SI_RETURN && s->a == x->r->guest->link && branch_ret(x))
		return 1;
	quick_copy(&x->a, s->a, 64, RAX);
	if (s->imm)
		alu_ri(&x->a, A_ADD, 64, RAX, (s32)s->imm);
	quick_set(x, s->d, s->next);
	p = x->a.p;
	*p = returns ? 0xe8 : 0xe9;
	rel32_to(p + 1, x86_stub.dispatch);
	x->a.p = p + 5;
	x->on = s->on;
	if (returns)
		branch_back(x, s->next);
	return called(x, s);
}

/* -- the block -- */
void
quick_begin(struct x86 *x, s32 *left)
{
	u8 *p = x->a.p;

	npoll = x->ncold = 0;
	x->lodged = 0;
	entry(x->out, x->r->pc, 0);
	st16(p, 0x0dff);               /* dec dword [left] */
	rel32_to(p + 2, (u8 *)left);
	x->a.p = x_link(x, p + 6, 0x800f | JS << 8, 2, x->r->pc);
	x->pcoff = 0;
}

/* By way of IR: the emitters of the other tier are told that it is a block. */
int
quick_insn(struct x86 *x, int first)
{
	struct block b = *x->r->block;

	x->b = x->r->block;
	x->label[0] = x->loop[0] = x->safe[0] = 0;
	x->door[0] = (struct door){0};
	x->guess = x->ncond = 0;
	b.first = first;
	b.n = x->r->nins - first;
	x_part(x, &b);
	quick_room(x->out);
	return x->a.p - x->out->code < ROOM;
}

static void
stubs(struct x86 *x)
{
	struct out *o = x->out;
	u8 *p = x->a.p, *exit = x86_stub.linkexit;

	for (struct link *l = o->link, *end = l + o->nlink; l < end && p <= x->lim; l++, exit = x86_stub.quickexit) {
		l->stub = (u32)(p - o->code);
		rel32_to(o->code + l->site, p);
		if (l->pc == (u32)l->pc) {
			st64(p, 0xb8 | l->pc << 8);    /* mov eax, pc */
			p += 5;
		} else {
			st16(p, 0xb848);
			st64(p + 2, l->pc);
			p += 10;
		}
		*p = 0xe8;                     /* call */
		rel32_to(p + 1, exit);
		p += 5;
	}
	for (int n = 0; n < npoll; n++)
		rel32_to(polls[n].field, o->code + o->link[polls[n].link].stub);
	x->a.p = p;
}

int
quick_end(struct x86 *x)
{
	struct out *o = x->out;

	if (x->ncold)
		branch_cold(x);
	stubs(x);
	if (x->ncold)
		branch_coldlinks(x);
	o->fixed = 1;
	o->size = (u32)(x->a.p - o->code);
	return x->a.p > x->lim ? -ENOSPC : x->failed ? -E2BIG : 0;
}
