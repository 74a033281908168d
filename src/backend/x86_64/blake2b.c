/* SPDX-License-Identifier: MIT */
/* blake2b.c - BLAKE2b-256 (RFC 7693) of eight pieces at once, one in each lane of vectors
 *
 * Which libb2, the reference in its test, has no form of: 0.34 ns a byte instead of 1.6 was a tenth of a cold start. */
#include "backend/x86_64/x86.h"

typedef u64 lanes __attribute__((vector_size(64)));

enum { PIECES = 8, BLOCK = 128, ROUNDS = 12 };

static const u8 sigma[10][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};
static const u64 iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

#define ROTR(x, n) ((x) >> (n) | (x) << (64 - (n)))
/* RFC 7693, 3.1 */
#define MIX(a, b, c, d, x, y) \
	(a += b + x, d = ROTR(d ^ a, 32), c += d, b = ROTR(b ^ c, 24), \
	 a += b + y, d = ROTR(d ^ a, 16), c += d, b = ROTR(b ^ c, 63))

/* 3.2; to: the bytes hashed with this block */
static inline __attribute__((always_inline)) void
compress(lanes h[8], const lanes m[16], u64 to, int last)
{
	lanes v[16], none = {0};

	for (int i = 0; i < 8; i++) {
		v[i] = h[i];
		v[8 + i] = none + iv[i];
	}
	v[12] ^= none + to;
	if (last)
		v[14] = ~v[14];
	for (int r = 0; r < ROUNDS; r++) {
		const u8 *s = sigma[r % 10];

		MIX(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
		MIX(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
		MIX(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
		MIX(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
		MIX(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
		MIX(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
		MIX(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
		MIX(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
	}
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[8 + i];
}

static inline __attribute__((always_inline)) void
hash(const u8 *p, size_t n, u8 (*sum)[32])
{
	lanes h[8], m[16], none = {0};

	for (int i = 0; i < 8; i++)
		h[i] = none + iv[i];
	h[0] ^= none + (0x01010000 | 32);      /* 2.5: a tree of one leaf, no key, 32 bytes */
	for (size_t at = 0; at < n; at += BLOCK) {
		for (int w = 0; w < 16; w++)
			for (int k = 0; k < PIECES; k++)
				m[w][k] = ld64(p + (size_t)k * n + at + 8 * (size_t)w);
		compress(h, m, at + BLOCK, at + BLOCK == n);
	}
	for (int w = 0; w < 4; w++)
		for (int k = 0; k < PIECES; k++)
			st64(sum[k] + 8 * w, h[w][k]);
}

static __attribute__((target("avx2"))) void hash_avx2(const u8 *p, size_t n, u8 (*sum)[32]) { hash(p, n, sum); }
static __attribute__((target("avx512f"))) void hash_avx512(const u8 *p, size_t n, u8 (*sum)[32]) { hash(p, n, sum); }

int
x86_hash(const u8 *p, size_t n, u8 (*sum)[32])
{
	if (!x86feat.avx2)
		return 0;
	(x86feat.avx512 ? hash_avx512 : hash_avx2)(p, n, sum);
	return 1;
}
