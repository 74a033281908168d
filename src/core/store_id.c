/* SPDX-License-Identifier: MIT */
/* store_id.c - what names a guest file's cache files, and what has been found out about file and cache file
 *
 * The file "identities" is a hash table of fixed size: a set of slots is chosen by device and inode, read with
 * one call and compared in full.  Records are written in place, without a lock: one that was
 * torn or flipped does not fit its checksum and is nobody's.  Read, not mapped: a file that
 * someone truncates must not kill the guest.
 *
 * A state of a file is remembered only if it was last changed some time before it was read (git's racy-timestamp
 * rule): a second change within one tick of the file system's clock would leave no trace. */
#include <blake2.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>
#include "core/store_own.h"

enum {
	WAYS = 8, SETS = 1024,
	RACY = 2,                      /* seconds: the coarsest clock of a file system (FAT) */
	EDGE = 4096,                   /* bytes at either end of a guest file */
};

struct stamp { u64 dev, ino, size; s64 mtime, mnsec, ctime, cnsec; };
struct record {
	struct stamp file;             /* a guest file in this state */
	struct store_id id;            /* is called so, */
	u64 key;                       /* (sum of a key with that name) */
	struct store_id grains;        /* and has these grains; */
	struct stamp image;            /* a cache file in this state, or 0, */
	u64 headsum;                   /* with this head, is sound */
	u64 sum;
};
_Static_assert(sizeof(struct record) == 200, "no padding: it is compared and summed as bytes");

/* the set read last: a file is identified, and then asked about */
static struct { u64 at; int ok; struct record v[WAYS]; } last;

void
store_forget(void)
{
	last.ok = 0;
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

static u64 sumofkey(const struct store_key *key) { return store_sum(key, sizeof *key); }

static void
readset(const struct stamp *file)
{
	last.at = setof(file);
	last.ok = store.identities >= 0 && !store_pread(store.identities, last.v, sizeof last.v, last.at);
}

/* The next record of the file after r, in the set that was read; or 0. */
static const struct record *
next(const struct stamp *file, const struct record *r)
{
	for (r = r ? r + 1 : last.v; last.ok && r < last.v + WAYS; r++)
		if (same(&r->file, file) && r->sum == sumof(r))
			return r;
	return 0;
}

void
store_hash(const void *p, size_t n, struct store_id *id)
{
	blake2b(id->byte, p, 0, sizeof id->byte, n, 0);
}

/* Where an ELF file has its headers, its build-id and its section headers. */
static int
sketch(int fd, u64 size, struct store_id *id)
{
	struct { u64 size; u8 head[EDGE], tail[EDGE]; } edges = { .size = size };
	u64 head = size < EDGE ? size : EDGE, tail = size - head < EDGE ? size - head : EDGE;
	int r = store_pread(fd, edges.head, head, 0);

	if (!r && tail)
		r = store_pread(fd, edges.tail, tail, size - tail);
	store_hash(&edges, sizeof edges, id);
	return r;
}

int
store_identify(int fd, const struct stat *st, struct store_id *id)
{
	struct stamp file = stampof(st);
	const struct record *r;

	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	readset(&file);
	if (!(r = next(&file, 0)))
		return sketch(fd, file.size, id);
	*id = r->id;
	return 0;
}

static int
isracy(const struct stamp *s)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return s->mtime >= now.tv_sec - RACY || s->ctime >= now.tv_sec - RACY;
}

/* The record of a file and the sum of a key, or 0. */
static const struct record *
recall(const struct stat *st, u64 key)
{
	struct stamp file = stampof(st);
	const struct record *r = 0;

	if (!last.ok || last.at != setof(&file))
		readset(&file);
	while ((r = next(&file, r)) && r->key != key)
		;
	return r;
}

int
store_known(const struct stat *st, const struct store_key *key, const struct store_found *f)
{
	const struct record *r = recall(st, sumofkey(key));
	struct stamp image = stampof(f->image);

	if (!r)
		return 0;
	return (memcmp(&r->grains, f->grains, sizeof r->grains) ? 0 : KNOWN_GRAINS) |
	    (same(&r->image, &image) && r->headsum == f->headsum ? KNOWN_SOUND : 0);
}

u64
store_dice(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((u64)t.tv_nsec ^ (u64)getpid() << 32) * 0x9e3779b97f4a7c15 >> 48;
}

/* Into a slot of the set that is free, broken, of an older state of the file or of an older one of the image; else
 * into any, but not always the same: two keys of one file would drive each other out for ever. */
static void
remember(const struct record *r)
{
	int slot = (int)(store_dice() % WAYS), fd = store_session(SESSION_IDENTITIES);

	if (fd < 0)
		return;
	last.at = setof(&r->file);
	last.ok = !store_pread(fd, last.v, sizeof last.v, last.at);
	if (!last.ok)
		memset(last.v, 0, sizeof last.v);
	for (int i = 0; i < WAYS; i++) {
		const struct record *o = &last.v[i];

		if (o->sum != sumof(o) || (o->file.dev == r->file.dev && o->file.ino == r->file.ino &&
		    (o->key == r->key || !same(&o->file, &r->file))))
			slot = i;
	}
	last.v[slot] = *r;
	last.ok = !store_pwrite(fd, r, sizeof *r, last.at + (u64)slot * sizeof *r);
}

int
store_met(const struct stat *file, const struct store_key *key)
{
	return recall(file, sumofkey(key)) != 0;
}

/* No grains have the hash 0. */
void
store_meet(const struct stat *file, const struct store_key *key)
{
	struct record r = { .file = stampof(file), .id = key->file, .key = sumofkey(key) };

	r.sum = sumof(&r);
	store_forget();                /* another process may have learnt more */
	if (!store_met(file, key))
		remember(&r);
}

/* The record of a wish is beside the key's own: whoever reads that one need not care. */
static u64 wish(const struct store_key *key) { return ~sumofkey(key); }

int
store_wanted(const struct stat *file, const struct store_key *key, u64 headsum)
{
	const struct record *r = recall(file, wish(key));

	return r && r->headsum == headsum;
}

void
store_want(const struct stat *file, const struct store_key *key, u64 headsum)
{
	struct record r = { .file = stampof(file), .id = key->file, .key = wish(key), .headsum = headsum };

	r.sum = sumof(&r);
	remember(&r);
}

void
store_learn(const struct stat *file, const struct store_key *key, const struct store_found *f)
{
	struct record r = { .file = stampof(file), .id = key->file, .key = sumofkey(key), .grains = *f->grains };

	if (isracy(&r.file))
		return;
	if (f->image) {
		r.image = stampof(f->image);
		r.headsum = f->headsum;
		if (isracy(&r.image)) {
			if (store_known(file, key, f) & KNOWN_GRAINS)
				return;        /* nothing new */
			memset(&r.image, 0, sizeof r.image);
		}
	}
	r.sum = sumof(&r);
	remember(&r);
}
