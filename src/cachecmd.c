/* SPDX-License-Identifier: MIT */
/* cachecmd.c - dragoman cache: what is in the store of translations, and how to tend it */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <time.h>
#include "base/diag.h"
#include "cachecmd.h"
#include "core/store.h"
#include "options.h"

typedef int cmdfn(const struct options *, char **arg);

static const char *
human(u64 n, char *buf)
{
	const char *unit = " KMGT";
	double d = (double)n;

	while (d >= 1024 && unit[1])
		d /= 1024, unit++;
	sprintf(buf, *unit == ' ' ? "%.0f" : "%.1f%c", d, *unit);
	return buf;
}

static int
need(void)
{
	if (store_writable())
		return 1;
	fputs("dragoman: the cache is off: no directory that belongs to this user, can be written, and can be changed by "
	    "no other (-d cache says which was tried)\n", stderr);
	return 0;
}

static int
failed(int err)
{
	fprintf(stderr, "dragoman: %s: %s\n", store_dir(), strerror(-err));
	return 1;
}

static int
stat_(const struct options *o, char **arg)
{
	struct store_usage u = { 0 };
	char size[16], limit[16];
	int r;

	(void)arg;
	printf("directory  %s\n", store_dir());
	if (o->cachero)
		printf("read-only  %s\n", o->cachero);
	if (!store_writable())
		return 0;
	r = store_prune(~(u64)0, &u);
	if (r < 0)
		return failed(r);
	printf("files      %llu\nbytes      %llu (%s)\nlimit      %llu (%s)\n", (unsigned long long)u.files,
	    (unsigned long long)u.bytes, human(u.bytes, size), (unsigned long long)u.limit, human(u.limit, limit));
	return 0;
}

static int
prune(const struct options *o, char **arg)
{
	struct store_usage u;
	char freed[16], left[16];
	u64 want = *arg ? options_number(*arg) : o->cachelimit;
	int r;

	if (!need())
		return 1;
	if (!*arg && !want) {          /* the limit as it is set */
		r = store_prune(~(u64)0, &u);
		want = u.limit;
	}
	r = store_prune(want, &u);
	if (r < 0)
		return failed(r);
	printf("%llu files of %s removed, %llu of %s left\n", (unsigned long long)u.removed, human(u.freed, freed),
	    (unsigned long long)u.files, human(u.bytes, left));
	return 0;
}

static int
clear(const struct options *o, char **arg)
{
	struct store_usage u;
	char freed[16];
	int r;

	(void)o;
	(void)arg;
	if (!need())
		return 1;
	r = store_clear(&u);
	if (r < 0)
		return failed(r);
	printf("%llu files of %s removed\n", (unsigned long long)u.removed, human(u.freed, freed));
	return 0;
}

static const struct command { const char *name; int min, max; cmdfn *fn; } command[] = {
	{ "stat",   0, 0, stat_ },
	{ "clear",  0, 0, clear },
	{ "prune",  0, 1, prune },
};

static const struct command *
find(const char *name)
{
	for (size_t i = 0; name && i < NELEM(command); i++)
		if (!strcmp(command[i].name, name))
			return &command[i];
	return 0;
}

int
cachecmd_is(char **argv)
{
	return !strcmp(argv[0], "cache") && find(argv[1]);
}

int
cachecmd(const struct options *o, char **argv)
{
	const struct command *c = find(argv[0]);
	int n = 0;

	while (argv[1 + n])
		n++;
	if (n < c->min || n > c->max)
		diag(D_USAGE, "cache: wrong number of arguments");
	store_init(&(struct store_options){ .dir = o->cache, .readonly = o->cachero, .limit = o->cachelimit,
	    .secure = getauxval(AT_SECURE) != 0 });
	return c->fn(o, argv + 1);
}
