/* SPDX-License-Identifier: MIT */
/* sys.c - AArch64 system registers, system instructions, barriers, and what this CPU claims to be
 *
 * EL0 sees what Linux lets it see: its own registers directly, and the ID registers as the kernel
 * emulates them for HWCAP_CPUID (op0 3, op1 0, CRn 0; registers it does not know read as 0). */
#include <stdatomic.h>
#include <time.h>
#include "base/fp.h"
#include "base/gmem.h"
#include "base/vdso.h"
#include "frontend/arm64/arm64.h"

#include <stdio.h>

/* op0 op1 CRn CRm op2 as in bits 19:5 of mrs and msr (op0 without its top bit, which is 1) */
#define SYSREG(op0, op1, crn, crm, op2) (((op0) & 1) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

enum {
	NZCV = SYSREG(3, 3, 4, 2, 0),
	FPCR = SYSREG(3, 3, 4, 4, 0), FPSR = SYSREG(3, 3, 4, 4, 1),
	TPIDR_EL0 = SYSREG(3, 3, 13, 0, 2), TPIDRRO_EL0 = SYSREG(3, 3, 13, 0, 3),
	CNTFRQ_EL0 = SYSREG(3, 3, 14, 0, 0), CNTVCT_EL0 = SYSREG(3, 3, 14, 0, 2),
	CTR_EL0 = SYSREG(3, 3, 0, 0, 1), DCZID_EL0 = SYSREG(3, 3, 0, 0, 7),
	MIDR_EL1 = SYSREG(3, 0, 0, 0, 0), MPIDR_EL1 = SYSREG(3, 0, 0, 0, 5),
	REVIDR_EL1 = SYSREG(3, 0, 0, 0, 6),
	ID_FIRST = SYSREG(3, 0, 0, 2, 0), ID_LAST = SYSREG(3, 0, 0, 7, 7),
	ID_NONE = 0,
	ID_AA64PFR0 = SYSREG(3, 0, 0, 4, 0), ID_AA64PFR1 = SYSREG(3, 0, 0, 4, 1),
	ID_AA64DFR0 = SYSREG(3, 0, 0, 5, 0),
	ID_AA64ISAR0 = SYSREG(3, 0, 0, 6, 0), ID_AA64ISAR1 = SYSREG(3, 0, 0, 6, 1),
	ID_AA64MMFR0 = SYSREG(3, 0, 0, 7, 0), ID_AA64MMFR1 = SYSREG(3, 0, 0, 7, 1),
	ID_AA64MMFR2 = SYSREG(3, 0, 0, 7, 2),
};

/* How a register is read and written: by these functions, or not at all. */
struct sysreg {
	u16 reg;
	char name[14];
	ref (*read)(struct tr *, const struct sysreg *);
	int (*write)(struct tr *, const struct sysreg *, ref);
	u64 value;                             /* of a constant */
	int var;                               /* of a plain one */
};

static ref
readvar(struct tr *t, const struct sysreg *s)
{
	return tr_get(t, I64, s->var);
}

static int
writevar(struct tr *t, const struct sysreg *s, ref v)
{
	tr_put(t, I64, s->var, v);
	return 1;
}

static ref
readconst(struct tr *t, const struct sysreg *s)
{
	return tr_k(t, s->value);
}

/* NZCV has N in bit 31; ir.h has N Z in 15 14, C in 8, V in 0 */
static ref
readnzcv(struct tr *t, const struct sysreg *s)
{
	ref fl = tr_op1(t, O_flbits, I64, a64_flags(t));
	ref nz = tr_opk(t, O_shl, I64, tr_opk(t, O_and, I64, fl, FL_N | FL_Z), 16);
	ref c = tr_opk(t, O_shl, I64, tr_opk(t, O_and, I64, fl, FL_C), 21);
	ref v = tr_opk(t, O_shl, I64, tr_opk(t, O_and, I64, fl, FL_V), 28);

	(void)s;
	return tr_op2(t, O_or, I64, nz, tr_op2(t, O_or, I64, c, v));
}

static int
writenzcv(struct tr *t, const struct sysreg *s, ref x)
{
	ref nz = tr_opk(t, O_and, I64, tr_opk(t, O_shr, I64, x, 16), FL_N | FL_Z);
	ref c = tr_opk(t, O_and, I64, tr_opk(t, O_shr, I64, x, 21), FL_C);
	ref v = tr_opk(t, O_and, I64, tr_opk(t, O_shr, I64, x, 28), FL_V);

	(void)s;
	a64_setflags(t, tr_op1(t, O_flset, FL, tr_op2(t, O_or, I64, nz, tr_op2(t, O_or, I64, c, v))));
	return 1;
}

static ref
readfpsr(struct tr *t, const struct sysreg *s)
{
	(void)s;
	return tr_help(t, H_getfpsr, 0, 0, 0);
}

/* The first time all code is made anew, what follows included. */
static int
writefpsr(struct tr *t, const struct sysreg *s, ref v)
{
	(void)s;
	tr_help(t, H_setfpsr, v, 0, 0);
	return atomic_load(&fp_seen) ? 1 : tr_look(t);
}

/* The mode bits of FPCR choose the code that follows: look it up anew. */
static int
writefpcr(struct tr *t, const struct sysreg *s, ref v)
{
	(void)s;
	tr_help(t, H_setfpcr, v, 0, 0);
	return tr_look(t);
}

static ref
readcntvct(struct tr *t, const struct sysreg *s)
{
	(void)s;
	return tr_help(t, H_cntvct, 0, 0, 0);
}

static ref
readmidr(struct tr *t, const struct sysreg *s)
{
	(void)s;
	return tr_k(t, a64_midr());
}

/* The cache parameters are a Neoverse N1's.  DCZID: dc zva clears 64 bytes. */
static const struct sysreg sysreg[] = {
	{NZCV,        "nzcv",        readnzcv,   writenzcv, 0, 0},
	{FPCR,        "fpcr",        readvar,    writefpcr, 0, A64_FPCR},
	{FPSR,        "fpsr",        readfpsr,   writefpsr, 0, 0},
	{TPIDR_EL0,   "tpidr_el0",   readvar,    writevar,  0, A64_TPIDR},
	{TPIDRRO_EL0, "tpidrro_el0", readvar,    0,         0, A64_TPIDRRO},
	{CNTFRQ_EL0,  "cntfrq_el0",  readconst,  0,         1000000000, 0},
	{CNTVCT_EL0,  "cntvct_el0",  readcntvct, 0,         0, 0},
	{CTR_EL0,     "ctr_el0",     readconst,  0,         0x8444c004, 0},
	{DCZID_EL0,   "dczid_el0",   readconst,  0,         4, 0},
	{MIDR_EL1,    "midr_el1",    readmidr,   0,         0, 0},
	{MPIDR_EL1,   "mpidr_el1",   readconst,  0,         1u << 31, 0},
	{REVIDR_EL1,  "revidr_el1",  readconst,  0,         0, 0},
};

static const struct sysreg *
find(int reg)
{
	for (size_t i = 0; i < NELEM(sysreg); i++)
		if (sysreg[i].reg == reg)
			return &sysreg[i];
	return 0;
}

int
a64_sysvar(int reg)
{
	const struct sysreg *s = reg == FPCR ? 0 : find(reg);

	return s && s->read == readvar ? s->var : -1;
}

/* -- features -- */

static const struct { u8 word, bit; u16 reg; u8 lo, value; } feature[] = {
#define FEATURE(name, word, bit, reg, lo, value) {word, bit, reg, lo, value},
#include "frontend/arm64/feature.def"
#undef FEATURE
};

u64
a64_hwcap(int which)
{
	u64 v = 0;

	for (size_t i = 0; i < NELEM(feature); i++)
		if (feature[i].word == which && model_has((int)i))
			v |= (u64)1 << feature[i].bit;
	return v;
}

/* What an ID register says; fields that Linux hides read as their safe value. */
static u64
idreg(int reg)
{
	u64 v = reg == ID_AA64PFR0 ? 0x11 : reg == ID_AA64DFR0 ? 6 : 0; /* 64-bit EL0, EL1; Armv8 debug */

	for (size_t i = 0; i < NELEM(feature); i++)
		if (model_has((int)i) && feature[i].reg == reg && feature[i].value > bits(v, feature[i].lo, 4))
			v = (v & ~((u64)15 << feature[i].lo)) | (u64)feature[i].value << feature[i].lo;
	return v;
}

static int
isidreg(int reg)
{
	return reg >= ID_FIRST && reg <= ID_LAST;
}

/* -- instructions -- */

int
a64_tr_mrs(struct tr *t, const struct a64_insn *a)
{
	const struct sysreg *s = find(a->sysreg);

	if (!s && !isidreg(a->sysreg))
		return tr_undef(t);
	a64_put(t, I64, a->rd, s ? s->read(t, s) : tr_k(t, idreg(a->sysreg)));
	return 1;
}

int
a64_tr_msr(struct tr *t, const struct a64_insn *a)
{
	const struct sysreg *s = find(a->sysreg);

	if (!s || !s->write)
		return tr_undef(t);
	return s->write(t, s, a64_get(t, I64, a->rd));
}

void
a64_scansys(const struct a64_insn *a, struct scan *s)
{
	const struct sysreg *r = find(a->sysreg);
	int read = a->id == a64_mrs;

	if (read ? !r && !isidreg(a->sysreg) : !r || !r->write) {
		s->flow = FLOW_STOP;
		s->flags = PEEK_END;
	} else {
		int looks = !read && (a->sysreg == FPCR || (a->sysreg == FPSR && !atomic_load(&fp_seen)));
		s->flow = looks ? FLOW_SYS : FLOW_NEXT;
		s->flags = a->sysreg != NZCV ? PEEK_NONE : read ? PEEK_READ : PEEK_WRITE;
	}
}

int
a64_textsysreg(char *buf, size_t n, int reg)
{
	static const struct { u16 reg; char name[20]; } id[] = {
		{ID_AA64PFR0, "id_aa64pfr0_el1"}, {ID_AA64PFR1, "id_aa64pfr1_el1"},
		{ID_AA64DFR0, "id_aa64dfr0_el1"}, {ID_AA64ISAR0, "id_aa64isar0_el1"},
		{ID_AA64ISAR1, "id_aa64isar1_el1"}, {ID_AA64MMFR0, "id_aa64mmfr0_el1"},
		{ID_AA64MMFR1, "id_aa64mmfr1_el1"}, {ID_AA64MMFR2, "id_aa64mmfr2_el1"},
	};
	const struct sysreg *s = find(reg);

	if (s)
		return snprintf(buf, n, "%s", s->name);
	for (size_t i = 0; i < NELEM(id); i++)
		if (id[i].reg == reg)
			return snprintf(buf, n, "%s", id[i].name);
	return snprintf(buf, n, "s%d_%d_c%d_c%d_%d", 2 | reg >> 14, reg >> 11 & 7, reg >> 7 & 15,
	                reg >> 3 & 15, reg & 7);
}

u64
arm64_vdso_call(struct cpu *cpu, u64 n, u64 arg0, u64 arg1)
{
	return vdso_call(cpu, n, arg0, arg1);
}

/* udf is undefined everywhere but in the vDSO, whose clock functions are made of it (base/vdso.h). */
int
a64_tr_udf(struct tr *t, const struct a64_insn *a)
{
	u32 n = (u32)a->imm - VDSO_A64_WORD;

	if (!vdso_holds(t->pc) || n >= VDSO_NCALLS)
		return tr_undef(t);
	a64_put(t, I64, 0, tr_help(t, H_vdso_call, tr_k(t, n), a64_get(t, I64, 0), a64_get(t, I64, 1)));
	return 1;
}

int
a64_tr_svc(struct tr *t, const struct a64_insn *a)
{
	(void)a;
	return tr_sys(t);
}

int
a64_tr_brk(struct tr *t, const struct a64_insn *a)
{
	return tr_trap(t, TRAP_BREAK, a->imm);
}

/* dmb, dsb: the low two bits say which accesses are ordered (loads, stores, all) */
int
a64_tr_barrier(struct tr *t, const struct a64_insn *a)
{
	int kind = a->imm & 3;

	tr_fence(t, kind == 1 ? FENCE_LD : kind == 2 ? FENCE_ST : FENCE_FULL);
	return 1;
}

int
a64_tr_isb(struct tr *t, const struct a64_insn *a)
{
	(void)a;
	return tr_look(t);
}

/* Most writes to translated code are seen when they happen, but not those that the kernel makes to a
 * mapped file (write(2), another process) or those to pages that often change: for these the
 * guest's own word is taken. */
u64
arm64_icivau(struct cpu *cpu, u64 addr, u64 b, u64 c)
{
	(void)cpu, (void)b, (void)c;
	if (gmem_watch)
		gmem_watch->flush(addr & ~(u64)63, 64);
	return 0;
}

int
a64_tr_ic_ivau(struct tr *t, const struct a64_insn *a)
{
	tr_help(t, H_icivau, a64_get(t, I64, a->rd), 0, 0);
	return tr_look(t);
}

int
a64_tr_dc_clean(struct tr *t, const struct a64_insn *a)
{
	(void)t, (void)a;
	return 1;
}

int
a64_tr_dc_zva(struct tr *t, const struct a64_insn *a)
{
	ref base = tr_opk(t, O_and, I64, a64_get(t, I64, a->rd), ~(u64)63);
	ref zero = tr_op1(t, O_dup, V64, tr_k(t, 0));

	for (int i = 0; i < 64; i += 16)
		tr_st(t, V64, 0, base, i, zero);
	return 1;
}

/* -- flag manipulation.  Each works on the bits of FL_NZCV in an I64. -- */

static ref
getbits(struct tr *t)
{
	return tr_op1(t, O_flbits, I64, a64_flags(t));
}

static int
setbits(struct tr *t, ref v)
{
	a64_setflags(t, tr_op1(t, O_flset, FL, v));
	return 1;
}

/* condition cc of flags fl as bit `as` */
static ref
asbit(struct tr *t, enum cc cc, ref fl, int as)
{
	return tr_opk(t, O_shl, I64, tr_fcc(t, cc, fl), __builtin_ctz((unsigned)as));
}

int
a64_tr_cfinv(struct tr *t, const struct a64_insn *a)
{
	(void)a;
	return setbits(t, tr_opk(t, O_xor, I64, getbits(t), FL_C));
}

/* from FCMP's flags to those other architectures give: Z |= V, C &= ~V, N = V = 0 */
int
a64_tr_axflag(struct tr *t, const struct a64_insn *a)
{
	ref fl = a64_flags(t), v = tr_fcc(t, CC_VS, fl);
	ref z = tr_op2(t, O_or, I64, tr_fcc(t, CC_EQ, fl), v);
	ref c = tr_op2(t, O_andn, I64, tr_fcc(t, CC_CS, fl), v);

	(void)a;
	return setbits(t, tr_op2(t, O_or, I64, tr_opk(t, O_shl, I64, z, 14),
	    tr_opk(t, O_shl, I64, c, 8)));
}

/* and back: N = !C & !Z, Z = Z & C, C = C | Z, V = !C & Z */
int
a64_tr_xaflag(struct tr *t, const struct a64_insn *a)
{
	ref fl = a64_flags(t), z = tr_fcc(t, CC_EQ, fl), c = tr_fcc(t, CC_CS, fl);
	ref zc = tr_op2(t, O_or, I64, z, c);
	ref n = tr_opk(t, O_shl, I64, tr_opk(t, O_xor, I64, zc, 1), 15);
	ref zz = tr_opk(t, O_shl, I64, tr_op2(t, O_and, I64, z, c), 14);
	ref cc = tr_opk(t, O_shl, I64, zc, 8), v = tr_op2(t, O_andn, I64, z, c);

	(void)a;
	return setbits(t, tr_op2(t, O_or, I64, tr_op2(t, O_or, I64, n, zz), tr_op2(t, O_or, I64, cc, v)));
}

/* rmif: xn rotated right by sa; those of its low bits 3:0 that the mask names become N Z C V */
int
a64_tr_rmif(struct tr *t, const struct a64_insn *a)
{
	static const u16 flag[4] = {FL_V, FL_C, FL_Z, FL_N};
	ref x = a64_get(t, I64, a->rn), v;

	if (a->sa)
		x = tr_opk(t, O_rotr, I64, x, a->sa);
	v = tr_opk(t, O_and, I64, getbits(t), FL_NZCV & ~a64_nzcv2fl(a->imm));
	for (int i = 0; i < 4; i++)
		if (a->imm >> i & 1)
			v = tr_op2(t, O_or, I64, v, tr_opk(t, O_shl, I64, tr_bfx(t, I64, x, i, 1),
			    __builtin_ctz(flag[i])));
	return setbits(t, v);
}

/* setf8, setf16: N and Z of the low byte or halfword, V if bit `bit` + 1 differs from its sign */
int
a64_tr_setf(struct tr *t, const struct a64_insn *a)
{
	ref x = a64_get(t, I32, a->rn);
	ref n = tr_bfx(t, I32, x, a->bit, 1), over = tr_bfx(t, I32, x, a->bit + 1, 1);
	ref z = tr_set(t, R_EQ, I32, tr_zxt(t, I32, x, a->bit + 1), tr_k(t, 0));
	ref v = tr_op2(t, O_xor, I64, n, over), c = asbit(t, CC_CS, a64_flags(t), FL_C);
	ref nz = tr_op2(t, O_or, I64, tr_opk(t, O_shl, I64, n, 15), tr_opk(t, O_shl, I64, z, 14));

	return setbits(t, tr_op2(t, O_or, I64, nz, tr_op2(t, O_or, I64, c, v)));
}

/* -- floating-point control, counters: called from generated code -- */

/* bits of FPSR against those of base/fp.h; QC (bit 27) has a variable of its own */
static const struct { u32 fpsr, fpx; } sticky[] = {
	{1 << 0, FPX_INVALID}, {1 << 1, FPX_DIVZERO}, {1 << 2, FPX_OVERFLOW}, {1 << 3, FPX_UNDERFLOW},
	{1 << 4, FPX_INEXACT}, {1 << 7, FPX_DENORM},
};
enum { FPSR_QC = 1 << 27 };

void
arm64_fpenter(struct cpu *cpu)
{
	static const u8 rm[4] = {RM_NE, RM_UP, RM_DN, RM_Z};
	u32 fpcr = (u32)*a64_state(cpu, A64_OFF_FPCR);

	cpu->fpmode = rm[fpcr >> 22 & 3] | (fpcr & FPCR_FZ ? FPM_FZ : 0) |
	    (fpcr & FPCR_FZ16 ? FPM_FZ16 : 0) | (fpcr & FPCR_DN ? FPM_DN : 0) |
	    (fpcr & FPCR_AHP ? FPM_AHP : 0);
}

void
arm64_fpleave(struct cpu *cpu)
{
	u64 *fpsr = a64_state(cpu, A64_OFF_FPSR);
	u64 *qc = a64_state(cpu, A64_OFF_QC);

	if (!(cpu->fpmode & FPM_FZ))   /* a host tells of any denormal operand, ARM of flushed ones */
		cpu->fpflags &= ~(u32)FPX_DENORM;
	for (size_t i = 0; i < NELEM(sticky); i++)
		if (cpu->fpflags & sticky[i].fpx)
			*fpsr |= sticky[i].fpsr;
	cpu->fpflags = 0;
	if (qc[0] | qc[1])
		*fpsr |= FPSR_QC;
	qc[0] = qc[1] = 0;
}

u64
arm64_getfpsr(struct cpu *cpu, u64 a, u64 b, u64 c)
{
	(void)a, (void)b, (void)c;
	arm64_fpleave(cpu);
	return *a64_state(cpu, A64_OFF_FPSR);
}

u64
arm64_setfpsr(struct cpu *cpu, u64 v, u64 b, u64 c)
{
	(void)b, (void)c;
	if (!atomic_load(&fp_seen) && !atomic_exchange(&fp_seen, 1) && gmem_watch)
		gmem_watch->renew();
	arm64_fpleave(cpu);
	*a64_state(cpu, A64_OFF_FPSR) = v & 0x0800009f;
	return 0;
}

u64
arm64_setfpcr(struct cpu *cpu, u64 v, u64 b, u64 c)
{
	(void)b, (void)c;
	arm64_fpleave(cpu);            /* the flags so far are those of the old mode */
	*a64_state(cpu, A64_OFF_FPCR) = v & FPCR_MASK;
	arm64_fpenter(cpu);
	return 0;
}

u64
arm64_keepflags(struct cpu *cpu, u64 a, u64 b, u64 c)
{
	(void)a, (void)b, (void)c;
	*a64_state(cpu, A64_OFF_KEEPS) = A64_KEEPS;
	return 0;
}

u64
arm64_cntvct(struct cpu *cpu, u64 a, u64 b, u64 c)
{
	struct timespec now;

	(void)cpu, (void)a, (void)b, (void)c;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}
