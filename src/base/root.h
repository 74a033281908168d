/* SPDX-License-Identifier: MIT */
/* root.h - names below a directory that is taken for the root */
#ifndef BASE_ROOT_H
#define BASE_ROOT_H

enum { ROOT_PATH = 4096 };

/* Walks name below the directory prefix; out (ROOT_PATH bytes) gets the host's name, free of links
 * (but for the last component if last is 0).  0, -ENOENT, -ELOOP, -ENAMETOOLONG or what the
 * file system says. */
int root_walk(const char *prefix, const char *name, int last, char *out);

#endif
