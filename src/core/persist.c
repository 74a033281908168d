/* SPDX-License-Identifier: MIT */
/* persist.c - what a process has translated of a file becomes part of the file's image: when the process ends, or lets
 * go of the file */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "base/diag.h"
#include "core/dso.h"

/* Nanoseconds of CPU time, about: translating anything at all (pages are touched), and a region; a fork, if there is
 * code of the process's own for it to copy; writing a file, and a byte of it; and how many processes are thought to
 * translate the same again if it is not written.
 *
 * Measured with true, bash, perl, git, python3 and gcc -c of both guests, on an EPYC in a virtual machine.  A region:
 * what -d stats says with --cache off, 10 to 11 us; the first of a process takes 50, the first six 170 more than six
 * others.  A file: update(), timed for 260 files of 4 KB to 8 MB that did not exist before, 160 us and 2.7 ns a
 * byte (least squares, relative); and 40 us of what is done once a process.  It is 2.5 times as large as its code.
 * A fork: the kernel fork of the benchmarks, 7 regions not in its image, and all in it.  A miss, of code that the image
 * has not and that is run as new code is: a block made quickly, and what it takes to come there; the first of a process
 * takes 60 more. */
enum {
	FIRST_COST = 100000, REGION_COST = 11000, FORK_COST = 40000, MISS_COST = 1000, FIRST_MISS = 60000,
	FILE_COST = 200000, BYTE_COST = 3, AGAIN = 8,
};

static int persistfrom FORKED;              /* translations below are another's to persist, or are persisted */

/* New code of it is not translated in full at first here: nobody has run it before. */
static int
isfirst(const struct dso *d)
{
	return d->met && !d->begun && !d->image.base;
}

/* Translations from the nth on are to be persisted. */
static void
newfrom(int n)
{
	CHANGE(persistfrom, n);
	for (int i = 0; i < atomic_load(&ndso); i++)
		if (dso[i]->nnew | dso[i]->nmissed) {  /* written only then: a forked child has its parent's page */
			dso[i]->nnew = dso[i]->nmissed = 0;
			dso[i]->newbytes = 0;
		}
}

void cache_allnew(void) { newfrom(0); }
void cache_forked(void) { newfrom(atomic_load(&core.ntrans)); }

void
cache_made(struct dso *d, u32 size)
{
	d->nnew++;
	d->newbytes += size;
}

static int
isnew(const struct trans *t, const struct dso *d)
{
	return !t->left && full_of(t)->home == d && !t->dead;
}

static u64 filecost(const struct dso *d) { return FILE_COST + (d->image.size + d->newbytes * 5 / 2) * BYTE_COST; }
static u64 forkcost(void) { return cpu_self ? (u64)cpu_self->nfork * FORK_COST : 0; }

/* Much is written at once.  Of the processes that translate a little, which alone would not be worth a file, as many
 * write one as make it cost no more than all have spent translating: what a script's thousand
 * children translate is found in time.  The first process that runs a file has translated only what it ran often; the
 * next, if there is one, will do so with all, and write that: to save it what the first has done is worth little.
 * Who has translated in full for those who missed it in the image writes: that it is worth it is decided already. */
static int
isworth(const struct dso *d)
{
	u64 cost = filecost(d), spent = (u64)d->nnew * REGION_COST + forkcost();

	if (isfirst(d))
		return spent >= 2 * cost;
	return (d->begun && d->image.base) || spent * AGAIN >= cost || store_dice() < (spent + FIRST_COST) * 65536 / cost;
}

/* It is worth that the next process translates in full what its image has not, to add it: as above. */
static int
iswanting(const struct dso *d)
{
	u64 spent = (u64)d->nmissed * MISS_COST + forkcost();

	return d->nmissed && d->image.base && store_dice() < (spent * AGAIN + FIRST_MISS) * 65536 / filecost(d);
}

/* -- the file -- */

/* The kernel's list of mappings as it is now, for all files; it knows what a file is called now. */
struct maps { char *text; size_t n; };

static void
readmaps(struct maps *m)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t cap = 0;
	ssize_t r = 0;

	do {
		m->n += (size_t)r;
		if (m->n + 4096 > cap)
			m->text = xrealloc(m->text, (cap = 2 * cap + (64 << 10)) + 1);
		r = fd < 0 ? 0 : read(fd, m->text + m->n, cap - m->n);
	} while (r > 0);
	m->text[m->n] = 0;
	if (fd >= 0)
		close(fd);
}

/* A copy of the name of what is mapped at page with this delta, or 0. */
static char *
nameat(const struct maps *m, gaddr page, gaddr delta)
{
	const char *line = m->text, *end;
	u64 lo, hi, off;
	int at = 0;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		char *s;

		lo = strtoull(line, &s, 16);
		hi = *s == '-' ? strtoull(s + 1, 0, 16) : 0;
		if (page >= h2g((void *)lo) && page < h2g((void *)hi))
			break;
	}
	if (!end || sscanf(line, "%*s %*s %" SCNx64 " %*s %*s %n", &off, &at) < 1 || !at || line + at >= end ||
	    h2g((void *)lo) - off != delta)
		return 0;
	return strndup(line + at, (size_t)(end - line - at));
}

static char *
nameof(const struct dso *d, const struct maps *m)
{
	gaddr page = d->lo;

	if (d->vdso)
		return xstrdup("[vdso]");
	while (page < d->hi && !(d->page[(page - d->lo) / PAGE] & PAGE_CLEAN))
		page += PAGE;
	return page < d->hi ? nameat(m, page, d->key.delta) : 0;
}

/* The file is the one we mapped, and as it was when it was identified: then the clean pages have had their content all
 * the time.  It is asked for by the name the kernel knows; not to be believed are device and inode in the
 * list of mappings, which on stacked file systems are those of a file underneath. */
static int
unchanged(const struct dso *d, const char *name)
{
	struct stat st;

	return d->vdso || (!stat(name, &st) && dso_samefile(&st, &d->st));
}

/* -- what it was made from -- */

/* The image was made from what this file has too. */
static int
suits(const struct dso *d, const struct cimage *m)
{
	if (d->image.base && !memcmp(&d->image.h->grains, &m->h->grains, sizeof m->h->grains))
		return 1;
	for (u32 i = 0; i < m->ngrain; i++) {
		gaddr at = m->grain[i];

		if (at % GRAIN || at < d->lo || at >= d->hi || !(d->page[(at - d->lo) / PAGE] & PAGE_CLEAN))
			return 0;
	}
	return cache_hasgrains(m);
}

/* All that the next version is made from: what the last was, and what was used here.  0 if some of it is not the
 * file's any more. */
static int
usedgrains(const struct dso *d, const struct cimage *base, struct cimage_origin *o)
{
	u32 n = (u32)((d->hi - d->lo) / GRAIN), k = 0, nfresh = 0;
	gaddr *grain = xmalloc((n + 1) * sizeof *grain), *fresh = xmalloc((n + 1) * sizeof *fresh);
	struct store_id *sum = xmalloc((n + 1) * sizeof *sum), *freshsum = xmalloc((n + 1) * sizeof *freshsum);
	int good = 1;

	o->grain = grain;
	o->grainsum = sum;
	for (gaddr at = d->lo; at < d->hi; at += GRAIN) {
		int old = k < base->ngrain && base->grain[k] == at;
		u8 page = d->page[(at - d->lo) / PAGE];

		if (!old && !(page & page_used(at)))
			continue;
		good &= (page & PAGE_CLEAN) != 0;
		if (old)
			sum[o->ngrain] = base->grainsum[k++];
		else
			fresh[nfresh++] = at;
		grain[o->ngrain++] = at;
	}
	good = good && k == base->ngrain && cache_grainsums(fresh, nfresh, freshsum);
	for (u32 i = 0, f = 0; good && f < nfresh; i++)
		if (grain[i] == fresh[f])
			sum[i] = freshsum[f++];
	free(fresh);
	free(freshsum);
	return good;
}

/* -- the next version -- */

/* What is on disk now: another process may have written since we attached.  Nothing, if it is of another file that
 * has the same key. */
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
	if (p == MAP_FAILED)
		return;
	if (cimage_check(m, p, (u64)st.st_size, &d->key) || !suits(d, m)) {
		munmap(p, (size_t)st.st_size);
		*m = (struct cimage){0};
	}
}

static void
source(const struct full *t, struct source *s)
{
	*s = (struct source){.pc = t->t.head.pc, .mode = t->t.head.mode, .size = t->t.size, .line = t->line,
	    .code = core_codeof(&t->t), .link = t->link, .nlink = (u32)t->nlink, .entry = t->entry, .nentry = (u32)t->nentry,
	    .map = t->map, .nmap = (u32)t->nmap, .range = t->range, .nrange = (u32)t->nrange,
	    .reloc = t->reloc, .nreloc = (u32)t->nreloc};
}

static u8 *
build(const struct dso *d, const struct cimage *base, struct cimage_origin *o, u64 *size, u32 *added)
{
	struct source *src = xmalloc(((size_t)base->nregion + d->nnew + 1) * sizeof *src);
	u32 n = 0;
	u8 *p;

	for (; n < base->nregion; n++)
		cimage_source(base, n, &src[n]);
	*added = n;
	for (int i = persistfrom; i < atomic_load(&core.ntrans); i++) {
		const struct trans *t = core.trans[i];

		if (isnew(t, d) && (!base->base || !cimage_find(base, t->head.pc, t->head.mode)))
			source(full_of(t), &src[n++]);
	}
	*added = n - *added;
	p = *added && usedgrains(d, base, o) ? cimage_build(core.host, o, src, n, core.opt.nochain, size) : 0;
	free((void *)o->grain);
	free((void *)o->grainsum);
	free(src);
	return p;
}

static void
written(const struct dso *d, const struct cimage_header *h)
{
	if (!d->vdso)
		store_learn(&d->st, &d->key, &(struct store_found){&h->grains, 0, 0});
	if (isfirst(d))
		store_want(&d->st, &d->key, h->headsum);
}

static void
update(struct dso *d, const char *name)
{
	struct cimage_origin o = {.key = d->key, .guest = core.guest->name, .name = name};
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
	p = build(d, &base, &o, &size, &added);
	if (!p || !unchanged(d, name) || store_pwrite(f.fd, p, size, 0)) {
		store_abort(&f);
	} else if (!store_commit(&f)) {
		written(d, (const struct cimage_header *)(void *)p);
		core.stat.persisted += added;
	}
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
		if (lock_try(&core.lock))
			return 1;
		sched_yield();
	}
	return 0;
}

static void
tell(void)
{
	int first = 0;

	for (int i = 0; i < atomic_load(&ndso); i++) {
		first |= isfirst(dso[i]);
		if (isfirst(dso[i]) && !dso[i]->told) {
			store_meet(&dso[i]->st, &dso[i]->key);
			dso[i]->told = 1;
		}
	}
	if (first)
		core_tellran();
	store_done();
}

/* What is new of it is written, if it is worth it. */
static void
keep(struct dso *d, struct maps *maps)
{
	char *name;

	if (!d->nnew || !isworth(d)) {
		if (iswanting(d))
			store_want(&d->st, &d->key, d->image.h->headsum);
		return;
	}
	if (!maps->text)
		readmaps(maps);
	if ((name = nameof(d, maps)))
		update(d, name);
	free(name);
}

void
cache_keep(struct dso *d)
{
	struct maps maps = {0};
	int saved = errno;

	if (!store_writable())
		return;
	keep(d, &maps);
	free(maps.text);
	store_done();
	errno = saved;
}

static void
persist(void)
{
	struct maps maps = {0};
	int n = atomic_load(&ndso);

	for (int i = 0; i < n; i++)
		keep(dso[i], &maps);
	free(maps.text);
	tell();
	newfrom(atomic_load(&core.ntrans));
}

static int
ismissed(void)
{
	for (int i = 0; i < atomic_load(&ndso); i++)
		if (dso[i]->nmissed)
			return 1;
	return 0;
}

/* There is something to tell. */
static int
ismet(void)
{
	int n = cache_on ? atomic_load(&ndso) : 0;

	for (int i = 0; i < n; i++)
		if (isfirst(dso[i]) && !dso[i]->told)
			return store_writable();
	return 0;
}

void
cache_persist(void)
{
	int saved;

	if (!cache_on || (persistfrom == atomic_load(&core.ntrans) && !ismet() && !ismissed()) || !store_writable())
		return;
	saved = errno;
	if (lock()) {
		persist();
		lock_give(&core.lock);
	}
	errno = saved;
}

void
cache_tell(void)
{
	if (!ismet())
		return;
	lock_take(&core.lock);
	tell();
	lock_give(&core.lock);
}
