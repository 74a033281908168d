/* SPDX-License-Identifier: MIT */
/* layout.h - what layout.c offers inside this room */
#ifndef SYSCALL_LAYOUT_H
#define SYSCALL_LAYOUT_H

#include "syscall/desc.h"

enum { LAYOUT_MAX = 1024 };            /* bytes of the largest struct of linux.abi */

extern const struct linux_abi abi_host;
struct plan *known_plan(const struct linux_abi *, enum sysline);

#endif
