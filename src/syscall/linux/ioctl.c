/* SPDX-License-Identifier: MIT */
/* ioctl.c - ioctl(2): performed from the lines of ioctl.sys
 *
 * An ioctl without a line is answered ENOTTY and named under -d unimp: passing a pointer of unknown
 * meaning to a driver is worse than refusing. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include "base/diag.h"
#include "base/gmem.h"
#include "base/util.h"
#include "syscall/fd.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"

static const struct ioctl_row rows[] = {
#define IOCTL(name, nr, kind, layout) { nr, IO_##kind, S_##layout, #name },
#include "syscall/linux/ioctl.sys"
#undef IOCTL
};

/* Some requests carry a size in their number and take buffers of any length. */
static const struct { u32 mask, value; struct ioctl_row row; } families[] = {
	{ 0xc000ffff, 0x80004506, { 0, IO_PTR, 0, "EVIOCGNAME" } },
	{ 0xc000ffff, 0x80004507, { 0, IO_PTR, 0, "EVIOCGPHYS" } },
	{ 0xc000ffff, 0x80004508, { 0, IO_PTR, 0, "EVIOCGUNIQ" } },
	{ 0xc000ffff, 0x80004509, { 0, IO_PTR, 0, "EVIOCGPROP" } },
	{ 0xc000ffff, 0x80004518, { 0, IO_PTR, 0, "EVIOCGKEY" } },
	{ 0xc000ffe0, 0x80004520, { 0, IO_PTR, 0, "EVIOCGBIT" } },
	{ 0xc000ffc0, 0x80004540, { 0, IO_PTR, 0, "EVIOCGABS" } },
	{ 0x0000ff00, 0x00006400, { 0, IO_PTR, 0, "DRM_IOCTL" } },
	{ 0x0000ff00, 0x00004100, { 0, IO_PTR, 0, "SNDRV_PCM_IOCTL" } },
	{ 0x0000ff00, 0x00005500, { 0, IO_PTR, 0, "SNDRV_CTL_IOCTL" } },
	{ 0x0000ff00, 0x00005600, { 0, IO_PTR, 0, "VIDIOC" } },
};

const struct ioctl_row *
ioctl_find(u32 nr)
{
	for (size_t i = 0; i < NELEM(rows); i++)
		if (rows[i].nr == nr)
			return &rows[i];
	for (size_t i = 0; i < NELEM(families); i++)
		if ((nr & families[i].mask) == families[i].value)
			return &families[i].row;
	return 0;
}

/* The interface list: struct ifconf points at an array of ifreq, which has the same size in every
 * 64-bit ABI. */
static s64
ifconf(struct cpu *cpu, u64 fd, gaddr arg)
{
	struct ifconf c;
	gaddr buf;
	s64 r;

	if (abi_in(cpu->guest->abi, S_ifconf, &c, arg))
		return -EFAULT;
	if (abi_size(cpu->guest->abi, S_ifreq_name) != sizeof(struct ifreq))
		return -ENOTTY;
	buf = (gaddr)c.ifc_buf;
	if (buf && c.ifc_len > 0 && gmem_watch)
		gmem_watch->unprotect(buf, (u64)c.ifc_len);
	c.ifc_buf = buf ? g2h(buf) : 0;
	r = host_syscall(cpu, __NR_ioctl, fd, SIOCGIFCONF, (u64)&c, 0, 0, 0);
	c.ifc_buf = (void *)buf;
	return r < 0 ? r : abi_out(cpu->guest->abi, S_ifconf, arg, &c) ? -EFAULT : r;
}

static s64
with_struct(struct cpu *cpu, const struct ioctl_row *row, const u64 *a)
{
	u8 host[LAYOUT_MAX];
	s64 r;

	memset(host, 0, abi_hostsize(row->layout));
	if (row->kind != IO_OUT && abi_in(cpu->guest->abi, row->layout, host, a[2]))
		return -EFAULT;
	r = host_syscall(cpu, __NR_ioctl, a[0], (u32)a[1], (u64)host, 0, 0, 0);
	if (r >= 0 && row->kind != IO_IN && abi_out(cpu->guest->abi, row->layout, a[2], host))
		return -EFAULT;
	return r;
}

static s64
with_pointer(struct cpu *cpu, const u64 *a)
{
	const struct model *m = &cpu->guest->abi->model, *h = &abi_host.model;
	u64 size = (u32)a[1] >> 16 & 0x3fff;

	if (m->word != h->word || m->big != h->big)
		return -ENOTTY;
	if (gmem_watch && a[2])
		gmem_watch->unprotect(a[2], size ? size : 512);
	return host_syscall(cpu, __NR_ioctl, a[0], (u32)a[1], a[2] ? (u64)g2h(a[2]) : 0, 0, 0, 0);
}

s64
sys_ioctl(struct cpu *cpu, const u64 *a)
{
	const struct ioctl_row *row = ioctl_find((u32)a[1]);

	if (fd_hidden((int)a[0]))
		return -EBADF;
	if (!row) {
		/* a closed descriptor is the guest's mistake before the request is */
		if (host_call(__NR_fcntl, a[0], 1, 0, 0, 0, 0) < 0)
			return -EBADF;
		if (logging(LOG_UNIMP))
			log_print("unsupported ioctl %#x\n", (u32)a[1]);
		return -ENOTTY;
	}
	switch (row->kind) {
	case IO_IN: case IO_OUT: case IO_IO:
		return with_struct(cpu, row, a);
	case IO_PTR:
		return with_pointer(cpu, a);
	case IO_IFCONF:
		return ifconf(cpu, a[0], a[2]);
	default:
		return host_syscall(cpu, __NR_ioctl, a[0], (u32)a[1], a[2], 0, 0, 0);
	}
}
