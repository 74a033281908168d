/* SPDX-License-Identifier: MIT */
/* test_x86_fp.c - floating point: host and evaluator agree to the bit, flags included, on random blocks */
#include <stdatomic.h>
#include "x86diff.h"

enum { SF = 1, DF = 2, VSF = 4, VDF = 8, HF = 16, VHF = 32, SCALAR = SF | DF | HF, ANY = 63 };
enum how { H_NONE, H_ROUND, H_CVT, H_TOINT, H_FROMINT, H_CMP, H_SET, H_VSET, H_MINMAX, H_FMA, H_SGNJ, H_MOVIF, H_MOVFI,
	H_BOX, H_UNBOX, H_SEL, H_CLASS };

static const struct opcase { u8 op, types, nargs, how; } cases[] = {
	{O_fadd, ANY, 2, 0}, {O_fsub, ANY, 2, 0}, {O_fmul, ANY, 2, 0}, {O_fdiv, ANY, 2, 0}, {O_fsqrt, ANY, 1, 0},
	{O_fma, ANY, 3, H_FMA}, {O_fmin, ANY, 2, H_MINMAX}, {O_fmax, ANY, 2, H_MINMAX}, {O_fround, ANY, 1, H_ROUND},
	{O_fcvt, ANY, 1, H_CVT}, {O_fcvti, ANY, 1, H_TOINT}, {O_icvtf, ANY, 1, H_FROMINT}, {O_fcmp, SCALAR, 2, H_CMP},
	{O_fset, SCALAR, 2, H_SET}, {O_fvset, ANY, 2, H_VSET}, {O_fneg, ANY, 1, 0}, {O_fabs, ANY, 1, 0},
	{O_fsgnj, ANY, 2, H_SGNJ}, {O_frecpe, ANY, 1, 0}, {O_frsqrte, ANY, 1, 0}, {O_frecps, ANY, 2, 0},
	{O_frsqrts, ANY, 2, 0}, {O_fmulx, ANY, 2, 0}, {O_frecpx, SCALAR, 1, 0}, {O_movif, SCALAR, 1, H_MOVIF},
	{O_movfi, SCALAR, 1, H_MOVFI}, {O_fbox, DF, 1, H_BOX}, {O_funbox, SF, 1, H_UNBOX}, {O_sel, ANY, 3, H_SEL},
	{O_fclass, SCALAR, 1, H_CLASS},
};

/* A way to run: guest, NaN rule, modes.  flags: those compared. */
struct way { const char *name; struct guest *guest; u8 fpnan; u32 mode, flags; int staticrm, vectors /* 2: and half precision */, soft, seen; };

enum { POOL = 8, ALL = FPX_ALL & ~FPX_DENORM };
static struct region r;
static ref fpool[6][POOL], ipool[POOL];
static const u8 types[6] = {F32, F64, VF32, VF64, F16, VF16};
static int ntypes;

static ref flags;

static ref anyf(int k) { return fpool[k][below(POOL)]; }
static ref anyint(void) { return ipool[below(POOL)]; }
static void keepint(ref t) { ipool[below(POOL)] = t; }

static int
rounding(const struct way *w)
{
	return w->staticrm && below(2) ? RM_NE + (int)below(4) : RM_DYN;
}

static void
emit_conversion(const struct opcase *c, const struct way *w, int k)
{
	int isvec = ty_isvec(types[k]), from = isvec ? k : (int)below(2), aux = below(2) ? FP_UNS : 0;

	if (!isvec && ntypes == 6 && below(2))
		from = 4;

	if (c->how == H_CVT) {
		int other = k == 4 ? (int)below(2) : k == 5 ? 2 : k == 2 && ntypes == 6 && below(2) ? 5 : k < 2 && from == 4 ? 4 : k ^ 1;
		fpool[k][below(POOL)] = ir_opx(&r, O_fcvt, types[k], rounding(w), types[other], 0, anyf(other), 0, 0);
		return;
	}
	int bits = isvec ? ty_lanebits(types[k]) : k == 1 ? 64 : 32, fbits = w->fpnan == FPNAN_ARM && below(4) == 0 ? 1 + (int)below((u32)bits) : 0;

	if (c->how == H_TOINT) {
		int rm = below(6), ty = isvec ? (bits == 64 ? V64 : bits == 32 ? V32 : V16) : below(2) ? I32 : I64;
		if (!isvec && fbits > ty_bits(ty))
			fbits = 0;
		aux |= rm | fbits << FP_FBITS | (w->fpnan == FPNAN_RISCV ? FP_NANMAX : 0);
		ref t = ir_opx(&r, O_fcvti, ty, aux, types[from], 0, anyf(from), 0, 0);
		if (isvec)
			fpool[k][below(POOL)] = t;
		else
			keepint(t);
		return;
	}
	aux |= fbits << FP_FBITS | (isvec ? 0 : rounding(w));
	if (isvec)
		fpool[k][below(POOL)] = ir_opx(&r, O_icvtf, types[k], aux, bits == 64 ? V64 : bits == 32 ? V32 : V16, 0, anyf(k), 0, 0);
	else
		fpool[k][below(POOL)] = ir_opx(&r, O_icvtf, types[k], aux, below(2) ? I32 : I64, 0, anyint(), 0, 0);
}

static void
emit_comparison(const struct opcase *c, int k)
{
	static const u8 rels[] = {R_EQ, R_LTS, R_LES, R_UN}, vrels[] = {R_EQ, R_GTS, R_GES};
	int aux = below(2) ? FP_SIGNAL : 0;

	if (c->how == H_CMP) {
		ref fl = ir_opx(&r, O_fcmp, types[k], aux, 0, 0, anyf(k), anyf(k), 0);
		if (below(2))
			keepint(ir_opx(&r, O_fcc, I64, 0, (int)below(14), 0, fl, 0, 0));
		else if (below(2))
			keepint(ir_op(&r, O_flbits, I64, fl, 0, 0));
		else
			flags = fl;    /* stays alive over other instructions */
	} else if (c->how == H_SET) {
		keepint(ir_opx(&r, O_fset, types[k], aux, rels[below(4)], 0, anyf(k), anyf(k), 0));
	} else {
		ref t = ir_opx(&r, O_fvset, types[k], aux, vrels[below(3)], 0, anyf(k), anyf(k), 0);
		fpool[k][below(POOL)] = t;
	}
}

static void
emit(const struct opcase *c, const struct way *w)
{
	int k;

	do
		k = (int)below((u32)ntypes);
	while (!(c->types >> k & 1));
	int ty = types[k], aux = rounding(w), v = 0, imm = 0;
	ref a = anyf(k), b = c->nargs > 1 ? anyf(k) : 0, d = c->nargs > 2 ? anyf(k) : 0;

	switch (c->how) {
	case H_CVT: case H_TOINT: case H_FROMINT: emit_conversion(c, w, k); return;
	case H_CMP: case H_SET: case H_VSET: emit_comparison(c, k); return;
	case H_ROUND: aux = (int)below(6) | (below(2) ? FP_EXACT : 0); break;
	case H_MINMAX: aux = below(2) ? FP_NUM : 0; break;
	case H_FMA: aux |= (below(2) ? FP_NEGP : 0) | (below(2) ? FP_NEGA : 0); break;
	case H_SGNJ: aux = 0; v = (int)below(3); break;
	case H_MOVIF: aux = 0; a = below(4) ? anyint() : ir_k(&r, corner_float(64)); break;
	case H_MOVFI: case H_CLASS: keepint(ir_opx(&r, c->op, I64, 0, ty, 0, a, 0, 0)); return;
	case H_BOX: aux = 0; v = F32; a = anyf(0); break;
	case H_UNBOX: aux = 0; a = anyf(1); break;
	case H_SEL: aux = 0; a = ir_opx(&r, O_set, I64, 0, R_LTS, 0, anyint(), anyint(), 0); break;
	}
	if (c->op == O_fneg || c->op == O_fabs || c->op >= O_frecpe)
		aux &= ~FP_RM;
	a = fpool[k][below(POOL)] = ir_opx(&r, c->op, ty, aux, v, imm, a, b, d);
	if (w->guest == &guest_fp && ty == F32 && below(2))    /* boxed at once, as the translator does */
		ir_put(&r, F64, NINT + (int)below(NVEC), ir_opx(&r, O_fbox, F64, 0, F32, 0, a, 0, 0));
}

/* A value from a variable that is boxed, or not known to be. */
static ref
unbox(const struct guest *g, int var)
{
	u8 *at = cpu_eval->state + g->reg[var].off;
	int aux = below(2) ? FP_BOXED : 0;

	if (aux)
		st64(at, ld64(at) | (u64)0xffffffff << 32);
	return ir_opx(&r, O_funbox, F32, aux, F64, 0, ir_get(&r, F64, var), 0, 0);
}

static int
block(const struct opcase *first, const struct way *w, int n, u64 seed)
{
	static const u8 rm[] = {RM_NE, RM_Z, RM_DN, RM_UP};
	int isfp = w->guest == &guest_fp;

	rng_state = seed;
	fill_state((u64 *)cpu_eval->state, CPU_STATE / 8, 1);
	for (int k = 0; k < NINT; k++)
		((u64 *)cpu_eval->state)[k] = corner_int(64);
	cpu_eval->fpmode = rm[below(4)] | w->mode;
	ntypes = w->vectors == 2 ? 6 : w->vectors ? 4 : 2;
	if (w->vectors == 2 && below(8) == 0)
		cpu_eval->fpmode |= below(2) ? FPM_FZ16 : FPM_AHP;
	region_init(&r, w->guest, PC, 0);
	r.fpnan = w->fpnan;
	r.fpflush = (w->mode & FPM_FZ) != 0;
	ir_block(&r, PC);
	ir_insn(&r, PC);
	u32 var = below(NVEC);         /* all different, or nearly: a home keeps track of few values */

	for (int k = 0; k < POOL; k++, var += 5) {
		for (int j = 1; j < ntypes; j++)
			fpool[j][k] = ir_get(&r, types[j], NINT + (int)((var + (u32)j * 6) % NVEC));
		if (isfp)
			fpool[0][k] = unbox(w->guest, NINT + (int)((var + 6) % NVEC));
		else
			fpool[0][k] = ir_get(&r, F32, NINT + (int)(var % NVEC));
		ipool[k] = ir_get(&r, I64, (int)below(NINT));
		if (below(4) == 0)
			fpool[1][k] = ir_op(&r, O_fneg, F64, fpool[1][k], 0, 0);
	}
	flags = below(2) ? ir_op(&r, O_flsub, I64, anyint(), anyint(), 0) : 0;
	for (int k = 0; k < n; k++)
		emit(k ? &cases[below(NELEM(cases))] : first, w);
	if (flags)
		keepint(ir_opx(&r, O_fcc, I64, 0, (int)below(14), 0, flags, 0, 0));
	for (int k = 0; k < POOL; k++) {
		for (int j = 0; j < ntypes; j++) {
			ref t = fpool[j][k];
			if (isfp && j == 0)
				t = ir_opx(&r, O_fbox, F64, 0, F32, 0, t, 0, 0);
			ir_put(&r, isfp ? F64 : types[j], NINT + (int)below(NVEC), t);
		}
		ir_put(&r, I64, (int)below(NINT), ipool[k]);
	}
	ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
	if (!differ(&r, w->guest, w->flags))
		return 0;
	fprintf(stderr, "op %s seed %#lx n %d mode %x\n", opinfo[first->op].name, seed, n, cpu_eval->fpmode);
	return 1;
}

static int
wanted(const struct opcase *c)
{
	const char *only = getenv("ONLY");

	return !only || !strcmp(only, opinfo[c->op].name);
}

static const struct way arm = {"arm", &guest_vec, FPNAN_ARM, 0, ALL & ~FPX_UNDERFLOW, 0, 1, 0, 0};
static const struct way arm_soft = {"arm-soft", &guest_vec, FPNAN_ARM, 0, ALL & ~FPX_UNDERFLOW, 0, 1, 1, 0};
static const struct way arm_half = {"arm-half", &guest_vec, FPNAN_ARM, 0, ALL & ~FPX_UNDERFLOW, 0, 2, 0, 0};
static const struct way arm_dn = {"arm-dn", &guest_vec, FPNAN_ARM_DN, FPM_DN, ALL & ~FPX_UNDERFLOW, 0, 1, 0, 0};
static const struct way arm_fz = {"arm-fz", &guest_vec, FPNAN_ARM, FPM_FZ, FPX_INVALID | FPX_DIVZERO | FPX_OVERFLOW, 0, 1, 0, 0};
static const struct way arm_seen = {"arm-seen", &guest_vec, FPNAN_ARM, 0, ALL, 0, 2, 1, 1};
static const struct way arm_fz_seen = {"arm-fz-seen", &guest_vec, FPNAN_ARM, FPM_FZ, FPX_ALL, 0, 2, 1, 1};
static const struct way riscv = {"riscv", &guest_fp, FPNAN_RISCV, 0, ALL, 1, 0, 0, 0};

static void
run(const char *hide, const struct way *w)
{
	u64 seed = getenv("SEED") ? strtoull(getenv("SEED"), 0, 0) : 0x5eed0002;
	int times = getenv("TIMES") ? atoi(getenv("TIMES")) : 100, bad = 0;

	if ((getenv("HIDE") && strcmp(getenv("HIDE"), hide)) || (getenv("WAY") && strcmp(getenv("WAY"), w->name)))
		return;
	level(hide, w->guest);
	while (w->soft && !enough) {           /* 0 / 0 until the host has had enough */
		rng_state = 1;
		region_init(&r, w->guest, PC, 0);
		r.fpnan = w->fpnan;
		ir_block(&r, PC);
		memset(cpu_eval->state, 0, CPU_STATE);
		ir_put(&r, VF32, NINT, ir_op(&r, O_fdiv, VF32, ir_get(&r, VF32, NINT), ir_get(&r, VF32, NINT + 1), 0));
		ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
		assert_int_equal(differ(&r, w->guest, 0), 0);
	}
	atomic_store(&fp_seen, w->seen);
	if (w->soft)
		host_x86_64.emptied();
	printf("%s, hide \"%s\", seed %#lx\n", w->name, hide, seed);
	for (size_t c = 0; c < NELEM(cases); c++)
		for (int k = 0; k < times && wanted(&cases[c]); k++) {
			if (!w->vectors && !(cases[c].types & SCALAR))
				continue;
			if (block(&cases[c], w, k < times / 2 || w->mode & FPM_FZ ? 1 : 1 + k % 8, (seed += 0x9e3779b97f4a7c15) | 1)) {
				bad++;
				break;
			}
		}
	assert_int_equal(bad, 0);
}

/* Quiet NaNs in a program's data: compared, converted, calculated with */
static void
nan_data(const char *hide)
{
	static const u64 data[] = {0x7ff8000000001234, 0x46293e5939a08cea /* 1e30 */, 0x7fc012347fc01234};
	int before = ntraps;

	level(hide, &guest_vec);
	for (size_t n = 0; n < NELEM(data); n++) {
		u64 *v = (u64 *)(cpu_eval->state + VECAT);

		memset(cpu_eval->state, 0, CPU_STATE);
		v[0] = v[1] = v[2] = v[3] = data[n];
		cpu_eval->fpmode = RM_NE;
		region_init(&r, &guest_vec, PC, 0);
		r.fpnan = FPNAN_ARM;
		ir_block(&r, PC);
		for (int k = 1; k < 4; k++) {
			ref a = ir_get(&r, types[k], NINT), b = ir_get(&r, types[k], NINT + 1);
			ir_put(&r, types[k], NINT + 8 + k, ir_op(&r, O_fadd, types[k], a, b, 0));
			ir_put(&r, types[k], NINT + 12 + k, ir_op(&r, O_fma, types[k], a, b, a));
			ir_put(&r, types[k], NINT + 16 + k, ir_opx(&r, O_fvset, types[k], FP_SIGNAL, R_GTS, 0, a, b, 0));
			if (k == 2)
				ir_put(&r, V32, NINT + 4, ir_opx(&r, O_fcvti, V32, RM_Z, VF32, 0, a, 0, 0));
			if (k != 1)
				continue;
			ir_put(&r, I64, 1, ir_opx(&r, O_fcvti, I64, RM_Z, F64, 0, a, 0, 0));
			ref fl = ir_opx(&r, O_fcmp, F64, FP_SIGNAL, 0, 0, a, b, 0);
			ir_put(&r, I64, 2, ir_opx(&r, O_fcc, I64, 0, CC_VS, 0, fl, 0, 0));
		}
		ir_op(&r, O_jmp, N, ir_k(&r, PC + 0x1000), 0, 0);
		assert_int_equal(differ(&r, &guest_vec, ALL), 0);
	}
	assert_int_equal(ntraps, before);
}

static void test_nan_data_does_not_trap_with_avx512(void **s) { (void)s; nan_data(""); }
static void test_nan_data_does_not_trap_with_avx2(void **s) { (void)s; nan_data("avx512"); }
static void test_flushing_with_avx512(void **s) { (void)s; run("", &arm_fz); }
static void test_flushing_with_avx2(void **s) { (void)s; run("avx512", &arm_fz); }
static void test_arm_with_avx512(void **s) { (void)s; run("", &arm); }
static void test_arm_with_avx2(void **s) { (void)s; run("avx512", &arm); }
static void test_half_with_avx512(void **s) { (void)s; run("", &arm_half); }
static void test_half_with_avx2(void **s) { (void)s; run("avx512", &arm_half); }
static void test_half_with_sse(void **s) { (void)s; run("avx", &arm_half); }
static void test_arm_with_sse(void **s) { (void)s; run("avx", &arm); }
static void test_after_many_traps_with_avx512(void **s) { (void)s; run("", &arm_soft); }
static void test_after_many_traps_with_avx2(void **s) { (void)s; run("avx512", &arm_soft); }
static void test_all_flags_with_avx512(void **s) { (void)s; run("", &arm_seen); }
static void test_all_flags_with_avx2(void **s) { (void)s; run("avx512", &arm_seen); }
static void test_all_flags_with_sse(void **s) { (void)s; run("avx", &arm_seen); }
static void test_all_flags_when_flushing(void **s) { (void)s; run("", &arm_fz_seen); }
static void test_default_nan_with_avx512(void **s) { (void)s; run("", &arm_dn); }
static void test_default_nan_with_avx2(void **s) { (void)s; run("avx512", &arm_dn); }
static void test_default_nan_with_sse(void **s) { (void)s; run("avx", &arm_dn); }
static void test_riscv_with_avx512(void **s) { (void)s; run("", &riscv); }
static void test_riscv_with_avx2(void **s) { (void)s; run("avx512", &riscv); }
static void test_riscv_with_sse(void **s) { (void)s; run("avx", &riscv); }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nan_data_does_not_trap_with_avx512),
		cmocka_unit_test(test_nan_data_does_not_trap_with_avx2),
		cmocka_unit_test(test_flushing_with_avx512), cmocka_unit_test(test_flushing_with_avx2),
		cmocka_unit_test(test_arm_with_avx512), cmocka_unit_test(test_arm_with_avx2), cmocka_unit_test(test_arm_with_sse),
		cmocka_unit_test(test_half_with_avx512), cmocka_unit_test(test_half_with_avx2), cmocka_unit_test(test_half_with_sse),
		cmocka_unit_test(test_default_nan_with_avx512), cmocka_unit_test(test_default_nan_with_avx2),
		cmocka_unit_test(test_default_nan_with_sse), cmocka_unit_test(test_riscv_with_avx512),
		cmocka_unit_test(test_riscv_with_avx2), cmocka_unit_test(test_riscv_with_sse),
		cmocka_unit_test(test_after_many_traps_with_avx512), cmocka_unit_test(test_after_many_traps_with_avx2), /* late */
		cmocka_unit_test(test_all_flags_with_avx512), cmocka_unit_test(test_all_flags_with_avx2),
		cmocka_unit_test(test_all_flags_with_sse), cmocka_unit_test(test_all_flags_when_flushing),
	};

	setup();
	return cmocka_run_group_tests(tests, 0, 0);
}
