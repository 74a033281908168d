/* SPDX-License-Identifier: MIT */
/* stack.c - the initial stack: strings, auxiliary vector, argument and environment pointers
 *
 * From the top down as Linux lays it out: a null word, the program's name, environment strings,
 * argument strings, platform, 16 random bytes, padding; then auxv, envp, argv, argc, at a 16-byte
 * aligned sp. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>
#include "loader/loader.h"

enum {
	INITIAL = 132 << 10,           /* mapped at the start, as Linux does; the rest grows */
	STACK_ELSEWHERE = 64 << 20,
};
enum { AT_HWCAP3_ = 29, AT_HWCAP4_ = 30, AT_RSEQ_FEATURE_SIZE_ = 27, AT_RSEQ_ALIGN_ = 28 };

struct builder {
	struct image *img;
	const struct start *s;
	gaddr at;                      /* lowest byte used */
	gaddr platform, base, random, execfn;
	int word, big;
};

static gaddr
push(struct builder *b, const void *p, size_t n)
{
	b->at -= n;
	memcpy(g2h(b->at), p, n);
	return b->at;
}

static gaddr
pushstr(struct builder *b, const char *s)
{
	return push(b, s, strlen(s) + 1);
}

static size_t
count(char *const *v, size_t *bytes)
{
	size_t n = 0;

	for (; v && v[n]; n++)
		*bytes += strlen(v[n]) + 1;
	return n;
}

/* Strings of v, the last one highest, as exec copies them. */
static void
pushstrs(struct builder *b, char *const *v, size_t n)
{
	while (n--)
		pushstr(b, v[n]);
}

static void
auxv(struct builder *b, u64 type, u64 v)
{
	struct image *img = b->img;

	img->auxv[img->nauxv][0] = type;
	img->auxv[img->nauxv++][1] = v;
}

static void
fillauxv(struct builder *b)
{
	const struct image *img = b->img;
	const struct start *s = b->s;

	if (img->vdso)
		auxv(b, AT_SYSINFO_EHDR, img->vdso);
	if (s->minsigstack)
		auxv(b, AT_MINSIGSTKSZ, s->minsigstack);
	auxv(b, AT_HWCAP, s->hwcap[0]);
	auxv(b, AT_PAGESZ, gmem.pagesize);
	auxv(b, AT_CLKTCK, (u64)sysconf(_SC_CLK_TCK));
	auxv(b, AT_PHDR, img->phdr);
	auxv(b, AT_PHENT, (u64)img->phent);
	auxv(b, AT_PHNUM, (u64)img->phnum);
	auxv(b, AT_BASE, img->interp_base);
	auxv(b, AT_FLAGS, 0);
	auxv(b, AT_ENTRY, img->prog_entry);
	auxv(b, AT_UID, getuid());
	auxv(b, AT_EUID, geteuid());
	auxv(b, AT_GID, getgid());
	auxv(b, AT_EGID, getegid());
	auxv(b, AT_SECURE, s->secure);
	auxv(b, AT_RANDOM, b->random);
	auxv(b, AT_HWCAP2, s->hwcap[1]);
	if (s->hwcap[2])
		auxv(b, AT_HWCAP3_, s->hwcap[2]);
	if (s->hwcap[3])
		auxv(b, AT_HWCAP4_, s->hwcap[3]);
	auxv(b, AT_EXECFN, b->execfn);
	if (b->platform)
		auxv(b, AT_PLATFORM, b->platform);
	if (b->base)
		auxv(b, AT_BASE_PLATFORM, b->base);
	auxv(b, AT_NULL, 0);
}

/* Maps the stack; need: bytes it will hold at the start.  It grows by itself as far as the host's
 * RLIMIT_STACK allows, which is the guest's. */
static int
mapstack(struct builder *b, u64 need)
{
	/* nothing may end where the space does; the vDSO comes first */
	gaddr top = b->img->guest->space->end - 2 * gmem.pagesize;
	int prot = PROT_READ | PROT_WRITE | (b->img->execstack ? PROT_EXEC : 0);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE;
	u64 size = alignup(need + INITIAL, gmem.pagesize);
	struct rlimit l;
	s64 r;

	top = aligndown(top, gmem.pagesize);
	if (b->s->stacksize > size)
		size = alignup(b->s->stacksize, gmem.pagesize);
	if (getrlimit(RLIMIT_STACK, &l))
		l.rlim_cur = 8 << 20;
	r = gmem_map(top - size, size, prot, flags, -1, 0, "[stack]");
	if (r < 0) {           /* the place is taken: a stack of fixed size elsewhere */
		u64 limit = l.rlim_cur < STACK_ELSEWHERE ? l.rlim_cur : STACK_ELSEWHERE;

		if (size < limit)
			size = alignup(limit, gmem.pagesize);
		r = gmem_map(0, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0,
			     "[stack]");
	}
	if (r < 0)
		return (int)r;
	b->img->stack0 = (gaddr)r + size;
	b->at = b->img->stack0;
	return 0;
}

/* n words at a */
static gaddr
putword(struct builder *b, gaddr a, u64 v)
{
	stn(g2h(a), b->word, b->big, v);
	return a + (u64)b->word;
}

/* argc, argv, envp, auxv, from sp upward */
static void
vectors(struct builder *b, size_t argc, size_t envc)
{
	struct image *img = b->img;
	gaddr a, str = img->arg0;

	b->at = aligndown(b->at - (argc + envc + 3 + 2 * (u64)img->nauxv) * (u64)b->word, 16);
	a = img->sp = b->at;
	a = putword(b, a, argc);
	for (size_t i = 0; i < argc; i++) {
		a = putword(b, a, str);
		str += strlen(b->s->argv[i]) + 1;
	}
	a = putword(b, a, 0);
	for (size_t i = 0; i < envc; i++) {
		a = putword(b, a, str);
		str += strlen(b->s->envp[i]) + 1;
	}
	a = putword(b, a, 0);
	for (int i = 0; i < img->nauxv; i++) {
		a = putword(b, a, img->auxv[i][0]);
		a = putword(b, a, img->auxv[i][1]);
	}
}

static void
fillrandom(const struct start *s, u8 *random)
{
	u64 x = s->seed;

	if (s->hasseed) {
		for (int i = 0; i < 16; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			random[i] = (u8)(x >> 33);
		}
	} else if (getrandom(random, 16, GRND_NONBLOCK) != 16) {
		memcpy(random, (void *)getauxval(AT_RANDOM), 16);
	}
}

int
image_stack(struct image *img, const struct start *s)
{
	struct builder b = { .img = img, .s = s, .word = img->guest->bits / 8, .big = img->guest->big };
	size_t bytes = 0, argc = count(s->argv, &bytes), envc = count(s->envp, &bytes);
	u8 random[16];
	int r;

	bytes += strlen(s->execfn) + 4096 + (argc + envc) * (size_t)b.word;
	r = mapstack(&b, bytes);
	if (r)
		return FAIL(img, r, D_NOSPACE, s->execfn, "the stack", strerror(-r));
	push(&b, &(u64){ 0 }, 8);
	b.execfn = pushstr(&b, s->execfn);
	img->env1 = b.at;
	pushstrs(&b, s->envp, envc);
	img->env0 = img->arg1 = b.at;
	pushstrs(&b, s->argv, argc);
	img->arg0 = b.at;
	b.platform = s->platform ? pushstr(&b, s->platform) : 0;
	b.base = s->baseplatform ? pushstr(&b, s->baseplatform) : 0;
	fillrandom(s, random);
	b.random = push(&b, random, sizeof random);
	b.at = aligndown(b.at, 16);
	img->nauxv = 0;
	fillauxv(&b);
	vectors(&b, argc, envc);
	return 0;
}
