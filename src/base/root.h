/* SPDX-License-Identifier: MIT */
/* root.h - names below a directory that is taken for the root */
#ifndef BASE_ROOT_H
#define BASE_ROOT_H

enum { ROOT_PATH = 4096 };

/* Walks name below the directory prefix; out (ROOT_PATH bytes) gets the host's name, free of links
 * (but for the last component if last is 0).  0, -ENOENT, -ELOOP, -ENAMETOOLONG or what the
 * file system says. */
int root_walk(const char *prefix, const char *name, int last, char *out);

int root_tidy(const char *name);       /* no component is ".", ".." or empty; a slash may precede them */
/* Opens the host's file to read, closed on exec, and waits for nobody (a pipe's writer); -1 and errno.  *real: the
 * name is absolute, tidy and without links. */
int root_open(const char *name, int *real);

#endif
