/* SPDX-License-Identifier: MIT */
/* options.h - what the command line and the environment ask for */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "base/word.h"

struct options {
	const char *root, *argv0, *uname, *cpu, *logfile, *host, *features;
	const char *cache, *cachero;           /* absolute; cache: "off" for none, 0 for the default */
	u64 cachelimit;
	u64 stack, page, space, codesize, seed;
	int strace, single, hasseed, perfmap, jitdump, quick;
	char **set; int nset, capset;          /* -E: VAR=VALUE */
	char **unset; int nunset, capunset;    /* -U */
	/* Options that a program started by the guest runs under too, in the order given:
	 * NULL-terminated, ready to be put after dragoman's name in an argument list. */
	char **pass; int npass, cappass;
};

/* Reads DRAGOMAN_* and QEMU_* variables, then argv; returns the index of the program in argv
 * (argc if there is none).  Bad options print one line and exit. */
int options_read(struct options *, int argc, char **argv);
u64 options_number(const char *);                /* with K, M, G, T after it; exits if it is none */
/* One more option for programs that the guest starts. */
void options_pass(struct options *, const char *name, const char *arg);

#endif
