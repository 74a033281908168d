/* SPDX-License-Identifier: MIT */
/* mem.c - addresses, loads and stores of integers, fences
 *
 * The host's order is stronger than all the guests': loads are acquires, stores releases.  Only a
 * sequentially consistent store and a full fence cost something, once others may look (cpu_share): a locked
 * operation, whatever its line, 2 ns on Zen 4 and 7 on Sapphire Rapids; mfence takes 16 on the former.  xchg would do
 * for the store, and is no faster, but is locked always. */
#include "backend/x86_64/int.h"

static int isfold(const struct x86 *x, ref t) { return !isk(t) && x->val[t].flags & VAL_FOLD; }

/* -- addresses -- */
struct addr { ref base, index; int scale; s64 disp; };

static s64 plus(s64 a, s64 b) { return (s64)((u64)a + (u64)b); }       /* addresses go round */

/* Takes apart additions and shifts left to the access. */
static void
open_folds(struct x86 *x, struct addr *a)
{
	const struct ins *d;
	s64 k;

	while (isfold(x, a->base) && (d = &x->r->ins[a->base])->op == O_add) {
		if (x_isk(x, d->b, &k) && fits32(plus(a->disp, k))) {
			a->disp = plus(a->disp, k);
			a->base = d->a;
		} else if (!a->index && !isk(d->b)) {
			int shifted = isfold(x, d->a);

			a->index = shifted ? d->a : d->b;
			a->base = shifted ? d->b : d->a;
		} else {
			return;
		}
	}
	if (a->index && isfold(x, a->index) && (d = &x->r->ins[a->index])->op == O_shl &&
	    x_isk(x, d->b, &k) && a->scale + k <= 3) {
		a->scale += (int)k;
		a->index = d->a;
	}
}

/* The index in a register, extended from 32 bits if so asked; base: the base's register. */
static int
index_reg(struct x86 *x, ref index, int aux, int base)
{
	struct mem m;
	int s, t;

	if (aux & AUX_IDX32S) {
		s = xr_usem(x, index, 32, &m);
		t = s >= 0 && s < NRTEMP && !isk(index) && x->val[index].last <= x->i && x->val[index].uses == 1 ? s : xr_tmp(x);
		if (s < 0)
			movsx_rm(&x->a, 32, 64, t, m);
		else
			movsx_rr(&x->a, 32, 64, t, s);
		if (s != t && s != base)
			xr_done(x, s);
		return t;
	}
	if (aux & AUX_IDX32U && !isk(index) && ty_bits(x->val[index].ty) > 32) {
		s = xr_usem(x, index, 32, &m);
		t = s >= 0 && s < NRTEMP && x->val[index].last <= x->i && x->val[index].uses == 1 ? s : xr_tmp(x);
		if (s < 0)
			mov_rm(&x->a, 32, t, m);
		else
			mov_rr(&x->a, 32, t, s);
		if (s != t && s != base)
			xr_done(x, s);
		return t;
	}
	return xr_use(x, index, 64);
}

struct mem
x_addr(struct x86 *x, const struct ins *i)
{
	struct addr a = {i->a, 0, i->aux & AUX_SCALE, i->imm};
	struct mem m = {.base = NOREG, .index = NOREG};
	int ext = i->aux & (AUX_IDX32U | AUX_IDX32S);
	s64 k;

	if (!(i->b | ext | x->a32) && !isk(i->a) && !isfold(x, i->a))  /* most are so */
		return mem_at(xr_use(x, i->a, 64), i->imm);
	if (i->op == O_ld || i->op == O_lds || i->op == O_st || i->op == O_pref)
		a.index = i->b;
	if (a.index && x_isk(x, a.index, &k)) {
		k = ext & AUX_IDX32S ? (s32)k : ext ? (s64)(u32)k : k;
		a.disp = plus(a.disp, (s64)((u64)k << a.scale));
		a.index = 0;
		a.scale = 0;
	}
	if (!ext)
		open_folds(x, &a);
	m.a32 = x->a32;
	if (x_isk(x, a.base, &k)) {
		k = plus(k, a.disp);
		a.disp = 0;
		if (fits32(k) && (k >= 0 || !x->a32)) {
			m.disp = (s32)k;
		} else {
			m.base = (s8)xr_tmp(x);
			mov_ri(&x->a, m.base, x->a32 ? (u32)k : (u64)k);
		}
	} else {
		m.base = (s8)xr_use(x, a.base, x->a32 ? 32 : 64);
	}
	if (a.index) {
		m.index = (s8)index_reg(x, a.index, ext, m.base);
		m.scale = (u8)a.scale;
	}
	if (fits32(a.disp)) {
		m.disp += (s32)a.disp;
	} else {                       /* only with a constant index */
		int t = xr_tmp(x);

		mov_ri(&x->a, t, (u64)a.disp);
		if (m.base != NOREG)
			lea(&x->a, 64, t, (struct mem){m.base, (s8)t, 0, 0, 0});
		m.base = (s8)t;
	}
	return m;
}

static int
istemp(int reg)
{
	return reg >= 0 && reg < NRTEMP;
}

/* The same address with one register at most, a scratch one if it was more than a base.  The displacement stays one
 * (base_of in host.c). */
static struct mem
one_register(struct x86 *x, struct mem m)
{
	int t;

	if (m.index == NOREG)
		return m;
	if (istemp(m.base))
		x->lock[0] &= ~(1u << m.base);
	if (istemp(m.index))
		x->lock[0] &= ~(1u << m.index);
	t = xr_tmp(x);
	lea(&x->a, m.a32 ? 32 : 64, t, (struct mem){m.base, m.index, m.scale, 0, 0});
	return (struct mem){(s8)t, NOREG, 0, m.a32, m.disp};
}

static void
trap_align(struct x86 *x, const struct cold *c)
{
	mov_ri(&x->a, RAX, x->r->pc + (u64)(s64)(s32)c->pcoff);
	mov_ri(&x->a, RCX, TRAP_ALIGN);
	x_gostub(x, &x86_stub.trap);
}

struct mem
x_aligned(struct x86 *x, const struct ins *i, int bytes)
{
	struct mem m = x_addr(x, i);

	if (!(i->aux & AUX_ALIGN) || bytes == 1)
		return m;
	xf_save(x);
	if (m.base != NOREG && m.index == NOREG && !(m.disp & (bytes - 1))) {
		test_ri(&x->a, 32, m.base, bytes - 1);
	} else {
		int t = xr_tmp(x);

		lea(&x->a, 32, t, (struct mem){m.base, m.index, m.scale, 0, m.disp});
		test_ri(&x->a, 32, t, bytes - 1);
		x->lock[0] &= ~(1u << t);
	}
	x_cold(x, jcc_32(&x->a, JNE), trap_align);
	return m;
}

/* -- loads -- */
static void
load_be(struct x86 *x, int bits, int d, struct mem m)
{
	if (bits == 8) {
		movzx_rm(&x->a, 8, d, m);
	} else if (x86feat.movbe) {
		if (bits == 16)
			put1(&x->a, 0x66);
		u32 rex = (bits == 64 ? 8u : 0u) | rex_m(d, m);

		if (m.a32)
			put1(&x->a, 0x67);
		if (rex)
			put1(&x->a, 0x40 | rex);
		put1(&x->a, 0x0f);
		put2(&x->a, 0xf038);
		modrm_m(&x->a, d, m, 0, 0);
		if (bits == 16)
			movzx_rr(&x->a, 16, d, d);
	} else {
		movzx_rm(&x->a, bits, d, m);
		x_bswap_reg(x, bits, d);
	}
}

void
x_bswap_reg(struct x86 *x, int bits, int d)
{
	if (bits == 8)
		return;
	if (bits == 16) {              /* only the low half matters: rol 8 keeps what is above it */
		put1(&x->a, 0x66);
		rex_r(&x->a, 32, 0, d);
		put1(&x->a, 0xc1);
		modrm_r(&x->a, S_ROL, d);
		put1(&x->a, 8);
		return;
	}
	rex_r(&x->a, bits, 0, d);
	put2(&x->a, 0xc80f | (u32)(d & 7) << 8);
}

/* The load reads its address before it writes: a register of the address will do for the result. */
static int
load_def(struct x86 *x, struct mem m)
{
	int var = x->val[x->i].want;

	if ((x->lock[0] & ((1u << NRTEMP) - 1)) == (1u << NRTEMP) - 1 && (var == NOVAR || x86_home[var].reg < 0))
		xr_done(x, istemp(m.base) ? m.base : m.index);
	return xr_def(x, (ref)x->i);
}

int
x_ld(struct x86 *x, const struct ins *i)
{
	int bits = ty_bits(i->ty), d;
	struct mem m;

	if (i->ty > I64)
		return 0;
	if (i->aux & AUX_BE && bits == 16 && !x86feat.movbe)
		xf_save(x);
	m = x_aligned(x, i, bits / 8);
	d = load_def(x, m);
	if (i->aux & AUX_BE)
		load_be(x, bits, d, m);
	else
		movzx_rm(&x->a, bits, d, m);
	return 1;
}

int
x_lds(struct x86 *x, const struct ins *i)
{
	int bits = i->v, w = i->ty == I32 || i->aux & AUX_S32 ? 32 : 64, d;
	struct mem m;

	if (i->aux & AUX_BE && bits == 16 && !x86feat.movbe)
		xf_save(x);
	m = x_aligned(x, i, bits / 8);
	d = load_def(x, m);
	if (i->aux & AUX_BE) {
		load_be(x, bits, d, m);
		movsx_rr(&x->a, bits, w, d, d);
	} else {
		movsx_rm(&x->a, bits, w, d, m);
	}
	return 1;
}

/* -- fences -- */
u8 *
x_unshared(struct x86 *x)
{
	alu_mi(&x->a, A_CMP, 8, m_cpu(offsetof(struct cpu, shared)), 0);
	return jcc_8(&x->a, JE);
}

static void
full_fence(struct x86 *x)
{
	u8 *alone = x_unshared(x);

	put1(&x->a, 0xf0);             /* lock or dword [rsp], 0 */
	alu_mi(&x->a, A_OR, 32, mem_at(RSP, 0), 0);
	rel8_here(&x->a, alone);
}

int
x_fence(struct x86 *x, const struct ins *i)
{
	if (i->v == FENCE_FULL)
		full_fence(x);
	return 1;
}

/* -- stores -- */

/* The datum in a register; the address gives up registers if need be. */
static int
store_reg(struct x86 *x, ref t, int bits, struct mem *m)
{
	if (istemp(m->base) && istemp(m->index) && !xr_isreg(x, t)) {
		int busy = 0;

		for (int r = 0; r < NRTEMP; r++)
			busy += x->lock[0] >> r & 1;
		if (busy == NRTEMP)
			*m = one_register(x, *m);
	}
	return xr_use(x, t, bits);
}

/* A copy of the datum that may be changed. */
static int
store_copy(struct x86 *x, ref t, int bits, struct mem *m)
{
	int s, d;

	*m = one_register(x, *m);
	s = xr_use(x, t, bits);
	if (isk(t))
		return s;
	d = xr_tmp(x);
	mov_rr(&x->a, bits == 64 ? 64 : 32, d, s);
	return d;
}

static void
store_be(struct x86 *x, const struct ins *i, struct mem m)
{
	int bits = ty_bits(i->ty), s = store_copy(x, i->c, bits, &m);

	x_bswap_reg(x, bits, s);
	mov_mr_n(&x->a, bits, m, s);
}

static void
store_imm(struct x86 *x, int bits, struct mem m, s32 k)
{
	int n = bits == 64 ? 4 : bits / 8;

	if (bits != 16) {
		op_rm(&x->a, bits == 8 ? 0xc6 : 0xc7, bits, 0, m, n);
	} else {
		put1(&x->a, 0x66);
		op_rm(&x->a, 0xc7, 32, 0, m, n);
	}
	if (n == 1)
		put1(&x->a, (u32)k);
	else if (n == 2)
		put2(&x->a, (u32)k);
	else
		put4(&x->a, (u32)k);
}

int
x_st(struct x86 *x, const struct ins *i)
{
	int bits = ty_bits(i->ty);
	struct mem m;
	s64 k;

	if (i->ty > I64)
		return 0;
	if ((i->aux & AUX_BE && bits == 16) || i->aux & AUX_SC)
		xf_save(x);
	m = x_aligned(x, i, bits / 8);
	if (i->aux & AUX_BE) {
		store_be(x, i, m);
	} else if (x_isk(x, i->c, &k) && (bits < 64 || fits32(k))) {
		store_imm(x, bits, m, (s32)k);
	} else {
		int s = store_reg(x, i->c, bits, &m);

		mov_mr_n(&x->a, bits, m, s);
	}
	if (i->aux & AUX_SC)
		full_fence(x);
	return 1;
}

int
x_pref(struct x86 *x, const struct ins *i)
{
	/* prefetcht0 t1 t2 nta; prefetchw, which hosts without it take for a no-operation */
	static const u8 ext[] = {[PREF_L1] = 1, [PREF_L2] = 2, [PREF_L3] = 3, [PREF_ONCE] = 0, [PREF_WRITE] = 1};

	op0f_rm(&x->a, 0, i->v == PREF_WRITE ? 0x0d : 0x18, 32, ext[i->v], x_addr(x, i), 0);
	return 1;
}
