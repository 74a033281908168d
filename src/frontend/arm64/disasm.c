/* SPDX-License-Identifier: MIT */
/* disasm.c - prints AArch64 instructions for -d in_asm
 *
 * The texts are in base.isa; here is what each class letter in them means.  Classes that print a
 * pc-relative address or a register pair look at the whole instruction. */
#include "frontend/arm64/arm64.h"

#include <stdio.h>

static const char condname[16][3] = {
	"eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv",
};
static const char shiftname[4][4] = {"lsl", "lsr", "asr", "ror"};
static const char extname[8][5] = {"uxtb", "uxth", "uxtw", "uxtx", "sxtb", "sxth", "sxtw", "sxtx"};

int
a64_textreg(char *buf, size_t n, int x, int sp, int reg)
{
	if (reg == 31)
		return snprintf(buf, n, "%s", sp ? (x ? "sp" : "wsp") : (x ? "xzr" : "wzr"));
	return snprintf(buf, n, "%c%d", x ? 'x' : 'w', reg);
}

int
a64_textimm(char *buf, size_t n, s64 v)
{
	u64 m = v < 0 ? -(u64)v : (u64)v;

	return snprintf(buf, n, m > 9 ? "#%s0x%llx" : "#%s%llu", v < 0 ? "-" : "",
	                (unsigned long long)m);
}

int
a64_textcond(char *buf, size_t n, int cond)
{
	return snprintf(buf, n, "%s", condname[cond & 15]);
}

/* an immediate after ", ", or nothing for 0 */
static int
offset(char *buf, size_t n, s64 v)
{
	if (!v) {
		*buf = 0;
		return 0;
	}
	return snprintf(buf, n, ", ") + a64_textimm(buf + 2, n - 2, v);
}

/* the shift of a shifted register, of movz and movk, of an added immediate */
static int
shift(char *buf, size_t n, char c, int v, const struct a64_insn *a)
{
	int amount = c == 'L' ? v * 12 : c == 'M' ? v * 16 : a->sa;

	*buf = 0;
	if (c == 'H' ? !amount && !v : !v)
		return 0;
	return snprintf(buf, n, ", %s #%d", c == 'H' ? shiftname[v] : "lsl", amount);
}

/* the extension of an added register ('E') or of an index ('g') */
static int
extension(char *buf, size_t n, char c, int ext, const struct a64_insn *a)
{
	int amount = c == 'E' ? a->sa : a->sa * a->size, plain = ext == (a->sf ? 3 : 2);

	*buf = 0;
	if (c == 'E' && plain && (a->rn == 31 || (a->rd == 31 && !a->flop)))
		return amount ? snprintf(buf, n, ", lsl #%d", amount) : 0;
	if (c == 'g' && ext == 3)
		return a->sa ? snprintf(buf, n, ", lsl #%d", amount) : 0;
	if (c == 'E' ? !amount : !a->sa)
		return snprintf(buf, n, ", %s", extname[ext]);
	return snprintf(buf, n, ", %s #%d", extname[ext], amount);
}

/* Bit-field moves are always shown as one of their aliases (DDI 0487, C6.2 "alias conditions").
 * *lsb and *len get the alias' operands; len 0: one operand only, -1: none. */
static const char *
bitfield(const struct a64_insn *a, int *lsb, int *len)
{
	int size = a->sf ? 64 : 32, r = a->immr, s = a->imms;

	*lsb = r;
	*len = 0;
	if (a->sg != 2 && s == size - 1)
		return a->sg ? "asr" : "lsr";
	if (!a->sg && s + 1 == r) {
		*lsb = size - 1 - s;
		return "lsl";
	}
	if (a->sg != 2 && !r && (s == 7 || s == 15 || (s == 31 && a->sg)) && (a->sg || !a->sf)) {
		*len = -1;
		return s == 7 ? (a->sg ? "sxtb" : "uxtb") : s == 15 ? (a->sg ? "sxth" : "uxth") : "sxtw";
	}
	*len = s < r ? s + 1 : s - r + 1;
	if (s < r)
		*lsb = size - r;
	if (a->sg == 2)
		return s < r ? (a->rn == 31 ? "bfc" : "bfi") : "bfxil";
	return s < r ? (a->sg ? "sbfiz" : "ubfiz") : (a->sg ? "sbfx" : "ubfx");
}

static int
bitfield_operands(char *buf, size_t n, const struct a64_insn *a)
{
	int lsb, len, k = 0;
	const char *name = bitfield(a, &lsb, &len);

	if (strcmp(name, "bfc")) {
		k = a64_textreg(buf, n, a->sf && len >= 0, 0, a->rn);
		if (len < 0)
			return k;
		k += snprintf(buf + k, n - k, ", ");
	}
	k += a64_textimm(buf + k, n - k, lsb);
	if (!len)
		return k;
	k += snprintf(buf + k, n - k, ", ");
	return k + a64_textimm(buf + k, n - k, len);
}

static int
prefetch(char *buf, size_t n, int v)
{
	static const char *const type[3] = {"pld", "pli", "pst"};

	if (v >> 3 == 3 || (v >> 1 & 3) == 3)
		return a64_textimm(buf, n, v);
	return snprintf(buf, n, "%sl%d%s", type[v >> 3], (v >> 1 & 3) + 1, v & 1 ? "strm" : "keep");
}

static int
barrieropt(char *buf, size_t n, int v)
{
	static const char *const name[16] = {
		0, "oshld", "oshst", "osh", 0, "nshld", "nshst", "nsh",
		0, "ishld", "ishst", "ish", 0, "ld", "st", "sy",
	};

	return name[v] ? snprintf(buf, n, "%s", name[v]) : a64_textimm(buf, n, v);
}

static int
wideimm(char *buf, size_t n, char c, const struct a64_insn *a)
{
	u64 v = (u64)a->imm << 16 * a->hw;

	if (c == 'V')
		v = a->sf ? ~v : (u32)~v;
	return a64_textimm(buf, n, a->sf ? (s64)v : (s32)v);
}

static int
pstatefield(char *buf, size_t n, const struct a64_insn *a)
{
	static const struct { u8 op1, op2; char name[8]; } f[] = {
		{0, 3, "uao"}, {0, 4, "pan"}, {0, 5, "spsel"}, {3, 1, "ssbs"}, {3, 2, "dit"},
		{3, 6, "daifset"}, {3, 7, "daifclr"},
	};

	for (size_t i = 0; i < NELEM(f); i++)
		if (f[i].op1 == a->op1 && f[i].op2 == a->op2)
			return snprintf(buf, n, "%s", f[i].name);
	return snprintf(buf, n, "pstate_%d_%d", a->op1, a->op2);
}

/* classes whose text is the same for every instruction */
static int
putplain(char *buf, size_t n, char c, s64 v)
{
	static const char *const suffix[3] = {"b", "h", "w"}, *const bti[4] = {"", "c", "j", "jc"};

	switch (c) {
	case 'X': case 'W': return a64_textreg(buf, n, c == 'X', 0, (int)v);
	case 'S': return a64_textreg(buf, n, 1, 1, (int)v);
	case 'R': return v == 31 ? snprintf(buf, n, "%s", "") : snprintf(buf, n, ", x%d", (int)v);
	case 'i': case 'd': return a64_textimm(buf, n, v);
	case 'D': return v ? a64_textimm(buf, n, v) : snprintf(buf, n, "%s", "");
	case 'O': return offset(buf, n, v);
	case 'c': case 'k': return a64_textcond(buf, n, (int)v ^ (c == 'k'));
	case 'C': return snprintf(buf, n, "c%d", (int)v);
	case 'a': case 'l': return snprintf(buf, n, "%s", v ? (c == 'a' ? "a" : "l") : "");
	case 'z': return snprintf(buf, n, "%s", v < 2 ? suffix[v] : "");
	case 'Z': return snprintf(buf, n, "%s", suffix[v]);
	case 'f': return prefetch(buf, n, (int)v);
	case 'x': return v == 15 ? snprintf(buf, n, "%s", "") : a64_textimm(buf, n, v);
	case 'y': return barrieropt(buf, n, (int)v);
	case 'T': return snprintf(buf, n, "%s", bti[v]);
	case 'N': return a64_textsysreg(buf, n, (int)v);
	}
	return -1;
}

/* classes that depend on the rest of the instruction */
static int
put(char *buf, size_t n, char c, s64 v, const void *insn, gaddr pc)
{
	const struct a64_insn *a = insn;
	int k = putplain(buf, n, c, v), lsb, len;

	if (k >= 0)
		return k;
	switch (c) {
	case 'r': return a64_textreg(buf, n, a->sf, 0, (int)v);
	case 's': return a64_textreg(buf, n, a->sf, 1, (int)v);
	case 'q': return a64_textreg(buf, n, a->size == 3, 0, (int)v);
	case 'j': return a64_textreg(buf, n, a->sf, 0, (int)(v + 1) & 31);
	case 't': return a64_textreg(buf, n, a->bit > 31, 0, (int)v);
	case 'e': return a64_textreg(buf, n, (a->ext & 3) == 3, 0, (int)v);
	case 'h': return a64_textreg(buf, n, a->sf && (a->ext & 3) == 3, 0, (int)v);
	case 'b': return snprintf(buf, n, "#0x%llx", (unsigned long long)(pc + (u64)v));
	case 'p': return snprintf(buf, n, "#0x%llx", (unsigned long long)((pc & ~0xfffull) + ((u64)v << 12)));
	case 'o': return offset(buf, n, v << a->size);
	case 'u': return offset(buf, n, v * (a->sf && a->sg != 64 ? 8 : 4));
	case 'U': return a64_textimm(buf, n, v * (a->sf && a->sg != 64 ? 8 : 4));
	case 'H': case 'L': case 'M': return shift(buf, n, c, (int)v, a);
	case 'E': case 'g': return extension(buf, n, c, (int)v, a);
	case 'm': return snprintf(buf, n, "#0x%llx",
		    (unsigned long long)a64_bitmask(a->sf, a->n, a->immr, a->imms));
	case 'v': case 'V': return wideimm(buf, n, c, a);
	case 'F': return snprintf(buf, n, "%s", bitfield(a, &lsb, &len));
	case 'G': return bitfield_operands(buf, n, a);
	case 'P': return pstatefield(buf, n, a);
	}
	return snprintf(buf, n, "?");
}

int
a64_disasm(const u8 *p, int n, gaddr pc, char *buf, size_t size)
{
	static const struct isa_printer printer = {a64_member, put};
	struct a64_insn a;
	u32 w;

	if (n < 4)
		return 0;
	w = ld32(p);
	if ((w >> 26 & 3) == 3) {
		if (!simd_disasm(w, pc, buf, size))
			snprintf(buf, size, ".word\t0x%08x", w);
	} else if (a64_decodetext(w, &a)) {
		isa_print(&printer, buf, size, a64_name[a.id], a64_text[a.id], &a, pc);
	} else {
		snprintf(buf, size, ".word\t0x%08x", w);
	}
	return 4;
}
