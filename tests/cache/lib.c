/* one of several libraries that differ in a constant only */
#include <stdio.h>

static int more(int n) { return n > 0 ? 1 + more(n - 1) : N; }

void
name(char *to)
{
	sprintf(to, "lib %d", more(5) - 5);
}
