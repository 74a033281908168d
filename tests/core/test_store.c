/* SPDX-License-Identifier: MIT */
/* test_store.c - names, replaces, bounds and mistrusts cache files */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/store_own.h"

static char base[32], dir[128];

static void
path(char *out, const char *name)
{
	snprintf(out, 256, "%s/%s", dir, name);
}

static void
closeall(void)
{
	if (store.own >= 0)
		close(store.own);
	if (store.identities >= 0)
		close(store.identities);
	while (store.nro)
		close(store.rofd[--store.nro]);
	store.own = store.identities = -1;
	strcpy(store.dir, "off");
}

static void
open_(const char *own, const char *readonly, u64 limit)
{
	closeall();
	store_init(&(struct store_options){ .dir = own, .readonly = readonly, .limit = limit });
}

static int
setup(void **state)
{
	(void)state;
	strcpy(base, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(base));
	snprintf(dir, sizeof dir, "%s/a/b", base);
	open_(dir, 0, 0);
	return 0;
}

static int
teardown(void **state)
{
	char cmd[128];

	(void)state;
	closeall();
	snprintf(cmd, sizeof cmd, "chmod -R u+w %s; rm -rf %s", base, base);
	return system(cmd);
}

static struct store_key
key(int n)
{
	struct store_key k;

	memset(&k, 0, sizeof k);
	k.delta = (u64)n;
	return k;
}

static int
write_(int n, const char *text, size_t size)
{
	struct store_key k = key(n);
	struct store_file f;
	int r = store_begin(&k, &f);

	if (r)
		return r;
	assert_int_equal(write(f.fd, text, strlen(text)), strlen(text));
	if (size)
		assert_int_equal(ftruncate(f.fd, (off_t)size), 0);
	return store_commit(&f);
}

static int
holds(int n, const char *text)
{
	struct store_key k = key(n);
	char buf[64] = "";
	int fd = store_open(&k), same;

	if (fd < 0)
		return 0;
	same = read(fd, buf, sizeof buf - 1) >= 0 && !strcmp(buf, text);
	close(fd);
	return same;
}

static void
test_what_is_committed_is_found_and_replaced(void **state)
{
	struct store_key k = key(1);
	struct stat st;

	(void)state;
	assert_true(store_on() && store_writable());
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(store_open(&k), -ENOENT);
	assert_int_equal(write_(1, "one", 0), 0);
	assert_int_equal(write_(2, "two", 0), 0);
	assert_true(holds(1, "one") && holds(2, "two"));
	assert_int_equal(write_(1, "uno", 0), 0);
	assert_true(holds(1, "uno"));
	store_bad(&k);
	assert_int_equal(store_open(&k), -ENOENT);
	assert_true(holds(2, "two"));
}

static void
test_what_is_aborted_leaves_nothing(void **state)
{
	struct store_key k = key(3);
	struct store_file f;
	struct stat st;
	char p[256];

	(void)state;
	assert_int_equal(store_begin(&k, &f), 0);
	path(p, f.temp);
	assert_int_equal(stat(p, &st), 0);
	store_abort(&f);
	assert_int_equal(stat(p, &st), -1);
	assert_int_equal(store_open(&k), -ENOENT);
}

static void
test_one_writer_a_key(void **state)
{
	struct store_key k = key(4), other = key(5);
	struct store_file f, g;

	(void)state;
	assert_int_equal(store_begin(&k, &f), 0);
	assert_int_equal(store_begin(&k, &g), -EBUSY);
	assert_int_equal(store_begin(&other, &g), 0);
	store_abort(&g);
	store_abort(&f);
	assert_int_equal(store_begin(&k, &f), 0);
	store_abort(&f);
}

static void
test_a_killed_writer_leaves_no_lock_and_its_rest_is_swept(void **state)
{
	struct store_key k = key(6);
	struct store_file f;
	struct store_usage u;
	struct timespec old[2] = { { .tv_sec = time(0) - 7200 }, { .tv_sec = time(0) - 7200 } };
	struct stat st;
	char p[256];
	int fd[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	child = fork();
	if (!child) {
		store_begin(&k, &f);
		if (write(fd[1], f.temp, sizeof f.temp) > 0)
			pause();
		_exit(1);
	}
	assert_int_equal(read(fd[0], f.temp, sizeof f.temp), sizeof f.temp);
	assert_int_equal(store_begin(&k, &(struct store_file){ 0 }), -EBUSY);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	path(p, f.temp);
	assert_int_equal(store_begin(&k, &f), 0);
	store_abort(&f);
	assert_int_equal(store_prune(~(u64)0, &u), 0);
	assert_int_equal(stat(p, &st), 0);             /* its writer might be at work */
	assert_int_equal(utimensat(AT_FDCWD, p, old, 0), 0);
	assert_int_equal(store_prune(~(u64)0, &u), 0);
	assert_int_equal(stat(p, &st), -1);
	close(fd[0]);
	close(fd[1]);
}

static void
age(int n, int hours)
{
	struct timespec t[2] = { { .tv_sec = time(0) - 3600 * hours }, { .tv_sec = time(0) - 3600 * hours } };
	struct store_key k = key(n);
	int fd = store_open(&k);

	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, t), 0);
	close(fd);
}

static void
test_the_least_recently_used_go_first(void **state)
{
	struct store_usage u;

	(void)state;
	assert_int_equal(store_clear(&u), 0);
	assert_int_equal(u.files, 0);
	open_(dir, 0, 100000);
	for (int i = 0; i < 9; i++) {
		assert_int_equal(write_(i, "x", 10000), 0);
		age(i, 20 - i);
	}
	assert_true(holds(0, "x"));                    /* used: the youngest now */
	assert_int_equal(write_(9, "x", 20000), 0);    /* 110,000: down to 87,500 */
	assert_true(holds(0, "x") && holds(9, "x") && holds(8, "x") && holds(4, "x"));
	assert_false(holds(1, "x") || holds(2, "x") || holds(3, "x"));
	assert_int_equal(store_prune(~(u64)0, &u), 0);
	assert_int_equal(u.files, 7);
	assert_int_equal(u.bytes, 80000);
	age(9, 1);
	assert_int_equal(store_prune(15000, &u), 0);
	assert_true(u.bytes <= 15000 && u.files == 1);
}

static void
test_a_broken_estimate_is_counted_anew(void **state)
{
	struct store_usage u;
	char p[256];
	int fd;

	(void)state;
	store_clear(&u);
	open_(dir, 0, 30000);
	write_(1, "x", 10000);
	age(1, 5);
	write_(2, "x", 10000);
	age(2, 4);
	path(p, "usage");
	fd = open(p, O_WRONLY);
	assert_int_equal(pwrite(fd, "12345678", 8, 0), 8);
	close(fd);
	write_(3, "x", 20000);
	assert_false(holds(1, "x") || holds(2, "x"));
	assert_true(holds(3, "x"));
}

/* -- trust -- */

static void
test_what_others_may_write_is_not_opened(void **state)
{
	struct store_key k = key(7);
	char p[256], target[256], cmd[600];
	struct store_file f;

	(void)state;
	open_(dir, 0, 0);
	assert_int_equal(store_begin(&k, &f), 0);
	path(p, f.name);
	assert_int_equal(store_commit(&f), 0);
	assert_int_equal(chmod(p, 0620), 0);
	assert_int_equal(store_open(&k), -ENOENT);
	assert_int_equal(chmod(p, 0602), 0);
	assert_int_equal(store_open(&k), -ENOENT);
	assert_int_equal(chmod(p, 0600), 0);
	assert_true(holds(7, ""));
	path(target, "target");
	assert_int_equal(rename(p, target), 0);
	assert_int_equal(symlink("target", p), 0);
	assert_int_equal(store_open(&k), -ENOENT);
	assert_int_equal(unlink(p), 0);
	assert_int_equal(mkfifo(p, 0600), 0);          /* and does not wait for a writer */
	assert_int_equal(store_open(&k), -ENOENT);
	snprintf(cmd, sizeof cmd, "rm %s %s", p, target);
	assert_int_equal(system(cmd), 0);
}

static void
test_directories_that_others_may_change_are_off(void **state)
{
	char parent[128];

	(void)state;
	snprintf(parent, sizeof parent, "%s/a", base);
	assert_int_equal(chmod(parent, 0770), 0);
	open_(dir, 0, 0);
	assert_false(store_on());
	assert_string_equal(store_dir(), "off");
	assert_int_equal(chmod(parent, 01777), 0);     /* as /tmp */
	open_(dir, 0, 0);
	assert_true(store_on());
	assert_int_equal(chmod(parent, 0755) | chmod(dir, 0707), 0);
	open_(dir, 0, 0);
	assert_false(store_on());
	assert_int_equal(chmod(dir, 0700), 0);
	open_(dir, 0, 0);
	assert_true(store_on());
	open_("relative", 0, 0);
	assert_false(store_on());
	open_("off", 0, 0);
	assert_false(store_on());
}

static void
test_links_of_ones_own_are_followed(void **state)
{
	char link[128], to[256];

	(void)state;
	snprintf(link, sizeof link, "%s/link", base);
	assert_int_equal(symlink("a", link), 0);
	snprintf(to, sizeof to, "%s/b", link);
	open_(to, 0, 0);
	assert_true(store_on());
	if (geteuid())
		return;
	assert_int_equal(lchown(link, 12345, 12345), 0);
	open_(to, 0, 0);
	assert_false(store_on());
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("link", link), 0);    /* without end */
	open_(to, 0, 0);
	assert_false(store_on());
}

static void
test_foreign_files_are_not_opened(void **state)
{
	struct store_key k = key(8);
	struct store_file f;
	char p[256];

	(void)state;
	if (geteuid()) {
		print_message("SKIP: needs root\n");
		return;
	}
	open_(dir, 0, 0);
	assert_int_equal(store_begin(&k, &f), 0);
	path(p, f.name);
	assert_int_equal(store_commit(&f), 0);
	assert_int_equal(chown(p, 12345, 12345), 0);
	assert_int_equal(store_open(&k), -ENOENT);
	assert_int_equal(chown(dir, 12345, 12345), 0);
	open_(dir, 0, 0);
	assert_false(store_on());
	assert_int_equal(chown(dir, 0, 0) | chown(p, 0, 0), 0);
	open_(dir, 0, 0);
	assert_true(holds(8, ""));
}

static void
test_read_only_stores_come_second_and_are_never_written(void **state)
{
	char ro[128], list[300];
	struct store_key k = key(20);

	(void)state;
	snprintf(ro, sizeof ro, "%s/ro", base);
	open_(ro, 0, 0);
	write_(20, "shipped", 0);
	snprintf(list, sizeof list, "/nonexistent:%s", ro);
	open_(dir, list, 0);
	assert_true(holds(20, "shipped"));
	store_bad(&k);
	assert_true(holds(20, "shipped"));
	write_(20, "own", 0);
	assert_true(holds(20, "own"));
	open_("off", list, 0);
	assert_true(store_on() && !store_writable());
	assert_true(holds(20, "shipped"));
	assert_int_equal(write_(20, "x", 0), -ENOENT);
}

static void
test_another_users_privileges_turn_all_off(void **state)
{
	(void)state;
	closeall();
	store_init(&(struct store_options){ .dir = dir, .readonly = dir, .secure = 1 });
	assert_false(store_on());
	assert_string_equal(store_dir(), "off");
}

static void
test_only_found_directories_for_children(void **state)
{
	char name[128];
	struct stat st;

	(void)state;
	closeall();
	snprintf(name, sizeof name, "%s/none", base);
	store_init(&(struct store_options){ .dir = name, .found = 1 });
	assert_false(store_on());
	assert_int_equal(stat(name, &st), -1);
}

static void
test_a_limit_of_the_guest_is_no_signal(void **state)
{
	struct rlimit l, none;

	(void)state;
	open_(dir, 0, 0);
	getrlimit(RLIMIT_FSIZE, &none);
	l = none;
	l.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
	assert_int_equal(write_(21, "text", 0), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(write_(21, "text", 0), 0);
}

/* -- identities -- */

static int
put(const char *name, const char *text, int secondsago)
{
	struct timespec t[2] = { { .tv_sec = time(0) - secondsago }, { .tv_sec = time(0) - secondsago } };
	char p[256];
	int fd;

	path(p, name);
	fd = open(p, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, t), 0);
	return fd;
}

static int
same(const struct store_id *a, const struct store_id *b)
{
	return !memcmp(a, b, sizeof *a);
}

static void
test_identity_is_the_content(void **state)
{
	static const u8 abc[] = { 0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72 };    /* b2sum -l 256 */
	struct store_id a, b, c;
	int x = put("x", "abc", 100), y = put("y", "abc", 50), z = put("z", "abd", 100);

	(void)state;
	assert_int_equal(store_identify(x, &a) | store_identify(y, &b) | store_identify(z, &c), 0);
	assert_memory_equal(a.byte, abc, sizeof abc);
	assert_true(same(&a, &b) && !same(&a, &c));
	assert_int_equal(pwrite(x, "abe", 3, 0), 3);   /* at once, the same size */
	assert_int_equal(store_identify(x, &b), 0);
	assert_false(same(&a, &b));
	assert_int_equal(pwrite(x, "abc", 3, 0), 3);
	assert_int_equal(store_identify(x, &b), 0);
	assert_true(same(&a, &b));
	assert_int_equal(store_identify(store.own, &b), -EINVAL);
	close(x);
	close(y);
	close(z);
}

/* A process of its own knows only what the table tells. */
static void
elsewhere(int fd, struct store_id *id)
{
	int p[2], status;

	assert_int_equal(pipe(p), 0);
	if (!fork()) {
		store_forget();
		_exit(store_identify(fd, id) || write(p[1], id, sizeof *id) != sizeof *id);
	}
	assert_int_equal(read(p[0], id, sizeof *id), sizeof *id);
	wait(&status);
	assert_int_equal(status, 0);
	close(p[0]);
	close(p[1]);
}

static void
test_identities_are_remembered_once_the_clock_has_moved_on(void **state)
{
	struct store_id a, b;
	struct stat st;
	char p[256], flip;
	int fd = put("old", "remember me", 100), table;

	(void)state;
	path(p, "identities");
	elsewhere(fd, &a);
	assert_int_equal(stat(p, &st), 0);
	assert_int_equal(st.st_size, 0);               /* its ctime is now */
	sleep(3);
	elsewhere(fd, &a);
	assert_int_equal(stat(p, &st), 0);
	assert_true(st.st_size >= 96);
	/* believed while whole, computed anew when not */
	table = open(p, O_RDWR);
	for (off_t at = st.st_size - 96; at < st.st_size; at += 5) {
		assert_int_equal(pread(table, &flip, 1, at), 1);
		flip ^= 4;
		assert_int_equal(pwrite(table, &flip, 1, at), 1);
		elsewhere(fd, &b);
		assert_true(same(&a, &b));
	}
	close(table);
	close(fd);
}

static void
test_a_cache_file_is_known_until_it_changes(void **state)
{
	const u64 sum[2] = {1, 2}, other[2] = {1, 3};
	const struct timespec t[2] = {{1000000000, 0}, {1000000000, 0}};
	int fd = put("sound", "image", 100);
	struct stat st, after;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(store_known(&st, sum), -1);   /* its ctime is now */
	sleep(3);
	assert_int_equal(store_known(&st, sum), 0);
	store_learn(fd, &st, sum);
	assert_int_equal(store_known(&st, sum), 1);
	assert_int_equal(store_known(&st, other), 0);
	assert_int_equal(pwrite(fd, "imagf", 5, 0), 5);
	assert_int_equal(futimens(fd, t), 0);          /* who hides it from mtime does not from ctime */
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(store_known(&after, sum), -1);
	store_learn(fd, &st, sum);                     /* not what was read */
	assert_int_equal(store_known(&after, sum), -1);
	close(fd);
}

static void
called(void *arg, const struct store_id *id, const char *path)
{
	struct { struct store_id id; int n; } *want = arg;

	want->n += same(id, &want->id) && !strcmp(strrchr(path, '/'), "/old");
}

static void
test_contents_have_names(void **state)
{
	struct { struct store_id id; int n; } want = { .n = 0 };
	char p[256];
	int fd;

	(void)state;
	path(p, "old");
	fd = open(p, O_RDONLY);
	assert_int_equal(store_identify(fd, &want.id), 0);
	store_names(called, &want);
	assert_true(want.n >= 1);
	close(fd);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
test_remembered_identities_are_cheap(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct store_id id;
	double best = 1e9, first;

	(void)state;
	store_identify(fd, &id);
	for (int i = 0; i < 50; i++) {
		store_forget();
		first = now();
		store_identify(fd, &id);
		first = now() - first;
		best = first < best ? first : best;
	}
	print_message("an identity from the table: %.2f us\n", best);
	assert_true(best < 50);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_committed_is_found_and_replaced),
		cmocka_unit_test(test_what_is_aborted_leaves_nothing),
		cmocka_unit_test(test_one_writer_a_key),
		cmocka_unit_test(test_a_killed_writer_leaves_no_lock_and_its_rest_is_swept),
		cmocka_unit_test(test_the_least_recently_used_go_first),
		cmocka_unit_test(test_a_broken_estimate_is_counted_anew),
		cmocka_unit_test(test_what_others_may_write_is_not_opened),
		cmocka_unit_test(test_directories_that_others_may_change_are_off),
		cmocka_unit_test(test_links_of_ones_own_are_followed),
		cmocka_unit_test(test_foreign_files_are_not_opened),
		cmocka_unit_test(test_read_only_stores_come_second_and_are_never_written),
		cmocka_unit_test(test_another_users_privileges_turn_all_off),
		cmocka_unit_test(test_only_found_directories_for_children),
		cmocka_unit_test(test_a_limit_of_the_guest_is_no_signal),
		cmocka_unit_test(test_identity_is_the_content),
		cmocka_unit_test(test_identities_are_remembered_once_the_clock_has_moved_on),
		cmocka_unit_test(test_a_cache_file_is_known_until_it_changes),
		cmocka_unit_test(test_contents_have_names),
		cmocka_unit_test(test_remembered_identities_are_cheap),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
