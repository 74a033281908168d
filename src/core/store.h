/* SPDX-License-Identifier: MIT */
/* store.h - where translations are kept between processes: files, directories, trust
 *
 * The store knows nothing of what a cache file holds (core/image.h does); it names, opens, replaces,
 * counts and deletes them.  One file per key.  Files appear whole or not at all: they are written
 * under a temporary name and renamed.  Nothing here prints unless asked (-d cache), nothing
 * fails visibly: a store that cannot be had is off, and the guest is translated anew.
 *
 * Trust: a directory or file is used only if it belongs to the effective user (read-only stores: or to
 * root) and nobody else may write it; every component is opened without following links.
 *
 * Descriptors are kept away from the guest (syscall/fd.h has the means; see store_hide).  Functions return
 * 0, a descriptor or -errno.  Caller holds the engine's lock or is alone. */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "base/word.h"

struct store_options {
	const char *dir;               /* the user's own; 0: $XDG_CACHE_HOME/dragoman, else ~/.cache/dragoman; "off": none */
	const char *readonly;          /* more directories, colon between, searched after it; 0: none */
	u64 limit;                     /* bytes the user's own may hold; 0: 2 GiB */
	int (*hide)(int fd);           /* moves a descriptor out of the guest's sight; returns the new one */
};
void store_init(const struct store_options *);
int store_on(void);                    /* 0: off, nothing below need be called */

/* The content of a guest file (BLAKE2b-256), remembered by device, inode, size, mtime and ctime so that it
 * is read once.  A file changed in the last moments before is read again. */
struct store_id { u8 byte[32]; };
int store_identify(int fd, struct store_id *);

struct store_key {
	struct store_id file;          /* the guest file */
	u64 delta;                     /* guest address of its byte 0 (as mapped: address - file offset) */
	u64 config[2];                 /* hash of all else that generated code depends on */
};

/* The cache file of that key, open for reading, or -ENOENT.  Its content is not to be believed before it was checked. */
int store_open(const struct store_key *);
/* It is broken: away with it (if it is ours). */
void store_bad(const struct store_key *);

/* A new version of the key's file: begin gives a descriptor to write to and keeps others from writing the same
 * key meanwhile (-EBUSY when one does); commit makes it visible, abort forgets it. */
struct store_file { int fd, lock; char name[128]; };
int store_begin(const struct store_key *, struct store_file *);
int store_commit(struct store_file *);
void store_abort(struct store_file *);

#endif
