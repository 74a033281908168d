/* SPDX-License-Identifier: MIT */
/* tr.c - what all translators share and is too long for tr.h */
#include "frontend/tr.h"

#include <stdatomic.h>
#include <stdio.h>
#include "base/diag.h"

int
tr_trap(struct tr *t, enum trap trap, s32 imm)
{
	ir_opx(t->r, O_trap, N, 0, trap, imm, 0, 0, 0);
	return 0;
}

/* The instruction at pc, with what follows it; 0 if it cannot be fetched. */
static const u8 *
code(const struct tr *t, gaddr pc, int *n)
{
	const u8 *p = t->code ? t->code(t->env, pc, n) : 0;

	return p && *n >= t->r->guest->maxlen ? p : 0;
}

/* Is there a way upward from the instruction off bytes on to a store-exclusive, with an access to memory on it? */
static int
reaches(const struct tr *t, s64 off)
{
	enum { REACH = 128 };
	const struct guest *g = t->r->guest;
	u64 way[2] = {(u64)1 << off / 2};      /* a bit a half-word: the guest may come there; ... after an access */

	for (; off < REACH; off += 2) {
		u64 here = (u64)1 << off / 2, on = 0;
		struct scan s;
		enum excl e;
		const u8 *p;
		int n, access;
		s64 to;

		if (!((way[0] | way[1]) & here) || !(p = code(t, t->pc + (u64)off, &n)))
			continue;
		e = g->excl(p, n);
		if (e == EXCL_STORE && way[1] & here)
			return 1;
		g->scan(p, n, t->pc + (u64)off, &s);
		if (e == EXCL_STORE || e == EXCL_LOAD || e == EXCL_CLEAR || !s.len || s.flow == FLOW_STOP || s.flow == FLOW_SYS)
			continue;
		to = (s64)(s.target - t->pc);
		access = e == EXCL_MEMORY || s.flow == FLOW_CALL;
		if (s.flow != FLOW_JUMP && off + s.len < REACH)
			on |= here << s.len / 2;
		if ((s.flow == FLOW_JUMP || s.flow == FLOW_COND) && to > off && to < REACH)
			on |= (u64)1 << to / 2;
		for (int had = 0; had < 2; had++)
			if (way[had] & here)
				way[had | access] |= on;
	}
	return 0;
}

int
tr_alone(struct tr *t)
{
	if (t->alone || !reaches(t, (s64)(t->next - t->pc)))
		return 0;
	tr_trap(t, TRAP_ALONE, 0);
	return 1;
}

/* Whether pc was not logged yet.  A program that probes for instructions retries a few addresses;
 * two that collide here only log again.  Relaxed: a lost race prints a line twice. */
static int
firsttime(gaddr pc)
{
	static _Atomic gaddr seen[256];
	_Atomic gaddr *p = &seen[pc >> 1 & 255];

	return atomic_exchange_explicit(p, pc, memory_order_relaxed) != pc;
}

int
tr_undef(struct tr *t)
{
	if (logging(LOG_UNIMP) && firsttime(t->pc))
		log_print("unimplemented or undefined instruction %0*x at 0x%llx\n",
		          t->word >> 16 ? 8 : 4, t->word, (unsigned long long)t->pc);
	return tr_trap(t, TRAP_UNDEF, (s32)t->word);
}

/* appends at buf + n, which never exceeds size - 1 */
static size_t
append(char *buf, size_t n, size_t size, const char *s, size_t len)
{
	if (len > size - 1 - n)
		len = size - 1 - n;
	memcpy(buf + n, s, len);
	buf[n + len] = 0;
	return n + len;
}

int
isa_print(const struct isa_printer *pr, char *buf, size_t size, const char *name,
          const char *text, const void *insn, gaddr pc)
{
	char one[128];
	size_t n = 0, len;

	if (!strchr(text, '\t')) {
		n = append(buf, n, size, name, strcspn(name, "_"));
		if (*text)
			n = append(buf, n, size, "\t", 1);
	}
	while (*text) {
		if (*text != '{') {
			len = strcspn(text, "{");
			n = append(buf, n, size, text, len);
			text += len;
			continue;
		}
		len = strcspn(++text, ":");
		int k = pr->put(one, sizeof one, text[len + 1], pr->member(insn, text, len), insn, pc);
		n = append(buf, n, size, one, k);
		text += len + 3;
	}
	return (int)n;
}
