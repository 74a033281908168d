/* SPDX-License-Identifier: MIT */
/* vmem.c - the vector unit's loads and stores (section 7)
 *
 * Each element, of all its fields, is one access, before which vstart says so: if it faults the instruction is done
 * again from there. */
#include <stdatomic.h>
#include "base/gmem.h"
#include "frontend/riscv/vector.h"
#include "ir/ir.h"

static void
from(struct vec *v, u32 i)
{
	v->s->vcfg = v->cfg | (u64)i << VCFG_START;
	atomic_signal_fence(memory_order_seq_cst);
}

/* One group of registers for each of nf fields: how long groups are (log2 of registers), and the bits of an element. */
struct data { int log, bits; };

/* All fields of element i, which are at p. */
static void
move(struct vec *v, const struct rvv_insn *a, const struct data *d, u32 i, u8 *p)
{
	for (int f = 0, n = a->vd; f < a->nf; f++, n += vec_size(d->log), p += d->bits / 8)
		if (a->st)
			elem_store(p, d->bits, vec_get(v, n, i, d->bits));
		else
			vec_put(v, n, i, d->bits, elem_load(p, d->bits));
	atomic_signal_fence(memory_order_seq_cst);
}

/* Sections 5.2, 5.3, 7.8: may the fields' groups be where they are?  lax: in v0, though that masks them. */
static int
fields(const struct rvv_insn *a, const struct data *d, int lax)
{
	int size = vec_size(d->log) * a->nf;

	return d->log >= -3 && d->log <= 3 && vec_group(a->vd, d->log) && size <= 8 && a->vd + size <= 32
	    && (a->vm || a->vd || lax);
}

/* The group of elements that are as wide as the line says. */
static struct data
bytype(const struct vec *v, const struct rvv_insn *a)
{
	return (struct data){v->lmul + a->ty - v->eew, 8 << a->ty};
}

/* Stores n bytes, each once, and no element in parts if it is aligned. */
static void
storebytes(u8 *p, const u8 *r, u32 n, u32 each)
{
	for (; n >= 8; n -= 8, p += 8, r += 8) {
		st64(p, ld64(r));
		atomic_signal_fence(memory_order_seq_cst);     /* lest it become a memcpy, which may store twice */
	}
	for (; n; n -= each, p += each, r += each)
		elem_store(p, 8 * (int)each, elem_load(r, 8 * (int)each));
}

/* All elements, one after another in memory, and within one page: if it faults, then at the first. */
static void
together(struct vec *v, const struct rvv_insn *a, const struct data *d, gaddr base)
{
	u32 each = (u32)d->bits / 8, next = v->start + 1, n = (v->vl - next) * each;
	u8 *r = v->s->v[a->vd] + next * each, *m = g2h(base + next * each);

	from(v, v->start);
	move(v, a, d, v->start, g2h(base + v->start * each));
	if (a->st)
		storebytes(m, r, n, each);
	else
		memcpy(r, m, n);
}

/* of the host's smallest size */
static int
onepage(gaddr from, gaddr to)
{
	return from / 4096 == (to - 1) / 4096;
}

/* form: with a stride, in rs2; else one after another */
int
rvv_access(struct vec *v, const struct rvv_insn *a)
{
	struct data d = bytype(v, a);
	u64 each = (u64)(a->nf * d.bits / 8), stride = a->form == FORM_VX ? v->s->x[a->rs2] : each;
	gaddr base = v->s->x[a->rs1];

	if (!fields(a, &d, a->st))
		return 0;
	if (a->form != FORM_VX && a->nf == 1 && a->vm && v->start < v->vl
	    && onepage(base + v->start * each, base + v->vl * each)) {
		together(v, a, &d, base);
		return 1;
	}
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			from(v, i);
			move(v, a, &d, i, g2h(base + i * stride));
		}
	return 1;
}

/* Only the first element may fault; another that cannot be read ends the vector before it (section 7.7). */
int
rvv_firstaccess(struct vec *v, const struct rvv_insn *a)
{
	struct data d = bytype(v, a);
	u32 each = (u32)(a->nf * d.bits / 8);
	gaddr at = v->s->x[a->rs1] + v->start * each;
	u8 copy[8 * 8];

	if (!fields(a, &d, 0))
		return 0;
	for (u32 i = v->start; i < v->vl; i++, at += each) {
		if (!vec_active(v, a->vm, i))
			continue;
		if (i == 0) {
			from(v, 0);
			move(v, a, &d, 0, g2h(at));
		} else if (gmem_read(copy, at, each) == 0) {
			move(v, a, &d, i, copy);
		} else {
			v->cfg = (v->cfg & ~(u64)0xffff) | i;
			break;
		}
	}
	return 1;
}

/* Sections 5.2, 7.8.3: the index group, of elements of ty, with each field's. */
static int
indices(const struct vec *v, const struct rvv_insn *a, const struct data *d)
{
	struct data x = bytype(v, a);

	if (x.log < -3 || x.log > 3 || !vec_group(a->vs2, x.log) || (!a->vm && a->vs2 == 0))
		return 0;
	for (int f = 0, n = a->vd; f < a->nf; f++, n += vec_size(d->log)) {
		int apart = vec_apart(n, d->log, a->vs2, x.log);

		if (a->st ? !apart && d->bits != x.bits : !vec_over(n, d->log, d->bits, a->vs2, x.log, x.bits))
			return 0;
		if (!a->st && a->nf > 1 && !apart)
			return 0;
	}
	return 1;
}

int
vec_access(const struct vec *v, const struct rvv_insn *a, int indexed)
{
	struct data d = indexed ? (struct data){v->lmul, v->sew} : bytype(v, a);

	return fields(a, &d, !indexed && a->st) && (!indexed || indices(v, a, &d));
}

int
rvv_indexed(struct vec *v, const struct rvv_insn *a)
{
	struct data d = {v->lmul, v->sew};
	gaddr base = v->s->x[a->rs1];

	if (!fields(a, &d, 0) || !indices(v, a, &d))
		return 0;
	for (u32 i = v->start; i < v->vl; i++)
		if (vec_active(v, a->vm, i)) {
			from(v, i);
			move(v, a, &d, i, g2h(base + vec_get(v, a->vs2, i, 8 << a->ty)));
		}
	return 1;
}

/* n bytes of registers from vd up, in elements of `bits` bits, from vstart on */
static void
bytes(struct vec *v, const struct rvv_insn *a, u32 n, int bits)
{
	struct data d = {0, bits};
	struct rvv_insn b = *a;
	u32 each = (u32)bits / 8;

	b.nf = 1;
	for (u32 i = v->start; i < n / each; i++) {
		from(v, i);
		move(v, &b, &d, i, g2h(v->s->x[a->rs1] + i * each));
	}
}

/* the bits of one register that vl covers, in bytes */
int
rvv_maskaccess(struct vec *v, const struct rvv_insn *a)
{
	bytes(v, a, (v->vl + 7) / 8, 8);
	return 1;
}

/* nf registers, whatever vl and vtype are */
int
rvv_wholeaccess(struct vec *v, const struct rvv_insn *a)
{
	if (a->vd & (a->nf - 1))
		return 0;
	bytes(v, a, (u32)a->nf * VLENB, 8 << a->ty);
	return 1;
}
