/* SPDX-License-Identifier: MIT */
/* path.h - names of files: the -L prefix and the files of /proc that must show the guest
 *
 * A guest path becomes a host path here and nowhere else.  Absolute names are looked up under the
 * prefix first; what is not there is looked up in the host's tree.  Names of the process's own
 * /proc entries, and of what other guests run, that the host would answer wrongly are recognised, see procfs.c. */
#ifndef SYSCALL_PATH_H
#define SYSCALL_PATH_H

#include "base/word.h"

enum { PATH_SIZE = 4096 };              /* >= ROOT_PATH of base/root.h */

enum {
	PATH_NOFOLLOW = 1,             /* the last component is not followed (lstat, readlink, unlink) */
	PATH_CREATE = 2,               /* the call creates the name: prefix only if its directory is there */
};

/* The host path for the guest string at a, looked up from dirfd: 0 and in *out a host pointer that
 * is the guest's own string, or buf (PATH_SIZE bytes); -EFAULT or -ENAMETOOLONG. */
int path_guest(gaddr a, int dirfd, int flags, char *buf, const char **out);
/* The same of a name that will be opened with these flags, which create nothing: if it is simple enough the look-up
 * is the opening.  done: it was; fd: what came of it, a descriptor unless a signal cut it short (iscut). */
struct path_open { struct cpu *cpu; int flags, done; s64 fd; };
int path_opened(gaddr a, int dirfd, int flags, char *buf, const char **out, struct path_open *);
/* The same for a string of ours. */
int path_host(const char *name, int dirfd, int flags, char *buf, const char **out);
/* For execve: as path_host, and /proc/self/exe (in any spelling) becomes the guest program. */
int path_exec(const char *name, int dirfd, char *buf, const char **out);
int path_under(const char *path);      /* this host path is below the prefix */
/* Makes a host path what the guest would call it: strips the prefix; in place. */
void path_strip(char *path);
/* Forget what is known about directories under the prefix (tests; chroot). */
void path_reset(void);
/* Where names are looked up: a vfork child that leaves it (chroot) does so for itself alone, in memory it shares. */
struct path_root { const char *prefix; int fd; };
struct path_root path_root(void);
void path_return(struct path_root, int samefds);       /* samefds: it had our descriptors (CLONE_FILES) */

#endif
