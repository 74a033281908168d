/* The C library's loops over strings (ir/seek.c): of any length, from anywhere, up to the end of a page that none can be
 * used after, and over it: then the handler is told where. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, MOST = 300 };
static char *a, *b;                    /* pages' ends */
static sigjmp_buf out;
static int now;

static void
handler(int sig, siginfo_t *si, void *uc)
{
	siglongjmp(out, 1 + (si->si_addr == a) + 2 * (si->si_addr == b));
}

static char *
end(void)
{
	char *p = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p + 2 * PAGE, PAGE, PROT_NONE);
	for (int n = 0; n < 2 * PAGE; n++)
		p[n] = n % 5 ? n % 7 ? 1 : -128 : -127;
	return p + 2 * PAGE;
}

/* The string is n bytes, and so many come after it. */
static uint64_t
look(int n, int after)
{
	char *s = a - n - after - 1, *t = b - n - after - 1;
	char was = s[n];
	uint64_t h;

	s[n] = 0;
	memcpy(t, s, (size_t)n + 1);
	h = strlen(s) * 31 + (uint64_t)(strcmp(s, t) == 0);
	h = h * 31 + (uint64_t)((char *)memchr(t, 0, MOST + 8) - t);
	h = h * 31 + (uint64_t)(strchr(s, 99) == 0) + 2 * (uint64_t)(memcmp(s, t, (size_t)n) == 0);
	t[n / 2] = 99;
	h = h * 31 + (uint64_t)(strchr(t, 99) - t) * 3 + (uint64_t)(strcmp(s, t) < 0) + 2 * (uint64_t)(memcmp(s, t, (size_t)n) < 0);
	s[n] = was;
	return h;
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
	uint64_t h = 0;

	a = end();
	b = end();
	for (int n = 0; n < MOST; n++)
		for (int after = 0; after < 20; after++)
			h = h * 1000003 + look(n, after);
	printf("%016llx\n", (unsigned long long)h);
	sigaction(SIGSEGV, &sa, 0);
	for (now = 1; now < MOST; now++) {
		int went = sigsetjmp(out, 1);

		if (!went)
			return (int)strlen(a - now);
		h = h * 31 + (uint64_t)went;
	}
	printf("%016llx\n", (unsigned long long)h);
	return 0;
}
