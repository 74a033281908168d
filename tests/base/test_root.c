/* SPDX-License-Identifier: MIT */
/* test_root.c - names below a directory taken for the root */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/root.h"

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_root.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("lib", 0755) | mkdir("usr", 0755), 0);
	assert_int_equal(symlink("/lib", "usr/lib") | symlink("../lib/f", "lib/up") | symlink("loop", "loop"), 0);
	assert_int_equal(symlink("../../../../lib/f", "far") | symlink("/absent", "dangling"), 0);
	close(open("lib/f", O_CREAT | O_WRONLY, 0644));
	return 0;
}

static int
teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return chdir("/") | system(cmd);
}

static void
test_tidy_names(void **state)
{
	static const char *const tidy[] = {"/", "", "a", "/a", "/a/b", "a/.b", "/a..", "/..a/b.", "a/..."};
	static const char *const not[] = {"//", "/a/", "a//b", ".", "..", "/.", "/..", "/a/./b", "a/../b", "a/..", "//a"};

	(void)state;
	for (size_t i = 0; i < sizeof tidy / sizeof *tidy; i++)
		assert_true(root_tidy(tidy[i]));
	for (size_t i = 0; i < sizeof not / sizeof *not; i++)
		assert_false(root_tidy(not[i]));
}

static void
test_a_file_opened_by_its_real_name(void **state)
{
	static const struct { const char *name; int real; } c[] = {
		{"/lib/f", 1}, {"/usr/../lib/f", 0}, {"//lib/f", 0}, {"/lib/up", 0}, {"/lib/none", -1},
	};
	char path[ROOT_PATH];
	int real, fd;

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		snprintf(path, sizeof path, "%s%s", dir, c[i].name);
		fd = root_open(path, &real);
		assert_int_equal(fd >= 0, c[i].real >= 0);
		assert_int_equal(real, c[i].real > 0);
		if (fd >= 0)
			close(fd);
	}
	fd = root_open("lib/f", &real);        /* from where we are */
	assert_true(fd >= 0 && !real);
	close(fd);
}

static void
leads(const char *name, int last, const char *to)
{
	char out[ROOT_PATH], want[ROOT_PATH];

	snprintf(want, sizeof want, "%s%s", dir, to);
	assert_int_equal(root_walk(dir, name, last, out), 0);
	assert_string_equal(out, want);
}

static void
test_links_stay_inside(void **state)
{
	(void)state;
	leads("/usr/lib/../lib/./up", 1, "/lib/f");
	leads("/../../lib/up", 1, "/lib/f");
	leads("/far", 1, "/lib/f");
	leads("/", 1, "");
	leads("/./lib//f", 1, "/lib/f");
}

static void
test_the_last_link_is_kept_on_request(void **state)
{
	(void)state;
	leads("/usr/lib/up", 0, "/lib/up");
	leads("/dangling", 0, "/dangling");
	leads("/usr/lib", 0, "/usr/lib");
	leads("/usr/lib/", 0, "/lib");
}

static void
test_errors(void **state)
{
	static char deep[2 * ROOT_PATH], out[ROOT_PATH];

	(void)state;
	assert_int_equal(root_walk(dir, "/loop", 1, out), -ELOOP);
	assert_int_equal(root_walk(dir, "/dangling", 1, out), -ENOENT);
	assert_int_equal(root_walk(dir, "/lib/f/x", 1, out), -ENOTDIR);
	memset(deep, 'x', 300);
	assert_int_equal(root_walk(dir, deep, 1, out), -ENAMETOOLONG);
	memset(deep, '/', sizeof deep - 1);
	assert_int_equal(root_walk(dir, deep, 1, out), -ENAMETOOLONG);
}

/* A prefix that is itself a link is not resolved against itself. */
static void
test_prefix_may_be_a_link(void **state)
{
	char link[80], out[ROOT_PATH];

	(void)state;
	snprintf(link, sizeof link, "%s.link", dir);
	assert_int_equal(symlink(dir, link), 0);
	assert_int_equal(root_walk(link, "/./lib/f", 1, out), 0);
	assert_string_equal(out + strlen(link), "/lib/f");
	unlink(link);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(test_tidy_names),
		cmocka_unit_test(test_a_file_opened_by_its_real_name),
		cmocka_unit_test(test_links_stay_inside),
		cmocka_unit_test(test_the_last_link_is_kept_on_request),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_prefix_may_be_a_link),
	};
	return cmocka_run_group_tests(t, setup, teardown);
}
