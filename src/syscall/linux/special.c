/* SPDX-License-Identifier: MIT */
/* special.c - printers of arguments that mean different things from call to call (printer.def) */
#include "base/gmem.h"
#include "syscall/layout.h"
#include "syscall/print.h"

enum { SHOWN = 16 };

void
pr_argv(struct text *t, const struct call *c, int arg, int done, s64 r)
{
	gaddr a = c->v[arg];
	u64 p;
	int i;

	(void)done;
	(void)r;
	if (!a) {
		put_addr(t, a);
		return;
	}
	put(t, "[");
	for (i = 0; i < SHOWN && abi_word(c->abi, a, &p) == 0 && p; i++, a += c->abi->model.word) {
		put(t, "%s", i ? ", " : "");
		put_bytes(t, p, -1);
	}
	put(t, "%s]", i == SHOWN ? ", ..." : "");
}

/* Commands that read a time limit; the others take a number in its place. */
void
pr_futexval(struct text *t, const struct call *c, int arg, int done, s64 r)
{
	static const u32 timed = 1 << 0 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 13;
	u32 op = (u32)c->v[1] & 0x7f;

	(void)done;
	(void)r;
	if (op < 32 && timed >> op & 1)
		put_struct(t, c->abi, c->line == L_futex_time64 ? S_timespec64 : S_timespec, c->v[arg]);
	else
		put(t, "%#llx", (unsigned long long)c->v[arg]);
}

static void
put_msghdr(struct text *t, const struct call *c, gaddr a, int in, s64 bytes)
{
	struct msghdr_host {           /* the host's layout, guest addresses */
		u64 name; u32 namelen; u64 iov, iovlen, control, controllen; u32 flags;
	} m;

	if (!a || abi_in(c->abi, S_msghdr, &m, a)) {
		put_addr(t, a);
		return;
	}
	put(t, "{msg_name=");
	put_sockaddr(t, c->abi, m.name, m.namelen);
	put(t, ", msg_namelen=%u, msg_iov=", m.namelen);
	put_vec(t, c->abi, m.iov, (s64)m.iovlen, in ? bytes : 1 << 30);
	put(t, ", msg_iovlen=%llu, msg_control=", (unsigned long long)m.iovlen);
	put_addr(t, m.control);
	put(t, ", msg_controllen=%llu, msg_flags=", (unsigned long long)m.controllen);
	put_flags(t, c->abi, X_msg, m.flags);
	put(t, "}");
}

void
pr_msghdr(struct text *t, const struct call *c, int arg, int done, s64 r)
{
	int in = c->line == L_recvmsg || c->line == L_recvmmsg;
	int many = c->line == L_sendmmsg || c->line == L_recvmmsg;
	u64 size = abi_size(c->abi, S_mmsghdr);

	if (!done || (in && r < 0)) {
		put_addr(t, c->v[arg]);
		return;
	}
	if (!many) {
		put_msghdr(t, c, c->v[arg], in, r);
		return;
	}
	put(t, "[");
	for (s64 i = 0; i < r && i < SHOWN; i++) {
		put(t, "%s", i ? ", " : "");
		put_msghdr(t, c, c->v[arg] + (u64)i * size, 0, 0);
	}
	put(t, "]");
}

void
pr_ioctlarg(struct text *t, const struct call *c, int arg, int done, s64 r)
{
	const struct ioctl_row *row = ioctl_find((u32)c->v[1]);
	int kind = row ? row->kind : IO_PTR;

	if (kind == IO_INT || kind == IO_NONE)
		put(t, "%lld", (long long)(s32)c->v[arg]);
	else if (!row || !row->layout || (kind == IO_OUT && (!done || r < 0)))
		put_addr(t, c->v[arg]);
	else
		put_struct(t, c->abi, row->layout, c->v[arg]);
}

void
pr_fcntlarg(struct text *t, const struct call *c, int arg, int done, s64 r)
{
	enum { F_SETFD_ = 2, F_SETFL_ = 4, F_ADD_SEALS_ = 1033 };
	u64 v = c->v[arg];

	switch ((u32)c->v[1]) {
	case 5: case 6: case 7:                        /* F_GETLK, F_SETLK, F_SETLKW */
		put_struct(t, c->abi, S_flock, v);
		break;
	case 36: case 37: case 38:                     /* F_OFD_* */
		put_struct(t, c->abi, S_flock64, v);
		break;
	case 15: case 16:                              /* F_SETOWN_EX, F_GETOWN_EX */
		put_struct(t, c->abi, S_f_owner_ex, v);
		break;
	case F_SETFD_:
		put_flags(t, c->abi, X_fdflag, (u32)v);
		break;
	case F_SETFL_:
		put_flags(t, c->abi, X_open, (u32)v);
		break;
	case F_ADD_SEALS_:
		put_flags(t, c->abi, X_seal, (u32)v);
		break;
	default:
		(void)done;
		(void)r;
		put(t, "%#llx", (unsigned long long)v);
	}
}

void
pr_fdset(struct text *t, const struct call *c, int arg, int done, s64 r)
{
	u64 n = c->v[0] < 1024 ? c->v[0] : 1024, per = 8u * c->abi->model.word, w = 0;
	const char *gap = "";

	if (!c->v[arg] || !done || r < 0) {
		put_addr(t, c->v[arg]);
		return;
	}
	put(t, "[");
	for (u64 i = 0; i < n; i++) {
		if (i % per == 0 && abi_word(c->abi, c->v[arg] + i / 8, &w))
			break;
		if (w >> i % per & 1) {
			put(t, "%s%llu", gap, (unsigned long long)i);
			gap = " ";
		}
	}
	put(t, "]");
}
