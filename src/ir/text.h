/* SPDX-License-Identifier: MIT */
/* text.h - the spelling of IR, shared by print.c, parse.c and verify.c
 *
 *   region 0x1000 mode 0 fpnan 0
 *   block 0x1000 entry target
 *       insn 0x1000
 *       t1 = get i64 x1
 *       t2 = ld i32 t1, _ imm=8 aux=0x8
 *       t3 = set.ltu i64 t1, 0x10
 *       put i64 x1, t3
 *       jmp n 0x1004
 *
 * An instruction is its operation, a suffix that spells the field v where it has a meaning, the
 * type, operands (a constant in hexadecimal, _ for none before another), and the fields that are
 * not zero.  Temporaries are numbered within the block. */
#ifndef IR_TEXT_H
#define IR_TEXT_H

#include "ir/ir.h"

/* What the field v of an operation says. */
enum vmeans { V_NUMBER, V_VAR, V_REL, V_CC, V_TYPE, V_RMW, V_FENCE, V_TRAP, V_HELPER };

enum vmeans text_vmeans(int op);
/* The value's name, or 0 if it has none. */
const char *text_name(enum vmeans, int v);
/* The value of the name of n characters, or -1. */
int text_value(enum vmeans, const char *s, size_t n);
/* Writes a type's name ("i64", "f32x4") into buf of 16 bytes; returns buf. */
const char *text_type(int ty, char *buf);

#endif
