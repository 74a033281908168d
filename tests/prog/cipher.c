// Long stretches of arithmetic with more values alive than a host has registers: ChaCha20 blocks and a hash.
#include <stdint.h>
#include <stdio.h>

#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define QR(a, b, c, d) \
	(a += b, d = ROL(d ^ a, 16), c += d, b = ROL(b ^ c, 12), a += b, d = ROL(d ^ a, 8), c += d, b = ROL(b ^ c, 7))

static void __attribute__((noinline))
block(uint32_t *o, const uint32_t *s)
{
	uint32_t x[16];

	for (int i = 0; i < 16; i++)
		x[i] = s[i];
#pragma GCC unroll 16
	for (int i = 0; i < 10; i++) {
		QR(x[0], x[4], x[8], x[12]);
		QR(x[1], x[5], x[9], x[13]);
		QR(x[2], x[6], x[10], x[14]);
		QR(x[3], x[7], x[11], x[15]);
		QR(x[0], x[5], x[10], x[15]);
		QR(x[1], x[6], x[11], x[12]);
		QR(x[2], x[7], x[8], x[13]);
		QR(x[3], x[4], x[9], x[14]);
	}
	for (int i = 0; i < 16; i++)
		o[i] = x[i] + s[i];
}

// Few registers named and long-lived ones idle: their homes are lent and must come back.
static uint64_t __attribute__((noinline))
mix(uint64_t a, uint64_t b)
{
	uint64_t c = a ^ b << 7, d = b ^ a >> 9, e = a + b, f = a - b, g = c * 3, h = d * 5;

#pragma GCC unroll 16
	for (int i = 0; i < 12; i++) {
		a += h ^ d >> 3, b ^= a << 5, c += b ^ e, d -= c >> 11;
		e ^= d * 9, f += e << 2, g ^= f >> 17, h += g ^ a;
	}
	return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}

int
main(void)
{
	uint32_t s[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 1, 2, 3, 4, 5, 6, 7, 8}, o[16];
	uint64_t sum = 0, n = 1, m = 2, k = 3;

	for (int i = 0; i < 50; i++) {
		s[12] = (uint32_t)i;
		block(o, s);
		for (int j = 0; j < 16; j++)
			sum = sum * 31 + o[j];
		n += mix(sum, m);
		m ^= mix(n, k);
		k = k * 5 + mix(k, n);
	}
	printf("%016llx %016llx %016llx %016llx\n", (unsigned long long)sum, (unsigned long long)n,
	    (unsigned long long)m, (unsigned long long)k);
	return 0;
}
