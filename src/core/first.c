/* SPDX-License-Identifier: MIT */
/* first.c - code that is run for the first time
 *
 * Half of what a short program runs it runs once.  To make code of it, however quickly, costs more than twice what it
 * costs to run it in the way below: so it is run here, an instruction after the other, as long as they are simple
 * (ir/simple.h), and where the guest comes a second time gets code. */
#include "core/dso.h"
#include "ir/simple.h"

enum { ROW = 64, AHEAD = 2 * ROW };     /* bytes fetched at a time: always so many, which the host guesses better */
enum { MOST = 4096 };                  /* instructions before others are looked at */
enum { NPAGE = 128 };

/* A bit a half-word, by 128 bytes: a block that begins there has been come to, here or in a process before.  Collisions
 * only cost. */
static u64 been[NPAGE * STORE_RAN] ROOMY, ran[NPAGE * STORE_RAN] ROOMY;
static u8 touched[NPAGE], known[NPAGE];        /* been has more than is told of it; ran has been read */

struct run {
	struct cpu *cpu;
	const struct guest *g;
	u32 mode;
	gaddr pc, at;                  /* bytes from at on are in code, as the environment gave them, */
	int ok;                        /* so many: */
	u64 last;                      /* instructions may begin up to this offset */
	const u8 *code;
};

static u32 word_of(gaddr pc) { return (u32)(pc >> 7 ^ pc >> 18) & (NELEM(been) - 1); }
static int bit_of(gaddr pc) { return pc >> 1 & 63; }

static int
isfirst(gaddr pc)
{
	u32 w = word_of(pc);
	u64 bit = (u64)1 << bit_of(pc), was = __atomic_load_n(&been[w], __ATOMIC_RELAXED);

	if (was & bit)
		return 0;
	__atomic_store_n(&been[w], was | bit, __ATOMIC_RELAXED);
	__atomic_store_n(&touched[w / STORE_RAN], 1, __ATOMIC_RELAXED);
	return 1;
}

int
core_beento(gaddr pc)
{
	return !core.opt.first || been[word_of(pc)] >> bit_of(pc) & 1;
}

int
core_ran(gaddr pc)
{
	u32 page = word_of(pc) / STORE_RAN;

	if (!known[page]) {
		store_ran(page, &ran[page * STORE_RAN]);
		known[page] = 1;
	}
	return ran[word_of(pc)] >> bit_of(pc) & 1;
}

void
core_tellran(void)
{
	for (u32 page = 0; page < NPAGE; page++)
		if (touched[page]) {
			touched[page] = 0;
			store_addran(page, &been[page * STORE_RAN]);
		}
}

int
core_isfirst(gaddr pc, u32 mode, struct stretch *s)
{
	enum { PAGE = 4096 };
	const struct dso *d;

	if (core_beento(pc) || !core.guest->simple || core.guest->big || core_seen(pc, mode) || cache_has(pc, mode) ||
	    cache_begun(pc) || !isfirst(pc))
		return 0;
	d = cache_home(pc);
	*s = d ? (struct stretch){d->lo, d->hi} : (struct stretch){aligndown(pc, PAGE), aligndown(pc, PAGE) + PAGE};
	return 1;
}

/* 0: no instruction can be there. */
static __attribute__((noinline)) int
refill(struct run *r, gaddr pc)
{
	gaddr at = aligndown(pc, ROW);
	int past = (int)(pc - at), most = r->g->maxlen;

	r->code = r->cpu->os->fetch(at, AHEAD, &r->ok);
	r->at = r->ok ? at : pc;
	r->last = r->ok < past + most ? (u64)past : (u64)(r->ok - most);
	return r->ok >= past + r->g->minlen;
}

static inline int
fetched(struct run *r, gaddr pc)
{
	return pc - r->at <= r->last || refill(r, pc);
}

static const u8 *
code(void *run, gaddr pc, int *got)
{
	struct run *r = run;

	fetched(r, pc);
	*got = r->ok - (int)(pc - r->at);
	return r->code + (pc - r->at);
}

/* Where variables are, from cpu->state on; NONE is a word of scratch, which is 0 but while it is written.  To ask each
 * time whether it is one costs more: the host guesses wrong. */
static u16 home[NONE + 1];

void
first_init(void)
{
	for (int var = 0; var < core.guest->nreg; var++)
		home[var] = core.guest->reg[var].off;
	home[NONE] = offsetof(struct cpu, scratch[0]) - offsetof(struct cpu, state);
}

static u64 *place(const struct run *r, int var) { return (u64 *)(void *)(r->cpu->state + home[var]); }
static u64 get(const struct run *r, int var) { return *place(r, var); }

static void
put(const struct run *r, int var, u64 v)
{
	*place(r, var) = v;
	r->cpu->scratch[0] = 0;
}

/* v is `from` bits. */
static u64
widened(const struct simple *s, u64 v)
{
	return s->fromsign ? (u64)sext(v, s->from) : zext(v, s->from);
}

/* v, shifted and extended */
static __attribute__((noinline)) u64
changed(const struct simple *s, u64 v)
{
	if (s->from)
		v = widened(s, v);
	return s->how ? ir_value(s->how, s->ty, v, s->shift, 0, 0, 0) : v << s->shift;
}

static inline u64
second(const struct run *r, const struct simple *s)
{
	u64 v = get(r, s->b);

	return (s->changed ? changed(s, v) : v) + (u64)s->imm;
}

static u64
extended(const struct simple *s, u64 v)
{
	return s->ty == I64 ? v : s->sign ? (u64)(s64)(s32)v : (u32)v;
}

static __attribute__((noinline)) u64
result(const struct simple *s, u64 a, u64 b)
{
	switch (s->op) {               /* the rest is rare */
	case O_sub: return a - b;
	case O_and: return a & b;
	case O_or: return a | b;
	case O_xor: return a ^ b;
	}
	return ir_value(s->op, s->ty, a, b, 0, 0, 0);
}

static void
operation(const struct run *r, const struct simple *s)
{
	u64 a = get(r, s->a), b = second(r, s), v = s->op == O_add ? a + b : result(s, a, b);

	put(r, s->d, extended(s, v));
	if (s->flop)
		*place(r, r->g->flags) = ir_value(s->flop, s->ty, s->flop == O_fltst ? v : a, b, 0, 0, 0);
}

static u64 narrowed(const struct simple *s, u64 v) { return s->ty == I64 ? v : (u32)v; }

static void
field(const struct run *r, const struct simple *s)
{
	u64 v = get(r, s->a) << (64 - s->lo - s->n);

	v = s->sign ? (u64)((s64)v >> (64 - s->n)) : v >> (64 - s->n);
	put(r, s->d, narrowed(s, v << s->shift));
}

static void
insert(const struct run *r, const struct simple *s)
{
	u64 v = s->a == NONE ? (u64)s->imm : narrowed(s, get(r, s->a)) >> s->shift;

	put(r, s->d, ir_value(O_dep, s->ty, get(r, s->d), v, 0, s->lo, s->n));
}

static void
multiply(const struct run *r, const struct simple *s)
{
	u64 a = get(r, s->a), b = get(r, s->b), v;

	v = s->from ? widened(s, a) * widened(s, b) : a * b;
	put(r, s->d, narrowed(s, s->op == O_add ? get(r, s->d2) + v : get(r, s->d2) - v));
}

static int holds(const struct run *r, const struct simple *s) { return ir_cc(s->op, *place(r, r->g->flags)); }

static void
choose(const struct run *r, const struct simple *s)
{
	u64 b = get(r, s->b);

	put(r, s->d, narrowed(s, holds(r, s) ? get(r, s->a) : (s->inverted ? ~b : b) + s->inc));
}

static void
check(const struct run *r, const struct simple *s)
{
	*place(r, r->g->flags) = holds(r, s) ? ir_value(s->flop, s->ty, get(r, s->a), second(r, s), 0, 0, 0) :
	    (u32)s->imm2;
}

static int
relation(const struct run *r, const struct simple *s)
{
	u64 a = narrowed(s, get(r, s->a)), b = narrowed(s, second(r, s));

	return s->op <= R_NE ? (a == b) == (s->op == R_EQ) : ir_rel(s->op, a, b, ty_bits(s->ty));
}

static inline gaddr
address(const struct run *r, const struct simple *s)
{
	return get(r, s->a) + second(r, s);
}

static void
advance(const struct run *r, const struct simple *s)
{
	if (s->step)
		put(r, s->a, get(r, s->a) + (u64)(s64)s->step);
}

/* The same of vectors and floats. */
static int
vload(const struct run *r, const struct simple *s)
{
	size_t n = (size_t)ty_bits(s->ty) / 8;
	u64 v[2][2] = {{0}};

	for (int k = 0; k <= s->two; k++)
		if (gmem_read(v[k], address(r, s) + (u64)k * n, n))
			return 0;
	advance(r, s);
	for (int k = 0; k <= s->two; k++) {
		int var = k ? s->d2 : s->d;

		memcpy(place(r, var), v[k], (size_t)r->g->reg[var].bits / 8);
	}
	return 1;
}

static int
vstore(const struct run *r, const struct simple *s)
{
	size_t n = (size_t)ty_bits(s->ty) / 8;

	for (int k = 0; k <= s->two; k++)
		if (gmem_write(address(r, s) + (u64)k * n, place(r, k ? s->d2 : s->d), n))
			return 0;
	advance(r, s);
	return 1;
}

/* v is `size` bytes. */
static u64
loaded(const struct simple *s, u64 v, size_t size)
{
	return s->sign ? zext((u64)sext(v, (int)size * 8), s->sign) : v;
}

static void
vset(const struct run *r, int var, u64 low, u64 high)
{
	const u64 v[2] = {low, high};

	memcpy(place(r, var), v, (size_t)r->g->reg[var].bits / 8);
}

/* One or two data; 0 if memory cannot be accessed: then nothing has changed but what the guest will store again. */
static int
load(const struct run *r, const struct simple *s)
{
	gaddr a = address(r, s);
	size_t n = (size_t)1 << (s->ty - I8);
	u64 v = 0, v2 = 0;

	if (gmem_read(&v, a, n) || (s->two && gmem_read(&v2, a + n, n)))
		return 0;
	advance(r, s);
	put(r, s->d, loaded(s, v, n));
	if (s->two)
		put(r, s->d2, loaded(s, v2, n));
	return 1;
}

static int
store(const struct run *r, const struct simple *s)
{
	gaddr a = address(r, s);
	size_t n = (size_t)1 << (s->ty - I8);
	u64 v = get(r, s->d), v2 = s->two ? get(r, s->d2) : 0;

	if (gmem_write(a, &v, n) || (s->two && gmem_write(a + n, &v2, n)))
		return 0;
	advance(r, s);
	return 1;
}

/* Jumps; what generated code has on its shadow stack does not fit calls and returns that it has not made. */
static gaddr
target(const struct run *r, const struct simple *s)
{
	gaddr to = s->to, next = s->next;

	switch (s->kind) {
	case SI_BRANCH: return relation(r, s) ? to : next;
	case SI_TEST: return (get(r, s->a) >> s->imm & 1) == (s->op == R_TST) ? to : next;
	case SI_BRANCHF: return holds(r, s) ? to : next;
	case SI_JUMP: return to;
	case SI_CALL: put(r, r->g->link, next); break;
	case SI_GO:
		to = get(r, s->a) + (u64)s->imm;
		put(r, s->d, next);
		return to;
	default:
		to = get(r, s->a) + (u64)s->imm;
		put(r, s->d, next);
	}
	r->cpu->kept = 0;
	return to;
}

/* 0 if it is not done: it needs code, if only to fault. */
static int
perform(struct run *r, const struct simple *s)
{
	switch (s->kind) {
	case SI_NOTHING: break;
	case SI_SET: put(r, s->d, (u64)s->imm); break;
	case SI_OP: operation(r, s); break;
	case SI_FIELD: field(r, s); break;
	case SI_REL: put(r, s->d, (u64)relation(r, s)); break;
	case SI_INSERT: insert(r, s); break;
	case SI_MUL: multiply(r, s); break;
	case SI_SELECT: choose(r, s); break;
	case SI_CHECK: check(r, s); break;
	case SI_VSET: vset(r, s->d, (u64)s->imm, s->two ? (u64)s->imm : 0); break;
	case SI_TOV: vset(r, s->d, narrowed(s, get(r, s->a)), 0); break;
	case SI_FROMV: put(r, s->d, narrowed(s, get(r, s->a))); break;
	case SI_LOAD: if (!load(r, s)) return 0; break;
	case SI_STORE: if (!store(r, s)) return 0; break;
	case SI_VLOAD: if (!vload(r, s)) return 0; break;
	case SI_VSTORE: if (!vstore(r, s)) return 0; break;
	case SI_CALL: case SI_CALLR:
		if (r->g->keeps && !(r->mode & r->g->keeps) && core_answers(code, r, s->next))
			return 0;
		/* fallthrough */
	default:
		r->pc = target(r, s);
		return 1;
	}
	r->pc = s->next;
	return 1;
}

int
core_first(struct cpu *cpu, u32 mode, struct stretch in)
{
	struct run r;                  /* most of it is left as it is */
	struct simple s;
	int n = 0;

	cpu->scratch[0] = 0;
	r.cpu = cpu;
	r.g = core.guest;
	r.mode = mode;
	r.pc = cpu->pc;
	r.at = r.pc + 1;               /* nothing has been fetched */
	r.last = 0;
	while (n < MOST && fetched(&r, r.pc)) {
		u64 off = r.pc - r.at;

		if (!r.g->simple(r.code + off, r.ok - (int)off, r.pc, &s) || !perform(&r, &s))
			break;
		n++;
		if (s.kind >= SI_BRANCH && (atomic_load(&cpu->poll) || r.pc < in.lo || r.pc >= in.hi ||
		    core_seen(r.pc, mode) || !isfirst(r.pc)))
			break;
	}
	cpu->pc = r.pc;
	return n;
}
