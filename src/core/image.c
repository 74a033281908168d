/* SPDX-License-Identifier: MIT */
/* image.c - cache files: checked, searched */
#include "base/util.h"
#include "core/image_own.h"

const u32 cimage_elem[NTABLE] = {
	[T_HEAD] = 1, [T_POOL] = 16, [T_CODE] = 1,
	[T_REGION] = sizeof(struct cimage_region), [T_ENTRY] = sizeof(struct entry), [T_LINK] = sizeof(struct link),
	[T_MAP] = sizeof(struct mapent), [T_RANGE] = sizeof(struct range), [T_HASH] = sizeof(struct cimage_slot),
	[T_GRAIN] = sizeof(gaddr), [T_GRAINSUM] = sizeof(struct store_id), [T_RELOC] = sizeof(struct reloc), [T_NAME] = 1,
};
const u8 cimage_magic[8] = "dragoman";

_Static_assert(sizeof(struct cimage_header) % 64 == 0, "tables begin at a multiple of 64");
_Static_assert(sizeof(struct cimage_region) == 64 && sizeof(struct entry) == 16 && sizeof(struct link) == 16 &&
    sizeof(struct mapent) == 8 && sizeof(struct reloc) == 8, "tables keep each other aligned");

/* Eight lanes, because one multiplication waits for the last.  Each step can be undone, so that no single change
 * of a lane is lost. */
u64
cimage_sum(const void *p, u64 n)
{
	const u64 k = 0x9e3779b97f4a7c15;
	const u8 *q = p, *end = q + n / 64 * 64;
	u64 h[8] = {n, 1, 2, 3, 4, 5, 6, 7}, sum = n;

	for (; q < end; q += 64)
		for (int i = 0; i < 8; i++) {
			u64 x = (h[i] ^ ld64(q + 8 * i)) * k;

			h[i] = x << 29 | x >> 35;
		}
	for (u64 i = 0; i < n % 64 / 8; i++)
		h[i] = (h[i] ^ ld64(end + 8 * i)) * k ^ h[i] >> 31;
	for (int i = 0; i < 8; i++) {
		sum = (sum ^ h[i]) * k;
		sum ^= sum >> 32;
	}
	return sum;
}

static const char *
tables(struct cimage *i)
{
	const struct cimage_header *h = i->h;

	for (int t = 0; t < NTABLE; t++) {
		u64 off = h->table[t].off, n = h->table[t].n;

		if (off % 16 || off < sizeof *h || off > i->size || n * cimage_elem[t] > i->size - off)
			return "a table is out of bounds";
	}
	i->code = i->base + h->table[T_CODE].off;
	i->codesize = h->table[T_CODE].n;
	i->region = (const void *)(i->base + h->table[T_REGION].off);
	i->nregion = h->table[T_REGION].n;
	i->entry = (void *)(i->base + h->table[T_ENTRY].off);
	i->link = (void *)(i->base + h->table[T_LINK].off);
	i->map = (void *)(i->base + h->table[T_MAP].off);
	i->range = (void *)(i->base + h->table[T_RANGE].off);
	i->slot = (const void *)(i->base + h->table[T_HASH].off);
	i->nslot = h->table[T_HASH].n;
	i->grain = (const void *)(i->base + h->table[T_GRAIN].off);
	i->ngrain = h->table[T_GRAIN].n;
	i->grainsum = (const void *)(i->base + h->table[T_GRAINSUM].off);
	i->reloc = (const void *)(i->base + h->table[T_RELOC].off);
	if (!i->nslot || i->nslot & (i->nslot - 1))
		return "the hash table's size is no power of two";
	if (h->table[T_GRAINSUM].n != i->ngrain)
		return "not every grain has its sum";
	return 0;
}

const char *
cimage_view(struct cimage *i, const u8 *base, u64 size)
{
	*i = (struct cimage){.base = (u8 *)(uintptr_t)base, .size = size, .h = (const void *)base};
	return tables(i);
}

const char *
cimage_open(struct cimage *i, const u8 *base, u64 size, const struct store_key *key)
{
	const struct cimage_header *h = (const void *)base;
	const char *wrong;

	if (size < sizeof *h || memcmp(h->magic, cimage_magic, sizeof h->magic))
		wrong = "no cache file";
	else if (h->version != IMAGE_VERSION || h->headersize != sizeof *h)
		wrong = "another format";
	else if (h->size != size || size % 64)
		wrong = "its length is wrong";
	else if (h->headsum != cimage_sum(h, offsetof(struct cimage_header, headsum)))
		wrong = "its head is broken";
	else if (key && memcmp(&h->key, key, sizeof *key))
		wrong = "it is of another file";
	else
		wrong = cimage_view(i, base, size);
	if (wrong)
		*i = (struct cimage){0};
	return wrong;
}

static int
inside(const struct cimage *i, struct slice s, enum cimage_table t)
{
	return s.n <= i->h->table[t].n && s.at <= i->h->table[t].n - s.n;
}

static int
iswhole(const struct cimage *i, const struct cimage_region *r)
{
	if (r->size > i->codesize || r->code > i->codesize - r->size || !inside(i, r->link, T_LINK) ||
	    !inside(i, r->entry, T_ENTRY) || !inside(i, r->map, T_MAP) || !inside(i, r->range, T_RANGE) ||
	    !inside(i, r->reloc, T_RELOC))
		return 0;
	for (u32 k = 0; k < r->link.n; k++) {
		const struct link *l = &i->link[r->link.at + k];

		if (r->size < 4 || l->site > r->size - 4 || l->stub >= r->size)
			return 0;
	}
	for (u32 k = 0; k < r->entry.n; k++)
		if (i->entry[r->entry.at + k].off >= r->size)
			return 0;
	for (u32 k = 0; k < r->reloc.n; k++)
		if (r->size < 4 || i->reloc[r->reloc.at + k].off > r->size - 4)
			return 0;
	return 1;
}

int
cimage_sound(const struct cimage *i)
{
	u32 used = 0;

	if (i->h->sum != cimage_sum(i->base + sizeof *i->h, i->size - sizeof *i->h))
		return 0;
	for (u32 n = 0; n < i->nregion; n++)
		if (!iswhole(i, &i->region[n]))
			return 0;
	for (u32 n = 0; n < i->nslot; n++) {
		const struct cimage_slot *s = &i->slot[n];

		used += s->code != 0;
		if (s->code && (s->code < 2 || s->code / 2 - 1 >= i->codesize))
			return 0;
	}
	return used < i->nslot;                /* else a search would not end */
}

const char *
cimage_check(struct cimage *i, const u8 *base, u64 size, const struct store_key *key)
{
	const char *wrong = cimage_open(i, base, size, key);

	if (!wrong && !cimage_sound(i)) {
		wrong = "it is damaged";
		*i = (struct cimage){0};
	}
	return wrong;
}

u32
cimage_hash(gaddr pc, u32 mode)
{
	return (u32)((pc ^ (u64)mode << 48) * 0x9e3779b97f4a7c15 >> 32);
}

const struct cimage_slot *
cimage_find(const struct cimage *i, gaddr pc, u32 mode)
{
	const struct cimage_slot *s;

	for (u32 h = cimage_hash(pc, mode); (s = &i->slot[h & (i->nslot - 1)])->code; h++)
		if (s->pc == pc && s->mode == mode)
			return s;
	return 0;
}

s64
cimage_at(const struct cimage *i, const u8 *code)
{
	u64 off = (u64)(code - i->code);
	u32 lo = 0, hi = i->nregion;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;
		const struct cimage_region *r = &i->region[mid];

		if (off < r->code)
			hi = mid;
		else if (off >= (u64)r->code + r->size)
			lo = mid + 1;
		else
			return mid;
	}
	return -1;
}

struct guestat
cimage_pcat(const struct cimage *i, u32 region, const u8 *code)
{
	const struct cimage_region *r = &i->region[region];
	struct mapent m = mapent_find(i->map + r->map.at, (int)r->map.n, (u32)(code - i->code) - r->code);
	struct guestat at = {.pc = r->pc + (u64)(s64)m.pcoff, .several = m.several, .base = m.base,
	    .owed = m.owed, .reg = m.reg, .flags = m.flags};

	at.block = entry_block(i->entry + r->entry.at, (int)r->entry.n, at.pc);
	return at;
}

void
cimage_source(const struct cimage *i, u32 region, struct source *s)
{
	const struct cimage_region *r = &i->region[region];

	*s = (struct source){.pc = r->pc, .mode = r->mode, .size = r->size, .code = i->code + r->code, .line = (u8)r->line,
	    .link = i->link + r->link.at, .nlink = r->link.n, .entry = i->entry + r->entry.at, .nentry = r->entry.n,
	    .map = i->map + r->map.at, .nmap = r->map.n, .range = i->range + r->range.at, .nrange = r->range.n,
	    .reloc = i->reloc + r->reloc.at, .nreloc = r->reloc.n};
}
