/* SPDX-License-Identifier: MIT */
/* risu_riscv.c - random RISC-V instructions under two emulators, state compared
 *
 *	risu_riscv [-s seed] [-n batches] [-k instructions] [-o only] EMULATOR EMULATOR
 *
 * writes a static program that, for every batch, loads all registers and a piece of memory with
 * chosen and random values, runs k random instructions, and stores everything; at the end it
 * writes all it stored to its output.  Both emulators run it; the first batches that differ are
 * printed.  The emulator "eval" is our translator and the IR's evaluation, in this process.
 * -o restricts it to lines of riscv.isa and rvc.isa whose name contains a text.  Exit status 0: equal. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "rvrun.h"
#include "riscv/rvc.h"

enum {
	BASE = 0x100000, MAXBATCH = 1000, MAXINSN = 64, CODE = 1 << 21,
	MEM = 1024, MEMAT = 128,       /* bytes of memory of a batch; where its pointers point */
};

struct state { u64 x[32], f[32], fcsr; u8 mem[MEM]; };
static struct state init[MAXBATCH], result[2][MAXBATCH];
static u8 code[CODE];
static u32 ncode, from[MAXBATCH], to[MAXBATCH];
static int nbatch = 200, ninsn = 8;
static const char *only;
static u64 rng;

static u32
rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (u32)(rng >> 16);
}

static u64 rnd64(void) { return (u64)rnd() << 32 | rnd(); }

/* -- values -- */

static u64
integer(void)
{
	static const u64 corner[] = {0, 1, 2, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff,
		0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000};
	u64 v = rnd() & 1 ? corner[rnd() % NELEM(corner)] : rnd64() >> rnd() % 64;

	return rnd() & 1 ? v : -v;
}

/* a number of e exponent and m significand bits: a corner, near one in size, or random */
static u64
real(int e, int m)
{
	u64 ones = zext(~(u64)0, e), frac = zext(rnd64(), m), bias = ones >> 1, exp;

	switch (rnd() % 8) {
	case 0: exp = ones; frac = rnd() & 1 ? 0 : frac; break;
	case 1: exp = 0; frac = rnd() & 1 ? 0 : frac; break;
	case 2: exp = zext(rnd(), e); break;
	case 3: exp = bias + rnd() % 66; frac &= ~(u64)0 << rnd() % m; break;
	case 4: exp = rnd() & 1 ? ones - 1 : 1; break;
	default: exp = bias + rnd() % 8 - 4; break;
	}
	return (u64)(rnd() & 1) << (e + m) | exp << m | frac;
}

static u64
fpvalue(void)
{
	switch (rnd() % 8) {
	case 0: return rnd64();
	case 1: case 2: return real(5, 10) | (u64)~0xffff;
	case 3: case 4: case 5: return real(8, 23) | ~(u64)0xffffffff;
	default: return real(11, 52);
	}
}

/* -- code -- */

/* registers that keep pointing into the batch's memory: 9 serves compressed accesses */
static int
pointer(int n)
{
	return n == 2 || n == 3 || n == 4 || n == 9;
}

static void
emit(u32 w, int len)
{
	if (len == 2)
		st16(code + ncode, (u16)w);
	else
		st32(code + ncode, w);
	ncode += (u32)len;
	if (ncode + 4096 > CODE)
		exit(2);
}

static void
put(int id, int rd, int rs1, int rs2, s64 imm)
{
	struct riscv_insn a = riscv_tmpl[id];

	a.rd = (u8)rd;
	a.rs1 = (u8)rs1;
	a.rs2 = (u8)rs2;
	a.imm = (s32)imm;
	emit(riscv_encode(&a), 4);
}

static void
address(int reg, u64 to)
{
	s64 low = sext(to, 12);

	put(riscv_lui, reg, 0, 0, (s64)to - low);
	put(riscv_addiw, reg, reg, 0, low);
}

/* lines that cannot run here: they leave, differ between runs, or the other emulator lacks them */
static int
skipped(int id)
{
	static const u16 list[] = {riscv_jalr, riscv_ecall, riscv_ebreak, riscv_clock, riscv_wrs_nto,
		riscv_wrs_sto, riscv_cbo_inval, riscv_cbo_clean, riscv_cbo_flush, riscv_cbo_zero,
		riscv_czero_eqz, riscv_czero_nez, riscv_none};

	for (size_t i = 0; i < NELEM(list); i++)
		if (list[i] == id)
			return 1;
	/* whether sc.w pairs with lr.d is the implementation's choice; QEMU 7.2 counts beyond the word */
	return !only && (id == riscv_lr_d || id == riscv_sc_d || id == riscv_ctzw);
}

/* the register number has a role in every line that has it; loads and stores go through pointers */
static int
usable(struct riscv_insn *a, int id, u32 w)
{
	int op = w & 0x7f, memory = op == 0x03 || op == 0x23 || op == 0x07 || op == 0x27 || op == 0x2f;
	static const u8 base[] = {2, 3, 4, 9};

	if (a->rm == 5 || a->rm == 6)
		a->rm = 7;
	if (op == 0x73) {
		a->csr = (u16)(1 + rnd() % 3);
		if (a->csr != CSR_FFLAGS && a->uimm && a->op == CSR_WRITE)
			a->csr = CSR_FRM, a->rs1 = (u8)(rnd() % 5);
		else if (a->csr != CSR_FFLAGS && a->op == CSR_WRITE)
			a->csr = CSR_FFLAGS;
		else if (a->csr != CSR_FFLAGS)
			a->rs1 = 0;
	}
	if (memory) {
		a->rs1 = base[rnd() % 4];
		a->imm = (s32)(rnd() % 256) - 128;
	}
	if (op == 0x63 || op == 0x6f)
		a->imm = 8;                    /* over the nop that follows */
	return id == riscv_fence || op == 0x63 || op == 0x23 || op == 0x27 || op == 0x0f || op == 0x07
	    || (op == 0x53 && strchr(riscv_text[id], '}') && !strncmp(strchr(riscv_text[id], '{'), "{rd:f}", 6))
	    || op == 0x43 || op == 0x47 || op == 0x4b || op == 0x4f || !pointer(a->rd);
}

static int
wide(void)
{
	struct riscv_insn a;
	u32 w;
	int id = 1 + (int)(rnd() % (riscv_COUNT - 1));

	if (skipped(id) || (only && !strstr(riscv_name[id], only)))
		return 0;
	w = riscv_random(id, rnd());
	if (riscv_decode(w, &a) != id || !usable(&a, id, w))
		return 0;
	emit(riscv_encode(&a), 4);
	if (a.id == riscv_jal || a.imm == 8)
		put(riscv_addi, 0, 0, 0, 0);
	return 1;
}

static int
compressed(void)
{
	struct rvc_insn c;
	u32 w;
	int id = 1 + (int)(rnd() % (rvc_COUNT - 1)), as;

	if (only && !strstr(rvc_name[id], only))
		return 0;
	w = rvc_random(id, rnd());
	if (rvc_decode(w, &c) != id || skipped(as = c.as))
		return 0;
	if (id == rvc_c_addi16sp || id == rvc_c_addi4spn)
		return 0;
	if (as == riscv_jal || as == riscv_beq || as == riscv_bne)
		c.imm = 4;
	if (as == riscv_lw || as == riscv_ld || as == riscv_fld || as == riscv_sw || as == riscv_sd || as == riscv_fsd)
		c.rs1 = strstr(rvc_name[id], "sp") ? 2 : 9;
	if (as != riscv_fld && as != riscv_beq && as != riscv_bne && as != riscv_sw && as != riscv_sd
	    && as != riscv_fsd && pointer(c.rd))
		return 0;
	emit(rvc_encode(&c), 2);
	if (as == riscv_jal || as == riscv_beq || as == riscv_bne)
		emit(1, 2);
	return 1;
}

static u64 initat(int b) { return BASE + CODE + (u64)b * sizeof(struct state); }

static void
batch(int b)
{
	struct state *s = &init[b];
	int n = 0;

	for (int i = 0; i < 32; i++) {
		s->x[i] = pointer(i) ? initat(b) + offsetof(struct state, mem) + MEMAT : integer();
		s->f[i] = fpvalue();
	}
	s->fcsr = (rnd() % 5) << FCSR_RM;
	for (int i = 0; i < MEM; i++)
		s->mem[i] = (u8)rnd();
	address(31, initat(b));
	put(riscv_ld, 1, 31, 0, offsetof(struct state, fcsr));
	emit(0x00309073, 4);                   /* csrrw x0, fcsr, x1 */
	for (int i = 0; i < 32; i++)
		put(riscv_fld, i, 31, 0, (s64)offsetof(struct state, f[i]));
	for (int i = 1; i < 32; i++)
		put(riscv_ld, i, 31, 0, (s64)offsetof(struct state, x[i]));
	from[b] = ncode;
	while (n < ninsn)
		n += rnd() % 4 ? wide() : compressed();
	to[b] = ncode;
	address(3, initat(b));
	for (int i = 1; i < 32; i++)
		put(riscv_sd, 0, 3, i, (s64)offsetof(struct state, x[i]));
	for (int i = 0; i < 32; i++)
		put(riscv_fsd, 0, 3, i, (s64)offsetof(struct state, f[i]));
	emit(0x003020f3, 4);                   /* csrrs x1, fcsr, x0 */
	put(riscv_sd, 0, 3, 1, offsetof(struct state, fcsr));
}

static void
program(void)
{
	for (int b = 0; b < nbatch; b++)
		batch(b);
	put(riscv_addi, RV_a7, 0, 0, 64);      /* write(1, states, size) */
	put(riscv_addi, RV_a0, 0, 0, 1);
	address(RV_a1, initat(0));
	address(RV_a2, (u64)nbatch * sizeof(struct state));
	emit(0x73, 4);
	put(riscv_addi, RV_a7, 0, 0, 93);      /* exit(0) */
	put(riscv_addi, RV_a0, 0, 0, 0);
	emit(0x73, 4);
}

static void
writeelf(const char *path)
{
	Elf64_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = EM_RISCV, .e_version = EV_CURRENT, .e_entry = BASE,
		.e_phoff = sizeof h, .e_ehsize = sizeof h, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
		.e_flags = 5 /* RVC, double-float ABI */};
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
	guest_riscv64.reset(&cpu);
	cpu.guest = &guest_riscv64;
	cpu.pc = BASE;
	wrong = rvrun(&cpu, BASE + CODE);
	if (wrong || cpu.why != WHY_CALL) {
		printf("eval: %s at %llx, trap %u\n", wrong ? wrong : "left", (unsigned long long)cpu.pc, cpu.trap);
		exit(2);
	}
	memcpy(out, p + CODE, sizeof init);
	munmap(p, CODE + sizeof init);
}

static void
run(const char *emulator, const char *path, struct state *out)
{
	if (!strcmp(emulator, "eval")) {
		runeval(out);
		return;
	}
	char cmd[500];
	FILE *f;

	snprintf(cmd, sizeof cmd, "%s %s", emulator, path);
	f = popen(cmd, "r");
	if (!f || fread(out, sizeof *out, (size_t)nbatch, f) != (size_t)nbatch || pclose(f)) {
		printf("%s failed\n", cmd);
		exit(2);
	}
}

static void
show(int b)
{
	char text[100];
	const struct state *s = &result[0][b], *t = &result[1][b], *i = &init[b];

	for (u32 at = from[b]; at < to[b]; ) {
		int n = rv_disasm(code + at, 4, BASE + at, text, sizeof text);
		printf("  %x: %0*x\t%s\n", BASE + at, n * 2, n == 2 ? ld16(code + at) : ld32(code + at), text);
		at += (u32)n;
	}
	for (int r = 1; r < RV_COUNT; r++) {
		const u64 *a = r < 32 ? &s->x[r] : r == RV_fcsr ? &s->fcsr : &s->f[r - RV_F0];
		size_t off = (size_t)((const u8 *)a - (const u8 *)s);

		if (r != RV_pc && *a != ld64((const u8 *)t + off))
			printf("  %-5s %016llx, %016llx; before %016llx\n", guest_riscv64.reg[r].name,
			       (unsigned long long)*a, (unsigned long long)ld64((const u8 *)t + off),
			       (unsigned long long)ld64((const u8 *)i + off));
	}
	for (int k = 0; k < MEM; k++)
		if (s->mem[k] != t->mem[k])
			printf("  mem%+d %02x, %02x; before %02x\n", k - MEMAT, s->mem[k], t->mem[k], i->mem[k]);
	for (int r = 0; r < 32; r++)
		printf("%s x%-2d %016llx f%-2d %016llx", r % 2 ? "  " : "\n ", r, (unsigned long long)i->x[r], r,
		       (unsigned long long)i->f[r]);
	printf("\n  fcsr %llx\n", (unsigned long long)i->fcsr);
}

static int
compare(void)
{
	int bad = 0;

	for (int b = 0; b < nbatch; b++)
		if (memcmp(&result[0][b], &result[1][b], sizeof(struct state)) && bad++ < 3) {
			printf("batch %d differs:\n", b);
			show(b);
		}
	return bad;
}

int
main(int argc, char **argv)
{
	char path[] = "/tmp/risu-XXXXXX";
	struct timespec now;
	int c, bad;

	clock_gettime(CLOCK_REALTIME, &now);
	rng = ((u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec) * 0x9e3779b97f4a7c15;
	while ((c = getopt(argc, argv, "s:n:k:o:")) != -1)
		switch (c) {
		case 's': rng = strtoull(optarg, 0, 0); break;
		case 'n': nbatch = atoi(optarg); break;
		case 'k': ninsn = atoi(optarg); break;
		case 'o': only = optarg; break;
		default: return 2;
		}
	if (optind + 2 != argc || nbatch < 1 || nbatch > MAXBATCH || ninsn < 1 || ninsn > MAXINSN) {
		fprintf(stderr, "usage: risu_riscv [-s seed] [-n batches] [-k instructions] [-o only] EMULATOR EMULATOR\n");
		return 2;
	}
	printf("risu_riscv -s %llu\n", (unsigned long long)rng);
	fflush(stdout);
	program();
	close(mkstemp(path));
	writeelf(path);
	run(argv[optind], path, result[0]);
	run(argv[optind + 1], path, result[1]);
	unlink(path);
	bad = compare();
	printf("%d of %d batches differ\n", bad, nbatch);
	return bad != 0;
}
