// Threads one after the other, each in what the last has left: it calls through pointers what has been rewritten since.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

enum { MOST = 300, ROUNDS = 40 };
typedef int fn(void);
static uint32_t *code;                 // functions of two words, a line of 64 bytes each

#include "return.h"

static void *
call(void *n)
{
	long sum = 0;

	for (int again = 0; again < 3; again++)
		for (int i = 0; i < (int)(intptr_t)n; i++) {
			fn *volatile f = (fn *)(code + 16 * i);
			sum += f();
		}
	return (void *)sum;
}

// few: as many places as are listed one by one; many: more
static long
rounds(int n)
{
	long wrong = 0;

	for (int r = 0; r < ROUNDS; r++) {
		pthread_t t;
		void *sum;
		long want = 0;

		for (int i = 0; i < n; i++) {
			put(code + 16 * i, (r * 7 + i) & 0x3ff);
			want += 3 * ((r * 7 + i) & 0x3ff);
		}
		__builtin___clear_cache((char *)code, (char *)(code + 16 * n));
		pthread_create(&t, 0, call, (void *)(intptr_t)n);
		pthread_join(t, &sum);
		wrong += (long)sum != want;
	}
	return wrong;
}

int
main(void)
{
	code = mmap(0, MOST * 64, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("few: %ld wrong\n", rounds(20));
	printf("many: %ld wrong\n", rounds(MOST));
	return 0;
}
