// guest: riscv64
/* Vector cryptography: ciphers and hashes of the standards' examples, made of the instructions as a library would,
 * and what is reserved.  Assemblers do not know the instructions yet: words. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* vd is v8, vs2 v16, vs1 v24, or a number in its place */
#define WORD(funct6, vs1) ((uint32_t)(funct6) << 26 | 1 << 25 | 16 << 20 | (vs1) << 15 | 2 << 12 | 8 << 7 | 0x77)
enum { VS1 = 24 };
enum {
	VAESDM = WORD(0x28, 0), VAESDF = WORD(0x28, 1), VAESEM = WORD(0x28, 2), VAESEF = WORD(0x28, 3), SCALAR = 1 << 26,
	VAESZ = WORD(0x29, 7), VAESKF1 = WORD(0x22, 0), VAESKF2 = WORD(0x2a, 0), IMM = 1 << 15,
	VGHSH = WORD(0x2c, VS1), VGMUL = WORD(0x28, 17), VSM4K = WORD(0x21, 0), VSM4R = WORD(0x28, 16),
	VSM3ME = WORD(0x20, VS1), VSM3C = WORD(0x2b, 0),
	VSHA2MS = WORD(0x2d, VS1), VSHA2CH = WORD(0x2e, VS1), VSHA2CL = WORD(0x2f, VS1),
};

/* d = op(d, x, y), with vl elements of a type; the word is a constant */
#define DO(type, vl, word, d, x, y) \
	__asm__ volatile(".option push\n.option arch, +v\nvsetivli zero, %3, " type ", ta, ma\n" \
	    "vl2re8.v v8, (%0)\nvl2re8.v v16, (%1)\nvl2re8.v v24, (%2)\n.4byte %4\nvs2r.v v8, (%0)\n.option pop" \
	    :: "r"(d), "r"(x), "r"(y), "i"(vl), "i"((int)(word)) : "memory")

typedef union { uint8_t b[64]; uint32_t w[16]; uint64_t d[8]; } block __attribute__((aligned(64)));
static block none;

static void
show(const char *what, const void *p, int bytes, int size)
{
	printf("%s ", what);
	for (int i = 0; i < bytes; i++)
		printf("%02x", ((const uint8_t *)p)[i / size * size + (size - 1 - i % size)]);
	printf("\n");
}

/* -- AES (FIPS 197, appendix C) -- */

static void
aes(int rounds, const block *key)
{
	block k[15], s;

	memset(k, 0, sizeof k);
	k[0] = *key;
	memcpy(k[1].b, key->b + 16, 16);
#define KF1(n) k[n] = none; DO("e32, m1", 4, VAESKF1 + n * IMM, &k[n], &k[n - 1], &none)
#define KF2(n) k[n] = k[n - 2]; DO("e32, m1", 4, VAESKF2 + n * IMM, &k[n], &k[n - 1], &none)
	if (rounds == 10) {
		KF1(1); KF1(2); KF1(3); KF1(4); KF1(5); KF1(6); KF1(7); KF1(8); KF1(9); KF1(10);
	} else {
		KF2(2); KF2(3); KF2(4); KF2(5); KF2(6); KF2(7); KF2(8); KF2(9); KF2(10); KF2(11); KF2(12); KF2(13); KF2(14);
	}
	show("last key", &k[rounds], 16, 1);
	for (int i = 0; i < 32; i++)
		s.b[i] = (uint8_t)(i % 16 * 0x11);
	DO("e32, m1", 4, VAESZ, &s, &k[0], &none);
	for (int i = 1; i < rounds; i++)
		DO("e32, m1", 4, VAESEM, &s, &k[i], &none);
	DO("e32, m1", 4, VAESEF, &s, &k[rounds], &none);
	show("encrypted", &s, 32, 1);          /* the second is not within vl */
	for (int i = 0; i < 16; i++)
		s.b[16 + i] = s.b[i];
	DO("e32, m2", 8, VAESZ, &s, &k[rounds], &none);
	for (int i = rounds - 1; i > 0; i--)
		DO("e32, m2", 8, VAESDM + SCALAR, &s, &k[i], &none);
	DO("e32, m2", 8, VAESDF + SCALAR, &s, &k[0], &none);
	show("decrypted", &s, 32, 1);
}

/* -- SHA-256 and SHA-512 of "abc" (FIPS 180-4) -- */

static const uint64_t k512[80] = {
	0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
	0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
	0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
	0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
	0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
	0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
	0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
	0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
	0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
	0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
	0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
	0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
	0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
	0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
	0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
	0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};
static const uint64_t h512[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

/* The constants of SHA-256 are the upper halves of those of SHA-512.  TYPE: one element group; w[], abef, cdgh are
 * groups of four. */
#define SHA2(name, word, TYPE, bits) \
static void \
name(void) \
{ \
	enum { ROUNDS = bits == 32 ? 64 : 80, FIRST = 64 - bits }; \
	word w[ROUNDS] = {(word)0x6162638000000000 | (word)0x61626380 << (bits == 64 ? 32 : 0), [15] = 24}, a[8]; \
	block abef = {0}, cdgh = {0}, late, mid, now, t; \
	for (int i = 16; i < ROUNDS; i += 4) { \
		memcpy(&now, w + i - 16, 4 * sizeof *w); \
		memcpy(&mid, (word[4]){w[i - 12], w[i - 7], w[i - 6], w[i - 5]}, 4 * sizeof *w); \
		memcpy(&late, w + i - 4, 4 * sizeof *w); \
		DO(TYPE, 4, VSHA2MS, &now, &mid, &late); \
		memcpy(w + i, &now, 4 * sizeof *w); \
	} \
	for (int i = 0; i < 8; i++) \
		a[i] = (word)(h512[i] >> FIRST); \
	memcpy(&abef, (word[4]){a[5], a[4], a[1], a[0]}, 4 * sizeof *w); \
	memcpy(&cdgh, (word[4]){a[7], a[6], a[3], a[2]}, 4 * sizeof *w); \
	for (int i = 0; i < ROUNDS; i += 4) { \
		for (int k = 0; k < 4; k++) \
			((word *)&now)[k] = w[i + k] + (word)(k512[i + k] >> FIRST); \
		t = abef; \
		DO(TYPE, 4, VSHA2CL, &cdgh, &abef, &now); \
		abef = cdgh, cdgh = t, t = abef; \
		DO(TYPE, 4, VSHA2CH, &cdgh, &abef, &now); \
		abef = cdgh, cdgh = t; \
	} \
	word *x = (word *)&abef, *y = (word *)&cdgh, end[8] = {x[3], x[2], y[3], y[2], x[1], x[0], y[1], y[0]}; \
	for (int i = 0; i < 8; i++) \
		a[i] += end[i]; \
	show(#name, a, sizeof a, sizeof *a); \
}
SHA2(sha256, uint32_t, "e32, m1", 32)
SHA2(sha512, uint64_t, "e64, m2", 64)

/* -- GHASH of test case 2 of the mode's specification -- */

static void
ghash(void)
{
	static const block h = {.b = {0x66, 0xe9, 0x4b, 0xd4, 0xef, 0x8a, 0x2c, 0x3b, 0x88, 0x4c, 0xfa, 0x59, 0xca, 0x34, 0x2b, 0x2e}};
	static const block text = {.b = {0x03, 0x88, 0xda, 0xce, 0x60, 0xb6, 0xa3, 0x92, 0xf3, 0x28, 0xc2, 0xb9, 0x71, 0xb2, 0xfe, 0x78}};
	block y = {0}, size = {.b = {[15] = 128}};

	DO("e32, m1", 4, VGHSH, &y, &h, &text);
	DO("e32, m1", 4, VGHSH, &y, &h, &size);
	show("GHASH", &y, 16, 1);
	DO("e32, m1", 4, VGMUL, &y, &h, &none);
	show("times H", &y, 16, 1);
}

/* -- SM4 (GM/T 0002-2012, example 1) and SM3 of "abc" (GM/T 0004-2012) -- */

static void
sm4(void)
{
	static const uint8_t key[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
	static const uint32_t fk[4] = {0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc};
	block k[9], s = {0}, back[8];

	memset(k, 0, sizeof k);
	for (int i = 0; i < 4; i++) {
		uint32_t w = (uint32_t)key[4 * i] << 24 | key[4 * i + 1] << 16 | key[4 * i + 2] << 8 | key[4 * i + 3];
		s.w[i] = w;
		k[0].w[i] = w ^ fk[i];
	}
#define K(n) DO("e32, m1", 4, VSM4K + n * IMM, &k[n + 1], &k[n], &none)
	K(0); K(1); K(2); K(3); K(4); K(5); K(6); K(7);
	for (int i = 1; i <= 8; i++)
		DO("e32, m1", 4, VSM4R, &s, &k[i], &none);
	for (int i = 0; i < 4; i++)
		s.w[4 + i] = s.w[3 - i];
	show("SM4", &s.w[4], 16, 4);
	for (int i = 0; i < 4; i++)
		s.w[i] = s.w[4 + i];
	for (int i = 0; i < 8; i++)
		for (int n = 0; n < 4; n++)
			back[i].w[n] = k[8 - i].w[3 - n];
	for (int i = 0; i < 8; i++)
		DO("e32, m2", 8, VSM4R + SCALAR, &s, &back[i], &none);
	for (int i = 0; i < 4; i++)
		s.w[4 + i] = s.w[3 - i];
	show("SM4 back", &s.w[4], 16, 4);
}

static void
sm3(void)
{
	static const uint32_t iv[8] = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};
	uint32_t w[72] = {0};
	block s = {0}, x, y, new;
	uint8_t *m = (uint8_t *)w;

	memcpy(m, "abc\x80", 4);
	m[63] = 24;
	for (int i = 16; i < 72; i += 8) {
		memcpy(&y, w + i - 16, 32);
		memcpy(&x, w + i - 8, 32);
		DO("e32, m2", 8, VSM3ME, &new, &x, &y);
		memcpy(w + i, &new, 32);
	}
	for (int i = 0; i < 8; i++)
		s.w[i] = __builtin_bswap32(iv[i]);
#define C(n) memcpy(&x, w + 2 * (n), 32); DO("e32, m2", 8, VSM3C + (n) * IMM, &s, &x, &none)
	C(0); C(1); C(2); C(3); C(4); C(5); C(6); C(7); C(8); C(9); C(10); C(11); C(12); C(13); C(14); C(15);
	C(16); C(17); C(18); C(19); C(20); C(21); C(22); C(23); C(24); C(25); C(26); C(27); C(28); C(29); C(30); C(31);
	for (int i = 0; i < 8; i++)
		s.w[i] = __builtin_bswap32(s.w[i]) ^ iv[i];
	show("SM3", &s, 32, 4);
}

/* -- what is reserved -- */

static sigjmp_buf out;
static void ill(int sig) { (void)sig; siglongjmp(out, 1); }

#define TRY(what, type, vl, word) \
	do { \
		if (sigsetjmp(out, 1)) { \
			printf("%s is reserved\n", what); \
		} else { \
			DO(type, vl, word, &s, &none, &none); \
			printf("%s is there\n", what); \
		} \
	} while (0)
#define WITH(word, vs2) (((word) & ~(31 << 20)) | (vs2) << 20)

static void
reserved(void)
{
	block s = {0};

	signal(SIGILL, ill);
	TRY("AES of words", "e32, m1", 4, VAESEM);
	TRY("AES of doublewords", "e64, m2", 4, VAESEM);
	TRY("AES of half a group", "e32, m1", 2, VAESEM);
	TRY("AES of nothing", "e32, m1", 0, VAESEM);
	TRY("AES with too small a group", "e32, mf2", 0, VAESEM);
	TRY("AES with its own key", "e32, m1", 4, WITH(VAESEM, 8));
	TRY("AES with one key for all", "e32, m2", 8, WITH(VAESEM + SCALAR, 17));
	TRY("AES with one key of its own", "e32, m2", 8, WITH(VAESEM + SCALAR, 9));
	TRY("AES with one key behind its vl", "e32, m4", 4, WITH(VAESEM + SCALAR, 11));
	TRY("AES with a misaligned group", "e32, m2", 8, WITH(VAESEM, 17));
	TRY("SHA-512 with one register", "e64, m1", 0, VSHA2MS);
	TRY("SHA-512 with two registers", "e64, m2", 4, VSHA2MS);
	TRY("SHA-256 with equal registers", "e32, m1", 4, WITH(VSHA2MS, 8));
	TRY("SHA of halfwords", "e16, m1", 4, VSHA2MS);
	TRY("SM3 with one register", "e32, m1", 0, VSM3ME);
	TRY("SM3 of four words", "e32, m2", 4, VSM3ME);
	TRY("SM3 with equal registers", "e32, m2", 8, WITH(VSM3ME, 8));
	TRY("GHASH of doublewords", "e64, m1", 0, VGHSH);
	TRY("SM4 of doublewords", "e64, m1", 0, VSM4R);
}

int
main(void)
{
	block key;

	for (int i = 0; i < 64; i++)
		key.b[i] = (uint8_t)i;
	aes(10, &key);
	aes(14, &key);
	sha256();
	sha512();
	ghash();
	sm4();
	sm3();
	reserved();
	return 0;
}
