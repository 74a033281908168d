/* SPDX-License-Identifier: MIT */
/* parse.c - IR from text, as print.c writes it (see text.h)
 *
 * Nothing is folded or merged: the region gets exactly the instructions written.  The caller has
 * called region_init, which says whose register names are meant. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ir/text.h"

struct parser {
	struct region *r;
	const char *s;                 /* rest of the line */
	int line;
	char *err;
	size_t nerr;
	ref temp[1 << 15];             /* by number, in this block */
};

static int
fail(struct parser *p, const char *what)
{
	snprintf(p->err, p->nerr, "line %d: %s at '%.20s'", p->line, what, p->s);
	return -EINVAL;
}

static void
blanks(struct parser *p)
{
	while (*p->s == ' ' || *p->s == '\t')
		p->s++;
}

/* Takes the word if it comes next. */
static int
word(struct parser *p, const char *w)
{
	size_t n = strlen(w);

	blanks(p);
	if (strncmp(p->s, w, n) != 0 || isalnum((u8)p->s[n]))
		return 0;
	p->s += n;
	return 1;
}

static int
mark(struct parser *p, char c)
{
	blanks(p);
	if (*p->s != c)
		return 0;
	p->s++;
	return 1;
}

static int
number(struct parser *p, u64 *v)
{
	char *end;

	blanks(p);
	int negative = *p->s == '-';
	if (!isdigit((u8)p->s[negative]))
		return 0;
	*v = negative ? (u64)strtoll(p->s, &end, 0) : strtoull(p->s, &end, 0);
	p->s = end;
	return 1;
}

static size_t
namelen(const char *s)
{
	size_t n = 0;

	while (isalnum((u8)s[n]) || s[n] == '_')
		n++;
	return n;
}

static int
type(struct parser *p, int *ty)
{
	char buf[16];

	blanks(p);
	size_t n = namelen(p->s);
	for (int t = 0; t < 256; t++) {
		if (ty_lane(t) > N || (ty_isvec(t) && ty_lane(t) >= FL))
			continue;
		if (strlen(text_type(t, buf)) == n && memcmp(buf, p->s, n) == 0) {
			*ty = t;
			p->s += n;
			return 1;
		}
	}
	return 0;
}

static int
operation(struct parser *p, int *op)
{
	blanks(p);
	size_t n = namelen(p->s);
	for (int k = 0; k < O_COUNT; k++)
		if (strlen(opinfo[k].name) == n && memcmp(opinfo[k].name, p->s, n) == 0) {
			*op = k;
			p->s += n;
			return 1;
		}
	return 0;
}

/* .eq .f32 .3 */
static int
suffix(struct parser *p, struct ins *i)
{
	enum vmeans m = text_vmeans(i->op);
	u64 v;
	int t;

	if (!mark(p, '.'))
		return m == V_NUMBER || m == V_VAR;
	if (m == V_TYPE && type(p, &t)) {
		i->v = (u16)t;
		return 1;
	}
	size_t n = namelen(p->s);
	t = text_value(m, p->s, n);
	if (t >= 0) {
		i->v = (u16)t;
		p->s += n;
		return 1;
	}
	if (!number(p, &v))
		return 0;
	i->v = (u16)v;
	return 1;
}

static int
variable(struct parser *p, struct ins *i)
{
	const struct guest *g = p->r->guest;

	blanks(p);
	size_t n = namelen(p->s);
	for (int k = 0; k < g->nreg; k++)
		if (strlen(g->reg[k].name) == n && memcmp(g->reg[k].name, p->s, n) == 0) {
			i->v = (u16)k;
			p->s += n;
			return 1;
		}
	return 0;
}

static int
operand(struct parser *p, ref *r)
{
	u64 v;

	blanks(p);
	if (*p->s == '_') {
		p->s++;
		*r = 0;
		return 1;
	}
	if (*p->s == 't' && isdigit((u8)p->s[1])) {
		p->s++;
		if (!number(p, &v) || v >= NELEM(p->temp) || !p->temp[v])
			return 0;
		*r = p->temp[v];
		return 1;
	}
	if (!number(p, &v))
		return 0;
	*r = ir_k(p->r, v);
	return 1;
}

static int
operands(struct parser *p, struct ins *i)
{
	ref *const to[3] = { &i->a, &i->b, &i->c };

	if (text_vmeans(i->op) == V_VAR) {
		if (!variable(p, i))
			return fail(p, "no such variable");
		if (!mark(p, ','))
			return 0;
	}
	blanks(p);
	if (!*p->s || *p->s == '\n' || strchr(p->s, '=') == p->s + namelen(p->s))
		return 0;
	for (int k = 0; k < 3; k++) {
		if (!operand(p, to[k]))
			return fail(p, "bad operand");
		if (!mark(p, ','))
			return 0;
	}
	return fail(p, "too many operands");
}

static int
fields(struct parser *p, struct ins *i)
{
	u64 v;

	for (;;) {
		if (word(p, "v") && mark(p, '=') && number(p, &v))
			i->v = (u16)v;
		else if (word(p, "imm") && mark(p, '=') && number(p, &v))
			i->imm = (s32)v;
		else if (word(p, "aux") && mark(p, '=') && number(p, &v))
			i->aux = (u16)v;
		else
			break;
	}
	blanks(p);
	return *p->s == '\n' || !*p->s ? 0 : fail(p, "unexpected text");
}

static int
append(struct parser *p, const struct ins *i, u64 name)
{
	struct region *r = p->r;

	if (r->nins >= REF_K - 1)
		return fail(p, "too many instructions");
	ref t = ir_append(r, *i);
	if (name)
		p->temp[name] = t;
	return 0;
}

static int
instruction(struct parser *p)
{
	struct region *r = p->r;
	struct ins i = { .ty = N };
	u64 name = 0, pc;
	int op, ty, e;

	if (!r->nblock)
		return fail(p, "instruction outside a block");
	if (word(p, "insn")) {
		if (!number(p, &pc))
			return fail(p, "address expected");
		i.op = O_insn;
		i.imm = (s32)(pc - r->block[r->nblock - 1].pc);
		r->ninsn++;
		return append(p, &i, 0);
	}
	if (*p->s == 't' && isdigit((u8)p->s[1])) {
		p->s++;
		if (!number(p, &name) || !name || name >= NELEM(p->temp) || !mark(p, '='))
			return fail(p, "'tN =' expected");
	}
	if (!operation(p, &op))
		return fail(p, "no such operation");
	i.op = (u8)op;
	if ((opinfo[op].res != 'N') != (name != 0))
		return fail(p, name ? "the operation has no value" : "the value needs a name");
	if (!suffix(p, &i))
		return fail(p, "bad suffix");
	if (!type(p, &ty))
		return fail(p, "type expected");
	i.ty = (u8)ty;
	if ((e = operands(p, &i)) || (e = fields(p, &i)))
		return e;
	return append(p, &i, name);
}

static int
line(struct parser *p)
{
	struct region *r = p->r;
	u64 v;

	blanks(p);
	if (!*p->s || *p->s == '\n' || *p->s == '#')
		return 0;
	if (word(p, "region")) {
		if (!number(p, &v))
			return fail(p, "address expected");
		r->pc = v;
		if (word(p, "mode") && number(p, &v))
			r->mode = (u32)v;
		if (word(p, "fpnan") && number(p, &v))
			r->fpnan = (u8)v;
		r->fpflush = (u8)word(p, "flush");
		return 0;
	}
	if (!word(p, "block"))
		return instruction(p);
	if (!number(p, &v))
		return fail(p, "address expected");
	int k = ir_block(r, v);
	struct block *b = &r->block[k];
	memset(p->temp, 0, sizeof p->temp);
	b->entry = (u8)word(p, "entry");
	b->target = (u8)word(p, "target");
	b->flagsin = (u8)word(p, "flagsin");
	return 0;
}

int
ir_parse(struct region *r, const char *text, char *err, size_t n)
{
	struct parser *p = xmalloc(sizeof *p);
	int e = 0;

	*p = (struct parser){ .r = r, .err = err, .nerr = n };
	for (const char *s = text; *s && !e; s += *s == '\n') {
		p->s = s;
		p->line++;
		e = line(p);
		s += strcspn(s, "\n");
	}
	free(p);
	return e;
}
