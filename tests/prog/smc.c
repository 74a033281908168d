// Code that changes: rewritten in place with and without a flush, by mprotect, by another mapping.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int fn(void);

#include "return.h"

int
main(void)
{
	uint32_t *p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *q;
	long sum = 0;
	int fd;

	for (int k = 0; k < 200; k++) {
		put(p, k);
		__builtin___clear_cache((char *)p, (char *)p + 8);
		sum += ((fn *)p)();
	}
	printf("with flush %ld\n", sum);
	put(p, 7);
	__builtin___clear_cache((char *)p, (char *)p + 8);
	printf("%d\n", ((fn *)p)());
	mprotect(p, 4096, PROT_READ | PROT_WRITE);
	put(p, 8);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	__builtin___clear_cache((char *)p, (char *)p + 8);
	printf("after mprotect %d\n", ((fn *)p)());
	fd = memfd_create("jit", 0);
	ftruncate(fd, 4096);
	p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	sum = 0;
	for (int k = 0; k < 100; k++) {
		put(p, k);
		__builtin___clear_cache((char *)q, (char *)q + 8);
		sum += ((fn *)q)();
	}
	printf("dual mapping %ld\n", sum);
	put(p, 3);
	__builtin___clear_cache((char *)q, (char *)q + 8);
	printf("%d\n", ((fn *)q)());
	{
		uint32_t code[2];

		put(code, 55);
		pwrite(fd, code, 8, 0);
		__builtin___clear_cache((char *)q, (char *)q + 8);
		printf("by pwrite %d\n", ((fn *)q)());
	}
	// Two functions in a page that has changed so often that only flushes tell: each dies with its own bytes.
	sum = 0;
	p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	put(p + 64, 5);
	for (int k = 0; k < 300; k++) {
		put(p, k);
		if (k % 100 == 99)
			put(p + 64, k);
		__builtin___clear_cache((char *)p, (char *)(p + (k % 100 == 99 ? 66 : 2)));
#ifdef __riscv
		if (k % 3 == 1) {
			put(p, k + 1);
			__asm__ volatile ("fence.i" ::: "memory");
		}
#endif
		sum += ((fn *)p)() + ((fn *)(p + 64))();
	}
#ifdef __riscv
	sum -= 100;
#endif
	printf("two functions %ld\n", sum);
	// More small translations than there are records for, in a small code area before it is full.
	sum = 0;
	for (int k = 0; k < 20000; k++) {
		put(p, k & 1023);
		__builtin___clear_cache((char *)p, (char *)(p + 2));
		sum += ((fn *)p)();
	}
	printf("many %ld\n", sum);
	munmap(q, 4096);
	q = mmap(q, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	put(q, 99);
	__builtin___clear_cache((char *)q, (char *)q + 8);
	printf("mapped anew %d\n", ((fn *)q)());
	return 0;
}
