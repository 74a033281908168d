/* SPDX-License-Identifier: MIT */
/* strace.c - prints a call from the line that performs it
 *
 *   TID name(arguments) = result
 *
 * Arguments up to the first one the kernel fills are printed before the call, so that a call that
 * blocks shows; the rest when it returns.  If another thread printed meanwhile, the line is broken
 * as strace(1) does: "<unfinished ...>" and later "<... name resumed>". */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/gmem.h"
#include "base/hostcall.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"
#include "syscall/print.h"
#include "syscall/proc.h"

enum { TEXT_SIZE = 4096 };

static printfn *const printers[PR_COUNT] = {
#define PRINTER(name) [PR_##name] = pr_##name,
#include "syscall/printer.def"
#undef PRINTER
};

/* The thread whose line is open on the log; 0: none. */
static _Atomic s32 owner;

static s32
self(void)
{
	return (s32)host_call(__NR_gettid, 0, 0, 0, 0, 0, 0);
}

/* Whether the argument can only be printed after the call. */
static int
islate(const struct arg *g)
{
	switch (g->kind) {
	case A_OUT: case A_OUTA: case A_OUTBUF: case A_OUTVEC: case A_SAOUT: case A_IO: case A_IOA:
	case A_OPTOUT:
		return 1;
	case A_SPEC:
		return g->x != PR_argv;
	}
	return 0;
}

static s64
length_of(const struct call *c, int i)
{
	int len = systab[c->line].arg[i].len;

	return len ? (s64)c->v[len - 1] : 1;
}

static void
put_dirfd(struct text *t, int fd)
{
	if (fd == AT_FDCWD)
		put(t, "AT_FDCWD");
	else
		put(t, "%d", fd);
}

static void
put_number(struct text *t, const struct call *c, enum argkind kind, u64 v)
{
	switch (kind) {
	case A_AT:
		put_dirfd(t, (int)v);
		break;
	case A_INT: case A_FD: case A_PID: case A_LONG: case A_OFF: case A_OFF64:
		put(t, "%lld", (long long)v);
		break;
	case A_UINT: case A_SIZE:
		put(t, "%llu", (unsigned long long)v);
		break;
	case A_OCT:
		put(t, v ? "0%llo" : "%llo", (unsigned long long)v);
		break;
	case A_SIG:
		put_signal(t, (int)v);
		break;
	case A_REQ: {
		const struct ioctl_row *row = ioctl_find((u32)v);
		if (row)
			put(t, "%s", row->name);
		else
			put(t, "%#x", (u32)v);
		break;
	}
	case A_HEX:
		put(t, "%#llx", (unsigned long long)v);
		break;
	default:
		(void)c;
		put_addr(t, v);
	}
}

/* Most socket options are an int. */
static void
put_option(struct text *t, const struct call *c, gaddr a, u64 len)
{
	if (len == 4)
		put_struct(t, c->abi, S_int1, a);
	else
		put_bytes(t, a, (s64)len);
}

static void
put_out(struct text *t, const struct call *c, int i, s64 r)
{
	const struct arg *g = &systab[c->line].arg[i];
	u64 v = c->v[i], len;

	switch (g->kind) {
	case A_OUTBUF:
		if (r < 0)
			put_addr(t, v);
		else
			put_bytes(t, v, (systab[c->line].ret & R_MASK) == R_LEN && r < length_of(c, i) ? r : length_of(c, i));
		break;
	case A_OUTVEC:
		put_vec(t, c->abi, v, length_of(c, i), r < 0 ? -1 : r);
		break;
	case A_OUTA:
		put_array(t, c->abi, g->x, v, r < length_of(c, i) ? r : length_of(c, i));
		break;
	case A_IOA:
		put_array(t, c->abi, g->x, v, length_of(c, i));
		break;
	case A_SAOUT: case A_OPTOUT:
		len = 0;
		if (r < 0 || !v || gmem_read(&len, (gaddr)length_of(c, i), 4))
			put_addr(t, v);
		else if (g->kind == A_OPTOUT)
			put_option(t, c, v, ldn(&len, 4, c->abi->model.big));
		else
			put_sockaddr(t, c->abi, v, ldn(&len, 4, c->abi->model.big));
		break;
	default:
		if (r < 0 && g->kind == A_OUT)
			put_addr(t, v);
		else
			put_struct(t, c->abi, g->x, v);
	}
}

static void
put_arg(struct text *t, const struct call *c, int i, int done, s64 r)
{
	const struct arg *g = &systab[c->line].arg[i];
	u64 v = c->v[i];

	switch (g->kind) {
	case A_FLAGS:
		put_flags(t, c->abi, g->x, flags_range(g->x, &(int){ 0 }, &(int){ 0 }) == K_VALUE ? (u64)(s64)(s32)v : (u32)v);
		break;
	case A_PATH: case A_PATHN: case A_PATHC: case A_STR:
		put_bytes(t, v, -1);
		break;
	case A_INBUF:
		put_bytes(t, v, length_of(c, i) < 0 ? 0 : length_of(c, i));
		break;
	case A_INVEC:
		put_vec(t, c->abi, v, length_of(c, i), 1 << 30);
		break;
	case A_IN:
		put_struct(t, c->abi, g->x, v);
		break;
	case A_INA:
		put_array(t, c->abi, g->x, v, length_of(c, i));
		break;
	case A_OPTIN:
		put_option(t, c, v, (u64)length_of(c, i));
		break;
	case A_SAIN:
		put_sockaddr(t, c->abi, v, (u64)length_of(c, i));
		break;
	case A_SPEC:
		printers[g->x](t, c, i, done, r);
		break;
	case A_OUT: case A_OUTA: case A_OUTBUF: case A_OUTVEC: case A_SAOUT: case A_IO: case A_IOA:
	case A_OPTOUT:
		put_out(t, c, i, r);
		break;
	default:
		put_number(t, c, g->kind, v);
	}
}

static void
put_errno(struct text *t, s64 e)
{
	static const struct { s16 e; char name[24]; } restart[] = {
		{ ERESTARTSYS, "ERESTARTSYS" }, { ERESTARTNOINTR, "ERESTARTNOINTR" },
		{ ERESTARTNOHAND, "ERESTARTNOHAND" }, { ERESTART_RESTARTBLOCK, "ERESTART_RESTARTBLOCK" },
	};
	const char *name = strerrorname_np((int)e);

	for (size_t i = 0; i < NELEM(restart); i++)
		if (restart[i].e == e) {
			put(t, "? %s (to be restarted)", restart[i].name);
			return;
		}
	if (name)
		put(t, "-1 %s (%s)", name, strerrordesc_np((int)e));
	else
		put(t, "-1 errno=%lld", (long long)e);
}

static void
put_result(struct text *t, int kind, s64 r)
{
	if (r == SYS_NORESULT || kind == R_NONE)
		put(t, "?");
	else if (r < 0 && r > -4096)
		put_errno(t, -r);
	else if (kind == R_ADDR || kind == R_HEX)
		put(t, "0x%llx", (unsigned long long)r);
	else if (kind == R_OCTR)
		put(t, "0%llo", (unsigned long long)r);
	else
		put(t, "%lld", (long long)r);
}

static int
first_late(const struct call *c)
{
	int i = 0;

	while (i < c->plan->nargs && !islate(&systab[c->line].arg[i]))
		i++;
	return i;
}

static void
flush(struct text *t)
{
	log_print("%s", t->s);
	t->n = 0;
}

/* Closes the line another thread left open. */
static void
take_log(s32 me)
{
	s32 was = atomic_exchange(&owner, me);

	if (was && was != me)
		log_print(" <unfinished ...>\n");
}

void
strace_enter(const struct call *c)
{
	char buf[TEXT_SIZE];
	struct text t = { buf, 0, sizeof buf };
	const struct sysline_row *s = &systab[c->line];
	int n = s->ret & EARLY ? c->plan->nargs : first_late(c);
	s32 me = self();

	take_log(me);
	put(&t, "%d %s(", me, s->name);
	for (int i = 0; i < n; i++) {
		put(&t, "%s", i ? ", " : "");
		put_arg(&t, c, i, 0, 0);
	}
	if (s->ret & EARLY) {          /* there may be nobody left to end the line */
		put(&t, (s->ret & R_MASK) == R_NONE ? ") = ?\n" : " <unfinished ...>\n");
		atomic_store(&owner, 0);
	}
	flush(&t);
}

void
strace_leave(const struct call *c, s64 r)
{
	char buf[TEXT_SIZE];
	struct text t = { buf, 0, sizeof buf };
	const struct sysline_row *s = &systab[c->line];
	s32 me = self();

	if (atomic_load(&owner) != me) {
		take_log(me);
		put(&t, "%d <... %s resumed>", me, s->name);
	}
	for (int i = first_late(c); !(s->ret & EARLY) && i < c->plan->nargs; i++) {
		put(&t, "%s", i ? ", " : "");
		put_arg(&t, c, i, 1, r);
	}
	put(&t, ") = ");
	put_result(&t, s->ret & R_MASK, r);
	put(&t, "\n");
	atomic_store(&owner, 0);
	flush(&t);
}

void
strace_unknown(struct cpu *cpu, u64 nr)
{
	const struct linux_abi *abi = cpu->guest->abi;
	char buf[512];
	struct text t = { buf, 0, sizeof buf };

	take_log(self());
	put(&t, "%d syscall_%llu(", self(), (unsigned long long)nr);
	for (int i = 0; i < 6 && i < abi->nargs; i++)
		put(&t, "%s%#llx", i ? ", " : "", (unsigned long long)ld64(cpu->state + cpu->guest->reg[abi->arg[i]].off));
	put(&t, ") = -1 ENOSYS (Function not implemented)\n");
	atomic_store(&owner, 0);
	flush(&t);
}
