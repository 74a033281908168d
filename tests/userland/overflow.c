/* For AddressSanitizer: fine without arguments, beyond a block's end with one. */
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	char *p = malloc(10);

	p[argc] = 1;
	printf("%d\n", p[1]);
	fflush(stdout);
	if (argc > 1)
		return p[10];
	free(p);
	return 0;
}
