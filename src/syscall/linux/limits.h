/* SPDX-License-Identifier: MIT */
/* limits.h - resource limits that bind the guest and must not bind the translator (proc.c) */
#ifndef SYSCALL_LIMITS_H
#define SYSCALL_LIMITS_H

#include "base/word.h"

/* The guest's soft limit: its own for RLIMIT_AS and RLIMIT_DATA once it has set one. */
u64 limit_soft(int resource);

#endif
