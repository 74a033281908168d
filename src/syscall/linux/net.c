/* SPDX-License-Identifier: MIT */
/* net.c - messages with headers: sendmsg, recvmsg and their multiple forms
 *
 * The header and its vector are always copied.  Control messages are passed where they lie when
 * the guest's words are like ours, and rebuilt one by one otherwise. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "base/gmem.h"
#include "base/util.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"
#include "syscall/linux/wait.h"

#define ABI(cpu) ((cpu)->guest->abi)

enum { IOV_SMALL = 8, NAME_MAX_ = 128, CONTROL_MAX = 1 << 16 };

struct message {
	struct msghdr m;               /* the host's */
	struct msghdr g;               /* the guest's values: addresses and lengths as given */
	struct iovec small[IOV_SMALL], *iov;
	u8 name[NAME_MAX_];
	u8 *control;                   /* rebuilt control messages, or 0 */
};

static int
alike(const struct linux_abi *abi)
{
	return abi->model.word == 8 && abi->model.big == abi_host.model.big;
}

static void
writable(const void *p, u64 n)
{
	if (gmem_watch && p && n)
		gmem_watch->unprotect((gaddr)p, n > INT_MAX ? INT_MAX : n);
}

/* -- control messages of another ABI -- : header is a word and two ints, data follow aligned to words */
static u64 guest_space(const struct model *m, u64 n) { return alignup(alignup(m->word + 8u, m->word) + n, m->word); }
static u64 guest_head(const struct model *m) { return alignup(m->word + 8u, m->word); }

/* Data are ints where we know them to be; everything else is bytes. */
static void
copy_data(const struct model *m, int level, int type, u8 *host, u8 *guest, u64 n, int tohost)
{
	int ints = level == SOL_SOCKET && (type == SCM_RIGHTS || type == SCM_CREDENTIALS);

	for (u64 i = 0; ints && i + 4 <= n; i += 4) {
		if (tohost)
			st32(host + i, (u32)ldn(guest + i, 4, m->big));
		else
			stn(guest + i, 4, m->big, ld32(host + i));
	}
	if (!ints)
		memcpy(tohost ? host : guest, tohost ? guest : host, n);
}

static int
control_in(const struct linux_abi *abi, struct message *w)
{
	const struct model *m = &abi->model;
	u64 len = w->g.msg_controllen, at = 0, head = guest_head(m), out = 0;
	u8 *buf;

	if (len > CONTROL_MAX)
		return -ENOBUFS;
	buf = xmalloc(len + 1);
	w->control = xmalloc(4 * len + 64);
	if (gmem_read(buf, (gaddr)w->g.msg_control, len)) {
		free(buf);
		return -EFAULT;
	}
	while (at + head <= len) {
		u64 n = ldn(buf + at, m->word, m->big);
		struct cmsghdr *c = (struct cmsghdr *)(void *)(w->control + out);
		if (n < head || n > len - at)
			break;
		c->cmsg_level = (int)ldn(buf + at + m->word, 4, m->big);
		c->cmsg_type = (int)ldn(buf + at + m->word + 4, 4, m->big);
		c->cmsg_len = CMSG_LEN(n - head);
		copy_data(m, c->cmsg_level, c->cmsg_type, CMSG_DATA(c), buf + at + head, n - head, 1);
		out += CMSG_SPACE(n - head);
		at += guest_space(m, n - head);
	}
	free(buf);
	w->m.msg_control = w->control;
	w->m.msg_controllen = out;
	return 0;
}

static int
control_out(const struct linux_abi *abi, struct message *w)
{
	const struct model *m = &abi->model;
	u64 room = w->g.msg_controllen, at = 0, head = guest_head(m);
	u8 *buf = xmalloc(room + 1);
	int r;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&w->m); c; c = CMSG_NXTHDR(&w->m, c)) {
		u64 n = c->cmsg_len - CMSG_LEN(0);
		if (at + head + n > room) {
			w->m.msg_flags |= MSG_CTRUNC;
			break;
		}
		stn(buf + at, m->word, m->big, head + n);
		stn(buf + at + m->word, 4, m->big, (u32)c->cmsg_level);
		stn(buf + at + m->word + 4, 4, m->big, (u32)c->cmsg_type);
		copy_data(m, c->cmsg_level, c->cmsg_type, CMSG_DATA(c), buf + at + head, n, 0);
		at += guest_space(m, n) < room - at ? guest_space(m, n) : room - at;
	}
	r = gmem_write((gaddr)w->g.msg_control, buf, at);
	w->m.msg_controllen = at;
	free(buf);
	return r;
}

/* -- one message -- */
static int
vec_in(const struct linux_abi *abi, struct message *w, int receive)
{
	u64 n = w->g.msg_iovlen, size = abi_size(abi, S_iovec);

	if (n > IOV_MAX)
		return -EMSGSIZE;
	w->iov = n <= IOV_SMALL ? w->small : xmalloc(n * sizeof *w->iov);
	for (u64 i = 0; i < n; i++) {
		if (abi_in(abi, S_iovec, &w->iov[i], (gaddr)w->g.msg_iov + i * size))
			return -EFAULT;
		if (receive)
			writable(w->iov[i].iov_base, w->iov[i].iov_len);
		w->iov[i].iov_base = g2h((gaddr)w->iov[i].iov_base);
	}
	w->m.msg_iov = w->iov;
	return 0;
}

static int
name_in(const struct linux_abi *abi, struct message *w, int receive)
{
	u32 n = w->g.msg_namelen > NAME_MAX_ ? NAME_MAX_ : w->g.msg_namelen;

	if (!w->g.msg_name)
		return 0;
	if ((s32)w->g.msg_namelen < 0)
		return -EINVAL;
	w->m.msg_name = w->name;
	w->m.msg_namelen = n;
	if (receive)
		return 0;
	if (gmem_read(w->name, (gaddr)w->g.msg_name, n))
		return -EFAULT;
	if (n >= 2)
		st16(w->name, (u16)ldn(w->name, 2, abi->model.big));
	return 0;
}

static int
message_in(const struct linux_abi *abi, struct message *w, gaddr a, int receive)
{
	int r;

	w->iov = w->small;
	w->control = 0;
	if (abi_in(abi, S_msghdr, &w->g, a))
		return -EFAULT;
	w->m = w->g;
	r = name_in(abi, w, receive);
	if (!r)
		r = vec_in(abi, w, receive);
	if (r || !w->g.msg_control || !w->g.msg_controllen)
		return r;
	if (alike(abi)) {
		if (receive)
			writable(w->g.msg_control, w->g.msg_controllen);
		w->m.msg_control = g2h((gaddr)w->g.msg_control);
	} else if (!receive) {
		r = control_in(abi, w);
	} else {
		w->m.msg_controllen = w->g.msg_controllen > CONTROL_MAX ? CONTROL_MAX : 2 * w->g.msg_controllen;
		w->m.msg_control = w->control = xmalloc(w->m.msg_controllen);
	}
	return r;
}

/* After a receive: the name, the control messages, and the lengths go back. */
static int
message_out(const struct linux_abi *abi, struct message *w, gaddr a)
{
	u32 n = w->g.msg_namelen < w->m.msg_namelen ? w->g.msg_namelen : w->m.msg_namelen;

	if (w->g.msg_name) {
		if (n >= 2)
			stn(w->name, 2, abi->model.big, ld16(w->name));
		if (gmem_write((gaddr)w->g.msg_name, w->name, n))
			return -EFAULT;
		w->g.msg_namelen = w->m.msg_namelen;
	}
	if (w->control && control_out(abi, w))
		return -EFAULT;
	w->g.msg_controllen = w->m.msg_controllen;
	w->g.msg_flags = w->m.msg_flags;
	return abi_out(abi, S_msghdr, a, &w->g) ? -EFAULT : 0;
}

static void
message_done(struct message *w)
{
	if (w->iov != w->small)
		free(w->iov);
	free(w->control);
}

s64
sys_sendmsg(struct cpu *cpu, const u64 *a)
{
	struct message w;
	s64 r = message_in(ABI(cpu), &w, a[1], 0);

	if (!r)
		r = host_syscall(cpu, __NR_sendmsg, a[0], (u64)&w.m, a[2], 0, 0, 0);
	message_done(&w);
	return r;
}

s64
sys_recvmsg(struct cpu *cpu, const u64 *a)
{
	struct message w;
	s64 r = message_in(ABI(cpu), &w, a[1], 1);

	if (!r)
		r = host_syscall(cpu, __NR_recvmsg, a[0], (u64)&w.m, a[2], 0, 0, 0);
	if (r >= 0 && message_out(ABI(cpu), &w, a[1]))
		r = -EFAULT;
	message_done(&w);
	return r;
}

/* -- several messages: one after the other, as the kernel does -- */
static gaddr
mmsg_at(const struct linux_abi *abi, gaddr a, u64 i)
{
	return a + i * abi_size(abi, S_mmsghdr);
}

static int
mmsg_len(const struct linux_abi *abi, gaddr at, s64 n)
{
	u8 b[4];

	stn(b, 4, abi->model.big, (u64)n);
	return gmem_write(at + shape_of(abi, S_mmsghdr)->at[1].off, b, 4);
}

s64
sys_sendmmsg(struct cpu *cpu, const u64 *a)
{
	const struct linux_abi *abi = ABI(cpu);
	u64 i, n = a[2] < IOV_MAX ? a[2] : IOV_MAX;
	s64 r = 0;

	for (i = 0; i < n; i++) {
		gaddr at = mmsg_at(abi, a[1], i);
		u64 one[6] = { a[0], at, a[3] };
		r = sys_sendmsg(cpu, one);
		if (r < 0 || mmsg_len(abi, at, r))
			break;
	}
	return i || r >= 0 ? (s64)i : r;
}

/* The time limit is looked at after each message (recvmmsg(2), BUGS). */
s64
sys_recvmmsg(struct cpu *cpu, const u64 *a)
{
	enum { ONEWAIT = 0x10000, SECOND = 1000000000 };
	const struct linux_abi *abi = ABI(cpu);
	u64 i, n = a[2] < IOV_MAX ? a[2] : IOV_MAX, flags = a[3] & ~(u64)ONEWAIT;
	s64 r = 0, end = 0, left = 0;
	struct timespec ts;

	if (a[4] && abi_in(abi, S_timespec, &ts, a[4]))
		return -EFAULT;
	if (a[4] && wait_nsec(&ts, &left))
		return -EINVAL;
	end = left > INT64_MAX / 2 ? INT64_MAX : wait_now() + left;
	for (i = 0; i < n; i++) {
		gaddr at = mmsg_at(abi, a[1], i);
		u64 one[6] = { a[0], at, flags };
		r = sys_recvmsg(cpu, one);
		if (r < 0 || mmsg_len(abi, at, r))
			break;
		if (a[3] & ONEWAIT)
			flags |= MSG_DONTWAIT;
		left = end - wait_now();
		if (a[4] && left <= 0) {
			i++;
			break;
		}
	}
	if (a[4] && i) {
		left = left > 0 ? left : 0;
		ts = (struct timespec){ left / SECOND, left % SECOND };
		if (abi_out(abi, S_timespec, a[4], &ts))
			return -EFAULT;
	}
	return i || r >= 0 ? (s64)i : r;
}
