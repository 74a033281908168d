/* SPDX-License-Identifier: MIT */
/* copy.S - copies that may fault: base/gmem_copy.c's host part
 *
 * Leaf code without a frame, so that the SIGSEGV handler can send any pc between gmem_raw_begin
 * and gmem_raw_end to gmem_raw_fault. */
	.text
	.globl	gmem_raw_begin, gmem_raw_end, gmem_raw_fault, gmem_raw_copy, gmem_raw_put2, gmem_raw_strlen
	.hidden	gmem_raw_begin, gmem_raw_end, gmem_raw_fault, gmem_raw_copy, gmem_raw_put2, gmem_raw_strlen
/* a function that is one access: rax is 0, or -EFAULT */
	.macro	access name, insn, from, to
	.globl	gmem_raw_\name
	.hidden	gmem_raw_\name
	.type	gmem_raw_\name, @function
gmem_raw_\name:
	\insn	\from, \to
	xorl	%eax, %eax
	ret
	.size	gmem_raw_\name, . - gmem_raw_\name
	.endm
	.p2align 4
gmem_raw_begin:
/* struct gmem_loaded gmem_raw_load1(const void *), ...: -EFAULT or 0, and the datum, extended by 0 */
	access	load1, movzbl, (%rdi), %edx
	access	load2, movzwl, (%rdi), %edx
	access	load4, movl, (%rdi), %edx
	access	load8, movq, (%rdi), %rdx
/* long gmem_raw_store1(void *, u64), ...: 0 or -EFAULT */
	access	store1, movb, %sil, (%rdi)
	access	store2, movw, %si, (%rdi)
	access	store4, movl, %esi, (%rdi)
	access	store8, movq, %rsi, (%rdi)
/* long gmem_raw_copy(void *dst, const void *src, size_t n): 0 or -EFAULT; 1, 2, 4 and 8 bytes in one access */
	.type	gmem_raw_copy, @function
gmem_raw_copy:
	cmpq	$8, %rdx
	jb	6f
	jne	0f
	movq	(%rsi), %rax
	movq	%rax, (%rdi)
	xorl	%eax, %eax
	ret
0:	cmpq	$2048, %rdx
	jae	3f
	jmp	9f
8:	movups	(%rsi), %xmm0
	movups	16(%rsi), %xmm1
	movups	32(%rsi), %xmm2
	movups	48(%rsi), %xmm3
	movups	%xmm0, (%rdi)
	movups	%xmm1, 16(%rdi)
	movups	%xmm2, 32(%rdi)
	movups	%xmm3, 48(%rdi)
	addq	$64, %rsi
	addq	$64, %rdi
9:	subq	$64, %rdx
	jae	8b
	addq	$64, %rdx
	jmp	2f
1:	movq	(%rsi), %rax
	movq	8(%rsi), %rcx
	movq	%rax, (%rdi)
	movq	%rcx, 8(%rdi)
	addq	$16, %rsi
	addq	$16, %rdi
2:	subq	$16, %rdx
	jae	1b
	testb	$8, %dl
	jz	6f
	movq	(%rsi), %rax
	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
6:	testb	$4, %dl
	jz	4f
	movl	(%rsi), %eax
	movl	%eax, (%rdi)
	addq	$4, %rsi
	addq	$4, %rdi
4:	testb	$2, %dl
	jz	5f
	movw	(%rsi), %ax
	movw	%ax, (%rdi)
	addq	$2, %rsi
	addq	$2, %rdi
5:	testb	$1, %dl
	jz	7f
	movb	(%rsi), %al
	movb	%al, (%rdi)
7:	xorl	%eax, %eax
	ret
3:	movq	%rdx, %rcx
	rep movsb
	xorl	%eax, %eax
	ret
	.size	gmem_raw_copy, . - gmem_raw_copy
/* long gmem_raw_put2(void *dst, u64 x, u64 y): 0 or -EFAULT */
	.type	gmem_raw_put2, @function
gmem_raw_put2:
	movq	%rsi, (%rdi)
	movq	%rdx, 8(%rdi)
	xorl	%eax, %eax
	ret
	.size	gmem_raw_put2, . - gmem_raw_put2
/* long gmem_raw_strlen(const void *s, size_t max): length, max if no NUL came, or -EFAULT */
	.type	gmem_raw_strlen, @function
gmem_raw_strlen:
	xorl	%eax, %eax
	testq	%rsi, %rsi
	jz	7f
6:	cmpb	$0, (%rdi,%rax)
	je	7f
	incq	%rax
	cmpq	%rsi, %rax
	jb	6b
7:	ret
	.size	gmem_raw_strlen, . - gmem_raw_strlen
gmem_raw_end:
gmem_raw_fault:
	movq	$-14, %rax
	ret
	.section .note.GNU-stack,"",@progbits
