/* SPDX-License-Identifier: MIT */
/* signal.c - the signal frame of 64-bit RISC-V Linux
 *
 * struct rt_sigframe of arch/riscv/kernel/signal.c: siginfo, then ucontext, whose sigcontext holds pc
 * and x1 to x31, the floating-point state (in the room of the quad-precision one), and at its end
 * the header of an empty list of further extensions. */
#include <errno.h>
#include "base/gmem.h"
#include "frontend/riscv/riscv.h"
#include "syscall/abi.h"

struct frame {
	u8 info[128];
	u64 flags, link;
	u64 stack_sp; s32 stack_flags, pad; u64 stack_size;
	u64 mask, unused[15];
	u64 pad2;                      /* sigcontext is aligned to 16 */
	u64 pc, x[31];                 /* x1 to x31 */
	u64 f[32];
	u32 fcsr, rest[64];            /* up to the size of the quad-precision state */
	u32 reserved, magic, size;     /* must be 0; end of the list of extensions */
};
_Static_assert(offsetof(struct frame, pc) == 128 + 176, "as the kernel's ucontext");
_Static_assert(sizeof(struct frame) == 1088, "as the kernel's rt_sigframe");

int riscv64_push(struct cpu *, struct sigframe *);
int riscv64_pop(struct cpu *, struct sigframe *);

int
riscv64_push(struct cpu *cpu, struct sigframe *s)
{
	struct riscv_state *r = riscv_state(cpu);
	gaddr at = aligndown(s->sp - sizeof(struct frame), 16);
	struct frame f;

	rv_fold(cpu);
	memset(&f, 0, sizeof f);
	memcpy(f.info, s->info, sizeof f.info);
	f.stack_sp = s->stack.sp;
	f.stack_flags = s->stack.flags;
	f.stack_size = s->stack.size;
	f.mask = s->mask;
	f.pc = cpu->pc;
	memcpy(f.x, r->x + 1, sizeof f.x);
	memcpy(f.f, r->f, sizeof f.f);
	f.fcsr = (u32)r->fcsr;
	if (gmem_write(at, &f, sizeof f))
		return -EFAULT;
	r->x[1] = s->restorer ? s->restorer : s->trampoline;
	r->x[2] = at;
	r->x[10] = (u64)s->sig;
	r->x[11] = at;
	r->x[12] = at + offsetof(struct frame, flags);
	cpu->pc = s->handler;
	return 0;
}

int
riscv64_pop(struct cpu *cpu, struct sigframe *s)
{
	struct riscv_state *r = riscv_state(cpu);
	struct frame f;

	if (gmem_read(&f, r->x[2], sizeof f) || f.reserved || f.magic || f.size)
		return -EFAULT;
	cpu->pc = f.pc;
	memcpy(r->x + 1, f.x, sizeof f.x);
	memcpy(r->f, f.f, sizeof f.f);
	rv_fold(cpu);                  /* what was raised in the handler is forgotten */
	r->fcsr = f.fcsr & 0xff;
	rv_fpenter(cpu);
	s->mask = f.mask;
	s->stack.sp = f.stack_sp;
	s->stack.flags = f.stack_flags;
	s->stack.size = f.stack_size;
	return 0;
}
