/* SPDX-License-Identifier: MIT */
/* core.h - what the files of this room share */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include <stdatomic.h>
#include "base/gmem.h"
#include "base/guest.h"
#include "base/host.h"
#include "base/lock.h"
#include "base/util.h"
#include "core/engine.h"
#include "core/image.h"
#include "ir/ir.h"

struct trans;
struct dso;

/* A record in the book (record.c): an eighth of its distance from there; 0: none.  What is referred to lies at a
 * multiple of 8. */
typedef u32 rec;

/* A place where code may be entered, found by (pc, mode).  Nodes live until the code area is
 * emptied; code is 0 before it has come, and after its translation died. */
struct node {
	gaddr pc;
	_Atomic rec next;
	_Atomic u32 code;              /* from core.images on */
	u32 mode;
	rec in;                        /* ties that lead here; */
	rec t;                         /* whose code it is */
	u8 flagsin;                    /* the code reads the guest's flags before it writes them */
	u8 quick;                      /* it is of the quick tier */
};

/* A link of someone's code that goes to a node; or that waits for code, there or where there is no node yet.  Quick
 * code has one for each of its links, which all wait; other code gets them when they go somewhere. */
struct tie {
	union { u32 pc; rec from; };   /* the lower half of what it waits for; whose it is, if it does not wait */
	rec next;
	u32 site;                      /* as struct link's, but from core.images on; 0: its code is dead, and it waits */
	u32 stub;                      /* from the site on; above TIE_NTH bits which of quick code's links, if it waits */
};
enum { TIE_NTH = 24 };

/* A translation with code in a page (smc.c). */
struct pageref { rec t, next; };

/* What is known of any translation. */
struct trans {
	struct node head;              /* of its beginning, if there was none before */
	u32 code;                      /* from core.images on */
	u32 size;
	struct pageref page;           /* the first of its page references */
	u32 left;                      /* quick tier: 1 + which counter says how often it may still be entered; else 0 */
	u8 dead;
	u8 inimage;                    /* the code and the arrays lie in a mapped cache file */
};

/* One of the quick tier: a block (host.h).  Its first link leads to itself, and its first entry is its beginning. */
struct brief {
	struct trans t;
	u16 stub;                      /* of its first link, */
	u8 site, nlink;                /* that, too */
	u8 nentry, nmap, wide;         /* wide: the map is of struct mapent */
	u8 halves;                     /* half-words of guest code */
	struct tie tie[];              /* of the other links; the other entries and the map follow */
};

/* One translated in full. */
struct full {
	struct trans t;
	struct link *link;
	struct entry *entry;
	struct mapent *map;
	struct range *range;
	struct reloc *reloc;
	struct dso *home;              /* the guest file all it depends on is in (cache.h); 0: none, or it cannot be kept */
	struct count *count;           /* -d hot: of its blocks */
	int nlink, nentry, nmap, nrange, nreloc, ncount;
	u8 line;                       /* out.line */
};

enum {
	ALONE = 1u << 31,              /* in a mode: one instruction, never linked, run with the other threads stopped */
};

struct core {
	const struct guest *guest;
	const struct host *host;
	struct engine_options opt;
	u8 *area, *areaend, *at;       /* code area; next free byte */
	u8 *images;                    /* cache files are mapped from here up to area */
	s32 *left0, *left, *leftend;   /* counters of the quick tier, the next free one; in the code area, */
	u8 *stubsend;                  /* which end here; regions follow */
	struct lock lock;              /* everything below that is not atomic */
	_Atomic(struct buckets *) buckets;     /* lookup.c */
	struct trans **trans;          /* in order of code address; readable by handlers; 0 before the first */
	u32 *start;                    /* where the code of each begins, from area: a search touches nothing else */
	_Atomic int ntrans;
	int captrans;
	u8 *book, *bookat, *bookend;   /* record.c */
	struct region region;          /* scratch of the translation in progress */
	struct out out;
	struct dso *home;              /* of that region (region.c) */
	gaddr soon[32]; int nsoon;     /* where quick code leads to; the last is next */
	struct cpu **cpu; int ncpu, capcpu;    /* threads that joined */
	_Atomic(struct cpu *) stop;    /* the thread that lets nobody enter generated code */
	_Atomic u32 stale;             /* the host wants all code made anew */
	_Atomic u32 emptied;           /* times the code area was emptied */
	struct engine_stats stat;
};
extern struct core core;

/* lookup.c */
struct node *core_node(gaddr pc, u32 mode);            /* lock held: the node there, with code or without, or 0 */
/* Lock held: that, or new; that is then *fresh, unless this is 0, and those that have waited for it lead to it. */
struct node *core_place(gaddr pc, u32 mode, struct node *fresh);
/* Lock held: code for the node has come, which may have had other code.  Whoever links there goes to it now. */
void core_arrive(struct node *, struct trans *, const u8 *code, int flagsin);
/* Lock held: t's code at pc is found no longer, and nobody goes there by a link. */
void core_lose(const struct trans *t, gaddr pc);
/* Lock held: the n links of new quick code, but the first, go to code or wait. */
void core_await(struct trans *, const struct link *, int n);
void core_link(struct trans *from, const struct link *, struct node *to);      /* lock held: another goes to code */
void core_expect(gaddr pc, u32 mode);                  /* it will be asked for: what it hangs from is brought near */
/* A bit a half-word that a node was made for, by 128 bytes; they collide.  Small programs touch few pages of it; large
 * ones are misled now and then.  Pages without bits are not looked at: to bring one costs more than to find nothing. */
enum { NHEAD = 1 << 14, HEADPAGE = 4096 / sizeof(u64) };
struct heads {
	u64 *bit;                      /* NHEAD words */
	u32 pages;                     /* a bit for each that has bits */
};
extern struct heads core_any;
static inline u32 core_heads(gaddr pc) { return (u32)(pc >> 7 ^ pc >> 19) & (NHEAD - 1); }
static inline u64
core_headbits(const struct heads *h, gaddr pc)
{
	u32 w = core_heads(pc);

	return __atomic_load_n(&h->pages, __ATOMIC_RELAXED) >> w / HEADPAGE & 1 ?
	    __atomic_load_n(&h->bit[w], __ATOMIC_RELAXED) >> (pc >> 1 & 63) : 0;
}

static inline int core_maybe(const struct heads *h, gaddr pc) { return core_headbits(h, pc) & 1; }
struct node *core_find(gaddr pc, u32 mode);            /* the node with code, or 0; lock-free */
/* The same, quicker where there is none; without the lock it may miss some. */
static inline struct node *
core_seen(gaddr pc, u32 mode)
{
	return core_maybe(&core_any, pc) ? core_find(pc, mode) : 0;
}
struct node *core_known(gaddr pc, u32 mode);           /* lock held: that with code that is translated in full, or 0 */
void core_nonodes(void);               /* nobody runs generated code: forgets all; no link leads there any more */
void core_uncache(gaddr pc);                           /* lock held: no jump cache has it */
/* The first address in [pc, end) where there may be a node, of full code or of any; end if there is none. */
gaddr core_nexthead(gaddr pc, gaddr end);
gaddr core_nextseen(gaddr pc, gaddr end);
struct trans *core_transat(const u8 *code);            /* lock held: the translation that holds this host address */
/* Lock held: what the thread left by that link, or 0. */
struct trans *core_lastlink(const struct cpu *, struct link *);
int core_pcat(const u8 *code, struct guestat *);       /* 1, and what the code belongs to; async-signal-safe */

/* region.c */
int core_form(struct region *, const struct cpu *, gaddr pc, u32 mode, int max);
/* One block, in the quick tier: as compile, or -ENOSYS if that cannot do its first instruction. */
int core_quick(struct region *, struct out *, const struct cpu *, gaddr pc, u32 mode, s32 *left);
/* If the jump that led to pc closes a loop that lies in several regions: the bytes from pc to the end of that which
 * jumped; else 2 (a region has its first instruction in any case). */
u64 core_loop(const struct cpu *, gaddr pc, u32 mode);

/* Code at pc, and how many bytes are at hand, as os->fetch says. */
typedef const u8 *codefn(void *from, gaddr pc, int *got);

/* Does the code at pc, to which a call returns, read flags that it has not written? */
int core_answers(codefn *, void *from, gaddr pc);

/* first.c.  Lock held: nobody has come to pc, where code may run without being made, as all in that stretch; from now
 * on somebody has.  Lock not held, cpu->running: runs the code at cpu->pc until it leaves the stretch or there is
 * something else to do. */
struct stretch { gaddr lo, hi; };
int core_isfirst(gaddr pc, u32 mode, struct stretch *);
int core_beento(gaddr pc);
/* Lock held: likewise in a process before, if that had no image of it; this one leaves word to the next ones. */
int core_ran(gaddr pc);
void core_tellran(void);
int core_first(struct cpu *, u32 mode, struct stretch);

int core_islimited(void);              /* engine.c: the user has limited address space, or data */

/* record.c: lock held, or alone.  core_index maps core.trans and the book.  Many processes find all they run in cache
 * files and have no use for it; where address space is limited it is there from the start, for the guest must find
 * room beside it. */
void core_index(void);
void *book_get(size_t n);                               /* zeroed */
int book_isfull(void);                         /* few are left */
void book_empty(void);
static inline void *book_at(rec r) { return core.book + (u64)r * 8; }
static inline rec book_ref(const void *p) { return (rec)((u64)((const u8 *)p - core.book) / 8); }
int core_isbrief(const struct out *);           /* a record of quick code can hold it */
/* What compile, or the quick tier, gave back. */
struct trans *core_record(const struct out *, const struct region *, s32 *left);
/* Of any translation; async-signal-safe. */
static inline struct full *full_of(const struct trans *t) { return (struct full *)(void *)t; }
static inline struct brief *brief_of(const struct trans *t) { return (struct brief *)(void *)t; }
int core_nlink(const struct trans *);
int core_nentry(const struct trans *);
struct entry core_entry(const struct trans *, int n);
static inline int core_nrange(const struct trans *t) { return t->left ? 1 : full_of(t)->nrange; }
static inline struct range
core_range(const struct trans *t, int n)
{
	return t->left ? (struct range){t->head.pc, t->head.pc + brief_of(t)->halves * 2u} : full_of(t)->range[n];
}
void core_where(const struct trans *, const u8 *code, struct guestat *);      /* as core_pcat */
static inline u8 *core_codeof(const struct trans *t) { return core.images + t->code; }
/* Code of a node, or 0. */
static inline const u8 *
core_code(const struct node *n)
{
	u32 code = atomic_load(&n->code);

	return code ? core.images + code : 0;
}

/* translate.c: lock held; the node for (pc, mode), made if need be; 0 if pc cannot be fetched */
struct node *core_translate(struct cpu *, gaddr pc, u32 mode);
void core_renew(struct cpu *);                         /* throws all code away; lock not held */
void core_kill(struct trans *);                        /* lock held */
/* -d stats: *ns += time since it was `from`, which core_begun gives.  Lock not needed. */
u64 core_begun(void);
void core_countsince(u64 *ns, u64 from);
void core_forgetjumps(void);             /* lock held, nobody runs generated code: clears all jump caches */

/* profile.c: lock held */
void profile_init(void);
void profile_region(const struct trans *);             /* its code is there, new or loaded */
struct count *profile_counts(const struct region *);   /* for out->count */

/* quick.c: lock held */
void quick_init(void);                                 /* once, the code area being there */
s32 *quick_left(gaddr pc, u32 mode);                   /* a counter, if code there is to be made quickly; else 0 */
int quick_isoutgrown(const struct cpu *, const struct node *);         /* it is time to translate it in full */
void quick_emptied(void);

/* smc.c */
/* Lock held: watches the pages of t.  1 if one of them could be written until now: the bytes that
 * were translated may be stale. */
int smc_add(struct trans *t);
int smc_write(gaddr a);                                /* a write to a guarded page: 1 if it was one */
void smc_forget(void);                                 /* lock held: no page is listed any more */
extern const struct gmem_watch smc_watch;

#endif
