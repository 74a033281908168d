// guest: riscv64
// flags: -march=rv64gcv
// The vector unit's state through a signal frame and back: what a handler sees of registers, vl, vtype, vcsr and vstart, and what it
// changes of them; handlers within handlers, on a small stack, that do not return; frames that are no frames.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { VLENB = 16, MAGIC = 0x53465457, SIZE = 8 + 48 + 32 * VLENB };
struct header { uint32_t magic, size; };
struct record { struct header h; uint64_t vstart, vl, vtype, vcsr, vlenb; uint8_t *data; };
struct state { uint64_t vl, vtype, vcsr, vstart; uint8_t v[32][VLENB]; };

void trip(const struct state *in, struct state *out);  // loads in, traps, stores out
__asm__(".text\n	.globl trip\n"
"trip:	addi t0, a0, 32\n csrw vstart, zero\n"
"	vl8re8.v v0, (t0)\n addi t0, t0, 128\n vl8re8.v v8, (t0)\n addi t0, t0, 128\n vl8re8.v v16, (t0)\n addi t0, t0, 128\n vl8re8.v v24, (t0)\n"
"	ld t0, 0(a0)\n ld t1, 8(a0)\n vsetvl zero, t0, t1\n ld t0, 16(a0)\n csrw vcsr, t0\n ld t0, 24(a0)\n csrw vstart, t0\n"
"	.option norvc\n ebreak\n .option rvc\n"
"	csrr t0, vl\n sd t0, 0(a1)\n csrr t0, vtype\n sd t0, 8(a1)\n csrr t0, vcsr\n sd t0, 16(a1)\n csrr t0, vstart\n sd t0, 24(a1)\n"
"	addi t0, a1, 32\n csrw vstart, zero\n"
"	vs8r.v v0, (t0)\n addi t0, t0, 128\n vs8r.v v8, (t0)\n addi t0, t0, 128\n vs8r.v v16, (t0)\n addi t0, t0, 128\n vs8r.v v24, (t0)\n"
"	ret\n");

static struct state in, out;
static int failed;
static void (*act)(ucontext_t *, struct record *);

static void
check(const char *what, int ok)
{
	if (!ok && failed++ < 20)
		printf("%s is wrong\n", what);
}

static struct record *
record(ucontext_t *uc)
{
	return (struct record *)((char *)&uc->uc_mcontext.__fpregs + 520);
}

static void
spoil(void)
{
	__asm__ volatile("vsetvli zero, zero, e8, m8, ta, ma\n vsetivli zero, 31, e64, m8, ta, ma\n csrwi vcsr, 3\n"
	    "vmv.v.i v0, 9\n vmv.v.i v8, 10\n vmv.v.i v16, 11\n vmv.v.i v24, 12\n" ::: "memory");
}

static void
handler(int sig, siginfo_t *si, void *p)
{
	ucontext_t *uc = p;

	(void)si;
	if (act)
		act(uc, record(uc));
	spoil();
	if (sig == SIGTRAP)
		uc->uc_mcontext.__gregs[0] += 4;
}

static void
fill(int seed)
{
	for (int r = 0; r < 32; r++)
		for (int i = 0; i < VLENB; i++)
			in.v[r][i] = (uint8_t)(r * 16 + i + seed);
}

static void
same(const char *what)
{
	check(what, in.vl == out.vl && in.vtype == out.vtype && in.vcsr == out.vcsr && in.vstart == out.vstart);
	check(what, !memcmp(in.v, out.v, sizeof in.v));
}

// -- a frame without the record, before vectors are used --
static int unused;
static void look(ucontext_t *uc, struct record *r) { (void)uc; unused = !r->h.magic && !r->h.size; }

// -- what a handler sees and changes --
static void
see(ucontext_t *uc, struct record *r)
{
	struct header *end = (struct header *)((char *)r + SIZE);

	(void)uc;
	check("the record", r->h.magic == MAGIC && r->h.size == SIZE && r->vlenb == VLENB);
	check("the place of the registers", r->data == (uint8_t *)(r + 1) && (uintptr_t)r->data % 16 == 0);
	check("the end of the list", !end->magic && !end->size);
	check("vl in the frame", r->vl == in.vl);
	check("vtype in the frame", r->vtype == in.vtype);
	check("vcsr in the frame", r->vcsr == in.vcsr);
	check("vstart in the frame", r->vstart == in.vstart);
	check("a register in the frame", !memcmp(r->data, in.v, sizeof in.v));
}

static void
change(ucontext_t *uc, struct record *r)
{
	see(uc, r);
	r->vl = in.vl = 3;
	r->vtype = in.vtype = 0xc9;            // e16, m2, ta, ma
	r->vcsr = in.vcsr = 6;
	r->vstart = in.vstart = 0;
	r->data[7 * VLENB + 5] = in.v[7][5] = 0x77;
	r->data[31 * VLENB + 15] = in.v[31][15] = 0x31;
}

static void
invalid(ucontext_t *uc, struct record *r)
{
	(void)uc;
	r->vtype = 0x1ff;
	r->vl = 5;
	in.vl = 0;
	in.vtype = (uint64_t)1 << 63;
}

static void toolong(ucontext_t *uc, struct record *r) { (void)uc; r->vl = 1000; in.vl = 8; }

static void
elsewhere(ucontext_t *uc, struct record *r)
{
	static uint8_t other[32][VLENB];

	(void)uc;
	memset(other, 0x5a, sizeof other);
	memset(in.v, 0x5a, sizeof in.v);
	r->data = other[0];
}

// -- within a handler --
static void
nest(ucontext_t *uc, struct record *r)
{
	struct state a = in, b;

	see(uc, r);
	act = see;
	a.vl = in.vl = 2;
	fill(99);
	trip(&in, &b);
	check("the state after a handler within a handler", !memcmp(in.v, b.v, sizeof in.v) && b.vl == 2);
	fill(7);
	in.vl = 5;
}

static sigjmp_buf env;
static void leave(ucontext_t *uc, struct record *r) { see(uc, r); spoil(); siglongjmp(env, 1); }

static void
small(ucontext_t *uc, struct record *r)
{
	see(uc, r);
	check("the frame's stack", uc->uc_stack.ss_size == 4096);
}

// -- a load that faults in the middle --
static uint8_t *page;
static void
fault(ucontext_t *uc, struct record *r)
{
	(void)uc;
	check("vstart of a fault", r->vstart == 6 && r->vl == 16);
	mprotect(page + 4096, 4096, PROT_READ | PROT_WRITE);
	memset(page + 4096, 0x21, 4096);
}

// -- frames that are no frames --
static void badsize(ucontext_t *uc, struct record *r) { (void)uc; r->h.size -= 16; }
static void badmagic(ucontext_t *uc, struct record *r) { (void)uc; r->h.magic++; }
static void badpointer(ucontext_t *uc, struct record *r) { (void)uc; r->data = (uint8_t *)8; }

static void
dies(const char *what, void (*a)(ucontext_t *, struct record *))
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		act = a;
		trip(&in, &out);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	check(what, WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static void
with(const char *what, void (*a)(ucontext_t *, struct record *))
{
	fill(7);
	in.vl = 5, in.vtype = 0xd1, in.vcsr = 5, in.vstart = 4;        // e32, m2, ta, ma
	act = a;
	trip(&in, &out);
	same(what);
}

int
main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
	stack_t st = {.ss_sp = malloc(4096), .ss_size = 4096};
	uint8_t got[16], want[16];

	sigaction(SIGTRAP, &sa, 0);
	sigaction(SIGUSR1, &sa, 0);
	sigaction(SIGSEGV, &sa, 0);
	act = look;
	raise(SIGUSR1);
	check("the frame before vectors are used", unused);
	with("the state after a handler", see);
	with("the state after a handler that changed it", change);
	with("an invalid vtype", invalid);
	with("a vl above VLMAX", toolong);
	with("registers elsewhere", elsewhere);
	with("the state after two handlers", nest);
	if (!sigsetjmp(env, 1))
		with("", leave);
	with("the state after siglongjmp", see);

	st.ss_size = 2047;
	check("a stack that is too small", sigaltstack(&st, 0) < 0);
	st.ss_size = 4096;
	sigaltstack(&st, 0);
	sa.sa_flags |= SA_ONSTACK;
	sigaction(SIGTRAP, &sa, 0);
	with("the state after a handler on another stack", small);

	page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(page, 0x12, 4096);
	mprotect(page + 4096, 4096, PROT_NONE);
	act = fault;
	__asm__ volatile("vsetivli zero, 16, e8, m1, ta, ma\n vle8.v v3, (%0)\n vse8.v v3, (%1)" :: "r"(page + 4090), "r"(got) : "memory");
	memset(want, 0x21, 16);
	memset(want, 0x12, 6);
	check("a load that goes on after a fault", !memcmp(got, want, 16));

	signal(SIGSEGV, SIG_DFL);
	dies("a record of another size", badsize);
	dies("a record of another kind", badmagic);
	dies("a record that points nowhere", badpointer);
	puts(failed ? "failed" : "all is well");
	return failed != 0;
}
