/* SPDX-License-Identifier: MIT */
/* print.c - text of guest values: strings, flag words, structs, socket addresses */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/gmem.h"
#include "syscall/layout.h"
#include "syscall/print.h"

enum { SHOWN_BYTES = 32, SHOWN_ELEMENTS = 16 };

void
put(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->s + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	t->n += (size_t)n < t->size - t->n ? (size_t)n : t->size - t->n - 1;
}

void
put_addr(struct text *t, gaddr a)
{
	if (a)
		put(t, "0x%llx", (unsigned long long)a);
	else
		put(t, "NULL");
}

static void
put_quoted(struct text *t, const u8 *p, size_t n)
{
	static const char plain[] = "\n\t\r\v\f\"\\", letter[] = "ntrvf\"\\";

	put(t, "\"");
	for (size_t i = 0; i < n; i++) {
		const char *at = p[i] ? strchr(plain, p[i]) : 0;
		if (at)
			put(t, "\\%c", letter[at - plain]);
		else if (p[i] >= 32 && p[i] < 127)
			put(t, "%c", p[i]);
		else if (i + 1 < n && p[i + 1] >= '0' && p[i + 1] <= '9')
			put(t, "\\%03o", p[i]);
		else
			put(t, "\\%o", p[i]);
	}
	put(t, "\"");
}

void
put_bytes(struct text *t, gaddr a, s64 len)
{
	u8 buf[4096];
	int string = len < 0;
	size_t n, limit = string ? sizeof buf : SHOWN_BYTES;

	if (!a) {
		put(t, "NULL");
		return;
	}
	if (string)
		len = gmem_strlen(a, sizeof buf);
	n = len < 0 ? 0 : (u64)len > limit ? limit : (size_t)len;
	if (len < 0 || gmem_read(buf, a, n))
		put_addr(t, a);
	else {
		put_quoted(t, buf, n);
		if ((u64)len > n)
			put(t, "...");
	}
}

void
put_signal(struct text *t, int sig)
{
	int i, end;

	flags_range(X_signal, &i, &end);
	if (sig >= 32 && sig <= 64)
		put(t, sig == 32 ? "SIGRTMIN" : "SIGRT_%d", sig - 32);
	else if (sig > 0 && sig < 32)
		put(t, "%s", flag_name(i + sig - 1));
	else
		put(t, "%d", sig);
}

static void
put_sigmask(struct text *t, u64 mask)
{
	int first = 1;

	put(t, "[");
	for (int sig = 1; sig <= 64; sig++) {
		if (!(mask >> (sig - 1) & 1))
			continue;
		put(t, "%s", first ? "" : " ");
		put_signal(t, sig);
		first = 0;
	}
	put(t, "]");
}

void
put_flags(struct text *t, const struct linux_abi *abi, enum flagset x, u64 v)
{
	int i, end, any = 0;
	enum setkind kind = flags_range(x, &i, &end);
	u64 left = v;

	if (x == X_sigmask) {
		put_sigmask(t, v);
		return;
	}
	for (; i < end; i++) {
		struct flag f = flag_value(abi, i);
		if (kind == K_VALUE && f.value == v) {
			put(t, "%s", flag_name(i));
			return;
		}
		if (kind == K_BITS && (left & f.mask) == f.value && (left & f.mask || f.value != f.mask)) {
			put(t, "%s%s", any ? "|" : "", flag_name(i));
			left &= ~f.mask;
			any = 1;
		}
	}
	if (kind == K_VALUE)
		put(t, v < 4096 ? "%lld" : "%#llx", (long long)v);
	else if (left || !any)
		put(t, left ? "%s%#llx" : "%s%lld", any ? "|" : "", (long long)left);
}

/* -- structs -- */
static void
put_mode(struct text *t, u32 mode)
{
	static const char type[16][9] = {
		[1] = "S_IFIFO", [2] = "S_IFCHR", [4] = "S_IFDIR", [6] = "S_IFBLK", [8] = "S_IFREG", [10] = "S_IFLNK",
		[12] = "S_IFSOCK",
	};

	if (*type[mode >> 12 & 15]) {
		put(t, "%s|", type[mode >> 12 & 15]);
		mode &= 07777;
	}
	put(t, mode ? "0%o" : "%o", mode);
}

static void
put_value(struct text *t, const struct linux_abi *abi, const struct member *m, int n, u64 v)
{
	if (m->sub) {
		put_flags(t, abi, m->sub, v);
		return;
	}
	switch ((enum mty)m->type) {
	case MT_s8: case MT_s16: case MT_s32: case MT_s64: case MT_slong: case MT_time:
		put(t, "%lld", (long long)sext(v, 8 * n));
		break;
	case MT_mode: case MT_mode16:
		put_mode(t, (u32)v);
		break;
	case MT_oct64:
		put(t, v ? "0%llo" : "%llo", (unsigned long long)v);
		break;
	case MT_ptr:
		put_addr(t, v);
		break;
	case MT_x16: case MT_x32: case MT_x64: case MT_xlong: case MT_be32:
		put(t, "%#llx", (unsigned long long)v);
		break;
	default:
		put(t, "%llu", (unsigned long long)v);
	}
}

static void put_layout(struct text *, const struct linux_abi *, enum layout, const u8 *);

static void
put_member(struct text *t, const struct linux_abi *abi, const struct member *m, struct place at,
           const u8 *p)
{
	p += at.off;
	if (m->type == MT_char) {
		put_quoted(t, p, strnlen((const char *)p, m->count));
		return;
	}
	if (m->isarray)
		put(t, "[");
	for (int i = 0; i < m->count && i < SHOWN_ELEMENTS; i++, p += at.size) {
		put(t, "%s", i ? ", " : "");
		if (m->type == MT_struct)
			put_layout(t, abi, m->sub, p);
		else
			put_value(t, abi, m, (int)at.size, ldn(p, (int)at.size, m->type != MT_be32 ? abi->model.big : 1));
	}
	if (m->isarray)
		put(t, "%s]", m->count > SHOWN_ELEMENTS ? ", ..." : "");
}

static void
put_layout(struct text *t, const struct linux_abi *abi, enum layout l, const u8 *p)
{
	const struct shape *s = shape_of(abi, l);
	const struct layoutrow *r = &layouts[s->as];
	const char *name = r->names;
	int shown = 0, bare = !strcmp(name, "_");      /* a number or array behind a pointer */

	put(t, "%s", !bare ? "{" : r->m[0].isarray || r->m[0].sub ? "" : "[");
	for (int i = 0; i < s->n; i++, name += strlen(name) + 1) {
		const struct member *m = &r->m[i];
		if (m->type == MT_p8 || m->type == MT_plong)
			continue;
		if (!bare)
			put(t, "%s%s=", shown++ ? ", " : "", name);
		put_member(t, abi, m, s->at[i], p);
	}
	put(t, "%s", !bare ? "}" : r->m[0].isarray || r->m[0].sub ? "" : "]");
}

void
put_struct(struct text *t, const struct linux_abi *abi, enum layout l, gaddr a)
{
	u8 buf[LAYOUT_MAX];

	if (!a || gmem_read(buf, a, abi_size(abi, l)))
		put_addr(t, a);
	else
		put_layout(t, abi, l, buf);
}

void
put_array(struct text *t, const struct linux_abi *abi, enum layout l, gaddr a, s64 n)
{
	s64 i;
	u8 first;

	if (!a || n < 0 || (n && gmem_read(&first, a, 1))) {
		put_addr(t, a);
		return;
	}
	put(t, "[");
	for (i = 0; i < n && i < SHOWN_ELEMENTS; i++) {
		put(t, "%s", i ? ", " : "");
		put_struct(t, abi, l, a + (u64)i * abi_size(abi, l));
	}
	put(t, "%s]", i < n ? ", ..." : "");
}

void
put_vec(struct text *t, const struct linux_abi *abi, gaddr a, s64 n, s64 bytes)
{
	s64 i;
	u64 base, len, word = abi->model.word;

	if (!a || n < 0) {
		put_addr(t, a);
		return;
	}
	put(t, "[");
	for (i = 0; i < n && i < SHOWN_ELEMENTS; i++) {
		if (abi_word(abi, a + 2 * (u64)i * word, &base) || abi_word(abi, a + (2 * (u64)i + 1) * word, &len)) {
			put_addr(t, a + 2 * (u64)i * word);
			break;
		}
		put(t, "%s{iov_base=", i ? ", " : "");
		if (bytes < 0)
			put_addr(t, base);
		else
			put_bytes(t, base, bytes < (s64)len ? bytes : (s64)len);
		bytes -= bytes < 0 ? 0 : bytes < (s64)len ? bytes : (s64)len;
		put(t, ", iov_len=%llu}", (unsigned long long)len);
	}
	put(t, "%s]", i < n ? ", ..." : "");
}

/* -- socket addresses -- */
static void
put_inet(struct text *t, const u8 *b, u64 len)
{
	char s[INET6_ADDRSTRLEN];

	if (ld16(b) == AF_INET && len >= 8) {
		inet_ntop(AF_INET, b + 4, s, sizeof s);
		put(t, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")", ntohs(ld16(b + 2)), s);
	} else if (ld16(b) == AF_INET6 && len >= 24) {
		inet_ntop(AF_INET6, b + 8, s, sizeof s);
		put(t, ", sin6_port=htons(%u), inet_pton(AF_INET6, \"%s\")", ntohs(ld16(b + 2)), s);
	}
}

void
put_sockaddr(struct text *t, const struct linux_abi *abi, gaddr a, u64 len)
{
	u8 b[128];

	if (!a || len < 2 || len > sizeof b || gmem_read(b, a, len)) {
		put_addr(t, a);
		return;
	}
	st16(b, (u16)ldn(b, 2, abi->model.big));
	put(t, "{sa_family=");
	put_flags(t, abi, X_af, ld16(b));
	if (ld16(b) == AF_UNIX && len > 2) {
		const u8 *path = b + 2;
		put(t, ", sun_path=%s", *path ? "" : "@");
		put_quoted(t, path + !*path, *path ? strnlen((const char *)path, len - 2) : len - 3);
	} else
		put_inet(t, b, len);
	put(t, "}");
}
