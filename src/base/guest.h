/* SPDX-License-Identifier: MIT */
/* guest.h - the contract of a guest: one const record per guest variant
 *
 * A folder under frontend/ fills one record per variant (guest.c).  Nothing outside that folder
 * may spell a guest's name; everything else learns what it needs from here.
 *
 * Registers are "variables" to the IR, named by their number, which is their index in reg[].  A
 * general variable is 64 bits wide in the state whatever its width; a flags variable (REG_FLAGS)
 * holds the layout of ir.h; a vector variable is `bits` wide (128 to 2048) and 16-byte aligned. */
#ifndef BASE_GUEST_H
#define BASE_GUEST_H

#include "base/cpu.h"
#include "base/word.h"

enum regkind { REG_INT, REG_FLAGS, REG_VEC, REG_FP };
/* REG_FP: scalar floating-point register of 64 bits (RISC-V f0-f31): lives in a host vector
 * register as type F64; only its low 64 bits exist. */

struct reg {
	const char *name;              /* "x0", "a5", "v31" */
	u16 off;                       /* byte offset in cpu->state */
	u16 bits;                      /* architectural width */
	u8 kind;                       /* enum regkind */
	u8 rank;                       /* order in which it gets a fixed host register; 0 = never */
	const char *gdbtype, *group;   /* target description: "int", "code_ptr"; "cpu", "fpu"; "none": not in it */
};

/* What one instruction does to the flags variable (-> fl= in the .isa tables). */
enum flagpeek {
	PEEK_NONE,                     /* neither reads nor writes flags */
	PEEK_READ,                     /* reads flags before (or without) writing them */
	PEEK_WRITE,                    /* overwrites all flags without reading them */
	PEEK_END,                      /* nothing can be said: look no further */
};

/* Where control goes after one instruction: what the engine needs to find blocks before it
 * translates them. */
enum flow {
	FLOW_NEXT,                     /* on to the next instruction */
	FLOW_COND,                     /* conditional branch to target, or on */
	FLOW_JUMP,                     /* direct jump to target */
	FLOW_CALL,                     /* call (direct or not) that returns to the next instruction */
	FLOW_SYS,                      /* ends the block; goes on at the next instruction through the engine
	                                  (system call, instruction barrier) */
	FLOW_STOP,                     /* return, computed jump, trap, undefined */
};
struct scan {
	u8 len;                        /* bytes; 0: not enough bytes given */
	u8 flow, flags;                /* enum flow, enum flagpeek */
	gaddr target;                  /* of FLOW_COND and FLOW_JUMP, and of a direct FLOW_CALL (else 0) */
};

/* What one instruction does to the exclusive monitor, or could show while one is held. */
enum excl {
	EXCL_NONE,                     /* nothing */
	EXCL_MEMORY,                   /* reads or writes memory */
	EXCL_LOAD,                     /* load-exclusive */
	EXCL_STORE,                    /* store-exclusive */
	EXCL_CLEAR,
};

/* A C function that generated code calls (ir.h O_call, O_vcall).  It may not touch guest registers
 * that the host keeps in registers, unless its flags say so. */
enum {
	HELP_FAULT = 2,                /* may fault on guest memory */
	HELP_STATE = 4,                /* reads or writes guest variables: all are in memory around it */
	HELP_FP = 8,                   /* uses host floating point or vectors: those are saved around it */
	HELP_FLAGS = 32,               /* reads cpu->fpflags, brought up to date for it, and touches no vector register
	                                * nor any variable that may live in a host register (rank above 0); while
	                                * cpu->fpflags is 0 its value is the low `bits` of the variable `var` */
	HELP_NOVEC = 16,               /* certainly touches no vector register, nor does what it calls: saves time */
	HELP_GROUP = 64,               /* of a vhelper: d, a and b are the first of groups of HELP_MOST variables at most, none
	                                * of which may live in a host register (rank 0) */
};
enum { HELP_MOST = 8 };
struct helper { const char *name; void *fn; u32 flags; u8 var, bits; };
typedef u64 helper_fn(struct cpu *, u64 a, u64 b, u64 c);
typedef void vhelper_fn(struct cpu *, void *d, const void *a, const void *b, u64 imm);

struct tr;                             /* frontend/tr.h: a translation in progress */
struct simple;                         /* ir/simple.h */
struct run;                            /* ir/perform.h */
struct linux_abi;                      /* syscall/abi.h */
struct sigframe;
struct image;                          /* loader/image.h */
struct vdso;                           /* base/vdso.h */
struct gspace;                         /* base/gmem.h */

struct guest {
	const char *name;              /* "aarch64": as in qemu-NAME and uname -m */
	const char *family;            /* "arm64" */
	const char *const *alias;      /* other accepted names, NULL terminated, or 0 */
	struct { u16 machine; u8 class, data; u32 mask, flags; } elf;  /* e_flags & mask == flags */
	u32 relative;                  /* its R_*_RELATIVE: the relocation that adds the load address */
	u8 bits, big;                  /* 32 or 64; 1 = big-endian data */
	u8 fpnan;                      /* enum fpnan (base/fp.h): the rule its code follows, default NaNs apart */
	u8 minlen, maxlen;             /* bytes of the shortest instruction, and what translate and scan want to see */
	const struct reg *reg;         /* indexed by variable number */
	int nreg;
	u8 pc_reg;                     /* number of the pc pseudo-register in reg[] (lives in cpu->pc) */
	u8 sp, link, tls, flags;       /* variable numbers; 0xff where the guest has none */
	u32 keeps;                     /* bit of mode under which returns pass flags to their callers; 0: no flags */
	u32 loose;                     /* ... floats are looked at for boxes wherever they are read (ir/box.c); 0: always */
	int loosen;                    /* the helper that sets it */

	const struct helper *helper;   /* by number */
	int nhelper;

	/* Translates the instruction at t->pc into IR and advances t->pc past it.  Returns 1 to go on
	 * with the next instruction, 0 if it ended the block (it emitted a terminator).  An
	 * undefined instruction emits a trap and returns 0.  (frontend/tr.h) */
	int (*translate)(struct tr *t);
	/* The instruction at p (n readable bytes), which lies at guest address pc, if it does little: its length; else 0.
	 * May be 0. */
	int (*simple)(const u8 *p, int n, gaddr pc, struct simple *);
	/* Does it, if it does little (ir/perform.h); n bytes of the word are there, 2 or 4.  It is there if simple is. */
	int (*perform)(u32 word, int n, gaddr pc, struct run *);
	/* State that selects other code for the same pc (FP control modes, thumb): part of the
	 * translation's key.  Called when cpu state is in memory. */
	u32 (*mode)(const struct cpu *);
	/* Looks at the instruction at p (n readable bytes), which lies at guest address pc.  Cheap:
	 * it runs once more for every instruction that is translated. */
	void (*scan)(const u8 *p, int n, gaddr pc, struct scan *);
	/* The same for many: passes over instructions from p on that only lead to the next (FLOW_NEXT for scan),
	 * as far as n bytes hold them; sets bit 0 of mark[k] where one begins k half-words on.  Returns their
	 * number, and their length by *bytes.  It may stop early. */
	int (*skip)(const u8 *p, int n, gaddr pc, u8 *mark, int *bytes);
	/* How many bytes at p are instructions, max at most, that only lead to the next and leave flags alone.  It may
	 * stop early; 0 where the guest has no flags. */
	int (*quiet)(const u8 *p, int n, gaddr pc, int max);
	enum excl (*excl)(const u8 *p, int n);         /* of the instruction at p */
	/* Text of the instruction at p into buf, for -d in_asm; returns its length in bytes. */
	int (*disasm)(const u8 *p, int n, gaddr pc, char *buf, size_t size);
	/* The instruction at cpu->pc faulted, in a straight line of code that began at `from`: gives registers the
	 * values that translated code puts off until somebody looks.  0: there are none. */
	void (*settle)(struct cpu *, gaddr from);
	void (*reset)(struct cpu *);   /* architectural state at process start */
	/* The host's FP control word follows the guest's mode register: called before guest code
	 * is entered, and by the helper that writes the guest's register. */
	void (*fpenter)(struct cpu *), (*fpleave)(struct cpu *);
	/* Processor models, ended by one without a name, the first being the default; names of features
	 * by bit; those no model can be without.  (base/model.h) */
	const struct cpumodel *model;
	const char *const *feature; int nfeature;
	u64 needed;
	const u8 *needs;               /* by feature: the one it is nothing without, or itself; 0: each stands alone */
	u64 parts;                     /* those that are there exactly when the one they need is */
	const struct cpusetting *setting;      /* what else -cpu may say, ended by one without a name; or 0 */
	const struct gspace *space;    /* base/gmem.h */
	const struct linux_abi *abi;   /* call registers, numbers, frames, auxv */
	const struct vdso *vdso;       /* base/vdso.h; 0: the guest's kernel maps none */
};

/* All guests, NULL terminated; the array is generated by the Makefile from the folders. */
extern const struct guest *const guests[];

#endif
