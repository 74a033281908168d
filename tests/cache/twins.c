/* LIBRARY FUNCTION...: loads each library in turn, in place of the last, and lets the function say its number. */
#include <dlfcn.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	void *h = 0;

	for (int i = 1; i + 1 < argc; i += 2) {
		int (*f)(void);

		if (h)
			dlclose(h);
		h = dlopen(argv[i], RTLD_NOW);
		f = h ? (int (*)(void))dlsym(h, argv[i + 1]) : 0;
		if (!f) {
			printf("%s\n", dlerror());
			return 1;
		}
		printf("%d", f());
	}
	puts("");
	return 0;
}
