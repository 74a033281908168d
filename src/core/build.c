/* SPDX-License-Identifier: MIT */
/* build.c - cache files: written
 *
 * A region's code is copied wherever it was run, links patched and all: every field that depends on the place
 * is known by a link or a reloc and made anew. */
#include <stdlib.h>
#include <sys/mman.h>
#include "base/util.h"
#include "core/image_own.h"

static const u64 LARGEST = (u64)128 << 20;

struct build {
	const struct host *host;
	struct source *src; u32 n;
	struct { u64 lo, hi; } *pool; int npool, cappool;
	u32 *poolhash; u32 npoolhash;
	const struct cimage_origin *origin;
	u64 total[NTABLE];             /* elements of each table */
	u64 off[NTABLE];
	u8 *at;                        /* the file */
};

static u32
constant(struct build *b, const u8 *p)
{
	u64 lo = ld64(p), hi = ld64(p + 8);
	u32 h = (u32)((lo * 0x9e3779b97f4a7c15 ^ hi * 0xc2b2ae3d27d4eb4f) >> 32) & (b->npoolhash - 1);

	for (; b->poolhash[h]; h = (h + 1) & (b->npoolhash - 1))
		if (b->pool[b->poolhash[h] - 1].lo == lo && b->pool[b->poolhash[h] - 1].hi == hi)
			return b->poolhash[h] - 1;
	grow(&b->pool, b->npool, &b->cappool, sizeof *b->pool);
	b->pool[b->npool].lo = lo;
	b->pool[b->npool].hi = hi;
	b->poolhash[h] = (u32)++b->npool;
	return (u32)b->npool - 1;
}

/* Where in T_CODE, which is at a multiple of 64, the code of s goes when all before at is taken. */
static u64
placed(const struct source *s, u64 at)
{
	at = alignup(at, 16);
	return s->line ? at + (((uintptr_t)s->code - at) & 63) : at;
}

/* How much there is of everything, and where it goes; 0 if it is too much. */
static u64
plan(struct build *b)
{
	u64 *t = b->total, at = sizeof(struct cimage_header), nconst = 0, nslot = 0;

	for (u32 i = 0; i < b->n; i++) {
		const struct source *s = &b->src[i];

		t[T_CODE] = placed(s, t[T_CODE]) + s->size;
		t[T_LINK] += s->nlink;
		t[T_ENTRY] += s->nentry;
		t[T_MAP] += s->nmap;
		t[T_RANGE] += s->nrange;
		t[T_RELOC] += s->nreloc;
		for (u32 k = 0; k < s->nreloc; k++)
			nconst += s->reloc[k].kind == REL_CONST;
		for (u32 k = 0; k < s->nentry; k++)
			nslot += !s->entry[k].ret;
	}
	for (b->npoolhash = 64; b->npoolhash < 2 * nconst + 2;)
		b->npoolhash *= 2;
	b->poolhash = xmalloc(b->npoolhash * sizeof *b->poolhash);
	for (u32 i = 0; i < b->n; i++)
		for (u32 k = 0; k < b->src[i].nreloc; k++)
			if (b->src[i].reloc[k].kind == REL_CONST)
				constant(b, b->host->referred(b->src[i].code, &b->src[i].reloc[k]));
	t[T_HEAD] = b->host->head(0);
	t[T_POOL] = (u64)b->npool;
	t[T_REGION] = b->n;
	t[T_GRAIN] = t[T_GRAINSUM] = b->origin->ngrain;
	t[T_NAME] = strlen(b->origin->name);
	for (t[T_HASH] = 64; t[T_HASH] * 3 / 4 < nslot + 1;)
		t[T_HASH] *= 2;
	for (int k = 0; k < NTABLE; k++) {
		b->off[k] = at;
		at = alignup(at + t[k] * cimage_elem[k], 64);
	}
	return at <= LARGEST ? at : 0;
}

static void *table(const struct build *b, enum cimage_table t) { return b->at + b->off[t]; }

static struct slice
put(struct build *b, enum cimage_table t, const void *p, u32 n)
{
	struct slice s = {(u32)b->total[t], n};

	if (n)
		memcpy((u8 *)table(b, t) + b->total[t] * cimage_elem[t], p, (size_t)n * cimage_elem[t]);
	b->total[t] += n;
	return s;
}

static void
relocate(struct build *b, u8 *code, const struct source *s)
{
	for (u32 k = 0; k < s->nreloc; k++) {
		const struct reloc *r = &s->reloc[k];

		if (r->kind == REL_STUB)
			b->host->refer(code, r, (u8 *)table(b, T_HEAD) + 8 * r->index);
		else
			b->host->refer(code, r, (u8 *)table(b, T_POOL) + 16 * constant(b, b->host->referred(s->code, r)));
	}
}

static void
enterslot(struct build *b, u32 region, const struct entry *e)
{
	struct cimage_slot *slot = table(b, T_HASH);
	const struct cimage_region *r = table(b, T_REGION);
	u32 mode = r[region].mode, mask = b->at ? (u32)b->total[T_HASH] - 1 : 0, h = cimage_hash(e->pc, mode) & mask;

	if (e->ret)
		return;
	for (; slot[h].code; h = (h + 1) & mask)
		if (slot[h].pc == e->pc && slot[h].mode == mode)
			return;
	slot[h] = (struct cimage_slot){e->pc, mode, (r[region].code + e->off + 1) * 2 | e->flagsin};
}

/* Heads of regions first: a block that is in several is entered where it begins one. */
static void
index_entries(struct build *b)
{
	const struct cimage_region *r = table(b, T_REGION);
	const struct entry *e = table(b, T_ENTRY);

	for (u32 i = 0; i < b->n; i++)
		if (r[i].entry.n)
			enterslot(b, i, &e[r[i].entry.at]);
	for (u32 i = 0; i < b->n; i++)
		for (u32 k = 1; k < r[i].entry.n; k++)
			enterslot(b, i, &e[r[i].entry.at + k]);
}

static void
resolve(struct build *b, const struct cimage *i, u32 n, int nolink)
{
	const struct cimage_region *r = &i->region[n];
	u8 *code = i->code + r->code;

	for (u32 k = 0; k < r->link.n; k++) {
		const struct link *l = &i->link[r->link.at + k];
		const struct cimage_slot *to = nolink ? 0 : cimage_find(i, l->pc, r->mode);

		b->host->link(code, l, to ? cimage_entry(i, to) : 0);
	}
}

static void
regions(struct build *b)
{
	struct cimage_region *r = table(b, T_REGION);
	u32 at = 0;

	memset(b->total, 0, sizeof b->total);
	for (u32 i = 0; i < b->n; i++) {
		const struct source *s = &b->src[i];
		u8 *code;

		at = (u32)placed(s, at);
		code = (u8 *)table(b, T_CODE) + at;
		memcpy(code, s->code, s->size);
		relocate(b, code, s);
		r[i] = (struct cimage_region){.pc = s->pc, .mode = s->mode, .size = s->size, .code = at, .line = s->line,
		    .link = put(b, T_LINK, s->link, s->nlink), .entry = put(b, T_ENTRY, s->entry, s->nentry),
		    .map = put(b, T_MAP, s->map, s->nmap), .range = put(b, T_RANGE, s->range, s->nrange),
		    .reloc = put(b, T_RELOC, s->reloc, s->nreloc)};
		at += s->size;
	}
}

/* The head, and the tables that are copied as they are. */
static void
begin(struct build *b, u64 size)
{
	const struct cimage_origin *o = b->origin;
	struct cimage_header *h = (void *)b->at;

	*h = (struct cimage_header){.version = IMAGE_VERSION, .headersize = sizeof *h, .size = size, .key = o->key};
	memcpy(h->magic, cimage_magic, sizeof h->magic);
	memcpy(h->guest, o->guest, strnlen(o->guest, sizeof h->guest));
	for (int t = 0; t < NTABLE; t++) {
		h->table[t].off = (u32)b->off[t];
		h->table[t].n = (u32)b->total[t];
	}
	b->host->head(table(b, T_HEAD));
	memcpy(table(b, T_NAME), o->name, strlen(o->name));
	if (b->npool)
		memcpy(table(b, T_POOL), b->pool, (size_t)b->npool * 16);
	if (o->ngrain) {
		memcpy(table(b, T_GRAIN), o->grain, o->ngrain * sizeof *o->grain);
		memcpy(table(b, T_GRAINSUM), o->grainsum, o->ngrain * sizeof *o->grainsum);
	}
	store_hash(table(b, T_GRAIN), b->off[T_GRAINSUM] + o->ngrain * sizeof *o->grainsum - b->off[T_GRAIN], &h->grains);
}

static void
fill(struct build *b, u64 size, int nolink)
{
	struct cimage_header *h = (void *)b->at;
	struct cimage image;

	begin(b, size);
	regions(b);
	b->total[T_HASH] = h->table[T_HASH].n;
	index_entries(b);
	cimage_view(&image, b->at, size);
	for (u32 i = 0; i < b->n; i++)
		resolve(b, &image, i, nolink);
	h->sum = cimage_sum(b->at + sizeof *h, size - sizeof *h);
	h->headsum = cimage_sum(h, offsetof(struct cimage_header, headsum));
}

u8 *
cimage_build(const struct host *host, const struct cimage_origin *o, struct source *src, u32 n, int nolink, u64 *size)
{
	struct build b = {.host = host, .origin = o, .src = src, .n = n};

	*size = plan(&b);
	b.at = *size ? mmap(0, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) : MAP_FAILED;
	if (b.at == MAP_FAILED)
		b.at = 0;
	else
		fill(&b, *size, nolink);
	free(b.pool);
	free(b.poolhash);
	return b.at;
}
