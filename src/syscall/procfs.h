/* SPDX-License-Identifier: MIT */
/* procfs.h - the files of /proc that must show the guest, see linux/procfs.c */
#ifndef SYSCALL_PROCFS_H
#define SYSCALL_PROCFS_H

#include <sys/stat.h>
#include "base/word.h"

struct cpu;

enum procfile {
	PF_NONE,
	PF_OTHERS,                     /* exe of another process, perhaps a guest's as well */
	PF_EXE, PF_MAPS, PF_SMAPS, PF_AUXV, PF_CMDLINE, PF_ENVIRON, PF_STAT,
	PF_CPUINFO,
	PF_COUNT
};

/* Which file of ours the name is, looked up from dirfd. */
enum procfile procfs_which(int dirfd, const char *name);
/* The name is PF_OTHERS, and what it leads to by the host is our own program: the program of the guest in that process.
 * shown (PATH_SIZE) gets what readlink says on Linux, link (PROCFS_LINK) a host path to the file even if it has no name
 * any more; -1 if it is not so, or cannot be found out: then the host is right. */
enum { PROCFS_LINK = 96 };
int procfs_program(int dirfd, const char *name, char *link, char *shown);
/* A descriptor with the text of the file, or -errno. */
s64 procfs_open(struct cpu *, enum procfile, int flags);
/* If st describes one of our texts (open as fd), makes it what stat(2) says of the real file. */
void procfs_stat(int fd, struct stat *st);
void procfs_statx(int fd, struct statx *st);

/* Tells the host's kernel where the guest's arguments, environment and stack are, so that ps and
 * /proc/PID/cmdline as other processes see them show the guest.  Once, when proc is filled; a kernel
 * that does not know how is left alone. */
void procfs_publish(void);

#endif
