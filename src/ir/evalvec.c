/* SPDX-License-Identifier: MIT */
/* evalvec.c - operations on vectors as wholes: op.def's LANES, meanings in its comments */
#include "ir/eval.h"

static const u64 *arg(const struct eval *e, ref r) { return eval_arg(e, r); }

/* -- moving lanes: every result lane is a lane of a, a lane of b, or zero -- */

/* Which lane of (b:a), a lowest, goes to lane n of the result, of N lanes; -1: zero. */
static int
source(const struct ins *i, int n, int count)
{
	int half = count / 2, group;

	switch (i->op) {
	case O_duplane: return i->v;
	case O_vcat: return n < half ? n : count + n - half;
	case O_zip1: return n / 2 + (n & 1) * count;
	case O_zip2: return half + n / 2 + (n & 1) * count;
	case O_uzp1: return n * 2;
	case O_uzp2: return n * 2 + 1;
	case O_trn1: return (n & ~1) + (n & 1) * count;
	case O_trn2: return (n | 1) + (n & 1) * count;
	case O_inslane: return n == i->v ? count + i->imm : n;
	default:               /* vrev */
		group = i->imm / ty_lanebits(i->ty);
		return n / group * group + (group - 1 - n % group);
	}
}

static enum evalend
do_permute(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a), *b = arg(e, i->b);
	int w = ty_lanebits(i->ty), count = ty_nlanes(i->ty);

	for (int n = 0; n < count; n++) {
		int from = source(i, n, count);
		const u64 *v = from < count ? a : b;
		if (w == 128)
			memcpy(&out[2 * n], &v[2 * (from % count)], 16);
		else
			eval_setlane(out, w, n, eval_lane(v, w, from % count));
	}
	return EVAL_ON;
}

static enum evalend
do_vext(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a), *b = arg(e, i->b);
	int count = ty_bits(i->ty) / 8;

	for (int n = 0; n < count; n++) {
		int from = n + i->imm;
		eval_setlane(out, 8, n, from < count ? eval_lane(a, 8, from) : eval_lane(b, 8, from - count));
	}
	return EVAL_ON;
}

static enum evalend
do_vlow(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a);

	for (int n = 0; n < ty_bits(i->ty) / 8; n++)
		eval_setlane(out, 8, n, n < i->imm / 8 ? eval_lane(a, 8, n) : 0);
	return EVAL_ON;
}

static enum evalend
do_tbl(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a), *b = arg(e, i->b);

	for (int n = 0; n < ty_bits(i->ty) / 8; n++) {
		u64 at = eval_lane(b, 8, n);
		eval_setlane(out, 8, n, at < 16 ? eval_lane(a, 8, (int)at) : 0);
	}
	return EVAL_ON;
}

/* -- to and from integers -- */

static enum evalend
do_dup(struct eval *e, const struct ins *i, u64 *out)
{
	for (int n = 0; n < ty_nlanes(i->ty); n++)
		eval_setlane(out, ty_lanebits(i->ty), n, arg(e, i->a)[0]);
	return EVAL_ON;
}

static enum evalend
do_vfromi(struct eval *e, const struct ins *i, u64 *out)
{
	eval_setlane(out, ty_lanebits(i->ty) > 64 ? 64 : ty_lanebits(i->ty), 0, arg(e, i->a)[0]);
	return EVAL_ON;
}

static enum evalend
do_vpair(struct eval *e, const struct ins *i, u64 *out)
{
	out[0] = arg(e, i->a)[0];
	out[1] = arg(e, i->b)[0];
	return EVAL_ON;
}

static enum evalend
do_ins(struct eval *e, const struct ins *i, u64 *out)
{
	memcpy(out, arg(e, i->a), (size_t)eval_words(i->ty) * 8);
	eval_setlane(out, ty_lanebits(i->ty), i->v, arg(e, i->b)[0]);
	return EVAL_ON;
}

static enum evalend
do_mov(struct eval *e, const struct ins *i, u64 *out)
{
	int w = ty_lanebits(i->v);

	out[0] = eval_lane(arg(e, i->a), w, i->imm);
	if (i->op == O_smov)
		out[0] = (u64)sext(out[0], w);
	return EVAL_ON;
}

static enum evalend
do_signs(struct eval *e, const struct ins *i, u64 *out)
{
	int w = ty_lanebits(i->v), n = ty_nlanes(i->v);

	out[0] = 0;
	for (int k = 0; k < n && k < 64; k++)
		out[0] |= (eval_lane(arg(e, i->a), w, k) >> (w - 1) & 1) << k;
	return EVAL_ON;
}

/* -- changing the lanes' width -- */

static enum evalend
do_widen(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a);
	int from = ty_lanebits(i->v), to = ty_lanebits(i->ty), count = ty_nlanes(i->ty);
	int first = i->imm ? ty_bits(i->ty) / from - count : 0;

	for (int n = 0; n < count; n++) {
		u64 x = eval_lane(a, from, first + n);
		eval_setlane(out, to, n, i->op == O_vsxt ? (u64)sext(x, from) : x);
	}
	return EVAL_ON;
}

static u64
narrowed(const struct ins *i, u64 x, int from, int to)
{
	if (i->op == O_vnarrow)
		return x;
	switch (i->imm) {
	case 0: return ir_sats(sext(x, from), to);
	case 1: return ir_satu((s128)x, to);
	default: return ir_satu(sext(x, from), to);
	}
}

static enum evalend
do_narrow(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a);
	int from = ty_lanebits(i->v), to = ty_lanebits(i->ty);

	for (int n = 0; n < ty_bits(i->ty) / from; n++)
		eval_setlane(out, to, n, narrowed(i, eval_lane(a, from, n), from, to));
	return EVAL_ON;
}

/* -- across lanes, products -- */

static enum evalend
do_vred(struct eval *e, const struct ins *i, u64 *out)
{
	static const u8 op[] = {
		[VRED_ADD] = O_add, [VRED_SMIN] = O_smin, [VRED_SMAX] = O_smax, [VRED_UMIN] = O_umin, [VRED_UMAX] = O_umax,
	};
	const u64 *a = arg(e, i->a);
	int w = ty_lanebits(i->ty), lane = ty_lane(i->ty);
	u64 sum = eval_lane(a, w, 0);

	for (int n = 1; n < ty_nlanes(i->ty); n++)
		sum = ir_value(op[i->imm], lane, sum, eval_lane(a, w, n), 0, 0, 0);
	eval_setlane(out, w, 0, sum);
	return EVAL_ON;
}

static enum evalend
do_usad(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a), *b = arg(e, i->b);

	for (int n = 0; n < ty_nlanes(i->ty); n++)
		for (int k = 8 * n; k < 8 * n + 8; k++)
			out[n] += ir_value(O_uabd, I8, eval_lane(a, 8, k), eval_lane(b, 8, k), 0, 0, 0);
	return EVAL_ON;
}

static enum evalend
do_pmull(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a), *b = arg(e, i->b);
	int from = ty_lanebits(i->v), count = ty_bits(i->ty) / (2 * from);
	int first = i->imm ? count : 0;

	for (int n = 0; n < count; n++) {
		u64 x = eval_lane(a, from, first + n), y = eval_lane(b, from, first + n);
		if (from == 64) {
			out[2 * n] = ir_clmul(x, y, 0);
			out[2 * n + 1] = ir_clmul(x, y, 1);
		} else {
			eval_setlane(out, 2 * from, n, ir_clmul(x, y, 0));
		}
	}
	return EVAL_ON;
}

static enum evalend
do_dot(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a), *b = arg(e, i->b), *c = arg(e, i->c);

	for (int n = 0; n < ty_bits(i->ty) / 32; n++) {
		u64 sum = eval_lane(c, 32, n);
		for (int k = 4 * n; k < 4 * n + 4; k++) {
			u64 x = eval_lane(a, 8, k), y = eval_lane(b, 8, k);
			sum += i->op == O_sdot ? (u64)(sext(x, 8) * sext(y, 8)) : x * y;
		}
		eval_setlane(out, 32, n, sum);
	}
	return EVAL_ON;
}

/* -- AES (FIPS 197).  The state's byte r of column c is byte 4c + r of the vector. -- */

static u8
gfmul(u8 a, u8 b)
{
	u8 p = 0;

	for (; b; b >>= 1) {
		if (b & 1)
			p ^= a;
		a = (u8)(a << 1 ^ (a >> 7) * 0x1b);
	}
	return p;
}

/* 1/a; 0 of 0 */
static const u8 reciprocal[256] = {
	0x00, 0x01, 0x8d, 0xf6, 0xcb, 0x52, 0x7b, 0xd1, 0xe8, 0x4f, 0x29, 0xc0, 0xb0, 0xe1, 0xe5, 0xc7,
	0x74, 0xb4, 0xaa, 0x4b, 0x99, 0x2b, 0x60, 0x5f, 0x58, 0x3f, 0xfd, 0xcc, 0xff, 0x40, 0xee, 0xb2,
	0x3a, 0x6e, 0x5a, 0xf1, 0x55, 0x4d, 0xa8, 0xc9, 0xc1, 0x0a, 0x98, 0x15, 0x30, 0x44, 0xa2, 0xc2,
	0x2c, 0x45, 0x92, 0x6c, 0xf3, 0x39, 0x66, 0x42, 0xf2, 0x35, 0x20, 0x6f, 0x77, 0xbb, 0x59, 0x19,
	0x1d, 0xfe, 0x37, 0x67, 0x2d, 0x31, 0xf5, 0x69, 0xa7, 0x64, 0xab, 0x13, 0x54, 0x25, 0xe9, 0x09,
	0xed, 0x5c, 0x05, 0xca, 0x4c, 0x24, 0x87, 0xbf, 0x18, 0x3e, 0x22, 0xf0, 0x51, 0xec, 0x61, 0x17,
	0x16, 0x5e, 0xaf, 0xd3, 0x49, 0xa6, 0x36, 0x43, 0xf4, 0x47, 0x91, 0xdf, 0x33, 0x93, 0x21, 0x3b,
	0x79, 0xb7, 0x97, 0x85, 0x10, 0xb5, 0xba, 0x3c, 0xb6, 0x70, 0xd0, 0x06, 0xa1, 0xfa, 0x81, 0x82,
	0x83, 0x7e, 0x7f, 0x80, 0x96, 0x73, 0xbe, 0x56, 0x9b, 0x9e, 0x95, 0xd9, 0xf7, 0x02, 0xb9, 0xa4,
	0xde, 0x6a, 0x32, 0x6d, 0xd8, 0x8a, 0x84, 0x72, 0x2a, 0x14, 0x9f, 0x88, 0xf9, 0xdc, 0x89, 0x9a,
	0xfb, 0x7c, 0x2e, 0xc3, 0x8f, 0xb8, 0x65, 0x48, 0x26, 0xc8, 0x12, 0x4a, 0xce, 0xe7, 0xd2, 0x62,
	0x0c, 0xe0, 0x1f, 0xef, 0x11, 0x75, 0x78, 0x71, 0xa5, 0x8e, 0x76, 0x3d, 0xbd, 0xbc, 0x86, 0x57,
	0x0b, 0x28, 0x2f, 0xa3, 0xda, 0xd4, 0xe4, 0x0f, 0xa9, 0x27, 0x53, 0x04, 0x1b, 0xfc, 0xac, 0xe6,
	0x7a, 0x07, 0xae, 0x63, 0xc5, 0xdb, 0xe2, 0xea, 0x94, 0x8b, 0xc4, 0xd5, 0x9d, 0xf8, 0x90, 0x6b,
	0xb1, 0x0d, 0xd6, 0xeb, 0xc6, 0x0e, 0xcf, 0xad, 0x08, 0x4e, 0xd7, 0xe3, 0x5d, 0x50, 0x1e, 0xb3,
	0x5b, 0x23, 0x38, 0x34, 0x68, 0x46, 0x03, 0x8c, 0xdd, 0x9c, 0x7d, 0xa0, 0xcd, 0x1a, 0x41, 0x1c,
};

static u8 rotl8(u8 a, int n) { return (u8)(a << n | a >> (8 - n)); }

static u8
subbyte(u8 a)                          /* 5.1.1 */
{
	u8 b = reciprocal[a];

	return (u8)(b ^ rotl8(b, 1) ^ rotl8(b, 2) ^ rotl8(b, 3) ^ rotl8(b, 4) ^ 0x63);
}

static u8
invsubbyte(u8 a)                       /* 5.3.2 */
{
	return reciprocal[(u8)(rotl8(a, 1) ^ rotl8(a, 3) ^ rotl8(a, 6) ^ 0x05)];
}

static void
aesround(const u64 *a, int inverse, u64 *out)
{
	for (int c = 0; c < 4; c++)
		for (int r = 0; r < 4; r++) {  /* row r rotates left by r; its inverse right */
			int from = inverse ? c + 4 - r : c + r;
			u8 x = (u8)eval_lane(a, 8, from % 4 * 4 + r);
			eval_setlane(out, 8, 4 * c + r, inverse ? invsubbyte(x) : subbyte(x));
		}
}

static void
aesmix(const u64 *a, int inverse, u64 *out)
{
	static const u8 mix[4] = { 2, 3, 1, 1 }, invmix[4] = { 14, 11, 13, 9 };
	const u8 *m = inverse ? invmix : mix;

	for (int c = 0; c < 4; c++)
		for (int r = 0; r < 4; r++) {
			u8 x = 0;
			for (int k = 0; k < 4; k++)
				x ^= gfmul((u8)eval_lane(a, 8, 4 * c + (r + k) % 4), m[k]);
			eval_setlane(out, 8, 4 * c + r, x);
		}
}

static enum evalend
do_aes(struct eval *e, const struct ins *i, u64 *out)
{
	const u64 *a = arg(e, i->a);
	u64 mid[2];

	switch (i->op) {
	case O_aese: case O_aesd:
		aesround(a, i->op == O_aesd, out);
		break;
	case O_aesmc: case O_aesimc:
		aesmix(a, i->op == O_aesimc, out);
		break;
	case O_aesenc: case O_aesdec:
		aesround(a, i->op == O_aesdec, mid);
		aesmix(mid, i->op == O_aesdec, out);
		break;
	}
	return EVAL_ON;
}

eval_fn *const eval_vec[O_COUNT] = {
	[O_vlow] = do_vlow, [O_dup] = do_dup, [O_duplane] = do_permute, [O_vfromi] = do_vfromi,
	[O_vpair] = do_vpair, [O_ins] = do_ins, [O_inslane] = do_permute, [O_umov] = do_mov,
	[O_smov] = do_mov, [O_vsigns] = do_signs, [O_vcat] = do_permute, [O_zip1] = do_permute, [O_zip2] = do_permute,
	[O_uzp1] = do_permute, [O_uzp2] = do_permute, [O_trn1] = do_permute, [O_trn2] = do_permute,
	[O_vext] = do_vext, [O_vrev] = do_permute, [O_tbl] = do_tbl, [O_vzxt] = do_widen,
	[O_vsxt] = do_widen, [O_vnarrow] = do_narrow, [O_vqnarrow] = do_narrow, [O_vred] = do_vred,
	[O_usad] = do_usad, [O_pmull] = do_pmull, [O_udot] = do_dot, [O_sdot] = do_dot, [O_aese] = do_aes,
	[O_aesd] = do_aes, [O_aesmc] = do_aes, [O_aesimc] = do_aes, [O_aesenc] = do_aes, [O_aesdec] = do_aes,
	[O_sha1] = eval_sha1, [O_sha256] = eval_sha256, [O_sha256r2] = eval_sha256r2,
	[O_sha256su0] = eval_sha256su0, [O_sha256su1] = eval_sha256su1,
};
