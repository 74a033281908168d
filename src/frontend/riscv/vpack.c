/* SPDX-License-Identifier: MIT */
/* vpack.c - vcompress and viota (sections 15.8, 16.5), which go from element to element, both ways
 *
 * The helpers' last argument holds log2 of an element's bytes in bits 1:0, in bit 2 whether no mask matters, and vl
 * from bit 3 up.
 */
#include "frontend/riscv/vquick.h"

static ALWAYS int isset(const void *mask, u64 i) { return ((const u8 *)mask)[i / 8] >> i % 8 & 1; }

static u64
argument(const struct vec *v, const struct rvv_insn *a)
{
	return (u64)vq_log(v->sew) | (u64)a->vm << 2 | (u64)v->vl << 3;
}

/* vd is apart from the mask, and no source. */
static int
separate(const struct vec *v, const struct rvv_insn *a, int mask)
{
	return !v->start && vec_operands(v, a) && a->vd != a->vs2 && vec_apart(a->vd, v->lmul, mask, 0);
}

/* -- vcompress -- */

static ALWAYS void
compress(u64 bytes, u8 *d, const u8 *x, const void *mask, u64 vl)
{
	for (u64 i = 0; i < vl; i++)
		if (isset(mask, i)) {
			memcpy(d, x + i * bytes, bytes);
			d += bytes;
		}
}

PLAIN void
rv_compress(struct cpu *cpu, void *d, const void *x, const void *y, u64 how)
{
	(void)cpu;
	switch (how & 3) {
	case 0: compress(1, d, x, y, how >> 3); break;
	case 1: compress(2, d, x, y, how >> 3); break;
	case 2: compress(4, d, x, y, how >> 3); break;
	default: compress(8, d, x, y, how >> 3);
	}
}

int
rvv_compress(struct vec *v, const struct rvv_insn *a)
{
	if (!separate(v, a, a->vs1))
		return 0;
	rv_compress(v->cpu, v->s->v[a->vd], v->s->v[a->vs2], v->s->v[a->vs1], argument(v, a));
	return 1;
}

int
vq_compress(struct tr *t, const struct rvv_insn *a)
{
	struct vec v = vq_state(t);

	if (!separate(&v, a, a->vs1))
		return 0;
	tr_vhelp(t, RVH_COMPRESS, RV_v0 + a->vd, RV_v0 + a->vs2, RV_v0 + a->vs1, (int)argument(&v, a));
	return 1;
}

/* -- viota: elements that are masked out neither count nor change -- */

static ALWAYS void
iota(u64 bytes, u8 *d, const void *x, const void *mask, u64 how)
{
	u64 n = 0;

	for (u64 i = 0; i < how >> 3; i++)
		if (how & 4 || isset(mask, i)) {
			memcpy(d + i * bytes, &n, bytes);
			n += (u64)isset(x, i);
		}
}

PLAIN void
rv_iota(struct cpu *cpu, void *d, const void *x, const void *y, u64 how)
{
	(void)cpu;
	switch (how & 3) {
	case 0: iota(1, d, x, y, how); break;
	case 1: iota(2, d, x, y, how); break;
	case 2: iota(4, d, x, y, how); break;
	default: iota(8, d, x, y, how);
	}
}

/* Unlike others, it may not overlap its source at all. */
int
rvv_iota(struct vec *v, const struct rvv_insn *a)
{
	if (!separate(v, a, a->vs2))
		return 0;
	rv_iota(v->cpu, v->s->v[a->vd], v->s->v[a->vs2], v->s->v[0], argument(v, a));
	return 1;
}

int
vq_iota(struct tr *t, const struct rvv_insn *a)
{
	struct vec v = vq_state(t);

	if (!separate(&v, a, a->vs2))
		return 0;
	tr_vhelp(t, RVH_IOTA, RV_v0 + a->vd, RV_v0 + a->vs2, RV_v0, (int)argument(&v, a));
	return 1;
}
