/* SPDX-License-Identifier: MIT */
/* store.c - cache files by key: opened, and replaced by renaming */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "base/diag.h"
#include "core/store_own.h"

static const u64 LIMIT = (u64)2 << 30;
enum { USED_EVERY = 3600, LOCK_SPREAD = 1 << 30 };

struct store store = { .own = -1, .identities = -1, .limit = (u64)2 << 30, .dir = "off" };

/* -- words -- */

int
store_pread(int fd, void *p, size_t n, u64 off)
{
	for (size_t got = 0; got < n; ) {
		ssize_t r = pread(fd, (u8 *)p + got, n - got, (off_t)(off + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -ENODATA;
		got += (size_t)r;
	}
	return 0;
}

int
store_pwrite(int fd, const void *p, size_t n, u64 off)
{
	for (size_t done = 0; done < n; ) {
		ssize_t r = pwrite(fd, (const u8 *)p + done, n - done, (off_t)(off + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -EIO;
		done += (size_t)r;
	}
	return 0;
}

/* n is a multiple of 8.  An all-zero record does not sum to zero. */
u64
store_sum(const void *p, size_t n)
{
	u64 h = 0x6472616d31000001u ^ n;

	for (size_t i = 0; i < n; i += 8) {
		h ^= ld64((const u8 *)p + i);
		h *= 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return h;
}

/* -- opening -- */

static void
say(const char *what, const char *dir, int err)
{
	if (logging(LOG_CACHE))
		log_print("cache: %s %s: %s\n", what, dir, err ? strerror(err) : "used");
}

static int
hidden(const struct store_options *o, int fd)
{
	return fd >= 0 && o->hide ? o->hide(fd) : fd;
}

/* Backup programs skip a directory with this file in it. */
static void
tag(void)
{
	static const char text[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
	    "# This directory holds translations of foreign programs; see dragoman's README.  All of it may be deleted.\n";
	int fd = openat(store.own, "CACHEDIR.TAG", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0) {
		store_pwrite(fd, text, sizeof text - 1, 0);
		close(fd);
	}
}

static void
openown(const struct store_options *o)
{
	struct stat st;
	int fd, made = 0;

	if (o->dir && !strcmp(o->dir, "off"))
		return;
	if (o->dir)
		snprintf(store.dir, sizeof store.dir, "%s", o->dir);
	else if (store_default(store.dir, store.uid))
		strcpy(store.dir, "off");
	fd = *store.dir == '/' ? store_opendir(store.dir, store.uid, 0, 0) : -ENOENT;
	if (fd == -ENOENT && *store.dir == '/' && !o->found)
		made = fd = store_opendir(store.dir, store.uid, 0, 1);
	say("directory", store.dir, fd < 0 ? -fd : 0);
	if (fd < 0) {
		strcpy(store.dir, "off");
		return;
	}
	store.own = hidden(o, fd);
	if (made)
		tag();
	/* only to read: a guest that gives up its user's rights must not keep the right to write here */
	fd = store_openfile(store.own, "identities", O_RDONLY, 0, &st);
	if (fd == -ENOENT)
		fd = store_openfile(store.own, "identities", O_RDONLY | O_CREAT, 0, &st);
	store.identities = hidden(o, fd < 0 ? -1 : fd);
}

static void
openreadonly(const struct store_options *o)
{
	char list[STORE_PATH], *next = list, *dir;

	if (!o->readonly || strlen(o->readonly) >= sizeof list)
		return;
	strcpy(list, o->readonly);
	while ((dir = strsep(&next, ":"))) {
		int fd = *dir && store.nro < STORE_READONLY ? store_opendir(dir, store.uid, 1, 0) : -ENOENT;

		say("read-only directory", dir, fd < 0 ? -fd : 0);
		if (fd >= 0)
			store.rofd[store.nro++] = hidden(o, fd);
	}
}

void
store_init(const struct store_options *o)
{
	store.uid = geteuid();
	store.limit = o->limit ? o->limit : LIMIT;
	/* another user's privileges: neither his files nor ours decide what runs */
	if (o->secure)
		return;
	openown(o);
	openreadonly(o);
}

int store_on(void) { return store.own >= 0 || store.nro > 0; }
int store_writable(void) { return store.own >= 0; }
const char *store_dir(void) { return store.dir; }

/* -- writing -- */

/* The guest has set no limit to the size of files (RLIMIT_FSIZE): a write beyond it would signal the guest. */
static int
nolimit(void)
{
	struct rlimit l;

	return !getrlimit(RLIMIT_FSIZE, &l) && l.rlim_cur == RLIM_INFINITY;
}

int
store_session(enum store_session which)
{
	static const char *const name[NSESSION] = { "lock", "identities", "usage", "ran" };
	int *s = &store.session[which];
	struct stat st;

	if (!*s) {
		int fd = store.own < 0 ? -ENOENT : !nolimit() ? -EFBIG :
		    store_openfile(store.own, name[which], O_RDWR | O_CREAT, 0, &st);

		*s = fd < 0 ? fd : fd + 1;
	}
	return *s < 0 ? *s : *s - 1;
}

void
store_endsession(void)
{
	for (int i = 0; i < NSESSION; i++) {
		if (!store.session[i])
			continue;
		if (store.session[i] > 0)
			close(store.session[i] - 1);
		store.session[i] = 0;
	}
}

void
store_done(void)
{
	if (store.commits) {
		if (store_account(store.grown, store.commits))
			store_prune(store.limit, 0);
		store.grown = store.commits = 0;
	}
	store_endsession();
}

/* -- files -- */

/* Two sums of 64 bits.  Keys that fall together by accident would take turns; a cache file says whose it is. */
static void
filename(const struct store_key *k, char *name)
{
	struct { u64 salt; struct store_key k; } twice = { 0, *k };
	u64 h[2];

	_Static_assert(sizeof twice == 64, "no padding: it is summed as bytes");
	for (int i = 0; i < 2; i++) {
		twice.salt = (u64)i;
		h[i] = store_sum(&twice, sizeof twice);
	}
	for (int i = 0; i < 32; i++)
		name[i] = "0123456789abcdef"[h[i / 16] >> i % 16 * 4 & 15];
	strcpy(name + 32, ".dgm");
}

int
store_isname(const char *name, const struct store_key *k)
{
	char want[40];

	filename(k, want);
	return !strcmp(name, want);
}

/* mtime says when it was last of use. */
static void
used(int fd, const struct stat *st)
{
	if (st->st_mtime < time(0) - USED_EVERY)
		futimens(fd, 0);
}

int
store_open(const struct store_key *k)
{
	char name[40];
	struct stat st;
	int fd = -ENOENT;

	filename(k, name);
	if (store.own >= 0)
		fd = store_openfile(store.own, name, O_RDONLY, 0, &st);
	if (fd >= 0)
		used(fd, &st);
	for (int i = 0; fd < 0 && i < store.nro; i++)
		fd = store_openfile(store.rofd[i], name, O_RDONLY, 1, &st);
	return fd < 0 ? -ENOENT : fd;
}

void
store_bad(const struct store_key *k)
{
	char name[40];

	filename(k, name);
	if (store.own >= 0 && !unlinkat(store.own, name, 0) && logging(LOG_CACHE))
		log_print("cache: %s is broken: removed\n", name);
}

int
store_begin(const struct store_key *k, struct store_file *f)
{
	static u32 serial;
	int r;

	if (store.own < 0)
		return -ENOENT;
	filename(k, f->name);
	r = store_lock(LOCK_KEYS + store_sum(f->name, 32) % LOCK_SPREAD);
	if (r == -EBUSY || r == -EFBIG)
		return r;
	for (int try = 0; try < 8; try++) {
		struct timespec t;

		clock_gettime(CLOCK_REALTIME, &t);
		snprintf(f->temp, sizeof f->temp, "tmp.%x.%llx.%x", (unsigned)getpid(),
		    (unsigned long long)t.tv_sec << 30 | (unsigned long long)t.tv_nsec, serial++);
		f->fd = openat(store.own, f->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (f->fd >= 0 || errno != EEXIST)
			break;
	}
	return f->fd < 0 ? -errno : 0;
}

/* Not synchronised to the disk: what a crash of the machine leaves is found broken and made anew.  close tells of
 * a full disk on file systems that write late (NFS). */
int
store_commit(struct store_file *f)
{
	struct stat st, old;
	int r = fstat(f->fd, &st) ? -errno : 0;

	if (fstatat(store.own, f->name, &old, AT_SYMLINK_NOFOLLOW))
		old.st_size = 0;
	if (close(f->fd) && !r)
		r = -errno;
	if (!r && renameat(store.own, f->temp, store.own, f->name))
		r = -errno;
	if (r)
		unlinkat(store.own, f->temp, 0);
	if (!r) {
		store.grown += (s64)st.st_size - (s64)old.st_size;
		store.commits++;
	}
	if (logging(LOG_CACHE))
		log_print("cache: %s: %s\n", f->name, r ? strerror(-r) : "written");
	return r;
}

void
store_abort(struct store_file *f)
{
	close(f->fd);
	unlinkat(store.own, f->temp, 0);
}
