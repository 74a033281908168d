/* SPDX-License-Identifier: MIT */
/* riscv.c - RISC-V for streams: riscv.isa, rvc.isa, and with rvv.c rvv.isa
 *
 * x2, x3, x4 and x9 point into the block's memory (x9 serves compressed accesses), x5 is the fuel, x8 points to
 * nothing; no instruction writes them but c.addi16sp, once.  Around a block x3 points to the state and x31 holds a
 * return address. */
#include <signal.h>
#include <string.h>
#include "base/gmem.h"
#include "riscv/rvc.h"
#include "rvv.h"

enum { SIGALTSTACK = 132, SIGACTION = 134 };   /* Linux's numbers */
enum { FUEL = 5, BAD = 8, RECORD = 3, LINK = 31, MEM = 1024, MEMAT = 256, V0 = riscv_COUNT + rvc_COUNT,
       NLINE = V0 + rvv_COUNT };
struct state { u64 x[32], f[32], fcsr, vl, vtype, vstart, vcsr, pad; u8 v[32][16], mem[MEM]; };
static const u8 pointer[] = {2, 3, 4, 9};

int riscv_isreserved(int n) { return n == 2 || n == 3 || n == 4 || n == 9 || n == FUEL || n == BAD; }

/* -- fields and lines -- */

static const struct field *
field(int *n)
{
	static const char *const name[] = {"fcsr", "vl", "vtype", "vstart", "vcsr"};
	enum { OTHER = 64, VREG = OTHER + NELEM(name), COUNT = VREG + 32 };
	static struct field f[COUNT];

	for (int i = 0; i < VREG && !f[COUNT - 1].size; i++) {
		f[i] = (struct field){.off = (u32)i * 8, .size = 8};
		snprintf(f[i].name, sizeof f[i].name, i < OTHER ? "%.1s%d" : "%s", i < 32 ? "x" : i < OTHER ? "f" : name[i - OTHER],
		         i % 32);
	}
	for (int i = VREG; i < COUNT; i++) {
		f[i] = (struct field){.off = (u32)offsetof(struct state, v[i - VREG]), .size = 16};
		snprintf(f[i].name, sizeof f[i].name, "v%d", i - VREG);
	}
	*n = COUNT;
	return f;
}

static const char *
name(int line)
{
	if (line == riscv_COUNT || line == V0 || (line >= riscv_v_op && line < riscv_COUNT))
		return "";             /* no line, or one that rvv.isa has many for */
	if (line >= V0)
		return rvv_name[line - V0];
	return line < riscv_COUNT ? riscv_name[line] : rvc_name[line - riscv_COUNT];
}

static const char *
text(int line)
{
	if (line >= V0)
		return rvv_text[line - V0];
	return line < riscv_COUNT ? riscv_text[line] : rvc_text[line - riscv_COUNT];
}

static int
lineof(const struct item *i)
{
	struct riscv_insn a;
	struct rvc_insn c;
	struct rvv_insn v;

	if ((i->word & 3) == 3 && riscv_decode(i->word, &a) >= riscv_v_op)
		return rvv_decode(i->word, &v) ? V0 + v.id : 0;
	if ((i->word & 3) == 3)
		return a.id;
	return rvc_decode(i->word & 0xffff, &c) ? riscv_COUNT + c.id : 0;
}

/* the 32-bit line that a line is, or stands for */
static int wideof(int line) { return line < riscv_COUNT ? line : rvc_tmpl[line - riscv_COUNT].as; }

static int
opcode(int line)
{
	return (int)(riscv_pat[wideof(line)].bits & 0x7f);
}

static enum kind
kind(int line)
{
	if (line >= V0)
		return v_kind(line - V0);
	switch (opcode(line)) {
	case 0x03: case 0x07: case 0x23: case 0x27: case 0x2f: return K_MEM;
	case 0x43: case 0x47: case 0x4b: case 0x4f: case 0x53: return K_FP;
	case 0x63: case 0x67: case 0x6f: return K_BRANCH;
	case 0x73: return wideof(line) == riscv_ebreak ? K_INT : K_FLAGS;      /* those reach fflags */
	}
	return K_INT;
}

static int conditional(int line) { return line < V0 && opcode(line) == 0x63; }

static const struct except absent[] = {
	{"ecall", "a system call: tests/prog"},
	{"clock", "undefined outside our vDSO: test_tr_riscv"}, {0, 0}
};
#define LACKS "QEMU 7.2 lacks it"
static const struct except wrong[] = {
	{"wrs_nto", LACKS}, {"wrs_sto", LACKS}, {"cbo_inval", LACKS}, {"cbo_clean", LACKS}, {"cbo_flush", LACKS},
	{"cbo_zero", LACKS}, {"czero_eqz", LACKS}, {"czero_nez", LACKS}, {"mop_r", LACKS}, {"mop_rr", LACKS}, {"c_mop", LACKS},
	{"c_lbu", LACKS}, {"c_lhu", LACKS}, {"c_lh", LACKS}, {"c_sb", LACKS}, {"c_sh", LACKS}, {"c_mul", LACKS}, {"c_not", LACKS},
	{"c_zext_b", LACKS}, {"c_sext_b", LACKS}, {"c_zext_h", LACKS}, {"c_sext_h", LACKS}, {"c_zext_w", LACKS},
	{"fli_s", LACKS}, {"fminm_s", LACKS}, {"fmaxm_s", LACKS}, {"fround_s", LACKS}, {"froundnx_s", LACKS},
	{"fltq_s", LACKS}, {"fleq_s", LACKS}, {"fli_d", LACKS}, {"fminm_d", LACKS}, {"fmaxm_d", LACKS},
	{"fround_d", LACKS}, {"froundnx_d", LACKS}, {"fltq_d", LACKS}, {"fleq_d", LACKS}, {"fli_h", LACKS},
	{"fminm_h", LACKS}, {"fmaxm_h", LACKS}, {"fround_h", LACKS}, {"froundnx_h", LACKS}, {"fltq_h", LACKS},
	{"fleq_h", LACKS}, {"fcvtmod_w_d", LACKS},
	{"ctzw", "Bitmanip 1.0, 2.5: QEMU 7.2 counts beyond the word"}, {0, 0}
};
static const struct except idle[] = {
	{"fence", 0}, {"fence_tso", 0}, {"pause", 0}, {"fence_i", 0}, {"wrs_nto", 0}, {"wrs_sto", 0}, {"cbo_inval", 0},
	{"cbo_clean", 0}, {"cbo_flush", 0}, {"prefetch_i", 0}, {"prefetch_r", 0}, {"prefetch_w", 0}, {"c_mop", 0}, {0, 0}
};

static const char *lacks(int line) { return line > V0 ? v_lacks(line - V0) : 0; }

/* QEMU 7.2 keeps vstart where it is at or beyond vl, and in vxrm whatever is written to it. */
static int
iswrong(const struct item *i)
{
	struct riscv_insn a;
	int line = lineof(i);

	if (line > V0)
		return v_iswrong(i->word);
	if (line < riscv_COUNT && strstr(text(line), "csr") && riscv_decode(i->word, &a))
		return (a.csr == CSR_VSTART || (a.csr == CSR_VXRM && !(a.uimm && a.rs1 < 4))) && (a.rs1 || a.op == CSR_WRITE);
	return excepted(wrong, name(line));
}

/* -- instructions that can run -- */

/* A sc of another width than the lr may succeed or not: a block has one width. */
static int
exclusive(struct piece *b, int line)
{
	int width = riscv_tmpl[line].ty;

	if (line != riscv_lr_w && line != riscv_lr_d && line != riscv_sc_w && line != riscv_sc_d)
		return 1;
	if (b->exclusive < 0)
		b->exclusive = width;
	return b->exclusive == width && !b->traps;
}

/* A signal may end an exclusive access. */
static int
trapfits(struct piece *b, int line, const struct riscv_insn *a)
{
	if (wideof(line) == riscv_ebreak || (line == riscv_aes64ks1i && a->imm > 10)) {        /* undefined */
		if (b->exclusive >= 0)
			return 0;
		b->traps = 1;
	}
	return 1;
}

/* Rarely an access goes to nothing.  Not in one block with arithmetic: a NaN result may not be canonical yet when
 * it faults, and stays so (README, known limits). */
static int
isbad(struct piece *b)
{
	if (b->exclusive >= 0 || b->floats || rnd() % 32)
		return 0;
	b->traps = b->faults = 1;
	return 1;
}

/* the vector unit's, of which some are only read */
static void
vectorcsr(struct riscv_insn *a)
{
	static const u16 csr[] = {CSR_VXRM, CSR_VXSAT, CSR_VCSR, CSR_VSTART, CSR_VL, CSR_VTYPE, CSR_VLENB};

	a->csr = csr[rnd() % (a->op == CSR_WRITE ? 4 : NELEM(csr))];
	if (a->csr >= CSR_VL || (a->csr == CSR_VSTART && rnd() % 4))
		a->rs1 = 0;
}

/* Only the floating-point and vector CSRs, and no invalid rounding mode. */
static void
csr(struct riscv_insn *a)
{
	if (rnd() & 1) {
		vectorcsr(a);
		return;
	}
	a->csr = (u16)(1 + rnd() % 3);
	if (a->csr != CSR_FFLAGS && a->uimm && a->op == CSR_WRITE)
		a->csr = CSR_FRM, a->rs1 = (u8)(rnd() % 5);
	else if (a->csr != CSR_FFLAGS && a->op == CSR_WRITE)
		a->csr = CSR_FFLAGS;
	else if (a->csr != CSR_FFLAGS)
		a->rs1 = 0;
}

int
riscv_pointer(struct piece *b)
{
	return isbad(b) ? BAD : pointer[b->moved ? 1 + rnd() % 3 : rnd() % 4];
}

static int
wide(int line, struct piece *b, struct item *i)
{
	struct riscv_insn a;
	int op = opcode(line);

	if (riscv_decode(riscv_random(line, rnd()), &a) != line || !exclusive(b, line) || !trapfits(b, line, &a))
		return 0;
	if (kind(line) == K_FP) {
		if (b->faults)
			return 0;
		b->floats = 1;
	}
	if (a.rm == 5 || a.rm == 6)
		a.rm = 7;
	if (op == 0x73 && strstr(text(line), "csr"))
		csr(&a);
	if (kind(line) == K_MEM || !strncmp(name(line), "cbo", 3)) {
		a.rs1 = (u8)riscv_pointer(b);
		a.imm = (s32)(rnd() % 256) - 128;
	}
	if (op == 0x67) {
		a.imm = (s32)(rnd() % 16) * 2 - 16;
		if (!a.rs1 || riscv_isreserved(a.rs1))
			return 0;
	}
	if (kind(line) == K_BRANCH)
		i->to = 0;
	i->word = riscv_encode(&a);
	return !(strstr(text(line), "{rd:x}") && riscv_isreserved(a.rd)) && riscv_decode(i->word, &a) == line;
}

static int
compressed(int line, struct piece *b, struct item *i)
{
	struct rvc_insn c;
	int id = line - riscv_COUNT;

	if (rvc_decode(rvc_random(id, rnd()), &c) != id || !trapfits(b, line, 0))
		return 0;
	if (kind(line) == K_MEM) {
		c.rs1 = strstr(name(line), "sp") ? 2 : isbad(b) ? BAD : 9;
		if (c.rs1 == 2 && b->moved)
			return 0;
	}
	if (id == rvc_c_addi16sp) {
		if (b->moved || b->loops)
			return 0;
		b->moved = 1;
		c.imm = rnd() & 1 ? 64 : -64;
	}
	if (opcode(line) == 0x67 && riscv_isreserved(c.rs1))
		return 0;
	if (kind(line) == K_BRANCH)
		i->to = 0;
	i->len = 2;
	i->word = rvc_encode(&c);
	return !(strstr(text(line), "{rd:x}") && riscv_isreserved(c.rd)) && rvc_decode(i->word, &c) == id;
}

static int
make(int line, struct piece *b, struct item *i)
{
	if (line > V0)
		return v_make(line - V0, b, i);
	return line < riscv_COUNT ? wide(line, b, i) : compressed(line, b, i);
}

/* -- branches -- */

static int
aim(struct item *i, s64 off)
{
	struct riscv_insn a;
	struct rvc_insn c;

	if (i->len == 4) {
		if (riscv_decode(i->word, &a) == riscv_jalr)
			return 1;
		a.imm = (s32)off;
		i->word = riscv_encode(&a);
		return riscv_decode(i->word, &a) && a.imm == off;
	}
	if (rvc_decode(i->word, &c) == rvc_c_jr || c.id == rvc_c_jalr)
		return 1;
	c.imm = (s32)off;
	i->word = rvc_encode(&c);
	return rvc_decode(i->word, &c) && c.imm == off;
}

static u32
word(int id, int rd, int rs1, int rs2, s64 imm)
{
	struct riscv_insn a = riscv_tmpl[id];

	a.rd = (u8)rd;
	a.rs1 = (u8)rs1;
	a.rs2 = (u8)rs2;
	a.imm = (s32)imm;
	return riscv_encode(&a);
}

static int
before(const struct item *i, int back, s64 off, u32 *w)
{
	struct riscv_insn a;
	u8 p[4];
	u32 u;
	int n = 0;

	st32(p, i->word);
	rv_decode(p, 4, &a, &u);
	if (a.id == riscv_jalr) {
		s64 to = off - a.imm, low = sext((u64)to, 12);
		w[n++] = word(riscv_auipc, a.rs1, 0, 0, to - low);
		w[n++] = word(riscv_addi, a.rs1, a.rs1, 0, low);
	}
	if (back) {
		w[n++] = word(riscv_addi, FUEL, FUEL, 0, -1);
		w[n++] = word(riscv_blt, 0, FUEL, 0, 4 + i->len);
	}
	return n;
}

/* -- states -- */

static u64
fpvalue(void)
{
	switch (rnd() % 8) {
	case 0: return rnd64();
	case 1: case 2: return stream_real(5, 10) | (u64)~0xffff;
	case 3: case 4: case 5: return stream_real(8, 23) | ~(u64)0xffffffff;
	default: return stream_real(11, 52);
	}
}

static void
fill(struct piece *b)
{
	struct state *s = (struct state *)(void *)b->state;

	for (int i = 0; i < 32; i++) {
		s->x[i] = !i || (riscv_isreserved(i) && i != FUEL) ? 0 : i == FUEL ? rnd() % 16 : stream_int(64);
		s->f[i] = fpvalue();
	}
	s->fcsr = (rnd() % 5) << FCSR_RM;
	for (int i = 0; i < 32; i++)
		stream_vector(s->v[i]);
	b->vfloats = rnd() & 1;
	s->vtype = v_type(b);
	s->vl = vcfg_vl(vcfg_make(rnd() & 1 ? rnd() % 32 : ~(u64)0, s->vtype));
	s->vcsr = rnd() % 8;
}

static void
place(u8 *state, u64 at)
{
	struct state *s = (struct state *)(void *)state;

	for (size_t i = 0; i < NELEM(pointer); i++)
		s->x[pointer[i]] = at + offsetof(struct state, mem) + MEMAT;
	s->x[FUEL] &= 15;
	s->x[BAD] = NOWHERE;
}

/* Bytes stored one after another, and loaded as one number through a pointer that may be another. */
static int
reload(struct item *i, int room)
{
	static const u16 load[3][2] = {{riscv_lh, riscv_lhu}, {riscv_lw, riscv_lwu}, {riscv_ld, riscv_ld}};
	int size = (int)(rnd() % 3), n = 2 << size, base = 1 + (int)(rnd() % 3), off = (int)(rnd() % 128) - 64;
	int from = base, to = rnd() & 1 ? base : 1 + (int)(rnd() % 3), miss = rnd() % 4 ? 0 : (int)(rnd() % 3) - 1;

	if (room < n + 1)
		return 0;
	for (int k = 0; k < n; k++)
		i[k].word = word(riscv_sb, 0, pointer[from], (int)(rnd() % 32), off + k);
	i[n].word = word(load[size][rnd() & 1], 10 + (int)(rnd() % 16), pointer[to], 0, off + miss);
	return n + 1;
}

/* order[] gets 0 to n - 1 as they are, backwards or in no order. */
static void
shuffle(u8 *order, int n)
{
	int how = (int)(rnd() % 3);

	for (int k = 0; k < n; k++)
		order[k] = (u8)(how == 1 ? n - 1 - k : k);
	for (int k = n - 1; k > 0 && how == 2; k--) {
		int j = (int)(rnd() % (u32)(k + 1));
		u8 t = order[k];
		order[k] = order[j];
		order[j] = t;
	}
}

/* A number put together from the bytes at some place, with the lowest first or last. */
static int
gather(struct piece *b, struct item *i, int room)
{
	enum { TO = 10, PART = 11 };
	int n = 2 << rnd() % 3, down = rnd() & 1, at = 0, off = (int)(rnd() % 128) - 64, w = n == 4 && rnd() & 1;
	int base = isbad(b) ? BAD : pointer[1 + rnd() % 3], miss = rnd() % 8 ? -1 : (int)(rnd() % (u32)n), or;
	u8 order[8];

	if (room < 3 * n)
		return 0;
	shuffle(order, n);
	for (int k = 0; k < n; k++)
		i[at++].word = word(rnd() % 16 ? riscv_lbu : riscv_lb, PART + order[k], base, 0, off + order[k] + (order[k] == miss));
	or = rnd() % 16 ? riscv_or : riscv_add;
	for (int k = 0; k < n; k++) {
		int part = PART + k, shift = (down ? n - 1 - k : k) * 8;
		if (shift)
			i[at++].word = word(w ? riscv_slliw : riscv_slli, part, part, 0, shift);
		if (k)
			i[at++].word = word(k == n - 1 ? riscv_or : or, k == n - 1 ? TO : PART, PART, part, 0);
	}
	return at;
}

/* The same of two or three numbers in turns, with what comes between now and then. */
static int
turns(struct piece *b, struct item *i, int room)
{
	enum { TO = 10, PART = 11, AT = 26, MOST = 17 };
	struct item own[3][MOST + 3];
	int count = 2 + (int)(rnd() % 2), left = 0, at = 0, n[3], next[3] = {0};

	if (room < count * (MOST + 4))
		return 0;
	for (int g = 0; g < count; g++) {
		int from = PART + 5 * g, bytes = 2 << rnd() % 2, base = isbad(b) ? BAD : pointer[1 + rnd() % 3];
		int off = (int)(rnd() % 16) - 8, down = rnd() & 1, k = 0;
		u8 order[8];

		shuffle(order, bytes);
		if (rnd() & 1) {
			own[g][k++].word = word(riscv_addi, AT + g, base, 0, (s64)(rnd() % 8) - 4);
			base = AT + g;
		}
		for (int m = 0; m < bytes; m++)
			own[g][k++].word = word(riscv_lbu, from + order[m], base, 0, off + order[m]);
		if (rnd() % 8 == 0)
			own[g][k++].word = word(rnd() % 4 ? riscv_sb + (int)(rnd() % 4) : riscv_lbu, 25, base, 25,
			    off + (s64)(rnd() % 32) - 16);
		for (int m = 0; m < bytes; m++) {
			int shift = (down ? bytes - 1 - m : m) * 8;
			if (shift)
				own[g][k++].word = word(riscv_slli, from + m, from + m, 0, shift);
			if (m)
				own[g][k++].word = word(riscv_or, m == bytes - 1 && rnd() & 1 ? TO : from, from, from + m, 0);
		}
		left += n[g] = k;
	}
	while (left) {
		int g = (int)(rnd() % (u32)count);

		for (int run = 1 + (int)(rnd() % 4); run-- && next[g] < n[g]; left--)
			i[at++].word = own[g][next[g]++].word;
	}
	for (int k = 1; k < at; k++)
		i[k].inner = 1;
	return at;
}

/* A number stored byte by byte. */
static int
scatter(struct piece *b, struct item *i, int room)
{
	enum { FROM = 10, PART = 11 };
	int n = 2 << rnd() % 3, down = rnd() & 1, at = 0, off = (int)(rnd() % 128) - 64;
	int base = isbad(b) ? BAD : pointer[1 + rnd() % 3], miss = rnd() % 8 ? -1 : (int)(rnd() % (u32)n), early = rnd() & 1;
	u8 order[8];

	if (room < 2 * n)
		return 0;
	shuffle(order, n);
	for (int k = 0; k < n && early; k++)
		i[at++].word = word(n < 8 && rnd() & 1 ? riscv_srliw : riscv_srli, PART + k, FROM, 0, k * 8);
	for (int k = 0; k < n; k++) {
		int part = order[k];
		if (!early)
			i[at++].word = word(riscv_srli, PART + part, FROM, 0, part * 8);
		i[at++].word = word(riscv_sb, 0, base, PART + part, off + (down ? n - 1 - part : part) + (part == miss));
	}
	return at;
}

/* Elements of an array, whose addresses one register holds after another. */
static int
elements(struct piece *b, struct item *i, int room)
{
	enum { AT = 10, INDEX = 11 };
	static const u16 load[] = {riscv_lb, riscv_lbu, riscv_lh, riscv_lhu, riscv_lw, riscv_lwu, riscv_ld};
	int n = 1 + (int)(rnd() % 4), at = 0;

	if (room < 3 * n + 1)
		return 0;
	while (n--) {
		int base = isbad(b) ? BAD : pointer[1 + rnd() % 3];

		i[at++].word = word(riscv_andi, INDEX, (int)(rnd() % 32), 0, (s64)(rnd() % 64));
		i[at++].word = rnd() & 1 ? word(riscv_add, AT, base, INDEX, 0) : word(riscv_add, AT, INDEX, base, 0);
		if (rnd() % 3)
			i[at++].word = word(load[rnd() % NELEM(load)], AT + (int)(rnd() % 16), AT, 0, (s64)(rnd() % 64) - 32);
		else
			i[at++].word = word(riscv_sb + (int)(rnd() % 4), 0, AT, (int)(rnd() % 32), (s64)(rnd() % 64) - 32);
	}
	i[at++].word = word(riscv_addi, AT, (int)(rnd() % 32), 0, 1);
	for (int k = 1; k < at; k++)
		i[k].inner = 1;                /* what lies in AT may be any address */
	return at;
}

/* A loop that looks for a byte, the end of a string or a difference, for a number of turns at most. */
static int
seek(struct piece *b, struct item *i, int room)
{
	enum { P = 10, Q = 11, X = 12, Y = 13, LEFT = 14 };
	int two = (int)(rnd() % 3), wide = !two && rnd() % 4 == 0, step = wide ? 8 : 1, at = 0, first;

	if (room < 12)
		return 0;
	i[at++].word = word(riscv_addi, P, isbad(b) ? BAD : pointer[1 + rnd() % 3], 0, (s64)(rnd() % 512) - 256);
	i[at++].word = word(riscv_addi, Q, two == 2 ? P : pointer[1 + rnd() % 3], 0, (s64)(rnd() % 256) - (two == 2 ? 0 : 128));
	i[at++].word = word(riscv_addi, LEFT, 0, 0, (s64)(1 + rnd() % 200));
	first = at;
	i[at++].word = word(wide ? riscv_ld : riscv_lbu, X, P, 0, 0);
	i[at++].word = word(riscv_addi, P, P, 0, step);
	if (two) {
		i[at++].word = word(riscv_addi, Q, Q, 0, step);
		i[at++].word = word(riscv_lbu, Y, Q, 0, -1);
	}
	i[at++].word = word(riscv_addi, LEFT, LEFT, 0, -1);
	i[at].word = word(riscv_beq, 0, LEFT, 0, two ? 12 : 8);
	at++;
	if (two) {
		i[at++].word = word(rnd() & 1 ? riscv_beq : riscv_bne, 0, X, rnd() & 1 ? 0 : Y, 8);
		i[at].word = word(rnd() & 1 ? riscv_beq : riscv_bne, 0, X, Y, 4 * (first - at));
	} else {
		i[at].word = word(rnd() % 4 ? riscv_bne : riscv_beq, 0, X, rnd() & 1 ? 0 : Y, 4 * (first - at));
	}
	at++;
	for (int k = 1; k < at; k++)
		i[k].inner = 1;
	return at;
}

static int
idiom(struct piece *b, struct item *i, int room)
{
	for (int k = 0; k < room; k++)
		i[k] = (struct item){.len = 4, .to = -1};
	switch (rnd() % 11) {
	case 0: return reload(i, room);
	case 5: return turns(b, i, room);
	case 4: return seek(b, i, room);
	case 1: return gather(b, i, room);
	case 2: return elements(b, i, room);
	case 3: return scatter(b, i, room);
	default: return v_idiom(b, i, room);
	}
}

static void
put(int id, int rd, int rs1, int rs2, s64 imm)
{
	emit(word(id, rd, rs1, rs2, imm), 4);
}

static void
address(int reg, u64 to)
{
	s64 low = sext(to, 12);

	put(riscv_lui, reg, 0, 0, (s64)to - low);
	put(riscv_addiw, reg, reg, 0, low);
}

static u64 loadall, storeall;
enum { FCSR_FROM_X1 = 0x00309073, X1_FROM_FCSR = 0x003020f3, ECALL = 0x73 };

static void
csrto(int csr, size_t off)
{
	emit(0x000020f3 | (u32)csr << 20, 4);  /* csrrs x1, csr, x0 */
	put(riscv_sd, 0, RECORD, 1, (s64)off);
}

static void
csrfrom(int csr, size_t off)
{
	put(riscv_ld, 1, RECORD, 0, (s64)off);
	emit(0x00009073 | (u32)csr << 20, 4);  /* csrrw x0, csr, x1 */
}

/* All vector registers, eight at a time; vstart is 0. */
static void
vectors8(int id)
{
	put(riscv_addi, 1, RECORD, 0, offsetof(struct state, v));
	for (int i = 0; i < 32; i += 8) {
		emit(v_word(id, i, 1, 0, 0), 4);
		put(riscv_addi, 1, 1, 0, 8 * VLENB);
	}
}

static void
loadvectors(void)
{
	csrfrom(CSR_VSTART, 0);                /* x0 */
	vectors8(rvv_vl8re8);
	put(riscv_ld, 1, RECORD, 0, offsetof(struct state, vl));
	put(riscv_ld, 2, RECORD, 0, offsetof(struct state, vtype));
	emit(v_word(rvv_vsetvl, 0, 1, 2, 0), 4);
	csrfrom(CSR_VCSR, offsetof(struct state, vcsr));
	csrfrom(CSR_VSTART, offsetof(struct state, vstart));
}

static void
storevectors(void)
{
	csrto(CSR_VSTART, offsetof(struct state, vstart));
	csrto(CSR_VL, offsetof(struct state, vl));
	csrto(CSR_VTYPE, offsetof(struct state, vtype));
	csrto(CSR_VCSR, offsetof(struct state, vcsr));
	csrfrom(CSR_VSTART, 0);
	vectors8(rvv_vs8r);
}

static void
syscall3(int nr, u64 a, u64 b, u64 c)
{
	put(riscv_addi, RV_a7, 0, 0, nr);
	address(RV_a0, a);
	address(RV_a1, b);
	address(RV_a2, c);
	put(riscv_addi, RV_a3, 0, 0, 8);       /* bytes of a signal set */
	emit(ECALL, 4);
}

/* The handler's third argument is the frame: x31 becomes 17 * x31 + signal, pc the next instruction. */
enum { CONTEXT = 176, HANDLER = 15 };

static u64
handle(void)
{
	u64 at = here();

	put(riscv_ld, RV_a3, RV_a2, 0, CONTEXT);
	put(riscv_lhu, RV_a4, RV_a3, 0, 0); /* 4 bytes long if its low bits are 3 */
	put(riscv_andi, RV_a4, RV_a4, 0, 3);
	put(riscv_sltiu, RV_a4, RV_a4, 0, 3);
	put(riscv_xori, RV_a4, RV_a4, 0, 1);
	put(riscv_slli, RV_a4, RV_a4, 0, 1);
	put(riscv_addi, RV_a4, RV_a4, 0, 2);
	put(riscv_add, RV_a3, RV_a3, RV_a4, 0);
	put(riscv_sd, 0, RV_a2, RV_a3, CONTEXT);
	put(riscv_ld, RV_a3, RV_a2, 0, CONTEXT + 31 * 8);
	put(riscv_slli, RV_a4, RV_a3, 0, 4);
	put(riscv_add, RV_a3, RV_a3, RV_a4, 0);
	put(riscv_add, RV_a3, RV_a3, RV_a0, 0);
	put(riscv_sd, 0, RV_a2, RV_a3, CONTEXT + 31 * 8);
	put(riscv_jalr, 0, RV_ra, 0, 0);
	return at;
}

static int
back(struct cpu *cpu)
{
	u64 *x = riscv_state(cpu)->x;

	if (cpu->why == WHY_CALL && (x[RV_a7] == SIGALTSTACK || x[RV_a7] == SIGACTION)) {
		x[RV_a0] = 0;
		return 1;
	}
	if (cpu->why != WHY_TRAP && cpu->why != WHY_FAULT)
		return 0;
	x[31] = 17 * x[31] + (u64)(cpu->why == WHY_FAULT ? SIGSEGV : cpu->trap == TRAP_BREAK ? SIGTRAP : SIGILL);
	cpu->pc += (ld16(g2h(cpu->pc)) & 3) == 3 ? 4 : 2;
	return 1;
}

static u64
common(u64 args)
{
	const int each = 32 + 29 + 3, vload = 2 + 9 + 3 + 4, vstore = 2 * 4 + 2 + 9;
	u64 handler;

	put(riscv_jal, 0, 0, 0, 4 + 4 * (2 * each + vload + vstore + HANDLER)); /* over all this */
	loadall = here();
	loadvectors();
	put(riscv_ld, 1, RECORD, 0, offsetof(struct state, fcsr));
	emit(FCSR_FROM_X1, 4);
	for (int i = 0; i < 32; i++)
		put(riscv_fld, i, RECORD, 0, (s64)offsetof(struct state, f[i]));
	for (int i = 1; i < 31; i++)
		if (i != RECORD)
			put(riscv_ld, i, RECORD, 0, (s64)offsetof(struct state, x[i]));
	put(riscv_jalr, 0, LINK, 0, 0);
	storeall = here();
	for (int i = 1; i < 31; i++)
		if (i != RECORD)
			put(riscv_sd, 0, RECORD, i, (s64)offsetof(struct state, x[i]));
	for (int i = 0; i < 32; i++)
		put(riscv_fsd, 0, RECORD, i, (s64)offsetof(struct state, f[i]));
	emit(X1_FROM_FCSR, 4);
	put(riscv_sd, 0, RECORD, 1, offsetof(struct state, fcsr));
	storevectors();
	put(riscv_jalr, 0, LINK, 0, 0);
	handler = handle();
	syscall3(SIGALTSTACK, args + 32, 0, 0);
	syscall3(SIGACTION, SIGILL, args, 0);
	syscall3(SIGACTION, SIGTRAP, args, 0);
	syscall3(SIGACTION, SIGSEGV, args, 0);
	return handler;
}

static void
enter(u64 at)
{
	address(RECORD, at);
	put(riscv_jal, LINK, 0, 0, (s64)(loadall - here()));
	put(riscv_ld, LINK, RECORD, 0, offsetof(struct state, x[LINK]));
	put(riscv_ld, RECORD, RECORD, 0, offsetof(struct state, x[RECORD]));
}

static void
leave(u64 at, const struct piece *b)
{
	(void)b;
	address(RECORD, at);
	put(riscv_sd, 0, RECORD, LINK, offsetof(struct state, x[LINK]));
	put(riscv_jal, LINK, 0, 0, (s64)(storeall - here()));
}

/* write(1, at, size), exit(0) */
static void
finish(u64 at, u64 size)
{
	put(riscv_addi, RV_a7, 0, 0, 64);
	put(riscv_addi, RV_a0, 0, 0, 1);
	address(RV_a1, at);
	address(RV_a2, size);
	emit(ECALL, 4);
	put(riscv_addi, RV_a7, 0, 0, 93);
	put(riscv_addi, RV_a0, 0, 0, 0);
	emit(ECALL, 4);
}

/* -- floating-point vectors: sources f11 f12 f13 or x11, result f10 or x10; modes: frm 0 to 4 -- */

static int isfloat(int line) { return line < riscv_COUNT && kind(line) == K_FP; }

/* half with a mode of their own, half with frm */
static int
vector(int line, int mode, struct item *i)
{
	struct riscv_insn a;

	*i = (struct item){.len = 4, .to = -1};
	if (riscv_decode(riscv_random(line, rnd()), &a) != line)
		return 0;
	a.rd = 10;
	a.rs1 = 11;
	if (strstr(text(line), "{rs2:"))
		a.rs2 = 12;
	if (strstr(text(line), "{rs3:"))
		a.rs3 = 13;
	a.rm = rnd() & 1 ? 7 : (u8)mode;
	i->word = riscv_encode(&a);
	if (riscv_decode(i->word, &a) != line)
		return 0;
	switch (a.from ? a.from : a.ty) {
	case F16: return 16;
	case F32: return 32;
	}
	return 64;
}

/* mostly of the format, and boxed */
static void
operands(int format, u64 *v)
{
	int bits = rnd() % 8 ? format : 16 << rnd() % 3, isint = rnd() % 6 == 0;
	u64 box = bits < 64 && rnd() % 8 ? ~(u64)0 << bits : 0;

	for (int k = 0; k < 6; k += 2)
		v[k] = isint ? stream_int(64) : stream_float(bits) | box, v[k + 1] = 0;
}

static void
loop(const struct item *insn, int mode, u64 in, u64 out, u64 n)
{
	enum { IN = 20, TO, COUNT };
	u64 top;

	put(riscv_addi, 5, 0, 0, mode << FCSR_RM);
	address(IN, in);
	address(TO, out);
	address(COUNT, n);
	top = here();
	emit(0x00329073, 4);                   /* csrrw x0, fcsr, x5 */
	for (int i = 0; i < 3; i++)
		put(riscv_fld, 11 + i, IN, 0, i * 16);
	put(riscv_fld, 10, IN, 0, 32);
	put(riscv_ld, 11, IN, 0, 0);
	put(riscv_addi, 10, 0, 0, 0);
	emit(insn->word, 4);
	put(riscv_fsd, 0, TO, 10, 0);
	put(riscv_sd, 0, TO, 10, 16);
	emit(X1_FROM_FCSR, 4);
	put(riscv_sd, 0, TO, 1, 24);
	put(riscv_addi, IN, IN, 0, 48);
	put(riscv_addi, TO, TO, 0, 32);
	put(riscv_addi, COUNT, COUNT, 0, -1);
	put(riscv_bne, 0, COUNT, 0, (s64)(top - here()));
}

const struct stream stream_riscv64 = {
	.guest = &guest_riscv64, .oracle = "qemu-riscv64 -cpu rv64,v=true,vext_spec=v1.0,vlen=128,elen=64,Zfh=true,Zfhmin=true,zbkb=true,zbkc=true,zbkx=true,zknd=true,zkne=true,zknh=true",
	.elfflags = 5 /* RVC, double-float ABI */, .size = sizeof(struct state),
	.mem = offsetof(struct state, mem), .memsize = MEM, .field = field, .nline = NLINE, .name = name,
	.lineof = lineof, .kind = kind, .conditional = conditional, .absent = absent, .wrong = wrong, .idle = idle,
	.make = make, .idiom = idiom, .iswrong = iswrong, .lacks = lacks, .fill = fill,
	.place = place, .common = common, .back = back, .enter = enter,
	.leave = leave, .finish = finish, .aim = aim, .before = before,
	.isfloat = isfloat, .nmode = 5, .vector = vector, .operands = operands, .loop = loop,
};
