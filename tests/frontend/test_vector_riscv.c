/* SPDX-License-Identifier: MIT */
/* test_vector_riscv.c - the vector unit the general way: what is reserved, configuration, vstart, faults
 *
 * Which forms are reserved is what the manual says where QEMU 11 agrees, and the other way round; random words and
 * states by the million were compared with it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "base/gmem.h"
#include "base/host.h"
#include "frontend/riscv/vector.h"

enum { DATA = 0x500000, PAGE = 4096 };         /* one page, and none after it */

static struct cpu cpu;
static struct riscv_state *const s = (struct riscv_state *)cpu.state;
static sigjmp_buf out;
static gaddr address;

static void
onsignal(int sig, siginfo_t *si, void *uc)
{
	u64 to = sig == SIGSEGV ? gmem_fixup(host_pick(0)->context_pc(uc)) : 0;

	address = (gaddr)(uintptr_t)si->si_addr;
	if (!to)
		siglongjmp(out, sig);
	host_pick(0)->context_setpc(uc, to);
}

static int
setup(void **unused)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

	(void)unused;
	gmem.lo = DATA;
	gmem.hi = DATA + 2 * PAGE;
	return mmap((void *)DATA, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) != (void *)DATA;
}

/* Does the instruction; the signal it raised, or 0. */
static int
does(const struct rvv_insn *a)
{
	struct sigaction sa = {.sa_sigaction = onsignal, .sa_flags = SA_SIGINFO | SA_NODEFER};
	int sig = sigsetjmp(out, 0);

	sigaction(SIGILL, &sa, 0);             /* cmocka has its own */
	sigaction(SIGSEGV, &sa, 0);
	if (sig == 0)
		rv_dovector(&cpu, rvv_encode(a), 0, 0);
	cpu.trapping = 0;
	return sig;
}

static struct rvv_insn
insn(int id, int vd, int vs2, int vs1, int vm)
{
	struct rvv_insn a = rvv_tmpl[id];

	a.vd = a.rd = (u8)vd;
	a.vs2 = a.rs2 = (u8)vs2;
	a.vs1 = a.rs1 = (u8)vs1;
	a.vm = (u8)vm;
	return a;
}

static void
start(u64 vl, u64 vtype)
{
	guest_riscv64.reset(&cpu);
	cpu.guest = &guest_riscv64;
	s->vcfg = vcfg_make(vl, vtype);
}

enum { E8 = 0, E16 = 8, E32 = 16, E64 = 24, M1 = 0, M2, M4, M8, MF8 = 5, MF4, MF2, ILL = 0x100 };

static void
test_reserved_forms_trap(void **unused)
{
	static const struct { int id, vd, vs2, vs1, vm, vtype, allowed; } form[] = {
		/* groups begin at multiples of their size */
		{rvv_vadd_vv, 2, 4, 6, 1, E8 | M2, 1}, {rvv_vadd_vv, 3, 4, 6, 1, E8 | M2, 0},
		{rvv_vadd_vv, 2, 5, 6, 1, E8 | M2, 0}, {rvv_vadd_vv, 2, 4, 7, 1, E8 | M2, 0},
		{rvv_vadd_vv, 3, 5, 7, 1, E8 | MF2, 1}, {rvv_vadd_vv, 1, 2, 3, 1, ILL, 0},
		/* what masks is not written, nor another source */
		{rvv_vadd_vv, 0, 4, 6, 0, E8 | M1, 0}, {rvv_vadd_vv, 0, 4, 6, 1, E8 | M1, 1},
		{rvv_vadd_vv, 2, 0, 6, 0, E8 | M1, 0}, {rvv_vmseq_vv, 0, 4, 6, 0, E8 | M1, 1},
		{rvv_vadc_vvm, 0, 4, 6, 0, E8 | M1, 0}, {rvv_vadc_vvm, 2, 0, 6, 0, E8 | M1, 1},
		/* widening: the highest part of the result may be a source; there are no elements of 128 bits */
		{rvv_vwadd_vv, 2, 4, 5, 1, E8 | M1, 1}, {rvv_vwadd_vv, 2, 3, 5, 1, E8 | M1, 1},
		{rvv_vwadd_vv, 2, 2, 5, 1, E8 | M1, 0}, {rvv_vwadd_vv, 2, 3, 5, 1, E8 | MF2, 1},
		{rvv_vwadd_vv, 2, 2, 5, 1, E8 | MF2, 0}, {rvv_vwadd_vv, 3, 4, 5, 1, E8 | M1, 0},
		{rvv_vwadd_vv, 2, 4, 5, 1, E64 | M1, 0}, {rvv_vwadd_vv, 8, 16, 24, 1, E8 | M8, 0},
		{rvv_vwadd_wv, 2, 2, 5, 1, E8 | M1, 1}, {rvv_vwadd_wv, 2, 4, 5, 1, E8 | M1, 0},
		{rvv_vwmacc_vv, 2, 4, 5, 1, E8 | M1, 1}, {rvv_vwmacc_vv, 2, 3, 5, 1, E8 | M1, 0},
		/* narrowing: the lowest part of the source */
		{rvv_vnsrl_wv, 2, 2, 5, 1, E8 | M1, 1}, {rvv_vnsrl_wv, 3, 2, 5, 1, E8 | M1, 0},
		{rvv_vmseq_vv, 2, 2, 4, 1, E8 | M2, 1}, {rvv_vmseq_vv, 3, 2, 4, 1, E8 | M2, 0},
		{rvv_vzext_vf4, 4, 3, 0, 1, E32 | M1, 1}, {rvv_vzext_vf4, 4, 3, 0, 1, E16 | M1, 0},
		{rvv_vzext_vf8, 8, 15, 0, 1, E64 | M8, 1}, {rvv_vzext_vf8, 8, 8, 0, 1, E64 | M8, 0},
		/* permutations that may not be done in place */
		{rvv_vslideup_vx, 2, 2, 5, 1, E8 | M1, 0}, {rvv_vslidedown_vx, 2, 2, 5, 1, E8 | M1, 1},
		{rvv_vslide1up_vx, 2, 2, 5, 1, E8 | M1, 0}, {rvv_vrgather_vv, 2, 3, 2, 1, E8 | M1, 0},
		{rvv_vrgatherei16, 2, 3, 4, 1, E8 | M1, 1}, {rvv_vrgatherei16, 2, 3, 5, 1, E8 | M1, 0},
		{rvv_vrgatherei16, 8, 16, 24, 1, E8 | M8, 0}, {rvv_vrgatherei16, 2, 4, 4, 1, E8 | M1, 0},
		{rvv_vcompress, 2, 3, 2, 1, E8 | M1, 0}, {rvv_vcompress, 2, 2, 3, 1, E8 | M1, 0},
		{rvv_viota, 2, 3, 0, 1, E8 | M2, 0}, {rvv_viota, 2, 4, 0, 1, E8 | M2, 1},
		{rvv_vmsbf, 2, 2, 0, 1, E8 | M1, 0}, {rvv_vmsbf, 0, 2, 0, 0, E8 | M1, 0},
		{rvv_vmv2r, 2, 4, 0, 1, E8 | M1, 1}, {rvv_vmv2r, 3, 4, 0, 1, E8 | M1, 0}, {rvv_vmv2r, 2, 4, 0, 1, ILL, 0},
		/* loads: EMUL follows from the width; fields are at most eight registers, the last v31 */
		{rvv_vle16, 2, 0, 9, 1, E8 | M1, 1}, {rvv_vle16, 3, 0, 9, 1, E8 | M1, 0},
		{rvv_vle64, 8, 0, 9, 1, E8 | M2, 0}, {rvv_vle8, 8, 0, 9, 1, E64 | MF2, 0},
		{rvv_vle8, 0, 0, 9, 0, E8 | M1, 0}, {rvv_vse8, 0, 0, 9, 0, E8 | M1, 1},
		{rvv_vle8, 8, 0, 9, 1, ILL, 0}, {rvv_vl2re8, 2, 0, 9, 1, ILL, 1}, {rvv_vl2re8, 3, 0, 9, 1, E8 | M1, 0},
		{rvv_vluxei16, 4, 8, 9, 1, E8 | M1, 1}, {rvv_vluxei16, 4, 4, 9, 1, E8 | M1, 1},
		{rvv_vluxei16, 5, 4, 9, 1, E8 | M1, 0}, {rvv_vluxei8, 4, 5, 9, 1, E16 | M2, 1},
		{rvv_vluxei8, 4, 4, 9, 1, E16 | M2, 0}, {rvv_vsuxei8, 4, 5, 9, 1, E16 | M2, 0},
		{rvv_vluxei64, 8, 16, 9, 1, E8 | M2, 0}, {rvv_vsuxei8, 0, 5, 9, 0, E8 | M1, 0},
	};

	(void)unused;
	for (size_t i = 0; i < NELEM(form); i++) {
		struct rvv_insn a = insn(form[i].id, form[i].vd, form[i].vs2, form[i].vs1, form[i].vm);

		start(2, (u64)form[i].vtype);
		s->x[9] = DATA + 64;
		int sig = does(&a);
		if (sig != (form[i].allowed ? 0 : SIGILL))
			fail_msg("form %d, %s: signal %d", (int)i, rvv_name[form[i].id], sig);
	}
}

static void
test_fields_of_segments_end_with_the_last_register(void **unused)
{
	static const struct { int vd, nf, vtype, allowed; } form[] = {
		{24, 8, E8 | M1, 1}, {25, 8, E8 | M1, 0}, {28, 2, E8 | M2, 1}, {30, 2, E8 | M2, 0}, {0, 5, E8 | M2, 0},
		{8, 4, E8 | M2, 1}, {16, 2, E8 | M8, 0},
	};

	(void)unused;
	for (size_t i = 0; i < NELEM(form); i++) {
		struct rvv_insn a = insn(rvv_vlsege8, form[i].vd, 0, 9, 1);

		a.nf = (__typeof__(a.nf))form[i].nf;
		start(2, (u64)form[i].vtype);
		s->x[9] = DATA + 64;
		assert_int_equal(does(&a), form[i].allowed ? 0 : SIGILL);
	}
}

/* -- configuration -- */

static u64
set(int rd, int rs1, u64 avl, u64 vtype)
{
	struct rvv_insn a = rvv_tmpl[rvv_vsetvl];

	a.rd = (u8)rd;
	a.rs1 = (u8)rs1;
	a.rs2 = 11;
	if (rs1)
		s->x[rs1] = avl;
	s->x[11] = vtype;
	assert_int_equal(does(&a), 0);
	return rd ? s->x[rd] : vcfg_vl(s->vcfg);
}

static void
test_vsetvl_takes_the_length_asked_for_up_to_vlmax(void **unused)
{
	(void)unused;
	start(0, ILL);
	assert_int_equal(set(10, 12, 3, E32 | M1), 3);
	assert_int_equal(set(10, 12, 5, E32 | M1), 4);
	assert_int_equal(set(10, 12, ~(u64)0, E8 | M8), 128);
	assert_int_equal(set(10, 12, 9, E8 | MF8), 2);
	assert_int_equal(set(10, 0, 0, E16 | M2), 16);         /* the most */
	assert_int_equal(set(0, 12, 7, E16 | M2), 7);
	assert_int_equal(set(0, 0, 0, E32 | M4), 7);           /* as it was */
	assert_int_equal(set(11, 12, 6, E8 | M1), 6);          /* rd is rs2 */
}

static void
test_an_unsupported_vtype_is_remembered_as_vill(void **unused)
{
	static const u64 bad[] = {4, E64 + 8, E64 | MF2, E32 | MF4, E16 | MF8, 0x100, (u64)1 << 63};

	(void)unused;
	for (size_t i = 0; i < NELEM(bad); i++) {
		start(4, E8 | M1);
		s->vcfg |= (u64)3 << VCFG_START;
		assert_int_equal(set(10, 12, 3, bad[i]), 0);
		assert_int_equal(s->vcfg, (u64)1 << VCFG_ILL);
	}
}

/* -- vstart -- */

static void
test_elements_before_vstart_are_kept_and_it_is_cleared(void **unused)
{
	struct rvv_insn a = insn(rvv_vadd_vv, 2, 3, 3, 1);

	(void)unused;
	start(16, E8 | M1);
	memset(s->v[3], 1, 16);
	s->vcfg |= (u64)15 << VCFG_START;
	assert_int_equal(does(&a), 0);
	assert_int_equal(s->v[2][14], 0);
	assert_int_equal(s->v[2][15], 2);
	assert_int_equal(vcfg_start(s->vcfg), 0);
}

static void
test_what_looks_at_a_whole_mask_refuses_vstart(void **unused)
{
	static const int id[] = {rvv_vcpop, rvv_vfirst, rvv_vmsbf, rvv_vmsif, rvv_vmsof, rvv_viota, rvv_vcompress,
		rvv_vredsum_vs};

	(void)unused;
	for (size_t i = 0; i < NELEM(id); i++) {
		struct rvv_insn a = insn(id[i], 2, 3, rvv_pat[id[i]].bits >> 15 & 31, 1);

		start(16, E8 | M1);
		s->vcfg |= (u64)1 << VCFG_START;
		assert_int_equal(does(&a), SIGILL);
		s->vcfg &= ~((u64)0xff << VCFG_START);
		assert_int_equal(does(&a), 0);
	}
}

/* -- faults: vstart is the element, and going on from there does the rest -- */

static void
test_a_fault_tells_its_element(void **unused)
{
	static const struct { int id, vtype, stride, element; } access[] = {
		{rvv_vle8, E8 | M1, 0, 6}, {rvv_vle16, E16 | M1, 0, 3}, {rvv_vse16, E16 | M1, 0, 3},
		{rvv_vse32, E32 | M4, 0, 1}, {rvv_vlse8, E8 | M1, 3, 2}, {rvv_vsse8, E8 | M1, -1, -1},
		{rvv_vl1re8, E8 | M1, 0, 6}, {rvv_vs4r, ILL, 0, 6}, {rvv_vlm, E8 | M8, 0, 6},
		{rvv_vloxei8, E8 | M1, 0, 6}, {rvv_vsuxei16, E8 | M1, 0, 6}, {rvv_vle8ff, E8 | M1, 0, -1},
	};

	(void)unused;
	for (size_t i = 0; i < NELEM(access); i++) {
		int indexed = access[i].id == rvv_vloxei8 || access[i].id == rvv_vsuxei16;
		struct rvv_insn a = insn(access[i].id, 8, indexed ? 4 : access[i].stride ? 10 : 0, 9, 1);

		start(128, (u64)access[i].vtype);
		s->x[9] = DATA + PAGE - 6;
		s->x[10] = (u64)access[i].stride;
		for (int k = 0; k < 16; k++)           /* indices */
			s->v[access[i].id == rvv_vloxei8 ? 4 : 4 + k / 8][access[i].id == rvv_vloxei8 ? k : k % 8 * 2] = (u8)k;
		if (access[i].element < 0) {
			assert_int_equal(does(&a), 0);
			assert_int_equal(vcfg_start(s->vcfg), 0);
			continue;
		}
		if (does(&a) != SIGSEGV || vcfg_start(s->vcfg) != (u32)access[i].element || address < DATA + PAGE)
			fail_msg("%s: vstart %u, address %llx", rvv_name[a.id], vcfg_start(s->vcfg), (unsigned long long)address);
	}
}

static void
test_only_the_first_element_of_a_fault_only_first_load_faults(void **unused)
{
	struct rvv_insn a = insn(rvv_vle32ff, 8, 0, 9, 1);

	(void)unused;
	memset((void *)DATA, 7, PAGE);
	start(4, E32 | M1);
	s->x[9] = DATA + PAGE - 10;
	assert_int_equal(does(&a), 0);
	assert_int_equal(vcfg_vl(s->vcfg), 2);
	assert_int_equal(ld64(s->v[8]), 0x0707070707070707);
	assert_int_equal(ld64(s->v[8] + 8), 0);
	s->x[9] = DATA + PAGE;
	assert_int_equal(does(&a), SIGSEGV);
	assert_int_equal(vcfg_vl(s->vcfg), 2);
}

static void
test_an_element_left_out_is_not_accessed(void **unused)
{
	struct rvv_insn a = insn(rvv_vle8, 8, 0, 9, 0);

	(void)unused;
	start(16, E8 | M1);
	s->v[0][0] = 0x3f;
	s->x[9] = DATA + PAGE - 6;
	assert_int_equal(does(&a), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserved_forms_trap),
		cmocka_unit_test(test_fields_of_segments_end_with_the_last_register),
		cmocka_unit_test(test_vsetvl_takes_the_length_asked_for_up_to_vlmax),
		cmocka_unit_test(test_an_unsupported_vtype_is_remembered_as_vill),
		cmocka_unit_test(test_elements_before_vstart_are_kept_and_it_is_cleared),
		cmocka_unit_test(test_what_looks_at_a_whole_mask_refuses_vstart),
		cmocka_unit_test(test_a_fault_tells_its_element),
		cmocka_unit_test(test_only_the_first_element_of_a_fault_only_first_load_faults),
		cmocka_unit_test(test_an_element_left_out_is_not_accessed),
	};

	return cmocka_run_group_tests(tests, setup, 0);
}
