/* SPDX-License-Identifier: MIT */
/* print.h - text of values, for strace.c and the special printers */
#ifndef SYSCALL_PRINT_H
#define SYSCALL_PRINT_H

#include "syscall/desc.h"

struct text { char *s; size_t n, size; };      /* never longer than size - 1; the rest is lost */

void put(struct text *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Bytes of guest memory as a C string, at most 32 of them; len < 0: up to the NUL. */
void put_bytes(struct text *, gaddr, s64 len);
void put_flags(struct text *, const struct linux_abi *, enum flagset, u64);
/* A struct at a guest address, NULL, or the bare address if it cannot be read. */
void put_struct(struct text *, const struct linux_abi *, enum layout, gaddr);
/* n structs at a guest address. */
void put_array(struct text *, const struct linux_abi *, enum layout, gaddr, s64 n);
void put_signal(struct text *, int sig);
void put_addr(struct text *, gaddr);
void put_vec(struct text *, const struct linux_abi *, gaddr, s64 n, s64 bytes);
void put_sockaddr(struct text *, const struct linux_abi *, gaddr, u64 len);

/* pr_NAME: the special printers of printer.def; r is the result, done says whether it is known */
typedef void printfn(struct text *, const struct call *, int arg, int done, s64 r);
#define PRINTER(name) printfn pr_##name;
#include "syscall/printer.def"
#undef PRINTER

#endif
