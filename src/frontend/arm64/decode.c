/* SPDX-License-Identifier: MIT */
/* decode.c - what the decoder that isagen makes from base.isa (simple.c) asks, and scans with it */
#include "frontend/arm64/arm64.h"

/* DDI 0487, DecodeBitMasks: the highest set bit of n:~imms gives the element size; an element is
 * s + 1 ones rotated right by r, repeated. */
u64
a64_bitmask(int sf, int n, int immr, int imms)
{
	int code = n << 6 | (~imms & 0x3f), len, size, s, r;
	u64 v;

	if (code < 2 || (n && !sf))
		return 0;
	len = 31 - __builtin_clz((unsigned)code);
	size = 1 << len;
	s = imms & (size - 1);
	r = immr & (size - 1);
	if (s == size - 1)
		return 0;
	v = ~(u64)0 >> (63 - s);
	if (r)
		v = zext(v >> r | v << (size - r), size);
	for (; size < 64; size *= 2)
		v |= v << size;
	return sf ? v : (u32)v;
}

int
a64_isbitmask(const struct a64_insn *a)
{
	return a64_bitmask(a->sf, a->n, a->immr, a->imms) != 0;
}

/* one halfword of v is not 0: what movz can make */
static int
ishalf(u64 v)
{
	for (int i = 0; i < 64; i += 16)
		if (!(v & ~((u64)0xffff << i)))
			return 1;
	return 0;
}

int
a64_ismovwide(const struct a64_insn *a)
{
	u64 v = a64_bitmask(a->sf, a->n, a->immr, a->imms);

	return ishalf(v) || ishalf(a->sf ? ~v : (u32)~v);
}

/* By class: what leads on and leaves flags alone whatever else is in the word; what does so without bit 29; and unless
 * it has bits 30 and 29. */
enum {
	ARITH = 1 << 0x0b | 1 << 0x11, LOGIC = 1 << 0x0a | 1 << 0x12,
	CALM = 0xff0fff00 & ~(u32)(ARITH | LOGIC | 1 << 0x1a | 1 << 0x1e),
};

/* The effect on flags of a word outside the branch and system group; DDI 0487 C4.1.86, C4.1.94:
 * add and subtract with S, logic with opc = 11 write them all; class 0x1a reads them (adc, ccmp,
 * csel) but for its one- and two-source part.  Arithmetic instead of branches, which the host would
 * often mispredict. */
static int
dataflags(u32 w)
{
	enum { USERS = 1 << 0x1a };
	u32 class = 1u << (w >> 24 & 0x1f), s = w >> 29 & 1;
	u32 movewide = (w >> 23 & 0x3f) == 0x25;

	u32 arith = (class & ARITH) != 0, logic = (class & LOGIC) != 0;
	u32 users = (class & USERS) != 0, sources = (w >> 21 & 7) == 6;
	u32 writes = (arith & s) | (logic & s & w >> 30 & ~movewide), reads = users & ~sources;

	return (int)(writes * PEEK_WRITE + reads * PEEK_READ);
}

/* Bits 28 to 26, DDI 0487 C4.1: 101 are branches, exceptions and system instructions, 000 and 001 not
 * allocated to instructions that we have. */
static int
isstraight(u32 w)
{
	return 0xdc >> (w >> 26 & 7) & 1;
}

int
a64_skip(const u8 *p, int n, gaddr pc, u8 *mark, int *bytes)
{
	int at = 0;

	if (!(pc & 3))
		for (; at + 4 <= n && isstraight(ld32(p + at)); at += 4)
			mark[at / 2] |= 1;
	*bytes = at;
	return at / 4;
}

int
a64_quiet(const u8 *p, int n, gaddr pc, int max)
{
	int at = 0;

	for (n = n / 4 < max ? n / 4 : max; !(pc & 3) && at < n; at++) {
		u32 w = ld32(p + 4 * at), class = 1u << (w >> 24 & 0x1f);

		if (!(class & CALM || (class & ARITH && !(w >> 29 & 1)) || (class & LOGIC && (w >> 29 & 3) != 3)))
			break;
	}
	return 4 * at;
}

/* The branches of compiled code, DDI 0487 C4.1.65: those to an address in the word, and br, blr, ret.  0: another. */
static int
scanbranch(u32 w, gaddr pc, struct scan *s)
{
	switch (w >> 25 & 0x3f) {
	case 0x0a: case 0x0b:                  /* b, bl */
		s->flow = w >> 31 ? FLOW_CALL : FLOW_JUMP;
		s->target = pc + (u64)sext(w & 0x3ffffff, 26) * 4;
		return 1;
	case 0x1b:                             /* tbz, tbnz */
		s->flow = FLOW_COND;
		s->target = pc + (u64)sext(w >> 5 & 0x3fff, 14) * 4;
		return 1;
	case 0x2a:                             /* b.cond */
		if (w & 0x81000010)
			return 0;
		s->flags = PEEK_READ;
		/* fall through */
	case 0x1a:                             /* cbz, cbnz */
		s->flow = FLOW_COND;
		s->target = pc + (u64)sext(w >> 5 & 0x7ffff, 19) * 4;
		return 1;
	case 0x2b:
		if ((w & 0xff9ffc1f) != 0xd61f0000 || (w >> 21 & 3) == 3)
			return 0;
		s->flow = (w >> 21 & 3) == 1 ? FLOW_CALL : FLOW_STOP;
		s->flags = w >> 21 & 3 ? 0 : PEEK_END;
		return 1;
	}
	return 0;
}

/* Decodes only what may turn control, and scalar floating point, which may touch flags. */
void
a64_scan(const u8 *p, int n, gaddr pc, struct scan *s)
{
	struct a64_insn a;
	u32 w;

	*s = (struct scan){.len = n < 4 ? 0 : 4};
	if (n < 4)
		return;
	w = ld32(p);
	if ((w >> 26 & 3) == 3) {
		if (w >> 24 == 0x1e)
			simd_scan(w, s);
		return;
	}
	if (isstraight(w) && !(pc & 3)) {
		s->flags = (u8)dataflags(w);
		return;
	}
	if (!(pc & 3) && scanbranch(w, pc, s))
		return;
	if ((pc & 3) || !a64_decode(w, &a)) {
		s->flow = FLOW_STOP;
		s->flags = PEEK_END;
		return;
	}
	s->flow = (u8)a.flow;
	s->flags = (u8)a.fl;
	if (a.id == a64_mrs || a.id == a64_msr)
		a64_scansys(&a, s);
	else if (a.flow == FLOW_COND || a.flow == FLOW_JUMP || a.id == a64_bl)
		s->target = pc + (s64)a.imm;
}

/* DDI 0487 C4.1.94: loads and stores have op0 x1x0; among them the exclusives 001000, o2 clear, o1 set for a pair. */
enum excl
a64_excl(const u8 *p, int n)
{
	u32 w = ld32(p);

	(void)n;
	if ((w & 0x3fa00000) == 0x08000000 || (w & 0xbfa00000) == 0x88200000)
		return w >> 22 & 1 ? EXCL_LOAD : EXCL_STORE;
	if ((w & 0xfffff0ff) == 0xd503305f)            /* clrex */
		return EXCL_CLEAR;
	if ((w & 0xffffff00) == 0xd50b7400)            /* dc zva */
		return EXCL_MEMORY;
	return (w & 0x0a000000) == 0x08000000 ? EXCL_MEMORY : EXCL_NONE;
}
