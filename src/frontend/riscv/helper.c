/* SPDX-License-Identifier: MIT */
/* helper.c - what translated RISC-V code calls: the floating-point CSR, the counters, fence.i */
#include <time.h>
#include "base/fp.h"
#include "base/gmem.h"
#include "base/vdso.h"
#include "frontend/riscv/vector.h"

/* fflags of every set of FPX_* but denormals, which RISC-V has not */
#define F(x) ((x & FPX_INVALID ? FCSR_NV : 0) | (x & FPX_DIVZERO ? FCSR_DZ : 0) \
	| (x & FPX_OVERFLOW ? FCSR_OF : 0) | (x & FPX_UNDERFLOW ? FCSR_UF : 0) \
	| (x & FPX_INEXACT ? FCSR_NX : 0))
#define F8(x) F(x), F((x + 1)), F((x + 2)), F((x + 3)), F((x + 4)), F((x + 5)), F((x + 6)), F((x + 7))
static const u8 fflags[FPX_ALL + 1] = {F8(0), F8(8), F8(16), F8(24), F8(32), F8(40), F8(48), F8(56)};
#undef F8
#undef F

/* Exceptions that are not watched, and not known to have been raised, may be at any time. */
static inline u32
hidden(const struct cpu *cpu)
{
	u64 known = ((const struct riscv_state *)cpu->state)->fcsr;

	return fflags[FPX_ALL & ~cpu->fpwatch] & ~known ? FPX_HIDDEN : 0;
}

static inline void
fold(struct cpu *cpu)
{
	riscv_state(cpu)->fcsr |= fflags[cpu->fpflags & FPX_ALL];
	cpu->fpflags = hidden(cpu);
}

void rv_fold(struct cpu *cpu) { fold(cpu); }

/* frm 0 to 3 are enum fprm less one.  In the other modes no instruction uses the dynamic mode: fp.c
 * asks for ties away where it is needed, and refuses the invalid ones. */
void
rv_fpenter(struct cpu *cpu)
{
	cpu->fpmode = rv_frm(cpu) < FRM_RMM ? rv_frm(cpu) + RM_NE : RM_NE;
	cpu->fpflags |= hidden(cpu);
}

void
rv_fpleave(struct cpu *cpu)
{
	rv_fold(cpu);
}

/* Where each CSR lies in fcsr, and its width. */
static int
place(u64 csr, int *width)
{
	*width = csr == CSR_FFLAGS ? 5 : csr == CSR_FRM ? 3 : 8;
	return csr == CSR_FRM ? FCSR_RM : 0;
}

/* Performs op with v on fflags, frm or fcsr; the value before it. */
static u64
fcsr(struct cpu *cpu, u64 csr, u64 op, u64 v)
{
	struct riscv_state *s = riscv_state(cpu);
	int width, at = place(csr, &width);
	u32 mode = rv_mode(cpu);
	u64 old, new;

	rv_fold(cpu);
	old = bits(s->fcsr, at, width);
	new = op == CSR_WRITE ? v : op == CSR_SET ? old | v : op == CSR_CLEAR ? old & ~v : old;
	s->fcsr = (s->fcsr & ~(zext(~(u64)0, width) << at)) | zext(new, width) << at;
	rv_fpenter(cpu);
	if (rv_mode(cpu) != mode)              /* the jump cache holds code of one mode */
		jc_clear(cpu);
	return old;
}

enum { WATCH = 100 };                  /* looks at the flags after which knowing them without a look pays */

static __attribute__((target("general-regs-only"))) u64
getflags(struct cpu *cpu, u64 a, u64 b, u64 c)
{
	(void)a, (void)b, (void)c;
	fold(cpu);
	if (++cpu->fplooks == WATCH) {
		for (u32 x = 1; x < FPX_ALL; x <<= 1)
			if (fflags[x] & ~riscv_state(cpu)->fcsr)
				cpu->fpwatch |= x;
		cpu->fpflags = hidden(cpu);
	}
	return riscv_state(cpu)->fcsr & FCSR_FLAGS;
}

static u64
setflags(struct cpu *cpu, u64 v, u64 b, u64 c)
{
	struct riscv_state *s = riscv_state(cpu);

	(void)b, (void)c;
	s->fcsr = (s->fcsr & ~(u64)FCSR_FLAGS) | (v & FCSR_FLAGS);
	cpu->fpflags = hidden(cpu);
	return 0;
}

/* time counts at RV_TIMEBASE, as on common boards and in their device trees; cycles and instructions are
 * taken to pass at one a nanosecond. */
static u64
counter(struct cpu *cpu, u64 csr, u64 b, u64 c)
{
	struct timespec now;
	u64 ns;

	(void)cpu, (void)b, (void)c;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
	return csr == CSR_TIME ? ns / (1000000000 / RV_TIMEBASE) : ns;
}

/* F64 to a word modulo 2^32 */
static u64
fcvtmod(struct cpu *cpu, u64 v, u64 b, u64 c)
{
	struct fpenv env = fp_env(cpu->fpmode, FPNAN_RISCV);
	int exact;

	(void)b, (void)c;
	v = fp_jcvtzs(&env, v, &exact);
	cpu->fpflags |= env.flags;
	return v;
}

/* A register that was read as a narrower one held no box. */
static u64
loosen(struct cpu *cpu, u64 a, u64 b, u64 c)
{
	(void)a, (void)b, (void)c;
	riscv_state(cpu)->loose = MODE_LOOSE;
	return 0;
}

static u64
fencei(struct cpu *cpu, u64 a, u64 b, u64 c)
{
	(void)cpu, (void)a, (void)b, (void)c;
	if (gmem_watch)
		gmem_watch->flushall();
	return 0;
}

/* C code may use any vector register of the host, hence HELP_FP */
const struct helper rv_helper[RVH_COUNT] = {
	[RVH_FCSR] = {"fcsr", fcsr, HELP_FP | HELP_STATE},
	[RVH_GETFLAGS] = {"getflags", getflags, HELP_FLAGS | HELP_NOVEC, RV_fcsr, 5},
	[RVH_SETFLAGS] = {"setflags", setflags, HELP_FP | HELP_STATE},
	[RVH_TIME] = {"counter", counter, HELP_FP},
	[RVH_VDSO] = {"vdso_call", vdso_call, HELP_FP},
	[RVH_VECTOR] = {"vector", rv_dovector, HELP_FP | HELP_STATE | HELP_FAULT},
	[RVH_LIGHT] = {"light", rv_light, HELP_NOVEC | HELP_GROUP},
	[RVH_COMPRESS] = {"compress", rv_compress, HELP_NOVEC | HELP_GROUP},
	[RVH_IOTA] = {"iota", rv_iota, HELP_NOVEC | HELP_GROUP},
	[RVH_FCVTMOD] = {"fcvtmod", fcvtmod, HELP_FP},
	[RVH_LOOSEN] = {"loosen", loosen, HELP_FP},
	[RVH_FENCEI] = {"fencei", fencei, HELP_FP},
};
