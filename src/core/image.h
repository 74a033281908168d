/* SPDX-License-Identifier: MIT */
/* image.h - what a cache file holds: the code of one guest file at one place, to be mapped and run as it is
 *
 * The file is mapped as a whole, private, at any address.  Code reaches the common stubs through the
 * trampolines at its head and constants in its own pool, and regions reach each other by links that were
 * resolved when the file was written; so nothing is done to it when it is mapped.  The tables are used
 * in place.  Everything that refers to something by index is checked together with the checksum, not when it is used:
 * a warm start touches what it runs and nothing else.
 *
 * The checksum tells what was torn or flipped.  It is no defence against malice: that is the store's.
 *
 * The key does not say what the guest's file holds (store.h).  The image does: it has a strong hash of every KiB
 * (*grain*) in which something was translated, or looked at to decide how.  It serves a file that has these,
 * whatever else is in it. */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include "base/host.h"
#include "core/store.h"

enum { GRAIN = 1024 };                 /* bytes; at a multiple of it */

enum cimage_table {
	T_HEAD,                        /* trampolines; */
	T_POOL,                        /* constants of 16 bytes; */
	T_CODE,                        /* regions in the order they were made, at multiples of 16; see out.line */
	T_REGION, T_ENTRY, T_LINK, T_MAP, T_RANGE,
	T_HASH,                        /* entries found by address; a power of two of slots */
	T_GRAIN,                       /* guest addresses of grains that had a say, in order; */
	T_GRAINSUM,                    /* BLAKE2b-256 of each */
	T_RELOC,                       /* only read when the next version is made */
	T_NAME,                        /* of the guest file, as it was last called; for people */
	NTABLE,
};

struct cimage_header {
	u8 magic[8];
	u32 version, headersize;
	u64 size;                      /* of the file, a multiple of 64 */
	u64 sum;                       /* of all after the header */
	struct store_key key;
	struct { u32 off, n; } table[NTABLE];  /* n elements from off */
	struct store_id grains;        /* BLAKE2b-256 of T_GRAIN and T_GRAINSUM */
	u8 guest[24];                  /* its name */
	u64 headsum;                   /* of the header up to here */
};

struct range { gaddr lo, hi; };

/* Index of the first and number in the tables of links, entries, ... */
struct slice { u32 at, n; };
struct cimage_region {
	gaddr pc;
	u32 mode, size, code;          /* code: from the start of T_CODE */
	struct slice link, entry, map, range, reloc;
	u32 line;                      /* out.line */
};
/* Where code is entered: all that has to be looked at to go there. */
struct cimage_slot {
	gaddr pc;
	u32 mode;
	u32 code;                      /* 2 + twice the offset from T_CODE; 1 more: it reads the guest's flags; 0: free */
};

struct cimage {                         /* one that is mapped; base is 0 if none is */
	u8 *base;
	u64 size;
	const struct cimage_header *h;
	u8 *code; u64 codesize;
	const struct cimage_region *region; u32 nregion;
	struct link *link;
	struct entry *entry;
	struct mapent *map;
	struct range *range;
	const struct cimage_slot *slot; u32 nslot;
	const gaddr *grain; u32 ngrain;
	const struct store_id *grainsum;
	const struct reloc *reloc;
};

/* Fills *i from size bytes at base; 0 if they are an image of that key, else what is wrong with them.  open reads
 * the head only: what follows must be known to be sound. */
const char *cimage_open(struct cimage *i, const u8 *base, u64 size, const struct store_key *);
/* All after the head fits its checksum, and nothing leads out of a table.  Only of a sound image the following may be
 * asked. */
int cimage_sound(const struct cimage *);
const char *cimage_check(struct cimage *i, const u8 *base, u64 size, const struct store_key *);  /* both */
const struct cimage_slot *cimage_find(const struct cimage *, gaddr pc, u32 mode);        /* 0: nowhere */
static inline u8 *
cimage_entry(const struct cimage *i, const struct cimage_slot *s)
{
	return i->code + s->code / 2 - 1;
}
/* Index of the region that holds this address, or -1; and the guest's pc and block there.  Async-signal-safe. */
s64 cimage_at(const struct cimage *, const u8 *code);
struct guestat cimage_pcat(const struct cimage *, u32 region, const u8 *code);  /* as core_pcat */

/* A region to be written. */
struct source {
	gaddr pc;
	u32 mode, size;
	const u8 *code; u8 line;
	const struct link *link; u32 nlink;
	const struct entry *entry; u32 nentry;
	const struct mapent *map; u32 nmap;
	const struct range *range; u32 nrange;
	const struct reloc *reloc; u32 nreloc;
};
void cimage_source(const struct cimage *, u32 region, struct source *);

/* What they were made from. */
struct cimage_origin {
	struct store_key key;
	const char *guest, *name;
	const gaddr *grain; const struct store_id *grainsum; u32 ngrain;  /* in order */
};
/* A file of these regions, in this order: bytes to be freed with munmap, *size of them; 0 if they
 * are too many.  nolink: links between them are not resolved. */
u8 *cimage_build(const struct host *, const struct cimage_origin *, struct source *, u32 n, int nolink, u64 *size);

u64 cimage_sum(const void *, u64 n);            /* n is a multiple of 8 */

#endif
