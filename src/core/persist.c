/* SPDX-License-Identifier: MIT */
/* persist.c - at a process's end, what it has translated of a file becomes part of the file's image */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "base/diag.h"
#include "core/dso.h"

/* Nanoseconds, about: translating anything at all (pages are touched), and a region; writing a file, and a byte of
 * it; and how many processes are thought to translate the same again if it is not written. */
enum { FIRST_COST = 100000, REGION_COST = 40000, FILE_COST = 500000, BYTE_COST = 4, AGAIN = 8 };

static int persistfrom;                /* translations below are another's to persist, or are persisted */

void
cache_allnew(void)
{
	persistfrom = 0;
}

void
cache_forked(void)
{
	persistfrom = atomic_load(&core.ntrans);
}

static int
isnew(const struct trans *t, const struct dso *d)
{
	return t->home == d && !t->dead;
}

static int
count(void)
{
	int n = atomic_load(&ndso), nnew = 0;

	for (int i = 0; i < n; i++)
		dso[i]->nnew = 0, dso[i]->newbytes = 0;
	for (int i = persistfrom; i < atomic_load(&core.ntrans); i++) {
		struct trans *t = core.trans[i];

		if (t->home && !t->dead) {
			t->home->nnew++;
			t->home->newbytes += t->size;
			nnew++;
		}
	}
	return nnew;
}

/* Of 65536. */
static u64
dice(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return ((u64)t.tv_nsec ^ (u64)getpid() << 32) * 0x9e3779b97f4a7c15 >> 48;
}

/* Much is written at once.  Of the processes that translate a little, which alone would not be worth a file, as many
 * write one as make it cost no more than all have spent translating: what a script's thousand
 * children translate is found in time. */
static int
isworth(const struct dso *d)
{
	u64 cost = FILE_COST + (d->image.size + 2 * d->newbytes) * BYTE_COST, spent = (u64)d->nnew * REGION_COST;

	return spent * AGAIN >= cost || dice() < (spent + FIRST_COST) * 65536 / cost;
}

static int
samefile(const struct stat *s, const struct stat *t)
{
	return s->st_dev == t->st_dev && s->st_ino == t->st_ino && s->st_size == t->st_size &&
	    !memcmp(&s->st_mtim, &t->st_mtim, sizeof s->st_mtim) && !memcmp(&s->st_ctim, &t->st_ctim, sizeof s->st_ctim);
}

/* The file is the one we mapped, and as it was when its content was identified: then the clean pages have held
 * that content all the time.  The kernel knows its name; not to be believed are device and inode in its list of
 * mappings, which on stacked file systems are those of a file underneath. */
static int
unchanged(const struct dso *d)
{
	FILE *f = fopen("/proc/self/maps", "re");
	gaddr page = d->lo;
	char line[4500];
	struct stat st;
	int ok = 0;

	while (page < d->hi && !d->clean[(page - d->lo) / 4096])
		page += 4096;
	while (f && fgets(line, sizeof line, f)) {
		u64 lo, hi, off;
		int at = 0;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n", &lo, &hi, &off, &at) < 3 || !at ||
		    page < h2g((void *)lo) || page >= h2g((void *)hi))
			continue;
		line[at + (int)strcspn(line + at, "\n")] = 0;
		ok = page < d->hi && h2g((void *)lo) - off == d->key.delta && !stat(line + at, &st) && samefile(&st, &d->st);
		break;
	}
	if (f)
		fclose(f);
	return ok;
}

/* What is on disk now: another process may have written since we attached. */
static void
openbase(const struct dso *d, struct cimage *m)
{
	int fd = store_open(&d->key);
	struct stat st;
	void *p = MAP_FAILED;

	*m = (struct cimage){0};
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_size)
		p = mmap(0, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	if (p != MAP_FAILED && cimage_check(m, p, (u64)st.st_size, &d->key))
		munmap(p, (size_t)st.st_size);
}

static void
source(const struct trans *t, struct source *s)
{
	*s = (struct source){.pc = t->pc, .mode = t->mode, .size = t->size, .code = t->code,
	    .link = t->link, .nlink = (u32)t->nlink, .entry = t->entry, .nentry = (u32)t->nentry,
	    .map = t->map, .nmap = (u32)t->nmap, .range = t->range, .nrange = (u32)t->nrange,
	    .reloc = t->reloc, .nreloc = (u32)t->nreloc};
}

static u8 *
build(const struct dso *d, const struct cimage *base, u64 *size, u32 *added)
{
	struct source *src = xmalloc(((size_t)base->nregion + d->nnew + 1) * sizeof *src);
	u32 n = 0, e;
	u8 *p;

	for (u32 i = 0; i < base->nregion; i++)
		if (cimage_whole(base, i))
			cimage_source(base, i, &src[n++]);
	*added = n;
	for (int i = persistfrom; i < atomic_load(&core.ntrans); i++) {
		const struct trans *t = core.trans[i];

		if (isnew(t, d) && (!base->base || cimage_find(base, t->pc, t->mode, &e) < 0))
			source(t, &src[n++]);
	}
	*added = n - *added;
	p = *added ? cimage_build(core.host, &d->key, src, n, core.opt.nochain, size) : 0;
	free(src);
	return p;
}

static void
update(struct dso *d)
{
	struct store_file f;
	struct cimage base;
	u64 size = 0;
	u32 added = 0;
	u8 *p;
	int e;

	if ((e = store_begin(&d->key, &f))) {
		if (logging(LOG_CACHE))
			log_print("cache: %s: not written: %s\n", d->name, strerror(-e));
		return;
	}
	openbase(d, &base);
	p = build(d, &base, &size, &added);
	if (!p || store_pwrite(f.fd, p, size, 0))
		store_abort(&f);
	else if (!store_commit(&f))
		core.stat.persisted += added;
	if (logging(LOG_CACHE))
		log_print("cache: %s: %u regions added to %u, %llu bytes\n", d->name, added, base.nregion,
		    (unsigned long long)size);
	if (p)
		munmap(p, size);
	if (base.base)
		munmap(base.base, base.size);
}

/* A process that dies of a signal may have been interrupted with the lock held. */
static int
lock(void)
{
	for (int n = 0; n < 1000; n++) {
		if (!pthread_mutex_trylock(&core.lock))
			return 1;
		sched_yield();
	}
	return 0;
}

void
cache_persist(void)
{
	int n, saved = errno;

	if (!cache_on || !store_writable())
		return;
	if (!lock())
		return;
	n = count() ? atomic_load(&ndso) : 0;
	for (int i = 0; i < n; i++)
		if (dso[i]->nnew && isworth(dso[i]) && (dso[i]->vdso || unchanged(dso[i])))
			update(dso[i]);
	persistfrom = atomic_load(&core.ntrans);
	pthread_mutex_unlock(&core.lock);
	errno = saved;
}
