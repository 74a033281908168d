/* SPDX-License-Identifier: MIT */
/* pick.c - which host this machine is: the one test of the compiler's macros for it */
#include <string.h>
#include "base/host.h"

static const struct host *const hosts[] = {
#if defined __x86_64__
	&host_x86_64,
#endif
	&host_interp,
};

const struct host *
host_pick(const char *name)
{
	if (!name)
		return hosts[0];
	for (size_t i = 0; i < NELEM(hosts); i++)
		if (!strcmp(hosts[i]->name, name))
			return hosts[i];
	return 0;
}
