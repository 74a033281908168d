/* SPDX-License-Identifier: MIT */
/* test_gmem.c - guest memory against a model of one byte per page */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/gmem.h"

enum { PAGE = 4096, NPAGES = 96, ANON = MAP_PRIVATE | MAP_ANONYMOUS };
static const gaddr AREA = 0x3000000000;

static u64 rng;

static u32
rnd(u32 n)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (u32)(rng >> 33) % n;
}

static void
on_segv(int sig, siginfo_t *si, void *vuc)
{
	ucontext_t *uc = vuc;
	u64 to = gmem_fixup((u64)uc->uc_mcontext.gregs[REG_RIP]);

	(void)si;
	if (!to)
		signal(sig, SIG_DFL);
	else
		uc->uc_mcontext.gregs[REG_RIP] = (greg_t)to;
}

/* cmocka installs its own handlers around every test */
static void
catch_faults(void)
{
	struct sigaction sa = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &sa, 0);
	sigaction(SIGBUS, &sa, 0);
}

static const struct gspace space = {
	.end = 0x550000000000, .brk = 0x2000000000,
	.zone = {ZONE_LOW, {0x1000000000, 0x7f00000000}, {0x10000000000, 0x400000000000}},
};

static int
setup(void **state)
{
	(void)state;
	gmem_init(&space, 4096);
	rng = getenv("SEED") ? strtoull(getenv("SEED"), 0, 0) : (u64)time(0);
	printf("SEED=%llu\n", (unsigned long long)rng);
	return 0;
}

static void
wipe(void)
{
	gmem_unmap(AREA, NPAGES * PAGE);
}

static void
test_anonymous_goes_to_the_data_zone_and_back(void **state)
{
	s64 a = gmem_map(0, 10000, PROT_READ | PROT_WRITE, ANON, -1, 0, 0), b;
	char x = 42, y = 0;

	(void)state;
	catch_faults();
	assert_true(a >= 0x1000000000 && a < 0x7f00000000);
	assert_int_equal(gmem_prot((gaddr)a), GM_READ | GM_WRITE);
	assert_int_equal(gmem_prot((gaddr)a + 2 * PAGE), GM_READ | GM_WRITE);
	assert_int_equal(gmem_prot((gaddr)a - 1), 0);
	assert_int_equal(gmem_write((gaddr)a + 10, &x, 1), 0);
	assert_int_equal(gmem_read(&y, (gaddr)a + 10, 1), 0);
	assert_int_equal(y, 42);
	assert_int_equal(gmem_unmap((gaddr)a, 10000), 0);
	assert_int_equal(gmem_prot((gaddr)a), 0);
	assert_int_equal(gmem_read(&y, (gaddr)a + 10, 1), -EFAULT);
	b = gmem_map(0, 10000, PROT_READ, ANON, -1, 0, 0);
	assert_int_equal(a, b);
	gmem_unmap((gaddr)b, 10000);
}

static void
test_guest_exec_is_never_host_exec(void **state)
{
	s64 a = gmem_map(0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, ANON, -1, 0, 0);
	char line[256];
	int seen = 0;
	FILE *f = fopen("/proc/self/maps", "r");

	(void)state;
	assert_true(a > 0);
	assert_int_equal(gmem_prot((gaddr)a), 7);
	while (fgets(line, sizeof line, f)) {
		unsigned long lo, hi;
		char perm[5];

		if (sscanf(line, "%lx-%lx %4s", &lo, &hi, perm) == 3 && lo <= (gaddr)a && (gaddr)a < hi) {
			assert_string_equal(perm, "rw-p");
			seen = 1;
		}
	}
	fclose(f);
	assert_true(seen);
	gmem_unmap((gaddr)a, PAGE);
}

static int
elffile(char *name)
{
	Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB }, .e_type = ET_DYN };
	int fd;

	strcpy(name, "/tmp/test_gmem.XXXXXX");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, &h, sizeof h), sizeof h);
	assert_int_equal(ftruncate(fd, 3 * PAGE), 0);
	return fd;
}

static void
test_libraries_go_to_the_image_zone_at_a_stable_place(void **state)
{
	char name[64];
	int fd = elffile(name);
	s64 a = gmem_map(0, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0, name), b;
	struct vma v;
	struct stat st;

	(void)state;
	assert_true(a > 0x10000 && a < 0x7fff0000);
	assert_int_equal(gmem_find((gaddr)a + PAGE, &v), 0);
	assert_string_equal(v.path, name);
	fstat(fd, &st);
	assert_int_equal(v.ino, st.st_ino);
	b = gmem_map(0, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0, name);
	assert_true(b != a && b < 0x7fff0000);
	gmem_unmap((gaddr)a, 3 * PAGE);
	gmem_unmap((gaddr)b, 3 * PAGE);
	assert_int_equal(gmem_map(0, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0, name), a);
	/* a data file does not */
	assert_int_equal(pwrite(fd, "data", 4, 0), 4);
	b = gmem_map(0, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0, name);
	assert_true(b > 0x1000000000);
	/* an inaccessible reservation as of ld.so does */
	gmem_unmap((gaddr)a, 3 * PAGE);
	gmem_unmap((gaddr)b, 3 * PAGE);
	a = gmem_map(0, 0x20000, PROT_NONE, ANON, -1, 0, 0);
	assert_true(a < 0x7fff0000);
	assert_int_equal(gmem_map((gaddr)a, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0, name), a);
	gmem_unmap((gaddr)a, 0x20000);
	close(fd);
	unlink(name);
}

/* Another directory, device or inode, as in another container: the same name and size, the same place; so
 * too where ld.so reserves the span before it maps the file. */
static void
test_the_place_of_an_image_follows_from_its_name_and_size(void **state)
{
	char name[64], second[64], other[80];
	int fd = elffile(name), again;
	s64 a = gmem_map(0, 3 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0, name), b;

	(void)state;
	gmem_unmap((gaddr)a, 3 * PAGE);
	snprintf(other, sizeof other, "/elsewhere/%s", strrchr(name, '/') + 1);
	again = elffile(second);
	assert_int_equal(gmem_map(0, 3 * PAGE, PROT_READ, MAP_PRIVATE, again, 0, other), a);
	gmem_unmap((gaddr)a, 3 * PAGE);
	unlink(second);
	b = gmem_map(0, 3 * PAGE, PROT_READ, MAP_PRIVATE, again, 0, "/elsewhere/another");
	assert_int_not_equal(a, b);
	gmem_unmap((gaddr)b, 3 * PAGE);
	gmem_opened(fd, name, 0);
	assert_int_equal(gmem_map(0, 3 * PAGE, PROT_NONE, ANON | MAP_DENYWRITE, -1, 0, 0), a);
	gmem_unmap((gaddr)a, 3 * PAGE);
	gmem_opened(-1, "", 0);
	close(fd);
	close(again);
	unlink(name);
}

/* However it was opened, and whatever has become of that name since. */
static void
test_a_file_has_the_name_the_kernel_knows(void **state)
{
	char name[64], real[PATH_MAX], link[80], moved[PATH_MAX + 8], buf[PATH_MAX];
	int fd = elffile(name), other;

	(void)state;
	assert_non_null(realpath(name, real));
	snprintf(link, sizeof link, "%s.link", name);
	snprintf(moved, sizeof moved, "%s.moved", real);
	assert_int_equal(symlink(name, link), 0);
	for (int r = 0; r < 2; r++) {
		gmem_opened(fd, r ? real : link, r);
		assert_int_equal(gmem_filename(fd, buf, sizeof buf), 0);
		assert_string_equal(buf, real);
	}
	assert_int_equal(rename(name, moved), 0);
	assert_int_equal(gmem_filename(fd, buf, sizeof buf), 0);
	assert_string_equal(buf, moved);
	other = open(name, O_CREAT | O_RDWR, 0600);    /* another file has taken the name */
	assert_int_equal(gmem_filename(fd, buf, sizeof buf), 0);
	assert_string_equal(buf, moved);
	assert_int_equal(gmem_filename(other, buf, sizeof buf), 0);
	assert_string_equal(buf, real);
	assert_int_equal(gmem_filename(fd, buf, strlen(moved)), -1);
	assert_int_equal(gmem_filename(-1, buf, sizeof buf), -1);
	gmem_opened(-1, "", 0);
	close(fd);
	close(other);
	unlink(link);
	unlink(name);
	unlink(moved);
}

static void
test_file_offsets_survive_splitting(void **state)
{
	char name[64];
	int fd = elffile(name);
	struct vma v;

	(void)state;
	assert_int_equal(gmem_map(AREA, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0, name), AREA);
	gmem_unmap(AREA + PAGE, PAGE);
	assert_int_equal(gmem_find(AREA + 2 * PAGE, &v), 0);
	assert_int_equal(v.off, 2 * PAGE);
	assert_int_equal(gmem_find(AREA + PAGE, &v), -ENOENT);
	assert_int_equal(v.start, AREA + 2 * PAGE);
	gmem_map(AREA + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, PAGE, name);
	assert_int_equal(gmem_find(AREA, &v), 0);
	assert_int_equal(v.end, AREA + 3 * PAGE);
	wipe();
	close(fd);
	unlink(name);
}

static void
test_fixed_does_not_replace_the_hosts_own(void **state)
{
	gaddr own = 0x2f00000000;
	char *p = mmap((void *)own, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED_NOREPLACE, -1, 0);

	(void)state;
	assert_ptr_equal(p, (void *)own);
	*p = 7;
	assert_int_equal(gmem_map(own, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0, 0), -ENOMEM);
	assert_int_equal(gmem_map(own - PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0, 0), own - PAGE);
	assert_int_equal(gmem_map(own - PAGE, 2 * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0, 0), -ENOMEM);
	assert_int_equal(gmem_unmap(own - PAGE, 4 * PAGE), 0);
	assert_int_equal(*p, 7);
	assert_int_equal(gmem_map((gaddr)(u64)__builtin_frame_address(0) & ~4095ul, PAGE, PROT_READ,
				  ANON | MAP_FIXED, -1, 0, 0), -ENOMEM);
	munmap(p, PAGE);
}

static void
test_the_hosts_own_in_the_data_zone_is_stepped_over(void **state)
{
	s64 a = gmem_map(0, PAGE, PROT_READ, ANON, -1, 0, 0), b;
	void *p;

	(void)state;
	gmem_unmap((gaddr)a, PAGE);
	p = mmap((void *)a, PAGE, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_equal(p, (void *)a);
	b = gmem_map(0, PAGE, PROT_READ, ANON, -1, 0, 0);
	assert_true(b > 0 && b < a);
	gmem_unmap((gaddr)b, PAGE);
	munmap(p, PAGE);
}

static void
test_huge_reservations_find_room(void **state)
{
	s64 a = gmem_map(0, (u64)1 << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0, 0);
	s64 b = gmem_map(0, (u64)1 << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0, 0);

	(void)state;
	assert_true(a > 0 && b > 0 && a != b);
	assert_int_equal(gmem_unmap((gaddr)a, (u64)1 << 40), 0);
	assert_int_equal(gmem_unmap((gaddr)b, (u64)1 << 40), 0);
}

static void
test_brk(void **state)
{
	gaddr b0 = (gaddr)gmem_brk(0);
	struct vma v;

	(void)state;
	assert_int_equal(b0, gmem.brk0);
	assert_int_equal(gmem_brk(b0 + 100), b0 + 100);
	assert_int_equal(gmem_prot(b0), GM_READ | GM_WRITE);
	assert_int_equal(gmem_brk(b0 + 3 * PAGE), b0 + 3 * PAGE);
	assert_int_equal(gmem_find(b0, &v), 0);
	assert_true(v.end == b0 + 3 * PAGE && v.flags & GM_HEAP);
	assert_int_equal(gmem_brk(b0 - 1), b0 + 3 * PAGE);
	assert_int_equal(gmem_brk(b0 + 1), b0 + 1);
	assert_int_equal(gmem_prot(b0 + PAGE), 0);
	assert_int_equal(gmem_brk(b0), b0);
	assert_int_equal(gmem_prot(b0), 0);
}

static void
test_growing_stack_is_noticed(void **state)
{
	gaddr top = 0x3800000000;
	char c = 1;
	struct vma v;

	(void)state;
	catch_faults();
	assert_int_equal(gmem_map(top - PAGE, PAGE, PROT_READ | PROT_WRITE,
				  ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0, "[stack]"), top - PAGE);
	assert_int_equal(gmem_write(top - 20 * PAGE, &c, 1), 0);
	assert_int_equal(gmem_prot(top - 10 * PAGE + 17), GM_READ | GM_WRITE);
	assert_int_equal(gmem_find(top - 10 * PAGE, &v), 0);
	assert_int_equal(v.start, top - 20 * PAGE);
	assert_true(v.flags & GM_STACK);
	assert_int_equal(gmem_unmap(top - 20 * PAGE, 20 * PAGE), 0);
	assert_int_equal(gmem_prot(top - PAGE), 0);
}

static void
test_strlen_stops_at_a_hole(void **state)
{
	(void)state;
	catch_faults();
	gmem_map(AREA, PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0, 0);
	gmem_write(AREA + PAGE - 4, "abc", 4);
	assert_int_equal(gmem_strlen(AREA + PAGE - 4, 100), 3);
	assert_int_equal(gmem_strlen(AREA + PAGE - 4, 2), 2);
	gmem_write(AREA + PAGE - 4, "abcd", 4);
	assert_int_equal(gmem_strlen(AREA + PAGE - 4, 100), -EFAULT);
	assert_int_equal(gmem_strlen(0xffffffffffff0000, 100), -EFAULT);
	assert_int_equal(gmem_put2(AREA + PAGE - 16, 1, 2), 0);
	assert_true(ld64(g2h(AREA + PAGE - 16)) == 1 && ld64(g2h(AREA + PAGE - 8)) == 2);
	assert_int_equal(gmem_put2(AREA + PAGE - 8, 1, 2), -EFAULT);
	assert_int_equal(gmem_put2(0xffffffffffff0000, 1, 2), -EFAULT);
	wipe();
}

static void
test_copies_of_all_lengths(void **state)
{
	u8 in[2300], out[2302];

	(void)state;
	catch_faults();
	gmem_map(AREA, 2 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0, 0);
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (u8)rnd(256);
	for (size_t n = 0; n <= 2200; n++) {
		u32 at = rnd(64);

		memset(out, 0xee, sizeof out);
		assert_int_equal(gmem_write(AREA + at, in + at, n), 0);
		assert_int_equal(gmem_read(out + 1, AREA + at, n), 0);
		assert_memory_equal(out + 1, in + at, n);
		assert_int_equal(out[0], 0xee);
		assert_int_equal(out[n + 1], 0xee);
		if (n)
			assert_int_equal(gmem_write(AREA + 2 * PAGE - n + 1, in, n), -EFAULT);
	}
	wipe();
}

/* -- the code cache's watch -- */

static gaddr dropped;
static int unprotected;
static void on_drop(gaddr a, u64 len) { (void)len; dropped = a; }
static void on_unprotect(gaddr a, u64 len)
{
	unprotected++;
	gmem_guard(aligndown(a, PAGE), alignup(len, PAGE), 0);
}

static void
test_watch_hears_of_executable_changes_only(void **state)
{
	static const struct gmem_watch w = { .drop = on_drop, .unprotect = on_unprotect };
	char c = 1;

	(void)state;
	catch_faults();
	gmem_watch = &w;
	gmem_map(AREA, 4 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0, 0);
	dropped = 0;
	gmem_protect(AREA, PAGE, PROT_READ);
	assert_int_equal(dropped, 0);
	gmem_protect(AREA, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	assert_int_equal(dropped, 0);
	gmem_guard(AREA, PAGE, 1);
	assert_int_equal(gmem_write(AREA, &c, 1), 0);
	assert_int_equal(unprotected, 1);
	gmem_protect(AREA, 2 * PAGE, PROT_READ);
	assert_int_equal(dropped, AREA);
	assert_int_equal(gmem_write(AREA, &c, 1), -EFAULT);
	gmem_watch = 0;
	wipe();
}

/* -- the model -- */

static int model[NPAGES];              /* -1: unmapped; else protection */

static void
check_model(void)
{
	struct vma v;
	int lastend = -1, lastprot = -1;

	for (int i = 0; i < NPAGES; i++) {
		u8 c;

		assert_int_equal(gmem_prot(AREA + i * PAGE), model[i] < 0 ? 0 : model[i]);
		assert_int_equal(gmem_read(&c, AREA + i * PAGE, 1),
				 model[i] > 0 ? 0 : -EFAULT);
		assert_int_equal(gmem_find(AREA + i * PAGE, &v), model[i] < 0 ? -ENOENT : 0);
		if (model[i] < 0 || v.start != AREA + i * PAGE)
			continue;
		/* neighbours that could be merged are merged */
		assert_false(lastend == i && lastprot == model[i]);
		lastend = (int)((v.end - AREA) / PAGE);
		lastprot = model[i];
	}
}

static void
step_map(int at, int n)
{
	int prot = (int)rnd(8);

	assert_int_equal(gmem_map(AREA + at * PAGE, n * PAGE, prot, ANON | MAP_FIXED, -1, 0, 0), AREA + at * PAGE);
	for (int i = at; i < at + n; i++)
		model[i] = prot;
}

static void
step_protect(int at, int n)
{
	int prot = (int)rnd(8), whole = 1;
	s64 r = gmem_protect(AREA + at * PAGE, n * PAGE, prot);

	for (int i = at; i < at + n && whole; i++) {
		if (model[i] < 0)
			whole = 0;
		else
			model[i] = prot;
	}
	assert_int_equal(r, whole ? 0 : -ENOMEM);
}

static void
step_remap(int at, int n)
{
	int m = 1 + (int)rnd(8), to = (int)rnd(NPAGES - 8), prot = model[at];
	s64 r;

	for (int i = at; i < at + n; i++)
		if (model[i] != prot || prot < 0)
			return;
	if (to < at + n && at < to + m)
		return;
	r = gmem_remap(AREA + at * PAGE, n * PAGE, m * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AREA + to * PAGE);
	/* pages of equal protection may still be two mappings on the host (grown from two files of
	 * zeroes): then it refuses, and nothing but the target changes */
	assert_int_equal(r, AREA + to * PAGE);
	for (int i = at; i < at + n; i++)
		model[i] = -1;
	for (int i = to; i < to + m; i++)
		model[i] = prot;
}

static void
test_random_changes_match_a_model(void **state)
{
	(void)state;
	catch_faults();
	memset(model, -1, sizeof model);
	for (int k = 0; k < 4000; k++) {
		int at = (int)rnd(NPAGES - 9), n = 1 + (int)rnd(8);

		switch (rnd(4)) {
		case 0: step_map(at, n); break;
		case 1: step_protect(at, n); break;
		case 2:
			assert_int_equal(gmem_unmap(AREA + at * PAGE, n * PAGE), 0);
			for (int i = at; i < at + n; i++)
				model[i] = -1;
			break;
		case 3: step_remap(at, n); break;
		}
		if (k % 4 == 0)
			check_model();
	}
	wipe();
}

static void
test_remap_grows_in_place_or_moves(void **state)
{
	gaddr a = AREA;
	u8 c = 9, d = 0;
	s64 r;

	(void)state;
	catch_faults();
	gmem_map(a, 2 * PAGE, PROT_READ | PROT_WRITE, ANON | MAP_FIXED, -1, 0, 0);
	gmem_write(a, &c, 1);
	assert_int_equal(gmem_remap(a, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE, 0), a);
	assert_int_equal(gmem_prot(a + 2 * PAGE), 3);
	gmem_map(a + 3 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0, 0);
	assert_int_equal(gmem_remap(a, 3 * PAGE, 5 * PAGE, 0, 0), -ENOMEM);
	r = gmem_remap(a, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, 0);
	assert_true(r > 0 && (gaddr)r != a);
	assert_int_equal(gmem_prot(a), 0);
	assert_int_equal(gmem_prot((gaddr)r + 4 * PAGE), 3);
	gmem_read(&d, (gaddr)r, 1);
	assert_int_equal(d, 9);
	assert_int_equal(gmem_remap((gaddr)r, 5 * PAGE, PAGE, 0, 0), r);
	assert_int_equal(gmem_prot((gaddr)r + PAGE), 0);
	assert_int_equal(gmem_remap(a + 50 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0), -EFAULT);
	gmem_unmap((gaddr)r, PAGE);
	wipe();
}

static void
test_bad_arguments(void **state)
{
	(void)state;
	assert_int_equal(gmem_map(0, 0, PROT_READ, ANON, -1, 0, 0), -EINVAL);
	assert_int_equal(gmem_map(AREA + 1, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0, 0), -EINVAL);
	assert_int_equal(gmem_map(0, ~(u64)0, PROT_READ, ANON, -1, 0, 0), -ENOMEM);
	assert_int_equal(gmem_map(0, ~(u64)0 - 8191, PROT_READ, ANON, -1, 0, 0), -ENOMEM);
	assert_int_equal(gmem_map(0x550000000000, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0, 0), -ENOMEM);
	assert_int_equal(gmem_map(0, PAGE, PROT_READ, MAP_PRIVATE, 999, 0, 0), -EBADF);
	assert_int_equal(gmem_unmap(AREA + 1, PAGE), -EINVAL);
	assert_int_equal(gmem_unmap(0xffffffffffff0000, PAGE), -EINVAL);
	assert_int_equal(gmem_protect(AREA, PAGE, PROT_READ), -ENOMEM);
	assert_int_equal(gmem_advise(AREA, PAGE, MADV_DONTNEED), -ENOMEM);
	assert_int_equal(gmem_prot(~(gaddr)0), 0);
}

static void
test_works_under_an_address_space_limit(void **state)
{
	pid_t pid = fork();
	int st;

	(void)state;
	if (!pid) {
		struct rlimit l = { 1 << 28, 1 << 28 };

		setrlimit(RLIMIT_AS, &l);
		if (gmem_map(0, (u64)1 << 29, PROT_READ, ANON, -1, 0, 0) != -ENOMEM)
			_exit(1);
		if (gmem_map(0, 1 << 20, PROT_READ, ANON, -1, 0, 0) < 0)
			_exit(2);
		_exit(0);
	}
	waitpid(pid, &st, 0);
	assert_int_equal(st, 0);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(test_anonymous_goes_to_the_data_zone_and_back),
		cmocka_unit_test(test_guest_exec_is_never_host_exec),
		cmocka_unit_test(test_libraries_go_to_the_image_zone_at_a_stable_place),
		cmocka_unit_test(test_the_place_of_an_image_follows_from_its_name_and_size),
		cmocka_unit_test(test_a_file_has_the_name_the_kernel_knows),
		cmocka_unit_test(test_file_offsets_survive_splitting),
		cmocka_unit_test(test_fixed_does_not_replace_the_hosts_own),
		cmocka_unit_test(test_the_hosts_own_in_the_data_zone_is_stepped_over),
		cmocka_unit_test(test_huge_reservations_find_room),
		cmocka_unit_test(test_brk),
		cmocka_unit_test(test_growing_stack_is_noticed),
		cmocka_unit_test(test_strlen_stops_at_a_hole),
		cmocka_unit_test(test_copies_of_all_lengths),
		cmocka_unit_test(test_watch_hears_of_executable_changes_only),
		cmocka_unit_test(test_random_changes_match_a_model),
		cmocka_unit_test(test_remap_grows_in_place_or_moves),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_works_under_an_address_space_limit),
	};
	return cmocka_run_group_tests(t, setup, 0);
}
