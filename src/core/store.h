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
 * Nobody waits for anybody: two processes that write the same key at once are kept apart by a lock where the
 * file system has one; where it has none (NFS without lockd) the last rename wins, and both files are whole.
 *
 * What lies in the directory: 32 hexadecimal digits and ".dgm", a cache file (store_dir.c checks whose);
 * "tmp.*", one being written, or left behind by someone who was killed (prune removes it after an hour);
 * "identities" (store_id.c); "ran" (store_ran.c); "usage", how much the directory holds (store_size.c); "lock".
 *
 * Descriptors that stay open are kept away from the guest (options.hide).  Functions return
 * 0, a descriptor or -errno.  Caller holds the engine's lock or is alone. */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "base/word.h"

struct store_options {
	const char *dir;               /* the user's own; 0: $XDG_CACHE_HOME/dragoman, else ~/.cache/dragoman; "off": none */
	const char *readonly;          /* more directories, colon between, searched after it; 0: none */
	u64 limit;                     /* bytes the user's own may hold; 0: 2 GiB */
	int secure;                    /* AT_SECURE: all is off */
	int found;                     /* dir is used if it is there, not created (a guest's child, maybe in a chroot) */
	int (*hide)(int fd);           /* moves a descriptor out of the guest's sight; returns the new one; 0: none */
};
void store_init(const struct store_options *);
int store_on(void);                    /* 0: off, nothing below need be called */
int store_writable(void);              /* the user's own is there: store_begin may succeed */
/* The user's own directory as an absolute name, "off" if there is none: what children are told. */
const char *store_dir(void);

/* What a cache file is found by is cheap to have: a hash of the guest file's size, of its first and its last bytes.
 * That is no identity.  Two files may share it, by accident or because someone made them so; which is why a cache
 * file has a strong hash of each KiB (grain, image.h) it was made from, and is believed only when the guest file at
 * hand has been seen to have these (cache.h).  That is done once: it is remembered for the state of the guest file,
 * which is its device, inode, size, mtime and ctime, and so is that the cache file, in its state, is sound.
 * Nobody sets a ctime at will.  A file changed in the last two seconds before is not
 * remembered, and looked at each time: it could change once more without a new ctime. */
struct store_id { u8 byte[32]; };              /* a BLAKE2b-256 */
void store_hash(const void *, size_t n, struct store_id *);
struct stat;
int store_identify(int fd, const struct stat *, struct store_id *);

struct store_key {
	struct store_id file;          /* the guest file's (store_identify) */
	u64 delta;                     /* guest address of its byte 0 (as mapped: address - file offset) */
	u64 config[2];                 /* hash of all else that generated code depends on */
};

/* The cache file of that key, open for reading, or -ENOENT.  Not to be believed before it was checked. */
int store_open(const struct store_key *);
/* What has been found out about that cache file and the guest file of this status: that the guest file has the
 * grains the cache file was made from, of which there is a hash in its head; that the cache file of that status and
 * checksum of the head is sound, and nobody has changed it since.  learn says that both have been found now,
 * each status being one from before it was read that still holds; image 0: of a cache file yet to come. */
struct store_found { const struct store_id *grains; const struct stat *image; u64 headsum; };
enum { KNOWN_GRAINS = 1, KNOWN_SOUND = 2 };
int store_known(const struct stat *file, const struct store_key *, const struct store_found *);
void store_learn(const struct stat *file, const struct store_key *, const struct store_found *);
/* Code of it has run: meet says so, also of a file that has just changed, and learn has said it. */
int store_met(const struct stat *file, const struct store_key *);
void store_meet(const struct stat *file, const struct store_key *);
/* A process missed so much in the image with that checksum of its head that the next one shall add to it. */
int store_wanted(const struct stat *file, const struct store_key *, u64 headsum);
void store_want(const struct stat *file, const struct store_key *, u64 headsum);
u64 store_dice(void);                  /* of 65536: what chance decides */
/* Guest code that has run in a process which had no image of it: bits that the caller hashes addresses to, in pages of
 * so many words.  What is not among it the next process need not translate.  0 or -errno, and no bits; add joins
 * those of n pages with what others have added (core.lock held). */
enum { STORE_RAN = 512 };
int store_ran(u32 page, u64 *bits);
void store_addran(u32 page, u32 n, const u64 *bits);
/* It is broken: away with it (if it is ours). */
void store_bad(const struct store_key *);

/* A new version of the key's file: begin gives a descriptor to write to and keeps others from writing the same
 * key until store_done (-EBUSY when one does); commit makes it visible, abort forgets it.  Several may be written
 * between two calls of store_done, which must follow them, and a store_learn or store_addran too. */
struct store_file { int fd; char name[40], temp[48]; };
int store_begin(const struct store_key *, struct store_file *);
int store_commit(struct store_file *);
void store_abort(struct store_file *);
void store_done(void);
int store_pwrite(int fd, const void *, size_t n, u64 off);      /* writes all of n bytes */

/* -- for the command "dragoman cache", and the tests -- */

/* Calls f for every cache file of the user's own; fd is open for reading and closed afterwards.  f returns
 * nonzero to have the file thrown away; the number thrown away, or -errno. */
struct store_entry { const char *name; int fd; u64 size; s64 used; /* seconds since 1970, to the hour */ };
int store_each(int (*f)(void *arg, const struct store_entry *), void *arg);
struct store_usage { u64 files, bytes, limit, removed, freed; };
/* Removes the least recently used files until at most bytes are left, and what killed writers left
 * behind; bytes ~0 counts only.  0 or -errno. */
int store_prune(u64 bytes, struct store_usage *);
int store_clear(struct store_usage *);         /* all of it */
int store_isname(const char *name, const struct store_key *);  /* the cache file of that key is called so */

#endif
