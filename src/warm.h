/* SPDX-License-Identifier: MIT */
/* warm.h - translates whole programs ahead of time */
#ifndef WARM_H
#define WARM_H

struct options;

/* The program (host path) with its interpreter and libraries, into the store, in a process of its own.
 * Prints one line; 0, or 1 if it could not be done. */
int warm_program(const struct options *, const char *path);

#endif
