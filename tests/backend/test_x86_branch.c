/* SPDX-License-Identifier: MIT */
/* test_x86_branch.c - jumps, links, calls, returns, safe points and faults of the x86-64 host
 *
 * The test plays the engine: it compiles regions by hand, links and kills them, and answers the
 * reasons generated code leaves for. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "base/host.h"
#include "ir/ir.h"
#include "ir/simple.h"

enum { NINT = 24, FLVAR = NINT, NREG, FLAT = 256, AREA = 1 << 22, SHADOW = 1 << 14, MAXRUN = 16 };
enum { A, B, C, LINKREG = 5, SLOW = 22 };  /* A, B, C, the link in registers; SLOW in memory */

static u64 touch(struct cpu *c, u64 a, u64 b, u64 d) { (void)c; return *(volatile u64 *)(uintptr_t)a + b + d; }

static struct reg regs[NREG];
static const struct helper helpers[] = { {"touch", (void *)touch, HELP_FAULT, 0, 0} };
static struct guest fake = {.name = "fake", .bits = 64, .reg = regs, .nreg = NREG, .link = LINKREG, .flags = FLVAR,
    .helper = helpers, .nhelper = NELEM(helpers)};
static const struct host *h = &host_x86_64;
static struct cpu *cpu;
static u8 *area, *at;
static u64 page;                       /* not accessible */

/* what the engine keeps of a compiled region */
struct made {
	u8 *code;
	struct link link[8];
	struct entry entry[8];
	struct mapent map[64];
	int nlink, nentry, nmap;
	u32 size;
	gaddr pc;
};
static struct made made[MAXRUN];
static int nmade;
static struct region r;

static struct made *
compile(void)
{
	static struct out out;
	struct made *m = &made[nmade++];

	assert_true(nmade <= MAXRUN);
	assert_null(ir_verify(&r));
	out.code = at;
	out.end = area + AREA;
	assert_int_equal(h->compile(&r, &out), 0);
	assert_true(out.nlink <= 8 && out.nentry <= 8 && out.nmap <= 64);
	*m = (struct made){.code = out.code, .nlink = out.nlink, .nentry = out.nentry, .nmap = out.nmap, .size = out.size,
	    .pc = r.pc};
	for (int i = 0; i < out.nlink; i++)
		m->link[i] = out.link[i];
	for (int i = 0; i < out.nentry; i++)
		m->entry[i] = out.entry[i];
	for (int i = 0; i < out.nmap; i++)
		m->map[i] = out.map[i];
	for (int i = 0; i < m->nlink; i++)             /* one store patches it */
		assert_true(((uintptr_t)(out.code + m->link[i].site) & 7) <= 4);
	at = (u8 *)alignup((uintptr_t)out.code + out.size, 16);
	return m;
}

static const u8 *
lookup(gaddr pc)
{
	for (int n = 0; n < nmade; n++)
		for (int i = 0; i < made[n].nentry; i++)
			if (!made[n].entry[i].ret && made[n].entry[i].pc == pc)
				return made[n].code + made[n].entry[i].off;
	return 0;
}

static const struct made *
madeat(const u8 *code)
{
	for (int n = 0; n < nmade; n++)
		if (code >= made[n].code && code < made[n].code + made[n].size)
			return &made[n];
	return 0;
}

/* Runs from pc on like the engine, linking exits and filling the jump cache if so asked, until
 * something else happens or code is missing; returns how often it left. */
static int
run(gaddr pc, int dolink)
{
	const u8 *code;
	int n = 0;

	cpu->pc = pc;
	while ((code = lookup(cpu->pc)) && n < 5000) {
		if (n && dolink && (uintptr_t)cpu->link > LINK_NONE) {
			const struct made *m = madeat(cpu->link);
			const struct link *l = &m->link[link_at(m->link, m->nlink, (u32)(cpu->link - m->code))];

			assert_int_equal(l->pc, cpu->pc);
			h->link(m->code, l, code);
		} else if (n && dolink) {
			struct jc *j = &cpu->jc[jc_index(cpu, cpu->pc)];

			j->pc = cpu->pc;
			j->code = code;
		}
		cpu->link = 0;
		h->enter(cpu, code);
		n++;
		if (cpu->why != WHY_NEXT)
			break;
	}
	return n;
}

static u64 *var(int v) { return (u64 *)(cpu->state + v * 8); }

static void
begin(gaddr pc)
{
	region_init(&r, &fake, pc, 0);
	ir_block(&r, pc);
	r.block[0].entry = 1;
	ir_insn(&r, pc);
}

static void
block(gaddr pc, int entry)
{
	ir_block(&r, pc);
	r.block[r.nblock - 1].entry = (u8)entry;
	ir_insn(&r, pc);
}

static ref k(u64 v) { return ir_k(&r, v); }
static ref get(int v) { return ir_get(&r, I64, v); }
static void put(int v, ref t) { ir_put(&r, I64, v, t); }
static ref add(ref a, u64 n) { return ir_op(&r, O_add, I64, a, k(n), 0); }
static void jmp(gaddr pc) { ir_op(&r, O_jmp, N, k(pc), 0, 0); }
static void brc(int rel, ref a, ref b, gaddr to) { ir_opx(&r, O_brc, I64, 0, rel, 0, a, b, k(to)); }

static void
call(gaddr to, gaddr back)
{
	put(LINKREG, k(back));
	ir_op(&r, O_call, N, k(to), k(back), 0);
}

static void ret(void) { ir_op(&r, O_ret, I64, get(LINKREG), 0, 0); }

static int
fresh(void **state)
{
	(void)state;
	nmade = 0;
	at = area + h->init("", area, area + AREA);
	h->guest(&fake);
	memset(cpu->state, 0, CPU_STATE);
	jc_init(cpu);
	jc_clear(cpu);
	cpu->poll = 0;
	cpu->link = 0;
	return 0;
}

/* sum of 1..A into B, the loop inside the region; entry: its head is one */
static void
make_loop(int entry)
{
	begin(0x1000);
	put(B, k(0));
	jmp(0x1010);
	block(0x1010, entry);
	put(B, ir_op(&r, O_add, I64, get(B), get(A), 0));
	put(A, add(get(A), (u64)-1));
	brc(R_NE, get(A), k(0), 0x1010);
	jmp(0x2000);
	compile();
}

static void
test_loop_inside_a_region_ends_at_its_exit(void **state)
{
	(void)state;
	make_loop(0);
	*var(A) = 100;
	assert_int_equal(run(0x1000, 0), 1);
	assert_int_equal(*var(B), 5050);
	assert_int_equal(cpu->pc, 0x2000);
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_ptr_equal(madeat(cpu->link), &made[0]);
	assert_int_equal(made[0].link[link_at(made[0].link, made[0].nlink, (u32)(cpu->link - made[0].code))].pc, 0x2000);
}

/* Wherever the code before it ends, a short loop lies on one line of 64 bytes. */
static void
test_short_loops_begin_on_a_line(void **state)
{
	(void)state;
	for (int before = 0; before < 16; before++) {
		const u8 *head;
		u32 size;

		fresh(0);
		at += 16 * before;
		make_loop(1);
		head = lookup(0x1010);
		size = (u32)(made[0].code + made[0].link[0].site - head);
		assert_true(size > 20 && ((uintptr_t)head & 63) + size <= 64);
		*var(A) = 100;
		run(0x1000, 1);
		assert_int_equal(*var(B), 5050);
	}
}

/* A jump ahead takes two bytes if a signed byte reaches; if it only looked so, the long form.  Constants are longer
 * than what the guess thinks of them. */
static void
test_jumps_ahead_reach_whatever_is_between(void **state)
{
	(void)state;
	for (int n = 0; n < 40; n++) {
		const u64 big = 0x123456789abcdef1;
		const u8 *p;
		int nlong = 0;
		u64 want = 0;

		fresh(0);
		begin(0x1000);
		brc(R_EQ, get(A), k(0), 0x2000);
		jmp(0x1010);
		block(0x1010, 0);
		for (int i = 0; i < n; i++) {
			put(B, ir_op(&r, i & 1 ? O_xor : O_add, I64, get(B), k(big), 0));
			want = i & 1 ? want ^ big : want + big;
		}
		jmp(0x2000);
		block(0x2000, 0);
		put(C, add(get(C), 1));
		jmp(0x3000);
		p = compile()->code;
		for (int i = 0; i < 16; i++)
			nlong += p[i] == 0x0f && p[i + 1] == 0x84;
		assert_int_equal(nlong, n > 9);
		run(0x1000, 0);
		*var(A) = 1;
		run(0x1000, 0);
		assert_int_equal(*var(C), 2);
		assert_int_equal(*var(B), want);
	}
}

/* Where an exit has a safe point before it, both go to one stub. */
static void
test_poll_before_an_exit_leaves_no_link(void **state)
{
	(void)state;
	begin(0x1000);
	put(A, add(get(A), 1));
	jmp(0x800);
	compile();
	assert_int_equal(run(0x1000, 0), 1);
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_ptr_equal(madeat(cpu->link), &made[0]);
	cpu->poll = CPU_ASKED;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_POLL);
	assert_int_equal(cpu->pc, 0x800);
	assert_null(cpu->link);
	assert_int_equal(*var(A), 2);
}

static void
test_poll_leaves_a_loop_with_its_state_and_it_goes_on(void **state)
{
	(void)state;
	make_loop(0);
	*var(A) = 100;
	cpu->poll = CPU_ASKED;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_POLL);
	assert_int_equal(cpu->pc, 0x1010);
	assert_null(cpu->link);
	/* 0x1010 is no entry here; what it needs is in the state */
	assert_true(*var(A) + *var(B) > 0 && *var(A) <= 100);
}

/* A loop into whose midst a block outside of it jumps back: its head is the only safe point. */
static void
test_poll_is_once_in_a_loop(void **state)
{
	(void)state;
	begin(0x1000);
	put(A, add(get(A), (u64)-1));
	brc(R_TST, get(A), k(1), 0x1020);
	jmp(0x1010);
	block(0x1010, 1);
	put(B, add(get(B), 1));
	brc(R_NE, get(A), k(0), 0x1000);
	jmp(0x800);
	block(0x1020, 0);
	put(B, add(get(B), 100));
	jmp(0x1010);
	compile();
	*var(A) = 4;
	run(0x1000, 0);
	assert_int_equal(cpu->pc, 0x800);
	assert_int_equal(*var(B), 204);
	*var(A) = 4;
	*var(B) = 0;
	cpu->poll = CPU_ASKED;
	run(0x1010, 0);
	assert_int_equal(cpu->why, WHY_POLL);
	assert_int_equal(cpu->pc, 0x1000);
	assert_int_equal(*var(B), 1);
}

/* Enters quick code that jumps to 0x2000; left: how often it may run. */
static void
enter_quick(s32 left)
{
	static struct out out;
	s32 *at_end = (s32 *)(void *)(area + AREA) - 1;

	region_init(&r, &fake, 0x1000, 0);
	ir_block(&r, 0x1000);
	out.code = at;
	out.end = area + AREA / 2;
	*at_end = left;
	h->quick->begin(&r, &out, at_end);
	assert_true(h->quick->simple(&(struct simple){.kind = SI_JUMP, .to = 0x2000}, 0));
	assert_int_equal(h->quick->end(), 0);
	assert_int_equal(out.nlink, 2);
	made[nmade++] = (struct made){.code = out.code, .size = out.size, .nlink = 2, .link = {out.link[0], out.link[1]}};
	cpu->pc = 0;
	h->enter(cpu, out.code);
}

static void
test_links_of_quick_code_leave_with_their_targets(void **state)
{
	(void)state;
	enter_quick(1);
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_int_equal(cpu->pc, 0x2000);
	assert_int_equal((uintptr_t)cpu->link, LINK_KNOWN);
	cpu->poll = CPU_ASKED;
	enter_quick(1);
	assert_int_equal(cpu->why, WHY_POLL);
	assert_int_equal(cpu->pc, 0x2000);
	assert_null(cpu->link);
}

/* The engine makes the first, to the code that takes its place. */
static void
test_quick_code_that_has_run_often_leaves_by_its_first_link(void **state)
{
	const struct made *m = made;

	(void)state;
	enter_quick(0);
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_int_equal(cpu->pc, 0x1000);
	assert_ptr_equal(madeat(cpu->link), m);
	assert_int_equal(link_at(m->link, m->nlink, (u32)(cpu->link - m->code)), 0);
}

static void
test_exits_are_linked_and_unlinked(void **state)
{
	struct made *m, *to;
	int n;

	(void)state;
	begin(0x1000);
	put(A, add(get(A), 1));
	brc(R_LTU, get(A), k(1000), 0x2000);
	jmp(0x3000);
	m = compile();
	begin(0x2000);
	put(B, add(get(B), 1));
	jmp(0x1000);
	to = compile();
	n = run(0x1000, 1);
	assert_int_equal(cpu->pc, 0x3000);
	assert_int_equal(*var(A), 1000);
	assert_int_equal(*var(B), 999);
	assert_true(n <= 4);           /* two links made: everything else happened without us */
	for (int i = 0; i < m->nlink; i++)
		h->link(m->code, &m->link[i], 0);
	for (int i = 0; i < to->nlink; i++)
		h->link(to->code, &to->link[i], 0);
	*var(A) = 0;
	assert_int_equal(run(0x1000, 0), 1000 + 999);
}

static void
test_linked_backward_exits_are_safe_points(void **state)
{
	(void)state;
	begin(0x1000);
	put(A, add(get(A), 1));
	brc(R_EQ, get(A), k(50), 0x3000);
	jmp(0x2000);
	compile();
	begin(0x2000);
	brc(R_NE, get(SLOW), k(7), 0x1000);
	jmp(0x4000);
	compile();
	run(0x1000, 1);                /* links both ways */
	assert_int_equal(*var(A), 50);
	*var(A) = 0;
	cpu->poll = CPU_ASKED;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_POLL);
	assert_int_equal(cpu->pc, 0x1000);
	assert_int_equal(*var(A), 1);
}

/* 0x1000 calls 0x5000 A times */
static void
make_caller(int slow)
{
	fake.link = slow ? SLOW : LINKREG;
	h->guest(&fake);
	begin(0x1000);
	put(fake.link, k(0x1008));
	ir_op(&r, O_call, N, k(0x5000), k(0x1008), 0);
	block(0x1008, 1);
	put(A, add(get(A), (u64)-1));
	brc(R_NE, get(A), k(0), 0x1000);
	jmp(0x2000);
	compile();
	begin(0x5000);
	put(B, add(get(B), 3));
	ir_op(&r, O_ret, I64, get(fake.link), 0, 0);
	compile();
}

static void
test_calls_and_returns_pair(void **state)
{
	(void)state;
	for (int slow = 0; slow < 2; slow++) {
		fresh(0);
		make_caller(slow);
		*var(A) = 500;
		assert_true(run(0x1000, 1) <= 5);
		assert_int_equal(*var(B), 1500);
		assert_int_equal(cpu->pc, 0x2000);
		/* unlinked, returns find no pair: the sentinel dispatches them */
		fresh(0);
		make_caller(slow);
		*var(A) = 20;
		run(0x1000, 0);
		assert_int_equal(*var(B), 60);
		assert_int_equal(cpu->pc, 0x2000);
	}
	fake.link = LINKREG;
}

/* What the host's history of branches keeps of a return's address: four short functions in a row differ in it. */
static void
test_returns_of_short_functions_lie_apart(void **state)
{
	u32 places = 0;

	(void)state;
	for (gaddr pc = 0x1000; pc < 0x1040; pc += 16) {
		begin(pc);
		put(A, add(get(A), 1));
		ret();
		memset(at, 0xcc, 128);
		compile();
		for (u8 *p = at - 1; ; p--)
			if (*p == 0xc3) {
				places |= 1u << ((uintptr_t)p >> 2 & 3);
				break;
			}
	}
	assert_int_equal(places, 0xf);
}

static void
test_return_addresses_above_four_gigabytes(void **state)
{
	gaddr hi = 0x5500001000;

	(void)state;
	begin(hi);
	call(0x5000, hi + 8);
	block(hi + 8, 1);
	put(A, add(get(A), (u64)-1));
	brc(R_NE, get(A), k(0), hi);
	jmp(0x2000);
	struct made *m = compile();
	begin(0x5000);
	put(B, add(get(B), 3));
	ret();
	compile();
	*var(A) = 10;
	assert_true(run(hi, 1) <= 5);
	assert_int_equal(*var(B), 30);
	for (int i = 0; i < m->nentry; i++)
		if (m->entry[i].ret)
			h->kill(m->code, &m->entry[i]);
	*var(A) = 10;
	cpu->poll = 0;
	int n = run(hi, 0);
	assert_int_equal(*var(B), 60);
	assert_true(n >= 1);
	assert_int_equal(cpu->pc, 0x2000);
}

/* A callee that returns elsewhere, as longjmp does */
static void
test_return_to_another_place_is_dispatched(void **state)
{
	(void)state;
	begin(0x1000);
	call(0x5000, 0x1008);
	block(0x1008, 1);
	put(C, k(1));
	jmp(0x2000);
	compile();
	begin(0x5000);
	put(LINKREG, k(0x6000));
	ret();
	compile();
	begin(0x6000);
	put(C, k(2));
	jmp(0x2000);
	compile();
	run(0x1000, 1);
	assert_int_equal(*var(C), 2);
	*var(C) = 0;
	run(0x1000, 1);                /* now with everything linked */
	assert_int_equal(*var(C), 2);
}

/* A frame is left without returning; the next return finds its call further up the shadow stack. */
static void
test_returns_pair_again_after_a_longjmp(void **state)
{
	(void)state;
	for (int slow = 0; slow < 2; slow++) {
		fresh(0);
		fake.link = slow ? SLOW : LINKREG;
		h->guest(&fake);
		begin(0x1000);
		put(fake.link, k(0x1008));
		ir_op(&r, O_call, N, k(0x5000), k(0x1008), 0);
		block(0x1008, 1);
		put(A, add(get(A), (u64)-1));
		brc(R_NE, get(A), k(0), 0x1000);
		jmp(0x2000);
		compile();
		begin(0x5000);
		put(C, get(fake.link));
		put(fake.link, k(0x5008));
		ir_op(&r, O_call, N, k(0x6000), k(0x5008), 0);
		block(0x5008, 1);
		put(B, k(0xbad));
		jmp(0x2000);
		compile();
		begin(0x6000);
		jmp(0x7000);
		compile();
		begin(0x7000);
		put(B, add(get(B), 1));
		put(fake.link, get(C));
		ir_op(&r, O_ret, I64, get(fake.link), 0, 0);
		compile();
		*var(A) = 10;
		assert_true(run(0x1000, 1) < 12);
		assert_int_equal(*var(B), 10);
		*var(A) = 1000;
		*var(B) = 0;
		jc_clear(cpu);
		assert_int_equal(run(0x1000, 0), 1);   /* nobody is asked, not even the jump cache */
		assert_int_equal(*var(B), 1000);
	}
	fake.link = LINKREG;
}

static void
test_killed_return_points_leave(void **state)
{
	(void)state;
	for (int slow = 0; slow < 2; slow++) {
		fresh(0);
		make_caller(slow);
		*var(A) = 3;
		run(0x1000, 1);
		for (int i = 0; i < made[0].nentry; i++)
			if (made[0].entry[i].ret)
				h->kill(made[0].code, &made[0].entry[i]);
		jc_clear(cpu);
		*var(A) = 3;
		*var(B) = 0;
		cpu->pc = 0x1000;
		h->enter(cpu, lookup(0x1000));
		assert_int_equal(cpu->pc, 0x1008);     /* not into the dead block */
		assert_int_equal(*var(A), 3);
		assert_int_equal(*var(B), 3);
	}
	fake.link = LINKREG;
}

static void
test_computed_jumps_and_calls_use_the_jump_cache(void **state)
{
	enum { TO = 0x1001000 };       /* the first entry's */
	int n;

	(void)state;
	begin(0x1000);
	put(LINKREG, k(0x1008));
	ir_op(&r, O_callr, I64, get(C), k(0x1008), 0);
	block(0x1008, 1);
	put(A, add(get(A), (u64)-1));
	brc(R_EQ, get(A), k(0), 0x2000);
	ir_op(&r, O_br, I64, get(SLOW), 0, 0);
	compile();
	begin(TO);
	put(B, add(get(B), 1));
	ret();
	compile();
	*var(A) = 300;
	*var(C) = TO;
	*var(SLOW) = 0x1000;
	n = run(0x1000, 1);
	assert_int_equal(*var(B), 300);
	assert_true(n <= 5);
	assert_int_equal(jc_index(cpu, TO), 0);
	*var(A) = 300;
	cpu_poll(cpu);                         /* nothing is in the cache until the engine has seen it */
	cpu->pc = 0x1000;
	h->enter(cpu, lookup(0x1000));
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_int_equal(cpu->pc, TO);
	assert_int_equal(*var(LINKREG), 0x1008);
}

/* -- faults -- */
static gaddr fault_pc;
static int faults;

static void
on_segv(int sig, siginfo_t *si, void *uc)
{
	u64 pc = h->context_pc(uc);

	if (h->fpfault(uc, cpu, sig, si))
		return;
	if (++faults > 3)
		abort();
	if (pc < (u64)(uintptr_t)area || pc >= (u64)(uintptr_t)area + AREA)    /* in a helper */
		pc = h->helper_pc(cpu) - 1;
	for (int n = nmade - 1; n >= 0; n--)
		if (pc >= (u64)(uintptr_t)made[n].code) {
			u32 off = (u32)(pc - (u64)(uintptr_t)made[n].code);
			int i = made[n].nmap;

			while (i > 0 && made[n].map[i - 1].off > off)
				i--;
			fault_pc = i ? made[n].pc + (u64)(s64)made[n].map[i - 1].pcoff : 0;
			cpu->fault.base = i ? made[n].map[i - 1].base : 0;
			h->unwind(uc, cpu, WHY_FAULT, fault_pc);
			return;
		}
	abort();
}

/* The test framework has a handler of its own for each test. */
static void
catch_faults(void)
{
	static u8 altstack[1 << 16];
	struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof altstack};

	sigaltstack(&ss, 0);
	sigaction(SIGSEGV, &sa, 0);
	faults = 0;
}

static void
test_fault_sees_exactly_the_puts_before(void **state)
{
	(void)state;
	begin(0x1000);
	put(A, k(1));
	put(SLOW, k(2));
	ir_insn(&r, 0x1004);
	put(B, add(get(B), 5));
	ref t = ir_opx(&r, O_ld, I64, 0, 0, 8, get(C), 0, 0);
	ir_insn(&r, 0x1008);
	put(B, add(get(B), 7));
	ir_opx(&r, O_st, I32, 0, 0, 0, get(C), 0, t);
	put(A, t);
	put(SLOW, t);
	jmp(0x2000);
	compile();
	catch_faults();
	*var(C) = page;
	*var(B) = 10;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_FAULT);
	assert_int_equal(cpu->pc, 0x1004);
	assert_int_equal(*var(A), 1);
	assert_int_equal(*var(SLOW), 2);
	assert_int_equal(*var(B), 15);
	/* the load succeeds, the store does not */
	mprotect((void *)(uintptr_t)page, 4096, PROT_READ);
	*var(B) = 10;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_FAULT);
	assert_int_equal(cpu->pc, 0x1008);
	assert_int_equal(*var(B), 22);
	assert_int_equal(*var(A), 1);
	assert_int_equal(*var(SLOW), 2);
	mprotect((void *)(uintptr_t)page, 4096, PROT_NONE);
}

/* A relation that was put and is made late, as part of a load's address, when its variable has another value already. */
static void
test_a_value_left_to_a_load_spares_the_home_it_had(void **state)
{
	enum { V = C + 1 };

	(void)state;
	begin(0x1000);
	ref s = ir_opx(&r, O_set, I64, 0, R_GEU, 0, get(A), get(B), 0), p;
	put(V, s);
	p = ir_op(&r, O_add, I64, get(C), s, 0);
	ir_insn(&r, 0x1004);
	put(V, k(0x123456789abcdef));
	ir_insn(&r, 0x1008);
	put(A, ir_opx(&r, O_ld, I8, 0, 0, 0, p, 0, 0));
	jmp(0x2000);
	compile();
	catch_faults();
	*var(C) = page;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_FAULT);
	assert_int_equal(cpu->pc, 0x1008);
	assert_int_equal(*var(V), 0x123456789abcdef);
}

/* of a load that a put has been left to (AUX_BASE), in a register or not, with and without an index; to: what it loads,
 * if that is not the same variable */
static void
fault_of_base(int var_, int to, int ty, int issigned, int shift)
{
	fresh(0);
	begin(0x1000);
	ref p = ir_op(&r, O_add, I64, get(var_), ir_op(&r, O_shl, I64, get(C), k((u64)shift), 0), 0), t;
	int aux = var_ << AUX_BASE;

	if (shift == 0)
		p = ir_op(&r, O_mov, I64, p, 0, 0);
	t = issigned && ty != I64 ? ir_opx(&r, O_lds, I64, aux, ty_bits(ty), 24, p, 0, 0)
	                          : ir_opx(&r, O_ld, ty, aux, 0, 24, p, 0, 0);
	put(to, t);
	if (to != var_)
		put(var_, k(0));
	jmp(0x2000);
	compile();
	catch_faults();
	*var(to) = 77;
	*var(var_) = page - (64 << shift);
	*var(C) = 64;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_FAULT);
	assert_int_equal(cpu->pc, 0x1000);
	assert_int_equal(*var(var_), page);
	assert_int_equal(*var(C), 64);
	assert_int_equal(*var(to), to == var_ ? page : 77);
	mprotect((void *)(uintptr_t)page, 4096, PROT_READ);
	*var(var_) = page - (64 << shift);
	run(0x1000, 0);
	assert_int_equal(cpu->pc, 0x2000);
	assert_int_equal(*var(var_), 0);
	assert_int_equal(*var(to), 0);
	mprotect((void *)(uintptr_t)page, 4096, PROT_NONE);
}

static void
test_fault_of_a_load_makes_the_base_it_was_left(void **state)
{
	(void)state;
	for (int ty = I8; ty <= I64; ty++)
		for (int n = 0; n < 16; n++)
			for (int to = 0; to < 2; to++)
				fault_of_base(n & 1 ? SLOW : B, to ? A : n & 1 ? SLOW : B, ty, n >> 1 & 1, n >> 2);
}

static void
test_fault_in_a_helper_belongs_to_its_instruction(void **state)
{
	static u64 word = 1000;

	(void)state;
	begin(0x1000);
	put(A, k(1));
	put(SLOW, k(2));
	ir_insn(&r, 0x1004);
	put(B, add(get(B), 5));
	put(A, ir_opx(&r, O_help, I64, 0, 0, 0, get(C), get(B), k(3)));
	put(SLOW, k(4));
	jmp(0x2000);
	compile();
	catch_faults();
	*var(C) = (u64)(uintptr_t)&word;
	*var(B) = 10;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_int_equal(*var(A), 1000 + 15 + 3);
	assert_int_equal(*var(SLOW), 4);
	*var(C) = page;
	*var(B) = 10;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_FAULT);
	assert_int_equal(cpu->pc, 0x1004);
	assert_int_equal(*var(A), 1);
	assert_int_equal(*var(B), 15);
	assert_int_equal(*var(C), page);
	assert_int_equal(*var(SLOW), 2);
}

/* Recursion deeper than the shadow stack: it is forgotten, and returns are dispatched. */
static void
test_deep_recursion_overflows_the_shadow_stack_unharmed(void **state)
{
	(void)state;
	begin(0x1000);
	brc(R_EQ, get(A), k(0), 0x3000);
	put(A, add(get(A), (u64)-1));
	put(C, add(get(C), 1));
	call(0x1000, 0x1010);
	block(0x1010, 1);
	put(B, add(get(B), 1));
	put(C, add(get(C), (u64)-1));
	brc(R_EQ, get(C), k(0), 0x2000);
	put(LINKREG, k(0x1010));
	ret();
	block(0x3000, 1);
	put(LINKREG, k(0x1010));
	ret();
	compile();
	catch_faults();
	*var(A) = SHADOW / 8 * 3;
	run(0x1000, 1);
	assert_int_equal(cpu->pc, 0x2000);
	assert_int_equal(*var(B), SHADOW / 8 * 3);
}

static int
stays(struct cpu *c)
{
	assert_int_equal(c->pc, 0x1004);
	assert_int_equal(*var(A), 9);
	*var(A) = 10;
	return 1;
}

static int
leaves(struct cpu *c)
{
	stays(c);
	c->why = WHY_FLUSH;
	c->pc = 0x5000;
	return 0;
}

static void
test_a_system_call_comes_back_or_leaves(void **state)
{
	void *sp;

	(void)state;
	begin(0x1000);
	put(A, k(9));
	ir_op(&r, O_sys, N, k(0x1004), 0, 0);
	compile();
	begin(0x1004);
	put(B, get(A));
	jmp(0x2000);
	compile();
	cpu->call = stays;
	run(0x1000, 1);
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_int_equal(cpu->pc, 0x2000);
	assert_int_equal(*var(B), 10);
	sp = cpu->shadow_sp;
	cpu->call = leaves;
	run(0x1000, 1);
	assert_int_equal(cpu->why, WHY_FLUSH);
	assert_int_equal(cpu->pc, 0x5000);
	assert_int_equal(*var(A), 10);
	assert_ptr_equal(cpu->shadow_sp, sp);
}

static const u8 *
goeson(struct cpu *c)
{
	assert_int_equal(c->why, WHY_NEXT);
	assert_int_equal(c->pc, 0x2000);
	assert_non_null(c->link);
	assert_int_equal(*var(A), 9);
	*var(A) = 10;
	c->why = WHY_FLUSH;
	return lookup(c->pc);
}

static int leavescall(struct cpu *c) { return c->why = WHY_CALL, 0; }
static const u8 *leavesall(struct cpu *c) { return (void)c, (const u8 *)0; }

/* The first exit leads on to 0x2000, which is asked for inside; that at its end leaves. */
static const u8 *once(struct cpu *c) { return c->pc == 0x2000 ? goeson(c) : 0; }

static void
test_a_link_to_no_code_goes_on_or_leaves(void **state)
{
	(void)state;
	begin(0x1000);
	put(A, k(9));
	jmp(0x2000);
	compile();
	begin(0x2000);
	put(B, get(A));
	jmp(0x3000);
	compile();
	cpu->next = once;
	assert_int_equal(run(0x1000, 0), 1);
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_int_equal(cpu->pc, 0x3000);
	assert_int_equal(*var(B), 10);
	cpu->next = leavesall;
	assert_int_equal(run(0x1000, 0), 2);
	assert_int_equal(*var(B), 9);
	cpu->next = once;
	cpu_poll(cpu);
	assert_int_equal(run(0x1000, 0), 1);
	assert_int_equal(cpu->why, WHY_POLL);
	assert_int_equal(cpu->pc, 0x2000);
	cpu->next = leavesall;
}

static const u8 *
returned(struct cpu *c)
{
	assert_int_equal(c->why, WHY_NEXT);
	assert_int_equal((uintptr_t)c->link, LINK_NONE);
	c->link = 0;
	*var(A) = 10;
	return lookup(c->pc);
}

/* There is nobody to return to on the shadow stack, and nothing in the jump cache. */
static void
test_a_return_that_finds_nothing_goes_on(void **state)
{
	(void)state;
	begin(0x1000);
	put(A, k(9));
	ret();
	compile();
	begin(0x2000);
	put(B, get(A));
	ir_op(&r, O_sys, N, k(0x2004), 0, 0);
	compile();
	*var(LINKREG) = 0x2000;
	cpu->next = returned;
	cpu->call = leavescall;
	assert_int_equal(run(0x1000, 0), 1);
	assert_int_equal(cpu->why, WHY_CALL);
	assert_int_equal(*var(B), 10);
	cpu->next = leavesall;
	assert_int_equal(run(0x1000, 0), 2);
	assert_int_equal(*var(B), 9);
}

static void
test_leaving_for_traps_and_look(void **state)
{
	(void)state;
	begin(0x1004);
	ir_insn(&r, 0x1008);
	ir_opx(&r, O_trap, N, 0, TRAP_BREAK, 77, 0, 0, 0);
	compile();
	run(0x1004, 0);
	assert_int_equal(cpu->why, WHY_TRAP);
	assert_int_equal(cpu->pc, 0x1008);
	assert_int_equal(cpu->trap, TRAP_BREAK);
	assert_int_equal(cpu->trapinfo, 77);
	begin(0x100c);
	ir_op(&r, O_look, N, k(0x1010), 0, 0);
	compile();
	run(0x100c, 0);
	assert_int_equal(cpu->why, WHY_FLUSH);
	assert_int_equal(cpu->pc, 0x1010);
}

static void
test_misaligned_access_traps_where_asked(void **state)
{
	static u64 mem[4];

	(void)state;
	begin(0x1000);
	put(B, k(1));
	ir_insn(&r, 0x1004);
	put(A, ir_opx(&r, O_ld, I64, AUX_ALIGN, 0, 4, get(C), get(SLOW), 0));
	jmp(0x2000);
	compile();
	mem[1] = 42;
	*var(C) = (u64)(uintptr_t)mem;
	*var(SLOW) = 4;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_NEXT);
	assert_int_equal(*var(A), 42);
	*var(SLOW) = 5;
	run(0x1000, 0);
	assert_int_equal(cpu->why, WHY_TRAP);
	assert_int_equal(cpu->trap, TRAP_ALIGN);
	assert_int_equal(cpu->pc, 0x1004);
	assert_int_equal(*var(B), 1);
}

static struct cpu *
new_cpu(void)
{
	struct cpu *c = aligned_alloc(64, alignup(sizeof *c, 64));
	u8 *s = mmap(0, SHADOW + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(c, 0, sizeof *c);
	mprotect(s, 4096, PROT_NONE);
	c->shadow_lo = s + 4096;
	c->shadow_base = s + 4096 + SHADOW;
	c->guest = &fake;
	return c;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_loop_inside_a_region_ends_at_its_exit, fresh),
		cmocka_unit_test_setup(test_short_loops_begin_on_a_line, fresh),
		cmocka_unit_test_setup(test_jumps_ahead_reach_whatever_is_between, fresh),
		cmocka_unit_test_setup(test_poll_before_an_exit_leaves_no_link, fresh),
		cmocka_unit_test_setup(test_poll_leaves_a_loop_with_its_state_and_it_goes_on, fresh),
		cmocka_unit_test_setup(test_poll_is_once_in_a_loop, fresh),
		cmocka_unit_test_setup(test_links_of_quick_code_leave_with_their_targets, fresh),
		cmocka_unit_test_setup(test_quick_code_that_has_run_often_leaves_by_its_first_link, fresh),
		cmocka_unit_test_setup(test_exits_are_linked_and_unlinked, fresh),
		cmocka_unit_test_setup(test_linked_backward_exits_are_safe_points, fresh),
		cmocka_unit_test_setup(test_calls_and_returns_pair, fresh),
		cmocka_unit_test_setup(test_returns_of_short_functions_lie_apart, fresh),
		cmocka_unit_test_setup(test_return_addresses_above_four_gigabytes, fresh),
		cmocka_unit_test_setup(test_return_to_another_place_is_dispatched, fresh),
		cmocka_unit_test_setup(test_returns_pair_again_after_a_longjmp, fresh),
		cmocka_unit_test_setup(test_killed_return_points_leave, fresh),
		cmocka_unit_test_setup(test_computed_jumps_and_calls_use_the_jump_cache, fresh),
		cmocka_unit_test_setup(test_fault_sees_exactly_the_puts_before, fresh),
		cmocka_unit_test_setup(test_a_value_left_to_a_load_spares_the_home_it_had, fresh),
		cmocka_unit_test_setup(test_fault_of_a_load_makes_the_base_it_was_left, fresh),
		cmocka_unit_test_setup(test_fault_in_a_helper_belongs_to_its_instruction, fresh),
		cmocka_unit_test_setup(test_deep_recursion_overflows_the_shadow_stack_unharmed, fresh),
		cmocka_unit_test_setup(test_a_system_call_comes_back_or_leaves, fresh),
		cmocka_unit_test_setup(test_a_link_to_no_code_goes_on_or_leaves, fresh),
		cmocka_unit_test_setup(test_a_return_that_finds_nothing_goes_on, fresh),
		cmocka_unit_test_setup(test_leaving_for_traps_and_look, fresh),
		cmocka_unit_test_setup(test_misaligned_access_traps_where_asked, fresh),
	};

	for (int n = 0; n < NINT; n++)
		regs[n] = (struct reg){.name = "x", .off = (u16)(n * 8), .bits = 64, .kind = REG_INT,
		    .rank = (u8)(n < 20 ? n + 1 : 0)};
	regs[FLVAR] = (struct reg){.name = "fl", .off = FLAT, .bits = 32, .kind = REG_FLAGS};
	area = mmap(0, AREA, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page = (u64)(uintptr_t)mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cpu = new_cpu();
	return cmocka_run_group_tests(tests, 0, 0);
}
