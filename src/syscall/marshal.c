/* SPDX-License-Identifier: MIT */
/* marshal.c - the arguments of one call: from registers to the host's call and back
 *
 * Under the usual ABI (64 bits, the host's byte order, base 0) nearly every argument is passed as
 * it is; plan_of() finds out once per line which are, and a line of nothing else costs one test.
 * What must be converted gets a buffer in `struct work` (or the heap, for arrays).
 *
 * Before the kernel writes into guest memory the code cache is told (unprotect): a page that is
 * read-only on the host only because it holds translated code would answer EFAULT. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/uio.h>
#include "base/gmem.h"
#include "base/util.h"
#include "syscall/layout.h"
#include "syscall/path.h"

enum norm { N_WORD, N_S32, N_U32, N_SLONG, N_PAIR };
enum op {
	P_PASS,                        /* the value itself */
	P_PTR,                         /* a guest address: add the base */
	P_FLAGS, P_SIG,                /* converted by value */
	P_OUTBUF, P_OUTVEC,            /* guest memory, to be made writable */
	P_OUTSAME,                     /* a struct of equal layout, to be made writable */
	P_DIRECT = P_OUTSAME,          /* up to here no memory of ours is needed */
	P_PATH, P_PATHN, P_PATHC,
	P_VEC,                         /* iovec of another layout or base */
	P_IN, P_OUT, P_IO,             /* a struct of another layout */
	P_INA, P_OUTA, P_IOA,
	P_SAIN, P_SAOUT,               /* socket address: the family's byte order, a path */
};

/* -- how, worked out once -- */
static enum norm
norm_of(const struct linux_abi *abi, const struct arg *g)
{
	int narrow = abi->model.word == 4;

	switch (g->kind) {
	case A_INT: case A_FD: case A_AT: case A_PID: case A_SIG:
		return N_S32;
	case A_UINT: case A_OCT:
		return N_U32;
	case A_LONG: case A_OFF:
		return narrow ? N_SLONG : N_WORD;
	case A_OFF64:
		return narrow ? N_PAIR : N_WORD;
	default:
		return N_WORD;
	}
}

static int
vec_same(const struct linux_abi *abi)
{
	return gmem.base == 0 && layout_same(abi, S_iovec);
}

static enum op
op_struct(const struct linux_abi *abi, const struct arg *g)
{
	if (!layout_same(abi, g->x))
		return P_IN + (g->kind - A_IN);
	return g->kind == A_IN || g->kind == A_INA ? P_PTR : P_OUTSAME;
}

static enum op
op_of(const struct linux_abi *abi, const struct arg *g)
{
	switch (g->kind) {
	case A_FLAGS:  return flags_differ(abi, g->x) ? P_FLAGS : P_PASS;
	case A_SIG:    return abi->signo ? P_SIG : P_PASS;
	case A_PATH:   return P_PATH;
	case A_PATHN:  return P_PATHN;
	case A_PATHC:  return P_PATHC;
	case A_OUTBUF: case A_OUTBIN: return P_OUTBUF;
	case A_INVEC:  case A_INVECA: return vec_same(abi) ? P_PTR : P_VEC;
	case A_OUTVEC: return vec_same(abi) ? P_OUTVEC : P_VEC;
	case A_IN: case A_OUT: case A_IO: case A_INA: case A_OUTA: case A_IOA:
		return op_struct(abi, g);
	case A_SAIN:   return abi->model.big || gmem.base ? P_SAIN : P_PTR;
	case A_SAOUT: case A_OPTOUT: return P_SAOUT;
	case A_PTR: case A_STR: case A_INBUF: case A_INBIN: case A_OPTIN:
		return P_PTR;
	default:
		return P_PASS;
	}
}
_Static_assert(A_IO - A_IN == P_IO - P_IN && A_IOA - A_IN == P_IOA - P_IN, "op_struct");

static __attribute__((noinline)) const struct plan *
make_plan(const struct linux_abi *abi, enum sysline line, struct plan *p)
{
	const struct sysline_row *s = &systab[line];
	int plain = 1, direct = 1, n = 0;

	for (; n < 6 && s->arg[n].kind; n++) {
		enum op op = op_of(abi, &s->arg[n]);
		if (op == P_PTR && gmem.base == 0)
			op = P_PASS;
		p->norm[n] = norm_of(abi, &s->arg[n]);
		p->op[n] = op;
		plain &= op == P_PASS;
		direct &= op <= P_DIRECT;
		p->conv |= op == P_FLAGS || op == P_SIG;
	}
	p->nargs = (u8)n;
	p->plain = plain && s->host >= 0 && !sysfns[line];
	p->direct = (u8)direct;
	__atomic_store_n(&p->ready, 1, __ATOMIC_RELEASE);
	return p;
}

const struct plan *
plan_of(const struct linux_abi *abi, enum sysline line)
{
	struct plan *p = known_plan(abi, line);

	return __atomic_load_n(&p->ready, __ATOMIC_ACQUIRE) ? p : make_plan(abi, line, p);
}

/* -- registers to values: the only place that knows of register pairs -- */
static void
fetch_narrow(struct call *c)
{
	const struct linux_abi *abi = c->abi;
	const struct reg *reg = c->cpu->guest->reg;
	const struct plan *p = c->plan;
	int r = 0;

	for (int i = 0; i < p->nargs; i++) {
		u64 w = r < abi->nargs ? (u32)ld64(c->cpu->state + reg[abi->arg[r]].off) : 0;
		switch (p->norm[i]) {
		case N_S32: case N_SLONG:
			w = (u64)(s64)(s32)w;
			break;
		case N_U32:
			w = (u32)w;
			break;
		case N_PAIR: {
			u32 a, b;
			r += abi->model.evenpairs & r & 1;
			a = (u32)ld64(c->cpu->state + reg[abi->arg[r]].off);
			b = (u32)ld64(c->cpu->state + reg[abi->arg[r + 1]].off);
			w = abi->model.big ? (u64)a << 32 | b : (u64)b << 32 | a;
			r++;
			break;
		}
		}
		c->v[i] = w;
		r++;
	}
}

/* c->v is zero. */
void
call_fetch(struct call *c)
{
	const struct linux_abi *abi = c->abi;
	const struct reg *reg = c->cpu->guest->reg;
	const struct plan *p = c->plan;

	if (abi->model.word == 4) {
		fetch_narrow(c);
		return;
	}
	for (int i = 0; i < p->nargs && i < abi->nargs; i++) {
		u64 w = ld64(c->cpu->state + reg[abi->arg[i]].off);

		c->v[i] = p->norm[i] == N_S32 ? (u64)(s64)(s32)w : p->norm[i] == N_U32 ? (u32)w : w;
	}
}

void
call_args(const struct call *c, u64 *a)
{
	const struct arg *g = systab[c->line].arg;

	memcpy(a, c->v, sizeof c->v);
	for (int i = 0; c->plan->conv && i < c->plan->nargs; i++) {
		if (c->plan->op[i] == P_FLAGS)
			a[i] = flags_convert(c->abi, g[i].x, a[i], 1);
		if (c->plan->op[i] == P_SIG)
			a[i] = (u64)(s64)abi_sig2host(c->abi, (int)a[i]);
	}
}

/* -- conversion of one call -- */
struct work {
	const struct call *c;
	u64 h[6];
	void *heap[6];                 /* freed at the end */
	u8 *mem[6];                    /* host copy of a struct, array or address */
	u32 n[6];                      /* elements, or bytes of an address buffer */
	int npath;
	_Alignas(16) u8 small[3][LAYOUT_MAX];
	int nsmall;
	char path[2][PATH_SIZE];
};

static void
writable(gaddr a, u64 n)
{
	if (gmem_watch && n)
		gmem_watch->unprotect(a, n > INT_MAX ? INT_MAX : n);
}

static void *
work_mem(struct work *w, int i, size_t n)
{
	if (n <= LAYOUT_MAX && w->nsmall < (int)NELEM(w->small))
		return w->mem[i] = w->small[w->nsmall++];
	return w->mem[i] = w->heap[i] = xmalloc(n);
}

static s64
work_path(struct work *w, int i, int flags)
{
	const struct arg *g = systab[w->c->line].arg;
	int dirfd = -100;              /* AT_FDCWD */
	const char *out;
	int r;

	for (int k = 0; k < i; k++)
		if (g[k].kind == A_AT)
			dirfd = (int)w->c->v[k];
	assert(w->npath < 2);
	if (!w->c->v[i]) {
		w->h[i] = 0;           /* utimensat and others accept no name */
		return 0;
	}
	r = path_guest(w->c->v[i], dirfd, flags, w->path[w->npath], &out);
	if (r)
		return r;
	w->npath += out == w->path[w->npath];
	w->h[i] = (u64)out;
	return 0;
}

static s64
work_vec(struct work *w, int i, int addresses)
{
	const struct linux_abi *abi = w->c->abi;
	u64 n = w->c->v[systab[w->c->line].arg[i].len - 1], word = abi->model.word;
	struct iovec *iov;

	if (n > IOV_MAX)
		return -EINVAL;
	iov = work_mem(w, i, (n + 1) * sizeof *iov);
	for (u64 k = 0; k < n; k++) {
		u64 base, len;
		if (abi_word(abi, w->c->v[i] + 2 * k * word, &base) ||
		    abi_word(abi, w->c->v[i] + (2 * k + 1) * word, &len))
			return -EFAULT;
		iov[k].iov_base = addresses ? (void *)base : g2h(base);
		iov[k].iov_len = len;
	}
	w->h[i] = (u64)iov;
	return 0;
}

static void
vec_writable(gaddr a, u64 n)
{
	struct iovec iov;

	for (u64 k = 0; gmem_watch && k < n && k < IOV_MAX; k++) {
		if (gmem_read(&iov, a + k * sizeof iov, sizeof iov))
			return;
		writable((gaddr)iov.iov_base, iov.iov_len);
	}
}

/* An array argument's count: what the caller says it is, within reason. */
static s64
count(const struct call *c, int i)
{
	int len = systab[c->line].arg[i].len;
	s64 n = len ? (s64)c->v[len - 1] : 1;

	return n < 0 || n > 1 << 20 ? -EINVAL : n;
}

static s64
work_struct(struct work *w, int i, enum op op)
{
	const struct linux_abi *abi = w->c->abi;
	enum layout l = systab[w->c->line].arg[i].x;
	s64 n = count(w->c, i);
	size_t hsize = abi_hostsize(l), gsize = abi_size(abi, l);

	w->h[i] = 0;
	if (!w->c->v[i])
		return 0;
	if (n < 0)
		return n;
	w->n[i] = (u32)n;
	w->h[i] = (u64)work_mem(w, i, (size_t)(n + 1) * hsize);
	if (op == P_OUT || op == P_OUTA)
		return 0;
	for (s64 k = 0; k < n; k++)
		if (abi_in(abi, l, w->mem[i] + (size_t)k * hsize, w->c->v[i] + (size_t)k * gsize))
			return -EFAULT;
	return 0;
}

/* The address family is a number of two bytes; all the rest is in network order or bytes. */
static s64
work_sain(struct work *w, int i)
{
	const struct linux_abi *abi = w->c->abi;
	u64 n = w->c->v[systab[w->c->line].arg[i].len - 1];
	u8 *p;

	w->h[i] = 0;
	if (!w->c->v[i])
		return 0;
	if (n > 128)
		return -EINVAL;
	p = work_mem(w, i, 128);
	if (gmem_read(p, w->c->v[i], n))
		return -EFAULT;
	if (n >= 2)
		st16(p, (u16)ldn(p, 2, abi->model.big));
	w->h[i] = (u64)p;
	return 0;
}

static s64
work_saout(struct work *w, int i)
{
	u8 len[4];

	w->h[i] = 0;
	if (!w->c->v[i])
		return 0;
	if (gmem_read(len, w->c->v[systab[w->c->line].arg[i].len - 1], 4))
		return -EFAULT;
	w->n[i] = (u32)ldn(len, 4, w->c->abi->model.big);
	if (gmem.base == 0 && !w->c->abi->model.big) {
		writable(w->c->v[i], w->n[i]);
		w->h[i] = w->c->v[i];
		return 0;
	}
	w->n[i] = w->n[i] > 128 ? 128 : w->n[i];
	w->h[i] = (u64)work_mem(w, i, 128);
	return 0;
}

/* An argument that needs no memory of ours. */
static u64
direct(const struct call *c, int i)
{
	const struct arg *g = &systab[c->line].arg[i];
	u64 v = c->v[i];
	s64 n;

	switch (c->plan->op[i]) {
	case P_FLAGS:
		return flags_convert(c->abi, g->x, v, 1);
	case P_SIG:
		return (u64)(s64)abi_sig2host(c->abi, (int)v);
	case P_OUTVEC:
		vec_writable(v, c->v[g->len - 1]);
		return v;
	case P_OUTBUF:
		writable(v, c->v[g->len - 1]);
		break;
	case P_OUTSAME:
		n = count(c, i);
		writable(v, v && n > 0 ? abi_size(c->abi, g->x) * (u64)n : 0);
		break;
	case P_PASS:
		return v;
	}
	return v ? (u64)g2h(v) : 0;
}

static s64
work_in(struct work *w, int i)
{
	const struct arg *g = &systab[w->c->line].arg[i];
	enum op op = w->c->plan->op[i];

	if (op <= P_DIRECT) {
		w->h[i] = direct(w->c, i);
		return 0;
	}
	switch (op) {
	case P_PATH:
		return work_path(w, i, 0);
	case P_PATHN:
		return work_path(w, i, PATH_NOFOLLOW);
	case P_PATHC:
		return work_path(w, i, PATH_NOFOLLOW | PATH_CREATE);
	case P_VEC:
		return work_vec(w, i, g->kind == A_INVECA);
	case P_SAIN:
		return work_sain(w, i);
	case P_SAOUT:
		return work_saout(w, i);
	default:
		return work_struct(w, i, op);
	}
}

static s64
work_out(struct work *w, int i, s64 r)
{
	const struct linux_abi *abi = w->c->abi;
	enum layout l = systab[w->c->line].arg[i].x;
	enum op op = w->c->plan->op[i];
	u32 n = w->n[i];

	if (!w->mem[i])
		return 0;
	if (op == P_SAOUT) {
		if (w->n[i] >= 2)
			stn(w->mem[i], 2, abi->model.big, ld16(w->mem[i]));
		return gmem_write(w->c->v[i], w->mem[i], w->n[i]);
	}
	if (op != P_OUT && op != P_IO && op != P_OUTA && op != P_IOA)
		return 0;
	if (op == P_OUTA && r < n)
		n = (u32)r;            /* as many as the call says it wrote */
	for (u32 k = 0; k < n; k++)
		if (abi_out(abi, l, w->c->v[i] + k * abi_size(abi, l), w->mem[i] + k * abi_hostsize(l)))
			return -EFAULT;
	return 0;
}

static __attribute__((noinline)) s64
call_convert(struct call *c)
{
	struct work w;
	s64 r = 0;

	w.c = c;
	w.npath = w.nsmall = 0;
	memset(w.heap, 0, sizeof w.heap);
	memset(w.mem, 0, sizeof w.mem);
	memset(w.h, 0, sizeof w.h);
	for (int i = 0; i < c->plan->nargs && r >= 0; i++)
		r = work_in(&w, i);
	if (r >= 0)
		r = host_syscall(c->cpu, systab[c->line].host, w.h[0], w.h[1], w.h[2], w.h[3], w.h[4], w.h[5]);
	for (int i = 0; i < c->plan->nargs && r >= 0; i++) {
		s64 e = work_out(&w, i, r);
		r = e < 0 ? e : r;
	}
	for (int i = 0; i < 6; i++)
		free(w.heap[i]);
	return r;
}

s64
call_host(struct call *c)
{
	u64 h[6];

	if (!c->plan->direct)
		return call_convert(c);
	for (int i = 0; i < 6; i++)
		h[i] = i < c->plan->nargs ? direct(c, i) : 0;
	return host_syscall(c->cpu, systab[c->line].host, h[0], h[1], h[2], h[3], h[4], h[5]);
}
