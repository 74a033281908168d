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

	if (r) {
		store_done();
		return r;
	}
	assert_int_equal(write(f.fd, text, strlen(text)), strlen(text));
	if (size)
		assert_int_equal(ftruncate(f.fd, (off_t)size), 0);
	r = store_commit(&f);
	store_done();
	return r;
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

/* What another process that begins to write is told. */
static int
others(int n)
{
	struct store_key k = key(n);
	struct store_file f;
	int status;

	store_done();                  /* the child shall not have our locks */
	if (!fork()) {
		int r = store_begin(&k, &f);

		if (!r)
			store_abort(&f);
		_exit(-r);
	}
	wait(&status);
	return -WEXITSTATUS(status);
}

static void
test_one_writer_a_key(void **state)
{
	struct store_key k = key(4);
	struct store_file f, g;
	int go[2], told[2], status;
	char c;

	(void)state;
	store_done();
	assert_int_equal(pipe(go) | pipe(told), 0);
	if (!fork()) {
		int r = store_begin(&k, &f);

		close(go[1]);

		if (!r)
			store_abort(&f);       /* until it is done, all the same */
		if (write(told[1], &r, 1) != 1 || read(go[0], &c, 1) != 1)
			_exit(1);
		store_done();
		if (write(told[1], &r, 1) != 1 || read(go[0], &c, 1) != 1)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(told[0], &c, 1), 1);
	assert_int_equal(store_begin(&k, &g), -EBUSY);
	assert_int_equal(others(4), -EBUSY);
	assert_int_equal(others(5), 0);
	assert_int_equal(write(go[1], &c, 1), 1);
	assert_int_equal(read(told[0], &c, 1), 1);
	assert_int_equal(others(4), 0);
	assert_int_equal(write(go[1], &c, 1), 1);
	wait(&status);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(told[i]);
	}
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
	store_done();
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
	store_done();
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

static struct store_id
identity(int fd)
{
	struct store_id id;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	store_forget();
	assert_int_equal(store_identify(fd, &st, &id), 0);
	return id;
}

static void
test_what_a_file_is_found_by(void **state)
{
	char text[20000];
	struct store_id a, b;
	struct stat st;
	int x, y;

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = 0;
	x = put("x", text, 100);
	y = put("y", text, 50);
	a = identity(x);
	b = identity(y);
	assert_true(same(&a, &b));
	for (int at = 0; at < 19999; at += 101) {      /* its ends, not what is between them */
		assert_int_equal(pwrite(y, "y", 1, at), 1);
		b = identity(y);
		assert_int_equal(same(&a, &b), at >= 4096 && at < 19999 - 4096);
		assert_int_equal(pwrite(y, "x", 1, at), 1);
	}
	for (int size = 0; size < 19999; size += 1000) {
		assert_int_equal(ftruncate(y, size), 0);
		b = identity(y);
		assert_false(same(&a, &b));
	}
	assert_int_equal(fstat(store.own, &st), 0);
	assert_int_equal(store_identify(store.own, &st, &b), -EINVAL);
	close(x);
	close(y);
}

/* What is known, as a process finds that has just begun. */
static int
known(int file, int image, u8 pages, u64 headsum)
{
	struct store_key k = key(30);
	struct store_id p = {{pages}};
	struct stat a, b;

	assert_int_equal(fstat(file, &a) | fstat(image, &b), 0);
	store_forget();
	k.file = identity(file);
	return store_known(&a, &k, &(struct store_found){&p, &b, headsum});
}

static void
learn(int file, int image, u8 pages, u64 headsum)
{
	struct store_key k = key(30);
	struct store_id p = {{pages}};
	struct stat a, b;

	assert_int_equal(fstat(file, &a), 0);
	if (image >= 0)
		assert_int_equal(fstat(image, &b), 0);
	k.file = identity(file);
	store_learn(&a, &k, &(struct store_found){&p, image < 0 ? 0 : &b, headsum});
	store_done();
}

static void
test_what_is_known_of_files_until_they_change(void **state)
{
	const struct timespec t[2] = {{1000000000, 0}, {1000000000, 0}};
	int file = put("guest", "program", 100), image = put("image", "code", 100), other = put("copy", "code", 100);

	(void)state;
	learn(file, image, 1, 7);
	assert_int_equal(known(file, image, 1, 7), 0); /* their ctime is now */
	sleep(3);
	assert_int_equal(known(file, image, 1, 7), 0);
	learn(file, -1, 1, 7);                         /* the cache file is yet to come */
	assert_int_equal(known(file, image, 1, 7), KNOWN_GRAINS);
	learn(file, image, 1, 7);
	assert_int_equal(known(file, image, 1, 7), KNOWN_GRAINS | KNOWN_SOUND);
	assert_int_equal(known(file, image, 2, 7), KNOWN_SOUND);
	assert_int_equal(known(file, image, 1, 8), KNOWN_GRAINS);
	assert_int_equal(known(file, other, 1, 7), KNOWN_GRAINS);
	assert_int_equal(known(other, image, 1, 7), 0);
	assert_int_equal(pwrite(image, "c0de", 4, 0), 4);
	assert_int_equal(futimens(image, t), 0);       /* who hides it from mtime does not from ctime */
	assert_int_equal(known(file, image, 1, 7), KNOWN_GRAINS);
	learn(file, image, 1, 7);                      /* too young to be remembered as sound */
	assert_int_equal(known(file, image, 1, 7), KNOWN_GRAINS);
	assert_int_equal(pwrite(file, "pr0gram", 7, 0), 7);
	assert_int_equal(futimens(file, t), 0);
	assert_int_equal(known(file, image, 1, 7), 0);
	learn(file, image, 1, 7);
	assert_int_equal(known(file, image, 1, 7), 0);
	close(file);
	close(image);
	close(other);
}

static void
test_a_broken_record_is_nobodys(void **state)
{
	int file = put("old", "remember me", 100), image = put("image", "code", 100), table, found = 0;
	struct store_id a, b;
	struct stat st;
	char p[256], flip;

	(void)state;
	path(p, "identities");
	a = identity(file);
	sleep(3);
	learn(file, image, 1, 7);
	assert_int_equal(stat(p, &st), 0);
	table = open(p, O_RDWR);
	for (off_t at = 0; at < st.st_size; at += 5) {
		assert_int_equal(pread(table, &flip, 1, at), 1);
		flip ^= 4;
		assert_int_equal(pwrite(table, &flip, 1, at), 1);
		b = identity(file);
		assert_true(same(&a, &b));
		found += !known(file, image, 1, 7);
		flip ^= 4;
		assert_int_equal(pwrite(table, &flip, 1, at), 1);
	}
	assert_int_equal(found, 40);                   /* every fifth byte of a record */
	assert_int_equal(known(file, image, 1, 7), KNOWN_GRAINS | KNOWN_SOUND);
	close(table);
	close(file);
	close(image);
}

static void
test_a_file_is_met_in_a_state(void **state)
{
	int file = put("young", "just written", 100), image = put("image", "code", 100);
	struct store_key k = key(31), other = key(32);
	struct stat st;

	(void)state;
	assert_int_equal(fstat(file, &st), 0);
	k.file = identity(file);
	assert_false(store_met(&st, &k));
	store_meet(&st, &k);
	store_done();
	store_forget();
	assert_true(store_met(&st, &k));
	assert_false(store_met(&st, &other));
	assert_int_equal(known(file, image, 0, 0), 0);
	assert_false(store_wanted(&st, &k, 7));
	store_want(&st, &k, 7);
	store_done();
	store_forget();
	assert_true(store_wanted(&st, &k, 7));
	assert_false(store_wanted(&st, &k, 8));
	assert_false(store_wanted(&st, &other, 7));
	assert_true(store_met(&st, &k));
	assert_int_equal(known(file, image, 0, 0), 0);
	assert_int_equal(pwrite(file, "m", 1, 0), 1);
	assert_int_equal(fstat(file, &st), 0);
	assert_false(store_met(&st, &k));
	assert_false(store_wanted(&st, &k, 7));
	close(file);
	close(image);
}

/* More keys than there are places for: none is forgotten each time. */
static void
test_keys_take_turns_at_being_forgotten(void **state)
{
	enum { KEYS = 9, ROUNDS = 300 };
	int file = put("shared", "used by many versions", 100), met[KEYS] = {0};
	struct stat st;

	(void)state;
	assert_int_equal(fstat(file, &st), 0);
	for (int n = 0; n < ROUNDS * KEYS; n++) {
		struct store_key k = key(100 + n % KEYS);

		k.file = identity(file);
		store_forget();
		met[n % KEYS] += store_met(&st, &k);
		store_meet(&st, &k);
		store_done();
	}
	for (int n = 0; n < KEYS; n++)
		assert_true(met[n] > 0);
	close(file);
}

static void
test_what_has_run_is_joined(void **state)
{
	u64 a[STORE_RAN] = {0}, b[STORE_RAN] = {0}, full[STORE_RAN];

	(void)state;
	assert_true(store_ran(3, b) < 0);
	a[0] = 1, a[STORE_RAN - 1] = 2;
	store_addran(3, 1, a);
	a[0] = 4, a[STORE_RAN - 1] = 0;
	store_addran(3, 1, a);
	store_done();
	assert_int_equal(store_ran(3, b), 0);
	assert_int_equal(b[0], 5);
	assert_int_equal(b[STORE_RAN - 1], 2);
	store_ran(2, b);
	assert_int_equal(b[0] | b[STORE_RAN - 1], 0);
	/* when all has run, nobody knows what */
	memset(full, 0xff, sizeof full);
	store_addran(3, 1, full);
	store_addran(3, 1, a);
	store_done();
	assert_int_equal(store_ran(3, b), 0);
	assert_memory_equal(a, b, sizeof a);
	assert_int_equal(store_clear(0), 0);
	assert_true(store_ran(3, b) < 0);
	assert_int_equal(b[0], 0);
}

static void
test_many_pages_of_what_has_run_are_joined(void **state)
{
	enum { FROM = 5, N = 40 };
	static u64 a[N * STORE_RAN], b[STORE_RAN];

	(void)state;
	for (u32 i = 0; i < N; i++)
		a[i * STORE_RAN + i] = 1 + i;
	store_addran(FROM + N - 1, 1, a);
	store_addran(FROM, N, a);
	store_done();
	for (u32 i = 0; i < N; i++) {
		assert_int_equal(store_ran(FROM + i, b), 0);
		assert_int_equal(b[i], 1 + i);
		assert_int_equal(b[0], i == 0 || i == N - 1);
	}
	store_ran(FROM - 1, b);
	assert_int_equal(b[0], 0);
	store_ran(FROM + N, b);
	assert_int_equal(b[0], 0);
	assert_int_equal(store_clear(0), 0);
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
	struct stat st;
	double best = 1e9, first;

	(void)state;
	fstat(fd, &st);
	learn(fd, -1, 1, 7);
	for (int i = 0; i < 50; i++) {
		store_forget();
		first = now();
		store_identify(fd, &st, &id);
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
		cmocka_unit_test(test_what_a_file_is_found_by),
		cmocka_unit_test(test_what_is_known_of_files_until_they_change),
		cmocka_unit_test(test_a_broken_record_is_nobodys),
		cmocka_unit_test(test_a_file_is_met_in_a_state),
		cmocka_unit_test(test_keys_take_turns_at_being_forgotten),
		cmocka_unit_test(test_what_has_run_is_joined),
		cmocka_unit_test(test_many_pages_of_what_has_run_are_joined),
		cmocka_unit_test(test_remembered_identities_are_cheap),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
