// guest: riscv64
// jit only: the interpreter is as slow as it is orderly
/* Numbers read byte by byte in turns while another thread counts in these bytes: each byte that is read twice must not go
 * back.  The two numbers overlap by some bytes, in one order or the other.  The other thread counts to 48 in each
 * turn and waits for the next: so a byte that went on, even while the reader was stopped, has not gone half around. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

static volatile unsigned char at[64] __attribute__((aligned(64)));
static volatile int end;
static volatile unsigned turn;

static void *
writer(void *arg)
{
	unsigned char n = 0;

	while (!end) {
		unsigned seen = turn;

		for (int step = 0; step < 48; step++, n++)
			for (int k = 0; k < 16; k++)
				at[24 + k] = n;
		while (seen == turn && !end)
			;
	}
	return arg;
}

#define JOIN(a, b, c, d, to) "slli " b ", " b ", 8\n\tor " a ", " a ", " b "\n\tslli " c ", " c ", 16\n\t" \
	"slli " d ", " d ", 24\n\tor " a ", " a ", " c "\n\tor " to ", " a ", " d "\n\t"
#define LBU(r, n, p) "lbu " r ", " #n "(" p ")\n\t"
#define A(r, n) LBU(r, n, "%2")
#define B(r, n) LBU(r, n, "%3")
#define READ(loads, p, q) turn++; __asm__ volatile(loads JOIN("t0", "t1", "t2", "t3", "%0") JOIN("t4", "t5", "t6", "a7", "%1") \
	: "=&r"(a), "=&r"(b) : "r"(p), "r"(q) : "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a7", "memory")

/* Byte i of a and byte k of b are the same, `first` was read first: they may not be older. */
static int
older(uint32_t first, int i, uint32_t second, int k)
{
	return (signed char)((second >> 8 * k) - (first >> 8 * i)) < 0;
}

int
main(void)
{
	const volatile unsigned char *p = at + 28;
	int bad[3] = {0};
	uint32_t a, b;
	pthread_t t;

	pthread_create(&t, 0, writer, 0);
	for (int n = 0; n < 12000000; n++) {
		READ(A("t0", 0) B("t5", 1) B("t4", 0) A("t1", 1) A("t2", 2) B("t6", 2) B("a7", 3) A("t3", 3), p, p);
		bad[0] += older(a, 0, b, 0) + older(b, 1, a, 1) + older(a, 2, b, 2) + older(b, 3, a, 3);
		READ(A("t0", 0) B("t4", 0) B("t5", 1) B("t6", 2) A("t1", 1) A("t2", 2) A("t3", 3) B("a7", 3), p, p - 1);
		bad[1] += older(a, 0, b, 1) + older(b, 2, a, 1) + older(a, 2, b, 3);
		READ(A("t3", 3) B("t4", 0) B("a7", 3) A("t0", 0) B("t5", 1) A("t1", 1) B("t6", 2) A("t2", 2), p, p + 2);
		bad[2] += older(a, 3, b, 1) + older(b, 0, a, 2);
	}
	end = 1;
	pthread_join(t, 0);
	printf("%d %d %d\n", bad[0], bad[1], bad[2]);
	return 0;
}
