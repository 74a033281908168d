/* SPDX-License-Identifier: MIT */
/* translate.c - AArch64 integer data processing and branches to IR
 *
 * One function per family; what tells its members apart stands on their lines in base.isa: op the
 * IR operation, flop the one that makes the flags (0: none), inv and inc as in conditional select.
 * A flag-setting instruction is two operations on the same operands, result and flags, which the
 * host fuses; ir_dead drops flags that nobody reads. */
#include "frontend/arm64/arm64.h"

static a64_translator *const translator[a64_COUNT] = {
#define T(name, function) [a64_##name] = a64_tr_##function,
	a64_TRANSLATORS(T)
#undef T
};

int
a64_translate(struct tr *t)
{
	struct a64_insn a;
	int more;

	t->word = ld32(t->p);
	t->next = t->pc + 4;
	if (!t->r->ninsn) {
		t->r->fpnan = t->mode & FPCR_DN ? FPNAN_ARM_DN : FPNAN_ARM;
		t->r->fpflush = (t->mode & FPCR_FZ) != 0;
	}
	ir_insn(t->r, t->pc);
	if (t->pc & 3)                                 /* DDI 0487 D1.3.5: PC alignment fault */
		more = tr_trap(t, TRAP_ALIGN, 0);
	else if ((t->word >> 26 & 3) == 3)
		more = simd_translate(t, t->word);
	else if (a64_decode(t->word, &a) && model_has(a.need))
		more = translator[a.id](t, &a);
	else
		more = tr_undef(t);
	t->pc = t->next;
	return more;
}

u32
a64_nzcv2fl(int nzcv)
{
	return (nzcv & 8 ? FL_N : 0) | (nzcv & 4 ? FL_Z : 0) | (nzcv & 2 ? FL_C : 0) |
	    (nzcv & 1 ? FL_V : 0);
}

int
a64_tr_nop(struct tr *t, const struct a64_insn *a)
{
	(void)t, (void)a;
	return 1;
}

int
a64_tr_undef(struct tr *t, const struct a64_insn *a)
{
	(void)a;
	return tr_undef(t);
}

/* -- addresses and wide moves -- */

int
a64_tr_adr(struct tr *t, const struct a64_insn *a)
{
	a64_put(t, I64, a->rd, tr_k(t, t->pc + (s64)a->imm));
	return 1;
}

int
a64_tr_adrp(struct tr *t, const struct a64_insn *a)
{
	a64_put(t, I64, a->rd, tr_k(t, (t->pc & ~(gaddr)0xfff) + ((u64)(s64)a->imm << 12)));
	return 1;
}

int
a64_tr_movz(struct tr *t, const struct a64_insn *a)
{
	a64_put(t, a64_ty(a->sf), a->rd, tr_k(t, (u64)a->imm << 16 * a->hw));
	return 1;
}

int
a64_tr_movn(struct tr *t, const struct a64_insn *a)
{
	u64 v = ~((u64)a->imm << 16 * a->hw);

	a64_put(t, a64_ty(a->sf), a->rd, tr_k(t, a->sf ? v : (u32)v));
	return 1;
}

int
a64_tr_movk(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);

	a64_put(t, ty, a->rd, tr_dep(t, ty, a64_get(t, ty, a->rd), tr_k(t, (u64)a->imm), 16 * a->hw, 16));
	return 1;
}

/* -- add and subtract -- */

static void
addsub(struct tr *t, const struct a64_insn *a, int ty, ref x, ref y, int tosp)
{
	ref v = 0;

	if (tosp || a->rd != 31)
		v = tr_op2(t, a->op, ty, x, y);
	if (a->flop)
		a64_setflags(t, tr_op2(t, a->flop, ty, x, y));
	if (tosp)
		a64_putsp(t, ty, a->rd, v);
	else if (v)
		a64_put(t, ty, a->rd, v);
}

int
a64_tr_addsub_i(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);

	addsub(t, a, ty, a64_getsp(t, ty, a->rn), tr_k(t, (u64)a->imm << 12 * a->sh), !a->flop);
	return 1;
}

/* a register shifted by a constant; st: lsl lsr asr ror */
static ref
shifted(struct tr *t, int ty, int reg, int st, int sa)
{
	static const u8 op[4] = {O_shl, O_shr, O_sar, O_rotr};
	ref v = a64_get(t, ty, reg);

	return sa ? tr_opk(t, op[st], ty, v, sa) : v;
}

int
a64_tr_addsub(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);

	addsub(t, a, ty, a64_get(t, ty, a->rn), shifted(t, ty, a->rm, a->st, a->sa), 0);
	return 1;
}

ref
a64_extend(struct tr *t, int ty, int reg, int ext, int shift)
{
	int bits = 8 << (ext & 3);
	ref v;

	if (bits >= ty_bits(ty))
		v = a64_get(t, ty, reg);
	else if (ext & 4)
		v = tr_sxt(t, ty, a64_get(t, ty, reg), bits);
	else if (bits == 32)
		v = a64_get(t, I32, reg);
	else
		v = tr_zxt(t, ty, a64_get(t, ty, reg), bits);
	return shift ? tr_opk(t, O_shl, ty, v, shift) : v;
}

int
a64_tr_addsub_x(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);

	addsub(t, a, ty, a64_getsp(t, ty, a->rn), a64_extend(t, ty, a->rm, a->ext, a->sa), !a->flop);
	return 1;
}

int
a64_tr_adc(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);
	ref x = a64_get(t, ty, a->rn), y = a64_get(t, ty, a->rm), c = a64_flags(t);
	ref v = tr_op3(t, a->op, ty, x, y, c);

	if (a->flop)
		a64_setflags(t, tr_op3(t, a->flop, ty, x, y, c));
	a64_put(t, ty, a->rd, v);
	return 1;
}

/* -- logic -- */

int
a64_tr_logic_i(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);
	ref k = tr_k(t, a64_bitmask(a->sf, a->n, a->immr, a->imms));
	ref v = a->rn == 31 && a->op == O_or ? k : tr_op2(t, a->op, ty, a64_get(t, ty, a->rn), k);

	if (a->s) {
		a64_setflags(t, tr_op1(t, O_fltst, ty, v));
		a64_put(t, ty, a->rd, v);
	} else {
		a64_putsp(t, ty, a->rd, v);
	}
	return 1;
}

int
a64_tr_logic(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);
	ref y = shifted(t, ty, a->rm, a->st, a->sa), v;

	if (a->op == O_or && a->rn == 31)
		v = y;
	else if (a->op == O_orn && a->rn == 31)
		v = tr_op1(t, O_not, ty, y);
	else
		v = tr_op2(t, a->op, ty, a64_get(t, ty, a->rn), y);
	if (a->inv)
		v = tr_op1(t, O_not, ty, v);
	if (a->s)
		a64_setflags(t, tr_op1(t, O_fltst, ty, v));
	a64_put(t, ty, a->rd, v);
	return 1;
}

/* -- bit fields -- */

/* ubfm, sbfm: bits immr..imms to the bottom, or, if imms < immr, the low imms + 1 bits shifted up */
static int
bitfield(struct tr *t, const struct a64_insn *a, int sg)
{
	int ty = a64_ty(a->sf), size = ty_bits(ty), r = a->immr, s = a->imms;
	ref v = a64_get(t, ty, a->rn);

	if (s == size - 1)
		v = r ? tr_opk(t, sg ? O_sar : O_shr, ty, v, r) : v;
	else if (s >= r && r)
		v = (sg ? tr_sbfx : tr_bfx)(t, ty, v, r, s - r + 1);
	else if (s + 1 == r)
		v = tr_opk(t, O_shl, ty, v, size - r);
	else
		v = (sg ? tr_sxt : tr_zxt)(t, ty, v, s + 1);
	if (s < r && s + 1 != r)
		v = tr_opk(t, O_shl, ty, v, size - r);
	a64_put(t, ty, a->rd, v);
	return 1;
}

int a64_tr_ubfm(struct tr *t, const struct a64_insn *a) { return bitfield(t, a, 0); }
int a64_tr_sbfm(struct tr *t, const struct a64_insn *a) { return bitfield(t, a, 1); }

int
a64_tr_bfm(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf), size = ty_bits(ty), r = a->immr, s = a->imms;
	ref d = a64_get(t, ty, a->rd), v = a64_get(t, ty, a->rn);

	if (s < r)
		v = tr_dep(t, ty, d, v, size - r, s + 1);
	else
		v = tr_dep(t, ty, d, r ? tr_opk(t, O_shr, ty, v, r) : v, 0, s - r + 1);
	a64_put(t, ty, a->rd, v);
	return 1;
}

int
a64_tr_extr(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);
	ref x = a64_get(t, ty, a->rn), y = a64_get(t, ty, a->rm), v;

	if (a->rn == a->rm)
		v = a->imms ? tr_opk(t, O_rotr, ty, x, a->imms) : x;
	else
		v = ir_opx(t->r, O_extr, ty, 0, 0, a->imms, x, y, 0);
	a64_put(t, ty, a->rd, v);
	return 1;
}

/* -- one and two sources, multiply -- */

int
a64_tr_op1(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);

	a64_put(t, ty, a->rd, tr_op1(t, a->op, ty, a64_get(t, ty, a->rn)));
	return 1;
}

int
a64_tr_op2(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);

	a64_put(t, ty, a->rd, tr_op2(t, a->op, ty, a64_get(t, ty, a->rn), a64_get(t, ty, a->rm)));
	return 1;
}

/* ra plus or minus a product */
static int
accumulate(struct tr *t, const struct a64_insn *a, int ty, ref v)
{
	if (a->ra != 31)
		v = tr_op2(t, a->op, ty, a64_get(t, ty, a->ra), v);
	else if (a->op == O_sub)
		v = tr_op1(t, O_neg, ty, v);
	a64_put(t, ty, a->rd, v);
	return 1;
}

int
a64_tr_madd(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);

	return accumulate(t, a, ty,
	    tr_op2(t, O_mul, ty, a64_get(t, ty, a->rn), a64_get(t, ty, a->rm)));
}

int
a64_tr_maddl(struct tr *t, const struct a64_insn *a)
{
	int ext = a->sg ? 6 : 2;                       /* sxtw, uxtw */

	return accumulate(t, a, I64, tr_op2(t, O_mul, I64, a64_extend(t, I64, a->rn, ext, 0),
	    a64_extend(t, I64, a->rm, ext, 0)));
}

int
a64_tr_crc32(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->size == 3);                 /* of the data; the sum fits in either */

	a64_put(t, ty, a->rd, ir_opx(t->r, O_crc32, ty, 0, a->v, 8 << a->size,
	    a64_get(t, I32, a->rn), a64_get(t, ty, a->rm), 0));
	return 1;
}

/* -- conditions -- */

int
a64_tr_csel(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);
	ref c, v;

	if (a->cond >= CC_AL) {
		a64_put(t, ty, a->rd, a64_get(t, ty, a->rn));
		return 1;
	}
	if (a->rn == 31 && a->rm == 31) {              /* csel csneg: 0; cset: 0, 1; csetm: 0, -1 */
		c = tr_fcc(t, a->cond ^ 1, a64_flags(t));
		v = a->inc == a->inv ? tr_k(t, 0) : a->inc ? c : tr_op1(t, O_neg, ty, c);
		a64_put(t, a->inc != a->inv && a->inc ? I64 : ty, a->rd, v);
		return 1;
	}
	v = a64_get(t, ty, a->rm);
	if (a->inc && a->inv)
		v = tr_op1(t, O_neg, ty, v);
	else if (a->inv)
		v = tr_op1(t, O_not, ty, v);
	else if (a->inc)
		v = tr_opk(t, O_add, ty, v, 1);
	c = tr_fcc(t, a->cond, a64_flags(t));
	a64_put(t, ty, a->rd, tr_sel(t, ty, c, a64_get(t, ty, a->rn), v));
	return 1;
}

static int
ccmp(struct tr *t, const struct a64_insn *a, ref y)
{
	int ty = a64_ty(a->sf);
	ref old = a64_flags(t), fl = tr_op2(t, a->flop, ty, a64_get(t, ty, a->rn), y);

	if (a->cond < CC_AL)
		fl = ir_opx(t->r, O_flsel, FL, 0, a->cond, (s32)a64_nzcv2fl(a->imm), old, fl, 0);
	a64_setflags(t, fl);
	return 1;
}

int
a64_tr_ccmp(struct tr *t, const struct a64_insn *a)
{
	return ccmp(t, a, a64_get(t, a64_ty(a->sf), a->rm));
}

int
a64_tr_ccmp_i(struct tr *t, const struct a64_insn *a)
{
	return ccmp(t, a, tr_k(t, a->rm));
}

/* -- branches -- */

int
a64_tr_b(struct tr *t, const struct a64_insn *a)
{
	return tr_jmp(t, t->pc + (s64)a->imm);
}

/* Where flags are read after a call: from there on returns keep flags, in code that is made anew.  Whether the
 * instruction has been translated so. */
static int
keepsflags(struct tr *t)
{
	if ((t->mode & A64_KEEPS) || !t->answered || !t->answered(t, t->next))
		return 0;
	tr_help(t, H_keepflags, 0, 0, 0);
	ir_op(t->r, O_look, N, tr_k(t, t->pc), 0, 0);
	return 1;
}

int
a64_tr_bl(struct tr *t, const struct a64_insn *a)
{
	if (keepsflags(t))
		return 0;
	tr_put(t, I64, A64_LR, tr_k(t, t->next));
	return tr_call(t, t->pc + (s64)a->imm);
}

int
a64_tr_b_cond(struct tr *t, const struct a64_insn *a)
{
	gaddr to = t->pc + (s64)a->imm;

	if (a->cond >= CC_AL)
		return tr_jmp(t, to);
	tr_brf(t, a->cond, a64_flags(t), to);
	return 1;
}

int
a64_tr_cbz(struct tr *t, const struct a64_insn *a)
{
	int ty = a64_ty(a->sf);

	tr_brc(t, a->rel, ty, a64_get(t, ty, a->rd), tr_k(t, 0), t->pc + (s64)a->imm);
	return 1;
}

/* Bit 31 is tested in 32 bits, where every host can name the mask; the others in 64, which costs no
 * truncation. */
int
a64_tr_tbz(struct tr *t, const struct a64_insn *a)
{
	int ty = a->bit == 31 ? I32 : I64;

	tr_brc(t, a->rel, ty, a64_get(t, ty, a->rd), tr_k(t, (u64)1 << a->bit), t->pc + (s64)a->imm);
	return 1;
}

int
a64_tr_br(struct tr *t, const struct a64_insn *a)
{
	return tr_br(t, a64_get(t, I64, a->rn));
}

int
a64_tr_blr(struct tr *t, const struct a64_insn *a)
{
	ref to;

	if (keepsflags(t))
		return 0;
	to = a64_get(t, I64, a->rn);
	tr_put(t, I64, A64_LR, tr_k(t, t->next));
	return tr_callr(t, to);
}

int
a64_tr_ret(struct tr *t, const struct a64_insn *a)
{
	ref to = a64_get(t, I64, a->rn);

	return a->rn == A64_LR ? tr_ret(t, to) : tr_br(t, to);
}
