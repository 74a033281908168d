/* SPDX-License-Identifier: MIT */
/* diag.h - every message dragoman prints to its user
 *
 * Three kinds of error, never mixed: the guest's mistake becomes a guest signal or -errno and
 * prints nothing; the user's mistake is diag() from the table diag.def, one line on stderr, and
 * exit; our own mistake is bug(), which names the guest pc and asks for a report. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/word.h"

enum diag {
#define DIAG(name, status, text) D_##name,
#include "base/diag.def"
#undef DIAG
	D_COUNT
};

/* Prints "dragoman: " and the message on stderr, and exits with the message's status. */
_Noreturn void diag(enum diag, ...);

/* The message into buf (NUL terminated), for tests and for errors that must be returned;
 * returns its exit status. */
int diag_text(char *buf, size_t n, enum diag, ...);

/* Our own mistake: prints where it was found, the current guest pc if a thread runs guest code,
 * and how to report it; then aborts. */
_Noreturn void bug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The log that -d and -D choose: categories as bits, tested before any work is done. */
enum log {
	LOG_INASM = 1 << 0, LOG_OP = 1 << 1, LOG_OPOPT = 1 << 2, LOG_OUTASM = 1 << 3,
	LOG_EXEC = 1 << 4, LOG_CPU = 1 << 5, LOG_UNIMP = 1 << 6, LOG_STRACE = 1 << 7,
	LOG_PAGE = 1 << 8, LOG_SIGNAL = 1 << 9, LOG_CACHE = 1 << 10, LOG_NOCHAIN = 1 << 11,
	LOG_FLUSH = 1 << 12, LOG_STATS = 1 << 13, LOG_HOT = 1 << 14,
};
extern u32 logmask;                            /* set once by main before the guest starts */
int log_parse(const char *list);               /* "in_asm,unimp" -> bits into logmask; 0 or -EINVAL */
void log_hide(int (*hide)(int));               /* hide moves a descriptor out of the guest's sight; the new one */
int log_open(const char *path);                /* -D: "%d" becomes the pid; 0 or -errno */
void log_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));  /* one write(2) a call */

static inline int logging(u32 mask) { return (logmask & mask) != 0; }

#endif
