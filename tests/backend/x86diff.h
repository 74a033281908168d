/* SPDX-License-Identifier: MIT */
/* x86diff.h - random blocks run by the x86-64 host and by the evaluator, their states compared */
#ifndef TESTS_BACKEND_X86DIFF_H
#define TESTS_BACKEND_X86DIFF_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "base/fp.h"
#include "base/host.h"
#include "ir/eval.h"

enum { NINT = 16, NVEC = 32, FLVAR = NINT + NVEC, NREG, VECAT = 512, FLAT = 256, AREA = 1 << 22, PC = 0x10000 };

static struct reg regs_vec[NREG], regs_fp[NREG];
static struct guest guest_vec __attribute__((unused)) = {.name = "vec", .bits = 64, .reg = regs_vec, .nreg = NREG, .link = 0xff, .flags = FLVAR};
static struct guest guest_fp __attribute__((unused)) = {.name = "fp", .bits = 64, .reg = regs_fp, .nreg = NREG, .link = 0xff, .flags = FLVAR};
static u64 rng_state;
static struct cpu *cpu_jit, *cpu_eval;
static u8 *area, *code_at;
static struct out out;
static int ntraps, enough;

static u64
rnd(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x9e3779b97f4a7c15;
}

static u32 below(u32 n) { return (u32)(rnd() >> 33) % n; }

static void
make_guest(struct reg *r, int kind)
{
	static char names[2][NVEC][4];

	for (int n = 0; n < NVEC; n++) {
		sprintf(names[0][n], "v%d", n);
		sprintf(names[1][n], "x%d", n);
	}
	for (int n = 0; n < NINT; n++)
		r[n] = (struct reg){.name = names[1][n], .off = (u16)(n * 8), .bits = 64, .kind = REG_INT, .rank = (u8)(n + 1)};
	for (int n = 0; n < NVEC; n++)
		r[NINT + n] = (struct reg){.name = names[0][n], .off = (u16)(VECAT + n * 16), .bits = kind == REG_VEC ? 128 : 64,
		    .kind = (u8)kind, .rank = (u8)(n + 1)};
	r[FLVAR] = (struct reg){.name = "fl", .off = FLAT, .bits = 32, .kind = REG_FLAGS, .rank = 0};
}

static void
on_sigfpe(int sig, siginfo_t *si, void *uc)
{
	int fixed = host_x86_64.fpfault(uc, cpu_jit, sig, si);

	if (!fixed) {
		fprintf(stderr, "SIGFPE not fixed up\n");
		abort();
	}
	ntraps++;
	enough |= fixed == 2;
}

static struct cpu *
new_cpu(void)
{
	enum { STACK = 1 << 16 };
	struct cpu *c = aligned_alloc(64, alignup(sizeof *c, 64));

	memset(c, 0, sizeof *c);
	u8 *s = malloc(STACK);
	c->shadow_lo = s;
	c->shadow_base = s + STACK - 64;
	return c;
}

static void
setup(void)
{
	make_guest(regs_vec, REG_VEC);
	make_guest(regs_fp, REG_FP);
	area = mmap(0, AREA, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cpu_jit = new_cpu();
	cpu_eval = new_cpu();
}

static void
level(const char *hide, const struct guest *g)
{
	struct sigaction sa = {.sa_sigaction = on_sigfpe, .sa_flags = SA_SIGINFO};

	sigaction(SIGFPE, &sa, 0);     /* here, as cmocka has its own around a test */
	code_at = area + host_x86_64.init(hide, area, area + AREA);
	host_x86_64.guest(g);
	cpu_jit->guest = cpu_eval->guest = g;
}

/* -- operands -- */

static u64
corner_int(int bits)
{
	u64 top = (u64)1 << (bits - 1), all = top * 2 - 1;

	switch (below(10)) {
	case 0: return 0;
	case 1: return 1;
	case 2: return all;
	case 3: return top;
	case 4: return top - 1;
	case 5: return below(2 * (u32)bits) - (u64)bits;
	case 6: return below(256);
	default: return rnd() & all;
	}
}

static u64
corner_float(int bits)
{
	int frac = bits == 64 ? 52 : bits == 32 ? 23 : 10;
	u64 sign = (u64)below(2) << (bits - 1), one = ((u64)1 << frac) - 1, emax = ((u64)1 << (bits - 1 - frac)) - 1;
	u64 r = rnd() & one, e;

	switch (below(16)) {
	case 0: return sign;
	case 1: return sign | 1;
	case 2: return sign | (r >> below((u32)frac));                       /* denormal */
	case 3: return sign | (u64)1 << frac | below(3);                     /* least normal, and the next */
	case 4: return sign | (emax - 1) << frac | one;
	case 5: return sign | emax << frac;
	case 6: return sign | emax << frac | (u64)1 << (frac - 1) | r;       /* quiet */
	case 7: return sign | emax << frac | (r >> 1 & one >> 1) | 1;        /* signalling */
	case 8: return sign | ((emax / 2 << frac) - below(3));               /* 1, and those before */
	case 9:                                                              /* small integers and halves */
	case 10:
		e = emax / 2 + below(8) - 1;
		return sign | e << frac | (r & ~(one >> below(10)));
	case 11:                                                             /* around the integers' ends */
		e = emax / 2 + (bits == 16 ? 14 : below(2) ? 31 : 63) + below(3) - 1;
		if (e >= emax)
			e = emax - 1;
		return sign | e << frac | (below(2) ? 0 : below(2) ? one : r);
	case 12: case 13: return sign | (emax / 2 - 3 + below(6)) << frac | r;
	default: return sign | (rnd() % emax) << frac | r;
	}
}

static void
fill_state(u64 *p, int words, int isfloat)
{
	for (int n = 0; n < words; n++) {
		int bits = isfloat ? 16 << below(3) : 8 << below(4);
		p[n] = 0;
		for (int k = 0; k < 64; k += bits)
			p[n] |= (isfloat ? corner_float(bits) : corner_int(bits)) << k;
	}
}

/* -- running -- */

static void
show(const struct region *r, const char *what)
{
	static char text[1 << 16];

	ir_print(r, text, sizeof text);
	fprintf(stderr, "%s\n%s", what, text);
	if (getenv("DUMP")) {          /* objdump -D -b binary -m i386:x86-64 -M intel */
		FILE *f = fopen(getenv("DUMP"), "w");
		fwrite(out.code, 1, out.size, f);
		fclose(f);
	}
}

/* Runs the region's one block both ways from the state in cpu_eval; 0 if the outcomes agree. */
static __attribute__((unused)) int
differ(struct region *r, const struct guest *g, u32 flagmask)
{
	static u64 *val;
	struct eval e = {.cpu = cpu_eval, .guest = g, .ins = r->ins, .k = r->k, .fpnan = r->fpnan};
	u64 before[CPU_STATE / 8];
	int rc, bad = 0;

	memcpy(cpu_jit->state, cpu_eval->state, CPU_STATE);
	memcpy(before, cpu_eval->state, CPU_STATE);
	cpu_jit->fpmode = cpu_eval->fpmode;
	cpu_jit->fpflags = cpu_eval->fpflags = 0;
	out.code = code_at;
	out.end = area + AREA;
	if ((rc = host_x86_64.compile(r, &out))) {
		fprintf(stderr, "compile: %d\n", rc);
		out.size = 0;
		show(r, "not compiled");
		return 1;
	}
	host_x86_64.enter(cpu_jit, out.code + out.entry[0].off);

	e.stride = eval_stride(r->ins, r->nins);
	e.first = r->block[0].first;
	e.pc = r->block[0].pc;
	val = e.val = realloc(val, (size_t)r->nins * (size_t)e.stride * 8);
	eval_block(&e, r->block[0].n);
	for (int v = 0; v < FLVAR; v++) {
		const struct reg *q = &g->reg[v];
		if (memcmp(cpu_jit->state + q->off, cpu_eval->state + q->off, q->bits / 8)) {
			const u64 *j = (const u64 *)(cpu_jit->state + q->off), *w = (const u64 *)(cpu_eval->state + q->off);
			fprintf(stderr, "%s: jit %016lx_%016lx want %016lx_%016lx\n", q->name,
			        q->bits > 64 ? j[1] : 0, j[0], q->bits > 64 ? w[1] : 0, w[0]);
			bad = 1;
		}
	}
	if ((cpu_jit->fpflags ^ cpu_eval->fpflags) & flagmask) {
		fprintf(stderr, "flags: jit %02x want %02x\n", cpu_jit->fpflags, cpu_eval->fpflags);
		bad = 1;
	}
	if (bad) {
		for (int v = 0; v < FLVAR; v++) {
			const struct reg *q = &g->reg[v];
			const u64 *w = (const u64 *)((u8 *)before + q->off);
			fprintf(stderr, "%-3s %016lx_%016lx%c", q->name, q->bits > 64 ? w[1] : 0, w[0], v % 4 == 3 ? '\n' : ' ');
		}
		show(r, "");
	}
	return bad;
}

#endif
