/* SPDX-License-Identifier: MIT */
/* disasm.c - host code as text, for -d out_asm
 *
 * Capstone is loaded when it is first wanted: its tables need 80000 relocations, a third of the time an
 * empty program takes.  Without it (a static program, or no such library) bytes are shown. */
#include <dlfcn.h>
#include <stdio.h>
#include <capstone/capstone.h>
#include "backend/x86_64/int.h"

#define TEXT(x) #x
#define SONAME(major) "libcapstone.so." TEXT(major)

/* weak: a static link does not bring in a loader for our sake */
extern void *dlopen(const char *, int) __attribute__((weak));
extern void *dlsym(void *, const char *) __attribute__((weak));

static struct {
	csh handle;
	__typeof__(&cs_open) open;
	__typeof__(&cs_disasm) disasm;
	__typeof__(&cs_free) free;
} cs;

static int
load(void)
{
	static int tried;
	void *lib;

	if (tried++)
		return cs.handle != 0;
	if (!dlopen || !dlsym || !(lib = dlopen(SONAME(CS_API_MAJOR), RTLD_NOW | RTLD_LOCAL)))
		return 0;
	*(void **)&cs.open = dlsym(lib, "cs_open");
	*(void **)&cs.disasm = dlsym(lib, "cs_disasm");
	*(void **)&cs.free = dlsym(lib, "cs_free");
	if (!cs.open || !cs.disasm || !cs.free || cs.open(CS_ARCH_X86, CS_MODE_64, &cs.handle))
		cs.handle = 0;
	return cs.handle != 0;
}

/* Of an instruction with an EVEX prefix, of which libcapstone knows few (SDM volume 2, 2.7); 0: it is none. */
static u32
evex(const u8 *code, u32 n)
{
	u32 map, op, mod, len = 6;
	int sib, imm;

	if (n < 6 || code[0] != 0x62)
		return 0;
	map = code[1] & 7;
	op = code[4];
	mod = code[5] >> 6;
	sib = mod != 3 && (code[5] & 7) == 4;
	imm = map == 3 || (map == 1 && ((op >= 0x70 && op <= 0x73) || op == 0xc2 || (op >= 0xc4 && op <= 0xc6)));
	if (mod == 2 || (mod == 0 && ((code[5] & 7) == 5 || (sib && n > 6 && (code[6] & 7) == 5))))
		len += 4;
	return len + (mod == 1) + (u32)sib + (u32)imm;
}

static int
bytes(const u8 *code, u32 n, u32 most, char *buf, size_t size)
{
	int len = (int)(n < most ? n : most), at = snprintf(buf, size, ".byte");

	for (int i = 0; i < len && at < (int)size; i++)
		at += snprintf(buf + at, size - (size_t)at, " 0x%02x", code[i]);
	return len;
}

int
x86_disasm(const u8 *code, u32 n, u64 at, char *buf, size_t size)
{
	cs_insn *i;
	u32 pad = 0;                   /* prefixes that say nothing (branch.c), and that libcapstone does not know */
	int len;

	if (!load())
		return bytes(code, n, 8, buf, size);
	while (pad + 1 < n && code[pad] == 0x2e)
		pad++;
	if (!cs.disasm(cs.handle, code + pad, n - pad, at + pad, 1, &i))
		return bytes(code, n, (len = (int)evex(code, n)) ? (u32)len : 1, buf, size);
	snprintf(buf, size, "%s %s", i->mnemonic, i->op_str);
	len = (int)pad + i->size;
	cs.free(i, 1);
	return len;
}
