/* SPDX-License-Identifier: MIT */
/* cachecmd.c - dragoman cache: what is in the store of translations, and how to tend it */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/util.h"
#include "cachecmd.h"
#include "core/image.h"
#include "core/store.h"
#include "options.h"
#include "syscall/fd.h"
#include "warm.h"

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

/* -- files one by one -- */

/* What is wrong with the cache file, or 0 and *i is mapped. */
static const char *
examine(const struct store_entry *e, struct cimage *i)
{
	u8 *p = e->size ? mmap(0, e->size, PROT_READ, MAP_PRIVATE, e->fd, 0) : MAP_FAILED;
	const struct cimage_header *h = (const struct cimage_header *)p;
	struct store_key key;
	const char *why;

	memset(i, 0, sizeof *i);
	if (p == MAP_FAILED)
		return "cannot be mapped";
	if (e->size < sizeof *h) {
		munmap(p, e->size);
		return "too short";
	}
	key = h->key;
	why = store_isname(e->name, &key) ? cimage_check(i, p, e->size, &key) : "another file's name";
	if (why)
		munmap(p, e->size);
	return why;
}

static const char *
ago(s64 seconds, char *buf)
{
	if (seconds < 7200)
		sprintf(buf, "%dm", seconds < 0 ? 0 : (int)(seconds / 60));
	else if (seconds < 172800)
		sprintf(buf, "%dh", (int)(seconds / 3600));
	else
		sprintf(buf, "%dd", (int)(seconds / 86400));
	return buf;
}

static int
listone(void *arg, const struct store_entry *e)
{
	struct cimage i;
	const char *why = examine(e, &i);
	char size[16], age[24];

	(void)arg;
	if (why) {
		printf("%-8s %7s %6s %8s %12s %s (%s)\n", "?", human(e->size, size), ago(time(0) - e->used, age), "-", "-",
		    e->name, why);
		return 0;
	}
	printf("%-8.*s %7s %6s %8u %#12llx %.*s\n", (int)sizeof i.h->guest, (const char *)i.h->guest, human(e->size, size),
	    ago(time(0) - e->used, age), i.nregion, (unsigned long long)i.h->key.delta, (int)i.h->table[T_NAME].n,
	    (const char *)i.base + i.h->table[T_NAME].off);
	munmap(i.base, e->size);
	return 0;
}

static int
list(const struct options *o, char **arg)
{
	int r;

	(void)o;
	(void)arg;
	if (!need())
		return 1;
	printf("%-8s %7s %6s %8s %12s %s\n", "guest", "size", "used", "regions", "address", "file");
	r = store_each(listone, 0);
	return r < 0 ? failed(r) : 0;
}

static int
verifyone(void *arg, const struct store_entry *e)
{
	struct cimage i;
	const char *why = examine(e, &i);

	++*(int *)arg;
	if (why)
		printf("%s: %s: removed\n", e->name, why);
	else
		munmap(i.base, e->size);
	return why != 0;
}

static int
verify(const struct options *o, char **arg)
{
	int n = 0, r;

	(void)o;
	(void)arg;
	if (!need())
		return 1;
	r = store_each(verifyone, &n);
	if (r < 0)
		return failed(r);
	printf("%d files, %d broken\n", n, r);
	return r != 0;
}

static int
warm(const struct options *o, char **arg)
{
	int bad = 0;

	if (!need())
		return 1;
	for (; *arg; arg++)
		bad |= warm_program(o, *arg);
	return bad;
}

static const struct command { const char *name; int min, max; cmdfn *fn; } command[] = {
	{ "stat",   0, 0, stat_ },
	{ "list",   0, 0, list },
	{ "clear",  0, 0, clear },
	{ "prune",  0, 1, prune },
	{ "verify", 0, 0, verify },
	{ "warm",   1, 1 << 20, warm },
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
	    .secure = getauxval(AT_SECURE) != 0, .hide = fd_hide });
	return c->fn(o, argv + 1);
}
