/* SPDX-License-Identifier: MIT */
/* store_id.c - the content of a guest file, and that a cache file is sound, known by the file's timestamps
 *
 * The file "identities" is a hash table of fixed size: a set of slots is chosen by device and inode, read with
 * one call and compared in full.  Records are written in place, without a lock: one that was
 * torn or flipped does not fit its checksum and is nobody's.  Read, not mapped: a file that
 * someone truncates must not kill the guest.
 *
 * The file "names" tells people whose content it is: a line is added when one is remembered.
 *
 * A file is remembered only if it was last changed some time before it was read (git's racy-timestamp
 * rule): a second change within one tick of the file system's clock would leave no trace. */
#include <blake2.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/util.h"
#include "core/store_own.h"

enum {
	WAYS = 4, SETS = 4096,
	RACY = 2,                      /* seconds: the coarsest clock of a file system (FAT) */
	CHUNK = 256 << 10, NAMES_MAX = 4 << 20,
};
static const u64 FILE_MAX = (u64)1 << 30;      /* larger ones would take seconds */

struct stamp { u64 dev, ino, size; s64 mtime, mnsec, ctime, cnsec; };
struct record { struct stamp stamp; struct store_id id; u64 sum; };
_Static_assert(sizeof(struct record) == 96, "no padding: it is compared and summed as bytes");

/* what this process has asked already */
static struct { struct record *v; int n, cap; } known;

void
store_forget(void)
{
	known.n = 0;
}

static struct stamp
stampof(const struct stat *st)
{
	return (struct stamp){ st->st_dev, st->st_ino, (u64)st->st_size, st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	    st->st_ctim.tv_sec, st->st_ctim.tv_nsec };
}

static int
same(const struct stamp *a, const struct stamp *b)
{
	return !memcmp(a, b, sizeof *a);
}

static u64
setof(const struct stamp *s)
{
	return store_sum(s, offsetof(struct stamp, size)) % SETS * (WAYS * sizeof(struct record));
}

static u64
sumof(const struct record *r)
{
	return store_sum(r, offsetof(struct record, sum));
}

static int
recall(const struct stamp *s, struct store_id *id)
{
	struct record set[WAYS];

	if (store.identities < 0 || store_pread(store.identities, set, sizeof set, setof(s)))
		return 0;
	for (int i = 0; i < WAYS; i++)
		if (same(&set[i].stamp, s) && set[i].sum == sumof(&set[i])) {
			*id = set[i].id;
			return 1;
		}
	return 0;
}

static int
asked(const struct stamp *s, struct store_id *id)
{
	for (int i = 0; i < known.n; i++)
		if (same(&known.v[i].stamp, s)) {
			*id = known.v[i].id;
			return 1;
		}
	return 0;
}

static void
learn(const struct record *r)
{
	for (int i = 0; i < known.n; i++)
		if (same(&known.v[i].stamp, &r->stamp))
			return;
	known.v = grow(known.v, known.n, &known.cap, sizeof *known.v);
	known.v[known.n++] = *r;
}

/* Into a slot of the set that is free, broken, or of an older state of the file; else into any. */
static void
remember(const struct record *r)
{
	struct record set[WAYS];
	u64 at = setof(&r->stamp);
	int slot = (int)(r->sum % WAYS), fd;
	struct stat st;

	if (store.own < 0 || !store_nolimit() ||
	    (fd = store_openfile(store.own, "identities", O_RDWR | O_CREAT, 0, &st)) < 0)
		return;
	if (store_pread(fd, set, sizeof set, at))
		memset(set, 0, sizeof set);
	for (int i = 0; i < WAYS; i++)
		if (set[i].sum != sumof(&set[i]) || (set[i].stamp.dev == r->stamp.dev && set[i].stamp.ino == r->stamp.ino))
			slot = i;
	store_pwrite(fd, r, sizeof *r, at + (u64)slot * sizeof *r);
	close(fd);
}

static void
hex(const struct store_id *id, char *text)
{
	for (size_t i = 0; i < sizeof id->byte; i++)
		sprintf(text + 2 * i, "%02x", id->byte[i]);
}

/* One write to the end of the file: lines of several processes do not mix. */
static void
note(int fd, const struct store_id *id)
{
	char link[32], line[2 * sizeof id->byte + STORE_PATH + 2];
	struct stat st;
	size_t at = 2 * sizeof id->byte;
	int names = store_openfile(store.own, "names", O_WRONLY | O_APPEND | O_CREAT, 0, &st);
	ssize_t n;

	if (names < 0)
		return;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, line + at + 1, STORE_PATH);
	if (n > 0 && st.st_size < NAMES_MAX) {
		hex(id, line);
		line[at] = ' ';
		line[at + 1 + (size_t)n] = '\n';
		n = write(names, line, at + 2 + (size_t)n);
	}
	close(names);
}

void
store_names(void (*f)(void *, const struct store_id *, const char *), void *arg)
{
	struct stat st;
	int fd = store.own < 0 ? -1 : store_openfile(store.own, "names", O_RDONLY, 0, &st);
	FILE *in = fd < 0 ? 0 : fdopen(fd, "r");
	char line[2 * sizeof(struct store_id) + STORE_PATH + 2];

	while (in && fgets(line, sizeof line, in)) {
		struct store_id id;
		size_t i;

		line[strcspn(line, "\n")] = 0;
		for (i = 0; i < sizeof id.byte && sscanf(line + 2 * i, "%2hhx", &id.byte[i]) == 1; i++)
			continue;
		if (i == sizeof id.byte && line[2 * i] == ' ')
			f(arg, &id, line + 2 * i + 1);
	}
	if (in)
		fclose(in);
}

static int
hashfile(int fd, u64 size, struct store_id *id)
{
	u8 *buf = xmalloc(CHUNK);
	blake2b_state b;
	int r = 0;

	blake2b_init(&b, sizeof id->byte);
	for (u64 at = 0; !r && at < size; at += CHUNK) {
		size_t n = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

		r = store_pread(fd, buf, n, at);
		blake2b_update(&b, buf, n);
	}
	blake2b_final(&b, id->byte, sizeof id->byte);
	free(buf);
	return r;
}

static int
isracy(const struct stamp *s)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return s->mtime >= now.tv_sec - RACY || s->ctime >= now.tv_sec - RACY;
}

int
store_identify(int fd, struct store_id *id)
{
	struct record r;
	struct stat st;
	int racy, err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (u64)st.st_size > FILE_MAX)
		return -EINVAL;
	memset(&r, 0, sizeof r);
	r.stamp = stampof(&st);
	if (!asked(&r.stamp, id) && !recall(&r.stamp, id)) {
		racy = isracy(&r.stamp);       /* asked before it is read */
		err = hashfile(fd, r.stamp.size, &r.id);
		if (err)
			return err;
		if (fstat(fd, &st))
			return -errno;
		struct stamp after = stampof(&st);
		if (!same(&r.stamp, &after))
			return -EAGAIN;        /* it is being written */
		r.sum = sumof(&r);
		*id = r.id;
		if (racy)
			return 0;
		remember(&r);
		if (store.own >= 0 && store_nolimit())
			note(fd, &r.id);
	}
	r.id = *id;
	learn(&r);
	return 0;
}

/* -- cache files -- */

static struct record
seal(const struct stat *st, const u64 sum[2])
{
	static const u8 what[8] = "checked";           /* no content's sum begins so, but by accident */
	struct record r;

	memset(&r, 0, sizeof r);
	r.stamp = stampof(st);
	memcpy(r.id.byte, what, sizeof what);
	memcpy(r.id.byte + sizeof what, sum, 2 * sizeof *sum);
	r.sum = sumof(&r);
	return r;
}

int
store_known(const struct stat *st, const u64 sum[2])
{
	struct record r = seal(st, sum);
	struct store_id id;

	if (recall(&r.stamp, &id) && !memcmp(&id, &r.id, sizeof id))
		return 1;
	return isracy(&r.stamp) ? -1 : 0;
}

void
store_learn(int fd, const struct stat *st, const u64 sum[2])
{
	struct record r = seal(st, sum);
	struct stamp after;
	struct stat now;

	if (fstat(fd, &now))
		return;
	after = stampof(&now);
	if (same(&r.stamp, &after))
		remember(&r);
}
