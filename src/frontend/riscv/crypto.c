/* SPDX-License-Identifier: MIT */
/* crypto.c - RISC-V scalar cryptography to IR: Zbkb, Zbkx, Zkne, Zknd, Zknh
 *
 * (Volume I, "Cryptography Extensions: Scalar".)  AES has its state in two registers, whose halves hosts want
 * in one vector. */
#include "frontend/riscv/riscv.h"

/* -- Zbkb, Zbkx -- */

int
rv_pack(struct tr *t, const struct riscv_insn *a)
{
	ref x = tr_zxt(t, I64, rv_get(t, a->rs1), a->sh), y = tr_zxt(t, I64, rv_get(t, a->rs2), a->sh);
	ref v = tr_op2(t, O_or, I64, x, tr_opk(t, O_shl, I64, y, (u64)a->sh));

	rv_put(t, a->rd, tr_sxt(t, I64, v, ty_bits(a->ty)));
	return 1;
}

/* the bits of each byte in the opposite order */
int
rv_brev8(struct tr *t, const struct riscv_insn *a)
{
	rv_put(t, a->rd, tr_op1(t, O_bswap, I64, tr_op1(t, O_rbit, I64, rv_get(t, a->rs1))));
	return 1;
}

static ref
low64(struct tr *t, ref v, int lane)
{
	return ir_opx(t->r, O_umov, I64, 0, V64, lane, v, 0, 0);
}

int
rv_xperm8(struct tr *t, const struct riscv_insn *a)
{
	ref x = tr_op1(t, O_vfromi, V64, rv_get(t, a->rs1)), n = tr_op1(t, O_vfromi, V64, rv_get(t, a->rs2));

	rv_put(t, a->rd, low64(t, tr_op2(t, O_tbl, V8, x, n), 0));
	return 1;
}

/* each half byte as a byte */
static ref
halves(struct tr *t, ref x)
{
	u64 m = 0x0f0f0f0f0f0f0f0f;
	ref lo = tr_opk(t, O_and, I64, x, m), hi = tr_opk(t, O_and, I64, tr_opk(t, O_shr, I64, x, 4), m);

	return tr_op2(t, O_zip1, V8, tr_op1(t, O_vfromi, V64, lo), tr_op1(t, O_vfromi, V64, hi));
}

int
rv_xperm4(struct tr *t, const struct riscv_insn *a)
{
	ref x = halves(t, rv_get(t, a->rs1)), n = halves(t, rv_get(t, a->rs2));
	ref v = tr_op2(t, O_tbl, V8, x, n), even = tr_op2(t, O_uzp1, V8, v, v), odd = tr_op2(t, O_uzp2, V8, v, v);

	rv_put(t, a->rd, tr_op2(t, O_or, I64, low64(t, even, 0), tr_opk(t, O_shl, I64, low64(t, odd, 0), 4)));
	return 1;
}

/* -- Zkne, Zknd -- */

/* rs1 has columns 0 and 1 of the state, rs2 columns 2 and 3; the result is columns 0 and 1 of a round without
 * its key.  With the sources exchanged it is columns 2 and 3, and programs want both: they are made at once. */
int
rv_aesround(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);
	int high = y < x;
	ref state = high ? tr_op2(t, O_vpair, V64, y, x) : tr_op2(t, O_vpair, V64, x, y);

	rv_put(t, a->rd, low64(t, tr_op1(t, a->op, V8, state), high));
	return 1;
}

int
rv_aesim(struct tr *t, const struct riscv_insn *a)
{
	ref x = tr_op1(t, O_vfromi, V64, rv_get(t, a->rs1));

	rv_put(t, a->rd, low64(t, tr_op1(t, O_aesimc, V8, x), 0));
	return 1;
}

/* The part of a key's schedule that substitutes bytes.  ShiftRows does nothing to four equal columns. */
int
rv_aesks1(struct tr *t, const struct riscv_insn *a)
{
	static const u8 rcon[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36, 0};
	ref w = tr_opk(t, O_shr, I64, rv_get(t, a->rs1), 32), v;

	if (a->imm >= (int)NELEM(rcon))
		return tr_undef(t);
	if (a->imm != 10)
		w = tr_opk(t, O_rotr, I32, w, 8);
	v = tr_op1(t, O_dup, V32, w);
	v = ir_opx(t->r, O_umov, I64, 0, V32, 0, tr_op1(t, O_aese, V8, v), 0, 0);
	v = tr_opk(t, O_xor, I64, v, rcon[a->imm]);
	rv_put(t, a->rd, tr_op2(t, O_or, I64, v, tr_opk(t, O_shl, I64, v, 32)));
	return 1;
}

int
rv_aesks2(struct tr *t, const struct riscv_insn *a)
{
	ref x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);
	ref lo = tr_zxt(t, I64, tr_op2(t, O_xor, I64, tr_opk(t, O_shr, I64, x, 32), y), 32);
	ref hi = tr_op2(t, O_xor, I64, lo, tr_opk(t, O_shr, I64, y, 32));

	rv_put(t, a->rd, tr_op2(t, O_or, I64, lo, tr_opk(t, O_shl, I64, hi, 32)));
	return 1;
}

/* -- Zknh -- */

/* The functions of SHA-2 (FIPS 180-4, 4.1.2 and 4.1.3): two rotations, and one more or a shift. */
int
rv_sigma(struct tr *t, const struct riscv_insn *a)
{
	static const struct { u8 x, y, z, shifts; } by[] = {
		{2, 13, 22, 0}, {6, 11, 25, 0}, {7, 18, 3, 1}, {17, 19, 10, 1},
		{28, 34, 39, 0}, {14, 18, 41, 0}, {1, 8, 7, 1}, {19, 61, 6, 1},
	};
	ref v = rv_get(t, a->rs1), w;

	if (a->ty == I32)
		v = tr_zxt(t, I64, v, 32);
	w = tr_op2(t, O_xor, a->ty, tr_opk(t, O_rotr, a->ty, v, by[a->sh].x), tr_opk(t, O_rotr, a->ty, v, by[a->sh].y));
	v = tr_opk(t, by[a->sh].shifts ? O_shr : O_rotr, a->ty, v, by[a->sh].z);
	rv_put(t, a->rd, tr_sxt(t, I64, tr_op2(t, O_xor, a->ty, w, v), ty_bits(a->ty)));
	return 1;
}
