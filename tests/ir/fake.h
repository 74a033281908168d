/* SPDX-License-Identifier: MIT */
/* fake.h - a guest that exists for tests: four of each kind of register */
#ifndef TESTS_IR_FAKE_H
#define TESTS_IR_FAKE_H

#include <stdio.h>
#include <stdlib.h>
#include "ir/eval.h"

/* xorshift64*; the test sets the seed and prints it */
static u64 seed;

static inline u64
rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

/* The number of the first of many random things; printed. */
static inline u64
fake_first(void)
{
	const char *s = getenv("CHECK_SEED");
	u64 first = s ? strtoull(s, 0, 0) * 1000003 : 1;

	printf("seed %llu\n", (unsigned long long)first);
	return first;
}

enum { X0, X1, X2, X3, NZ, V0, V1, V2, V3, F0, F1, F2, F3, NVAR };

static const struct reg fake_reg[NVAR] = {
#define INT(n)  { "x" #n, 8 * n, 64, REG_INT, n + 1, "int", "cpu" }
#define VECR(n) { "v" #n, 128 + 256 * n, 2048, REG_VEC, n + 1, "vec", "vec" }
#define FP(n)   { "f" #n, 2048 + 8 * n, 64, REG_FP, n + 1, "double", "fpu" }
	[X0] = INT(0), INT(1), INT(2), INT(3), { "nz", 64, 64, REG_FLAGS, 0, "int", "cpu" },
	[V0] = VECR(0), VECR(1), VECR(2), VECR(3), [F0] = FP(0), FP(1), FP(2), FP(3),
#undef INT
#undef VECR
#undef FP
};

static u64 fake_sum(struct cpu *cpu, u64 a, u64 b, u64 c) { (void)cpu; return a + b + c; }
static void
fake_swap(struct cpu *cpu, void *d, const void *a, const void *b, u64 imm)
{
	(void)cpu;
	memcpy(d, a, 8);
	memcpy((u8 *)d + 8, b, 8);
	*(u8 *)d ^= (u8)imm;
}

enum { FAKE_SUM, FAKE_SWAP, FAKE_STATE, FAKE_FAULT, FAKE_HELPERS };
static const struct helper fake_helper[FAKE_HELPERS] = {
	[FAKE_SUM] = { "sum", (void *)fake_sum, 0 },
	[FAKE_SWAP] = { "swap", (void *)fake_swap, 0 },
	[FAKE_STATE] = { "state", (void *)fake_sum, HELP_STATE },
	[FAKE_FAULT] = { "fault", (void *)fake_sum, HELP_FAULT },
};

static const struct guest fake_guest = {
	.name = "fake", .bits = 64, .reg = fake_reg, .nreg = NVAR, .pc_reg = 0xff, .sp = X3, .link = X2,
	.tls = 0xff, .flags = NZ, .helper = fake_helper, .nhelper = FAKE_HELPERS,
};

/* An instruction as it is, neither folded nor merged. */
static inline ref
fake_append(struct region *r, struct ins i)
{
	grow(&r->ins, r->nins, &r->capins, sizeof *r->ins);
	r->ins[r->nins] = i;
	r->block[r->nblock - 1].n++;
	return (ref)r->nins++;
}

/* Runs block k of the region; returns how it ended. */
static inline enum evalend
fake_run(struct cpu *cpu, const struct region *r, int k)
{
	int stride = eval_stride(r->ins, r->nins);
	u64 val[r->block[k].n * stride + 1];
	struct eval e = {
		.cpu = cpu, .guest = r->guest, .ins = r->ins, .k = r->k, .val = val, .stride = stride,
		.first = r->block[k].first, .pc = r->block[k].pc, .fpnan = r->fpnan,
	};

	return eval_block(&e, r->block[k].n);
}

#endif
