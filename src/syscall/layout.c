/* SPDX-License-Identifier: MIT */
/* layout.c - structs and flag words under an ABI: offsets, equality, conversion
 *
 * A struct of one ABI becomes that of another by matching members by name, so two lines of
 * linux.abi with different orders convert into each other.  What has been worked out for an ABI is
 * kept for ever: a process has one guest ABI, tests have a handful.  Two threads may work out the
 * same thing; one of the results is leaked, which is cheaper than a lock on every call. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include "base/gmem.h"
#include "base/util.h"
#include "syscall/layout.h"

/* -- the host as an ABI -- : where hosts differ the C headers say how */
static const struct layoutover hostlayouts[] = {
	{ S_stat, offsetof(struct stat, st_nlink) == 16 ? S_stat_amd64 : S_stat },
	{ S_epoll_event, sizeof(struct epoll_event) == 12 ? S_epoll_event_packed : S_epoll_event },
	{ S_semid_ds, offsetof(struct semid_ds, sem_ctime) == 64 ? S_semid_ds_amd64 : S_semid_ds },
	{ S_sigaction, S_sigaction_restorer },
};
static const struct flagover hostflags[] = {
	{ FI_open_O_DIRECT, O_DIRECT, O_DIRECT },
	{ FI_newfd_O_DIRECT, O_DIRECT, O_DIRECT },
	{ FI_open_O_DIRECTORY, O_DIRECTORY, O_DIRECTORY },
	{ FI_open_O_NOFOLLOW, O_NOFOLLOW, O_NOFOLLOW },
	{ FI_open_O_TMPFILE, O_TMPFILE, O_TMPFILE },
};
const struct linux_abi abi_host = {
	.machine = "host",
	.model = { sizeof(long), __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, _Alignof(u64), 0 },
	.layouts = hostlayouts, .nlayouts = NELEM(hostlayouts),
	.flags = hostflags, .nflags = NELEM(hostflags),
};

/* -- what has been worked out -- */
struct known {
	const struct linux_abi *abi;
	struct known *next;
	_Atomic(struct shape *) shape[S_COUNT];
	_Atomic(struct copy *) in[S_COUNT], out[S_COUNT];
	_Atomic u8 differ[X_COUNT];    /* 0 unknown, 1 equal to the host's, 2 not */
	_Atomic(struct flagmap *) map[X_COUNT][2];     /* from the host, to it */
	struct plan plan[L_COUNT];
};
static _Atomic(struct known *) knowns;

static __attribute__((noinline)) struct known *
newknown(const struct linux_abi *abi)
{
	static struct known room ROOMY;        /* most often there is no other than the guest's; mostly empty */
	static _Atomic u32 nroom;
	struct known *k, *head = atomic_load_explicit(&knowns, memory_order_acquire);

	for (k = head; k; k = k->next)
		if (k->abi == abi)
			return k;
	k = atomic_fetch_add(&nroom, 1) ? xmalloc(sizeof *k) : &room;
	k->abi = abi;
	k->next = head;
	/* a second thread that adds the same ABI meanwhile only doubles the work */
	while (!atomic_compare_exchange_weak(&knowns, &k->next, k))
		;
	return k;
}

static struct known *
known_of(const struct linux_abi *abi)
{
	static struct known host ROOMY;
	struct known *k = atomic_load_explicit(&knowns, memory_order_acquire);

	if (k && k->abi == abi)
		return k;
	return abi == &abi_host ? &host : newknown(abi);
}

struct plan *
known_plan(const struct linux_abi *abi, enum sysline l)
{
	return &known_of(abi)->plan[l];
}

/* -- offsets -- */
static const u8 fixedsize[MT_COUNT] = {
	[MT_s8] = 1, [MT_u8] = 1, [MT_s16] = 2, [MT_u16] = 2, [MT_s32] = 4, [MT_u32] = 4, [MT_s64] = 8,
	[MT_u64] = 8, [MT_mode] = 4, [MT_mode16] = 2, [MT_oct64] = 8, [MT_x16] = 2, [MT_x32] = 4,
	[MT_x64] = 8, [MT_char] = 1, [MT_be32] = 4, [MT_p8] = 1,
};

static int
issigned(enum mty t)
{
	return t == MT_s8 || t == MT_s16 || t == MT_s32 || t == MT_s64 || t == MT_slong || t == MT_time;
}

static enum layout
layout_as(const struct linux_abi *abi, enum layout l)
{
	for (int i = 0; i < abi->nlayouts; i++)
		if (abi->layouts[i].layout == l)
			return abi->layouts[i].as;
	return l;
}

const struct shape *
shape_of(const struct linux_abi *abi, enum layout l)
{
	struct known *k = known_of(abi);
	struct shape *s = atomic_load_explicit(&k->shape[l], memory_order_acquire);
	const struct layoutrow *r;
	enum layout as;
	u32 off = 0;

	assert(l > S_none && l < S_COUNT);
	if (s)
		return s;
	as = layout_as(abi, l);
	assert(as < S_COUNT);
	r = &layouts[as];
	s = xmalloc(sizeof *s + r->n * sizeof *s->at);
	s->n = r->n;
	s->as = as;
	s->align = 1;
	for (int i = 0; i < r->n; i++) {
		const struct member *m = &r->m[i];
		u32 size = fixedsize[m->type], align;
		if (m->type == MT_struct) {
			const struct shape *sub = shape_of(abi, m->sub);
			size = sub->size;
			align = sub->align;
		} else {
			size = size ? size : abi->model.word;
			align = size < abi->model.maxalign ? size : abi->model.maxalign;
		}
		if (r->packed)
			align = 1;
		s->align = align > s->align ? align : s->align;
		off = (u32)alignup(off, align);
		s->at[i] = (struct place){ off, size };
		off += size * m->count;
	}
	s->size = (u32)alignup(off, s->align);
	atomic_store_explicit(&k->shape[l], s, memory_order_release);
	return s;
}

size_t
abi_size(const struct linux_abi *abi, enum layout l)
{
	return shape_of(abi, l)->size;
}

size_t
abi_hostsize(enum layout l)
{
	return shape_of(&abi_host, l)->size;
}

/* -- flags -- */
static int
compare_set(const struct linux_abi *abi, enum flagset x)
{
	int i, end;

	for (flags_range(x, &i, &end); i < end; i++) {
		struct flag g = flag_value(abi, i), h = flag_value(&abi_host, i);
		if (g.value != h.value || g.mask != h.mask)
			return 2;
	}
	return 1;
}

int
flags_differ(const struct linux_abi *abi, enum flagset x)
{
	_Atomic u8 *d = &known_of(abi)->differ[x];

	if (!*d)
		*d = (u8)compare_set(abi, x);
	return *d == 2;
}

/* A set's lines, side by side.  A word that has none of the bits `touched` is the same in both ABIs. */
struct flagmap { enum setkind kind; int n; u64 touched; struct flagpair { struct flag from; u64 to; } pair[]; };

static const struct flagmap *
map_of(const struct linux_abi *abi, enum flagset x, int tohost)
{
	_Atomic(struct flagmap *) *at = &known_of(abi)->map[x][tohost];
	const struct linux_abi *from = tohost ? abi : &abi_host, *to = tohost ? &abi_host : abi;
	struct flagmap *m = atomic_load_explicit(at, memory_order_acquire);
	int i, end;
	enum setkind kind;

	if (m)
		return m;
	kind = flags_range(x, &i, &end);
	m = xmalloc(sizeof *m + (size_t)(end - i) * sizeof *m->pair);
	m->kind = kind;
	for (; i < end; i++) {
		struct flag f = flag_value(from, i), t = flag_value(to, i);

		m->pair[m->n++] = (struct flagpair){ f, t.value };
		if (f.value != t.value || f.mask != t.mask)
			m->touched |= kind == K_BITS && f.value ? f.mask : ~(u64)0;
	}
	atomic_store_explicit(at, m, memory_order_release);
	return m;
}

/* A bit that no line names is passed as it is: the kernel refuses it or knows better. */
u64
flags_convert(const struct linux_abi *abi, enum flagset x, u64 v, int tohost)
{
	const struct flagmap *m = map_of(abi, x, tohost);
	u64 left = v, out = 0;

	if (!(v & m->touched) && ~m->touched)
		return v;
	for (const struct flagpair *p = m->pair; p < m->pair + m->n; p++) {
		if (m->kind == K_VALUE && p->from.value == v)
			return p->to;
		if (m->kind == K_BITS && (left & p->from.mask) == p->from.value && p->from.mask) {
			out |= p->to;
			left &= ~p->from.mask;
		}
	}
	return out | left;
}

/* -- signals and errors -- */
int
abi_sig2host(const struct linux_abi *abi, int sig)
{
	return abi->signo && sig > 0 && sig <= 64 ? abi->signo[sig] : sig;
}

int
abi_sig2guest(const struct linux_abi *abi, int sig)
{
	for (int i = 1; abi->signo && i <= 64; i++)
		if (abi->signo[i] == sig)
			return i;
	return sig;
}

static u64
mask_convert(const struct linux_abi *abi, u64 mask, int (*f)(const struct linux_abi *, int))
{
	u64 out = 0;

	if (!abi->signo)
		return mask;
	for (int i = 1; i <= 64; i++)
		if (mask >> (i - 1) & 1)
			out |= (u64)1 << (f(abi, i) - 1);
	return out;
}

u64
abi_mask2host(const struct linux_abi *abi, u64 mask)
{
	return mask_convert(abi, mask, abi_sig2host);
}

u64
abi_mask2guest(const struct linux_abi *abi, u64 mask)
{
	return mask_convert(abi, mask, abi_sig2guest);
}

/* -- structs from one ABI to the other -- */
enum { CV_NUM, CV_FLAGS, CV_MASK, CV_SIG, CV_RAW, CV_8TO8, CV_4TO4, CV_8TO4, CV_4TO8 };

struct step { u32 d, s; u8 dn, sn, how, sign; u16 set, count; };
struct copy { int same, n, cap; u32 dsize, ssize; struct step *step; };

static u8
step_how(const struct member *m)
{
	if (m->type == MT_char || m->type == MT_p8 || m->type == MT_be32)
		return CV_RAW;
	if (m->sub == X_sigmask)
		return CV_MASK;
	if (m->sub == X_signal)
		return CV_SIG;
	return m->sub ? CV_FLAGS : CV_NUM;
}

static const char *
member_name(const struct layoutrow *r, int i)
{
	const char *s = r->names;

	while (i--)
		s += strlen(s) + 1;
	return s;
}

static int
member_byname(const struct layoutrow *r, const char *name)
{
	const char *s = r->names;

	for (int i = 0; i < r->n; i++, s += strlen(s) + 1)
		if (!strcmp(s, name))
			return i;
	return -1;
}

static void
copy_add(struct copy *c, const struct linux_abi *to, const struct linux_abi *from, enum layout l,
         u32 d, u32 s)
{
	const struct shape *ds = shape_of(to, l), *ss = shape_of(from, l);
	const struct layoutrow *dr = &layouts[ds->as], *sr = &layouts[ss->as];

	for (int i = 0; i < dr->n; i++) {
		const struct member *m = &dr->m[i], *o;
		int j = member_byname(sr, member_name(dr, i));
		u32 n;
		if (j < 0)
			continue;
		o = &sr->m[j];
		n = m->count < o->count ? m->count : o->count;
		for (u32 k = 0; m->type == MT_struct && k < n; k++)
			copy_add(c, to, from, m->sub, d + ds->at[i].off + k * ds->at[i].size,
			         s + ss->at[j].off + k * ss->at[j].size);
		if (m->type == MT_struct)
			continue;
		grow(&c->step, c->n, &c->cap, sizeof *c->step);
		c->step[c->n++] = (struct step){
			d + ds->at[i].off, s + ss->at[j].off, (u8)ds->at[i].size, (u8)ss->at[j].size,
			step_how(m), (u8)issigned(o->type), m->sub, (u16)n };
	}
}

static int
copy_same(const struct copy *c, const struct linux_abi *guest)
{
	if (c->dsize != c->ssize || guest->model.big != abi_host.model.big)
		return 0;
	for (int i = 0; i < c->n; i++) {
		const struct step *p = &c->step[i];
		if (p->d != p->s || p->dn != p->sn)
			return 0;
		if (p->how == CV_FLAGS && flags_differ(guest, p->set))
			return 0;
		if ((p->how == CV_MASK || p->how == CV_SIG) && guest->signo)
			return 0;
	}
	return 1;
}

/* Numbers of one size in one byte order are bytes, which go together with those before them where both structs have
 * them side by side. */
static int
joins(struct step *before, const struct step *p)
{
	u32 n = (u32)p->sn * p->count, size;

	if (before->how != CV_RAW)
		return 0;
	size = before->count;
	if (before->d + size != p->d || before->s + size != p->s || size + n > UINT16_MAX)
		return 0;
	before->count += (u16)n;
	return 1;
}

static u8
quick(const struct step *p)
{
	if (p->how == CV_RAW)
		return p->count == 8 ? CV_8TO8 : p->count == 4 ? CV_4TO4 : CV_RAW;
	if (p->how != CV_NUM || p->count != 1)
		return p->how;
	return p->sn == 8 && p->dn == 4 ? CV_8TO4 : p->sn == 4 && p->dn == 8 ? CV_4TO8 : CV_NUM;
}

static void
quicken(struct copy *c, const struct linux_abi *guest)
{
	int little = !guest->model.big && !abi_host.model.big, n = 0;

	for (struct step *p = c->step; p < c->step + c->n; p++) {
		int bytes = p->sn == p->dn && (p->how == CV_RAW || (p->how == CV_NUM && little));

		if (bytes && n && joins(&c->step[n - 1], p))
			continue;
		c->step[n] = *p;
		if (bytes)
			c->step[n] = (struct step){ p->d, p->s, 1, 1, CV_RAW, 0, 0, (u16)(p->sn * p->count) };
		n++;
	}
	c->n = n;
	for (struct step *p = c->step; little && p < c->step + n; p++)
		p->how = quick(p);
}

/* n bytes of a struct: a few words, most often. */
static void
copy_bytes(u8 *d, const u8 *s, u32 n)
{
	for (; n >= 8; n -= 8, d += 8, s += 8)
		st64(d, ld64(s));
	if (n)
		memcpy(d, s, n);
}

static const struct copy *
copy_of(const struct linux_abi *guest, enum layout l, int tohost)
{
	struct known *k = known_of(guest);
	_Atomic(struct copy *) *at = tohost ? &k->in[l] : &k->out[l];
	struct copy *c = atomic_load_explicit(at, memory_order_acquire);
	const struct linux_abi *to = tohost ? &abi_host : guest, *from = tohost ? guest : &abi_host;

	if (c)
		return c;
	c = xmalloc(sizeof *c);
	c->dsize = shape_of(to, l)->size;
	c->ssize = shape_of(from, l)->size;
	copy_add(c, to, from, l, 0, 0);
	c->same = copy_same(c, guest) || (!tohost && layout_same(guest, l));
	quicken(c, guest);
	atomic_store_explicit(at, c, memory_order_release);
	return c;
}

int
layout_same(const struct linux_abi *guest, enum layout l)
{
	return copy_of(guest, l, 1)->same;
}

static u64
step_value(const struct step *p, const struct linux_abi *guest, u64 v, int tohost)
{
	if (p->sign)
		v = (u64)sext(v, 8 * p->sn);
	switch (p->how) {
	case CV_FLAGS:
		return flags_convert(guest, p->set, v, tohost);
	case CV_MASK:
		return tohost ? abi_mask2host(guest, v) : abi_mask2guest(guest, v);
	case CV_SIG:
		return (u64)(tohost ? abi_sig2host : abi_sig2guest)(guest, (int)v);
	default:
		return v;
	}
}

static void
copy_step(const struct step *p, const struct linux_abi *guest, int tohost, u8 *d, const u8 *s)
{
	int dbig = tohost ? abi_host.model.big : guest->model.big;
	int sbig = tohost ? guest->model.big : abi_host.model.big;

	for (u32 i = 0; i < p->count; i++, s += p->sn, d += p->dn)
		stn(d, p->dn, dbig, step_value(p, guest, ldn(s, p->sn, sbig), tohost));
}

static void
copy_run(const struct copy *c, const struct linux_abi *guest, int tohost, u8 *dst, const u8 *src)
{
	if (c->same) {
		memcpy(dst, src, c->dsize);
		return;
	}
	memset(dst, 0, c->dsize);
	for (const struct step *p = c->step; p < c->step + c->n; p++) {
		u8 *d = dst + p->d;
		const u8 *s = src + p->s;

		switch (p->how) {
		case CV_8TO8: st64(d, ld64(s)); break;
		case CV_8TO4: st32(d, (u32)ld64(s)); break;
		case CV_4TO4: st32(d, ld32(s)); break;
		case CV_4TO8: st64(d, p->sign ? (u64)(s64)(s32)ld32(s) : ld32(s)); break;
		case CV_RAW:  copy_bytes(d, s, (u32)p->dn * p->count); break;
		default:      copy_step(p, guest, tohost, d, s);
		}
	}
}

void
abi_tohost(const struct linux_abi *abi, enum layout l, void *host, const void *guest)
{
	copy_run(copy_of(abi, l, 1), abi, 1, host, guest);
}

void
abi_toguest(const struct linux_abi *abi, enum layout l, void *guest, const void *host)
{
	copy_run(copy_of(abi, l, 0), abi, 0, guest, host);
}

int
abi_in(const struct linux_abi *abi, enum layout l, void *host, gaddr a)
{
	const struct copy *c = copy_of(abi, l, 1);
	u8 buf[LAYOUT_MAX];

	assert(c->ssize <= sizeof buf);
	if (c->same)
		return gmem_read(host, a, c->ssize);
	if (gmem_read(buf, a, c->ssize))
		return -EFAULT;
	copy_run(c, abi, 1, host, buf);
	return 0;
}

int
abi_out(const struct linux_abi *abi, enum layout l, gaddr a, const void *host)
{
	const struct copy *c = copy_of(abi, l, 0);
	u8 buf[LAYOUT_MAX];

	assert(c->dsize <= sizeof buf);
	if (c->same)
		return gmem_write(a, host, c->dsize);
	copy_run(c, abi, 0, buf, host);
	return gmem_write(a, buf, c->dsize);
}

int
abi_word(const struct linux_abi *abi, gaddr a, u64 *w)
{
	u8 buf[8];

	if (gmem_read(buf, a, abi->model.word))
		return -EFAULT;
	*w = ldn(buf, abi->model.word, abi->model.big);
	return 0;
}
