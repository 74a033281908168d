/* SPDX-License-Identifier: MIT */
/* asm.c - encoders of integer instructions that are too long for asm.h */
#include "backend/x86_64/asm.h"
#include "base/util.h"

u8 *x86_area;
struct ripref *x86_ripref;
int x86_nripref;
static int capripref;

u8 *
modrm_rare(u8 *p, int reg, struct mem m, int nimm)
{
	u32 r = (u32)(reg & 7) << 3;

	if (m.base == RIP) {
		*p++ = (u8)(r | 5);
		grow(&x86_ripref, x86_nripref, &capripref, sizeof *x86_ripref);
		x86_ripref[x86_nripref++] = (struct ripref){p, nimm};
		st32(p, (u32)(x86_area + m.disp - (p + 4 + nimm)));
		return p + 4;
	}
	*p++ = (u8)(r | 4);            /* [index << scale + disp32] or [disp32]: SIB without base */
	*p++ = (u8)((u32)m.scale << 6 | (m.index == NOREG ? 4u : (u32)(m.index & 7)) << 3 | 5);
	st32(p, (u32)m.disp);
	return p + 4;
}

void
modrm_m(struct code *a, int reg, struct mem m, int nimm, int shift)
{
	u8 *p = a->p;

	if (!shift || m.base >= RIP) {
		a->p = modrm_at(p, reg, m, nimm);
		return;
	}
	s32 d = m.disp >> shift;
	int b = m.base & 7, small = (s32)((u32)d << shift) == m.disp && fits8(d);
	u32 mod = m.disp == 0 && b != 5 ? 0 : small ? 0x40 : 0x80, r = (u32)(reg & 7) << 3;

	if (m.index == NOREG && b != 4) {
		*p++ = (u8)(mod | r | (u32)b);
	} else {
		*p++ = (u8)(mod | r | 4);
		*p++ = (u8)((u32)m.scale << 6 | (m.index == NOREG ? 4u : (u32)(m.index & 7)) << 3 | (u32)b);
	}
	st32(p, (u32)(mod == 0x40 ? d : m.disp));
	a->p = p + (mod == 0 ? 0 : mod == 0x40 ? 1 : 4);
}

void
mov_ri(struct code *a, int d, u64 v)
{
	if (v == (u32)v) {
		if (d > 7)
			put1(a, 0x41);
		put1(a, 0xb8 | (u32)(d & 7));
		put4(a, (u32)v);
	} else if (fits32((s64)v)) {
		rex_r(a, 64, 0, d);
		put1(a, 0xc7);
		modrm_r(a, 0, d);
		put4(a, (u32)v);
	} else {
		rex_r(a, 64, 0, d);
		put1(a, 0xb8 | (u32)(d & 7));
		put8(a, v);
	}
}

/* A byte register above bl needs a REX prefix, or it would be ah..bh. */
static void
rex_byte(struct code *a, int w, int reg, int rm, int byte)
{
	u32 x = (w == 64 ? 8u : 0u) | (u32)(reg >> 1 & 4) | (u32)(rm >> 3);

	if (x || byte >= 4)
		put1(a, 0x40 | x);
}

void
mov_mr_n(struct code *a, int bits, struct mem m, int s)
{
	u32 x = rex_m(s, m);

	if (bits >= 32) {
		mov_mr(a, bits, m, s);
		return;
	}
	if (m.a32)
		put1(a, 0x67);
	if (bits == 16)
		put1(a, 0x66);
	if (x || (bits == 8 && s >= 4))
		put1(a, 0x40 | x);
	put1(a, bits == 8 ? 0x88 : 0x89);
	modrm_m(a, s, m, 0, 0);
}

void
movzx_rm(struct code *a, int bits, int d, struct mem m)
{
	if (bits >= 32)
		mov_rm(a, bits, d, m);
	else
		op0f_rm(a, 0, bits == 8 ? 0xb6 : 0xb7, 32, d, m, 0);
}

void
movsx_rm(struct code *a, int bits, int w, int d, struct mem m)
{
	if (bits == 64 || (bits == 32 && w == 32))
		mov_rm(a, bits, d, m);
	else if (bits == 32)
		op_rm(a, 0x63, 64, d, m, 0);
	else
		op0f_rm(a, 0, bits == 8 ? 0xbe : 0xbf, w, d, m, 0);
}

void
movzx_rr(struct code *a, int bits, int d, int s)
{
	if (bits >= 32) {
		mov_rr(a, bits, d, s);
		return;
	}
	rex_byte(a, 32, d, s, bits == 8 ? s : 0);
	put2(a, bits == 8 ? 0xb60f : 0xb70f);
	modrm_r(a, d, s);
}

void
movsx_rr(struct code *a, int bits, int w, int d, int s)
{
	if (bits == 64 || (bits == 32 && w == 32)) {
		mov_rr(a, bits, d, s);
	} else if (bits == 32) {
		op_rr(a, 0x63, 64, d, s);
	} else {
		rex_byte(a, w, d, s, bits == 8 ? s : 0);
		put2(a, bits == 8 ? 0xbe0f : 0xbf0f);
		modrm_r(a, d, s);
	}
}

void
alu_ri(struct code *a, enum alu o, int w, int d, s32 v)
{
	rex_r(a, w, 0, d);
	put1(a, fits8(v) ? 0x83 : 0x81);
	modrm_r(a, (int)o, d);
	if (fits8(v))
		put1(a, (u32)v);
	else
		put4(a, (u32)v);
}

void
alu_mi(struct code *a, enum alu o, int w, struct mem m, s32 v)
{
	int n = fits8(v) ? 1 : 4;

	op_rm(a, w == 8 ? 0x80 : n == 1 ? 0x83 : 0x81, w, (int)o, m, n);
	if (n == 1)
		put1(a, (u32)v);
	else
		put4(a, (u32)v);
}

void
test_ri(struct code *a, int w, int d, s32 v)
{
	if (v >= 0 && v < 128) {       /* the sign flag is bit 7 of the byte, clear as in the full width */
		rex_byte(a, 32, 0, d, d);
		put1(a, 0xf6);
		modrm_r(a, 0, d);
		put1(a, (u32)v);
		return;
	}
	rex_r(a, v >= 0 ? 32 : w, 0, d);
	put1(a, 0xf7);
	modrm_r(a, 0, d);
	put4(a, (u32)v);
}

void
shift_ri(struct code *a, enum shop o, int w, int d, int n)
{
	rex_r(a, w, 0, d);
	put1(a, n == 1 ? 0xd1 : 0xc1);
	modrm_r(a, (int)o, d);
	if (n != 1)
		put1(a, (u32)n);
}

void
imul_rri(struct code *a, int w, int d, int s, s32 v)
{
	op_rr(a, fits8(v) ? 0x6b : 0x69, w, d, s);
	if (fits8(v))
		put1(a, (u32)v);
	else
		put4(a, (u32)v);
}

void
setcc_r(struct code *a, int cc, int d)
{
	rex_byte(a, 32, 0, d, d);
	put2(a, 0x900f | (u32)cc << 8);
	modrm_r(a, 0, d);
}

void
vex_gpr(struct code *a, u32 map, u32 pp, u32 op, int w, int reg, int vvvv, int rm)
{
	put1(a, 0xc4);
	put1(a, (reg > 7 ? 0u : 0x80u) | 0x40 | (rm > 7 ? 0u : 0x20u) | map);
	put1(a, (w == 64 ? 0x80u : 0u) | (u32)(~vvvv & 15) << 3 | pp);
	put1(a, op);
	modrm_r(a, reg, rm);
}

/* ... with an operand in memory, relative to one of the first eight registers */
void
vex_gprm(struct code *a, u32 map, u32 pp, u32 op, int w, int reg, int vvvv, struct mem m)
{
	put1(a, 0xc4);
	put1(a, (reg > 7 ? 0u : 0x80u) | 0x60 | map);
	put1(a, (w == 64 ? 0x80u : 0u) | (u32)(~vvvv & 15) << 3 | pp);
	put1(a, op);
	modrm_m(a, reg, m, 0, 0);
}

void
rorx(struct code *a, int w, int d, int s, int n)
{
	vex_gpr(a, 3, 3, 0xf0, w, d, 0, s);
	put1(a, (u32)n);
}

void
rorx_m(struct code *a, int w, int d, struct mem m, int n)
{
	vex_gprm(a, 3, 3, 0xf0, w, d, 0, m);
	put1(a, (u32)n);
}

void
shiftx(struct code *a, enum shop o, int w, int d, int s, int c)
{
	vex_gpr(a, 2, o == S_SHL ? 1 : o == S_SHR ? 3 : 2, 0xf7, w, d, c, s);
}

void
jmp_to(struct code *a, const u8 *to)
{
	s64 n = to - (a->p + 2);

	if (fits8(n)) {
		put1(a, 0xeb);
		put1(a, (u32)n);
	} else {
		rel32_to(jmp_32(a), to);
	}
}

void
jcc_to(struct code *a, int cc, const u8 *to)
{
	s64 n = to - (a->p + 2);

	if (fits8(n)) {
		put1(a, 0x70 | (u32)cc);
		put1(a, (u32)n);
	} else {
		rel32_to(jcc_32(a, cc), to);
	}
}

void
nops(struct code *a, int n)
{
	static const u8 nop[9][9] = {
		{0x90}, {0x66, 0x90}, {0x0f, 0x1f, 0x00}, {0x0f, 0x1f, 0x40, 0x00},
		{0x0f, 0x1f, 0x44, 0x00, 0x00}, {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x0f, 0x1f, 0x80, 0, 0, 0, 0}, {0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
		{0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0},
	};

	for (; n > 0; n -= 9) {
		int k = n < 9 ? n : 9;

		memcpy(a->p, nop[k - 1], (size_t)k);
		a->p += k;
	}
}
