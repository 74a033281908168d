/* SPDX-License-Identifier: MIT */
/* wait.h - waits with a time limit that survive an interruption without a handler */
#ifndef SYSCALL_WAIT_H
#define SYSCALL_WAIT_H

#include <time.h>
#include "base/word.h"

/* CLOCK_MONOTONIC in nanoseconds. */
s64 wait_now(void);
/* How long a call that wants to wait `want` nanoseconds has to wait: less if it is continued.
 * Notes the deadline for the next time. */
s64 wait_left(s64 want);
/* A timespec in nanoseconds; -EINVAL if it is none. */
int wait_nsec(const struct timespec *, s64 *ns);

#endif
