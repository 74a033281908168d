/* SPDX-License-Identifier: MIT */
/* lock.c - a lock that tells who has it, and outlives who is killed with it
 *
 * A name is a tid and a serial number, because tids are used again.  Who sleeps wakes now and then, to see whether the
 * owner is still there: the kernel is asked whether his memory is ours (kcmp(2)).  That also makes up for a wake-up
 * that went to a process which was killed before it could take the lock. */
#include <errno.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <stdatomic.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/hostcall.h"
#include "base/lock.h"
#include "base/util.h"

enum { TID_BITS = 22 /* PID_MAX_LIMIT */, SERIAL_BITS = 9, NAP = 50 /* ms */ };
static const u32 WAITED = 1u << (TID_BITS + SERIAL_BITS), TID = (1u << TID_BITS) - 1;

static _Thread_local u32 me, gone;
static _Alignas(4096) _Atomic u32 serial FORKED;       /* linked first: FORKED is in one page */
static _Atomic u8 far;                 /* somebody in this memory has process ids of another namespace */

int
lock_newname(int isfar)
{
	u32 n = atomic_fetch_add(&serial, 1) & ((1u << SERIAL_BITS) - 1), tid = (u32)host_call(SYS_gettid, 0, 0, 0, 0, 0, 0);

	if (isfar)
		atomic_store(&far, 1);
	me = n << TID_BITS | tid;
	return (int)tid;
}

/* The serial number is that of the parent's name: nobody else in this memory has had it. */
int
lock_forked(void)
{
	u32 tid = (u32)host_call(SYS_gettid, 0, 0, 0, 0, 0, 0);

	me = (me & ~TID) | tid;
	return (int)tid;
}

u32
lock_name(void)
{
	if (!me)
		lock_newname(0);
	return me;
}

void
lock_again(u32 name)
{
	gone = me;
	me = name;
}

int
lock_isgone(u32 name)
{
	s64 r;

	if (!name || atomic_load(&far))
		return 0;
	r = host_call(SYS_kcmp, lock_name() & TID, name & TID, KCMP_VM, 0, 0, 0);
	return r > 0 || r == -ESRCH;
}

static int
swap(struct lock *l, u32 from, u32 to)
{
	return atomic_compare_exchange_strong(&l->word, &from, to);
}

static int
inherit(struct lock *l, u32 word)
{
	if (!swap(l, word, me | WAITED))
		return 0;
	if (l->inherited)
		l->inherited();
	return 1;
}

int
lock_inherit(struct lock *l)
{
	u32 word;

	while (gone && ((word = atomic_load(&l->word)) & ~WAITED) == gone)
		if (inherit(l, word))
			return 1;
	return 0;
}

int
lock_try(struct lock *l)
{
	return swap(l, 0, lock_name());
}

/* Others may wait, too: so it is marked as waited for when we have it. */
static void
await(struct lock *l)
{
	const struct timespec nap = {0, NAP * 1000000};
	u32 word;
	s64 r;

	while (!swap(l, 0, me | WAITED)) {
		word = atomic_load(&l->word);
		if (!word || (!(word & WAITED) && !swap(l, word, word | WAITED)))
			continue;
		word |= WAITED;
		r = host_call(SYS_futex, (u64)&l->word, FUTEX_WAIT_PRIVATE, word, (u64)&nap, 0, 0);
		if (r == -ETIMEDOUT && lock_isgone(word & ~WAITED) && inherit(l, word))
			return;
	}
}

/* A process that is alone in its memory needs no locked operation. */
void
lock_take(struct lock *l)
{
	u32 name = lock_name();

	if (__libc_single_threaded && !atomic_load_explicit(&l->word, memory_order_relaxed))
		atomic_store_explicit(&l->word, name, memory_order_relaxed);
	else if (!swap(l, 0, name))
		await(l);
}

void
lock_give(struct lock *l)
{
	u32 was;

	if (__libc_single_threaded) {
		atomic_store_explicit(&l->word, 0, memory_order_relaxed);
		return;
	}
	was = atomic_exchange(&l->word, 0);
	if (was & WAITED)
		host_call(SYS_futex, (u64)&l->word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

void
lock_reset(struct lock *l)
{
	CHANGE(l->word, 0);
}
