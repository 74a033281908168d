/* SPDX-License-Identifier: MIT */
/* os.h - the contract of the environment guest code runs in
 *
 * The engine calls these on the thread that runs the guest, with all guest state in memory and
 * cpu->pc valid.  threads/os.c fills one for Linux processes; the machine fills another. */
#ifndef BASE_OS_H
#define BASE_OS_H

#include "base/cpu.h"

enum { FETCH_MAX = 256 };              /* the most that is fetched at once */

struct os {
	const char *name;
	void (*call)(struct cpu *);    /* WHY_CALL: perform the system call, deliver pending signals */
	void (*trap)(struct cpu *);    /* WHY_TRAP */
	void (*fault)(struct cpu *);   /* WHY_FAULT that is the guest's own */
	void (*poll)(struct cpu *);    /* WHY_POLL: deliver pending signals, stop for exclusive sections */
	/* Up to n readable and executable guest bytes at pc, as a host pointer; *got says how many
	 * (0: a fetch at pc must fault).  Valid until the thread's next fetch. */
	const u8 *(*fetch)(gaddr pc, int n, int *got);
};

#endif
