/* SPDX-License-Identifier: MIT */
/* gmem_list.h - the list of guest mappings, shared by the gmem_*.c files only
 *
 * A sorted array of mappings that do not overlap; neighbours that Linux would merge are merged.
 * Changed under the map lock, and readable without it.  There are two arrays: a change copies the one in use to
 * the other, which one store then puts in its place, so that a vfork child may be killed at any moment; and who reads
 * one of them looks at the count of changes again afterwards.  One that became too small is never freed. */
#ifndef BASE_GMEM_LIST_H
#define BASE_GMEM_LIST_H

#include "base/gmem.h"

struct mfile {                         /* a mapped file; under the map lock */
	u64 dev, ino;
	char *path;
	int refs;
	struct mfile *next;
};

struct ent {
	gaddr start, end;
	u64 off;
	struct mfile *file;
	u32 flags;
};

struct table { int n, cap; struct ent e[]; };

void list_lock(void);
void list_unlock(void);
const struct table *list_table(void);          /* with the lock held */
int list_at(gaddr a);                          /* index of the first entry with end > a */
int list_covered(gaddr a, gaddr end);          /* every byte of [a, end) is mapped */
int list_free(gaddr a, gaddr end);             /* no byte of [a, end) is mapped */
void list_clear(gaddr a, gaddr end);
void list_insert(gaddr a, gaddr end, u32 flags, struct mfile *, u64 off); /* replaces; adds a reference */
void list_setprot(gaddr a, gaddr end, u32 prot);
void list_move(gaddr old, gaddr oldend, gaddr to, gaddr toend, int keep);
int list_hasexec(gaddr a, gaddr end);
void list_stretch(gaddr a);                    /* a growing stack above a: note how far it grew */

struct mfile *file_get(u64 dev, u64 ino, const char *path);    /* a new reference */
void file_put(struct mfile *);

int gmem_hostprot(u32 flags);

/* -- gmem_place.c -- */
void place_init(const struct gspace *);
void place_freed(gaddr end);                   /* addresses below end became free */
/* Maps len bytes at a free place of the zone (or of the next one that has room): calls
 * mmap(place, len, hostprot, flags | MAP_FIXED_NOREPLACE, fd, off).  Returns the guest address
 * or -errno. */
s64 place_map(enum zone, u64 key, u64 len, u64 align, int hostprot, int flags, int fd, u64 off);
/* The same at one address: -EEXIST if the host has something there that the list does not know. */
s64 place_exact(gaddr a, u64 len, int hostprot, int flags, int fd, u64 off);

#endif
