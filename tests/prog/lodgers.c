/* More values than a host has registers, in loops without calls: what is left of them by faults in the midst, signals
 * at any time, jumps into a loop and out of it. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

enum { PAGE = 4096, PAGES = 40 };
static uint8_t *mem;
static volatile int faults, ticks;

static void
onsegv(int sig, siginfo_t *si, void *uc)
{
	uintptr_t at = (uintptr_t)si->si_addr & ~(uintptr_t)(PAGE - 1);

	(void)sig, (void)uc;
	if (at < (uintptr_t)mem || at >= (uintptr_t)mem + PAGES * PAGE)
		_Exit(1);
	faults++;
	mprotect((void *)at, PAGE, PROT_READ | PROT_WRITE);
}

static void
onalarm(int sig)
{
	(void)sig;
	ticks++;
}

static void
prepare(int prot)
{
	mprotect(mem, PAGES * PAGE, PROT_READ | PROT_WRITE);
	for (size_t i = 0; i < PAGES * PAGE; i++)
		mem[i] = (uint8_t)(i * 167 >> 3);
	mprotect(mem, PAGES * PAGE, prot);
}

#define ALL(f) f(a) f(b) f(c) f(d) f(e) f(g) f(h) f(i) f(j) f(k) f(l) f(m) f(o) f(q)
#define DECLARE(x) uint64_t x = s += 0x9e3779b97f4a7c15;
#define GATHER(x) r = r * 31 + x;

/* One block, loads and stores. */
__attribute__((noinline)) static uint64_t
turn(uint8_t *p, uint8_t *end, uint64_t s)
{
	uint64_t r = 0;
	ALL(DECLARE)

	do {
		uint64_t v;
		memcpy(&v, p, 8);
		a += v; b ^= a; c += b >> 7; d ^= c << 3; e += d; g ^= e >> 5; h += g; i ^= h; j += i >> 11; k ^= j;
		l += k << 1; m ^= l; o += m >> 3; q ^= o; a ^= q;
		memcpy(p, &q, 8);
		p += 8;
	} while (p != end);
	ALL(GATHER)
	return r;
}

/* Words that lie anywhere, which some guests read and write byte by byte, over the stack. */
__attribute__((noinline)) static uint64_t
odd(uint8_t *p, uint8_t *end, uint64_t s)
{
	uint64_t a = s, b = 1, c = 2, d = 3, e = 4, g = 5;

	do {
		uint64_t v;
		uint32_t w;
		memcpy(&v, p, 8);
		a += v; b ^= a; c += b >> 7; d ^= c << 3; e += d; g ^= e >> 5; a ^= g;
		w = (uint32_t)a;
		memcpy(p + 1, &w, 4);
		p += 7;
	} while (p < end);
	return a + b * 3 + c * 5 + d * 7 + e * 9 + g * 11;
}

/* Several blocks, one within the other, left in the midst and entered there. */
__attribute__((noinline)) static uint64_t
wander(uint8_t *p, uint8_t *end, uint64_t s, int enter)
{
	uint64_t r = 0;
	int n = 3;
	ALL(DECLARE)

	switch (enter) {
	case 0:
		while (p < end) {
			a += *p; b ^= a; c += b >> 7;
			if (a & 64)
				goto skip;
			d ^= c << 3;
	case 1:		e += d; g ^= e >> 5;
			if (g == 12345)
				break;
	skip:		h += g; i ^= h;
			for (n = (int)(h & 7); n; n--) {
				j += i >> 11; k ^= j + (uint64_t)n;
	case 2:			l += k << 1;
			}
			m ^= l; o += m >> 3; q ^= o; a ^= q;
			*p = (uint8_t)q;
			p += 1 + (q & 31);
			if ((m & 0xfffff) == 77)
				goto out;
		}
	}
	r = 1;
out:
	ALL(GATHER)
	return r;
}

/* Two jumps back to one place: what is named between them lives in the turns before too. */
__attribute__((noinline)) static uint64_t
rows(uint8_t *p, uint8_t *end, uint64_t s, uint64_t step)
{
	uint64_t r = 0, u = s, v = s * 3;
	uint8_t *row = p + step;
	ALL(DECLARE)

again:
	a += *p; b ^= a; c += b >> 7; d ^= c << 3; e += d; g ^= e >> 5; h += g; i ^= h; j += i >> 11; k ^= j;
	l += k << 1; m ^= l; o += m >> 3; q ^= o; a ^= q;
	*p++ = (uint8_t)q;
	if (p != row)
		goto again;
	u = u * 5 + v;
	v ^= u >> 9;
	row += step;
	if (row < end)
		goto again;
	ALL(GATHER)
	return r + u * 3 + v;
}

static uint64_t
all(int prot)
{
	uint64_t r;

	prepare(prot);
	r = turn(mem + 4, mem + PAGES * PAGE - 4, 1);
	prepare(prot);
	for (int n = 0; n < 3; n++)
		r = r * 7 + wander(mem + n, mem + PAGES * PAGE - 64, (uint64_t)n + 5, n);
	prepare(prot);
	r = r * 7 + odd(mem + 1, mem + PAGES * PAGE - 16, 9);
	prepare(prot);
	return r * 7 + rows(mem, mem + PAGES * PAGE - 16, 11, 29);
}

int
main(void)
{
	struct sigaction sa = { .sa_sigaction = onsegv, .sa_flags = SA_SIGINFO };
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	uint64_t want, got = 0;

	mem = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGSEGV, &sa, 0);
	signal(SIGALRM, onalarm);
	want = all(PROT_READ | PROT_WRITE);
	for (int n = 0; n < 3; n++) {
		if ((got = all(PROT_NONE)) != want || (got = all(PROT_READ)) != want)
			printf("faults: %llx, not %llx\n", (unsigned long long)got, (unsigned long long)want);
	}
	setitimer(ITIMER_REAL, &often, 0);
	for (int n = 0; n < 20 || ticks < 20; n++)
		if ((got = all(n & 1 ? PROT_NONE : PROT_READ | PROT_WRITE)) != want)
			printf("signals: %llx, not %llx\n", (unsigned long long)got, (unsigned long long)want);
	printf("%llx %d\n", (unsigned long long)want, faults >= 6 * PAGES);
	return 0;
}
