/* SPDX-License-Identifier: MIT */
/* fuzz_code.c - hostile guest code: whatever bytes a program jumps to, scanning, printing, translating
 * and compiling them does no harm, and the IR is well formed
 *
 * Input: a byte that registers are filled with, which chooses the mode (FP control), then code at PC. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/core.h"

enum { PC = 0x400000, AREA_MIB = 8 };

static const u8 *code;
static size_t ncode;

static const u8 *
fetch(gaddr pc, int n, int *got)
{
	static u8 copy[FETCH_MAX];
	u64 at = pc - PC;

	*got = at >= ncode ? 0 : ncode - at < (u64)n ? (int)(ncode - at) : n;
	memcpy(copy, code + (*got ? at : 0), (size_t)*got);
	return copy;
}

static const struct os os = {.name = "fuzz", .fetch = fetch};
static struct cpu *cpu;

static void
begin(const struct guest *g)
{
	engine_init(g, &(struct engine_options){.codesize = (u64)AREA_MIB << 20});
	cpu = calloc(1, sizeof *cpu);
	cpu->guest = g;
	cpu->os = &os;
	engine_join(cpu);
}

static void
print(const struct guest *g)
{
	char text[128];

	for (gaddr pc = PC; pc < PC + ncode;) {
		int got, n;
		const u8 *p = fetch(pc, g->maxlen, &got);
		struct scan s;

		g->scan(p, got, pc, &s);
		n = g->disasm(p, got, pc, text, sizeof text);
		if (n <= 0)
			break;
		pc += (u64)n;
	}
}

/* The guest is chosen once a process, as in the product: FUZZ_GUEST names it. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ_GUEST");
	const struct guest *const *g = guests;

	(void)argc, (void)argv;
	while (*g && name && strcmp((*g)->name, name))
		g++;
	if (!*g) {
		fprintf(stderr, "fuzz_code: no guest '%s'\n", name);
		exit(2);
	}
	begin(*g);
	return 0;
}

int
LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const char *wrong;
	u32 emptied = atomic_load(&core.emptied);
	int first = atomic_load(&core.ntrans);

	if (size < 2)
		return 0;
	memset(cpu->state, data[0], sizeof cpu->state);
	code = data + 1;
	ncode = size - 1;
	print(cpu->guest);
	lock_take(&core.lock);
	wrong = core_translate(cpu, PC, cpu->guest->mode(cpu)) ? ir_verify(&core.region) : 0;
	/* one input's code is not the next one's; it is the first when the code area was full */
	if (atomic_load(&core.emptied) != emptied)
		first = 0;
	for (int i = first, n = atomic_load(&core.ntrans); i < n; i++)
		core_kill(core.trans[i]);
	lock_give(&core.lock);
	if (wrong) {
		fprintf(stderr, "ir_verify: %s\n", wrong);
		abort();
	}
	if (core.areaend - core.at < 1 << 20) {
		atomic_store(&core.stale, 1);
		core_renew(cpu);
	}
	return 0;
}
