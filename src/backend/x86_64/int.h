/* SPDX-License-Identifier: MIT */
/* int.h - the integer emitters, by the names sel.def uses, and what they share */
#ifndef BACKEND_X86_64_INT_H
#define BACKEND_X86_64_INT_H

#include "backend/x86_64/x86.h"

#define SEL(op, fn, flags) int fn(struct x86 *, const struct ins *);
#include "backend/x86_64/sel.def"
#undef SEL

/* width an integer instruction is computed at */
static inline int opwidth(const struct ins *i) { return i->ty == I64 ? 64 : 32; }

/* EFLAGS hold a value that is used later, or a carry: an emitter without SEL_CLOB keeps them, or saves the value. */
static inline int keepflags(const struct x86 *x) { return (x->fl && xlive(x, x->fl)) || x->i < x->cf.until; }

/* d = s, or what is in memory at m if s < 0 (as xr_usem says) */
static inline void
mov_any(struct x86 *x, int w, int d, int s, struct mem m)
{
	if (s < 0)
		mov_rm(&x->a, w, d, m);
	else if (s != d)
		mov_rr(&x->a, w, d, s);
}

/* The same for what an operation of w bits is done over: all of it is loaded, which hosts forward sooner.  (Golden
 * Cove: at once; half of what was stored takes a cycle.) */
static inline void
mov_whole(struct x86 *x, int w, int d, int s, struct mem m)
{
	mov_any(x, s < 0 ? 64 : w, d, s, m);
}

/* -- carry.c -- */
int x_carrywanted(const struct x86 *);         /* somebody soon asks for the carry of the instruction */
void x_carrymade(struct x86 *, const struct ins *);    /* CF is its carry, if it is the instruction */
int x_carryknown(const struct x86 *, const struct ins *);      /* CF says what this relation is */
int x_carrynext(const struct x86 *);           /* the sum of the carry and this sum, if it is next, or 0 */
int x_carrytold(const struct region *, ref t, int n);  /* as planhost says */
int x_carrykept(const struct x86 *);           /* the instruction will leave it */

/* Compares the operands of set, brc; returns the host condition of the relation. */
int x_compare(struct x86 *, const struct ins *);
/* Compares the operands of set, whose relation is one of unsigned numbers, or whether one is 0: it is what CF says, or
 * (1) the opposite. */
int x_carry(struct x86 *, const struct ins *);
int x_relation(int rel);               /* that condition itself */
int x_condition(int cc);               /* the one that is true for a condition of the guest's, after a subtraction */

void x_coldload(struct x86 *, const struct cold *);    /* the load of ldor: names no home */

/* mem.c */
struct mem x_aligned(struct x86 *, const struct ins *, int bytes);     /* x_addr, with AUX_ALIGN's check */
void x_swapgroups(struct x86 *, int w, int d, int t, u64 mask, int n);         /* bits.c */
void x_bswap_reg(struct x86 *, int bits, int d);       /* 16 bits: changes EFLAGS and leaves what is above */
/* A short jump for when nobody else looks at guest memory (cpu_share): its field.  Changes EFLAGS. */
u8 *x_unshared(struct x86 *);

/* A jump or call at p that the engine links to pc, its opcode of n bytes; there is room in out->link.  Returns where it
 * ends.  Prefixes that say nothing, and take no time, keep its field from crossing an 8-byte boundary. */
static inline u8 *
x_link(struct x86 *x, u8 *p, u32 opcode, int n, gaddr pc)
{
	struct out *o = x->out;
	u32 at = (u32)((uintptr_t)p + (u32)n) & 7;

	st32(p, 0x2e2e2e2e);
	p += at > 4 ? 8 - at : 0;
	st32(p, opcode);
	p += n;
	o->link[o->nlink++] = (struct link){.site = (u32)(p - o->code), .pc = pc};
	return p + 4;
}

/* branch.c */
void branch_room(struct x86 *);        /* for notes of blocks, if there are none too: an entry that cannot be fetched */
void branch_begin(struct x86 *);
void branch_head(struct x86 *, int block);     /* a block starts here */
/* Resolves jumps, emits stubs and cold code; -ENOSPC, or -EAGAIN: a guess was wrong, all again with x->guess = 0. */
int branch_end(struct x86 *);
void branch_cold(struct x86 *);        /* code for all that was put off, but for what goes to stubs of links; */
void branch_coldlinks(struct x86 *);   /* that, once there are stubs */
int branch_shift(const struct x86 *);
void branch_jump(struct x86 *, gaddr pc);
/* For the quick tier too. */
u8 *branch_ifpoll(struct x86 *);               /* the field of a jump that is taken if the thread is to leave */
int branch_returns(const struct x86 *);        /* the guest's calls and returns are the host's */
void branch_back(struct x86 *, gaddr pc);      /* the code a call comes back to */
int branch_ret(struct x86 *);                  /* to where the link variable says; 0: the host's returns are not used */
/* What was put off is put here, jumped over: what it was told of is about to go. */
void branch_coldhere(struct x86 *);

void safe_loops(struct x86 *);                 /* safe.c: fills x->loop; */
void safe_place(struct x86 *);                 /* then x->safe */

/* -- lodge.c -- */
void lodge_none(struct x86 *);                 /* a region begins; */
void lodge_plan(struct x86 *);                 /* its loops are known */
void lodge_begin(struct x86 *, struct lodging *);      /* code of the loop begins */
void lodge_end(struct x86 *);                  /* it has ended, if there is one */
int lodge_until(const struct x86 *, const struct block *);     /* lodgers move out before that instruction; or -1 */
void lodge_in(struct x86 *, struct lodging *); /* code on the way in; rax is lost */
void lodge_out(struct x86 *, const struct lodging *);  /* on the way out: changes no other register, nor flags */
void lodge_doors(struct x86 *);                /* all blocks are made: the code out of line */

/* -- surface.c: of loops with sunk puts -- */
void surface_again(struct x86 *);              /* code at the jump back */
void surface_begin(struct x86 *, int n);       /* instruction n of the loop begins */
void surface_note(const struct x86 *, struct cold *);  /* code out of line is wanted */
/* Code for who leaves, to begin with: instead of lodge_out. */
void surface_leave(struct x86 *, const struct lodging *, int look);
void surface_fault(struct x86 *, const struct lodging *);

/* host.c, for the quick tier */
extern const struct quick x86_quick;
void x_begin(struct x86 *, struct region *, struct out *);
void x_part(struct x86 *, const struct block *);       /* code of a part of a block, which stands alone */
void x_sunk(struct x86 *, const struct sinkset *);      /* the same of a set of sunk puts, behind all blocks */


/* stub.c: addresses of the common stubs */
struct stubs {
	u8 *leave;                     /* cpu->why and cpu->pc are set */
	u8 *leaveat;                   /* rax = pc, cpu->why is set */
	u8 *next;                      /* rax = pc: leave with WHY_NEXT, cpu->link = 0 */
	u8 *poll;                      /* rax = pc: WHY_POLL */
	u8 *trap;                      /* rax = pc, ecx = trap: WHY_TRAP */
	u8 *linkexit;                  /* rax = pc, called by a link's stub: cpu->link = where; poll, if cpu->poll is set */
	u8 *quickexit;                 /* the same with cpu->link = LINK_KNOWN */
	u8 *dispatch;                  /* rax = pc: jump cache, or next; polls */
	u8 *leavec;                    /* as leave, the registers being stored already (from a helper) */
	u8 *relink;                    /* dispatch on the link variable */
	u8 *sentinel;                  /* bottom of the shadow stack, and SCAN words above it */
	u8 *help, *helpv, *helpall;    /* rax = function: saves the integer homes that C loses; vectors too; everything */
	u8 *helpflags;                 /* as help, with floating-point flags up to date */
	u8 *helpstate;                 /* ... and brings floating-point flags and mode up to date */
	u8 *sys;                       /* called with rax = pc: cpu->call, and back if that says so */
	u8 *enter;
	u8 *slow;                      /* fpslow.c */
};
enum { SCAN = 6 };                     /* return addresses that relink looks at */
enum { NSTUB = sizeof(struct stubs) / sizeof(u8 *) };
extern struct stubs x86_stub;
u32 stub_init(u8 *code, u8 *end);              /* reserves; returns the size */
void stub_guest(const struct guest *);                        /* writes them, homes being known */

/* Jumps and calls of common stubs, named by their place in x86_stub; always the long form.  field: a rel32. */
void x_stub(struct x86 *, u8 *field, u8 *const *stub);
void x_gostub(struct x86 *, u8 *const *stub);

static inline u64 x86_anchor(void) { return (u64)(uintptr_t)&x86_stub; }

void x86_features(const char *hide);           /* feat.c: fills x86feat */
int x_eval(struct x86 *, const struct ins *);  /* call.c: leaves the instruction to the evaluator */

/* what the evaluator needs of an instruction it does for us */
struct evalsite {
	struct ins ins;
	u8 fpnan;
	gaddr pc;
	u64 k[3];
};
u64 x86_evaluate(struct cpu *, const struct evalsite *);

void xv_const_init(u8 *at);
u32 xv_const_size(void);

#endif
