/* SPDX-License-Identifier: MIT */
/* procfs.h - the files of /proc that must show the guest, see linux/procfs.c */
#ifndef SYSCALL_PROCFS_H
#define SYSCALL_PROCFS_H

#include <sys/stat.h>
#include "base/word.h"

struct cpu;

enum procfile {
	PF_NONE, PF_EXE, PF_MAPS, PF_SMAPS, PF_AUXV, PF_CMDLINE, PF_ENVIRON, PF_STAT,
	PF_CPUINFO,
	PF_COUNT
};

/* Which file of ours the name is, looked up from dirfd. */
enum procfile procfs_which(int dirfd, const char *name);
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
