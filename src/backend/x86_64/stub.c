/* SPDX-License-Identifier: MIT */
/* stub.c - code common to all regions: entering, leaving, dispatching, calling C
 *
 * It is written at run time, when the guest is known, because it moves the guest's homes.  The
 * sequence of save areas: a C caller's registers on its own stack (cpu->host_sp), guest variables
 * in cpu->state. */
#include "backend/x86_64/int.h"

enum { STUBS = 16 << 10 };

struct stubs x86_stub;
static u8 *stubs_at;

u32
stub_init(u8 *code, u8 *end)
{
	u32 size = xv_const_size() + STUBS;

	if ((size_t)(end - code) < size)
		return 0;
	x86_area = code;
	xv_const_init(code);
	stubs_at = code + xv_const_size();
	return size;
}

#define CPU(m) m_cpu(offsetof(struct cpu, m))

/* GPRs that a C function may change */
static int islost(int reg) { return reg == RSI || reg == RDI || (reg >= R8 && reg <= R11); }

enum which { INTS = 1, LOST = 2, VECS = 4 };

static void
homes(struct x86 *x, int nreg, int which, int load)
{
	struct code *a = &x->a;

	for (int v = 0; v < nreg; v++) {
		const struct home *h = &x86_home[v];
		struct mem m = mem_at(RBP, h->disp);

		if (h->reg < 0)
			continue;
		if (h->kind == REG_INT) {
			if (!(which & INTS) && !(which & LOST && islost(h->reg)))
				continue;
			if (load)
				mov_rm(a, 64, h->reg, m);
			else
				mov_mr(a, 64, m, h->reg);
		} else if (which & VECS) {
			if (load)
				xv_load(x, h->kind == REG_FP ? 8 : 16, h->reg, m);
			else
				xv_store(x, h->kind == REG_FP ? 8 : 16, h->reg, m);
		}
	}
}

/* k1 = 1: the mask of lane 0, for scalar operations that clear the rest */
static void
mask_register(struct code *a)
{
	if (!x86feat.avx512)
		return;
	mov_ri(a, RCX, 1);
	put4(a, 0xc992f8c5);           /* kmovw k1, ecx */
}

static const u8 callee_saved[] = {RBP, RBX, R12, R13, R14, R15};

static void
push_pop(struct code *a, int reg, int pop)
{
	if (reg > 7)
		put1(a, 0x41);
	put1(a, (pop ? 0x58u : 0x50u) | (u32)(reg & 7));
}

static void
write_enter(struct x86 *x, int nreg)
{
	struct code *a = &x->a;

	x86_stub.enter = a->p;         /* (struct cpu *rdi, const u8 *code rsi) */
	for (size_t n = 0; n < NELEM(callee_saved); n++)
		push_pop(a, callee_saved[n], 0);
	alu_ri(a, A_SUB, 64, RSP, 8);
	lea(a, 64, RBP, mem_at(RDI, CPU_BIAS));
	mov_mr(a, 64, CPU(host_sp), RSP);
	mov_mi(a, 64, CPU(scratch[7]), 0);
	mov_rr(a, 64, RAX, RSI);
	fp_control(a, 1);
	homes(x, nreg, INTS | VECS, 1);
	mask_register(a);
	mov_rm(a, 64, RSP, CPU(shadow_sp));
	op_rr(a, 0xff, 32, 4, RAX);    /* jmp rax */
}

/* called: to leave from, on the C stack, when all is stored */
static void
write_leave(struct x86 *x, int nreg, u8 **called, u8 **linked)
{
	struct code *a = &x->a;

	x86_stub.quickexit = a->p;     /* as if called from there */
	mov_mi(a, 64, mem_at(RSP, 0), LINK_KNOWN + 1);
	x86_stub.linkexit = a->p;
	push_pop(a, RCX, 1);
	alu_mi(a, A_CMP, 8, CPU(poll), 0);
	u8 *polled = jcc_32(a, JNE);
	alu_ri(a, A_SUB, 64, RCX, 1);  /* what follows may be another's stub */
	mov_mr(a, 64, CPU(link), RCX);
	*linked = jmp_32(a);

	x86_stub.next = a->p;
	mov_mi(a, 64, CPU(link), 0);
	mov_mi(a, 32, CPU(why), WHY_NEXT);
	x86_stub.leaveat = a->p;
	mov_mr(a, 64, CPU(pc), RAX);
	x86_stub.leave = a->p;
	mov_mr(a, 64, CPU(shadow_sp), RSP);
	homes(x, nreg, INTS | VECS, 0);
	x86_stub.leavec = a->p;
	fp_control(a, 0);
	mov_rm(a, 64, RSP, CPU(host_sp));
	*called = a->p;
	alu_ri(a, A_ADD, 64, RSP, 8);
	for (size_t n = NELEM(callee_saved); n-- > 0;)
		push_pop(a, callee_saved[n], 1);
	put1(a, 0xc3);

	x86_stub.poll = a->p;
	rel32_to(polled, a->p);
	mov_mi(a, 64, CPU(link), 0);
	mov_mi(a, 32, CPU(why), WHY_POLL);
	jmp_to(a, x86_stub.leaveat);
	x86_stub.trap = a->p;
	mov_mr(a, 32, CPU(trap), RCX);
	mov_mi(a, 32, CPU(why), WHY_TRAP);
	jmp_to(a, x86_stub.leaveat);
}

/* rax = the link variable */
static void
load_link(struct code *a, const struct guest *g)
{
	if (g->link == 0xff)
		put2(a, 0x0b0f);       /* ud2: no return address is ever pushed */
	else if (x86_home[g->link].reg >= 0)
		mov_rr(a, 64, RAX, x86_home[g->link].reg);
	else
		mov_rm(a, 64, RAX, mem_at(RBP, x86_home[g->link].disp));
}

/* A return found a return point of another call: the guest has left frames by longjmp or an exception.
 * The right one is often among the next on the shadow stack: then we return there and the stack is
 * right again.  What a return point compares the link variable with is in its code (branch_back() in
 * branch.c): a 32-bit immediate, or a 64-bit one after two bytes.  Programs that switch stacks look often, and in vain:
 * so the looking is short, and goes on above the bottom, where there are sentinels.  A wrong guess is harmless, each
 * return point looks for itself, and the sentinel sets the stack right. */
static void
look(struct code *a, int bits, s32 imm, u8 **found)
{
	for (int n = 0; n < SCAN; n++) {
		mov_rm(a, 64, RDX, mem_at(RSP, 8 * n));
		alu_rm(a, A_CMP, bits, RAX, mem_at(RDX, imm));
		found[n] = jcc_32(a, JE);
	}
	jmp_to(a, x86_stub.dispatch);
}

static void
write_resync(struct x86 *x, const struct guest *g)
{
	struct code *a = &x->a;
	s32 disp = g->link == 0xff ? 0 : x86_home[g->link].disp;
	s32 imm = g->link != 0xff && x86_home[g->link].reg >= 0 ? 3 : fits8(disp) ? 4 : 7;
	u8 *found[2 * SCAN], *wide;

	x86_stub.relink = a->p;
	load_link(a, g);
	movsx_rr(a, 32, 64, RCX, RAX);
	alu_rr(a, A_CMP, 64, RCX, RAX);
	wide = jcc_8(a, JNE);
	look(a, 32, imm, found);
	rel8_here(a, wide);
	look(a, 64, 2, found + SCAN);
	for (int n = 0; n < SCAN; n++) {
		rel32_to(found[n], a->p);
		rel32_to(found[SCAN + n], a->p);
		alu_ri(a, A_ADD, 64, RSP, 8 * (n + 1));
		op_rr(a, 0xff, 32, 4, RDX);    /* jmp rdx */
	}
}

static void
write_dispatch(struct x86 *x, const struct guest *g, const u8 *missed)
{
	struct code *a = &x->a;
	struct mem entry = {RBP, RCX, 3, 0, (s32)offsetof(struct cpu, jc) - CPU_BIAS};

	x86_stub.sentinel = a->p;
	mov_rm(a, 64, RSP, CPU(shadow_base));
	alu_ri(a, A_SUB, 64, RSP, 8 * (1 + SCAN));
	load_link(a, g);
	x86_stub.dispatch = a->p;
	if (!x86feat.jumpcache)
		jmp_to(a, x86_stub.next);
	mov_rr(a, 32, RCX, RAX);
	shift_ri(a, S_SHR, 32, RCX, JC_BITS);
	alu_rr(a, A_XOR, 32, RCX, RAX);
	alu_rm(a, A_AND, 32, RCX, CPU(jcmask));
	alu_rm(a, A_CMP, 64, RAX, entry);
	jcc_to(a, JNE, missed);
	entry.disp += (s32)offsetof(struct jc, code);
	op_rm(a, 0xff, 32, 4, entry, 0);
	write_resync(x, g);
}

enum sync { NOFP, FLAGS, MODE };

/* rax = function; arguments in scratch[1..4]; called on the shadow stack.  fp: the function sees the
 * guest's floating-point flags, or may besides change mode and flags. */
static u8 *
write_help(struct x86 *x, int nreg, int save, int restore, enum sync fp)
{
	struct code *a = &x->a;
	u8 *start = a->p;

	homes(x, nreg, save, 0);
	mov_mr(a, 64, CPU(scratch[7]), RSP);
	mov_rm(a, 64, RSP, CPU(host_sp));
	if (fp == FLAGS)
		fp_gather(a);
	else if (fp)
		fp_control(a, 0);
	lea(a, 64, RDI, mem_at(RBP, -CPU_BIAS));
	mov_rm(a, 64, RSI, CPU(scratch[1]));
	mov_rm(a, 64, RDX, CPU(scratch[2]));
	mov_rm(a, 64, RCX, CPU(scratch[3]));
	mov_rm(a, 64, R8, CPU(scratch[4]));
	op_rr(a, 0xff, 32, 2, RAX);    /* call rax */
	if (fp)
		fp_control(a, 1);
	mov_rm(a, 64, RSP, CPU(scratch[7]));
	mov_mi(a, 64, CPU(scratch[7]), 0);
	homes(x, nreg, restore, 1);
	if (restore & VECS)
		mask_register(a);
	put1(a, 0xc3);
	return start;
}

/* rax = pc: leaves the guest's code, and calls a function of struct cpu. */
static void
call_engine(struct x86 *x, int nreg, struct mem function)
{
	struct code *a = &x->a;

	mov_mr(a, 64, CPU(pc), RAX);
	mov_mr(a, 64, CPU(shadow_sp), RSP);
	homes(x, nreg, INTS | VECS, 0);
	fp_control(a, 0);
	mov_rm(a, 64, RSP, CPU(host_sp));
	lea(a, 64, RDI, mem_at(RBP, -CPU_BIAS));
	op_rm(a, 0xff, 32, 2, function, 0);    /* call */
}

/* Back into the guest's code. */
static void
go_on(struct x86 *x, int nreg)
{
	struct code *a = &x->a;

	fp_control(a, 1);
	homes(x, nreg, INTS | VECS, 1);
	mask_register(a);
	mov_rm(a, 64, RSP, CPU(shadow_sp));
}

/* rax = pc, cpu->link is set; from missed on there is none.  What the host predicts of the returns to come, the guest's
 * and C's, still holds when the guest goes on from here; not so when enter's caller is returned to. */
static void
write_next(struct x86 *x, int nreg, const u8 *leave, u8 **missed, u8 *linked)
{
	struct code *a = &x->a;

	*missed = a->p;
	mov_mi(a, 64, CPU(link), LINK_NONE);
	rel32_to(linked, a->p);
	mov_mi(a, 32, CPU(why), WHY_NEXT);
	call_engine(x, nreg, CPU(next));
	test_rr(a, 64, RAX, RAX);
	jcc_to(a, JE, leave);
	go_on(x, nreg);
	op_rr(a, 0xff, 32, 4, RAX);    /* jmp rax */
}

/* A system call returns to the code it came from: so what the host predicts of the returns after it still holds, C's
 * and the guest's. */
static void
write_sys(struct x86 *x, int nreg, const u8 *leave)
{
	struct code *a = &x->a;

	x86_stub.sys = a->p;
	call_engine(x, nreg, CPU(call));
	test_rr(a, 32, RAX, RAX);
	u8 *back = jcc_8(a, JNE);
	alu_mi(a, A_ADD, 64, CPU(shadow_sp), 8);
	jmp_to(a, leave);
	rel8_here(a, back);
	go_on(x, nreg);
	put1(a, 0xc3);
}

void
stub_guest(const struct guest *g)
{
	struct x86 *x = &x86;
	u8 *called, *linked, *missed;

	x->a.p = stubs_at;
	x86_vinit(&x->a);
	write_leave(x, g->nreg, &called, &linked);
	write_next(x, g->nreg, called, &missed, linked);
	write_sys(x, g->nreg, called);
	write_dispatch(x, g, missed);
	write_enter(x, g->nreg);
	x86_stub.help = write_help(x, g->nreg, LOST, LOST, NOFP);
	x86_stub.helpflags = write_help(x, g->nreg, LOST, LOST, FLAGS);
	x86_stub.helpv = write_help(x, g->nreg, LOST | VECS, LOST | VECS, NOFP);
	x86_stub.helpall = write_help(x, g->nreg, INTS | VECS, INTS | VECS, NOFP);
	x86_stub.helpstate = write_help(x, g->nreg, INTS | VECS, INTS | VECS, MODE);
	if (x->a.p > stubs_at + STUBS)
		__builtin_trap();      /* cannot happen: 256 homes take less */
}
