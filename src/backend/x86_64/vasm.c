/* SPDX-License-Identifier: MIT */
/* vasm.c - encoders of the vector and floating-point instructions: legacy, VEX and EVEX */
#include <assert.h>
#include "backend/x86_64/vasm.h"
#include "backend/x86_64/x86.h"

static u32 op_pp(u32 op) { return op >> 10 & 3; }
static u32 op_map(u32 op) { return op >> 8 & 3; }
static int op_shift(u32 op) { return 4 - (int)(op >> 16 & 7); }

/* -- prefixes.  x and b: bit 3 of index and base (bit 4 of a register rm in x under EVEX) -- */

static void
pre_legacy(struct code *a, u32 op, int reg, u32 xb)
{
	static const u8 prefix[] = {0, 0x66, 0xf3, 0xf2};
	u32 rex = (op & OPW ? 8u : 0u) | (u32)(reg >> 1 & 4) | xb;

	if (op_pp(op))
		put1(a, prefix[op_pp(op)]);
	if (rex)
		put1(a, 0x40 | rex);
	put1(a, 0x0f);
	if (op_map(op) != M0F)
		put1(a, op_map(op) == M38 ? 0x38 : 0x3a);
}

static void
pre_vex(struct code *a, u32 op, int reg, int v, u32 xb)
{
	u32 r = reg & 8 ? 0 : 0x80, w = op & OPW ? 0x80 : 0;
	u32 low = (u32)(~v & 15) << 3 | op_pp(op);

	if (!xb && !w && op_map(op) == M0F) {
		put1(a, 0xc5);
		put1(a, r | low);
		return;
	}
	put1(a, 0xc4);
	put1(a, r | (xb ^ 3) << 5 | op_map(op));
	put1(a, w | low);
}

/* rc: embedded rounding, -1 without; k, zero: masking */
static void
pre_evex(struct code *a, u32 op, int reg, int v, u32 xb, int k, int zero, int rc)
{
	u32 w = op & (OPW | OPEW) ? 0x80 : 0;

	assert(!(op & OPV));
	put1(a, 0x62);
	put1(a, (reg & 8 ? 0 : 0x80u) | (xb ^ 3) << 5 | (reg & 16 ? 0 : 0x10u) | op_map(op));
	put1(a, w | (u32)(~v & 15) << 3 | 4 | op_pp(op));
	put1(a, (zero ? 0x80u : 0) | (rc >= 0 ? (u32)rc << 5 | 0x10 : 0) | (v & 16 ? 0 : 8u) | (u32)k);
}

static int
needs_evex(u32 op, int reg, int v)
{
	return op & OPE || ((reg | v) & 16) != 0;
}

static void
rr(struct code *a, u32 op, int reg, int v, int rm, int k, int zero, int rc)
{
	u32 xb = (u32)(rm >> 3);       /* bit 4 of rm goes where the index's extension would */

	if (k || rc >= 0 || needs_evex(op, reg, v | (rm & 16)))
		pre_evex(a, op, reg, v, xb, k, zero, rc);
	else if (x86feat.avx)
		pre_vex(a, op, reg, v, xb);
	else
		pre_legacy(a, op, reg, xb);
	put1(a, op);
	modrm_r(a, reg, rm);
}

static void
rm(struct code *a, u32 op, int reg, int v, struct mem m, int nimm, int k, int zero)
{
	u32 xb = rex_m(0, m);
	int shift = 0;

	if (m.a32)
		put1(a, 0x67);
	if (k || needs_evex(op, reg, v)) {
		pre_evex(a, op, reg, v, xb, k, zero, -1);
		shift = op_shift(op);
	} else if (x86feat.avx) {
		pre_vex(a, op, reg, v, xb);
	} else {
		pre_legacy(a, op, reg, xb);
	}
	put1(a, op);
	modrm_m(a, reg, m, nimm, shift);
}

void
v_rr(struct code *a, u32 op, int reg, int v, int r)
{
	rr(a, op, reg, v, r, 0, 0, -1);
}

void
v_rm(struct code *a, u32 op, int reg, int v, struct mem m, int nimm)
{
	rm(a, op, reg, v, m, nimm, 0, 0);
}

void
vk_rr(struct code *a, u32 op, int reg, int v, int r, int k, int zero)
{
	rr(a, op, reg, v, r, k, zero, -1);
}

void
vk_rm(struct code *a, u32 op, int reg, int v, struct mem m, int nimm, int k, int zero)
{
	rm(a, op, reg, v, m, nimm, k, zero);
}

void
ver_rr(struct code *a, u32 op, int reg, int v, int r, int rc)
{
	rr(a, op, reg, v, r, 0, 0, rc);
}

static void
pre_long(struct code *a, u32 op, int log, int reg, u32 xb, int k, int zero)
{
	pre_evex(a, op, reg, 0, xb, k, zero, -1);
	a->p[-1] |= (u8)((log - 4) << 5);
	put1(a, op);
}

void
vl_rr(struct code *a, u32 op, int log, int reg, int r)
{
	pre_long(a, op, log, reg, (u32)(r >> 3), 0, 0);
	modrm_r(a, reg, r);
}

void
vl_rm(struct code *a, u32 op, int log, int reg, struct mem m)
{
	vlk_rm(a, op, log, reg, m, 0, 0);
}

void
vlk_rm(struct code *a, u32 op, int log, int reg, struct mem m, int k, int zero)
{
	pre_long(a, op, log, reg, rex_m(0, m), k, zero);
	modrm_m(a, reg, m, 0, log);
}

/* -- three operands in any form -- */

/* A place in memory for a source that the legacy form would overwrite too early. */
static struct mem
stash(void)
{
	return m_cpu(offsetof(struct cpu, vspill) + 64 * (size_t)NVSLOT);
}

void
vmov(struct code *a, int d, int s)
{
	if (d != s)
		v_rr(a, V_MOVAPS, d, 0, s);
}

static void
legacy3(struct code *a, u32 op, int d, int s, int b)
{
	if (d == b && d != s) {
		if (op & OPC) {
			v_rr(a, op, d, 0, s);
			return;
		}
		v_rm(a, V_MOVAPS_ST, b, 0, stash(), 0);
		vmov(a, d, s);
		v_rm(a, op, d, 0, stash(), 0);
		return;
	}
	vmov(a, d, s);
	v_rr(a, op, d, 0, b);
}

void
v3(struct code *a, u32 op, int d, int s, int b)
{
	if (x86feat.avx)
		v_rr(a, op, d, s, b);
	else
		legacy3(a, op, d, s, b);
}

void
v3i(struct code *a, u32 op, int d, int s, int b, int imm)
{
	v3(a, op, d, s, b);
	put1(a, (u32)imm);
}

void
v3g(struct code *a, u32 op, int d, int s, int gpr)
{
	if (!x86feat.avx)
		vmov(a, d, s);
	v_rr(a, op, d, s, gpr);
}

void
v3m(struct code *a, u32 op, int d, int s, struct mem b)
{
	if (!x86feat.avx)
		vmov(a, d, s);
	v_rm(a, op, d, s, b, 0);
}

void
v3mi(struct code *a, u32 op, int d, int s, struct mem b, int imm)
{
	if (!x86feat.avx)
		vmov(a, d, s);
	v_rm(a, op, d, s, b, 1);
	put1(a, (u32)imm);
}

void
v2(struct code *a, u32 op, int d, int s)
{
	v_rr(a, op, d, 0, s);
}

void
v2i(struct code *a, u32 op, int d, int s, int imm)
{
	v_rr(a, op, d, 0, s);
	put1(a, (u32)imm);
}

void
v2m(struct code *a, u32 op, int d, struct mem m)
{
	v_rm(a, op, d, 0, m, 0);
}

/* -- shifts by immediate: opcode 71, 72, 73 by lane size, kind in the reg field -- */

void
vshi(struct code *a, enum vsh how, int bits, int d, int s, int n)
{
	static const u8 digit[] = {[VSH_ROL] = 1, [VSH_R] = 2, [VSH_RA] = 4, [VSH_L] = 6};
	u32 op = XO(P66, M0F, 0x71) + (bits == 32 ? 1 : bits == 64 ? 2 : 0);

	if (how == VSH_ROL)
		op = XO(P66, M0F, 0x72) | OPE | (bits == 64 ? OPEW : 0);
	else if (bits == 64)
		op = how == VSH_RA ? (u32)(XO(P66, M0F, 0x72) | OPE | OPEW) : op | OPEW;
	if (!x86feat.avx)
		vmov(a, d, s);
	v_rr(a, op, digit[how], x86feat.avx ? d : 0, x86feat.avx ? s : d);
	put1(a, (u32)n);
}

void
vshdq(struct code *a, int left, int d, int s, int bytes)
{
	u32 op = XO(P66, M0F, 0x73);

	if (!x86feat.avx)
		vmov(a, d, s);
	v_rr(a, op, left ? 7 : 3, x86feat.avx ? d : 0, x86feat.avx ? s : d);
	put1(a, (u32)bytes);
}

/* -- mask registers (always VEX) -- */

void
k_ortest(struct code *a, int k, int l)
{
	put1(a, 0xc5);                 /* VEX.L0.0F.W0 98 /r */
	put1(a, 0xf8);
	put1(a, 0x98);
	modrm_r(a, k, l);
}

void
k_mov_r(struct code *a, int d, int k)
{
	put1(a, 0xc5);                 /* VEX.L0.0F.W0 93 /r */
	put1(a, (d & 8 ? 0u : 0x80u) | 0x78);
	put1(a, 0x93);
	modrm_r(a, d, k);
}
