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

/* Is there a way upward from the instruction off bytes on to a store-exclusive, with an access to memory on it?
 * seen: there was one.  left: instructions still to be looked at. */
static int
reaches(const struct tr *t, s64 off, int seen, int *left)
{
	const struct guest *g = t->r->guest;
	struct scan s;
	s64 to;

	while (off + g->maxlen <= t->n && (*left)-- > 0) {
		enum excl e = g->excl(t->p + off, t->n - (int)off);

		if (e == EXCL_STORE)
			return seen;
		g->scan(t->p + off, t->n - (int)off, t->pc + (u64)off, &s);
		if (e == EXCL_LOAD || e == EXCL_CLEAR || !s.len || s.flow == FLOW_STOP || s.flow == FLOW_SYS)
			return 0;
		seen |= e == EXCL_MEMORY || s.flow == FLOW_CALL;
		to = (s64)(s.target - t->pc);
		if (s.flow == FLOW_JUMP ? to <= off : s.flow == FLOW_COND && to > off && reaches(t, to, seen, left))
			return s.flow == FLOW_COND;
		off = s.flow == FLOW_JUMP ? to : off + s.len;
	}
	return 0;
}

int
tr_alone(struct tr *t)
{
	enum { REACH = 32 };
	int left = REACH;

	if (t->alone || !reaches(t, (s64)(t->next - t->pc), 0, &left))
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
