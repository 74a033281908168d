// A vfork child is killed while its code is being translated: the parent goes on.
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int fn(void);

#include "return.h"

static void
write_code(uint32_t *p, int k)
{
	put(p, k);
	__builtin___clear_cache((char *)p, (char *)(p + 2));
}

int
main(void)
{
	uint32_t *code = mmap(0, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile pid_t *who = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int killed = 0, status;

	for (int i = 0; i < 150; i++) {
		pid_t killer, child;

		*who = 0;
		if (!(killer = fork())) {
			while (!*who)
				usleep(20);
			usleep((unsigned)(i * 37 % 400));
			kill(*who, (int[]){SIGTERM, SIGKILL, SIGINT, SIGRTMIN + 3}[i % 4]);
			_exit(0);
		}
		if (!(child = vfork())) {
			*who = getpid();
			for (int k = 0;; k++) {
				write_code(code + k % 4096 * 4, k % 1000);
				((fn *)(code + k % 4096 * 4))();
			}
		}
		if (waitpid(child, &status, 0) == child && WIFSIGNALED(status))
			killed++;
		waitpid(killer, 0, 0);
		write_code(code, i);           // needs what the child may have held
		if (((fn *)code)() != i)
			puts("wrong code");
	}
	printf("%d killed\n", killed);
	return 0;
}
