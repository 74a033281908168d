// guest: aarch64
/* Procedures that answer in flags, as assembly language may have them: called directly and through a pointer, alone
 * and from others, before and after they were first called without anybody looking. */
#include <stdio.h>

__asm__(".text\n"
"isone:	cmp x0, #1\n	ret\n"
"twice:	mov x9, x30\n	bl isone\n	mov x30, x9\n	ret\n"
".globl direct\ndirect:	mov x10, x30\n	bl isone\n	cset w0, eq\n	ret x10\n"
".globl pointer\npointer:	mov x10, x30\n	adr x1, isone\n	blr x1\n	cset w0, eq\n	ret x10\n"
".globl nested\nnested:	mov x10, x30\n	bl twice\n	b.eq 1f\n	mov w0, #0\n	ret x10\n1:	mov w0, #1\n	ret x10\n"
".globl passed\npassed:	mov x10, x30\n	cmp x0, #1\n	bl 2f\n	ret x10\n2:	cset w0, eq\n	ret\n"
".globl ignored\nignored:	mov x10, x30\n	bl isone\n	mov x0, #7\n	ret x10\n");

int direct(long), pointer(long), nested(long), passed(long), ignored(long);

int
main(void)
{
	for (int i = 0; i < 3; i++)
		printf("%d", ignored(i));
	for (int i = 0; i < 3; i++)
		printf(" %d%d%d%d%d", direct(i), pointer(i), nested(i), passed(i), ignored(i));
	printf("\n");
	return 0;
}
