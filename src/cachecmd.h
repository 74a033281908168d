/* SPDX-License-Identifier: MIT */
/* cachecmd.h - the command "dragoman cache" */
#ifndef CACHECMD_H
#define CACHECMD_H

struct options;

int cachecmd_is(char **argv);                  /* argv[0] is "cache" and argv[1] something it knows */
int cachecmd(const struct options *, char **argv);     /* argv[0]: what to do; the exit status */

#endif
