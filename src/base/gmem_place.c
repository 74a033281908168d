/* SPDX-License-Identifier: MIT */
/* gmem_place.c - where a guest mapping goes when the guest did not say
 *
 * Placement depends on the guest's own history only: the image zone is entered at an address made
 * from the file's name and size, so that a library usually lies at the same address in every process of
 * every user and container (the translation cache lives from that); the data zone is filled from the top downward.  The
 * host is never asked what is free: MAP_FIXED_NOREPLACE tells, and we move on. */
#include <errno.h>
#include <sys/mman.h>
#include "base/gmem_list.h"

static const struct gspace *space;

/* No gap of full.len bytes or more exists in the data zone above full.below. */
static struct { u64 len; gaddr below; } full;

enum { IMAGE_STEP = 0x10000 };

struct gspace
gmem_narrow(const struct gspace *s, gaddr end)
{
	struct gspace n = *s;

	n.end = end;
	n.brk = alignup(end / 4, 1 << 16);
	for (int z = ZONE_DATA; z <= ZONE_FAR; z++)
		n.zone[z].lo = n.brk / 2, n.zone[z].hi = end - end / 64;
	return n;
}

void
place_init(const struct gspace *s)
{
	space = s;
	full.len = ~(u64)0;
	full.below = s->zone[ZONE_DATA].hi;
}

void
place_freed(gaddr end)
{
	if (end > full.below)
		full.len = ~(u64)0, full.below = space->zone[ZONE_DATA].hi;
}

s64
place_exact(gaddr a, u64 len, int prot, int flags, int fd, u64 off)
{
	void *p = mmap(g2h(a), len, prot, (flags & ~MAP_FIXED) | MAP_FIXED_NOREPLACE, fd, off);

	if (p == MAP_FAILED)
		return -errno;
	if (p != g2h(a)) {             /* a kernel before 4.17 takes it for a hint */
		munmap(p, len);
		return -EEXIST;
	}
	return (s64)a;
}

/* The lowest address >= from where len bytes are free, below hi; 0 if none. */
static gaddr
gap_up(gaddr from, gaddr hi, u64 len, u64 align)
{
	const struct table *t = list_table();
	gaddr a = alignup(from, align);

	for (int i = list_at(a); i < t->n; i++) {
		if (t->e[i].start >= a && t->e[i].start - a >= len)
			break;
		if (t->e[i].end > a)
			a = alignup(t->e[i].end, align);
	}
	return a < hi && hi - a >= len ? a : 0;
}

/* The highest address where len bytes below hi are free, not below lo; 0 if none. */
static gaddr
gap_down(gaddr lo, gaddr hi, u64 len, u64 align)
{
	const struct table *t = list_table();
	int i = list_at(hi);

	if (i < t->n && t->e[i].start < hi)
		hi = t->e[i].start;
	for (;;) {
		gaddr floor = i > 0 ? t->e[i - 1].end : 0, a;

		if (hi < len)
			return 0;
		a = aligndown(hi - len, align);
		if (a < lo)
			return 0;
		if (a >= floor)
			return a;
		hi = t->e[--i].start;
	}
}

static s64
map_up(u64 key, u64 len, u64 align, int prot, int flags, int fd, u64 off)
{
	gaddr lo = space->zone[ZONE_IMAGE].lo, hi = space->zone[ZONE_IMAGE].hi;
	u64 slots = (hi - lo) / IMAGE_STEP;
	gaddr from, a;
	int tries = 0, wrapped = 0;

	if (align < IMAGE_STEP)
		align = IMAGE_STEP;
	key ^= key >> 29;
	key *= 0x9e3779b97f4a7c15u;
	key ^= key >> 32;
	from = lo + key % slots * IMAGE_STEP;
	while (tries++ < 64) {
		s64 r;

		a = gap_up(from, hi, len, align);
		if (!a) {
			if (wrapped++)
				break;
			from = lo;
			continue;
		}
		r = place_exact(a, len, prot, flags, fd, off);
		if (r != -EEXIST)
			return r;
		from = a + ((u64)IMAGE_STEP << tries / 4);
	}
	return -ENOMEM;
}

static s64
map_down(enum zone z, u64 len, u64 align, int prot, int flags, int fd, u64 off)
{
	int isdata = z == ZONE_DATA;
	gaddr hi = isdata && len >= full.len ? full.below : space->zone[z].hi, a;
	u64 skip = 1 << 16;

	for (int tries = 0; tries < 200; tries++) {
		s64 r;

		a = gap_down(space->zone[z].lo, hi, len, align);
		if (!a)
			break;
		r = place_exact(a, len, prot, flags, fd, off);
		if (r != -EEXIST) {
			if (r >= 0 && isdata && !tries)
				full.len = len, full.below = a + len;
			return r;
		}
		/* Something of the host's lies here: step down, ever farther. */
		hi = a + len > skip ? a + len - skip : 0;
		skip += skip / 2;
	}
	return -ENOMEM;
}

s64
place_map(enum zone z, u64 key, u64 len, u64 align, int prot, int flags, int fd, u64 off)
{
	s64 r = -ENOMEM;

	if (align < gmem.pagesize)
		align = gmem.pagesize;
	if (z == ZONE_IMAGE)
		r = map_up(key, len, align, prot, flags, fd, off);
	if (r == -ENOMEM && z != ZONE_FAR)
		r = map_down(ZONE_DATA, len, align, prot, flags, fd, off);
	if (r == -ENOMEM)
		r = map_down(ZONE_FAR, len, align, prot, flags, fd, off);
	return r;
}
