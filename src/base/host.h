/* SPDX-License-Identifier: MIT */
/* host.h - the contract of a host: turns a region of IR into something that runs
 *
 * One const record per host.  `compile` writes code at out->code and describes it in
 * the arrays of `out`; the engine (core/) places, finds, links and invalidates it.  The
 * interpreter host "compiles" by keeping the region and runs it in `enter`.
 *
 * How generated code meets the engine:
 *  - On entry at any block head or return point all guest variables are in their homes (fixed host
 *    registers or the state record).  `enter` loads the fixed registers from cpu->state, switches to
 *    the shadow stack, jumps to code; every way out stores them back, sets cpu->why and cpu->pc.
 *  - A *link* is a direct exit.  Until the engine links it, it goes to a stub that sets cpu->pc to its
 *    target, cpu->link to an address in the stub (link_at), and leaves with WHY_NEXT; or, if cpu->poll is set, with
 *    WHY_POLL and cpu->link = 0.  Of quick code, all links but the first leave with cpu->link = LINK_KNOWN.
 *    Instead of leaving with WHY_NEXT code goes on where cpu->next says, asked with all variables in memory.
 *  - Indirect branches look up cpu->jc[jc_index(cpu, pc)] inline and leave with WHY_NEXT, cpu->pc set, when
 *    it does not match; the engine fills the entry.  cpu->link = LINK_NONE if the shadow stack is as it is to be where
 *    the branch leads: then cpu->next is asked, too.
 *  - call pushes a host return address (host call instruction) whose code compares the guest's link
 *    variable with the guest return address; on mismatch it dispatches on the link variable as an
 *    indirect branch.  The bottom of the shadow stack holds the address of such a dispatcher.
 *    What is on the shadow stack when `enter` returns is found there again by the next one if cpu->keep is set
 *    then; else it is discarded, and a later ret falls into the dispatcher.
 *  - Backward jumps and calls test cpu->poll and leave with WHY_POLL, cpu->pc = their target (resolved: entering
 *    at cpu->pc goes on exactly there); or the head of the block they are in does, or in quick code counts how often
 *    it is entered.  Indirect branches find nothing in cpu->jc then, as cpu->jcmask is 0.
 *  - A host fault inside generated code: the engine's handler finds the region and the guest pc by
 *    the map, asks host->unwind to redirect the context to a stub that stores the fixed registers
 *    and leaves with WHY_FAULT. */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include <signal.h>
#include "base/cpu.h"
#include "base/word.h"

struct region;
struct simple;

struct link {                          /* a direct exit or call of compiled code */
	u32 site;                      /* offset of the patchable field from out->code */
	u32 stub;                      /* offset of what it goes to while unlinked; that of each is behind the last one's */
	gaddr pc;                      /* guest target */
};

/* The number of the link, of n, whose stub holds offset off. */
static inline int
link_at(const struct link *link, int n, u32 off)
{
	while (n-- > 1 && link[n].stub > off)
		;
	return n;
}

/* block head (ret = 0: found by address) or return point (1) */
struct entry {
	gaddr pc;
	u32 off;
	u8 ret;
	u8 flagsin;                    /* the engine's: the block reads the guest's flags before it writes them */
};
/* Host code from off on belongs to guest pc region->pc + pcoff (which may wrap).  Of its access: several, it is one for
 * several instructions' (ir/wide.c, ir/loop.c); base, the variable that gets the address, less the displacement, if it
 * faults, or 0 (AUX_BASE in ir/ir.h); owed, the variable that gets the value of host register `reg`, or 0; flags, 0 or
 * how the host's own flags hold those that the guest's variable gets. */
struct mapent { u32 off; s32 pcoff : 17; u32 several : 1, base : 5, owed : 5, reg : 2, flags : 2; };
/* The same of a place in host code, and the start of the guest's block. */
struct guestat { gaddr pc, block; u8 several, base, owed, reg, flags; };

/* What host code at off belongs to; before the first, to the region's pc. */
static inline struct mapent
mapent_find(const struct mapent *map, int n, u32 off)
{
	int lo = 0, hi = n;

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (map[mid].off <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? map[lo - 1] : (struct mapent){0};
}

/* The start of the block among these that holds guest pc: the nearest at or below it; pc if there is none. */
static inline gaddr
entry_block(const struct entry *entry, int n, gaddr pc)
{
	gaddr best = 0;
	int found = 0;

	for (int i = 0; i < n; i++)
		if (entry[i].pc <= pc && (!found++ || entry[i].pc > best))
			best = entry[i].pc;
	return found ? best : pc;
}

/* What code refers to outside itself, by its distance: it may be put elsewhere when these fields are made anew
 * (host->refer).  after: bytes of the instruction that follow the field. */
enum relkind { REL_STUB, REL_CONST };          /* common stub of that index; a constant of 16 bytes */
struct reloc { u32 off; u8 kind, index, after, pad; };

/* How often a block's head was passed, and how many guest instructions the block has. */
struct count { u64 times; u32 insns, turns; };

/* What compile gives back.  The arrays are the caller's scratch, reused; n* are reset by compile. */
struct out {
	u8 *code, *end;                /* where to write (executable view = writable view) and the limit */
	u32 size;                      /* bytes written */
	struct link *link; int nlink, caplink;
	struct entry *entry; int nentry, capentry;
	struct mapent *map; int nmap, capmap;
	struct reloc *reloc; int nreloc, capreloc;
	int fixed;                     /* the code is of no use elsewhere: it holds addresses that no reloc tells of */
	int line;                      /* it lies well on the host's lines of 64 bytes: keep code % 64 when it is moved */
	struct count *count;           /* by block: code at its head adds 1 to times; 0: no counting */
};

/* The quick tier: code for one block that may never run again, made an instruction at a time: nothing is known from
 * one to the next, and all variables are in their homes in between.  It is of no use elsewhere (out.fixed) and never
 * kept in files.  Under the same lock as compile. */
enum { QUICK_MOST = 64 };              /* instructions in a block */
struct quick {
	/* The region's only block begins at out->code; each time it is entered *left goes down by one, and when that has
	 * become negative its first link, to the block itself, is taken instead.  left: within 2 GiB of the code. */
	void (*begin)(struct region *, struct out *, s32 *left);
	/* Code for an instruction that lies pcoff bytes after the region's pc; 0 if it must come as IR instead. */
	int (*simple)(const struct simple *, u32 pcoff);
	/* Code for the region's IR from instruction `first` on, all of it one guest instruction's, in its open block.
	 * Returns 0 if the block should end soon. */
	int (*insn)(int first);
	/* The block has its terminator; out is complete.  As compile. */
	int (*end)(void);
};

struct host {
	const char *name;
	/* Once, before anything else.  features: "" or a comma list of host features to hide
	 * ("avx512,avx,bmi"), for tests.  code: the start of the code area, where the host writes its common stubs
	 * (leave, dispatch, ...); returns their size. */
	u32 (*init)(const char *features, u8 *code, u8 *end);
	/* Chooses homes for a guest's registers; once per guest. */
	void (*guest)(const struct guest *);
	/* 0, or -ENOSPC (out->end reached), or -E2BIG (region too large: retry smaller). */
	int (*compile)(struct region *, struct out *);
	const struct quick *quick;             /* or 0 */
	/* Runs code until it leaves; guest state in memory before and after. */
	void (*enter)(struct cpu *, const u8 *code);
	/* Points the link's site at code (0: back to its stub); a single atomic store, other threads may
	 * be executing it. */
	void (*link)(u8 *code, const struct link *, const u8 *to);
	/* Makes the entry (block head or return point) at code+off leave instead of running: the code
	 * is dead.  Called while no other thread runs generated code. */
	void (*kill)(u8 *code, const struct entry *);
	/* uc interrupted generated code: makes it leave with WHY_FAULT (or `why`) and cpu->pc = pc. */
	void (*unwind)(void *ucontext, struct cpu *, enum why why, gaddr pc);
	/* Parts of a host context. */
	u64 (*context_pc)(const void *ucontext);
	void (*context_setpc)(void *ucontext, u64 pc);
	int (*context_write)(const void *ucontext);    /* a faulting access was a write */
	u64 (*context_addr)(const void *ucontext);     /* its address where siginfo has none (non-canonical): decoded or 0 */
	/* Was sig raised by the instruction at the context's pc?  0: somebody sent it and it only looks so; si_code is
	 * no proof (a child's exit signal and rt_sigqueueinfo to oneself choose it freely). */
	int (*raised)(const void *ucontext, int sig, const siginfo_t *);
	/* A synchronous host signal while cpu->running: 1 if it was the host's own arrangement and has been
	 * fixed up (shadow stack's guard page; a floating-point exception it keeps unmasked), 2 if besides
	 * all code should be made anew. */
	int (*fpfault)(void *ucontext, struct cpu *, int sig, const siginfo_t *);
	/* All that compile made is gone, and no thread is in it; may be 0. */
	void (*emptied)(void);
	/* While a helper called from generated code runs: host address of the instruction after the
	 * call in generated code; 0 when none runs. */
	u64 (*helper_pc)(const struct cpu *);
	int (*disasm)(const u8 *code, u32 n, u64 at, char *buf, size_t size);  /* one instruction as text */
	/* -- code that is kept in files; all 0 in a host whose code cannot be -- */
	/* Writes at the head of an image what its code reaches the common stubs by (at == 0: writes nothing); returns
	 * its size.  Stub n begins at n * 8. */
	u32 (*head)(u8 *at);
	/* The address that the field refers to; makes it refer to another.  Nobody runs the code. */
	const u8 *(*referred)(const u8 *code, const struct reloc *);
	void (*refer)(u8 *code, const struct reloc *, const u8 *to);
	/* A number that tells one way of making code (features in use, strategies chosen) from others. */
	u64 (*config)(void);
	/* May be 0.  BLAKE2b-256 of eight pieces of n bytes (a multiple of 128) that lie one after another; 0: it cannot. */
	int (*hash)(const u8 *p, size_t n, u8 (*sum)[32]);
};

extern const struct host host_x86_64, host_interp;
const struct host *host_pick(const char *name);        /* 0: the best for this machine; backend/pick.c */

#endif
