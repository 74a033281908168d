/* SPDX-License-Identifier: MIT */
/* test_exec_arm64.c - random AArch64 instructions: our translation, run by ir/eval.c, against an
 * independent emulator
 *
 * A static program is made that for every batch loads all registers and a piece of memory with chosen
 * and random values, runs a few random instructions, and stores everything; at the end it writes
 * what it stored to its output.  The same image lies at the same addresses in this process, where
 * the instructions of each batch are translated and evaluated.  DRAGOMAN_SEED=n repeats a run,
 * ONLY=text takes only lines whose name contains the text, and REFERENCE names the emulator
 * (qemu-aarch64 without pointer authentication if unset; the test is skipped if there is none). */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/gmem.h"
#include "frontend/arm64/arm64.h"
#include "frontend/arm64/simd.h"
#include "ir/eval.h"

enum {
	BASE = 0x20000000, MAXBATCH = 4096, CODE = 4 << 20,
	MEM = 1024, MID = MEM / 2,     /* bytes of memory of a batch; where its pointer points */
};

struct state {
	u64 x[31], sp, nzcv, fpcr, fpsr, pad;
	u64 v[32][2];
	u8 mem[MEM];
};
struct batch { u32 from, to; int id; u8 simd; };

/* the image: ELF header, code, states before and after */
struct image {
	u8 code[CODE];
	struct state init[MAXBATCH], result[MAXBATCH];
};
static struct image *im = (struct image *)(u64)BASE;
static u32 ncode = 0x1000;             /* after room for the ELF headers */
static struct batch batch[MAXBATCH];
static int nbatch;
static u64 rng;
static const char *only;

static u32
rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (u32)(rng >> 16);
}

static u64 rnd64(void) { return (u64)rnd() << 32 | rnd(); }

static u64
integer(void)
{
	static const u64 corner[] = {0, 1, 2, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff,
		0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000};
	u64 v = rnd() & 1 ? corner[rnd() % NELEM(corner)] : rnd64() >> rnd() % 64;

	return rnd() & 1 ? v : -v;
}

/* -- the program -- */

static void
emit(u32 w)
{
	st32(im->code + ncode, w);
	ncode += 4;
	if (ncode + 4096 > CODE)
		fail_msg("code area full");
}

/* reg = address, below 2^32 */
static void
address(int reg, const void *p)
{
	u64 a = (u64)p;

	emit(0xd2800000 | (u32)(a & 0xffff) << 5 | reg);
	emit(0xf2a00000 | (u32)(a >> 16 & 0xffff) << 5 | reg);
}

static u32 ldr(int rt, int rn, size_t off) { return 0xf9400000 | (u32)(off / 8) << 10 | rn << 5 | rt; }
static u32 str(int rt, int rn, size_t off) { return 0xf9000000 | (u32)(off / 8) << 10 | rn << 5 | rt; }
static u32 ldrq(int rt, int rn, size_t off) { return 0x3dc00000 | (u32)(off / 16) << 10 | rn << 5 | rt; }
static u32 strq(int rt, int rn, size_t off) { return 0x3d800000 | (u32)(off / 16) << 10 | rn << 5 | rt; }

enum {
	MSR = 0xd5180000, MRS = 0xd5380000,
	NZCV_ = 0x34200, FPCR_ = 0x34400, FPSR_ = 0x34420, TPIDR_ = 0x3d040,
};
#define AT(member) offsetof(struct state, member)

static void
loadall(const struct state *s)
{
	static const struct { u32 reg; size_t off; } sys[] = {
		{NZCV_, AT(nzcv)}, {FPCR_, AT(fpcr)}, {FPSR_, AT(fpsr)},
	};

	address(30, s);
	for (size_t i = 0; i < NELEM(sys); i++) {
		emit(ldr(0, 30, sys[i].off));
		emit(MSR | sys[i].reg);
	}
	emit(ldr(0, 30, AT(sp)));
	emit(0x9100001f);                              /* mov sp, x0 */
	for (int i = 0; i < 32; i++)
		emit(ldrq(i, 30, AT(v[i])));
	for (int i = 0; i < 31; i++)
		emit(ldr(i, 30, AT(x[i])));
}

static void
storeall(const struct state *s, const struct state *init)
{
	static const struct { u32 reg; size_t off; } sys[] = {
		{TPIDR_, AT(x[30])}, {NZCV_, AT(nzcv)}, {FPCR_, AT(fpcr)}, {FPSR_, AT(fpsr)},
	};

	emit(MSR | TPIDR_ | 30);
	address(30, s);
	for (int i = 0; i < 30; i++)
		emit(str(i, 30, AT(x[i])));
	for (int i = 0; i < 32; i++)
		emit(strq(i, 30, AT(v[i])));
	emit(0x910003e0);                              /* mov x0, sp */
	emit(str(0, 30, AT(sp)));
	for (size_t i = 0; i < NELEM(sys); i++) {
		emit(MRS | sys[i].reg);
		emit(str(0, 30, sys[i].off));
	}
	address(1, init);                              /* memory was changed in place: copy it */
	for (int i = 0; i < MEM; i += 16) {
		emit(ldrq(0, 1, AT(mem) + i));
		emit(strq(0, 30, AT(mem) + i));
	}
}

/* -- one random instruction -- */

/* lines that leave, or differ between runs and emulators (dc zva: the block's size) */
static int
skipped(int id)
{
	static const u16 list[] = {
		a64_eret, a64_drps, a64_udf, a64_svc, a64_hvc, a64_smc, a64_brk, a64_hlt, a64_dcps1, a64_dcps2,
		a64_dcps3, a64_yield, a64_wfe, a64_wfi, a64_esb, a64_msr_i, a64_sys, a64_sysl, a64_isb,
		a64_ic_ivau, a64_dc_zva, a64_dc_cvap, a64_dc_cvadp, a64_hint, a64_nop,
	};

	for (size_t i = 0; i < NELEM(list); i++)
		if (list[i] == id)
			return 1;
	return 0;
}

enum { PLAIN, UIMM, PAIR, REGOFF, LITERAL, EXCL, ATOMIC, OTHERMEM };

/* what kind of access a word makes, DDI 0487 C4.1.88 */
static int
memclass(u32 w)
{
	if ((w >> 25 & 5) != 4)
		return PLAIN;
	if ((w & 0x3b000000) == 0x39000000)
		return UIMM;
	if ((w & 0x3a000000) == 0x28000000)
		return PAIR;
	if ((w & 0x3b200c00) == 0x38200800)
		return REGOFF;
	if ((w & 0x3b000000) == 0x18000000)
		return LITERAL;
	if ((w & 0x3f000000) == 0x08000000)
		return EXCL;
	if ((w & 0x3b200c00) == 0x38200000)
		return ATOMIC;
	return OTHERMEM;
}

/* Pulls offsets into the window; 0 if register overlap makes the word unpredictable. */
static int
tame(u32 *w, int class)
{
	int rd = *w & 31, rn = *w >> 5 & 31, rt2 = *w >> 10 & 31, rs = *w >> 16 & 31;
	int vector = *w >> 26 & 1;

	if (class == UIMM)
		*w &= ~(0xff0u << 10);
	if (class == PAIR) {
		*w &= ~(7u << 18);
		*w |= *w >> 21 & 1 ? 7u << 18 : 0;
		if (rd == rt2 || (!vector && (*w >> 23 & 1) && (rn == rd || rn == rt2)))
			return 0;
	}
	if (class == LITERAL)
		*w = (*w & ~(0x7ffffu << 5)) | (rnd() % 64) << 5;
	if (class == REGOFF && (rs == rn || rs == 31))
		return 0;
	if (class == EXCL && !(*w & 0x00400000) && (rs == rn || rs == rd || rs == rt2))
		return 0;
	if (class == EXCL && (*w & 0x00600000) == 0x00600000 && rd == rt2)
		return 0;
	if ((*w & 0x3f200c00) == 0x19000000)           /* stlur, ldapur: aligned */
		*w &= ~(15u << 12);
	if (class == OTHERMEM && !vector && rn == rd)  /* writeback */
		return 0;
	return 1;
}

/* so that compare-and-swap finds what it compares with, half of the time */
static void
meet(struct state *s, u32 w, int id)
{
	int rs = w >> 16 & 31, wide = w >> 30 & 1;

	if (id != a64_cas && id != a64_casp)
		return;
	if (rs == 31 || rs == 30 || rnd() & 1)
		return;
	if (id == a64_cas || wide) {
		memcpy(s->mem + MID, &s->x[rs], 8);
		memcpy(s->mem + MID + 8, &s->x[rs + 1], 8);
	} else {
		memcpy(s->mem + MID, &s->x[rs], 4);
		memcpy(s->mem + MID + 4, &s->x[rs + 1], 4);
	}
}

static void
setreg(struct state *s, int reg, u64 v)
{
	if (reg == 31)
		s->sp = v;
	else
		s->x[reg] = v;
}

/* a small index; what the extension cuts off is random */
static u64
smallindex(int ext)
{
	u64 v = (u64)(s64)(s32)(rnd() % 16) - (ext & 4 ? 8 : 0);

	return (ext & 3) == 3 ? v : (rnd64() & ~(u64)0xffffffff) | (u32)v;
}

/* registers an access goes through; the load-exclusive a store-exclusive needs */
static void
arrange(struct state *s, u32 w, int class, int id)
{
	int rn = w >> 5 & 31, aligned = class == EXCL || class == ATOMIC || rn == 31 || rnd() & 1;

	if ((w & 0x3f200c00) == 0x38200000 || (w & 0x3f200c00) == 0x19000000)
		aligned = 1;
	setreg(s, rn, (u64)s->mem + MID + (aligned ? 0 : rnd() % 16));
	if (class == REGOFF)
		setreg(s, w >> 16 & 31, smallindex(w >> 13 & 7));
	meet(s, w, id);
	if (id == a64_stxr)
		emit((w & 0xc0000000) | 0x085f7c00 | rn << 5 | 31);
	if (id == a64_stxp)
		emit((w & 0xc0000000) | 0x087f0000 | (rn == 26 ? 25 : 26) << 10 | rn << 5 |
		     (rn == 27 ? 24 : 27));
}

/* branches go over one instruction */
static int
branch(u32 w, int id)
{
	int rn = w >> 5 & 31;

	switch (id) {
	case a64_b: case a64_bl:
		emit((w & 0xfc000000) | 2);
		break;
	case a64_b_cond: case a64_cbz: case a64_cbnz:
		emit((w & ~(0x7ffffu << 5)) | 2 << 5);
		break;
	case a64_tbz: case a64_tbnz:
		emit((w & ~(0x3fffu << 5)) | 2 << 5);
		break;
	case a64_br: case a64_blr: case a64_ret: case a64_ret_lr:
		if (rn == 31)
			return 0;
		emit(0x10000000 | 3 << 5 | rn);        /* adr rn, .+12 */
		emit(w);
		break;
	default:
		return 0;
	}
	emit(0x91000400 | 7 << 5 | 7);                 /* add x7, x7, 1 */
	return 1;
}

/* appends a random instruction of a line; 0: none */
static int
instruction(struct state *s, int simd, int id, int alone)
{
	struct a64_insn a;
	struct a64v_insn v;
	u32 w = simd ? a64v_random(id, rnd()) : a64_random(id, rnd());
	int class = memclass(w);

	/* QEMU 7.2 sign-extends the 16-bit result of these, the manual clears the rest */
	if (simd && (w & 0xdff07c00) == 0x5f107c00)
		return 0;
	if (simd ? a64v_decode(w, &v) != id : skipped(id) || a64_decode(w, &a) != id)
		return 0;
	if (!simd && branch(w, id))
		return 1;
	if (!simd && (id == a64_mrs || id == a64_msr))
		w = (w & 0xfff00000) | 0x180000 | NZCV_ | (w & 31);
	if (!simd && (id >= a64_dc_cvac && id <= a64_dc_civac)) {
		if (!alone || (w & 31) == 31)
			return 0;
		setreg(s, w & 31, (u64)s->mem + MID + rnd() % 64);
	} else if (class != PLAIN) {
		if (!alone || !tame(&w, class))
			return 0;
		arrange(s, w, class, id);
	} else if (!simd && a.flow != FLOW_NEXT) {
		return 0;
	}
	emit(w);
	return 1;
}

static void
randomstate(struct state *s)
{
	for (int i = 0; i < 31; i++)
		s->x[i] = integer();
	s->sp = integer();
	s->nzcv = (u64)(rnd() & 15) << 28;
	s->fpcr = s->fpsr = 0;
	for (int i = 0; i < 32; i++)
		s->v[i][0] = integer(), s->v[i][1] = integer();
	for (int i = 0; i < MEM; i++)
		s->mem[i] = (u8)rnd();
}

/* One line alone, or it and a few others in a row that access no memory. */
static void
addbatch(int simd, int id, int n)
{
	struct batch *b = &batch[nbatch];
	struct state *s = &im->init[nbatch];
	u32 start = ncode;

	randomstate(s);
	loadall(s);
	*b = (struct batch){.from = ncode, .id = id, .simd = (u8)simd};
	if (!instruction(s, simd, id, 1)) {
		ncode = start;
		return;
	}
	while (--n > 0)
		instruction(s, simd, 1 + rnd() % ((simd ? a64v_COUNT : a64_COUNT) - 1), 0);
	b->to = ncode;
	storeall(&im->result[nbatch], s);
	nbatch++;
}

static void
finish(void)
{
	Elf64_Ehdr eh = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = EM_AARCH64, .e_version = EV_CURRENT, .e_entry = BASE + 0x1000,
		.e_phoff = sizeof eh, .e_ehsize = sizeof eh, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1,
	};
	Elf64_Phdr ph = {
		.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_vaddr = BASE, .p_paddr = BASE,
		.p_filesz = sizeof *im, .p_memsz = sizeof *im, .p_align = 4096,
	};

	emit(0xd2800020);                              /* write(1, result, nbatch * sizeof) */
	address(1, im->result);
	address(2, (void *)(nbatch * sizeof *im->result));
	emit(0xd2800808);
	emit(0xd4000001);
	emit(0xd2800000);                              /* exit_group(0) */
	emit(0xd2800bc8);
	emit(0xd4000001);
	memcpy(im->code, &eh, sizeof eh);
	memcpy(im->code + sizeof eh, &ph, sizeof ph);
}

/* -- both ways of running it -- */

/* results of the reference, or 0 if there is none */
static struct state *
reference(void)
{
	static struct state out[MAXBATCH];
	const char *emu = getenv("REFERENCE");
	char path[] = "/tmp/exec_arm64_XXXXXX", cmd[256];
	int fd = mkstemp(path);
	size_t want = nbatch * sizeof *out, got;

	if (fd < 0 || write(fd, im, sizeof *im) != sizeof *im || fchmod(fd, 0700))
		fail_msg("cannot write %s", path);
	close(fd);
	snprintf(cmd, sizeof cmd, "%s %s 2>/dev/null", emu ? emu : "qemu-aarch64 -cpu max,pauth=off", path);
	FILE *f = popen(cmd, "r");
	got = fread(out, 1, want, f);
	pclose(f);
	if (!getenv("KEEP"))
		unlink(path);
	if (got != want && !emu)
		return 0;
	assert_int_equal(got, want);
	return out;
}

static void
tocpu(struct cpu *cpu, const struct state *s)
{
	memcpy(cpu->state, s->x, 31 * 8);
	*a64_state(cpu, 8 * A64_SP) = s->sp;
	u32 n = (u32)s->nzcv >> 28;
	*a64_state(cpu, A64_OFF_NZCV) = a64_nzcv2fl((int)n);
	*a64_state(cpu, A64_OFF_FPCR) = s->fpcr;
	*a64_state(cpu, A64_OFF_FPSR) = s->fpsr;
	for (int i = 0; i < 32; i++)
		memcpy(a64_vreg(cpu, i), s->v[i], 16);
	arm64_fpenter(cpu);
	cpu->excl_addr = ~(u64)0;
}

static void
fromcpu(struct cpu *cpu, struct state *s, const struct state *init)
{
	u64 fl = *a64_state(cpu, A64_OFF_NZCV);

	arm64_fpleave(cpu);
	memcpy(s->x, cpu->state, 31 * 8);
	s->sp = *a64_state(cpu, 8 * A64_SP);
	s->nzcv = (fl & FL_N ? 1u << 31 : 0) | (fl & FL_Z ? 1u << 30 : 0) | (fl & FL_C ? 1u << 29 : 0) |
	    (fl & FL_V ? 1u << 28 : 0);
	s->fpcr = *a64_state(cpu, A64_OFF_FPCR);
	s->fpsr = *a64_state(cpu, A64_OFF_FPSR);
	for (int i = 0; i < 32; i++)
		memcpy(s->v[i], a64_vreg(cpu, i), 16);
	memcpy(s->mem, init->mem, MEM);
}

/* translates from cpu->pc to the block's end or `end`, and evaluates it */
static enum evalend
runblock(struct cpu *cpu, struct region *r, u64 end)
{
	static u64 val[1 << 16];
	struct tr t = {.r = r, .pc = cpu->pc, .mode = guest_aarch64.mode(cpu)};
	struct eval e = {.cpu = cpu, .guest = &guest_aarch64, .val = val};
	int going = 1;

	region_init(r, &guest_aarch64, t.pc, t.mode);
	ir_block(r, t.pc);
	while (going && t.pc != end) {
		t.p = (const u8 *)t.pc;
		t.n = 4;
		going = guest_aarch64.translate(&t);
	}
	if (going)
		tr_jmp(&t, t.pc);
	e.ins = r->ins;
	e.k = r->k;
	e.first = r->block[0].first;
	e.pc = r->block[0].pc;
	e.fpnan = r->fpnan;
	e.stride = eval_stride(r->ins + e.first, r->block[0].n);
	assert_true(e.stride * r->block[0].n <= (int)NELEM(val));
	return eval_block(&e, r->block[0].n);
}

static int
run(const struct batch *b, struct state *out)
{
	static struct cpu cpu;
	static struct region r;
	const struct state *init = &im->init[b - batch];
	u64 end = BASE + b->to;

	tocpu(&cpu, init);
	cpu.guest = &guest_aarch64;
	cpu.pc = BASE + b->from;
	while (cpu.pc != end)
		if (runblock(&cpu, &r, end) == EVAL_LEFT && cpu.why != WHY_FLUSH)
			return 0;
	fromcpu(&cpu, out, init);
	return 1;
}

/* -- comparing -- */

static void
show(const struct batch *b, const struct state *ours, const struct state *theirs)
{
	const struct state *s = &im->init[b - batch];
	char text[128];

	for (u32 at = b->from; at < b->to; at += 4) {
		a64_disasm(im->code + at, 4, BASE + at, text, sizeof text);
		printf("  %08x  %s\n", ld32(im->code + at), text);
	}
	for (int i = 0; i < (int)(AT(mem) / 8); i++) {
		u64 x = ((u64 *)ours)[i], y = ((u64 *)theirs)[i];

		if (x != y)
			printf("    %s[%d] was %016llx ours %016llx theirs %016llx\n",
			       i < 31 ? "x" : i > 35 ? "v" : "sp nzcv fpcr fpsr: x", i > 35 ? (i - 36) / 2 : i,
			       (unsigned long long)((u64 *)s)[i], (unsigned long long)x, (unsigned long long)y);
	}
	for (int i = 0; i < MEM; i++)
		if (ours->mem[i] != theirs->mem[i])
			printf("    mem[%d] ours %02x theirs %02x\n", i - MID, ours->mem[i], theirs->mem[i]);
}

static void
compare(void)
{
	static struct state ours;
	struct state *ref = reference();
	int bad = 0, lastbad = -1;

	if (!ref) {
		printf("no reference emulator: skipped\n");
		skip();
	}
	for (int i = 0; i < nbatch; i++) {
		struct batch *b = &batch[i];
		int ran = run(b, &ours);

		ours.pad = ref[i].pad;
		if (ran && !memcmp(&ours, &ref[i], sizeof ours))
			continue;
		if (b->id != lastbad && bad++ < 30) {
			printf("%s: %s\n", b->simd ? a64v_name[b->id] : a64_name[b->id], ran ? "differs" : "trapped");
			show(b, ran ? &ours : &ref[i], &ref[i]);
		}
		lastbad = b->id;
	}
	printf("%d batches, %d lines differ\n", nbatch, bad);
	if (bad)
		fail();
}

static void
begin(void)
{
	static int mapped;
	const char *s = getenv("DRAGOMAN_SEED");

	if (!mapped++ && mmap(im, sizeof *im, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_FIXED_NOREPLACE, -1, 0) != im)
		fail_msg("address %p is taken", (void *)im);
	memset(im, 0, sizeof *im);
	ncode = 0x1000;
	nbatch = 0;
	only = getenv("ONLY");
	rng = s ? strtoull(s, 0, 0) : (u64)time(0) * 2654435761u | 1;
	printf("DRAGOMAN_SEED=%llu\n", (unsigned long long)rng);
}

/* `each` batches of n instructions for every line */
static void
addlines(int simd, int each, int n)
{
	for (int id = 1; id < (simd ? (int)a64v_COUNT : (int)a64_COUNT); id++) {
		if (only && !strstr(simd ? a64v_name[id] : a64_name[id], only))
			continue;
		for (int i = 0; i < each * 4 && nbatch < MAXBATCH && ncode < CODE - (1 << 16); i++) {
			int was = nbatch;

			addbatch(simd, id, n);
			i += nbatch > was ? 3 : 0;
		}
	}
	finish();
}

static void
test_integer_lines(void **s)
{
	(void)s;
	begin();
	addlines(0, 12, 1);
	compare();
}

static void
test_integer_sequences(void **s)
{
	(void)s;
	begin();
	addlines(0, 8, 8);
	compare();
}

static void
test_simd_lines(void **s)
{
	(void)s;
	begin();
	addlines(1, 5, 1);
	compare();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integer_lines),
		cmocka_unit_test(test_integer_sequences),
		cmocka_unit_test(test_simd_lines),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
