/* SPDX-License-Identifier: MIT */
/* vecsha.c - SHA-1 and SHA-256 with the host's SHA extension, or in C
 *
 * The extension's instructions have neither VEX nor EVEX forms: registers are xmm0-15, the first
 * operand is also the result, and sha256rnds2 takes its words from xmm0. */
#include "backend/x86_64/vec.h"

/* -- without the extension: functions that x_plain() calls (FIPS 180-4) -- */
#define PLAIN __attribute__((target("general-regs-only")))

static PLAIN u32 ror(u32 v, int n) { return v >> n | v << (32 - n); }
static PLAIN u32 choose(u32 x, u32 y, u32 z) { return ((y ^ z) & x) ^ z; }
static PLAIN u32 majority(u32 x, u32 y, u32 z) { return (x & y) | ((x | y) & z); }
static PLAIN u32 *words(struct cpu *cpu, int n) { return (u32 *)(void *)cpu->vspill[NVSLOT + n]; }

static PLAIN u64
plain_sha1(struct cpu *cpu, u64 how, u64 b, u64 c)
{
	const u32 *x = words(cpu, 0), *w = words(cpu, 2);
	u32 *out = words(cpu, 3), A = x[0], B = x[1], C = x[2], D = x[3], E = words(cpu, 1)[0];

	(void)b, (void)c;
	for (int n = 0; n < 4; n++) {
		u32 f = how == 0 ? choose(B, C, D) : how == 1 ? B ^ C ^ D : majority(B, C, D);
		u32 next = E + ror(A, 27) + f + w[n];

		E = D, D = C, C = ror(B, 2), B = A, A = next;
	}
	out[0] = A, out[1] = B, out[2] = C, out[3] = D;
	return 0;
}

static PLAIN u64
plain_sha256(struct cpu *cpu, u64 second, u64 b, u64 c)
{
	const u32 *x = words(cpu, 0), *y = words(cpu, 1), *w = words(cpu, 2);
	u32 *out = words(cpu, 3), A = x[0], B = x[1], C = x[2], D = x[3];
	u32 E = y[0], F = y[1], G = y[2], H = y[3];

	(void)b, (void)c;
	for (int n = 0; n < 4; n++) {
		u32 t1 = H + (ror(E, 6) ^ ror(E, 11) ^ ror(E, 25)) + choose(E, F, G) + w[n];
		u32 t2 = (ror(A, 2) ^ ror(A, 13) ^ ror(A, 22)) + majority(A, B, C);

		H = G, G = F, F = E, E = D + t1;
		D = C, C = B, B = A, A = t1 + t2;
	}
	if (second)
		out[0] = E, out[1] = F, out[2] = G, out[3] = H;
	else
		out[0] = A, out[1] = B, out[2] = C, out[3] = D;
	return 0;
}

static PLAIN u64
plain_sha256r2(struct cpu *cpu, u64 upper, u64 b, u64 c)
{
	const u32 *y = words(cpu, 0), *x = words(cpu, 1), *w = words(cpu, 2) + (upper ? 2 : 0);
	u32 *out = words(cpu, 3), A = x[3], B = x[2], C = y[3], D = y[2], E = x[1], F = x[0], G = y[1], H = y[0];

	(void)b, (void)c;
	for (int n = 0; n < 2; n++) {
		u32 t1 = H + (ror(E, 6) ^ ror(E, 11) ^ ror(E, 25)) + choose(E, F, G) + w[n];
		u32 t2 = (ror(A, 2) ^ ror(A, 13) ^ ror(A, 22)) + majority(A, B, C);

		H = G, G = F, F = E, E = D + t1;
		D = C, C = B, B = A, A = t1 + t2;
	}
	out[3] = A, out[2] = B, out[1] = E, out[0] = F;
	return 0;
}

static PLAIN u64
plain_su0(struct cpu *cpu, u64 a, u64 b, u64 c)
{
	const u32 *x = words(cpu, 0), *y = words(cpu, 1);
	u32 *out = words(cpu, 3);

	(void)a, (void)b, (void)c;
	for (int n = 0; n < 4; n++) {
		u32 w = n < 3 ? x[n + 1] : y[0];

		out[n] = x[n] + (ror(w, 7) ^ ror(w, 18) ^ w >> 3);
	}
	return 0;
}

static PLAIN u64
plain_su1(struct cpu *cpu, u64 a, u64 b, u64 c)
{
	const u32 *x = words(cpu, 0), *y = words(cpu, 1);
	u32 *out = words(cpu, 3);

	(void)a, (void)b, (void)c;
	for (int n = 0; n < 4; n++) {
		u32 w = n < 2 ? y[n + 2] : out[n - 2];

		out[n] = x[n] + (ror(w, 17) ^ ror(w, 19) ^ w >> 10);
	}
	return 0;
}

/* -- with it -- */

enum { SHA256RNDS2 = 0xcb, SHA256MSG1 = 0xcc, SHA256MSG2 = 0xcd };

/* 0F 38 op: d = op(d, s) */
static void
sha(struct code *c, u32 op, int d, int s)
{
	rex_r(c, 32, d, s);
	put1(c, 0x0f);
	put1(c, 0x38);
	put1(c, op);
	modrm_r(c, d, s);
}

/* Vector temporaries that operand t will take. */
static int
takes(const struct x86 *x, ref t)
{
	const struct val *v = xval(x, t);

	if (isk(t))
		return 1;
	if (v->reg >= 0)
		return v->reg < x86_nvtemp;
	return v->var == NOVAR || x86_home[v->var].reg < 0;
}

/* Whether the operands leave n temporaries. */
static int
leave(const struct x86 *x, const struct ins *i, int n)
{
	return takes(x, i->a) + takes(x, i->b) + takes(x, i->c) + n <= x86_nvtemp;
}

/* sha1rnds4 has the words in reverse order, E added to the first word, and adds the constants of
 * the rounds itself, which the guest has added already. */
int
ev_sha1(struct x86 *x, const struct ins *i)
{
	static const u32 constant[] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc};
	enum { REVERSE = 0x1b };
	struct code *c = &x->a;

	int room = xv_defisfree(x, (ref)x->i) || leave(x, i, 3);

	if (!x86feat.sha)
		return x_plain(x, i, plain_sha1);
	int a = xv_use(x, i->a), b = xv_use(x, i->b), w = xv_use(x, i->c), t = xv_tmp(x), u = xv_tmp(x);
	int d = room ? xv_def(x, (ref)x->i) : u;

	vshdq(c, 1, t, b, 12);
	v2i(c, V_PSHUFD, u, w, REVERSE);
	v3(c, V_PADDD, t, t, u);
	v3m(c, V_PSUBD, t, t, xv_const(rep(constant[i->v], 32), rep(constant[i->v], 32)));
	v2i(c, V_PSHUFD, u, a, REVERSE);
	rex_r(c, 32, u, t);            /* sha1rnds4 u, t, v */
	put2(c, 0x3a0f);
	put1(c, 0xcc);
	modrm_r(c, u, t);
	put1(c, i->v);
	v2i(c, V_PSHUFD, d, u, REVERSE);
	if (!room)
		xv_set(x, (ref)x->i, d);
	return 1;
}

/* The instruction that makes the other half of what i does, if only puts of other values come before it, or 0.
 * Operands that it would use last are not kept for it. */
static ref
otherhalf(struct x86 *x, const struct ins *i)
{
	const ref o[3] = {i->a, i->b, i->c};
	const struct ins *h;
	int end = x->b->first + x->b->n, k = x->i;

	do {
		if (++k == end)
			return 0;
		h = &x->r->ins[k];
	} while (h->op == O_insn || h->op == O_nop || (h->op == O_put && h->a != i->a && h->a != i->b && h->a != i->c));
	if (h->op != i->op || h->v == i->v || h->a != i->a || h->b != i->b || h->c != i->c || x->val[k].flags & VAL_DEAD)
		return 0;
	for (int n = 0; n < 3; n++)
		if (!isk(o[n]) && x->val[o[n]].last == k)
			x->val[o[n]].last = (u16)x->i;
	x->val[k].flags |= VAL_PAIRED;
	return (ref)k;
}

/* sha256rnds2 has A B E F in one register, C D G H in the other, from the top down, and makes of
 * the second the first of two rounds later; what was the first is then the second.  From these come both halves. */
int
ev_sha256(struct x86 *x, const struct ins *i)
{
	enum { FEBA = 0x11, HGDC = 0xbb, UPPER = 0xee };
	struct mem save = m_cpu(offsetof(struct cpu, scratch));
	struct code *c = &x->a;

	/* two scratch registers and xmm0 are taken */
	int room = xv_defisfree(x, (ref)x->i) || leave(x, i, 4);

	if (!x86feat.sha || !leave(x, i, 3))
		return x_plain(x, i, plain_sha256);
	int a = xv_use(x, i->a), b = xv_use(x, i->b), w = xv_use(x, i->c), used = x->in[1][0] != 0;
	ref other = room || !used ? otherhalf(x, i) : 0;
	x->lock[1] |= 1;               /* xmm0 must be neither of these */
	int s = xv_tmp(x), r = xv_tmp(x), d = room ? xv_def(x, (ref)x->i) : s;

	v3i(c, V_SHUFPS, s, b, a, FEBA);
	v3i(c, V_SHUFPS, r, b, a, HGDC);
	if (used)
		v2m(c, V_MOVUPS_ST, 0, save);
	vmov(c, 0, w);
	sha(c, SHA256RNDS2, r, s);
	v2i(c, V_PSHUFD, 0, 0, UPPER);
	sha(c, SHA256RNDS2, s, r);
	if (used)
		v2m(c, V_MOVUPS, 0, save);
	if (other && !room)
		v3i(c, V_SHUFPS, 0, s, r, i->v ? HGDC : FEBA);
	v3i(c, V_SHUFPS, d, s, r, i->v ? FEBA : HGDC);
	if (!room)
		xv_set(x, (ref)x->i, d);
	if (other && room)
		v3i(c, V_SHUFPS, r, s, r, i->v ? HGDC : FEBA);
	else if (other)
		vmov(c, r, 0);
	if (other)
		xv_set(x, other, r);
	return 1;
}

/* The host's instruction, but for where the words are. */
int
ev_sha256r2(struct x86 *x, const struct ins *i)
{
	enum { UPPER = 0xee };
	struct mem save = m_cpu(offsetof(struct cpu, scratch));
	struct code *c = &x->a;

	if (!x86feat.sha || !leave(x, i, 3))
		return x_plain(x, i, plain_sha256r2);
	int a = xv_use(x, i->a), b = xv_use(x, i->b), w = xv_use(x, i->c), used = x->in[1][0] != 0;
	x->lock[1] |= 1;               /* xmm0 must be neither of these */
	int s = xv_tmp(x), r = xv_tmp(x);

	vmov(c, r, a);
	vmov(c, s, b);
	if (used)
		v2m(c, V_MOVUPS_ST, 0, save);
	if (i->v)
		v2i(c, V_PSHUFD, 0, w, UPPER);
	else
		vmov(c, 0, w);
	sha(c, SHA256RNDS2, r, s);
	if (used)
		v2m(c, V_MOVUPS, 0, save);
	xv_set(x, (ref)x->i, r);
	return 1;
}

int
ev_sha256su(struct x86 *x, const struct ins *i)
{
	if (!x86feat.sha)
		return x_plain(x, i, i->op == O_sha256su0 ? plain_su0 : plain_su1);
	int b = xv_low(x, i->b), t = xv_copy(x, i->a), d = xv_def(x, (ref)x->i);

	sha(&x->a, i->op == O_sha256su0 ? SHA256MSG1 : SHA256MSG2, t, b);
	vmov(&x->a, d, t);
	return 1;
}
