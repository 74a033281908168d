/* SPDX-License-Identifier: MIT */
/* vdso.c - the clock functions of the guest's vDSO, answered by the host's
 *
 * Guests with 64-bit words and little-endian data share the host's layouts of timespec and
 * timeval, which are two signed 64-bit numbers. */
#include <errno.h>
#include <sched.h>
#include <sys/time.h>
#include <time.h>
#include "base/vdso.h"

static s64
vdso_gettime(u64 clock, gaddr to)
{
	struct timespec t;

	if (clock_gettime((clockid_t)clock, &t))
		return -errno;
	return gmem_put2(to, (u64)t.tv_sec, (u64)t.tv_nsec);
}

static s64
vdso_getres(u64 clock, gaddr to)
{
	struct timespec t;

	if (clock_getres((clockid_t)clock, &t))
		return -errno;
	return to ? gmem_put2(to, (u64)t.tv_sec, (u64)t.tv_nsec) : 0;
}

static s64
vdso_gettimeofday(gaddr tv, gaddr tz)
{
	struct timeval t;
	struct timezone z = { 0, 0 };
	s64 r = 0;

	gettimeofday(&t, &z);
	if (tv)
		r = gmem_put2(tv, (u64)t.tv_sec, (u64)t.tv_usec);
	if (!r && tz)
		r = gmem_write(tz, &z, sizeof z);
	return r;
}

static s64
vdso_getcpu(gaddr cpu, gaddr node)
{
	unsigned c = 0, n = 0;
	s64 r = 0;

	if (getcpu(&c, &n))
		return -errno;
	if (cpu)
		r = gmem_write(cpu, &c, sizeof c);
	if (!r && node)
		r = gmem_write(node, &n, sizeof n);
	return r;
}

u64
vdso_call(struct cpu *cpu, u64 n, u64 a, u64 b)
{
	static s64 (*const call[])(u64, u64) = {
		[VDSO_GETTIME] = vdso_gettime,
		[VDSO_GETTIMEOFDAY] = vdso_gettimeofday,
		[VDSO_GETRES] = vdso_getres,
		[VDSO_GETCPU] = vdso_getcpu,
	};

	(void)cpu;
	_Static_assert(NELEM(call) == VDSO_NCALLS, "a function for every vDSO call");
	return n < NELEM(call) ? (u64)call[n](a, b) : (u64)-ENOSYS;
}
