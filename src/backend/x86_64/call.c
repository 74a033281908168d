/* SPDX-License-Identifier: MIT */
/* call.c - calls of C functions: helpers, and the evaluator for what has no emitter; leaving for the engine
 *
 * Arguments travel in cpu->scratch[1..4]; a common stub saves the homes that C code loses to
 * the state record, switches stacks, calls and restores.  While C code runs, cpu->scratch[7]
 * holds the shadow stack's pointer, at the return address in generated code. */
#include "backend/x86_64/int.h"
#include "ir/eval.h"

/* -- what lies outside the region -- */
void
x_stub(struct x86 *x, u8 *field, u8 *const *stub)
{
	struct out *o = x->out;

	grow(&o->reloc, o->nreloc, &o->capreloc, sizeof *o->reloc);
	o->reloc[o->nreloc++] = (struct reloc){.off = (u32)(field - o->code), .kind = REL_STUB,
	    .index = (u8)(stub - (u8 *const *)&x86_stub)};
	rel32_to(field, *stub);
}

void
x_gostub(struct x86 *x, u8 *const *stub)
{
	x_stub(x, jmp_32(&x->a), stub);
}

/* What belongs to another object than this program lies too far away. */
void
x_cptr(struct x86 *x, int reg, const void *p)
{
	s64 d = (s64)((u64)(uintptr_t)p - x86_anchor());

	if (!fits32(d)) {
		x->out->fixed = 1;
		mov_ri(&x->a, reg, (u64)(uintptr_t)p);
		return;
	}
	mov_rm(&x->a, 64, reg, m_cpu(offsetof(struct cpu, anchor)));
	lea(&x->a, 64, reg, mem_at(reg, (s32)d));
}

static struct mem scratch(int n) { return m_cpu(offsetof(struct cpu, scratch) + 8 * (size_t)n); }

static void
argument(struct x86 *x, int n, ref t)
{
	s64 k;

	if (!t) {                      /* no operand is 0 */
		mov_mi(&x->a, 64, scratch(n), 0);
		return;
	}
	if (x_isk(x, t, &k) && fits32(k))
		mov_mi(&x->a, 64, scratch(n), (s32)k);
	else
		mov_mr(&x->a, 64, scratch(n), xr_use(x, t, 64));
	x->lock[0] = 0;
}

static void
call_stub(struct x86 *x, const void *fn, u8 *const *stub)
{
	if (x->lodged)
		x->evicted |= x->lodged->sunk ? SURFACED : 1;
	x_map(x);
	x_cptr(x, RAX, fn);
	x_stub(x, call_32(&x->a), stub);
}

static u8 *const *
stub_for(u32 flags)
{
	if (flags & HELP_STATE)
		return &x86_stub.helpstate;
	if (flags & HELP_FAULT)
		return &x86_stub.helpall;
	return flags & HELP_NOVEC && !(flags & HELP_FP) ? &x86_stub.help : &x86_stub.helpv;
}

/* Values that live in homes the callee may change get places of their own. */
static void
leave_homes(struct x86 *x, u32 flags)
{
	if (!(flags & HELP_STATE))
		return;
	for (int v = 0; v < x->r->guest->nreg; v++)
		if (x->homed[v][0])
			val_leavehome(x, v);
	x->nkept = 0;
}

int
x_help(struct x86 *x, const struct ins *i)
{
	const struct helper *h = ir_helper(x->r, i->v);

	if (h->flags & HELP_FLAGS)
		return fp_flags(x, i);
	argument(x, 1, i->a);
	argument(x, 2, i->b);
	argument(x, 3, i->c);
	leave_homes(x, h->flags);
	val_spillall(x);
	call_stub(x, h->fn, stub_for(h->flags));
	xr_take(x, RAX);
	xr_set(x, (ref)x->i, RAX);
	return 1;
}

static void
pointer(struct x86 *x, int n, int var)
{
	lea(&x->a, 64, RAX, mem_at(RBP, x86_home[var].disp));
	mov_mr(&x->a, 64, scratch(n), RAX);
}

int
x_vhelp(struct x86 *x, const struct ins *i)
{
	const struct helper *h = ir_helper(x->r, i->v);
	int d = i->aux & 0xff, group = h->flags & HELP_GROUP;

	for (int n = 0; n < (group ? HELP_MOST : 1) && d + n < x->r->guest->nreg; n++)
		val_leavehome(x, d + n);
	leave_homes(x, h->flags);
	val_spillall(x);
	pointer(x, 1, d);
	pointer(x, 2, i->aux >> 8);
	pointer(x, 3, i->imm & 0xff);
	mov_mi(&x->a, 64, scratch(4), i->imm >> 8);
	call_stub(x, h->fn, stub_for(group ? h->flags : (h->flags & ~HELP_NOVEC) | HELP_FP));
	return 1;
}

/* -- the evaluator -- */
static struct mem passed(int n) { return m_cpu(offsetof(struct cpu, vspill) + 64 * (size_t)(NVSLOT + n)); }

u64
x86_evaluate(struct cpu *cpu, const struct evalsite *s)
{
	struct ins ins[5] = {{0}, {.op = O_nop, .ty = N}, {.op = O_nop, .ty = N}, {.op = O_nop, .ty = N}, s->ins};
	u64 val[4 * EVAL_MAXWORDS];
	struct eval e = {.cpu = cpu, .guest = cpu->guest, .ins = ins, .k = s->k, .val = val,
	    .stride = EVAL_MAXWORDS, .first = 1, .pc = s->pc, .fpnan = s->fpnan};
	ref *arg[3] = {&ins[4].a, &ins[4].b, &ins[4].c};

	for (int n = 0; n < 3; n++) {
		if (isk(*arg[n])) {
			*arg[n] = (ref)(REF_K | n);
		} else if (*arg[n]) {
			*arg[n] = (ref)(n + 1);
			memcpy(&val[n * EVAL_MAXWORDS], cpu->vspill[NVSLOT + n], 64);
		}
	}
	cpu->pc = s->pc;
	memset(&val[3 * EVAL_MAXWORDS], 0, 64);        /* a scalar float leaves the rest */
	if (eval_block(&e, 4) == EVAL_LEFT)
		return 1;
	memcpy(cpu->vspill[NVSLOT + 3], &val[3 * EVAL_MAXWORDS], 64);
	return 0;
}

static void
pass(struct x86 *x, const struct ins *i, int n, ref t)
{
	if (!t || isk(t))
		return;
	if (ty_vclass(x->val[t].ty)) {
		xv_store(x, 16, xv_use(x, t), passed(n));
	} else if (opinfo[i->op].arg[n] == 'X' && i->ty <= I32) {
		int s = xr_use(x, t, 32), d = xr_tmp(x);       /* it may be a wider value (peel) */

		movzx_rr(&x->a, ty_bits(i->ty), d, s);
		mov_mr(&x->a, 64, passed(n), d);
	} else {
		mov_mr(&x->a, 64, passed(n), xr_use(x, t, 64));
	}
	x->lock[0] = x->lock[1] = 0;
}

/* What the evaluator reads, behind a jump in the code. */
static const struct evalsite *
write_site(struct x86 *x, const struct ins *i)
{
	u8 *field = jmp_8(&x->a);
	struct evalsite *s = (struct evalsite *)alignup((uintptr_t)x->a.p, 8);

	s->ins = *i;
	s->fpnan = x->r->fpnan;
	s->pc = x->r->pc + (u64)(s64)(s32)x->pcoff;
	s->k[0] = isk(i->a) ? kval(x->r, i->a) : 0;
	s->k[1] = isk(i->b) ? kval(x->r, i->b) : 0;
	s->k[2] = isk(i->c) ? kval(x->r, i->c) : 0;
	x->a.p = (u8 *)(s + 1);
	rel8_here(&x->a, field);
	return s;
}

int
x_eval(struct x86 *x, const struct ins *i)
{
	const struct evalsite *s;
	int ty = ir_type(i);

	if (ty_bits(ty) > 128) {
		x->failed = 1;
		return 0;
	}
	x->nested = 1;                 /* flags that are an operand of this very instruction too */
	xf_save(x);
	x->nested = 0;
	pass(x, i, 0, i->a);
	pass(x, i, 1, i->b);
	pass(x, i, 2, i->c);
	val_spillall(x);
	s = write_site(x, i);
	lea(&x->a, 64, RAX, mem_at(RIP, (s32)((const u8 *)s - x86_area)));
	mov_mr(&x->a, 64, scratch(1), RAX);
	call_stub(x, (const void *)(uintptr_t)x86_evaluate, &x86_stub.helpall);
	if (i->aux & AUX_ALIGN && opinfo[i->op].traits & (READ | WRITE)) {
		test_rr(&x->a, 32, RAX, RAX);
		x_stub(x, jcc_32(&x->a, JNE), &x86_stub.leave);
	}
	if (ty == N)
		return 1;
	if (ty_vclass(ty)) {
		xv_load(x, 16, xv_def(x, (ref)x->i), passed(3));
		if (ty_isfloat(ty))
			xv_zx(x, (ref)x->i);
	} else {
		mov_rm(&x->a, 64, xr_def(x, (ref)x->i), passed(3));
	}
	return 1;
}

/* A vector operation by a C function that touches no vector register: fn(cpu, i->v) finds the operands
 * in cpu->vspill[NVSLOT] and the two after it, and leaves the result in the fourth. */
int
x_plain(struct x86 *x, const struct ins *i, helper_fn *fn)
{
	pass(x, i, 0, i->a);
	pass(x, i, 1, i->b);
	pass(x, i, 2, i->c);
	val_spillall(x);
	mov_mi(&x->a, 64, scratch(1), i->v);
	call_stub(x, (const void *)(uintptr_t)fn, &x86_stub.help);
	xv_load(x, 16, xv_def(x, (ref)x->i), passed(3));
	return 1;
}

/* -- leaving for the engine -- */
int
x_sys(struct x86 *x, const struct ins *i)
{
	gaddr pc = kval(x->r, i->a);

	mov_ri(&x->a, RAX, pc);
	x_stub(x, call_32(&x->a), &x86_stub.sys);
	branch_jump(x, pc);
	return 1;
}

int
x_look(struct x86 *x, const struct ins *i)
{
	mov_ri(&x->a, RAX, kval(x->r, i->a));
	mov_mi(&x->a, 32, m_cpu(offsetof(struct cpu, why)), WHY_FLUSH);
	x_gostub(x, &x86_stub.leaveat);
	return 1;
}

int
x_trap(struct x86 *x, const struct ins *i)
{
	mov_mi(&x->a, 32, m_cpu(offsetof(struct cpu, trapinfo)), i->imm);
	mov_ri(&x->a, RAX, x->r->pc + (u64)(s64)(s32)x->pcoff);
	mov_ri(&x->a, RCX, i->v);
	x_gostub(x, &x86_stub.trap);
	return 1;
}
