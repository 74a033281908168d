/* SPDX-License-Identifier: MIT */
/* test_x86_sink.c - loops whose puts are sunk (backend/sink.c), and stretches with lodgers (lodge.c): random ones, left in
 * every way in every turn; the state is the evaluator's, which does one instruction after another */
#include "backend/x86_64/x86.h"
#include "x86diff.h"

enum { PAGE = 4096, P = 0, TO, STOP, INPUT = 4, SECOND = PC + 0x400, LOOPEND = PC + 0x800, OUT = PC + 0x1000, TURNS = 6 };

static sigjmp_buf evaluated;
static u8 *memory, *poll_eval;
static struct region r;
static const struct guest *guest;
static ref pool[64], vectors[8], where;      /* where: x0, that addresses are made of */
static int npool, nvectors, withvectors, words, straight, evaluating;

static ref k(u64 v) { return ir_k(&r, v); }
static ref op(int o, int ty, ref a, ref b) { return ir_op(&r, o, ty, a, b, 0); }
static ref any(void) { return pool[below((u32)npool)]; }
static void keep(ref t) { pool[npool++ % 64] = t; npool = npool > 64 ? 64 : npool; }

static void
on_segv(int sig, siginfo_t *si, void *uc)
{
	const u8 *at = (const u8 *)(uintptr_t)host_x86_64.context_pc(uc);
	struct mapent m;

	(void)sig, (void)si;
	if (evaluating)
		siglongjmp(evaluated, 1);
	m = mapent_find(out.map, out.nmap, (u32)(at - out.code));
	cpu_jit->fault.base = m.base;
	cpu_jit->fault.owed = m.owed;
	cpu_jit->fault.reg = m.reg;
	host_x86_64.unwind(uc, cpu_jit, WHY_FAULT, PC + (u64)(s64)m.pcoff);
}

/* One or more cheap operations on a value. */
static ref
function(ref t)
{
	for (int n = 1 + (int)below(3); n; n--)
		switch (below(9)) {
		case 0: t = op(O_add, I64, t, k(below(2) ? rnd() : below(100))); break;
		case 1: t = ir_opx(&r, O_bfx, I64, 0, (int)below(24), 1 + (int)below(32), t, 0, 0); break;
		case 2: t = ir_opx(&r, O_sxt, I64, 0, 0, 8 << below(3), t, 0, 0); break;
		case 3: t = ir_opx(&r, O_zxt, I64, 0, 0, 8 << below(3), t, 0, 0); break;
		case 4: t = op(O_shl, below(2) ? I32 : I64, t, k(below(32))); break;
		case 5: t = op(O_shr, below(2) ? I32 : I64, t, k(below(32))); break;
		case 6: t = op(O_sub, I64, k(below(1000)), t); break;
		case 7: t = op(O_xor, I64, t, k(rnd())); break;
		case 8: t = op(O_rotr, below(2) ? I32 : I64, t, k(below(32))); break;
		}
	return t;
}

static void
reach(ref p)
{
	s32 at = (s32)below(TURNS) * 8 - 16;
	ref b = op(O_add, I64, p, k(8));

	switch (below(5)) {
	case 0:
		ir_opx(&r, O_st, below(2) ? I64 : I16, 0, 0, at, p, 0, any());
		break;
	case 1:
		keep(ir_opx(&r, O_ldor, I64, 0, 0, at, p, op(O_set, I64, any(), any()), any()));
		break;
	case 2:
		keep(ir_opx(&r, O_lds, I64, 0, 32, at, p, 0, 0));
		break;
	default:
		keep(ir_opx(&r, O_ld, below(2) ? I64 : I32, 0, 0, at - 8, b, 0, 0));
	}
}

/* A lane of a vector as a number of its own; or the vector. */
static void
lane(void)
{
	ref v = vectors[below((u32)nvectors) % 8], t = ir_opx(&r, O_umov, I64, 0, F32, (int)below(4), v, 0, 0);
	int var = NINT + (int)below(NVEC / 2);

	if (below(4) == 0)
		ir_put(&r, I64, INPUT + 3 + (int)below(NINT - INPUT - 3), ir_opx(&r, O_sxt, I64, 0, 0, 32, t, 0, 0));
	else if (guest == &guest_fp)
		ir_put(&r, F64, var, ir_opx(&r, O_fbox, F64, 0, F32, 0, ir_op(&r, O_movif, F32, t, 0, 0), 0, 0));
	else if (below(4))
		ir_put(&r, F32, var, ir_op(&r, O_movif, F32, t, 0, 0));
	else
		ir_put(&r, VEC(I32, 7), var, v);
}

static void
vector(ref p)
{
	ref v = ir_opx(&r, O_ld, VEC(I32, 7), 0, 0, (s32)below(TURNS) * 8 - 16, p, 0, 0);

	vectors[nvectors % 8] = v;
	if (nvectors++ && below(2))
		vectors[below((u32)nvectors) % 8] = op(O_add, VEC(I32, 7), v, vectors[below((u32)nvectors) % 8]);
}

/* A word and its sign above it. */
static ref
word(void)
{
	ref t = below(4) ? any() : ir_get(&r, I64, INPUT + (int)below(3));

	keep(t = ir_opx(&r, O_sxt, I64, 0, 0, 32, below(2) ? op(O_add, I32, t, any()) : t, 0, 0));
	return t;
}

/* What is made of two values, which variables may hold. */
static void
pair(void)
{
	static const u8 rel[] = {R_LTU, R_GEU, R_EQ, R_LTS};
	ref a = any(), b = any(), t;
	int v = INPUT + (int)below(NINT - INPUT), w = INPUT + 3 + (int)below(NINT - INPUT - 3);

	if (below(2))
		ir_put(&r, I64, below(2) ? v : w, below(2) ? a : b);
	switch (below(4)) {
	case 0: t = op(O_add, I64, a, b); break;
	case 1: t = op(O_mulhu, I64, a, b); break;
	default:
		if (below(4))
			ir_put(&r, I64, w, a = op(O_add, I64, a, b));
		t = ir_opx(&r, O_set, I64, 0, rel[below(4)], 0, a, b, 0);
	}
	ir_put(&r, I64, v, t);
	if (below(3) == 0)
		reach(where);
	if (below(2))
		keep(below(2) ? t : op(O_add, I64, any(), t));
	if (below(3) == 0)
		ir_put(&r, I64, v, any());
}

static void
piece(ref p, int n)
{
	if (below(4) == 0) {
		pair();
		return;
	}
	switch (below(withvectors ? 16 : 10)) {
	case 10: case 11:
		vector(p);
		break;
	case 12: case 13: case 14: case 15:
		if (nvectors)
			lane();
		break;
	case 0: case 1: case 2:
		reach(p);
		break;
	case 3:
		if (!straight)
			ir_opx(&r, O_brc, I32, 0, R_EQ, 0, op(O_and, I32, any(), k(7)), k(below(8)), k(OUT + (u64)n * 4));
		break;
	case 4:
		keep(below(40) ? op(below(2) ? O_add : O_xor, I64, any(), any()) :
		    ir_opx(&r, O_crc32, I32, 0, 0, 32, any(), any(), 0));      /* by C code */
		break;
	case 5:
		ir_put(&r, I64, INPUT + (int)below(3), words && below(8) ? word() : any());
		break;
	case 6:
		ir_put(&r, I64, INPUT + 3 + (int)below(NINT - INPUT - 3), any());
		break;
	default:
		ir_put(&r, I64, INPUT + 3 + (int)below(NINT - INPUT - 3), function(any()));
	}
}

/* A block begins at pc with what it may use. */
static ref
begin(gaddr pc)
{
	ref p;

	ir_block(&r, pc);
	r.block[r.nblock - 1].entry = 1;
	ir_insn(&r, pc);
	npool = nvectors = 0;
	keep(p = where = ir_get(&r, I64, P));
	for (int v = 0; v < 3; v++)
		if (words && below(50))        /* the loop looks at no more of it */
			keep(op(O_xor, I32, ir_get(&r, I64, INPUT + v), k(rnd())));
		else
			keep(ir_get(&r, I64, INPUT + v));
	return p;
}

static void
pieces(ref p, gaddr pc, int len)
{
	for (int n = 0; n < len; n++) {
		if (straight || below(3))      /* an instruction has one access */
			ir_insn(&r, pc + 4 + (u64)n * 4);
		piece(p, n);
	}
}

/* A long run of what touches no memory, with more values alive than there are temporary registers: homes are lent
 * (borrow.c), a lodger's too.  Some hold what a lodger may not stay for. */
static void
quiet(void)
{
	static const u8 ops[] = {O_add, O_sub, O_xor, O_and, O_or, O_mul, O_smin, O_umax};
	enum { ALIVE = 40 };
	u32 kinds = NELEM(ops) - (below(2) ? 2 : 0);
	int to = INPUT + (int)below(NINT - INPUT - 2);
	ref word[ALIVE], t;

	for (int n = 0; n < ALIVE; n++)
		word[n] = op(O_add, I64, any(), k(rnd()));
	for (u32 n = 60 + below(100); n; n--) {
		t = op(ops[below(kinds)], below(3) ? I64 : I32, word[below(ALIVE)], word[below(ALIVE)]);
		word[below(ALIVE)] = t;
		if (below(16) == 0)
			ir_put(&r, I64, to + (int)below(3), t);
	}
	for (int n = 1; n < ALIVE; n++)
		word[0] = op(n & 1 ? O_xor : O_sub, I64, word[0], word[n]);
	ir_put(&r, I64, to, word[0]);
}

/* p steps; x1 is where that ends, in x2's turn the loop asks itself to stop at the next safe point. */
static void
finish(ref p)
{
	ref t = ir_opx(&r, O_set, I64, 0, R_EQ, 0, p, ir_get(&r, I64, STOP), 0);

	ir_opx(&r, O_st, I8, 0, 0, 0, ir_get(&r, I64, STOP + 1), 0, op(O_neg, I64, t, 0));
	p = op(O_add, I64, p, k(8));
	ir_put(&r, I64, P, p);
	ir_opx(&r, O_brc, I64, 0, R_NE, 0, p, ir_get(&r, I64, TO), k(PC));
	ir_insn(&r, LOOPEND);
	if (below(8) == 0)
		quiet();
	ir_put(&r, I64, INPUT + 3, any());
	ir_op(&r, O_jmp, N, k(OUT), 0, 0);
}

/* A loop of one block or two that steps through memory. */
static void
make_loop(void)
{
	ref p;

	region_init(&r, guest, PC, 0);
	withvectors = below(2) == 0;
	words = below(2) == 0;
	p = begin(PC);
	if (below(3) == 0) {
		pieces(p, PC, (int)below(12));
		ir_op(&r, O_jmp, N, k(SECOND), 0, 0);
		p = begin(SECOND);
	}
	pieces(p, r.open->pc, 4 + (int)below(40));
	if (below(8) == 0)
		quiet();
	finish(p);
}

/* Code that goes straight on for so long that variables lodge in it. */
static void
make_stretch(void)
{
	ref p;

	region_init(&r, guest, PC, 0);
	withvectors = words = 0;
	straight = 1;
	p = begin(PC);
	pieces(p, PC, 80 + (int)below(100));
	if (below(2))
		quiet();
	straight = 0;
	ir_op(&r, O_jmp, N, k(OUT), 0, 0);
}

/* Where and why the evaluator leaves. */
static enum why
evaluate(gaddr from)
{
	static u64 val[1 << 14];
	struct eval e = {.cpu = cpu_eval, .guest = guest, .ins = r.ins, .k = r.k, .val = val};
	int b = ir_blockat(&r, from);

	e.stride = eval_stride(r.ins, r.nins);
	assert_true(r.nins * e.stride <= (int)NELEM(val));
	evaluating = 1;
	*poll_eval = 0;
	if (sigsetjmp(evaluated, 1)) {
		evaluating = 0;
		return WHY_FAULT;
	}
	do {
		e.first = r.block[b].first;
		e.pc = r.block[b].pc;
		eval_block(&e, r.block[b].n);
		b = ir_blockat(&r, cpu_eval->pc);
	} while (b > 0 || (b == 0 && !*poll_eval));
	evaluating = 0;
	return b == 0 ? WHY_POLL : WHY_NEXT;
}

static u64 *var(struct cpu *c, int v) { return (u64 *)(void *)(c->state + v * 8); }

/* Exits without a link are safe points too. */
static int
differs(enum why want)
{
	int bad = (cpu_jit->why != want && (want != WHY_NEXT || cpu_jit->why != WHY_POLL)) || cpu_jit->pc != cpu_eval->pc;

	if (bad)
		fprintf(stderr, "left with %d at %#lx, not %d at %#lx\n", cpu_jit->why, cpu_jit->pc, want, cpu_eval->pc);
	for (int v = 0; v < NINT; v++)
		if (v != STOP + 1 && *var(cpu_jit, v) != *var(cpu_eval, v)) {
			fprintf(stderr, "x%d: %lx, not %lx (left with %d at %#lx)\n", v, *var(cpu_jit, v), *var(cpu_eval, v), want, cpu_jit->pc);
			bad = 1;
		}
	for (int v = NINT; v < NINT + NVEC; v++)
		if (memcmp(cpu_jit->state + guest->reg[v].off, cpu_eval->state + guest->reg[v].off, guest->reg[v].bits / 8)) {
			fprintf(stderr, "%s differs (left with %d at %#lx)\n", guest->reg[v].name, want, cpu_jit->pc);
			bad = 1;
		}
	return bad;
}

/* Runs the loop from a page's midst or near its end, for some turns, both ways; returns why it was left, or -1. */
static int
run(void)
{
	static u8 before[PAGE], after[PAGE];
	u64 p = (u64)(uintptr_t)memory + (below(3) ? PAGE - 8 * below(8) : PAGE / 2);
	int entry = (int)below((u32)out.nentry);
	enum why want;

	fill_state((void *)cpu_eval->state, NINT, 0);
	fill_state((void *)(cpu_eval->state + VECAT), 2 * NVEC, 0);
	*var(cpu_eval, P) = p;
	*var(cpu_eval, TO) = p + 8 * (1 + below(TURNS));
	*var(cpu_eval, STOP) = below(2) ? p + 8 * below(TURNS) : 0;
	*var(cpu_eval, STOP + 1) = (u64)(uintptr_t)poll_eval;
	for (int n = 0; n < PAGE; n += 8)
		st64(memory + n, rnd());
	memcpy(before, memory, PAGE);
	memcpy(cpu_jit->state, cpu_eval->state, CPU_STATE);
	*var(cpu_jit, STOP + 1) = (u64)(uintptr_t)&cpu_jit->poll;
	want = evaluate(out.entry[entry].pc);
	memcpy(after, memory, PAGE);
	memcpy(memory, before, PAGE);
	cpu_jit->poll = 0;
	host_x86_64.enter(cpu_jit, out.code + out.entry[entry].off);
	return differs(want) || memcmp(memory, after, PAGE) ? -1 : (int)want;
}

/* left: how often code in question has been left, by reason */
static void
exact(const struct guest *g, const char *hide, void (*make)(void), int *left)
{
	struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER}, was;
	int why;

	guest = g;
	level(hide, g);
	sigaction(SIGSEGV, &sa, &was);
	for (int n = 0; n < 2500; n++) {
		make();
		assert_null(ir_verify(&r));
		out.code = code_at;
		out.end = area + AREA;
		assert_int_equal(host_x86_64.compile(&r, &out), 0);
		for (int m = 0; m < 6; m++) {
			if ((why = run()) < 0) {
				show(&r, "differs");
				fail();
			}
			left[why] += x86.nsunk + x86.nlodging > 0;
		}
	}
	sigaction(SIGSEGV, &was, 0);
}

static void
test_state_is_exact_wherever_a_loop_with_sunk_puts_is_left(void **state)
{
	static const char *const hide[] = {"", "", "avx512,bmi,bmi2", "avx512,avx2,avx,fma"};

	(void)state;
	for (int n = 0; n < 4; n++) {
		int left[16] = {0};

		exact(n & 1 ? &guest_fp : &guest_vec, hide[n], make_loop, left);
		assert_true(left[WHY_FAULT] > 2000 && left[WHY_POLL] > 500 && left[WHY_NEXT] > 2000);
	}
}

static void
test_state_is_exact_wherever_a_stretch_with_lodgers_is_left(void **state)
{
	int left[16] = {0};

	(void)state;
	exact(&guest_vec, "", make_stretch, left);
	assert_true(left[WHY_FAULT] > 4000 && left[WHY_NEXT] > 4000);
}

/* Carries, and a sum that only who leaves sees; the same where a variable changes that they are made of. */
static void
test_what_two_held_values_make_is_sunk(void **state)
{
	ref p, a, s;

	(void)state;
	guest = &guest_vec;
	level("", guest);
	for (int changes = 0; changes < 2; changes++) {
		region_init(&r, guest, PC, 0);
		withvectors = words = 0;
		p = begin(PC);
		a = ir_get(&r, I64, INPUT);
		for (int n = 0; n < 2; n++) {
			s = op(O_add, I64, a, ir_opx(&r, O_ld, I64, 0, 0, 8 * n, p, 0, 0));
			ir_put(&r, I64, INPUT + 3 + n, s);
			ir_put(&r, I64, INPUT + 5 + n, ir_opx(&r, O_set, I64, 0, R_LTU, 0, s, a, 0));
			ir_insn(&r, PC + 4 + 4 * (u64)n);
		}
		ir_put(&r, I64, INPUT + 7, op(O_add, I64, s, a));
		if (changes)
			ir_put(&r, I64, INPUT, op(O_xor, I64, a, s));
		finish(p);
		out.code = code_at;
		out.end = area + AREA;
		assert_int_equal(host_x86_64.compile(&r, &out), 0);
		assert_int_equal(x86.nsunk, !changes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_is_exact_wherever_a_loop_with_sunk_puts_is_left),
		cmocka_unit_test(test_state_is_exact_wherever_a_stretch_with_lodgers_is_left),
		cmocka_unit_test(test_what_two_held_values_make_is_sunk),
	};

	rng_state = getenv("SEED") ? strtoull(getenv("SEED"), 0, 0) : 0x5eed0004;
	printf("seed %#lx\n", rng_state);
	setup();
	memory = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(memory + PAGE, PAGE, PROT_NONE);
	poll_eval = malloc(1);
	return cmocka_run_group_tests(tests, 0, 0);
}
