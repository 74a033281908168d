/* SPDX-License-Identifier: MIT */
/* diag.c - messages to the user, our own mistakes, and the log */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/cpu.h"
#include "base/diag.h"
#include "base/guest.h"

static const struct { int status; const char *text; } message[D_COUNT] = {
#define DIAG(name, status, text) [D_##name] = { status, text },
#include "base/diag.def"
#undef DIAG
};

static const struct { const char *name; u32 bit; } category[] = {
	{ "in_asm",  LOG_INASM },  { "op",     LOG_OP },     { "op_opt",  LOG_OPOPT },
	{ "out_asm", LOG_OUTASM }, { "exec",   LOG_EXEC },   { "cpu",     LOG_CPU },
	{ "unimp",   LOG_UNIMP },  { "strace", LOG_STRACE }, { "page",    LOG_PAGE },
	{ "signal",  LOG_SIGNAL }, { "cache",  LOG_CACHE },  { "nochain", LOG_NOCHAIN },
	{ "flush",   LOG_FLUSH },  { "stats",  LOG_STATS },   { "hot",    LOG_HOT },
};

u32 logmask;
static int logfd = STDERR_FILENO;

/* Whole lines are handed over in one write where the kernel lets us, so that threads and
 * processes that share a file do not mix theirs. */
static void
writeall(int fd, const char *s, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, s, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		s += done;
		n -= (size_t)done;
	}
}

static int
format(char *buf, size_t n, enum diag d, va_list ap)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(buf, n, message[d].text, ap);
#pragma GCC diagnostic pop
	return message[d].status;
}

int
diag_text(char *buf, size_t n, enum diag d, ...)
{
	va_list ap;

	va_start(ap, d);
	int status = format(buf, n, d, ap);
	va_end(ap);
	return status;
}

void
diag(enum diag d, ...)
{
	char text[4096], line[sizeof text + 16];
	va_list ap;

	va_start(ap, d);
	int status = format(text, sizeof text, d, ap);
	va_end(ap);
	int n = snprintf(line, sizeof line, "dragoman: %s\n", text);
	writeall(STDERR_FILENO, line, (size_t)n);
	exit(status);
}

void
bug(const char *fmt, ...)
{
	char text[1024], where[128] = "", line[sizeof text + sizeof where + 128];
	const struct cpu *cpu = cpu_self;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (cpu)
		snprintf(where, sizeof where, " [%s guest pc 0x%llx]",
		         cpu->guest ? cpu->guest->name : "?", (unsigned long long)cpu->pc);
	int n = snprintf(line, sizeof line,
	                 "dragoman: internal error: %s%s\n"
	                 "dragoman: version " DRAGOMAN_VERSION "; please report this with the command line\n",
	                 text, where);
	writeall(STDERR_FILENO, line, (size_t)n);
	abort();
}

/* -- the log -- */

static u32
category_byname(const char *s, size_t n)
{
	if (n == 3 && memcmp(s, "all", 3) == 0)
		return ~(u32)(LOG_NOCHAIN | LOG_HOT);  /* these change what runs, not what is told */
	for (size_t i = 0; i < NELEM(category); i++)
		if (strlen(category[i].name) == n && memcmp(category[i].name, s, n) == 0)
			return category[i].bit;
	return 0;
}

int
log_parse(const char *list)
{
	u32 mask = 0;

	for (const char *s = list;; s++) {
		size_t n = strcspn(s, ",");
		u32 bit = category_byname(s, n);
		if (!bit)
			return -EINVAL;
		mask |= bit;
		s += n;
		if (!*s)
			break;
	}
	logmask |= mask;
	return 0;
}

int
log_open(const char *path)
{
	char name[4096];
	const char *mark = strstr(path, "%d");
	int n;

	if (mark)
		n = snprintf(name, sizeof name, "%.*s%d%s", (int)(mark - path), path, (int)getpid(), mark + 2);
	else
		n = snprintf(name, sizeof name, "%s", path);
	if ((size_t)n >= sizeof name)
		return -ENAMETOOLONG;
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	if (logfd != STDERR_FILENO)
		close(logfd);
	logfd = fd;
	return 0;
}

/* Programs close their standard error before they exit, and would see and close a file of ours. */
void
log_hide(int (*hide)(int))
{
	int fd = logfd == STDERR_FILENO ? fcntl(logfd, F_DUPFD_CLOEXEC, 0) : logfd;

	if (fd >= 0)
		logfd = hide(fd);
}

void
log_print(const char *fmt, ...)
{
	char small[2048], *s = small;
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof small) {
		va_start(ap, fmt);
		if (vasprintf(&s, fmt, ap) < 0)
			return;
		va_end(ap);
	}
	writeall(logfd, s, (size_t)n);
	if (s != small)
		free(s);
}
