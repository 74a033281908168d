/* SPDX-License-Identifier: MIT */
/* test_diag.c - messages, exit status, log categories */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/cpu.h"
#include "base/diag.h"

static struct cpu cpu;

/* Runs f in a child with stderr in buf; returns the wait status. */
static int
child(void (*f)(void), char *buf, size_t n)
{
	int fd[2], status;

	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fd[1], 2);
		close(fd[0]);
		close(fd[1]);
		f();
		_exit(99);
	}
	close(fd[1]);
	size_t got = 0;
	for (ssize_t k; (k = read(fd[0], buf + got, n - 1 - got)) > 0;)
		got += (size_t)k;
	buf[got] = 0;
	close(fd[0]);
	waitpid(pid, &status, 0);
	return status;
}

static void say_nofile(void) { diag(D_NOFILE, "/x/y"); }
static void say_bug(void) { cpu.pc = 0x1234; cpu_self = &cpu; bug("thing %d", 7); }

static void
test_diag_prints_one_line_and_exits(void **state)
{
	char out[512];
	int status = child(say_nofile, out, sizeof out);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 127);
	assert_string_equal(out, "dragoman: /x/y: no such file\n");
}

static void
test_bug_names_the_guest_pc(void **state)
{
	char out[512];
	int status = child(say_bug, out, sizeof out);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(out, "thing 7"));
	assert_non_null(strstr(out, "0x1234"));
}

static void
test_diag_text(void **state)
{
	char buf[64];

	(void)state;
	assert_int_equal(diag_text(buf, sizeof buf, D_ISDIR, "/tmp"), 126);
	assert_string_equal(buf, "/tmp: is a directory, not a program");
}

static void
test_log_categories(void **state)
{
	(void)state;
	logmask = 0;
	assert_int_equal(log_parse("in_asm,unimp"), 0);
	assert_int_equal(logmask, LOG_INASM | LOG_UNIMP);
	assert_int_equal(log_parse("in_asmm"), -EINVAL);
	assert_int_equal(log_parse("cpu,"), -EINVAL);
	assert_int_equal(logmask, LOG_INASM | LOG_UNIMP);
	logmask = 0;
}

static void
test_log_goes_to_the_file_named_by_pid(void **state)
{
	char path[64], name[64], buf[8192] = "";

	(void)state;
	snprintf(path, sizeof path, "/tmp/dragoman-log-%%d-x");
	snprintf(name, sizeof name, "/tmp/dragoman-log-%d-x", (int)getpid());
	assert_int_equal(log_open("/nonexistent/x"), -ENOENT);
	assert_int_equal(log_open(path), 0);
	log_print("%d ", 5);
	log_print("%4000d", 6);
	FILE *f = fopen(name, "r");
	assert_non_null(f);
	assert_int_equal(fread(buf, 1, sizeof buf, f), 4002);
	fclose(f);
	unlink(name);
	assert_memory_equal(buf, "5 ", 2);
	assert_int_equal(buf[4001], '6');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diag_prints_one_line_and_exits),
		cmocka_unit_test(test_bug_names_the_guest_pc),
		cmocka_unit_test(test_diag_text),
		cmocka_unit_test(test_log_categories),
		cmocka_unit_test(test_log_goes_to_the_file_named_by_pid),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
