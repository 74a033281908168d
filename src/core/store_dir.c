/* SPDX-License-Identifier: MIT */
/* store_dir.c - which directories and files the store believes
 *
 * The rule is that of ssh's StrictModes: what decides which code runs may be changed by the user and by root
 * only.  A name is walked component by component from the root, each opened relative to the one
 * before without following links, so that nothing can be exchanged between the check and the use.
 * Where every directory on the way belongs to the user or root, nobody else can exchange anything anyhow:
 * then it is enough to look at each by its full name (isplain).
 * A symbolic link is followed here, by us, if root or the user made it: home directories behind
 * links are common.  A directory all may write (/tmp) is passed through if it is sticky. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "core/store_own.h"

enum { LINKS_MAX = 40 };
/* The user that a user namespace shows for those it does not know: whose it really is cannot be told.  Such
 * a directory may be passed through (the root of a sandbox looks so), but is never the store. */
static const uid_t NOBODY = 65534;

static int
others_write(const struct stat *st)
{
	return (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static int
trusted(const struct stat *st, uid_t uid, int root)
{
	return st->st_uid != NOBODY && (st->st_uid == uid || (root && !st->st_uid)) && !others_write(st);
}

/* A directory on the way. */
static int
passable(const struct stat *st, uid_t uid)
{
	if (!S_ISDIR(st->st_mode) || (st->st_uid != uid && st->st_uid && st->st_uid != NOBODY))
		return 0;
	return !others_write(st) || (st->st_mode & S_ISVTX && st->st_uid != NOBODY);
}

/* The link name in dir: its target before the rest of the walk. */
static int
readlinkto(int dir, const char *name, uid_t uid, char *rest)
{
	char link[STORE_PATH], tail[STORE_PATH];
	struct stat st;
	ssize_t n;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISLNK(st.st_mode))
		return -ENOTDIR;
	if (st.st_uid != uid && st.st_uid)
		return -EPERM;
	n = readlinkat(dir, name, link, sizeof link - 1);
	if (n < 0)
		return -errno;
	link[n] = 0;
	strcpy(tail, rest);
	return snprintf(rest, STORE_PATH, "%s/%s", link, tail) >= STORE_PATH ? -ENAMETOOLONG : 0;
}

/* One component below dir; the new descriptor, or -ELOOP for a link. */
static int
enter(int dir, const char *name, uid_t uid, int make)
{
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, fd = openat(dir, name, flags);
	struct stat st;

	if (fd < 0 && errno == ENOENT && make) {
		if (mkdirat(dir, name, 0700) && errno != EEXIST)
			return -errno;
		fd = openat(dir, name, flags);
	}
	if (fd < 0)            /* a link is no directory */
		return errno == ENOTDIR ? -ELOOP : -errno;
	if (fstat(fd, &st) || !passable(&st, uid)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

static int
walk(const char *name, uid_t uid, int make)
{
	char rest[STORE_PATH], c[NAME_MAX + 1];
	int dir, links = 0, r = 0;

	if (*name != '/' || strlen(name) >= sizeof rest)
		return -EINVAL;
	strcpy(rest, name);
	dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (dir >= 0) {
		size_t skip = strspn(rest, "/"), n = strcspn(rest + skip, "/");

		if (!n)
			break;
		r = n > NAME_MAX ? -ENAMETOOLONG : 0;
		if (r)
			break;
		memcpy(c, rest + skip, n);
		c[n] = 0;
		memmove(rest, rest + skip + n, strlen(rest + skip + n) + 1);
		r = enter(dir, c, uid, make);
		if (r == -ELOOP && ++links <= LINKS_MAX) {
			r = readlinkto(dir, c, uid, rest);
			if (!r && *rest == '/')
				r = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
			else if (!r)
				continue;
		}
		if (r < 0)
			break;
		close(dir);
		dir = r;
		r = 0;
	}
	if (r < 0 && dir >= 0)
		close(dir);
	return r < 0 ? r : dir;
}

/* All above the last component are directories, of owners we know, that we may pass: from the root on, nobody else
 * can give the next name another meaning. */
static int
isplain(const char *name, uid_t uid)
{
	char upto[STORE_PATH];
	size_t n = 1;
	struct stat st;

	if (*name != '/' || strlen(name) >= sizeof upto)
		return 0;
	strcpy(upto, name);
	do {
		upto[n] = 0;
		if (lstat(upto, &st) || !passable(&st, uid) || st.st_uid == NOBODY)
			return 0;
		upto[n] = name[n];
		n += strspn(name + n, "/");
		n += strcspn(name + n, "/");
	} while (name[n]);
	return 1;
}

int
store_opendir(const char *name, uid_t uid, int root, int make)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;  /* can be read: for prune */
	int dir = -1, fd = isplain(name, uid) ? open(name, flags | O_NOFOLLOW) : -1;
	struct stat st;

	if (fd < 0 && (dir = walk(name, uid, make)) < 0)
		return dir;
	if (fd < 0) {
		fd = openat(dir, ".", flags);
		if (fd < 0)
			fd = -errno;
		close(dir);
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !trusted(&st, uid, root)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

int
store_openfile(int dir, const char *name, int flags, int root, struct stat *st)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return -errno;
	if (fstat(fd, st) || !S_ISREG(st->st_mode) || !trusted(st, store.uid, root)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}

/* -- the default -- */

/* The home directory in a line of /etc/passwd, name:password:uid:gid:text:home:shell.  No NSS:
 * a static program cannot have it. */
static const char *
homeof(char *line, uid_t uid)
{
	char *field[7];

	for (int i = 0; i < 7; i++)
		if (!(field[i] = strsep(&line, ":")))
			return 0;
	return strtoul(field[2], 0, 10) == uid && *field[5] == '/' ? field[5] : 0;
}

static int
passwd(char *out, size_t size, uid_t uid)
{
	FILE *f = fopen("/etc/passwd", "re");
	char line[1024];
	const char *home = 0;

	while (f && !home && fgets(line, sizeof line, f))
		home = homeof(line, uid);
	if (home)
		snprintf(out, size, "%s", home);
	if (f)
		fclose(f);
	return home ? 0 : -ENOENT;
}

int
store_default(char *out, uid_t uid)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char dir[STORE_PATH / 2];

	if (cache && *cache == '/')
		return snprintf(out, STORE_PATH, "%s/dragoman", cache) < STORE_PATH ? 0 : -ENAMETOOLONG;
	if (!home || *home != '/') {
		if (passwd(dir, sizeof dir, uid))
			return -ENOENT;
		home = dir;
	}
	return snprintf(out, STORE_PATH, "%s/.cache/dragoman", home) < STORE_PATH ? 0 : -ENAMETOOLONG;
}
