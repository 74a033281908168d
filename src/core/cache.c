/* SPDX-License-Identifier: MIT */
/* cache.c - guest files whose translations are kept: what is attached, found, and let go */
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/model.h"
#include "core/dso.h"

enum { FIRST = 64 };

struct dso *dso[NDSO] ROOMY;
_Atomic int ndso;
int cache_on;
static u64 config[2];

/* -- what code depends on besides the file -- */

static int
buildid(struct dl_phdr_info *info, size_t size, void *arg)
{
	u64 *id = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		const u8 *at = (const u8 *)(info->dlpi_addr + p->p_vaddr), *end = at + p->p_memsz;

		if (p->p_type != PT_NOTE)
			continue;
		while (end - at >= 12) {
			u32 name = ld32(at), n = ld32(at + 4);

			if (ld32(at + 8) == NT_GNU_BUILD_ID && name == 4 && n >= 16 && !memcmp(at + 12, "GNU", 4)) {
				memcpy(id, at + 16, 16);
				return 1;
			}
			at += 12 + alignup(name, 4) + alignup(n, 4);
		}
	}
	return 1;                      /* the program is the first object */
}

/* 0 if this program does not know which build it is. */
static int
configure(void)
{
	struct {
		u64 build[2], host, base, pagesize, maxinsn, nochain, have, id, guest;
	} c = {.host = core.host->config(), .base = gmem.base, .pagesize = gmem.pagesize, .maxinsn = (u64)core.opt.maxinsn,
	    .nochain = (u64)core.opt.nochain, .have = cpu_model.have, .id = cpu_model.id};

	dl_iterate_phdr(buildid, c.build);
	for (const char *s = core.guest->name; *s; s++)
		c.guest = (c.guest ^ (u8)*s) * 0x100000001b3;
	config[0] = cimage_sum(&c, sizeof c);
	c.guest++;
	config[1] = cimage_sum(&c, sizeof c);
	return c.build[0] || c.build[1];
}

void
cache_init(void)
{
	/* a profile is of code that this process makes: with counters in it, or told of when it comes into being */
	cache_on = store_on() && core.host->head && core.images < core.area && !core.opt.hot && !core.opt.perfmap &&
	    !core.opt.jitdump;
	if (cache_on && logging(LOG_CACHE))
		log_print("cache: %llu MiB for images\n", (unsigned long long)(core.area - core.images) >> 20);
}

/* -- dsos -- */

int
dso_samefile(const struct stat *s, const struct stat *t)
{
	return s->st_dev == t->st_dev && s->st_ino == t->st_ino && s->st_size == t->st_size &&
	    !memcmp(&s->st_mtim, &t->st_mtim, sizeof s->st_mtim) && !memcmp(&s->st_ctim, &t->st_ctim, sizeof s->st_ctim);
}

static struct dso *
dso_for(const struct store_key *key, const struct stat *st)
{
	int n = atomic_load(&ndso);
	struct dso *d;

	for (int i = 0; i < n; i++)
		if (!memcmp(&dso[i]->key, key, sizeof *key) && dso_samefile(&dso[i]->st, st))
			return dso[i];
	if (n == NDSO)
		return 0;
	d = xmalloc(sizeof *d);
	d->key = *key;
	d->st = *st;
	dso[n] = d;
	atomic_store_explicit(&ndso, n + 1, memory_order_release);
	return d;
}

static int
isclean(const struct dso *d, gaddr page)
{
	return page >= d->lo && page < d->hi && d->page[(page - d->lo) / PAGE] & PAGE_CLEAN;
}

struct dso *
cache_home(gaddr a)
{
	int all = atomic_load(&ndso);

	for (int i = 0; i < all; i++)
		if (isclean(dso[i], aligndown(a, PAGE)))
			return dso[i];
	return 0;
}

int
cache_begun(gaddr a)
{
	struct dso *d = cache_home(a);

	if (!d)
		return 0;
	d->met = 1;
	d->nmissed += d->image.base && !d->begun;
	return d->begun;
}

int
cache_uses(struct dso *d, gaddr a, u64 n)
{
	for (gaddr p = aligndown(a, PAGE); p < a + n; p += PAGE)
		if (!isclean(d, p))
			return 0;
	for (gaddr p = aligndown(a, GRAIN); p < a + n; p += GRAIN)
		d->page[(p - d->lo) / PAGE] |= page_used(p);
	return 1;
}

static void
setclean(struct dso *d, gaddr lo, gaddr hi)
{
	gaddr newlo = d->lo < d->hi && d->lo < lo ? d->lo : lo, newhi = d->hi > hi ? d->hi : hi;

	if (d->lo == d->hi || newlo < d->lo || newhi > d->hi) {
		u8 *c = xmalloc((newhi - newlo) / PAGE), *old = d->page;

		if (d->lo < d->hi)
			memcpy(c + (d->lo - newlo) / PAGE, d->page, (d->hi - d->lo) / PAGE);
		/* in this order: a vfork child may be killed in between */
		__atomic_store_n(&d->hi, d->lo, __ATOMIC_RELEASE);
		__atomic_store_n(&d->page, c, __ATOMIC_RELEASE);
		__atomic_store_n(&d->lo, newlo, __ATOMIC_RELEASE);
		__atomic_store_n(&d->hi, newhi, __ATOMIC_RELEASE);
		free(old);
	}
	for (gaddr p = lo; p < hi; p += PAGE)
		d->page[(p - d->lo) / PAGE] |= PAGE_CLEAN;
}

/* -- attaching -- */

/* The last gap of size bytes, whole pages, in the space for images. */
static u8 *
space(u64 size)
{
	u8 *end = core.area;
	int n = atomic_load(&ndso), moved;

	do {
		if ((u64)(end - core.images) < size)
			return 0;
		moved = 0;
		for (int i = 0; i < n; i++) {
			const struct cimage *m = &dso[i]->image;

			if (m->base && end - size < m->base + m->size && m->base < end) {
				end = m->base;
				moved = 1;
			}
		}
	} while (moved);
	return end - size;
}

static void
vacate(u8 *at, u64 size)
{
	mmap(at, alignup(size, PAGE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

int
cache_grainsums(const gaddr *grain, u32 n, struct store_id *sum)
{
	enum { ATONCE = 8 };
	u8 buf[ATONCE * GRAIN], sums[ATONCE][sizeof sum->byte];

	for (u32 i = 0, k; i < n; i += k) {
		for (k = 0; k < ATONCE && i + k < n; k++)
			if (gmem_read(buf + k * GRAIN, grain[i + k], GRAIN))
				return 0;
		if (k == ATONCE && core.host->hash && core.host->hash(buf, GRAIN, sums))
			memcpy(&sum[i], sums, sizeof sums);
		else
			for (u32 j = 0; j < k; j++)
				store_hash(buf + j * GRAIN, GRAIN, &sum[i + j]);
	}
	return 1;
}

int
cache_hasgrains(const struct cimage *m)
{
	struct store_id sum[32];

	for (u32 i = 0, n; i < m->ngrain; i += n) {
		n = m->ngrain - i < NELEM(sum) ? m->ngrain - i : NELEM(sum);
		if (!cache_grainsums(m->grain + i, n, sum) || memcmp(sum, m->grainsum + i, n * sizeof *sum))
			return 0;
	}
	return 1;
}

/* What the first process that sees both files as they are now looks at in full; the others take its word.  The
 * vDSO is what the key says: it has the build. */
static const char *
believe(struct dso *d, const struct cimage *m, int guest, int fd, const struct stat *st)
{
	struct store_found f = {&m->h->grains, st, m->h->headsum};
	int known = d->vdso ? KNOWN_GRAINS : store_known(&d->st, &d->key, &f);
	struct stat now;

	d->broken = !(known & KNOWN_SOUND) && !cimage_sound(m);
	if (d->broken)
		return "it is damaged";
	for (u32 i = 0; i < m->ngrain; i++)
		if (m->grain[i] % GRAIN || !isclean(d, aligndown(m->grain[i], PAGE)))
			return "pages are not mapped";
	if (!(known & KNOWN_GRAINS) && !cache_hasgrains(m))
		return "of another file of that key";
	if (known == (KNOWN_GRAINS | KNOWN_SOUND) || d->vdso)
		return 0;
	if (!fstat(guest, &now) && dso_samefile(&now, &d->st) && !fstat(fd, &now) && dso_samefile(&now, st))
		store_learn(&d->st, &d->key, &f);
	store_done();
	return 0;
}

static const char *
mapimage(struct dso *d, int guest, int fd)
{
	struct cimage m;
	struct stat st;
	const char *wrong;
	u8 *at;

	if (fstat(fd, &st) || st.st_size < (s64)sizeof(struct cimage_header))
		return "no cache file";
	if (!(at = space(alignup((u64)st.st_size, PAGE))))
		return "no room";
	if (mmap(at, (size_t)st.st_size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
	    fd, 0) == MAP_FAILED)
		return strerror(errno);
	wrong = cimage_open(&m, at, (u64)st.st_size, &d->key);
	d->broken = wrong != 0;
	if (!wrong)
		wrong = believe(d, &m, guest, fd, &st);
	if (wrong) {
		vacate(at, (u64)st.st_size);
		return wrong;
	}
	for (u32 i = 0; i < m.ngrain; i++)
		cache_uses(d, m.grain[i], GRAIN);
	d->image = m;
	d->code0 = m.ngrain ? m.grain[0] : 0;
	d->code1 = m.ngrain ? m.grain[m.ngrain - 1] + GRAIN : 0;
	atomic_store_explicit(&d->open, 1, memory_order_release);
	return 0;
}

/* All that has an image, or may get one yet, lies in here.  Lock held. */
static struct { gaddr lo, hi; } imaged;

static void
mayhave(const struct dso *d)
{
	int first = imaged.lo == imaged.hi;

	if (first || d->lo < imaged.lo)
		imaged.lo = d->lo;
	if (first || d->hi > imaged.hi)
		imaged.hi = d->hi;
}

/* guest: the file mapped; -1: the vDSO. */
static void
attach(struct dso *d, int guest)
{
	const char *wrong;
	int fd;

	if (d->image.base)
		return;
	if ((fd = store_open(&d->key)) < 0) {
		wrong = "none yet";
	} else {
		wrong = mapimage(d, guest, fd);
		close(fd);
		if (d->broken)
			store_bad(&d->key);
		d->broken = 0;
	}
	d->begun = wrong ? store_met(&d->st, &d->key) : store_wanted(&d->st, &d->key, d->image.h->headsum);
	if (!wrong) {
		mayhave(d);
		core.stat.images++;
		core.stat.imagebytes += d->image.size;
		core.stat.attached += d->image.nregion;
	}
	if (logging(LOG_CACHE))
		log_print("cache: %s at %#llx: %s, %u regions\n", d->name, (unsigned long long)d->lo,
		    wrong ? wrong : "attached", d->image.nregion);
}

/* Another thread may have replaced the mapping since; if it does from now on, it says so afterwards. */
static int
still(gaddr a, u64 len, u64 off, const struct stat *st, struct vma *v)
{
	return !gmem_find(a, v) && v->ino == st->st_ino && v->dev == st->st_dev && v->off + (a - v->start) == off &&
	    v->end - a >= len && (v->flags & (GM_EXEC | GM_WRITE | GM_SHARED)) == GM_EXEC;
}

/* The file of that key and status has its content at [a, a + len). */
static struct dso *
mapped(struct store_key *key, const struct stat *st, gaddr a, u64 len, const char *name)
{
	struct dso *d;

	memcpy(key->config, config, sizeof config);
	if (!(d = dso_for(key, st)))
		return 0;
	setclean(d, a, a + len);
	if (d->image.base)
		mayhave(d);
	if (logging(LOG_CACHE) && !d->name)
		d->name = xstrdup(name ? name : "?");
	return d;
}

void
cache_mapped(gaddr a, u64 len, u64 off, int fd)
{
	struct store_key key = {.delta = a - off};
	struct dso *d;
	struct stat st;
	struct vma v;

	if (!cache_on || fstat(fd, &st) || !S_ISREG(st.st_mode) || (u64)st.st_size <= off)
		return;
	if (len > alignup((u64)st.st_size - off, PAGE))
		len = alignup((u64)st.st_size - off, PAGE);
	lock_take(&core.lock);
	if (!config[0] && !configure())
		cache_on = 0;
	if (cache_on && still(a, len, off, &st, &v) && !store_identify(fd, &st, &key.file) &&
	    (d = mapped(&key, &st, a, len, v.path)))
		attach(d, fd);
	lock_give(&core.lock);
}

/* No file to identify: the build, which the key has, and the guest say what lies there.  Many programs never call
 * it, so its image is looked for when one does. */
void
cache_vdso(gaddr a, u64 len)
{
	struct store_key key = {.delta = a, .file.byte = "vDSO"};
	const struct stat none = {.st_size = 0};
	struct dso *d;

	if (!cache_on)
		return;
	lock_take(&core.lock);
	if (!config[0] && !configure())
		cache_on = 0;
	if (cache_on && (d = mapped(&key, &none, a, len, "[vdso]"))) {
		d->vdso = d->late = 1;
		mayhave(d);
	}
	lock_give(&core.lock);
}

/* -- letting go -- */

static void
detach(struct dso *d)
{
	if (!d->image.base)
		return;
	atomic_store(&d->open, 0);
	core_forgetjumps();
	for (u32 i = 0; i < d->made.cap; i++)
		if (d->made.v[i])
			core_kill(d->made.v[i]);
	if (logging(LOG_CACHE))
		log_print("cache: %s at %#llx: its code changes, let go\n", d->name, (unsigned long long)d->lo);
	vacate(d->image.base, d->image.size);
	d->image = (struct cimage){0};
	d->begun = 0;
	d->made.cap = d->made.n = 0;
	free(__atomic_exchange_n(&d->made.v, 0, __ATOMIC_ACQ_REL));
	atomic_fetch_add(&core.emptied, 1);    /* links on their way are forgotten */
}

/* Some of what the image was made from is in a page of [a, end). */
static int
hascode(const struct dso *d, gaddr a, gaddr end)
{
	const struct cimage *m = &d->image;
	u32 lo = 0, hi = m->ngrain;

	a = aligndown(a, PAGE);
	end = alignup(end, PAGE);
	while (m->base && lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (m->grain[mid] + GRAIN <= a)
			lo = mid + 1;
		else
			hi = mid;
	}
	return m->base && lo < m->ngrain && m->grain[lo] < end;
}

/* Translations were made of what lies in [a, end), and of no other of its pages that is still the file's. */
static int
goes(const struct dso *d, gaddr a, gaddr end)
{
	int used = 0;

	if (end <= d->lo || a >= d->hi)
		return 0;
	for (gaddr p = d->lo; p < d->hi; p += PAGE) {
		u8 page = d->page[(p - d->lo) / PAGE];

		if (!(page & PAGE_CLEAN) || page == PAGE_CLEAN)
			continue;
		if (p < aligndown(a, PAGE) || p >= end)
			return 0;
		used = 1;
	}
	return used;
}

/* [a, end) is nobody's file any more; 1 if images must go for that. */
static int
dirty(gaddr a, gaddr end)
{
	int n = atomic_load(&ndso), must = 0;

	for (int i = 0; i < n; i++) {
		struct dso *d = dso[i];

		for (gaddr p = a > d->lo ? aligndown(a, PAGE) : d->lo; p < end && p < d->hi; p += PAGE)
			d->page[(p - d->lo) / PAGE] &= (u8)~PAGE_CLEAN;
		must |= hascode(d, a, end);
	}
	return must;
}

void
cache_drop(gaddr a, u64 len)
{
	int must;

	if (!atomic_load(&ndso))
		return;
	lock_take(&core.lock);
	for (int i = 0; cache_on && i < atomic_load(&ndso); i++)
		if (goes(dso[i], a, a + len))
			cache_keep(dso[i]);
	must = dirty(a, a + len);
	lock_give(&core.lock);
	if (!must)
		return;
	engine_stop(cpu_self);
	lock_take(&core.lock);
	for (int i = 0; i < atomic_load(&ndso); i++)
		if (hascode(dso[i], a, a + len))
			detach(dso[i]);
	lock_give(&core.lock);
	engine_go(cpu_self);
}

/* The guest says it has written there.  It cannot have, where pages are clean; but the file may have changed.
 * Rare: everything is made anew, at the next safe point. */
void
cache_flush(gaddr a, u64 len)
{
	int n = atomic_load(&ndso), hit = 0;

	if (!n)
		return;
	lock_take(&core.lock);
	for (int i = 0; i < n && !hit; i++)
		hit = hascode(dso[i], a, a + len);
	if (hit)
		atomic_store(&core.stale, 1);
	for (int c = 0; c < core.ncpu && hit; c++)
		cpu_poll(core.cpu[c]);
	lock_give(&core.lock);
}

void
cache_emptied(void)
{
	int n = atomic_load(&ndso);

	cache_allnew();
	for (int i = 0; i < n; i++) {
		struct dso *d = dso[i];

		if (d->made.cap)
			memset(d->made.v, 0, d->made.cap * sizeof *d->made.v);
		d->made.n = 0;
	}
}

void
cache_end(void)
{
	int n = atomic_load(&ndso);

	for (int i = 0; i < n; i++)
		detach(dso[i]);
	if (cache_on && logging(LOG_CACHE))
		log_print("cache: off, code is made another way from now on\n");
	cache_on = 0;
}

/* -- finding -- */

/* Where the record of this code is, or belongs. */
static struct trans **
place(struct trans **v, u32 cap, const u8 *code)
{
	u32 h = (u32)((uintptr_t)code / 16 * 0x9e3779b97f4a7c15 >> 32);

	while (v[h & (cap - 1)] && core_codeof(v[h & (cap - 1)]) != code)
		h++;
	return &v[h & (cap - 1)];
}

static void
enlarge(struct dso *d)
{
	u32 cap = d->made.cap ? d->made.cap * 2 : FIRST;
	struct trans **v = xmalloc(cap * sizeof *v);

	for (u32 i = 0; i < d->made.cap; i++)
		if (d->made.v[i])
			*place(v, cap, core_codeof(d->made.v[i])) = d->made.v[i];
	v = __atomic_exchange_n(&d->made.v, v, __ATOMIC_ACQ_REL);
	d->made.cap = cap;
	free(v);
}

static struct trans *
materialise(struct dso *d, u32 n)
{
	const struct cimage *m = &d->image;
	const struct cimage_region *r = &m->region[n];
	struct trans **at;
	struct full *t;

	if (d->made.n * 2 >= d->made.cap)
		enlarge(d);
	at = place(d->made.v, d->made.cap, m->code + r->code);
	if (*at)
		return *at;
	t = book_get(sizeof *t);
	*t = (struct full){.t = {.head = {.pc = r->pc, .mode = r->mode}, .size = r->size,
	    .code = (u32)(m->code + r->code - core.images), .inimage = 1}, .line = (u8)r->line, .home = d,
	    .link = m->link + r->link.at, .nlink = (int)r->link.n, .entry = m->entry + r->entry.at,
	    .nentry = (int)r->entry.n, .map = m->map + r->map.at, .nmap = (int)r->map.n,
	    .range = m->range + r->range.at, .nrange = (int)r->range.n};
	d->made.n++;
	return *at = &t->t;
}

static struct dso *
among(gaddr pc)
{
	int n = atomic_load(&ndso);

	for (int i = 0; i < n; i++) {
		struct dso *d = dso[i];

		if (pc < d->lo || pc >= d->hi)
			continue;
		if (d->late) {
			d->late = 0;
			if (isclean(d, d->lo))
				attach(d, -1);
		}
		if (d->image.base)
			return d;
	}
	return 0;
}

/* The one with an image that has pc, perhaps. */
static inline struct dso *
dso_at(gaddr pc)
{
	return pc >= imaged.lo && pc < imaged.hi ? among(pc) : 0;
}

int
cache_ready(gaddr pc, u32 mode)
{
	return dso_at(pc) && cache_code(pc, mode);
}

int
cache_has(gaddr pc, u32 mode)
{
	struct dso *d = dso_at(pc);

	return d && cimage_find(&d->image, pc, mode);
}

const u8 *
cache_code(gaddr pc, u32 mode)
{
	int n = atomic_load_explicit(&ndso, memory_order_acquire);

	for (int i = 0; i < n; i++) {
		const struct dso *d = dso[i];
		const struct cimage_slot *s;

		if (atomic_load_explicit(&d->open, memory_order_acquire) && pc >= d->code0 && pc < d->code1 &&
		    (s = cimage_find(&d->image, pc, mode)))
			return cimage_entry(&d->image, s);
	}
	return 0;
}

struct node *
cache_adopt(gaddr pc, u32 mode)
{
	struct dso *d = dso_at(pc);
	const struct cimage_slot *s = d ? cimage_find(&d->image, pc, mode) : 0;
	s64 region = s ? cimage_at(&d->image, cimage_entry(&d->image, s)) : -1;
	struct node *node;

	if (region < 0)
		return 0;
	node = core_place(pc, mode, 0);
	core_arrive(node, materialise(d, (u32)region), cimage_entry(&d->image, s), s->code & 1);
	return node;
}

static struct dso *
dso_of(const u8 *code)
{
	int n = code >= core.images && code < core.area ? atomic_load_explicit(&ndso, memory_order_acquire) : 0;

	for (int i = 0; i < n; i++)
		if (code >= dso[i]->image.base && code < dso[i]->image.base + dso[i]->image.size)
			return dso[i];
	return 0;
}

struct trans *
cache_transat(const u8 *code)
{
	struct dso *d = dso_of(code);
	s64 n = d ? cimage_at(&d->image, code) : -1;

	return n < 0 ? 0 : materialise(d, (u32)n);
}

int
cache_pcat(const u8 *code, struct guestat *at)
{
	struct dso *d = dso_of(code);
	s64 n = d ? cimage_at(&d->image, code) : -1;

	if (n < 0)
		return 0;
	*at = cimage_pcat(&d->image, (u32)n, code);
	return 1;
}
