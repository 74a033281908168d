/* SPDX-License-Identifier: MIT */
/* rvv.c - the vector unit's instructions in RISC-V streams
 *
 * vl and vtype are what the block's state and the instructions before say, and these may be jumped over; what is
 * reserved then traps here and there.  The oracle, QEMU 7.2, has V without what came later, and does some reserved
 * instructions; those are left to blocks that it does not judge. */
#include <string.h>
#include "rvv.h"

static u32 opcode(int id) { return rvv_pat[id].bits & 0x7f; }
static u32 funct3(u32 word) { return word >> 12 & 7; }
static int isaccess(u32 word) { return (word & 0x5f) == 0x07; }
static int isset(int id) { return id == rvv_vsetvli || id == rvv_vsetivli || id == rvv_vsetvl; }
static int isindexed(u32 word) { return isaccess(word) && (word >> 26 & 1); }
static int has(int id, const char *operand) { return strstr(rvv_text[id], operand) != 0; }

enum kind
v_kind(int id)
{
	if (isaccess(opcode(id)))
		return K_MEM;
	return opcode(id) == 0x57 && (funct3(rvv_pat[id].bits) == 1 || funct3(rvv_pat[id].bits) == 5) ? K_FP : K_VEC;
}

const char *
v_lacks(int id)
{
	return rvv_tmpl[id].need ? "QEMU 7.2 lacks it" : 0;
}

/* Whether two registers may be in groups that overlap. */
static int near(int a, int b) { return a / 8 == b / 8; }

/* Reserved (section 5.2) and done by QEMU 7.2, for some vtype: a source that is a mask too, or sources that have
 * registers in common at different widths.  And it comes to an end over reserved conversions that round towards 0. */
int
v_iswrong(u32 word)
{
	struct rvv_insn a;
	int vv, wide;

	if (!rvv_decode(word, &a) || a.need || strstr(rvv_text[a.id], ".rtz"))
		return 1;
	if (isindexed(word)) {
		int over = 0;
		for (int n = a.vd; n < a.vd + 8; n++)
			over |= near(n, a.vs2);
		return (!a.vm && (!a.vs2 || !a.vd)) || (a.st && over);
	}
	if (isaccess(word) || isset(a.id))
		return 0;
	vv = a.form == FORM_VV;
	wide = a.wd != a.w1 || a.wd != a.w2 || a.id == rvv_vrgatherei16;
	if (!a.vm && (!a.vs2 || (vv && !a.vs1)))
		return 1;
	if (a.wd == W_MASK || !wide)
		return 0;
	return (vv && near(a.vs1, a.vs2)) || (a.acc && (near(a.vd, a.vs2) || (vv && near(a.vd, a.vs1))));
}

u32
v_type(const struct piece *b)
{
	int sew, lmul;

	if (b->own && rnd() % 64 == 0)
		return rnd() & 0xff;
	do {
		sew = b->vfloats ? 1 + (int)(rnd() % 3) : (int)(rnd() % 4);
		lmul = (int)(rnd() % 7) - 3;
	} while (lmul < 0 && sew > 3 + lmul);
	return (rnd() & 0xc0) | (u32)sew << 3 | (lmul & 7);
}

u32
v_word(int id, int vd, int r1, int r2, s64 imm)
{
	struct rvv_insn a = rvv_tmpl[id];

	a.vm = 1;
	a.rd = (u8)vd;
	a.vd = (u8)vd;
	a.rs1 = a.vs1 = (u8)r1;
	a.rs2 = a.vs2 = (u8)r2;
	a.imm = (s16)imm;
	a.zimm = (s16)imm;
	return rvv_encode(&a);
}

/* What faults does so at element 0, without a mask: QEMU 7.2 goes on with the vstart and vl of before, in parts, up to
 * the next jump. */
static int unmasked(const struct piece *b) { return b->faults && !b->own; }

/* Groups of several registers begin at numbers that are so many times something. */
static void
align(struct rvv_insn *a)
{
	u32 mask = ~0u << rnd() % 4;

	a->vd &= mask;
	a->vs1 &= mask;
	a->vs2 &= mask;
}

int
v_make(int id, struct piece *b, struct item *i)
{
	static const u16 set[] = {rvv_vsetvli, rvv_vsetivli, rvv_vsetvl};
	struct rvv_insn a;

	if (b->exclusive >= 0)
		return 0;
	if (v_kind(id) == K_VEC && rnd() % 8 == 0)
		id = set[rnd() % 3];
	if (rvv_decode(rvv_random(id, rnd()), &a) != id)
		return 0;
	if (v_kind(id) == K_FP) {
		if (b->faults || (!b->own && !b->vfloats))
			return 0;
		b->floats = 1;
	}
	align(&a);
	if (isset(id))
		a.zimm = (s16)v_type(b), a.rs2 = 0;
	if (isaccess(opcode(id))) {
		if ((isindexed(rvv_pat[id].bits) && a.ty != 0) || (id >= rvv_vsssege8 && id <= rvv_vsssege64))
			return 0;      /* v_idiom */
		a.rs1 = (u8)riscv_pointer(b);
		a.rs2 = 0;
		a.vm |= unmasked(b);
	}
	if (has(id, "{rd:x}") && riscv_isreserved(a.rd))
		return 0;
	i->word = rvv_encode(&a);
	b->traps = 1;
	return rvv_decode(i->word, &a) == id;
}

/* -- several together -- */

static int count;

static void
put(struct item *i, u32 word)
{
	i[count] = (struct item){.word = word, .len = 4, .to = -1, .inner = count > 0};
	count++;
}

static u32
addi(int rd, int value)
{
	struct riscv_insn a = riscv_tmpl[riscv_addi];

	a.rd = (u8)rd;
	a.imm = value;
	return riscv_encode(&a);
}

/* a random access of the lines from `from` on, through a pointer, to a random register */
static u32
access(struct piece *b, int from, int n, int r2)
{
	struct rvv_insn a;
	int id;

	do
		id = from + (int)(rnd() % (u32)n);
	while (rvv_decode(rvv_random(id, rnd()), &a) != id);
	align(&a);
	a.rs1 = (u8)riscv_pointer(b);
	a.rs2 = a.vs2 = (u8)r2;
	a.vm |= unmasked(b);
	return rvv_encode(&a);
}

/* Lines of indexed accesses, by width of their indices. */
static int
indexed(int ty)
{
	static const u16 line[4][8] = {
		{rvv_vluxei8, rvv_vloxei8, rvv_vsuxei8, rvv_vsoxei8, rvv_vluxsegei8, rvv_vloxsegei8, rvv_vsuxsegei8,
			rvv_vsoxsegei8},
		{rvv_vluxei16, rvv_vloxei16, rvv_vsuxei16, rvv_vsoxei16, rvv_vluxsegei16, rvv_vloxsegei16, rvv_vsuxsegei16,
			rvv_vsoxsegei16},
		{rvv_vluxei32, rvv_vloxei32, rvv_vsuxei32, rvv_vsoxei32, rvv_vluxsegei32, rvv_vloxsegei32, rvv_vsuxsegei32,
			rvv_vsoxsegei32},
		{rvv_vluxei64, rvv_vloxei64, rvv_vsuxei64, rvv_vsoxei64, rvv_vluxsegei64, rvv_vloxsegei64, rvv_vsuxsegei64,
			rvv_vsoxsegei64},
	};

	return line[ty][rnd() % 8];
}

enum { TEMP = 10 };

/* Offsets from 0 to a few hundred, cut down in eight registers, and an access that takes some of these. */
static void
scattered(struct piece *b, struct item *i)
{
	int ty = (int)(rnd() % 4), group = (int)(rnd() % 4) * 8;

	put(i, addi(TEMP, (int)(rnd() % 512)));
	put(i, v_word(rvv_vsetvli, TEMP + 1, 0, 0, ty << 3 | 3));
	put(i, v_word(rvv_vand_vx, group, TEMP, group, 0));
	put(i, v_word(rvv_vsetivli, 0, 0, 0, 0) | v_type(b) << 20 | (rnd() & 31) << 15);
	put(i, access(b, indexed(ty), 1, group + (int)(rnd() % 8)));
}

/* Elements a small stride apart; those of eight fields, which may be stored in any order, so that they do not overlap. */
static void
strided(struct piece *b, struct item *i)
{
	static const u16 line[4] = {rvv_vlse8, rvv_vlssege8, rvv_vsse8, rvv_vsssege8};
	u32 which = rnd() % 4, many = which == 3;

	put(i, addi(TEMP, many ? 64 : (int)(rnd() % 25) - 8));
	put(i, v_word(rvv_vsetivli, 0, 0, 0, 0) | v_type(b) << 20 | (rnd() & (many ? 7 : 31)) << 15);
	put(i, access(b, line[which], 4, TEMP));
}

/* vl and vtype from registers. */
static void
fromregisters(struct piece *b, struct item *i)
{
	put(i, addi(TEMP, (int)v_type(b)));
	put(i, addi(TEMP + 1, (int)(rnd() % 64)));
	put(i, v_word(rvv_vsetvl, TEMP + 2, TEMP + 1, TEMP, 0));
}

int
v_idiom(struct piece *b, struct item *i, int room)
{
	u32 which = rnd() % 4;

	if (room < 5 || b->exclusive >= 0)
		return 0;
	b->traps = 1;
	count = 0;
	if (which < 2)
		scattered(b, i);
	else
		(which == 2 ? strided : fromregisters)(b, i);
	/* the last is the only one that may be wrong */
	return b->own || !v_iswrong(i[count - 1].word) ? count : 0;
}
