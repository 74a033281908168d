/* SPDX-License-Identifier: MIT */
/* options.c - reads the command line, from the table options.def */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/model.h"
#include "base/guest.h"
#include "base/util.h"
#include "options.h"

enum { QUICK = 8192 };

typedef void optfn(struct options *, const char *arg);

static void
push(char ***list, int *n, int *cap, const char *s)
{
	grow(list, *n + 1, cap, sizeof **list);
	(*list)[(*n)++] = xstrdup(s);
	(*list)[*n] = 0;
}

/* a number with K, M, G, T after it */
u64
options_number(const char *s)
{
	static const char unit[] = "KMGT";
	char *end, *u;
	u64 n;
	int shift = 0;

	errno = 0;
	n = strtoull(s, &end, 0);
	if (*end && (u = strchr(unit, *end & ~0x20))) {
		shift = 10 * (int)(u - unit + 1);
		end++;
	}
	if (*end || *s < '0' || *s > '9' || errno || n << shift >> shift != n)
		diag(D_USAGE, xasprintf("'%s' is not a number", s));
	return n << shift;
}

static void
list(char ***l, int *n, int *cap, const char *arg)
{
	char *s = xstrdup(arg), *save, *w;

	for (w = strtok_r(s, ",", &save); w; w = strtok_r(0, ",", &save))
		push(l, n, cap, w);
	free(s);
}

static void opt_argv0(struct options *o, const char *s) { o->argv0 = s; }
static void opt_uname(struct options *o, const char *s) { o->uname = s; }
static void opt_stack(struct options *o, const char *s) { o->stack = options_number(s); }
static void opt_base(struct options *o, const char *s) { (void)o; options_number(s); }
static void opt_reserved(struct options *o, const char *s) { o->space = options_number(s); }
static void opt_logfile(struct options *o, const char *s) { o->logfile = s; }
static void opt_strace(struct options *o, const char *s) { (void)s; o->strace = 1; }
static void opt_perfmap(struct options *o, const char *s) { (void)s; o->perfmap = 1; }
static void opt_jitdump(struct options *o, const char *s) { (void)s; o->jitdump = 1; }
static void opt_single(struct options *o, const char *s) { (void)s; o->single = 1; }
static void opt_host(struct options *o, const char *s) { o->host = s; }
static void opt_features(struct options *o, const char *s) { o->features = s; }
static void opt_codesize(struct options *o, const char *s) { o->codesize = options_number(s) << 20; }
static void opt_quick(struct options *o, const char *s) { o->quick = (int)options_number(s); }
static void opt_limit(struct options *o, const char *s) { o->cachelimit = options_number(s); }
static void opt_env(struct options *o, const char *s) { list(&o->set, &o->nset, &o->capset, s); }
static void opt_unsetenv(struct options *o, const char *s) { list(&o->unset, &o->nunset, &o->capunset, s); }

static void
opt_seed(struct options *o, const char *s)
{
	o->seed = options_number(s);
	o->hasseed = 1;
}

static void
opt_page(struct options *o, const char *s)
{
	o->page = options_number(s);
	if (o->page < 4096 || o->page > 65536 || o->page & (o->page - 1))
		diag(D_USAGE, "the page size must be 4096, 8192, 16384, 32768 or 65536");
}

static void
opt_cpu(struct options *o, const char *s)
{
	if (!strcmp(s, "help") || !strcmp(s, "?")) {
		model_list();
		exit(0);
	}
	o->cpu = s;
}

/* Absolute: the guest may change its directory before it starts another program. */
static char *
absolute(const char *name)
{
	char *cwd, *full;

	if (*name == '/' || !(cwd = getcwd(0, 0)))
		return xstrdup(name);
	full = xasprintf("%s/%s", cwd, name);
	free(cwd);
	return full;
}

static void opt_root(struct options *o, const char *s) { o->root = absolute(s); }

static void
opt_cache(struct options *o, const char *s)
{
	if (!*s)
		diag(D_USAGE, "--cache needs a directory or 'off'");
	o->cache = strcmp(s, "off") ? absolute(s) : "off";
}

static void
opt_cachero(struct options *o, const char *s)
{
	char *list = xstrdup(s), *next = list, *dir;

	o->cachero = 0;
	while ((dir = strsep(&next, ":")))
		if (*dir)
			o->cachero = xasprintf("%s%s%s", o->cachero ? o->cachero : "", o->cachero ? ":" : "", absolute(dir));
	free(list);
	if (!o->cachero)
		diag(D_USAGE, "--cache-ro needs a directory");
}

static void
opt_log(struct options *o, const char *s)
{
	(void)o;
	if (log_parse(s))
		diag(D_USAGE, xasprintf("-d: unknown log item in '%s'", s));
}

static void
opt_version(struct options *o, const char *s)
{
	(void)o;
	(void)s;
	puts("dragoman version " DRAGOMAN_VERSION);
	exit(0);
}

static optfn opt_help;

static const struct opt { const char *brief, *name, *var, *arg; optfn *fn; const char *help; } table[] = {
#define OPT(brief, name, var, arg, fn, help) {brief, name, var, arg, fn, help},
#include "options.def"
#undef OPT
};

static void
opt_help(struct options *o, const char *s)
{
	(void)o;
	(void)s;
	puts("usage: dragoman [options] program [arguments]\n"
	    "       dragoman guests\n"
	    "       dragoman [options] cache stat|list|clear|prune [BYTES]|verify|warm PROGRAM...\n"
	    "Runs a Linux program that was built for another processor.\n");
	for (const struct opt *t = table; t < table + NELEM(table); t++) {
		char left[80];

		snprintf(left, sizeof left, "-%s, --%s %s", t->brief, t->name, t->arg);
		printf("  %-34s %s\n", left, t->help);
		if (*t->var)
			printf("  %-34s (also DRAGOMAN_%s, QEMU_%s)\n", "", t->var, t->var);
	}
	exit(0);
}

static const struct opt *
find(const char *name, size_t n)
{
	for (const struct opt *t = table; t < table + NELEM(table); t++)
		if ((strlen(t->brief) == n && !memcmp(t->brief, name, n)) ||
		    (strlen(t->name) == n && !memcmp(t->name, name, n)))
			return t;
	return 0;
}

void
options_pass(struct options *o, const char *name, const char *arg)
{
	char *dashed = xmalloc(strlen(name) + 2);

	*dashed = '-';
	strcpy(dashed + 1, name);
	push(&o->pass, &o->npass, &o->cappass, dashed);
	if (arg)
		push(&o->pass, &o->npass, &o->cappass, arg);
}

/* What only concerns this program is not passed on to those it starts. */
static void
apply(struct options *o, const struct opt *t, const char *arg)
{
	t->fn(o, arg);
	if (t->fn == opt_argv0 || t->fn == opt_env || t->fn == opt_unsetenv)
		return;
	/* main tells which directories they really are */
	if (t->fn == opt_cache || t->fn == opt_root)
		return;
	options_pass(o, t->brief, t->fn == opt_cachero ? o->cachero : *t->arg ? arg : 0);
}

static int
startswith(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Names in the order of the table, QEMU's before ours, whatever order the environment has. */
static void
fromenv(struct options *o)
{
	static const char *const prefix[] = {"QEMU_", "DRAGOMAN_"};
	const char *found[32];
	int n = 0;

	for (char **e = environ; *e && n < (int)NELEM(found); e++)
		if (startswith(*e, prefix[0]) || startswith(*e, prefix[1]))
			found[n++] = *e;
	for (const struct opt *t = table; n && t < table + NELEM(table); t++)
		for (size_t i = 0; *t->var && i < NELEM(prefix); i++)
			for (int k = 0; k < n; k++) {
				const char *name = found[k] + strlen(prefix[i]), *v = name + strlen(t->var) + 1;

				if (!startswith(found[k], prefix[i]) || !startswith(name, t->var) || v[-1] != '=')
					continue;
				if (*t->arg ? *v != 0 : strcmp(v, "0") != 0)
					apply(o, t, v);
				break;
			}
}

int
options_read(struct options *o, int argc, char **argv)
{
	int i;

	o->quick = QUICK;
	push(&o->pass, &o->npass, &o->cappass, "");
	o->npass = 0;
	o->pass[0] = 0;
	fromenv(o);
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const char *a = argv[i] + 1 + (argv[i][1] == '-'), *eq = strchr(a, '=');
		const struct opt *t;

		if (!*a)
			return i + 1;          /* -- */
		t = find(a, strlen(a));
		if (!t && eq && (t = find(a, (size_t)(eq - a))) && *t->arg) {
			apply(o, t, eq + 1);
			continue;
		}
		if (!t)
			diag(D_USAGE, xasprintf("unknown option '%s'", argv[i]));
		if (*t->arg && i + 1 == argc)
			diag(D_USAGE, xasprintf("option '%s' needs %s", argv[i], t->arg));
		apply(o, t, *t->arg ? argv[++i] : "");
	}
	return i;
}
