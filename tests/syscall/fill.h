/* SPDX-License-Identifier: MIT */
/* fill.h - random flags and structs that every ABI can express */
#ifndef TESTS_SYSCALL_FILL_H
#define TESTS_SYSCALL_FILL_H

#include "syscall/layout.h"

static u64 seed;

static inline u32
rnd(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (u32)(seed >> 33);
}

/* Some value of a set that every ABI can express. */
static inline u64
rnd_flags(enum flagset x)
{
	int first, end;
	enum setkind kind = flags_range(x, &first, &end);
	u64 v = 0, used = 0;

	if (x == X_sigmask)
		return (u64)rnd() << 20 | 1 << 6;
	if (kind == K_VALUE && first < end)
		return flag_value(&abi_host, first + (int)(rnd() % (u32)(end - first))).value;
	for (int i = first; i < end; i++) {
		struct flag f = flag_value(&abi_host, i);
		if (rnd() & 1 && !(f.mask & used))
			v |= f.value, used |= f.mask;
	}
	return v;
}

/* A host struct; members that the guest's ABI lacks are left alone. */
static inline void
fill(const struct linux_abi *abi, enum layout l, u8 *p)
{
	const struct layoutrow *guest = &layouts[shape_of(abi, l)->as];
	const char *name;
	const struct shape *s = shape_of(&abi_host, l);
	const struct layoutrow *r = &layouts[s->as];

	name = r->names;
	for (int i = 0; i < s->n; i++, name += strlen(name) + 1) {
		const struct member *m = &r->m[i];
		const char *other = guest->names;
		int j = 0;
		for (; j < guest->n && strcmp(other, name); j++)
			other += strlen(other) + 1;
		if (j == guest->n)
			continue;      /* a member only one of them has */
		for (u32 k = 0; k < m->count; k++) {
			u8 *at = p + s->at[i].off + k * s->at[i].size;
			u64 v = rnd() & 0x7fffffff;
			if (m->type == MT_struct) {
				fill(abi, m->sub, at);
				continue;
			}
			/* padding of one ABI is not in the other */
			if (m->type == MT_p8 || m->type == MT_plong)
				continue;
			if (m->sub)
				v = m->sub == X_signal ? rnd() % 64 + 1 : rnd_flags(m->sub);
			stn(at, (int)s->at[i].size, 0, s->at[i].size == 1 ? v & 0x7f : s->at[i].size == 2 && !m->sub ? v & 0x7fff : v);
		}
	}
}

#endif
