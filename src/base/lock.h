/* SPDX-License-Identifier: MIT */
/* lock.h - a lock that tells who has it, and outlives who is killed with it
 *
 * Processes can run in our memory: a vfork child does, and what clone(CLONE_VM) makes.  To the C library such a process
 * is the thread that made it, whose thread-local storage it uses; and when that thread dies the kernel clears its tid
 * there.  So the C library's mutexes do not know their owners, and stay taken when one is killed.  Here each thread and
 * each process has a name, which is in the lock while it has it.
 *
 * A lock is inherited by the parent of a vfork child that is gone (lock_again, lock_inherit), and by whoever waits for
 * one whose owner no longer runs in this memory. */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include "base/word.h"

struct lock {
	_Atomic u32 word;              /* 0: free; else a name, and LOCK_WAITED if somebody waits */
	void (*inherited)(void);       /* what it guards may be half changed: called with the lock; or 0 */
};

void lock_take(struct lock *);
int lock_try(struct lock *);           /* 1 if it was free */
void lock_give(struct lock *);
void lock_reset(struct lock *);        /* in the child of fork: nobody has it */

u32 lock_name(void);                   /* the caller's */
/* Whoever has that name does not run in this memory any more; 0 if he does, or if that cannot be known. */
int lock_isgone(u32 name);
/* The caller is a process that has begun to use this memory, or a copy of it.  isfar: its process ids are of another
 * namespace; from then on nobody is looked for by his.
 * Returns its tid. */
int lock_newname(int isfar);
int lock_forked(void);                 /* as lock_newname, in the child of fork */
/* The caller, of that name, goes on where a process used its thread-local storage meanwhile, and is gone. */
void lock_again(u32 name);
/* If that process had the lock, the caller has it; 1 if so. */
int lock_inherit(struct lock *);

#endif
