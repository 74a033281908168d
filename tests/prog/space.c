/* Where things are in the address space, as programs of each guest rely on it: AddressSanitizer's shadow and allocator
 * must fit on AArch64, no address may have more than 38 bits on RISC-V (Sv39). */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void
check(const char *what, int ok)
{
	if (!ok)
		printf("wrong: %s\n", what);
}

static int
fits(uintptr_t at, size_t len)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE;
	void *p = mmap((void *)at, len, PROT_NONE, flags, -1, 0);

	return p == (void *)at && !munmap(p, len);
}

static int bits(const void *p) { return 64 - __builtin_clzl((uintptr_t)p); }

int
main(void)
{
	int local;
	void *block = mmap(0, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *small = malloc(16);
	void *large = mmap(0, 128ul << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	check("the stack is above mappings", (void *)&local > block);
	check("mappings are above the heap", (char *)block > (char *)sbrk(0));
	check("128 GiB beside a heap", large != MAP_FAILED && !munmap(large, 128ul << 30));
	check("Go's arena", fits(0x4000000000 - (128ul << 20), 64 << 20));
#ifdef __aarch64__
	check("47 bits", bits(&local) == 47 && bits(block) == 47);
	check("AddressSanitizer's shadow", fits(0x1000000000, 0x100000000000));
	check("AddressSanitizer's allocator", fits(0x500000000000, 0x40000002000));
	check("nothing beyond 47 bits", !fits((uintptr_t)1 << 47, 4096) && errno == ENOMEM);
#else
	check("38 bits", bits(&local) <= 38 && bits(block) <= 38 && bits(large) <= 38);
	check("AddressSanitizer's low shadow", fits(0xd55550000, 1 << 20));
	check("nothing beyond 38 bits", !fits((uintptr_t)1 << 38, 4096) && errno == ENOMEM);
#endif
	puts("done");
	return 0;
}
