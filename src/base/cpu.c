/* SPDX-License-Identifier: MIT */
/* cpu.c - the thread's own record */
#include "base/cpu.h"

_Thread_local struct cpu *cpu_self;
