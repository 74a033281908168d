/* SPDX-License-Identifier: MIT */
/* host.c - the x86-64 host: features, homes, the driver of a compilation, faults */
#include <errno.h>
#include <signal.h>
#include <ucontext.h>
#include "backend/x86_64/fpx.h"
#include "backend/x86_64/int.h"

struct x86feat x86feat;
struct x86 x86;
struct home x86_home[256];
static struct home fixed[256];         /* the same at all times: x86_home changes while code is made (lodge.c) */
static s32 flagshome;                  /* the displacement of the flags variable's, or 0 */
int x86_nvtemp, x86_nvhome, x86_avx512regs;

static const struct sel int_sel[O_COUNT] = {
#define SEL(op, fn, fl) [O_##op] = {fn, fl},
#include "backend/x86_64/sel.def"
#undef SEL
};

/* By the type's class: an integer emitter for scalar integers, a vector emitter for the rest, the
 * other one where there is only one, the evaluator where there is none. */
static struct sel sel[O_COUNT][2];     /* filled by the first compilation */

static void
fill_sel(void)
{
	for (int op = 0; op < O_COUNT; op++) {
		const struct sel *i = &int_sel[op], *v = &x86_vsel[op];
		struct sel *s = &sel[op][0], *t = &sel[op][1];

		*s = i->emit ? *i : *v;
		*t = v->emit && op != O_get && op != O_put ? *v : *i;
		if (!s->emit)
			*s = (struct sel){x_eval, SEL_CLOB};
		if (!t->emit)
			*t = (struct sel){x_eval, SEL_CLOB};
		u8 fl = (opinfo[op].traits & (READ | WRITE) ? SEL_MAP : 0) | (opinfo[op].traits & FPENV ? SEL_FPENV : 0);

		s->flags |= fl;
		t->flags |= fl;
	}
}

/* -- homes -- */

/* Best first: those that need no REX prefix, then those that are cheap as a base address. */
static const u8 int_homes[] = {RBX, RSI, RDI, R8, R9, R10, R11, R14, R15, R13, R12};

/* Where vectors have no homes, only scalar floats, they want temporary registers instead: homes beyond those of the
 * floats that are used most are given up, or one where there are few. */
static int
vector_temps(const struct guest *g)
{
	int vectors = 0, homes = 0;

	for (int v = 0; v < g->nreg; v++) {
		vectors |= g->reg[v].kind == REG_VEC;
		homes |= g->reg[v].kind == REG_VEC && g->reg[v].rank;
	}
	return !vectors || homes ? NVTEMP : x86_avx512regs ? NVMORE : NVTEMP + 1;
}

static void
set_guest(const struct guest *g)
{
	s16 by_rank[2][256];           /* variable of each rank, integers and vectors; -1: none */
	int nint = 0, nvec = 0;

	memset(by_rank, 0xff, sizeof by_rank);
	x86_home[NOVAR].reg = -1;
	x86_nvtemp = vector_temps(g);
	x86_nvhome = (x86_avx512regs ? 32 : 16) - x86_nvtemp;
	for (int v = 0; v < g->nreg; v++) {
		const struct reg *r = &g->reg[v];

		x86_home[v] = (struct home){.reg = -1, .kind = r->kind, .bits = r->bits,
		    .disp = m_cpu(offsetof(struct cpu, state) + r->off).disp};
		if (r->kind != REG_FLAGS && r->bits <= 128)
			by_rank[r->kind != REG_INT][r->rank] = (s16)v;
	}
	for (int rank = 1; rank < 256; rank++) {
		int v = by_rank[0][rank], w = by_rank[1][rank];

		if (v >= 0 && nint < (int)NELEM(int_homes))
			x86_home[v].reg = (s8)int_homes[nint++];
		if (w >= 0 && nvec < x86_nvhome)
			x86_home[w].reg = (s8)(x86_nvtemp + nvec++);
	}
	flagshome = g->flags == 0xff ? 0 : x86_home[g->flags].disp;
	memcpy(fixed, x86_home, sizeof fixed);
	stub_guest(g);
	fp_guest(g->fpnan);
}

/* -- the driver -- */

/* A comparison whose result the host has in its carry. */
static int
iscarry(const struct region *r, const struct ins *p)
{
	if (p->op != O_set || (p->ty != I64 && p->ty != I32) || isk(p->a))
		return 0;
	switch (p->v) {
	case R_LTU: case R_GEU:
		return 1;
	case R_GTU: case R_LEU:
		return !isk(p->b);
	case R_EQ: case R_NE:
		return isk(p->b) && !kval(r, p->b);
	}
	return 0;
}

/* What an emitter takes apart itself. */
static int
foldable(const struct region *r, const struct ins *p, const struct ins *c, int n)
{
	int shift = p->op == O_shl && isk(p->b) && kval(r, p->b) >= 1 && kval(r, p->b) <= 3 && !isk(p->a);

	switch (c->op) {
	case O_ld: case O_lds: case O_st: case O_pref:
		if (r->guest->bits != 64 || p->ty != I64 || c->aux & (AUX_IDX32S | AUX_IDX32U) || isk(p->a))
			return 0;
		if (n == 0 && p->op == O_add)
			return isk(p->b) ? (s64)kval(r, p->b) == (s32)kval(r, p->b) &&
			    (s64)kval(r, p->b) + c->imm == (s32)((s64)kval(r, p->b) + c->imm) : !c->b;
		return n == 1 && shift && !(c->aux & AUX_SCALE);
	case O_sub:
		return n == 1 && iscarry(r, p) && (c->ty == I64 || c->ty == I32) && !isk(c->a);
	case O_add:
		if (iscarry(r, p))
			return (c->ty == I64 || c->ty == I32) && !isk(c->b);
		if (p->ty != c->ty || (c->ty != I64 && c->ty != I32))
			return 0;
		return shift || (n == 0 && p->op == O_add && isk(p->b) && isk(c->b) && !isk(p->a));
	case O_sel:
		return n == 0 && !ty_vclass(c->ty) && (p->op == O_set || p->op == O_fcc);
	case O_ldor:
		return n == 1 && p->op == O_set;
	case O_brc:
		return n == 0 && p->op == O_set && (c->v == R_NE || c->v == R_EQ) && isk(c->b) && !kval(r, c->b) &&
		    !(isk(p->a) && isk(p->b));
	case O_movif:
		return p->op == O_umov && ty_lanebits(p->v) == ty_bits(c->ty) && ty_bits(c->ty) >= 32 &&
		    ty_bits(r->ins[p->a].ty) == 128 && p->imm < 128 / ty_bits(c->ty);
	case O_dup:                    /* nothing that may still wait for a look (fppend.c) */
		return p->op == O_movfi && ty_lanebits(p->v) == ty_lanebits(c->ty) && ty_bits(c->ty) == 128 &&
		    ty_bits(r->ins[p->a].ty) >= 32 && (r->ins[p->a].op == O_get || r->ins[p->a].op == O_funbox);
	case O_adc:
		return n < 2 && p->op == O_mul && p->ty == I64 && c->ty == I64 && x86feat.bmi2;
	case O_fltst:
		return p->op == O_and && p->ty == c->ty && c->ty >= I32 && !isk(p->a);
	case O_flsel:
		return n == 1 && (p->op == O_flsub || p->op == O_fladd) && (p->ty == I32 || p->ty == I64);
	}
	return 0;
}

static int
inreg(const struct guest *g, int var)
{
	(void)g;
	return x86_home[var].reg >= 0;
}

static int bothhalves(void) { return x86feat.bmi2; }

static int nvtemp(void) { return x86_nvtemp; }

static const struct planhost planhost = {foldable, x_carrytold, inreg, bothhalves, nvtemp};

void
x_map(struct x86 *x)
{
	struct out *o = x->out;
	struct mapent m = {.off = (u32)(x->a.p - o->code), .pcoff = (s32)x->pcoff};

	if (x->owed && x->owedvar & 31) {
		m.owed = x->owedvar & 31;
		m.reg = (u32)x->val[x->owed].reg & 3;
	}
	if (x->owedflags)
		m.flags = (1 + x->flkind) & 3;
	if (x->mapped) {
		const struct mapent *last = &o->map[o->nmap - 1];

		if (m.owed == last->owed && m.reg == last->reg && m.flags == last->flags)
			return;
		m.several = last->several;
		m.base = last->base;
	}
	x->mapped = 1;
	grow(&o->map, o->nmap, &o->capmap, sizeof *o->map);
	o->map[o->nmap++] = m;
}

/* An access for several comes alone under its instruction. */
static void
map_access(struct x86 *x, const struct ins *i)
{
	struct out *o = x->out;
	int plain = i->op == O_ld || i->op == O_lds || i->op == O_st;
	u32 several = plain ? i->op != O_lds && i->v : ir_isseveral(i), base = plain ? (u32)i->aux >> AUX_BASE & 31 : 0;
	struct mapent *m;

	if (!(x->mapped | x->owed | x->owedflags) && o->nmap < o->capmap) {
		o->map[o->nmap++] = (struct mapent){.off = (u32)(x->a.p - o->code), .pcoff = (s32)x->pcoff,
		    .several = several, .base = base};
		x->mapped = 1;
		return;
	}
	x_map(x);
	m = &o->map[o->nmap - 1];
	m->several |= several;
	if (plain)
		m->base = base;
}

static inline __attribute__((always_inline)) void
emit(struct x86 *x, const struct ins *i)
{
	const struct sel *s = &sel[i->op][ty_vclass(i->ty)];
	int keeps;

	if (fp_npend | fp_looking)
		fp_before(x, i);
	if (s->flags & SEL_CLOB && x->fl)
		xf_save(x);
	if (s->flags & SEL_MAP)
		map_access(x, i);
	keeps = x->i < x->cf.until && x_carrykept(x);
	if ((s->flags & SEL_FPENV && fp_byhand(x->r)) || !s->emit(x, i))
		x_eval(x, i);
	if (keeps)
		x->cf.at = x->a.p;
}

int
x_emit(struct x86 *x, ref t)
{
	int at = x->i;

	x->cf.t = 0;
	x->i = t;
	emit(x, &x->r->ins[t]);
	x->i = at;
	return 1;
}

int
x_get(struct x86 *x, const struct ins *i)
{
	(void)i;
	val_get(x, (ref)x->i);
	return 1;
}

/* The integer that is put was made in that home. */
static inline int
isthere(const struct x86 *x, const struct ins *i)
{
	const struct val *v = &x->val[i->a & ~REF_K];

	return !isk(i->a) && v->var == i->v && !(v->flags & (VAL_NARROW | VAL_FOLD)) && x86_home[i->v].kind == REG_INT;
}

int
x_put(struct x86 *x, const struct ins *i)
{
	if (x->owed && x->owedvar == i->v)
		x->owed = 0;
	if (x86_home[i->v].kind == REG_FLAGS)
		xf_put(x, i);
	else if (!isthere(x, i))
		val_put(x, i);
	if (!(x->owed && x->owedvar == i->v) && !isk(i->a) && x->r->ins[i->a].op == O_sxt && x->r->ins[i->a].imm == 32)
		val_under(x, x->r->ins[i->a].a, i->v);
	return 1;
}

int
x_insn(struct x86 *x, const struct ins *i)
{
	(void)x, (void)i;              /* compile_block does it */
	return 1;
}

int
x_nop(struct x86 *x, const struct ins *i)
{
	(void)x, (void)i;
	return 1;
}

static void
home_saved(struct x86 *x, const struct home *h)
{
	if (h->kind == REG_INT)
		mov_mr(&x->a, 64, mem_at(RBP, h->disp), h->reg);
	else
		xv_store(x, h->kind == REG_FP ? 8 : 16, h->reg, mem_at(RBP, h->disp));
}

static void
home_back(struct x86 *x, const struct home *h)
{
	if (h->kind == REG_INT)
		mov_rm(&x->a, 64, h->reg, mem_at(RBP, h->disp));
	else
		xv_load(x, h->kind == REG_FP ? 8 : 16, h->reg, mem_at(RBP, h->disp));
}

/* Loans that begin at instruction n. */
static void
loans_begin(struct x86 *x, const struct borrow *b, int n)
{
	for (int k = 0; k < b->n; k++) {
		const struct home *h = &x86_home[b->loan[k].var];

		if (b->loan[k].first == n && h->reg >= 0)     /* else it lodged elsewhere when this was planned */
			home_saved(x, h);
	}
}

/* Loans that end there; of what is in a home nothing is used any more. */
static void
loans_end(struct x86 *x, const struct borrow *b, int n)
{
	for (int k = 0; k < b->n; k++) {
		const struct loan *l = &b->loan[k];
		const struct home *h = &x86_home[l->var];

		if (l->end != n || h->reg < 0)
			continue;
		x->i = n;
		val_leavehome(x, l->var);
		home_back(x, h);
	}
}

static void
val_room(struct x86 *x)
{
	while (x->capval < x->r->nins)
		grow(&x->val, x->capval, &x->capval, sizeof *x->val);
	val_begin(x);
	x->i = 0;
	x->val[0] = (struct val){.reg = -1, .var = NOVAR, .var2 = NOVAR, .want = NOVAR};
}

/* What comes before instruction n of a block where homes change hands.  What a lodger has lent comes back before
 * it moves out. */
static void
handover(struct x86 *x, int until, const struct borrow *borrow, int n)
{
	loans_end(x, borrow, n);
	if (n == until) {
		lodge_out(x, x->lodged);
		lodge_end(x);
	}
	if (x->lodged && x->lodged->sunk)
		surface_begin(x, n);
	loans_begin(x, borrow, n);
}

static int
emit_block(struct x86 *x, const struct block *b)
{
	static struct borrow borrow;
	const struct ins *i;
	const struct val *v;
	int n, end, hands, until = lodge_until(x, b);
	u32 from = (u32)(b->pc - x->r->pc);

	borrow.n = 0;
	if (plan_block(x->r, b, x->val, &planhost) >= BORROW_LONG)
		plan_borrow(x->r, b, x->val, &planhost, until, &borrow);
	x->fl = x->zf.t = x->cf.t = x->owed = x->owedflags = 0;
	x->cf.until = 0;
	x->nkept = 0;
	hands = x->lodged || borrow.n;
	n = b->first;
	end = n + b->n;
	for (i = &x->r->ins[n], v = &x->val[n]; n < end; n++, i++, v++) {
		if (hands)
			handover(x, until, &borrow, n);
		if (i->op == O_insn) {
			x->pcoff = from + (u32)i->imm;
			x->mapped = 0;
			continue;
		}
		if (v->flags & (VAL_DEAD | VAL_FOLD | VAL_PAIRED) || i->op == O_nop)
			continue;
		x->i = n;
		x->lock[0] = x->lock[1] = 0;
		if (i->op == O_get && !fp_npend) {
			val_get(x, (ref)n);
			continue;
		}
		emit(x, i);
		if (x->a.p > x->lim)
			return -ENOSPC;
	}
	return 0;
}

void
x_part(struct x86 *x, const struct block *b)
{
	static const struct ins end = {.op = O_look, .ty = N};

	fp_begin(x->r);
	val_room(x);
	if (emit_block(x, b))
		x->failed = 1;
	x->i = b->first + b->n;
	if (fp_npend | fp_looking)
		fp_before(x, &end);
	if (x->ncold && !(opinfo[x->r->ins[x->i - 1].op].traits & END))
		branch_coldhere(x);
}

void
x_sunk(struct x86 *x, const struct sinkset *s)
{
	const struct block b = {.pc = x->r->pc, .first = s->first, .n = s->n};

	val_begin(x);                  /* it may have been made before */
	if (s->n && emit_block(x, &b))
		x->failed = 1;
}

static int
compile_block(struct x86 *x, int b)
{
	x->b = &x->r->block[b];
	x->pcoff = (u32)(x->b->pc - x->r->pc);
	x->mapped = 0;
	branch_head(x, b);
	if (emit_block(x, x->b))
		return -ENOSPC;
	if (x->lodged && b == x->lodged->last)
		lodge_end(x);
	return 0;
}

/* Operands in the table of constants; the others lie in the region itself. */
static void
const_refs(struct out *o)
{
	for (int n = 0; n < x86_nripref; n++) {
		const struct ripref *f = &x86_ripref[n];
		const u8 *to = f->field + 4 + f->after + (s32)ld32(f->field);

		if (to >= o->code && to < o->end)
			continue;
		grow(&o->reloc, o->nreloc, &o->capreloc, sizeof *o->reloc);
		o->reloc[o->nreloc++] = (struct reloc){.off = (u32)(f->field - o->code), .kind = REL_CONST,
		    .after = (u8)f->after};
	}
}

static const u8 *
referred(const u8 *code, const struct reloc *r)
{
	const u8 *field = code + r->off;

	return field + 4 + r->after + (s32)ld32(field);
}

static void
refer(u8 *code, const struct reloc *r, const u8 *to)
{
	u8 *field = code + r->off;

	st32(field, (u32)(to - (field + 4 + r->after)));
}

/* The region's code starts some bytes later. */
static void
move(struct out *o, int by)
{
	u8 *from = o->code;

	if (!by)
		return;
	memmove(from + by, from, o->size);
	o->code += by;
	for (int n = 0; n < o->nreloc; n++)
		refer(o->code, &o->reloc[n], referred(o->code, &o->reloc[n]) - by);
}

static int unfinished;                  /* who makes code, or did when he was killed (vfork), may have lodgers */

void
x_begin(struct x86 *x, struct region *r, struct out *out)
{
	if (!sel[0][0].emit)
		fill_sel();
	out->nlink = out->nentry = out->nmap = out->nreloc = out->fixed = out->line = 0;
	x86_nripref = 0;
	x->r = r;
	x->out = out;
	x->a.p = out->code;
	x->lim = out->end - CODE_MARGIN;
	x->failed = x->nested = 0;
	x->a32 = r->guest->bits == 32;
	if (unfinished)
		memcpy(x86_home, fixed, sizeof fixed);
	unfinished = 0;
}

static int
make(struct x86 *x, struct region *r, struct out *out)
{
	int err;

	if (out->end - out->code < 2 * CODE_MARGIN)
		return -ENOSPC;
	x_begin(x, r, out);
	unfinished = 1;
	plan_begin();
	fp_begin(r);
	branch_begin(x);
	val_room(x);
	for (int b = 0; b < r->nblock; b++)
		if (compile_block(x, b))
			return -ENOSPC;
	if ((err = branch_end(x)))
		return err;
	if (x->failed)
		return -E2BIG;
	const_refs(out);
	out->size = (u32)(x->a.p - out->code);
	move(out, branch_shift(x));
	return 0;
}

static int
compile(struct region *r, struct out *out)
{
	static struct region sunk;
	struct x86 *x = &x86;
	int err;

	x->nsunk = plan_sinks(r, &planhost, x->sunk, &sunk);
	x->guess = x->lodges = x->trusts = 1;
	while ((err = make(x, x->nsunk ? &sunk : r, out)) == -EAGAIN)
		if (x->evicted & SURFACED)
			x->nsunk = 0;
		else if (x->evicted & UNTOLD)
			x->trusts = 0;
		else if (x->evicted)
			x->lodges = 0;
		else
			x->guess = 0;
	lodge_end(x);
	x->lodges = x->trusts = unfinished = 0;        /* quick code has none, and is not made again */
	return err;
}

/* -- the rest of the contract -- */
/* An empty shadow stack. */
static u8 **
bottom(struct cpu *cpu)
{
	u8 **sp = (u8 **)cpu->shadow_base - (1 + SCAN);

	for (int n = 0; n <= SCAN; n++)
		sp[n] = x86_stub.sentinel;
	return sp;
}

/* cpu->next where there is no engine: a test leaves */
static const u8 *nowhere(struct cpu *cpu) { return (void)cpu, (const u8 *)0; }

static void
enter(struct cpu *cpu, const u8 *code)
{
	if (!cpu->anchor) {
		if (!cpu->next)
			cpu->next = nowhere;
		memcpy(cpu->stub, &x86_stub, sizeof x86_stub);
		cpu->anchor = x86_anchor();
	}
	if (!cpu->keep)
		cpu->shadow_sp = bottom(cpu);
	((void (*)(struct cpu *, const u8 *))(uintptr_t)x86_stub.enter)(cpu, code);
}

_Static_assert(NSTUB <= NELEM(((struct cpu *)0)->stub), "all stubs find a place");

static u32
head(u8 *at)
{
	struct code a = {at};

	for (int n = 0; at && n < NSTUB; n++) {
		a.p = at + 8 * n;
		op_rm(&a, 0xff, 32, 4, m_cpu(offsetof(struct cpu, stub) + sizeof(u8 *) * (size_t)n), 0);
		nops(&a, (int)(at + 8 * n + 8 - a.p));
	}
	return NSTUB * 8;
}

static u64
config(void)
{
	const u8 *p = (const u8 *)&x86feat;
	u64 h = (u64)fp_soft() | (u64)fp_exact() << 1;

	for (size_t n = 0; n < sizeof x86feat; n++)
		h = (h ^ p[n]) * 0x100000001b3;
	return h;
}

static void
link_site(u8 *code, const struct link *l, const u8 *to)
{
	u8 *field = code + l->site;

	if (!to)
		to = code + l->stub;
	__atomic_store_n((u32 *)(void *)field, (u32)(to - (field + 4)), __ATOMIC_RELEASE);
}

/* A return point: its `jne` after the comparison becomes `nop; jmp`, whose field stays the same.  A
 * block's head needs nothing: nobody finds it any more, and its links are undone. */
static void
kill_entry(u8 *code, const struct entry *e)
{
	u8 *p = code + e->off;

	if (!e->ret)
		return;
	while (p[0] != 0x0f || p[1] != 0x85) {         /* the instructions before are compares and moves */
		if (p[0] == 0x48 && p[1] == 0xb8)
			p += 10;
		else if (p[0] == 0x90)
			p += 1;
		else
			p += (p[1] == 0x81) * 4 + 2 + (p[2] >> 6 == 3 ? 1 : p[2] >> 6 == 1 ? 2 : 5);
	}
	__atomic_store_n((u16 *)(void *)p, (u16)0xe990, __ATOMIC_RELEASE);
}

static greg_t *gregs(const void *uc) { return ((ucontext_t *)(uintptr_t)uc)->uc_mcontext.gregs; }
static u64 context_pc(const void *uc) { return (u64)gregs(uc)[REG_RIP]; }
static void context_setpc(void *uc, u64 pc) { gregs(uc)[REG_RIP] = (greg_t)pc; }
static int context_write(const void *uc) { return (int)(gregs(uc)[REG_ERR] >> 1 & 1); }
static u64 context_addr(const void *uc) { (void)uc; return 0; }

/* A page fault (vector 14, SDM 3.6.15) leaves its address in CR2; the context shows those of the thread's last
 * fault, which the instruction after a system call cannot have been.  Other faults of memory (#GP, #SS) come as
 * SI_KERNEL. */
static int
raised(const void *uc, int sig, const siginfo_t *si)
{
	u64 at = (u64)(uintptr_t)si->si_addr, pc = context_pc(uc);

	switch (sig) {
	case SIGSEGV: case SIGBUS:
		if (si->si_code == SI_KERNEL)
			return 1;
		return gregs(uc)[REG_TRAPNO] == 14 && at == (u64)gregs(uc)[REG_CR2] && (at == pc ||
		    memcmp((const void *)(uintptr_t)(pc - 2), "\x0f\x05", 2));
	case SIGFPE: case SIGILL:
		return at == pc;
	}
	return 0;                      /* we raise no other */
}

static const u8 order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* The address of the instruction, one of those that load or store integers, less its displacement. */
static u64
base_of(const greg_t *g)
{
	const u8 *p = (const u8 *)(uintptr_t)g[REG_RIP];
	int rex = 0, base, index, scale = 0;

	if (*p == 0x66)
		p++;
	if ((*p & 0xf0) == 0x40)
		rex = *p++;
	p += *p != 0x0f ? 1 : p[1] == 0x38 ? 3 : 2;
	base = *p & 7;
	index = 4;                     /* none */
	if (base == 4) {
		p++;
		scale = *p >> 6;
		index = (*p >> 3 & 7) | (rex << 2 & 8);
		base = *p & 7;
	}
	base |= rex << 3 & 8;
	return (u64)g[order[base]] + (index == 4 ? 0 : (u64)g[order[index]] << scale);
}

/* Before the fixed registers are stored. */
static void
put_base(greg_t *g, struct cpu *cpu, int var)
{
	const struct home *h = &fixed[var];

	if (h->reg >= 0)
		g[order[h->reg]] = (greg_t)base_of(g);
	else
		st64((u8 *)cpu + CPU_BIAS + h->disp, base_of(g));
}

/* EFLAGS in the form that `lahf; seto al` gives */
static u64
flags_of(u64 efl, int flkind)
{
	return ((efl & 0xff) << 8 | (efl >> 11 & 1)) ^ (flkind == FLK_SUB ? FL_C : 0);
}

static void
unwind(void *uc, struct cpu *cpu, enum why why, gaddr pc)
{
	greg_t *g = gregs(uc);

	cpu->why = why;
	cpu->pc = pc;
	cpu->link = 0;
	if (why == WHY_FAULT && cpu->fault.owed)
		st64((u8 *)cpu + CPU_BIAS + fixed[cpu->fault.owed].disp, (u64)g[order[cpu->fault.reg]]);
	if (why == WHY_FAULT && cpu->fault.flags)
		st64((u8 *)cpu + CPU_BIAS + flagshome, flags_of((u64)g[REG_EFL], cpu->fault.flags - 1));
	if (why == WHY_FAULT && cpu->fault.base)
		put_base(g, cpu, cpu->fault.base);
	g[REG_RAX] = g[REG_RIP];
	if (cpu->scratch[7])           /* in a helper, above whose return address the shadow stack is */
		cpu->shadow_sp = (void *)(uintptr_t)(cpu->scratch[7] + 8);
	g[REG_RIP] = (greg_t)(uintptr_t)(cpu->scratch[7] ? x86_stub.leavec : x86_stub.leave);
	if (cpu->scratch[6])           /* in a loop with lodgers or sunk puts (lodge.c) */
		g[REG_RIP] = (greg_t)(cpu->scratch[6] & ~(u64)0 >> 8);
	g[REG_RBP] = (greg_t)(uintptr_t)((u8 *)cpu + CPU_BIAS);
	g[REG_EFL] &= ~0x400;          /* a helper may have been interrupted in a backward copy */
}

static u64
helper_pc(const struct cpu *cpu)
{
	return cpu->scratch[7] ? *(const u64 *)(uintptr_t)cpu->scratch[7] : 0;
}

/* The shadow stack has run into its guard page: forget all of it.  The call is done again. */
static int
host_fault(void *uc, struct cpu *cpu, int sig, const siginfo_t *si)
{
	greg_t *g = gregs(uc);
	u64 at = (u64)(uintptr_t)si->si_addr, lo = (u64)(uintptr_t)cpu->shadow_lo;

	if (sig == SIGFPE)
		return x86_fpfault(uc, cpu);
	if (at >= lo || at < lo - 4096 || (u64)g[REG_RSP] > lo + 64 || (u64)g[REG_RSP] < lo - 4096)
		return 0;
	g[REG_RSP] = (greg_t)(uintptr_t)bottom(cpu);
	return 1;
}

static u32
init(const char *features, u8 *code, u8 *end)
{
	x86_features(features);
	x86_avx512regs = x86feat.avx512;
	return stub_init(code, end);
}

const struct host host_x86_64 = {
	.name = "x86_64",
	.init = init,
	.guest = set_guest,
	.compile = compile,
	.quick = &x86_quick,
	.enter = enter,
	.link = link_site,
	.kill = kill_entry,
	.unwind = unwind,
	.context_pc = context_pc,
	.context_setpc = context_setpc,
	.context_write = context_write,
	.context_addr = context_addr,
	.raised = raised,
	.fpfault = host_fault,
	.emptied = fp_emptied,
	.helper_pc = helper_pc,
	.disasm = x86_disasm,
	.head = head,
	.referred = referred,
	.refer = refer,
	.config = config,
	.hash = x86_hash,
};
