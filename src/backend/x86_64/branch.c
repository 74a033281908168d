/* SPDX-License-Identifier: MIT */
/* branch.c - leaving a block: jumps inside the region, links to others, calls and returns
 *
 * A link is a jump whose rel32 field the engine patches with one store, so the field must not cross
 * an 8-byte boundary.  Safe points: the head of a block that is jumped back to (if its loops have no other), and every
 * other edge backward or computed, but for those out of such a block. */
#include <errno.h>
#include "backend/x86_64/int.h"

enum { NOLABEL = ~0u };

void
branch_room(struct x86 *x)
{
	int n = x->r->nblock;

	while (x->caplabel <= n)
		grow(&x->label, x->caplabel, &x->caplabel, sizeof *x->label);
	while (x->caploop <= n)
		grow(&x->loop, x->caploop, &x->caploop, sizeof *x->loop);
	while (x->capsafe <= n)
		grow(&x->safe, x->capsafe, &x->capsafe, sizeof *x->safe);
	lodge_none(x);
}

void
branch_begin(struct x86 *x)
{
	branch_room(x);
	x->nfix = x->ncold = x->ncond = x->recursive = 0;
	memset(x->label, 0xff, (size_t)x->r->nblock * sizeof *x->label);
	memset(x->loop, 0, (size_t)x->r->nblock * sizeof *x->loop);
	safe_loops(x);
	safe_place(x);
	lodge_plan(x);
}

static void cold_poll(struct x86 *, const struct cold *), cold_evict(struct x86 *, const struct cold *);

struct cold *
x_cold(struct x86 *x, u8 *from, void (*emit)(struct x86 *, const struct cold *))
{
	struct cold *c;

	x->evicted |= x->lodged && x->lodged->n && emit != cold_poll && emit != cold_evict && emit != x_coldload;
	grow(&x->cold, x->ncold, &x->capcold, sizeof *x->cold);
	c = &x->cold[x->ncold++];
	*c = (struct cold){.from = from, .back = x->a.p, .emit = emit, .pcoff = x->pcoff};
	surface_note(x, c);
	return c;
}

_Static_assert(CPU_ASKED == 0xff && _Alignof(struct cpu) % 64 == 0 && CPU_BIAS % 64, "some bit of bpl is set");

static void
cold_poll(struct x86 *x, const struct cold *c)
{
	const struct lodging *l = c->n ? &x->lodging[c->n - 1] : 0;

	if (l && l->sunk)
		surface_leave(x, l, l->sunk->nlook);
	else if (l)
		lodge_out(x, l);
	mov_ri(&x->a, RAX, c->k);
	x_gostub(x, &x86_stub.poll);
}

/* Poll is 0 or all ones, bpl never 0, and test
 * with a register is one operation with the jump, which compare with a constant in memory is not (Golden Cove: a safe
 * point takes half the time). */
u8 *
branch_ifpoll(struct x86 *x)
{
	put1(&x->a, 0x40);             /* bpl, not ch */
	op_rm(&x->a, 0x84, 32, RBP, m_cpu(offsetof(struct cpu, poll)), 0);
	return jcc_32(&x->a, JNE);
}

static void
poll(struct x86 *x, gaddr pc)
{
	u8 *from = branch_ifpoll(x);
	struct cold *c = x_cold(x, from, cold_poll);

	c->k = pc;
	c->n = x->lodged ? (u32)(x->lodged - x->lodging) + 1 : 0;
}

/* To be pointed at the stub of link n, which finds cpu->poll set (link_stubs). */
static void
cold_link(struct x86 *x, const struct cold *c)
{
	rel32_to(c->from, x->out->code + x->out->link[c->n].stub);
}

/* A safe point before the link that is made next. */
static void
poll_link(struct x86 *x)
{
	u8 *from = branch_ifpoll(x);

	x_cold(x, from, cold_link)->n = (u32)x->out->nlink;
}

/* -- the heads of blocks -- */

enum { LINE = 64 };                    /* bytes the host fetches at a time */

/* About as many bytes as the code of instructions n to end - 1 will take, or more than most. */
static int
size_of(const struct region *r, int n, int end, int most)
{
	enum { MOST = 5, COMPUTED = 55, CALL = 20 };
	static const u8 bytes[O_COUNT] = {
#define OP(name, r, a, b, c, traits, value) [O_##name] = O_##name == O_insn || O_##name == O_nop || \
	O_##name == O_get || O_##name == O_put ? 0 : O_##name == O_callr || O_##name == O_br ? COMPUTED : \
	O_##name == O_call ? CALL : MOST,
#include "ir/op.def"
#undef OP
	};
	int size = 0;

	for (; n < end && size <= most; n++)
		size += bytes[r->ins[n].op];
	return size;
}

/* Short loops and functions begin on a line of their own where they would else lie on two.  (Zen 5: that costs a cycle
 * a round.  Of longer ones some win and some lose a tenth.) */
static void
place(struct x86 *x, int b)
{
	enum { POLL = 10, SHORT = 3 * LINE / 4 };
	const struct region *r = x->r;
	const struct block *k = &r->block[b], *last = x->loop[b] ? &r->block[x->loop[b] - 1] : k;
	int size, off = (int)((uintptr_t)x->a.p & (LINE - 1)), end = last->first + last->n;

	if (x->loop[b])
		size = POLL + size_of(r, k->first, end, SHORT);
	else if (r->nblock == 1 && r->ins[end - 1].op == O_ret)
		size = size_of(r, k->first, end, SHORT);
	else
		return;
	if (size > SHORT)
		return;
	x->out->line = 1;
	if (off + size > LINE)
		nops(&x->a, LINE - off);
}

void
branch_head(struct x86 *x, int b)
{
	const struct block *k = &x->r->block[b];
	struct door *d = &x->door[b];
	struct lodging *l = d->loop ? &x->lodging[d->loop - 1] : 0;
	u8 *over = 0;

	if (l && l->first == b) {
		d->at = (u32)(x->a.p - x->out->code);
		if (l->sunk)
			poll(x, k->pc - k->above);
		lodge_in(x, l);
		lodge_begin(x, l);
		over = l->sunk ? jmp_32(&x->a) : 0;
	}
	place(x, b);
	x->label[b] = (u32)(x->a.p - x->out->code);
	if (k->entry || !b) {
		struct out *o = x->out;

		grow(&o->entry, o->nentry, &o->capentry, sizeof *o->entry);
		d->entry = o->nentry;
		o->entry[o->nentry++] = (struct entry){.pc = k->pc, .off = l && l->first == b ? d->at : x->label[b]};
	}
	if (over)
		surface_again(x);
	if (x->safe[b])
		poll(x, k->pc - k->above);
	if (over)
		rel32_to(over, x->a.p);
	if (x->out->count) {
		x->out->fixed = 1;
		mov_ri(&x->a, RAX, (u64)(uintptr_t)&x->out->count[b].times);
		op_rm(&x->a, 0xff, 64, 0, mem_at(RAX, 0), 0);  /* inc */
	}
}

/* -- links -- */

static void
add_link(struct x86 *x, u32 opcode, int n, gaddr pc)
{
	grow(&x->out->link, x->out->nlink, &x->out->caplink, sizeof *x->out->link);
	x->a.p = x_link(x, x->a.p, opcode, n, pc);
}

static void jmp_link(struct x86 *x, gaddr pc) { add_link(x, 0xe9, 1, pc); }

/* The block lies in a loop with lodgers, and the code that is being made does not. */
static int
bydoor(const struct x86 *x, int b)
{
	return x->door[b].loop && x->lodged != &x->lodging[x->door[b].loop - 1];
}

static int staysin(const struct x86 *x, int b) { return b >= 0 && x->door[b].loop && !bydoor(x, b); }

static void
add_fix(struct x86 *x, u8 *field, int block, int isshort)
{
	grow(&x->fix, x->nfix, &x->capfix, sizeof *x->fix);
	x->fix[x->nfix++] = (struct fixup){.site = (u32)(field - x->out->code), .block = (u16)block,
	    .isshort = (u8)isshort, .isdoor = (u8)bydoor(x, block)};
}

/* Will a signed byte reach from here to the head of a block that is still to come?  A guess; where it is wrong the
 * region is made again without. */
static int
isnear(const struct x86 *x, int b)
{
	enum { REACH = 100, PLACED = LINE / 2 };
	const struct region *r = x->r;
	int most = REACH;

	if (!x->guess || bydoor(x, b))
		return 0;
	for (int k = (int)(x->b - r->block) + 1; k <= b; k++)
		most -= x->loop[k] ? PLACED : 0;
	return most >= 0 && size_of(r, x->i + 1, r->block[b].first, most) <= most;
}

/* To the head of a block of the region, whose label may not be known yet. */
static void
jmp_block(struct x86 *x, int b)
{
	int isshort;

	if (x->label[b] != NOLABEL && !bydoor(x, b)) {
		jmp_to(&x->a, x->out->code + x->label[b]);
		return;
	}
	isshort = isnear(x, b);
	add_fix(x, isshort ? jmp_8(&x->a) : jmp_32(&x->a), b, isshort);
}

static void
jcc_block(struct x86 *x, int cc, int b)
{
	int isshort;

	if (x->label[b] != NOLABEL && !bydoor(x, b)) {
		jcc_to(&x->a, cc, x->out->code + x->label[b]);
		return;
	}
	isshort = isnear(x, b);
	add_fix(x, isshort ? jcc_8(&x->a, cc) : jcc_32(&x->a, cc), b, isshort);
}

/* Points all of them at what they go to; 0 if one does not reach it. */
static int
fix(const struct x86 *x)
{
	for (int n = 0; n < x->nfix; n++) {
		const struct fixup *f = &x->fix[n];
		s32 dist = (s32)((f->isdoor ? x->door[f->block].at : x->label[f->block]) - f->site);

		if (!f->isshort)
			st32(x->out->code + f->site, (u32)(dist - 4));
		else if (fits8(dist - 1))
			x->out->code[f->site] = (u8)(dist - 1);
		else
			return 0;
	}
	return 1;
}

/* The head of this block is a safe point: who leaves it has just passed one, there is no other way in. */
static int haspolled(const struct x86 *x) { return x->safe[x->b - x->r->block]; }

/* A direct exit that may close a loop, or recursion, without a safe point in it.  Calls are no better than jumps: that
 * those which never return fill the shadow stack would do for them, but recursion that is not deep may call and return
 * for ever.  (Without these safe points compilers run no faster, as far as can be measured.) */
static int
wantspoll(const struct x86 *x, gaddr pc)
{
	return pc <= x->r->pc + (u64)(s64)(s32)x->pcoff && !haspolled(x);
}

/* Code that leaves a loop with lodgers is made as if it had none, once they are out. */
static void
jump_out(struct x86 *x, gaddr pc, void (*jump)(struct x86 *, gaddr))
{
	struct lodging *l = x->lodged;

	lodge_out(x, l);
	x->lodged = 0;
	jump(x, pc);
	x->lodged = l;
}

void
branch_jump(struct x86 *x, gaddr pc)
{
	int b = ir_blockat(x->r, pc), here = (int)(x->b - x->r->block);

	if (x->lodged && !staysin(x, b)) {
		jump_out(x, pc, branch_jump);
	} else if (b < 0) {
		if (wantspoll(x, pc))
			poll_link(x);
		jmp_link(x, pc);
	} else if (b != here + 1) {
		jmp_block(x, b);
	}
}

int
x_jmp(struct x86 *x, const struct ins *i)
{
	branch_jump(x, kval(x->r, i->a));
	return 1;
}

static void
cold_backward(struct x86 *x, const struct cold *c)
{
	poll_link(x);
	jmp_link(x, c->k);
}

/* From code out of line, where nobody lodges, to where a branch went; reg[0]: back, out of the region. */
static void
jmp_on(struct x86 *x, const struct cold *c)
{
	int b = ir_blockat(x->r, c->k);

	if (b >= 0)
		jmp_to(&x->a, x->out->code + (x->door[b].loop ? x->door[b].at : x->label[b]));
	else if (c->reg[0])
		cold_backward(x, c);
	else
		jmp_link(x, c->k);
}

static void
cold_evict(struct x86 *x, const struct cold *c)
{
	const struct lodging *l = &x->lodging[c->n];

	if (l->sunk)
		surface_leave(x, l, c->look);
	else
		lodge_out(x, l);
	jmp_on(x, c);
}

static void
jcc_out(struct x86 *x, int cc, gaddr pc)
{
	struct cold *c = x_cold(x, jcc_32(&x->a, cc), cold_evict);

	c->k = pc;
	c->n = (u32)(x->lodged - x->lodging);
	c->reg[0] = (s8)(ir_blockat(x->r, pc) < 0 && wantspoll(x, pc));
}

/* A conditional branch of the guest's ends here. */
static void
add_cond(struct x86 *x)
{
	if (x->ncond < NCOND)
		x->cond[x->ncond] = (u32)(x->a.p - 1 - x->out->code);
	x->ncond++;
}

void
branch_cond(struct x86 *x, int cc, gaddr pc)
{
	int b = ir_blockat(x->r, pc);

	if (x->lodged && !staysin(x, b))
		jcc_out(x, cc, pc);
	else if (b < 0 && wantspoll(x, pc))
		x_cold(x, jcc_32(&x->a, cc), cold_backward)->k = pc;
	else if (b < 0)
		add_link(x, 0x800f | (u32)cc << 8, 2, pc);
	else
		jcc_block(x, cc, b);
	add_cond(x);
}

/* A side exit that is always taken: what follows is never reached, but must stay well formed. */
static void
always(struct x86 *x, gaddr pc)
{
	int b = ir_blockat(x->r, pc);

	if (x->lodged && !staysin(x, b))
		jump_out(x, pc, always);
	else if (b >= 0)
		jmp_block(x, b);
	else
		branch_jump(x, pc);
}

int
x_brc(struct x86 *x, const struct ins *i)
{
	const struct ins *d = &x->r->ins[i->a & ~REF_K];
	gaddr to = kval(x->r, i->c);

	if (isk(i->a) && isk(i->b)) {
		if (ir_rel(i->v, kval(x->r, i->a), kval(x->r, i->b), ty_bits(i->ty)))
			always(x, to);
	} else if (!isk(i->a) && x->val[i->a].flags & VAL_FOLD && d->op == O_set) {
		branch_cond(x, x_compare(x, d) ^ (i->v == R_EQ), to);
	} else {
		branch_cond(x, x_compare(x, i), to);
	}
	return 1;
}

/* AUX_KEEP: the guest is to find the flags that EFLAGS hold, as kind n, or a register, or memory at n from rbp. */
enum { IN_EFLAGS = -2, IN_MEMORY = -1 };
static void
cold_keep(struct x86 *x, const struct cold *c)
{
	int reg = c->reg[1];
	struct mem home = mem_at(RBP, x86_home[x->r->guest->flags].disp);

	if (reg == IN_EFLAGS)
		xf_save_cold(x, (enum flkind)c->n);
	if (reg == IN_MEMORY)
		mov_rm(&x->a, 64, RAX, mem_at(RBP, (s32)c->n));
	mov_mr(&x->a, 64, home, reg < 0 ? RAX : reg);
	jmp_on(x, c);
}

static void
jcc_keep(struct x86 *x, int cc, ref flags, gaddr pc)
{
	struct cold *c = x_cold(x, jcc_32(&x->a, cc), cold_keep);
	struct mem m = {0};

	add_cond(x);
	c->k = pc;
	c->n = x->flkind;
	c->reg[0] = (s8)wantspoll(x, pc);
	c->reg[1] = IN_EFLAGS;
	if (x->fl != flags) {
		c->reg[1] = (s8)xr_usem(x, flags, 64, &m);
		c->n = (u32)m.disp;
	}
}

int
x_brf(struct x86 *x, const struct ins *i)
{
	gaddr to = kval(x->r, i->c);
	int cc, cc2, and, keep = i->aux & AUX_KEEP;
	u8 *skip, *take;

	if (i->v >= CC_AL) {
		always(x, to);
		return 1;
	}
	cc = xf_cond(x, i->a, i->v, &cc2, &and);
	if (keep) {
		skip = and ? jcc_8(&x->a, cc ^ 1) : 0;
		jcc_keep(x, and ? cc2 : cc, i->a, to);
		if (and)
			rel8_here(&x->a, skip);
		else if (cc2 >= 0)
			jcc_keep(x, cc2, i->a, to);
	} else if (cc2 < 0) {
		branch_cond(x, cc, to);
	} else if (and) {
		skip = jcc_8(&x->a, cc ^ 1);
		branch_cond(x, cc2, to);
		rel8_here(&x->a, skip);
	} else {
		take = jcc_8(&x->a, cc);
		skip = jcc_8(&x->a, cc2 ^ 1);
		rel8_here(&x->a, take);
		always(x, to);
		rel8_here(&x->a, skip);
	}
	return 1;
}

/* -- calls and returns -- */
int branch_returns(const struct x86 *x) { return x86feat.callret && x->r->guest->link != 0xff; }

/* It is right if the link variable holds the address after the call. */
void
branch_back(struct x86 *x, gaddr pc)
{
	const struct home *h = &x86_home[x->r->guest->link];
	struct out *o = x->out;

	grow(&o->entry, o->nentry, &o->capentry, sizeof *o->entry);
	o->entry[o->nentry++] = (struct entry){.pc = pc, .off = (u32)(x->a.p - o->code), .ret = 1};
	if (!fits32((s64)pc)) {
		rex_r(&x->a, 64, 0, RAX);      /* always the long form: kill() knows its length */
		put1(&x->a, 0xb8);
		put8(&x->a, pc);
		if (h->reg >= 0)
			alu_rr(&x->a, A_CMP, 64, RAX, h->reg);
		else
			alu_rm(&x->a, A_CMP, 64, RAX, mem_at(RBP, h->disp));
	} else if (h->reg >= 0) {
		rex_r(&x->a, 64, 0, h->reg);
		put1(&x->a, 0x81);
		modrm_r(&x->a, A_CMP, h->reg);
		put4(&x->a, (u32)pc);
	} else {
		op_rm(&x->a, 0x81, 64, A_CMP, mem_at(RBP, h->disp), 4);
		put4(&x->a, (u32)pc);
	}
	if (((uintptr_t)x->a.p & 7) == 7)      /* kill() replaces the two opcode bytes at once */
		nops(&x->a, 1);
	x_stub(x, jcc_32(&x->a, JNE), &x86_stub.relink);
	if (!x->on)
		branch_jump(x, pc);
}

void
branch_call(struct x86 *x, gaddr to, gaddr back)
{
	int b = ir_blockat(x->r, to);

	if (!branch_returns(x)) {
		if (b >= 0 && wantspoll(x, to) && !x->safe[b])
			poll(x, to);
		branch_jump(x, to);
		return;
	}
	if (wantspoll(x, to) && b < 0)
		poll_link(x);
	else if (wantspoll(x, to) && !x->safe[b])
		poll(x, to);
	x->recursive |= b >= 0;
	if (b < 0) {
		add_link(x, 0xe8, 1, to);
	} else if (x->label[b] != NOLABEL && !bydoor(x, b)) {
		rel32_to(call_32(&x->a), x->out->code + x->label[b]);
	} else {
		add_fix(x, call_32(&x->a), b, 0);
	}
	branch_back(x, back);
}

int
x_call(struct x86 *x, const struct ins *i)
{
	branch_call(x, kval(x->r, i->a), kval(x->r, i->b));
	return 1;
}

/* rax = target: looks it up; ends in a jump or call through the jump cache.  It is a safe point, by cpu->jcmask.
 *
 * Shorter is not faster, the predictor of indirect branches hides it all: a table indexed by the low bits alone and
 * calls with a test of cpu->poll measured the same (Zen 4); a cache of the first target seen at each call, in the mean
 * too.  What moves such loops by up to 1.7 is where they and what they call lie: place() and place_return(). */
static void
lookup(struct x86 *x, int call)
{
	s32 jc = (s32)offsetof(struct cpu, jc) - CPU_BIAS;
	struct mem entry = {RBP, RCX, 3, 0, jc};

	if (!x86feat.jumpcache) {
		x_gostub(x, &x86_stub.next);
		return;
	}
	if (x86feat.bmi2) {
		rorx(&x->a, 32, RCX, RAX, JC_BITS);
	} else {
		mov_rr(&x->a, 32, RCX, RAX);
		shift_ri(&x->a, S_SHR, 32, RCX, JC_BITS);
	}
	alu_rr(&x->a, A_XOR, 32, RCX, RAX);    /* jc_index, doubled */
	alu_rm(&x->a, A_AND, 32, RCX, m_cpu(offsetof(struct cpu, jcmask)));
	alu_rm(&x->a, A_CMP, 64, RAX, entry);
	x_stub(x, jcc_32(&x->a, JNE), &x86_stub.next);
	entry.disp += (s32)offsetof(struct jc, code);
	op_rm(&x->a, 0xff, 32, call ? 2 : 4, entry, 0);
}

int
x_br(struct x86 *x, const struct ins *i)
{
	xr_usein(x, i->a, RAX, 64);
	lookup(x, 0);
	return 1;
}

int
x_callr(struct x86 *x, const struct ins *i)
{
	xr_usein(x, i->a, RAX, 64);
	lookup(x, branch_returns(x));
	if (branch_returns(x))
		branch_back(x, kval(x->r, i->b));
	return 1;
}

/* Tells short functions apart.  What the host knows of the path to an indirect branch is bits 2 and 3 of the addresses
 * of the taken branches before it (Zen 5).  Regions begin at multiples of 16, so two that are `op; ret` look the same,
 * and a loop that calls one or the other through a pointer is mispredicted each time.  So their returns take turns at
 * the four places, but not always in the same order, or the first four of eight would look like the others. */
static void
place_return(struct x86 *x)
{
	enum { SHORT = 48 };
	static const u8 turns[16] = {0, 1, 2, 3, 1, 0, 3, 2, 2, 3, 0, 1, 3, 2, 1, 0};
	u32 at = (u32)(uintptr_t)x->a.p, n;

	if (x->r->nblock > 1 || x->a.p - x->out->code > SHORT)
		return;
	n = (turns[x->turn++ & 15] - (at >> 2)) & 3;
	nops(&x->a, n ? (int)(4 * n - (at & 3)) : 0);
}

int
branch_ret(struct x86 *x)
{
	if (branch_returns(x))
		put1(&x->a, 0xc3);
	return branch_returns(x);
}

int
x_ret(struct x86 *x, const struct ins *i)
{
	const struct val *v = &x->val[i->a & ~REF_K];
	u8 link = x->r->guest->link;

	if (isk(i->a) || !branch_returns(x) || (v->var != link && v->var2 != link) || v->flags & VAL_NARROW)
		return x_br(x, i);
	place_return(x);
	return branch_ret(x);
}

/* -- the region's end -- */
static void
link_stubs(struct x86 *x)
{
	struct out *o = x->out;
	u8 *exit = x->a.p;

	if (o->nlink)
		x_gostub(x, &x86_stub.linkexit);
	for (int n = 0; n < o->nlink && x->a.p <= x->lim; n++) {
		o->link[n].stub = (u32)(x->a.p - o->code);
		rel32_to(o->code + o->link[n].site, x->a.p);
		mov_ri(&x->a, RAX, o->link[n].pc);
		rel32_to(call_32(&x->a), exit);
	}
}

/* By how much the region is to be moved so that its conditional branches do well: by nothing, or by what keeps it at a
 * multiple of 16 (calls of code that begins elsewhere are slower).
 *
 * Golden Cove's tables of branches are divided in two by bit 5 of the address of a branch's last byte.  If the hard
 * branches of a loop share that bit, half of each is idle: a recursion with two such takes 1.7 times as long.  Which
 * are hard nobody knows, so neighbours are to differ, above all the last.  What place() has put on a line stays. */
int
branch_shift(const struct x86 *x)
{
	enum { STEP = 16, HALF = 32 };
	int best = 0, most = -1, loops = x->recursive;

	for (int b = 0; b < x->r->nblock; b++)
		loops |= x->loop[b];
	if (!loops || x->out->line || x->ncond < 2 || x->ncond > NCOND)
		return 0;
	x->out->line = 1;
	for (int shift = 0; shift < HALF; shift += STEP) {
		u32 at = (u32)(uintptr_t)x->out->code + (u32)shift;
		int differ = 0;

		for (int n = 1; n < x->ncond; n++)
			if (((at + x->cond[n]) ^ (at + x->cond[n - 1])) & HALF)
				differ += n;
		if (differ > most) {
			most = differ;
			best = shift;
		}
	}
	return best;
}

void
branch_cold(struct x86 *x)
{
	for (int n = 0; n < x->ncold && x->a.p <= x->lim; n++) {
		struct cold c;

		if (x->cold[n].emit == cold_link)
			continue;
		c = x->cold[n];
		if (c.from)
			rel32_to(c.from, x->a.p);
		x->pcoff = c.pcoff;
		x->mapped = 0;
		if (c.emit != cold_poll && c.emit != cold_backward && c.emit != cold_evict)
			x_map(x);
		if (c.at)
			mov_mi(&x->a, 32, m_cpu(offsetof(struct cpu, scratch[0])), (s32)c.at);
		c.emit(x, &c);
	}
}

void
branch_coldhere(struct x86 *x)
{
	u8 *over = jmp_32(&x->a);

	branch_cold(x);
	x->ncold = 0;
	rel32_to(over, x->a.p);
}

void
branch_coldlinks(struct x86 *x)
{
	for (int n = 0; n < x->ncold; n++)
		if (x->cold[n].emit == cold_link)
			cold_link(x, &x->cold[n]);
}

int
branch_end(struct x86 *x)
{
	lodge_doors(x);
	if (x->evicted || !fix(x))
		return -EAGAIN;
	branch_cold(x);
	link_stubs(x);
	branch_coldlinks(x);
	return x->a.p > x->lim ? -ENOSPC : 0;
}
