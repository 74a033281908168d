/* SPDX-License-Identifier: MIT */
/* store_own.h - what the store_*.c files share */
#ifndef CORE_STORE_OWN_H
#define CORE_STORE_OWN_H

#include <sys/stat.h>
#include <sys/types.h>
#include "core/store.h"

enum { STORE_READONLY = 6, STORE_PATH = 4096 };
enum store_session { SESSION_LOCK, SESSION_IDENTITIES, SESSION_USAGE, SESSION_RAN, NSESSION };

struct store {
	int own;                       /* the user's directory, or -1 */
	int identities;                /* open file in it, or -1 */
	int rofd[STORE_READONLY], nro;
	uid_t uid;                     /* effective user when all was opened */
	u64 limit;
	char dir[STORE_PATH];
	int session[NSESSION];         /* open for writing: 1 + descriptor; -errno if that failed; 0: not yet */
	s64 grown; int commits;        /* of the session: bytes, files */
};
extern struct store store;

/* A file to write to until the session ends, opened when first asked for; or -errno. */
int store_session(enum store_session);
void store_endsession(void);

/* Reads all of n bytes: 0 or -errno. */
int store_pread(int fd, void *, size_t, u64 off);
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
/* A byte of the file "lock" that only one process has at a time: 0, -EBUSY, or -ENOLCK where
 * locks do not work (go on without).  store_done gives it back. */
enum { LOCK_USAGE, LOCK_PRUNE, LOCK_KEYS = 16 };
int store_lock(u64 byte);
/* The directory holds so many bytes more, in n new files: 1 if that is too much, or nobody knows how much there is. */
int store_account(s64 bytes, int n);

#endif
