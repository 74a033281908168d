/* SPDX-License-Identifier: MIT */
/* signal.c - the signal frame of 64-bit RISC-V Linux
 *
 * struct rt_sigframe of arch/riscv/kernel/signal.c: siginfo, then ucontext, whose sigcontext holds pc
 * and x1 to x31, the floating-point state (in the room of the quad-precision one), and at its end
 * a list of further extensions.  The vector unit's record is there if the thread has used it. */
#include <errno.h>
#include "base/gmem.h"
#include "frontend/riscv/vector.h"
#include "syscall/abi.h"

struct header { u32 magic, size; };    /* of an extension: the size counts the header; 0, 0 ends the list */

struct frame {
	u8 info[128];
	u64 flags, link;
	u64 stack_sp; s32 stack_flags, pad; u64 stack_size;
	u64 mask, unused[15];
	u64 pad2;                      /* sigcontext is aligned to 16 */
	u64 pc, x[31];                 /* x1 to x31 */
	u64 f[32];
	u32 fcsr, rest[64];            /* up to the size of the quad-precision state */
	u32 reserved;                  /* must be 0 */
	struct header ext;
};
/* What follows the vector unit's header: struct __riscv_v_ext_state, and the registers that its last word points to. */
struct vrecord {
	u64 vstart, vl, vtype, vcsr, vlenb, datap;
	u8 v[32][VLENB];
};
struct vframe {
	struct frame f;
	struct vrecord v;
	struct header end;
	u32 pad[2];
};
enum { V_MAGIC = 0x53465457, V_SIZE = sizeof(struct header) + sizeof(struct vrecord) };
_Static_assert(offsetof(struct frame, pc) == 128 + 176, "as the kernel's ucontext");
_Static_assert(sizeof(struct frame) == 1088, "as the kernel's rt_sigframe");
_Static_assert(sizeof(struct vframe) == 1664, "as the kernel's get_rt_frame_size");

int riscv64_push(struct cpu *, struct sigframe *);
int riscv64_pop(struct cpu *, struct sigframe *);
u64 riscv64_minsigstack(void);

u64
riscv64_minsigstack(void)
{
	return model_has(RVF_v) ? sizeof(struct vframe) : sizeof(struct frame);
}

/* Linux saves vector registers of threads that have used them: of those whose state is not the first one any more. */
static int
isused(const struct riscv_state *r)
{
	static const u8 zero[sizeof r->v];

	return r->vcfg != VCFG_RESET || r->vcsr || memcmp(r->v, zero, sizeof zero);
}

/* Fills the vector unit's record of the frame at address at. */
static void
savevector(const struct riscv_state *r, struct vframe *f, gaddr at)
{
	f->f.ext = (struct header){V_MAGIC, V_SIZE};
	f->v = (struct vrecord){.vstart = vcfg_start(r->vcfg), .vl = vcfg_vl(r->vcfg), .vtype = vcfg_vtype(r->vcfg),
	    .vcsr = r->vcsr, .vlenb = VLENB, .datap = at + offsetof(struct vframe, v.v)};
	memcpy(f->v.v, r->v, sizeof f->v.v);
	f->end = (struct header){0, 0};
	memset(f->pad, 0, sizeof f->pad);
}

/* Reads the list of extensions at address at, *found telling whether v was in it.  0 or -EFAULT. */
static int
readlist(gaddr at, struct vrecord *v, int *found)
{
	struct header h;

	for (;; at += V_SIZE) {
		if (gmem_read(&h, at, sizeof h))
			return -EFAULT;
		if (!h.magic)
			return h.size ? -EFAULT : 0;
		if (h.magic != V_MAGIC || h.size != V_SIZE || !model_has(RVF_v) ||
		    gmem_read(v, at + sizeof h, offsetof(struct vrecord, v)) || gmem_read(v->v, v->datap, sizeof v->v))
			return -EFAULT;
		*found = 1;
	}
}

static void
restorevector(struct riscv_state *r, const struct vrecord *v)
{
	r->vcfg = vcfg_make(v->vl, v->vtype) | (v->vstart & (VLEN - 1)) << VCFG_START;
	r->vcsr = v->vcsr & 7;
	memcpy(r->v, v->v, sizeof r->v);
}

int
riscv64_push(struct cpu *cpu, struct sigframe *s)
{
	struct riscv_state *r = riscv_state(cpu);
	size_t n = isused(r) ? sizeof(struct vframe) : sizeof(struct frame);
	gaddr at = aligndown(s->sp - n, 16);
	struct vframe vf;
	struct frame *f = &vf.f;

	rv_fold(cpu);
	memset(f, 0, sizeof *f);
	memcpy(f->info, s->info, sizeof f->info);
	f->stack_sp = s->stack.sp;
	f->stack_flags = s->stack.flags;
	f->stack_size = s->stack.size;
	f->mask = s->mask;
	f->pc = cpu->pc;
	memcpy(f->x, r->x + 1, sizeof f->x);
	memcpy(f->f, r->f, sizeof f->f);
	f->fcsr = (u32)r->fcsr;
	if (n == sizeof vf)
		savevector(r, &vf, at);
	if (gmem_write(at, &vf, n))
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
	struct vrecord v;
	struct frame f;
	int found = 0;

	if (gmem_read(&f, r->x[2], sizeof f) || f.reserved || readlist(r->x[2] + offsetof(struct frame, ext), &v, &found))
		return -EFAULT;
	cpu->pc = f.pc;
	memcpy(r->x + 1, f.x, sizeof f.x);
	memcpy(r->f, f.f, sizeof f.f);
	rv_fold(cpu);                  /* what was raised in the handler is forgotten */
	r->fcsr = f.fcsr & 0xff;
	rv_fpenter(cpu);
	if (found)
		restorevector(r, &v);
	s->mask = f.mask;
	s->stack.sp = f.stack_sp;
	s->stack.flags = f.stack_flags;
	s->stack.size = f.stack_size;
	return 0;
}
