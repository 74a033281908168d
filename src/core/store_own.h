/* SPDX-License-Identifier: MIT */
/* store_own.h - what the store_*.c files share */
#ifndef CORE_STORE_OWN_H
#define CORE_STORE_OWN_H

#include <sys/stat.h>
#include <sys/types.h>
#include "core/store.h"

enum { STORE_READONLY = 6, STORE_PATH = 4096 };

struct store {
	int own;                       /* the user's directory, or -1 */
	int identities;                /* open file in it, or -1 */
	int rofd[STORE_READONLY], nro;
	uid_t uid;                     /* effective user when all was opened */
	u64 limit;
	char dir[STORE_PATH];
};
extern struct store store;

/* Reads all of n bytes: 0 or -errno. */
int store_pread(int fd, void *, size_t, u64 off);
/* The guest has set no limit to the size of files (RLIMIT_FSIZE): a write beyond it would signal the guest. */
int store_nolimit(void);
u64 store_sum(const void *, size_t);           /* tells torn and flipped records; no defence against malice */

/* -- store_dir.c -- */
/* Opens the directory name (absolute), every component of which belongs to root or uid and can be changed by
 * nobody else; the last one to uid (or root too, if root).  make: what is missing is created.
 * The descriptor or -errno. */
int store_opendir(const char *name, uid_t uid, int root, int make);
/* The default directory's name into out (STORE_PATH bytes): 0 or -ENOENT. */
int store_default(char *out, uid_t uid);
/* Opens a file in a directory so opened, if it is as trustworthy. */
int store_openfile(int dir, const char *name, int flags, int root, struct stat *);

/* -- store_id.c -- */
void store_forget(void);                       /* what this process has asked: for tests */

/* -- store_size.c -- */
/* A byte of the file "lock" that only one process has at a time: a descriptor, -EBUSY, or -ENOLCK where
 * locks do not work (go on without).  Closing it gives it back. */
enum { LOCK_USAGE, LOCK_PRUNE, LOCK_KEYS = 16 };
int store_lock(u64 byte);
/* The directory holds so many bytes more; prunes if that is too much. */
void store_account(s64 bytes);

#endif
