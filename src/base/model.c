/* SPDX-License-Identifier: MIT */
/* model.c - reads -cpu */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/guest.h"
#include "base/model.h"
#include "base/util.h"

/* Until a model is chosen (in tests, never) everything is there. */
struct cpumodel cpu_model = {.have = ~(u64)0};

static const struct cpumodel *
find(const struct guest *g, const char *name, size_t n)
{
	for (const struct cpumodel *m = g->model; m->name; m++)
		if (strlen(m->name) == n && !memcmp(m->name, name, n))
			return m;
	return 0;
}

static int
isknown(const char *name, size_t n)
{
	for (const struct guest *const *g = guests; *g; g++)
		if (find(*g, name, n))
			return 1;
	return 0;
}

static int
feature(const struct guest *g, const char *name, size_t n)
{
	for (int i = 0; i < g->nfeature; i++)
		if (strlen(g->feature[i]) == n && !memcmp(g->feature[i], name, n))
			return i;
	return -1;
}

/* One FEATURE=on|off (true and false are the same).  Without a feature of that name, off is what
 * we are; on is a promise we cannot keep. */
static char *
set(const struct guest *g, const char *s, size_t n)
{
	const char *eq = memchr(s, '=', n), *v = eq ? eq + 1 : "";
	size_t len = eq ? (size_t)(eq - s) : n, vlen = eq ? n - len - 1 : 0;
	int on = (vlen == 2 && !memcmp(v, "on", 2)) || (vlen == 4 && !memcmp(v, "true", 4));
	int off = (vlen == 3 && !memcmp(v, "off", 3)) || (vlen == 5 && !memcmp(v, "false", 5));
	int i = feature(g, s, len);

	if (!on && !off)
		return xasprintf("-cpu: '%.*s' is not FEATURE=on or FEATURE=off", (int)n, s);
	if (i < 0 && on)
		return xasprintf("-cpu: %s has no feature '%.*s' here ('-cpu help' lists them)", g->name, (int)len, s);
	if (i >= 0 && off && g->needed >> i & 1)
		return xasprintf("-cpu: %s cannot do without '%.*s'", g->name, (int)len, s);
	if (i >= 0 && on)
		cpu_model.have |= (u64)1 << i;
	else if (i >= 0)
		cpu_model.have &= ~((u64)1 << i);
	return 0;
}

char *
model_choose(const struct guest *g, const char *spec)
{
	size_t n = spec ? strcspn(spec, ",") : 0;
	const struct cpumodel *m = spec ? find(g, spec, n) : g->model;
	char *wrong = 0;

	cpu_model = m ? *m : *g->model;
	if (!m)
		return isknown(spec, n) ? 0 :
		    xasprintf("-cpu: no processor model '%.*s' ('-cpu help' lists them)", (int)n, spec);
	while (spec && spec[n] && !wrong) {
		spec += n + 1;
		n = strcspn(spec, ",");
		wrong = set(g, spec, n);
	}
	return wrong;
}

void
model_list(void)
{
	for (const struct guest *const *g = guests; *g; g++) {
		printf("%s models:", (*g)->name);
		for (const struct cpumodel *m = (*g)->model; m->name; m++)
			printf(" %s", m->name);
		printf("\n%s features (MODEL,FEATURE=on|off):", (*g)->name);
		for (int i = 0; i < (*g)->nfeature; i++)
			if (!((*g)->needed >> i & 1))
				printf(" %s", (*g)->feature[i]);
		printf("\n");
	}
}
