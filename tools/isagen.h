/* SPDX-License-Identifier: MIT */
/* isagen.h - the lines of an .isa file, as isaread.c reads and isagen.c writes them */
#ifndef TOOLS_ISAGEN_H
#define TOOLS_ISAGEN_H

#include <stdint.h>

enum {
	MAXFIELD = 256, MAXPAT = 4096, MAXSLICE = 8, MAXUSE = 12, MAXCONST = 16, MAXMEMBER = 128,
	NAMELEN = 32, EXPRLEN = 160,
};

typedef uint32_t u32;

struct slice { int hi, lo; };
struct field {
	char name[NAMELEN];
	int nslice, sign, shift, add, width;
	struct slice s[MAXSLICE];
};
struct konst { int member; char value[EXPRLEN]; };
struct pat {
	char name[NAMELEN], text[EXPRLEN], function[NAMELEN], unless[2 * EXPRLEN];
	u32 mask, bits, ignored, one;
	int line, nuse, nconst, format, alias;
	struct { int member; struct field f; } use[MAXUSE];
	struct konst k[MAXCONST];
};
struct member { char name[NAMELEN]; int64_t lo, hi; };

extern struct pat pat[MAXPAT];                 /* from 1: 0 is "none" */
extern struct member member[MAXMEMBER];
extern int npat, nmember, width, line;         /* line: for messages */
extern char isa[NAMELEN];

void readall(void);                            /* standard input */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
