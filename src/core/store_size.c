/* SPDX-License-Identifier: MIT */
/* store_size.c - keeps the user's directory within its limit
 *
 * The file "usage" holds an estimate of what the directory holds, brought up to date by every commit
 * with two small calls.  The directory is read only when the estimate passes the limit, and now
 * and then because estimates drift (killed writers, file systems without locks).  Then the least
 * recently used files go: the mark of use is a file's mtime, which store_open renews once an hour.
 * Whoever has a file mapped keeps it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/util.h"
#include "core/store_own.h"

enum { RECOUNT = 1000, LEFTOVER = 3600 };
static const u32 remote[] = { 0x6969, 0xff534d42, 0xfe534d42 };        /* NFS, CIFS, SMB2 */

struct usage { u64 bytes, commits, sum; };

static int
isremote(void)
{
	struct statfs fs;

	if (fstatfs(store.own, &fs))
		return 1;
	for (size_t i = 0; i < NELEM(remote); i++)
		if ((u32)fs.f_type == remote[i])
			return 1;
	return 0;
}

int
store_lock(u64 byte)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1 };
	int known = store.session[SESSION_LOCK], fd = store_session(SESSION_LOCK);

	if (fd == -EFBIG)
		return fd;
	/* a server that is away would make us wait */
	if (fd >= 0 && !known && isremote()) {
		close(fd);
		fd = store.session[SESSION_LOCK] = -ENOLCK;
	}
	if (fd < 0)
		return -ENOLCK;
	if (!fcntl(fd, F_OFD_SETLK, &l))
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -ENOLCK;
}

/* -- the estimate -- */

static int
readusage(int fd, struct usage *u)
{
	return store_pread(fd, u, sizeof *u, 0) || u->sum != store_sum(u, offsetof(struct usage, sum)) ? -EINVAL : 0;
}

static void
writeusage(int fd, struct usage *u)
{
	u->sum = store_sum(u, offsetof(struct usage, sum));
	store_pwrite(fd, u, sizeof *u, 0);
}

int
store_account(s64 bytes, int n)
{
	int fd = store_session(SESSION_USAGE);
	struct usage u;

	store_lock(LOCK_USAGE);
	if (fd < 0 || readusage(fd, &u))
		return 1;
	u.bytes = bytes < 0 && u.bytes < (u64)-bytes ? 0 : u.bytes + (u64)bytes;
	u.commits += (u64)n;
	writeusage(fd, &u);
	return u.bytes > store.limit || u.commits >= RECOUNT;
}

/* -- the directory -- */

struct file { char name[40]; u64 size; s64 used; };
struct list { struct file *v; int n, cap; };

static int
iscache(const char *name)
{
	return strspn(name, "0123456789abcdef") == 32 && !strcmp(name + 32, ".dgm");
}

static int
byage(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return x->used != y->used ? (x->used > y->used) - (x->used < y->used) : strcmp(x->name, y->name);
}

/* All cache files, oldest first; what killed writers left behind goes at once. */
static int
scan(struct list *l, int all)
{
	int fd = openat(store.own, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	time_t now = time(0);
	struct dirent *e;
	struct stat st;
	DIR *d = fd >= 0 ? fdopendir(fd) : 0;

	if (!d) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return r;
	}
	while ((e = readdir(d))) {
		int temp = !strncmp(e->d_name, "tmp.", 4);

		if ((!temp && !iscache(e->d_name)) || fstatat(store.own, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		if (temp) {
			if (all || st.st_mtime < now - LEFTOVER)
				unlinkat(store.own, e->d_name, 0);
			continue;
		}
		grow(&l->v, l->n, &l->cap, sizeof *l->v);
		snprintf(l->v[l->n].name, sizeof l->v->name, "%.39s", e->d_name);
		l->v[l->n].size = (u64)st.st_size;
		l->v[l->n++].used = st.st_mtime;
	}
	closedir(d);
	qsort(l->v, (size_t)l->n, sizeof *l->v, byage);
	return 0;
}

static void
shrink(const struct list *l, u64 bytes, struct store_usage *u)
{
	for (int i = 0; i < l->n && u->bytes > bytes; i++)
		if (!unlinkat(store.own, l->v[i].name, 0)) {
			u->bytes -= l->v[i].size;
			u->files--;
			u->freed += l->v[i].size;
			u->removed++;
		}
	if (u->removed && logging(LOG_CACHE))
		log_print("cache: pruned %llu files of %llu bytes; %llu files of %llu bytes are left\n",
		    (unsigned long long)u->removed, (unsigned long long)u->freed, (unsigned long long)u->files,
		    (unsigned long long)u->bytes);
}

static int
prune(u64 bytes, int all, struct store_usage *u)
{
	struct list l = { 0 };
	struct usage now = { 0 };
	int r = scan(&l, all), fd;

	if (r)
		return r;
	for (int i = 0; i < l.n; i++)
		u->bytes += l.v[i].size;
	u->files = (u64)l.n;
	if (u->bytes > bytes)
		shrink(&l, bytes, u);
	free(l.v);
	now.bytes = u->bytes;
	fd = store_session(SESSION_USAGE);
	if (fd >= 0)
		writeusage(fd, &now);
	return 0;
}

int
store_prune(u64 bytes, struct store_usage *out)
{
	struct store_usage u = { .limit = store.limit };
	int lock, r;

	if (store.own < 0)
		return -ENOENT;
	lock = store_lock(LOCK_PRUNE);
	/* nobody asked for it: a little more than needed, so that the next commit need not do it again */
	if (!out && lock == -EBUSY)
		return 0;
	if (!out && bytes != ~(u64)0)
		bytes -= bytes / 8;
	r = prune(bytes, 0, &u);
	store_endsession();
	if (out)
		*out = u;
	return r;
}

int
store_clear(struct store_usage *out)
{
	struct store_usage u = { .limit = store.limit };
	int r;

	if (store.own < 0)
		return -ENOENT;
	r = prune(0, 1, &u);
	store_endsession();
	unlinkat(store.own, "identities", 0);
	unlinkat(store.own, "ran", 0);
	if (out)
		*out = u;
	return r;
}

int
store_each(int (*f)(void *, const struct store_entry *), void *arg)
{
	struct list l = { 0 };
	int r, bad = 0;

	if (store.own < 0)
		return -ENOENT;
	r = scan(&l, 0);
	for (int i = 0; !r && i < l.n; i++) {
		struct stat st;
		int fd = store_openfile(store.own, l.v[i].name, O_RDONLY, 0, &st);
		struct store_entry e = { l.v[i].name, fd, l.v[i].size, l.v[i].used };

		if (fd == -ENOENT)
			continue;
		/* what cannot be trusted cannot be used either */
		if (fd < 0 || f(arg, &e))
			bad += !unlinkat(store.own, l.v[i].name, 0);
		if (fd >= 0)
			close(fd);
	}
	free(l.v);
	return r ? r : bad;
}
