// args: one two
#include <stdio.h>
int main(int argc, char **argv)
{
	printf("hello %d %s %s\n", argc, argv[1], argv[argc - 1]);
	return 0;
}
