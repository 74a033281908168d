/* SPDX-License-Identifier: MIT */
/* risu_arm64.c - random AArch64 instructions under two emulators, state compared
 *
 *	risu_arm64 [-b | -g] [-s seed] [-n batches] [-k instructions] [-o only] EMULATOR EMULATOR
 *
 * writes a static program that, for every batch, loads all registers, FPCR and a piece of memory
 * with chosen and random values, runs k random instructions, and stores everything; at the end
 * it writes all it stored to its output.  Both emulators run it; the first batches that differ are
 * printed.  The emulator "eval" is our translator and the IR's evaluation, in this process.
 * -b takes the lines of base.isa instead of those of simd.isa, -o those whose name
 * begins with a text.  Exit status 0: equal.
 *
 * -g prints, instead of comparing, what each instruction does under the first emulator, as lines
 * for tests/insn/arm64 (see test_tr_simd.c).
 *
 * x30 points to the batch's record, x26, x28 and x29 into its memory (x26 aligned, sp is the same),
 * x27 is a small index; no instruction writes them but by writing back. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "a64run.h"
#include "a64state.h"
#include "arm64/simd.h"

enum {
	BASE = 0x100000, MAXBATCH = 4000, MAXINSN = 64, CODE = 1 << 22,
	RECORD = 30,
};
static struct state init[MAXBATCH], result[2][MAXBATCH];
static u8 code[CODE];
static u32 ncode, from[MAXBATCH], to[MAXBATCH];
static u64 fillseed[MAXBATCH];
static int nbatch = 500, ninsn = 4, base, golden, line;
static int moved, exclwidth;           /* of the batch so far: pointers written back; last ldx */
static const char *only;

/* -- code -- */

static void
emit(u32 w)
{
	st32(code + ncode, w);
	ncode += 4;
	if (ncode + 4096 > CODE) {
		fprintf(stderr, "too much code\n");
		exit(2);
	}
}

static void
number(int reg, u64 v)
{
	emit(0xd2800000 | (u32)(v & 0xffff) << 5 | (u32)reg);
	emit(0xf2a00000 | (u32)(v >> 16 & 0xffff) << 5 | (u32)reg);
}

enum { LDR_X = 0xf9400000, STR_X = 0xf9000000, LDR_Q = 0x3dc00000, STR_Q = 0x3d800000 };
enum { NZCV = 0x4200, FPCR = 0x4400, FPSR = 0x4420, MSR = 0xd51b0000, MRS = 0xd53b0000 };

static void
slot(u32 op, int reg, size_t off)
{
	int scale = op == LDR_Q || op == STR_Q ? 16 : 8;

	emit(op | (u32)(off / (size_t)scale) << 10 | RECORD << 5 | (u32)reg);
}

static u64 initat(int b) { return BASE + CODE + (u64)b * sizeof(struct state); }

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

static int isgeneral(char c) { return c && strchr("xwrg", c); }

/* a pointer register that still points into the memory, or -1 */
static int
getpointer(int aligned, int wback)
{
	int reg = aligned ? ALIGNED : pointer[rnd() % 3];

	if (moved >> reg & 1)
		return -1;
	moved |= wback << reg;
	return reg;
}

/* Makes the instruction one that can run here. */
static int
usable(struct a64v_insn *a, int id)
{
	const char *text = a64v_text[id];
	int reg;

	if (isgeneral(letter(text, "rd")))
		a->rd = a->rd % 26;
	if (isgeneral(letter(text, "rn")) && a->rn == RECORD)
		a->rn = 31;
	if (letter(text, "imm") == 'p')
		a->imm = (s32)(rnd() % 32) * 4;
	if (letter(text, "rn") != 'X')
		return 1;
	if ((reg = getpointer(0, a->wback || strstr(text, "{rm:u}"))) < 0)
		return 0;
	a->rn = (u8)reg;
	if (letter(text, "rm") == 'e')
		a->rm = INDEX;
	if (letter(text, "imm") == 'O')
		a->imm = (s16)(rnd() % 32);
	return 1;
}

static u32
simdword(void)
{
	struct a64v_insn a;
	int id = golden ? line : 1 + (int)(rnd() % (a64v_COUNT - 1));

	if (only && strncmp(a64v_name[id], only, strlen(only)))
		return 0;
	if (a64v_decode(a64v_random(id, rnd()), &a) != id || !usable(&a, id))
		return 0;
	if (id == a64v_fcvtzs_si && a.imm < 32)
		return 0;              /* QEMU leaves the sign in bits 31:16 of a half, against C7.2.92 */
	u32 w = a64v_encode(&a);
	return a64v_decode(w, &a) == id ? w : 0;
}

/* -- base.isa -- */

static u8 spare(int reg) { return (u8)(reg >= 26 && reg < 31 ? reg - 10 : reg); }

/* whether an access must be aligned: exclusive, atomic, acquire and release */
static int
isaligned(u32 w)
{
	return (w & 0x3f000000) == 0x08000000 || (w & 0x3b200c00) == 0x38200000 ||
	    (w & 0x3f200c00) == 0x19000000;
}

/* A store-exclusive of another width than the load may succeed or not. */
static int
width(const struct a64_insn *a, int id)
{
	return id == a64_ldxp || id == a64_stxp ? 8 + a->sf : a->size;
}

static int
usablebase(struct a64_insn *a, int id, u32 w)
{
	const char *text = a64_text[id];
	int reg;

	if (a->flow != FLOW_NEXT || id == a64_msr || id == a64_mrs || !strncmp(a64_name[id], "dc_", 3))
		return 0;
	/* pointer authentication, which QEMU does; others make it forget an exclusive load */
	if (id == a64_hint || id == a64_yield || id == a64_wfe || id == a64_wfi)
		return 0;
	if ((id == a64_stxr || id == a64_stxp) && exclwidth != width(a, id))
		return 0;
	a->rd = spare(a->rd);
	a->rt2 = spare(a->rt2);
	a->rs = spare(a->rs);
	if ((letter(text, "rt2") && a->rd == a->rt2) ||
	    (letter(text, "rs") == 'W' && (a->rs == a->rd || a->rs == a->rt2)))
		return 0;              /* constrained unpredictable */
	if (strstr(a64_name[id], "_xl") || strstr(a64_name[id], "_wl") || id == a64_ldrsw_l)
		a->imm = (s32)(rnd() % 32) * 4;
	if (letter(text, "rn") != 'S' || !strstr(text, "[{rn"))
		return 1;
	if ((reg = getpointer(isaligned(w), a->wb != 0)) < 0)
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

static u32
baseword(void)
{
	struct a64_insn a;
	int id = 1 + (int)(rnd() % (a64_COUNT - 1));

	if (only && strncmp(a64_name[id], only, strlen(only)))
		return 0;
	u32 w = a64_random(id, rnd());
	if (a64_decode(w, &a) != id || !usablebase(&a, id, w))
		return 0;
	w = a64_encode(&a);
	if (a64_decode(w, &a) != id)
		return 0;
	if (id == a64_ldxr || id == a64_ldxp)
		exclwidth = width(&a, id);
	return w;
}

static void
instruction(void)
{
	u32 w;

	while (!(w = base ? baseword() : simdword()))
		;
	emit(w);
}

static void
batch(int b)
{
	struct state *s = &init[b];

	fillseed[b] = rnd64();
	fill(s, initat(b), fillseed[b]);
	number(RECORD, initat(b));
	slot(LDR_X, 0, offsetof(struct state, nzcv));
	emit(MSR | NZCV);
	slot(LDR_X, 0, offsetof(struct state, fpcr));
	emit(MSR | FPCR);
	emit(MSR | FPSR | 31);
	for (int i = 0; i < 32; i++)
		slot(LDR_Q, i, offsetof(struct state, v[i]));
	for (int i = 0; i < 30; i++)
		slot(LDR_X, i, offsetof(struct state, x[i]));
	emit(0x9100035f);                      /* mov sp, x26 */
	moved = 0;
	exclwidth = -1;
	from[b] = ncode;
	for (int n = 0; n < ninsn; n++)
		instruction();
	to[b] = ncode;
	for (int i = 0; i < 30; i++)
		slot(STR_X, i, offsetof(struct state, x[i]));
	for (int i = 0; i < 32; i++)
		slot(STR_Q, i, offsetof(struct state, v[i]));
	emit(MRS | NZCV);
	slot(STR_X, 0, offsetof(struct state, nzcv));
	emit(MRS | FPSR);
	slot(STR_X, 0, offsetof(struct state, fpsr));
}

/* With -g batch b is of line b modulo their number, except those that read the code. */
static void
program(void)
{
	for (int b = 0; b < nbatch; b++) {
		if (golden)
			line = 1 + b % (a64v_COUNT - 1);
		while (golden && letter(a64v_text[line], "imm") == 'p')
			line++;
		batch(b);
	}
	number(8, 64);                         /* write(1, states, size) */
	number(0, 1);
	number(1, initat(0));
	number(2, (u64)nbatch * sizeof(struct state));
	emit(0xd4000001);
	number(8, 93);                         /* exit(0) */
	number(0, 0);
	emit(0xd4000001);
}

static void
writeelf(const char *path)
{
	Elf64_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
		EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = EM_AARCH64, .e_version = EV_CURRENT, .e_entry = BASE,
		.e_phoff = sizeof h, .e_ehsize = sizeof h, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2};
	Elf64_Phdr ph[2] = {
		{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 4096, .p_vaddr = BASE, .p_paddr = BASE,
			.p_filesz = CODE, .p_memsz = CODE, .p_align = 4096},
		{.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 4096 + CODE, .p_vaddr = BASE + CODE,
			.p_paddr = BASE + CODE, .p_filesz = sizeof init, .p_memsz = sizeof init, .p_align = 4096},
	};
	FILE *f = fopen(path, "w");

	if (!f || fwrite(&h, sizeof h, 1, f) != 1 || fwrite(ph, sizeof ph, 1, f) != 1
	    || fseek(f, 4096, SEEK_SET) || fwrite(code, CODE, 1, f) != 1
	    || fwrite(init, sizeof init, 1, f) != 1 || fclose(f)) {
		perror(path);
		exit(2);
	}
	chmod(path, 0755);
}

/* -- running -- */

static void
runeval(struct state *out)
{
	static struct cpu cpu;
	int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	u8 *p = mmap((void *)BASE, CODE + sizeof init, prot, flags, -1, 0);
	const char *wrong;

	if (p != (u8 *)BASE) {
		perror("mmap");
		exit(2);
	}
	memcpy(p, code, CODE);
	memcpy(p + CODE, init, sizeof init);
	guest_aarch64.reset(&cpu);
	cpu.guest = &guest_aarch64;
	cpu.pc = BASE;
	wrong = a64run(&cpu, BASE + CODE);
	if (wrong || cpu.why != WHY_CALL) {
		printf("eval: %s at %llx, trap %u\n", wrong ? wrong : "left", (unsigned long long)cpu.pc,
		       cpu.trap);
		exit(2);
	}
	memcpy(out, p + CODE, sizeof init);
	munmap(p, CODE + sizeof init);
}

static void
run(const char *emulator, const char *path, struct state *out)
{
	char cmd[500];
	FILE *f;

	if (!strcmp(emulator, "eval")) {
		runeval(out);
		return;
	}
	snprintf(cmd, sizeof cmd, "%s %s", emulator, path);
	f = popen(cmd, "r");
	if (!f || fread(out, sizeof *out, (size_t)nbatch, f) != (size_t)nbatch || pclose(f)) {
		printf("%s failed\n", cmd);
		exit(2);
	}
}

/* -- reporting -- */

static void
showvector(const char *name, int i, const u64 *v)
{
	printf("%s%d %016llx_%016llx", name, i, (unsigned long long)v[1], (unsigned long long)v[0]);
}

static void
showregs(const struct state *s, const struct state *t, const struct state *i)
{
	for (int r = 0; r < 32; r++) {
		if (!memcmp(s->v[r], t->v[r], 16))
			continue;
		showvector("  v", r, s->v[r]);
		showvector(", ", r, t->v[r]);
		printf("\n");
	}
	for (int r = 0; r < 30; r++)
		if (s->x[r] != t->x[r])
			printf("  x%d %016llx, %016llx; before %016llx\n", r, (unsigned long long)s->x[r],
			       (unsigned long long)t->x[r], (unsigned long long)i->x[r]);
	if (s->nzcv != t->nzcv || s->fpsr != t->fpsr)
		printf("  nzcv %llx, %llx  fpsr %llx, %llx\n", (unsigned long long)s->nzcv,
		       (unsigned long long)t->nzcv, (unsigned long long)s->fpsr, (unsigned long long)t->fpsr);
	for (int k = 0; k < MEM; k++)
		if (s->mem[k] != t->mem[k])
			printf("  mem%+d %02x, %02x; before %02x\n", k - MEMAT, s->mem[k], t->mem[k], i->mem[k]);
}

static void
show(int b)
{
	char text[100];
	const struct state *i = &init[b];

	for (u32 at = from[b]; at < to[b]; at += 4) {
		u32 w = ld32(code + at), rn = w >> 5 & 31, rm = w >> 16 & 31, rd = w & 31;

		a64_disasm(code + at, 4, BASE + at, text, sizeof text);
		printf("  %x: %08x\t%s\n   ", BASE + at, w, text);
		if (base) {
			printf(" n %llx m %llx d %llx", (unsigned long long)i->x[rn % 30],
			       (unsigned long long)i->x[rm % 30], (unsigned long long)i->x[rd % 30]);
		} else {
			showvector(" n", (int)rn, i->v[rn]);
			showvector(" m", (int)rm, i->v[rm]);
			showvector(" d", (int)rd, i->v[rd]);
		}
		printf("\n");
	}
	printf("  nzcv %llx", (unsigned long long)i->nzcv);
	printf("  fpcr %llx\n", (unsigned long long)i->fpcr);
	showregs(&result[0][b], &result[1][b], i);
}

static int
compare(void)
{
	int bad = 0;

	for (int b = 0; b < nbatch; b++)
		if (memcmp(&result[0][b], &result[1][b], sizeof(struct state)) && bad++ < 8) {
			printf("batch %d differs:\n", b);
			show(b);
		}
	return bad;
}

static void
print(void)
{
	char change[4000], text[100];

	for (int b = 0; b < nbatch; b++) {
		u32 w = ld32(code + from[b]);

		simd_disasm(w, 0, text, sizeof text);
		describe(&init[b], &result[0][b], change, sizeof change);
		printf("%08x %016llx %llx%s  # %s\n", w, (unsigned long long)fillseed[b],
		       (unsigned long long)initat(b), change, text);
	}
}

int
main(int argc, char **argv)
{
	char path[] = "/tmp/risu-XXXXXX";
	struct timespec now;
	int c, bad;

	clock_gettime(CLOCK_REALTIME, &now);
	rng = ((u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec) * 0x9e3779b97f4a7c15;
	while ((c = getopt(argc, argv, "bgs:n:k:o:")) != -1)
		switch (c) {
		case 's': rng = strtoull(optarg, 0, 0); break;
		case 'n': nbatch = atoi(optarg); break;
		case 'k': ninsn = atoi(optarg); break;
		case 'b': base = 1; break;
		case 'g': golden = 1; break;
		case 'o': only = optarg; break;
		default: return 2;
		}
	if (optind + 2 - golden != argc || nbatch < 1 || nbatch > MAXBATCH || ninsn < 1 ||
	    ninsn > MAXINSN) {
		fprintf(stderr, "usage: risu_arm64 [-b | -g] [-s seed] [-n batches] [-k instructions] "
		        "[-o only] EMULATOR EMULATOR\n");
		return 2;
	}
	fprintf(stderr, "risu_arm64 -s %llu\n", (unsigned long long)rng);
	if (golden)
		ninsn = 1;
	program();
	close(mkstemp(path));
	writeelf(path);
	run(argv[optind], path, result[0]);
	if (!golden)
		run(argv[optind + 1], path, result[1]);
	unlink(path);
	if (golden) {
		print();
		return 0;
	}
	bad = compare();
	printf("%d of %d batches differ\n", bad, nbatch);
	return bad != 0;
}
