/* Loads each library in turn, lets it say its name, and unloads it: they take each other's places. */
#include <dlfcn.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		void *h = dlopen(argv[i], RTLD_NOW);
		void (*name)(char *) = h ? (void (*)(char *))dlsym(h, "name") : 0;
		char text[32];

		if (!name) {
			printf("%s\n", dlerror());
			return 1;
		}
		name(text);
		puts(text);
		dlclose(h);
	}
	return 0;
}
