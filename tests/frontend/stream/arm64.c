/* SPDX-License-Identifier: MIT */
/* arm64.c - AArch64 for streams: base.isa and simd.isa
 *
 * x26, x28 and x29 point into the block's memory (x26, like sp, aligned to 16), x27 is a small index, x25 the
 * fuel, x24 points to nothing; no instruction writes them but by writing back.  Around a block x27 points to the
 * state. */
#include <signal.h>
#include <string.h>
#include "arm64/simd.h"
#include "frontend/arm64/arm64.h"
#include "stream.h"

enum {
	BAD = 24, FUEL, ALIGNED, INDEX, RECORD = INDEX, MEM = 2048, MEMAT = 1024,
	NLINE = a64_COUNT + a64v_COUNT, NFIELD = 32 + 31 + 5,
};
struct state { u64 v[32][2], x[31], sp, nzcv, fpsr, fpcr, pad; u8 mem[MEM]; };
static const u8 pointer[] = {26, 28, 29};

enum {
	LDR_X = 0xf9400000, STR_X = 0xf9000000, LDR_Q = 0x3dc00000, STR_Q = 0x3d800000, MSR = 0xd51b0000,
	MRS = 0xd53b0000, RET = 0xd65f03c0, MOV_SP_X26 = 0x9100035f, MOV_X0_SP = 0x910003e0,
	BURN = 0xd1000739, OUTOFFUEL = 0xb7f80059,     /* sub x25, x25, #1; tbnz x25, #63, .+8 */
};
enum { SIGALTSTACK = 132, SIGACTION = 134 };   /* Linux's numbers */
enum { NZCV = 0x4200, FPCR = 0x4400, FPSR = 0x4420, TPIDR = 0xd040 };
#define SYSREG(name) (((u32)(0x1b0000 | (name)) >> 5) & 0x7fff)

/* -- fields and lines -- */

static const struct field *
field(int *n)
{
	static struct field f[NFIELD];
	static const struct field rest[] = {
		{"sp", offsetof(struct state, sp), 8}, {"nzcv", offsetof(struct state, nzcv), 8},
		{"fpsr", offsetof(struct state, fpsr), 8}, {"fpcr", offsetof(struct state, fpcr), 8},
	};

	if (!f[0].size) {
		for (int i = 0; i < 32; i++) {
			f[i] = (struct field){.off = (u32)(i * 16), .size = 16};
			snprintf(f[i].name, sizeof f[i].name, "v%d", i);
		}
		for (int i = 0; i < 31; i++) {
			f[32 + i] = (struct field){.off = (u32)(offsetof(struct state, x) + (size_t)i * 8), .size = 8};
			snprintf(f[32 + i].name, sizeof f[i].name, "x%d", i);
		}
		memcpy(f + 63, rest, sizeof rest);
	}
	*n = 63 + NELEM(rest);
	return f;
}

static const char *
name(int line)
{
	if (line == a64_COUNT)
		return "";             /* no line */
	return line < a64_COUNT ? a64_name[line] : a64v_name[line - a64_COUNT];
}


static int
lineof(const struct item *i)
{
	struct a64_insn a;
	struct a64v_insn v;
	u32 w = i->word;

	if ((w >> 26 & 3) == 3)
		return a64v_decodetext(w, &v) ? a64_COUNT + v.id : 0;
	return a64_decodetext(w, &a);
}

/* the class letter with which a line's text prints a member, or 0 */
static char
letter(const char *text, const char *member)
{
	char pattern[16];
	const char *p;

	snprintf(pattern, sizeof pattern, "{%s:", member);
	p = strstr(text, pattern);
	return p ? p[strlen(pattern)] : 0;
}

static int isfp(const char *s) { return *s == 'f' || strstr(s, "cvt"); }

static int
istrap(int id)
{
	return id == a64_udf || (a64_tmpl[id].flow == FLOW_STOP && id != a64_br && id != a64_ret && id != a64_ret_lr);
}

static enum kind
kind(int line)
{
	const char *text;

	if (line >= a64_COUNT) {
		text = a64v_text[line - a64_COUNT];
		return letter(text, "rn") == 'X' || letter(text, "imm") == 'p' ? K_MEM : isfp(name(line)) ? K_FP : K_VEC;
	}
	const struct a64_insn *a = &a64_tmpl[line];
	if (istrap(line))
		return K_INT;
	if (a->flow && a->flow != FLOW_SYS)
		return K_BRANCH;
	return strstr(a64_text[line], "[{rn") || !strncmp(name(line), "dc_", 3) ? K_MEM : a->fl ? K_FLAGS : K_INT;
}

static int conditional(int line) { return line < a64_COUNT && a64_tmpl[line].flow == FLOW_COND; }

static const struct except absent[] = {{"svc", "a system call: tests/prog"}, {0, 0}};
/* What QEMU 7.2 does otherwise, by the manual's section (DDI 0487 J.a). */
static const struct except wrong[] = {
	{"yield", "C6.2.379: QEMU leaves its loop, and forgets the exclusive load"},
	{"wfe", "C6.2.374: as yield"}, {"wfi", "C6.2.376: as yield"},
	{"hint", "C6.2.126: QEMU's max model signs pointers in the hint space; ours has no pointer authentication"},
	{"dc_cvap", "C5.3.10: QEMU's user mode lacks it"}, {"dc_cvadp", "C5.3.9: as dc_cvap"},
	{"dc_zva", "D13.2.35: the size of its block is the implementation's choice"},
	{"fcvtzs_si", "C7.2.92: QEMU leaves the sign of a half in bits 31:16"},
	{"msr_i", "C6.2.218: QEMU's max model has DIT, SSBS and TCO, which are op1 = 3"},
	{"sys", "C6.2.363: QEMU's max model has prediction restrictions and tags, which are op1 = 3"},
	{"sysl", "C6.2.364: as sys"}, {"hlt", "C6.2.127: QEMU takes #0xf000 for a call to its debugger"},
	{"msr", "C5.2.8, C5.2.9: QEMU keeps RES0 bits of FPCR and FPSR; these two are without oracle"}, {0, 0}
};
static const struct except idle[] = {
	{"nop", 0}, {"yield", 0}, {"wfe", 0}, {"wfi", 0}, {"sev", 0}, {"sevl", 0}, {"esb", 0}, {"bti", 0}, {"hint", 0},
	{"clrex", 0}, {"dsb", 0}, {"dmb", 0}, {"isb", 0}, {"sb", 0}, {"dc_cvac", 0}, {"dc_cvau", 0}, {"dc_cvap", 0},
	{"dc_cvadp", 0}, {"dc_civac", 0}, {"ic_ivau", 0}, {"prfm_u", 0}, {"prfum", 0}, {"prfm_r", 0}, {"prfm_l", 0}, {0, 0}
};

static int
iswrong(const struct item *i)
{
	struct a64_insn a;
	struct a64v_insn v;

	if ((i->word >> 26 & 3) == 3)
		return a64v_decode(i->word, &v) == a64v_fcvtzs_si && v.imm < 32;
	a64_decode(i->word, &a);
	return a.id == a64_yield || a.id == a64_wfe || a.id == a64_wfi || a.id == a64_hint ||
	    a.id == a64_dc_zva || a.id == a64_dc_cvap || a.id == a64_dc_cvadp ||
	    ((a.id == a64_msr_i || a.id == a64_sys || a.id == a64_sysl) && a.op1 == 3) ||
	    (a.id == a64_hlt && a.imm == 0xf000) ||
	    (a.id == a64_msr && (a.sysreg == SYSREG(FPCR) || a.sysreg == SYSREG(FPSR)));
}

/* -- instructions that can run -- */

static int isgeneral(char c) { return c && strchr("xwrg", c); }
static u8 spare(int reg) { return (u8)(reg >= BAD && reg < 30 ? reg - 10 : reg); }

/* A pointer register that still points into the memory, or -1; rarely one that points to nothing. */
static int
getpointer(struct piece *b, int aligned, int wback)
{
	int reg = aligned ? ALIGNED : pointer[rnd() % 3];

	if (!wback && !b->calls && b->exclusive < 0 && rnd() % 32 == 0) {
		b->traps = 1;
		return BAD;
	}
	if (b->moved >> reg & 1 || (wback && b->loops))
		return -1;
	b->moved |= (u32)wback << reg;
	return reg;
}

/* Calls and returns may lose flags, as procedure calls may: what reads flags is not in one block with them. */
static int
flagsfit(const struct piece *b, int calls, int fl)
{
	return b->calls ? fl != PEEK_READ && fl != PEEK_END : !calls;
}

static int
vectorword(int id, struct piece *b, struct item *i)
{
	struct a64v_insn a;
	int reg;

	if (!a64v_decode(a64v_random(id, rnd()), &a))
		return 0;
	const char *text = a64v_text[a.id];
	if (!flagsfit(b, 0, a.fl))
		return 0;
	if (isgeneral(letter(text, "rd")))
		a.rd = spare(a.rd);
	if (letter(text, "imm") == 'p')
		a.imm = (s32)(rnd() % 32) * 4;
	if (letter(text, "rn") == 'X') {
		if ((reg = getpointer(b, 0, a.wback || strstr(text, "{rm:u}"))) < 0)
			return 0;
		a.rn = (u8)reg;
		if (letter(text, "rm") == 'e' || letter(text, "rm") == 'u')
			a.rm = letter(text, "rm") == 'u' && rnd() & 1 ? 31 : INDEX;
		if (letter(text, "imm") == 'O')
			a.imm = (s16)(rnd() % 32);
	}
	i->word = a64v_encode(&a);
	return a64v_decodetext(i->word, &a) == id;
}

/* whether an access must be aligned: exclusive, atomic, acquire and release */
static int
isaligned(u32 w)
{
	return (w & 0x3f000000) == 0x08000000 || (w & 0x3b200c00) == 0x38200000 ||
	    (w & 0x3f200c00) == 0x19000000;
}

/* A store-exclusive of another width than the load may succeed or not: a block has one width. */
static int
exclusive(struct piece *b, const struct a64_insn *a)
{
	int width = a->id == a64_ldxp || a->id == a64_stxp ? 8 + a->sf : a->size;

	if (a->id != a64_ldxp && a->id != a64_stxp && a->id != a64_ldxr && a->id != a64_stxr)
		return 1;
	if (b->exclusive < 0)
		b->exclusive = width;
	return b->exclusive == width && !b->traps;
}

static int
memory(struct piece *b, struct a64_insn *a, u32 w)
{
	const char *text = a64_text[a->id];
	int reg;

	if (!exclusive(b, a) || (reg = getpointer(b, isaligned(w), a->wb != 0)) < 0)
		return 0;
	a->rn = (u8)reg;
	if (isaligned(w))
		a->imm = 0;
	if (letter(text, "ext") == 'g')
		a->rm = INDEX;
	if (letter(text, "imm") == 'o')
		a->imm = (s16)(rnd() % 32);
	return 1;
}

static int
system_(struct a64_insn *a)
{
	static const u16 reg[] = {SYSREG(NZCV), SYSREG(FPSR), SYSREG(TPIDR), SYSREG(FPCR)};

	if (a->id == a64_msr || a->id == a64_mrs)
		a->sysreg = reg[rnd() % NELEM(reg)];
	else if (!strncmp(a64_name[a->id], "dc_", 3) || a->id == a64_ic_ivau)
		a->rd = pointer[rnd() % 3];
	return 1;
}

static int
baseword(int id, struct piece *b, struct item *i)
{
	struct a64_insn a;
	u32 w = a64_random(id, rnd());

	if (!a64_decode(w, &a))
		return 0;
	const char *text = a64_text[a.id];
	if (!flagsfit(b, a.flow == FLOW_CALL || a.id == a64_ret, a.flow == FLOW_STOP ? PEEK_NONE : a.fl))
		return 0;
	a.rd = spare(a.rd);
	a.rt2 = spare(a.rt2);
	a.rs = spare(a.rs);
	if ((letter(text, "rt2") && a.rd == a.rt2) ||
	    (letter(text, "rs") == 'W' && (a.rs == a.rd || a.rs == a.rt2)))
		return 0;              /* constrained unpredictable */
	if (id == a64_movn || id == a64_movz) {
		a.imm = 0;             /* others are mov */
		a.hw = (u8)(1 + rnd() % (a.sf ? 3 : 1));
	}
	if (a.id == a64_ldr_wl || a.id == a64_ldr_xl || a.id == a64_ldrsw_l)
		a.imm = (s32)(rnd() % 32) * 4;
	if (strstr(text, "[{rn") && !memory(b, &a, w))
		return 0;
	if (istrap(a.id)) {
		if (b->exclusive >= 0)         /* a signal may end it */
			return 0;
		b->traps = 1;
	} else if (a.flow && a.flow != FLOW_SYS) {
		i->to = 0;
		if (letter(text, "rn"))        /* blr and ret change the link register after they read it */
			a.rn = a.rn == 31 ? 30 : spare(a.rn);
	}
	system_(&a);
	i->word = a64_encode(&a);
	return a64_decodetext(i->word, &a) == id;
}

static int
make(int line, struct piece *b, struct item *i)
{
	for (int tries = 0; tries < 16; tries++)       /* some lines are few of the words of their pattern */
		if (line < a64_COUNT ? baseword(line, b, i) : vectorword(line - a64_COUNT, b, i))
			return 1;
	return 0;
}

/* The halves of a rotation: a shift, and the other one inserted.  Their immediates, which hold lane and amount, are
 * equal. */
static int
idiom(struct piece *b, struct item *i, int room)
{
	int left = (int)(rnd() & 1), lane = 8 << rnd() % 4, off = rnd() % 8 == 0;
	struct a64v_insn shift = a64v_tmpl[left ? a64v_shl_vi : a64v_ushr_vi];
	struct a64v_insn insert = a64v_tmpl[left ? a64v_sri_vi : a64v_sli_vi];

	(void)b;
	if (room < 2)
		return 0;
	shift.q = insert.q = lane == 64 || rnd() & 1;
	shift.rd = insert.rd = (u8)(rnd() % 32);
	shift.rn = insert.rn = (u8)(rnd() % 32);
	shift.imm = lane + 1 + (s32)(rnd() % (u32)(lane - 1));
	insert.imm = off ? lane + 1 + (s32)(rnd() % (u32)(lane - 1)) : shift.imm;
	i[0] = (struct item){.word = a64v_encode(&shift), .len = 4, .to = -1};
	i[1] = (struct item){.word = a64v_encode(&insert), .len = 4, .to = -1};
	return 2;
}

/* -- branches -- */

static int
aim(struct item *i, s64 off)
{
	struct a64_insn a;
	int id = a64_decode(i->word, &a);

	if (!strchr(a64_text[id], 'b') || !strstr(a64_text[id], "{imm:b}"))
		return 1;
	a.imm = (s32)off;
	i->word = a64_encode(&a);
	return a64_decode(i->word, &a) == id && a.imm == off;
}

static int
before(const struct item *i, int back, s64 off, u32 *w)
{
	struct a64_insn a, adr = a64_tmpl[a64_adr];
	int n = 0;

	a64_decode(i->word, &a);
	if (a.id == a64_br || a.id == a64_blr || a.id == a64_ret) {
		adr.rd = a.rn;
		adr.imm = (s32)off;
		w[n++] = a64_encode(&adr);
	}
	if (back) {
		w[n++] = BURN;
		w[n++] = OUTOFFUEL;
	}
	return n;
}

/* -- states -- */

static void
fill(struct piece *b)
{
	static const u32 mode[] = {FPCR_DN, FPCR_FZ, FPCR_FZ16, FPCR_AHP};
	struct state *s = (struct state *)(void *)b->state;

	for (int i = 0; i < 32; i++)
		stream_vector((u8 *)s->v[i]);
	for (int i = 0; i < 31; i++)
		s->x[i] = i >= BAD && i < 30 ? rnd() % 16 : stream_int(64);
	s->x[ALIGNED] = 0;
	s->nzcv = (u64)(rnd() & 15) << 28;
	s->fpcr = rnd() & 1 ? 0 : (u64)(rnd() & 3) << 22 | (rnd() & 1 ? mode[rnd() % NELEM(mode)] : 0);
}

static void
place(u8 *state, u64 at)
{
	struct state *s = (struct state *)(void *)state;

	for (size_t i = 0; i < NELEM(pointer); i++)
		s->x[pointer[i]] = (s->x[pointer[i]] & 7) + at + offsetof(struct state, mem) + MEMAT;
	s->x[ALIGNED] &= ~(u64)15;
	s->x[INDEX] &= 15;
	s->x[BAD] = NOWHERE;
	s->x[FUEL] &= 15;
}

static void
slot(u32 op, int reg, int base, size_t off)
{
	emit(op | (u32)(off / (op == LDR_Q || op == STR_Q ? 16 : 8)) << 10 | (u32)base << 5 | (u32)reg, 4);
}

static void
number(int reg, u64 v)
{
	emit(0xd2800000 | (u32)(v & 0xffff) << 5 | (u32)reg, 4);
	emit(0xf2a00000 | (u32)(v >> 16 & 0xffff) << 5 | (u32)reg, 4);
}

static void
registers(u32 x, u32 q)
{
	for (int i = 0; i < 32; i++)
		slot(q, i, RECORD, offsetof(struct state, v[i]));
	for (int i = 0; i < 30; i++)
		if (i != RECORD)
			slot(x, i, RECORD, offsetof(struct state, x[i]));
}

static u64 loadall, storeall;

static void
call(u64 to)
{
	emit(0x94000000 | ((u32)((s64)(to - here()) >> 2) & 0x3ffffff), 4);
}

static void
syscall3(int nr, u64 a, u64 b, u64 c)
{
	number(8, (u64)nr);
	number(0, a);
	number(1, b);
	number(2, c);
	number(3, 8);                          /* bytes of a signal set */
	emit(0xd4000001, 4);
}

/* The handler's third argument is the frame: x23 becomes 17 * x23 + signal, pc the next instruction. */
enum { CONTEXT = 176, CONTEXT_X23 = CONTEXT + 8 + 23 * 8, CONTEXT_PC = CONTEXT + 8 + 32 * 8 };

static u64
handle(void)
{
	u64 at = here();

	slot(LDR_X, 3, 2, CONTEXT_PC);
	emit(0x91001063, 4);                   /* add x3, x3, #4 */
	slot(STR_X, 3, 2, CONTEXT_PC);
	slot(LDR_X, 3, 2, CONTEXT_X23);
	emit(0x8b031063, 4);                   /* add x3, x3, x3, lsl #4 */
	emit(0x8b000063, 4);                   /* add x3, x3, x0 */
	slot(STR_X, 3, 2, CONTEXT_X23);
	emit(RET, 4);
	return at;
}

static int
back(struct cpu *cpu)
{
	u64 *x = (u64 *)(void *)(cpu->state + guest_aarch64.reg[A64_X0].off);

	if (cpu->why == WHY_CALL && (x[8] == SIGALTSTACK || x[8] == SIGACTION)) {
		x[0] = 0;
		return 1;
	}
	if (cpu->why != WHY_TRAP && cpu->why != WHY_FAULT)
		return 0;
	x[23] = 17 * x[23] + (u64)(cpu->why == WHY_FAULT ? SIGSEGV : cpu->trap == TRAP_BREAK ? SIGTRAP : SIGILL);
	cpu->pc += 4;
	return 1;
}

static u64
common(u64 args)
{
	enum { SIZE = 74 + 73 + 8 };
	u64 handler;

	emit(0x14000000 | SIZE, 4);            /* over all this */
	loadall = here();
	slot(LDR_X, 0, RECORD, offsetof(struct state, nzcv));
	emit(MSR | NZCV, 4);
	slot(LDR_X, 0, RECORD, offsetof(struct state, fpcr));
	emit(MSR | FPCR, 4);
	slot(LDR_X, 0, RECORD, offsetof(struct state, fpsr));
	emit(MSR | FPSR, 4);
	emit(MSR | TPIDR | 31, 4);
	registers(LDR_X, LDR_Q);
	emit(MOV_SP_X26, 4);
	emit(RET, 4);
	storeall = here();
	registers(STR_X, STR_Q);
	emit(MOV_X0_SP, 4);
	slot(STR_X, 0, RECORD, offsetof(struct state, sp));
	emit(MRS | FPSR, 4);
	slot(STR_X, 0, RECORD, offsetof(struct state, fpsr));
	emit(MRS | FPCR, 4);
	slot(STR_X, 0, RECORD, offsetof(struct state, fpcr));
	emit(RET, 4);
	handler = handle();
	while (here() != BASE + 4 * SIZE)
		emit(0xd503201f, 4);
	syscall3(SIGALTSTACK, args + 32, 0, 0);
	syscall3(SIGACTION, SIGILL, args, 0);
	syscall3(SIGACTION, SIGTRAP, args, 0);
	syscall3(SIGACTION, SIGSEGV, args, 0);
	return handler;
}

static void
enter(u64 at)
{
	number(RECORD, at);
	call(loadall);
	slot(LDR_X, 30, RECORD, offsetof(struct state, x[30]));
	slot(LDR_X, RECORD, RECORD, offsetof(struct state, x[RECORD]));
}

static void
leave(u64 at, const struct piece *b)
{
	number(RECORD, at);
	slot(STR_X, 30, RECORD, offsetof(struct state, x[30]));
	if (b->calls)
		emit(MSR | NZCV | 31, 4);
	emit(MRS | NZCV | 30, 4);
	slot(STR_X, 30, RECORD, offsetof(struct state, nzcv));
	call(storeall);
}

/* write(1, at, size), exit(0) */
static void
finish(u64 at, u64 size)
{
	number(8, 64);
	number(0, 1);
	number(1, at);
	number(2, size);
	emit(0xd4000001, 4);
	number(8, 93);
	number(0, 0);
	emit(0xd4000001, 4);
}

/* -- floating-point vectors: sources v1 v2 v3 or x1, result v0 (v3 before) or x0 -- */

static int isfloat(int line) { return line >= a64_COUNT && kind(line) == K_FP; }

static const u32 modes[] = {0, FPCR_DN, FPCR_FZ, FPCR_FZ | FPCR_DN, FPCR_FZ16, FPCR_AHP};

static int
vector(int line, int mode, struct item *i)
{
	struct a64v_insn a;
	int id = line - a64_COUNT;

	(void)mode;
	*i = (struct item){.len = 4, .to = -1};
	if (a64v_decode(a64v_random(id, rnd()), &a) != id)
		return 0;
	a.rd = 0;
	a.rn = 1;
	a.rm = strstr(a64v_text[id], "{rm:") ? 2 : a.rm;
	a.ra = 3;
	i->word = a64v_encode(&a);
	if (a64v_decode(i->word, &a) != id)
		return 0;
	return a.ft == 3 || (a.imm && a.imm < 32) ? 16 : a.ft || a.imm >= 64 ? 64 : 32;
}

/* mostly of the format, as vectors; or of another; or integers */
static void
operands(int format, u64 *v)
{
	int bits = rnd() % 4 ? format : 16 << rnd() % 3, isint = rnd() % 6 == 0;

	for (int k = 0; k < 6; k++)
		for (int i = 0; i < 64; i += bits)
			stn((u8 *)v + k * 8 + i / 8, bits / 8, 0, isint ? stream_int(bits) : stream_float(bits));
}

static void
loop(const struct item *insn, int mode, u64 in, u64 out, u64 n)
{
	enum { IN = 20, TO, COUNT, MODE };
	u64 top;

	number(MODE, (u64)(mode & 3) << 22 | modes[mode >> 2]);
	emit(MSR | FPCR | MODE, 4);
	number(IN, in);
	number(TO, out);
	number(COUNT, n);
	top = here();
	slot(LDR_Q, 1, IN, 0);
	slot(LDR_Q, 2, IN, 16);
	slot(LDR_Q, 3, IN, 32);
	slot(LDR_Q, 0, IN, 32);
	slot(LDR_X, 1, IN, 0);
	number(0, 0);
	emit(MSR | FPSR | 31, 4);
	emit(MSR | NZCV | 31, 4);
	emit(insn->word, 4);
	slot(STR_Q, 0, TO, 0);
	slot(STR_X, 0, TO, 16);
	emit(MRS | FPSR | 2, 4);
	emit(MRS | NZCV | 3, 4);
	emit(0xaa030042, 4);                   /* orr x2, x2, x3 */
	slot(STR_X, 2, TO, 24);
	emit(0x9100c294, 4);                   /* add x20, x20, #48 */
	emit(0x910082b5, 4);                   /* add x21, x21, #32 */
	emit(0xd10006d6, 4);                   /* sub x22, x22, #1 */
	emit(0xb5000000 | ((u32)((s64)(top - here()) >> 2) & 0x7ffff) << 5 | COUNT, 4);
}

const struct stream stream_aarch64 = {
	.guest = &guest_aarch64, .oracle = "qemu-aarch64 -cpu max", .size = sizeof(struct state),
	.mem = offsetof(struct state, mem), .memsize = MEM, .field = field, .nline = NLINE, .name = name,
	.lineof = lineof, .kind = kind, .conditional = conditional, .absent = absent, .wrong = wrong, .idle = idle,
	.make = make, .idiom = idiom, .iswrong = iswrong, .fill = fill,
	.place = place, .common = common, .back = back, .enter = enter,
	.leave = leave, .finish = finish, .aim = aim, .before = before,
	.isfloat = isfloat, .nmode = 4 * NELEM(modes), .vector = vector, .operands = operands, .loop = loop,
};
