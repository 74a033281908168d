/* SPDX-License-Identifier: MIT */
/* store_ran.c - which guest code has run
 *
 * The file "ran" holds pages of bits, which processes add to without a lock: one that is lost, or flipped, costs time
 * and nothing else.  Programs share the bits; a page that has become so full that it says little begins anew. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "base/util.h"
#include "core/store_own.h"

enum {
	FULL = STORE_RAN * 64 / 3,     /* one program sets about a tenth */
	MOST = 16,                     /* pages read and written at a time */
	BYTES = STORE_RAN * sizeof(u64),
};

/* n pages; what lies beyond the file's end is 0. */
static int
load(u32 page, u32 n, u64 *bits)
{
	u64 from = (u64)page * BYTES, want = (u64)n * BYTES, size;
	struct stat st;
	int fd = store.own < 0 ? -ENOENT : store_openfile(store.own, "ran", O_RDONLY, 0, &st), r = fd;

	if (fd >= 0) {
		size = (u64)st.st_size > from ? (u64)st.st_size - from : 0;
		want = size < want ? size : want;
		r = store_pread(fd, bits, want, from);
		close(fd);
	}
	want = r < 0 ? 0 : want;
	memset((u8 *)bits + want, 0, (u64)n * BYTES - want);
	return r;
}

int store_ran(u32 page, u64 *bits) { return load(page, 1, bits); }

/* One page's bits join the others. */
static void
join(u64 *all, const u64 *bits)
{
	int set = 0;

	for (int i = 0; i < STORE_RAN; i++)
		for (u64 w = all[i] |= bits[i]; w; w &= w - 1)
			set++;
	if (set > FULL)
		memcpy(all, bits, BYTES);
}

void
store_addran(u32 page, u32 n, const u64 *bits)
{
	static u64 all[MOST * STORE_RAN] ROOMY;
	int fd = store_session(SESSION_RAN);

	for (u32 i = 0; i < n && fd >= 0; i += MOST) {
		u32 m = n - i < MOST ? n - i : MOST;

		load(page + i, m, all);
		for (u32 k = 0; k < m; k++)
			join(all + k * STORE_RAN, bits + (i + k) * STORE_RAN);
		store_pwrite(fd, all, m * BYTES, (u64)(page + i) * BYTES);
	}
}
