// Atomics on a page that cannot be written: the handler finds pc, address and registers as they were before, and after it
// has made the page writable they are done once.  First by a process that is alone, then by one that shares memory; and
// on a page that holds code that has run, where nobody may see a fault.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 65536 };
static const uint64_t OLD = 0x1111111122222222, NEW = 0x3333333344444444, WAS = 0x5555555566666666;
static char *page;
static volatile int faults;
static volatile uint64_t at, result;
static volatile char *volatile wrong;

// p, v, r in the registers that the handler looks at; the instruction at label 1 faults
#ifdef __aarch64__
#define REG(u, n) ((u)->uc_mcontext.regs[n])
#define PC(u) ((u)->uc_mcontext.pc)
#define ATOMIC(name, before, text, after) \
static void name(uint64_t *p, uint64_t v) { \
	register uint64_t *x0 __asm__("x0") = p; register uint64_t x1 __asm__("x1") = v, x2 __asm__("x2") = WAS; \
	__asm__ volatile(".arch armv8.1-a\n\tadr x3, 1f\n\tstr x3, %3\n" before "\n1:\t" text "\n" after \
	    : "+r"(x2), "+r"(x1), "+r"(x0), "=m"(at) : : "x3", "x4", "memory"); result = x2; }
enum { RP = 0, RV = 1, RR = 2 };
ATOMIC(add, "", "ldadd x1, x2, [x0]", "")
ATOMIC(addonly, "", "stadd x1, [x0]", "")
ATOMIC(addbyte, "", "ldaddalb w1, w2, [x0]", "")
ATOMIC(clear, "", "ldclr x1, x2, [x0]", "")
ATOMIC(maximum, "", "ldsmax w1, w2, [x0]", "")
ATOMIC(swap, "", "swpal x1, x2, [x0]", "")
ATOMIC(swapbyte, "", "swpb w1, w2, [x0]", "")
ATOMIC(compare, "\tmov x2, 0x2222\n\tmovk x2, 0x2222, lsl 16\n\tmovk x2, 0x1111, lsl 32\n\tmovk x2, 0x1111, lsl 48\n", "cas x2, x1, [x0]", "")
ATOMIC(release, "", "stlr x1, [x0]", "")
ATOMIC(releasehalf, "", "stlrh w1, [x0]", "")
ATOMIC(exclusive, "2:\tldxr x4, [x0]", "stxr w3, x1, [x0]", "\tcbnz w3, 2b\n\tmov x2, x4")
#else
#define REG(u, n) ((u)->uc_mcontext.__gregs[n])
#define PC(u) ((u)->uc_mcontext.__gregs[0])
#define ATOMIC(name, before, text, after) \
static void name(uint64_t *p, uint64_t v) { \
	register uint64_t *a0 __asm__("a0") = p; register uint64_t a1 __asm__("a1") = v, a2 __asm__("a2") = WAS; \
	__asm__ volatile("lla a3, 1f\n\tsd a3, %3\n" before "\n1:\t" text "\n" after \
	    : "+r"(a2), "+r"(a1), "+r"(a0), "=m"(at) : : "a3", "a4", "memory"); result = a2; }
enum { RP = 10, RV = 11, RR = 12 };
ATOMIC(add, "", "amoadd.d a2, a1, (a0)", "")
ATOMIC(addonly, "", "amoadd.d zero, a1, (a0)", "")
ATOMIC(orword, "", "amoor.w zero, a1, (a0)", "")
ATOMIC(and, "", "amoand.d a2, a1, (a0)", "")
ATOMIC(maximum, "", "amomax.w a2, a1, (a0)", "")
ATOMIC(swap, "", "amoswap.d.aqrl a2, a1, (a0)", "")
ATOMIC(swapword, "", "amoswap.w a2, a1, (a0)", "")
ATOMIC(swaponly, "", "amoswap.d.aq zero, a1, (a0)", "")
ATOMIC(release, "", "amoswap.d.rl zero, a1, (a0)", "")
ATOMIC(exclusive, "2:\tlr.d a4, (a0)", "sc.d a3, a1, (a0)", "\tbnez a3, 2b\n\tmv a2, a4")
#endif

static const struct { const char *name; void (*run)(uint64_t *, uint64_t); } kinds[] = {
#define KIND(name) { #name, name }
#ifdef __aarch64__
	KIND(add), KIND(addonly), KIND(addbyte), KIND(clear), KIND(maximum), KIND(swap), KIND(swapbyte), KIND(compare),
	KIND(release), KIND(releasehalf), KIND(exclusive),
#else
	KIND(add), KIND(addonly), KIND(orword), KIND(and), KIND(maximum), KIND(swap), KIND(swapword), KIND(swaponly),
	KIND(release), KIND(exclusive),
#endif
};
enum { KINDS = sizeof kinds / sizeof *kinds };
static uint64_t want[KINDS][2];

static void
handler(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *u = uc;

	faults++;
	if (PC(u) != at)
		wrong = "pc";
	if (si->si_addr != page + 64 || si->si_code != SEGV_ACCERR)
		wrong = "address";
	if (REG(u, RP) != (uint64_t)page + 64 || REG(u, RV) != NEW || (REG(u, RR) != WAS && REG(u, RR) != OLD))
		wrong = "registers";
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static void
one(int k, int prot, const char *how)
{
	uint64_t *p = (uint64_t *)(page + 64);

	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	*p = OLD;
	mprotect(page, PAGE, prot);
	faults = 0;
	wrong = 0;
	kinds[k].run(p, NEW);
	if (faults != !(prot & PROT_WRITE))
		wrong = "number of faults";
	if (*p != want[k][0] || result != want[k][1])
		wrong = "result";
	if (wrong)
		printf("%s, %s: wrong %s\n", kinds[k].name, how, wrong);
}

// The page holds code too, which runs before each atomic and after it.
static void
withcode(int k, const char *how)
{
#ifdef __aarch64__
	static const uint32_t seven[] = { 0x528000e0, 0xd65f03c0 };    // mov w0, #7; ret
#else
	static const uint32_t seven[] = { 0x00700513, 0x00008067 };    // li a0, 7; ret
#endif
	uint64_t *p = (uint64_t *)(page + 64);
	int (*f)(void) = (int (*)(void))(page + 128);

	mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy(f, seven, sizeof seven);
	__builtin___clear_cache((char *)f, (char *)f + sizeof seven);
	for (int n = 0; n < 3; n++) {
		*p = OLD;
		faults = f() != 7;
		kinds[k].run(p, NEW);
		if (faults || f() != 7 || *p != want[k][0] || result != want[k][1])
			printf("%s beside code, %s: wrong\n", kinds[k].name, how);
	}
}

static void
all(const char *how)
{
	for (int round = 0; round < 20; round++)
		for (int k = 0; k < KINDS; k++) {
			one(k, PROT_READ | PROT_WRITE, how);
			one(k, PROT_READ, how);
			withcode(k, how);
		}
	printf("%s: done\n", how);
}

int
main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &a, 0);
	page = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int k = 0; k < KINDS; k++) {
		uint64_t word = OLD;

		kinds[k].run(&word, NEW);
		want[k][0] = word;
		want[k][1] = result;
	}
	all("alone");
	mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	all("not alone");
	for (int k = 0; k < KINDS; k++)
		printf("%s: %llx %llx\n", kinds[k].name, (long long)want[k][0], (long long)want[k][1]);
	return 0;
}
