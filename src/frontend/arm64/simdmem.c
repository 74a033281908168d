/* SPDX-License-Identifier: MIT */
/* simdmem.c - loads and stores of FP and SIMD registers (DDI 0487 C4.1.4)
 *
 * All loads of an instruction come before its first put, so that a fault in the last leaves the
 * registers as they were; the base register is written back last. */
#include "frontend/arm64/simd.h"

/* the type whose load fills, and whose put clears the rest of, a register of 1 << lsz bytes;
 * a byte has none */
static int
memtype(int lsz)
{
	static const u8 ty[] = {I8, F16, F32, F64, V128};

	return ty[lsz];
}

static void
putloaded(struct tr *t, int ty, int rt, ref v)
{
	if (ty == I8)
		tr_put(t, V8, simd_v(rt), tr_op1(t, O_vfromi, V8, v));
	else
		tr_put(t, ty, simd_v(rt), v);
}

/* register rt as a datum of type ty to store */
static ref
tostore(struct tr *t, int ty, int rt)
{
	if (ty == I8)
		return ir_opx(t->r, O_umov, I64, 0, I8, 0, tr_get(t, V8, simd_v(rt)), 0, 0);
	return tr_get(t, ty, simd_v(rt));
}

int
simd_ldr_lit(struct tr *t, const struct a64v_insn *a)
{
	int ty = memtype(a->lsz);

	putloaded(t, ty, a->rt, tr_ld(t, ty, 0, tr_k(t, t->pc + (u64)(s64)a->imm), 0));
	return 1;
}

/* base register, and its new value if the instruction writes it back; *disp: of the access */
static ref
base(struct tr *t, const struct a64v_insn *a, s32 imm, s32 *disp)
{
	*disp = a->wback == 2 ? 0 : imm;
	return a64_getsp(t, I64, a->rn);
}

static void
writeback(struct tr *t, const struct a64v_insn *a, ref addr, s32 imm)
{
	if (a->wback)
		a64_putsp(t, I64, a->rn, tr_opk(t, O_add, I64, addr, (u64)(s64)imm));
}

int
simd_ldst_imm(struct tr *t, const struct a64v_insn *a)
{
	int ty = memtype(a->lsz);
	s32 disp, imm = a->scaled ? a->imm * (1 << a->lsz) : a->imm;
	ref addr = base(t, a, imm, &disp);

	if (a->load) {
		ref v = tr_ld(t, ty, 0, addr, disp);
		putloaded(t, ty, a->rt, v);
	} else {
		tr_st(t, ty, 0, addr, disp, tostore(t, ty, a->rt));
	}
	writeback(t, a, addr, imm);
	return 1;
}

int
simd_ldst_reg(struct tr *t, const struct a64v_insn *a)
{
	int ty = memtype(a->lsz), aux;
	ref addr = a64_getsp(t, I64, a->rn), index;

	aux = a64_index(t, a->rm, a->ext, a->sh ? a->lsz : 0, &index);
	if (a->load)
		putloaded(t, ty, a->rt, ir_opx(t->r, O_ld, ty, aux, 0, 0, addr, index, 0));
	else
		ir_opx(t->r, O_st, ty, aux, 0, 0, addr, index, tostore(t, ty, a->rt));
	return 1;
}

int
simd_ldst_pair(struct tr *t, const struct a64v_insn *a)
{
	int lsz = a->psz + 2, ty = memtype(lsz);
	s32 disp, imm = a->imm * (1 << lsz);
	ref addr = base(t, a, imm, &disp);

	if (a->load) {
		ref v = tr_ld(t, ty, 0, addr, disp), v2 = tr_ld(t, ty, 0, addr, disp + (1 << lsz));
		tr_put(t, ty, simd_v(a->rt), v);
		tr_put(t, ty, simd_v(a->rt2), v2);
	} else {
		tr_st(t, ty, 0, addr, disp, tr_get(t, ty, simd_v(a->rt)));
		tr_st(t, ty, 0, addr, disp + (1 << lsz), tr_get(t, ty, simd_v(a->rt2)));
	}
	writeback(t, a, addr, imm);
	return 1;
}

/* -- structures: registers rt, rt + 1 ... modulo 32 -- */

static int reg(const struct a64v_insn *a, int i) { return simd_v((a->rt + i) & 31); }

/* post-index by a register, or by the bytes accessed if that is register 31 */
static void
postindex(struct tr *t, const struct a64v_insn *a, ref addr, int bytes)
{
	if (!a->wback)
		return;
	if (a->rm == 31)
		addr = tr_opk(t, O_add, I64, addr, (u64)bytes);
	else
		addr = tr_op2(t, O_add, I64, addr, a64_get(t, I64, a->rm));
	a64_putsp(t, I64, a->rn, addr);
}

int
simd_ldst_multi(struct tr *t, const struct a64v_insn *a)
{
	int bytes = a->q ? 16 : 8, ty = a->q ? V128 : F64;
	ref addr = a64_getsp(t, I64, a->rn), v[4];

	for (int i = 0; a->load && i < a->n; i++)
		v[i] = tr_ld(t, ty, 0, addr, i * bytes);
	for (int i = 0; i < a->n; i++)
		if (a->load)
			tr_put(t, ty, reg(a, i), v[i]);
		else
			tr_st(t, ty, 0, addr, i * bytes, tr_get(t, ty, reg(a, i)));
	postindex(t, a, addr, a->n * bytes);
	return 1;
}

/* the 16 bytes from byte 16i on of a structure of `bytes`, whose last piece may be 8 long */
static ref
loadpiece(struct tr *t, ref addr, int i, int bytes)
{
	if (16 * i + 8 < bytes)
		return tr_ld(t, V128, 0, addr, 16 * i);
	return tr_op1(t, O_vfromi, V64, tr_ld(t, I64, 0, addr, 16 * i));
}

static void
storepiece(struct tr *t, ref addr, int i, int bytes, ref v)
{
	if (16 * i + 8 < bytes)
		tr_st(t, V128, 0, addr, 16 * i, v);
	else
		tr_st(t, I64, 0, addr, 16 * i, ir_opx(t->r, O_umov, I64, 0, I64, 0, v, 0, 0));
}

/* Bytes of v: from[i] is the index of result byte i among the 16 of v, or a
 * number beyond 15 for 0. */
static ref
pickbytes(struct tr *t, ref v, const u8 *from)
{
	u64 lo = ld64(from), hi = ld64(from + 8);

	return tr_op2(t, O_tbl, V8, v, simd_const(t, lo, hi));
}

/* Three registers have no pattern in powers of two: each result is gathered from all pieces with
 * tbl.  Result register r, byte b is byte where[r][b] of the concatenated source. */
static void
gather3(struct tr *t, const ref *src, ref *dst, u8 where[3][16])
{
	for (int r = 0; r < 3; r++) {
		dst[r] = 0;
		for (int s = 0; s < 3; s++) {
			u8 from[16];
			int any = 0;

			for (int b = 0; b < 16; b++) {
				int at = where[r][b] - 16 * s;
				from[b] = at >= 0 && at < 16 ? (u8)at : 0xff;
				any |= from[b] != 0xff;
			}
			if (!any)
				continue;
			ref v = pickbytes(t, src[s], from);
			dst[r] = dst[r] ? tr_op2(t, O_or, V8, dst[r], v) : v;
		}
	}
}

static void
deinterleave3(struct tr *t, const struct a64v_insn *a, ref *v)
{
	int bytes = a->q ? 16 : 8, esize = 1 << a->size;
	u8 where[3][16];
	ref src[3] = {v[0], v[1], v[2]};

	for (int r = 0; r < 3; r++)
		for (int b = 0; b < 16; b++)
			where[r][b] = b < bytes ? (u8)((b / esize * 3 + r) * esize + b % esize) : 0xff;
	gather3(t, src, v, where);
}

static void
interleave3(struct tr *t, const struct a64v_insn *a, ref *v)
{
	int bytes = a->q ? 16 : 8, esize = 1 << a->size;
	u8 where[3][16];
	ref src[3] = {v[0], v[1], v[2]};

	memset(where, 0xff, sizeof where);
	for (int at = 0; at < 3 * bytes; at++) {
		int e = at / esize;
		where[at / 16][at % 16] = (u8)(16 * (e % 3) + e / 3 * esize + at % esize);
	}
	gather3(t, src, v, where);
}

/* v: the pieces in memory order; becomes the registers.  With Q = 0 pieces 0 and 1 hold all,
 * and results are in the low halves. */
static void
deinterleave(struct tr *t, const struct a64v_insn *a, ref *v)
{
	int ty = simd_ivec(a->size);

	if (a->n == 3) {
		deinterleave3(t, a, v);
		return;
	}
	if (a->n == 4) {
		ref even[2], odd[2];

		for (int i = 0; i < 2; i++) {
			ref lo = v[a->q ? 2 * i : 0], hi = v[a->q ? 2 * i + 1 : 1];
			even[i] = tr_op2(t, O_uzp1, ty, lo, hi);
			odd[i] = tr_op2(t, O_uzp2, ty, lo, hi);
		}
		v[0] = tr_op2(t, O_uzp1, ty, even[0], even[1]);
		v[1] = tr_op2(t, O_uzp1, ty, odd[0], odd[1]);
		v[2] = tr_op2(t, O_uzp2, ty, even[0], even[1]);
		v[3] = tr_op2(t, O_uzp2, ty, odd[0], odd[1]);
		return;
	}
	ref lo = v[0], hi = a->q ? v[1] : v[0];
	v[0] = tr_op2(t, O_uzp1, ty, lo, hi);
	v[1] = tr_op2(t, O_uzp2, ty, lo, hi);
}

static void
interleave(struct tr *t, const struct a64v_insn *a, ref *v)
{
	int ty = simd_ivec(a->size);

	if (a->n == 3) {
		interleave3(t, a, v);
	} else if (a->n == 4) {
		ref x[2] = {tr_op2(t, O_zip1, ty, v[0], v[2]), tr_op2(t, O_zip2, ty, v[0], v[2])};
		ref y[2] = {tr_op2(t, O_zip1, ty, v[1], v[3]), tr_op2(t, O_zip2, ty, v[1], v[3])};

		for (int i = 0; i < (a->q ? 2 : 1); i++) {
			v[2 * i] = tr_op2(t, O_zip1, ty, x[i], y[i]);
			v[2 * i + 1] = tr_op2(t, O_zip2, ty, x[i], y[i]);
		}
	} else {
		ref n = v[0], m = v[1];

		v[0] = tr_op2(t, O_zip1, ty, n, m);
		v[1] = tr_op2(t, O_zip2, ty, n, m);
	}
}

int
simd_ldst_inter(struct tr *t, const struct a64v_insn *a)
{
	int bytes = a->n * (a->q ? 16 : 8), pieces = (bytes + 15) / 16, ty = simd_ivec(a->size);
	ref addr = a64_getsp(t, I64, a->rn), v[4] = {0};

	if (a->load) {
		for (int i = 0; i < pieces; i++)
			v[i] = loadpiece(t, addr, i, bytes);
		if (a->n == 3 && pieces == 2)
			v[2] = v[1];   /* nothing is taken from it */
		deinterleave(t, a, v);
		for (int i = 0; i < a->n; i++)
			tr_put(t, ty, reg(a, i), simd_low(t, ty, v[i], a->q ? 128 : 64));
	} else {
		for (int i = 0; i < a->n; i++)
			v[i] = tr_get(t, ty, reg(a, i));
		interleave(t, a, v);
		for (int i = 0; i < pieces; i++)
			storepiece(t, addr, i, bytes, v[i]);
	}
	postindex(t, a, addr, bytes);
	return 1;
}

/* one lane of each register */
int
simd_ldst_lane(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size), lane = I8 + a->size, bytes = 1 << a->size;
	ref addr = a64_getsp(t, I64, a->rn), v[4];

	for (int i = 0; a->load && i < a->n; i++)
		v[i] = tr_ld(t, lane, 0, addr, i * bytes);
	for (int i = 0; i < a->n; i++) {
		ref old = tr_get(t, ty, reg(a, i));

		if (a->load)
			tr_put(t, ty, reg(a, i), simd_op2(t, O_ins, ty, a->idx, old, v[i]));
		else if (a->idx == 0 && a->size >= 2)  /* as a scalar, without a detour */
			tr_st(t, memtype(a->size), 0, addr, i * bytes, tr_get(t, memtype(a->size), reg(a, i)));
		else
			tr_st(t, lane, 0, addr, i * bytes,
			      ir_opx(t->r, O_umov, I64, 0, lane, a->idx, old, 0, 0));
	}
	postindex(t, a, addr, a->n * bytes);
	return 1;
}

int
simd_ldst_dup(struct tr *t, const struct a64v_insn *a)
{
	int ty = simd_ivec(a->size), lane = I8 + a->size, bytes = 1 << a->size;
	ref addr = a64_getsp(t, I64, a->rn), v[4];

	for (int i = 0; i < a->n; i++)
		v[i] = tr_ld(t, lane, 0, addr, i * bytes);
	for (int i = 0; i < a->n; i++)
		tr_put(t, ty, reg(a, i), simd_low(t, ty, tr_op1(t, O_dup, ty, v[i]), a->q ? 128 : 64));
	postindex(t, a, addr, a->n * bytes);
	return 1;
}
