/* SPDX-License-Identifier: MIT */
/* vector.c - the vector unit's configuration, and how one of its instructions is done the general way */
#include "frontend/riscv/vector.h"

static vec_fn *const function[rvv_COUNT] = {
#define F(name, function) [rvv_##name] = rvv_##function,
	rvv_TRANSLATORS(F)
#undef F
};

u64
vcfg_make(u64 avl, u64 vtype)
{
	u64 c = (vtype & 0xff) << VCFG_TYPE;
	u32 max = vcfg_vlmax(c);

	/* vlmul 4 is reserved, SEW is at most 64 and LMUL at least SEW/ELEN (section 3.4) */
	if (vtype >> 8 || vcfg_lmul(c) == -4 || vcfg_sew(c) > 64 || vcfg_sew(c) > 64 >> (vcfg_lmul(c) < 0 ? -vcfg_lmul(c) : 0))
		return (u64)1 << VCFG_ILL;
	return c | (avl < max ? avl : max);
}

int
rvv_config(struct vec *v, const struct rvv_insn *a)
{
	u64 avl = a->imm || a->rs1 ? 0 : ~(u64)0;

	(void)v;
	(void)avl;
	return 1;
}

int
rvv_arith(struct vec *v, const struct rvv_insn *a)
{
	(void)v, (void)a;
	return 1;
}

u64
rv_dovector(struct cpu *cpu, u64 word, u64 b, u64 c)
{
	struct vec v = {.cpu = cpu, .s = riscv_state(cpu)};
	struct rvv_insn a;

	(void)b, (void)c;
	rvv_decode((u32)word, &a);
	return (u64)function[a.id](&v, &a);
}
