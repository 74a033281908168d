/* SPDX-License-Identifier: MIT */
/* print.c - IR as text (see text.h) */
#include <stdarg.h>
#include <stdio.h>
#include "ir/text.h"

static const u8 means[O_COUNT] = {
	[O_get] = V_VAR,    [O_put] = V_VAR,     [O_set] = V_REL,     [O_brc] = V_REL,    [O_fset] = V_REL,
	[O_fvset] = V_REL,  [O_vset] = V_REL,    [O_fcc] = V_CC,      [O_flsel] = V_CC,   [O_brf] = V_CC,
	[O_fcvt] = V_TYPE,  [O_fcvti] = V_TYPE,  [O_icvtf] = V_TYPE,  [O_movfi] = V_TYPE, [O_fbox] = V_TYPE,
	[O_funbox] = V_TYPE, [O_fclass] = V_TYPE, [O_umov] = V_TYPE,  [O_smov] = V_TYPE,
	[O_vsigns] = V_TYPE,
	[O_vzxt] = V_TYPE,  [O_vsxt] = V_TYPE,   [O_vnarrow] = V_TYPE, [O_vqnarrow] = V_TYPE,
	[O_pmull] = V_TYPE, [O_rmw] = V_RMW,     [O_fence] = V_FENCE, [O_trap] = V_TRAP,
	[O_help] = V_HELPER, [O_vhelp] = V_HELPER,
};

static const char *const rels[] = {
	[R_EQ] = "eq", [R_NE] = "ne", [R_LTU] = "ltu", [R_GEU] = "geu", [R_LTS] = "lts", [R_GES] = "ges",
	[R_LEU] = "leu", [R_GTU] = "gtu", [R_LES] = "les", [R_GTS] = "gts", [R_TST] = "tst", [R_NTST] = "ntst",
	[R_UN] = "un",
};
static const char *const ccs[] = {
	"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv",
};
static const char *const types[] = { "i8", "i16", "i32", "i64", "i128", "f16", "f32", "f64", "fl", "n" };
static const char *const rmws[] = {
	[RMW_ADD] = "add", [RMW_AND] = "and", [RMW_ANDN] = "andn", [RMW_OR] = "or", [RMW_XOR] = "xor",
	[RMW_SMIN] = "smin", [RMW_SMAX] = "smax", [RMW_UMIN] = "umin", [RMW_UMAX] = "umax", [RMW_XCHG] = "xchg",
};
static const char *const fences[] = { [FENCE_LD] = "ld", [FENCE_ST] = "st", [FENCE_FULL] = "full" };
static const char *const traps[] = {
	[TRAP_UNDEF] = "undef", [TRAP_PRIV] = "priv", [TRAP_BREAK] = "break", [TRAP_DIV] = "div",
	[TRAP_FP] = "fp", [TRAP_ALIGN] = "align", [TRAP_ALONE] = "alone",
};

static const struct { const char *const *name; int n; } names[] = {
	[V_REL] = { rels, NELEM(rels) },       [V_CC] = { ccs, NELEM(ccs) },
	[V_TYPE] = { types, NELEM(types) },    [V_RMW] = { rmws, NELEM(rmws) },
	[V_FENCE] = { fences, NELEM(fences) }, [V_TRAP] = { traps, NELEM(traps) },
	[V_HELPER] = { 0, 0 },
};

enum vmeans
text_vmeans(int op)
{
	return means[op];
}

const char *
text_name(enum vmeans m, int v)
{
	return v >= 0 && v < names[m].n ? names[m].name[v] : 0;
}

int
text_value(enum vmeans m, const char *s, size_t n)
{
	for (int v = 0; v < names[m].n; v++)
		if (names[m].name[v] && strlen(names[m].name[v]) == n && memcmp(names[m].name[v], s, n) == 0)
			return v;
	return -1;
}

const char *
text_type(int ty, char *buf)
{
	const char *lane = text_name(V_TYPE, ty_lane(ty));

	if (!lane)
		snprintf(buf, 16, "?%d", ty);
	else if (ty_isvec(ty))
		snprintf(buf, 16, "%sx%d", lane, ty_lanebits(ty) ? ty_nlanes(ty) : 0);
	else
		snprintf(buf, 16, "%s", lane);
	return buf;
}

/* -- the region -- */

struct printer {
	const struct region *r;
	char *at, *end;
	const u16 *number;             /* of temporaries */
};

static void __attribute__((format(printf, 2, 3)))
put(struct printer *p, const char *fmt, ...)
{
	va_list ap;
	size_t room = (size_t)(p->end - p->at);

	va_start(ap, fmt);
	int n = vsnprintf(p->at, room, fmt, ap);
	va_end(ap);
	p->at += (size_t)n < room ? (size_t)n : room - 1;
}

static void
operand(struct printer *p, ref r)
{
	if (isk(r))
		put(p, "0x%llx", (unsigned long long)kval(p->r, r));
	else if (r)
		put(p, "t%d", p->number[r]);
	else
		put(p, "_");
}

static void
operands(struct printer *p, const struct ins *i)
{
	const ref arg[3] = { i->a, i->b, i->c };
	int n = 3;

	while (n > 0 && arg[n - 1] == 0)
		n--;
	for (int k = 0; k < n; k++) {
		put(p, k || i->op == O_put ? ", " : " ");
		operand(p, arg[k]);
	}
}

static void
suffix(struct printer *p, const struct ins *i)
{
	enum vmeans m = text_vmeans(i->op);
	const char *name = text_name(m, i->v);
	char buf[16];

	if (m == V_TYPE)
		put(p, ".%s", text_type(i->v, buf));
	else if (name)
		put(p, ".%s", name);
	else if (m != V_NUMBER && m != V_VAR)
		put(p, ".%d", i->v);
}

static void
instruction(struct printer *p, const struct block *b, int k)
{
	const struct ins *i = &p->r->ins[k];
	char buf[16];

	put(p, "\t");
	if (i->op == O_insn) {
		put(p, "insn 0x%llx\n", (unsigned long long)(b->pc + (u64)(s64)i->imm));
		return;
	}
	if (opinfo[i->op].res != 'N')
		put(p, "t%d = ", p->number[k]);
	put(p, "%s", opinfo[i->op].name);
	suffix(p, i);
	put(p, " %s", text_type(i->ty, buf));
	if (text_vmeans(i->op) == V_VAR)
		put(p, " %s", i->v < p->r->guest->nreg ? p->r->guest->reg[i->v].name : "?");
	operands(p, i);
	if (i->v && text_vmeans(i->op) == V_NUMBER)
		put(p, " v=%d", i->v);
	if (i->imm)
		put(p, " imm=%d", i->imm);
	if (i->aux)
		put(p, " aux=0x%x", i->aux);
	put(p, "\n");
}

void
ir_print(const struct region *r, char *buf, size_t n)
{
	u16 number[r->nins];
	struct printer p = { .r = r, .at = buf, .end = buf + n, .number = number };

	put(&p, "region 0x%llx mode %u fpnan %u%s\n", (unsigned long long)r->pc, r->mode, r->fpnan,
	    r->fpflush ? " flush" : "");
	for (int k = 0; k < r->nblock; k++) {
		const struct block *b = &r->block[k];
		u16 next = 1;
		put(&p, "block 0x%llx%s%s%s\n", (unsigned long long)b->pc, b->entry ? " entry" : "",
		    b->target ? " target" : "", b->flagsin ? " flagsin" : "");
		for (int i = b->first; i < b->first + b->n; i++) {
			number[i] = 0;
			if (r->ins[i].op == O_nop)
				continue;
			if (opinfo[r->ins[i].op].res != 'N')
				number[i] = next++;
			instruction(&p, b, i);
		}
	}
}
