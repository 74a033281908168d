/* SPDX-License-Identifier: MIT */
/* helper.c - the table of C functions that translated AArch64 code calls */
#include "frontend/arm64/arm64.h"

/* Their types differ (helper_fn, vhelper_fn); the table only needs addresses. */
#define HELPER(name, flags) extern char arm64_##name[];
#include "frontend/arm64/helper.def"
#undef HELPER

const struct helper a64_helpers[H_COUNT] = {
#define HELPER(name, flags) [H_##name] = {#name, arm64_##name, flags},
#include "frontend/arm64/helper.def"
#undef HELPER
};
