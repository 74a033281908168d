/* SPDX-License-Identifier: MIT */
/* proc.h - what the system-call layer must know about the guest process
 *
 * One record for the process.  main and the loader fill it before the first guest instruction
 * (again after an execve that stays in this process); afterwards only the fields marked * change,
 * and each change is one aligned store. */
#ifndef SYSCALL_PROC_H
#define SYSCALL_PROC_H

#include "base/guest.h"

enum { PROC_NAUXV = 48 };

struct proc {
	const struct guest *guest;
	const struct linux_abi *abi;   /* guest->abi */

	const char *exe;               /* absolute host path of the guest program, links resolved */
	const char *shown;             /* what readlink /proc/self/exe shows: exe without the prefix */
	int exe_fd;                    /* open descriptor of the program, or -1: used when exe is gone */
	const char *prefix;            /* -L without trailing slash, or 0 when there is none or it is / */
	const char *self;              /* absolute path of dragoman, for execve of guest programs */
	const char *release;           /* -r: utsname release, or 0: the host's */
	int strace;                    /* print system calls (also LOG_STRACE) */
	char comm[16];                 /* * the name of the main thread at start */

	gaddr code0, code1, data0, data1;      /* text and data of the program, for stat */
	gaddr stack0;                  /* bottom (highest address) of the initial stack */
	gaddr arg0, arg1, env0, env1;  /* * argument and environment strings, ends exclusive */
	u64 auxv[PROC_NAUXV][2];       /* as the guest got it, AT_NULL included */
	int nauxv;                     /* pairs, AT_NULL included */

	_Atomic u64 lim_as, lim_data;  /* * the guest's RLIMIT_AS and RLIMIT_DATA (soft); 0: not set here */
	_Atomic u64 lim_as_max, lim_data_max;
};
extern struct proc proc;

#endif
