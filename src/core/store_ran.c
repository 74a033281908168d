/* SPDX-License-Identifier: MIT */
/* store_ran.c - which guest code has run
 *
 * The file "ran" holds pages of bits, which processes add to without a lock: one that is lost, or flipped, costs time
 * and nothing else.  Programs share the bits; a page that has become so full that it says little begins anew. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "core/store_own.h"

enum { FULL = STORE_RAN * 64 / 3 };    /* one program sets about a tenth */

int
store_ran(u32 page, u64 *bits)
{
	const size_t n = STORE_RAN * sizeof *bits;
	struct stat st;
	int fd = store.own < 0 ? -ENOENT : store_openfile(store.own, "ran", O_RDONLY, 0, &st), r = fd;

	if (fd >= 0) {
		r = store_pread(fd, bits, n, page * n);
		close(fd);
	}
	if (r < 0)
		memset(bits, 0, n);
	return r;
}

void
store_addran(u32 page, const u64 *bits)
{
	u64 all[STORE_RAN];
	int fd = store_session(SESSION_RAN), set = 0;

	if (fd < 0)
		return;
	store_ran(page, all);
	for (int i = 0; i < STORE_RAN; i++)
		for (u64 w = all[i] |= bits[i]; w; w &= w - 1)
			set++;
	store_pwrite(fd, set > FULL ? bits : all, sizeof all, page * sizeof all);
}
