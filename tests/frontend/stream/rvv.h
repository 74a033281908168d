/* SPDX-License-Identifier: MIT */
/* rvv.h - the vector unit's part of RISC-V streams: rvv.c for riscv.c */
#ifndef TESTS_STREAM_RVV_H
#define TESTS_STREAM_RVV_H

#include "frontend/riscv/vector.h"
#include "stream.h"

/* Shared: registers that must keep pointing somewhere, and one for an access, rarely to nothing. */
int riscv_isreserved(int n);
int riscv_pointer(struct piece *);

enum kind v_kind(int id);
/* As make, iswrong and idiom of struct stream, for a line of rvv.isa and words of its. */
int v_make(int id, struct piece *, struct item *);
const char *v_lacks(int id);           /* why the oracle does not have the line, or 0 */
int v_iswrong(u32 word);
int v_idiom(struct piece *, struct item *, int room);
u32 v_type(const struct piece *);      /* a vtype that may be in force in the block */
u32 v_word(int id, int vd, int r1, int r2, s64 imm);   /* not masked */

#endif
