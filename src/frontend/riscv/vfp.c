/* SPDX-License-Identifier: MIT */
/* vfp.c - floating-point arithmetic of the vector unit, and its moves ("V" Standard Extension, chapter 13)
 *
 * An element is computed by the operation of the IR that the scalar instruction is translated to, and by its evaluator:
 * so NaNs, rounding and flags are the same. */
#include "frontend/riscv/vfloat.h"
#include "ir/eval.h"

void
vec_op(struct vec *v, struct ins i, const u64 operand[6], u64 out[2])
{
	struct eval e = {
		.cpu = v->cpu, .guest = &guest_riscv64, .val = (u64 *)operand, .stride = 2, .first = 1, .fpnan = FPNAN_RISCV,
	};

	if (ir_hasvalue(i.op)) {
		out[0] = ir_value(i.op, i.ty, operand[0], operand[2], operand[4], i.v, i.imm);
		return;
	}
	i.a = 1, i.b = 2, i.c = 3;
	out[0] = out[1] = 0;
	(eval_fp[i.op] ? eval_fp[i.op] : eval_vec[i.op])(&e, &i, out);
}

u64
vfp_value(struct vec *v, struct ins i, u64 a, u64 b, u64 c)
{
	u64 out[2];

	vec_op(v, i, (u64[6]){a, 0, b, 0, c, 0}, out);
	return out[0];
}

static int frm(const struct vec *v) { return (int)bits(v->s->fcsr, FCSR_RM, 3); }
int vfp_rounding(const struct vec *v) { return frm(v) == FRM_RMM ? RM_NA : RM_DYN; }

int
vfp_has(const struct vec *v, int bits, int needed)
{
	return frm(v) <= FRM_RMM && (bits == 32 || bits == 64 || (bits == 16 && (model_has(RVF_zvfh) || model_has(needed))));
}

u64
vfp_widen(struct vec *v, u64 x, int from, int to)
{
	if (from == to)
		return x;
	return vfp_value(v, (struct ins){.op = O_fcvt, .ty = (u8)vfp_type(to), .v = (u16)vfp_type(from)}, x, 0, 0);
}

u64
vfp_scalar(struct vec *v, int n, int bits)
{
	if (bits == 64)
		return v->s->f[n];
	return vfp_value(v, (struct ins){.op = O_funbox, .ty = (u8)vfp_type(bits), .v = F64}, v->s->f[n], 0, 0);
}

/* Element i of the operand that vv and vf instructions differ in. */
static u64
operand(struct vec *v, const struct rvv_insn *a, u32 i, u64 scalar)
{
	return a->form == FORM_VF ? scalar : vec_get(v, a->vs1, i, v->sew);
}

static int
ready(const struct vec *v, const struct rvv_insn *a)
{
	return vfp_has(v, v->sew, RVF_zvfh) && vec_operands(v, a);
}

/* -- arithmetic -- */

/* op with vs2 and the other operand, in the other order if `swap`; their width is that of vd, once they are widened.
 * fma (acc): the product of the two is added to vd; with swap, that of vs1 and vd to vs2. */
int
rvv_farith(struct vec *v, const struct rvv_insn *a)
{
	int bits = v->sew << a->wd;
	u64 scalar;
	struct ins i = {.op = (u8)a->op, .ty = (u8)vfp_type(bits), .v = a->sh, .aux = (u16)(a->aux | vfp_rounding(v))};

	if (!ready(v, a))
		return 0;
	scalar = a->form == FORM_VF ? vfp_scalar(v, a->rs1, v->sew) : 0;
	for (u32 n = v->start; n < v->vl; n++) {
		if (!vec_active(v, a->vm, n))
			continue;
		u64 x = vfp_widen(v, vec_get(v, a->vs2, n, v->sew << a->w2), v->sew << a->w2, bits);
		u64 y = vfp_widen(v, operand(v, a, n, scalar), v->sew, bits), z = vec_get(v, a->vd, n, bits);
		if (a->acc)
			x = a->swap ? vfp_value(v, i, y, z, x) : vfp_value(v, i, y, x, z);
		else
			x = a->swap ? vfp_value(v, i, y, x, 0) : vfp_value(v, i, x, y, 0);
		vec_put(v, a->vd, n, bits, x);
	}
	return 1;
}

/* sqrt; and class, whose value is an integer */
int
rvv_funary(struct vec *v, const struct rvv_insn *a)
{
	int ty = vfp_type(v->sew);
	struct ins i = {.op = (u8)a->op, .ty = (u8)(a->op == O_fclass ? I64 : ty), .v = (u16)ty, .aux = (u16)vfp_rounding(v)};

	if (!ready(v, a))
		return 0;
	for (u32 n = v->start; n < v->vl; n++)
		if (vec_active(v, a->vm, n))
			vec_put(v, a->vd, n, v->sew, vfp_value(v, i, vec_get(v, a->vs2, n, v->sew), 0, 0));
	return 1;
}

/* estimates of seven bits: 1/x, or 1/sqrt(x) if `root` */
int
rvv_festimate(struct vec *v, const struct rvv_insn *a)
{
	static const u8 format[] = {[F16] = FMT_F16, [F32] = FMT_F32, [F64] = FMT_F64};
	enum fpfmt f = format[vfp_type(v->sew)];
	struct fpenv e = fp_env(v->cpu->fpmode, FPNAN_RISCV);

	if (!ready(v, a))
		return 0;
	e.rm = vfp_rounding(v) ? (u8)vfp_rounding(v) : e.rm;
	for (u32 n = v->start; n < v->vl; n++)
		if (vec_active(v, a->vm, n)) {
			u64 x = vec_get(v, a->vs2, n, v->sew);
			vec_put(v, a->vd, n, v->sew, a->root ? fp_rsqrt7(&e, f, x) : fp_rec7(&e, f, x));
		}
	v->cpu->fpflags |= e.flags;
	return 1;
}

/* vd may be a source: a bit of it lies only where elements were that have been read before. */
int
rvv_fcompare(struct vec *v, const struct rvv_insn *a)
{
	struct ins i = {.op = O_fset, .ty = (u8)vfp_type(v->sew), .v = a->rel, .aux = (u16)a->aux};
	u64 scalar;

	if (!ready(v, a))
		return 0;
	scalar = a->form == FORM_VF ? vfp_scalar(v, a->rs1, v->sew) : 0;
	for (u32 n = v->start; n < v->vl; n++)
		if (vec_active(v, a->vm, n)) {
			u64 x = vec_get(v, a->vs2, n, v->sew), y = operand(v, a, n, scalar);
			vec_setbit(v, a->vd, n, (int)(a->swap ? vfp_value(v, i, y, x, 0) : vfp_value(v, i, x, y, 0)));
		}
	return 1;
}

/* -- moves -- */

/* vfmerge: where the mask is 0, vs2; vfmv.v.f is not masked */
int
rvv_fmerge(struct vec *v, const struct rvv_insn *a)
{
	u64 scalar;

	if (!ready(v, a))
		return 0;
	scalar = vfp_scalar(v, a->rs1, v->sew);
	for (u32 n = v->start; n < v->vl; n++)
		vec_put(v, a->vd, n, v->sew, vec_active(v, a->vm, n) ? scalar : vec_get(v, a->vs2, n, v->sew));
	return 1;
}

/* The next two look at one element, and at no group (16.2). */
int
rvv_fmvfs(struct vec *v, const struct rvv_insn *a)
{
	struct ins i = {.op = O_fbox, .ty = F64, .v = (u16)vfp_type(v->sew)};

	if (!vfp_has(v, v->sew, RVF_zvfh))
		return 0;
	v->s->f[a->rd] = vfp_value(v, i, vec_get(v, a->vs2, 0, v->sew), 0, 0);
	return 1;
}

int
rvv_fmvsf(struct vec *v, const struct rvv_insn *a)
{
	if (!vfp_has(v, v->sew, RVF_zvfh))
		return 0;
	if (v->start < v->vl)
		vec_put(v, a->vd, 0, v->sew, vfp_scalar(v, a->rs1, v->sew));
	return 1;
}

/* vfslide1up: element n from n - 1, the first is the scalar; vfslide1down (down): from n + 1, the last is */
int
rvv_fslide1(struct vec *v, const struct rvv_insn *a)
{
	u64 scalar;

	if (!ready(v, a) || (!a->down && !vec_apart(a->vd, v->lmul, a->vs2, v->lmul)))
		return 0;
	scalar = vfp_scalar(v, a->rs1, v->sew);
	for (u32 n = v->start; n < v->vl; n++)
		if (vec_active(v, a->vm, n)) {
			int end = a->down ? n == v->vl - 1 : n == 0;
			vec_put(v, a->vd, n, v->sew, end ? scalar : vec_get(v, a->vs2, a->down ? n + 1 : n - 1, v->sew));
		}
	return 1;
}
