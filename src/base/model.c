/* SPDX-License-Identifier: MIT */
/* model.c - reads -cpu */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
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

/* Its number, or -1.  QEMU has spelt some with a capital. */
static int
feature(const struct guest *g, const char *name, size_t n)
{
	for (int i = 0; i < g->nfeature; i++)
		if (strlen(g->feature[i]) == n && !strncasecmp(g->feature[i], name, n))
			return i;
	return -1;
}

/* Turns feature i on with what it needs and its parts, or off with what needs it. */
static void
turn(const struct guest *g, int i, int on)
{
	cpu_model.have = (cpu_model.have & ~((u64)1 << i)) | (u64)on << i;
	if (!g->needs)
		return;
	for (int k = 0; k < g->nfeature; k++)
		if (g->needs[k] == i && model_has(k) != on && (!on || g->parts >> k & 1))
			turn(g, k, on);
	if (on && !model_has(g->needs[i]))
		turn(g, g->needs[i], 1);
}

/* NAME=VALUE that is no feature: 1 if there is one of that name, *wrong being 0 or a message. */
static int
setting(const struct guest *g, const char *name, size_t n, const char *value, size_t vlen, char **wrong)
{
	const struct cpusetting *c = g->setting;

	while (c && c->name && (strlen(c->name) != n || memcmp(c->name, name, n)))
		c++;
	if (!c || !c->name)
		return 0;
	*wrong = strlen(c->value) == vlen && !memcmp(c->value, value, vlen) ? 0 :
	    xasprintf("-cpu: %s has %s=%s here, no other", g->name, c->name, c->value);
	return 1;
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
	char *wrong;

	if (setting(g, s, len, v, vlen, &wrong))
		return wrong;
	if (!on && !off)
		return xasprintf("-cpu: '%.*s' is not FEATURE=on or FEATURE=off", (int)n, s);
	if (i < 0 && on)
		return xasprintf("-cpu: %s has no feature '%.*s' here ('-cpu help' lists them)", g->name, (int)len, s);
	if (i >= 0 && off && g->needed >> i & 1)
		return xasprintf("-cpu: %s cannot do without '%.*s'", g->name, (int)len, s);
	if (i >= 0 && g->parts >> i & 1 && model_has(i) != on)
		return xasprintf("-cpu: %s has '%s' with '%s', not alone", g->name, g->feature[i], g->feature[g->needs[i]]);
	if (i >= 0)
		turn(g, i, on);
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
	for (int i = 0; i < g->nfeature; i++)
		if (model_has(i))
			turn(g, i, 1);
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
			if (!(((*g)->needed | (*g)->parts) >> i & 1))
				printf(" %s", (*g)->feature[i]);
		for (const struct cpusetting *c = (*g)->setting; c && c->name; c++)
			printf(" %s=%s", c->name, c->value);
		printf("\n");
	}
}
