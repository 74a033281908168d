/* SPDX-License-Identifier: MIT */
/* vmove.c - moves of vector registers in their SSE, VEX and EVEX forms; constants in memory
 *
 * EVEX is used only where a register above xmm15 takes part (SDM 2.7.1: its encoding is longer). */
#include "backend/x86_64/x86.h"

enum { M0F = 1, M0F38, M0F3A };        /* opcode maps */

/* prefix 0, 66, F3, F2 as the pp field of VEX and EVEX */
static u32
pp_of(u32 prefix)
{
	return prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;
}

static void
evex(struct code *a, u32 map, u32 prefix, int w, int reg, int vvvv, u32 xb)
{
	put1(a, 0x62);
	put1(a, (reg & 8 ? 0u : 0x80u) | (xb & 2 ? 0u : 0x40u) | (xb & 1 ? 0u : 0x20u) |
	    (reg & 16 ? 0u : 0x10u) | map);
	put1(a, (w ? 0x80u : 0u) | (u32)(~vvvv & 15) << 3 | 4 | pp_of(prefix));
	put1(a, vvvv & 16 ? 0x00 : 0x08);
}

static void
vex(struct code *a, u32 map, u32 prefix, int w, int reg, int vvvv, u32 xb)
{
	put1(a, 0xc4);
	put1(a, (reg & 8 ? 0u : 0x80u) | (xb & 2 ? 0u : 0x40u) | (xb & 1 ? 0u : 0x20u) | map);
	put1(a, (w ? 0x80u : 0u) | (u32)(~vvvv & 15) << 3 | pp_of(prefix));
}

static void
sse(struct code *a, u32 map, u32 prefix, int w, int reg, u32 xb)
{
	u32 rex = (w ? 8u : 0u) | (u32)(reg >> 1 & 4) | xb;

	if (prefix)
		put1(a, prefix);
	if (rex)
		put1(a, 0x40 | rex);
	put1(a, 0x0f);
	if (map != M0F)
		put1(a, map == M0F38 ? 0x38 : 0x3a);
}

static void
vop_rr(struct x86 *x, u32 map, u32 prefix, u32 op, int w, int reg, int vvvv, int rm)
{
	u32 xb = (u32)(rm >> 3 & 3);   /* in EVEX, X is bit 4 of a register operand */

	if (isvhi(reg) || isvhi(rm) || isvhi(vvvv))
		evex(&x->a, map, prefix, w, reg, vvvv, xb);
	else if (x86feat.avx)
		vex(&x->a, map, prefix, w, reg, vvvv, xb);
	else
		sse(&x->a, map, prefix, w, reg, xb);
	put1(&x->a, op);
	modrm_r(&x->a, reg, rm);
}

static void
vop_rm(struct x86 *x, u32 map, u32 prefix, u32 op, int w, int reg, struct mem m, int nimm, int shift)
{
	u32 xb = rex_m(0, m);
	int hi = isvhi(reg);

	if (m.a32)
		put1(&x->a, 0x67);
	if (hi)
		evex(&x->a, map, prefix, w, reg, 0, xb);
	else if (x86feat.avx)
		vex(&x->a, map, prefix, w, reg, 0, xb);
	else
		sse(&x->a, map, prefix, w, reg, xb);
	put1(&x->a, op);
	modrm_m(&x->a, reg, m, nimm, hi ? shift : 0);
}

void
xv_mov(struct x86 *x, int d, int s)
{
	if (d != s)
		vop_rr(x, M0F, 0, 0x28, 0, d, 0, s);           /* movaps */
}

void
xv_zero(struct x86 *x, int d)
{
	if (isvhi(d))                                          /* vpxord */
		vop_rr(x, M0F, 0x66, 0xef, 0, d, d, d);
	else
		vop_rr(x, M0F, 0, 0x57, 0, d, d, d);           /* xorps */
}

void
xv_load(struct x86 *x, int bytes, int d, struct mem m)
{
	switch (bytes) {
	case 2:
		xv_zero(x, d);
		if (x86feat.avx || isvhi(d)) {                 /* vpinsrw d, d, m, 0 */
			u32 xb = rex_m(0, m);

			if (m.a32)
				put1(&x->a, 0x67);
			if (isvhi(d))
				evex(&x->a, M0F, 0x66, 0, d, d, xb);
			else
				vex(&x->a, M0F, 0x66, 0, d, d, xb);
			put1(&x->a, 0xc4);
			modrm_m(&x->a, d, m, 1, isvhi(d) ? 1 : 0);
		} else {
			vop_rm(x, M0F, 0x66, 0xc4, 0, d, m, 1, 1);
		}
		put1(&x->a, 0);
		break;
	case 4:
		vop_rm(x, M0F, 0xf3, 0x10, 0, d, m, 0, 2);     /* movss */
		break;
	case 8:
		vop_rm(x, M0F, 0xf3, 0x7e, isvhi(d), d, m, 0, 3);      /* movq */
		break;
	default:
		vop_rm(x, M0F, 0, 0x10, 0, d, m, 0, 4);        /* movups */
	}
}

void
xv_store(struct x86 *x, int bytes, int s, struct mem m)
{
	switch (bytes) {
	case 2:
		vop_rm(x, M0F3A, 0x66, 0x15, 0, s, m, 1, 1);   /* pextrw */
		put1(&x->a, 0);
		break;
	case 4:
		vop_rm(x, M0F, 0xf3, 0x11, 0, s, m, 0, 2);
		break;
	case 8:
		vop_rm(x, M0F, 0x66, 0xd6, isvhi(s), s, m, 0, 3);
		break;
	default:
		vop_rm(x, M0F, 0, 0x11, 0, s, m, 0, 4);
	}
}

void
xv_clear(struct x86 *x, int bits, int d, int s)
{
	if (bits == 64) {                                      /* movq d, s */
		vop_rr(x, M0F, 0xf3, 0x7e, isvhi(d) || isvhi(s), d, 0, s);
	} else if (bits == 32) {                               /* insertps d, s, zero mask 1110 */
		vop_rr(x, M0F3A, 0x66, 0x21, 0, d, s, s);
		put1(&x->a, 0x0e);
	} else {                                               /* byte shifts left, then right */
		int r = d;
		u32 n;

		for (n = 0; n < 2; n++) {
			int from = n ? d : s, sub = n ? 3 : 7;

			if (isvhi(r) || isvhi(from)) {
				evex(&x->a, M0F, 0x66, 0, sub, r, (u32)(from >> 3 & 3));
			} else if (x86feat.avx) {
				vex(&x->a, M0F, 0x66, 0, sub, r, (u32)(from >> 3));
			} else {
				xv_mov(x, d, from);
				from = d;
				sse(&x->a, M0F, 0x66, 0, sub, (u32)(from >> 3));
			}
			put1(&x->a, 0x73);
			modrm_r(&x->a, sub, from);
			put1(&x->a, (u32)(16 - bits / 8));
		}
	}
}

/* -- constants: a table in the common part of the code area, filled as they come -- */
enum { NCONST = 1024 };
static struct { u64 lo, hi; } *consts;
static int nconst;
static u16 consthash[NCONST * 2];

void
xv_const_init(u8 *at)
{
	consts = (void *)at;
	if (nconst)
		memset(consthash, 0, sizeof consthash);
	nconst = 0;
}

u32
xv_const_size(void)
{
	return NCONST * 16;
}

/* The table is full: into the code, behind a jump. */
static struct mem
const_here(u64 lo, u64 hi)
{
	struct code *a = &x86.a;
	u8 *over = jmp_8(a), *at = (u8 *)alignup((uintptr_t)a->p, 16);

	st64(at, lo);
	st64(at + 8, hi);
	a->p = at + 16;
	rel8_here(a, over);
	return mem_at(RIP, (s32)(at - x86_area));
}

struct mem
xv_const(u64 lo, u64 hi)
{
	u32 h = (u32)((lo * 0x9e3779b97f4a7c15 ^ hi * 0xc2b2ae3d27d4eb4f) >> 53) % NELEM(consthash);

	while (consthash[h] && (consts[consthash[h] - 1].lo != lo || consts[consthash[h] - 1].hi != hi))
		h = (h + 1) % NELEM(consthash);
	if (!consthash[h]) {
		if (nconst == NCONST)
			return const_here(lo, hi);
		consts[nconst].lo = lo;
		consts[nconst].hi = hi;
		atomic_signal_fence(memory_order_release);     /* for the parent of a vfork child that is killed here */
		consthash[h] = (u16)++nconst;
	}
	return mem_at(RIP, (s32)((u8 *)&consts[consthash[h] - 1] - x86_area));
}
