/* SPDX-License-Identifier: MIT */
/* profile.c - generated code for profilers, and where guest instructions are executed
 *
 * -perfmap and -jitdump tell perf(1) about every region when it is made (the cache is off meanwhile), in
 * the formats of perf's jit-interface.txt and jitdump-specification.txt.  The names are guest symbols.
 *
 * -d hot counts how often each block is entered, by code at its head (struct count), and at the end weighs that
 * with the block's length: exact for what was executed, not for how long it took, and the same in each run.  A timer
 * would need signals, which the guest might see.
 *
 * Caller holds the engine's lock. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "base/diag.h"
#include "core/core.h"

enum { HOTTEST = 40, JIT_MAGIC = 0x4a695444, JIT_LOAD = 0 };

struct jitfile { u32 magic, version, size, machine, pad, pid; u64 time, flags; };
struct jitload { u32 id, size; u64 time; u32 pid, tid; u64 vma, code, codesize, index; };

static int mapfd = -1, dumpfd = -1;
static u64 nload;

/* our own ELF header, which names the host's machine */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

static u64
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static int
create(const char *form)
{
	char name[64];
	int fd;

	snprintf(name, sizeof name, form, (int)getpid());
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		diag(D_OPENFAIL, name, strerror(errno));
	return core.opt.hide ? core.opt.hide(fd) : fd;
}

/* What cannot be written is missing in the profile, no more. */
static void
put(int fd, const struct iovec *v, int n)
{
	if (writev(fd, v, n) < 0)
		log_print("profile: %s\n", strerror(errno));
}

void
profile_init(void)
{
	struct jitfile h = {JIT_MAGIC, 1, sizeof h, __ehdr_start.e_machine, 0, 0, 0, 0};

	if (core.opt.perfmap)
		mapfd = create("/tmp/perf-%d.map");
	if (!core.opt.jitdump)
		return;
	dumpfd = create("jit-%d.dump");
	h.pid = (u32)getpid();
	h.time = now();
	put(dumpfd, &(struct iovec){&h, sizeof h}, 1);
	/* perf finds the file by this mapping; it stays */
	if (mmap(0, sizeof h, PROT_READ | PROT_EXEC, MAP_PRIVATE, dumpfd, 0) == MAP_FAILED)
		diag(D_OPENFAIL, "jit dump", strerror(errno));
}

static void
nameof(const struct trans *t, char *buf, size_t n)
{
	int at = snprintf(buf, n, "%s:", core.guest->family);

	core.opt.symbol(t->head.pc, buf + at, n - (size_t)at);
}

void
profile_region(const struct trans *t)
{
	char name[256], line[320];
	struct jitload h;
	int n;

	if (mapfd < 0 && dumpfd < 0)
		return;
	nameof(t, name, sizeof name);
	if (mapfd >= 0) {
		n = snprintf(line, sizeof line, "%llx %x %s\n", (unsigned long long)(uintptr_t)core_codeof(t), t->size, name);
		put(mapfd, &(struct iovec){line, (size_t)n}, 1);
	}
	if (dumpfd >= 0) {
		h = (struct jitload){JIT_LOAD, (u32)(sizeof h + strlen(name) + 1 + t->size), now(), (u32)getpid(), (u32)gettid(),
		    (u64)(uintptr_t)core_codeof(t), (u64)(uintptr_t)core_codeof(t), t->size, nload++};
		put(dumpfd, (struct iovec[]){{&h, sizeof h}, {name, strlen(name) + 1}, {core_codeof(t), t->size}}, 3);
	}
}

/* -- -d hot -- */
struct count *
profile_counts(const struct region *r)
{
	struct count *c;

	if (!core.opt.hot)
		return 0;
	c = book_get((size_t)r->nblock * sizeof *c);
	for (int b = 0; b < r->nblock; b++) {
		c[b].turns = r->block[b].turns;
		for (int i = 0; i < r->block[b].n; i++)
			c[b].insns += r->ins[r->block[b].first + i].op == O_insn;
	}
	return c;
}

/* Quick code is not counted. */
static int ncount(const struct trans *t) { return t->left ? 0 : full_of(t)->ncount; }

static u64
executed(const struct trans *t)
{
	const struct count *c = full_of(t)->count;
	u64 n = 0;

	for (int b = 0; b < ncount(t); b++)
		n += c[b].times * c[b].insns * c[b].turns;
	return n;
}

static u32
length(const struct trans *t)
{
	const struct count *c = full_of(t)->count;
	u32 n = 0;

	for (int b = 0; b < ncount(t); b++)
		n += c[b].turns == 1 ? c[b].insns : 0;
	return n;
}

/* Links that lead to it. */
static int
ties(const struct trans *t)
{
	int n = 0;

	for (int i = 0; i < core_nentry(t); i++) {
		const struct node *d = core_node(core_entry(t, i).pc, t->head.mode);

		if (!core_entry(t, i).ret && d && d->t == book_ref(t))
			for (rec r = d->in; r; r = ((const struct tie *)book_at(r))->next)
				n++;
	}
	return n;
}

struct hot { u64 n; const struct trans *t; };

static int
hotter(const void *a, const void *b)
{
	const struct hot *x = a, *y = b;

	return x->n > y->n ? -1 : x->n < y->n;
}

void
engine_loghot(void)
{
	int n = atomic_load(&core.ntrans);
	struct hot *h = xmalloc((size_t)n * sizeof *h);
	u64 all = 0;
	char name[256];

	lock_take(&core.lock);
	for (int i = 0; i < n; i++) {
		h[i] = (struct hot){executed(core.trans[i]), core.trans[i]};
		all += h[i].n;
	}
	qsort(h, (size_t)n, sizeof *h, hotter);
	log_print("%llu guest instructions executed in %d regions%s\n", (unsigned long long)all, n,
	    all ? "" : " (this host does not count)");
	log_print("share%%   executed  guest  bytes    in   out  where\n");
	for (int i = 0; i < n && i < HOTTEST && h[i].n; i++) {
		const struct trans *t = h[i].t;

		nameof(t, name, sizeof name);
		log_print("%6.2f %10llu %6u %6u %5d %5d  %s%s\n", 100.0 * (double)h[i].n / (double)all,
		    (unsigned long long)h[i].n, length(t), t->size, ties(t), core_nlink(t), name, t->dead ? " (dropped)" : "");
	}
	lock_give(&core.lock);
	free(h);
}
