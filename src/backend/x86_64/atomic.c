/* SPDX-License-Identifier: MIT */
/* atomic.c - read-modify-write, compare-and-swap, load- and store-exclusive, up to 64 bits
 *
 * Exclusives are done with compare-and-swap against the value the load saw, which is kept in the
 * cpu record; 128 bits and big-endian data are left to the evaluator. */
#include "backend/x86_64/int.h"

static int istemp(int reg) { return reg >= 0 && reg < NRTEMP; }

/* The operand in reg has been copied: its register is free, unless the address uses it too. */
static void
release(struct x86 *x, int reg, struct mem m)
{
	if (istemp(reg) && reg != m.base && reg != m.index)
		x->lock[0] &= ~(1u << reg);
}

/* op m, r at any width, byte registers right; op is the 16-to-64-bit opcode, its even
 * neighbour below the one for bytes */
static void
modify(struct x86 *x, u32 map0f, u32 op, int bits, struct mem m, int r)
{
	u32 rex = (bits == 64 ? 8u : 0u) | rex_m(r, m);

	if (m.a32)
		put1(&x->a, 0x67);
	if (bits == 16)
		put1(&x->a, 0x66);
	if (rex || (bits == 8 && r >= 4))
		put1(&x->a, 0x40 | rex);
	if (map0f)
		put1(&x->a, 0x0f);
	put1(&x->a, bits == 8 ? op - 1 : op);
	modrm_m(&x->a, r, m, 0, 0);
}

/* lock op m, r; the jump to behind the prefix changes EFLAGS.  What faults is either address's instruction. */
static void
locked(struct x86 *x, u32 map0f, u32 op, int bits, struct mem m, int r)
{
	u8 *alone = x_unshared(x);

	put1(&x->a, 0xf0);
	rel8_here(&x->a, alone);
	modify(x, map0f, op, bits, m, r);
}

/* The address, when rax has been set aside: it takes one other temporary at most. */
static struct mem
plain_address(struct x86 *x, const struct ins *i, int bytes)
{
	xr_take(x, RAX);
	return x_aligned(x, i, bytes);
}

static const u8 alu_of[] = { [RMW_ADD] = A_ADD, [RMW_AND] = A_AND, [RMW_OR] = A_OR, [RMW_XOR] = A_XOR };

static void
finish(struct x86 *x, const struct ins *i, int d)
{
	if (i->ty < I32)
		movzx_rr(&x->a, ty_bits(i->ty), d, d);
	xr_set(x, (ref)x->i, d);
}

/* The result is not wanted: lock op [m], b. */
static int
rmw_noresult(struct x86 *x, const struct ins *i, struct mem m)
{
	int bits = ty_bits(i->ty), op = alu_of[i->v];

	locked(x, 0, (u32)op << 3 | 1, bits, m, xr_use(x, i->b, bits));
	return 1;
}

static int
rmw_add(struct x86 *x, const struct ins *i, struct mem m)
{
	int bits = ty_bits(i->ty), b = xr_use(x, i->b, bits);

	mov_rr(&x->a, bits == 64 ? 64 : 32, RAX, b);
	locked(x, 1, 0xc1, bits, m, RAX);
	finish(x, i, RAX);
	return 1;
}

/* xchg is locked without the prefix, so there are two ways.  When the store faults no register of the guest's has
 * changed. */
static int
rmw_swap(struct x86 *x, const struct ins *i, struct mem m)
{
	int bits = ty_bits(i->ty), b = xr_use(x, i->b, bits);
	u8 *alone = x_unshared(x), *done;

	mov_rr(&x->a, bits == 64 ? 64 : 32, RAX, b);
	modify(x, 0, 0x87, bits, m, RAX);
	done = jmp_8(&x->a);
	rel8_here(&x->a, alone);
	movzx_rm(&x->a, bits, RAX, m);
	mov_mr_n(&x->a, bits, m, b);
	rel8_here(&x->a, done);
	finish(x, i, RAX);
	return 1;
}

/* new = old (rax) op the operand, which is in register b, or in scratch[4] if b < 0 */
static void
new_value(struct x86 *x, const struct ins *i, int new, int b)
{
	static const s8 cc[] = { [RMW_SMIN] = JG, [RMW_SMAX] = JL, [RMW_UMIN] = JA, [RMW_UMAX] = JB };
	int bits = ty_bits(i->ty), w = bits == 64 ? 64 : 32;
	struct mem mb = m_cpu(offsetof(struct cpu, scratch[4]));

	switch (i->v) {
	case RMW_ANDN:
		mov_any(x, w, new, b, mb);
		not_r(&x->a, w, new);
		alu_rr(&x->a, A_AND, w, new, RAX);
		break;
	case RMW_AND: case RMW_OR: case RMW_XOR:
		mov_any(x, w, new, b, mb);
		alu_rr(&x->a, (enum alu)alu_of[i->v], w, new, RAX);
		break;
	default:                       /* the operand has been extended as the comparison needs it */
		if (i->v == RMW_SMIN || i->v == RMW_SMAX)
			movsx_rr(&x->a, bits, w, new, RAX);
		else
			movzx_rr(&x->a, bits, new, RAX);
		if (b >= 0) {
			alu_rr(&x->a, A_CMP, w, new, b);
			cmov_rr(&x->a, cc[i->v], w, new, b);
		} else {
			alu_rm(&x->a, A_CMP, w, new, mb);
			cmov_rm(&x->a, cc[i->v], w, new, mb);
		}
	}
}

static int
rmw_loop(struct x86 *x, const struct ins *i, struct mem m)
{
	int bits = ty_bits(i->ty), b = xr_use(x, i->b, bits), new;
	int signed_ = i->v == RMW_SMIN || i->v == RMW_SMAX;
	u8 *again;

	if (istemp(b) || bits < 32) {
		int t = b;

		if (bits < 32) {       /* extended as new_value compares it */
			t = RAX;
			if (signed_)
				movsx_rr(&x->a, bits, 32, t, b);
			else
				movzx_rr(&x->a, bits, t, b);
		}
		mov_mr(&x->a, 64, m_cpu(offsetof(struct cpu, scratch[4])), t);
		release(x, b, m);
		b = -1;
	}
	new = xr_tmp(x);
	movzx_rm(&x->a, bits, RAX, m);
	again = x->a.p;
	new_value(x, i, new, b);
	locked(x, 1, 0xb1, bits, m, new);
	jcc_to(&x->a, JNE, again);
	finish(x, i, RAX);
	return 1;
}

int
x_rmw(struct x86 *x, const struct ins *i)
{
	struct mem m;

	if (i->aux & AUX_BE || i->ty > I64)
		return 0;
	m = plain_address(x, i, ty_bits(i->ty) / 8);
	if (!x->val[x->i].last && (i->v == RMW_ADD || i->v == RMW_AND || i->v == RMW_OR || i->v == RMW_XOR))
		return rmw_noresult(x, i, m);
	if (i->v == RMW_ADD)
		return rmw_add(x, i, m);
	if (i->v == RMW_XCHG)
		return rmw_swap(x, i, m);
	return rmw_loop(x, i, m);
}

int
x_cas(struct x86 *x, const struct ins *i)
{
	int bits = ty_bits(i->ty), w = bits == 64 ? 64 : 32, new, old;
	struct mem m, mo = {0};

	if (i->aux & AUX_BE || i->ty > I64)
		return 0;
	m = plain_address(x, i, bits / 8);
	if (isk(i->b)) {
		mov_ri(&x->a, RAX, w == 32 ? (u32)kval(x->r, i->b) : kval(x->r, i->b));
	} else {
		old = xr_usem(x, i->b, bits, &mo);
		mov_any(x, w, RAX, old, mo);
		release(x, old, m);
	}
	new = xr_use(x, i->c, bits);
	locked(x, 1, 0xb1, bits, m, new);
	finish(x, i, RAX);
	return 1;
}

/* -- exclusives -- */
int
x_ldx(struct x86 *x, const struct ins *i)
{
	int bits = ty_bits(i->ty), d;
	struct mem m, at;

	if (i->aux & AUX_BE || i->ty > I64)
		return 0;
	m = x_aligned(x, i, bits / 8);
	at = m;
	if (m.base == NOREG || m.disp || x->a32) {
		int t = xr_tmp(x);

		at.a32 = 0;
		lea(&x->a, x->a32 ? 32 : 64, t, at);
		at = mem_at(t, 0);
	}
	mov_mr(&x->a, 64, m_cpu(offsetof(struct cpu, excl_addr)), at.base);
	mov_mi(&x->a, 32, m_cpu(offsetof(struct cpu, excl_size)), bits / 8);
	d = xr_defx(x, (ref)x->i);
	movzx_rm(&x->a, bits, d, at);
	mov_mr(&x->a, 64, m_cpu(offsetof(struct cpu, excl_val)), d);
	return 1;
}

int
x_stx(struct x86 *x, const struct ins *i)
{
	int bits = ty_bits(i->ty), new, t;
	u8 *no, *no2;
	struct mem m;

	if (i->aux & AUX_BE || i->ty > I64)
		return 0;
	m = plain_address(x, i, bits / 8);
	new = xr_use(x, i->b, bits);
	t = m.base;
	if (m.base == NOREG || m.disp || x->a32) {
		t = RAX;
		lea(&x->a, x->a32 ? 32 : 64, t, (struct mem){m.base, m.index, m.scale, 0, m.disp});
	}
	alu_rm(&x->a, A_CMP, 64, t, m_cpu(offsetof(struct cpu, excl_addr)));
	no = jcc_8(&x->a, JNE);
	alu_mi(&x->a, A_CMP, 32, m_cpu(offsetof(struct cpu, excl_size)), bits / 8);
	no2 = jcc_8(&x->a, JNE);
	mov_rm(&x->a, 64, RAX, m_cpu(offsetof(struct cpu, excl_val)));
	locked(x, 1, 0xb1, bits, m, new);
	rel8_here(&x->a, no);
	rel8_here(&x->a, no2);
	setcc_r(&x->a, JNE, RAX);
	movzx_rr(&x->a, 8, RAX, RAX);
	mov_mi(&x->a, 64, m_cpu(offsetof(struct cpu, excl_addr)), -1);
	xr_set(x, (ref)x->i, RAX);
	return 1;
}

int
x_clrex(struct x86 *x, const struct ins *i)
{
	(void)i;
	mov_mi(&x->a, 64, m_cpu(offsetof(struct cpu, excl_addr)), -1);
	return 1;
}
