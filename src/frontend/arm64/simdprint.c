/* SPDX-License-Identifier: MIT */
/* simdprint.c - prints FP and SIMD instructions: what each class letter in simd.isa means */
#include <stdio.h>
#include "frontend/arm64/simd.h"

enum { LARGEST = 4 };                  /* log2 of the bytes of q */
static const char letter[] = "bhsdq";

struct out { char *buf; size_t n; gaddr pc; };
typedef const struct a64v_insn insn;

static int sizeofimm(insn *a) { return a->imm < 8 ? 0 : 28 - __builtin_clz((u32)a->imm); }
static int sizeofft(int ft) { return ft == 3 ? 1 : ft ? 3 : 2; }

/* -- log2 of the bytes of a lane or scalar, by class letter -- */
static int
lanesize(char c, insn *a)
{
	switch (c) {
	case 'V': case 'S': case 'E': case 't': case 'T': return a->size;
	case 'W': case 'D': case 'a': return a->size + 1;
	case 'F': case 'f': case 'I': return sizeofft(a->ft);
	case 'N': return a->ft ? 2 : 1;
	case 'C': return a->ft ? 3 : 2;
	case 'Y': case 'y': return sizeofimm(a);
	case 'k': case 'J': return sizeofimm(a) + 1;
	case 'l': return a->lsz;
	case 'm': return a->psz + 2;
	case 'H': return 1;
	default: return strchr(letter, c) && c ? (int)(strchr(letter, c) - letter) : 0;
	}
}

static int
scalar(struct out *o, char c, s64 v, insn *a)
{
	int size = lanesize(c, a);

	return snprintf(o->buf, o->n, "%c%d", letter[size > LARGEST ? LARGEST : size], (int)v);
}

/* v3.4s */
static int
onevector(char *buf, size_t n, char c, int reg, insn *a)
{
	int size = lanesize(c, a), bytes = a->q ? 16 : 8;

	if (c == 'W' || c == 'k' || c == 'C')
		bytes = 16;
	if (c == 'I')
		bytes = 2 << size;
	if (c == 'H')
		bytes /= 2;
	if (size > LARGEST)
		size = LARGEST;
	return snprintf(buf, n, "v%d.%d%c", reg, bytes >> size, letter[size]);
}

static int
vector(struct out *o, char c, s64 v, insn *a)
{
	return onevector(o->buf, o->n, c, (int)v, a);
}

static int
element(struct out *o, char c, s64 v, insn *a)
{
	if (c == 'A')
		return snprintf(o->buf, o->n, "v%d.4b", (int)v);
	return snprintf(o->buf, o->n, "v%d.%c", (int)v, letter[a->size & 3]);
}

/* {v1.4s, v2.4s}: t and T lists of structures, T without a number of lanes; z a table */
static int
list(struct out *o, char c, s64 v, insn *a)
{
	int k = c == 'z' ? a->n + 1 : a->n, len = snprintf(o->buf, o->n, "{");

	for (int i = 0; i < k; i++) {
		int reg = (int)(v + i) & 31;

		len += snprintf(o->buf + len, o->n - (size_t)len, i ? ", " : "");
		if (c == 'z')
			len += snprintf(o->buf + len, o->n - (size_t)len, "v%d.16b", reg);
		else if (c == 'T')
			len += snprintf(o->buf + len, o->n - (size_t)len, "v%d.%c", reg,
			                letter[a->size & 3]);
		else
			len += onevector(o->buf + len, o->n - (size_t)len, c, reg, a);
	}
	return len + snprintf(o->buf + len, o->n - (size_t)len, "}");
}

/* x w r: 31 is the zero register, X: sp; g: by the lane */
static int
general(struct out *o, char c, s64 v, insn *a)
{
	int x = c == 'r' ? a->sf : c == 'g' ? a->size == 3 : c != 'w';

	return a64_textreg(o->buf, o->n, x, c == 'X', (int)v);
}

/* -- numbers -- */

static s64
number(char c, s64 v, insn *a)
{
	switch (c) {
	case '8': return 8 << v;
	case '9': return v * 90;
	case '7': return v ? 270 : 90;
	case '6': return 64 - v;
	case 'R': return (16 << sizeofimm(a)) - v;
	case 'Z': return v - (8 << sizeofimm(a));
	case 'O': return v * (1 << (a->lsz & 7));
	case 'P': case 'M': return v * (4 << a->psz);
	default: return v;
	}
}

static int
immediate(struct out *o, char c, s64 v, insn *a)
{
	return a64_textimm(o->buf, o->n, number(c, v, a));
}

/* after the base register, unless 0 */
static int
offset(struct out *o, char c, s64 v, insn *a)
{
	*o->buf = 0;
	if (!v)
		return 0;
	return snprintf(o->buf, o->n, ", ") + a64_textimm(o->buf + 2, o->n - 2, number(c, v, a));
}

static int
plain(struct out *o, char c, s64 v, insn *a)
{
	(void)c, (void)a;
	return snprintf(o->buf, o->n, "%d", (int)v);
}

static int
half2(struct out *o, char c, s64 v, insn *a)
{
	(void)c, (void)a;
	return snprintf(o->buf, o->n, v ? "2" : "");
}

static int
zero(struct out *o, char c, s64 v, insn *a)
{
	(void)v, (void)a;
	return snprintf(o->buf, o->n, c == '5' ? "#0.0" : "#0");
}

static int
shift(struct out *o, char c, s64 v, insn *a)
{
	(void)a;
	*o->buf = 0;
	return v ? snprintf(o->buf, o->n, ", %s #%d", c == 'L' ? "lsl" : "msl", (int)v) : 0;
}

static int
bytemask(struct out *o, char c, s64 v, insn *a)
{
	u64 m = 0;

	(void)c, (void)a;
	for (int i = 0; i < 8; i++)
		m |= v >> i & 1 ? (u64)0xff << 8 * i : 0;
	return snprintf(o->buf, o->n, m > 9 ? "#0x%llx" : "#%llu", (unsigned long long)m);
}

/* the value of imm8: (16 + efgh) / 16 times a power of two from -3 to 4 */
static int
floatimm(struct out *o, char c, s64 v, insn *a)
{
	int e = (int)((v >> 4 & 7) ^ 4) - 3;
	double m = (double)(16 + (v & 15)) / 16;

	(void)c, (void)a;
	for (; e > 0; e--)
		m *= 2;
	for (; e < 0; e++)
		m /= 2;
	return snprintf(o->buf, o->n, "#%.8f", v >> 7 ? -m : m);
}

static int
condition(struct out *o, char c, s64 v, insn *a)
{
	(void)c, (void)a;
	return a64_textcond(o->buf, o->n, (int)v);
}

static int
target(struct out *o, char c, s64 v, insn *a)
{
	(void)c, (void)a;
	return a64_textimm(o->buf, o->n, (s64)(o->pc + (u64)v));
}

/* index register of a register offset */
static int
indexreg(struct out *o, char c, s64 v, insn *a)
{
	static const char name[8][5] = {"", "", "uxtw", "lsl", "", "", "sxtw", "sxtx"};
	int len = a64_textreg(o->buf, o->n, a->ext & 1, 0, (int)v);
	size_t left = o->n - (size_t)len;

	(void)c;
	if (a->ext == 3 && !a->sh)
		return len;
	if (!a->sh)
		return len + snprintf(o->buf + len, left, ", %s", name[a->ext]);
	return len + snprintf(o->buf + len, left, ", %s #%d", name[a->ext], a->lsz);
}

/* post-index of structures: a register, or the bytes of whole registers or of a lane of each */
static int
postindex(struct out *o, char c, s64 v, insn *a)
{
	int whole = !strstr(a64v_text[a->id], ":T}") && a64v_name[a->id][3] != 'r';

	(void)c;
	if (v != 31)
		return a64_textreg(o->buf, o->n, 1, 0, (int)v);
	return a64_textimm(o->buf, o->n, a->n * (whole ? a->q ? 16 : 8 : 1 << a->size));
}

typedef int textfn(struct out *, char, s64, insn *);
static textfn *const class[128] = {
	['b'] = scalar, ['h'] = scalar, ['s'] = scalar, ['d'] = scalar, ['q'] = scalar,
	['S'] = scalar, ['D'] = scalar, ['f'] = scalar, ['y'] = scalar, ['J'] = scalar,
	['l'] = scalar, ['m'] = scalar,
	['V'] = vector, ['W'] = vector, ['a'] = vector, ['B'] = vector, ['F'] = vector,
	['N'] = vector, ['C'] = vector, ['Y'] = vector, ['k'] = vector, ['H'] = vector, ['I'] = vector,
	['E'] = element, ['A'] = element, ['t'] = list, ['T'] = list, ['z'] = list,
	['x'] = general, ['w'] = general, ['r'] = general, ['X'] = general, ['g'] = general,
	['i'] = immediate, ['8'] = immediate, ['9'] = immediate, ['7'] = immediate,
	['6'] = immediate, ['R'] = immediate, ['Z'] = immediate, ['M'] = immediate,
	['o'] = offset, ['O'] = offset, ['P'] = offset,
	['n'] = plain, ['2'] = half2, ['0'] = zero, ['5'] = zero, ['L'] = shift, ['K'] = shift,
	['Q'] = bytemask, ['j'] = floatimm, ['c'] = condition, ['p'] = target, ['e'] = indexreg,
	['u'] = postindex,
};

static int
put(char *buf, size_t n, char c, s64 v, const void *a, gaddr pc)
{
	struct out o = {buf, n, pc};

	return class[c & 127] ? class[c & 127](&o, c, v, a) : 0;
}

int
simd_disasm(u32 w, gaddr pc, char *buf, size_t size)
{
	static const struct isa_printer printer = {a64v_member, put};
	struct a64v_insn a;

	if (!a64v_decode(w, &a))
		return 0;
	return isa_print(&printer, buf, size, a64v_name[a.id], a64v_text[a.id], &a, pc);
}
