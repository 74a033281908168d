/* SPDX-License-Identifier: MIT */
/* signal.c - the signal frame of AArch64 Linux
 *
 * struct rt_sigframe of arch/arm64/kernel/signal.c: siginfo, then ucontext, whose sigcontext ends in
 * a chain of records (floating-point state always, the fault's syndrome where there was one).  Above
 * the frame lies a frame record, so that unwinders by frame pointer pass through. */
#include <errno.h>
#include "base/gmem.h"
#include "frontend/arm64/arm64.h"
#include "syscall/abi.h"

struct record { u32 magic, size; };
struct fpsimd { struct record head; u32 fpsr, fpcr; u8 v[32][16]; };
struct esr { struct record head; u64 esr; };

struct frame {
	u8 info[128];
	u64 flags, link;
	u64 stack_sp; s32 stack_flags, pad; u64 stack_size;
	u64 mask, unused[15];
	u64 pad2;                      /* sigcontext is aligned to 16 */
	u64 fault_address, x[31], sp, pc, pstate, pad3;
	u8 reserved[4096];
};
_Static_assert(offsetof(struct frame, fault_address) == 128 + 176, "as the kernel's ucontext");
_Static_assert(sizeof(struct frame) == 4688, "as the kernel's rt_sigframe");

enum { FPSIMD_MAGIC = 0x46508001, ESR_MAGIC = 0x45535201, EXTRA_MAGIC = 0x45585401 };
enum { SA_SIGINFO_ = 4 };

/* NZCV between the layout of ir.h and bits 31 to 28 of PSTATE */
static const struct { u32 fl; u64 pstate; } nzcv[] = {
	{ FL_N, (u64)1 << 31 }, { FL_Z, 1 << 30 }, { FL_C, 1 << 29 }, { FL_V, 1 << 28 },
};

static u64
getpstate(struct cpu *cpu)
{
	u64 fl = *a64_state(cpu, A64_OFF_NZCV), p = 0;

	for (size_t i = 0; i < NELEM(nzcv); i++)
		p |= fl & nzcv[i].fl ? nzcv[i].pstate : 0;
	return p;
}

static void
setpstate(struct cpu *cpu, u64 p)
{
	u64 fl = 0;

	for (size_t i = 0; i < NELEM(nzcv); i++)
		fl |= p & nzcv[i].pstate ? nzcv[i].fl : 0;
	*a64_state(cpu, A64_OFF_NZCV) = fl;
}

/* ESR_EL1 of an abort from EL0 (DDI 0487, D17.2.37): class, 32-bit instruction, write, and a fault of
 * translation or of permission at level 3. */
static u64
syndrome(const struct fault *f)
{
	u64 class = f->exec ? 0x20 : 0x24;

	return class << 26 | 1 << 25 | (f->write ? 1 << 6 : 0) | (f->code == 2 ? 0x0f : 0x07);
}

/* The records; returns the bytes of the frame in use. */
static size_t
fillrecords(struct cpu *cpu, struct frame *f, const struct fault *fault)
{
	struct fpsimd *fp = (struct fpsimd *)f->reserved;
	struct esr *e = (struct esr *)(fp + 1);
	struct record *end = (struct record *)e;

	fp->head = (struct record){ FPSIMD_MAGIC, sizeof *fp };
	fp->fpsr = (u32)*a64_state(cpu, A64_OFF_FPSR);
	fp->fpcr = (u32)*a64_state(cpu, A64_OFF_FPCR);
	for (int i = 0; i < 32; i++)
		memcpy(fp->v[i], a64_vreg(cpu, i), 16);
	if (fault->sig) {
		*e = (struct esr){ { ESR_MAGIC, sizeof *e }, syndrome(fault) };
		end = (struct record *)(e + 1);
	}
	*end = (struct record){ 0, 0 };
	return (size_t)((u8 *)(end + 1) - (u8 *)f);
}

int aarch64_push(struct cpu *, struct sigframe *);
int aarch64_pop(struct cpu *, struct sigframe *);

int
aarch64_push(struct cpu *cpu, struct sigframe *s)
{
	u64 *x = a64_state(cpu, 0), link[2] = { x[29], x[30] };
	gaddr rec = aligndown(s->sp - 16, 16), at = rec - sizeof(struct frame);
	struct frame f;
	size_t n;

	arm64_fpleave(cpu);
	f.flags = f.link = f.pad2 = f.pad3 = 0;
	f.pad = 0;
	memset(f.unused, 0, sizeof f.unused);
	memcpy(f.info, s->info, sizeof f.info);
	f.stack_sp = s->stack.sp;
	f.stack_flags = s->stack.flags;
	f.stack_size = s->stack.size;
	f.mask = s->mask;
	f.fault_address = s->fault.sig ? s->fault.addr : 0;
	memcpy(f.x, x, sizeof f.x);
	f.sp = x[31];
	f.pc = cpu->pc;
	f.pstate = getpstate(cpu);
	n = fillrecords(cpu, &f, &s->fault);
	if (gmem_write(at, &f, n) || gmem_write(rec, link, sizeof link))
		return -EFAULT;
	x[0] = (u64)s->sig;
	if (s->flags & SA_SIGINFO_) {
		x[1] = at;
		x[2] = at + offsetof(struct frame, flags);
	}
	x[29] = rec;
	x[30] = s->restorer ? s->restorer : s->trampoline;
	x[31] = at;
	cpu->pc = s->handler;
	return 0;
}

/* Finds the floating-point record in the list at address a; 0, or -EFAULT for one Linux would not take. */
static int
findfpsimd(gaddr a, struct fpsimd *fp)
{
	const size_t room = sizeof ((struct frame *)0)->reserved;
	int found = 0;

	for (size_t at = 0; at + sizeof(struct record) <= room; ) {
		struct record r;

		if (gmem_read(&r, a + at, sizeof r))
			return -EFAULT;
		if (!r.magic)
			return r.size || !found ? -EFAULT : 0;
		if (r.size < sizeof r || r.size % 16 || r.size > room - at)
			return -EFAULT;
		if (r.magic == FPSIMD_MAGIC) {
			if (found++ || r.size < sizeof *fp || gmem_read(fp, a + at, sizeof *fp))
				return -EFAULT;
		} else if (r.magic != ESR_MAGIC && r.magic != EXTRA_MAGIC) {
			return -EFAULT;
		}
		at += r.size;
	}
	return -EFAULT;
}

int
aarch64_pop(struct cpu *cpu, struct sigframe *s)
{
	u64 *x = a64_state(cpu, 0);
	struct fpsimd fp;
	struct frame f;
	size_t head = offsetof(struct frame, reserved);

	if (x[31] % 16 || gmem_read(&f, x[31], head) || findfpsimd(x[31] + head, &fp))
		return -EFAULT;
	memcpy(x, f.x, sizeof f.x);
	x[31] = f.sp;
	cpu->pc = f.pc;
	setpstate(cpu, f.pstate);
	for (int i = 0; i < 32; i++)
		memcpy(a64_vreg(cpu, i), fp.v[i], 16);
	arm64_fpleave(cpu);            /* what was raised in the handler is forgotten */
	*a64_state(cpu, A64_OFF_FPSR) = fp.fpsr;
	*a64_state(cpu, A64_OFF_FPCR) = fp.fpcr & FPCR_MASK;
	arm64_fpenter(cpu);
	s->mask = f.mask;
	s->stack.sp = f.stack_sp;
	s->stack.flags = f.stack_flags;
	s->stack.size = f.stack_size;
	return 0;
}
