/* SPDX-License-Identifier: MIT */
/* copy.S - copies that may fault: base/gmem_copy.c's host part
 *
 * Leaf code without a frame, so that the SIGSEGV handler can send any pc between gmem_raw_begin
 * and gmem_raw_end to gmem_raw_fault. */
	.text
	.globl	gmem_raw_begin, gmem_raw_end, gmem_raw_fault, gmem_raw_copy, gmem_raw_strlen
	.hidden	gmem_raw_begin, gmem_raw_end, gmem_raw_fault, gmem_raw_copy, gmem_raw_strlen
	.p2align 4
gmem_raw_begin:
/* long gmem_raw_copy(void *dst, const void *src, size_t n): 0 or -EFAULT; 1, 2, 4 and 8 bytes in one access */
	.type	gmem_raw_copy, @function
gmem_raw_copy:
	cmpq	$256, %rdx
	jae	3f
	jmp	2f
1:	movq	(%rsi), %rax
	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
2:	subq	$8, %rdx
	jae	1b
	testb	$4, %dl
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
	jz	8f
	movb	(%rsi), %al
	movb	%al, (%rdi)
8:	xorl	%eax, %eax
	ret
3:	movq	%rdx, %rcx
	rep movsb
	xorl	%eax, %eax
	ret
	.size	gmem_raw_copy, . - gmem_raw_copy
/* long gmem_raw_strlen(const void *s, size_t max): length, max if no NUL came, or -EFAULT */
	.type	gmem_raw_strlen, @function
gmem_raw_strlen:
	xorl	%eax, %eax
6:	cmpq	%rsi, %rax
	jae	7f
	cmpb	$0, (%rdi,%rax)
	je	7f
	incq	%rax
	jmp	6b
7:	ret
	.size	gmem_raw_strlen, . - gmem_raw_strlen
gmem_raw_end:
gmem_raw_fault:
	movq	$-14, %rax
	ret
	.section .note.GNU-stack,"",@progbits
