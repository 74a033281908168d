/* SPDX-License-Identifier: MIT */
/* surface.c - the ways out of a loop whose puts are sunk (backend/sink.c): there they are made
 *
 * Such a loop is entered and left as one with lodgers is (lodge.c): a fault finds in cpu->scratch[6] from where to
 * leave, and rax says where it was (host.c).  The top byte of that is 1 when the first turn is over, which the jump
 * back stores.  So who comes from outside passes by that, and a safe point of its own; and only a look that takes other
 * puts in the first turn than later asks.
 *
 * The looks' code lies in their order, so a fault's address tells which it was.  Code out of line tells first where in
 * the loop it belongs, in cpu->scratch[0].
 */
#include "backend/x86_64/int.h"

static struct mem turned(void) { return m_cpu(offsetof(struct cpu, scratch[6]) + 7); }

void
surface_again(struct x86 *x)
{
	if (!x->lodged->sunk->carries)
		return;
	op_rm(&x->a, 0xc6, 32, 0, turned(), 1);        /* mov byte [...], 1 */
	put1(&x->a, 1);
}

void
surface_begin(struct x86 *x, int n)
{
	struct lodging *l = x->lodged;

	if ((l->looks < l->sunk->nlook && l->sunk->look[l->looks] == n) || n == l->until - 1)
		l->look[l->looks++] = (u32)(x->a.p - x->out->code);
}

void
surface_note(const struct x86 *x, struct cold *c)
{
	if (!x->lodged || !x->lodged->looks)
		return;
	c->look = (u8)(x->lodged->looks - 1);
	c->at = x->lodged->look[c->look];
}

/* edx = whether the first turn is over; that is lost when lodgers go. */
static void
out(struct x86 *x, const struct lodging *l)
{
	if (l->sunk->carries)
		movzx_rm(&x->a, 8, RDX, turned());
	lodge_out(x, l);
}

/* The puts for a look. */
static void
surface(struct x86 *x, const struct lodging *l, int look)
{
	const struct sinkset *now = &l->sunk->set[l->sunk->now[look]], *all = &l->sunk->set[l->sunk->all[look]];
	u8 *first, *done;

	if (now == all) {
		x_sunk(x, all);
		return;
	}
	test_rr(&x->a, 32, RDX, RDX);
	first = jcc_32(&x->a, JE);
	x_sunk(x, all);
	done = jmp_32(&x->a);
	rel32_to(first, x->a.p);
	x_sunk(x, now);
	rel32_to(done, x->a.p);
}

void
surface_leave(struct x86 *x, const struct lodging *l, int look)
{
	out(x, l);
	surface(x, l, look);
}

/* reg = the address of the region's code at off. */
static void
lea_code(struct x86 *x, int reg, u32 off)
{
	rex_r(&x->a, 64, reg, 0);      /* lea reg, [rip + ...] */
	put2(&x->a, 0x058du | (u32)(reg & 7) << 11);
	put4(&x->a, 0);
	rel32_to(x->a.p - 4, x->out->code + off);
}

static int
likenext(const struct sinking *s, int look)
{
	return s->now[look] == s->now[look + 1] && s->all[look] == s->all[look + 1];
}

void
surface_fault(struct x86 *x, const struct lodging *l)
{
	const struct sinking *s = l->sunk;
	u8 *inside, *next;

	out(x, l);
	if (!s->nlook)
		return;
	lea_code(x, RCX, l->look[s->nlook]);
	alu_rr(&x->a, A_CMP, 64, RAX, RCX);
	inside = jcc_32(&x->a, JB);
	mov_rm(&x->a, 32, RCX, m_cpu(offsetof(struct cpu, scratch[0])));
	lea_code(x, RAX, 0);
	alu_rr(&x->a, A_ADD, 64, RAX, RCX);
	rel32_to(inside, x->a.p);
	for (int n = 0; n < s->nlook - 1; n++) {
		if (likenext(s, n))
			continue;
		lea_code(x, RCX, l->look[n + 1]);
		alu_rr(&x->a, A_CMP, 64, RAX, RCX);
		next = jcc_32(&x->a, JAE);
		surface(x, l, n);
		x_gostub(x, &x86_stub.leave);
		rel32_to(next, x->a.p);
	}
	surface(x, l, s->nlook - 1);
}
