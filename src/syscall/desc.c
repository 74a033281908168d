/* SPDX-License-Identifier: MIT */
/* desc.c - the tables of linux.sys, linux.abi and linux.flags as C data */
#include <assert.h>
#include "syscall/desc.h"
#include "syscall/linux/hostnr.h"
#include "syscall/thread_calls.h"

/* -- struct layouts -- */
#define M(type, name) { MT_##type, 0, 0, 1 },
#define A(type, name, n) { MT_##type, 1, 0, n },
#define F(type, name, set) { MT_##type, 0, X_##set, 1 },
#define S(layout, name) { MT_struct, 0, S_##layout, 1 },
#define SA(layout, name, n) { MT_struct, 1, S_##layout, n },
#define STRUCT(name, members) static const struct member m_##name[] = { members };
#define PACKED(name, members) static const struct member m_##name[] = { members };
#include "syscall/linux/linux.abi"
#undef M
#undef A
#undef F
#undef S
#undef SA
#undef STRUCT
#undef PACKED

#define M(type, name) #name "\0"
#define A(type, name, n) #name "\0"
#define F(type, name, set) #name "\0"
#define S(layout, name) #name "\0"
#define SA(layout, name, n) #name "\0"
#define STRUCT(name, members) static const char n_##name[] = members;
#define PACKED(name, members) static const char n_##name[] = members;
#include "syscall/linux/linux.abi"
#undef M
#undef A
#undef F
#undef S
#undef SA
#undef STRUCT
#undef PACKED

const struct layoutrow layouts[S_COUNT] = {
#define STRUCT(name, members) [S_##name] = { m_##name, n_##name, NELEM(m_##name), 0 },
#define PACKED(name, members) [S_##name] = { m_##name, n_##name, NELEM(m_##name), 1 },
#include "syscall/linux/linux.abi"
#undef STRUCT
#undef PACKED
};

static const char layoutnames[] = "\0"
#define STRUCT(name, members) #name "\0"
#define PACKED(name, members) #name "\0"
#include "syscall/linux/linux.abi"
#undef STRUCT
#undef PACKED
;

/* the i-th of many strings laid end to end */
static const char *
nth(const char *s, int i)
{
	while (i--)
		s += strlen(s) + 1;
	return s;
}

const char *
layout_name(enum layout l)
{
	assert(l < S_COUNT);
	return nth(layoutnames, l);
}

/* -- flags -- */
static const struct { u64 value, mask; } flagtab[FI_COUNT] = {
#define SET(set, kind)
#define FLAG(set, name, value) [FI_##set##_##name] = { value, value },
#define FIELD(set, name, value, mask) [FI_##set##_##name] = { value, mask },
#include "syscall/linux/linux.flags"
#undef SET
#undef FLAG
#undef FIELD
};

/* The names as one struct of character arrays: a name is found by its offset. */
static const struct flagnames {
#define SET(set, kind)
#define FLAG(set, name, value) char f_##set##_##name[sizeof #name];
#define FIELD(set, name, value, mask) char f_##set##_##name[sizeof #name];
#include "syscall/linux/linux.flags"
#undef FLAG
#undef FIELD
} flagnames = {
#define FLAG(set, name, value) #name,
#define FIELD(set, name, value, mask) #name,
#include "syscall/linux/linux.flags"
#undef FLAG
#undef FIELD
};
static const u16 flagnameoff[FI_COUNT] = {
#define FLAG(set, name, value) [FI_##set##_##name] = offsetof(struct flagnames, f_##set##_##name),
#define FIELD(set, name, value, mask) [FI_##set##_##name] = offsetof(struct flagnames, f_##set##_##name),
#include "syscall/linux/linux.flags"
#undef SET
#undef FLAG
#undef FIELD
};
_Static_assert(sizeof(struct flagnames) < 65536, "flagnameoff is 16 bits wide");

static const struct { u16 first; u8 kind; } sets[X_COUNT + 1] = {
#define SET(set, kind) [X_##set] = { FB_##set, K_##kind },
#define FLAG(set, name, value)
#define FIELD(set, name, value, mask)
#include "syscall/linux/linux.flags"
#undef SET
	[X_COUNT] = { FI_COUNT, 0 },
};
static const char setnames[] = "\0"
#define SET(set, kind) #set "\0"
#include "syscall/linux/linux.flags"
#undef SET
#undef FLAG
#undef FIELD
;

enum setkind
flags_range(enum flagset x, int *first, int *end)
{
	*first = sets[x].first;
	*end = sets[x + 1].first;
	return sets[x].kind;
}

const char *
flagset_name(enum flagset x)
{
	return nth(setnames, x);
}

const char *
flag_name(int fi)
{
	return (const char *)&flagnames + flagnameoff[fi];
}

struct flag
flag_value(const struct linux_abi *abi, int fi)
{
	for (int i = 0; abi && i < abi->nflags; i++)
		if (abi->flags[i].flag == fi)
			return (struct flag){ abi->flags[i].value, abi->flags[i].mask };
	return (struct flag){ flagtab[fi].value, flagtab[fi].mask };
}

/* -- calls -- */
#define INT(n) { A_INT, 0, 0 },
#define UINT(n) { A_UINT, 0, 0 },
#define LONG(n) { A_LONG, 0, 0 },
#define SIZE(n) { A_SIZE, 0, 0 },
#define HEX(n) { A_HEX, 0, 0 },
#define OCT(n) { A_OCT, 0, 0 },
#define FD(n) { A_FD, 0, 0 },
#define AT(n) { A_AT, 0, 0 },
#define PID(n) { A_PID, 0, 0 },
#define SIG(n) { A_SIG, 0, 0 },
#define OFF(n) { A_OFF, 0, 0 },
#define OFF64(n) { A_OFF64, 0, 0 },
#define FLAGS(n, set) { A_FLAGS, 0, X_##set },
#define REQ(n) { A_REQ, 0, 0 },
#define ADDR(n) { A_ADDR, 0, 0 },
#define PTR(n) { A_PTR, 0, 0 },
#define STR(n) { A_STR, 0, 0 },
#define PATH(n) { A_PATH, 0, 0 },
#define PATHN(n) { A_PATHN, 0, 0 },
#define PATHC(n) { A_PATHC, 0, 0 },
#define INBUF(n, i) { A_INBUF, i, 0 },
#define OUTBUF(n, i) { A_OUTBUF, i, 0 },
#define INBIN(n, i) { A_INBIN, i, 0 },
#define OUTBIN(n, i) { A_OUTBIN, i, 0 },
#define INVEC(n, i) { A_INVEC, i, 0 },
#define OUTVEC(n, i) { A_OUTVEC, i, 0 },
#define INVECA(n, i) { A_INVECA, i, 0 },
#define IN(n, s) { A_IN, 0, S_##s },
#define OUT(n, s) { A_OUT, 0, S_##s },
#define IO(n, s) { A_IO, 0, S_##s },
#define INA(n, s, i) { A_INA, i, S_##s },
#define OUTA(n, s, i) { A_OUTA, i, S_##s },
#define IOA(n, s, i) { A_IOA, i, S_##s },
#define SAIN(n, i) { A_SAIN, i, 0 },
#define SAOUT(n, i) { A_SAOUT, i, 0 },
#define OPTIN(n, i) { A_OPTIN, i, 0 },
#define OPTOUT(n, i) { A_OPTOUT, i, 0 },
#define SPEC(n, p) { A_SPEC, 0, PR_##p },

#define SYS(r, n, args) [L_##n] = { #n, R_##r, __NR_##n, { args } },
#define SYSF(r, n, args) [L_##n] = { #n, R_##r, -1, { args } },
#define SYSAS(r, n, as, args) [L_##n] = { #n, R_##r, __NR_##as, { args } },
#define NOSYS(n, why) [L_##n] = { #n, R_INT, -1, { { A_HEX, 0, 0 }, { A_HEX, 0, 0 }, { A_HEX, 0, 0 } } },
const struct sysline_row systab[L_COUNT] = {
#include "syscall/linux/linux.sys"
};
#undef SYS
#undef SYSF
#undef SYSAS
#undef NOSYS

#define SYS(r, n, args)
#define SYSF(r, n, args) [L_##n] = sys_##n,
#define SYSAS(r, n, as, args)
#define NOSYS(n, why)
sysfn *const sysfns[L_COUNT] = {
#include "syscall/linux/linux.sys"
};
#undef SYSF
#undef NOSYS

static const struct { u16 line; char why[78]; } reasons[] = {
#define SYSF(r, n, args)
#define NOSYS(n, why) { L_##n, why },
#include "syscall/linux/linux.sys"
};
#undef SYS
#undef SYSF
#undef SYSAS
#undef NOSYS

const char *
sys_reason(enum sysline l)
{
	for (size_t i = 0; i < NELEM(reasons); i++)
		if (reasons[i].line == l)
			return reasons[i].why;
	return 0;
}
