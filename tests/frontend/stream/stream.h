/* SPDX-License-Identifier: MIT */
/* stream.h - random instruction streams: blocks made from the .isa tables, run by several engines, compared
 *
 * A block is up to 60 instructions with branches forward and, bounded by fuel, backward, and the state it begins in.
 * Many blocks make one program, a static ELF file that loads each state, runs the block, stores the state, and
 * at the end writes all states to its output.  The oracle (another emulator), our evaluator and any number of
 * command lines run the same file, so a difference is ours or the oracle's.  Of the first block that differs the
 * shortest part that still does is printed as text which `stream -r` runs again.
 *
 * A guest gives its tables, the places of its registers in a state, and what no table says: which registers must
 * keep pointing somewhere, how to load and store a state, how to aim a branch. */
#ifndef TESTS_STREAM_H
#define TESTS_STREAM_H

#include <stddef.h>
#include <stdio.h>
#include "base/guest.h"
#include "base/word.h"
#include "ir/ir.h"

enum {
	BASE = 0x100000, CODE = 1 << 20,       /* where the program lies; its states follow, */
	ARGS = 64, STACK = 1 << 16,            /* what installs a signal handler, and its stack */
	NOWHERE = 0x8000,                      /* below what may be mapped */
	MAXBLOCK = 1000, MAXITEM = 60, MAXBEFORE = 6,
};

/* An instruction of a block.  One that goes to `to`, the index of another item (n: the end), is preceded by what
 * makes that possible: see before. */
struct item { u32 word; u8 len; s8 to; u8 inner; };    /* to: -1 if it only leads to the next; inner: no branch leads to it */

struct piece {
	struct item item[MAXITEM];
	int n;
	int own;                       /* has what the oracle lacks or does wrong: our evaluator is the judge */
	int loops;                     /* may go backward */
	int calls;                     /* for the guest: has calls and returns */
	int traps;                     /* has instructions that trap */
	int faults, floats;            /* for the guest: has accesses that fault; floating-point arithmetic */
	int vfloats;                   /* for the guest: may have that on vectors */
	u32 moved;                     /* registers written back so far, which may not move again */
	int exclusive;                 /* width of its exclusive accesses; -1: none yet */
	u64 memseed;                   /* its memory; 0: zeros */
	u8 *state;                     /* before it is placed */
};

enum kind { K_INT, K_FLAGS, K_VEC, K_FP, K_MEM, K_BRANCH, K_COUNT };

/* A line of a table and why its instructions are treated apart. */
struct except { const char *name, *why; };

struct field { char name[8]; u32 off; u8 size; };

struct stream {
	const struct guest *guest;
	const char *oracle;            /* the command of the other emulator */
	u32 elfflags;
	size_t size, mem, memsize;     /* of a state; where in it its memory is */
	const struct field *(*field)(int *n);
	int nline;                     /* of all its tables together; line 0 does not exist */
	const char *(*name)(int line);
	int (*lineof)(const struct item *);
	enum kind (*kind)(int line);
	int (*conditional)(int line);  /* both ways must be seen */
	const struct except *absent;   /* lines that cannot be in streams; ended by one without a name, as the others */
	const struct except *wrong;    /* lines, or instructions of them, that the oracle does wrong or lacks */
	const char *(*lacks)(int line);                /* why the oracle does not have the line, or 0; may be 0 */
	const struct except *idle;     /* lines that change nothing a program sees */
	/* A random instruction of the line that can run here (to: 0 if it goes somewhere); 0: not this one. */
	int (*make)(int line, struct piece *, struct item *);
	/* Instructions that a translator takes together, at most `room` of them; their number.  May be 0. */
	int (*idiom)(struct piece *, struct item *, int room);
	int (*iswrong)(const struct item *);           /* the instruction belongs to `wrong` */
	void (*fill)(struct piece *);                  /* random registers */
	void (*place)(u8 *state, u64 at);              /* the registers that depend on where the state lies */
	/* Code at the start of a program: installs a handler of SIGILL, SIGTRAP and SIGSEGV, whose address it returns, by
	 * structs at args (program.c); it goes on after the instruction and mixes the signal into a register. */
	u64 (*common)(u64 args);
	/* What that start and the handler come to in our evaluation, where calls, traps and faults come back; 0: the end. */
	int (*back)(struct cpu *);
	/* Code around each block, whose state lies at an address; the end. */
	void (*enter)(u64 at), (*leave)(u64 at, const struct piece *), (*finish)(u64 at, u64 size);
	/* Points a branch `off` bytes on from itself; 0: too far. */
	int (*aim)(struct item *, s64 off);
	/* Words before an instruction that goes somewhere: fuel burnt if `back`, the address of what lies
	 * `off` bytes from the first of them if it jumps to a register.  Their number depends on back and item alone. */
	int (*before)(const struct item *, int back, s64 off, u32 *w);
	/* -- vectors.c -- */
	int (*isfloat)(int line);
	int nmode;                     /* states of the floating-point control register that it shall run in */
	/* A random instruction of the line that takes and gives what loop loads and stores; its format in bits, 0: none */
	int (*vector)(int line, int mode, struct item *);
	void (*operands)(int format, u64 *v);          /* 6 words: three operands, low and high */
	/* Code that runs it n times: operands (48 bytes each) at in, its result, flags and all (32 bytes) to out. */
	void (*loop)(const struct item *, int mode, u64 in, u64 out, u64 n);
};
extern const struct stream stream_aarch64, stream_riscv64;

/* -- value.c: random numbers and what instructions like least -- */
extern u64 stream_seed;
u32 rnd(void);
u64 rnd64(void);
u64 stream_int(int bits);
u64 stream_real(int e, int m);         /* of e exponent and m significand bits */
void stream_vector(u8 *v);             /* 16 bytes, lanes of one kind */
u64 stream_float(int bits);            /* as TestFloat would choose it: see value.c */

/* -- piece.c -- */
struct piece *piece_new(const struct stream *);
struct piece *piece_copy(const struct stream *, const struct piece *);
void piece_free(struct piece *);
void piece_drop(struct piece *, int at, int n);
struct piece *piece_random(const struct stream *, int max, const char *only, int own);
void piece_print(const struct stream *, const struct piece *, FILE *);
struct piece *piece_read(const struct stream *, FILE *);       /* 0: no more */

/* -- program.c -- */
/* What lies behind the code: size bytes of data, zeros up to room; and where in it the program's output is. */
struct image { const u8 *data; size_t size, room, from, n; };
void program_begin(void);
/* Runs what was emitted; 0: it did not end well. */
int program_exec(const struct stream *, const char *engine, const struct image *, u8 *out);
void emit(u32 word, int len);
u64 here(void);                        /* the address of what is emitted next */
/* Runs blocks b[0..n) under the engine; results, n states, to out.  A block that brings the engine down has the
 * result 0xa5.... and counts as a failure. */
extern int program_failures;
void program_run(const struct stream *, const char *engine, struct piece **b, int n, u8 *out);
int program_fits(const struct stream *, struct piece **b, int n);
int program_find(u64 pc, int *item);   /* block and item of an address of the last program; -1: none */

/* -- evaluate.c: engines "eval", blocks translated whole, and "step", an instruction at a time and counted -- */
struct outcome { u64 runs, changed, taken, fell, traps; };
extern struct outcome *outcome;        /* by line */
extern u8 evaluated[O_COUNT];          /* whether an IR operation was */
/* From BASE to the program's first system call; 0: it did not get there, but to *pc. */
int evaluate(const struct stream *, int step, u64 end, u64 *pc);

/* -- shrink.c -- */
/* The shortest block that differs between two engines; b, or another. */
struct piece *shrink(const struct stream *, const char *oracle, const char *engine, struct piece *b);
/* What differs in the block run alone; or else in the states want and got, which it left after other blocks. */
void explain(const struct stream *, const char *oracle, const char *engine, struct piece *, const u8 *want,
    const u8 *got, FILE *);

/* -- vectors.c -- */
int vectors(const struct stream *, u64 count, const char *only, int nengine, char **engine);

static inline int
excepted(const struct except *e, const char *name)
{
	for (; e->name; e++)
		if (!__builtin_strcmp(e->name, name))
			return 1;
	return 0;
}

#endif
