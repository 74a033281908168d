/* SPDX-License-Identifier: MIT */
/* fpmode.c - MXCSR: the guest's rounding mode and flags while its code runs, C's otherwise
 *
 * Reading MXCSR waits for all arithmetic before it, some twenty cycles.  What cpu->fpwatch names is unmasked
 * in the guest's code, so it has not been raised until it traps (x86_fpfault); each traps at most once. */
#include <stdatomic.h>
#include "backend/x86_64/fpx.h"
#include "backend/x86_64/int.h"

enum {
	MX_FLAGS = 0x3f, MX_DAZ = 1 << 6, MX_IM = 1 << 7, MX_MASK = 7, MX_MASKS = 0x1f80, MX_RC = 13, MX_FZ = 1 << 15,
	MODES = 64,                    /* values of the bits of cpu->fpmode that matter here */
};

/* By cpu->fpmode.  What C runs with is the guest's usual one, traps included: a new value costs as much as thirty
 * instructions, the same one nothing, and our C does no arithmetic that is invalid. */
static u32 control[MODES], standard = MX_MASKS;

/* Invalid operations trap when the region's rule is ARM's (fpx.h, NAN_TRAP), but not with default NaNs:
 * those regions look for NaNs.  All regions of a process follow one guest's rules. */
static void
fill(int traps)
{
	static const u8 rc[8] = {[RM_NE] = 0, [RM_DN] = 1, [RM_UP] = 2, [RM_Z] = 3};

	for (u32 m = 0; m < MODES; m++) {
		u32 v = MX_MASKS | (u32)rc[m & FPM_RM] << MX_RC;
		if (m & FPM_FZ)
			v |= MX_FZ | MX_DAZ;
		if (traps && !(m & FPM_DN))
			v &= ~(u32)MX_IM;
		control[m] = v;
	}
	standard = control[0];
}

/* -- when traps are too many --
 *
 * A trap costs thousands of cycles.  A program that makes many invalid operations gets code that looks for
 * NaNs instead (NAN_SLOW); all code is made anew for that. */

enum { TOOMANY = 1000 };
static _Atomic u32 ntraps;
static int soft;

int fp_soft(void) { return soft; }

/* -- when the guest cares for its flags (fp_seen) -- */

static int exact;

int fp_exact(void) { return exact; }

int
fp_toomany(void)
{
	return atomic_fetch_add(&ntraps, 1) + 1 == TOOMANY;
}

void
fp_emptied(void)
{
	soft = atomic_load(&ntraps) >= TOOMANY;
	exact = atomic_load(&fp_seen);
}

/* Not only when code is made: it may have been made by another process. */
void
fp_guest(int rule)
{
	static int now = -1;
	int traps = rule == FPNAN_ARM || rule == FPNAN_ARM_DN ? x86feat.avx && !soft : 0;

	if (traps != now)
		fill(now = traps);
}

void
fp_begin(const struct region *r)
{
	fp_pendbegin();
	fp_guest(r->fpnan);
}

struct mem fp_mxslot(void) { return m_cpu(offsetof(struct cpu, scratch[5])); }
void fp_mxcsr(struct code *a, int load) { op0f_rm(a, 0, 0xae, 32, load ? 2 : 3, fp_mxslot(), 0); }

void
fp_gather(struct code *a)
{
	fp_mxcsr(a, 0);
	mov_rm(a, 32, RDX, fp_mxslot());
	mov_rr(a, 32, RCX, RDX);
	alu_ri(a, A_AND, 32, RCX, MX_FLAGS);
	alu_mr(a, A_OR, 32, m_cpu(offsetof(struct cpu, fpflags)), RCX);
}

void
fp_control(struct code *a, int enter)
{
	u8 *same;

	if (enter) {
		mov_rm(a, 32, RCX, m_cpu(offsetof(struct cpu, fpmode)));
		alu_ri(a, A_AND, 32, RCX, MODES - 1);
		mov_ri(a, RDX, (u64)(uintptr_t)control);
		mov_rm(a, 32, RCX, (struct mem){RDX, RCX, 2, 0, 0});
		mov_rm(a, 32, RDX, m_cpu(offsetof(struct cpu, fpwatch)));
		shift_ri(a, S_SHL, 32, RDX, MX_MASK);
		not_r(a, 32, RDX);
		alu_rr(a, A_AND, 32, RCX, RDX);
		mov_mr(a, 32, fp_mxslot(), RCX);
		fp_mxcsr(a, 1);
		return;
	}
	fp_gather(a);
	alu_rr(a, A_XOR, 32, RCX, RDX);        /* less the flags, which may stay: enter clears them */
	mov_ri(a, RDX, (u64)(uintptr_t)&standard);
	alu_rm(a, A_CMP, 32, RCX, mem_at(RDX, 0));
	same = jcc_8(a, JE);
	op0f_rm(a, 0, 0xae, 32, 2, mem_at(RDX, 0), 0);
	rel8_here(a, same);
}

/* -- the guest reads its flags -- */

/* The helper may change rax, rcx and rdx, which are temporaries, and saves the homes that C loses. */
static void
flags_cold(struct x86 *x, const struct cold *cold)
{
	static const u8 temp[] = {RAX, RCX, RDX};
	const struct helper *h = ir_helper(x->r, cold->ins->v);
	struct code *c = &x->a;
	int d = cold->reg[0];

	for (int n = 0; n < (int)NELEM(temp); n++)
		if (temp[n] != d)
			mov_mr(c, 64, m_cpu(offsetof(struct cpu, scratch) + 8 * (size_t)n), temp[n]);
	x_cptr(x, RAX, h->fn);
	x_stub(x, call_32(c), &x86_stub.helpflags);
	mov_rr(c, 64, d, RAX);
	for (int n = 0; n < (int)NELEM(temp); n++)
		if (temp[n] != d)
			mov_rm(c, 64, temp[n], m_cpu(offsetof(struct cpu, scratch) + 8 * (size_t)n));
	jmp_to(c, cold->back);
}

int
fp_flags(struct x86 *x, const struct ins *i)
{
	const struct helper *h = ir_helper(x->r, i->v);
	int d = xr_def(x, (ref)x->i);
	struct cold *cold;

	alu_mi(&x->a, A_CMP, 32, m_cpu(offsetof(struct cpu, fpflags)), 0);
	cold = x_cold(x, jcc_32(&x->a, JNE), flags_cold);
	cold->ins = i;
	cold->reg[0] = (s8)d;
	mov_rm(&x->a, 32, d, mem_at(RBP, x86_home[h->var].disp));
	alu_ri(&x->a, A_AND, 32, d, (1 << h->bits) - 1);
	cold->back = x->a.p;
	return 1;
}
