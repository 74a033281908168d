/* SPDX-License-Identifier: MIT */
/* test_x86_vec.c - integer vector operations: host and evaluator agree on random blocks */
#include "backend/x86_64/x86.h"
#include "x86diff.h"

enum { B8 = 1, B16 = 2, B32 = 4, B64 = 8, INTS = 15, WHOLE = 16 };

/* operation, lane types, number of vector operands, how v and imm are chosen */
enum how { H_NONE, H_REL, H_SHIFT, H_RSHIFT, H_LOW, H_DUP, H_LANE, H_FROMI, H_PAIR, H_INS, H_INSLANE, H_UMOV, H_SIGNS,
	H_EXT, H_REV, H_WIDEN, H_NARROW, H_QNARROW, H_RED, H_PMULL, H_HALF, H_HALVES };
static const struct opcase { u8 op, lanes, nvec, how; } cases[] = {
	{O_mov, INTS, 1, 0}, {O_add, INTS, 2, 0}, {O_sub, INTS, 2, 0}, {O_mul, INTS, 2, 0},
	{O_and, INTS | WHOLE, 2, 0}, {O_or, INTS, 2, 0}, {O_xor, INTS, 2, 0}, {O_andn, INTS, 2, 0},
	{O_orn, INTS, 2, 0}, {O_not, INTS, 1, 0}, {O_neg, INTS, 1, 0}, {O_bsl, INTS | WHOLE, 3, 0},
	{O_vset, INTS, 2, H_REL}, {O_smin, INTS, 2, 0}, {O_smax, INTS, 2, 0}, {O_umin, INTS, 2, 0},
	{O_umax, INTS, 2, 0}, {O_abs, INTS, 1, 0}, {O_sabd, INTS, 2, 0}, {O_uabd, INTS, 2, 0},
	{O_uhadd, INTS, 2, 0}, {O_urhadd, INTS, 2, 0}, {O_shadd, INTS, 2, 0}, {O_srhadd, INTS, 2, 0},
	{O_uhsub, INTS, 2, 0}, {O_shsub, INTS, 2, 0}, {O_uqadd, INTS, 2, 0}, {O_sqadd, INTS, 2, 0},
	{O_uqsub, INTS, 2, 0}, {O_sqsub, INTS, 2, 0}, {O_suqadd, INTS, 2, 0}, {O_usqadd, INTS, 2, 0},
	{O_sqdmulh, INTS, 2, 0}, {O_sqrdmulh, INTS, 2, 0}, {O_mulwu, B16 | B32 | B64, 2, 0},
	{O_mulws, B16 | B32 | B64, 2, 0}, {O_pmul, B8, 2, 0}, {O_shli, INTS, 1, H_SHIFT}, {O_shri, INTS, 1, H_SHIFT},
	{O_sari, INTS, 1, H_SHIFT}, {O_roli, INTS, 1, H_SHIFT}, {O_urshri, INTS, 1, H_RSHIFT}, {O_srshri, INTS, 1, H_RSHIFT},
	{O_ushl, INTS, 2, 0}, {O_sshl, INTS, 2, 0}, {O_urshl, INTS, 2, 0}, {O_srshl, INTS, 2, 0},
	{O_uqshl, INTS, 2, 0}, {O_sqshl, INTS, 2, 0}, {O_sqrshl, INTS, 2, 0}, {O_sqshlu, INTS, 2, 0},
	{O_popcnt, B8, 1, 0}, {O_rbit, B8, 1, 0}, {O_clz, INTS, 1, 0}, {O_cls, INTS, 1, 0},
	{O_vlow, INTS, 1, H_LOW}, {O_dup, INTS, 0, H_DUP}, {O_duplane, INTS, 1, H_LANE}, {O_vfromi, INTS, 0, H_FROMI},
	{O_vpair, B64, 0, H_PAIR}, {O_ins, INTS, 1, H_INS}, {O_inslane, INTS, 2, H_INSLANE}, {O_umov, INTS, 1, H_UMOV},
	{O_smov, INTS, 1, H_UMOV}, {O_vsigns, INTS, 1, H_SIGNS}, {O_vcat, INTS, 2, 0}, {O_zip1, INTS, 2, 0}, {O_zip2, INTS, 2, 0},
	{O_uzp1, INTS, 2, 0}, {O_uzp2, INTS, 2, 0}, {O_trn1, INTS, 2, 0}, {O_trn2, INTS, 2, 0},
	{O_vext, B8, 2, H_EXT}, {O_vext, B8, 1, H_EXT}, {O_vrev, B8 | B16 | B32, 1, H_REV}, {O_tbl, B8, 2, 0},
	{O_vzxt, B16 | B32 | B64, 1, H_WIDEN}, {O_vsxt, B16 | B32 | B64, 1, H_WIDEN},
	{O_vnarrow, B8 | B16 | B32, 1, H_NARROW}, {O_vqnarrow, B8 | B16 | B32, 1, H_QNARROW}, {O_vred, INTS, 1, H_RED},
	{O_usad, B64, 2, 0},
	{O_pmull, B16, 2, H_PMULL}, {O_udot, B32, 3, 0}, {O_sdot, B32, 3, 0}, {O_aese, B8, 1, 0}, {O_aesd, B8, 1, 0},
	{O_aesmc, B8, 1, 0}, {O_aesimc, B8, 1, 0}, {O_aesenc, B8, 1, 0}, {O_aesdec, B8, 1, 0},
	{O_sha1, B32, 3, 0}, {O_sha256, B32, 3, H_HALVES}, {O_sha256r2, B32, 3, H_HALF}, {O_sha256su0, B32, 2, 0},
	{O_sha256su1, B32, 2, 0},
};

static struct region r;
static ref vpool[16], ipool[16];

static ref anyvec(void) { return vpool[below(NELEM(vpool))]; }
static ref anyint(void) { return below(4) ? ipool[below(NELEM(ipool))] : ir_k(&r, corner_int(64)); }
static void keepvec(ref t) { vpool[below(NELEM(vpool))] = t; }

static int
lane_of(int set)
{
	for (;;) {
		int n = (int)below(5);
		if (set >> n & 1)
			return n == 4 ? I128 : I8 + n;
	}
}

static void
emit(const struct opcase *c)
{
	int lane = lane_of(c->lanes), w = ty_lanebits(lane), ty = VEC(lane, 7), v = 0, imm = 0, n = 128 / w;
	ref a = c->nvec > 0 ? anyvec() : 0, b = c->nvec > 1 ? anyvec() : 0, d = c->nvec > 2 ? anyvec() : 0;

	switch (c->how) {
	case H_REL: v = (int)below(R_NTST + 1); break;
	case H_HALF: case H_HALVES: v = (int)below(2); break;
	case H_SHIFT: imm = (int)below((u32)w + 1); break;
	case H_RSHIFT: imm = 1 + (int)below((u32)w); break;
	case H_LOW: imm = 8 << below(5); break;
	case H_DUP: case H_FROMI: a = anyint(); break;
	case H_PAIR: a = anyint(); b = anyint(); break;
	case H_LANE: v = (int)below((u32)n); break;
	case H_INS: v = (int)below((u32)n); b = anyint(); break;
	case H_INSLANE: v = (int)below((u32)n); imm = (int)below((u32)n); break;
	case H_UMOV: v = lane; imm = (int)below((u32)n); ty = I64; break;
	case H_SIGNS: v = VEC(lane, 7); ty = I64; break;
	case H_EXT: imm = (int)below(16); break;
	case H_REV: do imm = 16 << below(4); while (imm <= w); break;
	case H_WIDEN: v = VEC(lane - 1, 7); imm = (int)below(2); break;
	case H_NARROW: v = VEC(lane + 1, 7); break;
	case H_QNARROW: v = VEC(lane + 1, 7); imm = (int)below(3); break;
	case H_RED: imm = (int)below(VRED_UMAX + 1); break;
	case H_PMULL: v = below(2) ? I8 : I64; ty = v == I8 ? V16 : V128; imm = (int)below(2); break;
	}
	ref t = ir_opx(&r, c->op, ty, 0, v, imm, a, b, d);
	if (ty == I64)
		ipool[below(NELEM(ipool))] = t;
	else
		keepvec(t);
	if (c->how != H_HALVES)
		return;
	for (int puts = (int)below(3); puts; puts--)
		ir_put(&r, V32, NINT + (int)below(NVEC), below(2) ? t : anyvec());
	keepvec(ir_opx(&r, c->op, ty, 0, v ^ (below(4) > 0), 0, a, b, d));
}

/* Random operands from variables; some of them changed first, so that they are temporaries; n operations, the
 * first of them given; then variables are written. */
static int
block(const struct opcase *first, int n, u64 seed)
{
	rng_state = seed;
	fill_state((u64 *)cpu_eval->state, CPU_STATE / 8, 0);
	region_init(&r, &guest_vec, PC, 0);
	ir_block(&r, PC);
	ir_insn(&r, PC);
	for (size_t k = 0; k < NELEM(vpool); k++) {
		vpool[k] = ir_get(&r, V128, NINT + (int)below(NVEC));
		ipool[k] = ir_get(&r, I64, (int)below(NINT));
		if (below(4) == 0)
			vpool[k] = ir_op(&r, O_xor, V128, vpool[k], vpool[below((u32)k + 1)], 0);
	}
	for (int k = 0; k < n; k++)
		emit(k ? &cases[below(NELEM(cases))] : first);
	for (size_t k = 0; k < NELEM(vpool); k++) {
		ir_put(&r, V128, NINT + (int)below(NVEC), vpool[k]);
		ir_put(&r, I64, (int)below(NINT), ipool[k]);
	}
	ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
	if (!differ(&r, &guest_vec, 0))
		return 0;
	fprintf(stderr, "op %s seed %#lx n %d\n", opinfo[first->op].name, seed, n);
	return 1;
}

/* ONLY=op: that operation alone */
static int
wanted(const struct opcase *c)
{
	const char *only = getenv("ONLY");

	return !only || !strcmp(only, opinfo[c->op].name);
}

static void
run(const char *hide)
{
	u64 seed = getenv("SEED") ? strtoull(getenv("SEED"), 0, 0) : 0x5eed0001;
	int times = getenv("TIMES") ? atoi(getenv("TIMES")) : 60, bad = 0;

	if (getenv("HIDE") && strcmp(getenv("HIDE"), hide))
		return;
	printf("hide \"%s\" seed %#lx\n", hide, seed);
	level(hide, &guest_vec);
	for (size_t c = 0; c < NELEM(cases); c++)
		for (int k = 0; k < times && wanted(&cases[c]); k++)
			if (block(&cases[c], k < times / 2 ? 1 : 1 + k % 8, (seed += 0x9e3779b97f4a7c15) | 1)) {
				bad++;
				break;
			}
	assert_int_equal(bad, 0);
}

/* A long stretch of what touches no memory, with more values alive than there are temporary registers: homes are lent
 * (borrow.c), those of variables that are put later too.  Variables from `from` on are used, of one guest all with homes, of another with none. */
static int
stretch(const struct guest *g, int from, u64 seed)
{
	static const u8 ops[] = { O_add, O_sub, O_and, O_or, O_xor, O_andn, O_orn, O_not, O_roli, O_shli, O_shri };
	static const u8 intops[] = { O_add, O_xor, O_smin, O_smax, O_umin, O_umax };
	enum { ALIVE = 28, USED = 8, PUT = 12 };
	ref pool[ALIVE], words[ALIVE];

	rng_state = seed;
	fill_state((u64 *)cpu_eval->state, CPU_STATE / 8, 0);
	region_init(&r, g, PC, 0);
	ir_block(&r, PC);
	ir_insn(&r, PC);
	for (int k = 0; k < ALIVE; k++) {
		pool[k] = ir_get(&r, V32, NINT + from + (int)below(USED));
		words[k] = ir_get(&r, I64, (int)below(USED));
	}
	for (u32 n = 100 + below(200); n; n--) {
		int op = ops[below(NELEM(ops))], ty = VEC(I8 + (int)below(4), 7), one = op == O_not || op >= O_shli;
		ref *to = &pool[below(ALIVE)], *word = &words[below(ALIVE)];

		if (below(3) == 0)
			*word = ir_op(&r, intops[below(NELEM(intops))], I64, words[below(ALIVE)], words[below(ALIVE)], 0);
		if (below(40) == 0)
			*word = ir_opx(&r, O_umov, I64, 0, I64, 0, pool[below(ALIVE)], 0, 0);
		if (below(10) == 0)
			ir_put(&r, I64, (int)below(PUT), words[below(ALIVE)]);
		if (below(30) == 0)
			*word = ir_get(&r, I64, (int)below(USED));
		if (below(20) == 0)
			*to = ir_op(&r, O_dup, ty, *word, 0, 0);
		else
			*to = ir_opx(&r, op, ty, 0, 0, op < O_shli ? 0 : 1 + (int)below((u32)ty_lanebits(ty) - 1),
			    pool[below(ALIVE)], one ? 0 : pool[below(ALIVE)], 0);
	}
	for (int k = 0; k < ALIVE; k++) {
		ir_put(&r, V32, NINT + from + k % USED, k < USED ? pool[k] :
		    ir_op(&r, O_xor, V32, pool[k], ir_get(&r, V32, NINT + from + k % USED), 0));
		ir_put(&r, I64, k % USED, words[k]);
	}
	ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
	if (!differ(&r, g, 0))
		return 0;
	fprintf(stderr, "stretch from %d seed %#lx\n", from, seed);
	return 1;
}

static void
stretches(const char *hide)
{
	static struct reg regs[NREG];
	struct guest floats = guest_vec;
	int bad = 0;

	memcpy(regs, regs_vec, sizeof regs);
	for (int n = 0; n < NVEC; n++) {
		regs[NINT + n].rank = n < NVEC / 2 ? regs[NINT + n].rank : 0;
		regs[NINT + n].kind = n < NVEC / 2 ? REG_FP : REG_VEC;
		regs[NINT + n].bits = n < NVEC / 2 ? 64 : 128;
	}
	floats.reg = regs;
	for (int k = 0; k < 2; k++) {
		level(hide, k ? &floats : &guest_vec);
		for (u64 seed = 1; seed < 300 && !bad; seed++)
			bad = stretch(k ? &floats : &guest_vec, k ? NVEC / 2 : 0, seed * 0x9e3779b97f4a7c15 | 1);
	}
	assert_int_equal(bad, 0);
}

/* One after the other, as guests have them. */
static void
test_both_halves_of_sha256_are_made_at_once(void **s)
{
	ref a, b, w;
	int rounds = 0;

	(void)s;
	level("", &guest_vec);
	for (int first = 0; first < 2 && x86feat.sha; first++) {
		region_init(&r, &guest_vec, PC, 0);
		ir_block(&r, PC);
		a = ir_get(&r, V32, NINT);
		b = ir_get(&r, V32, NINT + 1);
		w = ir_get(&r, V32, NINT + 2);
		for (int n = 0; n < 2; n++) {
			ir_insn(&r, PC + (u64)n * 4);
			ir_put(&r, V32, NINT + n, ir_opx(&r, O_sha256, V32, 0, n ^ first, 0, a, b, w));
		}
		ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
		assert_int_equal(differ(&r, &guest_vec, 0), 0);
		for (u32 n = 0; n + 2 < out.size; n++)
			rounds += out.code[n] == 0x0f && out.code[n + 1] == 0x38 && out.code[n + 2] == 0xcb;
	}
	assert_int_equal(rounds, x86feat.sha ? 4 : 0);
}

static void test_stretches_with_avx512(void **s) { (void)s; stretches(""); }
static void test_stretches_with_avx2(void **s) { (void)s; stretches("avx512"); }
static void test_vectors_with_avx512(void **s) { (void)s; run(""); }
static void test_vectors_without_extras(void **s) { (void)s; run("vbmi,vbmi2,bitalg,vpopcnt,vnni,gfni,vaes,vpclmul"); }
static void test_vectors_with_avx2(void **s) { (void)s; run("avx512"); }
static void test_vectors_with_avx2_alone(void **s) { (void)s; run("avx512,gfni"); }
static void test_vectors_with_sse(void **s) { (void)s; run("avx"); }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_with_avx512), cmocka_unit_test(test_vectors_without_extras),
		cmocka_unit_test(test_vectors_with_avx2), cmocka_unit_test(test_vectors_with_avx2_alone),
		cmocka_unit_test(test_vectors_with_sse), cmocka_unit_test(test_stretches_with_avx512),
		cmocka_unit_test(test_stretches_with_avx2), cmocka_unit_test(test_both_halves_of_sha256_are_made_at_once),
	};

	setup();
	return cmocka_run_group_tests(tests, 0, 0);
}
