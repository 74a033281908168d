/* SPDX-License-Identifier: MIT */
/* proof.h - tries every line of fold.def
 *
 * Makes small random instructions whose operands are few variables, corner constants and the results
 * of one more instruction, so that every rule's shape comes up; builds each once as it is and once
 * through the builder, which folds; and compares what both compute.  fold.c is compiled into the
 * test with a counter on each line. */
#ifndef TESTS_IR_PROOF_H
#define TESTS_IR_PROOF_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static unsigned proof_hits[2000];
#define FOLD_HIT(line) (proof_hits[line]++)
#include "ir/fold.c"
#include "fake.h"

static u64
corner(int w)
{
	static const u64 some[] = { 0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 0x7f, 0x80, 0xff, 0xffff, 0xffffffff, 0x80000000 };

	switch (rnd() % 8) {
	case 0: return ~(u64)0;
	case 1: return (u64)1 << rnd() % 64;
	case 2: return ((u64)1 << rnd() % 64) - 1;
	case 3: return (u64)(rnd() % (u64)w);
	case 4: return rnd();
	case 5: return rnd() & 1;
	default: return some[rnd() % NELEM(some)];
	}
}

/* Both builds of one program. */
static struct region plain, folded;

/* A value in both. */
struct both { ref p, f; };

static struct both
emit(struct ins i, struct both a, struct both b, struct both c)
{
	struct both v;

	i.a = a.p, i.b = b.p, i.c = c.p;
	v.p = fake_append(&plain, i);
	v.f = ir_opx(&folded, i.op, i.ty, i.aux, i.v, i.imm, a.f, b.f, c.f);
	return v;
}

static struct both
constant_of(u64 k)
{
	return (struct both){ ir_k(&plain, k), ir_k(&folded, k) };
}

static struct both
variable(int ty, int v)
{
	return (struct both){ fake_append(&plain, (struct ins){ .op = O_get, .ty = (u8)ty, .v = (u16)v }),
	                      ir_get(&folded, ty, v) };
}

/* Valid fields for an operation. */
static void
fields(struct ins *i)
{
	int w = ty_lanebits(i->ty);

	switch (i->op) {
	case O_sxt: case O_zxt:
		i->imm = rnd() & 1 ? 1 + (int)(rnd() % (u64)w) : w >> rnd() % 3;
		break;
	case O_bfx: case O_sbfx: case O_dep:
		i->imm = rnd() % 8 ? 1 + (int)(rnd() % (u64)w) : w;
		i->v = rnd() % 4 ? (u16)(rnd() % (u64)(w - i->imm + 1)) : 0;
		break;
	case O_extr: i->imm = rnd() & 1 ? (int)(rnd() % (u64)w) : 0; break;
	case O_shli: case O_shri: case O_sari: case O_roli: i->imm = (int)(rnd() % 3 * (u64)w / 2); break;
	case O_urshri: case O_srshri: i->imm = 1 + (int)(rnd() % (u64)w); break;
	case O_crc32: i->imm = 8 << rnd() % 4; i->v = rnd() & 1; break;
	case O_set: case O_vset: i->v = (u16)(rnd() % R_UN); break;
	case O_fcc: case O_flsel: i->v = rnd() & 15; i->imm = i->op == O_flsel ? FL_Z : 0; break;
	case O_fsgnj: i->v = (u16)(rnd() % 3); break;
	case O_vlow: i->imm = rnd() & 1 ? 64 : 128; break;
	case O_vext: i->imm = rnd() & 1 ? 8 : (int)(rnd() % 16); break;
	case O_vzxt: case O_vsxt: i->imm = rnd() & 1; i->v = (u16)(i->ty - 1); break;
	case O_duplane: i->v = (u16)(rnd() % (u64)ty_nlanes(i->ty)); break;
	case O_umov: case O_smov: i->imm = (int)(rnd() & 1); i->v = I8 + rnd() % 4; break;
	}
}

static const u8 intops[] = {
	O_mov, O_add, O_sub, O_mul, O_mulhu, O_mulhs, O_mulhsu, O_divu, O_divs, O_remu, O_rems, O_and, O_or, O_xor,
	O_andn, O_orn, O_not, O_neg, O_shl, O_shr, O_sar, O_rotr, O_clz, O_ctz, O_cls, O_popcnt, O_bswap, O_rbit,
	O_sxt, O_zxt, O_bfx, O_sbfx, O_dep, O_extr, O_set, O_sel, O_smin, O_smax, O_umin, O_umax, O_abs,
	/* more of those with many rules */
	O_and, O_or, O_xor, O_add, O_sub, O_shl, O_shr, O_sar, O_zxt, O_sxt, O_bfx, O_sbfx, O_set, O_set, O_set, O_xor,
	O_fcc, O_orn, O_andn,
};
static const u8 vecops[] = {
	O_mov, O_add, O_sub, O_mul, O_and, O_or, O_xor, O_andn, O_orn, O_not, O_neg, O_sel, O_smin, O_smax, O_umin, O_umax,
	O_bsl, O_shli, O_shri, O_sari, O_vlow, O_vext, O_vset, O_abs, O_umov, O_dup, O_vfromi, O_xor, O_sub,
	O_uhadd, O_sqadd, O_vzxt, O_vsxt, O_uabd, O_duplane, O_vlow, O_umov, O_aese, O_aesd, O_aesmc, O_aesimc,
};
static const u8 floatops[] = { O_fneg, O_fabs, O_fsgnj, O_movif, O_movfi, O_mov, O_sel, O_fbox, O_funbox, O_flsel };

/* An operation on the type; often the one it is an operand of, for rules on op(op(x)). */
static int
pick_op(int ty, int parent)
{
	const u8 *list = ty_isvec(ty) ? vecops : ty_isfloat(ty) ? floatops : intops;
	size_t n = ty_isvec(ty) ? NELEM(vecops) : ty_isfloat(ty) ? NELEM(floatops) : NELEM(intops);

	if (parent && rnd() % 3 == 0 && memchr(list, parent, n))
		return parent;
	if (rnd() % 3 == 0 && (parent == O_vzxt || parent == O_vsxt))
		return O_uabd;
	if (rnd() % 2 == 0 && parent == O_uabd)
		return O_vext;
	if (rnd() % 4 == 0 && parent == O_sxt && ty == I64)
		return O_smax;
	if (rnd() % 2 == 0 && parent == O_smax && ty == I64)
		return O_sxt;
	return list[rnd() % n];
}

static struct both value(int ty, int depth, int parent);
static struct both random_ins(int op, int ty, int depth);

/* An operand of the kind, for an instruction of the type. */
static struct both
operand(char kind, const struct ins *i, int depth)
{
	switch (kind) {
	case 'N': return (struct both){0, 0};
	case 'F': return variable(FL, NZ);
	case 'J': case 'B':
		if (i->op == O_movif && rnd() & 1)
			return random_ins(O_movfi, i->ty, depth);
		return value(I64, depth, 0);
	case 'E': return value(i->v, depth, i->op);
	default: return value(i->ty, depth, i->op);
	}
}

/* -n where a and b compare, else 0: what compilers add n to. */
static struct both
less_where(int ty, u64 n, struct both a, struct both b)
{
	const struct both none = {0, 0};
	struct both set = emit((struct ins){.op = O_set, .ty = (u8)ty, .v = (u16)(rnd() % R_UN)}, a, b, none);
	int wide = rnd() & 1 ? ty : I64;
	struct both neg = emit((struct ins){.op = O_neg, .ty = (u8)wide}, set, none, none);

	return emit((struct ins){.op = O_and, .ty = (u8)wide}, neg, constant_of(rnd() % 8 ? -n : n), none);
}

/* The two halves of a rotation, in either order. */
static void
rotation(int ty, struct both *a, struct both *b)
{
	const struct both none = {0, 0}, x = *a;
	u64 w = (u64)ty_lanebits(ty), n = 1 + rnd() % (w - 1);
	int left = rnd() & 1;

	*a = emit((struct ins){.op = left ? O_shl : O_shr, .ty = (u8)ty}, x, constant_of(n), none);
	*b = emit((struct ins){.op = left ? O_shr : O_shl, .ty = (u8)ty}, x, constant_of(rnd() % 8 ? w - n : n), none);
}

static struct both
random_ins(int op, int ty, int depth)
{
	struct ins i = { .op = (u8)op, .ty = (u8)ty };
	struct both a, b, c;

	fields(&i);
	if (op == O_fbox)
		i.ty = F64, i.v = F16 + rnd() % 2;
	if (op == O_funbox)
		i.ty = F16 + rnd() % 2, i.v = F64;
	if (op == O_movfi)
		i.ty = I64, i.v = ty;
	if (op == O_umov)
		i.v = ty, i.ty = I64;
	if (op == O_flsel)
		i.ty = FL;
	if ((op == O_vzxt || op == O_vsxt) && ty == V8)
		i.ty = V16, i.v = V8;
	if (op == O_fcc)
		i.ty = I64;
	a = operand(opinfo[op].arg[0], &i, depth - 1);
	b = operand(opinfo[op].arg[1], &i, depth - 1);
	c = operand(opinfo[op].arg[2], &i, depth - 1);
	if (rnd() % 6 == 0 && opinfo[op].arg[0] == opinfo[op].arg[1])
		b = a;
	if (rnd() % 6 == 0 && opinfo[op].arg[1] == 'X' && opinfo[op].arg[2] == 'X')
		c = b;
	if (op >= O_shl && op <= O_rotr && rnd() & 1)
		b = constant_of(rnd() & 1 ? rnd() % 80 : rnd() % 10 * 8);
	if (op == O_sel && ty < I128 && rnd() % 4 == 0) {
		b = constant_of(1);
		c = constant_of(0);
	}
	if (op == O_sel && ty < I128 && rnd() % 4 == 0)        /* by an order of the two */
		a = emit((struct ins){.op = O_set, .ty = (u8)ty, .v = (u16)(rnd() % R_UN)}, rnd() & 1 ? b : c, rnd() & 1 ? b : c,
		    (struct both){0, 0});
	if (op == O_add && ty < I128 && rnd() % 8 == 0) {
		u64 n = corner(ty_lanebits(ty));
		a = less_where(ty, n, a, b);
		b = constant_of(n);
	}
	if (op == O_or && ty < I128 && rnd() % 8 == 0)
		rotation(ty, &a, &b);
	return emit(i, a, b, c);
}

static int
result_type(struct both v)
{
	return isk(v.p) ? I64 : ir_type(&plain.ins[v.p]);
}

static struct both
value(int ty, int depth, int parent)
{
	int isint = ty < I128;

	if (depth > 0 && rnd() % 3) {
		struct both v = random_ins(pick_op(ty, parent), ty, depth);
		int have = result_type(v);
		if (isint ? have < I128 : have == ty)
			return v;
	}
	if (isint && rnd() % 3 == 0)
		return constant_of(corner(ty_lanebits(ty)));
	if (isint)
		return variable(rnd() % 5 ? ty : I8 + (int)(rnd() % 4), X0 + (int)(rnd() % 2));
	return ty_isvec(ty) ? variable(ty, V0 + (int)(rnd() % 2))
		: variable(ty, ty == F64 ? F0 + (int)(rnd() % 2) : V0 + (int)(rnd() % 2));
}

static void
random_state(struct cpu *cpu)
{
	for (int v = 0; v < NVAR; v++)
		for (int i = 0; i < (fake_reg[v].kind == REG_VEC ? 16 : 8); i += 8)
			st64(cpu->state + fake_reg[v].off + i, rnd() & 1 ? corner(64) : rnd());
	for (int n = 0; n < 2; n++)    /* some boxed values */
		if (rnd() & 1)
			st32(cpu->state + fake_reg[F0 + n].off + 4, ~(u32)0);
}

static void
put_result(struct both v)
{
	int ty = result_type(v), var = ty_isvec(ty) || ty_isfloat(ty) ? V3 : ty == FL ? NZ : X3;
	struct ins put = { .op = O_put, .ty = (u8)ty, .v = (u16)var };

	put.a = v.p;
	fake_append(&plain, put);
	put.a = v.f;
	fake_append(&folded, put);
}

static void
end_with_trap(struct region *r)
{
	fake_append(r, (struct ins){ .op = O_trap, .ty = N, .v = TRAP_UNDEF });
}

/* One instruction compared; 0 if equal, else a complaint is printed. */
static int
prove_one(void)
{
	static struct cpu p, f;
	static const u8 types[] = { I8, I16, I32, I64, I32, I64, V8, V16, V32, V64, F16, F32, F64 };
	int ty = types[rnd() % NELEM(types)];
	static char text[2][8192];

	region_init(&plain, &fake_guest, 0, 0);
	region_init(&folded, &fake_guest, 0, 0);
	ir_block(&plain, 0);
	ir_block(&folded, 0);
	put_result(random_ins(pick_op(ty, 0), ty, 2 + (int)(rnd() % 2)));
	end_with_trap(&plain);
	end_with_trap(&folded);
	const char *e = ir_verify(&plain);
	if (e || (e = ir_verify(&folded))) {
		ir_print(&plain, text[0], sizeof text[0]);
		ir_print(&folded, text[1], sizeof text[1]);
		printf("%s\n%s--\n%s", e, text[0], text[1]);
		return -1;
	}
	for (int n = 0; n < 3; n++) {
		random_state(&p);
		memcpy(f.state, p.state, 4096);
		fake_run(&p, &plain, 0);
		fake_run(&f, &folded, 0);
		if (memcmp(p.state, f.state, 4096) == 0)
			continue;
		ir_print(&plain, text[0], sizeof text[0]);
		ir_print(&folded, text[1], sizeof text[1]);
		printf("differ:\n%s--\n%s", text[0], text[1]);
		for (int i = 0; i < 4096; i += 8)
			if (ld64(p.state + i) != ld64(f.state + i))
				printf("state+%d: %#llx, folded %#llx\n", i, (unsigned long long)ld64(p.state + i),
				       (unsigned long long)ld64(f.state + i));
		return -1;
	}
	return 0;
}

static const int proof_lines[] = {
#define ON(op)
#define ALSO(op)
#define FOLD(...) __LINE__,
#include FOLD_DEF
#undef ON
#undef ALSO
#undef FOLD
};

#endif
