/* Operations on vectors, which compilers take apart for machines without; and where they fault. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

typedef uint8_t v16b __attribute__((vector_size(16)));
typedef int16_t v8h __attribute__((vector_size(16)));
typedef uint16_t v8uh __attribute__((vector_size(16)));
typedef int32_t v4i __attribute__((vector_size(16)));

enum { N = 256, TURNS = 60 };

static __attribute__((noinline)) void
bytes(v16b *a, const v16b *b, int n)
{
	for (int i = 0; i < n; i++) {
		v16b x = a[i], y = b[i], avg = (x & y) + ((x ^ y) >> 1), more = (v16b)(x > y);

		a[i] = (avg & more) | ((x + (uint8_t)3) & ~more);
	}
}

static __attribute__((noinline)) void
halves(v8h *a, v4i *b, int n)
{
	for (int i = 0; i < n; i++) {
		v8h t = a[i] * (int16_t)13 + (v8h){9, 8, 7, 6, 5, 4, 3, 2}, m = t > a[i];
		v4i u;

		a[i] = ((t & m) | (a[i] & ~m)) ^ (t >> 3);
		u = (b[i] << 3) - b[i] + (v4i)a[i];
		b[i] = u ^ ((v4i)(u > 0) & 0x55);
	}
}

static __attribute__((noinline)) void
shifts(v8uh *a, const v8uh *b, int n)
{
	for (int i = 0; i < n; i++) {
		v8uh x = a[i] - (b[i] >> 2), y = (v8uh)(x < b[i]);

		a[i] = (x & y) + ((b[i] << 1) ^ x) + (uint16_t)7;
	}
}

static uint64_t
sum(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = 0;

	for (size_t k = 0; k < n; k++) {
		h = (h ^ b[k]) * 0x100000001b3;
		h ^= h >> 29;
	}
	return h;
}

static void
fill(void *p, size_t n, uint32_t x)
{
	uint8_t *b = p;

	for (size_t k = 0; k < n; k++)
		b[k] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
}

static sigjmp_buf back;
static void segv(int sig) { siglongjmp(back, sig); }

/* What there is in both after the second, which ends with its page, has faulted. */
static void
edge(const char *what, void (*run)(void *, void *, int), uint8_t *x, uint8_t *y)
{
	fill(x, N * 16, 3);
	fill(y, 64 * 16, 4);
	if (!sigsetjmp(back, 1))
		run(x, y, N);
	printf("%s: %016llx %016llx\n", what, (unsigned long long)sum(x, N * 16), (unsigned long long)sum(y, 64 * 16));
}

static void runbytes(void *a, void *b, int n) { bytes(a, b, n); }
static void runhalves(void *a, void *b, int n) { halves(a, b, n); }
static void runshifts(void *a, void *b, int n) { shifts(a, b, n); }

int
main(void)
{
	static struct { char name[8]; void (*run)(void *, void *, int); } k[] = {
		{"bytes", runbytes}, {"halves", runhalves}, {"shifts", runshifts},
	};
	static v16b a[N + 1], b[N + 1], both[2 * N];
	uint8_t *page = mmap(0, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page + 4096, 4096, PROT_NONE);
	signal(SIGSEGV, segv);
	for (int n = 0; n < 3; n++) {
		fill(a, sizeof a, 1);
		fill(b, sizeof b, 2);
		for (int t = 0; t < TURNS; t++)
			k[n].run(a, b, N);
		printf("%s: %016llx\n", k[n].name, (unsigned long long)(sum(a, sizeof a) ^ sum(b, sizeof b)));
		fill(both, sizeof both, 5);
		for (int t = 0; t < TURNS; t++)
			k[n].run(both, both + 1, N);   /* what is stored is loaded in the next turn */
		printf("%s, overlapping: %016llx\n", k[n].name, (unsigned long long)sum(both, sizeof both));
		memset(page, 0, 4096);
		edge(k[n].name, k[n].run, (uint8_t *)a, page + 4096 - 64 * 16);
	}
	return 0;
}
