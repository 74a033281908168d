/* SPDX-License-Identifier: MIT */
/* root.c - names below a directory that is taken for the root, links inside it included
 *
 * What openat2's RESOLVE_IN_ROOT does, for those who need the name rather than a descriptor or
 * have neither that call nor a /proc to ask for a descriptor's name. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/root.h"

enum { LINKS_MAX = 40 };               /* as Linux */

int
root_tidy(const char *name)
{
	name += *name == '/';
	for (size_t n; *name; name += n + (name[n] == '/' && name[n + 1])) {
		n = strcspn(name, "/");
		if (!n || (name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.'))))
			return 0;
	}
	return 1;
}

int
root_open(const char *name, int *real)
{
	enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };
	struct open_how h = {.flags = FLAGS, .resolve = RESOLVE_NO_SYMLINKS};
	int fd = *name == '/' && root_tidy(name) ? (int)syscall(SYS_openat2, AT_FDCWD, name, &h, sizeof h) : -1;

	*real = fd >= 0;
	return fd >= 0 ? fd : open(name, FLAGS);
}

/* Appends the component c (n bytes) to the path below the prefix in out; ".." goes up. */
static int
append(char *out, size_t root, const char *c, size_t n)
{
	size_t len = strlen(out);

	if (n == 1 && *c == '.')
		return 0;
	if (n == 2 && c[0] == '.' && c[1] == '.') {
		while (len > root && out[len - 1] != '/')
			len--;
		out[len > root ? len - 1 : root] = 0;
		return 0;
	}
	if (len + 1 + n >= ROOT_PATH)
		return -ENAMETOOLONG;
	out[len] = '/';
	memcpy(out + len + 1, c, n);
	out[len + 1 + n] = 0;
	return 0;
}

/* If out is a link, puts its target before the rest still to be walked and goes back to where
 * the target starts. */
static int
follow(char *out, size_t root, char *rest, int *links)
{
	char link[ROOT_PATH];
	ssize_t n = readlink(out, link, sizeof link - 1);
	size_t len = strlen(out), tail = strlen(rest);

	if (n < 0)
		return errno == EINVAL ? 0 : -errno;
	if (++*links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)n + 1 + tail >= ROOT_PATH)
		return -ENAMETOOLONG;
	memmove(rest + n + 1, rest, tail + 1);
	memcpy(rest, link, (size_t)n);
	rest[n] = '/';
	if (*link == '/') {
		out[root] = 0;
		return 0;
	}
	while (len > root && out[len - 1] != '/')
		len--;
	out[len > root ? len - 1 : root] = 0;
	return 0;
}

int
root_walk(const char *prefix, const char *name, int last, char *out)
{
	char rest[ROOT_PATH];
	size_t root = strlen(prefix);
	int links = 0, r;

	while (root > 1 && prefix[root - 1] == '/')
		root--;
	if (root >= ROOT_PATH || strlen(name) >= sizeof rest)
		return -ENAMETOOLONG;
	memcpy(out, prefix, root);
	out[root] = 0;
	strcpy(rest, name);
	for (;;) {
		size_t skip = strspn(rest, "/"), n = strcspn(rest + skip, "/");
		char c[NAME_MAX + 1];

		if (!n)
			break;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(c, rest + skip, n);
		memmove(rest, rest + skip + n, strlen(rest + skip + n) + 1);
		r = append(out, root, c, n);
		if (!r && out[root] && (last || *rest))
			r = follow(out, root, rest, &links);
		if (r)
			return r;
	}
	return faccessat(AT_FDCWD, out, F_OK, last ? 0 : AT_SYMLINK_NOFOLLOW) ? -errno : 0;
}
