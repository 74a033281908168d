// guest: riscv64
// A remainder after the division of the same numbers is made from the quotient: as without one, at all corners.
#include <stdint.h>
#include <stdio.h>

#define PAIR(name, type, div, rem) \
__attribute__((noinline)) static type \
name##_alone(type a, type b) \
{ \
	type r; \
	__asm__ volatile(rem " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b)); \
	return r; \
} \
__attribute__((noinline)) static type \
name##_after(type a, type b) \
{ \
	type q, r; \
	__asm__ volatile(div " %0, %2, %3\n\t" rem " %1, %2, %3" : "=&r"(q), "=&r"(r) : "r"(a), "r"(b)); \
	return r; \
}
PAIR(unsigned64, uint64_t, "divu", "remu")
PAIR(signed64, uint64_t, "div", "rem")
PAIR(unsigned32, uint64_t, "divuw", "remuw")
PAIR(signed32, uint64_t, "divw", "remw")

int
main(void)
{
	static const uint64_t v[] = {0, 1, 2, 3, 7, 10, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x100000001,
		0x7fffffffffffffff, 0x8000000000000000, ~0ull, ~0ull - 1, 0xffffffff80000000, 12345678901234567ull};
	const int n = sizeof v / sizeof *v;
	int bad = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			bad += unsigned64_alone(v[i], v[j]) != unsigned64_after(v[i], v[j]);
			bad += signed64_alone(v[i], v[j]) != signed64_after(v[i], v[j]);
			bad += unsigned32_alone(v[i], v[j]) != unsigned32_after(v[i], v[j]);
			bad += signed32_alone(v[i], v[j]) != signed32_after(v[i], v[j]);
		}
	printf("%d differ\n", bad);
	return 0;
}
