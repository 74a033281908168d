/* SPDX-License-Identifier: MIT */
/* hostcall.c - raw system calls on x86-64, and the window a signal handler must know about
 *
 * Between the look at cpu->poll and the syscall instruction a signal would go unnoticed by the call
 * that is about to block.  The handler sees that the interrupted pc lies in that window and moves
 * it to where -ERESTARTNOINTR is returned: the call has not begun.  A pc on the syscall instruction itself is
 * also what the kernel leaves when it means to restart a call it has waited in (-ERESTARTSYS); it has been there if
 * rcx holds the address after the instruction (SDM, SYSCALL).
 *
 * Where what the processor thinks of the next returns is the kernel's after a system call, it returns by a jump: they
 * take 5 ns more each, and the first one 45 (Zen with the kernel's "Safe RET").  Elsewhere (Sapphire Rapids) the jump
 * would make it wrong about all that follow. */
#include <asm/unistd.h>
#include <stddef.h>
#include "backend/x86_64/x86.h"
#include "base/hostcall.h"

u8 host_lostreturns;

/* s64 host_syscall_asm(nr, a0..a5, _Atomic u8 *poll): the last two arguments are on the stack. */
__asm__(
"	.text\n"
"	.globl host_syscall_asm, host_window_start, host_window_call, host_window_end, host_window_out, host_window_back\n"
"	.hidden host_syscall_asm, host_window_start, host_window_call, host_window_end, host_window_out, host_window_back\n"
"	.type host_syscall_asm, @function\n"
"host_syscall_asm:\n"
"	.cfi_startproc\n"
"	movq %rdi, %rax\n"
"	movq %rsi, %rdi\n"
"	movq %rdx, %rsi\n"
"	movq %rcx, %rdx\n"
"	movq %r8, %r10\n"
"	movq %r9, %r8\n"
"	movq 8(%rsp), %r9\n"
"	movq 16(%rsp), %rcx\n"
"host_window_start:\n"
"	cmpb $0, (%rcx)\n"
"	jne host_window_out\n"
"host_window_call:\n"
"	syscall\n"
"host_window_end:\n"
"	cmpb $0, host_lostreturns(%rip)\n"
"	jne 1f\n"
"	ret\n"
"1:	popq %rcx\n"
"	.cfi_adjust_cfa_offset -8\n"
"	.cfi_register %rip, %rcx\n"
"	jmp *%rcx\n"
"	.cfi_adjust_cfa_offset 8\n"
"	.cfi_restore %rip\n"
"host_window_out:\n"
"	movq $-513, %rax\n"
"	ret\n"
"host_window_back:\n"
"	movq $-512, %rax\n"
"	jmp host_window_end\n"
"	.cfi_endproc\n"
"	.size host_syscall_asm, . - host_syscall_asm\n");

extern const char host_window_start[], host_window_call[], host_window_end[], host_window_out[], host_window_back[];

s64
host_call(long nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	register u64 r10 __asm__("r10") = a3, r8 __asm__("r8") = a4, r9 __asm__("r9") = a5;
	s64 r;

	__asm__ volatile("syscall" : "=a"(r)
	                 : "a"(nr), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return r;
}

/* Does the syscall instruction change rcx?  Not with FRED. */
static int
marks(void)
{
	u64 rax = __NR_getpid, rcx = 0;

	__asm__ volatile("syscall" : "+a"(rax), "+c"(rcx) : : "r11", "memory");
	return rcx != 0;
}

int
host_rewind(ucontext_t *uc)
{
	u64 pc = (u64)uc->uc_mcontext.gregs[REG_RIP], rcx = (u64)uc->uc_mcontext.gregs[REG_RCX];
	int entered = pc == (u64)host_window_call && (rcx == (u64)host_window_end || !marks());

	if (pc < (u64)host_window_start || pc >= (u64)host_window_end)
		return 0;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(u64)(entered ? host_window_back : host_window_out);
	return 1;
}
