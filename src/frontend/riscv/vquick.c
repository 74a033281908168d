/* SPDX-License-Identifier: MIT */
/* vquick.c - instructions of the vector unit on whole registers: operands, and which lines have a quick way */
#include "frontend/riscv/vquick.h"

struct vec
vq_state(const struct tr *t)
{
	int sew = vq_sew(t);

	return (struct vec){.cfg = t->vcfg, .vl = vcfg_vl(t->vcfg), .vlmax = vcfg_vlmax(t->vcfg), .sew = sew,
	    .lmul = vcfg_lmul(t->vcfg), .eew = vq_lane(sew)};
}

int
vq_extent(const struct tr *t, int bits, int first, struct extent *e)
{
	int bytes = (int)vcfg_vl(t->vcfg) * bits / 8, log = vcfg_lmul(t->vcfg) + vq_log(bits) - vq_log(vq_sew(t));

	*e = (struct extent){bytes / VLENB, 0};
	if (log > 3 || log < -3 || !vec_group(first, log))
		return 0;
	if (t->vany) {
		e->n = vec_size(log);
		return 1;
	}
	if (bytes == 4 || bytes == 8)
		*e = (struct extent){1, 8 * bytes};
	return e->part || (e->n && bytes % VLENB == 0);
}

ref
vq_constant(struct tr *t, u64 lo, u64 hi)
{
	return tr_op2(t, O_vpair, V64, tr_k(t, lo), tr_k(t, hi));
}

ref
vq_indices(struct tr *t, int bits, int k)
{
	int lanes = VLEN / bits;
	u64 half[2] = {0, 0};

	for (int i = 0; i < lanes; i++)
		half[i * bits / 64] |= (u64)(k * lanes + i) << i * bits % 64;
	return vq_constant(t, half[0], half[1]);
}

/* Register k of a group of elements of so many bits as lanes of ones that vl covers. */
static ref
covered(struct tr *t, int bits, int k)
{
	ref vl = tr_opk(t, O_and, I64, tr_get(t, I64, RV_vcfg), 0xffff);

	return ir_opx(t->r, O_vset, vq_type(bits), 0, R_GTU, 0, tr_op1(t, O_dup, vq_type(bits), vl),
	    vq_indices(t, bits, k), 0);
}

void
vq_putall(struct tr *t, const struct extent *e, int ty, int n, const ref *v)
{
	int part = vq_type(e->part ? e->part : 64);

	for (int k = 0; k < e->n; k++, n++)
		if (e->part)
			tr_put(t, part, RV_v0 + n, ir_opx(t->r, O_inslane, part, 0, 0, 0, vq_get(t, part, n), v[k], 0));
		else if (t->vany)
			tr_put(t, ty, RV_v0 + n,
			    tr_op3(t, O_bsl, ty, covered(t, ty_lanebits(ty), k), v[k], vq_get(t, ty, n)));
		else
			tr_put(t, ty, RV_v0 + n, v[k]);
}

/* -- masks -- */

/* Register k of a group as lanes of ones where v0 has a bit set. */
ref
vq_mask(struct tr *t, int bits, int k)
{
	int lanes = VLEN / bits, first = k * lanes, ty = vq_type(bits);
	ref v0 = vq_get(t, V8, 0), v, one;

	if (bits == 8) {
		u64 lo = 0x0101010101010101 * (u64)(first / 8), bit = 0x8040201008040201;

		v = tr_op2(t, O_tbl, V8, v0, vq_constant(t, lo, lo + 0x0101010101010101));
		one = vq_constant(t, bit, bit);
	} else {
		u64 lo = 0, hi = 0;

		for (int i = 0; i < lanes / 2; i++) {
			lo |= (u64)1 << (first + i) % 8 << i * bits;
			hi |= (u64)1 << (first + lanes / 2 + i) % 8 << i * bits;
		}
		v = tr_op1(t, O_dup, ty, ir_opx(t->r, O_umov, I64, 0, I8, first / 8, v0, 0, 0));
		one = vq_constant(t, lo, hi);
	}
	return ir_opx(t->r, O_vset, ty, 0, R_EQ, 0, tr_op2(t, O_and, ty, v, one), one, 0);
}

/* v, or what vd has, by v0 if the instruction is masked */
ref
vq_masked(struct tr *t, const struct rvv_insn *a, int ty, int k, ref v)
{
	return a->vm ? v : tr_op3(t, O_bsl, ty, vq_mask(t, ty_lanebits(ty), k), v, vq_get(t, ty, a->vd + k));
}

ref
vq_active(struct tr *t, const struct rvv_insn *a, int ty, int k, ref v)
{
	ref one = tr_op1(t, O_dup, vq_type(vq_sew(t)), tr_k(t, vq_sew(t) == 32 ? 0x3f800000 : 0x3ff0000000000000));

	return a->vm ? v : tr_op3(t, O_bsl, ty, vq_mask(t, ty_lanebits(ty), k), v, one);
}

/* -- the second operand -- */

ref
vq_float(struct tr *t, int n, int bits)
{
	ref v = tr_get(t, F64, RV_F0 + n);

	if (bits == 64)
		return ir_opx(t->r, O_movfi, I64, 0, F64, 0, v, 0, 0);
	t->r->unboxes = 1;
	return ir_opx(t->r, O_movfi, I64, 0, F32, 0, ir_opx(t->r, O_funbox, F32, 0, F64, 0, v, 0, 0), 0, 0);
}

static ref
splat(struct tr *t, const struct rvv_insn *a, int bits)
{
	int ty = vq_type(bits);

	switch (a->form) {
	case FORM_VI:
		return tr_op1(t, O_dup, ty, tr_k(t, zext((u64)(s64)a->imm, bits)));
	case FORM_VF:
		return tr_op1(t, O_dup, ty, vq_float(t, a->rs1, bits));
	}
	return tr_op1(t, O_dup, ty, tr_zxt(t, I64, rv_get(t, a->rs1), bits));
}

/* y[k]: the operand for register k */
int
vq_second(struct tr *t, const struct rvv_insn *a, int bits, const struct extent *e, ref *y)
{
	struct extent same;

	if (a->form == FORM_VV && !vq_extent(t, bits, a->vs1, &same))
		return 0;
	for (int k = 0; k < e->n; k++)
		y[k] = a->form == FORM_VV ? vq_get(t, vq_type(bits), a->vs1 + k) : k ? y[0] : splat(t, a, bits);
	return 1;
}

/* Both operands and the destination are groups of SEW. */
int
vq_operands(struct tr *t, const struct rvv_insn *a, struct extent *e, ref *x, ref *y)
{
	struct extent same;
	int bits = vq_sew(t);

	if (!vq_extent(t, bits, a->vd, e) || !vq_extent(t, bits, a->vs2, &same) || !vq_second(t, a, bits, e, y))
		return 0;
	for (int k = 0; k < e->n; k++)
		x[k] = vq_get(t, vq_type(bits), a->vs2 + k);
	return 1;
}

#define VV(name, f) [rvv_##name##_vv] = f
#define VVX(name, f) [rvv_##name##_vv] = f, [rvv_##name##_vx] = f
#define VVXI(name, f) VVX(name, f), [rvv_##name##_vi] = f
#define VWX(name) VVX(name, vq_widen), [rvv_##name##_wv] = vq_widen, [rvv_##name##_wx] = vq_widen
#define VVF(name, f) [rvv_##name##_vv] = f, [rvv_##name##_vf] = f
#define VS(name, f) [rvv_##name##_vs] = f
#define EEWS(name, f) [rvv_##name##8] = f, [rvv_##name##16] = f, [rvv_##name##32] = f, [rvv_##name##64] = f
#define WHOLE(n) [rvv_vl##n##re8] = vq_load, [rvv_vl##n##re16] = vq_load, [rvv_vl##n##re32] = vq_load, \
	[rvv_vl##n##re64] = vq_load, [rvv_vs##n##r] = vq_store
static quick_fn *const quick[rvv_COUNT] = {
	VVXI(vadd, vq_arith), VVX(vsub, vq_arith), [rvv_vrsub_vx] = vq_reversed, [rvv_vrsub_vi] = vq_reversed,
	VVXI(vand, vq_arith), VVXI(vor, vq_arith), VVXI(vxor, vq_arith), 
	VVX(vandn, vq_arith),
	VVX(vminu, vq_arith), VVX(vmin, vq_arith), VVX(vmaxu, vq_arith), VVX(vmax, vq_arith), VVX(vmul, vq_arith),
	VVX(vsll, vq_shiftv), VVX(vsrl, vq_shiftv), VVX(vsra, vq_shiftv),
	[rvv_vsll_vi] = vq_shifti, [rvv_vsrl_vi] = vq_shifti, [rvv_vsra_vi] = vq_shifti, [rvv_vror_vi] = vq_shifti,
	VVX(vrol, vq_rotatev), VVX(vror, vq_rotatev), VVX(vclmul, vq_clmul), VVX(vclmulh, vq_clmul),
	VVX(vdivu, vq_divide), VVX(vdiv, vq_divide), VVX(vremu, vq_divide), VVX(vrem, vq_divide),
	VVX(vmulh, vq_mulhigh), VVX(vmulhu, vq_mulhigh), VVX(vmulhsu, vq_mulhigh),
	[rvv_vmsbf] = vq_setmask, [rvv_vmsif] = vq_setmask, [rvv_vmsof] = vq_setmask,
	[rvv_vrev8_v] = vq_unary, [rvv_vbrev8_v] = vq_unary,
	VVX(vmacc, vq_multiplyadd), VVX(vnmsac, vq_multiplyadd),
	VVX(vmadd, vq_multiplyadd), VVX(vnmsub, vq_multiplyadd),

	VVXI(vsaddu, vq_saturate), VVXI(vsadd, vq_saturate), VVX(vssubu, vq_saturate), VVX(vssub, vq_saturate),
	VVX(vaaddu, vq_average), VVX(vaadd, vq_average), VVX(vasubu, vq_average), VVX(vasub, vq_average),
	[rvv_vssrl_vi] = vq_scale, [rvv_vssra_vi] = vq_scale, [rvv_vnclip_wi] = vq_clip, [rvv_vnclipu_wi] = vq_clip,
	VVXI(vmseq, vq_compare), VVXI(vmsne, vq_compare), VVXI(vmsleu, vq_compare), VVXI(vmsle, vq_compare),
	VVX(vmsltu, vq_compare), VVX(vmslt, vq_compare), [rvv_vmsgtu_vx] = vq_compare, [rvv_vmsgtu_vi] = vq_compare,
	[rvv_vmsgt_vx] = vq_compare, [rvv_vmsgt_vi] = vq_compare,
	VVF(vmfeq, vq_fcompare), VVF(vmfne, vq_fcompare), VVF(vmflt, vq_fcompare), VVF(vmfle, vq_fcompare),
	[rvv_vmfgt_vf] = vq_fcompare, [rvv_vmfge_vf] = vq_fcompare,

	[rvv_vmv_v_v] = vq_move, [rvv_vmv_v_x] = vq_move, [rvv_vmv_v_i] = vq_move, [rvv_vfmv_v_f] = vq_move,
	[rvv_vmerge_vvm] = vq_merge, [rvv_vmerge_vxm] = vq_merge, [rvv_vmerge_vim] = vq_merge, [rvv_vfmerge_vfm] = vq_merge,
	[rvv_vmv1r] = vq_moveregs, [rvv_vmv2r] = vq_moveregs, [rvv_vmv4r] = vq_moveregs, [rvv_vmv8r] = vq_moveregs,
	[rvv_vmv_x_s] = vq_tox, [rvv_vmv_s_x] = vq_fromx, [rvv_vid] = vq_index,
	[rvv_vzext_vf2] = vq_extend, [rvv_vsext_vf2] = vq_extend, [rvv_vzext_vf4] = vq_extend,
	[rvv_vsext_vf4] = vq_extend, [rvv_vzext_vf8] = vq_extend, [rvv_vsext_vf8] = vq_extend,
	VWX(vwaddu), VWX(vwadd), VWX(vwsubu), VWX(vwsub), VVX(vwmulu, vq_widen), VVX(vwmul, vq_widen), VVX(vwmulsu, vq_widen),
	VVX(vwmaccu, vq_widen), VVX(vwmacc, vq_widen), VVX(vwmaccsu, vq_widen), [rvv_vwmaccus_vx] = vq_widen,
	[rvv_vmand_mm] = vq_masklogic, [rvv_vmnand_mm] = vq_masklogic, [rvv_vmandn_mm] = vq_masklogic,
	[rvv_vmxor_mm] = vq_masklogic, [rvv_vmor_mm] = vq_masklogic, [rvv_vmnor_mm] = vq_masklogic,
	[rvv_vmorn_mm] = vq_masklogic, [rvv_vmxnor_mm] = vq_masklogic, [rvv_vcpop] = vq_countmask, [rvv_vfirst] = vq_findmask,
	[rvv_vnsrl_wi] = vq_narrow,
	[rvv_vnsrl_wx] = vq_narrow, [rvv_vnsra_wi] = vq_narrow, [rvv_vnsra_wx] = vq_narrow,
	[rvv_vslidedown_vi] = vq_slidedown, [rvv_vslideup_vi] = vq_slideup, VVXI(vrgather, vq_gather),
	[rvv_vcompress] = vq_compress, [rvv_viota] = vq_iota,
	[rvv_vslide1up_vx] = vq_slide1, [rvv_vslide1down_vx] = vq_slide1, [rvv_vfslide1up_vf] = vq_slide1,
	[rvv_vfslide1down_vf] = vq_slide1,
	VS(vredsum, vq_reduce), VS(vredminu, vq_reduce), VS(vredmin, vq_reduce),
	VS(vredmaxu, vq_reduce), VS(vredmax, vq_reduce),

	EEWS(vle, vq_load), EEWS(vse, vq_store),
	EEWS(vlse, vq_loadfew), EEWS(vluxei, vq_loadfew), EEWS(vloxei, vq_loadfew),
	EEWS(vsse, vq_storefew), EEWS(vsuxei, vq_storefew), EEWS(vsoxei, vq_storefew),
	EEWS(vlsege, vq_loadseg), EEWS(vlssege, vq_loadseg), EEWS(vluxsegei, vq_loadfew), EEWS(vloxsegei, vq_loadfew),
	EEWS(vssege, vq_storeseg), EEWS(vsssege, vq_storeseg), EEWS(vsuxsegei, vq_storefew), EEWS(vsoxsegei, vq_storefew),
	WHOLE(1), WHOLE(2), WHOLE(4), WHOLE(8),

	VVF(vfadd, vq_farith), VVF(vfsub, vq_farith), VVF(vfmul, vq_farith), VVF(vfdiv, vq_farith),
	[rvv_vfrsub_vf] = vq_farith, [rvv_vfrdiv_vf] = vq_farith, VVF(vfmin, vq_farith), VVF(vfmax, vq_farith),
	VVF(vfsgnj, vq_farith), VVF(vfsgnjn, vq_farith), VVF(vfsgnjx, vq_farith),
	VVF(vfwadd, vq_farith), VVF(vfwsub, vq_farith), VVF(vfwmul, vq_farith), [rvv_vfwadd_wv] = vq_farith,
	[rvv_vfwadd_wf] = vq_farith, [rvv_vfwsub_wv] = vq_farith, [rvv_vfwsub_wf] = vq_farith,
	VVF(vfmadd, vq_farith), VVF(vfnmadd, vq_farith), VVF(vfmsub, vq_farith), VVF(vfnmsub, vq_farith),
	VVF(vfmacc, vq_farith), VVF(vfnmacc, vq_farith), VVF(vfmsac, vq_farith), VVF(vfnmsac, vq_farith),
	VVF(vfwmacc, vq_farith), VVF(vfwnmacc, vq_farith), VVF(vfwmsac, vq_farith), VVF(vfwnmsac, vq_farith),
	[rvv_vfsqrt_v] = vq_fsqrt,
	[rvv_vfcvt_x_f_v] = vq_fcvt, [rvv_vfcvt_xu_f_v] = vq_fcvt, [rvv_vfcvt_rtz_x_f_v] = vq_fcvt,
	[rvv_vfcvt_rtz_xu_f_v] = vq_fcvt, [rvv_vfcvt_f_x_v] = vq_fcvt, [rvv_vfcvt_f_xu_v] = vq_fcvt,
	[rvv_vfwcvt_x_f_v] = vq_fcvt, [rvv_vfwcvt_xu_f_v] = vq_fcvt, [rvv_vfwcvt_rtz_x_f_v] = vq_fcvt,
	[rvv_vfwcvt_rtz_xu_f_v] = vq_fcvt, [rvv_vfwcvt_f_x_v] = vq_fcvt, [rvv_vfwcvt_f_xu_v] = vq_fcvt,
	[rvv_vfwcvt_f_f_v] = vq_fcvt, [rvv_vfncvt_f_f_w] = vq_fcvt, [rvv_vfncvt_rod_f_f_w] = vq_fcvt,
	[rvv_vfmv_f_s] = vq_tof, [rvv_vfmv_s_f] = vq_fromf,
	VS(vfredosum, vq_freduce), VS(vfredusum, vq_freduce), VS(vfredmin, vq_freduce), VS(vfredmax, vq_freduce),
	VS(vfwredosum, vq_freduce), VS(vfwredusum, vq_freduce),

	VV(vaesem, vq_aes), VV(vaesef, vq_aes), VV(vaesdm, vq_aes), VV(vaesdf, vq_aes),
	VS(vaesem, vq_aes), VS(vaesef, vq_aes), VS(vaesdm, vq_aes), VS(vaesdf, vq_aes), VS(vaesz, vq_aes),
	[rvv_vaeskf1_vi] = vq_aeskey, [rvv_vaeskf2_vi] = vq_aeskey,
	VV(vsha2ms, vq_sha2), VV(vsha2ch, vq_sha2), VV(vsha2cl, vq_sha2), VV(vghsh, vq_ghash), VV(vgmul, vq_ghash),
	[rvv_vsm4k_vi] = vq_light, VV(vsm4r, vq_light), VS(vsm4r, vq_light), [rvv_vsm3c_vi] = vq_light, VV(vsm3me, vq_light),
};

/* May the operands be what they are?  Accesses to memory look themselves; registers of masks, or of one element, are
 * single. */
static int
allowed(const struct vec *v, const struct rvv_insn *a, u32 word)
{
	if (a->egs)
		return vec_groups(v, a);
	if (a->sums)
		return vec_sums(v, a);
	return a->single || (word & 0x7f) != 0x57 || vec_operands(v, a);
}

/* Those that do to each element what they do, whatever vl is; others touch memory, raise flags, or look across. */
static int
elementwise(quick_fn *f)
{
	return f == vq_arith || f == vq_reversed || f == vq_shifti || f == vq_shiftv || f == vq_unary ||
	    f == vq_multiplyadd || f == vq_rotatev || f == vq_mulhigh || f == vq_divide ||
	    f == vq_clmul || f == vq_move || f == vq_merge ||
	    f == vq_extend || f == vq_widen || f == vq_narrow || f == vq_index || f == vq_scale || f == vq_average;
}

int rv_isquick(const struct rvv_insn *a) { return quick[a->id] != 0; }

int
rv_quick(struct tr *t, const struct rvv_insn *a)
{
	struct vec v = vq_state(t);

	return (!t->vany || elementwise(quick[a->id])) && allowed(&v, a, t->word) && quick[a->id](t, a);
}
