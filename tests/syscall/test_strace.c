/* SPDX-License-Identifier: MIT */
/* test_strace.c - what -strace prints of every line, every ioctl and fcntl, every flag and struct, to the letter
 *
 * Calls are printed from arguments made up by the line, twice: good ones with a result, bad ones with an error; none is
 * performed.  tests/syscall/strace/GUEST.txt holds the text; `make bless` (STRACE_BLESS=1) writes it anew, so that a wrong
 * format, number or layout shows in review. */
#include "call.h"
#include "fill.h"

enum { SLOT = 4096, SUB = 2048, BASE = 0x40000000 };

static char *out;
static size_t nout;
static FILE *to;

/* Where argument i points. */
static gaddr
slot(int i)
{
	return mem + (u64)(i + 1) * SLOT;
}

static void
put_made(enum layout l, gaddr at)
{
	u8 h[LAYOUT_MAX] = {0};

	fill(cpu->guest->abi, l, h);
	abi_toguest(cpu->guest->abi, l, g2h(at), h);
}

/* Two vectors of three and two bytes. */
static void
put_vectors(gaddr at)
{
	for (u64 k = 0; k < 2; k++) {
		st64(g2h(at + 16 * k), at + SUB + 16 * k);
		st64(g2h(at + 16 * k + 8), 3 - k);
		memcpy(g2h(at + SUB + 16 * k), "ab\n", 3);
	}
}

static gaddr
special(const struct arg *g, gaddr at)
{
	switch (g->x) {
	case PR_argv:
		st64(g2h(at), at + SUB), st64(g2h(at + 8), at + SUB + 8), st64(g2h(at + 16), 0);
		strcpy(g2h(at + SUB), "prog");
		strcpy(g2h(at + SUB + 8), "a \"b\"");
		break;
	case PR_msghdr:
		for (u64 k = 0; k < 2; k++) {
			st64(g2h(at + 64 * k + 16), at + 512), st64(g2h(at + 64 * k + 24), 2);
			st32(g2h(at + 64 * k + 48), 1), st32(g2h(at + 64 * k + 56), 5);
		}
		put_vectors(at + 512);
		break;
	case PR_fdset:
		st64(g2h(at), 0x1d);
		break;
	default:
		put_made(S_timespec, at);
	}
	return at;
}

/* Pointers to what the line says, numbers that tell their place. */
static u64
good(const struct arg *g, int i)
{
	gaddr at = slot(i);

	switch (g->kind) {
	case A_FLAGS:
		return flags_convert(cpu->guest->abi, g->x, rnd_flags(g->x), 0);
	case A_AT:
		return (u64)AT_FDCWD;
	case A_SIG:
		return 10;
	case A_STR: case A_PATH: case A_PATHN: case A_PATHC:
		sprintf(g2h(at), "/dir/name %d", i + 1);
		return at;
	case A_INBUF: case A_OUTBUF: case A_INBIN: case A_OUTBIN:
		memcpy(g2h(at), "text\0\n\377\"", 8);
		return at;
	case A_INVEC: case A_OUTVEC: case A_INVECA:
		put_vectors(at);
		return at;
	case A_IN: case A_OUT: case A_IO: case A_INA: case A_OUTA: case A_IOA:
		for (u64 k = 0; k < (g->kind == A_IN || g->kind == A_OUT || g->kind == A_IO ? 1 : 3); k++)
			put_made(g->x, at + k * abi_size(cpu->guest->abi, g->x));
		return at;
	case A_SAIN: case A_SAOUT:
		memcpy(g2h(at), "\2\0\0\120\177\0\0\1\0\0\0\0\0\0\0\0", 16);
		return at;
	case A_OPTIN: case A_OPTOUT:
		st32(g2h(at), 4711);
		return at;
	case A_SPEC:
		return special(g, at);
	case A_ADDR: case A_PTR:
		return at;
	default:
		return (u64)(i + 3);
	}
}

/* Of the argument that says how long argument i is. */
static u64
length(const struct arg *g, int i)
{
	switch (g->kind) {
	case A_INBUF: case A_OUTBUF: case A_INBIN: case A_OUTBIN:
		return 8;
	case A_SAIN:
		return 16;
	case A_OPTIN:
		return 4;
	case A_SAOUT: case A_OPTOUT:
		st32(g2h(slot(i) + SUB), g->kind == A_SAOUT ? 16 : 4);
		return slot(i) + SUB;
	default:
		return 2;
	}
}

static void
print(enum sysline l, const u64 *a, s64 r)
{
	struct call c = {.cpu = cpu, .abi = cpu->guest->abi, .line = l, .plan = plan_of(cpu->guest->abi, l)};

	for (int i = 0; i < 6; i++)
		reg_set(c.abi->arg[i], a[i]);
	call_fetch(&c);
	strace_enter(&c);
	/* nobody returns from exit */
	if (!(systab[l].ret & EARLY) || (systab[l].ret & R_MASK) != R_NONE)
		strace_leave(&c, r);
	for (const char *t = call_text(); *t; t = strchr(t, '\n') + 1) {
		size_t tid = strspn(t, "0123456789");

		t += tid ? tid + 1 : 0;
		fprintf(to, "%.*s\n", (int)strcspn(t, "\n"), t);
	}
}

static void
make(enum sysline l, u64 *a)
{
	const struct arg *g = systab[l].arg;

	seed = 1;
	for (const char *s = systab[l].name; *s; s++)
		seed = seed * 31 + (u8)*s;
	memset(g2h(mem), 0, 8 * SLOT);
	for (int i = 0; i < 6; i++)
		a[i] = g[i].kind ? good(&g[i], i) : 0;
	for (int i = 0; i < 6; i++)
		if (g[i].len)
			a[g[i].len - 1] = length(&g[i], i);
}

static s64
result(enum sysline l)
{
	switch (systab[l].ret & R_MASK) {
	case R_ZERO: return 0;
	case R_ADDR: case R_HEX: return 0x7f0000;
	case R_NONE: return SYS_NORESULT;
	default: return 2;
	}
}

static void
calls(void)
{
	for (int l = 1; l < L_COUNT; l++) {
		u64 a[6];

		if (call_number(cpu->guest->abi, l) < 0 || sys_reason(l))
			continue;
		make(l, a);
		print(l, a, result(l));
		print(l, (const u64[6]){(u64)-1, (u64)-1, (u64)-1, (u64)-1, (u64)-1, (u64)-1}, -EFAULT);
	}
}

#define IOCTL(name, nr, kind, layout) nr,
static const u32 ioctls[] = {
#include "syscall/linux/ioctl.sys"
};
#undef IOCTL

static void
requests(void)
{
	static const enum layout locks[] = {S_flock, S_f_owner_ex, S_flock64};
	int first, end;

	for (size_t i = 0; i < NELEM(ioctls); i++) {
		const struct ioctl_row *row = ioctl_find(ioctls[i]);

		seed = row->nr;
		memset(g2h(slot(2)), 0, SLOT);
		if (row->layout)
			put_made(row->layout, slot(2));
		print(L_ioctl, (const u64[6]){3, row->nr, row->kind == IO_INT ? 5 : slot(2)}, 0);
	}
	flags_range(X_fcntl, &first, &end);
	for (int i = first; i < end; i++) {
		u64 cmd = flag_value(cpu->guest->abi, i).value;

		seed = cmd;
		memset(g2h(slot(2)), 0, SLOT);
		put_made(locks[cmd > 30 ? 2 : cmd > 10], slot(2));
		print(L_fcntl, (const u64[6]){3, cmd, slot(2)}, 0);
	}
}

static void
flagsets(void)
{
	for (int x = 1; x < X_COUNT; x++) {
		int first, end;

		flags_range(x, &first, &end);
		fprintf(to, "flags %s:", flagset_name(x));
		for (int i = first; i < end; i++) {
			struct flag f = flag_value(cpu->guest->abi, i);

			fprintf(to, " %s=%#llx", flag_name(i), (unsigned long long)f.value);
			if (f.mask != f.value && f.mask != ~(u64)0)
				fprintf(to, "/%#llx", (unsigned long long)f.mask);
		}
		fputc('\n', to);
	}
}

static void
structs(void)
{
	for (int l = 1; l < S_COUNT; l++) {
		const struct shape *s = shape_of(cpu->guest->abi, l);
		const char *name = layouts[s->as].names;

		fprintf(to, "struct %s %u:", layout_name(l), s->size);
		for (int i = 0; i < s->n; i++, name += strlen(name) + 1)
			fprintf(to, " %s@%u:%u", name, s->at[i].off, s->at[i].size);
		fputc('\n', to);
	}
}

/* The first line that is another. */
static void
report(const char *path, const char *want, const char *got)
{
	int line = 1;

	for (; *want && *want == *got; want++, got++)
		line += *want == '\n';
	while (line > 1 && got[-1] != '\n')
		want--, got--;
	fail_msg("%s:%d: is\n%.*s\nshould be\n%.*s", path, line, (int)strcspn(got, "\n"), got, (int)strcspn(want, "\n"), want);
}

static void
check(const struct guest *g)
{
	char path[128], *want = calloc(1, 1 << 20);
	FILE *f;

	mem = BASE;
	call_start(g);
	if ((gaddr)gmem_map(BASE, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, 0) != BASE)
		fail_msg("no memory at %#x", BASE);
	mem = BASE;
	call_skip();
	to = open_memstream(&out, &nout);
	calls(), requests(), flagsets(), structs();
	fclose(to);
	snprintf(path, sizeof path, "tests/syscall/strace/%s.txt", g->name);
	f = fopen(path, getenv("STRACE_BLESS") ? "w" : "r");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	if (getenv("STRACE_BLESS"))
		fwrite(out, 1, nout, f);
	else {
		want[fread(want, 1, (1 << 20) - 1, f)] = 0;
		if (strcmp(want, out))
			report(path, want, out);
	}
	fclose(f);
	for (size_t i = 0, n = 0; i < nout; i++)
		if (out[i] == '\n' && ++n && i + 1 == nout)
			printf("summary %s system-call-texts %zu\n", g->name, n);
	free(out);
	free(want);
}

extern const struct guest guest_aarch64, guest_riscv64;
static void test_text_of_aarch64(void **s) { (void)s; check(&guest_aarch64); }
static void test_text_of_riscv64(void **s) { (void)s; check(&guest_riscv64); }

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_text_of_aarch64), cmocka_unit_test(test_text_of_riscv64)};
	int r;

	call_log();
	r = cmocka_run_group_tests(tests, 0, 0);
	unlink(logname);
	return r;
}
