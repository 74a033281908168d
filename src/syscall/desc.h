/* SPDX-License-Identifier: MIT */
/* desc.h - the language of the tables: lines of calls, layouts of structs, sets of flags
 *
 * linux.sys, linux.abi and linux.flags are C macros; desc.c turns them into the const tables
 * declared here.  The tables hold numbers and offsets, no pointers where it can be helped: a
 * position-independent program would have to relocate each at every process start.
 *
 * A line of linux.sys:    SYS( result, name, arguments )
 *
 *   SYS    the host's call of that name does the work, after conversion of the arguments
 *   SYSF   sys_NAME(cpu, args) does; args as thread_calls.h explains
 *   SYSAS  (one argument more) as SYS, by the host's call of another name
 *   NOSYS  not performed: -ENOSYS, and the reason it is so
 *
 * Result (how it is printed), with what a signal does to the blocked call or'ed to it:
 *   INT  FDR  LEN  PIDR  ADDR  HEX  OCTR  ZERO  NONE (does not return)
 *   | NOHAND  Linux restarts it only if no handler ran      | EINTRS  never restarted
 *   | RCVTO, SNDTO  restarted unless the socket (argument 1) has SO_RCVTIMEO, SO_SNDTIMEO
 *   | RAW  the function returns -ERESTART* itself; a plain -EINTR is meant as such
 *   | EARLY  the whole line is printed before the call
 *
 * Arguments; n is a name for the reader, i the number (1...) of another argument:
 *   INT(n) UINT(n) LONG(n) SIZE(n) HEX(n) OCT(n)    integers by size and print
 *   FD(n) AT(n) PID(n) SIG(n) OFF(n)                 descriptor, dirfd, process, signal, offset
 *   OFF64(n)                                         64 bits: a pair of registers in a 32-bit ABI
 *   FLAGS(n, set)                                    a word or value of linux.flags
 *   ADDR(n)                                          an address that is not followed
 *   PTR(n)                                           the same, for the kernel to follow as it is
 *   STR(n)                                           string, passed as it is
 *   PATH(n) PATHN(n) PATHC(n)                        file name: followed, not followed, created;
 *                                                    relative to the nearest AT before it
 *   INBUF(n, i) OUTBUF(n, i)                         bytes; argument i has the length
 *   INBIN(n, i) OUTBIN(n, i)                         the same, printed as an address
 *   INVEC(n, i) OUTVEC(n, i)                         iovec array; argument i has the count
 *   INVECA(n, i)                                     iovec of addresses in any process
 *   REQ(n)                                           an ioctl's number
 *   IN(n, s) OUT(n, s) IO(n, s)                      struct s of linux.abi read, written, both
 *   INA(n, s, i) OUTA(n, s, i) IOA(n, s, i)          an array of argument i elements
 *   SAIN(n, i) SAOUT(n, i)                           socket address; i: length, pointer to length
 *   OPTIN(n, i) OPTOUT(n, i)                         a socket option; as SAIN, SAOUT
 *   SPEC(n, printer)                                 an address; pr_PRINTER prints it (SYSF only)
 * A struct written by a call is OUT even if the call also looks at its old contents' size. */
#ifndef SYSCALL_DESC_H
#define SYSCALL_DESC_H

#include "base/word.h"
#include "syscall/abi.h"

enum sysline {
	L_none,
#define SYS(r, name, args) L_##name,
#define SYSF(r, name, args) L_##name,
#define SYSAS(r, name, as, args) L_##name,
#define NOSYS(name, why) L_##name,
#include "syscall/linux/linux.sys"
#undef SYS
#undef SYSF
#undef SYSAS
#undef NOSYS
	L_COUNT
};

/* -- flags -- : FB_set is the first flag of a set, FI_set_NAME one flag */
enum {
#define SET(set, kind) FB_##set, FB_##set##_before = FB_##set - 1,
#define FLAG(set, name, value) FI_##set##_##name,
#define FIELD(set, name, value, mask) FI_##set##_##name,
#include "syscall/linux/linux.flags"
#undef SET
#undef FLAG
#undef FIELD
	FI_COUNT
};
enum flagset {
	X_none,
#define SET(set, kind) X_##set,
#define FLAG(set, name, value)
#define FIELD(set, name, value, mask)
#include "syscall/linux/linux.flags"
#undef SET
#undef FLAG
#undef FIELD
	X_COUNT
};
enum setkind { K_BITS, K_VALUE };      /* or'ed flags and fields; one of many values */

struct flag { u64 value, mask; };
u64 flags_convert(const struct linux_abi *, enum flagset, u64 v, int tohost);
int flags_differ(const struct linux_abi *, enum flagset);
/* The value of one flag in an ABI (0: the host). */
struct flag flag_value(const struct linux_abi *, int fi);
const char *flag_name(int fi);
/* Flags [first, end) of a set. */
enum setkind flags_range(enum flagset, int *first, int *end);
const char *flagset_name(enum flagset);

/* -- structs -- */
enum mty {
	MT_s8, MT_u8, MT_s16, MT_u16, MT_s32, MT_u32, MT_s64, MT_u64,
	MT_slong, MT_ulong, MT_time, MT_ptr, MT_xlong, MT_plong,
	MT_mode, MT_mode16, MT_oct64, MT_x16, MT_x32, MT_x64,
	MT_char,                       /* an array of them is a string */
	MT_be32,                       /* in network order everywhere */
	MT_p8,                         /* bytes copied, not printed */
	MT_struct,
	MT_COUNT
};
struct member { u8 type, isarray; u16 sub, count; };   /* sub: a layout or a flag set */
struct layoutrow { const struct member *m; const char *names; u16 n; u8 packed; };
extern const struct layoutrow layouts[S_COUNT];
const char *layout_name(enum layout);

/* A layout as an ABI has it: offsets and sizes computed (marshal.c). */
struct place { u32 off, size; };       /* size of one element */
struct shape { u32 size, align; int n; enum layout as; struct place at[]; };
const struct shape *shape_of(const struct linux_abi *, enum layout);
/* The host's bytes and the guest's are the same. */
int layout_same(const struct linux_abi *, enum layout);

/* -- calls -- */
enum argkind {
	A_none, A_INT, A_UINT, A_LONG, A_SIZE, A_HEX, A_OCT, A_FD, A_AT, A_PID, A_SIG, A_OFF, A_OFF64,
	A_FLAGS, A_REQ, A_ADDR, A_PTR, A_STR, A_PATH, A_PATHN, A_PATHC, A_INBUF, A_OUTBUF, A_INBIN,
	A_OUTBIN, A_INVEC, A_OUTVEC, A_INVECA,
	A_IN, A_OUT, A_IO, A_INA, A_OUTA, A_IOA, A_SAIN, A_SAOUT, A_OPTIN, A_OPTOUT, A_SPEC,
	A_COUNT
};
enum {
	R_INT, R_FDR, R_LEN, R_PIDR, R_ADDR, R_HEX, R_OCTR, R_ZERO, R_NONE,
	R_MASK = 15,
	NOHAND = 1 << 4, EINTRS = 1 << 5, RCVTO = 1 << 6, SNDTO = 1 << 7, RAW = 1 << 8, EARLY = 1 << 9,
};
struct arg { u8 kind, len; u16 x; };   /* len: number of the argument that has the length, or 0 */
struct sysline_row { char name[26]; u16 ret; s16 host; struct arg arg[6]; };
extern const struct sysline_row systab[L_COUNT];

typedef s64 sysfn(struct cpu *, const u64 *a);
extern sysfn *const sysfns[L_COUNT];   /* 0: the host's call */
const char *sys_reason(enum sysline);  /* of a NOSYS line, or 0 */

#define SYS(r, name, args)
#define SYSF(r, name, args) sysfn sys_##name;
#define SYSAS(r, name, as, args)
#define NOSYS(name, why)
#include "syscall/linux/linux.sys"
#undef SYS
#undef SYSF
#undef SYSAS
#undef NOSYS

enum printer {
#define PRINTER(name) PR_##name,
#include "syscall/printer.def"
#undef PRINTER
	PR_COUNT
};

/* -- ioctls (linux/ioctl.sys) -- */
enum ioctlkind {
	IO_NONE,                       /* the argument is not used */
	IO_INT,                        /* a number */
	IO_PTR,                        /* an address whose bytes are the same in every ABI of our word */
	IO_IN, IO_OUT, IO_IO,          /* a struct read, written, both */
	IO_IFCONF,                     /* ioctl.c has a function */
};
struct ioctl_row { u32 nr; u16 kind, layout; char name[32]; };
const struct ioctl_row *ioctl_find(u32 nr);    /* 0: unknown */

/* -- marshal.c -- */
/* How the arguments of a line are converted under one ABI; worked out once per ABI and line. */
struct plan {
	u8 ready, nargs;
	u8 plain;                      /* the host's call of that name with every argument as it is */
	u8 direct;                     /* no argument needs memory of ours */
	u8 conv;                       /* some FLAGS or SIG differs from the host's */
	u8 norm[6], op[6];
};
/* One call on its way. */
struct call {
	struct cpu *cpu;
	const struct linux_abi *abi;
	const struct plan *plan;
	enum sysline line;
	u64 v[6];                      /* as the guest gave them, normalised */
};
const struct plan *plan_of(const struct linux_abi *, enum sysline);
void call_fetch(struct call *);        /* guest registers -> c->v */
s64 call_host(struct call *);          /* converts, performs the host's call, converts back */
void call_args(const struct call *, u64 *a);   /* c->v -> arguments of a sys_NAME() */

/* -- strace.c -- */
void strace_enter(const struct call *);
void strace_leave(const struct call *, s64 r);
/* An unknown number. */
void strace_unknown(struct cpu *, u64 nr);

#endif
