/* SPDX-License-Identifier: MIT */
/* model.h - which processor the guest sees: -cpu MODEL[,FEATURE=on|off]...
 *
 * A guest lists its features (optional parts of the architecture, at most 64) and models, each a set of
 * them.  A line of an .isa table says which feature it needs (need=); its translator treats
 * the instruction as undefined where the chosen model lacks it.  What tells the guest of
 * features (hwcaps, ID registers, /proc/cpuinfo) reads cpu_model too.  Models are named as in QEMU. */
#ifndef BASE_MODEL_H
#define BASE_MODEL_H

#include "base/word.h"

struct guest;

struct cpusetting { const char *name, *value; };       /* -cpu MODEL,NAME=VALUE: the one value there is */

struct cpumodel {
	const char *name;
	u64 have;                      /* features, by bit */
	u64 id;                        /* the guest's: what its identification registers say */
};

/* The model in force; chosen once, before the first instruction is translated. */
extern struct cpumodel cpu_model;

static inline int model_has(int feature) { return (int)(cpu_model.have >> feature & 1); }

/* Chooses: spec 0 is the guest's first model.  Returns 0, or a message (malloc) about what is wrong.  A
 * model of another guest's is no mistake, since programs of several guests may start each other: the first
 * model is taken then. */
char *model_choose(const struct guest *, const char *spec);
void model_list(void);                 /* prints every guest's models and features */

#endif
