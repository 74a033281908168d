// guest: aarch64
/* Two shifts that are the halves of a rotation, of every width, and with each other's amounts. */
#include <arm_neon.h>
#include <stdio.h>
#include <string.h>

static const unsigned char in[16] = "\x81\x02\xf3\x7e\x55\xaa\x0f\xc0\x01\x80\xfe\xdc\x13\x57\x9b\xdf";

static void
show(const char *name, int n, const void *p, size_t size)
{
	printf("%s %d", name, n);
	for (size_t i = 0; i < size; i++)
		printf(" %02x", ((const unsigned char *)p)[i]);
	putchar('\n');
}

#define TURN(T, lanes, bits, n) do { \
	T x, l, r; \
	memcpy(&x, in, sizeof x); \
	__asm__("ushr %0." lanes ", %1." lanes ", #%2; sli %0." lanes ", %1." lanes ", #%3" \
	    : "=&w"(l) : "w"(x), "i"((bits) - (n)), "i"(n)); \
	__asm__("shl %0." lanes ", %1." lanes ", #%2; sri %0." lanes ", %1." lanes ", #%3" \
	    : "=&w"(r) : "w"(x), "i"((bits) - (n)), "i"(n)); \
	show("left " lanes, n, &l, sizeof l); \
	show("right " lanes, n, &r, sizeof r); \
	__asm__("ushr %0." lanes ", %1." lanes ", #%2; sli %0." lanes ", %1." lanes ", #%3" \
	    : "=&w"(l) : "w"(x), "i"((bits) - (n) - 1), "i"(n)); \
	show("apart " lanes, n, &l, sizeof l); \
} while (0)

int
main(void)
{
	TURN(uint8x16_t, "16b", 8, 3);
	TURN(uint16x8_t, "8h", 16, 8);
	TURN(uint16x8_t, "8h", 16, 5);
	TURN(uint32x4_t, "4s", 32, 7);
	TURN(uint32x4_t, "4s", 32, 16);
	TURN(uint64x2_t, "2d", 64, 19);
	TURN(uint32x2_t, "2s", 32, 12);
	return 0;
}
